/* Walking the entries of a stream. */
#include "stream_internal.h"

#define NEAR_END 8 /* entries */

/* Whoever follows a stream begins near its end: looks there first. False, and the iterator left alone,
 * when 'from' is farther from the block's end. */
static bool seek_near_end(struct stream_iter *iter, const struct listpack *block,
                          struct stream_id master)
{
    listpack_pos at = block_last(block);

    for (int i = 0; i < NEAR_END && at; i++, at = block_before(block, at)) {
        struct block_entry entry = block_read(block, master, at);

        if (!(entry.flags & BLOCK_DELETED) && stream_id_compare(entry.id, iter->from) < 0) {
            iter->entry = at;
            iter->behind = block_behind(block, &entry);
            return true;
        }
    }
    return false;
}

/* Brings the iterator before the first entry that is not before 'from'. */
static void seek(struct stream_iter *iter)
{
    const struct listpack *block = id_cursor_value(&iter->block);
    struct stream_id master = id_cursor_id(&iter->block);
    listpack_pos at = block_first(block);
    struct block_entry entry;

    if (stream_id_equal(master, iter->from) || seek_near_end(iter, block, master))
        return;
    iter->entry = at;
    for (; at; at = block_behind(block, &entry)) {
        entry = block_read(block, master, at);
        if (!(entry.flags & BLOCK_DELETED) && stream_id_compare(entry.id, iter->from) >= 0)
            break;
    }
    iter->behind = at;
}

void stream_iter_init(struct stream_iter *iter, const struct stream *stream, struct stream_id from,
                      struct stream_id to, bool is_backward)
{
    iter->stream = stream;
    iter->from = from;
    iter->to = to;
    iter->is_backward = is_backward;
    iter->entry = NULL;
    iter->block = id_index_floor(&stream->blocks, is_backward ? to : from);
    if (!iter->block.node && !is_backward)
        iter->block = id_index_first(&stream->blocks);
    else if (iter->block.node && !is_backward)
        seek(iter);
}

/* The entry to look at next within the block, or NULL. */
static listpack_pos next_in_block(const struct stream_iter *iter, const struct listpack *block)
{
    if (!iter->entry)
        return iter->is_backward ? block_last(block) : block_first(block);
    return iter->is_backward ? block_before(block, iter->entry) : iter->behind;
}

static void stand_at(struct stream_iter *iter, const struct listpack *block,
                     const struct block_entry *entry)
{
    size_t count;

    iter->entry = entry->at;
    iter->id = entry->id;
    iter->fields = entry->fields;
    iter->value = entry->content;
    iter->field = entry->flags & BLOCK_SAME_FIELDS ? block_fields(block, &count) : NULL;
    if (!iter->is_backward)
        iter->behind = block_behind(block, entry);
}

bool stream_iter_next(struct stream_iter *iter)
{
    bool is_before, is_behind;

    while (iter->block.node) {
        const struct listpack *block = id_cursor_value(&iter->block);
        listpack_pos at = next_in_block(iter, block);
        struct block_entry entry;

        if (!at) {
            if (iter->is_backward)
                id_cursor_previous(&iter->block);
            else
                id_cursor_next(&iter->block);
            iter->entry = NULL;
            continue;
        }
        entry = block_read(block, id_cursor_id(&iter->block), at);
        stand_at(iter, block, &entry);
        if (entry.flags & BLOCK_DELETED)
            continue;
        is_before = stream_id_compare(entry.id, iter->from) < 0;
        is_behind = stream_id_compare(entry.id, iter->to) > 0;
        if (!is_before && !is_behind)
            return true;
        if (iter->is_backward ? is_before : is_behind)
            break;
    }
    iter->block.node = NULL;
    return false;
}

void stream_iter_field(struct stream_iter *iter, struct bytes *field, struct bytes *value)
{
    const struct listpack *block = id_cursor_value(&iter->block);

    if (iter->field) {
        *field = listpack_get(iter->field, iter->field_text);
        iter->field = listpack_next(block, iter->field);
    } else {
        *field = listpack_get(iter->value, iter->field_text);
        iter->value = listpack_next(block, iter->value);
    }
    *value = listpack_get(iter->value, iter->value_text);
    iter->value = listpack_next(block, iter->value);
}

/* Whole blocks by their counts, the first and the last by their entries. */
uint64_t stream_iter_count(const struct stream_iter *from, uint64_t most)
{
    struct stream_iter iter = *from;
    uint64_t count = 0;

    while (count < most && iter.block.node) {
        struct id_cursor next = iter.block;

        id_cursor_next(&next);
        if (!iter.entry && next.node &&
            stream_id_compare(iter.from, id_cursor_id(&iter.block)) <= 0 &&
            stream_id_compare(id_cursor_id(&next), iter.to) <= 0) {
            count += (uint64_t)block_counts(id_cursor_value(&iter.block)).count;
            iter.block = next;
        } else if (stream_iter_next(&iter)) {
            count++;
        }
        if (iter.block.node && iter.entry && !iter.behind) { /* to the next block as a whole */
            id_cursor_next(&iter.block);
            iter.entry = NULL;
        }
    }
    return count < most ? count : most;
}
