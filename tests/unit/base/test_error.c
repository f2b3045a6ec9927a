/* The sentences about what went wrong outside. */
#include "unit.h"

#include "base/error.h"

#include <errno.h>

static void an_error_is_a_sentence(void **state)
{
    struct error error;

    assert_int_equal(error_set(&error, "line %d: no such directive '%s'", 7, "prot"), -1);
    assert_string_equal(error.text, "line 7: no such directive 'prot'");
    assert_int_equal(error_set(&error, "%s", ""), -1);
    assert_string_equal(error.text, "");
}

static void an_error_of_the_system_says_why(void **state)
{
    struct error error;

    errno = ENOENT;
    assert_int_equal(error_set_errno(&error, "opening %s", "dump.rdb"), -1);
    assert_string_equal(error.text, "opening dump.rdb: No such file or directory");
    errno = EADDRINUSE;
    assert_int_equal(error_set_errno(&error, "binding %s:%d", "127.0.0.1", 6379), -1);
    assert_string_equal(error.text, "binding 127.0.0.1:6379: Address already in use");
}

static void errno_is_as_it_was(void **state)
{
    struct error error;

    errno = ENOSPC;
    error_set_errno(&error, "%f %Lf %300d", 1e300, 1e4000L, 1);
    assert_int_equal(errno, ENOSPC);
}

static void a_long_sentence_is_cut(void **state)
{
    struct error error;
    char name[2 * sizeof error.text];

    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(error_set(&error, "opening %s", name), -1);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    assert_memory_equal(error.text, "opening xxx", 11);
    errno = ENOENT;
    assert_int_equal(error_set_errno(&error, "opening %s", name), -1);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    name[sizeof error.text - 10] = '\0'; /* there is room for some of the reason */
    errno = ENOENT;
    assert_int_equal(error_set_errno(&error, "%s", name), -1);
    assert_string_equal(error.text + sizeof error.text - 10, ": No such");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_a_sentence),
        cmocka_unit_test(an_error_of_the_system_says_why),
        cmocka_unit_test(errno_is_as_it_was),
        cmocka_unit_test(a_long_sentence_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
