/* SIGTERM and SIGINT. The first asks the loop to end through an eventfd. A second SIGINT ends the process where it
 * stands, also when a long command keeps the loop from looking.
 *
 * What the handler needs is the process's (src/README.md lists it): a handler gets no argument. */
#include "server_internal.h"

#include "base/log.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct {
    int fd;
    volatile sig_atomic_t last, interrupts;
} signals = {.fd = -1};

static void handle(int number)
{
    uint64_t one = 1;

    if (number == SIGINT && signals.interrupts++) {
        log_from_signal(LOG_WARNING, "You insist... exiting now.");
        _exit(1);
    }
    log_from_signal(LOG_WARNING, number == SIGINT ? "Received SIGINT scheduling shutdown..."
                                                  : "Received SIGTERM scheduling shutdown...");
    signals.last = number;
    if (write(signals.fd, &one, sizeof one) < 0)
        return; /* it is full: the loop has been told */
}

static void on_signal(struct engine_source *source, unsigned readiness)
{
    struct server *server = (struct server *)((char *)source - offsetof(struct server, signals));
    const struct server_settings *settings = &server->settings;
    int how = signals.last == SIGINT ? settings->on_sigint : settings->on_sigterm;

    uint64_t count;

    if (read(signals.fd, &count, sizeof count) < 0) /* there may be a next one, when this one fails */
        return;
    log_write(LOG_NOTICE, "User requested shutdown...");
    if (persistence_finish(server, how & SHUTDOWN_SAVE, how & SHUTDOWN_NOSAVE, how & SHUTDOWN_FORCE))
        server->engine->should_stop = true;
    else
        log_write(LOG_WARNING, "%s received but errors trying to shut down the server, check the logs for more information",
                  signals.last == SIGINT ? "SIGINT" : "SIGTERM");
}

int signals_watch(struct server *server, struct error *error)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};

    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signals.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    server->signals.ready = on_signal;
    if (signals.fd < 0 || engine_watch(server->engine, signals.fd, &server->signals, EVENT_READABLE) < 0)
        return error_set_errno(error, "signals");
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    return 0;
}

void signals_in_child(void)
{
    signal(SIGTERM, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGINT, SIG_IGN);
}
