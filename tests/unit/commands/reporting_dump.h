/* Rows of test_reporting.c: payloads. */
#ifndef TERN_TESTS_REPORTING_DUMP_H
#define TERN_TESTS_REPORTING_DUMP_H

#include "reporting_row.h"

/* The string "hi". */
#define HI "\\x00\\x02hi\\x09\\x00\\x7f\\x99\\xce$\\xda\\xb7x\\xa5"

static const struct row dump_rows[] = {
    {"", "RESTORE k 0 " HI, "RESTORE k 0 " HI "\n", "new k;restore k"},
    {"RPUSH k x", "RESTORE k 0 " HI " REPLACE", "RESTORE k 0 " HI " REPLACE\n", "new k;restore k"},
    {"", "RESTORE k 1000 " HI, "RESTORE k 1795000001000 " HI " ABSTTL\n", "new k;restore k"},
    {"", "RESTORE k 1000 " HI " FREQ 3", "RESTORE k 1795000001000 " HI " FREQ 3 ABSTTL\n", "new k;restore k"},
    {"", "RESTORE k 1795000001000 " HI " ABSTTL", "RESTORE k 1795000001000 " HI " ABSTTL\n", "new k;restore k"},
    {"", "RESTORE k 1 " HI " ABSTTL", "", ""},
    {"SET k v", "RESTORE k 1 " HI " ABSTTL REPLACE", "DEL k\n", "del k"},
    {"", "RESTORE k 1 " HI " ABSTTL REPLACE", "", ""},
    {"SET k v", "RESTORE k 0 " HI, "", ""},
    {"SET k v", "RESTORE k 0 x REPLACE", "", ""},
    {"SET k v PX 10;+11", "RESTORE k 0 " HI, "MULTI\nDEL k\nRESTORE k 0 " HI "\nEXEC\n",
     "expired k;new k;restore k"},
    {"", "DUMP k", "", "keymiss k"},
    {"SET k v", "DUMP k", "", ""},
};

#endif
