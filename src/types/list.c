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
 * When to change between the two, and what fits into a block, is Redis's rule to the byte
 * (t_list.c and quicklist.c of 7.2), since OBJECT ENCODING shows it: a list becomes a chain when a
 * command's values would exceed the limit, and is packed again when something was removed
 * and it is one block of at most half the limit. */
#include "list_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#define PACKED_NEW_BYTES 16 /* a listpack of one short value */

struct list *list_new(void)
{
    struct list *list = mem_alloc(sizeof *list);

    list->packed = packed_new(PACKED_NEW_BYTES, LIST_TAIL);
    return list;
}

bool list_free_step(struct list *list, size_t budget)
{
    if (list_is_packed(list)) {
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
    return list_is_packed(list) ? 1 : list->chain->count;
}

size_t list_size(const struct list *list)
{
    return list_is_packed(list) ? listpack_count(packed_lp(&list->packed)) : list->chain->value_count;
}

const char *list_encoding(const struct list *list)
{
    return list_is_packed(list) ? "listpack" : "quicklist";
}

size_t list_memory(const struct list *list)
{
    size_t bytes = mem_block_size(sizeof *list);

    if (list_is_packed(list))
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
    if (list_is_packed(list))
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

void list_pack_if_small(struct list *list)
{
    struct chain *chain = list->chain;

    if (list_is_packed(list) || chain->count > 1)
        return;
    if (chain->count == 0) {
        list->packed = packed_new(PACKED_NEW_BYTES, LIST_TAIL);
        chain_free(chain);
        return;
    }
    if (!block_is_small(block_at(chain, 0)))
        return;
    list->packed = block_at(chain, 0)->packed;
    chain_free(chain);
}

void list_expect(struct list *list, const struct bytes *values, size_t count)
{
    if (!list_is_packed(list))
        return;
    size_t bytes = packed_bytes(&list->packed);
    for (size_t i = 0; i < count; i++)
        bytes += values[i].len;
    if (list_exceeds_limit(bytes, list_size(list) + count))
        become_chain(list);
}

void list_push_all(struct list *list, enum list_end end, const struct bytes *values, size_t count)
{
    list_expect(list, values, count);
    for (size_t i = 0; i < count; i++) {
        if (list_is_packed(list))
            packed_push(&list->packed, end, values[i], 0);
        else
            chain_push(list->chain, end, values[i]);
    }
}

void list_push(struct list *list, enum list_end end, struct bytes value)
{
    list_push_all(list, end, &value, 1);
}

bool list_has_index(const struct list *list, int64_t *index)
{
    int64_t size = (int64_t)list_size(list);

    if (*index < 0)
        *index += size;
    return *index >= 0 && *index < size;
}

bool list_set(struct list *list, int64_t index, struct bytes value)
{
    if (!list_has_index(list, &index))
        return false;
    list_expect(list, &value, 1);
    if (list_is_packed(list))
        packed_replace(&list->packed, listpack_at(packed_lp(&list->packed), index), value);
    else
        chain_set(list->chain, (size_t)index, value);
    list_pack_if_small(list);
    return true;
}

void list_drop(struct list *list, enum list_end end, size_t count)
{
    ASSERT(count <= list_size(list));
    if (list_is_packed(list))
        packed_drop(&list->packed, end, count);
    else
        chain_drop(list->chain, end, count);
    list_pack_if_small(list);
    if (list_is_packed(list) && packed_bytes(&list->packed) <= list->packed.capacity / 2)
        packed_trim(&list->packed);
}

/* ---- copy ---- */

struct list *list_copy(const struct list *list)
{
    struct list *copy = mem_alloc_zero(sizeof *copy);
    struct chain *chain;

    if (list_is_packed(list)) {
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

size_t list_block_count(const struct list *list) { return list_is_packed(list) ? 1 : list->chain->count; }

struct list_block list_block_at(const struct list *list, size_t index)
{
    const struct block *block = list_is_packed(list) ? NULL : block_at(list->chain, index);
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
    if (list_is_packed(list) && !list_size(list)) {
        packed_free(&list->packed);
        list->packed = packed;
        return true;
    }
    if (list_is_packed(list))
        become_chain(list);
    *chain_open(list->chain, list->chain->count) = (struct block){.packed = packed, .count = (uint32_t)count};
    list->chain->value_count += count;
    return true;
}

void list_make_chain(struct list *list)
{
    if (list_is_packed(list))
        become_chain(list);
}

void list_settle(struct list *list)
{
    const struct block *block = list_is_packed(list) || list->chain->count != 1 ? NULL : block_at(list->chain, 0);
    struct chain *chain = list->chain;

    if (list_is_packed(list) && list_exceeds_limit(packed_bytes(&list->packed), list_size(list))) {
        become_chain(list);
    } else if (block && !block->is_plain && !list_exceeds_limit(packed_bytes(&block->packed), block->count)) {
        list->packed = block->packed;
        chain_free(chain);
    }
}

/* ---- check ---- */

void list_check(const struct list *list)
{
    const struct chain *chain = list->chain;
    size_t value_count = 0;

    if (list_is_packed(list)) {
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

/* A block at a time: the cursor is its number. */
static uint64_t any_move_step(void *value, uint64_t cursor, size_t *moved)
{
    struct list *list = value;
    struct packed *packed = &list->packed;
    struct block *block;

    if (!list_is_packed(list)) {
        if (cursor >= list->chain->count)
            return 0;
        block = block_at(list->chain, (size_t)cursor);
        packed = block->is_plain ? NULL : &block->packed;
        if (block->is_plain)
            block->plain.data = mem_move_together((char *)block->plain.data, block->plain.len, moved);
    }
    if (packed)
        packed->memory = mem_move_together(packed->memory, packed->capacity, moved);
    return list_is_packed(list) ? 0 : (cursor + 1) % list->chain->count;
}

const struct value_ops list_value_ops = {
    .encoding = any_encoding,
    .memory = any_memory,
    .free_effort = any_free_effort,
    .free_step = any_free_step,
    .move_step = any_move_step,
    .copy = any_copy,
    .check = any_check,
};
