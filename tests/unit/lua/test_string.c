/* The string library against what real servers answer. */
#include "script_rows.h"

#include "rows_string.h"

/* Where the real servers dump bytecode, take all memory or go on for long. */
static const struct script_row own_rows[] = {
    ROW("return string.dump(function() end)", "E user_script:2: unable to dump given function"),
    ROW("return string.rep('x', 2^30)", "E not enough memory"),
    ROW("return string.rep(('x'):rep(1000), 2^31 - 1)", "E not enough memory"),
    ROW("return pcall(string.rep, 'x', 2^30)", "false \"not enough memory\""),
    ROW("return ('a'):rep(30000):find(('a?'):rep(30000))", "E user_script:2: pattern too complex"),
    ROW("return ('a'):rep(30000):match(('a*'):rep(20000) .. 'b')", "E user_script:2: pattern too complex"),
    ROW("return pcall(string.find, 'x', ('x?'):rep(11999) .. 'y')", "true nil"),
    ROW("return #('a'):rep(100000):gsub('.-', 'b')", "200001"),
};

static void what_would_hurt_the_server_is_an_error(void **state)
{
    script_check_rows(own_rows, sizeof own_rows / sizeof *own_rows);
}

static void scripts_get_the_answers_of_real_servers(void **state)
{
    script_check_rows(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_would_hurt_the_server_is_an_error),
        cmocka_unit_test(scripts_get_the_answers_of_real_servers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
