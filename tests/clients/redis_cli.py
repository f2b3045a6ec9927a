"""redis-cli as its users use it: one command, many on stdin, a mass of them through --pipe, the modes that look at a
whole server, and a dialogue on a terminal."""

from _terminal import *


def cli(server, *args, **options):
    return run(CLI, '-p', server.port, *args, **options).decode()


def needs(option):
    if option not in HELP:
        raise Skip(f'this redis-cli has no {option}')


# ---- one command and many ----------------------------------------------------------------------------


@test()
def a_command_on_the_command_line(server):
    expect(cli(server, 'SET', 'greeting', 'hello world'), 'OK\n')
    expect(cli(server, 'GET', 'greeting'), 'hello world\n')
    expect(cli(server, '--no-raw', 'GET', 'greeting'), '"hello world"\n')
    expect(cli(server, '--no-raw', 'GET', 'none'), '(nil)\n')
    expect(cli(server, 'RPUSH', 'l', 'a', 'b c', ''), '3\n')
    expect(cli(server, '--no-raw', 'LRANGE', 'l', '0', '-1'), '1) "a"\n2) "b c"\n3) ""\n')
    expect(cli(server, '--csv', 'LRANGE', 'l', '0', '-1'), '"a","b c",""\n')
    expect(cli(server, '-d', ';', 'LRANGE', 'l', '0', '-1'), 'a;b c;\n')
    expect(cli(server, '-r', '3', 'INCR', 'n'), '1\n2\n3\n')
    expect(cli(server, '-n', '5', 'DBSIZE'), '0\n')
    expect(cli(server, 'NOSUCH', 'x').strip(), "ERR unknown command 'NOSUCH', with args beginning with: 'x'")
    expect(cli(server, '--no-raw', 'LPUSH', 'greeting', 'x'), '(error) WRONGTYPE Operation against a key holding the wrong kind of value\n')
    if ' -e ' in HELP:
        cli(server, '-e', 'NOSUCH', status=1)
    if '--quoted-input' in HELP:
        expect(cli(server, '--quoted-input', 'SET', '"a\\x00b"', '"\\n\\xff"'), 'OK\n')
        expect(cli(server, '--no-raw', '--quoted-input', 'GET', '"a\\x00b"'), '"\\n\\xff"\n')


@test('--unixsocket', SOCKET, '--requirepass', 'secret')
def ways_to_connect(server):
    expect(run(CLI, '-s', SOCKET, '--no-auth-warning', '-a', 'secret', 'PING'), b'PONG\n')
    expect(cli(server, 'PING').strip(), 'NOAUTH Authentication required.')
    expect(cli(server, 'PING', env={'REDISCLI_AUTH': 'secret'}), 'PONG\n')
    expect(run(CLI, '-u', f'redis://default:secret@127.0.0.1:{server.port}/3', 'CLIENT', 'INFO').decode().split(' db=')[1].split()[0], '3')
    if '--user ' in HELP:
        expect(cli(server, '--no-auth-warning', '--user', 'default', '--pass', 'secret', 'PING'), 'PONG\n')
    expect_true('invalid username-password pair' in cli(server, '--no-auth-warning', '-a', 'wrong', 'PING'), 'no word of the wrong password')


@test()
def help_comes_from_the_server(server):
    shown = re.sub(r'\x1b\[[0-9;]*m', '', cli(server, input=b'help lcs\n'))
    if 'LCS' not in shown:
        raise Skip('this redis-cli knows its own commands only')
    expect_true('LCS key1 key2 [LEN] [IDX] [MINMATCHLEN' in shown, shown)
    expect_true('summary: Finds the longest subsequence' in shown, shown)
    shown = re.sub(r'\x1b\[[0-9;]*m', '', cli(server, input=b'help sort\n'))
    expect_true('SORT key [BY ' in shown and '[GET pattern [GET pattern ...]] [ASC|DESC] [ALPHA] [STORE destination]' in shown, shown)
    expect_true('summary:' in cli(server, input=b'help @list\n'), 'the help of a group')


@test()
def commands_on_stdin(server):
    expect(cli(server, input=b'SET k "two words"\nGET k\nINCR n\nRPUSH l a b\nLRANGE l 0 -1\nMULTI\nINCR n\nGET k\nEXEC\nNOSUCH\nPING\n').replace('\n\n', '\n'),
           'OK\ntwo words\n1\n2\na\nb\nOK\nQUEUED\nQUEUED\n2\ntwo words\n'
           "ERR unknown command 'NOSUCH', with args beginning with: \nPONG\n")
    count = scaled(10_000, 1_000)
    lines = cli(server, input=b''.join(b'INCR many\n' for _ in range(count))).split()
    expect_true(lines == [str(i + 1) for i in range(count)], 'an INCR was lost')
    expect(cli(server, input=b'3 INCR thrice\n'), '1\n2\n3\n')


@test()
def an_argument_from_stdin(server):
    value = os.urandom(scaled(5, 1) * MB)
    expect(cli(server, '-x', 'SET', 'k', input=value), 'OK\n')
    client = server.client()
    expect_true(client('GET', 'k') == value, 'it came differently')
    expect_true(run(CLI, '-p', server.port, 'GET', 'k') == value + b'\n', 'it came back differently')
    if ' -X ' in HELP:
        expect(cli(server, '-X', 'tag', 'SET', 'tag', 'v', input=b'the key'), 'OK\n')
        expect(client('GET', 'the key'), b'v')


@test()
def a_mass_of_commands_through_pipe(server):
    count = scaled(100_000, 10_000)
    output = cli(server, '--pipe', input=b''.join(encode('SET', f'key:{i}', f'value {i}') for i in range(count)))
    expect_true(f'errors: 0, replies: {count}' in output, output)
    client = server.client()
    expect([client('DBSIZE'), client('GET', f'key:{count - 1}')], [count, b'value %d' % (count - 1)])
    output = cli(server, '--pipe', input=encode('LPUSH', 'key:1', 'x') + b'SET inline 1\r\n' + encode('INCR', 'inline'), status=1)
    expect_true('errors: 1, replies: 3' in output and 'WRONGTYPE' in output, output)
    output = cli(server, '--pipe', input=encode('SET', 'large', 'x' * 5 * MB) + encode('GET', 'large') + encode('STRLEN', 'large'))
    expect_true('errors: 0, replies: 3' in output, output)


# ---- protocols and formats ------------------------------------------------------------------------------


@test()
def the_third_protocol(server):
    needs(' -3 ')
    expect(cli(server, '-3', '--no-raw', 'CONFIG', 'GET', 'timeout'), '1# "timeout" => "0"\n')
    expect(cli(server, '-3', '--no-raw', 'GET', 'none'), '(nil)\n')
    expect(cli(server, '-3', 'SET', 'k', 'v'), 'OK\n')
    output = cli(server, '-3', input=b'GET k\nCLIENT INFO\nINFO server\nNOSUCH\n')
    expect_true('resp=3' in output and output.startswith('v\n') and 'redis_version:' in output, output)


@test()
def json(server):
    needs('--json')
    client = server.client()
    client('RPUSH', 'l', 'a"b', 'ü', 1)
    expect(cli(server, '--json', 'LRANGE', 'l', '0', '-1'), '["a\\"b","ü","1"]\n')
    expect(cli(server, '--json', 'CONFIG', 'GET', 'timeout'), '{"timeout":"0"}\n')
    expect([cli(server, '--json', 'GET', 'none'), cli(server, '--json', 'INCR', 'n')], ['null\n', '1\n'])
    if '--quoted-json' in HELP:
        expect(cli(server, '--quoted-json', 'GET', 'n'), '"1"\n')


@test()
def subscribing(server):
    client = server.client()
    process = subprocess.Popen([CLI, '-p', str(server.port), '--csv', 'SUBSCRIBE', 'news'], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: client('PUBLISH', 'news', 'one'), 'it listens')
        expect(client('PUBLISH', 'news', 'two'), 1)
        seen = b''
        while b'two' not in seen:
            expect_true(select.select([process.stdout], [], [], TIMEOUT)[0], 'it shows nothing')
            part = os.read(process.stdout.fileno(), 1000)
            expect_true(part, f'it ended; it showed {seen!r}')
            seen += part
        expect_true(seen.index(b'"message","news","one"') < seen.index(b'"message","news","two"'), shown(seen))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# ---- the whole server -----------------------------------------------------------------------------------


def fill(server):
    client = server.client()
    count = scaled(5000, 1000)
    client.all(*[('SET', f'user:{i}', 'x' * (i % 100)) for i in range(count)], *[('RPUSH', f'list:{i}', *range(i + 1)) for i in range(50)],
               ('SET', 'user:big', 'y' * 100_000))
    return client, count


@test()
def scanning(server):
    client, count = fill(server)
    keys = cli(server, '--scan').split()
    expect([len(keys), len(set(keys))], [count + 51] * 2)
    expect(sorted(cli(server, '--scan', '--pattern', 'list:*').split()), sorted(f'list:{i}' for i in range(50)))
    expect(sorted(cli(server, '--scan', '--pattern', 'user:1[0-4]').split()), [f'user:1{i}' for i in range(5)])
    expect(cli(server, '--scan', '--pattern', 'none*'), '')


@test()
def the_biggest_keys(server):
    client, count = fill(server)
    output = cli(server, '--bigkeys')
    for part in f'Sampled {count + 51} keys in the keyspace', 'user:big.* has 100000 bytes', 'list:49.* has 50 items':
        expect_true(re.search(part, output), output[-1500:])
    expect_true('ERR' not in output and 'rror' not in output, output)


@test()
def rolling_statistics(server):
    process = subprocess.Popen([CLI, '-p', str(server.port), '--stat', '-i', '0.01'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        seen = b''
        while seen.count(b'\n') < 8:
            part = os.read(process.stdout.fileno(), 1000) if select.select([process.stdout], [], [], TIMEOUT)[0] else b''
            expect_true(part, f'no more statistics; it showed {seen!r}')
            seen += part
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    for line in seen.decode().splitlines()[2:7]:
        expect_true(re.match(r'\d+ +[\d.]+[BKMG] +\d+ +\d+ +\d+ \(\+\d+\) +\d+', line), f'not a line of statistics: {line!r}')


@test()
def latency(server):
    words = cli(server, '--raw', '--latency', '-i', '0.2').split()
    expect_true(len(words) == 4 and all(re.fullmatch(r'[\d.]+', word) for word in words) and int(words[3]) > 0, shown(words))


@test(own=True)
def nobody_there(directory):
    server = Server(directory)
    server.stop()
    expect_true('Connection refused' in cli(server, 'PING', status=1), 'no word of the refused connection')


# ---- a dialogue -----------------------------------------------------------------------------------------


@test()
def a_dialogue_on_a_terminal(server):
    terminal = Terminal(CLI, '-p', server.port)
    prompt = f'127.0.0.1:{server.port}'
    before = terminal.until(prompt + '> ')
    expect_true('rror' not in before and 'ERR' not in before and 'arning' not in before, f'it did not start quietly: {before!r}')
    ask = lambda line, ending='> ': terminal.ask(line, prompt + ending)
    expect(ask('ping'), 'PONG\n')
    expect(ask('set k "hello world"'), 'OK\n')
    expect(ask('get k'), '"hello world"\n')
    expect(ask('rpush l a b'), '(integer) 2\n')
    expect(ask('lrange l 0 -1'), '1) "a"\n2) "b"\n')
    expect(ask('lpush k x'), '(error) WRONGTYPE Operation against a key holding the wrong kind of value\n')
    expect(ask('nosuch'), "(error) ERR unknown command 'nosuch', with args beginning with: \n")
    expect_true(re.search(r'(?s)LPUSH.*summary: Prepend.*since: 1.0.0.*group: list', ask('help lpush')), 'no help for lpush')
    expect(ask('select 2', '[2]> '), 'OK\n')
    expect(ask('select 0'), 'OK\n')
    expect(ask('multi', '(TX)> '), 'OK\n')
    expect(ask('incr n', '(TX)> '), 'QUEUED\n')
    expect(ask('exec'), '1) (integer) 1\n')
    expect_true('1# "timeout" => "0"\n' in ask('hello 3') + ask('config get timeout'), 'the third protocol')
    killer = server.client()
    expect(killer('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'), 1)
    expect(terminal.ask('get k', 'not connected> '), 'Error: Server closed the connection\n')
    expect(ask('get k'), '"hello world"\n')
    expect_true('ERR' not in terminal.all.replace('(error) ERR unknown command', ''), 'an error was shown')
    terminal.type('exit')
    expect(terminal.end(), 0)


@test()
def a_dialogue_about_messages(server):
    terminal = Terminal(CLI, '-p', server.port)
    client = server.client()
    terminal.until('> ')
    terminal.type('subscribe news')
    wait_until(lambda: client('PUBLISH', 'news', 'one'), 'it listens')
    terminal.until('"one"')
    expect(client('PUBLISH', 'news', 'two'), 1)
    terminal.until('"two"')
    os.write(terminal.fd, b'\x03')  # Ctrl-C: versions differ in whether it ends the program or the listening
    try:
        while terminal.read() and not terminal.seen.endswith('> '):
            pass
    finally:
        try:
            os.kill(terminal.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    terminal.end()


main()
