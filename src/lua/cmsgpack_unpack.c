/* cmsgpack.unpack and its siblings. */
#include "lua/cmsgpack.h"

#include "base/mem.h"

#include <limits.h>

/* What 5.1's stack for functions in C has room for: it bounds nesting, and how many values come back. */
#define STACK_MAX 8000

struct unpacker {
    struct lua *lua;
    const unsigned char *at;
    size_t left;
};

static bool read_value(struct unpacker *unpacker, int slots, struct lua_value *value);

static bool raise_missing(struct unpacker *unpacker)
{
    lua_raise_text(unpacker->lua, "Missing bytes in input.");
    return false;
}

/* A number of so many bytes behind the type, the high byte first; moves behind it. */
static bool read_number(struct unpacker *unpacker, size_t size, uint64_t *number)
{
    if (unpacker->left < 1 + size)
        return raise_missing(unpacker);
    *number = 0;
    for (size_t i = 1; i <= size; i++)
        *number = *number << 8 | unpacker->at[i];
    unpacker->at += 1 + size;
    unpacker->left -= 1 + size;
    return true;
}

static bool read_unsigned(struct unpacker *unpacker, size_t size, struct lua_value *value)
{
    uint64_t number;

    if (!read_number(unpacker, size, &number))
        return false;
    *value = lua_number((double)(int64_t)number); /* beyond 2^63 it is negative */
    return true;
}

static bool read_signed(struct unpacker *unpacker, size_t size, struct lua_value *value)
{
    uint64_t number;
    unsigned above;

    if (!read_number(unpacker, size, &number))
        return false;
    above = (unsigned)(64 - 8 * size);
    *value = lua_number((double)((int64_t)(number << above) >> above));
    return true;
}

static bool read_float(struct unpacker *unpacker, size_t size, struct lua_value *value)
{
    uint64_t bits;
    uint32_t narrow_bits;
    float narrow;
    double number;

    if (!read_number(unpacker, size, &bits))
        return false;
    if (size == sizeof narrow) {
        narrow_bits = (uint32_t)bits;
        memcpy(&narrow, &narrow_bits, sizeof narrow);
        number = (double)narrow;
    } else {
        memcpy(&number, &bits, sizeof number);
    }
    *value = lua_number(number);
    return true;
}

/* 'len' bytes behind a header of 'size' bytes and the type; with size 0 the type tells the length. */
static bool read_string(struct unpacker *unpacker, size_t size, uint64_t len, struct lua_value *value)
{
    struct unpacker before = *unpacker;

    if (!read_number(unpacker, size, size ? &len : &(uint64_t){0}))
        return false;
    if (unpacker->left < len) {
        *unpacker = before;
        return raise_missing(unpacker);
    }
    *value = lua_string(unpacker->lua, (struct bytes){(const char *)unpacker->at, len});
    unpacker->at += len;
    unpacker->left -= len;
    return true;
}

static bool read_array(struct unpacker *unpacker, size_t size, uint64_t count, int slots, struct lua_value *value)
{
    if (!read_number(unpacker, size, size ? &count : &(uint64_t){0}))
        return false;
    *value = lua_of_table(lua_table_new(unpacker->lua, 0, 0));
    if (slots + 2 > STACK_MAX)
        return lua_raise_text(unpacker->lua, "stack overflow (in function mp_decode_to_lua_array)");
    for (uint64_t i = 1; i <= count; i++) {
        struct lua_value element;

        if (!read_value(unpacker, slots + 2, &element))
            return false;
        lua_table_set_int(unpacker->lua, value->table, (int64_t)i, element);
    }
    return true;
}

static bool read_map(struct unpacker *unpacker, size_t size, uint64_t count, int slots, struct lua_value *value)
{
    if (!read_number(unpacker, size, size ? &count : &(uint64_t){0}))
        return false;
    *value = lua_of_table(lua_table_new(unpacker->lua, 0, 0));
    for (; count > 0; count--) {
        struct lua_value key, element;

        if (!read_value(unpacker, slots + 1, &key) || !read_value(unpacker, slots + 2, &element))
            return false;
        if (lua_is(key, LUA_NIL))
            return lua_raise(unpacker->lua, lua_text(unpacker->lua, "table index is nil"));
        if (lua_is(key, LUA_NUMBER) && key.number != key.number)
            return lua_raise(unpacker->lua, lua_text(unpacker->lua, "table index is NaN"));
        lua_table_set(unpacker->lua, value->table, key, element);
    }
    return true;
}

static bool read_constant(struct unpacker *unpacker, struct lua_value constant, struct lua_value *value)
{
    *value = constant;
    return read_number(unpacker, 0, &(uint64_t){0});
}

/* 'slots' is what the reference would have on its stack. */
static bool read_value(struct unpacker *unpacker, int slots, struct lua_value *value)
{
    unsigned char type;

    if (!lua_work(unpacker->lua, 1))
        return false;
    if (slots + 1 > STACK_MAX)
        return lua_raise_text(unpacker->lua, "stack overflow (too many return values at once; use unpack_one or "
                                             "unpack_limit instead.)");
    if (unpacker->left < 1)
        return raise_missing(unpacker);
    type = *unpacker->at;
    if (type < 0x80 || type >= 0xE0)
        return read_constant(unpacker, lua_number((signed char)type), value);
    if (type < 0x90)
        return read_map(unpacker, 0, type & 0x0F, slots, value);
    if (type < 0xA0)
        return read_array(unpacker, 0, type & 0x0F, slots, value);
    if (type < 0xC0)
        return read_string(unpacker, 0, type & 0x1F, value);
    switch (type) {
    case 0xC0:
        return read_constant(unpacker, lua_nil(), value);
    case 0xC2:
        return read_constant(unpacker, lua_boolean(false), value);
    case 0xC3:
        return read_constant(unpacker, lua_boolean(true), value);
    case 0xCA:
        return read_float(unpacker, 4, value);
    case 0xCB:
        return read_float(unpacker, 8, value);
    case 0xCC:
    case 0xCD:
    case 0xCE:
    case 0xCF:
        return read_unsigned(unpacker, (size_t)1 << (type - 0xCC), value);
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3:
        return read_signed(unpacker, (size_t)1 << (type - 0xD0), value);
    case 0xD9:
    case 0xDA:
    case 0xDB:
        return read_string(unpacker, (size_t)1 << (type - 0xD9), 0, value);
    case 0xDC:
    case 0xDD:
        return read_array(unpacker, type == 0xDC ? 2 : 4, 0, slots, value);
    case 0xDE:
    case 0xDF:
        return read_map(unpacker, type == 0xDE ? 2 : 4, 0, slots, value);
    default:
        return lua_raise_text(unpacker->lua, "Bad data format in input.");
    }
}

/* Values read so far; nothing is collected while they wait. */
struct values {
    struct lua_value *data;
    size_t count, size;
};

static void values_add(struct values *values, struct lua_value value)
{
    if (values->count == values->size) {
        size_t size = values->size ? 2 * values->size : 16;

        values->data = mem_resize(values->data, values->size * sizeof *values->data, size * sizeof *values->data);
        values->size = size;
    }
    values->data[values->count++] = value;
}

/* All values, or 'limit' of them from 'offset' on, after the offset of what follows them (-1: the end). */
static bool unpack(struct lua_call *call, int64_t limit, int64_t offset)
{
    struct unpacker unpacker = {.lua = call->lua};
    struct values values = {0};
    struct bytes input;
    bool wants_all = limit == 0 && offset == 0, is_good = true;

    if (!lua_arg_string(call, 0, &input))
        return false;
    if (offset < 0 || limit < 0)
        return lua_raise_text(call->lua, "Invalid request to unpack with offset of %d and limit of %d.", (int)offset,
                              (int)input.len);
    if ((uint64_t)offset > input.len)
        return lua_raise_text(call->lua, "Start offset %d greater than input length %d.", (int)offset, (int)input.len);
    unpacker.at = (const unsigned char *)input.data + offset;
    unpacker.left = input.len - (size_t)offset;
    while (is_good && unpacker.left > 0 && (wants_all || (int64_t)values.count < limit)) {
        struct lua_value value;

        is_good = read_value(&unpacker, call->argc + (int)values.count, &value);
        if (is_good)
            values_add(&values, value);
    }
    if (is_good && !wants_all)
        lua_return(call, lua_number(unpacker.left ? (double)(input.len - unpacker.left) : -1));
    for (size_t i = 0; is_good && i < values.count; i++)
        lua_return(call, values.data[i]);
    mem_free(values.data, values.size * sizeof *values.data);
    return is_good;
}

bool cmsgpack_unpack(struct lua_call *call) { return unpack(call, 0, 0); }

bool cmsgpack_unpack_one(struct lua_call *call)
{
    int64_t offset = 0;

    return lua_arg_optional_int(call, 1, &offset) && unpack(call, 1, offset);
}

bool cmsgpack_unpack_limit(struct lua_call *call)
{
    int64_t limit, offset = 0;

    return lua_arg_int(call, 1, &limit) && lua_arg_optional_int(call, 2, &offset) && unpack(call, limit, offset);
}
