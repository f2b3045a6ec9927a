/* The block of a key: making it, and moving it when its layout or its size class changes. */
#include "store_internal.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"

static uint64_t entry_hash(const void *entry) { return hash_bytes(entry_key(entry)); }

const struct dict_type keyspace_type = {.hash = entry_hash};

bool entry_is(const void *entry, const void *key)
{
    struct bytes own = entry_key(entry);
    const struct bytes *other = key;

    return own.len == other->len && bytes_same(own.data, other->data, own.len);
}

static size_t block_size(unsigned flags, size_t key_len, size_t value_len)
{
    return entry_fixed_size(flags) + key_len + (flags & ENTRY_HAS_CELL ? 0 : value_len);
}

static void set_key(struct entry *entry, struct bytes key)
{
    char *at = (char *)entry + entry_fixed_size(entry->flags);

    if (entry->flags & ENTRY_LONG_KEY)
        memcpy(at - (entry->flags & ENTRY_HAS_CELL ? 16 : 8), &key.len, 8);
    else
        entry->key_len = (uint8_t)key.len;
    bytes_copy(at, key.data, key.len);
}

struct entry *entry_new(struct bytes key, enum value_type type, enum entry_form form,
                        unsigned flags, size_t value_len)
{
    struct entry *entry;

    flags |= key.len > UINT8_MAX ? ENTRY_LONG_KEY : 0;
    entry = mem_alloc(block_size(flags, key.len, value_len));
    *entry = (struct entry){.type = type,
                            .form = form,
                            .flags = (uint8_t)flags,
                            .value_len = (uint16_t)(flags & ENTRY_HAS_CELL ? 0 : value_len)};
    set_key(entry, key);
    return entry;
}

void entry_free(struct entry *entry) { mem_free(entry, entry_block_size(entry)); }

struct dict_slot *ref_slot(struct key_ref *ref)
{
    if (!ref->slot) {
        struct bytes key = entry_key(ref->entry);

        ref->slot = dict_find_slot(&ref->db->keys, ref->hash, entry_is, &key);
        ASSERT(ref->slot && dict_slot_entry(ref->slot) == ref->entry);
    }
    return ref->slot;
}

/* True when a block of 'old_size' serves for 'new_size' where it is. Stress builds always move. */
static bool fits_in_place(size_t old_size, size_t new_size)
{
#ifdef TERN_STRESS
    return false;
#else
    return mem_block_size(old_size) == mem_block_size(new_size);
#endif
}

void entry_reshape(struct key_ref *ref, unsigned flags, size_t value_len)
{
    struct entry *old = ref->entry, *new;
    struct bytes key = entry_key(old);
    size_t old_size = entry_block_size(old), new_size;
    unsigned layout = ENTRY_EXPIRES | ENTRY_HAS_CELL;

    flags |= old->flags & ENTRY_LONG_KEY;
    new_size = block_size(flags, key.len, value_len);
    if (((flags ^ old->flags) & layout) == 0 && fits_in_place(old_size, new_size)) {
        old->flags = (uint8_t)flags;
        old->value_len = (uint16_t)(flags & ENTRY_HAS_CELL ? 0 : value_len);
        return;
    }
    new = mem_alloc(new_size);
    *new = *old;
    new->flags = (uint8_t)flags;
    new->value_len = (uint16_t)(flags & ENTRY_HAS_CELL ? 0 : value_len);
    set_key(new, key);
    if (flags & old->flags & ENTRY_EXPIRES) {
        *entry_wheel_node(new) = *entry_wheel_node(old);
        wheel_moved(ref->db->deadlines, entry_wheel_node(new));
    }
    if (flags & old->flags & ENTRY_HAS_CELL) {
        memcpy(entry_cell(new), entry_cell(old), 8);
    } else if (!((flags | old->flags) & ENTRY_HAS_CELL)) {
        size_t common = old->value_len < value_len ? old->value_len : value_len;

        memcpy((char *)entry_key(new).data + key.len, key.data + key.len, common);
    }
    if (flags & ENTRY_FIELDS_EXPIRE)
        fields_moved(new);
    dict_slot_move(ref_slot(ref), new);
    ref->entry = new;
    mem_free(old, old_size);
}

struct entry *entry_relocate(struct db *db, struct dict_slot *slot, struct entry *entry)
{
    size_t size = entry_block_size(entry);
    struct entry *moved = mem_alloc(size);

    memcpy(moved, entry, size);
    if (entry->flags & ENTRY_EXPIRES)
        wheel_moved(db->deadlines, entry_wheel_node(moved));
    if (entry->flags & ENTRY_FIELDS_EXPIRE)
        fields_moved(moved);
    dict_slot_move(slot, moved);
    mem_free(entry, size);
    return moved;
}
