/* cjson: the table of functions and their settings. Each cjson.new() has settings of its own. */
#include "lua/cjson.h"

#include <limits.h>
#include <stdio.h>

static const int usual[CJSON_SETTINGS] = {
    [CJSON_SPARSE_CONVERT] = 0,           [CJSON_SPARSE_RATIO] = 2,        [CJSON_SPARSE_SAFE] = 10,
    [CJSON_ENCODE_MAX_DEPTH] = 1000,      [CJSON_DECODE_MAX_DEPTH] = 1000, [CJSON_ENCODE_INVALID] = CJSON_REFUSE,
    [CJSON_DECODE_INVALID] = CJSON_ALLOW, [CJSON_PRECISION] = 14,          [CJSON_KEEP_BUFFER] = 1,
};

int cjson_setting(struct lua_call *call, enum cjson_setting setting)
{
    return (int)lua_table_get_int(lua_upvalue(call, 0).table, setting).number;
}

static void set(struct lua_call *call, enum cjson_setting setting, int value)
{
    lua_table_set_int(call->lua, lua_upvalue(call, 0).table, setting, lua_number(value));
}

static bool argc_at_most(struct lua_call *call, int most)
{
    return call->argc <= most || lua_raise_argument(call, most, "found too many arguments");
}

/* Sets what the argument says, if there is one, and returns what is set. */
static bool whole_option(struct lua_call *call, int at, enum cjson_setting setting, int least, int most)
{
    char message[64];
    int32_t value;

    if (!lua_is(lua_arg(call, at), LUA_NIL)) {
        if (!lua_arg_int32(call, at, &value))
            return false;
        if (value < least || value > most) {
            snprintf(message, sizeof message, "expected integer between %d and %d", least, most);
            return lua_raise_argument(call, 0, message); /* always the first */
        }
        set(call, setting, value);
    }
    lua_return(call, lua_number(cjson_setting(call, setting)));
    return true;
}

/* A boolean, or one of the names. */
static bool named_option(struct lua_call *call, int at, enum cjson_setting setting, int name_count)
{
    static const char *const names[] = {"off", "on", "null"};
    struct lua_value argument = lua_arg(call, at);
    struct bytes name;
    int value;

    if (lua_is(argument, LUA_BOOLEAN)) {
        set(call, setting, argument.boolean);
    } else if (!lua_is(argument, LUA_NIL)) {
        char message[64];

        if (!lua_arg_string(call, at, &name))
            return false;
        for (value = 0; value < name_count && strcmp(name.data, names[value]) != 0;)
            value++;
        if (value == name_count) {
            snprintf(message, sizeof message, "invalid option '%.40s'", name.data);
            return lua_raise_argument(call, at, message);
        }
        set(call, setting, value);
    }
    value = cjson_setting(call, setting);
    lua_return(call, value < 2 ? lua_boolean(value) : lua_text(call->lua, names[value]));
    return true;
}

static bool encode_sparse_array(struct lua_call *call)
{
    return argc_at_most(call, 3) && named_option(call, 0, CJSON_SPARSE_CONVERT, 2) &&
           whole_option(call, 1, CJSON_SPARSE_RATIO, 0, INT_MAX) &&
           whole_option(call, 2, CJSON_SPARSE_SAFE, 0, INT_MAX);
}

static bool encode_max_depth(struct lua_call *call)
{
    return argc_at_most(call, 1) && whole_option(call, 0, CJSON_ENCODE_MAX_DEPTH, 1, INT_MAX);
}

static bool decode_max_depth(struct lua_call *call)
{
    return argc_at_most(call, 1) && whole_option(call, 0, CJSON_DECODE_MAX_DEPTH, 1, INT_MAX);
}

static bool encode_number_precision(struct lua_call *call)
{
    return argc_at_most(call, 1) && whole_option(call, 0, CJSON_PRECISION, 1, 14);
}

/* There is no buffer to keep: what is set is told, and no more can be seen of it in any server. */
static bool encode_keep_buffer(struct lua_call *call)
{
    return argc_at_most(call, 1) && named_option(call, 0, CJSON_KEEP_BUFFER, 2);
}

static bool encode_invalid_numbers(struct lua_call *call)
{
    return argc_at_most(call, 1) && named_option(call, 0, CJSON_ENCODE_INVALID, 3);
}

static bool decode_invalid_numbers(struct lua_call *call)
{
    return argc_at_most(call, 1) && named_option(call, 0, CJSON_DECODE_INVALID, 2);
}

static struct lua_table *new_library(struct lua *lua);

static bool cjson_new(struct lua_call *call)
{
    lua_return(call, lua_of_table(new_library(call->lua)));
    return true;
}

static const struct lua_row functions[] = {
    {"encode", cjson_encode},
    {"decode", cjson_decode},
    {"encode_sparse_array", encode_sparse_array},
    {"encode_max_depth", encode_max_depth},
    {"decode_max_depth", decode_max_depth},
    {"encode_number_precision", encode_number_precision},
    {"encode_keep_buffer", encode_keep_buffer},
    {"encode_invalid_numbers", encode_invalid_numbers},
    {"decode_invalid_numbers", decode_invalid_numbers},
    {"new", cjson_new},
};

static struct lua_table *new_library(struct lua *lua)
{
    struct lua_table *library = lua_table_new(lua, 0, 0), *settings = lua_table_new(lua, CJSON_SETTINGS, 0);
    struct lua_value shared = lua_of_table(settings);

    for (int i = 1; i < CJSON_SETTINGS; i++)
        lua_table_set_int(lua, settings, i, lua_number(usual[i]));
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        lua_table_set_text(lua, library, functions[i].name,
                           lua_new_closure(lua, functions[i].name, functions[i].function, NULL, &shared, 1));
    lua_table_set_text(lua, library, "null", lua_pointer(NULL));
    lua_table_set_text(lua, library, "_NAME", lua_text(lua, "cjson"));
    lua_table_set_text(lua, library, "_VERSION", lua_text(lua, "2.1.0"));
    return library;
}

void lua_open_cjson(struct lua *lua)
{
    lua_table_set_text(lua, lua_globals(lua), "cjson", lua_of_table(new_library(lua)));
}
