/* Random numbers: the published sequences, and no bias where a bound cuts. */
#include "unit.h"

#include "base/random.h"

/* The first outputs from the state 1, 2, 3, 4, as in the tests of other implementations. */
static void the_sequence_is_that_of_xoshiro256_star_star(void **state)
{
    static const uint64_t expected[] = {
        11520U,
        0U,
        1509978240U,
        1215971899390074240U,
        1216172134540287360U,
        607988272756665600U,
        16172922978634559625U,
        8476171486693032832U,
        10595114339597558777U,
        2904607092377533576U,
    };
    struct random random = {{1, 2, 3, 4}};

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_true(random_next(&random) == expected[i]);
}

/* The first outputs of splitmix64 from 1234567. */
static void the_seed_is_spread_by_splitmix64(void **state)
{
    struct random random;

    random_init(&random, 1234567);
    assert_true(random.state[0] == 6457827717110365317U);
    assert_true(random.state[1] == 3203168211198807973U);
    assert_true(random.state[2] == 9817491932198370423U);
    assert_true(random.state[3] == 4593380528125082431U);
}

static void one_seed_is_one_sequence(void **state)
{
    struct random a, b, other;
    int same = 0;

    random_init(&a, 0);
    random_init(&b, 0);
    random_init(&other, 1);
    for (int i = 0; i < 1000; i++) {
        uint64_t value = random_next(&a);
        assert_true(value == random_next(&b));
        same += value == random_next(&other);
    }
    assert_int_equal(same, 0);
}

static void a_bound_is_never_reached(void **state)
{
    static const uint64_t bounds[] = {1, 2, 3, 7, 10, 1000003, (uint64_t)1 << 63, UINT64_MAX};
    struct random random;

    random_init(&random, 2);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        for (int step = 0; step < RANDOM_STEPS(20000); step++)
            assert_true(random_below(&random, bounds[i]) < bounds[i]);
}

/* The sum of (seen - expected)^2 / expected is about the number of cells less one, and this far
 * above it in less than one of a million cases. */
static void assert_even(const int *seen, int cells, int draws)
{
    double expected = (double)draws / cells, sum = 0;

    for (int i = 0; i < cells; i++)
        sum += (seen[i] - expected) * (seen[i] - expected) / expected;
    assert_true(sum < cells + 60);
}

static void small_bounds_are_even(void **state)
{
    enum { DRAWS = RANDOM_STEPS(200000) };
    struct random random;

    random_init(&random, 3);
    for (int bound = 2; bound <= 17; bound += 3) {
        int seen[17] = {0};
        for (int i = 0; i < DRAWS; i++)
            seen[random_below(&random, (uint64_t)bound)]++;
        assert_even(seen, bound, DRAWS);
    }
}

/* Of a bound of 3/4 * 2^64 a plain remainder would draw the first third twice as often. */
static void large_bounds_are_even(void **state)
{
    enum { DRAWS = RANDOM_STEPS(200000) };
    uint64_t third = (uint64_t)1 << 62;
    struct random random;
    int seen[3] = {0};

    random_init(&random, 4);
    for (int i = 0; i < DRAWS; i++)
        seen[random_below(&random, 3 * third) / third]++;
    assert_even(seen, 3, DRAWS);
}

static void secrets_differ_in_every_part(void **state)
{
    unsigned char a[1000] = {0}, b[1000] = {0};

    random_secret(a, sizeof a);
    random_secret(b, sizeof b);
    for (size_t at = 0; at + 16 <= sizeof a; at += 16)
        assert_memory_not_equal(a + at, b + at, 16);
    random_secret(a, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sequence_is_that_of_xoshiro256_star_star),
        cmocka_unit_test(the_seed_is_spread_by_splitmix64),
        cmocka_unit_test(one_seed_is_one_sequence),
        cmocka_unit_test(a_bound_is_never_reached),
        cmocka_unit_test(small_bounds_are_even),
        cmocka_unit_test(large_bounds_are_even),
        cmocka_unit_test(secrets_differ_in_every_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
