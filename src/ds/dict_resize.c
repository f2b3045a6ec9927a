/* The tables of a dict: their shapes and memory, putting into and taking out of one, and moving
 * from one to the next. The drawing in ds/dict.h shows two tables with the frontier between them.
 *
 *     dict_insert     room is short: begin     table[1] is made, with nothing in it
 *     dict_step       or there is too much
 *
 *     dict_insert     move_chunk               some old buckets at the frontier, left to right:
 *     dict_remove         count_ahead            pages of the next table that will be used
 *     dict_step           move_bucket            what lies in them
 *                         move_spilled           what spilled from them
 *                         discard_behind         pages of the old table behind the new frontier
 *
 *                     end_resize               table[1] becomes table[0]
 *
 * Words and tags are copied as they are while both tables take the position from the same bits of
 * the hash. A table that has outgrown them (once in growing a hundredfold) takes others, and then
 * every entry is asked. */
#include "dict_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>

enum { PAGE = 4096, ASK_AHEAD = 2, COUNT_MARGIN = 64, DISCARD_SIZE_MAX = 2 * 1024 * 1024 };

static uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* --- shapes -------------------------------------------------------------------------------- */

/* The entries that fit without long spills; the growth comes before. */
static uint64_t fill_limit(const struct dict_table *table)
{
    uint64_t slots = table->bucket_count * USABLE_SLOTS;

    return table->bucket_count == 1 ? slots : slots * 4 / 5;
}

/* From here on it is dearer not to grow than to copy pages that a snapshot child shares. */
static bool is_crowded(uint64_t used, uint64_t bucket_count)
{
    return used * 10 > bucket_count * USABLE_SLOTS * 9;
}

/* Right after a growth large tables are 64 to 67 % full, at most 14.3 bytes an entry. */
static uint64_t grown_count(uint64_t bucket_count)
{
    if (bucket_count < 16)
        return bucket_count * 2;
    return bucket_count < 256 ? bucket_count * 3 / 2 : bucket_count * 5 / 4;
}

static uint64_t count_for(uint64_t entries, unsigned fill_percent)
{
    uint64_t slots_percent = USABLE_SLOTS * fill_percent;

    return entries <= USABLE_SLOTS ? 1 : (entries * 100 + slots_percent - 1) / slots_percent;
}

struct shape {
    uint64_t bucket_count, tail_count;
};

/* What the size class or the last page leaves over is used too: few buckets as buckets, many as a
 * longer tail, since that is not touched unless it is needed. */
static struct shape shape_for(uint64_t bucket_count)
{
    uint64_t tail_count = bucket_count == 1 ? 0 : min_u64(1 + bucket_count / 16, TAIL_MAX);
    size_t size = (bucket_count + tail_count) * sizeof(struct dict_bucket);

    if (size >= PAGED_SIZE) {
        size_t pages = (size + PAGE - 1) / PAGE;
        return (struct shape){bucket_count,
                              pages * PAGE / sizeof(struct dict_bucket) - bucket_count};
    }
    return (struct shape){mem_block_size(size) / sizeof(struct dict_bucket) - tail_count,
                          tail_count};
}

/* Which 24 bits of the hash are the position. They must reach high enough to tell the buckets of a
 * window apart and low enough to divide a bucket; within that the old choice is kept. */
static unsigned shift_for(uint64_t bucket_count, unsigned shift_before)
{
    unsigned count_log2 = 63 - (unsigned)__builtin_clzll(bucket_count);
    unsigned lowest = SHIFT_MAX + WINDOW_LOG2 - count_log2;
    unsigned highest = 63 - RESOLUTION_LOG2 - count_log2;

    if (count_log2 < WINDOW_LOG2)
        lowest = SHIFT_MAX;
    return shift_before >= lowest && shift_before <= highest ? shift_before : lowest;
}

/* --- memory -------------------------------------------------------------------------------- */

static size_t table_size(const struct dict_table *table)
{
    return dict_total_count(table) * sizeof(struct dict_bucket);
}

static bool is_paged(const struct dict_table *table) { return table_size(table) >= PAGED_SIZE; }

static void count_pages(struct dict_table *table, size_t backed)
{
    mem_count((ptrdiff_t)backed - (ptrdiff_t)table->counted);
    table->counted = backed;
}

/* Small tables need no alignment: their size classes, multiples of 64, have it mostly anyhow. Pages
 * are not counted before there is something in them. */
static void allocate(struct dict_table *table)
{
    table->counted = 0;
    if (is_paged(table))
        table->buckets = mem_pages_reserve(table_size(table));
    else
        table->buckets = mem_alloc_zero(table_size(table));
}

void dict_table_init(struct dict_table *table, uint64_t bucket_count, unsigned shift_before)
{
    struct shape shape = shape_for(bucket_count);

    *table = (struct dict_table){.bucket_count = shape.bucket_count,
                                 .tail_count = (uint32_t)shape.tail_count,
                                 .shift = shift_for(shape.bucket_count, shift_before)};
    allocate(table);
}

void dict_table_release(struct dict_table *table)
{
    if (table->buckets && is_paged(table)) {
        count_pages(table, 0);
        mem_pages_release(table->buckets, table_size(table));
    } else if (table->buckets) {
        mem_free(table->buckets, table_size(table));
    }
    *table = (struct dict_table){0};
}

size_t dict_table_memory(const struct dict_table *table)
{
    if (!table->buckets)
        return 0;
    return is_paged(table) ? table->counted : mem_block_size(table_size(table));
}

/* Only a hash function that is no good, or very bad luck, comes here. */
static void lengthen_tail(struct dict_table *table)
{
    struct dict_table longer = *table;

    longer.tail_count += longer.tail_count ? longer.tail_count : 1;
    allocate(&longer);
    memcpy(longer.buckets, table->buckets, table_size(table));
    if (is_paged(&longer))
        count_pages(&longer, table_size(&longer));
    dict_table_release(table);
    *table = longer;
}

/* --- one table: put and take --------------------------------------------------------------- */

static void fill_slot(struct dict_bucket *bucket, unsigned i, uint64_t word, uint8_t tag)
{
    bucket->slot[i].word = word;
    bucket->meta |= (uint64_t)tag << 8 * i;
}

/* The count stays at 255 once it was there, since nobody knows then how many there are. */
static void count_up(struct dict_bucket *bucket)
{
    if (dict_passed_over(bucket) < 255)
        bucket->meta += UINT64_C(1) << 56;
}

static void count_down(struct dict_bucket *bucket)
{
    unsigned count = dict_passed_over(bucket);

    ASSERT(count > 0);
    if (count < 255)
        bucket->meta -= UINT64_C(1) << 56;
}

static __attribute__((noinline)) void spill(struct dict_table *table, uint64_t home, uint64_t word,
                                            uint8_t tag)
{
    uint64_t at = home + 1;

    while (at < dict_total_count(table) && !dict_empty_slots(table->buckets[at].meta))
        at++;
    if (at == dict_total_count(table))
        lengthen_tail(table);
    for (uint64_t passed = home; passed < at; passed++)
        count_up(&table->buckets[passed]);
    if (at - home > table->reach)
        table->reach = (uint32_t)(at - home);

    struct dict_bucket *bucket = &table->buckets[at];
    fill_slot(bucket, dict_first_match(dict_empty_slots(bucket->meta)), word, tag);
}

static inline void put(struct dict_table *table, uint64_t home, uint64_t word, uint8_t tag)
{
    struct dict_bucket *bucket = &table->buckets[home];
    uint64_t empty = dict_empty_slots(bucket->meta);

    if (__builtin_expect(empty != 0, 1))
        fill_slot(bucket, dict_first_match(empty), word, tag);
    else
        spill(table, home, word, tag);
    table->used++;
}

void dict_table_put(struct dict_table *table, uint64_t home, uint64_t word, uint8_t tag)
{
    put(table, home, word, tag);
}

void dict_table_take(struct dict_table *table, uint64_t home, uint64_t at, unsigned i)
{
    struct dict_bucket *bucket = &table->buckets[at];

    bucket->slot[i].word = 0;
    bucket->meta &= ~(UINT64_C(0xff) << 8 * i);
    for (uint64_t passed = home; passed < at; passed++)
        count_down(&table->buckets[passed]);
    table->used--;
}

/* --- moving -------------------------------------------------------------------------------- */

struct dict_region dict_table_region(const struct dict *dict, unsigned which)
{
    const struct dict_table *table = &dict->table[which];
    struct dict_region region = {0, 0};

    if (which == 0) {
        region = (struct dict_region){dict->moved, dict_total_count(table)};
    } else if (dict->frontier) {
        uint64_t end = dict_home(table, dict->frontier - 1) + table->reach + 1;
        region.end = min_u64(end, dict_total_count(table));
    }
    return region;
}

/* Puts the entry of an old slot into the next table, where its position tells the home there and
 * is made of the same bits; else the owner is asked for the hash. */
static inline void move_slot(struct dict *dict, const struct dict_reader *reader,
                             const struct dict_bucket *bucket, unsigned i)
{
    struct dict_table *next = &dict->table[1];
    uint64_t word = bucket->slot[i].word;

    if (next->shift == reader->table->shift) {
        struct dict_interval hash = dict_read(reader, bucket, i);
        uint64_t home = dict_home(next, hash.first);
        if (home == dict_home(next, hash.last)) {
            put(next, home, word, dict_slot_tag(bucket, i));
            return;
        }
    }
    uint64_t hash = dict_read_hash(reader, bucket, i);
    uint64_t position = hash >> next->shift;
    word = (word & DICT_ADDRESS_MASK) | (uint64_t)dict_slot_bits(position) << DICT_ADDRESS_BITS;
    put(next, dict_home(next, hash), word, dict_tag(position));
}

static void move_bucket(struct dict *dict, const struct dict_reader *reader,
                        struct dict_bucket *bucket)
{
    for (uint64_t used = dict_used_slots(bucket->meta); used; used &= used - 1) {
        move_slot(dict, reader, bucket, dict_first_match(used));
        dict->table[0].used--;
    }
    *bucket = (struct dict_bucket){0};
}

static bool is_home_before(const struct dict_reader *reader, uint64_t end,
                           const struct dict_bucket *bucket, unsigned i)
{
    struct dict_interval hash = dict_read(reader, bucket, i);

    if (dict_home(reader->table, hash.last) < end)
        return true;
    if (dict_home(reader->table, hash.first) >= end)
        return false;
    return dict_home(reader->table, dict_read_hash(reader, bucket, i)) < end;
}

/* Moves the 'count' entries that spilled over the buckets before 'end'. When 'count' is 255 they
 * may be more or less, and the search ends where no bucket leads on. */
static void move_spilled(struct dict *dict, const struct dict_reader *reader, uint64_t end,
                         unsigned count)
{
    struct dict_table *old = &dict->table[0];

    for (uint64_t at = end; count; at++) {
        struct dict_bucket *bucket = &old->buckets[at];
        for (uint64_t used = dict_used_slots(bucket->meta); used; used &= used - 1) {
            unsigned i = dict_first_match(used);
            if (!is_home_before(reader, end, bucket, i))
                continue;
            move_slot(dict, reader, bucket, i);
            dict_table_take(old, end, at, i);
            count -= count < 255;
        }
        if (!dict_passed_over(bucket))
            break;
    }
}

/* Entries that will be asked for their hashes are fetched a little before. */
static void prefetch_entries(const struct dict_bucket *bucket)
{
    for (uint64_t used = dict_used_slots(bucket->meta); used; used &= used - 1)
        __builtin_prefetch(dict_slot_entry(&bucket->slot[dict_first_match(used)]));
}

/* The next table's pages are counted when the frontier comes to them. The first access to each is
 * made a write, since reading first costs a second fault. What spilled is not overwritten: it lies
 * within the margin, which was counted before. */
static void count_ahead(struct dict_table *next, uint64_t last_hash)
{
    uint64_t end = dict_home(next, last_hash) + 1 + COUNT_MARGIN;
    size_t piece_end =
        (end * sizeof(struct dict_bucket) + PIECE_SIZE - 1) / PIECE_SIZE * PIECE_SIZE;
    size_t backed = min_u64(piece_end, table_size(next));

    if (backed <= next->counted)
        return;
    for (size_t at = next->counted; at < backed && next->reach < COUNT_MARGIN; at += PAGE)
        ((volatile char *)next->buckets)[at] = 0;
    count_pages(next, backed);
}

/* The old table's pages are given back when the frontier has passed them, in pieces of at most a
 * 32nd of the table. With huge pages 2 MB at once take 9 us, in pieces of 64 KB 100 us. */
static void discard_behind(struct dict_table *old, uint64_t moved)
{
    size_t piece = PIECE_SIZE, gone = table_size(old) - old->counted;

    while (piece < DISCARD_SIZE_MAX && piece * 64 <= table_size(old))
        piece *= 2;
    size_t behind = moved * sizeof(struct dict_bucket) / piece * piece;
    if (behind <= gone)
        return;
    mem_pages_discard((char *)old->buckets + gone, behind - gone);
    count_pages(old, table_size(old) - behind);
}

static void end_resize(struct dict *dict)
{
    struct dict_table *next = &dict->table[1];

    ASSERT(dict->table[0].used == 0);
    dict_table_release(&dict->table[0]);
    if (is_paged(next))
        count_pages(next, table_size(next));
    dict->table[0] = *next;
    *next = (struct dict_table){0};
    dict->frontier = 0;
    dict->moved = 0;
}

/* Moves 'count' buckets, at most MOVE_CHUNK. All that lies in them has its home there, since the
 * table holds nothing below the frontier. Positions are read from the frontier up. */
static void move_chunk(struct dict *dict, uint64_t count)
{
    struct dict_table *old = &dict->table[0], *next = &dict->table[1];
    uint64_t end = dict->moved + count;
    uint64_t frontier = dict_bucket_start(old, end);
    struct dict_reader reader =
        dict_reader_make(old, dict->type, dict->frontier, count + old->reach);
    bool asks_all = !reader.positions_decide || next->shift != old->shift;
    unsigned spilled = dict_passed_over(&old->buckets[end - 1]);

    if (is_paged(next))
        count_ahead(next, frontier - 1);
    for (uint64_t at = dict->moved; at < end; at++) {
        if (asks_all && at + ASK_AHEAD < old->bucket_count)
            prefetch_entries(&old->buckets[at + ASK_AHEAD]);
        move_bucket(dict, &reader, &old->buckets[at]);
    }
    move_spilled(dict, &reader, end, spilled);
    dict->moved = end;
    dict->frontier = frontier;
    if (is_paged(old))
        discard_behind(old, end);
    if (end == old->bucket_count)
        end_resize(dict);
}

static void move(struct dict *dict, uint64_t count)
{
    while (count && dict_is_resizing(dict)) {
        uint64_t left = dict->table[0].bucket_count - dict->moved;
        uint64_t chunk = min_u64(min_u64(count, MOVE_CHUNK), left);
        move_chunk(dict, chunk);
        count -= chunk;
    }
}

/* --- when to resize ------------------------------------------------------------------------ */

static void begin(struct dict *dict, uint64_t bucket_count)
{
    struct dict_table *old = &dict->table[0];

    ASSERT(!dict_is_resizing(dict));
    dict_table_init(&dict->table[1], bucket_count, old->shift);
}

/* Either side of the frontier may fill up when it has to stand still. The tail counts as room: it
 * keeps chance out where a side is still narrow. */
static bool side_is_crowded(const struct dict *dict)
{
    const struct dict_table *old = &dict->table[0], *next = &dict->table[1];

    return is_crowded(old->used, old->bucket_count - dict->moved + TAIL_MAX) ||
           is_crowded(next->used, dict_table_region(dict, 1).end + TAIL_MAX);
}

/* Dicts within values are not told of a child: there may be millions of them. */
static bool may_resize(const struct dict *dict)
{
    return dict->resize_allowed && !mem_has_snapshot_child();
}

void dict_move_on(struct dict *dict)
{
    uint64_t bucket_count = dict->table[0].bucket_count;

    if (!dict_is_resizing(dict))
        return;
    if (bucket_count <= MOVE_AT_ONCE)
        move(dict, bucket_count);
    else if (side_is_crowded(dict))
        move(dict, MOVE_PER_CHANGE * 4);
    else if (may_resize(dict))
        move(dict, MOVE_PER_CHANGE);
}

void dict_make_room(struct dict *dict)
{
    struct dict_table *table = &dict->table[0];

    if (!table->buckets)
        dict_table_init(table, 1, SHIFT_MAX);
    else if (!dict_is_resizing(dict) && table->used >= fill_limit(table) &&
             (may_resize(dict) || is_crowded(table->used + 1, table->bucket_count)))
        begin(dict, grown_count(table->bucket_count));
    dict_move_on(dict);
}

/* The bucket_count that the table should have: it shrinks when under 35% full, to 60%. To a quarter
 * at most: while old buckets are moved by inserts, those must not fill the next table. */
static uint64_t due_count(const struct dict_table *table)
{
    uint64_t count = table->bucket_count;

    if (table->used > fill_limit(table))
        return grown_count(count);
    if (table->used * 20 >= count * USABLE_SLOTS * 7)
        return count;
    uint64_t shrunk = max_u64(count_for(table->used, 60), count / SHRINK_FACTOR_MAX);
    return min_u64(shape_for(shrunk).bucket_count, count);
}

void dict_allow_resize(struct dict *dict, bool allowed) { dict->resize_allowed = allowed; }

bool dict_step(struct dict *dict, size_t buckets)
{
    struct dict_table *table = &dict->table[0];

    if (!table->buckets || !may_resize(dict))
        return false;
    if (dict_size(dict) == 0) {
        dict_release(dict);
        return false;
    }
    if (!dict_is_resizing(dict)) {
        if (due_count(table) == table->bucket_count)
            return false;
        begin(dict, due_count(table));
    }
    move(dict, buckets);
    return dict_is_resizing(dict) || due_count(table) != table->bucket_count;
}

void dict_reserve(struct dict *dict, size_t entries)
{
    struct dict_table *table = &dict->table[0];

    move(dict, UINT64_MAX);
    if (entries == 0 || (table->buckets && entries <= fill_limit(table)))
        return;
    if (table->buckets) {
        begin(dict, count_for(entries, 80));
        move(dict, UINT64_MAX);
        return;
    }
    dict_table_init(table, count_for(entries, 80), SHIFT_MAX);
    if (is_paged(table))
        count_pages(table, table_size(table));
}
