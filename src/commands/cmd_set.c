/* Sets, one at a time; SMOVE knows two. Their algebra is in cmd_set_algebra.c. */
#include "base/numbers.h"
#include "engine/events.h"
#include "engine/propagate.h"
#include "engine/request.h"
#include "scan_argument_internal.h"
#include "types/set.h"

static const struct event_kind EVENT_SADD = {EVENT_CLASS_SET, "sadd"};
static const struct event_kind EVENT_SREM = {EVENT_CLASS_SET, "srem"};
static const struct event_kind EVENT_SPOP = {EVENT_CLASS_SET, "spop"};

/* --- shared --------------------------------------------------------------------------------------- */

static struct set *set_of(const struct key_ref *ref) { return entry_value(ref->entry); }

static struct random *random_of(const struct request *req) { return &req->engine->store->random; }

/* After something was taken: reports it, and removes a set that is empty now. */
static void set_shrunk(struct request *req, struct key_ref *ref, struct bytes key,
                       const struct event_kind *event, int64_t taken)
{
    bool is_empty = set_size(set_of(ref)) == 0;

    key_changed(req, req->db, key, event, taken);
    if (is_empty) {
        store_remove(ref);
        key_removed(req, req->db, key, &EVENT_DEL, 0);
    }
}

static void reply_member(struct request *req, const struct set_member *member)
{
    char text[SET_TEXT_MAX];

    reply_bulk(req, set_member_bytes(member, text));
}

static void visit_reply(void *req, const struct set_member *member) { reply_member(req, member); }

static void reply_members(struct request *req, const struct set *set)
{
    struct set_member member;
    struct set_iter iter;

    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &member))
        reply_member(req, &member);
}

/* --- adding and removing -------------------------------------------------------------------------- */

static void cmd_sadd(struct request *req)
{
    size_t count = (size_t)req->argc - 2;
    struct key_ref ref;
    struct set *set;
    int64_t added = 0;

    if (!key_find_or_reply(req, 1, VALUE_SET, LOOKUP_WRITE, &ref))
        return;
    if (ref.entry)
        set_expect(set_of(&ref), count);
    else
        store_add(&ref, req->argv[1], VALUE_SET, set_new_for(req->argv[2], count));
    set = set_of(&ref);
    for (int i = 2; i < req->argc; i++)
        added += set_add(set, request_member(req, i));
    if (added)
        key_changed(req, req->db, req->argv[1], &EVENT_SADD, added);
    reply_int(req, added);
}

static void cmd_srem(struct request *req)
{
    struct key_ref ref;
    int64_t removed = 0;

    if (!key_find_or_reply(req, 1, VALUE_SET, LOOKUP_WRITE, &ref))
        return;
    for (int i = 2; ref.entry && i < req->argc && set_size(set_of(&ref)); i++)
        removed += set_remove(set_of(&ref), request_member(req, i));
    if (removed)
        set_shrunk(req, &ref, req->argv[1], &EVENT_SREM, removed);
    reply_int(req, removed);
}

/* The member leaves the source, which may go with it; the destination comes when it is absent. */
static void move(struct request *req, struct key_ref *from)
{
    struct bytes member = req->argv[3];
    struct key_ref to;

    set_shrunk(req, from, req->argv[1], &EVENT_SREM, 1);
    to = key_find(req, 2, LOOKUP_WRITE);
    if (!to.entry)
        store_add(&to, req->argv[2], VALUE_SET, set_new_for(member, 1));
    if (set_add(set_of(&to), hashed(member)))
        key_changed(req, req->db, req->argv[2], &EVENT_SADD, 1);
    reply_int(req, 1);
}

static void cmd_smove(struct request *req)
{
    struct key_ref from = key_find(req, 1, LOOKUP_WRITE), to = key_find(req, 2, LOOKUP_WRITE);

    from = key_find(req, 1, LOOKUP_WRITE); /* looking for the destination may have expired it */
    if (!from.entry) {
        reply_int(req, 0);
        return;
    }
    if (from.entry->type != VALUE_SET || (to.entry && to.entry->type != VALUE_SET)) {
        reply_error(req, ERR_WRONG_TYPE);
        return;
    }
    if (from.entry == to.entry)
        reply_int(req, set_has(set_of(&from), request_member(req, 3)));
    else if (set_remove(set_of(&from), request_member(req, 3)))
        move(req, &from);
    else
        reply_int(req, 0);
}

/* --- looking --------------------------------------------------------------------------------------- */

static void cmd_scard(struct request *req)
{
    struct key_ref ref;

    if (key_find_or_reply(req, 1, VALUE_SET, LOOKUP_READ, &ref))
        reply_int(req, ref.entry ? (int64_t)set_size(set_of(&ref)) : 0);
}

static void cmd_sismember(struct request *req)
{
    struct key_ref ref;

    if (key_find_or_reply(req, 1, VALUE_SET, LOOKUP_READ, &ref))
        reply_int(req, ref.entry && set_has(set_of(&ref), request_member(req, 2)));
}

static void cmd_smismember(struct request *req)
{
    struct key_ref ref;

    if (!key_find_or_reply(req, 1, VALUE_SET, LOOKUP_READ, &ref))
        return;
    reply_array(req, (size_t)req->argc - 2);
    for (int i = 2; i < req->argc; i++)
        reply_int(req, ref.entry && set_has(set_of(&ref), request_member(req, i)));
}

static void cmd_smembers(struct request *req)
{
    struct key_ref ref;

    if (!key_find_or_reply(req, 1, VALUE_SET, LOOKUP_READ, &ref))
        return;
    reply_set(req, ref.entry ? set_size(set_of(&ref)) : 0);
    if (ref.entry)
        reply_members(req, set_of(&ref));
}

/* --- SSCAN ----------------------------------------------------------------------------------------- */

struct found_members {
    const struct bytes *pattern; /* NULL: all */
    struct set_members members;
    size_t seen;
};

static void collect(void *context, const struct set_member *member)
{
    struct found_members *found = context;
    char text[SET_TEXT_MAX];

    found->seen++;
    if (!found->pattern || bytes_match(*found->pattern, set_member_bytes(member, text), false))
        set_members_add(&found->members, member);
}

static void cmd_sscan(struct request *req)
{
    struct found_members found = {0};
    struct scan_argument scan;
    struct key_ref ref;
    uint64_t cursor;

    if (!scan_find_or_reply(req, VALUE_SET, 0, &scan, &ref))
        return;
    found.pattern = scan.pattern;
    do {
        cursor = set_scan(set_of(&ref), scan.cursor, collect, &found);
    } while (scan_goes_on(&scan, cursor, found.seen));
    scan_reply_cursor(req, &scan);
    reply_array(req, found.members.count);
    for (size_t i = 0; i < found.members.count; i++)
        reply_member(req, &found.members.members[i]);
    set_members_release(&found.members);
}

/* --- random members -------------------------------------------------------------------------------- */

#define TRAVEL_MAX 1024 /* members of one SREM */

/* What SPOP took travels as removals of these members. */
struct popping {
    struct request *req;
    size_t left;      /* members still to come */
    size_t announced; /* of these, in the SREM that was begun */
};

static void pop(void *context, const struct set_member *member)
{
    struct popping *popping = context;
    struct request *req = popping->req;
    char text[SET_TEXT_MAX];
    struct bytes bytes = set_member_bytes(member, text);

    if (!popping->announced) {
        popping->announced = popping->left < TRAVEL_MAX ? popping->left : TRAVEL_MAX;
        propagate_begin(req, (int)popping->announced + 2);
        propagate_argument(req, BYTES("SREM"));
        propagate_argument(req, req->argv[1]);
    }
    propagate_argument(req, bytes);
    popping->announced--;
    popping->left--;
    reply_bulk(req, bytes);
}

static void pop_some(struct request *req, struct key_ref *ref, size_t count)
{
    struct popping popping = {.req = req, .left = count};

    set_take(set_of(ref), count, random_of(req), pop, &popping);
    set_shrunk(req, ref, req->argv[1], &EVENT_SPOP, (int64_t)count);
}

/* The key goes, and that is what travels. */
static void pop_all(struct request *req, struct key_ref *ref)
{
    struct bytes key = req->argv[1];

    reply_members(req, set_of(ref));
    key_changed(req, req->db, key, &EVENT_SPOP, (int64_t)set_size(set_of(ref)));
    store_remove(ref);
    key_removed(req, req->db, key, &EVENT_DEL, 0);
    propagate_instead(req, 2, (struct bytes[]){BYTES("DEL"), key});
}

static void pop_count(struct request *req)
{
    struct key_ref ref;
    int64_t count;
    size_t size;

    if (!parse_int_range_or_reply(req, 2, 0, INT64_MAX, &count, ERR_NOT_POSITIVE) ||
        !key_find_or_reply(req, 1, VALUE_SET, LOOKUP_WRITE, &ref))
        return;
    size = ref.entry ? set_size(set_of(&ref)) : 0;
    if ((uint64_t)count >= size) {
        reply_set(req, count ? size : 0);
        if (count && ref.entry)
            pop_all(req, &ref);
        return;
    }
    reply_set(req, (size_t)count);
    if (count)
        pop_some(req, &ref, (size_t)count);
}

static void cmd_spop(struct request *req)
{
    struct key_ref ref;

    if (req->argc > 3)
        reply_syntax_error(req);
    else if (req->argc == 3)
        pop_count(req);
    else if (!key_find_or_reply(req, 1, VALUE_SET, LOOKUP_WRITE, &ref))
        return;
    else if (ref.entry)
        pop_some(req, &ref, 1);
    else
        reply_null(req);
}

/* Members may come more than once. */
static void reply_any(struct request *req, const struct set *set, uint64_t count)
{
    uint64_t start = reply_position(req);

    reply_array(req, count);
    for (; count > 0 && reply_goes_on(req, start); count--) {
        struct set_member member = set_random(set, random_of(req));
        reply_member(req, &member);
    }
}

static void reply_different(struct request *req, const struct set *set, size_t count)
{
    if (count > set_size(set))
        count = set_size(set);
    reply_array(req, count);
    if (count == 1) {
        struct set_member member = set_random(set, random_of(req));
        reply_member(req, &member);
    } else {
        set_sample(set, count, random_of(req), visit_reply, req);
    }
}

static void cmd_srandmember(struct request *req)
{
    struct key_ref ref;
    int64_t count = 0;

    if (req->argc > 3) {
        reply_syntax_error(req);
        return;
    }
    if (req->argc == 3 && !parse_int_or_reply(req, 2, &count))
        return;
    if (count == INT64_MIN) {
        reply_error(req, ERR_OUT_OF_LONG_RANGE);
        return;
    }
    if (!key_find_or_reply(req, 1, VALUE_SET, LOOKUP_READ, &ref))
        return;
    if (req->argc == 3) {
        if (!ref.entry || !count)
            reply_array(req, 0);
        else if (count > 0)
            reply_different(req, set_of(&ref), (size_t)count);
        else
            reply_any(req, set_of(&ref), (uint64_t)-count);
    } else if (ref.entry) {
        struct set_member member = set_random(set_of(&ref), random_of(req));
        reply_member(req, &member);
    } else {
        reply_null(req);
    }
}

/* --- the table -------------------------------------------------------------------------------------- */

static const struct key_rule moves[] = {
    {KEY_RW | KEY_ACCESS | KEY_DELETE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_RW | KEY_INSERT, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}},
    {0},
};

static const struct command set_commands[] = {
    {"sadd", cmd_sadd, -3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0",
     "O(1) a member", "key member [member ...]", "Adds members to a set, creating it when absent.",
     FIRST_KEY(KEY_RW | KEY_INSERT), .member = 2,
     .history = "2.4.0 Several members."},
    {"scard", cmd_scard, 2, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)", "key",
     "Returns the number of members of a set.", FIRST_KEY(KEY_RO)},
    {"sismember", cmd_sismember, 3, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)",
     "key member", "Tells whether a member is in a set.", FIRST_KEY(KEY_RO), .member = 2},
    {"smembers", cmd_smembers, 2, CMD_READONLY, {1, 1, 1}, NULL, "1.0.0", "O(N) members", "key",
     "Returns all members of a set.", .tips = "nondeterministic_output_order"},
    {"smismember", cmd_smismember, -3, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "6.2.0",
     "O(1) a member", "key member [member ...]", "Tells of each member whether it is in a set.", .member = 2},
    {"smove", cmd_smove, 4, CMD_WRITE | CMD_FAST, {1, 2, 1}, NULL, "1.0.0", "O(1)",
     "source destination member", "Moves a member from one set to another.", moves},
    {"spop", cmd_spop, -2, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1) a member",
     "key [count]", "Takes random members from a set.",
     FIRST_KEY(KEY_RW | KEY_ACCESS | KEY_DELETE), .tips = "nondeterministic_output",
     .history = "3.2.0 A count.",
     .argument_since = "count 3.2.0"},
    {"srandmember", cmd_srandmember, -2, CMD_READONLY, {1, 1, 1}, NULL, "1.0.0", "O(1) a member",
     "key [count]",
     "Returns random members of a set: different ones, or any when the count is negative.",
     .tips = "nondeterministic_output",
     .history = "2.6.0 A count.",
     .argument_since = "count 2.6.0"},
    {"srem", cmd_srem, -3, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1) a member",
     "key member [member ...]", "Removes members from a set, and the set when it is empty.",
     FIRST_KEY(KEY_RW | KEY_DELETE), .member = 2,
     .history = "2.4.0 Several members."},
    {"sscan", cmd_sscan, -3, CMD_READONLY, {1, 1, 1}, NULL, "2.8.0", "O(1) a call, O(N) for all",
     "key cursor [MATCH pattern] [COUNT count]", "Walks the members of a set, some at each call.",
     .tips = "nondeterministic_output"},
};
REGISTER_COMMANDS("set", set_commands);
