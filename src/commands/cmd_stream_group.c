/* Groups of consumers: XGROUP, XACK, XPENDING. */
#include "stream_argument_internal.h"

#include "commands/help.h"

static const struct event_kind EVENT_CREATE = {EVENT_CLASS_STREAM, "xgroup-create"};
static const struct event_kind EVENT_SETID = {EVENT_CLASS_STREAM, "xgroup-setid"};
static const struct event_kind EVENT_DESTROY = {EVENT_CLASS_STREAM, "xgroup-destroy"};
static const struct event_kind EVENT_DELCONSUMER = {EVENT_CLASS_STREAM, "xgroup-delconsumer"};

/* --- what XGROUP's subcommands have in common ------------------------------------------------------ */

struct group_call {
    bool is_mkstream;
    int64_t entries_read;
    struct key_ref ref;
    struct stream *stream;      /* NULL: absent, with MKSTREAM */
    struct stream_group *group; /* NULL: absent, where it need not be there */
};

/* MKSTREAM (where 'may_make') and ENTRIESREAD, from argument 5 on. */
static bool parse_options_or_reply(struct request *req, bool may_make, struct group_call *call)
{
    for (int at = 5; at < req->argc; at++) {
        if (may_make && argument_is(req, at, "mkstream")) {
            call->is_mkstream = true;
        } else if (argument_is(req, at, "entriesread") && at + 1 < req->argc) {
            if (!parse_int_or_reply(req, ++at, &call->entries_read))
                return false;
            if (call->entries_read < ENTRIES_READ_UNKNOWN) {
                reply_error(req, "ERR value for ENTRIESREAD must be positive or -1");
                return false;
            }
        } else {
            reply_subcommand_error(req);
            return false;
        }
    }
    return true;
}

static bool find_or_reply(struct request *req, bool needs_group, struct group_call *call)
{
    struct bytes key = req->argv[2], name = req->argv[3];

    if (!key_find_or_reply(req, 2, VALUE_STREAM, LOOKUP_WRITE, &call->ref))
        return false;
    call->stream = call->ref.entry ? entry_value(call->ref.entry) : NULL;
    if (!call->stream && !call->is_mkstream) {
        reply_error(req, "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE "
                         "you may want to use the MKSTREAM option to create an empty stream "
                         "automatically.");
        return false;
    }
    call->group = call->stream ? stream_group_find(call->stream, name) : NULL;
    if (call->group || !needs_group)
        return true;
    reply_error_format(req, "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
                       (int)name.len, name.data, (int)key.len, key.data);
    return false;
}

/* --- XGROUP ---------------------------------------------------------------------------------------- */

static void xgroup_create(struct request *req)
{
    struct group_call call = {.entries_read = ENTRIES_READ_UNKNOWN};
    struct stream_id id = STREAM_ID_MIN;

    if (!parse_options_or_reply(req, true, &call) || !find_or_reply(req, false, &call))
        return;
    if (req->argc > 8) {
        reply_subcommand_error(req);
        return;
    }
    if (!bytes_equal(req->argv[4], BYTES("$"))) {
        if (!stream_id_or_reply(req, 4, &id))
            return;
    } else if (call.stream) {
        id = stream_last_id(call.stream);
    }
    if (call.group) {
        reply_error(req, "BUSYGROUP Consumer Group name already exists");
        return;
    }
    if (!call.stream) {
        call.stream = stream_new();
        store_add(&call.ref, req->argv[2], VALUE_STREAM, call.stream);
        key_changed(req, req->db, req->argv[2], NULL, 0);
    }
    stream_group_add(call.stream, req->argv[3], id, call.entries_read);
    reply_ok(req);
    key_changed_aside(req, req->db, req->argv[2], &EVENT_CREATE, 1);
}

static void xgroup_setid(struct request *req)
{
    struct group_call call = {.entries_read = ENTRIES_READ_UNKNOWN};
    struct stream_id id;

    if (!parse_options_or_reply(req, false, &call) || !find_or_reply(req, true, &call))
        return;
    if (req->argc != 5 && req->argc != 7) {
        reply_subcommand_error(req);
        return;
    }
    if (bytes_equal(req->argv[4], BYTES("$")))
        id = stream_last_id(call.stream);
    else if (!stream_edge_id_or_reply(req, 4, 0, &id))
        return;
    call.group->last_id = id;
    call.group->entries_read = call.entries_read;
    reply_ok(req);
    key_changed_aside(req, req->db, req->argv[2], &EVENT_SETID, 1);
}

static void xgroup_destroy(struct request *req)
{
    struct group_call call = {0};
    struct stream *taken;

    if (!find_or_reply(req, false, &call))
        return;
    taken = stream_group_take(call.stream, req->argv[3]);
    reply_int(req, taken != NULL);
    if (!taken)
        return;
    store_free_value(req->engine->store, VALUE_STREAM, taken);
    key_changed_aside(req, req->db, req->argv[2], &EVENT_DESTROY, 1);
    key_lost_part(req, req->db, req->argv[2]);
}

static void xgroup_createconsumer(struct request *req)
{
    struct group_names names = {req->argv[2], req->argv[3]};
    struct group_call call = {0};

    if (!find_or_reply(req, true, &call))
        return;
    if (stream_consumer_find(call.group, req->argv[4])) {
        reply_int(req, 0);
        return;
    }
    stream_consumer_at(req, &names, call.group, req->argv[4], NULL);
    reply_int(req, 1);
}

static void xgroup_delconsumer(struct request *req)
{
    struct stream_consumer *consumer, *leaving;
    struct group_call call = {0};

    if (!find_or_reply(req, true, &call))
        return;
    consumer = stream_consumer_find(call.group, req->argv[4]);
    if (!consumer) {
        reply_int(req, 0);
        return;
    }
    reply_int(req, (int64_t)stream_consumer_remove(call.group, consumer, &leaving));
    if (leaving)
        store_free_later(req->engine->store, stream_consumer_leave_step, leaving);
    key_changed_aside(req, req->db, req->argv[2], &EVENT_DELCONSUMER, 1);
}

/* --- XACK ------------------------------------------------------------------------------------------ */

static void cmd_xack(struct request *req)
{
    struct stream_group *group;
    struct key_ref ref;
    struct stream_id id;
    int64_t count = 0;

    if (!key_find_or_reply(req, 1, VALUE_STREAM, LOOKUP_READ, &ref))
        return;
    group = ref.entry ? stream_group_find(entry_value(ref.entry), req->argv[2]) : NULL;
    if (!group) {
        reply_int(req, 0);
        return;
    }
    for (int i = 3; i < req->argc; i++) /* all or nothing */
        if (!stream_id_or_reply(req, i, &id))
            return;
    for (int i = 3; i < req->argc; i++) {
        stream_id_parse(req->argv[i], 0, &id);
        count += stream_pending_remove(group, id);
    }
    reply_int(req, count);
    if (count)
        key_changed_aside(req, req->db, req->argv[1], NULL, count);
}

/* --- XPENDING -------------------------------------------------------------------------------------- */

struct pending_query {
    struct stream_id from, to;
    uint64_t most;
    int64_t min_idle_ms;
    int consumer_at; /* 0: all consumers */
};

static bool parse_query_or_reply(struct request *req, struct pending_query *query)
{
    int64_t most;
    int at = 3;

    if (argument_is(req, 3, "idle")) {
        if (!parse_int_or_reply(req, 4, &query->min_idle_ms))
            return false;
        if (req->argc < 8) {
            reply_syntax_error(req);
            return false;
        }
        at = 5;
    }
    if (!stream_count_or_reply(req, at + 2, &most) || !stream_start_or_reply(req, at, &query->from) ||
        !stream_end_or_reply(req, at + 1, &query->to))
        return false;
    query->most = (uint64_t)most;
    query->consumer_at = at + 3 < req->argc ? at + 3 : 0;
    return true;
}

static void reply_summary(struct request *req, const struct stream_group *group)
{
    struct id_cursor first = stream_pending_live(id_index_first(&group->pending));
    struct id_cursor last = stream_pending_last(group);
    size_t busy = 0;

    reply_array(req, 4);
    reply_int(req, (int64_t)stream_pending_count(group));
    if (!first.node) {
        reply_null(req);
        reply_null(req);
        reply_null_array(req);
        return;
    }
    reply_stream_id(req, id_cursor_id(&first));
    reply_stream_id(req, id_cursor_id(&last));
    for (size_t i = 0; i < group->consumer_count; i++)
        busy += ((const struct stream_consumer *)group->consumers[i])->pending.count > 0;
    reply_array(req, busy);
    for (size_t i = 0; i < group->consumer_count; i++) {
        const struct stream_consumer *consumer = group->consumers[i];

        if (!consumer->pending.count)
            continue;
        reply_array(req, 2);
        reply_bulk(req, consumer->name);
        reply_bulk_int(req, (int64_t)consumer->pending.count);
    }
}

/* The next one of the query, from the cursor on; false when there is none. */
static bool next_match(const struct pending_query *query, int64_t now_ms, struct id_cursor *at)
{
    for (; at->node && stream_id_compare(id_cursor_id(at), query->to) <= 0; id_cursor_next(at)) {
        const struct stream_pending *pending = id_cursor_value(at);

        if (pending->consumer->leaving)
            continue;
        if (!query->min_idle_ms || now_ms - pending->delivered_ms >= query->min_idle_ms)
            return true;
    }
    return false;
}

static void reply_pending(struct request *req, const struct pending_query *query,
                          const struct id_index *index)
{
    struct id_cursor first = id_index_ceiling(index, query->from), at = first;
    int64_t now_ms = clock_now_ms(req->engine->clock);
    uint64_t count = 0;

    for (; count < query->most && next_match(query, now_ms, &at); id_cursor_next(&at))
        count++;
    reply_array(req, count);
    for (at = first; count-- && next_match(query, now_ms, &at); id_cursor_next(&at)) {
        const struct stream_pending *pending = id_cursor_value(&at);
        int64_t idle_ms = now_ms - pending->delivered_ms;

        reply_array(req, 4);
        reply_stream_id(req, id_cursor_id(&at));
        reply_bulk(req, pending->consumer->name);
        reply_int(req, idle_ms < 0 ? 0 : idle_ms);
        reply_int(req, (int64_t)pending->deliveries);
    }
}

static void cmd_xpending(struct request *req)
{
    struct pending_query query = {0};
    struct stream_consumer *consumer;
    struct stream_group *group;
    struct key_ref ref;

    if (req->argc != 3 && (req->argc < 6 || req->argc > 9)) {
        reply_syntax_error(req);
        return;
    }
    if (req->argc > 3 && !parse_query_or_reply(req, &query))
        return;
    if (!stream_group_or_reply(req, 1, 2, &ref, &group))
        return;
    if (req->argc == 3) {
        reply_summary(req, group);
        return;
    }
    if (!query.consumer_at) {
        reply_pending(req, &query, &group->pending);
        return;
    }
    consumer = stream_consumer_find(group, req->argv[query.consumer_at]);
    if (consumer)
        reply_pending(req, &query, &consumer->pending);
    else
        reply_array(req, 0);
}

/* --- the table ------------------------------------------------------------------------------------- */

static const struct key_rule inserts[] = {
    {KEY_RW | KEY_INSERT, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule updates[] = {
    {KEY_RW | KEY_UPDATE, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule deletes[] = {
    {KEY_RW | KEY_DELETE, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule acks[] = {
    {KEY_RW | KEY_UPDATE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule accesses[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};

static const struct command xgroup_subcommands[] = {
    {"create", xgroup_create, -5, CMD_WRITE | CMD_GROWS, {2, 2, 1}, NULL, "5.0.0", "O(1)",
     "key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]", "Creates a group of consumers.",
     inserts,
     .history = "7.0.0 ENTRIESREAD."},
    {"createconsumer", xgroup_createconsumer, 5, CMD_WRITE | CMD_GROWS, {2, 2, 1}, NULL, "6.2.0",
     "O(1)", "key group consumer", "Creates a consumer in a group.", inserts},
    {"delconsumer", xgroup_delconsumer, 5, CMD_WRITE, {2, 2, 1}, NULL, "5.0.0",
     "O(N) pending entries", "key group consumer",
     "Removes a consumer from a group, with its pending entries.", deletes},
    {"destroy", xgroup_destroy, 4, CMD_WRITE, {2, 2, 1}, NULL, "5.0.0", "O(N) pending entries",
     "key group", "Removes a group of consumers.", deletes},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "5.0.0", "O(1)", "",
     "Prints this help."},
    {"setid", xgroup_setid, -5, CMD_WRITE, {2, 2, 1}, NULL, "5.0.0", "O(1)",
     "key group <id | $> [ENTRIESREAD entries-read]", "Sets the id up to which a group has read.",
     updates,
     .history = "7.0.0 ENTRIESREAD."},
    {0},
};

static const struct command stream_group_commands[] = {
    {"xgroup", NULL, -2, 0, {0, 0, 0}, xgroup_subcommands, "5.0.0", "Depends on subcommand.", "",
     "Commands for groups of consumers."},
    {"xack", cmd_xack, -4, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "5.0.0", "O(log N) an id",
     "key group id [id ...]", "Acknowledges entries, which are pending no more.", acks},
    {"xpending", cmd_xpending, -3, CMD_READONLY, {1, 1, 1}, NULL, "5.0.0",
     "O(N) entries, for the summary O(N) consumers",
     "key group [[IDLE min-idle-time] start end count [consumer]]",
     "Returns the pending entries of a group, or a summary of them.", accesses,
     .tips = "nondeterministic_output",
     .history = "6.2.0 IDLE, and ranges without their ends.",
     .argument_since = "IDLE 6.2.0"},
};
REGISTER_COMMANDS("stream", stream_group_commands);
