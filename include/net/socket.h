/* Sockets: listening, accepting, names of both ends. All are non-blocking and closed on exec. */
#ifndef TERN_NET_SOCKET_H
#define TERN_NET_SOCKET_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SOCKET_NAME_MAX 128 /* "[address]:port" or a path */

/* A bind address as in the configuration: "127.0.0.1", "::1", "*" (all of IPv4), "::*" (all of IPv6),
 * a host name. '*port' 0 means any free one and is set to it. Returns the descriptor or -1. */
int socket_listen_tcp(const char *address, int *port, int backlog, struct error *error);
/* Replaces what is left of an earlier socket at that path. 'permissions' 0: leave them. */
int socket_listen_unix(const char *path, mode_t permissions, int backlog, struct error *error);

/* -1 with errno. */
int socket_accept(int listener);
void socket_set_nodelay(int fd);
/* 'seconds' 0: none. */
void socket_set_keepalive(int fd, int seconds);

/* "127.0.0.1:6379", "[::1]:6379", or "path:0" for a unix socket; "?:0" when it is not known. */
void socket_peer_name(int fd, const char *unix_path, char *out, size_t size);
void socket_own_name(int fd, const char *unix_path, char *out, size_t size);
bool socket_is_unix(int fd);
/* The other end is on this machine (127.0.0.0/8, ::1, or a unix socket). */
bool socket_peer_is_local(int fd);

/* Takes what has come and nobody will read, at most some megabytes. To close a socket that has such bytes is to reset the
 * connection, and a reset may overtake the last reply. */
void socket_discard_input(int fd);

#endif
