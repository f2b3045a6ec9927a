"""Requests however they arrive: split anywhere, huge, inline, wrong, too long."""

from _harness import *

# One stream of many kinds of requests, and what is in it twice is there on purpose.
STREAM = pipeline(
    ('PING',), ('ECHO', ''), ('SET', 'k', b'\r\n$5\r\n*3\r\n'), ('GET', 'k'), ('ECHO', b'\x00\xff' * 40),
    ('MSET', *[f'key:{i}' for i in range(200)]), ('MGET', *[f'key:{i}' for i in range(0, 220, 2)]),
    ('NOSUCH', 'command'), ('GET',), ('ECHO', 'x' * 999), ('ECHO', 'y' * 1000), ('ECHO', 'z' * 20000),
    ('RPUSH', 'list', *range(300)), ('LRANGE', 'list', 0, -1), ('MULTI',), ('INCR', 'n'), ('INCR', 'n'), ('EXEC',),
) + b'PING\r\n*0\r\n\r\n*-1\r\nECHO "a b\\x41"\nset   inline  \'it\\\'s\'  \r\nGET inline\r\n*1\r\n$4\r\nPING\r\n' + pipeline(
    ('SET', 'big', b'b' * 40000), ('STRLEN', 'big'), ('APPEND', 'big', b'c' * 70000), ('GETRANGE', 'big', 39998, 40001),
    ('DEL', 'k', 'list', 'n', 'inline', 'big', *[f'key:{i}' for i in range(200)]), ('DBSIZE',), ('ECHO', 'end'))
REPLIES = 30


def replies_to(client, pieces):
    for piece in pieces:
        client.send(piece)
    return client.read_many(REPLIES)


def random_pieces(data, seed, longest):
    choose = random.Random(seed)
    at = 0
    while at < len(data):
        size = choose.randint(1, longest)
        yield data[at:at + size]
        at += size


@test()
def a_stream_means_the_same_however_it_is_split(server):
    client = server.client()
    whole = replies_to(client, [STREAM])
    expect(whole[0], 'PONG')
    expect(whole[2:4], ['OK', b'\r\n$5\r\n*3\r\n'])
    expect(whole[17], [1, 2])
    expect(whole[18:23], ['PONG', b'a bA', 'OK', b"it's", 'PONG'])
    expect(whole[24:27], [40000, 110000, b'bbcc'])
    expect(whole[28:], [0, b'end'])
    expect(replies_to(client, [STREAM[i:i + 1] for i in range(len(STREAM))]), whole, 'byte by byte')
    for seed in range(scaled(30, 6, 2)):
        longest = (3, 50, 1000, 20000, 60000)[seed % 5]
        expect(replies_to(client, random_pieces(STREAM, seed, longest)), whole, f'random pieces, seed {seed}')
    expect_true(not client.has_input(), 'more replies than requests')


@test()
def pieces_that_each_wait_for_the_server_mean_the_same(server):
    """So that each piece is a read of its own."""
    client, other = server.client(), server.client()
    data = pipeline(('SET', 'k', 'v' * 300), ('RPUSH', 'l', *range(20)), ('LRANGE', 'l', 0, -1), ('GET', 'k')) + b'ECHO  "in line"\r\n'
    for i in range(len(data)):
        client.send(data[i:i + 1])
        other('PING')
    expect(client.read_many(5), ['OK', 20, [b'%d' % i for i in range(20)], b'v' * 300, b'in line'])


@test()
def many_clients_with_half_commands_do_not_mix(server):
    clients = server.clients_of(100)
    data = [pipeline(('SET', f'k{i}', f'v{i}' * (i + 1)), ('GET', f'k{i}')) + b'ECHO %d\r\n' % i for i in range(100)]
    choose = random.Random(5)
    at = [0] * 100
    while True:
        left = [i for i in range(100) if at[i] < len(data[i])]
        if not left:
            break
        for i in choose.sample(left, max(1, len(left) // 2)):
            size = choose.randint(1, 60)
            clients[i].send(data[i][at[i]:at[i] + size])
            at[i] += size
    for i, client in enumerate(clients):
        expect(client.read_many(3), ['OK', f'v{i}'.encode() * (i + 1), b'%d' % i])


def mset_cpu(server, client, args):
    """CPU seconds of an MSET of so many arguments, in pieces of 16 KB."""
    words = [b'MSET'] + [b'key:%d' % i if i % 2 == 0 else b'value:%d' % i for i in range(args)]
    data = encode(*words)
    before = server.cpu_seconds()
    for at in range(0, len(data), 16384):
        client.send(data[at:at + 16384])
    expect(client.read(), 'OK')
    used = server.cpu_seconds() - before
    expect(client('DBSIZE'), args // 2)
    expect(client('GET', f'key:{args - 2}'), b'value:%d' % (args - 1))
    expect(client('FLUSHALL'), 'OK')
    return used


@test()
def a_command_of_a_million_arguments_completes(server):
    client = server.client()
    small, large = scaled(250_000, 20_000, 4_000), scaled(1_000_000, 80_000, 16_000)
    mset_cpu(server, client, small)
    first, second = mset_cpu(server, client, small), mset_cpu(server, client, large)
    print(f'    CPU: {small} arguments {first:.2f} s, {large} arguments {second:.2f} s')


@test()
def a_huge_value_is_held_once(server):
    size = scaled(512, 64, 1) * MB
    client = server.client()
    piece = os.urandom(MB)
    before = server.status_bytes('VmRSS')
    client.send(b'*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n' % size)
    for _ in range(size // MB):
        client.send(piece)
    client.send(b'\r\n')
    expect(client.read(), 'OK')
    peak = server.status_bytes('VmHWM') - before
    print(f'    {size // MB} MB: the peak was {peak / MB:.0f} MB above the start')
    if not IS_SANITIZED:
        expect_true(peak < size + 32 * MB, f'a value of {size // MB} MB took {peak / MB:.0f} MB')
    expect(client('STRLEN', 'big'), size)
    client.send(encode('GET', 'big'))
    expect(client._line(), b'$%d' % size)
    for i in range(size // MB):
        expect_true(client.read_bytes(MB) == piece, f'megabyte {i} differs')
    expect(client.read_bytes(2), b'\r\n')
    expect(client('DEL', 'big'), 1)


@test()
def one_byte_more_than_the_longest_bulk_string_is_refused(server):
    client = server.client()
    client.send(b'*2\r\n$4\r\nECHO\r\n$%d\r\n' % (512 * MB + 1))
    client.expect_closed(b'-ERR Protocol error: invalid bulk length\r\n')


@test()
def several_long_values_of_one_command_arrive(server):
    client = server.client()
    sizes = [40_000, 5, 3_000_000, 100_000, 32 * 1024, 32 * 1024 - 1, 0, 1_000_000]
    values = [os.urandom(size // scaled(1, 1, 8)) for size in sizes]
    words = [word for i, value in enumerate(values) for word in (f'k{i}', value)]
    expect(client('MSET', *words), 'OK')
    expect(client('MGET', *[f'k{i}' for i in range(len(values))]), values)
    expect(client('MSET', 'k0', values[2], 'k0', values[3], 'k1', values[7]), 'OK')
    expect(client('MGET', 'k0', 'k1'), [values[3], values[7]])
    # in the midst of other commands
    expect(client.all(('PING',), ('APPEND', 'k0', values[2]), ('ECHO', values[7]), ('RPUSH', 'l', values[0], 'x', values[2]),
                      ('LRANGE', 'l', 0, -1), ('PING',)),
           ['PONG', len(values[3]) + len(values[2]), values[7], 3, [values[0], b'x', values[2]], 'PONG'])


@test()
def a_long_value_as_command_key_or_wrong_type_does_no_harm(server):
    client = server.client()
    long = b'n' * scaled(100_000, 100_000, 2000)
    expect_error(client(long, 'x'), "ERR unknown command 'nnn")
    expect_error(client('NOSUCH', long), "ERR unknown command 'NOSUCH', with args beginning with: 'nnn")
    expect(client('SET', long, 'v'), 'OK')
    expect(client('GET', long), b'v')
    expect(client('KEYS', '*'), [long])
    expect(client('DEL', long), 1)
    expect(client('RPUSH', 'list', long), 1)
    expect_error(client('APPEND', 'list', long), 'WRONGTYPE')
    expect_error(client('SET', 'k', long, 'NX', 'XX'), 'ERR syntax error')
    expect_error(client('SET', 'k', 'v', long), 'ERR syntax error')
    expect_error(client('GET', 'k', long), 'ERR wrong number of arguments')
    expect(client('SET', 'k', long, 'XX'), None)
    expect(client('DBSIZE'), 1)
    expect(client.id(), client.id())


@test()
def a_long_value_waits_in_a_transaction(server):
    client = server.client()
    size = scaled(20_000_000, 2_000_000, 20_000)
    first, second = os.urandom(size), os.urandom(size)
    expect(client.all(('MULTI',), ('SET', 'a', first), ('SET', 'b', second), ('APPEND', 'a', 'end')), ['OK'] + ['QUEUED'] * 3)
    expect(client('EXEC'), ['OK', 'OK', size + 3])
    expect(client('GET', 'a') == first + b'end', True)
    expect(client('GET', 'b') == second, True)
    before = client.info('used_memory')
    expect(client.all(('MULTI',), ('SET', 'a', second), ('DISCARD',)), ['OK', 'QUEUED', 'OK'])
    expect(client.all(('MULTI',), ('SET', 'a', second), ('NOSUCH',), ('SET', 'b', first)),
           ['OK', 'QUEUED', Error("ERR unknown command 'NOSUCH', with args beginning with: "), 'QUEUED'])
    expect_error(client('EXEC'), 'EXECABORT')
    expect(client('GET', 'a') == first + b'end', True)
    wait_until(lambda: client.info('used_memory') < before + 100_000, 'the refused values are freed')


@test()
def a_long_value_behind_a_blocked_client_waits_and_arrives(server):
    client, other = server.clients_of(2)
    value, client_id = os.urandom(scaled(5_000_000, 500_000, 5_000)), client.id()
    client.send_commands(('BLPOP', 'list', 0), ('SET', 'big', value), ('STRLEN', 'big'))
    other.wait_blocked(1)
    wait_until(lambda: int(other.described(client_id)['qbuf']) >= len(value), 'the value was read')
    expect(other('EXISTS', 'big'), 0)
    expect(other('RPUSH', 'list', 'x'), 1)
    expect(client.read_many(3), [[b'list', b'x'], 'OK', len(value)])
    expect(other('GET', 'big') == value, True)
    # a wait that begins in the middle of a long value's command
    client.send(encode('BLPOP', 'list', 0) + encode('SET', 'big', value)[:-10])
    other.wait_blocked(1)
    expect(other('RPUSH', 'list', 'y'), 1)
    expect(client.read(), [b'list', b'y'])
    client.send(encode('SET', 'big', value)[-10:])
    expect(client.read(), 'OK')


@test()
def a_long_value_of_a_paused_client_waits_and_arrives(server):
    client, other = server.clients_of(2)
    value = os.urandom(scaled(5_000_000, 500_000, 5_000))
    expect(other('CLIENT', 'PAUSE', 1_000_000, 'WRITE'), 'OK')
    client.send_commands(('SET', 'big', value), ('SET', 'next', value), ('STRLEN', 'big'))
    expect(client.is_silent(other), True)
    expect(other('EXISTS', 'big'), 0)
    expect(other('CLIENT', 'UNPAUSE'), 'OK')
    expect(client.read_many(3), ['OK', 'OK', len(value)])
    expect(other('GET', 'big') == value, True)
    expect(other('CLIENT', 'PAUSE', 1_000_000, 'WRITE'), 'OK')
    client.send(encode('SET', 'big', 'short') + encode('SET', 'big', value)[:-1])
    expect(client.is_silent(other), True)
    other.advance(1_000_001)
    expect(client.read(), 'OK')
    client.send(b'\n')
    expect(client.read(), 'OK')
    expect(other('STRLEN', 'big'), len(value))


@test()
def a_long_value_outlives_a_moving_clock(server):
    client, other = server.clients_of(2)
    value = os.urandom(200_000)
    data = encode('SET', 'big', value, 'PX', 10_000)
    other.freeze()
    for at in range(0, len(data), 50_000):
        other.advance(3_600_000)
        client.send(data[at:at + 50_000])
    expect(client.read(), 'OK')
    expect(client('PTTL', 'big'), 10_000)
    other.advance(10_001)
    expect(client('EXISTS', 'big'), 0)


@test()
def a_client_that_vanishes_in_a_long_value_leaves_nothing(server):
    other = server.client()
    expect(other('PING'), 'PONG')
    before, size = other.info('used_memory'), scaled(100, 20, 1) * MB
    clients = server.clients_of(6)
    killed = clients[3].id()
    for client in clients:
        client.send(b'*5\r\n$4\r\nMSET\r\n$1\r\na\r\n$%d\r\n' % (size // 4) + b'x' * (size // 4) + b'\r\n$1\r\nb\r\n$%d\r\n' % size)
        client.send(b'y' * (size // 8))
    wait_until(lambda: other.info('used_memory') > before + 6 * size // 4, 'the values arrive')
    expect(other.info('connected_clients'), 7)
    clients[0].close()
    clients[1].reset()
    clients[2].socket.shutdown(socket.SHUT_WR)
    expect(other('CLIENT', 'KILL', 'ID', killed), 1)
    clients[4].send(b'y')
    clients[4].close()
    clients[5].close()
    wait_until(lambda: other.info('connected_clients') == 1, 'they are gone')
    wait_until(lambda: other.info('used_memory') < before + 100_000, 'their memory is free')
    expect(other('DBSIZE'), 0)


@test()
def inline_commands_are_split_as_redis_does(server):
    client = server.client()
    for line, reply in [
            (b'ECHO hello\r\n', b'hello'), (b'echo\thello\n', b'hello'), (b'   ECHO   x   \r\n', b'x'),
            (b'ECHO "a b"\r\n', b'a b'), (b"ECHO 'a b'\r\n", b'a b'), (b'ECHO ""\r\n', b''), (b"ECHO ''\n", b''),
            (b'ECHO "\\n\\r\\t\\b\\a\\x00\\xff\\q\\""\r\n', b'\n\r\t\b\a\x00\xffq"'), (b"ECHO 'a\\'b\\n'\r\n", b"a'b\\n"),
            (b'\r\n\n\r\nPING\r\n', 'PONG'), (b'"PI"NG\r\n', None), (b'ECHO a"b"\r\n', b'ab')]:
        if reply is None:
            continue
        client.send(line)
        expect(client.read(), reply, shown(line))
    expect(client('PING'), 'PONG')


@test()
def an_inline_command_may_be_long_but_not_too_long(server):
    client = server.client()
    client.send(b'ECHO ' + b'x' * 60_000 + b'\r\n')
    expect(client.read(), b'x' * 60_000)
    client.send(b'MGET' + b' k' * 20_000 + b'\r\n')
    expect(client.read(), [None] * 20_000)
    client.send(b'ECHO ' + b'x' * 70_000)
    client.expect_closed(b'-ERR Protocol error: too big inline request\r\n')


BAD = [
    (b'*abc\r\n', 'invalid multibulk length'), (b'*2147483648\r\n', 'invalid multibulk length'),
    (b'*1\r\n+PING\r\n', "expected '$', got '+'"), (b'*1\r\nPING\r\n', "expected '$', got 'P'"), (b'*1\r\n\r\n', "expected '$', got ' '"),
    (b'*1\r\n$-1\r\n', 'invalid bulk length'), (b'*1\r\n$abc\r\n', 'invalid bulk length'), (b'*1\r\n$536870913\r\n', 'invalid bulk length'),
    (b'*1\r\n$99999999999999999999\r\n', 'invalid bulk length'), (b'ECHO "x\r\n', 'unbalanced quotes in request'),
    (b"ECHO 'x\r\n", 'unbalanced quotes in request'), (b'ECHO "x"y\r\n', 'unbalanced quotes in request'),
    (b'*' + b'1' * 70_000, 'too big mbulk count string'), (b'*1\r\n$' + b'1' * 70_000, 'too big bulk count string'),
    (b'*3\r\n$3\r\nSET\r\n$1\r\nk\r\n:5\r\n', "expected '$', got ':'"),
]


@test()
def a_protocol_error_is_answered_after_the_commands_before_it(server):
    for count in (0, 1, 5, 63, 64, 65, 200):
        for bad, text in BAD:
            client = server.client()
            client.send(pipeline(*[('ECHO', i) for i in range(count)]) + bad)
            before = b''.join(b'$%d\r\n%d\r\n' % (len(str(i)), i) for i in range(count))
            client.expect_closed(before + f'-ERR Protocol error: {text}\r\n'.encode())
            client.close()


@test()
def what_follows_a_protocol_error_is_not_run(server):
    client, other = server.clients_of(2)
    client.send(encode('SET', 'a', 1) + b'*1\r\n!\r\n' + encode('SET', 'b', 1))
    client.expect_closed(b"+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n")
    expect(other('KEYS', '*'), [b'a'])
    # at the end of a long command, of which one argument is long
    client = server.client()
    client.send(b'*4\r\n$4\r\nMSET\r\n$1\r\na\r\n$50000\r\n' + b'x' * 50000 + b'\r\n:1\r\n')
    client.expect_closed(b"-ERR Protocol error: expected '$', got ':'\r\n")
    client = server.client()
    client.send(encode('SET', 'b', 'x' * 20000) + b'*30000\r\n' + b'$1\r\nx\r\n' * 29000 + b'?\r\n')
    client.expect_closed(b"+OK\r\n-ERR Protocol error: expected '$', got '?'\r\n")
    wait_until(lambda: other.info('connected_clients') == 1, 'they are gone')


@test()
def a_protocol_error_behind_a_wait_is_answered_after_it(server):
    client, other = server.clients_of(2)
    client.send(encode('BLPOP', 'list', 0) + b'*1\r\n!\r\n')
    other.wait_blocked(1)
    expect(client.is_silent(other), True)
    expect(other('RPUSH', 'list', 'x'), 1)
    client.expect_closed(b"*2\r\n$4\r\nlist\r\n$1\r\nx\r\n-ERR Protocol error: expected '$', got '!'\r\n")
    # one within a transaction drops it
    client = server.client()
    client.send(pipeline(('MULTI',), ('SET', 'k', 'v')) + b'*1\r\n!\r\n' + encode('EXEC'))
    client.expect_closed(b"+OK\r\n+QUEUED\r\n-ERR Protocol error: expected '$', got '!'\r\n")
    expect(other('EXISTS', 'k'), 0)


@test('--requirepass', 'secret')
def limits_are_narrow_before_authentication(server):
    def refused(data, reply):
        client = server.client()
        client.send(data)
        client.expect_closed(reply)

    count = b'-ERR Protocol error: unauthenticated multibulk length\r\n'
    length = b'-ERR Protocol error: unauthenticated bulk length\r\n'
    refused(b'*11\r\n', count)
    refused(b'*2\r\n$4\r\nAUTH\r\n$16385\r\n', length)
    refused(encode('PING') + b'*11\r\n', b'-NOAUTH Authentication required.\r\n' + count)
    refused(encode('AUTH', 'wrong') + b'*11\r\n',
            b'-WRONGPASS invalid username-password pair or user is disabled.\r\n' + count)
    client = server.client()
    expect_error(client('AUTH', 'x' * 16384), 'WRONGPASS')
    expect_error(client(*['PING'] * 10), 'NOAUTH')
    # both in one piece: the limits are those of an authenticated client at once
    wide = [('ECHO', 'x' * 20000), ('MGET', *'ABCDEFGHIJKLMNOP'), ('SET', 'k', 'v' * 100_000), ('STRLEN', 'k')]
    expect(client.all(('AUTH', 'secret'), *wide), ['OK', b'x' * 20000, [None] * 16, 'OK', 100_000])
    client = server.client()
    expect(client.all(('HELLO', 2, 'AUTH', 'default', 'secret'), *wide)[1:], [b'x' * 20000, [None] * 16, 'OK', 100_000])
    # in turns that begin with the rest of one before
    client = server.client()
    data = pipeline(*[('PING',)] * 200, ('AUTH', 'secret'), *wide)
    client.send(data)
    expect([type(reply).__name__ for reply in client.read_many(205)], ['Error'] * 200 + ['Status', 'bytes', 'list', 'Status', 'int'])


@test()
def a_client_that_lacks_the_password_is_freed_when_it_is_taken_away(server):
    admin = server.client()
    expect(admin('CONFIG', 'SET', 'requirepass', 'secret'), 'OK')
    client = server.client()
    expect_error(client('PING'), 'NOAUTH')
    expect(admin('PING'), 'PONG')
    expect(admin('CONFIG', 'SET', 'requirepass', ''), 'OK')
    expect(client('PING'), 'PONG')
    expect(client('ECHO', 'x' * 20000), b'x' * 20000)


@test()
def the_query_buffer_has_a_limit(server):
    admin, client = server.clients_of(2)
    expect(admin('CONFIG', 'SET', 'client-query-buffer-limit', 1024 * 1024), 'OK')
    expect_error(admin('CONFIG', 'SET', 'client-query-buffer-limit', 1000), 'ERR CONFIG SET failed')
    # within: many commands, though together they are longer
    expect(client.all(*[('ECHO', 'x' * 10_000)] * 300), [b'x' * 10_000] * 300)
    closed = admin.info('client_query_buffer_limit_disconnections')
    # a command whose arguments never end
    if not IS_STRESS:  # there a value of 1000 bytes is a long one, and those are not counted when they are whole
        client.send(b'*1000000\r\n')
        piece = b'$1000\r\n' + b'x' * 1000 + b'\r\n'
        try:
            for _ in range(3000):
                client.send(piece)
            client.rest()
        except OSError:
            pass
        closed += 1
        wait_until(lambda: admin.info('client_query_buffer_limit_disconnections') == closed, 'it is closed')
    client.close()
    # one long value that is longer than the limit
    client = server.client()
    try:
        client.send(b'*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5000000\r\n' + b'x' * 5_000_000 + b'\r\n')
        client.rest()
    except OSError:
        pass
    wait_until(lambda: admin.info('client_query_buffer_limit_disconnections') == closed + 1, 'the second is closed')
    wait_until(lambda: admin.info('connected_clients') == 1, 'it is gone')
    expect('Closing client that reached max query buffer length' in server.log(), True)
    expect(admin('EXISTS', 'k'), 0)


@test()
def the_longest_bulk_string_can_be_changed(server):
    client, admin = server.clients_of(2)
    expect(admin('CONFIG', 'SET', 'proto-max-bulk-len', 1024 * 1024), 'OK')
    expect(client('ECHO', 'x' * MB), b'x' * MB)
    client.send(b'*2\r\n$4\r\nECHO\r\n$%d\r\n' % (MB + 1))
    client.expect_closed(b'-ERR Protocol error: invalid bulk length\r\n')
    # while a longer one is on its way: it was allowed when it began
    client = server.client()
    client_id = client.id()
    expect(admin('CONFIG', 'SET', 'proto-max-bulk-len', '10mb'), 'OK')
    data = encode('SET', 'k', 'x' * 3 * MB)
    client.send(data[:MB])
    wait_until(lambda: int(admin.described(client_id)['qbuf']) > 100_000, 'its beginning is here')
    expect(admin('CONFIG', 'SET', 'proto-max-bulk-len', '1mb'), 'OK')
    client.send(data[MB:])
    expect(client.read(), 'OK')
    # in the same pipeline the new limit holds for what follows
    client.send(encode('CONFIG', 'SET', 'proto-max-bulk-len', '10mb') + data + encode('STRLEN', 'k'))
    expect(client.read_many(3), ['OK', 'OK', 3 * MB])
    expect(admin('CONFIG', 'GET', 'proto-max-bulk-len'), [b'proto-max-bulk-len', b'10485760'])


@test()
def a_pipeline_is_answered_though_its_sender_sends_no_more(server):
    """The end of the input, behind more commands than one turn takes."""
    for count in (1, 127, 128, 129, 1000):
        client = server.client()
        client.send(pipeline(*[('ECHO', i) for i in range(count)]) + b'*2\r\n$4\r\nEC')
        client.socket.shutdown(socket.SHUT_WR)
        client.expect_closed(b''.join(b'$%d\r\n%d\r\n' % (len(str(i)), i) for i in range(count)))


@test()
def what_a_browser_sends_is_no_command(server):
    client, other = server.clients_of(2)
    client.send(b'GET / HTTP/1.1\r\nHost: localhost:6379\r\n\r\nSET k v\r\n')
    client.rest()
    client = server.client()
    client.send(b'POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nSET k v\r\n')
    client.rest()
    expect(other('EXISTS', 'k'), 0)


@test()
def names_of_commands_may_have_any_case_and_nothing_else(server):
    client = server.client()
    expect(client('pInG'), 'PONG')
    expect_error(client(''), "ERR unknown command ''")
    expect_error(client('PING\x00'), 'ERR unknown command')
    expect_error(client('PING '), 'ERR unknown command')
    expect_error(client('client|id'), 'ERR unknown command')
    expect_error(client('CLIENT'), "ERR wrong number of arguments for 'client' command")
    expect_error(client('CLIENT', ''), "ERR unknown subcommand ''")
    expect_error(client(b'\r\n'), 'ERR unknown command')
    expect_error(client(b'\xff' * 500), 'ERR unknown command')
    expect(client('PING'), 'PONG')


main()
