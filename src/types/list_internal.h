/* What the files of the list share: a listpack with room on both sides (list_packed.c). */
#ifndef TERN_LIST_INTERNAL_H
#define TERN_LIST_INTERNAL_H

#include "ds/listpack.h"
#include "types/list.h"

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

#endif
