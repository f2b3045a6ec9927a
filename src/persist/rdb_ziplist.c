/* Ziplists and zipmaps, which servers before 7.0 and 2.6 kept small values in.
 *
 *     ziplist: bytes u32 | offset of the last entry u32 | count u16 (65535: unknown) | entries | FF
 *     entry:   bytes of the one before (1 byte, or FE and u32) | kind | content
 *
 *     00llllll, 01llllll l, 80 llll     a string; lengths with the higher byte first
 *     C0, D0, E0, F0, FE                an integer of 2, 4, 8, 3 and 1 bytes, little endian
 *     F1 .. FD                          0 .. 12
 *
 *     zipmap:  count (254: unknown) | length, field, length, spare bytes n, value, n bytes ... | FF
 *     length:  1 byte below 254, or FE and u32 */
#include "rdb_value_internal.h"

#include "byte_order_internal.h"

#define ZIPLIST_HEADER 10
#define MARK_END       0xFF
#define MARK_LONG      0xFE
#define COUNT_UNKNOWN  65535

bool ziplist_open(struct ziplist *ziplist, struct bytes bytes)
{
    const unsigned char *start = (const unsigned char *)bytes.data;

    if (bytes.len < ZIPLIST_HEADER + 1 || load_le(start, 4) != bytes.len || start[bytes.len - 1] != MARK_END)
        return false;
    *ziplist = (struct ziplist){.at = start + ZIPLIST_HEADER, .end = start + bytes.len - 1, .is_good = true};
    if (load_le(start + 4, 4) >= bytes.len)
        return false;
    ziplist->tail = start + load_le(start + 4, 4);
    ziplist->declared = (unsigned)load_le(start + 8, 2);
    return true;
}

static bool fail(struct ziplist *ziplist)
{
    ziplist->is_good = false;
    return false;
}

static size_t room(const struct ziplist *ziplist) { return (size_t)(ziplist->end - ziplist->at); }

static bool read_previous(struct ziplist *ziplist)
{
    uint64_t bytes;

    if (room(ziplist) < 1)
        return false;
    bytes = *ziplist->at++;
    if (bytes == MARK_LONG) {
        if (room(ziplist) < 4)
            return false;
        bytes = load_le(ziplist->at, 4);
        ziplist->at += 4;
    }
    return bytes == ziplist->previous_bytes;
}

static bool read_text(struct ziplist *ziplist, struct bytes *value)
{
    const unsigned char *at = ziplist->at;
    size_t head = at[0] < 0x40 ? 1 : at[0] < 0x80 ? 2 : 5, len;

    if (room(ziplist) < head)
        return false;
    if (head == 1)
        len = at[0];
    else if (head == 2)
        len = (size_t)(at[0] & 0x3F) << 8 | at[1];
    else
        len = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4];
    if (room(ziplist) - head < len)
        return false;
    *value = (struct bytes){(const char *)at + head, len};
    ziplist->at += head + len;
    return true;
}

static unsigned int_bytes(unsigned char kind)
{
    switch (kind) {
    case 0xC0:
        return 2;
    case 0xD0:
        return 4;
    case 0xE0:
        return 8;
    case 0xF0:
        return 3;
    case 0xFE:
        return 1;
    default:
        return 0;
    }
}

static bool read_int(struct ziplist *ziplist, struct bytes *value)
{
    unsigned char kind = *ziplist->at++;
    unsigned bytes = int_bytes(kind);
    uint64_t bits;
    int64_t number;

    if (kind >= 0xF1 && kind <= 0xFD) {
        number = kind - 0xF1;
    } else {
        if (!bytes || room(ziplist) < bytes)
            return false;
        bits = load_le(ziplist->at, bytes) << (64 - 8 * bytes);
        number = (int64_t)bits >> (64 - 8 * bytes);
        ziplist->at += bytes;
    }
    *value = (struct bytes){ziplist->text, int64_format(ziplist->text, number)};
    return true;
}

bool ziplist_next(struct ziplist *ziplist, struct bytes *value)
{
    const unsigned char *start = ziplist->at;

    if (!ziplist->is_good)
        return false;
    if (start == ziplist->end) {
        if ((ziplist->declared != COUNT_UNKNOWN && ziplist->declared != ziplist->count) ||
            (ziplist->last && ziplist->last != ziplist->tail))
            ziplist->is_good = false;
        return false;
    }
    if (!read_previous(ziplist) || !room(ziplist))
        return fail(ziplist);
    if (*ziplist->at < 0xC0 ? (*ziplist->at > 0x80 || !read_text(ziplist, value)) : !read_int(ziplist, value))
        return fail(ziplist);
    ziplist->previous_bytes = (uint32_t)(ziplist->at - start);
    ziplist->last = start;
    ziplist->count++;
    return true;
}

/* --- zipmaps ---------------------------------------------------------------------------------------------------- */

bool zipmap_open(struct zipmap *zipmap, struct bytes bytes)
{
    const unsigned char *start = (const unsigned char *)bytes.data;

    if (bytes.len < 2 || start[bytes.len - 1] != MARK_END)
        return false;
    *zipmap = (struct zipmap){start + 1, start + bytes.len - 1, true};
    return true;
}

static bool zipmap_len(struct zipmap *zipmap, size_t *len)
{
    size_t left = (size_t)(zipmap->end - zipmap->at);

    if (left < 1 || *zipmap->at == MARK_END)
        return false;
    *len = *zipmap->at++;
    if (*len < MARK_LONG)
        return true;
    if (left < 5)
        return false;
    *len = load_le(zipmap->at, 4);
    zipmap->at += 4;
    return true;
}

static bool zipmap_text(struct zipmap *zipmap, size_t len, size_t spare, struct bytes *text)
{
    if (len + spare > (size_t)(zipmap->end - zipmap->at))
        return false;
    *text = (struct bytes){(const char *)zipmap->at, len};
    zipmap->at += len + spare;
    return true;
}

bool zipmap_next(struct zipmap *zipmap, struct bytes *field, struct bytes *value)
{
    size_t len;

    if (!zipmap->is_good || zipmap->at == zipmap->end)
        return false;
    zipmap->is_good = zipmap_len(zipmap, &len) && zipmap_text(zipmap, len, 0, field) && zipmap_len(zipmap, &len) &&
                      zipmap->at < zipmap->end;
    if (!zipmap->is_good)
        return false;
    size_t spare = *zipmap->at++;
    zipmap->is_good = zipmap_text(zipmap, len, spare, value);
    return zipmap->is_good;
}
