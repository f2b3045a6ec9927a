/* The bits of a byte string, at the speed of memory. Bit 0 is the highest one of the first byte. */
#ifndef TERN_DS_BITS_H
#define TERN_DS_BITS_H

#include "base/bytes.h"

/* How many of the bits 'from' to 'to' - 1 are set. */
uint64_t bits_count(const void *data, uint64_t from, uint64_t to);

#define BITS_NONE UINT64_MAX
/* The first of the bits 'from' to 'to' - 1 that is 'wanted', or BITS_NONE. */
uint64_t bits_find(const void *data, uint64_t from, uint64_t to, bool wanted);

enum bits_operation { BITS_AND, BITS_OR, BITS_XOR, BITS_NOT };
/* Combines 'count' strings (at least one; BITS_NOT looks at the first only) into 'out', which has room for the
 * longest; it may be where one of them is, from its beginning. Zero bytes stand behind the end of a shorter
 * one. */
void bits_combine(enum bits_operation operation, const struct bytes *strings, size_t count, void *out);

/* A number of 'width' bits (1 to 64) whose highest bit is at 'at'. What is behind the end reads as 0. */
uint64_t bits_get(struct bytes data, uint64_t at, unsigned width);
/* 'data' reaches to its last bit. Higher bits of 'value' are left out. */
void bits_put(void *data, uint64_t at, unsigned width, uint64_t value);

static inline bool bits_test(struct bytes data, uint64_t at)
{
    return at / 8 < data.len && (data.data[at / 8] >> (7 - at % 8) & 1);
}

#endif
