/* What a host relies on: errors and their places, the hook, functions in C, roots, collection in slices, what is read-only. */
#include "unit.h"

#include "lua/libraries.h"
#include "lua/lua.h"

static struct lua *open_lua(void)
{
    struct lua *lua = lua_new();

    lua_open_base(lua);
    return lua;
}

static struct lua_value load(struct lua *lua, const char *source)
{
    struct lua_value function;

    if (!lua_load(lua, bytes_from_string(source), BYTES("@user_script"), lua_globals(lua), &function))
        fail_msg("%s", lua_string_bytes(lua_error_value(lua)).data);
    return function;
}

static int run(struct lua *lua, const char *source) { return lua_call(lua, load(lua, source), NULL, 0); }

static void expect_error(struct lua *lua, const char *source, const char *message)
{
    assert_int_equal(run(lua, source), -1);
    assert_true(lua_is(lua_error_value(lua), LUA_STRING));
    assert_string_equal(lua_string_bytes(lua_error_value(lua)).data, message);
}

static void expect_text(struct lua *lua, const char *source, const char *text)
{
    struct lua_value string;

    if (run(lua, source) < 0)
        fail_msg("%s: %s", source, lua_string_bytes(lua_error_value(lua)).data);
    assert_true(lua_to_text(lua, lua_result(lua, 0), &string));
    assert_string_equal(lua_string_bytes(string).data, text);
}

/* --- errors -------------------------------------------------------------------------------- */

static void an_error_tells_where_it_was_raised(void **state)
{
    struct lua *lua = open_lua();
    struct bytes chunk;
    int line;

    expect_error(lua, "local function f()\n error('deep')\nend\nf()", "user_script:2: deep");
    assert_true(lua_error_place(lua, &chunk, &line));
    assert_true(bytes_equal(chunk, BYTES("user_script")));
    assert_int_equal(line, 2);
    expect_error(lua, "\n\nerror('no place', 0)", "no place");
    assert_true(lua_error_place(lua, &chunk, &line));
    assert_int_equal(line, 3);
    assert_false(lua_place(lua, 0, &chunk, &line));
    assert_int_equal(lua_call(lua, lua_nil(), NULL, 0), -1);
    assert_string_equal(lua_string_bytes(lua_error_value(lua)).data, "attempt to call a nil value");
    lua_free(lua);
}

static void a_syntax_error_is_a_message(void **state)
{
    struct lua *lua = open_lua();
    struct lua_value function;

    assert_false(lua_load(lua, BYTES("x = = 1"), BYTES("@user_script"), lua_globals(lua), &function));
    assert_string_equal(lua_string_bytes(lua_error_value(lua)).data, "user_script:1: unexpected symbol near '='");
    assert_false(lua_load(lua, BYTES("\033Lua"), BYTES("=x"), lua_globals(lua), &function));
    lua_free(lua);
}

static void the_state_serves_after_every_error(void **state)
{
    struct lua *lua = open_lua();

    for (int i = 0; i < 3; i++) {
        expect_error(lua, "local function f() return 1 + f() end return f()", "user_script:1: stack overflow");
        expect_error(lua, "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end\nreturn t.x",
                     "user_script:1: C stack overflow");
        expect_text(lua, "local s = 0 for i = 1, 10 do s = s + i end return s", "55");
    }
    lua_free(lua);
}

static void a_handler_that_fails_for_the_host_leaves_nothing(void **state)
{
    struct lua *lua = open_lua();
    struct lua_value table, value;

    assert_int_equal(run(lua, "return setmetatable({}, {__index = function() error('no') end})"), 1);
    table = lua_result(lua, 0);
    lua_pin(lua, table);
    for (int i = 0; i < 1000; i++) {
        assert_false(lua_index(lua, table, lua_text(lua, "err"), &value));
        assert_string_equal(lua_string_bytes(lua_error_value(lua)).data, "user_script:1: no");
    }
    expect_text(lua, "return (function() return 1 end)()", "1");
    lua_free(lua);
}

/* --- hook ---------------------------------------------------------------------------------- */

struct watch {
    int calls, limit;
};

static bool stop_at_limit(struct lua *lua, void *context)
{
    struct watch *watch = context;

    return ++watch->calls < watch->limit || lua_raise(lua, lua_text(lua, "stopped"));
}

static void a_hook_ends_what_nothing_else_does(void **state)
{
    static const char *const ENDLESS[] = {
        "while true do end",
        "repeat until false",
        "for i = 1, 1e300 do end",
        "local function f() return f() end f()",
        "while true do pcall(function() while true do end end) end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "for k in function() return 1 end do end",
        "load(function() while true do end end)",
        /* in C */
        "load(math.random)",
        "table.insert({}, -2147483648, 1)",
        "local t = {} for i = 1, 100000 do t[i] = i end while true do table.sort(t, rawequal) end",
        "return string.find(string.rep('a', 5000), string.rep('.-', 20) .. 'b')",
        "return string.find(string.rep('a', 40), string.rep('a?', 40) .. string.rep('a', 40) .. 'b')",
        "return string.find(string.rep('(', 3000000), '%b()')",
        "return string.gsub(string.rep('a', 300000), '(a*)%1b', 'x')",
        "local t = {} for i = 1, 100 do t = {t, t, t} end return cjson.encode(t)",
        "local t = {} for i = 1, 100 do t = {[0.5] = t, [1.5] = t} end return cjson.encode(t)",
        "cjson.encode_sparse_array(true, 0) return cjson.encode({[2147483647] = 1})",
        "local t = {} for i = 1, 14 do local up = {} for j = 1, 100 do up[j] = t end t = up end return cmsgpack.pack(t)",
    };

    for (size_t i = 0; i < sizeof ENDLESS / sizeof *ENDLESS; i++) {
        struct lua *lua = open_lua();
        uint64_t random = LUA_RANDOM_START;
        lua_open_string(lua);
        lua_open_table(lua);
        lua_open_math(lua);
        lua_open_random(lua, &random);
        lua_open_cjson(lua);
        lua_open_cmsgpack(lua);
        struct watch watch = {.limit = 20};
        lua_set_hook(lua, stop_at_limit, &watch, 1000);
        expect_error(lua, ENDLESS[i], "stopped");
        assert_int_equal(watch.calls, watch.limit);
        lua_set_hook(lua, NULL, NULL, 0);
        expect_text(lua, "return 1", "1");
        lua_free(lua);
    }
}

/* --- functions in C ------------------------------------------------------------------------ */

static bool count_up(struct lua_call *call)
{
    double step = 1;

    if (!lua_arg_optional_number(call, 0, &step))
        return false;
    lua_set_upvalue(call, 0, lua_number(lua_upvalue(call, 0).number + step));
    lua_return(call, lua_upvalue(call, 0));
    lua_return(call, lua_number(call->argc));
    return true;
}

/* Calls its argument twice and returns the results of both, made of fresh strings. */
static bool call_twice(struct lua_call *call)
{
    struct lua *lua = call->lua;
    int counts[2];

    for (int i = 0; i < 2; i++) {
        struct lua_value arg = lua_format(lua, "call %d", i);
        lua_keep(call, arg);
        counts[i] = lua_call(lua, lua_arg(call, 0), &arg, 1);
        if (counts[i] < 0)
            return false;
        for (int j = 0; j < counts[i]; j++)
            lua_return(call, lua_result(lua, j));
    }
    lua_return(call, lua_number(counts[0] + counts[1]));
    return true;
}

static bool fail_with_text(struct lua_call *call) { return lua_raise_text(call->lua, "%s", "from C"); }

static void functions_in_c_take_and_return(void **state)
{
    struct lua *lua = open_lua();
    struct lua_value start = lua_number(10);

    lua_table_set_text(lua, lua_globals(lua), "count", lua_new_closure(lua, "count", count_up, NULL, &start, 1));
    lua_table_set_text(lua, lua_globals(lua), "twice", lua_new_function(lua, "twice", call_twice, NULL));
    lua_table_set_text(lua, lua_globals(lua), "bad", lua_new_function(lua, "bad", fail_with_text, NULL));
    expect_text(lua, "count() count(5) return count()", "17");
    expect_text(lua, "return (select(2, count(1, 2, 3)))", "3");
    expect_text(lua, "local t = {twice(function(s) return s .. '!', {} end)} return t[1] .. t[3] .. t[5]", "call 0!call 1!4");
    expect_error(lua, "count('x')", "user_script:1: bad argument #1 to 'count' (number expected, got string)");
    expect_error(lua, "twice(function() error('inner') end)", "user_script:1: inner");
    expect_error(lua, "\nbad()", "user_script:2: from C");
    expect_text(lua, "return select(2, pcall(bad))", "from C");
    expect_text(lua, "return select(2, pcall(twice, bad))", "from C");
    lua_free(lua);
}

/* --- memory -------------------------------------------------------------------------------- */

static void what_is_pinned_stays(void **state)
{
    struct lua *lua = open_lua();
    int pins[10];

    for (int i = 0; i < 10; i++)
        pins[i] = lua_pin(lua, lua_format(lua, "a string that is pinned at number %d and is long", i));
    lua_unpin(lua, pins[4]);
    assert_int_equal(lua_pin(lua, lua_number(4)), pins[4]);
    lua_collect(lua);
    for (int i = 0; i < 10; i++)
        if (i != 4)
            assert_int_equal(lua_string_bytes(lua_pinned(lua, pins[i])).data[34], '0' + i);
    lua_free(lua);
}

static void a_collection_in_slices_frees_as_much(void **state)
{
    struct lua *lua = open_lua();

    lua_collect(lua);
    size_t before = lua_memory(lua);
    expect_text(lua,
                "local keep = {} for i = 1, 3000 do keep[i] = {tostring(i), function() return keep end} end\n"
                "keep = nil return 1",
                "1");
    assert_true(lua_memory(lua) > before);
    for (int i = 0; i < 20 && lua_collect_piece(lua, 1); i++) {
        /* programs may run between two slices */
        expect_text(lua, "local t = {} for i = 1, 50 do t[i] = 'new ' .. i end return t[50]", "new 50");
    }
    for (int cycle = 0; cycle < 2; cycle++) /* the first one leaves what was made beside it */
        while (lua_collect_piece(lua, 1000)) {
        }
    assert_in_range(lua_memory(lua), before, before + 4096);
    lua_free(lua);
}

static void garbage_made_in_a_loop_does_not_add_up(void **state)
{
    struct lua *lua = open_lua();

    expect_text(lua,
                "local most = 0 for i = 1, 20000 do local t = {i, {}, function() return i end, 'text ' .. i}\n"
                "local now = collectgarbage('count') if now > most then most = now end end\n"
                "return most < 2048",
                "true");
    lua_free(lua);
}

/* --- read-only tables ---------------------------------------------------------------------- */

static void scripts_cannot_change_what_is_read_only(void **state)
{
    struct lua *lua = open_lua();
    struct lua_table *table = lua_table_new(lua, 0, 0);

    lua_table_set_text(lua, lua_globals(lua), "fixed", lua_of_table(table));
    lua_table_set_text(lua, table, "x", lua_number(1));
    lua_table_set_readonly(table, true);
    expect_error(lua, "fixed.x = 2", "user_script:1: Attempt to modify a readonly table");
    expect_error(lua, "fixed[1] = 2", "user_script:1: Attempt to modify a readonly table");
    expect_error(lua, "local k = 'x' fixed[k] = 2", "user_script:1: Attempt to modify a readonly table");
    expect_error(lua, "rawset(fixed, 'x', 2)", "Attempt to modify a readonly table");
    expect_error(lua, "setmetatable(fixed, {})", "Attempt to modify a readonly table");
    expect_text(lua, "return fixed.x", "1");
    lua_table_set_text(lua, table, "x", lua_number(2));
    expect_text(lua, "return fixed.x", "2");
    lua_table_set_readonly(lua_globals(lua), true);
    expect_error(lua, "y = 1", "user_script:1: Attempt to modify a readonly table");
    expect_error(lua, "fixed = 1", "user_script:1: Attempt to modify a readonly table");
    lua_free(lua);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_tells_where_it_was_raised),
        cmocka_unit_test(a_syntax_error_is_a_message),
        cmocka_unit_test(the_state_serves_after_every_error),
        cmocka_unit_test(a_handler_that_fails_for_the_host_leaves_nothing),
        cmocka_unit_test(a_hook_ends_what_nothing_else_does),
        cmocka_unit_test(functions_in_c_take_and_return),
        cmocka_unit_test(what_is_pinned_stays),
        cmocka_unit_test(a_collection_in_slices_frees_as_much),
        cmocka_unit_test(garbage_made_in_a_loop_does_not_add_up),
        cmocka_unit_test(scripts_cannot_change_what_is_read_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
