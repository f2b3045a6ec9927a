/* Keys that go elsewhere: to another name, to another database, twice, or all of a database at once.
 *
 * Only a string that stands in its key's block is copied when it moves; all else goes with its cell. */
#include "store_internal.h"

#include "base/assert.h"
#include "store/string_value.h"
#include "store/value.h"

/* A block like 'old' for another key; cell and deadline as they are, the wheels not told. */
static struct entry *block_like(const struct entry *old, struct bytes key)
{
    unsigned flags = old->flags & ~(ENTRY_LONG_KEY | ENTRY_FIELDS_EXPIRE);
    struct entry *new = entry_new(key, old->type, old->form, flags, old->value_len);
    struct bytes old_key = entry_key(old);

    new->access = old->access;
    if (old->flags & ENTRY_EXPIRES)
        entry_wheel_node(new)->deadline_ms = entry_wheel_node(old)->deadline_ms;
    if (old->flags & ENTRY_HAS_CELL)
        memcpy(entry_cell(new), entry_cell(old), 8);
    else
        bytes_copy((char *)entry_key(new).data + key.len, old_key.data + old_key.len, old->value_len);
    return new;
}

static void place(struct key_ref *to, struct entry *entry)
{
    if (entry->flags & ENTRY_EXPIRES)
        wheel_add(to->db->deadlines, entry_wheel_node(entry));
    if (entry->type == VALUE_HASH)
        fields_join(to->db, entry);
    store_insert(to, entry);
}

void store_move(struct key_ref *from, struct key_ref *to, struct bytes key)
{
    struct entry *entry = from->entry;
    uint32_t access = entry->access;

    ASSERT(!to->entry);
    from->slot = NULL; /* 'to' was looked up since */
    if (entry->flags & ENTRY_EXPIRES)
        wheel_remove(from->db->deadlines, entry_wheel_node(entry));
    if (entry->flags & ENTRY_FIELDS_EXPIRE)
        fields_leave(entry);
    dict_remove(&from->db->keys, from->hash, ref_slot(from));
    from->slot = NULL;
    from->entry = NULL;
    if (!bytes_equal(entry_key(entry), key)) {
        struct entry *old = entry;

        entry = block_like(old, key);
        entry_free(old);
    }
    place(to, entry);
    entry->access = access;
}

static void *copy_of(const struct entry *entry)
{
    struct string_block *block, *copy;

    if (entry->type != VALUE_STRING)
        return value_ops_of(entry->type)->copy(entry_value(entry));
    block = entry_value(entry);
    copy = string_block_new(block->len);
    bytes_copy(copy->data, block->data, block->len);
    return copy;
}

void store_copy(const struct entry *from, struct key_ref *to, struct bytes key)
{
    struct entry *entry = block_like(from, key);

    ASSERT(!to->entry);
    if (entry->form == FORM_CELL) {
        void *value = copy_of(from);

        memcpy(entry_cell(entry), &value, sizeof value);
    }
    place(to, entry);
}

void store_swap(struct db *a, struct db *b)
{
    struct db old = *a;

    a->store->changes++;
    a->keys = b->keys;
    a->deadlines = b->deadlines;
    a->field_deadlines = b->field_deadlines;
    a->scan_moved = b->scan_moved;
    b->keys = old.keys;
    b->deadlines = old.deadlines;
    b->field_deadlines = old.field_deadlines;
    b->scan_moved = old.scan_moved;
}
