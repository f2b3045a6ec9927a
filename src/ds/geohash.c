/* Geohashes: encoding, decoding, and the cells around a search. */
#include "ds/geohash.h"

#include "base/elementary.h"

#include <math.h>

#define EARTH_RADIUS 6372797.560856 /* metres */
#define MERCATOR_MAX 20037726.37    /* metres: half of the map's width */

/* Degrees. */
struct area {
    double west, east, south, north;
};

/* A geohash with fewer steps. */
struct cell {
    uint64_t bits;
    unsigned steps;
};

static const struct area world = {-GEO_LONGITUDE_MAX, GEO_LONGITUDE_MAX, -GEO_LATITUDE_MAX,
                                  GEO_LATITUDE_MAX};

static double radians(double degrees) { return degrees * (M_PI / 180.0); }
static double degrees(double angle) { return angle / (M_PI / 180.0); }

/* --- bits -------------------------------------------------------------------------------------------- */

/* The 32 bits go to the even places: each step moves the upper half of every piece to twice its place. */
static uint64_t spread(uint32_t number)
{
    uint64_t bits = number;

    bits = (bits | bits << 16) & UINT64_C(0x0000ffff0000ffff);
    bits = (bits | bits << 8) & UINT64_C(0x00ff00ff00ff00ff);
    bits = (bits | bits << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    bits = (bits | bits << 2) & UINT64_C(0x3333333333333333);
    return (bits | bits << 1) & UINT64_C(0x5555555555555555);
}

static uint32_t gather(uint64_t bits)
{
    bits &= UINT64_C(0x5555555555555555);
    bits = (bits | bits >> 1) & UINT64_C(0x3333333333333333);
    bits = (bits | bits >> 2) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    bits = (bits | bits >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    bits = (bits | bits >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(bits | bits >> 16);
}

static uint64_t encode(struct geo_point point, const struct area *area, unsigned steps)
{
    double latitude = (point.latitude - area->south) / (area->north - area->south);
    double longitude = (point.longitude - area->west) / (area->east - area->west);
    double places = (double)(UINT64_C(1) << steps);

    return spread((uint32_t)(latitude * places)) | spread((uint32_t)(longitude * places)) << 1;
}

/* The cell's own area. The place after the highest of 32 bits is the first, as in Redis; it is cut off. */
static struct area cell_area(struct cell cell)
{
    uint32_t latitude = gather(cell.bits), longitude = gather(cell.bits >> 1);
    double places = (double)(UINT64_C(1) << cell.steps);
    double width = world.east - world.west, height = world.north - world.south;

    return (struct area){
        .west = world.west + (longitude / places) * width,
        .east = world.west + ((longitude + 1u) / places) * width,
        .south = world.south + (latitude / places) * height,
        .north = world.south + ((latitude + 1u) / places) * height,
    };
}

static double limited(double value, double limit)
{
    return value > limit ? limit : value < -limit ? -limit : value;
}

uint64_t geohash_encode(struct geo_point point) { return encode(point, &world, GEO_STEPS); }

struct geo_point geohash_decode(uint64_t geohash)
{
    struct area area = cell_area((struct cell){geohash, GEO_STEPS});

    return (struct geo_point){limited((area.west + area.east) / 2, GEO_LONGITUDE_MAX),
                              limited((area.south + area.north) / 2, GEO_LATITUDE_MAX)};
}

uint64_t geohash_of_score(double score)
{
    const double half = 9223372036854775808.0;

    if (score >= -half && score < half)
        return (uint64_t)(int64_t)score;
    return score >= half && score < 2 * half ? (uint64_t)score : 0;
}

void geohash_text(struct geo_point point, char text[GEOHASH_TEXT_LEN])
{
    static const char alphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";
    static const struct area all = {-180, 180, -90, 90};
    uint64_t bits = encode(point, &all, GEO_STEPS);

    for (unsigned i = 0; i < GEOHASH_TEXT_LEN - 1; i++)
        text[i] = alphabet[bits >> (2 * GEO_STEPS - 5 * (i + 1)) & 31];
    text[GEOHASH_TEXT_LEN - 1] = '0'; /* two bits are left, which are not said */
}

/* --- distances --------------------------------------------------------------------------------------- */

static double latitude_distance(double a, double b) { return EARTH_RADIUS * fabs(radians(b) - radians(a)); }

/* The haversine formula. */
double geo_distance(struct geo_point a, struct geo_point b)
{
    double v = double_sin((radians(b.longitude) - radians(a.longitude)) / 2), u, h;

    if (v == 0.0)
        return latitude_distance(a.latitude, b.latitude);
    u = double_sin((radians(b.latitude) - radians(a.latitude)) / 2);
    h = u * u + double_cos(radians(a.latitude)) * double_cos(radians(b.latitude)) * v * v;
    return 2.0 * EARTH_RADIUS * double_asin(__builtin_sqrt(h));
}

/* A point is in a box when it is near enough along its meridian and along its parallel. */
static bool box_has(const struct geo_shape *box, struct geo_point point)
{
    struct geo_point beside = {box->centre.longitude, point.latitude};

    return !(latitude_distance(point.latitude, box->centre.latitude) > box->height / 2) &&
           !(geo_distance(point, beside) > box->width / 2);
}

bool geo_shape_has(const struct geo_shape *shape, struct geo_point point, double *distance)
{
    if (shape->is_box && !box_has(shape, point))
        return false;
    *distance = geo_distance(shape->centre, point);
    return shape->is_box || !(*distance > shape->radius); /* none to the opposite point: rounding */
}

/* --- cells ------------------------------------------------------------------------------------------- */

/* The cell so many to the east and to the north; beyond the map it goes on at the other side. A cell beyond
 * the map, of a point on its very edge, stays there in the direction that it does not move in. */
static struct cell neighbour(struct cell cell, int east, int north)
{
    uint32_t mask = (uint32_t)((UINT64_C(1) << cell.steps) - 1);
    uint32_t longitude = gather(cell.bits >> 1), latitude = gather(cell.bits);

    if (east)
        longitude = (longitude + (uint32_t)east) & mask;
    if (north)
        latitude = (latitude + (uint32_t)north) & mask;
    return (struct cell){spread(latitude) | spread(longitude) << 1, cell.steps};
}

/* As many steps as leave cells of about the radius. Near the poles cells are narrow, so fewer. */
static unsigned estimate_steps(double radius, double latitude)
{
    int steps = 1;

    if (radius == 0)
        return GEO_STEPS;
    for (; radius < MERCATOR_MAX; radius *= 2)
        steps++;
    steps -= 2; /* the nine cells then have the whole circle in nearly all cases */
    if (latitude > 66 || latitude < -66)
        steps -= latitude > 80 || latitude < -80 ? 2 : 1;
    return (unsigned)(steps < 1 ? 1 : steps > GEO_STEPS ? GEO_STEPS : steps);
}

/* What a shape may reach. The parallel that is nearer to the pole has the more degrees. */
static struct area bounding_area(const struct geo_shape *shape)
{
    double width = shape->is_box ? shape->width / 2 : shape->radius;
    double height = shape->is_box ? shape->height / 2 : shape->radius;
    struct geo_point centre = shape->centre;
    double up = degrees(height / EARTH_RADIUS);
    double polar = centre.latitude < 0 ? centre.latitude - up : centre.latitude + up;
    double aside = degrees(width / EARTH_RADIUS / double_cos(radians(polar)));

    return (struct area){centre.longitude - aside, centre.longitude + aside, centre.latitude - up,
                         centre.latitude + up};
}

/* Whether the cells around one end before 'bounds' do. */
static bool falls_short(struct cell cell, const struct area *bounds)
{
    return cell_area(neighbour(cell, 0, 1)).north < bounds->north ||
           cell_area(neighbour(cell, 0, -1)).south > bounds->south ||
           cell_area(neighbour(cell, 1, 0)).east < bounds->east ||
           cell_area(neighbour(cell, -1, 0)).west > bounds->west;
}

static struct cell centre_cell(const struct geo_shape *shape, const struct area *bounds)
{
    double reach = shape->is_box ? __builtin_sqrt((shape->width / 2) * (shape->width / 2) +
                                        (shape->height / 2) * (shape->height / 2))
                                 : shape->radius;
    struct cell cell = {.steps = estimate_steps(reach, shape->centre.latitude)};

    cell.bits = encode(shape->centre, &world, cell.steps);
    if (cell.steps > 1 && falls_short(cell, bounds))
        cell.bits = encode(shape->centre, &world, --cell.steps);
    return cell;
}

/* Cells of one step are halves of the map: all of them may have some of the shape. */
static bool is_useless(struct cell centre, const struct area *bounds, int east, int north)
{
    struct area area = cell_area(centre);

    if (centre.steps < 2)
        return false;
    return (north < 0 && area.south < bounds->south) || (north > 0 && area.north > bounds->north) ||
           (east < 0 && area.west < bounds->west) || (east > 0 && area.east > bounds->east);
}

static bool is_empty(struct cell cell) { return !cell.bits && !cell.steps; }

size_t geo_shape_ranges(const struct geo_shape *shape, struct geo_range ranges[GEO_RANGES_MAX])
{
    static const struct {
        int east, north;
    } around[GEO_RANGES_MAX] = {{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
    struct area bounds = bounding_area(shape);
    struct cell centre = centre_cell(shape, &bounds), last = {0};
    size_t count = 0;

    for (size_t i = 0; i < GEO_RANGES_MAX; i++) {
        struct cell cell = neighbour(centre, around[i].east, around[i].north);
        unsigned shift = 2 * (GEO_STEPS - cell.steps);

        if (is_useless(centre, &bounds, around[i].east, around[i].north))
            continue;
        if (!is_empty(last) && last.bits == cell.bits) /* of a small map both sides are one cell */
            continue;
        last = cell;
        ranges[count++] = (struct geo_range){cell.bits << shift, (cell.bits + 1) << shift};
    }
    return count;
}
