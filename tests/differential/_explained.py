"""What real servers do otherwise than Redis 7.2, and why."""

import re



def elements(reply):
    """Of an array of strings and nils: sorted."""
    texts = re.sub(rb'\A[^\n]*\n', b'', reply)
    return sorted(re.findall(rb'(?s)\$\d+\r\n.*?\r\n|_\r\n|\$-1\r\n', texts))


def same_elements(ours, theirs):
    return ours[:1] == theirs[:1] == b'*' and len(ours) == len(theirs) and elements(ours) == elements(theirs)


def same_count(ours, theirs):
    return ours[:1] == theirs[:1] == b'*' and ours.split(b'\r\n')[0] == theirs.split(b'\r\n')[0]


# Where a server departs from Redis 7.2: server, command (upper case, arguments joined by blanks), its reply
# (a regular expression from the start; empty: any; or what must hold of both replies), and why. EXEC is followed by
# REFUSED when something of the transaction was queued by one server only, else by the commands that named a key which was
# watched.
EXPLAINED = [
    ('valkey-', r'(EVAL|SCRIPT|FCALL|FUNCTION).*', rb'(?s).*(script: on @|Function names can only|nknown command called|calling command from|Command arguments must|ERR unknown subcommand|This Valkey command|-NOSCRIPT)',
     'Valkey names neither Redis nor the script in the errors of scripts'),
    ('redis-7.0', r'EVAL.*', rb'(?s).*(unknown subcommand|\d\.\d{12})',
     'numbers came with 17 digits from scripts before 7.2'),
    ('tern', r'COMMAND', rb'\*',
     'some commands of later work are not there yet'),
    ('redis-7.0', r'Z(UNION|INTER|DIFF|RANDMEMBER) .*', rb'(?s)[*].*\d\.\d\d',
     'scores came with 17 digits before 7.2'),
    ('redis-7.0', r'EXEC REFUSED', rb'-EXECABORT',
     'what later versions take was refused on its way into the queue'),
    ('redis-7.0', r'COMMAND GETKEYS \S+', rb'-ERR wrong number',
     'COMMAND GETKEYS wanted an argument before 7.2'),
    ('tern', r'Z.* LIMIT -.*', rb'(:0|\*0)',
     'what is before the first is nothing, also of a large sorted set, where later versions count from the end'),
    ('', r'SORT(_RO)? [^LZ](?!.* LIMIT ).*BY [^*]*', same_elements,
     'the members of a set have no order'),
    ('', r'SORT(_RO)? [^LZ].*BY [^*]* LIMIT [^*]*', same_count,
     'the members of a set have no order'),
    ('redis-7.0', r'B(LPOP|RPOP|LMOVE|LMPOP|RPOPLPUSH|Z).*', rb'-ERR timeout is negative',
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
    ('valkey-', r'Z(ADD|INCRBY|UNION|INTER|UNIONSTORE|INTERSTORE) .*0X10.*', rb'-ERR (value|weight value) is not a',
     'Valkey reads no hexadecimal scores'),
    ('tern', r'[HSZ]SCAN \S* 0', rb'\*2',
     'the first step over a table may stop anywhere'),
    ('redis-8', r'GEO(POS .*|.* WITHCOORD( .*)?)', rb'',
     'Redis 8 prints coordinates with the fewest digits'),
    ('valkey-', r'GEO.* 0X10.*', rb'-ERR (value is not|need numeric)',
     'Valkey reads no hexadecimal coordinates'),
    ('valkey-', r'GEO(SEARCH|SEARCHSTORE|RADIUSBYMEMBER|RADIUSBYMEMBER_RO) .*', rb'-ERR member .* does not exist',
     'Valkey names the member that is missing'),
    ('valkey-', r'BITCOUNT .*', rb'',
     'Valkey reads the unit before the end, and a range may have no end'),
    ('valkey-', r'GETEX .*', rb'-ERR (invalid expire|value is not)',
     'Valkey looks at the deadline before the key'),
    ('valkey-', r'(MULTI|WATCH .*|EXEC REFUSED)', rb'-(ERR Command|EXECABORT)',
     'Valkey spoils a transaction in which MULTI or WATCH is called'),
    ('valkey-', r'EXEC (LTRIM|SET)', rb'\*',
     'an LTRIM that removes nothing, or a SET of an absent key whose deadline is over, is no change on Valkey'),
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
    ('', r'COMMAND', rb'\*',
     'a table of commands has any order'),
]
