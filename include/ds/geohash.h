/* Places on the earth as numbers whose order keeps neighbours together.
 *
 * A geohash of 'steps' halves the ranges of longitude and latitude so many times each, and interleaves the
 * 2 * 'steps' bits, latitude in the even ones. With all GEO_STEPS it has 52 bits, which a double holds
 * exactly: the score of a member. All members within one cell of a shorter geohash have scores in one range,
 * so a search looks at the cell of its centre and the eight around it.
 *
 * Latitudes end at 85.05112878 degrees, as in the Mercator projection. Distances are those on a sphere. */
#ifndef TERN_DS_GEOHASH_H
#define TERN_DS_GEOHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEO_STEPS         26
#define GEO_LONGITUDE_MAX 180.0
#define GEO_LATITUDE_MAX  85.05112878

struct geo_point {
    double longitude, latitude; /* degrees */
};

static inline bool geo_point_is_valid(struct geo_point point)
{
    return point.longitude >= -GEO_LONGITUDE_MAX && point.longitude <= GEO_LONGITUDE_MAX &&
           point.latitude >= -GEO_LATITUDE_MAX && point.latitude <= GEO_LATITUDE_MAX;
}

/* The geohash of a valid point with all steps, and the middle of its cell. Any number is a geohash: what it
 * says beyond the ranges is cut off. */
uint64_t geohash_encode(struct geo_point point);
struct geo_point geohash_decode(uint64_t geohash);

/* A score that may be anything as a geohash. */
uint64_t geohash_of_score(double score);

/* The usual eleven letters and digits, which count latitudes to 90 degrees; the last is always 0. */
#define GEOHASH_TEXT_LEN 11
void geohash_text(struct geo_point point, char text[GEOHASH_TEXT_LEN]);

/* In metres. */
double geo_distance(struct geo_point a, struct geo_point b);

/* --- searching ----------------------------------------------------------------------------------- */

struct geo_shape {
    struct geo_point centre;
    bool is_box;
    double radius;        /* metres */
    double width, height; /* metres, of a box */
};

/* Whether the shape has the point; then also its distance from the centre. */
bool geo_shape_has(const struct geo_shape *shape, struct geo_point point, double *distance);

/* Geohashes from 'min' to 'max' - 1. */
struct geo_range {
    uint64_t min, max;
};

#define GEO_RANGES_MAX 9
/* The cells that cover a shape: the centre's first, then to the north, south, east, west, north-east,
 * north-west, south-east and south-west, without those that cannot have any of it. Returns their number. */
size_t geo_shape_ranges(const struct geo_shape *shape, struct geo_range ranges[GEO_RANGES_MAX]);

#endif
