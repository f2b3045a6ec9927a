/* The bytes of every reply in both protocols, and what happens when the window is full. */
#include "unit.h"

#include "fake_request.h"

#include <math.h>

struct case_of {
    struct rig rig;
    struct peer peer;
    struct fake_request fake;
    struct request *req;
};

static void begin(struct case_of *c)
{
    rig_init(&c->rig);
    peer_connect(&c->peer, &c->rig);
    c->req = fake_request_begin(&c->fake, &c->peer);
}

static void end(struct case_of *c)
{
    peer_release(&c->peer);
    rig_release(&c->rig);
}

static void sent(struct case_of *c, const char *expected)
{
    fake_request_end(&c->fake);
    peer_receives(&c->peer, expected);
    c->req->flags = 0;
}

/* ---- the same in both protocols ---- */

static void simple_replies_are_the_same_in_both_protocols(void **state)
{
    struct case_of c;

    begin(&c);
    for (c.peer.client->resp = 2; c.peer.client->resp <= 3; c.peer.client->resp++) {
        reply_ok(c.req);
        sent(&c, "+OK\r\n");
        reply_status(c.req, "PONG");
        sent(&c, "+PONG\r\n");
        reply_status(c.req, "");
        sent(&c, "+\r\n");
        reply_bulk(c.req, BYTES("apple"));
        sent(&c, "$5\r\napple\r\n");
        reply_bulk(c.req, BYTES("nine9nine"));
        sent(&c, "$9\r\nnine9nine\r\n");
        reply_bulk(c.req, BYTES("ten10ten10"));
        sent(&c, "$10\r\nten10ten10\r\n");
        reply_bulk(c.req, (struct bytes){NULL, 0});
        sent(&c, "$0\r\n\r\n");
        reply_bulk_string(c.req, "");
        sent(&c, "$0\r\n\r\n");
        reply_bulk_string(c.req, "pear");
        sent(&c, "$4\r\npear\r\n");
        reply_bulk_int(c.req, INT64_MIN);
        sent(&c, "$20\r\n-9223372036854775808\r\n");
        reply_array(c.req, 0);
        sent(&c, "*0\r\n");
        reply_array(c.req, 10);
        sent(&c, "*10\r\n");
        reply_array(c.req, 4294967296);
        sent(&c, "*4294967296\r\n");
        reply_raw(c.req, BYTES("!3\r\nabc\r\n"));
        sent(&c, "!3\r\nabc\r\n");
        assert_int_equal(c.rig.engine->stats.errors, 0);
    }
    end(&c);
}

static void numbers_take_as_many_digits_as_they_have(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {{0, ":0\r\n"},
                 {1, ":1\r\n"},
                 {2, ":2\r\n"},
                 {9, ":9\r\n"},
                 {10, ":10\r\n"},
                 {-1, ":-1\r\n"},
                 {-10, ":-10\r\n"},
                 {INT64_MAX, ":9223372036854775807\r\n"},
                 {INT64_MIN, ":-9223372036854775808\r\n"}};
    struct case_of c;

    begin(&c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reply_int(c.req, cases[i].value);
        sent(&c, cases[i].text);
    }
    end(&c);
}

/* ---- what differs ---- */

static void each_protocol_has_its_own_null_double_and_aggregate(void **state)
{
    struct case_of c;

    begin(&c);
    reply_null(c.req);
    reply_null_array(c.req);
    reply_bool(c.req, true);
    reply_bool(c.req, false);
    reply_map(c.req, 5);
    reply_set(c.req, 3);
    reply_push(c.req, 3);
    sent(&c, "$-1\r\n*-1\r\n:1\r\n:0\r\n*10\r\n*3\r\n*3\r\n");
    reply_double(c.req, 3.5);
    reply_double(c.req, -INFINITY);
    reply_double(c.req, 1e300);
    sent(&c, "$3\r\n3.5\r\n$4\r\n-inf\r\n$6\r\n1e+300\r\n");
    reply_verbatim(c.req, BYTES("some text\r\nhere"), "txt");
    sent(&c, "$15\r\nsome text\r\nhere\r\n");

    c.peer.client->resp = 3;
    reply_null(c.req);
    reply_null_array(c.req);
    reply_bool(c.req, true);
    reply_bool(c.req, false);
    reply_map(c.req, 5);
    reply_set(c.req, 3);
    reply_push(c.req, 3);
    sent(&c, "_\r\n_\r\n#t\r\n#f\r\n%5\r\n~3\r\n>3\r\n");
    reply_double(c.req, 3.5);
    reply_double(c.req, -INFINITY);
    reply_double(c.req, 0);
    sent(&c, ",3.5\r\n,-inf\r\n,0\r\n");
    reply_verbatim(c.req, BYTES("some text\r\nhere"), "txt");
    sent(&c, "=19\r\ntxt:some text\r\nhere\r\n");
    reply_verbatim(c.req, BYTES(""), "mkd");
    sent(&c, "=4\r\nmkd:\r\n");
    end(&c);
}

/* ---- errors ---- */

static void an_error_is_one_line_and_marks_its_request(void **state)
{
    static char text[3000], expected[3000];
    struct case_of c;

    begin(&c);
    reply_error(c.req, ERR_SYNTAX);
    assert_true(c.req->flags & REQUEST_FAILED);
    assert_int_equal(c.rig.engine->stats.errors, 1);
    sent(&c, "-ERR syntax error\r\n");
    reply_syntax_error(c.req);
    sent(&c, "-ERR syntax error\r\n");
    reply_error(c.req, "ERR a\r\nb\nc\rd");
    sent(&c, "-ERR a  b c d\r\n");
    reply_error_format(c.req, "ERR %.*s is %d", 3, "fourth", 4);
    assert_true(c.req->flags & REQUEST_FAILED);
    sent(&c, "-ERR fou is 4\r\n");
    memset(text, 'x', sizeof text - 1); /* what a user sent may be long */
    reply_error_format(c.req, "ERR %s", text);
    fake_request_end(&c.fake);
    peer_read(&c.peer);
    memset(expected, 'x', sizeof expected);
    assert_true(c.peer.received.len > 1000);
    assert_memory_equal(c.peer.received.data, "-ERR xxxx", 9);
    assert_memory_equal(c.peer.received.data + c.peer.received.len - 4, "xx\r\n", 4);
    end(&c);
}

static void errors_about_arguments_name_the_command(void **state)
{
    static const struct command tool = {.name = "tool"}, sub = {.name = "saw"};
    const struct command_entry entry = {.name = "tool", .row = &tool, .group = "g"},
                               sub_entry = {.name = "saw", .row = &sub, .parent = &tool, .group = "g", .id = 1};
    char *name = malloc(1000);
    struct case_of c;

    begin(&c);
    c.req->command = &entry;
    reply_wrong_arity(c.req);
    sent(&c, "-ERR wrong number of arguments for 'tool' command\r\n");
    c.req->command = &sub_entry;
    reply_wrong_arity(c.req);
    sent(&c, "-ERR wrong number of arguments for 'tool|saw' command\r\n");
    fake_request_add(&c.fake, BYTES("TOOL"));
    fake_request_add(&c.fake, BYTES("Saw"));
    reply_subcommand_error(c.req);
    sent(&c, "-ERR unknown subcommand or wrong number of arguments for 'Saw'. Try TOOL HELP.\r\n");
    memset(name, 'y', 1000);
    c.fake.argv[1] = (struct bytes){name, 1000};
    reply_subcommand_error(c.req);
    fake_request_end(&c.fake);
    peer_read(&c.peer);
    assert_int_equal(c.peer.received.len,
                     strlen("-ERR unknown subcommand or wrong number of arguments "
                            "for ''. Try TOOL HELP.\r\n") +
                         128);
    free(name);
    end(&c);
}

/* ---- the window ---- */

static void expect_same(struct case_of *c, const struct text *expected)
{
    fake_request_end(&c->fake);
    for (int i = 0; c->peer.received.len < expected->len && i < 100000; i++) {
        rig_run(&c->rig);
        peer_read(&c->peer);
    }
    assert_int_equal(c->peer.received.len, expected->len);
    assert_memory_equal(c->peer.received.data, expected->data, expected->len);
    c->peer.received.len = 0;
}

/* Every kind of reply at every distance from the end of the window. */
static void replies_cross_the_end_of_the_window_whole(void **state)
{
    struct case_of c;

    begin(&c);
    for (size_t room = 0; room < 64; room++) {
        struct window *window = c.req->window;
        struct text expected = {0};
        size_t filler = (size_t)(window->end - window->at) - room;
        char *text = malloc(filler);

        memset(text, 'f', filler);
        reply_raw(c.req, (struct bytes){text, filler});
        text_add(&expected, (struct bytes){text, filler});
        free(text);
        assert_int_equal(window->end - window->at, room);
        reply_status(c.req, "QUEUED");
        reply_int(c.req, 1234567890123);
        reply_error(c.req, "ERR no");
        reply_bulk(c.req, BYTES("0123456789012345678901234567890"));
        reply_double(c.req, 1.25);
        reply_array(c.req, 100);
        text_add(&expected,
                 BYTES("+QUEUED\r\n:1234567890123\r\n-ERR no\r\n"
                       "$31\r\n0123456789012345678901234567890\r\n$4\r\n1.25\r\n*100\r\n"));
        expect_same(&c, &expected);
        text_release(&expected);
    }
    end(&c);
}

/* Values of all sizes between others, more than the socket takes: nothing is lost or out of order.
 */
static void long_values_go_out_in_order_whatever_the_socket_takes(void **state)
{
    static const size_t sizes[] = {0,     10,    511,   512,   1000,   16383,
                                   16384, 16385, 65536, 70000, 300000, 1000000};
    char *value = malloc(1000000);
    struct text expected = {0};
    struct random random;
    struct case_of c;

    begin(&c);
    random_init(&random, 1);
    for (int i = 0; i < 60; i++) {
        size_t size = sizes[random_below(&random, sizeof sizes / sizeof *sizes)];

        memset(value, 'a' + i % 26, size);
        if (random_below(&random, 3))
            reply_bulk(c.req, (struct bytes){value, size});
        else
            reply_verbatim(c.req, (struct bytes){value, size}, "txt");
        memset(value, '!', size); /* a value is not looked at again once it was given */
        text_format(&expected, "$%zu\r\n", size);
        memset(value, 'a' + i % 26, size);
        text_add(&expected, (struct bytes){value, size});
        text_add(&expected, BYTES("\r\n"));
        reply_int(c.req, i);
        text_format(&expected, ":%d\r\n", i);
        if (random_below(&random, 5) == 0)
            window_flush(c.req->window);
        if (random_below(&random, 5) == 0)
            peer_read(&c.peer);
    }
    expect_same(&c, &expected);
    assert_int_equal(c.peer.client->output.memory, 0);
    text_release(&expected);
    free(value);
    end(&c);
}

static void a_large_window_shrinks_when_it_was_sent(void **state)
{
    struct case_of c;
    char *value = malloc(10 << 20);
    struct text expected = {0};
    size_t size;

    begin(&c);
    size = c.req->window->size;
    memset(value, 'r', 10 << 20);
    reply_raw(c.req, (struct bytes){value, 10 << 20});
    text_add(&expected, (struct bytes){value, 10 << 20});
    assert_true(c.req->window->size >= 10 << 20);
    expect_same(&c, &expected);
    assert_int_equal(c.req->window->size, size);
    text_release(&expected);
    free(value);
    end(&c);
}

/* ---- another client's reply in the middle of a command ---- */

static void a_nested_reply_goes_to_its_client_and_leaves_the_outer_one_alone(void **state)
{
    struct window_segment outer;
    struct fake_request inner;
    struct peer other;
    struct case_of c;

    begin(&c);
    peer_connect(&other, &c.rig);
    for (int size = 0; size < 3; size++) {
        static const size_t sizes[] = {3, 5000, 200000};
        char *value = malloc(sizes[size]);
        struct text expected = {0};

        memset(value, 'n', sizes[size]);
        reply_array(c.req, 2);
        reply_ok(c.req);
        window_begin_nested(c.req->window, other.client, &outer);
        inner.req = *c.req;
        inner.req.client = other.client;
        reply_bulk(&inner.req, (struct bytes){value, sizes[size]});
        window_end_nested(c.req->window, &outer);
        reply_int(c.req, 7);
        sent(&c, "*2\r\n+OK\r\n:7\r\n");
        text_format(&expected, "$%zu\r\n%.*s\r\n", sizes[size], (int)sizes[size], value);
        while (other.received.len < expected.len) {
            rig_run(&c.rig);
            peer_read(&other);
        }
        assert_int_equal(other.received.len, expected.len);
        assert_memory_equal(other.received.data, expected.data, expected.len);
        other.received.len = 0;
        text_release(&expected);
        free(value);
    }
    peer_release(&other);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_replies_are_the_same_in_both_protocols),
        cmocka_unit_test(numbers_take_as_many_digits_as_they_have),
        cmocka_unit_test(each_protocol_has_its_own_null_double_and_aggregate),
        cmocka_unit_test(an_error_is_one_line_and_marks_its_request),
        cmocka_unit_test(errors_about_arguments_name_the_command),
        cmocka_unit_test(replies_cross_the_end_of_the_window_whole),
        cmocka_unit_test(long_values_go_out_in_order_whatever_the_socket_takes),
        cmocka_unit_test(a_large_window_shrinks_when_it_was_sent),
        cmocka_unit_test(a_nested_reply_goes_to_its_client_and_leaves_the_outer_one_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
