/* The turn: what is ready is read, parsed ahead into a batch, and the batch is run.
 *
 *     wait -> for each ready client: read, parse -> batch full, or all are read -> run -> send
 *
 * Adding a command to the batch computes the hashes of its keys and asks for their buckets; before
 * the batch runs, the likely entries are asked for. So the misses of a whole batch overlap. A batch
 * carries hashes, never pointers into tables: handlers look up again.
 *
 * A client that is killed, blocked or postponed by a command of the batch has its other commands
 * dropped (input_hold_back). Closed clients are freed when the outermost turn ends, so that a pointer
 * in a batch is never stale. */
#include "engine_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/pause.h"
#include "net/socket.h"
#include "store/string_value.h"
#include "store/value.h"

#include <errno.h>
#include <unistd.h>

/* A key's block often reaches into the next line: asking for it too made INCR, 64 deep, 0.8 times as
 * long. */
#define ENTRY_SECOND_LINE 63

#define ACCEPT_MAX 1000 /* connections taken in one turn */

enum source_kind { SOURCE_CLIENT, SOURCE_LISTENER, SOURCE_UNIX_LISTENER, SOURCE_OTHER };

static void forget_last_key(struct turn *turn) { turn->last_key.len = SIZE_MAX; }

struct turn *turn_new(struct engine *engine)
{
    struct turn *turn = mem_alloc_zero(sizeof *turn);

    turn->engine = engine;
    turn->arena = mem_alloc(ARENA_SIZE);
    turn->batch = mem_alloc(BATCH_MAX * sizeof *turn->batch);
    turn->args = mem_alloc(BATCH_ARGS_MAX * sizeof *turn->args);
    turn->hashes = mem_alloc(BATCH_HASHES_MAX * sizeof *turn->hashes);
    window_init(&turn->window);
    forget_last_key(turn);
    return turn;
}

void turn_free(struct turn *turn)
{
    window_release(&turn->window);
    mem_free(turn->hashes, BATCH_HASHES_MAX * sizeof *turn->hashes);
    mem_free(turn->args, BATCH_ARGS_MAX * sizeof *turn->args);
    mem_free(turn->batch, BATCH_MAX * sizeof *turn->batch);
    mem_free(turn->arena, ARENA_SIZE);
    mem_free(turn, sizeof *turn);
}

/* --- the batch ------------------------------------------------------------------------------- */

/* Commands in a row are often for one key: its hash is kept while the batch is filled. */
static inline uint64_t hash_key(struct turn *turn, struct bytes key)
{
    if (bytes_equal(key, turn->last_key))
        return turn->last_hash;
    uint64_t hash = hash_bytes(key);
    if (key.len <= BYTES_SHORT) { /* a long one may be in a block that goes with its request */
        turn->last_key = key;
        turn->last_hash = hash;
    }
    return hash;
}

/* The hashes of the first keys, and their buckets on the way to the cache. */
static void hash_keys(struct turn *turn, struct request *req)
{
    const struct key_spec *keys = &req->command->row->keys;
    int last = key_spec_last(keys, req->argc);

    req->hashes = turn->hashes + turn->hashes_used;
    for (int at = keys->first; at <= last && at < req->argc; at += keys->step) {
        uint64_t hash;

        if (req->hash_count == REQUEST_HASHES_MAX || turn->hashes_used == BATCH_HASHES_MAX)
            return;
        hash = hash_key(turn, req->argv[at]);
        dict_prefetch(&req->db->keys, hash);
        turn->hashes[turn->hashes_used++] = hash;
        req->hash_count++;
    }
}

struct request *turn_add(struct turn *turn, struct client *client, struct bytes raw,
                         struct bytes *args, int argc, bool is_quoted)
{
    struct request *req = &turn->batch[turn->batch_count++];

    req->client = client;
    req->engine = turn->engine;
    req->window = &turn->window;
    req->db = client->db;
    req->argv = args;
    req->argc = argc;
    req->flags = is_quoted ? REQUEST_IS_QUOTED : 0;
    req->hash_count = 0;
    req->member_hash = 0;
    req->raw = raw;
    req->bigs = turn->next_bigs;
    req->protocol_error = NULL;
    turn->next_bigs = NULL;
    req->command = argc && !is_quoted ? command_find(turn->engine->commands, args[0]) : NULL;
    if (req->command && req->command->row->keys.first)
        hash_keys(turn, req);
    return req;
}

static void free_bigs(struct request *req)
{
    while (req->bigs) {
        struct big_argument *big = req->bigs;

        req->bigs = big->next;
        if (big->block)
            string_block_free(big->block);
        mem_free(big, sizeof *big);
    }
}

void turn_drop(struct request *req)
{
    free_bigs(req);
    client_set_text(&req->protocol_error, (struct bytes){NULL, 0});
    req->client = NULL;
}

static void prefetch_entries(const struct turn *turn)
{
    uint64_t last = 0;

    for (int i = 0; i < turn->batch_count; i++) {
        const struct request *req = &turn->batch[i];

        for (int k = 0; k < req->hash_count; k++) {
            if (req->hashes[k] == last)
                continue;
            last = req->hashes[k];
            const void *entry = dict_peek(&req->db->keys, last);
            __builtin_prefetch(entry);
            __builtin_prefetch((const char *)entry + ENTRY_SECOND_LINE);
        }
    }
}

static bool has_member(const struct request *req)
{
    int at = req->command ? req->command->row->member : 0;

    return at && req->hash_count && at < req->argc;
}

/* The table of the value at the request's key; NULL when it has none. Like every pointer into a table it is void once a
 * request has run. */
static const struct dict *members_of(const struct request *req)
{
    const struct entry *entry = dict_peek(&req->db->keys, req->hashes[0]);
    const struct value_ops *ops;

    if (!entry || entry->type == VALUE_STRING)
        return NULL;
    ops = value_ops_of(entry->type);
    return ops->table ? ops->table(entry_value(entry)) : NULL;
}

/* Elements of large values, as keys are: first all buckets are asked for, then all blocks. */
static void prefetch_members(const struct turn *turn)
{
    const struct dict *tables[BATCH_MAX];
    const struct request *last = NULL; /* the one of 'table' */
    const struct dict *table = NULL;

    for (int i = 0; i < turn->batch_count; i++) {
        struct request *req = &turn->batch[i];

        tables[i] = NULL;
        if (!has_member(req))
            continue;
        if (!last || last->hashes[0] != req->hashes[0] || last->db != req->db) {
            table = members_of(req);
            last = req;
        }
        if (!table)
            continue;
        tables[i] = table;
        req->member_hash = hash_bytes(req->argv[req->command->row->member]);
        dict_prefetch(table, req->member_hash);
    }
    for (int i = 0; i < turn->batch_count; i++)
        if (tables[i])
            __builtin_prefetch(dict_peek(tables[i], turn->batch[i].member_hash));
}

void turn_end_share(struct turn *turn, struct client *client)
{
    if (turn->window.client == client) {
        if (client->flags & CLIENT_CLOSING)
            turn->window.at = turn->window.command_start = turn->window.segment;
        window_flush(&turn->window);
    }
    client->turn = NULL;
    if (client->flags & CLIENT_CLOSE_AFTER_REPLY && !client->output.bytes)
        client_close(client);
}

static void run_one(struct turn *turn, struct request *req)
{
    struct client *client = req->client;

    if (!(client->flags & CLIENT_STOPPED)) {
        window_begin(&turn->window, client);
        dispatch(req);
    }
    if (__builtin_expect(client->flags & CLIENT_STOPPED, 0)) {
        input_hold_back(turn, req);
        turn_drop(req);
        return;
    }
    if (__builtin_expect(req->bigs != NULL, 0))
        free_bigs(req);
    if (req->flags & REQUEST_LAST_OF_SHARE)
        turn_end_share(turn, client);
}

const struct request *engine_running_request(const struct engine *engine)
{
    const struct turn *turn = engine->turn;

    return turn && engine->running && turn->batch_at < turn->batch_count ? &turn->batch[turn->batch_at] : NULL;
}

void turn_run_batch(struct turn *turn, uint32_t kept_args)
{
    if (turn->batch_count) {
        prefetch_entries(turn);
        prefetch_members(turn);
        turn->engine->stats.batches++;
        turn->engine->boundary_ns = clock_tick(turn->engine->clock);
        for (turn->batch_at = 0; turn->batch_at < turn->batch_count; turn->batch_at++)
            if (turn->batch[turn->batch_at].client)
                run_one(turn, &turn->batch[turn->batch_at]);
        turn->batch_count = 0;
        turn->batch_at = 0;
        turn->hashes_used = 0;
        forget_last_key(turn);
    }
    if (kept_args)
        memmove(turn->args, turn->args + turn->args_used, kept_args * sizeof *turn->args);
    turn->args_used = 0;
}

void turn_run_detached(struct turn *turn, struct request *req)
{
    struct client *client = req->client;

    req->window = &turn->window;
    client->turn = turn; /* a nested turn leaves its later commands alone */
    window_begin(&turn->window, client);
    turn->engine->boundary_ns = clock_tick(turn->engine->clock);
    dispatch(req);
    turn_end_share(turn, client);
    request_free_detached(req);
    if (!(client->flags & CLIENT_STOPPED))
        turn_make_ready(client);
}

void turn_make_ready(struct client *client)
{
    struct engine *engine = client->engine;

    if (client->flags & CLIENT_IN_READY_LIST || !client->input)
        return;
    client->flags |= CLIENT_IN_READY_LIST;
    client->ready_next = NULL;
    *engine->ready_last = client;
    engine->ready_last = &client->ready_next;
}

/* --- connections ------------------------------------------------------------------------------ */

static void refuse(struct engine *engine, int fd, const char *text)
{
    engine->stats.rejected_connections++;
    if (write(fd, "-", 1) == 1 && write(fd, text, strlen(text)) > 0 && write(fd, "\r\n", 2) == 2)
        log_write(LOG_VERBOSE, "Refused a connection: %.40s", text);
    close(fd);
}

static bool is_unprotected(const struct engine *engine, int fd)
{
    return engine->settings.is_protected_mode && !*engine->settings.password &&
           !socket_peer_is_local(fd);
}

static void accept_clients(struct engine *engine, int listener, bool is_unix)
{
    for (int i = 0; i < ACCEPT_MAX; i++) {
        int fd = socket_accept(listener);

        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR)
                log_write(LOG_WARNING, "Accepting client connection: %s", strerror(errno));
            return;
        }
        if ((int64_t)engine->client_count >= engine->settings.max_clients)
            refuse(engine, fd, ERR_MAX_CLIENTS);
        else if (is_unprotected(engine, fd))
            refuse(engine, fd, ERR_PROTECTED_MODE);
        else
            client_add(engine, fd, is_unix);
    }
}

int engine_listen(struct engine *engine, int listener, bool is_unix)
{
    return event_loop_add(engine->loop, listener, engine,
                          is_unix ? SOURCE_UNIX_LISTENER : SOURCE_LISTENER, EVENT_READABLE);
}

void engine_stop_listening(struct engine *engine, int listener)
{
    event_loop_remove(engine->loop, listener);
}

int engine_watch(struct engine *engine, int fd, struct engine_source *source, unsigned interest)
{
    return event_loop_add(engine->loop, fd, source, SOURCE_OTHER, interest);
}

void engine_unwatch(struct engine *engine, int fd) { event_loop_remove(engine->loop, fd); }

/* --- a turn ------------------------------------------------------------------------------------ */

static void serve_event(struct turn *turn, const struct event *event)
{
    struct engine *engine = turn->engine;
    struct client *client = event->owner;
    struct engine_source *source = event->owner;

    switch (event->kind) {
    case SOURCE_CLIENT:
        if (event->readiness & EVENT_WRITABLE)
            output_writable(client);
        /* A client in the ready list has its turn there. */
        if (event->readiness & EVENT_READABLE && !(client->flags & CLIENT_IN_READY_LIST))
            input_feed(turn, client, true);
        break;
    case SOURCE_LISTENER:
    case SOURCE_UNIX_LISTENER:
        accept_clients(engine, event->fd, event->kind == SOURCE_UNIX_LISTENER);
        break;
    case SOURCE_OTHER:
        source->ready(source, event->readiness);
        break;
    }
}

/* Those that become ready meanwhile wait for the next turn. A nested turn takes over what the outer one has not
 * come to. */
static void serve_ready_list(struct turn *turn)
{
    struct engine *engine = turn->engine;
    struct client *client;

    *engine->ready_last = engine->ready_rest;
    engine->ready_rest = engine->ready_first;
    engine->ready_first = NULL;
    engine->ready_last = &engine->ready_first;
    while ((client = engine->ready_rest) != NULL) {
        engine->ready_rest = client->ready_next;
        client->flags &= ~CLIENT_IN_READY_LIST;
        if (client->turn)
            turn_make_ready(client); /* an outer turn's */
        else
            input_feed(turn, client, false);
    }
}

static int wait_ms(const struct engine *engine, int64_t timeout_ms)
{
    int64_t now_ms = clock_now_ms(engine->clock), next;

    if (engine->ready_first || engine->flush_first || engine->close_first)
        return 0;
    next = blocking_next_ms(engine);
    if (pause_end_ms(engine) < next)
        next = pause_end_ms(engine);
    if (next <= now_ms)
        return 0;
    if (next - now_ms < timeout_ms)
        timeout_ms = next - now_ms;
    return (int)timeout_ms;
}

static void run_turn(struct turn *turn, int64_t timeout_ms)
{
    struct engine *engine = turn->engine;
    uint64_t started_ns;
    int count;

    event_loop_wait(engine->loop, &turn->events, wait_ms(engine, timeout_ms));
    started_ns = clock_work_ns();
    clock_sync(engine->clock);
    store_tick(engine->store);
    engine->stats.turns++;
    count = turn->events.count;
    for (int i = 0; i < count; i++) {
        struct event event;

        if (event_loop_get(engine->loop, &turn->events, i, &event))
            serve_event(turn, &event);
    }
    if (engine->ready_first || engine->ready_rest)
        serve_ready_list(turn);
    turn_run_batch(turn, 0);
    turn->arena_used = 0;
    if (!engine->busy_error) { /* they run commands, which must wait for the script */
        pause_check(engine);
        blocking_expire(engine);
    }
    dispatch_outside(engine);
    output_flush_lists(engine);
    if (engine->close_first && (engine->turn_depth == 1 || engine->busy_error))
        client_free_closed(engine, engine->turn_depth == 1 ? 0 : engine->busy_client_id);
    engine->stats.turns_ns += clock_work_ns() - started_ns;
}

void engine_turn(struct engine *engine, int64_t timeout_ms)
{
    engine->turn_depth++;
    run_turn(engine->turn, timeout_ms);
    engine->turn_depth--;
}

void engine_nested_turn(struct engine *engine)
{
    struct turn *outer = engine->turn;
    struct client *running = engine->running;
    bool is_in_unit = engine->is_in_unit;
    unsigned after = engine->after;
    int64_t now_us = engine->clock->now_us;

    engine->turn = turn_new(engine);
    engine->turn->outer = outer;
    engine->running = NULL;
    engine->is_in_unit = false;
    engine->after = 0;
    engine->turn_depth++;
    if (running)
        running->flags |= CLIENT_SERVES_OTHERS;
    input_run_released(engine->turn);
    run_turn(engine->turn, 0);
    if (running)
        running->flags &= ~CLIENT_SERVES_OTHERS;
    engine->turn_depth--;
    turn_free(engine->turn);
    engine->turn = outer;
    engine->running = running;
    engine->is_in_unit = is_in_unit;
    if (is_in_unit)
        engine->clock->now_us = now_us; /* the time of the unit goes on standing still */
    engine->after |= after;
    if (running && running->pushes.bytes)
        engine->after |= AFTER_PUSHES;
}
