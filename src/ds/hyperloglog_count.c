/* HyperLogLog: from registers to a count, through how often each rank occurs. */
#include "hyperloglog_internal.h"

#include <math.h>

#define RANKS    64 /* that six bits can say; 51 and below occur */
#define RANK_TOP 50 /* "q" of the paper: ranks above the last but one are cut off by the hash's end */

#define ALPHA_INFINITE 0.721347520444481703680 /* 0.5 / ln 2 */

/* --- how often each rank occurs ---------------------------------------------------------------------- */

/* Several of them, so that equal neighbours do not wait for each other. */
struct histograms {
    unsigned part[4][RANKS];
};

static void histograms_add(const struct histograms *histograms, unsigned sum[RANKS])
{
    for (unsigned rank = 0; rank < RANKS; rank++)
        for (unsigned i = 0; i < 4; i++)
            sum[rank] += histograms->part[i][rank];
}

static void histogram_of_dense(const char *value, unsigned histogram[RANKS])
{
    struct histograms histograms = {0};

    for (unsigned group = 0; group < HLL_REGISTERS / 8; group++) {
        uint64_t packed = dense_group(value, group);

        for (unsigned i = 0; i < 8; i++)
            histograms.part[i % 4][packed >> 6 * i & 63]++;
    }
    histograms_add(&histograms, histogram);
}

static bool histogram_of_sparse(struct bytes value, unsigned histogram[RANKS])
{
    const unsigned char *at = (const unsigned char *)value.data + HLL_HEADER_SIZE;
    const unsigned char *end = (const unsigned char *)value.data + value.len;
    unsigned index = 0;
    struct run run;

    for (; at < end && run_read(at, end, &run) && index + run.count <= HLL_REGISTERS; at += run.size) {
        histogram[run.rank] += run.count;
        index += run.count;
    }
    return at == end && index == HLL_REGISTERS;
}

/* --- the estimator ----------------------------------------------------------------------------------- */

static double sigma(double x)
{
    double y = 1, z = x, last;

    if (x == 1)
        return INFINITY;
    do {
        x *= x;
        last = z;
        z += x * y;
        y += y;
    } while (z != last);
    return z;
}

static double tau(double x)
{
    double y = 1, z = 1 - x, last;

    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        last = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != last);
    return z / 3;
}

static uint64_t estimate(const unsigned histogram[RANKS])
{
    const double m = HLL_REGISTERS;
    double z = m * tau((m - histogram[RANK_TOP + 1]) / m);

    for (unsigned rank = RANK_TOP; rank >= 1; rank--)
        z = (z + histogram[rank]) * 0.5;
    z += m * sigma(histogram[0] / m);
    return (uint64_t)llround(ALPHA_INFINITE * m * m / z);
}

/* --- counts ------------------------------------------------------------------------------------------ */

bool hyperloglog_known_count(struct bytes value, uint64_t *count)
{
    memcpy(count, value.data + 8, sizeof *count);
    return !((unsigned char)value.data[15] & COUNT_IS_STALE);
}

void hyperloglog_set_known_count(char *value, uint64_t count) { memcpy(value + 8, &count, sizeof count); }

bool hyperloglog_count(struct bytes value, uint64_t *count)
{
    unsigned histogram[RANKS] = {0};

    if (hyperloglog_is_dense(value))
        histogram_of_dense(value.data, histogram);
    else if (!histogram_of_sparse(value, histogram))
        return false;
    *count = estimate(histogram);
    return true;
}

/* --- several values ---------------------------------------------------------------------------------- */

#define MERGE_GROUPS 256 /* at once, so that the compiler may take several in one instruction */

static void merge_dense(uint8_t registers[HLL_REGISTERS], const char *value)
{
    uint64_t spread[MERGE_GROUPS];
    uint8_t others[MERGE_GROUPS * 8];

    for (unsigned from = 0; from < HLL_REGISTERS / 8; from += MERGE_GROUPS, registers += MERGE_GROUPS * 8) {
        for (unsigned i = 0; i < MERGE_GROUPS; i++)
            spread[i] = dense_group(value, from + i);
        for (unsigned i = 0; i < MERGE_GROUPS; i++)
            spread[i] = dense_spread(spread[i]);
        memcpy(others, spread, sizeof others);
        for (unsigned i = 0; i < MERGE_GROUPS * 8; i++)
            registers[i] = registers[i] > others[i] ? registers[i] : others[i];
    }
}

static bool merge_sparse(uint8_t registers[HLL_REGISTERS], struct bytes value)
{
    const unsigned char *at = (const unsigned char *)value.data + HLL_HEADER_SIZE;
    const unsigned char *end = (const unsigned char *)value.data + value.len;
    unsigned index = 0;
    struct run run;

    for (; at < end && run_read(at, end, &run) && index + run.count <= HLL_REGISTERS; at += run.size)
        for (unsigned i = 0; i < run.count; i++, index++)
            if (registers[index] < run.rank)
                registers[index] = (uint8_t)run.rank;
    return at == end && index == HLL_REGISTERS;
}

bool hyperloglog_merge(uint8_t registers[HLL_REGISTERS], struct bytes value)
{
    if (!hyperloglog_is_dense(value))
        return merge_sparse(registers, value);
    merge_dense(registers, value.data);
    return true;
}

uint64_t hyperloglog_count_registers(const uint8_t registers[HLL_REGISTERS])
{
    struct histograms histograms = {0};
    unsigned histogram[RANKS] = {0};

    for (unsigned i = 0; i < HLL_REGISTERS; i++)
        histograms.part[i % 4][registers[i] % RANKS]++;
    histograms_add(&histograms, histogram);
    return estimate(histogram);
}
