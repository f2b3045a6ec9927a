/* Digits as a number, many at once: shared by numbers.c and numbers_double.c. */
#ifndef TERN_BASE_DIGITS_INTERNAL_H
#define TERN_BASE_DIGITS_INTERNAL_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define DIGITS_MAX 16

/* Eight digits at once: the value of the 8 bytes of 'chunk', the first digit in the lowest; false when one is no digit. Each
 * step joins neighbours, so that 8 digits become 4 pairs, 2 fours and one number (after Wojciech Mula,
 * http://0x80.pl/articles/simd-parsing-int-sequences.html). 12 digits take a third of the time of
 * a plain loop. */
static inline bool digits_eight(uint64_t chunk, uint64_t *value)
{
    /* '0' .. '9' are 0x30 .. 0x39: the high half is 3, and stays 3 when 6 is added */
    if (((chunk & 0xF0F0F0F0F0F0F0F0) |
         (((chunk + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0) >> 4)) != 0x3333333333333333)
        return false;
    chunk = (chunk & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
    chunk = (chunk & 0x00FF00FF00FF00FF) * 6553601 >> 16;
    *value = (chunk & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
    return true;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first digit is the lowest byte");

/* The value of 1 to 8 digits. Four and more are read as two halves that overlap, with zeros before them. */
static inline bool digits_up_to_eight(const char *at, size_t len, uint64_t *value)
{
    if (len >= 4) {
        unsigned missing = 8 * (8 - (unsigned)len);
        uint64_t zeros = missing ? 0x3030303030303030 >> (64 - missing) : 0;
        uint64_t chunk = (uint64_t)bytes_half(at + len - 4) << 32 | (uint64_t)bytes_half(at) << missing;

        return digits_eight(chunk | zeros, value);
    }
    uint64_t result = 0;
    for (; len > 0; at++, len--) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';

        if (digit > 9)
            return false;
        result = result * 10 + digit;
    }
    *value = result;
    return true;
}

/* The value of 1 to DIGITS_MAX digits; untouched when one is no digit. */
static inline bool digits_parse(const char *at, size_t len, uint64_t *value)
{
    uint64_t high = 0;

    if (len > 8) {
        if (!digits_up_to_eight(at, len - 8, &high))
            return false;
        at += len - 8;
        len = 8;
    }
    if (!digits_up_to_eight(at, len, value))
        return false;
    *value += high * 100000000;
    return true;
}

#endif
