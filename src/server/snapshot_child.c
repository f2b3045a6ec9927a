/* The child that holds a snapshot: a fork of the server, which shares all pages until one side writes.
 *
 * While it lives the store changes no more pages than the commands do: no resize, no moving, no pages
 * given back, no access clocks. So far the child only holds the snapshot, for tests; writing it to a
 * file is the next step. */
#include "server_internal.h"

#include "base/log.h"
#include "engine/latency.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_child_gone(struct engine_source *source, unsigned readiness)
{
    struct server *server = (struct server *)((char *)source - offsetof(struct server, child));
    int status;

    engine_unwatch(server->engine, server->child_fd);
    close(server->child_fd);
    waitpid(server->child_pid, &status, 0);
    server->child_pid = 0;
    store_set_snapshot_child(server->store, false);
}

/* The child keeps none of the descriptors: a client's connection must end when the server closes it. */
static void close_descriptors(void) { syscall(SYS_close_range, 3u, ~0u, 0u); }

static _Noreturn void hold(int64_t ms)
{
    signals_in_child();
    close_descriptors();
    poll(NULL, 0, (int)ms);
    _exit(0);
}

pid_t snapshot_child_start(struct server *server, int64_t hold_ms, struct error *error)
{
    uint64_t started_ns;
    pid_t pid;

    if (server->child_pid) {
        error_set(error, "A snapshot child lives already");
        return -1;
    }
    started_ns = clock_work_ns();
    pid = fork();
    if (pid < 0) {
        error_set_errno(error, "fork");
        return -1;
    }
    if (pid == 0)
        hold(hold_ms);
    server->child_pid = pid;
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
    kill(server->child_pid, SIGKILL);
    on_child_gone(&server->child, 0);
}
