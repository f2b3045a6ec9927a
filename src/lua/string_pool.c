/* Strings. A short one exists once: equal ones are the same object, found by their hash in the pool. A long one is
 * compared by its bytes, and hashed only when it becomes a key. The hash is that of Lua 5.1 as the
 * servers have it (every byte counts, also of a long string), for the order of tables. */
#include "state_internal.h"

#include "base/assert.h"

#include <ctype.h>
#include <stdlib.h>

enum { POOL_SIZE_MIN = 256 };

static uint32_t hash_of(const char *data, size_t len)
{
    uint32_t hash = (uint32_t)len;

    for (size_t at = len; at > 0; at--)
        hash ^= (hash << 5) + (hash >> 2) + (unsigned char)data[at - 1];
    return hash;
}

void lua_pool_init(struct lua *lua)
{
    lua->pool.size = POOL_SIZE_MIN;
    lua->pool.chains = lua_alloc(lua, lua->pool.size * sizeof *lua->pool.chains);
    memset(lua->pool.chains, 0, lua->pool.size * sizeof *lua->pool.chains);
}

void lua_pool_release(struct lua *lua)
{
    lua_release(lua, lua->pool.chains, lua->pool.size * sizeof *lua->pool.chains);
}

static void pool_resize(struct lua *lua, size_t size)
{
    struct lua_string **chains = lua_alloc(lua, size * sizeof *chains);

    memset(chains, 0, size * sizeof *chains);
    for (size_t i = 0; i < lua->pool.size; i++) {
        struct lua_string *next;
        for (struct lua_string *string = lua->pool.chains[i]; string; string = next) {
            struct lua_string **chain = &chains[string->object.number & (size - 1)];
            next = (struct lua_string *)string->object.next;
            string->object.next = (struct lua_object *)*chain;
            *chain = string;
        }
    }
    lua_pool_release(lua);
    lua->pool.chains = chains;
    lua->pool.size = size;
    lua->sweep.chain = 0; /* what was swept already is judged again: the same verdict */
}

void lua_pool_shrink(struct lua *lua)
{
    size_t size = lua->pool.size;

    while (size > POOL_SIZE_MIN && lua->pool.count < size / 4)
        size /= 2;
    if (size < lua->pool.size)
        pool_resize(lua, size);
}

size_t lua_string_size(const struct lua_string *string) { return sizeof *string + string->len + 1; }

struct lua_string *lua_string_new_long(struct lua *lua, size_t len)
{
    struct lua_string *string = lua_object_new(lua, LUA_STRING, sizeof *string + len + 1);

    lua_charge(lua, len);
    string->object.flags = STRING_IS_LONG;
    string->len = len;
    string->data[len] = '\0';
    return string;
}

struct lua_string *lua_string_new(struct lua *lua, const char *data, size_t len)
{
    struct lua_string *string;

    if (len > SHORT_STRING_MAX) {
        string = lua_string_new_long(lua, len);
        memcpy(string->data, data, len);
        return string;
    }
    uint32_t hash = hash_of(data, len);
    struct lua_object *object = (struct lua_object *)lua->pool.chains[hash & (lua->pool.size - 1)];
    for (; object; object = object->next) {
        string = (struct lua_string *)object;
        if (object->number == hash && string->len == len && bytes_same(string->data, data, len)) {
            lua_object_touch(lua, object);
            return string;
        }
    }
    if (lua->pool.count >= lua->pool.size)
        pool_resize(lua, lua->pool.size * 2);
    struct lua_string **chain = &lua->pool.chains[hash & (lua->pool.size - 1)];
    string = lua_alloc(lua, sizeof *string + len + 1);
    string->object = (struct lua_object){
        .next = (struct lua_object *)*chain, .kind = LUA_STRING, .mark = lua->mark, .number = hash};
    string->len = len;
    bytes_copy(string->data, data, len);
    string->data[len] = '\0';
    *chain = string;
    lua->pool.count++;
    return string;
}

uint32_t lua_string_hash(struct lua_string *string)
{
    if ((string->object.flags & (STRING_IS_LONG | STRING_HAS_HASH)) == STRING_IS_LONG) {
        string->object.number = hash_of(string->data, string->len);
        string->object.flags |= STRING_HAS_HASH;
    }
    return string->object.number;
}

bool lua_string_equal_long(const struct lua_string *a, const struct lua_string *b)
{
    return !lua_string_is_short(a) && a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

bool lua_string_less(const struct lua_string *a, const struct lua_string *b)
{
    return bytes_compare((struct bytes){a->data, a->len}, (struct bytes){b->data, b->len}) < 0;
}

struct lua_value lua_string(struct lua *lua, struct bytes text)
{
    return lua_of_string(lua_string_new(lua, text.data, text.len));
}

struct lua_value lua_text(struct lua *lua, const char *text)
{
    return lua_of_string(lua_string_new(lua, text, strlen(text)));
}

struct bytes lua_string_bytes(struct lua_value string)
{
    ASSERT(string.type == LUA_STRING);
    return (struct bytes){string.string->data, string.string->len};
}

/* --- numbers ------------------------------------------------------------------------------- */

static bool digits_to_number(const char *text, size_t len, double *number)
{
    double sum = 0;

    if (len == 0 || len > 15)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        sum = sum * 10 + (text[i] - '0');
    }
    *number = sum;
    return true;
}

/* The text ends with a zero byte; what stands behind an earlier one is not seen. */
bool lua_text_to_number(const char *text, size_t len, double *number)
{
    char *end;
    double value;

    if (digits_to_number(text, len, number))
        return true;
    value = strtod(text, &end);
    if (end == text)
        return false;
    if (*end == 'x' || *end == 'X')
        value = (double)strtoul(text, &end, 16);
    while (isspace((unsigned char)*end))
        end++;
    if (*end != '\0')
        return false;
    *number = value;
    return true;
}

bool lua_to_number(struct lua_value value, double *number)
{
    if (value.type == LUA_NUMBER) {
        *number = value.number;
        return true;
    }
    return value.type == LUA_STRING && lua_text_to_number(value.string->data, value.string->len, number);
}

/* --- chunk names --------------------------------------------------------------------------- */

static size_t append(char *out, size_t at, size_t size, const char *text, size_t len)
{
    if (len > size - 1 - at)
        len = size - 1 - at;
    memcpy(out + at, text, len);
    out[at + len] = '\0';
    return at + len;
}

size_t lua_chunk_display(const struct lua_string *source, char *out, size_t size)
{
    const char *name = source->data;
    size_t len = strlen(name), at = 0;

    if (*name == '=')
        return append(out, 0, size, name + 1, len - 1);
    if (*name == '@') {
        size_t room = size - sizeof " '...' ";
        name++;
        len--;
        if (len > room) {
            at = append(out, at, size, "...", 3);
            name += len - room;
            len = room;
        }
        return append(out, at, size, name, len);
    }
    size_t room = size - sizeof " [string \"...\"] ";
    size_t line = strcspn(name, "\n\r");
    if (line > room)
        line = room;
    at = append(out, at, size, "[string \"", 9);
    at = append(out, at, size, name, line);
    if (name[line] != '\0')
        at = append(out, at, size, "...", 3);
    return append(out, at, size, "\"]", 2);
}
