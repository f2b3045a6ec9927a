"""The latency monitor: what is slow besides commands is sampled too."""

from _harness import *


def latest(client):
    return {event[0]: event[2:] for event in client('LATENCY', 'LATEST')}


@test()
def what_took_long_has_samples(server):
    client = server.client()
    expect(client('CONFIG', 'SET', 'latency-monitor-threshold', 10), 'OK')
    expect(client('DEBUG', 'SLEEP', '0.001'), 'OK')
    expect(client('DEBUG', 'SLEEP', '0.02'), 'OK')
    name, ms = next((name, ms) for name, (_, ms) in latest(client).items() if b'command' in name)
    expect(name, b'command')
    expect_true(ms >= 20, f'it took {ms} ms')
    samples = client('LATENCY', 'HISTORY', name)
    expect(max(sample[1] for sample in samples), ms)
    expect_true(b'command - high ' in client('LATENCY', 'GRAPH', name), 'no graph')
    expect_true(b'command: ' in client('LATENCY', 'DOCTOR'), 'no word of it')


@test()
def a_slow_fork_has_a_sample(server):
    client = server.client()
    expect(client('CONFIG', 'SET', 'latency-monitor-threshold', 1), 'OK')
    expect(client('DEBUG', 'POPULATE', scaled(1_000_000, 50_000, 5_000), 'key', 64), 'OK')
    expect(client('LATENCY', 'RESET') >= 0, True)
    expect(client('DEBUG', 'SNAPSHOT-CHILD', 1) > 0, True)
    took_ms = client.info('latest_fork_usec') // 1000
    expect(latest(client).get(b'fork'), [took_ms, took_ms] if took_ms else None)
    if took_ms:
        expect_true(b'fork: ' in client('LATENCY', 'DOCTOR'), 'no word of it')
    print(f'    the fork took {took_ms} ms')


@test()
def slow_slices_have_samples(server):
    """Those that came to be slow on this machine, by the statistics of their own."""
    client = server.client()
    client.freeze()
    expect(client.all(('CONFIG', 'SET', 'latency-monitor-threshold', 1), ('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random')), ['OK', 'OK'])
    count = scaled(100_000, 10_000, 1000)
    client.all(*(('SET', f'k{i}', 'v', 'PX', 1) for i in range(count)))
    expect(client.all(('LATENCY', 'RESET'), ('CONFIG', 'RESETSTAT'))[1], 'OK')
    client.advance(1000)
    wait_until(lambda: client('DBSIZE') == 0, 'all have expired')
    client('DEBUG', 'POPULATE', count, 'key', 100)
    expect(client('CONFIG', 'SET', 'maxmemory', client.info('used_memory') * 2 // 3), 'OK')
    wait_until(lambda: client.info('used_memory') <= client.info('maxmemory') + MB, 'there is room') # the reply takes some, too
    events = latest(client)
    for event, slice in (b'expire-cycle', 'expire'), (b'eviction-cycle', 'evict'):
        took_ms = client.info(f'tern_longest_slice_usec_{slice}') // 1000
        expect(events.get(event, [0, 0])[1], took_ms, event)


main()
