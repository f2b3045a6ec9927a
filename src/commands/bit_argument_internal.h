/* Places of bits, as SETBIT, GETBIT and BITFIELD read them. */
#ifndef TERN_BIT_ARGUMENT_INTERNAL_H
#define TERN_BIT_ARGUMENT_INTERNAL_H

#include "base/numbers.h"
#include "engine/request.h"

#define ERR_BIT_OFFSET "ERR bit offset is not an integer or out of range"
#define ERR_BIT        "ERR bit is not an integer or out of range"

/* 'text' is a place in units of 'unit' bits, within the longest string; replies ERR_BIT_OFFSET otherwise. */
static inline bool bit_place_or_reply(struct request *req, struct bytes text, uint64_t unit,
                                      uint64_t *offset)
{
    uint64_t limit = (uint64_t)req->engine->settings.bulk_len_max, bits;
    int64_t place;

    if (!int64_parse(text, &place) || place < 0 ||
        __builtin_mul_overflow((uint64_t)place, unit, &bits) || bits / 8 >= limit) {
        reply_error(req, ERR_BIT_OFFSET);
        return false;
    }
    *offset = bits;
    return true;
}

static inline bool bit_offset_or_reply(struct request *req, int at, uint64_t *offset)
{
    return bit_place_or_reply(req, req->argv[at], 1, offset);
}

#endif
