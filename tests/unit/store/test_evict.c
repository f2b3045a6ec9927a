/* Eviction: what goes is what the policy says, and no more than has to. */
#include "unit.h"

#include "store_rig.h"

#include "store/store_internal.h"

#define KEYS     RANDOM_STEPS(20000)
#define MINUTE   INT64_C(60000)
#define AN_HOUR  (60 * MINUTE)

static const int all_policies[] = {EVICT_VOLATILE_LRU, EVICT_VOLATILE_LFU, EVICT_VOLATILE_RANDOM, EVICT_VOLATILE_TTL,
                                   EVICT_ALLKEYS_LRU,  EVICT_ALLKEYS_LFU,  EVICT_ALLKEYS_RANDOM};

static struct bytes name_of(char out[32], size_t i)
{
    return (struct bytes){out, (size_t)snprintf(out, 32, "key:%zu", i)};
}

static bool is_there(struct db *db, size_t i)
{
    char name[32];
    struct bytes key = name_of(name, i);

    return store_peek(db, key, hash_bytes(key)) != NULL;
}

static void touch(struct db *db, size_t i)
{
    char name[32];

    find(db, name_of(name, i), LOOKUP_READ);
}

static void let_expire(struct db *db, size_t i, int64_t deadline_ms)
{
    char name[32];
    struct key_ref ref = find(db, name_of(name, i), LOOKUP_WRITE);

    store_set_deadline(&ref, deadline_ms);
}

/* Evicts one key after the other until 'keys' are left. */
static void evict_down_to(struct store *store, struct db *db, size_t keys)
{
    store->memory_limit = 1;
    while (store_size(db) > keys)
        assert_true(evict_piece(store));
    store->memory_limit = 0;
}

static size_t survivors(struct db *db, size_t from, size_t to)
{
    size_t count = 0;

    for (size_t i = from; i < to; i++)
        count += is_there(db, i);
    return count;
}

/* Half of the keys were used a minute ago, the others just now; half of the keys go. Chance would leave half of
 * each. */
static size_t recent_survivors(int policy)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 5);
    struct db *db = &store->dbs[0];
    size_t left;

    store->settings.policy = policy;
    fill(db, KEYS, 20);
    for (size_t i = 0; i < KEYS; i++)
        let_expire(db, i, NOW_MS + AN_HOUR);
    clock_advance(&rig.clock, MINUTE);
    store_tick(store);
    for (size_t i = 0; i < KEYS; i += 2)
        touch(db, i);
    evict_down_to(store, db, KEYS / 2);
    left = 0;
    for (size_t i = 0; i < KEYS; i += 2)
        left += is_there(db, i);
    store_rig_release(&rig);
    return left;
}

static void what_was_used_lately_stays_under_lru(void **state)
{
    assert_true(recent_survivors(EVICT_ALLKEYS_LRU) > KEYS / 2 * 85 / 100);
    assert_true(recent_survivors(EVICT_VOLATILE_LRU) > KEYS / 2 * 85 / 100);
    assert_in_range(recent_survivors(EVICT_ALLKEYS_RANDOM), KEYS / 2 * 40 / 100, KEYS / 2 * 60 / 100);
    assert_in_range(recent_survivors(EVICT_VOLATILE_RANDOM), KEYS / 2 * 40 / 100, KEYS / 2 * 60 / 100);
}

/* The order of age as a whole: of ten ages the oldest three go, and few others. */
static void the_oldest_go_first_under_lru(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 6);
    struct db *db = &store->dbs[0];
    size_t step = KEYS / 10;
    char name[32];

    store->settings.policy = EVICT_ALLKEYS_LRU;
    store->settings.eviction_samples = 10;
    for (size_t i = 0; i < 10 * step; i++) {
        if (i % step == 0) {
            clock_advance(&rig.clock, MINUTE);
            store_tick(store);
        }
        set(db, name_of(name, i), BYTES("value"), NO_DEADLINE);
    }
    evict_down_to(store, db, 7 * step);
    assert_true(survivors(db, 0, 3 * step) < 3 * step * 20 / 100);
    assert_true(survivors(db, 5 * step, 10 * step) > 5 * step * 98 / 100);
    store_rig_release(&rig);
}

static void what_is_used_often_stays_under_lfu(void **state)
{
    static const int policies[] = {EVICT_ALLKEYS_LFU, EVICT_VOLATILE_LFU};

    for (int p = 0; p < 2; p++) {
        struct store_rig rig;
        struct store *store = store_rig_init(&rig, 7);
        struct db *db = &store->dbs[0];
        size_t hot = KEYS / 10;

        store->settings.policy = policies[p];
        fill(db, KEYS, 20);
        for (size_t i = 0; i < KEYS; i++)
            let_expire(db, i, NOW_MS + AN_HOUR);
        for (int round = 0; round < 100; round++)
            for (size_t i = 0; i < hot; i++)
                touch(db, i);
        evict_down_to(store, db, 2 * hot);
        assert_true(survivors(db, 0, hot) >= hot * 99 / 100);
        store_rig_release(&rig);
    }
}

/* Few deadlines: the order is exact. They lie in two databases. */
static void the_nearest_deadlines_go_first_under_ttl(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 8);

    store->settings.policy = EVICT_VOLATILE_TTL;
    for (int d = 0; d < 2; d++) {
        fill(&store->dbs[d], 40, 20);
        for (size_t i = 0; i < 30; i++) /* 7 and 30 have no common divisor */
            let_expire(&store->dbs[d], i, NOW_MS + 1000 + (int64_t)(i * 7 % 30) * AN_HOUR);
    }
    store->memory_limit = 1;
    for (size_t nth = 0; nth < 30; nth++) {
        assert_true(evict_piece(store));
        assert_true(evict_piece(store));
        for (int d = 0; d < 2; d++)
            for (size_t i = 0; i < 30; i++)
                assert_int_equal(is_there(&store->dbs[d], i), i * 7 % 30 > nth);
    }
    assert_false(evict_piece(store));
    assert_int_equal(store_size(&store->dbs[0]), 10);
    store_rig_release(&rig);
}

/* Many: nearly so. */
static void near_deadlines_go_before_far_ones_under_ttl(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 9);
    struct db *db = &store->dbs[0];

    store->settings.policy = EVICT_VOLATILE_TTL;
    fill(db, KEYS, 20);
    for (size_t i = 0; i < KEYS; i++)
        let_expire(db, i, NOW_MS + AN_HOUR + (int64_t)(i * 1000));
    evict_down_to(store, db, KEYS / 2);
    assert_true(survivors(db, KEYS / 2, KEYS) > KEYS / 2 * 90 / 100);
    store_rig_release(&rig);
}

static void without_a_deadline_nothing_goes_under_volatile_policies(void **state)
{
    for (size_t p = 0; p < sizeof all_policies / sizeof *all_policies; p++) {
        struct store_rig rig;
        struct store *store = store_rig_init(&rig, 10);
        bool is_volatile = all_policies[p] <= EVICT_VOLATILE_TTL;

        store->settings.policy = all_policies[p];
        for (int d = 0; d < 3; d++) {
            fill(&store->dbs[d], 50, 20);
            for (size_t i = 0; i < 20; i++)
                let_expire(&store->dbs[d], i, NOW_MS + AN_HOUR);
        }
        store->memory_limit = 1;
        store->settings.eviction_tenacity = 100;
        assert_int_equal(store_evict(store), EVICT_FAILED);
        for (int d = 0; d < 3; d++) {
            assert_int_equal(store_size(&store->dbs[d]), is_volatile ? 30 : 0);
            assert_int_equal(store_expiring(&store->dbs[d]), 0);
        }
        assert_int_equal(store->stats.evicted, is_volatile ? 60 : 150);
        assert_false(store->is_evicting);
        assert_true(store->stats.exceeded_since_ns != 0);
        store_rig_release(&rig);
    }
}

/* What was in the pool may be gone, renamed, without its deadline or in another database by now. */
static void the_pool_survives_whatever_becomes_of_its_keys(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 11);
    size_t steps = RANDOM_STEPS(20000);

    store->settings.eviction_samples = INT32_MAX; /* as many as there may be */
    for (size_t step = 0; step < steps; step++) {
        struct db *db = &store->dbs[random_below(&rig.random, DATABASES)];
        size_t i = random_below(&rig.random, 200);
        char name[32];
        struct bytes key = name_of(name, i);
        struct key_ref ref;

        set(db, key, BYTES("some value"), i % 2 ? NOW_MS + (int64_t)(i * i) * 1000 : NO_DEADLINE);
        ref = find(db, name_of(name, random_below(&rig.random, 200)), LOOKUP_WRITE);
        if (ref.entry && step % 3)
            store_remove(&ref);
        else if (ref.entry)
            store_clear_deadline(&ref);
        if (step % 50 == 0) {
            store->settings.policy = all_policies[random_below(&rig.random, 7)];
            store_swap(&store->dbs[0], &store->dbs[2]);
        }
        if (step % 500 == 0)
            store_flush(db);
        store->memory_limit = mem_used() - 1;
        evict_piece(store);
        store->memory_limit = 0;
        if (step % 64 == 0)
            store_check(db);
    }
    assert_true(store->stats.evicted > steps / 10);
    store_rig_release(&rig);
}

/* The memory of a queued value still counts: it goes before any other key does. */
static void a_value_in_the_queue_is_waited_for(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 12);
    struct db *db = &store->dbs[0];
    size_t before;

    store->settings.policy = EVICT_ALLKEYS_RANDOM;
    store->settings.eviction_tenacity = 100;
    fill(db, 100, 20);
    before = mem_used();
    add_list(db, BYTES("list"), 2000);
    store->memory_limit = before + 4096;
    {
        struct key_ref ref = find(db, BYTES("list"), LOOKUP_WRITE);

        store_remove(&ref);
    }
    assert_int_equal(store_pending_frees(store), 1);
    assert_int_equal(store_evict(store), EVICT_ENOUGH);
    assert_int_equal(store->stats.evicted, 0);
    assert_int_equal(store_size(db), 100);
    store_rig_release(&rig);
}

static void a_huge_value_that_is_evicted_makes_enough_room(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 13);
    struct db *db = &store->dbs[0];

    store->settings.policy = EVICT_ALLKEYS_LRU;
    store->settings.eviction_tenacity = 100;
    add_list(db, BYTES("list"), 2000);
    clock_advance(&rig.clock, MINUTE);
    store_tick(store);
    fill(db, 15, 20); /* the pool holds all */
    store->settings.eviction_samples = EVICTION_SAMPLES_MAX;
    store->memory_limit = mem_used() - 100;
    for (int i = 0; i < 2; i++)
        assert_int_equal(store_evict(store), EVICT_ENOUGH);
    assert_int_equal(store->stats.evicted, 1);
    assert_int_equal(store_size(db), 15);
    store_rig_release(&rig);
}

/* A command waits for a while only; slices do the rest. */
static void what_takes_long_goes_on_in_slices(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 14);
    struct db *db = &store->dbs[1];
    size_t keys = RANDOM_STEPS(20000), limit = mem_used() + 100000;

    store->settings.policy = EVICT_ALLKEYS_LRU;
    store->settings.eviction_tenacity = 0;
    fill(db, keys, 200);
    store_limit_memory(store, limit);
    assert_int_equal(store->is_evicting, mem_used() > limit);
    if (store->is_evicting) {
        assert_int_equal(store_evict(store), EVICT_GOES_ON);
        assert_true(store->is_evicting && store_size(db) >= keys - 1);
        for (size_t calls = 0; store->is_evicting; calls++) {
            store_work(store, 0);
            assert_true(calls < 2 * keys);
        }
    }
    assert_true(mem_used() <= limit);
    assert_true(store_size(db) > 0);
    assert_int_equal(store_evict(store), EVICT_ENOUGH);
    assert_int_equal(store->stats.exceeded_since_ns, 0);
    store_rig_release(&rig);
}

static bool never(void *context) { return false; }

static void nothing_goes_while_that_is_not_allowed(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 15);

    store->settings.policy = EVICT_ALLKEYS_LRU;
    store->observer.may_evict = never;
    fill(&store->dbs[0], 100, 20);
    store_limit_memory(store, 1);
    assert_int_equal(store_evict(store), EVICT_ENOUGH);
    store_work(store, 1000000);
    assert_false(store->is_evicting);
    assert_int_equal(store_size(&store->dbs[0]), 100);
    store->observer.may_evict = NULL;
    store->settings.policy = EVICT_NONE;
    assert_int_equal(store_evict(store), EVICT_FAILED);
    assert_int_equal(store_size(&store->dbs[0]), 100);
    store_rig_release(&rig);
}

static size_t told;

static void note_evicted(void *context, struct db *db, struct bytes key)
{
    assert_true(store_peek(db, key, hash_bytes(key)) != NULL);
    told++;
}

static void the_observer_hears_of_each_key(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 16);

    store->settings.policy = EVICT_ALLKEYS_LFU;
    store->observer.evicted = note_evicted;
    told = 0;
    fill(&store->dbs[0], 100, 20);
    evict_down_to(store, &store->dbs[0], 40);
    assert_int_equal(told, 60);
    assert_int_equal(store->stats.evicted, 60);
    store_rig_release(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_used_lately_stays_under_lru),
        cmocka_unit_test(the_oldest_go_first_under_lru),
        cmocka_unit_test(what_is_used_often_stays_under_lfu),
        cmocka_unit_test(the_nearest_deadlines_go_first_under_ttl),
        cmocka_unit_test(near_deadlines_go_before_far_ones_under_ttl),
        cmocka_unit_test(without_a_deadline_nothing_goes_under_volatile_policies),
        cmocka_unit_test(the_pool_survives_whatever_becomes_of_its_keys),
        cmocka_unit_test(a_value_in_the_queue_is_waited_for),
        cmocka_unit_test(a_huge_value_that_is_evicted_makes_enough_room),
        cmocka_unit_test(what_takes_long_goes_on_in_slices),
        cmocka_unit_test(nothing_goes_while_that_is_not_allowed),
        cmocka_unit_test(the_observer_hears_of_each_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
