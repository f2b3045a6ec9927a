/* What every write command reports: the commands that travel in the write stream and the events,
 * both exactly and in order, in every way the command can go. A command that fails or changes
 * nothing reports nothing.
 *
 * The events are those of Redis with notify-keyspace-events KEAmn, in its order. Where a row needs
 * the time, it stands still at 1795000000000 ms. */
#include "unit.h"

#include "engine_rig.h"
#include "reporting_bitmap.h"
#include "reporting_hyperloglog.h"
#include "reporting_key.h"
#include "reporting_list.h"
#include "reporting_set.h"
#include "reporting_sort.h"
#include "reporting_string.h"
#include "store/string_value.h"
#include "types/set.h"

#define FAMILY(name) {#name, name##_rows, sizeof name##_rows / sizeof *name##_rows}

static const struct family {
    const char *name;
    const struct row *rows;
    size_t count;
} families[] = {
    FAMILY(string),
    FAMILY(list),
    FAMILY(bitmap),
    FAMILY(set),
    FAMILY(sort),
    FAMILY(hyperloglog),
    FAMILY(key),
struct row {
    const char *before;  /* commands in front, with ; between; "+5" lets 5 ms pass; "1:..." is
                          * another client's, which may wait */
    const char *command; /* "1 2: ..." says nothing of others */
    const char *stream;  /* lines end in \n */
    const char *events;  /* "event key", with ; between */
};

/* ---- strings ---- */

static const struct row string_rows[] = {
    {"", "SET k v", "SET k v\n", "new k;set k"},
    {"SET k old", "SET k v", "SET k v\n", "set k"},
    {"SET k old EX 100", "SET k v", "SET k v\n", "set k"},
    {"LPUSH k old", "SET k v", "SET k v\n", "set k"},
    {"", "set k 12", "set k 12\n", "new k;set k"},
    {"", "SET k v NX", "SET k v NX\n", "new k;set k"},
    {"SET k old", "SET k v NX", "", ""},
    {"SET k old", "SET k v XX", "SET k v XX\n", "set k"},
    {"", "SET k v XX", "", ""},
    {"", "SET k v EX 10", "SET k v PXAT 1795000010000\n", "new k;set k;expire k"},
    {"SET k old", "SET k v PX 10", "SET k v PXAT 1795000000010\n", "set k;expire k"},
    {"SET k old EX 5", "SET k v EX 10", "SET k v PXAT 1795000010000\n", "set k;expire k"},
    {"", "SET k v EXAT 1795000100", "SET k v PXAT 1795000100000\n", "new k;set k;expire k"},
    {"", "SET k v PXAT 1795000000500", "SET k v PXAT 1795000000500\n", "new k;set k;expire k"},
    {"", "SET k v PX 10 NX", "SET k v PXAT 1795000000010\n", "new k;set k;expire k"},
    {"SET k old", "SET k v PX 10 XX", "SET k v PXAT 1795000000010\n", "set k;expire k"},
    {"SET k old", "SET k v PX 10 NX", "", ""},
    {"SET k old", "SET k v KEEPTTL", "SET k v KEEPTTL\n", "set k"},
    {"SET k old EX 100", "SET k v KEEPTTL", "SET k v KEEPTTL\n", "set k"},
    {"", "SET k v KEEPTTL", "SET k v KEEPTTL\n", "new k;set k"},
    {"", "SET k v GET", "SET k v\n", "keymiss k;new k;set k"},
    {"SET k old", "SET k v GET", "SET k v\n", "set k"},
    {"SET k old EX 100", "SET k v GET KEEPTTL", "SET k v KEEPTTL\n", "set k"},
    {"SET k old", "SET k v NX GET", "", ""},
    {"", "SET k v NX GET", "SET k v\n", "keymiss k;new k;set k"},
    {"", "SET k v XX GET", "", "keymiss k"},
    {"SET k old", "SET k v XX GET", "SET k v\n", "set k"},
    {"SET k old", "SET k v GET EX 10", "SET k v PXAT 1795000010000\n", "set k;expire k"},
    {"LPUSH k x", "SET k v GET", "", ""},
    {"SET k old", "SET k v IFEQ old", "SET k v\n", "set k"},
    {"SET k old", "SET k v IFEQ old EX 10", "SET k v PXAT 1795000010000\n", "set k;expire k"},
    {"SET k old EX 100", "SET k v IFEQ old KEEPTTL GET", "SET k v KEEPTTL\n", "set k"},
    {"SET k old", "SET k v IFEQ other", "", ""},
    {"", "SET k v IFEQ old", "", ""},
    {"LPUSH k x", "SET k v IFEQ old", "", ""},
    {"", "SET k v EX 0", "", ""},
    {"", "SET k v EX x", "", ""},
    {"", "SET k v NX XX", "", ""},
    {"SET k old PX 10;+11", "SET k v", "MULTI\nDEL k\nSET k v\nEXEC\n", "expired k;new k;set k"},
    {"SET k old PX 10;+11", "SET k v XX", "DEL k\n", "expired k"},
    {"SET k old PX 10;+11", "SET k v KEEPTTL", "MULTI\nDEL k\nSET k v KEEPTTL\nEXEC\n",
     "expired k;new k;set k"},

    {"", "SETNX k v", "SETNX k v\n", "new k;set k"},
    {"SET k old", "SETNX k v", "", ""},
    {"LPUSH k x", "SETNX k v", "", ""},
    {"", "SETEX k 10 v", "SET k v PXAT 1795000010000\n", "new k;set k;expire k"},
    {"LPUSH k x", "SETEX k 10 v", "SET k v PXAT 1795000010000\n", "set k;expire k"},
    {"", "SETEX k 0 v", "", ""},
    {"", "PSETEX k 10 v", "SET k v PXAT 1795000000010\n", "new k;set k;expire k"},
    {"SET k old", "PSETEX k -1 v", "", ""},

    {"", "GETSET k v", "SET k v\n", "keymiss k;new k;set k"},
    {"SET k old EX 100", "GETSET k v", "SET k v\n", "set k"},
    {"LPUSH k x", "GETSET k v", "", ""},
    {"", "GETDEL k", "", "keymiss k"},
    {"SET k v", "GETDEL k", "DEL k\n", "del k"},
    {"SET k v EX 100", "GETDEL k", "DEL k\n", "del k"},
    {"SET k v PX 10;+11", "GETDEL k", "DEL k\n", "expired k;keymiss k"},
    {"LPUSH k x", "GETDEL k", "", ""},

    {"", "GETEX k", "", "keymiss k"},
    {"", "GETEX k EX 10", "", "keymiss k"},
    {"SET k v", "GETEX k", "", ""},
    {"SET k v", "GETEX k PERSIST", "", ""},
    {"SET k v EX 100", "GETEX k PERSIST", "PERSIST k\n", "persist k"},
    {"SET k v", "GETEX k EX 10", "PEXPIREAT k 1795000010000\n", "expire k"},
    {"SET k v EX 100", "GETEX k PX 10", "PEXPIREAT k 1795000000010\n", "expire k"},
    {"SET k v", "GETEX k EXAT 1795000100", "PEXPIREAT k 1795000100000\n", "expire k"},
    {"SET k v", "GETEX k PXAT 1795000000500", "PEXPIREAT k 1795000000500\n", "expire k"},
    {"SET k v", "GETEX k PXAT 1", "DEL k\n", "del k"},
    {"SET k v", "GETEX k EXAT 1", "DEL k\n", "del k"},
    {"SET k v", "GETEX k EX 0", "", ""},
    {"LPUSH k x", "GETEX k EX 10", "", ""},

    {"", "MSET a 1", "MSET a 1\n", "new a;set a"},
    {"SET b old EX 100", "MSET a 1 b 2 a 3", "MSET a 1 b 2 a 3\n", "new a;set a;set b;set a"},
    {"LPUSH a x", "MSET a 1", "MSET a 1\n", "set a"},
    {"", "MSET a 1 b", "", ""},
    {"", "MSETNX a 1 b 2", "MSETNX a 1 b 2\n", "new a;set a;new b;set b"},
    {"", "MSETNX a 1 a 2", "MSETNX a 1 a 2\n", "new a;set a;set a"},
    {"SET b old", "MSETNX a 1 b 2", "", ""},
    {"", "MSETNX a 1 b", "", ""},

    {"", "INCR k", "INCR k\n", "new k;incrby k"},
    {"SET k 5 EX 100", "INCR k", "INCR k\n", "incrby k"},
    {"SET k v", "INCR k", "", ""},
    {"SET k 9223372036854775807", "INCR k", "", ""},
    {"LPUSH k x", "INCR k", "", ""},
    {"SET k 5", "DECR k", "DECR k\n", "incrby k"},
    {"SET k -9223372036854775808", "DECR k", "", ""},
    {"", "INCRBY k 7", "INCRBY k 7\n", "new k;incrby k"},
    {"SET k 5", "INCRBY k 0", "INCRBY k 0\n", "incrby k"},
    {"SET k 5", "INCRBY k x", "", ""},
    {"SET k 5", "DECRBY k 7", "DECRBY k 7\n", "incrby k"},
    {"SET k 5", "DECRBY k -9223372036854775808", "", ""},
    {"SET k 5 PX 10;+11", "INCR k", "MULTI\nDEL k\nINCR k\nEXEC\n", "expired k;new k;incrby k"},
    {"", "INCRBYFLOAT k 1.5", "SET k 1.5 KEEPTTL\n", "new k;incrbyfloat k"},
    {"SET k 1 EX 100", "INCRBYFLOAT k 0.25", "SET k 1.25 KEEPTTL\n", "incrbyfloat k"},
    {"SET k v", "INCRBYFLOAT k 1", "", ""},
    {"SET k 1", "INCRBYFLOAT k x", "", ""},
    {"SET k 1", "INCRBYFLOAT k inf", "", ""},

    {"", "APPEND k v", "APPEND k v\n", "new k;append k"},
    {"SET k v EX 100", "APPEND k w", "APPEND k w\n", "append k"},
    {"SET k v", "APPEND k ''", "APPEND k ''\n", "append k"},
    {"LPUSH k x", "APPEND k w", "", ""},
    {"", "SETRANGE k 2 v", "SETRANGE k 2 v\n", "new k;setrange k"},
    {"SET k abc EX 100", "SETRANGE k 1 xyz", "SETRANGE k 1 xyz\n", "setrange k"},
    {"SET k abc", "SETRANGE k 5 ''", "", ""},
    {"", "SETRANGE k 0 ''", "", ""},
    {"SET k abc", "SETRANGE k -1 v", "", ""},
    {"SET k abc", "SETRANGE k 4294967295 v", "", ""},
    {"LPUSH k x", "SETRANGE k 0 v", "", ""},

    {"SET k v", "GET k", "", ""},
    {"", "GET k", "", "keymiss k"},
    {"SET k v PX 10;+11", "GET k", "DEL k\n", "expired k;keymiss k"},
    {"SET k v PX 10;+11", "STRLEN k", "DEL k\n", "expired k;keymiss k"},
    {"SET a v", "MGET a b a", "", "keymiss b"},
    {"", "GETRANGE k 0 1", "", "keymiss k"},
};

/* ---- lists ---- */

static const struct row list_rows[] = {
    {"", "LPUSH k a", "LPUSH k a\n", "new k;lpush k"},
    {"RPUSH k a", "LPUSH k b c", "LPUSH k b c\n", "lpush k"},
    {"SET k v", "LPUSH k a", "", ""},
    {"", "RPUSH k a b", "RPUSH k a b\n", "new k;rpush k"},
    {"SET k v", "RPUSH k a", "", ""},
    {"RPUSH k a;PEXPIRE k 10;+11", "RPUSH k b", "MULTI\nDEL k\nRPUSH k b\nEXEC\n",
     "expired k;new k;rpush k"},

    {"RPUSH k a b", "LPOP k", "LPOP k\n", "lpop k"},
    {"RPUSH k a", "LPOP k", "LPOP k\n", "lpop k;del k"},
    {"RPUSH k a b c", "LPOP k 2", "LPOP k 2\n", "lpop k"},
    {"RPUSH k a b c", "LPOP k 3", "LPOP k 3\n", "lpop k;del k"},
    {"RPUSH k a b c", "LPOP k 99", "LPOP k 99\n", "lpop k;del k"},
    {"RPUSH k a", "LPOP k 0", "", ""},
    {"RPUSH k a", "LPOP k -1", "", ""},
    {"RPUSH k a", "LPOP k x", "", ""},
    {"", "LPOP k", "", ""},
    {"", "LPOP k 2", "", ""},
    {"SET k v", "LPOP k", "", ""},
    {"RPUSH k a;PEXPIRE k 10;+11", "LPOP k", "DEL k\n", "expired k"},
    {"RPUSH k a b", "RPOP k", "RPOP k\n", "rpop k"},
    {"RPUSH k a", "RPOP k", "RPOP k\n", "rpop k;del k"},
    {"RPUSH k a b", "RPOP k 2", "RPOP k 2\n", "rpop k;del k"},
    {"", "RPOP k", "", ""},

    {"RPUSH k a b", "BLPOP k 0", "LPOP k\n", "lpop k"},
    {"RPUSH k a", "BLPOP none k 0", "LPOP k\n", "lpop k;del k"},
    {"RPUSH k a", "BRPOP k 1", "RPOP k\n", "rpop k;del k"},
    {"RPUSH k a b", "BRPOP k other 1", "RPOP k\n", "rpop k"},
    {"SET k v", "BLPOP k 0", "", ""},
    {"RPUSH k a", "BLPOP k x", "", ""},
    {"RPUSH k a", "BRPOP k -1", "", ""},
    {"", "1: BLPOP k 0", "", ""},
    {"1: BLPOP other k 0", "LPUSH k a", "LPUSH k a\nLPOP k\n", "new k;lpush k;lpop k;del k"},
    {"1: BLPOP k 0", "LPUSH k a b", "LPUSH k a b\nLPOP k\n", "new k;lpush k;lpop k"},
    {"1: BRPOP k 0", "RPUSH k a b", "RPUSH k a b\nRPOP k\n", "new k;rpush k;rpop k"},
    {"1: BLPOP k 0", "SET k v", "SET k v\n", "new k;set k"},
    {"1: BLPOP k 0;2: BRPOP k 0", "RPUSH k a b", "RPUSH k a b\nLPOP k\nRPOP k\n",
     "new k;rpush k;lpop k;rpop k;del k"},
    {"1: BLPOP k 0.005;+6", "LPUSH k a", "LPUSH k a\n", "new k;lpush k"},

    {"RPUSH k a b", "BLMOVE k d LEFT RIGHT 0", "LMOVE k d LEFT RIGHT\n", "new d;rpush d;lpop k"},
    {"RPUSH k a", "BLMOVE k d left left 0", "LMOVE k d LEFT LEFT\n", "new d;lpush d;lpop k;del k"},
    {"RPUSH k a;RPUSH d b", "BLMOVE k d RIGHT LEFT 0", "LMOVE k d RIGHT LEFT\n",
     "lpush d;rpop k;del k"},
    {"RPUSH k a b", "BLMOVE k k LEFT RIGHT 0", "LMOVE k k LEFT RIGHT\n", "rpush k;lpop k"},
    {"RPUSH k a", "BLMOVE k k LEFT RIGHT 0", "LMOVE k k LEFT RIGHT\n", "rpush k;lpop k"},
    {"RPUSH k a;SET d v", "BLMOVE k d LEFT RIGHT 0", "", ""},
    {"SET k v", "BLMOVE k d LEFT RIGHT 0", "", ""},
    {"RPUSH k a", "BLMOVE k d UP RIGHT 0", "", ""},
    {"RPUSH k a;RPUSH d b;PEXPIRE d 10;+11", "BLMOVE k d LEFT RIGHT 0",
     "MULTI\nDEL d\nLMOVE k d LEFT RIGHT\nEXEC\n", "expired d;new d;rpush d;lpop k;del k"},
    {"1: BLMOVE k d LEFT RIGHT 0", "RPUSH k a b", "RPUSH k a b\nLMOVE k d LEFT RIGHT\n",
     "new k;rpush k;new d;rpush d;lpop k"},
    {"1: BLMOVE k d LEFT LEFT 0", "RPUSH k a", "RPUSH k a\nLMOVE k d LEFT LEFT\n",
     "new k;rpush k;new d;lpush d;lpop k;del k"},
    {"1: BLMOVE k k LEFT RIGHT 0", "RPUSH k a b", "RPUSH k a b\nLMOVE k k LEFT RIGHT\n",
     "new k;rpush k;rpush k;lpop k"},
    {"1: BLMOVE k d LEFT RIGHT 0;2: BLPOP d 0", "RPUSH k a",
     "RPUSH k a\nLMOVE k d LEFT RIGHT\nLPOP d\n",
     "new k;rpush k;new d;rpush d;lpop k;del k;lpop d;del d"},
    {"1: BLMOVE k d LEFT RIGHT 0;SET d v", "RPUSH k a", "RPUSH k a\n", "new k;rpush k"},

    {"", "LPUSHX k a", "", ""},
    {"RPUSH k a", "LPUSHX k b c", "LPUSHX k b c\n", "lpush k"},
    {"SET k v", "LPUSHX k a", "", ""},
    {"", "RPUSHX k a", "", ""},
    {"RPUSH k a", "RPUSHX k b", "RPUSHX k b\n", "rpush k"},

    {"RPUSH k a b", "LSET k 0 x", "LSET k 0 x\n", "lset k"},
    {"RPUSH k a b", "LSET k 0 a", "LSET k 0 a\n", "lset k"},
    {"RPUSH k a b", "LSET k 2 x", "", ""},
    {"RPUSH k a b", "LSET k x x", "", ""},
    {"", "LSET k 0 x", "", ""},
    {"SET k v", "LSET k 0 x", "", ""},
    {"RPUSH k a b", "LINSERT k BEFORE b x", "LINSERT k BEFORE b x\n", "linsert k"},
    {"RPUSH k a b", "linsert k after b x", "linsert k after b x\n", "linsert k"},
    {"RPUSH k a b", "LINSERT k BEFORE none x", "", ""},
    {"RPUSH k a b", "LINSERT k UP b x", "", ""},
    {"", "LINSERT k BEFORE b x", "", ""},
    {"SET k v", "LINSERT k BEFORE b x", "", ""},
    {"RPUSH k a b a", "LREM k 1 a", "LREM k 1 a\n", "lrem k"},
    {"RPUSH k a b a", "LREM k 0 a", "LREM k 0 a\n", "lrem k"},
    {"RPUSH k a a", "LREM k -5 a", "LREM k -5 a\n", "lrem k;del k"},
    {"RPUSH k a a", "LREM k 0 none", "", ""},
    {"RPUSH k a a", "LREM k x a", "", ""},
    {"", "LREM k 0 a", "", ""},
    {"SET k v", "LREM k 0 a", "", ""},
    {"RPUSH k a b c", "LTRIM k 1 -1", "LTRIM k 1 -1\n", "ltrim k"},
    {"RPUSH k a b c", "LTRIM k 0 0", "LTRIM k 0 0\n", "ltrim k"},
    {"RPUSH k a b c", "LTRIM k 0 -1", "", "ltrim k"},
    {"RPUSH k a b c", "LTRIM k 2 1", "LTRIM k 2 1\n", "ltrim k;del k"},
    {"RPUSH k a b c", "LTRIM k 5 9", "LTRIM k 5 9\n", "ltrim k;del k"},
    {"RPUSH k a b c", "LTRIM k x 9", "", ""},
    {"", "LTRIM k 0 1", "", ""},
    {"SET k v", "LTRIM k 0 1", "", ""},

    {"RPUSH k a b c", "LMPOP 1 k LEFT", "LPOP k 1\n", "lpop k"},
    {"RPUSH k a b c", "LMPOP 2 none k right COUNT 2", "RPOP k 2\n", "rpop k"},
    {"RPUSH k a b c", "LMPOP 2 none k LEFT COUNT 9", "LPOP k 3\n", "lpop k;del k"},
    {"RPUSH k a b c", "LMPOP 2 k k LEFT COUNT 3", "LPOP k 3\n", "lpop k;del k"},
    {"", "LMPOP 2 none k LEFT COUNT 3", "", ""},
    {"SET none v;RPUSH k a", "LMPOP 2 none k LEFT", "", ""},
    {"RPUSH k a", "LMPOP 2 none k LEFT COUNT 0", "", ""},
    {"RPUSH k a b c", "BLMPOP 0 2 none k LEFT COUNT 2", "LPOP k 2\n", "lpop k"},
    {"RPUSH k a b c", "BLMPOP 0 1 k RIGHT COUNT 3", "RPOP k 3\n", "rpop k;del k"},
    {"SET k v", "BLMPOP 0 1 k RIGHT", "", ""},
    {"", "1: BLMPOP 0 1 k LEFT", "", ""},
    {"1: BLMPOP 0 2 other k LEFT COUNT 5", "LPUSH k a b",
     "LPUSH k a b\nLPOP k 2\n", "new k;lpush k;lpop k;del k"},
    {"1: BLMPOP 0 2 other k RIGHT", "LPUSH k a b", "LPUSH k a b\nRPOP k 1\n", "new k;lpush k;rpop k"},

    {"RPUSH k a b", "LMOVE k d LEFT RIGHT", "LMOVE k d LEFT RIGHT\n", "new d;rpush d;lpop k"},
    {"RPUSH k a b", "lmove k d left left", "lmove k d left left\n", "new d;lpush d;lpop k"},
    {"RPUSH k a", "LMOVE k d RIGHT LEFT", "LMOVE k d RIGHT LEFT\n", "new d;lpush d;rpop k;del k"},
    {"RPUSH k a b", "LMOVE k k LEFT RIGHT", "LMOVE k k LEFT RIGHT\n", "rpush k;lpop k"},
    {"RPUSH k a", "LMOVE k k LEFT RIGHT", "LMOVE k k LEFT RIGHT\n", "rpush k;lpop k"},
    {"RPUSH k a;SET d v", "LMOVE k d LEFT RIGHT", "", ""},
    {"SET k v", "LMOVE k d LEFT RIGHT", "", ""},
    {"", "LMOVE k d LEFT RIGHT", "", ""},
    {"RPUSH k a;RPUSH d b;PEXPIRE d 10;+11", "LMOVE k d LEFT RIGHT",
     "MULTI\nDEL d\nLMOVE k d LEFT RIGHT\nEXEC\n", "expired d;new d;rpush d;lpop k;del k"},
    {"RPUSH k a b", "RPOPLPUSH k d", "RPOPLPUSH k d\n", "new d;lpush d;rpop k"},
    {"RPUSH k a", "RPOPLPUSH k d", "RPOPLPUSH k d\n", "new d;lpush d;rpop k;del k"},
    {"RPUSH k a b", "RPOPLPUSH k k", "RPOPLPUSH k k\n", "lpush k;rpop k"},
    {"RPUSH k a;SET d v", "RPOPLPUSH k d", "", ""},
    {"", "RPOPLPUSH k d", "", ""},
    {"RPUSH k a b", "BRPOPLPUSH k d 0", "RPOPLPUSH k d\n", "new d;lpush d;rpop k"},
    {"RPUSH k a", "BRPOPLPUSH k k 0", "RPOPLPUSH k k\n", "lpush k;rpop k"},
    {"RPUSH k a;SET d v", "BRPOPLPUSH k d 0", "", ""},
    {"SET k v", "BRPOPLPUSH k d 0", "", ""},
    {"", "1: BRPOPLPUSH k d 0", "", ""},
    {"1: BRPOPLPUSH k d 0", "RPUSH k a b",
     "RPUSH k a b\nRPOPLPUSH k d\n", "new k;rpush k;new d;lpush d;rpop k"},
    {"1: BRPOPLPUSH k d 0", "RPUSH k a",
     "RPUSH k a\nRPOPLPUSH k d\n", "new k;rpush k;new d;lpush d;rpop k;del k"},
    {"1: BLMOVE k d LEFT RIGHT 0", "RPUSH k a",
     "RPUSH k a\nLMOVE k d LEFT RIGHT\n", "new k;rpush k;new d;rpush d;lpop k;del k"},
    {"1: BLMPOP 0 1 k LEFT COUNT 2;2: BRPOPLPUSH k d 0", "RPUSH k a b c",
     "RPUSH k a b c\nLPOP k 2\nRPOPLPUSH k d\n", "new k;rpush k;lpop k;new d;lpush d;rpop k;del k"},
    {"", "LINDEX k 0", "", "keymiss k"},
    {"", "LPOS k a", "", "keymiss k"},

    {"RPUSH k a", "LLEN k", "", ""},
    {"", "LRANGE k 0 -1", "", "keymiss k"},
};

/* ---- bitmaps ---- */

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

/* ---- sets ---- */

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

/* ---- sorting ---- */

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

/* ---- HyperLogLogs ---- */

static const struct row hyperloglog_rows[] = {
    {"", "PFADD k", "PFADD k\n", "new k;pfadd k"},
    {"", "PFADD k a b", "PFADD k a b\n", "new k;pfadd k"},
    {"PFADD k a;EXPIRE k 100", "PFADD k b", "PFADD k b\n", "pfadd k"},
    {"PFADD k a;PFDEBUG TODENSE k", "PFADD k b", "PFADD k b\n", "pfadd k"},
    {"PFADD k a", "PFADD k a", "", ""},
    {"PFADD k a;PFDEBUG TODENSE k", "PFADD k a", "", ""},
    {"PFADD k a", "PFADD k", "", ""},
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

/* ---- keys ---- */

static const struct row key_rows[] = {
    {"SET k v", "DEL k", "DEL k\n", "del k"},
    {"SET a v;RPUSH b x", "DEL a none b a", "DEL a none b a\n", "del a;del b"},
    {"", "DEL k", "", ""},
    {"SET k v PX 10;+11", "DEL k", "DEL k\n", "expired k"},
    {"SET a v PX 10;SET b v;+11", "DEL a b", "MULTI\nDEL a\nDEL a b\nEXEC\n", "expired a;del b"},
    {"SET k v", "UNLINK k", "UNLINK k\n", "del k"},
    {"SET a v;RPUSH b x", "UNLINK a none b", "UNLINK a none b\n", "del a;del b"},
    {"", "UNLINK k", "", ""},

    {"SET k v", "FLUSHDB", "FLUSHDB\n", ""},
    {"", "FLUSHDB", "FLUSHDB\n", ""},
    {"SET k v", "FLUSHDB ASYNC", "FLUSHDB ASYNC\n", ""},
    {"SET k v", "FLUSHDB nonsense", "", ""},
    {"SET k v", "FLUSHALL", "FLUSHALL\n", ""},
    {"", "FLUSHALL SYNC", "FLUSHALL SYNC\n", ""},

    {"SET k v", "EXPIRE k 10", "PEXPIREAT k 1795000010000\n", "expire k"},
    {"SET k v EX 5", "EXPIRE k 10", "PEXPIREAT k 1795000010000\n", "expire k"},
    {"", "EXPIRE k 10", "", ""},
    {"SET k v", "EXPIRE k 0", "DEL k\n", "del k"},
    {"SET k v", "EXPIRE k -5", "DEL k\n", "del k"},
    {"RPUSH k x", "EXPIRE k -5", "DEL k\n", "del k"},
    {"", "EXPIRE k -5", "", ""},
    {"SET k v", "EXPIRE k x", "", ""},
    {"SET k v", "EXPIRE k 9223372036854775807", "", ""},
    {"SET k v", "EXPIRE k 10 NX", "PEXPIREAT k 1795000010000\n", "expire k"},
    {"SET k v EX 5", "EXPIRE k 10 NX", "", ""},
    {"SET k v", "EXPIRE k 10 XX", "", ""},
    {"SET k v EX 5", "EXPIRE k 10 XX", "PEXPIREAT k 1795000010000\n", "expire k"},
    {"SET k v EX 5", "EXPIRE k 10 GT", "PEXPIREAT k 1795000010000\n", "expire k"},
    {"SET k v EX 50", "EXPIRE k 10 GT", "", ""},
    {"SET k v", "EXPIRE k 10 GT", "", ""},
    {"SET k v EX 50", "EXPIRE k 10 LT", "PEXPIREAT k 1795000010000\n", "expire k"},
    {"SET k v EX 5", "EXPIRE k 10 LT", "", ""},
    {"SET k v EX 5", "EXPIRE k -10 LT", "DEL k\n", "del k"},
    {"SET k v", "EXPIRE k 10 GT LT", "", ""},
    {"SET k v PX 10;+11", "EXPIRE k 10", "DEL k\n", "expired k"},
    {"SET k v", "PEXPIRE k 10", "PEXPIREAT k 1795000000010\n", "expire k"},
    {"SET k v", "PEXPIRE k 0", "DEL k\n", "del k"},
    {"", "PEXPIRE k 10", "", ""},
    {"SET k v", "EXPIREAT k 1795000100", "PEXPIREAT k 1795000100000\n", "expire k"},
    {"SET k v", "EXPIREAT k 1", "DEL k\n", "del k"},
    {"", "EXPIREAT k 1795000100", "", ""},
    {"SET k v", "PEXPIREAT k 1795000000500", "PEXPIREAT k 1795000000500\n", "expire k"},
    {"SET k v", "PEXPIREAT k 1", "DEL k\n", "del k"},
    {"", "PEXPIREAT k 1795000000500", "", ""},
    {"SET k v EX 100", "PERSIST k", "PERSIST k\n", "persist k"},
    {"SET k v", "PERSIST k", "", ""},
    {"", "PERSIST k", "", ""},

    {"SET a v EX 100", "RENAME a b", "RENAME a b\n", "new b;rename_from a;rename_to b"},
    {"SET a v;RPUSH b x", "RENAME a b", "RENAME a b\n", "new b;rename_from a;rename_to b"},
    {"SET a v", "RENAME a a", "", ""},
    {"", "RENAME a b", "", ""},
    {"SET a v;SET b w PX 10;+11", "RENAME a b", "MULTI\nDEL b\nRENAME a b\nEXEC\n",
     "expired b;new b;rename_from a;rename_to b"},
    {"SET a v", "RENAMENX a b", "RENAMENX a b\n", "new b;rename_from a;rename_to b"},
    {"SET a v;SET b v", "RENAMENX a b", "", ""},
    {"SET a v", "RENAMENX a a", "", ""},
    {"", "RENAMENX a b", "", ""},
    {"1: BLPOP q 0;RPUSH l x", "RENAME l q", "RENAME l q\nLPOP q\n",
     "new q;rename_from l;rename_to q;lpop q;del q"},
    {"SET a v EX 100", "COPY a b", "COPY a b\n", "new b;copy_to b"},
    {"RPUSH a x;SET b v", "COPY a b REPLACE", "COPY a b REPLACE\n", "new b;copy_to b"},
    {"SET a v;SET b v", "COPY a b", "", ""},
    {"SET a v", "COPY a a", "", ""},
    {"SET a v", "COPY a a DB 1", "COPY a a DB 1\n", "new 1:a;copy_to 1:a"},
    {"SET a v", "COPY a b DB 99", "", ""},
    {"", "COPY k b", "", "keymiss k"},
    {"SET a v EX 100", "MOVE a 1", "MOVE a 1\n", "new 1:a;move_from a;move_to 1:a"},
    {"SET a v;COPY a a DB 1", "MOVE a 1", "", ""},
    {"SET a v", "MOVE a 0", "", ""},
    {"", "MOVE a 1", "", ""},
    {"SET a v", "SWAPDB 0 1", "SWAPDB 0 1\n", ""},
    {"", "SWAPDB 1 1", "SWAPDB 1 1\n", ""},
    {"", "SWAPDB 0 99", "", ""},
    {"SET a v", "TOUCH a a", "", ""},
    {"", "TOUCH k", "", "keymiss k"},

    {"", "EXISTS k", "", "keymiss k"},
    {"", "TYPE k", "", "keymiss k"},
    {"", "TTL k", "", "keymiss k"},
    {"", "PEXPIRETIME k", "", "keymiss k"},
    {"", "OBJECT ENCODING k", "", ""},
    {"SET k v PX 10;+11", "EXISTS k", "DEL k\n", "expired k;keymiss k"},
    {"SET k v PX 10;+11", "TTL k", "DEL k\n", "expired k;keymiss k"},
    {"SET k v PX 10;+11", "RANDOMKEY", "DEL k\n", "expired k"},
    {"SET k v PX 10;+11", "SCAN 0", "DEL k\n", "expired k"},
};
#define FAMILIES (sizeof families / sizeof *families)

/* ---- running them ---- */

enum { PEERS = 3 };

static struct rig rig;
static struct peer peers[PEERS];
static const struct row *current;

static int setup(void **state)
{
    rig_init(&rig);
    for (int i = 0; i < PEERS; i++)
        peer_connect(&peers[i], &rig);
    return 0;
}

static int teardown(void **state)
{
    for (int i = 0; i < PEERS; i++)
        peer_release(&peers[i]);
    rig_release(&rig);
    return 0;
}

static void say(const char *line)
{
    int who = 0;

    if (line[0] == '+') {
        clock_advance(&rig.clock, strtol(line + 1, NULL, 10));
        rig_run(&rig); /* deadlines of those who wait; keys are left to who finds them */
        return;
    }
    if (line[1] == ':') {
        who = line[0] - '0';
        line += 3;
    }
    peer_says(&peers[who], line);
}

static void prepare(const struct row *row)
{
    char lines[256], *line, *rest;

    assert_true(strlen(row->before) < sizeof lines);
    memcpy(lines, row->before, strlen(row->before) + 1);
    for (line = strtok_r(lines, ";", &rest); line; line = strtok_r(NULL, ";", &rest))
        say(line);
    rig_forget(&rig);
}

/* "new k\nset k\n" from "new k;set k" */
static const char *event_lines(const char *events)
{
    static char lines[512];
    size_t len = strlen(events);

    memcpy(lines, events, len + 1);
    for (char *at = lines; *at; at++)
        if (*at == ';')
            *at = '\n';
    if (len)
        memcpy(lines + len, "\n", 2);
    return lines;
}

static void expect(const char *what, const char *got, const char *expected)
{
    if (strcmp(got, expected) != 0)
        fail_msg("%s; %s\n%s:\n%sinstead of:\n%s", current->before, current->command, what, got,
                 expected);
}

/* Nobody waits any more, all databases are empty, the time is the beginning's. */
static void clean_up(void)
{
    for (int i = 0; i < PEERS; i++)
        if (peers[i].client->blocked) {
            peer_release(&peers[i]);
            peer_connect(&peers[i], &rig);
        }
    for (int i = 0; i < PEERS; i++)
        peer_forget(&peers[i]);
    for (int i = 0; i < rig.store->db_count; i++)
        store_flush(&rig.store->dbs[i], false);
    rig.clock.now_us = RIG_NOW_MS * 1000;
    rig_forget(&rig);
}

static void run(const struct row *row)
{
    uint64_t changes;
    int64_t dirty;

    current = row;
    prepare(row);
    changes = rig.store->changes;
    dirty = rig.engine->changes;
    say(row->command);
    expect("travelled", rig_stream(&rig), row->stream);
    expect("was told", rig_events(&rig), event_lines(row->events));
    /* What counts as a change is what travels, but for what had expired. */
    if (!*row->stream && (rig.store->changes != changes || rig.engine->changes != dirty))
        fail_msg("%s; %s counted as a change", row->before, row->command);
    if (*row->stream && !strstr(row->events, "expired") && strncmp(row->command, "FLUSH", 5) != 0 &&
        rig.engine->changes == dirty)
        fail_msg("%s; %s did not count as a change", row->before, row->command);
    clean_up();
}

static void each_row(void (*run_row)(const struct row *row))
{
    for (size_t i = 0; i < FAMILIES; i++)
        for (size_t j = 0; j < families[i].count; j++)
            run_row(&families[i].rows[j]);
}

static void commands_report_what_they_did(void **state) { each_row(run); }

/* ---- in transactions ---- */

/* The same commands between MULTI and EXEC: the same events; what travels is wrapped when it is
 * several. One that would have waited answers instead. */
static void run_in_transaction(const struct row *row)
{
    bool is_several = strncmp(row->stream, "MULTI", 5) == 0;

    if (strstr(row->before, ": B") || strstr(row->command, ": B"))
        return; /* waits */
    current = row;
    prepare(row);
    peer_says(&peers[0], "MULTI");
    peer_says(&peers[0], row->command);
    peer_says(&peers[0], "EXEC");
    expect("travelled", rig_stream(&rig), row->stream);
    expect("was told", rig_events(&rig), event_lines(row->events));
    clean_up();
    if (is_several)
        return;
    prepare(row);
    peer_says(&peers[0], "MULTI");
    peer_says(&peers[0], "SET other x");
    peer_says(&peers[0], row->command);
    peer_says(&peers[0], "EXEC");
    if (*row->stream) {
        char expected[512];

        snprintf(expected, sizeof expected, "MULTI\nSET other x\n%sEXEC\n", row->stream);
        if (strncmp(row->command, "RANDOMKEY", 9) != 0) /* finds the other one */
            expect("travelled", rig_stream(&rig), expected);
    } else {
        expect("travelled", rig_stream(&rig), "SET other x\n");
    }
    clean_up();
}

static void commands_in_a_transaction_report_the_same(void **state) { each_row(run_in_transaction); }

/* ---- watched ---- */

/* A watched key: whoever changes it spoils the transaction, whoever does not leaves it. */
static void run_watched(const struct row *row)
{
    char key[64] = "", text[512];
    const char *second;
    bool is_touched;

    current = row;
    second = strchr(strncmp(row->command, "1: ", 3) ? row->command : row->command + 3, ' ');
    if (!second || strchr(row->command, ':') || strstr(row->before, ": B") ||
        strstr(row->command, " STORE "))
        return; /* it waits, or its first key is not the one that it changes */
    sscanf(second + 1, "%63s", key);
    prepare(row);
    snprintf(text, sizeof text, "WATCH %s", key);
    peer_says(&peers[2], text);
    say(row->command);
    snprintf(text, sizeof text, " %s\n", key);
    is_touched =
        strstr(rig_events(&rig), text) && strcmp(rig_events(&rig), event_lines("keymiss k")) != 0;
    if (strncmp(row->before + strlen(row->before) - 3, "+11", strlen(row->before) < 3 ? 0 : 3) ==
            0 &&
        strlen(row->before) >= 3 && !strstr(row->events, "set ") && !strstr(row->events, "new "))
        is_touched = false; /* it had expired when it was watched: its going is no change */
    if (strncmp(row->command, "PFCOUNT", 7) == 0) /* keeps its count in the value and tells nobody */
        is_touched = *row->stream;
    if (strncmp(row->command, "FLUSH", 5) == 0)
        is_touched = false;
    peer_forget(&peers[2]);
    peer_asks(&peers[2], "MULTI");
    peer_asks(&peers[2], "PING");
    peer_asks(&peers[2], "EXEC");
    rig_run(&rig);
    peer_read(&peers[2]);
    expect("the transaction answers", rig_text(&peers[2].received),
           is_touched ? "+OK\r\n+QUEUED\r\n*-1\r\n" : "+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n");
    clean_up();
}

static void a_watched_key_is_touched_by_what_changes_it_alone(void **state) { each_row(run_watched); }

/* ---- expiry without a command ---- */

static void what_expires_by_itself_travels_as_its_removal(void **state)
{
    say("SET k v PX 10");
    say("RPUSH l x");
    say("PEXPIRE l 20");
    rig_forget(&rig);
    rig_advance(&rig, 10);
    assert_string_equal(rig_stream(&rig), "");
    rig_advance(&rig, 1);
    assert_string_equal(rig_stream(&rig), "DEL k\n");
    assert_string_equal(rig_events(&rig), "expired k\n");
    rig_forget(&rig);
    rig_advance(&rig, 10);
    assert_string_equal(rig_stream(&rig), "DEL l\n");
    assert_string_equal(rig_events(&rig), "expired l\n");
}

static void nothing_expires_while_commands_are_paused(void **state)
{
    say("SET k v PX 10");
    rig_forget(&rig);
    say("CLIENT PAUSE 1000 WRITE");
    rig_advance(&rig, 11);
    say("GET k");
    assert_string_equal(rig_stream(&rig), "");
    assert_string_equal(rig_events(&rig), "keymiss k\n");
    rig_forget(&rig);
    say("CLIENT UNPAUSE");
    say("GET k");
    assert_string_equal(rig_stream(&rig), "DEL k\n");
    assert_string_equal(rig_events(&rig), "expired k\nkeymiss k\n");
    peer_forget(&peers[0]);
}

/* ---- long values, which are taken and not copied ---- */

static char long_value[200000];

static void say_with_values(int argc, const char *const *words)
{
    struct bytes argv[8];

    for (int i = 0; i < argc; i++) /* "<a" is a long value of that letter */
        if (words[i][0] == '<') {
            char *at = long_value + 40000 * (words[i][1] - 'a');

            memset(at, words[i][1], 40000);
            argv[i] = (struct bytes){at, 40000};
        } else {
            argv[i] = bytes_from_string(words[i]);
        }
    peer_sends_args(&peers[0], argc, argv);
    rig_run(&rig);
}

#define SAY(...)                                                                                   \
    say_with_values(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                        \
                    (const char *[]){__VA_ARGS__})

static void expect_long(const char *key, char letter)
{
    struct bytes name = bytes_from_string(key), value;
    const struct entry *entry = store_peek(&rig.store->dbs[0], name, hash_bytes(name));

    assert_non_null(entry);
    value = string_get(entry, NULL);
    assert_int_equal(value.len, 40000);
    assert_int_equal(value.data[0], letter);
    assert_int_equal(value.data[39999], letter);
}

#define A "<40000 bytes of a>"
#define B "<40000 bytes of b>"
#define C "<40000 bytes of c>"

static void long_values_travel_whole_whoever_owns_them_now(void **state)
{
    SAY("SET", "k", "<a");
    expect_long("k", 'a');
    SAY("SET", "k", "<b", "EX", "10");
    SAY("GETSET", "k", "<c");
    expect_long("k", 'c');
    SAY("SETNX", "n", "<a");
    SAY("SETEX", "k", "10", "<b");
    SAY("SET", "k", "<a", "NX");
    SAY("SET", "k", "<a", "GET");
    expect_long("k", 'a');
    SAY("APPEND", "new", "<b");
    expect_long("new", 'b');
    SAY("SETRANGE", "new", "0", "<c");
    expect_long("new", 'c');
    SAY("MSET", "m1", "<a", "m2", "<b");
    expect_long("m1", 'a');
    expect_long("m2", 'b');
    SAY("LPUSH", "list", "<a", "<b");
    assert_string_equal(rig_stream(&rig), "SET k " A "\n"
                                          "SET k " B " PXAT 1795000010000\n"
                                          "SET k " C "\n"
                                          "SETNX n " A "\n"
                                          "SET k " B " PXAT 1795000010000\n"
                                          "SET k " A "\n"
                                          "APPEND new " B "\n"
                                          "SETRANGE new 0 " C "\n"
                                          "MSET m1 " A " m2 " B "\n"
                                          "LPUSH list " A " " B "\n");
    peer_forget(&peers[0]);
}

static void a_key_that_is_set_twice_in_one_command_travels_as_it_was_sent(void **state)
{
    SAY("MSET", "k", "<a", "k", "<b");
    expect_long("k", 'b');
    SAY("MSET", "k", "<c", "j", "<a", "k", "short");
    SAY("MSETNX", "x", "<a", "y", "<b", "x", "<c");
    expect_long("x", 'c');
    assert_string_equal(rig_stream(&rig), "MSET k " A " k " B "\n"
                                          "MSET k " C " j " A " k short\n"
                                          "MSETNX x " A " y " B " x " C "\n");
    peer_forget(&peers[0]);
}

/* ---- random members ---- */

/* Reads one "SREM k a b c" and marks the members, which are numbers; returns how many. */
static size_t read_removal(const char **at, bool *is_removed)
{
    size_t count = 0;

    assert_memory_equal(*at, "SREM k", 6);
    for (*at += 6; **at == ' '; count++) {
        char *end;
        long member = strtol(*at + 1, &end, 10);

        assert_false(is_removed[member]);
        is_removed[member] = true;
        *at = end;
    }
    assert_int_equal(*(*at)++, '\n');
    return count;
}

/* Of 'size' members; the others are still there. */
static void check_spop(size_t size, size_t count, size_t commands)
{
    static bool is_removed[5000];
    struct bytes name = BYTES("k"), member;
    const char *at;
    char text[64];
    size_t removed = 0;

    memset(is_removed, 0, sizeof is_removed);
    for (size_t i = 0; i < size; i++) {
        snprintf(text, sizeof text, "SADD k %zu", i);
        say(text);
    }
    rig_forget(&rig);
    snprintf(text, sizeof text, "SPOP k %zu", count);
    say(text);
    assert_string_equal(rig_events(&rig), "spop k\n");
    at = rig_stream(&rig);
    if (commands > 1)
        at += strlen("MULTI\n");
    for (size_t i = 0; i < commands; i++)
        removed += read_removal(&at, is_removed);
    assert_string_equal(at, commands > 1 ? "EXEC\n" : "");
    assert_int_equal(removed, count);
    const struct entry *entry = store_peek(&rig.store->dbs[0], name, hash_bytes(name));
    for (size_t i = 0; i < size; i++) {
        member = (struct bytes){text, (size_t)snprintf(text, sizeof text, "%zu", i)};
        assert_int_equal(set_has(entry_value(entry), member), !is_removed[i]);
    }
    say("DEL k");
    peer_forget(&peers[0]);
}

static void members_that_were_popped_travel_as_their_removal(void **state)
{
    check_spop(5, 2, 1);
    check_spop(100, 99, 1);
    check_spop(2000, 1024, 1);
    check_spop(2000, 1025, 2);
    check_spop(4000, 3500, 4);
}

/* ---- databases ---- */

static void what_travels_names_its_database(void **state)
{
    say("SELECT 3");
    say("SET k v");
    say("FLUSHALL");
    say("RPUSH l a");
    say("1: SELECT 3");
    say("1: BLPOP other 0");
    say("RPUSH other x");
    assert_string_equal(rig_stream(&rig),
                        "3:SET k v\n3:FLUSHALL\n3:RPUSH l a\n3:RPUSH other x\n3:LPOP other\n");
    assert_string_equal(rig_events(&rig), "new 3:k\nset 3:k\nnew 3:l\nrpush 3:l\nnew 3:other\n"
                                          "rpush 3:other\nlpop 3:other\ndel 3:other\n");
    peer_forget(&peers[0]);
    peer_forget(&peers[1]);
}

/* ---- none is forgotten ---- */

static bool is_first_word(const char *line, const char *name)
{
    size_t len = strlen(name);

    if (line[0] >= '0' && line[0] <= '9')
        line += 3;
    return strncasecmp(line, name, len) == 0 && (line[len] == ' ' || line[len] == '\0');
}

static void count_rows(const struct family *family, const char *name, size_t *with, size_t *without)
{
    for (size_t i = 0; i < family->count; i++)
        if (is_first_word(family->rows[i].command, name))
            ++*(*family->rows[i].stream ? with : without);
}

static void every_write_command_has_rows_here(void **state)
{
    const struct command_set *set = rig.engine->commands;

    for (unsigned id = 0; id < command_set_size(set); id++) {
        const struct command_entry *entry = command_set_at(set, id);
        const char *name = entry->row->name;
        size_t with = 0, without = 0;

        if (!(entry->row->flags & CMD_WRITE))
            continue;
        for (size_t i = 0; i < FAMILIES; i++)
            count_rows(&families[i], name, &with, &without);
        if (!with || (!without && strcmp(name, "flushall") != 0))
            fail_msg("a row is missing in which %s %s", name, with ? "changes nothing" : "writes");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_report_what_they_did),
        TEST(commands_in_a_transaction_report_the_same),
        TEST(a_watched_key_is_touched_by_what_changes_it_alone),
        TEST(what_expires_by_itself_travels_as_its_removal),
        TEST(nothing_expires_while_commands_are_paused),
        TEST(long_values_travel_whole_whoever_owns_them_now),
        TEST(a_key_that_is_set_twice_in_one_command_travels_as_it_was_sent),
        TEST(members_that_were_popped_travel_as_their_removal),
        TEST(what_travels_names_its_database),
        TEST(every_write_command_has_rows_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
