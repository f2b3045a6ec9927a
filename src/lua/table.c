/* Tables: an array part for the keys 1 to n, and a hash part of nodes that are chained through themselves.
 *
 * The order in which a table is walked shows in what scripts print and send, so everything that decides it is the
 * published design of Lua 5.1, step by step:
 *
 *   main position   where a key belongs: strings and booleans by the low bits of their hash, numbers and pointers by the
 *                   rest of a division by (nodes - 1) | 1.
 *   insert          into the main position when it is free. Else into the free node with the highest place: the new key,
 *                   or, when who sits in the main position does not belong there, that one (Brent's variation).
 *   no free node    a rehash counts the integer keys and makes the array part the largest n of which more than half would
 *                   be in use; the rest is the size of the hash part, rounded up to a power of two. Elements
 *                   move over from the last node to the first.
 *   nil             takes a value away but leaves the key, until a rehash. */
#include "table_internal.h"

#include "base/assert.h"
#include "base/mem.h"

enum {
    ARRAY_BITS_MAX = 26,
    ARRAY_SIZE_MAX = 1 << ARRAY_BITS_MAX,
};

const struct lua_value lua_absent = {.type = LUA_NIL};
const struct lua_node lua_empty_node = {.value = {.type = LUA_NIL}};

/* --- keys ---------------------------------------------------------------------------------- */

static struct lua_node *node_by_rest(const struct lua_table *table, uint32_t hash)
{
    return &table->nodes[hash % (table->object.number | 1)];
}

static struct lua_node *main_position_number(const struct lua_table *table, double number)
{
    uint32_t half[2];

    if (number == 0)
        return &table->nodes[0];
    memcpy(half, &number, sizeof half);
    return node_by_rest(table, half[0] + half[1]);
}

static struct lua_node *main_position(const struct lua_table *table, struct lua_value key)
{
    switch (key.type) {
    case LUA_NUMBER:
        return main_position_number(table, key.number);
    case LUA_STRING:
        return &table->nodes[lua_string_hash(key.string) & table->object.number];
    case LUA_BOOLEAN:
        return &table->nodes[key.boolean & table->object.number];
    default:
        return node_by_rest(table, (uint32_t)(uintptr_t)key.pointer);
    }
}

static struct lua_value node_key(const struct lua_node *node)
{
    struct lua_value key = {.type = (enum lua_type)node->key.type};

    key.pointer = node->key.pointer;
    return key;
}

static void node_set_key(struct lua_node *node, struct lua_value key)
{
    node->key.type = key.type;
    if (key.type == LUA_BOOLEAN)
        key.pointer = (void *)(uintptr_t)key.boolean;
    node->key.pointer = key.pointer;
}

static bool node_has_key(const struct lua_node *node, struct lua_value key)
{
    return node->key.type == key.type && lua_equal_raw(node_key(node), key);
}

/* 1 to ARRAY_SIZE_MAX, or 0. */
static uint32_t array_index(struct lua_value key)
{
    if (key.type == LUA_NUMBER && key.number >= 1 && key.number <= ARRAY_SIZE_MAX) {
        uint32_t index = (uint32_t)key.number;
        if (index == key.number)
            return index;
    }
    return 0;
}

static int log2_ceil(uint32_t number) { return number <= 1 ? 0 : 32 - __builtin_clz(number - 1); }

/* --- parts --------------------------------------------------------------------------------- */

static void set_nodes(struct lua *lua, struct lua_table *table, size_t size)
{
    if (size == 0) {
        table->nodes = (struct lua_node *)&lua_empty_node;
        table->object.number = 0;
        table->last_free = 0;
        return;
    }
    int bits = log2_ceil((uint32_t)size);
    ASSERT(bits < 31);
    uint32_t count = UINT32_C(1) << bits;
    table->nodes = lua_alloc(lua, count * sizeof *table->nodes);
    memset(table->nodes, 0, count * sizeof *table->nodes);
    table->object.number = count - 1;
    table->last_free = count;
}

static void set_array(struct lua *lua, struct lua_table *table, uint32_t size)
{
    table->array =
        lua_resize(lua, table->array, table->array_size * sizeof *table->array, size * sizeof *table->array);
    if (size > table->array_size)
        memset(table->array + table->array_size, 0, (size - table->array_size) * sizeof *table->array);
    table->array_size = size;
}

_Static_assert(LUA_NIL == 0, "zeroed memory is full of nil");

struct lua_table *lua_table_new(struct lua *lua, size_t array_size, size_t hash_size)
{
    struct lua_table *table = lua_object_new(lua, LUA_TABLE, sizeof *table);

    table->array = NULL;
    table->metatable = NULL;
    table->array_size = 0;
    table->is_readonly = false;
    table->object.flags = 0;
    if (array_size)
        set_array(lua, table, (uint32_t)(array_size < ARRAY_SIZE_MAX ? array_size : ARRAY_SIZE_MAX));
    set_nodes(lua, table, hash_size);
    return table;
}

static void free_nodes(struct lua *lua, struct lua_node *nodes, uint32_t count)
{
    if (nodes != &lua_empty_node)
        lua_release(lua, nodes, count * sizeof *nodes);
}

void lua_table_free(struct lua *lua, struct lua_table *table)
{
    free_nodes(lua, table->nodes, lua_table_node_count(table));
    lua_release(lua, table->array, table->array_size * sizeof *table->array);
    lua_release(lua, table, sizeof *table);
}

void lua_table_resize(struct lua *lua, struct lua_table *table, size_t array_size, size_t hash_size)
{
    uint32_t old_size = table->array_size, old_count = lua_table_node_count(table);
    struct lua_node *old = table->nodes;

    if (array_size > old_size)
        set_array(lua, table, (uint32_t)array_size);
    set_nodes(lua, table, hash_size);
    if (array_size < old_size) {
        struct lua_value *array = table->array;
        table->array_size = (uint32_t)array_size;
        for (uint32_t i = table->array_size; i < old_size; i++)
            if (array[i].type != LUA_NIL)
                *lua_table_place(lua, table, lua_number(i + 1.0)) = array[i];
        table->array = lua_resize(lua, array, old_size * sizeof *array, array_size * sizeof *array);
    }
    for (uint32_t i = old_count; i-- > 0;)
        if (old[i].value.type != LUA_NIL)
            *lua_table_place(lua, table, node_key(&old[i])) = old[i].value;
    free_nodes(lua, old, old_count);
}

/* --- rehash -------------------------------------------------------------------------------- */

/* counts[n]: integer keys above 2^(n-1), up to 2^n */
static uint32_t count_array(const struct lua_table *table, uint32_t *counts)
{
    uint32_t total = 0, i = 0;

    for (int bits = 0; bits <= ARRAY_BITS_MAX && i < table->array_size; bits++) {
        uint32_t limit = UINT32_C(1) << bits, used = 0;
        if (limit > table->array_size)
            limit = table->array_size;
        for (; i < limit; i++)
            used += table->array[i].type != LUA_NIL;
        counts[bits] += used;
        total += used;
    }
    return total;
}

static bool count_key(struct lua_value key, uint32_t *counts)
{
    uint32_t index = array_index(key);

    if (index)
        counts[log2_ceil(index)]++;
    return index != 0;
}

/* How large the array part should be; '*integers' goes in as the number of integer keys, and comes out as that of
 * those which will be in the array. */
static uint32_t best_array_size(const uint32_t *counts, uint32_t *integers)
{
    uint32_t below = 0, in_array = 0, best = 0;

    for (int bits = 0; (UINT64_C(1) << bits) / 2 < *integers; bits++) {
        uint32_t size = UINT32_C(1) << bits;
        below += counts[bits];
        if (counts[bits] > 0 && below > size / 2) {
            best = size;
            in_array = below;
        }
        if (below == *integers)
            break;
    }
    *integers = in_array;
    return best;
}

static void rehash(struct lua *lua, struct lua_table *table, struct lua_value extra)
{
    uint32_t counts[ARRAY_BITS_MAX + 1] = {0};
    uint32_t integers = count_array(table, counts);
    uint32_t total = integers;

    for (uint32_t i = lua_table_node_count(table); i-- > 0;) {
        const struct lua_node *node = &table->nodes[i];
        if (node->value.type == LUA_NIL)
            continue;
        integers += count_key(node_key(node), counts);
        total++;
    }
    integers += count_key(extra, counts);
    total++;
    uint32_t array_size = best_array_size(counts, &integers);
    lua_table_resize(lua, table, array_size, total - integers);
}

/* --- insert -------------------------------------------------------------------------------- */

static struct lua_node *take_free_node(struct lua_table *table)
{
    while (table->last_free > 0)
        if (table->nodes[--table->last_free].key.type == LUA_NIL)
            return &table->nodes[table->last_free];
    return NULL;
}

static struct lua_value *insert(struct lua *lua, struct lua_table *table, struct lua_value key)
{
    struct lua_node *home = main_position(table, key);

    if (home->value.type != LUA_NIL || !lua_table_has_nodes(table)) {
        struct lua_node *node = take_free_node(table);
        if (!node) {
            rehash(lua, table, key);
            return lua_table_place(lua, table, key);
        }
        struct lua_node *before = main_position(table, node_key(home));
        if (before != home) {
            /* who sits here is a guest: it moves out */
            while (before + before->key.next != home)
                before += before->key.next;
            before->key.next = (int32_t)(node - before);
            *node = *home;
            if (home->key.next)
                node->key.next = (int32_t)(home + home->key.next - node);
            home->key.next = 0;
            home->value.type = LUA_NIL;
        } else {
            node->key.next = home->key.next ? (int32_t)(home + home->key.next - node) : 0;
            home->key.next = (int32_t)(node - home);
            home = node;
        }
    }
    node_set_key(home, key);
    return &home->value;
}

struct lua_value *lua_table_place(struct lua *lua, struct lua_table *table, struct lua_value key)
{
    const struct lua_value *found = lua_table_find(table, key);

    table->object.flags = 0;
    return found != &lua_absent ? (struct lua_value *)found : insert(lua, table, key);
}

/* --- lookup -------------------------------------------------------------------------------- */

const struct lua_value *lua_table_find_number(const struct lua_table *table, double key)
{
    struct lua_value *element = lua_table_element(table, key);
    const struct lua_node *node;

    if (element)
        return element;
    for (node = main_position_number(table, key);; node += node->key.next) {
        if (node->key.type == LUA_NUMBER && node->key.number == key)
            return &node->value;
        if (!node->key.next)
            return &lua_absent;
    }
}

const struct lua_value *lua_table_find(const struct lua_table *table, struct lua_value key)
{
    const struct lua_node *node;

    if (key.type == LUA_NUMBER)
        return lua_table_find_number(table, key.number);
    if (key.type == LUA_NIL)
        return &lua_absent;
    if (key.type == LUA_STRING && lua_string_is_short(key.string))
        return lua_table_find_string(table, key.string);
    for (node = main_position(table, key);; node += node->key.next) {
        if (node_has_key(node, key))
            return &node->value;
        if (!node->key.next)
            return &lua_absent;
    }
}

struct lua_value lua_table_get(const struct lua_table *table, struct lua_value key)
{
    return *lua_table_find(table, key);
}

struct lua_value lua_table_get_int(const struct lua_table *table, int64_t key)
{
    return *lua_table_find_number(table, (double)key);
}

struct lua_value lua_table_get_text(struct lua *lua, const struct lua_table *table, const char *key)
{
    return *lua_table_find(table, lua_text(lua, key));
}

void lua_table_set(struct lua *lua, struct lua_table *table, struct lua_value key, struct lua_value value)
{
    ASSERT(key.type != LUA_NIL);
    *lua_table_place(lua, table, key) = value;
}

void lua_table_set_int(struct lua *lua, struct lua_table *table, int64_t key, struct lua_value value)
{
    struct lua_value *element = lua_table_element(table, (double)key);

    *(element ? element : lua_table_place(lua, table, lua_number((double)key))) = value;
}

void lua_table_set_text(struct lua *lua, struct lua_table *table, const char *key, struct lua_value value)
{
    lua_table_set(lua, table, lua_text(lua, key), value);
}

/* --- length and walk ----------------------------------------------------------------------- */

/* Between 'below', which is in use (or 0), and 'above', which is not. */
static uint64_t find_border(const struct lua_table *table, uint64_t below, uint64_t above)
{
    while (above - below > 1) {
        uint64_t middle = (below + above) / 2;
        if (lua_table_find_number(table, (double)middle)->type == LUA_NIL)
            above = middle;
        else
            below = middle;
    }
    return below;
}

size_t lua_table_len(const struct lua_table *table)
{
    uint64_t below = table->array_size, above = below + 1;

    if (below > 0 && table->array[below - 1].type == LUA_NIL) {
        uint32_t low = 0, high = (uint32_t)below;
        while (high - low > 1) {
            uint32_t middle = (low + high) / 2;
            if (table->array[middle - 1].type == LUA_NIL)
                high = middle;
            else
                low = middle;
        }
        return low;
    }
    if (!lua_table_has_nodes(table))
        return below;
    while (lua_table_find_number(table, (double)above)->type != LUA_NIL) {
        below = above;
        above *= 2;
        if (above > INT32_MAX) { /* made to mislead: count */
            for (below = 0; lua_table_find_number(table, (double)(below + 1))->type != LUA_NIL;)
                below++;
            return below;
        }
    }
    return find_border(table, below, above);
}

/* Where the walk goes on after 'key': elements first, then nodes. SIZE_MAX: there is no such key. */
static size_t position_behind(const struct lua_table *table, struct lua_value key)
{
    const struct lua_node *node;

    if (key.type == LUA_NIL)
        return 0;
    uint32_t index = array_index(key);
    if (index && index <= table->array_size)
        return index;
    for (node = main_position(table, key);; node += node->key.next) {
        bool is_it = node->key.type == KEY_DEAD ? lua_value_is_object(key) && node->key.object == key.object
                                                : node_has_key(node, key);
        if (is_it)
            return table->array_size + (size_t)(node - table->nodes) + 1;
        if (!node->key.next)
            return SIZE_MAX;
    }
}

bool lua_table_next(const struct lua_table *table, struct lua_value *key, struct lua_value *value, bool *is_bad)
{
    size_t at = position_behind(table, *key);

    *is_bad = at == SIZE_MAX;
    if (*is_bad)
        return false;
    for (; at < table->array_size; at++)
        if (table->array[at].type != LUA_NIL) {
            *key = lua_number((double)at + 1);
            *value = table->array[at];
            return true;
        }
    for (at -= table->array_size; at < lua_table_node_count(table); at++)
        if (table->nodes[at].value.type != LUA_NIL) {
            *key = node_key(&table->nodes[at]);
            *value = table->nodes[at].value;
            return true;
        }
    return false;
}

/* --- the rest ------------------------------------------------------------------------------ */

void lua_table_set_metatable(struct lua_table *table, struct lua_table *metatable) { table->metatable = metatable; }
void lua_table_set_readonly(struct lua_table *table, bool is_readonly) { table->is_readonly = is_readonly; }
bool lua_table_is_readonly(const struct lua_table *table) { return table->is_readonly; }

void lua_table_add_functions(struct lua *lua, struct lua_table *table, const struct lua_row *rows, void *context)
{
    for (; rows->name; rows++)
        lua_table_set_text(lua, table, rows->name, lua_new_function(lua, rows->name, rows->function, context));
}
