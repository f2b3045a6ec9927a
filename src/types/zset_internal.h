/* What the files of the sorted set share: zset.c, zset_range.c, the small one (zset_packed.c) and the large
 * one (zset_indexed.c). */
#ifndef TERN_ZSET_INTERNAL_H
#define TERN_ZSET_INTERNAL_H

#include "ds/dict.h"
#include "types/zset.h"

struct indexed {
    struct btree tree;
    struct dict dict; /* of struct btree_member */
};

struct zset {
    union {
        struct listpack *lp;
        struct indexed *indexed;
    };
    bool is_packed;
};

/* What becomes of a member that is there with 'old'; '*score' is its new score when it is changed. */
enum zset_outcome zset_decide(double old, double *score, unsigned flags);

/* --- the small one ------------------------------------------------------------------------------

 * Members and their scores by turns, in order: the format of Redis's small sorted sets. A position is a
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

/* Whether a listpack from outside has members and scores by turns, in order. */
bool zset_packed_is_valid(const struct listpack *lp);

void zset_packed_check(const struct listpack *lp);

/* --- the large one ------------------------------------------------------------------------------ */

struct indexed *zset_indexed_new(size_t expected);
bool zset_indexed_free_step(struct indexed *indexed, size_t budget); /* as zset_free_step */
/* NULL when absent. */
struct btree_member *zset_indexed_find(const struct indexed *indexed, struct hashed member);
/* The member must be absent. */
void zset_indexed_insert(struct indexed *indexed, double score, struct bytes member);
enum zset_outcome zset_indexed_add(struct indexed *indexed, struct hashed member, unsigned flags,
                                   double *score); /* as zset_add; '*score' is the result */
bool zset_indexed_remove(struct indexed *indexed, struct hashed member);
void zset_indexed_remove_span(struct indexed *indexed, struct zset_span span);
size_t zset_indexed_memory(const struct indexed *indexed, size_t samples);
void zset_indexed_check(const struct indexed *indexed);

#endif
