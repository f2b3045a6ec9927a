/* The server's own state, seen by this folder alone: what was configured, and the parts that main put
 * together. Handlers of this folder reach it through server_of(). */
#ifndef TERN_SERVER_SERVER_INTERNAL_H
#define TERN_SERVER_SERVER_INTERNAL_H

#include "base/error.h"
#include "base/text.h"
#include "engine/request.h"
#include "persist/rdb_file.h"
#include "persist/rdb_writer.h"

#include <sys/types.h>

#define BIND_MAX        16
#define CONFIG_ARGS_MAX 256

enum allowed { ALLOW_NO, ALLOW_YES, ALLOW_LOCAL };
enum supervisor { SUPERVISED_NO, SUPERVISED_UPSTART, SUPERVISED_SYSTEMD, SUPERVISED_AUTO };
enum oom_mode { OOM_NO, OOM_RELATIVE, OOM_ABSOLUTE };
enum shutdown_how { SHUTDOWN_SAVE = 1, SHUTDOWN_NOSAVE = 2, SHUTDOWN_NOW = 4, SHUTDOWN_FORCE = 8 };

#define PERCENTILES_MAX 32

struct percentiles {
    int count;
    double values[PERCENTILES_MAX];
};

struct server_settings {
    int64_t port, tcp_backlog, databases, hz, unix_permissions;
    char *bind;        /* addresses, separated by spaces */
    char *unix_path, *log_file, *port_file, *password;
    char *pid_file, *title_template, *oom_values, *syslog_name;
    int log_level;
    struct percentiles percentiles; /* of INFO latencystats */
    int debug_command, protected_configs, module_command; /* enum allowed */
    int supervised;                       /* enum supervisor */
    int oom_mode;                         /* enum oom_mode */
    int on_sigint, on_sigterm;            /* enum shutdown_how; 0: as SHUTDOWN without an argument */
    int syslog_facility;
    bool exit_with_parent, is_daemon, shows_logo, sets_title, uses_syslog;
    int64_t memory_limit; /* maxmemory */
    char *save_points;    /* seconds and changes by turns */
    char *snapshot_name;  /* dbfilename */
    bool has_snapshot_checksum, syncs_snapshot_often, stops_writes_on_failure;
    int64_t key_save_delay_us, key_load_delay_us, load_step_bytes; /* tests */
    int64_t list_listpack_size;
    int64_t set_intset_entries, set_listpack_entries, set_listpack_value;
    int64_t hash_listpack_entries, hash_listpack_value;
    int64_t zset_listpack_entries, zset_listpack_value;
    char *config_file; /* absolute; NULL for none */
};

struct config_note;

/* What a snapshot child tells while it lives and when it ends: a page that it shares with the server. */
struct child_report {
    uint64_t keys_done, copied_bytes;
    char failure[512]; /* "" when there is none */
};

enum child_kind { CHILD_NONE, CHILD_HOLDS, CHILD_SAVES };

struct persistence {
    int64_t saved_s;          /* unix time of the last snapshot that was written, or of the start */
    int64_t tried_s;          /* when a child was last started */
    int64_t child_started_ms; /* of the one that lives */
    int64_t last_duration_s;  /* of a child that wrote; -1: none did */
    int64_t changes_before;   /* engine->changes when the child was started */
    uint64_t keys_total;      /* when it was started */
    uint64_t saves, copied_bytes, copied_peak;
    bool has_failed, is_scheduled;
    struct rdb_loaded loaded; /* of the last file that was read */
    bool is_loading;
    int64_t loading_since_s;
    uint64_t loading_done, loading_total;
};

struct server {
    struct server_settings settings;
    struct engine_settings staged; /* until there is an engine */
    struct store_settings staged_store;
    struct config_note *notes;    /* what is remembered of each directive */
    struct command_set *commands; /* with other names than usual; NULL: as usual */
    int include_depth;
    bool is_configured; /* by a file, an option or standard input */
    struct clock clock;
    struct store *store;
    struct event_loop *loop;
    struct engine *engine;
    int listeners[BIND_MAX];
    int listener_count, unix_listener;
    int64_t listening_port;
    bool has_any_port; /* the kernel chose it */
    struct engine_source signals, parent, child;
    int parent_fd, child_fd;
    bool has_pid_file, has_oom_score;
    int oom_score_before; /* when ours has been set */
    pid_t child_pid; /* 0: none */
    enum child_kind child_kind;
    struct child_report *child_report; /* NULL until there was a child */
    struct persistence persistence;
    char *program; /* as it was called */
    int64_t started_ms;
    uint64_t startup_bytes; /* of memory, when the start was over */
    struct {
        uint64_t count, latest_ns;
    } forks;
    char run_id[41], replication_id[41];
    bool is_cron_paused; /* DEBUG PAUSE-CRON */
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

/* May this client do what a directive of kind 'allowed' opens? */
bool server_allows(const struct request *req, int allowed);

/* --- main.c ------------------------------------------------------------------------------------ */

/* 40 random hexadecimal digits. */
void server_make_id(char out[41]);

/* --- crash_report.c ---------------------------------------------------------------------------- */

/* From now on a fatal signal writes a report to the log. */
void crash_report_install(const struct server *server);

/* --- config*.c ---------------------------------------------------------------------------------- */

void config_set_defaults(struct server *server);
void config_release(struct server *server);
/* One directive with its values, at start. Returns -1 with the reason. */
int config_apply(struct server *server, const struct bytes *args, int argc, struct error *error);
/* Names and values by turns, while the server runs: all or none. On failure '*culprit' is the index of the name, and
 * the error is empty when that name is unknown. */
int config_change(struct server *server, const struct bytes *pairs, int count, bool may_change_protected,
                  int *culprit, struct error *error);
/* The file (NULL: none), standard input when asked for, then the options, read as one text. The error names the
 * number and the line; it is empty when a file could not be opened, which the log then says. */
int config_load(struct server *server, const char *path, bool reads_stdin, struct bytes options,
                struct error *error);
/* Splits a line as Redis does: words, "..." with escapes, '...'. Returns the number of words, -1 when quotes are not
 * balanced. Words lie in 'buffer', which holds at least the line's length. */
int config_split(struct bytes line, char *buffer, struct bytes *words, int words_max);
/* Writes the file again with what differs from the defaults now. */
int config_write_file(struct server *server, struct error *error);

/* Warns, once for each, of directives without a subject that were asked for something. */
void config_warn(struct server *server);
void config_set_text(char **place, struct bytes text);
void config_format_name(const struct server *server, const char *name, struct text *out);

/* --- options.c ----------------------------------------------------------------------------------- */

/* What the command line says as the text of a configuration file. '*path': the file, or NULL. */
void options_read(char **argv, int argc, const char **path, bool *reads_stdin, struct text *options);

/* --- banner.c ------------------------------------------------------------------------------------ */

/* The first lines of the log, those when the parts are put together, and those when clients may come. */
void banner_begin(const struct server *server);
void banner_show(const struct server *server);
void banner_ready(const struct server *server);

/* --- daemon.c ------------------------------------------------------------------------------------ */

/* Leaves the terminal, or prepares for a supervisor. */
int daemon_begin(struct server *server, struct error *error);
const char *daemon_supervisor(const struct server *server);
void daemon_write_pid_file(struct server *server);
/* Tells the supervisor that clients can connect. */
void daemon_tell_ready(struct server *server);
/* Tells it that they cannot any more, and removes the pid file. */
void daemon_end(struct server *server);
int oom_score_adjust(struct server *server, struct error *error);

/* --- proc_title.c --------------------------------------------------------------------------------- */

/* Before anything keeps a pointer to the arguments or the environment. */
void proc_title_begin(int argc, char **argv);
void proc_title_refresh(const struct server *server);
/* In a fork. */
void proc_title_of_child(const struct server *server, const char *name);
/* Of a row of the configuration. */
int proc_title_check(const struct bytes *args, int argc, struct text *kept, struct error *error);

/* --- signals.c ------------------------------------------------------------------------------------- */

/* SIGTERM and SIGINT end the server in good order; a second SIGINT at once. */
int signals_watch(struct server *server, struct error *error);
/* In a fork: SIGTERM ends it, and the SIGINT of a terminal is the server's matter. */
void signals_in_child(void);

/* --- listen.c -------------------------------------------------------------------------------------- */

int server_listen(struct server *server, struct error *error);
/* Writes the port to the port file, when there is to be one. */
int server_write_port_file(const struct server *server, struct error *error);
/* Raises the limit on open files for so many clients; returns how many are possible. */
int64_t server_raise_descriptors(int64_t clients);
/* The same for maxclients, which is lowered when it must be. */
void server_fit_descriptors(struct server *server);
void server_stop_listening(struct server *server);
/* After port or bind has changed. */
int server_listen_again(struct server *server, struct error *error);

/* --- info.c ---------------------------------------------------------------------------------------- */

/* What the kernel says that the process holds. */
uint64_t server_rss_bytes(void);
/* 'sections' as the arguments of INFO; none: the default ones. */
void info_write(struct server *server, struct text *out, const struct bytes *sections, int count);

/* --- digest.c --------------------------------------------------------------------------------------- */

#define DIGEST_TEXT_SIZE 41
/* As Redis's DEBUG DIGEST computes it: equal datasets have equal digests. */
void digest_all(const struct store *store, char out[DIGEST_TEXT_SIZE]);
/* As its DEBUG DIGEST-VALUE does; zeros for NULL. */
void digest_value(const struct entry *entry, char out[DIGEST_TEXT_SIZE]);

/* --- snapshot_child.c --------------------------------------------------------------------------------- */

/* Forks a child that sees the data as they are now. It runs 'run' and ends with what that returns. Returns its pid, or
 * -1. */
pid_t snapshot_child_start(struct server *server, enum child_kind kind,
                           int (*run)(struct server *server, int64_t argument), int64_t argument, struct error *error);
/* Ends a child that still lives. That is no failure of a snapshot. */
void snapshot_child_end(struct server *server);

/* --- persistence.c ------------------------------------------------------------------------------------ */

/* Before the first client: what there is on disk comes into the store. False when it is not to be had: the log says
 * why. */
bool persistence_start(struct server *server);
/* After a setting has changed. */
void persistence_refresh(struct server *server);
/* In the foreground; -1 with an error. */
int persistence_save(struct server *server, struct error *error);
/* In a child; -1 with an error. */
int persistence_save_aside(struct server *server, struct error *error);
/* The child that wrote has ended so (waitpid). */
void persistence_child_ended(struct server *server, int status);
/* Some times a second: save points, and what was put off. */
void persistence_cron(struct server *server);
/* After FLUSHALL: what was there is not to come back. */
void persistence_flushed_all(struct engine *engine);
/* True when something is to be written at the end. */
bool persistence_has_save_points(const struct server *server);
/* Reads the file; the databases are as they should be before. False with the reason in the log. */
bool persistence_load(struct server *server, bool may_replace);
/* True when the server may end: what is to be written is written, and no child is left. */
bool persistence_finish(struct server *server, bool saves, bool must_not_save, bool is_forced);

/* --- info_persistence.c ------------------------------------------------------------------------------- */

void info_persistence(struct server *server, struct text *out);

/* --- cron.c ------------------------------------------------------------------------------------------ */

/* The loop: turns, housekeeping in slices, and what is done some times a second. */
void server_run(struct server *server);

#endif
