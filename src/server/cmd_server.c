/* INFO and SHUTDOWN. */
#include "server_internal.h"

#include "base/log.h"
#include "net/socket.h"

bool server_allows(const struct request *req, int allowed)
{
    return allowed == ALLOW_YES || (allowed == ALLOW_LOCAL && socket_peer_is_local(req->client->fd));
}

static void cmd_info(struct request *req)
{
    struct text out = {0};

    info_write(server_of(req), &out, req->argv + 1, req->argc - 1);
    reply_verbatim(req, text_bytes(&out), "txt");
    text_release(&out);
}

/* [NOSAVE | SAVE] [NOW] [FORCE] | ABORT. There is no replica to wait for. */
static void cmd_shutdown(struct request *req)
{
    bool saves = false, must_not_save = false, abort = false, is_now = false, is_forced = false;

    for (int i = 1; i < req->argc; i++) {
        if (argument_is(req, i, "save"))
            saves = true;
        else if (argument_is(req, i, "nosave"))
            must_not_save = true;
        else if (argument_is(req, i, "abort"))
            abort = true;
        else if (argument_is(req, i, "now"))
            is_now = true;
        else if (argument_is(req, i, "force"))
            is_forced = true;
        else {
            reply_syntax_error(req);
            return;
        }
    }
    if ((saves && must_not_save) || (abort && (saves || must_not_save || is_now || is_forced))) {
        reply_syntax_error(req);
        return;
    }
    if (abort) {
        reply_error(req, "ERR No shutdown in progress.");
        return;
    }
    if (req->engine->busy_error && !must_not_save) { /* what is half done must not be saved */
        reply_error(req, req->engine->busy_error);
        return;
    }
    log_write(LOG_NOTICE, "User requested shutdown...");
    if (!persistence_finish(server_of(req), saves, must_not_save, is_forced)) {
        reply_error(req, "ERR Errors trying to SHUTDOWN. Check logs.");
        return;
    }
    req->engine->should_stop = true;
    client_close_after_reply(req->client);
}

/* --- small things ------------------------------------------------------------------------------------------- */

static void cmd_time(struct request *req)
{
    int64_t now_us = clock_now_us(req->engine->clock);

    reply_array(req, 2);
    reply_bulk_int(req, now_us / 1000000);
    reply_bulk_int(req, now_us % 1000000);
}

static const struct command server_commands[] = {
    {"time", cmd_time, 1, CMD_FAST | CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "2.6.0", "O(1)", "",
     "Returns the time: seconds, and microseconds within the second.",
     .tips = "nondeterministic_output"},
    {"info", cmd_info, -1, CMD_LOADING | CMD_STALE | CMD_DANGEROUS, {0, 0, 0}, NULL, "1.0.0",
     "O(1)", "[section [section ...]]", "Shows facts and figures of the server.",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special",
     .history = "7.0.0 Several sections."},
    {"shutdown", cmd_shutdown, -1,
     CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_NO_MULTI | CMD_ALLOW_BUSY, {0, 0, 0},
     NULL, "1.0.0", "O(1)", "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", "Ends the server.",
     .history = "7.0.0 NOW, FORCE and ABORT.",
     .argument_since = "NOW 7.0.0, FORCE 7.0.0, ABORT 7.0.0"},
};
REGISTER_COMMANDS("server", server_commands);
