/* The functions that every script has: assert, pairs, pcall, tonumber and their like. */
#include "lua/library.h"
#include "table_internal.h"

#include "base/assert.h"

#include <ctype.h>
#include <stdlib.h>

/* --- errors -------------------------------------------------------------------------------- */

static bool base_assert(struct lua_call *call)
{
    struct bytes message = BYTES("assertion failed!");

    if (!lua_arg_any(call, 0))
        return false;
    if (!lua_is_true(lua_arg(call, 0)))
        return lua_arg_optional_string(call, 1, &message) && lua_raise_text(call->lua, "%s", message.data);
    for (int i = 0; i < call->argc; i++)
        lua_return(call, lua_arg(call, i));
    return true;
}

static bool base_error(struct lua_call *call)
{
    struct lua *lua = call->lua;
    struct lua_value error = lua_arg(call, 0);
    char place[PLACE_TEXT_MAX];
    int64_t level = 1;
    size_t len = 0;

    if (!lua_arg_optional_int(call, 1, &level))
        return false;
    if (error.type == LUA_STRING || error.type == LUA_NUMBER) {
        if (level > 0 && level < INT32_MAX)
            len = lua_place_text(lua, (int)level, place, sizeof place);
        if (len) {
            lua_coerce_string(lua, &error);
            struct lua_string *joined = lua_string_new_long(lua, len + error.string->len);
            memcpy(joined->data, place, len);
            memcpy(joined->data + len, error.string->data, error.string->len);
            error = lua_string(lua, (struct bytes){joined->data, joined->len});
        }
    }
    return lua_raise(lua, error);
}

/* The results of a lua_call that is over, behind 'true'; or false and the error. */
static bool return_outcome(struct lua_call *call, int count)
{
    struct lua *lua = call->lua;

    if (count < 0 && lua->unwind == UNWIND_HOOK)
        return false;
    lua_return(call, lua_boolean(count >= 0));
    if (count < 0)
        lua_return(call, lua->error);
    for (int i = 0; i < count; i++)
        lua_return(call, lua_result(lua, i));
    return true;
}

/* An error that is a table shows what its field 'err' says, when that is a text (the errors of commands are such
 * tables). Else the field comes behind the table, nil as it may be: scripts know the servers so. */
static bool return_error(struct lua_call *call, struct lua_value error)
{
    struct lua *lua = call->lua;
    struct lua_value text;

    lua_return(call, lua_boolean(false));
    if (error.type != LUA_TABLE) {
        lua_return(call, error);
        return true;
    }
    lua_keep(call, error);
    if (!lua_index(lua, error, lua_text(lua, "err"), &text))
        return false;
    if (text.type != LUA_STRING && text.type != LUA_NUMBER)
        lua_return(call, error);
    lua_return(call, text);
    return true;
}

static bool base_pcall(struct lua_call *call)
{
    struct lua *lua = call->lua;
    const struct lua_value *args = lua->running->stack + call->base;
    int count;

    if (call->argc == 0)
        return return_error(call, lua_text(lua, "attempt to call a boolean value"));
    count = lua_call(lua, args[0], args + 1, call->argc - 1);
    if (count < 0 && lua->unwind == UNWIND_ERROR)
        return return_error(call, lua->error);
    return return_outcome(call, count);
}

/* An error in the handler is handed to the handler again, until it gives up. */
static bool base_xpcall(struct lua_call *call)
{
    struct lua *lua = call->lua;
    struct lua_value handler = lua_arg(call, 1);

    if (!lua_arg_any(call, 1))
        return false;
    int count = lua_call(lua, lua_arg(call, 0), NULL, 0);
    if (count >= 0)
        return return_outcome(call, count);
    int left = handler.type == LUA_FUNCTION ? C_DEPTH_MAX - lua->c_depth : 0;
    for (; lua->unwind == UNWIND_ERROR && left > 0; left--) {
        struct lua_value error = lua->error;
        if (lua_call(lua, handler, &error, 1) >= 0) {
            lua_raise(lua, lua_result(lua, 0));
            break;
        }
    }
    if (lua->unwind == UNWIND_ERROR && left <= 0)
        lua->error = lua_text(lua, "error in error handling");
    return return_outcome(call, -1);
}

/* --- tables -------------------------------------------------------------------------------- */

bool lua_base_next(struct lua_call *call)
{
    struct lua_table *table;
    struct lua_value key = lua_arg(call, 1), value;
    bool is_bad;

    if (!lua_arg_table(call, 0, &table))
        return false;
    if (key.type == LUA_NIL) /* an emptied table is searched to its end */
        lua_charge(call->lua, (size_t)table->array_size + lua_table_node_count(table));
    if (lua_table_next(table, &key, &value, &is_bad)) {
        lua_return(call, key);
        lua_return(call, value);
        return true;
    }
    if (is_bad)
        return lua_raise_runtime(call->lua, "invalid key to 'next'");
    lua_return(call, lua_nil());
    return true;
}

bool lua_base_ipairs_step(struct lua_call *call)
{
    struct lua_table *table;
    struct lua_value value;
    int64_t at;

    if (!lua_arg_int(call, 1, &at) || !lua_arg_table(call, 0, &table))
        return false;
    at = (int32_t)((uint32_t)at + 1);
    value = lua_table_get_int(table, at);
    if (value.type == LUA_NIL)
        return true;
    lua_return(call, lua_number((double)at));
    lua_return(call, value);
    return true;
}

/* The iterator is an upvalue. */
static bool return_iterator(struct lua_call *call, struct lua_value control)
{
    if (!lua_arg_type(call, 0, LUA_TABLE))
        return false;
    lua_return(call, lua_upvalue(call, 0));
    lua_return(call, lua_arg(call, 0));
    lua_return(call, control);
    return true;
}

static bool base_pairs(struct lua_call *call) { return return_iterator(call, lua_nil()); }
static bool base_ipairs(struct lua_call *call) { return return_iterator(call, lua_number(0)); }

static bool base_rawequal(struct lua_call *call)
{
    if (!lua_arg_any(call, 0) || !lua_arg_any(call, 1))
        return false;
    lua_return(call, lua_boolean(lua_equal_raw(lua_arg(call, 0), lua_arg(call, 1))));
    return true;
}

static bool base_rawget(struct lua_call *call)
{
    struct lua_table *table;

    if (!lua_arg_table(call, 0, &table) || !lua_arg_any(call, 1))
        return false;
    lua_return(call, lua_table_get(table, lua_arg(call, 1)));
    return true;
}

static bool base_rawset(struct lua_call *call)
{
    struct lua_table *table;
    struct lua_value key = lua_arg(call, 1);

    if (!lua_arg_table(call, 0, &table) || !lua_arg_any(call, 1) || !lua_arg_any(call, 2))
        return false;
    if (table->is_readonly)
        return lua_raise_runtime(call->lua, "Attempt to modify a readonly table");
    if (key.type == LUA_NIL)
        return lua_raise_runtime(call->lua, "table index is nil");
    if (key.type == LUA_NUMBER && key.number != key.number)
        return lua_raise_runtime(call->lua, "table index is NaN");
    lua_table_set(call->lua, table, key, lua_arg(call, 2));
    lua_return(call, lua_arg(call, 0));
    return true;
}

static bool base_getmetatable(struct lua_call *call)
{
    struct lua *lua = call->lua;

    if (!lua_arg_any(call, 0))
        return false;
    struct lua_table *metatable = lua_metatable(lua, lua_arg(call, 0));
    if (!metatable) {
        lua_return(call, lua_nil());
        return true;
    }
    struct lua_value shown = *lua_table_find_string(metatable, lua->event_names[EVENT_METATABLE]);
    lua_return(call, shown.type == LUA_NIL ? lua_of_table(metatable) : shown);
    return true;
}

static bool base_setmetatable(struct lua_call *call)
{
    struct lua *lua = call->lua;
    struct lua_table *table;
    struct lua_value metatable = lua_arg(call, 1);

    if (!lua_arg_table(call, 0, &table))
        return false;
    if (call->argc < 2 || (metatable.type != LUA_NIL && metatable.type != LUA_TABLE))
        return lua_raise_argument(call, 1, "nil or table expected");
    if (table->metatable
        && lua_table_find_string(table->metatable, lua->event_names[EVENT_METATABLE])->type != LUA_NIL)
        return lua_raise_text(lua, "cannot change a protected metatable");
    if (table->is_readonly)
        return lua_raise_runtime(lua, "Attempt to modify a readonly table");
    table->metatable = metatable.type == LUA_TABLE ? metatable.table : NULL;
    lua_return(call, lua_arg(call, 0));
    return true;
}

static bool base_unpack(struct lua_call *call)
{
    struct lua_table *table;
    int64_t first = 1, last;

    if (!lua_arg_table(call, 0, &table) || !lua_arg_optional_int(call, 1, &first))
        return false;
    last = (int64_t)lua_table_len(table);
    if (!lua_arg_optional_int(call, 2, &last))
        return false;
    first = (int32_t)first; /* as with C's int, which wraps around */
    last = (int32_t)last;
    if (first > last)
        return true;
    if (last - first + 1 + call->argc > C_STACK_MAX)
        return lua_raise_text(call->lua, "too many results to unpack");
    for (int64_t i = first; i <= last; i++)
        lua_return(call, lua_table_get_int(table, i));
    return true;
}

static bool base_select(struct lua_call *call)
{
    struct lua_value first = lua_arg(call, 0);
    int64_t at;

    if (first.type == LUA_STRING && first.string->data[0] == '#') {
        lua_return(call, lua_number(call->argc - 1));
        return true;
    }
    if (!lua_arg_int(call, 0, &at))
        return false;
    at = (int32_t)at;
    if (at < 0)
        at = call->argc + at;
    else if (at > call->argc)
        at = call->argc;
    if (at < 1)
        return lua_raise_argument(call, 0, "index out of range");
    for (int i = (int)at; i < call->argc; i++)
        lua_return(call, lua_arg(call, i));
    return true;
}

/* --- values -------------------------------------------------------------------------------- */

static bool base_type(struct lua_call *call)
{
    if (!lua_arg_any(call, 0))
        return false;
    lua_return(call, lua_text(call->lua, lua_type_name(lua_arg(call, 0).type)));
    return true;
}

static bool base_tostring(struct lua_call *call)
{
    struct lua_value text;

    if (!lua_arg_any(call, 0) || !lua_to_text(call->lua, lua_arg(call, 0), &text))
        return false;
    lua_return(call, text);
    return true;
}

static bool base_tonumber(struct lua_call *call)
{
    int64_t base = 10;
    struct bytes text;
    double number;
    char *end;

    if (!lua_arg_optional_int(call, 1, &base))
        return false;
    if (base == 10) {
        if (!lua_arg_any(call, 0))
            return false;
        lua_return(call, lua_to_number(lua_arg(call, 0), &number) ? lua_number(number) : lua_nil());
        return true;
    }
    if (!lua_arg_string(call, 0, &text))
        return false;
    if (base < 2 || base > 36)
        return lua_raise_argument(call, 1, "base out of range");
    unsigned long value = strtoul(text.data, &end, (int)base);
    bool is_number = end != text.data;
    while (isspace((unsigned char)*end))
        end++;
    lua_return(call, is_number && *end == '\0' ? lua_number((double)value) : lua_nil());
    return true;
}

/* --- programs ------------------------------------------------------------------------------ */

static bool return_loaded(struct lua_call *call, struct bytes source, struct bytes name)
{
    struct lua *lua = call->lua;
    struct lua_value function;

    if (lua_load(lua, source, name, lua->globals, &function)) {
        lua_return(call, function);
    } else {
        lua_return(call, lua_nil());
        lua_return(call, lua->error);
    }
    return true;
}

static bool base_loadstring(struct lua_call *call)
{
    struct bytes source, name;

    if (!lua_arg_string(call, 0, &source))
        return false;
    name = source;
    if (!lua_arg_optional_string(call, 1, &name))
        return false;
    return return_loaded(call, source, name);
}

struct pieces {
    struct lua *lua;
    char *data;
    size_t len, size;
};

static void add_piece(struct pieces *pieces, struct bytes piece)
{
    if (pieces->len + piece.len > pieces->size) {
        size_t size = (pieces->len + piece.len) * 2;
        pieces->data = lua_resize(pieces->lua, pieces->data, pieces->size, size);
        pieces->size = size;
    }
    bytes_copy(pieces->data + pieces->len, piece.data, piece.len);
    pieces->len += piece.len;
}

/* Asks the function for pieces until it gives none. False: it failed, and the error is raised. */
static bool read_pieces(struct lua_call *call, struct pieces *pieces)
{
    struct lua *lua = call->lua;

    for (;;) {
        if (lua_call(lua, lua_arg(call, 0), NULL, 0) < 0)
            return false;
        struct lua_value piece = lua_result(lua, 0);
        if (piece.type == LUA_NIL)
            return true;
        if (!lua_coerce_string(lua, &piece))
            return lua_raise_text(lua, "reader function must return a string");
        if (piece.string->len == 0)
            return true;
        if (!lua_string_fits(lua, pieces->len, piece.string->len))
            return false;
        add_piece(pieces, lua_string_bytes(piece));
    }
}

static bool base_load(struct lua_call *call)
{
    struct lua *lua = call->lua;
    struct bytes name = BYTES("=(load)");
    struct pieces pieces = {lua};

    if (!lua_arg_type(call, 0, LUA_FUNCTION) || !lua_arg_optional_string(call, 1, &name))
        return false;
    bool is_read = read_pieces(call, &pieces), is_fine = true;
    if (is_read) {
        return_loaded(call, pieces.len ? (struct bytes){pieces.data, pieces.len} : BYTES(""), name);
    } else if (lua->unwind == UNWIND_HOOK) {
        is_fine = false;
    } else {
        lua_return(call, lua_nil());
        lua_return(call, lua->error);
    }
    lua_release(lua, pieces.data, pieces.size);
    return is_fine;
}

/* --- memory -------------------------------------------------------------------------------- */

static bool base_gcinfo(struct lua_call *call)
{
    lua_return(call, lua_number((double)(lua_memory(call->lua) >> 10)));
    return true;
}

/* The pauses and steps of the reference collector mean nothing to ours; they are remembered for who asks. */
static bool base_collectgarbage(struct lua_call *call)
{
    struct lua *lua = call->lua;
    struct bytes option = BYTES("collect");
    int64_t value = 0;
    double answer = 0;

    if (!lua_arg_optional_string(call, 0, &option) || !lua_arg_optional_int(call, 1, &value))
        return false;
    if (bytes_equal(option, BYTES("collect"))) {
        lua_collect(lua);
    } else if (bytes_equal(option, BYTES("count"))) {
        answer = (double)lua_memory(lua) / 1024;
    } else if (bytes_equal(option, BYTES("step"))) {
        lua_collect(lua);
        lua_return(call, lua_boolean(true));
        return true;
    } else if (bytes_equal(option, BYTES("stop"))) {
        lua->is_stopped = true;
    } else if (bytes_equal(option, BYTES("restart"))) {
        lua->is_stopped = false;
    } else if (bytes_equal(option, BYTES("setpause"))) {
        answer = lua->pause;
        lua->pause = (int)value;
    } else if (bytes_equal(option, BYTES("setstepmul"))) {
        answer = lua->step_multiplier;
        lua->step_multiplier = (int)value;
    } else {
        return lua_raise_argument(call, 0, lua_format(lua, "invalid option '%s'", option.data).string->data);
    }
    lua_return(call, lua_number(answer));
    return true;
}

/* --- the table ----------------------------------------------------------------------------- */

static void add_with_iterator(struct lua *lua, const char *name, lua_c_function *function, struct lua_value iterator)
{
    lua_table_set_text(lua, lua->globals, name, lua_new_closure(lua, name, function, NULL, &iterator, 1));
}

void lua_open_base(struct lua *lua)
{
    static const struct lua_row ROWS[] = {
        {"assert", base_assert},
        {"collectgarbage", base_collectgarbage},
        {"error", base_error},
        {"gcinfo", base_gcinfo},
        {"getmetatable", base_getmetatable},
        {"load", base_load},
        {"loadstring", base_loadstring},
        {"next", lua_base_next},
        {"pcall", base_pcall},
        {"rawequal", base_rawequal},
        {"rawget", base_rawget},
        {"rawset", base_rawset},
        {"select", base_select},
        {"setmetatable", base_setmetatable},
        {"tonumber", base_tonumber},
        {"tostring", base_tostring},
        {"type", base_type},
        {"unpack", base_unpack},
        {"xpcall", base_xpcall},
        {NULL, NULL},
    };

    lua_table_set_text(lua, lua->globals, "_G", lua_of_table(lua->globals));
    lua_table_add_functions(lua, lua->globals, ROWS, NULL);
    lua_table_set_text(lua, lua->globals, "_VERSION", lua_text(lua, "Lua 5.1"));
    add_with_iterator(lua, "pairs", base_pairs, lua_table_get_text(lua, lua->globals, "next"));
    add_with_iterator(lua, "ipairs", base_ipairs, lua_new_function(lua, "ipairs", lua_base_ipairs_step, NULL));
    lua_open_coroutine(lua);
}
