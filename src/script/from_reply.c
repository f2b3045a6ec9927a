/* Replies as values of Lua.
 *
 *     +OK       {ok = "OK"}               $-1 *-1   false          _         nil
 *     -ERR x    {err = "ERR x"}           $2 ab     "ab"           #t        true
 *     :1        1                         *2 ...    {...}          ,1.5      {double = 1.5}
 *     %1 ...    {map = {k = v}}           ~1 ...    {set = {m = true}}
 *     (123      {big_number = "123"}      =7 txt:abc   {verbatim_string = {format = "txt", string = "abc"}}
 *
 * The bytes are the engine's own, so they are not checked. */
#include "script_internal.h"

#include "base/assert.h"
#include "base/numbers.h"

struct reader {
    struct machine *machine;
    struct lua *lua;
    const char *at;
};

static struct lua_value read_value(struct reader *reader);

/* To the end of the line. */
static struct bytes read_line(struct reader *reader)
{
    const char *end = reader->at;

    while (*end != '\r')
        end++;

    struct bytes line = {reader->at, (size_t)(end - reader->at)};

    reader->at = end + 2;
    return line;
}

static int64_t read_number(struct reader *reader)
{
    const char *at = reader->at;
    bool is_negative = *at == '-';
    uint64_t number = 0;

    for (at += is_negative; *at != '\r'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    reader->at = at + 2;
    return (int64_t)(is_negative ? 0 - number : number);
}

static struct bytes read_bulk(struct reader *reader, size_t len)
{
    struct bytes bulk = {reader->at, len};

    reader->at += len + 2;
    return bulk;
}

static struct lua_value table_with(struct reader *reader, const char *name, struct lua_value value)
{
    struct lua_table *table = lua_table_new(reader->lua, 0, 1);

    lua_table_set_text(reader->lua, table, name, value);
    return lua_of_table(table);
}

static struct lua_value read_status(struct reader *reader)
{
    struct bytes text = read_line(reader);
    struct lua_table *table = lua_table_new(reader->lua, 0, 1);
    struct lua_value value = text.len == 2 && text.data[0] == 'O' && text.data[1] == 'K'
                                 ? reader->machine->text_ok
                                 : lua_string(reader->lua, text);

    lua_table_set(reader->lua, table, reader->machine->key_ok, value);
    return lua_of_table(table);
}

/* It was counted when it was replied. */
static struct lua_value read_error(struct reader *reader)
{
    struct machine *machine = reader->machine;
    struct lua_table *table = lua_table_new(reader->lua, 0, 2);

    lua_table_set(reader->lua, table, machine->key_err, lua_string(reader->lua, read_line(reader)));
    lua_table_set(reader->lua, table, machine->key_ignore, lua_boolean(true));
    return lua_of_table(table);
}

static struct lua_value read_array(struct reader *reader)
{
    int64_t count = read_number(reader);
    struct lua_table *table;

    if (count < 0)
        return lua_boolean(false);
    table = lua_table_new(reader->lua, (size_t)count, 0);
    for (int64_t i = 1; i <= count; i++)
        lua_table_set_int(reader->lua, table, i, read_value(reader));
    return lua_of_table(table);
}

static bool can_be_key(struct lua_value value)
{
    return !lua_is(value, LUA_NIL) && !(lua_is(value, LUA_NUMBER) && value.number != value.number);
}

static struct lua_value read_map(struct reader *reader)
{
    int64_t count = read_number(reader);
    struct lua_table *table = lua_table_new(reader->lua, 0, (size_t)count);

    for (int64_t i = 0; i < count; i++) {
        struct lua_value key = read_value(reader), value = read_value(reader);

        if (can_be_key(key))
            lua_table_set(reader->lua, table, key, value);
    }
    return table_with(reader, "map", lua_of_table(table));
}

static struct lua_value read_set(struct reader *reader)
{
    int64_t count = read_number(reader);
    struct lua_table *table = lua_table_new(reader->lua, 0, (size_t)count);

    for (int64_t i = 0; i < count; i++) {
        struct lua_value member = read_value(reader);

        if (can_be_key(member))
            lua_table_set(reader->lua, table, member, lua_boolean(true));
    }
    return table_with(reader, "set", lua_of_table(table));
}

static struct lua_value read_double(struct reader *reader)
{
    double number = 0;

    double_parse(read_line(reader), &number);
    return table_with(reader, "double", lua_number(number));
}

#define FORMAT_LEN 3

static struct lua_value read_verbatim(struct reader *reader)
{
    struct bytes text = read_bulk(reader, (size_t)read_number(reader));
    struct lua_table *table = lua_table_new(reader->lua, 0, 2);

    lua_table_set_text(reader->lua, table, "string",
                       lua_string(reader->lua, (struct bytes){text.data + FORMAT_LEN + 1, text.len - FORMAT_LEN - 1}));
    lua_table_set_text(reader->lua, table, "format", lua_string(reader->lua, (struct bytes){text.data, FORMAT_LEN}));
    return table_with(reader, "verbatim_string", lua_of_table(table));
}

static struct lua_value read_string(struct reader *reader)
{
    int64_t len = read_number(reader);

    return len < 0 ? lua_boolean(false) : lua_string(reader->lua, read_bulk(reader, (size_t)len));
}

static struct lua_value read_value(struct reader *reader)
{
    switch (*reader->at++) {
    case '+':
        return read_status(reader);
    case '-':
        return read_error(reader);
    case ':':
        return lua_number((double)read_number(reader));
    case '$':
        return read_string(reader);
    case '*':
    case '>':
        return read_array(reader);
    case '_':
        read_line(reader);
        return lua_nil();
    case '#':
        return lua_boolean(*read_line(reader).data == 't');
    case ',':
        return read_double(reader);
    case '(':
        return table_with(reader, "big_number", lua_string(reader->lua, read_line(reader)));
    case '=':
        return read_verbatim(reader);
    case '%':
        return read_map(reader);
    case '~':
        return read_set(reader);
    }
    ASSERT(!"a reply of a type that is known");
    return lua_nil();
}

struct lua_value value_from_reply(struct machine *machine, struct bytes reply)
{
    struct reader reader = {machine, machine->public.lua, reply.data};

    return read_value(&reader);
}
