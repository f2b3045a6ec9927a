/* A sorted set's order: a counted B+tree of members by (score, bytes).
 *
 *                    ┌ inner: of each child its first member, and how many are below it
 *          [ 0 | 1 | 2 ]
 *          /     |     \
 *     [s s s] [s s s] [s s s]    leaves: scores, and behind them the members' addresses
 *      a b c   d e f   g h i
 *
 * Since each inner node knows how many members lie below each child, a rank leads to a member and a
 * member to its rank in one descent. Scores stand in the leaves, so that a descent touches a member's
 * block only where scores are equal.
 *
 * A member is one block that the owner makes and frees and that never moves while it is in the tree:
 * its score, its length and its bytes. A score changes through btree_change_score alone. */
#ifndef TERN_DS_BTREE_H
#define TERN_DS_BTREE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct btree_member {
    double score;
    unsigned char content[]; /* a byte of length and the bytes; when it is 255, eight bytes of length follow it */
};

#define BTREE_LONG_MEMBER 255

struct btree_member *btree_member_new(double score, struct bytes bytes);
void btree_member_free(struct btree_member *member);
size_t btree_member_size(const struct btree_member *member); /* of its block */

static inline struct bytes btree_member_bytes(const struct btree_member *member)
{
    const char *at = (const char *)member->content + 1;
    size_t len = member->content[0];

    if (__builtin_expect(len == BTREE_LONG_MEMBER, 0)) {
        memcpy(&len, at, sizeof len);
        at += sizeof len;
    }
    return (struct bytes){at, len};
}

struct btree_node;

/* {0} is an empty tree. */
struct btree {
    struct btree_node *root; /* NULL when empty */
    size_t size;
};

/* Frees the nodes and the members, at most about 'budget' blocks; true when all are gone. The tree can
 * only be freed on then. */
bool btree_free_step(struct btree *tree, size_t budget);

#ifdef TERN_STRESS
#define BTREE_HEIGHT_MAX 40
#else
#define BTREE_HEIGHT_MAX 14
#endif
struct btree_path { /* from the root to a place in a leaf; step 0 is the leaf */
    struct {
        struct btree_node *node;
        unsigned at;
    } step[BTREE_HEIGHT_MAX];
    unsigned height; /* of the root */
};

/* Where a member with a certain score belongs, sought early: the leaf is on its way from memory while the caller finds the
 * member. Any change of the tree makes it void. */
struct btree_place {
    struct btree_path path;
    bool is_known; /* else bytes decide in which leaf, or there is none */
};
void btree_seek(const struct btree *tree, double score, struct btree_place *place);

/* The member must be absent; the tree keeps its address. */
void btree_insert(struct btree *tree, struct btree_member *member);
/* The same with the place of its score, which is void then. */
void btree_insert_at(struct btree *tree, struct btree_member *member, struct btree_place *place);
/* The member must be there. Its block is the owner's again. */
void btree_remove(struct btree *tree, struct btree_member *member);
/* 'place' is that of the score, and void then. */
void btree_change_score(struct btree *tree, struct btree_member *member, double score, struct btree_place *place);

/* Removes 'count' members from rank 'first' on. 'removed' is called for each, in order, and may free it. */
typedef void btree_removed(void *context, struct btree_member *member);
void btree_remove_range(struct btree *tree, size_t first, size_t count, btree_removed *removed, void *context);

/* How many members are before this one. */
size_t btree_rank(const struct btree *tree, const struct btree_member *member);
/* How many members 'is_before' is true for: these must be the first ones. */
typedef bool btree_is_before(double score, const struct btree_member *member, const void *bound);
size_t btree_count_before(const struct btree *tree, btree_is_before *is_before, const void *bound);

/* Walks from a rank upward or downward, while nothing changes. */
struct btree_iter {
    struct btree_member **next; /* in its leaf */
    unsigned here;              /* how many are still to come from that leaf */
    int step;                   /* 1 upward, -1 downward */
    struct btree_path path;
};
void btree_iter_init(struct btree_iter *iter, const struct btree *tree, size_t rank, bool is_reverse);
bool btree_iter_enter_next_leaf(struct btree_iter *iter); /* false at the end of the tree */

#define BTREE_ITER_AHEAD 4 /* members lie anywhere: this one is asked for when it is so many steps away */

/* NULL at the end. */
static inline struct btree_member *btree_iter_next(struct btree_iter *iter)
{
    struct btree_member *member;

    if (iter->here == 0 && !btree_iter_enter_next_leaf(iter))
        return NULL;
    if (iter->here > BTREE_ITER_AHEAD)
        __builtin_prefetch(iter->next[iter->step * BTREE_ITER_AHEAD]);
    member = *iter->next;
    iter->next += iter->step;
    iter->here--;
    return member;
}

/* The member 'at' places from the first one, or from the last one (from_end); NULL when that is not in the same leaf. Reads no
 * member. */
struct btree_member *btree_near_edge(const struct btree *tree, size_t at, bool from_end);

size_t btree_memory(const struct btree *tree); /* of the nodes */

/* Walks all invariants; stops the process when one does not hold. */
void btree_check(const struct btree *tree);

#endif
