/* What every type of collection offers to code that treats all values alike: freeing in slices,
 * OBJECT, MEMORY, COPY, moving blocks together, checks. A type's file ends in its row, and its
 * header declares it:
 *
 *     extern const struct value_ops list_value_ops;
 */
#ifndef TERN_TYPES_VALUE_OPS_H
#define TERN_TYPES_VALUE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dict;

struct value_ops {
    const char *(*encoding)(const void *value); /* as OBJECT ENCODING names it */
    /* Bytes of the value, counting what its elements take from the first 'samples' of them (0: from
     * all). */
    size_t (*memory)(const void *value, size_t samples);
    /* About how many blocks there are to free. */
    size_t (*free_effort)(const void *value);
    /* Frees at most about 'budget' blocks; true when all is gone, the value itself too. */
    bool (*free_step)(void *value, size_t budget);
    void *(*copy)(const void *value); /* a value of its own, kept in the same way */
    void (*check)(const void *value); /* walks all invariants */
    /* Moves some of its blocks together (mem_move_together), which takes a few microseconds; returns where
     * to go on, 0 at the end. Begins with 'cursor' 0, and any number is a valid cursor, since the value may
     * change meanwhile. NULL: its blocks are not moved. */
    uint64_t (*move_step)(void *value, uint64_t cursor, size_t *moved);
    /* The table of its elements by the hash of their bytes, NULL while it has none: for prefetching. */
    const struct dict *(*table)(const void *value);
};

#endif
