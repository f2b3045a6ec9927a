/* What the commands of places share: cmd_geo.c (members), cmd_geo_search.c. */
#ifndef TERN_CMD_GEO_INTERNAL_H
#define TERN_CMD_GEO_INTERNAL_H

#include "ds/geohash.h"
#include "engine/request.h"

/* Longitude at 'at', latitude behind it. */
bool geo_point_or_reply(struct request *req, int at, struct geo_point *point);
/* How many metres M, KM, FT or MI has. */
bool geo_unit_or_reply(struct request *req, int at, double *metres);

/* With four decimals. */
void geo_reply_distance(struct request *req, double distance);
void geo_reply_point(struct request *req, struct geo_point point);

#endif
