/* How often values of which size came, to two significant digits: a logarithmic histogram whose buckets
 * are those of HdrHistogram with two digits (http://hdrhistogram.org), so that a percentile shows the
 * same digits as Redis's.
 *
 * A value below 256 has a bucket of its own; above, each power of two has 128 buckets. Values above
 * HISTOGRAM_VALUE_MAX count as that. */
#ifndef TERN_DS_HISTOGRAM_H
#define TERN_DS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_VALUE_MAX 1000000000u /* a second in nanoseconds */
#define HISTOGRAM_BUCKETS   (24 * HISTOGRAM_ROW)
#define HISTOGRAM_ROW       128

struct histogram {
    uint64_t count;
    uint32_t *rows[HISTOGRAM_BUCKETS / HISTOGRAM_ROW]; /* NULL: nothing counted there yet */
};

struct histogram *histogram_new(void);
void histogram_free(struct histogram *histogram);

uint32_t *histogram_add_row(struct histogram *histogram, unsigned row);

static inline unsigned histogram_bucket(uint64_t value)
{
    unsigned shift;

    if (value > HISTOGRAM_VALUE_MAX)
        value = HISTOGRAM_VALUE_MAX;
    if (value < 256)
        return (unsigned)value;
    shift = 56 - (unsigned)__builtin_clzll(value); /* value >> shift is from 128 to 255 */
    return shift * 128 + (unsigned)(value >> shift);
}

static inline void histogram_add(struct histogram *histogram, uint64_t value)
{
    unsigned bucket = histogram_bucket(value);
    uint32_t *row = histogram->rows[bucket / HISTOGRAM_ROW];

    if (__builtin_expect(!row, 0))
        row = histogram_add_row(histogram, bucket / HISTOGRAM_ROW);
    row[bucket % HISTOGRAM_ROW]++;
    histogram->count++;
}

/* The largest value that shares a bucket with this one. */
uint64_t histogram_bucket_end(uint64_t value);
/* Of 'percent' of all values none is larger (to the end of its bucket); 0 when there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);
/* How many values are not larger than the end of the bucket of 'value'. */
uint64_t histogram_count_to(const struct histogram *histogram, uint64_t value);

#endif
