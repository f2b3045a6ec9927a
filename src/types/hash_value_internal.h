/* What the files of the hash share: how a field lies in memory, the two shapes, the deadlines.
 *
 * A pair is a field with its value:
 *
 *     0lllllll [u64]          length of the field; 127: it follows
 *     1lllllll [u64] mark     the same, of a field with a deadline
 *     field
 *     length [u64]            of the value; 255: it follows
 *     value
 *
 * A packed hash is pairs one after the other, and a mark there is the deadline. In a table a pair is a
 * block of its own, and its mark is its place in the heap of deadlines. */
#ifndef TERN_HASH_VALUE_INTERNAL_H
#define TERN_HASH_VALUE_INTERNAL_H

#include "types/hash_value.h"

#define MARK_PACKED 8u /* bytes of a mark: a deadline */
#define MARK_TABLE  4u /* a place in the heap */

#define HAS_MARK      0x80
#define LONG_FIELD    0x7f
#define LONG_VALUE    0xff
#define LENGTH_BYTES  8
#define PAIR_HEAD_MAX (2 + 2 * LENGTH_BYTES + MARK_PACKED)

struct pair {
    struct bytes field, value;
    unsigned char *mark; /* NULL: no deadline */
    size_t size;
};

static inline size_t pair_size(size_t field_len, size_t value_len, size_t mark_bytes)
{
    return 2 + mark_bytes + field_len + value_len + (field_len < LONG_FIELD ? 0 : LENGTH_BYTES) +
           (value_len < LONG_VALUE ? 0 : LENGTH_BYTES);
}

static inline struct bytes pair_field(const unsigned char *at, size_t mark_bytes)
{
    size_t len = *at & LONG_FIELD;
    const unsigned char *field = at + 1;

    if (__builtin_expect(len == LONG_FIELD, 0)) {
        memcpy(&len, field, LENGTH_BYTES);
        field += LENGTH_BYTES;
    }
    if (*at & HAS_MARK)
        field += mark_bytes;
    return (struct bytes){(const char *)field, len};
}

static inline struct pair pair_read(const unsigned char *at, size_t mark_bytes)
{
    struct pair pair = {.field = pair_field(at, mark_bytes)};
    const unsigned char *value = (const unsigned char *)pair.field.data + pair.field.len;

    if (*at & HAS_MARK)
        pair.mark = (unsigned char *)pair.field.data - mark_bytes;
    pair.value.len = *value++;
    if (__builtin_expect(pair.value.len == LONG_VALUE, 0)) {
        memcpy(&pair.value.len, value, LENGTH_BYTES);
        value += LENGTH_BYTES;
    }
    pair.value.data = (const char *)value;
    pair.size = (size_t)(value - at) + pair.value.len;
    return pair;
}

/* Writes all but the content of the mark, whose address it returns. */
static inline unsigned char *pair_write(unsigned char *at, size_t mark_bytes, struct bytes field,
                                        struct bytes value)
{
    bool is_long = field.len >= LONG_FIELD;
    unsigned char *mark;

    *at++ = (unsigned char)((is_long ? LONG_FIELD : field.len) | (mark_bytes ? HAS_MARK : 0));
    if (is_long) {
        memcpy(at, &field.len, LENGTH_BYTES);
        at += LENGTH_BYTES;
    }
    mark = at;
    at += mark_bytes;
    bytes_copy((char *)at, field.data, field.len);
    at += field.len;
    if (value.len < LONG_VALUE) {
        *at++ = (unsigned char)value.len;
    } else {
        *at++ = LONG_VALUE;
        memcpy(at, &value.len, LENGTH_BYTES);
        at += LENGTH_BYTES;
    }
    bytes_copy((char *)at, value.data, value.len);
    return mark;
}

/* --- the shapes ------------------------------------------------------------------------------ */

enum hash_form {
    HASH_PACKED,          /* content: pairs */
    HASH_PACKED_EXPIRING, /* content: struct hash_expiry, which has the pairs */
    HASH_TABLE            /* content: struct hash_table */
};

struct hash {
    void *content;       /* NULL: packed and empty */
    uint32_t bytes;      /* packed: of all pairs */
    uint32_t count : 30; /* packed: pairs */
    uint32_t form : 2;
};

struct hash_table {
    struct dict dict; /* of pairs */
    struct hash_expiry *expiry; /* NULL until a field gets a deadline */
    struct dict_iter freeing;
    bool is_freeing;
};

/* --- deadlines (hash_deadlines.c) ------------------------------------------------------------ */

struct hash_due {
    int64_t deadline_ms;
    unsigned char *pair;
};

struct hash_expiry {
    struct hash_tie tie;
    int64_t now_ms;
    int64_t latest_ms;     /* no field dies after: an upper bound; INT64_MIN when none has a deadline */
    unsigned char *pairs;  /* packed */
    struct hash_due *heap; /* table: the earliest in front, four children each */
    uint32_t count;        /* fields with a deadline */
    uint32_t capacity;     /* of the heap */
};

struct hash_expiry *expiry_new(void);
/* The bounds take a deadline in, or know of none any more. */
void expiry_widen(struct hash_expiry *expiry, int64_t deadline_ms);
void expiry_forget(struct hash_expiry *expiry);
void expiry_free(struct hash_expiry *expiry);
void expiry_add(struct hash_expiry *expiry, unsigned char *pair, int64_t deadline_ms);
/* The pair's mark is its place. */
void expiry_remove(struct hash_expiry *expiry, const struct pair *pair);
void expiry_change(struct hash_expiry *expiry, const struct pair *pair, int64_t deadline_ms);
/* The pair has another address now. */
void expiry_moved(struct hash_expiry *expiry, const struct pair *old, unsigned char *pair);
int64_t expiry_deadline(const struct hash_expiry *expiry, const struct pair *pair);
size_t expiry_count_before(const struct hash_expiry *expiry, int64_t now_ms);
bool expiry_all_before(const struct hash_expiry *expiry, int64_t now_ms);
void expiry_check(const struct hash_expiry *expiry);

/* The deadlines of a hash, or NULL when it never had one. */
static inline struct hash_expiry *hash_expiry_of(const struct hash *hash)
{
    if (hash->form == HASH_PACKED)
        return NULL;
    if (hash->form == HASH_PACKED_EXPIRING)
        return hash->content;
    return ((struct hash_table *)hash->content)->expiry;
}

_Static_assert(sizeof(struct hash) == 16, "what hangs from the key is 16 bytes");

/* --- a packed hash (hash_packed.c) ----------------------------------------------------------- */

#define PACKED_BYTES_MAX (1u << 30)

static inline unsigned char *packed_pairs(const struct hash *hash)
{
    if (hash->form == HASH_PACKED)
        return hash->content;
    return ((struct hash_expiry *)hash->content)->pairs;
}

static inline int64_t packed_deadline(const struct pair *pair)
{
    int64_t deadline_ms = HASH_NO_DEADLINE;

    if (pair->mark)
        memcpy(&deadline_ms, pair->mark, sizeof deadline_ms);
    return deadline_ms;
}

unsigned char *hash_packed_find(const struct hash *hash, struct bytes field); /* NULL when absent */
/* Puts a pair in place of the one at 'at' (NULL: behind the last), with a deadline unless it is
 * HASH_NO_DEADLINE. */
void hash_packed_put(struct hash *hash, unsigned char *at, struct bytes field, struct bytes value,
                     int64_t deadline_ms);
void hash_packed_remove(struct hash *hash, unsigned char *at);
/* Puts a deadline in, changes it, or takes it out (HASH_NO_DEADLINE). */
void hash_packed_mark(struct hash *hash, unsigned char *at, int64_t deadline_ms);
size_t hash_packed_expire(struct hash *hash, hash_dead *dead, void *context);
size_t hash_packed_count_before(const struct hash *hash, int64_t now_ms);
void hash_packed_release(struct hash *hash);

/* --- a table (hash_table.c) ------------------------------------------------------------------ */

struct hash_table *hash_table_new(void);
unsigned char *hash_table_find(const struct hash_table *table, struct hashed field);
/* The field must be absent. */
void hash_table_add(struct hash_table *table, struct hashed field, struct bytes value,
                    int64_t deadline_ms);
/* In place of the pair at 'at'. */
void hash_table_replace(struct hash_table *table, unsigned char *at, struct bytes value,
                        bool keep_deadline);
void hash_table_remove(struct hash_table *table, unsigned char *at);
/* As hash_packed_mark. */
void hash_table_mark(struct hash_table *table, unsigned char *at, int64_t deadline_ms);
int64_t hash_table_deadline(const struct hash_table *table, const struct pair *pair);
size_t hash_table_expire(struct hash_table *table, size_t max, hash_dead *dead, void *context);
bool hash_table_free_step(struct hash_table *table, size_t budget);
uint64_t hash_table_move_step(struct hash_table *table, uint64_t cursor, size_t *moved);
size_t hash_table_memory(const struct hash_table *table, size_t samples);
void hash_table_check(const struct hash_table *table);

#endif
