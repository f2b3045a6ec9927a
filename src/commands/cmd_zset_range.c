/* Sorted sets: ranges of ranks, of scores, of bytes, to be told, counted, stored or removed. */
#include "cmd_zset_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

#define ERR_NOT_SCORES "ERR min or max is not a float"
#define ERR_NOT_LEX    "ERR min or max not valid string range item"
#define ERR_LIMIT_RANK                                                                             \
    "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
#define ERR_SCORES_LEX "ERR syntax error, WITHSCORES not supported in combination with BYLEX"

static const struct event_kind EVENT_ZRANGESTORE = {EVENT_CLASS_ZSET, "zrangestore"};
static const struct event_kind EVENT_ZREMRANGEBYRANK = {EVENT_CLASS_ZSET, "zremrangebyrank"};
static const struct event_kind EVENT_ZREMRANGEBYSCORE = {EVENT_CLASS_ZSET, "zremrangebyscore"};
static const struct event_kind EVENT_ZREMRANGEBYLEX = {EVENT_CLASS_ZSET, "zremrangebylex"};

/* --- what a range is given as ------------------------------------------------------------------------- */

enum range_kind { BY_ANY, BY_RANK, BY_SCORE, BY_LEX };

struct range {
    enum range_kind kind;
    union {
        struct {
            int64_t start, stop;
        } ranks;
        struct score_range scores;
        struct lex_range lex;
    };
};

/* What strtod takes, but nothing hexadecimal, no white space, no NaN. As in Redis the text ends at a zero
 * byte, none is 0, and what is too large is infinite. */
static bool parse_limit(struct bytes text, double *limit)
{
    const char *zero = text.len ? memchr(text.data, '\0', text.len) : NULL;
    size_t len = zero ? (size_t)(zero - text.data) : text.len;
    char copy[512], *end;

    if (len >= sizeof copy)
        return false;
    for (size_t i = 0; i < len; i++) {
        copy[i] = text.data[i];
        if (copy[i] == ' ' || (copy[i] >= '\t' && copy[i] <= '\r') || (copy[i] | 32) == 'x')
            return false;
    }
    copy[len] = '\0';
    *limit = strtod(copy, &end);
    return *end == '\0' && !isnan(*limit);
}

static bool parse_score_bound(struct bytes text, double *limit, bool *is_exclusive)
{
    *is_exclusive = text.len > 0 && text.data[0] == '(';
    if (*is_exclusive)
        text = (struct bytes){text.data + 1, text.len - 1};
    return parse_limit(text, limit);
}

static bool parse_lex_bound(struct bytes text, struct lex_bound *bound)
{
    char kind = text.len ? text.data[0] : '\0';

    *bound = (struct lex_bound){.kind = LEX_MEMBER, .is_exclusive = kind == '('};
    if (kind == '(' || kind == '[') {
        bound->member = (struct bytes){text.data + 1, text.len - 1};
        return true;
    }
    bound->kind = kind == '-' ? LEX_LOWEST : LEX_HIGHEST;
    return text.len == 1 && (kind == '-' || kind == '+');
}

/* Of the arguments 'min' and 'max'. */
static bool parse_range_or_reply(struct request *req, int min, int max, struct range *range)
{
    struct score_range *scores = &range->scores;

    if (range->kind == BY_RANK)
        return parse_int_or_reply(req, min, &range->ranks.start) &&
               parse_int_or_reply(req, max, &range->ranks.stop);
    if (range->kind == BY_LEX) {
        if (parse_lex_bound(req->argv[min], &range->lex.min) &&
            parse_lex_bound(req->argv[max], &range->lex.max))
            return true;
        reply_error(req, ERR_NOT_LEX);
        return false;
    }
    if (parse_score_bound(req->argv[min], &scores->min, &scores->is_min_exclusive) &&
        parse_score_bound(req->argv[max], &scores->max, &scores->is_max_exclusive))
        return true;
    reply_error(req, ERR_NOT_SCORES);
    return false;
}

/* Negative ranks count from the end. */
static struct zset_span span_of_ranks(const struct zset *set, int64_t start, int64_t stop)
{
    int64_t size = (int64_t)zset_size(set);

    if (start < 0)
        start = start + size > 0 ? start + size : 0;
    if (stop < 0)
        stop += size;
    if (stop >= size)
        stop = size - 1;
    if (start > stop)
        return (struct zset_span){0, 0};
    return (struct zset_span){(size_t)start, (size_t)(stop - start + 1)};
}

static struct zset_span span_of(const struct zset *set, const struct range *range)
{
    if (range->kind == BY_SCORE)
        return zset_span_of_scores(set, &range->scores);
    if (range->kind == BY_LEX)
        return zset_span_of_lex(set, &range->lex);
    return span_of_ranks(set, range->ranks.start, range->ranks.stop);
}

/* --- ZRANGE and its siblings ---------------------------------------------------------------------------- */

struct query {
    struct range range;
    bool is_reverse, is_direction_given;
    bool with_scores;
    int64_t offset, limit; /* limit -1: none */
};

/* Takes the option at 'at' with its values; 0 when it is none. Replies an error and returns -1. */
static int take_option(struct request *req, int at, bool stores, struct query *query)
{
    if (!stores && argument_is(req, at, "withscores")) {
        query->with_scores = true;
        return 1;
    }
    if (argument_is(req, at, "limit") && at + 2 < req->argc) {
        if (!parse_int_or_reply(req, at + 1, &query->offset) ||
            !parse_int_or_reply(req, at + 2, &query->limit))
            return -1;
        return 3;
    }
    if (!query->is_direction_given && argument_is(req, at, "rev")) {
        query->is_reverse = query->is_direction_given = true;
        return 1;
    }
    if (query->range.kind != BY_ANY)
        return 0;
    if (argument_is(req, at, "bylex"))
        query->range.kind = BY_LEX;
    else if (argument_is(req, at, "byscore"))
        query->range.kind = BY_SCORE;
    return query->range.kind == BY_ANY ? 0 : 1;
}

static bool parse_options_or_reply(struct request *req, int from, bool stores, struct query *query)
{
    for (int i = from, taken; i < req->argc; i += taken) {
        taken = take_option(req, i, stores, query);
        if (taken > 0)
            continue;
        if (taken == 0)
            reply_syntax_error(req);
        return false;
    }
    if (query->range.kind == BY_ANY)
        query->range.kind = BY_RANK;
    if (query->limit != -1 && query->range.kind == BY_RANK)
        reply_error(req, ERR_LIMIT_RANK);
    else if (query->with_scores && query->range.kind == BY_LEX)
        reply_error(req, ERR_SCORES_LEX);
    else
        return true;
    return false;
}

/* The source key is argument 'at'; behind it stand both ends and the options. */
static bool parse_query_or_reply(struct request *req, int at, bool stores, struct query *query)
{
    bool is_swapped;

    query->limit = -1;
    if (!parse_options_or_reply(req, at + 3, stores, query))
        return false;
    is_swapped = query->is_reverse && query->range.kind != BY_RANK; /* max comes first then */
    return parse_range_or_reply(req, at + 1 + is_swapped, at + 2 - is_swapped, &query->range);
}

/* What the query asks for: how many members from rank '*first' on, in its direction. */
static size_t answer_of(const struct zset *set, const struct query *query, size_t *first)
{
    struct zset_span span = span_of(set, &query->range);
    size_t offset = 0, count = span.count;

    if (query->range.kind != BY_RANK) { /* which takes no LIMIT but one with -1 */
        if (query->offset < 0 || (uint64_t)query->offset >= span.count)
            return 0;
        offset = (size_t)query->offset;
        count -= offset;
        if (query->limit >= 0 && (uint64_t)query->limit < count)
            count = (size_t)query->limit;
        *first = query->is_reverse ? span.first + span.count - 1 - offset : span.first + offset;
    } else {
        *first = query->is_reverse ? zset_size(set) - 1 - span.first : span.first;
    }
    return count;
}

static void reply_query(struct request *req, const struct zset *set, const struct query *query)
{
    struct zset_iter iter;
    struct zset_item item;
    size_t first = 0, count = answer_of(set, query, &first);

    zset_reply_array(req, count, query->with_scores);
    if (!count)
        return;
    zset_iter_init(&iter, set, first, query->is_reverse);
    for (; count > 0 && zset_iter_next(&iter, &item); count--)
        zset_reply_item(req, &item, query->with_scores);
}

static void range(struct request *req, struct query query)
{
    struct key_ref ref;

    if (!parse_query_or_reply(req, 1, false, &query) ||
        !key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_READ, &ref))
        return;
    if (ref.entry)
        reply_query(req, zset_at(&ref), &query);
    else
        reply_array(req, 0);
}

static void cmd_zrange(struct request *req) { range(req, (struct query){0}); }

static void cmd_zrevrange(struct request *req)
{
    range(req, (struct query){.range.kind = BY_RANK, .is_reverse = true, .is_direction_given = true});
}

static void cmd_zrangebyscore(struct request *req)
{
    range(req, (struct query){.range.kind = BY_SCORE, .is_direction_given = true});
}

static void cmd_zrevrangebyscore(struct request *req)
{
    range(req, (struct query){.range.kind = BY_SCORE, .is_reverse = true, .is_direction_given = true});
}

static void cmd_zrangebylex(struct request *req)
{
    range(req, (struct query){.range.kind = BY_LEX, .is_direction_given = true});
}

static void cmd_zrevrangebylex(struct request *req)
{
    range(req, (struct query){.range.kind = BY_LEX, .is_reverse = true, .is_direction_given = true});
}

/* A new set of what the query asks for. */
static struct zset *copy_query(const struct zset *set, const struct query *query)
{
    size_t first = 0, count = answer_of(set, query, &first);
    struct zset *result = zset_new(query->range.kind == BY_RANK ? count : 0, 0);
    struct zset_iter iter;
    struct zset_item item;

    if (!count)
        return result;
    zset_iter_init(&iter, set, first, query->is_reverse);
    for (; count > 0 && zset_iter_next(&iter, &item); count--)
        zset_add(result, item.score, hashed(item.member), 0, NULL);
    return result;
}

static void cmd_zrangestore(struct request *req)
{
    struct query query = {0};
    struct key_ref ref;

    if (!parse_query_or_reply(req, 2, true, &query) ||
        !key_find_or_reply(req, 2, VALUE_ZSET, LOOKUP_READ, &ref))
        return;
    zset_store_and_reply(req, 1, ref.entry ? copy_query(zset_at(&ref), &query) : zset_new(0, 0),
                         &EVENT_ZRANGESTORE);
}

/* --- counting and removing -------------------------------------------------------------------------------- */

static void count(struct request *req, enum range_kind kind)
{
    struct range range = {.kind = kind};
    struct key_ref ref;

    if (parse_range_or_reply(req, 2, 3, &range) &&
        key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_READ, &ref))
        reply_int(req, ref.entry ? (int64_t)span_of(zset_at(&ref), &range).count : 0);
}

static void cmd_zcount(struct request *req) { count(req, BY_SCORE); }
static void cmd_zlexcount(struct request *req) { count(req, BY_LEX); }

static void remove_range(struct request *req, enum range_kind kind, const struct event_kind *event)
{
    struct range range = {.kind = kind};
    struct zset_span span = {0, 0};
    struct key_ref ref;

    if (!parse_range_or_reply(req, 2, 3, &range) ||
        !key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_WRITE, &ref))
        return;
    if (ref.entry)
        span = span_of(zset_at(&ref), &range);
    if (span.count) {
        zset_remove_span(zset_at(&ref), span);
        zset_report_taken(req, &ref, req->argv[1], event, (int64_t)span.count);
    }
    reply_int(req, (int64_t)span.count);
}

static void cmd_zremrangebyrank(struct request *req)
{
    remove_range(req, BY_RANK, &EVENT_ZREMRANGEBYRANK);
}

static void cmd_zremrangebyscore(struct request *req)
{
    remove_range(req, BY_SCORE, &EVENT_ZREMRANGEBYSCORE);
}

static void cmd_zremrangebylex(struct request *req) { remove_range(req, BY_LEX, &EVENT_ZREMRANGEBYLEX); }

/* --- the table ------------------------------------------------------------------------------------------ */

static const struct key_rule reads[] = ZSET_ONE_KEY(KEY_RO | KEY_ACCESS);
static const struct key_rule removes[] = ZSET_ONE_KEY(KEY_RW | KEY_DELETE);
static const struct key_rule stores[] = {
    {KEY_OW | KEY_UPDATE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}},
    {0},
};

#define COST "O(log(N)+M), M members of the reply"

static const struct command zset_range_commands[] = {
    {"zcount", cmd_zcount, 4, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "2.0.0", "O(log(N))",
     "key min max", "Counts the members whose scores are within a range.", reads},
    {"zlexcount", cmd_zlexcount, 4, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "2.8.9", "O(log(N))",
     "key min max", "Counts the members within a range of bytes.", reads},
    {"zrange", cmd_zrange, -4, CMD_READONLY, {1, 1, 1}, NULL, "1.2.0", COST,
     "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
     "Returns the members within a range of ranks, scores or bytes.", reads,
     .history = "6.2.0 REV, BYSCORE, BYLEX and LIMIT.",
     .argument_since = "sortby 6.2.0, REV 6.2.0, LIMIT 6.2.0"},
    {"zrangebylex", cmd_zrangebylex, -4, CMD_READONLY, {1, 1, 1}, NULL, "2.8.9", COST,
     "key min max [LIMIT offset count]", "Returns the members within a range of bytes.", reads},
    {"zrangebyscore", cmd_zrangebyscore, -4, CMD_READONLY, {1, 1, 1}, NULL, "1.0.5", COST,
     "key min max [WITHSCORES] [LIMIT offset count]",
     "Returns the members whose scores are within a range.", reads,
     .history = "2.0.0 WITHSCORES.",
     .argument_since = "WITHSCORES 2.0.0"},
    {"zrangestore", cmd_zrangestore, -5, CMD_WRITE | CMD_GROWS, {1, 2, 1}, NULL, "6.2.0",
     "O(log(N)+M), M members of the result",
     "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]",
     "Stores the members within a range of ranks, scores or bytes.", stores},
    {"zremrangebylex", cmd_zremrangebylex, 4, CMD_WRITE, {1, 1, 1}, NULL, "2.8.9",
     "O(log(N)+M), M members that go", "key min max", "Removes the members within a range of bytes.",
     removes},
    {"zremrangebyrank", cmd_zremrangebyrank, 4, CMD_WRITE, {1, 1, 1}, NULL, "2.0.0",
     "O(log(N)+M), M members that go", "key start stop",
     "Removes the members within a range of ranks.", removes},
    {"zremrangebyscore", cmd_zremrangebyscore, 4, CMD_WRITE, {1, 1, 1}, NULL, "1.2.0",
     "O(log(N)+M), M members that go", "key min max",
     "Removes the members whose scores are within a range.", removes},
    {"zrevrange", cmd_zrevrange, -4, CMD_READONLY, {1, 1, 1}, NULL, "1.2.0", COST,
     "key start stop [WITHSCORES]", "Returns the members within a range of ranks, from the highest.",
     reads},
    {"zrevrangebylex", cmd_zrevrangebylex, -4, CMD_READONLY, {1, 1, 1}, NULL, "2.8.9", COST,
     "key max min [LIMIT offset count]",
     "Returns the members within a range of bytes, from the highest.", reads},
    {"zrevrangebyscore", cmd_zrevrangebyscore, -4, CMD_READONLY, {1, 1, 1}, NULL, "2.2.0", COST,
     "key max min [WITHSCORES] [LIMIT offset count]",
     "Returns the members whose scores are within a range, from the highest.", reads,
     .history = "2.1.6 Bounds that are left out."},
};
REGISTER_COMMANDS("sorted-set", zset_range_commands);
