/* Leaves hold ids and the user's pointers, inner nodes hold children and for each an id that is not
 * behind any in it, and behind all in the child before it:
 *
 *     inner   [ .  | 7-0 | 9-0 ]         the first child's id is not looked at
 *               |     |      |
 *     leaves  1-0 3-0 | 7-0 8-2 | 9-1    linked from left to right
 *
 * A leaf that is the root has as many places as it needs, in steps; all other nodes have NODE_MAX.
 * A full node into which something goes at its end gets an empty neighbour, any other is halved. */
#include "types/id_index.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>

#ifdef TERN_STRESS
#define NODE_MAX 4
#else
#define NODE_MAX 63 /* 1536 bytes, a whole class */
#endif
#define NODE_SPARSE (NODE_MAX / 4) /* with less it looks for a neighbour to join */
#define NODE_JOINED (NODE_MAX / 2) /* that holds no more than this with it */

static size_t node_size(unsigned capacity)
{
    return sizeof(struct id_index_node) + capacity * (sizeof(struct stream_id) + sizeof(void *));
}

static void **places(const struct id_index_node *node)
{
    return (void **)(node->ids + node->capacity);
}

static struct id_index_node *child_at(const struct id_index_node *node, unsigned at)
{
    return places(node)[at];
}

static struct id_index_node *node_new(struct id_index *index, unsigned capacity)
{
    struct id_index_node *node = mem_alloc(node_size(capacity));

    node->count = 0;
    node->capacity = (uint16_t)capacity;
    node->previous = node->next = NULL;
    index->nodes++;
    return node;
}

static void node_free(struct id_index *index, struct id_index_node *node)
{
    mem_free(node, node_size(node->capacity));
    index->nodes--;
}

/* How many ids are not behind 'id'. */
static unsigned rank(const struct id_index_node *node, struct stream_id id)
{
    unsigned low = 0, high = node->count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (stream_id_compare(node->ids[middle], id) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void move(struct id_index_node *to, unsigned to_at, const struct id_index_node *from,
                 unsigned from_at, unsigned count)
{
    memmove(to->ids + to_at, from->ids + from_at, count * sizeof *to->ids);
    memmove(places(to) + to_at, places(from) + from_at, count * sizeof(void *));
}

static void put_at(struct id_index_node *node, unsigned at, struct stream_id id, void *value)
{
    move(node, at + 1, node, at, node->count - at);
    node->ids[at] = id;
    places(node)[at] = value;
    node->count++;
}

static void take_at(struct id_index_node *node, unsigned at)
{
    node->count--;
    move(node, at, node, at + 1, node->count - at);
}

/* --- inserting ------------------------------------------------------------------------------------- */

/* A node of another capacity in the place of the root, which is a leaf. */
static void root_resize(struct id_index *index, unsigned capacity)
{
    struct id_index_node *old = index->root;

    index->root = node_new(index, capacity);
    if (!old)
        return;
    move(index->root, 0, old, 0, old->count);
    index->root->count = old->count;
    node_free(index, old);
}

/* A neighbour to the right of a full node, with its upper half, or empty when the new one goes to
 * its end. */
static struct id_index_node *split(struct id_index *index, struct id_index_node *node, unsigned at)
{
    struct id_index_node *right = node_new(index, NODE_MAX);

    if (at < node->count) {
        unsigned half = node->count / 2;

        right->count = node->count - half;
        move(right, 0, node, half, right->count);
        node->count = half;
    }
    right->previous = node;
    right->next = node->next;
    if (node->next)
        node->next->previous = right;
    node->next = right;
    return right;
}

/* Returns the node's new neighbour, or NULL. Inner nodes are linked as well; nobody looks. */
static struct id_index_node *insert_into(struct id_index *index, struct id_index_node *node,
                                         unsigned height, struct stream_id id, void *value)
{
    struct id_index_node *right;
    unsigned at = rank(node, id);

    if (height) {
        unsigned child = at ? at - 1 : 0;

        right = insert_into(index, child_at(node, child), height - 1, id, value);
        if (!right)
            return NULL;
        at = child + 1;
        id = right->ids[0];
        value = right;
    }
    if (node->count < NODE_MAX) {
        put_at(node, at, id, value);
        return NULL;
    }
    right = split(index, node, at);
    if (at > node->count || node->count == NODE_MAX)
        put_at(right, at - node->count, id, value);
    else
        put_at(node, at, id, value);
    return right;
}

static unsigned grown(unsigned capacity)
{
    if (!capacity)
        return 1;
    return 2 * capacity < NODE_MAX ? 2 * capacity : NODE_MAX;
}

void id_index_insert(struct id_index *index, struct stream_id id, void *value)
{
    struct id_index_node *root = index->root, *right;

    if (!root || (!index->height && root->count == root->capacity && root->capacity < NODE_MAX))
        root_resize(index, grown(root ? root->capacity : 0));
    index->count++;
    root = index->root;
    right = insert_into(index, root, index->height, id, value);
    if (!right)
        return;
    index->root = node_new(index, NODE_MAX);
    put_at(index->root, 0, root->ids[0], root);
    put_at(index->root, 1, right->ids[0], right);
    index->height++;
}

/* --- removing -------------------------------------------------------------------------------------- */

static void unlink_node(struct id_index *index, struct id_index_node *node)
{
    if (node->previous)
        node->previous->next = node->next;
    if (node->next)
        node->next->previous = node->previous;
    node_free(index, node);
}

/* The child at 'at' + 1 goes into the one at 'at' when they are few together. */
static bool join(struct id_index *index, struct id_index_node *parent, unsigned at, bool are_leaves)
{
    struct id_index_node *left = child_at(parent, at), *right = child_at(parent, at + 1);

    if (left->count + right->count > NODE_JOINED)
        return false;
    move(left, left->count, right, 0, right->count);
    if (!are_leaves) /* what was a first id counts from now on */
        left->ids[left->count] = parent->ids[at + 1];
    left->count += right->count;
    unlink_node(index, right);
    take_at(parent, at + 1);
    return true;
}

/* The child at 'at' has become sparse. */
static void settle(struct id_index *index, struct id_index_node *parent, unsigned at, bool is_leaf)
{
    struct id_index_node *child = child_at(parent, at);

    if (!child->count) {
        unlink_node(index, child);
        take_at(parent, at);
        return;
    }
    if (at + 1u < parent->count && join(index, parent, at, is_leaf))
        return;
    if (at)
        join(index, parent, at - 1, is_leaf);
}

static void *remove_from(struct id_index *index, struct id_index_node *node, unsigned height,
                         struct stream_id id)
{
    unsigned at = rank(node, id);
    struct id_index_node *child;
    void *value;

    if (!height) {
        if (!at || !stream_id_equal(node->ids[at - 1], id))
            return NULL;
        value = places(node)[at - 1];
        take_at(node, at - 1);
        return value;
    }
    at = at ? at - 1 : 0;
    child = child_at(node, at);
    value = remove_from(index, child, height - 1, id);
    if (value && child->count <= NODE_SPARSE)
        settle(index, node, at, height == 1);
    return value;
}

/* A root with one child gives way to it, an empty one goes, a leaf becomes small again. */
static void settle_root(struct id_index *index)
{
    struct id_index_node *root = index->root;

    if (!root->count) {
        node_free(index, root);
        index->root = NULL;
        index->height = 0;
        return;
    }
    for (; index->height && root->count == 1; index->height--) {
        index->root = child_at(root, 0);
        node_free(index, root);
        root = index->root;
    }
    if (!index->height && root->capacity > 4 && root->count <= root->capacity / 4)
        root_resize(index, root->capacity / 2);
}

void *id_index_remove(struct id_index *index, struct stream_id id)
{
    void *value;

    if (!index->root)
        return NULL;
    value = remove_from(index, index->root, index->height, id);
    if (!value)
        return NULL;
    index->count--;
    settle_root(index);
    return value;
}

/* --- cutting --------------------------------------------------------------------------------------- */

/* What is before 'id' in the node, and the rest; one of them may be NULL, and none is joined with a
 * neighbour, however sparse it has become. */
struct halves {
    struct id_index_node *front, *rest;
};

static struct halves halve(struct id_index *index, struct id_index_node *node, unsigned front_count)
{
    struct id_index_node *before = node->previous, *behind = node->next, *front;

    if (!front_count) {
        if (before)
            before->next = NULL;
        node->previous = NULL;
        return (struct halves){NULL, node};
    }
    if (front_count == node->count) {
        if (behind)
            behind->previous = NULL;
        node->next = NULL;
        return (struct halves){node, NULL};
    }
    front = node_new(index, NODE_MAX);
    front->count = (uint16_t)front_count;
    move(front, 0, node, 0, front_count);
    node->count -= front->count;
    move(node, 0, node, front_count, node->count);
    front->previous = before;
    if (before)
        before->next = front;
    node->previous = NULL;
    return (struct halves){front, node};
}

static struct halves cut(struct id_index *index, struct id_index_node *node, unsigned height,
                         struct stream_id id)
{
    unsigned at = rank(node, id);
    struct halves parts, child;
    struct stream_id front_id;

    if (!height)
        return halve(index, node, at && stream_id_equal(node->ids[at - 1], id) ? at - 1 : at);
    at = at ? at - 1 : 0;
    front_id = node->ids[at];
    child = cut(index, child_at(node, at), height - 1, id);
    if (!child.rest)
        return halve(index, node, at + 1);
    places(node)[at] = child.rest;
    parts = halve(index, node, at);
    if (!child.front)
        return parts;
    if (!parts.front)
        parts.front = node_new(index, NODE_MAX);
    put_at(parts.front, at, front_id, child.front);
    return parts;
}

/* Notes how much the index has, from its root. */
static void recount(struct id_index *index, const struct id_index_node *node, unsigned height)
{
    index->nodes++;
    if (!height)
        index->count += node->count;
    for (unsigned i = 0; height && i < node->count; i++)
        recount(index, child_at(node, i), height - 1);
}

struct id_index id_index_cut(struct id_index *index, struct stream_id id)
{
    struct id_index front = {.height = index->height};
    struct halves parts;

    if (!index->root)
        return front;
    parts = cut(index, index->root, index->height, id);
    if (!parts.front)
        return (struct id_index){0};
    front.root = parts.front;
    recount(&front, front.root, front.height);
    index->root = parts.rest;
    index->nodes -= front.nodes;
    index->count -= front.count;
    if (index->root)
        settle_root(index);
    else
        index->height = 0;
    settle_root(&front);
    return front;
}

static void release(struct id_index *index, struct id_index_node *node, unsigned height)
{
    for (unsigned i = 0; height && i < node->count; i++)
        release(index, child_at(node, i), height - 1);
    node_free(index, node);
}

void id_index_release(struct id_index *index)
{
    if (index->root)
        release(index, index->root, index->height);
    *index = (struct id_index){0};
}

/* --- finding --------------------------------------------------------------------------------------- */

struct id_cursor id_index_first(const struct id_index *index)
{
    struct id_index_node *node = index->root;

    for (unsigned height = index->height; height; height--)
        node = child_at(node, 0);
    return (struct id_cursor){node, 0};
}

struct id_cursor id_index_last(const struct id_index *index)
{
    struct id_index_node *node = index->root;

    for (unsigned height = index->height; height; height--)
        node = child_at(node, node->count - 1u);
    return (struct id_cursor){node, node ? node->count - 1u : 0};
}

struct id_cursor id_index_floor(const struct id_index *index, struct stream_id id)
{
    struct id_index_node *node = index->root;
    struct id_cursor cursor = {NULL, 0};
    unsigned at;

    if (!node)
        return cursor;
    for (unsigned height = index->height; height; height--) {
        at = rank(node, id);
        node = child_at(node, at ? at - 1 : 0);
    }
    cursor = (struct id_cursor){node, rank(node, id)};
    id_cursor_previous(&cursor);
    return cursor;
}

struct id_cursor id_index_ceiling(const struct id_index *index, struct stream_id id)
{
    struct id_cursor cursor = id_index_floor(index, id);

    if (!cursor.node)
        return id_index_first(index);
    if (!stream_id_equal(id_cursor_id(&cursor), id))
        id_cursor_next(&cursor);
    return cursor;
}

void *id_index_find(const struct id_index *index, struct stream_id id)
{
    struct id_cursor cursor = id_index_floor(index, id);

    if (!cursor.node || !stream_id_equal(id_cursor_id(&cursor), id))
        return NULL;
    return id_cursor_value(&cursor);
}

/* --- the whole ------------------------------------------------------------------------------------- */

struct id_index id_index_copy(const struct id_index *index)
{
    struct id_cursor at = id_index_first(index);
    struct id_index copy = {0};

    for (; at.node; id_cursor_next(&at))
        id_index_insert(&copy, id_cursor_id(&at), id_cursor_value(&at));
    return copy;
}

size_t id_index_memory(const struct id_index *index)
{
    if (!index->root)
        return 0;
    if (!index->height)
        return mem_block_size(node_size(index->root->capacity));
    return index->nodes * mem_block_size(node_size(NODE_MAX));
}

struct walk {
    const struct id_index_node *leaf; /* the last one */
    size_t count;
    uint32_t nodes;
};

/* All ids are from 'from' on and before 'to' (NULL: no bound). */
static void check_node(const struct id_index_node *node, unsigned height,
                       const struct stream_id *from, const struct stream_id *to, struct walk *walk)
{
    walk->nodes++;
    ASSERT(node->count > 0);
    ASSERT(node->count <= node->capacity);
    for (unsigned i = height ? 2 : 1; i < node->count; i++)
        ASSERT(stream_id_compare(node->ids[i - 1], node->ids[i]) < 0);
    if (height) {
        ASSERT(node->capacity == NODE_MAX);
        for (unsigned i = 0; i < node->count; i++)
            check_node(child_at(node, i), height - 1, i ? &node->ids[i] : from,
                       i + 1u < node->count ? &node->ids[i + 1] : to, walk);
        return;
    }
    ASSERT(!from || stream_id_compare(*from, node->ids[0]) <= 0);
    ASSERT(!to || stream_id_compare(node->ids[node->count - 1], *to) < 0);
    ASSERT(node->previous == walk->leaf);
    ASSERT(!walk->leaf || walk->leaf->next == node);
    walk->leaf = node;
    walk->count += node->count;
}

void id_index_check(const struct id_index *index)
{
    struct walk walk = {NULL, 0, 0};

    if (index->root) {
        check_node(index->root, index->height, NULL, NULL, &walk);
        ASSERT(!walk.leaf->next);
        ASSERT(!index->height || index->root->count > 1);
    }
    ASSERT(walk.count == index->count);
    ASSERT(walk.nodes == index->nodes);
}
