/* What encoder, decoder and library of cjson share. Of the folder's own. */
#ifndef TERN_LUA_CJSON_H
#define TERN_LUA_CJSON_H

#include "lua/library.h"

/* What a script can set; the numbers are places in the table that holds them. */
enum cjson_setting {
    CJSON_SPARSE_CONVERT = 1,
    CJSON_SPARSE_RATIO,
    CJSON_SPARSE_SAFE,
    CJSON_ENCODE_MAX_DEPTH,
    CJSON_DECODE_MAX_DEPTH,
    CJSON_ENCODE_INVALID,
    CJSON_DECODE_INVALID,
    CJSON_PRECISION,
    CJSON_KEEP_BUFFER,
    CJSON_SETTINGS
};

/* CJSON_ENCODE_INVALID, CJSON_DECODE_INVALID */
enum { CJSON_REFUSE, CJSON_ALLOW, CJSON_AS_NULL };

/* What 5.1's stack for functions in C has room for: it bounds nesting where the settings do not. */
#define CJSON_STACK_MAX 8000

/* The settings are the functions' only upvalue. */
int cjson_setting(struct lua_call *call, enum cjson_setting setting);

bool cjson_encode(struct lua_call *call);
bool cjson_decode(struct lua_call *call);

#endif
