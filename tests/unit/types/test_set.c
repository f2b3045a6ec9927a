/* The set against flags, in every form it takes; its random members against counting. */
#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "ds/map.h"
#include "types/set.h"

enum { IDS = 1500, TEXT_MAX = 600 };

static const struct set_limits usual_limits = {512, 128, 64};

/* Kinds of members. */
enum kinds { SMALL_INTS, ALL_INTS, SHORT_TEXTS, MIXED, KINDS };

/* The member with this id, and not that of another. */
static struct bytes member_of(enum kinds kinds, size_t id, char *out)
{
    long long number = (long long)id - IDS / 2;
    int len;

    if (kinds == MIXED)
        kinds = id % 5 ? (enum kinds)(id % 3) : MIXED;
    if (kinds == SMALL_INTS)
        len = snprintf(out, TEXT_MAX, "%lld", number);
    else if (kinds == ALL_INTS)
        len = snprintf(out, TEXT_MAX, "%lld", number * (id % 2 ? 100000 : 6000000000000000));
    else if (kinds == SHORT_TEXTS)
        len = id ? snprintf(out, TEXT_MAX, "m%zu", id) : 0;
    else
        len = snprintf(out, TEXT_MAX, "%0*zu", 60 + (int)id % 500, id); /* longer than a byte tells */
    return (struct bytes){out, (size_t)len};
}

static struct map id_by_member[KINDS]; /* from members back */

static int index_members(void **state)
{
    static size_t numbers[IDS];
    char text[TEXT_MAX];

    for (enum kinds kinds = 0; kinds < KINDS; kinds++) {
        map_init(&id_by_member[kinds]);
        for (size_t id = 0; id < IDS; id++) {
            numbers[id] = id;
            map_add(&id_by_member[kinds], member_of(kinds, id, text), NULL)->value = &numbers[id];
        }
        assert_int_equal(map_size(&id_by_member[kinds]), IDS);
    }
    return 0;
}

static int release_members(void **state)
{
    for (enum kinds kinds = 0; kinds < KINDS; kinds++)
        map_release(&id_by_member[kinds]);
    return 0;
}

static size_t id_of(enum kinds kinds, const struct set_member *member)
{
    char text[SET_TEXT_MAX];
    struct map_node *node = map_find(&id_by_member[kinds], set_member_bytes(member, text));

    if (!node)
        fail_msg("a member that nobody added");
    return *(size_t *)node->value;
}

struct model {
    struct set *set;
    struct random random;
    enum kinds kinds;
    bool has[IDS];
    size_t size;
    bool seen[IDS]; /* by the visitor */
    size_t visits;
};

static void model_init(struct model *model, enum kinds kinds, uint64_t seed)
{
    *model = (struct model){.set = set_new(), .kinds = kinds};
    random_init(&model->random, seed);
}

static void model_release(struct model *model)
{
    while (!set_free_step(model->set, 1 + random_below(&model->random, 20)))
        ;
}

static void visit(void *context, const struct set_member *member)
{
    struct model *model = context;
    size_t id = id_of(model->kinds, member);

    assert_false(model->seen[id]);
    model->seen[id] = true;
    model->visits++;
}

static void begin_visits(struct model *model)
{
    memset(model->seen, 0, sizeof model->seen);
    model->visits = 0;
}

static void check_members(struct model *model)
{
    struct set_member member;
    struct set_iter iter;

    begin_visits(model);
    set_iter_init(&iter, model->set);
    while (set_iter_next(&iter, &member))
        visit(model, &member);
    assert_memory_equal(model->seen, model->has, sizeof model->has);
}

static void check_model(struct model *model)
{
    set_check(model->set);
    assert_int_equal(set_size(model->set), model->size);
}

/* ---- random runs ---- */

static void step_change(struct model *model, bool is_adding)
{
    size_t id = random_below(&model->random, IDS);
    char text[TEXT_MAX];
    struct bytes member = member_of(model->kinds, id, text);

    assert_int_equal(set_has(model->set, hashed(member)), model->has[id]);
    if (is_adding) {
        assert_int_equal(set_add(model->set, hashed(member)), !model->has[id]);
        model->size += !model->has[id];
    } else {
        assert_int_equal(set_remove(model->set, hashed(member)), model->has[id]);
        model->size -= model->has[id];
    }
    model->has[id] = is_adding;
}

static void step_take(struct model *model)
{
    size_t count = random_below(&model->random, model->size + 1);

    if (random_below(&model->random, 2))
        count = random_below(&model->random, 10) % (model->size + 1);
    begin_visits(model);
    set_take(model->set, count, &model->random, visit, model);
    assert_int_equal(model->visits, count);
    for (size_t id = 0; id < IDS; id++)
        if (model->seen[id]) {
            assert_true(model->has[id]);
            model->has[id] = false;
        }
    model->size -= count;
}

static void step_sample(struct model *model)
{
    size_t count = random_below(&model->random, model->size + 1);

    begin_visits(model);
    set_sample(model->set, count, &model->random, visit, model);
    assert_int_equal(model->visits, count);
    for (size_t id = 0; id < IDS; id++)
        assert_false(model->seen[id] && !model->has[id]);
}

static void visit_often(void *context, const struct set_member *member)
{
    struct model *model = context;

    model->seen[id_of(model->kinds, member)] = true;
}

/* Members that were there all the time are seen, whatever else comes and goes. */
static void step_scan(struct model *model)
{
    bool stays[IDS];
    uint64_t cursor = 0;

    memcpy(stays, model->has, sizeof stays);
    begin_visits(model);
    do {
        cursor = set_scan(model->set, cursor, visit_often, model);
        for (int i = 0; i < 5; i++) {
            step_change(model, i & 1);
            for (size_t id = 0; id < IDS; id++)
                stays[id] &= model->has[id];
        }
    } while (cursor);
    for (size_t id = 0; id < IDS; id++)
        assert_false(stays[id] && !model->seen[id]);
}

static void step_copy(struct model *model)
{
    struct set *copy = set_copy(model->set), *old = model->set;

    assert_string_equal(set_encoding(copy), set_encoding(old));
    assert_int_equal(set_memory(copy, 0) > 0, 1);
    model->set = copy;
    check_members(model);
    set_free(old);
}

static void run(enum kinds kinds, uint64_t seed, size_t steps)
{
    static struct model model;

    model_init(&model, kinds, seed);
    for (size_t step = 0; step < steps; step++) {
        bool is_filling = step / 1000 % 2 == 0;
        uint64_t what = random_below(&model.random, 400);

        if (what < 2)
            step_take(&model);
        else if (what < 3)
            step_sample(&model);
        else if (what < 4 && seed % 2)
            step_scan(&model);
        else if (what < 5)
            step_copy(&model);
        else
            step_change(&model, random_below(&model.random, 4) ? is_filling : !is_filling);
        if (what < 20)
            check_model(&model);
        if (what == 50)
            check_members(&model);
        if (model.size == 0) {
            set_free(model.set);
            model.set = set_new();
        }
    }
    model_release(&model);
}

static void random_runs_agree_with_the_model(void **state)
{
    for (enum kinds kinds = 0; kinds < KINDS; kinds++) {
        run(kinds, 1 + kinds, RANDOM_STEPS(8000));
        run(kinds, 10 + kinds, RANDOM_STEPS(8000));
    }
}

static void random_runs_with_other_limits_agree_too(void **state)
{
    static const struct set_limits others[] = {
        {0, 0, 0}, {2000, 2000, 1000}, {3, 10, 5}, {20, 5, 10}, {SIZE_MAX, SIZE_MAX, SIZE_MAX}};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        set_use_limits(others[i]);
        for (enum kinds kinds = 0; kinds < KINDS; kinds++)
            run(kinds, i, RANDOM_STEPS(2000));
    }
    set_use_limits(usual_limits);
}

/* ---- forms ---- */

/* "member:0007": prefix, at least so many digits. */
static void add_range(struct set *set, const char *prefix, int digits, int from, int to)
{
    char text[128];

    for (int i = from; i < to; i++)
        set_add(set, hashed((struct bytes){text, (size_t)snprintf(text, sizeof text, "%s%0*d", prefix,
                                                           digits, i)}));
}

static void forms_change_by_the_rule_of_redis(void **state)
{
    struct set *set = set_new();

    set_use_limits(usual_limits);
    add_range(set, "", 1, 0, 512);
    assert_string_equal(set_encoding(set), "intset");
    add_range(set, "", 1, 512, 513);
    assert_string_equal(set_encoding(set), "hashtable");
    add_range(set, "", 1, 0, 513);
    assert_int_equal(set_size(set), 513);
    set_free(set);

    set = set_new();
    add_range(set, "", 1, 0, 127);
    set_add(set, hashed(BYTES("a")));
    assert_string_equal(set_encoding(set), "listpack");
    set_add(set, hashed(BYTES("a")));
    assert_string_equal(set_encoding(set), "listpack");
    set_add(set, hashed(BYTES("b")));
    assert_string_equal(set_encoding(set), "hashtable");
    assert_int_equal(set_size(set), 129);
    set_free(set);

    set = set_new();
    add_range(set, "", 64, 1, 2);
    assert_string_equal(set_encoding(set), "listpack");
    add_range(set, "", 65, 1, 2);
    assert_string_equal(set_encoding(set), "hashtable");
    set_free(set);

    set = set_new_for(BYTES("1"), 512);
    assert_string_equal(set_encoding(set), "intset");
    set_expect(set, 512);
    assert_string_equal(set_encoding(set), "intset");
    set_expect(set, 513);
    assert_string_equal(set_encoding(set), "hashtable");
    set_free(set);

    set = set_new_for(BYTES("a"), 128);
    assert_string_equal(set_encoding(set), "listpack");
    set_expect(set, 129);
    assert_string_equal(set_encoding(set), "hashtable");
    set_free(set);

    set = set_new_for(BYTES("a"), 129);
    assert_string_equal(set_encoding(set), "hashtable");
    assert_int_equal(set_size(set), 0);
    set_free(set);
}

static void what_is_large_is_freed_in_steps(void **state)
{
    struct set *set = set_new();
    size_t before = mem_used(), steps = 1;

    add_range(set, "member:", 1, 0, 1000);
    assert_int_equal(set_free_effort(set), 1000);
    while (!set_free_step(set, 10))
        steps++;
    assert_in_range(steps, 100, 101);
    assert_true(mem_used() < before);
}

static void memory_is_known_from_samples(void **state)
{
    struct set *set = set_new();
    size_t all;

    add_range(set, "member:", 10, 0, 10000);
    all = set_memory(set, 0);
    assert_in_range(all, 10000 * 18, 10000 * 60);
    assert_in_range(set_memory(set, 5), all * 9 / 10, all * 11 / 10);
    set_free(set);
}

/* ---- algebra ---- */

enum { SETS = 12 };

struct algebra {
    struct model out;
    struct set *sets[SETS];
    bool has[SETS][IDS];
    const struct set *chosen[SETS];
    size_t which[SETS], count;
};

static void fill(struct algebra *algebra, size_t which, size_t size)
{
    struct random *random = &algebra->out.random;
    char text[TEXT_MAX];

    algebra->sets[which] = set_new();
    for (size_t i = 0; i < size; i++) {
        size_t id = random_below(random, random_below(random, 2) ? IDS : 100);
        set_add(algebra->sets[which], hashed(member_of(algebra->out.kinds, id, text)));
        algebra->has[which][id] = true;
    }
}

/* Some of the sets, now and then one of them twice. */
static void choose(struct algebra *algebra)
{
    struct random *random = &algebra->out.random;

    algebra->count = 1 + random_below(random, random_below(random, 2) ? 3 : SETS);
    for (size_t i = 0; i < algebra->count; i++)
        algebra->which[i] = random_below(random, SETS);
    for (size_t i = 0; i < algebra->count; i++)
        algebra->chosen[i] = algebra->sets[algebra->which[i]];
}

static size_t held_by(const struct algebra *algebra, size_t id)
{
    size_t held = 0;

    for (size_t i = 0; i < algebra->count; i++)
        held += algebra->has[algebra->which[i]][id];
    return held;
}

enum operation { INTERSECT, UNITE, SUBTRACT, OPERATIONS };

static void set_expected(struct algebra *algebra, enum operation operation)
{
    algebra->out.size = 0;
    for (size_t id = 0; id < IDS; id++) {
        size_t held = held_by(algebra, id);
        bool is_in = operation == INTERSECT ? held == algebra->count
                     : operation == UNITE   ? held > 0
                                            : held == 1 && algebra->has[algebra->which[0]][id];

        algebra->out.has[id] = is_in;
        algebra->out.size += is_in;
    }
}

static void check_operation(struct algebra *algebra, enum operation operation)
{
    static void (*const visits[])(const struct set **, size_t, set_visit *, void *) = {
        NULL, set_unite, set_subtract};
    static struct set *(*const makes[])(const struct set **, size_t) = {
        set_intersection, set_union, set_difference};

    set_expected(algebra, operation);
    begin_visits(&algebra->out);
    if (operation == INTERSECT)
        set_intersect(algebra->chosen, algebra->count, 0, visit, &algebra->out);
    else
        visits[operation](algebra->chosen, algebra->count, visit, &algebra->out);
    assert_memory_equal(algebra->out.seen, algebra->out.has, sizeof algebra->out.has);

    for (size_t i = 0; i < algebra->count; i++)
        algebra->chosen[i] = algebra->sets[algebra->which[i]];
    algebra->out.set = makes[operation](algebra->chosen, algebra->count);
    check_model(&algebra->out);
    check_members(&algebra->out);
    set_free(algebra->out.set);
}

static void count_visit(void *context, const struct set_member *member) { ++*(size_t *)context; }

static void check_limit(struct algebra *algebra)
{
    size_t found = 0, limit = 1 + random_below(&algebra->out.random, 20);

    set_expected(algebra, INTERSECT);
    set_intersect(algebra->chosen, algebra->count, limit, count_visit, &found);
    assert_int_equal(found, algebra->out.size < limit ? algebra->out.size : limit);
}

static void algebra_agrees_with_counting(void **state)
{
    static struct algebra algebra;

    for (uint64_t round = 0; round < 60; round++) {
        memset(&algebra, 0, sizeof algebra);
        algebra.out.kinds = round % KINDS;
        random_init(&algebra.out.random, round);
        for (size_t i = 0; i < SETS; i++)
            fill(&algebra, i, random_below(&algebra.out.random, i % 3 ? 50 : 1000));
        for (int i = 0; i < 10; i++)
            for (enum operation operation = 0; operation < OPERATIONS; operation++) {
                choose(&algebra);
                check_operation(&algebra, operation);
                check_limit(&algebra);
            }
        for (size_t i = 0; i < SETS; i++)
            set_free(algebra.sets[i]);
    }
}

/* ---- fairness: chi-square with a fixed seed ---- */

enum { FAIR_IDS = 200, FAIR_ROUNDS = 40000 };

struct tally {
    size_t count[IDS];
    enum kinds kinds;
};

static void tally_visit(void *context, const struct set_member *member)
{
    struct tally *tally = context;

    tally->count[id_of(tally->kinds, member)]++;
}

/* Every id should be counted 'expected' times. The sum of squares has the mean 'ids' and the standard
 * deviation sqrt(2 * ids); six of these are never exceeded by chance. */
static void check_tally(const struct tally *tally, size_t ids, double expected)
{
    double chi_square = 0, excess;

    for (size_t id = 0; id < ids; id++) {
        double difference = (double)tally->count[id] - expected;
        chi_square += difference * difference / expected;
    }
    excess = chi_square - (double)ids;
    if (excess > 0 && excess * excess > 36 * 2 * (double)ids)
        fail_msg("chi-square of %zu ids is %f", ids, chi_square);
}

static struct set *fair_set(enum kinds kinds, size_t ids)
{
    struct set *set = set_new();
    char text[TEXT_MAX];

    for (size_t id = 0; id < ids; id++)
        set_add(set, hashed(member_of(kinds, id, text)));
    return set;
}

static void check_fairness(enum kinds kinds, size_t ids, uint64_t seed)
{
    static const size_t counts[] = {1, 2, 5, 30, 70, 95};
    struct set *set = fair_set(kinds, ids);
    struct random random;
    struct tally tally;

    random_init(&random, seed);
    tally = (struct tally){.kinds = kinds};
    for (size_t i = 0; i < RANDOM_STEPS(FAIR_ROUNDS); i++) {
        struct set_member member = set_random(set, &random);
        tally_visit(&tally, &member);
    }
    check_tally(&tally, ids, (double)RANDOM_STEPS(FAIR_ROUNDS) / (double)ids);

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t count = counts[i] * ids / 100 + (i == 0), rounds = RANDOM_STEPS(FAIR_ROUNDS) / count;
        double expected = (double)(count * rounds) / (double)ids;

        tally = (struct tally){.kinds = kinds};
        for (size_t round = 0; round < rounds; round++)
            set_sample(set, count, &random, tally_visit, &tally);
        check_tally(&tally, ids, expected);

        tally = (struct tally){.kinds = kinds};
        for (size_t round = 0; round < rounds; round++) {
            struct set *copy = set_copy(set);
            set_take(copy, count, &random, tally_visit, &tally);
            assert_int_equal(set_size(copy), ids - count);
            set_free(copy);
        }
        check_tally(&tally, ids, expected);
    }
    set_free(set);
}

static void random_members_are_fair(void **state)
{
    set_use_limits(usual_limits);
    check_fairness(SMALL_INTS, 200, 1);  /* intset */
    check_fairness(SHORT_TEXTS, 100, 2); /* listpack */
    check_fairness(SHORT_TEXTS, 200, 3); /* table */
    check_fairness(SHORT_TEXTS, 129, 4);
}

/* Also of pairs: no two members go together more often than others. */
struct pairs {
    size_t count[20][20];
    size_t taken[20], size;
};

static void pair_visit(void *context, const struct set_member *member)
{
    struct pairs *pairs = context;

    pairs->taken[pairs->size++] = id_of(SMALL_INTS, member);
}

static void pairs_of_random_members_are_fair(void **state)
{
    enum { ROUNDS = 20000 };
    struct set *set = fair_set(SMALL_INTS, 20);
    struct pairs pairs = {0};
    struct random random;
    double chi_square = 0, expected = ROUNDS * (5.0 * 4) / (20 * 19) * 2;

    random_init(&random, 5);
    for (int i = 0; i < ROUNDS; i++) {
        pairs.size = 0;
        set_sample(set, 5, &random, pair_visit, &pairs);
        for (size_t a = 0; a < pairs.size; a++)
            for (size_t b = 0; b < pairs.size; b++)
                pairs.count[pairs.taken[a]][pairs.taken[b]]++;
    }
    for (size_t a = 0; a < 20; a++)
        for (size_t b = 0; b < a; b++) {
            double difference = (double)pairs.count[a][b] + (double)pairs.count[b][a] - expected;
            chi_square += difference * difference / expected;
        }
    assert_true(chi_square < 2 * (190 + 6 * 20));
    set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_runs_agree_with_the_model),
        cmocka_unit_test(random_runs_with_other_limits_agree_too),
        cmocka_unit_test(forms_change_by_the_rule_of_redis),
        cmocka_unit_test(what_is_large_is_freed_in_steps),
        cmocka_unit_test(memory_is_known_from_samples),
        cmocka_unit_test(algebra_agrees_with_counting),
        cmocka_unit_test(random_members_are_fair),
        cmocka_unit_test(pairs_of_random_members_are_fair),
    };

    return cmocka_run_group_tests(tests, index_members, release_members);
}
