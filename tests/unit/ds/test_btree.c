/* The counted tree against a sorted array. */
#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "ds/btree.h"

#include <math.h>

enum {
    MODEL_MAX = 4096,
    NEAR = 70, /* a node has fewer places */
};

struct model {
    struct btree tree;
    struct btree_member *sorted[MODEL_MAX];
    size_t count;
    struct random random;
    uint64_t scores;  /* how many different ones there are */
    uint64_t members; /* likewise */
};

static int compare(const struct btree_member *a, double score, struct bytes bytes)
{
    if (a->score != score)
        return a->score < score ? -1 : 1;
    return bytes_compare(btree_member_bytes(a), bytes);
}

/* Where it is or would be. */
static size_t place_of(const struct model *model, double score, struct bytes bytes)
{
    size_t at = 0;

    while (at < model->count && compare(model->sorted[at], score, bytes) < 0)
        at++;
    return at;
}

static void sorted_put(struct model *model, size_t at, struct btree_member *member)
{
    memmove(model->sorted + at + 1, model->sorted + at, (model->count - at) * sizeof *model->sorted);
    model->sorted[at] = member;
    model->count++;
}

static void sorted_take(struct model *model, size_t at, size_t count)
{
    model->count -= count;
    memmove(model->sorted + at, model->sorted + at + count, (model->count - at) * sizeof *model->sorted);
}

/* Mostly within the range, at times at an edge of what a score may be. */
static double random_score(struct model *model)
{
    static const double edges[] = {-INFINITY, -0.0, 0.0, 0x1p-1074, INFINITY};

    if (random_below(&model->random, 16) == 0)
        return edges[random_below(&model->random, sizeof edges / sizeof *edges)];
    return (double)random_below(&model->random, model->scores) - (double)model->scores / 2;
}

/* Mostly short ones; some with zero bytes, some longer than a length byte tells. */
static struct bytes random_bytes(struct model *model, char text[600])
{
    uint64_t number = random_below(&model->random, model->members);
    size_t len = (size_t)snprintf(text, 600, "%llu", (unsigned long long)number);

    if (number % 50 == 3) {
        memset(text + len, 'x', 250 + number % 300);
        len += 250 + number % 300;
    }
    if (number % 50 == 4)
        text[len++] = '\0';
    return (struct bytes){text, len};
}

static void step_insert(struct model *model)
{
    char text[600];
    struct bytes bytes = random_bytes(model, text);
    double score = random_score(model);
    size_t at = place_of(model, score, bytes);

    if (model->count == MODEL_MAX ||
        (at < model->count && compare(model->sorted[at], score, bytes) == 0))
        return;
    struct btree_member *member = btree_member_new(score, bytes);
    assert_true(bytes_equal(btree_member_bytes(member), bytes));
    if (random_below(&model->random, 2)) {
        struct btree_place place;

        btree_seek(&model->tree, score, &place);
        btree_insert_at(&model->tree, member, &place);
    } else {
        btree_insert(&model->tree, member);
    }
    sorted_put(model, at, member);
    assert_int_equal(btree_rank(&model->tree, member), at);
}

static void step_remove(struct model *model)
{
    if (model->count == 0)
        return;
    size_t at = random_below(&model->random, model->count);
    btree_remove(&model->tree, model->sorted[at]);
    btree_member_free(model->sorted[at]);
    sorted_take(model, at, 1);
}

/* What its new score is: any, a little more, that of a member some places away (in its leaf, or at the border of the next), or
 * just beside that. */
static double changed_score(struct model *model, size_t at)
{
    size_t other = at + random_below(&model->random, 2 * NEAR);
    double score;

    other = other < NEAR ? 0 : other - NEAR;
    score = model->sorted[other < model->count ? other : model->count - 1]->score;
    switch (random_below(&model->random, 5)) {
    case 0:
        return score;
    case 1:
        return nextafter(score, random_below(&model->random, 2) ? INFINITY : -INFINITY);
    case 2:
        return model->sorted[at]->score + 1;
    default:
        return random_score(model);
    }
}

static void step_change(struct model *model)
{
    if (model->count == 0)
        return;
    size_t at = random_below(&model->random, model->count);
    struct btree_member *member = model->sorted[at];
    double score = changed_score(model, at);
    struct bytes bytes = btree_member_bytes(member);
    size_t to = place_of(model, score, bytes);

    if (to < model->count && to != at && compare(model->sorted[to], score, bytes) == 0)
        return;
    sorted_take(model, at, 1);
    sorted_put(model, place_of(model, score, bytes), member);
    struct btree_place place;
    btree_seek(&model->tree, score, &place);
    btree_change_score(&model->tree, member, score, &place);
    assert_true(member->score == score);
}

struct taken {
    struct model *model;
    size_t next;
};

static void take(void *context, struct btree_member *member)
{
    struct taken *taken = context;

    assert_ptr_equal(member, taken->model->sorted[taken->next++]);
    btree_member_free(member);
}

static void step_remove_range(struct model *model, size_t most)
{
    size_t first = random_below(&model->random, model->count + 1);
    size_t count = random_below(&model->random, model->count - first + 1);

    count = count > most ? most : count;
    if (random_below(&model->random, 3) == 0) /* pops */
        first = random_below(&model->random, 2) ? 0 : model->count - count;
    struct taken taken = {model, first};
    btree_remove_range(&model->tree, first, count, take, &taken);
    assert_int_equal(taken.next, first + count);
    sorted_take(model, first, count);
}

static bool is_below(double score, const struct btree_member *member, const void *bound)
{
    assert_true(member->score == score);
    return score < *(const double *)bound;
}

static void step_look(struct model *model)
{
    double bound = random_score(model);
    struct btree_iter iter;

    assert_int_equal(btree_count_before(&model->tree, is_below, &bound),
                     place_of(model, bound, BYTES("")));
    size_t rank = random_below(&model->random, model->count + 1);
    bool is_reverse = random_below(&model->random, 2);
    btree_iter_init(&iter, &model->tree, rank, is_reverse);
    for (size_t n = 0, at = rank; n < 300; n++, at += is_reverse ? -1 : 1) {
        struct btree_member *expected = at < model->count ? model->sorted[at] : NULL;
        assert_ptr_equal(btree_iter_next(&iter), expected);
        if (!expected)
            break;
    }
}

/* Those in the first and the last leaf, and none behind it. */
static void check_edge(const struct model *model, bool from_end)
{
    size_t at = 0;

    for (; at < model->count; at++) {
        const struct btree_member *member = btree_near_edge(&model->tree, at, from_end);

        if (!member)
            break;
        assert_ptr_equal(member, model->sorted[from_end ? model->count - 1 - at : at]);
    }
    assert_int_equal(at > 0, model->count > 0);
    assert_null(btree_near_edge(&model->tree, model->count, from_end));
}

static void check_all(const struct model *model)
{
    struct btree_iter iter;

    check_edge(model, false);
    check_edge(model, true);

    btree_check(&model->tree);
    assert_int_equal(model->tree.size, model->count);
    btree_iter_init(&iter, &model->tree, 0, false);
    for (size_t i = 0; i < model->count; i++) {
        assert_ptr_equal(btree_iter_next(&iter), model->sorted[i]);
        assert_int_equal(btree_rank(&model->tree, model->sorted[i]), i);
    }
    assert_null(btree_iter_next(&iter));
}

static void run(struct model *model, int steps, uint64_t grow)
{
    for (int step = 0; step < steps; step++) {
        uint64_t choice = random_below(&model->random, 100);
        if (choice < grow)
            step_insert(model);
        else if (choice < 60)
            step_remove(model);
        else if (choice < 61 && grow < 30)
            step_remove_range(model, 200);
        else if (choice < 62)
            step_remove_range(model, 3);
        else if (choice < 80)
            step_change(model);
        else
            step_look(model);
        if (model->count < 300 || step % 32 == 0)
            btree_check(&model->tree);
        if (step % 1024 == 0)
            check_all(model);
    }
    check_all(model);
}

static void free_tree(struct btree *tree)
{
    while (!btree_free_step(tree, 100))
        ;
}

static void random_runs_agree_with_a_sorted_array(void **state)
{
    static const uint64_t scores[] = {1, 3, 50, 1000, 1000000};
    size_t used = mem_used();

    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        static struct model model;
        model = (struct model){.scores = scores[i], .members = i % 2 ? 2000 : 1000000};
        random_init(&model.random, i);
        for (int wave = 0; wave < 3; wave++) {
            run(&model, RANDOM_STEPS(32000), 52);
            run(&model, RANDOM_STEPS(32000), 18);
        }
        run(&model, RANDOM_STEPS(10000), 52);
        free_tree(&model.tree);
    }
    assert_true(mem_used() == used);
}

/* --- size ------------------------------------------------------------------------------------- */

static struct btree tree_of(size_t count, double (*score_of)(size_t i, void *context), void *context)
{
    struct btree tree = {0};
    char text[32];

    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "member:%010zu", i);
        btree_insert(&tree, btree_member_new(score_of(i, context), bytes_from_string(text)));
    }
    return tree;
}

static double ascending(size_t i, void *context) { return (double)i * 1.5; }
static double descending(size_t i, void *context) { return -(double)i; }
static double at_random(size_t i, void *context) { return (double)(random_next(context) >> 11); }

static double bytes_each(double (*score_of)(size_t i, void *context))
{
    size_t count = RANDOM_STEPS(300000);
    struct random random;

    random_init(&random, 5);
    struct btree tree = tree_of(count, score_of, &random);
    btree_check(&tree);
    double each = (double)btree_memory(&tree) / (double)count;
    free_tree(&tree);
    return each;
}

static void nodes_are_nearly_full_after_insertions_in_order(void **state)
{
#ifndef TERN_STRESS
    assert_true(bytes_each(ascending) < 17.2);
    assert_true(bytes_each(descending) < 17.2);
#endif
    bytes_each(ascending);
}

static void nodes_are_four_fifths_full_after_insertions_in_any_order(void **state)
{
#ifndef TERN_STRESS
    assert_true(bytes_each(at_random) < 21);
#endif
    bytes_each(at_random);
}

static void ignore(void *context, struct btree_member *member) { btree_member_free(member); }

static void what_is_popped_gives_its_memory_back(void **state)
{
    struct random random;
    struct btree tree;

    random_init(&random, 7);
    tree = tree_of(20000, at_random, &random);
    while (tree.size > 1000)
        btree_remove_range(&tree, 0, 1, ignore, NULL);
    btree_check(&tree);
    assert_true(btree_memory(&tree) < 1000 * 60);
    while (tree.size > 10) {
        struct btree_iter iter;
        btree_iter_init(&iter, &tree, random_below(&random, tree.size), false);
        struct btree_member *member = btree_iter_next(&iter);
        btree_remove(&tree, member);
        btree_member_free(member);
        btree_check(&tree);
    }
#ifndef TERN_STRESS
    assert_true(btree_memory(&tree) <= 10 * 60);
#endif
    btree_remove_range(&tree, 0, 10, ignore, NULL);
    assert_null(tree.root);
}

static void a_tree_of_few_is_small(void **state)
{
    struct btree tree = tree_of(5, ascending, NULL);

#ifndef TERN_STRESS
    assert_true(btree_memory(&tree) <= 128);
#endif
    btree_check(&tree);
    free_tree(&tree);
}

static void freeing_goes_in_steps(void **state)
{
    size_t used = mem_used();
    struct btree tree = tree_of(RANDOM_STEPS(50000), ascending, NULL);
    int steps = 1;

    while (!btree_free_step(&tree, 64))
        steps++;
    assert_true(steps >= RANDOM_STEPS(50000) / 150);
    assert_true(mem_used() == used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_runs_agree_with_a_sorted_array),
        cmocka_unit_test(nodes_are_nearly_full_after_insertions_in_order),
        cmocka_unit_test(nodes_are_four_fifths_full_after_insertions_in_any_order),
        cmocka_unit_test(what_is_popped_gives_its_memory_back),
        cmocka_unit_test(a_tree_of_few_is_small),
        cmocka_unit_test(freeing_goes_in_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
