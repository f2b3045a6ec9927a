/* The numbers of the format (https://rdb.fnordig.de/file_format.html and what servers write).
 *
 * A length:
 *
 *     00llllll           6 bits
 *     01llllll llllllll  14 bits, the higher first
 *     10000000 u32 BE
 *     10000001 u64 BE
 *     11xxxxxx           not a length: a string that is not kept as its bytes, in the way of x */
#ifndef TERN_PERSIST_RDB_FORMAT_INTERNAL_H
#define TERN_PERSIST_RDB_FORMAT_INTERNAL_H

#include "persist/rdb_file.h"

#define LENGTH_14        0x40
#define LENGTH_32        0x80
#define LENGTH_64        0x81
#define LENGTH_IS_NONE   0xC0
#define LENGTH_BYTES_MAX 9

#define STRING_INT_8  0xC0
#define STRING_INT_16 0xC1
#define STRING_INT_32 0xC2
#define STRING_LZF    0xC3 /* length packed, length unpacked, content */

#define STRING_INT_LEN_MAX 11 /* longer texts are not looked at */
#define STRING_PLAIN_MAX   20 /* longer ones are packed */

enum rdb_type {
    RDB_STRING = 0,
    RDB_LIST = 1,
    RDB_SET = 2,
    RDB_ZSET_TEXT = 3, /* scores as texts */
    RDB_HASH = 4,
    RDB_ZSET = 5,
    RDB_HASH_ZIPMAP = 9,
    RDB_LIST_ZIPLIST = 10,
    RDB_SET_INTSET = 11,
    RDB_ZSET_ZIPLIST = 12,
    RDB_HASH_ZIPLIST = 13,
    RDB_LIST_ZIPLISTS = 14,
    RDB_STREAM_1 = 15,
    RDB_HASH_LISTPACK = 16,
    RDB_ZSET_LISTPACK = 17,
    RDB_LIST_BLOCKS = 18,
    RDB_STREAM_2 = 19, /* and its first id, entries ever added, what groups have read */
    RDB_SET_LISTPACK = 20,
    RDB_STREAM_3 = 21, /* and when a consumer was active */
    RDB_HASH_DEADLINES_OLD = 22, /* of Redis 7.4 before its release; Valkey 9: RDB_HASH_DEADLINES_VALKEY */
    RDB_HASH_DEADLINES_VALKEY = 22,
    RDB_HASH_LISTPACK_DEADLINES_OLD = 23,
    RDB_HASH_DEADLINES = 24,
    RDB_HASH_LISTPACK_DEADLINES = 25
};

/* What stands in a file in place of a key's type. */
enum rdb_opcode {
    OPCODE_SLOT_INFO = 244,     /* slot, keys, keys with deadline: of a cluster's node */
    OPCODE_FUNCTION = RDB_OPCODE_FUNCTION,
    OPCODE_FUNCTION_OLD = RDB_OPCODE_FUNCTION_OLD,
    OPCODE_MODULE_AUX = 247,
    OPCODE_IDLE = 248,          /* seconds as a length; for the key that follows, as the next ones */
    OPCODE_FREQUENCY = 249,     /* one byte */
    OPCODE_AUX = 250,           /* name, value */
    OPCODE_SIZES = 251,         /* keys, keys with a deadline */
    OPCODE_DEADLINE_MS = 252,   /* u64 LE */
    OPCODE_DEADLINE = 253,      /* seconds, u32 LE */
    OPCODE_DATABASE = 254,      /* number */
    OPCODE_END = 255
};

#define RDB_MAGIC      "REDIS"
#define RDB_MAGIC_SIZE 9 /* with four digits of the version */

#define LIST_BLOCK_PLAIN  1
#define LIST_BLOCK_PACKED 2

#endif
