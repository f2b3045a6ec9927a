/* DEBUG subcommands that look into tables and values. */
#include "debug_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/string_value.h"
#include "store/value.h"
#include "types/hash_value.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

#include <stdio.h>

static bool find_or_reply(struct request *req, struct key_ref *ref)
{
    *ref = key_find(req, 2, LOOKUP_NOTOUCH | LOOKUP_QUIET);
    if (ref->entry)
        return true;
    reply_error(req, ERR_NO_SUCH_KEY);
    return false;
}

/* --- tables --------------------------------------------------------------------------------------------------- */

static void describe_table(struct text *out, int at, const char *title, const struct dict_table *table)
{
    if (!table->buckets)
        return;
    text_format(out, "Hash table %d stats (%s):\n table size: %llu\n number of elements: %zu\n", at, title,
                (unsigned long long)table->bucket_count * DICT_BUCKET_SLOTS, table->used);
}

/* How far from their homes entries stand, in buckets, and how full buckets are. */
static void describe_fill(struct text *out, const struct dict_table *table)
{
    size_t buckets[DICT_BUCKET_SLOTS + 1] = {0}, total = table->bucket_count + table->tail_count;

    if (!table->buckets)
        return;
    for (size_t i = 0; i < total; i++) {
        int used = 0;

        for (int slot = 0; slot < DICT_BUCKET_SLOTS; slot++)
            used += table->buckets[i].slot[slot].word != 0;
        buckets[used]++;
    }
    text_format(out, " farthest from home: %u buckets\n Buckets by entries:\n", table->reach);
    for (int i = 0; i <= DICT_BUCKET_SLOTS; i++)
        text_format(out, "   %d: %zu (%.2f%%)\n", i, buckets[i], 100.0 * (double)buckets[i] / (double)total);
}

static void debug_htstats(struct request *req)
{
    bool is_full = req->argc == 4 && argument_is(req, 3, "full");
    struct store *store = req->engine->store;
    struct text out = {0};
    const struct db *db;
    int64_t number;

    if (!parse_int_or_reply(req, 2, &number))
        return;
    if (number < 0 || number >= store->db_count) {
        reply_error(req, "ERR Out of range database");
        return;
    }
    db = &store->dbs[number];
    text_format(&out, "[Dictionary HT]\n");
    describe_table(&out, 0, "main hash table", &db->keys.table[0]);
    if (is_full && !db->keys.frontier)
        describe_fill(&out, &db->keys.table[0]);
    describe_table(&out, 1, "rehashing target", &db->keys.table[1]);
    text_format(&out, "[Expires HT]\n");
    if (store_expiring(db))
        text_format(&out, "Timing wheel:\n number of elements: %zu\n bytes: %zu\n", store_expiring(db),
                    wheel_memory(db->deadlines));
    reply_verbatim(req, text_bytes(&out), "txt");
    text_release(&out);
}

static size_t elements(const struct entry *entry)
{
    switch (entry->type) {
    case VALUE_SET:
        return set_size(entry_value(entry));
    case VALUE_ZSET:
        return zset_size(entry_value(entry));
    case VALUE_HASH:
        return hash_size(entry_value(entry));
    default:
        return 0;
    }
}

static void debug_htstats_key(struct request *req)
{
    struct text out = {0};
    const char *encoding;
    struct key_ref ref;

    if (!find_or_reply(req, &ref))
        return;
    encoding = value_encoding(ref.entry);
    if (strcmp(encoding, "hashtable") != 0 && strcmp(encoding, "skiplist") != 0) {
        reply_error(req, "ERR The value stored at the specified key is not represented using an hash table");
        return;
    }
    text_format(&out, "Hash table 0 stats (main hash table):\n number of elements: %zu\n bytes: %zu\n",
                elements(ref.entry), value_memory(ref.entry, 0));
    reply_verbatim(req, text_bytes(&out), "txt");
    text_release(&out);
}

static void debug_dict_resizing(struct request *req)
{
    struct store *store = req->engine->store;
    int64_t is_on;

    if (!parse_int_or_reply(req, 2, &is_on))
        return;
    for (int i = 0; i < store->db_count; i++)
        dict_allow_resize(&store->dbs[i].keys, is_on && !store->has_snapshot_child);
    reply_ok(req);
}

/* --- values --------------------------------------------------------------------------------------------------- */

static bool has_encoding_or_reply(struct request *req, struct key_ref *ref, const char *encoding)
{
    if (!find_or_reply(req, ref))
        return false;
    if (!strcmp(value_encoding(ref->entry), encoding))
        return true;
    reply_error_format(req, "ERR Not a %s encoded object.", encoding);
    return false;
}

static void log_value(const struct entry *entry)
{
    struct bytes key = entry_key(entry);

    log_write(LOG_WARNING, "%.*s: %s of %zu bytes", (int)(key.len < 256 ? key.len : 256), key.data,
              value_encoding(entry), value_memory(entry, 0));
}

static void debug_listpack(struct request *req)
{
    struct key_ref ref;

    if (!has_encoding_or_reply(req, &ref, "listpack"))
        return;
    log_value(ref.entry);
    reply_status(req, "Listpack structure printed on stdout");
}

static void debug_quicklist(struct request *req)
{
    struct key_ref ref;

    if (!has_encoding_or_reply(req, &ref, "quicklist"))
        return;
    log_value(ref.entry);
    reply_status(req, "Quicklist structure printed on stdout");
}

static void debug_sdslen(struct request *req)
{
    size_t capacity, block, extra;
    struct key_ref ref;
    char line[256];

    if (!find_or_reply(req, &ref))
        return;
    if (ref.entry->type != VALUE_STRING || ref.entry->form == FORM_INT) {
        reply_error(req, "ERR Not an sds encoded string.");
        return;
    }
    block = mem_block_size(entry_block_size(ref.entry));
    extra = string_extra_memory(ref.entry);
    capacity = ref.entry->form == FORM_CELL ? ((struct string_block *)entry_value(ref.entry))->capacity
                                            : string_len(ref.entry);
    snprintf(line, sizeof line,
             "key_sds_len:%zu, key_sds_avail:0, key_zmalloc: %zu, val_sds_len:%zu, val_sds_avail:%zu, "
             "val_zmalloc: %zu",
             entry_key(ref.entry).len, block, string_len(ref.entry), capacity - string_len(ref.entry), extra);
    reply_status(req, line);
}

static void debug_structsize(struct request *req)
{
    char line[256];

    snprintf(line, sizeof line,
             "bits:%d entry:%zu wheelnode:%zu dictbucket:%zu bucketslots:%d stringblock:%zu client:%zu",
             (int)(8 * sizeof(void *)), sizeof(struct entry), sizeof(struct wheel_node),
             sizeof(struct dict_bucket), DICT_BUCKET_SLOTS, sizeof(struct string_block),
             sizeof(struct client));
    reply_bulk_string(req, line);
}

static void debug_digest_value(struct request *req)
{
    reply_array(req, (size_t)req->argc - 2);
    for (int i = 2; i < req->argc; i++) {
        struct key_ref ref = key_find(req, i, LOOKUP_NOTOUCH | LOOKUP_QUIET);
        char digest[DIGEST_TEXT_SIZE];

        digest_value(ref.entry, digest);
        reply_status(req, digest);
    }
}

const struct debug_action debug_table_actions[] = {
    {"dict-resizing", 3, 3, debug_dict_resizing, "0 | 1", "Forbids and allows resizing of the tables of keys."},
    {"digest-value", 2, ANY_ARGC, debug_digest_value, "[key ...]", "Returns a digest of each value."},
    {"htstats", 3, 4, debug_htstats, "db [FULL]", "Describes the table of keys of a database."},
    {"htstats-key", 3, 4, debug_htstats_key, "key [FULL]", "Describes the table of a value."},
    {"listpack", 3, 3, debug_listpack, "key", "Writes to the log what a packed value takes."},
    {"quicklist", 3, 4, debug_quicklist, "key [0 | 1]", "Writes to the log what a list of blocks takes."},
    {"sdslen", 3, 3, debug_sdslen, "key", "Shows what a string takes."},
    {"structsize", 2, 2, debug_structsize, "", "Returns the sizes of some structures."},
    {NULL},
};
