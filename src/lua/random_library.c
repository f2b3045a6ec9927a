/* math.random and math.randomseed, from the 48-bit generator of POSIX. */
#include "lua/library.h"

#include "base/elementary.h"

#define STATE_MASK ((UINT64_C(1) << 48) - 1)

/* From 0 to 1, both included. */
static double next_part(const struct lua_call *call)
{
    uint64_t *state = call->context;

    *state = (*state * UINT64_C(0x5DEECE66D) + 0xB) & STATE_MASK;
    return (double)((*state >> 17) % INT32_MAX) / INT32_MAX;
}

static bool math_random(struct lua_call *call)
{
    double part = next_part(call);
    int32_t from = 1, to;

    if (call->argc == 0) {
        lua_return(call, lua_number(part));
        return true;
    }
    if (call->argc > 2)
        return lua_raise_text(call->lua, "wrong number of arguments");
    if ((call->argc == 2 && !lua_arg_int32(call, 0, &from)) || !lua_arg_int32(call, call->argc - 1, &to))
        return false;
    if (from > to)
        return lua_raise_argument(call, call->argc - 1, "interval is empty");
    /* The count of numbers is one of 32 bits, also where it does not fit. */
    lua_return(call, lua_number(double_floor(part * (int32_t)((uint32_t)to - (uint32_t)from + 1)) + from));
    return true;
}

static bool math_randomseed(struct lua_call *call)
{
    int32_t seed;

    if (!lua_arg_int32(call, 0, &seed))
        return false;
    *(uint64_t *)call->context = (uint64_t)(uint32_t)seed << 16 | 0x330E;
    return true;
}

static const struct lua_row functions[] = {{"random", math_random}, {"randomseed", math_randomseed}, {NULL, NULL}};

void lua_open_random(struct lua *lua, uint64_t *state)
{
    struct lua_value math = lua_table_get_text(lua, lua_globals(lua), "math");

    if (!lua_is(math, LUA_TABLE))
        lua_table_set_text(lua, lua_globals(lua), "math", math = lua_of_table(lua_table_new(lua, 0, 0)));
    lua_table_add_functions(lua, math.table, functions, state);
}
