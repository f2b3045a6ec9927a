/* What the files of the list share: the list, its chain of blocks, a listpack with room on both sides. */
#ifndef TERN_LIST_INTERNAL_H
#define TERN_LIST_INTERNAL_H

#include "ds/listpack.h"
#include "types/list.h"

/* ---- a listpack with room on both sides (list_packed.c) ---- */

struct packed {
    unsigned char *memory;
    uint32_t front;    /* bytes of room before the listpack */
    uint32_t capacity; /* bytes of the block, all of its class */
};

static inline struct listpack *packed_lp(const struct packed *packed)
{
    return (struct listpack *)(packed->memory + packed->front);
}

static inline size_t packed_bytes(const struct packed *packed)
{
    return listpack_bytes(packed_lp(packed));
}

/* Empty, all room at the end at which it will grow. */
struct packed packed_new(size_t capacity, enum list_end end);
struct packed packed_copy(const struct packed *packed);
void packed_free(struct packed *packed);
/* Gives back what is not used, down to the class of the listpack itself. */
void packed_trim(struct packed *packed);

/* A block without room grows to 'grown' bytes or more. */
void packed_push(struct packed *packed, enum list_end end, struct bytes value, size_t grown);
void packed_drop(struct packed *packed, enum list_end end, size_t count);

/* Before 'at'; NULL appends. */
void packed_insert(struct packed *packed, listpack_pos at, struct bytes value);
void packed_replace(struct packed *packed, listpack_pos at, struct bytes value);
/* Returns what stands behind the removed entries, NULL at the end. */
listpack_pos packed_remove(struct packed *packed, listpack_pos at, size_t count);

/* Changes within are left to the listpack, which owns a block of just its class: these two hand it
 * over ('*at' moves along) and take it back. */
struct listpack *packed_lend(struct packed *packed, listpack_pos *at);
void packed_take_back(struct packed *packed, struct listpack *lp);

void packed_check(const struct packed *packed);

/* ---- a chain of blocks (list_chain.c) ---- */

struct block {
    union {
        struct packed packed;
        struct bytes plain; /* owned here */
    };
    uint32_t count; /* values: 1 when plain */
    bool is_plain;
};

struct chain {
    struct block *blocks; /* 'capacity' of them, 'count' in use from 'first' on */
    size_t first, count, capacity;
    size_t value_count;
};

static inline struct listpack *block_lp(const struct block *block) { return packed_lp(&block->packed); }

static inline struct block *block_at(const struct chain *chain, size_t index)
{
    return &chain->blocks[chain->first + index];
}

struct chain *chain_new(void);
void chain_free(struct chain *chain); /* without its blocks */
/* Makes a place for a block at 'index' by moving the shorter side. Addresses of blocks are void. */
struct block *chain_open(struct chain *chain, size_t index);
/* Frees the block at 'index' with its values. */
void chain_discard(struct chain *chain, size_t index);

void chain_push(struct chain *chain, enum list_end end, struct bytes value);
void chain_drop(struct chain *chain, enum list_end end, size_t count);
/* The block that holds the value at 'index', which becomes the index within it. */
size_t chain_seek(const struct chain *chain, size_t *index);
void chain_set(struct chain *chain, size_t index, struct bytes value);
/* Beside the entry 'at'. */
void chain_insert(struct chain *chain, size_t index, listpack_pos at, enum list_end side,
                  struct bytes value);
/* From a block of more than one entry; returns what stands behind it then. */
listpack_pos chain_remove(struct chain *chain, size_t index, listpack_pos at);

/* What would be larger than a listpack may be. */
bool list_exceeds_limit(size_t bytes, size_t count);
/* It may be a listpack again. */
bool block_is_small(const struct block *block);

/* ---- the list (list.c) ---- */

struct list {
    union {
        struct packed packed; /* capacity > 0 */
        struct chain *chain;
    };
};
_Static_assert(sizeof(struct list) == 16, "the cell that hangs from a key");

static inline bool list_is_packed(const struct list *list) { return list->packed.capacity > 0; }

/* Makes an index one from the head; false when there is no value at it. */
bool list_has_index(const struct list *list, int64_t *index);
/* After values were removed or replaced: it may be a listpack again. The block stays where it is. */
void list_pack_if_small(struct list *list);

#endif
