/* Hashes. What has to do with the expiry of fields is in cmd_hash_expire.c. */
#include "base/hash.h"
#include "base/mem.h"
#include "base/numbers.h"
#include "engine/events.h"
#include "engine/propagate.h"
#include "engine/request.h"
#include "scan_argument_internal.h"
#include "types/hash_value.h"

#include <math.h>

static const struct event_kind EVENT_HSET = {EVENT_CLASS_HASH, "hset"};
static const struct event_kind EVENT_HDEL = {EVENT_CLASS_HASH, "hdel"};
static const struct event_kind EVENT_HINCRBY = {EVENT_CLASS_HASH, "hincrby"};
static const struct event_kind EVENT_HINCRBYFLOAT = {EVENT_CLASS_HASH, "hincrbyfloat"};

#define ERR_HASH_NOT_INTEGER "ERR hash value is not an integer"
#define ERR_HASH_NOT_FLOAT   "ERR hash value is not a float"
#define ERR_HASH_NAN_OR_INF  "ERR value is NaN or Infinity"
#define ERR_COUNT_RANGE                                                                            \
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"

/* The hash at a found or absent key, made when absent. */
static struct hash *hash_at(struct key_ref *ref, struct bytes key)
{
    if (!ref->entry)
        store_add(ref, key, VALUE_HASH, hash_new());
    return entry_value(ref->entry);
}

/* Finds a hash that may be absent, to be read. */
static bool hash_find_or_reply(struct request *req, const struct hash **hash)
{
    struct key_ref ref;

    if (!key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_READ, &ref))
        return false;
    *hash = ref.entry ? entry_value(ref.entry) : NULL;
    return true;
}

/* --- setting ---------------------------------------------------------------------------------------- */

static bool set_pairs_or_reply(struct request *req, int64_t *created)
{
    struct key_ref ref;
    struct hash *hash;

    if (req->argc % 2 == 1) {
        reply_wrong_arity(req);
        return false;
    }
    if (!key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_WRITE, &ref))
        return false;
    hash = hash_at(&ref, req->argv[1]);
    hash_expect(hash, req->argv + 2, (size_t)req->argc - 2);
    *created = 0;
    for (int i = 2; i < req->argc; i += 2)
        *created += hash_set(hash, request_member(req, i), req->argv[i + 1], false);
    key_changed(req, req->db, req->argv[1], &EVENT_HSET, req->argc / 2 - 1);
    return true;
}

static void cmd_hset(struct request *req)
{
    int64_t created;

    if (set_pairs_or_reply(req, &created))
        reply_int(req, created);
}

static void cmd_hmset(struct request *req)
{
    int64_t created;

    if (set_pairs_or_reply(req, &created))
        reply_ok(req);
}

static void cmd_hsetnx(struct request *req)
{
    struct key_ref ref;
    struct bytes value;

    if (!key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_WRITE, &ref))
        return;
    if (ref.entry && hash_get(entry_value(ref.entry), request_member(req, 2), &value)) {
        reply_int(req, 0);
        return;
    }
    hash_set(hash_at(&ref, req->argv[1]), request_member(req, 2), req->argv[3], false);
    key_changed(req, req->db, req->argv[1], &EVENT_HSET, 1);
    reply_int(req, 1);
}

static void cmd_hincrby(struct request *req)
{
    char text[INT64_TEXT_MAX];
    struct key_ref ref;
    struct bytes old;
    int64_t value = 0, by;

    if (!parse_int_or_reply(req, 3, &by) ||
        !key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_WRITE, &ref))
        return;
    if (ref.entry && hash_get(entry_value(ref.entry), request_member(req, 2), &old) &&
        !int64_parse(old, &value)) {
        reply_error(req, ERR_HASH_NOT_INTEGER);
        return;
    }
    if (__builtin_add_overflow(value, by, &value)) {
        reply_error(req, ERR_OVERFLOW);
        return;
    }
    hash_set(hash_at(&ref, req->argv[1]), request_member(req, 2),
             (struct bytes){text, int64_format(text, value)}, true);
    key_changed(req, req->db, req->argv[1], &EVENT_HINCRBY, 1);
    reply_int(req, value);
}

/* What travels has the sum, since another machine's long doubles might give another. */
static void propagate_sum(struct request *req, const struct hash *hash, struct bytes sum)
{
    struct bytes key = req->argv[1], field = req->argv[2];
    int64_t deadline_ms;

    hash_get_deadline(hash, field, &deadline_ms);
    if (deadline_ms == HASH_NO_DEADLINE)
        propagate_instead(req, 4, (struct bytes[]){BYTES("HSET"), key, field, sum});
    else
        propagate_instead(req, 7, (struct bytes[]){BYTES("HSETEX"), key, BYTES("KEEPTTL"),
                                                   BYTES("FIELDS"), BYTES("1"), field, sum});
}

static void cmd_hincrbyfloat(struct request *req)
{
    char text[LONG_DOUBLE_TEXT_MAX];
    long double value = 0, by;
    struct bytes old, sum;
    struct key_ref ref;

    if (!parse_long_double_or_reply(req, 3, &by))
        return;
    if (isinf(by)) {
        reply_error(req, ERR_HASH_NAN_OR_INF);
        return;
    }
    if (!key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_WRITE, &ref))
        return;
    if (ref.entry && hash_get(entry_value(ref.entry), request_member(req, 2), &old) &&
        !long_double_parse(old, &value)) {
        reply_error(req, ERR_HASH_NOT_FLOAT);
        return;
    }
    value += by;
    if (isnan(value) || isinf(value)) {
        reply_error(req, ERR_NAN_OR_INF);
        return;
    }
    sum = (struct bytes){text, long_double_format(text, value)};
    hash_set(hash_at(&ref, req->argv[1]), request_member(req, 2), sum, true);
    key_changed(req, req->db, req->argv[1], &EVENT_HINCRBYFLOAT, 1);
    propagate_sum(req, entry_value(ref.entry), sum);
    reply_bulk(req, sum);
}

static void cmd_hdel(struct request *req)
{
    int64_t removed = 0;
    struct key_ref ref;
    struct hash *hash;

    if (!key_find_or_reply(req, 1, VALUE_HASH, LOOKUP_WRITE, &ref))
        return;
    if (!ref.entry) {
        reply_int(req, 0);
        return;
    }
    hash = entry_value(ref.entry);
    for (int i = 2; i < req->argc; i++)
        removed += hash_remove(hash, request_member(req, i));
    reply_int(req, removed);
    if (!removed)
        return;
    key_changed(req, req->db, req->argv[1], &EVENT_HDEL, removed);
    if (!hash_size(hash)) {
        store_remove(&ref);
        key_removed(req, req->db, req->argv[1], &EVENT_DEL, 0);
    }
}

/* --- looking at fields ------------------------------------------------------------------------------ */

static void reply_field(struct request *req, const struct hash *hash, int at)
{
    struct bytes value;

    if (hash && hash_get(hash, request_member(req, at), &value))
        reply_bulk(req, value);
    else
        reply_null(req);
}

static void cmd_hget(struct request *req)
{
    const struct hash *hash;

    if (hash_find_or_reply(req, &hash))
        reply_field(req, hash, 2);
}

static void cmd_hmget(struct request *req)
{
    const struct hash *hash;

    if (!hash_find_or_reply(req, &hash))
        return;
    reply_array(req, (size_t)req->argc - 2);
    for (int i = 2; i < req->argc; i++)
        reply_field(req, hash, i);
}

static void cmd_hexists(struct request *req)
{
    const struct hash *hash;
    struct bytes value;

    if (hash_find_or_reply(req, &hash))
        reply_int(req, hash && hash_get(hash, request_member(req, 2), &value));
}

static void cmd_hstrlen(struct request *req)
{
    const struct hash *hash;
    struct bytes value;

    if (!hash_find_or_reply(req, &hash))
        return;
    reply_int(req, hash && hash_get(hash, request_member(req, 2), &value) ? (int64_t)value.len : 0);
}

static void cmd_hlen(struct request *req)
{
    const struct hash *hash;

    if (hash_find_or_reply(req, &hash))
        reply_int(req, hash ? (int64_t)hash_size(hash) : 0);
}

/* --- looking at all --------------------------------------------------------------------------------- */

#define WANT_FIELDS 1u
#define WANT_VALUES 2u

static void reply_all(struct request *req, unsigned wanted)
{
    struct bytes field, value;
    const struct hash *hash;
    struct hash_iter iter;
    size_t size;

    if (!hash_find_or_reply(req, &hash))
        return;
    size = hash ? hash_size(hash) : 0;
    if (wanted == (WANT_FIELDS | WANT_VALUES))
        reply_map(req, size);
    else
        reply_array(req, size);
    if (!hash)
        return;
    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value)) {
        if (wanted & WANT_FIELDS)
            reply_bulk(req, field);
        if (wanted & WANT_VALUES)
            reply_bulk(req, value);
    }
}

static void cmd_hgetall(struct request *req) { reply_all(req, WANT_FIELDS | WANT_VALUES); }
static void cmd_hkeys(struct request *req) { reply_all(req, WANT_FIELDS); }
static void cmd_hvals(struct request *req) { reply_all(req, WANT_VALUES); }

/* Views of fields and values, which stay while the hash does. */
struct found_pair {
    struct bytes field, value;
};

struct found_pairs {
    struct found_pair *pairs;
    size_t count, size, seen;
    const struct bytes *pattern; /* NULL: all */
};

static void found_add(struct found_pairs *found, struct bytes field, struct bytes value)
{
    if (found->count == found->size) {
        size_t size = found->size ? 2 * found->size : 64;

        found->pairs = found->size ? mem_resize(found->pairs, found->size * sizeof *found->pairs,
                                                size * sizeof *found->pairs)
                                   : mem_alloc(size * sizeof *found->pairs);
        found->size = size;
    }
    found->pairs[found->count++] = (struct found_pair){field, value};
}

static void found_release(struct found_pairs *found)
{
    if (found->size)
        mem_free(found->pairs, found->size * sizeof *found->pairs);
}

static void collect(void *context, struct bytes field, struct bytes value)
{
    struct found_pairs *found = context;

    found->seen++;
    if (!found->pattern || bytes_match(*found->pattern, field, false))
        found_add(found, field, value);
}

static void cmd_hscan(struct request *req)
{
    struct found_pairs found = {0};
    struct scan_argument scan;
    struct key_ref ref;
    uint64_t cursor;

    if (!scan_find_or_reply(req, VALUE_HASH, SCAN_TAKES_NOVALUES, &scan, &ref))
        return;
    found.pattern = scan.pattern;
    do {
        cursor = hash_scan(entry_value(ref.entry), scan.cursor, collect, &found);
    } while (scan_goes_on(&scan, cursor, found.seen));
    scan_reply_cursor(req, &scan);
    reply_array(req, scan.is_without_values ? found.count : 2 * found.count);
    for (size_t i = 0; i < found.count; i++) {
        reply_bulk(req, found.pairs[i].field);
        if (!scan.is_without_values)
            reply_bulk(req, found.pairs[i].value);
    }
    found_release(&found);
}

/* --- random fields ---------------------------------------------------------------------------------- */

/* In RESP3 a field and its value are an array of two. */
static void reply_random_header(struct request *req, size_t count, bool with_values)
{
    reply_array(req, with_values && req->client->resp == 2 ? 2 * count : count);
}

static void reply_random_pair(struct request *req, struct bytes field, struct bytes value,
                              bool with_values)
{
    if (with_values && req->client->resp > 2)
        reply_array(req, 2);
    reply_bulk(req, field);
    if (with_values)
        reply_bulk(req, value);
}

static void random_with_repeats(struct request *req, const struct hash *hash, uint64_t count,
                                bool with_values)
{
    uint64_t start = reply_position(req);
    struct bytes field, value;

    reply_random_header(req, count, with_values);
    for (; count > 0 && reply_goes_on(req, start); count--) {
        hash_random(hash, &req->engine->store->random, &field, &value);
        reply_random_pair(req, field, value, with_values);
    }
}

#define GATHER_MAX   1024 /* fields: so many are gathered however few are wanted */
#define GATHER_SHARE 3    /* and more when a third of them is wanted */

/* Gathers all and shuffles as many as are wanted to the front. */
static void gather_random(struct request *req, const struct hash *hash, uint64_t count,
                          struct found_pairs *found)
{
    struct random *random = &req->engine->store->random;
    struct bytes field, value;
    struct hash_iter iter;

    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value))
        found_add(found, field, value);
    for (uint64_t i = 0; i < count && count < found->count; i++) {
        uint64_t other = i + random_below(random, found->count - i);
        struct found_pair pair = found->pairs[i];

        found->pairs[i] = found->pairs[other];
        found->pairs[other] = pair;
    }
    found->count = count;
}

static uint64_t address_hash(const void *entry)
{
    return hash_bytes((struct bytes){(const char *)&entry, sizeof entry});
}

static bool is_same_address(const void *entry, const void *other) { return entry == other; }

/* Picks until there are enough different ones: few of many. A field is known by where it lies. */
static void pick_random(struct request *req, const struct hash *hash, uint64_t count,
                        struct found_pairs *found)
{
    static const struct dict_type type = {.hash = address_hash};
    struct bytes field, value;
    struct dict picked;

    dict_init(&picked, &type);
    while (found->count < count) {
        hash_random(hash, &req->engine->store->random, &field, &value);
        uint64_t place = address_hash(field.data);

        if (dict_find(&picked, place, is_same_address, field.data))
            continue;
        dict_insert(&picked, place, (void *)field.data);
        found_add(found, field, value);
    }
    dict_release(&picked);
}

static void random_distinct(struct request *req, const struct hash *hash, uint64_t count,
                            bool with_values)
{
    struct found_pairs found = {0};
    uint64_t size = hash_size(hash);

    if (count > size)
        count = size;
    if (size <= GATHER_MAX || count > size / GATHER_SHARE)
        gather_random(req, hash, count, &found);
    else
        pick_random(req, hash, count, &found);
    reply_random_header(req, found.count, with_values);
    for (size_t i = 0; i < found.count; i++)
        reply_random_pair(req, found.pairs[i].field, found.pairs[i].value, with_values);
    found_release(&found);
}

/* The count and WITHVALUES; with values a reply has twice as many elements. */
static bool parse_random_or_reply(struct request *req, int64_t *count, bool *with_values)
{
    *with_values = req->argc > 3;
    if (!parse_int_or_reply(req, 2, count))
        return false;
    if (*count == INT64_MIN) {
        reply_error(req, ERR_COUNT_RANGE);
        return false;
    }
    if (req->argc > 4 || (*with_values && !argument_is(req, 3, "withvalues"))) {
        reply_syntax_error(req);
        return false;
    }
    if (*with_values && (*count < -INT64_MAX / 2 || *count > INT64_MAX / 2)) {
        reply_error(req, ERR_OUT_OF_RANGE);
        return false;
    }
    return true;
}

static void cmd_hrandfield(struct request *req)
{
    const struct hash *hash;
    struct bytes field, value;
    bool with_values = false;
    int64_t count = 0;

    if (req->argc > 2 && !parse_random_or_reply(req, &count, &with_values))
        return;
    if (!hash_find_or_reply(req, &hash))
        return;
    if (req->argc == 2) {
        if (hash && hash_random(hash, &req->engine->store->random, &field, &value))
            reply_bulk(req, field);
        else
            reply_null(req);
        return;
    }
    if (!hash || !count)
        reply_array(req, 0);
    else if (count < 0)
        random_with_repeats(req, hash, (uint64_t)-count, with_values);
    else
        random_distinct(req, hash, (uint64_t)count, with_values);
}

/* --- the table -------------------------------------------------------------------------------------- */

#define KEY_RULES(name, key_flags)                                                                 \
    static const struct key_rule name[] = {                                                        \
        {key_flags, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}}, {0}}

KEY_RULES(looks, KEY_RO);
KEY_RULES(reads_and_updates, KEY_RW | KEY_ACCESS | KEY_UPDATE);
KEY_RULES(updates, KEY_RW | KEY_UPDATE);
KEY_RULES(inserts, KEY_RW | KEY_INSERT);
KEY_RULES(deletes, KEY_RW | KEY_DELETE);

#define READ_FLAGS (CMD_READONLY | CMD_FAST)
#define SET_FLAGS  (CMD_WRITE | CMD_GROWS | CMD_FAST)

static const struct command hash_commands[] = {
    {"hset", cmd_hset, -4, SET_FLAGS, {1, 1, 1}, NULL, "2.0.0", "O(N) fields",
     "key field value [field value ...]",
     "Sets fields of a hash, creating it when absent, and counts the new ones.", updates, .member = 2,
     .history = "4.0.0 Several fields with their values."},
    {"hsetnx", cmd_hsetnx, 4, SET_FLAGS, {1, 1, 1}, NULL, "2.0.0", "O(1)", "key field value",
     "Sets a field of a hash only when the field is absent.", inserts, .member = 2},
    {"hmset", cmd_hmset, -4, SET_FLAGS, {1, 1, 1}, NULL, "2.0.0", "O(N) fields",
     "key field value [field value ...]", "Sets fields of a hash (the old name of HSET).", updates, .member = 2},
    {"hincrby", cmd_hincrby, 4, SET_FLAGS, {1, 1, 1}, NULL, "2.0.0", "O(1)", "key field increment",
     "Adds a number to the integer in a field of a hash, 0 when absent.", reads_and_updates, .member = 2},
    {"hincrbyfloat", cmd_hincrbyfloat, 4, SET_FLAGS, {1, 1, 1}, NULL, "2.6.0", "O(1)",
     "key field increment", "Adds a floating point number to the number in a field of a hash.",
     reads_and_updates, .member = 2},
    {"hdel", cmd_hdel, -3, CMD_WRITE | CMD_FAST, {1, 1, 1}, NULL, "2.0.0", "O(N) fields",
     "key field [field ...]", "Removes fields from a hash, and the key with the last of them.",
     deletes, .member = 2,
     .history = "2.4.0 Several fields."},
    {"hget", cmd_hget, 3, READ_FLAGS, {1, 1, 1}, NULL, "2.0.0", "O(1)", "key field",
     "Returns the value of a field of a hash.", .member = 2},
    {"hmget", cmd_hmget, -3, READ_FLAGS, {1, 1, 1}, NULL, "2.0.0", "O(N) fields",
     "key field [field ...]", "Returns the values of fields of a hash, null for the absent.", .member = 2},
    {"hexists", cmd_hexists, 3, READ_FLAGS, {1, 1, 1}, NULL, "2.0.0", "O(1)", "key field",
     "Tells whether a field is in a hash.", looks, .member = 2},
    {"hstrlen", cmd_hstrlen, 3, READ_FLAGS, {1, 1, 1}, NULL, "3.2.0", "O(1)", "key field",
     "Returns the length of the value of a field.", looks, .member = 2},
    {"hlen", cmd_hlen, 2, READ_FLAGS, {1, 1, 1}, NULL, "2.0.0", "O(1)", "key",
     "Returns the number of fields of a hash.", looks},
    {"hgetall", cmd_hgetall, 2, CMD_READONLY, {1, 1, 1}, NULL, "2.0.0", "O(N) fields", "key",
     "Returns all fields and values of a hash.",
     .tips = "nondeterministic_output_order"},
    {"hkeys", cmd_hkeys, 2, CMD_READONLY, {1, 1, 1}, NULL, "2.0.0", "O(N) fields", "key",
     "Returns all fields of a hash.",
     .tips = "nondeterministic_output_order"},
    {"hvals", cmd_hvals, 2, CMD_READONLY, {1, 1, 1}, NULL, "2.0.0", "O(N) fields", "key",
     "Returns all values of a hash.",
     .tips = "nondeterministic_output_order"},
    {"hscan", cmd_hscan, -3, CMD_READONLY, {1, 1, 1}, NULL, "2.8.0", "O(1) a call, O(N) for all",
     "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
     "Walks the fields of a hash, some at each call.",
     .tips = "nondeterministic_output"},
    {"hrandfield", cmd_hrandfield, -2, CMD_READONLY, {1, 1, 1}, NULL, "6.2.0", "O(N) fields returned",
     "key [count [WITHVALUES]]", "Returns random fields of a hash.",
     .tips = "nondeterministic_output"},
};
REGISTER_COMMANDS("hash", hash_commands);
