/* The expiry of single fields of a hash, as Redis 8 has it. */
#include "base/mem.h"
#include "base/numbers.h"
#include "engine/events.h"
#include "engine/propagate.h"
#include "engine/request.h"
#include "types/hash_value.h"

#include <limits.h>

static const struct event_kind EVENT_HSET = {EVENT_CLASS_HASH, "hset"};
static const struct event_kind EVENT_HDEL = {EVENT_CLASS_HASH, "hdel"};
static const struct event_kind EVENT_HEXPIRE = {EVENT_CLASS_HASH, "hexpire"};
static const struct event_kind EVENT_HPERSIST = {EVENT_CLASS_HASH, "hpersist"};

#define ERR_FIELDS_MISSING "ERR Mandatory argument FIELDS is missing or not at the right position"
#define ERR_FIELDS_COUNT   "ERR The `numfields` parameter must match the number of arguments"
#define ERR_COUNT_EXPIRE   "ERR Parameter `numFields` should be greater than 0"
#define ERR_COUNT_OTHERS   "ERR Number of fields must be a positive integer"
#define ERR_COUNT_HSETEX   "ERR invalid number of fields"
#define ERR_EXPIRE_NEGATIVE "ERR invalid expire time, must be >= 0"
#define ERR_EXPIRE_TWICE                                                                           \
    "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"
#define ERR_CONDITION_TWICE "ERR Only one of FXX or FNX arguments can be specified"

/* What is replied for a field. */
#define FIELD_ABSENT  (-2)
#define FIELD_NO_TTL  (-1)
#define FIELD_SKIPPED 0
#define FIELD_DONE    1
#define FIELD_DELETED 2

#define DEADLINE_MAX ((INT64_C(1) << 46) - 1) /* Redis's, some 2200 years from now */

/* --- arguments -------------------------------------------------------------------------------------- */

/* A time from now on (is_relative) or since 1970. */
static bool parse_deadline_or_reply(struct request *req, int at, int64_t unit_ms, bool is_relative,
                                    int64_t *deadline_ms)
{
    int64_t base = is_relative ? clock_now_ms(req->engine->clock) : 0, value;
    char name[COMMAND_NAME_MAX];

    if (!parse_int_or_reply(req, at, &value))
        return false;
    if (value < 0) {
        reply_error(req, ERR_EXPIRE_NEGATIVE);
        return false;
    }
    if (value <= DEADLINE_MAX / unit_ms && value * unit_ms <= DEADLINE_MAX - base) {
        *deadline_ms = base + value * unit_ms;
        return true;
    }
    reply_error_format(req, "ERR invalid expire time in '%s' command",
                       command_full_name(req->command, name));
    return false;
}

/* FIELDS count field ...: to the end of the arguments. There are at least two from 'at' on. */
static bool parse_fields_or_reply(struct request *req, int at, const char *count_error, int *first)
{
    int64_t count;

    if (!argument_is(req, at, "fields")) {
        reply_error(req, ERR_FIELDS_MISSING);
        return false;
    }
    if (!int64_parse(req->argv[at + 1], &count) || count < 1) {
        reply_error(req, count_error);
        return false;
    }
    if (count != req->argc - at - 2) {
        reply_error(req, ERR_FIELDS_COUNT);
        return false;
    }
    *first = at + 2;
    return true;
}

/* EX, PX, EXAT or PXAT. */
static bool is_expire_option(const struct request *req, int at, int64_t *unit_ms, bool *is_relative)
{
    bool in_seconds = argument_is(req, at, "ex") || argument_is(req, at, "exat");

    *is_relative = argument_is(req, at, "ex") || argument_is(req, at, "px");
    *unit_ms = in_seconds ? 1000 : 1;
    return in_seconds || *is_relative || argument_is(req, at, "pxat");
}

static bool is_past(const struct request *req, int64_t deadline_ms)
{
    return deadline_ms <= clock_now_ms(req->engine->clock);
}

/* --- what follows a change -------------------------------------------------------------------------- */

/* The fields that a command has changed, with room for what stands before them when it travels. */
struct changed {
    struct bytes *words;
    int count, size;
};

#define WORDS_BEFORE 5

static struct changed changed_new(const struct request *req)
{
    struct changed changed = {.size = req->argc + WORDS_BEFORE};

    changed.words = mem_alloc((size_t)changed.size * sizeof *changed.words);
    return changed;
}

static void changed_release(struct changed *changed)
{
    mem_free(changed->words, (size_t)changed->size * sizeof *changed->words);
}

static void changed_add(struct changed *changed, struct bytes field)
{
    changed->words[WORDS_BEFORE + changed->count++] = field;
}

/* HDEL of these, and the key when they were the last. */
static void report_deleted(struct request *req, struct key_ref *ref, struct changed *changed)
{
    struct bytes *words = changed->words + WORDS_BEFORE - 2;

    key_changed(req, req->db, req->argv[1], &EVENT_HDEL, changed->count);
    words[0] = BYTES("HDEL");
    words[1] = req->argv[1];
    propagate_instead(req, 2 + changed->count, words);
    if (hash_size(entry_value(ref->entry)))
        return;
    store_remove(ref);
    key_removed(req, req->db, req->argv[1], &EVENT_DEL, 0);
}

static void report_deadline(struct request *req, struct key_ref *ref, struct changed *changed,
                            int64_t deadline_ms)
{
    char deadline[INT64_TEXT_MAX], count[INT64_TEXT_MAX];
    struct bytes *words = changed->words;

    store_file_hash(ref);
    key_changed(req, req->db, req->argv[1], &EVENT_HEXPIRE, changed->count);
    words[0] = BYTES("HPEXPIREAT");
    words[1] = req->argv[1];
    words[2] = (struct bytes){deadline, int64_format(deadline, deadline_ms)};
    words[3] = BYTES("FIELDS");
    words[4] = (struct bytes){count, int64_format(count, changed->count)};
    propagate_instead(req, WORDS_BEFORE + changed->count, words);
}

static void report_persisted(struct request *req, struct changed *changed)
{
    struct bytes *words = changed->words + WORDS_BEFORE - 4;
    char count[INT64_TEXT_MAX];

    key_changed(req, req->db, req->argv[1], &EVENT_HPERSIST, changed->count);
    words[0] = BYTES("HPERSIST");
    words[1] = req->argv[1];
    words[2] = BYTES("FIELDS");
    words[3] = (struct bytes){count, int64_format(count, changed->count)};
    propagate_instead(req, 4 + changed->count, words);
}

/* --- HEXPIRE and its family ------------------------------------------------------------------------- */

enum condition { ALWAYS, WHEN_NONE, WHEN_SOME, WHEN_GREATER, WHEN_LESS };

static enum condition parse_condition(const struct request *req, int at)
{
    static const char *const words[] = {[WHEN_NONE] = "nx", "xx", "gt", "lt"};

    for (enum condition condition = WHEN_NONE; condition <= WHEN_LESS; condition++)
        if (argument_is(req, at, words[condition]))
            return condition;
    return ALWAYS;
}

/* A field without deadline counts as one that lives for ever. */
static bool holds(enum condition condition, int64_t current_ms, int64_t new_ms)
{
    bool has_deadline = current_ms != HASH_NO_DEADLINE;

    switch (condition) {
    case WHEN_NONE:
        return !has_deadline;
    case WHEN_SOME:
        return has_deadline;
    case WHEN_GREATER:
        return has_deadline && new_ms > current_ms;
    case WHEN_LESS:
        return !has_deadline || new_ms < current_ms;
    default:
        return true;
    }
}

static int expire_field(struct request *req, struct hash *hash, struct bytes field,
                        enum condition condition, int64_t deadline_ms)
{
    int64_t current_ms;

    if (!hash_get_deadline(hash, field, &current_ms))
        return FIELD_ABSENT;
    if (!holds(condition, current_ms, deadline_ms))
        return FIELD_SKIPPED;
    if (is_past(req, deadline_ms)) {
        hash_remove(hash, hashed(field));
        return FIELD_DELETED;
    }
    hash_set_deadline(hash, field, deadline_ms);
    return FIELD_DONE;
}

static void reply_absent(struct request *req, int first)
{
    reply_array(req, (size_t)(req->argc - first));
    for (int i = first; i < req->argc; i++)
        reply_int(req, FIELD_ABSENT);
}

static void expire_fields(struct request *req, struct key_ref *ref, int first,
                          enum condition condition, int64_t deadline_ms)
{
    struct changed changed = changed_new(req);

    reply_array(req, (size_t)(req->argc - first));
    for (int i = first; i < req->argc; i++) {
        int result = expire_field(req, entry_value(ref->entry), req->argv[i], condition, deadline_ms);

        if (result == FIELD_DONE || result == FIELD_DELETED)
            changed_add(&changed, req->argv[i]);
        reply_int(req, result);
    }
    if (changed.count && is_past(req, deadline_ms))
        report_deleted(req, ref, &changed);
    else if (changed.count)
        report_deadline(req, ref, &changed, deadline_ms);
    changed_release(&changed);
}

static void expire(struct request *req, int64_t unit_ms, bool is_relative)
{
    enum condition condition;
    int64_t deadline_ms;
    struct key_ref ref;
    int first;

    if (!key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_WRITE, &ref) ||
        !parse_deadline_or_reply(req, 2, unit_ms, is_relative, &deadline_ms))
        return;
    condition = parse_condition(req, 3);
    if (!parse_fields_or_reply(req, condition == ALWAYS ? 3 : 4, ERR_COUNT_EXPIRE, &first))
        return;
    if (ref.entry)
        expire_fields(req, &ref, first, condition, deadline_ms);
    else
        reply_absent(req, first);
}

static void cmd_hexpire(struct request *req) { expire(req, 1000, true); }
static void cmd_hpexpire(struct request *req) { expire(req, 1, true); }
static void cmd_hexpireat(struct request *req) { expire(req, 1000, false); }
static void cmd_hpexpireat(struct request *req) { expire(req, 1, false); }

/* --- HTTL and its family, HPERSIST ------------------------------------------------------------------ */

/* Seconds are rounded up. */
static void ttl(struct request *req, bool in_ms, bool is_absolute)
{
    int64_t base = is_absolute ? 0 : clock_now_ms(req->engine->clock), ms;
    struct key_ref ref;
    int first;

    if (!key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_READ, &ref) ||
        !parse_fields_or_reply(req, 2, ERR_COUNT_OTHERS, &first))
        return;
    if (!ref.entry) {
        reply_absent(req, first);
        return;
    }
    reply_array(req, (size_t)(req->argc - first));
    for (int i = first; i < req->argc; i++) {
        if (!hash_get_deadline(entry_value(ref.entry), req->argv[i], &ms))
            reply_int(req, FIELD_ABSENT);
        else if (ms == HASH_NO_DEADLINE)
            reply_int(req, FIELD_NO_TTL);
        else
            reply_int(req, in_ms ? ms - base : (ms - base + 999) / 1000);
    }
}

static void cmd_httl(struct request *req) { ttl(req, false, false); }
static void cmd_hpttl(struct request *req) { ttl(req, true, false); }
static void cmd_hexpiretime(struct request *req) { ttl(req, false, true); }
static void cmd_hpexpiretime(struct request *req) { ttl(req, true, true); }

/* Takes a field's deadline, if it has one. */
static int persist_field(struct hash *hash, struct bytes field)
{
    int64_t deadline_ms;

    if (!hash_get_deadline(hash, field, &deadline_ms))
        return FIELD_ABSENT;
    if (deadline_ms == HASH_NO_DEADLINE)
        return FIELD_NO_TTL;
    hash_clear_deadline(hash, field);
    return FIELD_DONE;
}

static void cmd_hpersist(struct request *req)
{
    struct changed changed;
    struct key_ref ref;
    int first;

    if (!key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_WRITE, &ref) ||
        !parse_fields_or_reply(req, 2, ERR_COUNT_OTHERS, &first))
        return;
    if (!ref.entry) {
        reply_absent(req, first);
        return;
    }
    changed = changed_new(req);
    reply_array(req, (size_t)(req->argc - first));
    for (int i = first; i < req->argc; i++) {
        int result = persist_field(entry_value(ref.entry), req->argv[i]);

        if (result == FIELD_DONE)
            changed_add(&changed, req->argv[i]);
        reply_int(req, result);
    }
    if (changed.count)
        report_persisted(req, &changed);
    changed_release(&changed);
}

/* --- HGETDEL, HGETEX -------------------------------------------------------------------------------- */

static void reply_nulls(struct request *req, int first)
{
    reply_array(req, (size_t)(req->argc - first));
    for (int i = first; i < req->argc; i++)
        reply_null(req);
}

/* False when the field is absent. */
static bool reply_field(struct request *req, const struct hash *hash, struct bytes field)
{
    struct bytes value;

    if (hash_get(hash, hashed(field), &value)) {
        reply_bulk(req, value);
        return true;
    }
    reply_null(req);
    return false;
}

static void get_and_delete(struct request *req, struct key_ref *ref, int first)
{
    struct hash *hash = entry_value(ref->entry);
    struct changed changed = changed_new(req);

    reply_array(req, (size_t)(req->argc - first));
    for (int i = first; i < req->argc; i++)
        if (reply_field(req, hash, req->argv[i])) {
            hash_remove(hash, request_member(req, i));
            changed_add(&changed, req->argv[i]);
        }
    if (changed.count)
        report_deleted(req, ref, &changed);
    changed_release(&changed);
}

static void cmd_hgetdel(struct request *req)
{
    struct key_ref ref;
    int first;

    if (!key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_WRITE, &ref) ||
        !parse_fields_or_reply(req, 2, ERR_COUNT_OTHERS, &first))
        return;
    if (ref.entry)
        get_and_delete(req, &ref, first);
    else
        reply_nulls(req, first);
}

static void get_and_set_deadline(struct request *req, struct key_ref *ref, int first,
                                 int64_t deadline_ms)
{
    struct hash *hash = entry_value(ref->entry);
    struct changed changed = changed_new(req);

    reply_array(req, (size_t)(req->argc - first));
    for (int i = first; i < req->argc; i++)
        if (reply_field(req, hash, req->argv[i])) {
            hash_set_deadline(hash, req->argv[i], deadline_ms);
            changed_add(&changed, req->argv[i]);
        }
    if (changed.count)
        report_deadline(req, ref, &changed, deadline_ms);
    changed_release(&changed);
}

static void get_and_persist(struct request *req, struct key_ref *ref, int first)
{
    struct hash *hash = entry_value(ref->entry);
    struct changed changed = changed_new(req);

    reply_array(req, (size_t)(req->argc - first));
    for (int i = first; i < req->argc; i++)
        if (reply_field(req, hash, req->argv[i]) &&
            persist_field(hash, req->argv[i]) == FIELD_DONE)
            changed_add(&changed, req->argv[i]);
    if (changed.count)
        report_persisted(req, &changed);
    changed_release(&changed);
}

static void get_fields(struct request *req, const struct hash *hash, int first)
{
    reply_array(req, (size_t)(req->argc - first));
    for (int i = first; i < req->argc; i++)
        reply_field(req, hash, req->argv[i]);
}

static void cmd_hgetex(struct request *req)
{
    bool is_relative, has_deadline, persists;
    int64_t deadline_ms = 0, unit_ms;
    struct key_ref ref;
    int at = 2, first;

    if (!key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_WRITE, &ref))
        return;
    has_deadline = is_expire_option(req, at, &unit_ms, &is_relative);
    persists = argument_is(req, at, "persist");
    if (has_deadline && !parse_deadline_or_reply(req, at + 1, unit_ms, is_relative, &deadline_ms))
        return;
    at += has_deadline ? 2 : persists;
    if (at + 2 > req->argc) {
        reply_wrong_arity(req);
        return;
    }
    if (!parse_fields_or_reply(req, at, ERR_COUNT_OTHERS, &first))
        return;
    if (!ref.entry)
        reply_nulls(req, first);
    else if (persists)
        get_and_persist(req, &ref, first);
    else if (!has_deadline)
        get_fields(req, entry_value(ref.entry), first);
    else if (is_past(req, deadline_ms))
        get_and_delete(req, &ref, first);
    else
        get_and_set_deadline(req, &ref, first, deadline_ms);
}

/* --- HSETEX ----------------------------------------------------------------------------------------- */

struct setex {
    bool only_new, only_existing, keep_deadline, has_deadline;
    int64_t deadline_ms;
    int first; /* of the fields and values, which go to the end */
};

static bool take_condition_or_reply(struct request *req, int at, struct setex *setex)
{
    if (setex->only_new || setex->only_existing) {
        reply_error(req, ERR_CONDITION_TWICE);
        return false;
    }
    setex->only_new = argument_is(req, at, "fnx");
    setex->only_existing = !setex->only_new;
    return true;
}

static bool parse_pairs_or_reply(struct request *req, int at, struct setex *setex)
{
    int64_t count;

    setex->first = at + 2;
    if (setex->first > req->argc) {
        reply_wrong_arity(req);
        return false;
    }
    if (!int64_parse(req->argv[at + 1], &count) || count < 1 || count > INT_MAX) {
        reply_error(req, ERR_COUNT_HSETEX);
        return false;
    }
    if (2 * count == req->argc - setex->first)
        return true;
    reply_wrong_arity(req);
    return false;
}

static bool parse_setex_or_reply(struct request *req, struct setex *setex)
{
    *setex = (struct setex){0};
    for (int i = 2; i < req->argc; i++) {
        bool is_relative, is_expire, is_keep = argument_is(req, i, "keepttl");
        int64_t unit_ms;

        is_expire = is_expire_option(req, i, &unit_ms, &is_relative);
        if (argument_is(req, i, "fields"))
            return parse_pairs_or_reply(req, i, setex);
        if (argument_is(req, i, "fnx") || argument_is(req, i, "fxx")) {
            if (!take_condition_or_reply(req, i, setex))
                return false;
        } else if (!is_expire && !is_keep) {
            reply_error_format(req, "ERR unknown argument: %.*s", (int)req->argv[i].len,
                               req->argv[i].data);
            return false;
        } else if (setex->keep_deadline || setex->has_deadline) {
            reply_error(req, ERR_EXPIRE_TWICE);
            return false;
        } else if (is_keep) {
            setex->keep_deadline = true;
        } else {
            setex->has_deadline = true;
            if (i + 1 == req->argc)
                break;
            if (!parse_deadline_or_reply(req, ++i, unit_ms, is_relative, &setex->deadline_ms))
                return false;
        }
    }
    reply_wrong_arity(req);
    return false;
}

/* FNX: none is there. FXX: all are. */
static bool condition_holds(const struct request *req, const struct setex *setex,
                            const struct hash *hash)
{
    struct bytes value;

    for (int i = setex->first; (setex->only_new || setex->only_existing) && i < req->argc; i += 2) {
        bool is_there = hash && hash_get(hash, request_member(req, i), &value);

        if (is_there ? setex->only_new : setex->only_existing)
            return false;
    }
    return true;
}

/* Without the condition, which held. */
static void propagate_setex(struct request *req, const struct setex *setex)
{
    int pairs = req->argc - setex->first, argc = 2;
    char deadline[INT64_TEXT_MAX], count[INT64_TEXT_MAX];
    size_t size = ((size_t)pairs + 6) * sizeof(struct bytes);
    struct bytes *words = mem_alloc(size);

    words[0] = BYTES("HSETEX");
    words[1] = req->argv[1];
    if (setex->keep_deadline)
        words[argc++] = BYTES("KEEPTTL");
    if (setex->has_deadline) {
        words[argc++] = BYTES("PXAT");
        words[argc++] = (struct bytes){deadline, int64_format(deadline, setex->deadline_ms)};
    }
    words[argc++] = BYTES("FIELDS");
    words[argc++] = (struct bytes){count, int64_format(count, pairs / 2)};
    memcpy(words + argc, req->argv + setex->first, (size_t)pairs * sizeof *words);
    propagate_instead(req, argc + pairs, words);
    mem_free(words, size);
}

/* Fields that are over before they began: they are set, and gone. */
static void delete_again(struct request *req, struct key_ref *ref, const struct setex *setex)
{
    struct changed changed = changed_new(req);

    for (int i = setex->first; i < req->argc; i += 2)
        if (hash_remove(entry_value(ref->entry), request_member(req, i)))
            changed_add(&changed, req->argv[i]);
    report_deleted(req, ref, &changed);
    changed_release(&changed);
}

static void set_fields(struct request *req, struct key_ref *ref, const struct setex *setex)
{
    int count = req->argc - setex->first;
    bool is_over = setex->has_deadline && is_past(req, setex->deadline_ms);
    struct hash *hash;

    if (!ref->entry)
        store_add(ref, req->argv[1], VALUE_HASH, hash_new());
    hash = entry_value(ref->entry);
    hash_expect(hash, req->argv + setex->first, (size_t)count);
    for (int i = setex->first; i < req->argc; i += 2) {
        hash_set(hash, request_member(req, i), req->argv[i + 1], setex->keep_deadline || setex->has_deadline);
        if (setex->has_deadline && !is_over)
            hash_set_deadline(hash, req->argv[i], setex->deadline_ms);
    }
    key_changed(req, req->db, req->argv[1], &EVENT_HSET, count / 2);
    if (is_over) {
        delete_again(req, ref, setex);
        return;
    }
    if (setex->has_deadline) {
        store_file_hash(ref);
        key_event(req->engine, req->db, req->argv[1], &EVENT_HEXPIRE);
    }
    propagate_setex(req, setex);
}

static void cmd_hsetex(struct request *req)
{
    struct setex setex;
    struct key_ref ref;

    if (!parse_setex_or_reply(req, &setex) ||
        !key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_WRITE, &ref))
        return;
    if (!condition_holds(req, &setex, ref.entry ? entry_value(ref.entry) : NULL)) {
        reply_int(req, 0);
        return;
    }
    set_fields(req, &ref, &setex);
    reply_int(req, 1);
}

/* --- the table -------------------------------------------------------------------------------------- */

#define KEY_RULES(name, key_flags)                                                                 \
    static const struct key_rule name[] = {                                                        \
        {key_flags, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}}

KEY_RULES(updates, KEY_RW | KEY_UPDATE);
KEY_RULES(reads_and_updates, KEY_RW | KEY_ACCESS | KEY_UPDATE);
KEY_RULES(reads_and_deletes, KEY_RW | KEY_ACCESS | KEY_DELETE);

#define CHANGE_FLAGS (CMD_WRITE | CMD_FAST)
#define READ_FLAGS   (CMD_READONLY | CMD_FAST)

static const struct command hash_expire_commands[] = {
    {"hexpire", cmd_hexpire, -6, CHANGE_FLAGS, {1, 1, 1}, NULL, "7.4.0", "O(N) fields",
     "key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     "Lets fields of a hash expire after some seconds.", updates},
    {"hpexpire", cmd_hpexpire, -6, CHANGE_FLAGS, {1, 1, 1}, NULL, "7.4.0", "O(N) fields",
     "key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     "Lets fields of a hash expire after some milliseconds.", updates},
    {"hexpireat", cmd_hexpireat, -6, CHANGE_FLAGS, {1, 1, 1}, NULL, "7.4.0", "O(N) fields",
     "key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     "Lets fields of a hash expire at a time in seconds.", updates},
    {"hpexpireat", cmd_hpexpireat, -6, CHANGE_FLAGS, {1, 1, 1}, NULL, "7.4.0", "O(N) fields",
     "key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
     "Lets fields of a hash expire at a time in milliseconds.", updates},
    {"httl", cmd_httl, -5, READ_FLAGS, {1, 1, 1}, NULL, "7.4.0", "O(N) fields",
     "key FIELDS numfields field [field ...]",
     "Returns the seconds until fields of a hash expire, -1 for never, -2 when absent.",
     .tips = "nondeterministic_output"},
    {"hpttl", cmd_hpttl, -5, READ_FLAGS, {1, 1, 1}, NULL, "7.4.0", "O(N) fields",
     "key FIELDS numfields field [field ...]",
     "Returns the milliseconds until fields of a hash expire, -1 for never, -2 when absent.",
     .tips = "nondeterministic_output"},
    {"hexpiretime", cmd_hexpiretime, -5, READ_FLAGS, {1, 1, 1}, NULL, "7.4.0", "O(N) fields",
     "key FIELDS numfields field [field ...]",
     "Returns the time in seconds at which fields of a hash expire, -1 for never, -2 when absent."},
    {"hpexpiretime", cmd_hpexpiretime, -5, READ_FLAGS, {1, 1, 1}, NULL, "7.4.0", "O(N) fields",
     "key FIELDS numfields field [field ...]",
     "Returns the time in milliseconds at which fields of a hash expire, -1 for never, -2 when absent."},
    {"hpersist", cmd_hpersist, -5, CHANGE_FLAGS, {1, 1, 1}, NULL, "7.4.0", "O(N) fields",
     "key FIELDS numfields field [field ...]", "Takes the expiry from fields of a hash.", updates},
    {"hgetdel", cmd_hgetdel, -5, CHANGE_FLAGS, {1, 1, 1}, NULL, "8.0.0", "O(N) fields",
     "key FIELDS numfields field [field ...]",
     "Returns the values of fields of a hash and removes the fields.", reads_and_deletes},
    {"hgetex", cmd_hgetex, -5, CHANGE_FLAGS, {1, 1, 1}, NULL, "8.0.0", "O(N) fields",
     "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | "
     "PERSIST] FIELDS numfields field [field ...]",
     "Returns the values of fields of a hash and changes their expiry.", reads_and_updates},
    {"hsetex", cmd_hsetex, -6, CHANGE_FLAGS | CMD_GROWS, {1, 1, 1}, NULL, "8.0.0", "O(N) fields",
     "key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
     "PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]",
     "Sets fields of a hash, with an expiry when asked.", updates},
};
REGISTER_COMMANDS("hash", hash_expire_commands);
