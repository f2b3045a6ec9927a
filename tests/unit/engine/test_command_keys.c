/* Where the keys of a command stand: rows with the rules of Redis's commands, and what Redis finds. */
#include "unit.h"

#include "engine/command_keys.h"

#include <stdio.h>
#include <string.h>

#define RO_AT(at)   {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, at, NULL, KEY_RANGE, {0, 1, 0}}
#define OW_AT(at)   {KEY_OW | KEY_UPDATE, KEY_AT_INDEX, at, NULL, KEY_RANGE, {0, 1, 0}}
#define COUNTED(at) {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, at, NULL, KEY_COUNTED, {0, 1, 1}}
#define RULES(...)  ((const struct key_rule[]){__VA_ARGS__, {0}})

static const struct command rows[] = {
    {"get", NULL, 2, CMD_READONLY, {1, 1, 1}},
    {"mset", NULL, -3, CMD_WRITE, {1, -1, 2}},
    {"blpop", NULL, -3, CMD_WRITE, {1, -2, 1}},
    {"ping", NULL, -1, 0, {0, 0, 0}},
    {"set", NULL, -3, CMD_WRITE, {1, 1, 1},
     .key_rules = FIRST_KEY(KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE)},
    {"bitfield", NULL, -2, CMD_WRITE, {1, 1, 1},
     .key_rules = FIRST_KEY(KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE)},
    {"spublish", NULL, 3, 0, {1, 1, 1}, .key_rules = FIRST_KEY(KEY_NOT_KEY)},
    {"rename", NULL, 3, CMD_WRITE, {1, 2, 1}, .key_rules = RULES(RO_AT(1), OW_AT(2))},
    {"zunionstore", NULL, -4, CMD_WRITE, {1, 1, 1}, .key_rules = RULES(OW_AT(1), COUNTED(2))},
    {"sintercard", NULL, -3, CMD_READONLY, {0, 0, 0}, .key_rules = RULES(COUNTED(1))},
    {"eval", NULL, -3, CMD_KEYS_OPTIONAL, {0, 0, 0}, .key_rules = RULES(COUNTED(2))},
    {"msetex", NULL, -4, CMD_WRITE, {0, 0, 0},
     .key_rules = RULES({KEY_OW | KEY_UPDATE, KEY_AT_INDEX, 1, NULL, KEY_COUNTED, {0, 1, 2}})},
    {"xread", NULL, -4, CMD_READONLY, {0, 0, 0},
     .key_rules = RULES({KEY_RO | KEY_ACCESS, KEY_AT_WORD, 1, "STREAMS", KEY_RANGE, {-1, 1, 2}})},
    {"xreadgroup", NULL, -7, CMD_WRITE, {0, 0, 0},
     .key_rules = RULES({KEY_RO | KEY_ACCESS, KEY_AT_WORD, 4, "STREAMS", KEY_RANGE, {-1, 1, 2}})},
    {"georadius", NULL, -6, CMD_WRITE, {1, 1, 1},
     .key_rules = RULES(RO_AT(1), {KEY_OW | KEY_UPDATE, KEY_AT_WORD, 6, "STORE", KEY_RANGE, {0, 1, 0}},
                        {KEY_OW | KEY_UPDATE, KEY_AT_WORD, 6, "STOREDIST", KEY_RANGE, {0, 1, 0}})},
    {"sort", NULL, -2, CMD_WRITE, {1, 1, 1},
     .key_rules = RULES(RO_AT(1), {KEY_RO | KEY_ACCESS, KEY_BEGIN_UNKNOWN, 0, NULL, KEY_FIND_UNKNOWN, {0}},
                        {KEY_OW | KEY_UPDATE, KEY_BEGIN_UNKNOWN, 0, NULL, KEY_FIND_UNKNOWN, {0}})},
    {"migrate", NULL, -6, CMD_WRITE, {3, 3, 1},
     .key_rules = RULES({KEY_RW | KEY_DELETE, KEY_AT_INDEX, 3, NULL, KEY_RANGE, {0, 1, 0}},
                        {KEY_RW | KEY_DELETE | KEY_INCOMPLETE, KEY_AT_WORD, -2, "KEYS", KEY_RANGE, {-1, 1, 0}})},
};

static const struct command *row_of(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    fail_msg("no row %s", name);
    return NULL;
}

/* "RO" and "access" as their first letters, in the order of the bits. */
static const char *letters(uint32_t flags)
{
    static char out[16];
    static const char *const words[] = {"RO", "RW", "OW", "RM", "a", "u", "i", "d"};

    out[0] = '\0';
    for (int i = 0; i < 8; i++)
        if (flags >> i & 1)
            snprintf(out + strlen(out), sizeof out - strlen(out), "%s", words[i]);
    return out;
}

static void expect(const char *line, const char *expected)
{
    struct bytes argv[32];
    struct command_keys keys = {0};
    struct command_entry entry = {0};
    char text[256], got[256] = "", *at = text, *word;
    int argc = 0;

    snprintf(text, sizeof text, "%s", line);
    while ((word = strsep(&at, " ")) != NULL)
        argv[argc++] = strcmp(word, "''") ? bytes_from_string(word) : (struct bytes){"", 0};
    entry.row = row_of(text);
    if (!command_keys_find(&entry, argv, argc, &keys))
        snprintf(got, sizeof got, "none");
    for (size_t i = 0; i < keys.count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s:%s", i ? " " : "",
                 (int)argv[keys.list[i].at].len, argv[keys.list[i].at].data, letters(keys.list[i].flags));
    command_keys_release(&keys);
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s instead of %s", line, got, expected);
}

static void keys_in_a_row_are_found(void **state)
{
    expect("get a", "a:ROa");
    expect("mset a 1 b 2", "a:RWau b:RWau");
    expect("mset a 1 b", "a:RWau b:RWau");
    expect("blpop a b 0", "a:RWau b:RWau");
    expect("ping a", "none");
    expect("spublish a b", "none");
    expect("rename a b", "a:ROa b:OWu");
}

static void a_number_tells_how_many_there_are(void **state)
{
    expect("zunionstore d 2 a b", "d:OWu a:ROa b:ROa");
    expect("zunionstore d 2 a b WEIGHTS 1 2", "d:OWu a:ROa b:ROa");
    expect("zunionstore d 3 a b", "none");
    expect("zunionstore d 0 a b", "none");
    expect("zunionstore d -1 a b", "none");
    expect("zunionstore d x a b", "none");
    expect("zunionstore d 9223372036854775807 a b", "none");
    expect("sintercard 1 a LIMIT 3", "a:ROa");
    expect("sintercard 0 a LIMIT 3", "none");
    expect("eval x 0", "none");
    expect("eval x 0 a", "none");
    expect("eval x 2 a b c", "a:ROa b:ROa");
    expect("msetex 2 a 1 b 2", "a:OWu b:OWu");
    expect("msetex 3 a 1 b 2", "none");
}

static void a_word_stands_before_them(void **state)
{
    expect("xread STREAMS a b 1 2", "a:ROa b:ROa");
    expect("xread count 1 streams a b 1 2", "a:ROa b:ROa");
    expect("xread COUNT 1 STREAMS a b 1", "a:ROa");
    expect("xread COUNT 1 STREAMS a", "none");
    expect("xread COUNT 1 OTHER a", "none");
    expect("xreadgroup GROUP streams c COUNT 1 STREAMS a b 1 2", "a:ROa b:ROa");
    expect("xreadgroup GROUP g streams STREAMS a 1", "a:ROa");
    expect("georadius k 1 1 1 m", "k:ROa");
    expect("georadius k 1 1 1 m STORE x", "k:ROa x:OWu");
    expect("georadius k 1 1 1 m STORE", "k:ROa");
    expect("georadius k 1 1 1 m STOREDIST x STORE y", "k:ROa y:OWu x:OWu");
    expect("migrate h 1 k 0 10", "k:RWd");
    expect("migrate h 1 '' 0 10 KEYS a b", "a:RWd b:RWd");
    expect("migrate h 1 '' 0 10 AUTH KEYS KEYS a b", "a:RWd b:RWd");
}

static void what_no_rule_tells_is_found_too(void **state)
{
    expect("set a b", "a:OWu");
    expect("set a b EX 10", "a:OWu");
    expect("set a b XX get", "a:RWau");
    expect("bitfield a", "a:ROa");
    expect("bitfield a GET u8 0", "a:ROa");
    expect("bitfield a GET u8 0 OVERFLOW SAT SET u8 0 1", "a:RWau");
    expect("sort a", "a:ROa");
    expect("sort a STORE b", "a:ROa b:OWu");
    expect("sort a BY STORE GET x STORE b", "a:ROa b:OWu");
    expect("sort a LIMIT STORE x STORE b STORE c", "a:ROa c:OWu");
    expect("sort a STORE", "a:ROa");
    expect("sort a store STORE b", "a:ROa b:OWu");
    expect("bitfield a GET u8", "a:RWau");
}

static void keys_that_move_are_known(void **state)
{
    static const char *const moving[] = {"zunionstore", "eval", "xread", "georadius", "sort", "migrate"};
    static const char *const fixed[] = {"get", "mset", "set", "rename", "ping", "spublish"};

    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++)
        assert_true(command_keys_move(row_of(moving[i])));
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        assert_false(command_keys_move(row_of(fixed[i])));
    assert_true(command_has_keys(row_of("eval")));
    assert_false(command_has_keys(row_of("ping")));
    assert_false(command_has_keys(row_of("spublish")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_in_a_row_are_found),
        cmocka_unit_test(a_number_tells_how_many_there_are),
        cmocka_unit_test(a_word_stands_before_them),
        cmocka_unit_test(what_no_rule_tells_is_found_too),
        cmocka_unit_test(keys_that_move_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
