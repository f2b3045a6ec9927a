/* Scripts and what they answer on real servers: the tests of the libraries.
 *
 * The values that a row returns are shown with a blank between them, strings as %q shows them; an error is shown as E
 * and its text. */
#ifndef TERN_TESTS_SCRIPT_ROWS_H
#define TERN_TESTS_SCRIPT_ROWS_H

#include "unit.h"

#include "lua/libraries.h"
#include "lua/lua.h"

struct script_row {
    struct bytes source, answer;
};

#define ROW(source, answer)                                                                                            \
    {                                                                                                                  \
        {source, sizeof(source) - 1}, { answer, sizeof(answer) - 1 }                                                   \
    }

static const char script_head[] = "local function show(...) local t={} for i=1,select('#',...) do local v=select(i,...)"
                                  " if type(v)=='string' then t[i]=string.format('%q',v) else t[i]=tostring(v) end end "
                                  "return table.concat(t,' ') end\n"
                                  "local function f(...) ";
static const char script_tail[] =
    "\nend\n"
    "local function g(...) local ok=... if not ok then local e=select(2,...) return 'E '..tostring(e) end"
    " return show(select(2,...)) end\n"
    "return g(pcall(f))";

/* With all libraries, which scripts may not change. */
static struct lua *script_lua(uint64_t *random_state)
{
    static const char *const libraries[] = {"string", "table", "math", "os", "bit", "struct", "cjson", "cmsgpack"};
    struct lua *lua = lua_new();

    lua_open_base(lua);
    lua_open_string(lua);
    lua_open_table(lua);
    lua_open_math(lua);
    lua_open_random(lua, random_state);
    lua_open_os(lua);
    lua_open_bit(lua);
    lua_open_struct(lua);
    lua_open_cjson(lua);
    lua_open_cmsgpack(lua);
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        lua_table_set_readonly(lua_table_get_text(lua, lua_globals(lua), libraries[i]).table, true);
    return lua;
}

/* The answer is alive until the next call. */
static struct bytes script_answer(struct lua *lua, struct bytes source)
{
    size_t head = sizeof script_head - 1, tail = sizeof script_tail - 1, len = head + source.len + tail;
    char *text = malloc(len + 1);
    struct lua_value function;
    bool is_loaded;

    memcpy(text, script_head, head);
    memcpy(text + head, source.data, source.len);
    memcpy(text + head + source.len, script_tail, tail + 1);
    is_loaded = lua_load(lua, (struct bytes){text, len}, BYTES("@user_script"), lua_globals(lua), &function);
    free(text);
    if (!is_loaded || lua_call(lua, function, NULL, 0) < 0) {
        struct lua_value error = lua_error_value(lua);

        return lua_is(error, LUA_STRING) ? lua_string_bytes(error) : BYTES("(an error that is no string)");
    }
    return lua_string_bytes(lua_result(lua, 0));
}

static unsigned script_check(struct lua *lua, const struct script_row *row)
{
    struct bytes answer = script_answer(lua, row->source);

    if (bytes_equal(answer, row->answer))
        return 0;
    printf("%.*s\n    answers  %.*s\n    expected %.*s\n", (int)row->source.len, row->source.data, (int)answer.len,
           answer.data, (int)row->answer.len, row->answer.data);
    return 1;
}

/* All rows in one interpreter, and each one again after everything that is garbage has gone. */
static void script_check_rows(const struct script_row *rows, size_t count)
{
    uint64_t random_state = LUA_RANDOM_START;
    struct lua *lua = script_lua(&random_state);
    unsigned wrong = 0;

    for (size_t i = 0; i < count; i++) {
        wrong += script_check(lua, &rows[i]);
        lua_collect(lua);
    }
    lua_free(lua);
    assert_int_equal(wrong, 0);
}

#endif
