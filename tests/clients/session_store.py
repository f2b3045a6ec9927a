"""A session store as users of redis-py write it: one hash for each user, a field for each device that is logged in, and
each field expires by itself. Beside it a shopping basket and counters in hashes. The clock is moved, not waited for."""

from _users import *

import json

try:
    import redis
except ImportError:
    skip_all('there is no redis-py here')

MINUTE = 60_000


class Sessions:
    """The devices of a user are the fields of session:<user>; a value is what the session knows, as JSON. Later versions
    of redis-py have methods for these commands, 4.3 has not."""

    def __init__(self, client, minutes=30):
        self.client, self.ms = client, minutes * MINUTE

    def key(self, user):
        return f'session:{user}'

    def log_in(self, user, device, **facts):
        return self.client.execute_command('HSETEX', self.key(user), 'PX', self.ms, 'FIELDS', 1, device, json.dumps(facts)) == 1

    def log_in_for_ever(self, user, device, **facts):
        return self.client.hset(self.key(user), device, json.dumps(facts))

    def facts(self, user, device):
        """Each use lets the session live on."""
        value, = self.client.execute_command('HGETEX', self.key(user), 'PX', self.ms, 'FIELDS', 1, device)
        return None if value is None else json.loads(value)

    def change(self, user, device, **facts):
        """Keeps the time that is left; false when the session is over."""
        old = self.client.hget(self.key(user), device)
        if old is None:
            return False
        new = json.dumps({**json.loads(old), **facts})
        return self.client.execute_command('HSETEX', self.key(user), 'FXX', 'KEEPTTL', 'FIELDS', 1, device, new) == 1

    def log_out(self, user, device):
        value, = self.client.execute_command('HGETDEL', self.key(user), 'FIELDS', 1, device)
        return value is not None

    def devices(self, user):
        return sorted(self.client.hkeys(self.key(user)))

    def left_ms(self, user, device):
        return self.client.execute_command('HPTTL', self.key(user), 'FIELDS', 1, device)[0]

    def keep(self, user, device):
        return self.client.execute_command('HPERSIST', self.key(user), 'FIELDS', 1, device)[0] == 1

    def ends_by(self, user, ms, *devices):
        """Nobody's session gets longer by this."""
        return self.client.execute_command('HPEXPIRE', self.key(user), ms, 'LT', 'FIELDS', len(devices), *devices)


def user(server, **options):
    return redis.Redis(port=server.port, socket_timeout=TIMEOUT, **{'decode_responses': True, **options})


def clock(client, *words):
    expect_true(client.execute_command('DEBUG', 'CLOCK', *words) in (True, b'OK', 'OK'), f'DEBUG CLOCK {words}')


@test()
def sessions_end_by_themselves_each_at_its_time(server):
    client = user(server)
    clock(client, 'FREEZE')
    sessions = Sessions(client)
    expect([sessions.log_in('ada', 'laptop', theme='dark'), sessions.log_in('ada', 'phone'), sessions.log_in('bob', 'laptop')], [True] * 3)
    clock(client, 'ADVANCE', 20 * MINUTE)
    expect(sessions.facts('ada', 'laptop'), {'theme': 'dark'})  # lives on from now
    expect([sessions.left_ms('ada', 'laptop'), sessions.left_ms('ada', 'phone')], [30 * MINUTE, 10 * MINUTE])
    expect(sessions.change('ada', 'phone', theme='light'), True)
    expect(sessions.left_ms('ada', 'phone'), 10 * MINUTE)
    clock(client, 'ADVANCE', 10 * MINUTE)
    expect(sessions.devices('ada'), ['laptop', 'phone'])
    clock(client, 'ADVANCE', 1)
    expect([sessions.devices('ada'), sessions.devices('bob'), client.exists('session:bob'), client.hlen('session:ada')], [['laptop'], [], 0, 1])
    expect([sessions.facts('ada', 'phone'), sessions.change('ada', 'phone', x=1), sessions.log_out('ada', 'phone')], [None, False, False])
    expect([sessions.log_out('ada', 'laptop'), client.keys()], [True, []])


@test()
def one_device_stays_logged_in(server):
    client = user(server)
    clock(client, 'FREEZE')
    sessions = Sessions(client)
    sessions.log_in('ada', 'laptop')
    sessions.log_in('ada', 'phone')
    expect([sessions.keep('ada', 'laptop'), sessions.keep('ada', 'laptop'), sessions.log_in_for_ever('ada', 'tv')], [True, False, 1])
    expect(sessions.ends_by('ada', 5 * MINUTE, 'phone', 'watch'), [1, -2])
    expect(sessions.ends_by('ada', 6 * MINUTE, 'phone'), [0])
    clock(client, 'ADVANCE', 24 * 60 * MINUTE)
    expect(sessions.devices('ada'), ['laptop', 'tv'])
    expect([sessions.left_ms('ada', device) for device in ('laptop', 'phone', 'tv')], [-1, -2, -1])
    # the key has a time of its own, and with it go all
    expect([client.expire('session:ada', 60), sessions.ends_by('ada', MINUTE // 2, 'tv'), client.ttl('session:ada')], [True, [1], 60])
    clock(client, 'ADVANCE', MINUTE // 2 + 1)
    expect(sessions.devices('ada'), ['laptop'])
    clock(client, 'ADVANCE', MINUTE)
    expect(client.keys(), [])


@test()
def a_great_many_sessions_come_and_go(server):
    client = user(server)
    clock(client, 'FREEZE')
    users = scaled(3000, 1000, 200)
    with client.pipeline(transaction=False) as pipe:
        for i in range(users):
            for device in range(5):
                pipe.execute_command('HSETEX', f'session:{i}', 'PX', (device + 1) * MINUTE, 'FIELDS', 1, f'device {device}', json.dumps({'n': i, 'long': 'x' * (device * 20)}))
        expect(pipe.execute(), [1] * 5 * users)
    for device in range(5):
        expect(client.dbsize(), users)
        some = random.randrange(users)
        expect(client.hlen(f'session:{some}'), 5 - device)
        clock(client, 'ADVANCE', MINUTE + 1 if device == 0 else MINUTE)
        expect(sorted(client.hkeys(f'session:{some}')), [f'device {n}' for n in range(device + 1, 5)])
    wait_until(lambda: client.dbsize() == 0, 'all sessions are over')
    expect(client.info('stats')['expired_subkeys'], 5 * users)
    wait_until(lambda: client.info('memory')['used_memory'] < 4 * MB, 'their memory is free')


@test('--notify-keyspace-events', 'Eh')
def who_listens_hears_that_a_session_ended(server):
    client = user(server)
    clock(client, 'FREEZE')
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.psubscribe('__keyevent@*__:hexpired')
    listener.get_message(timeout=TIMEOUT)
    sessions = Sessions(client)
    sessions.log_in('ada', 'laptop')
    expect(listener.get_message(timeout=0.05), None)
    clock(client, 'ADVANCE', 30 * MINUTE + 1)
    message = listener.get_message(timeout=TIMEOUT)
    expect((message['channel'], message['data']), ('__keyevent@0__:hexpired', 'session:ada'))
    listener.close()


@test()
def two_who_change_a_session_do_not_lose_each_others_change(server):
    client, other = user(server), user(server)
    sessions = Sessions(client)
    sessions.log_in('ada', 'laptop', clicks=0)
    count = scaled(300, 100, 30)

    def click(who):
        mine = (client, other)[who]
        for _ in range(count):
            def add(pipe):
                facts = json.loads(pipe.hget('session:ada', 'laptop'))
                pipe.multi()
                pipe.execute_command('HSETEX', 'session:ada', 'KEEPTTL', 'FIELDS', 1, 'laptop', json.dumps({'clicks': facts['clicks'] + 1}))
            mine.transaction(add, 'session:ada')

    in_threads(2, click)
    expect(sessions.facts('ada', 'laptop'), {'clicks': 2 * count})


@test()
def a_basket_and_counters(server):
    client, raw = user(server), user(server, decode_responses=False)
    expect([client.hset('basket', mapping={'apple': 2, 'pear': 1}), client.hset('basket', 'plum', '3'), client.hset('basket', 'apple', 4)], [2, 1, 0])
    expect([client.hgetall('basket'), client.hlen('basket'), client.hmget('basket', 'plum', 'none', 'pear')],
           [{'apple': '4', 'pear': '1', 'plum': '3'}, 3, ['3', None, '1']])
    expect([client.hincrby('basket', 'pear'), client.hincrby('basket', 'fig', 7), client.hincrbyfloat('basket', 'weight', 0.25), client.hincrbyfloat('basket', 'weight', 1.5)],
           [2, 7, 0.25, 1.75])
    expect([client.hsetnx('basket', 'fig', 1), client.hexists('basket', 'fig'), client.hstrlen('basket', 'weight'), sorted(client.hvals('basket'))],
           [False, True, 4, ['1.75', '2', '3', '4', '7']])
    expect([client.hdel('basket', 'fig', 'none', 'plum'), sorted(client.hkeys('basket')), client.hrandfield('basket', 10, withvalues=False) is not None],
           [2, ['apple', 'pear', 'weight'], True])
    try:
        client.hincrby('basket', 'weight')
        raise Failed('a float was counted up')
    except redis.ResponseError as error:
        expect(str(error), 'hash value is not an integer')
    every_byte = bytes(range(256))
    expect([raw.hset('bytes', every_byte, every_byte), raw.hget('bytes', every_byte), raw.hgetall('bytes')], [1, every_byte, {every_byte: every_byte}])
    many = {f'field {i}': f'value {i}' for i in range(scaled(5000, 2000, 300))}
    expect(client.hset('many', mapping=many), len(many))
    expect(dict(client.hscan_iter('many', count=50)), many)
    expect(dict(client.hscan_iter('many', match='*77')), {field: value for field, value in many.items() if field.endswith('77')})
    for count in 1, 50, len(many) - 1, len(many) + 5:
        picked = client.hrandfield('many', count)
        expect((len(picked), len(set(picked)), set(picked) <= set(many)), (min(count, len(many)),) * 2 + (True,))
        expect({field: value for field, value in zip(*[iter(client.hrandfield('many', count, withvalues=True))] * 2)}.items() <= many.items(), True)
    expect([set(client.hrandfield('many', -100)) <= set(many), len(client.hrandfield('many', -100)), client.hrandfield('many') in many], [True, 100, True])
    expect([client.object('encoding', 'basket'), client.object('encoding', 'many'), client.hgetall('many') == many], ['listpack', 'hashtable', True])


main()
