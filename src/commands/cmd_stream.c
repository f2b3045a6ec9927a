/* Streams: what adds and removes entries. Reading is in cmd_stream_read.c, groups of consumers in
 * cmd_stream_group.c and cmd_stream_claim.c, XINFO in cmd_stream_info.c. */
#include "stream_argument_internal.h"

#include "base/mem.h"
#include "base/numbers.h"
#include "engine/propagate.h"

static const struct event_kind EVENT_XADD = {EVENT_CLASS_STREAM, "xadd"};
static const struct event_kind EVENT_XDEL = {EVENT_CLASS_STREAM, "xdel"};
static const struct event_kind EVENT_XTRIM = {EVENT_CLASS_STREAM, "xtrim"};
static const struct event_kind EVENT_XSETID = {EVENT_CLASS_STREAM, "xsetid"};

static struct stream_limits limits_of(const struct request *req)
{
    const struct engine_settings *settings = &req->engine->settings;

    return (struct stream_limits){settings->stream_node_max_bytes,
                                  settings->stream_node_max_entries};
}

/* --- the arguments of XADD and XTRIM --------------------------------------------------------------- */

struct change {
    struct stream_trim trim;
    int tilde_at, bound_at; /* arguments: "~", and the bound of the trim; 0: not there */
    int limit_at;           /* "LIMIT"; 0: not there */
    bool is_nomkstream;
    int id_at; /* XADD: the first that is no option */
    bool is_automatic, is_open; /* the id's: "*", "5-*" */
    struct stream_id id;
};

#define LIMIT_UNLIMITED_NODES 10000
#define LIMIT_MAX             1000000

/* So that an approximate trim does not take long. */
static uint64_t usual_limit(const struct request *req)
{
    int64_t entries = req->engine->settings.stream_node_max_entries;

    if (!entries)
        return LIMIT_UNLIMITED_NODES;
    return entries > LIMIT_MAX / 100 ? LIMIT_MAX : 100 * (uint64_t)entries;
}

/* MAXLEN or MINID at 'at', with more behind it. Returns where its bound stands, or 0. */
static int parse_bound_or_reply(struct request *req, int at, struct change *change)
{
    bool is_maxlen = argument_is(req, at, "maxlen");
    int64_t length;

    if (change->trim.by != TRIM_NONE) {
        reply_error(req, "ERR syntax error, MAXLEN and MINID options at the same time are not "
                         "compatible");
        return 0;
    }
    at++;
    if (at + 1 < req->argc && bytes_equal(req->argv[at], BYTES("~"))) {
        change->trim.is_approximate = true;
        change->tilde_at = at++;
    } else if (at + 1 < req->argc && bytes_equal(req->argv[at], BYTES("="))) {
        at++;
    }
    change->bound_at = at;
    change->trim.by = is_maxlen ? TRIM_MAXLEN : TRIM_MINID;
    if (!is_maxlen)
        return stream_id_or_reply(req, at, &change->trim.min_id) ? at : 0;
    if (!parse_int_or_reply(req, at, &length))
        return 0;
    if (length < 0) {
        reply_error(req, "ERR The MAXLEN argument must be >= 0.");
        return 0;
    }
    change->trim.max_length = (uint64_t)length;
    return at;
}

static bool parse_limit_or_reply(struct request *req, int at, struct change *change)
{
    int64_t limit;

    if (!parse_int_or_reply(req, at + 1, &limit))
        return false;
    if (limit < 0) {
        reply_error(req, "ERR The LIMIT argument must be >= 0.");
        return false;
    }
    change->trim.limit = (uint64_t)limit;
    change->limit_at = at;
    return true;
}

static bool parse_id_or_reply(struct request *req, int at, struct change *change)
{
    if (bytes_equal(req->argv[at], BYTES("*"))) {
        change->is_automatic = true;
        return true;
    }
    if (stream_id_parse_open(req->argv[at], &change->id, &change->is_open))
        return true;
    reply_error(req, ERR_STREAM_ID);
    return false;
}

static bool agree_or_reply(struct request *req, struct change *change, bool is_add)
{
    if (change->trim.limit && change->trim.by == TRIM_NONE) {
        reply_error(req, "ERR syntax error, LIMIT cannot be used without specifying a trimming "
                         "strategy");
        return false;
    }
    if (!is_add && change->trim.by == TRIM_NONE) {
        reply_error(req, "ERR syntax error, XTRIM must be called with a trimming strategy");
        return false;
    }
    if (change->limit_at && !change->trim.is_approximate) {
        reply_error(req, "ERR syntax error, LIMIT cannot be used without the special ~ option");
        return false;
    }
    if (!change->limit_at && change->trim.is_approximate)
        change->trim.limit = usual_limit(req);
    return true;
}

static bool parse_change_or_reply(struct request *req, struct change *change, bool is_add)
{
    int at = 2;

    *change = (struct change){0};
    for (; at < req->argc; at++) {
        bool has_more = at + 1 < req->argc;

        if (is_add && bytes_equal(req->argv[at], BYTES("*"))) {
            break;
        } else if ((argument_is(req, at, "maxlen") || argument_is(req, at, "minid")) && has_more) {
            at = parse_bound_or_reply(req, at, change);
            if (!at)
                return false;
        } else if (argument_is(req, at, "limit") && has_more) {
            if (!parse_limit_or_reply(req, at++, change))
                return false;
        } else if (is_add && argument_is(req, at, "nomkstream")) {
            change->is_nomkstream = true;
        } else if (is_add) {
            break;
        } else {
            reply_syntax_error(req);
            return false;
        }
    }
    change->id_at = at;
    if (at < req->argc && !parse_id_or_reply(req, at, change))
        return false;
    return agree_or_reply(req, change, is_add);
}

/* What travels: the trim as it came out and without a limit, the id as it came out. */
static void propagate_certain(struct request *req, const struct change *change,
                              const struct stream *stream, struct bytes id)
{
    size_t size = (size_t)req->argc * sizeof(struct bytes);
    struct bytes *argv = mem_alloc(size);
    char text[STREAM_ID_TEXT_MAX];
    int argc = 0;

    for (int i = 0; i < req->argc; i++) {
        if (change->limit_at && i == change->limit_at) {
            i++;
            continue;
        }
        argv[argc] = req->argv[i];
        if (change->tilde_at && i == change->tilde_at)
            argv[argc] = BYTES("=");
        else if (change->tilde_at && i == change->bound_at && change->trim.by == TRIM_MINID)
            argv[argc] = stream_id_format(text, stream_length(stream) ? stream_first_id(stream)
                                                                      : STREAM_ID_MAX);
        else if (change->tilde_at && i == change->bound_at)
            argv[argc] = (struct bytes){text, uint64_format(text, stream_length(stream))};
        else if (id.len && i == change->id_at)
            argv[argc] = id;
        argc++;
    }
    propagate_instead(req, argc, argv);
    mem_free(argv, size);
}

/* Returns how many entries went; blocks of them are freed in slices. */
static uint64_t trim(struct request *req, struct stream *stream, const struct stream_trim *how)
{
    struct stream *taken;
    uint64_t removed = stream_trim(stream, how, &taken);

    if (taken)
        store_free_value(req->engine->store, VALUE_STREAM, taken);
    return removed;
}

/* --- XADD ------------------------------------------------------------------------------------------ */

/* The id that the entry gets; false when there is none behind the last one. */
static bool next_id(const struct request *req, const struct change *change, struct stream_id last,
                    struct stream_id *id)
{
    *id = change->id;
    if (change->is_automatic) {
        *id = (struct stream_id){(uint64_t)clock_now_ms(req->engine->clock), 0};
        if (id->ms > last.ms)
            return true;
        *id = last;
        return stream_id_next(id);
    }
    if (change->is_open && id->ms == last.ms) {
        if (last.seq == UINT64_MAX)
            return false;
        id->seq = last.seq + 1;
    }
    return stream_id_compare(*id, last) > 0;
}

/* Finds the stream and the id of the new entry; nothing is changed. 'stream' is NULL when there is none
 * yet. */
static bool may_add_or_reply(struct request *req, const struct change *change, struct key_ref *ref,
                             struct stream_id *id)
{
    struct stream_id last = STREAM_ID_MIN;
    int content_at = change->id_at + 1;

    if (req->argc - content_at < 2 || (req->argc - content_at) % 2) {
        reply_wrong_arity(req);
        return false;
    }
    if (!change->is_automatic && !change->is_open && stream_id_is_zero(change->id)) {
        reply_error(req, "ERR The ID specified in XADD must be greater than 0-0");
        return false;
    }
    if (!key_find_or_reply(req, 1, VALUE_STREAM, LOOKUP_WRITE, ref))
        return false;
    if (!ref->entry && change->is_nomkstream) {
        reply_null(req);
        return false;
    }
    if (ref->entry)
        last = stream_last_id(entry_value(ref->entry));
    if (stream_id_equal(last, STREAM_ID_MAX)) {
        reply_error(req, "ERR The stream has exhausted the last possible ID, unable to add more items");
        return false;
    }
    if (!next_id(req, change, last, id)) {
        reply_error(req, "ERR The ID specified in XADD is equal or smaller than the target stream "
                         "top item");
        return false;
    }
    if (stream_can_hold(req->argv + content_at, (size_t)(req->argc - content_at) / 2))
        return true;
    reply_error(req, "ERR Elements are too large to be stored");
    return false;
}

static void cmd_xadd(struct request *req)
{
    char text[STREAM_ID_TEXT_MAX];
    struct change change;
    struct stream *stream;
    struct stream_id id;
    struct key_ref ref;
    struct bytes shown;

    if (!parse_change_or_reply(req, &change, true) || !may_add_or_reply(req, &change, &ref, &id))
        return;
    if (!ref.entry)
        store_add(&ref, req->argv[1], VALUE_STREAM, stream_new());
    stream = entry_value(ref.entry);
    stream_append(stream, id, req->argv + change.id_at + 1,
                  (size_t)(req->argc - change.id_at - 1) / 2, limits_of(req));
    shown = stream_id_format(text, id);
    reply_bulk(req, shown);
    key_changed(req, req->db, req->argv[1], &EVENT_XADD, 1);
    if (change.trim.by != TRIM_NONE && trim(req, stream, &change.trim))
        key_event(req->engine, req->db, req->argv[1], &EVENT_XTRIM);
    if (!change.is_automatic && !change.is_open)
        shown.len = 0; /* it travels as it was sent */
    if (change.tilde_at || shown.len)
        propagate_certain(req, &change, stream, shown);
}

/* --- the others ------------------------------------------------------------------------------------ */

static void cmd_xlen(struct request *req)
{
    struct key_ref ref;

    if (key_find_or_reply(req, 1, VALUE_STREAM, LOOKUP_READ, &ref))
        reply_int(req, ref.entry ? (int64_t)stream_length(entry_value(ref.entry)) : 0);
}

static void cmd_xtrim(struct request *req)
{
    struct change change;
    struct stream *stream;
    struct key_ref ref;
    uint64_t removed;

    if (!parse_change_or_reply(req, &change, false) ||
        !key_find_or_reply(req, 1, VALUE_STREAM, LOOKUP_WRITE, &ref))
        return;
    if (!ref.entry) {
        reply_int(req, 0);
        return;
    }
    stream = entry_value(ref.entry);
    removed = trim(req, stream, &change.trim);
    reply_int(req, (int64_t)removed);
    if (!removed)
        return;
    key_changed(req, req->db, req->argv[1], &EVENT_XTRIM, (int64_t)removed);
    if (change.tilde_at)
        propagate_certain(req, &change, stream, (struct bytes){NULL, 0});
}

static void cmd_xdel(struct request *req)
{
    struct key_ref ref;
    struct stream_id id;
    int64_t deleted = 0;

    if (!key_find_or_reply(req, 1, VALUE_STREAM, LOOKUP_WRITE, &ref))
        return;
    if (!ref.entry) {
        reply_int(req, 0);
        return;
    }
    for (int i = 2; i < req->argc; i++) /* all or nothing */
        if (!stream_id_or_reply(req, i, &id))
            return;
    for (int i = 2; i < req->argc; i++) {
        stream_id_parse(req->argv[i], 0, &id);
        deleted += stream_delete(entry_value(ref.entry), id);
    }
    reply_int(req, deleted);
    if (deleted)
        key_changed(req, req->db, req->argv[1], &EVENT_XDEL, deleted);
}

struct setid {
    struct stream_id id, max_deleted_id;
    int64_t entries_added; /* -1: not given */
};

static bool parse_setid_or_reply(struct request *req, struct setid *setid)
{
    *setid = (struct setid){.entries_added = -1};
    if (!stream_id_or_reply(req, 2, &setid->id))
        return false;
    for (int at = 3; at < req->argc; at += 2) {
        if (argument_is(req, at, "entriesadded") && at + 1 < req->argc) {
            if (!parse_int_or_reply(req, at + 1, &setid->entries_added))
                return false;
            if (setid->entries_added < 0) {
                reply_error(req, "ERR entries_added must be positive");
                return false;
            }
        } else if (argument_is(req, at, "maxdeletedid") && at + 1 < req->argc) {
            if (!stream_id_or_reply(req, at + 1, &setid->max_deleted_id))
                return false;
            if (stream_id_compare(setid->id, setid->max_deleted_id) < 0) {
                reply_error(req, "ERR The ID specified in XSETID is smaller than the provided "
                                 "max_deleted_entry_id");
                return false;
            }
        } else {
            reply_syntax_error(req);
            return false;
        }
    }
    return true;
}

/* What refuses it, or NULL. */
static const char *objection(const struct stream *stream, const struct setid *setid)
{
    if (stream_id_compare(setid->id, stream_max_deleted_id(stream)) < 0)
        return "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id";
    if (!stream_length(stream))
        return NULL;
    if (stream_id_compare(setid->id, stream_top_id(stream)) < 0)
        return "ERR The ID specified in XSETID is smaller than the target stream top item";
    if (setid->entries_added >= 0 && stream_length(stream) > (uint64_t)setid->entries_added)
        return "ERR The entries_added specified in XSETID is smaller than the target stream length";
    return NULL;
}

static void cmd_xsetid(struct request *req)
{
    struct stream *stream;
    struct setid setid;
    struct key_ref ref;
    const char *error;

    if (!parse_setid_or_reply(req, &setid) ||
        !key_find_or_reply(req, 1, VALUE_STREAM, LOOKUP_WRITE, &ref))
        return;
    stream = ref.entry ? entry_value(ref.entry) : NULL;
    error = stream ? objection(stream, &setid) : ERR_NO_SUCH_KEY;
    if (error) {
        reply_error(req, error);
        return;
    }
    stream_set_last_id(stream, setid.id);
    if (setid.entries_added >= 0)
        stream_set_entries_added(stream, (uint64_t)setid.entries_added);
    if (!stream_id_is_zero(setid.max_deleted_id))
        stream_set_max_deleted_id(stream, setid.max_deleted_id);
    reply_ok(req);
    key_changed_aside(req, req->db, req->argv[1], &EVENT_XSETID, 1);
}

/* --- the table ------------------------------------------------------------------------------------- */

static const struct key_rule updates[] = {
    {KEY_RW | KEY_UPDATE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule deletes[] = {
    {KEY_RW | KEY_DELETE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};
static const struct key_rule looks[] = {
    {KEY_RO, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}};

static const struct command stream_commands[] = {
    {"xadd", cmd_xadd, -5, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "5.0.0",
     "O(1), with a trim O(N) entries that go",
     "key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value "
     "[field value ...]",
     "Appends an entry to a stream, creating it when absent.", updates,
     .tips = "nondeterministic_output",
     .history = "6.2.0 NOMKSTREAM, MINID and LIMIT.\n"
                "7.0.0 Ids that give the milliseconds only, as in 5-*.",
     .argument_since = "NOMKSTREAM 6.2.0, MINID 6.2.0, LIMIT 6.2.0"},
    {"xlen", cmd_xlen, 2, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "5.0.0", "O(1)", "key",
     "Returns the number of entries of a stream.", looks},
    {"xdel", cmd_xdel, -3, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "5.0.0", "O(log N) an entry",
     "key id [id ...]", "Removes entries from a stream.", deletes},
    {"xtrim", cmd_xtrim, -4, CMD_WRITE, {1, 1, 1}, NULL, "5.0.0", "O(N) entries that go",
     "key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]",
     "Removes the oldest entries of a stream.", deletes,
     .tips = "nondeterministic_output",
     .history = "6.2.0 MINID and LIMIT.",
     .argument_since = "MINID 6.2.0, LIMIT 6.2.0"},
    {"xsetid", cmd_xsetid, -3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "5.0.0", "O(1)",
     "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
     "Sets the last id of a stream, and what it knows of its past.", updates,
     .history = "7.0.0 ENTRIESADDED and MAXDELETEDID.",
     .argument_since = "ENTRIESADDED 7.0.0, MAXDELETEDID 7.0.0"},
};
REGISTER_COMMANDS("stream", stream_commands);
