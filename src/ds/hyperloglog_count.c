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
        x = __builtin_sqrt(x);
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
    double estimate = ALPHA_INFINITE * m * m / z;
    uint64_t whole = (uint64_t)estimate;

    return whole + (estimate - (double)whole >= 0.5);
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

static void merge_words(uint8_t *registers, const char *value)
{
    for (unsigned group = 0; group < HLL_REGISTERS / 8; group++, registers += 8) {
        uint64_t spread = dense_spread(dense_group(value, group));
        uint8_t others[8];

        memcpy(others, &spread, 8);
        for (unsigned i = 0; i < 8; i++)
            registers[i] = registers[i] > others[i] ? registers[i] : others[i];
    }
}

/* The same with 32 registers at once, a quarter of the time, where the processor can. Three bytes of four
 * registers come into a lane of 32 bits. Loads begin four bytes early, so that the last one ends with the
 * value: in front of the first is the header. */
#if defined __x86_64__ && defined __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define CAN_BE_WIDE
#endif
#endif

#ifdef CAN_BE_WIDE
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int8_t bytes32 __attribute__((vector_size(32)));
typedef uint32_t lanes8 __attribute__((vector_size(32)));

__attribute__((target("avx2"))) static void merge_wide(uint8_t *registers, const char *value)
{
    const char *at = value + HLL_HEADER_SIZE - 4;

    for (unsigned i = 0; i < HLL_REGISTERS; i += 32, at += 24) {
        bytes32 ours, theirs, is_less;
        bytes16 low, high;
        lanes8 packed;

        memcpy(&low, at, 16);
        memcpy(&high, at + 12, 16);
        packed = (lanes8)__builtin_shufflevector(
            low, high, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12, 12, 13, 14, 15, 15, 20, 21, 22, 22, 23, 24, 25, 25,
            26, 27, 28, 28, 29, 30, 31, 31);
        theirs = (bytes32)((packed & 0x3f) | (packed << 2 & 0x3f00) | (packed << 4 & 0x3f0000) |
                           (packed << 6 & 0x3f000000));
        memcpy(&ours, registers + i, 32);
        is_less = ours < theirs;
        ours = (ours & ~is_less) | (theirs & is_less);
        memcpy(registers + i, &ours, 32);
    }
}

#ifdef TERN_STRESS
static bool is_wide(void) { return false; } /* so that both are tested */
#else
static bool is_wide(void) { return __builtin_cpu_supports("avx2"); }
#endif
#else
static void merge_wide(uint8_t *registers, const char *value) { merge_words(registers, value); }
static bool is_wide(void) { return false; }
#endif

static void merge_dense(uint8_t *registers, const char *value)
{
    if (is_wide())
        merge_wide(registers, value);
    else
        merge_words(registers, value);
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

    for (unsigned group = 0; group < HLL_REGISTERS / 8; group++) {
        uint64_t word = bytes_word((const char *)registers + group * 8);

        for (unsigned i = 0; i < 8; i++)
            histograms.part[i % 4][word >> 8 * i & 63]++;
    }
    histograms_add(&histograms, histogram);
    return estimate(histogram);
}
