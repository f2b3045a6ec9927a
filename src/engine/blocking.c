/* Clients that wait for keys.
 *
 *     keys[db]:  key -> struct awaited --- waiter (client A) --- waiter (client B)     first come first
 *     client A -> struct blocked: the detached request, its deadline, its waiters (one for each key)
 *
 * A change of an awaited key puts it on the ready list. At the end of the execution unit every ready key
 * serves its waiters in order: each waiter's request is run again. One that finds nothing keeps its
 * place. What a served request changes makes further keys ready, until none is.
 *
 * Who waits for the free queue stands in a list of its own, in the order of the queue. */
#include "engine/blocking.h"

#include "engine_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ds/range_sort.h"

struct waiter {
    struct waiter *next, *previous; /* of the key, in order of coming */
    struct waiter *next_of_client;
    struct blocked *blocked;
    struct awaited *awaited;
    uint64_t serial; /* counts up: who came after a round of serving began waits for the next one */
};

struct awaited {
    struct map_node *node;
    struct waiter *first, *last;
    struct waiter *serving_next; /* in a round: who is to be tried next */
    struct awaited *next_ready;
    size_t loss_waiters; /* of these so many wake up when the key goes */
    struct db *db;
    bool is_ready, is_being_served;
};

struct blocked {
    struct wheel_node timeout; /* in the wheel when there is a deadline; first, see expire */
    bool has_deadline;
    struct client *client;
    struct request *request;
    struct waiter *waiters;
    enum value_type wanted;
    void (*reply)(struct request *req); /* at the deadline */
    bool wakes_on_loss; /* also when a key holds no 'wanted' any more */
    uint64_t freeing_number; /* not 0: until all up to it is freed */
    struct blocked *next_freeing;
    bool is_in_use; /* whoever is at work with it ends it */
};

struct blocking {
    struct wheel *timeouts;
    struct awaited *ready_first, **ready_last;
    struct blocked *freeing_first, **freeing_last;
    size_t clients;
    uint64_t serial;
    int db_count;
    struct map keys[]; /* by database */
};

struct blocking *blocking_new(int db_count, int64_t now_ms)
{
    struct blocking *blocking =
        mem_alloc_zero(sizeof *blocking + (size_t)db_count * sizeof blocking->keys[0]);

    blocking->timeouts = wheel_new(now_ms);
    blocking->ready_last = &blocking->ready_first;
    blocking->freeing_last = &blocking->freeing_first;
    blocking->db_count = db_count;
    for (int i = 0; i < db_count; i++)
        map_init(&blocking->keys[i]);
    return blocking;
}

void blocking_free(struct blocking *blocking)
{
    for (int i = 0; i < blocking->db_count; i++)
        map_release(&blocking->keys[i]);
    wheel_free(blocking->timeouts);
    mem_free(blocking, sizeof *blocking + (size_t)blocking->db_count * sizeof blocking->keys[0]);
}

size_t blocking_clients(const struct engine *engine) { return engine->blocking->clients; }

size_t blocking_deadlines(const struct engine *engine)
{
    return wheel_size(engine->blocking->timeouts);
}

size_t blocking_keys(const struct engine *engine)
{
    size_t keys = 0;

    for (int i = 0; i < engine->blocking->db_count; i++)
        keys += map_size(&engine->blocking->keys[i]);
    return keys;
}

int64_t blocking_next_ms(const struct engine *engine)
{
    return wheel_next_ms(engine->blocking->timeouts);
}

/* --- beginning to wait ----------------------------------------------------------------------------- */

static void wait_for(struct blocked *blocked, struct db *db, struct bytes key)
{
    struct blocking *blocking = blocked->client->engine->blocking;
    struct map_node *node = map_add(&blocking->keys[db->id], key, NULL);
    struct awaited *awaited = node->value;
    struct waiter *waiter;

    if (!awaited) {
        awaited = node->value = mem_alloc_zero(sizeof *awaited);
        awaited->node = node;
        awaited->db = db;
    }
    if (awaited->last && awaited->last->blocked == blocked)
        return; /* named twice */
    waiter = mem_alloc_zero(sizeof *waiter);
    waiter->blocked = blocked;
    waiter->awaited = awaited;
    waiter->serial = ++blocking->serial;
    waiter->next_of_client = blocked->waiters;
    blocked->waiters = waiter;
    waiter->previous = awaited->last;
    if (awaited->last)
        awaited->last->next = waiter;
    else
        awaited->first = waiter;
    awaited->last = waiter;
}

/* The client waits from now on; NULL when it did already. */
static struct blocked *begin(struct request *req, int64_t deadline_ms)
{
    struct client *client = req->client;
    struct blocking *blocking = req->engine->blocking;
    struct blocked *blocked;

    req->flags |= REQUEST_BLOCKED;
    if (req->flags & REQUEST_IS_RERUN)
        return NULL; /* it keeps its place and its deadline */
    blocked = mem_alloc_zero(sizeof *blocked);
    blocked->client = client;
    blocked->request = request_detach(req);
    client->blocked = blocked;
    client->flags |= CLIENT_BLOCKED;
    blocking->clients++;
    if (deadline_ms) {
        blocked->has_deadline = true;
        blocked->timeout.deadline_ms = deadline_ms;
        wheel_add(blocking->timeouts, &blocked->timeout);
    }
    return blocked;
}

void block_on_keys(struct request *req, int first, int last, enum value_type wanted,
                   int64_t deadline_ms, enum denied_reply denied_reply)
{
    struct blocked *blocked;

    if (req->flags & REQUEST_IN_EXEC) {
        if (denied_reply == DENIED_NULL)
            reply_null(req);
        else
            reply_null_array(req);
        return;
    }
    blocked = begin(req, deadline_ms);
    if (!blocked)
        return;
    blocked->wanted = wanted;
    blocked->reply = reply_null_array;
    for (int i = first; i <= last; i++)
        wait_for(blocked, req->db, req->argv[i]);
}

void block_wakes_on_loss(struct request *req)
{
    struct blocked *blocked = req->client->blocked;

    if (!(req->flags & REQUEST_BLOCKED) || blocked->wakes_on_loss)
        return;
    blocked->wakes_on_loss = true;
    for (struct waiter *waiter = blocked->waiters; waiter; waiter = waiter->next_of_client)
        waiter->awaited->loss_waiters++;
}

void block_until(struct request *req, int64_t deadline_ms, void (*reply)(struct request *req))
{
    if (req->flags & REQUEST_IN_EXEC)
        reply(req);
    else
        begin(req, deadline_ms)->reply = reply;
}

bool block_until_freed(struct request *req)
{
    struct blocking *blocking = req->engine->blocking;
    struct blocked *blocked;

    if (req->flags & REQUEST_IN_EXEC)
        return false;
    blocked = begin(req, 0);
    blocked->freeing_number = store_freeing_number(req->engine->store);
    *blocking->freeing_last = blocked;
    blocking->freeing_last = &blocked->next_freeing;
    return true;
}

/* --- ending to wait -------------------------------------------------------------------------------- */

static void drop_awaited(struct blocking *blocking, struct awaited *awaited)
{
    if (awaited->first || awaited->is_ready || awaited->is_being_served)
        return;
    map_remove(&blocking->keys[awaited->db->id], awaited->node);
    mem_free(awaited, sizeof *awaited);
}

static void leave(struct blocking *blocking, struct waiter *waiter)
{
    struct awaited *awaited = waiter->awaited;

    awaited->loss_waiters -= waiter->blocked->wakes_on_loss;
    if (awaited->serving_next == waiter)
        awaited->serving_next = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else
        awaited->last = waiter->previous;
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        awaited->first = waiter->next;
    mem_free(waiter, sizeof *waiter);
    drop_awaited(blocking, awaited);
}

static void leave_freeing(struct blocking *blocking, struct blocked *blocked)
{
    struct blocked **link = &blocking->freeing_first;

    while (*link != blocked)
        link = &(*link)->next_freeing;
    *link = blocked->next_freeing;
    if (!*link)
        blocking->freeing_last = link;
}

/* The client waits no more; its request is gone. */
static void end(struct blocked *blocked)
{
    struct client *client = blocked->client;
    struct blocking *blocking = client->engine->blocking;

    while (blocked->waiters) {
        struct waiter *waiter = blocked->waiters;

        blocked->waiters = waiter->next_of_client;
        leave(blocking, waiter);
    }
    if (blocked->freeing_number)
        leave_freeing(blocking, blocked);
    if (blocked->has_deadline)
        wheel_remove(blocking->timeouts, &blocked->timeout);
    blocking->clients--;
    client->flags &= ~(CLIENT_BLOCKED | CLIENT_REPLY_SKIP_NEXT);
    client->blocked = NULL;
    request_free_detached(blocked->request);
    mem_free(blocked, sizeof *blocked);
}

void blocking_forget(struct client *client)
{
    if (client->blocked && !client->blocked->is_in_use)
        end(client->blocked);
}

static void end_with_reply(struct blocked *blocked, const char *error_text)
{
    struct client *client = blocked->client;
    struct engine *engine = client->engine;
    struct request *req = blocked->request;
    struct window_segment outer;

    blocked->is_in_use = true; /* the reply may close the client at its limit */
    req->window = &engine->turn->window;
    window_begin_nested(req->window, client, &outer);
    if (error_text)
        reply_error(req, error_text);
    else
        blocked->reply(req);
    if (client->flags & (CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP_NEXT))
        req->window->at = req->window->command_start;
    window_end_nested(req->window, &outer);
    end(blocked);
    turn_make_ready(client);
}

bool blocking_unblock(struct client *client, bool with_error)
{
    if (!client->blocked || client->blocked->freeing_number)
        return false;
    end_with_reply(client->blocked, with_error ? ERR_UNBLOCKED : NULL);
    return true;
}

/* --- serving ---------------------------------------------------------------------------------------- */

void blocking_key_ready(struct engine *engine, struct db *db, struct bytes key)
{
    struct blocking *blocking = engine->blocking;
    struct map_node *node;
    struct awaited *awaited;

    if (__builtin_expect(!blocking->clients, 1))
        return;
    node = map_find(&blocking->keys[db->id], key);
    if (!node)
        return;
    awaited = node->value;
    if (awaited->is_ready)
        return;
    awaited->is_ready = true;
    awaited->next_ready = NULL;
    *blocking->ready_last = awaited;
    blocking->ready_last = &awaited->next_ready;
    engine->after |= AFTER_READY;
}

static const struct entry *content(const struct awaited *awaited)
{
    struct bytes key = map_key(awaited->node);

    return store_peek(awaited->db, key, hash_bytes(key));
}

static int by_first_waiter(const void *a, const void *b)
{
    const struct awaited *first = *(struct awaited *const *)a, *second = *(struct awaited *const *)b;
    uint64_t first_serial = first->first ? first->first->serial : 0;
    uint64_t second_serial = second->first ? second->first->serial : 0;

    return first_serial < second_serial ? -1 : first_serial > second_serial;
}

/* All keys come at once, so that the order is that of those who wait. */
void blocking_db_ready(struct engine *engine, struct db *db)
{
    const struct map *keys = &engine->blocking->keys[db->id];
    size_t size = map_size(keys), count = 0;
    struct awaited **ready;
    struct map_iter iter;
    struct map_node *node;

    if (!size)
        return;
    ready = mem_alloc(size * sizeof *ready);
    map_iter_init(&iter, keys);
    while ((node = map_iter_next(&iter)) != NULL)
        ready[count++] = node->value;
    range_sort(ready, count, sizeof *ready, 0, count, by_first_waiter);
    for (size_t i = 0; i < count; i++)
        blocking_key_ready(engine, db, map_key(ready[i]->node));
    mem_free(ready, size * sizeof *ready);
}

/* Runs the request again; ends the wait when it was served or its client went meanwhile. */
static void try_again(struct blocked *blocked)
{
    struct client *client = blocked->client;
    bool is_served;

    blocked->is_in_use = true;
    is_served = dispatch_rerun(blocked->request);
    blocked->is_in_use = false;
    if (is_served || client->flags & CLIENT_CLOSING) {
        end(blocked);
        turn_make_ready(client);
    }
}

/* Also those who wait for the free queue, which has gone on between the turns. */
void blocking_expire(struct engine *engine)
{
    struct blocking *blocking = engine->blocking;
    struct wheel *wheel = blocking->timeouts;
    struct wheel_node *due;
    enum wheel_progress progress;

    while (blocking->freeing_first &&
           store_is_freed(engine->store, blocking->freeing_first->freeing_number)) {
        engine->boundary_ns = clock_tick(engine->clock);
        try_again(blocking->freeing_first);
    }
    while ((progress = wheel_pop(wheel, clock_now_ms(engine->clock), &due)) != WHEEL_IDLE) {
        struct blocked *blocked = (struct blocked *)due;

        if (progress != WHEEL_DUE)
            continue;
        blocked->has_deadline = false;
        end_with_reply(blocked, NULL);
    }
}

/* Each of those who wait now has one try, the first first. */
static void serve_key(struct engine *engine, struct awaited *awaited)
{
    uint64_t last_serial = engine->blocking->serial;
    struct waiter *waiter = awaited->first;

    while (waiter && waiter->serial <= last_serial) {
        const struct entry *entry = content(awaited);

        if (!entry && !awaited->loss_waiters)
            break; /* taken: the others need not even be looked at */
        awaited->serving_next = waiter->next;
        if (waiter->blocked->wakes_on_loss || (entry && entry->type == waiter->blocked->wanted))
            try_again(waiter->blocked);
        waiter = awaited->serving_next;
    }
    awaited->serving_next = NULL;
}

void blocking_serve(struct engine *engine)
{
    struct blocking *blocking = engine->blocking;

    while (blocking->ready_first) {
        struct awaited *awaited = blocking->ready_first;

        blocking->ready_first = awaited->next_ready;
        if (!blocking->ready_first)
            blocking->ready_last = &blocking->ready_first;
        awaited->is_ready = false;
        awaited->is_being_served = true;
        serve_key(engine, awaited);
        awaited->is_being_served = false;
        drop_awaited(blocking, awaited);
    }
    engine->after &= ~AFTER_READY;
}
