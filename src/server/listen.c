/* The sockets that clients come through: at start, and when CONFIG SET changes them. */
#include "server_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/socket.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define OWN_DESCRIPTORS 32 /* beside those of clients */
#define PORT_TRIES      100 /* what is free for one address may be taken for another */

int64_t server_raise_descriptors(int64_t clients)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)clients + OWN_DESCRIPTORS, before;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return clients;
    before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        limit.rlim_cur = before;
    else if (limit.rlim_cur == wanted)
        log_write(LOG_NOTICE, "Increased maximum number of open files to %llu (it was originally set to %llu).",
                  (unsigned long long)wanted, (unsigned long long)before);
    if (limit.rlim_cur >= wanted)
        return clients;
    return limit.rlim_cur > OWN_DESCRIPTORS ? (int64_t)limit.rlim_cur - OWN_DESCRIPTORS : 1;
}

void server_fit_descriptors(struct server *server)
{
    int64_t *clients = &server->engine->settings.max_clients, possible = server_raise_descriptors(*clients);
    long long wanted = *clients;

    if (possible >= *clients)
        return;
    *clients = possible;
    log_write(LOG_WARNING, "You requested maxclients of %lld requiring at least %lld max file descriptors.", wanted,
              wanted + OWN_DESCRIPTORS);
    log_write(LOG_WARNING,
              "Server can't set maximum open files to %lld because of OS error: %s.", wanted + OWN_DESCRIPTORS,
              strerror(EPERM));
    log_write(LOG_WARNING,
              "Current maximum open files is %lld. maxclients has been reduced to %lld to compensate for low "
              "ulimit. If you need higher maxclients increase 'ulimit -n'.",
              (long long)possible + OWN_DESCRIPTORS, (long long)possible);
}

static int take(struct server *server, int fd, bool is_unix, struct error *error)
{
    if (engine_listen(server->engine, fd, is_unix) == 0)
        return 0;
    error_set_errno(error, "listening");
    close(fd);
    return -1;
}

/* An address with "-" in front may be missing on this machine. */
static int listen_on(struct server *server, struct bytes word, int *port, struct error *error)
{
    bool is_optional = word.len && word.data[0] == '-';
    char address[256];
    int fd, reason;

    snprintf(address, sizeof address, "%.*s", (int)(word.len - is_optional), word.data + is_optional);
    fd = socket_listen_tcp(address, port, (int)server->settings.tcp_backlog, error);
    if (fd >= 0) {
        if (take(server, fd, false, error) < 0)
            return -1;
        server->listeners[server->listener_count++] = fd;
        return 0;
    }
    reason = errno;
    if (*port) /* or any other will do */
        log_write(LOG_WARNING, "Warning: Could not create server TCP listening socket %s", error->text);
    errno = reason;
    if (is_optional && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT || errno == ENOTSUP))
        return 0;
    return -1;
}

static void stop_tcp(struct server *server)
{
    for (int i = 0; i < server->listener_count; i++) {
        engine_stop_listening(server->engine, server->listeners[i]);
        close(server->listeners[i]);
    }
    server->listener_count = 0;
}

/* On all addresses or none. */
static int listen_on_all(struct server *server, int *port, struct error *error)
{
    struct bytes words[BIND_MAX];
    char buffer[4096];
    int count = config_split(bytes_from_string(server->settings.bind), buffer, words, BIND_MAX);

    for (int i = 0; i < count; i++)
        if (listen_on(server, words[i], port, error) < 0) {
            int reason = errno;

            stop_tcp(server);
            errno = reason;
            return -1;
        }
    return 0;
}

/* Port 0 means no TCP, but any free port when there is a file to write it to. */
static int listen_tcp(struct server *server, struct error *error)
{
    int port = (int)server->settings.port;

    if (port == 0 && !*server->settings.port_file)
        return 0;
    for (int tries = 1; listen_on_all(server, &port, error) < 0; tries++) {
        if (server->settings.port == 0 && errno == EADDRINUSE && tries < PORT_TRIES) {
            port = 0;
            continue;
        }
        log_write(LOG_WARNING, "Failed listening on port %d (tcp), aborting.", port);
        *error->text = '\0'; /* said */
        return -1;
    }
    server->has_any_port = server->settings.port == 0 || (server->has_any_port && port == server->listening_port);
    server->settings.port = server->listening_port = port;
    return 0;
}

static int listen_unix(struct server *server, struct error *error)
{
    if (!*server->settings.unix_path)
        return 0;
    server->unix_listener =
        socket_listen_unix(server->settings.unix_path, (mode_t)server->settings.unix_permissions,
                           (int)server->settings.tcp_backlog, error);
    if (server->unix_listener < 0) {
        log_write(LOG_WARNING, "Failed opening Unix socket: %s", error->text);
        *error->text = '\0'; /* said */
        return -1;
    }
    server->engine->unix_path = server->settings.unix_path;
    return take(server, server->unix_listener, true, error);
}

/* The kernel cuts the queue without a word. */
static void check_backlog(const struct server *server)
{
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "r");
    int most;

    if (!file)
        return;
    if (fscanf(file, "%d", &most) == 1 && most > 0 && most < server->settings.tcp_backlog)
        log_write(LOG_WARNING,
                  "WARNING: The TCP backlog setting of %lld cannot be enforced because "
                  "/proc/sys/net/core/somaxconn is set to the lower value of %d.",
                  (long long)server->settings.tcp_backlog, most);
    fclose(file);
}

int server_listen(struct server *server, struct error *error)
{
    check_backlog(server);
    if (listen_tcp(server, error) < 0)
        return -1;
    return listen_unix(server, error);
}

void server_stop_listening(struct server *server)
{
    stop_tcp(server);
    if (!server->engine->unix_path)
        return;
    engine_stop_listening(server->engine, server->unix_listener);
    close(server->unix_listener);
    log_write(LOG_NOTICE, "Removing the unix socket file.");
    unlink(server->settings.unix_path);
    server->engine->unix_path = NULL;
}

/* Whole or not at all: written beside and renamed. */
int server_write_port_file(const struct server *server, struct error *error)
{
    const char *path = server->settings.port_file;
    char beside[4096];
    FILE *file;

    if (!*path)
        return 0;
    snprintf(beside, sizeof beside, "%s.%d", path, (int)getpid());
    file = fopen(beside, "w");
    if (!file)
        return error_set_errno(error, "%s", beside);
    if (fprintf(file, "%lld\n", (long long)server->settings.port) < 0 || fclose(file) != 0 ||
        rename(beside, path) < 0) {
        unlink(beside);
        return error_set_errno(error, "%s", path);
    }
    return 0;
}

/* The caller puts the old settings back when this fails, and calls again. */
int server_listen_again(struct server *server, struct error *error)
{
    stop_tcp(server);
    if (listen_tcp(server, error) < 0)
        return -1;
    proc_title_refresh(server);
    return server_write_port_file(server, error);
}
