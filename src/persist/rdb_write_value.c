/* Values out. What is packed goes as the bytes that it is. */
#include "rdb_value_internal.h"

#include "base/mem.h"
#include "ds/listpack.h"
#include "store/string_value.h"

#include <stdlib.h>

/* --- hashes --------------------------------------------------------------------------------------------------- */

/* A pair that waits for its place in the listpack. */
struct due_pair {
    struct bytes field, value;
    int64_t deadline_ms; /* INT64_MAX: none, at the end */
    size_t order;
};

static int compare_due(const void *a, const void *b)
{
    const struct due_pair *one = a, *other = b;

    if (one->deadline_ms != other->deadline_ms)
        return one->deadline_ms < other->deadline_ms ? -1 : 1;
    return one->order < other->order ? -1 : 1;
}

static void write_listpack(struct rdb_writer *writer, struct listpack *lp, unsigned char *tail, size_t count)
{
    listpack_set_tail(lp, tail, count);
    rdb_write_string(writer, (struct bytes){(const char *)lp, listpack_bytes(lp)});
}

static size_t listpack_bound(const struct hash *hash, size_t entries_per_field)
{
    size_t bound = LISTPACK_EMPTY_SIZE;
    struct bytes field, value;
    struct hash_iter iter;

    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value))
        bound += field.len + value.len + entries_per_field * LISTPACK_EXTRA_MAX;
    return bound;
}

static void write_packed_hash(struct rdb_writer *writer, const struct hash *hash)
{
    size_t bound = listpack_bound(hash, 2), count = 0;
    struct listpack *lp = listpack_init(mem_alloc(bound));
    unsigned char *tail = listpack_tail(lp);
    struct bytes field, value;
    struct hash_iter iter;

    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value)) {
        tail = listpack_put(listpack_put(tail, field), value);
        count += 2;
    }
    write_listpack(writer, lp, tail, count);
    mem_free(lp, bound);
}

/* Redis wants those that die first in front, and those that never do at the end. */
static size_t gather_due(const struct hash *hash, struct due_pair *pairs)
{
    struct bytes field, value;
    struct hash_iter iter;
    size_t count = 0;

    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value)) {
        pairs[count] = (struct due_pair){field, value, iter.deadline_ms, count};
        if (iter.deadline_ms == HASH_NO_DEADLINE)
            pairs[count].deadline_ms = INT64_MAX;
        count++;
    }
    qsort(pairs, count, sizeof *pairs, compare_due);
    return count;
}

static void write_packed_deadlines(struct rdb_writer *writer, const struct hash *hash)
{
    size_t size = (hash_size(hash) + 1) * sizeof(struct due_pair), bound = listpack_bound(hash, 3) + 16;
    struct due_pair *pairs = mem_alloc(size);
    size_t count = gather_due(hash, pairs);
    struct listpack *lp = listpack_init(mem_alloc(bound));
    unsigned char *tail = listpack_tail(lp);

    for (size_t i = 0; i < count; i++) {
        tail = listpack_put(listpack_put(tail, pairs[i].field), pairs[i].value);
        tail = listpack_put_int(tail, pairs[i].deadline_ms == INT64_MAX ? 0 : pairs[i].deadline_ms);
    }
    rdb_write_u64(writer, (uint64_t)(count ? pairs[0].deadline_ms : 0));
    write_listpack(writer, lp, tail, 3 * count);
    mem_free(lp, bound);
    mem_free(pairs, size);
}

static void write_hash_table(struct rdb_writer *writer, const struct hash *hash)
{
    struct bytes field, value;
    struct hash_iter iter;

    rdb_write_length(writer, hash_size(hash));
    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value)) {
        rdb_write_string(writer, field);
        rdb_write_string(writer, value);
    }
}

static int64_t earliest_deadline(const struct hash *hash)
{
    int64_t earliest_ms = INT64_MAX;
    struct bytes field, value;
    struct hash_iter iter;

    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value))
        if (iter.deadline_ms != HASH_NO_DEADLINE && iter.deadline_ms < earliest_ms)
            earliest_ms = iter.deadline_ms;
    return earliest_ms;
}

/* Deadlines are told from the earliest on, and one more, since 0 is none. */
static void write_table_deadlines(struct rdb_writer *writer, const struct hash *hash)
{
    int64_t earliest_ms = earliest_deadline(hash);
    struct bytes field, value;
    struct hash_iter iter;

    rdb_write_u64(writer, (uint64_t)earliest_ms);
    rdb_write_length(writer, hash_size(hash));
    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value)) {
        rdb_write_length(writer, iter.deadline_ms == HASH_NO_DEADLINE
                                     ? 0
                                     : (uint64_t)(iter.deadline_ms - earliest_ms) + 1);
        rdb_write_string(writer, field);
        rdb_write_string(writer, value);
    }
}

/* Of those that are alive. */
static bool has_deadlines(const struct hash *hash)
{
    return hash_expiring(hash) && earliest_deadline(hash) != INT64_MAX;
}

static unsigned hash_type(const struct hash *hash)
{
    if (has_deadlines(hash))
        return hash_is_packed(hash) ? RDB_HASH_LISTPACK_DEADLINES : RDB_HASH_DEADLINES;
    return hash_is_packed(hash) ? RDB_HASH_LISTPACK : RDB_HASH;
}

static void write_hash(struct rdb_writer *writer, const struct hash *hash)
{
    switch (hash_type(hash)) {
    case RDB_HASH_LISTPACK_DEADLINES:
        write_packed_deadlines(writer, hash);
        break;
    case RDB_HASH_DEADLINES:
        write_table_deadlines(writer, hash);
        break;
    case RDB_HASH_LISTPACK:
        write_packed_hash(writer, hash);
        break;
    default:
        write_hash_table(writer, hash);
    }
}

/* --- lists, sets, sorted sets --------------------------------------------------------------------------------- */

static void write_list(struct rdb_writer *writer, const struct list *list)
{
    size_t count = list_block_count(list);

    rdb_write_length(writer, count);
    for (size_t i = 0; i < count; i++) {
        struct list_block block = list_block_at(list, i);

        rdb_write_length(writer, block.is_plain ? LIST_BLOCK_PLAIN : LIST_BLOCK_PACKED);
        rdb_write_string(writer, block.bytes);
    }
}

static void write_set(struct rdb_writer *writer, const struct set *set)
{
    struct set_member member;
    struct bytes packed;
    struct set_iter iter;
    char text[SET_TEXT_MAX];
    bool is_intset;

    if (set_packed(set, &packed, &is_intset)) {
        rdb_write_string(writer, packed);
        return;
    }
    rdb_write_length(writer, set_size(set));
    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &member))
        rdb_write_string(writer, set_member_bytes(&member, text));
}

/* From the highest down, so that a server whose sets are skiplists adds each in front. */
static void write_zset(struct rdb_writer *writer, const struct zset *set)
{
    struct bytes packed;
    struct zset_iter iter;
    struct zset_item item;

    if (zset_packed(set, &packed)) {
        rdb_write_string(writer, packed);
        return;
    }
    rdb_write_length(writer, zset_size(set));
    zset_iter_init(&iter, set, zset_size(set) - 1, true);
    while (zset_iter_next(&iter, &item)) {
        rdb_write_string(writer, item.member);
        rdb_write_double(writer, item.score);
    }
}

static void write_string(struct rdb_writer *writer, const struct entry *entry)
{
    char text[INT64_TEXT_MAX];
    int64_t number;

    if (entry->form == FORM_INT && string_get_int(entry, &number))
        rdb_write_int_string(writer, number);
    else
        rdb_write_string(writer, string_get(entry, text));
}

/* --- any ------------------------------------------------------------------------------------------------------- */

unsigned rdb_type_of(const struct entry *entry)
{
    struct bytes packed;
    bool is_intset;

    switch ((enum value_type)entry->type) {
    case VALUE_STRING:
        return RDB_STRING;
    case VALUE_LIST:
        return RDB_LIST_BLOCKS;
    case VALUE_SET:
        if (!set_packed(entry_value(entry), &packed, &is_intset))
            return RDB_SET;
        return is_intset ? RDB_SET_INTSET : RDB_SET_LISTPACK;
    case VALUE_ZSET:
        return zset_packed(entry_value(entry), &packed) ? RDB_ZSET_LISTPACK : RDB_ZSET;
    case VALUE_HASH:
        return hash_type(entry_value(entry));
    default:
        return RDB_STREAM_3;
    }
}

void rdb_write_value(struct rdb_writer *writer, const struct entry *entry)
{
    switch ((enum value_type)entry->type) {
    case VALUE_STRING:
        write_string(writer, entry);
        break;
    case VALUE_LIST:
        write_list(writer, entry_value(entry));
        break;
    case VALUE_SET:
        write_set(writer, entry_value(entry));
        break;
    case VALUE_ZSET:
        write_zset(writer, entry_value(entry));
        break;
    case VALUE_HASH:
        write_hash(writer, entry_value(entry));
        break;
    default:
        rdb_write_stream(writer, entry_value(entry));
    }
}
