/* From the arguments of SCAN, HSCAN, SSCAN, ZSCAN to what they mean. */
#include "scan_argument_internal.h"

#include "base/numbers.h"

#include <errno.h>
#include <stdlib.h>

/* As Redis since 7.2: what strtoull takes, but no plain negative number. */
static bool parse_cursor(struct bytes text, uint64_t *cursor)
{
    char copy[64], *end;
    int64_t number;

    if (int64_parse(text, &number)) {
        *cursor = (uint64_t)number;
        return number >= 0;
    }
    if (!text.len || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    errno = 0;
    *cursor = strtoull(copy, &end, 10);
    return errno == 0 && *copy && *end == '\0';
}

bool scan_argument_cursor_or_reply(struct request *req, int at, struct scan_argument *scan)
{
    *scan = (struct scan_argument){.count = 10};
    if (parse_cursor(req->argv[at], &scan->cursor))
        return true;
    reply_error(req, "ERR invalid cursor");
    return false;
}

/* Takes one option at 'at', its value too; 0 when it is none. Replies an error and returns -1. */
static int take_option(struct request *req, int at, unsigned takes, struct scan_argument *scan)
{
    bool has_value = at + 1 < req->argc;
    const struct bytes *value = &req->argv[at + 1];

    if (has_value && argument_is(req, at, "count")) {
        if (!parse_int_or_reply(req, at + 1, &scan->count))
            return -1;
        return scan->count >= 1 ? 2 : 0;
    }
    if (has_value && argument_is(req, at, "match")) {
        scan->pattern = bytes_equal(*value, BYTES("*")) ? NULL : value;
        return 2;
    }
    if (has_value && takes & SCAN_TAKES_TYPE && argument_is(req, at, "type")) {
        scan->type = value;
        return 2;
    }
    if (!argument_is(req, at, "novalues"))
        return 0;
    if (takes & SCAN_TAKES_NOVALUES) {
        scan->is_without_values = true;
        return 1;
    }
    reply_error(req, "ERR NOVALUES option can only be used in HSCAN");
    return -1;
}

#define STEPS_MAX 10 /* buckets looked at for each element asked for */

bool scan_argument_options_or_reply(struct request *req, int from, unsigned takes,
                                    struct scan_argument *scan)
{
    for (int i = from, taken; i < req->argc; i += taken) {
        taken = take_option(req, i, takes, scan);
        if (taken > 0)
            continue;
        if (taken == 0)
            reply_syntax_error(req);
        return false;
    }
    scan->steps_left = scan->count > INT64_MAX / STEPS_MAX ? INT64_MAX : scan->count * STEPS_MAX;
    return true;
}

void scan_reply_cursor(struct request *req, const struct scan_argument *scan)
{
    char text[INT64_TEXT_MAX];

    reply_array(req, 2);
    reply_bulk(req, (struct bytes){text, uint64_format(text, scan->cursor)});
}

bool scan_find_or_reply(struct request *req, enum value_type type, unsigned takes,
                        struct scan_argument *scan, struct key_ref *ref)
{
    if (!scan_argument_cursor_or_reply(req, 2, scan) ||
        !key_find_or_reply(req, 1, type, LOOKUP_READ, ref))
        return false;
    if (ref->entry)
        return scan_argument_options_or_reply(req, 3, takes, scan);
    scan->cursor = 0;
    scan_reply_cursor(req, scan);
    reply_array(req, 0);
    return false;
}
