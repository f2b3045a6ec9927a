/* The main loop: turns of the engine, slices of housekeeping, and the cron.
 *
 * A slice is run when there is work and the loop is idle, or when the last one is some time ago, so that
 * under load housekeeping takes a bounded share. No slice takes longer than its budget by more than one
 * piece of each kind of work. */
#include "server_internal.h"

#include "script/script.h"

#define SLICE_NS      250000
#define SLICE_PAUSE_NS 1000000 /* under load: a fifth of the time at most */
#define RATE_PERIOD_NS 1000000000ULL

static void update_rate(struct server *server, uint64_t now_ns)
{
    const struct engine_stats *stats = &server->engine->stats;
    double seconds = (double)(now_ns - server->rate.at_ns) / 1e9;

    if (now_ns - server->rate.at_ns < RATE_PERIOD_NS)
        return;
    server->rate.commands_per_second = (double)(stats->commands - server->rate.commands) / seconds;
    server->rate.kb_in_per_second = (double)(stats->bytes_in - server->rate.bytes_in) / 1024 / seconds;
    server->rate.kb_out_per_second =
        (double)(stats->bytes_out - server->rate.bytes_out) / 1024 / seconds;
    server->rate.turns_per_second = (double)(stats->turns - server->rate.turns) / seconds;
    server->rate.turn_usec = stats->turns > server->rate.turns
                                 ? (double)(stats->turns_ns - server->rate.turns_ns) / 1000 /
                                       (double)(stats->turns - server->rate.turns)
                                 : 0;
    server->rate.at_ns = now_ns;
    server->rate.commands = stats->commands;
    server->rate.bytes_in = stats->bytes_in;
    server->rate.bytes_out = stats->bytes_out;
    server->rate.turns = stats->turns;
    server->rate.turns_ns = stats->turns_ns;
}

static void cron(struct server *server, uint64_t now_ns)
{
    if (now_ns < server->next_cron_ns)
        return;
    if (server->is_cron_paused) {
        server->next_cron_ns = now_ns + 1000000000ULL / (uint64_t)server->settings.hz;
        return;
    }
    server->next_cron_ns = now_ns + 1000000000ULL / (uint64_t)server->settings.hz;
    server->has_work = true;
    engine_cron(server->engine);
    persistence_cron(server);
    update_rate(server, now_ns);
}

/* There is something to do at once. */
static bool has_work(const struct server *server)
{
    return server->has_work || server->store->is_evicting || store_pending_frees(server->store);
}

/* How long the engine may wait for events. */
static int64_t wait_ms(const struct server *server, uint64_t now_ns)
{
    int64_t next = store_next_deadline(server->store), now_ms = clock_now_ms(&server->clock);
    int64_t cron_ms = server->next_cron_ns > now_ns
                          ? (int64_t)((server->next_cron_ns - now_ns + 999999) / 1000000)
                          : 0;

    if (has_work(server))
        return 0;
    if (next <= now_ms)
        return 0;
    if (server->clock.is_frozen || next == INT64_MAX)
        return cron_ms;
    return next - now_ms < cron_ms ? next - now_ms : cron_ms;
}

static void housekeep(struct server *server, bool is_idle)
{
    uint64_t now_ns = clock_work_ns();
    bool is_due = store_next_deadline(server->store) <= clock_now_ms(&server->clock);

    if (!has_work(server) && !is_due)
        return;
    if (!is_idle && now_ns < server->next_slice_ns)
        return;
    server->has_work = store_work(server->store, SLICE_NS);
    if (scripts_work(server->engine->scripts, SLICE_NS))
        server->has_work = true;
    server->next_slice_ns = clock_work_ns() + SLICE_PAUSE_NS;
}

void server_run(struct server *server)
{
    struct engine *engine = server->engine;

    while (!engine->should_stop) {
        uint64_t now_ns = clock_work_ns(), commands = engine->stats.commands;

        cron(server, now_ns);
        engine_turn(engine, wait_ms(server, now_ns));
        housekeep(server, engine->stats.commands == commands);
    }
}
