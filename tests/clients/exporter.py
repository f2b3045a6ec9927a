"""prometheus-redis-exporter as people run it beside a server: it finds what it looks for, complains of nothing, and
shows the metrics that it shows for a real server. EXPORTER names another one."""

from _users import *

import urllib.request

EXPORTER = program('EXPORTER', 'prometheus-redis-exporter', 'redis_exporter')
DATA = [
    ('SET', 'text', 'a value', 'EX', 1000), ('SET', 'number', 12), ('APPEND', 'raw', 'x' * 100), ('SETBIT', 'bits', 7, 1),
    ('PFADD', 'hll', 'a', 'b'), ('RPUSH', 'list', 1, 2, 3), ('RPUSH', 'long', *range(1000)), ('HSET', 'hash', 'a', 1, 'b', 2),
    ('SADD', 'set', 'a', 'b', 'c'), ('SADD', 'ints', 1, 2, 3), ('ZADD', 'zset', 1, 'a', 2, 'b'), ('GEOADD', 'geo', 13, 38, 'Palermo'),
    ('XADD', 'stream', '1-1', 'f', 'v'), ('XADD', 'stream', '1-2', 'f', 'v'), ('XADD', 'stream', '1-3', 'f', 'v'), ('XADD', 'log', '5-1', 'f', 'v'),
    ('XGROUP', 'CREATE', 'stream', 'readers', 0), ('XGROUP', 'CREATE', 'stream', 'late', '$'),
    ('XREADGROUP', 'GROUP', 'readers', 'alice', 'COUNT', 2, 'STREAMS', 'stream', '>'), ('XACK', 'stream', 'readers', '1-1'),
    ('EXPIRE', 'hash', 500), ('GET', 'text'), ('GET', 'none'), ('LPUSH', 'text', 'x'), ('NOSUCH',),
    ('SELECT', 3), ('SET', 'other', 'v', 'PX', 100_000), ('LPUSH', 'queue', 'job'), ('SELECT', 0),
    ('CONFIG', 'SET', 'slowlog-log-slower-than', 0), ('LRANGE', 'long', 0, -1), ('CONFIG', 'SET', 'slowlog-log-slower-than', 10000),
]
LOOKING = ['-check-keys', 'db0=text,db0=list,h*,*set,ints,bits,stream', '-check-single-keys', 'db0=number,db3=queue,db0=none',
           '-check-streams', 'db0=str*', '-check-single-streams', 'db0=log', '-count-keys', 'db0=*,db0=h*,db3=*']
EVERYTHING = LOOKING + ['-include-system-metrics', '-include-config-metrics', '-export-client-list', '-export-client-port',
                        '-set-client-name', '-ping-on-connect']
# What differs between two processes, whoever wrote them, and may be there or not; the last two are of later versions than 7.2.
PASSING = re.compile(r'redis_(latency_spike|slowlog_(last|history)|latency_percentiles|connected_clients_details|instance_info|'
                     r'exporter_|process_|up_time|.*_seconds|db\d+_distrib|db_keys_cached)')
# What follows from what was done, to the last digit.
CERTAIN = re.compile(r'redis_(key_size|key_value|keys_count|db_keys(_expiring)?\b|stream_(length|groups?_(?!consumer_idle)|first|last|radix_tree_keys)|errors|'
                     r'commands_(failed|rejected)_calls|keyspace|key_groups|rejected|blocked|evicted|expired_keys|connected_slaves)')
LABELS_THAT_DIFFER = re.compile(r'redis_(config_key_value|config_value|instance_info|connected_clients_details)')


def scrape(server, options, times=1, url=None):
    """The metrics that it shows, as {name with labels: value}, and its log."""
    port = free_port()
    log = os.path.join(server.directory, 'exporter.log')
    with open(log, 'wb') as output:
        process = subprocess.Popen([EXPORTER, '-redis.addr', url or f'redis://127.0.0.1:{server.port}', '-web.listen-address',
                                    f'127.0.0.1:{port}', *options], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        def is_there():
            expect(process.poll(), None, 'it ended')
            with socket.socket() as probe:
                return probe.connect_ex(('127.0.0.1', port)) == 0
        wait_until(is_there, 'it listens')
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(times):
            with opener.open(f'http://127.0.0.1:{port}/metrics', timeout=TIMEOUT) as page:
                text = page.read().decode()
    finally:
        process.kill()
        process.wait()
    lines = [line.rsplit(' ', 1) for line in text.splitlines() if line.startswith('redis_')]
    with open(log, errors='replace') as file:
        return dict(lines), file.read()


def fill(client):
    for command in DATA:
        client(*command)


def is_quiet(log):
    for line in log.splitlines():
        expect_true('level=info' in line, f'it complains: {line}')


@test()
def what_it_shows_of_keys(server):
    fill(server.client())
    metrics, log = scrape(server, EVERYTHING, times=3)
    is_quiet(log)
    wanted = {'redis_up': '1', 'redis_db_keys{db="db0"}': '14', 'redis_db_keys{db="db3"}': '2', 'redis_db_keys_expiring{db="db0"}': '2',
              'redis_key_size{db="db0",key="text"}': '7', 'redis_key_size{db="db0",key="list"}': '3', 'redis_key_size{db="db0",key="hash"}': '2',
              'redis_key_size{db="db0",key="zset"}': '2', 'redis_key_size{db="db0",key="set"}': '3', 'redis_key_size{db="db0",key="hll"}': '2',
              'redis_key_size{db="db0",key="stream"}': '3', 'redis_key_size{db="db3",key="queue"}': '1', 'redis_key_value{db="db0",key="number"}': '12',
              'redis_stream_length{db="db0",stream="stream"}': '3', 'redis_stream_length{db="db0",stream="log"}': '1',
              'redis_stream_groups{db="db0",stream="stream"}': '2',
              'redis_stream_group_messages_pending{db="db0",group="readers",stream="stream"}': '1',
              'redis_stream_group_consumers{db="db0",group="readers",stream="stream"}': '1',
              'redis_keys_count{db="db0",key="h*"}': '2', 'redis_keys_count{db="db3",key="*"}': '2',
              'redis_exporter_last_scrape_error{err=""}': '0', 'redis_commands_total{cmd="get"}': None, 'redis_errors_total{err="WRONGTYPE"}': None,
              'redis_keyspace_misses_total': None, 'redis_memory_used_bytes': None, 'redis_slowlog_length': None,
              'redis_commands_failed_calls_total{cmd="lpush"}': '1'}
    for name, value in wanted.items():
        expect_true(name in metrics, f'no {name}')
        expect_true(value is None or metrics[name] == value, f'{name}: {metrics[name]}, expected {value}')


@test(own=True)
def the_metrics_are_those_of_a_real_server(directory):
    theirs = real_server(os.path.join(directory, 'theirs'))
    ours = Server(os.path.join(directory, 'ours'))
    try:
        shown, certain = [], []
        for server in ours, theirs:
            fill(server.client())
            metrics, log = scrape(server, EVERYTHING, times=2)
            is_quiet(log)
            shown.append({name.split('{')[0] if LABELS_THAT_DIFFER.match(name) else name for name in metrics
                          if not PASSING.match(name) or LABELS_THAT_DIFFER.match(name)})
            certain.append({name: value for name, value in metrics.items() if CERTAIN.match(name)})
        missing = sorted(shown[1] - shown[0])
        expect_true(not missing, f'the exporter does not show {missing}')
        more = sorted(shown[0] - shown[1])
        expect_true(not more, f'the exporter shows more: {more}')
        for name in certain[1]:
            expect(certain[0][name], certain[1][name], name)
        expect_true(len(certain[0]) > 50, f'only {len(certain[0])} metrics were compared by value')
    finally:
        theirs.kill()
    ours.stop()


@test('--requirepass', 'secret')
def with_a_password(server):
    metrics, log = scrape(server, ['-redis.password', 'secret'])
    is_quiet(log)
    expect(metrics['redis_up'], '1')
    metrics, log = scrape(server, ['-redis.password', 'wrong'])
    expect(metrics['redis_up'], '0')
    expect_true("Couldn't connect" in log, log)
    metrics, log = scrape(server, [], url=f'redis://default:secret@127.0.0.1:{server.port}')
    is_quiet(log)
    expect(metrics['redis_up'], '1')


@test()
def an_empty_server(server):
    metrics, log = scrape(server, ['-check-keys', '*', '-check-streams', '*', '-count-keys', 'db0=*', '-include-config-metrics'])
    is_quiet(log)
    expect([metrics['redis_up'], metrics['redis_keys_count{db="db0",key="*"}']], ['1', '0'])


main()
