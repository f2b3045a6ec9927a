"""Long commands of one client: they may take time, but in proportion to their length."""

from _harness import *

COUNT = scaled(200_000, 60_000, 20_000)  # what grows with its square takes minutes
PATIENCE = scaled(5, 30)  # seconds of the processor, far more than it takes


def in_time(server, what):
    began = server.cpu_seconds()
    reply = what()
    taken = server.cpu_seconds() - began
    expect_true(taken < PATIENCE, f'{taken:.1f} seconds')
    return reply


@test()
def many_keys_are_watched(server):
    client, other = server.clients_of(2)
    keys = [f'k{i}' for i in range(COUNT)]
    expect(in_time(server, lambda: client('WATCH', *keys)), 'OK')
    expect(other('WATCH', *keys[:9]), 'OK')
    expect(in_time(server, lambda: client('WATCH', *reversed(keys), 'another', *keys[:9])), 'OK')
    expect(other.info('total_watched_keys'), COUNT + 1)
    expect(client('UNWATCH'), 'OK')
    expect(other.all(('WATCH', 'k1'), ('INFO', 'clients'))[0], 'OK')
    expect(other.info('total_watched_keys'), 9)
    expect(other.all(('SET', 'k5', 'v'), ('MULTI',), ('EXEC',))[-1], None)
    expect(other.info('total_watched_keys'), 0)


@test()
def a_group_is_named_many_times(server):
    client = server.client()
    entries = COUNT // 10
    client.all(('MULTI',), *(('XADD', 's', f'{i + 1}-1', 'f', 'v') for i in range(entries)), ('XADD', 't', '1-1', 'f', 'v'), ('EXEC',))
    for key in 'st':
        expect(client('XGROUP', 'CREATE', key, 'g', 0), 'OK')
    expect(in_time(server, lambda: client('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 1, 'STREAMS', *['s'] * COUNT, *['>'] * COUNT)),
           [[b's', [[b'%d-1' % (i + 1), [b'f', b'v']]]] for i in range(entries)])
    # two groups in turns, with history between, and entries that are not enough for the last who asks
    expect(client.all(('XGROUP', 'SETID', 's', 'g', f'{entries - 5}'), ('XGROUP', 'SETID', 't', 'g', 0)), ['OK'] * 2)
    reply = client('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 2, 'STREAMS', 't', 's', 's', 't', 's', 's', 's', 's', '>', '>', f'{entries - 1}', '>', '>', '5', '>', '>')
    expect([(stream, [entry[0] for entry in read]) for stream, read in reply],
           [(b't', [b'1-1']), (b's', [b'%d-1' % (entries - n) for n in (5, 4)]), (b's', [b'%d-1' % (entries - n) for n in (1, 0)]),
            (b's', [b'%d-1' % (entries - n) for n in (3, 2)]), (b's', [b'5-1', b'6-1']), (b's', [b'%d-1' % (entries - n) for n in (1, 0)])])
    expect(client('XGROUP', 'SETID', 's', 'g', 0), 'OK')
    expect([len(read) for _, read in client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', 's', '>', '>')], [entries])


@test()
def numbers_of_entries_end_somewhere(server):
    client = server.client()
    most = 2 ** 63 - 1
    expect(client.all(('XADD', 's', '1-1', 'f', 'v'), ('XADD', 's', '2-1', 'f', 'v'), ('XGROUP', 'CREATE', 's', 'g', '1-1', 'ENTRIESREAD', most)), [b'1-1', b'2-1', 'OK'])
    expect(client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>'), [[b's', [[b'2-1', [b'f', b'v']]]]])
    expect(client('XINFO', 'GROUPS', 's')[0][9], most)
    expect(client.all(('XSETID', 's', '5-1', 'ENTRIESADDED', most), ('XADD', 's', '6-1', 'f', 'v'), ('XGROUP', 'SETID', 's', 'g', '0', 'ENTRIESREAD', most)), ['OK', b'6-1', 'OK'])
    for group in ('SETID', '0', -1), ('SETID', '1-1', 0), ('SETID', '2-1', most), ('SETID', '6-1', -1):
        expect(client('XGROUP', group[0], 's', 'g', group[1], 'ENTRIESREAD', group[2]), 'OK')
        expect_true(isinstance(client('XINFO', 'GROUPS', 's'), list), 'groups')
        expect_true(isinstance(client('XINFO', 'STREAM', 's', 'FULL'), list), 'the stream')
    expect(client('XTRIM', 's', 'MAXLEN', 1), 2)
    expect(client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>'), None)
    expect_true(isinstance(client('XINFO', 'GROUPS', 's'), list), 'groups')


main()
