/* What replication answers while nobody replicates. */
#include "engine/blocking.h"
#include "engine/request.h"

static void cmd_role(struct request *req)
{
    reply_array(req, 3);
    reply_bulk_string(req, "master");
    reply_int(req, 0);
    reply_array(req, 0);
}

/* There is no replica that could have got anything. */
static void reply_none(struct request *req) { reply_int(req, 0); }

static void cmd_wait(struct request *req)
{
    int64_t replicas, deadline_ms;

    if (!parse_int_or_reply(req, 1, &replicas) || !parse_timeout_ms_or_reply(req, 2, &deadline_ms))
        return;
    if (replicas <= 0)
        reply_none(req);
    else
        block_until(req, deadline_ms, reply_none);
}

static void reply_none_of_both(struct request *req)
{
    reply_array(req, 2);
    reply_int(req, 0);
    reply_int(req, 0);
}

static void cmd_waitaof(struct request *req)
{
    int64_t local, replicas, deadline_ms;

    if (!parse_int_range_or_reply(req, 1, 0, 1, &local,
                                  "ERR value is out of range, value must between 0 and 1") ||
        !parse_int_range_or_reply(req, 2, 0, INT64_MAX, &replicas, ERR_NOT_POSITIVE) ||
        !parse_timeout_ms_or_reply(req, 3, &deadline_ms))
        return;
    if (local)
        reply_error(req, "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
    else if (!replicas)
        reply_none_of_both(req);
    else
        block_until(req, deadline_ms, reply_none_of_both);
}

static const struct command replication_commands[] = {
    {"role", cmd_role, 1, CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_FAST | CMD_IN_ADMIN,
     {0, 0, 0}, NULL, "2.8.12", "O(1)", "", "Returns the part that the server plays in replication."},
};
static const struct command wait_commands[] = {
    {"wait", cmd_wait, 3, CMD_BLOCKING | CMD_IN_CONNECTION, {0, 0, 0}, NULL, "3.0.0",
     "O(1)", "numreplicas timeout", "Waits until replicas have what this connection wrote.",
     .tips = "request_policy:all_shards response_policy:agg_min"},
    {"waitaof", cmd_waitaof, 4, CMD_BLOCKING | CMD_IN_CONNECTION, {0, 0, 0}, NULL,
     "7.2.0", "O(1)", "numlocal numreplicas timeout",
     "Waits until files, here and at replicas, have what this connection wrote.",
     .tips = "request_policy:all_shards response_policy:agg_min"},
};
REGISTER_COMMANDS("server", replication_commands);
REGISTER_COMMANDS("generic", wait_commands);
