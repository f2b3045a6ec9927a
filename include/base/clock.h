/* All time in the server comes from one struct clock, so that a test can move it.
 *
 * Wall time is unix time plus the clock's offset. It is read from the kernel when clock_sync() is
 * called (once a turn of the loop, and after anything slow); clock_tick() brings it up to date for
 * the next command from the cycle counter alone, which costs a few nanoseconds.
 *
 * Work (how long a command took, how long a slice was) is measured in clock_work_ns(), which a test
 * cannot move. */
#ifndef TERN_BASE_CLOCK_H
#define TERN_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
    int64_t now_us;      /* wall time of this execution unit, offset included */
    int64_t offset_us;   /* what tests added */
    bool is_frozen;      /* now_us moves by clock_advance only */
    int64_t synced_us;   /* wall time and counter at the last clock_sync */
    uint64_t synced_work_ns;
};

void clock_init(struct clock *clock);
void clock_sync(struct clock *clock);
/* Returns clock_work_ns() as read. */
uint64_t clock_tick(struct clock *clock);

static inline int64_t clock_now_ms(const struct clock *clock) { return clock->now_us / 1000; }
static inline int64_t clock_now_us(const struct clock *clock) { return clock->now_us; }

/* Tests: moves time forward, stops it, lets it go on from where it stands. */
void clock_advance(struct clock *clock, int64_t ms);
void clock_freeze(struct clock *clock);
void clock_thaw(struct clock *clock);

/* Nanoseconds from an arbitrary start, from the cycle counter where it is invariant and
 * clock_gettime elsewhere. */
uint64_t clock_work_ns(void);
/* "X86 TSC" or "POSIX clock_gettime": what it reads. */
const char *clock_work_source(void);

#endif
