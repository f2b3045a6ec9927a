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

/* [NOSAVE | SAVE] [NOW] [FORCE] | ABORT. There is nothing to save yet and no replica to wait for. */
static void cmd_shutdown(struct request *req)
{
    bool save = false, nosave = false, abort = false, other = false;

    for (int i = 1; i < req->argc; i++) {
        if (argument_is(req, i, "save"))
            save = true;
        else if (argument_is(req, i, "nosave"))
            nosave = true;
        else if (argument_is(req, i, "abort"))
            abort = true;
        else if (argument_is(req, i, "now") || argument_is(req, i, "force"))
            other = true;
        else {
            reply_syntax_error(req);
            return;
        }
    }
    if ((save && nosave) || (abort && (save || nosave || other))) {
        reply_syntax_error(req);
        return;
    }
    if (abort) {
        reply_error(req, "ERR No shutdown in progress.");
        return;
    }
    if (req->engine->busy_error && !nosave) { /* what is half done must not be saved */
        reply_error(req, req->engine->busy_error);
        return;
    }
    if (save) {
        reply_error(req, "ERR Errors trying to SHUTDOWN. Check logs.");
        log_write(LOG_WARNING, "SHUTDOWN SAVE: writing a snapshot is not supported yet");
        return;
    }
    log_write(LOG_NOTICE, "User requested shutdown...");
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

/* Without a snapshot yet, the start counts as one. */
static void cmd_lastsave(struct request *req) { reply_int(req, server_of(req)->started_ms / 1000); }

static const struct command server_commands[] = {
    {"time", cmd_time, 1, CMD_FAST | CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "2.6.0", "O(1)", "",
     "Returns the time: seconds, and microseconds within the second.",
     .tips = "nondeterministic_output"},
    {"lastsave", cmd_lastsave, 1, CMD_FAST | CMD_LOADING | CMD_STALE | CMD_IN_ADMIN, {0, 0, 0}, NULL,
     "1.0.0", "O(1)", "", "Returns the time of the last snapshot.",
     .tips = "nondeterministic_output"},
    {"info", cmd_info, -1, CMD_LOADING | CMD_STALE | CMD_DANGEROUS, {0, 0, 0}, NULL, "1.0.0",
     "O(1)", "[section [section ...]]", "Shows facts and figures of the server.",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    {"shutdown", cmd_shutdown, -1,
     CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_NO_MULTI | CMD_ALLOW_BUSY, {0, 0, 0},
     NULL, "1.0.0", "O(1)", "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", "Ends the server."},
};
REGISTER_COMMANDS("server", server_commands);
