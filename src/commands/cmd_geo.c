/* Places: sorted sets whose scores are geohashes. Searches are in cmd_geo_search.c. */
#include "cmd_geo_internal.h"

#include "base/mem.h"
#include "base/numbers.h"
#include "cmd_zset_internal.h"
#include "engine/propagate.h"

#include <math.h>
#include <stdio.h>

static const struct event_kind EVENT_ZADD = {EVENT_CLASS_ZSET, "zadd"};

/* --- shared ------------------------------------------------------------------------------------------ */

bool geo_point_or_reply(struct request *req, int at, struct geo_point *point)
{
    if (!parse_double_or_reply(req, at, &point->longitude) ||
        !parse_double_or_reply(req, at + 1, &point->latitude))
        return false;
    if (geo_point_is_valid(*point))
        return true;
    reply_error_format(req, "ERR invalid longitude,latitude pair %f,%f", point->longitude, point->latitude);
    return false;
}

bool geo_unit_or_reply(struct request *req, int at, double *metres)
{
    static const struct {
        const char *name;
        double metres;
    } units[] = {{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (argument_is(req, at, units[i].name)) {
            *metres = units[i].metres;
            return true;
        }
    reply_error(req, "ERR unsupported unit provided. please use M, KM, FT, MI");
    return false;
}

void geo_reply_distance(struct request *req, double distance)
{
    long long tenthousandths = isnan(distance) ? 0 : llrint(distance * 10000);
    char text[48];
    int len = snprintf(text, sizeof text, "%lld.%04lld", tenthousandths / 10000, tenthousandths % 10000);

    reply_bulk(req, (struct bytes){text, (size_t)len});
}

/* As a double, but with the digits that a long double would have. */
static void reply_coordinate(struct request *req, double degrees)
{
    char text[LONG_DOUBLE_TEXT_MAX + 3];
    size_t len = long_double_format(text + 1, degrees);

    if (req->client->resp == 2) {
        reply_bulk(req, (struct bytes){text + 1, len});
        return;
    }
    text[0] = ',';
    memcpy(text + 1 + len, "\r\n", 2);
    reply_raw(req, (struct bytes){text, len + 3});
}

void geo_reply_point(struct request *req, struct geo_point point)
{
    reply_array(req, 2);
    reply_coordinate(req, point.longitude);
    reply_coordinate(req, point.latitude);
}

static bool member_point(const struct key_ref *ref, struct bytes member, struct geo_point *point)
{
    double score;

    if (!ref->entry || !zset_score(zset_at(ref), hashed(member), &score))
        return false;
    *point = geohash_decode(geohash_of_score(score));
    return true;
}

/* --- adding ------------------------------------------------------------------------------------------ */

struct addition {
    unsigned flags; /* ZSET_* */
    bool counts_changed;
    int first; /* argument with the first longitude */
    int count;
    int64_t *geohashes;
};

static bool parse_options_or_reply(struct request *req, struct addition *add)
{
    for (add->first = 2; add->first < req->argc; add->first++) {
        if (argument_is(req, add->first, "nx"))
            add->flags |= ZSET_IF_ABSENT;
        else if (argument_is(req, add->first, "xx"))
            add->flags |= ZSET_IF_PRESENT;
        else if (argument_is(req, add->first, "ch"))
            add->counts_changed = true;
        else
            break;
    }
    add->count = (req->argc - add->first) / 3;
    if (add->count && (req->argc - add->first) % 3 == 0 &&
        add->flags != (ZSET_IF_ABSENT | ZSET_IF_PRESENT))
        return true;
    reply_syntax_error(req);
    return false;
}

static bool parse_points_or_reply(struct request *req, struct addition *add)
{
    for (int i = 0; i < add->count; i++) {
        struct geo_point point;

        if (!geo_point_or_reply(req, add->first + 3 * i, &point))
            return false;
        add->geohashes[i] = (int64_t)geohash_encode(point);
    }
    return true;
}

static struct bytes added_member(const struct request *req, const struct addition *add, int i)
{
    return req->argv[add->first + 3 * i + 2];
}

/* What travels: the scores, which are integers. */
static void propagate_as_zadd(struct request *req, const struct addition *add)
{
    size_t argc = (size_t)(add->first + 2 * add->count), texts_size = (size_t)add->count * INT64_TEXT_MAX;
    struct bytes *argv = mem_alloc(argc * sizeof *argv), *next = argv + add->first;
    char *texts = mem_alloc(texts_size), *text = texts;

    memcpy(argv, req->argv, (size_t)add->first * sizeof *argv);
    argv[0] = BYTES("ZADD");
    for (int i = 0; i < add->count; i++, text += INT64_TEXT_MAX) {
        *next++ = (struct bytes){text, int64_format(text, add->geohashes[i])};
        *next++ = added_member(req, add, i);
    }
    propagate_instead(req, (int)argc, argv);
    mem_free(argv, argc * sizeof *argv);
    mem_free(texts, texts_size);
}

static void add_points(struct request *req, struct key_ref *ref, const struct addition *add)
{
    size_t count = (size_t)add->count;
    int64_t added = 0, changed = 0;

    if (ref->entry)
        zset_expect(zset_at(ref), count);
    else
        store_add(ref, req->argv[1], VALUE_ZSET, zset_new(count, added_member(req, add, 0).len));
    for (int i = 0; i < add->count; i++) {
        enum zset_outcome outcome = zset_add(zset_at(ref), (double)add->geohashes[i],
                                             hashed(added_member(req, add, i)), add->flags, NULL);

        added += outcome == ZSET_ADDED;
        changed += outcome == ZSET_CHANGED;
    }
    if (added + changed) {
        key_changed(req, req->db, req->argv[1], &EVENT_ZADD, added + changed);
        propagate_as_zadd(req, add);
    }
    reply_int(req, added + (add->counts_changed ? changed : 0));
}

static void cmd_geoadd(struct request *req)
{
    struct addition add = {0};
    struct key_ref ref;

    if (!parse_options_or_reply(req, &add))
        return;
    add.geohashes = mem_alloc((size_t)add.count * sizeof *add.geohashes);
    if (parse_points_or_reply(req, &add) &&
        key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_WRITE, &ref)) {
        if (ref.entry || !(add.flags & ZSET_IF_PRESENT))
            add_points(req, &ref, &add);
        else
            reply_int(req, 0);
    }
    mem_free(add.geohashes, (size_t)add.count * sizeof *add.geohashes);
}

/* --- looking ----------------------------------------------------------------------------------------- */

static void cmd_geodist(struct request *req)
{
    struct geo_point a, b;
    struct key_ref ref;
    double unit = 1;

    if (req->argc > 5) {
        reply_syntax_error(req);
        return;
    }
    if ((req->argc == 5 && !geo_unit_or_reply(req, 4, &unit)) ||
        !key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_READ, &ref))
        return;
    if (member_point(&ref, req->argv[2], &a) && member_point(&ref, req->argv[3], &b))
        geo_reply_distance(req, geo_distance(a, b) / unit);
    else
        reply_null(req);
}

static void cmd_geohash(struct request *req)
{
    char text[GEOHASH_TEXT_LEN];
    struct geo_point point;
    struct key_ref ref;

    if (!key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_READ, &ref))
        return;
    reply_array(req, (size_t)req->argc - 2);
    for (int i = 2; i < req->argc; i++) {
        if (!member_point(&ref, req->argv[i], &point)) {
            reply_null(req);
            continue;
        }
        geohash_text(point, text);
        reply_bulk(req, (struct bytes){text, sizeof text});
    }
}

static void cmd_geopos(struct request *req)
{
    struct geo_point point;
    struct key_ref ref;

    if (!key_find_or_reply(req, 1, VALUE_ZSET, LOOKUP_READ, &ref))
        return;
    reply_array(req, (size_t)req->argc - 2);
    for (int i = 2; i < req->argc; i++) {
        if (member_point(&ref, req->argv[i], &point))
            geo_reply_point(req, point);
        else
            reply_null_array(req);
    }
}

/* --- the table --------------------------------------------------------------------------------------- */

static const struct key_rule adds[] = ZSET_ONE_KEY(KEY_RW | KEY_UPDATE);

static const struct command geo_commands[] = {
    {"geoadd", cmd_geoadd, -5, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "3.2.0", "O(log(N)) a member",
     "key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]",
     "Adds places to a sorted set or moves them, creating it when absent.", adds,
     .history = "6.2.0 CH, NX and XX.",
     .argument_since = "condition 6.2.0, CH 6.2.0"},
    {"geodist", cmd_geodist, -4, CMD_READONLY, {1, 1, 1}, NULL, "3.2.0", "O(1)",
     "key member1 member2 [M | KM | FT | MI]", "Returns the distance between two places."},
    {"geohash", cmd_geohash, -2, CMD_READONLY, {1, 1, 1}, NULL, "3.2.0", "O(1) a member",
     "key [member [member ...]]", "Returns places as the letters and digits of a geohash."},
    {"geopos", cmd_geopos, -2, CMD_READONLY, {1, 1, 1}, NULL, "3.2.0", "O(1) a member",
     "key [member [member ...]]", "Returns longitude and latitude of places."},
};
REGISTER_COMMANDS("geo", geo_commands);
