/* Eviction: making room below the limit on memory.
 *
 * To look at all keys would take too long, so each key that goes is the best of some that were met by chance and of a
 * pool that keeps the best of those before (http://antirez.com/news/109). The pool knows keys by their hashes alone:
 * whatever became of a key meanwhile shows when it is looked up again, and one that was used since is judged anew.
 *
 *     table, or wheel  --samples-->  pool of the best  --the first that still deserves it-->  gone
 *
 * A value that was removed may wait in the free queue. Its memory counts until it has gone, so the queue is emptied
 * before another key goes. */
#include "store_internal.h"

#include "base/assert.h"
#include "base/hash.h"

#define POOL_SIZE    16
#define NEAREST      32 /* deadlines of a database that are looked at for volatile-ttl */
#define NEAREST_DBS  16 /* databases that are looked at for one key that goes */

struct candidate {
    uint64_t hash;
    uint64_t rank; /* the highest goes first */
    struct db *db;
};

struct eviction {
    int policy; /* what the ranks mean */
    int next_db; /* where volatile-ttl begins to look */
    int count;
    struct candidate pool[POOL_SIZE];
};

struct eviction *eviction_new(void) { return mem_alloc_zero(sizeof(struct eviction)); }
void eviction_free(struct eviction *eviction) { mem_free(eviction, sizeof *eviction); }

/* --- what the policy says ---------------------------------------------------------------- */

static bool is_volatile(int policy) { return policy <= EVICT_VOLATILE_TTL; }

static bool is_random(int policy)
{
    return policy == EVICT_VOLATILE_RANDOM || policy == EVICT_ALLKEYS_RANDOM;
}

static uint64_t rank_of(const struct store *store, const struct entry *entry)
{
    if (store->settings.policy == EVICT_VOLATILE_TTL)
        return (uint64_t)INT64_MAX - (uint64_t)entry_deadline(entry); /* in the order of int64_t */
    if (store_is_lfu(store))
        return UINT8_MAX - store_frequency(store, entry);
    return store_idle_seconds(store, entry);
}

/* Keys of a database that may go. */
static size_t eligible(const struct db *db)
{
    return is_volatile(db->store->settings.policy) ? store_expiring(db) : store_size(db);
}

/* --- samples ----------------------------------------------------------------------------- */

static struct entry *entry_of(struct wheel_node *node)
{
    return (struct entry *)((char *)node - sizeof(struct entry));
}

/* A database, the likelier the more of its keys may go; NULL when there is no such key. */
static struct db *random_db(struct store *store)
{
    size_t all = 0;
    uint64_t at;

    for (int i = 0; i < store->db_count; i++)
        all += eligible(&store->dbs[i]);
    if (all == 0)
        return NULL;
    at = random_below(&store->random, all);
    for (int i = 0; i < store->db_count; i++) {
        size_t keys = eligible(&store->dbs[i]);

        if (at < keys)
            return &store->dbs[i];
        at -= keys;
    }
    ASSERT(false);
}

static size_t sample_volatile(struct db *db, struct entry *entries[], size_t want)
{
    for (size_t i = 0; i < want; i++) {
        entries[i] = entry_of(wheel_random(db->deadlines, &db->store->random));
        __builtin_prefetch(entries[i]);
    }
    return want;
}

/* Some keys of one database that may go; none only when nothing may. */
static size_t sample(struct store *store, struct db **db, struct entry *entries[], size_t want)
{
    *db = random_db(store);
    if (!*db)
        return 0;
    if (is_volatile(store->settings.policy))
        return sample_volatile(*db, entries, want);
    return dict_sample(&(*db)->keys, &store->random, (void **)entries, want);
}

/* --- the pool ---------------------------------------------------------------------------- */

static struct candidate *pool_find(struct eviction *eviction, uint64_t hash, const struct db *db)
{
    for (int i = 0; i < eviction->count; i++)
        if (eviction->pool[i].hash == hash && eviction->pool[i].db == db)
            return &eviction->pool[i];
    return NULL;
}

static struct candidate *pool_lowest(struct eviction *eviction)
{
    struct candidate *lowest = eviction->pool;

    for (int i = 1; i < eviction->count; i++)
        if (eviction->pool[i].rank < lowest->rank)
            lowest = &eviction->pool[i];
    return lowest;
}

static struct candidate *pool_highest(struct eviction *eviction)
{
    struct candidate *highest = eviction->pool;

    for (int i = 1; i < eviction->count; i++)
        if (eviction->pool[i].rank > highest->rank)
            highest = &eviction->pool[i];
    return highest;
}

static void pool_drop(struct eviction *eviction, struct candidate *candidate)
{
    *candidate = eviction->pool[--eviction->count];
}

static void pool_offer(struct eviction *eviction, struct db *db, const struct entry *entry)
{
    struct candidate offered = {.rank = rank_of(db->store, entry), .db = db}, *place, *lowest = NULL;

    if (eviction->count == POOL_SIZE) {
        lowest = pool_lowest(eviction);
        if (offered.rank <= lowest->rank)
            return;
    }
    offered.hash = hash_bytes(entry_key(entry));
    place = pool_find(eviction, offered.hash, db);
    if (!place)
        place = lowest ? lowest : &eviction->pool[eviction->count++];
    *place = offered;
}

static void pool_offer_nearest(struct eviction *eviction, struct db *db)
{
    struct wheel_node *nodes[NEAREST];
    size_t count = wheel_nearest(db->deadlines, &db->store->random, nodes, NEAREST);

    for (size_t i = 0; i < count; i++)
        pool_offer(eviction, db, entry_of(nodes[i]));
}

/* The nearest of each database, since they are in no order among each other. */
static void pool_fill_nearest(struct store *store)
{
    struct eviction *eviction = store->eviction;
    int seen = 0;

    for (int n = 0; n < store->db_count && seen < NEAREST_DBS; n++) {
        struct db *db = &store->dbs[eviction->next_db];

        eviction->next_db = (eviction->next_db + 1) % store->db_count;
        if (store_expiring(db) == 0)
            continue;
        pool_offer_nearest(eviction, db);
        seen++;
    }
}

static void pool_fill(struct store *store)
{
    struct entry *entries[EVICTION_SAMPLES_MAX];
    struct db *db;
    int samples = store->settings.eviction_samples;
    size_t count;

    if (samples > EVICTION_SAMPLES_MAX)
        samples = EVICTION_SAMPLES_MAX;
    count = sample(store, &db, entries, (size_t)samples);

    for (size_t i = 0; i < count; i++)
        pool_offer(store->eviction, db, entries[i]);
}

static bool has_hash(const void *entry, const void *hash)
{
    return hash_bytes(entry_key(entry)) == *(const uint64_t *)hash;
}

static struct key_ref candidate_find(const struct candidate *candidate)
{
    struct key_ref ref = {.db = candidate->db, .hash = candidate->hash};

    ref.slot = dict_find_slot(&ref.db->keys, ref.hash, has_hash, &ref.hash);
    ref.entry = ref.slot ? dict_slot_entry(ref.slot) : NULL;
    if (ref.entry && is_volatile(ref.db->store->settings.policy) && !(ref.entry->flags & ENTRY_EXPIRES))
        ref.entry = NULL;
    return ref;
}

/* The best of the pool that is what the pool takes it for. */
static struct key_ref pool_take(struct store *store)
{
    struct eviction *eviction = store->eviction;

    while (eviction->count > 0) {
        struct candidate *best = pool_highest(eviction);
        struct key_ref ref = candidate_find(best);
        uint64_t rank = ref.entry ? rank_of(store, ref.entry) : 0;

        if (ref.entry && rank < best->rank) {
            best->rank = rank; /* it was used since */
            continue;
        }
        pool_drop(eviction, best);
        if (ref.entry)
            return ref;
    }
    return (struct key_ref){0};
}

/* --- one key ----------------------------------------------------------------------------- */

static struct key_ref choose_random(struct store *store)
{
    struct entry *entry;
    struct db *db;

    if (sample(store, &db, &entry, 1) == 0)
        return (struct key_ref){0};
    return (struct key_ref){.db = db, .entry = entry, .hash = hash_bytes(entry_key(entry))};
}

static struct key_ref choose_best(struct store *store)
{
    if (store->eviction->policy != store->settings.policy) {
        store->eviction->policy = store->settings.policy;
        store->eviction->count = 0;
    }
    if (store->settings.policy == EVICT_VOLATILE_TTL)
        pool_fill_nearest(store);
    else
        pool_fill(store);
    return pool_take(store);
}

static bool evict_key(struct store *store)
{
    struct key_ref ref;
    uint64_t start_ns;

    if (store->settings.policy == EVICT_NONE)
        return false;
    ref = is_random(store->settings.policy) ? choose_random(store) : choose_best(store);
    if (!ref.entry)
        return false;
    store->stats.evicted++;
    if (store->observer.evicted)
        store->observer.evicted(store->observer.context, ref.db, entry_key(ref.entry));
    start_ns = clock_work_ns();
    store_take_out(&ref, true);
    work_was_slow(store, "eviction-del", clock_work_ns() - start_ns);
    return true;
}

/* --- making room ------------------------------------------------------------------------- */

static bool may_evict(const struct store *store)
{
    return !store->observer.may_evict || store->observer.may_evict(store->observer.context);
}

/* False when nothing can go. */
static bool make_some_room(struct store *store)
{
    if (store_pending_frees(store) > 0) {
        work_free_piece(store);
        return true;
    }
    return evict_key(store);
}

static void note_excess(struct store *store)
{
    struct store_stats *stats = &store->stats;

    if (store_is_over_limit(store)) {
        if (!stats->exceeded_since_ns)
            stats->exceeded_since_ns = clock_work_ns();
    } else if (stats->exceeded_since_ns) {
        stats->exceeded_ns += clock_work_ns() - stats->exceeded_since_ns;
        stats->exceeded_since_ns = 0;
    }
}

bool evict_piece(struct store *store)
{
    store->is_evicting = store_is_over_limit(store) && may_evict(store) && make_some_room(store) &&
                         store_is_over_limit(store);
    note_excess(store);
    return store->is_evicting;
}

/* As the directive maxmemory-eviction-tenacity of Redis has it. */
static uint64_t patience_ns(int tenacity)
{
    uint64_t ns = 50000 * (uint64_t)(tenacity < 10 ? tenacity : 10);

    if (tenacity == 100)
        return UINT64_MAX;
    for (; tenacity > 10; tenacity--)
        ns += ns * 15 / 100;
    return ns;
}

static enum evict_outcome evict_for(struct store *store, uint64_t start_ns, uint64_t patience)
{
    while (store_is_over_limit(store)) {
        if (!make_some_room(store))
            return EVICT_FAILED;
        if (clock_work_ns() - start_ns >= patience)
            return store_is_over_limit(store) ? EVICT_GOES_ON : EVICT_ENOUGH;
    }
    return EVICT_ENOUGH;
}

enum evict_outcome store_evict(struct store *store)
{
    uint64_t start_ns = clock_work_ns();
    enum evict_outcome outcome;

    if (!may_evict(store))
        return EVICT_ENOUGH;
    outcome = evict_for(store, start_ns, patience_ns(store->settings.eviction_tenacity));
    store->is_evicting = outcome == EVICT_GOES_ON;
    note_excess(store);
    work_count(store, WORK_EVICT, clock_work_ns() - start_ns);
    return outcome;
}

void store_limit_memory(struct store *store, size_t bytes)
{
    store->memory_limit = bytes;
    store->is_evicting = store_is_over_limit(store);
}
