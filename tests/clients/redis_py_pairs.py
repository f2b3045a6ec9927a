"""The same calls of redis-py to our server and to a real one: what the library makes of the replies is the same. With
redis-py 4.3 and later; what a library or the real server does not know yet is left out."""

from _users import *

import math

try:
    import redis
except ImportError:
    skip_all('there is no redis-py here')

MAJOR = int(redis.__version__.split('.')[0])
PROTOCOLS = [{}] if MAJOR < 5 else [{}, {'protocol': 3}]
UNKNOWN = 'unknown command', 'Unknown subcommand', 'unknown subcommand'


class Pair:
    """A client of each server."""

    def __init__(self, servers, **options):
        self.clients = [redis.Redis(port=server.port, decode_responses=True, socket_timeout=TIMEOUT, **options) for server in servers]
        self.compared = 0

    def do(self, call):
        """What a call gives here and there; an exception counts as its class and text."""
        results = []
        for client in self.clients:
            try:
                results.append(call(client))
            except (redis.RedisError, ValueError) as error:
                results.append(f'{type(error).__name__}: {error}')
        return results

    def same(self, *calls, seen=lambda value: value, is_new=False):
        """seen(what a call gives) is the same on both; a call that the real server or the library lacks counts as none.
        is_new: the real server may refuse it."""
        for call in calls:
            try:
                ours, theirs = self.do(call)
            except (AttributeError, TypeError):
                continue
            if isinstance(theirs, str) and (any(text in theirs for text in UNKNOWN) or is_new and 'Error: ' in theirs):
                continue
            expect(comparable(seen(ours)), comparable(seen(theirs)), f'line {call.__code__.co_firstlineno}')
            self.compared += 1


def comparable(value):
    """Sets in an order, and floats that are not equal to themselves as text."""
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [comparable(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(comparable, value), key=repr)
    return 'nan' if isinstance(value, float) and math.isnan(value) else value


def pairs(*args, least=0):
    """Marks a test of a pair of clients, run for each protocol; it must compare at least so many calls."""
    def mark(function):
        def whole(directory):
            theirs = real_server(os.path.join(directory, 'theirs'), *args)
            try:
                ours = Server(os.path.join(directory, 'ours'), *args)
                for options in PROTOCOLS:
                    pair = Pair((ours, theirs), **options)
                    function(pair)
                    expect_true(pair.compared >= least, f'only {pair.compared} calls were compared')
                    pair.do(lambda r: r.flushall())
                ours.stop()
            finally:
                theirs.kill()
        whole.__name__ = function.__name__
        return test(own=True)(whole)
    return mark


# ---- values ---------------------------------------------------------------------------------------


@pairs(least=40)
def strings_and_bits(pair):
    pair.same(
        lambda r: r.set('k', 'v', ex=100), lambda r: r.set('k', 'w', nx=True), lambda r: r.set('k', 'w', get=True, keepttl=True),
        lambda r: r.ttl('k'), lambda r: r.get('k'), lambda r: r.mset({'a': 1, 'b': '2'}), lambda r: r.mget('a', 'b', 'none'),
        lambda r: r.incrbyfloat('f', 1.5), lambda r: r.incrbyfloat('f', -0.25), lambda r: r.incr('n'), lambda r: r.decr('n', 5),
        lambda r: r.incr('k'), lambda r: r.append('k', 'more'), lambda r: r.setrange('k', 3, 'x'), lambda r: r.getrange('k', 1, -2),
        lambda r: r.getex('k', px=5000), lambda r: r.getdel('a'), lambda r: r.strlen('k'), lambda r: r.lcs('k', 'b'),
        lambda r: r.set('one', 'ohmytext'), lambda r: r.set('two', 'mynewtext'), lambda r: r.lcs('one', 'two', idx=True, withmatchlen=True),
        lambda r: r.lcs('one', 'two', len=True), lambda r: r.lcs('one', 'two', idx=True, minmatchlen=4),
        lambda r: r.setbit('bits', 7, 1), lambda r: r.getbit('bits', 7), lambda r: r.bitcount('bits'), lambda r: r.bitcount('bits', 0, -1, 'BIT'),
        lambda r: r.bitpos('bits', 1), lambda r: r.bitpos('bits', 0, 0, -1), lambda r: r.bitop('NOT', 'not', 'bits'), lambda r: r.get('not'),
        lambda r: r.bitfield('bf').set('u8', '#1', 200).incrby('u8', '#1', 100, 'SAT').get('i4', 0).incrby('u8', 8, 1, 'FAIL').execute(),
        lambda r: r.pfadd('hll', *range(100)), lambda r: r.pfcount('hll'), lambda r: r.pfmerge('all', 'hll'), lambda r: r.pfcount('hll', 'all'),
        lambda r: r.dbsize(), lambda r: sorted(r.keys()), lambda r: set(r.scan_iter(match='*o*')), lambda r: r.type('hll'), lambda r: r.object('encoding', 'n'),
        lambda r: r.object('refcount', 'k'), lambda r: r.copy('k', 'copy'), lambda r: r.rename('copy', 'moved'), lambda r: r.renamenx('moved', 'k'),
        lambda r: r.unlink('moved', 'none'), lambda r: r.touch('k', 'none'), lambda r: r.move('k', 3), lambda r: r.exists('k', 'n', 'n'),
        lambda r: r.expire('n', 50, nx=True), lambda r: r.expire('n', 20, gt=True), lambda r: r.persist('n'), lambda r: r.expiretime('n'))


@pairs(least=30)
def lists_hashes_and_sets(pair):
    pair.same(
        lambda r: r.rpush('l', *range(10)), lambda r: r.lpushx('none', 1), lambda r: r.lrange('l', 0, -1), lambda r: r.lpos('l', 3), lambda r: r.lpos('l', '3', count=0),
        lambda r: r.lmove('l', 'm', 'LEFT', 'RIGHT'), lambda r: r.lmpop(2, 'none', 'l', direction='RIGHT', count=2), lambda r: r.blmpop(1, 1, 'l', direction='LEFT'),
        lambda r: r.lpop('l', 2), lambda r: r.lpop('none', 2), lambda r: r.linsert('l', 'before', 5, 'x'), lambda r: r.lrem('l', 0, 'x'), lambda r: r.ltrim('l', 0, 2),
        lambda r: r.blpop('l', 1), lambda r: r.brpop(['none', 'l'], 1), lambda r: r.blpop('none', 0.01), lambda r: r.sort('l', desc=True), lambda r: r.sort('l', get=['#', 'n*'], groups=True),
        lambda r: r.hset('h', mapping={'a': 1, 'b': 2.5, 'c': ''}), lambda r: r.hgetall('h'), lambda r: r.hgetall('none'), lambda r: r.hmget('h', 'a', 'z'), lambda r: r.hincrbyfloat('h', 'b', 1),
        lambda r: r.hrandfield('h', 10, withvalues=True), lambda r: dict(r.hscan_iter('h')), lambda r: r.hscan('h'), lambda r: dict(r.hscan_iter('h', match='[ab]', count=1)),
        lambda r: r.hkeys('h'), lambda r: r.hvals('h'), lambda r: r.hstrlen('h', 'b'), lambda r: r.hdel('h', 'a', 'z'),
        lambda r: r.sadd('s', *'abcdef'), lambda r: r.sadd('t', *'efgh'), lambda r: r.smembers('s'), lambda r: set(r.sscan_iter('s')), lambda r: r.smismember('s', 'a', 'z'),
        lambda r: r.sinter('s', 't'), lambda r: r.sunion('s', 't'), lambda r: r.sdiff('s', 't'), lambda r: r.sintercard(2, ['s', 't'], limit=1), lambda r: r.sunionstore('u', 's', 't'),
        lambda r: set(r.srandmember('s', 10)), lambda r: len(r.srandmember('s', -10)), lambda r: set(r.spop('s', 10)), lambda r: r.spop('s'), lambda r: r.spop('s', 3), lambda r: r.smove('t', 's', 'e'))
    pair.same(lambda r: set(r.hscan_iter('h', no_values=True)), is_new=True)


@pairs(least=40)
def sorted_sets_and_places(pair):
    pair.same(
        lambda r: r.zadd('z', {'a': 1, 'b': 2.5, 'c': -3, 'inf': float('inf'), 'd': 2.5}), lambda r: r.zadd('z', {'a': 7}, gt=True, ch=True), lambda r: r.zadd('z', {'a': 1.5}, incr=True),
        lambda r: r.zadd('z', {'a': 1}, nx=True, incr=True), lambda r: r.zscore('z', 'a'), lambda r: r.zscore('z', 'none'), lambda r: r.zmscore('z', ['a', 'none', 'inf']),
        lambda r: r.zrange('z', 0, -1, withscores=True), lambda r: r.zrange('z', 0, -1, desc=True),
        lambda r: r.zrange('z', '-inf', '(8', byscore=True, withscores=True), lambda r: r.zrange('z', '+inf', '-inf', byscore=True, desc=True, offset=1, num=2),
        lambda r: r.zrange('z', '+', '-', bylex=True, desc=True), lambda r: r.zrangestore('y', 'z', 0, 2), lambda r: r.zrangestore('y', 'z', '-inf', 5, byscore=True, offset=0, num=1),
        lambda r: r.zrangebyscore('z', 1, 10, start=0, num=2, withscores=True), lambda r: r.zrevrangebyscore('z', '+inf', '-inf', withscores=True), lambda r: r.zrevrange('z', 0, 1, withscores=True),
        lambda r: r.zrank('z', 'b'), lambda r: r.zrevrank('z', 'none'), lambda r: r.zcount('z', '(1', '+inf'), lambda r: r.zincrby('z', 0.125, 'b'),
        lambda r: r.zadd('w', {'a': 1, 'b': 1, 'x': 1}), lambda r: r.zlexcount('w', '[a', '(x'), lambda r: r.zrangebylex('w', '-', '(x'), lambda r: r.zrevrangebylex('w', '+', '-', 0, 2),
        lambda r: r.zinter(['z', 'w'], withscores=True), lambda r: r.zunion({'z': 2, 'w': 3}, aggregate='MAX', withscores=True), lambda r: r.zdiff(['w', 'z']), lambda r: r.zdiff(['w', 'z'], withscores=True),
        lambda r: r.zunionstore('u', ['z', 'w'], aggregate='MIN'), lambda r: r.zinterstore('i', {'z': 1.5, 'w': 1}), lambda r: r.zdiffstore('d', ['z', 'w']), lambda r: r.zintercard(2, ['z', 'w']),
        lambda r: sorted(r.zscan_iter('z')), lambda r: r.zscan('z'), lambda r: sorted(r.zrandmember('z', 100, withscores=False)), lambda r: len(r.zrandmember('z', -5, withscores=True)),
        lambda r: r.zpopmin('w'), lambda r: r.zpopmax('w', 5), lambda r: r.bzpopmin('z', 1), lambda r: r.bzpopmax(['none', 'z'], 1), lambda r: r.bzpopmin('none', 0.01),
        lambda r: r.zmpop(2, ['none', 'z'], min=True, count=2), lambda r: r.bzmpop(1, 2, ['none', 'z'], max=True), lambda r: r.zremrangebyrank('z', 0, 0), lambda r: r.zremrangebyscore('u', '-inf', 0),
        lambda r: r.geoadd('g', (13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania')), lambda r: r.geodist('g', 'Palermo', 'Catania', 'km'), lambda r: r.geohash('g', 'Palermo', 'none'),
        lambda r: [place and [round(x, 6) for x in place] for place in r.geopos('g', 'Palermo', 'none')], lambda r: r.geosearch('g', longitude=15, latitude=37, radius=200, unit='km', sort='ASC'),
        lambda r: r.geosearch('g', longitude=15, latitude=37, radius=200, unit='km', sort='DESC', withdist=True, withhash=True),
        lambda r: r.geosearch('g', member='Palermo', width=400, height=400, unit='km', count=1, any=True), lambda r: r.geosearchstore('near', 'g', member='Palermo', radius=1, unit='m', storedist=True),
        lambda r: r.georadius('g', 15, 37, 200, 'km', withdist=True, sort='ASC'), lambda r: r.georadiusbymember('g', 'Palermo', 200, 'km', sort='ASC'))
    pair.same(lambda r: r.zrank('g', 'Palermo', withscore=True), lambda r: r.zrevrank('g', 'none', withscore=True), is_new=True)


@pairs(least=30)
def streams(pair):
    def quiet(value):  # without how long ago something was
        if isinstance(value, dict):
            return {key: quiet(each) for key, each in value.items()
                    if key not in ('idle', 'inactive', 'time_since_delivered', 'radix-tree-nodes', 'seen-time', 'active-time', 'entries-read', 'lag')}
        return [quiet(each) for each in value] if isinstance(value, (list, tuple)) else value

    pair.same(
        lambda r: r.xadd('x', {'a': 1, 'b': ''}, id='1-1'), lambda r: r.xadd('x', {'a': 2}, id='1-*'), lambda r: r.xadd('x', {'a': 3}, id='0-1'), lambda r: r.xadd('none', {'a': 1}, nomkstream=True),
        lambda r: [r.xadd('x', {'n': i}, id=f'{i + 5}-0') for i in range(5)], lambda r: r.xlen('x'), lambda r: r.xrange('x'), lambda r: r.xrange('x', '(5-0', '+', count=2), lambda r: r.xrevrange('x', count=2),
        lambda r: r.xread({'x': '6-0'}), lambda r: r.xread({'x': 0}, count=1), lambda r: r.xread({'x': '$', 'none': 0}), lambda r: r.xread({'x': '$'}, block=5),
        lambda r: r.xgroup_create('x', 'g', id=0), lambda r: r.xgroup_create('x', 'g'), lambda r: r.xgroup_create('fresh', 'g', mkstream=True), lambda r: r.xgroup_createconsumer('x', 'g', 'bob'),
        lambda r: r.xreadgroup('g', 'alice', {'x': '>'}, count=3), lambda r: r.xreadgroup('g', 'alice', {'x': 0}), lambda r: r.xreadgroup('g', 'bob', {'x': '>'}, noack=True, count=1),
        lambda r: r.xreadgroup('g', 'bob', {'fresh': '>'}, block=5), lambda r: r.xreadgroup('none', 'bob', {'x': '>'}), lambda r: r.xack('x', 'g', '1-1', '99-0'), lambda r: r.xpending('x', 'g'), seen=quiet)
    pair.same(
        lambda r: r.xpending_range('x', 'g', '-', '+', 10), lambda r: r.xpending_range('x', 'g', '-', '+', 10, consumername='nobody'), lambda r: r.xinfo_stream('x'), lambda r: r.xinfo_groups('x'),
        lambda r: r.xinfo_consumers('x', 'g'), lambda r: r.xclaim('x', 'g', 'bob', 0, ['1-2']), lambda r: r.xclaim('x', 'g', 'bob', 0, ['5-0'], justid=True), lambda r: r.xautoclaim('x', 'g', 'carl', 0),
        lambda r: r.xautoclaim('x', 'g', 'carl', 0, justid=True), lambda r: r.xdel('x', '5-0', '77-0'), lambda r: r.xautoclaim('x', 'g', 'dora', 0, count=1), lambda r: r.xtrim('x', maxlen=3, approximate=False), lambda r: r.xtrim('x', minid='8-0'),
        lambda r: r.xgroup_setid('x', 'g', '$'), lambda r: r.xgroup_delconsumer('x', 'g', 'bob'), lambda r: r.xgroup_destroy('x', 'g'), lambda r: r.xgroup_destroy('x', 'g'), lambda r: r.xinfo_groups('x'), seen=quiet)
    pair.same(lambda r: r.xinfo_stream('fresh', full=True), seen=lambda value: sorted(value) if isinstance(value, dict) else value)


@pairs()
def fields_that_expire(pair):
    if not any(hasattr(pair.clients[0], name) for name in ('hexpire',)):
        raise Skip('this redis-py does not know of them')
    if 'unknown command' in str(pair.do(lambda r: r.hpersist('h', 'a'))[1]):
        raise Skip('the real server does not know of them')
    later, at = 4_000_000_000, 4_000_000_000_000
    pair.same(
        lambda r: r.hset('h', mapping={name: 1 for name in 'abcdefgh'}), lambda r: r.hexpire('h', 100, 'a', 'none'), lambda r: r.hexpire('h', 50, 'a', gt=True), lambda r: r.hexpire('h', 50, 'a', nx=True),
        lambda r: r.hpexpire('h', 50_000, 'b', lt=True), lambda r: r.hexpireat('h', later, 'c', xx=True), lambda r: r.hexpireat('h', later, 'c'), lambda r: r.hpexpireat('h', at, 'd'), lambda r: r.hexpiretime('h', 'c', 'd', 'e', 'none'),
        lambda r: r.hpexpiretime('h', 'c', 'd'), lambda r: r.httl('h', 'a', 'e', 'none'), lambda r: [each > 49_000 for each in r.hpttl('h', 'a', 'b')], lambda r: r.hpersist('h', 'a', 'e', 'none'), lambda r: r.hexpire('none', 1, 'a'),
        lambda r: r.hexpire('h', 0, 'g'), lambda r: r.hexists('h', 'g'), lambda r: r.hgetex('h', 'a', 'none', ex=100), lambda r: r.hgetex('h', 'a', persist=True), lambda r: r.hgetdel('h', 'a', 'none'),
        lambda r: r.hsetex('h', mapping={'x': 1, 'y': 2}, ex=100), lambda r: r.hsetex('h', 'x', 5, keepttl=True), lambda r: r.httl('h', 'x', 'y'), lambda r: r.hgetall('h'))


# ---- administration ---------------------------------------------------------------------------------


# Of real servers' INFO, what they alone have: no fork, no replication over sockets of theirs, sections of later versions.
LACKED = {'eval', 'lua', 'script', 'functions', 'module', 'io_thread', 'gcc_version', 'allocator', 'mem_overhead_db'}


@pairs(least=3)
def info(pair):
    def has_what_matters(sections):
        ours, theirs = pair.do(lambda r: r.info(*sections))
        for name, value in theirs.items():
            if name in ours and not name.startswith(('cmdstat', 'errorstat', 'latency', 'redis_build_id')):
                kinds = {type(ours[name]), type(value)}
                expect_true(len(kinds) == 1 or kinds == {int, float}, f'{name} is {ours[name]!r}, elsewhere {value!r}')
        pair.compared += 1
        return sorted(name for name in theirs if name not in ours)

    pair.do(lambda r: [r.set('k', 'v', ex=100), r.lpush('l', 1), r.get('k'), r.get('none'), r.client_setname('me')])
    pair.do(lambda r: r.execute_command('NOSUCH'))
    real = pair.clients[1].info('server')
    missing = {name: has_what_matters(sections) for name, sections in (('default', ()), ('everything', ('everything',)), ('all', ('all',)))}
    if real['redis_version'].startswith('7.0'):
        for name, lacking in missing.items():
            expect([each for each in lacking if not any(part in each for part in LACKED)], [], f'INFO {name} lacks')
    pair.same(lambda r: r.info('keyspace'), seen=lambda value: {db: {name: fields[name] for name in ('keys', 'expires')} for db, fields in value.items()})
    pair.same(lambda r: r.info('commandstats'), seen=lambda value: value['cmdstat_lpush']['calls'] > 0)
    pair.same(lambda r: r.info('errorstats'), seen=sorted)


@pairs(least=10)
def commands(pair):
    ours, theirs = pair.do(lambda r: r.command())
    shared = ours.keys() & theirs.keys()
    expect_true(len(shared) > 200, f'only {len(shared)} commands')
    for name in sorted(shared):
        for field in 'arity', 'first_key_pos', 'last_key_pos', 'step_count':
            if name not in ('zrank', 'zrevrank'):  # WITHSCORE came with 7.2
                expect(ours[name][field], theirs[name][field], f'{field} of {name}')
        pair.compared += 1
    try:
        described = pair.clients[0].command_docs('GET', 'XADD')
    except (NotImplementedError, AttributeError):
        described = None
    expect_true(described is None or described, 'no documents')
    pair.same(lambda r: r.command_getkeys('ZUNIONSTORE', 'u', 2, 'a', 'b'), lambda r: r.command_getkeysandflags('LMOVE', 'a', 'b', 'left', 'right'),
              lambda r: r.command_getkeys('XREAD', 'COUNT', 5, 'STREAMS', 'a', 'b', 0, 0))
    pair.same(lambda r: r.command_list(category='hyperloglog'), lambda r: r.command_list(pattern='xgroup*'), seen=sorted)


@pairs(least=12)
def what_administrators_ask(pair):
    pair.do(lambda r: [r.config_set('slowlog-log-slower-than', 0), r.slowlog_reset(), r.set('k', 'v'), r.get('k'), r.config_set('slowlog-log-slower-than', -1)])
    pair.same(lambda r: r.slowlog_get(), seen=lambda value: [(each['command'], sorted(each)) for each in value])
    pair.same(lambda r: r.slowlog_len(), lambda r: len(r.slowlog_get(1)), lambda r: r.slowlog_reset(),
              lambda r: r.config_get('slowlog-log-slower-than'), lambda r: r.config_get('max*')['maxmemory-policy'], lambda r: r.config_set('maxmemory', '10gb'), lambda r: r.config_get('maxmemory'),
              lambda r: r.config_set('maxmemory', 0), lambda r: r.config_get('save', 'appendonly'), lambda r: r.config_set('nosuch', 1), lambda r: r.config_resetstat(),
              lambda r: r.latency_reset(), lambda r: r.latency_latest(), lambda r: r.latency_history('command'),
              lambda r: r.client_getname(), lambda r: r.client_setname('x'), lambda r: r.client_getredir(), lambda r: r.client_no_evict('ON'), lambda r: r.client_reply('ON'), lambda r: r.client_unblock(12345),
              lambda r: r.client_pause(0), lambda r: r.client_unpause(), lambda r: r.memory_usage('k') > 0, lambda r: r.memory_usage('none'), lambda r: r.memory_purge(), lambda r: type(r.time()[0]),
              lambda r: r.object('freq', 'k'), lambda r: r.object('idletime', 'k'), lambda r: r.lastsave() is not None, lambda r: r.role(), lambda r: r.echo('x'), lambda r: r.ping())
    pair.do(lambda r: r.set('k', 'v'))
    pair.same(lambda r: r.execute_command('LATENCY HISTOGRAM', 'set', 'nosuch'), seen=lambda value: ("'set'" in str(value) or value, 'histogram_usec' in str(value)))
    ours = pair.clients[0].memory_stats()
    is_old = pair.clients[1].info('server')['redis_version'].startswith('7.0')
    theirs = pair.clients[1].memory_stats() if is_old else {}  # later ones have more, and some versions of the library trip over it
    optional = {name for name in theirs if name.startswith(('db', 'lua', 'functions', 'script', 'allocator', 'cluster', 'replication', 'eval'))}
    expect(sorted(theirs.keys() - ours.keys() - optional), [])
    ours, theirs = pair.do(lambda r: r.client_list())
    newer = {'watch', 'io-thread', 'capa', 'tot-net-in', 'tot-net-out', 'tot-cmds', 'lib-name', 'lib-ver'}
    fields = [[name for name in clients[0] if name not in newer] for clients in (ours, theirs)]
    expect(fields[0][:len(fields[1])], fields[1])


@pairs(least=10)
def pipelines_and_errors(pair):
    def many(r, transaction):
        with r.pipeline(transaction=transaction) as pipe:
            pipe.set('a', 1).incr('a').lpush('a', 1).get('a').zadd('pz', {'m': 1}).zrange('pz', 0, -1, withscores=True).hset('ph', 'f', 1).hgetall('ph')
            return [str(each) for each in pipe.execute(raise_on_error=False)]
    pair.same(lambda r: many(r, True), lambda r: many(r, False), lambda r: r.pipeline().lpush('a', 1).execute(), lambda r: r.execute_command('GET'),
              lambda r: r.execute_command('NOSUCH', 'x' * 200), lambda r: r.set('k', 'v', ex=-1), lambda r: r.lpush('a', 1), lambda r: r.incr('ph'), lambda r: r.execute_command('CLIENT', 'NOSUCH'),
              lambda r: r.execute_command('XADD', 'k'), lambda r: r.execute_command('ZADD', 'z', 'x', 'y'), lambda r: r.execute_command('EXPIRE', 'a', 'x'), lambda r: r.execute_command('SELECT', 99),
              lambda r: r.transaction(lambda pipe: pipe.multi() or pipe.incr('t'), 't'))


main()
