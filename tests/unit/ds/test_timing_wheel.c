/* The wheel against a naive model: every node comes out exactly when it is due. */
#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "ds/timing_wheel.h"

#define MODEL_NODES 200
#define YEAR_MS     INT64_C(31556952000)
#define NOW_MS      INT64_C(1795000000000)

struct holder {
    char before[24];
    struct wheel_node node;
};

/* Nodes live in blocks of their own, so that a stale address is a use after free. */
static struct wheel_node *node_new(int64_t deadline_ms)
{
    struct holder *holder = malloc(sizeof *holder);

    holder->node.deadline_ms = deadline_ms;
    return &holder->node;
}

static void node_free(struct wheel_node *node)
{
    struct holder *holder = (struct holder *)((char *)node - offsetof(struct holder, node));

    memset(holder, 0xee, sizeof *holder);
    free(holder);
}

static struct wheel_node *node_move(struct wheel_node *node)
{
    struct wheel_node *moved = node_new(0);

    *moved = *node;
    node_free(node);
    return moved;
}

static void add_new(struct wheel *wheel, int64_t deadline_ms)
{
    wheel_add(wheel, node_new(deadline_ms));
}

/* Pops until idle and frees what comes out. */
static size_t pop_all(struct wheel *wheel, int64_t now_ms)
{
    enum wheel_progress progress;
    struct wheel_node *due;
    size_t count = 0;

    while ((progress = wheel_pop(wheel, now_ms, &due)) != WHEEL_IDLE) {
        if (progress == WHEEL_WORKED)
            continue;
        assert_true(due->deadline_ms <= now_ms);
        node_free(due);
        count++;
    }
    return count;
}

static void free_node(void *context, struct wheel_node *node)
{
    ++*(size_t *)context;
    node_free(node);
}

static size_t free_all(struct wheel *wheel)
{
    size_t count = 0;

    wheel_each(wheel, free_node, &count);
    assert_int_equal(count, wheel_size(wheel));
    wheel_free(wheel);
    return count;
}

/* ---- one property at a time ---- */

static void an_empty_wheel_is_small_and_idle(void **state)
{
    struct wheel *wheel = wheel_new(NOW_MS);
    struct wheel_node *due;

    assert_int_equal(wheel_pop(wheel, INT64_MAX, &due), WHEEL_IDLE);
    assert_int_equal(wheel_pop(wheel, INT64_MIN, &due), WHEEL_IDLE);
    assert_true(wheel_next_ms(wheel) == INT64_MAX);
    assert_true(wheel_memory(wheel) <= 512);
    wheel_check(wheel);
    wheel_free(wheel);
}

static void a_node_is_due_at_its_millisecond_and_not_before(void **state)
{
    static const int64_t distances[] = {
        1, 2, 63, 64, 65, 4095, 4096, 4097, 1 << 18, 86400000, YEAR_MS, 1LL << 60, 1000 * YEAR_MS};

    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
        struct wheel *wheel = wheel_new(NOW_MS);
        add_new(wheel, NOW_MS + distances[i]);
        assert_int_equal(pop_all(wheel, NOW_MS), 0);
        assert_int_equal(pop_all(wheel, NOW_MS + distances[i] / 2), 0);
        assert_int_equal(pop_all(wheel, NOW_MS + distances[i] - 1), 0);
        wheel_check(wheel);
        assert_int_equal(pop_all(wheel, NOW_MS + distances[i]), 1);
        assert_int_equal(wheel_size(wheel), 0);
        wheel_free(wheel);
    }
}

static void the_ends_of_time_are_deadlines_like_others(void **state)
{
    struct wheel *wheel = wheel_new(INT64_MIN);

    add_new(wheel, INT64_MIN);
    add_new(wheel, INT64_MIN + 1);
    add_new(wheel, -1);
    add_new(wheel, 0);
    add_new(wheel, INT64_MAX);
    wheel_check(wheel);
    assert_int_equal(pop_all(wheel, INT64_MIN), 1);
    assert_int_equal(pop_all(wheel, -2), 1);
    assert_int_equal(pop_all(wheel, -1), 1);
    assert_int_equal(pop_all(wheel, INT64_MAX - 1), 1);
    assert_int_equal(pop_all(wheel, INT64_MAX), 1);
    add_new(wheel, INT64_MAX);
    assert_int_equal(pop_all(wheel, INT64_MAX), 1);
    wheel_free(wheel);
}

static void a_passed_deadline_is_due_at_once(void **state)
{
    struct wheel *wheel = wheel_new(NOW_MS);

    add_new(wheel, NOW_MS);
    add_new(wheel, NOW_MS - 5);
    add_new(wheel, -7);
    assert_true(wheel_next_ms(wheel) <= -7);
    assert_int_equal(pop_all(wheel, NOW_MS), 3);
    wheel_free(wheel);
}

static void earlier_milliseconds_come_first_while_time_goes_in_small_steps(void **state)
{
    struct wheel *wheel = wheel_new(NOW_MS);
    struct random random;
    int64_t last = 0;
    size_t count = 0;

    random_init(&random, 1);
    for (int i = 0; i < 3000; i++)
        add_new(wheel, NOW_MS + (int64_t)random_below(&random, 3000));
    for (int64_t now = NOW_MS; now < NOW_MS + 3000; now++) {
        enum wheel_progress progress;
        struct wheel_node *due;
        while ((progress = wheel_pop(wheel, now, &due)) != WHEEL_IDLE) {
            if (progress == WHEEL_WORKED)
                continue;
            assert_true(due->deadline_ms == now || (now == NOW_MS && count == 0));
            assert_true(due->deadline_ms >= last);
            last = due->deadline_ms;
            node_free(due);
            count++;
        }
    }
    assert_int_equal(count, 3000);
    wheel_free(wheel);
}

static void following_wheel_next_reaches_any_node_in_few_wakeups(void **state)
{
    struct random random;

    random_init(&random, 2);
    for (int i = 0; i < 1000; i++) {
        struct wheel *wheel = wheel_new(NOW_MS);
        int64_t deadline =
            NOW_MS + 1 + (int64_t)(random_next(&random) >> (2 + random_below(&random, 60)));
        int wakeups = 0;
        add_new(wheel, deadline);
        while (wheel_size(wheel) > 0) {
            int64_t next = wheel_next_ms(wheel);
            assert_true(next > NOW_MS && next <= deadline);
            pop_all(wheel, next);
            wakeups++;
        }
        assert_true(wakeups <= 11);
        wheel_free(wheel);
    }
}

static void a_clock_that_goes_backward_gives_nothing_early(void **state)
{
    struct wheel *wheel = wheel_new(NOW_MS);

    for (int i = 0; i < 1000; i++)
        add_new(wheel, NOW_MS + i * 37);
    assert_int_equal(pop_all(wheel, NOW_MS + 37 * 500), 501);
    assert_int_equal(pop_all(wheel, NOW_MS - YEAR_MS), 0);
    add_new(wheel, NOW_MS - YEAR_MS + 3);
    add_new(wheel, NOW_MS - 1);
    assert_int_equal(pop_all(wheel, NOW_MS - YEAR_MS + 2), 0);
    wheel_check(wheel);
    assert_true(wheel_next_ms(wheel) > NOW_MS - YEAR_MS);
    assert_int_equal(pop_all(wheel, NOW_MS - YEAR_MS + 3), 1);
    assert_int_equal(pop_all(wheel, NOW_MS - 2), 0);
    assert_int_equal(pop_all(wheel, NOW_MS - 1), 1);
    assert_int_equal(pop_all(wheel, NOW_MS + 37 * 501 - 1), 0);
    assert_int_equal(pop_all(wheel, NOW_MS + 37 * 501), 1);
    assert_int_equal(free_all(wheel), 498);
}

static void going_backward_without_new_nodes_touches_none(void **state)
{
    struct wheel *wheel = wheel_new(NOW_MS);
    struct wheel_node *due;

    for (int i = 1; i <= 1000; i++)
        add_new(wheel, NOW_MS + i);
    assert_int_equal(wheel_pop(wheel, NOW_MS - YEAR_MS, &due), WHEEL_IDLE);
    assert_int_equal(pop_all(wheel, NOW_MS + 1000), 1000);
    wheel_free(wheel);
}

static void no_call_does_more_than_a_piece(void **state)
{
    struct wheel *wheel = wheel_new(NOW_MS);
    struct wheel_node *due;
    int calls = 1;

    for (int i = 0; i < 10000; i++)
        add_new(wheel, (NOW_MS | 0xffffff) + 2);
    while (wheel_pop(wheel, (NOW_MS | 0xffffff) + 1, &due) == WHEEL_WORKED)
        calls++;
    assert_true(calls >= 10000 / 64);
    assert_int_equal(free_all(wheel), 10000);
}

static void a_million_nodes_of_one_millisecond_cost_eight_bytes_each(void **state)
{
    size_t count = RANDOM_STEPS(1000000);
    struct wheel *wheel = wheel_new(NOW_MS);
    struct wheel_node *nodes = malloc(count * sizeof *nodes);
    struct wheel_node *due;
    size_t popped = 0, calls = 0;
    enum wheel_progress progress;

    for (size_t i = 0; i < count; i++) {
        nodes[i].deadline_ms = NOW_MS + 3600000;
        wheel_add(wheel, &nodes[i]);
    }
#ifndef TERN_STRESS /* whose chunks of four nodes cost more */
    assert_true(wheel_memory(wheel) <= count * 41 / 5);
#endif
    assert_int_equal(pop_all(wheel, NOW_MS + 3599999), 0);
    wheel_check(wheel);
    while ((progress = wheel_pop(wheel, NOW_MS + 3600000, &due)) != WHEEL_IDLE) {
        popped += progress == WHEEL_DUE;
        calls++;
    }
    assert_int_equal(popped, count);
    assert_true(calls <= count + count / 2 + 8); /* dealt out once more at the most */
    wheel_check(wheel);
    wheel_free(wheel);
    free(nodes);
}

static void a_million_deadlines_within_an_hour_cost_eight_bytes_each(void **state)
{
    size_t count = RANDOM_STEPS(1000000);
    struct wheel *wheel = wheel_new(NOW_MS);
    struct wheel_node *nodes = malloc(count * sizeof *nodes);
    struct random random;

    random_init(&random, 3);
    for (size_t i = 0; i < count; i++) {
        nodes[i].deadline_ms = NOW_MS + (int64_t)random_below(&random, 3600000);
        wheel_add(wheel, &nodes[i]);
    }
#ifndef TERN_STRESS
    assert_true(wheel_memory(wheel) <= count * 43 / 5);
#endif
    wheel_check(wheel);
    for (size_t i = 0; i < count; i++)
        wheel_remove(wheel, &nodes[i]);
    wheel_check(wheel);
    assert_int_equal(wheel_size(wheel), 0);
    assert_true(wheel_memory(wheel) <= 8192);
    wheel_free(wheel);
    free(nodes);
}

static void freeing_goes_in_steps_and_touches_no_node(void **state)
{
    size_t used = mem_used();
    struct wheel *wheel = wheel_new(NOW_MS);
    struct wheel_node *nodes = malloc(100000 * sizeof *nodes);
    size_t steps = 1;

    for (int64_t i = 0; i < 100000; i++) {
        nodes[i].deadline_ms = NOW_MS + i * i;
        wheel_add(wheel, &nodes[i]);
    }
    free(nodes);
    while (!wheel_free_step(wheel, 3))
        steps++;
    assert_true(steps >= 100000 / 512 / 3);
    assert_true(mem_used() == used);
}

/* ---- against the model ---- */

struct model {
    struct wheel *wheel;
    struct random random;
    int64_t now;
    struct wheel_node *node[MODEL_NODES]; /* what should be in the wheel */
    size_t count;
};

static int64_t saturating_add(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

/* 0 .. 2^62, all magnitudes alike, powers of 64 and their neighbours often. */
static int64_t random_distance(struct random *random)
{
    uint64_t bits = random_below(random, random_below(random, 4) ? 24 : 63);

    if (random_below(random, 4) == 0)
        return ((int64_t)1 << bits / 6 * 6) + (int64_t)random_below(random, 3) - 1;
    return (int64_t)random_below(random, (uint64_t)1 << bits);
}

static void model_add(struct model *model)
{
    int64_t distance = random_distance(&model->random);
    int64_t deadline;

    if (model->count == MODEL_NODES)
        return;
    switch (random_below(&model->random, 16)) {
    case 0:
        deadline = (int64_t)random_next(&model->random);
        break;
    case 1:
        deadline = random_below(&model->random, 2) ? INT64_MIN : INT64_MAX;
        break;
    case 2:
        deadline = saturating_add(model->now, -distance);
        break;
    case 3:
        deadline = model->count ? model->node[0]->deadline_ms : 0;
        break;
    default:
        deadline = saturating_add(model->now, distance);
    }
    model->node[model->count] = node_new(deadline);
    wheel_add(model->wheel, model->node[model->count++]);
}

static void model_remove(struct model *model)
{
    if (model->count == 0)
        return;
    size_t at = random_below(&model->random, model->count);
    wheel_remove(model->wheel, model->node[at]);
    node_free(model->node[at]);
    model->node[at] = model->node[--model->count];
}

static void model_move(struct model *model)
{
    if (model->count == 0)
        return;
    size_t at = random_below(&model->random, model->count);
    model->node[at] = node_move(model->node[at]);
    wheel_moved(model->wheel, model->node[at]);
}

static void model_set_clock(struct model *model)
{
    int64_t distance = random_distance(&model->random);
    int64_t next = wheel_next_ms(model->wheel);

    switch (random_below(&model->random, 32)) {
    case 0:
        model->now = (int64_t)random_next(&model->random);
        break;
    case 1:
    case 2:
    case 3:
        model->now = saturating_add(model->now, -distance);
        break;
    case 4:
    case 5:
    case 6:
        if (next != INT64_MIN && next != INT64_MAX)
            model->now = next - (int64_t)random_below(&model->random, 2);
        break;
    case 7:
        model->now = NOW_MS;
        break;
    default:
        model->now = saturating_add(model->now, distance >> random_below(&model->random, 63));
    }
}

static void model_took_out(struct model *model, struct wheel_node *due)
{
    size_t at = 0;

    assert_true(due->deadline_ms <= model->now);
    while (at < model->count && model->node[at] != due)
        at++;
    assert_true(at < model->count);
    model->node[at] = model->node[--model->count];
    node_free(due);
}

/* Pops up to 'calls' times; when the wheel says it is idle nothing due may remain. */
static void model_pop(struct model *model, size_t calls)
{
    int64_t next = wheel_next_ms(model->wheel);

    for (size_t i = 0; i < calls; i++) {
        struct wheel_node *due;
        enum wheel_progress progress = wheel_pop(model->wheel, model->now, &due);
        if (progress == WHEEL_DUE)
            model_took_out(model, due);
        if (progress == WHEEL_IDLE) {
            for (size_t at = 0; at < model->count; at++)
                assert_true(model->node[at]->deadline_ms > model->now);
            return;
        }
        assert_true(next <= model->now);
    }
}

static void model_check(const struct model *model)
{
    int64_t next = wheel_next_ms(model->wheel);

    assert_int_equal(wheel_size(model->wheel), model->count);
    for (size_t at = 0; at < model->count; at++)
        assert_true(next <= model->node[at]->deadline_ms);
    wheel_check(model->wheel);
}

static void run_model(uint64_t seed, int steps)
{
    struct model model = {.now = NOW_MS};

    random_init(&model.random, seed);
    model.wheel = wheel_new(model.now);
    for (int step = 0; step < steps; step++) {
        uint64_t choice = random_below(&model.random, 100);
        if (choice < 45)
            model_add(&model);
        else if (choice < 55)
            model_remove(&model);
        else if (choice < 65)
            model_move(&model);
        else if (choice < 80)
            model_set_clock(&model);
        else if (choice < 95)
            model_pop(&model, random_below(&model.random, 8));
        else
            model_pop(&model, SIZE_MAX);
        model_check(&model);
    }
    free_all(model.wheel);
}

static void random_runs_agree_with_the_model(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        run_model(seed, RANDOM_STEPS(10000));
}

/* Slots of many chunks, half of them dealt out, with removals everywhere. */
static void large_slots_survive_changes_while_they_cascade(void **state)
{
    size_t count = 20000;
    struct wheel *wheel = wheel_new(NOW_MS);
    struct wheel_node **node = calloc(count, sizeof *node);
    struct random random;
    int64_t now = NOW_MS;

    random_init(&random, 4);
    for (int step = 0; step < RANDOM_STEPS(300000); step++) {
        size_t at = random_below(&random, count);
        struct wheel_node *due;
        if (node[at]) {
            wheel_remove(wheel, node[at]);
            node[at]->deadline_ms = now + (int64_t)random_below(&random, 9000);
            wheel_add(wheel, node[at]);
        } else {
            node[at] = node_new(now + 5000 + (int64_t)(at % 4));
            wheel_add(wheel, node[at]);
        }
        if (wheel_pop(wheel, now, &due) == WHEEL_DUE) {
            assert_true(due->deadline_ms <= now);
            due->deadline_ms = now + 3000;
            wheel_add(wheel, due);
        }
        now += random_below(&random, 40) == 0;
        if (step % 20000 == 0)
            wheel_check(wheel);
    }
    wheel_check(wheel);
    free_all(wheel);
    free(node);
}

/* ---- picking some ---- */

static void any_node_may_be_picked_and_none_from_an_empty_wheel(void **state)
{
    enum { NODES = 40, PICKS = 40000 };
    struct wheel *wheel = wheel_new(NOW_MS);
    struct wheel_node *nodes[NODES];
    size_t picked[NODES] = {0};
    struct random random;

    random_init(&random, 21);
    assert_null(wheel_random(wheel, &random));
    assert_int_equal(wheel_nearest(wheel, &random, nodes, NODES), 0);
    for (int i = 0; i < NODES; i++) {
        nodes[i] = node_new(i < 3 ? NOW_MS - i : NOW_MS + ((int64_t)1 << i)); /* in all levels and in the inbox */
        wheel_add(wheel, nodes[i]);
    }
    for (int i = 0; i < PICKS; i++) {
        struct wheel_node *node = wheel_random(wheel, &random);
        int which = 0;

        while (nodes[which] != node)
            assert_true(++which < NODES);
        picked[which]++;
    }
    for (int i = 0; i < NODES; i++)
        assert_in_range(picked[i], PICKS / NODES * 3 / 4, PICKS / NODES * 5 / 4);
    free_all(wheel);
}

/* The slot that comes first is in time before all others. */
static void the_nearest_are_before_all_others(void **state)
{
    enum { WANT = 8 };
    struct random random;

    random_init(&random, 22);
    for (int run = 0; run < 200; run++) {
        struct wheel *wheel = wheel_new(NOW_MS);
        int64_t first_ms = INT64_MAX, reach = (int64_t)1 << random_below(&random, 40);
        size_t count = 1 + random_below(&random, 100), found;
        struct wheel_node *nodes[WANT];

        for (size_t i = 0; i < count; i++) {
            int64_t ms = NOW_MS - 1 + (int64_t)random_below(&random, (uint64_t)reach + 2);

            add_new(wheel, ms);
            first_ms = ms < first_ms ? ms : first_ms;
        }
        found = wheel_nearest(wheel, &random, nodes, WANT);
        assert_in_range(found, 1, WANT);
        if (found < WANT) {
            bool has_first = false;

            for (size_t i = 0; i < found; i++)
                has_first |= nodes[i]->deadline_ms == first_ms || nodes[i]->deadline_ms <= NOW_MS;
            assert_true(has_first);
        }
        free_all(wheel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_wheel_is_small_and_idle),
        cmocka_unit_test(a_node_is_due_at_its_millisecond_and_not_before),
        cmocka_unit_test(the_ends_of_time_are_deadlines_like_others),
        cmocka_unit_test(a_passed_deadline_is_due_at_once),
        cmocka_unit_test(earlier_milliseconds_come_first_while_time_goes_in_small_steps),
        cmocka_unit_test(following_wheel_next_reaches_any_node_in_few_wakeups),
        cmocka_unit_test(a_clock_that_goes_backward_gives_nothing_early),
        cmocka_unit_test(going_backward_without_new_nodes_touches_none),
        cmocka_unit_test(no_call_does_more_than_a_piece),
        cmocka_unit_test(a_million_nodes_of_one_millisecond_cost_eight_bytes_each),
        cmocka_unit_test(a_million_deadlines_within_an_hour_cost_eight_bytes_each),
        cmocka_unit_test(freeing_goes_in_steps_and_touches_no_node),
        cmocka_unit_test(random_runs_agree_with_the_model),
        cmocka_unit_test(large_slots_survive_changes_while_they_cascade),
        cmocka_unit_test(any_node_may_be_picked_and_none_from_an_empty_wheel),
        cmocka_unit_test(the_nearest_are_before_all_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
