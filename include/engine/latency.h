/* The latency monitor: for each kind of event that took latency-monitor-threshold or longer, its samples
 * of the last time, at most one a second. */
#ifndef TERN_ENGINE_LATENCY_H
#define TERN_ENGINE_LATENCY_H

#include "base/bytes.h"

#include <stdint.h>

#define LATENCY_SAMPLES 160

struct engine;

struct latency_sample {
    int64_t time_s; /* 0: none yet */
    int64_t ms;
};

struct latency_event {
    struct latency_event *next;
    int64_t max_ms;
    unsigned place; /* where the next sample goes */
    struct latency_sample samples[LATENCY_SAMPLES];
    char name[32];
};

/* Counts only when it is slow enough. 'event' is a name such as "command". */
void latency_add(struct engine *engine, const char *event, uint64_t duration_ns);

const struct latency_event *latency_first(const struct engine *engine);
const struct latency_event *latency_find(const struct engine *engine, struct bytes event); /* or NULL */
static inline const struct latency_sample *latency_latest(const struct latency_event *event)
{
    return &event->samples[(event->place + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES];
}
/* The i-th from the oldest place on; its time may be 0. */
static inline const struct latency_sample *latency_at(const struct latency_event *event, unsigned i)
{
    return &event->samples[(event->place + i) % LATENCY_SAMPLES];
}

void latency_forget_all(struct engine *engine, int64_t *count);
bool latency_forget(struct engine *engine, struct bytes event); /* false when there is none */

#endif
