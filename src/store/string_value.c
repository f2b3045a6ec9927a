/* The string value: which of its three forms it takes, and the changes between them.
 *
 *     number     cell            "12345"
 *     embedded   key's block     up to STRING_EMBEDDED_MAX bytes
 *     block      cell -> block   longer ones
 *
 * Whatever the form, OBJECT ENCODING answers as Redis would: int for a number's text, embstr up to
 * 44 bytes, raw above and for everything that APPEND or SETRANGE has touched. */
#include "store/string_value.h"

#include "store_internal.h"

#include "base/assert.h"
#include "base/mem.h"

#define EMBSTR_MAX      44
#define GROWTH_STEP_MAX (1024 * 1024) /* a block that grows gets its size again, at most this */

struct string_block *string_block_new(size_t len)
{
    struct string_block *block = mem_alloc(sizeof *block + len);

    block->len = block->capacity = len;
    return block;
}

void string_block_free(struct string_block *block)
{
    mem_free(block, sizeof *block + block->capacity);
}

/* --- reading ----------------------------------------------------------------------------- */

struct bytes string_get(const struct entry *entry, char text[INT64_TEXT_MAX])
{
    if (entry->form == FORM_EMBEDDED) {
        struct bytes key = entry_key(entry);

        return (struct bytes){key.data + key.len, entry->value_len};
    }
    if (entry->form == FORM_INT)
        return (struct bytes){text, int64_format(text, *(int64_t *)entry_cell(entry))};
    const struct string_block *block = entry_value(entry);

    return (struct bytes){block->data, block->len};
}

bool string_get_int(const struct entry *entry, int64_t *value)
{
    char text[INT64_TEXT_MAX];

    if (entry->form == FORM_INT) {
        *value = *(int64_t *)entry_cell(entry);
        return true;
    }
    return int64_parse(string_get(entry, text), value);
}

size_t string_len(const struct entry *entry)
{
    if (entry->form == FORM_INT)
        return int64_text_len(*(int64_t *)entry_cell(entry));
    return string_get(entry, NULL).len;
}

const char *string_encoding(const struct entry *entry)
{
    if (entry->form == FORM_INT)
        return "int";
    if (entry->form == FORM_CELL || entry->flags & ENTRY_IS_RAW || entry->value_len > EMBSTR_MAX)
        return "raw";
    return "embstr";
}

size_t string_extra_memory(const struct entry *entry)
{
    if (entry->form != FORM_CELL)
        return 0;
    return mem_block_size(sizeof(struct string_block) +
                          ((struct string_block *)entry_value(entry))->capacity);
}

/* --- setting ----------------------------------------------------------------------------- */

/* Makes the key a string of this form, with its block ready for the value: the old value, and the
 * deadline unless kept, are gone. */
static void prepare(struct key_ref *ref, struct bytes key, enum entry_form form, size_t value_len,
                    bool keep_deadline)
{
    unsigned flags = form == FORM_EMBEDDED ? 0 : ENTRY_HAS_CELL;

    if (!ref->entry) {
        store_insert(ref, entry_new(key, VALUE_STRING, form, flags, value_len));
        return;
    }
    ref->db->store->changes++;
    if (ref->entry->form == FORM_CELL)
        value_free(ref->db->store, ref->entry);
    if (ref->entry->flags & ENTRY_EXPIRES) {
        if (keep_deadline)
            flags |= ENTRY_EXPIRES;
        else
            wheel_remove(ref->db->deadlines, entry_wheel_node(ref->entry));
    }
    entry_reshape(ref, flags, value_len);
    ref->entry->type = VALUE_STRING;
    ref->entry->form = form;
}

void string_set_block(struct key_ref *ref, struct bytes key, struct string_block *block,
                      bool keep_deadline)
{
    prepare(ref, key, FORM_CELL, 0, keep_deadline);
    memcpy(entry_cell(ref->entry), &block, sizeof block);
}

void string_set_int(struct key_ref *ref, struct bytes key, int64_t value, bool keep_deadline)
{
    struct entry *entry = ref->entry;

    if (entry && entry->type == VALUE_STRING && entry->form == FORM_INT && keep_deadline) {
        ref->db->store->changes++;
        memcpy(entry_cell(entry), &value, sizeof value); /* INCR: nothing else changes */
        return;
    }
    prepare(ref, key, FORM_INT, 0, keep_deadline);
    memcpy(entry_cell(ref->entry), &value, sizeof value);
}

void string_set_text(struct key_ref *ref, struct bytes key, struct bytes value, bool keep_deadline)
{
    struct string_block *block;
    struct bytes placed;

    if (value.len > STRING_EMBEDDED_MAX) {
        block = string_block_new(value.len);
        memcpy(block->data, value.data, value.len);
        string_set_block(ref, key, block, keep_deadline);
        return;
    }
    prepare(ref, key, FORM_EMBEDDED, value.len, keep_deadline);
    placed = entry_key(ref->entry);
    bytes_copy((char *)placed.data + placed.len, value.data, value.len);
}

void string_set(struct key_ref *ref, struct bytes key, struct bytes value, bool keep_deadline)
{
    int64_t number;

    if (value.len < INT64_TEXT_MAX && int64_parse(value, &number))
        string_set_int(ref, key, number, keep_deadline);
    else
        string_set_text(ref, key, value, keep_deadline);
}

void string_set_raw(struct key_ref *ref, struct bytes key, struct bytes value, bool keep_deadline)
{
    string_set_text(ref, key, value, keep_deadline);
    ref->entry->flags |= ENTRY_IS_RAW;
}

/* --- changing ---------------------------------------------------------------------------- */

/* Gives the string bytes of its own, of 'len' bytes and with the old content in front (a gap behind it
 * is undefined), and returns where they are. */
static char *resize(struct key_ref *ref, size_t len)
{
    char text[INT64_TEXT_MAX], copy[STRING_EMBEDDED_MAX];
    struct entry *entry = ref->entry;
    unsigned flags = entry->flags & ENTRY_EXPIRES;
    struct string_block *block;
    struct bytes old;
    size_t capacity;

    if (entry->form == FORM_CELL) {
        block = entry_value(entry);
        if (len > block->capacity) {
            capacity = len + (len < GROWTH_STEP_MAX ? len : GROWTH_STEP_MAX);
            block = mem_resize(block, sizeof *block + block->capacity, sizeof *block + capacity);
            block->capacity = capacity;
            memcpy(entry_cell(entry), &block, sizeof block);
        }
        block->len = len;
        return block->data;
    }
    old = string_get(entry, text);
    if (old.len > len)
        old.len = len;
    if (len <= STRING_EMBEDDED_MAX && entry->form == FORM_EMBEDDED) {
        entry_reshape(ref, flags | ENTRY_IS_RAW, len);
        old = entry_key(ref->entry);
        return (char *)old.data + old.len;
    }
    memcpy(copy, old.data, old.len);
    if (len <= STRING_EMBEDDED_MAX) {
        entry_reshape(ref, flags | ENTRY_IS_RAW, len);
        ref->entry->form = FORM_EMBEDDED;
        struct bytes key = entry_key(ref->entry);

        memcpy((char *)key.data + key.len, copy, old.len);
        return (char *)key.data + key.len;
    }
    block = string_block_new(len + (len < GROWTH_STEP_MAX ? len : GROWTH_STEP_MAX));
    block->len = len;
    memcpy(block->data, copy, old.len);
    entry_reshape(ref, flags | ENTRY_HAS_CELL, 0);
    ref->entry->form = FORM_CELL;
    memcpy(entry_cell(ref->entry), &block, sizeof block);
    return block->data;
}

size_t string_append(struct key_ref *ref, struct bytes tail)
{
    size_t len = string_len(ref->entry);
    char *data = resize(ref, len + tail.len);

    ref->db->store->changes++;
    if (tail.len)
        memcpy(data + len, tail.data, tail.len);
    return len + tail.len;
}

size_t string_set_range(struct key_ref *ref, size_t offset, struct bytes patch)
{
    size_t len = string_len(ref->entry), end = offset + patch.len;
    char *data = resize(ref, end > len ? end : len);

    ref->db->store->changes++;
    if (offset > len)
        memset(data + len, 0, offset - len);
    memcpy(data + offset, patch.data, patch.len);
    return end > len ? end : len;
}

char *string_bytes_for_write(struct key_ref *ref, struct bytes key, size_t len)
{
    size_t old_len = ref->entry ? string_len(ref->entry) : 0;
    struct string_block *block;
    char *data;

    if (!ref->entry && len > STRING_EMBEDDED_MAX) {
        block = mem_alloc_zero(sizeof *block + len); /* a large one is backed where it is written */
        block->len = block->capacity = len;
        string_set_block(ref, key, block, false);
        return block->data;
    }
    if (!ref->entry)
        string_set_raw(ref, key, (struct bytes){NULL, 0}, false);
    if (len <= old_len)
        return resize(ref, old_len);
    ref->db->store->changes++;
    data = resize(ref, len);
    memset(data + old_len, 0, len - old_len);
    return data;
}

struct string_block *string_take_block(struct key_ref *ref, size_t len)
{
    struct entry *entry = ref->entry;
    struct string_block *block;

    if (!entry || entry->type != VALUE_STRING || entry->form != FORM_CELL)
        return NULL;
    block = entry_value(entry);
    if (block->capacity < len || block->capacity / 2 > len)
        return NULL;
    ref->db->store->changes++;
    entry_reshape(ref, (entry->flags & ENTRY_EXPIRES) | ENTRY_IS_RAW, 0);
    ref->entry->form = FORM_EMBEDDED;
    return block;
}
