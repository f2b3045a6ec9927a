/* The floor of any single-threaded epoll server: reads, finds where each command ends and answers a
 * canned reply for each, in one write. No dispatch, no keys: what it costs is the kernel and the
 * framing.
 *
 *     ceiling PORT REPLY       REPLY is one reply with \r and \n written as in C
 *
 * A tool for one benchmark on one machine: it trusts its client and stops at the first surprise. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 65536
#define EVENTS_MAX      512

struct buffer {
    char *data;
    size_t len, size;
};

struct connection {
    struct buffer in, out;
    size_t sent;        /* of 'out' */
    bool waits_to_send; /* EPOLLOUT is registered */
};

static struct connection *connections[CONNECTIONS_MAX]; /* by descriptor */
static int epoll;
static char *reply;
static size_t reply_len;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void buffer_reserve(struct buffer *buffer, size_t more)
{
    while (buffer->len + more > buffer->size) {
        buffer->size = buffer->size ? buffer->size * 2 : 65536;
        buffer->data = realloc(buffer->data, buffer->size);
        if (!buffer->data)
            fail("memory");
    }
}

static void unescape_in_place(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (from[0] == '\\' && (from[1] == 'r' || from[1] == 'n'))
            *to++ = *++from == 'r' ? '\r' : '\n';
        else
            *to++ = *from;
    }
    *to = '\0';
    reply_len = (size_t)(to - text);
}

/* The end of the command at 'at', or NULL when it is not complete. */
static char *command_end(char *at, char *end)
{
    char *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;

    if (!newline)
        return NULL;
    if (*at != '*')
        exit(1);
    long count = strtol(at + 1, NULL, 10);

    at = newline + 1;
    for (long i = 0; i < count; i++) {
        newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!newline)
            return NULL;
        at = newline + 1 + strtol(at + 1, NULL, 10) + 2;
        if (at > end)
            return NULL;
    }
    return at;
}

static void watch(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    if (epoll_ctl(epoll, operation, fd, &event) < 0)
        fail("epoll_ctl");
}

static void accept_all(int listener)
{
    int one = 1, fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= CONNECTIONS_MAX)
            exit(1);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        connections[fd] = calloc(1, sizeof *connections[fd]);
        if (!connections[fd])
            fail("memory");
        watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
}

static void drop(int fd)
{
    struct connection *connection = connections[fd];

    close(fd);
    free(connection->in.data);
    free(connection->out.data);
    free(connection);
    connections[fd] = NULL;
}

static void send_replies(int fd, struct connection *connection)
{
    struct buffer *out = &connection->out;

    while (connection->sent < out->len) {
        ssize_t wrote = write(fd, out->data + connection->sent, out->len - connection->sent);

        if (wrote < 0)
            break;
        connection->sent += (size_t)wrote;
    }
    bool waits = connection->sent < out->len;

    if (waits != connection->waits_to_send)
        watch(EPOLL_CTL_MOD, fd, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
    connection->waits_to_send = waits;
    if (!waits)
        out->len = connection->sent = 0;
}

static void serve(int fd, struct connection *connection)
{
    struct buffer *in = &connection->in, *out = &connection->out;
    ssize_t got;

    buffer_reserve(in, 16384);
    got = read(fd, in->data + in->len, in->size - in->len);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        drop(fd);
        return;
    }
    in->len += (size_t)got;

    char *at = in->data, *end = in->data + in->len, *next;

    for (; (next = command_end(at, end)); at = next) {
        buffer_reserve(out, reply_len);
        memcpy(out->data + out->len, reply, reply_len);
        out->len += reply_len;
    }
    in->len = (size_t)(end - at);
    memmove(in->data, at, in->len);
    send_replies(fd, connection);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_MAX];
    int one = 1;

    if (argc != 3) {
        fputs("usage: ceiling PORT REPLY\n", stderr);
        return 2;
    }
    reply = argv[2];
    unescape_in_place(reply);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtol(argv[1], NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 511) < 0)
        fail("listen");
    epoll = epoll_create1(0);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);

        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;

            if (fd == listener) {
                accept_all(fd);
                continue;
            }
            if (events[i].events & EPOLLOUT)
                send_replies(fd, connections[fd]);
            if (events[i].events & ~(uint32_t)EPOLLOUT)
                serve(fd, connections[fd]);
        }
    }
}
