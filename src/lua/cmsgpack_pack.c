/* cmsgpack.pack, and the library's table. What MessagePack has no form for becomes nil, and so does a table that is
 * nested too deep. */
#include "lua/cmsgpack.h"

#include <limits.h>

#define NESTING_MAX 16

/* False: raised. */
static bool add_value(struct lua *lua, struct text *out, struct lua_value value, int level);

/* A type byte and a number, the high byte first. */
static void add_header(struct text *out, unsigned char type, uint64_t number, size_t size)
{
    char bytes[9] = {(char)type};

    for (size_t i = size; i > 0; i--, number >>= 8)
        bytes[i] = (char)number;
    text_add(out, (struct bytes){bytes, size + 1});
}

static void add_integer(struct text *out, int64_t number)
{
    if (number >= -32 && number <= 127)
        add_header(out, (unsigned char)number, 0, 0);
    else if (number >= 0)
        add_header(out,
                   number <= UINT8_MAX    ? 0xCC
                   : number <= UINT16_MAX ? 0xCD
                   : number <= UINT32_MAX ? 0xCE
                                          : 0xCF,
                   (uint64_t)number,
                   number <= UINT8_MAX    ? 1
                   : number <= UINT16_MAX ? 2
                   : number <= UINT32_MAX ? 4
                                          : 8);
    else
        add_header(out,
                   number >= INT8_MIN    ? 0xD0
                   : number >= INT16_MIN ? 0xD1
                   : number >= INT32_MIN ? 0xD2
                                         : 0xD3,
                   (uint64_t)number,
                   number >= INT8_MIN    ? 1
                   : number >= INT16_MIN ? 2
                   : number >= INT32_MIN ? 4
                                         : 8);
}

static void add_number(struct text *out, double number)
{
    float narrow = (float)number;
    uint32_t narrow_bits;
    uint64_t bits;

    if (number >= -0x1p63 && number < 0x1p63 && (double)(int64_t)number == number) {
        add_integer(out, (int64_t)number);
    } else if ((double)narrow == number) {
        memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
        add_header(out, 0xCA, narrow_bits, 4);
    } else {
        memcpy(&bits, &number, sizeof bits);
        add_header(out, 0xCB, bits, 8);
    }
}

static void add_string(struct text *out, struct bytes text)
{
    if (text.len < 32)
        add_header(out, (unsigned char)(0xA0 | text.len), 0, 0);
    else if (text.len <= UINT8_MAX)
        add_header(out, 0xD9, text.len, 1);
    else
        add_header(out, text.len <= UINT16_MAX ? 0xDA : 0xDB, text.len, text.len <= UINT16_MAX ? 2 : 4);
    text_add(out, text);
}

/* The header of an array or a map: few, up to 16 bits, up to 32 bits. */
static void add_count(struct text *out, size_t count, unsigned char few, unsigned char wide)
{
    if (count <= 15)
        add_header(out, (unsigned char)(few | count), 0, 0);
    else
        add_header(out, count <= UINT16_MAX ? wide : wide + 1, count, count <= UINT16_MAX ? 2 : 4);
}

/* All keys are 1 to as many as there are; an empty one is an array too. '*count' is how many. */
static bool is_array(const struct lua_table *table, size_t *count)
{
    struct lua_value key = lua_nil(), value;
    double highest = 0;
    bool is_bad, is_plain = true;

    for (*count = 0; lua_table_next(table, &key, &value, &is_bad); ++*count) {
        if (!lua_is(key, LUA_NUMBER) || key.number <= 0 || key.number > INT_MAX ||
            (double)(int)key.number != key.number)
            is_plain = false;
        else if (key.number > highest)
            highest = key.number;
    }
    return is_plain && highest == (double)*count;
}

static bool add_table(struct lua *lua, struct text *out, const struct lua_table *table, int level)
{
    struct lua_value key = lua_nil(), value;
    size_t count;
    bool is_bad;

    if (is_array(table, &count)) {
        add_count(out, count, 0x90, 0xDC);
        for (size_t i = 1; i <= count; i++)
            if (!add_value(lua, out, lua_table_get_int(table, (int64_t)i), level + 1))
                return false;
        return true;
    }
    add_count(out, count, 0x80, 0xDE);
    while (lua_table_next(table, &key, &value, &is_bad))
        if (!add_value(lua, out, key, level + 1) || !add_value(lua, out, value, level + 1))
            return false;
    return true;
}

static bool add_value(struct lua *lua, struct text *out, struct lua_value value, int level)
{
    size_t len = lua_is(value, LUA_STRING) ? lua_string_bytes(value).len : 0;

    if (!lua_work(lua, 1) || !lua_string_fits(lua, out->len, len))
        return false;
    if (lua_is(value, LUA_STRING))
        add_string(out, lua_string_bytes(value));
    else if (lua_is(value, LUA_BOOLEAN))
        add_header(out, value.boolean ? 0xC3 : 0xC2, 0, 0);
    else if (lua_is(value, LUA_NUMBER))
        add_number(out, value.number);
    else if (lua_is(value, LUA_TABLE) && level < NESTING_MAX)
        return add_table(lua, out, value.table, level);
    else
        add_header(out, 0xC0, 0, 0);
    return true;
}

bool cmsgpack_pack(struct lua_call *call)
{
    struct text out = {0};

    if (call->argc == 0)
        return lua_raise_argument(call, -1, "MessagePack pack needs input.");
    for (int i = 0; i < call->argc; i++)
        if (!add_value(call->lua, &out, lua_arg(call, i), 0)) {
            text_release(&out);
            return false;
        }
    return lua_return_text(call, &out);
}

static const struct lua_row functions[] = {
    {"pack", cmsgpack_pack},
    {"unpack", cmsgpack_unpack},
    {"unpack_one", cmsgpack_unpack_one},
    {"unpack_limit", cmsgpack_unpack_limit},
    {NULL, NULL},
};

void lua_open_cmsgpack(struct lua *lua)
{
    static const char *const texts[][2] = {
        {"_NAME", "cmsgpack"},
        {"_VERSION", "lua-cmsgpack 0.4.0"},
        {"_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"},
        {"_DESCRIPTION", "MessagePack C implementation for Lua"},
    };
    struct lua_table *library = lua_open_library(lua, "cmsgpack", functions);

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        lua_table_set_text(lua, library, texts[i][0], lua_text(lua, texts[i][1]));
}
