/* The keyspace against a table of what must be there, under a clock that only the test moves. */
#include "unit.h"

#include "store_rig.h"

#define MODEL_KEYS 300

struct model_key {
    bool is_there;
    int64_t deadline_ms;
    bool is_list;
    int value; /* of a string: its number; of a list: its size */
};

struct rig {
    struct store_rig base;
    struct model_key keys[DATABASES][MODEL_KEYS];
    /* What the observer must be told next, and what it was told. */
    int awaited_db, awaited_key;
    size_t added, missed, expired;
};

/* ---- names: some short, some long ---- */

static struct bytes name_of(int number)
{
    static char name[700];
    size_t len = (size_t)snprintf(name, sizeof name, "key:%d", number);

    if (number % 50 == 0) {
        memset(name + len, '-', 600);
        len += 600;
    }
    return (struct bytes){name, len};
}

static int number_of(struct bytes name)
{
    char text[16] = {0};

    assert_true(name.len > 4 && memcmp(name.data, "key:", 4) == 0);
    memcpy(text, name.data + 4, name.len - 4 < 15 ? name.len - 4 : 15);
    return (int)strtol(text, NULL, 10);
}

/* ---- the observer ---- */

static bool may_expire(void *context) { return ((struct rig *)context)->base.may_expire; }

/* Once for each key, after its deadline, while it is still there. */
static void on_expired(void *context, struct db *db, struct bytes name)
{
    struct rig *rig = context;
    struct model_key *key = &rig->keys[db->id][number_of(name)];

    assert_true(rig->base.may_expire);
    assert_true(key->is_there);
    assert_true(key->deadline_ms != NO_DEADLINE);
    assert_true(key->deadline_ms < clock_now_ms(&rig->base.clock));
    assert_non_null(store_peek(db, name, hash_bytes(name)));
    key->is_there = false;
    rig->expired++;
}

static void on_added(void *context, struct db *db, struct bytes name)
{
    struct rig *rig = context;

    assert_int_equal(db->id, rig->awaited_db);
    assert_int_equal(number_of(name), rig->awaited_key);
    assert_non_null(store_peek(db, name, hash_bytes(name)));
    rig->added++;
}

static void on_missed(void *context, struct db *db, struct bytes name)
{
    struct rig *rig = context;

    assert_int_equal(db->id, rig->awaited_db);
    assert_int_equal(number_of(name), rig->awaited_key);
    rig->missed++;
}

/* ---- setting up ---- */

static void rig_init(struct rig *rig, uint64_t seed)
{
    memset(rig, 0, sizeof *rig);
    store_rig_init(&rig->base, seed);
    rig->base.store->observer =
        (struct store_observer){rig, may_expire, on_expired, on_added, on_missed};
}

static void rig_release(struct rig *rig) { store_rig_release(&rig->base); }

/* ---- the random run ---- */

static bool is_expired(const struct rig *rig, const struct model_key *key)
{
    return key->is_there && key->deadline_ms != NO_DEADLINE &&
           key->deadline_ms < clock_now_ms(&rig->base.clock);
}

static void check_entry(const struct entry *entry, const struct model_key *key)
{
    int64_t number;

    assert_true(entry_deadline(entry) == key->deadline_ms);
    if (key->is_list) {
        assert_int_equal(entry->type, VALUE_LIST);
        assert_int_equal(list_size(entry_value(entry)), key->value);
    } else {
        assert_int_equal(entry->type, VALUE_STRING);
        assert_true(string_get_int(entry, &number));
        assert_int_equal(number, key->value);
    }
}

/* Finds, and checks all consequences: what is found, the event, the counters. */
static struct key_ref find_checked(struct rig *rig, struct db *db, int number, unsigned how)
{
    struct model_key *key = &rig->keys[db->id][number];
    struct store_stats before = rig->base.store->stats;
    size_t expired = rig->expired, missed = rig->missed;
    bool was_expired = is_expired(rig, key);
    bool found = key->is_there && (!was_expired || (!rig->base.may_expire && how & LOOKUP_WRITE));
    bool counts = !(how & (LOOKUP_WRITE | LOOKUP_QUIET));
    struct key_ref ref;

    rig->awaited_db = db->id;
    rig->awaited_key = number;
    ref = find(db, name_of(number), how);
    assert_int_equal(ref.entry != NULL, found);
    assert_int_equal(rig->expired - expired, was_expired && rig->base.may_expire);
    assert_int_equal(rig->missed - missed, counts && !found);
    assert_int_equal(rig->base.store->stats.hits - before.hits, counts && found);
    assert_int_equal(rig->base.store->stats.misses - before.misses, counts && !found);
    assert_int_equal(rig->base.store->stats.expired - before.expired, rig->expired - expired);
    if (found)
        check_entry(ref.entry, key);
    return ref;
}

static void step_add(struct rig *rig, struct db *db, int number)
{
    struct key_ref ref = find_checked(rig, db, number, LOOKUP_WRITE);
    struct model_key *key = &rig->keys[db->id][number];
    size_t added = rig->added;
    bool is_new = !ref.entry;

    if (random_below(&rig->base.random, 2)) {
        key->value = (int)random_below(&rig->base.random, 1000000);
        key->is_list = false;
        string_set_int(&ref, name_of(number), key->value, false);
    } else {
        struct list *list = list_new();

        key->value = 1 + (int)random_below(&rig->base.random, 20);
        key->is_list = true;
        for (int i = 0; i < key->value; i++)
            list_push(list, LIST_TAIL, BYTES("element"));
        if (random_below(&rig->base.random, 2)) {
            store_replace(&ref, name_of(number), VALUE_LIST, list);
        } else {
            if (!is_new)
                store_remove(&ref);
            is_new = true;
            store_add(&ref, name_of(number), VALUE_LIST, list);
        }
    }
    assert_int_equal(rig->added - added, is_new);
    key->is_there = true;
    key->deadline_ms = NO_DEADLINE;
}

static void step_remove(struct rig *rig, struct db *db, int number)
{
    struct key_ref ref = find_checked(rig, db, number, LOOKUP_WRITE);

    if (!ref.entry)
        return;
    store_remove(&ref);
    assert_null(ref.entry);
    rig->keys[db->id][number].is_there = false;
}

/* Another name, another database, or both; what stands there goes. */
static void step_move(struct rig *rig, struct db *db, int number)
{
    struct db *to_db = &rig->base.store->dbs[random_below(&rig->base.random, DATABASES)];
    int to_number = (int)random_below(&rig->base.random, MODEL_KEYS);
    bool is_copy = random_below(&rig->base.random, 2);
    struct key_ref from = find_checked(rig, db, number, LOOKUP_WRITE), to;
    size_t added = rig->added;
    uint32_t access;

    if (!from.entry || (db == to_db && number == to_number))
        return;
    to = find_checked(rig, to_db, to_number, LOOKUP_WRITE);
    if (to.entry)
        store_remove(&to);
    rig->keys[to_db->id][to_number] = rig->keys[db->id][number];
    access = from.entry->access;
    if (is_copy) {
        store_copy(from.entry, &to, name_of(to_number));
    } else {
        store_move(&from, &to, name_of(to_number));
        assert_null(from.entry);
        assert_int_equal(to.entry->access, access);
        rig->keys[db->id][number].is_there = false;
    }
    assert_int_equal(rig->added - added, 1);
    check_entry(to.entry, &rig->keys[to_db->id][to_number]);
}

static void step_swap(struct rig *rig, struct db *db)
{
    struct db *other = &rig->base.store->dbs[random_below(&rig->base.random, DATABASES)];
    struct model_key old[MODEL_KEYS];

    if (db == other)
        return;
    store_swap(db, other);
    memcpy(old, rig->keys[db->id], sizeof old);
    memcpy(rig->keys[db->id], rig->keys[other->id], sizeof old);
    memcpy(rig->keys[other->id], old, sizeof old);
}

/* Soon, far, in the past. */
static int64_t random_deadline(struct rig *rig)
{
    int64_t now_ms = clock_now_ms(&rig->base.clock);

    switch (random_below(&rig->base.random, 8)) {
    case 0:
        return now_ms - (int64_t)random_below(&rig->base.random, 3);
    case 1:
        return now_ms + (int64_t)(random_next(&rig->base.random) >> 24);
    case 2:
        return random_below(&rig->base.random, 2) ? INT64_MAX : 0;
    default:
        return now_ms + (int64_t)random_below(&rig->base.random, 300);
    }
}

static void step_deadline(struct rig *rig, struct db *db, int number)
{
    struct key_ref ref = find_checked(rig, db, number, LOOKUP_WRITE);
    struct model_key *key = &rig->keys[db->id][number];

    if (!ref.entry)
        return;
    if (random_below(&rig->base.random, 5) == 0) {
        key->deadline_ms = NO_DEADLINE;
        store_clear_deadline(&ref);
    } else {
        key->deadline_ms = random_deadline(rig);
        store_set_deadline(&ref, key->deadline_ms);
    }
    check_entry(ref.entry, key);
}

static size_t model_size(const struct rig *rig, int db)
{
    size_t count = 0;

    for (int i = 0; i < MODEL_KEYS; i++)
        count += rig->keys[db][i].is_there;
    return count;
}

static void see(void *context, struct db *db, struct entry *entry)
{
    int *seen = context;

    seen[number_of(entry_key(entry))]++;
}

static void step_scan(struct rig *rig, struct db *db)
{
    int seen[MODEL_KEYS] = {0};
    uint64_t cursor = 0;

    do {
        cursor = store_scan(db, cursor, see, seen);
    } while (cursor);
    for (int i = 0; i < MODEL_KEYS; i++)
        assert_int_equal(seen[i], rig->keys[db->id][i].is_there);
}

static void step_random(struct rig *rig, struct db *db)
{
    struct entry *entry = store_random(db);
    const struct model_key *key;

    if (!entry) {
        assert_int_equal(model_size(rig, db->id), 0);
        return;
    }
    key = &rig->keys[db->id][number_of(entry_key(entry))];
    assert_true(key->is_there);
    if (rig->base.may_expire)
        assert_false(is_expired(rig, key));
    check_entry(entry, key);
}

static void step_flush(struct rig *rig, struct db *db)
{
    store_flush(db);
    for (int i = 0; i < MODEL_KEYS; i++)
        rig->keys[db->id][i].is_there = false;
    assert_int_equal(store_size(db), 0);
    assert_int_equal(store_expiring(db), 0);
}

static bool some_expired(const struct rig *rig)
{
    for (int d = 0; d < DATABASES; d++)
        for (int i = 0; i < MODEL_KEYS; i++)
            if (is_expired(rig, &rig->keys[d][i]))
                return true;
    return false;
}

static void step_work(struct rig *rig)
{
    static const int64_t budgets_ns[] = {0, 1, 1000, 20000, 1000000};
    bool stays = !rig->base.may_expire || rig->base.store->is_active_expire_off;
    size_t expired = rig->expired;

    if (random_below(&rig->base.random, 2)) {
        store_work(rig->base.store, budgets_ns[random_below(&rig->base.random, 5)]);
        return;
    }
    work_until_done(rig->base.store);
    if (stays)
        assert_int_equal(rig->expired, expired);
    else
        assert_false(some_expired(rig));
    assert_int_equal(store_pending_frees(rig->base.store), 0);
}

static void step_switch(struct rig *rig)
{
    switch (random_below(&rig->base.random, 3)) {
    case 0:
        rig->base.may_expire = random_below(&rig->base.random, 3);
        break;
    case 1:
        rig->base.store->is_active_expire_off = random_below(&rig->base.random, 3) == 0;
        break;
    case 2:
        store_set_snapshot_child(rig->base.store, random_below(&rig->base.random, 3) == 0);
        break;
    }
}

static void check_all(struct rig *rig)
{
    for (int d = 0; d < DATABASES; d++) {
        struct db *db = &rig->base.store->dbs[d];
        size_t expiring = 0;

        store_check(db);
        assert_int_equal(store_size(db), model_size(rig, d));
        for (int i = 0; i < MODEL_KEYS; i++) {
            struct bytes name = name_of(i);
            const struct entry *entry = store_peek(db, name, hash_bytes(name));

            assert_int_equal(entry != NULL, rig->keys[d][i].is_there);
            if (!entry)
                continue;
            check_entry(entry, &rig->keys[d][i]);
            expiring += rig->keys[d][i].deadline_ms != NO_DEADLINE;
        }
        assert_int_equal(store_expiring(db), expiring);
    }
}

/* Never later than the first key that is due; so a server that sleeps until then misses nothing. */
static void check_next_deadline(const struct rig *rig)
{
    int64_t next = INT64_MAX, told = store_next_deadline(rig->base.store);

    for (int d = 0; d < DATABASES; d++)
        for (int i = 0; i < MODEL_KEYS; i++)
            if (rig->keys[d][i].is_there && rig->keys[d][i].deadline_ms != NO_DEADLINE &&
                rig->keys[d][i].deadline_ms < next)
                next = rig->keys[d][i].deadline_ms;
    if (rig->base.store->is_active_expire_off || !rig->base.may_expire)
        assert_true(told == INT64_MAX); /* a server that woke up for it would do so for ever */
    else if (next < INT64_MAX)
        assert_true(told <= next + 1);
}

static void step(struct rig *rig)
{
    static const unsigned hows[] = {LOOKUP_READ,
                                    LOOKUP_WRITE,
                                    LOOKUP_QUIET,
                                    LOOKUP_NOTOUCH,
                                    LOOKUP_NOTOUCH | LOOKUP_QUIET,
                                    LOOKUP_WRITE | LOOKUP_NOTOUCH};
    struct db *db = &rig->base.store->dbs[random_below(&rig->base.random, DATABASES)];
    int number = (int)random_below(&rig->base.random, MODEL_KEYS);
    uint64_t kind = random_below(&rig->base.random, 1000);

    if (kind < 250)
        step_add(rig, db, number);
    else if (kind < 450)
        find_checked(rig, db, number, hows[random_below(&rig->base.random, 6)]);
    else if (kind < 550)
        step_remove(rig, db, number);
    else if (kind < 760)
        step_deadline(rig, db, number);
    else if (kind < 797)
        step_move(rig, db, number);
    else if (kind < 800)
        step_swap(rig, db);
    else if (kind < 850)
        step_random(rig, db);
    else if (kind < 860)
        step_scan(rig, db);
    else if (kind < 862)
        step_flush(rig, db);
    else if (kind < 900)
        step_work(rig);
    else if (kind < 910)
        step_switch(rig);
    else if (kind < 980)
        clock_advance(&rig->base.clock, (int64_t)random_below(&rig->base.random, 20));
    else if (kind < 981)
        clock_advance(&rig->base.clock, (int64_t)random_below(&rig->base.random, 100000000));
    else
        check_next_deadline(rig);
}

static void a_long_random_run_agrees_with_a_table(void **state)
{
    struct rig *rig = malloc(sizeof *rig);

    for (uint64_t seed = 1; seed <= 4; seed++) {
        rig_init(rig, seed);
        for (size_t i = 0; i < RANDOM_STEPS(150000); i++) {
            step(rig);
            if (i % 512 == 0)
                check_all(rig);
        }
        assert_true(rig->expired > RANDOM_STEPS(1000));
        rig_release(rig);
    }
    free(rig);
}

/* ---- expiry ---- */

static void a_key_is_there_up_to_its_deadline_and_gone_the_millisecond_after(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];

    set(db, BYTES("k"), BYTES("v"), NOW_MS + 10);
    set(db, BYTES("other"), BYTES("v"), NOW_MS + 10);
    clock_advance(&rig.clock, 10);
    work_until_done(store);
    assert_int_equal(store_size(db), 2);
    assert_non_null(find(db, BYTES("k"), LOOKUP_READ).entry);
    assert_true(store_next_deadline(store) <= NOW_MS + 11);
    clock_advance(&rig.clock, 1);
    assert_null(find(db, BYTES("k"), LOOKUP_READ).entry);
    assert_int_equal(store_size(db), 1);
    work_until_done(store);
    assert_int_equal(store_size(db), 0);
    assert_true(store_next_deadline(store) == INT64_MAX);
    store_rig_release(&rig);
}

static void what_may_not_expire_reads_as_absent_and_stays(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];

    set(db, BYTES("k"), BYTES("v"), NOW_MS + 10);
    clock_advance(&rig.clock, 11);
    rig.may_expire = false;
    assert_null(find(db, BYTES("k"), LOOKUP_READ).entry);
    assert_non_null(find(db, BYTES("k"), LOOKUP_WRITE).entry);
    assert_non_null(store_peek(db, BYTES("k"), hash_bytes(BYTES("k"))));
    work_until_done(store);
    assert_int_equal(store_size(db), 1);
    assert_int_equal(store->stats.expired, 0);
    rig.may_expire = true;
    work_until_done(store);
    assert_int_equal(store_size(db), 0);
    assert_int_equal(store->stats.expired, 1);
    store_rig_release(&rig);
}

/* A hash whose fields expire will do so: it is taken out when its earliest field is due and comes
 * back with the next one's deadline. */
static void a_deadline_may_be_set_again_and_again(void **state)
{
    static const int64_t waits_ms[] = {1, 2, 63, 64, 65, 4096, 5000, 1, 300000, 7, 1, 100000000};
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    struct key_ref ref;

    for (int way = 0; way < 3; way++) {
        int64_t deadline_ms = clock_now_ms(&rig.clock) + 1;
        uint64_t expired = store->stats.expired;

        set(db, BYTES("k"), BYTES("v"), deadline_ms);
        for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
            clock_advance(&rig.clock, deadline_ms - clock_now_ms(&rig.clock));
            while (way == 1 && store_work(store, 0)) /* in the middle of cascades */
                ;
            ref = find(db, BYTES("k"), LOOKUP_WRITE);
            assert_non_null(ref.entry);
            deadline_ms = clock_now_ms(&rig.clock) + waits_ms[i];
            if (way == 2)
                store_clear_deadline(&ref);
            store_set_deadline(&ref, deadline_ms);
            assert_true(entry_deadline(ref.entry) == deadline_ms);
            assert_int_equal(store_expiring(db), 1);
            store_check(db);
        }
        clock_advance(&rig.clock, deadline_ms - clock_now_ms(&rig.clock));
        work_until_done(store);
        assert_int_equal(store_size(db), 1);
        clock_advance(&rig.clock, 1);
        work_until_done(store);
        assert_int_equal(store_size(db), 0);
        assert_int_equal(store->stats.expired, expired + 1);
    }
    store_rig_release(&rig);
}

/* ---- the access clock ---- */

static void only_a_touch_restarts_the_idle_time(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    const struct entry *entry;

    set(db, BYTES("k"), BYTES("v"), NO_DEADLINE);
    entry = store_peek(db, BYTES("k"), hash_bytes(BYTES("k")));
    assert_int_equal(store_idle_seconds(store, entry), 0);
    clock_advance(&rig.clock, 10000);
    store_tick(store);
    assert_int_equal(store_idle_seconds(store, entry), 10);
    find(db, BYTES("k"), LOOKUP_NOTOUCH);
    find(db, BYTES("k"), LOOKUP_NOTOUCH | LOOKUP_WRITE);
    assert_int_equal(store_idle_seconds(store, entry), 10);
    store_set_snapshot_child(store, true);
    find(db, BYTES("k"), LOOKUP_READ);
    assert_int_equal(store_idle_seconds(store, entry), 10);
    store_set_snapshot_child(store, false);
    find(db, BYTES("k"), LOOKUP_READ);
    assert_int_equal(store_idle_seconds(store, entry), 0);
    clock_advance(&rig.clock, 3000);
    store_tick(store);
    find(db, BYTES("k"), LOOKUP_WRITE);
    assert_int_equal(store_idle_seconds(store, entry), 0);
    /* Twenty-four bits of seconds come round after 194 days. */
    clock_advance(&rig.clock, ((INT64_C(1) << 24) - 1) * 1000);
    store_tick(store);
    assert_int_equal(store_idle_seconds(store, entry), (1 << 24) - 1);
    store_rig_release(&rig);
}

static void the_access_clock_survives_every_change_of_the_block(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    struct key_ref ref;

    set(db, BYTES("k"), BYTES("v"), NO_DEADLINE);
    clock_advance(&rig.clock, 7000);
    store_tick(store);
    ref = find(db, BYTES("k"), LOOKUP_WRITE | LOOKUP_NOTOUCH);
    store_set_deadline(&ref, NOW_MS + 1000000);
    assert_int_equal(store_idle_seconds(store, ref.entry), 7);
    string_append(&ref, BYTES("0123456789012345678901234567890123456789"));
    assert_int_equal(store_idle_seconds(store, ref.entry), 7);
    string_set_range(&ref, 3000, BYTES("!"));
    assert_int_equal(store_idle_seconds(store, ref.entry), 7);
    store_clear_deadline(&ref);
    assert_int_equal(store_idle_seconds(store, ref.entry), 7);
    store_rig_release(&rig);
}

static void the_frequency_rises_ever_slower_and_falls_with_time(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    const struct entry *entry;
    unsigned after_100, after_10000;

    store->settings.policy = EVICT_ALLKEYS_LFU;
    assert_true(store_is_lfu(store));
    set(db, BYTES("k"), BYTES("v"), NO_DEADLINE);
    entry = store_peek(db, BYTES("k"), hash_bytes(BYTES("k")));
    assert_int_equal(store_frequency(store, entry), 5);
    find(db, BYTES("k"), LOOKUP_READ); /* the first steps are certain */
    assert_int_equal(store_frequency(store, entry), 6);
    for (int i = 0; i < 100; i++)
        find(db, BYTES("k"), LOOKUP_READ);
    after_100 = store_frequency(store, entry);
    for (int i = 0; i < 10000; i++)
        find(db, BYTES("k"), LOOKUP_READ);
    after_10000 = store_frequency(store, entry);
    assert_in_range(after_100, 8, 16); /* Redis's table: 10 and 18, counted from 5 hits less */
    assert_in_range(after_10000, 35, 70);
    find(db, BYTES("k"), LOOKUP_NOTOUCH);
    assert_int_equal(store_frequency(store, entry), after_10000);
    clock_advance(&rig.clock, 3 * 60000);
    assert_int_equal(store_frequency(store, entry), after_10000 - 3);
    store->settings.lfu_decay_minutes = 2;
    assert_int_equal(store_frequency(store, entry), after_10000 - 1);
    store->settings.lfu_decay_minutes = 0;
    assert_int_equal(store_frequency(store, entry), after_10000);
    store->settings.lfu_decay_minutes = 1;
    clock_advance(&rig.clock, 1000 * 60000);
    assert_int_equal(store_frequency(store, entry), 0);
    find(db, BYTES("k"), LOOKUP_READ);
    assert_int_equal(store_frequency(store, entry), 1);
    store_rig_release(&rig);
}

static void the_frequency_ends_at_255(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];

    store->settings.policy = EVICT_VOLATILE_LFU;
    store->settings.lfu_log_factor = 0;
    set(db, BYTES("k"), BYTES("v"), NO_DEADLINE);
    for (int i = 0; i < 300; i++)
        find(db, BYTES("k"), LOOKUP_READ);
    assert_int_equal(store_frequency(store, store_peek(db, BYTES("k"), hash_bytes(BYTES("k")))),
                     255);
    store_rig_release(&rig);
}

/* ---- main ---- */

static void a_random_key_does_not_take_for_ever(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];

    for (int i = 0; i < 3000; i++)
        set(db, name_of(i), BYTES("v"), NOW_MS + 1);
    clock_advance(&rig.clock, 2);
    assert_non_null(store_random(db)); /* one that expired just now */
    assert_int_equal(store_size(db), 2000);
    assert_non_null(store_random(db));
    assert_null(store_random(db));
    assert_int_equal(store->stats.expired, 3000);
    store_rig_release(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_random_key_does_not_take_for_ever),
        cmocka_unit_test(a_key_is_there_up_to_its_deadline_and_gone_the_millisecond_after),
        cmocka_unit_test(what_may_not_expire_reads_as_absent_and_stays),
        cmocka_unit_test(a_deadline_may_be_set_again_and_again),
        cmocka_unit_test(only_a_touch_restarts_the_idle_time),
        cmocka_unit_test(the_access_clock_survives_every_change_of_the_block),
        cmocka_unit_test(the_frequency_rises_ever_slower_and_falls_with_time),
        cmocka_unit_test(the_frequency_ends_at_255),
        cmocka_unit_test(a_long_random_run_agrees_with_a_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
