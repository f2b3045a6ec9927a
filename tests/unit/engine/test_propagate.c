/* The write stream: what each execution unit hands to the sinks. */
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

/* What was said since the last look travels like this. */
static void travels(const char *expected)
{
    rig_run(&rig);
    assert_string_equal(rig_stream(&rig), expected);
    rig_forget(&rig);
}

/* ---- single commands ---- */

static void a_write_travels_as_it_was_sent(void **state)
{
    peer_asks(&a, "PuT fruit apple");
    travels("PuT fruit apple\n");
    peer_sends_args(&a, 3, (struct bytes[]){BYTES("put"), BYTES(""), BYTES("a\r\n\0b")});
    travels("put '' a\\x0d\\x0a\\x00b\n");
    peer_sends(&a, BYTES("put \"in line\" 'x y'\r\n"));
    travels("put in\\x20line x\\x20y\n");
}

static void a_long_argument_travels_although_it_was_taken(void **state)
{
    static char value[100000];

    memset(value, 'v', sizeof value);
    peer_sends_args(&a, 3, (struct bytes[]){BYTES("put"), BYTES("k"), {value, sizeof value}});
    travels("put k <100000 bytes of v>\n");
    peer_asks(&a, "multi");
    peer_sends_args(&a, 3, (struct bytes[]){BYTES("put"), BYTES("k"), {value, sizeof value}});
    peer_asks(&a, "put j w");
    peer_asks(&a, "exec");
    travels("MULTI\nput k <100000 bytes of v>\nput j w\nEXEC\n");
}

static void what_changes_nothing_does_not_travel(void **state)
{
    peer_asks(&a, "look k");
    peer_asks(&a, "drop k");
    peer_asks(&a, "fail");
    peer_asks(&a, "nosuch");
    peer_asks(&a, "put k");
    peer_asks(&a, "take k 1");
    rig_advance(&rig, 1000);
    travels("");
    peer_asks(&a, "grow 3"); /* says itself that nothing travels */
    travels("");
}

static void a_handler_may_say_what_travels_instead(void **state)
{
    peer_asks(&a, "twice k");
    travels("MULTI\nFIRST k\nSECOND k\nEXEC\n");
    peer_asks(&a, "pieces k 1");
    travels("PIECE k ''\n");
    peer_asks(&a, "pieces k 2");
    travels("MULTI\nPIECE k ''\nPIECE k ''\nEXEC\n");
    peer_asks(&a, "take k 0");
    travels("DROP k\n");
    peer_asks(&a, "also x"); /* though it writes nothing */
    travels("ALSO x\n");
}

static void the_database_is_told(void **state)
{
    peer_says(&a, "use 3");
    peer_says(&a, "put k v");
    peer_says(&b, "put k v");
    peer_says(&a, "drop k");
    travels("3:put k v\nput k v\n3:drop k\n");
    peer_asks(&a, "multi");
    peer_asks(&a, "put k v");
    peer_asks(&a, "use 5");
    peer_asks(&a, "put k v");
    peer_asks(&a, "exec");
    peer_asks(&a, "drop k");
    travels("3:MULTI\n3:put k v\n5:put k v\n5:EXEC\n5:drop k\n");
}

/* ---- transactions ---- */

static void a_transaction_is_wrapped_when_it_made_several(void **state)
{
    peer_asks(&a, "multi");
    peer_asks(&a, "put k 1");
    peer_asks(&a, "look k");
    peer_asks(&a, "fail");
    peer_asks(&a, "drop k");
    peer_asks(&a, "exec");
    travels("MULTI\nput k 1\ndrop k\nEXEC\n");
    peer_asks(&a, "multi");
    peer_asks(&a, "put k 1");
    peer_asks(&a, "look k");
    peer_asks(&a, "exec");
    travels("put k 1\n");
    peer_asks(&a, "multi");
    peer_asks(&a, "look k");
    peer_asks(&a, "exec");
    peer_asks(&a, "multi");
    peer_asks(&a, "exec");
    travels("");
    peer_asks(&a, "multi");
    peer_asks(&a, "twice k");
    peer_asks(&a, "put k 2");
    peer_asks(&a, "exec");
    travels("MULTI\nFIRST k\nSECOND k\nput k 2\nEXEC\n");
}

static void a_transaction_that_does_not_run_does_not_travel(void **state)
{
    peer_asks(&a, "multi");
    peer_asks(&a, "put k 1");
    peer_asks(&a, "discard");
    peer_asks(&a, "multi");
    peer_asks(&a, "put k 1");
    peer_asks(&a, "nosuch");
    peer_asks(&a, "exec");
    peer_asks(&a, "watch w");
    peer_says(&a, "multi");
    travels("");
    peer_says(&b, "put w 1");
    peer_asks(&a, "put k 1");
    peer_asks(&a, "exec");
    travels("put w 1\n");
    peer_forget(&a);
}

/* ---- expiry ---- */

static void an_expired_key_travels_as_its_removal_before_what_found_it_gone(void **state)
{
    peer_says(&a, "put k 1");
    peer_says(&a, "expire k 10");
    rig_forget(&rig);
    clock_advance(&rig.clock, 11);
    peer_asks(&a, "look k"); /* a read finds it */
    travels("DEL k\n");
    peer_says(&a, "put k 1");
    peer_says(&a, "expire k 10");
    rig_forget(&rig);
    clock_advance(&rig.clock, 11);
    peer_asks(&a, "put k 2"); /* a write does */
    travels("MULTI\nDEL k\nput k 2\nEXEC\n");
    peer_says(&a, "expire k 10");
    rig_forget(&rig);
    rig_advance(&rig, 11); /* housekeeping does */
    travels("DEL k\n");
}

static void what_housekeeping_expires_goes_before_the_next_command(void **state)
{
    peer_says(&a, "use 2");
    peer_says(&a, "put k 1");
    peer_says(&a, "expire k 10");
    peer_says(&a, "put j 1");
    peer_says(&a, "expire j 10");
    rig_forget(&rig);
    clock_advance(&rig.clock, 11);
    while (store_work(rig.store, 1000000))
        ;
    peer_asks(&b, "put k 2");
    rig_run(&rig);
    assert_true(rig.stream.len > 0);
    assert_non_null(strstr(rig_stream(&rig), "2:DEL k\n"));
    assert_non_null(strstr(rig_stream(&rig), "2:DEL j\n"));
    assert_true(strstr(rig_stream(&rig), "put k 2") > strstr(rig_stream(&rig), "2:DEL k"));
    assert_true(strstr(rig_stream(&rig), "put k 2") > strstr(rig_stream(&rig), "2:DEL j"));
}

/* ---- blocked clients ---- */

static void serving_a_blocked_client_is_a_unit_of_its_own(void **state)
{
    peer_says(&b, "take k 0");
    peer_asks(&a, "put k 1");
    travels("put k 1\nDROP k\n");
    peer_says(&b, "take k 0");
    peer_asks(&a, "multi");
    peer_asks(&a, "put k 1");
    peer_asks(&a, "put j 1");
    peer_asks(&a, "exec");
    travels("MULTI\nput k 1\nput j 1\nEXEC\nDROP k\n");
    peer_says(&b, "hand k l 0");
    peer_asks(&a, "twice k");
    travels("MULTI\nFIRST k\nSECOND k\nEXEC\nhand k l 0\n");
    peer_forget(&b);
}

/* Others' writes in the middle of a transaction travel where they happened. */
static void what_happens_in_a_nested_turn_travels_in_its_place(void **state)
{
    for (int i = 0; i < BATCH_MAX - 5; i++) /* the batch is full before the other is read */
        peer_asks(&a, "fail");
    peer_asks(&a, "multi");
    peer_asks(&a, "put a1 v");
    peer_asks(&a, "nest 500");
    peer_asks(&a, "put a2 v");
    peer_asks(&a, "exec");
    for (int i = 0; i < 15; i++)
        peer_asks(&b, "fail");
    peer_asks(&b, "put b v");
    travels("MULTI\nput a1 v\nput b v\nEXEC\nput a2 v\n");
    peer_forget(&a);
    peer_forget(&b);
}

/* ---- sinks ---- */

static void every_sink_gets_all_and_may_leave(void **state)
{
    struct rig other = {0};

    other.sink = (struct propagation_sink){rig_on_write, &other, NULL};
    propagate_join(rig.engine, &other.sink);
    peer_asks(&a, "put k 1");
    travels("put k 1\n");
    assert_string_equal(rig_stream(&other), "put k 1\n");
    propagate_leave(rig.engine, &rig.sink);
    peer_asks(&a, "put k 2");
    travels("");
    assert_string_equal(rig_stream(&other), "put k 1\nput k 2\n");
    propagate_leave(rig.engine, &other.sink);
    peer_says(&a, "twice k"); /* to nobody */
    propagate_join(rig.engine, &rig.sink);
    travels("");
    peer_asks(&a, "put k 3");
    travels("put k 3\n");
    text_release(&other.stream);
}

static void the_stream_of_a_very_large_unit_is_whole(void **state)
{
    struct text expected = {0};
    static char value[20000];

    memset(value, 'x', sizeof value);
    peer_asks(&a, "multi");
    text_format(&expected, "MULTI\n");
    for (int i = 0; i < 500; i++) {
        peer_sends_args(&a, 3,
                        (struct bytes[]){BYTES("put"), BYTES("k"), {value, 1 + 40u * (unsigned)i}});
        text_format(&expected, "put k ");
        rig_show(&expected, (struct bytes){value, 1 + 40u * (unsigned)i});
        text_format(&expected, "\n");
    }
    peer_asks(&a, "exec");
    text_format(&expected, "EXEC\n");
    rig_run(&rig);
    assert_true(bytes_equal(text_bytes(&rig.stream), text_bytes(&expected)));
    text_release(&expected);
}

/* ---- counting ---- */

static void changes_are_counted_whether_they_travel_or_not(void **state)
{
    int64_t before = rig.engine->changes;

    peer_says(&a, "put k 1");
    assert_int_equal(rig.engine->changes - before, 1);
    peer_says(&a, "grow 50");
    assert_int_equal(rig.engine->changes - before, 51);
    peer_says(&a, "drop k absent");
    assert_int_equal(rig.engine->changes - before, 52);
    peer_says(&a, "look k");
    peer_says(&a, "take absent 1");
    rig_advance(&rig, 1000);
    assert_int_equal(rig.engine->changes - before, 52);
    peer_says(&a, "flush");
    assert_int_equal(rig.engine->changes - before, 102);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_write_travels_as_it_was_sent),
        TEST(a_long_argument_travels_although_it_was_taken),
        TEST(what_changes_nothing_does_not_travel),
        TEST(a_handler_may_say_what_travels_instead),
        TEST(the_database_is_told),
        TEST(a_transaction_is_wrapped_when_it_made_several),
        TEST(a_transaction_that_does_not_run_does_not_travel),
        TEST(an_expired_key_travels_as_its_removal_before_what_found_it_gone),
        TEST(what_housekeeping_expires_goes_before_the_next_command),
        TEST(serving_a_blocked_client_is_a_unit_of_its_own),
        TEST(what_happens_in_a_nested_turn_travels_in_its_place),
        TEST(every_sink_gets_all_and_may_leave),
        TEST(the_stream_of_a_very_large_unit_is_whole),
        TEST(changes_are_counted_whether_they_travel_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
