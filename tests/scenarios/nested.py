"""DEBUG NESTED-LOOP: events are served from within a command, as they are while a script is busy or a file loads."""

from _harness import *


def loop(ms=150):
    return 'DEBUG', 'NESTED-LOOP', ms


def attempts(ms):
    """Longer and longer loops, each with a mark of its own and the time to wait before one looks: who asks too soon may
    stand in the same batch, behind the loop; and on a busy machine it may be over too soon."""
    for n in range(8):
        yield random.getrandbits(60), loop(ms * 2 ** n), ms * 2 ** n / 10_000, time.monotonic() + ms * 2 ** n / 2000
    raise Failed('the loop was over each time')


def is_running(runner, other, mark, pause, in_time):
    """Waits for the SET of 'mark' that stands before the loop. False when so much time has passed that the loop may be over."""
    time.sleep(pause)
    wait_until(lambda: other('GET', 'running') == b'%d' % mark, 'it runs')
    return time.monotonic() < in_time and not runner.peek().endswith(b'the end\r\n')


def run_loop(runner, other, *commands):
    """Sends them, with a SET before the loop that is among them and an ECHO at the end, and returns while the loop runs:
    'other' was served from within."""
    at = next(i for i, command in enumerate(commands) if command[:2] == loop()[:2])
    for mark, longer, pause, in_time in attempts(commands[at][2]):
        runner.send_commands(*commands[:at], ('SET', 'running', mark), longer, *commands[at + 1:], ('ECHO', 'the end'))
        if is_running(runner, other, mark, pause, in_time):
            return
        runner.read_many(len(commands) + 2)


def loop_at_once(server, runner, other, prepare, behind, *work):
    """A loop and the (client, commands) of 'work' in one turn, so that these stand behind it in the batch. Returns while the
    loop runs; the runner's replies are then two, those to 'behind' and 'the end'."""
    for mark, longer, pause, in_time in attempts(200):
        prepare()
        server.at_once((runner, pipeline(('SET', 'running', mark), longer, *behind, ('ECHO', 'the end'))), *[(client, pipeline(*commands)) for client, commands in work])
        if is_running(runner, other, mark, pause, in_time):
            return
        runner.read_many(3 + len(behind))
        for client, commands in work:
            client.read_many(len(commands))


@test()
def others_are_served_meanwhile(server):
    runner, other = server.clients_of(2)
    run_loop(runner, other, ('ECHO', 'before'), loop(), ('ECHO', 'behind'))
    answered = 0
    while answered == 0 or not runner.peek():
        expect(other.all(('INCR', 'n'), ('PING',), ('SET', 'k', 'x' * 20_000), ('GET', 'k'))[1:], ['PONG', 'OK', b'x' * 20_000])
        answered += 1
    expect(runner.read_many(5), [b'before', 'OK', 'OK', b'behind', b'the end'])


@test(in_turn=True)
def those_of_the_outer_batch_wait_for_their_turn_and_go_on(server):
    runner, between, free = server.clients_of(3)
    waiting = server.clients_of(20)
    server.at_once((runner, pipeline(('RPUSH', 'l', 'runner'), loop(), ('RPUSH', 'l', 'runner'))),
            *[(client, pipeline(('RPUSH', 'l', i), ('ECHO', i), ('LRANGE', 'l', 0, 0))) for i, client in enumerate(waiting)])
    expect(free('RPUSH', 'l', 'free') > 1, True)
    expect(runner.read_many(3)[1], 'OK')
    for i, client in enumerate(waiting):
        expect(client.read_many(3)[1:], [b'%d' % i, [b'runner']])
    expect(free('LLEN', 'l'), 23)
    order = free('LRANGE', 'l', 0, -1)
    expect([e for e in order if e not in (b'runner', b'free')], [b'%d' % i for i in range(20)])


@test()
def clients_come_and_go_meanwhile(server):
    runner, other = server.clients_of(2)
    runner.send_commands(loop(300))
    rounds = 0
    while rounds == 0 or not runner.has_input():
        clients = server.clients_of(5)
        for i, client in enumerate(clients):
            client.send_commands(('SET', f'k{i}', i), ('SUBSCRIBE', 'news') if i % 2 else ('PING',))
        for client in clients:
            client.read_many(2)
        expect(other('PUBLISH', 'news', 'x') >= 2, True)
        clients[0].close()
        clients[1].reset()
        clients[2].send_commands(('QUIT',))
        clients[2].expect_closed(b'+OK\r\n')
        expect(other('CLIENT', 'KILL', 'TYPE', 'pubsub') >= 1, True)
        clients[3].rest()
        clients[4].close()
        rounds += 1
    expect(runner.read(), 'OK')
    wait_until(lambda: other.info('connected_clients') == 2, 'they are gone')
    expect(other.info('pubsub_clients'), 0)


@test()
def one_may_be_killed_from_within(server):
    killer = server.client()
    for count in (0, 100):
        runner, waiting, far = server.clients_of(3)
        ids = [client.id() for client in (runner, waiting, far)]
        run_loop(runner, killer, *[('ECHO', 'x' * 100)] * count, loop(250), ('INCR', 'behind'))
        waiting.send_commands(*[('ECHO', 'y')] * 10, ('BLPOP', 'l', 0), ('INCR', 'never'))
        far.send(encode('ECHO', 'z' * 9_000) * 10)
        expect(far.read(), b'z' * 9_000)
        before = int(killer('GET', 'behind') or 0)
        expect(killer.all(*[('CLIENT', 'KILL', 'ID', i) for i in ids], ('CLIENT', 'KILL', 'ID', ids[0]), ('RPUSH', 'l', 1), ('DEL', 'l')), [1, 1, 1, 0, 1, 1])
        for client in runner, waiting, far:
            client.rest()
        wait_until(lambda: killer.info('connected_clients') == 1, 'they are gone')
        expect(killer.all(('EXISTS', 'never'), ('GET', 'behind')), [0, b'%d' % before if before else None])


@test(in_turn=True)
def those_of_the_outer_batch_may_be_killed_from_within(server):
    killer = server.client()
    for count in (0, 25):  # all in a batch's 64
        runner, waiting, far = server.clients_of(3)
        ids = [client.id() for client in (runner, waiting, far)]
        loop_at_once(server, runner, killer, lambda: killer('DEL', 'n'), [('ECHO', 'x' * 100)] * count, (waiting, [('INCR', 'n')] * 30), (far, [('ECHO', 'z' * 9_000)]))
        expect(killer.all(*[('CLIENT', 'KILL', 'ID', i) for i in ids], ('CLIENT', 'KILL', 'ID', ids[0])), [1, 1, 1, 0])
        for client in runner, waiting, far:
            client.rest()
        wait_until(lambda: killer.info('connected_clients') == 1, 'they are gone')
        expect(killer('EXISTS', 'n'), 0)


@test()
def the_runner_may_vanish(server):
    other = server.client()
    for how in 'close', 'reset':
        runner = server.client()
        run_loop(runner, other, ('SET', 'k', 1), loop(), ('INCR', 'k'))
        getattr(runner, how)()
        wait_until(lambda: other.info('connected_clients') == 1, 'it is gone')
        expect(other('FLUSHALL'), 'OK')


@test()
def a_long_reply_before_and_behind_arrives_whole(server):
    runner, other = server.clients_of(2)
    big = os.urandom(3_000_000)
    expect(other.all(('SET', 'big', big), ('RPUSH', 'l', *['e' * 100] * 2000)), ['OK', 2000])
    runner.send_commands(('GET', 'big'), ('LRANGE', 'l', 0, -1), ('ECHO', 1), loop(), ('ECHO', 2), ('GET', 'big'))
    n = 0
    while n < 3 or not runner.has_input():
        expect(len(other('LRANGE', 'l', 0, -1)), 2000)
        n += 1
    expect(runner.read_many(6) == [big, [b'e' * 100] * 2000, b'1', 'OK', b'2', big], True)


@test()
def it_may_run_in_a_transaction(server):
    runner, other = server.clients_of(2)
    run_loop(runner, other, ('WATCH', 'w'), ('MULTI',), ('ECHO', 'x' * 100_000), ('SET', 'k', 1), loop(250), ('INCR', 'k'), ('EXEC',))
    expect(other.all(('SET', 'w', 1), ('INCR', 'k')), ['OK', 2])
    expect(runner.read_many(7), ['OK', 'OK'] + ['QUEUED'] * 5)
    expect(runner.read_many(2), [[b'x' * 100_000, 'OK', 'OK', 'OK', 3], b'the end'])
    # its client is killed meanwhile: the rest of the queue does no harm
    runner_id = runner.id()
    run_loop(runner, other, ('MULTI',), ('SET', 'k', 10), loop(250), ('ECHO', 'x' * 100_000), ('EXEC',), ('SET', 'k', 20))
    expect(other.all(('CLIENT', 'KILL', 'ID', runner_id), ('GET', 'k')), [1, b'10'])
    runner.rest()
    wait_until(lambda: other.info('connected_clients') == 1, 'it is gone')
    expect(other('GET', 'k'), b'10')


@test()
def messages_to_the_runner_do_not_fall_into_its_reply(server):
    runner, other = server.client().resp3(), server.client()
    expect(runner('SUBSCRIBE', 'news'), Push([b'subscribe', b'news', 1]))
    expect(other('SET', 'big', 'b' * 200_000), 'OK')

    def message(text):
        return Push([b'message', b'news', text])

    run_loop(runner, other, ('ECHO', 'a'), loop(250), ('ECHO', 'b'))
    expect(other('PUBLISH', 'news', 'x'), 1)
    expect(runner.read_many(6), [b'a', 'OK', 'OK', message(b'x'), b'b', b'the end'])
    # in the middle of a transaction's reply, of which the beginning has left already
    runner.send_commands(('MULTI',), ('GET', 'big'), ('PUBLISH', 'news', 'own'), loop(250), ('GET', 'big'), ('EXEC',), ('PING',))
    expect(runner.read_many(5), ['OK'] + ['QUEUED'] * 4)
    expect(other.all(('PUBLISH', 'news', 'x'), ('PUBLISH', 'news', 'y')), [1, 1])
    expect(runner.read(), [b'b' * 200_000, 1, 'OK', b'b' * 200_000])
    rest = runner.read_many(4)
    expect([r for r in rest if r != 'PONG'], [message(b'own'), message(b'x'), message(b'y')])


@test()
def a_command_half_read_outside_may_be_completed_inside(server):
    """The rest of it is in the socket when the outer turn comes to its client, behind the one that loops."""
    runner, other = server.clients_of(2)
    for size, cut, count in (30_000, 29_000, 1), (30_000, 29_000, 3), (30_000, 20_000, 2), (100_000, 20_000, 2), (100_000, 90_000, 2), (25_000, 100, 1), (200, 100, 3):
        size, cut = (size, cut) if not IS_STRESS else (size // 40, cut // 40)
        victims = server.clients_of(count)
        value = os.urandom(size)
        data = encode('SET', 'k', value)
        for victim in victims:
            victim.send(data[:cut])
        runner.all(('PING',), ('PING',))
        wait_until(lambda: sum(int(f) for f in re.findall(rb'qbuf=(\d+)', other('CLIENT', 'LIST'))) >= count * cut, 'the beginnings are here')
        server.at_once((runner, encode(*loop(60))), *[(victim, data[cut:] + encode('GET', 'k')) for victim in victims])
        for victim in victims:
            expect(victim.read_many(2) == ['OK', value], True, f'{size} cut at {cut}')
            victim.close()
        expect(runner.read(), 'OK')


@test()
def a_full_arena_may_meet_a_nested_turn(server):
    """Shares of many clients fill it, one loops, and the next client's half command is completed meanwhile."""
    runner, other = server.clients_of(2)
    size = scaled(15_500, 15_500, 300)
    fillers, victims = server.clients_of(15), server.clients_of(15)
    value = os.urandom(size)
    data = encode('SET', 'k', value)
    half = len(data) // 2
    for round in range(3):
        for victim in victims:
            victim.send(data[:half])
        wait_until(lambda: sum(int(f) for f in re.findall(rb'qbuf=(\d+)', other('CLIENT', 'LIST'))) >= 15 * half, 'the beginnings are here')
        server.at_once((runner, encode(*loop(60))), *[(filler, data) for filler in fillers],
                *[(victim, data[half:] + encode('GET', 'k')) for victim in victims])
        for filler in fillers:
            expect(filler.read(), 'OK')
        for victim in victims:
            expect(victim.read_many(2), ['OK', value])
        expect(runner.read(), 'OK')


@test()
def long_pipelines_in_both_turns_are_whole(server):
    """More commands than a share holds, so that those who loop and those who wait stand in the ready list."""
    clients, other = server.clients_of(8), server.client()
    count = scaled(700, 400, 100)
    work = []
    for i, client in enumerate(clients):
        commands = [('ECHO', f'{i}:{n}') for n in range(count)]
        for n in range(50 + i, count, 190 if not IS_STRESS else 45):
            commands[n] = loop(20) if i % 2 == 0 else ('INCR', 'n')
        work.append((client, commands))
    server.at_once(*[(client, pipeline(*commands)) for client, commands in work])
    for _ in range(20):
        other('PING')
    for i, (client, commands) in enumerate(work):
        for n, (command, reply) in enumerate(zip(commands, client.read_many(count))):
            if command[0] == 'ECHO':
                expect(reply, command[1].encode())
            elif command[0] == 'DEBUG':
                expect(reply, 'OK')
            else:
                expect(type(reply), int)


@test(in_turn=True)
def those_in_the_ready_list_may_be_killed_from_within(server):
    runner, killer = server.clients_of(2)
    victims = server.clients_of(6)
    ids = [victim.id() for victim in victims]
    server.at_once(*[(victim, encode('ECHO', i) * 400) for i, victim in enumerate(victims[:3])], (runner, encode('PING') * 140 + encode(*loop()) + encode('PING') * 200),
            *[(victim, encode('ECHO', i) * 400) for i, victim in enumerate(victims[3:])])
    killer.all(*[('CLIENT', 'KILL', 'ID', i) for i in ids])
    for victim in victims:
        victim.rest()
    expect(runner.read_many(341), ['PONG'] * 140 + ['OK'] + ['PONG'] * 200)
    wait_until(lambda: killer.info('connected_clients') == 2, 'they are gone')


@test()
def a_nested_turn_may_have_one_of_its_own(server):
    depth = 10
    runners, other = server.clients_of(depth), server.client()
    for i, runner in enumerate(runners):
        run_loop(runner, other, ('ECHO', 'x' * 5000), loop(500), ('ECHO', i))
    fresh = server.client()
    expect(fresh.all(('PING',), ('ECHO', 'y' * 50_000)), ['PONG', b'y' * 50_000])
    for i, runner in enumerate(runners):
        expect(runner.read_many(5), [b'x' * 5000, 'OK', 'OK', b'%d' % i, b'the end'])


@test()
def the_same_client_may_loop_again_and_again(server):
    runner, other = server.clients_of(2)
    runner.send(encode(*loop(5)) * 40 + encode('PING'))
    for n in range(50):
        expect(other('INCR', 'n'), n + 1)
    expect(runner.read_many(41), ['OK'] * 40 + ['PONG'])


@test()
def waits_and_pauses_begin_and_end_within(server):
    runner, blocked, early, paused, other = server.clients_of(5)
    early.send_commands(('BLPOP', 'e', 0), ('PING',))
    other.wait_blocked(1)
    server.at_once((runner, pipeline(('RPUSH', 'o', 1), loop(400), ('LLEN', 'l'))))
    other.freeze()
    blocked.send_commands(('BLPOP', 'l', 10), ('BLPOP', 'l', 10), ('ECHO', 'behind'))
    other.wait_blocked(2)
    expect(other.all(('RPUSH', 'l', 'x'), ('RPUSH', 'e', 'y')), [1, 1])
    expect(blocked.read(), [b'l', b'x'])
    expect(early.read_many(2), [[b'e', b'y'], 'PONG'])
    other.wait_blocked(1)
    other.advance(10_000)
    expect(blocked.read_many(2), [None, b'behind'])
    expect(other('CLIENT', 'PAUSE', 1000, 'WRITE'), 'OK')
    paused.send_commands(('SET', 'p', 1), ('GET', 'p'))
    expect(paused.is_silent(other), True)
    other.advance(1000)
    expect(paused.read_many(2), ['OK', b'1'])
    expect(runner.read_many(3), [1, 'OK', 0])


@test(in_turn=True)
def a_pause_from_within_holds_the_outer_batch(server):
    runner, waiting, other = server.clients_of(3)
    loop_at_once(server, runner, other, lambda: None, [('SET', 'a', 1), ('PING',)], (waiting, [('PING',), ('SET', 'b', 1), ('PING',)]))
    expect(other('CLIENT', 'PAUSE', 1_000_000, 'WRITE'), 'OK')
    expect(runner.read_many(2), ['OK', 'OK'])
    expect(waiting.read(), 'PONG')
    expect(runner.is_silent(other) and waiting.is_silent(other), True)
    expect(other('CLIENT', 'UNPAUSE'), 'OK')
    expect(runner.read_many(3), ['OK', 'PONG', b'the end'])
    expect(waiting.read_many(2), ['OK', 'PONG'])


@test(in_turn=True)
def keys_that_the_outer_batch_counts_on_may_change(server):
    runner, other = server.clients_of(2)
    waiting = server.clients_of(10)

    def fill():
        other.all(('FLUSHALL',), *[('RPUSH', f'l{i}', *range(10)) for i in range(10)], *[('SET', f's{i}', 'x' * 700) for i in range(10)])

    loop_at_once(server, runner, other, fill, [('GET', f's{i}') for i in range(10)],
                 *[(client, [('LPOP', f'l{i}'), ('APPEND', f's{i}', 'y'), ('GET', f's{i}')]) for i, client in enumerate(waiting)])
    expect(other.all(('FLUSHALL',), ('DEBUG', 'POPULATE', scaled(50_000, 5_000)), ('SET', 's3', 'new'))[2], 'OK')
    expect(runner.read_many(13), ['OK', 'OK'] + [b'new' if i == 3 else None for i in range(10)] + [b'the end'])
    for i, client in enumerate(waiting):
        expect(client.read_many(3), [None, 4, b'newy'] if i == 3 else [None, 1, b'y'])


@test()
def the_runner_may_exceed_its_limits_meanwhile(server):
    runner, other = server.client().resp3(), server.client()
    expect(other('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 10kb 0 0'), 'OK')
    expect(runner('SUBSCRIBE', 'news'), Push([b'subscribe', b'news', 1]))
    run_loop(runner, other, ('SET', 'k', 1), loop(800), ('SET', 'k', 2))
    for _ in range(3):
        other('PUBLISH', 'news', 'x' * 10_000)
    runner.rest()
    wait_until(lambda: other.info('connected_clients') == 1, 'it is gone')
    expect(other('GET', 'k'), b'1')


@test()
def the_server_ends_when_told_to_from_within(server):
    runner, waiting = server.clients_of(2)
    server.at_once((runner, pipeline(('PING',), loop(100), ('PING',))), (waiting, encode('PING')))
    server.process.send_signal(signal.SIGTERM)  # stop() looks at the status
    server.process.wait(TIMEOUT)
    server.has_ended = True


main()
