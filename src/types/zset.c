/* A sorted set is one listpack, or a tree and a dict over the same members:
 *
 *     struct zset --- listpack  [ "ann" 10 "bob" 12 ... ]                      "listpack"
 *
 *     struct zset --- struct indexed --- btree   by (score, bytes): ranks      "skiplist"
 *                                    |     \  \
 *                                    |   [10 ann] [12 bob]     one block a member
 *                                    |     /  /
 *                                    +-- dict    by bytes: scores
 *
 * When a listpack becomes a tree is Redis's rule (t_zset.c of 7.2), since OBJECT ENCODING shows it; it
 * never becomes a listpack again. */
#include "zset_internal.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/random.h"

#include <math.h>

static struct limits {
    size_t entries, bytes;
} limits =
#ifdef TERN_STRESS
    {8, 64};
#else
    {128, 64};
#endif

_Static_assert(sizeof(struct zset) == 16, "a set that hangs from a key is 16 bytes");

void zset_set_listpack_limits(size_t entries, size_t value_bytes)
{
    limits = (struct limits){entries, value_bytes};
}

/* --- the change from one to the other --------------------------------------------------------------- */

static void become_indexed(struct zset *set, size_t added)
{
    struct listpack *lp = set->lp;
    char text[LISTPACK_TEXT_MAX];

    if (!set->is_packed)
        return;
    set->is_packed = false;
    set->indexed = zset_indexed_new(zset_packed_size(lp) + added);
    for (listpack_pos at = listpack_first(lp); at; at = zset_packed_next(lp, at, false)) {
        struct zset_item item = zset_packed_item(lp, at, text);

        zset_indexed_insert(set->indexed, item.score, item.member);
    }
    listpack_free(lp);
}

static bool fits_packed(const struct zset *set, struct bytes member)
{
    return zset_packed_size(set->lp) < limits.entries && member.len <= limits.bytes &&
           listpack_fits(set->lp, member.len + 64);
}

void zset_expect(struct zset *set, size_t count)
{
    if (count > limits.entries)
        become_indexed(set, 0);
}

struct zset *zset_new(size_t expected, size_t len)
{
    struct zset *set = mem_alloc_zero(sizeof *set);

    set->is_packed = true;
    set->lp = listpack_new();
    if (expected > limits.entries || len > limits.bytes)
        become_indexed(set, 0);
    return set;
}

struct zset *zset_new_tree(void) { return zset_new(SIZE_MAX, 0); }

void zset_pack(struct zset *set)
{
    struct indexed *indexed = set->indexed;
    struct zset packed = {.is_packed = true};
    const struct btree_member *member;
    struct btree_iter iter;

    if (set->is_packed || zset_size(set) > limits.entries)
        return;
    packed.lp = listpack_new();
    btree_iter_init(&iter, &indexed->tree, 0, false);
    while ((member = btree_iter_next(&iter)) != NULL && fits_packed(&packed, btree_member_bytes(member)))
        packed.lp = zset_packed_insert(packed.lp, member->score, btree_member_bytes(member));
    if (member) {
        listpack_free(packed.lp);
        return;
    }
    while (!zset_indexed_free_step(indexed, SIZE_MAX))
        ;
    *set = packed;
}

size_t zset_size(const struct zset *set)
{
    return set->is_packed ? zset_packed_size(set->lp) : set->indexed->tree.size;
}

const char *zset_encoding(const struct zset *set) { return set->is_packed ? "listpack" : "skiplist"; }

/* --- freeing ------------------------------------------------------------------------------------------ */

bool zset_free_step(struct zset *set, size_t budget)
{
    if (!set->is_packed && !zset_indexed_free_step(set->indexed, budget))
        return false;
    if (set->is_packed)
        listpack_free(set->lp);
    mem_free(set, sizeof *set);
    return true;
}

void zset_free(struct zset *set)
{
    while (!zset_free_step(set, SIZE_MAX))
        ;
}

static size_t free_effort(const struct zset *set) { return set->is_packed ? 1 : 1 + zset_size(set); }

/* --- one member ----------------------------------------------------------------------------------------- */

bool zset_score(const struct zset *set, struct hashed member, double *score)
{
    if (set->is_packed) {
        listpack_pos at = zset_packed_find(set->lp, member.bytes);

        if (at)
            *score = zset_packed_score(set->lp, at);
        return at != NULL;
    }
    const struct btree_member *found = zset_indexed_find(set->indexed, member);
    if (found)
        *score = found->score;
    return found != NULL;
}

bool zset_rank(const struct zset *set, struct hashed member, size_t *rank, double *score)
{
    if (set->is_packed) {
        listpack_pos at = zset_packed_find(set->lp, member.bytes);

        if (!at)
            return false;
        *rank = zset_packed_rank(set->lp, at);
        *score = zset_packed_score(set->lp, at);
        return true;
    }
    const struct btree_member *found = zset_indexed_find(set->indexed, member);
    if (!found)
        return false;
    *rank = btree_rank(&set->indexed->tree, found);
    *score = found->score;
    return true;
}

enum zset_outcome zset_decide(double old, double *score, unsigned flags)
{
    if (flags & ZSET_IF_ABSENT)
        return ZSET_REFUSED;
    if (flags & ZSET_INCREMENT)
        *score += old;
    if (isnan(*score))
        return ZSET_NAN;
    if ((flags & ZSET_IF_LESS && *score >= old) || (flags & ZSET_IF_GREATER && *score <= old))
        return ZSET_REFUSED;
    return *score == old ? ZSET_SAME : ZSET_CHANGED;
}

static enum zset_outcome packed_change(struct zset *set, listpack_pos at, struct bytes member,
                                       unsigned flags, double *score)
{
    double old = zset_packed_score(set->lp, at);
    enum zset_outcome outcome = zset_decide(old, score, flags);

    if (outcome == ZSET_CHANGED) {
        set->lp = zset_packed_remove(set->lp, at, 1);
        set->lp = zset_packed_insert(set->lp, *score, member);
    }
    return outcome;
}

static enum zset_outcome add(struct zset *set, struct hashed member, unsigned flags, double *score)
{
    if (set->is_packed) {
        listpack_pos at = zset_packed_find(set->lp, member.bytes);

        if (at)
            return packed_change(set, at, member.bytes, flags, score);
        if (flags & ZSET_IF_PRESENT)
            return ZSET_REFUSED;
        if (fits_packed(set, member.bytes)) {
            set->lp = zset_packed_insert(set->lp, *score, member.bytes);
            return ZSET_ADDED;
        }
        become_indexed(set, 1);
    }
    return zset_indexed_add(set->indexed, member, flags, score);
}

enum zset_outcome zset_add(struct zset *set, double score, struct hashed member, unsigned flags,
                           double *result)
{
    enum zset_outcome outcome = add(set, member, flags, &score);

    DEBUG_ASSERT(outcome == ZSET_NAN || !isnan(score));
    if (result)
        *result = score;
    return outcome;
}

bool zset_remove(struct zset *set, struct hashed member)
{
    if (set->is_packed) {
        listpack_pos at = zset_packed_find(set->lp, member.bytes);

        if (at)
            set->lp = zset_packed_remove(set->lp, at, 1);
        return at != NULL;
    }
    return zset_indexed_remove(set->indexed, member);
}

void zset_remove_span(struct zset *set, struct zset_span span)
{
    ASSERT(span.first + span.count <= zset_size(set));
    if (span.count == 0)
        return;
    if (set->is_packed)
        set->lp = zset_packed_remove(set->lp, zset_packed_at(set->lp, span.first), span.count);
    else
        zset_indexed_remove_span(set->indexed, span);
}

/* --- walking -------------------------------------------------------------------------------------------- */

void zset_iter_init(struct zset_iter *iter, const struct zset *set, size_t rank, bool is_reverse)
{
    iter->lp = set->is_packed ? set->lp : NULL;
    iter->is_reverse = is_reverse;
    if (set->is_packed)
        iter->at = zset_packed_at(set->lp, rank);
    else
        btree_iter_init(&iter->tree, &set->indexed->tree, rank, is_reverse);
}

bool zset_iter_next_packed(struct zset_iter *iter, struct zset_item *item)
{
    if (!iter->at)
        return false;
    *item = zset_packed_item(iter->lp, iter->at, iter->text);
    iter->at = zset_packed_next(iter->lp, iter->at, iter->is_reverse);
    return true;
}

static struct zset_item item_of(const struct btree_member *member)
{
    return (struct zset_item){btree_member_bytes(member), member->score};
}

struct zset_item zset_random(const struct zset *set, struct random *random, char *text)
{
    ASSERT(zset_size(set) > 0);
    if (!set->is_packed)
        return item_of(dict_random(&set->indexed->dict, random));
    return zset_packed_item(set->lp, zset_packed_at(set->lp, random_below(random, zset_size(set))), text);
}

struct emission {
    zset_emit *emit;
    void *context;
};

static void emit_member(void *context, void *entry)
{
    const struct emission *emission = context;
    struct zset_item item = item_of(entry);

    emission->emit(emission->context, &item);
}

uint64_t zset_scan(const struct zset *set, uint64_t cursor, zset_emit *emit, void *context)
{
    struct emission emission = {emit, context};
    struct zset_iter iter;
    struct zset_item item;

    if (!set->is_packed)
        return dict_scan(&set->indexed->dict, cursor, emit_member, &emission);
    zset_iter_init(&iter, set, 0, false);
    while (zset_iter_next(&iter, &item))
        emit(context, &item);
    return 0;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

struct zset *zset_copy(const struct zset *set)
{
    struct zset *copy = mem_alloc_zero(sizeof *copy);
    struct zset_iter iter;
    struct zset_item item;

    copy->is_packed = set->is_packed;
    if (set->is_packed) {
        copy->lp = listpack_copy(set->lp);
        return copy;
    }
    copy->indexed = zset_indexed_new(zset_size(set));
    zset_iter_init(&iter, set, 0, false);
    while (zset_iter_next(&iter, &item))
        zset_indexed_insert(copy->indexed, item.score, item.member);
    return copy;
}

bool zset_packed(const struct zset *set, struct bytes *packed)
{
    if (set->is_packed)
        *packed = (struct bytes){(const char *)set->lp, listpack_bytes(set->lp)};
    return set->is_packed;
}

struct zset *zset_from_listpack(struct bytes packed)
{
    struct zset *set;

    if (!listpack_is_valid(packed) || !zset_packed_is_valid((const struct listpack *)(const void *)packed.data))
        return NULL;
    set = mem_alloc_zero(sizeof *set);
    set->is_packed = true;
    set->lp = listpack_from_bytes(packed);
    if (zset_packed_size(set->lp) > limits.entries)
        become_indexed(set, 0);
    return set;
}

static size_t memory(const struct zset *set, size_t samples)
{
    return mem_block_size(sizeof *set) + (set->is_packed ? mem_block_size(listpack_bytes(set->lp))
                                                         : zset_indexed_memory(set->indexed, samples));
}

void zset_check(const struct zset *set)
{
    if (set->is_packed)
        zset_packed_check(set->lp);
    else
        zset_indexed_check(set->indexed);
}

/* --- the row -------------------------------------------------------------------------------------------- */

static const char *any_encoding(const void *value) { return zset_encoding(value); }
static size_t any_memory(const void *value, size_t samples) { return memory(value, samples); }
static size_t any_free_effort(const void *value) { return free_effort(value); }
static bool any_free_step(void *value, size_t budget) { return zset_free_step(value, budget); }
static void *any_copy(const void *value) { return zset_copy(value); }
static void any_check(const void *value) { zset_check(value); }

static const struct dict *any_table(const void *value)
{
    const struct zset *set = value;

    return set->is_packed ? NULL : &set->indexed->dict;
}

const struct value_ops zset_value_ops = {
    .table = any_table,
    .encoding = any_encoding,
    .memory = any_memory,
    .free_effort = any_free_effort,
    .free_step = any_free_step,
    .copy = any_copy,
    .check = any_check,
};
