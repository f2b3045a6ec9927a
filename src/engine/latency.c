/* Samples of what took long, by kind of event. */
#include "engine/latency.h"

#include "engine_internal.h"

#include "base/mem.h"

#include <stdio.h>

static void release_first(struct latency_event **link)
{
    struct latency_event *event = *link;

    *link = event->next;
    mem_free(event, sizeof *event);
}

void latency_forget_all(struct engine *engine, int64_t *count)
{
    for (*count = 0; engine->latency_events; ++*count)
        release_first(&engine->latency_events);
}

static struct latency_event **find(struct engine *engine, struct bytes name)
{
    struct latency_event **link = &engine->latency_events;

    while (*link && !bytes_is(name, (*link)->name))
        link = &(*link)->next;
    return link;
}

bool latency_forget(struct engine *engine, struct bytes event)
{
    struct latency_event **link = find(engine, event);

    if (!*link)
        return false;
    release_first(link);
    return true;
}

const struct latency_event *latency_first(const struct engine *engine)
{
    return engine->latency_events;
}

const struct latency_event *latency_find(const struct engine *engine, struct bytes event)
{
    return *find((struct engine *)engine, event);
}

void latency_add(struct engine *engine, const char *name, uint64_t duration_ns)
{
    int64_t ms = (int64_t)(duration_ns / 1000000), now_s = clock_now_ms(engine->clock) / 1000;
    struct latency_event **link, *event;
    struct latency_sample *latest;

    if (!engine->settings.latency_threshold_ms || ms < engine->settings.latency_threshold_ms)
        return;
    link = find(engine, bytes_from_string(name));
    if (!*link) {
        *link = mem_alloc_zero(sizeof **link);
        snprintf((*link)->name, sizeof (*link)->name, "%s", name);
    }
    event = *link;
    if (ms > event->max_ms)
        event->max_ms = ms;
    latest = (struct latency_sample *)latency_latest(event);
    if (latest->time_s == now_s) { /* one sample a second: the worst */
        if (ms > latest->ms)
            latest->ms = ms;
        return;
    }
    event->samples[event->place] = (struct latency_sample){now_s, ms};
    event->place = (event->place + 1) % LATENCY_SAMPLES;
}
