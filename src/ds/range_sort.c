/* Quicksort with the middle of three as pivot, insertion sort for what is short, heapsort when the
 * parts turn out uneven again and again. */
#include "ds/range_sort.h"

#include "base/assert.h"

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
    for (size_t i = begin + 1; i < end; i++)
        for (size_t at = i; at > begin && is_less(s, at, at - 1); at--)
            swap(s, at, at - 1);
}

/* Below 'at' the largest is on top; 'at' goes down to its place. */
static void sift_down(const struct sorting *s, size_t begin, size_t count, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= count)
            return;
        if (child + 1 < count && is_less(s, begin + child, begin + child + 1))
            child++;
        if (!is_less(s, begin + at, begin + child))
            return;
        swap(s, begin + at, begin + child);
        at = child;
    }
}

static void heap_sort(const struct sorting *s, size_t begin, size_t end)
{
    size_t count = end - begin;

    for (size_t at = count / 2; at-- > 0;)
        sift_down(s, begin, count, at);
    while (count > 1) {
        count--;
        swap(s, begin, begin + count);
        sift_down(s, begin, count, 0);
    }
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

/* 'splits' is how often the rest may still be split before heapsort takes over. */
static void sort(const struct sorting *s, size_t begin, size_t end, unsigned splits)
{
    while (end - begin > SHORT) {
        size_t pivot;

        if (end <= s->first || begin >= s->end)
            return;
        if (splits-- == 0) {
            heap_sort(s, begin, end);
            return;
        }
        pivot = partition(s, begin, end);
        if (pivot - begin < end - pivot) {
            sort(s, begin, pivot, splits);
            begin = pivot + 1;
        } else {
            sort(s, pivot + 1, end, splits);
            end = pivot;
        }
    }
    insertion_sort(s, begin, end);
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
