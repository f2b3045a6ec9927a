/* Redis's intset: distinct integers in order, all of one width, packed into one block.
 *
 * Format (a fact shared with RDB):
 *
 *     width u32 LE (2, 4 or 8) | count u32 LE | numbers, little endian, ascending
 *
 * A struct intset is that block, byte for byte. It is allocated with base/mem for its total bytes.
 * Functions that may change its size take and return the block: the old address is void then. */
#ifndef TERN_DS_INTSET_H
#define TERN_DS_INTSET_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define INTSET_COUNT_MAX (1u << 30)

struct intset; /* opaque bytes */

struct intset *intset_new(void);
void intset_free(struct intset *set);
struct intset *intset_copy(const struct intset *set);

size_t intset_bytes(const struct intset *set); /* total bytes */
size_t intset_count(const struct intset *set);
int64_t intset_at(const struct intset *set, size_t index); /* index < count */
bool intset_has(const struct intset *set, int64_t number);

/* '*changed' tells whether it was absent. All numbers get wider when this one needs it. */
struct intset *intset_add(struct intset *set, int64_t number, bool *changed);
/* '*changed' tells whether it was there. Numbers never get narrower. */
struct intset *intset_remove(struct intset *set, int64_t number, bool *changed);
/* Asks about every number in order and removes those that go, in one pass. */
struct intset *intset_remove_if(struct intset *set, bool (*goes)(void *context, int64_t number),
                                void *context);

/* True when the bytes are a well-formed intset (content from outside). */
bool intset_is_valid(struct bytes bytes);
struct intset *intset_from_bytes(struct bytes bytes); /* a copy of valid bytes */

#endif
