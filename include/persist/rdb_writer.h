/* Writing RDB: into memory, or in pieces to whoever takes them.
 *
 *     struct rdb_writer writer = {.compresses = true};
 *     rdb_write_string(&writer, value);
 *     ... writer.data, writer.len ...
 *     rdb_writer_release(&writer);
 *
 * With a 'flush' the buffer is handed on whenever RDB_BUFFER_BYTES have come together; after a failure of it
 * everything that follows goes nowhere, and 'is_failed' tells. */
#ifndef TERN_PERSIST_RDB_WRITER_H
#define TERN_PERSIST_RDB_WRITER_H

#include "base/bytes.h"

#define RDB_BUFFER_BYTES (256 * 1024)

struct rdb_writer {
    char *data;
    size_t len, size;
    uint64_t flushed; /* bytes */
    uint64_t crc;     /* of what was flushed, when 'has_checksum' */
    bool compresses, has_checksum, is_failed;
    /* Returns false when it cannot take them. NULL: everything stays in 'data'. */
    bool (*flush)(void *context, const char *data, size_t len);
    void *context;
};

void rdb_writer_release(struct rdb_writer *writer);
/* Hands on what is in the buffer. */
void rdb_writer_flush(struct rdb_writer *writer);
/* Room for 'size' bytes, at most RDB_BUFFER_BYTES; the caller then adds to 'len' what it wrote. */
char *rdb_writer_room(struct rdb_writer *writer, size_t size);

void rdb_write(struct rdb_writer *writer, const void *data, size_t size);
void rdb_write_byte(struct rdb_writer *writer, unsigned byte);
void rdb_write_length(struct rdb_writer *writer, uint64_t length);
void rdb_write_u64(struct rdb_writer *writer, uint64_t number); /* eight bytes, little endian */
void rdb_write_double(struct rdb_writer *writer, double number);
/* As a number when it is the text of one, packed when that is shorter. */
void rdb_write_string(struct rdb_writer *writer, struct bytes string);
void rdb_write_int_string(struct rdb_writer *writer, int64_t number);

#endif
