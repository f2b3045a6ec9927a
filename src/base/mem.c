/* The allocator's face: who serves which size, and what is counted.
 *
 * Under AddressSanitizer a block is asked for with a red zone behind it, everything between the
 * blocks is poisoned, and a freed small block waits in quarantine before it can be handed out
 * again. Then the slab's classes are not what callers see: a block's size is exactly what was asked
 * for. */
#include "base/mem.h"

#include "base/assert.h"
#include "base/clock.h"
#include "mem_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SMALL_MAX (MEM_SMALL_MAX - MEM_RED_ZONE)

static struct {
    size_t used;
    size_t used_peak; /* brought up to date before 'used' falls */
    size_t counted;   /* of 'used': what mem_count was told */
    bool has_snapshot_child;
} mem;

static bool is_small(size_t size) { return __builtin_expect(size <= SMALL_MAX, 1); }

/* What the slab is asked for: with the red zone, and keeping the alignment that 'size' promises. */
static size_t padded(size_t size)
{
    return MEM_IS_POISONED ? round_up(size, 16) + MEM_RED_ZONE : size;
}

size_t mem_block_size(size_t size)
{
    if (MEM_IS_POISONED)
        return size;
    return is_small(size) ? mem_slab_block_size(size) : mem_large_block_size(size);
}

static void count_down(size_t bytes)
{
    ASSERT(bytes <= mem.used);
    if (mem.used > mem.used_peak)
        mem.used_peak = mem.used;
    mem.used -= bytes;
}

/* --- quarantine ------------------------------------------------------------------------------- */

#if MEM_IS_POISONED

#define QUARANTINE_BLOCKS 4096
#define QUARANTINE_BYTES  ((size_t)1 << 20)

/* A ring of freed blocks, the oldest first. */
static struct {
    struct {
        void *block;
        size_t size;
    } entry[QUARANTINE_BLOCKS];
    size_t first, count, bytes;
} quarantine;

static void quarantine_drop(void)
{
    size_t at = quarantine.first++ % QUARANTINE_BLOCKS;

    quarantine.count--;
    quarantine.bytes -= quarantine.entry[at].size;
    mem_slab_free(quarantine.entry[at].block, quarantine.entry[at].size);
}

static void quarantine_clear(void)
{
    while (quarantine.count > 0)
        quarantine_drop();
}

static void small_free(void *block, size_t size)
{
    size_t at = (quarantine.first + quarantine.count) % QUARANTINE_BLOCKS;

    ASSERT(size == 0 || !__asan_address_is_poisoned(block)); /* it was not freed before */
    ASAN_POISON_MEMORY_REGION(block, padded(size));
    quarantine.entry[at].block = block;
    quarantine.entry[at].size = padded(size);
    quarantine.count++;
    quarantine.bytes += padded(size);
    while (quarantine.count == QUARANTINE_BLOCKS || quarantine.bytes > QUARANTINE_BYTES)
        quarantine_drop();
}

#else

static void quarantine_clear(void) {}
static void small_free(void *block, size_t size) { mem_slab_free(block, size); }

#endif

/* --- blocks ----------------------------------------------------------------------------------- */

void *mem_alloc(size_t size)
{
    void *block;
    bool is_zero;

    if (is_small(size)) {
        block = mem_slab_alloc(padded(size));
        ASAN_UNPOISON_MEMORY_REGION(block, size);
    } else {
        block = mem_large_alloc(size, &is_zero);
    }
    mem.used += mem_block_size(size);
    return block;
}

void *mem_alloc_zero(size_t size)
{
    bool is_zero;
    void *block;

    if (is_small(size))
        return memset(mem_alloc(size), 0, size);
    block = mem_large_alloc(size, &is_zero);
    mem.used += mem_block_size(size);
    return is_zero ? block : memset(block, 0, size);
}

void mem_free(void *block, size_t size)
{
    if (!block)
        return;
    count_down(mem_block_size(size));
    if (is_small(size))
        small_free(block, size);
    else
        mem_large_free(block, size);
}

void *mem_resize(void *block, size_t old_size, size_t new_size)
{
    void *moved;

    if (block && mem_block_size(old_size) == mem_block_size(new_size))
        return block;
    if (block && !is_small(old_size) && !is_small(new_size) &&
        (moved = mem_large_resize(block, old_size, new_size))) {
        mem.used += mem_block_size(new_size);
        count_down(mem_block_size(old_size));
        return moved;
    }
    moved = mem_alloc(new_size);
    if (block)
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
    mem_free(block, old_size);
    return moved;
}

bool mem_worth_moving(const void *block, size_t size)
{
    return is_small(size) && !mem.has_snapshot_child && mem_slab_is_sparse(block, padded(size));
}

void *mem_move_together(void *block, size_t size, size_t *moved)
{
    void *fresh;

    if (!mem_worth_moving(block, size))
        return block;
    fresh = mem_alloc(size);
    memcpy(fresh, block, size);
    mem_free(block, size);
    ++*moved;
    return fresh;
}

/* --- the server's side ------------------------------------------------------------------------ */

void mem_set_snapshot_child(bool lives)
{
    mem.has_snapshot_child = lives;
    mem_slab_prefer_fresh(lives);
}

bool mem_has_snapshot_child(void) { return mem.has_snapshot_child; }

bool mem_background_step(int64_t budget_ns)
{
    uint64_t start = clock_work_ns();

    if (mem.has_snapshot_child)
        return false;
    quarantine_clear();
    mem_slab_flush();
    do {
        if (!mem_large_unmap_piece() && !mem_units_discard(false))
            return false;
    } while (clock_work_ns() - start < (uint64_t)budget_ns);
    return true;
}

void mem_relieve(void)
{
    mem_slab_flush();
    while (mem_large_unmap_piece() || mem_units_discard(true))
        ;
}

void mem_count(ptrdiff_t bytes)
{
    mem.counted += (size_t)bytes;
    if (bytes < 0)
        count_down((size_t)-bytes);
    else
        mem.used += (size_t)bytes;
}

size_t mem_used(void) { return mem.used; }
size_t mem_used_peak(void) { return mem.used > mem.used_peak ? mem.used : mem.used_peak; }

size_t mem_committed(void)
{
    return (size_t)((ptrdiff_t)mem_units_committed() + mem_large_committed()) + mem.counted;
}

void mem_check(void) { mem_slab_check(); }

/* One line by write: the reporter may need memory itself, or not be there yet. */
_Noreturn void mem_out_of_memory(size_t size)
{
    char line[160];
    int len = snprintf(line, sizeof line,
                       "Out of memory: %zu bytes were refused, %zu are in use, %zu committed\n",
                       size, mem_used(), mem_committed());

    if (write(STDERR_FILENO, line, (size_t)len) < 0) {
        /* nobody listens: the report follows */
    }
    assert_failed("there is memory", __FILE__, __LINE__, __func__);
}
