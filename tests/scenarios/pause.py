"""CLIENT PAUSE: who waits, who does not, and what happens to those who wait."""

from _harness import *

LONG = 1_000_000  # milliseconds


def pause(client, mode='WRITE', ms=LONG):
    expect(client('CLIENT', 'PAUSE', ms, mode), 'OK')


@test()
def all_commands_of_all_clients_wait(server):
    clients = server.clients_of(5)
    pauser = server.client()
    began = time.monotonic()
    pauser.send_commands(('CLIENT', 'PAUSE', 300, 'ALL'), ('PING',), ('SET', 'k', 'v'))
    expect(pauser.read(), 'OK')
    for client in clients:
        client.send_commands(('PING',), ('GET', 'k'), ('NOSUCH',), ('CLIENT', 'UNPAUSE'))
    fresh = server.client()
    fresh.send_commands(('PING',))
    for client in clients:
        expect(client.read(), 'PONG')
    expect_true(time.monotonic() - began > 0.29, 'it was over too soon')
    expect(pauser.read_many(2), ['PONG', 'OK'])
    for client in clients:
        expect(client.read() in (None, b'v'), True)
        expect_error(client.read(), "ERR unknown command 'NOSUCH'")
        expect(client.read(), 'OK')
    expect(fresh.read(), 'PONG')


@test()
def only_writes_wait_when_asked(server):
    admin, writer, reader = server.clients_of(3)
    expect(admin.all(('SET', 'k', 'v'), ('RPUSH', 'l', 1, 2, 3)), ['OK', 3])
    for command in ('SET', 'k', 'w'), ('DEL', 'k'), ('INCR', 'n'), ('PUBLISH', 'a', 'b'), ('SPUBLISH', 'a', 'b'), ('BLPOP', 'l', 0), ('EXPIRE', 'k', 100), ('FLUSHALL',), ('GETDEL', 'k'):
        pause(admin)
        writer.send_commands(command, ('ECHO', 'behind'))
        expect(reader.all(('GET', 'k'), ('LLEN', 'l'), ('MULTI',), ('GET', 'k'), ('PING',), ('EXEC',))[5], [b'v', 'PONG'], shown(command))
        expect(writer.is_silent(admin), True, shown(command))
        admin.advance(LONG - 1000)
        expect(writer.is_silent(admin), True, shown(command))
        admin.advance(1001)
        expect(isinstance(writer.read(), Error), False)
        expect(writer.read(), b'behind')
        expect(admin.all(('FLUSHALL',), ('SET', 'k', 'v'), ('RPUSH', 'l', 1, 2, 3)), ['OK', 'OK', 3])


@test()
def refusals_do_not_wait(server):
    admin, client = server.clients_of(2)
    pause(admin)
    expect_error(client('SET', 'k'), 'ERR wrong number of arguments')
    expect_error(client('NOSUCH'), 'ERR unknown command')
    client.send(encode('PING') + b'*1\r\n!\r\n')
    client.expect_closed(b"+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n")
    for text in 'abc', '-1', '9223372036854775807':
        expect(isinstance(admin('CLIENT', 'PAUSE', text), Error), True, text)
    expect_error(admin('CLIENT', 'PAUSE', 1, 'SOME'), 'ERR CLIENT PAUSE mode must be WRITE or ALL')


@test()
def a_pipeline_behind_a_write_waits_with_it(server):
    admin, client = server.clients_of(2)
    for count in (1, 100, 300):
        pause(admin)
        client.send(pipeline(('GET', 'n'), *[('INCR', 'n')] * count, ('GET', 'n'), ('DEL', 'n'), ('PING',)))
        expect(client.read(), None)
        expect(client.is_silent(admin), True)
        client.send_commands(('ECHO', 'later'))
        expect(client.is_silent(admin), True)
        expect(admin('CLIENT', 'UNPAUSE'), 'OK')
        expect(client.read_many(count + 4), list(range(1, count + 1)) + [b'%d' % count, 1, 'PONG', b'later'])


@test()
def those_who_wait_go_on_in_the_order_of_coming(server):
    admin, clients = server.client(), server.clients_of(200)
    pause(admin)
    for i, client in enumerate(clients):
        client.send_commands(('RPUSH', 'l', i), ('RPUSH', 'm', i))
        if i % 50 == 0:
            admin('PING')
    expect(clients[0].is_silent(admin), True)
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    for client in clients:
        client.read_many(2)
    order = [int(i) for i in admin('LRANGE', 'l', 0, -1)]
    expect(sorted(order), list(range(200)))
    expect(order[0], 0)
    expect(admin('LLEN', 'm'), 200)


@test()
def a_second_pause_makes_the_first_longer_and_stricter_but_never_weaker(server):
    admin, client = server.clients_of(2)
    admin.freeze()
    pause(admin, 'WRITE', 1000)
    pause(admin, 'WRITE', 500)
    client.send_commands(('SET', 'k', 1))
    admin.advance(999)
    expect(client.is_silent(admin), True)
    admin.advance(1)
    expect(client.read(), 'OK')
    pause(admin, 'WRITE', 1000)
    admin.advance(500)
    pause(admin, 'WRITE', 1000)
    client.send_commands(('SET', 'k', 1))
    admin.advance(999)
    expect(client.is_silent(admin), True)
    admin.advance(1)
    expect(client.read(), 'OK')
    pause(admin, 'WRITE', 0)
    expect(client('SET', 'k', 2), 'OK')


@test()
def a_transaction_that_would_write_waits(server):
    admin, writer, reader, queuer = server.clients_of(4)
    expect(writer.all(('MULTI',), ('SET', 'k', 1), ('GET', 'k')), ['OK', 'QUEUED', 'QUEUED'])
    expect(reader.all(('MULTI',), ('GET', 'k'), ('PING',)), ['OK', 'QUEUED', 'QUEUED'])
    expect(queuer('MULTI'), 'OK')
    pause(admin)
    writer.send_commands(('EXEC',), ('GET', 'k'))
    queuer.send_commands(('GET', 'k'), ('SET', 'k', 2), ('EXEC',))
    expect(reader('EXEC'), [None, 'PONG'])
    expect(queuer.read(), 'QUEUED')
    expect(writer.is_silent(admin) and queuer.is_silent(admin), True)
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    expect(writer.read_many(2), [['OK', b'1'], b'1'])
    expect(queuer.read_many(2), ['QUEUED', [b'1', 'OK']])


@test()
def a_transaction_can_be_dropped_while_writes_wait(server):
    admin, client = server.clients_of(2)
    for last in ('DISCARD',), ('RESET',), ('WATCH', 'k'), ('UNWATCH',), ('MULTI',):
        expect(client.all(('MULTI',), ('SET', 'k', 1)), ['OK', 'QUEUED'])
        pause(admin)
        client.send_commands(last)
        expect(client.is_silent(admin), False, shown(last))
        client.read()
        client.send_commands(('RESET',))
        expect(client.read(), 'RESET')
        expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    expect(client.all(('MULTI',), ('SET', 'k', 1)), ['OK', 'QUEUED'])
    pause(admin)
    client.send_commands(('QUIT',))
    client.expect_closed(b'+OK\r\n')
    expect(admin('EXISTS', 'k'), 0)


@test()
def a_pause_may_begin_and_end_in_a_transaction(server):
    admin, client = server.clients_of(2)
    expect(admin.all(('MULTI',), ('SET', 'k', 1), ('CLIENT', 'PAUSE', LONG, 'WRITE'), ('SET', 'k', 2), ('EXEC',))[4], ['OK', 'OK', 'OK'])
    client.send_commands(('SET', 'k', 3))
    expect(client.is_silent(admin), True)
    expect(admin('GET', 'k'), b'2')
    expect(admin.all(('MULTI',), ('CLIENT', 'UNPAUSE'), ('GET', 'k'), ('EXEC',))[3], ['OK', b'2'])
    expect(client.read(), 'OK')
    expect(admin('GET', 'k'), b'3')


@test()
def one_who_waited_may_pause_again(server):
    admin, first, second, third = server.clients_of(4)
    pause(admin)
    first.send_commands(('INCR', 'n'), ('CLIENT', 'PAUSE', LONG, 'WRITE'), ('INCR', 'n'))
    expect(first.is_silent(admin), True)
    second.send_commands(('MULTI',), ('CLIENT', 'PAUSE', LONG, 'WRITE'), ('INCR', 'n'), ('EXEC',), ('INCR', 'n'))
    expect(second.read_many(2), ['OK', 'QUEUED'])
    third.send_commands(('INCR', 'n'))
    expect(third.is_silent(admin), True)
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    expect(first.read_many(2)[1], 'OK')
    for _ in range(5):
        admin('CLIENT', 'UNPAUSE')
    expect(type(first.read()), int)
    expect(second.read(), 'QUEUED')
    expect(second.read()[0], 'OK')
    admin('CLIENT', 'UNPAUSE')
    expect(type(second.read()), int)
    expect(type(third.read()), int)
    expect(admin('GET', 'n'), b'5')


@test('--notify-keyspace-events', 'KEA')
def nothing_expires_during_a_pause(server):
    admin, subscriber, client = server.clients_of(3)
    expect(subscriber('SUBSCRIBE', '__keyevent@0__:expired'), [b'subscribe', b'__keyevent@0__:expired', 1])
    admin.freeze()
    expect(admin.all(('SET', 'a', 1, 'PX', 100), ('SET', 'b', 2, 'PX', 5000), ('SET', 'c', 3)), ['OK'] * 3)
    pause(admin, 'WRITE', 10_000)
    admin.advance(5_000)
    time.sleep(0.3)  # the cron looks for work
    # It reads as absent but is there.
    expect(client.all(('GET', 'a'), ('EXISTS', 'a', 'b', 'c'), ('TTL', 'a'), ('TYPE', 'a'), ('DBSIZE',), ('GET', 'b')), [None, 2, -2, 'none', 3, b'2'])
    expect(subscriber.is_silent(admin), True)
    expect(admin.info('expired_keys'), 0)
    # A transaction that watches it cannot be fooled.
    expect(client.all(('WATCH', 'b'), ('MULTI',), ('PING',)), ['OK', 'OK', 'QUEUED'])
    admin.advance(1)
    expect(client('EXEC'), None)
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    expect(sorted(m[2] for m in subscriber.read_many(2)), [b'a', b'b'])
    expect(admin.all(('DBSIZE',), ('EXISTS', 'a', 'b', 'c')), [1, 1])
    expect(admin.info('expired_keys'), 2)


@test()
def a_paused_server_with_expired_keys_sleeps(server):
    """Nothing can be done about them, so there is nothing to wake up for."""
    admin = server.client()
    expect(admin('SET', 'a', 1, 'PX', 1), 'OK')
    pause(admin)
    admin.advance(100)
    expect(admin('GET', 'a'), None)
    before = admin.info('tern_turns')
    time.sleep(0.5)
    turns = admin.info('tern_turns') - before
    expect_true(turns < 100, f'{turns} turns in half a second of silence')


@test()
def waits_for_keys_go_on_during_a_pause(server):
    admin, early, late, pusher = server.clients_of(4)
    admin.freeze()
    early.send_commands(('BLPOP', 'l', 1))
    admin.wait_blocked(1)
    pause(admin, 'WRITE', 100_000)
    late.send_commands(('BLPOP', 'l', 1))
    pusher.send_commands(('RPUSH', 'm', 1))
    expect(late.is_silent(admin), True)
    expect(admin.info('blocked_clients') in (1, 2), True)
    admin.advance(1000)
    expect(early.read(), None)
    # The second's time begins when its command does.
    admin.advance(1000)
    expect(late.is_silent(admin), True)
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    expect(pusher.read(), 1)
    expect(late.is_silent(admin), True)
    admin.advance(999)
    expect(late.is_silent(admin), True)
    admin.advance(1)
    expect(late.read(), None)


@test()
def unblock_does_not_end_a_pause(server):
    admin, client = server.clients_of(2)
    client_id = client.id()
    pause(admin)
    client.send_commands(('BLPOP', 'l', 0))
    expect(client.is_silent(admin), True)
    expect(admin('CLIENT', 'UNBLOCK', client_id), 0)
    expect(admin('CLIENT', 'UNBLOCK', client_id, 'ERROR'), 0)
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    admin.wait_blocked(1)
    expect(admin('CLIENT', 'UNBLOCK', client_id), 1)
    expect(client.read(), None)


@test()
def a_client_may_vanish_while_it_waits(server):
    admin = server.client()
    before = admin.info('used_memory')
    pause(admin)
    killed, gone, reset, staying = server.clients_of(4)
    killed_id = killed.id()
    for client in killed, gone, reset, staying:
        client.send_commands(('INCR', 'n'), ('SET', 'k', 'x' * 200_000), ('INCR', 'n'))
        expect(client.is_silent(admin), True)
    expect(admin('CLIENT', 'KILL', 'ID', killed_id), 1)
    killed.expect_closed()
    gone.close()
    reset.reset()
    wait_until(lambda: admin.info('connected_clients') == 2, 'they are gone')
    expect(admin('EXISTS', 'n'), 0)
    expect(admin.all(('CLIENT', 'UNPAUSE'), ('PING',)), ['OK', 'PONG'])
    expect(staying.read_many(3), [1, 'OK', 2])
    expect(admin('GET', 'n'), b'2')
    expect(admin('DEL', 'k'), 1)
    staying.close()
    wait_until(lambda: admin.info('used_memory') < before + 50_000, 'the memory is free')


@test('--timeout', '10')
def waiting_for_the_end_of_a_pause_is_not_idling(server):
    admin, client, idle = server.clients_of(3)
    admin.freeze()
    pause(admin)
    client.send_commands(('SET', 'k', 1))
    expect(client.is_silent(admin), True)
    admin.advance(20_000)
    admin('PING')
    idle.expect_closed()
    time.sleep(0.3)  # the cron looks at all clients
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    expect(client.read(), 'OK')


@test()
def a_silent_client_that_waited_stays_silent(server):
    admin, client = server.clients_of(2)
    pause(admin)
    client.send_commands(('CLIENT', 'REPLY', 'SKIP'), ('SET', 'k', 1), ('ECHO', 'a'))
    expect(client.is_silent(admin), True)
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    expect(client.read(), b'a')
    pause(admin)
    client.send_commands(('CLIENT', 'REPLY', 'OFF'), ('SET', 'k', 1), ('GET', 'k'), ('CLIENT', 'REPLY', 'ON'))
    expect(client.is_silent(admin), True)
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    expect(client.read(), 'OK')
    expect(client.is_silent(admin), True)


@test()
def one_who_waits_may_not_send_without_end(server):
    admin, client = server.clients_of(2)
    expect(admin('CONFIG', 'SET', 'client-query-buffer-limit', '1mb'), 'OK')
    pause(admin)
    try:
        client.send(encode('SET', 'k', 1) + b'x' * 3_000_000)
        client.rest()
    except OSError:
        pass
    wait_until(lambda: admin.info('connected_clients') == 1, 'it is closed')
    expect(admin('CLIENT', 'UNPAUSE'), 'OK')
    expect(admin('EXISTS', 'k'), 0)


@test()
def a_paused_server_ends_when_told_to(server):
    admin, writer, blocked = server.clients_of(3)
    blocked.send_commands(('BLPOP', 'l', 0))
    admin.wait_blocked(1)
    pause(admin, 'ALL')
    writer.send_commands(('SET', 'k', 'x' * 100_000), ('PING',))
    time.sleep(0.05)


main()
