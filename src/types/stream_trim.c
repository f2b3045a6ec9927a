/* Trimming: whole blocks from the head, and when the trim is exact, entries of one more. */
#include "stream_internal.h"

static bool is_done(const struct stream *stream, const struct stream_trim *trim)
{
    return trim->by == TRIM_MAXLEN && stream->length <= trim->max_length;
}

/* All of the block's entries are to go. */
static bool covers(const struct stream *stream, const struct stream_trim *trim,
                   const struct id_cursor *at, uint64_t count)
{
    const struct listpack *block = id_cursor_value(at);

    if (trim->by == TRIM_MAXLEN)
        return stream->length - count >= trim->max_length;
    return stream_id_compare(block_read(block, id_cursor_id(at), block_last(block)).id,
                             trim->min_id) < 0;
}

static uint64_t trim_within(struct stream *stream, const struct stream_trim *trim,
                            struct id_cursor *at)
{
    const struct listpack *block = id_cursor_value(at);
    struct block_counts counts = block_counts(block);
    struct block_entry entry;
    int64_t removed = 0;

    for (listpack_pos next = block_first(block); next && !is_done(stream, trim);
         next = block_behind(block, &entry)) {
        entry = block_read(block, id_cursor_id(at), next);
        if (trim->by == TRIM_MINID && stream_id_compare(entry.id, trim->min_id) >= 0)
            break;
        if (entry.flags & BLOCK_DELETED)
            continue;
        listpack_set_int(entry.at, entry.flags | BLOCK_DELETED);
        removed++;
        stream->length--;
    }
    if (removed == counts.count)
        stream_drop_block(stream, at);
    else if (removed)
        stream_recount(stream, at, counts.count - removed, counts.deleted + removed);
    return (uint64_t)removed;
}

uint64_t stream_trim(struct stream *stream, const struct stream_trim *trim)
{
    uint64_t removed = 0;

    while (stream->length && !is_done(stream, trim)) {
        struct id_cursor first = id_index_first(&stream->blocks);
        uint64_t count = (uint64_t)block_counts(id_cursor_value(&first)).count;

        if (trim->is_approximate && trim->limit && removed + count > trim->limit)
            break;
        if (covers(stream, trim, &first, count)) {
            stream_drop_block(stream, &first);
            stream->length -= count;
            removed += count;
            continue;
        }
        if (!trim->is_approximate)
            removed += trim_within(stream, trim, &first);
        break;
    }
    return removed;
}
