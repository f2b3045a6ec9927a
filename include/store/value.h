/* Values of any type, for code that treats them all alike. A string belongs to its key's block, so it
 * is told apart here; the others bring a row of operations (types/value_ops.h). */
#ifndef TERN_STORE_VALUE_H
#define TERN_STORE_VALUE_H

#include "store/entry.h"
#include "types/value_ops.h"

/* NULL for VALUE_STRING. */
const struct value_ops *value_ops_of(enum value_type type);

const char *value_encoding(const struct entry *entry); /* as OBJECT ENCODING names it */
/* Bytes beside the key's block; 'samples' as in types/value_ops.h. */
size_t value_memory(const struct entry *entry, size_t samples);
/* Bytes that a key takes in all: its block, its value, its places in the table and in the wheel. */
size_t key_memory(const struct entry *entry, size_t samples);

#endif
