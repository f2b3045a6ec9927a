/* The deadlines of a hash's fields. In a packed hash they stand in the pairs. Those of a table are a heap
 * of 16 bytes each with the earliest in front: comparing touches no pair, and to move one writes the
 * pair's place. Four children each make it half as deep as two would. */
#include "hash_value_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#define CHILDREN     4
#define CAPACITY_MIN 4

struct hash_expiry *expiry_new(void)
{
    struct hash_expiry *expiry = mem_alloc_zero(sizeof *expiry);

    expiry->now_ms = INT64_MIN;
    expiry_forget(expiry);
    return expiry;
}

void expiry_widen(struct hash_expiry *expiry, int64_t deadline_ms)
{
    if (deadline_ms < expiry->tie.earliest_ms)
        expiry->tie.earliest_ms = deadline_ms;
    if (deadline_ms > expiry->latest_ms)
        expiry->latest_ms = deadline_ms;
}

void expiry_forget(struct hash_expiry *expiry)
{
    expiry->tie.earliest_ms = INT64_MAX;
    expiry->latest_ms = INT64_MIN;
}

void expiry_free(struct hash_expiry *expiry)
{
    if (!expiry)
        return;
    if (expiry->capacity)
        mem_free(expiry->heap, expiry->capacity * sizeof *expiry->heap);
    mem_free(expiry, sizeof *expiry);
}

static void resize(struct hash_expiry *expiry, size_t count)
{
    size_t bytes = mem_block_size(count * sizeof *expiry->heap);
    size_t capacity = bytes / sizeof *expiry->heap;

    ASSERT(capacity <= UINT32_MAX);
    if (!expiry->capacity)
        expiry->heap = mem_alloc(capacity * sizeof *expiry->heap);
    else
        expiry->heap = mem_resize(expiry->heap, expiry->capacity * sizeof *expiry->heap,
                                  capacity * sizeof *expiry->heap);
    expiry->capacity = (uint32_t)capacity;
}

static unsigned char *mark_of(const unsigned char *pair)
{
    return (unsigned char *)pair_field(pair, MARK_TABLE).data - MARK_TABLE;
}

static uint32_t place_of(const struct pair *pair)
{
    uint32_t place;

    memcpy(&place, pair->mark, sizeof place);
    return place;
}

static void put(struct hash_expiry *expiry, uint32_t place, struct hash_due due)
{
    expiry->heap[place] = due;
    memcpy(mark_of(due.pair), &place, sizeof place);
}

/* Brings what belongs at 'place' or above it there. */
static void rise(struct hash_expiry *expiry, uint32_t place, struct hash_due due)
{
    while (place > 0) {
        uint32_t parent = (place - 1) / CHILDREN;

        if (expiry->heap[parent].deadline_ms <= due.deadline_ms)
            break;
        put(expiry, place, expiry->heap[parent]);
        place = parent;
    }
    put(expiry, place, due);
}

static void sink(struct hash_expiry *expiry, uint32_t place, struct hash_due due)
{
    for (;;) {
        uint64_t first = (uint64_t)place * CHILDREN + 1, least = first;

        if (first >= expiry->count)
            break;
        for (uint64_t child = first + 1; child < first + CHILDREN && child < expiry->count; child++)
            if (expiry->heap[child].deadline_ms < expiry->heap[least].deadline_ms)
                least = child;
        if (expiry->heap[least].deadline_ms >= due.deadline_ms)
            break;
        put(expiry, place, expiry->heap[least]);
        place = (uint32_t)least;
    }
    put(expiry, place, due);
}

static void settle(struct hash_expiry *expiry, uint32_t place, struct hash_due due)
{
    if (place > 0 && expiry->heap[(place - 1) / CHILDREN].deadline_ms > due.deadline_ms)
        rise(expiry, place, due);
    else
        sink(expiry, place, due);
}

static void note_earliest(struct hash_expiry *expiry)
{
    if (expiry->count)
        expiry->tie.earliest_ms = expiry->heap[0].deadline_ms;
    else
        expiry_forget(expiry);
}

void expiry_add(struct hash_expiry *expiry, unsigned char *pair, int64_t deadline_ms)
{
    if (expiry->count == expiry->capacity)
        resize(expiry, expiry->count < CAPACITY_MIN ? CAPACITY_MIN
                                                    : expiry->count + (size_t)expiry->count / 4 + 1);
    rise(expiry, expiry->count++, (struct hash_due){deadline_ms, pair});
    expiry_widen(expiry, deadline_ms);
}

void expiry_remove(struct hash_expiry *expiry, const struct pair *pair)
{
    uint32_t place = place_of(pair);
    struct hash_due last = expiry->heap[--expiry->count];

    if (place < expiry->count)
        settle(expiry, place, last);
    if (expiry->count < expiry->capacity / 2 && expiry->capacity > CAPACITY_MIN)
        resize(expiry, expiry->count + (size_t)expiry->count / 4 + 1);
    note_earliest(expiry);
}

void expiry_change(struct hash_expiry *expiry, const struct pair *pair, int64_t deadline_ms)
{
    uint32_t place = place_of(pair);

    settle(expiry, place, (struct hash_due){deadline_ms, expiry->heap[place].pair});
    expiry_widen(expiry, deadline_ms);
    note_earliest(expiry);
}

void expiry_moved(struct hash_expiry *expiry, const struct pair *old, unsigned char *pair)
{
    uint32_t place = place_of(old);

    put(expiry, place, (struct hash_due){expiry->heap[place].deadline_ms, pair});
}

int64_t expiry_deadline(const struct hash_expiry *expiry, const struct pair *pair)
{
    return expiry->heap[place_of(pair)].deadline_ms;
}

/* Those that die together are known by the bounds. Else in a row: they may be most of the heap. */
size_t expiry_count_before(const struct hash_expiry *expiry, int64_t now_ms)
{
    size_t count = 0;

    if (expiry->tie.earliest_ms >= now_ms)
        return 0;
    if (expiry->latest_ms < now_ms)
        return expiry->count;
    for (uint32_t i = 0; i < expiry->count; i++)
        count += expiry->heap[i].deadline_ms < now_ms;
    return count;
}

/* The late ones are at the end: one that lives is soon found there. */
bool expiry_all_before(const struct hash_expiry *expiry, int64_t now_ms)
{
    if (expiry->latest_ms < now_ms)
        return true;
    for (uint32_t i = expiry->count; i > 0; i--)
        if (expiry->heap[i - 1].deadline_ms >= now_ms)
            return false;
    return true;
}

void expiry_check(const struct hash_expiry *expiry)
{
    ASSERT(expiry->count <= expiry->capacity);
    for (uint32_t i = 0; i < expiry->count; i++) {
        struct pair pair = pair_read(expiry->heap[i].pair, MARK_TABLE);

        ASSERT(pair.mark && place_of(&pair) == i);
        ASSERT(expiry->heap[i].deadline_ms <= expiry->latest_ms);
        ASSERT(i == 0 || expiry->heap[(i - 1) / CHILDREN].deadline_ms <= expiry->heap[i].deadline_ms);
    }
    ASSERT(expiry->tie.earliest_ms == (expiry->count ? expiry->heap[0].deadline_ms : INT64_MAX));
}
