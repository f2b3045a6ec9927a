/* Searches for places: GEOSEARCH and GEOSEARCHSTORE, and the older GEORADIUS, GEORADIUSBYMEMBER. One search,
 * told in three ways.
 *
 *     parse     the old commands begin with centre and radius; options follow, in any order
 *     gather    members in the cells around the centre that are in the shape, in the order of their scores
 *     finish    sort, cut, and reply or store */
#include "cmd_geo_internal.h"

#include "base/mem.h"
#include "base/numbers.h"
#include "base/text.h"
#include "cmd_zset_internal.h"
#include "ds/range_sort.h"

static const struct event_kind EVENT_GEOSEARCHSTORE = {EVENT_CLASS_ZSET, "geosearchstore"};
static const struct event_kind EVENT_GEORADIUSSTORE = {EVENT_CLASS_ZSET, "georadiusstore"};

#define ERR_NO_MEMBER "ERR could not decode requested zset member"

enum search_kind { SEARCH, SEARCH_AND_STORE, RADIUS, RADIUS_READONLY };
enum search_order { ORDER_NONE, ORDER_ASC, ORDER_DESC };

struct search {
    enum search_kind kind;
    const struct zset *source; /* NULL: absent */
    int store_at;              /* argument with the key to store at; 0: reply */
    bool stores_distance;
    bool with_distance, with_hash, with_point;
    bool has_point, has_member, has_radius;
    enum search_order order;
    bool takes_any;
    int64_t count; /* 0: all */
    double unit;   /* metres */
    struct geo_shape shape;
};

static bool is_new_kind(const struct search *search) { return search->kind <= SEARCH_AND_STORE; }

/* --- centre and shape -------------------------------------------------------------------------------- */

/* The centre is a member. When there is no set at all that is no mistake. */
static bool parse_member_or_reply(struct request *req, int at, struct search *search)
{
    double score;

    search->has_member = true;
    if (!search->source)
        return true;
    if (!zset_score(search->source, request_member(req, at), &score)) {
        reply_error(req, ERR_NO_MEMBER);
        return false;
    }
    search->shape.centre = geohash_decode(geohash_of_score(score));
    return true;
}

static bool parse_size_or_reply(struct request *req, int at, const char *error, double *size)
{
    if (double_parse(req->argv[at], size))
        return true;
    reply_error(req, error);
    return false;
}

/* A radius and its unit. */
static bool parse_radius_or_reply(struct request *req, int at, struct search *search)
{
    if (!parse_size_or_reply(req, at, "ERR need numeric radius", &search->shape.radius))
        return false;
    if (search->shape.radius < 0) {
        reply_error(req, "ERR radius cannot be negative");
        return false;
    }
    if (!geo_unit_or_reply(req, at + 1, &search->unit))
        return false;
    search->shape.radius *= search->unit;
    search->has_radius = true;
    return true;
}

/* Width, height, and their unit. */
static bool parse_box_or_reply(struct request *req, int at, struct search *search)
{
    struct geo_shape *box = &search->shape;

    if (!parse_size_or_reply(req, at, "ERR need numeric width", &box->width) ||
        !parse_size_or_reply(req, at + 1, "ERR need numeric height", &box->height))
        return false;
    if (box->width < 0 || box->height < 0) {
        reply_error(req, "ERR height or width cannot be negative");
        return false;
    }
    if (!geo_unit_or_reply(req, at + 2, &search->unit))
        return false;
    box->width *= search->unit;
    box->height *= search->unit;
    box->is_box = true;
    return true;
}

/* --- options ----------------------------------------------------------------------------------------- */

/* An option takes some arguments (0: it is none), or has replied an error. */
#define REPLIED (-1)

static int take_word(struct request *req, int at, struct search *search)
{
    if (argument_is(req, at, "withdist"))
        search->with_distance = true;
    else if (argument_is(req, at, "withhash"))
        search->with_hash = true;
    else if (argument_is(req, at, "withcoord"))
        search->with_point = true;
    else if (argument_is(req, at, "any"))
        search->takes_any = true;
    else if (argument_is(req, at, "asc"))
        search->order = ORDER_ASC;
    else if (argument_is(req, at, "desc"))
        search->order = ORDER_DESC;
    else if (search->kind == SEARCH_AND_STORE && argument_is(req, at, "storedist"))
        search->stores_distance = true;
    else
        return 0;
    return 1;
}

static int take_count(struct request *req, int at, struct search *search)
{
    if (!argument_is(req, at, "count") || at + 1 >= req->argc)
        return 0;
    if (!parse_int_or_reply(req, at + 1, &search->count))
        return REPLIED;
    if (search->count > 0)
        return 2;
    reply_error(req, "ERR COUNT must be > 0");
    return REPLIED;
}

static int take_store(struct request *req, int at, struct search *search)
{
    bool is_distance = argument_is(req, at, "storedist");

    if (search->kind != RADIUS || at + 1 >= req->argc ||
        (!is_distance && !argument_is(req, at, "store")))
        return 0;
    search->store_at = at + 1;
    search->stores_distance = is_distance;
    return 2;
}

static int take_shape(struct request *req, int at, struct search *search)
{
    int behind = req->argc - at - 1;

    if (!is_new_kind(search))
        return 0;
    if (argument_is(req, at, "frommember") && behind >= 1 && !search->has_point)
        return parse_member_or_reply(req, at + 1, search) ? 2 : REPLIED;
    if (argument_is(req, at, "fromlonlat") && behind >= 2 && !search->has_member) {
        search->has_point = true;
        return geo_point_or_reply(req, at + 1, &search->shape.centre) ? 3 : REPLIED;
    }
    if (argument_is(req, at, "byradius") && behind >= 2 && !search->shape.is_box)
        return parse_radius_or_reply(req, at + 1, search) ? 3 : REPLIED;
    if (argument_is(req, at, "bybox") && behind >= 3 && !search->has_radius)
        return parse_box_or_reply(req, at + 1, search) ? 4 : REPLIED;
    return 0;
}

static bool parse_options_or_reply(struct request *req, int at, struct search *search)
{
    typedef int take_option(struct request *req, int at, struct search *search);
    static take_option *const takers[] = {take_word, take_count, take_store, take_shape};

    while (at < req->argc) {
        int taken = 0;

        for (size_t i = 0; !taken && i < sizeof takers / sizeof *takers; i++)
            taken = takers[i](req, at, search);
        if (taken == 0)
            reply_syntax_error(req);
        if (taken <= 0)
            return false;
        at += taken;
    }
    return true;
}

static bool options_agree_or_reply(struct request *req, const struct search *search)
{
    struct bytes name = req->argv[0];

    if (search->store_at && (search->with_distance || search->with_hash || search->with_point))
        reply_error_format(req,
                           "ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                           is_new_kind(search) ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
    else if (is_new_kind(search) && !search->has_point && !search->has_member)
        reply_error_format(req, "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %.*s",
                           (int)name.len, name.data);
    else if (is_new_kind(search) && !search->has_radius && !search->shape.is_box)
        reply_error_format(req, "ERR exactly one of BYRADIUS and BYBOX can be specified for %.*s",
                           (int)name.len, name.data);
    else if (search->takes_any && !search->count)
        reply_error(req, "ERR the ANY argument requires COUNT argument");
    else
        return true;
    return false;
}

/* --- gathering --------------------------------------------------------------------------------------- */

struct found {
    double distance;
    double score;
    struct geo_point point;
    size_t order;   /* in which it was found */
    size_t name_at; /* of the member, in the names */
    size_t name_len;
};

struct findings {
    struct found *list;
    size_t count, size; /* size: of the list, in elements */
    struct text names;
};

static struct bytes found_name(const struct findings *findings, const struct found *found)
{
    return (struct bytes){findings->names.data + found->name_at, found->name_len};
}

static void add_found(struct findings *findings, const struct zset_item *item, struct geo_point point,
                      double distance)
{
    size_t size = findings->size;

    if (findings->count == size) {
        findings->size = size ? 2 * size : 16;
        findings->list = mem_resize(findings->list, size * sizeof *findings->list,
                                    findings->size * sizeof *findings->list);
    }
    findings->list[findings->count] = (struct found){
        distance, item->score, point, findings->count, findings->names.len, item->member.len};
    findings->count++;
    text_add(&findings->names, item->member);
}

/* False when there are as many as may be. */
static bool gather_range(const struct search *search, const struct geo_range *range, size_t limit,
                         struct findings *findings)
{
    struct score_range scores = {(double)range->min, (double)range->max, false, true};
    struct zset_span span = zset_span_of_scores(search->source, &scores);
    struct zset_iter iter;
    struct zset_item item;

    zset_iter_init(&iter, search->source, span.first, false);
    for (size_t i = 0; i < span.count && zset_iter_next(&iter, &item); i++) {
        struct geo_point point = geohash_decode(geohash_of_score(item.score));
        double distance;

        if (!geo_shape_has(&search->shape, point, &distance))
            continue;
        add_found(findings, &item, point, distance);
        if (findings->count == limit)
            return false;
    }
    return true;
}

static void gather(const struct search *search, struct findings *findings)
{
    size_t limit = search->takes_any ? (size_t)search->count : SIZE_MAX, count;
    struct geo_range ranges[GEO_RANGES_MAX];

    count = geo_shape_ranges(&search->shape, ranges);
    for (size_t i = 0; i < count; i++)
        if (!gather_range(search, &ranges[i], limit, findings))
            return;
}

static void findings_release(struct findings *findings)
{
    mem_free(findings->list, findings->size * sizeof *findings->list);
    text_release(&findings->names);
}

/* --- finishing --------------------------------------------------------------------------------------- */

static int by_order(const struct found *a, const struct found *b)
{
    return (a->order > b->order) - (a->order < b->order);
}

static int nearest_first(const void *a, const void *b)
{
    const struct found *left = a, *right = b;
    int sign = (left->distance > right->distance) - (left->distance < right->distance);

    return sign ? sign : by_order(left, right);
}

static int farthest_first(const void *a, const void *b)
{
    const struct found *left = a, *right = b;
    int sign = (left->distance < right->distance) - (left->distance > right->distance);

    return sign ? sign : by_order(left, right);
}

/* Puts those that are wanted in front; returns their number. With a count, the nearest are wanted. */
static size_t choose(const struct search *search, struct findings *findings)
{
    enum search_order order = search->order;
    size_t wanted = findings->count;

    if (search->count && (uint64_t)search->count < wanted)
        wanted = (size_t)search->count;
    if (order == ORDER_NONE && search->count && !search->takes_any)
        order = ORDER_ASC;
    if (order != ORDER_NONE)
        range_sort(findings->list, findings->count, sizeof *findings->list, 0, wanted,
                   order == ORDER_ASC ? nearest_first : farthest_first);
    return wanted;
}

static void reply_findings(struct request *req, const struct search *search,
                           const struct findings *findings, size_t count)
{
    size_t extras = (size_t)search->with_distance + search->with_hash + search->with_point;

    reply_array(req, count);
    for (size_t i = 0; i < count; i++) {
        const struct found *found = &findings->list[i];

        if (extras)
            reply_array(req, 1 + extras);
        reply_bulk(req, found_name(findings, found));
        if (search->with_distance)
            geo_reply_distance(req, found->distance / search->unit);
        if (search->with_hash)
            reply_int(req, (int64_t)geohash_of_score(found->score));
        if (search->with_point)
            geo_reply_point(req, found->point);
    }
}

static void store_findings(struct request *req, const struct search *search,
                           const struct findings *findings, size_t count)
{
    struct zset *set = zset_new(count, count ? findings->list[0].name_len : 0);

    for (size_t i = 0; i < count; i++) {
        const struct found *found = &findings->list[i];

        zset_add(set, search->stores_distance ? found->distance / search->unit : found->score,
                 hashed(found_name(findings, found)), 0, NULL);
    }
    zset_store_and_reply(req, search->store_at, set,
                         is_new_kind(search) ? &EVENT_GEOSEARCHSTORE : &EVENT_GEORADIUSSTORE);
}

/* From the options on. */
static void run(struct request *req, int options_at, struct search *search)
{
    struct findings findings = {0};
    size_t count;

    if (!parse_options_or_reply(req, options_at, search) || !options_agree_or_reply(req, search))
        return;
    if (search->source)
        gather(search, &findings);
    count = choose(search, &findings);
    if (search->store_at)
        store_findings(req, search, &findings, count);
    else
        reply_findings(req, search, &findings, count);
    findings_release(&findings);
}

/* --- the commands ------------------------------------------------------------------------------------ */

static bool find_source_or_reply(struct request *req, int at, struct search *search)
{
    struct key_ref ref;

    if (!key_find_or_reply(req, at, VALUE_ZSET, LOOKUP_READ, &ref))
        return false;
    search->source = ref.entry ? zset_at(&ref) : NULL;
    return true;
}

static void cmd_geosearch(struct request *req)
{
    struct search search = {.kind = SEARCH};

    if (find_source_or_reply(req, 1, &search))
        run(req, 2, &search);
}

static void cmd_geosearchstore(struct request *req)
{
    struct search search = {.kind = SEARCH_AND_STORE, .store_at = 1};

    if (find_source_or_reply(req, 2, &search))
        run(req, 3, &search);
}

static void search_around_point(struct request *req, enum search_kind kind)
{
    struct search search = {.kind = kind};

    if (find_source_or_reply(req, 1, &search) && geo_point_or_reply(req, 2, &search.shape.centre) &&
        parse_radius_or_reply(req, 4, &search))
        run(req, 6, &search);
}

/* Without a set the radius is not looked at. */
static void search_around_member(struct request *req, enum search_kind kind)
{
    struct search search = {.kind = kind};

    if (find_source_or_reply(req, 1, &search) && parse_member_or_reply(req, 2, &search) &&
        (!search.source || parse_radius_or_reply(req, 3, &search)))
        run(req, 5, &search);
}

static void cmd_georadius(struct request *req) { search_around_point(req, RADIUS); }
static void cmd_georadius_ro(struct request *req) { search_around_point(req, RADIUS_READONLY); }
static void cmd_georadiusbymember(struct request *req) { search_around_member(req, RADIUS); }
static void cmd_georadiusbymember_ro(struct request *req) { search_around_member(req, RADIUS_READONLY); }

/* --- the table --------------------------------------------------------------------------------------- */

static const struct key_rule stores[] = {
    {KEY_OW | KEY_UPDATE, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 2, NULL, KEY_RANGE, {0, 1, 0}},
    {0},
};
static const struct key_rule radius_keys[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_OW | KEY_UPDATE, KEY_AT_WORD, 6, "STORE", KEY_RANGE, {0, 1, 0}},
    {KEY_OW | KEY_UPDATE, KEY_AT_WORD, 6, "STOREDIST", KEY_RANGE, {0, 1, 0}},
    {0},
};
static const struct key_rule member_keys[] = {
    {KEY_RO | KEY_ACCESS, KEY_AT_INDEX, 1, NULL, KEY_RANGE, {0, 1, 0}},
    {KEY_OW | KEY_UPDATE, KEY_AT_WORD, 5, "STORE", KEY_RANGE, {0, 1, 0}},
    {KEY_OW | KEY_UPDATE, KEY_AT_WORD, 5, "STOREDIST", KEY_RANGE, {0, 1, 0}},
    {0},
};

#define SEARCH_COST "O(N+log(M)) with N members in the cells around the area, M in the set"
#define SHAPE                                                                                      \
    "<FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | KM | FT | MI> | "   \
    "BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]]"
#define OPTIONS "[WITHCOORD] [WITHDIST] [WITHHASH]"
#define RADIUS_OPTIONS "radius <M | KM | FT | MI> " OPTIONS " [COUNT count [ANY]] [ASC | DESC]"
#define STORES " [STORE key | STOREDIST key]"

static const struct command geo_search_commands[] = {
    {"georadius", cmd_georadius, -6, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "3.2.0", SEARCH_COST,
     "key longitude latitude " RADIUS_OPTIONS STORES,
     "Returns or stores the places within a distance of a point.", radius_keys,
     .history = "6.2.0 ANY, after COUNT.\n"
                "7.0.0 Names of units in capitals.",
     .argument_since = "ANY 6.2.0"},
    {"georadius_ro", cmd_georadius_ro, -6, CMD_READONLY, {1, 1, 1}, NULL, "3.2.10", SEARCH_COST,
     "key longitude latitude " RADIUS_OPTIONS, "Returns the places within a distance of a point.",
     .history = "6.2.0 ANY, after COUNT.\n"
                "7.0.0 Names of units in capitals.",
     .argument_since = "ANY 6.2.0"},
    {"georadiusbymember", cmd_georadiusbymember, -5, CMD_WRITE | CMD_GROWS, {1, 1, 1}, NULL, "3.2.0",
     SEARCH_COST, "key member " RADIUS_OPTIONS STORES,
     "Returns or stores the places within a distance of a member.", member_keys,
     .history = "6.2.0 ANY, after COUNT.\n"
                "7.0.0 Names of units in capitals."},
    {"georadiusbymember_ro", cmd_georadiusbymember_ro, -5, CMD_READONLY, {1, 1, 1}, NULL, "3.2.10",
     SEARCH_COST, "key member " RADIUS_OPTIONS, "Returns the places within a distance of a member.",
     .history = "6.2.0 ANY, after COUNT.\n"
                "7.0.0 Names of units in capitals."},
    {"geosearch", cmd_geosearch, -7, CMD_READONLY, {1, 1, 1}, NULL, "6.2.0", SEARCH_COST,
     "key " SHAPE " " OPTIONS, "Returns the places within a circle or a box.",
     .history = "7.0.0 Names of units in capitals."},
    {"geosearchstore", cmd_geosearchstore, -8, CMD_WRITE | CMD_GROWS, {1, 2, 1}, NULL, "6.2.0",
     SEARCH_COST, "destination source " SHAPE " [STOREDIST]",
     "Stores the places within a circle or a box as a sorted set.", stores,
     .history = "7.0.0 Names of units in capitals."},
};
REGISTER_COMMANDS("geo", geo_search_commands);
