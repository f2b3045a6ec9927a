/* What the files of the HyperLogLog share: the runs of a sparse value, and groups of dense registers. */
#ifndef TERN_DS_HYPERLOGLOG_INTERNAL_H
#define TERN_DS_HYPERLOGLOG_INTERNAL_H

#include "ds/hyperloglog.h"

enum run_kind { RUN_ZEROS, RUN_MANY_ZEROS, RUN_VALUE };

#define RUN_ZEROS_MAX  64 /* registers of a RUN_ZEROS */
#define RUN_VALUE_MAX  4
#define RUN_RANK_MAX   32
#define COUNT_IS_STALE 0x80 /* in the last byte of the count */

struct run {
    enum run_kind kind;
    unsigned count; /* of registers */
    unsigned rank;  /* of each */
    unsigned size;  /* in bytes */
};

/* The run at 'at', which is before 'end'; false when it goes beyond. */
static inline bool run_read(const unsigned char *at, const unsigned char *end, struct run *run)
{
    if (*at & 0x80) {
        *run = (struct run){RUN_VALUE, (*at & 3u) + 1, (*at >> 2 & 31u) + 1, 1};
    } else if (*at & 0x40) {
        if (end - at < 2)
            return false;
        *run = (struct run){RUN_MANY_ZEROS, ((*at & 63u) << 8 | at[1]) + 1, 0, 2};
    } else {
        *run = (struct run){RUN_ZEROS, *at + 1u, 0, 1};
    }
    return true;
}

/* Eight registers, the first in the lowest bits, as eight bytes of a word. */
static inline uint64_t dense_spread(uint64_t packed)
{
    packed = (packed & 0xffffff) | (packed & UINT64_C(0xffffff000000)) << 8;
    packed = (packed & UINT64_C(0x00000fff00000fff)) | (packed & UINT64_C(0x00fff00000fff000)) << 4;
    return (packed & UINT64_C(0x003f003f003f003f)) | (packed & UINT64_C(0x0fc00fc00fc00fc0)) << 2;
}

static inline uint64_t dense_pack(uint64_t spread)
{
    spread = (spread & UINT64_C(0x003f003f003f003f)) | (spread & UINT64_C(0x3f003f003f003f00)) >> 2;
    spread = (spread & UINT64_C(0x00000fff00000fff)) | (spread & UINT64_C(0x0fff00000fff0000)) >> 4;
    return (spread & 0xffffff) | (spread & UINT64_C(0x00ffffff00000000)) >> 8;
}

/* The eight registers from 8 * 'group' on. The word is read from two bytes before them, so that the last
 * group ends it: in front of the first one is the header. */
static inline uint64_t dense_group(const char *value, unsigned group)
{
    return bytes_word(value + HLL_HEADER_SIZE + group * 6 - 2) >> 16;
}

#endif
