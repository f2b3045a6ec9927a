#!/usr/bin/env python3
"""DUMP and RESTORE between our server and a real one: values of all types and sizes go both ways."""

from _harness import *

POLYNOMIAL = 0x95ac9329ac4bc9b5
TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (POLYNOMIAL if _byte & 1 else 0)
    TABLE.append(_byte)


def crc64(content):
    crc = 0
    for byte in content:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc


def with_version(payload, version):
    """The same content, as a server of that version of the format would give it."""
    content = payload[:-10] + struct.pack('<H', version)
    return content + struct.pack('<Q', crc64(content))


WORDS = [b'alpha', b'beta', b'0', b'1', b'-7', b'100000', b'12345678901', b'9223372036854775807', b'x' * 63, b'y' * 64, b'z' * 65]


def text(rng, size):
    kind = rng.random()
    if kind < 0.3:
        return rng.randbytes(size)
    if kind < 0.6:
        return (rng.choice(WORDS) * (size // 3 + 1))[:size]
    return bytes(rng.choice(b'abcd') for _ in range(size))


def value(rng):
    kind = rng.random()
    if kind < 0.3:
        return b'%d' % rng.randint(-10 ** rng.randint(1, 18), 10 ** rng.randint(1, 18))
    if kind < 0.5:
        return rng.choice(WORDS)
    return text(rng, rng.choice((0, 1, 5, 11, 12, 20, 21, 22, 40, 60, 64, 65, 100)))


def score(rng):
    return rng.choice((rng.randint(-1000, 1000), rng.randint(-8, 8) / 8, 2 ** 40, 'inf', '-inf'))


def stream(rng, size):
    commands, at = [], 1000
    for i in range(size):
        at += rng.randint(1, 4)
        pairs = rng.choice(([b'a', value(rng), b'b', value(rng)], [value(rng), value(rng)]))
        commands.append(('XADD', 'k', f'{at}-{i}', *pairs))
        if rng.random() < 0.2:
            commands.append(('XDEL', 'k', f'{at}-{i}'))
    for group in range(rng.randint(0, 2)):
        commands.append(('XGROUP', 'CREATE', 'k', f'g{group}', rng.choice(('0', '$'))))
        for consumer in range(rng.randint(0, 3)):
            commands.append(('XREADGROUP', 'GROUP', f'g{group}', f'c{consumer}', 'COUNT', 20, 'STREAMS', 'k', '>'))
    return commands


def cases(rng):
    for size in (0, 1, 5, 11, 12, 20, 21, 24, 44, 45, 63, 64, 100, 255, 256, 264, 500, 1000, 9000, 70000):
        yield [('SET', 'k', text(rng, size))]
    for power in (0, 7, 8, 15, 16, 31, 32, 62):
        for number in (2 ** power, 2 ** power - 1, -2 ** power, -2 ** power - 1):
            yield [('SET', 'k', number)]
    for size in (1, 2, 10, 100, 128, 129, 200, 513, 600, scaled(3000, 1000)):
        yield [('RPUSH', 'k', *[value(rng) for _ in range(size)])]
        yield [(rng.choice(('LPUSH', 'RPUSH')), 'k', value(rng)) for _ in range(min(size, 600))]
        yield [('RPUSH', 'k', b'B' * 20000, *[value(rng) for _ in range(size)])]
        yield [('SADD', 'k', *[rng.randint(-10 ** rng.choice((2, 4, 9, 18)), 10 ** 6) for _ in range(size)])]
        yield [('SADD', 'k', *[value(rng) for _ in range(size)])]
        yield [('HSET', 'k', *[value(rng) for _ in range(2 * size)])]
        yield [('ZADD', 'k', *[word for _ in range(size) for word in (score(rng), value(rng))])]
        yield stream(rng, size)


def digest_of(client, key):
    return client('DEBUG', 'DIGEST-VALUE', key)[0]


def dump(client, packs):
    expect(client('CONFIG', 'SET', 'rdbcompression', packs), 'OK')
    return client('DUMP', 'k')


def ordered(payload):
    """Whether the order within is one that both servers keep: not of tables, and no times of consumers."""
    return payload[0] not in (2, 4, 21)


@test()
def values_go_both_ways(server):
    client, rng = server.client(), random.Random(5)
    with real_client(os.path.join(server.directory, 'real'), '--enable-debug-command', 'yes') as real:
        is_old = real.info('redis_version').startswith('7.0')
        for commands in cases(rng):
            client('DEL', 'k')
            real('DEL', 'k')
            client.all(*commands)
            real.all(*commands)
            # Redis's packing of strings depends on what it packed before, as its table is not cleared
            ours, theirs = [dump(who, 'no') for who in (client, real)]
            is_cut = ours[0] == 18 and (ours[1] != 1 or ours[2] == 1)  # lists of several blocks: 7.0 cuts them elsewhere
            if ours[0] == theirs[0] and ordered(ours) and not (is_old and is_cut):
                expect(ours[:-10], theirs[:-10], shown(commands))
            ours, theirs = [dump(who, 'yes') for who in (client, real)]
            expect(client('RESTORE', 'back', 0, theirs, 'REPLACE'), 'OK', shown(commands))
            expect(digest_of(client, 'back'), digest_of(real, 'k'), shown(commands))
            if is_old and ours[0] in (20, 21):
                continue  # types that it does not know
            expect(real('RESTORE', 'back', 0, with_version(ours, 10), 'REPLACE'), 'OK', shown(commands))
            expect(digest_of(real, 'back'), digest_of(client, 'k'), shown(commands))


@test()
def no_changed_payload_does_harm(server):
    """With a checksum that is right: what is read is a value, or refused."""
    client, rng = server.client(), random.Random(7)
    restored = 0
    for commands in cases(rng):
        client('DEL', 'k')
        client.all(*commands)
        payload = client('DUMP', 'k')
        if len(payload) > 3000:
            continue
        for _ in range(scaled(30, 10, 3)):
            changed = bytearray(payload)
            for _ in range(rng.randint(1, 3)):
                changed[rng.randrange(len(payload) - 10)] = rng.choice((0, 1, 63, 64, 127, 128, 129, 192, 254, 255, rng.randrange(256)))
            reply = client('RESTORE', 'changed', 0, with_version(bytes(changed), 11), 'REPLACE')
            expect_true(reply in ('OK', Error('ERR Bad data format')), shown(reply))
            if reply == 'OK':
                restored += 1
                client('DEBUG', 'DIGEST-VALUE', 'changed')
                expect_true(client('DUMP', 'changed') is not None, 'it cannot be written again')
    expect_true(restored > 0, 'all were refused')


main()
