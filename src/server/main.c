/* From the command line to the loop and back. */
#include "server_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/version.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- the command line ------------------------------------------------------------------------------------- */

static int print_version(void)
{
    printf("Tern server v=%s tern=%s sha=00000000:0 malloc=tern-slab bits=64 build=0\n", REDIS_VERSION,
           TERN_VERSION);
    return 0;
}

static int print_help(void)
{
    puts("usage: tern-server [configuration-file] [--directive value ...]\n"
         "\n"
         "  tern-server                               defaults, port 6379\n"
         "  tern-server /etc/tern.conf --port 7777    a file, then what overrides it\n"
         "  tern-server --port 0 --port-file FILE     any free port, written to FILE\n"
         "  tern-server --version | --help\n"
         "\n"
         "Directives are those of redis-server; redis.conf.example explains them.");
    return 0;
}

static int fatal(const struct error *error)
{
    fprintf(stderr, "\n*** FATAL CONFIG FILE ERROR (Redis %s) ***\n%s\n", REDIS_VERSION, error->text);
    return 1;
}

/* "--port" "7777", also "--bind" "127.0.0.1" "::1". */
static int apply_options(struct server *server, char **argv, int argc, struct error *error)
{
    struct bytes words[CONFIG_ARGS_MAX];
    int at = 0;

    while (at < argc) {
        const char *first = argv[at];
        int count = 0;

        do {
            if (count == CONFIG_ARGS_MAX)
                return error_set(error, "too many values for '%s'", first);
            words[count++] = bytes_from_string(argv[at++]);
        } while (at < argc && strncmp(argv[at], "--", 2));
        words[0].data += 2;
        words[0].len -= 2;
        if (config_apply(server, words, count, true, error) < 0) {
            struct error reason = *error;

            return error_set(error, "Reading the command line\n>>> '%s'\n%.300s", first + 2, reason.text);
        }
    }
    return 0;
}

static int configure(struct server *server, char **argv, int argc, struct error *error)
{
    if (argc && strncmp(argv[0], "--", 2)) {
        char path[PATH_MAX];

        if (realpath(argv[0], path)) {
            server->settings.config_file = mem_alloc(strlen(path) + 1);
            memcpy(server->settings.config_file, path, strlen(path) + 1);
        }
        if (config_read_file(server, argv[0], error) < 0)
            return -1;
        argv++, argc--;
        if (argc && strncmp(argv[0], "--", 2))
            return error_set(error, "'%s': an option begins with --", argv[0]);
    }
    return apply_options(server, argv, argc, error);
}

/* --- the end ------------------------------------------------------------------------------------------------ */

static void on_signal(struct engine_source *source, unsigned readiness)
{
    struct server *server = (struct server *)((char *)source - offsetof(struct server, signals));
    struct signalfd_siginfo info;

    if (read(server->signal_fd, &info, sizeof info) != sizeof info)
        return;
    log_write(LOG_NOTICE, "Received %s scheduling shutdown...",
              info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
    server->engine->should_stop = true;
}

static int watch_signals(struct server *server)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    server->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    server->signals.ready = on_signal;
    return engine_watch(server->engine, server->signal_fd, &server->signals, EVENT_READABLE);
}

static void on_parent_gone(struct engine_source *source, unsigned readiness)
{
    struct server *server = (struct server *)((char *)source - offsetof(struct server, parent));

    log_write(LOG_NOTICE, "The parent process has ended, shutting down...");
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

static void make_run_id(char out[41])
{
    unsigned char bytes[20];

    random_secret(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int assemble(struct server *server, struct error *error)
{
    uint64_t seed;

    random_secret(&seed, sizeof seed);
    make_run_id(server->run_id);
    if (chdir(server->settings.dir) < 0)
        return error_set_errno(error, "Can't chdir to '%s'", server->settings.dir);
    if (log_set_file(server->settings.log_file, error) < 0)
        return -1;
    server->loop = event_loop_new();
    if (!server->loop)
        return error_set_errno(error, "epoll");
    server->store = store_new((int)server->settings.databases, &server->clock, seed);
    server->store->settings = server->staged_store;
    server->engine = engine_new(server->store, &server->clock, server->loop);
    server->engine->settings = server->staged;
    server->engine->host = server;
    engine_settings_changed(server->engine);
    server->started_ms = clock_now_ms(&server->clock);
    return 0;
}

static int open_up(struct server *server, pid_t parent, struct error *error)
{
    log_write(LOG_NOTICE, "Tern %s is starting, speaking as Redis %s", TERN_VERSION, REDIS_VERSION);
    server_fit_descriptors(server);
    if (watch_signals(server) < 0)
        return error_set_errno(error, "signals");
    if (watch_parent(server, parent, error) < 0 || server_listen(server, error) < 0)
        return -1;
    if (!server->listener_count && !server->engine->unix_path)
        return error_set(error, "Configured to not listen anywhere, exiting.");
    server->startup_bytes = mem_used();
    log_write(LOG_NOTICE, "Server initialized");
    if (server->settings.port)
        log_write(LOG_NOTICE, "Ready to accept connections tcp");
    if (*server->settings.unix_path)
        log_write(LOG_NOTICE, "Ready to accept connections unix");
    return server_write_port_file(server, error);
}

static void close_down(struct server *server)
{
    server_stop_listening(server);
    log_write(LOG_WARNING, "Redis is now ready to exit, bye bye...");
}

#if defined(__SANITIZE_ADDRESS__) || defined(TERN_DEBUG)
/* Everything is freed, so that what is left over shows; a real end leaves that to the kernel. */
static void dismantle(struct server *server)
{
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

int main(int argc, char **argv)
{
    static struct server server; /* one; large enough not to stand on the stack */
    pid_t parent = getppid();
    struct hash_seed seed;
    struct error error;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-v"))
            return print_version();
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return print_help();
    }
    random_secret(&seed, sizeof seed);
    hash_set_seed(seed);
    clock_init(&server.clock);
    assert_set_reporter(report_to_log);
    config_set_defaults(&server);
    if (configure(&server, argv + 1, argc - 1, &error) < 0)
        return fatal(&error);
    if (assemble(&server, &error) < 0 || open_up(&server, parent, &error) < 0) {
        log_write(LOG_WARNING, "%s", error.text);
        return 1;
    }
    server_run(&server);
    snapshot_child_end(&server);
    close_down(&server);
    dismantle(&server);
    return 0;
}
