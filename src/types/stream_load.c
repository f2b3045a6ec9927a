/* Blocks from and to files: see stream_internal.h for their layout. */
#include "stream_internal.h"

#include "base/mem.h"

struct id_cursor stream_first_block(const struct stream *stream) { return id_index_first(&stream->blocks); }

struct stream_block stream_block_at(const struct id_cursor *at)
{
    const struct listpack *block = id_cursor_value(at);

    return (struct stream_block){id_cursor_id(at), {(const char *)block, listpack_bytes(block)}};
}

/* --- what comes from outside ----------------------------------------------------------------------------- */

struct walk {
    const struct listpack *block;
    listpack_pos at; /* NULL at the end */
};

static bool walk_int(struct walk *walk, int64_t *number)
{
    if (!walk->at || !listpack_get_int(walk->at, number))
        return false;
    walk->at = listpack_next(walk->block, walk->at);
    return true;
}

static bool walk_over(struct walk *walk, int64_t count)
{
    if (count < 0)
        return false;
    for (; count && walk->at; count--)
        walk->at = listpack_next(walk->block, walk->at);
    return count == 0;
}

struct seen {
    struct block_counts counts;
    struct stream_id last; /* of those that are there */
};

static bool walk_entry(struct walk *walk, struct stream_id master, int64_t master_fields, struct seen *seen)
{
    int64_t flags, ms, seq, fields = master_fields, steps;
    struct stream_id id;

    if (!walk_int(walk, &flags) || flags & ~(int64_t)(BLOCK_DELETED | BLOCK_SAME_FIELDS) || !walk_int(walk, &ms) ||
        !walk_int(walk, &seq))
        return false;
    if (!(flags & BLOCK_SAME_FIELDS) && !walk_int(walk, &fields))
        return false;
    if (fields < 0 || fields > LISTPACK_SIZE_MAX)
        return false;
    steps = flags & BLOCK_SAME_FIELDS ? fields + 3 : 2 * fields + 4;
    if (!walk_over(walk, flags & BLOCK_SAME_FIELDS ? fields : 2 * fields))
        return false;
    if (!walk_int(walk, &fields) || fields != steps)
        return false;
    if (flags & BLOCK_DELETED) {
        seen->counts.deleted++;
        return true;
    }
    id = (struct stream_id){master.ms + (uint64_t)ms, master.seq + (uint64_t)seq};
    if (stream_id_compare(id, seen->counts.count ? seen->last : master) < (seen->counts.count != 0))
        return false;
    seen->counts.count++;
    seen->last = id;
    return true;
}

static bool is_block(struct stream_block block, struct seen *seen)
{
    const struct listpack *lp = (const struct listpack *)(const void *)block.listpack.data;
    struct block_counts counts;
    int64_t fields, end;

    *seen = (struct seen){{0, 0}, {0, 0}};
    if (!listpack_is_valid(block.listpack))
        return false;
    struct walk walk = {lp, listpack_first(lp)};
    if (!walk_int(&walk, &counts.count) || !walk_int(&walk, &counts.deleted) || !walk_int(&walk, &fields) ||
        !walk_over(&walk, fields) || !walk_int(&walk, &end) || end)
        return false;
    while (walk.at)
        if (!walk_entry(&walk, block.master, fields, seen))
            return false;
    return seen->counts.count == counts.count && seen->counts.deleted == counts.deleted && counts.count > 0;
}

bool stream_add_block(struct stream *stream, struct stream_block block)
{
    struct seen seen;
    struct listpack *lp;

    if (!is_block(block, &seen) || (stream->blocks.count && stream_id_compare(block.master, stream->last_id) <= 0))
        return false;
    lp = listpack_from_bytes(block.listpack);
    id_index_insert(&stream->blocks, block.master, lp);
    stream->tail_capacity = (uint32_t)block.listpack.len;
    stream->length += (uint64_t)seen.counts.count;
    stream->last_id = seen.last;
    return true;
}
