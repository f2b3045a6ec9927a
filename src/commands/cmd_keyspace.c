/* Keys that go elsewhere: to another name, to another database. */
#include "engine/events.h"
#include "engine/request.h"

static const struct event_kind EVENT_RENAME_FROM = {EVENT_CLASS_GENERIC, "rename_from"};
static const struct event_kind EVENT_RENAME_TO = {EVENT_CLASS_GENERIC, "rename_to"};
static const struct event_kind EVENT_COPY_TO = {EVENT_CLASS_GENERIC, "copy_to"};
static const struct event_kind EVENT_MOVE_FROM = {EVENT_CLASS_GENERIC, "move_from"};
static const struct event_kind EVENT_MOVE_TO = {EVENT_CLASS_GENERIC, "move_to"};

static struct key_ref find_in(const struct request *req, struct db *db, int at)
{
    return store_find(db, req->argv[at], request_hash(req, at), LOOKUP_WRITE | LOOKUP_NOTOUCH);
}

/* --- databases by number ------------------------------------------------------------------------------ */

static struct db *db_at_or_reply(struct request *req, int64_t number)
{
    struct store *store = req->engine->store;

    if (number >= 0 && number < store->db_count)
        return &store->dbs[number];
    reply_error(req, ERR_DB_INDEX);
    return NULL;
}

static struct db *parse_db_or_reply(struct request *req, int at)
{
    int64_t number;

    if (!parse_int_or_reply(req, at, &number))
        return NULL;
    if (number < INT32_MIN || number > INT32_MAX) {
        reply_error(req, ERR_OUT_OF_INT_RANGE);
        return NULL;
    }
    return db_at_or_reply(req, number);
}

/* --- RENAME ------------------------------------------------------------------------------------------- */

/* Replies the error when there is no source; 'done' when nothing is left to do. */
static bool rename_or_reply(struct request *req, bool may_overwrite, int64_t *renamed)
{
    struct key_ref from = key_find(req, 1, LOOKUP_WRITE), to;

    *renamed = 0;
    if (!from.entry) {
        reply_error(req, ERR_NO_SUCH_KEY);
        return false;
    }
    if (bytes_equal(req->argv[1], req->argv[2]))
        return true;
    to = find_in(req, req->db, 2);
    if (to.entry && !may_overwrite)
        return true;
    if (to.entry)
        store_remove(&to);
    store_move(&from, &to, req->argv[2]);
    key_removed(req, req->db, req->argv[1], &EVENT_RENAME_FROM, 0);
    key_changed(req, req->db, req->argv[2], &EVENT_RENAME_TO, 1);
    *renamed = 1;
    return true;
}

static void cmd_rename(struct request *req)
{
    int64_t renamed;

    if (rename_or_reply(req, true, &renamed))
        reply_ok(req);
}

static void cmd_renamenx(struct request *req)
{
    int64_t renamed;

    if (rename_or_reply(req, false, &renamed))
        reply_int(req, renamed);
}

/* --- MOVE --------------------------------------------------------------------------------------------- */

static void cmd_move(struct request *req)
{
    struct db *db = parse_db_or_reply(req, 2);
    struct key_ref from, to;

    if (!db)
        return;
    if (db == req->db) {
        reply_error(req, ERR_SAME_OBJECT);
        return;
    }
    from = key_find(req, 1, LOOKUP_WRITE);
    if (!from.entry || (to = find_in(req, db, 1)).entry) {
        reply_int(req, 0);
        return;
    }
    store_move(&from, &to, req->argv[1]);
    key_removed(req, req->db, req->argv[1], &EVENT_MOVE_FROM, 0);
    key_changed(req, db, req->argv[1], &EVENT_MOVE_TO, 1);
    reply_int(req, 1);
}

/* --- COPY --------------------------------------------------------------------------------------------- */

static bool parse_copy_or_reply(struct request *req, struct db **db, bool *may_overwrite)
{
    *db = req->db;
    *may_overwrite = false;
    for (int i = 3; i < req->argc; i++) {
        if (argument_is(req, i, "replace")) {
            *may_overwrite = true;
        } else if (argument_is(req, i, "db") && i + 1 < req->argc) {
            *db = parse_db_or_reply(req, ++i);
            if (!*db)
                return false;
        } else {
            reply_syntax_error(req);
            return false;
        }
    }
    return true;
}

static void cmd_copy(struct request *req)
{
    struct key_ref from, to;
    bool may_overwrite;
    struct db *db;

    if (!parse_copy_or_reply(req, &db, &may_overwrite))
        return;
    if (db == req->db && bytes_equal(req->argv[1], req->argv[2])) {
        reply_error(req, ERR_SAME_OBJECT);
        return;
    }
    from = key_find(req, 1, LOOKUP_READ);
    if (!from.entry || ((to = find_in(req, db, 2)).entry && !may_overwrite)) {
        reply_int(req, 0);
        return;
    }
    if (to.entry)
        store_remove(&to);
    store_copy(from.entry, &to, req->argv[2]);
    key_changed(req, db, req->argv[2], &EVENT_COPY_TO, 1);
    reply_int(req, 1);
}

/* --- SWAPDB ------------------------------------------------------------------------------------------- */

static void cmd_swapdb(struct request *req)
{
    int64_t first, second;
    struct db *a, *b;

    if (!parse_int_range_or_reply(req, 1, INT32_MIN, INT32_MAX, &first, "ERR invalid first DB index") ||
        !parse_int_range_or_reply(req, 2, INT32_MIN, INT32_MAX, &second, "ERR invalid second DB index") ||
        !(a = db_at_or_reply(req, first)) || !(b = db_at_or_reply(req, second)))
        return;
    db_swapping(req, a, b);
    if (a != b)
        store_swap(a, b);
    db_swapped(req, a, b);
    reply_ok(req);
}

/* --- TOUCH -------------------------------------------------------------------------------------------- */

static void cmd_touch(struct request *req)
{
    int64_t found = 0;

    for (int i = 1; i < req->argc; i++) /* also of a client that asked for NO-TOUCH */
        found += store_find(req->db, req->argv[i], request_hash(req, i), LOOKUP_READ).entry != NULL;
    reply_int(req, found);
}

/* --- the table ---------------------------------------------------------------------------------------- */

static const struct key_rule rename_rules[] = {
    {KEY_RW | KEY_ACCESS | KEY_DELETE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_OW | KEY_UPDATE, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}},
    {0},
};
static const struct key_rule renamenx_rules[] = {
    {KEY_RW | KEY_ACCESS | KEY_DELETE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_OW | KEY_INSERT, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}},
    {0},
};
static const struct key_rule copy_rules[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_OW | KEY_UPDATE, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}},
    {0},
};

static const struct command keyspace_commands[] = {
    {"copy", cmd_copy, -3, CMD_WRITE | CMD_GROWS | CMD_KEYSPACE, {1, 2, 1}, NULL, "6.2.0",
     "O(N) elements of a collection, O(1) for strings",
     "source destination [DB destination-db] [REPLACE]", "Copies a key with its value and its expiry.",
     copy_rules},
    {"move", cmd_move, 3, CMD_WRITE | CMD_FAST | CMD_KEYSPACE, {1, 1, 1}, NULL, "1.0.0", "O(1)", "key db",
     "Moves a key to another database when that has none of its name.",
     FIRST_KEY(KEY_RW | KEY_ACCESS | KEY_UPDATE)},
    {"rename", cmd_rename, 3, CMD_WRITE | CMD_KEYSPACE, {1, 2, 1}, NULL, "1.0.0", "O(1)", "key newkey",
     "Gives a key another name; a key that has it goes.", rename_rules},
    {"renamenx", cmd_renamenx, 3, CMD_WRITE | CMD_FAST | CMD_KEYSPACE, {1, 2, 1}, NULL, "1.0.0", "O(1)",
     "key newkey", "Gives a key another name when no key has it.", renamenx_rules,
     .history = "3.2.0 The new name may be the old one."},
    {"touch", cmd_touch, -2, CMD_READONLY | CMD_FAST | CMD_KEYSPACE, {1, -1, 1}, NULL, "3.2.1",
     "O(N) keys", "key [key ...]", "Counts the keys that are there and notes that they were used.",
     ALL_KEYS(KEY_RO), .tips = "request_policy:multi_shard response_policy:agg_sum"},
};
REGISTER_COMMANDS("generic", keyspace_commands);

static const struct command swapdb_commands[] = {
    {"swapdb", cmd_swapdb, 3, CMD_WRITE | CMD_FAST | CMD_KEYSPACE | CMD_DANGEROUS, {0, 0, 0}, NULL,
     "4.0.0", "O(N) clients that watch or wait", "index1 index2",
     "Exchanges the keys of two databases, for all clients at once."},
};
REGISTER_COMMANDS("server", swapdb_commands);
