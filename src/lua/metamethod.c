/* Operators when their fast path does not apply: conversions, metamethods, and the errors where neither helps. */
#include "lua/library.h"
#include "table_internal.h"

#include "base/elementary.h"
#include "base/numbers.h"

#include <stdio.h>

enum { CHAIN_MAX = 100 }; /* of __index and __newindex */

/* --- handlers ------------------------------------------------------------------------------ */

struct lua_value lua_event_slow(struct lua *lua, struct lua_table *metatable, enum lua_event event)
{
    struct lua_value handler = *lua_table_find_string(metatable, lua->event_names[event]);

    if (handler.type == LUA_NIL)
        metatable->object.flags |= (uint8_t)(1 << event);
    return handler;
}

struct lua_table *lua_metatable(const struct lua *lua, struct lua_value value)
{
    if (value.type == LUA_TABLE)
        return value.table->metatable;
    return value.type == LUA_STRING ? lua->string_metatable : NULL;
}

struct lua_value lua_event_of(struct lua *lua, struct lua_value value, enum lua_event event)
{
    struct lua_table *metatable = lua_metatable(lua, value);

    return metatable ? *lua_table_find_string(metatable, lua->event_names[event]) : lua_nil();
}

/* The left operand's handler, else the right one's. */
static struct lua_value binary_handler(struct lua *lua, struct lua_value a, struct lua_value b, enum lua_event event)
{
    struct lua_value handler = lua_event_of(lua, a, event);

    return handler.type == LUA_NIL ? lua_event_of(lua, b, event) : handler;
}

static bool call_binary(struct lua *lua, struct lua_value handler, struct lua_value a, struct lua_value b,
                        struct lua_value *result)
{
    struct lua_value args[] = {a, b};

    return lua_metamethod_call(lua, handler, args, 2, result);
}

/* --- index --------------------------------------------------------------------------------- */

bool lua_get(struct lua *lua, const struct lua_value *object, const struct lua_value *key, struct lua_value *value)
{
    struct lua_value wanted = *key, holder;

    for (int i = 0; i < CHAIN_MAX; i++) {
        struct lua_value handler;
        if (object->type == LUA_TABLE) {
            const struct lua_value *found = lua_table_find(object->table, wanted);
            if (found->type == LUA_NIL)
                handler = lua_event_fast(lua, object->table->metatable, EVENT_INDEX);
            if (found->type != LUA_NIL || handler.type == LUA_NIL) {
                *value = *found;
                return true;
            }
        } else {
            handler = lua_event_of(lua, *object, EVENT_INDEX);
            if (handler.type == LUA_NIL)
                return lua_raise_type(lua, object, "index");
        }
        if (handler.type == LUA_FUNCTION)
            return call_binary(lua, handler, *object, wanted, value);
        holder = handler;
        object = &holder;
    }
    return lua_raise_runtime(lua, "loop in gettable");
}

bool lua_index(struct lua *lua, struct lua_value object, struct lua_value key, struct lua_value *value)
{
    return lua_get(lua, &object, &key, value);
}

static bool check_key(struct lua *lua, struct lua_value key)
{
    if (key.type == LUA_NIL)
        return lua_raise_runtime(lua, "table index is nil");
    if (key.type == LUA_NUMBER && key.number != key.number)
        return lua_raise_runtime(lua, "table index is NaN");
    return true;
}

/* A key gets its place in the table even when a handler then takes the value: so tables keep the order that they have in
 * the reference implementation. */
bool lua_set(struct lua *lua, const struct lua_value *object, const struct lua_value *key,
             const struct lua_value *value)
{
    struct lua_value wanted = *key, put = *value, holder;

    for (int i = 0; i < CHAIN_MAX; i++) {
        struct lua_value handler;
        if (object->type == LUA_TABLE) {
            struct lua_table *table = object->table;
            if (table->is_readonly)
                return lua_raise_runtime(lua, "Attempt to modify a readonly table");
            if (!check_key(lua, wanted))
                return false;
            struct lua_value *place = lua_table_place(lua, table, wanted);
            handler = lua_nil();
            if (place->type == LUA_NIL)
                handler = lua_event_fast(lua, table->metatable, EVENT_NEWINDEX);
            if (handler.type == LUA_NIL) {
                *place = put;
                return true;
            }
        } else {
            handler = lua_event_of(lua, *object, EVENT_NEWINDEX);
            if (handler.type == LUA_NIL)
                return lua_raise_type(lua, object, "index");
        }
        if (handler.type == LUA_FUNCTION) {
            struct lua_value args[] = {*object, wanted, put};
            return lua_metamethod_call(lua, handler, args, 3, NULL);
        }
        holder = handler;
        object = &holder;
    }
    return lua_raise_runtime(lua, "loop in settable");
}

bool lua_set_index(struct lua *lua, struct lua_value object, struct lua_value key, struct lua_value value)
{
    return lua_set(lua, &object, &key, &value);
}

/* --- arithmetic ---------------------------------------------------------------------------- */

double lua_compute(enum lua_event event, double a, double b)
{
    switch (event) {
    case EVENT_ADD:
        return a + b;
    case EVENT_SUB:
        return a - b;
    case EVENT_MUL:
        return a * b;
    case EVENT_DIV:
        return a / b;
    case EVENT_MOD:
        return a - double_floor(a / b) * b;
    case EVENT_POW:
        return double_pow(a, b);
    default:
        return -a;
    }
}

bool lua_arithmetic(struct lua *lua, enum lua_event event, const struct lua_value *a, const struct lua_value *b,
                    struct lua_value *result)
{
    double left, right;

    if (lua_to_number(*a, &left) && lua_to_number(*b, &right)) {
        *result = lua_number(lua_compute(event, left, right));
        return true;
    }
    struct lua_value handler = binary_handler(lua, *a, *b, event);
    if (handler.type != LUA_NIL)
        return call_binary(lua, handler, *a, *b, result);
    return lua_raise_type(lua, lua_to_number(*a, &left) ? b : a, "perform arithmetic on");
}

bool lua_length(struct lua *lua, const struct lua_value *value, struct lua_value *result)
{
    if (value->type == LUA_TABLE) {
        *result = lua_number((double)lua_table_len(value->table));
        return true;
    }
    if (value->type == LUA_STRING) {
        *result = lua_number((double)value->string->len);
        return true;
    }
    return lua_raise_type(lua, value, "get length of");
}

/* --- comparisons --------------------------------------------------------------------------- */

bool lua_equal_raw(struct lua_value a, struct lua_value b)
{
    if (a.type != b.type)
        return false;
    switch (a.type) {
    case LUA_NIL:
        return true;
    case LUA_BOOLEAN:
        return a.boolean == b.boolean;
    case LUA_NUMBER:
        return a.number == b.number;
    case LUA_STRING:
        return a.string == b.string || lua_string_equal_long(a.string, b.string);
    default:
        return a.pointer == b.pointer;
    }
}

/* A handler of a comparison serves only when both operands have the same. */
static struct lua_value common_handler(struct lua *lua, struct lua_value a, struct lua_value b, enum lua_event event)
{
    struct lua_value handler = lua_event_of(lua, a, event);

    if (handler.type == LUA_NIL || !lua_equal_raw(handler, lua_event_of(lua, b, event)))
        return lua_nil();
    return handler;
}

static bool compare_with(struct lua *lua, struct lua_value handler, struct lua_value a, struct lua_value b, bool *is)
{
    struct lua_value result;

    if (!call_binary(lua, handler, a, b, &result))
        return false;
    *is = lua_is_true(result);
    return true;
}

bool lua_equal(struct lua *lua, struct lua_value a, struct lua_value b, bool *is_equal)
{
    if (a.type == LUA_STRING)
        lua_charge(lua, a.string->len);
    *is_equal = lua_equal_raw(a, b);
    if (*is_equal || a.type != LUA_TABLE || b.type != LUA_TABLE)
        return true;
    if (lua_event_fast(lua, a.table->metatable, EVENT_EQ).type == LUA_NIL)
        return true;
    struct lua_value handler = common_handler(lua, a, b, EVENT_EQ);
    return handler.type == LUA_NIL || compare_with(lua, handler, a, b, is_equal);
}

bool lua_less(struct lua *lua, struct lua_value a, struct lua_value b, bool *is_less)
{
    if (a.type == LUA_NUMBER && b.type == LUA_NUMBER) {
        *is_less = a.number < b.number;
        return true;
    }
    if (a.type == LUA_STRING && b.type == LUA_STRING) {
        lua_charge(lua, a.string->len);
        *is_less = lua_string_less(a.string, b.string);
        return true;
    }
    if (a.type != b.type)
        return lua_raise_compare(lua, a, b);
    struct lua_value handler = common_handler(lua, a, b, EVENT_LT);
    return handler.type == LUA_NIL ? lua_raise_compare(lua, a, b) : compare_with(lua, handler, a, b, is_less);
}

bool lua_less_equal(struct lua *lua, struct lua_value a, struct lua_value b, bool *is_less_equal)
{
    if (a.type == LUA_NUMBER && b.type == LUA_NUMBER) {
        *is_less_equal = a.number <= b.number;
        return true;
    }
    if (a.type == LUA_STRING && b.type == LUA_STRING) {
        lua_charge(lua, a.string->len);
        *is_less_equal = !lua_string_less(b.string, a.string);
        return true;
    }
    if (a.type != b.type)
        return lua_raise_compare(lua, a, b);
    struct lua_value handler = common_handler(lua, a, b, EVENT_LE);
    if (handler.type != LUA_NIL)
        return compare_with(lua, handler, a, b, is_less_equal);
    if (!lua_less(lua, b, a, is_less_equal))
        return false;
    *is_less_equal = !*is_less_equal;
    return true;
}

/* --- text ---------------------------------------------------------------------------------- */

/* "%.14g" */
size_t lua_number_text(char *out, double number)
{
    if (number > -1e14 && number < 1e14 && number == (double)(int64_t)number
        && (number != 0 || !__builtin_signbit(number)))
        return int64_format(out, (int64_t)number);
    return (size_t)snprintf(out, LUA_NUMBER_TEXT_MAX, "%.14g", number);
}

bool lua_coerce_string(struct lua *lua, struct lua_value *value)
{
    char text[LUA_NUMBER_TEXT_MAX];

    if (value->type == LUA_NUMBER)
        *value = lua_string(lua, (struct bytes){text, lua_number_text(text, value->number)});
    return value->type == LUA_STRING;
}

/* How many values from the last one back are strings or numbers; their length together. */
static int joinable(const struct lua_value *last, int count, size_t *len)
{
    int found = 0;

    *len = 0;
    for (; found < count; found++, last--) {
        char text[LUA_NUMBER_TEXT_MAX];
        if (last->type == LUA_STRING)
            *len += last->string->len;
        else if (last->type == LUA_NUMBER)
            *len += lua_number_text(text, last->number);
        else
            break;
    }
    return found;
}

static void join(struct lua *lua, struct lua_value *first, int count, size_t len)
{
    char small[SHORT_STRING_MAX + 1 + LUA_NUMBER_TEXT_MAX];
    struct lua_string *string = len > SHORT_STRING_MAX ? lua_string_new_long(lua, len) : NULL;
    char *out = string ? string->data : small;

    for (int i = 0; i < count; i++) {
        char text[LUA_NUMBER_TEXT_MAX];
        struct bytes part = {text, 0};
        if (first[i].type == LUA_STRING)
            part = (struct bytes){first[i].string->data, first[i].string->len};
        else
            part.len = lua_number_text(text, first[i].number);
        bytes_copy(out, part.data, part.len);
        out += part.len;
    }
    *first = lua_of_string(string ? string : lua_string_new(lua, small, len));
}

bool lua_concat(struct lua *lua, struct lua_thread *thread, ptrdiff_t at, int count)
{
    while (count > 1) {
        struct lua_value *first = thread->stack + at, *last = first + count - 1;
        size_t len;
        int found = joinable(last, count, &len);
        if (found >= 2) {
            if (!lua_string_fits(lua, len, 0))
                return false;
            join(lua, last - found + 1, found, len);
            count -= found - 1;
            continue;
        }
        struct lua_value handler = binary_handler(lua, last[-1], last[0], EVENT_CONCAT);
        if (handler.type == LUA_NIL) {
            bool is_left_fine = last[-1].type == LUA_STRING || last[-1].type == LUA_NUMBER;
            return lua_raise_type(lua, is_left_fine ? last : last - 1, "concatenate");
        }
        struct lua_value result;
        if (!call_binary(lua, handler, last[-1], last[0], &result))
            return false;
        thread->stack[at + count - 2] = result;
        count--;
    }
    return true;
}

bool lua_to_text(struct lua *lua, struct lua_value value, struct lua_value *string)
{
    struct lua_value handler = lua_event_of(lua, value, EVENT_TOSTRING);

    if (handler.type != LUA_NIL)
        return lua_metamethod_call(lua, handler, &value, 1, string);
    switch (value.type) {
    case LUA_NIL:
        *string = lua_text(lua, "nil");
        break;
    case LUA_BOOLEAN:
        *string = lua_text(lua, value.boolean ? "true" : "false");
        break;
    case LUA_NUMBER:
    case LUA_STRING:
        *string = value;
        lua_coerce_string(lua, string);
        break;
    default:
        *string = lua_format(lua, "%s: %p", lua_type_name(value.type), value.pointer);
    }
    return true;
}
