/* Byte strings to pointers, built on the dict: channels, watched and awaited keys, names of clients'
 * subscriptions. For tables that are not on the path of every request.
 *
 *     struct map_node *node = map_add(&map, name, &is_new);
 *     if (is_new) node->value = thing_new();
 *
 * The map owns nodes and the bytes of keys, never the values. */
#ifndef TERN_DS_MAP_H
#define TERN_DS_MAP_H

#include "base/bytes.h"
#include "ds/dict.h"

struct map_node {
    void *value; /* the user's; NULL in a new node */
    size_t key_len;
    char key[]; /* key_len bytes */
};

struct map {
    struct dict dict;
};

void map_init(struct map *map);
void map_release(struct map *map); /* frees the nodes */

static inline size_t map_size(const struct map *map) { return dict_size(&map->dict); }
static inline struct bytes map_key(const struct map_node *node)
{
    return (struct bytes){node->key, node->key_len};
}

struct map_node *map_find(const struct map *map, struct bytes key); /* NULL when absent */
/* Finds the node or adds one; '*is_new' (may be NULL) tells which. A node's address never changes. */
struct map_node *map_add(struct map *map, struct bytes key, bool *is_new);
void map_remove(struct map *map, struct map_node *node);
bool map_remove_key(struct map *map, struct bytes key); /* false when absent */

/* Walks all nodes; the map must not change meanwhile, except that the node just returned may be
 * changed in place. */
struct map_iter {
    struct dict_iter iter;
};
void map_iter_init(struct map_iter *iter, const struct map *map);
struct map_node *map_iter_next(struct map_iter *iter);

/* Removes nodes until the map is empty: returns any node, NULL when there is none. */
struct map_node *map_any(const struct map *map);

size_t map_memory(const struct map *map);

#endif
