/* Which ranks of a sorted set a range of scores or of bytes is. */
#include "zset_internal.h"

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
