"""A game's leaderboard, as redis-py's users write it: sixteen writers, readers beside them, and a winner in the end."""

from _users import *

try:
    import redis
except ImportError:
    skip_all('there is no redis-py here')

import random

WRITERS = 16
PLAYERS = 500


def user(server, **options):
    return redis.Redis(port=server.port, decode_responses=True, socket_timeout=TIMEOUT, **options)


def name(i):
    return f'player:{i:04}'


@test()
def points_that_sixteen_writers_give_all_count(server):
    rounds = scaled(600, 60, 20)
    given = [{} for _ in range(WRITERS)]

    def write(writer):
        client, rng = user(server), random.Random(writer)
        for _ in range(rounds):
            player, points = name(rng.randrange(PLAYERS)), rng.choice((1, 2.5, 10, -3))
            client.zincrby('board', points, player)
            given[writer][player] = given[writer].get(player, 0) + points

    in_threads(WRITERS, write)
    expected = {}
    for points in given:
        for player, sum_of_one in points.items():
            expected[player] = expected.get(player, 0) + sum_of_one
    client = user(server)
    expect(client.zcard('board'), len(expected))
    board = client.zrevrange('board', 0, -1, withscores=True)
    expect(board, sorted(expected.items(), key=lambda item: (item[1], item[0]), reverse=True))
    for rank, (player, score) in list(enumerate(board))[::17]:
        expect(client.zrevrank('board', player), rank)
        expect(client.zrank('board', player), len(board) - 1 - rank)
        expect(client.zscore('board', player), score)
        expect(client.zcount('board', score, score), sum(1 for _, other in board if other == score))


@test()
def a_page_is_in_order_whatever_is_written_meanwhile(server):
    rounds = scaled(400, 50, 20)
    is_over = threading.Event()

    def write(writer):
        client, rng = user(server), random.Random(writer)
        for _ in range(rounds):
            with client.pipeline() as pipe:
                for _ in range(5):
                    pipe.zadd('board', {name(rng.randrange(PLAYERS)): rng.randrange(1000)}, gt=rng.random() < 0.5)
                if rng.random() < 0.2:
                    pipe.zrem('board', name(rng.randrange(PLAYERS)))
                pipe.execute()

    def read(_):
        client = user(server)
        while not is_over.is_set():
            page = client.zrevrange('board', 10, 59, withscores=True)
            expect(page, sorted(page, key=lambda item: (item[1], item[0]), reverse=True))
            expect(len({player for player, _ in page}), len(page))
            with client.pipeline(transaction=True) as pipe:
                pipe.zcard('board').zrange('board', 0, -1).zcount('board', '-inf', '+inf')
                size, all_of_them, counted = pipe.execute()
            expect((len(all_of_them), counted), (size, size))

    with Together() as readers:
        for i in range(2):
            readers.start(read, i)
        try:
            in_threads(WRITERS, write)
        finally:
            is_over.set()


@test()
def swaps_under_watch_lose_nothing(server):
    """Points go from one player to another, so that their sum stays."""
    client = user(server)
    client.zadd('board', {name(i): 100 for i in range(20)})

    def move(writer):
        own, rng = user(server), random.Random(writer)
        for _ in range(scaled(40, 8, 4)):
            giver, taker = rng.sample(range(20), 2)

            def swap(pipe):
                if pipe.zscore('board', name(giver)) >= 5:
                    pipe.multi()
                    pipe.zincrby('board', -5, name(giver))
                    pipe.zincrby('board', 5, name(taker))

            own.transaction(swap, 'board')

    in_threads(WRITERS, move)
    scores = [score for _, score in client.zrange('board', 0, -1, withscores=True)]
    expect((len(scores), sum(scores), min(scores) >= 0), (20, 2000, True))


@test()
def each_task_of_a_queue_is_taken_once(server):
    """A sorted set as a queue by priority: some wait, some take several."""
    count, taken, lock = scaled(2000, 300, 100), [], threading.Lock()

    def work(worker):
        client, mine = user(server), []
        while True:
            if worker % 4 == 0:
                tasks = [task for task, _ in client.zpopmin('tasks', 3)]
            else:
                popped = client.bzpopmin('tasks', 0)
                tasks = [popped[1]]
            mine += [task for task in tasks if task != 'stop']
            if 'stop' in tasks:
                client.zadd('tasks', {'stop': 'inf'})  # for the next one
                break
        with lock:
            taken.extend(mine)

    with Together() as workers:
        for i in range(WRITERS):
            workers.start(work, i)
        client, rng = user(server), random.Random(7)
        for i in range(0, count, 10):
            client.zadd('tasks', {f'task {j}': rng.random() for j in range(i, i + 10)})
        client.zadd('tasks', {'stop': 'inf'})
    expect(sorted(taken), sorted(f'task {i}' for i in range(count)))


@test()
def days_add_up_to_a_week(server):
    client = user(server)
    rng = random.Random(3)
    days = [{name(i): rng.randrange(100) for i in rng.sample(range(PLAYERS), 200)} for _ in range(7)]
    for i, day in enumerate(days):
        client.zadd(f'day:{i}', day)
    keys = [f'day:{i}' for i in range(7)]
    week = {player: sum(day.get(player, 0) for day in days) for day in days for player in day}
    every_day = {player: min(day[player] for day in days) for player in days[0] if all(player in day for day in days)}
    expect(client.zunionstore('week', keys), len(week))
    expect(dict(client.zrange('week', 0, -1, withscores=True)), week)
    expect(client.zinterstore('every day', keys, aggregate='MIN'), len(every_day))
    expect(dict(client.zrange('every day', 0, -1, withscores=True)), every_day)
    best = client.zrange('week', 0, 9, desc=True, withscores=True)
    expect(best, sorted(week.items(), key=lambda item: (item[1], item[0]), reverse=True)[:10])
    expect(client.zrangestore('podium', 'week', 0, 2, desc=True), 3)
    expect(client.zrange('podium', 0, -1), [player for player, _ in best[2::-1]])
    expect(client.zremrangebyrank('week', 0, -101), len(week) - 100)
    expect(client.zpopmax('week'), [best[0]])


main()
