/* Values in: the one place that knows which type is read by what, and strings, sets and sorted sets. */
#include "rdb_value_internal.h"

#include "store/string_value.h"
#include "store/value.h"

#include <math.h>

#define RESERVED_MAX 65536 /* elements that a count is believed before they come */

/* --- strings ---------------------------------------------------------------------------------------------------- */

/* A long one is read straight into the block that becomes the value. */
static bool read_string(struct rdb_reader *reader, struct rdb_value *value)
{
    struct rdb_string_head head;

    if (!rdb_read_string_head(reader, &head))
        return false;
    if (head.len <= STRING_EMBEDDED_MAX)
        return rdb_read_string_rest(reader, &head, &value->string);
    value->block = string_block_new(head.len);
    value->block->len = head.len;
    return rdb_read_string_content(reader, &head, value->block->data);
}

/* --- sets ------------------------------------------------------------------------------------------------------- */

static struct set *read_set_members(struct rdb_reader *reader)
{
    struct set *set = set_new();
    struct bytes member;
    uint64_t count;

    if (!rdb_read_count(reader, &count)) {
        set_free(set);
        return NULL;
    }
    set_expect(set, count < RESERVED_MAX ? count : RESERVED_MAX);
    for (; count; count--)
        if (!rdb_read_string(reader, &member) || !set_add(set, hashed(member))) {
            set_free(set);
            return NULL;
        }
    return set;
}

static struct set *read_set(struct rdb_reader *reader, unsigned type)
{
    struct bytes packed;

    if (type == RDB_SET)
        return read_set_members(reader);
    if (!rdb_read_string(reader, &packed))
        return NULL;
    return type == RDB_SET_INTSET ? set_from_intset(packed) : set_from_listpack(packed);
}

/* --- sorted sets ------------------------------------------------------------------------------------------------ */

/* A length and a text, or one byte for what has none. */
static bool read_score_text(struct rdb_reader *reader, double *score)
{
    char text[256];
    unsigned len;

    if (!rdb_read_byte(reader, &len))
        return false;
    if (len >= 253) {
        *score = len == 253 ? NAN : len == 254 ? INFINITY : -INFINITY;
        return true;
    }
    return rdb_read(reader, text, len) && double_parse((struct bytes){text, len}, score);
}

static bool read_score(struct rdb_reader *reader, unsigned type, double *score)
{
    return (type == RDB_ZSET ? rdb_read_double(reader, score) : read_score_text(reader, score)) && !isnan(*score);
}

static bool read_item(struct rdb_reader *reader, unsigned type, struct zset *set)
{
    struct bytes member;
    double score;
    bool is_read;

    if (!rdb_read_string(reader, &member))
        return false;
    reader->held = &member;
    reader->held_scratch = !reader->scratch_next;
    is_read = read_score(reader, type, &score);
    reader->held = NULL;
    return is_read && zset_add(set, score, hashed(member), ZSET_IF_ABSENT, NULL) == ZSET_ADDED;
}

static struct zset *read_zset_items(struct rdb_reader *reader, unsigned type)
{
    struct zset *set;
    uint64_t count;

    if (!rdb_read_count(reader, &count))
        return NULL;
    set = zset_new_tree(); /* until all are there: in a listpack -0 becomes 0 */
    for (; count; count--)
        if (!read_item(reader, type, set)) {
            zset_free(set);
            return NULL;
        }
    zset_pack(set);
    return set;
}

/* Members and scores by turns. */
static struct zset *read_zset_ziplist(struct bytes packed)
{
    struct zset *set = zset_new(0, 0);
    struct ziplist ziplist;
    struct bytes at;
    bool is_good = ziplist_open(&ziplist, packed);
    char text[INT64_TEXT_MAX];

    while (is_good && ziplist_next(&ziplist, &at)) {
        struct bytes member = at, score_text;
        double score;

        if (at.data == ziplist.text) {
            memcpy(text, at.data, at.len);
            member.data = text;
        }
        is_good = ziplist_next(&ziplist, &score_text) && double_parse(score_text, &score) &&
                  zset_add(set, score, hashed(member), ZSET_IF_ABSENT, NULL) == ZSET_ADDED;
    }
    if (is_good && ziplist.is_good)
        return set;
    zset_free(set);
    return NULL;
}

static struct zset *read_zset(struct rdb_reader *reader, unsigned type)
{
    struct bytes packed;

    if (type == RDB_ZSET || type == RDB_ZSET_TEXT)
        return read_zset_items(reader, type);
    if (!rdb_read_string(reader, &packed))
        return NULL;
    return type == RDB_ZSET_LISTPACK ? zset_from_listpack(packed) : read_zset_ziplist(packed);
}

/* --- any -------------------------------------------------------------------------------------------------------- */

static bool is_empty(const struct rdb_value *value)
{
    switch (value->type) {
    case VALUE_LIST:
        return !list_size(value->collection);
    case VALUE_SET:
        return !set_size(value->collection);
    case VALUE_ZSET:
        return !zset_size(value->collection);
    case VALUE_HASH:
        return !hash_size(value->collection);
    default:
        return false;
    }
}

static enum rdb_outcome read_collection(struct rdb_reader *reader, unsigned type, struct rdb_value *value)
{
    switch (type) {
    case RDB_LIST:
    case RDB_LIST_ZIPLIST:
    case RDB_LIST_ZIPLISTS:
    case RDB_LIST_BLOCKS:
        value->type = VALUE_LIST;
        value->collection = rdb_read_list(reader, type);
        break;
    case RDB_SET:
    case RDB_SET_INTSET:
    case RDB_SET_LISTPACK:
        value->type = VALUE_SET;
        value->collection = read_set(reader, type);
        break;
    case RDB_ZSET_TEXT:
    case RDB_ZSET:
    case RDB_ZSET_ZIPLIST:
    case RDB_ZSET_LISTPACK:
        value->type = VALUE_ZSET;
        value->collection = read_zset(reader, type);
        break;
    case RDB_HASH:
    case RDB_HASH_ZIPMAP:
    case RDB_HASH_ZIPLIST:
    case RDB_HASH_LISTPACK:
    case RDB_HASH_DEADLINES_OLD:
    case RDB_HASH_LISTPACK_DEADLINES_OLD:
    case RDB_HASH_DEADLINES:
    case RDB_HASH_LISTPACK_DEADLINES:
        value->type = VALUE_HASH;
        value->collection = rdb_read_hash(reader, type);
        break;
    case RDB_STREAM_1:
    case RDB_STREAM_2:
    case RDB_STREAM_3:
        value->type = VALUE_STREAM;
        value->collection = rdb_read_stream(reader, type);
        break;
    default:
        return RDB_UNKNOWN_TYPE;
    }
    if (!value->collection)
        return RDB_MALFORMED;
    if (!is_empty(value))
        return RDB_READ;
    rdb_value_drop(value);
    return RDB_EMPTY;
}

enum rdb_outcome rdb_read_value(struct rdb_reader *reader, unsigned type, struct rdb_value *value)
{
    *value = (struct rdb_value){.type = VALUE_STRING};
    if (type != RDB_STRING)
        return read_collection(reader, type, value);
    if (read_string(reader, value))
        return RDB_READ;
    rdb_value_drop(value);
    return RDB_MALFORMED;
}

void rdb_value_store(struct rdb_value *value, struct key_ref *ref, struct bytes key)
{
    if (value->collection)
        store_replace(ref, key, value->type, value->collection);
    else if (value->block)
        string_set_block(ref, key, value->block, false);
    else
        string_set(ref, key, value->string, false);
    *value = (struct rdb_value){.type = VALUE_STRING};
}

void rdb_value_drop(struct rdb_value *value)
{
    if (value->collection)
        while (!value_ops_of(value->type)->free_step(value->collection, SIZE_MAX))
            ;
    if (value->block)
        string_block_free(value->block);
    *value = (struct rdb_value){.type = VALUE_STRING};
}
