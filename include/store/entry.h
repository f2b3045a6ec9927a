/* A key and what belongs to it: one block.
 *
 *     offset  size
 *          0     8   struct entry: access clock, type, form, flags, lengths
 *          8    16   struct wheel_node          only with an expiry
 *          .     8   length of the key          only when it is longer than 255 bytes
 *          .     8   cell: a pointer, or the integer itself     not with an embedded string
 *          .     .   the key's bytes
 *          .     .   the value's bytes          only an embedded string
 *
 * The table's slot and the expiry wheel alone hold a block's address: it moves when its value grows or
 * a deadline comes or goes. Only src/store changes an entry; others read it through these functions. */
#ifndef TERN_STORE_ENTRY_H
#define TERN_STORE_ENTRY_H

#include "base/bytes.h"
#include "ds/timing_wheel.h"

#include <stdint.h>

/* The numbers are those of Redis's RDB and module interface. */
enum value_type { VALUE_STRING, VALUE_LIST, VALUE_SET, VALUE_ZSET, VALUE_HASH, VALUE_STREAM };
#define VALUE_TYPE_COUNT 6

/* How a string is kept. Collections are FORM_CELL. */
enum entry_form {
    FORM_EMBEDDED, /* bytes behind the key */
    FORM_INT,      /* the cell is the number; its text is the value */
    FORM_CELL      /* the cell points to a struct string_block or to the collection */
};

#define ENTRY_EXPIRES  1u /* a wheel node stands behind the header */
#define ENTRY_LONG_KEY 2u
#define ENTRY_HAS_CELL 4u
#define ENTRY_IS_RAW   8u /* a string that OBJECT ENCODING calls raw, however short */
#define ENTRY_FIELDS_EXPIRE 16u /* a hash that waits in the database's wheel for its earliest field */

#define ENTRY_ACCESS_BITS 24
#define NO_DEADLINE       (-1)

struct entry {
    uint32_t access : ENTRY_ACCESS_BITS; /* LRU: seconds; LFU: minutes << 8 | counter */
    uint32_t type : 4;
    uint32_t form : 4;
    uint8_t flags;
    uint8_t key_len;    /* when not ENTRY_LONG_KEY */
    uint16_t value_len; /* of an embedded string */
};
_Static_assert(sizeof(struct entry) == 8, "the header is 8 bytes");

/* The offset of the length of a long key, and of the cell, behind header and wheel node. */
static inline size_t entry_fixed_size(unsigned flags)
{
    return sizeof(struct entry) + (flags & ENTRY_EXPIRES ? sizeof(struct wheel_node) : 0) +
           (flags & ENTRY_LONG_KEY ? 8 : 0) + (flags & ENTRY_HAS_CELL ? 8 : 0);
}

static inline struct bytes entry_key(const struct entry *entry)
{
    const char *start = (const char *)entry;
    size_t fixed = entry_fixed_size(entry->flags), len = entry->key_len;

    if (__builtin_expect(entry->flags & ENTRY_LONG_KEY, 0))
        memcpy(&len, start + fixed - (entry->flags & ENTRY_HAS_CELL ? 16 : 8), 8);
    return (struct bytes){start + fixed, len};
}

/* The cell's address; the entry must have one. */
static inline void *entry_cell(const struct entry *entry)
{
    return (char *)entry + entry_fixed_size(entry->flags) - 8;
}

/* The collection of a list, hash, set, sorted set or stream; the block of a long string. */
static inline void *entry_value(const struct entry *entry)
{
    return *(void **)entry_cell(entry);
}

static inline struct wheel_node *entry_wheel_node(const struct entry *entry)
{
    return (struct wheel_node *)((char *)entry + sizeof(struct entry));
}

/* Unix time in milliseconds, or NO_DEADLINE. */
static inline int64_t entry_deadline(const struct entry *entry)
{
    return entry->flags & ENTRY_EXPIRES ? entry_wheel_node(entry)->deadline_ms : NO_DEADLINE;
}

static inline size_t entry_block_size(const struct entry *entry)
{
    struct bytes key = entry_key(entry);

    return (size_t)(key.data - (const char *)entry) + key.len +
           (entry->flags & ENTRY_HAS_CELL ? 0 : entry->value_len);
}

#endif
