"""redis-py as its users use it: pools, pipelines, WATCH, blocking pops, pub/sub, administration, errors, RESP3, and the
clock that test suites move. Works with redis-py 4.3 and later."""

from _users import *

try:
    import redis
    import redis.backoff
    import redis.retry
except ImportError:
    skip_all('there is no redis-py here')

MAJOR = int(redis.__version__.split('.')[0])
TEXTS = ['', 'plain', 'a b\tc', 'zwölf Boxkämpfer', '火山', '\r\n+OK\r\n$-1\r\n', '\0', '"quoted\\"', 'x' * 5000]


def user(server, **options):
    """A client of ours with a pool of its own."""
    return redis.Redis(port=server.port, **{'socket_timeout': TIMEOUT, **options})


def impatient(server, **options):
    """One that does not try again; later versions do, after pauses."""
    return user(server, retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0), **options)


def users(server, count, **options):
    return [user(server, **options) for _ in range(count)]


def raises(kind, beginning, function, *args, **options):
    try:
        value = function(*args, **options)
    except kind as error:
        expect_true(str(error).startswith(beginning), f'got {error!r}, expected {kind.__name__}: {beginning!r}')
        return error
    raise Failed(f'got {shown(value)}, expected {kind.__name__}: {beginning!r}')


def clock(client, *words):
    expect_true(client.execute_command('DEBUG', 'CLOCK', *words) in (True, b'OK', 'OK'), f'DEBUG CLOCK {words}')


# ---- values and keys ------------------------------------------------------------------------------


@test()
def values_come_back_as_they_went(server):
    for raw, text in (user(server), user(server, decode_responses=True)), \
                     (user(server, single_connection_client=True), user(server, encoding='utf-8', decode_responses=True)):
        for i, value in enumerate(TEXTS):
            expect(text.set(f'text {i}', value), True)
            expect(text.get(f'text {i}'), value)
            expect(raw.get(f'text {i}'), value.encode())
            expect(raw.strlen(f'text {i}'), len(value.encode()))
        expect(text.mget([f'text {i}' for i in range(len(TEXTS))] + ['none']), TEXTS + [None])
        every_byte = bytes(range(256))
        expect(raw.set(every_byte, every_byte), True)
        expect(raw.get(every_byte), every_byte)
        expect(raw.set('float', 3.25), True)
        expect((raw.get('float'), raw.incrbyfloat('float', 0.75), raw.incr('n', 5), raw.decr('n'), raw.get('n')),
               (b'3.25', 4.0, 5, 4, b'4'))
        raises(UnicodeDecodeError, '', text.get, every_byte)
        expect(text.get('text 4'), '火山')  # the connection survives that
        expect(raw.flushall(), True)


@test()
def options_of_set(server):
    client = user(server, decode_responses=True)
    expect([client.set('k', 1, nx=True), client.set('k', 2, nx=True), client.set('k', 3, xx=True), client.set('none', 1, xx=True)],
           [True, None, True, None])
    expect([client.set('k', 4, get=True), client.set('fresh', 1, get=True)], ['3', None])
    expect([client.setnx('k', 5), client.setnx('l', 5), client.getset('k', 6), client.getdel('l'), client.get('l')],
           [False, True, '4', '5', None])
    expect([client.set('k', 7, ex=100), client.set('k', 8, keepttl=True), 0 < client.ttl('k') <= 100, client.set('k', 9), client.ttl('k')],
           [True, True, True, True, -1])
    expect([client.mset({'a': 1, 'b': 2}), client.msetnx({'b': 3, 'c': 3}), client.mget('a', 'b', 'c')], [True, False, ['1', '2', None]])
    expect([client.append('a', 'bc'), client.setrange('a', 1, 'XY'), client.getrange('a', 0, -1), client.substr('a', 1, 1)],
           [3, 3, '1XY', 'X'])


@test()
def expiry_and_a_clock_that_tests_move(server):
    client = user(server, decode_responses=True)
    clock(client, 'FREEZE')
    expect([client.set('session', 'ada', ex=1800), client.setex('ten', 10, 'v'), client.psetex('ms', 1500, 'v')], [True] * 3)
    expect([client.ttl('session'), client.pttl('ms'), client.ttl('none'), client.set('forever', 1), client.ttl('forever')],
           [1800, 1500, -2, True, -1])
    clock(client, 'ADVANCE', 1400)
    expect([client.pttl('ms'), client.exists('ms', 'session', 'ten')], [100, 3])
    clock(client, 'ADVANCE', 101)
    expect([client.get('ms'), client.exists('ms', 'session', 'ten')], [None, 2])
    expect([client.getex('session', ex=3600), client.ttl('session'), client.getex('session', persist=True), client.ttl('session')],
           ['ada', 3600, 'ada', -1])
    expect([client.expire('session', 60), client.persist('session'), client.persist('session'), client.expire('none', 1)],
           [True, True, False, False])
    expect([client.expire('session', 100, nx=True), client.expire('session', 200, nx=True), client.expire('session', 50, gt=True),
            client.expire('session', 50, lt=True), client.ttl('session')], [True, False, False, True, 50])
    when = client.execute_command('EXPIRETIME', 'session')
    expect([client.expireat('session', when + 50), client.ttl('session'), client.pexpireat('session', (when - 100) * 1000),
            client.exists('session')], [True, 100, True, 0])
    clock(client, 'ADVANCE', 365 * 24 * 3600 * 1000)
    expect(client.keys(), ['forever'])
    wait_until(lambda: client.dbsize() == 1, 'what has expired is removed')
    expect(client.info('stats')['expired_keys'] >= 2, True)
    clock(client, 'THAW')
    expect([client.set('short', 1, px=1), wait_until(lambda: client.get('short') is None, 'a key expires by itself')], [True, True])


@test()
def expiry_fires_events_when_the_clock_is_moved(server):
    client = user(server, decode_responses=True)
    clock(client, 'FREEZE')
    expect(client.config_set('notify-keyspace-events', 'Ex'), True)
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.psubscribe('__keyevent@*__:expired')
    listener.get_message(timeout=TIMEOUT)
    for i in range(10):
        client.set(f'k{i}', 'v', ex=60 * (i + 1))
    for i in range(10):
        clock(client, 'ADVANCE', 60_001 if i == 0 else 60_000)
        message = listener.get_message(timeout=TIMEOUT)
        expect((message['channel'], message['data'], client.dbsize()), ('__keyevent@0__:expired', f'k{i}', 9 - i))
    listener.close()


@test()
def scan_iter_finds_each_key_while_others_come_and_go(server):
    client = user(server, decode_responses=True)
    count = scaled(5000, 1000)
    pipe = client.pipeline(transaction=False)
    for i in range(count):
        pipe.set(f'key:{i}', i)
    for i in range(50):
        pipe.rpush(f'list:{i}', i)
    pipe.execute()
    for options in {}, {'count': 1000}, {'count': 7}:
        found = []
        for n, key in enumerate(client.scan_iter(match='key:*', **options)):
            found.append(key)
            if n % 50 == 0:
                client.set(f'other:{n}', n)
                client.delete(f'other:{n - 100}')
        expect(set(found), {f'key:{i}' for i in range(count)})
    expect(set(client.scan_iter(_type='list')), {f'list:{i}' for i in range(50)})
    expect(set(client.scan_iter(match='key:?', _type='STRING')), {f'key:{i}' for i in range(10)})
    expect(sorted(client.keys('key:?')), [f'key:{i}' for i in range(10)])
    expect([client.type('key:1'), client.type('list:1'), client.type('none'), client.randomkey() is not None], ['string', 'list', 'none', True])
    expect([client.delete(*[f'key:{i}' for i in range(count)]), client.unlink('list:0', 'none'), client.flushdb(), client.dbsize()],
           [count, 1, True, 0])


@test()
def databases_are_apart(server):
    clients = [user(server, db=i) for i in range(16)]
    for i, client in enumerate(clients):
        client.set('k', i)
    expect([client.get('k') for client in clients], [b'%d' % i for i in range(16)])
    url = redis.Redis.from_url(f'redis://127.0.0.1:{server.port}/7?socket_timeout={TIMEOUT}', decode_responses=True)
    expect([url.get('k'), url.flushdb(), url.get('k'), clients[8].get('k')], ['7', True, None, b'8'])
    expect(clients[0].info('keyspace'), {f'db{i}': {'keys': 1, 'expires': 0, 'avg_ttl': 0} for i in range(16) if i != 7})
    raises(redis.ResponseError, 'DB index is out of range', user(server, db=16).ping)


@test()
def large_values(server):
    client = user(server)
    size = scaled(48, 8, 1) * MB
    value = os.urandom(MB) * (size // MB)
    expect([client.set('large', value), client.strlen('large')], [True, size])
    expect_true(client.get('large') == value, 'it came back different')
    expect_true(client.getrange('large', size - 3 * MB // 2, -1) == value[size - 3 * MB // 2:], 'its end came back different')
    expect([client.append('large', b'end'), client.getrange('large', -3, -1)], [size + 3, b'end'])
    expect([client.setrange('sparse', size - 1, 'x'), client.getrange('sparse', 0, 2), client.delete('sparse')], [size, b'\0\0\0', 1])
    parts = [value[i * 1000:i * 1000 + 300_000] for i in range(scaled(60, 15, 5))]
    expect(client.rpush('list', *parts), len(parts))
    expect_true(client.lrange('list', 0, -1) == parts, 'the list came back different')
    pipe = client.pipeline(transaction=False)  # it is sent whole before a reply is read
    for i, part in enumerate(parts):
        pipe.set(f'part {i}', part).get(f'part {i}').getrange(f'part {i}', 0, -1)
    replies = pipe.execute()
    expect_true(replies == [reply for part in parts for reply in (True, part, part)], 'the pipeline came back different')
    expect(client.flushall(asynchronous=True), True)


@test('--unixsocket', SOCKET, '--unixsocketperm', '700')
def unix_socket(server):
    expect(os.stat(SOCKET).st_mode & 0o777, 0o700)
    client = redis.Redis(unix_socket_path=SOCKET, decode_responses=True)
    url = redis.Redis.from_url(f'unix://{SOCKET}?db=2')
    expect([client.set('k', 'v'), client.get('k'), url.set('k', 'w'), url.get('k'), user(server).get('k')], [True, 'v', True, b'w', b'v'])
    big = b'x' * (3 * MB)
    expect_true(url.set('big', big) and url.get('big') == big, 'a large value came back different')
    expect({line['addr'] for line in client.client_list() if int(line['id']) == client.client_id()}, {f'{SOCKET}:0'})
    expect(client.pipeline().incr('n').incr('n').execute(), [1, 2])


# ---- pools and threads ------------------------------------------------------------------------------


@test()
def threads_share_a_pool(server):
    pool = redis.BlockingConnectionPool(port=server.port, max_connections=8, timeout=TIMEOUT, socket_timeout=TIMEOUT)
    client = redis.Redis(connection_pool=pool)
    rounds = scaled(100, 30)

    def work(me):
        for i in range(rounds):
            expect(client.set(f'{me}:{i}', f'{me} {i}'), True)
            expect(client.get(f'{me}:{i}'), f'{me} {i}'.encode())
            expect(client.rpush(f'list {me}', i), i + 1)
            client.incr('all')

    in_threads(24, work)
    expect(client.get('all'), b'%d' % (24 * rounds))
    expect_true(len(client.client_list()) <= 8, 'the pool has at most 8 connections')
    expect([client.llen(f'list {i}') for i in range(24)], [rounds] * 24)
    pool.disconnect()


@test()
def a_pool_has_an_end_and_a_connection_comes_back(server):
    pool = redis.ConnectionPool(port=server.port, max_connections=2)
    client = redis.Redis(connection_pool=pool)
    unused = [] if MAJOR >= 6 else ['_']
    first, second = pool.get_connection(*unused), pool.get_connection(*unused)
    raises(redis.ConnectionError, 'Too many connections', client.ping)
    pool.release(first)
    expect(client.ping(), True)
    pool.release(second)
    expect(client.ping(), True)
    pool.disconnect()
    expect(client.ping(), True)


@test()
def clients_that_were_killed_connect_again(server):
    admin, client = user(server), user(server, decode_responses=True)
    for i in range(20):
        mine = client.client_id()
        expect([client.set('k', i), admin.client_kill_filter(_id=mine), client.get('k')], [True, 1, str(i)])
        expect_true(client.client_id() > mine, 'it is the same connection')
    busy = users(server, 10)
    expect([each.ping() for each in busy], [True] * 10)
    admin.execute_command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    expect([each.ping() for each in busy], [True] * 10)


@test()
def many_connections(server):
    clients = users(server, scaled(500, 200, 100))
    for i, client in enumerate(clients):
        client.set(f'k{i}', i)
    expect([client.get(f'k{i}') for i, client in enumerate(clients)], [b'%d' % i for i in range(len(clients))])
    expect(clients[0].info('clients')['connected_clients'], len(clients))
    for client in clients[1:]:
        client.close()
        client.connection_pool.disconnect()
    wait_until(lambda: clients[0].info('clients')['connected_clients'] == 1, 'the others have gone')


@test()
def health_checks_and_quits(server):
    client = user(server, health_check_interval=1, socket_keepalive=True, client_name='checked')
    expect([client.ping(), client.echo('hello'), client.client_getname() in ('checked', b'checked')], [True, b'hello', True])
    for connection in client.connection_pool._available_connections:
        connection.next_health_check = 0  # it is due
    expect(client.get('k'), None)
    expect(client.info('commandstats')['cmdstat_ping']['calls'] >= 2, True)
    expect(client.quit(), True)
    client.connection_pool.disconnect()
    expect(client.ping(), True)


# ---- pipelines and transactions ----------------------------------------------------------------------


@test()
def pipelines_with_and_without_transaction(server):
    client = user(server, decode_responses=True)
    count = scaled(10_000, 2_000)
    for transaction in False, True:
        client.flushall()
        with client.pipeline(transaction=transaction) as pipe:
            for i in range(count):
                pipe.set(f'k{i}', i).incr('n').get(f'k{i // 2}').rpush('l', i).lrange('l', 0, 2)
            replies = pipe.execute()
            wanted = [reply for i in range(count) for reply in
                      (True, i + 1, str(i // 2), i + 1, ['0', '1', '2'][:i + 1])]
            expect_true(replies == wanted, f'the replies are others (transaction={transaction})')
            expect(pipe.execute(), [])
            expect(pipe.get('n').execute(), [str(count)])


@test()
def errors_in_pipelines(server):
    client = user(server, decode_responses=True)
    for transaction in False, True:
        client.set('text', 'a')
        pipe = client.pipeline(transaction=transaction).set('a', 1).lpush('text', 'x').set('b', 2)
        error = raises(redis.ResponseError, 'Command # 2 (LPUSH text x) of pipeline caused error: WRONGTYPE', pipe.execute)
        expect(type(error), redis.ResponseError)
        expect(client.mget('a', 'b'), ['1', '2'])
        replies = client.pipeline(transaction=transaction).incr('text').get('text').incr('a').execute(raise_on_error=False)
        expect(replies[1:], ['a', 2])
        expect(str(replies[0]).endswith('value is not an integer or out of range'), True)
        client.flushall()
    # a command that is refused at once: EXEC runs nothing
    pipe = client.pipeline().set('a', 1)
    pipe.execute_command('GET')
    raises(redis.ResponseError, "Command # 2 (GET) of pipeline caused error: wrong number of arguments for 'get' command", pipe.execute)
    expect(client.exists('a'), 0)
    pipe = client.pipeline(transaction=False).set('a', 1)
    pipe.execute_command('GET')
    pipe.execute_command('NOSUCHCOMMAND', 1, 2)
    replies = pipe.get('a').execute(raise_on_error=False)
    expect([replies[0], str(replies[1]).startswith('wrong number'), str(replies[2]).startswith('unknown command'), replies[3]],
           [True, True, True, '1'])


@test()
def no_update_is_lost_under_contention(server):
    rounds = scaled(60, 20)
    retries = []

    def deposit(me):
        client = user(server)
        for _ in range(rounds):
            with client.pipeline() as pipe:
                while True:
                    try:
                        pipe.watch('balance', 'log')
                        balance = int(pipe.get('balance') or 0)
                        pipe.multi()
                        pipe.set('balance', balance + 1)
                        pipe.rpush('log', me)
                        expect(pipe.execute(), [True, balance + 1])
                        break
                    except redis.WatchError:
                        retries.append(me)

    in_threads(8, deposit)
    client = user(server)
    expect(client.get('balance'), b'%d' % (8 * rounds))
    log = client.lrange('log', 0, -1)
    expect([log.count(b'%d' % me) for me in range(8)], [rounds] * 8)
    expect_true(retries, 'eight writers never met')


@test()
def transaction_with_retries(server):
    client, other = users(server, 2)
    client.set('n', 10)
    attempts = []

    def double(pipe):
        n = int(pipe.get('n'))
        attempts.append(n)
        if len(attempts) <= 2:
            other.incr('n')
        pipe.multi()
        pipe.set('n', 2 * n)
        pipe.get('n')

    expect([client.transaction(double, 'n'), attempts], [[True, b'24'], [10, 11, 12]])
    pipe = client.pipeline()
    pipe.watch('n', 'expires')
    other.delete('n')
    pipe.multi()
    raises(redis.WatchError, 'Watched variable changed', pipe.set('x', 1).execute)
    expect(client.exists('x'), 0)
    pipe.watch('n')
    other.set('n', 1)
    pipe.unwatch()
    expect(pipe.set('x', 1).execute(), [True])
    pipe.reset()


@test()
def a_watched_key_that_expires_fails_the_transaction(server):
    client, other = users(server, 2)
    clock(other, 'FREEZE')
    other.set('k', 1, ex=10)
    pipe = client.pipeline()
    pipe.watch('k')
    clock(other, 'ADVANCE', 10_001)
    expect(other.get('k'), None)
    pipe.multi()
    raises(redis.WatchError, '', pipe.set('x', 1).execute)


# ---- blocking -----------------------------------------------------------------------------------------


@test()
def workers_take_jobs_from_queues(server):
    count = scaled(600, 210)
    taken = []

    def work(me):
        client = user(server, decode_responses=True)
        while True:
            queue, job = client.blpop(['urgent', 'jobs'], timeout=0) if me % 2 else client.brpop(['urgent', 'jobs'], timeout=TIMEOUT)
            if job == 'end':
                return
            taken.append(job)

    client = user(server)
    with Together() as threads:
        for i in range(8):
            threads.start(work, i)
        wait_until(lambda: client.info('clients')['blocked_clients'] == 8, '8 workers wait')
        for i in range(count // 3):
            client.lpush('jobs', i, f'{i}b')
            client.pipeline().rpush('urgent', f'{i}c').get('x').execute()
        wait_until(lambda: len(taken) == count, 'all jobs are taken')
        client.rpush('jobs', *['end'] * 8)
    expect(sorted(taken), sorted(f'{i}{part}' for i in range(count // 3) for part in ('', 'b', 'c')))
    expect([client.exists('jobs', 'urgent'), client.info('clients')['blocked_clients']], [0, 0])


@test()
def who_waits_longest_is_served_first(server):
    client = user(server)
    order = []

    def wait(me):
        order.append((me, user(server).blpop('queue')[1]))

    with Together() as threads:
        for i in range(6):
            threads.start(wait, i)
            wait_until(lambda: client.info('clients')['blocked_clients'] == i + 1, f'{i + 1} wait')
        client.rpush('queue', *range(6))
    expect(sorted(order), [(i, b'%d' % i) for i in range(6)])


@test()
def waiting_ends(server):
    client, admin = user(server, decode_responses=True), user(server)
    expect([client.blpop('none', timeout=0.01), client.brpop(['none', 'nil'], timeout=0.01)], [None] * 2)
    expect(client.rpush('from', 'a', 'b', 'c'), 3)
    expect([client.blmove('from', 'to', 1, 'LEFT', 'RIGHT'), client.blmove('from', 'to', 1, 'RIGHT', 'LEFT'), client.lrange('to', 0, -1)],
           ['a', 'c', ['c', 'a']])
    replies = []
    for how, wanted in ('TIMEOUT', None), ('ERROR', 'UNBLOCKED client unblocked via CLIENT UNBLOCK'):
        with Together() as threads:
            waiter = user(server, single_connection_client=True)
            mine = waiter.client_id()

            def wait():
                try:
                    replies.append(waiter.blpop('none', timeout=0))
                except redis.ResponseError as error:
                    replies.append(str(error))
            threads.start(wait)
            wait_until(lambda: admin.info('clients')['blocked_clients'] == 1, 'it waits')
            expect(admin.execute_command('CLIENT', 'UNBLOCK', mine, how), 1)
        expect(replies.pop(), wanted)
    # with the clock in our hands nobody waits for an hour
    clock(admin, 'FREEZE')
    with Together() as threads:
        threads.start(lambda: replies.append(user(server).blpop('none', timeout=3600)))
        wait_until(lambda: admin.info('clients')['blocked_clients'] == 1, 'it waits')
        clock(admin, 'ADVANCE', 3_600_001)
    expect(replies, [None])


@test()
def a_client_that_gives_up_takes_nothing_with_it(server):
    client = user(server)
    for _ in range(5):
        raises(redis.TimeoutError, 'Timeout reading from', impatient(server, socket_timeout=0.1, socket_connect_timeout=TIMEOUT).blpop, 'queue', timeout=0)
    wait_until(lambda: client.info('clients')['blocked_clients'] == 0, 'the server has seen them go')
    expect([client.rpush('queue', 'kept'), client.blpop('queue')], [1, (b'queue', b'kept')])


# ---- pub/sub ------------------------------------------------------------------------------------------


def messages(pubsub, count):
    """The next ones, without confirmations."""
    found = []
    while len(found) < count:
        message = pubsub.get_message(ignore_subscribe_messages=True, timeout=TIMEOUT)
        if message:
            found.append((message['type'], message['pattern'], message['channel'], message['data']))
    return found


def confirmations(pubsub, count):
    found = [pubsub.get_message(timeout=TIMEOUT) for _ in range(count)]
    return [(message['type'], message['channel'], message['data']) for message in found]


def channels_and_patterns(server, **options):
    client = user(server, decode_responses=True)
    with user(server, decode_responses=True, **options).pubsub() as pubsub:
        pubsub.subscribe('news', 'weather')
        pubsub.psubscribe('w*')
        expect(confirmations(pubsub, 3), [('subscribe', 'news', 1), ('subscribe', 'weather', 2), ('psubscribe', 'w*', 3)])
        expect([client.publish('news', 'one'), client.publish('weather', 'rain'), client.publish('nobody', '')], [1, 2, 0])
        expect(messages(pubsub, 3), [('message', None, 'news', 'one'), ('message', None, 'weather', 'rain'),
                                     ('pmessage', 'w*', 'weather', 'rain')])
        expect([client.pubsub_channels(), client.pubsub_channels('n*'), client.pubsub_numpat(), client.pubsub_numsub('news', 'x')],
               [client.pubsub_channels(), ['news'], 1, [('news', 1), ('x', 0)]])
        expect(sorted(client.pubsub_channels()), ['news', 'weather'])
        if 'protocol' not in options:  # where a pong of the third protocol is not understood
            pubsub.ping()
            expect(pubsub.get_message(timeout=TIMEOUT)['type'], 'pong')
        pubsub.unsubscribe('news')
        pubsub.punsubscribe()
        pubsub.unsubscribe()
        expect(confirmations(pubsub, 3), [('unsubscribe', 'news', 2), ('punsubscribe', 'w*', 1), ('unsubscribe', 'weather', 0)])
        expect(client.publish('news', 'late'), 0)
        pubsub.subscribe('again')
        expect(confirmations(pubsub, 1), [('subscribe', 'again', 1)])


@test()
def pubsub_with_channels_and_patterns(server):
    channels_and_patterns(server)


@test()
def pubsub_with_handlers_in_threads(server):
    client = user(server, decode_responses=True)
    heard = {'plain': [], 'pattern': []}
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe(plain=lambda message: heard['plain'].append(message['data']))
    pubsub.psubscribe(**{'pl*': lambda message: heard['pattern'].append(message['data'])})
    listener = pubsub.run_in_thread(sleep_time=0.01, daemon=True)
    wait_until(lambda: client.pubsub_numpat() == 1, 'it listens')
    count = scaled(500, 200)
    in_threads(5, lambda me: [user(server).publish('plain', f'{me}:{i}') for i in range(count // 5)])
    wait_until(lambda: len(heard['plain']) == len(heard['pattern']) == count, 'all is heard')
    for kind in heard.values():  # of one publisher, in order
        for me in range(5):
            expect([text for text in kind if text.startswith(f'{me}:')], [f'{me}:{i}' for i in range(count // 5)])
    listener.stop()
    listener.join(TIMEOUT)
    expect(listener.is_alive(), False)


@test()
def all_of_many_listeners_hear_the_same(server):
    client = user(server)
    count = scaled(1000, 300)
    heard = [[] for _ in range(10)]

    def listen(me):
        pubsub = user(server).pubsub()
        pubsub.subscribe('all')
        for message in pubsub.listen():
            if message['type'] == 'message':
                heard[me].append(message['data'])
                if message['data'] == b'end':
                    return

    with Together() as threads:
        for i in range(10):
            threads.start(listen, i)
        wait_until(lambda: client.pubsub_numsub('all') == [(b'all', 10)], 'all listen')
        pipe = client.pipeline(transaction=False)
        for i in range(count):
            pipe.publish('all', i)
        expect(pipe.publish('all', 'end').execute(), [10] * (count + 1))
    expect_true(all(each == [b'%d' % i for i in range(count)] + [b'end'] for each in heard), 'somebody heard something else')


@test()
def a_listener_that_was_killed_subscribes_again(server):
    client = user(server, decode_responses=True)
    with client.pubsub() as pubsub:
        pubsub.subscribe('news')
        pubsub.psubscribe('w*')
        expect(len(confirmations(pubsub, 2)), 2)
        expect(client.client_kill_filter(_type='pubsub'), 1)
        if MAJOR < 5:  # it connects again when asked again
            raises(redis.ConnectionError, '', pubsub.get_message, timeout=TIMEOUT)
        expect(sorted(confirmations(pubsub, 2)), [('psubscribe', 'w*', 2), ('subscribe', 'news', 1)])
        expect([client.publish('news', 'x'), messages(pubsub, 1)], [1, [('message', None, 'news', 'x')]])


@test()
def shard_channels(server):
    client = user(server, decode_responses=True)
    with client.pubsub() as pubsub:
        if hasattr(pubsub, 'ssubscribe'):
            pubsub.ssubscribe('orders')
            expect(confirmations(pubsub, 1), [('ssubscribe', 'orders', 1)])
            expect([client.spublish('orders', 'x'), client.publish('orders', 'y'), client.pubsub_shardchannels(),
                    client.pubsub_shardnumsub('orders')], [1, 0, ['orders'], [('orders', 1)]])
            message = pubsub.get_message(timeout=TIMEOUT)
            expect((message['type'], message['channel'], message['data']), ('smessage', 'orders', 'x'))
            pubsub.sunsubscribe('orders')
            expect(confirmations(pubsub, 1), [('sunsubscribe', 'orders', 0)])
        else:
            raw = server.client()
            expect(raw('SSUBSCRIBE', 'orders'), [b'ssubscribe', b'orders', 1])
            expect([client.execute_command('SPUBLISH', 'orders', 'x'), raw.read()], [1, [b'smessage', b'orders', b'x']])


# ---- administration -----------------------------------------------------------------------------------


@test()
def clients_and_their_names(server):
    admin, client = user(server, decode_responses=True), user(server, decode_responses=True, single_connection_client=True)
    expect([client.client_getname(), client.client_setname('worker-1'), client.client_getname()], [None, True, 'worker-1'])
    mine = client.client_id()
    listed = {int(each['id']): each for each in admin.client_list()}
    expect(listed[mine]['name'], 'worker-1')
    expect({field for field in ('id', 'addr', 'laddr', 'fd', 'name', 'age', 'idle', 'flags', 'db', 'sub', 'psub', 'multi', 'qbuf', 'cmd',
                                'user', 'redir', 'resp') if field not in listed[mine]}, set())
    expect([each['id'] for each in admin.client_list(client_id=[str(mine)])], [str(mine)])
    expect(client.client_info()['id'], mine)
    expect(len(admin.client_list(_type='normal')), 2)
    raises(redis.ResponseError, 'Client names cannot contain spaces', client.client_setname, 'two words')
    if MAJOR >= 5:
        expect(listed[mine]['lib-name'].startswith('redis-py'), True)
        expect([client.client_setinfo('LIB-NAME', 'mine'), client.client_info()['lib-name']], [True, 'mine'])
    expect(admin.client_kill(listed[mine]['addr']), True)
    expect(mine in [int(each['id']) for each in admin.client_list()], False)
    raises(redis.ResponseError, 'No such client', admin.client_kill, '127.0.0.1:1')
    others = users(server, 3)
    expect([other.ping() for other in others], [True] * 3)
    expect([admin.client_kill_filter(laddr=f'127.0.0.1:{server.port}', skipme=True), len(admin.client_list())], [3, 1])


@test()
def pauses(server):
    admin = user(server)
    expect(admin.client_pause(1_000_000, all=False), True)
    done = []
    with Together() as threads:
        threads.start(lambda: done.append(user(server).set('k', 'v')))
        expect([user(server).get('k'), len(done), bool(admin.client_unpause())], [None, 0, True])
    expect([done, admin.get('k')], [[True], b'v'])


@test()
def info_is_understood(server):
    client = user(server, decode_responses=True)
    info = client.info()
    expect([info['redis_version'], info['redis_mode'], info['role'], info['tcp_port'], info['process_id'], info['loading']],
           ['7.2.4', 'standalone', 'master', server.port, server.pid, 0])
    for field in 'used_memory', 'used_memory_rss', 'connected_clients', 'blocked_clients', 'maxclients', 'uptime_in_seconds', \
                 'total_connections_received', 'total_commands_processed', 'instantaneous_ops_per_sec', 'keyspace_hits', \
                 'keyspace_misses', 'expired_keys', 'evicted_keys', 'connected_slaves', 'master_repl_offset':
        expect(type(info[field]), int, field)
    for field in 'used_cpu_sys', 'used_cpu_user', 'mem_fragmentation_ratio':
        expect(type(info[field]) in (int, float), True, field)
    for section in 'server', 'clients', 'memory', 'persistence', 'stats', 'replication', 'cpu', 'cluster':
        expect_true(client.info(section), f'section {section} is empty')
    expect([client.info('nosuch'), client.info('clients', 'replication')['role']], [{}, 'master'])
    client.set('k', 'v')
    client.get('k'), client.get('none')
    everything = client.info('everything')
    expect([everything['keyspace_hits'], everything['keyspace_misses'], everything['db0']['keys']], [1, 1, 1])
    expect(everything['cmdstat_get']['calls'], 2)
    expect(client.config_resetstat(), True)
    expect(client.info('stats')['keyspace_hits'], 0)


@test()
def configuration(server):
    client = user(server, decode_responses=True)
    everything = client.config_get()
    expect([everything['databases'], everything['port'], everything['maxmemory'], everything['save'], everything['appendonly']],
           ['16', str(server.port), '0', '', 'no'])
    expect(set(client.config_get('max*')) >= {'maxclients', 'maxmemory', 'maxmemory-policy'}, True)
    expect(client.config_get('timeout', 'hz'), {'timeout': '0', 'hz': '10'})
    expect([client.config_set('timeout', 100), client.config_get('timeout'), client.config_set('timeout', 0)],
           [True, {'timeout': '100'}, True])
    expect([client.config_set('proto-max-bulk-len', '64mb'), client.config_get('proto-max-bulk-len')],
           [True, {'proto-max-bulk-len': '67108864'}])
    expect([client.config_set('timeout', 1, 'hz', 20), client.config_get('hz', 'timeout')], [True, {'hz': '20', 'timeout': '1'}])
    raises(redis.ResponseError, 'CONFIG SET failed', client.config_set, 'timeout', 'soon')
    raises(redis.ResponseError, 'CONFIG SET failed', client.config_set, 'databases', 1)
    raises(redis.ResponseError, 'Unknown option', client.config_set, 'nosuch', 1)
    expect(client.config_get('nosuch'), {})


@test()
def commands_are_described(server):
    client = user(server, decode_responses=True)
    commands = client.command()
    expect([client.command_count(), set(commands['get']) >= {'name', 'arity', 'flags', 'first_key_pos', 'last_key_pos', 'step_count'}],
           [len(commands), True])
    expect([commands['get'][field] for field in ('name', 'arity', 'first_key_pos', 'last_key_pos', 'step_count')], ['get', 2, 1, 1, 1])
    expect('readonly' in commands['get']['flags'] and 'fast' in commands['get']['flags'], True)
    expect(client.command_getkeys('MSET', 'a', 1, 'b', 2), ['a', 'b'])
    expect(set(client.command_list()) >= {'get', 'set', 'lpush', 'multi'}, True)
    client.set('n', 12)
    client.set('s', 'short')
    expect([client.object('encoding', 'n'), client.object('encoding', 's'), client.object('idletime', 's') < TIMEOUT], ['int', 'embstr', True])


# ---- errors -------------------------------------------------------------------------------------------


@test()
def errors_have_their_classes(server):
    client = user(server, decode_responses=True)
    client.set('text', 'a')
    raises(redis.ResponseError, 'WRONGTYPE Operation against a key holding the wrong kind of value', client.lpush, 'text', 1)
    raises(redis.ResponseError, 'value is not an integer or out of range', client.incr, 'text')
    raises(redis.ResponseError, "wrong number of arguments for 'get' command", client.execute_command, 'GET')
    raises(redis.ResponseError, "unknown command 'NOSUCH', with args beginning with: 'a' 'b'", client.execute_command, 'NOSUCH', 'a', 'b')
    raises(redis.ResponseError, 'syntax error', client.execute_command, 'SET', 'k', 'v', 'EX')
    raises(redis.ResponseError, "invalid expire time in 'set' command", client.set, 'k', 'v', ex=-1)
    raises(redis.DataError, 'Invalid input of type', client.set, 'k', ['a list'])
    raises(redis.ResponseError, 'EXEC without MULTI', client.execute_command, 'EXEC')
    expect(client.ping(), True)


@test('--requirepass', 'secret')
def passwords(server):
    raises(redis.AuthenticationError, 'Authentication required', user(server).ping)
    wrong = raises(redis.RedisError, '', user(server, password='wrong').ping)
    expect_true('invalid username-password pair' in str(wrong) and (MAJOR < 5 or isinstance(wrong, redis.AuthenticationError)), repr(wrong))
    for client in user(server, password='secret'), user(server, username='default', password='secret'), \
                  redis.Redis.from_url(f'redis://:secret@127.0.0.1:{server.port}/0'), \
                  redis.Redis.from_url(f'redis://default:secret@127.0.0.1:{server.port}/1'):
        expect([client.ping(), client.pipeline().set('k', 1).get('k').execute()], [True, [True, b'1']])
    expect(client.config_set('requirepass', ''), True)
    expect(user(server).ping(), True)


@test('--maxclients', '8')
def too_many_clients(server):
    clients = users(server, 8)
    expect([client.ping() for client in clients], [True] * 8)
    raises(redis.ConnectionError, '', user(server).ping)
    clients[0].connection_pool.disconnect()
    wait_until(lambda: clients[1].info('clients')['connected_clients'] == 7, 'one has gone')
    expect(user(server).ping(), True)


@test(own=True)
def a_server_that_is_not_there(directory):
    server = Server(directory)
    client = impatient(server, decode_responses=True)
    expect(client.set('k', 'v'), True)
    pubsub = client.pubsub()
    pubsub.subscribe('news')
    expect(confirmations(pubsub, 1), [('subscribe', 'news', 1)])
    server.stop()
    raises(redis.ConnectionError, '', client.get, 'k')
    raises(redis.ConnectionError, '', pubsub.get_message, timeout=TIMEOUT)
    again = Server(os.path.join(directory, 'again'), '--port', server.port)
    expect([client.get('k'), client.set('k', 'w'), client.get('k')], [None, True, 'w'])
    again.stop()


@test(own=True)
def shutdown(directory):
    server = Server(directory)
    client = impatient(server)
    expect(client.ping(), True)
    client.shutdown(nosave=True)
    expect(server.wait(), 0)
    server.must_end_well = False
    server.stop()


# ---- RESP3 --------------------------------------------------------------------------------------------


@test()
def the_third_protocol(server):
    if MAJOR < 5:
        raise Skip('this redis-py does not speak it')
    client = user(server, protocol=3, decode_responses=True)
    expect([client.set('k', 'v'), client.get('k'), client.get('none'), client.ping(), client.incrbyfloat('f', 1.5)], [True, 'v', None, True, 1.5])
    expect([client.info('server')['redis_version'], client.config_get('timeout'), client.client_info()['resp']], ['7.2.4', {'timeout': '0'}, '3'])
    expect([client.rpush('l', 1, 2), client.blpop('l', 1), client.blpop('none', 0.01), client.lrange('l', 0, -1)], [2, ['l', '1'], None, ['2']])
    expect(client.pipeline().set('a', 1).lrange('l', 0, -1).get('none').execute(), [True, ['2'], None])
    expect(set(client.scan_iter()), {'k', 'f', 'l', 'a'})
    expect(client.command()['get']['arity'], 2)
    raises(redis.ResponseError, 'WRONGTYPE', client.lpush, 'k', 1)
    expect(client.pubsub_numsub('x'), [('x', 0)])
    raises(redis.ResponseError, 'NOPROTO', client.execute_command, 'HELLO', 4)
    secret = user(server, protocol=3, client_name='third')
    expect(secret.client_getname(), b'third')


@test('--requirepass', 'secret')
def the_third_protocol_with_a_password(server):
    if MAJOR < 5:
        raise Skip('this redis-py does not speak it')
    expect(user(server, protocol=3, password='secret').set('k', 'v'), True)
    raises(redis.AuthenticationError, 'invalid username-password pair', user(server, protocol=3, password='wrong').ping)
    raises(redis.AuthenticationError, '', user(server, protocol=3).ping)


@test()
def pubsub_in_the_third_protocol(server):
    if MAJOR < 5:
        raise Skip('this redis-py does not speak it')
    channels_and_patterns(server, protocol=3)


@test()
def functions(server):
    client = user(server, decode_responses=True)
    code = """#!lua name=mylib
redis.register_function('put', function(keys, args) return redis.call('SET', keys[1], args[1]) end)
redis.register_function{function_name='peek', callback=function(keys) return redis.call('GET', keys[1]) end, flags={'no-writes'}}
"""
    expect(client.function_load(code), 'mylib')
    raises(redis.ResponseError, "Library 'mylib' already exists", client.function_load, code)
    expect(client.function_load(code, replace=True), 'mylib')
    expect(client.fcall('put', 1, 'k', 'v'), 'OK')
    expect([client.fcall('peek', 1, 'k'), client.fcall_ro('peek', 1, 'k'), client.fcall_ro('peek', 1, 'none')], ['v', 'v', None])
    raises(redis.ResponseError, 'Can not execute a script with write flag', client.fcall_ro, 'put', 1, 'k', 'v')
    raises(redis.ResponseError, 'Function not found', client.fcall, 'nosuch', 0)
    listed = client.function_list(withcode=True)
    expect(len(listed), 1)
    expect_true('mylib' in listed[0] and code in listed[0], f'function_list: {listed}')
    expect(client.function_list('other*'), [])
    expect(client.function_stats()[:2] if isinstance(client.function_stats(), list) else None, ['running_script', None])
    payload = user(server).function_dump()
    expect(client.function_delete('mylib') in (True, 'OK'), True)
    raises(redis.ResponseError, 'Function not found', client.fcall, 'peek', 1, 'k')
    expect(client.function_restore(payload, 'APPEND') in (True, 'OK'), True)
    expect(client.fcall('peek', 1, 'k'), 'v')
    raises(redis.ResponseError, 'Library mylib already exists', client.function_restore, payload)
    expect(client.function_flush() in (True, 'OK'), True)
    expect(client.function_list(), [])
    raises(redis.ResponseError, 'NOTBUSY No scripts in execution right now', client.function_kill)
    pipeline = client.pipeline()
    pipeline.function_load(code)
    pipeline.fcall('put', 1, 'k', 'piped')
    pipeline.fcall_ro('peek', 1, 'k')
    expect(pipeline.execute(), ['mylib', 'OK', 'piped'])


def scripts_as_the_library_runs_them(server):
    client = user(server)
    multiply = client.register_script("local value = redis.call('GET', KEYS[1]) return (value or 1) * ARGV[1]")
    client.set('k', 7)
    expect(multiply(keys=['k'], args=[6]), 42)
    client.script_flush()
    expect(multiply(keys=['k'], args=[2]), 14)  # NOSCRIPT, then SCRIPT LOAD
    expect(client.script_exists(multiply.sha, 'f' * 40), [True, False])
    pipe = client.pipeline()
    for n in range(100):
        multiply(keys=['k'], args=[n], client=pipe)
    expect(pipe.execute(), [7 * n for n in range(100)])
    pipe = client.pipeline(transaction=False)
    client.script_flush()
    for n in range(100):
        pipe.eval("return redis.call('INCRBY', KEYS[1], ARGV[1])", 1, 'n', n)
    expect(pipe.execute()[-1], 4950)
    raises(redis.ResponseError, 'WRONGTYPE', client.eval, "return redis.call('LPUSH', 'k', 1)", 0)
    raises(redis.exceptions.NoScriptError, '', client.evalsha, 'f' * 40, 0)
    lock = client.lock('lock', timeout=10)
    expect(lock.acquire(blocking=False), True)
    expect(user(server).lock('lock', timeout=10).acquire(blocking=False), False)
    lock.extend(10)
    lock.release()
    expect(client.exists('lock'), 0)


main()
