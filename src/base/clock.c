/* Wall time: the kernel's at each sync, the cycle counter's in between.
 *
 * The counter is used when the processor says that it runs at a constant rate in all states (CPUID
 * leaf 0x80000007, EDX bit 8). Its rate is learnt by comparing it with CLOCK_MONOTONIC, at start
 * roughly and better the longer the process runs. */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

static int64_t kernel_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#if defined(__x86_64__)

#define CALIBRATION_NS 200000 /* the first comparison: 0.2 ms of the start */

/* The rate belongs to the machine, not to a clock: one for the process. */
static struct {
    bool is_known, is_usable;
    uint64_t start;
    int64_t start_ns;
    double ns_per_cycle;
} counter;

static bool counter_is_invariant(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

static void counter_learn(void)
{
    counter.is_known = true;
    counter.is_usable = counter_is_invariant();
    if (!counter.is_usable)
        return;
    counter.start = __rdtsc();
    counter.start_ns = kernel_ns(CLOCK_MONOTONIC);
    while (kernel_ns(CLOCK_MONOTONIC) - counter.start_ns < CALIBRATION_NS)
        ;
    counter.ns_per_cycle =
        (double)(kernel_ns(CLOCK_MONOTONIC) - counter.start_ns) / (double)(__rdtsc() - counter.start);
}

uint64_t clock_work_ns(void)
{
    if (__builtin_expect(!counter.is_known, 0))
        counter_learn();
    if (__builtin_expect(!counter.is_usable, 0))
        return (uint64_t)kernel_ns(CLOCK_MONOTONIC);
    return (uint64_t)((double)(__rdtsc() - counter.start) * counter.ns_per_cycle);
}

#else

uint64_t clock_work_ns(void) { return (uint64_t)kernel_ns(CLOCK_MONOTONIC); }

#endif

void clock_init(struct clock *clock)
{
    *clock = (struct clock){0};
    clock_sync(clock);
}

void clock_sync(struct clock *clock)
{
    if (clock->is_frozen)
        return;
    clock->synced_work_ns = clock_work_ns();
    clock->synced_us = kernel_ns(CLOCK_REALTIME) / 1000;
    clock->now_us = clock->synced_us + clock->offset_us;
}

uint64_t clock_tick(struct clock *clock)
{
    uint64_t work_ns = clock_work_ns();

    if (!clock->is_frozen)
        clock->now_us =
            clock->synced_us + (int64_t)(work_ns - clock->synced_work_ns) / 1000 + clock->offset_us;
    return work_ns;
}

void clock_advance(struct clock *clock, int64_t ms)
{
    clock->offset_us += ms * 1000;
    clock->now_us += ms * 1000;
}

void clock_freeze(struct clock *clock)
{
    clock_sync(clock);
    clock->is_frozen = true;
}

void clock_thaw(struct clock *clock)
{
    int64_t frozen_us = clock->now_us;

    if (!clock->is_frozen)
        return;
    clock->is_frozen = false;
    clock_sync(clock);
    clock->offset_us += frozen_us - clock->now_us; /* goes on from where it stood */
    clock->now_us = frozen_us;
}
