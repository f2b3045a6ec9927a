"""Keys that expire: to the millisecond, under a clock that the tests move."""

from _harness import *


def listen(server, channel='__keyevent@0__:expired'):
    subscriber = server.client()
    expect(subscriber('SUBSCRIBE', channel), [b'subscribe', channel.encode(), 1])
    return subscriber


@test()
def a_key_lives_up_to_its_deadline_and_is_gone_a_millisecond_later(server):
    client = server.client()
    client.freeze()
    for ms in 1, 2, 63, 64, 65, 999, 1000, 4095, 4096, 4097, 262_143, 262_144, 86_400_000, 31_536_000_000:
        expect(client.all(('SET', 'k', 'v', 'PX', ms), ('PTTL', 'k'), ('TTL', 'k')), ['OK', ms, (ms + 500) // 1000])
        client.advance(ms - 1)
        expect(client.all(('PTTL', 'k'), ('GET', 'k'), ('DBSIZE',)), [1, b'v', 1])
        client.advance(1)
        expect(client.all(('PTTL', 'k'), ('GET', 'k')), [0, b'v'])
        client.advance(1)
        expect(client.all(('PTTL', 'k'), ('GET', 'k'), ('EXISTS', 'k'), ('DBSIZE',)), [-2, None, 0, 0])


@test()
def every_way_to_set_a_deadline_agrees(server):
    client = server.client()
    client.freeze()
    now_ms = client.info('server_time_usec') // 1000
    for name, commands in [
            ('SET EX', [('SET', 'k', 'v', 'EX', 100)]), ('SET PX', [('SET', 'k', 'v', 'PX', 100_000)]),
            ('SET PXAT', [('SET', 'k', 'v', 'PXAT', now_ms + 100_000)]), ('SETEX', [('SETEX', 'k', 100, 'v')]), ('PSETEX', [('PSETEX', 'k', 100_000, 'v')]),
            ('EXPIRE', [('SET', 'k', 'v'), ('EXPIRE', 'k', 100)]), ('PEXPIRE', [('SET', 'k', 'v'), ('PEXPIRE', 'k', 100_000)]),
            ('PEXPIREAT', [('SET', 'k', 'v'), ('PEXPIREAT', 'k', now_ms + 100_000)]), ('GETEX', [('SET', 'k', 'v'), ('GETEX', 'k', 'EX', 100)]),
            ('KEEPTTL', [('SET', 'k', 'u', 'EX', 100), ('SET', 'k', 'v', 'KEEPTTL')]), ('APPEND', [('SET', 'k', '', 'EX', 100), ('APPEND', 'k', 'v')])]:
        client.all(*commands)
        expect(client.all(('PTTL', 'k'), ('GET', 'k'), ('PEXPIRETIME', 'k'), ('EXPIRETIME', 'k')),
               [100_000, b'v', now_ms + 100_000, (now_ms + 100_500) // 1000], name)
    for name, commands in [('SET', [('SET', 'k', 'v')]), ('PERSIST', [('PERSIST', 'k')]), ('GETEX PERSIST', [('GETEX', 'k', 'PERSIST')]), ('GETSET', [('GETSET', 'k', 'v')]), ('MSET', [('MSET', 'k', 'v')])]:
        expect(client.all(('SET', 'k', 'v', 'EX', 100), *commands, ('TTL', 'k'), ('PERSIST', 'k'))[-2:], [-1, 0], name)
    client.advance(10_000_000)
    expect(client.all(('GET', 'k'), ('DBSIZE',)), [b'v', 1])


@test()
def a_deadline_in_the_past_deletes_at_once(server):
    client = server.client()
    client.freeze()
    now_ms = client.info('server_time_usec') // 1000
    for command in ('EXPIRE', 'k', 0), ('EXPIRE', 'k', -1), ('PEXPIRE', 'k', 0), ('PEXPIRE', 'k', -5), ('EXPIREAT', 'k', 0), ('EXPIREAT', 'k', 1), ('PEXPIREAT', 'k', now_ms), ('PEXPIREAT', 'k', now_ms - 1), ('EXPIREAT', 'k', -9_000_000_000):
        expect(client.all(('SET', 'k', 'v'), command, ('DBSIZE',), ('GET', 'k')), ['OK', 1, 0, None], shown(command))
    expect(client.all(('SET', 'k', 'v'), ('PEXPIREAT', 'k', now_ms + 1), ('GET', 'k')), ['OK', 1, b'v'])
    for value in '9223372036854775807', '-9223372036854775808', '9223372036854775':
        expect(isinstance(client('EXPIRE', 'k', value), Error), True, value)
    expect(client('PEXPIREAT', 'k', 9223372036854775807), 1)
    expect(client('GET', 'k'), b'v')
    expect_error(client('PEXPIRE', 'k', 9223372036854775807), "ERR invalid expire time in 'pexpire' command")
    for command in ('SET', 'k', 'v', 'EX', 0), ('SET', 'k', 'v', 'PX', -1), ('SETEX', 'k', 0, 'v'), ('SET', 'k', 'v', 'EX', 9223372036854775807):
        expect(isinstance(client(*command), Error), True, shown(command))


@test('--notify-keyspace-events', 'KEA')
def expired_is_said_at_the_moment(server):
    client, subscriber = server.client(), listen(server)
    client.freeze()
    commands = [('SET', f'k{i}', i, 'PX', 10 * i) for i in range(1, 51)]
    random.Random(2).shuffle(commands)
    expect(client.all(*commands), ['OK'] * 50)
    for i in range(1, 51):
        client.advance(9 if i > 1 else 10)
        expect(subscriber.is_silent(client), True, f'before {10 * i} ms')
        client.advance(1)
        expect(subscriber.read(), [b'message', b'__keyevent@0__:expired', b'k%d' % i])
        expect(client('DBSIZE'), 50 - i)
    expect(client.info('expired_keys'), 50)
    # in real time as well
    expect(client('DEBUG', 'CLOCK', 'THAW'), 'OK')
    expect(client('SET', 'real', 1, 'PX', 30), 'OK')
    expect(subscriber.read()[2], b'real')


@test('--notify-keyspace-events', 'KEA')
def a_deadline_that_changes_counts_once(server):
    client, subscriber = server.client(), listen(server)
    client.freeze()
    for _ in range(50):
        expect(client.all(('SET', 'k', 1, 'PX', 100), ('PEXPIRE', 'k', 5000), ('PEXPIRE', 'k', 50), ('PERSIST', 'k'), ('PEXPIRE', 'k', 70), ('DEL', 'k'),
                          ('SET', 'k', 2, 'PX', 60), ('SET', 'k', 'x' * 3000, 'KEEPTTL'), ('INCR', 'n'))[-2], 'OK')
    client.advance(60)
    expect(subscriber.is_silent(client), True)
    client.advance(1)
    expect(subscriber.read()[2], b'k')
    client.advance(100_000)
    expect(subscriber.is_silent(client), True)
    expect(client.all(('KEYS', '*'), ('GET', 'n')), [[b'n'], b'50'])


@test('--notify-keyspace-events', 'KEA')
def what_is_read_too_late_expires_on_the_way(server):
    """With nobody looking for them, expired keys are found by those who ask."""
    client, subscriber = server.client(), listen(server)
    expect(client('DEBUG', 'SET-ACTIVE-EXPIRE', 0), 'OK')
    client.freeze()
    expect(client.all(('RPUSH', 'l', 1), *[('SET', f'k{i}', i, 'PX', 10) for i in range(20)])[1:], ['OK'] * 20)
    expect(client('PEXPIRE', 'l', 10), 1)
    client.advance(11)
    time.sleep(0.25)
    expect(subscriber.is_silent(client), True)
    expect(client.all(('DBSIZE',), ('GET', 'k0'), ('TTL', 'k1'), ('INCR', 'k2'), ('APPEND', 'k3', 'x'), ('SET', 'k4', 'x', 'NX'), ('EXPIRE', 'k5', 100), ('DEL', 'k6', 'k7'),
                      ('EXISTS', 'k8'), ('LPUSH', 'l', 'new'), ('LRANGE', 'l', 0, -1), ('TYPE', 'k9'), ('STRLEN', 'k10'), ('SET', 'k11', 'x', 'XX'), ('RPUSH', 'k12', 1)),
           [21, None, -2, 1, 1, 'OK', 0, 0, 0, 1, [b'new'], 'none', 0, None, 1])
    gone = sorted(m[2] for m in subscriber.read_many(14))
    expect(gone, sorted([b'k%d' % i for i in range(13)] + [b'l']))
    expect(client.all(('TTL', 'k2'), ('TTL', 'l'), ('PTTL', 'k4')), [-1, -1, -1])
    # SCAN and KEYS and RANDOMKEY show none of the rest
    expect(sorted(client('KEYS', '*')), [b'k12', b'k2', b'k3', b'k4', b'l'])
    expect(client('RANDOMKEY') in (b'k12', b'k2', b'k3', b'k4', b'l'), True)
    expect(client('DEBUG', 'SET-ACTIVE-EXPIRE', 1), 'OK')
    wait_until(lambda: client('DBSIZE') == 5, 'the rest has gone')
    expect(client.info('expired_keys'), 21)


@test()
def keys_that_die_together_go_in_slices(server):
    client, other = server.clients_of(2)
    count = scaled(1_000_000, 50_000, 5_000)
    client.freeze()
    chunk = 5000
    for at in range(0, count, chunk):
        client.send(pipeline(*[('SET', f'key:{i}', i, 'PX', 60_000) for i in range(at, at + chunk)]))
        expect(client.read_many(chunk)[-1], 'OK')
    expect(client.info('db0', 'keyspace'), f'keys={count},expires={count},avg_ttl=60000')
    client.advance(60_000)
    expect(client('DBSIZE'), count)
    expect(client('CONFIG', 'RESETSTAT'), 'OK')
    before = client.info('expired_keys')
    began = time.monotonic()
    client.advance(1)
    slowest, pings = 0, 0
    while other('DBSIZE'):
        asked = time.monotonic()
        other('PING')
        slowest, pings = max(slowest, time.monotonic() - asked), pings + 1
        expect(other('GET', f'key:{random.randrange(count)}'), None)
        expect_true(time.monotonic() - began < TIMEOUT, 'they do not go')
    expect(client.info('expired_keys') - before, count)
    print(f'    {count} keys were gone after {time.monotonic() - began:.2f} s; the longest slice was {client.info("tern_longest_slice_usec_expire")} us, '
          f'the slowest of {pings} PINGs took {slowest * 1e6:.0f} us')
    wait_until(lambda: client.info('used_memory') < 4 * MB, 'their memory is free')
    expect('db0' in client('INFO', 'keyspace').decode(), False)


@test('--notify-keyspace-events', 'KEA')
def the_clock_may_jump_by_years(server):
    client, subscriber = server.client(), listen(server)
    year = 365 * 86_400_000
    client.freeze()
    deadlines = [1, 1000, year // 2, year, 10 * year, 100 * year, 1000 * year]
    expect(client.all(*[('SET', f'k{i}', i, 'PX', ms) for i, ms in enumerate(deadlines)]), ['OK'] * len(deadlines))
    passed = 0
    for i, ms in enumerate(deadlines):
        client.advance(ms - passed)
        expect(subscriber.is_silent(client), True)
        client.advance(1)
        passed = ms + 1
        expect(subscriber.read()[2], b'k%d' % i)
    expect(client('DBSIZE'), 0)
    # all at once, and the server goes on as usual
    expect(client.all(*[('SET', f'k{i}', i, 'PX', ms) for i, ms in enumerate(deadlines)]), ['OK'] * len(deadlines))
    client.advance(2000 * year)
    expect(sorted(m[2] for m in subscriber.read_many(len(deadlines))), [b'k%d' % i for i in range(len(deadlines))])
    expect(client('DEBUG', 'CLOCK', 'THAW'), 'OK')
    expect(client.all(('SET', 'k', 1, 'PX', 20), ('OBJECT', 'IDLETIME', 'k')), ['OK', 0])
    expect(subscriber.read()[2], b'k')
    expect(client('PING'), 'PONG')


@test()
def the_clock_goes_on_from_where_it_was_thawed(server):
    client = server.client()
    client.freeze()
    before = client.info('server_time_usec')
    time.sleep(0.02)
    expect(client.info('server_time_usec'), before)
    expect(client('SET', 'k', 1, 'PX', 100), 'OK')
    time.sleep(0.12)
    expect(client('PTTL', 'k'), 100)
    expect(client('DEBUG', 'CLOCK', 'THAW'), 'OK')
    expect(0 < client('PTTL', 'k') <= 100, True)
    wait_until(lambda: client('DBSIZE') == 0, 'it expires')
    expect(client.info('server_time_usec') >= before + 100_000, True)
    for words in ('ADVANCE', -1), ('ADVANCE', 'x'), ('ADVANCE',), ('BACK',), ('ADVANCE', 2 ** 60):
        expect(isinstance(client('DEBUG', 'CLOCK', *words), Error), True, shown(words))


@test()
def a_watched_key_that_expires_fails_the_transaction(server):
    for active in 1, 0:
        client, other = server.clients_of(2)
        expect(other('DEBUG', 'SET-ACTIVE-EXPIRE', active), 'OK')
        other.freeze()
        # it expires between WATCH and EXEC
        expect(client.all(('SET', 'k', 1, 'PX', 10), ('WATCH', 'k'), ('MULTI',), ('SET', 'x', 1)), ['OK', 'OK', 'OK', 'QUEUED'])
        other.advance(10)
        expect(other('PTTL', 'k'), 0)
        other.advance(1)
        expect(client('EXEC'), None)
        # not yet
        expect(client.all(('SET', 'k', 1, 'PX', 10), ('WATCH', 'k'), ('MULTI',), ('GET', 'k')), ['OK', 'OK', 'OK', 'QUEUED'])
        other.advance(10)
        expect(client('EXEC'), [b'1'])
        # it had expired already when it was watched
        expect(other('SET', 'k', 1, 'PX', 10), 'OK')
        other.advance(11)
        expect(client.all(('WATCH', 'k'), ('MULTI',), ('GET', 'k')), ['OK', 'OK', 'QUEUED'])
        expect(other('EXISTS', 'k'), 0)
        expect(client('EXEC'), [None])
        # and is set again meanwhile
        expect(other('SET', 'k', 1, 'PX', 10), 'OK')
        other.advance(11)
        expect(client.all(('WATCH', 'k'), ('MULTI',), ('GET', 'k')), ['OK', 'OK', 'QUEUED'])
        expect(other.all(('GET', 'k'), ('SET', 'k', 2)), [None, 'OK'])
        expect(client('EXEC'), None)
        # a new deadline is a change, looking at it is none
        expect(client.all(('SET', 'k', 1), ('WATCH', 'k'), ('MULTI',), ('GET', 'k')), ['OK', 'OK', 'OK', 'QUEUED'])
        expect(other.all(('TTL', 'k'), ('GET', 'k'), ('EXPIRE', 'none', 1), ('PERSIST', 'k')), [-1, b'1', 0, 0])
        expect(client('EXEC'), [b'1'])
        expect(client.all(('WATCH', 'k'), ('MULTI',), ('GET', 'k')), ['OK', 'OK', 'QUEUED'])
        expect(other('EXPIRE', 'k', 100), 1)
        expect(client('EXEC'), None)
        expect(other.all(('FLUSHALL',), ('DEBUG', 'CLOCK', 'THAW')), ['OK', 'OK'])


@test()
def time_stands_still_within_a_transaction(server):
    client = server.client()
    expect(client('SET', 'k', 'v', 'PX', 100), 'OK')
    replies = client.all(('MULTI',), ('PTTL', 'k'), ('DEBUG', 'SLEEP', '0.15'), ('PEXPIRE', 'j', 1), ('EXEC',))[-1]
    expect(0 < replies[0] <= 100, True)
    wait_until(lambda: client('DBSIZE') == 0, 'it expires')


@test()
def deadlines_survive_whatever_happens_to_their_keys(server):
    """A random run against what a model of it expects."""
    client = server.client()
    client.freeze()
    choose = random.Random(11)
    model, now = {}, 0  # key -> (value, deadline or None)
    keys = [f'key:{i}' for i in range(300)]
    for step in range(scaled(40, 20, 8)):
        commands, wanted = [], []
        for _ in range(200):
            key = choose.choice(keys)
            value, deadline = model.get(key, (None, None))
            action = choose.randrange(9)
            ms = choose.choice((1, 5, 64, 100, 1000, 4096, 100_000))
            if action == 0:
                new = 'v' * choose.choice((1, 10, 600, 5000))
                commands.append(('SET', key, new, 'PX', ms))
                wanted.append('OK')
                model[key] = (new, now + ms)
            elif action == 1:
                commands.append(('PEXPIRE', key, ms))
                wanted.append(int(value is not None))
                if value is not None:
                    model[key] = (value, now + ms)
            elif action == 2:
                commands.append(('PERSIST', key))
                wanted.append(int(deadline is not None))
                if value is not None:
                    model[key] = (value, None)
            elif action == 3:
                commands.append(('APPEND', key, 'tail'))
                wanted.append(len(value or '') + 4)
                model[key] = ((value or '') + 'tail', deadline)
            elif action == 4:
                commands.append(('DEL', key))
                wanted.append(int(value is not None))
                model.pop(key, None)
            elif action == 5:
                commands.append(('PTTL', key))
                wanted.append(-2 if value is None else -1 if deadline is None else deadline - now)
            elif action == 6:
                commands.append(('SETRANGE', key, 3, 'abc'))
                model[key] = (((value or '').ljust(3, '\0'))[:3] + 'abc' + (value or '')[6:], deadline)
                wanted.append(len(model[key][0]))
            elif action == 7:
                commands.append(('SET', key, 'kept', 'KEEPTTL'))
                wanted.append('OK')
                model[key] = ('kept', deadline)
            else:
                commands.append(('GET', key))
                wanted.append(None if value is None else value.encode())
        expect(client.all(*commands), wanted, f'step {step}')
        ms = choose.choice((0, 1, 3, 64, 500, 5000))
        client.advance(ms)
        now += ms
        model = {key: item for key, item in model.items() if item[1] is None or item[1] >= now}
        wait_until(lambda: client('DBSIZE') == len(model), f'{len(model)} keys are left in step {step}')
    expect(sorted(client('KEYS', '*')), sorted(key.encode() for key in model))
    deadlines = [deadline for _, deadline in model.values() if deadline is not None]
    mean = sum(deadlines) // len(deadlines) - now if deadlines else 0
    expect(client.info('db0', 'keyspace') if model else '', f'keys={len(model)},expires={len(deadlines)},avg_ttl={mean}' if model else '')


main()
