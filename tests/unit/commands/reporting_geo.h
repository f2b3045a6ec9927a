/* Rows of test_reporting.c: geo commands. */
#ifndef TERN_TESTS_REPORTING_GEO_H
#define TERN_TESTS_REPORTING_GEO_H

#include "reporting_row.h"

static const struct row geo_rows[] = {
    {"", "GEOADD k 13.361389 38.115556 a", "ZADD k 3479099956230698 a\n", "new k;zadd k"},
    {"", "GEOADD k 1 1 a 0 0 b", "ZADD k 3377822707026402 a 3377699720527872 b\n", "new k;zadd k"},
    {"GEOADD k 1 1 a", "GEOADD k NX CH 2 2 a 0 0 b",
     "ZADD k NX CH 3378191666521995 a 3377699720527872 b\n", "zadd k"},
    {"GEOADD k 1 1 a", "GEOADD k XX 0 0 a", "ZADD k XX 3377699720527872 a\n", "zadd k"},
    {"GEOADD k 1 1 a", "GEOADD k 1 1 a", "", ""},
    {"GEOADD k 1 1 a", "GEOADD k NX 2 2 a", "", ""},
    {"", "GEOADD k XX 2 2 a", "", ""},
    {"", "GEOADD k 2 200 a", "", ""},
    {"SET k v", "GEOADD k 2 2 a", "", ""},
    {"GEOADD a 1 1 m", "GEOSEARCHSTORE k a FROMLONLAT 1 1 BYRADIUS 1 km",
     "GEOSEARCHSTORE k a FROMLONLAT 1 1 BYRADIUS 1 km\n", "new k;geosearchstore k"},
    {"GEOADD a 1 1 m;SET k v EX 100", "GEOSEARCHSTORE k a FROMMEMBER m BYBOX 1 1 km STOREDIST",
     "GEOSEARCHSTORE k a FROMMEMBER m BYBOX 1 1 km STOREDIST\n", "geosearchstore k"},
    {"GEOADD a 1 1 m;SET k v", "GEOSEARCHSTORE k a FROMLONLAT 2 2 BYRADIUS 1 km",
     "GEOSEARCHSTORE k a FROMLONLAT 2 2 BYRADIUS 1 km\n", "del k"},
    {"GEOADD a 1 1 m", "GEOSEARCHSTORE k a FROMLONLAT 2 2 BYRADIUS 1 km", "", ""},
    {"SET k v", "GEOSEARCHSTORE k a FROMLONLAT 2 2 BYRADIUS 1 km",
     "GEOSEARCHSTORE k a FROMLONLAT 2 2 BYRADIUS 1 km\n", "keymiss a;del k"},
    {"SET a v", "GEOSEARCHSTORE k a FROMLONLAT 2 2 BYRADIUS 1 km", "", ""},
    {"GEOADD a 1 1 m", "GEORADIUS a 1 1 1 km STORE k", "GEORADIUS a 1 1 1 km STORE k\n",
     "new k;georadiusstore k"},
    {"GEOADD a 1 1 m", "GEORADIUS a 1 1 1 km", "", ""},
    {"GEOADD a 1 1 m", "GEORADIUSBYMEMBER a m 1 km STOREDIST a",
     "GEORADIUSBYMEMBER a m 1 km STOREDIST a\n", "georadiusstore a"},
    {"GEOADD a 1 1 m", "GEORADIUSBYMEMBER a m 1 km", "", ""},
    {"", "GEOPOS k a", "", "keymiss k"},
};

#endif
