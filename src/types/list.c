/* A list is one roomy listpack, or a chain of blocks:
 *
 *     struct list ─── memory  [ room | header a b c d ... FF | room ]          "listpack"
 *
 *     struct list ─── chain ─── blocks  [ spare | 0 | 1 | 2 | ... | spare ]    "quicklist"
 *                                         │   └ a large value alone ("plain")
 *                                         └ memory [ room | header ... FF | room ]
 *
 * Room on both sides makes every push and pop at either end a matter of that value's bytes: an
 * LPUSH to a listpack of 8 KB without it moves 4 KB on average. The room is within the allocation
 * class while a list is small, and at most half of a chain's two end blocks; blocks between them
 * are trimmed.
 *
 * The blocks of a chain are an array of 24 bytes each, not nodes with pointers: an index is found
 * by adding counts along the array from the nearer end, which touches no block.
 *
 * When to change between the two, and what fits into a block, is Redis's rule to the byte
 * (t_list.c and quicklist.c of 7.2), since OBJECT ENCODING shows it: a list becomes a chain when a
 * command's values would exceed the limit, and is packed again when something was removed
 * and it is one block of at most half the limit. */
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

static bool exceeds_limit(size_t bytes, size_t count)
{
    return bytes > limit.bytes || count > limit.count;
}

/* Such a value gets a block of its own. */
static bool is_large(struct bytes value) { return value.len > limit.bytes; }

/* ---- a chain of blocks ---- */

#define PACKED_NEW_BYTES 16   /* a listpack of one short value */
#define BLOCK_NEW_BYTES  1024 /* an end block begins with this capacity and doubles */
#define CHAIN_NEW_BLOCKS 4

struct block {
    union {
        struct packed packed;
        struct bytes plain; /* owned here */
    };
    uint32_t count; /* values: 1 when plain */
    bool is_plain;
};

struct chain {
    struct block *blocks; /* 'capacity' of them, 'count' in use from 'first' on */
    size_t first, count, capacity;
    size_t value_count;
};

static struct listpack *block_lp(const struct block *block) { return packed_lp(&block->packed); }

static struct chain *chain_new(void)
{
    struct chain *chain = mem_alloc_zero(sizeof *chain);

    chain->capacity = CHAIN_NEW_BLOCKS;
    chain->blocks = mem_alloc(CHAIN_NEW_BLOCKS * sizeof *chain->blocks);
    return chain;
}

/* Without its blocks. */
static void chain_free(struct chain *chain)
{
    mem_free(chain->blocks, chain->capacity * sizeof *chain->blocks);
    mem_free(chain, sizeof *chain);
}

static struct block *block_at(const struct chain *chain, size_t index)
{
    return &chain->blocks[chain->first + index];
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
static struct block *chain_open(struct chain *chain, size_t index)
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
static void chain_discard(struct chain *chain, size_t index)
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
    return !exceeds_limit(packed_bytes(&block->packed) + value.len + ENTRY_COST,
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

static void chain_push(struct chain *chain, enum list_end end, struct bytes value)
{
    size_t index = end_block(chain, end);

    if (chain->count > 0 && block_takes(block_at(chain, index), value))
        chain_block_push(chain, index, end, value);
    else
        chain_put_alone(chain, end == LIST_HEAD ? 0 : chain->count, value);
}

static void chain_drop(struct chain *chain, enum list_end end, size_t count)
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
static size_t chain_seek(const struct chain *chain, size_t *index)
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
    if (exceeds_limit(bytes, (size_t)head->count + tail->count))
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
static void chain_insert(struct chain *chain, size_t index, listpack_pos at, enum list_end side,
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
static listpack_pos chain_remove(struct chain *chain, size_t index, listpack_pos at)
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

static void chain_set(struct chain *chain, size_t index, struct bytes value)
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

/* ---- the list ---- */

struct list {
    union {
        struct packed packed; /* capacity > 0 */
        struct chain *chain;
    };
};
_Static_assert(sizeof(struct list) == 16, "the cell that hangs from a key");

static bool is_packed(const struct list *list) { return list->packed.capacity > 0; }

struct list *list_new(void)
{
    struct list *list = mem_alloc(sizeof *list);

    list->packed = packed_new(PACKED_NEW_BYTES, LIST_TAIL);
    return list;
}

bool list_free_step(struct list *list, size_t budget)
{
    if (is_packed(list)) {
        packed_free(&list->packed);
    } else {
        for (; budget > 0 && list->chain->count > 0; budget--)
            chain_discard(list->chain, list->chain->count - 1);
        if (list->chain->count > 0)
            return false;
        chain_free(list->chain);
    }
    mem_free(list, sizeof *list);
    return true;
}

void list_free(struct list *list) { list_free_step(list, SIZE_MAX); }

size_t list_free_effort(const struct list *list)
{
    return is_packed(list) ? 1 : list->chain->count;
}

size_t list_size(const struct list *list)
{
    return is_packed(list) ? listpack_count(packed_lp(&list->packed)) : list->chain->value_count;
}

const char *list_encoding(const struct list *list)
{
    return is_packed(list) ? "listpack" : "quicklist";
}

size_t list_memory(const struct list *list)
{
    size_t bytes = mem_block_size(sizeof *list);

    if (is_packed(list))
        return bytes + list->packed.capacity;
    bytes += mem_block_size(sizeof *list->chain);
    bytes += mem_block_size(list->chain->capacity * sizeof(struct block));
    for (size_t i = 0; i < list->chain->count; i++) {
        const struct block *block = block_at(list->chain, i);
        bytes += block->is_plain ? mem_block_size(block->plain.len) : block->packed.capacity;
    }
    return bytes;
}

bool list_blocks(const struct list *list, size_t *count, size_t *bytes)
{
    if (is_packed(list))
        return false;
    *count = list->chain->count;
    *bytes = 0;
    for (size_t i = 0; i < *count; i++) {
        const struct block *block = block_at(list->chain, i);
        *bytes += block->is_plain ? block->plain.len : packed_bytes(&block->packed);
    }
    return true;
}

/* The block stays where it is: positions in it stay valid. */
static void become_chain(struct list *list)
{
    struct chain *chain = chain_new();
    size_t count = listpack_count(packed_lp(&list->packed));

    if (count > 0) {
        *chain_open(chain, 0) = (struct block){.packed = list->packed, .count = (uint32_t)count};
        chain->value_count = count;
    } else {
        packed_free(&list->packed);
    }
    list->packed = (struct packed){0};
    list->chain = chain;
}

/* After values were removed or replaced. The block stays where it is. */
static void become_packed_if_small(struct list *list)
{
    struct chain *chain = list->chain;

    if (is_packed(list) || chain->count > 1)
        return;
    if (chain->count == 0) {
        list->packed = packed_new(PACKED_NEW_BYTES, LIST_TAIL);
        chain_free(chain);
        return;
    }
    struct block *block = block_at(chain, 0);
    if (block->is_plain || block->count > limit.packed_count ||
        packed_bytes(&block->packed) > limit.packed_bytes)
        return;
    list->packed = block->packed;
    chain_free(chain);
}

void list_expect(struct list *list, const struct bytes *values, size_t count)
{
    if (!is_packed(list))
        return;
    size_t bytes = packed_bytes(&list->packed);
    for (size_t i = 0; i < count; i++)
        bytes += values[i].len;
    if (exceeds_limit(bytes, list_size(list) + count))
        become_chain(list);
}

void list_push_all(struct list *list, enum list_end end, const struct bytes *values, size_t count)
{
    list_expect(list, values, count);
    for (size_t i = 0; i < count; i++) {
        if (is_packed(list))
            packed_push(&list->packed, end, values[i], 0);
        else
            chain_push(list->chain, end, values[i]);
    }
}

void list_push(struct list *list, enum list_end end, struct bytes value)
{
    list_push_all(list, end, &value, 1);
}

/* Makes an index one from the head. */
static bool is_in_range(const struct list *list, int64_t *index)
{
    int64_t size = (int64_t)list_size(list);

    if (*index < 0)
        *index += size;
    return *index >= 0 && *index < size;
}

bool list_set(struct list *list, int64_t index, struct bytes value)
{
    if (!is_in_range(list, &index))
        return false;
    list_expect(list, &value, 1);
    if (is_packed(list))
        packed_replace(&list->packed, listpack_at(packed_lp(&list->packed), index), value);
    else
        chain_set(list->chain, (size_t)index, value);
    become_packed_if_small(list);
    return true;
}

void list_drop(struct list *list, enum list_end end, size_t count)
{
    ASSERT(count <= list_size(list));
    if (is_packed(list))
        packed_drop(&list->packed, end, count);
    else
        chain_drop(list->chain, end, count);
    become_packed_if_small(list);
    if (is_packed(list) && packed_bytes(&list->packed) <= list->packed.capacity / 2)
        packed_trim(&list->packed);
}

/* ---- iterate ---- */

static const struct listpack *iter_lp(const struct list_iter *iter)
{
    if (is_packed(iter->list))
        return packed_lp(&iter->list->packed);
    return block_lp(block_at(iter->list->chain, iter->block));
}

/* Stands on a block's first value as seen on the way; no block is the end. */
static void iter_enter(struct list_iter *iter, size_t index)
{
    iter->at = NULL;
    if (index >= iter->list->chain->count)
        return;
    const struct block *block = block_at(iter->list->chain, index);
    iter->block = index;
    iter->is_plain = block->is_plain;
    if (block->is_plain)
        iter->at = (const unsigned char *)block->plain.data;
    else
        iter->at = iter->to == LIST_TAIL ? listpack_first(block_lp(block))
                                         : listpack_last(block_lp(block));
}

static void iter_enter_following(struct list_iter *iter)
{
    if (is_packed(iter->list))
        iter->at = NULL;
    else
        iter_enter(iter, iter->to == LIST_TAIL ? iter->block + 1 : iter->block - 1);
}

void list_iter_init(struct list_iter *iter, const struct list *list, int64_t index,
                    enum list_end to)
{
    *iter = (struct list_iter){.list = list, .to = to};
    if (!is_in_range(list, &index))
        return;
    size_t in_block = (size_t)index;
    if (!is_packed(list))
        iter_enter(iter, chain_seek(list->chain, &in_block));
    if (!iter->is_plain)
        iter->at = listpack_at(iter_lp(iter), (int64_t)in_block);
}

static struct bytes iter_value(const struct list_iter *iter, char *text)
{
    if (iter->is_plain)
        return block_at(iter->list->chain, iter->block)->plain;
    return listpack_get(iter->at, text);
}

bool list_get(const struct list *list, int64_t index, char *text, struct bytes *value)
{
    struct list_iter iter;

    list_iter_init(&iter, list, index, LIST_TAIL);
    if (!iter.at)
        return false;
    *value = iter_value(&iter, text);
    return true;
}

bool list_iter_step(struct list_iter *iter)
{
    if (iter->is_given) {
        if (iter->is_plain)
            iter->at = NULL;
        else if (iter->to == LIST_TAIL)
            iter->at = listpack_next(iter_lp(iter), iter->at);
        else
            iter->at = listpack_prev(iter_lp(iter), iter->at);
        if (!iter->at)
            iter_enter_following(iter);
    }
    iter->is_given = iter->at != NULL;
    return iter->is_given;
}

bool list_iter_is(const struct list_iter *iter, struct bytes value)
{
    ASSERT(iter->is_given);
    if (iter->is_plain)
        return bytes_equal(block_at(iter->list->chain, iter->block)->plain, value);
    return listpack_equal(iter->at, value);
}

bool list_iter_next(struct list_iter *iter, struct bytes *value)
{
    if (!list_iter_step(iter))
        return false;
    *value = iter_value(iter, iter->text);
    return true;
}

/* Removes the value at the iterator, which stands on the following one then. */
static void iter_remove(struct list *list, struct list_iter *iter)
{
    listpack_pos behind;

    if (is_packed(list)) {
        behind = packed_remove(&list->packed, iter->at, 1);
    } else if (block_at(list->chain, iter->block)->count > 1) {
        behind = chain_remove(list->chain, iter->block, iter->at);
    } else {
        chain_discard(list->chain, iter->block);
        iter_enter(iter, iter->to == LIST_TAIL ? iter->block : iter->block - 1);
        return;
    }
    if (iter->to == LIST_TAIL)
        iter->at = behind;
    else
        iter->at = behind ? listpack_prev(iter_lp(iter), behind) : listpack_last(iter_lp(iter));
    if (!iter->at)
        iter_enter_following(iter);
}

void list_remove(struct list *list, struct list_iter *iter)
{
    ASSERT(iter->is_given);
    iter_remove(list, iter);
    iter->is_given = false;
    become_packed_if_small(list);
}

void list_insert(struct list *list, struct list_iter *iter, enum list_end side, struct bytes value)
{
    listpack_pos at = iter->at;

    ASSERT(iter->is_given);
    list_expect(list, &value, 1);
    if (is_packed(list))
        packed_insert(&list->packed, side == LIST_HEAD ? at : listpack_next(iter_lp(iter), at),
                      value);
    else
        chain_insert(list->chain, iter->block, at, side, value);
    *iter = (struct list_iter){.list = list};
}

/* ---- copy ---- */

struct list *list_copy(const struct list *list)
{
    struct list *copy = mem_alloc_zero(sizeof *copy);
    struct chain *chain;

    if (is_packed(list)) {
        copy->packed = packed_copy(&list->packed);
        return copy;
    }
    chain = copy->chain = chain_new();
    for (size_t i = 0; i < list->chain->count; i++) {
        const struct block *block = block_at(list->chain, i);
        struct block *into = chain_open(chain, i);

        *into = *block;
        if (block->is_plain) {
            into->plain.data = mem_alloc(block->plain.len);
            memcpy((char *)into->plain.data, block->plain.data, block->plain.len);
        } else {
            into->packed = packed_copy(&block->packed);
        }
    }
    chain->value_count = list->chain->value_count;
    return copy;
}

/* ---- blocks, as RDB keeps them ---- */

size_t list_block_count(const struct list *list) { return is_packed(list) ? 1 : list->chain->count; }

struct list_block list_block_at(const struct list *list, size_t index)
{
    const struct block *block = is_packed(list) ? NULL : block_at(list->chain, index);
    const struct packed *packed = block ? &block->packed : &list->packed;

    if (block && block->is_plain)
        return (struct list_block){block->plain, true};
    return (struct list_block){{(const char *)packed_lp(packed), packed_bytes(packed)}, false};
}

bool list_add_block(struct list *list, struct bytes listpack)
{
    struct packed packed = {0};
    size_t count;

    if (!listpack_is_valid(listpack))
        return false;
    count = listpack_count((const struct listpack *)(const void *)listpack.data);
    if (!count)
        return true;
    packed_take_back(&packed, listpack_from_bytes(listpack));
    if (is_packed(list) && !list_size(list)) {
        packed_free(&list->packed);
        list->packed = packed;
        return true;
    }
    if (is_packed(list))
        become_chain(list);
    *chain_open(list->chain, list->chain->count) = (struct block){.packed = packed, .count = (uint32_t)count};
    list->chain->value_count += count;
    return true;
}

void list_settle(struct list *list)
{
    const struct block *block = is_packed(list) || list->chain->count != 1 ? NULL : block_at(list->chain, 0);
    struct chain *chain = list->chain;

    if (is_packed(list) && exceeds_limit(packed_bytes(&list->packed), list_size(list))) {
        become_chain(list);
    } else if (block && !block->is_plain && !exceeds_limit(packed_bytes(&block->packed), block->count)) {
        list->packed = block->packed;
        chain_free(chain);
    }
}

/* ---- check ---- */

void list_check(const struct list *list)
{
    const struct chain *chain = list->chain;
    size_t value_count = 0;

    if (is_packed(list)) {
        packed_check(&list->packed);
        return;
    }
    ASSERT(chain->first + chain->count <= chain->capacity);
    for (size_t i = 0; i < chain->count; i++) {
        const struct block *block = block_at(chain, i);
        value_count += block->count;
        ASSERT(block->count > 0);
        if (block->is_plain)
            continue;
        packed_check(&block->packed);
        ASSERT(block->count == listpack_count(block_lp(block)));
    }
    ASSERT(value_count == chain->value_count);
}

/* ---- the row ---- */

static const char *any_encoding(const void *value) { return list_encoding(value); }
static size_t any_free_effort(const void *value) { return list_free_effort(value); }
static bool any_free_step(void *value, size_t budget) { return list_free_step(value, budget); }
static void *any_copy(const void *value) { return list_copy(value); }
static void any_check(const void *value) { list_check(value); }
static size_t any_memory(const void *value, size_t samples) { return list_memory(value); }

const struct value_ops list_value_ops = {
    .encoding = any_encoding,
    .memory = any_memory,
    .free_effort = any_free_effort,
    .free_step = any_free_step,
    .copy = any_copy,
    .check = any_check,
};
