/* Transactions: what is queued, what spoils it, and what a watched key notices. */
#include "unit.h"

#include "fake_commands.h"

static struct rig rig;
static struct peer a, b;

static int setup(void **state)
{
    rig_init(&rig);
    peer_connect(&a, &rig);
    peer_connect(&b, &rig);
    return 0;
}

static int teardown(void **state)
{
    peer_release(&a);
    peer_release(&b);
    fake_log_release();
    rig_release(&rig);
    return 0;
}

/* ---- the queue ---- */

static void commands_are_queued_and_run_together(void **state)
{
    peer_asks(&a, "multi");
    peer_asks(&a, "put k 1");
    peer_asks(&a, "look k");
    peer_says(&a, "fail");
    assert_int_equal(multi_queued(a.client), 3);
    assert_true(multi_may_write(a.client));
    assert_int_equal(store_size(&rig.store->dbs[0]), 0);
    peer_asks(&a, "exec");
    peer_asks(&a, "echo end");
    peer_receives(&a, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n$1\r\n1\r\n-ERR "
                      "failed\r\n$3\r\nend\r\n");
    assert_null(a.client->multi);
    peer_asks(&a, "multi");
    peer_asks(&a, "exec");
    peer_receives(&a, "+OK\r\n*0\r\n");
}

static void a_discarded_queue_leaves_nothing(void **state)
{
    peer_asks(&a, "multi");
    peer_asks(&a, "put k 1");
    peer_asks(&a, "discard");
    peer_asks(&a, "look k");
    peer_asks(&a, "discard");
    peer_asks(&a, "exec");
    peer_receives(&a, "+OK\r\n+QUEUED\r\n+OK\r\n$-1\r\n-ERR DISCARD without MULTI\r\n-ERR EXEC "
                      "without MULTI\r\n");
    assert_null(a.client->multi);
}

static void a_refused_command_spoils_the_transaction(void **state)
{
    static const char *const refused[] = {"nosuch x", "put k", "multi x"};

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        peer_asks(&a, "multi");
        peer_asks(&a, "put k 1");
        peer_says(&a, refused[i]);
        peer_asks(&a, "put k 2"); /* answered as ever, kept no more */
        peer_forget(&a);
        peer_asks(&a, "exec");
        peer_asks(&a, "look k");
        peer_receives(&a, "-" ERR_EXEC_ABORT "\r\n$-1\r\n");
        assert_null(a.client->multi);
    }
    peer_asks(&a, "multi");
    peer_asks(&a, "multi"); /* this does not */
    peer_asks(&a, "put k 1");
    peer_asks(&a, "exec");
    peer_receives(&a, "+OK\r\n-ERR MULTI calls can not be nested\r\n+QUEUED\r\n*1\r\n+OK\r\n");
}

static void a_client_may_go_with_a_queue_and_watches(void **state)
{
    peer_says(&a, "watch k j");
    peer_asks(&a, "multi");
    peer_says(&a, "put k 1");
    close(a.fd);
    a.fd = -1;
    rig_run(&rig);
    assert_true(peer_is_gone(&a));
    peer_says(&b, "put k 2");
    peer_asks(&b, "look k");
    peer_receives(&b, "+OK\r\n$1\r\n2\r\n");
}

/* ---- watching ---- */

/* Whether a transaction after what 'b' says (nothing when NULL) runs. */
static bool runs_after(const char *line)
{
    bool runs;

    if (line)
        peer_says(&b, line);
    peer_forget(&b);
    peer_forget(&a);
    peer_asks(&a, "multi");
    peer_asks(&a, "echo x");
    peer_asks(&a, "exec");
    peer_reads_all(&a);
    runs = strcmp(rig_text(&a.received), "+OK\r\n+QUEUED\r\n*1\r\n$1\r\nx\r\n") == 0;
    if (!runs)
        assert_string_equal(a.received.data, "+OK\r\n+QUEUED\r\n*-1\r\n");
    a.received.len = 0;
    assert_int_equal(multi_watched(a.client), 0); /* EXEC forgets, however it ends */
    return runs;
}

static void a_change_of_a_watched_key_prevents_the_transaction(void **state)
{
    peer_says(&a, "watch k");
    assert_true(runs_after(NULL));
    peer_says(&a, "watch k");
    assert_false(runs_after("put k 1"));
    assert_true(runs_after("put k 2")); /* no longer watched */
    peer_says(&a, "watch k");
    assert_true(runs_after("put other 1"));
    peer_says(&a, "watch k");
    assert_true(runs_after("look k"));
    peer_says(&a, "watch other k k");
    assert_int_equal(multi_watched(a.client), 2);
    assert_false(runs_after("drop k"));
    peer_says(&a, "watch k");
    assert_true(runs_after("drop k")); /* which is not there */
    peer_says(&a, "watch k");
    peer_says(&a, "put k 3"); /* one's own change counts */
    assert_false(runs_after(NULL));
    peer_says(&a, "watch k");
    peer_says(&b, "use 1");
    assert_true(runs_after("put k 4")); /* another database's */
    peer_says(&b, "use 0");
}

static void both_of_two_watchers_notice(void **state)
{
    peer_says(&a, "watch k");
    peer_says(&b, "watch k");
    peer_says(&b, "put k 1");
    assert_true(a.client->flags & CLIENT_DIRTY_CAS);
    assert_true(b.client->flags & CLIENT_DIRTY_CAS);
    peer_asks(&b, "multi");
    peer_asks(&b, "discard"); /* forgets as well */
    peer_forget(&b);
    assert_false(b.client->flags & CLIENT_DIRTY_CAS);
    assert_false(runs_after(NULL));
}

static void a_flush_touches_the_watched_keys_that_are_there(void **state)
{
    peer_says(&a, "watch k");
    assert_true(runs_after("flush"));
    peer_says(&b, "put k 1");
    peer_says(&a, "watch k");
    assert_false(runs_after("flush"));
    peer_says(&b, "put k 1");
    peer_says(&a, "watch k");
    peer_says(&b, "use 1");
    assert_true(runs_after("flush"));
    peer_says(&b, "use 0");
}

static void a_watched_key_that_expires_prevents_the_transaction(void **state)
{
    peer_says(&b, "put k 1");
    peer_says(&b, "expire k 10");
    peer_says(&a, "watch k");
    clock_advance(&rig.clock, 11);
    assert_false(runs_after(NULL)); /* still in the table */
    peer_says(&b, "put k 1");
    peer_says(&b, "expire k 10");
    peer_says(&a, "watch k");
    rig_advance(&rig, 11); /* gone */
    assert_false(runs_after(NULL));
}

static void that_a_key_had_expired_when_it_was_watched_is_no_change(void **state)
{
    static const char *const ways[] = {NULL, "look k", "flush", "drop k"};

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        peer_says(&b, "put k 1");
        peer_says(&b, "expire k 10");
        clock_advance(&rig.clock, 11);
        peer_says(&a, "watch k");
        assert_true(runs_after(ways[i]));
    }
    peer_says(&b, "put k 1");
    peer_says(&b, "expire k 10");
    clock_advance(&rig.clock, 11);
    peer_says(&a, "watch k");
    rig_advance(&rig, 0); /* housekeeping takes it out */
    assert_true(runs_after(NULL));
    peer_says(&b, "put k 1");
    peer_says(&b, "expire k 10");
    clock_advance(&rig.clock, 11);
    peer_says(&a, "watch k");
    assert_false(runs_after("put k 2")); /* that it comes again is one */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_are_queued_and_run_together),
        TEST(a_discarded_queue_leaves_nothing),
        TEST(a_refused_command_spoils_the_transaction),
        TEST(a_client_may_go_with_a_queue_and_watches),
        TEST(a_change_of_a_watched_key_prevents_the_transaction),
        TEST(both_of_two_watchers_notice),
        TEST(a_flush_touches_the_watched_keys_that_are_there),
        TEST(a_watched_key_that_expires_prevents_the_transaction),
        TEST(that_a_key_had_expired_when_it_was_watched_is_no_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
