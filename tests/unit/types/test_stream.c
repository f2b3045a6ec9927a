#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "types/stream_group.h"

#define ENTRIES    4000
#define FIELDS_MAX 5

static const struct stream_limits usual = {4096, 100};

/* What an entry holds follows from its seed. */
struct model {
    struct stream *stream;
    struct stream_id ids[ENTRIES];
    uint32_t seeds[ENTRIES];
    size_t count;
    struct stream_id last_id, max_deleted_id;
    uint64_t added;
    struct stream_limits limits;
    struct random random;
};

struct content {
    struct bytes pairs[2 * FIELDS_MAX];
    char text[FIELDS_MAX][24];
    size_t fields;
};

static char filler[5000];

static void content_of(uint32_t seed, struct content *content)
{
    static const char *const names[] = {"temp", "hum", "7", "a field of some length", ""};
    unsigned shape = seed % 8 < 6 ? 0 : seed % 8;

    content->fields = shape == 0 ? 2 : shape == 6 ? 1 + seed / 8 % FIELDS_MAX : 3;
    for (size_t i = 0; i < content->fields; i++) {
        struct bytes *pair = &content->pairs[2 * i];

        pair[0] = bytes_from_string(names[(i + (shape == 7)) % 5]);
        pair[1].data = content->text[i];
        pair[1].len = (size_t)snprintf(content->text[i], sizeof content->text[i], "%u%s",
                                       seed >> (seed % 32), seed % 5 ? "" : " units");
        if (seed % 97 == 0)
            pair[1] = (struct bytes){filler, seed % sizeof filler};
    }
}

static void model_init(struct model *model, uint64_t seed, struct stream_limits limits)
{
    *model = (struct model){.stream = stream_new(), .limits = limits};
    random_init(&model->random, seed);
}

static void check_entry(const struct model *model, size_t at, struct stream_iter *iter)
{
    struct bytes field, value;
    struct content content;

    content_of(model->seeds[at], &content);
    assert_true(stream_id_equal(iter->id, model->ids[at]));
    assert_int_equal(iter->fields, content.fields);
    for (size_t i = 0; i < content.fields; i++) {
        stream_iter_field(iter, &field, &value);
        assert_true(bytes_equal(field, content.pairs[2 * i]));
        assert_true(bytes_equal(value, content.pairs[2 * i + 1]));
    }
}

/* The first entry that is not before 'id'. */
static size_t place_of(const struct model *model, struct stream_id id)
{
    size_t low = 0, high = model->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (stream_id_compare(model->ids[middle], id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void check_range(const struct model *model, struct stream_id from, struct stream_id to,
                        size_t most)
{
    size_t first = place_of(model, from), end = place_of(model, to);
    struct stream_iter iter;

    if (end < model->count && stream_id_equal(model->ids[end], to))
        end++;
    stream_iter_init(&iter, model->stream, from, to, false);
    assert_int_equal(stream_iter_count(&iter, UINT64_MAX), end > first ? end - first : 0);
    assert_int_equal(stream_iter_count(&iter, 3), end > first + 3 ? 3 : end > first ? end - first : 0);
    for (size_t at = first; at < end && at < first + most; at++) {
        assert_true(stream_iter_next(&iter));
        check_entry(model, at, &iter);
    }
    assert_true(end > first + most || !stream_iter_next(&iter));
    stream_iter_init(&iter, model->stream, from, to, true);
    for (size_t at = end; at > first && at + most > end; at--) {
        assert_true(stream_iter_next(&iter));
        check_entry(model, at - 1, &iter);
    }
    assert_true(end > first + most || !stream_iter_next(&iter));
}

static void model_check(const struct model *model)
{
    stream_check(model->stream);
    assert_int_equal(stream_length(model->stream), model->count);
    assert_int_equal(stream_entries_added(model->stream), model->added);
    assert_true(stream_id_equal(stream_last_id(model->stream), model->last_id));
    assert_true(stream_id_equal(stream_max_deleted_id(model->stream), model->max_deleted_id));
    assert_true(stream_id_equal(stream_first_id(model->stream),
                                model->count ? model->ids[0] : STREAM_ID_MIN));
}

static void model_release(struct model *model)
{
    model_check(model);
    check_range(model, STREAM_ID_MIN, STREAM_ID_MAX, SIZE_MAX / 2);
    stream_free(model->stream);
}

/* ---- steps ---- */

static void cut_head(struct model *model, size_t count)
{
    model->count -= count;
    memmove(model->ids, model->ids + count, model->count * sizeof *model->ids);
    memmove(model->seeds, model->seeds + count, model->count * sizeof *model->seeds);
}

static void step_append(struct model *model)
{
    uint32_t seed = (uint32_t)random_next(&model->random);
    struct stream_id id = model->last_id;
    struct content content;

    if (model->count == ENTRIES)
        return;
    if (seed % 3)
        stream_id_next(&id);
    else
        id = (struct stream_id){id.ms + 1 + seed % 200, seed % 7};
    content_of(seed, &content);
    assert_true(stream_can_hold(content.pairs, content.fields));
    stream_append(model->stream, id, content.pairs, content.fields, model->limits);
    model->ids[model->count] = id;
    model->seeds[model->count++] = seed;
    model->last_id = id;
    model->added++;
}

static struct stream_id some_id(struct model *model)
{
    if (!model->count || random_below(&model->random, 4) == 0)
        return (struct stream_id){random_below(&model->random, model->last_id.ms + 2),
                                  random_below(&model->random, 7)};
    return model->ids[random_below(&model->random, model->count)];
}

static void step_delete(struct model *model)
{
    struct stream_id id = some_id(model);
    size_t at = place_of(model, id);
    bool is_there = at < model->count && stream_id_equal(model->ids[at], id);

    assert_int_equal(stream_has(model->stream, id), is_there);
    assert_int_equal(stream_delete(model->stream, id), is_there);
    if (!is_there)
        return;
    model->count--;
    memmove(model->ids + at, model->ids + at + 1, (model->count - at) * sizeof *model->ids);
    memmove(model->seeds + at, model->seeds + at + 1, (model->count - at) * sizeof *model->seeds);
    if (stream_id_compare(id, model->max_deleted_id) > 0)
        model->max_deleted_id = id;
}

static void step_trim(struct model *model)
{
    struct stream_trim trim = {.by = random_below(&model->random, 2) ? TRIM_MAXLEN : TRIM_MINID};
    struct stream *taken;
    size_t excess;
    uint64_t removed;

    if (random_below(&model->random, 8) == 0) /* most of it */
        trim.max_length = random_below(&model->random, model->count / 4 + 1);
    else
        trim.max_length = model->count - random_below(&model->random, model->count / 8 + 2) % (model->count + 1);
    trim.min_id = model->count ? model->ids[model->count - trim.max_length ? model->count - trim.max_length - 1 : 0]
                               : STREAM_ID_MAX;
    trim.is_approximate = random_below(&model->random, 2);
    trim.limit = random_below(&model->random, 2) * 50;
    excess = trim.by == TRIM_MAXLEN ? model->count - trim.max_length : place_of(model, trim.min_id);
    removed = stream_trim(model->stream, &trim, &taken);
    if (taken)
        stream_free(taken);
    if (trim.is_approximate)
        assert_true(removed <= excess && (!trim.limit || removed <= trim.limit));
    else
        assert_int_equal(removed, excess);
    cut_head(model, removed);
}

static void step_look(struct model *model)
{
    check_range(model, some_id(model), some_id(model), 30);
}

static void run(struct model *model, int steps, uint64_t appends, bool checks_each)
{
    for (int step = 0; step < steps; step++) {
        uint64_t choice = random_below(&model->random, 100);

        if (choice < appends)
            step_append(model);
        else if (choice < 75)
            step_delete(model);
        else if (choice < 77)
            step_trim(model);
        else
            step_look(model);
        if (checks_each || step % 256 == 0)
            model_check(model);
    }
}

static void random_runs_agree_with_an_array(void **state)
{
    static const struct stream_limits limits[] = {{4096, 100}, {4096, 5}, {200, 0},
                                                  {0, 300},    {1, 1},    {0, 0}};
    size_t used = mem_used();

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct model *model = malloc(sizeof *model);

        model_init(model, i, limits[i]);
        run(model, RANDOM_STEPS(4000), 40, true);
        if (limits[i].max_bytes | limits[i].max_entries) { /* one block for all is slow */
            run(model, RANDOM_STEPS(90000), 45, false);
            run(model, RANDOM_STEPS(90000), 36, false);
        }
        model_release(model);
        free(model);
    }
    assert_int_equal(mem_used(), used);
}

static void the_limits_may_change_at_any_time(void **state)
{
    struct model *model = malloc(sizeof *model);

    model_init(model, 77, usual);
    for (int i = 0; i < RANDOM_STEPS(400); i++) {
        model->limits = (struct stream_limits){(int64_t)random_below(&model->random, 5000),
                                               (int64_t)random_below(&model->random, 300)};
        run(model, 100, i % 40 < 25 ? 50 : 30, i < 40);
    }
    model_release(model);
    free(model);
}

/* ---- one property at a time ---- */

static void append(struct stream *stream, uint64_t ms, struct stream_limits limits)
{
    char temp[16], hum[16];
    struct bytes pairs[] = {BYTES("temp"), {temp, 0}, BYTES("hum"), {hum, 0}};

    pairs[1].len = (size_t)snprintf(temp, sizeof temp, "%d", (int)(ms % 40));
    pairs[3].len = (size_t)snprintf(hum, sizeof hum, "%d", (int)(ms % 90));
    stream_append(stream, (struct stream_id){ms, 1}, pairs, 2, limits);
}

static struct stream *stream_of(uint64_t count)
{
    struct stream *stream = stream_new();

    for (uint64_t i = 1; i <= count; i++)
        append(stream, i, usual);
    return stream;
}

static void a_million_small_entries_cost_less_than_14_bytes_each(void **state)
{
    size_t used = mem_used(), count = RANDOM_STEPS(1000000);
    struct stream *stream = stream_of(count);
    size_t memory = stream_value_ops.memory(stream, 0);

    assert_int_equal(stream_blocks(stream), count / 100);
    assert_int_equal(memory, mem_used() - used);
#ifndef TERN_STRESS
    assert_true(memory <= count * 135 / 10);
#endif
    stream_check(stream);
    assert_true(stream_value_ops.memory(stream, 3) <= memory * 11 / 10);
    stream_free(stream);
}

static void a_short_stream_is_small(void **state)
{
    size_t used = mem_used();
    struct stream *stream = stream_of(1);

    assert_true(mem_used() - used <= 256);
    for (uint64_t i = 2; i < 20; i++)
        append(stream, i, usual);
    assert_true(mem_used() - used <= 600);
    stream_free(stream);
}

static void removing_all_of_a_block_frees_it(void **state)
{
    size_t count = RANDOM_STEPS(100000);
    struct stream *stream = stream_of(count);

    for (size_t i = 1; i <= count; i++)
        assert_true(stream_delete(stream, (struct stream_id){1 + (i * 7919) % count, 1}));
    stream_check(stream);
    assert_int_equal(stream_length(stream), 0);
    assert_int_equal(stream_blocks(stream), 0);
    append(stream, count + 1, usual);
    assert_int_equal(stream_length(stream), 1);
    stream_check(stream);
    stream_free(stream);
}

static void what_comes_after_a_set_back_is_found(void **state)
{
    struct stream *stream = stream_of(3);

    assert_true(stream_delete(stream, (struct stream_id){3, 1}));
    stream_set_max_deleted_id(stream, STREAM_ID_MIN);
    stream_set_last_id(stream, (struct stream_id){2, 1});
    stream_append(stream, (struct stream_id){2, 5}, (struct bytes[]){BYTES("a"), BYTES("b")}, 1,
                  usual);
    assert_true(stream_has(stream, (struct stream_id){2, 5}));
    stream_check(stream);
    assert_true(stream_delete(stream, (struct stream_id){2, 5}));
    assert_false(stream_has(stream, (struct stream_id){3, 1}));
    stream_free(stream);
}

static void freeing_goes_in_steps(void **state)
{
    size_t used = mem_used(), steps = 1;
    struct stream *stream = stream_of(RANDOM_STEPS(100000));
    struct stream_group *group = stream_group_add(stream, BYTES("g"), STREAM_ID_MIN, 0);
    struct stream_consumer *consumer = stream_consumer_add(group, BYTES("c"), 5);
    size_t effort;

    for (uint64_t i = 1; i <= 1000; i++)
        stream_pending_add(group, consumer, (struct stream_id){i, 1}, 5);
    effort = stream_value_ops.free_effort(stream);
    assert_true(effort >= RANDOM_STEPS(1000) + 1000);
    while (!stream_value_ops.free_step(stream, 2))
        steps++;
    assert_true(steps >= effort / 2);
    assert_int_equal(mem_used(), used);
}

/* ---- groups ---- */

#define CONSUMERS 4
#define IDS       500

#define LEAVING 3 /* consumers at once */

struct group_model {
    struct stream *stream;
    struct stream_group *group;
    int owner[IDS + 1]; /* 0: not pending; else which consumer */
    struct stream_consumer *leaving[LEAVING];
    struct random random;
};

static const struct bytes names[] = {{"", 0}, {"b", 1}, {"a", 1}, {"ab", 2}, {"B", 1}};

static struct stream_id pending_id(uint64_t number)
{
    return (struct stream_id){number, number % 3};
}

static struct stream_consumer *consumer_of(struct group_model *model, int number)
{
    struct stream_consumer *consumer = stream_consumer_find(model->group, names[number]);

    if (consumer) {
        assert_null(stream_consumer_add(model->group, names[number], 0));
        return consumer;
    }
    return stream_consumer_add(model->group, names[number], number);
}

static void leave(struct group_model *model, size_t budget)
{
    for (int i = 0; i < LEAVING; i++)
        if (model->leaving[i] && stream_consumer_leave_step(model->leaving[i], budget))
            model->leaving[i] = NULL;
}

static void remove_consumer(struct group_model *model, int number, size_t expected)
{
    struct stream_consumer *consumer = consumer_of(model, number), *leaving;
    int i = 0;

    assert_int_equal(stream_consumer_remove(model->group, consumer, &leaving), expected);
    if (!leaving)
        return;
    while (i < LEAVING && model->leaving[i])
        i++;
    if (i == LEAVING)
        leave(model, SIZE_MAX);
    model->leaving[i % LEAVING] = leaving;
}

static void step_group(struct group_model *model)
{
    uint64_t number = 1 + random_below(&model->random, IDS);
    int *owner = &model->owner[number], to = 1 + (int)random_below(&model->random, CONSUMERS);
    struct stream_pending *pending = stream_pending_find(model->group, pending_id(number));
    uint64_t choice = random_below(&model->random, 1000);

    assert_int_equal(pending != NULL, *owner != 0);
    if (pending)
        assert_true(bytes_equal(pending->consumer->name, names[*owner]));
    if (choice < 2) {
        size_t count = 0;

        for (uint64_t i = 1; i <= IDS; i++)
            if (model->owner[i] == to) {
                count++;
                model->owner[i] = 0;
            }
        remove_consumer(model, to, count);
    } else if (choice < 500 && !pending) {
        stream_pending_add(model->group, consumer_of(model, to), pending_id(number), to);
        *owner = to;
    } else if (choice < 700 && pending) {
        stream_pending_move(pending, pending_id(number), consumer_of(model, to));
        *owner = to;
    } else if (choice >= 700) {
        assert_int_equal(stream_pending_remove(model->group, pending_id(number)), *owner != 0);
        *owner = 0;
    }
}

static void check_group_model(const struct group_model *model)
{
    struct id_cursor at = stream_pending_live(id_index_first(&model->group->pending)), last = {NULL, 0};
    size_t count = 0;

    stream_check(model->stream);
    for (uint64_t i = 1; i <= IDS; i++) {
        if (!model->owner[i])
            continue;
        assert_true(stream_id_equal(id_cursor_id(&at), pending_id(i)));
        count++;
        last = at;
        at = stream_pending_next(at);
    }
    assert_null(at.node);
    assert_int_equal(stream_pending_count(model->group), count);
    at = stream_pending_last(model->group);
    assert_true(at.node == last.node && at.at == last.at);
}

static void groups_agree_with_an_array(void **state)
{
    size_t used = mem_used();
    struct group_model model = {.stream = stream_of(10)};
    struct stream *copy;

    random_init(&model.random, 3);
    model.group = stream_group_add(model.stream, BYTES("g"), STREAM_ID_MIN, 0);
    assert_null(stream_group_add(model.stream, BYTES("g"), STREAM_ID_MIN, 0));
    for (int step = 0; step < RANDOM_STEPS(400000); step++) {
        step_group(&model);
        if (step % 16 == 0)
            leave(&model, 1);
        if (step % 64 == 0)
            check_group_model(&model);
    }
    copy = stream_value_ops.copy(model.stream);
    stream_free(stream_group_take(model.stream, BYTES("g")));
    assert_null(stream_group_take(model.stream, BYTES("g")));
    stream_free(model.stream);
    leave(&model, 0); /* the group is gone, and with it all that they had */
    for (int i = 0; i < LEAVING; i++)
        assert_null(model.leaving[i]);
    model.stream = copy;
    model.group = stream_group_find(copy, BYTES("g"));
    check_group_model(&model);
    for (int step = 0; step < 1000; step++)
        step_group(&model);
    check_group_model(&model);
    leave(&model, SIZE_MAX);
    stream_free(copy);
    assert_int_equal(mem_used(), used);
}

static void groups_stand_in_the_order_of_their_names(void **state)
{
    struct stream *stream = stream_new();
    struct bytes sorted[] = {BYTES("A"), BYTES("a"), BYTES("aa"), BYTES("ab"), BYTES("b")};

    for (size_t i = 0; i < 5; i++)
        stream_group_add(stream, sorted[(i * 3 + 1) % 5], STREAM_ID_MIN, 0);
    for (size_t i = 0; i < 5; i++)
        assert_true(bytes_equal(stream_group_at(stream, i)->name, sorted[i]));
    stream_check(stream);
    stream_free(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_runs_agree_with_an_array),
        cmocka_unit_test(the_limits_may_change_at_any_time),
        cmocka_unit_test(a_million_small_entries_cost_less_than_14_bytes_each),
        cmocka_unit_test(a_short_stream_is_small),
        cmocka_unit_test(removing_all_of_a_block_frees_it),
        cmocka_unit_test(what_comes_after_a_set_back_is_found),
        cmocka_unit_test(freeing_goes_in_steps),
        cmocka_unit_test(groups_agree_with_an_array),
        cmocka_unit_test(groups_stand_in_the_order_of_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
