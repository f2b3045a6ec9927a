/* Strings: a number, bytes within their key's block, or a block of their own.
 *
 * Which one it is, is known here and in entry.h alone. A view of a value holds until the key changes;
 * a number's view is its text in the caller's buffer. */
#ifndef TERN_STORE_STRING_VALUE_H
#define TERN_STORE_STRING_VALUE_H

#include "base/numbers.h"
#include "store/store.h"

/* A string of its own: what a long bulk string is read into straight from the socket. */
struct string_block {
    size_t len;
    size_t capacity; /* bytes of data */
    char data[];
};

struct string_block *string_block_new(size_t len); /* content undefined */
void string_block_free(struct string_block *block);

/* Longer strings get a block of their own. */
#define STRING_EMBEDDED_MAX 512

/* 'ref' is found or absent; the key becomes a string with this value whatever it was. The deadline goes
 * unless 'keep_deadline'. 'ref' is up to date then. */
void string_set(struct key_ref *ref, struct bytes key, struct bytes value, bool keep_deadline);
/* The same, taking a block of its own. */
void string_set_block(struct key_ref *ref, struct bytes key, struct string_block *block,
                      bool keep_deadline);
void string_set_int(struct key_ref *ref, struct bytes key, int64_t value, bool keep_deadline);
/* The same, kept as text even when it is a number's (INCRBYFLOAT); 'raw' also shows it as such. */
void string_set_text(struct key_ref *ref, struct bytes key, struct bytes value, bool keep_deadline);
void string_set_raw(struct key_ref *ref, struct bytes key, struct bytes value, bool keep_deadline);

struct bytes string_get(const struct entry *entry, char text[INT64_TEXT_MAX]);
/* True when the value is the text of an integer. */
bool string_get_int(const struct entry *entry, int64_t *value);
size_t string_len(const struct entry *entry);
const char *string_encoding(const struct entry *entry); /* "int", "embstr", "raw" */
/* Bytes beside the key's block. */
size_t string_extra_memory(const struct entry *entry);

/* The key exists and is a string; returns the new length. The deadline stays. */
size_t string_append(struct key_ref *ref, struct bytes tail);
/* Zero bytes fill a gap. 'patch' is not empty. */
size_t string_set_range(struct key_ref *ref, size_t offset, struct bytes patch);
/* 'ref' is absent or a string. It becomes bytes ("raw"), at least 'len' of them with zeros behind the old
 * ones. Returns where they are, to be written to until the key changes; the caller reports what it does
 * there. */
char *string_bytes_for_write(struct key_ref *ref, struct bytes key, size_t len);
/* 'ref' is absent or anything. When it is a string whose block holds 'len' bytes well, that block is the
 * caller's, as it is, and the string is empty; NULL otherwise. Pages that were touched before are cheaper
 * than fresh ones by far. */
struct string_block *string_take_block(struct key_ref *ref, size_t len);

#endif
