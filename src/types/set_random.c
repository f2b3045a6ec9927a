/* Random members of a set: one, several, and taking them out. All members have the same chance, and so
 * have all choices of 'count' of them.
 *
 * Where many are wanted of what there is, a walk decides for each member in turn (selection sampling,
 * Knuth 3.4.2 S): 'wanted' of the 'left' members that are still to come. */
#include "set_internal.h"

#include "base/assert.h"
#include "base/random.h"

#define DENSE_SHARE 3 /* from a third of the members on a walk is cheaper than picking */
#define KEEP_SHARE  5 /* as in Redis, a table is made anew when it keeps at most a fifth of what goes */

struct selection {
    struct random *random;
    size_t wanted, left;
};

static bool select_next(struct selection *selection)
{
    bool is_chosen = random_below(selection->random, selection->left--) < selection->wanted;

    selection->wanted -= is_chosen;
    return is_chosen;
}

static listpack_pos random_pos(const struct listpack *lp, struct random *random)
{
    return listpack_at(lp, (int64_t)random_below(random, listpack_count(lp)));
}

static int64_t random_number(const struct intset *ints, struct random *random)
{
    return intset_at(ints, random_below(random, intset_count(ints)));
}

struct set_member set_random(const struct set *set, struct random *random)
{
    ASSERT(set_size(set) > 0);
    if (set->form == SET_TABLE)
        return set_block_member(dict_random(set->table, random));
    if (set->form == SET_LISTPACK)
        return set_packed_member(random_pos(set->lp, random));
    return set_number_member(random_number(set->ints, random));
}

/* ---- several ---- */

static void sample_by_walk(const struct set *set, size_t count, struct random *random,
                           set_visit *visit, void *context)
{
    struct selection selection = {random, count, set_size(set)};
    struct set_member member;
    struct set_iter iter;

    set_iter_init(&iter, set);
    while (selection.wanted && set_iter_next(&iter, &member))
        if (select_next(&selection))
            visit(context, &member);
}

/* Picks until there are enough different ones; what was picked is noted in a table of its own. */
static void sample_by_picking(const struct dict *table, size_t count, struct random *random,
                              set_visit *visit, void *context)
{
    struct dict picked;

    dict_init(&picked, &set_table_type);
    while (dict_size(&picked) < count) {
        void *block = dict_random(table, random);
        uint64_t hash = hash_bytes(block_member(block));
        struct set_member member = set_block_member(block);

        if (dict_find_slot(&picked, hash, block_is, block))
            continue;
        dict_insert(&picked, hash, block);
        visit(context, &member);
    }
    dict_release(&picked);
}

void set_sample(const struct set *set, size_t count, struct random *random, set_visit *visit,
                void *context)
{
    size_t size = set_size(set);

    ASSERT(count <= size);
    if (set->form == SET_TABLE && count < size / DENSE_SHARE)
        sample_by_picking(set->table, count, random, visit, context);
    else
        sample_by_walk(set, count, random, visit, context);
}

/* ---- taking ---- */

static void take_one(struct set *set, struct random *random, set_visit *visit, void *context)
{
    struct set_member member;
    bool is_removed;

    if (set->form == SET_TABLE) {
        struct dict_slot *slot = dict_random_slot(set->table, random);
        void *block = dict_slot_entry(slot);

        member = set_block_member(block);
        visit(context, &member);
        set_table_remove(set->table, hash_bytes(block_member(block)), slot);
    } else if (set->form == SET_LISTPACK) {
        listpack_pos at = random_pos(set->lp, random);

        member = set_packed_member(at);
        visit(context, &member);
        set->lp = listpack_remove(set->lp, at, 1, NULL);
    } else {
        member = set_number_member(random_number(set->ints, random));
        visit(context, &member);
        set->ints = intset_remove(set->ints, member.number, &is_removed);
    }
}

struct taking {
    struct selection selection;
    set_visit *visit;
    void *context;
};

static bool number_goes(void *context, int64_t number)
{
    struct taking *taking = context;
    struct set_member member = set_number_member(number);
    bool goes = select_next(&taking->selection);

    if (goes)
        taking->visit(taking->context, &member);
    return goes;
}

/* Neighbours that go are removed together. */
static void take_packed(struct set *set, struct taking *taking)
{
    listpack_pos at = listpack_first(set->lp);

    while (at && taking->selection.wanted) {
        listpack_pos end = at;
        size_t count = 0;

        while (end && select_next(&taking->selection)) {
            struct set_member member = set_packed_member(end);
            taking->visit(taking->context, &member);
            end = listpack_next(set->lp, end);
            count++;
        }
        if (count > 0)
            set->lp = listpack_remove(set->lp, at, count, &at); /* it was decided: stays */
        if (at)
            at = listpack_next(set->lp, at);
    }
}

/* What stays goes into a new set; small again, it is packed again. */
static void take_most_of_table(struct set *set, struct taking *taking)
{
    struct set *kept = set_new_form(SET_LISTPACK, 0), old = *set;
    struct dict_iter iter;
    void *block;

    dict_iter_init(&iter, set->table);
    while ((block = dict_iter_next(&iter)) != NULL) {
        struct set_member member = set_block_member(block);

        if (select_next(&taking->selection))
            taking->visit(taking->context, &member);
        else
            set_add_member(kept, &member);
    }
    *set = *kept;
    *kept = old;
    set_free(kept);
}

void set_take(struct set *set, size_t count, struct random *random, set_visit *visit, void *context)
{
    size_t size = set_size(set);
    struct taking taking = {{random, count, size}, visit, context};

    ASSERT(count <= size);
    if (count == 1)
        take_one(set, random, visit, context);
    else if (set->form == SET_INTSET)
        set->ints = intset_remove_if(set->ints, number_goes, &taking);
    else if (set->form == SET_LISTPACK)
        take_packed(set, &taking);
    else if ((size - count) * KEEP_SHARE <= count)
        take_most_of_table(set, &taking);
    else
        for (; count > 0; count--)
            take_one(set, random, visit, context);
}
