/* The intset against a sorted array. */
#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "ds/intset.h"

enum { COUNT_MAX = 600 };

struct model {
    int64_t number[COUNT_MAX];
    size_t count;
};

static size_t model_place(const struct model *model, int64_t number)
{
    size_t at = 0;

    while (at < model->count && model->number[at] < number)
        at++;
    return at;
}

static bool model_has(const struct model *model, int64_t number)
{
    size_t at = model_place(model, number);

    return at < model->count && model->number[at] == number;
}

static void model_add(struct model *model, int64_t number)
{
    size_t at = model_place(model, number);

    memmove(model->number + at + 1, model->number + at,
            (model->count - at) * sizeof *model->number);
    model->number[at] = number;
    model->count++;
}

static void model_remove(struct model *model, int64_t number)
{
    size_t at = model_place(model, number);

    model->count--;
    memmove(model->number + at, model->number + at + 1,
            (model->count - at) * sizeof *model->number);
}

static struct bytes bytes_of(const struct intset *set)
{
    return (struct bytes){(const char *)set, intset_bytes(set)};
}

static void check(const struct intset *set, const struct model *model)
{
    assert_true(intset_is_valid(bytes_of(set)));
    assert_int_equal(intset_count(set), model->count);
    for (size_t i = 0; i < model->count; i++)
        assert_int_equal(intset_at(set, i), model->number[i]);
}

/* Of every width, often at its edges, often one that is near another. */
static int64_t random_number(struct random *random, unsigned bits)
{
    static const int64_t edges[] = {0,         -1,        INT16_MAX, INT16_MIN, INT16_MAX + 1,
                                    INT16_MIN - 1, INT32_MAX, INT32_MIN, INT32_MAX + (int64_t)1,
                                    INT32_MIN - (int64_t)1, INT64_MAX, INT64_MIN};

    if (bits > 8 && random_below(random, 20) == 0)
        return edges[random_below(random, sizeof edges / sizeof *edges)];
    return (int64_t)random_next(random) >> (64 - 1 - random_below(random, bits));
}

static bool is_odd(void *context, int64_t number)
{
    ++*(size_t *)context;
    return number & 1;
}

static void remove_the_odd(struct intset **set, struct model *model)
{
    size_t asked = 0, kept = 0;

    *set = intset_remove_if(*set, is_odd, &asked);
    assert_int_equal(asked, model->count);
    for (size_t i = 0; i < model->count; i++)
        if (!(model->number[i] & 1))
            model->number[kept++] = model->number[i];
    model->count = kept;
}

static void run(uint64_t seed, unsigned bits)
{
    static struct model model;
    struct intset *set = intset_new();
    struct random random;
    bool changed;

    random_init(&random, seed);
    model.count = 0;
    for (int step = 0; step < RANDOM_STEPS(20000); step++) {
        int64_t number = random_number(&random, bits);
        bool is_filling = step / 1000 % 2 == 0;

        assert_int_equal(intset_has(set, number), model_has(&model, number));
        if (model.count && random_below(&random, 2))
            number = model.number[random_below(&random, model.count)];
        if (is_filling ? model.count < COUNT_MAX : random_below(&random, 4) == 0) {
            bool is_new = !model_has(&model, number);
            set = intset_add(set, number, &changed);
            assert_int_equal(changed, is_new);
            if (is_new)
                model_add(&model, number);
        } else {
            bool is_there = model_has(&model, number);
            set = intset_remove(set, number, &changed);
            assert_int_equal(changed, is_there);
            if (is_there)
                model_remove(&model, number);
        }
        if (random_below(&random, 2000) == 0)
            remove_the_odd(&set, &model);
        check(set, &model);
    }
    intset_free(set);
}

static void random_runs_agree_with_the_model(void **state)
{
    run(1, 63);
    run(2, 31);
    run(3, 15);
    run(4, 8);
    run(5, 33);
}

static void the_bytes_are_those_of_redis(void **state)
{
    struct intset *set = intset_new();
    bool changed;

    assert_memory_equal(set, "\x02\0\0\0\0\0\0\0", 8);
    set = intset_add(set, 5, &changed);
    set = intset_add(set, -2, &changed);
    assert_int_equal(intset_bytes(set), 12);
    assert_memory_equal(set, "\x02\0\0\0\x02\0\0\0\xfe\xff\x05\0", 12);
    set = intset_add(set, 70000, &changed);
    assert_memory_equal(set, "\x04\0\0\0\x03\0\0\0\xfe\xff\xff\xff\x05\0\0\0\x70\x11\x01\0", 20);
    set = intset_remove(set, 70000, &changed);
    assert_int_equal(intset_bytes(set), 16);
    set = intset_add(set, INT64_MIN, &changed);
    assert_memory_equal(set, "\x08\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\x80\xfe\xff\xff\xff", 20);
    intset_free(set);
}

static void what_is_no_intset_is_refused(void **state)
{
#define IS_VALID(text) intset_is_valid(BYTES(text))
    assert_true(IS_VALID("\x02\0\0\0\0\0\0\0"));
    assert_true(IS_VALID("\x02\0\0\0\x01\0\0\0\x01\0"));
    assert_false(IS_VALID(""));
    assert_false(IS_VALID("\x02\0\0\0\0\0\0"));
    assert_false(IS_VALID("\x03\0\0\0\0\0\0\0"));
    assert_false(IS_VALID("\0\0\0\0\0\0\0\0"));
    assert_false(IS_VALID("\x02\0\0\0\x01\0\0\0\x01"));
    assert_false(IS_VALID("\x02\0\0\0\x01\0\0\0\x01\0\0"));
    assert_false(IS_VALID("\x02\0\0\0\x02\0\0\0\x01\0\x01\0"));
    assert_false(IS_VALID("\x02\0\0\0\x02\0\0\0\x02\0\x01\0"));
    assert_false(IS_VALID("\x02\0\0\0\xff\xff\xff\xff\x02\0\x01\0"));
}

static void a_copy_is_a_set_of_its_own(void **state)
{
    struct intset *set = intset_new(), *copy, *other;
    bool changed;

    for (int i = 0; i < 100; i++)
        set = intset_add(set, i * 1000, &changed);
    copy = intset_copy(set);
    other = intset_from_bytes(bytes_of(set));
    set = intset_remove(set, 5000, &changed);
    assert_true(intset_has(copy, 5000));
    assert_true(intset_has(other, 5000));
    assert_false(intset_has(set, 5000));
    assert_int_equal(intset_count(copy), 100);
    intset_free(set);
    intset_free(copy);
    intset_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_runs_agree_with_the_model),
        cmocka_unit_test(the_bytes_are_those_of_redis),
        cmocka_unit_test(what_is_no_intset_is_refused),
        cmocka_unit_test(a_copy_is_a_set_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
