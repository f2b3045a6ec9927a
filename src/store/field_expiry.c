/* Hashes whose fields expire.
 *
 * Such a hash waits in a wheel of its database for its earliest field (struct hash_tie). The time it
 * waits for may be too early, since the field with that deadline may have gone: then it is put back.
 *
 *     hash_set_deadline ... store_file_hash        joins, or waits for an earlier time
 *     store_find -> fields_survive                 removes some of what is dead, and the rest is hidden
 *     store_work -> fields_expire_piece            removes what is due, piece by piece
 *
 * A key of which all fields are dead goes as a whole, its value through the queue of what is freed. */
#include "store_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "types/hash_value.h"

#define FIND_FIELDS  64 /* dead fields that one lookup removes */
#define PIECE_HASHES 4  /* hashes that are looked at between two looks at the clock ... */
#define PIECE_FIELDS 32 /* ... and the fields that each of them loses */

/* --- in the wheel ------------------------------------------------------------------------ */

static void leave(struct hash_tie *tie)
{
    if (tie->wheel)
        wheel_remove(tie->wheel, &tie->node);
    tie->wheel = NULL;
}

static void wait_for(struct db *db, struct hash_tie *tie, int64_t deadline_ms)
{
    if (!db->field_deadlines)
        db->field_deadlines = wheel_new(clock_now_ms(db->store->clock));
    tie->node.deadline_ms = deadline_ms;
    tie->wheel = db->field_deadlines;
    wheel_add(tie->wheel, &tie->node);
}

/* Waits for the earliest field, or not at all when none has a deadline any more. */
static void file(struct db *db, struct entry *entry, struct hash_tie *tie)
{
    entry->flags &= (uint8_t)~ENTRY_FIELDS_EXPIRE;
    if (tie->earliest_ms == INT64_MAX) {
        leave(tie);
        return;
    }
    entry->flags |= ENTRY_FIELDS_EXPIRE;
    tie->owner = entry;
    if (tie->wheel == db->field_deadlines && tie->wheel && tie->node.deadline_ms <= tie->earliest_ms)
        return;
    leave(tie);
    wait_for(db, tie, tie->earliest_ms);
}

void fields_join(struct db *db, struct entry *entry)
{
    struct hash_tie *tie = hash_tie_of(entry_value(entry));

    if (tie)
        file(db, entry, tie);
    else
        entry->flags &= (uint8_t)~ENTRY_FIELDS_EXPIRE;
}

void store_file_hash(struct key_ref *ref) { fields_join(ref->db, ref->entry); }

void fields_leave(struct entry *entry)
{
    leave(hash_tie_of(entry_value(entry)));
    entry->flags &= (uint8_t)~ENTRY_FIELDS_EXPIRE;
}

void fields_moved(struct entry *entry) { hash_tie_of(entry_value(entry))->owner = entry; }

/* --- dying ------------------------------------------------------------------------------- */

struct dying {
    struct db *db;
    struct bytes key;
};

static void report_field(void *context, struct bytes field)
{
    const struct dying *dying = context;
    const struct store_observer *observer = &dying->db->store->observer;

    if (observer->field_expired)
        observer->field_expired(observer->context, dying->db, dying->key, field);
}

static void report(struct db *db, struct entry *entry, size_t fields, bool is_all)
{
    const struct store_observer *observer = &db->store->observer;

    db->store->stats.expired_fields += fields;
    if (fields && observer->fields_expired)
        observer->fields_expired(observer->context, db, entry_key(entry), is_all);
}

/* Removes up to 'max' dead fields, or the key when all are; false then. */
static bool bury(struct key_ref *ref, size_t max)
{
    struct hash *hash = entry_value(ref->entry);
    struct dying dying = {ref->db, entry_key(ref->entry)};
    int64_t now_ms = clock_now_ms(ref->db->store->clock);

    hash_set_now(hash, now_ms);
    if (hash_is_dead(hash, now_ms)) {
        report(ref->db, ref->entry, hash_expiring(hash), true);
        store_take_out(ref, true);
        return false;
    }
    report(ref->db, ref->entry, hash_expire(hash, max, report_field, &dying), false);
    fields_join(ref->db, ref->entry);
    return true;
}

bool fields_survive(struct key_ref *ref, unsigned how)
{
    struct hash *hash = entry_value(ref->entry);
    struct store *store = ref->db->store;
    int64_t now_ms = clock_now_ms(store->clock);

    if (hash_tie_of(hash)->earliest_ms >= now_ms) {
        hash_set_now(hash, now_ms);
        return true;
    }
    if (store->observer.may_expire(store->observer.context))
        return bury(ref, FIND_FIELDS);
    if (how & LOOKUP_WRITE) { /* what a master sends finds the fields that the master has */
        hash_set_now(hash, INT64_MIN);
        return true;
    }
    hash_set_now(hash, now_ms);
    return !hash_is_dead(hash, now_ms);
}

bool store_fields_are_dead(const struct db *db, const struct entry *entry)
{
    return hash_is_dead(entry_value(entry), clock_now_ms(db->store->clock));
}

bool store_is_stale(const struct db *db, const struct entry *entry)
{
    return store_is_expired(db, entry) ||
           ((entry->flags & ENTRY_FIELDS_EXPIRE) &&
            hash_count_dead(entry_value(entry), clock_now_ms(db->store->clock)) > 0);
}

bool fields_expire_piece(struct db *db)
{
    int64_t now_ms = clock_now_ms(db->store->clock);

    for (int n = 0; n < PIECE_HASHES; n++) {
        struct wheel_node *due;
        enum wheel_progress progress = wheel_pop(db->field_deadlines, now_ms - 1, &due);

        if (progress == WHEEL_IDLE)
            return false;
        if (progress == WHEEL_DUE) {
            struct hash_tie *tie = (struct hash_tie *)due;
            struct key_ref ref = {.db = db, .entry = tie->owner};

            tie->wheel = NULL;
            ref.hash = hash_bytes(entry_key(ref.entry));
            bury(&ref, PIECE_FIELDS);
        }
    }
    return true;
}

bool fields_check(const struct db *db, const struct entry *entry)
{
    const struct hash_tie *tie = entry->type == VALUE_HASH ? hash_tie_of(entry_value(entry)) : NULL;
    bool is_filed = tie && tie->wheel;

    ASSERT(is_filed == ((entry->flags & ENTRY_FIELDS_EXPIRE) != 0));
    if (!is_filed)
        return false;
    ASSERT(tie->wheel == db->field_deadlines);
    ASSERT(tie->owner == entry);
    ASSERT(tie->node.deadline_ms <= tie->earliest_ms);
    return true;
}
