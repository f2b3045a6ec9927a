/* os: what a script may know of the world is how long it has run. */
#include "lua/library.h"

#include <time.h>

static bool os_clock(struct lua_call *call)
{
    lua_return(call, lua_number((double)clock() / CLOCKS_PER_SEC));
    return true;
}

static const struct lua_row functions[] = {{"clock", os_clock}, {NULL, NULL}};

void lua_open_os(struct lua *lua) { lua_open_library(lua, "os", functions); }
