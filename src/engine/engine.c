/* Making and freeing the engine, and what it does some times a second. */
#include "engine_internal.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"

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
        .stream_node_max_bytes = 4096,
        .stream_node_max_entries = 100,
        .input_bytes_max = 1024LL * 1024 * 1024,
        .output_limits = {[CLIENT_REPLICA] = {256u << 20, 64u << 20, 60},
                          [CLIENT_PUBSUB] = {32u << 20, 8u << 20, 60}},
        .password = "",
    };
    engine->ready_last = &engine->ready_first;
    engine->flush_last = &engine->flush_first;
    engine->watching = watching_new(store->db_count);
    engine->blocking = blocking_new(store->db_count, clock_now_ms(clock));
    engine->pubsub = pubsub_new();
    engine->pause = pause_new();
    engine->propagation = propagation_new();
    engine->turn = turn_new(engine);
    events_observe_store(engine);
    return engine;
}

void engine_free(struct engine *engine)
{
    for (struct client *client = engine->clients_first; client; client = client->next)
        client_close(client);
    client_free_closed(engine);
    turn_free(engine->turn);
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
