/* The sorted set value: distinct members, each with a score, ordered by score and then by bytes.
 *
 * Small sets are one listpack of members and scores; larger ones a counted B+tree and a dict that share
 * one block for each member. Which one it is, is known here alone: others see size, score, rank,
 * ranges and iteration. Ranks count from 0, the lowest score.
 *
 * A struct zset is 16 bytes and never moves while the key lives. Members that are given to it are
 * copied; they are never views into the same set. A score is never NaN. */
#ifndef TERN_TYPES_ZSET_H
#define TERN_TYPES_ZSET_H

#include "base/bytes.h"
#include "base/hash.h"
#include "ds/btree.h"
#include "ds/listpack.h"
#include "types/value_ops.h"

/* zset-max-listpack-entries and zset-max-listpack-value. One pair of numbers for the server; they apply to
 * what is added from then on. Default 128 and 64. */
void zset_set_listpack_limits(size_t entries, size_t value_bytes);

struct zset;

/* 'expected' members, the first of which has 'len' bytes (0 and 0: unknown): as in Redis, a command's
 * members decide together whether the set begins as a listpack. */
struct zset *zset_new(size_t expected, size_t len);
/* The decision alone: the set becomes a tree when that many more do not go into a listpack. */
void zset_expect(struct zset *set, size_t count);
/* A set that is computed begins as a tree, whatever its size, and becomes a listpack at its end if it can. */
struct zset *zset_new_tree(void);
void zset_pack(struct zset *set);
void zset_free(struct zset *set);
/* Frees at most about 'budget' blocks; true when all is gone ('set' too), false to call again. */
bool zset_free_step(struct zset *set, size_t budget);

size_t zset_size(const struct zset *set);
const char *zset_encoding(const struct zset *set); /* "listpack" or "skiplist", which it is in Redis */

/* --- one member --- */

#define ZSET_IF_ABSENT  (1u << 0)
#define ZSET_IF_PRESENT (1u << 1)
#define ZSET_IF_GREATER (1u << 2) /* than its score so far; an absent one is added */
#define ZSET_IF_LESS    (1u << 3)
#define ZSET_INCREMENT  (1u << 4) /* adds 'score' to its score so far */

enum zset_outcome {
    ZSET_ADDED,
    ZSET_CHANGED,
    ZSET_SAME,    /* it had this score */
    ZSET_REFUSED, /* a condition did not hold */
    ZSET_NAN      /* of an increment: infinity and minus infinity; nothing was changed */
};

/* '*result' (may be NULL) is its score then, unless it was refused. */
enum zset_outcome zset_add(struct zset *set, double score, struct hashed member, unsigned flags,
                           double *result);
bool zset_remove(struct zset *set, struct hashed member); /* false when absent */
bool zset_score(const struct zset *set, struct hashed member, double *score);
bool zset_rank(const struct zset *set, struct hashed member, size_t *rank, double *score);

/* --- ranges: members at 'count' ranks from 'first' on; what is not within is cut off before --- */

struct zset_span {
    size_t first, count;
};

struct score_range {
    double min, max;
    bool is_min_exclusive, is_max_exclusive;
};

struct lex_bound {
    enum { LEX_LOWEST, LEX_MEMBER, LEX_HIGHEST } kind;
    struct bytes member;
    bool is_exclusive;
};

/* Bytes alone count: meant for members that all have the same score. */
struct lex_range {
    struct lex_bound min, max;
};

struct zset_span zset_span_of_scores(const struct zset *set, const struct score_range *range);
struct zset_span zset_span_of_lex(const struct zset *set, const struct lex_range *range);

void zset_remove_span(struct zset *set, struct zset_span span);

/* --- walking --- */

struct zset_item {
    struct bytes member; /* a view until the set changes or the iterator goes on */
    double score;
};

struct zset_iter {
    const struct listpack *lp; /* NULL: a tree */
    bool is_reverse;
    listpack_pos at; /* of a listpack: the member to come */
    char text[LISTPACK_TEXT_MAX];
    struct btree_iter tree;
};
/* From a rank upward, or downward. Gives nothing when there is no such rank. */
void zset_iter_init(struct zset_iter *iter, const struct zset *set, size_t rank, bool is_reverse);
bool zset_iter_next_packed(struct zset_iter *iter, struct zset_item *item);

/* False at the end. */
static inline bool zset_iter_next(struct zset_iter *iter, struct zset_item *item)
{
    const struct btree_member *member;

    if (iter->lp)
        return zset_iter_next_packed(iter, item);
    member = btree_iter_next(&iter->tree);
    if (member)
        *item = (struct zset_item){btree_member_bytes(member), member->score};
    return member != NULL;
}

/* Any member, all with the same chance. The set is not empty; 'text' (LISTPACK_TEXT_MAX bytes) is used for
 * integers. */
struct random;
struct zset_item zset_random(const struct zset *set, struct random *random, char *text);

/* A step of ZSCAN; returns the cursor to go on with, 0 at the end. What is there from the beginning to the
 * end is given at least once. The set must not change within. */
typedef void zset_emit(void *context, const struct zset_item *item);
uint64_t zset_scan(const struct zset *set, uint64_t cursor, zset_emit *emit, void *context);

struct zset *zset_copy(const struct zset *set);

/* --- what is packed, as RDB keeps it --- */

/* True when the set is a listpack: its bytes. */
bool zset_packed(const struct zset *set, struct bytes *packed);
/* From such bytes, which are checked; NULL when they are wrong. A set that is larger than the limit becomes a tree. */
struct zset *zset_from_listpack(struct bytes packed);

extern const struct value_ops zset_value_ops;

/* Walks all invariants; stops the process when one does not hold. */
void zset_check(const struct zset *set);

#endif
