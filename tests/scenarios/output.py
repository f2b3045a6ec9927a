"""Replies and messages: their order, how many writes they take, and readers who are slow or do not read at all."""

from _harness import *


def message(channel, text):
    return Push([b'message', channel.encode(), text if isinstance(text, bytes) else str(text).encode()])


def fill_socket(client, other):
    """Gives the client more output than its socket takes, so that the rest waits in the server. Returns the size."""
    size = 20 * MB
    expect(other('SET', 'filler', b'f' * size), 'OK')
    client_id = client.id()
    client.send_commands(('GET', 'filler'))
    wait_until(lambda: int(other.described(client_id)['omem']) > 0, 'output waits')
    return size


@test()
def a_message_to_oneself_waits_for_the_end_of_the_reply(server):
    client = server.client().resp3()
    expect(client('SUBSCRIBE', 'me'), Push([b'subscribe', b'me', 1]))
    client.send_commands(('PUBLISH', 'me', 'a'), ('PING',))
    expect(client.read_many(3), [1, message('me', 'a'), 'PONG'])
    client.send_commands(('MULTI',), ('PUBLISH', 'me', 'b'), ('ECHO', 'x' * 100_000), ('PUBLISH', 'me', 'c' * 100_000), ('GET', 'k'), ('EXEC',), ('PING',))
    expect(client.read_many(5), ['OK'] + ['QUEUED'] * 4)
    expect(client.read_many(4), [[1, b'x' * 100_000, 1, None], message('me', 'b'), message('me', 'c' * 100_000), 'PONG'])
    # subscribing within the transaction, several channels, a pattern that matches too
    client.send_commands(('MULTI',), ('SUBSCRIBE', 'one'), ('PSUBSCRIBE', 'm*'), ('PUBLISH', 'me', 'd'), ('UNSUBSCRIBE', 'me'), ('PUBLISH', 'me', 'e'), ('EXEC',), ('PING',))
    expect(client.read_many(6), ['OK'] + ['QUEUED'] * 5)
    expect(client.read(), [Push([b'subscribe', b'one', 2]), Push([b'psubscribe', b'm*', 3]), 2, Push([b'unsubscribe', b'me', 2]), 1])
    expect(client.read_many(4), [message('me', 'd'), Push([b'pmessage', b'm*', b'me', b'd']), Push([b'pmessage', b'm*', b'me', b'e']), 'PONG'])


@test('--notify-keyspace-events', 'KEA')
def notifications_of_ones_own_commands_come_behind_their_replies(server):
    client = server.client().resp3()
    expect(client('PSUBSCRIBE', '__keyspace@0__:*'), Push([b'psubscribe', b'__keyspace@0__:*', 1]))

    def event(key, name):
        return Push([b'pmessage', b'__keyspace@0__:*', b'__keyspace@0__:' + key, name])

    client.send_commands(('SET', 'k', 'v'), ('RPUSH', 'l', *['x' * 1000] * 100), ('LRANGE', 'l', 0, -1), ('LPOP', 'l', 100), ('PING',))
    expect(client.read_many(2), ['OK', event(b'k', b'set')])
    expect(client.read_many(2), [100, event(b'l', b'rpush')])
    expect(client.read(), [b'x' * 1000] * 100)
    expect(client.read(), [b'x' * 1000] * 100)
    expect(client.read_many(3), [event(b'l', b'lpop'), event(b'l', b'del'), 'PONG'])


@test('--notify-keyspace-events', 'KEA')
def events_of_those_who_are_served_do_not_fall_into_the_reply(server):
    """The client's own command wakes others, whose events it hears, when half of its reply has left."""
    client, first, second, other = server.client().resp3(), *server.clients_of(3)
    expect(client('PSUBSCRIBE', '__keyevent@0__:l*'), Push([b'psubscribe', b'__keyevent@0__:l*', 1]))

    def event(key, name):
        return Push([b'pmessage', b'__keyevent@0__:l*', b'__keyevent@0__:' + name, key])

    expect(other('RPUSH', 'long', *['x' * 100] * 3000), 3000)
    for behind in range(0, 3000, 250):  # the reply ends anywhere in the window
        first.send_commands(('BLMOVE', 'a', 'b', 'LEFT', 'LEFT', 0))
        other.wait_blocked(1)
        second.send_commands(('BLPOP', 'b', 0))
        other.wait_blocked(2)
        client.send_commands(('MULTI',), ('LRANGE', 'long', 0, -1), ('LPUSH', 'a', 'e'), ('LRANGE', 'long', 0, behind), ('EXEC',), ('PING',))
        expect(client.read_many(4), ['OK'] + ['QUEUED'] * 3)
        expect(client.read(), [[b'x' * 100] * 3000, 1, [b'x' * 100] * (behind + 1)])
        expect(client.read(), event(b'a', b'lpush'))
        expect(sorted(client.read_many(3)), sorted([event(b'b', b'lpush'), event(b'a', b'lpop'), event(b'b', b'lpop')]))
        expect(client.read(), 'PONG')
        expect([first.read(), second.read()], [b'e', [b'b', b'e']])


@test()
def fifty_messages_to_one_subscriber_are_one_write(server):
    publisher, subscriber, other = server.clients_of(3)
    expect(subscriber('SUBSCRIBE', 'news'), [b'subscribe', b'news', 1])
    for round in range(5):
        before = other.info('total_writes_processed')
        publisher.send(pipeline(*[('PUBLISH', 'news', i) for i in range(50)]))
        expect(publisher.read_many(50), [1] * 50)
        expect(subscriber.read_many(50), [[b'message', b'news', b'%d' % i] for i in range(50)])
        writes = other.info('total_writes_processed') - before
        # that of the INFO before, the publisher's replies, the subscriber's messages
        if not IS_STRESS:
            expect(writes, 3)


@test()
def a_pipeline_is_answered_in_one_write(server):
    client, other = server.clients_of(2)
    expect(client('SET', 'k', 'v' * 100), 'OK')
    before = other.info('total_writes_processed')
    client.send(encode('GET', 'k') * 100)
    expect(client.read_many(100), [b'v' * 100] * 100)
    writes = other.info('total_writes_processed') - before
    if not IS_STRESS:
        expect(writes, 2)


@test()
def messages_to_many_subscribers_keep_their_order(server):
    publishers, subscribers = server.clients_of(3), server.clients_of(30)
    for i, subscriber in enumerate(subscribers):
        if i % 3 == 0:
            subscriber.resp3()
        subscriber.send_commands(('SUBSCRIBE', 'a', f'own{i}'), ('PSUBSCRIBE', 'b*'))
        subscriber.read_many(3)
    count = scaled(300, 100, 40)
    for p, publisher in enumerate(publishers):
        publisher.send(pipeline(*[('PUBLISH', ('a', 'bb', 'own7')[n % 3], f'{p}:{n}') for n in range(count)]))
    for publisher in publishers:
        expect(publisher.read_many(count), [(30, 30, 1)[n % 3] for n in range(count)])
    for i, subscriber in enumerate(subscribers):
        wanted = sum(1 for n in range(count) if n % 3 != 2 or i == 7)
        messages = subscriber.read_many(3 * wanted)
        seen = [int(m[-1].split(b':')[1]) for m in messages]
        expect(sorted(seen), sorted([n for n in range(count) if n % 3 != 2 or i == 7] * 3))
        for publisher in range(3):
            mine = [m[-1].split(b':') for m in messages]
            mine = [int(n) for whose, n in mine if int(whose) == publisher]
            expect(mine, sorted(mine), f'publisher {publisher}')
        expect(subscriber.has_input(), False)


@test()
def a_client_that_never_reads_is_cut_at_the_hard_limit(server):
    publisher, lazy, other = server.clients_of(3)
    expect(publisher('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 3mb 0 0'), 'OK')
    expect(lazy('SUBSCRIBE', 'news'), [b'subscribe', b'news', 1])
    reader = server.client()
    expect(reader('SUBSCRIBE', 'news'), [b'subscribe', b'news', 1])
    before, sent, most = other.info('used_memory'), 0, 0
    while publisher('PUBLISH', 'news', 'x' * 50_000) == 2:
        sent += 1
        expect(reader.read()[2], b'x' * 50_000)
        most = max(most, other.info('used_memory'))
        expect_true(sent < 2000, 'it is not cut')
    expect(reader.read()[2], b'x' * 50_000)
    expect(other.info('client_output_buffer_limit_disconnections'), 1)
    expect_true(most - before < 4 * MB, f'{most - before} bytes were kept')
    wait_until(lambda: other.info('used_memory') < before + 200_000, 'its output is freed')
    expect('scheduled to be closed ASAP for overcoming of output buffer limits' in server.log(), True)
    expect(publisher('PUBSUB', 'NUMSUB', 'news'), [b'news', 1])
    # what the socket had taken arrives, then comes the end
    lazy.rest()


@test()
def a_client_that_stays_over_the_soft_limit_is_cut_in_time(server):
    other, lazy, lucky = server.clients_of(3)
    expect(other('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 0 1mb 10'), 'OK')
    expect(other('CONFIG', 'GET', 'client-output-buffer-limit'),
           [b'client-output-buffer-limit', b'normal 0 1048576 10 slave 268435456 67108864 60 pubsub 33554432 8388608 60'])
    lucky_id, size = lucky.id(), fill_socket(lazy, other)
    other.freeze()
    lucky.send_commands(('GET', 'filler'))
    wait_until(lambda: int(other.described(lucky_id)['omem']) > 0, 'the second waits too')
    other.advance(9_900)
    time.sleep(0.4)  # several looks of the cron
    expect(other.info('connected_clients'), 3)
    # One of them reads meanwhile: its time is not counted on.
    expect(len(lucky.read()), size)
    other.advance(200)
    wait_until(lambda: other.info('connected_clients') == 2, 'the one that never read is cut')
    expect(lucky.id(), lucky_id)
    lucky.send_commands(('GET', 'filler'))
    wait_until(lambda: int(other.described(lucky_id)['omem']) > 0, 'it waits again')
    other.advance(9_900)
    time.sleep(0.4)
    expect(len(lucky.read()), size)
    expect(lucky.id(), lucky_id)
    lazy.rest()


@test()
def the_limit_holds_within_one_reply(server):
    client, other = server.clients_of(2)
    expect(other('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 8mb 0 0'), 'OK')
    expect(other('RPUSH', 'l', *['x' * 1000] * 1000), 1000)
    expect(other('SET', 'big', 'y' * 1_000_000), 'OK')
    for command, behind in (('LRANGE', 'l', 0, -1), 100), (('GET', 'big'), 200):
        client = server.client()
        client_id = client.id()
        before = other.info('client_output_buffer_limit_disconnections')
        client.send(encode(*command) * behind + encode('SET', 'ran', 1))
        wait_until(lambda: other.described(client_id) is None, 'it is cut')
        expect(other.info('client_output_buffer_limit_disconnections'), before + 1)
        client.close()
    client = server.client()
    client.send_commands(('MULTI',), *[('GET', 'big')] * 100, ('INCR', 'n'), ('EXEC',))
    wait_until(lambda: other.info('connected_clients') == 2, 'it is cut')
    expect(other.all(('EXISTS', 'ran'), ('GET', 'n')), [0, b'1'])


@test()
def a_long_reply_to_a_slow_reader_arrives_while_others_are_served(server):
    slow, other = server.client(receive_buffer=4096), server.client()
    size = scaled(100, 20, 4) * MB
    value = os.urandom(MB) * (size // MB)
    expect(other('SET', 'big', value), 'OK')
    slow.send_commands(('GET', 'big'), ('ECHO', 'behind'), ('DEL', 'big'), ('GET', 'big'))
    header = b'$%d\r\n' % size
    expect(slow.read_bytes(len(header)), header)
    got, answered = [], 0
    left = size
    choose = random.Random(1)
    while left:
        part = slow.socket.recv(min(left, choose.choice((1, 100, 10_000, 500_000)))) if not slow.has_input() or slow.at == len(slow.buffer) else slow.read_bytes(min(left, len(slow.buffer) - slow.at))
        expect_true(part, 'the connection was closed')
        got.append(part)
        left -= len(part)
        if len(got) % 20 == 0:
            expect(other('PING'), 'PONG')
            answered += 1
    expect_true(b''.join(got) == value, 'it differs')
    expect(slow.read_bytes(2), b'\r\n')
    expect(slow.read_many(3), [b'behind', 1, None])
    expect_true(answered > 3, 'the other was not served')
    wait_until(lambda: other.info('used_memory') < 10 * MB, 'the memory is free')


@test('--timeout', '10')
def a_slow_reader_is_not_idle_while_it_reads(server):
    slow, other = server.client(receive_buffer=65_536), server.client()
    slow_id, size = slow.id(), fill_socket(slow, other)
    other.freeze()
    expect(slow._line(), b'$%d' % size)
    left = size
    while int(other.described(slow_id)['omem']) > 0:
        other.advance(6_000)
        expect(len(slow.read_bytes(2 * MB)), 2 * MB)
        left -= 2 * MB
        time.sleep(0.06)  # the cron looks
    expect(len(slow.read_bytes(left + 2)), left + 2)
    expect(slow('PING'), 'PONG')


@test()
def replies_longer_than_the_window_are_whole(server):
    client = server.client()
    expect(client('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 0 0'), 'OK')
    choose = random.Random(7)
    elements = [bytes([choose.randrange(256)]) * choose.choice((0, 1, 60, 61, 1000, 15_000, 16_384, 20_000)) for _ in range(scaled(3000, 600, 100))]
    for at in range(0, len(elements), 100):
        client('RPUSH', 'l', *elements[at:at + 100])
    for start, stop in (0, -1), (1, 500), (len(elements) // 2, -1), (5, 5):
        wanted = elements[start:] if stop == -1 else elements[start:stop + 1]
        expect_true(client('LRANGE', 'l', start, stop) == wanted, f'LRANGE {start} {stop} differs')
    expect(client.all(('PING',), ('LRANGE', 'l', 0, -1), ('ECHO', 'x' * 65_536), ('LRANGE', 'l', 0, -1), ('PING',)) ==
           ['PONG', elements, b'x' * 65_536, elements, 'PONG'], True)
    client.resp3()
    client.send_commands(('SUBSCRIBE', 'me'), ('MULTI',), ('LRANGE', 'l', 0, -1), ('PUBLISH', 'me', 'x'), ('LRANGE', 'l', 0, -1), ('EXEC',))
    expect(client.read_many(5)[4:], ['QUEUED'])
    expect(client.read() == [elements, 1, elements], True)
    expect(client.read(), message('me', 'x'))
    # sizes about those of the window's and of what is sent from where it lies
    for size in 16_383, 16_384, 16_385, 65_523, 65_524, 65_530, 65_536, 65_537, 131_072:
        expect(client.all(('ECHO', 'a'), ('ECHO', 'b' * size), ('ECHO', 'c')), [b'a', b'b' * size, b'c'])


@test()
def pushes_to_a_client_with_unsent_output_keep_their_place(server):
    slow, other = server.clients_of(2)
    slow.resp3()
    expect(slow('SUBSCRIBE', 'news'), Push([b'subscribe', b'news', 1]))
    expect(other('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 0 0'), 'OK')
    size = fill_socket(slow, other)
    expect(other('PUBLISH', 'news', 1), 1)
    slow.send_commands(('ECHO', 'a'), ('GET', 'filler'))
    expect(other('PUBLISH', 'news', 2), 1)
    slow.send_commands(('PUBLISH', 'news', 3), ('ECHO', 'b'))
    expect(len(slow.read()), size)
    expect(slow.read(), message('news', 1))
    rest = slow.read_many(6)
    expect(rest.index(b'a') < rest.index(b'f' * size) < rest.index(1) < rest.index(message('news', 3)) < rest.index(b'b'), True)
    expect(message('news', 2) in rest, True)
    expect(rest.index(message('news', 2)) < rest.index(message('news', 3)), True)


@test()
def nothing_follows_the_last_reply(server):
    slow, other = server.clients_of(2)
    slow.resp3()
    expect(slow('SUBSCRIBE', 'news'), Push([b'subscribe', b'news', 1]))
    expect(other('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 0 0'), 'OK')
    size = fill_socket(slow, other)
    slow.send_commands(('QUIT',), ('PUBLISH', 'news', 'never'))
    wait_until(lambda: b'flags=Pc' in other('CLIENT', 'LIST') or b'flags=cP' in other('CLIENT', 'LIST'), 'it is leaving')
    for _ in range(10):
        other('PUBLISH', 'news', 'never')
    expect(len(slow.read()), size)
    slow.expect_closed(b'+OK\r\n')


@test()
def the_subscriptions_of_a_closed_client_vanish(server):
    other = server.client()
    for how in 'close', 'reset', 'quit', 'kill', 'in a transaction':
        client = server.client()
        client_id = client.id()
        client.send_commands(('SUBSCRIBE', 'a', 'b'), ('PSUBSCRIBE', 'a*', '?'), ('SSUBSCRIBE', 's'))
        client.read_many(5)
        expect(other('PUBSUB', 'NUMSUB', 'a', 'b', 'c'), [b'a', 1, b'b', 1, b'c', 0])
        expect(other.all(('PUBSUB', 'NUMPAT'), ('PUBSUB', 'SHARDNUMSUB', 's'), ('PUBLISH', 'a', 'x')), [2, [b's', 1], 3])
        if how == 'kill':
            expect(other.all(('CLIENT', 'KILL', 'ID', client_id), ('PUBLISH', 'a', 'y'), ('PING',))[::2], [1, 'PONG'])
        elif how == 'in a transaction':
            expect(other.all(('MULTI',), ('CLIENT', 'KILL', 'TYPE', 'pubsub'), ('PUBLISH', 'a', 'y'), ('EXEC',))[3][0], 1)
        elif how == 'quit':
            client.send_commands(('QUIT',))
        else:
            getattr(client, how)()
        wait_until(lambda: other.info('connected_clients') == 1, 'it is gone')
        expect(other('PUBSUB', 'NUMSUB', 'a', 'b'), [b'a', 0, b'b', 0])
        expect(other.all(('PUBSUB', 'CHANNELS'), ('PUBSUB', 'NUMPAT'), ('PUBSUB', 'SHARDCHANNELS'), ('PUBLISH', 'a', 'x'), ('SPUBLISH', 's', 'x')), [[], 0, [], 0, 0])
        expect(other.info('pubsub_clients'), 0)


@test()
def subscribers_that_are_cut_in_the_middle_of_a_message_do_no_harm(server):
    """All subscribers of a channel reach their limit with the same message."""
    publisher, other = server.clients_of(2)
    expect(publisher('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 100kb 0 0'), 'OK')
    subscribers = server.clients_of(40)
    for i, subscriber in enumerate(subscribers):
        subscriber.send_commands(('SUBSCRIBE', 'news'), ('PSUBSCRIBE', 'n*'))
        subscriber.read_many(2)
    expect(publisher.all(('PUBLISH', 'news', 'x' * 3_000_000), ('PING',)), [80, 'PONG'])
    wait_until(lambda: other.info('connected_clients') == 2, 'all are cut')
    expect(publisher('PUBLISH', 'news', 'x'), 0)
    expect(other.info('client_output_buffer_limit_disconnections'), 40)


@test()
def a_reply_without_end_ends(server):
    """Random members: a count of nine quintillions is a right one, and the server serves others soon."""
    other = server.client()
    expect(other('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 2mb 0 0'), 'OK')
    expect(other('SADD', 's', *['x%d' % i for i in range(600)]), 600)
    expect([other('SADD', 'one', 'a' * 100), other('HSET', 'h', 'f', 'v'), other('ZADD', 'z', 1, 'm')], [1, 1, 1])
    commands = ('SRANDMEMBER', 's'), ('SRANDMEMBER', 'one'), ('HRANDFIELD', 'h'), ('ZRANDMEMBER', 'z')
    for cut, command in enumerate(commands, 1):
        client = server.client()
        client.send(encode(*command, '-9223372036854775807') + encode('SET', 'ran', 1))
        wait_until(lambda: other.info('connected_clients') == 1, 'it is cut')
        expect(other.info('client_output_buffer_limit_disconnections'), cut)
        client.rest()
    expect_true(other.info('used_memory_peak') < 12 * MB, 'little is kept')
    # Nobody hears it: nothing is made.
    client = server.client()
    client.send_commands(('CLIENT', 'REPLY', 'OFF'), *[(*command, '-9223372036854775807') for command in commands],
                         ('CLIENT', 'REPLY', 'ON'))
    expect(client.read(), 'OK')
    expect([client('EXISTS', 'ran'), len(client('SRANDMEMBER', 's', '-5000'))], [0, 5000])


@test()
def a_subscriber_of_the_second_protocol_may_do_little(server):
    client, other = server.clients_of(2)
    expect(client('SUBSCRIBE', 'a'), [b'subscribe', b'a', 1])
    expect_error(client('GET', 'k'), "ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
    expect(client('PING'), [b'pong', b''])
    expect(client('PING', 'x'), [b'pong', b'x'])
    client.send_commands(('UNSUBSCRIBE', 'a'), ('GET', 'k'), ('SUBSCRIBE', 'b'), ('PSUBSCRIBE', 'c'), ('UNSUBSCRIBE',), ('PUNSUBSCRIBE',), ('UNSUBSCRIBE',), ('PING',))
    expect(client.read_many(8), [[b'unsubscribe', b'a', 0], None, [b'subscribe', b'b', 1], [b'psubscribe', b'c', 2], [b'unsubscribe', b'b', 1],
                                 [b'punsubscribe', b'c', 0], [b'unsubscribe', None, 0], 'PONG'])
    expect(client.all(('SUBSCRIBE', 'a'), ('RESET',), ('GET', 'k')), [[b'subscribe', b'a', 1], 'RESET', None])
    expect(other('PUBLISH', 'a', 'x'), 0)


@test()
def silence_is_for_replies_but_not_for_messages(server):
    client, other = server.client().resp3(), server.client()
    client.send_commands(('CLIENT', 'REPLY', 'OFF'), ('SUBSCRIBE', 'news'), ('PING',))
    wait_until(lambda: other('PUBSUB', 'NUMSUB', 'news')[1] == 1, 'it has subscribed')
    expect(other('PUBLISH', 'news', 'x'), 1)
    expect(client.read(), Push([b'subscribe', b'news', 1]))
    expect(client.read(), message('news', 'x'))
    client.send_commands(('PUBLISH', 'news', 'y'), ('CLIENT', 'REPLY', 'ON'))
    expect(client.read_many(2), [message('news', 'y'), 'OK'])


main()
