/* Address space for blocks: chunks, and the units they are cut into.
 *
 * One range of 1 TB is reserved at the first allocation without any memory behind it, and chunks
 * are made usable from its beginning. Where so much is refused (RLIMIT_AS, small address spaces),
 * ranges of 64 MB are reserved one by one.
 *
 *     chunk_create --> in use --> empty (all units free) --> chunk_discard: clean, one bit only
 *         ^                \_______/                                  |
 *         |___________________________________________________________|
 *
 * A free unit is dirty while it keeps its memory. Dirty ones are taken first, and what exceeds a
 * few is given back in slices, the chunk that has waited longest first. A run is taken from the
 * chunk whose longest free run fits best, an empty chunk is the last choice: so what can become
 * empty does. */
#include "mem_internal.h"

#include "base/assert.h"

#include <sys/mman.h>
#include <unistd.h>

#define RANGE_SIZE       ((size_t)1 << 40)
#define RANGE_SIZE_SMALL ((size_t)64 << 20)
#define CHUNKS_MAX       (RANGE_SIZE / CHUNK_SIZE)
#define RANGES_MAX       (RANGE_SIZE / RANGE_SIZE_SMALL)
#define CHUNK_WORDS      (CHUNK_UNITS / 64)

/* Each chunk that lost a part of its huge page costs one or two of the kernel's 65530 mappings. */
#define CHUNKS_SPLIT_MAX 8192

struct chunk {
    struct link link;       /* among those with the same longest run, or the empty ones */
    struct link dirty_link; /* among those with dirty units */
    uint64_t free[CHUNK_WORDS];
    uint64_t dirty[CHUNK_WORDS]; /* of the free ones */
    uint32_t number;
    uint8_t kind;
    uint8_t longest_run; /* of free units, at most RUN_UNITS_MAX: which list it is in */
    bool is_empty;       /* in the list of the empty ones instead */
    bool is_dirty;
    bool is_huge;  /* the kernel was asked for a huge page */
    bool is_split; /* ... and then for small ones, since a part was given back */
};

_Static_assert(sizeof(struct chunk) <= DESCRIPTOR_SIZE, "stands where unit 0's descriptor would");

struct range {
    char *start;
    uint32_t first_chunk, chunk_count;
};

static struct {
    struct range ranges[RANGES_MAX];
    unsigned range_count;
    uint32_t chunk_count; /* numbers given so far; all are of chunks in use, empty or clean */
    uint32_t chunks_reserved;
    uint32_t chunks_clean, chunks_split;
    uint64_t clean[CHUNKS_MAX / 64];
    uint32_t clean_word; /* none is clean in the words before it */
    struct link by_longest_run[2][RUN_UNITS_MAX + 1];
    struct link empty, dirty;
    size_t units_taken, units_dirty;
} heap;

static bool range_reserve(void)
{
    size_t size = heap.range_count == 0 ? RANGE_SIZE : RANGE_SIZE_SMALL;
    char *start = NULL;

    if (heap.range_count == RANGES_MAX ||
        heap.chunks_reserved + RANGE_SIZE_SMALL / CHUNK_SIZE > CHUNKS_MAX)
        return false;
    start = mem_map(size, CHUNK_SIZE, PROT_NONE);
    if (!start && size > RANGE_SIZE_SMALL)
        start = mem_map(size = RANGE_SIZE_SMALL, CHUNK_SIZE, PROT_NONE);
    while (!start && size > CHUNK_SIZE)
        start = mem_map(size /= 2, CHUNK_SIZE, PROT_NONE);
    if (!start)
        return false;
    heap.ranges[heap.range_count++] =
        (struct range){start, heap.chunks_reserved, (uint32_t)(size / CHUNK_SIZE)};
    heap.chunks_reserved += (uint32_t)(size / CHUNK_SIZE);
    return true;
}

static struct chunk *chunk_at(uint32_t number)
{
    const struct range *range = heap.ranges;

    while (number - range->first_chunk >= range->chunk_count)
        range++;
    return (struct chunk *)(range->start + (number - range->first_chunk) * CHUNK_SIZE);
}

static struct chunk *chunk_of(const struct span *span)
{
    return (struct chunk *)((uintptr_t)span & ~(CHUNK_SIZE - 1));
}

static bool chunk_is_clean(uint32_t number) { return heap.clean[number / 64] >> number % 64 & 1; }

/* The lowest number that is clean or new; false when no address space is left. */
static bool chunk_number_take(uint32_t *number)
{
    if (heap.chunks_clean > 0) {
        while (heap.clean[heap.clean_word] == 0)
            heap.clean_word++;
        *number = heap.clean_word * 64 + (uint32_t)__builtin_ctzll(heap.clean[heap.clean_word]);
        heap.clean[heap.clean_word] &= heap.clean[heap.clean_word] - 1;
        heap.chunks_clean--;
        return true;
    }
    if (heap.chunk_count == heap.chunks_reserved && !range_reserve())
        return false;
    *number = heap.chunk_count++;
    return true;
}

static void chunk_number_give(uint32_t number)
{
    heap.clean[number / 64] |= (uint64_t)1 << number % 64;
    heap.chunks_clean++;
    if (number / 64 < heap.clean_word)
        heap.clean_word = number / 64;
}

/* The longest run of ones, at most RUN_UNITS_MAX. */
static unsigned longest_run(uint64_t bits)
{
    unsigned length = 0;

    for (; bits != 0 && length < RUN_UNITS_MAX; length++)
        bits &= bits >> 1;
    return length;
}

/* The lowest place of 'units' ones in a row, 64 when there is none. */
static unsigned find_run(uint64_t bits, unsigned units)
{
    for (unsigned i = 1; i < units; i++)
        bits &= bits >> 1;
    return bits ? (unsigned)__builtin_ctzll(bits) : 64;
}

static uint64_t run_mask(unsigned at, unsigned units)
{
    return (units == 64 ? UINT64_MAX : ((uint64_t)1 << units) - 1) << at;
}

static unsigned count_bits(const uint64_t words[CHUNK_WORDS])
{
    return (unsigned)(__builtin_popcountll(words[0]) + __builtin_popcountll(words[1]));
}

static bool all_free(const struct chunk *chunk)
{
    return chunk->free[0] == ~(uint64_t)1 && chunk->free[1] == UINT64_MAX;
}

static void chunk_link(struct chunk *chunk)
{
    unsigned a = longest_run(chunk->free[0]), b = longest_run(chunk->free[1]);

    chunk->longest_run = (uint8_t)(a > b ? a : b);
    chunk->is_empty = all_free(chunk);
    link_add(chunk->is_empty ? &heap.empty : &heap.by_longest_run[chunk->kind][chunk->longest_run],
             &chunk->link);
}

static void chunk_link_dirty(struct chunk *chunk)
{
    bool is_dirty = (chunk->dirty[0] | chunk->dirty[1]) != 0;

    if (is_dirty == chunk->is_dirty)
        return;
    if (is_dirty)
        link_add(&heap.dirty, &chunk->dirty_link);
    else
        link_remove(&chunk->dirty_link);
    chunk->is_dirty = is_dirty;
}

/* Brings the lists up to date after a change of free or dirty bits. */
static void chunk_relink(struct chunk *chunk)
{
    link_remove(&chunk->link);
    chunk_link(chunk);
    chunk_link_dirty(chunk);
}

static bool chunk_make_huge(struct chunk *chunk, enum unit_kind kind)
{
    return kind == UNITS_SMALL && mem_units_committed() >= HUGE_PAGES_FROM &&
           mem_make_huge(chunk, CHUNK_SIZE);
}

static struct chunk *chunk_create(enum unit_kind kind)
{
    struct chunk *chunk;
    uint32_t number;
    bool is_huge;

    if (!chunk_number_take(&number))
        return NULL;
    chunk = chunk_at(number);
    if (mprotect(chunk, CHUNK_SIZE, PROT_READ | PROT_WRITE) < 0) {
        chunk_number_give(number);
        return NULL;
    }
    is_huge = chunk_make_huge(chunk, kind);
    ASAN_UNPOISON_MEMORY_REGION(chunk, UNIT_SIZE);
    ASAN_POISON_MEMORY_REGION((char *)chunk + UNIT_SIZE, CHUNK_SIZE - UNIT_SIZE);
    *chunk = (struct chunk){
        .free = {~(uint64_t)1, UINT64_MAX}, .number = number, .kind = kind, .is_huge = is_huge};
    if (is_huge) { /* its first touch backs all of it */
        chunk->dirty[0] = chunk->free[0];
        chunk->dirty[1] = chunk->free[1];
        heap.units_dirty += CHUNK_UNITS - 1;
    }
    chunk_link(chunk);
    chunk_link_dirty(chunk);
    return chunk;
}

static void heap_init(void)
{
    ASSERT(sysconf(_SC_PAGESIZE) == (long)PAGE_BYTES);
    for (unsigned i = 0; i <= RUN_UNITS_MAX; i++) {
        link_init(&heap.by_longest_run[UNITS_SMALL][i]);
        link_init(&heap.by_longest_run[UNITS_LARGE][i]);
    }
    link_init(&heap.empty);
    link_init(&heap.dirty);
}

static struct chunk *chunk_with_run(enum unit_kind kind, unsigned units)
{
    struct chunk *chunk;

    for (unsigned run = units; run <= RUN_UNITS_MAX; run++)
        if (!link_is_empty(&heap.by_longest_run[kind][run]))
            return (struct chunk *)heap.by_longest_run[kind][run].next;
    if (!link_is_empty(&heap.empty)) {
        chunk = (struct chunk *)heap.empty.next;
        chunk->kind = kind;
        return chunk;
    }
    mem_large_catch_up(CHUNK_SIZE);
    if (!(chunk = chunk_create(kind))) {
        mem_relieve();
        if (!(chunk = chunk_create(kind)))
            mem_out_of_memory(CHUNK_SIZE);
    }
    return chunk;
}

/* The index of the first unit of a free run, a dirty one if there is one. */
static unsigned chunk_find_run(const struct chunk *chunk, unsigned units)
{
    const uint64_t *choices[] = {chunk->dirty, chunk->free};

    for (unsigned i = 0; i < 2; i++)
        for (unsigned word = 0; word < CHUNK_WORDS; word++) {
            unsigned at = find_run(choices[i][word], units);

            if (at < 64)
                return word * 64 + at;
        }
    ASSERT(!"a chunk has the run that its list promises");
    return 0;
}

struct span *mem_units_take(enum unit_kind kind, unsigned units, bool *is_zero)
{
    struct chunk *chunk;
    struct span *span;
    unsigned at, dirty;
    uint64_t mask;

    ASSERT(units > 0 && units <= RUN_UNITS_MAX);
    if (!heap.empty.next)
        heap_init();
    chunk = chunk_with_run(kind, units);
    at = chunk_find_run(chunk, units);
    mask = run_mask(at % 64, units);
    dirty = (unsigned)__builtin_popcountll(chunk->dirty[at / 64] & mask);
    chunk->free[at / 64] &= ~mask;
    chunk->dirty[at / 64] &= ~mask;
    chunk_relink(chunk);
    heap.units_dirty -= dirty;
    heap.units_taken += units;
    *is_zero = dirty == 0;

    span = (struct span *)chunk + at;
    for (unsigned i = 0; i < units; i++) {
        span[i].class = CLASS_NONE;
        span[i].units_back = (uint8_t)i;
    }
    span->units = (uint8_t)units;
    return span;
}

void mem_units_give(struct span *span)
{
    struct chunk *chunk = chunk_of(span);
    unsigned at = (unsigned)(span - (struct span *)chunk), units = span->units;
    uint64_t mask = run_mask(at % 64, units);

    ASSERT((chunk->free[at / 64] & mask) == 0);
    for (unsigned i = 0; i < units; i++) {
        span[i].class = CLASS_NONE;
        span[i].units_back = 0;
    }
    chunk->free[at / 64] |= mask;
    chunk->dirty[at / 64] |= mask;
    chunk_relink(chunk);
    heap.units_taken -= units;
    heap.units_dirty += units;
}

/* Drops an empty chunk whole, with unit 0 and its page table: the next use can have a huge page. */
static bool chunk_discard(struct chunk *chunk)
{
    const struct chunk was = *chunk;

    if (mmap(chunk, CHUNK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
             -1, 0) == MAP_FAILED)
        return false;
    link_remove(&was.link);
    link_remove(&was.dirty_link);
    chunk_number_give(was.number);
    heap.units_dirty -= count_bits(was.dirty);
    heap.chunks_split -= was.is_split;
    return true;
}

/* khugepaged would fill the holes again. */
static void chunk_split(struct chunk *chunk)
{
    if (!chunk->is_huge || heap.chunks_split == CHUNKS_SPLIT_MAX ||
        madvise(chunk, CHUNK_SIZE, MADV_NOHUGEPAGE) < 0)
        return;
    chunk->is_huge = false;
    chunk->is_split = true;
    heap.chunks_split++;
}

/* Gives back the first dirty units in a row. */
static bool chunk_discard_run(struct chunk *chunk)
{
    unsigned word = chunk->dirty[0] ? 0 : 1;
    uint64_t bits = chunk->dirty[word];
    unsigned at = (unsigned)__builtin_ctzll(bits);
    unsigned units = ~(bits >> at) ? (unsigned)__builtin_ctzll(~(bits >> at)) : 64;

    chunk_split(chunk);
    if (madvise((char *)chunk + (word * 64 + at) * UNIT_SIZE, units * UNIT_SIZE, MADV_DONTNEED) < 0)
        return false;
    chunk->dirty[word] &= ~run_mask(at, units);
    heap.units_dirty -= units;
    chunk_link_dirty(chunk);
    return true;
}

/* What ordinary churn takes again soon. */
static size_t dirty_units_kept(void)
{
    size_t kept = DIRTY_UNITS_MAX / 16 + heap.units_taken / 64;

    return kept < DIRTY_UNITS_MAX ? kept : DIRTY_UNITS_MAX;
}

bool mem_units_discard(bool all)
{
    struct chunk *chunk;

    if (heap.units_dirty <= (all ? 0 : dirty_units_kept()))
        return false;
    ASSERT(!link_is_empty(&heap.dirty));
    chunk = (struct chunk *)((char *)heap.dirty.next - offsetof(struct chunk, dirty_link));
    return chunk->is_empty ? chunk_discard(chunk) : chunk_discard_run(chunk);
}

size_t mem_units_committed(void)
{
    size_t chunks_used = heap.chunk_count - heap.chunks_clean;

    return (heap.units_taken + heap.units_dirty + chunks_used) * UNIT_SIZE;
}

/* Every unit is free or in one run, and the lists are right. Returns how many are taken. */
static size_t chunk_check(const struct chunk *chunk, void (*check_span)(const struct span *span))
{
    const struct span *spans = (const struct span *)chunk;
    size_t taken = 0;

    ASSERT(chunk->is_empty == all_free(chunk));
    ASSERT(chunk->is_dirty == (count_bits(chunk->dirty) > 0));
    ASSERT(chunk->link.next->prev == &chunk->link);
    for (unsigned at = 1, units; at < CHUNK_UNITS; at += units) {
        bool is_free = chunk->free[at / 64] >> at % 64 & 1;

        ASSERT(is_free || !(chunk->dirty[at / 64] >> at % 64 & 1));
        ASSERT(spans[at].units_back == 0);
        ASSERT((spans[at].class == CLASS_NONE) == is_free);
        units = is_free ? 1 : spans[at].units;
        if (is_free)
            continue;
        for (unsigned i = 1; i < units; i++)
            ASSERT(spans[at + i].units_back == i);
        ASSERT((chunk->free[at / 64] & run_mask(at % 64, units)) == 0);
        taken += units;
        if (spans[at].class != CLASS_RUN)
            check_span(&spans[at]);
    }
    return taken;
}

void mem_units_check(void (*check_span)(const struct span *span))
{
    size_t taken = 0, dirty = 0, clean = 0;

    for (uint32_t number = 0; number < heap.chunk_count; number++) {
        const struct chunk *chunk;

        if (chunk_is_clean(number)) {
            clean++;
            continue;
        }
        chunk = chunk_at(number);
        ASSERT(chunk->number == number);
        taken += chunk_check(chunk, check_span);
        dirty += count_bits(chunk->dirty);
    }
    ASSERT(clean == heap.chunks_clean);
    ASSERT(taken == heap.units_taken);
    ASSERT(dirty == heap.units_dirty);
}
