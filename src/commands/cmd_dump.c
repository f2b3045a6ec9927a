/* Keys as payloads: DUMP and RESTORE. */
#include "engine/events.h"
#include "engine/propagate.h"
#include "engine/request.h"
#include "persist/dump_payload.h"
#include "persist/rdb_value.h"

#define ERR_BUSY_KEY     "BUSYKEY Target key name already exists."
#define ERR_BAD_DATA     "ERR Bad data format"
#define ERR_RESTORE_TTL  "ERR Invalid TTL value, must be >= 0"
#define ERR_RESTORE_IDLE "ERR Invalid IDLETIME value, must be >= 0"
#define ERR_RESTORE_FREQ "ERR Invalid FREQ value, must be >= 0 and <= 255"

static const struct event_kind EVENT_RESTORE = {EVENT_CLASS_GENERIC, "restore"};

/* --- DUMP ------------------------------------------------------------------------------------------------- */

static void cmd_dump(struct request *req)
{
    struct key_ref ref = key_find(req, 1, LOOKUP_READ);
    struct rdb_writer writer = {.compresses = req->engine->settings.is_rdb_compressed};

    if (!ref.entry) {
        reply_null(req);
        return;
    }
    rdb_write_byte(&writer, rdb_type_of(ref.entry));
    rdb_write_value(&writer, ref.entry);
    dump_footer_write(&writer);
    reply_bulk(req, (struct bytes){writer.data, writer.len});
    rdb_writer_release(&writer);
}

/* --- RESTORE ---------------------------------------------------------------------------------------------- */

struct restore_options {
    bool may_replace, is_absolute;
    int64_t idle_seconds, frequency; /* -1: not given */
};

static bool parse_options_or_reply(struct request *req, struct restore_options *options)
{
    *options = (struct restore_options){.idle_seconds = -1, .frequency = -1};
    for (int i = 4; i < req->argc; i++) {
        bool has_value = i + 1 < req->argc;

        if (argument_is(req, i, "replace")) {
            options->may_replace = true;
        } else if (argument_is(req, i, "absttl")) {
            options->is_absolute = true;
        } else if (argument_is(req, i, "idletime") && has_value && options->frequency == -1) {
            if (!parse_int_or_reply(req, ++i, &options->idle_seconds))
                return false;
            if (options->idle_seconds < 0) {
                reply_error(req, ERR_RESTORE_IDLE);
                return false;
            }
        } else if (argument_is(req, i, "freq") && has_value && options->idle_seconds == -1) {
            if (!parse_int_or_reply(req, ++i, &options->frequency))
                return false;
            if (options->frequency < 0 || options->frequency > 255) {
                reply_error(req, ERR_RESTORE_FREQ);
                return false;
            }
        } else {
            reply_syntax_error(req);
            return false;
        }
    }
    return true;
}

static bool parse_ttl_or_reply(struct request *req, int64_t *ttl_ms)
{
    if (!parse_int_or_reply(req, 2, ttl_ms))
        return false;
    if (*ttl_ms < 0)
        reply_error(req, ERR_RESTORE_TTL);
    return *ttl_ms >= 0;
}

static bool read_payload_or_reply(struct request *req, struct rdb_reader *reader, struct rdb_value *value)
{
    struct bytes content;
    unsigned version, type;

    if (!dump_footer_open(req->argv[3], &content, &version)) {
        reply_error(req, ERR_DUMP_PAYLOAD);
        return false;
    }
    rdb_reader_init(reader, content);
    reader->is_valkey = rdb_version_is_valkey(version);
    if (rdb_read_byte(reader, &type) && rdb_read_value(reader, type, value) == RDB_READ)
        return true;
    rdb_reader_release(reader);
    reply_error(req, ERR_BAD_DATA);
    return false;
}

/* What is dead already: nothing comes, and what was there goes. */
static void restore_dead(struct request *req, struct key_ref *ref)
{
    if (ref->entry) {
        store_remove(ref);
        propagate_instead(req, 2, (struct bytes[]){BYTES("DEL"), req->argv[1]});
        key_removed(req, req->db, req->argv[1], &EVENT_DEL, 1);
    }
    reply_ok(req);
}

/* With the time itself in place of what is left of it. */
static void propagate_absolute(struct request *req, int64_t deadline_ms)
{
    char text[INT64_TEXT_MAX];

    propagate_begin(req, req->argc + 1);
    for (int i = 0; i < req->argc; i++)
        propagate_argument(req, i == 2 ? (struct bytes){text, int64_format(text, deadline_ms)} : req->argv[i]);
    propagate_argument(req, BYTES("ABSTTL"));
}

static void restore_value(struct request *req, const struct restore_options *options, int64_t deadline_ms,
                          struct rdb_value *value)
{
    struct store *store = req->engine->store;
    struct key_ref ref = key_find(req, 1, LOOKUP_WRITE | LOOKUP_NOTOUCH);

    if (ref.entry) {
        store_remove(&ref);
        ref = key_find(req, 1, LOOKUP_WRITE | LOOKUP_NOTOUCH);
    }
    rdb_value_store(value, &ref, req->argv[1]);
    if (deadline_ms) {
        store_set_deadline(&ref, deadline_ms);
        if (!options->is_absolute)
            propagate_absolute(req, deadline_ms);
    }
    if (options->idle_seconds >= 0)
        store_set_idle(store, ref.entry, (uint64_t)options->idle_seconds);
    if (options->frequency >= 0)
        store_set_frequency(store, ref.entry, (unsigned)options->frequency);
    key_changed(req, req->db, req->argv[1], &EVENT_RESTORE, 1);
    reply_ok(req);
}

static void cmd_restore(struct request *req)
{
    struct restore_options options;
    struct rdb_reader reader;
    struct rdb_value value;
    struct key_ref ref;
    int64_t deadline_ms, now_ms = clock_now_ms(req->engine->clock);

    if (!parse_options_or_reply(req, &options))
        return;
    ref = key_find(req, 1, LOOKUP_WRITE);
    if (ref.entry && !options.may_replace) {
        reply_error(req, ERR_BUSY_KEY);
        return;
    }
    if (!parse_ttl_or_reply(req, &deadline_ms) || !read_payload_or_reply(req, &reader, &value))
        return;
    if (deadline_ms && !options.is_absolute && __builtin_add_overflow(deadline_ms, now_ms, &deadline_ms))
        deadline_ms = INT64_MIN;
    if (deadline_ms && deadline_ms <= now_ms) {
        rdb_value_drop(&value);
        restore_dead(req, &ref);
    } else {
        restore_value(req, &options, deadline_ms, &value);
    }
    rdb_reader_release(&reader);
}

/* --- the table -------------------------------------------------------------------------------------------- */

static const struct command dump_commands[] = {
    {"dump", cmd_dump, 2, CMD_READONLY | CMD_KEYSPACE, {1, 1, 1}, NULL, "2.6.0",
     "O(1) to find the key, and O(N*M) to write its N elements of average size M.", "key",
     "Returns the value of a key as a payload that RESTORE takes.",
     .tips = "nondeterministic_output"},
    {"restore", cmd_restore, -4, CMD_WRITE | CMD_GROWS | CMD_KEYSPACE | CMD_DANGEROUS, {1, 1, 1}, NULL, "2.6.0",
     "O(1) to make the key, and O(N*M) to read its N elements of average size M; O(N*M*log(N)) for sorted sets.",
     "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
     "Creates a key from the payload that DUMP gave.", .key_rules = FIRST_KEY(KEY_OW | KEY_UPDATE),
     .history = "3.0.0 REPLACE.\n"
                "5.0.0 ABSTTL.\n"
                "5.0.0 IDLETIME and FREQ.",
     .argument_since = "REPLACE 3.0.0, ABSTTL 5.0.0, IDLETIME 5.0.0, FREQ 5.0.0"},
};

REGISTER_COMMANDS("generic", dump_commands);
