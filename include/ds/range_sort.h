/* Puts in order as much of an array as somebody wants to see: afterwards the items from 'first' up to
 * 'end' stand where they would if all were sorted, what is smaller stands before them, what is larger
 * behind. Quicksort that leaves out the parts nobody asked for, and turns into heapsort where it goes
 * wrong, so that no input takes more than O(n log n).
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
