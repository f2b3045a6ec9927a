/* The server's own state, seen by this folder alone: what was configured, and the parts that main put
 * together. Handlers of this folder reach it through server_of(). */
#ifndef TERN_SERVER_SERVER_INTERNAL_H
#define TERN_SERVER_SERVER_INTERNAL_H

#include "base/error.h"
#include "base/text.h"
#include "engine/request.h"

#include <sys/types.h>

#define BIND_MAX      16
#define CONFIG_ARGS_MAX 64

#define PERCENTILES_MAX 32

struct percentiles {
    int count;
    double values[PERCENTILES_MAX];
};

struct server_settings {
    int64_t port, tcp_backlog, databases, hz, unix_permissions;
    char *bind;        /* addresses, separated by spaces */
    char *unix_path, *dir, *log_file, *port_file, *password;
    int log_level;
    int debug_command; /* enum debug_allowed */
    bool exit_with_parent;
    struct percentiles percentiles; /* of INFO latencystats */
    int64_t list_listpack_size;
    int64_t set_intset_entries, set_listpack_entries, set_listpack_value;
    int64_t hash_listpack_entries, hash_listpack_value;
    int64_t zset_listpack_entries, zset_listpack_value;
    int64_t list_compress_depth; /* kept for those who ask; blocks are not compressed */
    char *config_file; /* absolute; NULL for none */
};

enum debug_allowed { DEBUG_NO, DEBUG_YES, DEBUG_LOCAL };

struct server {
    struct server_settings settings;
    struct engine_settings staged; /* until there is an engine */
    struct store_settings staged_store;
    struct clock clock;
    struct store *store;
    struct event_loop *loop;
    struct engine *engine;
    int listeners[BIND_MAX];
    int listener_count, unix_listener;
    int64_t listening_port;
    struct engine_source signals, parent, child;
    int signal_fd, parent_fd, child_fd;
    pid_t child_pid; /* 0: none */
    int64_t started_ms;
    uint64_t startup_bytes; /* of memory, when the start was over */
    struct {
        uint64_t count, latest_ns;
    } forks;
    char run_id[41];
    uint64_t next_cron_ns, next_slice_ns;
    bool has_work;
    /* instantaneous figures of INFO, over the last second */
    struct {
        uint64_t at_ns, commands, bytes_in, bytes_out, turns, turns_ns;
        double commands_per_second, kb_in_per_second, kb_out_per_second;
        double turns_per_second, turn_usec;
    } rate;
};

static inline struct server *server_of(const struct request *req) { return req->engine->host; }

/* --- config.c ----------------------------------------------------------------------------------- */

void config_set_defaults(struct server *server);
void config_release(struct server *server);
/* One directive with its values. Returns -1 with the reason. 'at_start' allows what cannot change later. */
int config_apply(struct server *server, const struct bytes *args, int argc, bool at_start,
                 struct error *error);
/* The whole file; the error names the line's number and the line. */
int config_read_file(struct server *server, const char *path, struct error *error);
/* Splits a line as Redis does: words, "..." with escapes, '...'. Returns the number of words, -1 when quotes are not
 * balanced. Words lie in 'buffer', which holds at least the line's length. */
int config_split(struct bytes line, char *buffer, struct bytes *words, int words_max);

void config_set_text(char **place, struct bytes text);
size_t config_count(void);
const char *config_name(size_t at);
void config_format(const struct server *server, size_t at, struct text *out);
void config_format_name(const struct server *server, const char *name, struct text *out);

/* --- listen.c -------------------------------------------------------------------------------------- */

int server_listen(struct server *server, struct error *error);
/* Writes the port to the port file, when there is to be one. */
int server_write_port_file(const struct server *server, struct error *error);
/* Makes the limit on open files fit maxclients, or maxclients the limit. */
void server_fit_descriptors(struct server *server);
void server_stop_listening(struct server *server);
/* After port or bind has changed. When that fails, listens where it did before ('old_bind' NULL: the same
 * addresses) and puts the settings back. */
int server_listen_again(struct server *server, const char *old_bind, struct error *error);

/* --- info.c ---------------------------------------------------------------------------------------- */

/* What the kernel says that the process holds. */
uint64_t server_rss_bytes(void);
/* 'sections' as the arguments of INFO; none: the default ones. */
void info_write(struct server *server, struct text *out, const struct bytes *sections, int count);

/* --- digest.c --------------------------------------------------------------------------------------- */

#define DIGEST_TEXT_SIZE 41
/* As Redis's DEBUG DIGEST computes it: equal datasets have equal digests. */
void digest_all(const struct store *store, char out[DIGEST_TEXT_SIZE]);

/* --- snapshot_child.c --------------------------------------------------------------------------------- */

/* Forks a child that holds a snapshot for some milliseconds. Returns its pid, or -1. */
pid_t snapshot_child_start(struct server *server, int64_t hold_ms, struct error *error);
/* Ends a child that still lives. */
void snapshot_child_end(struct server *server);

/* --- cron.c ------------------------------------------------------------------------------------------ */

/* The loop: turns, housekeeping in slices, and what is done some times a second. */
void server_run(struct server *server);

#endif
