/* The string library, but for patterns and format. */
#include "lua/library.h"

#include "base/mem.h"

#include <ctype.h>

/* Positions count from 1, and from the end when negative. */
static int64_t position(int64_t at, size_t len)
{
    if (at < 0)
        at += (int64_t)len + 1;
    return at < 0 ? 0 : at;
}

static bool string_len(struct lua_call *call)
{
    struct bytes text;

    if (!lua_arg_string(call, 0, &text))
        return false;
    lua_return(call, lua_number((double)text.len));
    return true;
}

static bool string_sub(struct lua_call *call)
{
    struct bytes text;
    int64_t from, to = -1;

    if (!lua_arg_string(call, 0, &text) || !lua_arg_int(call, 1, &from) || !lua_arg_optional_int(call, 2, &to))
        return false;
    from = position(from, text.len);
    to = position(to, text.len);
    if (from < 1)
        from = 1;
    if (to > (int64_t)text.len)
        to = (int64_t)text.len;
    if (from > to)
        lua_return(call, lua_string(call->lua, BYTES("")));
    else
        lua_return(call, lua_string(call->lua, (struct bytes){text.data + from - 1, (size_t)(to - from + 1)}));
    return true;
}

/* What 5.1's stack for functions in C has room for. */
#define RESULTS_MAX 8000

static bool string_byte(struct lua_call *call)
{
    struct bytes text;
    int64_t from = 1, to;

    if (!lua_arg_string(call, 0, &text) || !lua_arg_optional_int(call, 1, &from))
        return false;
    to = from = position(from, text.len);
    if (!lua_arg_optional_int(call, 2, &to))
        return false;
    to = position(to, text.len);
    if (from < 1)
        from = 1;
    if (to > (int64_t)text.len)
        to = (int64_t)text.len;
    if (from <= to && to - from + 1 + call->argc > RESULTS_MAX)
        return lua_raise_text(call->lua, "stack overflow (string slice too long)");
    for (; from <= to; from++)
        lua_return(call, lua_number((unsigned char)text.data[from - 1]));
    return true;
}

/* A new text of 'len' bytes, which the caller fills. */
static struct text text_of(size_t len)
{
    return (struct text){.data = len ? mem_alloc(len) : NULL, .len = len, .size = len};
}

static bool string_char(struct lua_call *call)
{
    struct text text = text_of((size_t)call->argc);

    for (int i = 0; i < call->argc; i++) {
        int32_t code;

        if (!lua_arg_int32(call, i, &code) ||
            (code != (unsigned char)code && !lua_raise_argument(call, i, "invalid value"))) {
            text_release(&text);
            return false;
        }
        text.data[i] = (char)code;
    }
    return lua_return_text(call, &text);
}

static bool map(struct lua_call *call, int (*change)(int))
{
    struct bytes from;
    struct text text;

    if (!lua_arg_string(call, 0, &from))
        return false;
    text = text_of(from.len);
    for (size_t i = 0; i < from.len; i++)
        text.data[i] = (char)change((unsigned char)from.data[i]);
    return lua_return_text(call, &text);
}

static bool string_lower(struct lua_call *call) { return map(call, tolower); }
static bool string_upper(struct lua_call *call) { return map(call, toupper); }

static bool string_reverse(struct lua_call *call)
{
    struct bytes from;
    struct text text;

    if (!lua_arg_string(call, 0, &from))
        return false;
    text = text_of(from.len);
    for (size_t i = 0; i < from.len; i++)
        text.data[from.len - 1 - i] = from.data[i];
    return lua_return_text(call, &text);
}

static bool string_rep(struct lua_call *call)
{
    struct bytes part;
    struct text text;
    int32_t count;
    size_t len;

    if (!lua_arg_string(call, 0, &part) || !lua_arg_int32(call, 1, &count))
        return false;
    if (count <= 0 || !part.len) {
        lua_return(call, lua_string(call->lua, BYTES("")));
        return true;
    }
    if (part.len > LUA_STRING_MAX / (size_t)count)
        return lua_string_fits(call->lua, LUA_STRING_MAX, 1);
    len = part.len * (size_t)count;
    text = text_of(len);
    memcpy(text.data, part.data, part.len);
    for (size_t done = part.len; done < len;) { /* what is there, doubled */
        size_t more = done < len - done ? done : len - done;

        memcpy(text.data + done, text.data, more);
        done += more;
    }
    return lua_return_text(call, &text);
}

/* There is no form that a function could be dumped in. */
static bool string_dump(struct lua_call *call)
{
    return lua_arg_type(call, 0, LUA_FUNCTION) && lua_raise_text(call->lua, "unable to dump given function");
}

static const struct lua_row functions[] = {
    {"byte", string_byte},         {"char", string_char},
    {"dump", string_dump},         {"find", lua_string_find},
    {"format", lua_string_format}, {"gfind", lua_string_gmatch},
    {"gmatch", lua_string_gmatch}, {"gsub", lua_string_gsub},
    {"len", string_len},           {"lower", string_lower},
    {"match", lua_string_match},   {"rep", string_rep},
    {"reverse", string_reverse},   {"sub", string_sub},
    {"upper", string_upper},       {NULL, NULL},
};

void lua_open_string(struct lua *lua)
{
    struct lua_table *strings = lua_open_library(lua, "string", functions), *metatable = lua_table_new(lua, 0, 1);

    lua_table_set_text(lua, metatable, "__index", lua_of_table(strings));
    lua_set_string_metatable(lua, metatable);
}
