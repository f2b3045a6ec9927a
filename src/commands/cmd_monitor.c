/* MONITOR. */
#include "engine/monitor.h"
#include "engine/request.h"

static void cmd_monitor(struct request *req)
{
    if (req->flags & REQUEST_IN_EXEC) {
        reply_error(req, "ERR MONITOR isn't allowed for DENY BLOCKING client");
        return;
    }
    if (!(req->client->flags & CLIENT_MONITOR))
        monitor_begin(req->client);
    reply_ok(req);
}

static const struct command monitor_commands[] = {
    {"monitor", cmd_monitor, 1, CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL,
     "1.0.0", "", "", "Shows every command that any client runs."},
};
REGISTER_COMMANDS("server", monitor_commands);
