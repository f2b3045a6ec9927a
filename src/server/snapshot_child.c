/* The child that holds a snapshot: a fork of the server, which shares all pages until one side writes.
 *
 * While it lives the store changes no more pages than the commands do: no resize, no moving, no pages
 * given back, no access clocks. What it did it tells in a page that both share. */
#include "server_internal.h"

#include "base/log.h"
#include "engine/latency.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_child_gone(struct engine_source *source, unsigned readiness)
{
    struct server *server = (struct server *)((char *)source - offsetof(struct server, child));
    enum child_kind kind = server->child_kind;
    int status = 0;

    if (server->child_fd >= 0) {
        engine_unwatch(server->engine, server->child_fd);
        close(server->child_fd);
    }
    waitpid(server->child_pid, &status, 0);
    server->child_kind = CHILD_NONE;
    store_set_snapshot_child(server->store, false);
    if (kind == CHILD_SAVES)
        persistence_child_ended(server, status);
    server->child_pid = 0;
}

/* The child keeps none of the descriptors: a client's connection must end when the server closes it. */
static void close_descriptors(void) { syscall(SYS_close_range, 3u, ~0u, 0u); }

/* What the child does not share any more, by what it wrote itself and by what the server did. */
static uint64_t copied_bytes(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    uint64_t bytes = 0;
    char line[128];

    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "Private_Dirty:", 14))
            bytes = strtoull(line + 14, NULL, 10) * 1024;
    if (file)
        fclose(file);
    return bytes;
}

static _Noreturn void live(struct server *server, int (*run)(struct server *server, int64_t argument), int64_t argument)
{
    int status;

    signals_in_child();
    close_descriptors();
    log_set_role('C');
    status = run(server, argument);
    server->child_report->copied_bytes = copied_bytes();
    _exit(status);
}

static int make_report(struct server *server, struct error *error)
{
    void *page;

    if (!server->child_report) {
        page = mmap(NULL, sizeof *server->child_report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
            return error_set_errno(error, "mmap");
        server->child_report = page;
    }
    *server->child_report = (struct child_report){0};
    return 0;
}

pid_t snapshot_child_start(struct server *server, enum child_kind kind,
                           int (*run)(struct server *server, int64_t argument), int64_t argument, struct error *error)
{
    uint64_t started_ns;
    pid_t pid;

    if (server->child_pid) {
        error_set(error, "A snapshot child lives already");
        return -1;
    }
    if (make_report(server, error) < 0)
        return -1;
    started_ns = clock_work_ns();
    pid = fork();
    if (pid < 0) {
        error_set_errno(error, "fork");
        return -1;
    }
    if (pid == 0)
        live(server, run, argument);
    server->child_pid = pid;
    server->child_kind = kind;
    server->forks.count++;
    server->forks.latest_ns = clock_work_ns() - started_ns;
    latency_add(server->engine, "fork", server->forks.latest_ns);
    server->child_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    server->child.ready = on_child_gone;
    if (server->child_fd < 0 ||
        engine_watch(server->engine, server->child_fd, &server->child, EVENT_READABLE) < 0)
        log_write(LOG_WARNING, "watching the snapshot child: %s", strerror(errno));
    store_set_snapshot_child(server->store, true);
    return pid;
}

void snapshot_child_end(struct server *server)
{
    if (!server->child_pid)
        return;
    kill(server->child_pid, SIGUSR1);
    on_child_gone(&server->child, 0);
}
