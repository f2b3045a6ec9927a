"""A work queue as users of redis-py write it: workers take jobs with BLMOVE into a list of their own, and whoever
finds a worker silent ends it and puts its jobs back. Workers are processes that are killed with -9 in the middle of
their work. No job is lost, and none is done twice."""

import os
import sys
import time

try:
    import redis
except ImportError:
    redis = None

SILENT_MS = 400  # without a sign of life for so long, a worker is taken for dead


# ---- the worker, a process of its own -------------------------------------------------------------


def finish(client, taken, job):
    """The result is written and the job taken off the list at once, and only while it is still ours: somebody may
    have thought us dead."""
    with client.pipeline() as pipe:
        try:
            pipe.watch(taken)
            if job not in pipe.lrange(taken, 0, -1):
                return False
            pipe.multi()
            pipe.lrem(taken, 1, job)
            pipe.rpush('done', job)
            pipe.execute()
            return True
        except redis.WatchError:
            return False


def work(client, job):
    time.sleep(0.001)
    if job.startswith(b'hard') and client.incr(b'tries:' + job) == 1:
        time.sleep(1000)


def worker(port, name):
    client = redis.Redis(port=port)
    taken = f'taken:{name}'
    while True:
        client.set(f'alive:{name}', os.getpid(), px=SILENT_MS)
        job = client.blmove('queue', taken, 0.1, 'LEFT', 'RIGHT')
        if job is not None:
            work(client, job)
            finish(client, taken, job)


if sys.argv[1:2] == ['worker']:
    worker(int(sys.argv[2]), sys.argv[3])

# ---- whoever looks after them ---------------------------------------------------------------------

from _users import *  # noqa: E402: a worker that is killed must not leave files behind

if redis is None or not hasattr(redis.Redis, 'blmove'):
    skip_all('there is no redis-py here that knows BLMOVE')


class Workers:
    """Processes, by their names. Leaving the block ends them."""

    def __init__(self, server, client):
        self.server, self.client = server, client
        self.processes = {}
        self.started = 0

    def start(self):
        name = f'w{self.started}'
        self.started += 1
        self.processes[name] = subprocess.Popen([sys.executable, os.path.abspath(__file__), 'worker', str(self.server.port), name])
        wait_until(lambda: self.client.exists(f'alive:{name}'), f'{name} is there')
        return name

    def kill(self, name):
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def put_back(self, name):
        """Its jobs go to the front of the queue, in their order; returns how many there were."""
        count = 0
        while self.client.lmove(f'taken:{name}', 'queue', 'RIGHT', 'LEFT') is not None:
            count += 1
        return count

    def replace_the_silent(self):
        """Returns how many jobs were put back."""
        silent = [name for name in self.processes if not self.client.exists(f'alive:{name}')]
        for name in silent:
            self.kill(name)
            self.start()
        return sum(self.put_back(name) for name in silent)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in list(self.processes):
            self.kill(name)


def expect_all_done(client, jobs):
    expect(sorted(client.lrange('done', 0, -1)), sorted(job.encode() for job in jobs))
    expect(client.exists('queue'), 0)
    expect(client.keys('taken:*'), [])


@test()
def workers_that_die_at_their_work_lose_nothing_and_do_nothing_twice(server):
    client = redis.Redis(port=server.port, socket_timeout=TIMEOUT)
    jobs = [f'hard {i}' if i % 30 == 7 else f'job {i}' for i in range(scaled(240, 120, 60))]
    hard = sum(job.startswith('hard') for job in jobs)
    put_back = 0
    with Workers(server, client) as workers:
        for _ in range(3):
            workers.start()
        client.rpush('queue', *jobs[::2])
        for job in jobs[1::2]:
            client.rpush('queue', job)

        def is_done():
            nonlocal put_back
            put_back += workers.replace_the_silent()
            return client.llen('done') >= len(jobs)
        wait_until(is_done, 'all is done')
        for name in list(workers.processes):
            workers.kill(name)
    expect_all_done(client, jobs)
    expect_true(put_back >= hard, f'{put_back} jobs were put back, of {hard} at least')


@test()
def a_worker_killed_at_any_moment_leaves_its_job_where_it_is_found(server):
    client = redis.Redis(port=server.port, socket_timeout=TIMEOUT)
    jobs = [f'job {i}' for i in range(scaled(400, 200, 100))]
    dice = random.Random(1)
    with Workers(server, client) as workers:
        client.rpush('queue', *jobs)
        while client.llen('done') < len(jobs):
            name = workers.start()
            time.sleep(dice.random() / 20)
            workers.kill(name)
            expect_true(workers.put_back(name) <= 1, 'a worker has one job at a time')
    expect_all_done(client, jobs)


@test()
def a_job_given_to_a_worker_that_died_waiting_is_found(server):
    client = redis.Redis(port=server.port, socket_timeout=TIMEOUT)
    raw = server.client()
    jobs = [f'job {i}' for i in range(20)]
    with Workers(server, client) as workers:
        for job in jobs:
            name = workers.start()
            raw.wait_blocked(1)
            # The worker dies and the job comes: which of the two the server notices first is open.
            workers.kill(name)
            client.rpush('queue', job)
            workers.put_back(name)
            wait_until(lambda: client.info('clients')['blocked_clients'] == 0, 'it waits no more')
            workers.put_back(name)
            expect(client.llen('queue') + client.llen('done'), jobs.index(job) + 1)
        workers.start()
        wait_until(lambda: client.llen('done') == len(jobs), 'all is done')
    expect_all_done(client, jobs)


main()
