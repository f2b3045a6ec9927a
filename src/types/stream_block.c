/* The layout of a block: see stream_internal.h. */
#include "stream_internal.h"

#include "base/assert.h"

static int64_t number_at(listpack_pos at)
{
    int64_t number = 0;

    listpack_get_int(at, &number);
    return number;
}

static listpack_pos skip(const struct listpack *block, listpack_pos at, size_t count)
{
    for (; count; count--)
        at = listpack_next(block, at);
    return at;
}

/* --- reading --------------------------------------------------------------------------------------- */

struct block_counts block_counts(const struct listpack *block)
{
    listpack_pos at = listpack_first(block);

    return (struct block_counts){number_at(at), number_at(listpack_next(block, at))};
}

listpack_pos block_fields(const struct listpack *block, size_t *count)
{
    listpack_pos at = skip(block, listpack_first(block), 2);

    *count = (size_t)number_at(at);
    return listpack_next(block, at);
}

listpack_pos block_first(const struct listpack *block)
{
    size_t count;
    listpack_pos at = block_fields(block, &count);

    return skip(block, at, count + 1);
}

/* The entry whose last number is at 'end'; the master ends with 0. */
static listpack_pos entry_of_end(const struct listpack *block, listpack_pos end)
{
    int64_t count = number_at(end);

    if (!count)
        return NULL;
    for (; count; count--)
        end = listpack_prev(block, end);
    return end;
}

listpack_pos block_last(const struct listpack *block)
{
    return entry_of_end(block, listpack_last(block));
}

listpack_pos block_before(const struct listpack *block, listpack_pos at)
{
    return entry_of_end(block, listpack_prev(block, at));
}

struct block_entry block_read(const struct listpack *block, struct stream_id master,
                              listpack_pos at)
{
    struct block_entry entry = {.at = at, .flags = number_at(at)};

    at = listpack_next(block, at);
    entry.id.ms = master.ms + (uint64_t)number_at(at);
    at = listpack_next(block, at);
    entry.id.seq = master.seq + (uint64_t)number_at(at);
    entry.content = listpack_next(block, at);
    if (entry.flags & BLOCK_SAME_FIELDS) {
        block_fields(block, &entry.fields);
    } else {
        entry.fields = (size_t)number_at(entry.content);
        entry.content = listpack_next(block, entry.content);
    }
    return entry;
}

listpack_pos block_behind(const struct listpack *block, const struct block_entry *entry)
{
    size_t count = entry->flags & BLOCK_SAME_FIELDS ? entry->fields : 2 * entry->fields;

    return skip(block, entry->content, count + 1);
}

/* --- writing --------------------------------------------------------------------------------------- */

size_t block_entry_bound(const struct bytes *pairs, size_t fields)
{
    size_t bytes = (2 * fields + 5) * LISTPACK_EXTRA_MAX;

    for (size_t i = 0; i < 2 * fields; i++)
        bytes += pairs[i].len;
    return bytes;
}

size_t block_entry_bytes(const struct bytes *pairs, size_t fields)
{
    size_t bytes = 5 * LISTPACK_EXTRA_MAX;

    for (size_t i = 0; i < 2 * fields; i++)
        bytes += listpack_entry_bytes(pairs[i]);
    return bytes;
}

size_t block_master_bytes(const struct bytes *pairs, size_t fields)
{
    size_t bytes = LISTPACK_EMPTY_SIZE + 4 * LISTPACK_EXTRA_MAX;

    for (size_t i = 0; i < fields; i++)
        bytes += listpack_entry_bytes(pairs[2 * i]);
    return bytes;
}

void block_init(struct listpack *block, const struct bytes *pairs, size_t fields)
{
    unsigned char *at = listpack_tail(listpack_init(block));

    at = listpack_put_int(at, 0);
    at = listpack_put_int(at, 0);
    at = listpack_put_int(at, (int64_t)fields);
    for (size_t i = 0; i < fields; i++)
        at = listpack_put(at, pairs[2 * i]);
    at = listpack_put_int(at, 0);
    listpack_set_tail(block, at, fields + 4);
}

static bool has_fields(const struct listpack *block, const struct bytes *pairs, size_t fields)
{
    size_t count;
    listpack_pos at = block_fields(block, &count);

    if (count != fields)
        return false;
    for (size_t i = 0; i < fields; i++, at = listpack_next(block, at))
        if (!listpack_equal(at, pairs[2 * i]))
            return false;
    return true;
}

void block_append(struct listpack *block, struct stream_id master, struct stream_id id,
                  const struct bytes *pairs, size_t fields)
{
    bool is_same = has_fields(block, pairs, fields);
    unsigned char *at = listpack_tail(block);
    size_t count = is_same ? fields + 3 : 2 * fields + 4;

    at = listpack_put_int(at, is_same ? BLOCK_SAME_FIELDS : 0);
    at = listpack_put_int(at, (int64_t)(id.ms - master.ms));
    at = listpack_put_int(at, (int64_t)(id.seq - master.seq));
    if (!is_same)
        at = listpack_put_int(at, (int64_t)fields);
    for (size_t i = 0; i < fields; i++) {
        if (!is_same)
            at = listpack_put(at, pairs[2 * i]);
        at = listpack_put(at, pairs[2 * i + 1]);
    }
    at = listpack_put_int(at, (int64_t)count);
    listpack_set_tail(block, at, count + 1);
}
