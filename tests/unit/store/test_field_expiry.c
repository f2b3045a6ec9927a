/* Hashes whose fields expire, in the store: who waits for what, and that nothing dead is seen. */
#include "unit.h"

#include "store_rig.h"
#include "types/hash_value.h"

enum { KEYS = 6, FIELDS = 12 };

static struct bytes name_of(char out[32], const char *prefix, size_t number)
{
    return (struct bytes){out, (size_t)snprintf(out, 32, "%s%zu", prefix, number)};
}

static struct hash *value_of(const struct key_ref *ref) { return entry_value(ref->entry); }

/* The key becomes a hash with these fields if it is absent. */
static struct key_ref filled(struct db *db, struct bytes key, size_t fields)
{
    struct key_ref ref = find(db, key, LOOKUP_WRITE);
    char field[32];

    if (!ref.entry)
        store_add(&ref, key, VALUE_HASH, hash_new());
    for (size_t i = 0; i < fields; i++)
        hash_set(value_of(&ref), hashed(name_of(field, "f", i)), BYTES("v"), true);
    return ref;
}

static void give_deadline(struct key_ref *ref, size_t field, int64_t deadline_ms)
{
    char name[32];

    hash_set_deadline(value_of(ref), name_of(name, "f", field), deadline_ms);
    store_file_hash(ref);
}

/* ---- one thing at a time ---- */

static void a_field_goes_the_millisecond_after_its_deadline(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    struct key_ref ref = filled(db, BYTES("k"), 3);
    struct bytes value;

    give_deadline(&ref, 1, NOW_MS + 5);
    assert_true(store_next_deadline(store) <= NOW_MS + 6);
    clock_advance(&rig.clock, 5);
    work_until_done(store);
    ref = find(db, BYTES("k"), LOOKUP_READ);
    assert_int_equal(hash_size(value_of(&ref)), 3);
    assert_true(hash_get(value_of(&ref), hashed(BYTES("f1")), &value));
    clock_advance(&rig.clock, 1);
    ref = find(db, BYTES("k"), LOOKUP_READ); /* nobody has worked */
    assert_int_equal(hash_size(value_of(&ref)), 2);
    assert_false(hash_get(value_of(&ref), hashed(BYTES("f1")), &value));
    assert_int_equal(store->stats.expired_fields, 1);
    work_until_done(store);
    assert_true(store_next_deadline(store) == INT64_MAX);
    store_rig_release(&rig);
}

static void work_removes_what_nobody_asks_for(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[1];
    struct key_ref ref = filled(db, BYTES("k"), 1000);
    const struct entry *entry;

    for (size_t i = 0; i < 999; i++)
        give_deadline(&ref, i, NOW_MS + 1 + (int64_t)(i % 3));
    clock_advance(&rig.clock, 4);
    work_until_done(store);
    entry = store_peek(db, BYTES("k"), ref.hash);
    assert_int_equal(hash_size(entry_value(entry)), 1);
    assert_int_equal(hash_expiring(entry_value(entry)), 0);
    assert_int_equal(store->stats.expired_fields, 999);
    ref = find(db, BYTES("k"), LOOKUP_WRITE);
    give_deadline(&ref, 999, NOW_MS + 10);
    clock_advance(&rig.clock, 7);
    work_until_done(store);
    assert_int_equal(store_size(db), 0);
    store_rig_release(&rig);
}

static void a_key_whose_fields_are_all_dead_is_absent(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    struct key_ref ref = filled(db, BYTES("k"), 500);

    for (size_t i = 0; i < 500; i++)
        give_deadline(&ref, i, NOW_MS + 1);
    clock_advance(&rig.clock, 2);
    assert_true(store_is_expired(db, ref.entry));
    assert_null(find(db, BYTES("k"), LOOKUP_READ).entry);
    assert_int_equal(store_size(db), 0);
    assert_null(store_random(db));
    store_rig_release(&rig);
}

/* On a replica, or in a pause: what is dead is not seen, and stays. */
static void where_nothing_may_expire_the_dead_are_hidden(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    struct key_ref ref = filled(db, BYTES("k"), 10), other = filled(db, BYTES("other"), 2);

    ref = find(db, BYTES("k"), LOOKUP_WRITE);
    give_deadline(&ref, 1, NOW_MS + 1);
    other = find(db, BYTES("other"), LOOKUP_WRITE);
    give_deadline(&other, 0, NOW_MS + 1);
    give_deadline(&other, 1, NOW_MS + 1);
    rig.may_expire = false;
    clock_advance(&rig.clock, 2);
    work_until_done(store);
    ref = find(db, BYTES("k"), LOOKUP_READ);
    assert_int_equal(hash_size(value_of(&ref)), 9);
    assert_null(find(db, BYTES("other"), LOOKUP_READ).entry);
    ref = find(db, BYTES("k"), LOOKUP_WRITE); /* as the master sees it */
    assert_int_equal(hash_size(value_of(&ref)), 10);
    assert_non_null(find(db, BYTES("other"), LOOKUP_WRITE).entry);
    assert_int_equal(store_size(db), 2);
    rig.may_expire = true;
    work_until_done(store);
    assert_int_equal(store_size(db), 1);
    assert_int_equal(store->stats.expired_fields, 3);
    store_rig_release(&rig);
}

static void when_active_expiry_is_off_asking_removes_them(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    struct key_ref ref = filled(db, BYTES("k"), 300);

    for (size_t i = 1; i < 300; i++)
        give_deadline(&ref, i, NOW_MS + 1);
    store->is_active_expire_off = true;
    clock_advance(&rig.clock, 2);
    work_until_done(store);
    assert_int_equal(hash_expiring(entry_value(store_peek(db, BYTES("k"), ref.hash))), 299);
    for (int i = 0; i < 10; i++) {
        ref = find(db, BYTES("k"), LOOKUP_READ);
        assert_int_equal(hash_size(value_of(&ref)), 1);
        store_check(db);
    }
    assert_int_equal(hash_expiring(value_of(&ref)), 0);
    store_rig_release(&rig);
}

static void a_hash_that_comes_with_deadlines_is_waited_for(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct key_ref ref = filled(&store->dbs[0], BYTES("k"), 3), to;

    give_deadline(&ref, 0, NOW_MS + 1);
    to = find(&store->dbs[2], BYTES("copy"), LOOKUP_WRITE);
    ref = find(&store->dbs[0], BYTES("k"), LOOKUP_READ);
    store_add(&to, BYTES("copy"), VALUE_HASH, hash_copy(value_of(&ref)));
    store_check(&store->dbs[2]);
    store_flush(&store->dbs[0]);
    clock_advance(&rig.clock, 2);
    work_until_done(store);
    to = find(&store->dbs[2], BYTES("copy"), LOOKUP_READ);
    assert_int_equal(hash_size(value_of(&to)), 2);
    store_rig_release(&rig);
}

static void who_moves_is_waited_for_at_the_new_place(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct key_ref ref = filled(&store->dbs[0], BYTES("k"), 3), to;

    give_deadline(&ref, 0, NOW_MS + 1);
    to = find(&store->dbs[0], BYTES("a longer name"), LOOKUP_WRITE);
    store_move(&ref, &to, BYTES("a longer name"));
    store_check(&store->dbs[0]);
    ref = to;
    to = find(&store->dbs[1], BYTES("k"), LOOKUP_WRITE);
    store_move(&ref, &to, BYTES("k"));
    ref = to;
    to = find(&store->dbs[1], BYTES("copy"), LOOKUP_WRITE);
    store_copy(ref.entry, &to, BYTES("copy"));
    store_check(&store->dbs[1]);
    store_swap(&store->dbs[1], &store->dbs[2]);
    for (int i = 0; i < DATABASES; i++)
        store_check(&store->dbs[i]);
    clock_advance(&rig.clock, 2);
    work_until_done(store);
    ref = find(&store->dbs[2], BYTES("k"), LOOKUP_READ);
    assert_int_equal(hash_size(value_of(&ref)), 2);
    ref = find(&store->dbs[2], BYTES("copy"), LOOKUP_READ);
    assert_int_equal(hash_size(value_of(&ref)), 2);
    assert_int_equal(store->stats.expired_fields, 2);
    store_rig_release(&rig);
}

static void what_is_replaced_is_waited_for_no_more(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *db = &store->dbs[0];
    struct key_ref ref = filled(db, BYTES("k"), 3);
    struct hash *other;

    give_deadline(&ref, 0, NOW_MS + 1);
    other = hash_copy(value_of(&ref));
    store_replace(&ref, BYTES("k"), VALUE_LIST, list_new());
    store_check(db);
    store_replace(&ref, BYTES("k"), VALUE_HASH, other);
    store_check(db);
    string_set(&ref, BYTES("k"), BYTES("v"), true);
    store_check(db);
    clock_advance(&rig.clock, 2);
    work_until_done(store);
    assert_int_equal(store->stats.expired_fields, 0);
    store_rig_release(&rig);
}

/* ---- reports ---- */

struct reports {
    struct store_rig rig; /* first: it answers may_expire */
    size_t fields, some, all;
};

static void on_field(void *context, struct db *db, struct bytes key, struct bytes field)
{
    ((struct reports *)context)->fields++;
    assert_true(bytes_equal(key, BYTES("k")) && field.len > 1);
}

static void on_fields(void *context, struct db *db, struct bytes key, bool is_all)
{
    struct reports *reports = context;

    *(is_all ? &reports->all : &reports->some) += 1;
}

static void what_dies_is_reported(void **state)
{
    struct reports reports = {0};
    struct store *store = store_rig_init(&reports.rig, 1);
    struct db *db = &store->dbs[0];
    struct key_ref ref = filled(db, BYTES("k"), 10);

    store->observer.field_expired = on_field;
    store->observer.fields_expired = on_fields;
    for (size_t i = 0; i < 10; i++)
        give_deadline(&ref, i, NOW_MS + (i < 4 ? 1 : 50));
    clock_advance(&reports.rig.clock, 2);
    work_until_done(store);
    assert_int_equal(reports.fields, 4);
    assert_int_equal(reports.some, 1);
    assert_int_equal(reports.all, 0);
    clock_advance(&reports.rig.clock, 100);
    assert_null(find(db, BYTES("k"), LOOKUP_READ).entry);
    assert_int_equal(reports.fields, 4);
    assert_int_equal(reports.some, 1);
    assert_int_equal(reports.all, 1);
    assert_int_equal(store->stats.expired_fields, 10);
    store_rig_release(&reports.rig);
}

/* ---- a random run ---- */

struct model {
    bool is_there[KEYS];
    int64_t key_deadline_ms[KEYS];
    int64_t deadline_ms[KEYS][FIELDS]; /* 0: the field is absent; INT64_MAX: without a deadline */
};

static bool is_alive(const struct model *model, size_t key, size_t field, int64_t now_ms)
{
    return model->is_there[key] && model->key_deadline_ms[key] >= now_ms &&
           model->deadline_ms[key][field] >= now_ms;
}

static size_t fields_alive(const struct model *model, size_t key, int64_t now_ms)
{
    size_t count = 0;

    for (size_t i = 0; i < FIELDS; i++)
        count += is_alive(model, key, i, now_ms);
    return count;
}

static void forget(struct model *model, size_t key)
{
    model->is_there[key] = false;
    memset(model->deadline_ms[key], 0, sizeof model->deadline_ms[key]);
}

static void compare(const struct model *model, struct db *db, int64_t now_ms)
{
    char text[32];

    for (size_t key = 0; key < KEYS; key++) {
        struct key_ref ref = find(db, name_of(text, "key", key), LOOKUP_READ);
        size_t alive = fields_alive(model, key, now_ms);
        struct bytes value;

        assert_int_equal(ref.entry != NULL, alive > 0);
        if (!alive)
            continue;
        assert_int_equal(hash_size(value_of(&ref)), alive);
        for (size_t i = 0; i < FIELDS; i++)
            assert_int_equal(hash_get(value_of(&ref), hashed(name_of(text, "f", i)), &value),
                             is_alive(model, key, i, now_ms));
    }
}

static void step(struct model *model, struct store_rig *rig, struct db *db)
{
    int64_t now_ms = clock_now_ms(&rig->clock);
    size_t key = random_below(&rig->random, KEYS), field = random_below(&rig->random, FIELDS);
    int64_t deadline_ms = now_ms + 1 + (int64_t)random_below(&rig->random, 100);
    char name[32], text[32];
    struct bytes key_name = name_of(name, "key", key), field_name = name_of(text, "f", field);
    struct key_ref ref = find(db, key_name, LOOKUP_WRITE);

    if (!ref.entry) {
        forget(model, key);
        store_add(&ref, key_name, VALUE_HASH, hash_new());
        hash_set(value_of(&ref), hashed(field_name), BYTES("v"), false);
        model->is_there[key] = true;
        model->key_deadline_ms[key] = INT64_MAX;
        model->deadline_ms[key][field] = INT64_MAX;
        return;
    }
    switch (random_below(&rig->random, 9)) {
    case 0:
        store_remove(&ref);
        forget(model, key);
        break;
    case 1:
        store_set_deadline(&ref, deadline_ms);
        model->key_deadline_ms[key] = deadline_ms;
        break;
    case 2:
        store_clear_deadline(&ref);
        model->key_deadline_ms[key] = INT64_MAX;
        break;
    case 3:
        string_set(&ref, key_name, BYTES("string"), false);
        store_check(db);
        store_remove(&ref);
        forget(model, key);
        break;
    case 4:
    case 5:
        hash_set(value_of(&ref), hashed(field_name), BYTES("w"), false);
        model->deadline_ms[key][field] = INT64_MAX;
        break;
    default:
        if (!is_alive(model, key, field, now_ms))
            break;
        give_deadline(&ref, field, deadline_ms);
        model->deadline_ms[key][field] = deadline_ms;
    }
}

static void run(uint64_t seed, uint64_t entries)
{
    struct model model = {0};
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, seed);
    struct db *db = &store->dbs[0];

    hash_set_listpack_entries(entries);
    for (int i = 0; i < RANDOM_STEPS(20000); i++) {
        step(&model, &rig, db);
        if (random_below(&rig.random, 10) == 0)
            clock_advance(&rig.clock, (int64_t)random_below(&rig.random, 60));
        if (random_below(&rig.random, 10) == 0)
            work_until_done(store);
        if (i % 7 == 0)
            compare(&model, db, clock_now_ms(&rig.clock));
        store_check(db);
    }
    hash_set_listpack_entries(512);
    store_rig_release(&rig);
}

static void a_hash_that_goes_elsewhere_is_waited_for_there(void **state)
{
    struct store_rig rig;
    struct store *store = store_rig_init(&rig, 1);
    struct db *a = &store->dbs[0], *b = &store->dbs[1], *c = &store->dbs[2];
    struct key_ref from = filled(a, BYTES("k"), 3), to = find(b, BYTES("other"), LOOKUP_WRITE);

    give_deadline(&from, 1, NOW_MS + 5);
    store_copy(from.entry, &to, BYTES("other"));
    store_check(a);
    store_check(b);
    to = find(c, BYTES("k"), LOOKUP_WRITE);
    store_move(&from, &to, BYTES("k"));
    store_check(a);
    store_check(c);
    store_swap(b, c);
    store_check(b);
    store_check(c);
    clock_advance(&rig.clock, 6);
    work_until_done(store);
    assert_int_equal(store->stats.expired_fields, 2);
    to = find(b, BYTES("k"), LOOKUP_READ);
    assert_int_equal(hash_size(value_of(&to)), 2);
    to = find(c, BYTES("other"), LOOKUP_READ);
    assert_int_equal(hash_size(value_of(&to)), 2);
    assert_int_equal(store_size(a), 0);
    store_rig_release(&rig);
}

static void random_runs_agree_with_a_model(void **state)
{
    run(1, 512);
    run(2, 0);
    run(3, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_goes_the_millisecond_after_its_deadline),
        cmocka_unit_test(work_removes_what_nobody_asks_for),
        cmocka_unit_test(a_key_whose_fields_are_all_dead_is_absent),
        cmocka_unit_test(where_nothing_may_expire_the_dead_are_hidden),
        cmocka_unit_test(when_active_expiry_is_off_asking_removes_them),
        cmocka_unit_test(a_hash_that_comes_with_deadlines_is_waited_for),
        cmocka_unit_test(who_moves_is_waited_for_at_the_new_place),
        cmocka_unit_test(what_is_replaced_is_waited_for_no_more),
        cmocka_unit_test(what_dies_is_reported),
        cmocka_unit_test(a_hash_that_goes_elsewhere_is_waited_for_there),
        cmocka_unit_test(random_runs_agree_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
