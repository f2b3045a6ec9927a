/* A large sorted set: a tree for the order and a dict for the members, over the same blocks. */
#include "zset_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
    SHRINK_STEP = 8,   /* buckets of the dict that a removal moves */
    POP_AHEAD = 6,     /* members */
};

static uint64_t member_hash(const void *entry) { return hash_bytes(btree_member_bytes(entry)); }

static const struct dict_type member_type = {member_hash};

static bool member_is(const void *entry, const void *key)
{
    return bytes_equal(btree_member_bytes(entry), *(const struct bytes *)key);
}

static bool is_same(const void *entry, const void *member) { return entry == member; }

struct indexed *zset_indexed_new(size_t expected)
{
    struct indexed *indexed = mem_alloc_zero(sizeof *indexed);

    dict_init(&indexed->dict, &member_type);
    dict_reserve(&indexed->dict, expected);
    return indexed;
}

struct btree_member *zset_indexed_find(const struct indexed *indexed, struct hashed member)
{
    return dict_find(&indexed->dict, hash_of(&member), member_is, &member.bytes);
}

void zset_indexed_insert(struct indexed *indexed, double score, struct bytes member)
{
    struct btree_member *block = btree_member_new(score, member);

    dict_insert(&indexed->dict, hash_bytes(member), block);
    btree_insert(&indexed->tree, block);
}

enum zset_outcome zset_indexed_add(struct indexed *indexed, struct hashed member, unsigned flags,
                                   double *score)
{
    uint64_t hash = hash_of(&member);
    bool is_score_known = !(flags & ZSET_INCREMENT);
    struct btree_place place;

    dict_prefetch(&indexed->dict, hash);
    if (is_score_known) /* its misses and the dict's overlap */
        btree_seek(&indexed->tree, *score, &place);
    struct btree_member *found = dict_find(&indexed->dict, hash, member_is, &member.bytes);
    enum zset_outcome outcome = found                       ? zset_decide(found->score, score, flags)
                                : flags & ZSET_IF_PRESENT ? ZSET_REFUSED
                                                            : ZSET_ADDED;
    if (outcome != ZSET_ADDED && outcome != ZSET_CHANGED)
        return outcome;
    if (!is_score_known)
        btree_seek(&indexed->tree, *score, &place);
    if (outcome == ZSET_CHANGED) {
        btree_change_score(&indexed->tree, found, *score, &place);
    } else {
        struct btree_member *block = btree_member_new(*score, member.bytes);

        dict_insert(&indexed->dict, hash, block);
        btree_insert_at(&indexed->tree, block, &place);
    }
    return outcome;
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

bool zset_indexed_remove(struct indexed *indexed, struct hashed member)
{
    struct btree_member *found = zset_indexed_find(indexed, member);

    if (!found)
        return false;
    btree_remove(&indexed->tree, found);
    drop_member(indexed, found);
    return true;
}

/* Pops mostly come one after the other: the block of a member whose turn comes soon is asked for,
 * and the bucket of the one that comes before it. (400,000 members: 0.45 of the time.) */
static void prefetch_next_pops(const struct indexed *indexed, bool from_end)
{
    const struct btree_member *soon = btree_near_edge(&indexed->tree, POP_AHEAD, from_end);
    const struct btree_member *sooner = btree_near_edge(&indexed->tree, POP_AHEAD / 2, from_end);

    if (soon)
        __builtin_prefetch(soon);
    if (soon && sooner)
        dict_prefetch(&indexed->dict, member_hash(sooner));
}

void zset_indexed_remove_span(struct indexed *indexed, struct zset_span span)
{
    bool is_at_begin = span.first == 0, is_at_end = span.first + span.count == indexed->tree.size;

    btree_remove_range(&indexed->tree, span.first, span.count, drop_member, indexed);
    if (span.count == 1 && (is_at_begin || is_at_end))
        prefetch_next_pops(indexed, !is_at_begin);
}

bool zset_indexed_free_step(struct indexed *indexed, size_t budget)
{
    if (!btree_free_step(&indexed->tree, budget))
        return false;
    dict_release(&indexed->dict);
    mem_free(indexed, sizeof *indexed);
    return true;
}

size_t zset_indexed_memory(const struct indexed *indexed, size_t samples)
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

void zset_indexed_check(const struct indexed *indexed)
{
    const struct btree_member *member;
    struct btree_iter iter;

    btree_check(&indexed->tree);
    dict_check(&indexed->dict);
    ASSERT(dict_size(&indexed->dict) == indexed->tree.size);
    btree_iter_init(&iter, &indexed->tree, 0, false);
    while ((member = btree_iter_next(&iter)) != NULL)
        ASSERT(zset_indexed_find(indexed, hashed(btree_member_bytes(member))) == member);
}
