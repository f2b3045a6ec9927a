/* The window, and what every part of the format is made of. */
#include "persist/rdb_reader.h"

#include "base/crc64.h"
#include "base/mem.h"
#include "byte_order_internal.h"
#include "persist/lzf.h"
#include "rdb_format_internal.h"

void rdb_reader_init(struct rdb_reader *reader, struct bytes payload)
{
    *reader = (struct rdb_reader){.at = payload.data, .end = payload.data + payload.len, .summed = payload.data};
}

void rdb_reader_init_fill(struct rdb_reader *reader, uint64_t size,
                          size_t (*fill)(void *context, char *to, size_t size), void *context)
{
    char *window = mem_alloc(RDB_WINDOW_BYTES);

    *reader = (struct rdb_reader){.at = window, .end = window, .window = window, .behind = size, .summed = window,
                                  .fill = fill, .context = context};
}

void rdb_reader_release(struct rdb_reader *reader)
{
    for (int i = 0; i < 2; i++)
        if (reader->scratch[i].size)
            mem_free(reader->scratch[i].memory, reader->scratch[i].size);
    if (reader->window)
        mem_free(reader->window, RDB_WINDOW_BYTES);
    *reader = (struct rdb_reader){0};
}

static void sum_up(struct rdb_reader *reader)
{
    if (reader->has_checksum)
        reader->crc = crc64(reader->crc, reader->summed, (size_t)(reader->at - reader->summed));
    reader->summed = reader->at;
}

uint64_t rdb_reader_crc(struct rdb_reader *reader)
{
    sum_up(reader);
    return reader->crc;
}

/* --- the window ------------------------------------------------------------------------------------------------- */

static struct rdb_scratch *scratch_for(struct rdb_reader *reader, unsigned index, size_t size)
{
    struct rdb_scratch *scratch = &reader->scratch[index];

    if (!scratch->size || scratch->size < size) {
        if (scratch->size)
            mem_free(scratch->memory, scratch->size);
        scratch->size = size < 64 ? 64 : size;
        scratch->memory = mem_alloc(scratch->size);
    }
    return scratch;
}

static struct rdb_scratch *next_scratch(struct rdb_reader *reader, size_t size)
{
    unsigned index = reader->scratch_next;

    reader->scratch_next = !index;
    return scratch_for(reader, index, size);
}

/* The view must not be in the window any more. */
static void save_held(struct rdb_reader *reader)
{
    struct bytes *held = reader->held;
    struct rdb_scratch *scratch;

    if (!held || held->data < reader->window || held->data >= reader->window + RDB_WINDOW_BYTES)
        return;
    scratch = scratch_for(reader, reader->held_scratch, held->len);
    memcpy(scratch->memory, held->data, held->len);
    held->data = scratch->memory;
}

static size_t fill(struct rdb_reader *reader, char *to, size_t size)
{
    size_t got = reader->behind && reader->fill ? reader->fill(reader->context, to, size) : 0;

    reader->behind = got && got < reader->behind ? reader->behind - got : 0;
    return got;
}

/* Brings at least 'size' bytes into the window; false when they do not come. */
static bool need_more(struct rdb_reader *reader, size_t size)
{
    size_t left = (size_t)(reader->end - reader->at);

    if (!reader->window || size > RDB_WINDOW_BYTES || size - left > reader->behind)
        return false;
    save_held(reader);
    sum_up(reader);
    memmove(reader->window, reader->at, left);
    reader->at = reader->summed = reader->window;
    while (left < size) {
        size_t got = fill(reader, reader->window + left, RDB_WINDOW_BYTES - left);

        if (!got)
            break;
        left += got;
    }
    reader->end = reader->window + left;
    return left >= size;
}

static inline bool need(struct rdb_reader *reader, size_t size)
{
    return __builtin_expect((size_t)(reader->end - reader->at) >= size, 1) || need_more(reader, size);
}

/* Long content goes past the window. */
static bool read_long(struct rdb_reader *reader, char *out, size_t size)
{
    size_t left = (size_t)(reader->end - reader->at);

    if (size > rdb_reader_left(reader))
        return false;
    save_held(reader);
    memcpy(out, reader->at, left);
    reader->at = reader->end;
    sum_up(reader);
    for (size_t done = left; done < size;) {
        size_t got = fill(reader, out + done, size - done);

        if (!got)
            return false;
        if (reader->has_checksum)
            reader->crc = crc64(reader->crc, out + done, got);
        done += got;
    }
    return true;
}

bool rdb_read(struct rdb_reader *reader, void *out, size_t size)
{
    if (size > (size_t)(reader->end - reader->at) && size > RDB_WINDOW_BYTES / 4)
        return read_long(reader, out, size);
    if (!need(reader, size))
        return false;
    if (size)
        bytes_copy(out, reader->at, size);
    reader->at += size;
    return true;
}

/* --- numbers ---------------------------------------------------------------------------------------------------- */

bool rdb_read_byte(struct rdb_reader *reader, unsigned *byte)
{
    if (!need(reader, 1))
        return false;
    *byte = (unsigned char)*reader->at++;
    return true;
}

bool rdb_read_u32(struct rdb_reader *reader, uint32_t *number)
{
    if (!need(reader, 4))
        return false;
    *number = (uint32_t)load_le(reader->at, 4);
    reader->at += 4;
    return true;
}

bool rdb_read_u64(struct rdb_reader *reader, uint64_t *number)
{
    if (!need(reader, 8))
        return false;
    *number = load_le(reader->at, 8);
    reader->at += 8;
    return true;
}

bool rdb_read_double(struct rdb_reader *reader, double *number)
{
    uint64_t bits;

    if (!rdb_read_u64(reader, &bits))
        return false;
    memcpy(number, &bits, sizeof *number);
    return true;
}

/* The rest of a length whose first byte was read. */
static bool read_length_behind(struct rdb_reader *reader, unsigned first, uint64_t *length)
{
    unsigned bytes, low;

    if (first < LENGTH_14) {
        *length = first;
        return true;
    }
    if (first < LENGTH_32) {
        if (!rdb_read_byte(reader, &low))
            return false;
        *length = (uint64_t)(first & 0x3F) << 8 | low;
        return true;
    }
    if (first != LENGTH_32 && first != LENGTH_64)
        return false;
    bytes = first == LENGTH_32 ? 4 : 8;
    if (!need(reader, bytes))
        return false;
    *length = load_be(reader->at, bytes);
    reader->at += bytes;
    return true;
}

bool rdb_read_length(struct rdb_reader *reader, uint64_t *length)
{
    unsigned first;

    return rdb_read_byte(reader, &first) && read_length_behind(reader, first, length);
}

bool rdb_read_count(struct rdb_reader *reader, uint64_t *count)
{
    return rdb_read_length(reader, count) && *count <= rdb_reader_left(reader);
}

/* --- strings ---------------------------------------------------------------------------------------------------- */

static bool read_int_text(struct rdb_reader *reader, unsigned first, struct rdb_string_head *head)
{
    unsigned bytes = first == STRING_INT_8 ? 1 : first == STRING_INT_16 ? 2 : 4;
    uint64_t bits;

    if (!need(reader, bytes))
        return false;
    bits = load_le(reader->at, bytes);
    reader->at += bytes;
    head->form = RDB_STRING_NUMBER;
    head->len = int64_format(head->text, bytes == 1   ? (int8_t)bits
                                         : bytes == 2 ? (int16_t)bits
                                                      : (int64_t)(int32_t)bits);
    return true;
}

static bool read_packed_head(struct rdb_reader *reader, struct rdb_string_head *head)
{
    uint64_t packed, len;

    if (!rdb_read_length(reader, &packed) || !rdb_read_length(reader, &len) || packed > rdb_reader_left(reader) ||
        len > lzf_unpacked_max(packed))
        return false;
    head->form = RDB_STRING_PACKED;
    head->packed_len = packed;
    head->len = len;
    return true;
}

bool rdb_read_string_head(struct rdb_reader *reader, struct rdb_string_head *head)
{
    uint64_t len;
    unsigned first;

    if (!rdb_read_byte(reader, &first))
        return false;
    if (first == STRING_INT_8 || first == STRING_INT_16 || first == STRING_INT_32)
        return read_int_text(reader, first, head);
    if (first == STRING_LZF)
        return read_packed_head(reader, head);
    if (!read_length_behind(reader, first, &len) || len > rdb_reader_left(reader))
        return false;
    head->form = RDB_STRING_PLAIN;
    head->len = len;
    return true;
}

static bool read_packed(struct rdb_reader *reader, const struct rdb_string_head *head, char *out)
{
    bool is_done;
    char *packed;

    if (head->packed_len <= RDB_WINDOW_BYTES && need(reader, head->packed_len)) {
        is_done = lzf_unpack((struct bytes){reader->at, head->packed_len}, out, head->len);
        reader->at += head->packed_len;
        return is_done;
    }
    if (head->packed_len > rdb_reader_left(reader))
        return false;
    if (!reader->window) /* it is all there */
        return lzf_unpack((struct bytes){reader->at, head->packed_len}, out, head->len) &&
               (reader->at += head->packed_len, true);
    packed = mem_alloc(head->packed_len);
    is_done = rdb_read(reader, packed, head->packed_len) &&
              lzf_unpack((struct bytes){packed, head->packed_len}, out, head->len);
    mem_free(packed, head->packed_len);
    return is_done;
}

bool rdb_read_string_content(struct rdb_reader *reader, const struct rdb_string_head *head, char *out)
{
    if (head->form == RDB_STRING_PACKED)
        return read_packed(reader, head, out);
    if (head->form == RDB_STRING_PLAIN)
        return rdb_read(reader, out, head->len);
    memcpy(out, head->text, head->len);
    return true;
}

bool rdb_read_string_rest(struct rdb_reader *reader, const struct rdb_string_head *head, struct bytes *string)
{
    struct rdb_scratch *scratch;

    if (head->form == RDB_STRING_PLAIN && (size_t)(reader->end - reader->at) < head->len &&
        head->len <= RDB_WINDOW_BYTES / 4 && !need_more(reader, head->len))
        return false;
    if (head->form == RDB_STRING_PLAIN && (size_t)(reader->end - reader->at) >= head->len) {
        reader->scratch_next = !reader->scratch_next;
        *string = (struct bytes){reader->at, head->len};
        reader->at += head->len;
        return true;
    }
    scratch = next_scratch(reader, head->len);
    *string = (struct bytes){scratch->memory, head->len};
    return rdb_read_string_content(reader, head, scratch->memory);
}

bool rdb_read_string(struct rdb_reader *reader, struct bytes *string)
{
    struct rdb_string_head head;

    return rdb_read_string_head(reader, &head) && rdb_read_string_rest(reader, &head, string);
}

bool rdb_read_pair(struct rdb_reader *reader, struct bytes *first, struct bytes *second)
{
    bool is_there = rdb_read_string(reader, first);

    if (is_there) {
        reader->held = first;
        reader->held_scratch = !reader->scratch_next; /* the one that it has, or would have got */
        is_there = rdb_read_string(reader, second);
        reader->held = NULL;
    }
    return is_there;
}
