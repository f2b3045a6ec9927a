/* Large blocks, and reservations of pages.
 *
 * Up to 256 KB a block is a run of units: no system call, and no mapping of its own (the kernel
 * allows 65530 of those). Larger ones are mappings. Unmapping costs time in proportion to the size,
 * so what is above 1 MB is retired: kept on a stack, from which slices unmap a piece at a time.
 * When nobody runs slices, allocations unmap twice what they take as soon as 64 MB wait. */
#include "base/mem_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>
#include <sys/mman.h>

#define RUN_BYTES_MAX   (RUN_UNITS_MAX * UNIT_SIZE)
#define RETIRED_MAX     16384
#define PAGES_HUGE_FROM ((size_t)32 << 20) /* smaller reservations stay with small pages */

struct mapping {
    char *start;
    size_t size;
};

static struct {
    struct mapping retired[RETIRED_MAX];
    unsigned retired_count;
    size_t retired_bytes;
    size_t mapped_bytes; /* with the retired ones */
    size_t unused_bytes; /* ends of runs, behind the last page that a block reaches */
} large;

static size_t footprint(size_t size) { return round_up(size + MEM_RED_ZONE, PAGE_BYTES); }
static bool is_run(size_t size) { return footprint(size) <= RUN_BYTES_MAX; }

static unsigned run_units(size_t size)
{
    return (unsigned)(round_up(footprint(size), UNIT_SIZE) / UNIT_SIZE);
}

static size_t run_unused(size_t size) { return run_units(size) * UNIT_SIZE - footprint(size); }

size_t mem_large_block_size(size_t size) { return footprint(size); }

ptrdiff_t mem_large_committed(void)
{
    return (ptrdiff_t)large.mapped_bytes - (ptrdiff_t)large.unused_bytes;
}

void *mem_map(size_t size, size_t step, int protection)
{
    size_t extra = step > PAGE_BYTES ? step : 0, before;
    char *start =
        mmap(NULL, size + extra, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED)
        return NULL;
    before = extra ? round_up((size_t)start, step) - (size_t)start : 0;
    if (before > 0)
        munmap(start, before);
    if (extra > before)
        munmap(start + before + size, extra - before);
    return start + before;
}

static void *map_or_stop(size_t size, size_t step)
{
    void *start = mem_map(size, step, PROT_READ | PROT_WRITE);

    if (!start) {
        mem_relieve();
        start = mem_map(size, step, PROT_READ | PROT_WRITE);
    }
    if (!start)
        mem_out_of_memory(size);
    return start;
}

/* --- giving back ------------------------------------------------------------------------------ */

static void unmap(char *start, size_t size)
{
    ASAN_UNPOISON_MEMORY_REGION(start, size);
    if (munmap(start, size) < 0) /* it would split one mapping too many: lose the addresses only */
        madvise(start, size, MADV_DONTNEED);
    large.mapped_bytes -= size;
}

static void retire(char *start, size_t size)
{
    if (size <= RETIRE_PIECE || large.retired_count == RETIRED_MAX) {
        unmap(start, size);
        return;
    }
    ASAN_POISON_MEMORY_REGION(start, size);
    large.retired[large.retired_count++] = (struct mapping){start, size};
    large.retired_bytes += size;
}

bool mem_large_unmap_piece(void)
{
    struct mapping *last = &large.retired[large.retired_count - 1];
    size_t piece;

    if (large.retired_count == 0)
        return false;
    piece = last->size < RETIRE_PIECE ? last->size : RETIRE_PIECE;
    last->size -= piece;
    unmap(last->start + last->size, piece);
    large.retired_bytes -= piece;
    if (last->size == 0)
        large.retired_count--;
    return true;
}

void mem_large_catch_up(size_t size)
{
    for (size_t done = 0; large.retired_bytes > RETIRED_BYTES_MAX && done < 2 * size;
         done += RETIRE_PIECE)
        mem_large_unmap_piece();
}

/* --- blocks ----------------------------------------------------------------------------------- */

void *mem_large_alloc(size_t size, bool *is_zero)
{
    void *block;

    if (size > MEM_SIZE_MAX)
        mem_out_of_memory(size);
    if (is_run(size)) {
        struct span *run = mem_units_take(UNITS_LARGE, run_units(size), is_zero);

        run->class = CLASS_RUN;
        large.unused_bytes += run_unused(size);
        block = span_start(run);
    } else {
        mem_large_catch_up(size);
        block = map_or_stop(footprint(size), PAGE_BYTES);
        large.mapped_bytes += footprint(size);
        *is_zero = true;
    }
    ASAN_UNPOISON_MEMORY_REGION(block, size);
    ASAN_POISON_MEMORY_REGION((char *)block + size, footprint(size) - size);
    return block;
}

void mem_large_free(void *block, size_t size)
{
    struct span *run;

    if (!is_run(size)) {
        retire(block, footprint(size));
        return;
    }
    run = span_of(block);
    ASSERT(span_start(run) == block);
    ASSERT(run->class == CLASS_RUN);       /* it was not freed before */
    ASSERT(run->units == run_units(size)); /* 'size' is right */
    ASAN_POISON_MEMORY_REGION(block, footprint(size));
    large.unused_bytes -= run_unused(size);
    mem_units_give(run);
}

/* The kernel moves the pages, nothing is copied. */
static void *mapping_resize(char *block, size_t old_size, size_t new_size)
{
    void *moved;

    if (new_size <= old_size) {
        if (new_size < old_size)
            retire(block + new_size, old_size - new_size);
        return block;
    }
    mem_large_catch_up(new_size - old_size);
    ASAN_UNPOISON_MEMORY_REGION(block, old_size);
    moved = mremap(block, old_size, new_size, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) {
        mem_relieve();
        moved = mremap(block, old_size, new_size, MREMAP_MAYMOVE);
    }
    if (moved == MAP_FAILED)
        mem_out_of_memory(new_size);
    large.mapped_bytes += new_size - old_size;
    return moved;
}

void *mem_large_resize(void *block, size_t old_size, size_t new_size)
{
    if (new_size > MEM_SIZE_MAX)
        mem_out_of_memory(new_size);
    if (is_run(old_size) != is_run(new_size))
        return NULL;
    if (!is_run(old_size)) {
        block = mapping_resize(block, footprint(old_size), footprint(new_size));
    } else if (run_units(old_size) == run_units(new_size)) {
        large.unused_bytes -= run_unused(old_size);
        large.unused_bytes += run_unused(new_size);
    } else {
        return NULL;
    }
    ASAN_UNPOISON_MEMORY_REGION(block, new_size);
    ASAN_POISON_MEMORY_REGION((char *)block + new_size, footprint(new_size) - new_size);
    return block;
}

/* --- reservations ----------------------------------------------------------------------------- */

void *mem_pages_reserve(size_t size)
{
    bool is_huge = size >= PAGES_HUGE_FROM;
    void *start;

    if (size > MEM_SIZE_MAX)
        mem_out_of_memory(size);
    size = round_up(size, PAGE_BYTES);
    start = map_or_stop(size, is_huge ? CHUNK_SIZE : PAGE_BYTES);
    if (is_huge)
        madvise(start, size, MADV_HUGEPAGE);
    return start;
}

void mem_pages_discard(void *start, size_t size)
{
    uintptr_t from = round_up((uintptr_t)start, PAGE_BYTES);
    uintptr_t to = ((uintptr_t)start + size) & ~(PAGE_BYTES - 1);

    if (from < to && madvise((void *)from, to - from, MADV_DONTNEED) < 0)
        memset((void *)from, 0, to - from);
}

void mem_pages_release(void *start, size_t size) { munmap(start, round_up(size, PAGE_BYTES)); }
