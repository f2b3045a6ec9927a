/* What the files of the sorted set share: the small one (zset_packed.c). */
#ifndef TERN_ZSET_INTERNAL_H
#define TERN_ZSET_INTERNAL_H

#include "types/zset.h"

/* Members and their scores by turns, in order: the format of Redis's small sorted sets. A position is a
 * member's. */

static inline size_t zset_packed_size(const struct listpack *lp) { return listpack_count(lp) / 2; }

double zset_packed_score(const struct listpack *lp, listpack_pos at);
/* NULL when absent. */
listpack_pos zset_packed_find(const struct listpack *lp, struct bytes member);
/* NULL when out of range. */
listpack_pos zset_packed_at(const struct listpack *lp, size_t rank);
size_t zset_packed_rank(const struct listpack *lp, listpack_pos at);
/* The following member, or the one before; NULL at the end. */
listpack_pos zset_packed_next(const struct listpack *lp, listpack_pos at, bool is_reverse);
struct zset_item zset_packed_item(const struct listpack *lp, listpack_pos at, char *text);

/* The member must be absent. */
struct listpack *zset_packed_insert(struct listpack *lp, double score, struct bytes member);
struct listpack *zset_packed_remove(struct listpack *lp, listpack_pos at, size_t count);

/* The first 'is_before' is false for; how many from there on, until it is true for none more. */
struct zset_span zset_packed_span(const struct listpack *lp,
                                  bool (*is_below)(const struct zset_item *item, const void *range),
                                  bool (*is_above)(const struct zset_item *item, const void *range),
                                  const void *range);

void zset_packed_check(const struct listpack *lp);

#endif
