/* Clients that wait for a key: one mechanism for all commands.
 *
 * A handler that finds nothing calls block_on_keys() and returns without a reply. The request is kept,
 * detached; when one of its keys becomes ready it is run again, with REQUEST_IS_RERUN, in the order in
 * which clients came. A rerun that finds nothing calls block_on_keys() again and keeps its place and
 * its deadline. A command in MULTI never blocks: it answers a null. */
#ifndef TERN_ENGINE_BLOCKING_H
#define TERN_ENGINE_BLOCKING_H

#include "engine/request.h"

/* What a command answers in MULTI, where it must not wait. At its deadline it answers a null array. */
enum denied_reply { DENIED_NULL, DENIED_NULL_ARRAY };

/* Keys are arguments 'first' to 'last'; they count as ready when they hold a 'wanted'. 'deadline_ms' 0: none. */
void block_on_keys(struct request *req, int first, int last, enum value_type wanted,
                   int64_t deadline_ms, enum denied_reply denied_reply);

/* After that: the request is also run again when one of its keys goes or becomes of another type. */
void block_wakes_on_loss(struct request *req);

/* Waits for nothing but the deadline (0: for ever); then, and at once in MULTI, 'reply' answers. */
void block_until(struct request *req, int64_t deadline_ms, void (*reply)(struct request *req));

/* Waits until all that is on its way out of memory now is gone; then the request is run again. False in
 * MULTI, where nothing waits. */
bool block_until_freed(struct request *req);

/* Ends a client's wait as its deadline would, or (with_error) with an error. False when it does not
 * wait, or for memory. */
bool blocking_unblock(struct client *client, bool with_error);

size_t blocking_clients(const struct engine *engine);
size_t blocking_deadlines(const struct engine *engine); /* clients with a timeout */
size_t blocking_keys(const struct engine *engine);      /* that clients wait for */

#endif
