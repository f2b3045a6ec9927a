/* A node of the B+tree, shared by btree.c (finding, walking) and btree_change.c (inserting, removing).
 *
 *     leaf:   level, counts | scores | members
 *     inner:  level, counts | scores | members | children | below
 *
 * Scores and members of an inner node are those of each child's first member. Arrays are as long as the
 * node's capacity, and scores that are not used are NaN: a leaf that is the root begins small, all other nodes have NODE_MAX. */
#ifndef TERN_DS_BTREE_INTERNAL_H
#define TERN_DS_BTREE_INTERNAL_H

#include "ds/btree.h"

enum {
#ifdef TERN_STRESS
    NODE_MAX = 4,
    LEAF_FIRST = 1,
#else
    NODE_MAX = 63, /* a leaf has 1016 bytes, an inner node 2024 */
    LEAF_FIRST = 3,
#endif
};

struct btree_node {
    uint16_t count, capacity;
    uint32_t level; /* 0: a leaf */
    double scores[];
};

static inline struct btree_member **node_members(const struct btree_node *node)
{
    return (struct btree_member **)(node->scores + node->capacity);
}

static inline struct btree_node **node_children(const struct btree_node *node)
{
    return (struct btree_node **)(node_members(node) + node->capacity);
}

/* How many members are below each child. */
static inline size_t *node_below(const struct btree_node *node)
{
    return (size_t *)(node_children(node) + node->capacity);
}

static inline size_t node_bytes(unsigned level, size_t capacity)
{
    size_t each = sizeof(double) + sizeof(void *) + (level ? sizeof(void *) + sizeof(size_t) : 0);

    return sizeof(struct btree_node) + capacity * each;
}

/* The way to a member that is there. */
void btree_path_to(const struct btree *tree, const struct btree_member *member, struct btree_path *path);
/* The same in two steps: to the leaf, which is on its way from memory then, and to the member in it. */
void btree_path_towards(const struct btree *tree, const struct btree_member *member, struct btree_path *path);
void btree_path_arrive(const struct btree_member *member, struct btree_path *path);
/* The way to the place of a member that is not. The tree has a root. */
void btree_path_find(const struct btree *tree, double score, const struct btree_member *member,
                     struct btree_path *path);
/* Counts the lower scores in the leaf of a known place, and asks for the members of that score: bytes decide among them. */
void btree_place_approach(struct btree_place *place, double score);
/* After that, with the member that comes: makes the path whole. */
void btree_place_settle(struct btree_place *place, const struct btree_member *member);
/* The way to a rank below the size. */
void btree_path_at(const struct btree *tree, size_t rank, struct btree_path *path);

/* (score, member) against (other_score, other): <0, 0, >0. */
static inline int btree_compare(double score, const struct btree_member *member, double other_score,
                                const struct btree_member *other)
{
    if (score != other_score)
        return score < other_score ? -1 : 1;
    return member == other ? 0 : bytes_compare(btree_member_bytes(member), btree_member_bytes(other));
}

#endif
