/* Trimming: whole blocks from the head, and when the trim is exact, entries of one more.
 *
 * Blocks that go whole are only counted here, from the end that is nearer, and go in one piece: whoever
 * trims frees them later. */
#include "stream_internal.h"

#define LOOK_AHEAD 8 /* blocks */

static bool is_done(const struct stream *stream, const struct stream_trim *trim)
{
    return trim->by == TRIM_MAXLEN && stream->length <= trim->max_length;
}

static uint64_t count_at(const struct id_cursor *at, int ahead)
{
    unsigned next = at->at + (unsigned)ahead;

    if (next < at->node->count) {
        struct id_cursor later = {at->node, next};

        __builtin_prefetch(id_cursor_value(&later));
    }
    return (uint64_t)block_counts(id_cursor_value(at)).count;
}

/* The block that MINID falls into, or the one behind it: all before it go. */
static struct id_cursor find_bound(const struct stream *stream, struct stream_id min_id)
{
    struct id_cursor at = id_index_floor(&stream->blocks, min_id);
    const struct listpack *block;

    if (!at.node)
        return id_index_first(&stream->blocks);
    block = id_cursor_value(&at);
    if (stream_id_compare(block_read(block, id_cursor_id(&at), block_last(block)).id, min_id) < 0)
        id_cursor_next(&at);
    return at;
}

static bool is_at(const struct id_cursor *a, const struct id_cursor *b)
{
    return a->node == b->node && (!a->node || a->at == b->at);
}

/* The first block that stays, looked for from the head. */
static struct id_cursor bound_from_head(const struct stream *stream, const struct stream_trim *trim,
                                        const struct id_cursor *bound, uint64_t *removed)
{
    struct id_cursor at = id_index_first(&stream->blocks);

    for (*removed = 0; at.node; id_cursor_next(&at)) {
        uint64_t count = count_at(&at, LOOK_AHEAD);

        if (trim->is_approximate && trim->limit && *removed + count > trim->limit)
            break;
        if (trim->by == TRIM_MINID ? is_at(&at, bound)
                                   : stream->length - *removed - count < trim->max_length)
            break;
        *removed += count;
    }
    return at;
}

/* The same from the tail, without a limit. */
static struct id_cursor bound_from_tail(const struct stream *stream, const struct stream_trim *trim,
                                        const struct id_cursor *bound, uint64_t *removed)
{
    struct id_cursor at = id_index_last(&stream->blocks), kept = {NULL, 0};
    uint64_t count = 0;

    while (at.node && (trim->by == TRIM_MINID ? !is_at(&kept, bound) : count < trim->max_length)) {
        count += count_at(&at, -LOOK_AHEAD);
        kept = at;
        id_cursor_previous(&at);
    }
    *removed = stream->length - count;
    return kept;
}

/* Whether more than half goes, by a guess that costs nothing. */
static bool is_tail_nearer(const struct stream *stream, const struct stream_trim *trim)
{
    struct id_cursor first = id_index_first(&stream->blocks);
    uint64_t first_ms = id_cursor_id(&first).ms, last_ms = stream->last_id.ms;

    if (trim->is_approximate && trim->limit)
        return false;
    if (trim->by == TRIM_MAXLEN)
        return trim->max_length < stream->length / 2;
    return trim->min_id.ms > first_ms && trim->min_id.ms - first_ms > (last_ms - first_ms) / 2;
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

uint64_t stream_trim(struct stream *stream, const struct stream_trim *trim, struct stream **taken)
{
    struct id_cursor bound = {NULL, 0};
    uint64_t removed;

    *taken = NULL;
    if (!stream->length || is_done(stream, trim))
        return 0;
    if (trim->by == TRIM_MINID)
        bound = find_bound(stream, trim->min_id);
    if (is_tail_nearer(stream, trim))
        bound = bound_from_tail(stream, trim, &bound, &removed);
    else
        bound = bound_from_head(stream, trim, &bound, &removed);
    *taken = stream_take_blocks(stream, &bound);
    stream->length -= removed;
    bound = id_index_first(&stream->blocks);
    if (!trim->is_approximate && bound.node && !is_done(stream, trim))
        removed += trim_within(stream, trim, &bound);
    return removed;
}
