/* The sorted set against a sorted array: every operation, in both encodings and through the change. */
#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "types/zset.h"

#include <math.h>

enum { MODEL_MAX = 2048, TEXT_MAX = 320 };

struct row {
    double score;
    struct bytes member;
    char text[TEXT_MAX];
};

struct model {
    struct zset *set;
    struct row *sorted[MODEL_MAX];
    size_t count;
    struct random random;
    uint64_t members;
    bool has_long_ones;
};

static int compare(const struct row *row, double score, struct bytes member)
{
    if (row->score != score)
        return row->score < score ? -1 : 1;
    return bytes_compare(row->member, member);
}

static size_t place_of(const struct model *model, double score, struct bytes member)
{
    size_t at = 0;

    while (at < model->count && compare(model->sorted[at], score, member) < 0)
        at++;
    return at;
}

/* model->count when absent */
static size_t rank_of(const struct model *model, struct bytes member)
{
    size_t at = 0;

    while (at < model->count && !bytes_equal(model->sorted[at]->member, member))
        at++;
    return at;
}

static struct row *take_out(struct model *model, size_t at)
{
    struct row *row = model->sorted[at];

    model->count--;
    memmove(model->sorted + at, model->sorted + at + 1, (model->count - at) * sizeof *model->sorted);
    return row;
}

static void put_in(struct model *model, struct row *row)
{
    size_t at = place_of(model, row->score, row->member);

    memmove(model->sorted + at + 1, model->sorted + at, (model->count - at) * sizeof *model->sorted);
    model->sorted[at] = row;
    model->count++;
}

static struct bytes random_member(struct model *model, char text[TEXT_MAX])
{
    uint64_t number = random_below(&model->random, model->members);
    size_t len = (size_t)snprintf(text, TEXT_MAX, number % 3 ? "m%llu" : "%llu", (unsigned long long)number);

    if (model->has_long_ones && number % 40 == 7) {
        memset(text + len, 'x', 20 + number % 280);
        len += 20 + number % 280;
    }
    if (number == 9)
        len = 0;
    return (struct bytes){text, len};
}

static double random_score(struct model *model)
{
    static const double odd[] = {INFINITY, -INFINITY, 0.0, -0.0, 1e300, -1e-300, 0.1, 1e17, 4611686018427387904.0};

    switch (random_below(&model->random, 4)) {
    case 0:
        return odd[random_below(&model->random, sizeof odd / sizeof *odd)];
    case 1:
        return (double)random_below(&model->random, 1000) / 8 - 50;
    default:
        return (double)random_below(&model->random, 20) - 5;
    }
}

/* What Redis says of ZADD's options, written down once more. */
static enum zset_outcome expected_outcome(const struct model *model, size_t rank, double *score, unsigned flags)
{
    if (rank == model->count)
        return flags & ZSET_IF_PRESENT ? ZSET_REFUSED : ZSET_ADDED;
    double old = model->sorted[rank]->score;
    if (flags & ZSET_IF_ABSENT)
        return ZSET_REFUSED;
    if (flags & ZSET_INCREMENT)
        *score = old + *score;
    if (isnan(*score))
        return ZSET_NAN;
    if ((flags & ZSET_IF_GREATER && !(*score > old)) || (flags & ZSET_IF_LESS && !(*score < old)))
        return ZSET_REFUSED;
    return *score == old ? ZSET_SAME : ZSET_CHANGED;
}

static void step_add(struct model *model)
{
    static const unsigned conditions[] = {0, 0, 0, 0, ZSET_IF_ABSENT, ZSET_IF_PRESENT, ZSET_IF_GREATER, ZSET_IF_LESS};
    char text[TEXT_MAX];
    struct bytes member = random_member(model, text);
    double score = random_score(model), expected = score, result = NAN, read;
    unsigned flags = conditions[random_below(&model->random, 8)];
    size_t rank = rank_of(model, member);

    if (random_below(&model->random, 4) == 0)
        flags |= ZSET_INCREMENT;
    if (model->count == MODEL_MAX)
        return;
    enum zset_outcome outcome = expected_outcome(model, rank, &expected, flags);
    assert_int_equal(zset_add(model->set, score, hashed(member), flags, &result), outcome);
    if (outcome == ZSET_ADDED) {
        struct row *row = malloc(sizeof *row);
        memcpy(row->text, text, sizeof text);
        row->member = (struct bytes){row->text, member.len};
        row->score = expected;
        put_in(model, row);
    } else if (outcome == ZSET_CHANGED) {
        struct row *row = take_out(model, rank);
        row->score = expected;
        put_in(model, row);
    }
    if (outcome <= ZSET_SAME)
        assert_true(result == expected);
    rank = rank_of(model, member);
    assert_int_equal(zset_score(model->set, hashed(member), &read), rank < model->count);
    if (rank < model->count)
        assert_true(read == model->sorted[rank]->score);
}

static void step_remove(struct model *model)
{
    char text[TEXT_MAX];
    struct bytes member = random_member(model, text);

    if (model->count > 0 && random_below(&model->random, 2)) {
        const struct row *row = model->sorted[random_below(&model->random, model->count)];
        memcpy(text, row->text, sizeof text);
        member.len = row->member.len;
    }
    size_t rank = rank_of(model, member);
    assert_int_equal(zset_remove(model->set, hashed(member)), rank < model->count);
    if (rank < model->count)
        free(take_out(model, rank));
}

static void step_remove_span(struct model *model, size_t most)
{
    size_t first = random_below(&model->random, model->count + 1);
    size_t count = random_below(&model->random, model->count - first + 1);

    count = count > most ? most : count;
    if (random_below(&model->random, 2))
        first = random_below(&model->random, 2) ? 0 : model->count - count;
    zset_remove_span(model->set, (struct zset_span){first, count});
    for (size_t i = 0; i < count; i++)
        free(take_out(model, first));
}

static void step_rank(struct model *model)
{
    char text[TEXT_MAX];
    struct bytes member = random_member(model, text);
    size_t expected = rank_of(model, member), rank;
    double score;

    assert_int_equal(zset_rank(model->set, hashed(member), &rank, &score), expected < model->count);
    if (expected < model->count) {
        assert_int_equal(rank, expected);
        assert_true(score == model->sorted[expected]->score);
    }
}

static void step_scores(struct model *model)
{
    struct score_range range = {random_score(model), random_score(model), random_below(&model->random, 2),
                                random_below(&model->random, 2)};
    struct zset_span span = zset_span_of_scores(model->set, &range), expected = {0, 0};

    for (size_t i = 0; i < model->count; i++) {
        double score = model->sorted[i]->score;
        if (range.is_min_exclusive ? score <= range.min : score < range.min)
            expected.first = i + 1;
        else if (range.is_max_exclusive ? score < range.max : score <= range.max)
            expected.count++;
    }
    assert_int_equal(span.count, expected.count);
    if (span.count)
        assert_int_equal(span.first, expected.first);
}

static void step_walk(struct model *model)
{
    size_t rank = random_below(&model->random, model->count + 1);
    bool is_reverse = random_below(&model->random, 2);
    struct zset_iter iter;
    struct zset_item item;

    zset_iter_init(&iter, model->set, rank, is_reverse);
    for (size_t n = 0, at = rank; n < 100; n++, at += is_reverse ? -1 : 1) {
        assert_int_equal(zset_iter_next(&iter, &item), at < model->count);
        if (at >= model->count)
            break;
        assert_true(bytes_equal(item.member, model->sorted[at]->member));
        assert_true(item.score == model->sorted[at]->score);
    }
}

static void step_random(struct model *model)
{
    char text[LISTPACK_TEXT_MAX];

    if (model->count == 0)
        return;
    struct zset_item item = zset_random(model->set, &model->random, text);
    size_t rank = rank_of(model, item.member);
    assert_true(rank < model->count);
    assert_true(item.score == model->sorted[rank]->score);
}

static void check_all(const struct model *model, const struct zset *set)
{
    struct zset_iter iter;
    struct zset_item item;

    zset_check(set);
    assert_int_equal(zset_size(set), model->count);
    zset_iter_init(&iter, set, 0, false);
    for (size_t i = 0; i < model->count; i++) {
        assert_true(zset_iter_next(&iter, &item));
        assert_true(bytes_equal(item.member, model->sorted[i]->member));
        assert_true(item.score == model->sorted[i]->score);
    }
    assert_false(zset_iter_next(&iter, &item));
}

static void step_copy(struct model *model)
{
    struct zset *copy = zset_copy(model->set);

    check_all(model, copy);
    assert_string_equal(zset_encoding(copy), zset_encoding(model->set));
    zset_free(model->set);
    model->set = copy;
}

static void run(struct model *model, int steps, uint64_t grow)
{
    for (int step = 0; step < steps; step++) {
        uint64_t choice = random_below(&model->random, 1000);
        if (choice < grow)
            step_add(model);
        else if (choice < 550)
            step_remove(model);
        else if (choice < 555)
            step_remove_span(model, grow < 300 ? 100 : 2);
        else if (choice < 700)
            step_rank(model);
        else if (choice < 800)
            step_scores(model);
        else if (choice < 900)
            step_walk(model);
        else if (choice < 999)
            step_random(model);
        else
            step_copy(model);
        assert_int_equal(zset_size(model->set), model->count);
        if (model->count < 100 || step % 256 == 0)
            zset_check(model->set);
    }
    check_all(model, model->set);
}

static void model_release(struct model *model)
{
    while (model->count)
        free(take_out(model, model->count - 1));
    zset_free(model->set);
}

static void random_runs_agree_with_a_sorted_array(void **state)
{
    static const uint64_t members[] = {20, 120, 400, 3000};
    size_t used = mem_used();

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        for (int has_long_ones = 0; has_long_ones < 2; has_long_ones++) {
            static struct model model;
            model = (struct model){.set = zset_new(0, 0), .members = members[i], .has_long_ones = has_long_ones};
            random_init(&model.random, i);
            for (int wave = 0; wave < 3; wave++) {
                run(&model, RANDOM_STEPS(20000), 500);
                run(&model, RANDOM_STEPS(20000), 150);
            }
            model_release(&model);
        }
    assert_true(mem_used() == used);
}

static void changing_limits_agree_with_a_sorted_array(void **state)
{
    static struct model model;

    model = (struct model){.members = 200, .has_long_ones = true};
    random_init(&model.random, 99);
    for (int i = 0; i < RANDOM_STEPS(400); i++) {
        zset_set_listpack_limits(random_below(&model.random, 40), random_below(&model.random, 100));
        if (!model.set)
            model.set = zset_new(0, 0);
        run(&model, 100, i % 2 ? 500 : 300);
        if (i % 10 == 9) {
            model_release(&model);
            model.set = NULL;
        }
    }
    if (model.set)
        model_release(&model);
    zset_set_listpack_limits(128, 64);
}

/* --- one property at a time --- */

static struct lex_bound lex(const char *text)
{
    if (text[0] == '-' || text[0] == '+')
        return (struct lex_bound){text[0] == '-' ? LEX_LOWEST : LEX_HIGHEST, BYTES(""), false};
    return (struct lex_bound){LEX_MEMBER, bytes_from_string(text + 1), text[0] == '('};
}

static void expect_lex(const struct zset *set, const char *min, const char *max, size_t first, size_t count)
{
    struct lex_range range = {lex(min), lex(max)};
    struct zset_span span = zset_span_of_lex(set, &range);

    assert_int_equal(span.count, count);
    if (count)
        assert_int_equal(span.first, first);
}

static void members_of_one_score_are_found_by_their_bytes(void **state)
{
    for (size_t expected = 0; expected <= 1000; expected += 1000) {
        struct zset *set = zset_new(expected, 0);
        for (char letter = 'a'; letter <= 'z'; letter++)
            zset_add(set, 0, hashed((struct bytes){&letter, 1}), 0, NULL);
        assert_string_equal(zset_encoding(set), expected ? "skiplist" : "listpack");
        expect_lex(set, "-", "+", 0, 26);
        expect_lex(set, "+", "-", 0, 0);
        expect_lex(set, "[c", "[e", 2, 3);
        expect_lex(set, "(c", "(e", 3, 1);
        expect_lex(set, "(c", "(d", 3, 0);
        expect_lex(set, "[e", "[c", 0, 0);
        expect_lex(set, "-", "(aa", 0, 1);
        expect_lex(set, "[zz", "+", 0, 0);
        expect_lex(set, "(yy", "+", 25, 1);
        zset_free(set);
    }
}

static void add_number(struct zset *set, size_t number, double score)
{
    char text[32];

    zset_add(set, score, hashed((struct bytes){text, (size_t)snprintf(text, sizeof text, "member:%010zu", number)}), 0,
             NULL);
}

static void the_encoding_changes_where_it_does_in_redis(void **state)
{
    static char large[65];
    struct zset *set = zset_new(128, 64);

    for (size_t i = 0; i < 128; i++)
        add_number(set, i, 0);
    zset_expect(set, 128);
    assert_string_equal(zset_encoding(set), "listpack");
    add_number(set, 128, 0);
    assert_string_equal(zset_encoding(set), "skiplist");
    while (zset_size(set) > 0)
        zset_remove_span(set, (struct zset_span){0, 1});
    assert_string_equal(zset_encoding(set), "skiplist");
    zset_free(set);

    set = zset_new(1, 1);
    zset_add(set, 1, hashed((struct bytes){large, 64}), 0, NULL);
    zset_add(set, 1, hashed((struct bytes){large, 65}), ZSET_IF_PRESENT, NULL);
    assert_string_equal(zset_encoding(set), "listpack");
    zset_expect(set, 129);
    assert_string_equal(zset_encoding(set), "skiplist");
    zset_free(set);

    set = zset_new(129, 1);
    assert_string_equal(zset_encoding(set), "skiplist");
    zset_free(set);
    set = zset_new(1, 65);
    assert_string_equal(zset_encoding(set), "skiplist");
    zset_free(set);
}

static void minus_zero_is_zero_in_a_small_set(void **state)
{
    struct zset *set = zset_new(0, 0);
    double score;

    zset_add(set, -0.0, hashed(BYTES("a")), 0, &score);
    assert_true(zset_score(set, hashed(BYTES("a")), &score));
    assert_false(signbit(score));
    zset_add(set, INFINITY, hashed(BYTES("a")), 0, NULL);
    assert_int_equal(zset_add(set, -INFINITY, hashed(BYTES("a")), ZSET_INCREMENT, &score), ZSET_NAN);
    zset_free(set);
}

static void a_million_members_cost_65_bytes_each_and_some_more_in_any_order(void **state)
{
    size_t count = RANDOM_STEPS(1000000), used = mem_used();

    for (int is_random = 0; is_random < 2; is_random++) {
        struct zset *set = zset_new(0, 0);
        struct random random;
        random_init(&random, 3);
        for (size_t i = 0; i < count; i++)
            add_number(set, i, is_random ? (double)(random_next(&random) >> 20) : (double)i * 1.5);
        size_t memory = mem_used() - used;
#ifndef TERN_STRESS
        assert_true(memory <= count * (is_random ? 68 : 65));
#endif
        assert_true(zset_value_ops.memory(set, 0) >= memory - memory / 20);
        assert_true(zset_value_ops.memory(set, 0) <= memory + memory / 20);
        zset_check(set);
        zset_free(set);
    }
    assert_true(mem_used() == used);
}

static void freeing_goes_in_steps(void **state)
{
    size_t used = mem_used();
    struct zset *set = zset_new(0, 0);
    int steps = 1;

    for (size_t i = 0; i < RANDOM_STEPS(20000); i++)
        add_number(set, i, 1);
    assert_true(zset_value_ops.free_effort(set) >= RANDOM_STEPS(20000));
    while (!zset_free_step(set, 64))
        steps++;
    assert_true(steps >= RANDOM_STEPS(20000) / 150);
    assert_true(mem_used() == used);
}

struct seen {
    unsigned char *times;
    size_t calls;
};

static void see(void *context, const struct zset_item *item)
{
    struct seen *seen = context;
    size_t number = 0;

    for (size_t i = strlen("member:"); i < item->member.len; i++)
        number = number * 10 + (size_t)(item->member.data[i] - '0');
    seen->times[number] = 1;
    seen->calls++;
}

static void a_scan_sees_what_stays(void **state)
{
    enum { COUNT = 3000 };
    static unsigned char times[2 * COUNT];
    struct seen seen = {times, 0};
    struct zset *set = zset_new(0, 0);
    uint64_t cursor = 0;
    size_t i = 0;

    for (size_t n = 0; n < COUNT; n++)
        add_number(set, n, (double)(n % 7));
    do {
        cursor = zset_scan(set, cursor, see, &seen);
        if (i < COUNT / 2) { /* odd ones go, others come */
            char text[32];
            size_t len = (size_t)snprintf(text, sizeof text, "member:%010zu", 2 * i + 1);
            zset_remove(set, hashed((struct bytes){text, len}));
            add_number(set, COUNT + i, 1);
            i++;
        }
    } while (cursor);
    for (size_t n = 0; n < COUNT; n += 2)
        assert_int_equal(times[n], 1);
    zset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_runs_agree_with_a_sorted_array), /* with the build's own limits: first */
        cmocka_unit_test(changing_limits_agree_with_a_sorted_array),
        cmocka_unit_test(members_of_one_score_are_found_by_their_bytes),
        cmocka_unit_test(the_encoding_changes_where_it_does_in_redis),
        cmocka_unit_test(minus_zero_is_zero_in_a_small_set),
        cmocka_unit_test(a_million_members_cost_65_bytes_each_and_some_more_in_any_order),
        cmocka_unit_test(freeing_goes_in_steps),
        cmocka_unit_test(a_scan_sees_what_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
