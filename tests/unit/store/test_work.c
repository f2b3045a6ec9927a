/* Housekeeping: every piece of it is short, and all is done in the end. */
#include "unit.h"

#include "store_rig.h"

#include "store/value.h"
#include "types/hash_value.h"
#include "types/set.h"
#include "types/stream.h"

/* Whatever there is to do, a slice without any time does a piece of it, and all is done in the end.
 */
static void slices_without_time_do_everything_in_the_end(void **state)
{
    size_t keys = RANDOM_STEPS(20000), calls = 0;
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct key_ref ref;

    fill(&store->dbs[0], keys, 100);
    add_list(&store->dbs[1], BYTES("list"), 2000);
    ref = find(&store->dbs[1], BYTES("list"), LOOKUP_WRITE);
    store_remove(&ref);
    store_flush(&store->dbs[0]);
    fill(&store->dbs[2], keys, 10);
    for (size_t i = 0; i < keys; i++) {
        char name[32];
        struct bytes key = {name, (size_t)snprintf(name, sizeof name, "key:%zu", i)};

        ref = find(&store->dbs[2], key, LOOKUP_WRITE);
        store_set_deadline(&ref, NOW_MS + 1);
    }
    clock_advance(&rig.clock, 2);
    assert_true(store_pending_frees(store) >= 2);
    while (store_work(store, 0))
        assert_true(++calls < 100 * keys);
    assert_int_equal(store_pending_frees(store), 0);
    assert_int_equal(store_size(&store->dbs[2]), 0);
    assert_true(store_overhead(&store->dbs[2]) < 16384);
    assert_false(store_work(store, INT64_MAX));
    store_rig_release(&rig);
}

static void what_there_is_nothing_to_do_for_says_so(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);

    work_until_done(store);
    for (int i = 0; i < 20; i++) {
        int calls = 0;

        while (store_work(store, 0))
            assert_true(++calls < 20);
        assert_false(store_work(store, 1000000));
    }
    store_rig_release(&rig);
}

/* While a great many keys expire, what was removed is freed all the same. */
static void no_kind_of_work_starves_another(void **state)
{
    size_t keys = RANDOM_STEPS(100000), calls = 0;
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct key_ref ref;

    for (size_t i = 0; i < keys; i++) {
        char name[32];

        set(&store->dbs[0], (struct bytes){name, (size_t)snprintf(name, sizeof name, "%zu", i)},
            BYTES("v"), NOW_MS + 1);
    }
    clock_advance(&rig.clock, 2);
    add_list(&store->dbs[1], BYTES("list"), 500);
    ref = find(&store->dbs[1], BYTES("list"), LOOKUP_WRITE);
    store_remove(&ref);
    while (store_pending_frees(store)) {
        assert_true(store_work(store, 0));
        assert_true(++calls < 500);
    }
    assert_true(store_size(&store->dbs[0]) > 0);
    work_until_done(store);
    assert_int_equal(store_size(&store->dbs[0]), 0);
    store_rig_release(&rig);
}

static void a_long_list_is_freed_in_slices(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    size_t empty = mem_used(), before, calls = 0;
    struct key_ref ref;

    add_list(db, BYTES("long"), 5000);
    before = mem_used();
    ref = find(db, BYTES("long"), LOOKUP_WRITE);
    store_remove(&ref);
    assert_int_equal(store_size(db), 0);
    assert_int_equal(store_pending_frees(store), 1);
    assert_true(mem_used() > before / 2); /* nothing of it is gone yet */
    while (store_pending_frees(store)) {
        size_t used = mem_used();

        store_work(store, 0);
        assert_true(used - mem_used() < 100 * 16384);
        calls++;
    }
    assert_true(calls > 20);
    assert_true(mem_used() < empty + 1024);
    add_list(db, BYTES("short"), 5);
    ref = find(db, BYTES("short"), LOOKUP_WRITE);
    store_remove(&ref);
    assert_int_equal(store_pending_frees(store), 0);
    store_rig_release(&rig);
}

static void a_flush_leaves_the_freeing_for_later(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    size_t before;

    fill(db, RANDOM_STEPS(20000), 100);
    add_list(db, BYTES("list"), 500);
    set(db, BYTES("old"), BYTES("v"), NOW_MS + 1);
    before = mem_used();
    store_flush(db);
    assert_int_equal(store_size(db), 0);
    assert_int_equal(store_expiring(db), 0);
    assert_true(mem_used() >= before);
    /* The new table is at work while the old one goes; what stood in the old one does not expire.
     */
    set(db, BYTES("new"), BYTES("v"), NOW_MS + 1000);
    for (int i = 0; i < 5; i++) {
        store_work(store, 0);
        store_check(db);
    }
    clock_advance(&rig.clock, 500);
    work_until_done(store);
    assert_int_equal(store->stats.expired, 0);
    assert_int_equal(store_size(db), 1);
    assert_true(mem_used() < before / 2);
    assert_non_null(find(db, BYTES("new"), LOOKUP_READ).entry);

    fill(db, RANDOM_STEPS(20000), 100);
    store_rig_release(&rig);
}

static void one_can_wait_for_what_was_given_up_to_now(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    uint64_t first, second;

    assert_true(store_is_freed(store, store_freeing_number(store)));
    fill(db, 1000, 10);
    add_list(db, BYTES("a"), 5000);
    add_list(db, BYTES("b"), 5000);
    store_flush(db);
    first = store_freeing_number(store);
    fill(db, 1000, 10);
    add_list(db, BYTES("c"), 5000);
    store_flush(db);
    second = store_freeing_number(store);
    assert_true(second > first);
    assert_false(store_is_freed(store, first));
    while (!store_is_freed(store, first)) {
        assert_false(store_is_freed(store, second));
        assert_false(store_free_now(store, 0));
    }
    assert_int_equal(store_pending_frees(store), 1); /* the lists of the first went with it */
    while (!store_free_now(store, 0))
        assert_false(store_is_freed(store, second));
    assert_true(store_is_freed(store, second));
    store_rig_release(&rig);
}

struct heard {
    const char *events[2];
    int count;
};

static struct heard heard;

static void spend_time(void *context, struct db *db, struct bytes key)
{
    uint64_t start_ns = clock_work_ns();

    while (clock_work_ns() - start_ns < 2 * STORE_SLOW_NS)
        ;
}

static void hear(void *context, const char *event, uint64_t ns)
{
    assert_true(ns >= 2 * STORE_SLOW_NS);
    assert_true(heard.count < 2);
    heard.events[heard.count++] = event;
}

static void slow_housekeeping_is_told(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];

    heard = (struct heard){0};
    store->observer.was_slow = hear;
    store->observer.expired = spend_time;
    store->observer.evicted = spend_time;
    set(db, BYTES("old"), BYTES("v"), NOW_MS + 1);
    clock_advance(&rig.clock, 2);
    store_work(store, 0);
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.events[0], "expire-cycle");

    fill(db, 10, 100);
    store->settings.policy = EVICT_ALLKEYS_RANDOM;
    store->settings.eviction_tenacity = 0;
    store_limit_memory(store, 1);
    store_evict(store);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.events[1], "eviction-cycle");
    store_limit_memory(store, 0);
    store->observer.was_slow = NULL;
    store_rig_release(&rig);
}

static void a_store_may_be_freed_with_work_left(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct key_ref ref;

    fill(&store->dbs[0], 5000, 600);
    store_flush(&store->dbs[0]);
    add_list(&store->dbs[1], BYTES("list"), 500);
    ref = find(&store->dbs[1], BYTES("list"), LOOKUP_WRITE);
    store_remove(&ref);
    fill(&store->dbs[2], 5000, 10);
    store_rig_release(&rig);
}

/* Deletes half of the keys at random; the blocks that are left move together, so that pages become
 * empty and go back to the kernel. */
static void blocks_left_here_and_there_move_together(void **state)
{
    size_t keys = 400000, left = 0, committed;
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    uint64_t start_ns = clock_work_ns();
    char name[32];

#ifdef TERN_STRESS
    keys = 150000; /* enough waste for a pass to be worth it */
#endif
    fill(db, keys, 64);
    for (size_t i = 0; i < keys; i++) {
        struct bytes key = {name, (size_t)snprintf(name, sizeof name, "key:%zu", i)};
        struct key_ref ref = find(db, key, LOOKUP_WRITE);

        if (random_below(&rig.random, 2))
            store_remove(&ref);
        else if (i % 8 == 0)
            store_set_deadline(&ref, NOW_MS + 1000000 + (int64_t)i);
    }
    left = store_size(db);
    committed = mem_committed();
    assert_true(committed > mem_used() + (8u << 20));
    do {
        while (store_work(store, 250000))
            ;
    } while (store->stats.moved == 0 && clock_work_ns() - start_ns < 3000000000u);
    assert_true(store->stats.moved > left / 8);
    assert_true(mem_committed() < committed - committed / 4);
    assert_int_equal(store_size(db), left);
    store_check(db);
    random_init(&rig.random, 1);
    for (size_t i = 0; i < keys; i++) {
        struct bytes key = {name, (size_t)snprintf(name, sizeof name, "key:%zu", i)};
        struct key_ref ref = find(db, key, LOOKUP_READ);
        char text[INT64_TEXT_MAX];

        if (random_below(&rig.random, 2)) {
            assert_null(ref.entry);
            continue;
        }
        assert_int_equal(string_get(ref.entry, text).len, 64);
        assert_true(entry_deadline(ref.entry) ==
                    (i % 8 == 0 ? NOW_MS + 1000000 + (int64_t)i : NO_DEADLINE));
    }
    store_rig_release(&rig);
}

static void a_million_keys_may_expire_in_one_millisecond(void **state)
{
    size_t keys = RANDOM_STEPS(1000000), calls = 0, size;
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[1];
    char name[32];

    for (size_t i = 0; i < keys; i++)
        set(db, (struct bytes){name, (size_t)snprintf(name, sizeof name, "key:%zu", i)}, BYTES("v"),
            NOW_MS + 5000);
    set(db, BYTES("later"), BYTES("v"), NOW_MS + 5001);
    clock_advance(&rig.clock, 5001);
    size = store_size(db);
    while (store_work(store, 0)) { /* one piece a call: no call takes long */
        assert_true(size - store_size(db) <= 64);
        size = store_size(db);
        calls++;
        if (size == keys / 2 && calls % 64 == 0)
            store_check(db);
    }
    assert_int_equal(store_size(db), 1);
    assert_int_equal(store->stats.expired, keys);
    clock_advance(&rig.clock, 1);
    work_until_done(store);
    assert_int_equal(store_size(db), 0);
    assert_true(store_overhead(db) < 16384);
    store_rig_release(&rig);
}

/* ---- the blocks of values ---- */

#define MOVED_ELEMENTS 60000
#define MOVED_STEPS    5 /* between two changes */

struct moved {
    struct hash *hash;
    struct set *set;
    struct list *list;
    struct stream *stream;
    uint64_t cursors[VALUE_TYPE_COUNT];
    size_t count, passes[VALUE_TYPE_COUNT];
};

static struct bytes name_of(char *name, const char *kind, size_t i)
{
    return (struct bytes){name, (size_t)snprintf(name, 32, "%s%zu", kind, i)};
}

static void moved_fill(struct moved *moved, size_t elements)
{
    char field[32], value[64];

    *moved = (struct moved){hash_new(), set_new(), list_new(), stream_new(), {0}, 0, {0}};
    for (size_t i = 0; i < elements; i++) {
        struct bytes pair[2] = {name_of(field, "f", i), name_of(value, "value", i)};

        hash_set(moved->hash, hashed(pair[0]), pair[1], false);
        if (i % 8 == 0)
            hash_set_deadline(moved->hash, pair[0], NOW_MS + (int64_t)i);
        set_add(moved->set, hashed(pair[0]));
        list_push(moved->list, LIST_TAIL, pair[1]);
        stream_append(moved->stream, (struct stream_id){1 + i, 1}, pair, 1, (struct stream_limits){200, 0});
    }
}

static void moved_step(struct moved *moved, enum value_type type, void *value)
{
    const struct value_ops *ops = value_ops_of(type);

    moved->cursors[type] = ops->move_step(value, moved->cursors[type], &moved->count);
    moved->passes[type] += moved->cursors[type] == 0;
}

static void moved_check(const struct moved *moved, const bool *is_gone, size_t elements)
{
    char field[32], text[64];
    struct list_iter iter;
    struct bytes value;
    size_t left = 0;

    hash_check(moved->hash);
    set_check(moved->set);
    list_check(moved->list);
    stream_check(moved->stream);
    list_iter_init(&iter, moved->list, 0, LIST_TAIL);
    for (size_t i = 0; i < elements; i++) {
        struct bytes name = name_of(field, "f", i);
        int64_t deadline_ms;

        assert_int_equal(hash_get(moved->hash, hashed(name), &value), !is_gone[i]);
        assert_int_equal(set_has(moved->set, hashed(name)), !is_gone[i]);
        assert_int_equal(stream_has(moved->stream, (struct stream_id){1 + i, 1}), !is_gone[i]);
        if (is_gone[i])
            continue;
        left++;
        assert_true(bytes_equal(value, name_of(text, "value", i)));
        assert_true(hash_get_deadline(moved->hash, name, &deadline_ms));
        assert_true(deadline_ms == (i % 8 == 0 ? NOW_MS + (int64_t)i : HASH_NO_DEADLINE));
    }
    assert_int_equal(hash_size(moved->hash), left);
    assert_int_equal(list_size(moved->list), elements);
    for (size_t i = 0; i < elements; i++) {
        assert_true(list_iter_next(&iter, &value));
        assert_true(bytes_equal(value, name_of(text, "value", i)));
    }
}

/* In the midst of it elements go, so that tables shrink and blocks of a stream vanish. */
static void what_a_value_holds_survives_being_moved(void **state)
{
    size_t used = mem_used(), elements = RANDOM_STEPS(MOVED_ELEMENTS);
    bool *is_gone = calloc(elements, sizeof *is_gone);
    struct random random;
    struct moved moved;

    random_init(&random, 8);
    moved_fill(&moved, elements);
    for (size_t n = 0; n < 3 * elements; n++) {
        size_t i = random_below(&random, elements);
        struct bytes name;
        char field[32];

        if (n % MOVED_STEPS == 0) {
            moved_step(&moved, VALUE_HASH, moved.hash);
            moved_step(&moved, VALUE_SET, moved.set);
            moved_step(&moved, VALUE_LIST, moved.list);
            moved_step(&moved, VALUE_STREAM, moved.stream);
        }
        if (n % (elements / 2) == 0)
            moved_check(&moved, is_gone, elements);
        if (is_gone[i] || random_below(&random, 4) == 0)
            continue;
        name = name_of(field, "f", i);
        assert_true(hash_remove(moved.hash, hashed(name)));
        assert_true(set_remove(moved.set, hashed(name)));
        assert_true(stream_delete(moved.stream, (struct stream_id){1 + i, 1}));
        is_gone[i] = true;
    }
    moved_check(&moved, is_gone, elements);
    for (int type = VALUE_LIST; type < VALUE_TYPE_COUNT; type++)
        assert_true(type == VALUE_ZSET || moved.passes[type] > 0);
    assert_true(moved.count > 0);
    hash_free(moved.hash);
    set_free(moved.set);
    list_free(moved.list);
    stream_free(moved.stream);
    free(is_gone);
    assert_int_equal(mem_used(), used);
}

/* A value whose blocks are being moved goes, and its key gets another. */
static void a_value_may_go_while_it_is_moved(void **state)
{
    size_t keys = 60000;
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    char name[32], field[32];
    uint64_t start_ns = clock_work_ns();
    bool was_moving = false;

    fill(db, 5 * keys, 64); /* waste, so that a pass begins */
    for (size_t i = 0; i < 4 * keys; i++) {
        struct key_ref ref = find(db, name_of(name, "key:", i), LOOKUP_WRITE);

        if (i % 8)
            store_remove(&ref);
    }
    for (int round = 0; round < 8; round++) {
        struct key_ref ref = find(db, name_of(name, "large", (size_t)round), LOOKUP_WRITE);
        struct set *members = set_new();

        for (size_t i = 0; i < 2000; i++)
            set_add(members, hashed(name_of(field, "m", i)));
        store_add(&ref, name_of(name, "large", (size_t)round), VALUE_SET, members);
    }
    while (!was_moving && clock_work_ns() - start_ns < 5000000000u) {
        store_work(store, 0);
        was_moving = store->moving_count > 0;
    }
    assert_true(was_moving);
    for (int round = 0; round < 8; round++) {
        struct key_ref ref = find(db, name_of(name, "large", (size_t)round), LOOKUP_WRITE);

        if (round % 2)
            store_remove(&ref);
        else
            store_replace(&ref, name_of(name, "large", (size_t)round), VALUE_LIST, list_new());
    }
    while (store->is_moving)
        store_work(store, 0);
    assert_int_equal(store->moving_count, 0);
    store_check(db);
    store_rig_release(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_without_time_do_everything_in_the_end),
        cmocka_unit_test(what_there_is_nothing_to_do_for_says_so),
        cmocka_unit_test(no_kind_of_work_starves_another),
        cmocka_unit_test(a_long_list_is_freed_in_slices),
        cmocka_unit_test(a_flush_leaves_the_freeing_for_later),
        cmocka_unit_test(one_can_wait_for_what_was_given_up_to_now),
        cmocka_unit_test(slow_housekeeping_is_told),
        cmocka_unit_test(a_store_may_be_freed_with_work_left),
        cmocka_unit_test(blocks_left_here_and_there_move_together),
        cmocka_unit_test(a_million_keys_may_expire_in_one_millisecond),
        cmocka_unit_test(what_a_value_holds_survives_being_moved),
        cmocka_unit_test(a_value_may_go_while_it_is_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
