/* What follows when a key changes. */
#include "engine/events.h"

#include "engine_internal.h"

#include "engine/latency.h"
#include "engine/notify.h"
#include "engine/pause.h"
#include "engine/propagate.h"

const struct event_kind EVENT_DEL = {EVENT_CLASS_GENERIC, "del"};
const struct event_kind EVENT_EXPIRED = {EVENT_CLASS_EXPIRED, "expired"};
static const struct event_kind EVENT_HEXPIRED = {EVENT_CLASS_HASH, "hexpired"};
static const struct event_kind EVENT_EVICTED = {EVENT_CLASS_EVICTED, "evicted"};
static const struct event_kind EVENT_NEW = {EVENT_CLASS_NEW, "new"};
static const struct event_kind EVENT_MISS = {EVENT_CLASS_MISS, "keymiss"};

void key_event(struct engine *engine, struct db *db, struct bytes key, const struct event_kind *event)
{
    for (struct event_observer *observer = engine->observers; observer; observer = observer->next)
        observer->event(observer->context, db, key, event);
    notify(engine, db, key, event);
}

void key_changed(struct request *req, struct db *db, struct bytes key,
                 const struct event_kind *event, int64_t changes)
{
    struct engine *engine = req->engine;

    req->flags |= REQUEST_CHANGED;
    engine->changes += changes;
    watching_touch(engine, db, key);
    blocking_key_ready(engine, db, key);
    if (event && __builtin_expect(engine->observers || engine->settings.notify_classes, 0))
        key_event(engine, db, key, event);
}

void key_removed(struct request *req, struct db *db, struct bytes key,
                 const struct event_kind *event, int64_t changes)
{
    struct engine *engine = req->engine;

    req->flags |= REQUEST_CHANGED;
    engine->changes += changes;
    watching_touch(engine, db, key);
    blocking_key_ready(engine, db, key);
    if (__builtin_expect(engine->observers || engine->settings.notify_classes, 0))
        key_event(engine, db, key, event);
}

void key_changed_aside(struct request *req, struct db *db, struct bytes key,
                       const struct event_kind *event, int64_t changes)
{
    req->flags |= REQUEST_CHANGED;
    req->engine->changes += changes;
    if (event)
        key_event(req->engine, db, key, event);
}

void key_lost_part(struct request *req, struct db *db, struct bytes key)
{
    blocking_key_ready(req->engine, db, key);
}

void db_flushing(struct request *req, struct db *db, int64_t changes)
{
    watching_touch_db(req->engine, db);
    blocking_db_ready(req->engine, db);
    req->flags |= REQUEST_CHANGED;
    req->engine->changes += changes;
}

void db_reloading(struct engine *engine, struct db *db)
{
    watching_touch_db(engine, db);
    blocking_db_ready(engine, db);
}

void db_swapping(struct request *req, struct db *a, struct db *b)
{
    watching_touch_swapped(req->engine, a, b);
    watching_touch_swapped(req->engine, b, a);
    req->flags |= REQUEST_CHANGED;
    req->engine->changes++;
}

void db_swapped(struct request *req, struct db *a, struct db *b)
{
    blocking_db_ready(req->engine, a);
    blocking_db_ready(req->engine, b);
}

void events_observe(struct engine *engine, struct event_observer *observer)
{
    struct event_observer **link = &engine->observers;

    while (*link)
        link = &(*link)->next;
    observer->next = NULL;
    *link = observer;
}

void events_unobserve(struct engine *engine, struct event_observer *observer)
{
    struct event_observer **link = &engine->observers;

    while (*link != observer)
        link = &(*link)->next;
    *link = observer->next;
}

/* --- what the store reports ---------------------------------------------------------------------- */

static bool may_expire(void *context)
{
    struct engine *engine = context;

    return !pause_is_active(engine) && !(engine->guards & GUARD_LOADING);
}

/* A turn within a command must leave the keys alone that the command works on. */
static bool may_evict(void *context)
{
    struct engine *engine = context;

    return !pause_is_active(engine) && engine->turn_depth <= 1 && !(engine->guards & GUARD_LOADING);
}

/* It travels as its removal, each by itself: no transaction with others or with the command that needs room. */
static void on_evicted(void *context, struct db *db, struct bytes key)
{
    struct engine *engine = context;

    watching_touch(engine, db, key);
    blocking_key_ready(engine, db, key);
    if (engine->observers || engine->settings.notify_classes)
        key_event(engine, db, key, &EVENT_EVICTED);
    propagate_also(engine, db->id, 2, (struct bytes[]){BYTES("DEL"), key});
    propagate_end_unit(engine);
}

/* An expired key travels as its removal. */
static void on_expired(void *context, struct db *db, struct bytes key)
{
    struct engine *engine = context;

    watching_touch_expired(engine, db, key);
    blocking_key_ready(engine, db, key);
    propagate_also(engine, db->id, 2, (struct bytes[]){BYTES("DEL"), key});
    if (engine->observers || engine->settings.notify_classes)
        key_event(engine, db, key, &EVENT_EXPIRED);
}

/* It travels as its removal, and the key goes with its last field by that. */
static void on_field_expired(void *context, struct db *db, struct bytes key, struct bytes field)
{
    propagate_also(context, db->id, 3, (struct bytes[]){BYTES("HDEL"), key, field});
}

static void on_fields_expired(void *context, struct db *db, struct bytes key, bool is_all)
{
    struct engine *engine = context;

    watching_touch_expired(engine, db, key);
    if (is_all)
        propagate_also(engine, db->id, 2, (struct bytes[]){BYTES("DEL"), key});
    if (!engine->observers && !engine->settings.notify_classes)
        return;
    key_event(engine, db, key, &EVENT_HEXPIRED);
    if (is_all)
        key_event(engine, db, key, &EVENT_DEL);
}

static void on_added(void *context, struct db *db, struct bytes key)
{
    struct engine *engine = context;

    if (__builtin_expect(engine->observers || engine->settings.notify_classes, 0) &&
        !(engine->guards & GUARD_LOADING))
        key_event(engine, db, key, &EVENT_NEW);
}

static void on_missed(void *context, struct db *db, struct bytes key)
{
    struct engine *engine = context;

    if (__builtin_expect(engine->observers || engine->settings.notify_classes, 0))
        key_event(engine, db, key, &EVENT_MISS);
}

static void on_slow(void *context, const char *event, uint64_t ns) { latency_add(context, event, ns); }

void events_observe_store(struct engine *engine)
{
    engine->store->observer = (struct store_observer){.context = engine,
                                                      .may_expire = may_expire,
                                                      .may_evict = may_evict,
                                                      .evicted = on_evicted,
                                                      .expired = on_expired,
                                                      .added = on_added,
                                                      .missed = on_missed,
                                                      .field_expired = on_field_expired,
                                                      .fields_expired = on_fields_expired,
                                                      .was_slow = on_slow};
}
