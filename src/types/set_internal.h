/* What the files of the set share: the three forms. */
#ifndef TERN_SET_INTERNAL_H
#define TERN_SET_INTERNAL_H

#include "base/hash.h"
#include "ds/intset.h"
#include "ds/listpack.h"
#include "types/set.h"

enum set_form {
    SET_INTSET,
    SET_LISTPACK,
    SET_TABLE,
    SET_DYING /* a table that is being freed in steps */
};

struct set {
    union {
        struct intset *ints;
        struct listpack *lp;
        struct dict *table;
        struct dying_table *dying;
    };
    enum set_form form;
};
_Static_assert(sizeof(struct set) == 16, "the cell that hangs from a key");

extern const struct dict_type set_table_type;

/* A member's block in the table: its length in one byte, or 255 and eight bytes; its bytes. */
#define MEMBER_SHORT_MAX 254

static inline struct bytes block_member(const void *block)
{
    const char *at = block;
    size_t len = *(const unsigned char *)at;

    if (__builtin_expect(len <= MEMBER_SHORT_MAX, 1))
        return (struct bytes){at + 1, len};
    memcpy(&len, at + 1, sizeof len);
    return (struct bytes){at + 1 + sizeof len, len};
}

static inline bool block_has_member(const void *block, const void *member)
{
    return bytes_equal(block_member(block), *(const struct bytes *)member);
}

static inline bool block_is(const void *block, const void *wanted) { return block == wanted; }

void set_block_free(void *block);

/* ---- members as they are kept ---- */

static inline struct set_member set_number_member(int64_t number)
{
    return (struct set_member){.data = NULL, .number = number};
}

static inline struct set_member set_packed_member(listpack_pos at)
{
    struct set_member member = {.data = NULL};
    struct bytes bytes;

    if (listpack_get_int(at, &member.number))
        return member;
    bytes = listpack_get(at, NULL);
    return (struct set_member){.data = bytes.data, .len = bytes.len};
}

static inline struct set_member set_block_member(const void *block)
{
    struct bytes bytes = block_member(block);

    return (struct set_member){.data = bytes.data, .len = bytes.len};
}

/* An empty set of a form. 'expected' members will be in the table. */
struct set *set_new_form(enum set_form form, size_t expected);
/* Larger forms only. */
void set_become(struct set *set, enum set_form form, size_t expected);
/* When it has integers only, and not too many. */
void set_become_intset(struct set *set);
/* Whether so many members are a table, whatever they are. */
bool set_is_large(size_t count);

/* A member that is looked for in several sets: its number and its hash are found out once, when a set
 * needs them. */
struct set_probe {
    struct hashed text;
    int64_t number;
    enum { INT_UNKNOWN, INT_IS, INT_IS_NOT } is_int;
    char number_text[SET_TEXT_MAX];
};
void set_probe_init(struct set_probe *probe, const struct set_member *member);
bool set_has_probe(const struct set *set, struct set_probe *probe);
bool set_add_probe(struct set *set, struct set_probe *probe);
bool set_add_member(struct set *set, const struct set_member *member);

static inline uint64_t set_probe_hash(struct set_probe *probe)
{
    return probe->text.hash = hash_of(&probe->text);
}

/* The member must be absent. */
void set_table_insert(struct dict *table, const struct set_member *member);
/* Removes an entry of a table and frees its block. */
void set_table_remove(struct dict *table, uint64_t hash, struct dict_slot *slot);

#endif
