"""Keys, values and arguments of the differential test: what the small words of the table stand for."""

import re
import struct

from _scripts import library, script_for

KEYS = {  # by the type that most commands give them
    's': [b's:1', b's:2', b's:3', b's:4', b's:5', b'', b's:\x00\r\n\xff'],
    'l': [b'l:1', b'l:2', b'l:3', b'l:\xe2\x82\xac'],
    'h': [b'h:1', b'h:2', b'h:3'],
    't': [b't:1', b't:2', b't:3'],
    'z': [b'z:1', b'z:2', b'z:3'],
    'o': [b'o:1', b'o:2', b'o:3'],
    'w': [b'w:1', b'w:2', b'w:3', b'w:4', b'w:5'],
    'g': [b'g:1', b'g:2', b'g:3'],
    'p': [b'p:1', b'p:2', b'p:3'],
    'x': [b'x:1', b'x:2', b'x:3'],
    'n': [b'none', b'k' * 70],
}
ALL_KEYS = [key for keys in KEYS.values() for key in keys]
LEX_KEY = b'z:lex'  # of a sorted set whose members all have the score 0
KEY_SET = frozenset(ALL_KEYS + [LEX_KEY])
FOREVER = b'9223372036854775807'  # as a timeout
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


def before_the_end(deadline):
    """RESTORE with a deadline beyond the end of time leaves Redis 8 with a key that is there and is not."""
    return b'1000000' if deadline == b'9223372036854775807' else deadline


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

def crc64(content):
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x95ac9329ac4bc9b5 if crc & 1 else 0)
    return crc


def with_footer(content, version=9):  # which all servers read
    content += struct.pack('<H', version)
    return content + struct.pack('<Q', crc64(content))


# A string, a number, a packed string, a list, a set, a hash, a sorted set, an intset, a list and a hash as a ziplist, a zipmap.
ZIPLIST = (b"\x27'\0\0\0\x1c\0\0\0\x06\0\0\x02hi\x04\xfb\x02\xc0\xd4\xfe\x04\xfe\x01\x03\xf0\0\0\x80\x05\xe0\x07\0\0\0\0\0\0\0\xff")
CONTENTS = [b'\x00\x02hi', b'\x00\xc1\x2c\x01', b'\x00\xc3\t@@\x01yy\xe03\x00\x01yy', b'\x01\x02\x01a\xc0\x07', b'\x02\x02\x01a\xc0\x07',
            b'\x04\x01\x01f\x01v', b'\x05\x01\x01a' + struct.pack('<d', -2.25), b'\x0b\x0c' + struct.pack('<IIhh', 2, 2, -1, 7),
            b'\x0a' + ZIPLIST, b'\x0d' + ZIPLIST, b'\x09\x12\x02\x03foo\x03\0bar\x02hi\x02\0xy\xff',
            b'\x03\x02\x01a\x031.5\x01b\xfe']
PAYLOADS = [with_footer(content) for content in CONTENTS]
NO_PAYLOADS = [b'', b'abc', with_footer(b''), with_footer(b'\x00\x02hi', 999), PAYLOADS[0][:-1] + b'x', PAYLOADS[0][1:],
               with_footer(b'\x02\x00'), with_footer(b'\xc8\x00')]


TERMS = {
    'payload': lambda rng: mostly(rng, PAYLOADS, NO_PAYLOADS, 0.1),
    'library': library,
    'library-name': lambda rng: rng.choice([b'l%d' % i for i in range(6)] + [b'L0', b'l*', b'none']),
    'function': lambda rng: rng.choice([b'f%d' % i for i in range(6)] + [b'F1', b'none']),
    **{f'script-{kind}': script_for(kind) for kind in 'slhtz'},
    'key': lambda rng: any_key(rng, None),
    'skey': lambda rng: any_key(rng, 's'),
    'lkey': lambda rng: any_key(rng, 'l'),
    'hkey': lambda rng: any_key(rng, 'h'),
    'gkey': lambda rng: any_key(rng, 'g'),
    'longitude': lambda rng: mostly(rng, [b'%.9f' % rng.gauss(15, 2), b'%.3f' % rng.uniform(-180, 180)],
                                    NO_SCORES + [b'180.1', b'inf'], 0.03),
    'latitude': lambda rng: mostly(rng, [b'%.9f' % rng.gauss(38, 2), b'%.3f' % rng.uniform(-85, 85)],
                                   NO_SCORES + [b'85.06', b'-86'], 0.03),
    'reach': lambda rng: mostly(rng, [b'%.3f' % (rng.random() * 10 ** rng.randint(0, 6)), b'0'], NO_SCORES + [b'-1'], 0.03),
    'unit': lambda rng: mostly(rng, [b'm', b'km', b'ft', b'mi', b'KM'], [b'', b'foo'], 0.03),
    'place': lambda rng: b'p%d' % rng.randint(0, 60),
    'pkey': lambda rng: any_key(rng, 'p'),
    'tkey': lambda rng: any_key(rng, 't'),
    'zkey': lambda rng: any_key(rng, 'z'),
    'zkey-lex': lambda rng: LEX_KEY,
    'bound': lambda rng: rng.choice([b'', b'', b'(']) + mostly(rng, SCORES + [b'%d' % rng.randint(-9, 9)] * 10,
                                                              NO_SCORES + [b'1\x00'], 0.04),
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
    'restorems': lambda rng: before_the_end(far_or_past(rng, 1000, 0)),
    'restoreatms': lambda rng: before_the_end(far_or_past(rng, 1000, 33177117420000)),
    'timeout': lambda rng: mostly(rng, [b'0.001', b'0.002', b'1e-3'], [b'-1', b'abc', b'', b'inf', b'1e400', b'nan']),
    'cursor': lambda rng: mostly(rng, [b'0'] * 8 + [b'%d' % rng.randrange(64)], [b'abc', b'', b'-1', b'1.5'], 0.1),
    'pattern': any_pattern,
    'type': lambda rng: rng.choice([b'string', b'list', b'hash', b'set', b'zset', b'STRING', b'bogus']),
    'db': lambda rng: mostly(rng, [b'%d' % n for n in range(DATABASES)], NO_INTEGERS + [b'-1', b'16', b'100'], 0.2),
}
