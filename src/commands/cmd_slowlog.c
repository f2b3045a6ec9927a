/* SLOWLOG: the commands that took long. */
#include "commands/help.h"
#include "engine/request.h"
#include "engine/slowlog.h"

#define GET_DEFAULT 10

static void reply_slow(struct request *req, const struct slow_command *slow)
{
    reply_array(req, 6);
    reply_int(req, slow->id);
    reply_int(req, slow->time_s);
    reply_int(req, slow->duration_us);
    reply_array(req, (size_t)slow->argc);
    for (int i = 0; i < slow->argc; i++)
        reply_bulk(req, slow->argv[i]);
    reply_bulk(req, slow->address);
    reply_bulk(req, slow->name);
}

static void slowlog_get(struct request *req)
{
    const struct slow_command *slow = slowlog_newest(req->engine);
    int64_t count = GET_DEFAULT, size = (int64_t)slowlog_size(req->engine);

    if (req->argc > 3) {
        reply_subcommand_error(req);
        return;
    }
    if (req->argc == 3 && !parse_int_range_or_reply(req, 2, -1, INT64_MAX, &count,
                                                    "ERR count should be greater than or equal to -1"))
        return;
    if (count < 0 || count > size)
        count = size;
    reply_array(req, (size_t)count);
    for (; count > 0; count--, slow = slow->next)
        reply_slow(req, slow);
}

static void slowlog_len(struct request *req) { reply_int(req, (int64_t)slowlog_size(req->engine)); }

static void slowlog_reset(struct request *req)
{
    slowlog_clear(req->engine);
    reply_ok(req);
}

#define SLOWLOG_FLAGS (CMD_ADMIN | CMD_LOADING | CMD_STALE)

static const struct command slowlog_subcommands[] = {
    {"get", slowlog_get, -2, SLOWLOG_FLAGS, {0, 0, 0}, NULL, "2.2.12", "O(N) entries", "[count]",
     "Returns the last slow commands; -1 for all.",
     .tips = "request_policy:all_nodes nondeterministic_output",
     .history = "4.0.0 The client's address and name in the reply."},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "6.2.0", "O(1)", "",
     "Prints this help."},
    {"len", slowlog_len, 2, SLOWLOG_FLAGS, {0, 0, 0}, NULL, "2.2.12", "O(1)", "",
     "Returns the number of slow commands that are kept.",
     .tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"},
    {"reset", slowlog_reset, 2, SLOWLOG_FLAGS, {0, 0, 0}, NULL, "2.2.12", "O(N) entries", "",
     "Forgets the slow commands.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {0},
};

static const struct command slowlog_commands[] = {
    {"slowlog", NULL, -2, 0, {0, 0, 0}, slowlog_subcommands, "2.2.12", "", "",
     "Shows the commands that took long."},
};
REGISTER_COMMANDS("server", slowlog_commands);
