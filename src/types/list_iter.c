/* Walking a list, and changing it on the way. */
#include "list_internal.h"

#include "base/assert.h"

static const struct listpack *iter_lp(const struct list_iter *iter)
{
    if (list_is_packed(iter->list))
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
    if (list_is_packed(iter->list))
        iter->at = NULL;
    else
        iter_enter(iter, iter->to == LIST_TAIL ? iter->block + 1 : iter->block - 1);
}

void list_iter_init(struct list_iter *iter, const struct list *list, int64_t index,
                    enum list_end to)
{
    *iter = (struct list_iter){.list = list, .to = to};
    if (!list_has_index(list, &index))
        return;
    size_t in_block = (size_t)index;
    if (!list_is_packed(list))
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

    if (list_is_packed(list)) {
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
    list_pack_if_small(list);
}

void list_insert(struct list *list, struct list_iter *iter, enum list_end side, struct bytes value)
{
    listpack_pos at = iter->at;

    ASSERT(iter->is_given);
    list_expect(list, &value, 1);
    if (list_is_packed(list))
        packed_insert(&list->packed, side == LIST_HEAD ? at : listpack_next(iter_lp(iter), at),
                      value);
    else
        chain_insert(list->chain, iter->block, at, side, value);
    *iter = (struct list_iter){.list = list};
}
