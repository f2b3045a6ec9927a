/* What the files of the store share: blocks of keys, values on their way out. */
#ifndef TERN_STORE_INTERNAL_H
#define TERN_STORE_INTERNAL_H

#include "store/store.h"

/* --- entry_block.c: making and moving blocks --------------------------------------------- */

/* A block for a new key with room for 'value_len' embedded bytes (or a cell, by 'flags'). Value,
 * cell and wheel node are for the caller to fill. ENTRY_LONG_KEY is set as needed. */
struct entry *entry_new(struct bytes key, enum value_type type, enum entry_form form,
                        unsigned flags, size_t value_len);
void entry_free(struct entry *entry);

/* Gives the found key a block with other flags and another embedded length: in place when it fits,
 * else moved, with table and wheel told. Keeps key, access clock, deadline (when both have one), cell
 * (when both have one) and the common beginning of an embedded value. */
void entry_reshape(struct key_ref *ref, unsigned flags, size_t value_len);
/* The same layout at another address. */
struct entry *entry_relocate(struct db *db, struct dict_slot *slot, struct entry *entry);
/* The slot of a found key, looked up again when the reference came from store_add. */
struct dict_slot *ref_slot(struct key_ref *ref);

bool entry_is(const void *entry, const void *key); /* key: const struct bytes * */
extern const struct dict_type keyspace_type;

/* Adds an absent key's new block to the table. */
void store_insert(struct key_ref *ref, struct entry *entry);
/* Takes the block out of table (and wheel, unless it is out already) and frees it with its value. */
void store_take_out(struct key_ref *ref, bool is_in_wheel);
uint32_t access_initial(const struct store *store);

/* --- field_expiry.c: hashes whose fields expire ------------------------------------------ */

/* Puts a hash with deadlines into the wheel of the database, takes it from where it was; whatever its
 * place was before, entry and flags are right then. */
void fields_join(struct db *db, struct entry *entry);
/* The entry is about to go, or its value. */
void fields_leave(struct entry *entry);
/* The block has moved. */
void fields_moved(struct entry *entry);
/* Looking the key up: false when all fields are dead, and the key is gone or reads as absent. */
bool fields_survive(struct key_ref *ref, unsigned how);
/* Whether the entry is in the wheel; checks that all agree on it. */
bool fields_check(const struct db *db, const struct entry *entry);
/* Expires a piece of what is due; true while there is more. */
bool fields_expire_piece(struct db *db);

/* --- free_queue.c: values that go in slices ---------------------------------------------- */

/* Frees the value of an entry (not the block): at once when that is quick, else queued. A hash that waits
 * for its fields waits no more. */
void value_free(struct store *store, struct entry *entry);

struct free_queue *free_queue_new(void);
void free_queue_free(struct free_queue *queue);
/* A whole database's table and wheels (the second may be NULL); all are taken. */
void free_queue_add_db(struct free_queue *queue, struct dict *keys, struct wheel *deadlines,
                       struct wheel *field_deadlines);
/* Frees for about 'budget_ns'; true while there is more. */
bool free_queue_step(struct free_queue *queue, int64_t budget_ns);
size_t free_queue_size(const struct free_queue *queue);

/* --- work.c, evict.c: slices ------------------------------------------------------------- */

void work_count(struct store *store, enum store_work_kind kind, uint64_t ns);
/* For the latency monitor. */
void work_was_slow(struct store *store, const char *event, uint64_t ns);
/* A piece of the free queue; true while there is more. */
bool work_free_piece(struct store *store);
/* A piece of what is beyond the limit on memory; true while there is more. */
bool evict_piece(struct store *store);
struct eviction *eviction_new(void);
void eviction_free(struct eviction *eviction);

#endif
