/* The list against a naive array, in every shape it takes. */
#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "ds/listpack.h"
#include "types/list.h"

#define DEFAULT_LIMIT -2

static const int limits[] = {-2, -1, -5, 1, 2, 5, 128, 100000, 0, -100};
#define LIMIT_COUNT (sizeof limits / sizeof *limits)

/* ---- a naive array ---- */

struct model {
    struct random random;
    struct list *list;
    struct bytes *value;
    size_t count, capacity;
    size_t long_values; /* percent */
};

static struct bytes bytes_new(struct bytes value)
{
    char *copy = malloc(value.len + 1);

    if (value.len > 0)
        memcpy(copy, value.data, value.len);
    return (struct bytes){copy, value.len};
}

static void array_insert(struct model *model, size_t at, struct bytes value)
{
    if (model->count == model->capacity) {
        model->capacity = model->capacity * 2 + 16;
        model->value = realloc(model->value, model->capacity * sizeof value);
    }
    memmove(model->value + at + 1, model->value + at, (model->count - at) * sizeof value);
    model->value[at] = bytes_new(value);
    model->count++;
}

static void array_remove(struct model *model, size_t at, size_t count)
{
    if (count == 0)
        return;
    for (size_t i = at; i < at + count; i++)
        free((char *)model->value[i].data);
    model->count -= count;
    memmove(model->value + at, model->value + at + count,
            (model->count - at) * sizeof *model->value);
}

static void model_init(struct model *model, uint64_t seed)
{
    *model = (struct model){.list = list_new(), .long_values = 2};
    random_init(&model->random, seed);
}

static void model_release(struct model *model)
{
    array_remove(model, 0, model->count);
    free(model->value);
    while (!list_free_step(model->list, 1 + random_below(&model->random, 5)))
        ;
}

/* Integers, short strings, now and then what fills a block or is larger than one. Valid until the
 * next call. */
static struct bytes random_value(struct model *model)
{
    static char buffer[100000];
    struct random *random = &model->random;
    size_t len = random_below(random, 30);

    if (random_below(random, 3) == 0) {
        long long number = (long long)(random_next(random) >> random_below(random, 64));
        return (struct bytes){buffer, (size_t)snprintf(buffer, sizeof buffer, "%lld", number)};
    }
    if (random_below(random, 100) < model->long_values)
        len = random_below(random, random_below(random, 2) ? 10000 : sizeof buffer);
    memset(buffer, (int)('a' + random_below(random, 26)), len);
    return (struct bytes){buffer, len};
}

static void check_value(const struct model *model, size_t index)
{
    char text[LISTPACK_TEXT_MAX];
    struct bytes value;

    assert_true(list_get(model->list, (int64_t)index, text, &value));
    assert_true(bytes_equal(value, model->value[index]));
    assert_true(list_get(model->list, (int64_t)index - (int64_t)model->count, text, &value));
    assert_true(bytes_equal(value, model->value[index]));
}

/* Walks 'steps' values from 'index' and compares; the end must come where the array ends. */
static void check_walk(const struct model *model, size_t index, enum list_end to, size_t steps)
{
    struct list_iter iter;
    struct bytes value;

    list_iter_init(&iter, model->list, (int64_t)index, to);
    for (; steps > 0 && index < model->count; steps--, index += to == LIST_TAIL ? 1 : -1) {
        assert_true(list_iter_next(&iter, &value));
        assert_true(bytes_equal(value, model->value[index]));
    }
    if (steps == 0)
        return;
    assert_false(list_iter_next(&iter, &value));
    assert_false(list_iter_next(&iter, &value));
}

static void model_check(struct model *model)
{
    list_check(model->list);
    assert_int_equal(list_size(model->list), model->count);
    if (model->count == 0)
        return;
    check_value(model, 0);
    check_value(model, model->count - 1);
    check_value(model, random_below(&model->random, model->count));
}

static void model_check_all(struct model *model)
{
    model_check(model);
    check_walk(model, 0, LIST_TAIL, SIZE_MAX);
    check_walk(model, model->count - 1, LIST_HEAD, SIZE_MAX);
}

/* ---- steps ---- */

static void step_push(struct model *model)
{
    enum list_end end = random_below(&model->random, 2) ? LIST_TAIL : LIST_HEAD;
    struct bytes value = random_value(model);

    list_push(model->list, end, value);
    array_insert(model, end == LIST_HEAD ? 0 : model->count, value);
}

static void step_push_all(struct model *model)
{
    enum list_end end = random_below(&model->random, 2) ? LIST_TAIL : LIST_HEAD;
    struct bytes values[40];
    size_t count = random_below(&model->random, 40);

    for (size_t i = 0; i < count; i++)
        values[i] = bytes_new(random_value(model));
    list_push_all(model->list, end, values, count);
    for (size_t i = 0; i < count; i++) {
        array_insert(model, end == LIST_HEAD ? 0 : model->count, values[i]);
        free((char *)values[i].data);
    }
}

static void step_drop(struct model *model)
{
    enum list_end end = random_below(&model->random, 2) ? LIST_TAIL : LIST_HEAD;
    size_t count = random_below(&model->random, 3);

    if (random_below(&model->random, 100) == 0)
        count = random_below(&model->random, model->count + 1);
    if (count > model->count)
        count = model->count;
    list_drop(model->list, end, count);
    array_remove(model, end == LIST_HEAD ? 0 : model->count - count, count);
}

static void step_set(struct model *model)
{
    int64_t index = (int64_t)random_below(&model->random, 2 * model->count + 2);
    struct bytes value = random_value(model);

    index -= (int64_t)model->count + 1;
    bool is_there = index < (int64_t)model->count && index >= -(int64_t)model->count;
    assert_int_equal(list_set(model->list, index, value), is_there);
    if (!is_there)
        return;
    size_t at = (size_t)(index < 0 ? index + (int64_t)model->count : index);
    array_remove(model, at, 1);
    array_insert(model, at, value);
    check_value(model, at);
}

static void step_insert(struct model *model)
{
    struct list_iter iter;
    struct bytes value;

    if (model->count == 0)
        return;
    size_t at = random_below(&model->random, model->count);
    enum list_end to = random_below(&model->random, 2) ? LIST_TAIL : LIST_HEAD;
    enum list_end side = random_below(&model->random, 2) ? LIST_TAIL : LIST_HEAD;
    list_iter_init(&iter, model->list, (int64_t)at, to);
    assert_true(list_iter_next(&iter, &value));
    value = random_value(model);
    list_insert(model->list, &iter, side, value);
    array_insert(model, side == LIST_TAIL ? at + 1 : at, value);
    check_value(model, side == LIST_TAIL ? at + 1 : at);
}

/* Goes some way and removes half of what it meets. */
static void step_remove(struct model *model)
{
    enum list_end to = random_below(&model->random, 2) ? LIST_TAIL : LIST_HEAD;
    struct list_iter iter;
    struct bytes value;

    if (model->count == 0)
        return;
    size_t at = random_below(&model->random, model->count);
    list_iter_init(&iter, model->list, (int64_t)at, to);
    for (uint64_t steps = random_below(&model->random, 20); steps > 0; steps--) {
        bool is_there = at < model->count;
        assert_int_equal(list_iter_next(&iter, &value), is_there);
        if (!is_there)
            return;
        assert_true(bytes_equal(value, model->value[at]));
        if (random_below(&model->random, 2)) {
            list_remove(model->list, &iter);
            list_check(model->list);
            array_remove(model, at, 1);
            at -= to == LIST_HEAD;
        } else {
            at += to == LIST_TAIL ? 1 : -1;
        }
    }
}

static void step_walk(struct model *model)
{
    enum list_end to = random_below(&model->random, 2) ? LIST_TAIL : LIST_HEAD;

    if (model->count > 0)
        check_walk(model, random_below(&model->random, model->count), to, 50);
}

/* Some values from one place on, by comparing alone: each is asked for, and beside it one that need not
 * be there. */
static void step_compare(struct model *model)
{
    enum list_end to = random_below(&model->random, 2) ? LIST_TAIL : LIST_HEAD;
    struct bytes other = random_value(model);
    struct list_iter iter;

    if (model->count == 0)
        return;
    size_t at = random_below(&model->random, model->count);
    list_iter_init(&iter, model->list, (int64_t)at, to);
    for (int steps = 0; steps < 20 && at < model->count; steps++, at += to == LIST_TAIL ? 1 : -1) {
        assert_true(list_iter_step(&iter));
        assert_true(list_iter_is(&iter, model->value[at]));
        assert_int_equal(list_iter_is(&iter, other), bytes_equal(other, model->value[at]));
    }
    assert_int_equal(list_iter_step(&iter), at < model->count);
}

/* A copy is the same in all that can be seen, and goes its own way; either of the two goes on. */
static void step_copy(struct model *model)
{
    struct list *old = model->list, *copy = list_copy(old);
    size_t blocks[2] = {0}, bytes[2] = {0};

    list_check(copy);
    assert_string_equal(list_encoding(copy), list_encoding(old));
    assert_int_equal(list_blocks(copy, &blocks[0], &bytes[0]),
                     list_blocks(old, &blocks[1], &bytes[1]));
    assert_int_equal(blocks[0], blocks[1]);
    assert_int_equal(bytes[0], bytes[1]);
    model->list = copy;
    model_check(model);
    check_walk(model, 0, LIST_TAIL, SIZE_MAX);
    if (random_below(&model->random, 2)) {
        model->list = old;
        old = copy;
    }
    list_push(old, LIST_HEAD, BYTES("in the other one"));
    list_drop(old, LIST_TAIL, 1);
    list_push(old, LIST_TAIL, BYTES("in the other one"));
    list_check(old);
    list_free(old);
    model_check(model);
}

static void run(struct model *model, int steps, uint64_t grow)
{
    for (int step = 0; step < steps; step++) {
        uint64_t choice = random_below(&model->random, 100);
        if (choice < grow)
            step_push(model);
        else if (choice < grow + 1)
            step_push_all(model);
        else if (choice < 70)
            step_drop(model);
        else if (choice < 77)
            step_set(model);
        else if (choice < 85)
            step_insert(model);
        else if (choice < 86)
            step_remove(model);
        else if (choice < 87)
            step_compare(model);
        else if (choice < 88)
            step_copy(model);
        else
            step_walk(model);
        model_check(model);
        if (step % 64 == 0)
            model_check_all(model);
    }
    model_check_all(model);
}

static void random_runs_agree_with_an_array(void **state)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        struct model model;
        model_init(&model, i);
        list_set_listpack_limit(limits[i]);
        for (int wave = 0; wave < 3; wave++) {
            model.long_values = (size_t)wave * 2;
            run(&model, RANDOM_STEPS(3000), 45);
            run(&model, RANDOM_STEPS(3000), 20);
        }
        model_release(&model);
    }
    list_set_listpack_limit(DEFAULT_LIMIT);
}

/* Runs before any other test sets the limit: the stress build's blocks are 64 bytes. */
static void the_builds_own_limit_agrees_with_an_array(void **state)
{
    struct model model;

    model_init(&model, 1234);
    model.long_values = 0;
    run(&model, RANDOM_STEPS(20000), 45);
    run(&model, RANDOM_STEPS(20000), 20);
    model_release(&model);
}

static void tiny_blocks_agree_with_an_array(void **state)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct model model;
        model_init(&model, seed);
        model.long_values = 0;
        list_set_listpack_limit(1 + (int)seed);
        run(&model, RANDOM_STEPS(8000), 50);
        run(&model, RANDOM_STEPS(16000), 22);
        model_release(&model);
    }
    list_set_listpack_limit(DEFAULT_LIMIT);
}

static void the_limit_may_change_at_any_time(void **state)
{
    struct model model;

    model_init(&model, 77);
    for (int i = 0; i < RANDOM_STEPS(200); i++) {
        list_set_listpack_limit(limits[random_below(&model.random, LIMIT_COUNT)]);
        run(&model, 40, i % 40 < 20 ? 45 : 20);
    }
    model_release(&model);
    list_set_listpack_limit(DEFAULT_LIMIT);
}

/* Around the sizes at which the encoding changes, since that is where structures break. */
static void a_million_random_operations_agree_with_an_array(void **state)
{
    struct model model;

    model_init(&model, 4711);
    model.long_values = 0;
    for (int i = 0; i < RANDOM_STEPS(1000000) / 1000; i++) {
        list_set_listpack_limit(i % 50 < 25 ? 3 : 8);
        run(&model, 1000, model.count < 20 ? 38 : 30);
    }
    model_release(&model);
    list_set_listpack_limit(DEFAULT_LIMIT);
}

/* ---- one property at a time ---- */

static struct list *list_of(size_t count, struct bytes value)
{
    struct list *list = list_new();

    for (size_t i = 0; i < count; i++)
        list_push(list, LIST_TAIL, value);
    return list;
}

static void an_empty_list_has_nothing_to_give(void **state)
{
    struct list *list = list_new();
    char text[LISTPACK_TEXT_MAX];
    struct list_iter iter;
    struct bytes value;

    assert_int_equal(list_size(list), 0);
    assert_false(list_get(list, 0, text, &value));
    assert_false(list_get(list, -1, text, &value));
    assert_false(list_get(list, INT64_MIN, text, &value));
    assert_false(list_get(list, INT64_MAX, text, &value));
    assert_false(list_set(list, 0, BYTES("a")));
    list_iter_init(&iter, list, 0, LIST_TAIL);
    assert_false(list_iter_next(&iter, &value));
    list_drop(list, LIST_HEAD, 0);
    list_check(list);
    list_free(list);
}

static void assert_encoding(const struct list *list, const char *encoding)
{
    assert_string_equal(list_encoding(list), encoding);
    list_check(list);
}

/* The figures are those of Redis 8.0 and Valkey 9.1. */
static void the_encoding_changes_where_it_does_in_redis(void **state)
{
    static char large[8192];
    memset(large, 'x', sizeof large);
    list_set_listpack_limit(DEFAULT_LIMIT);

    struct list *list = list_of(1, (struct bytes){large, 8185});
    assert_encoding(list, "listpack");
    list_push(list, LIST_TAIL, BYTES("a"));
    assert_encoding(list, "quicklist");
    list_free(list);

    list = list_of(1, (struct bytes){large, 8186});
    assert_encoding(list, "quicklist");
    list_free(list);

    list = list_of(100, (struct bytes){large, 100});
    assert_encoding(list, "quicklist");
    list_drop(list, LIST_TAIL, 60);
    assert_encoding(list, "quicklist");
    list_drop(list, LIST_TAIL, 1);
    assert_encoding(list, "listpack");
    list_free(list);

    list = list_of(30, (struct bytes){large, 100});
    list_set(list, 3, (struct bytes){large, 6000});
    assert_encoding(list, "quicklist");
    list_set(list, 3, BYTES("y"));
    assert_encoding(list, "listpack");
    list_free(list);
}

static void one_commands_values_decide_together(void **state)
{
    struct bytes values[700];
    struct list *list = list_new();

    list_set_listpack_limit(DEFAULT_LIMIT);
    for (size_t i = 0; i < 700; i++)
        values[i] = BYTES("0x34567890");
    list_push_all(list, LIST_TAIL, values, 700);
    assert_encoding(list, "listpack"); /* of 8407 bytes */
    list_push(list, LIST_TAIL, BYTES("a"));
    assert_encoding(list, "quicklist");
    assert_int_equal(list_size(list), 701);
    list_free(list);
}

static void a_limit_by_count_is_one_by_count(void **state)
{
    static char large[8192];
    struct list *list = list_of(5, BYTES("a"));

    list_free(list);
    list_set_listpack_limit(5);
    list = list_of(5, BYTES("a"));
    assert_encoding(list, "listpack");
    list_push(list, LIST_HEAD, BYTES("a"));
    assert_encoding(list, "quicklist");
    list_drop(list, LIST_HEAD, 3);
    assert_encoding(list, "quicklist");
    list_drop(list, LIST_TAIL, 1);
    assert_encoding(list, "listpack");
    list_push(list, LIST_HEAD, (struct bytes){large, sizeof large});
    assert_encoding(list, "quicklist");
    list_free(list);

    list_set_listpack_limit(1);
    list = list_of(2, BYTES("a"));
    list_drop(list, LIST_TAIL, 1);
    assert_encoding(list, "quicklist");
    list_free(list);
    list_set_listpack_limit(DEFAULT_LIMIT);
}

static void a_short_list_is_small(void **state)
{
    struct list *list = list_of(1, BYTES("abc"));

    assert_true(list_memory(list) <= 32);
    for (int i = 0; i < 9; i++)
        list_push(list, LIST_HEAD, BYTES("element"));
    assert_true(list_memory(list) <= 16 + 112);
    assert_int_equal(list_free_effort(list), 1);
    list_free(list);
}

static void check_memory_of_a_million(enum list_end end)
{
    size_t count = RANDOM_STEPS(1000000);
    struct list *list = list_of(0, BYTES(""));
    char text[32];

    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "element:%08zu", i);
        list_push(list, end, bytes_from_string(text));
    }
    assert_true(list_memory(list) <= count * 184 / 10);
    assert_true(list_free_effort(list) <= count / 450);
    list_check(list);
    list_free(list);
}

static void a_million_short_values_cost_two_bytes_more_each(void **state)
{
    list_set_listpack_limit(DEFAULT_LIMIT);
    check_memory_of_a_million(LIST_TAIL);
    check_memory_of_a_million(LIST_HEAD);
}

/* Pushed at one end and taken from the other for ever: neither bytes nor blocks may pile up. */
static void a_queue_stays_as_small_as_what_is_in_it(void **state)
{
    static const size_t lengths[] = {1, 10, 100, 300, 1000, 5000};

    list_set_listpack_limit(DEFAULT_LIMIT);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct list *list = list_of(lengths[i], BYTES("element:00000001"));
        size_t memory = list_memory(list);
        for (int step = 0; step < RANDOM_STEPS(20000); step++) {
            enum list_end end = i % 2 ? LIST_HEAD : LIST_TAIL;
            list_push(list, end, BYTES("element:00000001"));
            list_drop(list, end == LIST_HEAD ? LIST_TAIL : LIST_HEAD, 1);
            if (step % 256 == 0)
                list_check(list);
            assert_true(list_memory(list) <= memory * 5 / 4 + 16384);
            assert_true(lengths[i] >= 400 || list_memory(list) <= memory * 3 / 2 + 64);
        }
        list_free(list);
    }
}

static void what_is_drained_gives_its_memory_back(void **state)
{
    list_set_listpack_limit(DEFAULT_LIMIT);
    for (enum list_end end = LIST_HEAD; end <= LIST_TAIL; end++) {
        struct list *list = list_of(3000, BYTES("element:00000001"));
        for (size_t left = 3000; left > 1;) {
            list_drop(list, end, 1);
            left--;
            bool is_packed = strcmp(list_encoding(list), "listpack") == 0;
            assert_true(list_memory(list) <= left * 36 + (is_packed ? 64 : 18000));
        }
        assert_true(list_memory(list) <= 16 + 56);
        list_free(list);
    }
}

static void blocks_that_hold_few_values_are_trimmed(void **state)
{
    static char large[5000];
    list_set_listpack_limit(DEFAULT_LIMIT);
    struct list *list = list_of(1000, (struct bytes){large, sizeof large});

    assert_int_equal(list_free_effort(list), 1000);
    assert_true(list_memory(list) <= 1000 * (5120 + 24 + 12) + 8192);
    list_drop(list, LIST_HEAD, 990); /* the array of blocks shrinks too */
    assert_true(list_memory(list) <= 10 * 5120 + 1024 + 8192);
    list_free(list);
}

static void setting_longer_values_lets_no_block_grow_without_end(void **state)
{
    static char large[4000];
    list_set_listpack_limit(DEFAULT_LIMIT);
    struct list *list = list_of(1200, BYTES("short"));

    for (int64_t i = 0; i < 1200; i++)
        assert_true(list_set(list, i, (struct bytes){large, sizeof large}));
    list_check(list);
    assert_true(list_free_effort(list) >= 1200 / 8);
    list_free(list);
}

static void freeing_goes_in_steps(void **state)
{
    size_t used = mem_used();
    struct list *list = list_of(RANDOM_STEPS(100000), BYTES("element:00000001"));
    size_t effort = list_free_effort(list);
    size_t steps = 1;

    assert_true(effort >= RANDOM_STEPS(100000) / 500);
    while (!list_free_step(list, 2))
        steps++;
    assert_true(steps >= effort / 2);
    assert_true(mem_used() == used);
}

static void the_blocks_of_a_chain_are_told(void **state)
{
    static char large[9000];
    size_t blocks, bytes;
    struct list *list = list_of(3, BYTES("abc"));

    list_set_listpack_limit(-2);
    assert_int_equal(list_listpack_limit(), -2);
    assert_false(list_blocks(list, &blocks, &bytes));
    list_push(list, LIST_HEAD, (struct bytes){large, sizeof large});
    assert_true(list_blocks(list, &blocks, &bytes));
    assert_int_equal(blocks, 2);
    assert_int_equal(bytes, 9000 + 7 + 3 * 5);
    list_free(list);
}

static void removing_while_walking_meets_every_other_value_once(void **state)
{
    for (enum list_end to = LIST_HEAD; to <= LIST_TAIL; to++) {
        struct list *list = list_new();
        struct list_iter iter;
        struct bytes value;
        char text[32];
        int count = 0;
        for (int i = 0; i < 2000; i++)
            list_push(list, LIST_TAIL,
                      (struct bytes){text, (size_t)snprintf(text, sizeof text, "value %d", i)});
        list_iter_init(&iter, list, to == LIST_TAIL ? 0 : -1, to);
        while (list_iter_next(&iter, &value)) {
            snprintf(text, sizeof text, "value %d", to == LIST_TAIL ? count : 1999 - count);
            assert_true(bytes_equal(value, bytes_from_string(text)));
            count++;
            list_remove(list, &iter);
        }
        assert_int_equal(count, 2000);
        assert_int_equal(list_size(list), 0);
        assert_encoding(list, "listpack");
        list_free(list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_builds_own_limit_agrees_with_an_array),
        cmocka_unit_test(an_empty_list_has_nothing_to_give),
        cmocka_unit_test(the_encoding_changes_where_it_does_in_redis),
        cmocka_unit_test(one_commands_values_decide_together),
        cmocka_unit_test(a_limit_by_count_is_one_by_count),
        cmocka_unit_test(a_short_list_is_small),
        cmocka_unit_test(a_million_short_values_cost_two_bytes_more_each),
        cmocka_unit_test(a_queue_stays_as_small_as_what_is_in_it),
        cmocka_unit_test(what_is_drained_gives_its_memory_back),
        cmocka_unit_test(blocks_that_hold_few_values_are_trimmed),
        cmocka_unit_test(setting_longer_values_lets_no_block_grow_without_end),
        cmocka_unit_test(freeing_goes_in_steps),
        cmocka_unit_test(the_blocks_of_a_chain_are_told),
        cmocka_unit_test(removing_while_walking_meets_every_other_value_once),
        cmocka_unit_test(random_runs_agree_with_an_array),
        cmocka_unit_test(tiny_blocks_agree_with_an_array),
        cmocka_unit_test(the_limit_may_change_at_any_time),
        cmocka_unit_test(a_million_random_operations_agree_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
