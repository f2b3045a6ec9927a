/* The table library, but for sort. All of it reads and writes raw. */
#include "lua/library.h"

static bool writable(struct lua_call *call, const struct lua_table *table)
{
    return !lua_table_is_readonly(table) ||
           lua_raise(call->lua, lua_text(call->lua, "Attempt to modify a readonly table"));
}

static bool table_insert(struct lua_call *call)
{
    struct lua_table *table;
    int32_t end, at;

    if (!lua_arg_table(call, 0, &table))
        return false;
    at = end = (int32_t)lua_table_len(table) + 1;
    if (call->argc == 3) {
        if (!lua_arg_int32(call, 1, &at))
            return false;
        if (!writable(call, table))
            return false;
        for (int64_t i = at > end ? at : end; i > at; i--) {
            if (!lua_work(call->lua, 1))
                return false;
            lua_table_set_int(call->lua, table, i, lua_table_get_int(table, i - 1));
        }
    } else if (call->argc != 2) {
        return lua_raise_text(call->lua, "wrong number of arguments to 'insert'");
    }
    if (!writable(call, table))
        return false;
    lua_table_set_int(call->lua, table, at, lua_arg(call, call->argc - 1));
    return true;
}

static bool table_remove(struct lua_call *call)
{
    struct lua_table *table;
    int32_t end, at;

    if (!lua_arg_table(call, 0, &table))
        return false;
    at = end = (int32_t)lua_table_len(table);
    if (!lua_arg_optional_int32(call, 1, &at))
        return false;
    if (at < 1 || at > end)
        return true; /* nothing is removed, nothing comes back */
    lua_return(call, lua_table_get_int(table, at));
    if (!writable(call, table))
        return false;
    for (int64_t i = at; i < end; i++) {
        if (!lua_work(call->lua, 1))
            return false;
        lua_table_set_int(call->lua, table, i, lua_table_get_int(table, i + 1));
    }
    lua_table_set_int(call->lua, table, end, lua_nil());
    return true;
}

static bool add_value(struct lua_call *call, struct text *out, const struct lua_table *table, int64_t at)
{
    struct lua_value value = lua_table_get_int(table, at);
    char number[LUA_NUMBER_TEXT_MAX];
    struct bytes text;

    if (lua_is(value, LUA_STRING))
        text = lua_string_bytes(value);
    else if (lua_is(value, LUA_NUMBER))
        text = (struct bytes){number, lua_number_text(number, value.number)};
    else
        return lua_raise_text(call->lua, "invalid value (%s) at index %d in table for 'concat'",
                              lua_type_name(value.type), (int)at);
    if (!lua_string_fits(call->lua, out->len, text.len))
        return false;
    text_add(out, text);
    return true;
}

static bool table_concat(struct lua_call *call)
{
    struct bytes separator = BYTES("");
    struct lua_table *table;
    struct text out = {0};
    int32_t from = 1, to;

    if (!lua_arg_optional_string(call, 1, &separator) || !lua_arg_table(call, 0, &table) ||
        !lua_arg_optional_int32(call, 2, &from))
        return false;
    to = (int32_t)lua_table_len(table);
    if (!lua_arg_optional_int32(call, 3, &to))
        return false;
    for (int64_t i = from; i <= to; i++) {
        bool is_added = lua_work(call->lua, 1) && add_value(call, &out, table, i);

        if (is_added && i < to && (is_added = lua_string_fits(call->lua, out.len, separator.len)))
            text_add(&out, separator);
        if (!is_added) {
            text_release(&out);
            return false;
        }
    }
    return lua_return_text(call, &out);
}

static bool table_getn(struct lua_call *call)
{
    struct lua_table *table;

    if (!lua_arg_table(call, 0, &table))
        return false;
    lua_return(call, lua_number((double)lua_table_len(table)));
    return true;
}

static bool table_setn(struct lua_call *call)
{
    return lua_arg_type(call, 0, LUA_TABLE) && lua_raise_text(call->lua, "'setn' is obsolete");
}

static bool table_maxn(struct lua_call *call)
{
    struct lua_table *table;
    struct lua_value key = lua_nil(), value;
    double highest = 0;
    bool is_bad;

    if (!lua_arg_table(call, 0, &table))
        return false;
    while (lua_table_next(table, &key, &value, &is_bad)) {
        if (!lua_work(call->lua, 1))
            return false;
        if (lua_is(key, LUA_NUMBER) && key.number > highest)
            highest = key.number;
    }
    lua_return(call, lua_number(highest));
    return true;
}

/* Calls argument 1. True in '*is_over' ends the walk: it has returned a value, or raised. */
static bool visit(struct lua_call *call, struct lua_value key, struct lua_value value, bool *is_over)
{
    *is_over = true;
    if (lua_call(call->lua, lua_arg(call, 1), (struct lua_value[]){key, value}, 2) < 0)
        return false;
    if (lua_is(lua_result(call->lua, 0), LUA_NIL))
        *is_over = false;
    else
        lua_return(call, lua_result(call->lua, 0));
    return true;
}

static bool table_foreachi(struct lua_call *call)
{
    struct lua_table *table;
    bool is_over = false, is_good = true;
    int32_t end;

    if (!lua_arg_table(call, 0, &table))
        return false;
    end = (int32_t)lua_table_len(table);
    if (!lua_arg_type(call, 1, LUA_FUNCTION))
        return false;
    for (int32_t i = 1; i <= end && !is_over; i++)
        is_good = visit(call, lua_number(i), lua_table_get_int(table, i), &is_over);
    return is_good;
}

static bool table_foreach(struct lua_call *call)
{
    struct lua_table *table, *place;
    struct lua_value key = lua_nil(), value;
    bool is_over = false, is_bad = false;

    if (!lua_arg_table(call, 0, &table) || !lua_arg_type(call, 1, LUA_FUNCTION))
        return false;
    place = lua_table_new(call->lua, 1, 0); /* holds the key while the function runs, which may remove it */
    lua_keep(call, lua_of_table(place));
    while (!is_over && lua_table_next(table, &key, &value, &is_bad)) {
        lua_table_set_int(call->lua, place, 1, key);
        if (!visit(call, key, value, &is_over))
            return false;
    }
    return !is_bad || lua_raise(call->lua, lua_text(call->lua, "invalid key to 'next'"));
}

static const struct lua_row functions[] = {
    {"concat", table_concat},     {"foreach", table_foreach},
    {"foreachi", table_foreachi}, {"getn", table_getn},
    {"insert", table_insert},     {"maxn", table_maxn},
    {"remove", table_remove},     {"setn", table_setn},
    {"sort", lua_table_sort},     {NULL, NULL},
};

void lua_open_table(struct lua *lua) { lua_open_library(lua, "table", functions); }
