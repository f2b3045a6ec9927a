/* A hash as a table: a dict whose entries are pairs, each a block of its own. */
#include "hash_value_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"

#define SHRINK_STEP 4 /* buckets that a removal moves a shrinking table on; nobody's cron knows it */

static uint64_t entry_hash(const void *entry) { return hash_bytes(pair_field(entry, MARK_TABLE)); }

static const struct dict_type table_type = {.hash = entry_hash};

static bool entry_has_field(const void *entry, const void *key)
{
    const struct bytes *field = key;
    struct bytes own = pair_field(entry, MARK_TABLE);

    return own.len == field->len && bytes_same(own.data, field->data, own.len);
}

static bool entry_is(const void *entry, const void *other) { return entry == other; }

struct hash_table *hash_table_new(void)
{
    struct hash_table *table = mem_alloc_zero(sizeof *table);

    dict_init(&table->dict, &table_type);
    return table;
}

unsigned char *hash_table_find(const struct hash_table *table, struct hashed field)
{
    return dict_find(&table->dict, hash_of(&field), entry_has_field, &field.bytes);
}

int64_t hash_table_deadline(const struct hash_table *table, const struct pair *pair)
{
    return pair->mark ? expiry_deadline(table->expiry, pair) : HASH_NO_DEADLINE;
}

static void add_deadline(struct hash_table *table, unsigned char *at, int64_t deadline_ms)
{
    if (!table->expiry)
        table->expiry = expiry_new();
    expiry_add(table->expiry, at, deadline_ms);
}

void hash_table_add(struct hash_table *table, struct hashed field, struct bytes value,
                    int64_t deadline_ms)
{
    size_t mark_bytes = deadline_ms == HASH_NO_DEADLINE ? 0 : MARK_TABLE;
    unsigned char *at = mem_alloc(pair_size(field.bytes.len, value.len, mark_bytes));

    pair_write(at, mark_bytes, field.bytes, value);
    if (mark_bytes)
        add_deadline(table, at, deadline_ms);
    dict_insert(&table->dict, hash_of(&field), at);
}

/* The pair lies in a block with or without a mark; what the mark was to say is the caller's. */
static unsigned char *rewrite(struct hash_table *table, unsigned char *at, const struct pair *old,
                              size_t mark_bytes, struct bytes value)
{
    size_t size = pair_size(old->field.len, value.len, mark_bytes);
    uint64_t hash = hash_bytes(old->field);
    unsigned char *new = mem_alloc(size);

    pair_write(new, mark_bytes, old->field, value);
    dict_slot_move(dict_find_slot(&table->dict, hash, entry_is, at), new);
    if (mark_bytes && old->mark)
        expiry_moved(table->expiry, old, new);
    mem_free(at, old->size);
    return new;
}

void hash_table_replace(struct hash_table *table, unsigned char *at, struct bytes value,
                        bool keep_deadline)
{
    struct pair old = pair_read(at, MARK_TABLE);
    size_t mark_bytes = old.mark && keep_deadline ? MARK_TABLE : 0;
    size_t size = pair_size(old.field.len, value.len, mark_bytes);
    bool is_same_shape = (mark_bytes != 0) == (old.mark != NULL);

    if (old.mark && !mark_bytes)
        expiry_remove(table->expiry, &old);
    if (is_same_shape && mem_block_size(size) == mem_block_size(old.size) &&
        value.len < LONG_VALUE && old.value.len < LONG_VALUE) {
        ((unsigned char *)old.value.data)[-1] = (unsigned char)value.len;
        bytes_copy((char *)old.value.data, value.data, value.len);
    } else {
        rewrite(table, at, &old, mark_bytes, value);
    }
}

void hash_table_remove(struct hash_table *table, unsigned char *at)
{
    struct pair pair = pair_read(at, MARK_TABLE);
    uint64_t hash = hash_bytes(pair.field);

    if (pair.mark)
        expiry_remove(table->expiry, &pair);
    dict_remove(&table->dict, hash, dict_find_slot(&table->dict, hash, entry_is, at));
    dict_step(&table->dict, SHRINK_STEP);
    mem_free(at, pair.size);
}

void hash_table_mark(struct hash_table *table, unsigned char *at, int64_t deadline_ms)
{
    struct pair pair = pair_read(at, MARK_TABLE);

    if (deadline_ms != HASH_NO_DEADLINE && pair.mark) {
        expiry_change(table->expiry, &pair, deadline_ms);
    } else if (deadline_ms != HASH_NO_DEADLINE) {
        add_deadline(table, rewrite(table, at, &pair, MARK_TABLE, pair.value), deadline_ms);
    } else if (pair.mark) {
        expiry_remove(table->expiry, &pair);
        rewrite(table, at, &pair, 0, pair.value);
    }
}

size_t hash_table_expire(struct hash_table *table, size_t max, hash_dead *dead, void *context)
{
    struct hash_expiry *expiry = table->expiry;
    size_t removed = 0;

    while (removed < max && expiry->tie.earliest_ms < expiry->now_ms) {
        unsigned char *at = expiry->heap[0].pair;

        dead(context, pair_field(at, MARK_TABLE));
        hash_table_remove(table, at);
        removed++;
    }
    return removed;
}

bool hash_table_free_step(struct hash_table *table, size_t budget)
{
    if (!table->is_freeing) {
        dict_iter_init(&table->freeing, &table->dict);
        table->is_freeing = true;
    }
    for (; budget > 0; budget--) {
        unsigned char *at = dict_iter_next(&table->freeing);

        if (!at) {
            dict_release(&table->dict);
            expiry_free(table->expiry);
            mem_free(table, sizeof *table);
            return true;
        }
        mem_free(at, pair_read(at, MARK_TABLE).size);
    }
    return false;
}

struct moving {
    struct hash_table *table;
    size_t moved;
};

static void move_pair(void *context, struct dict_slot *slot)
{
    struct moving *moving = context;
    unsigned char *at = dict_slot_entry(slot);
    size_t size = pair_read(at, MARK_TABLE).size, before = moving->moved;
    struct pair pair;

    at = mem_move_together(at, size, &moving->moved);
    if (moving->moved == before)
        return;
    dict_slot_move(slot, at);
    pair = pair_read(at, MARK_TABLE);
    if (pair.mark)
        expiry_moved(moving->table->expiry, &pair, at);
}

uint64_t hash_table_move_step(struct hash_table *table, uint64_t cursor, size_t *moved)
{
    struct moving moving = {table, 0};

    cursor = dict_scan_slots(&table->dict, cursor, move_pair, &moving);
    *moved += moving.moved;
    return cursor;
}

size_t hash_table_memory(const struct hash_table *table, size_t samples)
{
    size_t bytes = 0, seen = 0, all = dict_size(&table->dict);
    const struct hash_expiry *expiry = table->expiry;
    struct dict_iter iter;
    unsigned char *at;

    dict_iter_init(&iter, &table->dict);
    for (; (samples == 0 || seen < samples) && (at = dict_iter_next(&iter)) != NULL; seen++)
        bytes += mem_block_size(pair_read(at, MARK_TABLE).size);
    if (seen && seen < all)
        bytes = (size_t)((double)bytes / (double)seen * (double)all);
    if (expiry)
        bytes += mem_block_size(sizeof *expiry) + expiry->capacity * sizeof *expiry->heap;
    return bytes + mem_block_size(sizeof *table) + dict_memory(&table->dict);
}

void hash_table_check(const struct hash_table *table)
{
    size_t marks = 0;
    struct dict_iter iter;
    unsigned char *at;

    dict_check(&table->dict);
    dict_iter_init(&iter, &table->dict);
    while ((at = dict_iter_next(&iter)) != NULL)
        marks += pair_read(at, MARK_TABLE).mark != NULL;
    ASSERT(marks == (table->expiry ? table->expiry->count : 0));
    if (table->expiry)
        expiry_check(table->expiry);
}
