/* Keys, whatever they hold, and whole databases. */
#include "engine/blocking.h"
#include "engine/events.h"
#include "engine/request.h"
#include "store/string_value.h"
#include "store/value.h"

#include "base/hash.h"
#include "base/mem.h"
#include "commands/help.h"
#include "scan_argument_internal.h"


/* --- being there ------------------------------------------------------------------------------------ */

static const char *const type_names[VALUE_TYPE_COUNT] = {"string", "list", "set",
                                                         "zset",   "hash", "stream"};

static void cmd_del(struct request *req)
{
    int64_t removed = 0;

    for (int i = 1; i < req->argc; i++) {
        struct key_ref ref = key_find(req, i, LOOKUP_WRITE | LOOKUP_NOTOUCH);

        if (!ref.entry)
            continue;
        store_remove(&ref);
        key_removed(req, req->db, req->argv[i], &EVENT_DEL, 1);
        removed++;
    }
    reply_int(req, removed);
}

static void cmd_exists(struct request *req)
{
    int64_t found = 0;

    for (int i = 1; i < req->argc; i++)
        found += key_find(req, i, LOOKUP_NOTOUCH).entry != NULL;
    reply_int(req, found);
}

static void cmd_type(struct request *req)
{
    struct key_ref ref = key_find(req, 1, LOOKUP_NOTOUCH);

    reply_status(req, ref.entry ? type_names[ref.entry->type] : "none");
}

static void cmd_randomkey(struct request *req)
{
    const struct entry *entry = store_random(req->db);

    if (entry)
        reply_bulk(req, entry_key(entry));
    else
        reply_null(req);
}

static void cmd_dbsize(struct request *req) { reply_int(req, (int64_t)store_size(req->db)); }

/* --- KEYS and SCAN ------------------------------------------------------------------------------------ */

/* What a walk has found: views of keys, which stay while nothing is changed. */
struct found_keys {
    const struct request *req;
    const struct bytes *pattern; /* NULL: all */
    int type;                    /* -1: any */
    struct bytes *keys;
    size_t count, size, seen;
    struct found_keys *expired; /* what has expired is gathered there; NULL: left out */
};

static void found_add(struct found_keys *found, struct bytes key)
{
    if (found->count == found->size) {
        size_t size = found->size ? 2 * found->size : 64;

        found->keys = found->size ? mem_resize(found->keys, found->size * sizeof *found->keys,
                                               size * sizeof *found->keys)
                                  : mem_alloc(size * sizeof *found->keys);
        found->size = size;
    }
    found->keys[found->count++] = key;
}

static void collect(void *context, struct db *db, struct entry *entry)
{
    struct found_keys *found = context;

    found->seen++;
    if (store_is_expired(db, entry)) {
        if (found->expired)
            found_add(found->expired, entry_key(entry));
        return;
    }
    if (found->type >= 0 && entry->type != (unsigned)found->type)
        return;
    if (!found->pattern || bytes_match(*found->pattern, entry_key(entry), false))
        found_add(found, entry_key(entry));
}

static void found_release(struct found_keys *found)
{
    if (found->size)
        mem_free(found->keys, found->size * sizeof *found->keys);
}

static void reply_found(struct request *req, struct found_keys *found)
{
    reply_array(req, found->count);
    for (size_t i = 0; i < found->count; i++)
        reply_bulk(req, found->keys[i]);
    found_release(found);
}

/* SCAN removes what has expired, as any other access does. */
static void remove_expired(struct request *req, struct found_keys *expired)
{
    for (size_t i = 0; i < expired->count; i++)
        store_find(req->db, expired->keys[i], hash_bytes(expired->keys[i]),
                   LOOKUP_QUIET | LOOKUP_NOTOUCH);
    found_release(expired);
}

static void cmd_keys(struct request *req)
{
    struct found_keys found = {.req = req, .pattern = &req->argv[1], .type = -1};
    uint64_t cursor = 0;

    if (bytes_equal(req->argv[1], BYTES("*")))
        found.pattern = NULL;
    do {
        cursor = store_scan(req->db, cursor, collect, &found);
    } while (cursor);
    reply_found(req, &found);
}

static int type_of_name(struct bytes name)
{
    for (int type = 0; type < VALUE_TYPE_COUNT; type++)
        if (bytes_is(name, type_names[type]))
            return type;
    return VALUE_TYPE_COUNT; /* no key has it */
}

static void cmd_scan(struct request *req)
{
    struct found_keys expired = {.req = req}, found = {.req = req, .type = -1, .expired = &expired};
    struct scan_argument scan;
    uint64_t cursor;

    if (!scan_argument_cursor_or_reply(req, 1, &scan) ||
        !scan_argument_options_or_reply(req, 2, SCAN_TAKES_TYPE, &scan))
        return;
    found.pattern = scan.pattern;
    if (scan.type)
        found.type = type_of_name(*scan.type);
    do {
        cursor = store_scan(req->db, scan.cursor, collect, &found);
    } while (scan_goes_on(&scan, cursor, found.seen));
    scan_reply_cursor(req, &scan);
    reply_found(req, &found);
    remove_expired(req, &expired);
}

/* --- whole databases ---------------------------------------------------------------------------------- */

#ifdef TERN_STRESS
#define FLUSH_AT_ONCE_NS 0
#else
#define FLUSH_AT_ONCE_NS 250000
#endif

/* [ASYNC | SYNC]; synchronous when nothing is said. */
static bool parse_flush_or_reply(struct request *req, bool *is_async)
{
    *is_async = req->argc == 2 && argument_is(req, 1, "async");
    if (req->argc == 1 || *is_async || (req->argc == 2 && argument_is(req, 1, "sync")))
        return true;
    reply_syntax_error(req);
    return false;
}

static void flush(struct request *req, struct db *db)
{
    db_flushing(req, db, (int64_t)store_size(db));
    store_flush(db);
}

/* A synchronous flush answers when the memory is free. What takes longer than a moment is done in slices,
 * and the client waits while others are served; in MULTI they wait as well. */
static void reply_flushed(struct request *req, bool is_async)
{
    struct store *store = req->engine->store;

    if (!is_async && !store_free_now(store, FLUSH_AT_ONCE_NS)) {
        if (block_until_freed(req))
            return;
        while (!store_is_freed(store, store_freeing_number(store)))
            store_free_now(store, FLUSH_AT_ONCE_NS);
    }
    reply_ok(req);
}

static void cmd_flushdb(struct request *req)
{
    bool is_async;

    if (req->flags & REQUEST_IS_RERUN) {
        reply_ok(req);
        return;
    }
    if (!parse_flush_or_reply(req, &is_async))
        return;
    flush(req, req->db);
    reply_flushed(req, is_async);
}

static void cmd_flushall(struct request *req)
{
    struct store *store = req->engine->store;
    bool is_async;

    if (req->flags & REQUEST_IS_RERUN) {
        reply_ok(req);
        return;
    }
    if (!parse_flush_or_reply(req, &is_async))
        return;
    for (int i = 0; i < store->db_count; i++)
        flush(req, &store->dbs[i]);
    if (req->engine->flushed_all)
        req->engine->flushed_all(req->engine);
    reply_flushed(req, is_async);
}

/* --- OBJECT ------------------------------------------------------------------------------------------- */

#define POLICY_NOTE                                                                                \
    "Please note that when switching between policies at runtime LRU and LFU data will take some " \
    "time to adjust."
#define ERR_LFU_SELECTED "ERR An LFU maxmemory policy is selected, idle time not tracked. " POLICY_NOTE
#define ERR_LFU_NOT_SELECTED                                                                       \
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. " POLICY_NOTE

/* Replies null when the key is absent. */
static bool object_find_or_reply(struct request *req, struct key_ref *ref)
{
    *ref = key_find(req, 2, LOOKUP_NOTOUCH | LOOKUP_QUIET);
    if (ref->entry)
        return true;
    reply_null(req);
    return false;
}

static void object_encoding(struct request *req)
{
    struct key_ref ref;

    if (object_find_or_reply(req, &ref))
        reply_bulk_string(req, value_encoding(ref.entry));
}

static void object_refcount(struct request *req)
{
    struct key_ref ref;

    if (object_find_or_reply(req, &ref))
        reply_int(req, 1);
}

static void object_idletime(struct request *req)
{
    struct key_ref ref;

    if (!object_find_or_reply(req, &ref))
        return;
    if (store_is_lfu(req->engine->store))
        reply_error(req, ERR_LFU_SELECTED);
    else
        reply_int(req, (int64_t)store_idle_seconds(req->engine->store, ref.entry));
}

static void object_freq(struct request *req)
{
    struct key_ref ref;

    if (!object_find_or_reply(req, &ref))
        return;
    if (!store_is_lfu(req->engine->store))
        reply_error(req, ERR_LFU_NOT_SELECTED);
    else
        reply_int(req, store_frequency(req->engine->store, ref.entry));
}

/* --- the table ---------------------------------------------------------------------------------------- */

static const struct command object_subcommands[] = {
    {"encoding", object_encoding, 3, CMD_READONLY | CMD_KEYSPACE, {2, 2, 1}, NULL, "2.2.3", "O(1)", "key",
     "Returns how the value of a key is kept.",
     KEY_RANGE_RULE(KEY_RO, 2, 0, 1), .tips = "nondeterministic_output"},
    {"freq", object_freq, 3, CMD_READONLY | CMD_KEYSPACE, {2, 2, 1}, NULL, "4.0.0", "O(1)", "key",
     "Returns the logarithmic access counter of a key, under an LFU policy.",
     KEY_RANGE_RULE(KEY_RO, 2, 0, 1), .tips = "nondeterministic_output"},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE | CMD_KEYSPACE, {0, 0, 0}, NULL, "6.2.0", "O(1)", "",
     "Prints this help."},
    {"idletime", object_idletime, 3, CMD_READONLY | CMD_KEYSPACE, {2, 2, 1}, NULL, "2.2.3", "O(1)", "key",
     "Returns the seconds since the last access to a key.",
     KEY_RANGE_RULE(KEY_RO, 2, 0, 1), .tips = "nondeterministic_output"},
    {"refcount", object_refcount, 3, CMD_READONLY | CMD_KEYSPACE, {2, 2, 1}, NULL, "2.2.3", "O(1)", "key",
     "Returns the number of references to the value of a key, which is always 1.",
     KEY_RANGE_RULE(KEY_RO, 2, 0, 1), .tips = "nondeterministic_output"},
    {0},
};

static const struct command key_commands[] = {
    {"del", cmd_del, -2, CMD_WRITE | CMD_KEYSPACE, {1, -1, 1}, NULL, "1.0.0", "O(N) keys",
     "key [key ...]", "Deletes keys.",
     ALL_KEYS(KEY_RM | KEY_DELETE), .tips = "request_policy:multi_shard response_policy:agg_sum"},
    {"unlink", cmd_del, -2, CMD_WRITE | CMD_FAST | CMD_KEYSPACE, {1, -1, 1}, NULL, "4.0.0",
     "O(N) keys", "key [key ...]", "Deletes keys; what is large is freed later, in slices.",
     ALL_KEYS(KEY_RM | KEY_DELETE), .tips = "request_policy:multi_shard response_policy:agg_sum"},
    {"exists", cmd_exists, -2, CMD_READONLY | CMD_FAST | CMD_KEYSPACE, {1, -1, 1}, NULL, "1.0.0",
     "O(N) keys", "key [key ...]", "Counts the keys that are there.",
     ALL_KEYS(KEY_RO), .tips = "request_policy:multi_shard response_policy:agg_sum",
     .history = "3.0.3 Several keys."},
    {"type", cmd_type, 2, CMD_READONLY | CMD_FAST | CMD_KEYSPACE, {1, 1, 1}, NULL, "1.0.0", "O(1)",
     "key", "Returns the type of a key's value.",
     FIRST_KEY(KEY_RO)},
    {"randomkey", cmd_randomkey, 1, CMD_READONLY | CMD_KEYSPACE, {0, 0, 0}, NULL, "1.0.0", "O(1)",
     "", "Returns a random key.",
     .tips = "request_policy:all_shards response_policy:special nondeterministic_output"},
    {"keys", cmd_keys, 2, CMD_READONLY | CMD_KEYSPACE | CMD_DANGEROUS, {0, 0, 0}, NULL, "1.0.0",
     "O(N) keys in the database", "pattern", "Returns all keys that match a pattern.",
     .tips = "request_policy:all_shards nondeterministic_output_order"},
    {"scan", cmd_scan, -2, CMD_READONLY | CMD_KEYSPACE, {0, 0, 0}, NULL, "2.8.0",
     "O(1) a call, O(N) for all", "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     "Walks the keys of the database, some at each call.",
     .tips = "nondeterministic_output request_policy:special response_policy:special",
     .history = "6.0.0 TYPE.",
     .argument_since = "TYPE 6.0.0"},
    {"object", NULL, -2, 0, {0, 0, 0}, object_subcommands, "2.2.3", "", "",
     "Shows what lies behind a key."},
};
static const struct command database_commands[] = {
    {"dbsize", cmd_dbsize, 1, CMD_READONLY | CMD_FAST | CMD_KEYSPACE, {0, 0, 0}, NULL, "1.0.0",
     "O(1)", "", "Returns the number of keys in the database.",
     .tips = "request_policy:all_shards response_policy:agg_sum"},
    {"flushdb", cmd_flushdb, -1, CMD_WRITE | CMD_KEYSPACE | CMD_DANGEROUS, {0, 0, 0}, NULL, "1.0.0",
     "O(N) keys", "[ASYNC | SYNC]", "Deletes all keys of the database.",
     .tips = "request_policy:all_shards response_policy:all_succeeded",
     .history = "4.0.0 ASYNC.\n"
                "6.2.0 SYNC.",
     .argument_since = "ASYNC 4.0.0, SYNC 6.2.0"},
    {"flushall", cmd_flushall, -1, CMD_WRITE | CMD_KEYSPACE | CMD_DANGEROUS, {0, 0, 0}, NULL,
     "1.0.0", "O(N) keys", "[ASYNC | SYNC]", "Deletes all keys of all databases.",
     .tips = "request_policy:all_shards response_policy:all_succeeded",
     .history = "4.0.0 ASYNC.\n"
                "6.2.0 SYNC.",
     .argument_since = "ASYNC 4.0.0, SYNC 6.2.0"},
};

REGISTER_COMMANDS("generic", key_commands);
REGISTER_COMMANDS("server", database_commands);
