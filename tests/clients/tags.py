"""Sets as redis-py's users use them: tags with set algebra, a pool of work, claims, and rate limiters; sixteen threads and
asyncio at once. Nothing is lost and nothing comes twice."""

from _users import *

import asyncio
import random

try:
    import redis
    import redis.asyncio as aioredis
except ImportError:
    skip_all('there is no redis-py here')

THREADS = 16
TASKS = 16


def user(server, **options):
    return redis.Redis(port=server.port, **{'socket_timeout': TIMEOUT, 'decode_responses': True, **options})


def in_loop(server, work):
    """Runs work(i, client) of each task, all in one loop with one pool."""
    async def whole():
        client = aioredis.Redis(port=server.port, socket_timeout=TIMEOUT, decode_responses=True)
        try:
            await asyncio.gather(*[work(i, client) for i in range(TASKS)])
        finally:
            await client.connection_pool.disconnect()
    asyncio.run(asyncio.wait_for(whole(), 2 * TIMEOUT))


def together(server, in_thread, in_task):
    """in_thread(i, client) in sixteen threads, in_task(i, client) in as many tasks, at the same time."""
    with Together() as threads:
        for i in range(THREADS):
            threads.start(in_thread, i, user(server))
        threads.start(in_loop, server, in_task)


# ---- tags -----------------------------------------------------------------------------------------


class Tags:
    """Articles with tags: a set of tags for each article, and a set of articles for each tag."""

    def __init__(self, client):
        self.client = client

    def commands(self, pipe, article, add=(), remove=()):
        if add:
            pipe.sadd(f'article:{article}:tags', *add)
        if remove:
            pipe.srem(f'article:{article}:tags', *remove)
        for tag in add:
            pipe.sadd(f'tag:{tag}', article)
        for tag in remove:
            pipe.srem(f'tag:{tag}', article)
        return pipe.execute()

    def change(self, article, add=(), remove=()):
        return self.commands(self.client.pipeline(), article, add, remove)

    def with_all(self, *tags):
        return self.client.sinter([f'tag:{tag}' for tag in tags])

    def with_any(self, *tags):
        return self.client.sunion([f'tag:{tag}' for tag in tags])

    def with_first_only(self, *tags):
        return self.client.sdiff([f'tag:{tag}' for tag in tags])

    def count_with_all(self, *tags, limit=0):
        return self.client.sintercard(len(tags), [f'tag:{tag}' for tag in tags], limit)


@test()
def tags_are_found_by_algebra(server):
    tags = Tags(user(server))
    tags.change('a', ['red', 'round', 'small'])
    tags.change('b', ['red', 'square'])
    tags.change('c', ['green', 'round'])
    expect(tags.with_all('red', 'round'), {'a'})
    expect(tags.with_any('green', 'square'), {'b', 'c'})
    expect(tags.with_first_only('red', 'square'), {'a'})
    expect(tags.with_all('red', 'none'), set())
    expect([tags.count_with_all('red'), tags.count_with_all('red', limit=1)], [2, 1])
    tags.change('a', remove=['red'])
    expect(tags.with_all('red', 'round'), set())
    expect(tags.client.smembers('article:a:tags'), {'round', 'small'})
    expect(tags.client.smismember('tag:red', ['a', 'b']), [0, 1])
    expect(tags.client.sunionstore('found', 'tag:red', 'tag:green'), 2)
    expect(tags.client.sinterstore('found', 'found', 'tag:round'), 1)
    expect(tags.client.smembers('found'), {'c'})
    expect(set(tags.client.sscan_iter('tag:round', match='*')), {'a', 'c'})


@test()
def answers_are_sets_in_resp3_too(server):
    if int(redis.__version__.split('.')[0]) < 5:
        raise Skip('this redis-py knows RESP2 only')
    client = user(server, protocol=3)
    client.sadd('s', 'a', 'b')
    expect([client.smembers('s'), client.sinter('s', 's'), set(client.spop('s', 5))], [{'a', 'b'}] * 3)


@test()
def many_tag_articles_at_once(server):
    """Each has articles of its own, but all have the same tags: in the end every tag knows all its articles."""
    names = [f't{i}' for i in range(40)]
    wanted, lock = {}, threading.Lock()

    def changes(who, seed):
        rng, mine = random.Random(seed), {}
        for i in range(scaled(150, 40)):
            article = f'{who}:{rng.randrange(20)}'
            add, remove = rng.sample(names, rng.randint(1, 5)), rng.sample(names, rng.randint(0, 3))
            mine[article] = (mine.get(article, set()) | set(add)) - set(remove)
            yield article, add, remove
        with lock:
            wanted.update(mine)

    def in_thread(i, client):
        for change in changes(f'thread{i}', i):
            Tags(client).change(*change)
            Tags(client).with_all(*names[:3])

    async def in_task(i, client):
        for change in changes(f'task{i}', 100 + i):
            await Tags(client).change(*change)
            await Tags(client).with_any(*names[:3])

    together(server, in_thread, in_task)
    client = user(server)
    for article, tags in wanted.items():
        expect(client.smembers(f'article:{article}:tags'), tags, article)
    for tag in names:
        expect(client.smembers(f'tag:{tag}'), {article for article, tags in wanted.items() if tag in tags}, tag)
    expect(Tags(client).with_all(*names[:2]), {article for article, tags in wanted.items() if set(names[:2]) <= tags})
    expect(Tags(client).with_first_only(*names[:5]),
           {article for article, tags in wanted.items() if names[0] in tags and not set(names[1:5]) & tags})


# ---- work ------------------------------------------------------------------------------------------


@test()
def each_job_is_taken_once(server):
    """A pool of jobs: some take one, some take many, some move one to those that are being done."""
    jobs = scaled(20000, 4000)
    client = user(server)
    for first in range(0, jobs, 1000):
        client.sadd('jobs', *range(first, first + 1000))
    expect(client.scard('jobs'), jobs)
    taken, lock = [], threading.Lock()

    def keep(mine):
        with lock:
            taken.extend(mine)

    def in_thread(i, client):
        mine = []
        while True:
            if i % 3 == 0:
                got = client.spop('jobs', 1 + i)
            elif i % 3 == 1:
                got = client.spop('jobs')
                got = [got] if got is not None else []
            else:
                job = client.srandmember('jobs')
                got = [job] if job is not None and client.smove('jobs', f'doing:{i}', job) else []
                if job is not None and not got:
                    continue
            if not got:
                return keep(mine)
            mine += got

    async def in_task(i, client):
        mine = []
        while got := await client.spop('jobs', 3):
            mine += got
        keep(mine)

    together(server, in_thread, in_task)
    expect(client.exists('jobs'), 0)
    expect(sorted(map(int, taken)), list(range(jobs)))


@test()
def one_of_many_gets_a_claim(server):
    """SADD answers 1 to one of those who add the same."""
    claims, won, lock = scaled(1000, 200), [], threading.Lock()

    def in_thread(i, client):
        mine = [name for name in range(claims) if client.sadd('claimed', name)]
        with lock:
            won.extend(mine)

    async def in_task(i, client):
        pipe = client.pipeline(transaction=False)
        for name in range(claims):
            pipe.sadd('claimed', name)
        mine = [name for name, is_new in enumerate(await pipe.execute()) if is_new]
        with lock:
            won.extend(mine)

    together(server, in_thread, in_task)
    expect(sorted(won), list(range(claims)))
    client = user(server)
    expect([client.scard('claimed'), len(set(client.sscan_iter('claimed', count=7)))], [claims, claims])


# ---- rate limiters ----------------------------------------------------------------------------------

LIMIT, WINDOW = 50, 60


def count_commands(pipe, name):
    """So many requests in a window: the first one makes the key, which goes by itself."""
    pipe.incr(f'rate:{name}')
    pipe.ttl(f'rate:{name}')
    return pipe.execute()


def visitor_commands(pipe, name, visitor):
    """So many different visitors in a window."""
    pipe.sadd(f'visitors:{name}', visitor)
    pipe.scard(f'visitors:{name}')
    pipe.ttl(f'visitors:{name}')
    return pipe.execute()


@test()
def a_limit_holds_for_all_together(server):
    admin, allowed, lock = user(server), [], threading.Lock()

    def note(name, is_allowed):
        if is_allowed:
            with lock:
                allowed.append(name)

    def in_thread(i, client):
        for n in range(20):
            name = f'user{n % 4}'
            count, ttl = count_commands(client.pipeline(), name)
            if ttl < 0:
                client.expire(f'rate:{name}', WINDOW)
            note(name, count <= LIMIT)

    async def in_task(i, client):
        for n in range(20):
            name = f'user{n % 4}'
            count, ttl = await count_commands(client.pipeline(), name)
            if ttl < 0:
                await client.expire(f'rate:{name}', WINDOW)
            note(name, count <= LIMIT)

    for _ in range(3):
        allowed.clear()
        together(server, in_thread, in_task)
        expect({name: allowed.count(name) for name in set(allowed)}, {f'user{n}': LIMIT for n in range(4)})
        expect([admin.get(f'rate:user{n}') for n in range(4)], [str((THREADS + TASKS) * 5)] * 4)
        admin.execute_command('DEBUG', 'CLOCK', 'ADVANCE', WINDOW * 1000 + 1)
        expect(admin.exists(*[f'rate:user{n}' for n in range(4)]), 0)


@test()
def visitors_are_counted_once(server):
    """The first LIMIT different ones are let in, and they again."""
    let_in, lock, admin = {}, threading.Lock(), user(server)

    def judge(name, visitor, is_new, size):
        with lock:
            if is_new and size <= LIMIT:
                let_in.setdefault(name, []).append(visitor)

    def visitors(i):
        rng = random.Random(i)
        return [(f'page{rng.randrange(3)}', f'v{rng.randrange(100)}') for _ in range(scaled(100, 60))]

    def in_thread(i, client):
        for name, visitor in visitors(i):
            is_new, size, ttl = visitor_commands(client.pipeline(), name, visitor)
            if ttl < 0:
                client.expire(f'visitors:{name}', WINDOW)
            judge(name, visitor, is_new, size)

    async def in_task(i, client):
        for name, visitor in visitors(100 + i):
            is_new, size, ttl = await visitor_commands(client.pipeline(), name, visitor)
            if ttl < 0:
                await client.expire(f'visitors:{name}', WINDOW)
            judge(name, visitor, is_new, size)

    together(server, in_thread, in_task)
    seen = {}
    for i in [*range(THREADS), *range(100, 100 + TASKS)]:
        for name, visitor in visitors(i):
            seen.setdefault(name, set()).add(visitor)
    for name, who in seen.items():
        expect(admin.smembers(f'visitors:{name}'), who)
        expect([len(let_in[name]), len(set(let_in[name]))], [min(LIMIT, len(who))] * 2)
        expect_true(0 < admin.ttl(f'visitors:{name}') <= WINDOW, 'the window ends')
    admin.execute_command('DEBUG', 'CLOCK', 'ADVANCE', WINDOW * 1000 + 1)
    expect(admin.dbsize(), 0)


main()
