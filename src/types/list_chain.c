/* A list's chain of blocks, and the limit on a block: see list.c for the picture.
 *
 * The blocks of a chain are an array of 24 bytes each, not nodes with pointers: an index is found
 * by adding counts along the array from the nearer end, which touches no block. */
#include "list_internal.h"

#include "base/assert.h"
#include "base/mem.h"

/* ---- the limit ---- */

#define SAFE_BYTES 8192 /* the size limit where the configured one is a count */
#define SET_LIMITS 4    /* how many times the limit LSET may make a block */
#define ENTRY_COST 8    /* what quicklist.c adds to a value's length when it looks at the limit */

static struct limit {
    size_t bytes, count;               /* of a block */
    size_t packed_bytes, packed_count; /* of a chain's only block that is packed again */
    int configured;
} limit =
#ifdef TERN_STRESS
    {64, SIZE_MAX, 32, SIZE_MAX, -2};
#else
    {8192, SIZE_MAX, 4096, SIZE_MAX, -2};
#endif

void list_set_listpack_limit(int listpack_limit)
{
    if (listpack_limit >= 0) {
        size_t count = listpack_limit > 0 ? (size_t)listpack_limit : 1;
        limit = (struct limit){SAFE_BYTES, count, SIZE_MAX, count / 2, listpack_limit};
    } else {
        size_t bytes = (size_t)2048 << (listpack_limit < -5 ? 5 : -listpack_limit);
        limit = (struct limit){bytes, SIZE_MAX, bytes / 2, SIZE_MAX, listpack_limit};
    }
}

int list_listpack_limit(void) { return limit.configured; }

bool list_exceeds_limit(size_t bytes, size_t count)
{
    return bytes > limit.bytes || count > limit.count;
}

/* Such a value gets a block of its own. */
static bool is_large(struct bytes value) { return value.len > limit.bytes; }

bool block_is_small(const struct block *block)
{
    return !block->is_plain && block->count <= limit.packed_count &&
           packed_bytes(&block->packed) <= limit.packed_bytes;
}

/* ---- a chain of blocks ---- */

#define BLOCK_NEW_BYTES  1024 /* an end block begins with this capacity and doubles */
#define CHAIN_NEW_BLOCKS 4

struct chain *chain_new(void)
{
    struct chain *chain = mem_alloc_zero(sizeof *chain);

    chain->capacity = CHAIN_NEW_BLOCKS;
    chain->blocks = mem_alloc(CHAIN_NEW_BLOCKS * sizeof *chain->blocks);
    return chain;
}

/* Without its blocks. */
void chain_free(struct chain *chain)
{
    mem_free(chain->blocks, chain->capacity * sizeof *chain->blocks);
    mem_free(chain, sizeof *chain);
}

static size_t end_block(const struct chain *chain, enum list_end end)
{
    return end == LIST_HEAD ? 0 : chain->count - 1;
}

static void blocks_place(struct chain *chain, size_t capacity, size_t first)
{
    struct block *blocks = chain->blocks;

    if (capacity != chain->capacity)
        blocks = mem_alloc(capacity * sizeof *blocks);
    memmove(blocks + first, block_at(chain, 0), chain->count * sizeof *blocks);
    if (capacity != chain->capacity)
        mem_free(chain->blocks, chain->capacity * sizeof *blocks);
    chain->blocks = blocks;
    chain->capacity = capacity;
    chain->first = first;
}

/* Makes a place for a block at 'index' by moving the shorter side. Addresses of blocks are void. */
struct block *chain_open(struct chain *chain, size_t index)
{
    bool is_nearer_head = index < chain->count - index;
    size_t spare = chain->capacity - chain->count;

    if ((is_nearer_head ? chain->first : spare - chain->first) == 0) {
        size_t capacity = chain->capacity;
        if (spare <= chain->count / 4)
            capacity += capacity / 2;
        blocks_place(chain, capacity, (capacity - chain->count + is_nearer_head) / 2);
    }
    struct block *blocks = block_at(chain, 0);
    if (is_nearer_head) {
        memmove(blocks - 1, blocks, index * sizeof *blocks);
        chain->first--;
    } else {
        memmove(blocks + index + 1, blocks + index, (chain->count - index) * sizeof *blocks);
    }
    chain->count++;
    return block_at(chain, index);
}

/* Forgets the block at 'index', whose memory is freed or owned elsewhere. */
static void chain_close(struct chain *chain, size_t index)
{
    struct block *blocks = block_at(chain, 0);
    size_t behind = chain->count - index - 1;

    if (index < behind) {
        memmove(blocks + 1, blocks, index * sizeof *blocks);
        chain->first++;
    } else {
        memmove(blocks + index, blocks + index + 1, behind * sizeof *blocks);
    }
    chain->count--;
    if (chain->count < chain->capacity / 4 && chain->capacity >= 2 * CHAIN_NEW_BLOCKS)
        blocks_place(chain, chain->capacity / 2, (chain->capacity / 2 - chain->count) / 2);
}

/* Frees the block at 'index' with its values. */
void chain_discard(struct chain *chain, size_t index)
{
    struct block *block = block_at(chain, index);

    chain->value_count -= block->count;
    if (block->is_plain)
        mem_free((char *)block->plain.data, block->plain.len);
    else
        packed_free(&block->packed);
    chain_close(chain, index);
}

/* Whether a value may join that block. */
static bool block_takes(const struct block *block, struct bytes value)
{
    if (block->is_plain || is_large(value))
        return false;
    return !list_exceeds_limit(packed_bytes(&block->packed) + value.len + ENTRY_COST,
                          block->count + (size_t)1);
}

/* A block at the end that is pushed to grows by doubling, since more pushes are likely there. */
static void chain_block_push(struct chain *chain, size_t index, enum list_end end,
                             struct bytes value)
{
    struct block *block = block_at(chain, index);
    size_t grown = 0;

    if (index == end_block(chain, end)) {
        grown = 2 * (size_t)block->packed.capacity;
        grown = grown < limit.bytes ? grown : limit.bytes;
    }
    packed_push(&block->packed, end, value, grown);
    block->count++;
    chain->value_count++;
}

static void chain_trim(struct chain *chain, size_t index)
{
    if (index < chain->count && !block_at(chain, index)->is_plain)
        packed_trim(&block_at(chain, index)->packed);
}

/* A new block at 'index' for one value. Its neighbours were the ends, or are trimmed already. */
static void chain_put_alone(struct chain *chain, size_t index, struct bytes value)
{
    enum list_end end = index == 0 && chain->count > 0 ? LIST_HEAD : LIST_TAIL;
    struct block *block = chain_open(chain, index);

    if (is_large(value)) {
        char *copy = mem_alloc(value.len);
        memcpy(copy, value.data, value.len);
        *block = (struct block){.plain = {copy, value.len}, .count = 1, .is_plain = true};
        chain->value_count++;
    } else {
        size_t capacity = BLOCK_NEW_BYTES < limit.bytes ? BLOCK_NEW_BYTES : limit.bytes;
        *block = (struct block){.packed = packed_new(capacity, end)};
        chain_block_push(chain, index, end, value);
    }
    chain_trim(chain, index - 1);
    chain_trim(chain, index + 1);
}

void chain_push(struct chain *chain, enum list_end end, struct bytes value)
{
    size_t index = end_block(chain, end);

    if (chain->count > 0 && block_takes(block_at(chain, index), value))
        chain_block_push(chain, index, end, value);
    else
        chain_put_alone(chain, end == LIST_HEAD ? 0 : chain->count, value);
}

void chain_drop(struct chain *chain, enum list_end end, size_t count)
{
    while (count > 0 && block_at(chain, end_block(chain, end))->count <= count) {
        count -= block_at(chain, end_block(chain, end))->count;
        chain_discard(chain, end_block(chain, end));
    }
    if (count == 0)
        return;
    struct block *block = block_at(chain, end_block(chain, end));
    packed_drop(&block->packed, end, count);
    block->count -= (uint32_t)count;
    chain->value_count -= count;
    /* A quarter, since the next push would double it. */
    if (block->packed.capacity > BLOCK_NEW_BYTES &&
        packed_bytes(&block->packed) < block->packed.capacity / 4)
        packed_trim(&block->packed);
}

/* The block that holds the value at 'index', which becomes the index within it. */
size_t chain_seek(const struct chain *chain, size_t *index)
{
    size_t block = 0, begin = 0;

    if (*index < chain->value_count / 2) {
        while (*index - begin >= block_at(chain, block)->count)
            begin += block_at(chain, block++)->count;
    } else {
        block = chain->count - 1;
        begin = chain->value_count - block_at(chain, block)->count;
        while (*index < begin)
            begin -= block_at(chain, --block)->count;
    }
    *index -= begin;
    return block;
}

/* ---- changes within a chain ---- */

/* Cuts a block before 'at', which is neither its first entry nor its end. */
static void chain_split(struct chain *chain, size_t index, listpack_pos at)
{
    struct block *block = block_at(chain, index);
    struct listpack *tail = listpack_copy(block_lp(block));
    struct block behind = {0};

    for (listpack_pos back = at; back; back = listpack_next(block_lp(block), back))
        behind.count++;
    block->count -= behind.count;
    tail = listpack_remove(tail, listpack_first(tail), block->count, NULL);
    packed_take_back(&behind.packed, tail);
    packed_remove(&block->packed, at, behind.count);
    *chain_open(chain, index + 1) = behind;
}

/* Joins a block with the next when there are these two and the limit allows it. */
static bool chain_join(struct chain *chain, size_t index)
{
    listpack_pos none = NULL;

    if (index >= chain->count || index + 1 == chain->count)
        return false;
    struct block *head = block_at(chain, index), *tail = head + 1;
    if (head->is_plain || tail->is_plain)
        return false;
    size_t bytes = packed_bytes(&head->packed) + packed_bytes(&tail->packed) - LISTPACK_EMPTY_SIZE;
    if (list_exceeds_limit(bytes, (size_t)head->count + tail->count))
        return false;
    struct listpack *lp = packed_lend(&head->packed, &none);
    packed_take_back(&head->packed, listpack_join(lp, packed_lend(&tail->packed, &none)));
    head->count += tail->count;
    chain_close(chain, index + 1);
    return true;
}

/* After a split: the two before 'center', the two behind it, then it with what is beside it. */
static void chain_join_around(struct chain *chain, size_t center)
{
    if (center >= 2 && chain_join(chain, center - 2))
        center--;
    chain_join(chain, center + 1);
    if (center >= 1 && chain_join(chain, center - 1))
        center--;
    chain_join(chain, center);
}

/* Inserts within a full block, at 'at', which is not its first entry. The half that gets the value
 * may be over the limit then, as in Redis. */
static void chain_split_insert(struct chain *chain, size_t index, listpack_pos at,
                               enum list_end side, struct bytes value)
{
    chain_split(chain, index, at);
    if (is_large(value)) {
        chain_put_alone(chain, index + 1, value);
    } else if (side == LIST_TAIL) {
        chain_block_push(chain, index + 1, LIST_HEAD, value);
        chain_join_around(chain, index);
    } else {
        chain_block_push(chain, index, LIST_TAIL, value);
        chain_join_around(chain, index + 1);
    }
}

/* Inserts beside the entry 'at'. */
void chain_insert(struct chain *chain, size_t index, listpack_pos at, enum list_end side,
                         struct bytes value)
{
    struct block *block = block_at(chain, index);
    size_t neighbour = side == LIST_TAIL ? index + 1 : index - 1; /* may be none */

    if (!block->is_plain && side == LIST_TAIL)
        at = listpack_next(block_lp(block), at);
    bool is_edge = block->is_plain || !at || at == listpack_first(block_lp(block));
    if (block_takes(block, value)) {
        packed_insert(&block->packed, at, value);
        block->count++;
        chain->value_count++;
    } else if (!is_edge) {
        chain_split_insert(chain, index, at, side, value);
    } else if (neighbour < chain->count && block_takes(block_at(chain, neighbour), value)) {
        chain_block_push(chain, neighbour, side == LIST_TAIL ? LIST_HEAD : LIST_TAIL, value);
    } else {
        chain_put_alone(chain, side == LIST_TAIL ? index + 1 : index, value);
    }
}

/* Removes an entry from a block of more than one; returns what stands behind it then. */
listpack_pos chain_remove(struct chain *chain, size_t index, listpack_pos at)
{
    struct block *block = block_at(chain, index);

    chain->value_count--;
    block->count--;
    return packed_remove(&block->packed, at, 1);
}

/* Replaces an entry by a value that becomes a block of its own. */
static void chain_set_alone(struct chain *chain, size_t index, listpack_pos at, struct bytes value)
{
    struct block *block = block_at(chain, index);
    listpack_pos behind = listpack_next(block_lp(block), at);

    if (behind)
        chain_split(chain, index, behind);
    chain_put_alone(chain, index + 1, value);
    block = block_at(chain, index);
    if (block->count == 1) {
        chain_discard(chain, index);
    } else {
        chain_remove(chain, index, listpack_last(block_lp(block)));
        chain_join_around(chain, index + 1);
    }
}

/* As in Redis, values that are set make a block longer than the limit, but not without end. */
static bool block_takes_instead(const struct block *block, listpack_pos at, struct bytes value)
{
    char text[LISTPACK_TEXT_MAX];
    size_t without = packed_bytes(&block->packed) - listpack_entry_bytes(listpack_get(at, text));

    return !is_large(value) && without + listpack_entry_bytes(value) <= SET_LIMITS * limit.bytes;
}

void chain_set(struct chain *chain, size_t index, struct bytes value)
{
    size_t in_block = chain_seek(chain, &index);
    struct block *block = block_at(chain, in_block);

    if (block->is_plain) {
        chain_insert(chain, in_block, NULL, LIST_TAIL, value);
        chain_discard(chain, in_block);
        return;
    }
    listpack_pos at = listpack_at(block_lp(block), (int64_t)index);
    if (block_takes_instead(block, at, value))
        packed_replace(&block->packed, at, value);
    else
        chain_set_alone(chain, in_block, at, value);
}
