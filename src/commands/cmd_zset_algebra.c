/* Sorted sets: unions, intersections and differences of several, and of plain sets among them, whose members
 * all have the score 1. */
#include "cmd_zset_internal.h"

#include "base/mem.h"
#include "base/numbers.h"
#include "types/set.h"

#include <math.h>
#include <stdlib.h>

#define ERR_WEIGHT         "ERR weight value is not a float"
#define ERR_LIMIT_NEGATIVE "ERR LIMIT can't be negative"

static const struct event_kind EVENT_ZUNIONSTORE = {EVENT_CLASS_ZSET, "zunionstore"};
static const struct event_kind EVENT_ZINTERSTORE = {EVENT_CLASS_ZSET, "zinterstore"};
static const struct event_kind EVENT_ZDIFFSTORE = {EVENT_CLASS_ZSET, "zdiffstore"};

/* --- a source: a sorted set or a set ------------------------------------------------------------------- */

struct source {
    const struct zset *zset; /* one of these two; NULL and NULL: an absent key */
    const struct set *set;
    double weight;
    size_t index; /* among the sources as they were given */
};

static size_t source_size(const struct source *source)
{
    if (source->zset)
        return zset_size(source->zset);
    return source->set ? set_size(source->set) : 0;
}

static bool source_score(const struct source *source, struct bytes member, double *score)
{
    if (source->zset)
        return zset_score(source->zset, hashed(member), score);
    *score = 1;
    return source->set && set_has(source->set, hashed(member));
}

struct source_iter {
    const struct source *source;
    struct zset_iter zset;
    struct set_iter set;
    char text[SET_TEXT_MAX];
};

static void source_iter_init(struct source_iter *iter, const struct source *source)
{
    iter->source = source;
    if (source->zset)
        zset_iter_init(&iter->zset, source->zset, 0, false);
    else if (source->set)
        set_iter_init(&iter->set, source->set);
}

static bool source_iter_next(struct source_iter *iter, struct zset_item *item)
{
    struct set_member member;

    if (iter->source->zset)
        return zset_iter_next(&iter->zset, item);
    if (!iter->source->set || !set_iter_next(&iter->set, &member))
        return false;
    *item = (struct zset_item){set_member_bytes(&member, iter->text), 1};
    return true;
}

/* --- the arguments -------------------------------------------------------------------------------------- */

enum operation { UNITE, INTERSECT, SUBTRACT };
enum aggregate { BY_SUM, BY_MIN, BY_MAX };

struct algebra {
    enum operation operation;
    bool stores, only_counts;
    enum aggregate aggregate;
    bool with_scores;
    int64_t limit; /* 0: none */
    struct source *sources;
    size_t count;
};

static bool parse_count_or_reply(struct request *req, int at, struct algebra *algebra)
{
    int64_t count;

    if (!parse_int_or_reply(req, at, &count))
        return false;
    if (count < 1) {
        reply_error_format(req, "ERR at least 1 input key is needed for '%s' command",
                           req->command->row->name);
        return false;
    }
    if (count > req->argc - at - 1) {
        reply_syntax_error(req);
        return false;
    }
    algebra->count = (size_t)count;
    return true;
}

/* Values never move while their keys live, and no key that was found expires within a command. */
static bool find_source_or_reply(struct request *req, int at, struct source *source)
{
    struct key_ref ref = key_find(req, at, LOOKUP_READ);

    *source = (struct source){.weight = 1, .index = (size_t)at};
    if (!ref.entry)
        return true;
    if (ref.entry->type == VALUE_ZSET)
        source->zset = entry_value(ref.entry);
    else if (ref.entry->type == VALUE_SET)
        source->set = entry_value(ref.entry);
    if (source->zset || source->set)
        return true;
    reply_error(req, ERR_WRONG_TYPE);
    return false;
}

static bool parse_aggregate_or_reply(struct request *req, int at, enum aggregate *aggregate)
{
    if (argument_is(req, at, "sum"))
        *aggregate = BY_SUM;
    else if (argument_is(req, at, "min"))
        *aggregate = BY_MIN;
    else if (argument_is(req, at, "max"))
        *aggregate = BY_MAX;
    else {
        reply_syntax_error(req);
        return false;
    }
    return true;
}

static bool parse_weights_or_reply(struct request *req, int at, struct algebra *algebra)
{
    for (size_t i = 0; i < algebra->count; i++)
        if (!double_parse(req->argv[at + (int)i], &algebra->sources[i].weight)) {
            reply_error(req, ERR_WEIGHT);
            return false;
        }
    return true;
}

/* Takes the option at 'at' with its values; 0 when it is none. Replies an error and returns -1. */
static int take_option(struct request *req, int at, struct algebra *algebra)
{
    bool combines = algebra->operation != SUBTRACT && !algebra->only_counts;
    int left = req->argc - at;

    if (combines && (size_t)left > algebra->count && argument_is(req, at, "weights"))
        return parse_weights_or_reply(req, at + 1, algebra) ? 1 + (int)algebra->count : -1;
    if (combines && left >= 2 && argument_is(req, at, "aggregate"))
        return parse_aggregate_or_reply(req, at + 1, &algebra->aggregate) ? 2 : -1;
    if (!algebra->stores && !algebra->only_counts && argument_is(req, at, "withscores")) {
        algebra->with_scores = true;
        return 1;
    }
    if (!algebra->only_counts || left < 2 || !argument_is(req, at, "limit"))
        return 0;
    return parse_int_range_or_reply(req, at + 1, 0, INT64_MAX, &algebra->limit, ERR_LIMIT_NEGATIVE) ? 2
                                                                                                   : -1;
}

static bool parse_sources_or_reply(struct request *req, int at, struct algebra *algebra)
{
    for (size_t i = 0; i < algebra->count; i++)
        if (!find_source_or_reply(req, at + (int)i, &algebra->sources[i]))
            return false;
    for (int i = at + (int)algebra->count, taken; i < req->argc; i += taken) {
        taken = take_option(req, i, algebra);
        if (taken > 0)
            continue;
        if (taken == 0)
            reply_syntax_error(req);
        return false;
    }
    return true;
}

static void algebra_release(struct algebra *algebra)
{
    mem_free(algebra->sources, algebra->count * sizeof *algebra->sources);
}

/* The count of keys is argument 'at'. When it returns true the algebra must be released. */
static bool parse_algebra_or_reply(struct request *req, int at, struct algebra *algebra)
{
    if (!parse_count_or_reply(req, at, algebra))
        return false;
    algebra->sources = mem_alloc(algebra->count * sizeof *algebra->sources);
    if (parse_sources_or_reply(req, at + 1, algebra))
        return true;
    algebra_release(algebra);
    return false;
}

/* --- the operations --------------------------------------------------------------------------------------- */

static int compare_sources(const void *left, const void *right)
{
    const struct source *a = left, *b = right;
    size_t a_size = source_size(a), b_size = source_size(b);

    if (a_size != b_size)
        return a_size < b_size ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* Smaller sources first; those of one size stay in their order, since sums are rounded. */
static void sort_by_size(struct algebra *algebra)
{
    qsort(algebra->sources, algebra->count, sizeof *algebra->sources, compare_sources);
}

/* 0 times infinity, and infinity less infinity, are 0. */
static double weighted(const struct source *source, double score)
{
    double product = source->weight * score;

    return isnan(product) ? 0 : product;
}

static double aggregate(const struct algebra *algebra, double total, double score)
{
    if (algebra->aggregate == BY_MIN)
        return score < total ? score : total;
    if (algebra->aggregate == BY_MAX)
        return score > total ? score : total;
    total += score;
    return isnan(total) ? 0 : total;
}

static void unite(const struct algebra *algebra, struct zset *result)
{
    for (size_t i = 0; i < algebra->count; i++) {
        const struct source *source = &algebra->sources[i];
        struct source_iter iter;
        struct zset_item item;
        double total;

        source_iter_init(&iter, source);
        while (source_iter_next(&iter, &item)) {
            double score = weighted(source, item.score);

            if (zset_score(result, hashed(item.member), &total)) {
                score = aggregate(algebra, total, score);
                if (score == total && signbit(score) != signbit(total)) /* 0 instead of -0 */
                    zset_remove(result, hashed(item.member));
            }
            zset_add(result, score, hashed(item.member), 0, NULL);
        }
    }
}

/* The score that a member of the first source has in the intersection; false when it is not in all. */
static bool intersect_one(const struct algebra *algebra, const struct zset_item *item, double *score)
{
    *score = weighted(&algebra->sources[0], item->score);
    for (size_t i = 1; i < algebra->count; i++) {
        const struct source *source = &algebra->sources[i];
        double other;

        if (!source_score(source, item->member, &other))
            return false;
        *score = aggregate(algebra, *score, source->weight * other);
    }
    return true;
}

/* Of each member of the first source: whether it is in the result, and with which score. */
static bool keeps(const struct algebra *algebra, const struct zset_item *item, double *score)
{
    double other;

    if (algebra->operation == INTERSECT)
        return intersect_one(algebra, item, score);
    *score = item->score;
    for (size_t i = 1; i < algebra->count; i++)
        if (source_score(&algebra->sources[i], item->member, &other))
            return false;
    return true;
}

static void filter_first(const struct algebra *algebra, struct zset *result)
{
    struct source_iter iter;
    struct zset_item item;
    double score;

    source_iter_init(&iter, &algebra->sources[0]);
    while (source_iter_next(&iter, &item))
        if (keeps(algebra, &item, &score))
            zset_add(result, score, hashed(item.member), 0, NULL);
}

static struct zset *compute(struct algebra *algebra)
{
    struct zset *result = zset_new_tree(); /* which keeps -0 */

    if (algebra->operation != SUBTRACT)
        sort_by_size(algebra);
    if (algebra->operation == UNITE)
        unite(algebra, result);
    else
        filter_first(algebra, result);
    return result;
}

/* --- the commands ----------------------------------------------------------------------------------------- */

static void reply_result(struct request *req, enum operation operation)
{
    struct algebra algebra = {.operation = operation};
    struct zset_iter iter;
    struct zset_item item;
    struct zset *result;

    if (!parse_algebra_or_reply(req, 1, &algebra))
        return;
    result = compute(&algebra);
    zset_reply_array(req, zset_size(result), algebra.with_scores);
    zset_iter_init(&iter, result, 0, false);
    while (zset_iter_next(&iter, &item))
        zset_reply_item(req, &item, algebra.with_scores);
    zset_free(result);
    algebra_release(&algebra);
}

static void cmd_zunion(struct request *req) { reply_result(req, UNITE); }
static void cmd_zinter(struct request *req) { reply_result(req, INTERSECT); }
static void cmd_zdiff(struct request *req) { reply_result(req, SUBTRACT); }

static void store_result(struct request *req, enum operation operation, const struct event_kind *event)
{
    struct algebra algebra = {.operation = operation, .stores = true};
    struct zset *result;

    if (!parse_algebra_or_reply(req, 2, &algebra))
        return;
    result = compute(&algebra);
    zset_pack(result);
    zset_store_and_reply(req, 1, result, event);
    algebra_release(&algebra);
}

static void cmd_zunionstore(struct request *req) { store_result(req, UNITE, &EVENT_ZUNIONSTORE); }
static void cmd_zinterstore(struct request *req) { store_result(req, INTERSECT, &EVENT_ZINTERSTORE); }
static void cmd_zdiffstore(struct request *req) { store_result(req, SUBTRACT, &EVENT_ZDIFFSTORE); }

static int64_t count_common(const struct algebra *algebra)
{
    struct source_iter iter;
    struct zset_item item;
    int64_t found = 0;
    double score;

    source_iter_init(&iter, &algebra->sources[0]);
    while (source_iter_next(&iter, &item))
        if (intersect_one(algebra, &item, &score) && ++found == algebra->limit)
            break;
    return found;
}

static void cmd_zintercard(struct request *req)
{
    struct algebra algebra = {.operation = INTERSECT, .only_counts = true};

    if (!parse_algebra_or_reply(req, 1, &algebra))
        return;
    sort_by_size(&algebra);
    reply_int(req, count_common(&algebra));
    algebra_release(&algebra);
}

/* --- the table -------------------------------------------------------------------------------------------- */

static const struct key_rule counted[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 1, NULL, KEY_COUNTED, {0, 1, 1}},
    {0},
};
static const struct key_rule counted_into_first[] = {
    {KEY_OW | KEY_UPDATE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 2, NULL, KEY_COUNTED, {0, 1, 1}},
    {0},
};

#define INTERSECTION_COST "O(N*K+M*log(M)), N members of the smallest, K keys, M of the result"
#define UNION_COST        "O(N+M*log(M)), N members of all, M of the result"
#define OPTIONS           "[WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]"

static const struct command zset_algebra_commands[] = {
    {"zdiff", cmd_zdiff, -3, CMD_READONLY, {0, 0, 0}, NULL, "6.2.0", UNION_COST,
     "numkeys key [key ...] [WITHSCORES]",
     "Returns the members of the first sorted set that are in none of the others.", counted},
    {"zdiffstore", cmd_zdiffstore, -4, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "6.2.0", UNION_COST,
     "destination numkeys key [key ...]",
     "Stores the members of the first sorted set that are in none of the others.", counted_into_first},
    {"zinter", cmd_zinter, -3, CMD_READONLY, {0, 0, 0}, NULL, "6.2.0", INTERSECTION_COST,
     "numkeys key [key ...] " OPTIONS " [WITHSCORES]", "Returns the members that are in all sorted sets.",
     counted},
    {"zintercard", cmd_zintercard, -3, CMD_READONLY, {0, 0, 0}, NULL, "7.0.0",
     "O(N*K), N members of the smallest, K keys", "numkeys key [key ...] [LIMIT limit]",
     "Counts the members that are in all sorted sets, up to a limit.", counted},
    {"zinterstore", cmd_zinterstore, -4, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "2.0.0",
     INTERSECTION_COST, "destination numkeys key [key ...] " OPTIONS,
     "Stores the members that are in all sorted sets.", counted_into_first},
    {"zunion", cmd_zunion, -3, CMD_READONLY, {0, 0, 0}, NULL, "6.2.0", UNION_COST,
     "numkeys key [key ...] " OPTIONS " [WITHSCORES]",
     "Returns the members that are in any of the sorted sets.", counted},
    {"zunionstore", cmd_zunionstore, -4, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "2.0.0", UNION_COST,
     "destination numkeys key [key ...] " OPTIONS,
     "Stores the members that are in any of the sorted sets.", counted_into_first},
};
REGISTER_COMMANDS("sorted-set", zset_algebra_commands);
