/* The dict against a naive model, with hash functions from good to absurd, and the promises of its
 * header one by one. */
#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "ds/dict.h"
#include "ds/dict_internal.h"

#include <time.h>

/* --- entries ------------------------------------------------------------------------------- */

struct item {
    uint64_t hash;
    uint32_t id;
};

static size_t hashes_asked;

static uint64_t item_hash(const void *entry)
{
    hashes_asked++;
    return ((const struct item *)entry)->hash;
}

static const struct dict_type item_type = {item_hash};

static bool item_has_id(const void *entry, const void *id)
{
    return ((const struct item *)entry)->id == *(const uint32_t *)id;
}

typedef uint64_t hash_function(uint32_t id);

static uint64_t good_hash(uint32_t id)
{
    uint64_t z = (id + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t zero_top_hash(uint32_t id) { return good_hash(id) >> 32; }
static uint64_t one_top_hash(uint32_t id) { return ~zero_top_hash(id); }
static uint64_t few_hash(uint32_t id) { return good_hash(id % 5); }
static uint64_t single_hash(uint32_t id) { return UINT64_C(0x8000000000000000); }

/* Just before, at and behind the boundaries of tables with a power of two buckets. */
static uint64_t boundary_hash(uint32_t id) { return ((uint64_t)id << 57) + id % 5 - 2; }

/* --- the model ----------------------------------------------------------------------------- */

enum { IDS_MAX = 4000 };

struct model {
    struct dict dict;
    struct random random;
    hash_function *hash;
    uint32_t id_count;
    struct item *items[IDS_MAX]; /* NULL when absent */
    size_t count;
};

static void model_init(struct model *model, hash_function *hash, uint32_t id_count)
{
    *model = (struct model){.hash = hash, .id_count = id_count};
    dict_init(&model->dict, &item_type);
    random_init(&model->random, id_count);
}

static void model_release(struct model *model)
{
    dict_release(&model->dict);
    for (uint32_t id = 0; id < model->id_count; id++)
        free(model->items[id]);
}

static struct dict_slot *model_slot(struct model *model, uint32_t id)
{
    return dict_find_slot(&model->dict, model->hash(id), item_has_id, &id);
}

static struct item *item_new(uint64_t hash, uint32_t id)
{
    struct item *item = malloc(sizeof *item);

    assert_non_null(item);
    *item = (struct item){hash, id};
    return item;
}

static void model_insert(struct model *model, uint32_t id)
{
    assert_null(model->items[id]);
    model->items[id] = item_new(model->hash(id), id);
    dict_insert(&model->dict, model->hash(id), model->items[id]);
    model->count++;
}

static void model_remove(struct model *model, uint32_t id)
{
    struct dict_slot *slot = model_slot(model, id);

    assert_ptr_equal(dict_slot_entry(slot), model->items[id]);
    dict_remove(&model->dict, model->hash(id), slot);
    free(model->items[id]);
    model->items[id] = NULL;
    model->count--;
}

static void model_move(struct model *model, uint32_t id)
{
    struct item *moved = item_new(model->hash(id), id);

    dict_slot_move(model_slot(model, id), moved);
    free(model->items[id]);
    model->items[id] = moved;
}

static void model_expect(struct model *model, uint32_t id)
{
    dict_prefetch(&model->dict, model->hash(id));
    assert_ptr_equal(dict_find(&model->dict, model->hash(id), item_has_id, &id), model->items[id]);
    if (model->items[id])
        assert_non_null(dict_peek(&model->dict, model->hash(id)));
}

/* A sample is of entries that are there, each of them once. */
static void model_sample(struct model *model)
{
    void *sample[8];
    size_t want = 1 + random_below(&model->random, 8);
    size_t count = dict_sample(&model->dict, &model->random, sample, want);

    assert_true(count <= want && (count > 0) == (model->count > 0));
    for (size_t i = 0; i < count; i++) {
        struct item *item = sample[i];

        assert_ptr_equal(model->items[item->id], item);
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(sample[j], item);
    }
}

/* The dict's own invariants, every entry looked up, and all of them walked. */
static void model_check(struct model *model)
{
    struct dict_iter iter;
    size_t walked = 0;

    dict_check(&model->dict);
    for (uint32_t id = 0; id < model->id_count; id++)
        model_expect(model, id);
    dict_iter_init(&iter, &model->dict);
    while (dict_iter_next(&iter))
        walked++;
    assert_int_equal(walked, model->count);
    assert_int_equal(dict_random(&model->dict, &model->random) != NULL, walked != 0);
    model_sample(model);
}

/* Fills the model from one end to the other and empties it again, over and over. */
static void model_step(struct model *model, size_t step)
{
    uint32_t id = (uint32_t)random_below(&model->random, model->id_count);
    uint64_t choice = random_below(&model->random, 100);
    bool is_filling = step / model->id_count % 4 < 2;

    if (choice < 70 && (model->items[id] == NULL) == is_filling)
        (is_filling ? model_insert : model_remove)(model, id);
    else if (choice < 80 && model->items[id] == NULL)
        model_insert(model, id);
    else if (choice < 84 && model->items[id])
        model_remove(model, id);
    else if (choice < 88 && model->items[id])
        model_move(model, id);
    else if (choice < 94)
        dict_step(&model->dict, 1 + random_below(&model->random, 8));
    else if (choice == 94)
        dict_allow_resize(&model->dict, random_below(&model->random, 4) != 0);
    else
        model_expect(model, id);
}

static void random_run(hash_function *hash, uint32_t id_count, size_t steps, size_t check_every)
{
    struct model *model = calloc(1, sizeof *model);

    model_init(model, hash, id_count);
    for (size_t step = 0; step < steps; step++) {
        model_step(model, step);
        assert_int_equal(dict_size(&model->dict), model->count);
        if (step % check_every == 0)
            dict_check(&model->dict);
        if (step % id_count == 0)
            model_check(model);
    }
    model_release(model);
    free(model);
}

static void a_small_random_run_agrees_with_the_model(void **state)
{
    random_run(good_hash, 20, RANDOM_STEPS(100000), 1);
    random_run(good_hash, 150, RANDOM_STEPS(100000), 1);
}

static void a_large_random_run_agrees_with_the_model(void **state)
{
    random_run(good_hash, IDS_MAX, RANDOM_STEPS(1000000), 500);
}

static void hashes_with_equal_top_bits_stay_correct(void **state)
{
    random_run(zero_top_hash, 300, RANDOM_STEPS(30000), 5);
    random_run(one_top_hash, 300, RANDOM_STEPS(30000), 5);
}

static void few_distinct_hashes_stay_correct(void **state)
{
    random_run(few_hash, 300, RANDOM_STEPS(30000), 5);
}

static void identical_hashes_stay_correct_beyond_what_a_count_holds(void **state)
{
    random_run(single_hash, 100, RANDOM_STEPS(30000), 5);
    random_run(single_hash, 400, RANDOM_STEPS(30000), 5);
}

static void hashes_at_the_boundaries_of_buckets_stay_correct(void **state)
{
    random_run(boundary_hash, 600, RANDOM_STEPS(50000), 5);
}

static void a_bucket_starts_at_its_smallest_hash(void **state)
{
    struct random random;

    random_init(&random, 5);
    for (int i = 0; i < 100000; i++) {
        struct dict_table table = {
            .bucket_count = 1 + (random_next(&random) >> 20 >> random_below(&random, 44))};
        uint64_t bucket = random_below(&random, table.bucket_count);
        uint64_t start = dict_bucket_start(&table, bucket);
        uint64_t last = dict_bucket_last(&table, bucket);

        assert_true(dict_home(&table, start) == bucket);
        assert_true(start == 0 || dict_home(&table, start - 1) == bucket - 1);
        assert_true(dict_home(&table, last) == bucket);
        assert_true(last == UINT64_MAX || dict_home(&table, last + 1) == bucket + 1);
    }
}

/* --- many entries -------------------------------------------------------------------------- */

/* Items 0 .. count - 1 in one array, none of them freed before the crowd is. */
struct crowd {
    struct dict dict;
    struct item *items;
    uint32_t count, capacity;
};

static void crowd_init(struct crowd *crowd, uint32_t capacity)
{
    *crowd = (struct crowd){.items = malloc(capacity * sizeof(struct item)), .capacity = capacity};
    assert_non_null(crowd->items);
    dict_init(&crowd->dict, &item_type);
}

static void crowd_release(struct crowd *crowd)
{
    dict_release(&crowd->dict);
    free(crowd->items);
}

static void crowd_add(struct crowd *crowd, uint32_t count)
{
    for (uint32_t end = crowd->count + count; crowd->count < end; crowd->count++) {
        struct item *item = &crowd->items[crowd->count];

        assert_true(crowd->count < crowd->capacity);
        *item = (struct item){good_hash(crowd->count), crowd->count};
        dict_insert(&crowd->dict, item->hash, item);
    }
}

static void remove_item(struct dict *dict, const struct item *item)
{
    dict_remove(dict, item->hash, dict_find_slot(dict, item->hash, item_has_id, &item->id));
}

/* Removes the newest. */
static void crowd_drop(struct crowd *crowd, uint32_t count)
{
    for (; count; count--)
        remove_item(&crowd->dict, &crowd->items[--crowd->count]);
}

/* Adds until a resize has come so far. */
static void crowd_add_until_moved(struct crowd *crowd, unsigned percent)
{
    do
        crowd_add(crowd, 1);
    while (!dict_is_resizing(&crowd->dict) ||
           crowd->dict.moved * 100 < crowd->dict.table[0].bucket_count * percent);
}

static bool crowd_finds_all(const struct crowd *crowd)
{
    for (uint32_t id = 0; id < crowd->count; id++)
        if (dict_find(&crowd->dict, good_hash(id), item_has_id, &id) != &crowd->items[id])
            return false;
    return true;
}

static void growing_and_shrinking_keep_every_entry(void **state)
{
    struct crowd crowd;

    crowd_init(&crowd, 100000);
    crowd_add(&crowd, 100000);
    assert_true(crowd_finds_all(&crowd));
    dict_check(&crowd.dict);
    uint64_t grown_count = crowd.dict.table[0].bucket_count;

    crowd_drop(&crowd, 99000);
    while (dict_step(&crowd.dict, 50))
        ;
    assert_true(crowd_finds_all(&crowd));
    dict_check(&crowd.dict);
    assert_true(crowd.dict.table[0].bucket_count < grown_count / 30);
    crowd_release(&crowd);
}

/* However much is gone when the shrink begins, the inserts that move it on do not fill the smaller
 * table before. */
static void a_shrink_that_meets_many_inserts_ends_in_time(void **state)
{
    for (uint32_t left = 100; left < 20000; left = left * 5 / 2) {
        struct crowd crowd;

        crowd_init(&crowd, 100000);
        crowd_add(&crowd, 60000);
        crowd_drop(&crowd, 60000 - left);
        dict_step(&crowd.dict, 1);
        assert_true(dict_is_resizing(&crowd.dict));
        assert_true(crowd.dict.table[1].bucket_count < crowd.dict.table[0].bucket_count);
        while (dict_is_resizing(&crowd.dict))
            crowd_add(&crowd, 1);
        assert_true(crowd.count * 10 <= crowd.dict.table[0].bucket_count * USABLE_SLOTS * 9);
        crowd_add(&crowd, 30000);
        assert_true(crowd_finds_all(&crowd));
        dict_check(&crowd.dict);
        crowd_release(&crowd);
    }
}

static void an_emptied_dict_gives_its_table_back(void **state)
{
    size_t used_before = mem_used();
    struct crowd crowd;

    crowd_init(&crowd, 30000);
    for (uint32_t count = 1; count <= 30000; count = count * 5 + 2) {
        crowd_add(&crowd, count);
        crowd_drop(&crowd, count);
        while (dict_step(&crowd.dict, 50))
            ;
        assert_int_equal(dict_memory(&crowd.dict), 0);
        assert_int_equal(mem_used(), used_before);
    }
    crowd_release(&crowd);
}

static void releasing_in_the_middle_of_a_resize_gives_everything_back(void **state)
{
    size_t used_before = mem_used();
    struct crowd crowd;

    crowd_init(&crowd, 200000);
    crowd_add(&crowd, 100000);
    crowd_add_until_moved(&crowd, 50);
    assert_int_equal(mem_used() - used_before, dict_memory(&crowd.dict));
    crowd_release(&crowd);
    assert_int_equal(mem_used(), used_before);
}

/* A child shares the pages: nothing may move, until lookups would suffer too much. */
static void a_forbidden_resize_stands_still(void **state)
{
    struct crowd crowd;

    crowd_init(&crowd, 400000);
    crowd_add(&crowd, 100000);
    crowd_add_until_moved(&crowd, 1);
    dict_allow_resize(&crowd.dict, false);
    uint64_t frontier = crowd.dict.frontier;
    crowd_drop(&crowd, 20000);
    crowd_add(&crowd, 10000);
    assert_false(dict_step(&crowd.dict, 100));
    assert_true(crowd.dict.frontier == frontier);
    dict_check(&crowd.dict);

    crowd_add(&crowd, 200000);
    assert_true(crowd_finds_all(&crowd));
    dict_check(&crowd.dict);
    crowd_release(&crowd);
}

static void while_a_snapshot_child_lives_no_resize_begins(void **state)
{
    struct crowd crowd;

    crowd_init(&crowd, 100000);
    dict_reserve(&crowd.dict, 50000);
    crowd_add(&crowd, 48000);
    mem_set_snapshot_child(true);
    crowd_add(&crowd, 3000);
    assert_false(dict_is_resizing(&crowd.dict));
    crowd_drop(&crowd, 45000);
    assert_false(dict_step(&crowd.dict, 100));
    mem_set_snapshot_child(false);
    assert_true(dict_step(&crowd.dict, 100));
    assert_true(crowd_finds_all(&crowd));
    crowd_release(&crowd);
}

static void a_forbidden_growth_begins_when_nearly_full(void **state)
{
    struct crowd crowd;

    crowd_init(&crowd, 100000);
    dict_reserve(&crowd.dict, 50000);
    dict_allow_resize(&crowd.dict, false);
    uint64_t bucket_count = crowd.dict.table[0].bucket_count;
    uint32_t nearly_full = (uint32_t)(bucket_count * USABLE_SLOTS * 9 / 10);
    crowd_add(&crowd, nearly_full);
    assert_false(dict_is_resizing(&crowd.dict));
    crowd_add(&crowd, 1);
    assert_true(dict_is_resizing(&crowd.dict));
    crowd_add(&crowd, nearly_full / 2);
    assert_true(crowd.dict.table[0].bucket_count > bucket_count);
    assert_true(crowd_finds_all(&crowd));
    crowd_release(&crowd);
}

static void a_reserved_dict_does_not_grow(void **state)
{
    struct crowd crowd;

    crowd_init(&crowd, 70000);
    dict_reserve(&crowd.dict, 30000);
    crowd_add(&crowd, 30000);
    assert_false(dict_is_resizing(&crowd.dict));
    dict_reserve(&crowd.dict, 60000);
    dict_reserve(&crowd.dict, 50000); /* there is room already */
    const struct dict_bucket *buckets = crowd.dict.table[0].buckets;
    crowd_add(&crowd, 30000);
    assert_ptr_equal(crowd.dict.table[0].buckets, buckets);
    assert_true(crowd_finds_all(&crowd));
    dict_check(&crowd.dict);
    crowd_release(&crowd);
}

/* --- costs --------------------------------------------------------------------------------- */

static void one_insert_moves_few_buckets(void **state)
{
#ifdef TERN_STRESS
    const uint64_t moves_max = MOVE_PER_CHANGE * 4; /* tables so narrow are crowded now and then */
#else
    const uint64_t moves_max = MOVE_PER_CHANGE;
#endif
    struct crowd crowd;

    crowd_init(&crowd, 200000);
    while (crowd.count < crowd.capacity) {
        uint64_t moved = crowd.dict.moved, bucket_count = crowd.dict.table[0].bucket_count;
        crowd_add(&crowd, 1);
        if (crowd.dict.table[0].bucket_count == bucket_count)
            assert_true(crowd.dict.moved - moved <= moves_max);
        else /* the last buckets were moved */
            assert_true(bucket_count - moved <= moves_max || bucket_count <= MOVE_AT_ONCE);
    }
    crowd_release(&crowd);
}

/* 300000 entries pass the size from which positions are made of other bits. That costs one question
 * per entry; else a growth needs to ask for few. */
static void a_growth_asks_few_entries_for_their_hashes(void **state)
{
    struct crowd crowd;

    crowd_init(&crowd, RANDOM_STEPS(2000000));
    crowd_add(&crowd, RANDOM_STEPS(600000));
    hashes_asked = 0;
    crowd_add(&crowd, RANDOM_STEPS(1400000));
#ifdef TERN_STRESS
    assert_true(hashes_asked > 0);
#else
    assert_true(hashes_asked < 1400000 / 20);
#endif
    dict_check(&crowd.dict);
    crowd_release(&crowd);
}

#ifndef TERN_STRESS
static void a_small_dict_is_one_bucket(void **state)
{
    struct crowd crowd;

    crowd_init(&crowd, 7);
    crowd_add(&crowd, 7);
    assert_int_equal(dict_memory(&crowd.dict), mem_block_size(64));
    dict_check(&crowd.dict);
    crowd_release(&crowd);
}

/* 80% full is 11.4 bytes an entry, a growth makes it 13.7; the rest are pieces and the tail. */
static void memory_stays_under_14_3_bytes_an_entry(void **state)
{
    struct crowd crowd;
    double worst = 0;

    crowd_init(&crowd, 1800000);
    crowd_add(&crowd, 300000);
    while (crowd.count < crowd.capacity) {
        crowd_add(&crowd, 100);
        double bytes = (double)dict_memory(&crowd.dict) / crowd.count;
        worst = bytes > worst ? bytes : worst;
    }
    assert_true(worst < 14.3);
    crowd_release(&crowd);
}
#endif

/* --- walks --------------------------------------------------------------------------------- */

struct seen {
    struct crowd *crowd;
    uint32_t times[200000]; /* by id */
};

static void see(void *context, void *entry)
{
    struct seen *seen = context;

    seen->times[((struct item *)entry)->id]++;
}

static struct seen *seen_new(struct crowd *crowd)
{
    struct seen *seen = calloc(1, sizeof *seen);

    assert_non_null(seen);
    seen->crowd = crowd;
    return seen;
}

static void expect_each_once(const struct seen *seen, uint32_t begin, uint32_t end)
{
    for (uint32_t id = begin; id < end; id++)
        assert_int_equal(seen->times[id], 1);
}

static void a_quiet_scan_sees_each_entry_once(void **state)
{
    struct crowd crowd;

    crowd_init(&crowd, 100000);
    for (int round = 0; crowd.count < 20000; round++) {
        struct seen *seen = seen_new(&crowd);
        uint64_t cursor = 0, before;

        crowd_add(&crowd, 1 + crowd.count / 3);
        if (round % 2)
            crowd_add_until_moved(&crowd, 50);
        do {
            before = cursor;
            cursor = dict_scan(&crowd.dict, cursor, see, seen);
            assert_true(cursor < UINT64_C(1) << 48);
            assert_true(cursor == 0 || cursor > before);
        } while (cursor);
        expect_each_once(seen, 0, crowd.count);
        free(seen);
    }
    crowd_release(&crowd);
}

static void any_number_is_a_cursor(void **state)
{
    struct crowd crowd;
    struct random random;
    struct seen *seen = seen_new(&crowd);

    random_init(&random, 1);
    crowd_init(&crowd, 100000);
    assert_int_equal(dict_scan(&crowd.dict, 12345, see, seen), 0);
    crowd_add(&crowd, 3000);
    crowd_add_until_moved(&crowd, 50);
    for (int i = 0; i < 10000; i++) {
        uint64_t cursor = random_next(&random) >> random_below(&random, 64);
        uint64_t next = dict_scan(&crowd.dict, cursor, see, seen);
        assert_true(next == 0 || next > (cursor & ((UINT64_C(1) << 48) - 1)));
    }
    assert_int_equal(dict_scan(&crowd.dict, UINT64_MAX, see, seen), 0);
    free(seen);
    crowd_release(&crowd);
}

/* The first 1000 stay while others come and go in waves, so that the table grows and shrinks. Waves
 * differ in length, for the frontier to meet the cursor everywhere. */
static void a_scan_sees_what_stays_across_resizes(void **state)
{
    struct crowd crowd;
    struct random random;

    random_init(&random, 2);
    for (uint32_t wave = 4000; wave < 20000; wave = wave * 3 / 2) {
        struct seen *seen = seen_new(&crowd);
        bool is_coming = true;
        unsigned resizes = 0;
        uint64_t cursor = 0;

        crowd_init(&crowd, 21000 + wave);
        crowd_add(&crowd, 1000);
        do {
            uint64_t bucket_count = crowd.dict.table[0].bucket_count;
            cursor = dict_scan(&crowd.dict, cursor, see, seen);
            for (uint64_t i = random_below(&random, 200); i; i--) {
                is_coming = crowd.count == 1000 ? true : crowd.count > wave ? false : is_coming;
                (is_coming ? crowd_add : crowd_drop)(&crowd, 1);
                if (!is_coming)
                    dict_step(&crowd.dict, 3);
            }
            resizes += crowd.dict.table[0].bucket_count != bucket_count;
        } while (cursor);
        assert_true(resizes > 5);
        for (uint32_t id = 0; id < 1000; id++)
            assert_true(seen->times[id] > 0);
        free(seen);
        crowd_release(&crowd);
    }
}

static void see_and_remove(void *context, void *entry)
{
    struct seen *seen = context;

    see(context, entry);
    remove_item(&seen->crowd->dict, entry);
}

static void a_scan_may_remove_what_it_emits(void **state)
{
    struct crowd crowd;
    uint64_t cursor = 0;
    struct seen *seen = seen_new(&crowd);

    crowd_init(&crowd, 50000);
    crowd_add(&crowd, 20000);
    crowd_add_until_moved(&crowd, 50);
    do {
        cursor = dict_scan(&crowd.dict, cursor, see_and_remove, seen);
        dict_step(&crowd.dict, 2);
    } while (cursor);
    expect_each_once(seen, 0, crowd.count);
    assert_int_equal(dict_size(&crowd.dict), 0);
    dict_check(&crowd.dict);
    free(seen);
    crowd_release(&crowd);
}

/* One home for all: more than a scan gathers without allocating. */
static void a_scan_emits_any_number_of_equal_hashes_at_once(void **state)
{
    struct crowd crowd;
    struct seen *seen = seen_new(&crowd);

    crowd_init(&crowd, 500);
    for (uint32_t id = 0; id < 500; id++) {
        crowd.items[id] = (struct item){single_hash(id), id};
        dict_insert(&crowd.dict, single_hash(id), &crowd.items[id]);
    }
    dict_scan(&crowd.dict, single_hash(0) >> 16, see_and_remove, seen);
    expect_each_once(seen, 0, 500);
    dict_check(&crowd.dict);
    free(seen);
    crowd_release(&crowd);
}

static void move_to_twin(void *context, struct dict_slot *slot)
{
    const struct crowd *from = ((void **)context)[0];
    struct item *twins = ((void **)context)[1], *item = dict_slot_entry(slot);

    if (item < from->items || item >= from->items + from->count)
        return; /* moved already */
    twins[item->id] = *item;
    dict_slot_move(slot, &twins[item->id]);
}

static void a_scan_of_slots_can_move_every_entry(void **state)
{
    struct crowd crowd;
    uint64_t cursor = 0;

    crowd_init(&crowd, 50000);
    crowd_add(&crowd, 20000);
    crowd_add_until_moved(&crowd, 50);
    struct item *twins = malloc(crowd.capacity * sizeof *twins);
    void *context[] = {&crowd, twins};
    do
        cursor = dict_scan_slots(&crowd.dict, cursor, move_to_twin, context);
    while (cursor);
    free(crowd.items);
    crowd.items = twins;
    assert_true(crowd_finds_all(&crowd));
    dict_check(&crowd.dict);
    crowd_release(&crowd);
}

static void an_iterator_returns_each_entry_once(void **state)
{
    struct crowd crowd;

    crowd_init(&crowd, 100000);
    for (int round = 0; crowd.count < 20000; round++) {
        struct seen *seen = seen_new(&crowd);
        struct dict_iter iter;
        void *entry;

        dict_iter_init(&iter, &crowd.dict);
        while ((entry = dict_iter_next(&iter)))
            see(seen, entry);
        assert_null(dict_iter_next(&iter));
        expect_each_once(seen, 0, crowd.count);
        crowd_add(&crowd, 1 + crowd.count * 2 / 3);
        if (round % 2)
            crowd_add_until_moved(&crowd, 50);
        free(seen);
    }
    crowd_release(&crowd);
}

/* --- random -------------------------------------------------------------------------------- */

/* Draws 50 times an entry on average. With k degrees of freedom chi-square has the mean k and the
 * deviation sqrt(2k). */
static void expect_fair_choice(const struct crowd *crowd)
{
    struct seen *seen = seen_new(NULL);
    struct random random;
    double chi_square = 0, freedom = crowd->count - 1;

    random_init(&random, 3);
    for (uint32_t i = 0; i < crowd->count * 50; i++)
        see(seen, dict_random(&crowd->dict, &random));
    for (uint32_t id = 0; id < crowd->count; id++) {
        double off = seen->times[id] - 50.0;
        chi_square += off * off / 50;
    }
    double off = chi_square - freedom;
    assert_true(off * off < 4 * 4 * 2 * freedom);
    free(seen);
}

static void a_random_entry_is_any_with_the_same_chance(void **state)
{
    struct crowd crowd;

    crowd_init(&crowd, 10000);
    crowd_add(&crowd, 1000);
    expect_fair_choice(&crowd);
    crowd_add_until_moved(&crowd, 50);
    expect_fair_choice(&crowd);
    crowd_drop(&crowd, crowd.count - 300);
    expect_fair_choice(&crowd);
    crowd_release(&crowd);
}

static void a_random_entry_of_a_nearly_empty_table_is_found(void **state)
{
    struct crowd crowd;
    struct random random;

    random_init(&random, 4);
    crowd_init(&crowd, 100000);
    assert_null(dict_random(&crowd.dict, &random));
    crowd_add(&crowd, 100000);
    dict_allow_resize(&crowd.dict, false);
    crowd_drop(&crowd, 99997);
    for (int i = 0; i < 100; i++)
        assert_in_range(((struct item *)dict_random(&crowd.dict, &random))->id, 0, 2);
    crowd_release(&crowd);
}

/* --- the list ------------------------------------------------------------------------------ */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_random_run_agrees_with_the_model),
        cmocka_unit_test(a_large_random_run_agrees_with_the_model),
        cmocka_unit_test(hashes_with_equal_top_bits_stay_correct),
        cmocka_unit_test(few_distinct_hashes_stay_correct),
        cmocka_unit_test(identical_hashes_stay_correct_beyond_what_a_count_holds),
        cmocka_unit_test(hashes_at_the_boundaries_of_buckets_stay_correct),
        cmocka_unit_test(a_bucket_starts_at_its_smallest_hash),
        cmocka_unit_test(growing_and_shrinking_keep_every_entry),
        cmocka_unit_test(a_shrink_that_meets_many_inserts_ends_in_time),
        cmocka_unit_test(an_emptied_dict_gives_its_table_back),
        cmocka_unit_test(releasing_in_the_middle_of_a_resize_gives_everything_back),
        cmocka_unit_test(a_forbidden_resize_stands_still),
        cmocka_unit_test(while_a_snapshot_child_lives_no_resize_begins),
        cmocka_unit_test(a_forbidden_growth_begins_when_nearly_full),
        cmocka_unit_test(a_reserved_dict_does_not_grow),
        cmocka_unit_test(one_insert_moves_few_buckets),
        cmocka_unit_test(a_growth_asks_few_entries_for_their_hashes),
#ifndef TERN_STRESS
        cmocka_unit_test(a_small_dict_is_one_bucket),
        cmocka_unit_test(memory_stays_under_14_3_bytes_an_entry),
#endif
        cmocka_unit_test(a_quiet_scan_sees_each_entry_once),
        cmocka_unit_test(any_number_is_a_cursor),
        cmocka_unit_test(a_scan_sees_what_stays_across_resizes),
        cmocka_unit_test(a_scan_may_remove_what_it_emits),
        cmocka_unit_test(a_scan_emits_any_number_of_equal_hashes_at_once),
        cmocka_unit_test(a_scan_of_slots_can_move_every_entry),
        cmocka_unit_test(an_iterator_returns_each_entry_once),
        cmocka_unit_test(a_random_entry_is_any_with_the_same_chance),
        cmocka_unit_test(a_random_entry_of_a_nearly_empty_table_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
