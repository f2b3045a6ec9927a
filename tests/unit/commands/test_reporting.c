/* What every write command reports: the commands that travel in the write stream and the events,
 * both exactly and in order, in every way the command can go. A command that fails or changes
 * nothing reports nothing.
 *
 * The events are those of Redis with notify-keyspace-events KEAmn, in its order. Where a row needs
 * the time, it stands still at 1795000000000 ms. */
#include "unit.h"

#include "engine_rig.h"
#include "reporting_bitmap.h"
#include "reporting_dump.h"
#include "reporting_geo.h"
#include "reporting_hash.h"
#include "reporting_hyperloglog.h"
#include "reporting_key.h"
#include "reporting_list.h"
#include "reporting_set.h"
#include "reporting_sort.h"
#include "reporting_stream.h"
#include "reporting_string.h"
#include "reporting_zset.h"
#include "store/string_value.h"
#include "types/set.h"

#define FAMILY(name) {#name, name##_rows, sizeof name##_rows / sizeof *name##_rows}

static const struct family {
    const char *name;
    const struct row *rows;
    size_t count;
} families[] = {
    FAMILY(string),
    FAMILY(list),
    FAMILY(bitmap),
    FAMILY(hash),
    FAMILY(set),
    FAMILY(zset),
    FAMILY(sort),
    FAMILY(hyperloglog),
    FAMILY(dump),
    FAMILY(geo),
    FAMILY(key),
    FAMILY(stream),
};
#define FAMILIES (sizeof families / sizeof *families)

/* ---- running them ---- */

enum { PEERS = 3 };

static struct rig rig;
static struct peer peers[PEERS];
static const struct row *current;

static int setup(void **state)
{
    rig_init(&rig);
    for (int i = 0; i < PEERS; i++)
        peer_connect(&peers[i], &rig);
    return 0;
}

static int teardown(void **state)
{
    for (int i = 0; i < PEERS; i++)
        peer_release(&peers[i]);
    rig_release(&rig);
    return 0;
}

static void say(const char *line)
{
    int who = 0;

    if (line[0] == '+') {
        clock_advance(&rig.clock, strtol(line + 1, NULL, 10));
        rig_run(&rig); /* deadlines of those who wait; keys are left to who finds them */
        return;
    }
    if (line[1] == ':') {
        who = line[0] - '0';
        line += 3;
    }
    peer_says(&peers[who], line);
}

static void prepare(const struct row *row)
{
    char lines[256], *line, *rest;

    assert_true(strlen(row->before) < sizeof lines);
    memcpy(lines, row->before, strlen(row->before) + 1);
    for (line = strtok_r(lines, ";", &rest); line; line = strtok_r(NULL, ";", &rest))
        say(line);
    rig_forget(&rig);
}

/* "new k\nset k\n" from "new k;set k" */
static const char *event_lines(const char *events)
{
    static char lines[512];
    size_t len = strlen(events);

    memcpy(lines, events, len + 1);
    for (char *at = lines; *at; at++)
        if (*at == ';')
            *at = '\n';
    if (len)
        memcpy(lines + len, "\n", 2);
    return lines;
}

static void expect(const char *what, const char *got, const char *expected)
{
    if (strcmp(got, expected) != 0)
        fail_msg("%s; %s\n%s:\n%sinstead of:\n%s", current->before, current->command, what, got,
                 expected);
}

/* Nobody waits any more, all databases are empty, the time is the beginning's. */
static void clean_up(void)
{
    for (int i = 0; i < PEERS; i++)
        if (peers[i].client->blocked) {
            peer_release(&peers[i]);
            peer_connect(&peers[i], &rig);
        }
    for (int i = 0; i < PEERS; i++)
        peer_forget(&peers[i]);
    for (int i = 0; i < rig.store->db_count; i++)
        store_flush(&rig.store->dbs[i]);
    rig.clock.now_us = RIG_NOW_MS * 1000;
    rig_forget(&rig);
}

static void run(const struct row *row)
{
    uint64_t changes;
    int64_t dirty;

    current = row;
    prepare(row);
    changes = rig.store->changes;
    dirty = rig.engine->changes;
    say(row->command);
    expect("travelled", rig_stream(&rig), row->stream);
    expect("was told", rig_events(&rig), event_lines(row->events));
    /* What counts as a change is what travels, but for what had expired. */
    if (!*row->stream && (rig.store->changes != changes || rig.engine->changes != dirty))
        fail_msg("%s; %s counted as a change", row->before, row->command);
    if (*row->stream && !strstr(row->events, "expired") && strncmp(row->command, "FLUSH", 5) != 0 &&
        rig.engine->changes == dirty)
        fail_msg("%s; %s did not count as a change", row->before, row->command);
    clean_up();
}

static void each_row(void (*run_row)(const struct row *row))
{
    for (size_t i = 0; i < FAMILIES; i++)
        for (size_t j = 0; j < families[i].count; j++)
            run_row(&families[i].rows[j]);
}

static void commands_report_what_they_did(void **state) { each_row(run); }

/* ---- in transactions ---- */

/* The same commands between MULTI and EXEC: the same events; what travels is wrapped when it is
 * several. One that would have waited answers instead. */
static void run_in_transaction(const struct row *row)
{
    bool is_several = strncmp(row->stream, "MULTI", 5) == 0;

    if (strstr(row->before, ": B") || strstr(row->command, ": B"))
        return; /* waits */
    current = row;
    prepare(row);
    peer_says(&peers[0], "MULTI");
    peer_says(&peers[0], row->command);
    peer_says(&peers[0], "EXEC");
    expect("travelled", rig_stream(&rig), row->stream);
    expect("was told", rig_events(&rig), event_lines(row->events));
    clean_up();
    if (is_several)
        return;
    prepare(row);
    peer_says(&peers[0], "MULTI");
    peer_says(&peers[0], "SET other x");
    peer_says(&peers[0], row->command);
    peer_says(&peers[0], "EXEC");
    if (*row->stream) {
        char expected[512];

        snprintf(expected, sizeof expected, "MULTI\nSET other x\n%sEXEC\n", row->stream);
        if (strncmp(row->command, "RANDOMKEY", 9) != 0) /* finds the other one */
            expect("travelled", rig_stream(&rig), expected);
    } else {
        expect("travelled", rig_stream(&rig), "SET other x\n");
    }
    clean_up();
}

static void commands_in_a_transaction_report_the_same(void **state) { each_row(run_in_transaction); }

/* ---- watched ---- */

/* A watched key: whoever changes it spoils the transaction, whoever does not leaves it. */
static void run_watched(const struct row *row)
{
    char key[64] = "", text[512];
    const char *second;
    bool is_touched;

    current = row;
    second = strchr(strncmp(row->command, "1: ", 3) ? row->command : row->command + 3, ' ');
    if (!second || strchr(row->command, ':') || strstr(row->before, ": B") ||
        strstr(row->command, " STORE ") || strstr(row->command, "GROUP "))
        return; /* it waits, or its first key is not the one that it changes */
    sscanf(second + 1, "%63s", key);
    prepare(row);
    snprintf(text, sizeof text, "WATCH %s", key);
    peer_says(&peers[2], text);
    say(row->command);
    snprintf(text, sizeof text, " %s\n", key);
    is_touched =
        strstr(rig_events(&rig), text) && strcmp(rig_events(&rig), event_lines("keymiss k")) != 0;
    if (strncmp(row->before + strlen(row->before) - 3, "+11", strlen(row->before) < 3 ? 0 : 3) ==
            0 &&
        strlen(row->before) >= 3 && !strstr(row->events, "set ") && !strstr(row->events, "new "))
        is_touched = false; /* it had expired when it was watched: its going is no change */
    if (strncmp(row->command, "PF", 2) == 0 && strncmp(row->command, "PFDEBUG", 7) != 0)
        is_touched = *row->stream; /* they may change the value and tell nobody */
    if (strncmp(row->command, "FLUSH", 5) == 0)
        is_touched = false;
    if (strstr(row->events, "xgroup-") || strstr(row->events, "xsetid")) /* beside the value */
        is_touched = strstr(row->events, "new ");
    peer_forget(&peers[2]);
    peer_asks(&peers[2], "MULTI");
    peer_asks(&peers[2], "PING");
    peer_asks(&peers[2], "EXEC");
    rig_run(&rig);
    peer_read(&peers[2]);
    expect("the transaction answers", rig_text(&peers[2].received),
           is_touched ? "+OK\r\n+QUEUED\r\n*-1\r\n" : "+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n");
    clean_up();
}

static void a_watched_key_is_touched_by_what_changes_it_alone(void **state) { each_row(run_watched); }

/* ---- expiry without a command ---- */

static void what_expires_by_itself_travels_as_its_removal(void **state)
{
    say("SET k v PX 10");
    say("RPUSH l x");
    say("PEXPIRE l 20");
    rig_forget(&rig);
    rig_advance(&rig, 10);
    assert_string_equal(rig_stream(&rig), "");
    rig_advance(&rig, 1);
    assert_string_equal(rig_stream(&rig), "DEL k\n");
    assert_string_equal(rig_events(&rig), "expired k\n");
    rig_forget(&rig);
    rig_advance(&rig, 10);
    assert_string_equal(rig_stream(&rig), "DEL l\n");
    assert_string_equal(rig_events(&rig), "expired l\n");
}

static void fields_that_expire_by_themselves_travel_as_their_removal(void **state)
{
    say("HSET k a 1 b 2 c 3");
    say("HPEXPIRE k 10 FIELDS 1 a");
    say("HPEXPIRE k 20 FIELDS 2 b c");
    rig_forget(&rig);
    rig_advance(&rig, 10);
    assert_string_equal(rig_stream(&rig), "");
    rig_advance(&rig, 1);
    assert_string_equal(rig_stream(&rig), "HDEL k a\n");
    assert_string_equal(rig_events(&rig), "hexpired k\n");
    rig_forget(&rig);
    rig_advance(&rig, 10);
    assert_string_equal(rig_stream(&rig), "DEL k\n");
    assert_string_equal(rig_events(&rig), "hexpired k\ndel k\n");
}

static void limit_memory(size_t bytes)
{
    rig.engine->store->settings.policy = EVICT_ALLKEYS_RANDOM;
    store_limit_memory(rig.engine->store, bytes);
}

static void expect_reply(const char *line, const char *reply)
{
    peer_forget(&peers[0]);
    say(line);
    peer_read(&peers[0]);
    assert_string_equal(rig_text(&peers[0].received), reply);
}

/* Each by itself, before the command for which they go. A watcher hears of it. */
static void what_is_evicted_travels_as_its_removal(void **state)
{
    say("RPUSH l x");
    say("SADD s x");
    limit_memory(1);
    rig_forget(&rig);
    expect_reply("SET k v", "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    assert_int_equal(rig.engine->store->stats.evicted, 2);
    assert_true(!strcmp(rig_stream(&rig), "DEL l\nDEL s\n") || !strcmp(rig_stream(&rig), "DEL s\nDEL l\n"));
    assert_true(!strcmp(rig_events(&rig), "evicted l\nevicted s\n") ||
                !strcmp(rig_events(&rig), "evicted s\nevicted l\n"));
    limit_memory(0);
    say("SET k v");
    say("WATCH k");
    say("MULTI");
    say("PING");
    rig_forget(&rig);
    limit_memory(1);
    store_work(rig.engine->store, 1000000);
    limit_memory(0);
    expect_reply("EXEC", "*-1\r\n");
    assert_string_equal(rig_stream(&rig), "DEL k\n");
    assert_string_equal(rig_events(&rig), "evicted k\n");
}

static void nothing_is_evicted_while_commands_are_paused(void **state)
{
    say("SET k v");
    say("CLIENT PAUSE 1000 WRITE");
    limit_memory(1);
    store_work(rig.engine->store, 1000000);
    expect_reply("GET k", "$1\r\nv\r\n");
    say("CLIENT UNPAUSE");
    store_work(rig.engine->store, 1000000);
    limit_memory(0);
    expect_reply("GET k", "$-1\r\n");
}

static void nothing_expires_while_commands_are_paused(void **state)
{
    say("SET k v PX 10");
    rig_forget(&rig);
    say("CLIENT PAUSE 1000 WRITE");
    rig_advance(&rig, 11);
    say("GET k");
    assert_string_equal(rig_stream(&rig), "");
    assert_string_equal(rig_events(&rig), "keymiss k\n");
    rig_forget(&rig);
    say("CLIENT UNPAUSE");
    say("GET k");
    assert_string_equal(rig_stream(&rig), "DEL k\n");
    assert_string_equal(rig_events(&rig), "expired k\nkeymiss k\n");
    peer_forget(&peers[0]);
}

/* ---- long values, which are taken and not copied ---- */

static char long_value[200000];

static void say_with_values(int argc, const char *const *words)
{
    struct bytes argv[8];

    for (int i = 0; i < argc; i++) /* "<a" is a long value of that letter */
        if (words[i][0] == '<') {
            char *at = long_value + 40000 * (words[i][1] - 'a');

            memset(at, words[i][1], 40000);
            argv[i] = (struct bytes){at, 40000};
        } else {
            argv[i] = bytes_from_string(words[i]);
        }
    peer_sends_args(&peers[0], argc, argv);
    rig_run(&rig);
}

#define SAY(...)                                                                                   \
    say_with_values(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                        \
                    (const char *[]){__VA_ARGS__})

static void expect_long(const char *key, char letter)
{
    struct bytes name = bytes_from_string(key), value;
    const struct entry *entry = store_peek(&rig.store->dbs[0], name, hash_bytes(name));

    assert_non_null(entry);
    value = string_get(entry, NULL);
    assert_int_equal(value.len, 40000);
    assert_int_equal(value.data[0], letter);
    assert_int_equal(value.data[39999], letter);
}

#define A "<40000 bytes of a>"
#define B "<40000 bytes of b>"
#define C "<40000 bytes of c>"

static void long_values_travel_whole_whoever_owns_them_now(void **state)
{
    SAY("SET", "k", "<a");
    expect_long("k", 'a');
    SAY("SET", "k", "<b", "EX", "10");
    SAY("GETSET", "k", "<c");
    expect_long("k", 'c');
    SAY("SETNX", "n", "<a");
    SAY("SETEX", "k", "10", "<b");
    SAY("SET", "k", "<a", "NX");
    SAY("SET", "k", "<a", "GET");
    expect_long("k", 'a');
    SAY("APPEND", "new", "<b");
    expect_long("new", 'b');
    SAY("SETRANGE", "new", "0", "<c");
    expect_long("new", 'c');
    SAY("MSET", "m1", "<a", "m2", "<b");
    expect_long("m1", 'a');
    expect_long("m2", 'b');
    SAY("LPUSH", "list", "<a", "<b");
    assert_string_equal(rig_stream(&rig), "SET k " A "\n"
                                          "SET k " B " PXAT 1795000010000\n"
                                          "SET k " C "\n"
                                          "SETNX n " A "\n"
                                          "SET k " B " PXAT 1795000010000\n"
                                          "SET k " A "\n"
                                          "APPEND new " B "\n"
                                          "SETRANGE new 0 " C "\n"
                                          "MSET m1 " A " m2 " B "\n"
                                          "LPUSH list " A " " B "\n");
    peer_forget(&peers[0]);
}

static void a_key_that_is_set_twice_in_one_command_travels_as_it_was_sent(void **state)
{
    SAY("MSET", "k", "<a", "k", "<b");
    expect_long("k", 'b');
    SAY("MSET", "k", "<c", "j", "<a", "k", "short");
    SAY("MSETNX", "x", "<a", "y", "<b", "x", "<c");
    expect_long("x", 'c');
    assert_string_equal(rig_stream(&rig), "MSET k " A " k " B "\n"
                                          "MSET k " C " j " A " k short\n"
                                          "MSETNX x " A " y " B " x " C "\n");
    peer_forget(&peers[0]);
}

/* ---- random members ---- */

/* Reads one "SREM k a b c" and marks the members, which are numbers; returns how many. */
static size_t read_removal(const char **at, bool *is_removed)
{
    size_t count = 0;

    assert_memory_equal(*at, "SREM k", 6);
    for (*at += 6; **at == ' '; count++) {
        char *end;
        long member = strtol(*at + 1, &end, 10);

        assert_false(is_removed[member]);
        is_removed[member] = true;
        *at = end;
    }
    assert_int_equal(*(*at)++, '\n');
    return count;
}

/* Of 'size' members; the others are still there. */
static void check_spop(size_t size, size_t count, size_t commands)
{
    static bool is_removed[5000];
    struct bytes name = BYTES("k"), member;
    const char *at;
    char text[64];
    size_t removed = 0;

    memset(is_removed, 0, sizeof is_removed);
    for (size_t i = 0; i < size; i++) {
        snprintf(text, sizeof text, "SADD k %zu", i);
        say(text);
    }
    rig_forget(&rig);
    snprintf(text, sizeof text, "SPOP k %zu", count);
    say(text);
    assert_string_equal(rig_events(&rig), "spop k\n");
    at = rig_stream(&rig);
    if (commands > 1)
        at += strlen("MULTI\n");
    for (size_t i = 0; i < commands; i++)
        removed += read_removal(&at, is_removed);
    assert_string_equal(at, commands > 1 ? "EXEC\n" : "");
    assert_int_equal(removed, count);
    const struct entry *entry = store_peek(&rig.store->dbs[0], name, hash_bytes(name));
    for (size_t i = 0; i < size; i++) {
        member = (struct bytes){text, (size_t)snprintf(text, sizeof text, "%zu", i)};
        assert_int_equal(set_has(entry_value(entry), hashed(member)), !is_removed[i]);
    }
    say("DEL k");
    peer_forget(&peers[0]);
}

static void members_that_were_popped_travel_as_their_removal(void **state)
{
    check_spop(5, 2, 1);
    check_spop(100, 99, 1);
    check_spop(2000, 1024, 1);
    check_spop(2000, 1025, 2);
    check_spop(4000, 3500, 4);
}

/* ---- databases ---- */

static void what_travels_names_its_database(void **state)
{
    say("SELECT 3");
    say("SET k v");
    say("FLUSHALL");
    rig_advance(&rig, 0); /* it may wait until the memory is free */
    say("RPUSH l a");
    say("1: SELECT 3");
    say("1: BLPOP other 0");
    say("RPUSH other x");
    assert_string_equal(rig_stream(&rig),
                        "3:SET k v\n3:FLUSHALL\n3:RPUSH l a\n3:RPUSH other x\n3:LPOP other\n");
    assert_string_equal(rig_events(&rig), "new 3:k\nset 3:k\nnew 3:l\nrpush 3:l\nnew 3:other\n"
                                          "rpush 3:other\nlpop 3:other\ndel 3:other\n");
    peer_forget(&peers[0]);
    peer_forget(&peers[1]);
}

/* ---- none is forgotten ---- */

/* Or the first two, for a subcommand. */
static bool is_first_word(const char *line, const struct command_entry *entry)
{
    char name[COMMAND_NAME_MAX];
    size_t len = strlen(command_full_name(entry, name));

    if (line[0] >= '0' && line[0] <= '9')
        line += 3;
    if (entry->parent)
        name[strlen(entry->parent->name)] = ' ';
    return strncasecmp(line, name, len) == 0 && (line[len] == ' ' || line[len] == '\0');
}

static void count_rows(const struct family *family, const struct command_entry *entry, size_t *with,
                       size_t *without)
{
    for (size_t i = 0; i < family->count; i++)
        if (is_first_word(family->rows[i].command, entry))
            ++*(*family->rows[i].stream ? with : without);
}

static void every_write_command_has_rows_here(void **state)
{
    const struct command_set *set = rig.engine->commands;

    for (unsigned id = 0; id < command_set_size(set); id++) {
        const struct command_entry *entry = command_set_at(set, id);
        const char *name = entry->row->name;
        size_t with = 0, without = 0;

        if (!(entry->row->flags & CMD_WRITE) || !strcmp(entry->group, "scripting")) /* libraries: no keys */
            continue;
        for (size_t i = 0; i < FAMILIES; i++)
            count_rows(&families[i], entry, &with, &without);
        if (!with || (!without && strcmp(name, "flushall") != 0))
            fail_msg("a row is missing in which %s %s", name, with ? "changes nothing" : "writes");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_report_what_they_did),
        TEST(commands_in_a_transaction_report_the_same),
        TEST(a_watched_key_is_touched_by_what_changes_it_alone),
        TEST(what_expires_by_itself_travels_as_its_removal),
        TEST(fields_that_expire_by_themselves_travel_as_their_removal),
        TEST(nothing_expires_while_commands_are_paused),
        TEST(what_is_evicted_travels_as_its_removal),
        TEST(nothing_is_evicted_while_commands_are_paused),
        TEST(long_values_travel_whole_whoever_owns_them_now),
        TEST(a_key_that_is_set_twice_in_one_command_travels_as_it_was_sent),
        TEST(members_that_were_popped_travel_as_their_removal),
        TEST(what_travels_names_its_database),
        TEST(every_write_command_has_rows_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
