/* Pending entries change hands: XCLAIM, XAUTOCLAIM. */
#include "stream_argument_internal.h"

#include "base/mem.h"
#include "engine/propagate.h"

/* Ids that are found out before they are answered. */
struct id_list {
    struct stream_id *ids;
    size_t count, size;
};

static void id_list_add(struct id_list *list, struct stream_id id)
{
    if (list->count == list->size) {
        size_t size = list->size ? 2 * list->size : 64;

        list->ids = mem_resize(list->ids, list->size * sizeof *list->ids, size * sizeof *list->ids);
        list->size = size;
    }
    list->ids[list->count++] = id;
}

static void id_list_release(struct id_list *list)
{
    mem_free(list->ids, list->size * sizeof *list->ids);
}

struct claim {
    int64_t min_idle_ms, delivered_ms, deliveries; /* -1: not given */
    bool is_forced, is_justid;
    bool is_new; /* the consumer */
    struct group_names names;
    const struct stream *stream;
    struct stream_group *group;
    struct stream_consumer *consumer;
    struct id_list claimed, lost; /* lost: pending, but not in the stream any more */
};

static bool parse_idle_or_reply(struct request *req, struct claim *claim, const char *error_text)
{
    if (!parse_int_range_or_reply(req, 4, INT64_MIN, INT64_MAX, &claim->min_idle_ms, error_text))
        return false;
    if (claim->min_idle_ms < 0)
        claim->min_idle_ms = 0;
    return true;
}

static void begin(struct request *req, struct claim *claim)
{
    claim->consumer =
        stream_consumer_at(req, &claim->names, claim->group, req->argv[3], &claim->is_new);
    propagate_nothing(req); /* but for what comes now */
}

/* It travels as a claim, which then finds that the entry is not there. */
static void lose(struct request *req, struct claim *claim, struct stream_id id,
                 struct stream_pending *pending)
{
    propagate_claim(req, &claim->names, claim->group, id, pending);
    stream_pending_remove(claim->group, id);
    id_list_add(&claim->lost, id);
    key_changed_aside(req, req->db, claim->names.key, NULL, 1);
}

static bool is_idle_enough(const struct request *req, const struct claim *claim,
                           const struct stream_pending *pending)
{
    return !claim->min_idle_ms ||
           clock_now_ms(req->engine->clock) - pending->delivered_ms >= claim->min_idle_ms;
}

static void take(struct request *req, struct claim *claim, struct stream_id id,
                 struct stream_pending *pending)
{
    stream_pending_move(pending, id, claim->consumer);
    pending->delivered_ms = claim->delivered_ms;
    if (claim->deliveries >= 0)
        pending->deliveries = (uint64_t)claim->deliveries;
    else if (!claim->is_justid)
        pending->deliveries++;
    claim->consumer->active_ms = clock_now_ms(req->engine->clock);
    propagate_claim(req, &claim->names, claim->group, id, pending);
    id_list_add(&claim->claimed, id);
    key_changed_aside(req, req->db, claim->names.key, NULL, 1);
}

static void reply_claimed(struct request *req, const struct claim *claim)
{
    reply_array(req, claim->claimed.count);
    for (size_t i = 0; i < claim->claimed.count; i++)
        if (claim->is_justid)
            reply_stream_id(req, claim->claimed.ids[i]);
        else
            reply_stream_entry_at(req, claim->stream, claim->claimed.ids[i]);
}

/* What was claimed brings its new owner along. */
static void end(struct request *req, struct claim *claim)
{
    if (claim->is_new && !claim->claimed.count)
        propagate_consumer(req, &claim->names, req->argv[3]);
    id_list_release(&claim->claimed);
    id_list_release(&claim->lost);
}

/* --- XCLAIM ---------------------------------------------------------------------------------------- */

/* One option at '*at', which moves to its last argument. */
static bool parse_option_or_reply(struct request *req, int *at, struct claim *claim,
                                  struct stream_id *last_id)
{
    bool has_more = *at + 1 < req->argc;
    struct bytes option = req->argv[*at];

    if (bytes_is(option, "force")) {
        claim->is_forced = true;
        return true;
    }
    if (bytes_is(option, "justid")) {
        claim->is_justid = true;
        return true;
    }
    if (bytes_is(option, "idle") && has_more) {
        if (!parse_int_range_or_reply(req, ++*at, INT64_MIN, INT64_MAX, &claim->delivered_ms,
                                      "ERR Invalid IDLE option argument for XCLAIM"))
            return false;
        claim->delivered_ms = (int64_t)((uint64_t)clock_now_ms(req->engine->clock) -
                                        (uint64_t)claim->delivered_ms);
        return true;
    }
    if (bytes_is(option, "time") && has_more)
        return parse_int_range_or_reply(req, ++*at, INT64_MIN, INT64_MAX, &claim->delivered_ms,
                                        "ERR Invalid TIME option argument for XCLAIM");
    if (bytes_is(option, "retrycount") && has_more)
        return parse_int_range_or_reply(req, ++*at, INT64_MIN, INT64_MAX, &claim->deliveries,
                                        "ERR Invalid RETRYCOUNT option argument for XCLAIM");
    if (bytes_is(option, "lastid") && has_more)
        return stream_id_or_reply(req, ++*at, last_id);
    reply_error_format(req, "ERR Unrecognized XCLAIM option '%.*s'", (int)option.len, option.data);
    return false;
}

/* Returns where the ids end; 0 when an error was answered. */
static int parse_claim_or_reply(struct request *req, struct claim *claim, struct stream_id *last_id)
{
    struct stream_id id;
    int at = 5, ids_end;

    while (at < req->argc && stream_id_parse(req->argv[at], 0, &id))
        at++;
    ids_end = at;
    for (; at < req->argc; at++)
        if (!parse_option_or_reply(req, &at, claim, last_id))
            return 0;
    return ids_end;
}

static void claim_one(struct request *req, struct claim *claim, struct stream_id id)
{
    struct stream_pending *pending = stream_pending_find(claim->group, id);

    if (!stream_has(claim->stream, id)) {
        if (pending)
            lose(req, claim, id, pending);
        return;
    }
    if (pending) {
        if (is_idle_enough(req, claim, pending))
            take(req, claim, id, pending);
    } else if (claim->is_forced) {
        take(req, claim, id, stream_pending_add(claim->group, claim->consumer, id, 0));
    }
}

static void cmd_xclaim(struct request *req)
{
    int64_t now_ms = clock_now_ms(req->engine->clock);
    struct claim claim = {.delivered_ms = -1, .deliveries = -1,
                          .names = {req->argv[1], req->argv[2]}};
    struct stream_id last_id = STREAM_ID_MIN, id;
    struct key_ref ref;
    bool is_ahead;
    int ids_end;

    if (!stream_group_or_reply(req, 1, 2, &ref, &claim.group) ||
        !parse_idle_or_reply(req, &claim, "ERR Invalid min-idle-time argument for XCLAIM"))
        return;
    ids_end = parse_claim_or_reply(req, &claim, &last_id);
    if (!ids_end)
        return;
    claim.stream = entry_value(ref.entry);
    if (claim.delivered_ms < 0 || claim.delivered_ms > now_ms)
        claim.delivered_ms = now_ms;
    is_ahead = stream_id_compare(last_id, claim.group->last_id) > 0;
    if (is_ahead)
        claim.group->last_id = last_id;
    begin(req, &claim);
    for (int at = 5; at < ids_end; at++) {
        stream_id_parse(req->argv[at], 0, &id);
        claim_one(req, &claim, id);
    }
    if (is_ahead && !claim.claimed.count && !claim.lost.count) {
        propagate_group_id(req, &claim.names, claim.group);
        key_changed_aside(req, req->db, claim.names.key, NULL, 1);
    }
    reply_claimed(req, &claim);
    end(req, &claim);
}

/* --- XAUTOCLAIM ------------------------------------------------------------------------------------ */

#define AUTOCLAIM_COUNT_USUAL 100
#define AUTOCLAIM_TRIES       10 /* for each entry that is wanted */

static bool parse_autoclaim_or_reply(struct request *req, struct claim *claim, int64_t *count)
{
    *count = AUTOCLAIM_COUNT_USUAL;
    for (int at = 6; at < req->argc; at++) {
        if (argument_is(req, at, "count") && at + 1 < req->argc) {
            if (!parse_int_range_or_reply(req, ++at, 1, INT64_MAX / 16, count,
                                          "ERR COUNT must be > 0"))
                return false;
        } else if (argument_is(req, at, "justid")) {
            claim->is_justid = true;
        } else {
            reply_syntax_error(req);
            return false;
        }
    }
    return true;
}

/* Goes on from 'from'; returns where the next call should, 0-0 at the end. */
static struct stream_id claim_from(struct request *req, struct claim *claim, struct stream_id from,
                                   int64_t count)
{
    struct id_cursor at = stream_pending_live(id_index_ceiling(&claim->group->pending, from));

    for (int64_t tries = count * AUTOCLAIM_TRIES; tries && count && at.node; tries--) {
        struct stream_pending *pending = id_cursor_value(&at);
        struct stream_id id = id_cursor_id(&at);

        if (!stream_has(claim->stream, id)) {
            lose(req, claim, id, pending);
            at = stream_pending_live(id_index_ceiling(&claim->group->pending, id));
            count--;
            continue;
        }
        if (is_idle_enough(req, claim, pending)) {
            take(req, claim, id, pending);
            count--;
        }
        at = stream_pending_next(at);
    }
    return at.node ? id_cursor_id(&at) : STREAM_ID_MIN;
}

static void cmd_xautoclaim(struct request *req)
{
    struct claim claim = {.delivered_ms = clock_now_ms(req->engine->clock), .deliveries = -1,
                          .names = {req->argv[1], req->argv[2]}};
    struct stream_id from;
    struct key_ref ref = key_find(req, 1, LOOKUP_READ); /* a miss is told before what is wrong */
    int64_t count;

    if (!parse_idle_or_reply(req, &claim, "ERR Invalid min-idle-time argument for XAUTOCLAIM") ||
        !stream_start_or_reply(req, 5, &from) || !parse_autoclaim_or_reply(req, &claim, &count) ||
        !stream_group_of_or_reply(req, 1, 2, &ref, &claim.group))
        return;
    claim.stream = entry_value(ref.entry);
    begin(req, &claim);
    from = claim_from(req, &claim, from, count);
    reply_array(req, 3);
    reply_stream_id(req, from);
    reply_claimed(req, &claim);
    reply_array(req, claim.lost.count);
    for (size_t i = 0; i < claim.lost.count; i++)
        reply_stream_id(req, claim.lost.ids[i]);
    end(req, &claim);
}

/* --- the table ------------------------------------------------------------------------------------- */

static const struct key_rule updates[] = {
    {KEY_RW | KEY_UPDATE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule deletes[] = {
    {KEY_RW | KEY_DELETE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};

static const struct command stream_claim_commands[] = {
    {"xclaim", cmd_xclaim, -6, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "5.0.0", "O(log N) an id",
     "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] "
     "[RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]",
     "Makes a consumer the owner of pending entries.", updates,
     .tips = "nondeterministic_output"},
    {"xautoclaim", cmd_xautoclaim, -6, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "6.2.0",
     "O(1) for a small COUNT", "key group consumer min-idle-time start [COUNT count] [JUSTID]",
     "Makes a consumer the owner of entries that have been pending for a while.", deletes,
     .tips = "nondeterministic_output",
     .history = "7.0.0 The reply names entries that were pending and are gone."},
};
REGISTER_COMMANDS("stream", stream_claim_commands);
