/* Tables against a naive model: what is in them, how long they are, and that a walk meets every key once. */
#include "unit.h"

#include "base/random.h"
#include "lua/lua.h"

enum { KEYS = 300 };

struct model {
    struct lua *lua;
    struct lua_table *table;
    struct random random;
    double values[KEYS]; /* 0: absent */
};

/* Integers, strings short and long, fractions, booleans. */
static struct lua_value key_at(struct model *model, int at)
{
    switch (at % 6) {
    case 0:
    case 1:
        return lua_number(at / 3);
    case 2:
        return lua_number(at / 3 + 0.5);
    case 3:
        return lua_format(model->lua, "%060d", at);
    case 4:
        return lua_format(model->lua, "k%d", at);
    default:
        return at < 12 ? lua_boolean(at < 6) : lua_number(-at * 1e10);
    }
}

static bool is_same_key(struct model *model, int a, int b) { return lua_equal_raw(key_at(model, a), key_at(model, b)); }

static void model_set(struct model *model, int at, double value)
{
    for (int i = 0; i < KEYS; i++)
        if (is_same_key(model, i, at))
            model->values[i] = value;
    lua_table_set(model->lua, model->table, key_at(model, at), value == 0 ? lua_nil() : lua_number(value));
}

static void model_check(struct model *model)
{
    struct lua_value key = lua_nil(), value;
    int walked = 0, expected = 0;
    bool is_bad;

    for (int i = 0; i < KEYS; i++) {
        bool is_first = true;
        for (int j = 0; j < i && is_first; j++)
            is_first = !is_same_key(model, i, j);
        expected += is_first && model->values[i] != 0;
        value = lua_table_get(model->table, key_at(model, i));
        assert_true(model->values[i] == 0 ? lua_is(value, LUA_NIL)
                                          : lua_is(value, LUA_NUMBER) && value.number == model->values[i]);
    }
    while (lua_table_next(model->table, &key, &value, &is_bad)) {
        assert_true(lua_equal_raw(lua_table_get(model->table, key), value));
        walked++;
    }
    assert_false(is_bad);
    assert_int_equal(walked, expected);

    size_t len = lua_table_len(model->table);
    assert_true(len == 0 || !lua_is(lua_table_get_int(model->table, (int64_t)len), LUA_NIL));
    assert_true(lua_is(lua_table_get_int(model->table, (int64_t)len + 1), LUA_NIL));
}

static void tables_hold_what_was_put(void **state)
{
    struct model model = {0};

    random_init(&model.random, 7);
    for (int round = 0; round < 12; round++) {
        model.lua = lua_new();
        model.table = lua_table_new(model.lua, (size_t)round * 3, (size_t)round % 5);
        lua_pin(model.lua, lua_of_table(model.table));
        memset(model.values, 0, sizeof model.values);
        int range = round % 2 ? KEYS : KEYS / 10;
        for (int step = 0; step < RANDOM_STEPS(600); step++) {
            int at = (int)(random_next(&model.random) % (unsigned)range);
            model_set(&model, at, random_next(&model.random) % 3 ? step + 1 : 0);
            if (step % 60 == 0) {
                model_check(&model);
                lua_collect(model.lua);
            }
        }
        model_check(&model);
        lua_free(model.lua);
    }
}

/* Beside the model: a walk that removes each key it meets ends, with collections in between. */
static void a_walk_may_remove_what_it_meets(void **state)
{
    struct lua *lua = lua_new();
    struct lua_table *table = lua_table_new(lua, 0, 0);
    struct lua_value key = lua_nil(), value;
    bool is_bad;
    int met = 0;

    lua_pin(lua, lua_of_table(table));
    for (int i = 0; i < 200; i++)
        lua_table_set(lua, table, lua_format(lua, i % 2 ? "%d" : "%050d", i), lua_of_table(lua_table_new(lua, 0, 0)));
    while (lua_table_next(table, &key, &value, &is_bad)) {
        int pin = lua_pin(lua, key);
        lua_table_set(lua, table, key, lua_nil());
        lua_collect(lua);
        lua_unpin(lua, pin);
        met++;
    }
    assert_false(is_bad);
    assert_int_equal(met, 200);
    lua_free(lua);
}

/* The order of the servers, for one history. */
static void a_walk_comes_in_the_known_order(void **state)
{
    static const char *const ORDER[] = {"a", "user", "c", "b", "id", "d", "count", "name"};
    struct lua *lua = lua_new();
    struct lua_table *table = lua_table_new(lua, 0, 0);
    struct lua_value key = lua_nil(), value;
    bool is_bad;

    static const char *const PUT[] = {"a", "b", "c", "d", "name", "id", "count", "user"};
    for (int i = 0; i < 8; i++)
        lua_table_set_text(lua, table, PUT[i], lua_number(i));
    for (int i = 0; i < 8; i++) {
        assert_true(lua_table_next(table, &key, &value, &is_bad));
        assert_string_equal(lua_string_bytes(key).data, ORDER[i]);
    }
    assert_false(lua_table_next(table, &key, &value, &is_bad));
    lua_free(lua);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_hold_what_was_put),
        cmocka_unit_test(a_walk_may_remove_what_it_meets),
        cmocka_unit_test(a_walk_comes_in_the_known_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
