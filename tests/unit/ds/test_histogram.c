/* The histogram against a sorted array. */
#include "unit.h"

#include "base/random.h"
#include "ds/histogram.h"

#include <stdlib.h>

enum { VALUES = 5000 };

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void a_bucket_ends_where_the_next_begins(void **state)
{
    uint64_t value = 0;

    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS && value <= HISTOGRAM_VALUE_MAX; bucket++) {
        assert_int_equal(histogram_bucket(value), bucket);
        value = histogram_bucket_end(value);
        if (value <= HISTOGRAM_VALUE_MAX)
            assert_int_equal(histogram_bucket(value), bucket);
        value++;
    }
    assert_true(value > HISTOGRAM_VALUE_MAX);
}

static void buckets_are_within_a_hundredth(void **state)
{
    for (uint64_t value = 1; value < HISTOGRAM_VALUE_MAX; value += value / 7 + 1)
        assert_true((histogram_bucket_end(value) - value) * 100 <= value);
}

static void percentiles_are_those_of_the_values(void **state)
{
    static const double percents[] = {0, 1, 50, 90, 99, 99.9, 100};
    struct histogram *histogram = histogram_new();
    uint64_t *values = malloc(VALUES * sizeof *values);
    struct random random;

    random_init(&random, 7);
    assert_int_equal(histogram_percentile(histogram, 50), 0);
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = random_below(&random, UINT64_C(1) << (1 + random_below(&random, 29)));
        histogram_add(histogram, values[i]);
    }
    qsort(values, VALUES, sizeof *values, by_value);
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        size_t rank = (size_t)(percents[i] / 100 * VALUES + 0.5);

        assert_int_equal(histogram_percentile(histogram, percents[i]),
                         histogram_bucket_end(values[rank ? rank - 1 : 0]));
    }
    for (uint64_t level = 1; level < HISTOGRAM_VALUE_MAX; level *= 3) {
        size_t expected = 0;

        while (expected < VALUES && values[expected] <= histogram_bucket_end(level))
            expected++;
        assert_int_equal(histogram_count_to(histogram, level), expected);
    }
    free(values);
    histogram_free(histogram);
}

static void what_is_too_large_counts_as_the_largest(void **state)
{
    struct histogram *histogram = histogram_new();

    histogram_add(histogram, UINT64_MAX);
    assert_int_equal(histogram_percentile(histogram, 100), histogram_bucket_end(HISTOGRAM_VALUE_MAX));
    histogram_free(histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_ends_where_the_next_begins),
        cmocka_unit_test(buckets_are_within_a_hundredth),
        cmocka_unit_test(percentiles_are_those_of_the_values),
        cmocka_unit_test(what_is_too_large_counts_as_the_largest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
