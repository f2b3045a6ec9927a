/* Requests: copies that outlive their bytes, and what reads arguments. */
#include "unit.h"

#include "fake_request.h"
#include "store/string_value.h"

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

/* An argument in a block of its own, filled with one letter. */
static void add_big(struct case_of *c, size_t len, char letter)
{
    struct big_argument *big = mem_alloc(sizeof *big);
    struct string_block *block = string_block_new(len);

    memset(block->data, letter, len);
    *big = (struct big_argument){c->req->bigs, block, c->req->argc};
    c->req->bigs = big;
    fake_request_add(&c->fake, (struct bytes){block->data, len});
}

/* ---- detaching ---- */

static void a_detached_request_owns_its_arguments(void **state)
{
    char bytes[] = "set fruit apple";
    struct request *copy;
    struct case_of c;

    begin(&c);
    fake_request_add(&c.fake, (struct bytes){bytes, 3});
    fake_request_add(&c.fake, (struct bytes){bytes + 4, 5});
    fake_request_add(&c.fake, (struct bytes){NULL, 0});
    fake_request_add(&c.fake, (struct bytes){bytes + 10, 5});
    c.req->flags = REQUEST_IN_EXEC;
    copy = request_detach(c.req);
    memset(bytes, '#', sizeof bytes); /* the arena goes on to other things */
    assert_ptr_equal(copy->client, c.peer.client);
    assert_ptr_equal(copy->db, c.req->db);
    assert_int_equal(copy->argc, 4);
    assert_true(bytes_equal(copy->argv[0], BYTES("set")));
    assert_true(bytes_equal(copy->argv[1], BYTES("fruit")));
    assert_int_equal(copy->argv[2].len, 0);
    assert_true(bytes_equal(copy->argv[3], BYTES("apple")));
    assert_int_equal(copy->flags, REQUEST_IN_EXEC | REQUEST_IS_DETACHED);
    request_free_detached(copy);
    end(&c);
}

static void big_arguments_move_into_the_copy(void **state)
{
    struct request *copy, *again;
    struct string_block *block;
    const char *first, *second;
    struct case_of c;

    begin(&c);
    fake_request_add(&c.fake, BYTES("mset"));
    fake_request_add(&c.fake, BYTES("a"));
    add_big(&c, 100000, 'A');
    first = c.req->argv[2].data;
    fake_request_add(&c.fake, BYTES("b"));
    add_big(&c, 50000, 'B');
    second = c.req->argv[4].data;
    copy = request_detach(c.req);
    assert_null(c.req->bigs); /* one owner */
    assert_true(copy->detached_size < 1000);
    assert_ptr_equal(copy->argv[2].data, first);
    assert_ptr_equal(copy->argv[4].data, second);
    again = request_detach(copy); /* a request that was postponed blocks */
    assert_null(copy->bigs);
    request_free_detached(copy);
    assert_null(request_take_block(again, 0));
    assert_null(request_take_block(again, 1));
    block = request_take_block(again, 2);
    assert_non_null(block);
    assert_int_equal(block->len, 100000);
    assert_int_equal(block->data[99999], 'A');
    assert_null(request_take_block(again, 2)); /* only once */
    request_free_detached(again);
    string_block_free(block);
    end(&c);
}

/* ---- hashes ---- */

static void the_hash_of_every_argument_is_right_kept_or_not(void **state)
{
    static const struct command rows[] = {{.name = "mget", .keys = {1, -1, 1}},
                                          {.name = "mset", .keys = {1, -1, 2}},
                                          {.name = "object", .keys = {2, 2, 1}},
                                          {.name = "ping", .keys = {0, 0, 0}}};
    uint64_t kept[16];
    struct case_of c;

    begin(&c);
    for (int i = 0; i < 12; i++)
        fake_request_add(&c.fake, (struct bytes){&"abcdefghijklm"[i], 1});
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int count = 0; count <= 12; count++) {
            const struct command_entry entry = {.name = rows[r].name, .row = &rows[r], .group = "g"};
            const struct key_spec *keys = &rows[r].keys;
            int last = key_spec_last(keys, c.req->argc);

            c.req->command = &entry;
            c.req->hashes = kept;
            c.req->hash_count = 0;
            for (int at = keys->first; at && at <= last && c.req->hash_count < count;
                 at += keys->step)
                kept[c.req->hash_count++] = hash_bytes(c.req->argv[at]);
            for (int at = 0; at < 12; at++)
                assert_true(request_hash(c.req, at) == hash_bytes(c.req->argv[at]));
        }
    end(&c);
}

/* ---- arguments ---- */

static void integers_are_parsed_or_refused(void **state)
{
    struct case_of c;
    int64_t value;

    begin(&c);
    fake_request_add(&c.fake, BYTES("-42"));
    fake_request_add(&c.fake, BYTES("4x"));
    assert_true(parse_int_or_reply(c.req, 0, &value));
    assert_int_equal(value, -42);
    assert_false(parse_int_or_reply(c.req, 1, &value));
    fake_request_end(&c.fake);
    peer_receives(&c.peer, "-ERR value is not an integer or out of range\r\n");
    assert_true(c.req->flags & REQUEST_FAILED);
    assert_true(parse_int_range_or_reply(c.req, 0, -42, -42, &value, "ERR no"));
    assert_false(parse_int_range_or_reply(c.req, 0, -41, 100, &value, "ERR no"));
    assert_false(parse_int_range_or_reply(c.req, 0, -100, -43, &value, "ERR no"));
    assert_false(parse_int_range_or_reply(c.req, 1, -100, 100, &value, "ERR no"));
    fake_request_end(&c.fake);
    peer_receives(&c.peer, "-ERR no\r\n-ERR no\r\n-ERR no\r\n");
    end(&c);
}

static void floats_are_parsed_or_refused(void **state)
{
    long double long_value;
    struct case_of c;
    double value;

    begin(&c);
    fake_request_add(&c.fake, BYTES("3.25"));
    fake_request_add(&c.fake, BYTES("nan"));
    fake_request_add(&c.fake, BYTES(" 1"));
    fake_request_add(&c.fake, BYTES(""));
    assert_true(parse_double_or_reply(c.req, 0, &value));
    assert_true(value == 3.25);
    assert_true(parse_long_double_or_reply(c.req, 0, &long_value));
    assert_true(long_value == 3.25L);
    for (int at = 1; at < 4; at++) {
        assert_false(parse_double_or_reply(c.req, at, &value));
        fake_request_end(&c.fake);
        peer_receives(&c.peer, "-ERR value is not a valid float\r\n");
        assert_false(parse_long_double_or_reply(c.req, at, &long_value));
        fake_request_end(&c.fake);
        peer_receives(&c.peer, "-ERR value is not a valid float\r\n");
    }
    end(&c);
}

#define NOT_FLOAT "-ERR timeout is not a float or out of range\r\n"
#define NEGATIVE  "-ERR timeout is negative\r\n"
#define RANGE     "-ERR timeout is out of range\r\n"

static void a_timeout_becomes_a_deadline(void **state)
{
    static const struct {
        const char *text;
        int64_t deadline_ms; /* 0: none */
        const char *error;
    } cases[] = {
        {"0", 0, NULL},
        {"0.0", 0, NULL},
        {"-0", 0, NULL},
        {"1", RIG_NOW_MS + 1000, NULL},
        {"0.001", RIG_NOW_MS + 1, NULL},
        {"0.0001", RIG_NOW_MS + 1, NULL}, /* up: never at once */
        {"1e-300", RIG_NOW_MS + 1, NULL},
        {"1.0005", RIG_NOW_MS + 1001, NULL},
        {"1e3", RIG_NOW_MS + 1000000, NULL},
        {"0x10", RIG_NOW_MS + 16000, NULL},
        {"9223370241854775.807", INT64_MAX, NULL},
        {"9223370241854775.808", 0, RANGE},
        {"9223372036854775.807", 0, RANGE},
        {"9223372036854776", 0, RANGE},
        {"1e300", 0, RANGE},
        {"inf", 0, RANGE},
        {"-1", 0, NEGATIVE},
        {"-0.002", 0, NEGATIVE},
        {"-0.0001", 0, NULL}, /* as Redis rounds it */
        {"-1e300", 0, NEGATIVE},
        {"-inf", 0, NEGATIVE},
        {"", 0, NOT_FLOAT},
        {"abc", 0, NOT_FLOAT},
        {"1 ", 0, NOT_FLOAT},
        {" 1", 0, NOT_FLOAT},
        {"nan", 0, NOT_FLOAT},
    };
    struct case_of c;
    int64_t deadline_ms;

    begin(&c);
    c.req->argc = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c.fake.argv[0] = bytes_from_string(cases[i].text);
        deadline_ms = -1;
        if (parse_timeout_or_reply(c.req, 0, &deadline_ms) != !cases[i].error ||
            (!cases[i].error && deadline_ms != cases[i].deadline_ms))
            fail_msg("timeout %s", cases[i].text);
        fake_request_end(&c.fake);
        peer_receives(&c.peer, cases[i].error ? cases[i].error : "");
    }
    end(&c);
}

static void words_are_compared_whole_and_in_any_case(void **state)
{
    struct case_of c;

    begin(&c);
    fake_request_add(&c.fake, BYTES("KeepTTL"));
    fake_request_add(&c.fake, BYTES("keepttl\0"));
    fake_request_add(&c.fake, BYTES(""));
    assert_true(argument_is(c.req, 0, "keepttl"));
    assert_false(argument_is(c.req, 0, "keepttls"));
    assert_false(argument_is(c.req, 0, "keep"));
    assert_false(argument_is(c.req, 1, "keepttl"));
    assert_true(argument_is(c.req, 2, ""));
    end(&c);
}

/* ---- keys ---- */

static void a_key_of_another_type_is_refused(void **state)
{
    struct key_ref ref;
    struct case_of c;

    begin(&c);
    fake_request_add(&c.fake, BYTES("there"));
    fake_request_add(&c.fake, BYTES("absent"));
    ref = key_find(c.req, 0, LOOKUP_WRITE);
    assert_null(ref.entry);
    string_set(&ref, BYTES("there"), BYTES("v"), false);
    assert_true(key_find_or_reply(c.req, 0, VALUE_STRING, LOOKUP_READ, &ref));
    assert_non_null(ref.entry);
    assert_true(key_find_or_reply(c.req, 1, VALUE_STRING, LOOKUP_READ, &ref));
    assert_null(ref.entry);
    assert_false(key_find_or_reply(c.req, 0, VALUE_LIST, LOOKUP_READ, &ref));
    fake_request_end(&c.fake);
    peer_receives(&c.peer, "-" ERR_WRONG_TYPE "\r\n");
    end(&c);
}

static void a_client_may_leave_the_access_clock_alone(void **state)
{
    struct key_ref ref;
    struct case_of c;

    begin(&c);
    fake_request_add(&c.fake, BYTES("k"));
    ref = key_find(c.req, 0, LOOKUP_WRITE);
    string_set(&ref, BYTES("k"), BYTES("v"), false);
    clock_advance(&c.rig.clock, 5000);
    store_tick(c.rig.store);
    c.peer.client->flags |= CLIENT_NO_TOUCH;
    ref = key_find(c.req, 0, LOOKUP_READ);
    assert_int_equal(store_idle_seconds(c.rig.store, ref.entry), 5);
    c.peer.client->flags &= ~CLIENT_NO_TOUCH;
    ref = key_find(c.req, 0, LOOKUP_READ);
    assert_int_equal(store_idle_seconds(c.rig.store, ref.entry), 0);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_detached_request_owns_its_arguments),
        cmocka_unit_test(big_arguments_move_into_the_copy),
        cmocka_unit_test(the_hash_of_every_argument_is_right_kept_or_not),
        cmocka_unit_test(integers_are_parsed_or_refused),
        cmocka_unit_test(floats_are_parsed_or_refused),
        cmocka_unit_test(a_timeout_becomes_a_deadline),
        cmocka_unit_test(words_are_compared_whole_and_in_any_case),
        cmocka_unit_test(a_key_of_another_type_is_refused),
        cmocka_unit_test(a_client_may_leave_the_access_clock_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
