/* Groups, their consumers and what is pending: see types/stream_group.h. */
#include "types/stream_group.h"

#include "stream_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#ifdef TERN_STRESS
#define LEAVES_AT_ONCE 2
#else
#define LEAVES_AT_ONCE 64 /* entries */
#endif

/* --- arrays ordered by name ------------------------------------------------------------------------ */

/* Both structs begin with their name. */
static struct bytes name_of(const void *named) { return *(const struct bytes *)named; }

/* Where the name stands or would stand. */
static size_t place_of(void *const *array, size_t count, struct bytes name)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (bytes_compare(name_of(array[middle]), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void *named_find(void *const *array, size_t count, struct bytes name)
{
    size_t at = place_of(array, count, name);

    return at < count && bytes_equal(name_of(array[at]), name) ? array[at] : NULL;
}

/* Returns the array, with a new struct of 'size' bytes and its name in it. */
static void **named_add(void **array, uint32_t *count, struct bytes name, size_t size)
{
    size_t at = place_of(array, *count, name);
    char *new = mem_alloc_zero(size + name.len), *text = new + size;

    if (name.len)
        memcpy(text, name.data, name.len);
    *(struct bytes *)(void *)new = (struct bytes){text, name.len};
    array = mem_resize(array, *count * sizeof *array, (*count + 1) * sizeof *array);
    memmove(array + at + 1, array + at, (*count - at) * sizeof *array);
    array[at] = new;
    ++*count;
    return array;
}

static void **named_remove(void **array, uint32_t *count, struct bytes name)
{
    size_t at = place_of(array, *count, name);

    --*count;
    memmove(array + at, array + at + 1, (*count - at) * sizeof *array);
    if (*count)
        return mem_resize(array, (*count + 1) * sizeof *array, *count * sizeof *array);
    mem_free(array, sizeof *array);
    return NULL;
}

/* --- pending entries ------------------------------------------------------------------------------- */

static bool is_live(const struct stream_pending *pending) { return !pending->consumer->leaving; }

struct stream_pending *stream_pending_find(const struct stream_group *group, struct stream_id id)
{
    struct stream_pending *pending = id_index_find(&group->pending, id);

    return pending && is_live(pending) ? pending : NULL;
}

struct id_cursor stream_pending_live(struct id_cursor at)
{
    while (at.node && !is_live(id_cursor_value(&at)))
        id_cursor_next(&at);
    return at;
}

struct id_cursor stream_pending_next(struct id_cursor at)
{
    id_cursor_next(&at);
    return stream_pending_live(at);
}

struct id_cursor stream_pending_last(const struct stream_group *group)
{
    struct id_cursor at = id_index_last(&group->pending);

    while (at.node && !is_live(id_cursor_value(&at)))
        id_cursor_previous(&at);
    return at;
}

/* The consumer who leaves has it no more; the group's index still does. */
static void leave_entry(struct stream_group *group, struct stream_pending *pending, struct stream_id id)
{
    struct stream_consumer *consumer = pending->consumer, **link = &group->leaving;

    id_index_remove(&consumer->pending, id);
    group->leaving_count--;
    if (consumer->pending.count)
        return;
    while (*link != consumer)
        link = &(*link)->next;
    *link = consumer->next;
    consumer->leaving = NULL;
}

struct stream_pending *stream_pending_add(struct stream_group *group,
                                          struct stream_consumer *consumer, struct stream_id id,
                                          int64_t now_ms)
{
    struct stream_pending *pending = NULL;

    if (group->leaving_count && (pending = id_index_find(&group->pending, id))) {
        leave_entry(group, pending, id);
    } else {
        pending = mem_alloc(sizeof *pending);
        id_index_insert(&group->pending, id, pending);
    }
    *pending = (struct stream_pending){consumer, now_ms, 1};
    id_index_insert(&consumer->pending, id, pending);
    return pending;
}

void stream_pending_move(struct stream_pending *pending, struct stream_id id,
                         struct stream_consumer *consumer)
{
    if (pending->consumer == consumer)
        return;
    id_index_remove(&pending->consumer->pending, id);
    id_index_insert(&consumer->pending, id, pending);
    pending->consumer = consumer;
}

/* Whether its consumer is there or leaves. */
static void drop_entry(struct stream_group *group, struct stream_id id)
{
    struct stream_pending *pending = id_index_remove(&group->pending, id);

    if (is_live(pending))
        id_index_remove(&pending->consumer->pending, id);
    else
        leave_entry(group, pending, id);
    mem_free(pending, sizeof *pending);
}

bool stream_pending_remove(struct stream_group *group, struct stream_id id)
{
    if (!stream_pending_find(group, id))
        return false;
    drop_entry(group, id);
    return true;
}

/* --- consumers ------------------------------------------------------------------------------------- */

struct stream_consumer *stream_consumer_find(const struct stream_group *group, struct bytes name)
{
    return named_find(group->consumers, group->consumer_count, name);
}

struct stream_consumer *stream_consumer_add(struct stream_group *group, struct bytes name,
                                            int64_t now_ms)
{
    struct stream_consumer *consumer;

    if (stream_consumer_find(group, name))
        return NULL;
    group->consumers = named_add(group->consumers, &group->consumer_count, name, sizeof *consumer);
    consumer = stream_consumer_find(group, name);
    consumer->seen_ms = now_ms;
    consumer->active_ms = NEVER_ACTIVE;
    return consumer;
}

static void consumer_free(struct stream_consumer *consumer)
{
    id_index_release(&consumer->pending);
    mem_free(consumer, sizeof *consumer + consumer->name.len);
}

static void drop_last(struct stream_group *group, const struct id_index *index)
{
    struct id_cursor at = id_index_last(index);

    drop_entry(group, id_cursor_id(&at));
}

size_t stream_consumer_remove(struct stream_group *group, struct stream_consumer *consumer,
                              struct stream_consumer **leaving)
{
    size_t count = consumer->pending.count;

    *leaving = NULL;
    group->consumers = named_remove(group->consumers, &group->consumer_count, consumer->name);
    if (count > LEAVES_AT_ONCE) {
        consumer->leaving = group;
        consumer->next = group->leaving;
        group->leaving = *leaving = consumer;
        group->leaving_count += count;
        return count;
    }
    while (consumer->pending.count)
        drop_last(group, &consumer->pending);
    consumer_free(consumer);
    return count;
}

bool stream_consumer_leave_step(void *value, size_t budget)
{
    struct stream_consumer *consumer = value;

    for (; consumer->leaving; budget--) {
        if (!budget)
            return false;
        drop_last(consumer->leaving, &consumer->pending);
    }
    consumer_free(consumer);
    return true;
}

/* --- groups ---------------------------------------------------------------------------------------- */

size_t stream_group_count(const struct stream *stream) { return stream->group_count; }

struct stream_group *stream_group_at(const struct stream *stream, size_t index)
{
    return stream->groups[index];
}

struct stream_group *stream_group_find(const struct stream *stream, struct bytes name)
{
    return named_find(stream->groups, stream->group_count, name);
}

struct stream_group *stream_group_add(struct stream *stream, struct bytes name,
                                      struct stream_id last_id, int64_t entries_read)
{
    struct stream_group *group;

    if (stream_group_find(stream, name))
        return NULL;
    stream->groups = named_add(stream->groups, &stream->group_count, name, sizeof *group);
    group = stream_group_find(stream, name);
    group->last_id = last_id;
    group->entries_read = entries_read;
    return group;
}

/* Frees what the group holds within the budget; true when all of it is gone. */
static bool group_clear_step(struct stream_group *group, size_t *budget)
{
    for (; group->pending.count; --*budget) {
        if (!*budget)
            return false;
        drop_last(group, &group->pending);
    }
    for (; group->consumer_count; --*budget) {
        struct stream_consumer *consumer;

        if (!*budget)
            return false;
        consumer = group->consumers[group->consumer_count - 1];
        group->consumers = named_remove(group->consumers, &group->consumer_count, consumer->name);
        consumer_free(consumer);
    }
    return true;
}

static void group_free(struct stream *stream, struct stream_group *group)
{
    stream->groups = named_remove(stream->groups, &stream->group_count, group->name);
    mem_free(group, sizeof *group + group->name.len);
}

struct stream *stream_group_take(struct stream *stream, struct bytes name)
{
    struct stream_group *group = stream_group_find(stream, name);
    struct stream *taken;

    if (!group)
        return NULL;
    stream->groups = named_remove(stream->groups, &stream->group_count, name);
    taken = stream_new();
    taken->groups = mem_alloc(sizeof *taken->groups);
    taken->groups[0] = group;
    taken->group_count = 1;
    return taken;
}

/* --- what a group has read ------------------------------------------------------------------------- */

bool stream_has_gaps_behind(const struct stream *stream, struct stream_id id)
{
    return stream->length && !stream_id_is_zero(stream->max_deleted_id) &&
           stream_id_compare(id, stream->max_deleted_id) <= 0;
}

int64_t stream_entries_up_to(const struct stream *stream, struct stream_id id)
{
    uint64_t added = stream->entries_added, length = stream->length;
    int against_last = stream_id_compare(id, stream->last_id), against_first;
    struct stream_id first;

    if (!added)
        return 0;
    if ((!length && against_last <= 0) || !against_last)
        return (int64_t)added;
    if (against_last > 0)
        return ENTRIES_READ_UNKNOWN;
    first = stream_first_id(stream);
    against_first = stream_id_compare(id, first);
    /* What was removed in the midst cannot be told from what was trimmed. */
    if (against_first > 0 || (!stream_id_is_zero(stream->max_deleted_id) &&
                              stream_id_compare(stream->max_deleted_id, first) >= 0))
        return ENTRIES_READ_UNKNOWN;
    return (int64_t)(added - length + !against_first);
}

/* --- all groups of a stream ------------------------------------------------------------------------ */

bool stream_groups_free_step(struct stream *stream, size_t *budget)
{
    while (stream->group_count) {
        struct stream_group *group = stream->groups[stream->group_count - 1];

        if (!group_clear_step(group, budget))
            return false;
        group_free(stream, group);
    }
    return true;
}

size_t stream_groups_effort(const struct stream *stream)
{
    size_t effort = 0;

    for (size_t i = 0; i < stream->group_count; i++) {
        const struct stream_group *group = stream->groups[i];

        effort += 1 + group->pending.count + group->consumer_count;
    }
    return effort;
}

static size_t group_memory(const struct stream_group *group)
{
    size_t bytes = mem_block_size(sizeof *group + group->name.len) +
                   id_index_memory(&group->pending) +
                   group->pending.count * mem_block_size(sizeof(struct stream_pending));

    if (group->consumer_count)
        bytes += mem_block_size(group->consumer_count * sizeof *group->consumers);
    for (size_t i = 0; i < group->consumer_count; i++) {
        const struct stream_consumer *consumer = group->consumers[i];

        bytes += mem_block_size(sizeof *consumer + consumer->name.len) +
                 id_index_memory(&consumer->pending);
    }
    return bytes;
}

size_t stream_groups_memory(const struct stream *stream)
{
    size_t bytes = stream->group_count
                       ? mem_block_size(stream->group_count * sizeof *stream->groups)
                       : 0;

    for (size_t i = 0; i < stream->group_count; i++)
        bytes += group_memory(stream->groups[i]);
    return bytes;
}

static void group_copy(struct stream *to, const struct stream_group *from)
{
    struct stream_group *group =
        stream_group_add(to, from->name, from->last_id, from->entries_read);
    struct id_cursor at = stream_pending_live(id_index_first(&from->pending));

    for (size_t i = 0; i < from->consumer_count; i++) {
        const struct stream_consumer *consumer = from->consumers[i];

        stream_consumer_add(group, consumer->name, consumer->seen_ms)->active_ms =
            consumer->active_ms;
    }
    for (; at.node; at = stream_pending_next(at)) {
        const struct stream_pending *pending = id_cursor_value(&at);
        struct stream_consumer *consumer = stream_consumer_find(group, pending->consumer->name);

        stream_pending_add(group, consumer, id_cursor_id(&at), pending->delivered_ms)->deliveries =
            pending->deliveries;
    }
}

void stream_groups_copy(struct stream *to, const struct stream *from)
{
    to->groups = NULL;
    to->group_count = 0;
    for (size_t i = 0; i < from->group_count; i++)
        group_copy(to, from->groups[i]);
}

static void check_group(const struct stream_group *group)
{
    struct id_cursor at = id_index_first(&group->pending);
    size_t pending = 0, leaving = 0;

    id_index_check(&group->pending);
    for (size_t i = 0; i < group->consumer_count; i++) {
        const struct stream_consumer *consumer = group->consumers[i];

        ASSERT(!i || bytes_compare(name_of(group->consumers[i - 1]), consumer->name) < 0);
        id_index_check(&consumer->pending);
        ASSERT(!consumer->leaving);
        pending += consumer->pending.count;
    }
    ASSERT(pending == stream_pending_count(group));
    for (const struct stream_consumer *consumer = group->leaving; consumer; consumer = consumer->next) {
        ASSERT(consumer->leaving == group);
        ASSERT(consumer->pending.count);
        id_index_check(&consumer->pending);
        leaving += consumer->pending.count;
    }
    ASSERT(leaving == group->leaving_count);
    for (; at.node; id_cursor_next(&at)) {
        struct stream_pending *entry = id_cursor_value(&at);

        ASSERT(id_index_find(&entry->consumer->pending, id_cursor_id(&at)) == entry);
    }
}

void stream_groups_check(const struct stream *stream)
{
    for (size_t i = 0; i < stream->group_count; i++) {
        ASSERT(!i || bytes_compare(name_of(stream->groups[i - 1]), name_of(stream->groups[i])) < 0);
        check_group(stream->groups[i]);
    }
}
