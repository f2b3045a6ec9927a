/* From the command line to the loop and back. */
#include "server_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/version.h"
#include "script/functions.h"
#include "script/script.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- the command line ------------------------------------------------------------------------------------- */

static int print_version(void)
{
    printf("Redis server v=%s sha=00000000:0 malloc=tern-slab bits=64 build=%s tern=%s\n", REDIS_VERSION,
           "7465726e00000000", TERN_VERSION);
    return 0;
}

static int print_help(void)
{
    puts("Usage: tern-server [/path/to/redis.conf] [options] [-]\n"
         "       tern-server - (read the configuration from standard input)\n"
         "       tern-server -v or --version\n"
         "       tern-server -h or --help\n"
         "       tern-server --check-config /path/to/redis.conf\n"
         "\n"
         "Examples:\n"
         "       tern-server                               defaults, port 6379\n"
         "       tern-server /etc/tern.conf --port 7777    a file, then what overrides it\n"
         "       tern-server --port 0 --port-file FILE     any free port, written to FILE\n"
         "       echo 'maxclients 128' | tern-server -     standard input\n"
         "\n"
         "Directives are those of redis-server; redis.conf.example explains them.");
    return 0;
}

static int refuse_memory_test(int argc)
{
    if (argc != 3)
        fputs("Please specify the amount of memory to test in megabytes.\n"
              "Example: ./tern-server --test-memory 4096\n\n", stderr);
    else
        fputs("tern-server does not test memory. memtest86+ and memtester do.\n", stderr);
    return 1;
}

static bool is_word(const char *argument, const char *word) { return !strcmp(argument, word); }

/* An empty error has been said in the log. */
static int fatal(const struct error *error)
{
    if (*error->text)
        fprintf(stderr, "\n*** FATAL CONFIG FILE ERROR (Redis %s) ***\n%s\n", REDIS_VERSION, error->text);
    return 1;
}

/* The path stays good when 'dir' is entered. */
static void keep_path(struct server *server, const char *path)
{
    char absolute[PATH_MAX];

    config_set_text(&server->settings.config_file,
                    bytes_from_string(realpath(path, absolute) ? absolute : path));
}

static int configure(struct server *server, char **argv, int argc, struct error *error)
{
    struct text options = {0};
    const char *path;
    bool reads_stdin;
    int outcome;

    options_read(argv, argc, &path, &reads_stdin, &options);
    if (path)
        keep_path(server, path);
    server->is_configured = argc > 0;
    outcome = config_load(server, path, reads_stdin, text_bytes(&options), error);
    text_release(&options);
    return outcome < 0 ? -1 : log_set_file(server->settings.log_file, error);
}

static int check_config(struct server *server, char **argv, int argc)
{
    struct error error;

    if (argc < 1) {
        fputs("Please specify the file to check.\n", stderr);
        return 1;
    }
    if (configure(server, argv, argc, &error) < 0)
        return fatal(&error);
    config_warn(server);
    puts("The configuration is good.");
    return 0;
}

/* --- the parent ------------------------------------------------------------------------------------------- */

static void on_parent_gone(struct engine_source *source, unsigned readiness)
{
    struct server *server = (struct server *)((char *)source - offsetof(struct server, parent));

    log_write(LOG_NOTICE, "The parent process has ended, shutting down...");
    persistence_finish(server, false, false, true);
    server->engine->should_stop = true;
}

/* Through a pidfd: prctl's signal is bound to the parent's thread, not to the process. */
static int watch_parent(struct server *server, pid_t parent, struct error *error)
{
    if (!server->settings.exit_with_parent)
        return 0;
    server->parent_fd = (int)syscall(SYS_pidfd_open, parent, 0);
    if (server->parent_fd < 0 || getppid() != parent)
        return error_set_errno(error, "exit-with-parent: watching process %d", (int)parent);
    server->parent.ready = on_parent_gone;
    return engine_watch(server->engine, server->parent_fd, &server->parent, EVENT_READABLE);
}

/* --- a life --------------------------------------------------------------------------------------------------- */

void server_make_id(char out[41])
{
    unsigned char bytes[20];

    random_secret(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void make_engine(struct server *server, uint64_t seed)
{
    server->store = store_new((int)server->settings.databases, &server->clock, seed);
    server->store->settings = server->staged_store;
    store_limit_memory(server->store, (size_t)server->settings.memory_limit);
    server->engine = engine_new(server->store, &server->clock, server->loop);
    server->engine->settings = server->staged;
    server->engine->host = server;
    server->engine->flushed_all = persistence_flushed_all;
    scripts_new(server->engine);
    functions_new(server->engine);
    engine_settings_changed(server->engine);
    if (server->commands) {
        command_set_free(server->engine->commands);
        server->engine->commands = server->commands;
    }
}

static int assemble(struct server *server, struct error *error)
{
    uint64_t seed;

    random_secret(&seed, sizeof seed);
    server_make_id(server->run_id);
    server_make_id(server->replication_id);
    server->loop = event_loop_new();
    if (!server->loop)
        return error_set_errno(error, "epoll");
    make_engine(server, seed);
    clock_sync(&server->clock);
    server->started_ms = clock_now_ms(&server->clock);
    return oom_score_adjust(server, error);
}

static int open_up(struct server *server, pid_t parent, struct error *error)
{
    server_fit_descriptors(server);
    banner_show(server);
    if (signals_watch(server, error) < 0 || watch_parent(server, parent, error) < 0 ||
        server_listen(server, error) < 0)
        return -1;
    if (!server->listener_count && !server->engine->unix_path)
        return error_set(error, "Configured to not listen anywhere, exiting.");
    crash_report_install(server);
    server->startup_bytes = mem_used();
    if (!persistence_start(server))
        return error_set(error, "%s", "");
    if (server->engine->should_stop) /* while it loaded */
        return 0;
    daemon_write_pid_file(server);
    proc_title_refresh(server);
    banner_ready(server);
    daemon_tell_ready(server);
    return server_write_port_file(server, error);
}

static void close_down(struct server *server)
{
    daemon_end(server);
    server_stop_listening(server);
    log_write(LOG_WARNING, "Redis is now ready to exit, bye bye...");
}

#if defined(__SANITIZE_ADDRESS__) || defined(TERN_DEBUG)
/* Everything is freed, so that what is left over shows; a real end leaves that to the kernel. */
static void dismantle(struct server *server)
{
    functions_free(server->engine->functions);
    scripts_free(server->engine->scripts);
    engine_free(server->engine);
    store_free(server->store);
    event_loop_free(server->loop);
    config_release(server);
    while (mem_background_step(INT64_MAX))
        ;
    if (mem_used())
        fprintf(stderr, "LEAK: %zu bytes are still in use\n", mem_used());
}
#else
static void dismantle(struct server *server) {}
#endif

static void report_to_log(const char *report) { log_write(LOG_WARNING, "%s", report); }

/* From the configuration to the last word. */
static int live(struct server *server, pid_t parent)
{
    struct error error;

    if (server->settings.uses_syslog)
        log_use_syslog(server->settings.syslog_name, server->settings.syslog_facility);
    if (daemon_begin(server, &error) < 0) {
        log_write(LOG_WARNING, "%s", error.text);
        return 1;
    }
    banner_begin(server);
    log_set_role('M');
    config_warn(server);
    if (assemble(server, &error) < 0 || open_up(server, parent, &error) < 0) {
        if (*error.text)
            log_write(LOG_WARNING, "%s", error.text);
        return 1;
    }
    server_run(server);
    snapshot_child_end(server);
    close_down(server);
    dismantle(server);
    return 0;
}

int main(int argc, char **argv)
{
    static struct server server; /* one; large enough not to stand on the stack */
    const char *first = argc > 1 ? argv[1] : "";
    pid_t parent = getppid();
    struct hash_seed seed;
    struct error error;

    if (argc < 1)
        return 1;
    if (is_word(first, "--version") || is_word(first, "-v"))
        return print_version();
    if (is_word(first, "--help") || is_word(first, "-h"))
        return print_help();
    if (is_word(first, "--test-memory"))
        return refuse_memory_test(argc);
    random_secret(&seed, sizeof seed);
    hash_set_seed(seed);
    clock_init(&server.clock);
    assert_set_reporter(report_to_log);
    log_set_role('C');
    config_set_text(&server.program, bytes_from_string(argv[0]));
    proc_title_begin(argc, argv);
    config_set_defaults(&server);
    if (is_word(first, "--check-config"))
        return check_config(&server, argv + 2, argc - 2);
    if (configure(&server, argv + 1, argc - 1, &error) < 0)
        return fatal(&error);
    return live(&server, parent);
}
