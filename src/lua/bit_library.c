/* bit: operations on 32 bits. A number counts by its low 32 bits, rounded to an even whole number. */
#include "lua/library.h"

static bool arg_bits(struct lua_call *call, int at, uint32_t *bits)
{
    double number;
    uint64_t image;

    if (!lua_arg_number(call, at, &number))
        return false;
    number += 0x1.8p52; /* now the last bit of the mantissa is worth one */
    memcpy(&image, &number, sizeof image);
    *bits = (uint32_t)image;
    return true;
}

static bool return_bits(struct lua_call *call, uint32_t bits)
{
    lua_return(call, lua_number((int32_t)bits));
    return true;
}

static bool bit_tobit(struct lua_call *call)
{
    uint32_t bits;

    return arg_bits(call, 0, &bits) && return_bits(call, bits);
}

static bool bit_bnot(struct lua_call *call)
{
    uint32_t bits;

    return arg_bits(call, 0, &bits) && return_bits(call, ~bits);
}

static bool bit_bswap(struct lua_call *call)
{
    uint32_t bits;

    return arg_bits(call, 0, &bits) && return_bits(call, __builtin_bswap32(bits));
}

static bool fold(struct lua_call *call, char operation)
{
    uint32_t all, bits;

    if (!arg_bits(call, 0, &all))
        return false;
    for (int i = 1; i < call->argc; i++) {
        if (!arg_bits(call, i, &bits))
            return false;
        all = operation == '&' ? all & bits : operation == '|' ? all | bits : all ^ bits;
    }
    return return_bits(call, all);
}

static bool bit_band(struct lua_call *call) { return fold(call, '&'); }
static bool bit_bor(struct lua_call *call) { return fold(call, '|'); }
static bool bit_bxor(struct lua_call *call) { return fold(call, '^'); }

static uint32_t left(uint32_t bits, unsigned by) { return bits << by; }
static uint32_t right(uint32_t bits, unsigned by) { return bits >> by; }
static uint32_t rotated(uint32_t bits, unsigned by) { return bits << by | bits >> ((32 - by) & 31); }
static uint32_t rotated_right(uint32_t bits, unsigned by) { return rotated(bits, (32 - by) & 31); }

static uint32_t right_with_sign(uint32_t bits, unsigned by)
{
    return by && bits >> 31 ? bits >> by | ~(UINT32_MAX >> by) : bits >> by;
}

static bool shift(struct lua_call *call, uint32_t (*function)(uint32_t, unsigned))
{
    uint32_t bits, by;

    return arg_bits(call, 0, &bits) && arg_bits(call, 1, &by) && return_bits(call, function(bits, by & 31));
}

static bool bit_lshift(struct lua_call *call) { return shift(call, left); }
static bool bit_rshift(struct lua_call *call) { return shift(call, right); }
static bool bit_arshift(struct lua_call *call) { return shift(call, right_with_sign); }
static bool bit_rol(struct lua_call *call) { return shift(call, rotated); }
static bool bit_ror(struct lua_call *call) { return shift(call, rotated_right); }

/* The last digits; a negative count asks for capitals. */
static bool bit_tohex(struct lua_call *call)
{
    uint32_t bits, count = 8;
    const char *digits = "0123456789abcdef";
    char text[8];

    if (!arg_bits(call, 0, &bits) || (!lua_is(lua_arg(call, 1), LUA_NIL) && !arg_bits(call, 1, &count)))
        return false;
    if ((int32_t)count < 0) {
        count = -count;
        digits = "0123456789ABCDEF";
    }
    if (count > 8)
        count = 8;
    for (uint32_t i = count; i-- > 0; bits >>= 4)
        text[i] = digits[bits & 15];
    lua_return(call, lua_string(call->lua, (struct bytes){text, count}));
    return true;
}

static const struct lua_row functions[] = {
    {"arshift", bit_arshift}, {"band", bit_band},     {"bnot", bit_bnot}, {"bor", bit_bor}, {"bswap", bit_bswap},
    {"bxor", bit_bxor},       {"lshift", bit_lshift}, {"rol", bit_rol},   {"ror", bit_ror}, {"rshift", bit_rshift},
    {"tobit", bit_tobit},     {"tohex", bit_tohex},   {NULL, NULL},
};

void lua_open_bit(struct lua *lua) { lua_open_library(lua, "bit", functions); }
