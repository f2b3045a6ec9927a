"""Streams: who waits for entries and in which order they are served, consumers that vanish, and the clock."""

from _harness import *

import signal
import textwrap

NO_GROUP = "NOGROUP No such key '%s' or consumer group 'g' in XREADGROUP with GROUP option"


@test()
def every_reader_gets_each_entry_and_every_consumer_its_own(server):
    count = 20
    readers, consumers, other = server.clients_of(count), server.clients_of(count), server.client()
    expect(other('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM'), 'OK')
    for i in range(count):
        readers[i].send_commands(('XREAD', 'BLOCK', 0, 'STREAMS', 's', '$'), ('ECHO', i))
        consumers[i].send_commands(('XREADGROUP', 'GROUP', 'g', f'c{i}', 'COUNT', 1, 'BLOCK', 0, 'STREAMS', 's', '>'))
        other.wait_blocked(2 * i + 2)
    expect(other('XADD', 's', '1-1', 'field', 'value'), b'1-1')
    entry = [b'1-1', [b'field', b'value']]
    for i, reader in enumerate(readers):
        expect(reader.read_many(2), [[[b's', [entry]]], b'%d' % i])
    expect(consumers[0].read(), [[b's', [entry]]])
    expect(other.info('blocked_clients'), count - 1)
    # several entries at once: one for each of those who came first
    expect(other.all(('MULTI',), *(('XADD', 's', f'2-{i}', 'i', i) for i in range(5)), ('EXEC',))[-1], [b'2-%d' % i for i in range(5)])
    for i in range(5):
        expect(consumers[1 + i].read(), [[b's', [[b'2-%d' % i, [b'i', b'%d' % i]]]]])
    for i in range(6, count):
        expect(other('XADD', 's', f'3-{i}', 'i', i), b'3-%d' % i)
        expect(consumers[i].read(), [[b's', [[b'3-%d' % i, [b'i', b'%d' % i]]]]])
    expect(other.info('blocked_clients'), 0)
    expect(other('XPENDING', 's', 'g')[0], count)


@test()
def a_reader_waits_for_what_comes_after_it_asked(server):
    reader, other = server.clients_of(2)
    expect(other('XADD', 'a', '5-5', 'f', 'old'), b'5-5')
    reader.send_commands(('XREAD', 'BLOCK', 0, 'STREAMS', 'none', 'a', 'b', '$', '$', '7'), ('PING',))
    other.wait_blocked(1)
    # what is not behind its ids, or no stream, leaves it waiting
    expect(other.all(('XDEL', 'a', '5-5'), ('XADD', 'b', '6', 'f', 'v'), ('SET', 'none', 'x'), ('DEL', 'none'), ('XTRIM', 'b', 'MAXLEN', 0)), [1, b'6-0', 'OK', 1, 1])
    expect(reader.is_silent(other), True)
    expect(other('XADD', 'a', '5-6', 'f', 'new'), b'5-6')
    expect(reader.read_many(2), [[[b'a', [[b'5-6', [b'f', b'new']]]]], 'PONG'])
    # entries that come and go within a transaction are not seen
    reader.send_commands(('XREAD', 'BLOCK', 0, 'STREAMS', 'a', '$'))
    other.wait_blocked(1)
    expect(other.all(('MULTI',), ('XADD', 'a', '6-1', 'f', 'v'), ('DEL', 'a'), ('XADD', 'a', '1-1', 'f', 'v'), ('EXEC',))[-1], [b'6-1', 1, b'1-1'])
    expect(reader.is_silent(other), True)
    expect(other.all(('XADD', 'a', '9', 'f', 'v'), ('XADD', 'a', '10', 'f', 'v')), [b'9-0', b'10-0'])
    expect(reader.read(), [[b'a', [[b'9-0', [b'f', b'v']]]]])
    # in the third protocol a map
    reader.resp3()
    reader.send_commands(('XREAD', 'BLOCK', 0, 'STREAMS', 'a', 'b', '$', '$'))
    other.wait_blocked(1)
    expect(other('XADD', 'b', '99', 'f', 'v'), b'99-0')
    expect(reader.read(), {b'b': [[b'99-0', [b'f', b'v']]]})


@test()
def a_wait_ends_at_its_deadline(server):
    client, other = server.clients_of(2)
    expect(other('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM'), 'OK')
    other.freeze()
    for words in ('XREAD',), ('XREADGROUP', 'GROUP', 'g', 'c'):
        client.send_commands((*words, 'BLOCK', 1500, 'STREAMS', 's', '$' if len(words) == 1 else '>'), ('PING',))
        other.wait_blocked(1)
        other.advance(1000)
        expect(other('XADD', 'other', '*', 'f', 'v') is not None, True)
        other.advance(499)
        expect(client.is_silent(other), True)
        other.advance(1)
        expect(client.read_bytes(5), b'*-1\r\n')
        expect(client.read(), 'PONG')


@test()
def a_consumer_hears_that_what_it_waits_for_has_gone(server):
    client, other = server.clients_of(2)
    ways = [('DEL', 's'), ('UNLINK', 's'), ('FLUSHDB',), ('FLUSHALL',), ('XGROUP', 'DESTROY', 's', 'g'), ('PEXPIRE', 's', -1), ('SET', 's', 'x')]
    for way in ways:
        other('FLUSHALL')
        expect(other('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM'), 'OK')
        client.send_commands(('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', 0, 'STREAMS', 's', '>'), ('PING',))
        other.wait_blocked(1)
        expect(isinstance(other(*way), Error), False)
        expect(client.read_many(2), [Error('WRONGTYPE Operation against a key holding the wrong kind of value' if way[0] == 'SET' else NO_GROUP % 's'), 'PONG'], way)
    # by itself, at its deadline
    other.freeze()
    expect(other.all(('DEL', 's'), ('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM'), ('PEXPIRE', 's', 100)), [1, 'OK', 1])
    client.send_commands(('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', 0, 'STREAMS', 's', '>'))
    other.wait_blocked(1)
    other.advance(200)
    expect_error(client.read(), NO_GROUP % 's')
    # what is back at the end of the transaction has not gone; one who only reads does not mind
    expect(other('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM'), 'OK')
    client.send_commands(('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', 0, 'STREAMS', 's', '>'))
    other.wait_blocked(1)
    expect(other.all(('MULTI',), ('DEL', 's'), ('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM'), ('EXEC',))[-1], [1, 'OK'])
    expect(client.is_silent(other), True)
    expect(other('XADD', 's', '1', 'f', 'v'), b'1-0')
    expect(client.read(), [[b's', [[b'1-0', [b'f', b'v']]]]])
    client.send_commands(('XREAD', 'BLOCK', 0, 'STREAMS', 's', '$'))
    other.wait_blocked(1)
    expect(other('DEL', 's'), 1)
    expect(client.is_silent(other), True)
    expect(other('XADD', 's', '2', 'f', 'v'), b'2-0')
    expect(client.read(), [[b's', [[b'2-0', [b'f', b'v']]]]])


@test()
def a_removed_consumers_entries_are_gone_at_once(server):
    """Within a transaction nothing is freed in slices, so that all of it is still there to be seen."""
    count, half = scaled(3000, 400), scaled(3000, 400) // 2
    client = server.client()
    client.all(*(('XADD', 's', f'{i + 1}', 'f', 'v') for i in range(count)))
    expect(client('XGROUP', 'CREATE', 's', 'g', '0'), 'OK')
    for i in range(0, count, 100): # by turns
        client('XREADGROUP', 'GROUP', 'g', 'goes' if i // 100 % 2 == 0 else 'stays', 'COUNT', 100, 'STREAMS', 's', '>')
    replies = client.all(('MULTI',), ('XGROUP', 'DELCONSUMER', 's', 'g', 'goes'), ('XPENDING', 's', 'g'),
                         ('XPENDING', 's', 'g', '-', '+', '2'), ('XACK', 's', 'g', '1', '2'), ('XACK', 's', 'g', '101'),
                         ('XCLAIM', 's', 'g', 'other', '0', '3', 'JUSTID'), ('XCLAIM', 's', 'g', 'other', '0', '4', 'FORCE', 'JUSTID'),
                         ('XAUTOCLAIM', 's', 'g', 'other', '0', '0', 'COUNT', '2', 'JUSTID'), ('XINFO', 'GROUPS', 's'),
                         ('XGROUP', 'SETID', 's', 'g', '4'), ('XREADGROUP', 'GROUP', 'g', 'goes', 'COUNT', '2', 'STREAMS', 's', '>'),
                         ('COPY', 's', 'twin'), ('DUMP', 's'), ('EXEC',))[-1]
    expect(replies[0], half)
    expect(replies[1][:3], [half, b'101-0', b'%d-0' % count])
    expect(replies[1][3], [[b'stays', b'%d' % half]])
    expect([entry[0] for entry in replies[2]], [b'101-0', b'102-0'])
    expect(replies[3:7], [0, 1, [], [b'4-0']])
    expect(replies[7], [b'103-0', [b'4-0', b'102-0'], []])
    expect(dict(zip(replies[8][0][::2], replies[8][0][1::2]))[b'pending'], half)
    expect([entry[0] for entry in replies[10][0][1]], [b'5-0', b'6-0'])
    expect(replies[11], 1)
    expect(client('RESTORE', 'restored', 0, replies[12]), 'OK')
    for key in 's', 'twin', 'restored':
        wait_until(lambda: client.info('lazyfree_pending_objects') == 0, 'all is freed')
        expect(client('XPENDING', key, 'g')[0], half + 2)
    # the group goes first
    client.all(('MULTI',), ('XGROUP', 'DELCONSUMER', 's', 'g', 'stays'), ('DEL', 's'), ('EXEC',))
    wait_until(lambda: client.info('lazyfree_pending_objects') == 0, 'all is freed')


# A process of its own, which takes an entry, works a little, acknowledges it, and is killed in the midst.
WORKER = textwrap.dedent('''
    import socket, sys, time
    connection = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    replies = connection.makefile('rb')
    def ask(*words):
        connection.sendall(b'*%d\\r\\n' % len(words) + b''.join(b'$%d\\r\\n%s\\r\\n' % (len(w), w) for w in words))
    def read():
        line = replies.readline()[:-2]
        if line[:1] == b'*':
            return [read() for _ in range(int(line[1:]))] if line != b'*-1' else None
        return replies.read(int(line[1:]) + 2)[:-2] if line[:1] == b'$' else line
    while True:
        ask(b'XREADGROUP', b'GROUP', b'g', sys.argv[2].encode(), b'COUNT', b'3', b'BLOCK', b'0', b'STREAMS', b'work', b'>')
        for entry, _ in read()[0][1]:
            time.sleep(0.001)
            ask(b'XADD', b'done', b'*', b'entry', entry)
            read()
            ask(b'XACK', b'work', b'g', entry)
            read()
''')


@test()
def what_a_killed_consumer_held_is_recovered_once(server):
    count = scaled(600, 200)
    other = server.client()
    expect(other('XGROUP', 'CREATE', 'work', 'g', '0', 'MKSTREAM'), 'OK')
    workers = [subprocess.Popen([sys.executable, '-c', WORKER, str(server.port), f'worker{i}']) for i in range(3)]
    try:
        other.wait_blocked(len(workers))
        other.all(*(('XADD', 'work', f'1-{i + 1}', 'job', i) for i in range(count)))
        wait_until(lambda: other('XLEN', 'done') > count // 4, 'a quarter of the work is done')
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
        for worker in workers:
            worker.wait()
    wait_until(lambda: other.info('connected_clients') == 1, 'all workers are gone')
    while other('XREADGROUP', 'GROUP', 'g', 'worker0', 'STREAMS', 'work', '>') is not None:
        pass  # given to one who will not do it
    left = other('XPENDING', 'work', 'g')[0]
    expect(0 < left < count, True, left)
    other.freeze()
    expect(other('XAUTOCLAIM', 'work', 'g', 'rescuer', 60_000, 0), [b'0-0', [], []])
    other.advance(60_000)
    recovered, cursor = [], b'-'
    while cursor != b'0-0':
        cursor, entries, gone = other('XAUTOCLAIM', 'work', 'g', 'rescuer', 60_000, cursor, 'COUNT', 17)
        expect(gone, [])
        recovered += [entry for entry, _ in entries]
    expect(len(recovered), left)
    expect(len(set(recovered)), left)
    expect(other('XAUTOCLAIM', 'work', 'g', 'rescuer', 60_000, '-')[1], [])
    expect(other('XACK', 'work', 'g', *recovered), left)
    done = [fields[1] for _, fields in other('XRANGE', 'done', '-', '+')]
    expect({b'1-%d' % (i + 1) for i in range(count)}, set(done) | set(recovered))
    expect(len(set(done) & set(recovered)) <= len(workers), True, 'done but not yet acknowledged')


@test()
def ids_and_idle_times_follow_the_servers_clock(server):
    client = server.client()
    client.freeze()
    first = client('XADD', 's', '*', 'f', 'v')
    expect(client('XADD', 's', '*', 'f', 'v'), first[:-1] + b'1')
    client.advance(86_400_000)
    later = client('XADD', 's', '*', 'f', 'v')
    expect(int(later.split(b'-')[0]) - int(first.split(b'-')[0]), 86_400_000)
    expect(client('XGROUP', 'CREATE', 's', 'g', '0'), 'OK')
    expect(len(client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>')[0][1]), 3)
    client.advance(5000)
    expect(client('XPENDING', 's', 'g', '-', '+', 1), [[first, b'c', 5000, 1]])
    expect(client('XINFO', 'CONSUMERS', 's', 'g'), [[b'name', b'c', b'pending', 3, b'idle', 5000, b'inactive', 5000]])
    expect(client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>'), None)
    client.advance(1000)
    expect(client('XINFO', 'CONSUMERS', 's', 'g'), [[b'name', b'c', b'pending', 3, b'idle', 1000, b'inactive', 6000]])


@test()
def a_long_stream_is_freed_in_slices(server):
    client = server.client()
    count = scaled(200_000, 20_000)
    for start in range(0, count, 1000):
        client.all(*(('XADD', 's', f'{start + i + 1}-0', 'f', i) for i in range(1000)))
    expect(client('XLEN', 's'), count)
    expect(client.all(('XGROUP', 'CREATE', 's', 'g', '0'), ('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 5000, 'STREAMS', 's', '>'))[0], 'OK')
    expect(client.all(('DEL', 's'), ('EXISTS', 's')), [1, 0])
    expect(client('XADD', 's', '1', 'f', 'v'), b'1-0')


main()
