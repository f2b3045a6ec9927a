/* CLIENT PAUSE: requests that must wait are kept, detached, until the end of the pause. */
#include "engine/pause.h"

#include "engine_internal.h"

#include "base/mem.h"

struct pause {
    bool is_all;
    int64_t end_ms;
    struct client *first, *last; /* postponed, in order of coming */
};

struct pause *pause_new(void) { return mem_alloc_zero(sizeof(struct pause)); }
void pause_free(struct pause *pause) { mem_free(pause, sizeof *pause); }

bool pause_is_active(const struct engine *engine) { return engine->guards & GUARD_PAUSE; }

int64_t pause_end_ms(const struct engine *engine)
{
    return pause_is_active(engine) ? engine->pause->end_ms : INT64_MAX;
}

void pause_begin(struct engine *engine, int64_t end_ms, bool is_all)
{
    struct pause *pause = engine->pause;

    /* A second pause makes the first longer or stricter, never weaker. */
    pause->is_all = is_all || (pause_is_active(engine) && pause->is_all);
    if (!pause_is_active(engine) || end_ms > pause->end_ms)
        pause->end_ms = end_ms;
    engine->guards |= GUARD_PAUSE;
}

void pause_end(struct engine *engine)
{
    engine->guards &= ~GUARD_PAUSE;
}

bool pause_holds(struct request *req, bool may_write)
{
    struct pause *pause = req->engine->pause;
    struct client *client = req->client;

    if (!pause->is_all && !may_write)
        return false;
    client->postponed = request_detach(req);
    client->flags |= CLIENT_POSTPONED;
    client->postponed_previous = pause->last;
    client->postponed_next = NULL;
    if (pause->last)
        pause->last->postponed_next = client;
    else
        pause->first = client;
    pause->last = client;
    return true;
}

static struct request *take(struct client *client)
{
    struct pause *pause = client->engine->pause;
    struct request *req = client->postponed;

    if (client->postponed_previous)
        client->postponed_previous->postponed_next = client->postponed_next;
    else
        pause->first = client->postponed_next;
    if (client->postponed_next)
        client->postponed_next->postponed_previous = client->postponed_previous;
    else
        pause->last = client->postponed_previous;
    client->postponed = NULL;
    client->flags &= ~CLIENT_POSTPONED;
    return req;
}

void pause_forget(struct client *client)
{
    if (client->postponed)
        request_free_detached(take(client));
}

void pause_check(struct engine *engine)
{
    struct pause *pause = engine->pause;

    if (pause_is_active(engine) && clock_now_ms(engine->clock) >= pause->end_ms)
        pause_end(engine);
    while (!pause_is_active(engine) && pause->first)
        turn_run_detached(engine->turn, take(pause->first));
}
