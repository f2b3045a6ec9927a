/* Values of all types as RDB keeps them: a type, and content that depends on it.
 *
 *     rdb_write_byte(writer, rdb_type_of(entry));
 *     rdb_write_value(writer, entry);
 *
 *     if (!rdb_read_value(reader, type, &value)) ... malformed
 *     rdb_value_store(&value, &ref, key);
 *
 * Written is what Redis 7.2 writes, and what Redis 8 does for hashes whose fields expire, which 7.2 has not. Read is
 * everything that servers before and after wrote, but for what belongs to modules. */
#ifndef TERN_PERSIST_RDB_VALUE_H
#define TERN_PERSIST_RDB_VALUE_H

#include "persist/rdb_reader.h"
#include "persist/rdb_writer.h"
#include "store/store.h"

struct string_block;

/* What was read. A string is a view that holds until more is read, or a block of its own. */
struct rdb_value {
    enum value_type type;
    void *collection;           /* owned; NULL for a string */
    struct string_block *block; /* owned; of a string; NULL: 'string' */
    struct bytes string;
};

unsigned rdb_type_of(const struct entry *entry);
void rdb_write_value(struct rdb_writer *writer, const struct entry *entry);

enum rdb_outcome {
    RDB_READ,
    RDB_MALFORMED,
    RDB_UNKNOWN_TYPE,
    RDB_EMPTY /* a collection without elements, which no key may hold */
};
enum rdb_outcome rdb_read_value(struct rdb_reader *reader, unsigned type, struct rdb_value *value);

/* The key gets the value, whatever it was; 'ref' is found or absent, and up to date then. */
void rdb_value_store(struct rdb_value *value, struct key_ref *ref, struct bytes key);
/* A value that no key gets. */
void rdb_value_drop(struct rdb_value *value);

#endif
