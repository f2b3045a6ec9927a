/* A client: one connection, from accept to close.
 *
 * What only some clients need (unfinished input, unsent output, MULTI, subscriptions, blocking) hangs
 * from a pointer that is NULL for the others: an idle connection costs this struct alone. */
#ifndef TERN_ENGINE_CLIENT_H
#define TERN_ENGINE_CLIENT_H

#include "base/bytes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct db;
struct request;

#define CLIENT_CLOSING           (1u << 0) /* is gone as soon as the turn is over; sends nothing more */
#define CLIENT_CLOSE_AFTER_REPLY (1u << 1) /* no more commands; closes when its output is sent */
#define CLIENT_BLOCKED           (1u << 2)
#define CLIENT_POSTPONED         (1u << 3) /* waits for the end of CLIENT PAUSE */
#define CLIENT_NEEDS_AUTH        (1u << 4)
#define CLIENT_IN_MULTI          (1u << 5)
#define CLIENT_DIRTY_CAS         (1u << 6) /* a watched key changed */
#define CLIENT_DIRTY_EXEC        (1u << 7) /* a command was refused while queueing */
#define CLIENT_REPLY_OFF         (1u << 8)
#define CLIENT_REPLY_SKIP_NEXT   (1u << 9)
#define CLIENT_REPLY_SKIP        (1u << 10)
#define CLIENT_NO_EVICT          (1u << 11)
#define CLIENT_NO_TOUCH          (1u << 12)
#define CLIENT_SUBSCRIBED        (1u << 13) /* has channels, patterns or shard channels */
#define CLIENT_IS_UNIX           (1u << 14)
#define CLIENT_IN_READY_LIST     (1u << 15)
#define CLIENT_IN_FLUSH_LIST     (1u << 16)
#define CLIENT_WAITS_WRITABLE    (1u << 17) /* EPOLLOUT is registered */
#define CLIENT_OVER_SOFT_LIMIT   (1u << 18)
#define CLIENT_SERVES_OTHERS     (1u << 19) /* from within its command, whose reply is not whole */
#define CLIENT_IN_EXEC           (1u << 20)
#define CLIENT_MONITOR           (1u << 21) /* sees every command */
#define CLIENT_INNER             (1u << 22) /* has no socket: it runs what a script calls */

/* Some of these, and the gate has to look closer. */
#define CLIENT_GATED                                                                               \
    (CLIENT_NEEDS_AUTH | CLIENT_IN_MULTI | CLIENT_SUBSCRIBED | CLIENT_REPLY_OFF |                  \
     CLIENT_REPLY_SKIP_NEXT | CLIENT_REPLY_SKIP | CLIENT_MONITOR)
#define CLIENT_STOPPED                                                                             \
    (CLIENT_CLOSING | CLIENT_CLOSE_AFTER_REPLY | CLIENT_BLOCKED | CLIENT_POSTPONED)

enum client_class { CLIENT_NORMAL, CLIENT_REPLICA, CLIENT_PUBSUB, CLIENT_CLASSES };

struct output_block {
    struct output_block *next;
    size_t size, used, sent; /* bytes of data; of these filled; of these sent */
    char data[];
};

/* What the socket has not taken yet. */
struct output_chain {
    struct output_block *first, *last;
    size_t bytes;  /* unsent */
    size_t memory; /* of the blocks */
};

struct client {
    uint64_t id;
    struct engine *engine;
    struct db *db;
    int fd;
    uint32_t flags;
    uint8_t resp; /* 2 or 3 */
    bool is_queued_for_close;
    uint32_t name_len; /* the name may have zero bytes */

    struct input *input;   /* bytes of commands that are not complete or not run; or NULL */
    const char *share_end; /* end of the bytes that its requests in the batch were parsed from */
    struct turn *turn;     /* which has requests of it; or NULL */
    struct output_chain output;
    struct output_chain pushes; /* to the running client: they wait for the end of its reply */
    int64_t soft_limit_since_ms;

    struct multi *multi;               /* MULTI's queue and WATCH's keys, or NULL */
    struct blocked *blocked;           /* or NULL */
    struct request *postponed;         /* detached */
    struct subscriptions *subscriptions; /* or NULL */

    const struct command_entry *last_command; /* that was sent; NULL: unknown */
    char *name, *lib_name, *lib_version; /* or NULL; terminated, mem_alloc(strlen + 1) */

    int64_t created_ms, active_ms;
    uint64_t bytes_in, bytes_out, commands;

    struct client *previous, *next;             /* all clients, the oldest first */
    struct client *ready_next, *flush_next;     /* the engine's lists */
    struct client *close_next;
    struct client *postponed_previous, *postponed_next;
};

enum client_class client_class_of(const struct client *client);

/* Marks it: it runs no more commands, sends nothing more, and is gone when the turn is over. */
void client_close(struct client *client);
void client_close_after_reply(struct client *client);

/* An empty name clears it. */
void client_set_name(struct client *client, struct bytes name);
/* Sets one of the other text fields, up to a zero byte; an empty text clears it. */
void client_set_text(char **field, struct bytes text);

/* One line of CLIENT LIST, with its end of line. Returns its length; 'size' of 1024 is enough for all
 * but very long names. */
size_t client_describe(const struct client *client, char *out, size_t size);

/* Bytes that this client costs beside the kernel's. */
size_t client_memory(const struct client *client);
size_t client_input_bytes(const struct client *client);
size_t client_input_capacity(const struct client *client);

#endif
