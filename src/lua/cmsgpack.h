/* The two directions of cmsgpack. Of the folder's own. */
#ifndef TERN_LUA_CMSGPACK_H
#define TERN_LUA_CMSGPACK_H

#include "lua/library.h"

bool cmsgpack_pack(struct lua_call *call);
bool cmsgpack_unpack(struct lua_call *call);
bool cmsgpack_unpack_one(struct lua_call *call);
bool cmsgpack_unpack_limit(struct lua_call *call);

#endif
