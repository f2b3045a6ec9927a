/* Values of Lua as replies, as Redis converts them.
 *
 *     "ab"            $2 ab          {ok = "x"}        +x          {map = {k = v}}       %1 ...
 *     1.9             :1             {err = "E x"}     -E x        {set = {m = true}}    ~1 ...
 *     true            :1             {double = 1.5}    ,1.5        {big_number = "12"}   (12
 *     nil, false      $-1 or _       {a, b}            *2 ...      {verbatim_string = {format = "txt", string = "x"}}
 *
 * Fields are read raw. An array ends at its first nil. */
#include "script_internal.h"

#include "base/mem.h"
#include "base/text.h"

/* Redis converts on Lua's stack, which ends here: an array takes one place of it, a map or set three. */
#define PLACES_MAX 7995
/* A table that contains itself twice would reach the end without end: then all that is left is the error. */
#define ENDS_MAX 1000

struct writer {
    struct request *req;
    struct machine *machine;
    struct lua *lua;
    uint64_t start; /* reply_position */
    int ends;       /* how often the end was reached */
};

static void write_value(struct writer *writer, struct lua_value value, int places);

static bool field(const struct writer *writer, const struct lua_table *table, const char *name, enum lua_type type,
                  struct lua_value *value)
{
    *value = lua_table_get_text(writer->lua, table, name);
    return lua_is(*value, type);
}

/* --- one line ------------------------------------------------------------------------------------ */

/* Texts of statuses and errors end at a zero byte. */
static struct bytes up_to_zero(struct bytes text) { return (struct bytes){text.data, strnlen(text.data, text.len)}; }

/* A copy with blanks for ends of lines; the caller frees size + 1 bytes. */
static char *one_line(struct bytes text)
{
    char *line = mem_alloc(text.len + 1);

    bytes_copy(line, text.data, text.len);
    for (size_t i = 0; i < text.len; i++)
        if (line[i] == '\r' || line[i] == '\n')
            line[i] = ' ';
    line[text.len] = '\0';
    return line;
}

/* Counted unless it was when a command answered it. */
static void write_error(struct request *req, struct bytes text, bool is_counted)
{
    char *line;

    while (text.len && (text.data[text.len - 1] == '\r' || text.data[text.len - 1] == '\n'))
        text.len--;
    line = one_line(text);
    reply_raw(req, BYTES("-"));
    reply_raw(req, (struct bytes){line, text.len});
    reply_raw(req, BYTES("\r\n"));
    req->flags |= REQUEST_FAILED;
    if (is_counted)
        inner_refuse(req->engine, NULL, line);
    mem_free(line, text.len + 1);
}

static void write_line(struct writer *writer, const char *type, struct bytes text)
{
    char *line = one_line(text);

    reply_raw(writer->req, bytes_from_string(type));
    reply_raw(writer->req, (struct bytes){line, text.len});
    reply_raw(writer->req, BYTES("\r\n"));
    mem_free(line, text.len + 1);
}

static bool is_counted_already(const struct machine *machine, const struct lua_table *table)
{
    struct lua_value ignore = lua_table_get(table, machine->key_ignore);

    return lua_is(ignore, LUA_BOOLEAN) && ignore.boolean;
}

static void write_big_number(struct writer *writer, struct bytes text)
{
    char *line;

    if (writer->req->client->resp == 3) {
        write_line(writer, "(", text);
        return;
    }
    line = one_line(text);
    reply_bulk(writer->req, (struct bytes){line, text.len});
    mem_free(line, text.len + 1);
}

#define FORMAT_LEN 3

static bool write_verbatim(struct writer *writer, const struct lua_table *table)
{
    struct lua_value format, string;
    char padded[FORMAT_LEN + 1] = "   ";
    struct bytes name;

    if (!field(writer, table, "format", LUA_STRING, &format) || !field(writer, table, "string", LUA_STRING, &string))
        return false;
    name = lua_string_bytes(format);
    memcpy(padded, name.data, name.len < FORMAT_LEN ? name.len : FORMAT_LEN);
    reply_verbatim(writer->req, lua_string_bytes(string), padded);
    return true;
}

/* --- aggregates ---------------------------------------------------------------------------------- */

/* A script can name more elements than there is memory for: what is too much ends the client. */
static bool goes_on(const struct writer *writer) { return reply_goes_on(writer->req, writer->start); }

static size_t count_pairs(const struct lua_table *table)
{
    struct lua_value key = lua_nil(), value;
    size_t count = 0;
    bool is_bad;

    while (lua_table_next(table, &key, &value, &is_bad))
        count++;
    return count;
}

static void write_pairs(struct writer *writer, const struct lua_table *table, bool with_values, int places)
{
    struct lua_value key = lua_nil(), value;
    bool is_bad;

    while (goes_on(writer) && lua_table_next(table, &key, &value, &is_bad)) {
        write_value(writer, key, places + 3);
        if (with_values)
            write_value(writer, value, places + 3);
    }
}

static void write_array(struct writer *writer, const struct lua_table *table, int places)
{
    size_t count = 0;

    while (!lua_is(lua_table_get_int(table, (int64_t)count + 1), LUA_NIL))
        count++;
    reply_array(writer->req, count);
    for (size_t i = 1; i <= count && goes_on(writer); i++)
        write_value(writer, lua_table_get_int(table, (int64_t)i), places + 1);
}

static void write_table(struct writer *writer, const struct lua_table *table, int places)
{
    struct request *req = writer->req;
    struct lua_value value;

    if (lua_is(value = lua_table_get(table, writer->machine->key_err), LUA_STRING)) {
        write_error(req, up_to_zero(lua_string_bytes(value)), !is_counted_already(writer->machine, table));
    } else if (lua_is(value = lua_table_get(table, writer->machine->key_ok), LUA_STRING)) {
        if (value.string == writer->machine->text_ok.string)
            reply_ok(req);
        else
            write_line(writer, "+", up_to_zero(lua_string_bytes(value)));
    } else if (field(writer, table, "double", LUA_NUMBER, &value)) {
        reply_double(req, value.number);
    } else if (field(writer, table, "map", LUA_TABLE, &value)) {
        reply_map(req, count_pairs(value.table));
        write_pairs(writer, value.table, true, places);
    } else if (field(writer, table, "set", LUA_TABLE, &value)) {
        reply_set(req, count_pairs(value.table));
        write_pairs(writer, value.table, false, places);
    } else if (field(writer, table, "big_number", LUA_STRING, &value)) {
        write_big_number(writer, lua_string_bytes(value));
    } else if (!field(writer, table, "verbatim_string", LUA_TABLE, &value) || !write_verbatim(writer, value.table)) {
        write_array(writer, table, places);
    }
}

/* --- any value ------------------------------------------------------------------------------------ */

/* As a processor converts: what is no number of 64 bits becomes the least. */
static int64_t whole(double number)
{
    return number >= -9223372036854775808.0 && number < 9223372036854775808.0 ? (int64_t)number : INT64_MIN;
}

static void write_boolean(struct writer *writer, bool boolean)
{
    if (inner_client(writer->machine->public.scripts->inner)->resp == 3)
        reply_bool(writer->req, boolean);
    else if (boolean)
        reply_int(writer->req, 1);
    else
        reply_null(writer->req);
}

static void write_value(struct writer *writer, struct lua_value value, int places)
{
    if (places >= PLACES_MAX || writer->ends >= ENDS_MAX) {
        writer->ends++;
        reply_error(writer->req, "ERR reached lua stack limit");
        return;
    }
    switch (value.type) {
    case LUA_STRING:
        reply_bulk(writer->req, lua_string_bytes(value));
        break;
    case LUA_NUMBER:
        reply_int(writer->req, whole(value.number));
        break;
    case LUA_BOOLEAN:
        write_boolean(writer, value.boolean);
        break;
    case LUA_TABLE:
        write_table(writer, value.table, places);
        break;
    default:
        reply_null(writer->req);
    }
}

void reply_value(struct request *req, struct machine *machine, struct lua_value value)
{
    struct writer writer = {req, machine, machine->public.lua, reply_position(req), 0};

    write_value(&writer, value, 0);
}

/* --- errors of scripts ----------------------------------------------------------------------------- */

/* The text of an error's table, by its field 'err'. */
static bool table_text(struct lua *lua, struct machine *machine, struct lua_value error, struct lua_value *text)
{
    return lua_index(lua, error, machine->key_err, text) && is_text(*text) && lua_to_text(lua, *text, text);
}

/* With its code: "ERR " for what is no table. */
static void error_message(struct machine *machine, struct lua_value error, struct text *out)
{
    struct lua *lua = machine->public.lua;
    struct lua_value text;

    if (lua_is(error, LUA_TABLE)) {
        if (table_text(lua, machine, error, &text))
            text_add(out, up_to_zero(lua_string_bytes(text)));
        else
            text_add(out, BYTES("ERR unknown error"));
        return;
    }
    text_add(out, BYTES("ERR "));
    if (lua_to_text(lua, error, &text))
        text_add(out, up_to_zero(lua_string_bytes(text)));
}

void reply_script_error(struct request *req, struct machine *machine, struct bytes name)
{
    struct lua *lua = machine->public.lua;
    struct lua_value error = lua_error_value(lua);
    struct text message = {0};
    struct bytes chunk;
    bool has_place, is_counted = true;
    int pin = lua_is(error, LUA_NIL) ? 0 : lua_pin(lua, error), line = 0;
    char source[128] = "";

    has_place = lua_error_place(lua, &chunk, &line);
    if (has_place)
        bytes_copy(source, chunk.data, chunk.len < sizeof source - 1 ? chunk.len : sizeof source - 1);
    error_message(machine, error, &message);
    if (lua_is(error, LUA_TABLE))
        is_counted = !is_counted_already(machine, error.table);
    if (has_place)
        text_format(&message, " script: %.*s, on @%s:%d.", (int)name.len, name.data, source, line);
    write_error(req, text_bytes(&message), is_counted);
    text_release(&message);
    if (pin)
        lua_unpin(lua, pin);
}
