/* Strings. */
#include "engine/events.h"
#include "engine/propagate.h"
#include "engine/request.h"
#include "expire_argument_internal.h"
#include "store/string_value.h"

#include <math.h>

static const struct event_kind EVENT_SET = {EVENT_CLASS_STRING, "set"};
static const struct event_kind EVENT_APPEND = {EVENT_CLASS_STRING, "append"};
static const struct event_kind EVENT_SETRANGE = {EVENT_CLASS_STRING, "setrange"};
static const struct event_kind EVENT_INCRBY = {EVENT_CLASS_STRING, "incrby"};
static const struct event_kind EVENT_INCRBYFLOAT = {EVENT_CLASS_STRING, "incrbyfloat"};
static const struct event_kind EVENT_EXPIRE = {EVENT_CLASS_GENERIC, "expire"};
static const struct event_kind EVENT_PERSIST = {EVENT_CLASS_GENERIC, "persist"};

/* --- shared --------------------------------------------------------------------------------------- */

static void reply_string(struct request *req, const struct entry *entry)
{
    char text[INT64_TEXT_MAX];

    reply_bulk(req, string_get(entry, text));
}

/* The argument becomes the key's value; a long one is taken, not copied. */
static void set_argument(struct request *req, struct key_ref *ref, int key, int value,
                         bool keep_deadline)
{
    struct string_block *block = req->bigs ? request_take_block(req, value) : NULL;

    if (block) {
        string_set_block(ref, req->argv[key], block, keep_deadline);
        req->argv[value] = (struct bytes){block->data, block->len}; /* for the write stream */
    } else {
        string_set(ref, req->argv[key], req->argv[value], keep_deadline);
    }
}

static bool fits_or_reply(struct request *req, uint64_t len)
{
    if (len <= (uint64_t)req->engine->settings.bulk_len_max)
        return true;
    reply_error(req, ERR_STRING_SIZE);
    return false;
}

/* --- GET and SET ------------------------------------------------------------------------------------ */

static void cmd_get(struct request *req)
{
    struct key_ref ref;

    if (!key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_READ, &ref))
        return;
    if (ref.entry)
        reply_string(req, ref.entry);
    else
        reply_null(req);
}

/* What was there before, replied and counted as GET does; false when it is no string. */
static bool get_or_reply(struct request *req)
{
    cmd_get(req);
    return !(req->flags & REQUEST_FAILED);
}

struct set_options {
    bool only_new, only_existing, get, keep_deadline;
    int comparison; /* IFEQ's argument; 0: none */
    struct expire_argument expire;
};

/* NX XX GET KEEPTTL and the expiries, each at most once and none with its opposite. */
static bool parse_set_options_or_reply(struct request *req, struct set_options *options)
{
    *options = (struct set_options){0};
    for (int i = 3; i < req->argc; i++) {
        if (argument_is(req, i, "nx") && !options->only_existing && !options->comparison)
            options->only_new = true;
        else if (argument_is(req, i, "xx") && !options->only_new && !options->comparison)
            options->only_existing = true;
        else if (argument_is(req, i, "ifeq") && !options->only_new && !options->only_existing &&
                 !options->comparison && i + 1 < req->argc)
            options->comparison = ++i;
        else if (argument_is(req, i, "get"))
            options->get = true;
        else if (argument_is(req, i, "keepttl") && !options->expire.at)
            options->keep_deadline = true;
        else if (!options->keep_deadline && expire_argument_take(req, &i, &options->expire))
            continue;
        else {
            reply_syntax_error(req);
            return false;
        }
    }
    return expire_argument_parse_or_reply(req, &options->expire);
}

/* Whether NX, XX or IFEQ let the value be set. */
static bool condition_holds(struct request *req, const struct set_options *options,
                            const struct entry *entry)
{
    char text[INT64_TEXT_MAX];

    if (options->comparison)
        return entry && bytes_equal(string_get(entry, text), req->argv[options->comparison]);
    return entry ? !options->only_new : !options->only_existing;
}

/* What travels: the deadline, not the time left. */
static void propagate_set(struct request *req, int value, int64_t deadline_ms)
{
    char text[INT64_TEXT_MAX];
    struct bytes deadline = {text, int64_format(text, deadline_ms)};

    propagate_instead(req, 5, (struct bytes[]){BYTES("SET"), req->argv[1], req->argv[value],
                                               BYTES("PXAT"), deadline});
}

static void cmd_set(struct request *req)
{
    struct set_options options = {0};
    struct key_ref ref;

    if (req->argc > 3 && !parse_set_options_or_reply(req, &options))
        return;
    if (options.get && !get_or_reply(req))
        return;
    ref = key_find(req, 1, LOOKUP_WRITE);
    if (options.comparison && ref.entry && ref.entry->type != VALUE_STRING) {
        reply_error(req, ERR_WRONG_TYPE);
        return;
    }
    if (!condition_holds(req, &options, ref.entry)) {
        if (!options.get)
            reply_null(req);
        return;
    }
    set_argument(req, &ref, 1, 2, options.keep_deadline);
    key_changed(req, req->db, req->argv[1], &EVENT_SET, 1);
    if (options.expire.at) {
        store_set_deadline(&ref, options.expire.deadline_ms);
        key_event(req->engine, req->db, req->argv[1], &EVENT_EXPIRE);
        propagate_set(req, 2, options.expire.deadline_ms);
    } else if (options.get || options.comparison) {
        propagate_instead(req, options.keep_deadline ? 4 : 3,
                          (struct bytes[]){BYTES("SET"), req->argv[1], req->argv[2], BYTES("KEEPTTL")});
    }
    if (!options.get)
        reply_ok(req);
}

static void cmd_setnx(struct request *req)
{
    struct key_ref ref = key_find(req, 1, LOOKUP_WRITE);

    if (ref.entry) {
        reply_int(req, 0);
        return;
    }
    set_argument(req, &ref, 1, 2, false);
    key_changed(req, req->db, req->argv[1], &EVENT_SET, 1);
    reply_int(req, 1);
}

static void set_with_expiry(struct request *req, int64_t unit_ms)
{
    struct expire_argument expire = {.at = 2, .unit_ms = unit_ms, .is_relative = true};
    struct key_ref ref;

    if (!expire_argument_parse_or_reply(req, &expire))
        return;
    ref = key_find(req, 1, LOOKUP_WRITE);
    set_argument(req, &ref, 1, 3, false);
    key_changed(req, req->db, req->argv[1], &EVENT_SET, 1);
    store_set_deadline(&ref, expire.deadline_ms);
    key_event(req->engine, req->db, req->argv[1], &EVENT_EXPIRE);
    propagate_set(req, 3, expire.deadline_ms);
    reply_ok(req);
}

static void cmd_setex(struct request *req) { set_with_expiry(req, 1000); }
static void cmd_psetex(struct request *req) { set_with_expiry(req, 1); }

static void cmd_getset(struct request *req)
{
    struct key_ref ref;

    if (!get_or_reply(req))
        return;
    ref = key_find(req, 1, LOOKUP_WRITE);
    set_argument(req, &ref, 1, 2, false);
    key_changed(req, req->db, req->argv[1], &EVENT_SET, 1);
    propagate_instead(req, 3, (struct bytes[]){BYTES("SET"), req->argv[1], req->argv[2]});
}

static void cmd_getdel(struct request *req)
{
    struct key_ref ref;

    if (!key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_READ, &ref))
        return;
    if (!ref.entry) {
        reply_null(req);
        return;
    }
    reply_string(req, ref.entry);
    store_remove(&ref);
    key_removed(req, req->db, req->argv[1], &EVENT_DEL, 1);
    propagate_instead(req, 2, (struct bytes[]){BYTES("DEL"), req->argv[1]});
}

static void getex_set_deadline(struct request *req, struct key_ref *ref, int64_t deadline_ms)
{
    char text[INT64_TEXT_MAX];
    struct bytes deadline = {text, int64_format(text, deadline_ms)};

    if (deadline_ms <= clock_now_ms(req->engine->clock)) {
        store_remove(ref);
        key_removed(req, req->db, req->argv[1], &EVENT_DEL, 1);
        propagate_instead(req, 2, (struct bytes[]){BYTES("DEL"), req->argv[1]});
        return;
    }
    store_set_deadline(ref, deadline_ms);
    key_changed(req, req->db, req->argv[1], &EVENT_EXPIRE, 1);
    propagate_instead(req, 3, (struct bytes[]){BYTES("PEXPIREAT"), req->argv[1], deadline});
}

static void cmd_getex(struct request *req)
{
    struct expire_argument expire = {0};
    bool persist = false;
    struct key_ref ref;

    for (int i = 2; i < req->argc; i++) {
        if (argument_is(req, i, "persist") && !expire.at)
            persist = true;
        else if (persist || !expire_argument_take(req, &i, &expire)) {
            reply_syntax_error(req);
            return;
        }
    }
    if (!key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_READ, &ref))
        return;
    if (!ref.entry) {
        reply_null(req);
        return;
    }
    if (!expire_argument_parse_or_reply(req, &expire))
        return;
    reply_string(req, ref.entry);
    if (expire.at) {
        getex_set_deadline(req, &ref, expire.deadline_ms);
    } else if (persist && ref.entry->flags & ENTRY_EXPIRES) {
        store_clear_deadline(&ref);
        key_changed(req, req->db, req->argv[1], &EVENT_PERSIST, 1);
        propagate_instead(req, 2, (struct bytes[]){BYTES("PERSIST"), req->argv[1]});
    }
}

/* --- several keys ----------------------------------------------------------------------------------- */

static void cmd_mget(struct request *req)
{
    reply_array(req, (size_t)req->argc - 1);
    for (int i = 1; i < req->argc; i++) {
        struct key_ref ref = key_find(req, i, LOOKUP_READ);

        if (ref.entry && ref.entry->type == VALUE_STRING)
            reply_string(req, ref.entry);
        else
            reply_null(req);
    }
}

static bool pairs_or_reply(struct request *req)
{
    if (req->argc % 2 == 1)
        return true;
    reply_wrong_arity(req);
    return false;
}

static bool comes_again(const struct request *req, int key)
{
    for (int i = key + 2; i < req->argc; i += 2)
        if (bytes_equal(req->argv[i], req->argv[key]))
            return true;
    return false;
}

static void set_pairs(struct request *req)
{
    for (int i = 1; i < req->argc; i += 2) {
        struct key_ref ref = key_find(req, i, LOOKUP_WRITE);

        if (request_has_block(req, i + 1) && comes_again(req, i)) /* gone before it travels */
            string_set(&ref, req->argv[i], req->argv[i + 1], false);
        else
            set_argument(req, &ref, i, i + 1, false);
        key_changed(req, req->db, req->argv[i], &EVENT_SET, 1);
    }
}

static void cmd_mset(struct request *req)
{
    if (!pairs_or_reply(req))
        return;
    set_pairs(req);
    reply_ok(req);
}

static void cmd_msetnx(struct request *req)
{
    if (!pairs_or_reply(req))
        return;
    for (int i = 1; i < req->argc; i += 2)
        if (key_find(req, i, LOOKUP_WRITE).entry) {
            reply_int(req, 0);
            return;
        }
    set_pairs(req);
    reply_int(req, 1);
}

/* --- numbers ---------------------------------------------------------------------------------------- */

static void increment(struct request *req, int64_t by)
{
    struct key_ref ref;
    int64_t value = 0;

    if (!key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_WRITE, &ref))
        return;
    if (ref.entry && !string_get_int(ref.entry, &value)) {
        reply_error(req, ERR_NOT_INTEGER);
        return;
    }
    if (__builtin_add_overflow(value, by, &value)) {
        reply_error(req, ERR_OVERFLOW);
        return;
    }
    string_set_int(&ref, req->argv[1], value, true);
    key_changed(req, req->db, req->argv[1], &EVENT_INCRBY, 1);
    reply_int(req, value);
}

static void cmd_incr(struct request *req) { increment(req, 1); }
static void cmd_decr(struct request *req) { increment(req, -1); }

static void cmd_incrby(struct request *req)
{
    int64_t by;

    if (parse_int_or_reply(req, 2, &by))
        increment(req, by);
}

static void cmd_decrby(struct request *req)
{
    int64_t by;

    if (!parse_int_or_reply(req, 2, &by))
        return;
    if (by == INT64_MIN)
        reply_error(req, ERR_DECR_OVERFLOW);
    else
        increment(req, -by);
}

static void cmd_incrbyfloat(struct request *req)
{
    char text[LONG_DOUBLE_TEXT_MAX], old[INT64_TEXT_MAX];
    long double value = 0, by;
    struct bytes result;
    struct key_ref ref;

    if (!key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_WRITE, &ref))
        return;
    if (ref.entry && !long_double_parse(string_get(ref.entry, old), &value)) {
        reply_error(req, ERR_NOT_FLOAT);
        return;
    }
    if (!parse_long_double_or_reply(req, 2, &by))
        return;
    value += by;
    if (isnan(value) || isinf(value)) {
        reply_error(req, ERR_NAN_OR_INF);
        return;
    }
    result = (struct bytes){text, long_double_format(text, value)};
    string_set_text(&ref, req->argv[1], result, true);
    key_changed(req, req->db, req->argv[1], &EVENT_INCRBYFLOAT, 1);
    propagate_instead(req, 4, (struct bytes[]){BYTES("SET"), req->argv[1], result, BYTES("KEEPTTL")});
    reply_bulk(req, result);
}

/* --- parts ------------------------------------------------------------------------------------------- */

static void cmd_append(struct request *req)
{
    struct key_ref ref;
    size_t len;

    if (!key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_WRITE, &ref))
        return;
    if (!ref.entry) {
        len = req->argv[2].len;
        set_argument(req, &ref, 1, 2, false);
    } else {
        if (!fits_or_reply(req, (uint64_t)string_len(ref.entry) + req->argv[2].len))
            return;
        len = string_append(&ref, req->argv[2]);
    }
    key_changed(req, req->db, req->argv[1], &EVENT_APPEND, 1);
    reply_int(req, (int64_t)len);
}

static void cmd_strlen(struct request *req)
{
    struct key_ref ref;

    if (key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_READ, &ref))
        reply_int(req, ref.entry ? (int64_t)string_len(ref.entry) : 0);
}

static void cmd_setrange(struct request *req)
{
    struct bytes patch = req->argv[3];
    struct key_ref ref;
    int64_t offset;
    size_t len;

    if (!parse_int_or_reply(req, 2, &offset))
        return;
    if (offset < 0) {
        reply_error(req, ERR_OFFSET);
        return;
    }
    if (!key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_WRITE, &ref))
        return;
    if (!patch.len) {
        reply_int(req, ref.entry ? (int64_t)string_len(ref.entry) : 0);
        return;
    }
    if (!fits_or_reply(req, (uint64_t)offset + patch.len))
        return;
    if (!ref.entry)
        string_set_raw(&ref, req->argv[1], (struct bytes){NULL, 0}, false);
    len = string_set_range(&ref, (size_t)offset, patch);
    key_changed(req, req->db, req->argv[1], &EVENT_SETRANGE, 1);
    reply_int(req, (int64_t)len);
}

static void cmd_getrange(struct request *req)
{
    char text[INT64_TEXT_MAX];
    struct bytes value;
    struct key_ref ref;
    int64_t start, end, len;

    if (!parse_int_or_reply(req, 2, &start) || !parse_int_or_reply(req, 3, &end) ||
        !key_find_or_reply(req, 1, VALUE_STRING, LOOKUP_READ, &ref))
        return;
    value = ref.entry ? string_get(ref.entry, text) : (struct bytes){NULL, 0};
    len = (int64_t)value.len;
    if (start < 0 && end < 0 && start > end) {
        reply_bulk(req, (struct bytes){NULL, 0});
        return;
    }
    if (start < 0)
        start = start + len > 0 ? start + len : 0;
    if (end < 0)
        end = end + len > 0 ? end + len : 0;
    if (end >= len)
        end = len - 1;
    if (start > end || len == 0)
        reply_bulk(req, (struct bytes){NULL, 0});
    else
        reply_bulk(req, (struct bytes){value.data + start, (size_t)(end - start + 1)});
}

/* --- the table ---------------------------------------------------------------------------------------- */

static const struct command string_commands[] = {
    {"get", cmd_get, 2, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)", "key",
     "Returns the string at a key."},
    {"set", cmd_set, -3, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "1.0.0", "O(1)",
     "key value [NX | XX | IFEQ comparison-value] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
     "PXAT unix-time-milliseconds | KEEPTTL]",
     "Sets a key to a string, whatever it held, with an expiry when asked.",
     FIRST_KEY(KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE),
     .history = "2.6.12 EX, PX, NX and XX.\n"
                "6.0.0 KEEPTTL.\n"
                "6.2.0 GET, EXAT and PXAT.\n"
                "7.0.0 NX together with GET.",
     .argument_since = "condition 2.6.12, GET 6.2.0, EX 2.6.12, "
                       "PX 2.6.12, EXAT 6.2.0, PXAT 6.2.0, KEEPTTL 6.0.0"},
    {"setnx", cmd_setnx, 3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)",
     "key value", "Sets a key to a string only when the key is absent.",
     FIRST_KEY(KEY_OW | KEY_INSERT),
     .deprecated_since = "2.6.12", .replaced_by = "`SET` with the `NX` argument"},
    {"setex", cmd_setex, 4, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "2.0.0", "O(1)",
     "key seconds value", "Sets a key to a string that expires after some seconds.",
     FIRST_KEY(KEY_OW | KEY_UPDATE),
     .deprecated_since = "2.6.12", .replaced_by = "`SET` with the `EX` argument"},
    {"psetex", cmd_psetex, 4, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "2.6.0", "O(1)",
     "key milliseconds value", "Sets a key to a string that expires after some milliseconds.",
     FIRST_KEY(KEY_OW | KEY_UPDATE),
     .deprecated_since = "2.6.12", .replaced_by = "`SET` with the `PX` argument"},
    {"getset", cmd_getset, 3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)",
     "key value", "Sets a key to a string and returns what it held before.",
     .deprecated_since = "6.2.0", .replaced_by = "`SET` with the `GET` argument"},
    {"getdel", cmd_getdel, 2, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "6.2.0", "O(1)", "key",
     "Returns the string at a key and deletes the key.",
     FIRST_KEY(KEY_RW | KEY_ACCESS | KEY_DELETE)},
    {"getex", cmd_getex, -2, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "6.2.0", "O(1)",
     "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | "
     "PERSIST]",
     "Returns the string at a key and changes the key's expiry."},
    {"mget", cmd_mget, -2, CMD_READONLY | CMD_FAST, {1, -1, 1}, NULL, "1.0.0", "O(N) keys",
     "key [key ...]", "Returns the strings at several keys, null for what is not a string.",
     .tips = "request_policy:multi_shard"},
    {"mset", cmd_mset, -3, CMD_WRITE | CMD_GROWS, {1, -1, 2}, NULL, "1.0.1", "O(N) keys",
     "key value [key value ...]", "Sets several keys to strings at once.",
     KEY_RANGE_RULE(KEY_OW | KEY_UPDATE, 1, -1, 2),
     .tips = "request_policy:multi_shard response_policy:all_succeeded"},
    {"msetnx", cmd_msetnx, -3, CMD_WRITE | CMD_GROWS, {1, -1, 2}, NULL, "1.0.1", "O(N) keys",
     "key value [key value ...]", "Sets several keys to strings only when all are absent.",
     KEY_RANGE_RULE(KEY_OW | KEY_INSERT, 1, -1, 2)},
    {"incr", cmd_incr, 2, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)", "key",
     "Adds one to the integer at a key, 0 when absent."},
    {"decr", cmd_decr, 2, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)", "key",
     "Takes one from the integer at a key, 0 when absent."},
    {"incrby", cmd_incrby, 3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)",
     "key increment", "Adds a number to the integer at a key, 0 when absent."},
    {"decrby", cmd_decrby, 3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "1.0.0", "O(1)",
     "key decrement", "Takes a number from the integer at a key, 0 when absent."},
    {"incrbyfloat", cmd_incrbyfloat, 3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "2.6.0",
     "O(1)", "key increment", "Adds a floating point number to the number at a key."},
    {"append", cmd_append, 3, CMD_WRITE | CMD_GROWS | CMD_FAST, {1, 1, 1}, NULL, "2.0.0",
     "O(1) amortised", "key value", "Appends to the string at a key, creating it when absent.",
     FIRST_KEY(KEY_RW | KEY_INSERT)},
    {"strlen", cmd_strlen, 2, CMD_READONLY | CMD_FAST, {1, 1, 1}, NULL, "2.2.0", "O(1)", "key",
     "Returns the length of the string at a key.",
     FIRST_KEY(KEY_RO)},
    {"setrange", cmd_setrange, 4, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "2.2.0",
     "O(N) bytes written", "key offset value",
     "Overwrites part of a string, filling a gap with zero bytes.",
     FIRST_KEY(KEY_RW | KEY_UPDATE)},
    {"getrange", cmd_getrange, 4, CMD_READONLY, {1, 1, 1}, NULL, "2.4.0", "O(N) bytes returned",
     "key start end", "Returns part of the string at a key."},
    {"substr", cmd_getrange, 4, CMD_READONLY, {1, 1, 1}, NULL, "1.0.0", "O(N) bytes returned",
     "key start end", "Returns part of the string at a key (the old name of GETRANGE).",
     .deprecated_since = "2.0.0", .replaced_by = "`GETRANGE`"},
};
REGISTER_COMMANDS("string", string_commands);
