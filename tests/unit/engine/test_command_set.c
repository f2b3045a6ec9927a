/* Looking commands up by name: every spelling of what is there, nothing that is not. */
#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "engine/command.h"

static void nothing(struct request *req) {}

static const struct command tool_subcommands[] = {
    {.name = "one", .handler = nothing, .arity = 2},
    {.name = "two", .handler = nothing, .arity = -2},
    {.name = "a-subcommand-with-a-long-name", .handler = nothing, .arity = 3},
    {0},
};

static const struct command first_commands[] = {
    {.name = "get", .handler = nothing, .arity = 2},
    {.name = "g", .handler = nothing, .arity = 2},
    {.name = "tool", .arity = -2, .subcommands = tool_subcommands},
    {.name = "eight888", .handler = nothing, .arity = 1},
    {.name = "nine99999", .handler = nothing, .arity = 1},
    {.name = "one", .handler = nothing, .arity = 1}, /* as a subcommand is called */
    {.name = "zadd", .handler = nothing, .arity = 1},
};
REGISTER_COMMANDS("first", first_commands);

static const struct command second_commands[] = {
    {.name = "fifteen-letters", .handler = nothing, .arity = 1},
    {.name = "sixteen-letters-", .handler = nothing, .arity = 1},
    {.name = "seventeen-letters", .handler = nothing, .arity = 1},
    {.name = "georadiusbymember", .handler = nothing, .arity = 1},
    {.name = "georadiusbymember_ro", .handler = nothing, .arity = 1},
    {.name = "georadiusbymember_rx", .handler = nothing, .arity = 1},
    {.name = "it-shares-sixteen-bytes-with-none", .handler = nothing, .arity = 1},
};
REGISTER_COMMANDS("second", second_commands);

#define FIRST_COUNT  (sizeof first_commands / sizeof *first_commands)
#define SECOND_COUNT (sizeof second_commands / sizeof *second_commands)
#define SUB_COUNT    (sizeof tool_subcommands / sizeof *tool_subcommands - 1)

static const struct command *row_of(const struct command_set *set, struct bytes name)
{
    const struct command_entry *entry = command_find(set, name);

    return entry ? entry->row : NULL;
}

static const struct command *row_by_name(const char *name)
{
    for (size_t i = 0; i < FIRST_COUNT; i++)
        if (!strcmp(first_commands[i].name, name))
            return &first_commands[i];
    for (size_t i = 0; i < SECOND_COUNT; i++)
        if (!strcmp(second_commands[i].name, name))
            return &second_commands[i];
    return NULL;
}

static void each_name(void (*check)(const struct command_set *set, const struct command *row))
{
    struct command_set *set = command_set_new();

    for (size_t i = 0; i < FIRST_COUNT; i++)
        check(set, &first_commands[i]);
    for (size_t i = 0; i < SECOND_COUNT; i++)
        check(set, &second_commands[i]);
    command_set_free(set);
}

/* ---- names ---- */

static void check_spellings(const struct command_set *set, const struct command *row)
{
    size_t len = strlen(row->name);
    struct random random;
    char name[64];

    random_init(&random, len);
    for (uint64_t n = 0; n < 4096; n++) {
        uint64_t upper = len <= 12 ? n : random_next(&random);

        for (size_t i = 0; i < len; i++) {
            bool is_letter = row->name[i] >= 'a' && row->name[i] <= 'z';

            name[i] = (char)(row->name[i] - (is_letter && upper >> i & 1 ? 0x20 : 0));
        }
        assert_ptr_equal(row_of(set, (struct bytes){name, len}), row);
    }
}

static void every_spelling_in_upper_and_lower_case_is_found(void **state)
{
    each_name(check_spellings);
}

/* Every other byte in every place: found only when it is the same letter. */
static void check_neighbours(const struct command_set *set, const struct command *row)
{
    size_t len = strlen(row->name);
    char name[64];

    for (size_t at = 0; at < len; at++)
        for (int byte = 0; byte < 256; byte++) {
            memcpy(name, row->name, len + 1);
            name[at] = (char)byte;
            bool is_same = byte == row->name[at] ||
                           (byte >= 'A' && byte <= 'Z' && byte + 0x20 == row->name[at]);
            const struct command *found = row_of(set, (struct bytes){name, len});

            if (is_same)
                assert_ptr_equal(found, row);
            else if (found) /* by chance another command's name */
                assert_true(bytes_is((struct bytes){name, len}, found->name));
        }
}

static void a_name_with_another_byte_is_another_name(void **state) { each_name(check_neighbours); }

static void check_lengths(const struct command_set *set, const struct command *row)
{
    size_t len = strlen(row->name);
    char name[64] = {0};

    memcpy(name, row->name, len);
    for (size_t n = 0; n < sizeof name; n++) { /* cut short, and with zeros behind */
        char cut[64] = {0};

        memcpy(cut, name, n);
        assert_ptr_equal(row_of(set, (struct bytes){name, n}), n > len ? NULL : row_by_name(cut));
    }
    name[len] = ' ';
    assert_null(row_of(set, (struct bytes){name, len + 1}));
}

static void the_length_of_a_name_counts(void **state) { each_name(check_lengths); }

static void what_is_not_there_is_not_found(void **state)
{
    struct command_set *set = command_set_new();
    char *name = malloc(100000);
    struct random random;

    assert_null(command_find(set, (struct bytes){NULL, 0}));
    assert_null(command_find(set, BYTES("two"))); /* a subcommand's name only */
    memset(name, 'g', 100000);
    assert_null(command_find(set, (struct bytes){name, 100000}));
    random_init(&random, 1);
    for (int i = 0; i < 100000; i++) {
        size_t len = random_below(&random, 40);

        for (size_t n = 0; n < len; n++)
            name[n] = (char)random_next(&random);
        if (len < 4)
            continue; /* might be one */
        assert_null(command_find(set, (struct bytes){name, len}));
    }
    free(name);
    command_set_free(set);
}

/* ---- subcommands ---- */

static void subcommands_are_found_within_their_command(void **state)
{
    struct command_set *set = command_set_new();
    const struct command_entry *tool = command_find(set, BYTES("TOOL"));
    const struct command_entry *get = command_find(set, BYTES("get")), *sub;
    char name[COMMAND_NAME_MAX];

    assert_non_null(tool);
    sub = subcommand_find(set, tool, BYTES("TwO"));
    assert_ptr_equal(sub->row, &tool_subcommands[1]);
    assert_ptr_equal(sub->parent, tool->row);
    assert_string_equal(command_full_name(sub, name), "tool|two");
    sub = subcommand_find(set, tool, BYTES("A-SUBCOMMAND-WITH-A-LONG-NAME"));
    assert_ptr_equal(sub->row, &tool_subcommands[2]);
    assert_string_equal(command_full_name(sub, name), "tool|a-subcommand-with-a-long-name");
    sub = subcommand_find(set, tool, BYTES("one"));
    assert_ptr_equal(sub->row, &tool_subcommands[0]);
    assert_ptr_not_equal(sub, command_find(set, BYTES("one")));
    assert_null(subcommand_find(set, tool, BYTES("three")));
    assert_null(subcommand_find(set, tool, BYTES("")));
    assert_null(subcommand_find(set, tool, BYTES("eight888")));
    assert_null(subcommand_find(set, get, BYTES("one")));
    assert_string_equal(command_full_name(get, name), "get");
    command_set_free(set);
}

/* ---- numbers ---- */

static void everything_is_numbered_without_gaps(void **state)
{
    struct command_set *set = command_set_new();
    size_t subs = 0, firsts = 0;

    assert_int_equal(command_set_size(set), FIRST_COUNT + SECOND_COUNT + SUB_COUNT);
    for (unsigned id = 0; id < command_set_size(set); id++) {
        const struct command_entry *entry = command_set_at(set, id);

        assert_int_equal(entry->id, id);
        subs += entry->parent != NULL;
        firsts += !strcmp(entry->group, "first");
        if (!entry->parent)
            assert_ptr_equal(command_find(set, bytes_from_string(entry->row->name)), entry);
    }
    assert_int_equal(subs, SUB_COUNT);
    assert_int_equal(firsts, FIRST_COUNT + SUB_COUNT);
    command_set_free(set);
}

static void a_set_leaves_nothing_behind(void **state)
{
    size_t before = mem_used();

    command_set_free(command_set_new());
    assert_int_equal(mem_used(), before);
}

/* ---- other names ---- */

static void a_renamed_command_is_found_under_its_new_name_only(void **state)
{
    size_t before = mem_used();
    struct command_set *set = command_set_new();
    const struct command *get = row_by_name("get"), *tool = row_by_name("tool");

    assert_true(command_rename(set, BYTES("GET"), BYTES("Fetch-A-Value-Of-A-Key")));
    assert_ptr_equal(row_of(set, BYTES("fetch-a-value-of-a-key")), get);
    assert_null(row_of(set, BYTES("get")));
    assert_true(command_rename(set, BYTES("fetch-a-value-of-a-key"), BYTES("x")));
    assert_ptr_equal(row_of(set, BYTES("X")), get);
    assert_true(command_rename(set, BYTES("x"), BYTES("x")));
    assert_true(command_rename(set, BYTES("tool"), BYTES("get")));
    assert_ptr_equal(row_of(set, BYTES("get")), tool);
    assert_non_null(subcommand_find(set, command_find(set, BYTES("get")), BYTES("one")));
    command_set_free(set);
    assert_int_equal(mem_used(), before);
}

static void a_name_that_is_taken_is_not_given_again(void **state)
{
    struct command_set *set = command_set_new();

    assert_false(command_rename(set, BYTES("get"), BYTES("ZADD")));
    assert_ptr_equal(row_of(set, BYTES("get")), row_by_name("get"));
    assert_ptr_equal(row_of(set, BYTES("zadd")), row_by_name("zadd"));
    command_set_free(set);
}

static void a_removed_command_is_gone_and_no_other(void **state)
{
    struct command_set *set = command_set_new();
    unsigned size = command_set_size(set);

    for (size_t i = 0; i < FIRST_COUNT; i++)
        assert_true(command_rename(set, bytes_from_string(first_commands[i].name), BYTES("")));
    for (size_t i = 0; i < FIRST_COUNT; i++)
        assert_null(row_of(set, bytes_from_string(first_commands[i].name)));
    for (size_t i = 0; i < SECOND_COUNT; i++)
        assert_ptr_equal(row_of(set, bytes_from_string(second_commands[i].name)), &second_commands[i]);
    assert_null(row_of(set, BYTES("")));
    assert_int_equal(command_set_size(set), size);
    command_set_free(set);
}

/* ---- the last key ---- */

static void the_last_key_may_count_from_the_end(void **state)
{
    assert_int_equal(key_spec_last(&(struct key_spec){1, 1, 1}, 5), 1);
    assert_int_equal(key_spec_last(&(struct key_spec){1, -1, 1}, 5), 4);
    assert_int_equal(key_spec_last(&(struct key_spec){1, -2, 1}, 5), 3);
    assert_int_equal(key_spec_last(&(struct key_spec){1, -2, 1}, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_in_upper_and_lower_case_is_found),
        cmocka_unit_test(a_name_with_another_byte_is_another_name),
        cmocka_unit_test(the_length_of_a_name_counts),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(subcommands_are_found_within_their_command),
        cmocka_unit_test(everything_is_numbered_without_gaps),
        cmocka_unit_test(a_set_leaves_nothing_behind),
        cmocka_unit_test(a_renamed_command_is_found_under_its_new_name_only),
        cmocka_unit_test(a_name_that_is_taken_is_not_given_again),
        cmocka_unit_test(a_removed_command_is_gone_and_no_other),
        cmocka_unit_test(the_last_key_may_count_from_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
