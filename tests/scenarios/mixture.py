"""Everything at once: many clients send random pipelines in random pieces, wait, pause, kill and leave each other.

Whatever happens, each client must get one reply for each of its commands, in their order and of the right kind, until it
is closed for a reason that we know. SEED=n takes other dice, ROUNDS=n makes it longer."""

from _harness import *

SEED = int(os.environ.get('SEED', '1'))
STEPS = int(os.environ.get('ROUNDS', '1')) * scaled(6_000, 3_000, 3_000)
CLIENTS = 24
SIZES = (0, 1, 1, 2, 5, 10, 10, 50, 200, 3000, 16_383, 16_384, 33_000, 70_000, 300_000) if not IS_STRESS else (0, 1, 1, 5, 10, 60, 70, 200, 600, 2000)
LONGEST_PIPELINE = scaled(300, 300, 30)


def pattern(key, size):
    word = f'{key}:'.encode()
    return (word * (size // len(word) + 1))[:size]


def is_pattern(value):
    return value == b'' or value == pattern(value.partition(b':')[0].decode(), len(value))


# What a reply must be, told by a function of it.

def is_status(reply):
    return reply == 'OK'


def is_int(reply):
    return type(reply) is int


def is_value(reply):
    return reply is None or type(reply) is bytes and is_pattern(reply)


def is_values(reply):
    return type(reply) is list and all(map(is_value, reply))


def is_popped(reply):
    return reply is None or type(reply) is list and len(reply) == 2 and is_pattern(reply[1]) or \
        isinstance(reply, Error) and reply.text.startswith('UNBLOCKED')


def is_moved(reply):
    return is_value(reply) or isinstance(reply, Error) and reply.text.startswith('UNBLOCKED')


def is_queued(reply):
    return reply == 'QUEUED'


def is_error(reply):
    return isinstance(reply, Error)


def is_anything(reply):
    return True


def is_no_crime(reply):
    """Anything but an error that no such command may cause."""
    return not isinstance(reply, Error) or reply.text.split(' ')[0] in ('WRONGTYPE', 'NOGROUP', 'BUSYGROUP', 'UNBLOCKED') or 'no such key' in reply.text or \
        'requires the key to exist' in reply.text or 'equal or smaller' in reply.text or 'no longer exists' in reply.text or \
        'not an integer' in reply.text or 'not a float' in reply.text or 'not a valid HyperLogLog' in reply.text or 'same' in reply.text or 'smaller than the target' in reply.text or 'hash value' in reply.text


def equals(value):
    return lambda reply: reply == value


class Incomplete(Exception):
    pass


class Player:
    """A client with its commands that are on their way and what is expected for them."""

    def __init__(self, game, server):
        self.game = game
        self.socket = socket.create_connection(('127.0.0.1', server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(encode('HELLO', 3) + encode('CLIENT', 'ID'))
        self.reader = Client.__new__(Client)
        self.reader.socket, self.reader.buffer, self.reader.at = self.socket, b'', 0
        self.socket.settimeout(TIMEOUT)
        self.reader.read()
        self.id = self.reader.read()
        self.socket.setblocking(False)
        self.output = bytearray()
        self.expected = []  # (check, what was sent)
        self.answered = 0
        self.tag = 0
        self.may_close = self.is_leaving = False
        self.is_closed = False

    def add(self, *command, check):
        self.output += encode(*command)
        self.expected.append((check, command[:2]))

    def write(self, size):
        try:
            with memoryview(self.output) as view:
                sent = self.socket.send(view[:size])
            del self.output[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def read(self):
        """What has come: replies are compared."""
        try:
            part = self.socket.recv(MB)
        except BlockingIOError:
            return
        except OSError:
            part = b''
        if not part:
            self.close()
            return
        self.reader.buffer = self.reader.buffer[self.reader.at:] + part
        self.reader.at = 0
        while self.reader.at < len(self.reader.buffer):
            begin = self.reader.at
            try:
                reply = self.reader.read()
            except Incomplete:
                self.reader.at = begin
                return
            if isinstance(reply, Push):
                continue
            if self.answered == len(self.expected):
                raise Failed(f'client {self.id}: a reply too many: {shown(reply)}')
            check, sent = self.expected[self.answered]
            if not check(reply):
                raise Failed(f'client {self.id}: {sent} was answered with {shown(reply)}; before it {self.expected[max(0, self.answered - 4):self.answered]}')
            self.expected[self.answered] = None, sent
            self.answered += 1

    def close(self):
        if not self.may_close:
            raise Failed(f'client {self.id} was closed for no reason, {self.answered} of {len(self.expected)} answered, next is {self.expected[self.answered:self.answered + 3]}')
        self.is_closed = True
        self.socket.close()

    def is_done(self):
        return self.is_closed or not self.output and self.answered == len(self.expected)


def incomplete(self, size):
    if len(self.buffer) - self.at < size:
        raise Incomplete()


class Game:
    def __init__(self, server, seed):
        self.server = server
        self.dice = random.Random(seed)
        self.admin = server.client()
        Client._fill, self.fill = incomplete, Client._fill
        self.players = []

    def command(self, player, in_multi=False):
        dice = self.dice
        key, lst, other = f's{dice.randrange(20)}', f'l{dice.randrange(8)}', f'l{dice.randrange(8)}'

        def add(*command, check):
            player.add(*command, check=is_queued if in_multi else check)
            return check

        if dice.random() < 0.5:
            return add(*self.of_all_types(player), check=is_no_crime)
        kind = dice.randrange(100)
        if kind < 20:
            player.tag += 1
            text = pattern(f'{player.id}.{player.tag}', dice.choice(SIZES)) if kind == 0 else f'{player.id}.{player.tag}'.encode()
            return add('ECHO', text, check=equals(text))
        if kind < 32:
            return add('SET', key, pattern(key, dice.choice(SIZES)), check=is_status)
        if kind < 36:
            return add('SET', key, pattern(key, dice.choice(SIZES)), 'PX', dice.choice((1, 5, 50, 10_000)), check=is_status)
        if kind < 46:
            return add('GET', key, check=is_value)
        if kind < 48:
            return add('MSET', *[word for k in ('s1', 's2', key) for word in (k, pattern(k, dice.choice(SIZES)))], check=is_status)
        if kind < 50:
            return add('MGET', *[f's{i}' for i in range(dice.randrange(1, 20))], check=is_values)
        if kind < 52:
            return add('DEL', key, lst, check=is_int)
        if kind < 62:
            return add(dice.choice(('LPUSH', 'RPUSH')), lst, *[pattern(f'e{i}', dice.choice(SIZES[:9])) for i in range(dice.choice((1, 1, 2, 10)))], check=is_int)
        if kind < 66:
            return add(dice.choice(('LPOP', 'RPOP')), lst, check=is_value)
        if kind < 68:
            return add('LRANGE', lst, 0, -1, check=is_values)
        if kind < 72:
            return add('PUBLISH', f'c{dice.randrange(4)}', pattern('m', dice.choice(SIZES)), check=is_int)
        if kind < 73:
            return add('PEXPIRE', lst, dice.choice((-1, 1, 1000)), check=is_int)
        if kind < 74:
            return add('NOSUCH', key, check=is_error) if not in_multi else add('PING', check=equals('PONG'))
        if kind < 76:
            return add('CLIENT', 'LIST', check=is_anything)
        if kind < 80:
            return add('INCR', 'n', check=is_int)
        if kind < 84:
            return add(dice.choice(('BLPOP', 'BRPOP')), lst, other, dice.choice(('0.001', '0.01', '0.03')), check=is_popped)
        if kind < 88:
            return add('BLMOVE', lst, other, 'LEFT', 'RIGHT', dice.choice(('0.001', '0.01', '0.03')), check=is_moved)
        if kind < 90:
            return add('CLIENT', 'UNBLOCK', dice.choice(self.players).id, dice.choice(('TIMEOUT', 'ERROR')), check=is_int)
        if kind < 91:
            return add('CLIENT', 'PAUSE', dice.choice((1, 5, 10)), dice.choice(('WRITE', 'ALL')), check=is_status)
        if kind < 92:
            return add('DEBUG', 'CLOCK', 'ADVANCE', dice.choice((0, 1, 10, 100)), check=is_status)
        if kind < 93:
            return add('DEBUG', 'NESTED-LOOP', dice.choice((0, 1, 2)), check=is_status)
        if kind < 94:
            return add('SELECT', dice.randrange(2), check=is_status)
        if kind < 95:
            return add('FLUSHALL', *dice.choice(((), ('ASYNC',))), check=is_status)
        if kind < 97 and dice.random() < 0.1:
            victim = dice.choice(self.players)
            victim.may_close = True
            return add('CLIENT', 'KILL', 'ID', victim.id, 'SKIPME', dice.choice(('yes', 'no')), check=is_int)
        if kind < 98 and not in_multi:
            player.output += encode(dice.choice(('SUBSCRIBE', 'UNSUBSCRIBE')), f'c{dice.randrange(4)}')  # answered by pushes
            return None
        if kind < 99 and not in_multi:
            player.output += pipeline(('CLIENT', 'REPLY', 'SKIP'), ('GET', key), *[('CLIENT', 'REPLY', 'OFF'), ('LRANGE', lst, 0, -1), ('BLPOP', lst, '0.001')][:dice.choice((0, 3))])
            player.add('CLIENT', 'REPLY', 'ON', check=is_status)
            return None
        return add('WATCH', key, lst, check=is_status) if not in_multi else add('PING', check=equals('PONG'))

    def of_all_types(self, player):
        """A command of any type, on keys that have it ('z3') or may have any ('w3'); some wait for a moment."""
        dice = self.dice

        def k(letter):
            return f'{letter if dice.random() < 0.8 else "w"}{dice.randrange(4)}'

        def some(what, most=6):
            return [f'{what}{dice.randrange(9)}' for _ in range(dice.randrange(1, most))]

        def wait():
            return dice.choice(('0.001', '0.01', '0.03'))

        def wait_ms():
            return dice.choice((1, 10, 30))

        any_key = f'{dice.choice("lzxhtw")}{dice.randrange(4)}'
        same = f'{any_key[0]}{dice.randrange(4)}'
        big = b'v' * dice.choice(SIZES[:10])
        what = dice.randrange(60)
        if what < 6:
            return 'ZADD', k('z'), *(word for m in some('m', dice.choice((2, 4, 300))) for word in (dice.randrange(9), m))
        if what < 8:
            return dice.choice(('ZPOPMIN', 'ZPOPMAX')), k('z'), dice.choice((1, 1, 3, 1000))
        if what < 12:
            return dice.choice(('BZPOPMIN', 'BZPOPMAX')), k('z'), k('z'), wait()
        if what < 14:
            return 'BZMPOP', wait(), 2, k('z'), k('z'), dice.choice(('MIN', 'MAX')), 'COUNT', dice.choice((1, 5))
        if what < 15:
            return dice.choice((('ZUNIONSTORE', k('z'), 2, k('z'), k('t')), ('ZRANGESTORE', k('z'), k('z'), 0, dice.randrange(-1, 9)), ('ZDIFFSTORE', k('z'), 2, k('z'), k('z'))))
        if what < 16:
            return dice.choice((('ZRANGE', k('z'), 0, -1, 'WITHSCORES'), ('ZRANDMEMBER', k('z'), dice.choice((-5, 5))), ('ZREM', k('z'), *some('m')), ('ZINCRBY', k('z'), 1, 'm1')))
        if what < 17:
            return dice.choice((('GEOADD', k('z'), 13, 38, 'm1', 14, 39, 'm2'), ('GEOSEARCHSTORE', k('z'), k('z'), 'FROMLONLAT', 13, 38, 'BYRADIUS', 500, 'km')))
        if what < 21:
            return 'XADD', k('x'), *dice.choice(((), ('MAXLEN', '~', 5), ('MAXLEN', 3), ('NOMKSTREAM',))), '*', 'f', big
        if what < 23:
            return 'XREAD', 'COUNT', 2, 'BLOCK', wait_ms(), 'STREAMS', k('x'), k('x'), '$', dice.choice(('$', '0', '+'))
        if what < 28:
            return 'XREADGROUP', 'GROUP', dice.choice(('g', 'g2')), dice.choice(some('c')), 'COUNT', dice.choice((1, 3)), 'BLOCK', wait_ms(), \
                *dice.choice(((), (), ('NOACK',))), 'STREAMS', *dice.choice(((k('x'), '>'), (k('x'), k('x'), '>', dice.choice(('>', '0')))))
        if what < 31:
            return 'XGROUP', 'CREATE', k('x'), dice.choice(('g', 'g2')), dice.choice(('$', '0')), 'MKSTREAM'
        if what < 32:
            return dice.choice((('XGROUP', 'DESTROY', k('x'), 'g'), ('XGROUP', 'DELCONSUMER', k('x'), 'g', 'c1'), ('XGROUP', 'SETID', k('x'), 'g', '0')))
        if what < 34:
            return dice.choice((('XAUTOCLAIM', k('x'), 'g', 'c2', 0, 0), ('XPENDING', k('x'), 'g'), ('XPENDING', k('x'), 'g', '-', '+', 9), ('XINFO', 'STREAM', k('x'), 'FULL'),
                                ('XTRIM', k('x'), 'MAXLEN', dice.randrange(4)), ('XRANGE', k('x'), '-', '+'), ('XINFO', 'CONSUMERS', k('x'), 'g'), ('XSETID', k('x'), '9999999999999-0')))
        if what < 37:
            return 'HSET', k('h'), *(word for f in some('f', dice.choice((2, 9, 200))) for word in (f, big))
        if what < 39:
            return dice.choice((('HPEXPIRE', k('h'), dice.choice((0, 1, 20, 1000)), 'FIELDS', 2, 'f1', 'f2'), ('HGETEX', k('h'), 'PX', 5, 'FIELDS', 1, 'f3'),
                                ('HSETEX', k('h'), 'PX', dice.choice((1, 30)), 'FIELDS', 1, 'f4', big), ('HPERSIST', k('h'), 'FIELDS', 1, 'f1')))
        if what < 41:
            return dice.choice((('HGETALL', k('h')), ('HDEL', k('h'), *some('f')), ('HGETDEL', k('h'), 'FIELDS', 1, 'f1'), ('HRANDFIELD', k('h'), dice.choice((-3, 3))), ('HINCRBY', k('h'), 'n', 1)))
        if what < 43:
            return 'SADD', k('t'), *some(dice.choice(('m', '')), dice.choice((2, 9, 200)))
        if what < 45:
            return dice.choice((('SPOP', k('t')), ('SPOP', k('t'), 3), ('SMOVE', k('t'), k('t'), 'm1'), ('SUNIONSTORE', k('t'), k('t'), k('t')), ('SINTERSTORE', k('t'), k('t'), k('t')), ('SMEMBERS', k('t'))))
        if what < 46:
            return 'SORT', dice.choice((k('t'), k('l'), k('z'))), 'ALPHA', 'GET', '#', 'GET', 'h*->f1', 'STORE', k('l')
        if what < 48:
            return dice.choice(('BLPOP', 'BRPOP')), k('w'), k('w'), wait()
        if what < 49:
            return dice.choice((('BLMPOP', wait(), 2, k('w'), k('w'), 'LEFT', 'COUNT', 3), ('BRPOPLPUSH', k('w'), k('w'), wait()), ('LMOVE', 'w1', 'w2', 'LEFT', 'LEFT')))
        if what < 50:
            return dice.choice((('RPUSH', k('w'), big, big), ('SET', k('w'), big), ('APPEND', k('w'), big), ('SETBIT', k('w'), 99, 1), ('PFADD', k('w'), 'a', big), ('SETRANGE', k('w'), 300, 'x')))
        if what < 52:
            return 'RENAME', any_key, same
        if what < 53:
            return 'COPY', any_key, same, *dice.choice(((), ('REPLACE',), ('DB', 1, 'REPLACE')))
        if what < 54:
            return dice.choice((('SWAPDB', 0, 1), ('MOVE', any_key, 1)))
        if what < 57:
            return dice.choice(('DEL', 'UNLINK')), any_key
        if what < 59:
            return 'PEXPIRE', any_key, dice.choice((0, 1, 20, 1000))
        return dice.choice((('SCAN', 0, 'COUNT', 50), ('OBJECT', 'ENCODING', any_key), ('TYPE', any_key), ('RANDOMKEY',), ('MEMORY', 'USAGE', any_key)))

    def transaction(self, player):
        player.add('MULTI', check=is_status)
        checks = [check for check in (self.command(player, True) for _ in range(self.dice.randrange(1, 12))) if check]
        if self.dice.random() < 0.2:
            player.add('DISCARD', check=is_status)
            return
        # Those who wait do not within; a client may be killed by its own transaction.
        player.add('EXEC', check=lambda reply: reply is None or type(reply) is list and len(reply) == len(checks) and all(c(r) for c, r in zip(checks, reply)))

    def last_words(self, player):
        player.may_close = player.is_leaving = True
        what = self.dice.randrange(4)
        if what == 0:
            player.add('QUIT', check=is_status)
        elif what == 1:
            player.output += b'*1\r\n!x\r\n'
            player.expected.append((is_error, 'an error of the protocol'))
        elif what == 2:
            player.add('CLIENT', 'KILL', 'ID', player.id, 'SKIPME', 'no', check=is_int)
        else:
            player.output += b'*2\r\n$3\r\nGET\r\n$100000\r\nxxx'
            player.expected.append((is_anything, 'half a command'))
        player.output += encode('GET', 's1')
        player.expected.append((is_anything, 'what comes behind the last words'))

    def step(self, player):
        dice = self.dice
        if not player.is_leaving and len(player.output) < 2_000_000 and len(player.expected) - player.answered < 2000 and dice.random() < 0.4:
            for _ in range(dice.choice((1, 1, 3, 20, 150 if not IS_STRESS else 20, LONGEST_PIPELINE))):
                if dice.random() < 0.06:
                    self.transaction(player)
                else:
                    self.command(player)
            if dice.random() < 0.002:
                self.last_words(player)
        player.write(dice.choice((1, 5, 100, 5000, 20_000, 100_000)) if dice.random() < 0.5 else 10 * MB)
        if dice.random() < 0.003:
            player.may_close = True
            if dice.random() < 0.5:
                player.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            player.close()

    def listen(self, seconds=0):
        sockets = {p.socket: p for p in self.players if not p.is_closed}
        readable, _, _ = select.select(list(sockets), [], [], seconds)
        for ready in readable:
            if not sockets[ready].is_closed:
                sockets[ready].read()
        return len(readable)

    def play(self):
        closed = commands = 0
        for _ in range(STEPS):
            for player in [p for p in self.players if p.is_closed]:
                self.players.remove(player)
                closed += 1
                commands += player.answered
            while len(self.players) < CLIENTS:
                Client._fill = self.fill
                self.players.append(Player(self, self.server))
                Client._fill = incomplete
            player = self.dice.choice(self.players)
            self.step(player)
            if self.dice.random() < 0.3:
                self.listen()
        end = time.monotonic() + TIMEOUT
        while not all(player.is_done() for player in self.players):
            for player in self.players:
                if player.output and not player.is_closed:
                    player.write(10 * MB)
            self.listen(0.05)
            for player in self.players:
                if player.is_leaving and not player.is_closed and not player.output and player.expected[player.answered][1] == 'half a command':
                    player.close()
            if time.monotonic() > end:
                raise Failed('no end: ' + ', '.join(f'client {p.id} lacks {len(p.expected) - p.answered} replies, next {p.expected[p.answered:p.answered + 1]}'
                                                    for p in self.players if not p.is_done()))
        commands += sum(player.answered for player in self.players)
        print(f'    seed {SEED}: {commands} commands were answered, {closed + sum(p.is_closed for p in self.players)} connections ended')


@test('--client-output-buffer-limit', 'pubsub', '0', '0', '0')
def everyone_gets_the_replies_that_are_due(server):
    game = Game(server, SEED)
    try:
        game.play()
    finally:
        Client._fill = game.fill
        for player in game.players:
            player.socket.close()
    admin = game.admin
    wait_until(lambda: admin.info('connected_clients') == 1, 'all are gone')
    expect(admin.info('blocked_clients'), 0)
    expect(admin.all(('CLIENT', 'UNPAUSE'), ('FLUSHALL',), ('PUBSUB', 'CHANNELS'), ('DBSIZE',)), ['OK', 'OK', [], 0])
    wait_until(lambda: admin.info('used_memory') < 3 * MB, 'all memory is free')


main()
