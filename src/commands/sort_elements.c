/* SORT: where the elements come from, one small function for each type. */
#include "sort_internal.h"

#include "base/assert.h"
#include "base/mem.h"
#include "ds/listpack.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

/* --- texts ---------------------------------------------------------------------------------------------- */

#define TEXTS_BYTES 8000

struct sort_texts {
    struct sort_texts *next;
    size_t used, size;
    char data[];
};

struct bytes sort_keep(struct sort *sort, struct bytes text)
{
    struct sort_texts *texts = sort->texts;
    char *at;

    if (!texts || texts->size - texts->used < text.len) {
        size_t size = text.len > TEXTS_BYTES ? text.len : TEXTS_BYTES;

        texts = mem_alloc(sizeof *texts + size);
        *texts = (struct sort_texts){.next = sort->texts, .size = size};
        sort->texts = texts;
    }
    at = texts->data + texts->used;
    if (text.len)
        memcpy(at, text.data, text.len);
    texts->used += text.len;
    return (struct bytes){at, text.len};
}

void sort_release(struct sort *sort)
{
    while (sort->texts) {
        struct sort_texts *texts = sort->texts;

        sort->texts = texts->next;
        mem_free(texts, sizeof *texts + texts->size);
    }
    mem_free(sort->items, sort->size * sizeof *sort->items);
    mem_free(sort->key, sort->key_size);
}

/* --- each type ------------------------------------------------------------------------------------------ */

/* 'number' is the buffer that the value's view may lie in. */
static void add(struct sort *sort, struct bytes element, const char *number)
{
    if (element.data == number || !element.data)
        element = sort_keep(sort, element);
    sort->items[sort->count] = (struct sort_item){.element = element, .place = sort->count};
    sort->count++;
}

static void load_list(struct sort *sort, const struct list *list, size_t first, bool is_backwards)
{
    int64_t index = is_backwards ? -1 - (int64_t)first : (int64_t)first;
    struct list_iter iter;
    struct bytes value;

    list_iter_init(&iter, list, index, is_backwards ? LIST_HEAD : LIST_TAIL);
    while (sort->count < sort->size && list_iter_next(&iter, &value))
        add(sort, value, iter.text);
}

static void load_set(struct sort *sort, const struct set *set, size_t first)
{
    struct set_member member;
    char text[SET_TEXT_MAX];
    struct set_iter iter;

    set_iter_init(&iter, set);
    while (sort->count < sort->size && set_iter_next(&iter, &member)) {
        if (first > 0)
            first--;
        else
            add(sort, set_member_bytes(&member, text), text);
    }
}

static void load_zset(struct sort *sort, const struct zset *set, size_t first, bool is_backwards)
{
    size_t rank = is_backwards ? zset_size(set) - 1 - first : first;
    struct zset_iter iter;
    struct zset_item item;

    zset_iter_init(&iter, set, rank, is_backwards);
    while (sort->count < sort->size && zset_iter_next(&iter, &item))
        add(sort, item.member, iter.text);
}

/* --- all types ------------------------------------------------------------------------------------------ */

bool sort_is_sortable(const struct entry *entry)
{
    return entry->type == VALUE_LIST || entry->type == VALUE_SET || entry->type == VALUE_ZSET;
}

size_t sort_size(const struct entry *entry)
{
    const void *value = entry_value(entry);

    if (entry->type == VALUE_LIST)
        return list_size(value);
    return entry->type == VALUE_SET ? set_size(value) : zset_size(value);
}

void sort_load(struct sort *sort, const struct entry *entry, size_t first, size_t count,
               bool is_backwards)
{
    const void *value = entry_value(entry);

    if (entry->type == VALUE_ZSET)
        zset_expect(entry_value(entry), SIZE_MAX / 2); /* as in Redis, it is no listpack from now on */
    if (!count)
        return;
    sort->size = count;
    sort->items = mem_alloc(count * sizeof *sort->items);
    if (entry->type == VALUE_LIST)
        load_list(sort, value, first, is_backwards);
    else if (entry->type == VALUE_SET)
        load_set(sort, value, first);
    else
        load_zset(sort, value, first, is_backwards);
    ASSERT(sort->count == count);
}
