/* table.sort: quicksort with the median of three, the pivot waiting at the last but one place. A script sees which
 * pairs are compared and where equal elements end, so every step is that of Lua 5.1. */
#include "lua/library.h"

struct sort {
    struct lua_call *call;
    struct lua_table *table;
    struct lua_table *place; /* holds the pivot: an order function may take it from the table */
    bool has_order;
};

static struct lua_value get(const struct sort *sort, int32_t at) { return lua_table_get_int(sort->table, at); }

static void swap(const struct sort *sort, int32_t a, int32_t b)
{
    struct lua_value at_a = get(sort, a);

    lua_table_set_int(sort->call->lua, sort->table, a, get(sort, b));
    lua_table_set_int(sort->call->lua, sort->table, b, at_a);
}

static bool less(const struct sort *sort, struct lua_value a, struct lua_value b, bool *is_less)
{
    struct lua *lua = sort->call->lua;

    if (!sort->has_order) {
        if (!lua_work(lua, 1))
            return false;
        if (lua_is(a, LUA_NUMBER) && lua_is(b, LUA_NUMBER)) {
            *is_less = a.number < b.number;
            return true;
        }
        return lua_less(lua, a, b, is_less);
    }
    if (lua_call(lua, lua_arg(sort->call, 1), (struct lua_value[]){a, b}, 2) < 0)
        return false;
    *is_less = lua_is_true(lua_result(lua, 0));
    return true;
}

/* Swaps the two when 'later' is less than 'earlier'. */
static bool order(const struct sort *sort, int32_t earlier, int32_t later, bool *has_swapped)
{
    if (!less(sort, get(sort, later), get(sort, earlier), has_swapped))
        return false;
    if (*has_swapped)
        swap(sort, earlier, later);
    return true;
}

static bool raise_order(const struct sort *sort)
{
    return lua_raise_text(sort->call->lua, "invalid order function for sorting");
}

/* The pivot is at high - 1; '*middle' is where it belongs and then stands. */
static bool partition(const struct sort *sort, int32_t low, int32_t high, int32_t *middle)
{
    struct lua_value pivot = get(sort, high - 1);
    int32_t i = low, j = high - 1;
    bool is_less;

    lua_table_set_int(sort->call->lua, sort->place, 1, pivot);
    for (;;) {
        for (;;) {
            if (!less(sort, get(sort, ++i), pivot, &is_less))
                return false;
            if (!is_less)
                break;
            if (i > high)
                return raise_order(sort);
        }
        for (;;) {
            if (!less(sort, pivot, get(sort, --j), &is_less))
                return false;
            if (!is_less)
                break;
            if (j < low)
                return raise_order(sort);
        }
        if (j < i)
            break;
        swap(sort, i, j);
    }
    swap(sort, high - 1, i);
    *middle = i;
    return true;
}

static bool sort_range(const struct sort *sort, int32_t low, int32_t high)
{
    while (low < high) {
        int32_t middle = (int32_t)(((int64_t)low + high) / 2);
        bool has_swapped;

        if (!order(sort, low, high, &has_swapped))
            return false;
        if (high - low == 1)
            return true;
        if (!order(sort, low, middle, &has_swapped) || (!has_swapped && !order(sort, middle, high, &has_swapped)))
            return false;
        if (high - low == 2)
            return true;
        swap(sort, middle, high - 1);
        if (!partition(sort, low, high, &middle))
            return false;
        /* The smaller side by recursion, so that its depth is the logarithm. */
        if (middle - low < high - middle) {
            if (!sort_range(sort, low, middle - 1))
                return false;
            low = middle + 1;
        } else {
            if (!sort_range(sort, middle + 1, high))
                return false;
            high = middle - 1;
        }
    }
    return true;
}

bool lua_table_sort(struct lua_call *call)
{
    struct sort sort = {.call = call};
    int32_t len;

    if (!lua_arg_table(call, 0, &sort.table))
        return false;
    len = (int32_t)lua_table_len(sort.table);
    sort.has_order = !lua_is(lua_arg(call, 1), LUA_NIL);
    if (sort.has_order && !lua_arg_type(call, 1, LUA_FUNCTION))
        return false;
    if (lua_table_is_readonly(sort.table))
        return len < 2 || lua_raise(call->lua, lua_text(call->lua, "Attempt to modify a readonly table"));
    sort.place = lua_table_new(call->lua, 1, 0);
    lua_keep(call, lua_of_table(sort.place));
    return sort_range(&sort, 1, len);
}
