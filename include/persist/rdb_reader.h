/* Reading RDB: from memory, or through a window from whoever fills it. What is read was written by strangers: every
 * function returns false when the bytes are not what they should be or come to their end, and after that nothing more
 * is read.
 *
 *     struct rdb_reader reader;
 *     rdb_reader_init(&reader, payload);
 *     if (!rdb_read_string(&reader, &value)) ...
 *     rdb_reader_release(&reader);
 */
#ifndef TERN_PERSIST_RDB_READER_H
#define TERN_PERSIST_RDB_READER_H

#include "base/bytes.h"
#include "base/numbers.h"

#define RDB_WINDOW_BYTES (256 * 1024)

/* What a string is unpacked or gathered in when it does not stand in the window as it is. */
struct rdb_scratch {
    char *memory;
    size_t size;
};

struct rdb_reader {
    const char *at, *end; /* what is left of the window */
    char *window;         /* NULL: memory of somebody else's */
    uint64_t behind;      /* bytes that are still to come into the window */
    uint64_t crc;         /* of what went through the window, up to 'summed', when 'has_checksum' */
    const char *summed;
    bool has_checksum;
    bool is_valkey;       /* type 22 has two meanings */
    /* Puts up to 'size' bytes to 'to' and returns how many; 0 when there are no more. */
    size_t (*fill)(void *context, char *to, size_t size);
    void *context;
    struct rdb_scratch scratch[2]; /* of the last two strings */
    unsigned scratch_next;
    struct bytes *held; /* a view into the window that must stay good */
    unsigned held_scratch;
};

void rdb_reader_init(struct rdb_reader *reader, struct bytes payload);
/* 'size' bytes are expected from 'fill'. */
void rdb_reader_init_fill(struct rdb_reader *reader, uint64_t size,
                          size_t (*fill)(void *context, char *to, size_t size), void *context);
void rdb_reader_release(struct rdb_reader *reader);
/* The checksum of all that was read. */
uint64_t rdb_reader_crc(struct rdb_reader *reader);

/* Bytes that are left, at most: no count of elements can be more. */
static inline uint64_t rdb_reader_left(const struct rdb_reader *reader)
{
    return (uint64_t)(reader->end - reader->at) + reader->behind;
}

bool rdb_read(struct rdb_reader *reader, void *out, size_t size);
bool rdb_read_byte(struct rdb_reader *reader, unsigned *byte);
bool rdb_read_u32(struct rdb_reader *reader, uint32_t *number); /* little endian */
bool rdb_read_u64(struct rdb_reader *reader, uint64_t *number);
bool rdb_read_double(struct rdb_reader *reader, double *number);
bool rdb_read_length(struct rdb_reader *reader, uint64_t *length);
/* A number of elements, which take a byte each at least: one that cannot be is refused. */
bool rdb_read_count(struct rdb_reader *reader, uint64_t *count);

/* A view that holds until the next but one string is read, or anything else from a window. */
bool rdb_read_string(struct rdb_reader *reader, struct bytes *string);
/* Two strings, good at the same time. */
bool rdb_read_pair(struct rdb_reader *reader, struct bytes *first, struct bytes *second);

/* The same in parts, for who has memory of his own for a long one: the head tells how long it is, then its content
 * is read once to 'out'. */
struct rdb_string_head {
    enum { RDB_STRING_PLAIN, RDB_STRING_NUMBER, RDB_STRING_PACKED } form;
    size_t len;        /* of the string itself */
    size_t packed_len; /* RDB_STRING_PACKED */
    char text[INT64_TEXT_MAX]; /* RDB_STRING_NUMBER */
};
bool rdb_read_string_head(struct rdb_reader *reader, struct rdb_string_head *head);
/* A view as rdb_read_string gives it. */
bool rdb_read_string_rest(struct rdb_reader *reader, const struct rdb_string_head *head, struct bytes *string);
bool rdb_read_string_content(struct rdb_reader *reader, const struct rdb_string_head *head, char *out);

#endif
