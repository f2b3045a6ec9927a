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
#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "ds/dict.h"

#include <math.h>

enum { SHRINK_STEP = 8 }; /* buckets of the dict that a removal moves */

static struct limits {
    size_t entries, bytes;
} limits =
#ifdef TERN_STRESS
    {8, 64};
#else
    {128, 64};
#endif

struct indexed {
    struct btree tree;
    struct dict dict; /* of struct btree_member */
};

struct zset {
    union {
        struct listpack *lp;
        struct indexed *indexed;
    };
    bool is_packed;
};
_Static_assert(sizeof(struct zset) == 16, "a set that hangs from a key is 16 bytes");

void zset_set_listpack_limits(size_t entries, size_t value_bytes)
{
    limits = (struct limits){entries, value_bytes};
}

/* --- the large one -------------------------------------------------------------------------------- */

static uint64_t member_hash(const void *entry) { return hash_bytes(btree_member_bytes(entry)); }

static const struct dict_type member_type = {member_hash};

static bool member_is(const void *entry, const void *key)
{
    return bytes_equal(btree_member_bytes(entry), *(const struct bytes *)key);
}

static bool is_same(const void *entry, const void *member) { return entry == member; }

static struct indexed *indexed_new(size_t expected)
{
    struct indexed *indexed = mem_alloc_zero(sizeof *indexed);

    dict_init(&indexed->dict, &member_type);
    dict_reserve(&indexed->dict, expected);
    return indexed;
}

static struct btree_member *indexed_find(const struct indexed *indexed, struct bytes member)
{
    return dict_find(&indexed->dict, hash_bytes(member), member_is, &member);
}

/* The member must be absent. */
static void indexed_insert(struct indexed *indexed, uint64_t hash, double score, struct bytes member)
{
    struct btree_member *block = btree_member_new(score, member);

    dict_insert(&indexed->dict, hash, block);
    btree_insert(&indexed->tree, block);
}

/* What has left the tree leaves the dict and is freed. */
static void drop_member(void *context, struct btree_member *member)
{
    struct indexed *indexed = context;
    uint64_t hash = member_hash(member);
    struct dict_slot *slot = dict_find_slot(&indexed->dict, hash, is_same, member);

    ASSERT(slot);
    dict_remove(&indexed->dict, hash, slot);
    dict_step(&indexed->dict, SHRINK_STEP);
    btree_member_free(member);
}

/* --- the change from one to the other --------------------------------------------------------------- */

static void become_indexed(struct zset *set, size_t added)
{
    struct listpack *lp = set->lp;
    char text[LISTPACK_TEXT_MAX];

    if (!set->is_packed)
        return;
    set->is_packed = false;
    set->indexed = indexed_new(zset_packed_size(lp) + added);
    for (listpack_pos at = listpack_first(lp); at; at = zset_packed_next(lp, at, false)) {
        struct zset_item item = zset_packed_item(lp, at, text);

        indexed_insert(set->indexed, hash_bytes(item.member), item.score, item.member);
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

static void indexed_free(struct indexed *indexed)
{
    while (!btree_free_step(&indexed->tree, SIZE_MAX))
        ;
    dict_release(&indexed->dict);
    mem_free(indexed, sizeof *indexed);
}

void zset_pack(struct zset *set)
{
    struct indexed *indexed = set->indexed;
    struct zset packed = {.lp = listpack_new(), .is_packed = true};
    const struct btree_member *member;
    struct btree_iter iter;

    if (set->is_packed)
        return;
    btree_iter_init(&iter, &indexed->tree, 0, false);
    while ((member = btree_iter_next(&iter)) != NULL && fits_packed(&packed, btree_member_bytes(member)))
        packed.lp = zset_packed_insert(packed.lp, member->score, btree_member_bytes(member));
    if (member) {
        listpack_free(packed.lp);
        return;
    }
    indexed_free(indexed);
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
    if (!set->is_packed && !btree_free_step(&set->indexed->tree, budget))
        return false;
    if (set->is_packed)
        listpack_free(set->lp);
    else
        indexed_free(set->indexed);
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

bool zset_score(const struct zset *set, struct bytes member, double *score)
{
    if (set->is_packed) {
        listpack_pos at = zset_packed_find(set->lp, member);

        if (at)
            *score = zset_packed_score(set->lp, at);
        return at != NULL;
    }
    const struct btree_member *found = indexed_find(set->indexed, member);
    if (found)
        *score = found->score;
    return found != NULL;
}

bool zset_rank(const struct zset *set, struct bytes member, size_t *rank, double *score)
{
    if (set->is_packed) {
        listpack_pos at = zset_packed_find(set->lp, member);

        if (!at)
            return false;
        *rank = zset_packed_rank(set->lp, at);
        *score = zset_packed_score(set->lp, at);
        return true;
    }
    const struct btree_member *found = indexed_find(set->indexed, member);
    if (!found)
        return false;
    *rank = btree_rank(&set->indexed->tree, found);
    *score = found->score;
    return true;
}

/* What becomes of a member that is there with 'old'; '*score' is its new score when it is changed. */
static enum zset_outcome decide(double old, double *score, unsigned flags)
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
    enum zset_outcome outcome = decide(old, score, flags);

    if (outcome == ZSET_CHANGED) {
        set->lp = zset_packed_remove(set->lp, at, 1);
        set->lp = zset_packed_insert(set->lp, *score, member);
    }
    return outcome;
}

static enum zset_outcome indexed_add(struct indexed *indexed, struct bytes member, unsigned flags,
                                     double *score)
{
    uint64_t hash = hash_bytes(member);
    struct btree_member *found = dict_find(&indexed->dict, hash, member_is, &member);

    if (found) {
        enum zset_outcome outcome = decide(found->score, score, flags);

        if (outcome == ZSET_CHANGED)
            btree_change_score(&indexed->tree, found, *score);
        return outcome;
    }
    if (flags & ZSET_IF_PRESENT)
        return ZSET_REFUSED;
    indexed_insert(indexed, hash, *score, member);
    return ZSET_ADDED;
}

static enum zset_outcome add(struct zset *set, struct bytes member, unsigned flags, double *score)
{
    if (set->is_packed) {
        listpack_pos at = zset_packed_find(set->lp, member);

        if (at)
            return packed_change(set, at, member, flags, score);
        if (flags & ZSET_IF_PRESENT)
            return ZSET_REFUSED;
        if (fits_packed(set, member)) {
            set->lp = zset_packed_insert(set->lp, *score, member);
            return ZSET_ADDED;
        }
        become_indexed(set, 1);
    }
    return indexed_add(set->indexed, member, flags, score);
}

enum zset_outcome zset_add(struct zset *set, double score, struct bytes member, unsigned flags,
                           double *result)
{
    enum zset_outcome outcome = add(set, member, flags, &score);

    DEBUG_ASSERT(outcome == ZSET_NAN || !isnan(score));
    if (result)
        *result = score;
    return outcome;
}

bool zset_remove(struct zset *set, struct bytes member)
{
    if (set->is_packed) {
        listpack_pos at = zset_packed_find(set->lp, member);

        if (at)
            set->lp = zset_packed_remove(set->lp, at, 1);
        return at != NULL;
    }
    struct btree_member *found = indexed_find(set->indexed, member);
    if (!found)
        return false;
    btree_remove(&set->indexed->tree, found);
    drop_member(set->indexed, found);
    return true;
}

/* --- ranges --------------------------------------------------------------------------------------------- */

static bool is_score_below(double score, const struct score_range *range)
{
    return range->is_min_exclusive ? score <= range->min : score < range->min;
}

static bool is_score_above(double score, const struct score_range *range)
{
    return range->is_max_exclusive ? score >= range->max : score > range->max;
}

static bool is_lex_below(struct bytes member, const struct lex_bound *min)
{
    if (min->kind != LEX_MEMBER)
        return min->kind == LEX_HIGHEST;
    int order = bytes_compare(member, min->member);
    return min->is_exclusive ? order <= 0 : order < 0;
}

static bool is_lex_above(struct bytes member, const struct lex_bound *max)
{
    if (max->kind != LEX_MEMBER)
        return max->kind == LEX_LOWEST;
    int order = bytes_compare(member, max->member);
    return max->is_exclusive ? order >= 0 : order > 0;
}

static bool item_is_score_below(const struct zset_item *item, const void *range)
{
    return is_score_below(item->score, range);
}

static bool item_is_score_above(const struct zset_item *item, const void *range)
{
    return is_score_above(item->score, range);
}

static bool item_is_lex_below(const struct zset_item *item, const void *range)
{
    return is_lex_below(item->member, &((const struct lex_range *)range)->min);
}

static bool item_is_lex_above(const struct zset_item *item, const void *range)
{
    return is_lex_above(item->member, &((const struct lex_range *)range)->max);
}

static bool node_is_score_below(double score, const struct btree_member *member, const void *range)
{
    return is_score_below(score, range);
}

static bool node_is_score_in_or_below(double score, const struct btree_member *member, const void *range)
{
    return !is_score_above(score, range);
}

static bool node_is_lex_below(double score, const struct btree_member *member, const void *range)
{
    return is_lex_below(btree_member_bytes(member), &((const struct lex_range *)range)->min);
}

static bool node_is_lex_in_or_below(double score, const struct btree_member *member, const void *range)
{
    return !is_lex_above(btree_member_bytes(member), &((const struct lex_range *)range)->max);
}

static struct zset_span tree_span(const struct btree *tree, btree_is_before *is_below,
                                  btree_is_before *is_in_or_below, const void *range)
{
    size_t first = btree_count_before(tree, is_below, range);
    size_t end = btree_count_before(tree, is_in_or_below, range);

    return (struct zset_span){first, end > first ? end - first : 0};
}

struct zset_span zset_span_of_scores(const struct zset *set, const struct score_range *range)
{
    if (set->is_packed)
        return zset_packed_span(set->lp, item_is_score_below, item_is_score_above, range);
    return tree_span(&set->indexed->tree, node_is_score_below, node_is_score_in_or_below, range);
}

struct zset_span zset_span_of_lex(const struct zset *set, const struct lex_range *range)
{
    if (set->is_packed)
        return zset_packed_span(set->lp, item_is_lex_below, item_is_lex_above, range);
    return tree_span(&set->indexed->tree, node_is_lex_below, node_is_lex_in_or_below, range);
}

void zset_remove_span(struct zset *set, struct zset_span span)
{
    ASSERT(span.first + span.count <= zset_size(set));
    if (span.count == 0)
        return;
    if (set->is_packed)
        set->lp = zset_packed_remove(set->lp, zset_packed_at(set->lp, span.first), span.count);
    else
        btree_remove_range(&set->indexed->tree, span.first, span.count, drop_member, set->indexed);
}

/* --- walking -------------------------------------------------------------------------------------------- */

void zset_iter_init(struct zset_iter *iter, const struct zset *set, size_t rank, bool is_reverse)
{
    iter->set = set;
    iter->is_reverse = is_reverse;
    if (set->is_packed)
        iter->at = zset_packed_at(set->lp, rank);
    else
        btree_iter_init(&iter->tree, &set->indexed->tree, rank, is_reverse);
}

static struct zset_item item_of(const struct btree_member *member)
{
    return (struct zset_item){btree_member_bytes(member), member->score};
}

bool zset_iter_next(struct zset_iter *iter, struct zset_item *item)
{
    if (iter->set->is_packed) {
        const struct listpack *lp = iter->set->lp;

        if (!iter->at)
            return false;
        *item = zset_packed_item(lp, iter->at, iter->text);
        iter->at = zset_packed_next(lp, iter->at, iter->is_reverse);
        return true;
    }
    const struct btree_member *member = btree_iter_next(&iter->tree);
    if (member)
        *item = item_of(member);
    return member != NULL;
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
    copy->indexed = indexed_new(zset_size(set));
    zset_iter_init(&iter, set, 0, false);
    while (zset_iter_next(&iter, &item))
        indexed_insert(copy->indexed, hash_bytes(item.member), item.score, item.member);
    return copy;
}

static size_t indexed_memory(const struct indexed *indexed, size_t samples)
{
    size_t size = indexed->tree.size, looked_at = 0, bytes = 0;
    const struct btree_member *member;
    struct btree_iter iter;

    btree_iter_init(&iter, &indexed->tree, 0, false);
    while ((samples == 0 || looked_at < samples) && (member = btree_iter_next(&iter)) != NULL) {
        bytes += mem_block_size(btree_member_size(member));
        looked_at++;
    }
    if (looked_at)
        bytes = (size_t)((double)bytes / (double)looked_at * (double)size);
    return bytes + mem_block_size(sizeof *indexed) + btree_memory(&indexed->tree) +
           dict_memory(&indexed->dict);
}

static size_t memory(const struct zset *set, size_t samples)
{
    return mem_block_size(sizeof *set) + (set->is_packed ? mem_block_size(listpack_bytes(set->lp))
                                                         : indexed_memory(set->indexed, samples));
}

void zset_check(const struct zset *set)
{
    const struct btree_member *member;
    struct btree_iter iter;

    if (set->is_packed) {
        zset_packed_check(set->lp);
        return;
    }
    btree_check(&set->indexed->tree);
    dict_check(&set->indexed->dict);
    ASSERT(dict_size(&set->indexed->dict) == set->indexed->tree.size);
    btree_iter_init(&iter, &set->indexed->tree, 0, false);
    while ((member = btree_iter_next(&iter)) != NULL)
        ASSERT(indexed_find(set->indexed, btree_member_bytes(member)) == member);
}

/* --- the row -------------------------------------------------------------------------------------------- */

static const char *any_encoding(const void *value) { return zset_encoding(value); }
static size_t any_memory(const void *value, size_t samples) { return memory(value, samples); }
static size_t any_free_effort(const void *value) { return free_effort(value); }
static bool any_free_step(void *value, size_t budget) { return zset_free_step(value, budget); }
static void *any_copy(const void *value) { return zset_copy(value); }
static void any_check(const void *value) { zset_check(value); }

const struct value_ops zset_value_ops = {
    .encoding = any_encoding,
    .memory = any_memory,
    .free_effort = any_free_effort,
    .free_step = any_free_step,
    .copy = any_copy,
    .check = any_check,
};
