/* What the world outside is to know of the process: daemonize, supervised, pidfile, oom-score-adj. */
#include "server_internal.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PID_FILE_OF_A_DAEMON "/var/run/redis.pid"

/* --- the background ------------------------------------------------------------------------------------------ */

/* Twice, so that what remains is nobody's leader and can never get a terminal. */
static int detach(struct error *error)
{
    int null;

    for (int i = 0; i < 2; i++) {
        pid_t child = fork();

        if (child < 0)
            return error_set_errno(error, "daemonize: fork");
        if (child > 0)
            _exit(0);
        if (i == 0)
            setsid();
    }
    null = open("/dev/null", O_RDWR);
    if (null < 0)
        return 0;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
    return 0;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

/* Upstart takes a process that stops itself as one that is ready. */
static bool stop_for_upstart(void)
{
    if (!is_set("UPSTART_JOB")) {
        log_write(LOG_WARNING, "upstart supervision requested, but UPSTART_JOB not found!");
        return false;
    }
    log_write(LOG_NOTICE, "supervised by upstart, will stop to signal readiness.");
    raise(SIGSTOP);
    unsetenv("UPSTART_JOB");
    return true;
}

static bool has_systemd(void)
{
    if (!is_set("NOTIFY_SOCKET")) {
        log_write(LOG_WARNING, "systemd supervision error: NOTIFY_SOCKET not found!");
        return false;
    }
    log_write(LOG_NOTICE, "Supervised by systemd. Please make sure you set appropriate values for "
                          "TimeoutStartSec and TimeoutStopSec in your service unit.");
    return true;
}

/* From now on 'supervised' says what is so. */
static void find_supervisor(struct server *server)
{
    int *supervised = &server->settings.supervised;

    if (*supervised == SUPERVISED_AUTO)
        *supervised = is_set("UPSTART_JOB")     ? SUPERVISED_UPSTART
                      : is_set("NOTIFY_SOCKET") ? SUPERVISED_SYSTEMD
                                                : SUPERVISED_NO;
    if ((*supervised == SUPERVISED_UPSTART && !stop_for_upstart()) ||
        (*supervised == SUPERVISED_SYSTEMD && !has_systemd()))
        *supervised = SUPERVISED_NO;
}

const char *daemon_supervisor(const struct server *server)
{
    int supervised = server->settings.supervised;

    return supervised == SUPERVISED_SYSTEMD ? "systemd" : supervised == SUPERVISED_UPSTART ? "upstart" : "no";
}

int daemon_begin(struct server *server, struct error *error)
{
    if (server->settings.is_daemon && server->settings.exit_with_parent)
        return error_set(error, "exit-with-parent: with daemonize there is no parent to watch");
    find_supervisor(server);
    if (!server->settings.is_daemon || server->settings.supervised != SUPERVISED_NO)
        return 0;
    return detach(error);
}

/* --- systemd's socket ----------------------------------------------------------------------------------------- */

static void notify(const struct server *server, const char *message)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    int fd;

    if (server->settings.supervised != SUPERVISED_SYSTEMD || !len || len >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, len);
    if (*path == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
        log_write(LOG_WARNING, "systemd supervision error: %s: %s", path, strerror(errno));
    close(fd);
}

void daemon_tell_ready(struct server *server)
{
    notify(server, "STATUS=Ready to accept connections\nREADY=1\n");
}

/* --- the pid file ------------------------------------------------------------------------------------------------ */

void daemon_write_pid_file(struct server *server)
{
    FILE *file;

    if (server->settings.is_daemon && !*server->settings.pid_file)
        config_set_text(&server->settings.pid_file, BYTES(PID_FILE_OF_A_DAEMON));
    if (!*server->settings.pid_file)
        return;
    file = fopen(server->settings.pid_file, "w");
    if (!file || fprintf(file, "%d\n", (int)getpid()) < 0)
        log_write(LOG_NOTICE, "Failed to write PID file: %s", strerror(errno));
    else
        server->has_pid_file = true;
    if (file)
        fclose(file);
}

void daemon_end(struct server *server)
{
    notify(server, "STOPPING=1\n");
    if (!server->has_pid_file)
        return;
    log_write(LOG_NOTICE, "Removing the pid file.");
    unlink(server->settings.pid_file);
}

/* --- the out of memory killer --------------------------------------------------------------------------------------- */

#define OOM_FILE "/proc/self/oom_score_adj"

static int read_score(void)
{
    FILE *file = fopen(OOM_FILE, "r");
    int score = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%d", &score) != 1)
        score = 0;
    fclose(file);
    return score;
}

static bool write_score(int score)
{
    FILE *file = fopen(OOM_FILE, "w");
    bool is_written = file && fprintf(file, "%d\n", score) > 0;

    if (file && fclose(file) != 0)
        is_written = false;
    return is_written;
}

/* The first of the three values is that of a master. 'no' puts back what was there. */
int oom_score_adjust(struct server *server, struct error *error)
{
    int mode = server->settings.oom_mode, value = (int)strtol(server->settings.oom_values, NULL, 10), score;

    if (mode == OOM_NO && !server->has_oom_score)
        return 0;
    if (!server->has_oom_score) {
        server->oom_score_before = read_score();
        server->has_oom_score = true;
    }
    score = mode == OOM_NO         ? server->oom_score_before
            : mode == OOM_ABSOLUTE ? value
                                   : server->oom_score_before + value;
    score = score > 1000 ? 1000 : score < -1000 ? -1000 : score;
    if (write_score(score))
        return 0;
    log_write(LOG_WARNING, "Unable to write oom_score_adj: %s", strerror(errno));
    return error_set(error, "Failed to apply new oom_score_adj configuration, check server logs.");
}
