/* The slow log: the last commands that took longer than slowlog-log-slower-than, with copies of their
 * arguments as they are shown (long ones cut, secrets hidden). */
#ifndef TERN_ENGINE_SLOWLOG_H
#define TERN_ENGINE_SLOWLOG_H

#include "base/bytes.h"

#include <stdint.h>

struct engine;
struct request;

struct slow_command {
    struct slow_command *next; /* the one before it in time */
    int64_t id, time_s, duration_us;
    int argc;
    struct bytes address, name; /* of the client */
    size_t size;                /* of this block, which holds all the bytes */
    struct bytes argv[];
};

size_t slowlog_size(const struct engine *engine);
const struct slow_command *slowlog_newest(const struct engine *engine);
void slowlog_clear(struct engine *engine);
/* After slowlog-max-len was changed. */
void slowlog_trim(struct engine *engine);

#endif
