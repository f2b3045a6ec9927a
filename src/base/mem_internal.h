/* What the parts of base/mem share.
 *
 *     mem.c        the face: which part serves a size, counts, red zones
 *     mem_slab.c   small blocks: size classes, spans, fullness bins
 *     mem_large.c  large blocks: runs of units, mappings of their own
 *     mem_units.c  address space: chunks that are cut into units
 *     mem_pages.c  mappings, huge pages, reservations
 *
 * A chunk is 2 MB (a huge page) on a 2 MB boundary; its 128 units of 16 KB are handed out in runs,
 * to be a span of small blocks or one larger block. Unit 0 holds what is known of the other 127:
 *
 *     chunk   | struct chunk | span 1 | span 2 | ... | span 127 |  <- unit 0, 128 bytes each
 *             | unit 1: blocks ...                              |
 *             | unit 2: blocks ...                              |
 *
 * So an address gives its descriptor by masks and one addition, the descriptor shares the block's
 * TLB entry where pages are huge, and pages with blocks are never written by us. */
#ifndef TERN_BASE_MEM_INTERNAL_H
#define TERN_BASE_MEM_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define MEM_IS_POISONED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_IS_POISONED true
#endif
#endif

#ifdef MEM_IS_POISONED
#include <sanitizer/asan_interface.h>
#else
#define MEM_IS_POISONED                          false
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

#define PAGE_BYTES      ((size_t)4096)
#define UNIT_SIZE       ((size_t)16384)
#define CHUNK_SIZE      ((size_t)2 << 20)
#define CHUNK_UNITS     128
#define DESCRIPTOR_SIZE 128

#define MEM_RED_ZONE (MEM_IS_POISONED ? (size_t)16 : 0) /* the least behind a block */
#define MEM_SIZE_MAX ((size_t)1 << 47)                  /* more is out of memory at once */

/* "A few" of what is kept back or put off, so that churn costs no system calls; stress builds keep
 * nearly nothing. */
#ifdef TERN_STRESS
#define RUN_BYTES_MAX     ((size_t)64 << 10) /* larger blocks get mappings of their own */
#define HUGE_PAGES_FROM   ((size_t)8 << 20)  /* a smaller heap stays with small pages */
#define DIRTY_UNITS_MAX   2                  /* free units that keep their memory */
#define RETIRE_PIECE      ((size_t)64 << 10) /* unmapped at once; more waits for the next slice */
#define RETIRED_BYTES_MAX ((size_t)1 << 20)  /* beyond it allocations unmap what slices did not */
#else
#define RUN_BYTES_MAX     ((size_t)256 << 10)
#define HUGE_PAGES_FROM   ((size_t)64 << 20)
#define DIRTY_UNITS_MAX   192
#define RETIRE_PIECE      ((size_t)1 << 20)
#define RETIRED_BYTES_MAX ((size_t)64 << 20)
#endif

static inline size_t round_up(size_t size, size_t step) { return (size + step - 1) & ~(step - 1); }

/* A place in a ring; the ring's head is one too. */
struct link {
    struct link *next, *prev;
};

static inline void link_init(struct link *head) { head->next = head->prev = head; }
static inline bool link_is_empty(const struct link *head) { return head->next == head; }

static inline void link_add(struct link *head, struct link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void link_remove(const struct link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
}

/* What is known of one unit. The first unit of a run speaks for all; the others say how far back it
 * is. The first five words share its first cache line: enough for blocks of 56 bytes and more. */
#define SPAN_WORDS  12
#define SPAN_BLOCKS ((unsigned)SPAN_WORDS * 64)

/* Beside the size classes, which begin at 1. */
enum { CLASS_NONE = 0, CLASS_RUN = 0xff };

struct span {
    _Alignas(DESCRIPTOR_SIZE) struct link link; /* among those of its bin */
    uint16_t used;      /* blocks not in 'free': handed out, or on the ready list */
    uint16_t bin_floor; /* with fewer of them it goes to a sparser bin */
    uint8_t class;      /* CLASS_RUN: one large block, CLASS_NONE: free, or not the first unit */
    uint8_t bin;
    uint8_t units;
    uint8_t units_back;
    uint64_t free[SPAN_WORDS]; /* bit i: block i is free */
};

_Static_assert(sizeof(struct span) == DESCRIPTOR_SIZE, "a power of two, two cache lines");
_Static_assert(CHUNK_UNITS * sizeof(struct span) == UNIT_SIZE, "descriptors fill unit 0");

static inline struct span *span_of(const void *block)
{
    uintptr_t address = (uintptr_t)block, unit = address / UNIT_SIZE % CHUNK_UNITS;
    struct span *span = (struct span *)(address & ~(CHUNK_SIZE - 1)) + unit;

    return span - span->units_back;
}

static inline char *span_start(const struct span *span)
{
    uintptr_t address = (uintptr_t)span, unit = address % UNIT_SIZE / DESCRIPTOR_SIZE;

    return (char *)(address & ~(CHUNK_SIZE - 1)) + unit * UNIT_SIZE;
}

/* mem_units.c. What has blocks of one kind shares chunks: huge pages are for the small. */
enum unit_kind { UNITS_SMALL, UNITS_LARGE };

#define RUN_UNITS_MAX  16
#define SPAN_UNITS_MAX 8 /* short enough to become empty */

/* A run of 1 to RUN_UNITS_MAX units, poisoned. '*is_zero' tells whether it reads as zero. */
struct span *mem_units_take(enum unit_kind kind, unsigned units, bool *is_zero);
void mem_units_give(struct span *span);
/* Gives some free units back to the kernel; false when no more than a few are left ('all': none).
 */
bool mem_units_discard(bool all);
size_t mem_units_committed(void);
/* Stops the process when something does not add up; shows every span of small blocks. */
void mem_units_check(void (*check_span)(const struct span *span));

/* mem_slab.c. 'size' is at most MEM_SMALL_MAX. */
size_t mem_slab_block_size(size_t size);
void *mem_slab_alloc(size_t size);
void mem_slab_free(void *block, size_t size);
bool mem_slab_is_sparse(const void *block, size_t size);
/* Gives blocks that are kept ready back to their spans, which may become empty. */
void mem_slab_flush(void);
void mem_slab_prefer_fresh(bool is_preferred);
void mem_slab_check(void);

/* mem_large.c. 'size' is above what the slab takes, red zone included. */
size_t mem_large_block_size(size_t size);
void *mem_large_alloc(size_t size, bool *is_zero);
void mem_large_free(void *block, size_t size);
/* NULL when the content must be copied to another block. */
void *mem_large_resize(void *block, size_t old_size, size_t new_size);
/* Unmaps a piece of what waits for it; false when nothing does. */
/* A mapping that was not a block goes as one does: in slices. */
void mem_large_retire(void *start, size_t size);
bool mem_large_unmap_piece(void);
/* Does a part of that work for a growth by 'size', when much waits because nothing else does it. */
void mem_large_catch_up(size_t size);
ptrdiff_t mem_large_committed(void); /* beside what the units count; negative for unused ends */

/* mem_pages.c. 'size' bytes at a multiple of 'step' with these rights, or NULL. */
void *mem_map(size_t size, size_t step, int protection);
/* The same to read and write, or the process stops. */
void *mem_map_or_stop(size_t size, size_t step);
/* Asks for huge pages and touches the first. False when small ones are better. */
bool mem_make_huge(void *start, size_t size);

/* mem.c */
_Noreturn void mem_out_of_memory(size_t size);
/* Gives back all that can be, when the kernel refuses more. */
void mem_relieve(void);

#endif
