/* Snapshots by command: SAVE, BGSAVE, LASTSAVE; DEBUG RELOAD. */
#include "debug_internal.h"
#include "server_internal.h"

#include "engine/events.h"

#define ERR_SAVE_IN_PROGRESS "ERR Background save already in progress"
#define ERR_CHILD_ACTIVE                                                                            \
    "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in "   \
    "order to schedule a BGSAVE whenever possible."

static void cmd_save(struct request *req)
{
    struct server *server = server_of(req);
    struct error error;

    if (server->child_kind == CHILD_SAVES) {
        reply_error(req, ERR_SAVE_IN_PROGRESS);
        return;
    }
    server->persistence.saves++;
    if (persistence_save(server, &error) < 0)
        reply_error(req, "ERR");
    else
        reply_ok(req);
}

static void cmd_bgsave(struct request *req)
{
    struct server *server = server_of(req);
    bool may_wait = req->argc == 2 && argument_is(req, 1, "schedule");
    struct error error;

    if (req->argc > 1 && !may_wait) {
        reply_syntax_error(req);
    } else if (server->child_kind == CHILD_SAVES) {
        reply_error(req, ERR_SAVE_IN_PROGRESS);
    } else if (server->child_pid || req->flags & REQUEST_IN_EXEC) {
        if (may_wait || req->flags & REQUEST_IN_EXEC) {
            server->persistence.is_scheduled = true;
            reply_status(req, "Background saving scheduled");
        } else {
            reply_error(req, ERR_CHILD_ACTIVE);
        }
    } else if (persistence_save_aside(server, &error) < 0) {
        reply_error(req, "ERR");
    } else {
        reply_status(req, "Background saving started");
    }
}

static void cmd_lastsave(struct request *req) { reply_int(req, server_of(req)->persistence.saved_s); }

/* --- DEBUG RELOAD ------------------------------------------------------------------------------------------- */

struct reload_options {
    bool must_not_save, must_not_flush, may_merge;
};

static bool parse_reload_or_reply(struct request *req, struct reload_options *options)
{
    *options = (struct reload_options){false, false, false};
    for (int i = 2; i < req->argc; i++) {
        if (argument_is(req, i, "nosave")) {
            options->must_not_save = true;
        } else if (argument_is(req, i, "noflush")) {
            options->must_not_flush = true;
        } else if (argument_is(req, i, "merge")) {
            options->may_merge = true;
        } else {
            reply_error(req, "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
            return false;
        }
    }
    return true;
}

/* Nothing travels; but what is loaded may differ, so that WATCH notices. */
static void flush_all(struct server *server)
{
    uint64_t changes = server->store->changes;

    for (int i = 0; i < server->store->db_count; i++) {
        db_reloading(server->engine, &server->store->dbs[i]);
        store_flush(&server->store->dbs[i]);
    }
    while (!store_free_now(server->store, INT64_MAX))
        ; /* what is loaded next should not stand in memory beside it */
    server->store->changes = changes;
}

static void debug_reload(struct request *req)
{
    struct server *server = server_of(req);
    struct reload_options options;
    struct error error;

    if (!parse_reload_or_reply(req, &options))
        return;
    if (server->persistence.is_loading) { /* half of the data would be saved over the whole */
        reply_error(req, ERR_LOADING);
        return;
    }
    if (!options.must_not_save && persistence_save(server, &error) < 0) {
        reply_error(req, "ERR");
        return;
    }
    if (!options.must_not_flush)
        flush_all(server);
    if (persistence_load(server, options.may_merge))
        reply_ok(req);
    else
        reply_error(req, "ERR Error trying to load the RDB dump, check server logs");
}

const struct debug_action debug_persist_actions[] = {
    {"reload", 2, ANY_ARGC, debug_reload, "[option ...]",
     "Saves the data, empties the databases and loads the file. NOSAVE, NOFLUSH, MERGE leave out a part, or replace keys."},
    {NULL},
};

/* --- the table ---------------------------------------------------------------------------------------------- */

static const struct command persist_commands[] = {
    {"save", cmd_save, 1, CMD_ADMIN | CMD_NOSCRIPT | CMD_NO_ASYNC_LOADING | CMD_NO_MULTI, {0, 0, 0}, NULL, "1.0.0",
     "O(N) keys of all databases", "", "Writes a snapshot while everybody waits."},
    {"bgsave", cmd_bgsave, -1, CMD_ADMIN | CMD_NOSCRIPT | CMD_NO_ASYNC_LOADING, {0, 0, 0}, NULL, "1.0.0", "O(1)",
     "[SCHEDULE]", "Writes a snapshot in a child process.",
     .history = "3.2.2 SCHEDULE.", .argument_since = "SCHEDULE 3.2.2"},
    {"lastsave", cmd_lastsave, 1, CMD_FAST | CMD_LOADING | CMD_STALE | CMD_IN_ADMIN, {0, 0, 0}, NULL,
     "1.0.0", "O(1)", "", "Returns the time of the last snapshot.",
     .tips = "nondeterministic_output"},
};
REGISTER_COMMANDS("server", persist_commands);
