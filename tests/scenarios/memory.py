"""Memory: what is deleted is freed in slices and goes back to the system."""

from _harness import *

import re


def used(client):
    return client.info('used_memory')


def populate(client, count, prefix='key', size=None):
    expect(client('DEBUG', 'POPULATE', count, prefix, *([] if size is None else [size])), 'OK')


@test()
def a_flushed_database_goes_in_slices(server):
    client, other = server.clients_of(2)
    expect(client('PING'), 'PONG')
    count, before = scaled(3_000_000, 100_000, 5_000), used(client)
    populate(client, count)
    full = used(client)
    expect_true(full > before + 20 * count, 'nothing was filled')
    expect(client.all(('CONFIG', 'RESETSTAT'), ('FLUSHALL', 'ASYNC'), ('DBSIZE',), ('GET', 'key:1')), ['OK', 'OK', 0, None])
    began, pings = time.monotonic(), 0
    while used(other) > before + MB:
        expect(other.all(('SET', 'new', pings), ('GET', 'new')), ['OK', b'%d' % pings])
        pings += 1
        expect_true(time.monotonic() - began < TIMEOUT, f'{used(other) - before} bytes are left')
    print(f'    {count} keys, {full / MB:.0f} MB: gone after {time.monotonic() - began:.2f} s, {pings} requests meanwhile; longest slices: '
          f'free {client.info("tern_longest_slice_usec_free")} us, return {client.info("tern_longest_slice_usec_return")} us')
    expect(client('DBSIZE'), int(pings > 0))
    wait_until(lambda: client.info('lazyfree_pending_objects') == 0, 'nothing is pending')
    if not IS_SANITIZED:
        wait_until(lambda: client.info('used_memory_rss') < 40 * MB, 'the pages go back')


@test()
def a_synchronous_flush_answers_when_the_memory_is_free(server):
    client, other = server.clients_of(2)
    expect(client('PING'), 'PONG')
    count, before = scaled(3_000_000, 100_000, 5_000), used(client)
    for flush in ('FLUSHALL',), ('FLUSHDB', 'SYNC'), ('FLUSHALL', 'SYNC'):
        populate(client, count)
        expect(client('RPUSH', 'l', *range(scaled(100_000, 10_000, 1000))) > 0, True)
        expect(client('CONFIG', 'RESETSTAT'), 'OK')
        client.send_commands(flush, ('DBSIZE',), ('INFO', 'memory'))
        pings, waits = 0, 0
        while not client.has_input():
            waits += other.info('blocked_clients')
            pings += 1
        ok, size, info = client.read_many(3)
        expect((ok, size), ('OK', 0))
        expect_true(int(re.search(rb'used_memory:(\d+)', info)[1]) < before + MB, 'the memory is not free')
        print(f'    {count} keys, {flush}: {pings} requests meanwhile, seen waiting {waits} times; longest slice '
              f'{client.info("tern_longest_slice_usec_free")} us, its own time {client.info("cmdstat_" + flush[0].lower())}')
    # within a transaction it does not wait
    populate(client, count)
    replies = client.all(('MULTI',), ('FLUSHALL',), ('INFO', 'memory'), ('EXEC',))[-1]
    expect(replies[0], 'OK')
    expect_true(int(re.search(rb'used_memory:(\d+)', replies[1])[1]) < before + MB, 'the memory is not free')


@test()
def flushing_again_and_again_leaves_nothing(server):
    client = server.client()
    expect(client('PING'), 'PONG')
    before = used(client)
    for round in range(20):
        populate(client, scaled(50_000, 5_000, 500))
        expect(client('RPUSH', 'l', *range(scaled(10_000, 2_000, 200))) > 0, True)
        expect(client('PEXPIRE', 'key:1', 100_000), 1)
        expect(client(*(('FLUSHALL', 'ASYNC'), ('FLUSHDB',), ('FLUSHALL', 'SYNC'), ('FLUSHDB', 'ASYNC'))[round % 4]), 'OK')
        expect(client('DBSIZE'), 0)
    wait_until(lambda: used(client) < before + 200_000, 'all is freed')


@test()
def a_huge_list_goes_in_slices(server):
    client, other = server.clients_of(2)
    expect(client('PING'), 'PONG')
    before, count, chunk = used(client), scaled(3_000_000, 200_000, 5_000), scaled(1000, 1000, 100)
    words = [b'element:%d' % i for i in range(chunk)]
    one = encode('RPUSH', 'l', *words)
    for _ in range(count // chunk // 10):
        client.send(one * 10)
        client.read_many(10)
    size = client('LLEN', 'l')
    expect(size, count)
    full = used(client)
    expect(client('CONFIG', 'RESETSTAT'), 'OK')
    for command in ('DEL', 'l'), ('UNLINK', 'm'), ('SET', 'n', 'v'):
        if command[1] != 'l':
            client.send(encode('RPUSH', command[1], *words) * 50)
            client.read_many(50)
        client.all(command)
        began, turns = time.monotonic(), 0
        while used(other) > before + MB:
            expect(other('PING'), 'PONG')
            turns += 1
            expect_true(time.monotonic() - began < TIMEOUT, f'{used(other) - before} bytes are left')
        if command[1] == 'l':
            print(f'    {count} elements, {full / MB:.0f} MB: gone after {time.monotonic() - began:.3f} s; the longest slice was {client.info("tern_longest_slice_usec_free")} us')
    expect(client('KEYS', '*'), [b'n'])


def fill_collections(client, kind, keys, elements):
    """Keys of a kind with so many elements each, some of them with a deadline, deleted at random but for half. Returns what is left."""
    choose, left = random.Random(elements), {}
    for key in range(keys):
        name, stay = f'{kind}:{elements}:{key}', []
        for at in range(0, elements, 1000):
            part = range(at, min(at + 1000, elements))
            if kind == 'hash':
                client('HSET', name, *(word for i in part for word in (f'field:{i:08}', f'value:{i:08}')))
            else:
                client('SADD', name, *(f'member:{i:08}' for i in part))
        for at in range(0, elements, 1000):
            part = range(at, min(at + 1000, elements))
            doomed = set(choose.sample(part, len(part) // 2))
            stay += [i for i in part if i not in doomed]
            if kind == 'hash':
                with_deadline = [f'field:{i:08}' for i in part if i not in doomed and i % 16 == 0]
                if with_deadline:
                    client('HEXPIRE', name, 1_000_000, 'FIELDS', len(with_deadline), *with_deadline)
                client('HDEL', name, *(f'field:{i:08}' for i in doomed))
            else:
                client('SREM', name, *(f'member:{i:08}' for i in doomed))
        left[name] = stay
    return left


def expect_left(client, left):
    for name, stay in left.items():
        for at in range(0, len(stay), 1000):
            part = stay[at:at + 1000]
            if name.startswith('hash'):
                fields = [f'field:{i:08}' for i in part]
                expect(client('HMGET', name, *fields), [b'value:%08d' % i for i in part])
                expect([ttl > 0 for ttl in client('HTTL', name, 'FIELDS', len(part), *fields)], [i % 16 == 0 for i in part])
            else:
                expect(client('SMISMEMBER', name, *(f'member:{i:08}' for i in part)), [1] * len(part))
        expect(client('HLEN' if name.startswith('hash') else 'SCARD', name), len(stay))


@test()
def half_emptied_collections_give_pages_back(server):
    client, left = server.client(), {}
    for kind in 'hash', 'set':
        left.update(fill_collections(client, kind, 1, scaled(400_000, 20_000, 2_000)))
        left.update(fill_collections(client, kind, scaled(300, 10, 3), 1000))
        left.update(fill_collections(client, kind, scaled(5_000, 200, 20), 40))

    def ratio():
        return client.info('used_memory_rss') / used(client)

    live, at_once, began = used(client), ratio(), time.monotonic()
    if not IS_SANITIZED:
        while ratio() > 1.25 and time.monotonic() - began < 20:
            time.sleep(0.1)
    print(f'    {live / MB:.0f} MB are left: resident is {at_once:.2f} times that at once, {ratio():.2f} after {time.monotonic() - began:.1f} s of idling; '
          f'{client.info("tern_moved_blocks")} blocks moved, the longest slice of moving was {client.info("tern_longest_slice_usec_move")} us')
    if not IS_SANITIZED:
        expect_true(ratio() <= 1.25, f'resident is {ratio():.2f} times what is used')
    expect_left(client, left)


@test()
def half_of_the_keys_deleted_at_random_gives_pages_back(server):
    client = server.client()
    count, before = scaled(1_000_000, 50_000, 2_000), used(client)
    populate(client, count, 'key', 100)
    full, full_rss = used(client), client.info('used_memory_rss')
    choose = random.Random(9)
    doomed = choose.sample(range(count), count // 2)
    for at in range(0, len(doomed), 1000):
        part = doomed[at:at + 1000]
        expect(client('DEL', *[f'key:{i}' for i in part]), len(part))
    live = used(client)
    expect_true(live - before < 0.7 * (full - before), f'{live} of {full} bytes are left')

    def ratio():
        return client.info('used_memory_rss') / used(client)

    at_once, began = ratio(), time.monotonic()
    if not IS_SANITIZED:
        while ratio() > 1.25 and time.monotonic() - began < 20:
            time.sleep(0.1)
    print(f'    {full / MB:.0f} MB (resident {full_rss / MB:.0f} MB), after the deletions {live / MB:.0f} MB: resident is {at_once:.2f} times that at once, '
          f'{ratio():.2f} after {time.monotonic() - began:.1f} s of idling; {client.info("tern_moved_blocks")} blocks moved, '
          f'the longest slice of moving was {client.info("tern_longest_slice_usec_move")} us')
    if not IS_SANITIZED:
        expect_true(ratio() <= 1.25, f'resident is {ratio():.2f} times what is used')
    gone = set(doomed)
    for at in range(0, count, 5000):
        values = client('MGET', *[f'key:{i}' for i in range(at, min(at + 5000, count))])
        for i, value in enumerate(values, at):
            if (value is None) != (i in gone) or (value is not None and not value.startswith(b'value:%d\0' % i)):
                raise Failed(f'key:{i} holds {shown(value)}')
    expect(client('DBSIZE'), count - len(doomed))


@test()
def moving_blocks_meets_every_kind_of_change(server):
    """Deletions leave gaps while deadlines, lists and long strings come and go; what is left is what the model says."""
    client = server.client()
    choose = random.Random(13)
    model = {}
    count = scaled(100_000, 10_000, 1_000)
    for at in range(0, count, 1000):
        commands = []
        for i in range(at, min(at + 1000, count)):
            value = b'v%d' % i * choose.choice((1, 5, 40, 150))
            model[b'k%d' % i] = value
            commands.append(('SET', f'k{i}', value, 'EX', 100_000) if i % 3 == 0 else ('SET', f'k{i}', value))
        client.all(*commands)
    keys = list(model)
    for round in range(scaled(10, 4, 2)):
        choose.shuffle(keys)
        for at in range(0, len(keys) // 5, 500):
            part = keys[at:at + 500]
            client('DEL', *part)
            for key in part:
                model.pop(key, None)
        keys = keys[len(keys) // 5 // 500 * 500:]
        commands = []
        for key in choose.sample(keys, len(keys) // 10):
            action = choose.randrange(4)
            if key not in model:
                continue
            if action == 0:
                model[key] += b'tail' * 50
                commands.append(('APPEND', key, b'tail' * 50))
            elif action == 1:
                commands.append(('PEXPIRE', key, 10_000_000))
            elif action == 2:
                commands.append(('PERSIST', key))
            else:
                model[key] = b'new'
                commands.append(('SET', key, 'new'))
        client.all(*commands)
        time.sleep(0.1)  # idle: blocks move
    live = sorted(model)
    expect(client('DBSIZE'), len(live))
    for at in range(0, len(live), 1000):
        part = live[at:at + 1000]
        expect_true(client('MGET', *part) == [model[key] for key in part], f'values differ about {part[0]}')


main()
