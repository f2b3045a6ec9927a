/* What the files of the engine share: the turn, input, output, and the services' inner faces. */
#ifndef TERN_ENGINE_INTERNAL_H
#define TERN_ENGINE_INTERNAL_H

#include "engine/request.h"

#include "ds/map.h"
#include "ds/timing_wheel.h"
#include "net/resp_parser.h"

/* --- window (output.c): where the running client's replies are formatted ------------------ */

struct window {
    char *at, *end;     /* free room */
    char *base;         /* of the whole block */
    size_t size;
    char *segment;      /* where the current client's unsent bytes begin */
    char *command_start; /* where the running command's reply begins */
    struct client *client; /* whose bytes [segment, at) are */
    bool is_muted;      /* CLIENT REPLY OFF or SKIP: the running command's reply is dropped */
    bool is_kept;       /* grows and is never sent (inner.c) */
    bool is_overfull;   /* kept no more: it would have become too large */
};

void window_init(struct window *window);
void window_release(struct window *window);
/* Makes room for 'size' bytes by sending, and growing when that is not enough; returns window->at. */
char *window_make_room(struct window *window, size_t size);
/* From now on the window is the client's; what another's was there is sent. */
void window_begin(struct window *window, struct client *client);
/* Sends what is there, or puts it behind what the client still has to take. */
void window_flush(struct window *window);
/* A kept one gives back what a long reply took. */
void window_shrink(struct window *window);
/* Sends what is there and then 'value', straight from where it is. */
void window_send_value(struct window *window, struct bytes value);

/* For a request that is run again on behalf of another client, in the middle of a command. */
struct window_segment {
    size_t segment, command_start; /* offsets: the block may move */
    struct client *client;
    bool is_muted;
};
void window_begin_nested(struct window *window, struct client *client, struct window_segment *outer);
void window_end_nested(struct window *window, const struct window_segment *outer);

static inline char *window_room(struct window *window, size_t size)
{
    if (__builtin_expect((size_t)(window->end - window->at) < size, 0))
        return window_make_room(window, size);
    return window->at;
}

/* --- output (output.c): what goes to clients' chains --------------------------------------- */

/* To a client that is not the running one, or behind its chain. Counts against its limits. */
void output_append(struct client *client, struct bytes bytes);
void output_close_over_limit(struct client *client, const char *which);
/* A push: to the running client it waits for the end of its reply. */
void output_push(struct client *client, struct bytes bytes);
void output_end_command(struct window *window, struct client *client); /* pushes that waited */
void output_flush_lists(struct engine *engine); /* end of a turn: one write for each client */
void output_writable(struct client *client);    /* the socket takes bytes again */
void output_drop(struct client *client);
void output_check_soft_limit(struct client *client);

/* --- input (input.c) ------------------------------------------------------------------------ */

struct input {
    char *data; /* bytes of the first command that is not complete, and behind it */
    size_t len, size;
    size_t consumed; /* at the beginning: done with */
    struct resp_parser parser;
    struct bytes *args; /* found so far, of the first command */
    uint32_t args_size;
    struct big_argument *bigs; /* of the first command, the newest first */
    struct string_block *filling; /* the bulk string that is being read straight into its block */
    size_t filled;
};

/* Reads what is there and appends its complete commands to the turn's batch. */
void input_feed(struct turn *turn, struct client *client, bool is_readable);
/* The client has stopped at 'req': what was parsed behind it is bytes again. */
void input_hold_back(struct turn *turn, struct request *req);
/* The same for all clients that have requests behind the one that runs, but for its own: they can be served in a nested
 * turn. */
void input_release_others(struct turn *turn);
/* Runs what of these could not become bytes again. */
void input_run_released(struct turn *turn);
void input_free(struct client *client);

/* --- turn (turn.c) -------------------------------------------------------------------------- */

#define ARENA_SIZE       (256 * 1024)
#ifdef TERN_STRESS
#define READ_MAX         1
#define SHARE_MAX        3
#define BATCH_MAX        5
#else
#define READ_MAX         (16 * 1024)
#define SHARE_MAX        128 /* commands of one client in a turn */
#define BATCH_MAX        64
#endif
#define BATCH_ARGS_MAX   4096
#define BATCH_HASHES_MAX 512

struct turn {
    struct engine *engine;
    struct turn *outer;
    char *arena;
    size_t arena_used;
    struct request *batch;
    int batch_count, batch_at; /* batch_at: the one that runs */
    struct bytes *args;
    uint32_t args_used;
    uint64_t *hashes;
    int hashes_used;
    struct bytes last_key; /* the short key that was hashed last, while the batch is filled; its length is SIZE_MAX when there is none */
    uint64_t last_hash;
    struct big_argument *next_bigs; /* of the command that is added next */
    struct window window;
    struct event_batch events;
};

struct turn *turn_new(struct engine *engine);
void turn_free(struct turn *turn);
/* Adds a parsed command to the batch; there is room. */
struct request *turn_add(struct turn *turn, struct client *client, struct bytes raw,
                         struct bytes *args, int argc, bool is_quoted);
/* Runs what is there. The next 'kept_args' arguments behind the batch's stay, at the beginning. */
void turn_run_batch(struct turn *turn, uint32_t kept_args);
/* Forgets a request that was not run. */
void turn_drop(struct request *req);
/* All commands of the client's share are done: its replies are sent. */
void turn_end_share(struct turn *turn, struct client *client);
/* Runs a detached request of a client that was postponed. */
void turn_run_detached(struct turn *turn, struct request *req);
/* The client has bytes that no event will announce. */
void turn_make_ready(struct client *client);

/* --- dispatch (dispatch.c) ------------------------------------------------------------------- */

void dispatch(struct request *req);
/* Runs without gate: a command of EXEC. */
void dispatch_call(struct request *req);
/* A blocked request whose key is ready: true when it was served. */
bool dispatch_rerun(struct request *req);
/* After a unit: waiting pushes, write stream, clients whose keys became ready. */
void dispatch_end_unit(struct engine *engine);
/* Outside of any command (expiry in cron): write stream, blocked clients. */
void dispatch_outside(struct engine *engine);

/* --- services --------------------------------------------------------------------------------- */

struct multi;
void multi_queue(struct request *req);
bool multi_may_grow(const struct client *client); /* a queued command may need memory */
bool multi_may_write(const struct client *client); /* a queued command may */
bool multi_writes(const struct client *client); /* a queued command is a write, and not just a script that may be one */
size_t multi_memory(const struct client *client);

struct watching *watching_new(int db_count);
void watching_free(struct watching *watching);
void watching_touch(struct engine *engine, struct db *db, struct bytes key);
void watching_touch_expired(struct engine *engine, struct db *db, struct bytes key);
void watching_touch_db(struct engine *engine, struct db *db);
/* Before a database gets the keys of another one in place of its own. */
void watching_touch_swapped(struct engine *engine, struct db *db, struct db *from);

struct blocking *blocking_new(int db_count, int64_t now_ms);
void blocking_free(struct blocking *blocking);
void blocking_key_ready(struct engine *engine, struct db *db, struct bytes key);
/* All awaited keys that the database now has. */
void blocking_db_ready(struct engine *engine, struct db *db);
void blocking_serve(struct engine *engine);
void blocking_expire(struct engine *engine); /* at the end of a turn: timeouts, what is freed */
void blocking_forget(struct client *client);
int64_t blocking_next_ms(const struct engine *engine);

struct pubsub *pubsub_new(void);
void pubsub_free(struct pubsub *pubsub);
void pubsub_forget(struct client *client);

struct pause *pause_new(void);
void pause_free(struct pause *pause);
/* True when the request must wait: it is then detached and the client postponed. */
bool pause_holds(struct request *req, bool may_write);
void pause_forget(struct client *client);
void pause_check(struct engine *engine); /* the end has come */
int64_t pause_end_ms(const struct engine *engine);

/* The commands of the unit that runs, in RESP. */
struct propagation *propagation_new(void);
void propagation_free(struct propagation *propagation);

/* What MONITOR and the slow log show of an argument: itself, or that it is secret. */
struct bytes request_shown_argument(const struct request *req, int at);

struct slowlog *slowlog_new(void);
void slowlog_free(struct slowlog *log);
void slowlog_add(struct request *req, uint64_t duration_ns);

void monitor_feed(struct request *req); /* after it was run */

struct error_counts *error_counts_new(void);
void error_counts_free(struct error_counts *counts);
void error_counts_clear(struct error_counts *counts);
void error_counts_add(struct error_counts *counts, const char *text);

void events_observe_store(struct engine *engine);

void client_add(struct engine *engine, int fd, bool is_unix);
/* Only those that came later than 'after_id'. */
void client_free_closed(struct engine *engine, uint64_t after_id);
void client_free(struct client *client);

#endif
