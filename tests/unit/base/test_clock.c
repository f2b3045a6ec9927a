/* The clock: near the kernel's, and where a test puts it. Bounds are loose, since the machine may
 * stop us anywhere for some milliseconds. */
#include "unit.h"

#include "base/clock.h"

#include <time.h>

#define HOUR_MS  3600000
#define SLACK_US 200000 /* a busy machine, and the first estimate of the counter's rate */

static int64_t kernel_us(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void pass_time(int64_t us)
{
    int64_t until = kernel_us(CLOCK_MONOTONIC) + us;

    while (kernel_us(CLOCK_MONOTONIC) < until)
        ;
}

static void a_synced_clock_shows_the_kernels_time(void **state)
{
    struct clock clock;

    int64_t before = kernel_us(CLOCK_REALTIME);
    clock_init(&clock);
    assert_in_range(clock_now_us(&clock), before, kernel_us(CLOCK_REALTIME));
    before = kernel_us(CLOCK_REALTIME);
    clock_sync(&clock);
    assert_in_range(clock_now_us(&clock), before, kernel_us(CLOCK_REALTIME));
    assert_int_equal(clock_now_ms(&clock), clock_now_us(&clock) / 1000);
}

static void time_stands_between_ticks_and_goes_on_with_them(void **state)
{
    struct clock clock;

    clock_init(&clock);
    int64_t start = clock_now_us(&clock);
    pass_time(20000);
    assert_int_equal(clock_now_us(&clock), start);
    uint64_t work = clock_tick(&clock);
    assert_true(clock_work_ns() >= work);
    assert_true(clock_now_us(&clock) > start);
    assert_in_range(clock_now_us(&clock), start + 15000, kernel_us(CLOCK_REALTIME) + SLACK_US);
}

static void ticks_never_go_back(void **state)
{
    struct clock clock;

    clock_init(&clock);
    int64_t last_us = clock_now_us(&clock);
    uint64_t last_work = 0;
    for (int i = 0; i < RANDOM_STEPS(200000); i++) {
        uint64_t work = clock_tick(&clock);
        assert_true(work >= last_work);
        assert_true(clock_now_us(&clock) >= last_us);
        last_work = work;
        last_us = clock_now_us(&clock);
    }
}

static void work_is_measured_in_nanoseconds(void **state)
{
    uint64_t start = clock_work_ns();
    int64_t start_us = kernel_us(CLOCK_MONOTONIC);

    pass_time(50000);
    int64_t worked_us = (int64_t)(clock_work_ns() - start) / 1000;
    assert_in_range(worked_us, 40000, kernel_us(CLOCK_MONOTONIC) - start_us + SLACK_US);
}

static void an_advance_is_seen_at_once_and_stays(void **state)
{
    struct clock clock;

    clock_init(&clock);
    int64_t start = clock_now_us(&clock);
    clock_advance(&clock, HOUR_MS);
    assert_int_equal(clock_now_us(&clock), start + HOUR_MS * 1000LL);
    clock_tick(&clock);
    assert_in_range(clock_now_us(&clock), start + HOUR_MS * 1000LL,
                    start + HOUR_MS * 1000LL + SLACK_US);
    int64_t before = kernel_us(CLOCK_REALTIME);
    clock_sync(&clock);
    assert_in_range(clock_now_us(&clock), before + HOUR_MS * 1000LL,
                    kernel_us(CLOCK_REALTIME) + HOUR_MS * 1000LL);
}

static void advances_add_up(void **state)
{
    struct clock clock;

    clock_init(&clock);
    int64_t start = clock_now_ms(&clock);
    for (int i = 0; i < 10; i++)
        clock_advance(&clock, 1);
    clock_advance(&clock, 0);
    assert_int_equal(clock_now_ms(&clock), start + 10);
}

static void a_frozen_clock_moves_by_advance_only(void **state)
{
    struct clock clock;

    clock_init(&clock);
    clock_freeze(&clock);
    int64_t frozen = clock_now_us(&clock);
    pass_time(2000);
    clock_tick(&clock);
    clock_sync(&clock);
    assert_int_equal(clock_now_us(&clock), frozen);
    clock_freeze(&clock);
    assert_int_equal(clock_now_us(&clock), frozen);
    clock_advance(&clock, 5);
    clock_tick(&clock);
    clock_sync(&clock);
    assert_int_equal(clock_now_us(&clock), frozen + 5000);
}

static void a_frozen_clock_still_measures_work(void **state)
{
    struct clock clock;

    clock_init(&clock);
    clock_freeze(&clock);
    uint64_t start = clock_tick(&clock);
    pass_time(2000);
    assert_true(clock_tick(&clock) > start);
}

static void a_thawed_clock_goes_on_from_where_it_stood(void **state)
{
    struct clock clock;

    clock_init(&clock);
    clock_freeze(&clock);
    clock_advance(&clock, HOUR_MS);
    int64_t frozen = clock_now_us(&clock);
    pass_time(300000); /* more than SLACK_US: it must not jump by this */
    clock_thaw(&clock);
    assert_int_equal(clock_now_us(&clock), frozen);
    pass_time(2000);
    clock_tick(&clock);
    assert_in_range(clock_now_us(&clock), frozen + 1000, frozen + SLACK_US);
    clock_sync(&clock);
    assert_in_range(clock_now_us(&clock), frozen + 1000, frozen + SLACK_US);
}

static void thawing_a_running_clock_changes_nothing(void **state)
{
    struct clock clock;

    clock_init(&clock);
    int64_t before = clock_now_us(&clock);
    clock_thaw(&clock);
    assert_int_equal(clock_now_us(&clock), before);
    assert_int_equal(clock.offset_us, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_synced_clock_shows_the_kernels_time),
        cmocka_unit_test(time_stands_between_ticks_and_goes_on_with_them),
        cmocka_unit_test(ticks_never_go_back),
        cmocka_unit_test(work_is_measured_in_nanoseconds),
        cmocka_unit_test(an_advance_is_seen_at_once_and_stays),
        cmocka_unit_test(advances_add_up),
        cmocka_unit_test(a_frozen_clock_moves_by_advance_only),
        cmocka_unit_test(a_frozen_clock_still_measures_work),
        cmocka_unit_test(a_thawed_clock_goes_on_from_where_it_stood),
        cmocka_unit_test(thawing_a_running_clock_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
