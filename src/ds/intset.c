/* Searching is by halving; a change moves what is behind it. Meant for hundreds of numbers, right for
 * many more. */
#include "ds/intset.h"

#include "base/assert.h"
#include "base/mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they are");

#define HEADER_BYTES 8

struct intset {
    uint32_t width, count;
    char numbers[];
};

/* ---- numbers ---- */

static inline int64_t load(const char *numbers, uint32_t width, size_t index)
{
    int16_t narrow;
    int32_t middle;
    int64_t wide;

    switch (width) {
    case 2:
        memcpy(&narrow, numbers + 2 * index, 2);
        return narrow;
    case 4:
        memcpy(&middle, numbers + 4 * index, 4);
        return middle;
    default:
        memcpy(&wide, numbers + 8 * index, 8);
        return wide;
    }
}

/* The low bytes of a number are the number, when it fits. */
static inline void store(struct intset *set, size_t index, int64_t number)
{
    char *at = set->numbers + set->width * index;

    if (set->width == 2)
        memcpy(at, &number, 2);
    else if (set->width == 4)
        memcpy(at, &number, 4);
    else
        memcpy(at, &number, 8);
}

static uint32_t width_for(int64_t number)
{
    if (number == (int16_t)number)
        return 2;
    return number == (int32_t)number ? 4 : 8;
}

static size_t bytes_for(uint32_t width, size_t count) { return HEADER_BYTES + width * count; }

size_t intset_bytes(const struct intset *set) { return bytes_for(set->width, set->count); }

size_t intset_count(const struct intset *set) { return set->count; }

int64_t intset_at(const struct intset *set, size_t index)
{
    DEBUG_ASSERT(index < set->count);
    return load(set->numbers, set->width, index);
}

/* ---- make and free ---- */

struct intset *intset_new(void)
{
    struct intset *set = mem_alloc(HEADER_BYTES);

    set->width = 2;
    set->count = 0;
    return set;
}

void intset_free(struct intset *set) { mem_free(set, intset_bytes(set)); }

static struct intset *copy_of(const void *bytes, size_t len)
{
    struct intset *copy = mem_alloc(len);

    memcpy(copy, bytes, len);
    return copy;
}

struct intset *intset_copy(const struct intset *set) { return copy_of(set, intset_bytes(set)); }

static struct intset *resize(struct intset *set, uint32_t width, size_t count)
{
    ASSERT(count <= INTSET_COUNT_MAX);
    return mem_resize(set, intset_bytes(set), bytes_for(width, count));
}

/* ---- search ---- */

/* The first place whose number is not below 'number'. */
static inline size_t place_of(const struct intset *set, int64_t number)
{
    size_t low = 0, left = set->count;

    while (left > 0) {
        size_t half = left / 2;
        bool is_right = load(set->numbers, set->width, low + half) < number;

        low += is_right ? half + 1 : 0;
        left = is_right ? left - half - 1 : half;
    }
    return low;
}

static inline bool is_at(const struct intset *set, size_t place, int64_t number)
{
    return place < set->count && load(set->numbers, set->width, place) == number;
}

bool intset_has(const struct intset *set, int64_t number)
{
    return is_at(set, place_of(set, number), number);
}

/* ---- change ---- */

/* From the last to the first, since the wider numbers overlap those behind. */
static void widen(struct intset *set, uint32_t width)
{
    uint32_t narrow = set->width;

    set->width = width;
    for (size_t i = set->count; i-- > 0;)
        store(set, i, load(set->numbers, narrow, i));
}

static void move(struct intset *set, size_t to, size_t from)
{
    memmove(set->numbers + set->width * to, set->numbers + set->width * from,
            set->width * (set->count - from));
}

struct intset *intset_add(struct intset *set, int64_t number, bool *changed)
{
    uint32_t width = width_for(number) > set->width ? width_for(number) : set->width;
    size_t place = place_of(set, number);

    *changed = !is_at(set, place, number);
    if (!*changed)
        return set;
    set = resize(set, width, set->count + (size_t)1);
    if (width > set->width)
        widen(set, width);
    move(set, place + 1, place);
    store(set, place, number);
    set->count++;
    return set;
}

struct intset *intset_remove(struct intset *set, int64_t number, bool *changed)
{
    size_t place = place_of(set, number);
    size_t old = intset_bytes(set);

    *changed = is_at(set, place, number);
    if (!*changed)
        return set;
    move(set, place, place + 1);
    set->count--;
    return mem_resize(set, old, intset_bytes(set));
}

struct intset *intset_remove_if(struct intset *set, bool (*goes)(void *context, int64_t number),
                                void *context)
{
    size_t old = intset_bytes(set), kept = 0;

    for (size_t i = 0; i < set->count; i++) {
        int64_t number = load(set->numbers, set->width, i);

        if (!goes(context, number))
            store(set, kept++, number);
    }
    set->count = (uint32_t)kept;
    return mem_resize(set, old, intset_bytes(set));
}

/* ---- from outside ---- */

bool intset_is_valid(struct bytes bytes)
{
    const char *numbers = bytes.data + HEADER_BYTES;
    uint32_t width, count;

    if (bytes.len < HEADER_BYTES)
        return false;
    memcpy(&width, bytes.data, 4);
    memcpy(&count, bytes.data + 4, 4);
    if ((width != 2 && width != 4 && width != 8) || count > INTSET_COUNT_MAX ||
        bytes.len != bytes_for(width, count))
        return false;
    for (size_t i = 1; i < count; i++)
        if (load(numbers, width, i - 1) >= load(numbers, width, i))
            return false;
    return true;
}

struct intset *intset_from_bytes(struct bytes bytes)
{
    DEBUG_ASSERT(intset_is_valid(bytes));
    return copy_of(bytes.data, bytes.len);
}
