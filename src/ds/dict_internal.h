/* Shared by dict.c (entries) and dict_resize.c (tables): the constants, and what can be known of a
 * hash without touching its entry. */
#ifndef TERN_DS_DICT_INTERNAL_H
#define TERN_DS_DICT_INTERNAL_H

#include "ds/dict.h"

#ifdef TERN_STRESS /* everything happens in tables of a few hundred entries */
enum {
    USABLE_SLOTS = 2,
    MOVE_PER_CHANGE = 4,
    MOVE_AT_ONCE = 0,
    MOVE_CHUNK = 1,
    SHRINK_FACTOR_MAX = 2,
    TAIL_MAX = 1,
    PAGED_SIZE = 4096,
    PIECE_SIZE = 4096,
    WINDOW_LOG2 = 2,
    RESOLUTION_LOG2 = 19,
    GATHER_LOCAL = 2,
};
#else
enum {
    USABLE_SLOTS = DICT_BUCKET_SLOTS,
    MOVE_PER_CHANGE = 4, /* buckets that an insert or remove moves: a growth ends after inserts
                          * worth 0.25 slots a bucket, so the old table ends 84% full */
    MOVE_AT_ONCE = 128,  /* a table of so many buckets is moved by one insert, in about 4 us */
    MOVE_CHUNK = 16,     /* buckets that are moved before the frontier is */
    SHRINK_FACTOR_MAX = 4,
    TAIL_MAX = 16,           /* P(more is spilled) is below 1e-8 even when 93% full */
    PAGED_SIZE = 128 * 1024, /* bytes: tables from this size on come from mem_pages_reserve */
    PIECE_SIZE = 64 * 1024,  /* bytes: pages are counted in such pieces, given back in larger */
    WINDOW_LOG2 = 7,         /* a position tells at least so many buckets in a row apart ... */
    RESOLUTION_LOG2 = 8,     /* ... and divides a bucket into at least so many parts */
    GATHER_LOCAL = 64,       /* entries that a scan gathers on the stack */
};
#endif

enum {
    POSITION_BITS = 24,
    POSITION_MASK = (1 << POSITION_BITS) - 1,
    SHIFT_MAX = 64 - POSITION_BITS, /* positions are the top of the hash: none is ambiguous */
};

static inline bool dict_is_resizing(const struct dict *dict)
{
    return dict->table[1].buckets != NULL;
}

static inline uint64_t dict_total_count(const struct dict_table *table)
{
    return table->bucket_count + table->tail_count;
}

/* The smallest hash whose home is 'bucket'; for bucket_count it is 2^64, which wraps to 0. */
static inline uint64_t dict_bucket_start(const struct dict_table *table, uint64_t bucket)
{
    unsigned __int128 scaled = (unsigned __int128)bucket << 64;

    return (uint64_t)((scaled + table->bucket_count - 1) / table->bucket_count);
}

/* The largest hash whose home is 'bucket'. */
static inline uint64_t dict_bucket_last(const struct dict_table *table, uint64_t bucket)
{
    return dict_bucket_start(table, bucket + 1) - 1;
}

/* 0x80 in the byte of each slot that an insert may take. */
static inline uint64_t dict_empty_slots(uint64_t meta)
{
    return dict_zero_bytes(meta) & ((UINT64_C(1) << 8 * USABLE_SLOTS) - 1);
}

/* 0x80 in the byte of each slot that holds an entry. */
static inline uint64_t dict_used_slots(uint64_t meta)
{
    return dict_zero_bytes(meta) ^ UINT64_C(0x0080808080808080);
}

static inline uint8_t dict_slot_tag(const struct dict_bucket *bucket, unsigned i)
{
    return (uint8_t)(bucket->meta >> 8 * i);
}

/* The physical buckets where a table's entries are: all of the tables but for what is behind the
 * frontier in the old one and what is beyond it in the next one. Other memory may not be backed. */
struct dict_region {
    uint64_t begin, end;
};
struct dict_region dict_table_region(const struct dict *dict, unsigned which);

/* Reads hashes from positions. A position is the hash without its high bits, which the place in the
 * table tells, and its low bits, which are lost. So what is read is an interval, and where that
 * does not decide, the owner is asked. */
struct dict_reader {
    const struct dict_table *table;
    const struct dict_type *type;
    uint64_t floor;        /* every hash that is read is at least this ... */
    bool positions_decide; /* ... and so little above that its position is not ambiguous */
};

struct dict_interval {
    uint64_t first, last; /* hashes, both inclusive */
};

/* For entries whose homes are among 'homes' buckets from that of 'floor' on. */
static inline struct dict_reader dict_reader_make(const struct dict_table *table,
                                                  const struct dict_type *type, uint64_t floor,
                                                  uint64_t homes)
{
    uint64_t parts = (UINT64_MAX / table->bucket_count >> table->shift) + 1;
    bool is_narrow = (homes + 1) * parts < POSITION_MASK;

    return (struct dict_reader){table, type, floor, table->shift == SHIFT_MAX || is_narrow};
}

static inline uint64_t dict_read_hash(const struct dict_reader *reader,
                                      const struct dict_bucket *bucket, unsigned i)
{
    return reader->type->hash(dict_slot_entry(&bucket->slot[i]));
}

static inline struct dict_interval dict_read(const struct dict_reader *reader,
                                             const struct dict_bucket *bucket, unsigned i)
{
    if (!reader->positions_decide) {
        uint64_t hash = dict_read_hash(reader, bucket, i);
        return (struct dict_interval){hash, hash};
    }
    unsigned shift = reader->table->shift;
    uint64_t floor = reader->floor >> shift;
    uint64_t tag = dict_slot_tag(bucket, i);
    uint64_t position = bucket->slot[i].word >> DICT_ADDRESS_BITS << 8 | tag;
    uint64_t high = floor + ((position - floor) & POSITION_MASK);
    uint64_t low = high - (tag == 1); /* tag 1 stands for 0 too */

    return (struct dict_interval){low << shift, high << shift | ((UINT64_C(1) << shift) - 1)};
}

/* dict_resize.c */
void dict_table_init(struct dict_table *table, uint64_t bucket_count, unsigned shift_before);
void dict_table_release(struct dict_table *table);
size_t dict_table_memory(const struct dict_table *table);

/* Puts an entry into the first free slot from 'home' on; makes a longer tail when there is none. */
void dict_table_put(struct dict_table *table, uint64_t home, uint64_t word, uint8_t tag);
/* Empties slot i of the physical bucket 'at'. */
void dict_table_take(struct dict_table *table, uint64_t home, uint64_t at, unsigned i);

/* What an insert does before it puts, and a remove after it took. */
void dict_make_room(struct dict *dict);
void dict_move_on(struct dict *dict);

#endif
