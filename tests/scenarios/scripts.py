"""Scripts: others while one is busy, killing it, ending the server; what follows from a script's writes; memory."""

from _harness import *

ENDLESS = 'while true do end'
BUSY = Error('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.')
KILLED = 'ERR Script killed by user with SCRIPT KILL... script: '


def run_until_busy(runner, other, script, *args):
    """Sends the script and returns when others are refused because of it."""
    runner.send_commands(('EVAL', script, *(args or (0,))))
    wait_until(lambda: other('PING') == BUSY, 'the script is busy')


# ---- busy -----------------------------------------------------------------------------------------


@test('--busy-reply-threshold', 20)
def a_busy_script_leaves_only_a_few_commands(server):
    runner, other = server.clients_of(2)
    other('SET', 'k', 'v')
    run_until_busy(runner, other, ENDLESS)
    for command in ('GET', 'k'), ('SET', 'k', 1), ('INFO',), ('CONFIG', 'GET', 'port'), ('CLIENT', 'LIST'), \
            ('SCRIPT', 'EXISTS', 'a'), ('EVAL', 'return 1', 0), ('SUBSCRIBE', 'a'), ('SHUTDOWN',):
        expect(other(*command), BUSY, str(command))
    expect_error(other('NOPE'), "ERR unknown command 'NOPE'")
    expect_error(other('GET'), "ERR wrong number of arguments for 'get' command")
    expect(other('WATCH', 'k'), 'OK')
    expect(other('MULTI'), 'OK')
    expect(other('GET', 'k'), BUSY)
    expect(other('EXEC'), Error('EXECABORT Transaction discarded because of: ' + BUSY.text))
    expect_error(other('DISCARD'), 'ERR DISCARD without MULTI')
    expect(other('RESET'), 'RESET')
    expect(server.client()('PING'), BUSY)
    expect(other('SCRIPT', 'KILL'), 'OK')
    expect_error(runner.read(), KILLED)
    expect(other('GET', 'k'), b'v')
    expect_error(other('SCRIPT', 'KILL'), 'NOTBUSY')
    expect_true('Slow script detected' in server.log(), 'it is logged')


@test('--busy-reply-threshold', 20)
def nothing_in_a_script_catches_its_end(server):
    runner, other = server.clients_of(2)
    for script in (ENDLESS, 'while true do pcall(function() while true do end end) end',
                   'local f f = function() pcall(f) while true do end end f()',
                   'while true do pcall(coroutine.wrap(function() while true do end end)) end',
                   "while true do redis.pcall('get', 'k') end", "while true do pcall(redis.call, 'nope') end"):
        run_until_busy(runner, other, script)
        expect(other('SCRIPT', 'KILL'), 'OK')
        expect_error(runner.read(), KILLED)
        expect(runner('PING'), 'PONG')


@test('--lua-time-limit', 20)
def what_has_written_cannot_be_killed_but_goes_on(server):
    runner, other = server.clients_of(2)
    run_until_busy(runner, other, "redis.call('set', 'k', 1) local t = redis.call('time')\n"
                   "for i = 1, tonumber(ARGV[1]) do end redis.call('incr', 'k') return redis.call('get', 'k')",
                   0, scaled(300_000_000, 30_000_000))
    answer = other('SCRIPT', 'KILL')
    expect_true(isinstance(answer, Error) and answer.text[:10] in ('UNKILLABLE', 'NOTBUSY No'), shown(answer))
    expect(runner.read(), b'2')
    expect(other('GET', 'k'), b'2')


@test('--busy-reply-threshold', 20)
def shutdown_nosave_ends_a_script_that_has_written(server):
    runner, other = server.clients_of(2)
    run_until_busy(runner, other, "redis.call('set', 'k', 1) " + ENDLESS)
    expect(other('SHUTDOWN', 'SAVE'), BUSY)
    expect_error(other('SHUTDOWN', 'X'), 'ERR syntax error')
    other.send_commands(('SHUTDOWN', 'NOSAVE'))
    expect(server.wait(), 0)
    server.has_ended = True


@test('--busy-reply-threshold', 20)
def who_started_a_busy_script_may_go(server):
    other = server.client()
    for leave in Client.close, Client.reset:
        runner = server.client()
        run_until_busy(runner, other, ENDLESS)
        leave(runner)
        expect(other('PING'), BUSY)
        expect(other('SCRIPT', 'KILL'), 'OK')
        wait_until(lambda: other('PING') == 'PONG', 'it is over')
    wait_until(lambda: other.info('connected_clients') == 1, 'the others are gone')


@test('--busy-reply-threshold', 20)
def others_come_and_go_while_a_script_is_busy(server):
    runner, other = server.clients_of(2)
    run_until_busy(runner, other, ENDLESS)
    for _ in range(50):
        client = server.client()
        expect(client('PING'), BUSY)
        client.close()
    expect(other('SCRIPT', 'KILL'), 'OK')
    expect_error(runner.read(), KILLED)
    wait_until(lambda: other.info('connected_clients') == 2, 'the others are gone')


@test('--busy-reply-threshold', 20)
def what_is_behind_a_busy_script_waits_for_it(server):
    runner, other = server.clients_of(2)
    runner.send_commands(('SET', 'k', 'v'), ('EVAL', ENDLESS, 0), ('GET', 'k'))
    wait_until(lambda: other('PING') == BUSY, 'the script is busy')
    expect(other('SCRIPT', 'KILL'), 'OK')
    expect(runner.read(), 'OK')
    expect_error(runner.read(), KILLED)
    expect(runner.read(), b'v')


@test('--busy-reply-threshold', 20)
def who_stands_behind_a_busy_script_in_its_batch_is_answered(server):
    runner, short, long, both = server.clients_of(4)
    large = 'x' * 100_000
    ids = {client: client.id() for client in (long, both)}
    for _ in range(3):
        for client in long, both: # all but the end of a long argument is there already
            unfinished = encode('SET', 'k', large)[:-2]
            client.send(unfinished)
            wait_until(lambda: short.described(ids[client])['qbuf'] == str(len(unfinished) - len(large)), 'it is')
        server.at_once((runner, pipeline(('EVAL', ENDLESS, 0))), (short, pipeline(('GET', 'k'))), (long, b'\r\n'),
                       (both, b'\r\n' + pipeline(('ECHO', large), ('GET', 'k'))))
        expect(short.read(), BUSY)
        expect(long.read(), BUSY)
        expect(both.read_many(3), [BUSY] * 3)
        expect(long.all(('SET', 'k', large), ('SCRIPT', 'KILL')), [BUSY, 'OK'])
        expect_error(runner.read(), KILLED)
        expect(both.all(('EXISTS', 'k'), ('ECHO', large)), [0, large.encode()])


@test('--busy-reply-threshold', 20)
def long_pipelines_do_not_wait_for_a_busy_script(server):
    runner, other = server.clients_of(2)
    pings = scaled(20_000, 5_000)
    server.at_once((runner, pipeline(*[('PING',)] * 5_000, ('EVAL', ENDLESS, 0))),
                   (other, pipeline(*[('PING',)] * pings, ('SCRIPT', 'KILL'), ('PING',))))
    expect(runner.read_many(5_000), ['PONG'] * 5_000)
    replies = other.read_many(pings + 2)
    expect(set(map(str, replies[:pings])) <= {'PONG', str(BUSY)}, True)
    while replies[-2] != 'OK': # before the script began
        replies = other.all(('SCRIPT', 'KILL'), ('PING',))
    expect_error(runner.read(), KILLED)


@test('--busy-reply-threshold', 20, '--maxclients', 30)
def clients_that_come_and_go_while_a_script_is_busy_use_up_nothing(server):
    runner, other = server.clients_of(2)
    run_until_busy(runner, other, ENDLESS)
    for i in range(200):
        client = server.client()
        expect(client('PING'), BUSY)
        [client.close, client.reset][i % 2]()
    expect(other('SCRIPT', 'KILL'), 'OK')
    expect_error(runner.read(), KILLED)
    wait_until(lambda: other.info('connected_clients') == 2, 'the others are gone')


# ---- one unit -------------------------------------------------------------------------------------


@test()
def the_time_stands_still_within_a_script(server):
    client = server.client()
    client('SET', 'k', 'v', 'PX', 30)
    reply = client('EVAL', """
        local first = redis.call('time')
        redis.call('set', 'own', 'v', 'px', 1)
        for i = 1, 20000000 do end
        local last = redis.call('time')
        return {first[1] == last[1] and first[2] == last[2], redis.call('get', 'own')}""", 0)
    expect(reply, [1, b'v'])


@test()
def a_write_of_a_script_spoils_who_watches(server):
    client, other = server.clients_of(2)
    client('WATCH', 'k')
    other('EVAL', "return redis.call('set', 'k', 1)", 0)
    client('MULTI')
    client('PING')
    expect(client('EXEC'), None)


@test()
def a_script_wakes_who_waits_when_it_is_over(server):
    waiter, second, other = server.clients_of(3)
    waiter.send_commands(('BLPOP', 'l', 0))
    second.send_commands(('BLPOP', 'l', 0))
    other.wait_blocked(2)
    expect(other('EVAL', "redis.call('rpush', 'l', 'a', 'b') redis.call('lpop', 'l') return redis.call('llen', 'l')", 0), 1)
    expect(waiter.read(), [b'l', b'b'])
    expect(other('EVAL', "redis.call('rpush', 'l', 'c') redis.call('del', 'l')", 0), None)
    expect_true(second.is_silent(other), 'nobody is woken for what is gone again')
    expect(other('EVAL', "return redis.call('rpush', 'l', 'd')", 0), 1)
    expect(second.read(), [b'l', b'd'])


@test('--notify-keyspace-events', 'KEA')
def scripts_notify_as_commands_do(server):
    listener, client = server.clients_of(2)
    expect(listener('PSUBSCRIBE', '__keyevent@0__:*'), [b'psubscribe', b'__keyevent@0__:*', 1])
    client('EVAL', "redis.call('set', 'a', 1) redis.call('incr', 'a') redis.call('del', 'a')", 0)
    expect([listener.read()[2] for _ in range(3)],
           [b'__keyevent@0__:set', b'__keyevent@0__:incrby', b'__keyevent@0__:del'])


@test()
def a_script_may_publish_to_its_own_client(server):
    client = server.client().resp3()
    expect(client('SUBSCRIBE', 'news'), Push([b'subscribe', b'news', 1]))
    client.send_commands(('EVAL', "redis.call('publish', 'news', 'x') return 'done'", 0))
    expect(client.read(), b'done')
    expect(client.read(), Push([b'message', b'news', b'x']))


@test()
def a_monitor_sees_the_script_and_then_its_commands(server):
    monitor, client = server.clients_of(2)
    expect(monitor('MONITOR'), 'OK')
    client('EVAL', "redis.call('set', KEYS[1], 'v') redis.pcall('get') redis.call('select', 3)", 1, 'k')
    lines = [re.sub(r'^[0-9.]+ ', '', monitor.read()) for _ in range(3)]
    expect_true(re.match(r'\[0 127.0.0.1:\d+\] "EVAL" "redis.call', lines[0]), lines[0])
    expect(lines[1:], ['[0 lua] "set" "k" "v"', '[3 lua] "select" "3"'])


@test('--slowlog-log-slower-than', 0)
def the_slow_log_has_the_script_and_its_commands(server):
    client = server.client()
    client('SLOWLOG', 'RESET')
    client('EVAL', "redis.call('set', 'k', 'v')", 0)
    expect([entry[3] for entry in client('SLOWLOG', 'GET', 10)][:2],
           [[b'EVAL', b"redis.call('set', 'k', 'v')", b'0'], [b'set', b'k', b'v']])


@test()
def calls_and_errors_are_counted_once(server):
    client = server.client()
    client('SET', 's', 'v')
    for script, errors, wanted in (
            ("return redis.pcall('lpush', 's', 1)", 1, {'eval': (1, 0, 1), 'lpush': (1, 0, 1)}),
            ("redis.pcall('lpush', 's', 1) return 1", 1, {'eval': (1, 0, 0), 'lpush': (1, 0, 1)}),
            ("return redis.call('lpush', 's', 1)", 1, {'eval': (1, 0, 1), 'lpush': (1, 0, 1)}),
            ("return redis.call('get')", 1, {'eval': (1, 0, 1), 'get': (0, 1, 0)}),
            ("return redis.call('multi')", 1, {'eval': (1, 0, 1), 'multi': (0, 1, 0)}),
            ("return redis.call('nope')", 1, {'eval': (1, 0, 1)}),
            ("return {err = 'MY error'}", 1, {'eval': (1, 0, 1)}),
            ("local e = redis.pcall('nope') e.ignore_error_stats_update = nil return e", 2, {'eval': (1, 0, 1)})):
        client('CONFIG', 'RESETSTAT')
        client('EVAL', script, 0)
        stats = client('INFO', 'commandstats').decode()
        for name, (calls, rejected, failed) in wanted.items():
            found = re.search(rf'cmdstat_{name}:calls=(\d+),.*rejected_calls=(\d+),failed_calls=(\d+)', stats)
            expect(tuple(map(int, found.groups())), (calls, rejected, failed), f'{script}: {name}')
        expect(client.info('total_error_replies'), errors, script)


# ---- memory and harm ----------------------------------------------------------------------------------


@test()
def scripts_of_eval_give_way_and_loaded_ones_stay(server):
    client = server.client()
    loaded = client('SCRIPT', 'LOAD', "return 'loaded'")
    kept = client('EVAL', "return redis.sha1hex(\"return 'kept'\")", 0)
    client('EVAL', "return 'kept'", 0)
    for i in range(1200):
        expect(client('EVAL', f'return {i}', 0), i)
        if i % 100 == 0:
            expect(client('EVALSHA', kept, 0), b'kept')
    expect(client.info('number_of_cached_scripts'), 501)
    expect(client.info('evicted_scripts'), 702)
    expect(client('SCRIPT', 'EXISTS', loaded, kept), [1, 1])
    expect(client('SCRIPT', 'FLUSH'), 'OK')
    expect(client.info('number_of_cached_scripts'), 0)


@test()
def what_scripts_leave_behind_is_collected(server):
    client = server.client()
    for _ in range(5):
        client('EVAL', "for i = 1, 100000 do local t = {i, tostring(i)} end", 0)
    wait_until(lambda: client.info('used_memory_lua') < 4 * MB, 'the garbage is gone')
    for mode in 'SYNC', 'ASYNC':
        client('EVAL', "return string.rep('x', 1000)", 0)
        expect(client('SCRIPT', 'FLUSH', mode), 'OK')
        expect(client.info('used_memory_lua'), 0)


@test('--busy-reply-threshold', 1000)
def bad_scripts_do_no_harm(server):
    client = server.client()
    for script, wanted in (
            ('local function f() return 1 + f() end return f()', 'stack overflow'),
            ("local function f() return pcall(f) end f() return {err = 'ERR done'}", 'ERR'),
            ("local t = {} t.__index = function(t, k) return t[k] end setmetatable(t, t) return t.x", 'stack overflow'),
            ("return ('x'):rep(1e10)", 'ERR'),
            ('error()', 'ERR nil'), ('error(nil)', 'ERR nil'), ('error({})', 'ERR unknown error'),
            ('error(setmetatable({}, {__index = function() error({}) end}))', 'ERR'),
            ('error(setmetatable({}, {__tostring = function() return 1 end}))', 'ERR unknown error'),
            ('local t = {} t[1] = t return t', None),
            ('local t = {} t.map = {a = t} return t', None),
            ("return redis.call('srandmember', KEYS[1], -1000000000)", None),
            ('return unpack({}, 1, 1e8)', 'ERR'),
            ("return redis.call('echo', unpack({}, 1, 200))", 'ERR'),
            ("return string.format('%99999d', 1)", 'ERR'),
            ("return ('a'):find(('a?'):rep(30000))", None),
            ('return load(function() return nil end)', None),
            ("return loadstring('\\27Lua')", None)):
        before = server.client()
        before.send_commands(('EVAL', script, 1, 'nokey'))
        if wanted:
            reply = before.read()
            expect_true(isinstance(reply, Error) and wanted in reply.text, f'{script}: {shown(reply)}')
        else:
            before.read_bytes(1)
        before.close()
        expect(client('PING'), 'PONG')


@test()
def a_reply_that_doubles_without_end_ends_its_client(server):
    client, other = server.clients_of(2)
    client.send_commands(('EVAL', 'local t = {("x"):rep(9999)} for i = 1, 60 do t = {t, t} end return t', 0))
    wait_until(lambda: not isinstance(other('PING'), Error), 'it is over')


@test()
def a_table_that_contains_itself_twice_is_a_reply_with_an_end(server):
    client = server.client()
    client.send_commands(('EVAL', 'local t = {} t[1] = t t[2] = t return t', 0), ('ECHO', 'the end'))
    array, end = b'*2\r\n', b'-ERR reached lua stack limit\r\n'
    expect(client.read_bytes(7995 * len(array)), array * 7995)
    awaited = 7996
    while awaited:
        first = client.read_bytes(1)
        expect(first + client.read_bytes(len(array if first == b'*' else end) - 1), array if first == b'*' else end)
        awaited += 1 if first == b'*' else -1
    expect(client.read(), b'the end')


@test()
def many_arguments_and_large_values_pass_through(server):
    client = server.client()
    words = [b'%d' % i for i in range(scaled(5000, 1000, 300))]
    expect(client('EVAL', "return redis.call('rpush', KEYS[1], unpack(ARGV))", 1, 'l', *words), len(words))
    expect(client('EVAL', "return redis.call('lrange', KEYS[1], 0, -1)", 1, 'l'), words)
    large = random.Random(1).randbytes(scaled(3 * MB, MB, 20_000))
    expect(client('EVAL', "redis.call('set', KEYS[1], ARGV[1]) return redis.call('get', KEYS[1])", 1, 'k', large), large)


@test('--maxmemory', '100mb')
def memory_out_is_judged_when_the_script_begins(server):
    client = server.client()
    client('SET', 'k', 'v')
    client('CONFIG', 'SET', 'maxmemory', 1)
    expect_error(client('EVAL', "return redis.call('set', 'k', 1)", 0), "OOM command not allowed when used memory > 'maxmemory'.")
    expect(client('EVAL', "redis.call('del', 'a') return redis.call('set', 'k', 1)", 0), 'OK')
    expect_error(client('EVAL', '#!lua\nreturn 1', 0), 'OOM command not allowed')
    expect(client('EVAL', "#!lua flags=allow-oom\nreturn redis.call('set', 'k', 2)", 0), 'OK')
    expect(client('EVAL', "#!lua flags=no-writes\nreturn redis.call('get', 'k')", 0), b'2')


@test()
def a_pause_of_writes_holds_scripts_that_may_write(server):
    client, reader, writer = server.clients_of(3)
    client('SET', 'k', 'v')
    client('CLIENT', 'PAUSE', 100_000, 'WRITE')
    expect(reader('EVAL_RO', "return redis.call('get', 'k')", 0), b'v')
    expect(reader('EVAL', "#!lua flags=no-writes\nreturn redis.call('get', 'k')", 0), b'v')
    writer.send_commands(('EVAL', 'return 1', 0))
    expect_true(writer.is_silent(reader), 'it might write')
    client('CLIENT', 'UNPAUSE')
    expect(writer.read(), 1)


main()
