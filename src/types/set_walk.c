/* The members of a set as they are seen from outside: one after the other, some at a time, gathered. */
#include "set_internal.h"

#include "base/mem.h"
#include "base/numbers.h"

struct bytes set_member_bytes(const struct set_member *member, char *text)
{
    if (member->data)
        return (struct bytes){member->data, member->len};
    return (struct bytes){text, int64_format(text, member->number)};
}

void set_members_add(void *context, const struct set_member *member)
{
    struct set_members *members = context;
    size_t each = sizeof *member;

    if (members->count == members->size) {
        size_t size = members->size ? 2 * members->size : 64;

        members->members = mem_resize(members->members, members->size * each, size * each);
        members->size = size;
    }
    members->members[members->count++] = *member;
}

void set_members_release(struct set_members *members)
{
    if (members->size)
        mem_free(members->members, members->size * sizeof *members->members);
}

/* ---- one after the other ---- */

void set_iter_init(struct set_iter *iter, const struct set *set)
{
    iter->set = set;
    iter->index = 0;
    if (set->form == SET_LISTPACK)
        iter->at = listpack_first(set->lp);
    else if (set->form == SET_TABLE)
        dict_iter_init(&iter->members, set->table);
}

bool set_iter_next(struct set_iter *iter, struct set_member *member)
{
    const struct set *set = iter->set;
    const void *block;

    switch (set->form) {
    case SET_INTSET:
        if (iter->index == intset_count(set->ints))
            return false;
        *member = set_number_member(intset_at(set->ints, iter->index++));
        return true;
    case SET_LISTPACK:
        if (!iter->at)
            return false;
        *member = set_packed_member(iter->at);
        iter->at = listpack_next(set->lp, iter->at);
        return true;
    default:
        block = dict_iter_next(&iter->members);
        if (block)
            *member = set_block_member(block);
        return block != NULL;
    }
}

struct scan_context {
    set_visit *visit;
    void *context;
};

static void scan_emit(void *context, void *block)
{
    struct scan_context *scan = context;
    struct set_member member = set_block_member(block);

    scan->visit(scan->context, &member);
}

uint64_t set_scan(struct set *set, uint64_t cursor, set_visit *visit, void *context)
{
    struct set_member member;
    struct set_iter iter;

    if (set->form == SET_TABLE) {
        struct scan_context scan = {visit, context};
        return dict_scan(set->table, cursor, scan_emit, &scan);
    }
    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &member))
        visit(context, &member);
    return 0;
}
