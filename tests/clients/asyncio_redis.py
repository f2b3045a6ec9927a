"""redis.asyncio as its users use it: many tasks at once, pipelines, WATCH, blocking pops, pub/sub, commands that are
cancelled, RESP3. Works with redis-py 4.3 and later."""

from _users import *

import asyncio
import functools

try:
    import redis
    import redis.asyncio as aioredis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
except ImportError:
    skip_all('there is no redis.asyncio here')

MAJOR = int(redis.__version__.split('.')[0])
TASKS = 100


class Users:
    """Makes clients of a server, each with a pool of its own, and disconnects them in the end."""

    def __init__(self, server):
        self.server = server
        self.clients = []

    def __call__(self, pool=None, **options):
        if pool is None:
            client = aioredis.Redis(port=self.server.port, **{'socket_timeout': TIMEOUT, **options})
        else:
            client = aioredis.Redis(connection_pool=pool)
        self.clients.append(client)
        return client

    def many(self, count, **options):
        return [self(**options) for _ in range(count)]

    async def disconnect(self):
        for client in self.clients:
            await client.connection_pool.disconnect()


def async_test(*args):
    """As @test, for a coroutine that gets the server and the Users of it."""
    def mark(function):
        @functools.wraps(function)
        def in_loop(server):
            async def whole():
                users = Users(server)
                try:
                    await asyncio.wait_for(function(server, users), 3 * TIMEOUT)
                finally:
                    await users.disconnect()
            asyncio.run(whole())
        return test(*args)(in_loop)
    return mark


async def raises(kind, beginning, awaitable):
    try:
        value = await awaitable
    except kind as error:
        expect_true(str(error).startswith(beginning), f'got {error!r}, expected {kind.__name__}: {beginning!r}')
        return error
    raise Failed(f'got {shown(value)}, expected {kind.__name__}: {beginning!r}')


async def until(condition, what):
    """As wait_until, for a coroutine function."""
    end = time.monotonic() + TIMEOUT
    while not await condition():
        expect_true(time.monotonic() < end, f'waited in vain until {what}')
        await asyncio.sleep(0.005)


async def until_blocked(client, count):
    async def are_blocked():
        return (await client.info('clients'))['blocked_clients'] == count
    await until(are_blocked, f'{count} clients are blocked')


async def clock(client, *words):
    expect(await client.execute_command('DEBUG', 'CLOCK', *words) in (True, b'OK', 'OK'), True)


# ---- tasks --------------------------------------------------------------------------------------------


@async_test()
async def many_tasks_share_a_pool(server, user):
    pool = aioredis.BlockingConnectionPool(port=server.port, max_connections=10, timeout=TIMEOUT)
    client = user(pool)

    async def work(me):
        for i in range(scaled(20, 5)):
            expect(await client.set(f'{me}:{i}', f'{me} {i}'), True)
            expect(await client.get(f'{me}:{i}'), f'{me} {i}'.encode())
            expect(await client.rpush(f'list {me}', i), i + 1)
            await client.incr('all')

    await asyncio.gather(*[work(i) for i in range(TASKS)])
    expect(await client.get('all'), b'%d' % (TASKS * scaled(20, 5)))
    expect_true(len(await client.client_list()) <= 10, 'the pool has at most 10 connections')


@async_test()
async def each_task_has_a_connection(server, user):
    clients = user.many(TASKS, decode_responses=True)

    async def work(me, client):
        for i in range(scaled(20, 5)):
            expect(await client.set(f'k{me}', f'Wert {i} ü'), True)
            expect(await client.get(f'k{me}'), f'Wert {i} ü')
            expect(await client.pipeline(transaction=i % 2 == 0).incr(f'n{me}').get(f'n{me}').get('none').execute(), [i + 1, str(i + 1), None])

    await asyncio.gather(*[work(i, client) for i, client in enumerate(clients)])
    info = await clients[0].info()
    expect([info['connected_clients'], info['redis_version']], [TASKS, '7.2.4'])


@async_test()
async def a_task_for_each_command(server, user):
    client = user()
    count = scaled(1000, 300, 100)  # and as many connections, for all that the pool knows
    expect(await asyncio.gather(*[client.set(f'k{i}', i) for i in range(count)]), [True] * count)
    expect(await asyncio.gather(*[client.get(f'k{i}') for i in range(count)]), [b'%d' % i for i in range(count)])
    expect(sorted([key async for key in client.scan_iter(match='k*', count=50)]), sorted(b'k%d' % i for i in range(count)))
    expect([await client.dbsize(), await client.flushdb(), await client.dbsize()], [count, True, 0])


@async_test('--unixsocket', SOCKET)
async def unix_socket_and_urls(server, user):
    for url in f'unix://{SOCKET}?db=1', f'redis://127.0.0.1:{server.port}/1':
        client = aioredis.from_url(url, decode_responses=True)
        user.clients.append(client)
        async with client:
            expect([await client.set(url, 'v'), await client.get(url), await client.ping()], [True, 'v', True])
    expect(await user(db=1).dbsize(), 2)


# ---- pipelines and transactions ------------------------------------------------------------------------


@async_test()
async def pipelines(server, user):
    client = user(decode_responses=True)
    count = scaled(5000, 1000)
    for transaction in False, True:
        await client.flushall()
        async with client.pipeline(transaction=transaction) as pipe:
            for i in range(count):
                pipe.set(f'k{i}', i).incr('n').get(f'k{i // 2}').rpush('l', i).lrange('l', 0, 1)
            replies = await pipe.execute()
        expect_true(replies == [reply for i in range(count) for reply in (True, i + 1, str(i // 2), i + 1, ['0', '1'][:i + 1])],
                    f'the replies are others (transaction={transaction})')
        pipe = client.pipeline(transaction=transaction).set('text', 'a').lpush('text', 'x').set('b', 2)
        await raises(redis.ResponseError, 'Command # 2 (LPUSH text x) of pipeline caused error: ', pipe.execute())
        expect(await client.get('b'), '2')
        replies = await client.pipeline(transaction=transaction).incr('text').get('text').execute(raise_on_error=False)
        expect([type(replies[0]), replies[1]], [redis.ResponseError, 'a'])


@async_test()
async def no_update_is_lost_under_contention(server, user):
    rounds = scaled(30, 10)
    retries = []

    async def deposit(me):
        client = user()
        for _ in range(rounds):
            async with client.pipeline() as pipe:
                while True:
                    try:
                        await pipe.watch('balance')
                        balance = int(await pipe.get('balance') or 0)
                        pipe.multi()
                        expect(await pipe.set('balance', balance + 1).rpush('log', me).execute(), [True, balance + 1])
                        break
                    except redis.WatchError:
                        retries.append(me)

    await asyncio.gather(*[deposit(i) for i in range(8)])
    expect(await user().get('balance'), b'%d' % (8 * rounds))
    expect_true(retries, 'eight writers never met')


@async_test()
async def transaction_with_retries(server, user):
    client, other = user.many(2)
    await client.set('n', 10)
    attempts = []

    async def double(pipe):
        n = int(await pipe.get('n'))
        attempts.append(n)
        if len(attempts) <= 2:
            await other.incr('n')
        pipe.multi()
        pipe.set('n', 2 * n)
        pipe.get('n')

    expect([await client.transaction(double, 'n'), attempts], [[True, b'24'], [10, 11, 12]])


# ---- blocking ------------------------------------------------------------------------------------------


@async_test()
async def workers_take_jobs_from_queues(server, user):
    admin = user()
    taken = []
    count = scaled(1000, 300)

    async def work(client):
        while True:
            _, job = await client.blpop(['urgent', 'jobs'], timeout=0)
            if job == b'end':
                return
            taken.append(job)

    workers = asyncio.gather(*[work(client) for client in user.many(TASKS)])
    await until_blocked(admin, TASKS)
    await asyncio.gather(*[user().rpush('jobs' if i % 2 else 'urgent', *range(i, count, 10)) for i in range(10)])
    await admin.rpush('jobs', *['end'] * TASKS)
    await workers
    expect(sorted(taken), sorted(b'%d' % i for i in range(count)))
    expect(await admin.exists('jobs', 'urgent'), 0)


@async_test()
async def waiting_ends(server, user):
    admin, client = user(), user()
    expect([await client.blpop('none', timeout=0.01), await client.brpop(['none', 'nil'], timeout=0.01)], [None, None])
    waiter = user()
    task = asyncio.create_task(waiter.blpop('queue', timeout=0))
    await until_blocked(admin, 1)
    blocked = [each for each in await admin.client_list() if each['cmd'] == 'blpop' and 'b' in each['flags']]
    expect(await admin.execute_command('CLIENT', 'UNBLOCK', blocked[0]['id'], 'ERROR'), 1)
    await raises(redis.ResponseError, 'UNBLOCKED', task)
    await clock(admin, 'FREEZE')
    task = asyncio.create_task(waiter.blpop('queue', timeout=3600))
    await until_blocked(admin, 1)
    await clock(admin, 'ADVANCE', 3_600_001)
    expect(await task, None)


# ---- cancellation --------------------------------------------------------------------------------------


async def cancel(*tasks):
    """Until it is done: redis-py now and then swallows the first one, while it connects. Those that had ended before are
    left alone."""
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=0.05)
    return await asyncio.gather(*tasks, return_exceptions=True)


@async_test()
async def a_cancelled_pop_takes_nothing(server, user):
    admin = user()
    for _ in range(3):
        waiters = user.many(TASKS // 2)
        tasks = [asyncio.create_task(waiter.blpop('queue', timeout=0)) for waiter in waiters]
        await until_blocked(admin, len(tasks))
        for outcome in await cancel(*tasks):
            expect_true(isinstance(outcome, asyncio.CancelledError), f'it was not cancelled: {outcome!r}')
        for waiter in waiters:  # early versions keep the connection
            await waiter.connection_pool.disconnect()
        await until_blocked(admin, 0)
        expect([await admin.rpush('queue', 'kept'), await admin.blpop('queue')], [1, (b'queue', b'kept')])
        late = user()
        expect(await late.ping(), True)  # it is connected
        await raises(asyncio.TimeoutError, '', asyncio.wait_for(late.blpop('queue', timeout=0), 0.01))


@async_test()
async def a_cancelled_transfer_harms_nobody(server, user):
    admin = user()
    value = os.urandom(MB) * scaled(16, 4, 1)
    expect(await admin.set('large', value), True)
    for steps in range(1, 15):
        readers, writers = user.many(3), user.many(3)
        tasks = [asyncio.create_task(reader.get('large')) for reader in readers]
        tasks += [asyncio.create_task(writer.set(f'fresh {steps}', value)) for writer in writers]
        for _ in range(steps):
            await asyncio.sleep(0)
        await cancel(*tasks)
        for client in readers + writers:
            await client.connection_pool.disconnect()
        expect_true(await admin.get(f'fresh {steps}') in (None, value), 'half a value was stored')
        await admin.delete(f'fresh {steps}')
    expect_true(await admin.get('large') == value, 'the value has changed')
    expect(await admin.ping(), True)


@async_test()
async def a_shared_pool_survives_cancellation(server, user):
    if MAJOR < 5:
        raise Skip('early versions hand on a connection with a reply to come')
    client = user(max_connections=20)
    await client.set('k', 'mine')
    for _ in range(scaled(20, 5)):
        tasks = [asyncio.create_task(client.get('k') if i % 2 else client.blpop('none', timeout=0)) for i in range(10)]
        await asyncio.sleep(0.002)
        await cancel(*tasks)
        expect(await asyncio.gather(*[client.echo(f'{i}') for i in range(10)]), [b'%d' % i for i in range(10)])


# ---- pub/sub -------------------------------------------------------------------------------------------


async def finish(pubsub):
    await (pubsub.aclose() if hasattr(pubsub, 'aclose') else pubsub.reset())


async def messages(pubsub, count):
    found = []
    while len(found) < count:
        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=TIMEOUT)
        if message:
            found.append((message['type'], message['pattern'], message['channel'], message['data']))
    return found


async def channels_and_patterns(user, **options):
    client = user(decode_responses=True, **options)
    pubsub = client.pubsub()
    await pubsub.subscribe('news', 'weather')
    await pubsub.psubscribe('w*')
    confirmed = [await pubsub.get_message(timeout=TIMEOUT) for _ in range(3)]
    expect([(each['type'], each['channel'], each['data']) for each in confirmed],
           [('subscribe', 'news', 1), ('subscribe', 'weather', 2), ('psubscribe', 'w*', 3)])
    expect([await client.publish('news', 'one'), await client.publish('weather', 'rain'), await client.publish('nobody', '')], [1, 2, 0])
    expect(await messages(pubsub, 3), [('message', None, 'news', 'one'), ('message', None, 'weather', 'rain'),
                                       ('pmessage', 'w*', 'weather', 'rain')])
    expect([sorted(await client.pubsub_channels()), await client.pubsub_numpat(), await client.pubsub_numsub('news')],
           [['news', 'weather'], 1, [('news', 1)]])
    await pubsub.unsubscribe()
    await pubsub.punsubscribe()
    gone = [await pubsub.get_message(timeout=TIMEOUT) for _ in range(3)]
    expect([each['data'] for each in gone], [2, 1, 0])
    await finish(pubsub)


@async_test()
async def pubsub_with_channels_and_patterns(server, user):
    await channels_and_patterns(user)


@async_test()
async def all_of_many_listeners_hear_the_same(server, user):
    client = user()
    count = scaled(200, 50)

    async def listen(me):
        pubsub = user().pubsub()
        await (pubsub.psubscribe('a?l') if me % 2 else pubsub.subscribe('all'))
        heard = [data for _, _, _, data in await messages(pubsub, count)]
        await finish(pubsub)
        return heard

    listeners = asyncio.gather(*[listen(i) for i in range(TASKS)])

    async def all_listen():
        return (await client.info('clients'))['pubsub_clients'] == TASKS
    await until(all_listen, 'all listen')
    pipe = client.pipeline(transaction=False)
    for i in range(count):
        pipe.publish('all', i)
    expect(await pipe.execute(), [TASKS] * count)
    expect_true(all(heard == [b'%d' % i for i in range(count)] for heard in await listeners), 'somebody heard something else')


@async_test()
async def a_reader_task_with_handlers(server, user):
    client = user(decode_responses=True)
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    heard = []
    await pubsub.subscribe(news=lambda message: heard.append(message['data']))
    await pubsub.psubscribe(**{'n*': lambda message: heard.append(message['data'] + '*')})
    reader = asyncio.create_task(pubsub.run())

    async def has_heard():
        return len(heard) == 20
    for i in range(10):
        expect(await client.publish('news', i), 2)
    await until(has_heard, 'all is heard')
    expect(heard, [f'{i}{mark}' for i in range(10) for mark in ('', '*')])
    await cancel(reader)
    await finish(pubsub)


@async_test()
async def shard_channels(server, user):
    if not hasattr(aioredis.client.PubSub, 'ssubscribe'):
        raise Skip('this redis.asyncio knows no shard channels')
    client = user(decode_responses=True)
    pubsub = client.pubsub()
    await pubsub.ssubscribe('orders')
    expect((await pubsub.get_message(timeout=TIMEOUT))['type'], 'ssubscribe')
    expect(await client.spublish('orders', 'x'), 1)
    expect((await pubsub.get_message(timeout=TIMEOUT))['data'], 'x')


# ---- the rest ------------------------------------------------------------------------------------------


@async_test()
async def expiry_and_a_clock_that_tests_move(server, user):
    client = user(decode_responses=True)
    await clock(client, 'FREEZE')
    await asyncio.gather(*[client.set(f'k{i}', i, ex=i + 1) for i in range(TASKS)])
    for i in range(TASKS):
        await clock(client, 'ADVANCE', 1001 if i == 0 else 1000)
        expect(await client.mget(f'k{i}', f'k{i + 1}'), [None, str(i + 1) if i + 1 < TASKS else None])
    expect(await client.keys(), [])


@async_test()
async def clients_that_were_killed_connect_again(server, user):
    admin = user()
    await admin.client_setname('admin')
    clients = user.many(20, client_name='worker')
    for _ in range(3):
        expect(await asyncio.gather(*[client.ping() for client in clients]), [True] * 20)
        names = [each['name'] for each in await admin.client_list()]
        expect([names.count('worker'), names.count('admin')], [20, 1])
        expect(await admin.client_kill_filter(_type='normal', skipme=True), 20)
        for client in clients:  # early versions do not look before they send
            if MAJOR < 5:
                await client.connection_pool.disconnect()


@async_test()
async def large_values(server, user):
    client = user()
    value = os.urandom(MB) * scaled(8, 2, 1)
    expect(await asyncio.gather(*[client.set(f'k{i}', value[i:]) for i in range(5)]), [True] * 5)
    expect_true(await asyncio.gather(*[client.get(f'k{i}') for i in range(5)]) == [value[i:] for i in range(5)], 'they came back different')
    expect_true(await client.mget('k0', 'none', 'k4') == [value, None, value[4:]], 'MGET is different')


@async_test('--requirepass', 'secret')
async def errors_have_their_classes(server, user):
    await raises(redis.AuthenticationError, 'Authentication required', user().ping())
    client = user(password='secret')
    expect(await client.set('text', 'a'), True)
    await raises(redis.ResponseError, 'WRONGTYPE', client.lpush('text', 1))
    await raises(redis.ResponseError, 'value is not an integer or out of range', client.incr('text'))
    await raises(redis.ResponseError, 'unknown command', client.execute_command('NOSUCH'))
    wrong = user(password='wrong')
    await raises(redis.RedisError, 'invalid username-password pair' if MAJOR >= 5 else '', wrong.ping())
    late = user(password='secret', socket_timeout=0.1, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0))
    await raises(redis.TimeoutError, 'Timeout reading', late.blpop('none', timeout=0))
    expect(await client.ping(), True)


@async_test()
async def the_third_protocol(server, user):
    if MAJOR < 5:
        raise Skip('this redis-py does not speak it')
    client = user(protocol=3, decode_responses=True)
    expect([await client.set('k', 'v'), await client.get('k'), await client.get('none'), (await client.client_info())['resp']], [True, 'v', None, '3'])
    expect([(await client.info('server'))['redis_version'], await client.config_get('timeout')], ['7.2.4', {'timeout': '0'}])
    await raises(redis.ResponseError, 'WRONGTYPE', client.lpush('k', 1))
    await channels_and_patterns(user, protocol=3)


main()
