/* Input: bytes that come in pieces, too much at once, or never end. */
#include "unit.h"

#include "fake_commands.h"

#define CROWD 40

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

/* LOOK with so many keys, each as short as can be, and what it answers when none is there. */
static void add_look(struct text *command, struct text *reply, int keys)
{
    text_format(command, "*%d\r\n$4\r\nlook\r\n", keys + 1);
    text_format(reply, "*%d\r\n", keys);
    for (int i = 0; i < keys; i++) {
        text_add(command, BYTES("$0\r\n\r\n"));
        text_add(reply, BYTES("$-1\r\n"));
    }
}

/* ---- pieces ---- */

/* A pipeline cut in two at every byte, and into pieces of every small size. */
static void commands_may_be_cut_anywhere(void **state)
{
    static const char commands[] = "*2\r\n$4\r\necho\r\n$3\r\none\r\n"
                                   "echo \"in line\"\r\n"
                                   "*3\r\n$3\r\nput\r\n$1\r\nk\r\n$10\r\n0123456789\r\n"
                                   "\r\n*0\r\n"
                                   "*2\r\n$4\r\nlook\r\n$1\r\nk\r\n";
    static const char replies[] = "$3\r\none\r\n$7\r\nin line\r\n+OK\r\n$10\r\n0123456789\r\n";
    size_t len = sizeof commands - 1;

    for (size_t cut = 1; cut < len; cut++) {
        peer_sends(&a, (struct bytes){commands, cut});
        rig_run(&rig);
        peer_sends(&a, (struct bytes){commands + cut, len - cut});
        peer_receives(&a, replies);
        assert_null(a.client->input); /* nothing is kept */
    }
    for (size_t piece = 1; piece < 20; piece++) {
        for (size_t at = 0; at < len; at += piece) {
            peer_sends(&a, (struct bytes){commands + at, len - at < piece ? len - at : piece});
            rig_run(&rig);
        }
        peer_receives(&a, replies);
    }
}

static void a_long_value_may_be_cut_anywhere_near_its_ends(void **state)
{
    static const size_t lengths[] = {63, 64, 65, 100, 32767, 32768, 32769, 50000};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct text command = {0}, reply = {0};
        size_t begin, end;

        text_format(&command, "*2\r\n$4\r\necho\r\n$%zu\r\n", lengths[i]);
        begin = command.len;
        for (size_t n = 0; n < lengths[i]; n++)
            text_add(&command, (struct bytes){&"0123456789"[n % 10], 1});
        end = command.len;
        text_add(&reply, (struct bytes){command.data + 14, command.len - 14});
        text_add(&reply, BYTES("\r\n"));
        text_add(&command, BYTES("\r\n*2\r\n$4\r\necho\r\n$1\r\nx\r\n"));
        text_add(&reply, BYTES("$1\r\nx\r\n"));
        for (int way = 0; way < 14; way++) {
            size_t cut = way < 7 ? begin - 3 + (size_t)way : end - 10 + (size_t)way;

            peer_sends(&a, (struct bytes){command.data, cut});
            rig_run(&rig);
            peer_sends(&a, (struct bytes){command.data + cut, command.len - cut});
            peer_receives_bytes(&a, text_bytes(&reply));
            assert_null(a.client->input);
        }
        text_release(&command);
        text_release(&reply);
    }
}

/* ---- more than a batch takes ---- */

/* Each client's command has room in a batch, two of them have not. */
static void commands_of_several_clients_share_the_room_for_arguments(void **state)
{
    for (int keys = 1300; keys <= 2700; keys += 100) {
        struct text command = {0}, reply = {0};

        add_look(&command, &reply, keys);
        for (int n = 0; n < 3; n++) {
            peer_sends(n == 0 ? &a : n == 1 ? &b : &c, text_bytes(&command));
            peer_asks(n == 0 ? &a : n == 1 ? &b : &c, "echo x");
        }
        text_add(&reply, BYTES("$1\r\nx\r\n"));
        peer_receives_bytes(&a, text_bytes(&reply));
        peer_receives_bytes(&b, text_bytes(&reply));
        peer_receives_bytes(&c, text_bytes(&reply));
        text_release(&command);
        text_release(&reply);
    }
}

/* The beginning lies in the arena, the end no more. */
static void a_command_may_outgrow_the_arena_at_any_argument(void **state)
{
    struct text command = {0}, reply = {0};

    add_look(&command, &reply, 9000);
    text_add(&command, BYTES("*2\r\n$4\r\necho\r\n$1\r\nx\r\n"));
    text_add(&reply, BYTES("$1\r\nx\r\n"));
    for (size_t first = 1000; first < 16384; first += 997) {
        peer_asks(&b, "echo other"); /* so that there is a batch, or none */
        peer_sends(&a, (struct bytes){command.data, first});
        rig_run(&rig);
        if (first % 2)
            peer_asks(&b, "echo other");
        peer_sends(&a, (struct bytes){command.data + first, command.len - first});
        peer_receives_bytes(&a, text_bytes(&reply));
        assert_null(a.client->input);
    }
    peer_forget(&b);
    text_release(&command);
    text_release(&reply);
}

/* Together they send more than the arena holds; some stop others, or let them be served, while it
 * is being emptied. */
static void a_crowd_may_send_more_than_the_arena_holds(void **state)
{
    static struct peer crowd[CROWD];
    static char value[15000];

    for (int round = 0; round < 4; round++) {
        struct text reply = {0};

        text_format(&reply, "$%zu\r\n%.*s\r\n", sizeof value, (int)sizeof value,
                    (char *)memset(value, 'v', sizeof value));
        for (int i = 0; i < CROWD; i++)
            peer_connect(&crowd[i], &rig);
        for (int i = 0; i < CROWD; i++) { /* each leaves some bytes in the client's own buffer */
            peer_sends(&crowd[i], BYTES("*2\r\n$4\r\necho\r\n$15000\r\n"));
            peer_sends(&crowd[i], (struct bytes){value, 8000});
        }
        rig_run(&rig);
        if (round == 1)
            peer_asks(&a, "nest 3");
        if (round == 2)
            peer_asks(&a, "pause 10 all");
        if (round == 3) {
            char line[32];

            snprintf(line, sizeof line, "kill %d", (int)crowd[CROWD - 1].id);
            peer_asks(&a, line);
        }
        for (int i = 0; i < CROWD; i++) {
            peer_sends(&crowd[i], (struct bytes){value + 8000, sizeof value - 8000});
            peer_sends(&crowd[i], BYTES("\r\n"));
        }
        rig_run(&rig);
        rig_advance(&rig, 10);
        for (int i = 0; i < CROWD; i++)
            if (round == 3 && i == CROWD - 1)
                peer_forget(&crowd[i]);
            else
                peer_receives_bytes(&crowd[i], text_bytes(&reply));
        for (int i = 0; i < CROWD; i++)
            peer_release(&crowd[i]);
        peer_forget(&a);
        text_release(&reply);
        fake_log.len = 0;
    }
}

/* ---- behind a long command ---- */

/* LOOK with three keys that are too long for the arena together, none for a block of its own. */
static void add_long_look(struct text *command, struct text *reply)
{
    static char key[15000];

    memset(key, 'l', sizeof key);
    text_format(command, "*4\r\n$4\r\nlook\r\n");
    for (int i = 0; i < 3; i++)
        text_format(command, "$%zu\r\n%.*s\r\n", sizeof key, (int)sizeof key, key);
    text_add(reply, BYTES("*3\r\n$-1\r\n$-1\r\n$-1\r\n"));
}

static void what_comes_behind_a_long_command_is_served_as_ever(void **state)
{
    struct text commands = {0}, reply = {0};

    add_long_look(&commands, &reply);
    for (int i = 0; i < 500; i++) {
        text_add(&commands, BYTES("*2\r\n$4\r\necho\r\n$1\r\na\r\n"));
        text_add(&reply, BYTES("$1\r\na\r\n"));
    }
    for (int i = 0; i < 3; i++) {
        peer_sends(&a, text_bytes(&commands));
        peer_asks(&b, "echo b");
        peer_receives_bytes(&a, text_bytes(&reply));
        peer_receives(&b, "$1\r\nb\r\n");
    }
    text_release(&commands);
    text_release(&reply);
}

static void an_error_behind_a_long_command_is_answered_in_its_turn(void **state)
{
    struct text commands = {0}, reply = {0};

    add_long_look(&commands, &reply);
    text_add(&commands, BYTES("*1\r\n$-5\r\n"));
    text_add(&reply, BYTES("-ERR Protocol error: invalid bulk length\r\n"));
    peer_sends(&a, text_bytes(&commands));
    peer_receives_bytes(&a, text_bytes(&reply));
    assert_true(peer_is_gone(&a));
    /* In a command whose beginning is long already. */
    commands.data[1] = '5';
    commands.len -= strlen("*1\r\n$-5\r\n");
    text_add(&commands, BYTES("?1\r\n"));
    peer_sends(&b, text_bytes(&commands));
    peer_receives(&b, "-ERR Protocol error: expected '$', got '?'\r\n");
    assert_true(peer_is_gone(&b));
    text_release(&commands);
    text_release(&reply);
}

static void a_long_argument_may_stand_at_any_place(void **state)
{
    static char key[40000];

    memset(key, 'k', sizeof key);
    for (int before = 0; before < 20; before++) {
        struct text command = {0}, reply = {0};
        int after = before % 3, count = 2 * (before + 1 + after);

        text_format(&command, "*%d\r\n$4\r\nlook\r\n", count + 1);
        text_format(&reply, "*%d\r\n", count);
        for (int twice = 0; twice < 2; twice++) {
            for (int i = 0; i < before + 1 + after; i++)
                if (i == before)
                    text_format(&command, "$%zu\r\n%.*s\r\n", sizeof key, (int)sizeof key, key);
                else
                    text_add(&command, BYTES("$2\r\nab\r\n"));
        }
        for (int i = 0; i < count; i++)
            text_add(&reply, BYTES("$-1\r\n"));
        peer_sends(&a, text_bytes(&command));
        peer_receives_bytes(&a, text_bytes(&reply));
        text_release(&command);
        text_release(&reply);
    }
}

static void a_client_stopped_by_a_long_command_keeps_what_is_behind_it(void **state)
{
    struct text commands = {0};

    text_format(&commands, "*5003\r\n$4\r\ntake\r\n");
    for (int i = 0; i < 5000; i++)
        text_add(&commands, BYTES("$1\r\nk\r\n"));
    text_add(&commands, BYTES("$1\r\nj\r\n$1\r\n0\r\n"));
    for (int i = 0; i < 300; i++)
        text_add(&commands, BYTES("*2\r\n$4\r\necho\r\n$1\r\na\r\n"));
    peer_sends(&a, text_bytes(&commands));
    peer_receives(&a, "");
    assert_int_equal(blocking_clients(rig.engine), 1);
    peer_sends(&a, BYTES("*2\r\n$4\r\necho\r\n$1\r\nz\r\n"));
    rig_run(&rig);
    peer_says(&b, "put j v");
    peer_reads_all(&a);
    assert_memory_equal(a.received.data, "*2\r\n$1\r\nj\r\n$1\r\nv\r\n$1\r\na\r\n", 25);
    assert_int_equal(a.received.len, 18 + 301 * 7);
    assert_memory_equal(a.received.data + a.received.len - 7, "$1\r\nz\r\n", 7);
    assert_null(a.client->input);
    text_release(&commands);
}

/* ---- limits ---- */

static void unfinished_input_has_a_limit(void **state)
{
    static char value[9000];

    rig.engine->settings.input_bytes_max = 5000;
    memset(value, 'u', sizeof value);
    peer_sends(&a, BYTES("*2\r\n$4\r\necho\r\n$9000\r\n"));
    peer_sends(&a, (struct bytes){value, 4000});
    rig_run(&rig);
    assert_false(peer_is_gone(&a));
    peer_sends(&a, (struct bytes){value, 2000});
    rig_run(&rig);
    assert_true(peer_is_gone(&a));
    assert_int_equal(rig.engine->stats.input_limit_closes, 1);
    /* A client that waits may not send for ever either. */
    peer_says(&b, "take k 0");
    for (int i = 0; i < 400; i++)
        peer_asks(&b, "echo x");
    rig_run(&rig);
    assert_true(peer_is_gone(&b));
    assert_int_equal(blocking_clients(rig.engine), 0);
    /* A long value on its way into its block counts too. */
    peer_sends(&c, BYTES("*3\r\n$3\r\nput\r\n$1\r\nk\r\n$100000\r\n"));
    for (int i = 0; i < 10; i++)
        peer_sends(&c, (struct bytes){value, sizeof value});
    rig_run(&rig);
    assert_true(peer_is_gone(&c));
}

/* What an idle client costs beside the kernel's: the struct. */
static void an_idle_client_keeps_no_buffers(void **state)
{
    static char value[100000];
    size_t before = client_memory(a.client);

    memset(value, 'i', sizeof value);
    peer_sends_args(&a, 3, (struct bytes[]){BYTES("put"), BYTES("k"), {value, sizeof value}});
    peer_sends_args(&a, 2, (struct bytes[]){BYTES("echo"), {value, 30000}});
    peer_says(&a, "look k");
    peer_says(&a, "multi");
    peer_says(&a, "put k v");
    peer_says(&a, "exec");
    peer_forget(&a);
    assert_int_equal(client_memory(a.client), before);
    assert_true(before <= 1024);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_may_be_cut_anywhere),
        TEST(a_long_value_may_be_cut_anywhere_near_its_ends),
        TEST(commands_of_several_clients_share_the_room_for_arguments),
        TEST(a_command_may_outgrow_the_arena_at_any_argument),
        TEST(a_crowd_may_send_more_than_the_arena_holds),
        TEST(what_comes_behind_a_long_command_is_served_as_ever),
        TEST(an_error_behind_a_long_command_is_answered_in_its_turn),
        TEST(a_long_argument_may_stand_at_any_place),
        TEST(a_client_stopped_by_a_long_command_keeps_what_is_behind_it),
        TEST(unfinished_input_has_a_limit),
        TEST(an_idle_client_keeps_no_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
