/* The interpreter of functions.
 *
 *     a library's code and its functions
 *         | globals
 *         v
 *     environment, empty and read-only
 *         | __index
 *         +--- while a library is loaded ---> loading = { redis, server = { register_function, log, LOG_* ... } }
 *         +--- while a function runs -------> the interpreter's own globals
 *
 * So a body sees nothing but how to register functions, and functions see what scripts see. */
#include "functions_internal.h"
#include "script_internal.h"

#include <stdio.h>

/* --- redis.register_function ---------------------------------------------------------------------- */

struct registration {
    struct lua_value name, description, callback, flags; /* nil: not given */
};

static bool fail(struct lua_call *call, const char *text)
{
    const struct function_machine *of = call->context;

    return lua_raise(call->lua, script_error_value(of->machine, text));
}

static bool take_named(struct lua_call *call, struct lua_value key, struct lua_value value,
                       struct registration *given)
{
    char at_hand[LUA_NUMBER_TEXT_MAX];
    struct bytes name;

    if (!is_text(key))
        return fail(call, "named argument key given to redis.register_function is not a string");
    name = text_of(key, at_hand);
    if (bytes_is(name, "function_name")) {
        if (!is_text(value))
            return fail(call, "function_name argument given to redis.register_function must be a string");
        given->name = value;
    } else if (bytes_is(name, "description")) {
        if (!is_text(value))
            return fail(call, "description argument given to redis.register_function must be a string");
        given->description = value;
    } else if (bytes_is(name, "callback")) {
        if (!lua_is(value, LUA_FUNCTION))
            return fail(call, "callback argument given to redis.register_function must be a function");
        given->callback = value;
    } else if (bytes_is(name, "flags")) {
        if (!lua_is(value, LUA_TABLE))
            return fail(call, "flags argument to redis.register_function must be a table representing function flags");
        given->flags = value;
    } else {
        return fail(call, "unknown argument given to redis.register_function");
    }
    return true;
}

static bool take_table(struct lua_call *call, struct registration *given)
{
    struct lua_value key = lua_nil(), value;
    bool is_bad;

    if (!lua_is(lua_arg(call, 0), LUA_TABLE))
        return fail(call, "calling redis.register_function with a single argument is only applicable to Lua table "
                          "(representing named arguments).");
    while (lua_table_next(lua_arg(call, 0).table, &key, &value, &is_bad))
        if (!take_named(call, key, value, given))
            return false;
    if (lua_is(given->name, LUA_NIL))
        return fail(call, "redis.register_function must get a function name argument");
    if (lua_is(given->callback, LUA_NIL))
        return fail(call, "redis.register_function must get a callback argument");
    return true;
}

static bool take_two(struct lua_call *call, struct registration *given)
{
    given->name = lua_arg(call, 0);
    given->callback = lua_arg(call, 1);
    if (!is_text(given->name))
        return fail(call, "first argument to redis.register_function must be a string");
    if (!lua_is(given->callback, LUA_FUNCTION))
        return fail(call, "second argument to redis.register_function must be a function");
    return true;
}

static unsigned flag_of(struct lua_value value)
{
    char lower[32];
    struct bytes name;

    if (!lua_is(value, LUA_STRING))
        return 0;
    name = lua_string_bytes(value);
    if (name.len > sizeof lower)
        return 0;
    for (size_t i = 0; i < name.len; i++)
        lower[i] = (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] + ('a' - 'A') : name.data[i]);
    return script_flag((struct bytes){lower, name.len});
}

static bool take_flags(struct lua_call *call, struct lua_value list, unsigned *flags)
{
    for (int64_t at = 1; lua_is(list, LUA_TABLE); at++) {
        struct lua_value value = lua_table_get_int(list.table, at);
        unsigned flag = flag_of(value);

        if (lua_is(value, LUA_NIL))
            break;
        if (!flag)
            return fail(call, "unknown flag given");
        *flags |= flag;
    }
    return true;
}

static bool register_function(struct lua_call *call)
{
    struct function_machine *of = call->context;
    struct registration given = {lua_nil(), lua_nil(), lua_nil(), lua_nil()};
    struct library_function function = {.name = {NULL, 0}};
    char name_at_hand[LUA_NUMBER_TEXT_MAX], description_at_hand[LUA_NUMBER_TEXT_MAX];
    struct library_function *added;

    if (!of->library)
        return fail(call, "redis.register_function can only be called on FUNCTION LOAD command");
    if (call->argc < 1 || call->argc > 2)
        return fail(call, "wrong number of arguments to redis.register_function");
    if (!(call->argc == 1 ? take_table(call, &given) : take_two(call, &given)))
        return false;
    if (!take_flags(call, given.flags, &function.flags))
        return false;
    function.name = text_of(given.name, name_at_hand);
    if (!lua_is(given.description, LUA_NIL))
        function.description = text_of(given.description, description_at_hand);
    if (!library_name_is_good(function.name))
        return fail(call, BAD_NAME);
    added = library_add(of->library, &function);
    if (!added)
        return fail(call, "Function already exists in the library");
    added->pin = lua_pin(call->lua, given.callback);
    return true;
}

/* --- what a body sees ----------------------------------------------------------------------------- */

static const char *const shown_while_loading[] = {
    "log", "LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING", "REDIS_VERSION", "REDIS_VERSION_NUM",
};

/* A read-only table; what is not there is an error, as it is for globals. */
static struct lua_value protect(struct lua *lua, struct lua_table *table, struct lua_table *meta)
{
    lua_table_set_metatable(table, meta);
    lua_table_set_readonly(table, true);
    return lua_of_table(table);
}

static struct lua_value make_loading(struct function_machine *of)
{
    struct lua *lua = of->machine->lua;
    struct lua_table *globals = lua_globals(lua), *loading = lua_table_new(lua, 0, 1);
    struct lua_table *redis = lua_table_new(lua, 0, 8), *missing = lua_metatable(lua, lua_of_table(globals));
    struct lua_table *scripts_redis = lua_table_get_text(lua, globals, "redis").table;

    for (size_t i = 0; i < sizeof shown_while_loading / sizeof *shown_while_loading; i++) {
        const char *name = shown_while_loading[i];

        lua_table_set_text(lua, redis, name, lua_table_get_text(lua, scripts_redis, name));
    }
    lua_table_set_text(lua, redis, "register_function",
                       lua_new_function(lua, "register_function", register_function, of));
    lua_table_set_text(lua, loading, "redis", protect(lua, redis, missing));
    lua_table_set_text(lua, loading, "server", lua_of_table(redis)); /* Valkey's name, which its benchmark uses */
    return protect(lua, loading, missing);
}

static void look_in(struct function_machine *of, struct lua_value table)
{
    lua_table_set_text(of->machine->lua, of->meta, "__index", table);
}

void function_machine_open(struct function_machine *of, struct scripts *scripts)
{
    struct lua *lua;

    if (of->machine)
        return;
    of->machine = script_machine_new(scripts, SCRIPT_FUNCTION);
    lua = of->machine->lua;
    lua_table_set_text(lua, lua_globals(lua), "__redis__err__handler", lua_nil());
    of->meta = lua_table_new(lua, 0, 1);
    lua_pin(lua, lua_of_table(of->meta));
    lua_table_set_readonly(of->meta, true);
    of->environment = lua_table_new(lua, 0, 0);
    lua_pin(lua, protect(lua, of->environment, of->meta));
    of->loading = make_loading(of);
    lua_pin(lua, of->loading);
    look_in(of, lua_of_table(lua_globals(lua)));
}

/* --- loading -------------------------------------------------------------------------------------- */

#define TIMEOUT "ERR timeout" /* what script_call_limited ends with */

/* An error of the interpreter is a text without a code, one of ours a table with a code in its text. */
static void tell_failure(const struct function_machine *of, const char *what, bool has_code, struct text *error)
{
    struct bytes text = script_error_text(of->machine);
    bool is_table = lua_is(lua_error_value(of->machine->lua), LUA_TABLE);

    if (is_table && bytes_equal(text, BYTES(TIMEOUT)))
        text = BYTES("ERR FUNCTION LOAD timeout");
    text_format(error, "ERR Error %s function%s: %s%.*s", what, has_code ? "s" : "", has_code && !is_table ? "ERR " : "",
                (int)text.len, text.data);
}

bool function_machine_load(struct function_machine *of, struct library *library, struct bytes body, int64_t limit_ms,
                           struct text *error)
{
    struct lua *lua = of->machine->lua;
    struct lua_value function;
    int count;

    if (!lua_load(lua, body, BYTES("@user_function"), of->environment, &function)) {
        tell_failure(of, "compiling", false, error);
        return false;
    }
    of->library = library;
    look_in(of, of->loading);
    count = script_call_limited(of->machine, function, NULL, 0, limit_ms);
    look_in(of, lua_of_table(lua_globals(lua)));
    of->library = NULL;
    if (count < 0)
        tell_failure(of, "registering", true, error);
    return count >= 0;
}

void function_machine_forget(struct function_machine *of, const struct library *library)
{
    for (const struct library_function *function = library->first; function; function = function->next)
        lua_unpin(of->machine->lua, function->pin);
}
