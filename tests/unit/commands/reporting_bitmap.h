/* Rows of test_reporting.c: bitmap commands. */
#ifndef TERN_TESTS_REPORTING_BITMAP_H
#define TERN_TESTS_REPORTING_BITMAP_H

#include "reporting_row.h"

static const struct row bitmap_rows[] = {
    {"", "SETBIT k 7 1", "SETBIT k 7 1\n", "new k;setbit k"},
    {"", "SETBIT k 7 0", "SETBIT k 7 0\n", "new k;setbit k"},
    {"SETBIT k 7 1", "SETBIT k 7 0", "SETBIT k 7 0\n", "setbit k"},
    {"SETBIT k 7 1", "SETBIT k 8 0", "SETBIT k 8 0\n", "setbit k"},
    {"SETBIT k 7 1", "SETBIT k 7 1", "", ""},
    {"SET k 5", "SETBIT k 0 0", "", ""},
    {"SET k 5 EX 100", "SETBIT k 0 1", "SETBIT k 0 1\n", "setbit k"},
    {"", "SETBIT k 7 2", "", ""},
    {"LPUSH k x", "SETBIT k 7 1", "", ""},
    {"SET a 1;SET b 2", "BITOP AND k a b", "BITOP AND k a b\n", "new k;set k"},
    {"SET a 1;LPUSH k x", "BITOP OR k a c", "BITOP OR k a c\n", "keymiss c;set k"},
    {"SET a 1 EX 100", "BITOP NOT a a", "BITOP NOT a a\n", "set a"},
    {"SET k 1", "BITOP AND k a b", "BITOP AND k a b\n", "keymiss a;keymiss b;del k"},
    {"", "BITOP AND k a", "", "keymiss a"},
    {"LPUSH a x", "BITOP AND k a", "", ""},
    {"SET a 1", "BITOP NOT k a a", "", ""},
    {"", "BITFIELD k SET u8 0 0", "BITFIELD k SET u8 0 0\n", "new k;setbit k"},
    {"", "BITFIELD k INCRBY u8 0 1 SET u8 8 2", "BITFIELD k INCRBY u8 0 1 SET u8 8 2\n",
     "new k;setbit k"},
    {"SET k v", "BITFIELD k SET u8 0 1", "BITFIELD k SET u8 0 1\n", "setbit k"},
    {"SET k 5", "BITFIELD k SET u8 0 53", "", ""},
    {"SET k 5", "BITFIELD k INCRBY u8 0 0 GET u8 0", "", ""},
    {"SET k 5", "BITFIELD k OVERFLOW FAIL SET u8 0 256", "", ""},
    {"", "BITFIELD k OVERFLOW FAIL SET u8 0 256", "BITFIELD k OVERFLOW FAIL SET u8 0 256\n", "new k"},
    {"", "BITFIELD k GET u8 0", "", "keymiss k"},
    {"", "BITFIELD k SET u8 0 x", "", ""},
    {"LPUSH k x", "BITFIELD k SET u8 0 1", "", ""},
};

#endif
