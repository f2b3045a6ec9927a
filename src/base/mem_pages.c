/* Pages from the kernel: mappings, huge pages, reservations for tables.
 *
 * Huge pages save large heaps a TLB miss for each line of a key (random reads of 1 GB, one after
 * the other: 330 ns with small pages, 230 with huge ones). But their first touch clears 2 MB: 0.15
 * ms, and 5 ms on some virtual machines that back memory late. A request must not wait that long,
 * so the first touch is made here and measured; where it is dear, small pages must do. */
#include "mem_internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>
#include <sys/mman.h>

#define PAGES_HUGE_FROM   ((size_t)32 << 20) /* smaller reservations stay with small pages */
#define HUGE_TOUCH_NS_MAX 1000000            /* a longer one is dear */
#define HUGE_DEAR_MAX     2                  /* so many in a row, and we stop asking */

static unsigned huge_dear_count;

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

void *mem_map_or_stop(size_t size, size_t step)
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

bool mem_make_huge(void *start, size_t size)
{
    uint64_t begin;

    if (huge_dear_count == HUGE_DEAR_MAX || madvise(start, size, MADV_HUGEPAGE) < 0)
        return false;
    begin = clock_work_ns();
    *(volatile char *)start = 0;
    if (clock_work_ns() - begin < HUGE_TOUCH_NS_MAX)
        huge_dear_count = 0;
    else if (++huge_dear_count == HUGE_DEAR_MAX)
        madvise((char *)start + CHUNK_SIZE, size - CHUNK_SIZE, MADV_NOHUGEPAGE);
    return true;
}

void *mem_pages_reserve(size_t size)
{
    bool is_huge = size >= PAGES_HUGE_FROM;
    void *start;

    if (size > MEM_SIZE_MAX)
        mem_out_of_memory(size);
    size = round_up(size, PAGE_BYTES);
    start = mem_map_or_stop(size, is_huge ? CHUNK_SIZE : PAGE_BYTES);
    if (is_huge)
        mem_make_huge(start, size);
    return start;
}

void mem_pages_discard(void *start, size_t size)
{
    uintptr_t from = round_up((uintptr_t)start, PAGE_BYTES);
    uintptr_t to = ((uintptr_t)start + size) & ~(PAGE_BYTES - 1);

    if (from < to && madvise((void *)from, to - from, MADV_DONTNEED) < 0)
        memset((void *)from, 0, to - from);
}

void mem_pages_release(void *start, size_t size)
{
    mem_large_retire(start, round_up(size, PAGE_BYTES));
}
