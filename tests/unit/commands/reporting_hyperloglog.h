/* Rows of test_reporting.c: hyperloglog commands. */
#ifndef TERN_TESTS_REPORTING_HYPERLOGLOG_H
#define TERN_TESTS_REPORTING_HYPERLOGLOG_H

#include "reporting_row.h"

static const struct row hyperloglog_rows[] = {
    {"", "PFADD k", "PFADD k\n", "new k;pfadd k"},
    {"", "PFADD k a b", "PFADD k a b\n", "new k;pfadd k"},
    {"PFADD k a;EXPIRE k 100", "PFADD k b", "PFADD k b\n", "pfadd k"},
    {"PFADD k a;PFDEBUG TODENSE k", "PFADD k b", "PFADD k b\n", "pfadd k"},
    {"PFADD k a", "PFADD k a", "", ""},
    {"PFADD k a;PFDEBUG TODENSE k", "PFADD k a", "", ""},
    {"PFADD k a", "PFADD k", "", ""},
    {"SETRANGE k 0 HYLL;SETBIT k 39 1;SETRANGE k 16 q", "PFADD k a", "", ""},
    {"SETRANGE k 0 HYLL;SETBIT k 39 1;SETRANGE k 16 r0", "PFADD k a b c d",
     "PFADD k a b c d\n", ""},
    {"SET k v", "PFADD k a", "", ""},
    {"LPUSH k x", "PFADD k a", "", ""},
    {"PFADD k a", "PFCOUNT k", "PFCOUNT k\n", ""},
    {"PFADD k a;PFCOUNT k", "PFCOUNT k", "", ""},
    {"PFADD k a", "PFCOUNT k l", "", "keymiss l"},
    {"", "PFCOUNT k", "", "keymiss k"},
    {"", "PFMERGE k", "PFMERGE k\n", "keymiss k;new k;pfadd k"},
    {"PFADD a x", "PFMERGE k a b", "PFMERGE k a b\n", "keymiss k;keymiss b;new k;pfadd k"},
    {"PFADD k a", "PFMERGE k", "PFMERGE k\n", "pfadd k"},
    {"SET a v", "PFMERGE k a", "", "keymiss k"},
    {"PFADD k a", "PFDEBUG TODENSE k", "PFDEBUG TODENSE k\n", ""},
    {"PFADD k a", "PFDEBUG GETREG k", "PFDEBUG GETREG k\n", ""},
    {"PFADD k a;PFDEBUG TODENSE k", "PFDEBUG TODENSE k", "", ""},
    {"PFADD k a", "PFDEBUG ENCODING k", "", ""},
};

#endif
