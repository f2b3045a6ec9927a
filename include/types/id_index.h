/* Pointers ordered by a stream's ids: a B+tree whose leaves are linked.
 *
 * Made for ids that mostly come in ascending order and go from anywhere: what is appended fills leaf
 * after leaf to the last place, and leaves that have become sparse join their neighbours. An index
 * of few ids is one leaf that grows in steps. A pointer costs about 24 bytes.
 *
 *     id_index_insert(&index, id, thing);
 *     for (at = id_index_ceiling(&index, from); at.node; id_cursor_next(&at))
 *         look(id_cursor_id(&at), id_cursor_value(&at));
 *
 * A struct id_index of zero bytes is empty. A cursor holds until the next insert or remove. */
#ifndef TERN_TYPES_ID_INDEX_H
#define TERN_TYPES_ID_INDEX_H

#include "types/stream_id.h"

#include <stddef.h>

struct id_index_node {
    uint16_t count, capacity;
    struct id_index_node *previous, *next; /* of a leaf */
    struct stream_id ids[];                /* 'capacity' of them, and as many pointers behind */
};

struct id_index {
    struct id_index_node *root; /* NULL when empty */
    size_t count;
    uint32_t height; /* 0: the root is a leaf */
    uint32_t nodes;
};

struct id_cursor {
    struct id_index_node *node; /* NULL: at none */
    unsigned at;
};

/* The id must be absent, the value not NULL. */
void id_index_insert(struct id_index *index, struct stream_id id, void *value);
/* Returns what was there, or NULL. */
void *id_index_remove(struct id_index *index, struct stream_id id);
/* Takes all that is before 'id' out, into an index of its own, without looking at each. */
struct id_index id_index_cut(struct id_index *index, struct stream_id id);
void *id_index_find(const struct id_index *index, struct stream_id id); /* NULL when absent */
/* Frees the nodes; the values are the user's. */
void id_index_release(struct id_index *index);

struct id_cursor id_index_first(const struct id_index *index);
struct id_cursor id_index_last(const struct id_index *index);
/* The last that is not behind 'id'; the first that is not before it. */
struct id_cursor id_index_floor(const struct id_index *index, struct stream_id id);
struct id_cursor id_index_ceiling(const struct id_index *index, struct stream_id id);

static inline struct stream_id id_cursor_id(const struct id_cursor *cursor)
{
    return cursor->node->ids[cursor->at];
}

static inline void **id_cursor_place(const struct id_cursor *cursor)
{
    return (void **)(cursor->node->ids + cursor->node->capacity) + cursor->at;
}

static inline void *id_cursor_value(const struct id_cursor *cursor)
{
    return *id_cursor_place(cursor);
}

static inline void id_cursor_next(struct id_cursor *cursor)
{
    if (++cursor->at == cursor->node->count)
        *cursor = (struct id_cursor){cursor->node->next, 0};
}

static inline void id_cursor_previous(struct id_cursor *cursor)
{
    if (cursor->at-- == 0) {
        cursor->node = cursor->node->previous;
        cursor->at = cursor->node ? cursor->node->count - 1u : 0;
    }
}

/* A copy with the same values. */
struct id_index id_index_copy(const struct id_index *index);
size_t id_index_memory(const struct id_index *index);

/* Walks all invariants; stops the process when one does not hold. */
void id_index_check(const struct id_index *index);

#endif
