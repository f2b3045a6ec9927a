/* The elementary functions against the C library's. */
#include "unit.h"

#include "base/elementary.h"
#include "base/random.h"

#include <float.h>
#include <math.h>

enum { VALUES = RANDOM_STEPS(200000) };

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The doubles between the two, and a large number where signs or kinds differ. */
static uint64_t distance(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b) && signbit(a) == signbit(b) ? 0 : UINT64_MAX;
    if (signbit(a) != signbit(b))
        return UINT64_MAX;
    return bits_of(a) > bits_of(b) ? bits_of(a) - bits_of(b) : bits_of(b) - bits_of(a);
}

static const double odd_values[] = {0.0,
                                    -0.0,
                                    1,
                                    -1,
                                    0.5,
                                    -0.5,
                                    1.5,
                                    -1.5,
                                    2,
                                    -2,
                                    3,
                                    4,
                                    10,
                                    1000,
                                    1e15,
                                    -1e15,
                                    1e22,
                                    0x1p52,
                                    -0x1p52,
                                    0x1p52 - 0.5,
                                    0x1p53,
                                    0x1p53 + 2,
                                    0x1p63,
                                    -0x1p63,
                                    1e300,
                                    -1e300,
                                    DBL_MAX,
                                    -DBL_MAX,
                                    DBL_MIN,
                                    -DBL_MIN,
                                    0x1p-1074,
                                    -0x1p-1074,
                                    0x0.8p-1022,
                                    709.782712893384,
                                    709.79,
                                    -745.1332191019411,
                                    -745.2,
                                    710.5,
                                    22,
                                    1e-9,
                                    1e-300,
                                    M_PI,
                                    M_PI_2,
                                    M_PI_4,
                                    -M_PI,
                                    3 * M_PI_4,
                                    0.785,
                                    0x1.921fb54442d18p-1,
                                    INFINITY,
                                    -INFINITY,
                                    NAN,
                                    -NAN,
                                    6381956970095103.0 *
                                        0x1p797 /* the double nearest to a multiple of pi/2 */};
enum { ODD_VALUES = sizeof odd_values / sizeof *odd_values };

/* Any bits; or of a size as one meets it; or small. */
static double any_value(struct random *random)
{
    uint64_t bits = random_next(random);

    switch (random_below(random, 4)) {
    case 0:
        return from_bits(bits);
    case 1:
        return (double)(int64_t)bits * 0x1p-63;
    case 2:
        return (double)(int64_t)bits * 0x1p-57;
    default:
        return (double)(int64_t)bits * 0x1p-53;
    }
}

struct one {
    const char *name;
    double (*own)(double), (*of_library)(double);
    uint64_t allowed; /* what the library itself may be off, and we */
};

static double own_floor(double value) { return double_floor(value); }
static double own_ceil(double value) { return double_ceil(value); }
static double own_sqrt(double value) { return double_sqrt(value); }

static const struct one of_one[] = {
    {"floor", own_floor, floor, 0}, {"ceil", own_ceil, ceil, 0},
    {"sqrt", own_sqrt, sqrt, 0},    {"exp", double_exp, exp, 1},
    {"log", double_log, log, 1},    {"log10", double_log10, log10, 2},
    {"sinh", double_sinh, sinh, 2}, {"cosh", double_cosh, cosh, 2},
    {"tanh", double_tanh, tanh, 2}, {"sin", double_sin, sin, 1},
    {"cos", double_cos, cos, 1},    {"tan", double_tan, tan, 1},
    {"asin", double_asin, asin, 1}, {"acos", double_acos, acos, 1},
    {"atan", double_atan, atan, 1},
};

/* There the C library is off, in relation: its angle is right to about 2^-110. */
static bool is_huge_angle_near_an_axis(double angle, double own, double of_library)
{
    return fabs(angle) > 0x1p50 &&
           (fabs(own - of_library) < 0x1p-100 || fabs(1 / own - 1 / of_library) < 0x1p-100);
}

static void check(const char *name, double a, double b, double own, double of_library,
                  uint64_t allowed, unsigned *others)
{
    uint64_t apart = distance(own, of_library);

    *others += apart != 0;
    if (apart > allowed && !is_huge_angle_near_an_axis(a, own, of_library)) {
        printf("%s(%.17g, %.17g): %.17g, the library's is %.17g\n", name, a, b, own, of_library);
        fail();
    }
}

static void functions_of_one_number_are_as_the_library_has_them(void **state)
{
    for (size_t f = 0; f < sizeof of_one / sizeof *of_one; f++) {
        const struct one *one = &of_one[f];
        struct random random;
        unsigned others = 0;

        for (int i = 0; i < ODD_VALUES; i++)
            check(one->name, odd_values[i], 0, one->own(odd_values[i]),
                  one->of_library(odd_values[i]), one->allowed, &others);
        others = 0;
        random_init(&random, 3);
        for (int i = 0; i < VALUES; i++) {
            double value = any_value(&random);

            check(one->name, value, 0, one->own(value), one->of_library(value), one->allowed,
                  &others);
        }
        print_message("%s: %.3f%% equal\n", one->name, 100 - 100.0 * others / VALUES);
        /* Of the hyperbolic ones and log10 the library is the one that is off. */
        assert_true(others <= VALUES * (one->allowed == 0 ? 0.0 : one->allowed == 1 ? 0.04 : 0.25));
    }
}

/* The long double of the library rounds to what the double should be, but for one in thousands. */
static void results_are_the_nearest_double_where_the_library_is_not(void **state)
{
    static const struct {
        double (*own)(double);
        long double (*of_library)(long double);
    } rows[] = {{double_log10, log10l}, {double_sinh, sinhl}, {double_cosh, coshl},
                {double_tanh, tanhl},   {double_asin, asinl}, {double_acos, acosl},
                {double_atan, atanl},   {double_exp, expl},   {double_log, logl},
                {double_tan, tanl},     {double_sin, sinl},   {double_cos, cosl}};

    for (size_t f = 0; f < sizeof rows / sizeof *rows; f++) {
        struct random random;
        unsigned others = 0;

        random_init(&random, 4);
        for (int i = 0; i < VALUES; i++) {
            double value = any_value(&random);

            if (!isnan(rows[f].own(value)))
                check("long", value, 0, rows[f].own(value), (double)rows[f].of_library(value), 1,
                      &others);
        }
        assert_true(others <= VALUES / 500);
    }
}

struct two {
    const char *name;
    double (*own)(double, double), (*of_library)(double, double);
    uint64_t allowed;
};

static const struct two of_two[] = {
    {"fmod", double_fmod, fmod, 0},
    {"pow", double_pow, pow, 1},
    {"atan2", double_atan2, atan2, 1},
};

static void functions_of_two_numbers_are_as_the_library_has_them(void **state)
{
    for (size_t f = 0; f < sizeof of_two / sizeof *of_two; f++) {
        const struct two *two = &of_two[f];
        struct random random;
        unsigned others = 0;

        for (int i = 0; i < ODD_VALUES; i++)
            for (int j = 0; j < ODD_VALUES; j++) {
                double a = odd_values[i], b = odd_values[j];

                if (isnan(a) && isnan(b)) /* which of them comes out is the compiler's choice */
                    continue;
                check(two->name, a, b, two->own(a, b), two->of_library(a, b), two->allowed,
                      &others);
            }
        others = 0;
        random_init(&random, 5);
        for (int i = 0; i < VALUES; i++) {
            double a = any_value(&random), b = any_value(&random);

            if (i & 1) { /* powers that neither vanish nor overflow */
                a = fabs((double)(int64_t)random_next(&random) * 0x1p-60);
                b = (double)(int64_t)random_next(&random) * 0x1p-56;
            }
            if (isnan(a) && isnan(b))
                continue;
            check(two->name, a, b, two->own(a, b), two->of_library(a, b), two->allowed, &others);
        }
        print_message("%s: %.3f%% equal\n", two->name, 100 - 100.0 * others / VALUES);
        assert_true(others <= (two->allowed ? VALUES / 100 : 0));
    }
}

static void parts_are_as_the_library_has_them(void **state)
{
    struct random random;
    unsigned others = 0;

    random_init(&random, 6);
    for (int i = 0; i < VALUES + ODD_VALUES; i++) {
        double value = i < ODD_VALUES ? odd_values[i] : any_value(&random), own_whole, whole;
        int own_exponent = 0, exponent = 0, by = (int)random_below(&random, 4400) - 2200;

        check("frexp", value, 0, double_frexp(value, &own_exponent), frexp(value, &exponent), 0,
              &others);
        if (isfinite(value))
            assert_int_equal(own_exponent, exponent);
        check("modf", value, 0, double_modf(value, &own_whole), modf(value, &whole), 0, &others);
        check("modf", value, 0, own_whole, whole, 0, &others);
        check("ldexp", value, by, double_ldexp(value, by), ldexp(value, by), 0, &others);
    }
    for (int by = -1200; by < 1200; by++) {
        check("ldexp", 1.1, by, double_ldexp(1.1, by), ldexp(1.1, by), 0, &others);
        check("ldexp", DBL_MAX, by, double_ldexp(DBL_MAX, by), ldexp(DBL_MAX, by), 0, &others);
    }
    assert_true(double_ldexp(1, 2000000000) == INFINITY && double_ldexp(1, -2000000000) == 0);
}

static void round_numbers_come_out_round(void **state)
{
    double power = 1;

    for (int i = 0; i <= 22; i++, power *= 10) {
        assert_true(double_log10(power) == i);
        assert_true(double_pow(10, i) == power);
    }
    assert_true(double_sin(0) == 0 && double_cos(0) == 1 && double_asin(0) == 0 &&
                double_exp(0) == 1 && double_log(1) == 0);
    assert_true(double_sin(M_PI_2) == 1 && double_sin(-M_PI_2) == -1 && double_asin(1) == M_PI_2);
    assert_true(double_acos(-1) == M_PI && double_atan(1) == M_PI_4 && double_pow(4, 0.5) == 2 &&
                double_pow(-2, 3) == -8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_one_number_are_as_the_library_has_them),
        cmocka_unit_test(results_are_the_nearest_double_where_the_library_is_not),
        cmocka_unit_test(functions_of_two_numbers_are_as_the_library_has_them),
        cmocka_unit_test(parts_are_as_the_library_has_them),
        cmocka_unit_test(round_numbers_come_out_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
