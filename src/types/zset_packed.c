/* A small sorted set: one listpack, members and scores by turns, in order.
 *
 *     [ header | "ann" 10 | "bob" "12.5" | "eve" 12.5 ... | FF ]
 *
 * Scores are integers where they are whole (-0 becomes 0 then), else their text. */
#include "zset_internal.h"

#include "base/assert.h"
#include "base/numbers.h"

static double read_score(listpack_pos at)
{
    char text[LISTPACK_TEXT_MAX];
    int64_t whole;
    double score = 0;

    if (listpack_get_int(at, &whole))
        return (double)whole;
    bool is_number = double_parse(listpack_get(at, text), &score);
    ASSERT(is_number);
    return score;
}

static struct bytes write_score(double score, char text[DOUBLE_TEXT_MAX])
{
    return (struct bytes){text, double_format(text, score == 0 ? 0 : score)};
}

double zset_packed_score(const struct listpack *lp, listpack_pos at)
{
    return read_score(listpack_next(lp, at));
}

struct zset_item zset_packed_item(const struct listpack *lp, listpack_pos at, char *text)
{
    return (struct zset_item){listpack_get(at, text), zset_packed_score(lp, at)};
}

/* --- places ------------------------------------------------------------------------------------- */

listpack_pos zset_packed_find(const struct listpack *lp, struct bytes member)
{
    return listpack_find(lp, listpack_first(lp), member, 1);
}

listpack_pos zset_packed_at(const struct listpack *lp, size_t rank)
{
    if (rank >= zset_packed_size(lp))
        return NULL;
    return listpack_at(lp, (int64_t)(2 * rank));
}

size_t zset_packed_rank(const struct listpack *lp, listpack_pos at)
{
    size_t rank = 0;

    for (listpack_pos other = listpack_first(lp); other != at; rank++)
        other = zset_packed_next(lp, other, false);
    return rank;
}

listpack_pos zset_packed_next(const struct listpack *lp, listpack_pos at, bool is_reverse)
{
    if (!is_reverse)
        return listpack_next(lp, listpack_next(lp, at));
    at = listpack_prev(lp, at);
    return at ? listpack_prev(lp, at) : NULL;
}

/* Whether the member at 'at' comes before the one that is given. */
static bool is_before(const struct listpack *lp, listpack_pos at, double score, struct bytes member)
{
    double own = zset_packed_score(lp, at);
    char text[LISTPACK_TEXT_MAX];

    if (own != score)
        return own < score;
    return bytes_compare(listpack_get(at, text), member) < 0;
}

/* NULL: behind all, which is looked at first. */
static listpack_pos place_for(const struct listpack *lp, double score, struct bytes member)
{
    listpack_pos at = listpack_last(lp);

    if (!at || is_before(lp, listpack_prev(lp, at), score, member))
        return NULL;
    at = listpack_first(lp);
    while (is_before(lp, at, score, member))
        at = zset_packed_next(lp, at, false);
    return at;
}

struct zset_span zset_packed_span(const struct listpack *lp,
                                  bool (*is_below)(const struct zset_item *item, const void *range),
                                  bool (*is_above)(const struct zset_item *item, const void *range),
                                  const void *range)
{
    struct zset_span span = {0, 0};
    char text[LISTPACK_TEXT_MAX];

    for (listpack_pos at = listpack_first(lp); at; at = zset_packed_next(lp, at, false)) {
        struct zset_item item = zset_packed_item(lp, at, text);

        if (span.count == 0 && is_below(&item, range))
            span.first++;
        else if (is_above(&item, range))
            break;
        else
            span.count++;
    }
    return span;
}

/* --- changes ------------------------------------------------------------------------------------ */

struct listpack *zset_packed_insert(struct listpack *lp, double score, struct bytes member)
{
    char text[DOUBLE_TEXT_MAX];
    listpack_pos at = place_for(lp, score, member);

    if (!at)
        return listpack_append(listpack_append(lp, member), write_score(score, text));
    lp = listpack_insert(lp, at, member, &at);
    return listpack_insert(lp, listpack_next(lp, at), write_score(score, text), NULL);
}

struct listpack *zset_packed_remove(struct listpack *lp, listpack_pos at, size_t count)
{
    return listpack_remove(lp, at, 2 * count, NULL);
}

static bool is_score(listpack_pos at)
{
    char text[LISTPACK_TEXT_MAX];
    double score;
    int64_t whole;

    return at && (listpack_get_int(at, &whole) || double_parse(listpack_get(at, text), &score));
}

bool zset_packed_is_valid(const struct listpack *lp)
{
    listpack_pos at = listpack_first(lp), next;
    char text[LISTPACK_TEXT_MAX];

    for (; at; at = next) {
        if (!is_score(listpack_next(lp, at)))
            return false;
        next = zset_packed_next(lp, at, false);
        if (next && (!is_score(listpack_next(lp, next)) ||
                     !is_before(lp, at, zset_packed_score(lp, next), listpack_get(next, text))))
            return false;
    }
    return listpack_is_distinct(lp, 1);
}

void zset_packed_check(const struct listpack *lp)
{
    char text[LISTPACK_TEXT_MAX];

    ASSERT(listpack_is_valid((struct bytes){(const char *)lp, listpack_bytes(lp)}));
    ASSERT(listpack_count(lp) % 2 == 0);
    for (listpack_pos at = listpack_first(lp), next; at; at = next) {
        struct zset_item item = zset_packed_item(lp, at, text);

        ASSERT(zset_packed_find(lp, item.member) == at);
        next = zset_packed_next(lp, at, false);
        ASSERT(!next || !is_before(lp, next, item.score, item.member));
    }
}
