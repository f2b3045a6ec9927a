/* A value of Lua 5.1: sixteen bytes, passed by value.
 *
 * Strings, tables, functions and coroutines are objects of the collector; the value points to one. A value held in a
 * C local is safe until the interpreter runs again: see "Collection" in lua/lua.h. */
#ifndef TERN_LUA_LUA_VALUE_H
#define TERN_LUA_LUA_VALUE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum lua_type {
    LUA_NIL,
    LUA_BOOLEAN,
    LUA_NUMBER,
    LUA_POINTER, /* "userdata" for scripts: an address without content (cjson.null is the one of NULL) */
    LUA_STRING,  /* from here on: objects of the collector */
    LUA_TABLE,
    LUA_FUNCTION,
    LUA_THREAD
};

struct lua_string;
struct lua_table;
struct lua_closure;
struct lua_thread;
struct lua_object;

struct lua_value {
    enum lua_type type;
    union {
        bool boolean;
        double number;
        void *pointer;
        struct lua_string *string;
        struct lua_table *table;
        struct lua_closure *function;
        struct lua_thread *thread;
        struct lua_object *object;
    };
};

static inline struct lua_value lua_nil(void)
{
    return (struct lua_value){.type = LUA_NIL};
}

static inline struct lua_value lua_boolean(bool boolean)
{
    return (struct lua_value){.type = LUA_BOOLEAN, .boolean = boolean};
}

static inline struct lua_value lua_number(double number)
{
    return (struct lua_value){.type = LUA_NUMBER, .number = number};
}

static inline struct lua_value lua_pointer(void *pointer)
{
    return (struct lua_value){.type = LUA_POINTER, .pointer = pointer};
}

static inline struct lua_value lua_of_table(struct lua_table *table)
{
    return (struct lua_value){.type = LUA_TABLE, .table = table};
}

static inline bool lua_is(struct lua_value value, enum lua_type type)
{
    return value.type == type;
}

/* nil and false are false, all else is true. */
static inline bool lua_is_true(struct lua_value value)
{
    return value.type != LUA_NIL && (value.type != LUA_BOOLEAN || value.boolean);
}

/* "nil", "boolean", "number", "userdata", "string", "table", "function", "thread" */
const char *lua_type_name(enum lua_type type);

#endif
