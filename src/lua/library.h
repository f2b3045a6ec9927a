/* What the libraries share. Of the folder's own. */
#ifndef TERN_LUA_LIBRARY_H
#define TERN_LUA_LIBRARY_H

#include "base/text.h"
#include "lua/libraries.h"
#include "lua/lua.h"

/* No string that a script makes is longer. */
#define LUA_STRING_MAX ((size_t)512 << 20)

/* A new table with these functions, as a global. */
struct lua_table *lua_open_library(struct lua *lua, const char *name, const struct lua_row *rows);

/* An argument that 5.1 takes as an int: the low 32 bits of the whole number. */
bool lua_arg_int32(struct lua_call *call, int at, int32_t *number);
bool lua_arg_optional_int32(struct lua_call *call, int at, int32_t *number);

/* As the processor converts: what does not fit is INT_MIN, INT64_MIN. */
int lua_double_to_int(double number);
int64_t lua_double_to_int64(double number);
uint64_t lua_double_to_uint64(double number);

/* False, with the error raised, when 'more' bytes would make the string too long. */
bool lua_string_fits(struct lua *lua, size_t len, size_t more);
/* Returns the text as a string and releases it. False: it is too long, and the error is raised. */
bool lua_return_text(struct lua_call *call, struct text *text);

/* Parts of the string library that have files of their own. */
bool lua_string_find(struct lua_call *call);
bool lua_string_match(struct lua_call *call);
bool lua_string_gmatch(struct lua_call *call);
bool lua_string_gsub(struct lua_call *call);
bool lua_string_format(struct lua_call *call);

bool lua_table_sort(struct lua_call *call);

#endif
