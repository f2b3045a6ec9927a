/* Sorting a part of an array, against the C library's sort of all of it. */
#include "unit.h"

#include "base/random.h"
#include "ds/range_sort.h"

struct thing {
    uint64_t value;
    uint64_t mark; /* goes along with the value */
};

static size_t compared;

static int compare_things(const void *a, const void *b)
{
    const struct thing *first = a, *second = b;

    compared++;
    return first->value < second->value ? -1 : first->value > second->value;
}

#define COUNT_MAX 3000

static void fill(struct thing *things, size_t count, const char *shape, struct random *random)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = i;
        if (!strcmp(shape, "random"))
            value = random_next(random);
        else if (!strcmp(shape, "few"))
            value = random_below(random, 4);
        else if (!strcmp(shape, "falling"))
            value = count - i;
        else if (!strcmp(shape, "equal"))
            value = 7;
        else if (!strcmp(shape, "organ"))
            value = i < count / 2 ? i : count - i;
        else if (!strcmp(shape, "saw"))
            value = i % 17;
        things[i] = (struct thing){value, value ^ 0x5555};
    }
}

static void check_range(size_t count, const char *shape, size_t first, size_t end,
                        struct random *random)
{
    static struct thing things[COUNT_MAX], all[COUNT_MAX];

    fill(things, count, shape, random);
    memcpy(all, things, sizeof all);
    qsort(all, count, sizeof *all, compare_things);
    range_sort(things, count, sizeof *things, first, end, compare_things);
    for (size_t i = first; i < end; i++)
        assert_int_equal(things[i].value, all[i].value);
    for (size_t i = 0; i < count && first < end; i++) {
        assert_int_equal(things[i].mark, things[i].value ^ 0x5555);
        assert_true(i >= first || things[i].value <= things[first].value);
        assert_true(i < end || things[i].value >= things[end - 1].value);
    }
    qsort(things, count, sizeof *things, compare_things); /* none is lost */
    for (size_t i = 0; i < count; i++)
        assert_int_equal(things[i].value, all[i].value);
}

static const char *const shapes[] = {"random", "few",   "rising", "falling",
                                     "equal",  "organ", "saw"};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void any_range_of_any_array_is_what_sorting_all_gives(void **state)
{
    struct random random;

    random_init(&random, 5);
    for (int step = 0; step < RANDOM_STEPS(4000); step++) {
        size_t count = random_below(&random, step % 50 == 0 ? COUNT_MAX : 40);
        size_t first = random_below(&random, count + 1);
        size_t end = first + random_below(&random, count - first + 1);
        if (step % 3 == 0)
            first = 0, end = count;
        check_range(count, shapes[(size_t)step % SHAPES], first, end, &random);
    }
}

/* An input made while it is sorted, so that every pivot is among the smallest (McIlroy 1999). */
static size_t solid, candidate, killer[COUNT_MAX];

static int compare_as_killer(const void *a, const void *b)
{
    size_t x = (size_t)((const struct thing *)a)->mark, y = (size_t)((const struct thing *)b)->mark;

    compared++;
    if (killer[x] == SIZE_MAX && killer[y] == SIZE_MAX)
        killer[x == candidate ? x : y] = solid++;
    if (killer[x] == SIZE_MAX)
        candidate = x;
    else if (killer[y] == SIZE_MAX)
        candidate = y;
    return killer[x] < killer[y] ? -1 : killer[x] > killer[y];
}

static void no_input_takes_long(void **state)
{
    static struct thing things[COUNT_MAX];

    for (size_t i = 0; i < COUNT_MAX; i++) {
        things[i].mark = i;
        killer[i] = SIZE_MAX;
    }
    compared = solid = candidate = 0;
    range_sort(things, COUNT_MAX, sizeof *things, 0, COUNT_MAX, compare_as_killer);
    assert_true(compared < 60 * COUNT_MAX);
    for (size_t shape = 0; shape < SHAPES; shape++) {
        struct random random;
        random_init(&random, shape);
        fill(things, COUNT_MAX, shapes[shape], &random);
        compared = 0;
        range_sort(things, COUNT_MAX, sizeof *things, 0, COUNT_MAX, compare_things);
        assert_true(compared < 60 * COUNT_MAX);
    }
}

static void a_few_of_many_cost_little_more_than_looking_at_all(void **state)
{
    static struct thing things[COUNT_MAX];
    struct random random;

    random_init(&random, 9);
    fill(things, COUNT_MAX, "random", &random);
    compared = 0;
    range_sort(things, COUNT_MAX, sizeof *things, 10, 20, compare_things);
    assert_true(compared < 5 * COUNT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_range_of_any_array_is_what_sorting_all_gives),
        cmocka_unit_test(no_input_takes_long),
        cmocka_unit_test(a_few_of_many_cost_little_more_than_looking_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
