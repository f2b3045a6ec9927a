/* Inserting and removing.
 *
 * Room. A full node first gives members to a neighbour; when both are nearly full two become three, so
 * that nodes are about four fifths full after insertions in any order. At the edge of the tree, where
 * insertions in order arrive, a full node stays as full as it is and a new one begins beside it.
 *
 * Fill. Two neighbours that fit into three quarters of a node are joined when one has lost members. So
 * two neighbours together are always more than half a node; a node alone may be nearly empty.
 *
 * Changes go up one path. A step of the way to room changes one level and is then begun again from the
 * root: it is taken once in some twenty insertions. */
#include "btree_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#include <math.h>

enum {
    ROOM_WORTH = NODE_MAX / 8 + 2, /* a neighbour with less room is not worth moving members */
    JOIN_MAX = NODE_MAX - NODE_MAX / 4,
};

/* --- nodes -------------------------------------------------------------------------------------- */

/* What is not used is NaN, which is neither below a score nor above it. */
static void clear_scores(struct btree_node *node, unsigned from, unsigned end)
{
    for (unsigned i = from; i < end; i++)
        node->scores[i] = NAN;
}

static struct btree_node *node_new(unsigned level, unsigned capacity)
{
    struct btree_node *node = mem_alloc(node_bytes(level, capacity));

    *node = (struct btree_node){.level = level, .capacity = (uint16_t)capacity};
    clear_scores(node, 0, capacity);
    return node;
}

static void node_free(struct btree_node *node)
{
    mem_free(node, node_bytes(node->level, node->capacity));
}

#define MOVE(array, to, from, count) memmove((array) + (to), (array) + (from), (count) * sizeof *(array))
#define COPY(to, to_at, from, from_at, count)                                                      \
    memcpy((to) + (to_at), (from) + (from_at), (count) * sizeof *(to))

static void node_shift(struct btree_node *node, unsigned to, unsigned from)
{
    size_t count = node->count - from;

    MOVE(node->scores, to, from, count);
    MOVE(node_members(node), to, from, count);
    if (node->level == 0)
        return;
    MOVE(node_children(node), to, from, count);
    MOVE(node_below(node), to, from, count);
}

/* Makes place for 'count' entries at 'at', and takes it away. */
static void node_open(struct btree_node *node, unsigned at, unsigned count)
{
    ASSERT(node->count + count <= node->capacity);
    node_shift(node, at + count, at);
    node->count = (uint16_t)(node->count + count);
}

static void node_close(struct btree_node *node, unsigned at, unsigned count)
{
    node_shift(node, at, at + count);
    clear_scores(node, node->count - count, node->count);
    node->count = (uint16_t)(node->count - count);
}

static void node_copy(struct btree_node *to, unsigned to_at, const struct btree_node *from, unsigned from_at,
                      unsigned count)
{
    COPY(to->scores, to_at, from->scores, from_at, count);
    COPY(node_members(to), to_at, node_members(from), from_at, count);
    if (to->level == 0)
        return;
    COPY(node_children(to), to_at, node_children(from), from_at, count);
    COPY(node_below(to), to_at, node_below(from), from_at, count);
}

static void node_transfer(struct btree_node *to, unsigned to_at, struct btree_node *from, unsigned from_at,
                          unsigned count)
{
    node_open(to, to_at, count);
    node_copy(to, to_at, from, from_at, count);
    node_close(from, from_at, count);
}

static size_t node_total(const struct btree_node *node)
{
    size_t total = node->level == 0 ? node->count : 0;

    for (unsigned i = 0; node->level > 0 && i < node->count; i++)
        total += node_below(node)[i];
    return total;
}

/* What an inner node knows of a child's beginning. */
static inline void refresh_first(struct btree_node *node, unsigned at)
{
    const struct btree_node *child = node_children(node)[at];

    node->scores[at] = child->scores[0];
    node_members(node)[at] = node_members(child)[0];
}

static void refresh(struct btree_node *node, unsigned at)
{
    refresh_first(node, at);
    node_below(node)[at] = node_total(node_children(node)[at]);
}

static void put_child(struct btree_node *node, unsigned at, struct btree_node *child)
{
    node_open(node, at, 1);
    node_children(node)[at] = child;
    refresh(node, at);
}

static void root_leaf_resize(struct btree *tree, unsigned capacity)
{
    struct btree_node *leaf = node_new(0, capacity);

    node_open(leaf, 0, tree->root->count);
    node_copy(leaf, 0, tree->root, 0, leaf->count);
    node_free(tree->root);
    tree->root = leaf;
}

/* --- joining ----------------------------------------------------------------------------------------- */

static bool join(struct btree_node *parent, unsigned at);

/* Moves entries from one node to the end or the beginning of its neighbour. Where they meet, children are
 * neighbours that were none before. */
static void append_entries(struct btree_node *to, struct btree_node *from, unsigned count)
{
    unsigned seam = to->count;

    node_transfer(to, seam, from, 0, count);
    if (to->level > 0)
        join(to, seam - 1);
}

static void prepend_entries(struct btree_node *to, struct btree_node *from, unsigned count)
{
    node_transfer(to, 0, from, from->count - count, count);
    if (to->level > 0)
        join(to, count - 1);
}

/* Joins the children at 'at' and behind it when there are two and they fit into one. */
static bool join(struct btree_node *parent, unsigned at)
{
    if (at + 1 >= parent->count || at + 1 == 0)
        return false;
    struct btree_node *node = node_children(parent)[at], *behind = node_children(parent)[at + 1];
    if (node->count + behind->count > JOIN_MAX)
        return false;
    append_entries(node, behind, behind->count);
    node_below(parent)[at] += node_below(parent)[at + 1];
    node_free(behind);
    node_close(parent, at + 1, 1);
    return true;
}

/* --- making room ---------------------------------------------------------------------------------- */

static bool is_at_left_edge(const struct btree_path *path, unsigned from_level)
{
    for (unsigned level = from_level; level <= path->height; level++)
        if (path->step[level].at > 0)
            return false;
    return true;
}

static bool is_at_right_edge(const struct btree_path *path, unsigned from_level)
{
    for (unsigned level = from_level; level <= path->height; level++)
        if (path->step[level].at + 1 < path->step[level].node->count)
            return false;
    return true;
}

static unsigned room_of(const struct btree_node *node) { return NODE_MAX - (unsigned)node->count; }

/* Gives some of a full child to a neighbour with room for them; false when none has. The neighbour keeps
 * some room unless the new entry cannot come there. */
static bool give_to_neighbour(struct btree_node *parent, unsigned at, bool fills_it)
{
    struct btree_node **children = node_children(parent), *node = children[at];
    unsigned left_room = at > 0 ? room_of(children[at - 1]) : 0;
    unsigned right_room = at + 1 < parent->count ? room_of(children[at + 1]) : 0;
    unsigned room = left_room > right_room ? left_room : right_room;
    unsigned count = fills_it ? room : room / 2;

    if (room < ROOM_WORTH)
        return false;
    if (count >= node->count)
        count = node->count - 1u;
    unsigned neighbour = left_room > right_room ? at - 1 : at + 1;
    if (neighbour < at)
        append_entries(children[neighbour], node, count);
    else
        prepend_entries(children[neighbour], node, count);
    refresh(parent, at);
    refresh(parent, neighbour);
    return true;
}

/* A new child behind the one at 'at' takes its last 'count' entries. */
static void split_off(struct btree_node *parent, unsigned at, unsigned count)
{
    struct btree_node *node = node_children(parent)[at];
    struct btree_node *behind = node_new(node->level, NODE_MAX);

    node_transfer(behind, 0, node, node->count - count, count);
    put_child(parent, at + 1, behind);
    refresh(parent, at);
}

/* The children at 'at' and behind it become three. */
static void split_two_into_three(struct btree_node *parent, unsigned at)
{
    struct btree_node *first = node_children(parent)[at], *last = node_children(parent)[at + 1];
    unsigned each = (first->count + last->count + 1u) / 3;
    unsigned last_gives = last->count - each;

    split_off(parent, at, first->count - each);
    struct btree_node *middle = node_children(parent)[at + 1];
    append_entries(middle, last, last_gives);
    refresh(parent, at + 1);
    refresh(parent, at + 2);
}

/* A step towards room in the full node of that level; the path is void then. */
static void make_room(struct btree *tree, struct btree_path *path, unsigned level)
{
    struct btree_node *node = path->step[level].node;

    if (node->capacity < NODE_MAX) {
        unsigned capacity = 2u * node->capacity + 1;

        root_leaf_resize(tree, capacity < NODE_MAX ? capacity : NODE_MAX);
        return;
    }
    if (level == path->height) {
        tree->root = node_new(level + 1, NODE_MAX);
        put_child(tree->root, 0, node);
        return;
    }
    struct btree_node *parent = path->step[level + 1].node;
    unsigned at = path->step[level + 1].at;
    /* The new entry comes behind the last member, or before the first. */
    bool is_last =
        is_at_right_edge(path, 1) && path->step[0].at == path->step[0].node->count;
    bool is_first = is_at_left_edge(path, 0);

    if (give_to_neighbour(parent, at, is_last || is_first))
        return;
    if (parent->count == NODE_MAX)
        make_room(tree, path, level + 1);
    else if (is_last)
        split_off(parent, at, 1);
    else if (is_first)
        split_off(parent, at, node->count - 1u);
    else if (parent->count == 1)
        split_off(parent, at, node->count / 2u);
    else
        split_two_into_three(parent, at > 0 ? at - 1 : at);
}

/* The path leads to the place, which may be in a full leaf. */
static void insert(struct btree *tree, struct btree_path *path, struct btree_member *member)
{
    while (path->step[0].node->count == path->step[0].node->capacity) {
        make_room(tree, path, 0);
        btree_path_find(tree, member->score, member, path);
    }
    struct btree_node *leaf = path->step[0].node;
    node_open(leaf, path->step[0].at, 1);
    leaf->scores[path->step[0].at] = member->score;
    node_members(leaf)[path->step[0].at] = member;
    for (unsigned level = 1; level <= path->height; level++) {
        node_below(path->step[level].node)[path->step[level].at]++;
        refresh_first(path->step[level].node, path->step[level].at);
    }
    tree->size++;
}

void btree_insert(struct btree *tree, struct btree_member *member)
{
    struct btree_path path;

    if (!tree->root)
        tree->root = node_new(0, LEAF_FIRST);
    btree_path_find(tree, member->score, member, &path);
    insert(tree, &path, member);
}

void btree_insert_at(struct btree *tree, struct btree_member *member, struct btree_place *place)
{
    if (!place->is_known) {
        btree_insert(tree, member);
        return;
    }
    btree_place_approach(place, member->score);
    btree_place_settle(place, member);
    insert(tree, &place->path, member);
}

/* --- removing --------------------------------------------------------------------------------------- */

/* The root is gone when nothing is left, has more than one child, and is small when it is a small leaf. */
static void trim_root(struct btree *tree)
{
    struct btree_node *root = tree->root;

    while (root->level > 0 && root->count <= 1) {
        tree->root = root->count ? node_children(root)[0] : NULL;
        node_free(root);
        root = tree->root;
        if (!root)
            return;
    }
    if (root->count == 0) {
        node_free(root);
        tree->root = NULL;
    } else if (root->level == 0 && root->capacity > 2 * LEAF_FIRST && root->count <= root->capacity / 4) {
        root_leaf_resize(tree, root->capacity / 2u);
    }
}

/* After 'count' entries left the path's leaf; true when no node moved or went. */
static bool settle(struct btree *tree, struct btree_path *path, unsigned count)
{
    bool has_shrunk = true, is_still = true;
    const struct btree_node *root = tree->root;

    tree->size -= count;
    for (unsigned level = 1; level <= path->height; level++) {
        struct btree_node *node = path->step[level].node, *child = path->step[level - 1].node;
        unsigned at = path->step[level].at;

        node_below(node)[at] -= count;
        if (child->count == 0) {
            node_free(child);
            node_close(node, at, 1);
            join(node, at - 1); /* which were not neighbours before */
            is_still = false;
            continue;
        }
        refresh_first(node, at);
        has_shrunk = has_shrunk && child->count <= NODE_MAX / 2; /* else neighbours need no look, which is a miss each */
        if (has_shrunk) {
            bool is_joined = join(node, at);

            has_shrunk = join(node, at - 1) || is_joined;
            is_still = is_still && !has_shrunk;
        }
    }
    trim_root(tree);
    return is_still && tree->root == root;
}

/* Whether places in other nodes are what they were. */
static bool remove_at(struct btree *tree, struct btree_path *path, unsigned count)
{
    node_close(path->step[0].node, path->step[0].at, count);
    return settle(tree, path, count);
}

void btree_remove(struct btree *tree, struct btree_member *member)
{
    struct btree_path path;

    ASSERT(tree->root);
    btree_path_to(tree, member, &path);
    remove_at(tree, &path, 1);
}

void btree_remove_range(struct btree *tree, size_t first, size_t count, btree_removed *removed, void *context)
{
    ASSERT(first + count <= tree->size);
    while (count > 0) {
        struct btree_path path;

        btree_path_at(tree, first, &path);
        const struct btree_node *leaf = path.step[0].node;
        unsigned at = path.step[0].at, here = leaf->count - at;
        if (here > count)
            here = (unsigned)count;
        for (unsigned i = 0; i < here; i++)
            removed(context, node_members(leaf)[at + i]);
        remove_at(tree, &path, here);
        count -= here;
    }
}

/* --- changing a score ------------------------------------------------------------------------------- */

/* Whether the path's member would keep its place with another score; its neighbours in other leaves are
 * not looked at. */
static bool keeps_place(const struct btree_path *path, const struct btree_member *member, double score)
{
    const struct btree_node *leaf = path->step[0].node;
    unsigned at = path->step[0].at;
    struct btree_member **members = node_members(leaf);

    if (at == 0 ? !is_at_left_edge(path, 1)
                : btree_compare(leaf->scores[at - 1], members[at - 1], score, member) >= 0)
        return false;
    return at + 1 == leaf->count ? is_at_right_edge(path, 1)
                                 : btree_compare(score, member, leaf->scores[at + 1], members[at + 1]) < 0;
}

void btree_change_score(struct btree *tree, struct btree_member *member, double score, struct btree_place *place)
{
    struct btree_path path;

    /* The order of these hides misses: the place's leaf was asked for first. */
    btree_path_towards(tree, member, &path);
    if (place->is_known)
        btree_place_approach(place, score);
    btree_path_arrive(member, &path);
    if (keeps_place(&path, member, score)) {
        member->score = score;
        path.step[0].node->scores[path.step[0].at] = score;
        for (unsigned level = 1; level <= path.height; level++)
            refresh_first(path.step[level].node, path.step[level].at);
        return;
    }
    bool is_still = remove_at(tree, &path, 1);
    member->score = score;
    if (!is_still || !place->is_known) {
        btree_insert(tree, member);
        return;
    }
    if (place->path.step[0].node == path.step[0].node && place->path.step[0].at > path.step[0].at)
        place->path.step[0].at--;
    btree_place_settle(place, member);
    insert(tree, &place->path, member);
}

/* --- freeing ---------------------------------------------------------------------------------------- */

/* Frees the last leaf with its members, and inner nodes that are empty then. What is below is not
 * counted any more. */
static size_t free_last_leaf(struct btree *tree)
{
    struct btree_node *way[BTREE_HEIGHT_MAX], *node = tree->root;
    unsigned height = node->level;
    size_t freed = 1;

    for (; node->level > 0; node = node_children(node)[node->count - 1])
        way[node->level] = node;
    for (; freed <= node->count; freed++)
        btree_member_free(node_members(node)[freed - 1]);
    node_free(node);
    for (unsigned level = 1; level <= height; level++) {
        if (--way[level]->count > 0)
            return freed;
        node_free(way[level]);
    }
    tree->root = NULL;
    tree->size = 0;
    return freed;
}

bool btree_free_step(struct btree *tree, size_t budget)
{
    size_t freed = 0;

    while (tree->root && freed < budget)
        freed += free_last_leaf(tree);
    return tree->root == NULL;
}
