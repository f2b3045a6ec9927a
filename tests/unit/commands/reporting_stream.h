/* Rows of test_reporting.c: commands of streams. What a group gives away travels as claims. */
#ifndef TERN_TESTS_REPORTING_STREAM_H
#define TERN_TESTS_REPORTING_STREAM_H

#include "reporting_row.h"

#define THREE "XADD k 1 a b;XADD k 2 a b;XADD k 3 a b;XGROUP CREATE k g 0"
#define GIVEN THREE ";XREADGROUP GROUP g c STREAMS k >"
#define CLAIM(consumer, id, time, count, last)                                                     \
    "XCLAIM k g " consumer " 0 " id " TIME " time " RETRYCOUNT " count " FORCE JUSTID LASTID " last \
    "\n"
#define NOW RIG_NOW

static const struct row stream_rows[] = {
    {"", "XADD k * a b", "XADD k " NOW "-0 a b\n", "new k;xadd k"},
    {"XADD k * a b", "XADD k * a b", "XADD k " NOW "-1 a b\n", "xadd k"},
    {"", "XADD k 5-* a b", "XADD k 5-0 a b\n", "new k;xadd k"},
    {"", "XADD k 5-1 a b", "XADD k 5-1 a b\n", "new k;xadd k"},
    {"", "XADD k 5 a b", "XADD k 5 a b\n", "new k;xadd k"},
    {THREE, "XADD k MAXLEN 2 5-1 a b", "XADD k MAXLEN 2 5-1 a b\n", "xadd k;xtrim k"},
    {THREE, "XADD k MAXLEN 4 5-1 a b", "XADD k MAXLEN 4 5-1 a b\n", "xadd k"},
    {THREE, "XADD k MAXLEN ~ 2 5-1 a b", "XADD k MAXLEN = 4 5-1 a b\n", "xadd k"},
    {THREE, "XADD k MINID ~ 2 LIMIT 5 * a b", "XADD k MINID = 1-0 " NOW "-0 a b\n", "xadd k"},
    {THREE, "XADD k NOMKSTREAM MAXLEN ~ 2 LIMIT 0 7 a b", "XADD k NOMKSTREAM MAXLEN = 4 7 a b\n",
     "xadd k"},
    {"", "XADD k MAXLEN ~ 0 7 a b", "XADD k MAXLEN = 0 7 a b\n", "new k;xadd k;xtrim k"},
    {THREE, "XADD k MINID ~ 9 7 a b",
     "XADD k MINID = 18446744073709551615-18446744073709551615 7 a b\n", "xadd k;xtrim k"},
    {"", "XADD k NOMKSTREAM * a b", "", ""},
    {THREE, "XADD k 3 a b", "", ""},
    {"SET k v", "XADD k * a b", "", ""},

    {THREE, "XTRIM k MAXLEN 1", "XTRIM k MAXLEN 1\n", "xtrim k"},
    {THREE, "XTRIM k MAXLEN ~ 0 LIMIT 9", "XTRIM k MAXLEN = 0\n", "xtrim k"},
    {THREE, "XTRIM k MINID 2", "XTRIM k MINID 2\n", "xtrim k"},
    {THREE, "XTRIM k MAXLEN 3", "", ""},
    {THREE, "XTRIM k MAXLEN ~ 2", "", ""},
    {"", "XTRIM k MAXLEN 0", "", ""},
    {THREE, "XDEL k 1 9", "XDEL k 1 9\n", "xdel k"},
    {THREE, "XDEL k 9", "", ""},
    {THREE, "XDEL k 1 x", "", ""},
    {"", "XDEL k 1", "", ""},
    {THREE, "XSETID k 9", "XSETID k 9\n", "xsetid k"},
    {THREE, "XSETID k 1", "", ""},
    {"", "XSETID k 1", "", ""},

    {THREE, "XGROUP CREATE k h $", "XGROUP CREATE k h $\n", "xgroup-create k"},
    {"", "XGROUP CREATE k h $ MKSTREAM", "XGROUP CREATE k h $ MKSTREAM\n", "new k;xgroup-create k"},
    {THREE, "XGROUP CREATE k g $", "", ""},
    {"", "XGROUP CREATE k g $", "", ""},
    {THREE, "XGROUP SETID k g 2", "XGROUP SETID k g 2\n", "xgroup-setid k"},
    {THREE, "XGROUP SETID k h 2", "", ""},
    {THREE, "XGROUP DESTROY k g", "XGROUP DESTROY k g\n", "xgroup-destroy k"},
    {THREE, "XGROUP DESTROY k h", "", ""},
    {THREE, "XGROUP CREATECONSUMER k g c", "XGROUP CREATECONSUMER k g c\n",
     "xgroup-createconsumer k"},
    {GIVEN, "XGROUP CREATECONSUMER k g c", "", ""},
    {GIVEN, "XGROUP DELCONSUMER k g c", "XGROUP DELCONSUMER k g c\n", "xgroup-delconsumer k"},
    {GIVEN, "XGROUP DELCONSUMER k g d", "", ""},

    {THREE, "XREADGROUP GROUP g c COUNT 2 STREAMS k >",
     "MULTI\n" CLAIM("c", "1-0", NOW, "1", "1-0") CLAIM("c", "2-0", NOW, "1", "2-0")
     "XGROUP SETID k g 2-0 ENTRIESREAD 2\nEXEC\n",
     "xgroup-createconsumer k"},
    {GIVEN ";XADD k 4 a b", "XREADGROUP GROUP g c STREAMS k >",
     "MULTI\n" CLAIM("c", "4-0", NOW, "1", "4-0") "XGROUP SETID k g 4-0 ENTRIESREAD 4\nEXEC\n", ""},
    {THREE, "XREADGROUP GROUP g c NOACK STREAMS k >",
     "MULTI\nXGROUP CREATECONSUMER k g c\nXGROUP SETID k g 3-0 ENTRIESREAD 3\nEXEC\n",
     "xgroup-createconsumer k"},
    {THREE, "XREADGROUP GROUP g c STREAMS k 0", "XGROUP CREATECONSUMER k g c\n",
     "xgroup-createconsumer k"},
    {GIVEN, "XREADGROUP GROUP g c STREAMS k 0", "", ""},
    {GIVEN, "XREADGROUP GROUP g c STREAMS k >", "", ""},
    {GIVEN, "XREADGROUP GROUP g d STREAMS k >", "XGROUP CREATECONSUMER k g d\n",
     "xgroup-createconsumer k"},
    {"", "XREADGROUP GROUP g c STREAMS k >", "", "keymiss k"},

    {GIVEN, "XACK k g 1 9", "XACK k g 1 9\n", ""},
    {GIVEN, "XACK k g 9", "", ""},
    {"", "XACK k g 1", "", "keymiss k"},

    {GIVEN, "XCLAIM k g d 0 1", CLAIM("d", "1-0", NOW, "2", "3-0"), "xgroup-createconsumer k"},
    {GIVEN, "XCLAIM k g d 0 1 2 9 JUSTID",
     "MULTI\n" CLAIM("d", "1-0", NOW, "1", "3-0") CLAIM("d", "2-0", NOW, "1", "3-0") "EXEC\n",
     "xgroup-createconsumer k"},
    {GIVEN, "XCLAIM k g c 0 1 TIME 100 RETRYCOUNT 7", CLAIM("c", "1-0", "100", "7", "3-0"), ""},
    {GIVEN, "XCLAIM k g c 0 1 LASTID 7", CLAIM("c", "1-0", NOW, "2", "7-0"), ""},
    {GIVEN, "XCLAIM k g c 0 9 LASTID 7", "XGROUP SETID k g 7-0 ENTRIESREAD 3\n", ""},
    {GIVEN ";XDEL k 2", "XCLAIM k g c 100000 2", CLAIM("c", "2-0", NOW, "1", "3-0"), ""},
    {GIVEN, "XCLAIM k g c 100000 1", "", ""},
    {GIVEN, "XCLAIM k g d 100000 1", "XGROUP CREATECONSUMER k g d\n", "xgroup-createconsumer k"},
    {"", "XCLAIM k g c 0 1", "", "keymiss k"},

    {GIVEN ";XDEL k 2", "XAUTOCLAIM k g d 0 -",
     "MULTI\n" CLAIM("d", "1-0", NOW, "2", "3-0") CLAIM("c", "2-0", NOW, "1", "3-0")
     CLAIM("d", "3-0", NOW, "2", "3-0") "EXEC\n",
     "xgroup-createconsumer k"},
    {GIVEN, "XAUTOCLAIM k g c 0 - COUNT 1 JUSTID", CLAIM("c", "1-0", NOW, "1", "3-0"), ""},
    {GIVEN, "XAUTOCLAIM k g c 100000 -", "", ""},
    {"", "XAUTOCLAIM k g c 0 -", "", "keymiss k"},
};

#undef NOW
#undef CLAIM
#undef GIVEN
#undef THREE

#endif
