/* Lua 5.1 for scripts: compiler, interpreter, collector. It knows nothing of the server.
 *
 *     struct lua *lua = lua_new();
 *     lua_open_base(lua); ...                                      (lua/libraries.h)
 *     if (!lua_load(lua, source, "@user_script", lua_globals(lua), &function)
 *         || lua_call(lua, function, args, argc) < 0)
 *         ... lua_error_value(lua) ...
 *     else
 *         ... lua_result(lua, 0) ...
 *
 * Errors. There is no longjmp. What can fail returns false (or -1) and has set the error value; who gets that returns
 * at once and passes it on. pcall and the host end the journey.
 *
 * Collection. Marking and sweeping happen only inside the interpreter, between two instructions, and in the
 * lua_collect functions. C code therefore holds fresh values in locals freely, until it calls lua_call or what may call
 * metamethods (lua_index, lua_set_index, lua_to_text, lua_less). What must survive such a call is an argument, a result
 * that was returned already, reachable from one of these, or kept with lua_keep. */
#ifndef TERN_LUA_LUA_H
#define TERN_LUA_LUA_H

#include "lua/lua_value.h"

#include <stddef.h>

struct lua;

struct lua *lua_new(void);
void lua_free(struct lua *lua);

/* --- running ------------------------------------------------------------------------------- */

/* Compiles. 'name' is Lua's chunk name: "@user_script" shows as user_script:1 in errors, another text as
 * [string "..."]. Globals are read and written in 'environment'. Binary chunks are refused. On a syntax error the
 * error value is the message with its place. */
bool lua_load(struct lua *lua, struct bytes source, struct bytes name, struct lua_table *environment,
              struct lua_value *function);

/* Calls any value that can be called. Returns the number of results, -1: an error. */
int lua_call(struct lua *lua, struct lua_value function, const struct lua_value *args, int argc);
/* A result of the last lua_call, nil beyond; alive until the next call or the end of the function that called. */
struct lua_value lua_result(const struct lua *lua, int at);

/* The value that the last failed call raised. */
struct lua_value lua_error_value(const struct lua *lua);
/* Where it was raised: the innermost Lua function's chunk name as errors show it ("user_script") and line; false
 * when no Lua function ran. Valid until the next call. */
bool lua_error_place(const struct lua *lua, struct bytes *chunk, int *line);
/* The place of a running function: level 0 is the innermost Lua function. False: there is none, or no line is known. */
bool lua_place(const struct lua *lua, int level, struct bytes *chunk, int *line);

/* From now on 'hook' is called about once in 'every' instructions. When it returns false it has set an error (lua_raise)
 * that no pcall of the script catches. every 0: no hook. */
typedef bool lua_hook(struct lua *lua, void *context);
void lua_set_hook(struct lua *lua, lua_hook *hook, void *context, uint32_t every);
/* A function in C that may loop for long tells how far it is, as a number of loops of a script (0 or more). False: the
 * hook has raised an error. */
bool lua_work(struct lua *lua, int64_t steps);

/* --- functions in C ------------------------------------------------------------------------ */

/* One call of a function in C. */
struct lua_call {
    struct lua *lua;
    int argc;
    int base;                     /* of the interpreter's own: where the arguments stand */
    int result_count;             /* of the interpreter's own */
    struct lua_closure *function; /* that runs */
    void *context;                /* given to lua_new_function */
};

/* Its arguments are lua_arg(call, 0) to argc - 1; it returns values with lua_return, in order, and then true. False: it
 * has raised an error. */
typedef bool lua_c_function(struct lua_call *call);

/* 'name' lives as long as the program; errors show it ("bad argument #1 to 'insert'") when the caller's code does not
 * name the function. */
struct lua_value lua_new_function(struct lua *lua, const char *name, lua_c_function *function, void *context);
/* With values of its own that it may read and change. */
struct lua_value lua_new_closure(struct lua *lua, const char *name, lua_c_function *function, void *context,
                                 const struct lua_value *upvalues, int upvalue_count);
struct lua_value lua_upvalue(const struct lua_call *call, int at);
void lua_set_upvalue(struct lua_call *call, int at, struct lua_value value);

struct lua_value lua_arg(const struct lua_call *call, int at); /* from 0; nil beyond the last */
void lua_set_arg(struct lua_call *call, int at, struct lua_value value); /* at < argc */
void lua_return(struct lua_call *call, struct lua_value value);
/* Roots the value until this call ends. */
void lua_keep(struct lua_call *call, struct lua_value value);

/* Each answers false with Lua's usual error when the argument is not one: "bad argument #1 to 'rep' (number expected,
 * got no value)". 'at' counts from 0. Numbers and numeric strings convert as Lua does; a view of a string argument
 * lives as long as the argument (a number argument becomes a string in place). */
bool lua_arg_number(struct lua_call *call, int at, double *number);
bool lua_arg_int(struct lua_call *call, int at, int64_t *number); /* truncated, as ptrdiff_t of 5.1 */
bool lua_arg_string(struct lua_call *call, int at, struct bytes *text);
bool lua_arg_table(struct lua_call *call, int at, struct lua_table **table);
bool lua_arg_type(struct lua_call *call, int at, enum lua_type type);
bool lua_arg_any(struct lua_call *call, int at); /* anything, but there */
/* The same; an argument that is absent or nil leaves what was there. */
bool lua_arg_optional_number(struct lua_call *call, int at, double *number);
bool lua_arg_optional_int(struct lua_call *call, int at, int64_t *number);
bool lua_arg_optional_string(struct lua_call *call, int at, struct bytes *text);

/* Raise; they return false. */
bool lua_raise(struct lua *lua, struct lua_value error);
/* A message, with the place of the innermost Lua function before it ("user_script:3: "). */
bool lua_raise_text(struct lua *lua, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool lua_raise_argument(struct lua_call *call, int at, const char *message);

/* --- values -------------------------------------------------------------------------------- */

struct lua_value lua_string(struct lua *lua, struct bytes text);
struct lua_value lua_text(struct lua *lua, const char *text);
struct lua_value lua_format(struct lua *lua, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The view lives as long as the string. The bytes are followed by a zero byte. */
struct bytes lua_string_bytes(struct lua_value string);

/* As Lua converts: numbers, and strings that read as one (blanks around it, hex). */
bool lua_to_number(struct lua_value value, double *number);
/* A number's text, "%.14g". 'out' holds LUA_NUMBER_TEXT_MAX bytes; returns the length. */
#define LUA_NUMBER_TEXT_MAX 32
size_t lua_number_text(char *out, double number);
/* What tostring gives, with __tostring. */
bool lua_to_text(struct lua *lua, struct lua_value value, struct lua_value *string);

bool lua_equal_raw(struct lua_value a, struct lua_value b);
bool lua_less(struct lua *lua, struct lua_value a, struct lua_value b, bool *is_less); /* the operator < */
bool lua_index(struct lua *lua, struct lua_value object, struct lua_value key, struct lua_value *value);
bool lua_set_index(struct lua *lua, struct lua_value object, struct lua_value key, struct lua_value value);

/* --- tables, raw --------------------------------------------------------------------------- */

struct lua_table *lua_globals(const struct lua *lua);
struct lua_table *lua_table_new(struct lua *lua, size_t array_size, size_t hash_size);
struct lua_value lua_table_get(const struct lua_table *table, struct lua_value key); /* nil: absent */
struct lua_value lua_table_get_int(const struct lua_table *table, int64_t key);
struct lua_value lua_table_get_text(struct lua *lua, const struct lua_table *table, const char *key);
/* The key is neither nil nor NaN. A nil value removes. A read-only table may be set by these. */
void lua_table_set(struct lua *lua, struct lua_table *table, struct lua_value key, struct lua_value value);
void lua_table_set_int(struct lua *lua, struct lua_table *table, int64_t key, struct lua_value value);
void lua_table_set_text(struct lua *lua, struct lua_table *table, const char *key, struct lua_value value);
/* The operator #: a border, found as Lua 5.1 finds it. */
size_t lua_table_len(const struct lua_table *table);
/* Walks in the order of 'next', which is that of the reference implementation for the same history of the table.
 * Begins with a nil '*key'. False: the end, or '*is_bad' when the key is not in the table. */
bool lua_table_next(const struct lua_table *table, struct lua_value *key, struct lua_value *value, bool *is_bad);

struct lua_table *lua_metatable(const struct lua *lua, struct lua_value value); /* or NULL */
void lua_table_set_metatable(struct lua_table *table, struct lua_table *metatable); /* NULL: none */
void lua_set_string_metatable(struct lua *lua, struct lua_table *metatable);
/* A script that assigns to it, or gives it a metatable, gets "Attempt to modify a readonly table". */
void lua_table_set_readonly(struct lua_table *table, bool is_readonly);
bool lua_table_is_readonly(const struct lua_table *table);

/* Functions of a library into a table; the list ends with a NULL name. */
struct lua_row {
    const char *name;
    lua_c_function *function;
};
void lua_table_add_functions(struct lua *lua, struct lua_table *table, const struct lua_row *rows, void *context);

/* --- memory -------------------------------------------------------------------------------- */

/* Roots a value until it is unpinned. The number is never 0. */
int lua_pin(struct lua *lua, struct lua_value value);
struct lua_value lua_pinned(const struct lua *lua, int pin);
void lua_unpin(struct lua *lua, int pin);

size_t lua_memory(const struct lua *lua); /* bytes that its objects take */
void lua_collect(struct lua *lua);        /* everything that is garbage, at once */
/* Some of it, for about 'budget_ns'. True while there is more to do. Never while a function runs. */
bool lua_collect_piece(struct lua *lua, int64_t budget_ns);

#endif
