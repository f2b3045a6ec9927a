/* Deadlines of keys. */
#include "engine/events.h"
#include "engine/propagate.h"
#include "engine/request.h"

#include "base/numbers.h"

static const struct event_kind EVENT_EXPIRE = {EVENT_CLASS_GENERIC, "expire"};
static const struct event_kind EVENT_PERSIST = {EVENT_CLASS_GENERIC, "persist"};

/* --- EXPIRE and its family ------------------------------------------------------------------------------ */

struct condition {
    bool when_none, when_some, when_greater, when_less; /* NX XX GT LT */
};

static bool parse_condition_or_reply(struct request *req, struct condition *condition)
{
    *condition = (struct condition){0};
    for (int i = 3; i < req->argc; i++) {
        if (argument_is(req, i, "nx"))
            condition->when_none = true;
        else if (argument_is(req, i, "xx"))
            condition->when_some = true;
        else if (argument_is(req, i, "gt"))
            condition->when_greater = true;
        else if (argument_is(req, i, "lt"))
            condition->when_less = true;
        else {
            reply_error_format(req, "ERR Unsupported option %.*s", (int)req->argv[i].len,
                               req->argv[i].data);
            return false;
        }
    }
    if (condition->when_none &&
        (condition->when_some || condition->when_greater || condition->when_less)) {
        reply_error(req, "ERR NX and XX, GT or LT options at the same time are not compatible");
        return false;
    }
    if (condition->when_greater && condition->when_less) {
        reply_error(req, "ERR GT and LT options at the same time are not compatible");
        return false;
    }
    return true;
}

/* A key without deadline counts as one that lives for ever. */
static bool holds(const struct condition *condition, int64_t current_ms, int64_t new_ms)
{
    bool has_deadline = current_ms != NO_DEADLINE;

    if ((condition->when_none && has_deadline) || (condition->when_some && !has_deadline))
        return false;
    if (condition->when_greater && (!has_deadline || new_ms <= current_ms))
        return false;
    return !(condition->when_less && has_deadline && new_ms >= current_ms);
}

static bool parse_deadline_or_reply(struct request *req, int64_t unit_ms, bool is_relative,
                                    int64_t *deadline_ms)
{
    int64_t base = is_relative ? clock_now_ms(req->engine->clock) : 0, value;
    char name[COMMAND_NAME_MAX];

    if (!parse_int_or_reply(req, 2, &value))
        return false;
    if (!__builtin_mul_overflow(value, unit_ms, &value) &&
        !__builtin_add_overflow(value, base, deadline_ms))
        return true;
    reply_error_format(req, "ERR invalid expire time in '%s' command",
                       command_full_name(req->command, name));
    return false;
}

static void set_deadline(struct request *req, struct key_ref *ref, int64_t deadline_ms)
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

static void expire(struct request *req, int64_t unit_ms, bool is_relative)
{
    struct condition condition;
    int64_t deadline_ms;
    struct key_ref ref;

    if (!parse_condition_or_reply(req, &condition) ||
        !parse_deadline_or_reply(req, unit_ms, is_relative, &deadline_ms))
        return;
    ref = key_find(req, 1, LOOKUP_WRITE);
    if (!ref.entry || !holds(&condition, entry_deadline(ref.entry), deadline_ms)) {
        reply_int(req, 0);
        return;
    }
    set_deadline(req, &ref, deadline_ms);
    reply_int(req, 1);
}

static void cmd_expire(struct request *req) { expire(req, 1000, true); }
static void cmd_pexpire(struct request *req) { expire(req, 1, true); }
static void cmd_expireat(struct request *req) { expire(req, 1000, false); }
static void cmd_pexpireat(struct request *req) { expire(req, 1, false); }

/* --- TTL and its family --------------------------------------------------------------------------------- */

static void ttl(struct request *req, bool in_ms, bool is_absolute)
{
    struct key_ref ref = key_find(req, 1, LOOKUP_NOTOUCH);
    int64_t ms;

    if (!ref.entry) {
        reply_int(req, -2);
        return;
    }
    ms = entry_deadline(ref.entry);
    if (ms == NO_DEADLINE) {
        reply_int(req, -1);
        return;
    }
    if (!is_absolute)
        ms -= clock_now_ms(req->engine->clock);
    if (ms < 0)
        ms = 0;
    reply_int(req, in_ms ? ms : ms / 1000 + (ms % 1000 >= 500));
}

static void cmd_ttl(struct request *req) { ttl(req, false, false); }
static void cmd_pttl(struct request *req) { ttl(req, true, false); }
static void cmd_expiretime(struct request *req) { ttl(req, false, true); }
static void cmd_pexpiretime(struct request *req) { ttl(req, true, true); }

static void cmd_persist(struct request *req)
{
    struct key_ref ref = key_find(req, 1, LOOKUP_WRITE);

    if (!ref.entry || !(ref.entry->flags & ENTRY_EXPIRES)) {
        reply_int(req, 0);
        return;
    }
    store_clear_deadline(&ref);
    key_changed(req, req->db, req->argv[1], &EVENT_PERSIST, 1);
    reply_int(req, 1);
}

#define EXPIRE_FLAGS (CMD_WRITE | CMD_FAST | CMD_KEYSPACE)
#define TTL_FLAGS    (CMD_READONLY | CMD_FAST | CMD_KEYSPACE)

static const struct command expire_commands[] = {
    {"expire", cmd_expire, -3, EXPIRE_FLAGS, {1, 1, 1}, NULL, "1.0.0", "O(1)",
     "key seconds [NX | XX | GT | LT]", "Lets a key expire after some seconds.",
     FIRST_KEY(KEY_RW | KEY_UPDATE),
     .history = "7.0.0 NX, XX, GT and LT.",
     .argument_since = "condition 7.0.0"},
    {"pexpire", cmd_pexpire, -3, EXPIRE_FLAGS, {1, 1, 1}, NULL, "2.6.0", "O(1)",
     "key milliseconds [NX | XX | GT | LT]", "Lets a key expire after some milliseconds.",
     FIRST_KEY(KEY_RW | KEY_UPDATE),
     .history = "7.0.0 NX, XX, GT and LT.",
     .argument_since = "condition 7.0.0"},
    {"expireat", cmd_expireat, -3, EXPIRE_FLAGS, {1, 1, 1}, NULL, "1.2.0", "O(1)",
     "key unix-time-seconds [NX | XX | GT | LT]", "Lets a key expire at a time in seconds.",
     FIRST_KEY(KEY_RW | KEY_UPDATE),
     .history = "7.0.0 NX, XX, GT and LT.",
     .argument_since = "condition 7.0.0"},
    {"pexpireat", cmd_pexpireat, -3, EXPIRE_FLAGS, {1, 1, 1}, NULL, "2.6.0", "O(1)",
     "key unix-time-milliseconds [NX | XX | GT | LT]", "Lets a key expire at a time in milliseconds.",
     FIRST_KEY(KEY_RW | KEY_UPDATE),
     .history = "7.0.0 NX, XX, GT and LT.",
     .argument_since = "condition 7.0.0"},
    {"persist", cmd_persist, 2, EXPIRE_FLAGS, {1, 1, 1}, NULL, "2.2.0", "O(1)", "key",
     "Takes the expiry from a key.",
     FIRST_KEY(KEY_RW | KEY_UPDATE)},
    {"ttl", cmd_ttl, 2, TTL_FLAGS, {1, 1, 1}, NULL, "1.0.0", "O(1)", "key",
     "Returns the seconds until a key expires, -1 for never, -2 when it is absent.",
     .tips = "nondeterministic_output",
     .history = "2.8.0 The reply -2 when there is no such key."},
    {"pttl", cmd_pttl, 2, TTL_FLAGS, {1, 1, 1}, NULL, "2.6.0", "O(1)", "key",
     "Returns the milliseconds until a key expires, -1 for never, -2 when it is absent.",
     .tips = "nondeterministic_output",
     .history = "2.8.0 The reply -2 when there is no such key."},
    {"expiretime", cmd_expiretime, 2, TTL_FLAGS, {1, 1, 1}, NULL, "7.0.0", "O(1)", "key",
     "Returns the time in seconds at which a key expires, -1 for never, -2 when it is absent."},
    {"pexpiretime", cmd_pexpiretime, 2, TTL_FLAGS, {1, 1, 1}, NULL, "7.0.0", "O(1)", "key",
     "Returns the time in milliseconds at which a key expires, -1 for never, -2 when it is absent."},
};
REGISTER_COMMANDS("generic", expire_commands);
