"""redis-benchmark as its users use it: its own tests at several depths and numbers of clients, over TCP and a unix socket,
with nothing but figures in its output and no error counted by the server.

From the environment: REDIS_BENCHMARK names another one, REQUESTS the requests of each test (few, when not given)."""

from _users import *

import itertools
import resource

BENCHMARK = program('REDIS_BENCHMARK', 'redis-benchmark', 'valkey-benchmark')
REQUESTS = int(os.environ.get('REQUESTS') or 0)
SECONDS = 2 * TIMEOUT + REQUESTS / 50  # ends what hangs
TESTS = ('ping_inline', 'ping_mbulk', 'set', 'get', 'incr', 'mset', 'lpush', 'rpush', 'lpop', 'rpop', 'lrange_100', 'lrange_300',
         'lrange_500', 'lrange_600')
SPARE_FILES = 100

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
DEPTHS = 1, 16, 128
# At all depths and over both kinds of socket at once; the server has the same limit as we.
MANY = 1000 if hard == resource.RLIM_INFINITY else min(1000, (hard - SPARE_FILES) // (2 * len(DEPTHS)))


def look(names, *args):
    """Runs it and looks at what it printed: it shall be 'names' results and nothing else."""
    what = ' '.join(map(str, args))
    # It writes figures over each other, with \r. A line that stays has a name and a rate, 'inf' when it took no time.
    lines = [line.rsplit('\r', 1)[-1].strip() for line in run(BENCHMARK, *args, seconds=SECONDS).decode().split('\n')]
    lines = [line for line in lines if line and not line.startswith('WARNING: Keepalive disabled')]
    for line in lines:
        expect_true(re.match(r'.+: ([\d.]+|inf) requests per second', line), f'{what}: it said {line!r}')
    expect_true(len(lines) >= names, f'{what}: {len(lines)} results of {names}: {lines}')


def look_after(observer, least=0):
    """So many commands were run, none was answered with an error, and all clients go."""
    expect_true(observer.info('total_commands_processed') >= least, f'the server has run fewer commands than {least}')
    expect(observer.info('total_error_replies'), 0, 'error replies')
    wait_until(lambda: observer.info('connected_clients') == 1, 'the clients have gone')


def requests(clients, small):
    """As few as let each client send something."""
    return REQUESTS or scaled(max(small, clients), max(small // 4, clients))


# A unix socket refuses when its backlog is full, and redis-benchmark gives up then.
@test('--unixsocket', SOCKET, '--tcp-backlog', '4096')
def all_tests_over_tcp_and_a_unix_socket(server):
    observer = server.client()
    addresses = ('-p', server.port), ('-s', SOCKET)
    counts = {1: requests(1, 2000), 50: requests(50, 5000), MANY: requests(MANY, 5000)}

    def all_tests(address, clients, depth):
        look(len(TESTS), *address, '-q', '-t', ','.join(TESTS), '-c', clients, '-P', depth, '-n', counts[clients], '-d', 3)

    for address, clients, depth in itertools.product(addresses, (1, 50), DEPTHS):
        all_tests(address, clients, depth)
        expect(observer('FLUSHALL'), 'OK')
    with Together(len(TESTS) * SECONDS) as threads:  # most of the time it waits between connecting some and some more
        for address, depth in itertools.product(addresses, DEPTHS):
            threads.start(all_tests, address, MANY, depth)
    look_after(observer, len(TESTS) * len(addresses) * len(DEPTHS) * sum(counts.values()))


@test('--unixsocket', SOCKET)
def large_values(server):
    observer = server.client()
    for address in ('-p', server.port), ('-s', SOCKET):
        look(5, *address, '-q', '-t', 'set,get,lpush,lpop,mset', '-c', 50, '-P', 1, '-n', min(2000, requests(50, 300)), '-d', 100_000)
        expect(observer('FLUSHALL'), 'OK')
    look_after(observer)


@test()
def random_keys_and_connections_that_do_not_stay(server):
    observer = server.client()
    count = requests(50, 2000)
    look(4, '-p', server.port, '-q', '-t', 'set,get,incr,mset', '-r', 100_000, '-P', 16, '-n', count)
    expect_true(observer('DBSIZE') > 1000, 'the keys are not random')
    look(2, '-p', server.port, '-q', '-t', 'set,get', '-k', 0, '-n', scaled(1000, 300))
    look(1, '-p', server.port, '-q', '-n', count, '-r', 100, 'RPUSH', 'list:__rand_int__', 'element')
    look_after(observer)


@test('--requirepass', 'secret')
def with_a_password_and_another_database(server):
    observer = server.client()
    expect(observer('AUTH', 'secret'), 'OK')
    look(2, '-p', server.port, '-a', 'secret', '--dbnum', 3, '-q', '-t', 'set,get', '-n', requests(50, 2000))
    expect([observer('SELECT', 3), observer('DBSIZE')], ['OK', 1])
    look_after(observer)


@test()
def in_other_ways(server):
    help_text = run(BENCHMARK, '--help', status=0).decode()
    observer = server.client()
    count = requests(50, 2000)
    output = run(BENCHMARK, '-p', server.port, '-t', 'set,get', '-n', count, '--csv').decode().splitlines()
    rows = [line.split(',') for line in output if line.startswith(('"SET"', '"GET"'))]
    expect([row[0] for row in rows], ['"SET"', '"GET"'])
    expect_true(not any('ERR' in line or 'rror' in line for line in output), shown(output))
    for option, value in ('--threads', 2), (' -3 ', None):
        if option in help_text:
            look(2, '-p', server.port, '-q', '-t', 'set,get', '-n', count, option.strip(), *filter(None, [value]))
    output = run(BENCHMARK, '-p', server.port, '-t', 'set', '-n', count).decode()
    expect_true('100.00' in output and 'rror' not in output and 'WARNING' not in output, output)
    look_after(observer)


main()
