/* Sorted sets: members and their scores. Ranges are in cmd_zset_range.c, unions and their like in
 * cmd_zset_algebra.c, pops in cmd_zset_pop.c, random members in cmd_zset_random.c. */
#include "cmd_zset_internal.h"

#include "base/mem.h"
#include "base/numbers.h"
#include "scan_argument_internal.h"

#include <stdio.h>

#define ERR_XX_AND_NX "ERR XX and NX options at the same time are not compatible"
#define ERR_GT_LT_NX  "ERR GT, LT, and/or NX options at the same time are not compatible"
#define ERR_INCR_PAIR "ERR INCR option supports a single increment-element pair"
#define ERR_NAN_SCORE "ERR resulting score is not a number (NaN)"

static const struct event_kind EVENT_ZADD = {EVENT_CLASS_ZSET, "zadd"};
static const struct event_kind EVENT_ZINCR = {EVENT_CLASS_ZSET, "zincr"};
static const struct event_kind EVENT_ZREM = {EVENT_CLASS_ZSET, "zrem"};

/* --- shared --------------------------------------------------------------------------------------- */

void zset_report_taken(struct request *req, struct key_ref *ref, struct bytes key,
                       const struct event_kind *event, int64_t taken)
{
    bool is_empty = zset_size(zset_at(ref)) == 0;

    key_changed(req, req->db, key, event, taken);
    if (is_empty) {
        store_remove(ref);
        key_removed(req, req->db, key, &EVENT_DEL, 0);
    }
}

void zset_reply_array(struct request *req, size_t count, bool with_scores)
{
    reply_array(req, with_scores && req->client->resp == 2 ? 2 * count : count);
}

void zset_reply_item(struct request *req, const struct zset_item *item, bool with_scores)
{
    if (with_scores && req->client->resp == 3)
        reply_array(req, 2);
    reply_bulk(req, item->member);
    if (with_scores)
        reply_double(req, item->score);
}

void zset_store_and_reply(struct request *req, int at, struct zset *set, const struct event_kind *event)
{
    struct key_ref ref = key_find(req, at, LOOKUP_WRITE);
    size_t size = zset_size(set);

    if (size > 0) {
        store_replace(&ref, req->argv[at], VALUE_ZSET, set);
        key_changed(req, req->db, req->argv[at], event, 1);
    } else {
        zset_free(set);
        if (ref.entry) {
            store_remove(&ref);
            key_removed(req, req->db, req->argv[at], &EVENT_DEL, 1);
        }
    }
    reply_int(req, (int64_t)size);
}

/* --- adding ----------------------------------------------------------------------------------------- */

#define LOCAL_PAIRS 16

struct addition {
    unsigned flags; /* ZSET_* */
    bool counts_changed;
    int first; /* argument with the first score */
    int pairs;
    double *scores;
    double local[LOCAL_PAIRS];
};

static bool take_add_option(struct request *req, int at, struct addition *add)
{
    static const struct {
        const char *word;
        unsigned flag;
    } conditions[] = {{"nx", ZSET_IF_ABSENT},
                      {"xx", ZSET_IF_PRESENT},
                      {"gt", ZSET_IF_GREATER},
                      {"lt", ZSET_IF_LESS},
                      {"incr", ZSET_INCREMENT}};

    if (req->argv[at].len < 2 || req->argv[at].len > 4 || req->argv[at].data[0] < 'A') /* mostly a score */
        return false;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (argument_is(req, at, conditions[i].word)) {
            add->flags |= conditions[i].flag;
            return true;
        }
    if (!argument_is(req, at, "ch"))
        return false;
    add->counts_changed = true;
    return true;
}

/* Which options exclude each other; NULL when they do not. */
static const char *option_conflict(const struct addition *add)
{
    unsigned absent = add->flags & ZSET_IF_ABSENT;
    unsigned greater = add->flags & ZSET_IF_GREATER, less = add->flags & ZSET_IF_LESS;

    if (absent && add->flags & ZSET_IF_PRESENT)
        return ERR_XX_AND_NX;
    if ((greater && absent) || (less && absent) || (greater && less))
        return ERR_GT_LT_NX;
    return add->flags & ZSET_INCREMENT && add->pairs > 1 ? ERR_INCR_PAIR : NULL;
}

static void addition_release(struct addition *add)
{
    if (add->scores != add->local)
        mem_free(add->scores, (size_t)add->pairs * sizeof *add->scores);
}

/* When it returns true the addition must be released. */
static bool parse_addition_or_reply(struct request *req, struct addition *add)
{
    const char *conflict;
    int arguments;

    add->first = 2;
    while (add->first < req->argc && take_add_option(req, add->first, add))
        add->first++;
    arguments = req->argc - add->first;
    add->pairs = arguments / 2;
    if (arguments == 0 || arguments % 2) {
        reply_syntax_error(req);
        return false;
    }
    conflict = option_conflict(add);
    if (conflict) {
        reply_error(req, conflict);
        return false;
    }
    add->scores = add->pairs <= LOCAL_PAIRS ? add->local
                                            : mem_alloc((size_t)add->pairs * sizeof *add->scores);
    for (int i = 0; i < add->pairs; i++)
        if (!parse_double_or_reply(req, add->first + 2 * i, &add->scores[i])) {
            addition_release(add);
            return false;
        }
    return true;
}

static struct zset *make_at(struct request *req, struct key_ref *ref, const struct addition *add)
{
    size_t pairs = (size_t)add->pairs;

    if (ref->entry)
        zset_expect(zset_at(ref), pairs);
    else
        store_add(ref, req->argv[1], VALUE_ZSET, zset_new(pairs, req->argv[add->first + 1].len));
    return zset_at(ref);
}

static void add_pairs(struct request *req, struct zset *set, const struct addition *add)
{
    bool is_increment = add->flags & ZSET_INCREMENT;
    int64_t counts[ZSET_NAN + 1] = {0};
    enum zset_outcome outcome = ZSET_SAME;
    double score = 0;

    for (int i = 0; i < add->pairs; i++) {
        outcome = zset_add(set, add->scores[i], request_member(req, add->first + 2 * i + 1), add->flags, &score);
        counts[outcome]++;
    }
    if (counts[ZSET_ADDED] || counts[ZSET_CHANGED])
        key_changed(req, req->db, req->argv[1], is_increment ? &EVENT_ZINCR : &EVENT_ZADD,
                    counts[ZSET_ADDED] + counts[ZSET_CHANGED]);
    if (!is_increment)
        reply_int(req, counts[ZSET_ADDED] + (add->counts_changed ? counts[ZSET_CHANGED] : 0));
    else if (outcome == ZSET_NAN)
        reply_error(req, ERR_NAN_SCORE);
    else if (outcome == ZSET_REFUSED)
        reply_null(req);
    else
        reply_double(req, score);
}

static void add(struct request *req, unsigned flags)
{
    struct addition addition; /* not cleared: it has room for scores */
    struct key_ref ref;

    addition.flags = flags;
    addition.counts_changed = false;
    if (!parse_addition_or_reply(req, &addition))
        return;
    if (key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_WRITE, &ref)) {
        if (ref.entry || !(addition.flags & ZSET_IF_PRESENT))
            add_pairs(req, make_at(req, &ref, &addition), &addition);
        else if (addition.flags & ZSET_INCREMENT)
            reply_null(req);
        else
            reply_int(req, 0);
    }
    addition_release(&addition);
}

static void cmd_zadd(struct request *req) { add(req, 0); }
static void cmd_zincrby(struct request *req) { add(req, ZSET_INCREMENT); }

/* --- removing --------------------------------------------------------------------------------------- */

static void cmd_zrem(struct request *req)
{
    struct key_ref ref;
    int64_t removed = 0;

    if (!key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_WRITE, &ref))
        return;
    for (int i = 2; ref.entry && i < req->argc && zset_size(zset_at(&ref)); i++)
        removed += zset_remove(zset_at(&ref), request_member(req, i));
    if (removed)
        zset_report_taken(req, &ref, req->argv[1], &EVENT_ZREM, removed);
    reply_int(req, removed);
}

/* --- looking ---------------------------------------------------------------------------------------- */

static void cmd_zcard(struct request *req)
{
    struct key_ref ref;

    if (key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_READ, &ref))
        reply_int(req, ref.entry ? (int64_t)zset_size(zset_at(&ref)) : 0);
}

static void reply_score(struct request *req, const struct key_ref *ref, int at)
{
    double score;

    if (ref->entry && zset_score(zset_at(ref), request_member(req, at), &score))
        reply_double(req, score);
    else
        reply_null(req);
}

static void cmd_zscore(struct request *req)
{
    struct key_ref ref;

    if (key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_READ, &ref))
        reply_score(req, &ref, 2);
}

static void cmd_zmscore(struct request *req)
{
    struct key_ref ref;

    if (!key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_READ, &ref))
        return;
    reply_array(req, (size_t)req->argc - 2);
    for (int i = 2; i < req->argc; i++)
        reply_score(req, &ref, i);
}

static void reply_rank(struct request *req, bool is_reverse)
{
    bool with_score = req->argc == 4;
    struct key_ref ref;
    size_t rank;
    double score;

    if (req->argc > 4) {
        reply_wrong_arity(req);
        return;
    }
    if (with_score && !argument_is(req, 3, "withscore")) {
        reply_syntax_error(req);
        return;
    }
    if (!key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_READ, &ref))
        return;
    if (!ref.entry || !zset_rank(zset_at(&ref), request_member(req, 2), &rank, &score)) {
        if (with_score)
            reply_null_array(req);
        else
            reply_null(req);
        return;
    }
    if (is_reverse)
        rank = zset_size(zset_at(&ref)) - 1 - rank;
    if (with_score)
        reply_array(req, 2);
    reply_int(req, (int64_t)rank);
    if (with_score)
        reply_double(req, score);
}

static void cmd_zrank(struct request *req) { reply_rank(req, false); }
static void cmd_zrevrank(struct request *req) { reply_rank(req, true); }

/* --- ZSCAN ------------------------------------------------------------------------------------------ */

/* Views of members, which stay while nothing is changed, but for the text of small sets' integers. */
struct found_member {
    struct zset_item item; /* without data: the text is its member */
    char text[LISTPACK_TEXT_MAX];
};

struct found_members {
    const struct bytes *pattern; /* NULL: all */
    struct found_member *members;
    size_t count, size, seen;
};

static void collect(void *context, const struct zset_item *item)
{
    struct found_members *found = context;
    size_t each = sizeof *found->members;
    struct found_member *member;

    found->seen++;
    if (found->pattern && !bytes_match(*found->pattern, item->member, false))
        return;
    if (found->count == found->size) {
        size_t size = found->size ? 2 * found->size : 64;
        found->members = mem_resize(found->members, found->size * each, size * each);
        found->size = size;
    }
    member = &found->members[found->count++];
    member->item = *item;
    if (item->member.len <= sizeof member->text) {
        bytes_copy(member->text, item->member.data, item->member.len);
        member->item.member.data = NULL;
    }
}

/* Of a large set with all digits, which no other command does: so the real servers. */
static size_t format_scanned(char *out, double score, bool is_packed)
{
    if (is_packed)
        return double_format(out, score);
    return (size_t)snprintf(out, DOUBLE_TEXT_MAX, "%.17g", score);
}

static void reply_found(struct request *req, struct found_members *found, bool is_packed)
{
    char score[DOUBLE_TEXT_MAX];

    reply_array(req, 2 * found->count);
    for (size_t i = 0; i < found->count; i++) {
        const struct found_member *member = &found->members[i];
        struct bytes bytes = member->item.member;

        if (!bytes.data)
            bytes.data = member->text;
        reply_bulk(req, bytes);
        reply_bulk(req, (struct bytes){score, format_scanned(score, member->item.score, is_packed)});
    }
    if (found->size)
        mem_free(found->members, found->size * sizeof *found->members);
}

static void cmd_zscan(struct request *req)
{
    struct found_members found = {0};
    struct scan_argument scan;
    struct key_ref ref;
    uint64_t cursor;

    if (!scan_find_or_reply(req, VALUE_ZSET, 0, &scan, &ref))
        return;
    found.pattern = scan.pattern;
    do {
        cursor = zset_scan(zset_at(&ref), scan.cursor, collect, &found);
    } while (scan_goes_on(&scan, cursor, found.seen));
    scan_reply_cursor(req, &scan);
    reply_found(req, &found, !strcmp(zset_encoding(zset_at(&ref)), "listpack"));
}

/* --- the table ---------------------------------------------------------------------------------------- */

static const struct key_rule adds[] = ZSET_ONE_KEY(KEY_RW | KEY_UPDATE);
static const struct key_rule increments[] = ZSET_ONE_KEY(KEY_RW | KEY_ACCESS | KEY_UPDATE);
static const struct key_rule removes[] = ZSET_ONE_KEY(KEY_RW | KEY_DELETE);
static const struct key_rule counts[] = ZSET_ONE_KEY(KEY_RO);
static const struct key_rule reads[] = ZSET_ONE_KEY(KEY_RO | KEY_ACCESS);

static const struct command zset_commands[] = {
    {"zadd", cmd_zadd, -4, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.2.0",
     "O(log(N)) a member", "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
     "Adds members to a sorted set or changes their scores, creating it when absent.", adds, .member = 3,
     .history = "2.4.0 Several members.\n"
                "3.0.2 XX, NX, CH and INCR.\n"
                "6.2.0 GT and LT.",
     .argument_since = "condition 3.0.2, comparison 6.2.0, CH 3.0.2, INCR 3.0.2"},
    {"zcard", cmd_zcard, 2, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "1.2.0", "O(1)", "key",
     "Returns the number of members of a sorted set.", counts},
    {"zincrby", cmd_zincrby, 4, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.2.0",
     "O(log(N))", "key increment member",
     "Adds to the score of a member, which begins at 0.", increments, .member = 3},
    {"zmscore", cmd_zmscore, -3, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "6.2.0", "O(1) a member",
     "key member [member ...]", "Returns the scores of members.", reads, .member = 2},
    {"zrank", cmd_zrank, -3, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "2.0.0", "O(log(N))",
     "key member [WITHSCORE]", "Returns how many members have a lower score than a member.", reads, .member = 2,
     .history = "7.2.0 WITHSCORE."},
    {"zrem", cmd_zrem, -3, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "1.2.0", "O(log(N)) a member",
     "key member [member ...]",
     "Removes members from a sorted set, and the sorted set when it is empty.", removes, .member = 2,
     .history = "2.4.0 Several members."},
    {"zrevrank", cmd_zrevrank, -3, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "2.0.0", "O(log(N))",
     "key member [WITHSCORE]", "Returns how many members have a higher score than a member.", reads, .member = 2,
     .history = "7.2.0 WITHSCORE."},
    {"zscan", cmd_zscan, -3, CMD_READONLY, {1, 1, 1}, NULL, "2.8.0", "O(1) a call, O(N) for all",
     "key cursor [MATCH pattern] [COUNT count]",
     "Walks the members of a sorted set with their scores, some at each call.", reads,
     .tips = "nondeterministic_output"},
    {"zscore", cmd_zscore, 3, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "1.2.0", "O(1)", "key member",
     "Returns the score of a member.", reads, .member = 2},
};
REGISTER_COMMANDS("sorted-set", zset_commands);
