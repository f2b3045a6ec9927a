/* LMPOP, BLMPOP, ZMPOP, BZMPOP: arguments, the first key that has something, waiting. */
#include "pop_several_internal.h"

#include "engine/blocking.h"

struct several {
    int first_key, last_key, end;
    int64_t limit;
};

static bool parse_end_or_reply(struct request *req, const struct pop_family *family, int at, int *end)
{
    for (*end = 0; *end < 2; ++*end)
        if (argument_is(req, at, family->ends[*end]))
            return true;
    reply_syntax_error(req);
    return false;
}

static bool parse_limit_or_reply(struct request *req, int at, int64_t *limit)
{
    bool has_limit = req->argc >= at + 2 && argument_is(req, at, "count");

    if (has_limit &&
        !parse_int_range_or_reply(req, at + 1, 1, INT64_MAX, limit, ERR_COUNT_NOT_POSITIVE))
        return false;
    if (req->argc == at + (has_limit ? 2 : 0))
        return true;
    reply_syntax_error(req);
    return false;
}

static bool parse_or_reply(struct request *req, const struct pop_family *family, int at,
                           struct several *several)
{
    int64_t keys;

    if (!parse_int_range_or_reply(req, at, 1, INT64_MAX, &keys, ERR_NUMKEYS_NOT_POSITIVE))
        return false;
    if (keys >= req->argc - at - 1) {
        reply_syntax_error(req);
        return false;
    }
    several->first_key = at + 1;
    several->last_key = at + (int)keys;
    several->limit = 1;
    return parse_end_or_reply(req, family, several->last_key + 1, &several->end) &&
           parse_limit_or_reply(req, several->last_key + 2, &several->limit);
}

bool pop_find_or_reply(struct request *req, enum value_type type, int first, int last,
                       struct key_ref *ref, int *at)
{
    for (*at = first; *at <= last; ++*at) {
        if (!key_find_or_reply(req, *at, type, LOOKUP_WRITE, ref))
            return false;
        if (ref->entry)
            return true;
    }
    *at = 0;
    return true;
}

/* Takes from the first key that has something. False when none has. */
static bool take_first(struct request *req, const struct pop_family *family,
                       const struct several *several)
{
    struct key_ref ref;
    int at;

    if (!pop_find_or_reply(req, family->type, several->first_key, several->last_key, &ref, &at))
        return true; /* answered */
    if (at)
        family->take(req, &ref, at, several->end, several->limit);
    return at != 0;
}

void pop_several(struct request *req, const struct pop_family *family)
{
    struct several several;

    if (parse_or_reply(req, family, 1, &several) && !take_first(req, family, &several))
        reply_null_array(req);
}

void pop_several_waiting(struct request *req, const struct pop_family *family)
{
    struct several several;
    int64_t deadline_ms;

    if (parse_or_reply(req, family, 2, &several) && parse_timeout_or_reply(req, 1, &deadline_ms) &&
        !take_first(req, family, &several))
        block_on_keys(req, several.first_key, several.last_key, family->type, deadline_ms,
                      DENIED_NULL_ARRAY);
}
