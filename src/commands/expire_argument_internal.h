/* EX, PX, EXAT, PXAT: the expiry options that SET, GETEX and others share. */
#ifndef TERN_COMMANDS_EXPIRE_ARGUMENT_INTERNAL_H
#define TERN_COMMANDS_EXPIRE_ARGUMENT_INTERNAL_H

#include "engine/request.h"

struct expire_argument {
    int at; /* the argument with the number; 0: none was given */
    int64_t unit_ms;
    bool is_relative;
    int64_t deadline_ms; /* after parsing */
};

/* When argument '*at' is such an option and no other kind was given before (the same kind again
 * replaces it, as in Redis): notes it, moves '*at' to its number and returns true. */
bool expire_argument_take(struct request *req, int *at, struct expire_argument *expire);

/* Computes the deadline, when one was given. Replies the error and returns false when the number is none
 * or "invalid expire time in 'set' command". */
bool expire_argument_parse_or_reply(struct request *req, struct expire_argument *expire);

#endif
