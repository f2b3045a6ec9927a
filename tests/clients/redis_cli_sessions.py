"""Sessions of redis-cli with our server and with a real one: both look the same, but for what depends on the machine."""

from _terminal import *

COLOURS = re.compile(r'\x1b\[[0-9;]*[A-Za-z]|\r')
LOAD = b'''SET text value EX 1000
SET number 12
RPUSH list 1 2 3
HSET hash f v
SADD set 1 2 3
ZADD zset 1 a 2.5 b
XADD stream 1-1 f v
XADD stream 1-2 f w
XGROUP CREATE stream readers 0
XREADGROUP GROUP readers alice COUNT 1 STREAMS stream >
PFADD visitors a b
'''


def both(*args):
    """Marks a test of both servers: function(ours, theirs)."""
    def mark(function):
        def whole(directory):
            theirs = real_server(os.path.join(directory, 'theirs'), *args)
            try:
                ours = Server(os.path.join(directory, 'ours'), *args)
                for server in ours, theirs:
                    run(CLI, '-p', server.port, input=LOAD)
                function(ours, theirs)
                ours.stop()
            finally:
                theirs.kill()
        whole.__name__ = function.__name__
        return test(own=True)(whole)
    return mark


def plain(text, server):
    return COLOURS.sub('', text).replace(str(server.port), 'PORT').replace('HELLO <proto> AUTH', 'HELLO AUTH')


def said_alike(servers, *args, input=b'', seen=lambda text: text):
    """redis-cli with these arguments says and returns the same."""
    said = []
    for server in servers:
        words = [str(word).replace('PORT', str(server.port)) for word in args]
        process = subprocess.run([CLI, '-p', str(server.port), *words], input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT)
        said.append((process.returncode, seen(plain(process.stdout.decode('utf-8', 'replace'), server))))
    expect(said[0], said[1], ' '.join(map(str, args)))
    return said[0][1]


def numbers_gone(text):
    return re.sub(r'[\d.]+', '#', text)


# ---- from the command line --------------------------------------------------------------------------


@both()
def commands_and_formats(*servers):
    for options in ['--no-raw'], ['--raw'], ['--csv'], ['--json'], ['-3', '--no-raw'], ['-3', '--json'], ['-3', '--csv'], ['--quoted-json']:
        if options[-1] not in HELP:
            continue
        said_alike(servers, *options, input=b'GET text\nGET none\nLRANGE list 0 -1\nHGETALL hash\nSMEMBERS set\nZRANGE zset 0 -1 WITHSCORES\nXRANGE stream - +\n'
                                            b'XREAD STREAMS stream 0\nXPENDING stream readers\nZSCORE zset b\nLPUSH text x\nNOSUCH a b\nSET\nXADD stream x f v\n'
                                            b'MULTI\nINCR number\nGET number\nNOSUCH\nEXEC\nMULTI\nINCR number\nLRANGE list 0 0\nEXEC\nDISCARD\nCONFIG GET maxmemory\n'
                                            b'COMMAND GETKEYS MSET a 1 b 2\nOBJECT ENCODING zset\nECHO "a\\x00b"\nCLIENT NO-EVICT on\nPUBSUB NUMSUB a\n'
                                            b'ZMPOP 1 zset MIN\nZADD zset 1 a\nLMPOP 1 list LEFT\nLPUSH list 1\n')
    for kind in 'string', 'integer', 'double', 'null', 'array', 'set', 'map', 'bignum', 'verbatim', 'true', 'false':
        said_alike(servers, '-3', '--no-raw', 'DEBUG', 'PROTOCOL', kind)
    said_alike(servers, '-x', 'SET', 'in', input=b'from stdin')
    said_alike(servers, 'GET', 'in')
    said_alike(servers, '-n', 3, 'DBSIZE')
    said_alike(servers, '-n', 99, 'DBSIZE')
    said_alike(servers, '-r', 3, '-i', 0.01, 'PING')
    said_alike(servers, '-d', ';', 'LRANGE', 'list', 0, -1)
    said_alike(servers, '-e', 'NOSUCH')
    said_alike(servers, '-c', 'PING')
    said_alike(servers, '--no-raw', 'QUIT')
    said_alike(servers, '-u', 'redis://127.0.0.1:PORT/2', 'DBSIZE')
    said_alike(servers, '-u', 'redis://user:wrong@127.0.0.1:PORT', 'PING')
    said_alike(servers, '--user', 'user', '--pass', 'wrong', 'PING')
    said_alike(servers, '--no-auth-warning', '-a', 'wrong', 'PING')
    said_alike(servers, '--pipe', input=encode('SET', 'a', 'b') + encode('INCR', 'a') + encode('GET', 'a') + b'PING\r\n')


@both('--requirepass', 'secret')
def with_a_password(*servers):
    for args in ['PING'], ['-a', 'secret', 'PING'], ['--no-auth-warning', '-a', 'secret', 'PING'], ['-a', 'wrong', 'PING'], \
                ['--no-auth-warning', '-u', 'redis://default:secret@127.0.0.1:PORT', 'PING'], ['--no-auth-warning', '-u', 'redis://127.0.0.1:PORT', 'PING'], \
                ['--no-auth-warning', '-3', '-a', 'secret', 'PING'], ['-3', 'PING'], ['--no-auth-warning', '-a', 'secret', '-n', '3', 'DBSIZE'], ['--bigkeys'], ['--scan']:
        said_alike(servers, *args)


@both()
def looks_at_the_whole(*servers):
    lines = lambda text: sorted(text.splitlines())
    found = lambda text: sorted(line for line in text.splitlines() if not line.startswith('['))
    expect(said_alike(servers, '--scan', seen=lines), ['hash', 'list', 'number', 'set', 'stream', 'text', 'visitors', 'zset'])
    said_alike(servers, '--scan', '--pattern', 's*', seen=lines)
    said_alike(servers, '--bigkeys', seen=found)
    if '--memkeys' in HELP:
        kinds = lambda text: sorted(numbers_gone(re.sub(r'found "\'?".*?"', 'found', re.sub(r"'\".*?\"'|\".*?\"", 'KEY', line)))
                                    for line in found(text) if 'total length' not in line)
        said_alike(servers, '--memkeys', seen=kinds)
        said_alike(servers, '--memkeys-samples', 2, seen=kinds)
    said_alike(servers, '--hotkeys')
    for server in servers:
        run(CLI, '-p', server.port, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu')
        run(CLI, '-p', server.port, input=b'GET text\n' * 200 + b'LLEN list\n' * 20 + b'PING\n')
    ours = [subprocess.run([CLI, '-p', str(server.port), '--hotkeys'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT).stdout.decode() for server in servers]
    for text in ours:
        expect_true(re.search(r'(?m)^hot key found with counter: \d+\tkeyname: "?text"?$', text), text)
    expect(*(sorted(set(numbers_gone(re.sub(r'keyname.*|key .*', '', line)) for line in text.splitlines()[:6] if not line.startswith('['))) for text in ours))


@both()
def figures_that_roll(*servers):
    shape = lambda text: [' '.join(numbers_gone(line).replace('#K', '#M').split()).split(' (#')[0] for line in text.splitlines()]
    for args in ['--raw', '--latency', '-i', '0.1'], ['--csv', '--latency', '-i', '0.1']:
        said_alike(servers, *args, seen=shape)
    shown = []
    for server in servers:
        for args, lines in (['--stat', '-i', '0.01'], 5), (['--latency-history', '-i', '0.1'], 2):
            terminal = Terminal(CLI, '-p', server.port, *args)
            for _ in range(lines):
                terminal.until('\n')
            shown.append(shape(COLOURS.sub('', terminal.all))[:1])
            os.kill(terminal.pid, signal.SIGKILL)
            terminal.end()
    expect(shown[:2], shown[2:])


# ---- at a terminal -------------------------------------------------------------------------------------


class Dialogue(Terminal):
    def __init__(self, server, *args):
        super().__init__(CLI, '-p', server.port, *args)
        self.server = server
        self.prompt = f'127.0.0.1:{server.port}> '
        self.until(self.prompt)

    def press(self, keys, expected):
        """Presses keys, reads until 'expected' is shown, and gives the line up again (Ctrl-U)."""
        os.write(self.fd, keys)
        while expected not in COLOURS.sub('', self.seen):
            expect_true(self.read(), f'it ended before {expected!r}')
        shown = COLOURS.sub('', self.seen)
        self.seen = ''
        os.write(self.fd, b'\x15')
        return shown


@test()
def hints_and_completion(server):
    dialogue = Dialogue(server)
    for typed, hint in (b'get ', 'key'), (b'set ', 'key value [NX|XX'), (b'lmove a b ', 'LEFT|RIGHT LEFT|RIGHT'), (b'xadd s ', '[NOMKSTREAM]'), \
                       (b'config set ', 'parameter value'), (b'zadd z ', '[NX|XX]'), (b'expire k ', 'seconds [NX|XX|GT|LT]'), (b'help @', ''):
        dialogue.press(typed, hint)
    for typed, completed in (b'lpu\t', 'LPUSH'), (b'zrangeb\t', 'ZRANGEBY'), (b'config re\t', 'CONFIG RE'), (b'help @str\t', '@str'), (b'xinfo st\t', 'XINFO STREAM'):
        dialogue.press(typed, completed)
    os.close(dialogue.fd)
    os.kill(dialogue.pid, signal.SIGKILL)
    os.waitpid(dialogue.pid, 0)


@both()
def help(*servers):
    """Every command of a group of the manual has its syntax, group and version; summaries are in other words."""
    groups = ['@string', '@list', '@hash', '@set', '@sorted-set', '@stream', '@hyperloglog', '@bitmap', '@geo', '@generic', '@pubsub', '@transactions']
    shown = []
    for server in servers:
        dialogue = Dialogue(server)
        shown.append({group: dialogue.ask(f'help {group}', dialogue.prompt) for group in groups})
        dialogue.type('exit')
        dialogue.end()
    for group in groups:
        ours, theirs = (dict(re.findall(r'(?m)^  ([A-Z][A-Z0-9_-]*(?: [A-Z][A-Z0-9_-]*)?).*\n  summary: .*\n  since: ([\d.]+)', COLOURS.sub('', text[group])))
                        for text in shown)
        expect_true(ours, f'nothing of {group}: {shown[0][group][:300]!r}')
        common = ours.keys() & theirs.keys()
        old = [name for name in common if ours[name] < '7.4']  # Valkey counts its own versions
        expect({name: ours[name] for name in old}, {name: theirs[name] for name in old}, group)
        expect_true(len(common) >= 0.8 * len(theirs), f'{group} lacks {sorted(theirs.keys() - ours.keys())}')


@both()
def what_others_do_is_watched(*servers):
    """MONITOR and SUBSCRIBE at a terminal."""
    shown = []
    for server in servers:
        for typed, ready in ('monitor', 'OK'), ('subscribe news', '(integer) 1'), ('psubscribe n*', '(integer) 1'):
            dialogue = Dialogue(server)
            dialogue.type(typed)
            dialogue.until(ready)
            dialogue.until('\n')
            run(CLI, '-p', server.port, input=b'SET k "a b\\n"\nPUBLISH news hello\nPING end\n')
            last = '"end"' if typed == 'monitor' else '"hello"'
            text = plain(dialogue.until(last), server)
            shown.append(re.sub(r'Reading messages.*\n', '', re.sub(r'[\d.]{10,} \[0 127.0.0.1:\d+\]', 'WHEN', text)))
            os.kill(dialogue.pid, signal.SIGKILL)
            dialogue.end()
    expect([re.sub(r'WHEN "COMMAND" "DOCS".*\n', '', text) for text in shown[:3]], [re.sub(r'WHEN "COMMAND" "DOCS".*\n', '', text) for text in shown[3:]])


@both()
def a_dialogue(*servers):
    shown = []
    for server in servers:
        dialogue = Dialogue(server)
        lines = []
        for line in ('get text', 'lrange list 0 -1', 'hgetall hash', 'xrange stream - +', 'zrange zset 0 -1 withscores', 'lpush text x', 'nosuch', 'set', 'xpending stream readers',
                     'config get maxmemory', '3 incr number', 'object encoding zset', 'debug protocol double', 'reset', 'echo "\\x00\\xff"', 'set bad', 'get "unbalanced', ':set hints', 'client getname'):
            lines.append(plain(dialogue.ask(line, dialogue.prompt), server))
        shown.append(lines)
        dialogue.type('quit')
        dialogue.end()
    for ours, theirs in zip(*shown):
        expect(ours, theirs)


main()
