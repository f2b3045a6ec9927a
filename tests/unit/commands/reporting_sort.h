/* Rows of test_reporting.c: sort commands. */
#ifndef TERN_TESTS_REPORTING_SORT_H
#define TERN_TESTS_REPORTING_SORT_H

#include "reporting_row.h"

static const struct row sort_rows[] = {
    {"", "SORT k", "", "keymiss k"},
    {"RPUSH k 3 1 2", "SORT k", "", ""},
    {"RPUSH k 3 1 2", "SORT_RO k DESC", "", ""},
    {"RPUSH k 3 1 2", "SORT k STORE d", "SORT k STORE d\n", "new d;sortstore d"},
    {"RPUSH k 3 1 2;SET d v EX 100", "SORT k STORE d", "SORT k STORE d\n", "sortstore d"},
    {"RPUSH k 3 1 2;RPUSH d v", "SORT k STORE d", "SORT k STORE d\n", "sortstore d"},
    {"RPUSH k 3 1 2", "SORT k STORE k", "SORT k STORE k\n", "sortstore k"},
    {"RPUSH k 3 1 2;RPUSH d v", "SORT k LIMIT 5 1 STORE d", "SORT k LIMIT 5 1 STORE d\n", "del d"},
    {"RPUSH k 3 1 2", "SORT k LIMIT 5 1 STORE d", "", ""},
    {"RPUSH d v", "SORT k STORE d", "SORT k STORE d\n", "keymiss k;del d"},
    {"", "SORT k STORE d", "", "keymiss k"},
    {"RPUSH k 3 a 2;RPUSH d v", "SORT k STORE d", "", ""},
    {"RPUSH k 3 1 2", "SORT k STORE d BOGUS", "", ""},
    {"SET k v", "SORT k STORE d", "", ""},
    {"RPUSH k 3 1 2", "SORT k BY w_* GET x_* GET # STORE d",
     "SORT k BY w_* GET x_* GET # STORE d\n",
     "keymiss w_3;keymiss w_1;keymiss w_2;keymiss x_1;keymiss x_2;keymiss x_3;new d;sortstore d"},
    {"RPUSH k 1 2;SET w_1 x", "SORT k BY w_* STORE d", "", "keymiss w_2"},
    {"RPUSH k 1 2;RPUSH w_1 x", "SORT k BY nosort GET w_*", "", "keymiss w_2"},
    {"RPUSH k 1 2;SET w_1 x PX 10;+11", "SORT k BY nosort GET w_* STORE d",
     "MULTI\nDEL w_1\nSORT k BY nosort GET w_* STORE d\nEXEC\n",
     "expired w_1;keymiss w_1;keymiss w_2;new d;sortstore d"},
    {"1: BLPOP d 0", "SORT k STORE d", "", "keymiss k"},
    {"RPUSH k 2 1;1: BLPOP d 0", "SORT k STORE d", "SORT k STORE d\nLPOP d\n",
     "new d;sortstore d;lpop d"},
};

#endif
