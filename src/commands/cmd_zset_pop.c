/* Sorted sets: taking out the lowest or the highest members, of one set or the first of several, at once or
 * when some come. */
#include "cmd_zset_internal.h"
#include "pop_several_internal.h"

#include "base/numbers.h"
#include "engine/blocking.h"
#include "engine/propagate.h"

enum zset_end { ZSET_MIN, ZSET_MAX };

static const struct event_kind EVENT_ZPOPMIN = {EVENT_CLASS_ZSET, "zpopmin"};
static const struct event_kind EVENT_ZPOPMAX = {EVENT_CLASS_ZSET, "zpopmax"};

static struct bytes pop_word(enum zset_end end)
{
    return end == ZSET_MIN ? BYTES("ZPOPMIN") : BYTES("ZPOPMAX");
}

/* How the members that are taken are told. */
enum pop_shape {
    POP_FLAT,  /* member and score by turns */
    POP_PAIRS, /* each a pair */
};

static void reply_members(struct request *req, const struct zset *set, enum zset_end end, size_t count,
                          enum pop_shape shape)
{
    struct zset_iter iter;
    struct zset_item item;

    zset_iter_init(&iter, set, end == ZSET_MIN ? 0 : zset_size(set) - 1, end == ZSET_MAX);
    for (; count > 0 && zset_iter_next(&iter, &item); count--) {
        if (shape == POP_PAIRS)
            reply_array(req, 2);
        reply_bulk(req, item.member);
        reply_double(req, item.score);
    }
}

/* 'ref' is void then. */
static void reply_and_take(struct request *req, struct key_ref *ref, struct bytes key, enum zset_end end,
                           size_t count, enum pop_shape shape)
{
    struct zset *set = zset_at(ref);
    size_t first = end == ZSET_MIN ? 0 : zset_size(set) - count;

    reply_members(req, set, end, count, shape);
    zset_remove_span(set, (struct zset_span){first, count});
    zset_report_taken(req, ref, key, end == ZSET_MIN ? &EVENT_ZPOPMIN : &EVENT_ZPOPMAX, (int64_t)count);
}

static size_t at_most(const struct zset *set, int64_t limit)
{
    size_t size = zset_size(set);

    return (uint64_t)limit < size ? (size_t)limit : size;
}

/* --- one set -------------------------------------------------------------------------------------------- */

static void pop(struct request *req, enum zset_end end)
{
    bool makes_pairs = req->argc == 3 && req->client->resp == 3;
    struct key_ref ref;
    int64_t limit = 1;
    size_t count;

    if (req->argc > 3) {
        reply_syntax_error(req);
        return;
    }
    if ((req->argc == 3 && !parse_int_range_or_reply(req, 2, 0, INT64_MAX, &limit, ERR_NOT_POSITIVE)) ||
        !key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_WRITE, &ref))
        return;
    count = ref.entry ? at_most(zset_at(&ref), limit) : 0;
    reply_array(req, makes_pairs ? count : 2 * count);
    if (count)
        reply_and_take(req, &ref, req->argv[1], end, count, makes_pairs ? POP_PAIRS : POP_FLAT);
}

static void cmd_zpopmin(struct request *req) { pop(req, ZSET_MIN); }
static void cmd_zpopmax(struct request *req) { pop(req, ZSET_MAX); }

/* --- from the first of several that has something ------------------------------------------------------- */

/* Travels as the pop that it was. */
static void blocking_pop(struct request *req, enum zset_end end)
{
    int last_key = req->argc - 2, at;
    struct key_ref ref;
    int64_t deadline_ms;

    if (!parse_timeout_or_reply(req, req->argc - 1, &deadline_ms) ||
        !pop_find_or_reply(req, VALUE_ZSET, 1, last_key, &ref, &at))
        return;
    if (!at) {
        block_on_keys(req, 1, last_key, VALUE_ZSET, deadline_ms, DENIED_NULL_ARRAY);
        return;
    }
    reply_array(req, 3);
    reply_bulk(req, req->argv[at]);
    reply_and_take(req, &ref, req->argv[at], end, 1, POP_FLAT);
    propagate_instead(req, 2, (struct bytes[]){pop_word(end), req->argv[at]});
}

static void cmd_bzpopmin(struct request *req) { blocking_pop(req, ZSET_MIN); }
static void cmd_bzpopmax(struct request *req) { blocking_pop(req, ZSET_MAX); }

static void take_several(struct request *req, struct key_ref *ref, int at, int end, int64_t limit)
{
    size_t count = at_most(zset_at(ref), limit);
    char text[INT64_TEXT_MAX];

    reply_array(req, 2);
    reply_bulk(req, req->argv[at]);
    reply_array(req, count);
    reply_and_take(req, ref, req->argv[at], (enum zset_end)end, count, POP_PAIRS);
    propagate_instead(req, 3, (struct bytes[]){pop_word((enum zset_end)end), req->argv[at],
                                               {text, uint64_format(text, count)}});
}

static const struct pop_family sorted_sets = {
    VALUE_ZSET, {[ZSET_MIN] = "min", [ZSET_MAX] = "max"}, take_several};

static void cmd_zmpop(struct request *req) { pop_several(req, &sorted_sets); }
static void cmd_bzmpop(struct request *req) { pop_several_waiting(req, &sorted_sets); }

/* --- the table ------------------------------------------------------------------------------------------ */

#define TAKES (KEY_RW | KEY_ACCESS | KEY_DELETE)

static const struct key_rule takes[] = ZSET_ONE_KEY(TAKES);
static const struct key_rule takes_one_of[] = {
    {TAKES, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {-2, 1, 0}},
    {0},
};
static const struct key_rule takes_counted[] = {
    {TAKES, KEY_AT_INDEX, 1, NULL, KEY_COUNTED, {0, 1, 1}},
    {0},
};
static const struct key_rule takes_counted_later[] = {
    {TAKES, KEY_AT_INDEX, 2, NULL, KEY_COUNTED, {0, 1, 1}},
    {0},
};

static const struct command zset_pop_commands[] = {
    {"bzmpop", cmd_bzmpop, -5, CMD_WRITE | CMD_BLOCKING, {0, 0, 0}, NULL, "7.0.0",
     "O(K)+O(M*log(N)), K keys, M members that are taken",
     "timeout numkeys key [key ...] <MIN | MAX> [COUNT count]",
     "Takes the lowest or highest members of the first sorted set that has some, and waits for one.",
     takes_counted_later},
    {"bzpopmax", cmd_bzpopmax, -3, CMD_WRITE | CMD_FAST | CMD_BLOCKING, {1, -2, 1}, NULL, "5.0.0",
     "O(log(N))", "key [key ...] timeout",
     "Takes the highest member of the first sorted set that has one, and waits for one.", takes_one_of,
     .history = "6.0.0 The timeout may have a fraction."},
    {"bzpopmin", cmd_bzpopmin, -3, CMD_WRITE | CMD_FAST | CMD_BLOCKING, {1, -2, 1}, NULL, "5.0.0",
     "O(log(N))", "key [key ...] timeout",
     "Takes the lowest member of the first sorted set that has one, and waits for one.", takes_one_of,
     .history = "6.0.0 The timeout may have a fraction."},
    {"zmpop", cmd_zmpop, -4, CMD_WRITE, {0, 0, 0}, NULL, "7.0.0",
     "O(K)+O(M*log(N)), K keys, M members that are taken",
     "numkeys key [key ...] <MIN | MAX> [COUNT count]",
     "Takes the lowest or highest members of the first sorted set that has some.", takes_counted},
    {"zpopmax", cmd_zpopmax, -2, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "5.0.0",
     "O(log(N)*M), M members that are taken", "key [count]",
     "Takes the highest members of a sorted set.", takes},
    {"zpopmin", cmd_zpopmin, -2, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "5.0.0",
     "O(log(N)*M), M members that are taken", "key [count]",
     "Takes the lowest members of a sorted set.", takes},
};
REGISTER_COMMANDS("sorted-set", zset_pop_commands);
