/* What SCAN and its siblings for values are given: a cursor and options. */
#ifndef TERN_SCAN_ARGUMENT_INTERNAL_H
#define TERN_SCAN_ARGUMENT_INTERNAL_H

#include "engine/request.h"

struct scan_argument {
    uint64_t cursor;
    int64_t count;
    const struct bytes *pattern; /* NULL: all */
    const struct bytes *type;    /* NULL: any */
    bool is_without_values;
};

#define SCAN_TAKES_TYPE     1u
#define SCAN_TAKES_NOVALUES 2u

/* The cursor is argument 'at'; it is read before the key is looked up, the options after. */
bool scan_argument_cursor_or_reply(struct request *req, int at, struct scan_argument *scan);
bool scan_argument_options_or_reply(struct request *req, int from, unsigned takes,
                                    struct scan_argument *scan);

#endif
