/* XINFO. */
#include "stream_argument_internal.h"

#include "commands/help.h"

#define FULL_COUNT_USUAL 10

static bool find_or_reply(struct request *req, struct stream **stream)
{
    struct key_ref ref;

    if (!key_find_or_reply(req, 2, VALUE_STREAM, LOOKUP_READ, &ref))
        return false;
    if (!ref.entry) {
        reply_error(req, ERR_NO_SUCH_KEY);
        return false;
    }
    *stream = entry_value(ref.entry);
    return true;
}

static void reply_named_int(struct request *req, const char *name, int64_t value)
{
    reply_bulk_string(req, name);
    reply_int(req, value);
}

static void reply_named_id(struct request *req, const char *name, struct stream_id id)
{
    reply_bulk_string(req, name);
    reply_stream_id(req, id);
}

static int64_t not_negative(int64_t ms) { return ms < 0 ? 0 : ms; }

/* --- a group's fields ------------------------------------------------------------------------------ */

static void reply_entries_read(struct request *req, const struct stream_group *group)
{
    reply_bulk_string(req, "entries-read");
    if (group->entries_read == ENTRIES_READ_UNKNOWN)
        reply_null(req);
    else
        reply_int(req, group->entries_read);
}

/* How many entries the group has still to read; a null when that cannot be told. */
static void reply_lag(struct request *req, const struct stream *stream,
                      const struct stream_group *group)
{
    struct stream_id first = stream_first_id(stream);
    int64_t read = group->entries_read;

    reply_bulk_string(req, "lag");
    if (!stream_length(stream)) {
        reply_int(req, 0);
        return;
    }
    if (stream_id_compare(group->last_id, first) < 0 &&
        stream_id_compare(stream_max_deleted_id(stream), first) < 0) {
        reply_int(req, (int64_t)stream_length(stream)); /* all that is there */
        return;
    }
    if (read == ENTRIES_READ_UNKNOWN || stream_has_gaps_behind(stream, group->last_id))
        read = stream_entries_up_to(stream, group->last_id);
    if (read == ENTRIES_READ_UNKNOWN)
        reply_null(req);
    else
        reply_int(req, (int64_t)(stream_entries_added(stream) - (uint64_t)read));
}

/* --- XINFO STREAM ---------------------------------------------------------------------------------- */

static void reply_common(struct request *req, const struct stream *stream)
{
    reply_named_int(req, "length", (int64_t)stream_length(stream));
    reply_named_int(req, "radix-tree-keys", (int64_t)stream_blocks(stream));
    reply_named_int(req, "radix-tree-nodes", (int64_t)stream_index_nodes(stream) + 1);
    reply_named_id(req, "last-generated-id", stream_last_id(stream));
    reply_named_id(req, "max-deleted-entry-id", stream_max_deleted_id(stream));
    reply_named_int(req, "entries-added", (int64_t)stream_entries_added(stream));
    reply_named_id(req, "recorded-first-entry-id", stream_first_id(stream));
}

static void reply_edge(struct request *req, const struct stream *stream, bool is_last)
{
    struct stream_iter iter;

    stream_iter_init(&iter, stream, STREAM_ID_MIN, STREAM_ID_MAX, is_last);
    if (stream_iter_next(&iter))
        reply_stream_entry(req, &iter);
    else
        reply_null(req);
}

static void reply_stream(struct request *req, const struct stream *stream)
{
    reply_map(req, 10);
    reply_common(req, stream);
    reply_named_int(req, "groups", (int64_t)stream_group_count(stream));
    reply_bulk_string(req, "first-entry");
    reply_edge(req, stream, false);
    reply_bulk_string(req, "last-entry");
    reply_edge(req, stream, true);
}

/* Pending entries, with the consumer's name where it is not plain whose they are. */
static void reply_pending(struct request *req, const struct id_index *index, size_t count,
                          size_t most, bool with_consumer)
{
    struct id_cursor at = stream_pending_live(id_index_first(index));

    if (count > most)
        count = most;
    reply_bulk_string(req, "pending");
    reply_array(req, count);
    for (size_t i = 0; i < count; i++, at = stream_pending_next(at)) {
        const struct stream_pending *pending = id_cursor_value(&at);

        reply_array(req, with_consumer ? 4 : 3);
        reply_stream_id(req, id_cursor_id(&at));
        if (with_consumer)
            reply_bulk(req, pending->consumer->name);
        reply_int(req, pending->delivered_ms);
        reply_int(req, (int64_t)pending->deliveries);
    }
}

static void reply_consumer_full(struct request *req, const struct stream_consumer *consumer,
                                size_t most)
{
    reply_map(req, 5);
    reply_bulk_string(req, "name");
    reply_bulk(req, consumer->name);
    reply_named_int(req, "seen-time", consumer->seen_ms);
    reply_named_int(req, "active-time", consumer->active_ms);
    reply_named_int(req, "pel-count", (int64_t)consumer->pending.count);
    reply_pending(req, &consumer->pending, consumer->pending.count, most, false);
}

static void reply_group_full(struct request *req, const struct stream *stream,
                             const struct stream_group *group, size_t most)
{
    reply_map(req, 7);
    reply_bulk_string(req, "name");
    reply_bulk(req, group->name);
    reply_named_id(req, "last-delivered-id", group->last_id);
    reply_entries_read(req, group);
    reply_lag(req, stream, group);
    reply_named_int(req, "pel-count", (int64_t)stream_pending_count(group));
    reply_pending(req, &group->pending, stream_pending_count(group), most, true);
    reply_bulk_string(req, "consumers");
    reply_array(req, group->consumer_count);
    for (size_t i = 0; i < group->consumer_count; i++)
        reply_consumer_full(req, group->consumers[i], most);
}

static void reply_full(struct request *req, const struct stream *stream, size_t most)
{
    uint64_t count = stream_length(stream) < most ? stream_length(stream) : most;
    struct stream_iter iter;

    reply_map(req, 9);
    reply_common(req, stream);
    reply_bulk_string(req, "entries");
    reply_array(req, count);
    stream_iter_init(&iter, stream, STREAM_ID_MIN, STREAM_ID_MAX, false);
    while (count-- && stream_iter_next(&iter))
        reply_stream_entry(req, &iter);
    reply_bulk_string(req, "groups");
    reply_array(req, stream_group_count(stream));
    for (size_t i = 0; i < stream_group_count(stream); i++)
        reply_group_full(req, stream, stream_group_at(stream, i), most);
}

static void xinfo_stream(struct request *req)
{
    int64_t count = FULL_COUNT_USUAL;
    struct stream *stream;

    if (!find_or_reply(req, &stream))
        return;
    if (req->argc == 3) {
        reply_stream(req, stream);
        return;
    }
    if (!argument_is(req, 3, "full") || (req->argc != 4 && req->argc != 6) ||
        (req->argc == 6 && !argument_is(req, 4, "count"))) {
        reply_subcommand_error(req);
        return;
    }
    if (req->argc == 6 && !parse_int_or_reply(req, 5, &count))
        return;
    if (count < 0)
        count = FULL_COUNT_USUAL;
    reply_full(req, stream, count ? (size_t)count : SIZE_MAX);
}

/* --- XINFO GROUPS and CONSUMERS -------------------------------------------------------------------- */

static void xinfo_groups(struct request *req)
{
    struct stream *stream;

    if (!find_or_reply(req, &stream))
        return;
    reply_array(req, stream_group_count(stream));
    for (size_t i = 0; i < stream_group_count(stream); i++) {
        const struct stream_group *group = stream_group_at(stream, i);

        reply_map(req, 6);
        reply_bulk_string(req, "name");
        reply_bulk(req, group->name);
        reply_named_int(req, "consumers", group->consumer_count);
        reply_named_int(req, "pending", (int64_t)stream_pending_count(group));
        reply_named_id(req, "last-delivered-id", group->last_id);
        reply_entries_read(req, group);
        reply_lag(req, stream, group);
    }
}

static void reply_consumers(struct request *req, const struct stream_group *group)
{
    int64_t now_ms = clock_now_ms(req->engine->clock);

    reply_array(req, group->consumer_count);
    for (size_t i = 0; i < group->consumer_count; i++) {
        const struct stream_consumer *consumer = group->consumers[i];
        bool was_active = consumer->active_ms != NEVER_ACTIVE;

        reply_map(req, 4);
        reply_bulk_string(req, "name");
        reply_bulk(req, consumer->name);
        reply_named_int(req, "pending", (int64_t)consumer->pending.count);
        reply_named_int(req, "idle", not_negative(now_ms - consumer->seen_ms));
        reply_named_int(req, "inactive",
                        was_active ? not_negative(now_ms - consumer->active_ms) : -1);
    }
}

static void xinfo_consumers(struct request *req)
{
    struct bytes key = req->argv[2], name = req->argv[3];
    const struct stream_group *group;
    struct stream *stream;

    if (!find_or_reply(req, &stream))
        return;
    group = stream_group_find(stream, name);
    if (group)
        reply_consumers(req, group);
    else
        reply_error_format(req, "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
                           (int)name.len, name.data, (int)key.len, key.data);
}

/* --- the table ------------------------------------------------------------------------------------- */

static const struct key_rule accesses[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}}, {0}};

static const struct command xinfo_subcommands[] = {
    {"consumers", xinfo_consumers, 4, CMD_READONLY, {2, 2, 1}, NULL, "5.0.0", "O(N) consumers",
     "key group", "Returns the consumers of a group.", accesses,
     .tips = "nondeterministic_output",
     .history = "7.2.0 The field inactive; idle has another meaning."},
    {"groups", xinfo_groups, 3, CMD_READONLY, {2, 2, 1}, NULL, "5.0.0", "O(N) groups", "key",
     "Returns the groups of a stream.", accesses,
     .history = "7.0.0 The fields entries-read and lag."},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "5.0.0", "O(1)", "",
     "Prints this help."},
    {"stream", xinfo_stream, -3, CMD_READONLY, {2, 2, 1}, NULL, "5.0.0",
     "O(1), with FULL O(N) entries", "key [FULL [COUNT count]]",
     "Returns what is known of a stream, with FULL its entries and groups too.", accesses,
     .history = "6.0.0 FULL.\n"
                "7.0.0 The fields max-deleted-entry-id, entries-added, recorded-first-entry-id, entries-read and lag.\n"
                "7.2.0 The field active-time; seen-time has another meaning."},
    {0},
};

static const struct command stream_info_commands[] = {
    {"xinfo", NULL, -2, 0, {0, 0, 0}, xinfo_subcommands, "5.0.0", "Depends on subcommand.", "",
     "Commands that look into streams and their groups."},
};
REGISTER_COMMANDS("stream", stream_info_commands);
