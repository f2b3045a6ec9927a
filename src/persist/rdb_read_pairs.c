/* Lists and hashes in: one list, or pairs, in all the forms that servers have kept them in. */
#include "rdb_value_internal.h"

#include "base/mem.h"
#include "ds/listpack.h"

/* --- lists ------------------------------------------------------------------------------------------------------ */

static bool add_ziplist(struct list *list, struct bytes packed)
{
    struct listpack *lp;
    struct ziplist ziplist;
    struct bytes value;
    bool is_good;

    if (!ziplist_open(&ziplist, packed))
        return false;
    lp = listpack_new();
    while (ziplist_next(&ziplist, &value) && listpack_fits(lp, value.len + LISTPACK_EXTRA_MAX))
        lp = listpack_append(lp, value);
    is_good = ziplist.is_good && ziplist.at == ziplist.end &&
              list_add_block(list, (struct bytes){(const char *)lp, listpack_bytes(lp)});
    listpack_free(lp);
    return is_good;
}

static bool read_list_part(struct rdb_reader *reader, unsigned type, struct list *list)
{
    uint64_t container = LIST_BLOCK_PACKED;
    struct bytes part;

    if (type == RDB_LIST_BLOCKS && !rdb_read_length(reader, &container))
        return false;
    if (!rdb_read_string(reader, &part))
        return false;
    if (type == RDB_LIST_ZIPLIST || type == RDB_LIST_ZIPLISTS)
        return add_ziplist(list, part);
    if (type == RDB_LIST_BLOCKS && container == LIST_BLOCK_PACKED)
        return list_add_block(list, part);
    if (type == RDB_LIST_BLOCKS && container != LIST_BLOCK_PLAIN)
        return false;
    list_push(list, LIST_TAIL, part);
    return true;
}

struct list *rdb_read_list(struct rdb_reader *reader, unsigned type)
{
    struct list *list = list_new();
    uint64_t count = 1;
    bool is_good = type == RDB_LIST_ZIPLIST || rdb_read_count(reader, &count);

    for (; is_good && count; count--)
        is_good = read_list_part(reader, type, list);
    if (is_good) {
        if (type == RDB_LIST_ZIPLIST) /* as servers since 7.2 leave it */
            list_make_chain(list);
        else
            list_settle(list);
        return list;
    }
    list_free(list);
    return NULL;
}

/* --- hashes ----------------------------------------------------------------------------------------------------- */

static bool add_pair(struct hash *hash, struct bytes field, struct bytes value, int64_t deadline_ms)
{
    if (!hash_set(hash, hashed(field), value, false))
        return false;
    if (deadline_ms != HASH_NO_DEADLINE)
        hash_set_deadline(hash, field, deadline_ms);
    return true;
}

/* Field, value, and with 'has_deadlines' a time or 0. */
static bool add_listpack(struct hash *hash, struct bytes packed, bool has_deadlines)
{
    const struct listpack *lp = (const struct listpack *)(const void *)packed.data;
    char field_text[LISTPACK_TEXT_MAX], value_text[LISTPACK_TEXT_MAX];
    unsigned step = has_deadlines ? 3 : 2;
    listpack_pos at;

    if (!listpack_is_valid(packed) || listpack_count(lp) % step)
        return false;
    for (at = listpack_first(lp); at;) {
        struct bytes field = listpack_get(at, field_text), value;
        int64_t deadline_ms = 0;

        at = listpack_next(lp, at);
        value = listpack_get(at, value_text);
        at = listpack_next(lp, at);
        if (has_deadlines) {
            if (!listpack_get_int(at, &deadline_ms) || deadline_ms < 0)
                return false;
            at = listpack_next(lp, at);
        }
        if (!add_pair(hash, field, value, deadline_ms ? deadline_ms : HASH_NO_DEADLINE))
            return false;
    }
    return true;
}

static bool add_hash_ziplist(struct hash *hash, struct bytes packed)
{
    struct bytes field, value;
    struct ziplist ziplist;
    char text[INT64_TEXT_MAX];

    if (!ziplist_open(&ziplist, packed))
        return false;
    while (ziplist_next(&ziplist, &field)) {
        if (field.data == ziplist.text) {
            memcpy(text, field.data, field.len);
            field.data = text;
        }
        if (!ziplist_next(&ziplist, &value) || !add_pair(hash, field, value, HASH_NO_DEADLINE))
            return false;
    }
    return ziplist.is_good;
}

static bool add_zipmap(struct hash *hash, struct bytes packed)
{
    struct bytes field, value;
    struct zipmap zipmap;

    if (!zipmap_open(&zipmap, packed))
        return false;
    while (zipmap_next(&zipmap, &field, &value))
        if (!add_pair(hash, field, value, HASH_NO_DEADLINE))
            return false;
    return zipmap.is_good;
}

static bool read_packed_hash(struct rdb_reader *reader, unsigned type, struct hash *hash)
{
    struct bytes packed;

    if (!rdb_read_string(reader, &packed))
        return false;
    if (type == RDB_HASH_ZIPMAP)
        return add_zipmap(hash, packed);
    if (type == RDB_HASH_ZIPLIST)
        return add_hash_ziplist(hash, packed);
    return add_listpack(hash, packed, type != RDB_HASH_LISTPACK);
}

/* --- hashes in a table, some with deadlines --- */

/* Told in front of a pair: from the earliest on and one more, or as it is; 0 is none. */
static bool read_deadline(struct rdb_reader *reader, bool is_relative, int64_t earliest_ms, int64_t *deadline_ms)
{
    uint64_t told;

    if (!rdb_read_length(reader, &told) || told > (uint64_t)INT64_MAX)
        return false;
    *deadline_ms = HASH_NO_DEADLINE;
    if (!told)
        return true;
    *deadline_ms = (int64_t)told;
    return !is_relative || !__builtin_add_overflow((int64_t)told - 1, earliest_ms, deadline_ms);
}

/* Told behind a pair; -1 is none. */
static bool read_deadline_behind(struct rdb_reader *reader, struct bytes *field, struct bytes *value,
                                 int64_t *deadline_ms)
{
    char *own = mem_alloc(field->len + value->len + 1);
    struct bytes pair[2] = {{own, field->len}, {own + field->len, value->len}};
    uint64_t told;

    memcpy(own, field->data, field->len);
    memcpy(own + field->len, value->data, value->len);
    *field = pair[0];
    *value = pair[1];
    if (!rdb_read_u64(reader, &told) || (int64_t)told < HASH_NO_DEADLINE)
        return false;
    *deadline_ms = (int64_t)told;
    return true;
}

static bool read_valkey_pair(struct rdb_reader *reader, struct hash *hash)
{
    struct bytes field, value;
    int64_t deadline_ms;
    bool is_good;

    if (!rdb_read_pair(reader, &field, &value))
        return false;
    is_good = read_deadline_behind(reader, &field, &value, &deadline_ms) &&
              add_pair(hash, field, value, deadline_ms);
    mem_free((char *)field.data, field.len + value.len + 1);
    return is_good;
}

static bool read_hash_pair(struct rdb_reader *reader, unsigned type, struct hash *hash, int64_t earliest_ms)
{
    int64_t deadline_ms = HASH_NO_DEADLINE;
    struct bytes field, value;

    if (type == RDB_HASH_DEADLINES_VALKEY && reader->is_valkey)
        return read_valkey_pair(reader, hash);
    if (type != RDB_HASH && !read_deadline(reader, type == RDB_HASH_DEADLINES, earliest_ms, &deadline_ms))
        return false;
    if (deadline_ms < HASH_NO_DEADLINE)
        return false;
    return rdb_read_pair(reader, &field, &value) && add_pair(hash, field, value, deadline_ms);
}

static bool read_hash_pairs(struct rdb_reader *reader, unsigned type, struct hash *hash)
{
    uint64_t count, earliest = 0;

    if (type == RDB_HASH_DEADLINES && !rdb_read_u64(reader, &earliest))
        return false;
    if (!rdb_read_count(reader, &count))
        return false;
    hash_reserve(hash, count < 65536 ? count : 65536);
    for (; count; count--)
        if (!read_hash_pair(reader, type, hash, (int64_t)earliest))
            return false;
    return true;
}

struct hash *rdb_read_hash(struct rdb_reader *reader, unsigned type)
{
    struct hash *hash = hash_new();
    uint64_t earliest; /* told in front of a listpack that tells it too */
    bool is_good;

    switch (type) {
    case RDB_HASH:
    case RDB_HASH_DEADLINES_OLD:
    case RDB_HASH_DEADLINES:
        is_good = read_hash_pairs(reader, type, hash);
        break;
    default:
        is_good = (type != RDB_HASH_LISTPACK_DEADLINES || rdb_read_u64(reader, &earliest)) &&
                  read_packed_hash(reader, type, hash);
    }
    if (is_good)
        return hash;
    hash_free(hash);
    return NULL;
}
