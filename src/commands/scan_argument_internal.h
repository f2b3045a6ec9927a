/* What SCAN and its siblings for values are given: a cursor and options. */
#ifndef TERN_SCAN_ARGUMENT_INTERNAL_H
#define TERN_SCAN_ARGUMENT_INTERNAL_H

#include "engine/request.h"

struct scan_argument {
    uint64_t cursor;
    int64_t count;
    int64_t steps_left; /* more of the walk that may be made, however few match */
    const struct bytes *pattern; /* NULL: all */
    const struct bytes *type;    /* NULL: any */
    bool is_without_values;
};

#define SCAN_TAKES_TYPE     1u
#define SCAN_TAKES_NOVALUES 2u

/* Whether the walk that stands at 'cursor' and has seen so many elements goes on in this call; the cursor is
 * kept.
 *
 *     do {
 *         cursor = set_scan(set, scan.cursor, collect, &found);
 *     } while (scan_goes_on(&scan, cursor, found.seen)); */
static inline bool scan_goes_on(struct scan_argument *scan, uint64_t cursor, size_t seen)
{
    scan->cursor = cursor;
    return cursor && scan->steps_left-- > 0 && (int64_t)seen < scan->count;
}

/* All arguments of HSCAN, SSCAN, ZSCAN and the value. False when it is answered: with an error, or since the
 * key is absent, in which case nobody looks at the options. */
bool scan_find_or_reply(struct request *req, enum value_type type, unsigned takes,
                        struct scan_argument *scan, struct key_ref *ref);
/* What stands before the elements. */
void scan_reply_cursor(struct request *req, const struct scan_argument *scan);

/* The cursor is argument 'at'; it is read before the key is looked up, the options after. */
bool scan_argument_cursor_or_reply(struct request *req, int at, struct scan_argument *scan);
bool scan_argument_options_or_reply(struct request *req, int from, unsigned takes,
                                    struct scan_argument *scan);

#endif
