/* Sorted sets: random members. */
#include "cmd_zset_internal.h"

#include "base/mem.h"
#include "base/random.h"

static struct random *random_of(const struct request *req) { return &req->engine->store->random; }

/* Members may come more than once. No end is too far: a client that does not take so many is closed by
 * its limits, and then nothing more is made. */
static void reply_any(struct request *req, const struct zset *set, uint64_t count, bool with_scores)
{
    uint64_t start = reply_position(req);
    char text[LISTPACK_TEXT_MAX];

    zset_reply_array(req, count, with_scores);
    for (; count > 0 && reply_goes_on(req, start); count--) {
        struct zset_item item = zset_random(set, random_of(req), text);
        zset_reply_item(req, &item, with_scores);
    }
}

/* Many of them: a walk over all, each with the chance that is left (Knuth, 3.4.2, algorithm S). */
static void reply_sample(struct request *req, const struct zset *set, size_t count, bool with_scores)
{
    size_t left = zset_size(set);
    struct zset_iter iter;
    struct zset_item item;

    zset_iter_init(&iter, set, 0, false);
    for (; count > 0 && zset_iter_next(&iter, &item); left--)
        if (random_below(random_of(req), left) < count) {
            zset_reply_item(req, &item, with_scores);
            count--;
        }
}

/* Adds a rank to a table of ranks plus one, with open addressing; false when it is there. */
static bool note_rank(uint64_t *table, size_t mask, uint64_t rank)
{
    size_t at = rank * 0x9e3779b97f4a7c15ULL >> 20 & mask;

    for (; table[at]; at = (at + 1) & mask)
        if (table[at] == rank + 1)
            return false;
    table[at] = rank + 1;
    return true;
}

/* Few of them: ranks that were not drawn before. */
static void reply_drawn(struct request *req, const struct zset *set, size_t count, bool with_scores)
{
    size_t places = 16;
    uint64_t *table;

    while (places < 2 * count)
        places *= 2;
    table = mem_alloc_zero(places * sizeof *table);
    while (count > 0) {
        uint64_t rank = random_below(random_of(req), zset_size(set));
        struct zset_iter iter;
        struct zset_item item;

        if (!note_rank(table, places - 1, rank))
            continue;
        zset_iter_init(&iter, set, rank, false);
        zset_iter_next(&iter, &item);
        zset_reply_item(req, &item, with_scores);
        count--;
    }
    mem_free(table, places * sizeof *table);
}

static void reply_different(struct request *req, const struct zset *set, size_t count, bool with_scores)
{
    size_t size = zset_size(set);

    if (count > size)
        count = size;
    zset_reply_array(req, count, with_scores);
    if (count > size / 4)
        reply_sample(req, set, count, with_scores);
    else
        reply_drawn(req, set, count, with_scores);
}

static bool parse_random_or_reply(struct request *req, int64_t *count, bool *with_scores)
{
    *with_scores = req->argc == 4;
    if (!parse_int_or_reply(req, 2, count))
        return false;
    if (*count == INT64_MIN) {
        reply_error(req, ERR_OUT_OF_LONG_RANGE);
    } else if (req->argc > 4 || (req->argc == 4 && !argument_is(req, 3, "withscores"))) {
        reply_syntax_error(req);
    } else if (*with_scores && (*count < -(INT64_MAX / 2) || *count > INT64_MAX / 2)) {
        reply_error(req, ERR_OUT_OF_RANGE);
    } else {
        return true;
    }
    return false;
}

static void cmd_zrandmember(struct request *req)
{
    struct key_ref ref;
    int64_t count = 0;
    bool with_scores = false;

    if ((req->argc > 2 && !parse_random_or_reply(req, &count, &with_scores)) ||
        !key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_READ, &ref))
        return;
    if (req->argc > 2) {
        if (!ref.entry || !count)
            reply_array(req, 0);
        else if (count > 0)
            reply_different(req, zset_at(&ref), (size_t)count, with_scores);
        else
            reply_any(req, zset_at(&ref), (uint64_t)-count, with_scores);
    } else if (ref.entry) {
        char text[LISTPACK_TEXT_MAX];

        reply_bulk(req, zset_random(zset_at(&ref), random_of(req), text).member);
    } else {
        reply_null(req);
    }
}

static const struct key_rule reads[] = ZSET_ONE_KEY(KEY_RO | KEY_ACCESS);

static const struct command zset_random_commands[] = {
    {"zrandmember", cmd_zrandmember, -2, CMD_READONLY, {1, 1, 1}, NULL, "6.2.0",
     "O(log(N)) a member", "key [count [WITHSCORES]]",
     "Returns random members of a sorted set: different ones, or any when the count is negative.", reads,
     .tips = "nondeterministic_output"},
};
REGISTER_COMMANDS("sorted-set", zset_random_commands);
