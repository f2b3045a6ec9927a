/* An entry is head, text and length:
 *
 *     0xxxxxxx                     0 .. 127
 *     10llllll text                a string of up to 63 bytes
 *     110xxxxx x                   13 bits, signed
 *     1110llll l text              a string of up to 4095 bytes
 *     F0 llll text                 a longer string, u32 LE
 *     F1 F2 F3 F4 and 2 3 4 8      a signed integer, LE
 *     FF                           not an entry: the end
 *
 * and behind it the length of head and text in groups of seven bits, highest first; all bytes but
 * the first have bit 7 set, so that it reads from the right.
 *
 * The block is as large as its allocation class (mem_block_size of its total bytes), so most
 * changes need no other block: resize() asks for one only when the class changes. */
#include "ds/listpack.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/numbers.h"

#define HEADER_BYTES  6
#define EMPTY_BYTES   LISTPACK_EMPTY_SIZE
#define END           0xFF
#define COUNT_UNKNOWN 65535
#define HEAD_MAX      9

enum head {
    HEAD_TEXT_6 = 0x80,
    HEAD_INT_13 = 0xC0,
    HEAD_TEXT_12 = 0xE0,
    HEAD_TEXT_32 = 0xF0,
    HEAD_INT_16 = 0xF1,
    HEAD_INT_24 = 0xF2,
    HEAD_INT_32 = 0xF3,
    HEAD_INT_64 = 0xF4
};

struct listpack {
    unsigned char bytes[1]; /* the whole block */
};

/* ---- little-endian numbers ---- */

static uint32_t load_u32(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void store_le(unsigned char *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

/* ---- the header ---- */

size_t listpack_bytes(const struct listpack *lp) { return load_u32(lp->bytes); }

static unsigned header_count(const struct listpack *lp)
{
    return lp->bytes[4] | (unsigned)lp->bytes[5] << 8;
}

static void set_bytes(struct listpack *lp, size_t bytes)
{
    ASSERT(bytes <= LISTPACK_SIZE_MAX);
    store_le(lp->bytes, bytes, 4);
}

static void set_count(struct listpack *lp, size_t count)
{
    store_le(lp->bytes + 4, count < COUNT_UNKNOWN ? count : COUNT_UNKNOWN, 2);
}

static size_t walk_count(const struct listpack *lp)
{
    size_t count = 0;

    for (listpack_pos at = listpack_first(lp); at; at = listpack_next(lp, at))
        count++;
    return count;
}

size_t listpack_count(const struct listpack *lp)
{
    unsigned count = header_count(lp);

    return count < COUNT_UNKNOWN ? count : walk_count(lp);
}

/* A count that is unknown stays so when it grows, and is learnt again when it shrinks. */
static void count_added(struct listpack *lp, size_t count)
{
    set_count(lp, header_count(lp) + count);
}

static void count_removed(struct listpack *lp, size_t count)
{
    unsigned known = header_count(lp);

    set_count(lp, known < COUNT_UNKNOWN ? known - count : walk_count(lp));
}

bool listpack_fits(const struct listpack *lp, size_t bytes)
{
    return bytes <= LISTPACK_SIZE_MAX - listpack_bytes(lp);
}

/* ---- an entry's parts ---- */

/* Bytes of the head with a string's length or an integer in it; 0 when there is no such head. */
static inline size_t head_bytes(unsigned char head)
{
    if (head < HEAD_INT_13)
        return 1;
    if (head < HEAD_TEXT_32)
        return 2;
    switch (head) {
    case HEAD_TEXT_32:
        return 5;
    case HEAD_INT_16:
        return 3;
    case HEAD_INT_24:
        return 4;
    case HEAD_INT_32:
        return 5;
    case HEAD_INT_64:
        return 9;
    default:
        return 0;
    }
}

static inline bool is_text(unsigned char head)
{
    return (head & 0xC0) == HEAD_TEXT_6 || (head & 0xF0) == HEAD_TEXT_12 || head == HEAD_TEXT_32;
}

static inline size_t text_bytes(listpack_pos at)
{
    if ((at[0] & 0xC0) == HEAD_TEXT_6)
        return at[0] & 0x3F;
    if ((at[0] & 0xF0) == HEAD_TEXT_12)
        return (size_t)(at[0] & 0x0F) << 8 | at[1];
    return at[0] == HEAD_TEXT_32 ? load_u32(at + 1) : 0;
}

/* Bytes of head and text. */
static inline size_t body_bytes(listpack_pos at)
{
    if ((at[0] & 0xC0) == HEAD_TEXT_6) /* by far the most frequent, with small integers */
        return 1 + (size_t)(at[0] & 0x3F);
    return head_bytes(at[0]) + text_bytes(at);
}

/* Bytes of the length behind a body. Redis's limits: 16383 itself takes three. */
static inline size_t backlen_bytes(size_t body)
{
    if (body <= 127)
        return 1;
    return body < 16383 ? 2 : body < 2097151 ? 3 : body < 268435455 ? 4 : 5;
}

static inline size_t entry_bytes(listpack_pos at)
{
    size_t body = body_bytes(at);

    return body + backlen_bytes(body);
}

static inline unsigned char *write_backlen(unsigned char *at, size_t body)
{
    size_t bytes = backlen_bytes(body);

    for (size_t i = 0; i < bytes; i++) {
        unsigned char group = body >> 7 * (bytes - 1 - i) & 0x7F;
        *at++ = i == 0 ? group : group | 0x80;
    }
    return at;
}

/* Reads the length that ends at 'last', not beyond 'from'. False when it is malformed. */
static inline bool read_backlen(listpack_pos from, listpack_pos last, size_t *body)
{
    size_t value = 0;

    for (unsigned shift = 0; shift <= 28 && last >= from; shift += 7, last--) {
        value |= (size_t)(*last & 0x7F) << shift;
        if (!(*last & 0x80)) {
            *body = value;
            return true;
        }
    }
    return false;
}

/* ---- how a value is stored ---- */

struct encoding {
    unsigned char head[HEAD_MAX];
    unsigned head_len;
    struct bytes text; /* empty for integers */
    bool is_int;
    int64_t number;
};

static void encode_int(struct encoding *encoding, int64_t number)
{
    static const struct {
        unsigned char head;
        unsigned bits;
    } wide[] = {{HEAD_INT_16, 16}, {HEAD_INT_24, 24}, {HEAD_INT_32, 32}};
    unsigned char *head = encoding->head;

    encoding->is_int = true;
    encoding->number = number;
    encoding->text = (struct bytes){NULL, 0};
    if (number >= 0 && number <= 127) {
        head[0] = (unsigned char)number;
        encoding->head_len = 1;
        return;
    }
    if (number >= -4096 && number <= 4095) {
        head[0] = HEAD_INT_13 | ((uint64_t)number >> 8 & 0x1F);
        head[1] = (unsigned char)number;
        encoding->head_len = 2;
        return;
    }
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        int64_t limit = (int64_t)1 << (wide[i].bits - 1);
        if (number < -limit || number >= limit)
            continue;
        head[0] = wide[i].head;
        store_le(head + 1, (uint64_t)number, wide[i].bits / 8);
        encoding->head_len = 1 + wide[i].bits / 8;
        return;
    }
    head[0] = HEAD_INT_64;
    store_le(head + 1, (uint64_t)number, 8);
    encoding->head_len = 9;
}

static void encode_text(struct encoding *encoding, struct bytes text)
{
    unsigned char *head = encoding->head;

    encoding->is_int = false;
    encoding->text = text;
    if (text.len < 64) {
        head[0] = HEAD_TEXT_6 | (unsigned char)text.len;
        encoding->head_len = 1;
    } else if (text.len < 4096) {
        head[0] = HEAD_TEXT_12 | (unsigned char)(text.len >> 8);
        head[1] = (unsigned char)text.len;
        encoding->head_len = 2;
    } else {
        head[0] = HEAD_TEXT_32;
        store_le(head + 1, text.len, 4);
        encoding->head_len = 5;
    }
}

static inline void encode(struct encoding *encoding, struct bytes value)
{
    int64_t number;
    /* Most strings show by their first byte that they are no integer. */
    bool may_be_int = value.len > 0 && value.len < INT64_TEXT_MAX &&
                      ((unsigned char)(value.data[0] - '0') <= 9 || value.data[0] == '-');

    ASSERT(value.len < LISTPACK_SIZE_MAX);
    if (may_be_int && int64_parse(value, &number))
        encode_int(encoding, number);
    else
        encode_text(encoding, value);
}

static inline size_t encoded_bytes(const struct encoding *encoding)
{
    size_t body = encoding->head_len + encoding->text.len;

    return body + backlen_bytes(body);
}

static inline unsigned char *write_entry(unsigned char *at, const struct encoding *encoding)
{
    for (unsigned i = 0; i < encoding->head_len; i++)
        *at++ = encoding->head[i];
    if (encoding->text.len > 0)
        memcpy(at, encoding->text.data, encoding->text.len);
    return write_backlen(at + encoding->text.len, encoding->head_len + encoding->text.len);
}

size_t listpack_entry_bytes(struct bytes value)
{
    struct encoding encoding;

    encode(&encoding, value);
    return encoded_bytes(&encoding);
}

/* ---- make and free ---- */

struct listpack *listpack_init(void *memory)
{
    struct listpack *lp = memory;

    set_bytes(lp, EMPTY_BYTES);
    set_count(lp, 0);
    lp->bytes[HEADER_BYTES] = END;
    return lp;
}

struct listpack *listpack_new(void) { return listpack_init(mem_alloc(EMPTY_BYTES)); }

void listpack_free(struct listpack *lp) { mem_free(lp, listpack_bytes(lp)); }

static struct listpack *copy_of(const void *bytes, size_t len)
{
    struct listpack *copy = mem_alloc(len);

    memcpy(copy, bytes, len);
    return copy;
}

struct listpack *listpack_copy(const struct listpack *lp)
{
    return copy_of(lp, listpack_bytes(lp));
}

struct listpack *listpack_from_bytes(struct bytes bytes)
{
    DEBUG_ASSERT(listpack_is_valid(bytes));
    return copy_of(bytes.data, bytes.len);
}

/* ---- walk ---- */

listpack_pos listpack_first(const struct listpack *lp)
{
    listpack_pos first = lp->bytes + HEADER_BYTES;

    return *first == END ? NULL : first;
}

/* The entry that ends before 'end', where another begins or the listpack ends. */
static inline listpack_pos entry_before(const struct listpack *lp, listpack_pos end)
{
    size_t body = 0;

    if (end == lp->bytes + HEADER_BYTES)
        return NULL;
    bool is_read = read_backlen(lp->bytes + HEADER_BYTES, end - 1, &body);
    DEBUG_ASSERT(is_read);
    return is_read ? end - backlen_bytes(body) - body : NULL;
}

listpack_pos listpack_last(const struct listpack *lp)
{
    return entry_before(lp, lp->bytes + listpack_bytes(lp) - 1);
}

listpack_pos listpack_next(const struct listpack *lp, listpack_pos at)
{
    at += entry_bytes(at);
    return *at == END ? NULL : at;
}

listpack_pos listpack_prev(const struct listpack *lp, listpack_pos at)
{
    return entry_before(lp, at);
}

listpack_pos listpack_at(const struct listpack *lp, int64_t index)
{
    unsigned count = header_count(lp);
    bool is_known = count < COUNT_UNKNOWN;
    listpack_pos at;

    if (is_known && (index >= (int64_t)count || index < -(int64_t)count))
        return NULL;
    if (is_known && index >= 0 && index > (int64_t)count / 2)
        index -= (int64_t)count;
    else if (is_known && index < -(int64_t)count / 2)
        index += (int64_t)count;

    if (index >= 0) {
        for (at = listpack_first(lp); at && index > 0; index--)
            at = listpack_next(lp, at);
    } else {
        for (at = listpack_last(lp); at && index < -1; index++)
            at = listpack_prev(lp, at);
    }
    return at;
}

/* ---- read ---- */

static inline int64_t sign_extended(uint64_t value, unsigned bits)
{
    return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static int64_t wide_int(listpack_pos at)
{
    size_t bytes = head_bytes(at[0]) - 1;
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[1 + i] << 8 * i;
    return sign_extended(value, 8 * (unsigned)bytes);
}

bool listpack_get_int(listpack_pos at, int64_t *value)
{
    if (at[0] < HEAD_TEXT_6)
        *value = at[0];
    else if (is_text(at[0]))
        return false;
    else if (at[0] < HEAD_TEXT_12)
        *value = sign_extended((uint64_t)(at[0] & 0x1F) << 8 | at[1], 13);
    else
        *value = wide_int(at);
    return true;
}

struct bytes listpack_get(listpack_pos at, char *text)
{
    int64_t number;

    if ((at[0] & 0xC0) == HEAD_TEXT_6)
        return (struct bytes){(const char *)at + 1, at[0] & 0x3F};
    if (listpack_get_int(at, &number))
        return (struct bytes){text, int64_format(text, number)};
    return (struct bytes){(const char *)at + head_bytes(at[0]), text_bytes(at)};
}

static inline bool text_is(listpack_pos at, struct bytes value)
{
    const char *text = (const char *)at + head_bytes(at[0]);

    return bytes_equal((struct bytes){text, text_bytes(at)}, value);
}

/* A string entry is compared as text even when that is an integer's: bytes from outside may hold
 * such entries. */
static inline bool entry_is(listpack_pos at, const struct encoding *wanted, struct bytes value)
{
    int64_t number;

    if (is_text(at[0]))
        return text_is(at, value);
    return wanted->is_int && listpack_get_int(at, &number) && number == wanted->number;
}

/* Without encoding the value first, which takes longer than looking at most entries. */
bool listpack_equal(listpack_pos at, struct bytes value)
{
    int64_t number, wanted;

    if (is_text(at[0]))
        return text_is(at, value);
    return int64_parse(value, &wanted) && listpack_get_int(at, &number) && number == wanted;
}

/* The same two steps for a search: most entries are short strings, and most of those differ in length.
 * In a listpack of 100 members of a set this takes 0.8 of the time. */
static inline bool entry_matches(listpack_pos at, const struct encoding *wanted, struct bytes value)
{
    if ((at[0] & 0xC0) == HEAD_TEXT_6)
        return (at[0] & 0x3F) == value.len && bytes_same((const char *)at + 1, value.data, value.len);
    return entry_is(at, wanted, value);
}

static inline listpack_pos entry_behind(listpack_pos at)
{
    if ((at[0] & 0xC0) == HEAD_TEXT_6)
        return at + 2 + (at[0] & 0x3F);
    return at + entry_bytes(at);
}

listpack_pos listpack_find(const struct listpack *lp, listpack_pos at, struct bytes value,
                           unsigned skip)
{
    struct encoding wanted;

    if (!at)
        return NULL;
    encode(&wanted, value);
    while (!entry_matches(at, &wanted, value)) {
        for (unsigned i = 0; i <= skip; i++) {
            at = entry_behind(at);
            if (*at == END)
                return NULL;
        }
    }
    return at;
}

/* ---- change the ends in place: memory is the owner's ---- */

static void append_encoded(struct listpack *lp, const struct encoding *encoding, size_t bytes)
{
    unsigned char *end = lp->bytes + listpack_bytes(lp) - 1;

    write_entry(end, encoding);
    end[bytes] = END;
    set_bytes(lp, listpack_bytes(lp) + bytes);
    count_added(lp, 1);
}

void listpack_extend_tail(struct listpack *lp, struct bytes value)
{
    struct encoding encoding;

    encode(&encoding, value);
    append_encoded(lp, &encoding, encoded_bytes(&encoding));
}

struct listpack *listpack_extend_head(struct listpack *lp, struct bytes value)
{
    size_t old = listpack_bytes(lp);
    unsigned count = header_count(lp);
    struct encoding encoding;

    encode(&encoding, value);
    size_t bytes = encoded_bytes(&encoding);
    lp = (struct listpack *)(lp->bytes - bytes);
    set_bytes(lp, old + bytes);
    set_count(lp, (size_t)count + 1);
    write_entry(lp->bytes + HEADER_BYTES, &encoding);
    return lp;
}

/* Bytes of the 'count' entries from 'at' on. */
static size_t bytes_of_entries(listpack_pos at, size_t count)
{
    listpack_pos end = at;

    for (size_t i = 0; i < count; i++) {
        ASSERT(*end != END);
        end += entry_bytes(end);
    }
    return (size_t)(end - at);
}

struct listpack *listpack_cut_head(struct listpack *lp, size_t count)
{
    size_t old = listpack_bytes(lp);
    unsigned known = header_count(lp);
    size_t bytes = bytes_of_entries(lp->bytes + HEADER_BYTES, count);

    lp = (struct listpack *)(lp->bytes + bytes);
    set_bytes(lp, old - bytes);
    set_count(lp, known);
    count_removed(lp, count);
    return lp;
}

void listpack_cut_tail(struct listpack *lp, size_t count)
{
    unsigned char *end = lp->bytes + listpack_bytes(lp) - 1;
    listpack_pos at = end;

    for (size_t i = 0; i < count; i++) {
        at = entry_before(lp, at);
        ASSERT(at);
    }
    size_t bytes = (size_t)(end - at);
    end[-(ptrdiff_t)bytes] = END;
    set_bytes(lp, listpack_bytes(lp) - bytes);
    count_removed(lp, count);
}

/* ---- several entries at once ---- */

unsigned char *listpack_tail(struct listpack *lp) { return lp->bytes + listpack_bytes(lp) - 1; }

unsigned char *listpack_put_int(unsigned char *at, int64_t number)
{
    struct encoding encoding;

    if (number >= 0 && number <= 127) {
        at[0] = (unsigned char)number;
        at[1] = 1;
        return at + 2;
    }
    encode_int(&encoding, number);
    return write_entry(at, &encoding);
}

unsigned char *listpack_put(unsigned char *at, struct bytes value)
{
    struct encoding encoding;

    encode(&encoding, value);
    return write_entry(at, &encoding);
}

void listpack_set_tail(struct listpack *lp, unsigned char *at, size_t count)
{
    *at = END;
    set_bytes(lp, (size_t)(at + 1 - lp->bytes));
    count_added(lp, count);
}

/* ---- change anywhere: the block follows its size ---- */

/* The block for 'bytes' instead of the bytes that the header says; the header stays. */
static inline struct listpack *resize(struct listpack *lp, size_t bytes)
{
    size_t old = listpack_bytes(lp);

    if (mem_block_size(old) == mem_block_size(bytes))
        return lp;
    return mem_resize(lp, old, bytes);
}

struct listpack *listpack_append(struct listpack *lp, struct bytes value)
{
    struct encoding encoding;

    encode(&encoding, value);
    size_t bytes = encoded_bytes(&encoding);
    lp = resize(lp, listpack_bytes(lp) + bytes);
    append_encoded(lp, &encoding, bytes);
    return lp;
}

struct listpack *listpack_prepend(struct listpack *lp, struct bytes value)
{
    return listpack_insert(lp, lp->bytes + HEADER_BYTES, value, NULL);
}

/* Puts room for 'added' bytes in the place of 'removed' bytes at 'offset'; the header says the new
 * total then, the count stays. */
static struct listpack *splice(struct listpack *lp, size_t offset, size_t removed, size_t added)
{
    size_t old = listpack_bytes(lp);
    size_t new = old - removed + added;
    size_t behind = old - offset - removed;

    if (new > old)
        lp = resize(lp, new);
    memmove(lp->bytes + offset + added, lp->bytes + offset + removed, behind);
    if (new < old)
        lp = resize(lp, new);
    set_bytes(lp, new);
    return lp;
}

struct listpack *listpack_insert(struct listpack *lp, listpack_pos at, struct bytes value,
                                 listpack_pos *inserted)
{
    size_t offset = at ? (size_t)(at - lp->bytes) : listpack_bytes(lp) - 1;
    struct encoding encoding;

    encode(&encoding, value);
    lp = splice(lp, offset, 0, encoded_bytes(&encoding));
    write_entry(lp->bytes + offset, &encoding);
    count_added(lp, 1);
    if (inserted)
        *inserted = lp->bytes + offset;
    return lp;
}

static struct listpack *replace(struct listpack *lp, size_t offset, const struct encoding *encoding)
{
    size_t old = entry_bytes(lp->bytes + offset);
    size_t new = encoded_bytes(encoding);

    if (new != old)
        lp = splice(lp, offset, old, new);
    write_entry(lp->bytes + offset, encoding);
    return lp;
}

struct listpack *listpack_replace(struct listpack *lp, listpack_pos at, struct bytes value,
                                  listpack_pos *replaced)
{
    size_t offset = (size_t)(at - lp->bytes);
    struct encoding encoding;

    encode(&encoding, value);
    lp = replace(lp, offset, &encoding);
    if (replaced)
        *replaced = lp->bytes + offset;
    return lp;
}

struct listpack *listpack_replace_int(struct listpack *lp, listpack_pos at, int64_t number)
{
    struct encoding encoding;

    encode_int(&encoding, number);
    return replace(lp, (size_t)(at - lp->bytes), &encoding);
}

bool listpack_set_int(listpack_pos at, int64_t number)
{
    struct encoding encoding;

    encode_int(&encoding, number);
    if (encoded_bytes(&encoding) != entry_bytes(at))
        return false;
    write_entry((unsigned char *)at, &encoding);
    return true;
}

struct listpack *listpack_remove(struct listpack *lp, listpack_pos at, size_t count,
                                 listpack_pos *next)
{
    size_t offset = (size_t)(at - lp->bytes);
    size_t bytes = bytes_of_entries(at, count);

    lp = splice(lp, offset, bytes, 0);
    count_removed(lp, count);
    if (next)
        *next = lp->bytes[offset] == END ? NULL : lp->bytes + offset;
    return lp;
}

struct listpack *listpack_join(struct listpack *head, struct listpack *tail)
{
    size_t offset = listpack_bytes(head) - 1;
    size_t bytes = listpack_bytes(tail) - EMPTY_BYTES;
    size_t count = header_count(head) + (size_t)header_count(tail);

    head = splice(head, offset, 0, bytes);
    memcpy(head->bytes + offset, tail->bytes + HEADER_BYTES, bytes);
    set_count(head, count);
    listpack_free(tail);
    return head;
}

/* ---- bytes from outside ---- */

/* Bytes of the entry at 'at', 0 when it is malformed or reaches over 'end'. */
static size_t valid_entry_bytes(listpack_pos at, listpack_pos end)
{
    size_t room = (size_t)(end - at);
    size_t head = head_bytes(at[0]);
    size_t body, body_behind;

    if (head == 0 || head > room)
        return 0;
    body = body_bytes(at);
    if (body + backlen_bytes(body) > room)
        return 0;
    at += body + backlen_bytes(body);
    if (!read_backlen(at - backlen_bytes(body), at - 1, &body_behind) || body_behind != body)
        return 0;
    return body + backlen_bytes(body);
}

bool listpack_is_valid(struct bytes bytes)
{
    const struct listpack *lp = (const struct listpack *)bytes.data;
    size_t count = 0;

    if (bytes.len < EMPTY_BYTES || bytes.len > LISTPACK_SIZE_MAX || listpack_bytes(lp) != bytes.len)
        return false;
    listpack_pos end = lp->bytes + bytes.len - 1;
    for (listpack_pos at = lp->bytes + HEADER_BYTES; at < end; count++) {
        size_t entry = valid_entry_bytes(at, end);
        if (entry == 0)
            return false;
        at += entry;
    }
    return *end == END && (header_count(lp) == COUNT_UNKNOWN || header_count(lp) == count);
}

/* Text that should be an integer would never be found. */
static bool is_stored_well(listpack_pos at, struct bytes value)
{
    int64_t number;

    return !is_text(at[0]) || !int64_parse(value, &number);
}

/* Puts the entry into an open table of positions; false when it is there. */
static bool table_put(listpack_pos *table, size_t mask, listpack_pos at)
{
    char text[LISTPACK_TEXT_MAX];
    struct bytes value = listpack_get(at, text);

    if (!is_stored_well(at, value))
        return false;
    for (size_t place = hash_bytes(value) & mask;; place = (place + 1) & mask) {
        if (!table[place]) {
            table[place] = at;
            return true;
        }
        if (listpack_equal(table[place], value))
            return false;
    }
}

bool listpack_is_distinct(const struct listpack *lp, unsigned skip)
{
    size_t count = listpack_count(lp) / (skip + 1) + 1, size = 4;
    bool is_distinct = true;
    listpack_pos *table;

    while (size < 2 * count)
        size *= 2;
    table = mem_alloc_zero(size * sizeof *table);
    for (listpack_pos at = listpack_first(lp); at && is_distinct;) {
        is_distinct = table_put(table, size - 1, at);
        for (unsigned i = 0; at && i <= skip; i++)
            at = listpack_next(lp, at);
    }
    mem_free(table, size * sizeof *table);
    return is_distinct;
}
