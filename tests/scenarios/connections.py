"""Connections: how many, from where, and how they and the server begin and end."""

import resource

from _harness import *


def raise_file_limit(wanted):
    """For us and the servers that we start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Skip(f'only {hard} files may be open here')
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def plain_server(directory, *args, **options):
    """Without the usual options."""
    return Server(directory, *args, base=[], **options)


def run_to_end(directory, *args):
    """A server that ends by itself: (status, what it said)."""
    server = plain_server(directory, *args, wait=False)
    try:
        status = server.wait()
    finally:
        server.kill()
    return status, server.said()


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


# ---- many -----------------------------------------------------------------------------------------


@test(own=True)
def ten_thousand_idle_connections_cost_next_to_nothing(directory):
    count = scaled(10_000, 3_000)
    raise_file_limit(count + 200)
    server = Server(directory, '--maxclients', count + 100)
    try:
        admin = server.client()
        before = admin.info('used_memory')
        clients = []
        for at in range(0, count, 500):
            batch = server.clients_of(min(500, count - at))
            for client in batch:
                client.send(b'PING\r\n')
            for client in batch:
                expect(client.read_bytes(7), b'+PONG\r\n')
            clients += batch
        expect(admin.info('connected_clients'), count + 1)
        each = (admin.info('used_memory') - before) / count
        print(f'    {count} connections: {each:.0f} bytes each')
        expect_true(each <= 1024, f'{each:.0f} bytes each')
        # busy ones, all at once
        for round in range(2):
            for i, client in enumerate(clients):
                client.send(pipeline(('SET', f'k{i}', f'{round}:{i}'), ('GET', f'k{i}'), ('INCR', 'n')) + b'GET k')
            for i, client in enumerate(clients):
                client.send(b'%d\r\n' % i)
            for i, client in enumerate(clients):
                ok, value, n, again = client.read_many(4)
                expect((ok, value, again), ('OK', b'%d:%d' % (round, i), b'%d:%d' % (round, i)))
        expect(admin('GET', 'n'), b'%d' % (2 * count))
        expect(len(admin('CLIENT', 'LIST').splitlines()), count + 1)
        if not IS_SANITIZED:
            each = (admin.info('used_memory') - before - count * 200) / count
            print(f'    after work: at most {each:.0f} bytes each')
        for client in clients:
            client.close()
        expect(admin.all(('FLUSHALL',), ('PING',)), ['OK', 'PONG'])
        wait_until(lambda: admin.info('connected_clients') == 1, 'all are gone')
        wait_until(lambda: admin.info('used_memory') < before + 400_000, 'their memory is free')
    except BaseException:
        server.kill()
        raise
    server.stop()


@test('--maxclients', '5')
def one_too_many_is_told_so(server):
    clients = server.clients_of(5)
    for client in clients:
        expect(client('PING'), 'PONG')
    refused = server.client()
    refused.expect_closed(b'-ERR max number of clients reached\r\n')
    expect(clients[0].info('rejected_connections'), 1)
    clients[1].close()
    wait_until(lambda: clients[0].info('connected_clients') == 4, 'one has gone')
    expect(server.client()('PING'), 'PONG')
    server.client().expect_closed(b'-ERR max number of clients reached\r\n')
    # fewer are allowed now: those who are there stay
    expect(clients[0]('CONFIG', 'SET', 'maxclients', 2), 'OK')
    server.client().expect_closed(b'-ERR max number of clients reached\r\n')
    expect([client('PING') for client in clients[2:]], ['PONG'] * 3)
    expect(clients[0].all(('CONFIG', 'SET', 'maxclients', 100), ('CONFIG', 'GET', 'maxclients')), ['OK', [b'maxclients', b'100']])
    expect(server.client()('PING'), 'PONG')


@test()
def thousands_that_come_and_go_at_once_leave_nothing(server):
    admin = server.client()
    expect(admin('PING'), 'PONG')
    before = admin.info('used_memory')
    for round in range(scaled(20, 8)):
        clients = server.clients_of(200)
        for i, client in enumerate(clients):
            if i % 4 == 0:
                client.send(b'PI')
            elif i % 4 == 1:
                client.send_commands(('SUBSCRIBE', f'c{i}'), ('GET', 'k'))
            elif i % 4 == 2:
                client.send_commands(('MULTI',), ('SET', 'k', 'v'), ('BLPOP', 'l', 0))
            if i % 8 < 4:
                client.reset()
            else:
                client.close()
    expect(admin('PING'), 'PONG')
    wait_until(lambda: admin.info('connected_clients') == 1, 'all are gone')
    wait_until(lambda: admin.info('used_memory') < before + 100_000, 'their memory is free')
    expect(admin.all(('PUBSUB', 'CHANNELS'), ('DBSIZE',)), [[], 0])
    # One that was reset before it was accepted is not counted; the half that was closed is.
    expect(admin.info('total_connections_received') >= 1 + 100 * 8, True)


# ---- from where -----------------------------------------------------------------------------------


@test(own=True)
def a_unix_socket_is_a_way_in(directory):
    path = os.path.join(directory, 's')
    server = Server(directory, '--unixsocket', path, '--unixsocketperm', '700')
    local = Client(path)
    server.clients.append(local)
    expect(local.all(('SET', 'k', 'x' * 300_000), ('GET', 'k'), ('PING',)), ['OK', b'x' * 300_000, 'PONG'])
    fields = local.described(local.id())
    expect((fields['addr'], fields['flags']), (f'{path}:0', 'U'))
    expect(os.stat(path).st_mode & 0o777, 0o700)
    expect(server.client()('GET', 'k') == b'x' * 300_000, True)
    local.close()
    server.stop()
    expect(os.path.exists(path), False)


@test(own=True)
def a_unix_socket_may_be_the_only_way_in(directory):
    path = os.path.join(directory, 's')
    log = os.path.join(directory, 'log')
    server = plain_server(directory, '--port', 0, '--unixsocket', path, '--logfile', log, '--save', '', '--exit-with-parent', 'yes', wait=False)
    wait_until(lambda: os.path.exists(path), 'the socket is there')
    local = wait_until(lambda: try_connect(path), 'it is listened on')
    server.clients.append(local)
    expect(local('PING'), 'PONG')
    expect(local.info('tcp_port'), 0)
    server.process.kill()
    server.process.wait()
    # what a server that was killed left behind is no obstacle
    expect(os.path.exists(path), True)
    local.close()
    again = Server(os.path.join(directory, 'again'), '--unixsocket', path)
    local = Client(path)
    again.clients.append(local)
    expect(local('PING'), 'PONG')
    again.stop()


def try_connect(address):
    try:
        return Client(address)
    except OSError:
        return None


@test(own=True)
def a_server_that_nobody_can_reach_does_not_start(directory):
    status, said = run_to_end(directory, '--port', 0, '--save', '')
    expect(status, 1)
    expect('Configured to not listen anywhere, exiting.' in said, True, said)
    status, said = run_to_end(directory, '--port', 0, '--unixsocket', '/none/such/directory/s')
    expect(status, 1)
    expect('Failed opening Unix socket' in said, True, said)
    status, said = run_to_end(directory, '--port', 0, '--unixsocket', '/tmp/' + 'x' * 200)
    expect(status, 1)
    status, said = run_to_end(directory, '--port', free_port(), '--bind', '192.0.2.77')
    expect(status, 1)
    expect('192.0.2.77' in said, True, said)
    status, said = run_to_end(directory, '--port', free_port(), '--bind', 'no.such.host.invalid')
    expect(status, 1)


@test(own=True)
def several_addresses_are_listened_on(directory):
    if not socket.has_ipv6 or not try_bind(('::1', 0)):
        raise Skip('no IPv6 here')
    server = Server(directory, '--bind', '127.0.0.1', '127.0.0.2', '::1', '-192.0.2.77')
    try:
        for host, shown_as in ('127.0.0.1', '127.0.0.1'), ('127.0.0.2', '127.0.0.2'), ('::1', '[::1]'):
            client = Client((host, server.port))
            server.clients.append(client)
            expect(client('PING'), 'PONG', host)
            expect(client.described(client.id())['laddr'], f'{shown_as}:{server.port}')
        expect(try_connect(('127.0.0.3', server.port)), None)
        expect(client('CONFIG', 'GET', 'bind'), [b'bind', b'127.0.0.1 127.0.0.2 ::1 -192.0.2.77'])
    except BaseException:
        server.kill()
        raise
    server.stop()
    # the default is every address of both kinds
    server = Server(directory)
    for host in '127.0.0.1', '::1':
        client = Client((host, server.port))
        server.clients.append(client)
        expect(client('PING'), 'PONG', host)
    server.stop()


def try_bind(address):
    try:
        with socket.socket(socket.AF_INET6 if ':' in address[0] else socket.AF_INET) as probe:
            probe.bind(address)
            return True
    except OSError:
        return False


def own_address():
    """One of this machine's that is not the loopback's, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(('192.0.2.1', 9))
            address = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith('127.') else address


@test()
def strangers_are_refused_in_protected_mode(server):
    address, admin = own_address(), server.client()
    if not address or not try_connect((address, server.port)):
        raise Skip('this machine has no address but the loopback')
    stranger = Client((address, server.port))
    server.clients.append(stranger)
    expect(stranger.rest().startswith(b'-DENIED Redis is running in protected mode'), True)
    expect(admin('CONFIG', 'SET', 'protected-mode', 'no'), 'OK')
    stranger = Client((address, server.port))
    server.clients.append(stranger)
    expect(stranger('PING'), 'PONG')
    expect(admin.all(('CONFIG', 'SET', 'protected-mode', 'yes'), ('CONFIG', 'SET', 'requirepass', 'secret')), ['OK', 'OK'])
    stranger = Client((address, server.port))
    server.clients.append(stranger)
    expect(stranger.all(('PING',), ('AUTH', 'secret'), ('PING',)), [Error('NOAUTH Authentication required.'), 'OK', 'PONG'])


@test(own=True)
def a_port_that_is_taken_is_an_error(directory):
    first = Server(os.path.join(directory, 'first'))
    for bind in (), ('--bind', '127.0.0.1'):
        status, said = run_to_end(os.path.join(directory, 'second'), '--port', first.port, *bind)
        expect(status, 1)
        expect('Address already in use' in said, True, said)
        expect(f'Failed listening on port {first.port} (tcp), aborting.' in said, True, said)
    expect(first.client()('PING'), 'PONG')
    first.stop()


@test(own=True)
def a_port_that_is_free_for_one_protocol_only_is_not_chosen(directory):
    """The kernel finds a port that is free for IPv4; when a connection over IPv6 has it, another is looked for."""
    if not try_bind(('::1', 0)):
        raise Skip('no IPv6 here')
    low, high = map(int, open('/proc/sys/net/ipv4/ip_local_port_range').read().split())
    raise_file_limit(9_000)
    taken = []
    try:
        for port in random.Random(1).sample(range(low, high), min(8_000, (high - low) // 3)):
            holder = socket.socket(socket.AF_INET6)
            holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                holder.bind(('::', port))
                holder.listen()
            except OSError:
                pass
            taken.append(holder)
        for i in range(scaled(30, 10)):
            server = Server(os.path.join(directory, str(i)))
            expect(server.client()('PING'), 'PONG')
            server.stop()
    finally:
        for holder in taken:
            holder.close()


@test(own=True)
def the_port_file_is_whole_when_it_is_there(directory):
    for i in range(scaled(30, 8)):
        home = os.path.join(directory, str(i))
        server = Server(home, wait=False)
        while True:
            try:
                with open(server.port_file) as file:
                    text = file.read()
                break
            except FileNotFoundError:
                expect(server.is_alive(), True, server.said())
        expect_true(re.fullmatch(r'[1-9]\d*\n', text), f'the port file holds {text!r}')
        server.port = int(text)
        expect(server.client()('PING'), 'PONG')
        expect(sorted(os.listdir(home)), ['log', 'port', 'stderr'])
        server.stop()
    # one of an earlier server is replaced
    home = os.path.join(directory, 'again')
    os.makedirs(home)
    with open(os.path.join(home, 'p'), 'w') as file:
        file.write('1\n')
    server = Server(os.path.join(home, 'server'), '--port-file', os.path.join(home, 'p'), wait=False)
    wait_until(lambda: open(os.path.join(home, 'p')).read() != '1\n', 'it is replaced')
    server.stop()
    status, said = run_to_end(directory, '--port', 0, '--port-file', '/none/such/directory/port')
    expect((status, '/none/such/directory/port' in said), (1, True), said)


# ---- how servers begin and end --------------------------------------------------------------------


@test(own=True)
def a_server_ends_with_its_parent(directory):
    script = '''
import subprocess, sys, time
process = subprocess.Popen(sys.argv[1:])
print(process.pid, flush=True)
time.sleep(1000)
'''
    port_file = os.path.join(directory, 'port')
    os.makedirs(directory, exist_ok=True)
    for how in signal.SIGKILL, signal.SIGTERM:
        if os.path.exists(port_file):
            os.unlink(port_file)
        parent = subprocess.Popen([sys.executable, '-c', script, os.path.abspath(PROGRAM), '--port', '0', '--port-file', port_file, '--exit-with-parent', 'yes',
                                   '--save', '', '--dir', directory, '--logfile', os.path.join(directory, 'log')], stdout=subprocess.PIPE)
        try:
            pid = int(parent.stdout.readline())
            wait_until(lambda: os.path.exists(port_file), 'there is a port file')
            client = Client(('127.0.0.1', int(open(port_file).read())))
            expect(client('PING'), 'PONG')
            client.send_commands(('BLPOP', 'l', 0))
            parent.send_signal(how)
            parent.wait()
            client.expect_closed()
            wait_until(lambda: not os.path.exists(f'/proc/{pid}') or open(f'/proc/{pid}/stat').read().split()[2] == 'Z', 'the server has ended')
        finally:
            if parent.poll() is None:
                parent.kill()
            parent.wait()
            parent.stdout.close()
    expect('The parent process has ended' in open(os.path.join(directory, 'log')).read(), True)


@test(own=True)
def without_that_option_it_lives_on(directory):
    script = 'import subprocess, sys\nprint(subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL).pid, flush=True)'
    port_file = os.path.join(directory, 'port')
    os.makedirs(directory, exist_ok=True)
    output = subprocess.run([sys.executable, '-c', script, os.path.abspath(PROGRAM), '--port', '0', '--port-file', port_file, '--save', '', '--dir', directory,
                             '--logfile', os.path.join(directory, 'log')], stdout=subprocess.PIPE, check=True).stdout
    pid = int(output.split()[0])
    try:
        wait_until(lambda: os.path.exists(port_file), 'there is a port file')
        client = Client(('127.0.0.1', int(open(port_file).read())))
        expect(client('PING'), 'PONG')
        expect(client.info('process_id'), pid)
        client.send_commands(('SHUTDOWN', 'NOSAVE'))
        client.expect_closed()
    finally:
        wait_until(lambda: not os.path.exists(f'/proc/{pid}') or open(f'/proc/{pid}/stat').read().split()[2] == 'Z' or os.kill(pid, signal.SIGTERM), 'it has ended')


@test(own=True)
def signals_end_it_well_whatever_is_going_on(directory):
    for number in signal.SIGTERM, signal.SIGINT:
        server = Server(directory)
        idle, blocked, subscribed, lazy, half, queued, last = server.clients_of(7)
        expect(lazy('SET', 'big', 'x' * 20 * MB), 'OK')
        lazy.send_commands(('GET', 'big'))
        blocked.send_commands(('BLPOP', 'l', 0))
        subscribed.send_commands(('SUBSCRIBE', 'news'))
        half.send(b'*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nxxx')
        queued.send_commands(('MULTI',), ('SET', 'k', 'v' * 50_000), ('WATCH', 'k'))
        expect(last('PING'), 'PONG')
        server.process.send_signal(number)
        expect(server.wait(), 0)
        idle.expect_closed()
        expect(server.said(), '')
        expect(f'Received {signal.Signals(number).name} scheduling shutdown...' in server.log(), True)
        server.has_ended = True
        server.stop()
    for words in ('SHUTDOWN',), ('SHUTDOWN', 'NOSAVE'), ('shutdown', 'now', 'force'):
        server = Server(directory)
        client, blocked = server.clients_of(2)
        blocked.send_commands(('BLPOP', 'l', 0))
        client.wait_blocked(1)
        expect(isinstance(client('SHUTDOWN', 'SAVE', 'NOSAVE'), Error), True)
        client.send_commands(words, ('SET', 'k', 1))
        client.expect_closed()
        expect(server.wait(), 0)
        server.has_ended = True
        server.stop()


@test(own=True)
def a_configuration_file_is_read_as_redis_reads_it(directory):
    os.makedirs(directory)
    path, port_file = os.path.join(directory, 'tern.conf'), os.path.join(directory, 'spaced dir', 'port')
    with open(path, 'w') as file:
        file.write(f'''# a comment
   # another

port 0
PORT-FILE "{port_file}"
dir '{directory}/spaced dir'
requirepass "a \\"quoted\\" \\x41\\n"
\tmaxclients   77\t
client-output-buffer-limit normal 1mb 2mb 3
client-output-buffer-limit pubsub 4mb 5mb 6
save ""
timeout 10
timeout 20
enable-debug-command yes
exit-with-parent yes
notify-keyspace-events ""
''')
    os.makedirs(os.path.join(directory, 'spaced dir'))
    server = plain_server(os.path.join(directory, 'server'), path, '--timeout', 30, '--logfile', os.path.join(directory, 'log'), wait=False)
    server.port_file = port_file
    server.wait_for_port()
    client = server.client()
    expect(client('AUTH', 'a "quoted" A\n'), 'OK')
    for name, value in ('maxclients', '77'), ('timeout', '30'), ('client-output-buffer-limit', 'normal 1048576 2097152 3 slave 268435456 67108864 60 pubsub 4194304 5242880 6'), ('notify-keyspace-events', ''):
        expect(client('CONFIG', 'GET', name), [name.encode(), value.encode()])
    expect(client.info('config_file'), path)
    server.stop()


@test(own=True)
def a_bad_line_is_named(directory):
    os.makedirs(directory)
    path = os.path.join(directory, 'bad.conf')
    for line, reason in [
            ('nosuch directive', 'Bad directive or wrong number of arguments'), ('port', None), ('port 1 2', None), ('port 99999', 'argument must be between 0 and 65535 inclusive'),
            ('port x', "argument couldn't be parsed into an integer"), ('maxclients "5', 'Unbalanced quotes in configuration line'), ("maxclients '5'6", 'Unbalanced quotes in configuration line'),
            ('protected-mode maybe', "argument must be 'yes' or 'no'"), ('loglevel loud', 'argument(s) must be one of the following: '), ('client-output-buffer-limit normal 1mb', None),
            ('client-output-buffer-limit pet 0 0 0', None), ('notify-keyspace-events Q', None), ('unixsocketperm 999', None), ('proto-max-bulk-len 1', None), ('x' * 300, 'Bad directive')]:
        with open(path, 'w') as file:
            file.write(f'# first\n\n{line}\nport 0\n')
        status, said = run_to_end(os.path.join(directory, 'run'), path)
        expect(status, 1, line)
        expect(f"Reading the configuration file, at line 3\n>>> '{line[:100]}" in said, True, said)
        expect('*** FATAL CONFIG FILE ERROR' in said, True)
        if reason:
            expect(reason in said, True, said)
    status, said = run_to_end(os.path.join(directory, 'run'), os.path.join(directory, 'none.conf'))
    expect((status, "can't open config file" in said), (1, True), said)
    for args in ('--nosuch', '1'), ('--port',), ('--port', 'x'), ('--maxclients', '0'), ('--dir', '/none/such'), ('--logfile', '/none/such/log'):
        status, said = run_to_end(os.path.join(directory, 'run'), *args)
        expect(status, 1, shown(args))
        expect(said.strip() != '', True, shown(args))
    status, said = run_to_end(os.path.join(directory, 'run'), '--version')
    expect((status, 'v=7.2.4' in said), (0, True), said)
    expect(run_to_end(os.path.join(directory, 'run'), '--help')[0], 0)


@test()
def the_port_may_change_while_it_runs(server):
    client, port = server.client(), free_port()
    other = Server(server.directory + '-other')
    try:
        expect(client('CONFIG', 'SET', 'port', port), 'OK')
        expect(try_connect(('127.0.0.1', server.port)), None)
        moved = Client(('127.0.0.1', port))
        server.clients.append(moved)
        expect([moved('PING'), client('PING')], ['PONG', 'PONG'])
        expect(moved.info('tcp_port'), port)
        # one that is taken is refused, and all stays as it was
        expect(isinstance(client('CONFIG', 'SET', 'port', other.port), Error), True)
        expect(client('CONFIG', 'GET', 'port'), [b'port', b'%d' % port])
        again = Client(('127.0.0.1', port))
        server.clients.append(again)
        expect(again('PING'), 'PONG')
        expect(isinstance(client('CONFIG', 'SET', 'bind', '192.0.2.77'), Error), True)
        again = Client(('127.0.0.1', port))
        server.clients.append(again)
        expect(again('PING'), 'PONG')
        # in a pipeline, within a transaction, with others at the door
        expect(client.all(('MULTI',), ('CONFIG', 'SET', 'port', server.port), ('PING',), ('EXEC',))[3], ['OK', 'PONG'])
        back = server.client()
        expect(back('PING'), 'PONG')
    finally:
        other.stop()


# ---- how connections end --------------------------------------------------------------------------


@test('--timeout', '10')
def the_idle_are_closed(server):
    idle, busy, half, subscribed, blocked, queued, admin = server.clients_of(7)
    admin.freeze()
    expect(idle('PING'), 'PONG')
    half.send(b'*2\r\n$3\r\nGE')
    expect(subscribed('SUBSCRIBE', 'news'), [b'subscribe', b'news', 1])
    blocked.send_commands(('BLPOP', 'l', 0))
    expect(queued.all(('MULTI',), ('SET', 'k', 1)), ['OK', 'QUEUED'])
    admin.wait_blocked(1)
    for _ in range(3):
        admin.advance(5_000)
        expect(busy('PING'), 'PONG')
        admin('PING')
    for client in idle, half, queued:
        client.expect_closed()
    expect(admin.all(('PUBLISH', 'news', 'x'), ('RPUSH', 'l', 1)), [1, 1])
    expect(subscribed.read()[2], b'x')
    expect(blocked.read(), [b'l', b'1'])
    expect(busy('PING'), 'PONG')
    expect(admin.info('connected_clients'), 4)
    expect(admin('CONFIG', 'SET', 'timeout', 0), 'OK')
    admin.advance(1_000_000)
    time.sleep(0.3)
    expect(busy('PING'), 'PONG')


@test()
def half_open_connections_and_resets_do_no_harm(server):
    admin = server.client()
    expect(admin('SET', 'big', 'x' * 10 * MB), 'OK')
    before = admin.info('used_memory')
    for round in range(scaled(5, 3)):
        clients = server.clients_of(8)
        for client in clients:
            client.send(encode('GET', 'big') * 3 + encode('INCR', 'n'))
        wait_until(lambda: admin('GET', 'n') == b'%d' % (8 * (round + 1)), 'all have been answered')
        clients[0].reset()
        clients[1].close()
        clients[2].socket.shutdown(socket.SHUT_RD)
        clients[2].close()
        clients[3].socket.shutdown(socket.SHUT_WR)
        clients[4].read_bytes(100_000)
        clients[4].reset()
        clients[5].send_commands(('QUIT',))
        clients[5].reset()
        clients[6].send(b'*1\r\n!\r\n')
        clients[6].reset()
        clients[7].send_commands(('BLPOP', 'l', 0))
        admin.wait_blocked(1)
        clients[7].reset()
        clients[3].rest()
        wait_until(lambda: admin.info('connected_clients') == 1, 'all are gone')
    expect(admin.info('blocked_clients'), 0)
    wait_until(lambda: admin.info('used_memory') < before + 200_000, 'the memory is free')


@test()
def garbage_gets_an_error_or_the_end(server):
    admin = server.client()
    choose = random.Random(int(os.environ.get('SEED', '4')))
    commands = [encode('SET', 'k', 'v'), encode('GET', 'k'), b'PING\r\n', encode('LRANGE', 'l', 0, -1), encode('MULTI'), encode('EXEC'), encode('SET', 'k', 'x' * 40_000),
                encode('BLPOP', 'l', '0.01'), encode('CLIENT', 'REPLY', 'SKIP'), encode('SUBSCRIBE', 'c'), encode('HELLO', 3), encode('RESET')]
    for round in range(scaled(1500, 300, 100)):
        client = server.client()
        data = bytearray(b''.join(choose.choice(commands) for _ in range(choose.randrange(1, 8))))
        for _ in range(choose.choice((0, 1, 1, 3, 20))):
            at = choose.randrange(len(data))
            change = choose.randrange(4)
            if change == 0:
                data[at] = choose.randrange(256)
            elif change == 1:
                del data[at:at + choose.choice((1, 2, 10))]
            elif change == 2:
                data[at:at] = bytes(choose.choice((b'\r\n', b'*', b'$', b'\0', b'"', b'-1', b'99999999999', b'\xff\xfe')))
            else:
                data[at:at] = data[:choose.randrange(1, 50)]
            if not data:
                data = bytearray(b'\r\n')
        try:
            client.send(bytes(data))
            if round % 3 == 0:
                client.socket.shutdown(socket.SHUT_WR)
                client.rest()
        except OSError:
            pass
        client.close()
        if round % 50 == 0:
            expect(admin('PING'), 'PONG')
            server.clients = [admin]
    for _ in range(scaled(100, 30, 10)):
        client = server.client()
        try:
            client.send(choose.randbytes(choose.choice((1, 10, 1000, 100_000 if not IS_STRESS else 2000))))
            client.socket.shutdown(socket.SHUT_WR)
            client.rest()
        except OSError:
            pass
    wait_until(lambda: admin.info('connected_clients') == 1, 'all are gone')
    expect(admin.all(('FLUSHALL',), ('PING',)), ['OK', 'PONG'])


@test()
def a_connection_is_described(server):
    client, admin = server.clients_of(2)
    client_id = client.id()
    long = 'n' * 1500
    expect(client.all(('CLIENT', 'SETNAME', long), ('CLIENT', 'SETINFO', 'LIB-NAME', long), ('SELECT', 3), ('MULTI',), ('GET', 'k')), ['OK', 'OK', 'OK', 'OK', 'QUEUED'])
    fields = admin.described(client_id)
    expect((fields['name'] == long, fields['lib-name'] == long), (True, True))
    expect((fields['db'], fields['multi'], fields['flags'], fields['cmd']), ('3', '1', 'x', 'get'))
    for commands, name in [(('EXEC',),), 'exec'], [(('GET',),), 'get'], [(('NOSUCH',),), 'NULL'], [(('PING',), ('CLIENT', 'NOSUCH')), 'NULL'], [(('CLIENT', 'GETNAME'),), 'client|getname']:
        client.all(*commands)
        expect(admin.described(client_id)['cmd'], name)
    own = client.socket.getsockname()
    expect((fields['addr'], fields['laddr']), (f'127.0.0.1:{own[1]}', f'127.0.0.1:{server.port}'))
    expect(len(admin('CLIENT', 'LIST').splitlines()), 2)
    expect(admin('CLIENT', 'KILL', 'ADDR', f'127.0.0.1:{own[1]}', 'ID', client_id + 100), 0)
    expect(admin('CLIENT', 'KILL', 'ADDR', f'127.0.0.1:{own[1]}', 'ID', client_id), 1)
    client.expect_closed()
    expect_error(admin('CLIENT', 'KILL', '127.0.0.1:1'), 'ERR No such client')


main()
