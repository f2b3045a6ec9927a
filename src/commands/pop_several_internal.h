/* Taking elements from the first of several keys that has any: what LMPOP, ZMPOP, BLPOP, BZPOPMIN and their like
 * share. A family says how an end is called and how elements are taken. */
#ifndef TERN_POP_SEVERAL_INTERNAL_H
#define TERN_POP_SEVERAL_INTERNAL_H

#include "engine/request.h"

struct pop_family {
    enum value_type type;
    const char *ends[2]; /* the words for the ends, numbered 0 and 1 */
    /* Replies the key and up to 'limit' elements, takes them, and says what travels. */
    void (*take)(struct request *req, struct key_ref *ref, int at, int end, int64_t limit);
};

/* The first key of arguments 'first' to 'last' that is there; '*at' 0 when none is. False when one has another type. */
bool pop_find_or_reply(struct request *req, enum value_type type, int first, int last,
                       struct key_ref *ref, int *at);

/* numkeys key [key ...] END [COUNT count] */
void pop_several(struct request *req, const struct pop_family *family);
/* timeout numkeys key [key ...] END [COUNT count] */
void pop_several_waiting(struct request *req, const struct pop_family *family);

#endif
