"""The commands of the differential test: a table of rows by group."""

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
    'geo': '''
        GEOADD gkey [NX | XX] [CH] (longitude latitude place)...
        GEOADD gkey (longitude latitude place)... (longitude latitude place)... (longitude latitude place)...
        GEODIST gkey place place [unit]
        GEOHASH gkey place...
        GEOPOS gkey place...
        GEOSEARCH gkey FROMLONLAT longitude latitude BYRADIUS reach unit [ASC | DESC] [WITHDIST] [WITHHASH] [WITHCOORD] -> unordered
        GEOSEARCH gkey FROMLONLAT longitude latitude BYBOX reach reach unit [ASC | DESC] [WITHDIST] [WITHHASH] -> unordered
        GEOSEARCH gkey FROMMEMBER place BYRADIUS reach unit [COUNT count] [ASC | DESC] [WITHDIST] -> any
        GEOSEARCH gkey FROMMEMBER place BYBOX reach reach unit COUNT count [ANY] -> any
        GEOSEARCHSTORE gkey gkey FROMLONLAT longitude latitude BYRADIUS reach unit -> seldom
        GEOSEARCHSTORE gkey gkey FROMLONLAT longitude latitude BYBOX reach reach unit -> seldom
        GEORADIUS gkey longitude latitude reach unit [WITHDIST] [COUNT count] -> any
        GEORADIUS gkey longitude latitude reach unit STORE gkey -> seldom
        GEORADIUS_RO gkey longitude latitude reach unit [ASC | DESC] -> unordered
        GEORADIUSBYMEMBER gkey place reach unit [WITHDIST] [WITHHASH]
        GEORADIUSBYMEMBER_RO gkey place reach unit [ASC | DESC] -> unordered''',
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
        COMMAND GETKEYS MSET (key value)... -> seldom
        COMMAND GETKEYS SORT key [BY pattern] [LIMIT index index] [STORE key] -> seldom
        COMMAND GETKEYS OBJECT word key -> seldom
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
    'dump': '''
        DUMP key -> any
        RESTORE key 0 payload [REPLACE] [IDLETIME count | FREQ count]
        RESTORE key restorems payload [REPLACE]
        RESTORE key restoreatms payload [REPLACE] ABSTTL
        RESTORE key 0 payload REPLACE
        OBJECT ENCODING key
        PTTL key -> near 3000
        TYPE key
        DEL key -> seldom''',
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
    'script': '''
        EVAL script-s 1 skey value
        EVAL script-s 1 skey int
        EVAL script-l 1 lkey value
        EVAL script-h 1 hkey field
        EVAL script-t 1 tkey element
        EVAL script-z 1 zkey word
        EVAL_RO script-s 1 skey value
        EVAL_RO script-l 1 lkey value
        EVAL script-s index skey value -> seldom
        EVALSHA value 0 -> rare
        SCRIPT LOAD script-s -> seldom
        SCRIPT EXISTS value -> rare
        SET skey value
        RPUSH lkey value
        ZADD zkey score word
        SADD tkey element
        HSET hkey field value''',
    'functions': '''
        FUNCTION LOAD [REPLACE] library
        FUNCTION LOAD REPLACE library
        FUNCTION DELETE library-name -> seldom
        FUNCTION LIST [LIBRARYNAME library-name] [WITHCODE] -> unordered seldom
        FUNCTION STATS -> seldom
        FUNCTION FLUSH [ASYNC | SYNC] -> rare
        FUNCTION KILL -> rare
        FCALL function 1 skey value
        FCALL function 2 skey skey value
        FCALL function 1 skey (GET | STRLEN | TYPE | EXISTS) skey
        FCALL function 1 skey SET skey value
        FCALL_RO function 1 skey GET skey
        FCALL_RO function 0 value
        FCALL function index value -> seldom
        SET skey value''',
}
