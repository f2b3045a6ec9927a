/* A table seen from the interpreter: the usual lookups, in line. lua/lua.h has the rest. */
#ifndef TERN_LUA_TABLE_INTERNAL_H
#define TERN_LUA_TABLE_INTERNAL_H

#include "state_internal.h"

/* What a lookup answers when there is nothing; never written to. */
extern const struct lua_value lua_absent;
extern const struct lua_node lua_empty_node;

static inline bool lua_table_has_nodes(const struct lua_table *table) { return table->nodes != &lua_empty_node; }

static inline uint32_t lua_table_node_count(const struct lua_table *table) { return table->object.number + 1; }

/* The place of a short string's value. */
static inline const struct lua_value *lua_table_find_string(const struct lua_table *table,
                                                            const struct lua_string *key)
{
    const struct lua_node *node = &table->nodes[key->object.number & table->object.number];

    for (;;) {
        if (node->key.string == key && node->key.type == LUA_STRING)
            return &node->value;
        if (!node->key.next)
            return &lua_absent;
        node += node->key.next;
    }
}

const struct lua_value *lua_table_find_number(const struct lua_table *table, double key);
const struct lua_value *lua_table_find(const struct lua_table *table, struct lua_value key);

/* The element of a number that is an index of the array part, else NULL. */
static inline struct lua_value *lua_table_element(const struct lua_table *table, double key)
{
    uint32_t index;

    if (!(key >= 1 && key < 0x1p32)) /* only these may be converted */
        return NULL;
    index = (uint32_t)key;
    return index == key && index <= table->array_size ? &table->array[index - 1] : NULL;
}

/* The place to write a key's value to, which is made when it is missing (its value is nil then). The key is neither
 * nil nor NaN. */
struct lua_value *lua_table_place(struct lua *lua, struct lua_table *table, struct lua_value key);
void lua_table_resize(struct lua *lua, struct lua_table *table, size_t array_size, size_t hash_size);
void lua_table_free(struct lua *lua, struct lua_table *table);
/* One step of a walk from the place behind 'key'; false: the end, or 'is_bad'. */

#endif
