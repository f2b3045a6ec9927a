/* A hash table of entries that somebody else owns, ordered by hash.
 *
 * Shape. An array of buckets, each one cache line: seven slots and a word with seven 8-bit tags and
 * a count. A bucket is an interval of the 64-bit hash space (bucket = hash * bucket_count >> 64),
 * so buckets stand in the order of hashes. A full bucket spills into its right neighbours; the
 * count of a bucket says how many entries passed over it, so a search ends at the first bucket
 * whose count is 0. Some buckets behind the last, the tail, take its spill.
 *
 *     hash space  0 ........ frontier ................ 2^64
 *                 |  moved   |  not moved yet          |
 *     next table  |##########|                         |     entries with hash <  frontier
 *     table       |          |#########################|     entries with hash >= frontier
 *
 * A resize moves the frontier to the right in small steps, one comparison tells which table holds a
 * hash, and pages of the old table behind the frontier are given back. A scan's cursor is a point
 * in hash space, so its guarantee (what stays from beginning to end is seen) holds across any
 * resize.
 *
 * A slot holds the entry's address in its low 48 bits and 16 bits of the hash above. With the tag
 * below them they are 24 bits in a row, the entry's position: most moves and most misses touch no
 * entry. The entry's key, and the full hash, are asked of the owner.
 *
 *     static bool node_is(const void *entry, const void *key) { ... }
 *     struct node *node = dict_find(&dict, hash, node_is, &key);
 *
 * A handle (struct dict_slot *) holds until the next insert, remove or step. */
#ifndef TERN_DS_DICT_H
#define TERN_DS_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DICT_BUCKET_SLOTS 7

struct dict_slot {
    uint64_t word; /* hash bits << 48 | address; 0 is empty */
};

struct dict_bucket {
    struct dict_slot slot[DICT_BUCKET_SLOTS];
    uint64_t meta; /* byte i: tag of slot i, 0 is empty; byte 7: passed over, 255 is "255 or more,
                    * perhaps less by now" */
};

struct dict_table {
    struct dict_bucket
        *buckets; /* bucket_count of them and the tail; NULL when there is no table */
    uint64_t bucket_count;
    size_t used;
    size_t counted;      /* bytes told to mem_count; 0 for a small table, which mem_alloc gave */
    uint32_t tail_count; /* buckets behind the last */
    uint32_t reach;      /* the farthest from its home that an entry was ever put */
    uint32_t shift;      /* an entry's position is (hash >> shift) & 0xffffff */
};

struct dict_type {
    uint64_t (*hash)(const void *entry); /* the full hash of an entry's key */
};

struct dict {
    uint64_t frontier;          /* hashes below it live in table[1]; 0 when no resize goes on */
    struct dict_table table[2]; /* [1] only while a resize goes on: the next one */
    uint64_t moved;             /* buckets of table[0] behind the frontier */
    const struct dict_type *type;
    bool resize_allowed;
};

void dict_init(struct dict *dict, const struct dict_type *type);
/* Frees the tables, not the entries. */
void dict_release(struct dict *dict);

static inline size_t dict_size(const struct dict *dict)
{
    return dict->table[0].used + dict->table[1].used;
}

/* The batch's help: brings the bucket of a hash into the cache; then the likely entry (the first
 * whose tag and hash bits match), NULL when there is none. Neither changes anything. */
static inline void dict_prefetch(const struct dict *dict, uint64_t hash);
static inline void *dict_peek(const struct dict *dict, uint64_t hash);

/* 'equal' is inlined when it is a constant at the call. Returns the slot or NULL. */
static inline struct dict_slot *dict_find_slot(const struct dict *dict, uint64_t hash,
                                               bool (*equal)(const void *entry, const void *key),
                                               const void *key);
static inline void *dict_find(const struct dict *dict, uint64_t hash,
                              bool (*equal)(const void *entry, const void *key), const void *key);

static inline void *dict_slot_entry(const struct dict_slot *slot);
/* The entry of that slot now lives at another address. */
static inline void dict_slot_move(struct dict_slot *slot, void *entry);

/* The key must be absent, the address below 2^48. Each insert and remove moves a running resize on
 * by a few buckets. */
void dict_insert(struct dict *dict, uint64_t hash, void *entry);
void dict_remove(struct dict *dict, uint64_t hash, struct dict_slot *slot);

/* Whether resizes may begin and go on; while a snapshot child lives none may. A table that is nearly
 * full (nine tenths) grows all the same, in the usual steps. */
void dict_allow_resize(struct dict *dict, bool allowed);
/* Moves a running resize on by at most 'buckets'; begins one that is due (shrinking is begun here
 * only). True while there is more to do. */
bool dict_step(struct dict *dict, size_t buckets);
/* Makes room for 'entries' in all at once. */
void dict_reserve(struct dict *dict, size_t entries);

/* Emits every entry whose hash lies in one bucket from 'cursor' on; returns the cursor to go on
 * with, 0 at the end. The callback may remove the emitted entry and insert others: what is emitted
 * was gathered before, so it must not free others. A cursor is below 2^48. Any number is a valid
 * cursor. */
typedef void dict_emit(void *context, void *entry);
uint64_t dict_scan(struct dict *dict, uint64_t cursor, dict_emit *emit, void *context);

/* As dict_scan, giving slots, for owners that move entries to other addresses (dict_slot_move) and
 * do nothing else meanwhile. */
typedef void dict_emit_slot(void *context, struct dict_slot *slot);
uint64_t dict_scan_slots(struct dict *dict, uint64_t cursor, dict_emit_slot *emit, void *context);

/* Walks all entries; the dict must not change meanwhile (an entry may be freed once it was
 * returned, on the way to dict_release). */
struct dict_iter {
    const struct dict *dict;
    uint64_t bucket;
    unsigned table, slot;
};
void dict_iter_init(struct dict_iter *iter, const struct dict *dict);
void *dict_iter_next(struct dict_iter *iter); /* NULL at the end */

/* Any entry, all with the same chance (nearly so when less than a twentieth of the slots is used);
 * NULL when empty. */
struct random;
void *dict_random(const struct dict *dict, struct random *random);
struct dict_slot *dict_random_slot(const struct dict *dict, struct random *random); /* the same one's slot */
/* Up to 'want' different entries that lie behind each other from a random one on, which is cheaper than so many
 * random ones: neighbours have nothing in common but their hashes. Returns how many, none only when empty. */
size_t dict_sample(const struct dict *dict, struct random *random, void **entries, size_t want);

/* Bytes of the tables that are backed by memory. */
size_t dict_memory(const struct dict *dict);

/* Walks all invariants; stops the process when one does not hold. */
void dict_check(const struct dict *dict);

#include "ds/dict_inline.h"

#endif
