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

/* The limit on open files is raised for maxclients, or maxclients lowered to what is allowed. */
void server_fit_descriptors(struct server *server)
{
    struct engine_settings *settings = &server->engine->settings;
    struct rlimit limit;
    rlim_t wanted = (rlim_t)settings->max_clients + OWN_DESCRIPTORS;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        settings->max_clients = limit.rlim_cur > OWN_DESCRIPTORS ? (int64_t)limit.rlim_cur - OWN_DESCRIPTORS : 1;
        log_write(LOG_WARNING, "maxclients has been reduced to %lld to compensate for low ulimit.",
                  (long long)settings->max_clients);
    }
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
    int fd;

    snprintf(address, sizeof address, "%.*s", (int)(word.len - is_optional), word.data + is_optional);
    fd = socket_listen_tcp(address, port, (int)server->settings.tcp_backlog, error);
    if (fd >= 0) {
        if (take(server, fd, false, error) < 0)
            return -1;
        server->listeners[server->listener_count++] = fd;
        return 0;
    }
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
        log_write(LOG_WARNING, "Warning: Could not create server TCP listening socket %s", error->text);
        log_write(LOG_WARNING, "Failed listening on port %d (tcp), aborting.", port);
        return -1;
    }
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
        return -1;
    }
    server->engine->unix_path = server->settings.unix_path;
    return take(server, server->unix_listener, true, error);
}

int server_listen(struct server *server, struct error *error)
{
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

/* What cannot be had leaves the server where it was: the old addresses are opened again. */
int server_listen_again(struct server *server, const char *old_bind, struct error *error)
{
    struct error ignored;
    int64_t port = server->settings.port;

    stop_tcp(server);
    if (listen_tcp(server, error) == 0)
        return server_write_port_file(server, error);
    server->settings.port = server->listening_port;
    if (old_bind)
        config_set_text(&server->settings.bind, bytes_from_string(old_bind));
    listen_tcp(server, &ignored);
    log_write(LOG_WARNING, "Listening on port %lld failed: %s", (long long)port, error->text);
    return -1;
}
