/* What tests of the store stand on: a clock that only the test moves, and a store that leaves
 * nothing behind. */
#ifndef TERN_TESTS_STORE_RIG_H
#define TERN_TESTS_STORE_RIG_H

#include "base/hash.h"
#include "base/mem.h"
#include "store/store.h"
#include "store/string_value.h"
#include "types/list.h"

#define NOW_MS    INT64_C(1795000000000)
#define DATABASES 3

struct store_rig {
    struct clock clock;
    struct random random;
    struct store *store;
    size_t mem_before;
    bool may_expire;
};

static inline bool store_rig_may_expire(void *context)
{
    return ((struct store_rig *)context)->may_expire;
}

static inline struct store *store_rig_init(struct store_rig *rig, uint64_t seed)
{
    hash_set_seed((struct hash_seed){3, 4});
    while (mem_background_step(INT64_MAX))
        ;
    rig->mem_before = mem_used();
    random_init(&rig->random, seed);
    clock_init(&rig->clock);
    clock_freeze(&rig->clock);
    rig->clock.now_us = NOW_MS * 1000;
    rig->may_expire = true;
    rig->store = store_new(DATABASES, &rig->clock, seed);
    rig->store->observer = (struct store_observer){rig, store_rig_may_expire, NULL, NULL, NULL};
    return rig->store;
}

static inline void store_rig_release(struct store_rig *rig)
{
    for (int i = 0; i < rig->store->db_count; i++)
        store_check(&rig->store->dbs[i]);
    store_free(rig->store);
    assert_int_equal(mem_used(), rig->mem_before);
    mem_check();
}

static inline void work_until_done(struct store *store)
{
    for (int calls = 0; store_work(store, 1000000); calls++)
        assert_true(calls < 1000000);
}

static inline struct key_ref find(struct db *db, struct bytes name, unsigned how)
{
    return store_find(db, name, hash_bytes(name), how);
}

static inline void set(struct db *db, struct bytes name, struct bytes value, int64_t deadline_ms)
{
    struct key_ref ref = find(db, name, LOOKUP_WRITE);

    string_set(&ref, name, value, false);
    if (deadline_ms != NO_DEADLINE)
        store_set_deadline(&ref, deadline_ms);
}

/* Keys "key:0", "key:1" ... */
static inline void fill(struct db *db, size_t keys, size_t value_len)
{
    char name[32], *value = calloc(1, value_len + 1);

    for (size_t i = 0; i < keys; i++)
        set(db, (struct bytes){name, (size_t)snprintf(name, sizeof name, "key:%zu", i)},
            (struct bytes){value, value_len}, NO_DEADLINE);
    free(value);
}

/* Each value fills a block of its own. */
static inline void add_list(struct db *db, struct bytes name, size_t values)
{
    struct key_ref ref = find(db, name, LOOKUP_WRITE);
    struct list *list = list_new();
    char *value = calloc(1, 5000);

    for (size_t i = 0; i < values; i++)
        list_push(list, LIST_TAIL, (struct bytes){value, 5000});
    store_add(&ref, name, VALUE_LIST, list);
    free(value);
}

#endif
