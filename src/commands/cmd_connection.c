/* The connection itself: who speaks, in which protocol, to which database. */
#include "client_argument_internal.h"
#include "engine/monitor.h"
#include "engine/multi.h"
#include "engine/pubsub.h"
#include "engine/request.h"
#include "engine/version.h"

#include <stdio.h>

/* --- small talk ------------------------------------------------------------------------------------------- */

static void cmd_ping(struct request *req)
{
    if (req->argc > 2) {
        reply_wrong_arity(req);
        return;
    }
    if (req->client->flags & CLIENT_SUBSCRIBED && req->client->resp == 2) {
        reply_array(req, 2);
        reply_bulk_string(req, "pong");
        reply_bulk(req, req->argc == 2 ? req->argv[1] : (struct bytes){NULL, 0});
    } else if (req->argc == 2) {
        reply_bulk(req, req->argv[1]);
    } else {
        reply_status(req, "PONG");
    }
}

static void cmd_echo(struct request *req) { reply_bulk(req, req->argv[1]); }

static void cmd_quit(struct request *req)
{
    reply_ok(req);
    client_close_after_reply(req->client);
}

static void cmd_select(struct request *req)
{
    int64_t index;

    if (!parse_int_or_reply(req, 1, &index))
        return;
    if (index < INT32_MIN || index > INT32_MAX) {
        reply_error(req, ERR_OUT_OF_INT_RANGE);
        return;
    }
    if (index < 0 || index >= req->engine->store->db_count) {
        reply_error(req, ERR_DB_INDEX);
        return;
    }
    req->client->db = &req->engine->store->dbs[index];
    reply_ok(req);
}

/* --- authentication ---------------------------------------------------------------------------------------- */

/* As long for every wrong password of a length, whatever it shares with the right one. */
static bool is_same_secret(struct bytes given, const char *secret)
{
    size_t len = strlen(secret);
    unsigned difference = given.len != len;

    for (size_t i = 0; i < given.len; i++)
        difference |= (unsigned char)given.data[i] ^ (unsigned char)(len ? secret[i % len] : 0);
    return difference == 0;
}

static bool authenticate_or_reply(struct request *req, struct bytes user, struct bytes password)
{
    const char *secret = req->engine->settings.password;

    if (bytes_equal(user, BYTES("default")) && (!*secret || is_same_secret(password, secret))) {
        req->client->flags &= ~CLIENT_NEEDS_AUTH;
        return true;
    }
    req->engine->stats.auth_failures++;
    reply_error(req, ERR_WRONGPASS);
    return false;
}

static void cmd_auth(struct request *req)
{
    if (req->argc > 3) {
        reply_syntax_error(req);
        return;
    }
    if (req->argc == 2 && !*req->engine->settings.password) {
        reply_error(req, ERR_NO_PASSWORD);
        return;
    }
    if (authenticate_or_reply(req, req->argc == 3 ? req->argv[1] : BYTES("default"),
                              req->argv[req->argc - 1]))
        reply_ok(req);
}

/* --- HELLO and RESET ---------------------------------------------------------------------------------------- */

#define ERR_HELLO_NOAUTH                                                                           \
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "     \
    "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "    \
    "RESP protocol version at the same time"
#define ERR_CLIENT_NAME                                                                            \
    "ERR Client names cannot contain spaces, newlines or special characters."

bool client_name_is_valid(struct bytes name)
{
    for (size_t i = 0; i < name.len && name.data[i]; i++) /* as Redis, up to a zero byte */
        if (name.data[i] < '!' || name.data[i] > '~')
            return false;
    return true;
}

static void reply_hello(struct request *req)
{
    reply_map(req, 7);
    reply_bulk_string(req, "server");
    reply_bulk_string(req, "redis");
    reply_bulk_string(req, "version");
    reply_bulk_string(req, REDIS_VERSION);
    reply_bulk_string(req, "proto");
    reply_int(req, req->client->resp);
    reply_bulk_string(req, "id");
    reply_int(req, (int64_t)req->client->id);
    reply_bulk_string(req, "mode");
    reply_bulk_string(req, "standalone");
    reply_bulk_string(req, "role");
    reply_bulk_string(req, "master");
    reply_bulk_string(req, "modules");
    reply_array(req, 0);
}

static void cmd_hello(struct request *req)
{
    int64_t version = req->client->resp;
    const struct bytes *name = NULL;
    int at = 2;

    if (req->argc >= 2 && !parse_int_range_or_reply(req, 1, INT64_MIN, INT64_MAX, &version, ERR_PROTOVER))
        return;
    if (version < 2 || version > 3) {
        reply_error(req, ERR_NOPROTO);
        return;
    }
    for (; at < req->argc; at++) {
        int left = req->argc - at - 1;

        if (argument_is(req, at, "auth") && left >= 2) {
            if (!authenticate_or_reply(req, req->argv[at + 1], req->argv[at + 2]))
                return;
            at += 2;
        } else if (argument_is(req, at, "setname") && left >= 1) {
            name = &req->argv[++at];
            if (!client_name_is_valid(*name)) {
                reply_error(req, ERR_CLIENT_NAME);
                return;
            }
        } else {
            reply_error_format(req, "ERR Syntax error in HELLO option '%.*s'",
                               (int)req->argv[at].len, req->argv[at].data);
            return;
        }
    }
    if (client_needs_auth(req->client)) {
        reply_error(req, ERR_HELLO_NOAUTH);
        return;
    }
    if (name)
        client_set_name(req->client, *name);
    if (req->argc >= 2)
        req->client->resp = (uint8_t)version;
    reply_hello(req);
}

static void cmd_reset(struct request *req)
{
    struct client *client = req->client;
    struct bytes none = {NULL, 0};

    client->resp = 2;
    multi_forget(client);
    pubsub_leave(client);
    monitor_end(client);
    client->db = &req->engine->store->dbs[0];
    client_set_name(client, none);
    client->flags &= ~(CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP | CLIENT_REPLY_SKIP_NEXT |
                       CLIENT_NO_EVICT | CLIENT_NO_TOUCH | CLIENT_NEEDS_AUTH);
    if (*req->engine->settings.password)
        client->flags |= CLIENT_NEEDS_AUTH;
    reply_unmute(req);
    reply_status(req, "RESET");
}

#define HELLO_FLAGS (CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_FAST | CMD_NO_AUTH | CMD_ALLOW_BUSY)

static const struct command connection_commands[] = {
    {"ping", cmd_ping, -1, CMD_FAST | CMD_IN_SUBSCRIBED, {0, 0, 0}, NULL, "1.0.0", "O(1)",
     "[message]", "Answers PONG, or the message.",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {"echo", cmd_echo, 2, CMD_LOADING | CMD_STALE | CMD_FAST, {0, 0, 0}, NULL, "1.0.0", "O(1)",
     "message", "Answers the message."},
    {"quit", cmd_quit, -1, HELLO_FLAGS | CMD_IN_SUBSCRIBED | CMD_NOT_QUEUED, {0, 0, 0}, NULL,
     "1.0.0", "O(1)", "", "Closes the connection.",
     .deprecated_since = "7.2.0", .replaced_by = "just closing the connection"},
    {"select", cmd_select, 2, CMD_LOADING | CMD_STALE | CMD_FAST, {0, 0, 0}, NULL, "1.0.0", "O(1)",
     "index", "Changes the database of the connection."},
    {"auth", cmd_auth, -2, HELLO_FLAGS, {0, 0, 0}, NULL, "1.0.0", "O(1)", "[username] password",
     "Authenticates the connection.",
     .history = "6.0.0 A username before the password.",
     .argument_since = "username 6.0.0"},
    {"hello", cmd_hello, -1, HELLO_FLAGS, {0, 0, 0}, NULL, "6.0.0", "O(1)",
     "[protover [AUTH username password] [SETNAME clientname]]",
     "Changes the protocol version and shows what the server is.",
     .history = "6.2.0 Without a version it only tells of the connection."},
    {"reset", cmd_reset, 1, HELLO_FLAGS | CMD_IN_SUBSCRIBED | CMD_NOT_QUEUED, {0, 0, 0}, NULL,
     "6.2.0", "O(1)", "", "Brings the connection back to its state after connecting."},
};
REGISTER_COMMANDS("connection", connection_commands);
