/* The libraries a script finds. Each adds its functions to the globals. */
#ifndef TERN_LUA_LIBRARIES_H
#define TERN_LUA_LIBRARIES_H

struct lua;

void lua_open_base(struct lua *lua);      /* assert, pairs, pcall, tonumber ... and coroutine */
void lua_open_string(struct lua *lua);    /* also the metatable of strings */
void lua_open_table(struct lua *lua);
void lua_open_math(struct lua *lua);      /* without random and randomseed: lua_open_random */
/* math.random and math.randomseed, from a generator that gives the same numbers in every script (drand48's). */
void lua_open_random(struct lua *lua);
void lua_random_restart(struct lua *lua); /* as when a script begins */
void lua_open_os(struct lua *lua);        /* os.clock only */
void lua_open_bit(struct lua *lua);
void lua_open_struct(struct lua *lua);
void lua_open_cjson(struct lua *lua);
void lua_open_cmsgpack(struct lua *lua);

#endif
