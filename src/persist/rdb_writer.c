/* Lengths, numbers and strings, and the buffer they go through. */
#include "persist/rdb_writer.h"

#include "base/crc64.h"
#include "base/mem.h"
#include "base/numbers.h"
#include "byte_order_internal.h"
#include "persist/lzf.h"
#include "rdb_format_internal.h"

#define FIRST_BYTES 128 /* of a buffer that stays in memory */

void rdb_writer_release(struct rdb_writer *writer)
{
    if (writer->size)
        mem_free(writer->data, writer->size);
    writer->data = NULL;
    writer->size = writer->len = 0;
}

static void hand_on(struct rdb_writer *writer, const char *data, size_t len)
{
    if (writer->is_failed || !len)
        return;
    if (writer->has_checksum)
        writer->crc = crc64(writer->crc, data, len);
    writer->flushed += len;
    writer->is_failed = !writer->flush(writer->context, data, len);
}

void rdb_writer_flush(struct rdb_writer *writer)
{
    hand_on(writer, writer->data, writer->len);
    writer->len = 0;
}

static void grow(struct rdb_writer *writer, size_t size)
{
    writer->data = writer->size ? mem_resize(writer->data, writer->size, size) : mem_alloc(size);
    writer->size = size;
}

static char *make_room(struct rdb_writer *writer, size_t size)
{
    if (writer->flush) {
        if (!writer->size)
            grow(writer, RDB_BUFFER_BYTES);
        if (writer->size - writer->len < size)
            rdb_writer_flush(writer);
    } else if (writer->size - writer->len < size) {
        size_t wanted = 2 * (writer->len + size);

        grow(writer, wanted < FIRST_BYTES ? FIRST_BYTES : wanted);
    }
    return writer->data + writer->len;
}

char *rdb_writer_room(struct rdb_writer *writer, size_t size)
{
    if (writer->size - writer->len >= size)
        return writer->data + writer->len;
    return make_room(writer, size);
}

void rdb_write(struct rdb_writer *writer, const void *data, size_t size)
{
    if (writer->flush && size > RDB_BUFFER_BYTES / 4) {
        rdb_writer_flush(writer);
        hand_on(writer, data, size);
        return;
    }
    if (!size)
        return;
    bytes_copy(rdb_writer_room(writer, size), data, size);
    writer->len += size;
}

void rdb_write_byte(struct rdb_writer *writer, unsigned byte)
{
    *rdb_writer_room(writer, 1) = (char)byte;
    writer->len++;
}

static size_t put_length(char *at, uint64_t length)
{
    if (length < 64) {
        *at = (char)length;
        return 1;
    }
    if (length < 16384) {
        store_be(at, length | (uint64_t)LENGTH_14 << 8, 2);
        return 2;
    }
    if (length <= UINT32_MAX) {
        *at = (char)LENGTH_32;
        store_be(at + 1, length, 4);
        return 5;
    }
    *at = (char)LENGTH_64;
    store_be(at + 1, length, 8);
    return LENGTH_BYTES_MAX;
}

void rdb_write_length(struct rdb_writer *writer, uint64_t length)
{
    writer->len += put_length(rdb_writer_room(writer, LENGTH_BYTES_MAX), length);
}

void rdb_write_u64(struct rdb_writer *writer, uint64_t number)
{
    store_le(rdb_writer_room(writer, 8), number, 8);
    writer->len += 8;
}

void rdb_write_double(struct rdb_writer *writer, double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    rdb_write_u64(writer, bits);
}

/* --- strings -------------------------------------------------------------------------------------------------- */

static bool write_small_int(struct rdb_writer *writer, int64_t number)
{
    unsigned bytes = number == (int8_t)number ? 1 : number == (int16_t)number ? 2 : 4;
    char *at;

    if (number < INT32_MIN || number > INT32_MAX)
        return false;
    at = rdb_writer_room(writer, 1 + bytes);
    *at = (char)(bytes == 1 ? STRING_INT_8 : bytes == 2 ? STRING_INT_16 : STRING_INT_32);
    store_le(at + 1, (uint64_t)number, bytes);
    writer->len += 1 + bytes;
    return true;
}

void rdb_write_int_string(struct rdb_writer *writer, int64_t number)
{
    char text[INT64_TEXT_MAX];

    if (write_small_int(writer, number))
        return;
    size_t len = int64_format(text, number);
    rdb_write_length(writer, len);
    rdb_write(writer, text, len);
}

/* Packed into the buffer itself, where there is room for it. */
static bool write_packed(struct rdb_writer *writer, struct bytes string)
{
    size_t room = string.len - 4, head_max = 1 + 2 * LENGTH_BYTES_MAX, packed, head;
    char *own = NULL, *into;

    if (writer->flush && head_max + room > RDB_BUFFER_BYTES)
        into = own = mem_alloc(room);
    else
        into = rdb_writer_room(writer, head_max + room) + head_max;
    packed = lzf_compress(string, into, room);
    if (packed) {
        char *at = rdb_writer_room(writer, own ? head_max : head_max + room);

        *at = (char)STRING_LZF;
        head = 1 + put_length(at + 1, packed);
        head += put_length(at + head, string.len);
        writer->len += head;
        if (!own)
            memmove(at + head, into, packed);
        if (own)
            rdb_write(writer, own, packed);
        else
            writer->len += packed;
    }
    if (own)
        mem_free(own, room);
    return packed > 0;
}

void rdb_write_string(struct rdb_writer *writer, struct bytes string)
{
    int64_t number;

    if (string.len <= STRING_INT_LEN_MAX && int64_parse(string, &number) && write_small_int(writer, number))
        return;
    if (writer->compresses && string.len > STRING_PLAIN_MAX && write_packed(writer, string))
        return;
    rdb_write_length(writer, string.len);
    rdb_write(writer, string.data, string.len);
}
