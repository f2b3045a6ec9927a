/* The gate and the call: from a request of the batch to its handler, and what follows it.
 *
 * The checks stand in Redis's order, since a command with two faults must answer the same one. The
 * usual request of a client with nothing special passes on one test of its flags. */
#include "engine_internal.h"

#include "base/assert.h"
#include "base/log.h"
#include "ds/histogram.h"
#include "engine/latency.h"
#include "engine/multi.h"
#include "engine/pause.h"
#include "engine/propagate.h"

#include <ctype.h>
#include <stdio.h>

/* --- refusals --------------------------------------------------------------------------------- */

/* A command that is refused while MULTI queues spoils the transaction. */
static void refuse(struct request *req, const char *text)
{
    if (req->client->flags & CLIENT_IN_MULTI)
        req->client->flags |= CLIENT_DIRTY_EXEC;
    if (req->command)
        req->engine->command_stats[req->command->id].rejected++;
    reply_error(req, text);
}

#define NAME_SHOWN_MAX 128 /* bytes of what the user sent that an error repeats */

/* What a browser sends first when a page was made to talk to us: nobody's command, but an attack. */
static bool is_http(struct bytes name) { return bytes_is(name, "post") || bytes_is(name, "host:"); }

static void refuse_unknown(struct request *req)
{
    char args[NAME_SHOWN_MAX + 8];
    size_t len = 0;

    if (is_http(req->argv[0])) {
        log_write(LOG_WARNING, "Possible SECURITY ATTACK detected. It looks like somebody is sending "
                               "POST or Host: commands to Redis. Connection aborted.");
        client_close(req->client);
        return;
    }
    args[0] = '\0';
    for (int i = 1; i < req->argc && len < NAME_SHOWN_MAX; i++) {
        size_t shown = req->argv[i].len, room = NAME_SHOWN_MAX - len;

        len += (size_t)snprintf(args + len, sizeof args - len, "'%.*s' ",
                                (int)(shown < room ? shown : room), req->argv[i].data);
        if (len >= sizeof args)
            len = sizeof args - 1;
    }
    if (req->client->flags & CLIENT_IN_MULTI)
        req->client->flags |= CLIENT_DIRTY_EXEC;
    reply_error_format(req, "ERR unknown command '%.*s', with args beginning with: %s",
                       (int)(req->argv[0].len < NAME_SHOWN_MAX ? req->argv[0].len : NAME_SHOWN_MAX),
                       req->argv[0].data, args);
}

static void refuse_unknown_subcommand(struct request *req)
{
    size_t len = req->argv[1].len;
    char name[COMMAND_NAME_MAX];

    snprintf(name, sizeof name, "%s", req->command->name);
    for (char *at = name; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    if (req->client->flags & CLIENT_IN_MULTI)
        req->client->flags |= CLIENT_DIRTY_EXEC;
    reply_error_format(req, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                       (int)(len < NAME_SHOWN_MAX ? len : NAME_SHOWN_MAX), req->argv[1].data,
                       name);
}

static void refuse_arity(struct request *req)
{
    if (!strcmp(req->command->row->name, "exec")) {
        multi_forget(req->client);
        reply_error(req, "EXECABORT Transaction discarded because of: wrong number of arguments for "
                         "'exec' command");
        return;
    }
    if (req->client->flags & CLIENT_IN_MULTI)
        req->client->flags |= CLIENT_DIRTY_EXEC;
    req->engine->command_stats[req->command->id].rejected++;
    reply_wrong_arity(req);
}

/* An EXEC that is refused ends its transaction, and says so. */
static void refuse_or_abort(struct request *req, const char *text)
{
    if (req->client->flags & CLIENT_IN_MULTI && !strcmp(req->command->row->name, "exec")) {
        multi_forget(req->client);
        req->engine->command_stats[req->command->id].rejected++;
        reply_error_format(req, "EXECABORT Transaction discarded because of: %s", text);
        return;
    }
    refuse(req, text);
}

/* --- the gate ----------------------------------------------------------------------------------- */

/* Finds the subcommand; false when the request is answered. */
static bool resolve(struct request *req)
{
    const struct command_entry *sub;

    req->client->last_command = req->command;
    if (!req->command) {
        refuse_unknown(req);
        return false;
    }
    if (req->command->row->subcommands && req->argc >= 2) {
        sub = subcommand_find(req->engine->commands, req->command, req->argv[1]);
        req->client->last_command = sub;
        if (!sub) {
            refuse_unknown_subcommand(req);
            return false;
        }
        req->command = sub;
    }
    if (!command_arity_fits(req->command->row, req->argc) || !req->command->row->handler) {
        refuse_arity(req);
        return false;
    }
    return true;
}

static bool is_kept_from_subscribed(const struct request *req)
{
    return req->client->flags & CLIENT_SUBSCRIBED && req->client->resp == 2 &&
           !(req->command->row->flags & CMD_IN_SUBSCRIBED);
}

static void refuse_in_subscribed(struct request *req)
{
    char name[COMMAND_NAME_MAX];

    if (req->client->flags & CLIENT_IN_MULTI)
        req->client->flags |= CLIENT_DIRTY_EXEC;
    req->engine->command_stats[req->command->id].rejected++;
    reply_error_format(req,
                       "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
                       "QUIT / RESET are allowed in this context",
                       command_full_name(req->command, name));
}

/* EXEC does when its queue does. */
static bool may_write(const struct request *req)
{
    const struct command *row = req->command->row;

    if (req->client->flags & CLIENT_IN_MULTI && !strcmp(row->name, "exec"))
        return multi_may_write(req->client);
    return request_command_flags(req) & (CMD_WRITE | CMD_MAY_REPLICATE);
}

/* EXEC does when its queue does. */
static bool may_grow(const struct request *req)
{
    if (req->client->flags & CLIENT_IN_MULTI && !strcmp(req->command->row->name, "exec"))
        return multi_may_grow(req->client);
    return request_command_flags(req) & CMD_GROWS;
}

static bool is_kept_from_failed(const struct request *req)
{
    const struct command *row = req->command->row;

    return request_command_flags(req) & CMD_WRITE || !strcmp(row->name, "ping") ||
           (!strcmp(row->name, "exec") && multi_writes(req->client));
}

/* Nothing has to go for a command that needs no memory; while much goes, commands need not wait for the end. */
static bool has_room(const struct request *req)
{
    struct store *store = req->engine->store;

    return !store_is_over_limit(store) || !may_grow(req) || store_evict(store) != EVICT_FAILED;
}

/* True when the request may run now. */
static bool pass_gate(struct request *req)
{
    struct client *client = req->client;
    unsigned flags = req->command->row->flags;

    if (client_needs_auth(client) && !(flags & CMD_NO_AUTH)) {
        refuse(req, ERR_NOAUTH);
        return false;
    }
    if (client->flags & CLIENT_IN_MULTI && flags & CMD_NO_MULTI) {
        refuse(req, ERR_NOT_IN_MULTI);
        return false;
    }
    if (!has_room(req)) {
        refuse_or_abort(req, ERR_OUT_OF_MEMORY);
        return false;
    }
    if (req->engine->guards & GUARD_WRITES && is_kept_from_failed(req)) {
        refuse_or_abort(req, ERR_SNAPSHOT_FAILED);
        return false;
    }
    if (is_kept_from_subscribed(req)) {
        refuse_in_subscribed(req);
        return false;
    }
    if (req->engine->guards & GUARD_LOADING && !(flags & CMD_LOADING)) {
        refuse(req, ERR_LOADING);
        return false;
    }
    if (client->flags & CLIENT_MONITOR && flags & (CMD_WRITE | CMD_READONLY | CMD_MAY_REPLICATE)) {
        refuse(req, "ERR Replica can't interact with the keyspace");
        return false;
    }
    if (req->engine->busy_error && !(flags & CMD_ALLOW_BUSY)) {
        refuse_or_abort(req, req->engine->busy_error);
        return false;
    }
    if (pause_is_active(req->engine) && pause_holds(req, may_write(req)))
        return false;
    if (client->flags & CLIENT_IN_MULTI && !(flags & CMD_NOT_QUEUED)) {
        multi_queue(req);
        reply_status(req, "QUEUED");
        return false;
    }
    return true;
}

/* --- the call ----------------------------------------------------------------------------------- */

/* The rare call that took long. */
static void note_slow(struct request *req, uint64_t duration_ns)
{
    int64_t slower_than = req->engine->settings.slowlog_slower_than_us;
    uint32_t flags = req->command->row->flags;

    if (slower_than >= 0 && (int64_t)(duration_ns / 1000) >= slower_than && !(flags & CMD_SKIP_SLOWLOG))
        slowlog_add(req, duration_ns);
    latency_add(req->engine, flags & CMD_FAST ? "fast-command" : "command", duration_ns);
}

static void count_call(struct request *req, uint64_t ended_ns)
{
    struct command_stats *stats = &req->engine->command_stats[req->command->id];
    uint64_t duration_ns = ended_ns - req->started_ns;

    stats->calls++;
    stats->time_ns += duration_ns;
    if (req->engine->settings.is_latency_tracked) {
        if (__builtin_expect(!stats->latency, 0))
            stats->latency = histogram_new();
        histogram_add(stats->latency, duration_ns);
    }
    if (__builtin_expect(duration_ns >= req->engine->slow_ns, 0))
        note_slow(req, duration_ns);
    stats->failed += (req->flags & REQUEST_FAILED) != 0;
    req->engine->stats.commands++;
}

void dispatch_call(struct request *req)
{
    struct engine *engine = req->engine;
    struct client *client = req->client;
#ifdef TERN_DEBUG
    uint64_t store_changes = engine->store->changes;
    int64_t changes = engine->changes;
#endif

    client->commands++;
    req->command->row->handler(req);
#ifdef TERN_DEBUG
    /* What a write changed was reported. */
    ASSERT(engine->store->changes == store_changes || engine->changes != changes);
#endif
    if (req->flags & REQUEST_CHANGED)
        propagate_request(req);
    if (!engine->is_in_unit)
        engine->boundary_ns = clock_tick(engine->clock);
    if (!(req->flags & REQUEST_BLOCKED))
        count_call(req, engine->is_in_unit ? clock_work_ns() : engine->boundary_ns);
    if (__builtin_expect(engine->monitors != NULL, 0) && !(req->flags & REQUEST_IS_RERUN) &&
        !(req->command->row->flags & (CMD_SKIP_MONITOR | CMD_ADMIN)))
        monitor_feed(req);
}

/* The rare part of a request's way: a client in some special state. */
static void dispatch_gated(struct request *req)
{
    struct client *client = req->client;
    struct window *window = req->window;
    bool is_skipped = client->flags & CLIENT_REPLY_SKIP_NEXT;

    window->is_muted = is_skipped || client->flags & CLIENT_REPLY_OFF;
    if (resolve(req) && pass_gate(req))
        dispatch_call(req);
    if (!(client->flags & (CLIENT_BLOCKED | CLIENT_POSTPONED)))
        client->flags &= ~CLIENT_REPLY_SKIP_NEXT; /* else the reply is still to come */
    if (window->is_muted || client->flags & CLIENT_REPLY_OFF)
        window->at = window->command_start;
    window->is_muted = false;
}

/* CLIENT REPLY SKIP itself answers nothing; the next command is the one it speaks of. */
static void skip_next(struct request *req)
{
    req->client->flags ^= CLIENT_REPLY_SKIP | CLIENT_REPLY_SKIP_NEXT;
    req->window->at = req->window->command_start;
}

void dispatch_end_unit(struct engine *engine)
{
    unsigned after = engine->after;

    engine->after = 0;
    if (after & AFTER_PROPAGATE)
        propagate_end_unit(engine);
    if (after & AFTER_PUSHES && engine->running)
        output_end_command(&engine->turn->window, engine->running);
    if (after & AFTER_READY) {
        blocking_serve(engine);
        if (engine->running && engine->running->pushes.bytes) /* of those who were served */
            output_end_command(&engine->turn->window, engine->running);
    }
}

/* Only now, since it changes the bytes: what is held back before is parsed again from what was sent. */
static void unquote(struct request *req)
{
    resp_unquote(req->argv, (uint32_t)req->argc);
    req->flags &= ~REQUEST_IS_QUOTED;
    req->command = command_find(req->engine->commands, req->argv[0]);
}

void dispatch(struct request *req)
{
    struct engine *engine = req->engine;
    struct client *client = req->client;

    req->window->command_start = req->window->at;
    req->started_ns = engine->boundary_ns;
    req->db = client->db;
    if (__builtin_expect(req->flags & REQUEST_PROTOCOL_ERROR, 0)) {
        reply_error_format(req, "ERR %s", req->protocol_error);
        client_close_after_reply(client);
        return;
    }
    if (__builtin_expect(req->flags & REQUEST_IS_QUOTED, 0))
        unquote(req);
    engine->running = client;
    if (__builtin_expect(client->flags & CLIENT_GATED || engine->guards ||
                             store_is_over_limit(engine->store),
                         0))
        dispatch_gated(req);
    else if (resolve(req))
        dispatch_call(req);
    if (client->flags & CLIENT_REPLY_SKIP)
        skip_next(req);
    if (__builtin_expect(engine->after, 0))
        dispatch_end_unit(engine);
    engine->running = NULL;
}

bool dispatch_rerun(struct request *req)
{
    struct engine *engine = req->engine;
    struct window_segment outer;
    struct client *running = engine->running;
    bool is_served;

    req->window = &engine->turn->window;
    req->flags = (req->flags | REQUEST_IS_RERUN) & ~(REQUEST_BLOCKED | REQUEST_CHANGED |
                                                     REQUEST_PROPAGATED | REQUEST_FAILED);
    req->started_ns = engine->boundary_ns;
    engine->running = req->client;
    if (running)
        running->flags |= CLIENT_SERVES_OTHERS;
    window_begin_nested(req->window, req->client, &outer);
    req->window->is_muted = req->client->flags & (CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP_NEXT);
    dispatch_call(req);
    if (req->window->is_muted)
        req->window->at = req->window->command_start;
    req->window->is_muted = false;
    is_served = !(req->flags & REQUEST_BLOCKED);
    if (engine->after & AFTER_PROPAGATE)
        propagate_end_unit(engine);
    if (engine->after & AFTER_PUSHES)
        output_end_command(req->window, req->client);
    engine->after &= AFTER_READY;
    window_end_nested(req->window, &outer);
    engine->running = running;
    if (running)
        running->flags &= ~CLIENT_SERVES_OTHERS;
    return is_served;
}

void dispatch_outside(struct engine *engine)
{
    if (engine->after)
        dispatch_end_unit(engine);
}
