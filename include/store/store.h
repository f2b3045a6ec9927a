/* The keyspace: numbered databases of keys with values of any type and deadlines.
 *
 * Looking up gives a key_ref: where the key stands in its database's table. It holds until the next
 * change of the table, so a handler looks up again after anything that may have added or removed a key.
 *
 *     struct key_ref ref = store_find(db, key, hash, LOOKUP_WRITE);
 *     if (!ref.entry) ... the key is absent (or has just expired)
 *     store_set_deadline(&ref, now + 1500);
 *
 * The store knows no client. What goes upward goes through struct store_observer. Whatever takes long
 * (expiring, freeing, resizing, moving blocks together) is done in slices by store_work. */
#ifndef TERN_STORE_STORE_H
#define TERN_STORE_STORE_H

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "ds/dict.h"
#include "store/entry.h"

struct db;
struct store;

/* All may be NULL but may_expire. Views hold during the call. */
struct store_observer {
    void *context;
    /* False: what has expired reads as absent but stays (a replica, CLIENT PAUSE, loading). */
    bool (*may_expire)(void *context);
    /* Just before the key goes. */
    void (*expired)(void *context, struct db *db, struct bytes key);
    /* Just after a key came, before a lookup that counts found nothing. */
    void (*added)(void *context, struct db *db, struct bytes key);
    void (*missed)(void *context, struct db *db, struct bytes key);
    /* Just before a field of a hash goes because it has expired, but not when all fields go at once. */
    void (*field_expired)(void *context, struct db *db, struct bytes key, struct bytes field);
    /* After some fields have gone, or just before a key goes of which all fields have expired. */
    void (*fields_expired)(void *context, struct db *db, struct bytes key, bool is_all);
    /* False: nothing is evicted now, and nobody is told that memory is full. */
    bool (*may_evict)(void *context);
    /* Just before the key goes, for want of memory. */
    void (*evicted)(void *context, struct db *db, struct bytes key);
    /* Something took STORE_SLOW_NS or longer; its name is that of LATENCY's event. */
    void (*was_slow)(void *context, const char *event, uint64_t ns);
};

#define STORE_SLOW_NS 1000000 /* the least that the latency monitor can be asked for */

struct db {
    struct dict keys; /* of struct entry */
    struct wheel *deadlines;
    struct wheel *field_deadlines; /* of hashes, by their earliest field; NULL until there is one */
    struct store *store;
    int id;
    uint64_t scan_moved; /* cursor of the pass that moves blocks together */
};

enum eviction_policy {
    EVICT_VOLATILE_LRU,
    EVICT_VOLATILE_LFU,
    EVICT_VOLATILE_RANDOM,
    EVICT_VOLATILE_TTL,
    EVICT_ALLKEYS_LRU,
    EVICT_ALLKEYS_LFU,
    EVICT_ALLKEYS_RANDOM,
    EVICT_NONE
};

#define EVICTION_SAMPLES_MAX 64 /* more are taken as so many */

struct store_settings {
    int policy;          /* enum eviction_policy */
    int lfu_log_factor;
    int lfu_decay_minutes;
    int eviction_samples;  /* keys that are looked at for each that goes */
    int eviction_tenacity; /* 0 to 100: how long a command waits for room; 10: 500 us */
};

/* Kinds of housekeeping, each with its longest slice in INFO. */
enum store_work_kind { WORK_EXPIRE, WORK_FREE, WORK_EVICT, WORK_RESIZE, WORK_MOVE, WORK_RETURN, WORK_KINDS };

struct store_stats {
    uint64_t hits, misses, expired, expired_fields, evicted, moved;
    uint64_t longest_slice_ns[WORK_KINDS];
    uint64_t work_ns[WORK_KINDS]; /* in all */
    uint64_t freed_later;         /* values that went in slices */
    uint64_t exceeded_ns;         /* how long the limit on memory was exceeded, the time from exceeded_since on not counted */
    uint64_t exceeded_since_ns;   /* of clock_work_ns; 0: it is not exceeded */
};

#define MOVING_VALUES_MAX 16

/* A large value whose blocks are being moved together. Its key may go meanwhile: it is looked for anew. */
struct moving_value {
    struct db *db;
    uint64_t hash;
    void *value;
    uint64_t cursor;
};

struct store {
    struct db *dbs;
    int db_count;
    struct clock *clock;
    struct random random;
    struct store_observer observer;
    struct store_settings settings;
    struct store_stats stats;
    uint64_t changes; /* of keys, by commands: what must have been reported */
    uint32_t access_now;         /* what a touched key's access clock becomes under LRU */
    bool has_snapshot_child;     /* no resize, no moves, no page return, no access clock */
    bool is_active_expire_off;   /* DEBUG SET-ACTIVE-EXPIRE 0 */
    struct free_queue *freeing;  /* values and whole databases that go in slices */
    struct eviction *eviction;   /* candidates (evict.c) */
    size_t memory_limit;         /* 0: none */
    bool is_evicting;            /* there was no time to come below the limit: work goes on at once */
    uint64_t move_next_ns; /* when to look again whether blocks should move together */
    bool is_moving;
    uint64_t moved_in_pass;
    int move_db;
    struct moving_value moving[MOVING_VALUES_MAX];
    int moving_count;
};

struct store *store_new(int db_count, struct clock *clock, uint64_t random_seed);
void store_free(struct store *store);
void store_set_snapshot_child(struct store *store, bool lives);
/* Once a turn: the access clock follows the time. */
void store_tick(struct store *store);

/* --- finding ----------------------------------------------------------------------------- */

struct key_ref {
    struct db *db;
    struct dict_slot *slot;
    struct entry *entry; /* NULL: absent */
    uint64_t hash;
};

#define LOOKUP_WRITE   1u /* the command may change the key: no hit, no miss */
#define LOOKUP_NOTOUCH 2u /* leave the access clock (TYPE, TTL, OBJECT, CLIENT NO-TOUCH) */
#define LOOKUP_QUIET   4u /* neither hit, miss nor event */
#define LOOKUP_READ    0u

/* An expired key is removed on the way (when allowed) and reads as absent. */
struct key_ref store_find(struct db *db, struct bytes key, uint64_t hash, unsigned how);

/* Looks without any consequence: no expiry, no statistics, no access clock. NULL when absent. */
const struct entry *store_peek(const struct db *db, struct bytes key, uint64_t hash);

static inline size_t store_size(const struct db *db) { return dict_size(&db->keys); }
/* A hash of which all fields are dead (field_expiry.c). */
bool store_fields_are_dead(const struct db *db, const struct entry *entry);
static inline bool store_is_expired(const struct db *db, const struct entry *entry)
{
    return ((entry->flags & ENTRY_EXPIRES) &&
            entry_wheel_node(entry)->deadline_ms < clock_now_ms(db->store->clock)) ||
           ((entry->flags & ENTRY_FIELDS_EXPIRE) && store_fields_are_dead(db, entry));
}
/* What has expired in it, all or some fields, is still to go. */
bool store_is_stale(const struct db *db, const struct entry *entry);

/* --- changing ---------------------------------------------------------------------------- */

/* Adds an absent key with a collection (taken). 'ref' then holds the new key. */
void store_add(struct key_ref *ref, struct bytes key, enum value_type type, void *value);
/* The same whether the key is absent or there: what it held and its deadline go. */
void store_replace(struct key_ref *ref, struct bytes key, enum value_type type, void *value);
/* Removes the key and frees its value, in slices when it is large. 'ref' is void then. */
void store_remove(struct key_ref *ref);
/* Frees a value that no key has, in slices when it is large. */
void store_free_value(struct store *store, enum value_type type, void *value);
/* Frees anything else in slices: 'step' is called until it returns true, each time for about 'budget'
 * blocks. */
void store_free_later(struct store *store, bool (*step)(void *thing, size_t budget), void *thing);

void store_set_deadline(struct key_ref *ref, int64_t deadline_ms);
void store_clear_deadline(struct key_ref *ref);

/* After fields of the hash got deadlines: they will be kept. A hash that comes with some to a key by
 * store_add needs no such call. */
void store_file_hash(struct key_ref *ref);

/* So many keys are about to come. */
void store_reserve(struct db *db, size_t keys);

/* Empties a database. Its contents go in slices: store_is_freed tells when. */
void store_flush(struct db *db);
/* What is being freed has numbers that count up; this is that of the last. */
uint64_t store_freeing_number(const struct store *store);
/* All up to that number is gone. */
bool store_is_freed(const struct store *store, uint64_t number);
/* Frees for about so long; true when nothing is left to be freed. */
bool store_free_now(struct store *store, int64_t budget_ns);

/* The key takes another name or another database (move_key.c). Value, deadline and access clock go along;
 * a collection is not copied. 'to' was looked up last and is absent; 'from' is void then. */
void store_move(struct key_ref *from, struct key_ref *to, struct bytes key);
/* A second key with a copy of value and deadline. 'to' is absent. */
void store_copy(const struct entry *from, struct key_ref *to, struct bytes key);
/* The databases exchange all their keys. */
void store_swap(struct db *a, struct db *b);

/* --- walking ----------------------------------------------------------------------------- */

typedef void store_emit(void *context, struct db *db, struct entry *entry);
/* One step of SCAN: see dict_scan. Expired keys are emitted too: the caller looks at deadlines. */
uint64_t store_scan(struct db *db, uint64_t cursor, store_emit *emit, void *context);
/* A random key, or NULL. It has not expired, unless a thousand others that it met had. */
struct entry *store_random(struct db *db);
size_t store_expiring(const struct db *db); /* keys with a deadline */
int64_t store_mean_deadline(const struct db *db); /* of those; 0 without any */

/* --- the access clock -------------------------------------------------------------------- */

uint64_t store_idle_seconds(const struct store *store, const struct entry *entry);
unsigned store_frequency(const struct store *store, const struct entry *entry);
bool store_is_lfu(const struct store *store);
/* As if it had been touched last so long ago (without effect under LFU); with such a frequency (under LFU only). */
void store_set_idle(const struct store *store, struct entry *entry, uint64_t seconds);
void store_set_frequency(const struct store *store, struct entry *entry, unsigned frequency);

/* --- the limit on memory ----------------------------------------------------------------- */

/* Of mem_used; 0: none. What is beyond it goes from now on. */
void store_limit_memory(struct store *store, size_t bytes);

static inline bool store_is_over_limit(const struct store *store)
{
    return store->memory_limit && mem_used() > store->memory_limit;
}

enum evict_outcome {
    EVICT_ENOUGH,  /* there is room, or eviction is not allowed now */
    EVICT_GOES_ON, /* the time is up, the rest goes in slices */
    EVICT_FAILED   /* nothing is left that may go */
};
/* Makes room by the policy, for as long as a command may wait for it. References and entries are void then. */
enum evict_outcome store_evict(struct store *store);

/* --- housekeeping ------------------------------------------------------------------------ */

/* Expires, frees, resizes, moves together and gives back, about 'budget_ns' in all but at least a
 * piece of each. Returns true while there is more to do at once. Called between requests. */
bool store_work(struct store *store, int64_t budget_ns);
/* The time at which store_work has something to expire; INT64_MAX for never. */
int64_t store_next_deadline(const struct store *store);
/* Bytes of values and databases that were removed and are still being freed are not known; their
 * number is. */
size_t store_pending_frees(const struct store *store);

/* Memory of the tables (INFO, MEMORY STATS). */
size_t store_overhead(const struct db *db);

/* Walks all invariants of a database. */
void store_check(const struct db *db);

#endif
