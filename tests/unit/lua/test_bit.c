/* The bit library against what real servers answer. */
#include "script_rows.h"

#include "rows_bit.h"

static void scripts_get_the_answers_of_real_servers(void **state)
{
    script_check_rows(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_get_the_answers_of_real_servers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
