"""Functions: what other clients see of one that takes long, how it ends, and payloads that go from server to server."""

from _harness import *

LIBRARY = b"""#!lua name=mylib
local calls = 0
redis.register_function{function_name='spin', callback=function() while true do end end, flags={'no-writes'}}
redis.register_function('writing_spin', function(keys) redis.call('set', keys[1], 'half') while true do end end)
redis.register_function('stubborn_spin', function() while true do pcall(function() while true do end end) end end)
redis.register_function('count', function() calls = calls + 1 return calls end)
redis.register_function('put', function(keys, args) return redis.call('set', keys[1], args[1]) end)
"""
BUSY = 'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.'
KILLED = 'ERR Script killed by user with SCRIPT KILL... script: {}, on @user_function:'


def loaded(server, threshold_ms=20):
    client = server.client()
    expect(client('CONFIG', 'SET', 'busy-reply-threshold', threshold_ms), 'OK')
    expect(client('FUNCTION', 'LOAD', LIBRARY), b'mylib')
    return client


def wait_until_busy(client):
    wait_until(lambda: isinstance(client('PING'), Error), 'the function is busy')


def pairs(reply):
    return dict(zip(reply[::2], reply[1::2]))


def running(client):
    return pairs(client('FUNCTION', 'STATS'))[b'running_script']


@test()
def others_see_a_busy_function_and_end_it(server):
    caller, other = loaded(server), server.client()
    caller.send_commands(('FCALL', 'spin', 1, 'key', 'argument'), ('ECHO', 'behind'))
    wait_until_busy(other)
    for command in ('GET', 'k'), ('FUNCTION', 'LIST'), ('FUNCTION', 'FLUSH'), ('FCALL', 'count', 0), ('SCRIPT', 'KILL'), ('MULTI', 'x'):
        error = other(*command)
        expect_true(isinstance(error, Error), f'{command}: got {shown(error)}')
        if command[0] != 'MULTI':
            expect_error(error, BUSY)
    shown_now = pairs(running(other))
    expect(shown_now[b'name'], b'spin')
    expect(shown_now[b'command'], [b'FCALL', b'spin', b'1', b'key', b'argument'])
    expect_true(shown_now[b'duration_ms'] >= 20, 'it has run for the threshold at least')
    expect(other('FUNCTION', 'KILL'), 'OK')
    expect_error(caller.read(), KILLED.format('spin'))
    expect(caller.read(), b'behind')
    expect(running(other), None)
    expect_error(other('FUNCTION', 'KILL'), 'NOTBUSY')
    expect(caller('FCALL', 'count', 0), 1)


@test()
def pcall_does_not_save_a_killed_function(server):
    caller, other = loaded(server), server.client()
    caller.send_commands(('FCALL', 'stubborn_spin', 0))
    wait_until_busy(other)
    expect(other('FUNCTION', 'KILL'), 'OK')
    wait_until(lambda: other('PING') == 'PONG', 'it has ended')
    expect_error(caller.read(), KILLED.format('stubborn_spin'))


@test()
def a_function_that_has_written_is_not_killed(server):
    caller, other = loaded(server), server.client()
    caller.send_commands(('FCALL', 'writing_spin', 1, 'k'))
    wait_until_busy(other)
    expect_error(other('FUNCTION', 'KILL'), 'UNKILLABLE')
    expect_error(other('SHUTDOWN'), 'BUSY')
    other.send_commands(('SHUTDOWN', 'NOSAVE'))
    server.has_ended = True
    expect(server.wait(), 0)


@test()
def a_function_within_a_transaction(server):
    caller, other = loaded(server), server.client()
    expect(caller('MULTI'), 'OK')
    for command in ('SET', 'a', 1), ('FCALL', 'spin', 0), ('FCALL', 'put', 1, 'b', 2):
        expect(caller(*command), 'QUEUED')
    caller.send_commands(('EXEC',))
    wait_until_busy(other)
    expect(pairs(running(other))[b'command'], [b'FCALL', b'spin', b'0'])
    expect(other('FUNCTION', 'KILL'), 'OK')
    first, second, third = caller.read()
    expect((first, third), ('OK', 'OK'))
    expect_error(second, KILLED.format('spin'))
    expect(other('MGET', 'a', 'b'), [b'1', b'2'])


@test(in_turn=True)
def who_came_with_the_call_is_served_meanwhile(server):
    before, caller, after, last = loaded(server), *server.clients_of(3)
    fresh = [('PING',), ('FUNCTION', 'KILL')]
    server.at_once((before, pipeline(('ECHO', 'early'))), (caller, pipeline(('FCALL', 'spin', 0), ('ECHO', 'behind'))),
                   (after, pipeline(('GET', 'k'), ('PING',), ('SET', 'k', 'half'))[:-3]), (last, pipeline(*fresh)))
    expect(before.read(), b'early')
    for client in after, after, last:
        expect_error(client.read(), BUSY)
    expect(last.read(), 'OK')
    expect_error(caller.read(), KILLED.format('spin'))
    expect(caller.read(), b'behind')
    after.send(b'f\r\n')
    expect(after.read(), 'OK')
    expect(last('GET', 'k'), b'half')


@test()
def who_called_may_go(server):
    caller, other = loaded(server), server.client()
    caller.send_commands(('FCALL', 'spin', 0))
    wait_until_busy(other)
    caller.close()
    expect(pairs(running(other))[b'name'], b'spin')
    expect(other('FUNCTION', 'KILL'), 'OK')
    wait_until(lambda: other('PING') == 'PONG', 'it has ended')
    expect(other('FCALL', 'count', 0), 1)


@test()
def many_libraries_come_and_go(server):
    client = server.client()
    count = scaled(300, 60, 20)
    for i in range(count):
        code = f"#!lua name=l{i}\nredis.register_function('f{i}', function() return {i} end)"
        expect(client('FUNCTION', 'LOAD', code), f'l{i}'.encode())
    stats = pairs(pairs(client('FUNCTION', 'STATS'))[b'engines'])[b'LUA']
    expect(pairs(stats), {b'libraries_count': count, b'functions_count': count})
    payload = client('FUNCTION', 'DUMP')
    for i in range(0, count, 2):
        expect(client('FUNCTION', 'DELETE', f'l{i}'), 'OK')
    for i in range(count):
        answer = client('FCALL', f'f{i}', 0)
        if i % 2:
            expect(answer, i)
        else:
            expect_error(answer, 'ERR Function not found')
    expect(client('FUNCTION', 'FLUSH', 'ASYNC'), 'OK')
    expect(client('FUNCTION', 'RESTORE', payload), 'OK')
    expect([client('FCALL', f'f{i}', 0) for i in range(count)], list(range(count)))
    expect(client('FUNCTION', 'DUMP'), payload)
    figures = client('INFO', 'memory')
    expect_true(f'number_of_functions:{count}\r\n'.encode() in figures, 'INFO counts them')
    expect_true(b'used_memory_functions:0\r\n' not in figures and b'used_memory_vm_functions:0\r\n' not in figures, 'their memory')


@test()
def replacing_a_library_a_thousand_times_takes_no_memory(server):
    client = server.client()

    def memory():
        wait_until(lambda: client('PING') == 'PONG', 'it answers')
        return int(re.search(rb'used_memory_vm_functions:(\d+)', client('INFO', 'memory'))[1])

    def replace(times):
        for i in range(times):
            code = b"#!lua name=l\nlocal t = {%s}\nredis.register_function('f', function() return #t end)" % (b'1,' * 500)
            expect(client('FUNCTION', 'LOAD', 'REPLACE', code), b'l')

    replace(100)
    before = memory()
    replace(scaled(1000, 200, 50))
    wait_until(lambda: memory() < before + 256 * 1024, 'what was replaced is collected')
    expect(client('FCALL', 'f', 0), 500)


@test()
def a_snapshot_has_the_functions(server):
    client = loaded(server)
    expect(client('FUNCTION', 'LOAD', b"#!lua name=other\nredis.register_function('other', function() return 'other' end)"), b'other')
    payload = client('FUNCTION', 'DUMP')
    expect(client('FCALL', 'count', 0), 1)
    expect(client('DEBUG', 'RELOAD'), 'OK')
    expect(client('FUNCTION', 'DUMP'), payload)
    expect(client('FCALL', 'count', 0), 1)  # they were loaded anew
    expect(client('FUNCTION', 'DELETE', 'mylib'), 'OK')
    expect(client('FUNCTION', 'LOAD', b"#!lua name=new\nredis.register_function('count', function() return 'new' end)"), b'new')
    expect(client('DEBUG', 'RELOAD', 'NOSAVE'), 'OK')
    expect(client('FUNCTION', 'DUMP'), payload)
    expect(client('SAVE'), 'OK')
    again = Server(os.path.join(server.directory, 'again'))
    try:
        shutil.copy(os.path.join(server.directory, 'dump.rdb'), os.path.join(again.directory, 'dump.rdb'))
        other = again.client()
        expect(other('DEBUG', 'RELOAD', 'NOSAVE'), 'OK')
        expect(other('FUNCTION', 'DUMP'), payload)
        expect(other('FCALL', 'other', 0), b'other')
    finally:
        again.stop()


@test()
def payloads_go_to_a_real_server_and_come_back(server):
    client = server.client()
    with real_client(os.path.join(server.directory, 'real')) as real:
        if isinstance(real('FUNCTION', 'STATS'), Error):
            raise Skip('the real server has no functions')
        code = {b'one': b"#!lua name=one\nredis.register_function('f1', function(keys, args) return {keys, args} end)",
                b'two': b"#!lua name=two\n" + b'-- the same comment again and again\n' * 50 + b"redis.register_function('f2', function() return 2 end)"}
        for library in code.values():
            real('FUNCTION', 'LOAD', library)
        expect(client('FUNCTION', 'RESTORE', real('FUNCTION', 'DUMP')), 'OK')
        listed = {pairs(library)[b'library_name']: pairs(library)[b'library_code'] for library in client('FUNCTION', 'LIST', 'WITHCODE')}
        expect(listed, code)
        expect(client('FCALL', 'f1', 1, 'k', 'a'), [[b'k'], [b'a']])
        for name in code:
            for who in client, real:
                expect(who('FUNCTION', 'FLUSH'), 'OK')
                expect(who('FUNCTION', 'LOAD', code[name]), name)
            ours, theirs = client('FUNCTION', 'DUMP'), real('FUNCTION', 'DUMP')
            expect(ours[:-10], theirs[:-10], 'all but version and checksum')
            expect(real('FUNCTION', 'FLUSH'), 'OK')
            answer = real('FUNCTION', 'RESTORE', ours)
            if isinstance(answer, Error):  # Redis 7.0 is older than our format
                expect_error(answer, 'ERR DUMP payload version')
            else:
                expect(real('FUNCTION', 'DUMP'), theirs)


main()
