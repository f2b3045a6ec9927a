/* A packed hash: pairs one after the other in a block of just their class. Looking something up walks
 * them all, which for a few short ones is quicker than a table, and takes no more memory than they do. */
#include "hash_value_internal.h"

#include "base/assert.h"
#include "base/mem.h"

unsigned char *hash_packed_find(const struct hash *hash, struct bytes field)
{
    unsigned char *at = packed_pairs(hash), *end;

    if (!hash->bytes)
        return NULL;
    end = at + hash->bytes;
    while (at < end) {
        struct pair pair = pair_read(at, MARK_PACKED);

        if (pair.field.len == field.len && bytes_same(pair.field.data, field.data, field.len))
            return at;
        at += pair.size;
    }
    return NULL;
}

static void set_pairs(struct hash *hash, unsigned char *pairs)
{
    if (hash->form == HASH_PACKED)
        hash->content = pairs;
    else
        ((struct hash_expiry *)hash->content)->pairs = pairs;
}

/* The block is as large as its class: most changes need no other one. */
static void resize(struct hash *hash, size_t bytes)
{
    unsigned char *pairs = packed_pairs(hash);

    ASSERT(bytes <= PACKED_BYTES_MAX);
    if (!bytes) {
        mem_free(pairs, hash->bytes);
        set_pairs(hash, NULL);
    } else if (!hash->bytes || mem_block_size(bytes) != mem_block_size(hash->bytes)) {
        set_pairs(hash, mem_resize(pairs, hash->bytes, bytes));
    }
    hash->bytes = (uint32_t)bytes;
}

/* Makes 'old' bytes at 'offset' to 'new' bytes, whose beginning is undefined when they grew; returns
 * where they are. */
static unsigned char *splice(struct hash *hash, size_t offset, size_t old, size_t new)
{
    size_t tail = hash->bytes - offset - old;
    unsigned char *at;

    if (new > old)
        resize(hash, hash->bytes + (new - old));
    at = packed_pairs(hash) + offset;
    if (tail && new != old)
        memmove(at + new, at + old, tail);
    if (new < old)
        resize(hash, hash->bytes - (old - new));
    return packed_pairs(hash) + offset;
}

static void note_deadline(struct hash *hash, int64_t deadline_ms)
{
    struct hash_expiry *expiry;

    if (hash->form == HASH_PACKED) {
        expiry = expiry_new();
        expiry->pairs = hash->content;
        hash->content = expiry;
        hash->form = HASH_PACKED_EXPIRING;
    }
    expiry_widen(hash->content, deadline_ms);
}

static void count_mark(struct hash *hash, int change)
{
    struct hash_expiry *expiry = hash->content;

    expiry->count += (uint32_t)change;
    if (!expiry->count)
        expiry_forget(expiry);
}

void hash_packed_put(struct hash *hash, unsigned char *at, struct bytes field, struct bytes value,
                     int64_t deadline_ms)
{
    size_t mark_bytes = deadline_ms == HASH_NO_DEADLINE ? 0 : MARK_PACKED;
    size_t size = pair_size(field.len, value.len, mark_bytes), old_size = 0;
    size_t offset = at ? (size_t)(at - packed_pairs(hash)) : hash->bytes;

    if (at) {
        struct pair old = pair_read(at, MARK_PACKED);

        old_size = old.size;
        if (old.mark)
            count_mark(hash, -1);
    } else {
        hash->count++;
    }
    if (mark_bytes)
        note_deadline(hash, deadline_ms);
    at = splice(hash, offset, old_size, size);
    at = pair_write(at, mark_bytes, field, value);
    if (mark_bytes) {
        memcpy(at, &deadline_ms, sizeof deadline_ms);
        count_mark(hash, 1);
    }
}

void hash_packed_remove(struct hash *hash, unsigned char *at)
{
    struct pair pair = pair_read(at, MARK_PACKED);

    hash->count--;
    if (pair.mark)
        count_mark(hash, -1);
    splice(hash, (size_t)(at - packed_pairs(hash)), pair.size, 0);
}

void hash_packed_mark(struct hash *hash, unsigned char *at, int64_t deadline_ms)
{
    struct pair pair = pair_read(at, MARK_PACKED);
    unsigned char *pairs = packed_pairs(hash);
    size_t head = (size_t)(at - pairs), mark = (size_t)((unsigned char *)pair.field.data - pairs);

    if (deadline_ms != HASH_NO_DEADLINE)
        note_deadline(hash, deadline_ms);
    if (deadline_ms == HASH_NO_DEADLINE && pair.mark) {
        splice(hash, mark - MARK_PACKED, MARK_PACKED, 0);
        packed_pairs(hash)[head] &= (unsigned char)~HAS_MARK;
        count_mark(hash, -1);
    } else if (deadline_ms != HASH_NO_DEADLINE && pair.mark) {
        memcpy(pair.mark, &deadline_ms, sizeof deadline_ms);
    } else if (deadline_ms != HASH_NO_DEADLINE) {
        memcpy(splice(hash, mark, 0, MARK_PACKED), &deadline_ms, sizeof deadline_ms);
        packed_pairs(hash)[head] |= HAS_MARK;
        count_mark(hash, 1);
    }
}

/* --- those that die ------------------------------------------------------------------------ */

size_t hash_packed_count_before(const struct hash *hash, int64_t now_ms)
{
    const unsigned char *at = packed_pairs(hash), *end = at + hash->bytes;
    size_t count = 0;

    while (at < end) {
        struct pair pair = pair_read(at, MARK_PACKED);

        count += pair.mark && packed_deadline(&pair) < now_ms;
        at += pair.size;
    }
    return count;
}

/* What lives closes up as the walk goes, so that many that die are one move of bytes. */
size_t hash_packed_expire(struct hash *hash, hash_dead *dead, void *context)
{
    struct hash_expiry *expiry = hash->content;
    unsigned char *pairs = expiry->pairs, *end = pairs + hash->bytes, *from, *to = pairs;
    size_t removed = 0;

    expiry_forget(expiry);
    for (from = pairs; from < end;) {
        struct pair pair = pair_read(from, MARK_PACKED);
        int64_t deadline_ms = packed_deadline(&pair);

        if (pair.mark && deadline_ms < expiry->now_ms) {
            dead(context, pair.field);
            removed++;
        } else {
            if (pair.mark)
                expiry_widen(expiry, deadline_ms);
            if (to != from)
                memmove(to, from, pair.size);
            to += pair.size;
        }
        from += pair.size;
    }
    resize(hash, (size_t)(to - pairs));
    hash->count -= (uint32_t)removed;
    expiry->count -= (uint32_t)removed;
    return removed;
}

void hash_packed_release(struct hash *hash)
{
    mem_free(packed_pairs(hash), hash->bytes);
    if (hash->form == HASH_PACKED_EXPIRING)
        expiry_free(hash->content);
}
