/* What the rows of commands say of themselves must fit together. */
#include "unit.h"

#include "engine/command.h"

/* The name of the argument at 'wanted' when no option is given, from the syntax: "key [NX] score member [score member ...]". */
static void argument_name(const char *syntax, int wanted, char *out, size_t size)
{
    int depth = 0, at = 0;
    size_t len = 0;

    for (const char *c = syntax;; c++) {
        bool is_word = *c && *c != ' ' && *c != '[' && *c != ']' && depth == 0;

        if (is_word && len + 1 < size)
            out[len++] = *c;
        if (!is_word && len) {
            out[len] = '\0';
            len = 0;
            if (++at == wanted)
                return;
        }
        depth += (*c == '[') - (*c == ']');
        if (!*c)
            break;
    }
    out[0] = '\0';
}

static void the_element_that_a_batch_asks_for_is_one(void **state)
{
    struct command_set *set = command_set_new();
    int count = 0;

    for (unsigned id = 0; id < command_set_size(set); id++) {
        const struct command *row = command_set_at(set, id)->row;
        char name[32];

        if (!row->member)
            continue;
        count++;
        argument_name(row->syntax, row->member, name, sizeof name);
        if (strcmp(name, "member") != 0 && strcmp(name, "field") != 0)
            fail_msg("%s: argument %d is '%s'", row->name, row->member, name);
        assert_int_equal(row->keys.first, 1);
        assert_int_equal(row->keys.last, 1);
    }
    assert_true(count >= 20);
    command_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_element_that_a_batch_asks_for_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
