/* Snapshots of the server: when one is written, what becomes of a failure, what is read at start. */
#include "server_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/numbers.h"
#include "engine/version.h"
#include "persist/rdb_writer.h"
#include "script/functions.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#define RETRY_SECONDS 5 /* after a failure; save points alone would try at each cron */

static int64_t now_s(const struct server *server) { return clock_now_ms(&server->clock) / 1000; }

/* --- writing ---------------------------------------------------------------------------------------------------- */

static int save(struct server *server, uint64_t *keys_done, struct error *error)
{
    const struct server_settings *settings = &server->settings;
    struct rdb_writer functions = {.compresses = server->engine->settings.is_rdb_compressed};
    struct rdb_save_options options = {
        .compresses = server->engine->settings.is_rdb_compressed,
        .has_checksum = settings->has_snapshot_checksum,
        .syncs_often = settings->syncs_snapshot_often,
        .key_delay_us = settings->key_save_delay_us,
        .version = REDIS_VERSION,
        .keys_done = keys_done,
    };
    int result;

    functions_dump(server->engine->functions, &functions);
    options.functions = (struct bytes){functions.data, functions.len};
    result = rdb_save(server->store, settings->snapshot_name, &options, error);
    rdb_writer_release(&functions);
    return result;
}

/* After a snapshot that worked, or did not. */
static void note_outcome(struct server *server, bool is_good)
{
    server->persistence.has_failed = !is_good;
    if (is_good)
        server->persistence.saved_s = now_s(server);
    persistence_refresh(server);
}

int persistence_save(struct server *server, struct error *error)
{
    int result = save(server, NULL, error);

    clock_sync(&server->clock);
    if (result < 0) {
        log_write(LOG_WARNING, "Error saving the DB: %s", error->text);
        return result;
    }
    log_write(LOG_NOTICE, "DB saved on disk");
    server->engine->changes = 0;
    note_outcome(server, true);
    return 0;
}

static int save_in_child(struct server *server, int64_t argument)
{
    struct child_report *report = server->child_report;
    struct error error = {""};

    proc_title_of_child(server, "tern-rdb-bgsave");
    if (save(server, &report->keys_done, &error) < 0) {
        memcpy(report->failure, error.text, sizeof report->failure);
        return 1;
    }
    return 0;
}

static uint64_t count_keys(const struct store *store)
{
    uint64_t keys = 0;

    for (int i = 0; i < store->db_count; i++)
        keys += store_size(&store->dbs[i]);
    return keys;
}

int persistence_save_aside(struct server *server, struct error *error)
{
    struct persistence *persistence = &server->persistence;
    pid_t pid;

    persistence->saves++;
    persistence->changes_before = server->engine->changes;
    persistence->tried_s = now_s(server);
    persistence->keys_total = count_keys(server->store);
    pid = snapshot_child_start(server, CHILD_SAVES, save_in_child, 0, error);
    if (pid < 0) {
        log_write(LOG_WARNING, "Can't save in background: %s", error->text);
        note_outcome(server, false);
        return -1;
    }
    persistence->child_started_ms = clock_now_ms(&server->clock);
    persistence->is_scheduled = false;
    log_write(LOG_NOTICE, "Background saving started by pid %d", (int)pid);
    return 0;
}

void persistence_child_ended(struct server *server, int status)
{
    struct persistence *persistence = &server->persistence;
    const struct child_report *report = server->child_report;
    bool is_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    persistence->last_duration_s = (clock_now_ms(&server->clock) - persistence->child_started_ms) / 1000;
    persistence->copied_bytes = report->copied_bytes;
    if (report->copied_bytes > persistence->copied_peak)
        persistence->copied_peak = report->copied_bytes;
    if (is_good) {
        log_write(LOG_NOTICE, "Background saving terminated with success");
        server->engine->changes -= persistence->changes_before;
    } else if (WIFSIGNALED(status)) {
        log_write(LOG_WARNING, "Background saving terminated by signal %d", WTERMSIG(status));
        rdb_remove_temporary(server->child_pid);
    } else {
        log_write(LOG_WARNING, "Background saving error: %s", report->failure);
    }
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGUSR1) /* which asks a child to end, and is no failure */
        note_outcome(server, is_good);
}

/* --- when ------------------------------------------------------------------------------------------------------- */

/* Seconds and changes by turns; false at the end. */
static bool next_point(const char **at, int64_t *seconds, int64_t *changes)
{
    char *end;

    *seconds = strtoll(*at, &end, 10);
    if (end == *at)
        return false;
    *changes = strtoll(end, &end, 10);
    *at = end;
    return true;
}

bool persistence_has_save_points(const struct server *server) { return *server->settings.save_points != '\0'; }

static void check_points(struct server *server)
{
    const struct persistence *persistence = &server->persistence;
    int64_t seconds, changes, now = now_s(server);
    const char *at = server->settings.save_points;
    struct error error;

    while (next_point(&at, &seconds, &changes)) {
        if (server->engine->changes < changes || now - persistence->saved_s <= seconds ||
            (persistence->has_failed && now - persistence->tried_s <= RETRY_SECONDS))
            continue;
        log_write(LOG_NOTICE, "%lld changes in %lld seconds. Saving...", (long long)changes, (long long)seconds);
        persistence_save_aside(server, &error);
        return;
    }
}

void persistence_cron(struct server *server)
{
    const struct persistence *persistence = &server->persistence;
    struct error error;

    if (server->child_pid)
        return;
    check_points(server);
    if (!server->child_pid && persistence->is_scheduled &&
        (!persistence->has_failed || now_s(server) - persistence->tried_s > RETRY_SECONDS))
        persistence_save_aside(server, &error);
}

void persistence_refresh(struct server *server)
{
    bool refuses = server->settings.stops_writes_on_failure && persistence_has_save_points(server) &&
                   server->persistence.has_failed;

    server->engine->guards &= ~GUARD_WRITES;
    if (refuses)
        server->engine->guards |= GUARD_WRITES;
}

void persistence_flushed_all(struct engine *engine)
{
    struct server *server = engine->host;
    struct error error;

    if (server->child_kind == CHILD_SAVES)
        snapshot_child_end(server);
    if (!persistence_has_save_points(server) || persistence_save(server, &error) < 0)
        return;
    engine->changes++; /* the command itself, which the file has already */
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

struct loading {
    struct server *server;
    struct rdb_writer functions; /* of the file */
};

/* Others are served meanwhile, and hear that data are being loaded. */
static bool on_progress(void *context, uint64_t done, uint64_t total)
{
    struct server *server = ((struct loading *)context)->server;

    server->persistence.loading_done = done;
    server->persistence.loading_total = total;
    engine_nested_turn(server->engine);
    return !server->engine->should_stop;
}

/* A library's name may come again in the file, so none is loaded before all are known. */
static bool gather_function(void *context, struct bytes code, struct error *error)
{
    struct loading *loading = context;

    functions_dump_library(&loading->functions, code);
    return true;
}

static bool load_functions(struct server *server, const struct rdb_writer *content, bool may_replace,
                           struct error *error)
{
    struct text text = {0};
    bool is_good = functions_restore(server->engine->functions, (struct bytes){content->data, content->len},
                                     may_replace ? FUNCTIONS_REPLACE : FUNCTIONS_FLUSH, 0, &text);

    if (!is_good)
        error_set(error, "Failed loading functions: %.*s", (int)text.len, text.data);
    text_release(&text);
    return is_good;
}

static void report_loaded(const struct server *server, uint64_t began_ns)
{
    const struct rdb_loaded *loaded = &server->persistence.loaded;

    if (*loaded->writer_version)
        log_write(LOG_NOTICE, "Loading RDB produced by version %s", loaded->writer_version);
    log_write(LOG_NOTICE, "Done loading RDB, keys loaded: %llu, keys expired: %llu.",
              (unsigned long long)loaded->keys, (unsigned long long)loaded->expired);
    if (loaded->empty)
        log_write(LOG_NOTICE, "%llu empty keys were left out", (unsigned long long)loaded->empty);
    log_write(LOG_NOTICE, "DB loaded from disk: %.3f seconds", (double)(clock_work_ns() - began_ns) / 1e9);
}

bool persistence_load(struct server *server, bool may_replace)
{
    struct persistence *persistence = &server->persistence;
    struct loading loading = {server, {NULL}};
    struct rdb_load_options options = {
        .has_checksum = server->settings.has_snapshot_checksum,
        .may_replace = may_replace,
        .key_delay_us = server->settings.key_load_delay_us,
        .step_bytes = (uint64_t)server->settings.load_step_bytes,
        .context = &loading,
        .progress = on_progress,
        .function = gather_function,
    };
    struct error error = {""};
    uint64_t began_ns = clock_work_ns();
    enum rdb_load_outcome outcome;

    persistence->is_loading = true;
    persistence->loading_since_s = now_s(server);
    persistence->loading_done = persistence->loading_total = 0;
    server->engine->guards |= GUARD_LOADING;
    outcome = rdb_load(server->store, server->settings.snapshot_name, &options, &persistence->loaded, &error);
    if (outcome == RDB_FILE_LOADED && !load_functions(server, &loading.functions, may_replace, &error))
        outcome = RDB_FILE_BAD;
    rdb_writer_release(&loading.functions);
    server->engine->guards &= ~GUARD_LOADING;
    persistence->is_loading = false;
    server->has_work = true;
    clock_sync(&server->clock);
    if (outcome == RDB_FILE_LOADED)
        report_loaded(server, began_ns);
    else if (outcome == RDB_FILE_BAD)
        log_write(LOG_WARNING, "%s", error.text);
    return outcome != RDB_FILE_BAD;
}

/* --- a life ------------------------------------------------------------------------------------------------------ */

bool persistence_start(struct server *server)
{
    server->persistence.saved_s = now_s(server);
    server->persistence.last_duration_s = -1;
    if (persistence_load(server, false))
        return true;
    log_write(LOG_WARNING, "Fatal error loading the DB, check server logs. Exiting.");
    return false;
}

bool persistence_finish(struct server *server, bool saves, bool must_not_save, bool is_forced)
{
    struct error error;

    if (server->child_kind == CHILD_SAVES)
        log_write(LOG_WARNING, "There is a child saving an .rdb. Killing it!");
    snapshot_child_end(server);
    if (server->persistence.is_loading || must_not_save || !(saves || persistence_has_save_points(server)))
        return true;
    log_write(LOG_NOTICE, "Saving the final RDB snapshot before exiting.");
    if (persistence_save(server, &error) == 0)
        return true;
    log_write(LOG_WARNING, is_forced ? "Error trying to save the DB. Exit anyway."
                                     : "Error trying to save the DB, can't exit.");
    return is_forced;
}
