/* Commands within a command, on behalf of a client without a socket.
 *
 * The window of this client is never sent: it grows, and is emptied before each run. */
#include "engine/inner.h"

#include "engine_internal.h"

#include "base/assert.h"
#include "base/mem.h"

struct inner {
    struct client client;
    struct request request; /* used again for each run */
    struct window window;
    uint64_t started_ns;
    bool was_in_unit, is_active;
};

struct inner *inner_new(struct engine *engine)
{
    struct inner *inner = mem_alloc_zero(sizeof *inner);

    inner->client = (struct client){.engine = engine, .fd = -1, .resp = 2, .flags = CLIENT_INNER};
    window_init(&inner->window);
    inner->window.is_kept = true;
    inner->window.client = &inner->client;
    return inner;
}

void inner_free(struct inner *inner)
{
    window_release(&inner->window);
    mem_free(inner, sizeof *inner);
}

struct client *inner_client(struct inner *inner) { return &inner->client; }

uint64_t inner_started_ns(const struct inner *inner) { return inner->started_ns; }

void inner_begin(struct inner *inner, const struct request *caller)
{
    struct engine *engine = caller->engine;

    ASSERT(!inner->is_active);
    inner->is_active = true;
    inner->client.db = caller->client->db;
    inner->client.resp = 2;
    inner->client.flags = CLIENT_INNER | (caller->client->flags & CLIENT_NO_TOUCH);
    inner->was_in_unit = engine->is_in_unit;
    engine->is_in_unit = true;
    inner->started_ns = clock_work_ns();
}

void inner_end(struct inner *inner)
{
    inner->is_active = false;
    inner->client.engine->is_in_unit = inner->was_in_unit;
    window_shrink(&inner->window);
}

struct bytes inner_run(struct inner *inner, const struct command_entry *command, struct bytes *argv, int argc)
{
    struct window *window = &inner->window;
    struct request *req = &inner->request;

    window->at = window->segment = window->command_start = window->base;
    window->is_overfull = false;
    *req = (struct request){
        .client = &inner->client,
        .engine = inner->client.engine,
        .window = window,
        .db = inner->client.db,
        .command = command,
        .argv = argv,
        .argc = argc,
        .flags = REQUEST_IN_EXEC,
        .started_ns = clock_work_ns(),
    };
    inner->started_ns = req->started_ns;
    dispatch_call(req);
    if (window->is_overfull)
        return (struct bytes){NULL, 0};
    return (struct bytes){window->base, (size_t)(window->at - window->base)};
}

void inner_refuse(struct engine *engine, const struct command_entry *command, const char *error_text)
{
    if (command)
        engine->command_stats[command->id].rejected++;
    engine->stats.errors++;
    error_counts_add(engine->error_counts, error_text);
}
