/* Geohashes: known places, cells that hold their points, and searches against looking at every point. */
#include "unit.h"

#include "base/random.h"
#include "ds/geohash.h"

#include <math.h>

static double random_between(struct random *random, double min, double max)
{
    return min + (max - min) * (double)(random_next(random) >> 11) / 9007199254740992.0;
}

static struct geo_point random_point(struct random *random, double latitude_max)
{
    return (struct geo_point){random_between(random, -180, 180),
                              random_between(random, -latitude_max, latitude_max)};
}

static void known_places_have_their_geohash(void **state)
{
    static const struct {
        struct geo_point point;
        uint64_t geohash;
        const char *text;
    } places[] = {
        {{13.361389, 38.115556}, UINT64_C(3479099956230698), "sqc8b49rny0"},
        {{15.087269, 37.502669}, UINT64_C(3479447370796909), "sqdtr74hyu0"},
        {{12.758489, 38.788135}, UINT64_C(3479273021651468), NULL},
        {{-180, -85.05112878}, 0, "00bh0hbj200"},
        {{180, 85.05112878}, UINT64_C(13510798882111488), "bp05b5048p0"},
    };

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char text[GEOHASH_TEXT_LEN];

        assert_true(geo_point_is_valid(places[i].point));
        assert_true(geohash_encode(places[i].point) == places[i].geohash);
        geohash_text(geohash_decode(places[i].geohash), text);
        if (places[i].text)
            assert_memory_equal(text, places[i].text, GEOHASH_TEXT_LEN);
    }
}

static void a_cell_holds_its_point(void **state)
{
    struct random random;

    random_init(&random, 1);
    for (int step = 0; step < RANDOM_STEPS(100000); step++) {
        struct geo_point point = random_point(&random, GEO_LATITUDE_MAX);
        uint64_t geohash = geohash_encode(point);
        struct geo_point middle = geohash_decode(geohash);

        assert_true(geohash < UINT64_C(1) << 52);
        assert_true(fabs(middle.longitude - point.longitude) <= 360.0 / 67108864);
        assert_true(fabs(middle.latitude - point.latitude) <= 180.0 / 67108864);
        assert_true(geohash_encode(middle) == geohash);
        assert_true(geohash_of_score((double)geohash) == geohash);
    }
}

static void any_number_is_a_geohash(void **state)
{
    static const double scores[] = {0,     -1,        1.5,      3.5,       1e15, 4503599627370496.0,
                                    -1e18, 1e19,      1e20,     1e300,     -1e300, 9223372036854775808.0,
                                    -0.5,  HUGE_VAL,  -HUGE_VAL};

    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        char text[GEOHASH_TEXT_LEN];
        struct geo_point point = geohash_decode(geohash_of_score(scores[i]));

        assert_true(geo_point_is_valid(point));
        geohash_text(point, text);
    }
    assert_true(geohash_of_score(3.5) == 3);
    assert_true(geohash_of_score(-1) == UINT64_MAX);
    assert_true(geohash_of_score(1e300) == 0);
    assert_true(geohash_decode(UINT64_MAX).longitude == GEO_LONGITUDE_MAX);
}

static void what_is_beyond_the_map_is_told_apart(void **state)
{
    assert_false(geo_point_is_valid((struct geo_point){180.1, 0}));
    assert_false(geo_point_is_valid((struct geo_point){-180.1, 0}));
    assert_false(geo_point_is_valid((struct geo_point){0, 85.06}));
    assert_false(geo_point_is_valid((struct geo_point){0, -85.06}));
    assert_false(geo_point_is_valid((struct geo_point){(double)NAN, 0}));
}

static void distances_are_those_on_the_sphere(void **state)
{
    struct geo_point palermo = geohash_decode(UINT64_C(3479099956230698));
    struct geo_point catania = geohash_decode(UINT64_C(3479447370796909));
    struct random random;

    assert_true(fabs(geo_distance(palermo, catania) - 166274.1516) < 0.0001);
    assert_true(geo_distance(palermo, palermo) == 0);
    random_init(&random, 2);
    for (int step = 0; step < RANDOM_STEPS(10000); step++) {
        struct geo_point a = random_point(&random, 85), b = random_point(&random, 85), c = a;
        double d = geo_distance(a, b);

        assert_true(d >= 0 && d <= M_PI * 6372797.560856 + 1);
        assert_true(fabs(d - geo_distance(b, a)) < 1e-3);
        c.latitude = b.latitude; /* along the meridian: the angle itself */
        assert_true(fabs(geo_distance(a, c) - fabs(a.latitude - c.latitude) * 111226.3) < 100);
    }
}

static struct geo_shape random_shape(struct random *random)
{
    struct geo_shape shape = {.centre = {random_between(random, -150, 150), random_between(random, -60, 60)},
                              .is_box = random_below(random, 2)};
    double size = pow(10, random_between(random, 0, 6));

    shape.radius = size;
    shape.width = random_between(random, 0, 2 * size);
    shape.height = random_between(random, 0, 2 * size);
    return shape;
}

/* Near the shape, so that about half of them are in it. */
static struct geo_point point_near(struct random *random, const struct geo_shape *shape)
{
    double reach = (shape->is_box ? shape->width + shape->height : 2 * shape->radius) / 60000;
    struct geo_point point = {shape->centre.longitude + random_between(random, -reach, reach),
                              shape->centre.latitude + random_between(random, -reach, reach) / 2};

    return geo_point_is_valid(point) ? point : shape->centre;
}

static void the_cells_have_all_of_a_shape(void **state)
{
    struct random random;
    int inside = 0;

    random_init(&random, 3);
    for (int step = 0; step < RANDOM_STEPS(20000); step++) {
        struct geo_shape shape = random_shape(&random);
        struct geo_range ranges[GEO_RANGES_MAX];
        size_t count = geo_shape_ranges(&shape, ranges);

        assert_in_range(count, 1, GEO_RANGES_MAX);
        for (int i = 0; i < 20; i++) {
            uint64_t geohash = geohash_encode(point_near(&random, &shape));
            bool is_covered = false;
            double distance;

            if (!geo_shape_has(&shape, geohash_decode(geohash), &distance))
                continue;
            inside++;
            for (size_t range = 0; range < count; range++)
                is_covered |= geohash >= ranges[range].min && geohash < ranges[range].max;
            assert_true(is_covered);
        }
    }
    assert_true(inside > RANDOM_STEPS(20000));
}

static void no_two_cells_overlap(void **state)
{
    struct random random;

    random_init(&random, 4);
    for (int step = 0; step < RANDOM_STEPS(20000); step++) {
        struct geo_shape shape = random_shape(&random);
        struct geo_range ranges[GEO_RANGES_MAX];
        size_t count;

        if (step % 2)
            shape.radius = shape.width = shape.height = pow(10, random_between(&random, 5, 9));
        shape.centre = random_point(&random, GEO_LATITUDE_MAX);
        count = geo_shape_ranges(&shape, ranges);
        for (size_t a = 0; a < count; a++)
            for (size_t b = 0; b < a; b++)
                assert_true(ranges[a].min >= ranges[b].max || ranges[b].min >= ranges[a].max);
    }
}

static void edges_and_endless_shapes_have_cells(void **state)
{
    static const struct geo_point centres[] = {{0, 0},     {180, 85.05112878}, {-180, -85.05112878}, {180, 0},
                                               {0, 85.05}, {-180, 85.05112878}};
    static const double sizes[] = {0, 1e-3, 1, 1e6, 2e7, 1e9, 1e300, HUGE_VAL};

    for (size_t i = 0; i < sizeof centres / sizeof *centres; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
            for (int is_box = 0; is_box <= 1; is_box++) {
                struct geo_shape shape = {centres[i], is_box, sizes[j], sizes[j], sizes[j]};
                struct geo_range ranges[GEO_RANGES_MAX];

                assert_in_range(geo_shape_ranges(&shape, ranges), 1, GEO_RANGES_MAX);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_places_have_their_geohash),
        cmocka_unit_test(a_cell_holds_its_point),
        cmocka_unit_test(any_number_is_a_geohash),
        cmocka_unit_test(what_is_beyond_the_map_is_told_apart),
        cmocka_unit_test(distances_are_those_on_the_sphere),
        cmocka_unit_test(the_cells_have_all_of_a_shape),
        cmocka_unit_test(no_two_cells_overlap),
        cmocka_unit_test(edges_and_endless_shapes_have_cells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
