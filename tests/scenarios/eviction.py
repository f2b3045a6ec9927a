#!/usr/bin/env python3
"""A limit on memory: what goes, what stays, and who is refused."""

from _harness import *

POLICIES = [family + '-' + what for family in ('volatile', 'allkeys') for what in ('lru', 'lfu', 'random', 'ttl') if (family, what) != ('allkeys', 'ttl')]
OOM = "OOM command not allowed when used memory > 'maxmemory'."
VALUE = b'x' * 200
COUNT = scaled(20_000, 4_000, 1_000)
BUFFERS = 100_000  # what the clients and INFO itself take


def used(client):
    return client.info('used_memory')


def configure(client, **settings):
    words = [word for name, value in settings.items() for word in (name.replace('_', '-'), value)]
    expect(client('CONFIG', 'SET', *words), 'OK')


def fill(client, first, last, *options):
    for start in range(first, last, 500):
        replies = client.all(*[('SET', f'key:{i}', VALUE, *options) for i in range(start, min(start + 500, last))])
        expect(set(replies), {'OK'})


def is_there(client, first, last):
    return sum(client.all(*[('EXISTS', f'key:{i}') for i in range(first, last)]))


def limit_to_half(client, empty):
    """Of what the keys take, and waits until the rest has gone."""
    limit = empty + (used(client) - empty) // 2
    configure(client, maxmemory=limit)
    wait_until(lambda: used(client) <= limit + BUFFERS, 'there is room')


@test()
def each_policy_takes_what_it_may(server):
    client = server.client()
    for policy in POLICIES:
        expect(client('FLUSHALL'), 'OK')
        configure(client, maxmemory=0, maxmemory_policy=policy)
        expect(client('CONFIG', 'RESETSTAT'), 'OK')
        empty = used(client)
        fill(client, 0, COUNT, 'EX', 1000)
        fill(client, COUNT, COUNT + COUNT // 10)
        limit_to_half(client, empty)
        wait_until(lambda: client.info('evicted_keys') + client('DBSIZE') == COUNT + COUNT // 10, f'{policy}: what went was evicted')
        evicted = client.info('evicted_keys')
        expect_true(0.2 * COUNT < evicted < 0.9 * COUNT, f'{policy}: {evicted} of {COUNT} went')
        if policy.startswith('volatile'):
            expect(is_there(client, COUNT, COUNT + COUNT // 10), COUNT // 10, policy)
        fill(client, 0, COUNT // 4, 'EX', 1000)  # goes on, and others go
        expect_true(client.info('evicted_keys') > evicted, policy)
        expect(client.info('maxmemory_policy'), policy)


@test()
def volatile_policies_refuse_when_no_key_has_a_deadline(server):
    client = server.client()
    for policy in [name for name in POLICIES if name.startswith('volatile')] + ['noeviction']:
        expect(client('FLUSHALL'), 'OK')
        configure(client, maxmemory=0, maxmemory_policy=policy)
        fill(client, 0, 500)
        configure(client, maxmemory=used(client) - 10_000)
        expect(client('SET', 'more', VALUE), Error(OOM), policy)
        expect(client('DBSIZE'), 500)
        expect(client.all(('GET', 'key:1'), ('PING',), ('STRLEN', 'key:2'), ('DEL', 'key:3')), [VALUE, 'PONG', len(VALUE), 1])
        current = client.info('current_eviction_exceeded_time')
        expect_true(client.info('total_eviction_exceeded_time') >= current, 'total and current')
        expect(len(client.all(*[('DEL', f'key:{i}') for i in range(250)])), 250)
        wait_until(lambda: client('SET', 'more', VALUE) == 'OK', 'room for more')
        wait_until(lambda: client.info('current_eviction_exceeded_time') == 0, 'it is over')
        expect(client.info('evicted_keys'), 0)


@test()
def hot_keys_stay_under_constant_writes(server):
    """Under lfu because they are used often, under lru because they were used lately."""
    client = server.client()
    hot = COUNT // 20
    for policy in 'allkeys-lfu', 'allkeys-lru':
        expect(client.all(('FLUSHALL',), ('CONFIG', 'RESETSTAT')), ['OK', 'OK'])
        configure(client, maxmemory=0, maxmemory_policy=policy, maxmemory_samples=10, lfu_log_factor=0)
        client.freeze()
        fill(client, 0, COUNT)
        limit = used(client)
        configure(client, maxmemory=limit)
        highest = 0
        for round in range(20):
            client.advance(1000)
            client.all(*[('GET', f'key:{i}') for i in range(hot) for _ in range(3)])
            fill(client, COUNT + round * COUNT // 10, COUNT + (round + 1) * COUNT // 10)
            highest = max(highest, used(client))
        left = is_there(client, 0, hot)
        print(f'    {policy}: {left} of {hot} hot keys are left, {client.info("evicted_keys")} keys went; memory at most {highest / limit:.3f} of the limit')
        expect_true(left >= hot * 0.95, f'{left} of {hot} hot keys are left under {policy}')
        expect_true(highest < limit * 1.02 + 3 * BUFFERS, f'{highest} bytes, the limit is {limit}')
        expect(client('DEBUG', 'CLOCK', 'THAW'), 'OK')


@test()
def a_huge_list_pushed_beyond_the_limit_goes_alone_when_it_is_the_oldest(server):
    client, other = server.clients_of(2)
    configure(client, maxmemory_policy='allkeys-lru', maxmemory_samples=64)
    client.freeze()
    empty, element = used(client), b'y' * 1000
    chunk = [element] * 100
    count = scaled(50_000, 10_000, 1_000)
    for _ in range(count // 100):
        client('RPUSH', 'list', *chunk)
    client.advance(10_000)
    fill(client, 0, 10)
    configure(client, maxmemory=empty + count * 100)
    for i in range(100):
        expect(other('SET', f'key:{i % 10}', VALUE), 'OK')
    wait_until(lambda: used(client) < empty + count * 100 + BUFFERS, 'the list goes')
    wait_until(lambda: client.info('lazyfree_pending_objects') == 0, 'nothing is pending')
    expect(client('EXISTS', 'list'), 0)
    expect(is_there(client, 0, 10), 10)
    expect(client.info('evicted_keys'), 1)
    print(f'    longest slice of eviction: {client.info("tern_longest_slice_usec_evict")} us')


@test()
def a_list_that_outgrows_the_limit_itself_is_refused_more_and_goes(server):
    client = server.client()
    limit = used(client) + 500_000
    configure(client, maxmemory=limit, maxmemory_policy='noeviction')
    reply, pushed = None, 0
    while not isinstance(reply, Error):
        reply = client('RPUSH', 'list', VALUE, VALUE)
        pushed += 2
        expect_true(pushed < 100_000, 'it never ended')
    expect(reply, Error(OOM))
    expect(client('LLEN', 'list'), pushed - 2)
    configure(client, maxmemory_policy='allkeys-random', maxmemory=limit - BUFFERS)
    expect(client('RPUSH', 'list', VALUE), 1)


@test()
def those_who_listen_and_watch_hear_of_it(server):
    client, listener, watcher, reader = server.clients_of(4)
    configure(client, notify_keyspace_events='Ee', maxmemory_policy='allkeys-random')
    expect(listener('SUBSCRIBE', '__keyevent@0__:evicted'), [b'subscribe', b'__keyevent@0__:evicted', 1])
    expect(client.all(('SET', 'k', 'v'), ('XGROUP', 'CREATE', 'stream', 'g', '$', 'MKSTREAM')), ['OK', 'OK'])
    expect(watcher.all(('WATCH', 'k'), ('MULTI',), ('PING',)), ['OK', 'OK', 'QUEUED'])
    reader.send_commands(('XREADGROUP', 'GROUP', 'g', 'me', 'BLOCK', 0, 'STREAMS', 'stream', '>'))
    client.wait_blocked(1)
    configure(client, maxmemory=1)
    expect({listener.read()[2], listener.read()[2]}, {b'k', b'stream'})
    expect(watcher('EXEC'), None)
    expect_error(reader.read(), 'NOGROUP')
    expect(client('DBSIZE'), 0)
    expect(client('SET', 'k', 'v'), Error(OOM))


@test(own=True)
def a_limit_in_the_file_holds_from_the_start(directory):
    server = Server(directory, '--maxmemory', '1', '--maxmemory-policy', 'allkeys-lru')
    client = server.client()
    expect(client('SET', 'k', 'v'), Error(OOM))
    expect([client.info('maxmemory'), client.info('maxmemory_human'), client.info('maxmemory_policy')], [1, '1B', 'allkeys-lru'])
    expect(client('CONFIG', 'SET', 'maxmemory', '100mb'), 'OK')
    expect(client('SET', 'k', 'v'), 'OK')
    server.stop()


@test()
def what_is_flushed_in_slices_is_waited_for(server):
    """Its memory counts until it is freed, and no key that came since goes for it."""
    client = server.client()
    fill(client, 0, COUNT)
    for i in range(20):
        client('RPUSH', f'list:{i}', *[VALUE] * 500)
    limit = used(client) - 5 * BUFFERS
    configure(client, maxmemory_policy='allkeys-lru')
    client.all(('FLUSHALL', 'ASYNC'), ('CONFIG', 'SET', 'maxmemory', limit), *[('SET', f'new:{i}', VALUE) for i in range(100)])
    expect(client('DBSIZE'), 100)
    expect(client.info('evicted_keys'), 0)


main()
