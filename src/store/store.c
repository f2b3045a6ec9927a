/* Databases of keys: finding, adding, removing, deadlines, walking. */
#include "store_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"

/* --- making and freeing ------------------------------------------------------------------ */

static bool always(void *context) { return true; }

struct store *store_new(int db_count, struct clock *clock, uint64_t random_seed)
{
    struct store *store = mem_alloc_zero(sizeof *store);

    store->db_count = db_count;
    store->clock = clock;
    store->observer.may_expire = always;
    store->settings = (struct store_settings){
        .policy = EVICT_NONE, .lfu_log_factor = 10, .lfu_decay_minutes = 1,
        .eviction_samples = 5, .eviction_tenacity = 10};
    store_tick(store);
    random_init(&store->random, random_seed);
    store->freeing = free_queue_new();
    store->eviction = eviction_new();
    store->dbs = mem_alloc_zero((size_t)db_count * sizeof *store->dbs);
    for (int i = 0; i < db_count; i++) {
        struct db *db = &store->dbs[i];

        db->store = store;
        db->id = i;
        dict_init(&db->keys, &keyspace_type);
        db->deadlines = wheel_new(clock_now_ms(clock));
    }
    return store;
}

void store_free(struct store *store)
{
    for (int i = 0; i < store->db_count; i++) {
        store_flush(&store->dbs[i]);
        dict_release(&store->dbs[i].keys);
        wheel_free(store->dbs[i].deadlines);
        ASSERT(!store->dbs[i].field_deadlines);
    }
    while (!store_free_now(store, INT64_MAX))
        ;
    free_queue_free(store->freeing);
    eviction_free(store->eviction);
    mem_free(store->dbs, (size_t)store->db_count * sizeof *store->dbs);
    mem_free(store, sizeof *store);
}

void store_set_snapshot_child(struct store *store, bool lives)
{
    store->has_snapshot_child = lives;
    mem_set_snapshot_child(lives);
    for (int i = 0; i < store->db_count; i++)
        dict_allow_resize(&store->dbs[i].keys, !lives);
}

/* --- the access clock --------------------------------------------------------------------

 * LRU keeps seconds, LFU the minute of the last decay (16 bits) and a logarithmic counter (8 bits)
 * as in http://antirez.com/news/109. */

#define ACCESS_MASK      ((1u << ENTRY_ACCESS_BITS) - 1)
#define LFU_INITIAL      5
#define LFU_MINUTES_MASK 0xffffu

bool store_is_lfu(const struct store *store)
{
    return store->settings.policy == EVICT_ALLKEYS_LFU ||
           store->settings.policy == EVICT_VOLATILE_LFU;
}

static uint32_t lfu_minutes(const struct store *store)
{
    return (uint32_t)(clock_now_ms(store->clock) / 60000) & LFU_MINUTES_MASK;
}

uint32_t access_initial(const struct store *store)
{
    if (store_is_lfu(store))
        return lfu_minutes(store) << 8 | LFU_INITIAL;
    return store->access_now;
}

void store_tick(struct store *store)
{
    store->access_now = (uint32_t)(clock_now_ms(store->clock) / 1000) & ACCESS_MASK;
}

unsigned store_frequency(const struct store *store, const struct entry *entry)
{
    uint32_t elapsed = (lfu_minutes(store) - (entry->access >> 8)) & LFU_MINUTES_MASK;
    uint32_t counter = entry->access & 0xff;
    uint32_t periods = store->settings.lfu_decay_minutes
                           ? elapsed / (uint32_t)store->settings.lfu_decay_minutes
                           : 0;

    return periods > counter ? 0 : counter - periods;
}

uint64_t store_idle_seconds(const struct store *store, const struct entry *entry)
{
    return ((uint32_t)(clock_now_ms(store->clock) / 1000) - entry->access) & ACCESS_MASK;
}

void store_reserve(struct db *db, size_t keys)
{
    if (!db->store->has_snapshot_child)
        dict_reserve(&db->keys, store_size(db) + keys);
}

void store_set_idle(const struct store *store, struct entry *entry, uint64_t seconds)
{
    uint64_t most = ACCESS_MASK / 2;

    if (!store_is_lfu(store))
        entry->access = (uint32_t)(clock_now_ms(store->clock) / 1000 -
                                   (int64_t)(seconds < most ? seconds : most)) & ACCESS_MASK;
}

void store_set_frequency(const struct store *store, struct entry *entry, unsigned frequency)
{
    if (store_is_lfu(store))
        entry->access = lfu_minutes(store) << 8 | (frequency & 0xff);
}

static void touch_lfu(struct store *store, struct entry *entry)
{
    unsigned counter = store_frequency(store, entry);

    if (counter < UINT8_MAX) {
        double base = counter > LFU_INITIAL ? counter - LFU_INITIAL : 0;
        double chance = 1.0 / (base * store->settings.lfu_log_factor + 1);

        counter += (double)(random_next(&store->random) >> 11) * 0x1p-53 < chance;
    }
    entry->access = lfu_minutes(store) << 8 | counter;
}

/* Written only when it changes: a read must not dirty the line of a key. */
static inline void touch(struct store *store, struct entry *entry)
{
    uint32_t now;

    if (store->has_snapshot_child)
        return;
    if (__builtin_expect(store_is_lfu(store), 0)) {
        touch_lfu(store, entry);
        return;
    }
    now = store->access_now;
    if (entry->access != now)
        entry->access = now;
}

/* --- finding ----------------------------------------------------------------------------- */

/* Whether an expired key is still to be treated as there; removes it when that is allowed. */
static bool outlives_deadline(struct key_ref *ref, unsigned how)
{
    struct store *store = ref->db->store;

    if (!store->observer.may_expire(store->observer.context))
        return how & LOOKUP_WRITE; /* what a master sends finds the key that the master has */
    store->stats.expired++;
    if (store->observer.expired)
        store->observer.expired(store->observer.context, ref->db, entry_key(ref->entry));
    store_take_out(ref, true);
    return false;
}

static void count_miss(struct db *db, struct bytes key, unsigned how)
{
    struct store *store = db->store;

    if (how & (LOOKUP_WRITE | LOOKUP_QUIET))
        return;
    store->stats.misses++;
    if (store->observer.missed)
        store->observer.missed(store->observer.context, db, key);
}

/* The same for a key with a deadline or with fields that have some. */
static bool survives(struct key_ref *ref, unsigned how)
{
    struct entry *entry = ref->entry;

    if (entry->flags & ENTRY_EXPIRES &&
        entry_wheel_node(entry)->deadline_ms < clock_now_ms(ref->db->store->clock))
        return outlives_deadline(ref, how);
    return !(entry->flags & ENTRY_FIELDS_EXPIRE) || fields_survive(ref, how);
}

struct key_ref store_find(struct db *db, struct bytes key, uint64_t hash, unsigned how)
{
    struct key_ref ref = {.db = db, .hash = hash};

    ref.slot = dict_find_slot(&db->keys, hash, entry_is, &key);
    if (!ref.slot) {
        count_miss(db, key, how);
        return ref;
    }
    ref.entry = dict_slot_entry(ref.slot);
    if ((ref.entry->flags & (ENTRY_EXPIRES | ENTRY_FIELDS_EXPIRE)) && !survives(&ref, how)) {
        count_miss(db, key, how);
        return (struct key_ref){.db = db, .hash = hash};
    }
    if (!(how & LOOKUP_NOTOUCH))
        touch(db->store, ref.entry);
    if (!(how & (LOOKUP_WRITE | LOOKUP_QUIET)))
        db->store->stats.hits++;
    return ref;
}

const struct entry *store_peek(const struct db *db, struct bytes key, uint64_t hash)
{
    return dict_find(&db->keys, hash, entry_is, &key);
}

/* --- changing ---------------------------------------------------------------------------- */

void store_insert(struct key_ref *ref, struct entry *entry)
{
    struct store *store = ref->db->store;

    store->changes++;
    entry->access = access_initial(store);
    dict_insert(&ref->db->keys, ref->hash, entry);
    ref->entry = entry;
    ref->slot = NULL;
    if (entry->type == VALUE_HASH)
        fields_join(ref->db, entry);
    if (store->observer.added)
        store->observer.added(store->observer.context, ref->db, entry_key(entry));
}

void store_add(struct key_ref *ref, struct bytes key, enum value_type type, void *value)
{
    struct entry *entry = entry_new(key, type, FORM_CELL, ENTRY_HAS_CELL, 0);

    ASSERT(!ref->entry);
    memcpy(entry_cell(entry), &value, sizeof value);
    store_insert(ref, entry);
}

void store_replace(struct key_ref *ref, struct bytes key, enum value_type type, void *value)
{
    if (!ref->entry) {
        store_add(ref, key, type, value);
        return;
    }
    ref->db->store->changes++;
    if (ref->entry->form == FORM_CELL)
        value_free(ref->db->store, ref->entry);
    if (ref->entry->flags & ENTRY_EXPIRES)
        wheel_remove(ref->db->deadlines, entry_wheel_node(ref->entry));
    entry_reshape(ref, ENTRY_HAS_CELL, 0);
    ref->entry->type = type;
    ref->entry->form = FORM_CELL;
    memcpy(entry_cell(ref->entry), &value, sizeof value);
    if (type == VALUE_HASH)
        fields_join(ref->db, ref->entry);
}

void store_take_out(struct key_ref *ref, bool is_in_wheel)
{
    struct entry *entry = ref->entry;

    if (is_in_wheel && (entry->flags & ENTRY_EXPIRES))
        wheel_remove(ref->db->deadlines, entry_wheel_node(entry));
    dict_remove(&ref->db->keys, ref->hash, ref_slot(ref));
    value_free(ref->db->store, entry);
    entry_free(entry);
    ref->slot = NULL;
    ref->entry = NULL;
}

void store_remove(struct key_ref *ref)
{
    ref->db->store->changes++;
    store_take_out(ref, true);
}

void store_set_deadline(struct key_ref *ref, int64_t deadline_ms)
{
    struct wheel *wheel = ref->db->deadlines;

    ref->db->store->changes++;
    if (ref->entry->flags & ENTRY_EXPIRES)
        wheel_remove(wheel, entry_wheel_node(ref->entry));
    else
        entry_reshape(ref, ref->entry->flags | ENTRY_EXPIRES, ref->entry->value_len);
    entry_wheel_node(ref->entry)->deadline_ms = deadline_ms;
    wheel_add(wheel, entry_wheel_node(ref->entry));
}

void store_clear_deadline(struct key_ref *ref)
{
    if (!(ref->entry->flags & ENTRY_EXPIRES))
        return;
    ref->db->store->changes++;
    wheel_remove(ref->db->deadlines, entry_wheel_node(ref->entry));
    entry_reshape(ref, ref->entry->flags & ~ENTRY_EXPIRES, ref->entry->value_len);
}

void store_flush(struct db *db)
{
    struct store *store = db->store;

    store->changes += dict_size(&db->keys) != 0;
    free_queue_add_db(store->freeing, &db->keys, db->deadlines, db->field_deadlines);
    db->field_deadlines = NULL;
    dict_init(&db->keys, &keyspace_type);
    dict_allow_resize(&db->keys, !store->has_snapshot_child);
    db->deadlines = wheel_new(clock_now_ms(store->clock));
    db->scan_moved = 0;
}

/* --- walking ----------------------------------------------------------------------------- */

struct scan_context {
    store_emit *emit;
    void *context;
    struct db *db;
};

static void scan_emit(void *context, void *entry)
{
    struct scan_context *scan = context;

    scan->emit(scan->context, scan->db, entry);
}

uint64_t store_scan(struct db *db, uint64_t cursor, store_emit *emit, void *context)
{
    struct scan_context scan = {emit, context, db};

    return dict_scan(&db->keys, cursor, scan_emit, &scan);
}

#define RANDOM_TRIES    100  /* when what has expired may not be removed */
#define RANDOM_REMOVALS 1000 /* of expired keys in one call; a key that expired just now is returned then */

struct entry *store_random(struct db *db)
{
    struct entry *entry = NULL;

    for (int tries = 0, removals = 0; tries < RANDOM_TRIES;) {
        struct key_ref ref;

        entry = dict_random(&db->keys, &db->store->random);
        if (!entry || !store_is_expired(db, entry) || removals++ == RANDOM_REMOVALS)
            return entry;
        ref = (struct key_ref){.db = db, .entry = entry, .hash = hash_bytes(entry_key(entry))};
        if (survives(&ref, LOOKUP_WRITE))
            tries++;
    }
    return entry;
}

size_t store_expiring(const struct db *db) { return wheel_size(db->deadlines); }

int64_t store_mean_deadline(const struct db *db) { return wheel_mean_ms(db->deadlines); }

size_t store_overhead(const struct db *db)
{
    return dict_memory(&db->keys) + wheel_memory(db->deadlines) +
           (db->field_deadlines ? wheel_memory(db->field_deadlines) : 0);
}

size_t store_pending_frees(const struct store *store) { return free_queue_size(store->freeing); }

void store_check(const struct db *db)
{
    struct dict_iter iter;
    const struct entry *entry;
    size_t expiring = 0, filed = 0;

    dict_check(&db->keys);
    wheel_check(db->deadlines);
    dict_iter_init(&iter, &db->keys);
    while ((entry = dict_iter_next(&iter)) != NULL) {
        ASSERT(entry->type < VALUE_TYPE_COUNT);
        ASSERT((entry->form == FORM_EMBEDDED) == !(entry->flags & ENTRY_HAS_CELL));
        expiring += (entry->flags & ENTRY_EXPIRES) != 0;
        filed += fields_check(db, entry);
    }
    ASSERT(expiring == wheel_size(db->deadlines));
    ASSERT(filed == (db->field_deadlines ? wheel_size(db->field_deadlines) : 0));
}
