/* Reporting what happened to a key: the only thing that a handler does after a write.
 *
 *     key_changed(req, req->db, req->argv[1], &EVENT_LPUSH, pushed);
 *
 * That call counts the changes, wakes WATCH and blocked clients, notifies, and marks the command for
 * the write stream. Debug builds assert that a write command which changed a database called it. */
#ifndef TERN_ENGINE_EVENTS_H
#define TERN_ENGINE_EVENTS_H

#include "base/bytes.h"

#include <stdint.h>

struct db;
struct engine;
struct request;

/* Classes of notify-keyspace-events, by their letters. */
#define EVENT_CLASS_GENERIC  (1u << 2)  /* g */
#define EVENT_CLASS_STRING   (1u << 3)  /* $ */
#define EVENT_CLASS_LIST     (1u << 4)  /* l */
#define EVENT_CLASS_SET      (1u << 5)  /* s */
#define EVENT_CLASS_HASH     (1u << 6)  /* h */
#define EVENT_CLASS_ZSET     (1u << 7)  /* z */
#define EVENT_CLASS_EXPIRED  (1u << 8)  /* x */
#define EVENT_CLASS_EVICTED  (1u << 9)  /* e */
#define EVENT_CLASS_STREAM   (1u << 10) /* t */
#define EVENT_CLASS_MISS     (1u << 11) /* m */
#define EVENT_CLASS_MODULE   (1u << 13) /* d */
#define EVENT_CLASS_NEW      (1u << 14) /* n */

struct event_kind {
    unsigned class;
    const char *name;
};

/* The value was changed or the key was added or removed; 'changes' counts what changed. Without an
 * 'event' (NULL) nobody is notified. */
void key_changed(struct request *req, struct db *db, struct bytes key,
                 const struct event_kind *event, int64_t changes);
/* The key went because its value became empty or was taken ("del"). */
void key_removed(struct request *req, struct db *db, struct bytes key,
                 const struct event_kind *event, int64_t changes);
/* A change beside the value, such as a stream's groups: nobody who watches or waits is told. No event
 * when 'event' is NULL. */
void key_changed_aside(struct request *req, struct db *db, struct bytes key,
                       const struct event_kind *event, int64_t changes);
/* After that: those who wait for the key look again, since what they wait for may be gone. */
void key_lost_part(struct request *req, struct db *db, struct bytes key);
/* An event without a change. */
void key_event(struct engine *engine, struct db *db, struct bytes key,
               const struct event_kind *event);
/* Before all keys of a database go at once (FLUSHDB). */
void db_flushing(struct request *req, struct db *db, int64_t changes);
/* Before all keys of a database make room for those of a file. */
void db_reloading(struct engine *engine, struct db *db);
/* Around the exchange of two databases' keys (SWAPDB): before, and when it is done. */
void db_swapping(struct request *req, struct db *a, struct db *b);
void db_swapped(struct request *req, struct db *a, struct db *b);

/* Whoever wants to see every event: called after each, in order. */
struct event_observer {
    void (*event)(void *context, struct db *db, struct bytes key, const struct event_kind *event);
    void *context;
    struct event_observer *next;
};
void events_observe(struct engine *engine, struct event_observer *observer);
void events_unobserve(struct engine *engine, struct event_observer *observer);

extern const struct event_kind EVENT_DEL, EVENT_EXPIRED;

#endif
