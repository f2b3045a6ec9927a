#!/usr/bin/env python3
"""Sends the same seeded random commands to two servers and compares what they answer.

    differential.py --ours 127.0.0.1:6379 --peer 127.0.0.1:6380 --commands 200000 --seed 1

Commands come from the table GROUPS below, one row each: good ones and bad ones (arity, types, numbers,
options), names in odd case, keys and values of any bytes, ranges at their edges. They go out in
pipelined batches. Replies are compared byte for byte, but for rows with a rule (order free, times, random
keys). After every thousand commands DEBUG DIGEST must agree; both servers need enable-debug-command.

What a real server does otherwise than Redis 7.2 is listed in EXPLAINED, with the reason; it is counted
but is no failure. After any difference the keys it touched are left out until the servers agree again;
when they do not, both are emptied. The last line is "differential: N passed, N failed".

The two servers' times differ by milliseconds, so deadlines are far away or long past, never near."""

import argparse
import random
import re
import socket
import sys
from collections import Counter, deque

# ---- the table ------------------------------------------------------------------------------------
#
# NAME arguments -> rules. CAPITALS stand for themselves (in random case), small letters for a value from
# TERMS; [a | b c] may be left out (options that stand together come in any order), (a | b) is one of them,
# x... one to four. Rules, after "->":
#
#     unordered       an array or set whose elements come in any order; a map likewise
#     near N          integers that differ by at most N, or an array of such
#     any             anything, if the type is the same
#     scan            a cursor and keys; with "all" the same keys, and the cursor is 0
#     random          as many elements, whichever; different ones when the last argument is not negative
#     drops           a DEL of the first argument follows, since from here on the two would hold different data
#     touch           a whole SCAN comes first, which removes expired keys: they might still be counted
#     but A B         the values behind the names A and B may differ
#     column N        the same, for what stands at N in each element
#     seldom, rare    a fifth, a fiftieth as often as the others

GROUPS = {
    'strings': '''
        GET skey
        SET skey value [EX seconds | PX ms | EXAT at | PXAT atms | KEEPTTL] [NX | XX] [GET]
        SETNX skey value
        SETEX skey seconds value
        PSETEX skey ms value
        GETSET skey value
        GETDEL skey
        GETEX skey [EX seconds | PX ms | EXAT at | PXAT atms | PERSIST]
        MGET key...
        MSET (skey value)...
        MSETNX (skey value)...
        INCR skey
        DECR skey
        INCRBY skey int
        DECRBY skey int
        INCRBYFLOAT skey float
        APPEND skey value
        STRLEN skey
        GETRANGE skey index index
        SUBSTR skey index index
        LCS skey skey [LEN | IDX] [MINMATCHLEN count] [WITHMATCHLEN] -> seldom
        SETRANGE skey offset value''',
    'bitmaps': '''
        SETBIT skey bitplace bit
        GETBIT skey bitplace
        BITCOUNT skey
        BITCOUNT skey index index [BYTE | BIT]
        BITPOS skey bit [index]
        BITPOS skey bit index index [BYTE | BIT]
        BITOP (AND | OR | XOR) skey skey...
        BITOP NOT skey skey
        BITFIELD skey (GET width bitplace | SET width bitplace int | INCRBY width bitplace int | OVERFLOW (WRAP | SAT | FAIL))...
        BITFIELD_RO skey (GET width bitplace)...''',
    'hyperloglogs': '''
        PFADD pkey element...
        PFADD pkey element element element element element element element...
        PFCOUNT pkey...
        PFMERGE pkey pkey...
        PFDEBUG (ENCODING | DECODE | TODENSE | GETREG) pkey -> seldom
        GET pkey
        GETRANGE pkey index index -> seldom
        SETRANGE pkey offset value -> seldom
        DEL pkey -> seldom''',
    'keys': '''
        DEL key... -> seldom
        UNLINK key... -> seldom
        EXISTS key...
        TYPE key
        KEYS pattern -> unordered
        RANDOMKEY -> any
        SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] -> scan
        DBSIZE -> touch
        OBJECT ENCODING key
        OBJECT REFCOUNT key -> any
        OBJECT IDLETIME key -> any
        OBJECT FREQ key
        MEMORY USAGE key [SAMPLES count] -> any seldom
        FLUSHDB [SYNC | ASYNC] -> rare
        FLUSHALL [SYNC | ASYNC] -> rare''',
    'expire': '''
        EXPIRE key seconds [NX | XX | GT | LT] [NX | XX | GT | LT]
        PEXPIRE key ms [NX | XX | GT | LT]
        EXPIREAT key at [NX | XX | GT | LT] [XX]
        PEXPIREAT key atms [NX | XX | GT | LT]
        TTL key -> near 3
        PTTL key -> near 3000
        EXPIRETIME key -> near 3
        PEXPIRETIME key -> near 3000
        PERSIST key''',
    'lists': '''
        LPUSH lkey value...
        RPUSH lkey value...
        RPUSH lkey value value value...
        LPOP lkey [count]
        RPOP lkey [count]
        LLEN lkey
        LRANGE lkey index index''',
    'more-lists': '''
        LPUSHX lkey value...
        RPUSHX lkey value...
        LINDEX lkey index
        LSET lkey place value
        LINSERT lkey (BEFORE | AFTER) value value
        LREM lkey index value
        LTRIM lkey index index
        LPOS lkey value [RANK index] [COUNT count] [MAXLEN count]
        LMOVE lkey lkey (LEFT | RIGHT) (LEFT | RIGHT)
        RPOPLPUSH lkey lkey
        LMPOP 1 lkey (LEFT | RIGHT) [COUNT count]
        LMPOP 2 lkey lkey (LEFT | RIGHT) [COUNT count]
        LMPOP count lkey lkey word [COUNT count] -> seldom''',
    'blocking': '''
        BLMPOP timeout 2 lkey lkey (LEFT | RIGHT) [COUNT count] -> rare
        BRPOPLPUSH lkey lkey timeout -> rare
        BLPOP lkey... timeout -> rare
        BRPOP lkey... timeout -> rare
        BLMOVE lkey lkey (LEFT | RIGHT) (LEFT | RIGHT) timeout -> rare''',
    'sort': '''
        RPUSH okey (1 2 3 4 5 | 9 8 7 | number number | number)
        SET wkey weight
        SORT okey [BY star] [LIMIT index index] [ASC | DESC] [STORE okey]
        SORT okey [BY star] [LIMIT index index] [GET star] [GET star] [ASC | DESC] [STORE lkey]
        SORT okey [LIMIT index index] [GET star] [DESC] [ALPHA] [STORE lkey]
        SORT okey BY nosort [LIMIT index index] [DESC] [ALPHA] [STORE okey]
        SORT okey BY star ALPHA [GET star] [DESC] -> unordered
        SORT_RO okey [BY star] [LIMIT index index] [GET star] [DESC]
        SORT_RO okey STORE okey -> seldom
        SORT_RO key [ALPHA] [LIMIT index index]
        SORT tkey ALPHA [LIMIT index index] [GET star] [DESC] STORE lkey
        SORT tkey BY nosort [GET star] -> unordered
        SORT zkey BY nosort [LIMIT index index] [GET star] [DESC] [STORE lkey]
        SORT zkey ALPHA [LIMIT index index] [DESC] STORE lkey
        SORT tkey BY nosort [LIMIT index index] [DESC] STORE lkey
        LTRIM okey 0 12
        DEL okey -> seldom''',
    'multi': '''
        MULTI
        MULTI
        EXEC
        EXEC
        EXEC
        DISCARD -> rare
        WATCH key...
        UNWATCH''',
    'pubsub': '''
        PUBLISH word value
        SPUBLISH word value
        PUBSUB CHANNELS [pattern] -> seldom
        PUBSUB NUMSUB [word...] -> seldom
        PUBSUB NUMPAT -> seldom
        PUBSUB SHARDCHANNELS [pattern] -> seldom
        PUBSUB SHARDNUMSUB [word...] -> seldom''',
    'connection': '''
        PING [value]
        ECHO value
        CLIENT GETNAME
        CLIENT SETNAME word
        CLIENT ID -> any
        SELECT db
        HELLO 4 -> any seldom
        COMMAND COUNT -> any seldom
        NOSUCHCOMMAND [value...] -> seldom
        word [value...] -> seldom
        CLIENT word -> seldom
        OBJECT word key -> seldom''',
    'moves': '''
        RENAME key key
        RENAMENX key key
        COPY key key [REPLACE] [DB db]
        MOVE key db
        TOUCH key...
        SWAPDB db db -> rare''',
    'hashes': '''
        HSET hkey (field value)...
        HSETNX hkey field value
        HGET hkey field
        HMGET hkey field...
        HDEL hkey field...
        HLEN hkey
        HEXISTS hkey field
        HSTRLEN hkey field
        HINCRBY hkey field int
        HINCRBYFLOAT hkey field float
        HGETALL hkey -> unordered
        HKEYS hkey -> unordered
        HVALS hkey -> unordered
        HMSET hkey (field value)...
        HRANDFIELD hkey [sample] -> random
        HRANDFIELD hkey sample WITHVALUES -> any
        HSCAN hkey cursor [MATCH pattern] [COUNT count] -> scan
        HSCAN hkey 0 COUNT 100000 [MATCH pattern] -> scan all''',
    'field-expiry': '''
        HSET hkey (field value)...
        HEXPIRE hkey seconds [NX | XX | GT | LT] FIELDS 2 field field
        HPEXPIRE hkey ms [NX | XX | GT | LT] FIELDS 1 field
        HEXPIREAT hkey at [NX | XX | GT | LT] FIELDS 3 field field field
        HPEXPIREAT hkey atms [NX | XX | GT | LT] FIELDS 1 field
        HTTL hkey FIELDS 2 field field -> near 3
        HPTTL hkey FIELDS 1 field -> near 3000
        HEXPIRETIME hkey FIELDS 1 field -> near 3
        HPEXPIRETIME hkey FIELDS 2 field field -> near 3000
        HPERSIST hkey FIELDS 2 field field
        HGETDEL hkey FIELDS 2 field field -> seldom
        HGETEX hkey [EX seconds | PX ms | EXAT at | PXAT atms | PERSIST] FIELDS 2 field field
        HSETEX hkey [FNX | FXX] [EX seconds | PX ms | EXAT at | PXAT atms | KEEPTTL] FIELDS 2 field value field value
        HSCAN hkey 0 COUNT 100000 NOVALUES -> scan all''',
    'sets': '''
        SADD tkey field...
        SREM tkey field...
        SCARD tkey
        SISMEMBER tkey field
        SMISMEMBER tkey field...
        SMOVE tkey tkey field
        SMEMBERS tkey -> unordered
        SINTER tkey... -> unordered
        SUNION tkey... -> unordered
        SDIFF tkey... -> unordered
        SINTERSTORE tkey tkey...
        SUNIONSTORE tkey tkey...
        SDIFFSTORE tkey tkey...
        SINTERCARD 1 tkey [LIMIT count]
        SINTERCARD 2 tkey tkey [LIMIT count]
        SINTERCARD count tkey tkey... [LIMIT count] -> seldom
        SADD tkey int...
        SADD tkey field field field field field field field field
        SPOP tkey [count] -> random drops
        SRANDMEMBER tkey [sample] -> random
        SSCAN tkey cursor [MATCH pattern] [COUNT count] -> scan
        SSCAN tkey 0 COUNT 100000 [MATCH pattern] -> scan all''',
    'zsets': '''
        ZADD zkey [NX | XX] [GT | LT] [CH] (score field)...
        ZADD zkey (score field)... (score field)... (score field)...
        ZADD zkey [NX | XX] [GT | LT] INCR score field
        ZINCRBY zkey score field
        ZREM zkey field...
        ZCARD zkey
        ZSCORE zkey field
        ZMSCORE zkey field...
        ZRANK zkey field [WITHSCORE]
        ZREVRANK zkey field [WITHSCORE]
        ZRANGE zkey index index [REV] [WITHSCORES]
        ZRANGE zkey bound bound BYSCORE [REV] [LIMIT skip index] [WITHSCORES]
        ZRANGE zkey index index [BYSCORE | BYLEX] [REV] [LIMIT skip index] [WITHSCORES] -> seldom
        ZRANGEBYSCORE zkey bound bound [WITHSCORES] [LIMIT skip index]
        ZREVRANGE zkey index index [WITHSCORES]
        ZREVRANGEBYSCORE zkey bound bound [WITHSCORES] [LIMIT skip index]
        ZRANGESTORE zkey zkey index index [REV]
        ZRANGESTORE zkey zkey bound bound BYSCORE [REV] [LIMIT skip index]
        ZCOUNT zkey bound bound
        ZPOPMIN zkey [count]
        ZPOPMAX zkey [count]
        ZMPOP 2 zkey zkey (MIN | MAX) [COUNT count]
        ZREMRANGEBYRANK zkey index index -> seldom
        ZREMRANGEBYSCORE zkey bound bound -> seldom
        ZRANDMEMBER zkey -> any
        ZRANDMEMBER zkey -1 [WITHSCORES] -> any
        ZRANDMEMBER zkey 100 [WITHSCORES] -> any
        ZSCAN zkey cursor [MATCH pattern] [COUNT count] -> scan
        ZUNION 2 zkey zkey [WEIGHTS score score] [AGGREGATE (SUM | MIN | MAX)] [WITHSCORES]
        ZUNION 3 zkey tkey zkey [WEIGHTS score score score] [AGGREGATE (SUM | MIN | MAX)] [WITHSCORES]
        ZINTER 2 zkey zkey [WEIGHTS score score] [AGGREGATE (SUM | MIN | MAX)] [WITHSCORES]
        ZINTER 2 tkey zkey [WEIGHTS score score] [WITHSCORES]
        ZDIFF 2 zkey zkey [WITHSCORES]
        ZDIFF 2 zkey tkey [WITHSCORES]
        ZINTERCARD 2 zkey zkey [LIMIT count]
        ZINTERCARD count zkey zkey [LIMIT count] -> seldom
        ZUNIONSTORE zkey 2 zkey tkey [WEIGHTS score score] [AGGREGATE (SUM | MIN | MAX)] -> seldom
        ZINTERSTORE zkey 2 zkey zkey [WEIGHTS score score] [AGGREGATE (SUM | MIN | MAX)] -> seldom
        ZDIFFSTORE zkey 2 zkey zkey -> seldom
        SADD tkey field... -> seldom
        BZPOPMIN zkey... timeout -> rare
        BZPOPMAX zkey... timeout -> rare
        BZMPOP timeout 2 zkey zkey (MIN | MAX) [COUNT count] -> rare
        ZADD zkey-lex (0 word)... [0 field]
        ZADD zkey-lex (0 word)... -> seldom
        ZREM zkey-lex word...
        ZLEXCOUNT zkey-lex lex lex
        ZRANGEBYLEX zkey-lex lex lex [LIMIT skip index]
        ZREVRANGEBYLEX zkey-lex lex lex [LIMIT skip index]
        ZRANGE zkey-lex lex lex BYLEX [REV] [LIMIT skip index]
        ZRANGESTORE zkey zkey-lex lex lex BYLEX [REV] [LIMIT skip index]
        ZREMRANGEBYLEX zkey-lex lex lex -> seldom''',
    'streams': '''
        XADD xkey newid (field value)...
        XADD xkey newid f1 value f2 value
        XADD xkey [NOMKSTREAM] [(MAXLEN | MINID) [= | ~] xbound [LIMIT count]] newid (field value)...
        XLEN xkey
        XDEL xkey xid...
        XTRIM xkey (MAXLEN | MINID) [= | ~] xbound [LIMIT count] -> seldom
        XSETID xkey newid [ENTRIESADDED count] [MAXDELETEDID xid] -> rare
        XRANGE xkey xedge xedge [COUNT count]
        XREVRANGE xkey xedge xedge [COUNT count]
        XREAD [COUNT count] STREAMS xkey xid
        XREAD [COUNT count] STREAMS xkey xkey (xid | $) xid
        XREAD BLOCK blockms STREAMS xkey $ -> rare
        XINFO STREAM xkey -> but radix-tree-nodes
        XINFO word xkey -> seldom''',
    'stream-groups': '''
        XGROUP CREATE xkey group (xid | $) [MKSTREAM] [ENTRIESREAD place]
        XGROUP SETID xkey group (xid | $) [ENTRIESREAD place] -> seldom
        XGROUP DESTROY xkey group -> rare
        XGROUP CREATECONSUMER xkey group consumer -> seldom
        XGROUP DELCONSUMER xkey group consumer -> seldom
        XREADGROUP GROUP group consumer [COUNT count] [NOACK] STREAMS xkey (> | xid)
        XREADGROUP GROUP group consumer [COUNT count] [NOACK] STREAMS xkey xkey (> | xid) >
        XREADGROUP GROUP group consumer BLOCK blockms STREAMS xkey > -> rare
        XACK xkey group xid...
        XPENDING xkey group
        XPENDING xkey group xedge xedge count consumer -> column 2
        XPENDING xkey group [IDLE 0] xedge xedge count -> column 2
        XCLAIM xkey group consumer 0 xid... [IDLE ms | TIME atms] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID xid]
        XAUTOCLAIM xkey group consumer 0 xedge [COUNT count] [JUSTID]
        XINFO GROUPS xkey
        XINFO CONSUMERS xkey group -> but idle inactive''',
}
DEFAULT_GROUPS = ','.join(GROUPS)

# Where a server departs from Redis 7.2: server, command (upper case, arguments joined by blanks), its reply
# (a regular expression from the start; empty: any), and why.
EXPLAINED = [
    ('tern', r'Z.* LIMIT -.*', rb'(:0|\*0)',
     'what is before the first is nothing, also of a large sorted set, where later versions count from the end'),
    ('redis-7.0', r'(BLPOP|BRPOP|BLMOVE) .*', rb'-ERR timeout is negative',
     'a timeout beyond 64 bits is out of range since 7.2'),
    ('redis-7.0', r'OBJECT ENCODING .*', rb'\$9\r\nquicklist',
     'short lists are listpacks since 7.2'),
    ('redis-7.0', r'OBJECT ENCODING .*', rb'\$9\r\nhashtable',
     'small sets are listpacks since 7.2'),
    ('redis-7.0', r'BIT(COUNT|POS) .*', rb'(:0|:-1|-WRONGTYPE)',
     'a range is read before the key is looked up since 7.2'),
    ('redis-7.0', r'CLIENT SETNAME .*\x00.*', rb'-ERR Client names',
     'a name is looked at up to a zero byte since 7.2'),
    ('redis-7.0', r'HSCAN .*NOVALUES', rb'-ERR syntax',
     'HSCAN has NOVALUES since 7.4'),
    ('redis-8', r'OBJECT ENCODING .*', rb'\$10\r\nlistpackex',
     'Redis 8 makes room for deadlines before it looks whether the fields are there'),
    ('redis-7.0', r'OBJECT ENCODING .*', rb'\$8\r\nlistpack',
     'many fields in one HSET make a table since 7.2'),
    ('valkey-', r'H(P?EXPIRE(AT)?|P?EXPIRETIME|P?TTL|PERSIST|GETDEL|GETEX|SETEX) .*', rb'-',
     'Valkey says other things of what is wrong, and looks at the key last'),
    ('valkey-', r'H(P?EXPIRE(AT)?|GETEX|SETEX) .*', rb'[*:]',
     'Valkey has no deadline that is too far'),
    ('valkey-', r'OBJECT ENCODING .*', rb'\$9\r\nhashtable',
     'Valkey keeps hashes whose fields expire as tables'),
    ('valkey-', r'HSETEX .*', rb'[*:]',
     'Valkey takes an option twice'),
    ('redis-7.0', r'[HSZ]?SCAN .*', rb'',
     'cursors with a sign, or empty, are refused since 7.2'),
    ('redis-7.0', r'(LREM|LPOS) .*-9223372036854775808.*', rb'',
     'the lowest integer is out of range since 7.2'),
    ('redis-7.0', r'Z.*', rb'(?s).*\de\+',
     'large scores are printed without an exponent since 7.2'),
    ('redis-7.0', r'Z(REV)?RANK .*', rb'-ERR wrong number',
     'ZRANK has WITHSCORE since 7.2'),
    ('redis-7.0', r'Z(COUNT|R).*( 1|0X10).*', rb'',
     'limits may not begin with a blank or be hexadecimal in later versions'),
    ('valkey-', r'SORT(_RO)? .*', rb'-ERR One or more scores',
     'Valkey reads no empty text as a number'),
    ('redis-8', r'SORT(_RO)? .*', rb'[*:]',
     'Redis 8 reads numbers that are too large as infinite'),
    ('redis-7.0', r'SORT(_RO)? .*', rb'[*:]',
     'numbers with a blank in front or in hexadecimal are none in later versions'),
    ('redis-', r'SORT(_RO)? .*', rb'-ERR One or more scores',
     'a number that is out of range anywhere can spoil those that are read after it'),
    ('valkey-', r'Z(ADD|INCRBY) .*0X10.*', rb'-ERR value is not a valid float',
     'Valkey reads no hexadecimal scores'),
    ('valkey-', r'BITCOUNT .*', rb'',
     'Valkey reads the unit before the end, and a range may have no end'),
    ('valkey-', r'GETEX .*', rb'-ERR (invalid expire|value is not)',
     'Valkey looks at the deadline before the key'),
    ('valkey-', r'(MULTI|WATCH .*|EXEC)', rb'-(ERR Command|EXECABORT)',
     'Valkey spoils a transaction in which MULTI or WATCH is called'),
    ('valkey-', r'OBJECT ENCODING .*', rb'\$(6\r\nembstr|3\r\nraw)',
     'Valkey embeds strings by the size of key and value'),
    ('valkey-', r'OBJECT ENCODING .*', rb'\$8\r\nskiplist',
     'Valkey converts a sorted set for a long member that ZADD XX does not even add'),
    ('redis-8', r'XREAD .*', rb'-ERR Unbalanced',
     'the error that tells of + too is of 7.4'),
    ('redis-7.0', r'XREAD(GROUP)? .*', rb'-ERR (Unbalanced|Invalid stream ID)',
     'another text before 7.2, and + for the last id'),
    ('redis-7.0', r'XINFO .*', rb'\*',
     'the lag after a trim was wrong, and consumers had no time of activity'),
    ('redis-7.0', r'XGROUP CREATECONSUMER .*', rb':1',
     'a consumer who claims nothing is made since 7.2'),
    ('valkey-', r'XINFO GROUPS .*', rb'\*',
     'the lag of a group behind which entries were trimmed is that of 7.2.4'),
    ('valkey-', r'SCAN .*', rb'-ERR unknown type name',
     'Valkey refuses a type that does not exist'),
]

# ---- values ---------------------------------------------------------------------------------------

KEYS = {  # by the type that most commands give them
    's': [b's:1', b's:2', b's:3', b's:4', b's:5', b'', b's:\x00\r\n\xff'],
    'l': [b'l:1', b'l:2', b'l:3', b'l:\xe2\x82\xac'],
    'h': [b'h:1', b'h:2', b'h:3'],
    't': [b't:1', b't:2', b't:3'],
    'z': [b'z:1', b'z:2', b'z:3'],
    'o': [b'o:1', b'o:2', b'o:3'],
    'w': [b'w:1', b'w:2', b'w:3', b'w:4', b'w:5'],
    'p': [b'p:1', b'p:2', b'p:3'],
    'x': [b'x:1', b'x:2', b'x:3'],
    'n': [b'none', b'k' * 70],
}
ALL_KEYS = [key for keys in KEYS.values() for key in keys]
LEX_KEY = b'z:lex'  # of a sorted set whose members all have the score 0
KEY_SET = frozenset(ALL_KEYS + [LEX_KEY])
WHOLE_SCAN = [b'SCAN', b'0', b'COUNT', b'100000']
DATABASES = 2

INTEGERS = [b'0', b'1', b'-1', b'2', b'7', b'10', b'100', b'-100', b'12345678', b'2147483647', b'2147483648',
            b'-2147483649', b'4294967296', b'9223372036854775807', b'-9223372036854775808',
            b'9223372036854775806', b'-9223372036854775807', b'4611686018427387904']
NO_INTEGERS = [b'', b'abc', b'1.5', b' 1', b'1 ', b'+1', b'01', b'-0', b'0x10', b'1e3', b'1\x00',
               b'9223372036854775808', b'-9223372036854775809', b'99999999999999999999', b'nan', b'inf']
FLOATS = [b'0', b'1', b'-1', b'0.1', b'1.5', b'-2.25', b'3.0', b'3.0e3', b'1e-10', b'1e17', b'1e20', b'-1e5',
          b'0.3333333333333333', b'123456.789', b'5.', b'.5', b'-0', b'+1', b'1E2', b'0x10']
NO_FLOATS = [b'', b'abc', b' 1', b'1 ', b'1,5', b'nan', b'-nan', b'1x', b'1\x00', b'1e5000', b'--1']
INFINITE = [b'inf', b'-inf', b'+inf', b'infinity', b'1e308', b'-1e308', b'1e4932']
# Doubles that all print alike, also into DEBUG DIGEST: Redis 7.0 has other decimals for 0.1, Valkey keeps -0.
SCORES = [b'0', b'1.5', b'-2.25', b'0.125', b'3.0', b'123456.75', b'-1e5', b'inf', b'-inf', b'+1']
NO_SCORES = [b'', b'abc', b'1 ', b'1,5', b'nan', b'-nan', b'1x', b'--1']
WORDS = [b'a', b'b', b'foo', b'news', b'sport', b'FOO', b'x y', b'n*', b'']
GARBAGE = [b'', b'abc', b'-1', b'1.5', b' 1', b'9223372036854775808', b'0x10', b'NX', b'XX', b'GET', b'EX',
           b'COUNT', b'a b', b'\x00', b'*']


def mostly(rng, good, bad, chance=0.06):
    return rng.choice(bad) if rng.random() < chance else rng.choice(good)


def any_value(rng):
    kind = rng.random()
    if kind < 0.35:
        return b'%d' % rng.randint(-1000, 1000)
    if kind < 0.45:
        return mostly(rng, INTEGERS, NO_INTEGERS, 0.3)
    if kind < 0.55:
        return mostly(rng, FLOATS, INFINITE, 0.1)
    if kind < 0.85:
        return bytes(rng.choice(b'abcdefgh') for _ in range(rng.randint(1, 12)))
    if kind < 0.97:
        return rng.randbytes(rng.choice((0, 1, 20, 43, 44, 45, 60, 64, 65, 200)))
    return bytes([rng.randrange(256)]) * rng.choice((1000, 4100, 9000, 17000))


def any_key(rng, kind):
    if kind and rng.random() < 0.88:
        return rng.choice(KEYS[kind])
    return rng.choice(ALL_KEYS)


def far_or_past(rng, unit, epoch):
    """A deadline in seconds or milliseconds, from now or since 1970: far, over, or none at all."""
    kind = rng.random()
    if kind < 0.75:
        return b'%d' % (rng.randint(10000, 1000000) * unit + epoch)
    if kind < 0.85 and epoch:
        return rng.choice((b'1', b'1000'))
    return rng.choice([b'0', b'-1', b'-1000', b'9223372036854775807', b'-9223372036854775808',
                       b'9223372036854776', b'9223372036854775'] + NO_INTEGERS)


def any_pattern(rng):
    if rng.random() < 0.5:
        return rng.choice((b'*', b's:*', b'[ls]:?', b'?:1', b'*[1-3]', b'[^s]:*', b'n?ne', b'*1*', b'\\s:1'))
    pieces = [b'*', b'?', b'[a-z]', b'[^s]', b'[sl]', b's', b'l', b':', b'1', b'2', b'\\*', b'\\', b'[', b'[z-a]',
              b'none', b'\x00', b'\xff', b'*:*', b'']
    return b''.join(rng.choice(pieces) for _ in range(rng.randint(1, 4)))


def stream_id(rng):
    kind = rng.random()
    if kind < 0.7:
        return b'%d-%d' % (max(0, stream_ids[0] - rng.randint(-3, 60)), rng.randint(0, 3))
    if kind < 0.9:
        return b'%d' % max(0, stream_ids[0] - rng.randint(-3, 60))
    return rng.choice([b'0', b'0-0', b'1-1', b'5-', b'-5', b'abc', b'', b'01-02', b' 7', b'+7', b'7--1', b'3-x',
                       b'18446744073709551615', b'18446744073709551615-18446744073709551615',
                       b'18446744073709551616', b'9' * 200, b'1-1-1', b'1-*', b'*', b'7\x00x'])


def new_stream_id(rng):
    """Mostly behind all that were given before. Not "*", which is the time."""
    kind = rng.random()
    if kind < 0.01:
        return rng.choice([b'0-0', b'-', b'+', b'abc', b'', b'5-', b'-*', b'x-*', b'18446744073709551616'])
    if kind < 0.15:
        return b'%d-%d' % (max(0, stream_ids[0] - rng.randint(-3, 20)), rng.randint(0, 3))
    stream_ids[0] += rng.choice((0, 1, 1, 1, 2))
    if kind < 0.6:
        return b'%d-*' % stream_ids[0]
    return b'%d-%d' % (stream_ids[0], rng.randint(0, 9))


stream_ids = [1]

TERMS = {
    'key': lambda rng: any_key(rng, None),
    'skey': lambda rng: any_key(rng, 's'),
    'lkey': lambda rng: any_key(rng, 'l'),
    'hkey': lambda rng: any_key(rng, 'h'),
    'pkey': lambda rng: any_key(rng, 'p'),
    'tkey': lambda rng: any_key(rng, 't'),
    'zkey': lambda rng: any_key(rng, 'z'),
    'zkey-lex': lambda rng: LEX_KEY,
    'bound': lambda rng: rng.choice([b'', b'', b'(']) + mostly(rng, SCORES + [b'%d' % rng.randint(-9, 9)] * 10,
                                                              NO_SCORES + [b' 1', b'0x10', b'1\x00'], 0.04),
    'skip': lambda rng: mostly(rng, [b'%d' % rng.randint(0, 9)], [b'', b'x', b'1.5', b'9223372036854775808']),
    'lex': lambda rng: mostly(rng, [b'-', b'+', b'[a', b'(a', b'[b', b'(foo', b'[', b'(', b'[f', b'(f1', b'[n*'],
                              [b'', b'a', b'-a', b'+ ', b'0'], 0.06),
    'okey': lambda rng: any_key(rng, 'o'),
    'wkey': lambda rng: any_key(rng, 'w'),
    'nosort': lambda rng: rng.choice((b'nosort', b'nosort', b'', b's:1', b'#')),
    'star': lambda rng: rng.choice([b'w:*'] * 9 + [b'#', b'*', b's:*', b'none*', b'h:*->f1', b'h:*->f2', b'w:*->f', b'w:*->', b'no']),
    'number': lambda rng: mostly(rng, [b'%d' % rng.randint(0, 20)] * 20 + SCORES, [b'x', b'nan'], 0.004),
    'weight': lambda rng: mostly(rng, [b'%d' % rng.randint(0, 9)] * 5 + SCORES, [b'x', b'nan'], 0.004),
    'xkey': lambda rng: any_key(rng, 'x'),
    'xid': stream_id,
    'newid': new_stream_id,
    'xedge': lambda rng: rng.choice((b'-', b'+', b'(' + stream_id(rng), stream_id(rng), stream_id(rng))),
    'xbound': lambda rng: mostly(rng, [b'%d' % rng.randint(0, 60), b'%d' % max(0, stream_ids[0] - rng.randint(0, 200))],
                                 NO_INTEGERS + [b'-1', stream_id(rng)]),
    'blockms': lambda rng: mostly(rng, [b'1', b'2'], [b'-1', b'abc', b'', b'1.5', b'9223372036854775807']),
    'group': lambda rng: mostly(rng, [b'g1', b'g2'], [b'none', b''], 0.05),
    'consumer': lambda rng: rng.choice((b'alice', b'bob', b'c')),
    'value': any_value,
    'field': lambda rng: b'f%d' % rng.randint(0, 40) if rng.random() < 0.8 else any_value(rng),
    'element': lambda rng: b'%d' % rng.randrange(rng.choice((10, 1000, 1000000))) if rng.random() < 0.9
               else any_value(rng),
    'word': lambda rng: rng.choice(WORDS),
    'int': lambda rng: mostly(rng, INTEGERS + [b'%d' % rng.randint(-50, 50)] * 10, NO_INTEGERS),
    'index': lambda rng: mostly(rng, INTEGERS + [b'%d' % rng.randint(-12, 12)] * 40, NO_INTEGERS),
    'place': lambda rng: mostly(rng, [b'%d' % rng.randint(-12, 12)], NO_INTEGERS),  # not the far ends
    'count': lambda rng: mostly(rng, [b'%d' % rng.randint(0, 8)] * 20 + [b'-1', b'9223372036854775807'],
                                NO_INTEGERS),
    'sample': lambda rng: mostly(rng, [b'%d' % rng.randint(-9, 9)] * 20 + [b'9223372036854775807', b'-9223372036854775808'],
                                 NO_INTEGERS),
    'offset': lambda rng: mostly(rng, [b'%d' % rng.randint(0, 80), b'2000'],
                                 NO_INTEGERS + [b'-1', b'536870912', b'9223372036854775807']),
    'bit': lambda rng: mostly(rng, [b'0', b'1'], [b'2', b'-1', b'x', b'']),
    'bitplace': lambda rng: mostly(rng, [b'%d' % rng.randint(0, 200)] * 3 + [b'#%d' % rng.randint(0, 20)],
                                   NO_INTEGERS + [b'-1', b'#', b'#-1', b'4294967296', b'9223372036854775807']),
    'width': lambda rng: mostly(rng, [b'u%d' % rng.randint(1, 63), b'i%d' % rng.randint(1, 64), b'u8', b'i16'],
                                [b'u64', b'i65', b'u0', b'i0', b'x8', b'8', b'u', b'', b'U8', b'u08'], 0.03),
    'float': lambda rng: mostly(rng, FLOATS, NO_FLOATS + INFINITE, 0.15),
    'score': lambda rng: mostly(rng, SCORES + [b'%d' % rng.randint(-9, 9)] * 10, NO_SCORES),
    'seconds': lambda rng: far_or_past(rng, 1, 0),
    'ms': lambda rng: far_or_past(rng, 1000, 0),
    'at': lambda rng: far_or_past(rng, 1, 33177117420),
    'atms': lambda rng: far_or_past(rng, 1000, 33177117420000),
    'timeout': lambda rng: mostly(rng, [b'0.001', b'0.002', b'1e-3'], [b'-1', b'abc', b'', b'inf', b'1e400', b'nan']),
    'cursor': lambda rng: mostly(rng, [b'0'] * 8 + [b'%d' % rng.randrange(64)], [b'abc', b'', b'-1', b'1.5'], 0.1),
    'pattern': any_pattern,
    'type': lambda rng: rng.choice([b'string', b'list', b'hash', b'set', b'zset', b'STRING', b'bogus']),
    'db': lambda rng: mostly(rng, [b'%d' % n for n in range(DATABASES)], NO_INTEGERS + [b'-1', b'16', b'100'], 0.2),
}

# ---- grammar --------------------------------------------------------------------------------------


def parse_sequence(tokens):
    """Parses up to the closing bracket: a list of alternatives, each a list of nodes."""
    alternatives, nodes = [], []
    while tokens:
        token = tokens.pop(0)
        if token in (']', ')'):
            break
        if token == '|':
            alternatives.append(nodes)
            nodes = []
        elif token == '...':
            nodes.append(('many', nodes.pop()))
        elif token == '[':
            node = ('maybe', parse_sequence(tokens))
            if nodes and nodes[-1][0] == 'options':
                nodes[-1][1].append(node)
            else:
                nodes.append(('options', [node]))
        elif token == '(':
            nodes.append(('one', parse_sequence(tokens)))
        elif token in TERMS:
            nodes.append(('term', TERMS[token]))
        else:
            nodes.append(('word', token.encode()))
    return alternatives + [nodes]


def expand(rng, nodes, out):
    for kind, content in nodes:
        if kind == 'term':
            out.append(content(rng))
        elif kind == 'word':
            out.append(odd_case(rng, content))
        elif kind == 'one':
            expand(rng, rng.choice(content), out)
        elif kind == 'many':
            for _ in range(rng.choice((1, 1, 2, 3, 4))):
                expand(rng, [content], out)
        elif kind == 'maybe':
            if rng.random() < 0.35:
                expand(rng, rng.choice(content), out)
        else:
            expand(rng, rng.sample(content, len(content)), out)


def odd_case(rng, word):
    kind = rng.random()
    if kind < 0.6:
        return word
    return word.lower() if kind < 0.9 else bytes(rng.choice((b, b ^ 32)) if 65 <= b <= 90 else b for b in word)


class Row:
    """One command of the table."""

    def __init__(self, line):
        syntax, _, rules = line.partition('->')
        self.name = syntax.split()[0]
        tokens = re.findall(r'\.\.\.|[\[\]()|]|[^\s\[\]()|.]+', syntax)
        self.nodes = parse_sequence(tokens)[0]
        rules = rules.split()
        self.weight = 1 if 'rare' in rules else 10 if 'seldom' in rules else 50
        self.touches = 'touch' in rules
        self.drops = 'drops' in rules
        self.rule = [rule for rule in rules if rule not in ('rare', 'seldom', 'touch', 'drops')] or ['exact']
        self.stays_whole = 'timeout' in syntax or 'zkey-lex' in syntax

    def generate(self, rng):
        args = []
        expand(rng, self.nodes, args)
        if rng.random() < 0.04 and not self.stays_whole:
            spoil(rng, args)
        return args


def spoil(rng, args):
    """Makes a command wrong, perhaps."""
    at = rng.randrange(1, len(args) + 1)
    kind = rng.randrange(4)
    if kind == 0 and at < len(args):
        del args[at]
    elif kind == 1 and at < len(args):
        args[at] = rng.choice(GARBAGE)
    elif kind == 2:
        del args[at:]
    else:
        args.insert(at, rng.choice(GARBAGE))


def rows_of(groups):
    rows = []
    for group in groups:
        if group not in GROUPS:
            sys.exit(f'differential: no group {group}; there are {" ".join(GROUPS)}')
        rows += [Row(line) for line in GROUPS[group].strip().split('\n')]
    return rows, [row.weight for row in rows]


# ---- servers --------------------------------------------------------------------------------------


def encode(args):
    return b'*%d\r\n' % len(args) + b''.join(b'$%d\r\n%s\r\n' % (len(arg), arg) for arg in args)


class Lost(Exception):
    """A server closed the connection, is silent, or speaks another protocol."""


def end_of_reply(data, at):
    """Where the reply at 'at' ends, -1 when it is not all there."""
    end = data.find(b'\r\n', at)
    if end < 0:
        return -1
    kind = data[at]
    if kind in b'+-:_#,(':
        return end + 2
    if kind not in b'$=!*~%>':
        raise Lost(f'this is not the protocol: {bytes(data[at:at + 60])}')
    length = int(data[at + 1:end])
    if length < 0:
        return end + 2
    if kind in b'$=!':
        end += 2 + length + 2
        return end if end <= len(data) else -1
    end += 2
    for _ in range(length * (2 if kind == ord('%') else 1)):
        end = end_of_reply(data, end)
        if end < 0:
            return -1
    return end


class Connection:
    def __init__(self, address, resp):
        host, _, port = address.rpartition(':')
        self.address = address
        try:
            self.socket = socket.create_connection((host or '127.0.0.1', int(port)), timeout=20)
        except OSError as error:
            sys.exit(f'differential: {address}: {error}')
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.at = 0
        if resp == 3:
            self.ask(b'HELLO', b'3')

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        if self.at > 1 << 20:
            del self.buffer[:self.at]
            self.at = 0
        try:
            data = self.socket.recv(1 << 18)
        except OSError as error:
            raise Lost(f'{self.address}: {error}') from error
        if not data:
            raise Lost(f'{self.address} closed the connection')
        self.buffer += data

    def read(self):
        """The bytes of the next reply."""
        while True:
            end = end_of_reply(self.buffer, self.at)
            if end >= 0:
                reply = bytes(self.buffer[self.at:end])
                self.at = end
                return reply
            self.fill()

    def ask(self, *args):
        self.send(encode(args))
        return self.read()


def parse(reply, at=0):
    """A reply as Python sees it, and where it ends: (type, text) or (type, [elements]); nil has a type of
    its own."""
    end = reply.index(b'\r\n', at)
    kind, line = reply[at:at + 1], reply[at + 1:end]
    if line == b'-1' and kind in b'$*':
        return (kind + b'-', b''), end + 2
    if kind in b'+-:_#,(':
        return (kind, line), end + 2
    length = int(line)
    if kind in b'$=!':
        return (kind, reply[end + 2:end + 2 + length]), end + 4 + length
    elements, end = [], end + 2
    for _ in range(length * (2 if kind == b'%' else 1)):
        element, end = parse(reply, end)
        elements.append(element)
    return (kind, elements), end


def elements_of(reply):
    """The bytes of each element of an array."""
    at, elements = reply.index(b'\r\n') + 2, []
    while at < len(reply):
        end = end_of_reply(reply, at)
        elements.append(reply[at:end])
        at = end
    return elements


# ---- comparing ------------------------------------------------------------------------------------


def pairs(elements):
    return list(zip(elements[::2], elements[1::2]))


def same(rule, ours, theirs, command):
    """True when two replies agree by the rule. Errors and nils must always be the same."""
    if ours == theirs or rule[0] == 'exact':
        return ours == theirs
    if rule[0] in ('but', 'column') and ours[:1] == theirs[:1] and ours[:1] in b'*%':
        names = [name.encode() for name in rule[1:]] if rule[0] == 'but' else []
        column = int(rule[1]) if rule[0] == 'column' else None
        return without(parse(ours)[0], names, column) == without(parse(theirs)[0], names, column)
    (kind, ours), (other, theirs) = parse(ours)[0], parse(theirs)[0]
    if kind != other or kind == b'-':
        return False
    if rule[0] == 'unordered' and isinstance(ours, list):
        if kind == b'%' or command[0].upper() == b'HGETALL':
            ours, theirs = pairs(ours), pairs(theirs)
        return sorted(map(repr, ours)) == sorted(map(repr, theirs))
    if rule[0] == 'near' and kind == b'*' and len(ours) == len(theirs):
        return all(same(rule, b':%s\r\n' % a[1], b':%s\r\n' % b[1], command) for a, b in zip(ours, theirs))
    if rule[0] == 'near' and kind == b':':
        low, high = sorted((int(ours), int(theirs)))
        return high - low <= int(rule[1]) and (low >= 0 or low == high)
    if rule[0] == 'scan' and kind == b'*':
        return (shape_of_scan(ours) and shape_of_scan(theirs) and
                (rule[-1] != 'all' or ours[0] == theirs[0] and sorted(ours[1][1]) == sorted(theirs[1][1])))
    if rule[0] == 'random' and isinstance(ours, list):
        repeats = command[-1][:1] == b'-'
        return len(ours) == len(theirs) and (repeats or len(set(ours)) == len(ours))
    return rule[0] in ('any', 'random')


def without(reply, names, column=None):
    """A parsed reply in which the values behind these names, or of this column, are blank."""
    kind, content = reply
    if not isinstance(content, list):
        return reply
    content = [without(element, names) for element in content]
    for i, (_, name) in enumerate(content[:-1]):
        if name in names:
            content[i + 1] = (content[i + 1][0], b'')
    if column is not None:
        for element in content:
            element[1][column] = (element[1][column][0], b'')
    return (kind, content)


def shape_of_scan(elements):
    """True for a cursor and an array of strings."""
    return (len(elements) == 2 and elements[0][0] == b'$' and elements[0][1].isdigit() and
            elements[1][0] == b'*' and all(key[0] == b'$' for key in elements[1][1]))


def show_command(args):
    return ' '.join(show(arg) for arg in args)


def show(data, most=90):
    text = ''.join(chr(b) if 32 < b < 127 and b not in b'"\\' else
                   {34: '\\"', 92: '\\\\', 32: ' ', 10: '\\n', 13: '\\r'}.get(b, f'\\x{b:02x}') for b in data[:most])
    if len(data) > most:
        text += f'... ({len(data)} bytes)'
    return text if text and re.fullmatch(r'[\w:.*+-]+', text) else f'"{text}"'


class Differential:
    def __init__(self, options):
        self.options = options
        self.rng = random.Random(options.seed)
        self.rows, self.weights = rows_of(options.groups.split(','))
        self.connections = [Connection(address, options.resp) for address in (options.ours, options.peer)]
        self.checkers = [Connection(address, 2) for address in (options.ours, options.peer)]
        self.names = [self.identify(checker) for checker in self.checkers]
        self.leave_out_what_the_peer_lacks()
        self.passed = self.failed = self.sent = self.followups = 0
        self.explained = Counter()
        self.history = {key: deque(maxlen=8) for key in KEY_SET}
        self.in_transaction = False  # as far as what was generated tells
        self.queue = None  # what the transaction under way has queued: commands and rules
        self.tainted = set()  # keys that may differ after a difference
        self.all_tainted = False
        for checker in self.checkers:
            checker.ask(b'FLUSHALL')
            if checker.ask(b'DEBUG', b'DIGEST')[:1] == b'-':
                sys.exit(f'differential: {checker.address} has no DEBUG DIGEST: start it with '
                         '--enable-debug-command yes')

    def leave_out_what_the_peer_lacks(self):
        """Commands of later versions. What stands for an unknown command is left in."""
        names = {row.name for row in self.rows if row.name.isupper() and row.name != 'NOSUCHCOMMAND'}
        lacking = {name for name in names if b'-1' in self.checkers[1].ask(b'COMMAND', b'INFO', name.encode())[:8]}
        self.rows = [row for row in self.rows if row.name not in lacking]
        self.weights = [row.weight for row in self.rows]
        if lacking:
            print(f'differential: {self.names[1]} has no {", ".join(sorted(lacking))}')

    @staticmethod
    def identify(checker):
        info = checker.ask(b'INFO', b'server').decode(errors='replace')
        for product in ('tern', 'valkey', 'redis'):
            version = re.search(rf'^{product}_version:([\d.]+)', info, re.M)
            if version:
                return f'{product}-{version[1]}'
        return 'unknown-'

    # ---- a batch

    def generate(self, count):
        """Commands and their rules. MULTI and WATCH in a transaction are few: they end it on Valkey, and
        from there on the servers go different ways."""
        batch = []
        while len(batch) < count:
            row = self.rng.choices(self.rows, self.weights)[0]
            args = row.generate(self.rng)
            name = args[0].upper()
            if self.in_transaction and name in (b'MULTI', b'WATCH') and self.rng.random() < 0.98:
                continue
            if name in (b'MULTI', b'EXEC', b'DISCARD'):
                self.in_transaction = name == b'MULTI'
            if row.touches:
                batch.append((WHOLE_SCAN, ['scan', 'all']))
            batch.append((args, row.rule))
            if row.drops and len(args) > 1:
                batch.append(([b'DEL', args[1]], ['exact']))
        return batch

    def run_batch(self, count):
        batch = self.generate(count)
        data = b''.join(encode(args) for args, _ in batch)
        for connection in self.connections:
            connection.send(data)
        clean = True
        for args, rule in batch:
            self.sent += 1
            keys = KEY_SET.intersection(args[1:])
            for key in keys:
                self.history[key].append((self.sent, args))
            ours, theirs = (connection.read() for connection in self.connections)
            differences = self.compare(args, rule, ours, theirs)
            if not differences:
                self.passed += 1
            elif self.all_tainted or keys & self.tainted:
                self.followups += 1
            else:
                clean = False
                for difference in differences:
                    self.judge(*difference)
        if not clean:
            self.settle()

    def compare(self, args, rule, ours, theirs):
        """The replies that do not agree, each with its command. Follows transactions: what was queued is
        compared when EXEC answers it."""
        name, queued = args[0].upper(), self.queue
        if name == b'EXEC' or name == b'DISCARD' and ours == b'+OK\r\n':
            self.queue = None
        elif name == b'MULTI' and ours == b'+OK\r\n':
            self.queue = []
        elif ours == b'+QUEUED\r\n' and queued is not None:
            queued.append((args, rule))
        if same(rule, ours, theirs, args):
            return []
        if name == b'EXEC' and ours[:1] == theirs[:1] == b'*' and queued:
            replies = list(zip(elements_of(ours), elements_of(theirs)))
            if len(elements_of(ours)) == len(elements_of(theirs)) == len(queued):
                return [(command, a, b) for (command, rule), (a, b) in zip(queued, replies)
                        if not same(rule, a, b, command)]
        return [(args, ours, theirs)]

    # ---- differences

    def judge(self, args, ours, theirs):
        keys = KEY_SET.intersection(args[1:])
        self.all_tainted |= not keys or self.queue is not None
        self.tainted |= keys
        line = b' '.join(args).decode('latin-1').upper()
        for server, command, reply, why in EXPLAINED:
            for name, answer in zip(self.names, (ours, theirs)):
                if name.startswith(server) and re.fullmatch(command, line, re.S) and re.match(reply, answer):
                    self.explained[f'{server.rstrip("-")}: {why}'] += 1
                    return
        self.fail(show_command(args), keys, show(ours, 600), show(theirs, 600))

    def fail(self, what, keys, ours, theirs):
        self.failed += 1
        print(f'\n{self.sent}: {what}\n  {self.names[0]}: {ours}\n  {self.names[1]}: {theirs}')
        before = {(at, show_command(args)) for key in keys for at, args in self.history[key] if at < self.sent}
        for at, command in sorted(before)[-8:]:
            print(f'    {at}: {command}')
        if self.failed >= self.options.most:
            raise Lost(f'stopped after {self.failed} differences (--most)')

    def persist_fields(self, checker):
        """Valkey's digest does not know of fields with a deadline: none has any then."""
        for db in range(DATABASES):
            checker.ask(b'SELECT', b'%d' % db)
            for key in ALL_KEYS:
                reply = checker.ask(b'HKEYS', key)
                fields = [name for _, name in parse(reply)[0][1]] if reply[:1] == b'*' else []
                if fields:
                    checker.ask(b'HPERSIST', key, b'FIELDS', b'%d' % len(fields), *fields)

    def digests(self):
        """What DEBUG DIGEST says on both, once whatever has expired is gone."""
        if self.names[1].startswith('valkey') and any(row.name == 'HPERSIST' for row in self.rows):
            for checker in self.checkers:
                self.persist_fields(checker)
        touch = b''.join(encode([b'SELECT', b'%d' % db]) + encode(WHOLE_SCAN) for db in range(DATABASES))
        for checker in self.checkers:
            checker.send(touch + encode([b'DEBUG', b'DIGEST']))
        return [[checker.read() for _ in range(2 * DATABASES + 1)][-1] for checker in self.checkers]

    def settle(self):
        """After a difference: goes on with equal data, emptying both servers if need be."""
        for connection in self.connections:
            connection.ask(b'DISCARD')
            connection.ask(b'UNWATCH')
            connection.ask(b'SELECT', b'0')
            connection.ask(b'CLIENT', b'SETNAME', b'')
        self.queue = None
        ours, theirs = self.digests()
        if ours != theirs:
            for checker in self.checkers:
                checker.ask(b'FLUSHALL')
        self.tainted.clear()
        self.all_tainted = False

    def check_digest(self):
        ours, theirs = self.digests()
        if ours == theirs:
            self.passed += 1
            return
        for db in range(DATABASES):
            for key in ALL_KEYS:
                values = [(checker.ask(b'SELECT', b'%d' % db), checker.ask(b'DEBUG', b'DIGEST-VALUE', key),
                           checker.ask(b'TYPE', key), checker.ask(b'TTL', key)) for checker in self.checkers]
                if values[0][1:3] != values[1][1:3] or (values[0][3] == b':-1\r\n') != (values[1][3] == b':-1\r\n'):
                    self.fail(f'the values of {show(key)} in database {db} are not the same', [key],
                              *(show(b' '.join(value[1:])) for value in values))
        self.fail('DEBUG DIGEST is not the same', [], show(ours), show(theirs))
        self.settle()

    def check_scan(self):
        """A whole SCAN finds each key, whatever the steps."""
        count = b'%d' % self.rng.randint(1, 30)
        for checker in self.checkers:
            checker.ask(b'SELECT', b'0')
            found, cursor = set(), None
            while cursor != b'0':
                reply = parse(checker.ask(b'SCAN', cursor or b'0', b'COUNT', count))[0]
                cursor = reply[1][0][1]
                found.update(key[1] for key in reply[1][1][1])
            expected = {key[1] for key in parse(checker.ask(b'KEYS', b'*'))[0][1]}
            if found == expected:
                self.passed += 1
            else:
                self.fail(f'SCAN with COUNT {count.decode()} on {checker.address}', [], repr(found), repr(expected))

    # ---- the run

    def run(self):
        options = self.options
        print(f'differential: {self.names[0]} and {self.names[1]}, RESP{options.resp}, seed {options.seed}, '
              f'{options.commands} commands of {options.groups}')
        try:
            checked = 0
            while self.sent < options.commands:
                self.run_batch(min(options.batch, options.commands - self.sent))
                if self.sent - checked >= 1000:
                    self.check_digest()
                    if 'keys' in options.groups.split(','):
                        self.check_scan()
                    checked = self.sent
            self.check_digest()
        except Lost as lost:
            print(f'\n{lost}')
            self.failed = max(self.failed, 1)
        for why, count in sorted(self.explained.items()):
            print(f'explained, {count} times: {why}')
        if self.followups:
            print(f'{self.followups} replies left out, after a difference in the same keys')
        print(f'differential: {self.passed} passed, {self.failed} failed')
        return self.failed > 0


def main():
    parser = argparse.ArgumentParser(description='Compares two servers by random commands.')
    parser.add_argument('--ours', required=True, metavar='HOST:PORT')
    parser.add_argument('--peer', required=True, metavar='HOST:PORT')
    parser.add_argument('--resp', type=int, choices=(2, 3), default=2)
    parser.add_argument('--commands', type=int, default=200000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--groups', default=DEFAULT_GROUPS, help=f'of {", ".join(GROUPS)}')
    parser.add_argument('--most', type=int, default=20, help='stop after so many differences')
    parser.add_argument('--batch', type=int, default=100, help='commands in a pipeline')
    return Differential(parser.parse_args()).run()


if __name__ == '__main__':
    sys.exit(main())
