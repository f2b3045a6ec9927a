"""Fields of hashes that expire: to the millisecond, under a clock that the tests move."""

from _harness import *

LONG = 'x' * 100  # a value that makes a hash a table


def listen(server):
    subscriber = server.client()
    subscriber.send_commands(('PSUBSCRIBE', '__keyevent@0__:*'))
    expect(subscriber.read(), [b'psubscribe', b'__keyevent@0__:*', 1])
    return subscriber


def events(subscriber, count):
    """The next events, as 'hexpired k'."""
    return [f'{m[2].decode().split(":")[1]} {m[3].decode()}' for m in subscriber.read_many(count)]


def as_dict(flat):
    return dict(zip(flat[::2], flat[1::2]))


def scanned(client, key):
    """All that HSCAN shows."""
    found, cursor = {}, b'0'
    while True:
        cursor, part = client('HSCAN', key, cursor)
        found.update(as_dict(part))
        if cursor == b'0':
            return found


@test()
def a_field_lives_up_to_its_deadline_and_is_gone_a_millisecond_later(server):
    client = server.client()
    client.freeze()
    for other in 'short', LONG:
        for ms in 1, 2, 63, 64, 65, 999, 1000, 4096, 4097, 262_143, 86_400_000, 31_536_000_000:
            expect(client.all(('HSET', 'h', 'f', 'v', 'other', other), ('HPEXPIRE', 'h', ms, 'FIELDS', 1, 'f'),
                              ('HPTTL', 'h', 'FIELDS', 2, 'f', 'other')), [2, [1], [ms, -1]])
            client.advance(ms)
            expect(client.all(('HGET', 'h', 'f'), ('HLEN', 'h'), ('HPTTL', 'h', 'FIELDS', 1, 'f'), ('HEXISTS', 'h', 'f')), [b'v', 2, [0], 1])
            client.advance(1)
            expect(client.all(('HLEN', 'h'), ('HGET', 'h', 'f'), ('HMGET', 'h', 'f', 'other'), ('HKEYS', 'h'), ('HPTTL', 'h', 'FIELDS', 1, 'f'),
                              ('HEXISTS', 'h', 'f'), ('HSTRLEN', 'h', 'f'), ('HRANDFIELD', 'h'), ('HRANDFIELD', 'h', 5), ('HDEL', 'h', 'f')),
                   [1, None, [None, other.encode()], [b'other'], [-2], 0, 0, b'other', [b'other'], 0])
            expect(client.all(('HPEXPIRE', 'h', ms, 'FIELDS', 1, 'other'), ('EXISTS', 'h')), [[1], 1])
            client.advance(ms + 1)
            expect(client.all(('EXISTS', 'h'), ('TYPE', 'h'), ('DBSIZE',), ('KEYS', '*')), [0, 'none', 0, []])


@test('--notify-keyspace-events', 'KEA')
def hexpired_is_said_at_the_moment(server):
    client, subscriber = server.client(), listen(server)
    client.freeze()
    for value in 'v', LONG:
        expect(client('HSET', 'h', *[word for i in range(1, 31) for word in (f'f{i}', value)]), 30)
        expect(events(subscriber, 1), ['hset h'])
        order = list(range(1, 31))
        random.Random(3).shuffle(order)
        for i in order:
            client('HPEXPIRE', 'h', 10 * i, 'FIELDS', 1, f'f{i}')
        expect(events(subscriber, 30), ['hexpire h'] * 30)
        for i in range(1, 31):
            client.advance(9 if i > 1 else 10)
            expect(subscriber.is_silent(client), True, f'before {10 * i} ms')
            client.advance(1)
            expect(events(subscriber, 2 if i == 30 else 1), ['hexpired h', 'del h'] if i == 30 else ['hexpired h'])
            expect(client('HLEN', 'h'), 30 - i)
    expect(client.info('expired_subkeys'), 60)
    expect(client('DEBUG', 'CLOCK', 'THAW'), 'OK')
    expect(client.all(('HSET', 'real', 'a', 1, 'b', 2), ('HPEXPIRE', 'real', 30, 'FIELDS', 1, 'a')), [2, [1]])
    expect(events(subscriber, 3), ['hset real', 'hexpire real', 'hexpired real'])


@test('--notify-keyspace-events', 'KEA')
def a_deadline_that_changes_counts_once(server):
    client, subscriber = server.client(), listen(server)
    client.freeze()
    for value in 'v', LONG:
        for _ in range(20):
            client.all(('HSET', 'h', 'a', value, 'b', value, 'c', value), ('HPEXPIRE', 'h', 100, 'FIELDS', 2, 'a', 'b'), ('HPEXPIRE', 'h', 10, 'FIELDS', 1, 'a'),
                       ('HPERSIST', 'h', 'FIELDS', 1, 'a'), ('HPEXPIRE', 'h', 30, 'FIELDS', 1, 'b'), ('HSET', 'h', 'b', 'again'), ('HPEXPIRE', 'h', 20, 'FIELDS', 1, 'c'),
                       ('HDEL', 'h', 'c'), ('HINCRBY', 'h', 'n', 1), ('HPEXPIRE', 'h', 60, 'FIELDS', 1, 'n'), ('HINCRBY', 'h', 'n', 1))
        subscriber.read_many(20 * 11)
        client.advance(60)
        expect(subscriber.is_silent(client), True)
        client.advance(1)
        expect(events(subscriber, 1), ['hexpired h'])
        client.advance(1000)
        expect(subscriber.is_silent(client), True)
        expect(client.all(('HLEN', 'h'), ('HGET', 'h', 'b'), ('DEL', 'h')), [2, b'again', 1])
        expect(events(subscriber, 1), ['del h'])


@test('--notify-keyspace-events', 'KEA')
def what_is_read_too_late_expires_on_the_way(server):
    client, subscriber = server.client(), listen(server)
    expect(client('DEBUG', 'SET-ACTIVE-EXPIRE', 0), 'OK')
    client.freeze()
    for key in 'read', 'write', 'untouched', 'whole', 'scanned':
        client.all(('HSET', key, 'a', 1, 'b', 2), ('HPEXPIRE', key, 10, 'FIELDS', 2, 'a', 'b'))
        if key in ('read', 'write', 'untouched'):
            client('HSET', key, 'b', 3)
    subscriber.read_many(13)
    client.advance(11)
    time.sleep(0.2)
    expect(subscriber.is_silent(client), True)
    expect(client.all(('HGETALL', 'read'), ('HSETNX', 'write', 'a', 9), ('HLEN', 'write'), ('EXISTS', 'whole'), ('HSET', 'whole', 'c', 1), ('HLEN', 'whole')),
           [[b'b', b'3'], 1, 2, 0, 1, 1])
    expect(events(subscriber, 6), ['hexpired read', 'hexpired write', 'hset write', 'hexpired whole', 'del whole', 'hset whole'])
    expect(sorted(client('KEYS', '*')), [b'read', b'untouched', b'whole', b'write'])
    expect(sorted(client('SCAN', 0, 'COUNT', 100)[1]), [b'read', b'untouched', b'whole', b'write'])
    expect(events(subscriber, 2), ['hexpired scanned', 'del scanned'])
    expect(client('DEBUG', 'SET-ACTIVE-EXPIRE', 1), 'OK')
    expect(events(subscriber, 1), ['hexpired untouched'])


@test('--notify-keyspace-events', 'KEA')
def in_a_pause_the_dead_are_hidden_and_stay(server):
    client, other, subscriber = server.client(), server.client(), listen(server)
    client.freeze()
    client.all(('HSET', 'h', 'a', 1, 'b', 2), ('HPEXPIRE', 'h', 10, 'FIELDS', 1, 'a'), ('HSET', 'all', 'a', 1), ('HPEXPIRE', 'all', 10, 'FIELDS', 1, 'a'))
    subscriber.read_many(4)
    expect(client('CLIENT', 'PAUSE', 100_000, 'WRITE'), 'OK')
    client.advance(11)
    expect(other.all(('HGETALL', 'h'), ('HLEN', 'h'), ('HGET', 'h', 'a'), ('HTTL', 'h', 'FIELDS', 1, 'a'), ('EXISTS', 'all'), ('HGETALL', 'all'), ('DBSIZE',)),
           [[b'b', b'2'], 1, None, [-2], 0, [], 2])
    expect(subscriber.is_silent(client), True)
    expect(client('CLIENT', 'UNPAUSE'), 'OK')
    expect(sorted(events(subscriber, 3)), ['del all', 'hexpired all', 'hexpired h'])
    expect(client('DBSIZE'), 1)


@test()
def a_watched_hash_that_loses_a_field_fails_the_transaction(server):
    for active in 1, 0:
        client, other = server.clients_of(2)
        expect(other('DEBUG', 'SET-ACTIVE-EXPIRE', active), 'OK')
        other.freeze()
        for fields in ('a',), ('a', 'b'):
            set_up = [('HSET', 'h', 'a', 1, 'b', 2), ('HPEXPIRE', 'h', 10, 'FIELDS', len(fields), *fields)]
            transaction = [('WATCH', 'h'), ('MULTI',), ('HLEN', 'h')]
            # it dies between WATCH and EXEC
            client.all(*set_up, *transaction)
            other.advance(11)
            expect(client('EXEC'), None)
            # not yet
            client.all(('DEL', 'h'), *set_up, *transaction)
            other.advance(10)
            expect(client('EXEC'), [2])
            # it had died already when it was watched
            other.all(('DEL', 'h'), *set_up)
            other.advance(11)
            client.all(*transaction)
            expect(other('HGET', 'h', 'a'), None)
            expect(client('EXEC'), [2 - len(fields)])
            # a new deadline is a change
            client.all(('DEL', 'h'), *set_up, *transaction)
            expect(other('HEXPIRE', 'h', 100, 'FIELDS', 1, 'b'), [1])
            expect(client('EXEC'), None)
            expect(other('DEL', 'h'), 1)
        expect(other('DEBUG', 'CLOCK', 'THAW'), 'OK')


@test()
def deadlines_go_where_the_hash_goes(server):
    client = server.client()
    client.freeze()
    for value in 'v', LONG:
        client.all(('FLUSHALL',), ('HSET', 'h', 'a', value, 'b', value), ('HPEXPIRE', 'h', 100, 'FIELDS', 1, 'a'))
        expect(client.all(('COPY', 'h', 'copy'), ('COPY', 'h', 'there', 'DB', 3), ('RENAME', 'h', 'a quite different name'), ('MOVE', 'a quite different name', 2),
                          ('SWAPDB', 2, 5), ('EXPIRE', 'copy', 50)), [1, 1, 'OK', 1, 'OK', 1])
        places = (0, 'copy'), (3, 'there'), (5, 'a quite different name')
        for db, key in places:
            expect(client.all(('SELECT', db), ('HPTTL', key, 'FIELDS', 2, 'a', 'b'), ('HLEN', key)), ['OK', [100, -1], 2])
        client.advance(101)
        for db, key in places:
            expect(client.all(('SELECT', db), ('HPTTL', key, 'FIELDS', 2, 'a', 'b'), ('HKEYS', key)), ['OK', [-2, -1], [b'b']])
        client('SELECT', 0)
    # what is overwritten, deleted or flushed waits for nothing
    client.all(('FLUSHALL',), ('SELECT', 0))
    for end in ('SET', 'h', 'string'), ('DEL', 'h'), ('UNLINK', 'h'), ('FLUSHALL',), ('FLUSHALL', 'ASYNC'), ('HDEL', 'h', 'a', 'b'), ('HGETDEL', 'h', 'FIELDS', 2, 'a', 'b'):
        client.all(('DEL', 'h'), ('HSET', 'h', 'a', 1, 'b', LONG), ('HPEXPIRE', 'h', 10, 'FIELDS', 2, 'a', 'b'), end)
        before = client.info('expired_subkeys')
        client.advance(20)
        expect(client.all(('EXISTS', 'h'), ('DBSIZE',)), [int(end[0] == 'SET')] * 2, shown(end))
        expect(client.info('expired_subkeys'), before)


@test()
def fields_that_die_together_go_in_slices(server):
    """Whatever is still to be removed is not seen, and nobody waits for it."""
    client, other = server.clients_of(2)
    count = scaled(1_000_000, 30_000, 3_000)
    client.freeze()
    chunk = 1000
    for at in range(0, count, chunk):
        names = [f'field:{i}' for i in range(at, at + chunk)]
        client.send(pipeline(('HSET', 'h', *[word for name in names for word in (name, 'v')]), ('HPEXPIRE', 'h', 60_000, 'FIELDS', chunk, *names)))
        expect(client.read_many(2)[0], chunk)
    expect(client.all(('HSET', 'h', 'stays', 'v', 'too', 'w'), ('HLEN', 'h')), [2, count + 2])
    client.advance(60_000)
    expect(client.all(('HLEN', 'h'), ('CONFIG', 'RESETSTAT')), [count + 2, 'OK'])
    began = time.monotonic()
    client.advance(1)
    slowest, pings = 0, 0
    while client.info('expired_subkeys') < count:
        asked = time.monotonic()
        other('PING')
        slowest, pings = max(slowest, time.monotonic() - asked), pings + 1
        expect(other.all(('HLEN', 'h'), ('HGET', 'h', f'field:{random.randrange(count)}'), ('HGET', 'h', 'stays'), ('HEXISTS', 'h', 'too')), [2, None, b'v', 1])
        expect(other('HRANDFIELD', 'h') in (b'stays', b'too'), True)
        expect_true(time.monotonic() - began < TIMEOUT, 'they do not go')
    expect(as_dict(other('HGETALL', 'h')), {b'stays': b'v', b'too': b'w'})
    expect(scanned(other, 'h'), {b'stays': b'v', b'too': b'w'})
    print(f'    {count} fields were gone after {time.monotonic() - began:.2f} s; the longest slice was {client.info("tern_longest_slice_usec_expire")} us, '
          f'the slowest of {pings} PINGs took {slowest * 1e6:.0f} us')
    wait_until(lambda: client.info('used_memory') < 4 * MB, 'their memory is free')


@test()
def a_key_whose_fields_all_die_is_gone_at_once(server):
    client = server.client()
    count = scaled(200_000, 20_000, 2_000)
    client.freeze()
    for at in range(0, count, 1000):
        names = [f'field:{i}' for i in range(at, at + 1000)]
        client.all(('HSET', 'h', *[word for name in names for word in (name, 'v')]), ('HPEXPIRE', 'h', 60_000, 'FIELDS', 1000, *names))
    expect(client('HLEN', 'h'), count)
    client.send_commands(('DEBUG', 'CLOCK', 'ADVANCE', 60_001), ('EXISTS', 'h'), ('HSET', 'h', 'new', 1), ('HGETALL', 'h'))
    expect(client.read_many(4), ['OK', 0, 1, [b'new', b'1']])
    expect(client.info('expired_subkeys'), count)
    wait_until(lambda: client.info('used_memory') < 4 * MB, 'its memory is free')


@test()
def a_random_run_agrees_with_a_model(server):
    client = server.client()
    client.freeze()
    choose = random.Random(12)
    model, now = {}, 0  # key -> field -> (value, deadline or None)
    keys = [f'h{i}' for i in range(12)]

    def alive(key):
        fields = {name: field for name, field in model.get(key, {}).items() if field[1] is None or field[1] >= now}
        model[key] = fields
        return fields

    for step in range(scaled(80, 40, 10)):
        commands, wanted = [], []
        for _ in range(150):
            key, name = choose.choice(keys), f'f{choose.randrange(choose.choice((4, 40)))}'
            fields, ms = alive(key), choose.choice((1, 5, 64, 100, 1000, 4096))
            value = choose.choice(('v', 'w' * 20, LONG)) if key > 'h5' else 'v%d' % choose.randrange(1000)
            action = choose.randrange(9)
            if action < 3:
                commands.append(('HSET', key, name, value))
                wanted.append(int(name not in fields))
                fields[name] = (value, None)
            elif action == 3:
                commands.append(('HDEL', key, name))
                wanted.append(int(fields.pop(name, None) is not None))
            elif action < 6:
                commands.append(('HPEXPIRE', key, ms, 'FIELDS', 1, name))
                wanted.append([1 if name in fields else -2])
                if name in fields:
                    fields[name] = (fields[name][0], now + ms)
            elif action == 6:
                commands.append(('HPERSIST', key, 'FIELDS', 1, name))
                wanted.append([-2 if name not in fields else -1 if fields[name][1] is None else 1])
                if name in fields:
                    fields[name] = (fields[name][0], None)
            elif action == 7:
                commands.append(('HPTTL', key, 'FIELDS', 1, name))
                wanted.append([-2 if name not in fields else -1 if fields[name][1] is None else fields[name][1] - now])
            else:
                commands.append(('HLEN', key))
                wanted.append(len(fields))
        expect(client.all(*commands), wanted, f'step {step}')
        ms = choose.choice((0, 1, 4, 63, 500))
        client.advance(ms)
        now += ms
        for key in keys:
            expect(as_dict(client('HGETALL', key)), {name.encode(): field[0].encode() for name, field in alive(key).items()}, f'step {step}: {key}')
    expect(sorted(client('KEYS', '*')), sorted(key.encode() for key in keys if alive(key)))


main()
