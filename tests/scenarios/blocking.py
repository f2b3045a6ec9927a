"""Clients that wait for a key, and all that can happen to them meanwhile."""

from _harness import *


@test()
def commands_behind_a_wait_keep_their_order(server):
    client, other = server.clients_of(2)
    for word, element in ('BLPOP', b'a'), ('BRPOP', b'c'):
        client.send_commands(('ECHO', 1), (word, 'none', 'list', 0), ('ECHO', 2), ('LLEN', 'list'), (word, 'list', 0), ('ECHO', 3))
        expect(client.read(), b'1')
        other.wait_blocked(1)
        expect(client.is_silent(other), True)
        expect(other('RPUSH', 'list', 'a', 'b', 'c'), 3)
        expect(client.read_many(5), [[b'list', element], b'2', 2, [b'list', b'b'], b'3'])
        expect(other('DEL', 'list'), 1)
    client.send_commands(('BLMOVE', 'from', 'to', 'LEFT', 'RIGHT', 0), ('LRANGE', 'to', 0, -1), ('BLPOP', 'to', 0), ('PING',))
    other.wait_blocked(1)
    expect(other('RPUSH', 'from', 'x'), 1)
    expect(client.read_many(4), [b'x', [b'x'], [b'to', b'x'], 'PONG'])
    expect(other('DBSIZE'), 0)


@test()
def waits_in_a_row_take_what_comes(server):
    client, other = server.clients_of(2)
    count = scaled(500, 200)
    client.send(pipeline(*[command for i in range(count) for command in (('BLPOP', 'l', 0), ('ECHO', i))]))
    for i in range(count):
        expect(other('RPUSH', 'l', f'e{i}') in (0, 1), True)
        expect(client.read_many(2), [[b'l', b'e%d' % i], b'%d' % i])
    client.send(pipeline(*[command for i in range(count) for command in (('BLPOP', 'l', 0), ('ECHO', i))]))
    other.send(encode('RPUSH', 'l', 'x') * count)
    for i in range(count):
        expect(client.read_many(2), [[b'l', b'x'], b'%d' % i])
    expect(other.read_many(count)[0], 1)


@test()
def unblock_ends_a_wait_as_asked(server):
    client, other = server.clients_of(2)
    client_id = client.id()
    for command, null in ((('BLPOP', 'l', 0), None), (('BLMOVE', 'l', 'm', 'LEFT', 'LEFT', 0), None), (('BRPOPLPUSH', 'l', 'm', 0), None),
                          (('BLMPOP', 0, 2, 'l', 'm', 'LEFT', 'COUNT', 3), None)):
        for words, reply in ((), null), (('TIMEOUT',), null), (('ERROR',), Error('UNBLOCKED client unblocked via CLIENT UNBLOCK')):
            client.send_commands(command, ('ECHO', 'behind'))
            other.wait_blocked(1)
            expect(other('CLIENT', 'UNBLOCK', client_id, *words), 1)
            expect(other('CLIENT', 'UNBLOCK', client_id, *words), 0)
            expect(client.read_many(2), [reply, b'behind'])
    expect_error(other('CLIENT', 'UNBLOCK', client_id, 'WHY'), 'ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')
    expect(other('CLIENT', 'UNBLOCK', 12345), 0)
    # twice in one pipeline, with the wake-up in the same batch
    client.send_commands(('BLPOP', 'l', 0), ('BLPOP', 'l', 0))
    other.wait_blocked(1)
    expect(other.all(('CLIENT', 'UNBLOCK', client_id), ('RPUSH', 'l', 'x'), ('CLIENT', 'UNBLOCK', client_id, 'ERROR')), [1, 1, 0])
    expect(client.read_many(2), [None, [b'l', b'x']])
    expect(other('EXISTS', 'l'), 0)
    # the null of each protocol
    for command in ('BLPOP', 'l', 0), ('BLMOVE', 'l', 'm', 'LEFT', 'LEFT', 0), ('BRPOPLPUSH', 'l', 'm', 0), ('BLMPOP', 0, 1, 'l', 'LEFT'):
        client.send_commands(command)
        other.wait_blocked(1)
        expect(other('CLIENT', 'UNBLOCK', client_id), 1)
        expect(client.read_bytes(5), b'*-1\r\n')
    client.resp3()
    client.send_commands(('BLPOP', 'l', 0))
    other.wait_blocked(1)
    expect(other('CLIENT', 'UNBLOCK', client_id), 1)
    expect(client.read_bytes(3), b'_\r\n')


@test()
def a_wait_ends_at_its_deadline_to_the_millisecond(server):
    client, other = server.clients_of(2)
    other.freeze()
    for seconds, ms in ('0.5', 500), ('1', 1000), ('0.001', 1), ('0.0001', 1), ('100.25', 100_250), ('31536000', 31_536_000_000), (' 2', None), ('1e1', 10_000):
        client.send_commands(('BLPOP', 'l', seconds), ('PING',))
        if ms is None:
            expect_error(client.read(), 'ERR timeout is not a float or out of range')
            expect(client.read(), 'PONG')
            continue
        other.wait_blocked(1)
        other.advance(ms - 1)
        expect(client.is_silent(other), True)
        other.advance(1)
        expect(client.read_many(2), [None, 'PONG'])
        expect(other.info('blocked_clients'), 0)
    for timeout in '-1', 'abc', '1e400', 'nan', '9223372036854775807', '-0.1', '':
        expect(isinstance(client('BLPOP', 'l', timeout), Error), True, timeout)


@test()
def the_wait_is_as_long_as_at_first_after_a_try_that_found_nothing(server):
    """Two wait for one element: the second is tried, finds nothing, and keeps its deadline and its place."""
    first, second, third, other = server.clients_of(4)
    other.freeze()
    first.send_commands(('BLPOP', 'l', 1))
    other.wait_blocked(1)
    other.advance(400)
    second.send_commands(('BLPOP', 'l', 1))
    other.wait_blocked(2)
    other.advance(400)
    third.send_commands(('BLPOP', 'l', 1))
    other.wait_blocked(3)
    expect(other.all(('MULTI',), ('RPUSH', 'l', 'x'), ('DEL', 'l'), ('EXEC',))[3], [1, 1])
    expect(other.all(('MULTI',), ('RPUSH', 'l', 'y'), ('SET', 'l', 'a string'), ('EXEC',))[3], [1, 'OK'])
    expect(other('DEL', 'l'), 1)
    expect(other.info('blocked_clients'), 3)
    other.advance(200)
    expect(first.read(), None)
    expect(second.is_silent(other), True)
    expect(other('RPUSH', 'l', 'z'), 1)
    expect(second.read(), [b'l', b'z'])
    other.advance(799)
    expect(third.is_silent(other), True)
    other.advance(1)
    expect(third.read(), None)


@test()
def many_deadlines_come_in_any_order(server):
    count = scaled(300, 100)
    clients, other = server.clients_of(count), server.client()
    other.freeze()
    order = list(range(1, count + 1))
    random.Random(3).shuffle(order)
    for client, place in zip(clients, order):
        client.send_commands(('BLPOP', 'a', 'b', place / 8))
    other.wait_blocked(count)
    for place in range(1, count + 1):
        other.advance(125)
        expect(clients[order.index(place)].read(), None)
        expect(other.info('blocked_clients'), count - place)


@test()
def a_blocked_client_that_vanishes_takes_nothing(server):
    other = server.client()
    for how in 'close', 'reset', 'kill', 'shutdown':
        first, second = server.clients_of(2)
        first_id = first.id()
        first.send_commands(('BLPOP', 'a', 'l', 'b', 0), ('SET', 'ran', 1))
        other.wait_blocked(1)
        second.send_commands(('BLPOP', 'l', 0))
        other.wait_blocked(2)
        if how == 'kill':
            expect(other.all(('CLIENT', 'KILL', 'ID', first_id), ('RPUSH', 'l', 'x')), [1, 1])
            first.expect_closed()
        elif how == 'shutdown':
            first.socket.shutdown(socket.SHUT_WR)
            first.expect_closed()
        else:
            getattr(first, how)()
        if how != 'kill':
            other.wait_blocked(1)
            expect(other('RPUSH', 'l', 'x'), 1)
        expect(second.read(), [b'l', b'x'])
        expect(other.all(('EXISTS', 'l', 'ran'), ('RPUSH', 'a', 1), ('RPUSH', 'b', 1), ('DEL', 'a', 'b')), [0, 1, 1, 2])
        second.close()
        wait_until(lambda: other.info('connected_clients') == 1, 'both are gone')
    expect(other.info('blocked_clients'), 0)


@test()
def a_chain_of_waits_is_served_by_one_push(server):
    a, b, c, other = server.clients_of(4)
    for order in (a, b, c), (c, b, a), (b, a, c):
        work = {a: ('BLMOVE', 'a', 'b', 'LEFT', 'RIGHT', 0), b: ('BLMOVE', 'b', 'c', 'LEFT', 'RIGHT', 0), c: ('BLPOP', 'c', 0)}
        for i, client in enumerate(order):
            client.send_commands(work[client], ('ECHO', 'behind'))
            other.wait_blocked(i + 1)
        expect(other.all(('RPUSH', 'a', 'x'), ('DBSIZE',)), [1, 0])
        expect(a.read_many(2), [b'x', b'behind'])
        expect(b.read_many(2), [b'x', b'behind'])
        expect(c.read_many(2), [[b'c', b'x'], b'behind'])


@test()
def a_long_chain_and_a_ring_of_waits_end(server):
    count = scaled(200, 60)
    clients, other = server.clients_of(count), server.client()
    for i, client in enumerate(clients):
        client.send_commands(('BLMOVE', f'k{i}', f'k{(i + 1) % count}', 'LEFT', 'LEFT', 0))
    other.wait_blocked(count)
    # Round the ring once: each is served once, the element ends where it began.
    expect(other('RPUSH', 'k7', 'x'), 1)
    for client in clients:
        expect(client.read(), b'x')
    expect(other.all(('LRANGE', 'k7', 0, -1), ('DBSIZE',)), [[b'x'], 1])
    # A list into itself.
    clients[0].send_commands(('BLMOVE', 'self', 'self', 'LEFT', 'RIGHT', 0))
    other.wait_blocked(1)
    expect(other('RPUSH', 'self', 'a', 'b', 'c'), 3)
    expect(clients[0].read(), b'a')
    expect(other('LRANGE', 'self', 0, -1), [b'b', b'c', b'a'])


@test()
def who_came_first_is_served_first(server):
    count = 50
    clients, other = server.clients_of(count), server.client()
    for i, client in enumerate(clients):
        client.send_commands(('BLPOP', *(['a', 'b'] if i % 2 else ['b', 'c', 'a']), 0))
        other.wait_blocked(i + 1)
    expect(other('RPUSH', 'a', *range(10)), 10)
    for i in range(10):
        expect(clients[i].read(), [b'a', b'%d' % i])
    expect(other('RPUSH', 'c', 'x', 'y'), 2)
    expect([clients[10].read(), clients[12].read()], [[b'c', b'x'], [b'c', b'y']])
    expect(other('RPUSH', 'b', *range(count)), count)
    left = [i for i in range(11, count) if i != 12]
    for number, i in enumerate(left):
        expect(clients[i].read(), [b'b', b'%d' % number])
    expect(other('LLEN', 'b'), count - len(left))


@test()
def of_several_lists_the_first_named_is_taken(server):
    client, other = server.clients_of(2)
    client.send_commands(('BLPOP', 'a', 'b', 'c', 0))
    other.wait_blocked(1)
    expect(other.all(('MULTI',), ('RPUSH', 'c', 3), ('RPUSH', 'b', 2), ('RPUSH', 'a', 1), ('EXEC',))[4], [1, 1, 1])
    expect(client.read(), [b'a', b'1'])
    expect(client.all(('BLPOP', 'a', 'b', 'c', 0), ('BLPOP', 'a', 'b', 'c', 0)), [[b'b', b'2'], [b'c', b'3']])
    # named twice
    client.send_commands(('BLPOP', 'a', 'a', 'a', 0), ('BLPOP', 'a', 'b', 'a', 0))
    other.wait_blocked(1)
    expect(other('RPUSH', 'a', 1, 2), 2)
    expect(client.read_many(2), [[b'a', b'1'], [b'a', b'2']])
    expect(other('EXISTS', 'a'), 0)


@test()
def each_takes_what_it_asks_for_and_leaves_the_rest_to_the_next(server):
    clients, other = server.clients_of(6), server.client()
    asks = [('BLMPOP', 0, 2, 'a', 'b', 'LEFT', 'COUNT', 3), ('BRPOPLPUSH', 'a', 'c', 0), ('BLPOP', 'b', 'a', 0),
            ('BLMPOP', 0, 1, 'a', 'RIGHT'), ('BLMOVE', 'a', 'c', 'LEFT', 'RIGHT', 0), ('BLMPOP', 0, 3, 'none', 'b', 'a', 'LEFT', 'COUNT', 99)]
    for i, (client, command) in enumerate(zip(clients, asks)):
        client.send_commands(command, ('ECHO', i))
        other.wait_blocked(i + 1)
    expect(other('RPUSH', 'a', *range(10)), 10)
    replies = [[b'a', [b'0', b'1', b'2']], b'9', [b'a', b'3'], [b'a', [b'8']], b'4', [b'a', [b'5', b'6', b'7']]]
    for i, (client, reply) in enumerate(zip(clients, replies)):
        expect(client.read_many(2), [reply, b'%d' % i])
    expect(other.all(('EXISTS', 'a', 'b'), ('LRANGE', 'c', 0, -1)), [0, [b'9', b'4']])
    # Of two keys that come together each serves those who wait for it, and who came first may choose.
    for i, (client, keys) in enumerate(zip(clients, ('xy', 'y', 'x', 'yx'))):
        client.send_commands(('BLPOP', *keys, 0))
        other.wait_blocked(i + 1)
    expect(other.all(('MULTI',), ('RPUSH', 'y', 1), ('RPUSH', 'x', 2), ('EXEC',))[3], [1, 1])
    expect([clients[0].read(), clients[1].read()], [[b'x', b'2'], [b'y', b'1']])
    expect(other.info('blocked_clients'), 2)
    expect(other.all(('RPUSH', 'y', 3), ('RPUSH', 'x', 4)), [1, 1])
    expect([clients[2].read(), clients[3].read()], [[b'x', b'4'], [b'y', b'3']])


def has_command(client, name):
    return client('COMMAND', 'INFO', name) != [None]


@test()
def a_list_that_comes_in_any_way_serves_those_who_wait(server):
    client, waiting, other = server.clients_of(3)
    ways = [('SORT', ('SORT', 'source', 'STORE', 'l')), ('RENAME', ('RENAME', 'source', 'l')), ('RENAMENX', ('RENAMENX', 'source', 'l')),
            ('COPY', ('COPY', 'source', 'l')), ('LMOVE', ('LMOVE', 'source', 'l', 'LEFT', 'LEFT')), ('RPOPLPUSH', ('RPOPLPUSH', 'source', 'l'))]
    for name, command in ways:
        if not has_command(other, name):
            continue
        for words in ('BLPOP', 'l', 0), ('BLMPOP', 0, 2, 'none', 'l', 'LEFT'):
            client.send_commands(words)
            other.wait_blocked(1)
            expect(isinstance(other.all(('RPUSH', 'source', 1), command)[1], Error), False, name)
            expect(client.read(), [b'l', b'1'] if words[0] == 'BLPOP' else [b'l', [b'1']], name)
            other('FLUSHALL')
            # in a transaction, and gone again before it is over
            client.send_commands(words)
            other.wait_blocked(1)
            expect(other.all(('MULTI',), ('RPUSH', 'source', 1), command, ('DEL', 'l', 'source'), ('EXEC',))[4][0], 1)
            expect(client.is_silent(other), True, name)
            expect(other.all(('MULTI',), ('RPUSH', 'source', 2), command, ('EXEC',))[3][0], 1)
            expect(client.read(), [b'l', b'2'] if words[0] == 'BLPOP' else [b'l', [b'2']], name)
            other('FLUSHALL')
    if has_command(other, 'RENAME'):
        # another type comes, and a list takes its place; who waits for the list that was renamed waits on
        client.send_commands(('BLPOP', 'l', 0))
        waiting.send_commands(('BLPOP', 'source', 0))
        other.wait_blocked(2)
        expect(other.all(('SET', 's', 'v'), ('RENAME', 's', 'l'), ('MULTI',), ('RPUSH', 'source', 3), ('RENAME', 'source', 'l'), ('EXEC',))[5], [1, 'OK'])
        expect(client.read(), [b'l', b'3'])
        expect(waiting.is_silent(other), True)
        expect(other('RPUSH', 'source', 4), 1)
        expect(waiting.read(), [b'source', b'4'])


@test()
def a_list_that_comes_from_another_database_serves_those_who_wait(server):
    first, second, other = server.clients_of(3)
    if not has_command(other, 'MOVE'):
        raise Skip('there is no MOVE')
    expect(second('SELECT', 1), 'OK')
    second.send_commands(('BLPOP', 'l', 0))
    other.wait_blocked(1)
    expect(other.all(('RPUSH', 'l', 1), ('MOVE', 'l', 1), ('EXISTS', 'l')), [1, 1, 0])
    expect(second.read(), [b'l', b'1'])
    second.send_commands(('BLPOP', 'l', 0))
    other.wait_blocked(1)
    expect(other.all(('RPUSH', 'l', 1), ('COPY', 'l', 'l', 'DB', 1), ('DEL', 'l')), [1, 1, 1])
    expect(second.read(), [b'l', b'1'])
    # The databases change places: who waits stays where he is, and finds what came.
    first.send_commands(('BLPOP', 'a', 'c', 0))
    other.wait_blocked(1)
    second.send_commands(('BLMOVE', 'b', 'd', 'LEFT', 'LEFT', 0))
    other.wait_blocked(2)
    expect(other.all(('RPUSH', 'b', 'x', 'y'), ('SELECT', 1), ('RPUSH', 'a', 'z'), ('SET', 'c', 'v')), [2, 'OK', 1, 'OK'])
    expect(other.info('blocked_clients'), 2)
    expect(other('SWAPDB', 0, 1), 'OK')
    expect([first.read(), second.read()], [[b'a', b'z'], b'x'])
    expect(other.all(('LRANGE', 'd', 0, -1), ('LRANGE', 'b', 0, -1), ('SELECT', 0), ('EXISTS', 'a'), ('GET', 'c')), [[b'x'], [b'y'], 'OK', 0, b'v'])
    # Many keys that come at once are served in the order of those who wait.
    clients = server.clients_of(40)
    expect(other.all(('SELECT', 1), *[('RPUSH', f'many {i}', i) for i in range(40)], ('SELECT', 0))[-1], 'OK')
    for i, client in enumerate(clients):
        client.send_commands(('BLMOVE', f'many {i}', 'all', 'LEFT', 'RIGHT', 0))
        other.wait_blocked(i + 1)
    expect(other.all(('SWAPDB', 0, 1), ('LRANGE', 'all', 0, -1)), ['OK', [b'%d' % i for i in range(40)]])
    expect([client.read() for client in clients], [b'%d' % i for i in range(40)])
    expect(other('SWAPDB', 0, 1), 'OK')
    # in a transaction that swaps back
    second.send_commands(('BLPOP', 'w', 0))
    other.wait_blocked(1)
    expect(other.all(('MULTI',), ('RPUSH', 'w', 1), ('SWAPDB', 0, 1), ('SWAPDB', 0, 1), ('EXEC',))[4], [1, 'OK', 'OK'])
    expect(second.is_silent(other), True)
    expect(other('SWAPDB', 1, 0), 'OK')
    expect(second.read(), [b'w', b'1'])


@test()
def very_many_keys_and_very_many_clients_cost_little(server):
    client, other = server.clients_of(2)
    count = scaled(100_000, 20_000, 2_000)
    keys = [f'k{i}' for i in range(count)]
    client.send_commands(('BLPOP', *keys, *keys, 0))
    other.wait_blocked(1)
    expect(other.info('total_blocking_keys'), count)
    expect(other('RPUSH', keys[-1], 1), 1)
    expect(client.read(), [keys[-1].encode(), b'1'])
    expect(other.info('total_blocking_keys'), 0)
    clients = server.clients_of(scaled(500, 200, 100))
    for i, client in enumerate(clients):
        client.send_commands(('BLPOP', 'l', 0))
        other.wait_blocked(i + 1)
    for i, client in enumerate(clients):
        expect(other('RPUSH', 'l', i), 1)
        expect(client.read(), [b'l', b'%d' % i])


@test()
def in_a_transaction_nobody_waits(server):
    client, other = server.clients_of(2)
    expect(client.all(('MULTI',), ('BRPOPLPUSH', 'l', 'm', 0), ('BLMPOP', 0, 1, 'l', 'LEFT'), ('RPUSH', 'l', 1, 2, 3), ('BLMPOP', 0, 1, 'l', 'LEFT', 'COUNT', 2),
                      ('BRPOPLPUSH', 'l', 'm', 0), ('EXEC',))[6], [None, None, 3, [b'l', [b'1', b'2']], b'3'])
    expect(client('DEL', 'm'), 1)
    expect(client.all(('MULTI',), ('BLPOP', 'l', 0), ('BRPOP', 'l', 5), ('BLMOVE', 'l', 'm', 'LEFT', 'LEFT', 0), ('RPUSH', 'l', 'x', 'y'), ('BLPOP', 'l', 0), ('EXEC',))[6],
           [None, None, None, 2, [b'l', b'x']])
    expect(client('DEL', 'l'), 1)
    # Those who wait are served when the transaction is over.
    client.send_commands(('BLPOP', 'l', 0))
    other.wait_blocked(1)
    expect(other.all(('MULTI',), ('RPUSH', 'l', 'x'), ('LLEN', 'l'), ('LPUSH', 'l', 'y'), ('EXEC',))[4], [1, 1, 2])
    expect(client.read(), [b'l', b'y'])
    expect(other('LRANGE', 'l', 0, -1), [b'x'])


@test()
def a_key_of_another_type_wakes_nobody(server):
    client, other = server.clients_of(2)
    client.send_commands(('BLPOP', 'k', 0))
    other.wait_blocked(1)
    expect(other.all(('SET', 'k', 'v'), ('APPEND', 'k', 'w'), ('DEL', 'k'), ('INCR', 'k')), ['OK', 2, 1, 1])
    expect(other.info('blocked_clients'), 1)
    expect(other.all(('DEL', 'k'), ('RPUSH', 'k', 'x')), [1, 1])
    expect(client.read(), [b'k', b'x'])
    # the destination of a move
    expect(other('SET', 'to', 'a string'), 'OK')
    client.send_commands(('BLMOVE', 'k', 'to', 'LEFT', 'LEFT', 0), ('PING',))
    other.wait_blocked(1)
    expect(other.all(('RPUSH', 'k', 'x'), ('LRANGE', 'k', 0, -1)), [1, [b'x']])
    expect(client.read_many(2), [Error('WRONGTYPE Operation against a key holding the wrong kind of value'), 'PONG'])
    expect_error(client('BLPOP', 'to', 0), 'WRONGTYPE')
    expect(client('BLPOP', 'none', 'k', 'to', 0), [b'k', b'x'])
    expect_error(client('BLPOP', 'none', 'to', 'k', 0), 'WRONGTYPE')


@test()
def a_list_that_expires_wakes_nobody_and_one_in_another_database_neither(server):
    client, other = server.clients_of(2)
    other.freeze()
    expect(client('SELECT', 3), 'OK')
    client.send_commands(('BLPOP', 'l', 0), ('SELECT', 0))
    other.wait_blocked(1)
    expect(other.all(('RPUSH', 'l', 'x'), ('SELECT', 3), ('RPUSH', 'm', 'x'), ('EXISTS', 'l')), [1, 'OK', 1, 0])
    expect(client.is_silent(other), True)
    expect(other.all(('MULTI',), ('RPUSH', 'l', 'y'), ('PEXPIRE', 'l', -1), ('EXEC',))[3], [1, 1])
    expect(client.is_silent(other), True)
    expect(other('RPUSH', 'l', 'z'), 1)
    expect(client.read_many(2), [[b'l', b'z'], 'OK'])


@test()
def waits_speak_the_third_protocol_too(server):
    client, other = server.client().resp3(), server.client()
    expect(client('SUBSCRIBE', 'news'), Push([b'subscribe', b'news', 1]))
    client.send_commands(('BLPOP', 'l', 0), ('ECHO', 'behind'))
    other.wait_blocked(1)
    # a push comes through while the client waits, and in front of the reply
    expect(other('PUBLISH', 'news', 'one'), 1)
    expect(client.read(), Push([b'message', b'news', b'one']))
    expect(other.all(('PUBLISH', 'news', 'two'), ('RPUSH', 'l', 'x'), ('PUBLISH', 'news', 'three')), [1, 1, 1])
    expect(client.read(), Push([b'message', b'news', b'two']))
    seen = client.read_many(3)
    expect([b'l', b'x'] in seen and b'behind' in seen and Push([b'message', b'news', b'three']) in seen, True, shown(seen))
    expect(seen.index([b'l', b'x']) < seen.index(b'behind'), True)
    # a client in RESP2 that is subscribed may not wait
    expect(other('SUBSCRIBE', 'news'), [b'subscribe', b'news', 1])
    expect_error(other('BLPOP', 'l', 0), "ERR Can't execute 'blpop'")


@test()
def a_silent_client_waits_in_silence(server):
    client, other = server.clients_of(2)
    size = 100_000
    client.send_commands(('CLIENT', 'REPLY', 'OFF'), ('BLPOP', 'l', 0), ('BLPOP', 'l', 0), ('BLPOP', 'l', 0.05), ('CLIENT', 'REPLY', 'ON'), ('PING',))
    other.wait_blocked(1)
    expect(other.all(('RPUSH', 'l', 'x'), ('RPUSH', 'l', 'y' * size)), [1, 1])
    expect(client.read_many(2), ['OK', 'PONG'])
    expect(other('EXISTS', 'l'), 0)
    # the one reply that is skipped is that of the command that waits
    client.send_commands(('CLIENT', 'REPLY', 'SKIP'), ('BLPOP', 'l', 0), ('PING',))
    other.wait_blocked(1)
    expect(other('RPUSH', 'l', 'x'), 1)
    expect(client.read(), 'PONG')
    client.send_commands(('CLIENT', 'REPLY', 'SKIP'), ('BLPOP', 'l', 0.02), ('PING',))
    expect(client.read(), 'PONG')
    expect(client.is_silent(other), True)


@test()
def long_values_reach_those_who_wait(server):
    clients, other = server.clients_of(3), server.client()
    for client in clients:
        client.send_commands(('BLPOP', 'l', 0), ('PING',))
    other.wait_blocked(3)
    values = [os.urandom(size) for size in (10, 200_000, 3_000_000)]
    other.send_commands(('MULTI',), ('ECHO', 'z' * 60_000), ('RPUSH', 'l', *values), ('ECHO', 'z' * 60_000), ('EXEC',), ('PING',))
    for client, value in zip(clients, values):
        expect(client.read_many(2), [[b'l', value], 'PONG'])
    expect(other.read_many(6)[4:], [[b'z' * 60_000, 3, b'z' * 60_000], 'PONG'])


@test()
def a_client_blocked_in_a_batch_of_others_loses_no_bytes(server):
    """Many clients block, with commands behind that are in the same batch, and are woken from the same batch."""
    clients, pusher = server.clients_of(60), server.client()
    for round in range(3):
        server.at_once(*[(client, pipeline(('BLPOP', f'l{i % 7}', 0), ('ECHO', i), ('RPUSH', 'done', i), ('BLPOP', f'l{i % 7}', 0), ('ECHO', i)))
                         for i, client in enumerate(clients)], (pusher, pipeline(*[('RPUSH', f'l{i % 60 % 7}', i) for i in range(120)], ('PING',))))
        for i in range(120):
            expect(type(pusher.read()), int)
        expect(pusher.read(), 'PONG')
        taken = []
        for i, client in enumerate(clients):
            first, echo, done, second, behind = client.read_many(5)
            expect((echo, behind), (b'%d' % i, b'%d' % i))
            expect((first[0], second[0]), (b'l%d' % (i % 7),) * 2)
            taken += [int(first[1]), int(second[1])]
        missing = sorted(set(range(120)) - set(taken))
        expect(len(set(taken)), 120 - len(missing))
        expect(missing, [])
        expect(pusher.all(('LLEN', 'done'), ('FLUSHALL',)), [60, 'OK'])


@test()
def a_blocked_client_may_not_send_without_end(server):
    client, other = server.clients_of(2)
    expect(other('CONFIG', 'SET', 'client-query-buffer-limit', '1mb'), 'OK')
    client.send_commands(('BLPOP', 'l', 0))
    other.wait_blocked(1)
    try:
        for _ in range(20):
            client.send(b'x' * 100_000)
        client.rest()
    except OSError:
        pass
    wait_until(lambda: other.info('connected_clients') == 1, 'it is closed')
    expect(other.info('blocked_clients'), 0)
    expect(other.all(('RPUSH', 'l', 'x'), ('LLEN', 'l')), [1, 1])


@test()
def a_client_served_more_than_it_may_have_is_closed(server):
    client, other = server.clients_of(2)
    expect(other('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 100000 0 0'), 'OK')
    client.send_commands(('BLPOP', 'l', 0), ('SET', 'behind', 1))
    other.wait_blocked(1)
    expect(other.all(('RPUSH', 'l', 'x' * 1_000_000), ('EXISTS', 'l'), ('PING',)), [1, 0, 'PONG'])
    client.rest()
    wait_until(lambda: other.info('connected_clients') == 1, 'it is closed')
    expect(other.info('blocked_clients'), 0)
    expect(other('EXISTS', 'behind'), 0)
    expect(other.info('client_output_buffer_limit_disconnections'), 1)
    # in the middle of a chain: the element has gone on
    a, b = server.clients_of(2)
    a.send_commands(('BLMOVE', 'a', 'b', 'LEFT', 'LEFT', 0))
    other.wait_blocked(1)
    b.send_commands(('BLPOP', 'b', 0))
    other.wait_blocked(2)
    expect(other('RPUSH', 'a', 'y' * 1_000_000), 1)
    a.rest()
    b.rest()
    wait_until(lambda: other.info('connected_clients') == 1, 'both are closed')
    expect(other('DBSIZE'), 0)


@test()
def watched_keys_notice_what_a_wait_takes(server):
    waiter, watcher, other = server.clients_of(3)
    expect(watcher.all(('WATCH', 'l'), ('MULTI',), ('SET', 'k', 1)), ['OK', 'OK', 'QUEUED'])
    waiter.send_commands(('BLPOP', 'l', 0))
    other.wait_blocked(1)
    expect(other('RPUSH', 'l', 'x'), 1)
    expect(waiter.read(), [b'l', b'x'])
    expect(watcher('EXEC'), None)
    # the waiter itself watches
    expect(waiter('WATCH', 'w', 'l'), 'OK')
    waiter.send_commands(('BLPOP', 'l', 0), ('MULTI',), ('SET', 'k', 2), ('EXEC',))
    other.wait_blocked(1)
    expect(other('RPUSH', 'l', 'x'), 1)
    expect(waiter.read_many(4), [[b'l', b'x'], 'OK', 'QUEUED', None])
    expect(other('EXISTS', 'k'), 0)


@test('--notify-keyspace-events', 'KEA')
def notifications_of_a_served_wait_come_in_order(server):
    subscriber, waiter, other = server.clients_of(3)
    expect(subscriber('PSUBSCRIBE', '__keyspace@0__:*'), [b'psubscribe', b'__keyspace@0__:*', 1])
    waiter.send_commands(('BLMOVE', 'a', 'b', 'LEFT', 'LEFT', 0))
    other.wait_blocked(1)
    expect(other('RPUSH', 'a', 'x'), 1)
    expect(waiter.read(), b'x')
    events = [tuple(subscriber.read()[2:]) for _ in range(4)]
    expect(events[0], (b'__keyspace@0__:a', b'rpush'))
    expect(sorted(events[1:]), sorted([(b'__keyspace@0__:b', b'lpush'), (b'__keyspace@0__:a', b'lpop'), (b'__keyspace@0__:a', b'del')]))
    # a waiter that hears its own events
    waiter.resp3()
    expect(waiter('PSUBSCRIBE', '__keyevent@0__:l*'), Push([b'psubscribe', b'__keyevent@0__:l*', 1]))
    waiter.send_commands(('BLPOP', 'c', 0), ('PING',))
    other.wait_blocked(1)
    expect(other('LPUSH', 'c', 'y' * 100_000), 1)
    expect(waiter.read(), Push([b'pmessage', b'__keyevent@0__:l*', b'__keyevent@0__:lpush', b'c']))
    expect(waiter.read(), [b'c', b'y' * 100_000])
    expect(waiter.read(), Push([b'pmessage', b'__keyevent@0__:l*', b'__keyevent@0__:lpop', b'c']))
    expect(waiter.read(), 'PONG')


@test('--timeout', '50')
def waiting_is_not_idling(server):
    client, other = server.clients_of(2)
    client.send_commands(('BLPOP', 'l', 100))
    other.wait_blocked(1)
    other.freeze()
    other.advance(99_000)
    other('PING')
    expect(client.is_silent(other), True)
    other.advance(2_000)
    expect(client.read(), None)
    time.sleep(0.5)  # the cron looks at everyone several times
    expect(client('PING'), 'PONG')


@test()
def a_client_is_counted_as_blocked_and_described_so(server):
    client, other = server.clients_of(2)
    client_id = client.id()
    for command, keys, deadlines in (('BLPOP', 'a', 'b', 'a', 0), 2, 0), (('BLMPOP', 100, 3, 'a', 'b', 'c', 'LEFT'), 3, 1), (('BRPOPLPUSH', 'a', 'b', 0), 1, 0):
        client.send_commands(command)
        other.wait_blocked(1)
        expect([other.info(field) for field in ('blocked_clients', 'total_blocking_keys', 'clients_in_timeout_table')], [1, keys, deadlines])
        expect(other('CLIENT', 'UNBLOCK', client_id), 1)
        expect(client.read(), None)
        expect([other.info(field) for field in ('blocked_clients', 'total_blocking_keys', 'clients_in_timeout_table')], [0, 0, 0])
    client.send_commands(('BLPOP', 'a', 'b', 0))
    other.wait_blocked(1)
    fields = other.described(client_id)
    expect((fields['flags'], fields['cmd']), ('b', 'blpop'))
    expect(other('CLIENT', 'KILL', 'ID', client_id), 1)
    expect(other.info('blocked_clients'), 0)
    client.expect_closed()
    client = server.client()
    client.send_commands(('BLPOP', 'a', 0))
    other.wait_blocked(1)
    expect(other('RPUSH', 'a', 1), 1)
    expect(client.read(), [b'a', b'1'])
    expect('cmdstat_blpop:calls=1,' in other('INFO', 'commandstats').decode(), True)


main()
