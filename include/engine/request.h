/* One command being run: what a handler gets.
 *
 * Arguments are views that live until the execution unit ends. What outlives it is made with
 * request_detach(), which copies all of them into one block. */
#ifndef TERN_ENGINE_REQUEST_H
#define TERN_ENGINE_REQUEST_H

#include "base/hash.h"
#include "engine/client.h"
#include "engine/command.h"
#include "engine/engine.h"
#include "engine/errors.h"
#include "engine/reply.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct string_block;

#define REQUEST_HASHES_MAX 16

#define REQUEST_CHANGED        (1u << 0) /* a key was changed: to be propagated */
#define REQUEST_PROPAGATED     (1u << 1) /* the handler said itself what goes into the write stream */
#define REQUEST_IS_RERUN       (1u << 2) /* blocked before, now its key is ready */
#define REQUEST_IN_EXEC        (1u << 3)
#define REQUEST_PROTOCOL_ERROR (1u << 4) /* not a command but the error that ends the input */
#define REQUEST_IS_QUOTED      (1u << 9) /* inline, with quotes still to be taken out of its arguments */
#define REQUEST_FAILED         (1u << 5) /* an error was replied */
#define REQUEST_LAST_OF_SHARE  (1u << 6)
#define REQUEST_IS_DETACHED    (1u << 7)
#define REQUEST_BLOCKED        (1u << 8) /* the handler has blocked its client */

/* A long argument that was read into a block of its own; owned by the request. */
struct big_argument {
    struct big_argument *next;
    struct string_block *block;
    int index;
};

struct request {
    struct client *client; /* NULL: dropped from the batch */
    struct engine *engine;
    struct window *window; /* where replies are formatted */
    struct db *db;
    const struct command_entry *command; /* NULL: unknown */
    struct bytes *argv;
    int argc;
    uint32_t flags;
    int hash_count;
    const uint64_t *hashes; /* of the first keys of the row's key spec */
    uint64_t member_hash;   /* of the element that the row's 'member' names; 0 when the batch had no need of it */
    struct bytes raw;       /* the command's bytes (all but big arguments) */
    struct big_argument *bigs;
    char *protocol_error; /* with REQUEST_PROTOCOL_ERROR */
    uint64_t started_ns;
    size_t detached_size;
};

/* The request that runs now, as it came from its client; NULL between requests. */
const struct request *engine_running_request(const struct engine *engine);

/* The hash of a key argument: kept from the batch, or computed. */
uint64_t request_hash(const struct request *req, int at);

/* An argument that is an element, with its hash when the batch has computed it. */
static inline struct hashed request_member(const struct request *req, int at)
{
    return (struct hashed){req->argv[at], at == req->command->row->member ? req->member_hash : 0};
}

/* A copy that owns its arguments; big arguments move into it. */
struct request *request_detach(struct request *req);
void request_free_detached(struct request *req);

/* Whether the argument is a long one, read into a block of its own. */
bool request_has_block(const struct request *req, int at);
/* The block of a long argument, now the caller's; NULL when it is not in one. */
struct string_block *request_take_block(struct request *req, int at);

/* --- arguments: each replies the error and returns false when the argument is not one ----- */

bool parse_int_or_reply(struct request *req, int at, int64_t *value); /* ERR_NOT_INTEGER */
bool parse_int_range_or_reply(struct request *req, int at, int64_t min, int64_t max, int64_t *value,
                              const char *error_text);
bool parse_double_or_reply(struct request *req, int at, double *value);
bool parse_long_double_or_reply(struct request *req, int at, long double *value);
/* Seconds with fraction; 0: for ever. '*deadline_ms' 0: none. */
bool parse_timeout_or_reply(struct request *req, int at, int64_t *deadline_ms);
/* The same in whole milliseconds. */
bool parse_timeout_ms_or_reply(struct request *req, int at, int64_t *deadline_ms);
static inline bool argument_is(const struct request *req, int at, const char *word)
{
    return bytes_is(req->argv[at], word);
}

/* The flags of its command: those of the row, or what the row's 'flags_of' makes of them. */
static inline uint32_t request_command_flags(const struct request *req)
{
    return req->command->row->flags_of ? req->command->row->flags_of(req) : req->command->row->flags;
}

/* --- keys ---------------------------------------------------------------------------------- */

/* Finds the key in the client's database. */
struct key_ref key_find(const struct request *req, int at, unsigned how);
/* The same; when it is there with another type, replies WRONGTYPE and returns false. */
bool key_find_or_reply(struct request *req, int at, enum value_type type, unsigned how,
                       struct key_ref *ref);

#endif
