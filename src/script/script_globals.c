/* The globals of scripts: what is not there is an error, and nothing can be changed. */
#include "script_internal.h"

/* --- what is there ------------------------------------------------------------------------------- */

/* Valkey's scripts call the table 'redis' by another name. Who lists the globals does not see it, as with Redis. */
static bool is_valkeys_name(const struct lua_call *call)
{
    struct lua_value table = lua_arg(call, 0), name = lua_arg(call, 1);

    return lua_is(table, LUA_TABLE) && table.table == lua_globals(call->lua) && lua_is(name, LUA_STRING) &&
           bytes_is(lua_string_bytes(name), "server");
}

static bool missing_global(struct lua_call *call)
{
    struct lua_value name = lua_arg(call, 1);
    char text[LUA_NUMBER_TEXT_MAX];
    struct bytes shown;

    if (is_valkeys_name(call)) {
        lua_return(call, lua_table_get_text(call->lua, lua_globals(call->lua), "redis"));
        return true;
    }
    if (!is_text(name))
        return lua_raise_text(call->lua, "Second argument to luaProtectedTableError must be a string or number");
    shown = text_of(name, text);
    return lua_raise_text(call->lua, "Script attempted to access nonexistent global variable '%.*s'", (int)shown.len,
                          shown.data);
}

/* As the error that a script does not catch is seen by xpcall of older scripts: a table with its place. */
static bool error_handler(struct lua_call *call)
{
    struct machine *machine = machine_of_call(call);
    struct lua *lua = call->lua;
    struct lua_value error = lua_arg(call, 0), text;
    struct bytes chunk;
    int line;

    if (!lua_is(error, LUA_TABLE)) {
        if (!lua_to_text(lua, error, &text))
            return false;
        error = error_table(machine, lua_string_bytes(text));
    }
    if (lua_place(lua, 0, &chunk, &line)) {
        lua_keep(call, error);
        if (!lua_set_index(lua, error, lua_text(lua, "source"),
                           lua_format(lua, "@%.*s", (int)chunk.len, chunk.data)) ||
            !lua_set_index(lua, error, lua_text(lua, "line"), lua_number(line)))
            return false;
    }
    lua_return(call, error);
    return true;
}

void globals_open(struct machine *machine)
{
    struct lua *lua = machine->public.lua;
    struct lua_table *globals = lua_globals(lua), *meta = lua_table_new(lua, 0, 1);

    lua_table_set_metatable(globals, meta);
    lua_table_set_text(lua, meta, "__index",
                       lua_new_function(lua, "__index", missing_global, machine));
    lua_table_set_text(lua, globals, "__redis__err__handler",
                       lua_new_function(lua, "__redis__err__handler", error_handler, machine));
}

/* --- protection ---------------------------------------------------------------------------------- */

static void protect(struct lua *lua, struct lua_table *table)
{
    struct lua_value key = lua_nil(), value;
    bool is_bad;

    if (lua_table_is_readonly(table))
        return;
    lua_table_set_readonly(table, true);
    if (lua_metatable(lua, lua_of_table(table)))
        protect(lua, lua_metatable(lua, lua_of_table(table)));
    while (lua_table_next(table, &key, &value, &is_bad))
        if (lua_is(value, LUA_TABLE))
            protect(lua, value.table);
}

void globals_protect(struct machine *machine)
{
    struct lua *lua = machine->public.lua;
    struct lua_table *of_strings = lua_metatable(lua, machine->key_ok);

    protect(lua, lua_globals(lua));
    if (of_strings)
        protect(lua, of_strings);
}
