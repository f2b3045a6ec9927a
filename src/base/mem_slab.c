/* Small blocks: size classes, and the spans that hold the blocks of one.
 *
 * Most calls touch only the class's short list of ready blocks: a block that was just freed is the
 * next to be handed out, while it is warm. When the list is empty or full, half of it is exchanged
 * with the spans at once, so that the misses to their descriptors overlap.
 *
 *     alloc <--- ready list (2 to 32 addresses) <--- free
 *                  |  ^ fills from the current span, then the fullest
 *          flushes v  |
 *         spans  [..xx.xxx] [xxxxxxxx] [x.......]
 *
 * A span without free blocks is full and forgotten until one comes back; then it waits in a bin by
 * its fullness. The next current span comes from the fullest bin, and within that is the one that
 * has waited longest: dense spans fill up and sparse ones drain until they are empty.
 *
 * Defragmentation helps the draining. Of a class with as many free blocks as make n spans, the n
 * sparsest spans are worth emptying; where those end is interpolated within the bin. */
#include "mem_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>

#define CLASS_COUNT 49 /* 1 .. 16 are 8 .. 128, then four to each doubling; 0 is no class */
#define READY_MAX   32
#define READY_BYTES ((size_t)32 << 10) /* fewer of the larger ones are kept ready */

#define BINS        16
#define BIN_CURRENT BINS
#define BIN_FULL    (BINS + 1)

/* How many frees go past the ready list after a block was found worth moving. */
#define STRAIGHT_FREES 64

struct size_class {
    uint32_t ready_count;
    uint32_t ready_limit; /* a free beyond it takes the slow way */
    uint32_t size;
    uint32_t reciprocal; /* 2^32 / size, rounded up */
    char *ready[READY_MAX];

    uint16_t capacity;     /* blocks in a span */
    uint16_t sparse_below; /* spans in bins with fewer blocks are worth emptying */
    bool is_sparse_known;  /* that is up to date */
    uint8_t index;
    uint8_t units;     /* of a span */
    uint8_t ready_max; /* what the limit is in ordinary times */
    uint32_t straight_frees;
    struct span *current;
    size_t used;  /* blocks of all spans, as struct span counts them */
    size_t spans; /* with a block, or current */
    uint32_t bin_count[BINS];
    struct link bins[BINS];
};

static struct size_class classes[CLASS_COUNT];
static bool is_fresh_preferred;

static unsigned class_index(size_t size)
{
    unsigned shift;

    if (size <= 128)
        return (unsigned)(size + 7 + (size == 0)) / 8;
    size--;
    shift = 63 - (unsigned)__builtin_clzll(size);
    return 17 + (shift - 7) * 4 + (size >> (shift - 2) & 3);
}

static size_t class_size(unsigned index)
{
    unsigned doubling = (index - 17) / 4, quarter = (index - 17) % 4;

    return index <= 16 ? index * 8 : (size_t)(5 + quarter) * 32 << doubling;
}

size_t mem_slab_block_size(size_t size) { return class_size(class_index(size)); }

/* The fewest units that hold four blocks and waste at most 1/32 behind the last. */
static unsigned units_for(size_t size)
{
    unsigned units = 1;

    while (units < SPAN_UNITS_MAX &&
           (units * UNIT_SIZE / size < 4 || units * UNIT_SIZE % size > units * UNIT_SIZE / 32))
        units++;
    return units;
}

static void class_init(struct size_class *class)
{
    size_t blocks, ready;

    class->index = (uint8_t)(class - classes);
    class->size = (uint32_t)class_size(class->index);
    class->reciprocal = (uint32_t)((((uint64_t)1 << 32) + class->size - 1) / class->size);
    class->units = (uint8_t)units_for(class->size);
    blocks = class->units * UNIT_SIZE / class->size;
    class->capacity = (uint16_t)(blocks < SPAN_BLOCKS ? blocks : SPAN_BLOCKS);
    ready = READY_BYTES / class->size;
    class->ready_max = (uint8_t)(ready < 2 ? 2 : ready < READY_MAX ? ready : READY_MAX);
    class->ready_limit = is_fresh_preferred ? 0 : class->ready_max;
    for (unsigned i = 0; i < BINS; i++)
        link_init(&class->bins[i]);
}

/* --- spans ------------------------------------------------------------------------------------ */

static unsigned bin_floor(const struct size_class *class, unsigned bin)
{
    return (bin * class->capacity + BINS - 1) / BINS;
}

static struct span *span_new(struct size_class *class)
{
    bool is_zero;
    struct span *span = mem_units_take(UNITS_SMALL, class->units, &is_zero);
    unsigned word = 0, blocks = class->capacity;

    span->class = class->index;
    span->used = 0;
    for (; blocks >= 64; blocks -= 64)
        span->free[word++] = UINT64_MAX;
    if (blocks > 0)
        span->free[word++] = ((uint64_t)1 << blocks) - 1;
    while (word < SPAN_WORDS)
        span->free[word++] = 0;
    class->spans++;
    return span;
}

static void span_unbin(struct size_class *class, struct span *span)
{
    link_remove(&span->link);
    class->bin_count[span->bin]--;
}

/* A free has brought the span below the floor of its bin. */
static void span_sink(struct size_class *class, struct span *span)
{
    class->is_sparse_known = false;
    if (span->bin != BIN_FULL)
        span_unbin(class, span);
    if (span->used == 0) {
        class->spans--;
        mem_units_give(span);
        return;
    }
    span->bin = (uint8_t)(span->used * BINS / class->capacity);
    span->bin_floor = (uint16_t)(span->bin > 0 ? bin_floor(class, span->bin) : 1);
    class->bin_count[span->bin]++;
    link_add(&class->bins[span->bin], &span->link);
}

static struct span *span_from_bin(struct size_class *class, unsigned bin)
{
    struct span *span = (struct span *)class->bins[bin].next;

    span_unbin(class, span);
    return span;
}

/* The fullest that is not full, or a new one. While a snapshot child shares our pages each page
 * that we write to is copied, so only spans that are at least half free are worth it. */
static struct span *span_next(struct size_class *class)
{
    if (is_fresh_preferred) {
        for (unsigned bin = 0; bin < BINS / 2; bin++)
            if (class->bin_count[bin] > 0)
                return span_from_bin(class, bin);
        return span_new(class);
    }
    for (unsigned bin = BINS; bin-- > 0;)
        if (class->bin_count[bin] > 0)
            return span_from_bin(class, bin);
    return span_new(class);
}

static struct span *class_current(struct size_class *class)
{
    struct span *span = class->current;

    if (span && span->used < class->capacity)
        return span;
    if (span) {
        span->bin = BIN_FULL;
        span->bin_floor = class->capacity;
    }
    class->is_sparse_known = false;
    class->current = span = span_next(class);
    span->bin = BIN_CURRENT;
    span->bin_floor = 0;
    return span;
}

/* Takes up to 'count' blocks of the span, the lowest first. */
static unsigned span_take(struct size_class *class, struct span *span, char **blocks,
                          unsigned count)
{
    char *start = span_start(span);
    unsigned taken = 0;

    for (unsigned word = 0; taken < count && word < SPAN_WORDS; word++) {
        uint64_t bits = span->free[word];

        for (; bits != 0 && taken < count; bits &= bits - 1)
            blocks[taken++] =
                start + (word * 64 + (unsigned)__builtin_ctzll(bits)) * (size_t) class->size;
        span->free[word] = bits;
    }
    span->used = (uint16_t)(span->used + taken);
    class->used += taken;
    return taken;
}

/* Multiplication, since a division would be most of the time that a free takes; exact within a
 * span. */
static unsigned block_number(const struct size_class *class, const struct span *span,
                             const char *block)
{
    size_t offset = (size_t)(block - span_start(span));
    unsigned number = (unsigned)(offset * class->reciprocal >> 32);

    ASSERT(number * class->size == offset);
    return number;
}

static void span_put(struct size_class *class, char *block)
{
    struct span *span = span_of(block);
    unsigned number = block_number(class, span, block);
    uint64_t bit = (uint64_t)1 << number % 64;

    ASSERT(span->class == class->index);          /* it is one of ours, and of this size */
    ASSERT((span->free[number / 64] & bit) == 0); /* and was not freed before */
    span->free[number / 64] |= bit;
    class->used--;
    if (--span->used < span->bin_floor)
        span_sink(class, span);
}

/* --- the ready list --------------------------------------------------------------------------- */

/* In the order of addresses from the end on, as they will be handed out. */
static __attribute__((noinline)) void ready_fill(struct size_class *class)
{
    char *blocks[READY_MAX / 2];
    unsigned count;

    if (class->size == 0)
        class_init(class);
    count = span_take(class, class_current(class), blocks, class->ready_max / 2);
    for (unsigned i = 0; i < count; i++)
        class->ready[count - 1 - i] = blocks[i];
    class->ready_count = count;
}

/* Gives the 'count' that have been there longest back to their spans. */
static void ready_flush(struct size_class *class, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        __builtin_prefetch(span_of(class->ready[i]), 1);
    for (unsigned i = 0; i < count; i++)
        span_put(class, class->ready[i]);
    class->ready_count -= count;
    memmove(class->ready, class->ready + count, class->ready_count * sizeof class->ready[0]);
}

static __attribute__((noinline)) void free_slowly(struct size_class *class, char *block)
{
    if (class->ready_limit == 0) {
        span_put(class, block);
        if (!is_fresh_preferred && --class->straight_frees == 0)
            class->ready_limit = class->ready_max;
        return;
    }
    ready_flush(class, class->ready_max / 2);
    class->ready[class->ready_count++] = block;
}

/* Until further notice freed blocks go straight to their spans, where alloc's choice is made. */
static void ready_close(struct size_class *class)
{
    ready_flush(class, class->ready_count);
    class->ready_limit = 0;
}

void mem_slab_flush(void)
{
    for (unsigned i = 1; i < CLASS_COUNT; i++)
        ready_flush(&classes[i], classes[i].ready_count);
}

/* --- blocks ----------------------------------------------------------------------------------- */

void *mem_slab_alloc(size_t size)
{
    struct size_class *class = &classes[class_index(size)];

    if (__builtin_expect(class->ready_count == 0, 0))
        ready_fill(class);
    return class->ready[--class->ready_count];
}

/* What a flush asserts later, and that the block is not on the ready list. */
static __attribute__((unused)) bool is_handed_out(const struct size_class *class, const char *block)
{
    const struct span *span = span_of(block);
    unsigned number;

    if (span->class != class->index)
        return false;
    for (unsigned i = 0; i < class->ready_count; i++)
        if (class->ready[i] == block)
            return false;
    number = block_number(class, span, block);
    return (span->free[number / 64] >> number % 64 & 1) == 0;
}

void mem_slab_free(void *block, size_t size)
{
    struct size_class *class = &classes[class_index(size)];

    DEBUG_ASSERT(is_handed_out(class, block));
    if (__builtin_expect(class->ready_count >= class->ready_limit, 0))
        free_slowly(class, block);
    else
        class->ready[class->ready_count++] = block;
}

/* --- defragmentation -------------------------------------------------------------------------- */

static unsigned sparse_level(const struct size_class *class)
{
    size_t surplus = class->spans - (class->used + class->capacity - 1) / class->capacity;
    unsigned bin = 0;

    if (surplus <= 1 + class->spans / 32)
        return 0;
    for (; bin < BINS && surplus > class->bin_count[bin]; bin++)
        surplus -= class->bin_count[bin];
    if (bin == BINS)
        return class->capacity;
    return bin_floor(class, bin) +
           (unsigned)((surplus * (class->capacity / BINS + 1) + class->bin_count[bin] - 1) /
                      class->bin_count[bin]);
}

/* A block that is about to move must not be replaced by one that came from a span as sparse. */
static void prepare_for_move(struct size_class *class)
{
    if (class->ready_limit > 0)
        ready_close(class);
    class->straight_frees = STRAIGHT_FREES;
}

bool mem_slab_is_sparse(const void *block, size_t size)
{
    struct size_class *class = &classes[class_index(size)];
    const struct span *span = span_of(block);

    DEBUG_ASSERT(is_handed_out(class, block));
    if (!class->is_sparse_known) {
        class->sparse_below = (uint16_t)sparse_level(class);
        class->is_sparse_known = true;
    }
    if (span->bin >= BINS || span->used >= class->sparse_below)
        return false;
    prepare_for_move(class);
    return true;
}

void mem_slab_prefer_fresh(bool is_preferred)
{
    is_fresh_preferred = is_preferred;
    for (unsigned i = 1; i < CLASS_COUNT; i++) {
        if (classes[i].size == 0)
            continue;
        ready_close(&classes[i]);
        if (!is_preferred)
            classes[i].ready_limit = classes[i].ready_max;
    }
}

/* --- check ------------------------------------------------------------------------------------ */

/* What the walk over all spans found. */
static struct {
    size_t used[CLASS_COUNT], spans[CLASS_COUNT], full[CLASS_COUNT];
} found;

static void span_check(const struct span *span)
{
    const struct size_class *class = &classes[span->class];
    unsigned free = 0, bin = span->bin;

    ASSERT(span->class < CLASS_COUNT);
    ASSERT(span->units == class->units);
    for (unsigned word = 0; word < SPAN_WORDS; word++)
        free += (unsigned)__builtin_popcountll(span->free[word]);
    ASSERT(span->used + free == class->capacity);
    ASSERT((bin == BIN_CURRENT) == (span == class->current));
    ASSERT(bin != BIN_FULL || free == 0);
    if (bin < BINS) {
        ASSERT(span->used * BINS / class->capacity == bin);
        ASSERT(span->used >= span->bin_floor);
        ASSERT(span->link.next->prev == &span->link);
    }
    found.used[span->class] += span->used;
    found.spans[span->class]++;
    found.full[span->class] += bin == BIN_FULL;
}

static void class_check(const struct size_class *class)
{
    size_t binned = 0;

    ASSERT(class->used == found.used[class->index]);
    ASSERT(class->spans == found.spans[class->index]);
    for (unsigned bin = 0; bin < BINS; bin++) {
        size_t length = 0;

        for (const struct link *at = class->bins[bin].next; at != &class->bins[bin]; at = at->next)
            length++;
        ASSERT(length == class->bin_count[bin]);
        binned += length;
    }
    ASSERT(binned + found.full[class->index] + (class->current != NULL) == class->spans);
}

static void ready_check(const struct size_class *class)
{
    ASSERT(class->ready_count <= class->ready_max);
    for (unsigned i = 0; i < class->ready_count; i++) {
        const struct span *span = span_of(class->ready[i]);
        unsigned number = block_number(class, span, class->ready[i]);

        ASSERT(span->class == class->index);
        ASSERT((span->free[number / 64] >> number % 64 & 1) == 0);
    }
}

void mem_slab_check(void)
{
    memset(&found, 0, sizeof found);
    mem_units_check(span_check);
    for (unsigned i = 1; i < CLASS_COUNT; i++) {
        if (classes[i].size == 0)
            continue;
        class_check(&classes[i]);
        ready_check(&classes[i]);
    }
}
