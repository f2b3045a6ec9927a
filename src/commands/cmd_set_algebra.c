/* Intersections, unions and differences of sets: answered, counted or stored. */
#include "base/mem.h"
#include "engine/events.h"
#include "engine/request.h"
#include "types/set.h"

static const struct event_kind EVENT_SINTERSTORE = {EVENT_CLASS_SET, "sinterstore"};
static const struct event_kind EVENT_SUNIONSTORE = {EVENT_CLASS_SET, "sunionstore"};
static const struct event_kind EVENT_SDIFFSTORE = {EVENT_CLASS_SET, "sdiffstore"};

/* --- where members come from ----------------------------------------------------------------------- */

#define LOCAL_MAX 16

/* The sets at the keys of a command, in their order; absent keys are left out. A struct set stays where
 * it is when a key that is looked up later has expired. */
struct sources {
    const struct set **sets;
    size_t count, size;
    bool is_one_absent, is_first_absent;
    const struct set *local[LOCAL_MAX];
};

static void sources_release(struct sources *sources)
{
    if (sources->sets != sources->local)
        mem_free(sources->sets, sources->size * sizeof *sources->sets);
}

/* All keys are looked up, also when one is absent: they must be sets. */
static bool sources_find_or_reply(struct request *req, int first, int last, struct sources *sources)
{
    sources->size = (size_t)(last - first) + 1;
    sources->count = 0;
    sources->is_one_absent = sources->is_first_absent = false;
    sources->sets = sources->local;
    if (sources->size > LOCAL_MAX)
        sources->sets = mem_alloc(sources->size * sizeof *sources->sets);
    for (int i = first; i <= last; i++) {
        struct key_ref ref;

        if (!key_find_or_reply(req, i, VALUE_SET, LOOKUP_READ, &ref)) {
            sources_release(sources);
            return false;
        }
        if (ref.entry)
            sources->sets[sources->count++] = entry_value(ref.entry);
        else
            sources->is_one_absent = true;
        sources->is_first_absent |= i == first && !ref.entry;
    }
    return true;
}

/* --- where they go ---------------------------------------------------------------------------------- */

/* A reply begins with their number, so they are gathered first. */
static void reply_members(struct request *req, struct set_members *members)
{
    char text[SET_TEXT_MAX];

    reply_set(req, members->count);
    for (size_t i = 0; i < members->count; i++)
        reply_bulk(req, set_member_bytes(&members->members[i], text));
    set_members_release(members);
}

/* The destination becomes the result, whatever it was; nothing is stored as no key. */
static void store_result(struct request *req, struct set *result, const struct event_kind *event)
{
    struct key_ref ref = key_find(req, 1, LOOKUP_WRITE);
    size_t size = set_size(result);

    if (size > 0) {
        store_replace(&ref, req->argv[1], VALUE_SET, result);
        key_changed(req, req->db, req->argv[1], event, 1);
    } else {
        set_free(result);
        if (ref.entry) {
            store_remove(&ref);
            key_removed(req, req->db, req->argv[1], &EVENT_DEL, 1);
        }
    }
    reply_int(req, (int64_t)size);
}

/* --- the commands ----------------------------------------------------------------------------------- */

static void cmd_sinter(struct request *req)
{
    struct set_members members = {0};
    struct sources sources;

    if (!sources_find_or_reply(req, 1, req->argc - 1, &sources))
        return;
    if (!sources.is_one_absent)
        set_intersect(sources.sets, sources.count, 0, set_members_add, &members);
    reply_members(req, &members);
    sources_release(&sources);
}

static void cmd_sunion(struct request *req)
{
    struct set_members members = {0};
    struct sources sources;

    if (!sources_find_or_reply(req, 1, req->argc - 1, &sources))
        return;
    set_unite(sources.sets, sources.count, set_members_add, &members);
    reply_members(req, &members);
    sources_release(&sources);
}

static void cmd_sdiff(struct request *req)
{
    struct set_members members = {0};
    struct sources sources;

    if (!sources_find_or_reply(req, 1, req->argc - 1, &sources))
        return;
    if (!sources.is_first_absent)
        set_subtract(sources.sets, sources.count, set_members_add, &members);
    reply_members(req, &members);
    sources_release(&sources);
}

static void cmd_sinterstore(struct request *req)
{
    struct sources sources;

    if (!sources_find_or_reply(req, 2, req->argc - 1, &sources))
        return;
    store_result(req,
                 sources.is_one_absent ? set_new() : set_intersection(sources.sets, sources.count),
                 &EVENT_SINTERSTORE);
    sources_release(&sources);
}

static void cmd_sunionstore(struct request *req)
{
    struct sources sources;

    if (!sources_find_or_reply(req, 2, req->argc - 1, &sources))
        return;
    store_result(req, set_union(sources.sets, sources.count), &EVENT_SUNIONSTORE);
    sources_release(&sources);
}

static void cmd_sdiffstore(struct request *req)
{
    struct sources sources;

    if (!sources_find_or_reply(req, 2, req->argc - 1, &sources))
        return;
    store_result(req,
                 sources.is_first_absent ? set_new() : set_difference(sources.sets, sources.count),
                 &EVENT_SDIFFSTORE);
    sources_release(&sources);
}

/* LIMIT may be given again; the last one counts. */
static bool parse_limit_or_reply(struct request *req, int from, int64_t *limit)
{
    for (int i = from; i < req->argc; i += 2) {
        if (i + 1 == req->argc || !argument_is(req, i, "limit")) {
            reply_syntax_error(req);
            return false;
        }
        if (!parse_int_range_or_reply(req, i + 1, 0, INT64_MAX, limit,
                                      "ERR LIMIT can't be negative"))
            return false;
    }
    return true;
}

static void count_one(void *context, const struct set_member *member) { ++*(int64_t *)context; }

static void cmd_sintercard(struct request *req)
{
    int64_t keys, limit = 0, found = 0;
    struct sources sources;

    if (!parse_int_range_or_reply(req, 1, 1, INT64_MAX, &keys,
                                  "ERR numkeys should be greater than 0"))
        return;
    if (keys > req->argc - 2) {
        reply_error(req, "ERR Number of keys can't be greater than number of args");
        return;
    }
    if (!parse_limit_or_reply(req, 2 + (int)keys, &limit) ||
        !sources_find_or_reply(req, 2, 1 + (int)keys, &sources))
        return;
    if (!sources.is_one_absent)
        set_intersect(sources.sets, sources.count, (size_t)limit, count_one, &found);
    reply_int(req, found);
    sources_release(&sources);
}

/* --- the table -------------------------------------------------------------------------------------- */

static const struct key_rule into_first[] = {
    {KEY_OW | KEY_UPDATE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {-1, 1, 0}},
    {0},
};
static const struct key_rule counted[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 1, NULL, KEY_COUNTED, {0, 1, 1}},
    {0},
};

static const struct command set_algebra_commands[] = {
    {"sdiff", cmd_sdiff, -2, CMD_READONLY, {1, -1, 1}, NULL, "1.0.0", "O(N) members of all sets",
     "key [key ...]", "Returns the members of the first set that are in none of the others.",
     .tips = "nondeterministic_output_order"},
    {"sdiffstore", cmd_sdiffstore, -3, CMD_WRITE | CMD_GROWS, {1, -1, 1}, NULL, "1.0.0",
     "O(N) members of all sets", "destination key [key ...]",
     "Stores the members of the first set that are in none of the others.", into_first},
    {"sinter", cmd_sinter, -2, CMD_READONLY, {1, -1, 1}, NULL, "1.0.0",
     "O(N*M), N members of the smallest set, M sets", "key [key ...]",
     "Returns the members that are in all sets.",
     .tips = "nondeterministic_output_order"},
    {"sintercard", cmd_sintercard, -3, CMD_READONLY, {0, 0, 0}, NULL, "7.0.0",
     "O(N*M), N members of the smallest set, M sets", "numkeys key [key ...] [LIMIT limit]",
     "Counts the members that are in all sets, up to a limit.", counted},
    {"sinterstore", cmd_sinterstore, -3, CMD_WRITE | CMD_GROWS, {1, -1, 1}, NULL, "1.0.0",
     "O(N*M), N members of the smallest set, M sets", "destination key [key ...]",
     "Stores the members that are in all sets.", into_first},
    {"sunion", cmd_sunion, -2, CMD_READONLY, {1, -1, 1}, NULL, "1.0.0", "O(N) members of all sets",
     "key [key ...]", "Returns the members that are in any of the sets.",
     .tips = "nondeterministic_output_order"},
    {"sunionstore", cmd_sunionstore, -3, CMD_WRITE | CMD_GROWS, {1, -1, 1}, NULL, "1.0.0",
     "O(N) members of all sets", "destination key [key ...]",
     "Stores the members that are in any of the sets.", into_first},
};
REGISTER_COMMANDS("set", set_algebra_commands);
