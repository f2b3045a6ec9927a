/* Large blocks.
 *
 * Up to 256 KB a block is a run of units: no system call, and no mapping of its own (the kernel
 * allows 65530 of those). Larger ones are mappings. Unmapping costs time in proportion to the size,
 * so what is above 1 MB is retired: kept on a stack, from which slices unmap a piece at a time.
 * When nobody runs slices, allocations unmap twice what they take as soon as 64 MB wait. */
#include "mem_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#include <sys/mman.h>

#define RETIRED_MAX 16384

_Static_assert(RUN_BYTES_MAX <= RUN_UNITS_MAX * UNIT_SIZE, "one run of units can hold it");

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

void mem_large_retire(void *start, size_t size)
{
    large.mapped_bytes += size;
    retire(start, size);
}

bool mem_large_unmap_piece(void)
{
    struct mapping *last;
    size_t piece;

    if (large.retired_count == 0)
        return false;
    last = &large.retired[large.retired_count - 1];
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
        block = mem_map_or_stop(footprint(size), PAGE_BYTES);
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
