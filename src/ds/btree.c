/* Finding and walking; changes are in btree_change.c. */
#include "btree_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#include <math.h>

_Static_assert(sizeof(struct btree_node) == 8, "scores begin behind eight bytes");

/* --- members -------------------------------------------------------------------------------- */

static size_t member_size(size_t len)
{
    return sizeof(struct btree_member) + 1 + (len < BTREE_LONG_MEMBER ? 0 : sizeof len) + len;
}

struct btree_member *btree_member_new(double score, struct bytes bytes)
{
    struct btree_member *member = mem_alloc(member_size(bytes.len));
    char *at = (char *)member->content + 1;

    member->score = score;
    member->content[0] = (unsigned char)(bytes.len < BTREE_LONG_MEMBER ? bytes.len : BTREE_LONG_MEMBER);
    if (bytes.len >= BTREE_LONG_MEMBER) {
        memcpy(at, &bytes.len, sizeof bytes.len);
        at += sizeof bytes.len;
    }
    bytes_copy(at, bytes.data, bytes.len);
    return member;
}

size_t btree_member_size(const struct btree_member *member)
{
    return member_size(btree_member_bytes(member).len);
}

void btree_member_free(struct btree_member *member) { mem_free(member, btree_member_size(member)); }

/* --- within a node -------------------------------------------------------------------------- */

/* Whether a score is below 'score', or (or_equal) not above it: 1 or 0. */
static inline unsigned is_below(double other, double score, bool or_equal)
{
    return or_equal ? other <= score : other < score;
}

enum {
    STRIDE = 8,
    CACHE_LINE = 64,
    EQUAL_AHEAD = 4, /* members of equal score that are asked for */
};

/* How many of the node's scores are below, in that sense. First every eighth is looked at, and then the seven before the
 * first of these that is not: no branch that could be mispredicted, and no load that waits for another (halving has six of
 * each). Unused scores are NaN, which is neither. */
static inline unsigned count_scores(const struct btree_node *node, double score, bool or_equal)
{
    const double *scores = node->scores;
    unsigned before = 0, below = 0;

    if (node->capacity < NODE_MAX || NODE_MAX % STRIDE != STRIDE - 1) {
        for (unsigned i = 0; i < node->count; i++)
            below += is_below(scores[i], score, or_equal);
        return below;
    }
    for (unsigned i = STRIDE - 1; i < NODE_MAX; i += STRIDE)
        before += is_below(scores[i], score, or_equal);
    before *= STRIDE;
    for (unsigned i = 0; i < STRIDE - 1; i++)
        below += is_below(scores[before + i], score, or_equal);
    return before + below;
}

/* How many of the node's members are before this one, or (or_same) are it. 'low' are those with a lower score; where scores
 * are equal bytes decide. */
static inline unsigned count_members_from(const struct btree_node *node, unsigned low, double score,
                                          const struct btree_member *member, bool or_same)
{
    if (low == node->count || node->scores[low] != score)
        return low;
    unsigned high = count_scores(node, score, true);
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = btree_compare(score, node_members(node)[middle], score, member);

        if (order < 0 || (or_same && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline unsigned count_members(const struct btree_node *node, double score,
                                     const struct btree_member *member, bool or_same)
{
    return count_members_from(node, count_scores(node, score, false), score, member, or_same);
}

/* A node that is likely not in the cache: all lines of its scores and its members are asked for at once, where the
 * search would wait for one after the other. (1M members: 0.7 of the time.) */
static inline void prefetch_node(const struct btree_node *node)
{
    const char *at = (const char *)node;

    for (const char *end = at + node_bytes(0, NODE_MAX); at < end; at += 4 * CACHE_LINE) {
        __builtin_prefetch(at);
        __builtin_prefetch(at + CACHE_LINE);
        __builtin_prefetch(at + 2 * CACHE_LINE);
        __builtin_prefetch(at + 3 * CACHE_LINE);
    }
}

/* --- from the root to a place ----------------------------------------------------------------- */

static inline struct btree_node *descend(const struct btree *tree, double score,
                                         const struct btree_member *member, struct btree_path *path)
{
    struct btree_node *node = tree->root;

    ASSERT(node->level < BTREE_HEIGHT_MAX);
    path->height = node->level;
    for (unsigned level = path->height; level > 0; level--) { /* to ask a node for its level is to wait for it */
        unsigned at = count_members(node, score, member, true);

        at -= at > 0; /* the last child that does not begin behind it */
        path->step[level].node = node;
        path->step[level].at = at;
        node = node_children(node)[at];
        prefetch_node(node);
    }
    path->step[0].node = node;
    return node;
}

void btree_path_find(const struct btree *tree, double score, const struct btree_member *member,
                     struct btree_path *path)
{
    const struct btree_node *leaf = descend(tree, score, member, path);

    path->step[0].at = count_members(leaf, score, member, false);
}

void btree_path_towards(const struct btree *tree, const struct btree_member *member, struct btree_path *path)
{
    descend(tree, member->score, member, path);
}

/* In the leaf it is told by its address: the blocks of others with its score need not be touched. */
void btree_path_arrive(const struct btree_member *member, struct btree_path *path)
{
    const struct btree_node *leaf = path->step[0].node;
    unsigned at = count_scores(leaf, member->score, false);

    while (at < leaf->count && node_members(leaf)[at] != member)
        at++;
    ASSERT(at < leaf->count);
    path->step[0].at = at;
}

void btree_path_to(const struct btree *tree, const struct btree_member *member, struct btree_path *path)
{
    btree_path_towards(tree, member, path);
    btree_path_arrive(member, path);
}

void btree_seek(const struct btree *tree, double score, struct btree_place *place)
{
    struct btree_node *node = tree->root;
    struct btree_path *path = &place->path;

    place->is_known = node != NULL;
    if (!node)
        return;
    ASSERT(node->level < BTREE_HEIGHT_MAX);
    path->height = node->level;
    for (unsigned level = path->height; level > 0; level--) {
        unsigned at = count_scores(node, score, true);

        at -= at > 0;
        if (node->scores[at] == score)
            place->is_known = false; /* a member of that score may also come before this child */
        path->step[level].node = node;
        path->step[level].at = at;
        node = node_children(node)[at];
        prefetch_node(node);
    }
    path->step[0].node = node;
}

void btree_place_approach(struct btree_place *place, double score)
{
    const struct btree_node *leaf = place->path.step[0].node;
    unsigned at = count_scores(leaf, score, false);

    place->path.step[0].at = at;
    for (unsigned i = at; i < at + EQUAL_AHEAD && i < leaf->count && leaf->scores[i] == score; i++)
        __builtin_prefetch(node_members(leaf)[i]);
}

void btree_place_settle(struct btree_place *place, const struct btree_member *member)
{
    const struct btree_node *leaf = place->path.step[0].node;

    place->path.step[0].at = count_members_from(leaf, place->path.step[0].at, member->score, member, false);
}

/* The child with the member at 'rank', which becomes the rank within it; 'total' is below all, and
 * becomes what is below the child. Counts from the nearer end: ranks are mostly asked at both. */
static unsigned seek_child(const struct btree_node *node, size_t *rank, size_t *total)
{
    const size_t *below = node_below(node);
    unsigned at;

    if (*rank < *total / 2) {
        for (at = 0; *rank >= below[at]; at++)
            *rank -= below[at];
    } else {
        at = node->count - 1u;
        size_t begin = *total - below[at];
        while (*rank < begin)
            begin -= below[--at];
        *rank -= begin;
    }
    *total = below[at];
    return at;
}

void btree_path_at(const struct btree *tree, size_t rank, struct btree_path *path)
{
    struct btree_node *node = tree->root;
    size_t total = tree->size;

    ASSERT(rank < total);
    ASSERT(node->level < BTREE_HEIGHT_MAX);
    path->height = node->level;
    while (node->level > 0) {
        path->step[node->level].node = node;
        path->step[node->level].at = seek_child(node, &rank, &total);
        node = node_children(node)[path->step[node->level].at];
    }
    path->step[0].node = node;
    path->step[0].at = (unsigned)rank;
}

static size_t below_before(const struct btree_node *node, unsigned at)
{
    const size_t *below = node_below(node);
    size_t sum = 0;

    for (unsigned i = 0; i < at; i++)
        sum += below[i];
    return sum;
}

size_t btree_rank(const struct btree *tree, const struct btree_member *member)
{
    struct btree_path path;

    btree_path_to(tree, member, &path);
    size_t rank = path.step[0].at;
    for (unsigned level = 1; level <= path.height; level++)
        rank += below_before(path.step[level].node, path.step[level].at);
    return rank;
}

static unsigned count_where(const struct btree_node *node, btree_is_before *is_before, const void *bound)
{
    unsigned low = 0, high = node->count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (is_before(node->scores[middle], node_members(node)[middle], bound))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t btree_count_before(const struct btree *tree, btree_is_before *is_before, const void *bound)
{
    const struct btree_node *node = tree->root;
    size_t count = 0;

    if (!node)
        return 0;
    while (node->level > 0) {
        unsigned at = count_where(node, is_before, bound);

        if (at == 0)
            return count;
        count += below_before(node, at - 1);
        node = node_children(node)[at - 1];
        prefetch_node(node);
    }
    return count + count_where(node, is_before, bound);
}

/* --- walking ---------------------------------------------------------------------------------- */

/* From the place in the path's leaf on. */
static void walk_leaf(struct btree_iter *iter)
{
    const struct btree_node *leaf = iter->path.step[0].node;
    unsigned at = iter->path.step[0].at;

    iter->next = node_members(leaf) + at;
    iter->here = iter->step < 0 ? at + 1 : leaf->count - at;
}

void btree_iter_init(struct btree_iter *iter, const struct btree *tree, size_t rank, bool is_reverse)
{
    iter->step = is_reverse ? -1 : 1;
    iter->here = 0;
    iter->path.height = 0;
    if (rank >= tree->size)
        return;
    btree_path_at(tree, rank, &iter->path);
    walk_leaf(iter);
}

bool btree_iter_enter_next_leaf(struct btree_iter *iter)
{
    struct btree_path *path = &iter->path;
    unsigned level = 1;

    while (level <= path->height && path->step[level].at == (iter->step < 0 ? 0 : path->step[level].node->count - 1u))
        level++;
    if (level > path->height)
        return false;
    path->step[level].at += (unsigned)iter->step;
    for (; level > 0; level--) {
        struct btree_node *child = node_children(path->step[level].node)[path->step[level].at];

        path->step[level - 1].node = child;
        path->step[level - 1].at = iter->step < 0 ? child->count - 1u : 0;
    }
    walk_leaf(iter);
    return true;
}

struct btree_member *btree_near_edge(const struct btree *tree, size_t at, bool from_end)
{
    const struct btree_node *node = tree->root;

    while (node && node->level > 0)
        node = node_children(node)[from_end ? node->count - 1u : 0];
    if (!node || at >= node->count)
        return NULL;
    return node_members(node)[from_end ? node->count - 1u - at : at];
}

/* --- all of it -------------------------------------------------------------------------------- */

static size_t memory_of(const struct btree_node *node)
{
    size_t memory = mem_block_size(node_bytes(node->level, node->capacity));

    if (node->level == 1) /* leaves need no look: all are as large */
        return memory + node->count * mem_block_size(node_bytes(0, NODE_MAX));
    for (unsigned i = 0; node->level > 0 && i < node->count; i++)
        memory += memory_of(node_children(node)[i]);
    return memory;
}

size_t btree_memory(const struct btree *tree) { return tree->root ? memory_of(tree->root) : 0; }

/* Checks a node and what is below it; returns how many members that are. '*last' is the member before. */
static size_t check_node(const struct btree_node *node, bool is_root, const struct btree_member **last)
{
    size_t total = 0;

    ASSERT(node->count > 0);
    ASSERT(node->count <= node->capacity);
    ASSERT(node->capacity <= NODE_MAX);
    ASSERT(node->capacity == NODE_MAX || (is_root && node->level == 0));
    for (unsigned i = node->count; i < node->capacity; i++)
        ASSERT(isnan(node->scores[i]));
    for (unsigned i = 0; i < node->count; i++) {
        const struct btree_member *member = node_members(node)[i];

        ASSERT(node->scores[i] == member->score);
        if (node->level == 0) {
            ASSERT(!*last || btree_compare((*last)->score, *last, member->score, member) < 0);
            *last = member;
            continue;
        }
        const struct btree_node *child = node_children(node)[i];
        ASSERT(child->level + 1 == node->level);
        ASSERT(node_members(child)[0] == member);
        if (i > 0)
            ASSERT(node_children(node)[i - 1]->count + child->count > NODE_MAX / 2);
        ASSERT(check_node(child, false, last) == node_below(node)[i]);
        total += node_below(node)[i];
    }
    return node->level == 0 ? node->count : total;
}

void btree_check(const struct btree *tree)
{
    const struct btree_member *last = NULL;

    ASSERT((tree->root == NULL) == (tree->size == 0));
    if (!tree->root)
        return;
    ASSERT(tree->root->level == 0 || tree->root->count > 1);
    ASSERT(check_node(tree->root, true, &last) == tree->size);
}
