/* The entries of a dict: inserting, removing, walking and checking. What a table is and how it
 * moves to the next one is in dict_resize.c; lookups are in ds/dict_inline.h. */
#include "ds/dict.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/random.h"
#include "dict_internal.h"

#include <string.h>

_Static_assert(sizeof(struct dict_bucket) == 64, "a bucket is one cache line");

static struct dict_table *table_of(struct dict *dict, uint64_t hash)
{
    return &dict->table[hash < dict->frontier];
}

void dict_init(struct dict *dict, const struct dict_type *type)
{
    *dict = (struct dict){.type = type, .resize_allowed = true};
}

void dict_release(struct dict *dict)
{
    dict_table_release(&dict->table[0]);
    dict_table_release(&dict->table[1]);
    dict->frontier = 0;
    dict->moved = 0;
}

void dict_insert(struct dict *dict, uint64_t hash, void *entry)
{
    uint64_t address = (uintptr_t)entry;

    ASSERT(address != 0);
    ASSERT(address <= DICT_ADDRESS_MASK);
    dict_prefetch(dict, hash); /* the miss overlaps with the moves */
    dict_make_room(dict);

    struct dict_table *table = table_of(dict, hash);
    uint64_t position = hash >> table->shift;
    uint64_t word = (uint64_t)dict_slot_bits(position) << DICT_ADDRESS_BITS | address;
    dict_table_put(table, dict_home(table, hash), word, dict_tag(position));
}

void dict_remove(struct dict *dict, uint64_t hash, struct dict_slot *slot)
{
    struct dict_table *table = table_of(dict, hash);
    size_t offset = (size_t)((char *)slot - (char *)table->buckets);
    uint64_t at = offset / sizeof(struct dict_bucket);

    ASSERT(at < dict_total_count(table));
    ASSERT(slot->word != 0);
    dict_table_take(table, dict_home(table, hash), at, (unsigned)(slot - table->buckets[at].slot));
    dict_move_on(dict);
    if (dict_size(dict) == 0 && dict->table[0].bucket_count <= MOVE_AT_ONCE)
        dict_release(dict);
}

size_t dict_memory(const struct dict *dict)
{
    return dict_table_memory(&dict->table[0]) + dict_table_memory(&dict->table[1]);
}

/* --- scan ---------------------------------------------------------------------------------- */

static bool is_between(const struct dict_reader *reader, const struct dict_bucket *bucket,
                       unsigned i, struct dict_interval wanted)
{
    struct dict_interval hash = dict_read(reader, bucket, i);

    if (hash.last < wanted.first || hash.first > wanted.last)
        return false;
    if (hash.first >= wanted.first && hash.last <= wanted.last)
        return true;
    hash.first = dict_read_hash(reader, bucket, i);
    return hash.first >= wanted.first && hash.first <= wanted.last;
}

/* Emits the slots of one table with hashes in the interval, from the home of the first to where no
 * count leads on. */
static void emit_interval(struct dict *dict, struct dict_table *table, struct dict_interval wanted,
                          dict_emit_slot *emit, void *context)
{
    uint64_t first = dict_home(table, wanted.first), last = dict_home(table, wanted.last);
    uint64_t left = first < table->reach ? first : table->reach; /* homes of others found there */
    struct dict_reader reader =
        dict_reader_make(table, dict->type, dict_bucket_start(table, first - left),
                         left + (last - first) + table->reach + 1);

    for (uint64_t at = first; at <= last || dict_passed_over(&table->buckets[at - 1]); at++) {
        struct dict_bucket *bucket = &table->buckets[at];
        uint64_t used = dict_used_slots(bucket->meta);
        for (; used; used &= used - 1) {
            unsigned i = dict_first_match(used);
            if (is_between(&reader, bucket, i, wanted))
                emit(context, &bucket->slot[i]);
        }
    }
}

/* The interval goes from the cursor to the end of its bucket and a little further, to where a
 * cursor can stand. When the frontier lies in it, the rest of it is in the old table. */
uint64_t dict_scan_slots(struct dict *dict, uint64_t cursor, dict_emit_slot *emit, void *context)
{
    struct dict_interval wanted = {.first = cursor << 16};
    struct dict_table *table = table_of(dict, wanted.first);
    if (!table->buckets)
        return 0;

    wanted.last = dict_bucket_last(table, dict_home(table, wanted.first)) | 0xffff;
    uint64_t next = (wanted.last + 1) >> 16;
    if (wanted.first < dict->frontier && wanted.last >= dict->frontier) {
        struct dict_interval moved = {wanted.first, dict->frontier - 1};
        emit_interval(dict, table, moved, emit, context);
        wanted.first = dict->frontier;
        table = &dict->table[0];
    }
    emit_interval(dict, table, wanted, emit, context);
    return next;
}

struct gathered {
    void **entries;
    size_t count, capacity;
    void *local[GATHER_LOCAL];
};

static void gather(void *context, struct dict_slot *slot)
{
    struct gathered *gathered = context;

    if (gathered->count == gathered->capacity) {
        size_t size = gathered->capacity * sizeof(void *);
        void **entries = mem_alloc(2 * size);

        memcpy(entries, gathered->entries, size);
        if (gathered->entries != gathered->local)
            mem_free(gathered->entries, size);
        gathered->entries = entries;
        gathered->capacity *= 2;
    }
    gathered->entries[gathered->count++] = dict_slot_entry(slot);
}

uint64_t dict_scan(struct dict *dict, uint64_t cursor, dict_emit *emit, void *context)
{
    struct gathered gathered;

    gathered.entries = gathered.local;
    gathered.count = 0;
    gathered.capacity = GATHER_LOCAL;
    uint64_t next = dict_scan_slots(dict, cursor, gather, &gathered);
    for (size_t i = 0; i < gathered.count; i++)
        emit(context, gathered.entries[i]);
    if (gathered.entries != gathered.local)
        mem_free(gathered.entries, gathered.capacity * sizeof(void *));
    return next;
}

/* --- iterator ------------------------------------------------------------------------------ */

void dict_iter_init(struct dict_iter *iter, const struct dict *dict)
{
    *iter = (struct dict_iter){.dict = dict, .bucket = dict_table_region(dict, 0).begin};
}

/* The entries of the next bucket are fetched while the owner works on those of this one. */
static void prefetch_next(const struct dict_bucket *bucket, const struct dict_bucket *end)
{
    if (bucket + 1 == end)
        return;
    for (uint64_t used = dict_used_slots(bucket[1].meta); used; used &= used - 1)
        __builtin_prefetch(dict_slot_entry(&bucket[1].slot[dict_first_match(used)]));
}

void *dict_iter_next(struct dict_iter *iter)
{
    for (; iter->table < 2; iter->table++, iter->bucket = 0) {
        const struct dict_table *table = &iter->dict->table[iter->table];
        uint64_t end = dict_table_region(iter->dict, iter->table).end;

        for (; iter->bucket < end; iter->bucket++, iter->slot = 0) {
            const struct dict_bucket *bucket = &table->buckets[iter->bucket];
            uint64_t used = dict_used_slots(bucket->meta) >> 8 * iter->slot << 8 * iter->slot;

            if (iter->slot == 0)
                prefetch_next(bucket, &table->buckets[end]);
            if (used) {
                unsigned i = dict_first_match(used);
                iter->slot = i + 1;
                return dict_slot_entry(&bucket->slot[i]);
            }
        }
    }
    return NULL;
}

/* --- random -------------------------------------------------------------------------------- */

enum {
    RANDOM_AHEAD = 6,    /* tries */
    RANDOM_LARGE = 8192, /* slots that the cache will not hold */
};

/* Slots of both tables' regions in one row. */
struct slot_row {
    const struct dict *dict;
    struct dict_region region[2];
    uint64_t count;
};

static const struct dict_slot *row_slot(const struct slot_row *row, uint64_t index)
{
    uint64_t bucket = row->region[0].begin + index / USABLE_SLOTS;
    unsigned which = 0;

    if (bucket >= row->region[0].end) {
        bucket -= row->region[0].end; /* region[1] begins at 0 */
        which = 1;
    }
    return &row->dict->table[which].buckets[bucket].slot[index % USABLE_SLOTS];
}

static struct slot_row slot_row_of(const struct dict *dict)
{
    struct slot_row row = {dict, {dict_table_region(dict, 0), dict_table_region(dict, 1)}, 0};

    for (int i = 0; i < 2; i++)
        row.count += (row.region[i].end - row.region[i].begin) * USABLE_SLOTS;
    return row;
}

/* Choices mostly come one after the other, and each is a miss in a large dict, or some. The generator can be asked what
 * it will say: the slots of the next tries are asked for, and the entries of the first of them. A hint only: what was
 * foretold is void when the dict or the number of tries is another then. Popping 400,000 members at random takes
 * 0.55 of the time. */
static void prefetch_random(const struct slot_row *row, struct random random)
{
    for (int i = 0; i < RANDOM_AHEAD; i++) {
        const struct dict_slot *slot = row_slot(row, random_below(&random, row->count));

        if (i >= RANDOM_AHEAD / 2)
            __builtin_prefetch(slot);
        else if (slot->word)
            __builtin_prefetch(dict_slot_entry(slot));
    }
}

/* The index of a random slot that is used; the dict is not empty. */
static uint64_t random_used(const struct slot_row *row, struct random *random)
{
    uint64_t index = 0;

    for (int tries = 0; tries < 100; tries++) {
        index = random_below(random, row->count);
        if (row_slot(row, index)->word)
            return index;
    }
    do /* nearly empty: a walk in a row is cheaper than more misses, if a little unfair */
        index = index + 1 < row->count ? index + 1 : 0;
    while (!row_slot(row, index)->word);
    return index;
}

struct dict_slot *dict_random_slot(const struct dict *dict, struct random *random)
{
    struct slot_row row = slot_row_of(dict);
    const struct dict_slot *slot;

    if (dict_size(dict) == 0)
        return NULL;
    slot = row_slot(&row, random_used(&row, random));
    if (row.count > RANDOM_LARGE)
        prefetch_random(&row, *random);
    return (struct dict_slot *)slot;
}

void *dict_random(const struct dict *dict, struct random *random)
{
    const struct dict_slot *slot = dict_random_slot(dict, random);

    return slot ? dict_slot_entry(slot) : NULL;
}

#define SAMPLE_WALK 8 /* slots for each entry that is wanted */

size_t dict_sample(const struct dict *dict, struct random *random, void **entries, size_t want)
{
    struct slot_row row = slot_row_of(dict);
    size_t count = 0;
    uint64_t index;

    if (dict_size(dict) == 0)
        return 0;
    index = random_used(&row, random);
    for (uint64_t walked = 0; walked < row.count && walked < SAMPLE_WALK * want && count < want; walked++) {
        const struct dict_slot *slot = row_slot(&row, index);

        if (slot->word) {
            entries[count++] = dict_slot_entry(slot);
            __builtin_prefetch(entries[count - 1]);
        }
        index = index + 1 < row.count ? index + 1 : 0;
    }
    return count;
}

/* --- check --------------------------------------------------------------------------------- */

static void check_slot(const struct dict *dict, const struct dict_table *table, uint64_t at,
                       unsigned i)
{
    const struct dict_slot *slot = &table->buckets[at].slot[i];
    uint64_t hash = dict->type->hash(dict_slot_entry(slot));
    uint64_t position = hash >> table->shift;

    ASSERT(i < USABLE_SLOTS);
    ASSERT(table == dict_table_of(dict, hash));
    ASSERT(dict_home(table, hash) <= at);
    ASSERT(at - dict_home(table, hash) <= table->reach);
    ASSERT(dict_slot_tag(&table->buckets[at], i) == dict_tag(position));
    ASSERT(slot->word >> DICT_ADDRESS_BITS == dict_slot_bits(position));
}

/* Checks one bucket; adds its entries' homes to 'homes' and returns how many lie in it. */
static unsigned check_bucket(const struct dict *dict, const struct dict_table *table, uint64_t at,
                             uint32_t *homes)
{
    const struct dict_bucket *bucket = &table->buckets[at];
    unsigned count = 0;

    for (unsigned i = 0; i < DICT_BUCKET_SLOTS; i++) {
        ASSERT((bucket->slot[i].word == 0) == (dict_slot_tag(bucket, i) == 0));
        if (bucket->slot[i].word == 0)
            continue;
        check_slot(dict, table, at, i);
        homes[dict_home(table, dict->type->hash(dict_slot_entry(&bucket->slot[i])))]++;
        count++;
    }
    return count;
}

/* An entry is found when all buckets from its home to its place say that somebody passed over. */
static void check_table(const struct dict *dict, unsigned which)
{
    const struct dict_table *table = &dict->table[which];
    struct dict_region region = dict_table_region(dict, which);
    uint64_t total_count = dict_total_count(table);
    size_t homes_size = (total_count + 1) * sizeof(uint32_t);
    uint32_t *homes = mem_alloc_zero(homes_size);
    uint64_t used = 0, homes_so_far = 0, stored_so_far = 0;

    ASSERT(region.end <= total_count);
    for (uint64_t at = 0; at < total_count; at++) {
        unsigned count = check_bucket(dict, table, at, homes);
        ASSERT(count == 0 || (at >= region.begin && at < region.end));
        used += count;
    }
    ASSERT(used == table->used);
    for (uint64_t at = 0; at < total_count; at++) {
        const struct dict_bucket *bucket = &table->buckets[at];
        homes_so_far += homes[at];
        stored_so_far += (unsigned)__builtin_popcountll(dict_used_slots(bucket->meta));
        ASSERT(dict_passed_over(bucket) == 255 ||
               dict_passed_over(bucket) == homes_so_far - stored_so_far);
    }
    ASSERT(homes_so_far == stored_so_far);
    mem_free(homes, homes_size);
}

void dict_check(const struct dict *dict)
{
    ASSERT(dict->table[0].buckets || dict_size(dict) == 0);
    ASSERT(dict_is_resizing(dict) || dict->frontier == 0);
    ASSERT(dict_is_resizing(dict) || dict->moved == 0);
    if (dict->frontier)
        ASSERT(dict->frontier == dict_bucket_start(&dict->table[0], dict->moved));
    for (unsigned which = 0; which < 2; which++) {
        if (dict->table[which].buckets)
            check_table(dict, which);
        else
            ASSERT(dict->table[which].used == 0);
    }
}
