#!/usr/bin/env python3
"""How the server is started: command line, file, standard input; what it says, how it is watched and how it ends.

The tables of what is refused are run against a real server too, when there is one."""

from _harness import *

FATAL = '\n*** FATAL CONFIG FILE ERROR (Redis {version}) ***\n'


def program():
    return os.path.abspath(PROGRAM)


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)
    return path


def read(path):
    with open(path) as file:
        return file.read()


def free_port():
    """Somebody may take it meanwhile, but hardly does."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def run(*args, what=None, stdin='', directory=None):
    """A start that is refused: status, stdout, stderr."""
    done = subprocess.run([what or program(), *args], input=stdin, capture_output=True, text=True, timeout=TIMEOUT,
                          cwd=directory)
    return done.returncode, done.stdout, done.stderr


class Started:
    """A server started as a tool would: it is ready when its log says so."""

    def __init__(self, *args, stdin=None, env=None, directory=None, log=None, ready='Ready to accept connections'):
        self.log = log or os.path.join(directory, 'stdout')
        self.complaints = tempfile.TemporaryFile('w+')
        with open(os.devnull if log else self.log, 'w') as output:
            self.process = subprocess.Popen([program(), *map(str, args)], cwd=directory, env={**os.environ, **(env or {})},
                                            stdin=subprocess.PIPE, stdout=output, stderr=self.complaints, text=True)
        self.process.stdin.write(stdin or '')
        self.process.stdin.close()
        self.pid = self.process.pid
        if ready:
            wait_until(lambda: ready in self.said() or self.process.poll() is not None, 'the server is ready')
            expect_true(self.process.poll() is None, f'the server ended: {self.said()}')

    def said(self):
        return read(self.log) if os.path.exists(self.log) else ''

    def end(self, number=signal.SIGTERM, status=0):
        self.process.send_signal(number)
        expect(self.process.wait(TIMEOUT), status, 'status')
        self.complaints.seek(0)
        expect(self.complaints.read(), '', 'what it said on stderr')
        return self.said()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.complaints.close()


@contextlib.contextmanager
def client_of(address):
    client = Client(address if isinstance(address, str) else ('127.0.0.1', address))
    try:
        yield client
    finally:
        client.close()


def value_of(client, name):
    reply = client('CONFIG', 'GET', name)
    expect(len(reply), 2, name)
    return reply[1].decode()


# ---- what is refused ------------------------------------------------------------------------------

# A file, or options after 'port 0': the number of the line, the line, why.
REFUSED_LINES = [
    ('hz abc', "argument couldn't be parsed into an integer"),
    ('hz', 'wrong number of arguments'),
    ('hz 1 2', 'wrong number of arguments'),
    ('foo', 'Bad directive or wrong number of arguments'),
    ('foo "bar', 'Unbalanced quotes in configuration line'),
    ('foo "bar"x', 'Unbalanced quotes in configuration line'),
    ('save 1', 'Invalid save parameters'),
    ('save 0 1', 'Invalid save parameters'),
    ('include', 'Bad directive or wrong number of arguments'),
    ('rename-command NOSUCH x', 'No such command in rename-command'),
    ('rename-command GET SET', 'Target command name already exists'),
    ('dir /nonexistent', 'No such file or directory'),
    ('dir "a b" c', 'wrong number of arguments'),
    ('databases 4000000000', 'argument must be between 1 and 2147483647 inclusive'),
    ('replicaof 1.2.3.4', 'wrong number of arguments'),
    ('replicaof 1.2.3.4 99999', 'Invalid master port'),
    ('unixsocketperm 888', "argument couldn't be parsed as an octal number"),
    ('unixsocketperm 1777', 'argument must be between 0 and 777 inclusive'),
    ('maxmemory 10xb', 'argument must be a memory value'),
    ('maxmemory-clients 101%', 'percentage argument must be less or equal to 100'),
    ('io-threads 0', 'argument must be between 1 and 128 inclusive'),
    ('daemonize maybe', "argument must be 'yes' or 'no'"),
    ('supervised me', 'argument(s) must be one of the following: upstart, systemd, auto, no'),
    ('appendfilename a/b', "appendfilename can't be a path, just a filename"),
    ('appenddirname ""', "appenddirname can't be empty"),
    ('dbfilename a/b', "dbfilename can't be a path, just a filename"),
    ('proc-title-template "{foo}"', 'template format is invalid or contains unknown variables'),
    ('shutdown-on-sigint save nosave', "shutdown options SAVE and NOSAVE can't be used simultaneously"),
    ('oom-score-adj-values 1 2', 'wrong number of arguments'),
    ('client-output-buffer-limit normal 1 2', 'Wrong number of arguments in buffer limit configuration.'),
    ('notify-keyspace-events Q', "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
    ('cluster-announce-hostname a_b', 'Hostnames may only contain alphanumeric characters, hyphens or dots'),
]
REFUSED_OPTIONS = [  # the words, the line that they make, its number, why
    (['--hz', 'abc'], 'hz "abc"', 3, "argument couldn't be parsed into an integer"),
    (['--hz', '10', '--foo', 'bar baz'], None, 4, 'Bad directive or wrong number of arguments'),
    (['--hz', '"12'], 'hz "\\"12"', 3, "argument couldn't be parsed into an integer"),
    (['--hz', '10', '-x', '1'], 'hz "10" "-x" "1"', 3, 'wrong number of arguments'),
    (['--hz'], 'hz', 3, 'wrong number of arguments'),
    (['--hz 12 13'], 'hz 12 13', 3, 'wrong number of arguments'),
    (['--hz 12', '13'], 'hz 12 "13"', 3, 'wrong number of arguments'),
    (['--hz', '--port', '7'], 'hz "--port" "7"', 3, 'wrong number of arguments'),
]


def version_of(what):
    return re.search(r'v=(\S+)', run('--version', what=what)[1]).group(1)


def servers():
    """Ours, and a real one of the same kind: later ones take unknown directives for those of modules."""
    is_kin = REAL and 'Redis server v=7.' in run('--version', what=REAL)[1]
    return [program()] + ([REAL] if is_kin else [])


@test(own=True)
def a_refused_line_is_named(directory):
    os.makedirs(directory)
    for what in servers():
        version = version_of(what)
        for line, why in REFUSED_LINES:
            path = write(os.path.join(directory, 'conf'), f'port 0\n# a comment\n\n  {line}  \n')
            status, _, said = run(path, what=what, directory=directory)
            expect((status, said), (1, FATAL.format(version=version) + 'Reading the configuration file, at line 4\n'
                                    f">>> '{line}'\n{why}\n"), f'{what}: {line}')


@test(own=True)
def a_refused_option_is_a_line_too(directory):
    os.makedirs(directory)
    for what in servers():
        for words, line, number, why in REFUSED_OPTIONS:
            status, _, said = run('--port', '0', *words, what=what, directory=directory)
            shown_line = f">>> '{line}'\n" if line else said.split('\n')[3] + '\n'
            expect((status, said), (1, FATAL.format(version=version_of(what)) +
                                    f'Reading the configuration file, at line {number}\n{shown_line}{why}\n'), str(words))


@test(own=True)
def what_cannot_be_opened_is_said_in_the_log(directory):
    os.makedirs(directory)
    for args in (['/nonexistent'], [write(os.path.join(directory, 'conf'), 'include /nonexistent\n')]):
        status, said, errors = run(*args)
        expect((status, errors), (1, ''))
        expect_true(said.endswith(" # Fatal error, can't open config file '/nonexistent': No such file or directory\n"), said)
    status, _, said = run('--port', '0', '--logfile', '/nonexistent/log')
    expect(said, FATAL.format(version=version_of(program())) + "Can't open the log file: No such file or directory\n")


@test(own=True)
def users_and_modules_stop_a_start(directory):
    """A server that is open to everybody is not what such a file asks for."""
    os.makedirs(directory)
    for line in ('user alice on >secret ~* +@all', 'loadmodule /some/module.so', 'aclfile /some/users.acl'):
        status, _, said = run(write(os.path.join(directory, 'conf'), line + '\n'))
        expect(status, 1)
        expect_true(f">>> '{line}'" in said and 'not supported' in said, said)


@test(own=True)
def files_that_include_each_other_without_end_are_refused(directory):
    os.makedirs(directory)
    path = os.path.join(directory, 'conf')
    status, _, said = run(write(path, f'include {path}\n'))
    expect(status, 1)
    expect_true('include each other' in said, said)


# ---- forms ----------------------------------------------------------------------------------------


def started_values(directory, names, *args, stdin=None, config=None):
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    words = [write(os.path.join(directory, 'conf'), config)] if config is not None else []
    port = free_port()
    with Started(*words, *args, '--port', port, stdin=stdin, directory=directory) as server:
        with client_of(port) as client:
            values = [value_of(client, name) for name in names]
        server.end()
    return values


@test(own=True)
def options_take_many_forms(directory):
    names = ['hz', 'save', 'maxmemory', 'proc-title-template', 'bind']
    for words, wanted in (
            (['--hz', '20', '--save', '', '--bind', '127.0.0.1', '-::1'], ['20', '', '0', None, '127.0.0.1 -::1']),
            (['--hz 20', '--save "900 1"', '--bind 127.0.0.1'], ['20', '900 1', '0', None, '127.0.0.1']),
            (['--HZ', '20', '--save', '--maxmemory', '1mb'], ['20', '', '1048576', None, '* -::*']),
            (['--save', '900', '1', '300', '10', '--maxmemory', '1k'], ['10', '900 1 300 10', '1000', None, '* -::*']),
            (['--save "" ', '--proc-title-template', "{title} it's \"x\" \\"],
             ['10', '', '0', "{title} it's \"x\" \\", '* -::*']),
            (['--proc-title-template', '--x'], ['10', '3600 1 300 100 60 10000', '0', '--x', '* -::*'])):
        values = started_values(directory, names, *words)
        wanted[3] = wanted[3] or '{title} {listen-addr} {server-mode}'
        expect(values, wanted, str(words))


@test(own=True)
def save_may_be_the_last_word(directory):
    os.makedirs(directory)
    port = free_port()
    with Started('--port', port, '--save', directory=directory) as server, client_of(port) as client:
        expect(value_of(client, 'save'), '')
        server.end()


@test(own=True)
def words_are_quoted_as_in_redis(directory):
    config = ('requirepass ""\n'
              "masterauth ''\n"
              'masteruser "a\\x41\\n\\t\\"b\\\\"\r\n'
              "logfile '' \n"
              "dbfilename 'it\\'s \\n'\n"
              '   # a comment  \n'
              'MAXMEMORY\t1gb   # no comment: refused\n')
    os.makedirs(directory)
    status, _, said = run(write(os.path.join(directory, 'conf'), config))
    expect(status, 1)
    expect_true('at line 7\n' in said and 'wrong number of arguments' in said, said)
    names = ['requirepass', 'masterauth', 'masteruser', 'dbfilename', 'maxmemory']
    expect(started_values(directory, names, config=config.replace('   # no comment: refused', '')),
           ['', '', 'aA\n\t"b\\', "it's \\n", str(1 << 30)])


@test(own=True)
def sizes_have_units(directory):
    for text, wanted in (('1k', 10**3), ('1KB', 2**10), ('2m', 2 * 10**6), ('2mb', 2 * 2**20), ('1G', 10**9), ('1gb', 2**30),
                         ('17', 17), ('17b', 17)):
        expect(started_values(directory, ['maxmemory'], config=f'maxmemory {text}\n'), [str(wanted)], text)


@test(own=True)
def the_last_of_file_standard_input_and_options_holds(directory):
    os.makedirs(directory)
    port = free_port()
    path = write(os.path.join(directory, 'conf'), f'port {port}\nhz 20\ntimeout 20\ntcp-keepalive 20\n')
    with Started(path, '--tcp-keepalive', '40', '-', stdin='timeout 30\ntcp-keepalive 30\n', directory=directory) as server, \
            client_of(port) as client:
        expect([value_of(client, name) for name in ('hz', 'timeout', 'tcp-keepalive')], ['20', '30', '40'])
        server.end()


@test(own=True)
def standard_input_is_read_first_or_last(directory):
    os.makedirs(directory)
    for words in (['-', '--timeout', '7'], ['--timeout', '7', '-']):
        port = free_port()
        with Started(*words, stdin=f'port {port}\nhz 30\n', directory=directory) as server, client_of(port) as client:
            expect((value_of(client, 'hz'), value_of(client, 'timeout')), ('30', '7'))
            server.end()


@test(own=True)
def includes_may_be_patterns(directory):
    parts = os.path.join(directory, 'parts')
    os.makedirs(parts)
    write(os.path.join(parts, 'a.conf'), 'hz 20\ntimeout 1\n')
    write(os.path.join(parts, 'b.conf'), 'timeout 2\n')
    write(os.path.join(parts, 'other'), 'timeout 3\n')
    port = free_port()
    path = write(os.path.join(directory, 'conf'), f'include {parts}/*.conf\ninclude {parts}/*.none\nport {port}\n')
    with Started(path, directory=directory) as server, client_of(port) as client:
        expect((value_of(client, 'hz'), value_of(client, 'timeout')), ('20', '2'))
        server.end()
    write(os.path.join(parts, 'b.conf'), '\ntimeout x\n')
    said = run(path)[2]
    expect_true("at line 2\n>>> 'timeout x'\nargument couldn't" in said, said)


@test(own=True)
def several_lines_of_save_and_of_limits_add_up(directory):
    names = ['save', 'client-output-buffer-limit']
    config = 'save 900 1\nsave 300 10\nclient-output-buffer-limit normal 1mb 0 0\nclient-output-buffer-limit pubsub 1 2 3\n'
    expect(started_values(directory, names, config=config),
           ['900 1 300 10', 'normal 1048576 0 0 slave 268435456 67108864 60 pubsub 1 2 3'])
    expect(started_values(directory, names[:1], config='save 900 1\nsave\nsave 60 7\n'), ['60 7'])


# What a file that comes with Redis 7.2 sets, beside comments.
STOCK = '''
bind 127.0.0.1 -::1
protected-mode yes
tcp-backlog 511
timeout 0
tcp-keepalive 300
daemonize no
loglevel notice
logfile ""
databases 16
always-show-logo no
set-proc-title yes
proc-title-template "{title} {listen-addr} {server-mode}"
locale-collate ""
stop-writes-on-bgsave-error yes
rdbcompression yes
rdbchecksum yes
dbfilename dump.rdb
rdb-del-sync-files no
dir ./
replica-serve-stale-data yes
replica-read-only yes
repl-diskless-sync yes
repl-diskless-sync-delay 5
repl-diskless-sync-max-replicas 0
repl-diskless-load disabled
repl-disable-tcp-nodelay no
replica-priority 100
acllog-max-len 128
lazyfree-lazy-eviction no
lazyfree-lazy-expire no
lazyfree-lazy-server-del no
replica-lazy-flush no
lazyfree-lazy-user-del no
lazyfree-lazy-user-flush no
oom-score-adj no
oom-score-adj-values 0 200 800
disable-thp yes
appendonly no
appendfilename "appendonly.aof"
appenddirname "appendonlydir"
appendfsync everysec
no-appendfsync-on-rewrite no
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 64mb
aof-load-truncated yes
aof-use-rdb-preamble yes
aof-timestamp-enabled no
slowlog-log-slower-than 10000
slowlog-max-len 128
latency-monitor-threshold 0
notify-keyspace-events ""
hash-max-listpack-entries 512
hash-max-listpack-value 64
list-max-listpack-size -2
list-compress-depth 0
set-max-intset-entries 512
set-max-listpack-entries 128
set-max-listpack-value 64
zset-max-listpack-entries 128
zset-max-listpack-value 64
hll-sparse-max-bytes 3000
stream-node-max-bytes 4096
stream-node-max-entries 100
activerehashing yes
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 32mb 8mb 60
hz 10
dynamic-hz yes
aof-rewrite-incremental-fsync yes
rdb-save-incremental-fsync yes
jemalloc-bg-thread yes
'''


@test(own=True)
def a_stock_file_starts_without_a_warning(directory):
    os.makedirs(directory)
    with Started(write(os.path.join(directory, 'conf'), STOCK), '--port', free_port(), directory=directory) as server:
        said = server.end()
    expect_true('not supported' not in said, said)


@test(own=True)
def what_has_no_subject_is_said_once(directory):
    os.makedirs(directory)
    port = free_port()
    config = f'port {port}\nsave 900 1\nsave 300 10\nappendonly no\nactiverehashing yes\nrepl-timeout 60\nio-threads 4\n'
    path = write(os.path.join(directory, 'conf'), config)
    with Started(path, '--save', '60', '1', directory=directory) as server, client_of(port) as client:
        expect(client('CONFIG', 'SET', 'save', '7 7'), 'OK')
        expect(client('CONFIG', 'SET', 'maxmemory-clients', '5%', 'activedefrag', 'yes'), 'OK')
        expect(client('CONFIG', 'SET', 'activedefrag', 'no'), 'OK')
        expect(client('CONFIG', 'SET', 'activedefrag', 'yes'), 'OK')
        said = server.end()
    names = re.findall(r'# WARNING (\S+): not supported yet, ', said)
    expect(sorted(names), ['activedefrag', 'io-threads', 'maxmemory-clients'], said)


@test(own=True)
def commands_may_be_renamed_and_removed(directory):
    os.makedirs(directory)
    port = free_port()
    config = f'port {port}\nrename-command GET fetch\nrename-command CLIENT cli\nrename-command INCRBYFLOAT ""\n'
    with Started(write(os.path.join(directory, 'conf'), config), directory=directory) as server, client_of(port) as client:
        expect(client('SET', 'k', 'v'), 'OK')
        expect(client('FETCH', 'k'), b'v')
        expect_error(client('GET', 'k'), "ERR unknown command 'GET'")
        expect_error(client('INCRBYFLOAT', 'k', '1'), "ERR unknown command 'INCRBYFLOAT'")
        expect(client('fetch'), Error("ERR wrong number of arguments for 'get' command"))
        expect(client('CLI', 'FOO'), Error("ERR unknown subcommand 'FOO'. Try CLI HELP."))
        expect(client('COMMAND', 'INFO', 'get', 'incrbyfloat'), [None, None])
        expect(client('COMMAND', 'INFO', 'fetch')[0][0], b'get')
        count = client('COMMAND', 'COUNT')
        expect(len(client('COMMAND')), count)
        expect_true(b'incrbyfloat' not in [row[0] for row in client('COMMAND')], 'a removed command is listed')
        server.end()


@test(own=True)
def a_relative_dir_is_entered_and_the_file_still_found(directory):
    os.makedirs(os.path.join(directory, 'data'))
    port = free_port()
    write(os.path.join(directory, 'conf'), f'port {port}\ndir data\nlogfile here.log\npidfile here.pid\n')
    log = os.path.join(directory, 'data', 'here.log')
    with Started('./conf', directory=directory, log=log) as server, client_of(port) as client:
        expect(value_of(client, 'dir'), os.path.realpath(os.path.join(directory, 'data')))
        expect(client.info('config_file', 'server'), os.path.join(os.path.realpath(directory), 'conf'))
        expect(read(os.path.join(directory, 'data', 'here.pid')), f'{server.pid}\n')
        expect(client('CONFIG', 'REWRITE'), 'OK')
        server.end()
    expect_true(f'dir "{os.path.realpath(directory)}/data"\n' in read(os.path.join(directory, 'conf')), 'dir is not absolute')
    expect(sorted(os.listdir(os.path.join(directory, 'data'))), ['dump.rdb', 'here.log'])


# ---- words without a server -----------------------------------------------------------------------


@test(own=True)
def version_help_and_check(directory):
    os.makedirs(directory)
    for word in ('-v', '--version'):
        status, said, _ = run(word)
        expect(status, 0)
        expect_true(re.fullmatch(r'Redis server v=7\.2\.4 sha=\S+:0 malloc=\S+ bits=64 build=[0-9a-f]+ .*\n', said), said)
    for word in ('-h', '--help'):
        status, said, _ = run(word)
        expect_true(status == 0 and said.startswith('Usage: '), said)
    good, bad = (write(os.path.join(directory, name), text) for name, text in (('good', 'hz 20\n'), ('bad', 'hz x\n')))
    expect(run('--check-config', good)[0::2], (0, ''))
    status, _, said = run('--check-config', bad)
    expect_true(status == 1 and "at line 1\n>>> 'hz x'\n" in said, said)
    expect(run('--check-config')[0], 1)
    expect(run('--test-memory', '10')[0], 1)
    expect(run('--test-memory')[2].split('\n')[0], 'Please specify the amount of memory to test in megabytes.')


# ---- the log --------------------------------------------------------------------------------------

STAMP = r' \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3} '


@test(own=True)
def the_log_has_the_form_that_tools_read(directory):
    os.makedirs(directory)
    port, path = free_port(), os.path.join(tempfile.mkdtemp(prefix='tern-'), 's')
    with Started('--port', port, '--unixsocket', path, directory=directory) as server:
        wait_until(lambda: 'connections unix' in server.said(), 'the second line is there')
        lines = server.end().splitlines()
    shutil.rmtree(os.path.dirname(path))
    wanted = [r'C * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo',
              f'C * Redis version=7.2.4, bits=64, commit=00000000, modified=0, pid={server.pid}, just started',
              None, 'C * Configuration loaded', None, f'M * Running mode=standalone, port={port}.', 'M * Server initialized',
              'M * Ready to accept connections tcp', 'M * Ready to accept connections unix', None,
              'M * User requested shutdown...', 'M * Saving the final RDB snapshot before exiting.',
              'M * DB saved on disk', 'M * Removing the unix socket file.',
              'M # Redis is now ready to exit, bye bye...']
    expect(len(lines), len(wanted), '\n'.join(lines))
    for line, text in zip(lines, wanted):
        if text:
            role, text = text[0], text[2:]
            expect_true(re.fullmatch(f'{server.pid}:{role}{STAMP}{re.escape(text)}', line), f'{line!r} is not {text!r}')
    expect_true(re.fullmatch(rf'{server.pid}:signal-handler \(\d+\) Received SIGTERM scheduling shutdown\.\.\.', lines[9]), lines[9])


@test(own=True)
def a_start_without_a_configuration_says_so(directory):
    os.makedirs(directory)
    status, said, _ = run('--port', '0')
    expect(status, 1)
    expect_true(said.endswith(' # Configured to not listen anywhere, exiting.\n'), said)
    expect_true('Warning: no config file' not in said, said)


@test(own=True)
def the_picture_tells_port_and_pid(directory):
    os.makedirs(directory)
    port = free_port()
    with Started('--port', port, '--always-show-logo', 'yes', directory=directory) as server:
        said = server.end()
    for text in (f' PID: {server.pid}\n', f' Port: {port}\n', 'Running in standalone mode'):
        expect_true(text in said, f'{text!r} is missing: {said}')
    expect_true('Running mode=' not in said, said)


@test(own=True)
def a_taken_port_is_said_and_ends_the_start(directory):
    with socket.socket() as taken:
        taken.bind(('0.0.0.0', 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said, _ = run('--port', str(port))
    expect(status, 1)
    expect_true(f'# Warning: Could not create server TCP listening socket *:{port}: bind: Address already in use\n' in said, said)
    expect_true(said.endswith(f'# Failed listening on port {port} (tcp), aborting.\n'), said)


@test(own=True)
def loglevel_chooses_lines(directory):
    os.makedirs(directory)
    port = free_port()
    with Started('--port', port, '--loglevel', 'warning', directory=directory, ready=None) as server:
        wait_until(lambda: socket.socket().connect_ex(('127.0.0.1', port)) == 0, 'it listens')
        said = server.end()
    expect([line.split(' ')[5] if 'signal' not in line else '#' for line in said.splitlines()], ['#', '#'], said)


# ---- the end --------------------------------------------------------------------------------------


@test(own=True)
def both_signals_end_it_well(directory):
    os.makedirs(directory)
    for number in (signal.SIGTERM, signal.SIGINT):
        with Started('--port', free_port(), directory=directory) as server:
            said = server.end(number)
        expect_true(f') Received {number.name} scheduling shutdown...\n' in said, said)
        expect_true(said.endswith('# Redis is now ready to exit, bye bye...\n'), said)


@test(own=True)
def a_second_sigint_ends_it_at_once(directory):
    os.makedirs(directory)
    port = free_port()
    with Started('--port', port, '--enable-debug-command', 'yes', directory=directory) as server, client_of(port) as client:
        client.send(encode('DEBUG', 'SLEEP', '600'))
        wait_until(lambda: is_asleep(server.pid), 'it sleeps')
        server.process.send_signal(signal.SIGINT)
        wait_until(lambda: 'Received SIGINT' in server.said(), 'the first is heard')
        server.process.send_signal(signal.SIGINT)
        expect(server.process.wait(TIMEOUT), 1)
        expect_true(server.said().endswith(') You insist... exiting now.\n'), server.said())


def is_asleep(pid):
    """In nanosleep, and not where it waits for clients. Some kernels do not tell."""
    place = read(f'/proc/{pid}/wchan')
    if place in ('', '0'):
        time.sleep(0.3)
    return 'epoll' not in place and 'ep_poll' not in place


@test(own=True)
def what_shutdown_on_sigterm_says_is_kept(directory):
    os.makedirs(directory)
    port = free_port()
    with Started('--port', port, '--shutdown-on-sigterm', 'nosave', 'now', directory=directory) as server, \
            client_of(port) as client:
        expect(value_of(client, 'shutdown-on-sigterm'), 'nosave now')
        expect(value_of(client, 'shutdown-on-sigint'), 'default')
        server.end()


# ---- the background and those who watch -----------------------------------------------------------


@test(own=True)
def a_daemon_leaves_and_writes_its_number(directory):
    os.makedirs(directory)
    port, pid_file = free_port(), os.path.join(directory, 'pid')
    status, said, errors = run('--daemonize', 'yes', '--port', str(port), '--dir', directory, '--pidfile', 'pid',
                               '--logfile', 'log')
    expect((status, said, errors), (0, '', ''))
    wait_until(lambda: os.path.exists(pid_file) and read(pid_file), 'there is a pid file')
    pid = int(read(pid_file))
    try:
        wait_until(lambda: socket.socket().connect_ex(('127.0.0.1', port)) == 0, 'it listens')
        with client_of(port) as client:
            expect(client.info('process_id', 'server'), pid)
            fields = read(f'/proc/{pid}/stat').rsplit(')', 1)[1].split()
            expect_true(int(fields[3]) != pid and int(fields[3]) != os.getsid(0), 'it leads no session, and left ours')
            expect(os.readlink(f'/proc/{pid}/fd/1'), '/dev/null')
            expect_true(f'pid={pid}, just started' in read(os.path.join(directory, 'log')), 'the log has its number')
            client.send(encode('SHUTDOWN', 'NOSAVE'))
            client.expect_closed()
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    wait_until(lambda: not os.path.exists(pid_file), 'the pid file goes')
    expect_true('Removing the pid file.' in read(os.path.join(directory, 'log')), 'the log says so')


@test(own=True)
def a_daemon_has_no_parent_to_watch(_):
    status, said, _ = run('--port', '0', '--daemonize', 'yes', '--exit-with-parent', 'yes')
    expect(status, 1)
    expect_true('exit-with-parent' in said, said)


@test(own=True)
def systemd_is_told(directory):
    os.makedirs(directory)
    place = tempfile.mkdtemp(prefix='tern-')
    for how in ('systemd', 'auto'):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            path = os.path.join(place, how)
            systemd.bind(path)
            systemd.settimeout(TIMEOUT)
            port = free_port()
            with Started('--port', port, '--supervised', how, '--daemonize', 'yes', env={'NOTIFY_SOCKET': path},
                         directory=directory) as server:
                expect_true(b'READY=1\n' in systemd.recv(1000), 'it is ready')
                with client_of(port) as client:
                    expect(client.info('process_supervised', 'server'), 'systemd')
                said = server.end()
                expect(systemd.recv(1000), b'STOPPING=1\n')
            expect_true('Supervised by systemd.' in said, said)
    shutil.rmtree(place)
    with Started('--port', free_port(), '--supervised', 'systemd', env={'NOTIFY_SOCKET': ''}, directory=directory,
                 ready='systemd supervision error: NOTIFY_SOCKET not found!'):
        pass


@test(own=True)
def upstart_sees_it_stop_when_it_is_there(directory):
    os.makedirs(directory)
    port = free_port()
    with Started('--port', port, '--supervised', 'upstart', env={'UPSTART_JOB': 'tern'}, directory=directory,
                 ready=None) as server:
        wait_until(lambda: read(f'/proc/{server.pid}/stat').rsplit(')', 1)[1].split()[0] == 'T', 'it stops itself')
        server.process.send_signal(signal.SIGCONT)
        wait_until(lambda: 'Ready to accept' in server.said(), 'it goes on')
        server.end()


def title(pid):
    with open(f'/proc/{pid}/cmdline', 'rb') as file:
        return file.read().rstrip(b'\0').decode()


@test(own=True)
def the_title_of_the_process_follows_the_template(directory):
    os.makedirs(directory)
    port = free_port()
    with Started('--port', port, '--requirepass', '', directory=directory) as server, client_of(port) as client:
        expect(title(server.pid), f'{program()} *:{port}')
        expect(client('CONFIG', 'SET', 'proc-title-template', '{server-mode}my {port} {tls-port}'), 'OK')
        expect(title(server.pid), f'my {port} 0')
        expect_error(client('CONFIG', 'SET', 'proc-title-template', '{x'), 'ERR CONFIG SET failed')
        expect(client('CONFIG', 'SET', 'proc-title-template', 'x' * 5000), 'OK')
        expect_true(set(title(server.pid)) == {'x'}, 'a long title is cut')
        expect(os.readlink(f'/proc/{server.pid}/exe'), os.path.realpath(program()))
        server.end()
    with Started('--port', port, '--set-proc-title', 'no', directory=directory) as server:
        expect(title(server.pid).split('\0')[1:], ['--port', str(port), '--set-proc-title', 'no'])
        server.end()


@test('--oom-score-adj', 'relative', '--oom-score-adj-values', '100 200 800')
def the_kernel_learns_the_score(server):
    client, path = server.client(), f'/proc/{server.pid}/oom_score_adj'
    before = int(read('/proc/self/oom_score_adj'))
    expect(int(read(path)), min(before + 100, 1000))
    expect(client('CONFIG', 'SET', 'oom-score-adj', 'absolute', 'oom-score-adj-values', '300 0 0'), 'OK')
    expect(int(read(path)), 300)
    reply = client('CONFIG', 'SET', 'oom-score-adj', 'no')
    if reply == 'OK':
        expect(int(read(path)), before)
    else:  # to lower it takes a privilege
        expect_error(reply, "ERR CONFIG SET failed (possibly related to argument 'oom-score-adj') - Failed to apply new")
        expect(client('CONFIG', 'GET', 'oom-score-adj')[1], b'absolute')


# ---- as tools start a server ----------------------------------------------------------------------


@test(own=True)
def as_pytest_plugins_do(directory):
    """Everything on the command line; ready when the port answers."""
    os.makedirs(directory)
    port = free_port()
    log = os.path.join(directory, f'redis-server.{port}.log')
    with Started('--daemonize', 'no', '--rdbcompression', 'yes', '--rdbchecksum', 'no', '--appendonly', 'no', '--databases', '8',
                 '--timeout', '60', '--pidfile', f'redis-server.{port}.pid', '--unixsocket', f'redis.{port}.sock',
                 '--dbfilename', f'dump.{port}.rdb', '--logfile', log, '--loglevel', 'notice', '--syslog-enabled', 'no',
                 '--port', port, '--dir', directory, '--save', '', directory=directory, log=log) as server:
        with client_of(port) as client:
            expect(client('PING'), 'PONG')
            expect(value_of(client, 'databases'), '8')
        server.end()
    expect(sorted(os.listdir(directory)), [f'redis-server.{port}.log'])


@test(own=True)
def as_python_and_perl_harnesses_do(directory):
    """A file of plain lines beside the data, the log on standard output, ready when a line says so."""
    os.makedirs(directory)
    for ready in ('Ready to accept connections', '[Rr]eady to accept connections'):
        port = free_port()
        path = write(os.path.join(directory, 'redis.conf'), ''.join(f'{name} {value}\n' for name, value in {
            'daemonize': 'no', 'port': port, 'bind': '127.0.0.1', 'dir': directory, 'save': '""', 'appendonly': 'no',
            'loglevel': 'notice', 'databases': 16, 'rdbcompression': 'no', 'tcp-backlog': 511}.items()))
        with Started(path, directory=directory, ready=None) as server:
            wait_until(lambda: re.search(ready, server.said()), 'it says that it is ready')
            with client_of(port) as client:
                expect(client('PING'), 'PONG')
            server.end()


@test(own=True)
def as_ruby_harnesses_do(directory):
    """The configuration through standard input, a socket instead of a port, a pid file to end it by."""
    os.makedirs(directory)
    place = tempfile.mkdtemp(prefix='tern-')
    path, pid_file = os.path.join(place, 'redis.sock'), os.path.join(place, 'redis.pid')
    config = (f'daemonize yes\nport 0\nunixsocket "{path}"\nunixsocketperm 700\ndir "{directory}"\npidfile "{pid_file}"\n'
              'logfile "redis.log"\nsave ""\nsave 900 1\nrename-command FLUSHALL "x y"\n')
    status, said, errors = run('-', stdin=config)
    expect((status, errors), (0, ''))
    expect_true(said.endswith('* Reading config from stdin\n'), said)
    wait_until(lambda: os.path.exists(pid_file) and read(pid_file), 'there is a pid file')
    with client_of(path) as client:
        expect(client('PING'), 'PONG')
        expect(client('x y'), 'OK')
    expect(os.stat(path).st_mode & 0o777, 0o700)
    os.kill(int(read(pid_file)), signal.SIGTERM)
    wait_until(lambda: not os.path.exists(path) and not os.path.exists(pid_file), 'it ends and cleans up')
    shutil.rmtree(place)


main()
