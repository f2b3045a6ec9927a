/* The turn: batches of commands parsed ahead, and everything that can happen to the clients in them
 * meanwhile. */
#include "unit.h"

#include "fake_commands.h"

#include <fcntl.h>

static struct rig rig;
static struct peer a, b, c;

static int setup(void **state)
{
    rig_init(&rig);
    peer_connect(&a, &rig);
    peer_connect(&b, &rig);
    peer_connect(&c, &rig);
    return 0;
}

static int teardown(void **state)
{
    peer_release(&a);
    peer_release(&b);
    peer_release(&c);
    fake_log_release();
    rig_release(&rig);
    return 0;
}

/* ---- batches ---- */

/* Commands that fill a batch but for so many: these run before other clients have been read. */
static void fill_batch(struct peer *peer, int but_for)
{
    for (int i = 0; i < BATCH_MAX - but_for; i++)
        peer_asks(peer, "fail");
}

static void skip_fillers(struct peer *peer, int but_for)
{
    size_t len = (size_t)(BATCH_MAX - but_for) * strlen("-ERR failed\r\n");

    peer_reads_all(peer);
    assert_true(peer->received.len >= len);
    peer->received.len -= len;
    memmove(peer->received.data, peer->received.data + len, peer->received.len);
}

static void a_pipeline_is_answered_in_order(void **state)
{
    for (int i = 0; i < 10; i++) {
        char line[32];

        snprintf(line, sizeof line, "echo %d", i);
        peer_asks(&a, line);
    }
    peer_asks(&a, "fail");
    peer_asks(&a, "nosuch x");
    peer_asks(&a, "echo");
    peer_asks(&a, "echo end");
    peer_receives(&a,
                  "$1\r\n0\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n$1\r\n6\r\n"
                  "$1\r\n7\r\n$1\r\n8\r\n$1\r\n9\r\n-ERR failed\r\n"
                  "-ERR unknown command 'nosuch', with args beginning with: 'x' \r\n"
                  "-ERR wrong number of arguments for 'echo' command\r\n$3\r\nend\r\n");
}

/* A batch carries hashes, never places in the table: each command here makes it another table. */
static void a_batch_finds_its_keys_whatever_earlier_commands_did_to_the_table(void **state)
{
    peer_says(&a, "put before 1");
    peer_forget(&a);
    peer_asks(&a, "look before");
    peer_asks(&a, "grow 5000");
    peer_asks(&a, "look before grown:4999 absent");
    peer_asks(&a, "put new 2");
    peer_asks(&a, "grow 20000");
    peer_asks(&a, "look before new");
    peer_asks(&a, "drop before");
    peer_asks(&a, "look before new");
    peer_asks(&a, "flush");
    peer_asks(&a, "look before new");
    peer_asks(&a, "put before 3");
    peer_asks(&a, "look before new");
    peer_receives(&a, "$1\r\n1\r\n+OK\r\n*3\r\n$1\r\n1\r\n$4\r\n4999\r\n$-1\r\n+OK\r\n+OK\r\n"
                      "*2\r\n$1\r\n1\r\n$1\r\n2\r\n:1\r\n*2\r\n$-1\r\n$1\r\n2\r\n+OK\r\n"
                      "*2\r\n$-1\r\n$-1\r\n+OK\r\n*2\r\n$1\r\n3\r\n$-1\r\n");
}

/* More keys than a request keeps hashes of, more hashes than a batch has room for. */
static void a_command_may_have_any_number_of_keys(void **state)
{
    struct text expected = {0};
    char name[32];

    for (int i = 0; i < 100; i++) {
        struct bytes key = {name, (size_t)snprintf(name, sizeof name, "key:%d", i)};

        peer_sends_args(&a, 3, (struct bytes[]){BYTES("put"), key, {name + 4, key.len - 4}});
    }
    peer_forget(&a);
    for (int i = 0; i < 64; i++) {
        struct text command = {0};

        text_format(&command, "*41\r\n$4\r\nlook\r\n");
        text_format(&expected, "*40\r\n");
        for (int k = 0; k < 40; k++) {
            int len = snprintf(name, sizeof name, "key:%d", (i + k) % 100);

            text_format(&command, "$%d\r\n%s\r\n", len, name);
            text_format(&expected, "$%d\r\n%s\r\n", len - 4, name + 4);
        }
        peer_sends(&a, text_bytes(&command));
        text_release(&command);
    }
    peer_receives_bytes(&a, text_bytes(&expected));
    text_release(&expected);
}

static void a_command_may_have_more_arguments_than_a_batch_has_room_for(void **state)
{
    static const int counts[] = {4094, 4095, 4096, 4097, 10000};

    peer_says(&a, "put k value");
    peer_forget(&a);
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        struct text command = {0}, expected = {0};

        text_format(&command, "*2\r\n$4\r\necho\r\n$1\r\nx\r\n*%d\r\n$4\r\nlook\r\n", counts[n]);
        text_format(&expected, "$1\r\nx\r\n*%d\r\n", counts[n] - 1);
        for (int i = 1; i < counts[n]; i++) {
            text_add(&command, BYTES("$1\r\nk\r\n"));
            text_add(&expected, BYTES("$5\r\nvalue\r\n"));
        }
        text_add(&command, BYTES("*2\r\n$4\r\necho\r\n$1\r\ny\r\n"));
        text_add(&expected, BYTES("$1\r\ny\r\n"));
        peer_sends(&a, text_bytes(&command));
        peer_receives_bytes(&a, text_bytes(&expected));
        text_release(&command);
        text_release(&expected);
    }
}

/* ---- clients that a command of the batch stops ---- */

static void a_client_killed_by_another_runs_nothing_more(void **state)
{
    char line[32];

    snprintf(line, sizeof line, "kill %d", (int)b.id);
    peer_asks(&a, "echo before");
    peer_asks(&a, line);
    peer_asks(&a, "echo after");
    for (int i = 0; i < 20; i++)
        peer_asks(&b, "echo never");
    peer_asks(&c, "echo third");
    peer_receives(&a, "$6\r\nbefore\r\n:1\r\n$5\r\nafter\r\n");
    peer_receives(&c, "$5\r\nthird\r\n");
    assert_true(peer_is_gone(&b));
    assert_int_equal(rig.engine->client_count, 2);
#ifndef TERN_STRESS /* where others are served in the middle of a's command */
    peer_receives(&b, "");
    assert_string_equal(fake_logged(), "1:before 1:after 3:third ");
#endif
}

static void a_client_that_closes_itself_sends_nothing_more(void **state)
{
    char line[32];

    snprintf(line, sizeof line, "kill %d", (int)a.id);
    peer_asks(&a, line);
    peer_asks(&a, "echo never");
    peer_receives(&a, "");
    assert_true(peer_is_gone(&a));
    assert_string_equal(fake_logged(), "");
    peer_asks(&b, "echo before");
    peer_asks(&b, "leave");
    peer_asks(&b, "echo never");
    peer_receives(&b, "$6\r\nbefore\r\n+OK\r\n");
    assert_true(peer_is_gone(&b));
    assert_string_equal(fake_logged(), "2:before ");
}

static void a_client_that_blocks_keeps_its_later_commands_for_afterwards(void **state)
{
    peer_asks(&a, "echo before");
    peer_asks(&a, "take k 0");
    peer_asks(&a, "echo after");
    peer_asks(&a, "take k 0");
    peer_asks(&a, "echo end");
    peer_asks(&b, "echo other");
    peer_receives(&a, "$6\r\nbefore\r\n");
    peer_receives(&b, "$5\r\nother\r\n");
    peer_asks(&a, "echo later"); /* arrives while it waits */
    peer_receives(&a, "");
    assert_true(client_input_bytes(a.client) > 0);
    peer_asks(&b, "put k first");
    peer_asks(&b, "echo next");
    peer_receives(&b, "+OK\r\n$4\r\nnext\r\n");
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$5\r\nfirst\r\n$5\r\nafter\r\n");
    peer_says(&b, "put k second");
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$6\r\nsecond\r\n$3\r\nend\r\n$5\r\nlater\r\n");
    assert_null(a.client->input);
}

static void a_client_that_blocks_may_go(void **state)
{
    peer_asks(&a, "take k 0");
    peer_asks(&a, "echo never");
    peer_receives(&a, "");
    assert_int_equal(blocking_clients(rig.engine), 1);
    close(a.fd);
    a.fd = -1;
    rig_run(&rig);
    assert_true(peer_is_gone(&a));
    assert_int_equal(blocking_clients(rig.engine), 0);
    peer_says(&b, "put k v");
    peer_asks(&b, "look k");
    peer_receives(&b, "+OK\r\n$1\r\nv\r\n");
}

/* ---- pause ---- */

static void a_pause_holds_back_later_clients_and_then_serves_them_in_order(void **state)
{
    peer_says(&a, "pause 1000 all");
    peer_receives(&a, "+OK\r\n");
    peer_says(&b, "echo b1");
    peer_says(&a, "echo a1");
    peer_asks(&a, "echo a2");
    peer_asks(&b, "echo b2");
    peer_says(&c, "echo c1");
    rig_advance(&rig, 999);
    peer_receives(&a, "");
    peer_receives(&b, "");
    peer_receives(&c, "");
    rig_advance(&rig, 1);
    peer_receives(&a, "$2\r\na1\r\n$2\r\na2\r\n");
    peer_receives(&b, "$2\r\nb1\r\n$2\r\nb2\r\n");
    peer_receives(&c, "$2\r\nc1\r\n");
    assert_memory_equal(fake_logged(), "2:b1 1:a1 3:c1 ", 15);
}

static void a_pause_of_writes_lets_reads_pass(void **state)
{
    peer_says(&a, "pause 1000 write");
    peer_forget(&a);
    peer_asks(&b, "look k");
    peer_asks(&b, "put k v");
    peer_asks(&b, "look k");
    peer_receives(&b, "$-1\r\n");
    peer_asks(&c, "look k");
    peer_receives(&c, "$-1\r\n");
    peer_says(&a, "unpause");
    peer_receives(&a, "+OK\r\n");
    peer_receives(&b, "+OK\r\n$1\r\nv\r\n");
}

static void a_transaction_that_writes_waits_at_its_exec(void **state)
{
    peer_says(&a, "pause 1000 write");
    peer_forget(&a);
    peer_asks(&b, "multi");
    peer_asks(&b, "look k");
    peer_asks(&b, "exec");
    peer_receives(&b, "+OK\r\n+QUEUED\r\n*1\r\n$-1\r\n");
    peer_asks(&b, "multi");
    peer_asks(&b, "put k v");
    peer_asks(&b, "exec");
    peer_asks(&b, "echo end");
    peer_says(&a, "unpause");
    peer_receives(&b, "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n$3\r\nend\r\n");
}

static void a_postponed_client_may_go_or_be_killed(void **state)
{
    char line[32];

    snprintf(line, sizeof line, "kill %d", (int)c.id);
    peer_says(&a, "pause 1000 write");
    peer_says(&b, "put k b");
    peer_says(&c, "put k c");
    close(b.fd);
    b.fd = -1;
    peer_says(&a, line);
    assert_true(peer_is_gone(&b));
    assert_true(peer_is_gone(&c));
    peer_says(&a, "unpause");
    peer_says(&a, "look k");
    peer_receives(&a, "+OK\r\n:1\r\n+OK\r\n$-1\r\n");
}

static void a_pause_may_begin_in_the_middle_of_a_batch(void **state)
{
    peer_asks(&a, "echo a1");
    peer_asks(&a, "pause 1000 all");
    peer_asks(&a, "echo a2");
    peer_asks(&a, "echo a3");
    peer_says(&b, "echo b1");
    peer_forget(&b);
    peer_receives(&a, "$2\r\na1\r\n+OK\r\n");
    peer_says(&c, "unpause"); /* waits as well */
    peer_receives(&c, "");
    rig_advance(&rig, 1000);
    peer_receives(&a, "$2\r\na2\r\n$2\r\na3\r\n");
    peer_receives(&c, "+OK\r\n");
}

static void what_was_postponed_may_block_or_close(void **state)
{
    peer_says(&a, "pause 1000 all");
    peer_asks(&b, "take k 0");
    peer_asks(&b, "echo b");
    peer_asks(&c, "leave");
    peer_says(&c, "echo never");
    rig_advance(&rig, 1000);
    peer_receives(&b, "");
    peer_receives(&c, "+OK\r\n");
    assert_true(peer_is_gone(&c));
    peer_says(&a, "put k v");
    peer_receives(&b, "*2\r\n$1\r\nk\r\n$1\r\nv\r\n$1\r\nb\r\n");
}

/* ---- replies that are not wanted ---- */

static void a_skipped_reply_is_skipped_even_when_the_command_has_to_wait(void **state)
{
    peer_asks(&a, "mute skip");
    peer_asks(&a, "echo skipped");
    peer_asks(&a, "echo heard");
    peer_receives(&a, "$5\r\nheard\r\n");
    peer_asks(&a, "mute skip");
    peer_asks(&a, "take k 0");
    peer_asks(&a, "echo blocked");
    peer_receives(&a, "");
    peer_says(&b, "put k v");
    peer_receives(&a, "$7\r\nblocked\r\n");
    peer_asks(&a, "mute skip");
    peer_asks(&a, "take k 1");
    peer_asks(&a, "echo timeout");
    rig_run(&rig);
    rig_advance(&rig, 1000);
    peer_receives(&a, "$7\r\ntimeout\r\n");
    peer_says(&b, "pause 1000 all");
    peer_asks(&a, "mute skip");
    rig_run(&rig);
    rig_advance(&rig, 1000);
    peer_says(&b, "pause 1000 all");
    peer_asks(&a, "echo postponed");
    peer_asks(&a, "echo end");
    rig_run(&rig);
    rig_advance(&rig, 1000);
    peer_receives(&a, "$3\r\nend\r\n");
}

static void a_muted_client_hears_nothing_until_it_asks(void **state)
{
    peer_asks(&a, "mute on");
    peer_asks(&a, "echo x");
    peer_asks(&a, "fail");
    peer_asks(&a, "nosuch");
    peer_asks(&a, "mute skip");
    peer_asks(&a, "take k 0");
    peer_says(&b, "put k v");
    peer_asks(&a, "echo y");
    peer_asks(&a, "mute off");
    peer_asks(&a, "echo z");
    peer_receives(&a, "+OK\r\n$1\r\nz\r\n");
    assert_string_equal(fake_logged(), "1:x 1:y 1:z ");
}

/* ---- nested turns ---- */

static void others_are_served_while_a_command_runs(void **state)
{
    peer_asks(&a, "echo a1");
    peer_asks(&a, "nest 200");
    peer_asks(&a, "echo a2");
    engine_turn(rig.engine, 0); /* reads at least a byte of it */
    for (int i = 0; i < 3; i++) {
        peer_asks(&b, "echo b");
        peer_asks(&c, "put k v");
    }
    peer_receives(&a, "$2\r\na1\r\n+NESTED\r\n$2\r\na2\r\n");
    peer_receives(&b, "$1\r\nb\r\n$1\r\nb\r\n$1\r\nb\r\n");
    peer_receives(&c, "+OK\r\n+OK\r\n+OK\r\n");
}

static void a_nested_turn_serves_what_came_before_it(void **state)
{
    fill_batch(&a, 1);
    peer_asks(&a, "nest 100");
    peer_asks(&a, "echo a");
    peer_asks(&b, "echo b");
    skip_fillers(&a, 1);
    peer_receives(&a, "+NESTED\r\n$1\r\na\r\n");
    peer_receives(&b, "$1\r\nb\r\n");
    assert_string_equal(fake_logged(), "2:b 1:a ");
    fill_batch(&a, 1);
    peer_asks(&a, "nest 99");
    fill_batch(&b, 1);
    peer_asks(&b, "nest 99");
    peer_asks(&b, "echo b");
    fill_batch(&c, 1);
    peer_asks(&c, "nest 99"); /* three deep */
    peer_asks(&c, "echo c");
    skip_fillers(&a, 1);
    skip_fillers(&b, 1);
    skip_fillers(&c, 1);
    peer_receives(&a, "+NESTED\r\n");
    peer_receives(&b, "+NESTED\r\n$1\r\nb\r\n");
    peer_receives(&c, "+NESTED\r\n$1\r\nc\r\n");
#ifndef TERN_STRESS /* where all three are read alongside */
    assert_string_equal(fake_logged(), "3:c 2:b ");
#endif
}

static void the_client_whose_command_runs_may_be_killed_from_within(void **state)
{
    char line[32];

    snprintf(line, sizeof line, "kill %d", (int)a.id);
    fill_batch(&a, 1);
    peer_asks(&a, "nest 300");
    peer_asks(&a, "echo a2");
    peer_asks(&b, line);
    peer_asks(&b, "echo b");
    peer_receives(&b, ":1\r\n$1\r\nb\r\n");
    assert_true(peer_is_gone(&a));
    assert_string_equal(fake_logged(), "2:b ");
    assert_int_equal(rig.engine->client_count, 2);
    fill_batch(&b, 4);
    peer_asks(&b, "multi");
    peer_asks(&b, "nest 300");
    peer_asks(&b, "put k v");
    peer_asks(&b, "exec");
    snprintf(line, sizeof line, "kill %d", (int)b.id);
    peer_asks(&c, line);
    rig_run(&rig);
    assert_true(peer_is_gone(&b));
    peer_forget(&c);
    assert_int_equal(rig.engine->client_count, 1);
}

/* What blocks, wakes and times out meanwhile does so in the inner turn. */
static void blocked_clients_are_served_from_within(void **state)
{
    peer_says(&a, "take k 0");
    fill_batch(&b, 1);
    peer_asks(&b, "nest 200");
    peer_asks(&b, "echo b");
    peer_asks(&c, "put k v");
    skip_fillers(&b, 1);
    peer_receives(&a, "*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
    peer_receives(&b, "+NESTED\r\n$1\r\nb\r\n");
    peer_receives(&c, "+OK\r\n");
}

/* A push in the middle of a reply would break it. */
static void a_push_from_within_waits_for_the_end_of_the_running_reply(void **state)
{
    static char value[100000];
    struct text expected = {0};

    memset(value, 'v', sizeof value);
    peer_says(&a, "proto 3");
    peer_says(&a, "subscribe news");
    peer_sends_args(&b, 3, (struct bytes[]){BYTES("put"), BYTES("long"), {value, sizeof value}});
    peer_forget(&a);
    peer_forget(&b);
    fill_batch(&a, 5);
    peer_asks(&a, "multi");
    peer_asks(&a, "look long"); /* of which a part is sent before the rest of the reply is there */
    peer_asks(&a, "nest 800");
    peer_asks(&a, "look long");
    peer_asks(&a, "exec");
    for (int i = 0; i < 20; i++) /* where a byte is read at a time, its message comes later */
        peer_asks(&b, "fail");
    peer_asks(&b, "publish news hello");
    skip_fillers(&a, 5);
    text_format(&expected,
                "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n$100000\r\n%.100000s\r\n+NESTED\r\n$"
                "100000\r\n%.100000s\r\n",
                value, value);
    text_add(&expected, BYTES(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n"));
    peer_receives_bytes(&a, text_bytes(&expected));
    peer_reads_all(&b);
    assert_memory_equal(b.received.data + b.received.len - 6, "\r\n:1\r\n", 6);
    text_release(&expected);
}

/* ---- long arguments ---- */

static void a_long_argument_of_any_length_arrives_whole(void **state)
{
    static const size_t lengths[] = {1,     30,    63,    64,    65,    200,    16383,
                                     16384, 32767, 32768, 32769, 40000, 200000, 3000000};
    char *value = malloc(3000000);

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct text expected = {0};

#ifdef TERN_STRESS
        if (lengths[i] > 50000)
            break;
#endif
        memset(value, 'a' + (int)i, lengths[i]);
        peer_asks(&a, "echo before");
        peer_sends_args(&a, 3, (struct bytes[]){BYTES("put"), BYTES("k"), {value, lengths[i]}});
        peer_asks(&a, "echo between");
        peer_asks(&a, "look k");
        peer_sends_args(&a, 2, (struct bytes[]){BYTES("echo"), {value, lengths[i]}});
        text_format(&expected, "$6\r\nbefore\r\n+OK\r\n$7\r\nbetween\r\n");
        for (int n = 0; n < 2; n++)
            text_format(&expected, "$%zu\r\n%.*s\r\n", lengths[i], (int)lengths[i], value);
        peer_receives_bytes(&a, text_bytes(&expected));
        text_release(&expected);
    }
    free(value);
}

static void long_arguments_are_kept_by_what_is_queued_or_waits(void **state)
{
    static char value[100000];
    struct text expected = {0};

    memset(value, 'q', sizeof value);
    peer_says(&a, "multi");
    for (int i = 0; i < 2; i++)
        peer_sends_args(
            &a, 3, (struct bytes[]){BYTES("put"), BYTES("k"), {value, sizeof value - (size_t)i}});
    peer_says(&a, "exec");
    peer_receives(&a, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+OK\r\n");
    peer_says(&a, "multi");
    peer_sends_args(&a, 2, (struct bytes[]){BYTES("echo"), {value, sizeof value}});
    peer_says(&a, "discard");
    peer_receives(&a, "+OK\r\n+QUEUED\r\n+OK\r\n");
    peer_says(&c, "pause 100 all");
    peer_asks(&b, "echo b");
    peer_sends_args(&b, 3, (struct bytes[]){BYTES("put"), BYTES("j"), {value, sizeof value}});
    peer_asks(&b, "look j");
    rig_run(&rig);
    rig_advance(&rig, 100);
    text_format(&expected, "$1\r\nb\r\n+OK\r\n$100000\r\n%.100000s\r\n", value);
    peer_receives_bytes(&b, text_bytes(&expected));
    text_release(&expected);
}

static void a_client_may_go_with_a_long_argument_half_read(void **state)
{
    static char value[100000];

    memset(value, 'h', sizeof value);
    peer_sends(&a, BYTES("*3\r\n$3\r\nput\r\n$1\r\nk\r\n$100000\r\n"));
    peer_sends(&a, (struct bytes){value, 70000});
    rig_run(&rig);
    close(a.fd);
    a.fd = -1;
    rig_run(&rig);
    assert_true(peer_is_gone(&a));
    peer_sends(&b, BYTES("*3\r\n$3\r\nput\r\n$40000\r\n"));
    peer_sends(&b, (struct bytes){value, 40000});
    peer_sends(&b, BYTES("\r\n$100000\r\n"));
    peer_sends(&b, (struct bytes){value, 100});
    rig_run(&rig);
    client_close(b.client);
    rig_run(&rig);
    assert_true(peer_is_gone(&b));
}

/* ---- taking turns ---- */

static void a_client_with_very_many_commands_lets_others_have_their_turn(void **state)
{
    struct text commands = {0};
    char *at;

    for (int i = 0; i < 1000; i++)
        text_add(&commands, BYTES("*2\r\n$4\r\necho\r\n$1\r\na\r\n"));
    peer_sends(&a, text_bytes(&commands));
    peer_asks(&b, "echo b");
    rig_run(&rig);
    text_release(&commands);
    peer_receives(&b, "$1\r\nb\r\n");
    peer_reads_all(&a);
    assert_int_equal(a.received.len, 7000);
    at = strstr(rig_text(&fake_log), "2:b");
    assert_non_null(at);
    assert_true((at - fake_log.data) / 4 <= 128);
    assert_int_equal(fake_log.len, 4001 + 3);
    assert_null(a.client->input);
}

static void a_client_with_commands_left_may_be_killed(void **state)
{
    struct text commands = {0};
    char line[32];

    for (int i = 0; i < 300; i++)
        text_add(&commands, BYTES("*2\r\n$4\r\necho\r\n$1\r\na\r\n"));
    snprintf(line, sizeof line, "kill %d", (int)a.id);
    peer_sends(&a, text_bytes(&commands));
    text_release(&commands);
    peer_asks(&b, line);
    peer_receives(&b, ":1\r\n");
    assert_true(peer_is_gone(&a));
    assert_true(fake_log.len < 300 * 4);
}

static void an_error_in_the_protocol_is_answered_after_the_commands_before_it(void **state)
{
    peer_sends(&a,
               BYTES("*2\r\n$4\r\necho\r\n$2\r\nok\r\n*x\r\n*2\r\n$4\r\necho\r\n$5\r\nnever\r\n"));
    peer_receives(&a, "$2\r\nok\r\n-ERR Protocol error: invalid multibulk length\r\n");
    assert_true(peer_is_gone(&a));
    peer_asks(&b, "take k 0");
    peer_sends(&b, BYTES("*1\r\n!\r\n"));
    peer_receives(&b, "");
    peer_says(&c, "put k v");
    peer_receives(&b, "*2\r\n$1\r\nk\r\n$1\r\nv\r\n-ERR Protocol error: expected '$', got '!'\r\n");
    assert_true(peer_is_gone(&b));
}

static void the_limits_before_and_after_a_login_differ_within_one_pipeline(void **state)
{
    static char value[20000];
    struct text expected = {0};
    struct peer d;

    memset(value, 'p', sizeof value);
    rig.engine->settings.password = "secret";
    peer_connect(&d, &rig);
    peer_asks(&d, "echo no");
    peer_asks(&d, "login");
    peer_sends_args(&d, 2, (struct bytes[]){BYTES("echo"), {value, sizeof value}});
    text_format(&expected, "-NOAUTH Authentication required.\r\n+OK\r\n$20000\r\n%.20000s\r\n",
                value);
    peer_receives_bytes(&d, text_bytes(&expected));
    peer_release(&d);
    peer_connect(&d, &rig);
    peer_sends_args(&d, 2, (struct bytes[]){BYTES("echo"), {value, sizeof value}});
    peer_receives(&d, "-ERR Protocol error: unauthenticated bulk length\r\n");
    assert_true(peer_is_gone(&d));
    peer_release(&d);
    text_release(&expected);
}

/* ---- a slow reader ---- */

static void nothing_is_lost_for_a_client_that_reads_late(void **state)
{
    static char value[60000];
    struct text expected = {0};
    int small = 4096;

    setsockopt(a.client->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    memset(value, 's', sizeof value);
    peer_says(&a, "subscribe news");
    text_format(&expected, "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    for (int i = 0; i < 20; i++) {
        peer_sends_args(
            &b, 3, (struct bytes[]){BYTES("publish"), BYTES("news"), {value, 3000u * (unsigned)i}});
        text_format(&expected, "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$%u\r\n%.*s\r\n",
                    3000u * (unsigned)i, 3000 * i, value);
    }
    rig_run(&rig);
    assert_true(a.client->output.bytes > 100000);
    peer_receives_bytes(&a, text_bytes(&expected));
    assert_int_equal(a.client->output.memory, 0);
    assert_false(a.client->flags & CLIENT_WAITS_WRITABLE);
    text_release(&expected);
}

/* ---- everything at once ---- */

#define MANY 6

struct player {
    struct peer peer;
    int number; /* names its own keys */
    struct text to_send, expected;
    size_t sent, checked;
};

/* Commands whose replies do not depend on what others do. */
static void player_thinks(struct player *player, struct random *random)
{
    static char value[70000];
    struct text *to_send = &player->to_send;
    size_t len = random_below(random, random_below(random, 10) ? 50 : sizeof value);

    switch (random_below(random, 12)) {
    case 0:
        text_format(to_send, "*2\r\n$4\r\nnest\r\n$1\r\n%d\r\n", (int)random_below(random, 5));
        text_add(&player->expected, BYTES("+NESTED\r\n"));
        break;
    case 1:
        text_add(to_send, BYTES("*3\r\n$5\r\npause\r\n$1\r\n5\r\n$3\r\nall\r\n"));
        text_add(&player->expected, BYTES("+OK\r\n"));
        break;
    case 2: /* a key of its own, which is absent: the wait ends with its time */
        text_format(to_send, "*3\r\n$4\r\ntake\r\n$2\r\nn%d\r\n$5\r\n0.003\r\n", player->number);
        text_add(&player->expected, BYTES("*-1\r\n"));
        break;
    case 3:
        text_add(to_send, BYTES("*1\r\n$4\r\nfail\r\n"));
        text_add(&player->expected, BYTES("-ERR failed\r\n"));
        break;
    case 4:
        text_add(to_send, BYTES("*2\r\n$4\r\ngrow\r\n$2\r\n99\r\n"));
        text_add(&player->expected, BYTES("+OK\r\n"));
        break;
    case 5:
        text_add(to_send,
                 BYTES("*1\r\n$5\r\nmulti\r\n*2\r\n$4\r\necho\r\n$1\r\nm\r\n*1\r\n$4\r\nexec\r\n"));
        text_add(&player->expected, BYTES("+OK\r\n+QUEUED\r\n*1\r\n$1\r\nm\r\n"));
        break;
    case 6: /* puts, looks, drops: a key of its own */
        memset(value, 'A' + player->number, len);
        text_format(to_send, "*3\r\n$3\r\nput\r\n$2\r\np%d\r\n$%zu\r\n", player->number, len);
        text_add(to_send, (struct bytes){value, len});
        text_format(to_send, "\r\n*2\r\n$4\r\nlook\r\n$2\r\np%d\r\n", player->number);
        text_format(to_send, "*2\r\n$4\r\ndrop\r\n$2\r\np%d\r\n", player->number);
        text_format(&player->expected, "+OK\r\n$%zu\r\n", len);
        text_add(&player->expected, (struct bytes){value, len});
        text_add(&player->expected, BYTES("\r\n:1\r\n"));
        break;
    default:
        memset(value, 'a' + player->number, len);
        text_format(to_send, "*2\r\n$4\r\necho\r\n$%zu\r\n", len);
        text_add(to_send, (struct bytes){value, len});
        text_add(to_send, BYTES("\r\n"));
        text_format(&player->expected, "$%zu\r\n", len);
        text_add(&player->expected, (struct bytes){value, len});
        text_add(&player->expected, BYTES("\r\n"));
    }
}

static void player_sends(struct player *player, struct random *random)
{
    size_t left = player->to_send.len - player->sent;
    size_t part = 1 + random_below(random, random_below(random, 3) ? 100 : 20000);
    ssize_t sent;

    if (!left)
        return;
    sent = send(player->peer.fd, player->to_send.data + player->sent, part < left ? part : left,
                MSG_NOSIGNAL);
    if (sent > 0)
        player->sent += (size_t)sent;
    if (player->sent == player->to_send.len)
        player->sent = player->to_send.len = 0;
}

static void player_checks(struct player *player)
{
    struct text *received = &player->peer.received;

    peer_read(&player->peer);
    assert_true(received->len <= player->expected.len);
    for (size_t i = 0; i < received->len; i++)
        if (received->data[i] != player->expected.data[i])
            fail_msg("client %d reads '%.40s' and not '%.40s'", (int)player->peer.id,
                     received->data + i, player->expected.data + i);
    memmove(player->expected.data, player->expected.data + received->len,
            player->expected.len - received->len);
    player->expected.len -= received->len;
    received->len = 0;
}

/* Several clients send commands in pieces of any size, go, come again; each hears its own answers,
 * in order. */
static void everybody_hears_their_own_answers_whatever_happens(void **state)
{
    struct player players[MANY];
    struct random random;

    random_init(&random, 42);
    memset(players, 0, sizeof players);
    for (int i = 0; i < MANY; i++) {
        peer_connect(&players[i].peer, &rig);
        players[i].number = i;
    }
    for (size_t step = 0; step < RANDOM_STEPS(20000); step++) {
        struct player *player = &players[random_below(&random, MANY)];

        if (player->to_send.len < 200000)
            player_thinks(player, &random);
        player_sends(player, &random);
        if (random_below(&random, 2))
            engine_turn(rig.engine, 0);
        if (random_below(&random, 3) == 0)
            player_checks(player);
        if (random_below(&random, 10) == 0)
            clock_advance(&rig.clock, 1);
        if (random_below(&random, 2000) == 0) { /* goes, with whatever is on its way */
            close(player->peer.fd);
            player->peer.fd = -1;
            player->to_send.len = player->sent = player->expected.len = 0;
            text_release(&player->peer.received);
            for (; !peer_is_gone(&player->peer); clock_advance(&rig.clock, 1))
                engine_turn(rig.engine, 0);
            peer_connect(&player->peer, &rig);
        }
        fake_log.len = 0;
    }
    for (bool is_done = false; !is_done;) {
        is_done = true;
        for (int i = 0; i < MANY; i++) {
            player_sends(&players[i], &random);
            engine_turn(rig.engine, 0);
            player_checks(&players[i]);
            is_done &= !players[i].to_send.len && !players[i].expected.len;
        }
        clock_advance(&rig.clock, 1);
    }
    for (int i = 0; i < MANY; i++) {
        text_release(&players[i].to_send);
        text_release(&players[i].expected);
        peer_release(&players[i].peer);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pipeline_is_answered_in_order),
        TEST(a_batch_finds_its_keys_whatever_earlier_commands_did_to_the_table),
        TEST(a_command_may_have_any_number_of_keys),
        TEST(a_command_may_have_more_arguments_than_a_batch_has_room_for),
        TEST(a_client_killed_by_another_runs_nothing_more),
        TEST(a_client_that_closes_itself_sends_nothing_more),
        TEST(a_client_that_blocks_keeps_its_later_commands_for_afterwards),
        TEST(a_client_that_blocks_may_go),
        TEST(a_pause_holds_back_later_clients_and_then_serves_them_in_order),
        TEST(a_pause_of_writes_lets_reads_pass),
        TEST(a_transaction_that_writes_waits_at_its_exec),
        TEST(a_postponed_client_may_go_or_be_killed),
        TEST(a_pause_may_begin_in_the_middle_of_a_batch),
        TEST(what_was_postponed_may_block_or_close),
        TEST(a_skipped_reply_is_skipped_even_when_the_command_has_to_wait),
        TEST(a_muted_client_hears_nothing_until_it_asks),
        TEST(others_are_served_while_a_command_runs),
        TEST(a_nested_turn_serves_what_came_before_it),
        TEST(the_client_whose_command_runs_may_be_killed_from_within),
        TEST(blocked_clients_are_served_from_within),
        TEST(a_push_from_within_waits_for_the_end_of_the_running_reply),
        TEST(a_long_argument_of_any_length_arrives_whole),
        TEST(long_arguments_are_kept_by_what_is_queued_or_waits),
        TEST(a_client_may_go_with_a_long_argument_half_read),
        TEST(a_client_with_very_many_commands_lets_others_have_their_turn),
        TEST(a_client_with_commands_left_may_be_killed),
        TEST(an_error_in_the_protocol_is_answered_after_the_commands_before_it),
        TEST(the_limits_before_and_after_a_login_differ_within_one_pipeline),
        TEST(nothing_is_lost_for_a_client_that_reads_late),
        TEST(everybody_hears_their_own_answers_whatever_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
