/* Commands within a command: what a script calls. A client without a socket runs them, and their replies are kept for
 * whoever asked.
 *
 *     inner_begin(inner, req);
 *     reply = inner_run(inner, command, argv, argc);          as often as needed
 *     inner_end(inner);
 *
 * From begin to end all is one execution unit: time stands still, and what is written travels together. Nothing blocks,
 * as in EXEC. No gate is passed: the caller has checked name, arity, flags and memory. */
#ifndef TERN_ENGINE_INNER_H
#define TERN_ENGINE_INNER_H

#include "engine/request.h"

struct inner *inner_new(struct engine *engine);
void inner_free(struct inner *inner);

void inner_begin(struct inner *inner, const struct request *caller);
void inner_end(struct inner *inner);

/* Its 'db' and 'resp' (2 at each begin) may be changed; the caller's own are not touched. */
struct client *inner_client(struct inner *inner);

/* The reply in RESP, until the next run. Without bytes: it became longer than REPLY_KEPT_MAX and was not kept. */
#define REPLY_KEPT_MAX (512ULL << 20)
struct bytes inner_run(struct inner *inner, const struct command_entry *command, struct bytes *argv, int argc);
/* clock_work_ns when the last run began, or the unit. */
uint64_t inner_started_ns(const struct inner *inner);

/* A command that is not run after all: counted as rejected, and its error as answered. 'command' may be NULL. */
void inner_refuse(struct engine *engine, const struct command_entry *command, const char *error_text);

#endif
