/* The allocator against a naive model, and what it promises about memory: that it comes back, that
 * a forked child keeps sharing it, that misuse stops the process. */
#include "unit.h"

#include "base/mem.h"
#include "base/mem_internal.h"
#include "base/random.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLICE_NS 200000

/* --- helpers ---------------------------------------------------------------------------------- */

static struct random test_random;

static size_t below(size_t bound) { return (size_t)random_below(&test_random, bound); }

static void finish_background_work(void)
{
    while (mem_background_step(SLICE_NS))
        ;
}

/* Runs it in a child whose complaints nobody hears; true when the child did not come through. */
static bool stops_the_process(void (*misdeed)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct rlimit no_core = {0, 0};

        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGSEGV, SIG_DFL);
        if (freopen("/dev/null", "w", stderr))
            misdeed();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status != 0;
}

/* A block with a content that tells whose it is. */
struct sample {
    unsigned char *block;
    size_t size;
    unsigned char seed;
};

static void sample_fill(struct sample *sample)
{
    sample->seed = (unsigned char)below(256);
    for (size_t i = 0; i < sample->size; i++)
        sample->block[i] = (unsigned char)(sample->seed + i * 7);
}

static void sample_verify(const struct sample *sample, size_t size)
{
    size_t wrong = 0;

    for (size_t i = 0; i < size; i++)
        wrong += sample->block[i] != (unsigned char)(sample->seed + i * 7);
    assert_int_equal(wrong, 0);
}

/* Mostly small, every class, sometimes a run of units, rarely a mapping. */
static size_t random_size(void)
{
    size_t dice = below(100);

    if (dice == 0)
        return below(3 << 20) / (1 + below(16));
    if (dice < 3)
        return below(300 << 10);
    if (dice < 15)
        return below(MEM_SMALL_MAX + 200);
    return below(256) >> below(4);
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void block_sizes_are_classes_that_waste_little(void **state)
{
    (void)state;
    if (MEM_IS_POISONED) {
        assert_int_equal(mem_block_size(1001), 1001);
        return;
    }
    for (size_t size = 1; size <= 128; size++)
        assert_int_equal(mem_block_size(size), round_up(size, 8));
    for (size_t size = 129; size <= MEM_SMALL_MAX; size++) {
        size_t block_size = mem_block_size(size);

        assert_true(block_size >= size && block_size <= size + size / 4 + 1);
        assert_int_equal(mem_block_size(block_size), block_size);
    }
    assert_int_equal(mem_block_size(160), 160);
    assert_int_equal(mem_block_size(161), 192);
    assert_int_equal(mem_block_size(MEM_SMALL_MAX), MEM_SMALL_MAX);
    assert_int_equal(mem_block_size(MEM_SMALL_MAX + 1), MEM_SMALL_MAX + PAGE_BYTES);
    assert_int_equal(mem_block_size(10000001), round_up(10000001, PAGE_BYTES));
}

static void blocks_are_aligned_as_promised(void **state)
{
    struct sample samples[400];

    (void)state;
    for (size_t i = 0; i < 400; i++) {
        samples[i].size = i < 200 ? i : below(400000);
        samples[i].block = mem_alloc(samples[i].size);
        assert_int_equal((uintptr_t)samples[i].block % 8, 0);
        assert_int_equal((uintptr_t)samples[i].block >> 47, 0);
        if (samples[i].size >= 16 && mem_block_size(samples[i].size) % 16 == 0)
            assert_int_equal((uintptr_t)samples[i].block % 16, 0);
        if (samples[i].size > MEM_SMALL_MAX)
            assert_int_equal((uintptr_t)samples[i].block % PAGE_BYTES, 0);
    }
    for (size_t i = 0; i < 400; i++)
        mem_free(samples[i].block, samples[i].size);
}

#define MODEL_BLOCKS 2000

static void model_step(struct sample *sample, size_t *used)
{
    size_t size = random_size(), old_size = sample->size;

    if (!sample->block) {
        sample->size = size;
        sample->block = below(2) ? mem_alloc(size) : mem_alloc_zero(size);
    } else if (below(3) == 0) {
        sample->block = mem_resize(sample->block, old_size, size);
        sample->size = size;
        sample_verify(sample, old_size < size ? old_size : size);
        *used -= mem_block_size(old_size);
    } else {
        sample_verify(sample, old_size);
        mem_free(sample->block, old_size);
        sample->block = NULL;
        *used -= mem_block_size(old_size);
        return;
    }
    *used += mem_block_size(size);
    sample_fill(sample);
}

static void random_blocks_keep_their_content_and_are_counted_exactly(void **state)
{
    static struct sample samples[MODEL_BLOCKS];
    size_t used = mem_used(), used_before = used;

    (void)state;
    for (size_t i = 0; i < RANDOM_STEPS(60000); i++) {
        model_step(&samples[below(MODEL_BLOCKS)], &used);
        assert_int_equal(mem_used(), used);
        assert_true(mem_used_peak() >= used);
        if (i % 64 == 0)
            mem_background_step(SLICE_NS / 10);
        if (i % 500 == 0)
            mem_check();
    }
    for (size_t i = 0; i < MODEL_BLOCKS; i++)
        if (samples[i].block) {
            sample_verify(&samples[i], samples[i].size);
            mem_free(samples[i].block, samples[i].size);
            samples[i].block = NULL;
        }
    mem_check();
    assert_int_equal(mem_used(), used_before);
}

static void zeroed_blocks_are_zero_even_where_others_were(void **state)
{
    static const size_t sizes[] = {1, 24, 100, 5000, 33000, 250000, 300000, 3000000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int round = 0; round < 3; round++) {
            unsigned char *block = mem_alloc_zero(sizes[i]);

            for (size_t at = 0; at < sizes[i]; at++)
                if (block[at] != 0)
                    fail();
            memset(block, 0xee, sizes[i]);
            mem_free(block, sizes[i]);
        }
}

static void resizing_within_the_block_size_stays_in_place(void **state)
{
    char *block = mem_alloc(1000), *large = mem_alloc(40000);

    (void)state;
    if (!MEM_IS_POISONED) {
        assert_ptr_equal(mem_resize(block, 1000, 1024), block);
        assert_ptr_equal(mem_resize(block, 1024, 897), block);
        assert_ptr_equal(mem_resize(large, 40000, 40001), large);
        mem_free(block, 897);
        mem_free(large, 40001);
        return;
    }
    mem_free(block, 1000);
    mem_free(large, 40000);
}

static void nothing_can_be_resized_and_freed(void **state)
{
    size_t used = mem_used();

    (void)state;
    mem_free(NULL, 0);
    mem_free(mem_resize(NULL, 0, 100), 100);
    mem_free(mem_alloc(0), 0);
    assert_int_equal(mem_used(), used);
}

static void a_large_block_grows_and_shrinks_with_its_content(void **state)
{
    struct sample sample = {.size = 40000};
    size_t committed;

    (void)state;
    finish_background_work();
    committed = mem_committed();
    sample.block = mem_alloc(sample.size);
    sample_fill(&sample);
    for (size_t size = 50000; size < (size_t)30 << 20; size += size / 2) {
        sample.block = mem_resize(sample.block, sample.size, size);
        sample_verify(&sample, sample.size);
        sample.size = size;
        sample_fill(&sample);
    }
    sample.block = mem_resize(sample.block, sample.size, 2 << 20);
    sample_verify(&sample, sample.size = 2 << 20);
    finish_background_work();
    assert_true(mem_committed() < committed + (6 << 20));
    sample.block = mem_resize(sample.block, sample.size, 100);
    sample_verify(&sample, 100);
    mem_free(sample.block, 100);
    mem_check();
}

static void the_peak_and_what_others_use_are_counted(void **state)
{
    size_t used = mem_used(), peak;
    char *block;

    (void)state;
    mem_count(100 << 20);
    assert_int_equal(mem_used(), used + (100 << 20));
    block = mem_alloc(1000);
    peak = mem_used_peak();
    assert_true(peak >= used + (100 << 20) + 1000);
    mem_free(block, 1000);
    mem_count(-(100 << 20));
    assert_int_equal(mem_used(), used);
    assert_int_equal(mem_used_peak(), peak);
}

/* --- misuse ----------------------------------------------------------------------------------- */

static void free_twice(void)
{
    char *block = mem_alloc(48), *other = mem_alloc(48);

    mem_free(block, 48);
    mem_free(other, 48);
    mem_free(block, 48);
    finish_background_work();
}

static void free_large_twice(void)
{
    char *block = mem_alloc(100000);

    mem_free(block, 100000);
    mem_free(block, 100000);
}

static void free_with_another_size(void)
{
    mem_free(mem_alloc(48), 64);
    finish_background_work();
}

static void free_the_middle(void)
{
    mem_free((char *)mem_alloc(64) + 8, 64);
    finish_background_work();
}

static void ask_for_too_much(void) { mem_alloc((size_t)1 << 62); }
static void ask_for_everything(void) { mem_alloc(SIZE_MAX); }
static void grow_too_much(void) { mem_resize(mem_alloc(100000), 100000, (size_t)1 << 48); }

static void misuse_stops_the_process(void **state)
{
    (void)state;
    assert_true(stops_the_process(free_twice));
    assert_true(stops_the_process(free_large_twice));
    assert_true(stops_the_process(free_with_another_size));
    assert_true(stops_the_process(free_the_middle));
}

static void what_cannot_be_had_stops_the_process(void **state)
{
    (void)state;
    assert_true(stops_the_process(ask_for_too_much));
    assert_true(stops_the_process(ask_for_everything));
    assert_true(stops_the_process(grow_too_much));
}

#if MEM_IS_POISONED

static void write_behind(void) { ((volatile char *)mem_alloc(13))[13] = 1; }

static void write_after_free(void)
{
    volatile char *block = mem_alloc(40);

    mem_free((void *)block, 40);
    block[0] = 1;
}

static bool is_poisoned(const char *byte) { return __asan_address_is_poisoned(byte); }

static void sanitizers_see_what_is_not_a_block(void **state)
{
    static const size_t sizes[] = {1, 8, 13, 64, 100, 4096, 32767, 40000, 4000000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i];
        char *block = mem_alloc(size);

        assert_false(is_poisoned(block) || is_poisoned(block + size - 1));
        assert_true(is_poisoned(block + size) && is_poisoned(block + size + 7));
        block = mem_resize(block, size, size + 5);
        assert_false(is_poisoned(block + size + 4));
        assert_true(is_poisoned(block + size + 5));
        mem_free(block, size + 5);
        assert_true(is_poisoned(block) && is_poisoned(block + size + 4));
    }
    assert_true(stops_the_process(write_behind));
    assert_true(stops_the_process(write_after_free));
}

#else

static void sanitizers_see_what_is_not_a_block(void **state)
{
    (void)state;
    skip();
}

#endif

/* --- what is given back ----------------------------------------------------------------------- */

/* Pages that this process has in memory. Sanitizers need too many of their own to tell. */
static size_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    size_t pages = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
    fclose(file);
    return pages * PAGE_BYTES;
}

/* Blocks for the tests of many. */
struct herd {
    struct sample *samples;
    size_t count;
};

static size_t herd_index_size(size_t count) { return count * sizeof(struct sample); }

static struct herd herd_new(size_t count, size_t size_min, size_t size_max)
{
    struct herd herd = {mem_pages_reserve(herd_index_size(count)), count};

    for (size_t i = 0; i < count; i++) {
        struct sample *sample = &herd.samples[i];

        sample->size = size_min + below(size_max - size_min + 1);
        sample->block = mem_alloc(sample->size);
        memset(sample->block, (int)i, sample->size);
    }
    return herd;
}

static void herd_free_one(struct sample *sample)
{
    mem_free(sample->block, sample->size);
    sample->block = NULL;
}

static void herd_free(struct herd *herd)
{
    for (size_t i = 0; i < herd->count; i++)
        if (herd->samples[i].block)
            herd_free_one(&herd->samples[i]);
    mem_pages_release(herd->samples, herd_index_size(herd->count));
}

static void freed_small_blocks_give_their_memory_back(void **state)
{
    struct herd herd;
    size_t committed, resident;

    (void)state;
    finish_background_work();
    committed = mem_committed();
    resident = resident_bytes();
    herd = herd_new(RANDOM_STEPS(400000), 1, 300);
    assert_true(mem_committed() > committed + herd.count * 150);
    if (!MEM_IS_POISONED)
        assert_true(resident_bytes() - resident > herd.count * 150);
    herd_free(&herd);
    mem_check();
    finish_background_work();
    mem_check();
    assert_true(mem_committed() < committed + (3 << 20));
    if (!MEM_IS_POISONED)
        assert_true(resident_bytes() < resident + (5 << 20));
}

static void committed_says_what_the_kernel_backs(void **state)
{
    size_t committed = mem_committed(), resident = resident_bytes();
    struct herd herd = herd_new(RANDOM_STEPS(300000), 32, 100),
                large = herd_new(100, 40000, 600000);
    size_t index = herd_index_size(herd.count) + herd_index_size(large.count);
    double backed = (double)(resident_bytes() - resident - index);
    double ratio = (double)(mem_committed() - committed) / backed;

    (void)state;
    if (!MEM_IS_POISONED)
        assert_true(ratio > 0.97 && ratio < 1.03);
    herd_free(&herd);
    herd_free(&large);
}

static void a_freed_giant_is_unmapped_in_slices(void **state)
{
    size_t size = (size_t)50 << 20, committed;
    unsigned slices = 0;
    char *block;

    (void)state;
    finish_background_work();
    committed = mem_committed();
    block = mem_alloc(size);
    memset(block, 1, size);
    assert_true(mem_committed() >= committed + size);
    mem_free(block, size);
    for (; mem_background_step(1); slices++)
        ;
    assert_true(slices >= 50);
    assert_true(mem_committed() <= committed);
}

static void giants_do_not_pile_up_when_nobody_runs_slices(void **state)
{
    size_t committed = mem_committed(), size = (size_t)10 << 20;

    (void)state;
    for (int i = 0; i < 100; i++)
        mem_free(mem_alloc(size), size);
    assert_true(mem_committed() < committed + (100 << 20));
    finish_background_work();
}

/* One pass over all blocks; returns how many moved. */
static size_t herd_defragment(struct herd *herd)
{
    size_t moved = 0;

    for (size_t i = 0; i < herd->count; i++) {
        struct sample *sample = &herd->samples[i * 7919 % herd->count];
        unsigned char *block = sample->block;

        if (!block || !mem_worth_moving(block, sample->size))
            continue;
        sample->block = mem_alloc(sample->size);
        memcpy(sample->block, block, sample->size);
        mem_free(block, sample->size);
        moved++;
    }
    return moved;
}

static void moving_what_is_worth_it_compacts_the_heap(void **state)
{
    size_t committed, live = 0, used;
    struct herd herd;

    (void)state;
    finish_background_work();
    committed = mem_committed();
    herd = herd_new(RANDOM_STEPS(1000000), 32, 100);
    for (size_t i = 0; i < herd.count; i++)
        if (below(2))
            herd_free_one(&herd.samples[i]);
        else
            live += herd.samples[i].size;
    used = mem_used();
    assert_true(herd_defragment(&herd) < herd.count / 3);
    for (int pass = 0; herd_defragment(&herd) > 0; pass++)
        assert_true(pass < 5); /* it comes to an end */
    finish_background_work();
    mem_check();
    assert_int_equal(mem_used(), used);
    if (!MEM_IS_POISONED)
        assert_true((double)(mem_committed() - committed) < 1.15 * (double)live);
    for (size_t i = 0; i < herd.count; i++)
        if (herd.samples[i].block)
            assert_int_equal(herd.samples[i].block[herd.samples[i].size - 1], (unsigned char)i);
    herd_free(&herd);
}

static void in_a_dense_heap_nothing_is_worth_moving(void **state)
{
    struct herd herd;

    (void)state;
    finish_background_work();
    herd = herd_new(20000, 64, 64);
    for (size_t i = 0; i < herd.count; i++)
        assert_false(mem_worth_moving(herd.samples[i].block, herd.samples[i].size));
    herd_free(&herd);
}

/* --- fork ------------------------------------------------------------------------------------- */

/* Memory that the process does not share with another, in bytes. */
static size_t unshared_bytes(pid_t process)
{
    char path[64], line[256];
    size_t kilobytes = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)process);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Private_Dirty: %zu kB", &kilobytes) == 1)
            break;
    fclose(file);
    return kilobytes << 10;
}

static pid_t snapshot_child_start(void)
{
    pid_t child = fork();

    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* when a test fails */
        for (;;)
            pause();
    }
    mem_set_snapshot_child(true);
    usleep(1000);
    return child;
}

static void snapshot_child_stop(pid_t child)
{
    int status;

    mem_set_snapshot_child(false);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
}

static void frees_leave_their_pages_shared_with_a_child(void **state)
{
    struct herd herd = herd_new(RANDOM_STEPS(200000), 64, 64);
    size_t index = herd_index_size(herd.count), unshared;
    pid_t child;

    (void)state;
    child = snapshot_child_start();
    unshared = unshared_bytes(child);
    for (size_t i = 0; i < herd.count / 2; i++) {
        struct sample *sample = &herd.samples[below(herd.count)];

        if (sample->block)
            herd_free_one(sample);
    }
    if (!MEM_IS_POISONED) /* the shadow is written to */
        assert_true(unshared_bytes(child) < unshared + index + (2 << 20));
    snapshot_child_stop(child);
    herd_free(&herd);
}

static void new_blocks_leave_the_pages_shared_with_a_child(void **state)
{
    struct herd herd = herd_new(RANDOM_STEPS(200000), 64, 64), fresh;
    size_t unshared;
    pid_t child;

    (void)state;
    for (size_t i = 0; i < herd.count; i += 20)
        herd_free_one(&herd.samples[i]);
    child = snapshot_child_start();
    unshared = unshared_bytes(child);
    fresh = herd_new(herd.count / 20, 64, 64);
    if (!MEM_IS_POISONED)
        assert_true(unshared_bytes(child) < unshared + (2 << 20));
    assert_false(mem_background_step(SLICE_NS));
    snapshot_child_stop(child);
    herd_free(&fresh);
    herd_free(&herd);
    mem_check();
}

/* --- the kernel's side ------------------------------------------------------------------------ */

static void reserved_pages_are_zero_again_when_discarded(void **state)
{
    size_t size = (size_t)40 << 20, used = mem_used();
    char *pages = mem_pages_reserve(size);

    (void)state;
    memset(pages, 1, 10 * PAGE_BYTES);
    pages[size - 1] = 1;
    mem_pages_discard(pages + 1, 3 * PAGE_BYTES); /* two whole pages lie inside */
    assert_int_equal(pages[PAGE_BYTES - 1], 1);
    assert_int_equal(pages[PAGE_BYTES], 0);
    assert_int_equal(pages[3 * PAGE_BYTES - 1], 0);
    assert_int_equal(pages[3 * PAGE_BYTES], 1);
    assert_int_equal(pages[size - 1], 1);
    assert_int_equal(mem_used(), used);
    mem_pages_release(pages, size);
}

/* What the program does when it is started as "test_mem limited": a life in little address space.
 */
static int life_with_limited_address_space(void)
{
    struct rlimit limit = {512 << 20, 512 << 20};
    struct herd herd;
    char *large;

    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    herd = herd_new(1000000, 100, 200);
    large = mem_alloc(100 << 20);
    mem_check();
    mem_free(large, 100 << 20);
    herd_free(&herd);
    large = mem_alloc(300 << 20);
    memset(large, 1, 300 << 20);
    mem_free(large, 300 << 20);
    mem_check();
    return 0;
}

static void limited_address_space_is_enough(void **state)
{
    pid_t child;
    int status;

    (void)state;
    if (MEM_IS_POISONED)
        skip(); /* the shadow alone is larger */
    if ((child = fork()) == 0) {
        execl("/proc/self/exe", "test_mem", "limited", (char *)NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_sizes_are_classes_that_waste_little),
        cmocka_unit_test(blocks_are_aligned_as_promised),
        cmocka_unit_test(random_blocks_keep_their_content_and_are_counted_exactly),
        cmocka_unit_test(zeroed_blocks_are_zero_even_where_others_were),
        cmocka_unit_test(resizing_within_the_block_size_stays_in_place),
        cmocka_unit_test(nothing_can_be_resized_and_freed),
        cmocka_unit_test(a_large_block_grows_and_shrinks_with_its_content),
        cmocka_unit_test(the_peak_and_what_others_use_are_counted),
        cmocka_unit_test(misuse_stops_the_process),
        cmocka_unit_test(what_cannot_be_had_stops_the_process),
        cmocka_unit_test(sanitizers_see_what_is_not_a_block),
        cmocka_unit_test(freed_small_blocks_give_their_memory_back),
        cmocka_unit_test(committed_says_what_the_kernel_backs),
        cmocka_unit_test(a_freed_giant_is_unmapped_in_slices),
        cmocka_unit_test(giants_do_not_pile_up_when_nobody_runs_slices),
        cmocka_unit_test(moving_what_is_worth_it_compacts_the_heap),
        cmocka_unit_test(in_a_dense_heap_nothing_is_worth_moving),
        cmocka_unit_test(frees_leave_their_pages_shared_with_a_child),
        cmocka_unit_test(new_blocks_leave_the_pages_shared_with_a_child),
        cmocka_unit_test(reserved_pages_are_zero_again_when_discarded),
        cmocka_unit_test(limited_address_space_is_enough),
    };

    random_init(&test_random, 20261122);
    if (argc > 1 && strcmp(argv[1], "limited") == 0)
        return life_with_limited_address_space();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
