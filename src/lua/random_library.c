/* math.random and math.randomseed, from the 48-bit generator of POSIX: the same numbers everywhere. */
#include "lua/library.h"

#include "base/elementary.h"

#define STATE_AT_START UINT64_C(0x1234ABCD330E)
#define STATE_MASK     ((UINT64_C(1) << 48) - 1)

/* The state is the upvalue that both functions share: a table of one number. */
static double next_part(struct lua_call *call)
{
    struct lua_table *place = lua_upvalue(call, 0).table;
    uint64_t state = (uint64_t)lua_table_get_int(place, 1).number;

    state = (state * UINT64_C(0x5DEECE66D) + 0xB) & STATE_MASK;
    lua_table_set_int(call->lua, place, 1, lua_number((double)state));
    return (double)((state >> 17) % INT32_MAX) / INT32_MAX;
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
    lua_table_set_int(call->lua, lua_upvalue(call, 0).table, 1, lua_number((double)((uint64_t)(uint32_t)seed << 16 | 0x330E)));
    return true;
}

void lua_open_random(struct lua *lua)
{
    struct lua_value math = lua_table_get_text(lua, lua_globals(lua), "math");
    struct lua_value place = lua_of_table(lua_table_new(lua, 1, 0));

    if (!lua_is(math, LUA_TABLE))
        lua_table_set_text(lua, lua_globals(lua), "math", math = lua_of_table(lua_table_new(lua, 0, 0)));
    lua_table_set_int(lua, place.table, 1, lua_number((double)STATE_AT_START));
    lua_table_set_text(lua, math.table, "random", lua_new_closure(lua, "random", math_random, NULL, &place, 1));
    lua_table_set_text(lua, math.table, "randomseed", lua_new_closure(lua, "randomseed", math_randomseed, NULL, &place, 1));
}
