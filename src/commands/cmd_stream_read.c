/* Reading streams: ranges, and what comes after an id, for which clients may wait. */
#include "stream_argument_internal.h"

#include "base/mem.h"
#include "engine/blocking.h"
#include "engine/propagate.h"

#define COUNT_ALL UINT64_MAX

/* --- XRANGE and XREVRANGE -------------------------------------------------------------------------- */

static bool parse_range_count_or_reply(struct request *req, uint64_t *most)
{
    int64_t count;

    *most = COUNT_ALL;
    for (int at = 4; at < req->argc; at += 2) {
        if (!argument_is(req, at, "count") || at + 1 == req->argc) {
            reply_syntax_error(req);
            return false;
        }
        if (!stream_count_or_reply(req, at + 1, &count))
            return false;
        *most = (uint64_t)count;
    }
    return true;
}

static void reply_range(struct request *req, const struct stream *stream, struct stream_id from,
                        struct stream_id to, uint64_t most, bool is_backward)
{
    struct stream_iter iter;
    uint64_t count;

    stream_iter_init(&iter, stream, from, to, false);
    count = stream_iter_count(&iter, most);
    if (is_backward)
        stream_iter_init(&iter, stream, from, to, true);
    reply_array(req, count);
    while (count-- && stream_iter_next(&iter))
        reply_stream_entry(req, &iter);
}

static void range(struct request *req, bool is_backward)
{
    struct stream_id from, to;
    struct key_ref ref;
    uint64_t most;

    if (!stream_start_or_reply(req, is_backward ? 3 : 2, &from) ||
        !stream_end_or_reply(req, is_backward ? 2 : 3, &to) ||
        !parse_range_count_or_reply(req, &most) ||
        !key_find_or_reply(req, 1, VALUE_STREAM, LOOKUP_READ, &ref))
        return;
    if (!ref.entry)
        reply_array(req, 0);
    else if (!most)
        reply_null_array(req);
    else
        reply_range(req, entry_value(ref.entry), from, to, most, is_backward);
}

static void cmd_xrange(struct request *req) { range(req, false); }
static void cmd_xrevrange(struct request *req) { range(req, true); }

/* --- the arguments of XREAD and XREADGROUP --------------------------------------------------------- */

#define ERR_XREAD_GROUP                                                                            \
    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
#define ERR_XREAD_NOACK                                                                            \
    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
#define ERR_XREAD_NEW                                                                              \
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "          \
    "<consumer> option."
#define ERR_XREADGROUP_LAST(id)                                                                    \
    "ERR The " id " ID is meaningless in the context of XREADGROUP: you want to read the history " \
    "of this consumer by specifying a proper ID, or use the > ID to get new messages. The " id     \
    " ID would just return an empty result set."

/* What is wanted of one stream. */
struct wanted {
    struct stream_id after;
    struct stream_group *group; /* XREADGROUP */
    bool is_new;                /* ">": what the group has given to nobody yet */
    bool is_served;             /* there is something */
    uint64_t left; /* in the first place that names a group: entries for those behind, or UNCOUNTED */
};

#define UNCOUNTED UINT64_MAX

struct reading {
    bool is_group, is_noack, has_block;
    int group_at; /* its name, and the consumer's behind; 0: not there */
    int keys_at, count;
    uint64_t most;
    int64_t deadline_ms;
    struct wanted *wanted; /* 'count' of them */
};

static bool parse_block_or_reply(struct request *req, int at, struct reading *reading)
{
    int64_t now_ms = clock_now_ms(req->engine->clock), wait_ms;

    if (!parse_int_range_or_reply(req, at, INT64_MIN, INT64_MAX, &wait_ms, ERR_TIMEOUT_INTEGER))
        return false;
    if (wait_ms < 0 || wait_ms > INT64_MAX - now_ms) {
        reply_error(req, wait_ms < 0 ? ERR_TIMEOUT_NEGATIVE : ERR_TIMEOUT_RANGE);
        return false;
    }
    reading->has_block = true;
    reading->deadline_ms = wait_ms ? now_ms + wait_ms : 0;
    return true;
}

static bool parse_most_or_reply(struct request *req, int at, struct reading *reading)
{
    int64_t count;

    if (!stream_count_or_reply(req, at, &count))
        return false;
    reading->most = count ? (uint64_t)count : COUNT_ALL;
    return true;
}

static bool parse_streams_or_reply(struct request *req, int at, struct reading *reading)
{
    int count = req->argc - at;

    if (count % 2) {
        reply_error_format(req,
                           "ERR Unbalanced '%s' list of streams: for each stream key an ID or "
                           "'%c' must be specified.",
                           req->command->row->name, reading->is_group ? '>' : '$');
        return false;
    }
    reading->keys_at = at;
    reading->count = count / 2;
    return true;
}

/* One option at '*at', which moves to its last argument. */
static bool parse_option_or_reply(struct request *req, int *at, struct reading *reading)
{
    int more = req->argc - *at - 1;

    if (argument_is(req, *at, "block") && more)
        return parse_block_or_reply(req, ++*at, reading);
    if (argument_is(req, *at, "count") && more)
        return parse_most_or_reply(req, ++*at, reading);
    if (argument_is(req, *at, "streams") && more)
        return parse_streams_or_reply(req, *at + 1, reading);
    if (argument_is(req, *at, "group") && more >= 2) {
        reading->group_at = *at + 1;
        *at += 2;
        if (!reading->is_group)
            reply_error(req, ERR_XREAD_GROUP);
        return reading->is_group;
    }
    if (argument_is(req, *at, "noack")) {
        reading->is_noack = true;
        if (!reading->is_group)
            reply_error(req, ERR_XREAD_NOACK);
        return reading->is_group;
    }
    reply_syntax_error(req);
    return false;
}

static bool parse_reading_or_reply(struct request *req, struct reading *reading)
{
    reading->most = COUNT_ALL;
    for (int at = 1; at < req->argc && !reading->keys_at; at++)
        if (!parse_option_or_reply(req, &at, reading))
            return false;
    if (!reading->keys_at) {
        reply_syntax_error(req);
        return false;
    }
    if (reading->is_group && !reading->group_at) {
        reply_error(req, "ERR Missing GROUP option for XREADGROUP");
        return false;
    }
    return true;
}

/* One id, for the stream ('NULL' when absent) of that place. */
static bool parse_wanted_or_reply(struct request *req, const struct reading *reading, int index,
                                  const struct stream *stream)
{
    int at = reading->keys_at + reading->count + index;
    struct wanted *wanted = &reading->wanted[index];

    if (bytes_equal(req->argv[at], BYTES("$"))) {
        if (reading->is_group)
            reply_error(req, ERR_XREADGROUP_LAST("$"));
        else if (stream)
            wanted->after = stream_last_id(stream);
        return !reading->is_group;
    }
    if (bytes_equal(req->argv[at], BYTES("+"))) {
        if (reading->is_group)
            reply_error(req, ERR_XREADGROUP_LAST("+"));
        else if (stream && stream_length(stream)) {
            wanted->after = stream_top_id(stream);
            stream_id_previous(&wanted->after);
        }
        return !reading->is_group;
    }
    if (bytes_equal(req->argv[at], BYTES(">"))) {
        wanted->is_new = true;
        if (!reading->is_group)
            reply_error(req, ERR_XREAD_NEW);
        return reading->is_group;
    }
    if (!stream_id_or_reply(req, at, &wanted->after))
        return false;
    wanted->is_new = reading->is_group && stream_id_equal(wanted->after, STREAM_ID_MAX);
    return true;
}

static bool reply_no_group(struct request *req, struct bytes key, struct bytes group)
{
    reply_error_format(req,
                       "NOGROUP No such key '%.*s' or consumer group '%.*s' in XREADGROUP with "
                       "GROUP option",
                       (int)key.len, key.data, (int)group.len, group.data);
    return false;
}

static bool resolve_or_reply(struct request *req, struct reading *reading)
{
    for (int i = 0; i < reading->count; i++) {
        const struct stream *stream;
        struct key_ref ref;

        if (!key_find_or_reply(req, reading->keys_at + i, VALUE_STREAM, LOOKUP_READ, &ref))
            return false;
        stream = ref.entry ? entry_value(ref.entry) : NULL;
        if (reading->is_group) {
            struct bytes name = req->argv[reading->group_at];

            reading->wanted[i].group = stream ? stream_group_find(stream, name) : NULL;
            if (!reading->wanted[i].group)
                return reply_no_group(req, req->argv[reading->keys_at + i], name);
        }
        if (!parse_wanted_or_reply(req, reading, i, stream))
            return false;
    }
    return true;
}

/* --- what a consumer gets -------------------------------------------------------------------------- */

/* Its own pending entries again. An entry that is not there any more has a null for its content. */
static void reply_history(struct request *req, const struct stream *stream,
                          struct stream_consumer *consumer, struct stream_id from, uint64_t most)
{
    struct id_cursor first = id_index_ceiling(&consumer->pending, from), at = first;
    int64_t now_ms = clock_now_ms(req->engine->clock);
    struct stream_iter iter;
    uint64_t count = 0;

    for (; at.node && count < most; id_cursor_next(&at))
        count++;
    reply_array(req, count);
    for (at = first; count--; id_cursor_next(&at)) {
        struct stream_pending *pending = id_cursor_value(&at);

        stream_iter_init(&iter, stream, id_cursor_id(&at), id_cursor_id(&at), false);
        if (stream_iter_next(&iter)) {
            reply_stream_entry(req, &iter);
            pending->delivered_ms = now_ms;
            pending->deliveries++;
        } else {
            reply_array(req, 2);
            reply_stream_id(req, id_cursor_id(&at));
            reply_null_array(req);
        }
    }
}

/* The group has read one more entry of those from 'first' on. */
static void advance(const struct stream *stream, struct stream_group *group, struct stream_id first,
                    struct stream_id id)
{
    if (group->entries_read != ENTRIES_READ_UNKNOWN &&
        stream_id_compare(group->last_id, first) >= 0 &&
        !stream_has_gaps_behind(stream, group->last_id))
        group->entries_read += group->entries_read < INT64_MAX;
    else if (stream_entries_added(stream))
        group->entries_read = stream_entries_up_to(stream, id);
    group->last_id = id;
}

static struct stream_pending *make_pending(struct stream_group *group,
                                           struct stream_consumer *consumer, struct stream_id id,
                                           int64_t now_ms)
{
    struct stream_pending *pending = stream_pending_find(group, id);

    if (!pending) /* else the group was set back */
        return stream_pending_add(group, consumer, id, now_ms);
    stream_pending_move(pending, id, consumer);
    pending->delivered_ms = now_ms;
    pending->deliveries = 1;
    return pending;
}

static void reply_new(struct request *req, const struct reading *reading,
                      const struct group_names *names, const struct stream *stream,
                      struct stream_group *group, struct stream_consumer *consumer)
{
    int64_t now_ms = clock_now_ms(req->engine->clock);
    struct stream_id from = group->last_id, first = stream_first_id(stream);
    struct stream_iter iter;
    uint64_t count;

    stream_id_next(&from);
    stream_iter_init(&iter, stream, from, STREAM_ID_MAX, false);
    count = stream_iter_count(&iter, reading->most);
    reply_array(req, count);
    while (count-- && stream_iter_next(&iter)) {
        reply_stream_entry(req, &iter);
        advance(stream, group, first, iter.id);
        key_changed_aside(req, req->db, names->key, NULL, 1);
        if (!reading->is_noack)
            propagate_claim(req, names, group, iter.id,
                            make_pending(group, consumer, iter.id, now_ms));
    }
    if (!reading->is_noack)
        consumer->active_ms = now_ms;
    propagate_group_id(req, names, group);
}

/* --- serving --------------------------------------------------------------------------------------- */

/* The first place that asks for what is new to the group of this one. */
static struct wanted *first_of_group(const struct reading *reading, int index)
{
    struct stream_group *group = reading->wanted[index].group;
    const struct wanted *marked = &reading->wanted[group->mark < index ? group->mark : index];

    if (marked->group != group || !marked->is_new) /* the mark is of another command */
        group->mark = index;
    else
        group->mark = (int)(marked - reading->wanted);
    return &reading->wanted[group->mark];
}

static uint64_t count_left(const struct reading *reading, const struct stream *stream,
                           struct stream_id from)
{
    uint64_t length = stream_length(stream), most = reading->most, count;
    struct stream_iter iter;

    if (most >= length)
        return 0;
    stream_id_next(&from);
    stream_iter_init(&iter, stream, from, STREAM_ID_MAX, false);
    count = stream_iter_count(&iter, most * (uint64_t)reading->count);
    return count < most ? 0 : count - most;
}

/* What is left for a group that is named again: those before have taken some. */
static bool has_more(const struct reading *reading, int index, const struct stream *stream)
{
    struct stream_id from = reading->wanted[index].group->last_id;
    struct wanted *first = first_of_group(reading, index);
    bool is_left;

    if (!stream_length(stream) || stream_id_compare(stream_top_id(stream), from) <= 0)
        return false;
    if (first == &reading->wanted[index]) {
        first->left = UNCOUNTED;
        return true;
    }
    if (first->left == UNCOUNTED)
        first->left = count_left(reading, stream, from);
    is_left = first->left > 0;
    first->left -= first->left < reading->most ? first->left : reading->most;
    return is_left;
}

static bool has_something(const struct reading *reading, int index, const struct stream *stream)
{
    const struct wanted *wanted = &reading->wanted[index];

    if (!reading->is_group)
        return stream_length(stream) && stream_id_compare(stream_top_id(stream), wanted->after) > 0;
    return !wanted->is_new || has_more(reading, index, stream); /* history may be empty */
}

static struct stream *stream_at(const struct request *req, int at, unsigned how)
{
    struct key_ref ref = key_find(req, at, how);

    return ref.entry && ref.entry->type == VALUE_STREAM ? entry_value(ref.entry) : NULL;
}

static void reply_wanted(struct request *req, const struct reading *reading, int index,
                         const struct stream *stream, struct stream_consumer *consumer)
{
    const struct wanted *wanted = &reading->wanted[index];
    struct stream_id from = wanted->after;

    if (req->client->resp == 2)
        reply_array(req, 2);
    reply_bulk(req, req->argv[reading->keys_at + index]);
    stream_id_next(&from);
    if (!reading->is_group) {
        reply_range(req, stream, from, STREAM_ID_MAX, reading->most, false);
    } else if (!wanted->is_new) {
        reply_history(req, stream, consumer, from, reading->most);
    } else {
        struct group_names names = {req->argv[reading->keys_at + index],
                                    req->argv[reading->group_at]};

        reply_new(req, reading, &names, stream, wanted->group, consumer);
    }
}

/* Whoever asks is a consumer from now on, whether or not there is something. */
static struct stream_consumer *consumer_of(struct request *req, const struct reading *reading,
                                           int index, bool has_entries)
{
    struct group_names names = {req->argv[reading->keys_at + index], req->argv[reading->group_at]};
    struct bytes name = req->argv[reading->group_at + 1];
    bool is_new;
    struct stream_consumer *consumer =
        stream_consumer_at(req, &names, reading->wanted[index].group, name, &is_new);

    if (is_new && (reading->is_noack || !has_entries))
        propagate_consumer(req, &names, name);
    return consumer;
}

/* Answers with what there is; false, and no answer, when there is nothing. */
static bool serve(struct request *req, struct reading *reading)
{
    int count = 0;

    for (int i = 0; i < reading->count; i++) {
        const struct stream *stream = stream_at(req, reading->keys_at + i, LOOKUP_READ);

        reading->wanted[i].is_served = stream && has_something(reading, i, stream);
        count += reading->wanted[i].is_served;
    }
    if (count && req->client->resp == 2)
        reply_array(req, (size_t)count);
    else if (count)
        reply_map(req, (size_t)count);
    for (int i = 0; i < reading->count; i++) {
        const struct stream *stream = stream_at(req, reading->keys_at + i, LOOKUP_QUIET);
        struct stream_consumer *consumer = NULL;
        const struct wanted *wanted = &reading->wanted[i];

        if (reading->is_group)
            consumer = consumer_of(req, reading, i, wanted->is_served && wanted->is_new);
        if (wanted->is_served)
            reply_wanted(req, reading, i, stream, consumer);
    }
    return count;
}

/* Waits with the ids that "$" stood for now: the request is run again when something has come. */
static void wait(struct request *req, const struct reading *reading)
{
    size_t keys = (size_t)reading->count, size = keys * STREAM_ID_TEXT_MAX;
    struct bytes *ids = req->argv + reading->keys_at + reading->count;
    struct bytes *sent = mem_alloc(keys * sizeof *sent);
    char *texts = mem_alloc(size);

    memcpy(sent, ids, keys * sizeof *sent);
    for (size_t i = 0; i < keys; i++)
        if (bytes_equal(ids[i], BYTES("$")))
            ids[i] = stream_id_format(texts + i * STREAM_ID_TEXT_MAX, reading->wanted[i].after);
    block_on_keys(req, reading->keys_at, reading->keys_at + reading->count - 1, VALUE_STREAM,
                  reading->deadline_ms, DENIED_NULL_ARRAY);
    if (reading->is_group)
        block_wakes_on_loss(req);
    memcpy(ids, sent, keys * sizeof *sent);
    mem_free(sent, keys * sizeof *sent);
    mem_free(texts, size);
}

static void read_streams(struct request *req, bool is_group)
{
    struct reading reading = {.is_group = is_group};
    size_t size;

    if (!parse_reading_or_reply(req, &reading))
        return;
    size = (size_t)reading.count * sizeof *reading.wanted;
    reading.wanted = mem_alloc_zero(size);
    if (resolve_or_reply(req, &reading) && !serve(req, &reading)) {
        if (reading.has_block)
            wait(req, &reading);
        else
            reply_null_array(req);
    }
    mem_free(reading.wanted, size);
}

static void cmd_xread(struct request *req) { read_streams(req, false); }
static void cmd_xreadgroup(struct request *req) { read_streams(req, true); }

/* --- the table ------------------------------------------------------------------------------------- */

static const struct key_rule accesses[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule behind_streams[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_WORD, 1, "STREAMS", KEY_RANGE, {-1, 1, 2}}, {0}};
static const struct key_rule behind_group_streams[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_WORD, 4, "STREAMS", KEY_RANGE, {-1, 1, 2}}, {0}};

static const struct command stream_read_commands[] = {
    {"xrange", cmd_xrange, -4, CMD_READONLY, {1, 1, 1}, NULL, "5.0.0", "O(N) entries",
     "key start end [COUNT count]", "Returns the entries between two ids.", accesses,
     .history = "6.2.0 Ranges without their ends."},
    {"xrevrange", cmd_xrevrange, -4, CMD_READONLY, {1, 1, 1}, NULL, "5.0.0", "O(N) entries",
     "key end start [COUNT count]", "Returns the entries between two ids, the last first.",
     accesses,
     .history = "6.2.0 Ranges without their ends."},
    {"xread", cmd_xread, -4, CMD_READONLY | CMD_BLOCKING, {0, 0, 0}, NULL, "5.0.0", "O(N) entries",
     "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
     "Returns the entries behind an id of one or more streams, and may wait for one.",
     behind_streams},
    {"xreadgroup", cmd_xreadgroup, -7, CMD_WRITE | CMD_BLOCKING, {0, 0, 0}, NULL, "5.0.0",
     "O(N) entries",
     "GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] "
     "id [id ...]",
     "Gives a consumer of a group entries that nobody has got yet, and may wait for one.",
     behind_group_streams},
};
REGISTER_COMMANDS("stream", stream_read_commands);
