/* cjson.encode: a value as JSON. A table whose keys are all whole numbers from 1 on is an array, any other one, and an
 * empty one, an object. */
#include "lua/cjson.h"

#include "base/elementary.h"

#include <stdio.h>

struct encoder {
    struct lua_call *call;
    struct text out;
    int depth_max, precision, invalid, sparse_ratio, sparse_safe;
    bool sparse_convert;
};

static bool add_value(struct encoder *encoder, struct lua_value value, int depth, int slots);

static bool refuse(const struct encoder *encoder, enum lua_type type, const char *reason)
{
    return lua_raise_text(encoder->call->lua, "Cannot serialise %s: %s", lua_type_name(type), reason);
}

static void add_character(struct text *out, unsigned char byte)
{
    static const char plain[] = "\"\\/\b\t\n\f\r", letters[] = "\"\\/btnfr";
    const char *found = byte ? strchr(plain, byte) : NULL;

    if (found)
        text_add(out, (struct bytes){(char[]){'\\', letters[found - plain]}, 2});
    else
        text_format(out, "\\u%04x", byte);
}

static bool needs_escape(unsigned char byte)
{
    return byte < ' ' || byte == '"' || byte == '\\' || byte == '/' || byte == 127;
}

static bool add_string(struct encoder *encoder, struct bytes text)
{
    struct text *out = &encoder->out;

    if (!lua_string_fits(encoder->call->lua, out->len, text.len))
        return false;
    text_add(out, BYTES("\""));
    for (size_t from = 0, to = 0; from < text.len; from = to) {
        while (to < text.len && !needs_escape((unsigned char)text.data[to]))
            to++;
        text_add(out, (struct bytes){text.data + from, to - from});
        if (to == text.len)
            break;
        if (!lua_work(encoder->call->lua, 1) || !lua_string_fits(encoder->call->lua, out->len, text.len - to))
            return false;
        add_character(out, (unsigned char)text.data[to++]);
    }
    text_add(out, BYTES("\""));
    return true;
}

static bool add_number(struct encoder *encoder, double number)
{
    char text[LUA_NUMBER_TEXT_MAX];
    bool is_valid = __builtin_fabs(number) < __builtin_inf();

    if (!is_valid && encoder->invalid == CJSON_REFUSE)
        return refuse(encoder, LUA_NUMBER, "must not be NaN or Inf");
    if (!is_valid && encoder->invalid == CJSON_AS_NULL)
        text_add(&encoder->out, BYTES("null"));
    else if (number != number)
        text_add(&encoder->out, BYTES("nan"));
    else
        text_add(&encoder->out,
                 (struct bytes){text, (size_t)snprintf(text, sizeof text, "%.*g", encoder->precision, number)});
    return true;
}

/* The length of an array; 0 or less: the table is an object. False: raised. */
static bool array_len(const struct encoder *encoder, const struct lua_table *table, int *len)
{
    struct lua_value key = lua_nil(), value;
    int most = 0;
    int64_t count = 0;
    bool is_bad;

    *len = -1;
    while (lua_table_next(table, &key, &value, &is_bad)) {
        if (!lua_is(key, LUA_NUMBER) || key.number < 1 || double_floor(key.number) != key.number)
            return true;
        if (key.number > most)
            most = lua_double_to_int(key.number); /* what does not fit makes no array */
        count++;
    }
    if (encoder->sparse_ratio > 0 && most > count * encoder->sparse_ratio && most > encoder->sparse_safe)
        return encoder->sparse_convert || refuse(encoder, LUA_TABLE, "excessively sparse array");
    *len = most;
    return true;
}

static bool add_array(struct encoder *encoder, const struct lua_table *table, int len, int depth, int slots)
{
    text_add(&encoder->out, BYTES("["));
    for (int64_t i = 1; i <= len; i++) {
        if (i > 1)
            text_add(&encoder->out, BYTES(","));
        if (!add_value(encoder, lua_table_get_int(table, i), depth, slots + 1))
            return false;
    }
    text_add(&encoder->out, BYTES("]"));
    return true;
}

static bool add_key(struct encoder *encoder, struct lua_value key)
{
    if (lua_is(key, LUA_STRING))
        return add_string(encoder, lua_string_bytes(key));
    if (!lua_is(key, LUA_NUMBER))
        return refuse(encoder, key.type, "table key must be a number or string");
    text_add(&encoder->out, BYTES("\""));
    if (!add_number(encoder, key.number))
        return false;
    text_add(&encoder->out, BYTES("\""));
    return true;
}

static bool add_object(struct encoder *encoder, const struct lua_table *table, int depth, int slots)
{
    struct lua_value key = lua_nil(), value;
    bool is_bad, has_any = false;

    text_add(&encoder->out, BYTES("{"));
    while (lua_table_next(table, &key, &value, &is_bad)) {
        if (has_any)
            text_add(&encoder->out, BYTES(","));
        has_any = true;
        if (!add_key(encoder, key))
            return false;
        text_add(&encoder->out, BYTES(":"));
        if (!add_value(encoder, value, depth, slots + 2))
            return false;
    }
    text_add(&encoder->out, BYTES("}"));
    return true;
}

/* 'slots' is what the reference would have on its stack: it counts as nesting too. */
static bool add_table(struct encoder *encoder, const struct lua_table *table, int depth, int slots)
{
    int len;

    if (depth > encoder->depth_max || slots + 3 > CJSON_STACK_MAX)
        return lua_raise_text(encoder->call->lua, "Cannot serialise, excessive nesting (%d)", depth);
    if (!array_len(encoder, table, &len))
        return false;
    return len > 0 ? add_array(encoder, table, len, depth, slots) : add_object(encoder, table, depth, slots);
}

static bool add_value(struct encoder *encoder, struct lua_value value, int depth, int slots)
{
    if (!lua_work(encoder->call->lua, 1) || !lua_string_fits(encoder->call->lua, encoder->out.len, 1))
        return false;
    switch (value.type) {
    case LUA_STRING:
        return add_string(encoder, lua_string_bytes(value));
    case LUA_NUMBER:
        return add_number(encoder, value.number);
    case LUA_TABLE:
        return add_table(encoder, value.table, depth + 1, slots);
    case LUA_BOOLEAN:
        text_add(&encoder->out, value.boolean ? BYTES("true") : BYTES("false"));
        return true;
    case LUA_NIL:
        text_add(&encoder->out, BYTES("null"));
        return true;
    case LUA_POINTER:
        if (!value.pointer) {
            text_add(&encoder->out, BYTES("null"));
            return true;
        }
        break;
    default:
        break;
    }
    return refuse(encoder, value.type, "type not supported");
}

bool cjson_encode(struct lua_call *call)
{
    struct encoder encoder = {
        .call = call,
        .depth_max = cjson_setting(call, CJSON_ENCODE_MAX_DEPTH),
        .precision = cjson_setting(call, CJSON_PRECISION),
        .invalid = cjson_setting(call, CJSON_ENCODE_INVALID),
        .sparse_ratio = cjson_setting(call, CJSON_SPARSE_RATIO),
        .sparse_safe = cjson_setting(call, CJSON_SPARSE_SAFE),
        .sparse_convert = cjson_setting(call, CJSON_SPARSE_CONVERT),
    };

    if (call->argc != 1)
        return lua_raise_argument(call, 0, "expected 1 argument");
    if (add_value(&encoder, lua_arg(call, 0), 0, 1))
        return lua_return_text(call, &encoder.out);
    text_release(&encoder.out);
    return false;
}
