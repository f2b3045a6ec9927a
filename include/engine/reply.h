/* Replies, in the protocol version of the client that the request belongs to.
 *
 * They are formatted into the turn's window, which is sent when the client's share of the batch is
 * done or the window is full. An error text is one of engine/errors.h or a format; it begins with its
 * code and has no end of line. */
#ifndef TERN_ENGINE_REPLY_H
#define TERN_ENGINE_REPLY_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct request;

void reply_ok(struct request *req);
void reply_status(struct request *req, const char *text);
void reply_error(struct request *req, const char *text);
void reply_error_format(struct request *req, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "ERR wrong number of arguments for 'name' command" */
void reply_wrong_arity(struct request *req);
/* "ERR unknown subcommand or wrong number of arguments for 'X'. Try COMMAND HELP." */
void reply_subcommand_error(struct request *req);
void reply_syntax_error(struct request *req);

void reply_int(struct request *req, int64_t value);
void reply_bulk(struct request *req, struct bytes value);
void reply_bulk_string(struct request *req, const char *text);
void reply_bulk_int(struct request *req, int64_t value); /* a number's text as a bulk string */
void reply_null(struct request *req);       /* RESP2: $-1 */
void reply_null_array(struct request *req); /* RESP2: *-1 */
void reply_double(struct request *req, double value); /* RESP2: a bulk string */
void reply_bool(struct request *req, bool value);     /* RESP2: 1 or 0 */
void reply_verbatim(struct request *req, struct bytes text, const char *format); /* RESP2: bulk */

/* What follows is the elements. */
void reply_array(struct request *req, size_t count);
void reply_map(struct request *req, size_t pairs); /* RESP2: an array of twice as many */
void reply_set(struct request *req, size_t count); /* RESP2: an array */
void reply_push(struct request *req, size_t count); /* RESP2: an array */

/* For replies whose length a number of the user decides (SRANDMEMBER key -1000000000): whether to make
 * more of one that began at 'start'. Not for a client that is gone or hears no replies; and one for which
 * half a gigabyte was made is closed, since a command cannot wait until that is read. */
uint64_t reply_position(const struct request *req);
bool reply_goes_on(struct request *req, uint64_t start);

/* CLIENT REPLY ON is answered itself. */
void reply_unmute(struct request *req);

/* Formatted already, in the right protocol. */
void reply_raw(struct request *req, struct bytes formatted);

#endif
