/* Byte strings to pointers. A node is one block with its key; the dict finds it by the key's hash.
 * Nobody's cron knows of maps, so a removal moves their shrinking on. */
#include "ds/map.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"

enum { SHRINK_STEP = 8 }; /* buckets moved by a removal */

static size_t node_size(size_t key_len) { return sizeof(struct map_node) + key_len; }

static uint64_t node_hash(const void *entry) { return hash_bytes(map_key(entry)); }

static const struct dict_type map_type = {node_hash};

static bool node_has_key(const void *entry, const void *key)
{
    return bytes_equal(map_key(entry), *(const struct bytes *)key);
}

static bool node_is(const void *entry, const void *node) { return entry == node; }

void map_init(struct map *map) { dict_init(&map->dict, &map_type); }

void map_release(struct map *map)
{
    struct map_iter iter;
    struct map_node *node;

    map_iter_init(&iter, map);
    while ((node = map_iter_next(&iter)))
        mem_free(node, node_size(node->key_len));
    dict_release(&map->dict);
}

struct map_node *map_find(const struct map *map, struct bytes key)
{
    return dict_find(&map->dict, hash_bytes(key), node_has_key, &key);
}

struct map_node *map_add(struct map *map, struct bytes key, bool *is_new)
{
    uint64_t hash = hash_bytes(key);
    struct map_node *node = dict_find(&map->dict, hash, node_has_key, &key);

    if (is_new)
        *is_new = node == NULL;
    if (node)
        return node;
    node = mem_alloc(node_size(key.len));
    node->value = NULL;
    node->key_len = key.len;
    if (key.len)
        memcpy(node->key, key.data, key.len);
    dict_insert(&map->dict, hash, node);
    return node;
}

void map_remove(struct map *map, struct map_node *node)
{
    uint64_t hash = node_hash(node);
    struct dict_slot *slot = dict_find_slot(&map->dict, hash, node_is, node);

    ASSERT(slot != NULL);
    dict_remove(&map->dict, hash, slot);
    mem_free(node, node_size(node->key_len));
    dict_step(&map->dict, SHRINK_STEP);
}

bool map_remove_key(struct map *map, struct bytes key)
{
    struct map_node *node = map_find(map, key);

    if (!node)
        return false;
    map_remove(map, node);
    return true;
}

void map_iter_init(struct map_iter *iter, const struct map *map)
{
    dict_iter_init(&iter->iter, &map->dict);
}

struct map_node *map_iter_next(struct map_iter *iter) { return dict_iter_next(&iter->iter); }

/* A random one: to begin at the first bucket each time would walk over ever more empty ones. */
struct map_node *map_any(const struct map *map)
{
    struct random random;

    random_init(&random, map_size(map));
    return dict_random(&map->dict, &random);
}

/* Nodes differ in size, so they are walked: for reports, not for every request. */
size_t map_memory(const struct map *map)
{
    struct map_iter iter;
    const struct map_node *node;
    size_t memory = dict_memory(&map->dict);

    map_iter_init(&iter, map);
    while ((node = map_iter_next(&iter)))
        memory += mem_block_size(node_size(node->key_len));
    return memory;
}
