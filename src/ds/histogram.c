/* A logarithmic histogram: counting is in the header, asking is here. */
#include "ds/histogram.h"

#include "base/mem.h"

struct histogram *histogram_new(void) { return mem_alloc_zero(sizeof(struct histogram)); }

void histogram_free(struct histogram *histogram)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS / HISTOGRAM_ROW; i++)
        if (histogram->rows[i])
            mem_free(histogram->rows[i], HISTOGRAM_ROW * sizeof(uint32_t));
    mem_free(histogram, sizeof *histogram);
}

uint32_t *histogram_add_row(struct histogram *histogram, unsigned row)
{
    return histogram->rows[row] = mem_alloc_zero(HISTOGRAM_ROW * sizeof(uint32_t));
}

static uint32_t count_in(const struct histogram *histogram, unsigned bucket)
{
    const uint32_t *row = histogram->rows[bucket / HISTOGRAM_ROW];

    return row ? row[bucket % HISTOGRAM_ROW] : 0;
}

uint64_t histogram_bucket_end(uint64_t value)
{
    unsigned shift;

    if (value < 256)
        return value;
    shift = 56 - (unsigned)__builtin_clzll(value);
    return (value >> shift << shift) + (UINT64_C(1) << shift) - 1;
}

static uint64_t end_of_bucket(unsigned bucket)
{
    unsigned shift;

    if (bucket < 256)
        return bucket;
    shift = bucket / 128 - 1;
    return ((uint64_t)(bucket % 128 + 128 + 1) << shift) - 1;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
    uint64_t wanted = (uint64_t)(percent / 100 * (double)histogram->count + 0.5), seen = 0;

    if (!histogram->count)
        return 0;
    if (!wanted)
        wanted = 1;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += count_in(histogram, i);
        if (seen >= wanted)
            return end_of_bucket(i);
    }
    return end_of_bucket(HISTOGRAM_BUCKETS - 1);
}

uint64_t histogram_count_to(const struct histogram *histogram, uint64_t value)
{
    uint64_t count = 0;

    for (unsigned i = 0, last = histogram_bucket(value); i <= last; i++)
        count += count_in(histogram, i);
    return count;
}
