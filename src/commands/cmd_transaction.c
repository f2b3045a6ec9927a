/* MULTI, EXEC, DISCARD, WATCH, UNWATCH. */
#include "engine/multi.h"
#include "engine/request.h"

static void cmd_multi(struct request *req) { multi_begin(req); }
static void cmd_exec(struct request *req) { multi_exec(req); }
static void cmd_discard(struct request *req) { multi_discard_command(req); }

static void cmd_watch(struct request *req)
{
    if (req->client->flags & CLIENT_IN_MULTI) {
        reply_error(req, ERR_WATCH_IN_MULTI);
        return;
    }
    if (!(req->client->flags & CLIENT_DIRTY_CAS)) /* otherwise EXEC fails in any case */
        for (int i = 1; i < req->argc; i++)
            watch_key(req->client, req->db, req->argv[i]);
    reply_ok(req);
}

static void cmd_unwatch(struct request *req)
{
    watch_forget_all(req->client);
    reply_ok(req);
}

#define TRANSACTION_FLAGS (CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_FAST | CMD_ALLOW_BUSY)

static const struct command transaction_commands[] = {
    {"multi", cmd_multi, 1, TRANSACTION_FLAGS | CMD_NOT_QUEUED, {0, 0, 0}, NULL, "1.2.0", "O(1)",
     "", "Begins a transaction: what follows is queued until EXEC."},
    {"exec", cmd_exec, 1, CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_SKIP_SLOWLOG | CMD_NOT_QUEUED,
     {0, 0, 0}, NULL, "1.2.0", "that of the queued commands", "",
     "Runs the queued commands, unless a watched key has changed."},
    {"discard", cmd_discard, 1, TRANSACTION_FLAGS | CMD_NOT_QUEUED, {0, 0, 0}, NULL, "2.0.0",
     "O(N) queued commands", "", "Drops the queued commands and ends the transaction."},
    {"watch", cmd_watch, -2, TRANSACTION_FLAGS | CMD_NOT_QUEUED, {1, -1, 1}, NULL, "2.2.0",
     "O(1) a key", "key [key ...]", "Makes EXEC run nothing when one of these keys changes before.",
     ALL_KEYS(KEY_RO)},
    {"unwatch", cmd_unwatch, 1, TRANSACTION_FLAGS, {0, 0, 0}, NULL, "2.2.0", "O(1)", "",
     "Forgets all watched keys."},
};
REGISTER_COMMANDS("transactions", transaction_commands);
