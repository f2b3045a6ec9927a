/* Thin clothes over the kernel's sockets. */
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DISCARD_READS_MAX 256

#define UNIX_BACKLOG_MIN 4096

static int bind_and_listen(int fd, const struct sockaddr *address, socklen_t len, int backlog)
{
    if (bind(fd, address, len) == 0 && listen(fd, backlog) == 0)
        return fd;
    int saved = errno;

    close(fd);
    errno = saved;
    return -1;
}

static int listen_on(const struct addrinfo *info, int backlog)
{
    int one = 1, fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    return bind_and_listen(fd, info->ai_addr, info->ai_addrlen, backlog);
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

int socket_listen_tcp(const char *address, int *port, int backlog, struct error *error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    const char *host = address;
    char service[16];
    int fd, outcome;

    if (!strcmp(address, "*"))
        host = NULL, hints.ai_family = AF_INET;
    else if (!strcmp(address, "::*"))
        host = NULL, hints.ai_family = AF_INET6;
    snprintf(service, sizeof service, "%d", *port);
    outcome = getaddrinfo(host, service, &hints, &found);
    if (outcome != 0)
        return error_set(error, "%s:%d: %s", address, *port, gai_strerror(outcome));
    fd = listen_on(found, backlog);
    freeaddrinfo(found);
    if (fd < 0)
        return error_set_errno(error, "%s:%d: bind", address, *port);
    if (*port == 0)
        *port = port_of(fd);
    return fd;
}

int socket_listen_unix(const char *path, mode_t permissions, int backlog, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof address.sun_path)
        return error_set(error, "%s: the path of a unix socket has at most %zu bytes", path,
                         sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(error, "%s: socket", path);
    unlink(path);
    /* Connecting to a full queue fails at once here, where TCP would wait: it is as long as may be. */
    if (backlog < UNIX_BACKLOG_MIN)
        backlog = UNIX_BACKLOG_MIN;
    if (bind_and_listen(fd, (struct sockaddr *)&address, sizeof address, backlog) < 0)
        return error_set_errno(error, "%s: bind", path);
    if (permissions && chmod(path, permissions) < 0)
        error_set_errno(error, "%s: chmod", path);
    return fd;
}

int socket_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

void socket_set_nodelay(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* A dead peer is noticed after 'seconds' of silence and three probes within as long again. */
void socket_set_keepalive(int fd, int seconds)
{
    int one = 1, interval = seconds / 3 > 0 ? seconds / 3 : 1, probes = 3;

    if (seconds <= 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static void format_name(const struct sockaddr_storage *address, const char *unix_path, char *out,
                        size_t size)
{
    char text[INET6_ADDRSTRLEN];

    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;

        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        snprintf(out, size, "%s:%d", text, ntohs(in->sin_port));
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
        snprintf(out, size, "[%s]:%d", text, ntohs(in6->sin6_port));
    } else if (address->ss_family == AF_UNIX) {
        snprintf(out, size, "%s:0", unix_path ? unix_path : "/unixsocket");
    } else {
        snprintf(out, size, "?:0");
    }
}

void socket_peer_name(int fd, const char *unix_path, char *out, size_t size)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;

    if (getpeername(fd, (struct sockaddr *)&address, &len) < 0)
        address.ss_family = AF_UNSPEC;
    format_name(&address, unix_path, out, size);
}

void socket_own_name(int fd, const char *unix_path, char *out, size_t size)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        address.ss_family = AF_UNSPEC;
    format_name(&address, unix_path, out, size);
}

bool socket_is_unix(int fd)
{
    int domain = 0;
    socklen_t len = sizeof domain;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

bool socket_peer_is_local(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;

    if (getpeername(fd, (struct sockaddr *)&address, &len) < 0)
        return false;
    if (address.ss_family == AF_INET)
        return (ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr) >> 24) == 127;
    if (address.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    return address.ss_family == AF_UNIX;
}

void socket_discard_input(int fd)
{
    char buffer[16384];

    for (int i = 0; i < DISCARD_READS_MAX; i++)
        if (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) < (ssize_t)sizeof buffer)
            return;
}
