/* What the files of SORT share: the elements on their way (sort_elements.c), and the patterns of BY and
 * GET (sort_pattern.c). */
#ifndef TERN_SORT_INTERNAL_H
#define TERN_SORT_INTERNAL_H

#include "engine/request.h"

struct sort_item {
    struct bytes element;
    union {
        double score;
        struct bytes text; /* data NULL: there is none, which comes first */
    } weight;
    size_t place; /* in the order in which the value gave them */
};

struct sort {
    struct request *req;
    struct sort_item *items;
    size_t count, size;       /* of items: loaded, room for */
    struct sort_texts *texts; /* bytes that no value keeps: those of numbers */
    char *key;                /* where the names of keys are put together */
    size_t key_size;
};

void sort_release(struct sort *sort);

/* --- elements ---------------------------------------------------------------------------- */

/* Lists, sets and sorted sets can be sorted. */
bool sort_is_sortable(const struct entry *entry);
size_t sort_size(const struct entry *entry);
/* Loads 'count' elements from the 'first' on, in the value's own order; 'is_backwards' begins at its end,
 * where there is an order. The elements are views that hold until the value changes. */
void sort_load(struct sort *sort, const struct entry *entry, size_t first, size_t count,
               bool is_backwards);
/* A copy that lives as long as 'sort'. */
struct bytes sort_keep(struct sort *sort, struct bytes text);

/* --- patterns ---------------------------------------------------------------------------- */

/* "weight_*", "object_*->field", or "#" for the element itself. */
struct sort_pattern {
    struct bytes before, behind; /* the star, in the name of the key */
    struct bytes field;          /* of a hash; data NULL: the key holds a string */
    bool has_star, is_element;
};

struct sort_pattern sort_pattern_of(struct bytes text);
/* What the pattern leads to; false when that is absent. 'text' (INT64_TEXT_MAX bytes) is used for a
 * number. The view holds until the key changes, so while SORT only looks. */
bool sort_look_up(struct sort *sort, const struct sort_pattern *pattern, struct bytes element,
                  char *text, struct bytes *value);

#endif
