/* RDB values from anywhere: any bytes are refused, or read as a value that is sound, and then written as bytes that are
 * read again.
 *
 * SOURCES: src/persist/*.c src/store/*.c src/types/*.c src/ds/*.c src/base/[a-z]*.c
 *
 * Input: whether Valkey wrote it (a byte's lowest bit), the type, the content. */
#include "base/assert.h"
#include "base/hash.h"
#include "persist/rdb_value.h"
#include "store/value.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For standalone_main.c. */
const size_t fuzz_head_size = 2;
const char *const fuzz_words[] = {"\xc3", "\x80", "\x81", "\xff", "\xc0", "\xfe", "\x09\x40\x40\x01yy\xe0\x33\x01yy",
                                  "\x0b\x00\x00\x00\x02\x00\x01\x01\x02\x01\xff", "\x02\x00\x00\x00\x01\x00\x00\x00\x07", NULL};

static bool may_expire(void *context) { return false; }

static bool read(const char *data, size_t size, bool is_valkey, unsigned type, struct rdb_value *value)
{
    struct rdb_reader reader;
    enum rdb_outcome outcome;

    rdb_reader_init(&reader, (struct bytes){data, size});
    reader.is_valkey = is_valkey;
    outcome = rdb_read_value(&reader, type, value);
    if (outcome == RDB_READ && value->type == VALUE_STRING && !value->block) {
        struct bytes copy = {malloc(value->string.len + 1), value->string.len}; /* the reader's goes with it */

        memcpy((char *)copy.data, value->string.data, copy.len);
        value->string = copy;
    }
    rdb_reader_release(&reader);
    return outcome == RDB_READ;
}

static struct key_ref keep(struct db *db, struct rdb_value *value)
{
    struct bytes key = BYTES("k"), string = value->string;
    struct key_ref ref = store_find(db, key, hash_bytes(key), LOOKUP_WRITE);
    bool is_copy = value->type == VALUE_STRING && !value->block;

    rdb_value_store(value, &ref, key);
    if (is_copy)
        free((char *)string.data);
    else if (ref.entry->type != VALUE_STRING)
        value_ops_of((enum value_type)ref.entry->type)->check(entry_value(ref.entry));
    return ref;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rdb_writer writer = {.compresses = true};
    struct rdb_value value;
    struct clock clock;
    struct store *store;
    struct key_ref ref;

    if (size < 2)
        return 0;
    hash_set_seed((struct hash_seed){1, 2});
    clock_init(&clock);
    store = store_new(1, &clock, 1);
    store->observer.may_expire = may_expire;
    if (read((const char *)data + 2, size - 2, data[0] & 1, data[1], &value)) {
        ref = keep(&store->dbs[0], &value);
        rdb_write_value(&writer, ref.entry);
        ASSERT(read(writer.data, writer.len, false, rdb_type_of(ref.entry), &value));
        keep(&store->dbs[0], &value);
        rdb_writer_release(&writer);
    }
    while (store_work(store, 1000000))
        ;
    store_free(store);
    return 0;
}
