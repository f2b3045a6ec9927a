/* Commands of the tests: what the engine offers, each with as little around it as can be. They are
 * registered in every program that includes this file. */
#ifndef TERN_TESTS_FAKE_COMMANDS_H
#define TERN_TESTS_FAKE_COMMANDS_H

#include "engine_rig.h"

#include "engine/blocking.h"
#include "engine/multi.h"
#include "engine/pause.h"
#include "engine/pubsub.h"
#include "store/string_value.h"
#include "types/list.h"

static const struct event_kind EVENT_PUT = {EVENT_CLASS_STRING, "put"};

/* What has run, in order: "<client id>:<text> " for each ECHO. */
static struct text fake_log;

static inline const char *fake_logged(void)
{
    const char *text = rig_text(&fake_log);

    fake_log.len = 0;
    return text;
}

static inline void fake_log_release(void) { text_release(&fake_log); }

/* ---- keys ---- */

static void check_hashes(const struct request *req)
{
    for (int i = 0; i < req->argc; i++)
        assert_true(request_hash(req, i) == hash_bytes(req->argv[i]));
}

/* PUT key value: a long value is taken, not copied */
static void fake_put(struct request *req)
{
    struct string_block *block = request_take_block(req, 2);
    struct key_ref ref;

    check_hashes(req);
    ref = key_find(req, 1, LOOKUP_WRITE);
    if (block) {
        string_set_block(&ref, req->argv[1], block, false);
        req->argv[2] = (struct bytes){block->data, block->len};
    } else {
        string_set(&ref, req->argv[1], req->argv[2], false);
    }
    key_changed(req, req->db, req->argv[1], &EVENT_PUT, 1);
    reply_ok(req);
}

/* LIST key: something that is no string */
static void fake_list(struct request *req)
{
    struct key_ref ref = key_find(req, 1, LOOKUP_WRITE);
    struct list *list = list_new();

    list_push(list, LIST_HEAD, BYTES("element"));
    store_add(&ref, req->argv[1], VALUE_LIST, list);
    key_changed(req, req->db, req->argv[1], &EVENT_PUT, 1);
    reply_ok(req);
}

/* LOOK key [key ...] */
static void fake_look(struct request *req)
{
    char text[INT64_TEXT_MAX];

    check_hashes(req);
    if (req->argc > 2)
        reply_array(req, (size_t)req->argc - 1);
    for (int i = 1; i < req->argc; i++) {
        struct key_ref ref = key_find(req, i, LOOKUP_READ);

        if (ref.entry)
            reply_bulk(req, string_get(ref.entry, text));
        else
            reply_null(req);
    }
}

/* DROP key [key ...] */
static void fake_drop(struct request *req)
{
    int64_t count = 0;

    check_hashes(req);
    for (int i = 1; i < req->argc; i++) {
        struct key_ref ref = key_find(req, i, LOOKUP_WRITE);

        if (!ref.entry)
            continue;
        store_remove(&ref);
        key_removed(req, req->db, req->argv[i], &EVENT_DEL, 1);
        count++;
    }
    reply_int(req, count);
}

/* EXPIRE key ms */
static void fake_expire(struct request *req)
{
    struct key_ref ref = key_find(req, 1, LOOKUP_WRITE);
    int64_t ms;

    if (!parse_int_or_reply(req, 2, &ms))
        return;
    if (!ref.entry) {
        reply_int(req, 0);
        return;
    }
    store_set_deadline(&ref, clock_now_ms(req->engine->clock) + ms);
    key_changed(req, req->db, req->argv[1], &EVENT_PUT, 1);
    propagate_nothing(req);
    reply_ok(req);
}

/* GROW count: adds keys until the table is another one; SHRINK takes them all out */
static void fake_grow(struct request *req)
{
    char name[32];
    int64_t count;

    if (!parse_int_or_reply(req, 1, &count))
        return;
    for (int64_t i = 0; i < count; i++) {
        struct bytes key = {name, (size_t)snprintf(name, sizeof name, "grown:%d", (int)i)};
        struct key_ref ref = store_find(req->db, key, hash_bytes(key), LOOKUP_WRITE);

        string_set_int(&ref, key, i, false);
    }
    key_changed(req, req->db, BYTES("grown"), &EVENT_PUT, count);
    propagate_nothing(req);
    reply_ok(req);
}

/* FLUSH [wait]: 'waited' comes when all is freed, 'not waited' when one cannot wait */
static void fake_flush(struct request *req)
{
    if (req->flags & REQUEST_IS_RERUN) {
        reply_status(req, "waited");
        return;
    }
    db_flushing(req, req->db, (int64_t)store_size(req->db));
    store_flush(req->db);
    if (req->argc == 1)
        reply_ok(req);
    else if (!block_until_freed(req))
        reply_status(req, "not waited");
}

/* USE db */
static void fake_use(struct request *req)
{
    req->client->db = &req->engine->store->dbs[req->argv[1].data[0] - '0'];
    reply_ok(req);
}

/* ---- waiting ---- */

/* TAKE key [key ...] timeout: the value of the first that is there */
static void fake_take(struct request *req)
{
    char text[INT64_TEXT_MAX];
    int64_t deadline_ms;

    if (!parse_timeout_or_reply(req, req->argc - 1, &deadline_ms))
        return;
    for (int i = 1; i < req->argc - 1; i++) {
        struct key_ref ref;

        if (!key_find_or_reply(req, i, VALUE_STRING, LOOKUP_WRITE, &ref))
            return;
        if (!ref.entry)
            continue;
        reply_array(req, 2);
        reply_bulk(req, req->argv[i]);
        reply_bulk(req, string_get(ref.entry, text));
        store_remove(&ref);
        key_removed(req, req->db, req->argv[i], &EVENT_DEL, 1);
        propagate_instead(req, 2, (struct bytes[]){BYTES("DROP"), req->argv[i]});
        return;
    }
    block_on_keys(req, 1, req->argc - 2, VALUE_STRING, deadline_ms, DENIED_NULL_ARRAY);
}

/* HAND from to timeout: moves a value from one key to another */
static void fake_hand(struct request *req)
{
    char text[INT64_TEXT_MAX];
    struct key_ref from, to;
    int64_t deadline_ms;

    if (!parse_timeout_or_reply(req, 3, &deadline_ms))
        return;
    from = key_find(req, 1, LOOKUP_WRITE);
    if (!from.entry) {
        block_on_keys(req, 1, 1, VALUE_STRING, deadline_ms, DENIED_NULL);
        return;
    }
    reply_bulk(req, string_get(from.entry, text));
    if (bytes_equal(req->argv[1], req->argv[2])) {
        key_changed(req, req->db, req->argv[2], &EVENT_PUT, 1);
        return;
    }
    to = key_find(req, 2, LOOKUP_WRITE);
    string_set(&to, req->argv[2], string_get(from.entry, text), false);
    key_changed(req, req->db, req->argv[2], &EVENT_PUT, 1);
    from = key_find(req, 1, LOOKUP_WRITE);
    store_remove(&from);
    key_removed(req, req->db, req->argv[1], &EVENT_DEL, 1);
}

/* UNBLOCK id [error] */
static void fake_unblock(struct request *req)
{
    struct client *client;
    int64_t id;

    if (!parse_int_or_reply(req, 1, &id))
        return;
    client = engine_client_by_id(req->engine, (uint64_t)id);
    reply_int(req, client && blocking_unblock(client, req->argc > 2));
}

/* PAUSE ms all|write */
static void fake_pause(struct request *req)
{
    int64_t ms;

    if (!parse_int_or_reply(req, 1, &ms))
        return;
    pause_begin(req->engine, clock_now_ms(req->engine->clock) + ms, argument_is(req, 2, "all"));
    reply_ok(req);
}

static void fake_unpause(struct request *req)
{
    pause_end(req->engine);
    reply_ok(req);
}

/* ---- clients ---- */

static void fake_echo(struct request *req)
{
    text_format(&fake_log, "%d:", (int)req->client->id);
    rig_show(&fake_log, req->argv[1]);
    text_add(&fake_log, BYTES(" "));
    reply_bulk(req, req->argv[1]);
}

static void fake_fail(struct request *req) { reply_error(req, "ERR failed"); }

/* KILL id: without a farewell, itself too */
static void fake_kill(struct request *req)
{
    struct client *client;
    int64_t id;

    if (!parse_int_or_reply(req, 1, &id))
        return;
    client = engine_client_by_id(req->engine, (uint64_t)id);
    if (client)
        client_close(client);
    reply_int(req, client != NULL);
}

static void fake_leave(struct request *req)
{
    reply_ok(req);
    client_close_after_reply(req->client);
}

/* NEST turns: other clients are served meanwhile */
static void fake_nest(struct request *req)
{
    int64_t turns;

    if (!parse_int_or_reply(req, 1, &turns))
        return;
    while (turns--)
        engine_nested_turn(req->engine);
    reply_status(req, "NESTED");
}

/* PROTO 2|3 */
static void fake_proto(struct request *req)
{
    req->client->resp = (uint8_t)(req->argv[1].data[0] - '0');
    reply_ok(req);
}

/* MUTE on|off|skip, as CLIENT REPLY off|on|skip */
static void fake_mute(struct request *req)
{
    struct client *client = req->client;

    if (argument_is(req, 1, "on")) {
        client->flags |= CLIENT_REPLY_OFF;
    } else if (argument_is(req, 1, "skip")) {
        client->flags |= CLIENT_REPLY_SKIP;
    } else {
        client->flags &= ~(CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP | CLIENT_REPLY_SKIP_NEXT);
        reply_unmute(req);
        reply_ok(req);
    }
}

static void fake_login(struct request *req)
{
    req->client->flags &= ~CLIENT_NEEDS_AUTH;
    reply_ok(req);
}

/* ---- transactions, channels ---- */

static void fake_multi(struct request *req) { multi_begin(req); }
static void fake_exec(struct request *req) { multi_exec(req); }
static void fake_discard(struct request *req) { multi_discard_command(req); }

static void fake_watch(struct request *req)
{
    for (int i = 1; i < req->argc; i++)
        watch_key(req->client, req->db, req->argv[i]);
    reply_ok(req);
}

static void fake_subscribe(struct request *req)
{
    for (int i = 1; i < req->argc; i++)
        pubsub_subscribe(req, CHANNEL_PLAIN, req->argv[i]);
}

static void fake_psubscribe(struct request *req)
{
    for (int i = 1; i < req->argc; i++)
        pubsub_subscribe(req, CHANNEL_PATTERN, req->argv[i]);
}

static void fake_unsubscribe(struct request *req)
{
    if (req->argc == 1)
        pubsub_unsubscribe_all(req, CHANNEL_PLAIN);
    for (int i = 1; i < req->argc; i++)
        pubsub_unsubscribe(req, CHANNEL_PLAIN, req->argv[i]);
}

static void fake_publish(struct request *req)
{
    reply_int(req, pubsub_publish(req->engine, req->argv[1], req->argv[2]));
}

/* ---- the write stream ---- */

/* ALSO text: a read that sends something along */
static void fake_also(struct request *req)
{
    propagate_also(req->engine, req->db->id, 2, (struct bytes[]){BYTES("ALSO"), req->argv[1]});
    reply_ok(req);
}

/* TWICE key: two commands travel for one */
static void fake_twice(struct request *req)
{
    struct key_ref ref = key_find(req, 1, LOOKUP_WRITE);

    string_set(&ref, req->argv[1], BYTES("v"), false);
    key_changed(req, req->db, req->argv[1], &EVENT_PUT, 2);
    propagate_instead(req, 2, (struct bytes[]){BYTES("FIRST"), req->argv[1]});
    propagate_instead(req, 2, (struct bytes[]){BYTES("SECOND"), req->argv[1]});
    reply_ok(req);
}

/* PIECES key n: n commands travel for one, argument by argument */
static void fake_pieces(struct request *req)
{
    struct key_ref ref = key_find(req, 1, LOOKUP_WRITE);
    int64_t count = 0;

    parse_int_or_reply(req, 2, &count);
    string_set(&ref, req->argv[1], BYTES("v"), false);
    key_changed(req, req->db, req->argv[1], &EVENT_PUT, 1);
    for (int64_t i = 0; i < count; i++) {
        propagate_begin(req, 3);
        propagate_argument(req, BYTES("PIECE"));
        propagate_argument(req, req->argv[1]);
        propagate_argument(req, BYTES(""));
    }
    reply_ok(req);
}

#define FAKE_WRITE (CMD_WRITE | CMD_FAST)

static const struct command fake_commands[] = {
    {.name = "put", .handler = fake_put, .arity = 3, .flags = FAKE_WRITE, .keys = {1, 1, 1}},
    {.name = "list", .handler = fake_list, .arity = 2, .flags = FAKE_WRITE, .keys = {1, 1, 1}},
    {.name = "look", .handler = fake_look, .arity = -2, .flags = CMD_READONLY, .keys = {1, -1, 1}},
    {.name = "drop", .handler = fake_drop, .arity = -2, .flags = FAKE_WRITE, .keys = {1, -1, 1}},
    {.name = "expire", .handler = fake_expire, .arity = 3, .flags = FAKE_WRITE, .keys = {1, 1, 1}},
    {.name = "grow", .handler = fake_grow, .arity = 2, .flags = FAKE_WRITE},
    {.name = "flush", .handler = fake_flush, .arity = -1, .flags = FAKE_WRITE},
    {.name = "use", .handler = fake_use, .arity = 2},
    {.name = "take", .handler = fake_take, .arity = -3, .flags = FAKE_WRITE, .keys = {1, -2, 1}},
    {.name = "hand", .handler = fake_hand, .arity = 4, .flags = FAKE_WRITE, .keys = {1, 2, 1}},
    {.name = "unblock", .handler = fake_unblock, .arity = -2},
    {.name = "pause", .handler = fake_pause, .arity = 3},
    {.name = "unpause", .handler = fake_unpause, .arity = 1},
    {.name = "echo", .handler = fake_echo, .arity = 2},
    {.name = "fail", .handler = fake_fail, .arity = 1},
    {.name = "kill", .handler = fake_kill, .arity = 2},
    {.name = "leave", .handler = fake_leave, .arity = 1, .flags = CMD_NOT_QUEUED},
    {.name = "nest", .handler = fake_nest, .arity = 2},
    {.name = "proto", .handler = fake_proto, .arity = 2},
    {.name = "mute", .handler = fake_mute, .arity = 2},
    {.name = "login", .handler = fake_login, .arity = 1, .flags = CMD_NO_AUTH},
    {.name = "multi", .handler = fake_multi, .arity = 1, .flags = CMD_NOT_QUEUED},
    {.name = "exec", .handler = fake_exec, .arity = 1, .flags = CMD_NOT_QUEUED},
    {.name = "discard", .handler = fake_discard, .arity = 1, .flags = CMD_NOT_QUEUED},
    {.name = "watch", .handler = fake_watch, .arity = -2, .flags = CMD_NOT_QUEUED},
    {.name = "subscribe", .handler = fake_subscribe, .arity = -2, .flags = CMD_IN_SUBSCRIBED},
    {.name = "psubscribe", .handler = fake_psubscribe, .arity = -2, .flags = CMD_IN_SUBSCRIBED},
    {.name = "unsubscribe", .handler = fake_unsubscribe, .arity = -1, .flags = CMD_IN_SUBSCRIBED},
    {.name = "publish", .handler = fake_publish, .arity = 3, .flags = CMD_MAY_REPLICATE},
    {.name = "also", .handler = fake_also, .arity = 2},
    {.name = "pieces", .handler = fake_pieces, .arity = 3, .flags = FAKE_WRITE, .keys = {1, 1, 1}},
    {.name = "twice", .handler = fake_twice, .arity = 2, .flags = FAKE_WRITE, .keys = {1, 1, 1}},
};
REGISTER_COMMANDS("fake", fake_commands);

#endif
