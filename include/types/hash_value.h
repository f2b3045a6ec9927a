/* The hash value: fields with a value each, some of them with a deadline.
 *
 * Small hashes are one packed block; larger ones a table. Which one it is, is known here alone: others
 * see size, get, set, remove and iteration. Values are kept as the bytes that came, numbers too.
 *
 * A struct hash is 16 bytes and never moves while the key lives, whatever its encoding does. What is
 * given to it is copied, and never a view into the same hash. Views that it gives out hold until it
 * changes.
 *
 * Deadlines. A field with a deadline is there up to that millisecond. A hash has a time of its own
 * (hash_set_now), and what is dead by it counts as absent everywhere but in hash_expire, which removes
 * it. The store sets that time whenever the key is found. */
#ifndef TERN_TYPES_HASH_VALUE_H
#define TERN_TYPES_HASH_VALUE_H

#include "base/bytes.h"
#include "base/hash.h"
#include "ds/dict.h"
#include "ds/timing_wheel.h"
#include "types/value_ops.h"

#include <stdbool.h>
#include <stdint.h>

#define HASH_NO_DEADLINE (-1)

/* hash-max-listpack-entries, hash-max-listpack-value: a hash with more fields, or with a longer field or
 * value, becomes a table. For the server; they apply to what is set from then on. Default 512, 64. */
void hash_set_listpack_entries(uint64_t entries);
void hash_set_listpack_value(uint64_t bytes);

struct hash;
struct random;

struct hash *hash_new(void);
void hash_free(struct hash *hash);
/* Frees at most about 'budget' blocks; true when all is gone ('hash' too), false to call again. */
bool hash_free_step(struct hash *hash, size_t budget);
size_t hash_free_effort(const struct hash *hash);

size_t hash_size(const struct hash *hash); /* fields */
/* "listpack" or "hashtable"; "listpackex" when fields of a packed one have deadlines. */
const char *hash_encoding(const struct hash *hash);
/* Counting what fields take from the first 'samples' of them (0: from all). */
size_t hash_memory(const struct hash *hash, size_t samples);
struct hash *hash_copy(const struct hash *hash); /* with its deadlines */

bool hash_get(const struct hash *hash, struct hashed field, struct bytes *value);
/* True when the field is new. An old one loses its deadline unless 'keep_deadline'. */
bool hash_set(struct hash *hash, struct hashed field, struct bytes value, bool keep_deadline);
/* As in Redis, what one command is about to set decides together whether the hash stays packed: use this
 * first where it has several. Fields and values alternate; 'count' is even. */
void hash_expect(struct hash *hash, const struct bytes *arguments, size_t count);
bool hash_remove(struct hash *hash, struct hashed field); /* false when absent */
/* So many fields are about to come to an empty hash: it is a table at once when they are too many to be packed. */
void hash_reserve(struct hash *hash, size_t fields);
/* Kept as a packed block, its pairs in the order in which they came. */
bool hash_is_packed(const struct hash *hash);

/* All fields in a stable order; the hash must not change meanwhile. */
struct hash_iter {
    const struct hash *hash;
    struct dict_iter table;
    const unsigned char *at; /* of a packed one */
    int64_t deadline_ms;     /* of the field just given, or HASH_NO_DEADLINE */
};
void hash_iter_init(struct hash_iter *iter, const struct hash *hash);
bool hash_iter_next(struct hash_iter *iter, struct bytes *field, struct bytes *value);

/* One step of HSCAN: what is there from the first step (cursor 0) to the last (0 is returned) is emitted
 * at least once. A packed hash is emitted whole. Any number is a valid cursor. */
typedef void hash_emit(void *context, struct bytes field, struct bytes value);
uint64_t hash_scan(struct hash *hash, uint64_t cursor, hash_emit *emit, void *context);

/* Any field, all with the same chance; false when there is none. */
bool hash_random(const struct hash *hash, struct random *random, struct bytes *field,
                 struct bytes *value);

/* --- deadlines --------------------------------------------------------------------------- */

/* HASH_NO_DEADLINE for a field without one; false when the field is absent. */
bool hash_get_deadline(const struct hash *hash, struct bytes field, int64_t *deadline_ms);
/* The field is there. The store must be told when all are set: store_file_hash. */
void hash_set_deadline(struct hash *hash, struct bytes field, int64_t deadline_ms);
void hash_clear_deadline(struct hash *hash, struct bytes field);
size_t hash_expiring(const struct hash *hash); /* fields with a deadline, dead ones too */

/* Fields whose deadline lies before 'now_ms' are dead. INT64_MIN: none is. */
void hash_set_now(struct hash *hash, int64_t now_ms);
/* Removes up to 'max' dead fields after telling 'dead' of each; returns how many. A packed hash loses all
 * at once, so that views of its values outlive the next calls. Views into a table outlive this one. */
typedef void hash_dead(void *context, struct bytes field);
size_t hash_expire(struct hash *hash, size_t max, hash_dead *dead, void *context);

/* How many fields are dead by then; whether all are, which is found sooner. */
size_t hash_count_dead(const struct hash *hash, int64_t now_ms);
bool hash_is_dead(const struct hash *hash, int64_t now_ms);

/* What ties a hash with deadlines to its key's database. */
struct hash_tie {
    struct wheel_node node; /* the store's: in a wheel of the database */
    void *owner;            /* the store's: the key's block */
    struct wheel *wheel;    /* the store's: where the node is; NULL: nowhere */
    int64_t earliest_ms;    /* the hash's: no field dies before; INT64_MAX when none has a deadline */
};
/* NULL when no field ever had a deadline. Its address stays while the hash lives. */
struct hash_tie *hash_tie_of(const struct hash *hash);

extern const struct value_ops hash_value_ops;

/* Walks all invariants; stops the process when one does not hold. */
void hash_check(const struct hash *hash);

#endif
