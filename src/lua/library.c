#include "lua/library.h"

#include <limits.h>

struct lua_table *lua_open_library(struct lua *lua, const char *name, const struct lua_row *rows)
{
    struct lua_table *table = lua_table_new(lua, 0, 0);

    lua_table_set_text(lua, lua_globals(lua), name, lua_of_table(table));
    lua_table_add_functions(lua, table, rows, NULL);
    return table;
}

bool lua_arg_int32(struct lua_call *call, int at, int32_t *number)
{
    int64_t whole;

    if (!lua_arg_int(call, at, &whole))
        return false;
    *number = (int32_t)(uint32_t)whole;
    return true;
}

bool lua_arg_optional_int32(struct lua_call *call, int at, int32_t *number)
{
    return lua_is(lua_arg(call, at), LUA_NIL) || lua_arg_int32(call, at, number);
}

int lua_double_to_int(double number) { return number > -0x1p31 - 1 && number < 0x1p31 ? (int)number : INT_MIN; }

int64_t lua_double_to_int64(double number)
{
    return number >= -0x1p63 && number < 0x1p63 ? (int64_t)number : INT64_MIN;
}

uint64_t lua_double_to_uint64(double number)
{
    if (number >= 0x1p63)
        return (uint64_t)lua_double_to_int64(number - 0x1p63) ^ UINT64_C(1) << 63;
    return (uint64_t)lua_double_to_int64(number);
}

bool lua_string_fits(struct lua *lua, size_t len, size_t more)
{
    return (len <= LUA_STRING_MAX && more <= LUA_STRING_MAX - len) ||
           lua_raise(lua, lua_text(lua, "not enough memory"));
}

bool lua_return_text(struct lua_call *call, struct text *text)
{
    bool fits = lua_string_fits(call->lua, text->len, 0);

    if (fits)
        lua_return(call, lua_string(call->lua, text_bytes(text)));
    text_release(text);
    return fits;
}
