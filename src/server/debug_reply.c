/* DEBUG subcommands for tests of clients and of the log: replies of every kind, and switches that other
 * servers have, accepted where there is nothing to switch. */
#include "debug_internal.h"

#include "base/log.h"
#include "base/numbers.h"

#include <stdio.h>

/* --- PROTOCOL ------------------------------------------------------------------------------------------------- */

#define ERR_PROTOCOL_TYPE                                                                          \
    "ERR Wrong protocol type name. Please use one of the following: "                              \
    "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
#define BIG_NUMBER "1234567999999999999999999999999999999"

static void protocol_string(struct request *req) { reply_bulk_string(req, "Hello World"); }
static void protocol_integer(struct request *req) { reply_int(req, 12345); }
static void protocol_double(struct request *req) { reply_double(req, 3.141); }
static void protocol_null(struct request *req) { reply_null(req); }
static void protocol_true(struct request *req) { reply_bool(req, true); }
static void protocol_false(struct request *req) { reply_bool(req, false); }

static void protocol_bignum(struct request *req)
{
    if (req->client->resp == 3)
        reply_raw(req, BYTES("(" BIG_NUMBER "\r\n"));
    else
        reply_bulk_string(req, BIG_NUMBER);
}

static void protocol_array(struct request *req)
{
    reply_array(req, 3);
    for (int i = 0; i < 3; i++)
        reply_int(req, i);
}

static void protocol_set(struct request *req)
{
    reply_set(req, 3);
    for (int i = 0; i < 3; i++)
        reply_int(req, i);
}

static void protocol_map(struct request *req)
{
    reply_map(req, 3);
    for (int i = 0; i < 3; i++) {
        reply_int(req, i);
        reply_bool(req, i == 1);
    }
}

static void protocol_attrib(struct request *req)
{
    if (req->client->resp == 3)
        reply_raw(req, BYTES("|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"));
    reply_bulk_string(req, "Some real reply following the attribute");
}

static void protocol_push(struct request *req)
{
    if (req->client->resp == 2) {
        reply_error(req, "ERR RESP2 is not supported by this command");
        return;
    }
    reply_bulk_string(req, "Some real reply following the push reply");
    if (req->flags & REQUEST_IN_EXEC)
        return; /* within the array of replies it has no place */
    reply_push(req, 2);
    reply_bulk_string(req, "server-cpu-usage");
    reply_int(req, 42);
}

static void protocol_verbatim(struct request *req)
{
    reply_verbatim(req, BYTES("This is a verbatim\nstring"), "txt");
}

static void debug_protocol(struct request *req)
{
    static const struct {
        const char *name;
        void (*reply)(struct request *req);
    } types[] = {
        {"string", protocol_string}, {"integer", protocol_integer}, {"double", protocol_double},
        {"bignum", protocol_bignum}, {"null", protocol_null},       {"array", protocol_array},
        {"set", protocol_set},       {"map", protocol_map},         {"attrib", protocol_attrib},
        {"push", protocol_push},     {"verbatim", protocol_verbatim}, {"true", protocol_true},
        {"false", protocol_false},
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (argument_is(req, 2, types[i].name)) {
            types[i].reply(req);
            return;
        }
    reply_error(req, ERR_PROTOCOL_TYPE);
}

/* --- texts ---------------------------------------------------------------------------------------------------- */

static void debug_error(struct request *req)
{
    reply_error_format(req, "%.*s", (int)req->argv[2].len, req->argv[2].data);
}

static void debug_log(struct request *req)
{
    log_write(LOG_WARNING, "DEBUG LOG: %.*s", (int)req->argv[2].len, req->argv[2].data);
    reply_ok(req);
}

static void debug_change_repl_id(struct request *req)
{
    struct server *server = server_of(req);

    log_write(LOG_NOTICE, "Changing replication IDs after receiving change-repl-id");
    server_make_id(server->replication_id);
    reply_ok(req);
}

/* --- switches without a subject ------------------------------------------------------------------------------- */

static void debug_nothing(struct request *req) { reply_ok(req); }

/* Replies are formatted into one window that all clients share: no buffer of a client has a peak. */
static void debug_replybuffer(struct request *req)
{
    int64_t ms;

    if (argument_is(req, 2, "peak-reset-time")) {
        if (!argument_is(req, 3, "never") && !argument_is(req, 3, "reset") &&
            !parse_int_or_reply(req, 3, &ms))
            return;
    } else if (!argument_is(req, 2, "resizing")) {
        reply_debug_error(req);
        return;
    }
    reply_ok(req);
}

/* Lists keep each value that is longer than a block's limit in a block of its own. */
static void debug_packed_threshold(struct request *req)
{
    uint64_t bytes;

    if (!memory_size_parse(req->argv[2], &bytes) || bytes > (UINT64_C(1) << 32))
        reply_error(req, "ERR argument must be a memory value bigger than 1 and smaller than 4gb");
    else
        reply_ok(req);
}

static void debug_client_eviction(struct request *req)
{
    reply_error(req, "ERR maxmemory-clients is disabled.");
}

static void debug_loadaof(struct request *req)
{
    reply_error_format(req, "ERR DEBUG %.*s needs an append-only file, which this server does not write yet",
                       (int)(req->argv[1].len < 32 ? req->argv[1].len : 32), req->argv[1].data);
}

const struct debug_action debug_reply_actions[] = {
    {"change-repl-id", 2, 2, debug_change_repl_id, "", "Gives the server another replication ID."},
    {"client-eviction", 2, 2, debug_client_eviction, "",
     "Would show clients by memory; no limit for all of them exists."},
    {"error", 3, 3, debug_error, "text", "Replies this error."},
    {"loadaof", 2, 2, debug_loadaof, "", "Not there yet."},
    {"log", 3, 3, debug_log, "text", "Writes a line to the log."},
    {"protocol", 3, 3, debug_protocol, "type", "Replies a value of each type of the protocol."},
    {"quicklist-packed-threshold", 3, 3, debug_packed_threshold, "size",
     "Accepted; the limit of blocks alone decides how a list keeps a value."},
    {"replybuffer", 4, 4, debug_replybuffer, "PEAK-RESET-TIME NEVER | RESET | ms, RESIZING 0 | 1",
     "Accepted; clients have no reply buffers of their own."},
    {"set-disable-deny-scripts", 3, 3, debug_nothing, "0 | 1", "Accepted; there are no scripts yet."},
    {NULL},
};
