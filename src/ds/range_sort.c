/* Partitions with the middle of three as pivot, until what is left is mostly wanted or they turn out
 * uneven again and again; then merge sort. */
#include "ds/range_sort.h"

#include "base/assert.h"
#include "base/mem.h"

#include <stdbool.h>
#include <string.h>

#ifdef TERN_STRESS
#define SHORT 2
#else
#define SHORT 12 /* items that insertion sort is quicker with */
#endif

struct sorting {
    char *items;
    size_t size;
    size_t first, end; /* what is asked for */
    range_sort_compare *compare;
};

static char *item(const struct sorting *s, size_t at) { return s->items + at * s->size; }

static bool is_less(const struct sorting *s, size_t a, size_t b)
{
    return s->compare(item(s, a), item(s, b)) < 0;
}

static void swap(const struct sorting *s, size_t a, size_t b)
{
    char held[RANGE_SORT_ITEM_MAX];

    memcpy(held, item(s, a), s->size);
    memmove(item(s, a), item(s, b), s->size);
    memcpy(item(s, b), held, s->size);
}

static void insertion_sort(const struct sorting *s, size_t begin, size_t end)
{
    for (size_t i = begin + 1; i < end; i++) {
        char held[RANGE_SORT_ITEM_MAX];
        size_t at = i;

        memcpy(held, item(s, i), s->size);
        while (at > begin && s->compare(held, item(s, at - 1)) < 0)
            at--;
        memmove(item(s, at + 1), item(s, at), (i - at) * s->size);
        memcpy(item(s, at), held, s->size);
    }
}

/* Both halves are in order. The first one waits in 'scratch', from where it is merged with the second. */
static void merge(const struct sorting *s, size_t begin, size_t middle, size_t end, char *scratch)
{
    char *left = scratch, *left_end = scratch + (middle - begin) * s->size;
    char *right = item(s, middle), *right_end = item(s, end), *to = item(s, begin);

    if (!is_less(s, middle, middle - 1))
        return; /* in order as they stand */
    memcpy(scratch, to, (size_t)(left_end - left));
    while (left < left_end && right < right_end) {
        char **from = s->compare(right, left) < 0 ? &right : &left;

        memcpy(to, *from, s->size);
        *from += s->size;
        to += s->size;
    }
    memcpy(to, left, (size_t)(left_end - left)); /* what is left of the second stands there already */
}

static void merge_sort_with(const struct sorting *s, size_t begin, size_t end, char *scratch)
{
    size_t middle = begin + (end - begin) / 2;

    if (end - begin <= SHORT) {
        insertion_sort(s, begin, end);
        return;
    }
    merge_sort_with(s, begin, middle, scratch);
    merge_sort_with(s, middle, end, scratch);
    merge(s, begin, middle, end, scratch);
}

static void merge_sort(const struct sorting *s, size_t begin, size_t end)
{
    size_t scratch_size = (end - begin) / 2 * s->size;
    char *scratch = mem_alloc(scratch_size);

    merge_sort_with(s, begin, end, scratch);
    mem_free(scratch, scratch_size);
}

/* Brings the middle one of three to the beginning. */
static void choose_pivot(const struct sorting *s, size_t begin, size_t end)
{
    size_t low = begin, middle = begin + (end - begin) / 2, high = end - 1, other;

    if (is_less(s, high, low)) {
        other = low;
        low = high;
        high = other;
    }
    if (is_less(s, middle, low))
        middle = low;
    else if (is_less(s, high, middle))
        middle = high;
    swap(s, begin, middle);
}

/* Returns the pivot's place; what equals it is spread over both sides, so that many equal items are no
 * bad case. */
static size_t partition(const struct sorting *s, size_t begin, size_t end)
{
    size_t low = begin, high = end;

    choose_pivot(s, begin, end);
    for (;;) {
        do
            low++;
        while (low < end && is_less(s, low, begin));
        do
            high--;
        while (is_less(s, begin, high));
        if (low >= high)
            break;
        swap(s, low, high);
    }
    swap(s, begin, high);
    return high;
}

/* 'splits' is how often the rest may still be split. */
static void sort(const struct sorting *s, size_t begin, size_t end, unsigned splits)
{
    for (;;) {
        size_t first = s->first > begin ? s->first : begin;
        size_t last = s->end < end ? s->end : end;
        size_t pivot;

        if (first >= last)
            return;
        if (end - begin <= SHORT || (last - first) * 2 > end - begin || splits-- == 0) {
            merge_sort(s, begin, end);
            return;
        }
        pivot = partition(s, begin, end);
        sort(s, begin, pivot, splits);
        begin = pivot + 1;
    }
}

void range_sort(void *items, size_t count, size_t item_size, size_t first, size_t end,
                range_sort_compare *compare)
{
    struct sorting s = {items, item_size, first, end, compare};
    unsigned splits = 0;

    ASSERT(item_size > 0 && item_size % 8 == 0 && item_size <= RANGE_SORT_ITEM_MAX);
    ASSERT(first <= end);
    ASSERT(end <= count);
    for (size_t left = count; left > 1; left /= 2)
        splits += 2;
    if (first < end)
        sort(&s, 0, count, splits);
}
