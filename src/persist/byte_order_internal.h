/* Numbers of up to eight bytes at any place: _le with the lowest byte first, _be with the highest. */
#ifndef TERN_PERSIST_BYTE_ORDER_INTERNAL_H
#define TERN_PERSIST_BYTE_ORDER_INTERNAL_H

#include <stdint.h>

static inline void store_le(void *at, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        ((unsigned char *)at)[i] = (unsigned char)(number >> 8 * i);
}

static inline void store_be(void *at, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        ((unsigned char *)at)[i] = (unsigned char)(number >> 8 * (bytes - 1 - i));
}

static inline uint64_t load_le(const void *at, unsigned bytes)
{
    uint64_t number = 0;

    for (unsigned i = bytes; i-- > 0;)
        number = number << 8 | ((const unsigned char *)at)[i];
    return number;
}

static inline uint64_t load_be(const void *at, unsigned bytes)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < bytes; i++)
        number = number << 8 | ((const unsigned char *)at)[i];
    return number;
}

#endif
