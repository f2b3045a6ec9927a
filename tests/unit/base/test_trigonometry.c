/* Sine, cosine and arc sine against the C library's. */
#include "unit.h"

#include "base/random.h"
#include "base/trigonometry.h"

#include <math.h>

enum { VALUES = 200000 };

/* Both are within a last digit of the truth, and nearly always the same. */
static void are_as_the_library_has_them(void **state)
{
    struct random random;
    unsigned others = 0;

    random_init(&random, 3);
    for (int i = 0; i < VALUES; i++) {
        double part = (double)(random_next(&random) >> 11) * 0x1p-53;
        double angle = (2 * part - 1) * acos(-1);

        assert_true(fabs(sine(angle) - sin(angle)) <= 0x1p-53);
        assert_true(fabs(cosine(angle) - cos(angle)) <= 0x1p-53);
        assert_true(fabs(arc_sine(part) - asin(part)) <= 0x1p-52);
        others += sine(angle) != sin(angle);
        others += cosine(angle) != cos(angle);
        others += arc_sine(part) != asin(part);
    }
    assert_true(others < VALUES * 3 / 100);
}

static void have_their_exact_values(void **state)
{
    assert_true(sine(0) == 0 && cosine(0) == 1 && arc_sine(0) == 0);
    assert_true(sine(acos(-1) / 2) == 1 && sine(-acos(-1) / 2) == -1);
    assert_true(arc_sine(1) == acos(-1) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_as_the_library_has_them),
        cmocka_unit_test(have_their_exact_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
