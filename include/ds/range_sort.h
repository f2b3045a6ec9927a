/* Puts in order as much of an array as somebody wants to see: afterwards the items from 'first' up to
 * 'end' stand where they would if all were sorted, what is smaller stands before them, what is larger
 * behind. What nobody asked for is cut off by partitions, as in quicksort; the rest is merged, which is
 * quick for what comes in runs. No input takes more than O(n log n), and room for half of what is merged.
 *
 * 'compare' answers <0, 0 or >0. Items that compare as equal come in any order. */
#ifndef TERN_DS_RANGE_SORT_H
#define TERN_DS_RANGE_SORT_H

#include <stddef.h>

#define RANGE_SORT_ITEM_MAX 64 /* bytes of an item, which are a multiple of 8 */

typedef int range_sort_compare(const void *a, const void *b);

void range_sort(void *items, size_t count, size_t item_size, size_t first, size_t end,
                range_sort_compare *compare);

#endif
