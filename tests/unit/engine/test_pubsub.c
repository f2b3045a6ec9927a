/* Publish and subscribe: who hears what, in which form and order, and what it costs who does not
 * listen. */
#include "unit.h"

#include "fake_commands.h"

#include "engine/notify.h"

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
    assert_int_equal(map_size(pubsub_channels(rig.engine, CHANNEL_PLAIN)), 0);
    assert_int_equal(map_size(pubsub_channels(rig.engine, CHANNEL_PATTERN)), 0);
    fake_log_release();
    rig_release(&rig);
    return 0;
}

/* ---- subscribing ---- */

static void each_change_of_a_subscription_is_answered(void **state)
{
    peer_says(&a, "subscribe one two one");
    peer_receives(
        &a,
        "*3\r\n$9\r\nsubscribe\r\n$3\r\none\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$3\r\ntwo\r\n:2\r\n"
        "*3\r\n$9\r\nsubscribe\r\n$3\r\none\r\n:2\r\n");
    peer_says(&a, "psubscribe o*");
    peer_receives(&a, "*3\r\n$10\r\npsubscribe\r\n$2\r\no*\r\n:3\r\n");
    assert_int_equal(pubsub_count(a.client, CHANNEL_PLAIN), 2);
    assert_int_equal(pubsub_count(a.client, CHANNEL_PATTERN), 1);
    assert_int_equal(client_class_of(a.client), CLIENT_PUBSUB);
    peer_says(&a, "unsubscribe two absent");
    peer_receives(&a, "*3\r\n$11\r\nunsubscribe\r\n$3\r\ntwo\r\n:2\r\n"
                      "*3\r\n$11\r\nunsubscribe\r\n$6\r\nabsent\r\n:2\r\n");
    peer_says(&a, "unsubscribe");
    peer_receives(&a, "*3\r\n$11\r\nunsubscribe\r\n$3\r\none\r\n:1\r\n");
    peer_says(&a, "unsubscribe"); /* of none */
    peer_receives(&a, "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:1\r\n");
    assert_int_equal(pubsub_subscribers(rig.engine, CHANNEL_PLAIN, BYTES("one")), 0);
    assert_int_equal(pubsub_subscribers(rig.engine, CHANNEL_PATTERN, BYTES("o*")), 1);
    pubsub_leave(a.client);
    assert_int_equal(client_class_of(a.client), CLIENT_NORMAL);
    peer_says(&a, "echo free");
    peer_receives(&a, "$4\r\nfree\r\n");
}

static void a_subscribed_client_may_say_little_in_the_old_protocol(void **state)
{
    peer_says(&a, "subscribe news");
    peer_forget(&a);
    peer_says(&a, "echo x");
    peer_receives(&a, "-ERR Can't execute 'echo': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
                      "QUIT / RESET are allowed in this context\r\n");
    a.client->resp = 3;
    peer_says(&a, "echo x");
    peer_receives(&a, "$1\r\nx\r\n");
}

/* ---- publishing ---- */

static void a_message_goes_to_each_subscriber_in_its_protocol(void **state)
{
    peer_says(&a, "subscribe news");
    peer_says(&b, "proto 3");
    peer_says(&b, "subscribe news other");
    peer_forget(&a);
    peer_forget(&b);
    peer_says(&c, "publish news hello");
    peer_receives(&c, ":2\r\n");
    peer_receives(&a, "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
    peer_receives(&b, ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
    peer_says(&c, "publish other ''");
    peer_receives(&c, ":1\r\n");
    peer_receives(&a, "");
    peer_receives(&b, ">3\r\n$7\r\nmessage\r\n$5\r\nother\r\n$0\r\n\r\n");
    peer_says(&c, "publish nobody hello");
    peer_receives(&c, ":0\r\n");
}

static void patterns_hear_after_channels(void **state)
{
    peer_says(&a, "psubscribe n* n?ws x*");
    peer_says(&a, "subscribe news");
    peer_forget(&a);
    peer_says(&c, "publish news hi");
    peer_receives(&c, ":3\r\n"); /* one for each way */
    rig_run(&rig);
    peer_read(&a);
    assert_memory_equal(a.received.data,
                        "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n*4\r\n$8\r\npmessage\r\n",
                        53);
    assert_non_null(strstr(rig_text(&a.received), "$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n"));
    assert_non_null(strstr(rig_text(&a.received), "$4\r\nn?ws\r\n$4\r\nnews\r\n$2\r\nhi\r\n"));
    assert_null(strstr(rig_text(&a.received), "x*"));
    a.received.len = 0;
}

static void shard_channels_stand_apart(void **state)
{
    peer_says(&a, "psubscribe *");
    peer_says(&a, "subscribe news");
    peer_forget(&a);
    assert_int_equal(pubsub_publish_shard(rig.engine, BYTES("news"), BYTES("x")), 0);
    peer_receives(&a, "");
}

static void ones_own_message_comes_behind_the_reply(void **state)
{
    peer_says(&a, "proto 3");
    peer_says(&a, "subscribe news");
    peer_forget(&a);
    peer_asks(&a, "publish news 1");
    peer_asks(&a, "echo between");
    peer_asks(&a, "multi");
    peer_asks(&a, "publish news 2");
    peer_asks(&a, "publish news 3");
    peer_asks(&a, "exec");
    peer_asks(&a, "echo end");
    peer_receives(&a, ":1\r\n>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n1\r\n$7\r\nbetween\r\n"
                      "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:1\r\n"
                      ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n2\r\n"
                      ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n3\r\n$3\r\nend\r\n");
}

static void messages_of_any_length_arrive_whole(void **state)
{
    static const size_t lengths[] = {0, 1, 1000, 16384, 100000, 1000000};
    char *text = malloc(1000000);

    peer_says(&a, "proto 3");
    peer_says(&a, "subscribe a");
    peer_says(&b, "subscribe a");
    peer_forget(&a);
    peer_forget(&b);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct text expected = {0};

#ifdef TERN_STRESS
        if (lengths[i] > 100000)
            break;
#endif
        memset(text, 'a' + (int)i, lengths[i]);
        for (int who = 0; who < 2; who++) /* oneself and another */
            peer_sends_args(who ? &a : &c, 3,
                            (struct bytes[]){BYTES("publish"), BYTES("a"), {text, lengths[i]}}),
                rig_run(&rig);
        for (int who = 0; who < 2; who++) {
            text_format(&expected, "%s>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$%zu\r\n",
                        who ? ":2\r\n" : "", lengths[i]);
            text_add(&expected, (struct bytes){text, lengths[i]});
            text_add(&expected, BYTES("\r\n"));
        }
        peer_receives_bytes(&a, text_bytes(&expected));
        text_release(&expected);
        peer_forget(&b);
    }
    free(text);
}

static void fifty_messages_are_one_write(void **state)
{
#ifndef TERN_STRESS /* which reads a byte at a time */
    uint64_t writes;

    peer_says(&a, "subscribe news");
    peer_forget(&a);
    for (int i = 0; i < 50; i++)
        peer_asks(&c, "publish news hello");
    writes = rig.engine->stats.writes;
    rig_run(&rig);
    assert_int_equal(rig.engine->stats.writes - writes,
                     2); /* the publisher's replies, the messages */
#endif
}

/* ---- limits ---- */

/* Its socket takes no more. */
static void stuff_socket(struct peer *peer)
{
    int small = 4096;
    char text[1000];

    setsockopt(peer->client->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    memset(text, 's', sizeof text);
    for (int i = 0; i < 1000 && peer->client->output.bytes < 60000; i++) {
        output_append(peer->client, (struct bytes){text, sizeof text});
        rig_run(&rig);
    }
    assert_true(peer->client->output.bytes >= 60000);
}

/* One of several subscribers is at its limit: it is cut in the middle of the delivery. */
static void a_subscriber_is_cut_at_its_limit_and_the_others_hear_all(void **state)
{
    static char text[60000];

    memset(text, 't', sizeof text);
    for (int which = 0; which < 3; which++) {
        struct text expected = {0};
        struct peer peers[3];

        for (int len = (int)sizeof text; len; len = len > 10 ? 10 : 0)
            text_format(&expected,
                        "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$%d\r\n%.*s\r\n"
                        "*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$%d\r\n%.*s\r\n",
                        len, len, text, len, len, text);
        for (int i = 0; i < 3; i++) {
            peer_connect(&peers[i], &rig);
            peer_says(&peers[i], "subscribe news");
            peer_says(&peers[i], "psubscribe n*");
            peer_forget(&peers[i]);
        }
        stuff_socket(&peers[which]);
        rig.engine->settings.output_limits[CLIENT_PUBSUB] = (struct output_limit){160000, 0, 0};
        peer_sends_args(&c, 3,
                        (struct bytes[]){BYTES("publish"), BYTES("news"), {text, sizeof text}});
        peer_sends_args(&c, 3, (struct bytes[]){BYTES("publish"), BYTES("news"), {text, 10}});
        rig_run(&rig);
        for (int i = 0; i < 3; i++) {
            if (i != which)
                peer_receives_bytes(&peers[i], text_bytes(&expected));
            peers[i].received.len = 0;
        }
        text_release(&expected);
        rig.engine->settings.output_limits[CLIENT_PUBSUB] = (struct output_limit){0};
        for (int i = 0; i < 3; i++) {
            assert_int_equal(peer_is_gone(&peers[i]), i == which);
            peer_release(&peers[i]);
        }
        peer_forget(&c);
    }
}

static void a_publisher_may_be_cut_by_its_own_message(void **state)
{
    static char text[20000];

    memset(text, 't', sizeof text);
    rig.engine->settings.output_limits[CLIENT_PUBSUB] = (struct output_limit){10000, 0, 0};
    peer_says(&a, "proto 3");
    peer_says(&a, "subscribe news");
    peer_says(&b, "subscribe other");
    peer_forget(&a);
    peer_sends_args(&a, 3, (struct bytes[]){BYTES("publish"), BYTES("news"), {text, sizeof text}});
    peer_asks(&a, "echo never");
    rig_run(&rig);
    assert_true(peer_is_gone(&a));
    assert_string_equal(fake_logged(), "");
    peer_says(&c, "proto 3");
    peer_says(&c, "subscribe news");
    peer_asks(&c, "multi"); /* the transaction goes on, its client is gone at the end */
    peer_sends_args(&c, 3, (struct bytes[]){BYTES("publish"), BYTES("news"), {text, sizeof text}});
    peer_asks(&c, "put k v");
    peer_asks(&c, "exec");
    rig_run(&rig);
    assert_true(peer_is_gone(&c));
    rig.engine->settings.output_limits[CLIENT_PUBSUB] = (struct output_limit){0};
    peer_forget(&b);
    pubsub_leave(b.client);
    peer_says(&b, "look k");
    peer_receives(&b, "$1\r\nv\r\n");
}

static void a_soft_limit_cuts_after_its_time(void **state)
{
    static char text[60000];

    rig.engine->settings.output_limits[CLIENT_PUBSUB] = (struct output_limit){0, 100000, 2};
    peer_says(&a, "subscribe news");
    stuff_socket(&a);
    peer_sends_args(&c, 3, (struct bytes[]){BYTES("publish"), BYTES("news"), {text, sizeof text}});
    rig_run(&rig);
    rig_advance(&rig, 2000);
    engine_cron(rig.engine);
    rig_run(&rig);
    assert_false(peer_is_gone(&a));
    rig_advance(&rig, 1);
    engine_cron(rig.engine);
    rig_run(&rig);
    assert_true(peer_is_gone(&a));
    peer_forget(&c);
}

/* ---- notifications ---- */

static void events_are_published_by_key_and_by_event(void **state)
{
    peer_says(&a, "psubscribe __key*");
    peer_forget(&a);
    peer_says(&b, "put k v");
    peer_receives(&a, "");
    rig.engine->settings.notify_classes = EVENT_CLASS_STRING | NOTIFY_KEYSPACE | NOTIFY_KEYEVENT;
    peer_says(&b, "use 9");
    peer_says(&b, "put k v");
    peer_receives(
        &a, "*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$16\r\n__keyspace@9__:k\r\n$3\r\nput\r\n"
            "*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$18\r\n__keyevent@9__:put\r\n$1\r\nk\r\n");
    peer_says(&b, "drop k"); /* of another class */
    peer_receives(&a, "");
    rig.engine->settings.notify_classes =
        EVENT_CLASS_GENERIC | EVENT_CLASS_NEW | EVENT_CLASS_MISS | NOTIFY_KEYEVENT;
    peer_says(&b, "look k");
    peer_says(&b, "put k v");
    peer_receives(
        &a, "*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$22\r\n__keyevent@9__:keymiss\r\n$1\r\nk\r\n"
            "*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$18\r\n__keyevent@9__:new\r\n$1\r\nk\r\n");
    peer_forget(&b);
}

static void classes_are_read_and_shown_as_letters(void **state)
{
    static const struct {
        const char *given, *shown;
    } cases[] = {{"", ""},     {"KEA", "AKE"}, {"AKE", "AKE"},     {"Kg$lshzxetd", "AK"},
                 {"Eg", "gE"}, {"xEK", "xKE"}, {"KEAmn", "AKEmn"}, {"nm", "mn"},
                 {"ggg", "g"}};
    char text[NOTIFY_TEXT_MAX];
    unsigned classes = 77;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(notify_parse(bytes_from_string(cases[i].given), &classes));
        notify_format(classes, text);
        assert_string_equal(text, cases[i].shown);
    }
    classes = 77;
    assert_false(notify_parse(BYTES("KEAq"), &classes));
    assert_false(notify_parse(BYTES("a"), &classes));
    assert_int_equal(classes, 77);
}

/* ---- going ---- */

static void who_goes_leaves_every_channel(void **state)
{
    char line[64];

    for (int i = 0; i < 300; i++) {
        snprintf(line, sizeof line, "subscribe channel:%d", i);
        peer_asks(&a, line);
        if (i % 2)
            peer_asks(&b, line);
    }
    peer_forget(&a);
    peer_forget(&b);
    assert_int_equal(map_size(pubsub_channels(rig.engine, CHANNEL_PLAIN)), 300);
    close(a.fd);
    a.fd = -1;
    rig_run(&rig);
    assert_int_equal(map_size(pubsub_channels(rig.engine, CHANNEL_PLAIN)), 150);
    peer_says(&c, "publish channel:1 x");
    peer_says(&c, "publish channel:2 x");
    peer_receives(&c, ":1\r\n:0\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_change_of_a_subscription_is_answered),
        TEST(a_subscribed_client_may_say_little_in_the_old_protocol),
        TEST(a_message_goes_to_each_subscriber_in_its_protocol),
        TEST(patterns_hear_after_channels),
        TEST(shard_channels_stand_apart),
        TEST(ones_own_message_comes_behind_the_reply),
        TEST(messages_of_any_length_arrive_whole),
        TEST(fifty_messages_are_one_write),
        TEST(a_subscriber_is_cut_at_its_limit_and_the_others_hear_all),
        TEST(a_publisher_may_be_cut_by_its_own_message),
        TEST(a_soft_limit_cuts_after_its_time),
        TEST(events_are_published_by_key_and_by_event),
        TEST(classes_are_read_and_shown_as_letters),
        TEST(who_goes_leaves_every_channel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
