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

#define CALIBRATION_NS 200000     /* the first comparison: 0.2 ms of the start */
#define RELEARN_NS     1000000000 /* later ones, each over all the time since the start */
#define READING_NS     2000       /* a pair of readings this far apart was interrupted */
#define READING_TRIES  10

/* The rate belongs to the machine, not to a clock: one for the process. */
static struct {
    bool is_known, is_usable;
    uint64_t start;   /* cycles and nanoseconds of the first reading */
    int64_t start_ns;
    uint64_t anchor;  /* work time is anchor_ns at this many cycles, and goes on at this rate */
    double anchor_ns, ns_per_cycle;
    uint64_t relearn_cycles;
} counter;

/* Both clocks at one moment. */
static void read_both(uint64_t *cycles, int64_t *ns)
{
    for (int i = 0; i < READING_TRIES; i++) {
        int64_t before = kernel_ns(CLOCK_MONOTONIC);

        *cycles = __rdtsc();
        *ns = kernel_ns(CLOCK_MONOTONIC);
        if (*ns - before < READING_NS)
            return;
    }
}

static bool counter_is_invariant(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

static void counter_learn(void)
{
    uint64_t cycles;
    int64_t ns;

    counter.is_known = true;
    counter.is_usable = counter_is_invariant();
    if (!counter.is_usable)
        return;
    read_both(&counter.start, &counter.start_ns);
    while (kernel_ns(CLOCK_MONOTONIC) - counter.start_ns < CALIBRATION_NS)
        ;
    read_both(&cycles, &ns);
    counter.ns_per_cycle = (double)(ns - counter.start_ns) / (double)(cycles - counter.start);
    counter.anchor = counter.start;
    counter.relearn_cycles = (uint64_t)(RELEARN_NS / counter.ns_per_cycle);
}

/* Work time stays continuous: only its rate from now on changes. */
static void counter_relearn(void)
{
    uint64_t cycles;
    int64_t ns;

    if (!counter.is_usable || __rdtsc() - counter.anchor < counter.relearn_cycles)
        return;
    read_both(&cycles, &ns);
    counter.anchor_ns += (double)(cycles - counter.anchor) * counter.ns_per_cycle;
    counter.anchor = cycles;
    counter.ns_per_cycle = (double)(ns - counter.start_ns) / (double)(cycles - counter.start);
}

uint64_t clock_work_ns(void)
{
    if (__builtin_expect(!counter.is_known, 0))
        counter_learn();
    if (__builtin_expect(!counter.is_usable, 0))
        return (uint64_t)kernel_ns(CLOCK_MONOTONIC);
    return (uint64_t)(counter.anchor_ns + (double)(__rdtsc() - counter.anchor) * counter.ns_per_cycle);
}

const char *clock_work_source(void)
{
    return counter.is_usable ? "X86 TSC" : "POSIX clock_gettime";
}

#else

const char *clock_work_source(void) { return "POSIX clock_gettime"; }
uint64_t clock_work_ns(void) { return (uint64_t)kernel_ns(CLOCK_MONOTONIC); }
static void counter_relearn(void) {}

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
    counter_relearn();
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
