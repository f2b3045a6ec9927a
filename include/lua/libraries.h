/* The libraries a script finds. Each adds its functions to the globals. */
#ifndef TERN_LUA_LIBRARIES_H
#define TERN_LUA_LIBRARIES_H

#include <stdint.h>

struct lua;

void lua_open_base(struct lua *lua);      /* assert, pairs, pcall, tonumber ... and coroutine */
void lua_open_string(struct lua *lua);    /* also the metatable of strings */
void lua_open_table(struct lua *lua);
void lua_open_math(struct lua *lua);      /* without random and randomseed: lua_open_random */
/* math.random and math.randomseed, with the numbers of drand48. The real servers have one sequence for the life of the
 * process: it goes on from script to script, through SCRIPT FLUSH and in functions. So the host owns the state, which
 * lives as long as the interpreters that use it, and begins with LUA_RANDOM_START. */
#define LUA_RANDOM_START UINT64_C(0x1234ABCD330E)
void lua_open_random(struct lua *lua, uint64_t *state);
void lua_open_os(struct lua *lua);        /* os.clock only */
void lua_open_bit(struct lua *lua);
void lua_open_struct(struct lua *lua);
void lua_open_cjson(struct lua *lua);
void lua_open_cmsgpack(struct lua *lua);

#endif
