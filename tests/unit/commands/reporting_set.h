/* Rows of test_reporting.c: set commands. */
#ifndef TERN_TESTS_REPORTING_SET_H
#define TERN_TESTS_REPORTING_SET_H

#include "reporting_row.h"

static const struct row set_rows[] = {
    {"", "SADD k a", "SADD k a\n", "new k;sadd k"},
    {"", "SADD k a 1 a", "SADD k a 1 a\n", "new k;sadd k"},
    {"SADD k a", "SADD k a b", "SADD k a b\n", "sadd k"},
    {"SADD k a", "SADD k a", "", ""},
    {"SET k v", "SADD k a", "", ""},
    {"SADD k old;PEXPIRE k 10;+11", "SADD k a", "MULTI\nDEL k\nSADD k a\nEXEC\n",
     "expired k;new k;sadd k"},
    {"SADD k a b c", "SREM k a x b", "SREM k a x b\n", "srem k"},
    {"SADD k a b", "SREM k a b c", "SREM k a b c\n", "srem k;del k"},
    {"SADD k a", "SREM k x", "", ""},
    {"", "SREM k x", "", ""},
    {"SET k v", "SREM k x", "", ""},

    {"SADD k a b;SADD d c", "SMOVE k d a", "SMOVE k d a\n", "srem k;sadd d"},
    {"SADD k a b", "SMOVE k d a", "SMOVE k d a\n", "srem k;new d;sadd d"},
    {"SADD k a;SADD d c", "SMOVE k d a", "SMOVE k d a\n", "srem k;del k;sadd d"},
    {"SADD k a", "SMOVE k d a", "SMOVE k d a\n", "srem k;del k;new d;sadd d"},
    {"SADD k a b;SADD d a", "SMOVE k d a", "SMOVE k d a\n", "srem k"},
    {"SADD k a;SADD d a", "SMOVE k d a", "SMOVE k d a\n", "srem k;del k"},
    {"SADD k a", "SMOVE k k a", "", ""},
    {"SADD k a", "SMOVE k d x", "", ""},
    {"", "SMOVE k d x", "", ""},
    {"SADD k a;SET d v", "SMOVE k d a", "", ""},

    {"SADD k a", "SPOP k", "SREM k a\n", "spop k;del k"},
    {"SADD k a", "SPOP k 1", "DEL k\n", "spop k;del k"},
    {"SADD k a b c", "SPOP k 3", "DEL k\n", "spop k;del k"},
    {"SADD k 1 2 3", "SPOP k 100", "DEL k\n", "spop k;del k"},
    {"SADD k a", "SPOP k 0", "", ""},
    {"", "SPOP k", "", ""},
    {"", "SPOP k 2", "", ""},
    {"SET k v", "SPOP k", "", ""},

    {"SADD a 1 2;SADD b 2 3", "SINTERSTORE k a b", "SINTERSTORE k a b\n", "new k;sinterstore k"},
    {"SADD a 1 2;SADD b 2 3;SET k v EX 10", "SINTERSTORE k a b", "SINTERSTORE k a b\n",
     "sinterstore k"},
    {"SADD a 1;SADD b 3;SADD k x", "SINTERSTORE k a b", "SINTERSTORE k a b\n", "del k"},
    {"SADD a 1;SET k x", "SINTERSTORE k a b", "SINTERSTORE k a b\n", "keymiss b;del k"},
    {"SADD a 1", "SINTERSTORE k a b", "", "keymiss b"},
    {"SADD a 1;SET b v;SADD k x", "SINTERSTORE k a b", "", ""},
    {"SADD a 1;SADD k 2", "SUNIONSTORE k k a", "SUNIONSTORE k k a\n", "sunionstore k"},
    {"SADD a 1", "SUNIONSTORE k a b", "SUNIONSTORE k a b\n", "keymiss b;new k;sunionstore k"},
    {"SET k v", "SUNIONSTORE k a", "SUNIONSTORE k a\n", "keymiss a;del k"},
    {"", "SUNIONSTORE k a", "", "keymiss a"},
    {"SADD a 1 2;SADD b 2", "SDIFFSTORE k a b", "SDIFFSTORE k a b\n", "new k;sdiffstore k"},
    {"SADD a 1;SADD b 1;SADD k x", "SDIFFSTORE k a b", "SDIFFSTORE k a b\n", "del k"},
    {"SADD a 1", "SDIFFSTORE k a a", "", ""},
    {"SADD a 1", "SDIFFSTORE k b a", "", "keymiss b"},

    {"", "SCARD k", "", "keymiss k"},
    {"SADD k a", "SRANDMEMBER k 2", "", ""},
};

#endif
