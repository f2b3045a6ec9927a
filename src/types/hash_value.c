/* A hash is a packed block, or a table:
 *
 *     struct hash ─── pairs  [ field value | field value | ... ]                   "listpack"
 *
 *     struct hash ─── struct hash_expiry ─── pairs  [ field deadline value | ... ]    "listpackex"
 *
 *     struct hash ─── struct hash_table: dict ─── a block for each pair             "hashtable"
 *                                      └ struct hash_expiry ─── heap of deadlines, when there are any
 *
 * When a packed hash becomes a table is Redis's rule (t_hash.c of 7.2), since OBJECT ENCODING shows it;
 * it never goes back. The block is not Redis's listpack: nobody walks it from the end, so the lengths
 * for that are left out, a byte for each field and each value. */
#include "hash_value_internal.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/random.h"

#define COUNT_MAX    ((1u << 30) - 1)
#define RANDOM_TRIES 100

static struct limit {
    uint64_t entries, value_bytes;
} limit =
#ifdef TERN_STRESS
    {8, 16};
#else
    {512, 64};
#endif

void hash_set_listpack_entries(uint64_t entries)
{
    limit.entries = entries < COUNT_MAX ? entries : COUNT_MAX;
}

void hash_set_listpack_value(uint64_t bytes) { limit.value_bytes = bytes; }

/* --- the shapes ------------------------------------------------------------------------------ */

static struct hash_table *table_of(const struct hash *hash) { return hash->content; }
static bool is_table(const struct hash *hash) { return hash->form == HASH_TABLE; }

static size_t mark_bytes_of(const struct hash *hash)
{
    return is_table(hash) ? MARK_TABLE : MARK_PACKED;
}

static size_t raw_size(const struct hash *hash)
{
    return is_table(hash) ? dict_size(&table_of(hash)->dict) : hash->count;
}

static int64_t deadline_of(const struct hash *hash, const struct pair *pair)
{
    return is_table(hash) ? hash_table_deadline(table_of(hash), pair) : packed_deadline(pair);
}

static bool is_alive(const struct hash *hash, const struct pair *pair)
{
    return !pair->mark || deadline_of(hash, pair) >= hash_expiry_of(hash)->now_ms;
}

/* Dead or alive. */
static unsigned char *find(const struct hash *hash, struct hashed field)
{
    return is_table(hash) ? hash_table_find(table_of(hash), field) : hash_packed_find(hash, field.bytes);
}

static size_t count_before(const struct hash *hash, int64_t now_ms)
{
    const struct hash_expiry *expiry = hash_expiry_of(hash);

    if (!expiry || expiry->tie.earliest_ms >= now_ms)
        return 0;
    return is_table(hash) ? expiry_count_before(expiry, now_ms)
                          : hash_packed_count_before(hash, now_ms);
}

/* The struct of the deadlines stays, since the store holds its address. */
static void become_table(struct hash *hash, size_t expected)
{
    struct hash_table *table = hash_table_new();
    unsigned char *pairs = packed_pairs(hash), *at = pairs, *end = hash->bytes ? at + hash->bytes : at;

    table->expiry = hash_expiry_of(hash);
    if (table->expiry) {
        table->expiry->pairs = NULL;
        table->expiry->count = 0;
        expiry_forget(table->expiry);
    }
    dict_reserve(&table->dict, expected);
    while (at < end) {
        struct pair pair = pair_read(at, MARK_PACKED);

        hash_table_add(table, hashed(pair.field), pair.value, packed_deadline(&pair));
        at += pair.size;
    }
    mem_free(pairs, hash->bytes);
    *hash = (struct hash){.content = table, .form = HASH_TABLE};
}

static bool is_long(struct bytes bytes) { return bytes.len > limit.value_bytes; }

static bool fits_packed(const struct hash *hash, size_t new_fields, size_t bytes)
{
    return hash->count + (uint64_t)new_fields <= limit.entries &&
           bytes < PACKED_BYTES_MAX - hash->bytes;
}

/* --- making and freeing ---------------------------------------------------------------------- */

struct hash *hash_new(void) { return mem_alloc_zero(sizeof(struct hash)); }

bool hash_free_step(struct hash *hash, size_t budget)
{
    if (!is_table(hash))
        hash_packed_release(hash);
    else if (!hash_table_free_step(table_of(hash), budget))
        return false;
    mem_free(hash, sizeof *hash);
    return true;
}

void hash_free(struct hash *hash) { hash_free_step(hash, SIZE_MAX); }

size_t hash_free_effort(const struct hash *hash)
{
    return is_table(hash) ? dict_size(&table_of(hash)->dict) + 2 : 2;
}

struct hash *hash_copy(const struct hash *hash)
{
    struct hash *copy = hash_new();
    struct bytes field, value;
    struct hash_iter iter;

    if (is_table(hash)) {
        copy->content = hash_table_new();
        copy->form = HASH_TABLE;
        dict_reserve(&table_of(copy)->dict, raw_size(hash));
    }
    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value))
        if (is_table(copy))
            hash_table_add(table_of(copy), hashed(field), value, iter.deadline_ms);
        else
            hash_packed_put(copy, NULL, field, value, iter.deadline_ms);
    return copy;
}

/* --- looking --------------------------------------------------------------------------------- */

size_t hash_size(const struct hash *hash)
{
    const struct hash_expiry *expiry = hash_expiry_of(hash);

    return raw_size(hash) - (expiry ? count_before(hash, expiry->now_ms) : 0);
}

const char *hash_encoding(const struct hash *hash)
{
    static const char *const names[] = {"listpack", "listpackex", "hashtable"};

    return names[hash->form];
}

size_t hash_memory(const struct hash *hash, size_t samples)
{
    size_t bytes = mem_block_size(sizeof *hash);

    if (is_table(hash))
        return bytes + hash_table_memory(table_of(hash), samples);
    if (hash->form == HASH_PACKED_EXPIRING)
        bytes += mem_block_size(sizeof(struct hash_expiry));
    return bytes + (hash->bytes ? mem_block_size(hash->bytes) : 0);
}

bool hash_get(const struct hash *hash, struct hashed field, struct bytes *value)
{
    const unsigned char *at = find(hash, field);
    struct pair pair;

    if (!at)
        return false;
    pair = pair_read(at, mark_bytes_of(hash));
    *value = pair.value;
    return is_alive(hash, &pair);
}

/* --- changing -------------------------------------------------------------------------------- */

void hash_expect(struct hash *hash, const struct bytes *arguments, size_t count)
{
    size_t bytes = 0;

    if (is_table(hash))
        return;
    if (count / 2 > limit.entries) {
        become_table(hash, count / 2);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_long(arguments[i])) {
            become_table(hash, 0);
            return;
        }
        bytes += arguments[i].len + PAIR_HEAD_MAX;
    }
    if (bytes >= PACKED_BYTES_MAX - hash->bytes)
        become_table(hash, 0);
}

void hash_reserve(struct hash *hash, size_t fields)
{
    if (!is_table(hash) && fields > limit.entries)
        become_table(hash, fields);
}

bool hash_is_packed(const struct hash *hash) { return !is_table(hash); }

/* In place of the pair at 'at', which may be dead. */
static void replace(struct hash *hash, unsigned char *at, const struct pair *old,
                    struct bytes field, struct bytes value, bool keep_deadline)
{
    if (is_table(hash))
        hash_table_replace(table_of(hash), at, value, keep_deadline);
    else
        hash_packed_put(hash, at, field, value,
                        keep_deadline ? packed_deadline(old) : HASH_NO_DEADLINE);
}

bool hash_set(struct hash *hash, struct hashed name, struct bytes value, bool keep_deadline)
{
    struct bytes field = name.bytes;
    unsigned char *at;
    struct pair old;
    bool was_there;

    if (is_table(hash))
        name.hash = hash_of(&name);
    at = find(hash, name);
    if (!is_table(hash) && (is_long(field) || is_long(value) ||
                            !fits_packed(hash, !at, field.len + value.len + PAIR_HEAD_MAX))) {
        become_table(hash, 0);
        at = find(hash, name);
    }
    if (!at) {
        if (is_table(hash))
            hash_table_add(table_of(hash), name, value, HASH_NO_DEADLINE);
        else
            hash_packed_put(hash, NULL, field, value, HASH_NO_DEADLINE);
        return true;
    }
    old = pair_read(at, mark_bytes_of(hash));
    was_there = is_alive(hash, &old);
    replace(hash, at, &old, field, value, keep_deadline && was_there);
    return !was_there;
}

bool hash_remove(struct hash *hash, struct hashed field)
{
    unsigned char *at = find(hash, field);
    struct pair pair;

    if (!at)
        return false;
    pair = pair_read(at, mark_bytes_of(hash));
    if (!is_alive(hash, &pair))
        return false;
    if (is_table(hash))
        hash_table_remove(table_of(hash), at);
    else
        hash_packed_remove(hash, at);
    return true;
}

/* --- walking --------------------------------------------------------------------------------- */

void hash_iter_init(struct hash_iter *iter, const struct hash *hash)
{
    *iter = (struct hash_iter){.hash = hash};
    if (is_table(hash))
        dict_iter_init(&iter->table, &table_of(hash)->dict);
    else
        iter->at = packed_pairs(hash);
}

/* Dead or alive; false at the end. */
static bool next_pair(struct hash_iter *iter, struct pair *pair)
{
    const struct hash *hash = iter->hash;

    if (is_table(hash)) {
        const unsigned char *at = dict_iter_next(&iter->table);

        if (at)
            *pair = pair_read(at, MARK_TABLE);
        return at != NULL;
    }
    if (!hash->bytes || iter->at == packed_pairs(hash) + hash->bytes)
        return false;
    *pair = pair_read(iter->at, MARK_PACKED);
    iter->at += pair->size;
    return true;
}

bool hash_iter_next(struct hash_iter *iter, struct bytes *field, struct bytes *value)
{
    struct pair pair;

    do {
        if (!next_pair(iter, &pair))
            return false;
    } while (!is_alive(iter->hash, &pair));
    iter->deadline_ms = pair.mark ? deadline_of(iter->hash, &pair) : HASH_NO_DEADLINE;
    *field = pair.field;
    *value = pair.value;
    return true;
}

struct scan {
    const struct hash *hash;
    hash_emit *emit;
    void *context;
};

static void scan_entry(void *context, void *entry)
{
    const struct scan *scan = context;
    struct pair pair = pair_read(entry, MARK_TABLE);

    if (is_alive(scan->hash, &pair))
        scan->emit(scan->context, pair.field, pair.value);
}

uint64_t hash_scan(struct hash *hash, uint64_t cursor, hash_emit *emit, void *context)
{
    struct scan scan = {hash, emit, context};
    struct bytes field, value;
    struct hash_iter iter;

    if (is_table(hash))
        return dict_scan(&table_of(hash)->dict, cursor, scan_entry, &scan);
    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value))
        emit(context, field, value);
    return 0;
}

static struct pair random_pair(const struct hash *hash, struct random *random)
{
    const unsigned char *at;

    if (is_table(hash))
        return pair_read(dict_random(&table_of(hash)->dict, random), MARK_TABLE);
    at = packed_pairs(hash);
    for (uint64_t n = random_below(random, hash->count); n > 0; n--)
        at += pair_read(at, MARK_PACKED).size;
    return pair_read(at, MARK_PACKED);
}

bool hash_random(const struct hash *hash, struct random *random, struct bytes *field,
                 struct bytes *value)
{
    struct hash_iter iter;
    size_t size;

    for (int tries = 0; tries < RANDOM_TRIES && raw_size(hash); tries++) {
        struct pair pair = random_pair(hash, random);

        if (is_alive(hash, &pair)) {
            *field = pair.field;
            *value = pair.value;
            return true;
        }
    }
    size = hash_size(hash); /* nearly all are dead */
    if (!size)
        return false;
    hash_iter_init(&iter, hash);
    for (uint64_t n = random_below(random, size) + 1; n > 0; n--)
        hash_iter_next(&iter, field, value);
    return true;
}

/* --- deadlines ------------------------------------------------------------------------------- */

bool hash_get_deadline(const struct hash *hash, struct bytes field, int64_t *deadline_ms)
{
    const unsigned char *at = find(hash, hashed(field));
    struct pair pair;

    if (!at)
        return false;
    pair = pair_read(at, mark_bytes_of(hash));
    *deadline_ms = deadline_of(hash, &pair);
    return is_alive(hash, &pair);
}

static void mark(struct hash *hash, struct bytes field, int64_t deadline_ms)
{
    unsigned char *at = find(hash, hashed(field));

    ASSERT(at);
    if (is_table(hash))
        hash_table_mark(table_of(hash), at, deadline_ms);
    else
        hash_packed_mark(hash, at, deadline_ms);
}

void hash_set_deadline(struct hash *hash, struct bytes field, int64_t deadline_ms)
{
    ASSERT(deadline_ms >= 0);
    mark(hash, field, deadline_ms);
}

void hash_clear_deadline(struct hash *hash, struct bytes field)
{
    mark(hash, field, HASH_NO_DEADLINE);
}

size_t hash_expiring(const struct hash *hash)
{
    const struct hash_expiry *expiry = hash_expiry_of(hash);

    return expiry ? expiry->count : 0;
}

void hash_set_now(struct hash *hash, int64_t now_ms)
{
    struct hash_expiry *expiry = hash_expiry_of(hash);

    if (expiry)
        expiry->now_ms = now_ms;
}

size_t hash_expire(struct hash *hash, size_t max, hash_dead *dead, void *context)
{
    struct hash_expiry *expiry = hash_expiry_of(hash);

    if (!expiry || expiry->tie.earliest_ms >= expiry->now_ms)
        return 0;
    return is_table(hash) ? hash_table_expire(table_of(hash), max, dead, context)
                          : hash_packed_expire(hash, dead, context);
}

size_t hash_count_dead(const struct hash *hash, int64_t now_ms) { return count_before(hash, now_ms); }

bool hash_is_dead(const struct hash *hash, int64_t now_ms)
{
    const struct hash_expiry *expiry = hash_expiry_of(hash);

    if (hash_expiring(hash) != raw_size(hash))
        return false;
    if (is_table(hash))
        return !expiry || expiry_all_before(expiry, now_ms);
    return count_before(hash, now_ms) == hash->count;
}

struct hash_tie *hash_tie_of(const struct hash *hash)
{
    struct hash_expiry *expiry = hash_expiry_of(hash);

    return expiry ? &expiry->tie : NULL;
}

/* --- check ----------------------------------------------------------------------------------- */

void hash_check(const struct hash *hash)
{
    size_t bytes = 0, count = 0, marks = 0;
    const unsigned char *at;

    if (is_table(hash)) {
        hash_table_check(table_of(hash));
        return;
    }
    for (at = packed_pairs(hash); bytes < hash->bytes; count++) {
        struct pair pair = pair_read(at + bytes, MARK_PACKED);

        if (pair.mark)
            ASSERT(packed_deadline(&pair) >= hash_tie_of(hash)->earliest_ms);
        marks += pair.mark != NULL;
        bytes += pair.size;
    }
    ASSERT(bytes == hash->bytes);
    ASSERT(count == hash->count);
    ASSERT(marks == hash_expiring(hash));
}

/* --- the row --------------------------------------------------------------------------------- */

static const char *any_encoding(const void *value) { return hash_encoding(value); }
static size_t any_memory(const void *value, size_t samples) { return hash_memory(value, samples); }
static size_t any_free_effort(const void *value) { return hash_free_effort(value); }
static bool any_free_step(void *value, size_t budget) { return hash_free_step(value, budget); }
static void *any_copy(const void *value) { return hash_copy(value); }
static void any_check(const void *value) { hash_check(value); }

static uint64_t any_move_step(void *value, uint64_t cursor, size_t *moved)
{
    struct hash *hash = value;
    struct hash_expiry *expiry = hash_expiry_of(hash);

    if (is_table(hash))
        return hash_table_move_step(table_of(hash), cursor, moved);
    if (!hash->bytes)
        return 0;
    if (expiry)
        expiry->pairs = mem_move_together(expiry->pairs, hash->bytes, moved);
    else
        hash->content = mem_move_together(hash->content, hash->bytes, moved);
    return 0;
}

static const struct dict *any_table(const void *value)
{
    const struct hash *hash = value;

    return is_table(hash) ? &table_of(hash)->dict : NULL;
}

const struct value_ops hash_value_ops = {
    .table = any_table,
    .encoding = any_encoding,
    .memory = any_memory,
    .free_effort = any_free_effort,
    .free_step = any_free_step,
    .move_step = any_move_step,
    .copy = any_copy,
    .check = any_check,
};
