/* Making and freeing the engine, and what it does some times a second. */
#include "engine_internal.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "ds/histogram.h"
#include "engine/latency.h"
#include "engine/slowlog.h"

#define IDLE_CHECKED_MIN 16 /* clients looked at in each call of the cron, at least */

struct engine *engine_new(struct store *store, struct clock *clock, struct event_loop *loop)
{
    struct engine *engine = mem_alloc_zero(sizeof *engine);

    engine->store = store;
    engine->clock = clock;
    engine->loop = loop;
    engine->commands = command_set_new();
    engine->command_stats = mem_alloc_zero((command_set_size(engine->commands) + 1) *
                                           sizeof *engine->command_stats);
    engine->settings = (struct engine_settings){
        .max_clients = 10000,
        .tcp_keepalive_seconds = 300,
        .bulk_len_max = 512LL * 1024 * 1024,
        .hll_sparse_bytes_max = 3000,
        .stream_node_max_bytes = 4096,
        .stream_node_max_entries = 100,
        .input_bytes_max = 1024LL * 1024 * 1024,
        .output_limits = {[CLIENT_REPLICA] = {256u << 20, 64u << 20, 60},
                          [CLIENT_PUBSUB] = {32u << 20, 8u << 20, 60}},
        .password = "",
        .slowlog_slower_than_us = 10000,
        .slowlog_max_len = 128,
        .busy_reply_threshold_ms = 5000,
        .is_latency_tracked = true,
    };
    engine->ready_last = &engine->ready_first;
    engine->flush_last = &engine->flush_first;
    engine->watching = watching_new(store->db_count);
    engine->blocking = blocking_new(store->db_count, clock_now_ms(clock));
    engine->pubsub = pubsub_new();
    engine->pause = pause_new();
    engine->propagation = propagation_new();
    engine->slowlog = slowlog_new();
    engine->error_counts = error_counts_new();
    engine_settings_changed(engine);
    engine->turn = turn_new(engine);
    events_observe_store(engine);
    return engine;
}

void engine_set_busy(struct engine *engine, const char *error_text)
{
    engine->busy_error = error_text;
    engine->busy_client_id = engine->next_client_id;
    if (error_text)
        input_release_others(engine->turn);
    engine->guards = error_text ? engine->guards | GUARD_BUSY : engine->guards & ~GUARD_BUSY;
}

/* A negative limit is none. */
static uint64_t limit_ns(int64_t limit, uint64_t unit_ns)
{
    uint64_t ns;

    return limit < 0 || __builtin_mul_overflow((uint64_t)limit, unit_ns, &ns) ? UINT64_MAX : ns;
}

void engine_settings_changed(struct engine *engine)
{
    const struct engine_settings *settings = &engine->settings;
    uint64_t log_ns = limit_ns(settings->slowlog_slower_than_us, 1000);
    uint64_t monitor_ns = settings->latency_threshold_ms
                              ? limit_ns(settings->latency_threshold_ms, 1000000)
                              : UINT64_MAX;

    engine->slow_ns = log_ns < monitor_ns ? log_ns : monitor_ns;
    slowlog_trim(engine);
}

static void reset_command_stats(struct engine *engine)
{
    for (unsigned id = 0; id <= command_set_size(engine->commands); id++) {
        if (engine->command_stats[id].latency)
            histogram_free(engine->command_stats[id].latency);
        engine->command_stats[id] = (struct command_stats){0};
    }
}

void engine_reset_stats(struct engine *engine)
{
    struct engine_stats kept = {.turns = engine->stats.turns};

    engine->stats = kept;
    reset_command_stats(engine);
    error_counts_clear(engine->error_counts);
}

void engine_free(struct engine *engine)
{
    int64_t events;

    for (struct client *client = engine->clients_first; client; client = client->next)
        client_close(client);
    client_free_closed(engine, 0);
    turn_free(engine->turn);
    slowlog_free(engine->slowlog);
    latency_forget_all(engine, &events);
    error_counts_free(engine->error_counts);
    reset_command_stats(engine);
    propagation_free(engine->propagation);
    pause_free(engine->pause);
    pubsub_free(engine->pubsub);
    blocking_free(engine->blocking);
    watching_free(engine->watching);
    mem_free(engine->command_stats,
             (command_set_size(engine->commands) + 1) * sizeof *engine->command_stats);
    command_set_free(engine->commands);
    mem_free(engine, sizeof *engine);
}

/* A client that has been idle for too long; those who wait or are subscribed may be. */
static bool is_idle_too_long(const struct client *client)
{
    const struct engine *engine = client->engine;
    int64_t limit = engine->settings.idle_timeout_seconds;

    return limit && !(client->flags & (CLIENT_BLOCKED | CLIENT_POSTPONED | CLIENT_SUBSCRIBED)) &&
           clock_now_ms(engine->clock) - client->active_ms > limit * 1000;
}

/* Looks at some clients each time, at all of them within a second. */
void engine_cron(struct engine *engine)
{
    size_t left = engine->client_count / 8 + IDLE_CHECKED_MIN;

    if (left > engine->client_count)
        left = engine->client_count;
    for (struct client *client = engine->cron_next; left; left--) {
        if (!client)
            client = engine->clients_first;
        engine->cron_next = client->next;
        if (is_idle_too_long(client) && !(client->flags & CLIENT_CLOSING)) {
            log_write(LOG_VERBOSE, "Closing idle client");
            client_close(client);
        }
        output_check_soft_limit(client);
        client = engine->cron_next;
    }
}
