"""Sorted sets among several connections, and large ones."""

from _harness import *

import random


@test()
def who_waits_first_is_served_first(server):
    other, *waiters = server.clients_of(6)
    for i, waiter in enumerate(waiters):
        waiter.send_commands(('BZPOPMIN' if i % 2 == 0 else 'BZPOPMAX', 'none', 'z', 0), ('ECHO', i))
        other.wait_blocked(i + 1)
    expect(other('ZADD', 'z', 1, 'a', 2, 'b', 3, 'c'), 3)
    for i, (member, score) in enumerate(((b'a', b'1'), (b'c', b'3'), (b'b', b'2'))):
        expect(waiters[i].read_many(2), [[b'z', member, score], b'%d' % i])
    other.wait_blocked(2)
    expect(other('EXISTS', 'z'), 0)
    expect(other.all(('ZADD', 'z', 7, 'x'), ('ZADD', 'z', 8, 'y')), [1, 1])
    expect(waiters[3].read_many(2), [[b'z', b'x', b'7'], b'3'])
    expect(waiters[4].read_many(2), [[b'z', b'y', b'8'], b'4'])


@test()
def what_one_takes_whole_leaves_others_waiting(server):
    other, first, second = server.clients_of(3)
    first.send_commands(('BZMPOP', 0, 2, 'y', 'z', 'MAX', 'COUNT', 10))
    other.wait_blocked(1)
    second.send_commands(('BZPOPMIN', 'z', 'y', 0))
    other.wait_blocked(2)
    expect(other('ZADD', 'z', 1, 'a', 2, 'b', 3, 'c'), 3)
    expect(first.read(), [b'z', [[b'c', b'3'], [b'b', b'2'], [b'a', b'1']]])
    expect(second.is_silent(other), True)
    expect(other('ZADD', 'y', 'inf', 'd'), 1)
    expect(second.read(), [b'y', b'd', b'inf'])


@test()
def whatever_makes_a_sorted_set_wakes_who_waits(server):
    waiter, other = server.clients_of(2)
    other.all(('ZADD', 'from', 1, 'a', 2, 'b'), ('SADD', 'set', 'm'))
    for command in (('ZUNIONSTORE', 'z', 1, 'from'), ('ZINTERSTORE', 'z', 2, 'from', 'from'), ('ZDIFFSTORE', 'z', 2, 'from', 'none'),
                    ('ZRANGESTORE', 'z', 'from', 0, 0), ('ZINCRBY', 'z', 1, 'a'), ('ZADD', 'z', 'INCR', 1, 'a')):
        waiter.send_commands(('BZPOPMIN', 'z', 0))
        other.wait_blocked(1)
        other(*command)
        expect(waiter.read()[:2], [b'z', b'a'], command)
        other('DEL', 'z')
    waiter.send_commands(('BZPOPMIN', 'z', 0))
    other.wait_blocked(1)
    # not a key of another type, nor one that went within the transaction
    expect(other('LPUSH', 'z', 'x'), 1)
    expect(other('DEL', 'z'), 1)
    expect(other.all(('MULTI',), ('ZADD', 'z', 1, 'a'), ('DEL', 'z'), ('EXEC',))[-1], [1, 1])
    expect(waiter.is_silent(other), True)
    expect(other.all(('MULTI',), ('ZADD', 'z', 5, 'a'), ('ZADD', 'z', 4, 'b'), ('EXEC',))[-1], [1, 1])
    expect(waiter.read(), [b'z', b'b', b'4'])


@test()
def a_wait_ends_at_its_deadline(server):
    waiter, other = server.clients_of(2)
    other.freeze()
    for command in ('BZPOPMIN', 'z', '0.5'), ('BZPOPMAX', 'y', 'z', '0.5'), ('BZMPOP', '0.5', 1, 'z', 'MIN'):
        waiter.send_commands(command, ('PING',))
        other.wait_blocked(1)
        other.advance(499)
        expect(waiter.is_silent(other), True)
        other.advance(1)
        expect(waiter.read_many(2), [None, 'PONG'])


@test()
def a_large_one_agrees_with_a_sorted_list(server):
    client = server.client()
    rng = random.Random(1)
    count = scaled(30000, 4000, 1500)
    scores = {}
    for _ in range(4):
        added = [(rng.randrange(count), b'm%d' % rng.randrange(count)) for _ in range(count)]
        client.all(*[('ZADD', 'z', *[word for pair in added[i:i + 50] for word in pair]) for i in range(0, count, 50)])
        scores.update({member: score for score, member in added})
        removed = rng.sample(sorted(scores), len(scores) // 3)
        expect(sum(client.all(*[('ZREM', 'z', *removed[i:i + 50]) for i in range(0, len(removed), 50)])), len(removed))
        for member in removed:
            del scores[member]
        ordered = sorted(scores, key=lambda member: (scores[member], member))
        expect(client('ZRANGE', 'z', 0, -1) == ordered, True)
        expect(client('ZCARD', 'z'), len(ordered))
        for rank in rng.sample(range(len(ordered)), 200):
            expect(client.all(('ZRANK', 'z', ordered[rank]), ('ZREVRANK', 'z', ordered[rank]), ('ZRANGE', 'z', rank, rank)),
                   [rank, len(ordered) - 1 - rank, [ordered[rank]]])
        low, high = sorted(rng.sample(range(count), 2))
        within = [member for member in ordered if low <= scores[member] <= high]
        expect(client('ZCOUNT', 'z', low, high), len(within))
        expect(client('ZRANGE', 'z', high, low, 'BYSCORE', 'REV') == within[::-1], True)
        expect(client('ZREMRANGEBYSCORE', 'z', low, high), len(within))
        for member in within:
            del scores[member]
        found, cursor = set(), None
        while cursor != b'0':
            cursor, items = client('ZSCAN', 'z', cursor or 0, 'COUNT', 100)
            found.update(items[::2])
        expect(found == set(scores), True)


@test()
def a_large_one_is_freed_in_slices(server):
    client = server.client()
    count = scaled(200000, 20000, 4000)
    for i in range(0, count, 500):
        client('ZADD', 'z', *[word for j in range(i, i + 500) for word in (j, f'member {j}')])
    expect(client('UNLINK', 'z'), 1)
    wait_until(lambda: client.info('lazyfree_pending_objects') in (0, None), 'all is freed')


main()
