/* Numbers and their text. What Redis accepts and prints was asked from real servers (Redis 8.0 and
 * Valkey 9.1, by ZADD, ZSCORE, INCRBYFLOAT and CONFIG SET maxmemory). */
#include "unit.h"

#include "base/numbers.h"
#include "base/random.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

static struct bytes text_of(const char *text) { return bytes_from_string(text); }

/* Any 64 bits, of any magnitude. */
static uint64_t random_magnitude(struct random *random)
{
    return random_next(random) >> random_below(random, 64);
}

/* ---- Integers ---- */

static void an_integer_has_one_text_only(void **state)
{
    static const char *const refused[] = {
        "",
        "-",
        "+",
        "+1",
        " 1",
        "1 ",
        "01",
        "-01",
        "00",
        "-0",
        "1a",
        "a1",
        "--1",
        "0x1",
        "1.0",
        "1e3",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "99999999999999999999",
        "999999999999999999999",
        "123456789012345678901234567890",
        "1234567/",
        "1234567:",
        "12345678/",
    };
    int64_t value = 77;

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_false(int64_parse(text_of(refused[i]), &value));
    assert_false(int64_parse((struct bytes){NULL, 0}, &value));
    assert_false(int64_parse(BYTES("1\0"), &value));
    assert_false(int64_parse(BYTES("\0001"), &value));
    assert_int_equal(value, 77);
}

static void the_limits_of_integers_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {{"0", 0},
                 {"-1", -1},
                 {"9", 9},
                 {"10", 10},
                 {"-99", -99},
                 {"12345678", 12345678},
                 {"9223372036854775807", INT64_MAX},
                 {"-9223372036854775808", INT64_MIN}};
    char out[INT64_TEXT_MAX];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes text = text_of(cases[i].text);
        int64_t value = 0;
        assert_true(int64_parse(text, &value));
        assert_int_equal(value, cases[i].value);
        assert_int_equal(int64_format(out, cases[i].value), text.len);
        assert_memory_equal(out, text.data, text.len);
        assert_int_equal(int64_text_len(cases[i].value), text.len);
    }
}

static void unsigned_integers_reach_two_to_the_64(void **state)
{
    char out[INT64_TEXT_MAX];
    uint64_t value = 77;

    assert_true(uint64_parse(BYTES("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_int_equal(uint64_format(out, UINT64_MAX), 20);
    assert_memory_equal(out, "18446744073709551615", 20);
    assert_false(uint64_parse(BYTES("18446744073709551616"), &value));
    assert_false(uint64_parse(BYTES("18446744073709551620"), &value));
    assert_false(uint64_parse(BYTES("-1"), &value));
    assert_false(uint64_parse(BYTES(""), &value));
    assert_true(value == UINT64_MAX);
}

static void integers_of_every_length_survive_the_way_to_text_and_back(void **state)
{
    struct random random;
    char expected[32], out[INT64_TEXT_MAX];

    random_init(&random, 1);
    for (int i = 0; i < RANDOM_STEPS(1000000); i++) {
        int64_t value = (int64_t)random_magnitude(&random), back = 0;
        if (random_below(&random, 2))
            value = (int64_t)(0 - (uint64_t)value);
        size_t len = int64_format(out, value);
        assert_int_equal(len, int64_text_len(value));
        if (i % 10 == 0) {
            assert_int_equal(len, snprintf(expected, sizeof expected, "%" PRId64, value));
            assert_memory_equal(out, expected, len);
        }
        assert_true(int64_parse((struct bytes){out, len}, &back));
        assert_true(back == value);
    }
}

static void a_byte_that_is_no_digit_is_found_wherever_it_is(void **state)
{
    char text[32];

    for (size_t len = 1; len <= 19; len++) /* all of these fit */
        for (size_t at = 0; at < len; at++)
            for (int byte = 0; byte < 256; byte++) {
                uint64_t value = 77;
                int64_t other = 77;
                double number = 77;
                bool is_digit = byte >= '0' && byte <= '9';

                memcpy(text, "12345678901234567890", 20);
                text[at] = (char)byte;
                bool is_number = is_digit && (byte != '0' || at > 0 || len == 1);
                assert_int_equal(uint64_parse((struct bytes){text, len}, &value), is_number);
                assert_true(is_number || value == 77);
                text[len] = '\0';
                assert_true(!is_number || value == strtoull(text, NULL, 10));
                if (len < 19) {
                    bool is_negative = byte == '-' && at == 0 && len > 1;
                    assert_int_equal(int64_parse((struct bytes){text, len}, &other), is_number || is_negative);
                    if (is_digit) {
                        assert_true(double_parse((struct bytes){text, len}, &number));
                        assert_true(number == strtod(text, NULL));
                    }
                }
            }
}

static void every_power_of_ten_and_its_neighbours_have_the_right_length(void **state)
{
    char expected[32], out[INT64_TEXT_MAX];
    uint64_t power = 1;

    for (int digits = 1; digits <= 20; digits++, power *= 10)
        for (int by = -1; by <= 1; by++) {
            uint64_t value = power + (uint64_t)by;
            size_t len = (size_t)snprintf(expected, sizeof expected, "%" PRIu64, value);
            assert_int_equal(uint64_format(out, value), len);
            assert_memory_equal(out, expected, len);
        }
}

/* Accepts what it would print itself. */
static bool naive_int64_parse(const char *text, size_t len, int64_t *value)
{
    char copy[32], printed[32];

    memcpy(copy, text, len);
    copy[len] = '\0';
    *value = strtoll(copy, NULL, 10);
    return (size_t)snprintf(printed, sizeof printed, "%" PRId64, *value) == len &&
           memcmp(printed, text, len) == 0;
}

static void exactly_the_printed_form_is_accepted(void **state)
{
    static const char alphabet[] = "000112345678999-+ /:.a\0\xB9";
    struct random random;

    random_init(&random, 2);
    for (int i = 0; i < RANDOM_STEPS(1000000); i++) {
        char text[24];
        size_t len = random_below(&random, sizeof text - 1);
        int64_t value = 0, expected;
        for (size_t at = 0; at < len; at++) /* mostly digits, or nothing long would ever be right */
            text[at] = random_below(&random, 12) ? (char)('0' + random_below(&random, 10))
                                                 : alphabet[random_below(&random, sizeof alphabet)];
        bool is_number = naive_int64_parse(text, len, &expected);
        assert_int_equal(int64_parse((struct bytes){text, len}, &value), is_number);
        if (is_number)
            assert_true(value == expected);
    }
}

/* ---- Doubles ---- */

static double double_from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool same_double(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

static void assert_double_text(double value, const char *expected)
{
    char out[DOUBLE_TEXT_MAX + 1];

    out[double_format(out, value)] = '\0';
    assert_string_equal(out, expected);
}

static void a_double_is_printed_in_the_form_of_redis(void **state)
{
    assert_double_text(0.0, "0");
    assert_double_text(-0.0, "-0");
    assert_double_text(3, "3");
    assert_double_text(-3.5, "-3.5");
    assert_double_text(0.1, "0.1");
    assert_double_text(1.1 + 2.2, "3.3000000000000003");
    assert_double_text(INFINITY, "inf");
    assert_double_text(-INFINITY, "-inf");
    assert_double_text(NAN, "nan");
    assert_double_text(-NAN, "nan");
    assert_double_text(DBL_MAX, "1.7976931348623157e+308");
    assert_double_text(-DBL_MIN, "-2.2250738585072014e-308");
    assert_double_text(4.9406564584124654e-324, "5e-324");
    assert_double_text(1e-310, "1e-310");
}

static void small_numbers_change_to_an_exponent_below_a_millionth(void **state)
{
    assert_double_text(0.001, "0.001");
    assert_double_text(0.000001, "0.000001");
    assert_double_text(0.0000001, "1e-7");
    assert_double_text(0.00000123, "1.23e-6");
    assert_double_text(-1.5e-10, "-1.5e-10");
}

static void large_integers_change_to_an_exponent_by_their_digits(void **state)
{
    assert_double_text(1e17, "100000000000000000");
    assert_double_text(1e18, "1000000000000000000");
    assert_double_text(4611686018427387904.0,
                       "4611686018427387904"); /* 2^62: the last as integer */
    assert_double_text(4611686018427388928.0, "4611686018427389000");
    assert_double_text(1e19, "1e+19");
    assert_double_text(1e20, "1e+20");
    assert_double_text(12345678901234567890.0, "12345678901234567000");
    assert_double_text(-599799784792502040000000.0,
                       "-599799784792502040000000"); /* the longest text */
    assert_double_text(1e300, "1e+300");
}

static void a_long_fraction_changes_to_an_exponent_early(void **state)
{
    assert_double_text(516413.70487478, "5.1641370487478003e+5"); /* not the shortest either */
    assert_double_text(1612.345678901, "1612.345678901");
}

static void where_grisu2_misses_the_shortest_text_so_do_we(void **state)
{
    static const struct {
        uint64_t bits;
        const char *text;
    } cases[] = {
        {0xc3033e7f91c8c8e6, "-677092773140764.7"},
        {0xc2e3239b00a822c4, "-168349162357014.13"},
        {0xc2e1e02723c83f74, "-157235416023547.63"},
        {0x4301ae79d84a7d02, "622114118389664.3"},
        {0x6feb05fd65dacedc, "1.3110723122383995e+231"},
        {0x43002faa3dbe0a7e, "569500981772623.7"},
        {0x4319c3a40a69e179, "1812995933632606.3"},
        {0x30a63c56cfb5d11d, "2.4580000000000002e-74"},
        {0xc31c37e9da7e8d31, "-1985694220133196.3"},
        {0xc519b5eb22667185, "-7.770557821853979e+24"},
        {0xaf61cd30cb30ef25, "-1.8766720849602644e-80"},
        {0xc31a2a140f23001b, "-1841153759035398.7"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_double_text(double_from_bits(cases[i].bits), cases[i].text);
}

/* Every kind of double: any bits, halves and decimals of usual size, powers of two. */
static double random_double(struct random *random)
{
    double value;

    switch (random_below(random, 4)) {
    case 0:
        do
            value = double_from_bits(random_next(random));
        while (!isfinite(value));
        return value;
    case 1:
        return (double)random_magnitude(random) / (double)(1 << random_below(random, 30));
    case 2:
        return (double)(random_next(random) % 1000000000) /
               pow(10, (double)random_below(random, 30));
    default:
        return ldexp(1, (int)random_below(random, 2098) - 1074);
    }
}

/* The significant digits in a text of a number. */
static int count_digits(const char *text, size_t len)
{
    int digits = 0, zeros = 0;

    for (size_t i = 0; i < len && text[i] != 'e'; i++) {
        if (text[i] < '0' || text[i] > '9')
            continue;
        if (text[i] == '0')
            zeros += digits > 0;
        else
            digits += zeros + 1, zeros = 0;
    }
    return digits;
}

static int shortest_digits(double value)
{
    char text[64];

    for (int digits = 1; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (same_double(strtod(text, NULL), value))
            return count_digits(text, strlen(text));
    }
    return 17;
}

static void every_double_reads_back_and_nearly_all_are_shortest(void **state)
{
    int longer = 0, steps = RANDOM_STEPS(300000);
    struct random random;

    random_init(&random, 3);
    for (int i = 0; i < steps; i++) {
        char out[DOUBLE_TEXT_MAX + 1];
        double value = random_double(&random);
        size_t len = double_format(out, value);
        assert_true(len <= DOUBLE_TEXT_MAX);
        out[len] = '\0';
        assert_true(same_double(strtod(out, NULL), value));
        if (i % 4 == 0 && (value != floor(value) || fabs(value) > 4.7e18))
            longer += count_digits(out, len) > shortest_digits(value);
    }
    assert_true(longer * 4 <= steps / 200);
}

static void a_double_is_accepted_as_redis_accepts_a_score(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"1", 1},
                 {"+1", 1},
                 {"-1.5", -1.5},
                 {".5", 0.5},
                 {"5.", 5},
                 {"-.5", -0.5},
                 {"01", 1},
                 {"0", 0},
                 {"-0", -0.0},
                 {"+0", 0},
                 {"-0.0", -0.0},
                 {"1e5", 1e5},
                 {"1E5", 1e5},
                 {"1e05", 1e5},
                 {"1e+5", 1e5},
                 {"0x1p3", 8},
                 {"0x10", 16},
                 {"0e400", 0},
                 {"4.9e-324", 5e-324},
                 {"1e-310", 1e-310},
                 {"inf", INFINITY},
                 {"-inf", -INFINITY},
                 {"+inf", INFINITY},
                 {"Infinity", INFINITY},
                 {"-INFINITY", -INFINITY},
                 {"1.7976931348623158e308", DBL_MAX},
                 {"9007199254740993", 9007199254740992},
                 {"9007199254740992.5", 9007199254740992},
                 {"0.30000000000000004", 0.1 + 0.2}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 0;
        assert_true(double_parse(text_of(cases[i].text), &value));
        assert_true(same_double(value, cases[i].value));
    }
}

static const char *const no_numbers[] = {
    "",       " 1",      "  1",  "\t1",  "\n1", "\v1",  "1 ", "1\n",   "nan", "NaN", "-nan",
    "nan(1)", ".",       "-",    "+",    "-.",  "--1",  "1e", "1e+",   "1_0", "1,5", "1d5",
    "0x",     "infinit", "inf ", "infx", "3f",  "1.0L", "(1", "1.2.3", "1..", "e5"};

static void a_double_is_refused_as_redis_refuses_a_score(void **state)
{
    static const char *const out_of_range[] = {
        "1e400",   "-1e400",   "1e-400",    "2e-324",
        "1e-5000", "0x1p2000", "0X1P-1080", "1.7976931348623159e308"};
    double value = 77;

    for (size_t i = 0; i < sizeof no_numbers / sizeof no_numbers[0]; i++)
        assert_false(double_parse(text_of(no_numbers[i]), &value));
    for (size_t i = 0; i < sizeof out_of_range / sizeof out_of_range[0]; i++)
        assert_false(double_parse(text_of(out_of_range[i]), &value));
    assert_false(double_parse((struct bytes){NULL, 0}, &value));
    assert_false(double_parse(BYTES("1\0"), &value));
    assert_false(double_parse(BYTES("\0001"), &value));
    assert_false(double_parse(BYTES("1\0002"), &value));
    assert_true(value == 77);
}

static void a_double_may_be_of_any_length(void **state)
{
    static const size_t zeros[] = {1, 200, 254, 255, 256, 257, 5000, 100000};

    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
        char *text = malloc(zeros[i] + 1);
        double value = 0;
        memset(text, '0', zeros[i]);
        text[zeros[i]] = '7';
        assert_true(double_parse((struct bytes){text, zeros[i] + 1}, &value));
        assert_true(value == 7);
        text[zeros[i] / 2] = 'x';
        if (zeros[i] > 2)
            assert_false(double_parse((struct bytes){text, zeros[i] + 1}, &value));
        free(text);
    }
}

static void doubles_are_read_as_strtod_reads_them(void **state)
{
    struct random random;

    random_init(&random, 4);
    for (int i = 0; i < RANDOM_STEPS(300000); i++) {
        char text[64];
        int decimals = (int)random_below(&random, 19);
        double value = 0, expected = random_double(&random);
        if (fabs(expected) > 1e20)
            snprintf(text, sizeof text, "%.*e", decimals, expected);
        else
            snprintf(text, sizeof text, "%.*f", decimals, expected);
        expected = strtod(text, NULL);
        assert_true(double_parse(text_of(text), &value));
        assert_true(same_double(value, expected));
    }
}

/* ---- Long doubles ---- */

static void assert_long_double_text(long double value, const char *expected)
{
    char out[LONG_DOUBLE_TEXT_MAX + 1];

    out[long_double_format(out, value)] = '\0';
    assert_string_equal(out, expected);
}

static void a_long_double_is_printed_with_17_decimals_at_most(void **state)
{
    assert_long_double_text(0, "0");
    assert_long_double_text(-0.0L, "0");
    assert_long_double_text(3, "3");
    assert_long_double_text(100, "100");
    assert_long_double_text(-10.5L, "-10.5");
    assert_long_double_text(0.1L, "0.1");
    assert_long_double_text(123456789.123456789L, "123456789.12345678899873747");
    assert_long_double_text(1e-17L, "0.00000000000000001");
    assert_long_double_text(-1e-17L, "-0.00000000000000001");
    assert_long_double_text(1e-18L, "0");
    assert_long_double_text(-4e-18L, "0");
    assert_long_double_text(9.99999999999999999999L, "10");
    assert_long_double_text(1e25L, "10000000000000000000000000");
    assert_long_double_text(INFINITY, "inf");
    assert_long_double_text(-INFINITY, "-inf");
}

static void a_huge_long_double_is_printed_in_full(void **state)
{
    char out[LONG_DOUBLE_TEXT_MAX + 1];

    assert_int_equal(long_double_format(out, 1e400L), 401);
    assert_memory_equal(out, "10000000000000000000281880683947", 32);
    assert_int_equal(long_double_format(out, -LDBL_MAX), 1 + 4933);
    assert_memory_equal(out, "-118973149535723176502126385303", 31);
}

static void long_doubles_are_printed_as_printf_prints_them(void **state)
{
    struct random random;

    random_init(&random, 5);
    for (int i = 0; i < RANDOM_STEPS(300000); i++) {
        char expected[64];
        long double value =
            ldexpl((long double)random_next(&random), -(int)random_below(&random, 130));
        if (random_below(&random, 2))
            value = -value;
        if (random_below(&random, 2)) /* few binary digits: exact halves of the last decimal */
            value = ldexpl(roundl(ldexpl(value, 20)), -20);
        size_t len = (size_t)snprintf(expected, sizeof expected, "%.17Lf", value);
        while (expected[len - 1] == '0')
            len--;
        len -= expected[len - 1] == '.';
        expected[len] = '\0';
        assert_long_double_text(value, strcmp(expected, "-0") ? expected : "0");
    }
}

static void a_long_double_is_accepted_as_redis_accepts_an_increment(void **state)
{
    long double value = 0;
    char text[LONG_DOUBLE_TEXT_MAX + 1];

    assert_true(long_double_parse(BYTES("0.1"), &value) && value == 0.1L);
    assert_true(long_double_parse(BYTES("-5."), &value) && value == -5);
    assert_true(long_double_parse(BYTES("3.0e3"), &value) && value == 3000);
    assert_true(long_double_parse(BYTES("0x1p3"), &value) && value == 8);
    assert_true(long_double_parse(BYTES("1e4932"), &value) && value == 1e4932L);
    assert_true(long_double_parse(BYTES("1e-4950"), &value) && value > 0);
    assert_true(long_double_parse(BYTES("-inf"), &value) && isinf(value) && value < 0);
    memset(text, '0', sizeof text);
    text[LONG_DOUBLE_TEXT_MAX - 2] = '1';
    assert_true(long_double_parse((struct bytes){text, LONG_DOUBLE_TEXT_MAX - 1}, &value));
    assert_true(value == 1);
}

static void a_long_double_is_refused_as_redis_refuses_an_increment(void **state)
{
    long double value = 77;
    char text[LONG_DOUBLE_TEXT_MAX];

    for (size_t i = 0; i < sizeof no_numbers / sizeof no_numbers[0]; i++)
        assert_false(long_double_parse(text_of(no_numbers[i]), &value));
    assert_false(long_double_parse((struct bytes){NULL, 0}, &value));
    assert_false(long_double_parse(BYTES("1.2e4932"), &value));
    assert_false(long_double_parse(BYTES("1e-4951"), &value));
    assert_false(long_double_parse(BYTES("1\0"), &value));
    memset(text, '1', sizeof text);
    assert_false(long_double_parse((struct bytes){text, sizeof text}, &value));
    assert_true(value == 77);
}

/* ---- Sizes ---- */

static void a_memory_size_has_a_unit(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"0", 0},
                 {"100", 100},
                 {"01", 1},
                 {"1b", 1},
                 {"1B", 1},
                 {"1k", 1000},
                 {"1Kb", 1024},
                 {"2m", 2000000},
                 {"2MB", 2 << 20},
                 {"3g", 3000000000},
                 {"3gb", (uint64_t)3 << 30},
                 {"18446744073709551615", UINT64_MAX},
                 {"17179869183gb", (uint64_t)17179869183 << 30},
                 {"", 0}, /* Redis reads no digits as 0 */
                 {"kb", 0}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t bytes = 77;
        assert_true(memory_size_parse(text_of(cases[i].text), &bytes));
        assert_true(bytes == cases[i].bytes);
    }
}

static void a_memory_size_that_is_malformed_or_too_large_is_refused(void **state)
{
    static const char *const refused[] = {"-1",
                                          "+1",
                                          "1t",
                                          "1tb",
                                          "1.5",
                                          "1kk",
                                          "1@",
                                          "0x10",
                                          "1mbb",
                                          "1kib",
                                          " 1",
                                          "1 ",
                                          "1 kb",
                                          "1kb ",
                                          "1-1",
                                          "18446744073709551616",
                                          "17179869184gb",
                                          "18446744073709552k",
                                          "99999999999999999999999"};
    uint64_t bytes = 77;

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_false(memory_size_parse(text_of(refused[i]), &bytes));
    assert_false(memory_size_parse(BYTES("1\0"), &bytes));
    assert_false(memory_size_parse(BYTES("1k\0"), &bytes));
    assert_true(bytes == 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_integer_has_one_text_only),
        cmocka_unit_test(the_limits_of_integers_are_read_and_written),
        cmocka_unit_test(unsigned_integers_reach_two_to_the_64),
        cmocka_unit_test(integers_of_every_length_survive_the_way_to_text_and_back),
        cmocka_unit_test(a_byte_that_is_no_digit_is_found_wherever_it_is),
        cmocka_unit_test(every_power_of_ten_and_its_neighbours_have_the_right_length),
        cmocka_unit_test(exactly_the_printed_form_is_accepted),
        cmocka_unit_test(a_double_is_printed_in_the_form_of_redis),
        cmocka_unit_test(small_numbers_change_to_an_exponent_below_a_millionth),
        cmocka_unit_test(large_integers_change_to_an_exponent_by_their_digits),
        cmocka_unit_test(a_long_fraction_changes_to_an_exponent_early),
        cmocka_unit_test(where_grisu2_misses_the_shortest_text_so_do_we),
        cmocka_unit_test(every_double_reads_back_and_nearly_all_are_shortest),
        cmocka_unit_test(a_double_is_accepted_as_redis_accepts_a_score),
        cmocka_unit_test(a_double_is_refused_as_redis_refuses_a_score),
        cmocka_unit_test(a_double_may_be_of_any_length),
        cmocka_unit_test(doubles_are_read_as_strtod_reads_them),
        cmocka_unit_test(a_long_double_is_printed_with_17_decimals_at_most),
        cmocka_unit_test(a_huge_long_double_is_printed_in_full),
        cmocka_unit_test(long_doubles_are_printed_as_printf_prints_them),
        cmocka_unit_test(a_long_double_is_accepted_as_redis_accepts_an_increment),
        cmocka_unit_test(a_long_double_is_refused_as_redis_refuses_an_increment),
        cmocka_unit_test(a_memory_size_has_a_unit),
        cmocka_unit_test(a_memory_size_that_is_malformed_or_too_large_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
