/* The stream: its life, what is appended and what is removed. */
#include "stream_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#define BLOCK_BYTES_USUAL 4096 /* a new block has at most that much room in advance */

struct stream *stream_new(void) { return mem_alloc_zero(sizeof(struct stream)); }

uint64_t stream_length(const struct stream *stream) { return stream->length; }
struct stream_id stream_last_id(const struct stream *stream) { return stream->last_id; }
uint64_t stream_entries_added(const struct stream *stream) { return stream->entries_added; }
size_t stream_blocks(const struct stream *stream) { return stream->blocks.count; }
size_t stream_index_nodes(const struct stream *stream) { return stream->blocks.nodes; }

struct stream_id stream_max_deleted_id(const struct stream *stream)
{
    return stream->max_deleted_id;
}

struct stream_id stream_first_id(const struct stream *stream)
{
    struct stream_iter iter;

    stream_iter_init(&iter, stream, STREAM_ID_MIN, STREAM_ID_MAX, false);
    return stream_iter_next(&iter) ? iter.id : STREAM_ID_MIN;
}

struct stream_id stream_top_id(const struct stream *stream)
{
    struct stream_iter iter;

    stream_iter_init(&iter, stream, STREAM_ID_MIN, STREAM_ID_MAX, true);
    return stream_iter_next(&iter) ? iter.id : STREAM_ID_MIN;
}

void stream_set_last_id(struct stream *stream, struct stream_id id) { stream->last_id = id; }

void stream_set_entries_added(struct stream *stream, uint64_t count)
{
    stream->entries_added = count;
}

void stream_set_max_deleted_id(struct stream *stream, struct stream_id id)
{
    stream->max_deleted_id = id;
}

/* --- the last block, which has room ---------------------------------------------------------------- */

static bool is_tail(const struct id_cursor *at)
{
    return !at->node->next && at->at + 1 == at->node->count;
}

/* The last block gets as much memory as it needs. */
static struct listpack *tail_close(struct stream *stream, const struct id_cursor *at)
{
    struct listpack *block = id_cursor_value(at);
    size_t bytes = listpack_bytes(block);

    if (bytes != stream->tail_capacity)
        block = mem_resize(block, stream->tail_capacity, bytes);
    stream->tail_capacity = (uint32_t)bytes;
    *id_cursor_place(at) = block;
    return block;
}

static struct listpack *tail_make_room(struct stream *stream, const struct id_cursor *at,
                                       const struct bytes *pairs, size_t fields)
{
    struct listpack *block = id_cursor_value(at);
    size_t bytes = listpack_bytes(block), need;

    if (stream->tail_capacity - bytes >= block_entry_bound(pairs, fields))
        return block;
    need = bytes + block_entry_bytes(pairs, fields);
    if (need <= stream->tail_capacity)
        return block;
    need = mem_block_size(need + bytes / 4);
    block = mem_resize(block, stream->tail_capacity, need);
    stream->tail_capacity = (uint32_t)need;
    *id_cursor_place(at) = block;
    return block;
}

/* A new last block; its room is what the one before came to need. */
static struct id_cursor tail_new(struct stream *stream, struct stream_id master,
                                 const struct bytes *pairs, size_t fields)
{
    size_t usual = stream->tail_capacity < BLOCK_BYTES_USUAL ? stream->tail_capacity : 0;
    size_t need = block_master_bytes(pairs, fields);
    struct listpack *block;

    if (need < usual)
        need = usual;
    need = mem_block_size(need);
    block = mem_alloc(need);
    block_init(block, pairs, fields);
    id_index_insert(&stream->blocks, master, block);
    stream->tail_capacity = (uint32_t)need;
    return id_index_last(&stream->blocks);
}

static bool is_full(const struct listpack *block, const struct bytes *pairs, size_t fields,
                    struct stream_limits limits)
{
    size_t bytes = listpack_bytes(block), texts = 0;
    size_t max_bytes = limits.max_bytes <= 0 || limits.max_bytes > LISTPACK_SIZE_MAX
                           ? LISTPACK_SIZE_MAX
                           : (size_t)limits.max_bytes;

    for (size_t i = 0; i < 2 * fields; i++)
        texts += pairs[i].len;
    if (bytes + texts >= max_bytes ||
        bytes + block_entry_bound(pairs, fields) > LISTPACK_SIZE_MAX)
        return true;
    if (limits.max_entries) {
        struct block_counts counts = block_counts(block);

        return counts.count + counts.deleted >= limits.max_entries;
    }
    return false;
}

/* --- counts ---------------------------------------------------------------------------------------- */

static struct listpack *set_number(struct stream *stream, const struct id_cursor *at, int64_t index,
                                   int64_t number)
{
    struct listpack *block = id_cursor_value(at);

    if (listpack_set_int(listpack_at(block, index), number))
        return block;
    if (is_tail(at)) /* the listpack wants to own its memory */
        block = tail_close(stream, at);
    block = listpack_replace_int(block, listpack_at(block, index), number);
    if (is_tail(at))
        stream->tail_capacity = (uint32_t)listpack_bytes(block);
    *id_cursor_place(at) = block;
    return block;
}

struct listpack *stream_recount(struct stream *stream, const struct id_cursor *at, int64_t count,
                                int64_t deleted)
{
    set_number(stream, at, 0, count);
    return set_number(stream, at, 1, deleted);
}

/* --- changing -------------------------------------------------------------------------------------- */

bool stream_can_hold(const struct bytes *pairs, size_t fields)
{
    size_t most = LISTPACK_SIZE_MAX / (LISTPACK_EXTRA_MAX * 4);

    return fields < most && block_master_bytes(pairs, fields) + block_entry_bound(pairs, fields) <=
                                LISTPACK_SIZE_MAX;
}

void stream_append(struct stream *stream, struct stream_id id, const struct bytes *pairs,
                   size_t fields, struct stream_limits limits)
{
    struct id_cursor at = id_index_last(&stream->blocks);
    struct listpack *block;
    listpack_pos first;
    int64_t count = 0;

    DEBUG_ASSERT(stream_id_compare(id, stream->last_id) > 0);
    if (at.node && is_full(id_cursor_value(&at), pairs, fields, limits)) {
        tail_close(stream, &at);
        at.node = NULL;
    }
    if (!at.node)
        at = tail_new(stream, id, pairs, fields);
    block = tail_make_room(stream, &at, pairs, fields);
    block_append(block, id_cursor_id(&at), id, pairs, fields);
    first = listpack_first(block);
    listpack_get_int(first, &count);
    if (!listpack_set_int(first, count + 1))
        set_number(stream, &at, 0, count + 1);
    stream->length++;
    stream->entries_added++;
    stream->last_id = id;
}

static void block_free(const struct stream *stream, struct listpack *block, bool is_last)
{
    mem_free(block, is_last ? stream->tail_capacity : listpack_bytes(block));
}

void stream_drop_block(struct stream *stream, struct id_cursor *at)
{
    bool is_last = is_tail(at);

    block_free(stream, id_cursor_value(at), is_last);
    id_index_remove(&stream->blocks, id_cursor_id(at));
    at->node = NULL;
    if (!is_last)
        return;
    *at = id_index_last(&stream->blocks);
    stream->tail_capacity = at->node ? (uint32_t)listpack_bytes(id_cursor_value(at)) : 0;
    at->node = NULL;
}

struct stream *stream_take_blocks(struct stream *stream, const struct id_cursor *at)
{
    struct id_index front = stream->blocks;
    struct stream *taken;
    struct id_cursor last;

    if (at->node)
        front = id_index_cut(&stream->blocks, id_cursor_id(at));
    else
        stream->blocks = (struct id_index){0};
    if (!front.count)
        return NULL;
    taken = stream_new();
    taken->blocks = front;
    last = id_index_last(&front);
    taken->tail_capacity =
        at->node ? (uint32_t)listpack_bytes(id_cursor_value(&last)) : stream->tail_capacity;
    if (!at->node)
        stream->tail_capacity = 0;
    return taken;
}

/* The entry, in the block at 'at'; false when it is not there. */
static bool find(const struct stream *stream, struct stream_id id, struct id_cursor *at,
                 struct block_entry *entry)
{
    const struct listpack *block;
    listpack_pos next;

    *at = id_index_floor(&stream->blocks, id);
    if (!at->node)
        return false;
    block = id_cursor_value(at);
    for (next = block_first(block); next; next = block_behind(block, entry)) {
        *entry = block_read(block, id_cursor_id(at), next);
        if (!(entry->flags & BLOCK_DELETED) && stream_id_compare(entry->id, id) >= 0)
            return stream_id_equal(entry->id, id);
    }
    return false;
}

bool stream_has(const struct stream *stream, struct stream_id id)
{
    struct block_entry entry;
    struct id_cursor at;

    return find(stream, id, &at, &entry);
}

bool stream_delete(struct stream *stream, struct stream_id id)
{
    struct block_counts counts;
    struct block_entry entry;
    struct id_cursor at;

    if (!find(stream, id, &at, &entry))
        return false;
    counts = block_counts(id_cursor_value(&at));
    if (counts.count == 1) {
        stream_drop_block(stream, &at);
    } else {
        listpack_set_int(entry.at, entry.flags | BLOCK_DELETED);
        stream_recount(stream, &at, counts.count - 1, counts.deleted + 1);
    }
    stream->length--;
    if (stream_id_compare(id, stream->max_deleted_id) > 0)
        stream->max_deleted_id = id;
    return true;
}

/* --- operations of every type ---------------------------------------------------------------------- */

static bool free_blocks(struct stream *stream, size_t *budget)
{
    for (; stream->blocks.count; --*budget) {
        struct id_cursor at = id_index_last(&stream->blocks);

        if (!*budget)
            return false;
        stream_drop_block(stream, &at);
    }
    return true;
}

static bool stream_free_step(void *value, size_t budget)
{
    struct stream *stream = value;

    if (!free_blocks(stream, &budget) || !stream_groups_free_step(stream, &budget))
        return false;
    mem_free(stream, sizeof *stream);
    return true;
}

void stream_free(struct stream *stream)
{
    while (!stream_free_step(stream, SIZE_MAX))
        ;
}

static size_t stream_free_effort(const void *value)
{
    const struct stream *stream = value;

    return 1 + stream->blocks.count + stream_groups_effort(stream);
}

static const char *stream_encoding(const void *value) { return "stream"; }

static size_t stream_memory(const void *value, size_t samples)
{
    const struct stream *stream = value;
    struct id_cursor at = id_index_first(&stream->blocks);
    size_t bytes = 0, seen = 0;

    for (; at.node && (!samples || seen < samples); id_cursor_next(&at), seen++) {
        const struct listpack *block = id_cursor_value(&at);

        bytes += mem_block_size(is_tail(&at) ? stream->tail_capacity : listpack_bytes(block));
    }
    if (seen && seen < stream->blocks.count)
        bytes = (size_t)((double)bytes / (double)seen * (double)stream->blocks.count);
    return mem_block_size(sizeof *stream) + id_index_memory(&stream->blocks) + bytes +
           stream_groups_memory(stream);
}

static void *stream_copy(const void *value)
{
    const struct stream *stream = value;
    struct stream *copy = mem_alloc(sizeof *copy);
    struct id_cursor at = id_index_first(&stream->blocks);

    *copy = *stream;
    copy->blocks = (struct id_index){0};
    for (; at.node; id_cursor_next(&at)) {
        struct listpack *block = listpack_copy(id_cursor_value(&at));

        id_index_insert(&copy->blocks, id_cursor_id(&at), block);
        copy->tail_capacity = (uint32_t)listpack_bytes(block);
    }
    stream_groups_copy(copy, stream);
    return copy;
}

/* Returns the id of the block's last entry. What was removed may stand in any order: XSETID can go
 * back behind it. */
static struct stream_id check_block(const struct stream *stream, const struct id_cursor *at)
{
    const struct listpack *block = id_cursor_value(at);
    struct block_counts seen = {0, 0}, counts = block_counts(block);
    size_t bytes = listpack_bytes(block);
    struct stream_id last = STREAM_ID_MIN;
    struct block_entry entry;
    listpack_pos before = NULL;

    ASSERT(listpack_is_valid((struct bytes){(const char *)block, bytes}));
    ASSERT(!is_tail(at) || bytes <= stream->tail_capacity);
    for (listpack_pos next = block_first(block); next; next = block_behind(block, &entry)) {
        entry = block_read(block, id_cursor_id(at), next);
        ASSERT(block_before(block, next) == before);
        before = next;
        if (entry.flags & BLOCK_DELETED) {
            seen.deleted++;
            continue;
        }
        ASSERT(!seen.count || stream_id_compare(last, entry.id) < 0);
        seen.count++;
        last = entry.id;
    }
    ASSERT(block_last(block) == before);
    ASSERT(seen.count == counts.count);
    ASSERT(seen.deleted == counts.deleted);
    ASSERT(seen.count > 0);
    return last;
}

void stream_check(const struct stream *stream)
{
    struct id_cursor at = id_index_first(&stream->blocks);
    uint64_t length = 0;

    id_index_check(&stream->blocks);
    for (; at.node; id_cursor_next(&at)) {
        struct stream_id last = check_block(stream, &at);
        struct id_cursor next = at;

        length += (uint64_t)block_counts(id_cursor_value(&at)).count;
        id_cursor_next(&next);
        ASSERT(stream_id_compare(last, next.node ? id_cursor_id(&next) : stream->last_id) <=
               -(next.node != NULL));
    }
    ASSERT(length == stream->length);
    ASSERT(stream->blocks.count || !stream->tail_capacity);
    stream_groups_check(stream);
}

/* Blocks from those of one millisecond up to the next that has any: it is the cursor. */
static uint64_t stream_move_step(void *value, uint64_t cursor, size_t *moved)
{
    struct stream *stream = value;
    struct id_cursor at = id_index_ceiling(&stream->blocks, (struct stream_id){cursor, 0});

    while (at.node) {
        void **place = id_cursor_place(&at);
        uint64_t ms = id_cursor_id(&at).ms;

        *place = mem_move_together(
            *place, is_tail(&at) ? stream->tail_capacity : listpack_bytes(*place), moved);
        id_cursor_next(&at);
        if (at.node && id_cursor_id(&at).ms != ms)
            return id_cursor_id(&at).ms;
    }
    return 0;
}

static void stream_check_value(const void *value) { stream_check(value); }

const struct value_ops stream_value_ops = {
    .encoding = stream_encoding,
    .memory = stream_memory,
    .free_effort = stream_free_effort,
    .free_step = stream_free_step,
    .move_step = stream_move_step,
    .copy = stream_copy,
    .check = stream_check_value,
};
