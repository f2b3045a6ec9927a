/* Views: equality, order and names without case. */
#include "unit.h"

#include "base/bytes.h"
#include "base/random.h"

static void a_view_of_a_literal_has_no_terminator(void **state)
{
    assert_int_equal(BYTES("abc").len, 3);
    assert_int_equal(BYTES("").len, 0);
    assert_int_equal(BYTES("a\0b").len, 3);
    assert_int_equal(bytes_from_string("abc").len, 3);
}

static void views_are_equal_by_content(void **state)
{
    char other[] = "abc";

    assert_true(bytes_equal(BYTES("abc"), (struct bytes){other, 3}));
    assert_false(bytes_equal(BYTES("abc"), BYTES("abd")));
    assert_false(bytes_equal(BYTES("abc"), BYTES("ab")));
    assert_true(bytes_equal(BYTES("a\0b"), BYTES("a\0b")));
    assert_false(bytes_equal(BYTES("a\0b"), BYTES("a\0c")));
}

static void empty_views_are_equal_wherever_they_point(void **state)
{
    assert_true(bytes_equal((struct bytes){NULL, 0}, BYTES("")));
    assert_int_equal(bytes_compare((struct bytes){NULL, 0}, BYTES("")), 0);
    assert_true(bytes_compare((struct bytes){NULL, 0}, BYTES("a")) < 0);
    assert_true(bytes_compare(BYTES("a"), (struct bytes){NULL, 0}) > 0);
    assert_true(bytes_is((struct bytes){NULL, 0}, ""));
    assert_false(bytes_is((struct bytes){NULL, 0}, "a"));
}

static void the_beginning_sorts_before_the_whole(void **state)
{
    assert_true(bytes_compare(BYTES("ab"), BYTES("abc")) < 0);
    assert_true(bytes_compare(BYTES("abc"), BYTES("ab")) > 0);
    assert_true(bytes_compare(BYTES("b"), BYTES("abc")) > 0);
    assert_true(bytes_compare(BYTES("a"), BYTES("a\0")) < 0);
    assert_int_equal(bytes_compare(BYTES("abc"), BYTES("abc")), 0);
}

static void bytes_are_compared_as_unsigned(void **state)
{
    assert_true(bytes_compare(BYTES("\xff"), BYTES("a")) > 0);
    assert_true(bytes_compare(BYTES("\x7f"), BYTES("\x80")) < 0);
}

static int sign(int order) { return (order > 0) - (order < 0); }

static int naive_compare(struct bytes a, struct bytes b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (a.data[i] != b.data[i])
            return (unsigned char)a.data[i] < (unsigned char)b.data[i] ? -1 : 1;
    return a.len < b.len ? -1 : a.len > b.len;
}

static void random_views_compare_as_byte_by_byte(void **state)
{
    struct random random;

    random_init(&random, 1);
    for (int i = 0; i < RANDOM_STEPS(200000); i++) {
        char one[BYTES_SHORT + 1], other[BYTES_SHORT + 1]; /* gcc wants room for longer views */
        for (size_t at = 0; at < 4; at++) {
            one[at] = (char)(random_below(&random, 3) * 127);
            other[at] = (char)(random_below(&random, 3) * 127);
        }
        struct bytes a = {one, random_below(&random, 5)}, b = {other, random_below(&random, 5)};
        int order = naive_compare(a, b);
        assert_int_equal(sign(bytes_compare(a, b)), order);
        assert_int_equal(bytes_equal(a, b), order == 0);
    }
}

static void names_are_compared_without_the_case_of_ascii(void **state)
{
    assert_true(bytes_is(BYTES("GeT"), "get"));
    assert_true(bytes_is(BYTES("get"), "GET"));
    assert_true(bytes_is(BYTES("maxmemory-policy"), "MaxMemory-Policy"));
    assert_false(bytes_is(BYTES("ge"), "get"));
    assert_false(bytes_is(BYTES("gets"), "get"));
    assert_false(bytes_is(BYTES("get\0"), "get"));
    assert_false(bytes_is(BYTES("\0get"), "get"));
    assert_false(bytes_is(BYTES("@"), "`"));
    assert_false(bytes_is(BYTES("["), "{"));
    assert_false(bytes_is(BYTES("\xc4"), "\xe4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_of_a_literal_has_no_terminator),
        cmocka_unit_test(views_are_equal_by_content),
        cmocka_unit_test(empty_views_are_equal_wherever_they_point),
        cmocka_unit_test(the_beginning_sorts_before_the_whole),
        cmocka_unit_test(bytes_are_compared_as_unsigned),
        cmocka_unit_test(random_views_compare_as_byte_by_byte),
        cmocka_unit_test(names_are_compared_without_the_case_of_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
