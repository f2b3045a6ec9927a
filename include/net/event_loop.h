/* Waiting for file descriptors with epoll (level-triggered).
 *
 *     event_loop_add(loop, fd, owner, kind, EVENT_READABLE);
 *     count = event_loop_wait(loop, timeout_ms);
 *     for (i = 0; i < count; i++)
 *         if (event_loop_get(loop, i, &event)) ... event.owner, event.readiness
 *
 * A descriptor that was removed after the wait (and perhaps reused by a new connection) gives no
 * event: each registration has a generation. A nested wait is allowed; it has its own results. */
#ifndef TERN_NET_EVENT_LOOP_H
#define TERN_NET_EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define EVENT_READABLE 1u
#define EVENT_WRITABLE 2u
#define EVENT_BROKEN   4u /* error or hang-up; comes with EVENT_READABLE */

struct event_loop;

struct event {
    void *owner;
    int kind; /* the user's: tells what owner is */
    int fd;
    unsigned readiness;
};

/* Results of one wait. */
#define EVENT_BATCH_MAX 512
struct event_batch {
    int count;
    struct {
        uint64_t token;
        unsigned readiness;
    } ready[EVENT_BATCH_MAX];
};

struct event_loop *event_loop_new(void); /* NULL with errno when the kernel refuses */
void event_loop_free(struct event_loop *loop);

/* -1 with errno when the kernel refuses. */
int event_loop_add(struct event_loop *loop, int fd, void *owner, int kind, unsigned interest);
void event_loop_change(struct event_loop *loop, int fd, unsigned interest);
/* Before the descriptor is closed. */
void event_loop_remove(struct event_loop *loop, int fd);

/* Waits up to 'timeout_ms' (-1: for ever). Returns the count of what is ready. */
int event_loop_wait(struct event_loop *loop, struct event_batch *batch, int timeout_ms);
bool event_loop_get(const struct event_loop *loop, const struct event_batch *batch, int at,
                    struct event *event);

#endif
