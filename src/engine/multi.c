/* Transactions: the queue of MULTI and the keys of WATCH.
 *
 * Watched keys stand in one map per database; a key's node leads to the list of those who watch it. A
 * change of the key marks these clients, and EXEC of a marked client runs nothing. */
#include "engine/multi.h"

#include "engine_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"

struct watch {
    struct client *client;
    struct map_node *node;     /* of the key */
    struct watch *next_of_key; /* doubly linked: a client that leaves takes its own out */
    struct watch *previous_of_key;
    struct watch *next_of_client;
    struct db *db;
    bool was_expired; /* when it was watched: its removal is then no change */
};

struct multi {
    struct request **queue;
    size_t count, size;
    bool may_write, writes, may_grow; /* 'writes': beyond doubt, as a script does not */
    size_t bytes;
    struct watch *watches;
    size_t watch_count;
};

struct watching {
    int db_count;
    size_t watches; /* of all clients */
    struct map keys[]; /* by database */
};

static struct multi *multi_of(struct client *client)
{
    if (!client->multi)
        client->multi = mem_alloc_zero(sizeof *client->multi);
    return client->multi;
}

/* --- the queue ----------------------------------------------------------------------------------- */

void multi_begin(struct request *req)
{
    struct client *client = req->client;

    if (client->flags & CLIENT_IN_MULTI) {
        reply_error(req, ERR_NESTED_MULTI);
        return;
    }
    client->flags |= CLIENT_IN_MULTI;
    multi_of(client);
    reply_ok(req);
}

void multi_queue(struct request *req)
{
    struct multi *multi = multi_of(req->client);
    uint32_t flags;

    if (req->client->flags & CLIENT_DIRTY_EXEC)
        return; /* it will never run */
    flags = request_command_flags(req);
    if (multi->count == multi->size) {
        size_t size = multi->size ? 2 * multi->size : 8;

        multi->queue = multi->size ? mem_resize(multi->queue, multi->size * sizeof *multi->queue,
                                                size * sizeof *multi->queue)
                                   : mem_alloc(size * sizeof *multi->queue);
        multi->size = size;
    }
    multi->queue[multi->count] = request_detach(req);
    multi->bytes += multi->queue[multi->count]->detached_size;
    multi->count++;
    if (!(req->client->flags & CLIENT_DIRTY_CAS)) /* else it will not run */
        multi->may_grow |= (flags & CMD_GROWS) != 0;
    multi->writes |= (flags & CMD_WRITE) != 0;
    multi->may_write |= (flags & (CMD_WRITE | CMD_MAY_REPLICATE)) != 0;
}

static void drop_queue(struct client *client)
{
    struct multi *multi = client->multi;

    if (client->flags & CLIENT_IN_EXEC)
        return; /* it runs just now and goes when it is done */
    client->flags &= ~(CLIENT_IN_MULTI | CLIENT_DIRTY_EXEC | CLIENT_DIRTY_CAS);
    if (!multi)
        return;
    for (size_t i = 0; i < multi->count; i++)
        request_free_detached(multi->queue[i]);
    if (multi->size)
        mem_free(multi->queue, multi->size * sizeof *multi->queue);
    mem_free(multi, sizeof *multi);
    client->multi = NULL;
}

void multi_forget(struct client *client)
{
    watch_forget_all(client);
    drop_queue(client);
}

void multi_discard_command(struct request *req)
{
    if (!(req->client->flags & CLIENT_IN_MULTI)) {
        reply_error(req, ERR_DISCARD_ALONE);
        return;
    }
    multi_forget(req->client);
    reply_ok(req);
}

static void run_queue(struct request *exec)
{
    struct client *client = exec->client;
    struct engine *engine = exec->engine;
    struct multi *multi = client->multi;
    bool was_in_unit = engine->is_in_unit;

    client->flags |= CLIENT_IN_EXEC;
    engine->is_in_unit = true;
    reply_array(exec, multi->count);
    for (size_t i = 0; i < multi->count; i++) {
        struct request *req = multi->queue[i];

        req->window = exec->window;
        req->db = client->db;
        req->flags |= REQUEST_IN_EXEC;
        req->started_ns = clock_work_ns();
        dispatch_call(req);
    }
    engine->is_in_unit = was_in_unit;
    client->flags &= ~CLIENT_IN_EXEC;
    drop_queue(client);
}

static bool has_expired_watch(const struct client *client)
{
    for (const struct watch *watch = client->multi->watches; watch; watch = watch->next_of_client) {
        struct bytes key = map_key(watch->node);
        const struct entry *entry =
            store_peek(watch->db, key, hash_bytes(key));

        if (!watch->was_expired && entry && store_is_stale(watch->db, entry))
            return true;
    }
    return false;
}

void multi_exec(struct request *req)
{
    struct client *client = req->client;

    if (!(client->flags & CLIENT_IN_MULTI)) {
        reply_error(req, ERR_EXEC_ALONE);
        return;
    }
    if (client->flags & CLIENT_DIRTY_EXEC) {
        multi_forget(client);
        reply_error(req, ERR_EXEC_ABORT);
        return;
    }
    if (client->flags & CLIENT_DIRTY_CAS || has_expired_watch(client)) {
        multi_forget(client);
        reply_null_array(req);
        return;
    }
    watch_forget_all(client);
    run_queue(req);
}

size_t multi_queued(const struct client *client) { return client->multi ? client->multi->count : 0; }

size_t multi_watched(const struct client *client)
{
    return client->multi ? client->multi->watch_count : 0;
}

bool multi_may_grow(const struct client *client) { return client->multi && client->multi->may_grow; }

bool multi_writes(const struct client *client) { return client->multi && client->multi->writes; }

bool multi_may_write(const struct client *client) { return client->multi && client->multi->may_write; }

size_t multi_memory(const struct client *client)
{
    const struct multi *multi = client->multi;

    if (!multi)
        return 0;
    return sizeof *multi + multi->size * sizeof *multi->queue + multi->bytes +
           multi->watch_count * sizeof(struct watch);
}

/* --- watching ------------------------------------------------------------------------------------ */

struct watching *watching_new(int db_count)
{
    struct watching *watching =
        mem_alloc_zero(sizeof *watching + (size_t)db_count * sizeof watching->keys[0]);

    watching->db_count = db_count;
    for (int i = 0; i < db_count; i++)
        map_init(&watching->keys[i]);
    return watching;
}

size_t watching_keys(const struct engine *engine)
{
    size_t keys = 0;

    for (int i = 0; i < engine->watching->db_count; i++)
        keys += map_size(&engine->watching->keys[i]);
    return keys;
}

void watching_free(struct watching *watching)
{
    for (int i = 0; i < watching->db_count; i++)
        map_release(&watching->keys[i]);
    mem_free(watching, sizeof *watching + (size_t)watching->db_count * sizeof watching->keys[0]);
}

/* The shorter list tells: that of the key or that of the client. */
static bool is_watching(const struct client *client, const struct map_node *node)
{
    const struct watch *of_key = node->value, *of_client = client->multi->watches;

    for (; of_key && of_client;
         of_key = of_key->next_of_key, of_client = of_client->next_of_client)
        if (of_key->client == client || of_client->node == node)
            return true;
    return false;
}

void watch_key(struct client *client, struct db *db, struct bytes key)
{
    struct watching *watching = client->engine->watching;
    struct multi *multi = multi_of(client);
    struct map_node *node = map_add(&watching->keys[db->id], key, NULL);
    const struct entry *entry;
    struct watch *watch;

    if (is_watching(client, node))
        return;
    entry = store_peek(db, key, hash_bytes(key));
    watch = mem_alloc_zero(sizeof *watch);
    watch->client = client;
    watch->db = db;
    watch->node = node;
    watch->was_expired = entry && store_is_stale(db, entry);
    watch->next_of_key = watch->node->value;
    if (watch->next_of_key)
        watch->next_of_key->previous_of_key = watch;
    watch->node->value = watch;
    watch->next_of_client = multi->watches;
    multi->watches = watch;
    multi->watch_count++;
    watching->watches++;
}

static void unlink_watch(struct watching *watching, struct watch *watch)
{
    if (watch->next_of_key)
        watch->next_of_key->previous_of_key = watch->previous_of_key;
    if (watch->previous_of_key)
        watch->previous_of_key->next_of_key = watch->next_of_key;
    else
        watch->node->value = watch->next_of_key;
    if (!watch->node->value)
        map_remove(&watching->keys[watch->db->id], watch->node);
    watching->watches--;
    mem_free(watch, sizeof *watch);
}

void watch_forget_all(struct client *client)
{
    struct multi *multi = client->multi;

    client->flags &= ~CLIENT_DIRTY_CAS;
    if (!multi)
        return;
    while (multi->watches) {
        struct watch *watch = multi->watches;

        multi->watches = watch->next_of_client;
        unlink_watch(client->engine->watching, watch);
    }
    multi->watch_count = 0;
    if (!(client->flags & CLIENT_IN_MULTI))
        drop_queue(client); /* UNWATCH outside MULTI: nothing is left to keep */
}

static void touch_node(struct map_node *node, bool is_expiry)
{
    for (struct watch *watch = node->value; watch; watch = watch->next_of_key) {
        if (watch->was_expired && is_expiry)
            watch->was_expired = false; /* it is gone now, as it was when it was watched */
        else
            watch->client->flags |= CLIENT_DIRTY_CAS;
    }
}

static void touch(struct engine *engine, struct db *db, struct bytes key, bool is_expiry)
{
    struct map_node *node;

    if (__builtin_expect(!engine->watching->watches, 1))
        return;
    node = map_find(&engine->watching->keys[db->id], key);
    if (node)
        touch_node(node, is_expiry);
}

void watching_touch(struct engine *engine, struct db *db, struct bytes key)
{
    touch(engine, db, key, false);
}

void watching_touch_expired(struct engine *engine, struct db *db, struct bytes key)
{
    touch(engine, db, key, true);
}

/* Before a database is emptied: the keys that are there are about to change. */
void watching_touch_db(struct engine *engine, struct db *db)
{
    struct map_iter iter;
    struct map_node *node;

    if (!engine->watching->watches)
        return;
    map_iter_init(&iter, &engine->watching->keys[db->id]);
    while ((node = map_iter_next(&iter)) != NULL) {
        struct bytes key = map_key(node);

        if (store_peek(db, key, hash_bytes(key)))
            touch_node(node, true); /* as for expiry: what had expired goes without a change */
    }
}

static bool is_gone_or_expired(const struct db *db, struct bytes key)
{
    const struct entry *entry = store_peek(db, key, hash_bytes(key));

    return !entry || store_is_expired(db, entry);
}

/* What a watcher sees is there or not, and an expired key is not. */
static void touch_swapped(struct map_node *node, struct db *db, struct db *from)
{
    bool will_be_there = store_peek(from, map_key(node), hash_bytes(map_key(node))) != NULL;
    bool is_absent = is_gone_or_expired(from, map_key(node));
    bool was_there = store_peek(db, map_key(node), hash_bytes(map_key(node))) != NULL;

    for (struct watch *watch = node->value; watch; watch = watch->next_of_key) {
        bool was_absent = watch->was_expired || !was_there;

        if (was_absent && is_absent)
            watch->was_expired = will_be_there;
        else
            watch->client->flags |= CLIENT_DIRTY_CAS;
    }
}

void watching_touch_swapped(struct engine *engine, struct db *db, struct db *from)
{
    struct map_iter iter;
    struct map_node *node;

    if (!engine->watching->watches)
        return;
    map_iter_init(&iter, &engine->watching->keys[db->id]);
    while ((node = map_iter_next(&iter)) != NULL)
        touch_swapped(node, db, from);
}
