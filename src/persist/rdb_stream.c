/* Streams, both ways:
 *
 *     blocks: count | master's id, listpack ...
 *     length | last id | first id | highest removed id | entries ever added       the last three since type 2
 *     groups: count | name | last id | entries read (since type 2) | pending | consumers ...
 *     pending: count | id 16 bytes | delivered u64 ms | deliveries ...
 *     consumers: count | name | seen u64 ms | active u64 ms (type 3) | count | id 16 bytes ...
 *
 * What is pending is told twice: in the group with its times, in its consumer by its id alone. */
#include "rdb_value_internal.h"

#include "base/mem.h"
#include "byte_order_internal.h"

/* --- writing --------------------------------------------------------------------------------------------------- */

static void put_id(char out[ID_BYTES], struct stream_id id)
{
    store_be(out, id.ms, 8);
    store_be(out + 8, id.seq, 8);
}

static void write_id(struct rdb_writer *writer, struct stream_id id)
{
    rdb_write_length(writer, id.ms);
    rdb_write_length(writer, id.seq);
}

static void write_raw_id(struct rdb_writer *writer, struct stream_id id)
{
    char raw[ID_BYTES];

    put_id(raw, id);
    rdb_write(writer, raw, sizeof raw);
}

static void write_consumer(struct rdb_writer *writer, const struct stream_consumer *consumer)
{
    struct id_cursor at = id_index_first(&consumer->pending);

    rdb_write_string(writer, consumer->name);
    rdb_write_u64(writer, (uint64_t)consumer->seen_ms);
    rdb_write_u64(writer, (uint64_t)consumer->active_ms);
    rdb_write_length(writer, consumer->pending.count);
    for (; at.node; id_cursor_next(&at))
        write_raw_id(writer, id_cursor_id(&at));
}

static void write_group(struct rdb_writer *writer, const struct stream_group *group)
{
    struct id_cursor at = stream_pending_live(id_index_first(&group->pending));

    rdb_write_string(writer, group->name);
    write_id(writer, group->last_id);
    rdb_write_length(writer, (uint64_t)group->entries_read);
    rdb_write_length(writer, stream_pending_count(group));
    for (; at.node; at = stream_pending_next(at)) {
        const struct stream_pending *pending = id_cursor_value(&at);

        write_raw_id(writer, id_cursor_id(&at));
        rdb_write_u64(writer, (uint64_t)pending->delivered_ms);
        rdb_write_length(writer, pending->deliveries);
    }
    rdb_write_length(writer, group->consumer_count);
    for (size_t i = 0; i < group->consumer_count; i++)
        write_consumer(writer, group->consumers[i]);
}

void rdb_write_stream(struct rdb_writer *writer, const struct stream *stream)
{
    struct id_cursor at = stream_first_block(stream);
    size_t groups = stream_group_count(stream);

    rdb_write_length(writer, stream_blocks(stream));
    for (; at.node; id_cursor_next(&at)) {
        struct stream_block block = stream_block_at(&at);
        char raw[ID_BYTES];

        put_id(raw, block.master);
        rdb_write_string(writer, (struct bytes){raw, sizeof raw});
        rdb_write_string(writer, block.listpack);
    }
    rdb_write_length(writer, stream_length(stream));
    write_id(writer, stream_last_id(stream));
    write_id(writer, stream_first_id(stream));
    write_id(writer, stream_max_deleted_id(stream));
    rdb_write_length(writer, stream_entries_added(stream));
    rdb_write_length(writer, groups);
    for (size_t i = 0; i < groups; i++)
        write_group(writer, stream_group_at(stream, i));
}

/* --- reading --------------------------------------------------------------------------------------------------- */

static struct stream_id get_id(const char raw[ID_BYTES])
{
    return (struct stream_id){load_be(raw, 8), load_be(raw + 8, 8)};
}

static bool read_id(struct rdb_reader *reader, struct stream_id *id)
{
    return rdb_read_length(reader, &id->ms) && rdb_read_length(reader, &id->seq);
}

static bool read_raw_id(struct rdb_reader *reader, struct stream_id *id)
{
    char raw[ID_BYTES];

    if (!rdb_read(reader, raw, sizeof raw))
        return false;
    *id = get_id(raw);
    return true;
}

/* Nothing was before -1, which is never: what is computed with a time must not overflow. */
static bool read_time(struct rdb_reader *reader, int64_t *time_ms)
{
    uint64_t told;

    if (!rdb_read_u64(reader, &told))
        return false;
    *time_ms = (int64_t)told < -1 ? -1 : (int64_t)told;
    return true;
}

static bool read_blocks(struct rdb_reader *reader, struct stream *stream)
{
    struct bytes id, listpack;
    uint64_t count;

    if (!rdb_read_count(reader, &count))
        return false;
    for (; count; count--) {
        if (!rdb_read_pair(reader, &id, &listpack) || id.len != ID_BYTES ||
            !stream_add_block(stream, (struct stream_block){get_id(id.data), listpack}))
            return false;
    }
    return true;
}

static bool read_numbers(struct rdb_reader *reader, struct stream *stream, unsigned type)
{
    struct stream_id last, first, removed;
    uint64_t length, added;

    if (!rdb_read_length(reader, &length) || length != stream_length(stream) || !read_id(reader, &last) ||
        (length && stream_id_compare(last, stream_last_id(stream)) < 0))
        return false;
    stream_set_last_id(stream, last);
    stream_set_entries_added(stream, length);
    if (type == RDB_STREAM_1)
        return true;
    if (!read_id(reader, &first) || !read_id(reader, &removed) || !rdb_read_length(reader, &added))
        return false;
    stream_set_max_deleted_id(stream, removed);
    stream_set_entries_added(stream, added);
    return true;
}

/* What a group has told of an entry, until a consumer claims it. */
struct claim {
    struct stream_id id;
    int64_t delivered_ms;
    uint64_t deliveries;
    bool is_claimed;
};

struct claims {
    struct claim *claims;
    size_t count, size;
};

static bool read_claims(struct rdb_reader *reader, struct claims *claims)
{
    uint64_t count;

    if (!rdb_read_count(reader, &count) || count > rdb_reader_left(reader) / ID_BYTES)
        return false;
    for (; count; count--) {
        struct claim claim = {.is_claimed = false};

        if (!read_raw_id(reader, &claim.id) || !read_time(reader, &claim.delivered_ms) ||
            !rdb_read_length(reader, &claim.deliveries))
            return false;
        if (claims->count && stream_id_compare(claim.id, claims->claims[claims->count - 1].id) <= 0)
            return false;
        if (claims->count == claims->size) {
            size_t size = claims->size ? 2 * claims->size : 8;

            claims->claims = mem_resize(claims->claims, claims->size * sizeof claim, size * sizeof claim);
            claims->size = size;
        }
        claims->claims[claims->count++] = claim;
    }
    return true;
}

static struct claim *find_claim(const struct claims *claims, struct stream_id id)
{
    size_t low = 0, high = claims->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = stream_id_compare(claims->claims[middle].id, id);

        if (!order)
            return &claims->claims[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool read_consumer(struct rdb_reader *reader, unsigned type, struct stream_group *group,
                          const struct claims *claims)
{
    struct stream_consumer *consumer;
    int64_t seen = 0, active;
    uint64_t count;
    struct bytes name;
    char *own;
    size_t len;

    if (!rdb_read_string(reader, &name))
        return false;
    own = mem_alloc(name.len + 1); /* what is read next may take the view's place */
    memcpy(own, name.data, name.len);
    len = name.len;
    bool is_read = read_time(reader, &seen);
    active = seen;
    if (is_read && type == RDB_STREAM_3)
        is_read = read_time(reader, &active);
    consumer = is_read ? stream_consumer_add(group, (struct bytes){own, len}, seen) : NULL;
    mem_free(own, len + 1);
    if (!consumer || !rdb_read_count(reader, &count))
        return false;
    consumer->active_ms = active;
    for (; count; count--) {
        struct stream_id id;
        struct claim *claim;

        if (!read_raw_id(reader, &id) || !(claim = find_claim(claims, id)) || claim->is_claimed)
            return false;
        claim->is_claimed = true;
        stream_pending_add(group, consumer, id, claim->delivered_ms)->deliveries = claim->deliveries;
    }
    return true;
}

static bool read_members(struct rdb_reader *reader, unsigned type, struct stream_group *group, struct claims *claims)
{
    uint64_t count;

    if (!read_claims(reader, claims) || !rdb_read_count(reader, &count))
        return false;
    for (; count; count--)
        if (!read_consumer(reader, type, group, claims))
            return false;
    return group->pending.count == claims->count;
}

static bool read_group(struct rdb_reader *reader, unsigned type, struct stream *stream)
{
    struct stream_group *group;
    struct claims claims = {0};
    struct bytes name;
    uint64_t entries_read;
    bool is_read;

    if (!rdb_read_string(reader, &name) || !(group = stream_group_add(stream, name, STREAM_ID_MIN, 0)) ||
        !read_id(reader, &group->last_id))
        return false;
    group->entries_read = stream_entries_up_to(stream, group->last_id);
    if (type != RDB_STREAM_1) {
        if (!rdb_read_length(reader, &entries_read))
            return false;
        group->entries_read = (int64_t)entries_read;
    }
    is_read = read_members(reader, type, group, &claims);
    if (claims.size)
        mem_free(claims.claims, claims.size * sizeof *claims.claims);
    return is_read;
}

static bool read_whole(struct rdb_reader *reader, unsigned type, struct stream *stream)
{
    uint64_t groups;

    if (!read_blocks(reader, stream) || !read_numbers(reader, stream, type) || !rdb_read_count(reader, &groups))
        return false;
    for (; groups; groups--)
        if (!read_group(reader, type, stream))
            return false;
    return true;
}

struct stream *rdb_read_stream(struct rdb_reader *reader, unsigned type)
{
    struct stream *stream = stream_new();

    if (read_whole(reader, type, stream))
        return stream;
    stream_free(stream);
    return NULL;
}
