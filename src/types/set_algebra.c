/* Intersections, unions and differences. They visit members where they lie, so an answer copies none;
 * a member's hash is computed once, however many sets are asked. */
#include "set_internal.h"

#include "base/mem.h"

#include <stdlib.h>

#define ASK_ALL_MAX 8 /* with more sets, what was seen is noted rather than looked for in each */

static int by_size(const void *a, const void *b)
{
    size_t first = set_size(*(const struct set *const *)a);
    size_t second = set_size(*(const struct set *const *)b);

    return (first > second) - (first < second);
}

static int by_size_falling(const void *a, const void *b) { return by_size(b, a); }

static void sort(const struct set **sets, size_t count,
                 int (*compare)(const void *a, const void *b))
{
    if (count > 1)
        qsort(sets, count, sizeof *sets, compare);
}

static bool is_in_any(const struct set *const *sets, size_t count, struct set_probe *probe)
{
    for (size_t i = 0; i < count; i++)
        if (set_has_probe(sets[i], probe))
            return true;
    return false;
}

/* Sets that are the same one as the first need not be asked. */
static bool is_in_all(const struct set *const *sets, size_t count, struct set_probe *probe)
{
    for (size_t i = 1; i < count; i++)
        if (sets[i] != sets[0] && !set_has_probe(sets[i], probe))
            return false;
    return true;
}

void set_intersect(const struct set **sets, size_t count, size_t limit, set_visit *visit,
                   void *context)
{
    struct set_member member;
    struct set_probe probe;
    struct set_iter iter;
    size_t found = 0;

    sort(sets, count, by_size);
    set_iter_init(&iter, sets[0]);
    while (set_iter_next(&iter, &member)) {
        set_probe_init(&probe, &member);
        if (!is_in_all(sets, count, &probe))
            continue;
        visit(context, &member);
        if (++found == limit)
            return;
    }
}

/* ---- union ---- */

/* What is new in one set after the other. */
static void unite_by_asking(const struct set **sets, size_t count, set_visit *visit, void *context)
{
    sort(sets, count, by_size_falling);
    for (size_t i = 0; i < count; i++) {
        struct set_member member;
        struct set_probe probe;
        struct set_iter iter;

        set_iter_init(&iter, sets[i]);
        while (set_iter_next(&iter, &member)) {
            set_probe_init(&probe, &member);
            if (!is_in_any(sets, i, &probe))
                visit(context, &member);
        }
    }
}

static void unite_by_noting(const struct set **sets, size_t count, set_visit *visit, void *context)
{
    struct set *seen = set_new();

    for (size_t i = 0; i < count; i++) {
        struct set_member member;
        struct set_iter iter;

        set_iter_init(&iter, sets[i]);
        while (set_iter_next(&iter, &member))
            if (set_add_member(seen, &member))
                visit(context, &member);
    }
    set_free(seen);
}

void set_unite(const struct set **sets, size_t count, set_visit *visit, void *context)
{
    if (count <= ASK_ALL_MAX)
        unite_by_asking(sets, count, visit, context);
    else
        unite_by_noting(sets, count, visit, context);
}

/* ---- difference ---- */

/* Redis's choice: whether to look for each member of the first set in the others. */
static bool is_better_by_asking(const struct set *const *sets, size_t count)
{
    size_t asked = set_size(sets[0]) * count / 2, all = 0;

    for (size_t i = 0; i < count; i++)
        all += set_size(sets[i]);
    return asked <= all;
}

/* Visits what is in the first set and in none of the others. */
static void subtract_by_asking(const struct set *first, const struct set **others, size_t count,
                               set_visit *visit, void *context)
{
    struct set_member member;
    struct set_probe probe;
    struct set_iter iter;

    sort(others, count, by_size_falling);
    set_iter_init(&iter, first);
    while (set_iter_next(&iter, &member)) {
        set_probe_init(&probe, &member);
        if (!is_in_any(others, count, &probe))
            visit(context, &member);
    }
}

void set_subtract(const struct set **sets, size_t count, set_visit *visit, void *context)
{
    const struct set *together;
    struct set *united;

    for (size_t i = 1; i < count; i++)
        if (sets[i] == sets[0])
            return;
    if (count <= 2 || is_better_by_asking(sets, count)) {
        subtract_by_asking(sets[0], sets + 1, count - 1, visit, context);
        return;
    }
    together = united = set_union(sets + 1, count - 1);
    subtract_by_asking(sets[0], &together, 1, visit, context);
    set_free(united);
}

/* ---- new sets ---- */

/* A set of members that are all different, as if they had come to an empty one of that form. Where many
 * come it will be a table: room for all of them at once makes SINTERSTORE twice as fast. */
static struct set *set_of_members(struct set_members *members, enum set_form form)
{
    bool is_large = set_is_large(members->count);
    struct set *set = set_new_form(is_large ? SET_TABLE : form, members->count);

    for (size_t i = 0; i < members->count; i++) {
        if (is_large)
            set_table_insert(set->table, &members->members[i]);
        else
            set_add_member(set, &members->members[i]);
    }
    set_members_release(members);
    return set;
}

struct set *set_intersection(const struct set **sets, size_t count)
{
    struct set_members members = {0};
    enum set_form form;
    struct set *result;

    sort(sets, count, by_size);
    form = sets[0]->form == SET_INTSET ? SET_INTSET : SET_LISTPACK;
    set_intersect(sets, count, 0, set_members_add, &members);
    result = set_of_members(&members, form);
    if (form != SET_INTSET && set_size(result) > 0)
        set_become_intset(result);
    return result;
}

/* Every member of every set is added. */
static struct set *union_by_adding(const struct set **sets, size_t count)
{
    struct set *result = set_new();

    for (size_t i = 0; i < count; i++) {
        struct set_member member;
        struct set_iter iter;

        set_iter_init(&iter, sets[i]);
        while (set_iter_next(&iter, &member))
            set_add_member(result, &member);
    }
    return result;
}

struct set *set_union(const struct set **sets, size_t count)
{
    struct set_members members = {0};

    if (count > ASK_ALL_MAX)
        return union_by_adding(sets, count);
    unite_by_asking(sets, count, set_members_add, &members);
    return set_of_members(&members, SET_INTSET);
}

/* Where Redis copies the first set and removes from the copy, the copy's form stays. */
static enum set_form form_of_copy(const struct set *from)
{
    struct set *result = set_new();
    struct set_member member;
    struct set_iter iter;
    enum set_form form;

    set_iter_init(&iter, from);
    while (result->form != SET_TABLE && set_iter_next(&iter, &member))
        set_add_member(result, &member);
    form = result->form;
    set_free(result);
    return form;
}

struct set *set_difference(const struct set **sets, size_t count)
{
    enum set_form form = is_better_by_asking(sets, count) ? SET_INTSET : form_of_copy(sets[0]);
    struct set_members members = {0};

    set_subtract(sets, count, set_members_add, &members);
    return set_of_members(&members, form);
}
