/* A listpack with room on both sides: a whole small list, or a block of a chain. */
#include "list_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#define PACKED_SMALL_BYTES 256 /* moving that much within its block costs next to nothing */
#define ENTRY_EXTRA_MAX    10  /* an entry is at most that much longer than its value */

struct packed packed_new(size_t capacity, enum list_end end)
{
    struct packed packed = {.capacity = (uint32_t)mem_block_size(capacity)};

    packed.memory = mem_alloc(packed.capacity);
    packed.front = end == LIST_HEAD ? packed.capacity - LISTPACK_EMPTY_SIZE : 0;
    listpack_init(packed.memory + packed.front);
    return packed;
}

void packed_free(struct packed *packed) { mem_free(packed->memory, packed->capacity); }

/* Brings the listpack to 'front' in a block of 'capacity'. */
static void packed_place(struct packed *packed, size_t capacity, size_t front)
{
    ASSERT(capacity <= UINT32_MAX);
    if (capacity == packed->capacity) {
        memmove(packed->memory + front, packed_lp(packed), packed_bytes(packed));
    } else if (front == packed->front) {
        packed->memory = mem_resize(packed->memory, packed->capacity, capacity);
    } else {
        unsigned char *memory = mem_alloc(capacity);
        memcpy(memory + front, packed_lp(packed), packed_bytes(packed));
        packed_free(packed);
        packed->memory = memory;
    }
    packed->capacity = (uint32_t)capacity;
    packed->front = (uint32_t)front;
}

void packed_trim(struct packed *packed)
{
    size_t capacity = mem_block_size(packed_bytes(packed));

    if (capacity != packed->capacity)
        packed_place(packed, capacity, 0);
}

static size_t packed_room(const struct packed *packed, enum list_end end)
{
    if (end == LIST_HEAD)
        return packed->front;
    return packed->capacity - packed->front - packed_bytes(packed);
}

/* Makes room for 'need' bytes at one end. What has run full at this end but not at the other slides
 * when that buys enough pushes to pay for it; else the block grows, to 'grown' or more. */
static void packed_make_room(struct packed *packed, enum list_end end, size_t need, size_t grown)
{
    size_t bytes = packed_bytes(packed);
    size_t room = packed->capacity - bytes;
    size_t capacity = mem_block_size(bytes + need);

    if (packed_room(packed, end) >= need)
        return;
    if (room >= need && (room - need >= bytes / 8 || bytes <= PACKED_SMALL_BYTES)) {
        size_t rest = (room - need) / 2;
        packed_place(packed, packed->capacity, end == LIST_HEAD ? need + rest : rest);
        return;
    }
    if (capacity < grown)
        capacity = mem_block_size(grown);
    packed_place(packed, capacity, end == LIST_HEAD ? capacity - bytes : 0);
}

void packed_push(struct packed *packed, enum list_end end, struct bytes value, size_t grown)
{
    if (packed_room(packed, end) < value.len + ENTRY_EXTRA_MAX)
        packed_make_room(packed, end, listpack_entry_bytes(value), grown);
    if (end == LIST_TAIL)
        listpack_extend_tail(packed_lp(packed), value);
    else
        packed->front = (uint32_t)((unsigned char *)listpack_extend_head(packed_lp(packed), value) -
                                   packed->memory);
}

void packed_drop(struct packed *packed, enum list_end end, size_t count)
{
    if (end == LIST_TAIL)
        listpack_cut_tail(packed_lp(packed), count);
    else
        packed->front = (uint32_t)((unsigned char *)listpack_cut_head(packed_lp(packed), count) -
                                   packed->memory);
}

struct listpack *packed_lend(struct packed *packed, listpack_pos *at)
{
    size_t offset = *at ? (size_t)(*at - (listpack_pos)packed_lp(packed)) : 0;

    packed_place(packed, mem_block_size(packed_bytes(packed)), 0);
    if (*at)
        *at = packed->memory + offset;
    return packed_lp(packed);
}

void packed_take_back(struct packed *packed, struct listpack *lp)
{
    packed->memory = (unsigned char *)lp;
    packed->capacity = (uint32_t)mem_block_size(listpack_bytes(lp));
}

void packed_insert(struct packed *packed, listpack_pos at, struct bytes value)
{
    struct listpack *lp = packed_lend(packed, &at);

    packed_take_back(packed, listpack_insert(lp, at, value, NULL));
}

void packed_replace(struct packed *packed, listpack_pos at, struct bytes value)
{
    struct listpack *lp = packed_lend(packed, &at);

    packed_take_back(packed, listpack_replace(lp, at, value, NULL));
}

/* What is outermost goes as a pop does, without moving the others: LREM of a queue's next value. */
static listpack_pos remove_outermost(struct packed *packed, enum list_end end)
{
    packed_drop(packed, end, 1);
    if (packed_bytes(packed) <= packed->capacity / 2)
        packed_trim(packed);
    return end == LIST_HEAD ? listpack_first(packed_lp(packed)) : NULL;
}

listpack_pos packed_remove(struct packed *packed, listpack_pos at, size_t count)
{
    if (count == 1 && at == listpack_first(packed_lp(packed)))
        return remove_outermost(packed, LIST_HEAD);
    if (count == 1 && at == listpack_last(packed_lp(packed)))
        return remove_outermost(packed, LIST_TAIL);
    struct listpack *lp = packed_lend(packed, &at);

    packed_take_back(packed, listpack_remove(lp, at, count, &at));
    return at;
}

void packed_check(const struct packed *packed)
{
    size_t bytes = packed_bytes(packed);

    ASSERT(packed->capacity == mem_block_size(packed->capacity));
    ASSERT(packed->front <= packed->capacity);
    ASSERT(bytes <= packed->capacity - packed->front);
    ASSERT(listpack_is_valid((struct bytes){(const char *)packed_lp(packed), bytes}));
}

struct packed packed_copy(const struct packed *packed)
{
    struct packed copy = *packed;

    copy.memory = mem_alloc(copy.capacity);
    memcpy(copy.memory + copy.front, packed_lp(packed), packed_bytes(packed));
    return copy;
}
