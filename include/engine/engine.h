/* The engine: clients, and the services that a handler reaches through its request.
 *
 *     engine = engine_new(store, clock, loop);
 *     engine_listen(engine, fd, is_unix);
 *     while (!engine->should_stop)
 *         engine_turn(engine, timeout_ms);
 *
 * A turn waits for sockets, reads what is ready, runs it in batches and sends the replies (see
 * src/README.md, the life of a request). Services keep their state in structs of their own. */
#ifndef TERN_ENGINE_ENGINE_H
#define TERN_ENGINE_ENGINE_H

#include "base/clock.h"
#include "engine/client.h"
#include "net/event_loop.h"

#include <stdbool.h>
#include <stdint.h>

struct store;
struct command_set;
struct turn;

struct output_limit {
    uint64_t hard_bytes, soft_bytes; /* 0: none */
    int64_t soft_seconds;
};

/* What the configuration sets. */
struct engine_settings {
    int64_t max_clients;
    int64_t idle_timeout_seconds; /* 0: none */
    int64_t tcp_keepalive_seconds;
    int64_t bulk_len_max;         /* proto-max-bulk-len */
    int64_t hll_sparse_bytes_max; /* hll-sparse-max-bytes */
    int64_t input_bytes_max;      /* client-query-buffer-limit */
    struct output_limit output_limits[CLIENT_CLASSES];
    const char *password;         /* requirepass; "" for none */
    bool is_protected_mode;
    int64_t slowlog_slower_than_us; /* negative: nothing is logged */
    int64_t slowlog_max_len;
    int64_t latency_threshold_ms; /* 0: the latency monitor is off */
    int64_t busy_reply_threshold_ms; /* from when on a script is busy; 0: never */
    bool is_latency_tracked;      /* latency-tracking: a histogram for each command */
    int64_t stream_node_max_bytes, stream_node_max_entries; /* 0: no limit */
    bool is_rdb_compressed;       /* rdbcompression: what DUMP and snapshots hold */
    unsigned notify_classes;      /* EVENT_CLASS_*, EVENT_IN_KEYSPACE, EVENT_IN_KEYEVENT */
};

struct command_stats {
    uint64_t calls, rejected, failed, time_ns;
    struct histogram *latency; /* in nanoseconds; NULL until the first call, or without latency-tracking */
};

struct engine_stats {
    uint64_t connections, rejected_connections, commands, bytes_in, bytes_out, errors;
    uint64_t output_limit_closes, input_limit_closes;
    uint64_t reads, writes; /* system calls */
    uint64_t turns, batches;
    uint64_t turns_ns; /* without waiting */
    uint64_t auth_failures;
    uint64_t evicted_scripts;
    size_t input_bytes_peak, output_bytes_peak;
};

#define AFTER_PROPAGATE 1u /* the write stream has commands of this unit */
#define AFTER_READY     2u /* keys became ready that clients wait for */
#define AFTER_PUSHES    4u /* pushes to the running client waited for the end of its reply */

/* Why the gate has to look closer at all requests. */
#define GUARD_PAUSE   1u /* clients are paused */
#define GUARD_BUSY    2u /* a script is busy */
#define GUARD_LOADING 4u /* a file is loaded: what is not marked CMD_LOADING is refused */
#define GUARD_WRITES  8u /* the last snapshot failed: writes are refused, and PING, so that somebody notices */

struct engine {
    struct clock *clock;
    struct store *store;
    struct event_loop *loop;
    struct command_set *commands;
    struct command_stats *command_stats; /* by command id */
    struct engine_settings settings;
    struct engine_stats stats;
    void *host; /* the server's own state, for its handlers */
    void (*flushed_all)(struct engine *engine); /* after FLUSHALL; NULL: nobody wants to know */
    struct scripts *scripts; /* what runs Lua; NULL in a program without it */
    struct functions *functions; /* their libraries; NULL likewise */

    unsigned after;       /* AFTER_*: what the end of the execution unit has to do */
    uint64_t boundary_ns; /* work time at which the last command ended */
    bool is_in_unit;      /* a command runs: time stands still until its end */
    unsigned guards;      /* GUARD_* */
    const char *busy_error; /* what a command answers that is not allowed while a script is busy; NULL: none is */
    uint64_t busy_client_id; /* later ones came while it was busy: no outer turn knows them */
    struct turn *turn;    /* the innermost */
    int turn_depth;
    struct client *running; /* whose request runs now, or NULL */

    struct client *clients_first, *clients_last;
    struct client *cron_next; /* where the next look at idle clients begins */
    size_t client_count;
    uint64_t next_client_id;
    struct client *ready_first, **ready_last;
    struct client *ready_rest;     /* what is left of the list that a turn goes through */
    struct client *released_first; /* whose requests wait for the nested turn that follows at once */
    struct client *flush_first, **flush_last;
    struct client *close_first;
    const char *unix_path;

    struct blocking *blocking;
    struct watching *watching;
    struct pubsub *pubsub;
    struct pause *pause;
    struct propagation *propagation;
    struct event_observer *observers;
    struct monitor *monitors;
    struct slowlog *slowlog;
    struct latency_event *latency_events;
    struct error_counts *error_counts;
    uint64_t slow_ns; /* from what duration on a command is looked at: see engine_settings_changed */

    int64_t changes; /* since the last snapshot ("dirty") */
    bool should_stop;
    int exit_status;
};

struct engine *engine_new(struct store *store, struct clock *clock, struct event_loop *loop);
void engine_free(struct engine *engine);
/* After a setting was changed that others are computed from. */
void engine_settings_changed(struct engine *engine);
/* CONFIG RESETSTAT: of commands, errors and the engine. */
void engine_reset_stats(struct engine *engine);

/* From now on connections on this socket become clients. */
int engine_listen(struct engine *engine, int listener, bool is_unix);
void engine_stop_listening(struct engine *engine, int listener);

/* One turn: waits up to 'timeout_ms' (less when something is due sooner), serves everything that is ready. */
void engine_turn(struct engine *engine, int64_t timeout_ms);

/* Events are served in a turn of its own while a long piece of work runs; the running client waits. Call it
 * now and then from within the work. */
void engine_nested_turn(struct engine *engine);

/* While a script runs so long: commands that are not allowed are refused with 'error_text'; NULL: it is over. */
void engine_set_busy(struct engine *engine, const char *error_text);

/* Called some times a second: idle clients, soft limits. */
void engine_cron(struct engine *engine);

/* Another kind of descriptor in the same loop. */
struct engine_source {
    void (*ready)(struct engine_source *source, unsigned readiness);
};
int engine_watch(struct engine *engine, int fd, struct engine_source *source, unsigned interest);
void engine_unwatch(struct engine *engine, int fd);

struct client *engine_client_by_id(const struct engine *engine, uint64_t id); /* NULL when gone */

/* It has not given the password, and there is one. */
static inline bool client_needs_auth(const struct client *client)
{
    return client->flags & CLIENT_NEEDS_AUTH && *client->engine->settings.password;
}

/* Bytes of clients' buffers (INFO, CLIENT LIST). */
size_t engine_client_memory(const struct engine *engine);

#endif
