"""Batches: commands of one client and of many that are parsed together, of which some undo what the others expected."""

from _harness import *


@test()
def what_a_command_deletes_is_gone_for_the_next_of_its_batch(server):
    client = server.client()
    for _ in range(20):
        commands = []
        for i in range(50):
            commands += [('SET', f'k{i}', i), ('GET', f'k{i}'), ('DEL', f'k{i}'), ('GET', f'k{i}'), ('RPUSH', f'k{i}', 1, 2),
                         ('LRANGE', f'k{i}', 0, -1), ('LPOP', f'k{i}', 2), ('EXISTS', f'k{i}'), ('INCR', f'k{i}'), ('FLUSHALL',),
                         ('DBSIZE',), ('GET', f'k{i}')]
        replies = client.all(*commands)
        for i in range(50):
            expect(replies[12 * i:12 * i + 12],
                   ['OK', b'%d' % i, 1, None, 2, [b'1', b'2'], [b'1', b'2'], 0, 1, 'OK', 0, None], f'round {i}')


@test()
def a_table_that_grows_under_a_batch_loses_nothing(server):
    client = server.client()
    count = scaled(50_000, 10_000, 2_000)
    client.send(pipeline(*[command for i in range(count) for command in (('SET', i, i), ('GET', i), ('GET', i // 2))]))
    for i in range(count):
        expect(client.read_many(3), ['OK', b'%d' % i, b'%d' % (i // 2)])
    client.send(pipeline(*[command for i in range(count) for command in (('DEL', i), ('GET', i), ('EXISTS', count - 1))]))
    for i in range(count):
        expect(client.read_many(3), [1, None, i < count - 1])


@test()
def an_element_is_found_whatever_stands_before_it_in_its_batch(server):
    client = server.client()
    for i in range(300):  # more than is packed
        client.all(('HSET', 'h', f'e{i}', i), ('SADD', 's', f'e{i}'), ('ZADD', 'z', i, f'e{i}'))
    lua = "return {redis.call('HGET', 'h', ARGV[1]), redis.call('SISMEMBER', 's', ARGV[1]), redis.call('ZRANK', 'z', ARGV[1])}"
    looks = lambda e: [('HGET', 'h', e), ('SISMEMBER', 's', e), ('ZRANK', 'z', e)]
    for i in range(0, 300, scaled(1, 7, 30)):
        old, new, far = f'e{i}', f'n{i}', b'f' * (250 + i)  # the batch does not look ahead for what is long
        there, absent = [b'%d' % i, 1, i], [None, 0, None]
        data = pipeline(*looks(old), *looks(new), ('MULTI',), *looks(old), *looks(far), ('EXEC',), ('EVAL', lua, 0, old))
        data += b'HGET h "e%d"\r\nSISMEMBER \'s\' "\\x65%d"\r\nZRANK z e%d\r\n' % (i, i, i)
        data += pipeline(('RENAME', 'h', 't'), ('RENAME', 's', 'h'), ('HGET', 'h', old), ('RENAME', 'h', 's'), ('RENAME', 't', 'h'),
                         ('SELECT', 1), *looks(old), ('SELECT', 0), *looks(old), ('SWAPDB', 0, 1), *looks(old), ('SWAPDB', 0, 1),
                         ('ZADD', 'z', 'NX', 'CH', i, old, 1000, new), ('ZADD', 'z', 5000, far, 5000, far), ('HSET', 'h', far, 1, new, 2, far, 3),
                         ('SADD', 's', new, far, new), *looks(new), *looks(far),
                         ('ZREM', 'z', new, old, far), ('HDEL', 'h', far, new), ('SREM', 's', new, far, old), *looks(new), *looks(old),
                         ('SADD', 's', old), ('ZADD', 'z', i, old))
        client.send(data)
        expect(client.read_many(7), there + absent + ['OK'])
        expect(client.read_many(8), ['QUEUED'] * 6 + [there + absent] + [there])
        expect(client.read_many(3), there)
        expect(client.read_many(5), ['OK', 'OK', Error('WRONGTYPE Operation against a key holding the wrong kind of value'), 'OK', 'OK'])
        expect(client.read_many(13), ['OK', *absent, 'OK', *there, 'OK', *absent, 'OK'])
        expect(client.read_many(10), [1, 1, 2, 2, b'2', 1, 300, b'3', 1, 301])
        expect(client.read_many(9), [3, 2, 3, *absent, b'%d' % i, 0, None])
        expect(client.read_many(2), [1, 1])


@test()
def select_in_mid_pipeline_holds_for_what_follows(server):
    client = server.client()
    expect(client.all(('SET', 'k', 0), ('SELECT', 1), ('GET', 'k'), ('SET', 'k', 1), ('SELECT', 9), ('SET', 'k', 9), ('GET', 'k'),
                      ('SELECT', 0), ('GET', 'k'), ('SELECT', 1), ('GET', 'k'), ('SELECT', 16), ('GET', 'k')),
           ['OK', 'OK', None, 'OK', 'OK', 'OK', b'9', 'OK', b'0', 'OK', b'1', Error('ERR DB index is out of range'), b'1'])
    expect(client.all(('MULTI',), ('SELECT', 3), ('SET', 'k', 3), ('EXEC',), ('GET', 'k'), ('FLUSHDB',), ('DBSIZE',), ('SELECT', 9), ('GET', 'k')),
           ['OK', 'QUEUED', 'QUEUED', ['OK', 'OK'], b'3', 'OK', 0, 'OK', b'9'])


@test()
def a_transaction_may_be_split_anywhere(server):
    client, other = server.clients_of(2)
    data = pipeline(('MULTI',), ('INCR', 'n'), ('ECHO', 'x' * 50), ('GET',), ('EXEC',), ('MULTI',), ('INCR', 'n'), ('GET', 'n'), ('EXEC',))
    wanted = ['OK', 'QUEUED', 'QUEUED', Error("ERR wrong number of arguments for 'get' command"),
              Error('EXECABORT Transaction discarded because of previous errors.'), 'OK', 'QUEUED', 'QUEUED']
    for at in range(1, len(data), scaled(3, 17)):
        client.send(data[:at])
        other('PING')
        client.send(data[at:])
        expect(client.read_many(8), wanted)
        n = client.read()
        expect(n, [n[0], b'%d' % n[0]])


@test(in_turn=True)
def clients_of_one_turn_see_each_others_writes_in_order(server):
    clients = server.clients_of(60)
    for round in range(3):
        server.at_once(*[(client, pipeline(('APPEND', 'k', chr(48 + i)), ('GET', 'k'), ('DEL', 'k') if i == 30 else ('PING',)))
                          for i, client in enumerate(clients)])
        seen = ''
        for i, client in enumerate(clients):
            seen += chr(48 + i)
            expect(client.read_many(2), [len(seen), seen.encode()], f'client {i}')
            expect(client.read(), 1 if i == 30 else 'PONG')
            if i == 30:
                seen = ''
        expect(clients[0]('DEL', 'k'), 1)


@test(in_turn=True)
def a_client_killed_by_an_earlier_one_of_its_turn_runs_nothing(server):
    admin = server.client()
    for count in (1, 3, 100, 300):
        killer, victim, bystander = server.clients_of(3)
        victim_id = victim.id()
        server.at_once((killer, pipeline(('SET', 'before', count), ('CLIENT', 'KILL', 'ID', victim_id), ('GET', 'before'))),
                (victim, pipeline(*[('INCR', 'ran')] * count)), (bystander, encode('INCR', 'after')))
        expect(killer.read_many(3), ['OK', 1, b'%d' % count])
        victim.expect_closed()
        expect(type(bystander.read()), int)
        expect(admin('EXISTS', 'ran'), 0)
    expect(admin('CLIENT', 'LIST').count(b'cmd=incr'), 4)


@test(in_turn=True)
def clients_may_kill_each_other(server):
    admin = server.client()
    clients = server.clients_of(40)
    ids = [client.id() for client in clients]
    # Each kills the next one, which then kills nobody: every other one lives.
    server.at_once(*[(client, pipeline(('INCR', 'n'), ('CLIENT', 'KILL', 'ID', ids[(i + 1) % 40]), ('ECHO', i)))
                      for i, client in enumerate(clients)])
    dead = 0
    for i, client in enumerate(clients):
        try:
            expect(client.read_many(3)[1:], [1, b'%d' % i])
        except Closed:
            dead += 1
    expect(admin('GET', 'n'), b'%d' % (40 - dead))
    expect(admin.info('connected_clients'), 41 - dead)
    expect_true(1 <= dead <= 39, f'{dead} are dead')
    expect(admin('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'), 40 - dead)
    wait_until(lambda: admin.info('connected_clients') == 1, 'all are gone')


@test(in_turn=True)
def a_client_that_kills_all_with_itself_is_answered_first(server):
    admin = server.client()
    clients = server.clients_of(20)
    server.at_once(*[(client, pipeline(('INCR', 'n'), ('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no'), ('INCR', 'n')))
                      for client in clients])
    expect(clients[0].read(), 1)
    expect(type(clients[0].read()), int)
    clients[0].expect_closed()
    for client in clients[1:] + [admin]:
        client.rest()
    expect(server.client()('GET', 'n'), b'1')


@test()
def nothing_runs_behind_quit(server):
    other = server.client()
    for last, reply in (('QUIT',), b'+OK\r\n'), (('CLIENT', 'KILL', 'ID', None, 'SKIPME', 'no'), b':1\r\n'):
        for before, behind in ((0, 1), (1, 0), (100, 100), (200, 5)):
            client = server.client()
            client_id = client.id()
            last_command = [client_id if word is None else word for word in last]
            client.send(pipeline(*[('ECHO', 'x')] * before, last_command, *[('INCR', 'ran')] * behind))
            client.expect_closed(b'$1\r\nx\r\n' * before + reply)
            client.close()
    client = server.client()
    client.send(b'PING\r\nQUIT\r\nPING\r\n')
    client.expect_closed(b'+PONG\r\n+OK\r\n')
    client = server.client()
    client.send(pipeline(('MULTI',), ('INCR', 'ran'), ('QUIT',), ('EXEC',)))
    client.expect_closed(b'+OK\r\n+QUEUED\r\n+OK\r\n')
    # in a transaction the killer's own end waits for the last reply
    client = server.client()
    client_id = client.id()
    client.send(pipeline(('MULTI',), ('ECHO', 'a'), ('CLIENT', 'KILL', 'ID', client_id, 'SKIPME', 'no'), ('ECHO', 'b'), ('EXEC',), ('INCR', 'ran')))
    client.expect_closed(b'+OK\r\n' + b'+QUEUED\r\n' * 3 + b'*3\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n')
    expect(other('EXISTS', 'ran'), 0)
    wait_until(lambda: other.info('connected_clients') == 1, 'they are gone')


@test()
def what_nobody_reads_behind_the_end_costs_no_reply(server):
    behind = pipeline(*[('INCR', 'ran')] * 2500)  # more than is read at once
    other = server.client()
    other('SET', 'big', 'x' * MB)  # the kernel takes it from the server, but not the other end
    for last, reply in (pipeline(('QUIT',)), b'+OK\r\n'), (b'*1\r\n!', b"-ERR Protocol error: expected '$', got '!'\r\n"):
        client = server.client()
        server.at_once((client, pipeline(('GET', 'big')) + last + behind))
        wait_until(lambda: other.info('connected_clients') == 1, 'it is closed')
        client.expect_closed(b'$%d\r\n' % MB + b'x' * MB + b'\r\n' + reply)
    expect(other('EXISTS', 'ran'), 0)


@test()
def a_client_killed_behind_a_long_reply_gets_the_reply(server):
    client, other = server.clients_of(2)
    expect(client('SET', 'big', 'x' * 20 * MB), 'OK')
    client.send(pipeline(('GET', 'big'), ('GET', 'big'), ('QUIT',), ('DEL', 'big')))
    expect(other('PING'), 'PONG')
    for _ in range(2):
        expect(len(client.read()), 20 * MB)
    client.expect_closed(b'+OK\r\n')
    expect(other('EXISTS', 'big'), 1)


@test(in_turn=True)
def a_password_set_in_mid_turn_holds_for_new_clients_only(server):
    first, second, third = server.clients_of(3)
    server.at_once((first, pipeline(('CONFIG', 'SET', 'requirepass', 'secret'), ('PING',), ('AUTH', 'wrong'), ('PING',))),
            (second, pipeline(('PING',), ('AUTH', 'secret'), ('SET', 'k', 'v' * 20000))))
    expect(first.read_many(4), ['OK', 'PONG', Error('WRONGPASS invalid username-password pair or user is disabled.'), 'PONG'])
    expect(second.read_many(3), ['PONG', 'OK', 'OK'])
    expect(third('PING'), 'PONG')
    fresh = server.client()
    expect(fresh.all(('PING',), ('AUTH', 'wrong'), ('PING',), ('AUTH', 'secret'), ('PING',), ('RESET',), ('PING',), ('AUTH', 'default', 'secret'), ('PING',)),
           [Error('NOAUTH Authentication required.'), Error('WRONGPASS invalid username-password pair or user is disabled.'),
            Error('NOAUTH Authentication required.'), 'OK', 'PONG', 'RESET', Error('NOAUTH Authentication required.'), 'OK', 'PONG'])


@test(in_turn=True)
def a_client_paused_by_an_earlier_one_of_its_turn_waits(server):
    admin, pauser, writer, reader = server.clients_of(4)
    server.at_once((pauser, pipeline(('SET', 'k', 1), ('CLIENT', 'PAUSE', 1_000_000, 'WRITE'), ('GET', 'k'), ('INCR', 'k'))),
            (writer, pipeline(*[('INCR', 'k')] * 200)), (reader, pipeline(('GET', 'k'), ('INCR', 'k'), ('GET', 'k'))))
    expect(pauser.read_many(3), ['OK', 'OK', b'1'])
    expect(reader.read(), b'1')
    for client in pauser, writer, reader:
        expect(client.is_silent(admin), True)
    expect(admin.info('connected_clients'), 4)
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    expect(pauser.read(), 2)
    numbers = writer.read_many(200)
    expect(numbers, sorted(numbers))
    incremented, got = reader.read_many(2)
    expect(sorted([2, incremented] + numbers), list(range(2, 204)))
    expect(int(got) >= incremented, True)


@test()
def an_endless_pipeline_leaves_others_their_turn(server):
    greedy, other = server.clients_of(2)
    chunk = encode('ECHO', 'x' * 100) * 1000
    greedy.socket.setblocking(False)
    sent = received = answered = 0
    end = time.monotonic() + TIMEOUT
    other.send_commands(('PING',))
    while answered < 50:
        expect_true(time.monotonic() < end, f'only {answered} PINGs were answered')
        readable, writable, _ = select.select([greedy.socket, other.socket], [greedy.socket], [], TIMEOUT)
        if writable:
            at = sent % len(chunk)
            sent += greedy.socket.send(chunk[at:])
        if greedy.socket in readable:
            received += len(greedy.socket.recv(MB))
        if other.socket in readable:
            expect(other.read(), 'PONG')
            answered += 1
            other.send_commands(('PING',))
    print(f'    {answered} PINGs were answered during {sent / MB:.1f} MB of ECHOs, {received / MB:.1f} MB of replies')


@test(in_turn=True)
def a_client_has_its_turn_between_the_shares_of_another(server):
    """Thousands of commands are in the server already when the other one's come."""
    greedy, other, admin = server.clients_of(3)
    server.at_once((greedy, encode('RPUSH', 'l', 'g') * 450), (other, pipeline(('RPUSH', 'l', 'o'), ('LLEN', 'l'))))
    place = other.read_many(2)[1]
    expect(greedy.read_many(450)[-1], 451)
    expect_true(place < 450, f'the other one came at place {place}')


@test()
def all_of_a_long_pipeline_is_answered_though_no_more_bytes_come(server):
    client, other = server.clients_of(2)
    for count, word in (127, ''), (128, ''), (129, ''), (256, ''), (257, ''), (1000, ''), (20, 'x' * 1000), (17, 'x' * 961), (400, 'x' * 300), (3, 'x' * 16000), (10_000, ''):
        word = word or 'y'
        data = encode('ECHO', word) * count
        client.send(data)
        expect(client.read_many(count), [word.encode()] * count, f'{count} of {len(word)} bytes')
        for left in 1, 5, len(encode('ECHO', word)) - 1:  # and half a command behind it
            client.send(data + data[:left])
            expect(client.read_many(count), [word.encode()] * count)
            expect(client.is_silent(other), True)
            client.send(data[left:len(encode('ECHO', word))])
            expect(client.read(), word.encode())


@test()
def a_pipeline_longer_than_a_turn_meets_everything_in_between(server):
    """Waits, transactions, long values and a pause behind more commands than one turn takes."""
    client, other = server.clients_of(2)
    long = 'v' * 100_000
    client.send(pipeline(*[('ECHO', 'x')] * 300, ('MULTI',), *[('INCR', 'n')] * 300, ('EXEC',), ('BLPOP', 'l', 0), *[('ECHO', 'y')] * 300,
                         ('SET', 'big', long), *[('STRLEN', 'big')] * 300, ('BLPOP', 'l', 0), ('QUIT',), ('SET', 'never', 1)))
    expect(client.read_many(300), [b'x'] * 300)
    expect(client.read_many(301), ['OK'] + ['QUEUED'] * 300)
    expect(client.read(), list(range(1, 301)))
    other.wait_blocked(1)
    expect(client.is_silent(other), True)
    expect(other('RPUSH', 'l', 'a'), 1)
    expect(client.read_many(301), [[b'l', b'a']] + [b'y'] * 300)
    expect(client.read_many(301), ['OK'] + [100_000] * 300)
    other.wait_blocked(1)
    expect(other('RPUSH', 'l', 'b'), 1)
    client.expect_closed(b'*2\r\n$1\r\nl\r\n$1\r\nb\r\n+OK\r\n')
    expect(other('EXISTS', 'never'), 0)


@test()
def more_clients_than_a_batch_holds_are_all_served(server):
    clients = server.clients_of(700)  # and more than one epoll_wait hands over
    for size in 1, 3000:
        server.at_once(*[(client, pipeline(('SET', f'k{i}', 'v' * size), ('INCR', 'n'), ('STRLEN', f'k{i}'))) for i, client in enumerate(clients)])
        numbers = []
        for client in clients:
            ok, number, length = client.read_many(3)
            expect((ok, length), ('OK', size))
            numbers.append(number)
        expect(sorted(numbers), list(range(1, 701)))
        expect(clients[0]('DEL', 'n'), 1)


@test()
def full_shares_of_many_clients_meet_the_end_of_the_arena(server):
    clients = server.clients_of(50)
    value = os.urandom(15_000)
    half = len(encode('SET', 'k00', value)) // 2
    for round in range(3):
        for i, client in enumerate(clients):
            if i % 2:
                client.send(encode('SET', f'k{i:02}', value)[:half])
        server.at_once(*[(client, encode('SET', f'k{i:02}', value)[half if i % 2 else 0:] + encode('GET', f'k{i:02}')) for i, client in enumerate(clients)])
        for client in clients:
            expect(client.read_many(2), ['OK', value])


@test()
def silenced_replies_are_those_asked_for(server):
    client = server.client()
    expect(client('ECHO', 'a'), b'a')
    client.send_commands(('CLIENT', 'REPLY', 'SKIP'), ('ECHO', 'b'), ('ECHO', 'c'), ('CLIENT', 'REPLY', 'OFF'), ('ECHO', 'd'), ('NOSUCH',), ('GET',),
                         ('CLIENT', 'REPLY', 'SKIP'), ('ECHO', 'e'), ('CLIENT', 'REPLY', 'ON'), ('ECHO', 'f'))
    expect(client.read_many(3), [b'c', 'OK', b'f'])
    # however long they are
    expect(client('SET', 'big', 'x' * 200_000), 'OK')
    expect(client('RPUSH', 'l', *['y' * 100] * 2000), 2000)
    client.send_commands(('CLIENT', 'REPLY', 'SKIP'), ('GET', 'big'), ('ECHO', 'a'), ('CLIENT', 'REPLY', 'SKIP'), ('LRANGE', 'l', 0, -1), ('ECHO', 'b'),
                         ('CLIENT', 'REPLY', 'OFF'), ('GET', 'big'), ('LRANGE', 'l', 0, -1), ('CLIENT', 'REPLY', 'ON'))
    expect(client.read_many(3), [b'a', b'b', 'OK'])


main()
