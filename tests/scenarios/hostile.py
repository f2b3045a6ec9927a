"""Every command with arguments that nobody sends: of any number, size and kind, on keys of all types, in MULTI too.

The server must live, answer each with well-formed RESP, stay small and be quick; its data must be sound afterwards.
SEED=n takes other dice, ROUNDS=n makes it longer."""

import collections

from _harness import *

SEED = int(os.environ.get('SEED', '1'))
ROUNDS = int(os.environ.get('ROUNDS', '1')) * scaled(20, 5, 3)
MOST_MEMORY = 1000 * MB * (2 if IS_SANITIZED else 1)  # a sanitizer keeps what was freed for a while
SLOWEST = scaled(1, 5) * 5  # seconds; the machine may be busy

# They end the server or the connection's way of answering, or wait for what never comes.
LEFT_OUT = {'shutdown', 'debug', 'monitor', 'sync', 'psync', 'quit', 'hello', 'reset', 'replicaof', 'slaveof', 'failover',
            'subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe', 'sunsubscribe', 'module', 'auth', 'config',
            'save', 'bgsave', 'bgrewriteaof', 'acl', 'wait', 'waitaof', 'restore-asking', 'replconf', 'cluster'}
LEFT_OUT_OF_CLIENT = {'kill', 'pause', 'reply', 'tracking', 'no-evict'}

BIG = b'x' * MB
NASTY = ['', BIG, '-9223372036854775808', '9223372036854775807', '9223372036854775808', '18446744073709551615', '18446744073709551616',
         '-9223372036854775807', '4611686018427387904', '-4611686018427387905', '2147483647', '2147483648', '-2147483648', '-2147483649',
         '4294967295', '4294967296', '8589934592', '536870911', '536870912', '4294967288', '1000000000000', 'nan', '-nan', 'inf', '-inf',
         '-0', '+0', '0', '1', '-1', '2', '10', '1e400', '-1e400', '1e308', '1e-400', '0x10', '1.5', ' 1', '1 ', '01', b'\x00', b'a\x00b',
         b'\xff\xfe', '(', '[', '(1', '[a', '-', '+', '*', '$', '>', '=', '~', '0-0', '0-1', '18446744073709551615-18446744073709551615',
         '18446744073709551615-*', '5-*', '1-1', '(0-0', '(18446744073709551615-18446744073709551615', 'u64', 'i64', 'u63', 'i0', '#1', '#9223372036854775807',
         'u8', 'f0', 'field', 'a', 'b', 'm1', 'e1', 'g', 'c', '*->f', 'none_*', '[a-', '?' * 50, '*' * 40 + 'x', '\\', '%', '%s%n', '\r\n', 'withvalues']
KEYS = ['string', 'number', 'big', 'bits', 'hll', 'list', 'longlist', 'hash', 'longhash', 'dying', 'set', 'ints', 'longset', 'zset', 'longzset',
        'geo', 'stream', 'none', 'none2', 'xx']
FILL = [('SET', 'string', 'value'), ('SET', 'number', '9223372036854775800'), ('SET', 'big', b'y' * 100_000), ('SETBIT', 'bits', 77_777, 1),
        ('PFADD', 'hll', 'a', 'b', 'c'), ('RPUSH', 'list', 'a', 'b', 'c', '1', ''), ('RPUSH', 'longlist', *(f'e{i}' for i in range(700)), BIG[:9000]),
        ('HSET', 'hash', 'f0', '1', 'field', 'v', '', ''), ('HSET', 'longhash', *(f'f{i}' for i in range(1400))),
        ('HSET', 'dying', *(f'f{i}' for i in range(60))), ('HPEXPIRE', 'dying', 40, 'FIELDS', 9, *(f'f{2 * i}' for i in range(9))),
        ('SADD', 'set', 'a', 'b', '', '1'), ('SADD', 'ints', *range(-90, 90)), ('SADD', 'longset', *(f'm{i}' for i in range(700))),
        ('ZADD', 'zset', 1, 'a', 'inf', 'b', '-inf', 'c', 0, ''), ('ZADD', 'longzset', *(w for i in range(700) for w in (i % 9, f'm{i}'))),
        ('GEOADD', 'geo', 13.36, 38.11, 'a', 15.08, 37.5, 'b', -180, -85.05, 'c', 180, 85.05, 'e1'),
        *(('XADD', 'stream', f'{i}-1', 'f', f'v{i}') for i in range(1, 30)), ('XADD', 'stream', '18446744073709551614-5', '', ''),
        ('XGROUP', 'CREATE', 'stream', 'g', 0), ('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 9, 'STREAMS', 'stream', '>'), ('XDEL', 'stream', '3-1')]


INTEGERS = [word for word in NASTY if isinstance(word, str) and re.fullmatch(r'-?[0-9]+', word)]
NUMBERS = INTEGERS + ['100', '64', '-100']
DOUBLES = INTEGERS + ['nan', 'inf', '-inf', '+inf', '1e308', '-1e308', '1e-320', '1e400', '-0', '0.1', '180', '-180', '85.05112878', '-85.05112878', '90', '20000000', '1e15', '0x1p3']
PLAIN = ['a', 'b', 'c', 'f0', 'f1', 'f2', 'm1', 'm2', 'e1', 'field', '1', '', 'g', 'value', 'c2', '2']
IDS = ['0', '-', '+', '$', '>', '*', '1-1', '3-1', '5-1', '(5-1', '5-*', '29-1', '9', '0-0', '18446744073709551615-18446744073709551615', '18446744073709551614-6',
       '18446744073709551615-*', '(18446744073709551615-18446744073709551615', '(0-0', '18446744073709551616', '-1', '1-', '-1-1', '']
EDGES = INTEGERS + ['-inf', '+inf', '(1', '(-inf', '(inf', '-', '+', '[a', '(b', '[', '(', '0', '-1', '5', '(nan', '3', '(3']
KEYS_OF = {'string': ['string', 'number', 'big', 'none', 'bits'], 'bitmap': ['bits', 'string', 'big', 'none'], 'hyperloglog': ['hll', 'none', 'string'],
           'list': ['list', 'longlist', 'none'], 'hash': ['hash', 'longhash', 'dying', 'none'], 'set': ['set', 'ints', 'longset', 'none'],
           'sorted-set': ['zset', 'longzset', 'geo', 'none', 'set'], 'geo': ['geo', 'none'], 'stream': ['stream', 'stream', 'stream', 'none']}
Row = collections.namedtuple('Row', 'name group arity first_key arguments')


class Strict(Client):
    """Knows what no client of the second protocol may get."""
    protocol = 2

    def read(self):
        if self.protocol == 2:
            self._fill(1)
            expect_true(self.buffer[self.at:self.at + 1] in (b'+', b'-', b':', b'$', b'*'), f'RESP3 for RESP2: {shown(self.buffer[self.at:self.at + 50])}')
        reply = super().read()
        if isinstance(reply, (Error, Status)):
            text = reply.text if isinstance(reply, Error) else reply
            expect_true('\r' not in text and '\n' not in text, f'a line in a line: {text!r}')
        return reply


class Abuse:
    def __init__(self, server, protocol):
        self.server, self.protocol = server, protocol
        self.dice = random.Random(SEED * 10 + protocol)
        self.admin = server.client()
        self.rows = self.commands()
        self.slowest = 0, None
        self.sent = self.refused = 0
        self.connect()

    def connect(self):
        self.client = Strict(('127.0.0.1', self.server.port))
        self.server.clients.append(self.client)
        if self.protocol == 3:
            self.client.protocol = 3
            self.client.resp3()
        self.id = self.client('CLIENT', 'ID')
        self.in_multi = False

    def commands(self):
        """(words of the name, arity, options of the syntax) of every command and subcommand."""
        rows = []
        docs = self.admin.__class__(('127.0.0.1', self.server.port)).resp3()
        self.server.clients.append(docs)
        texts = docs('COMMAND', 'DOCS')

        def add(row, document, group):
            name = row[0].decode().split('|')
            if name[0] in LEFT_OUT or name[0] == 'client' and name[1:] and name[1] in LEFT_OUT_OF_CLIENT:
                return
            subs = row[9] if len(row) > 9 else []
            for sub in subs:
                add(sub, document.get(b'subcommands', {}).get(sub[0], {}), group)
            if not subs:
                rows.append(Row(name, group, row[1], row[3], document.get(b'arguments', [])))

        for row in self.admin('COMMAND'):
            document = texts.get(row[0], {})
            add(row, document, document.get(b'group', b'').decode())
        return rows

    def key(self, row):
        return self.dice.choice(KEYS_OF.get(row.group, KEYS) if self.dice.random() < 0.8 else KEYS)

    def number(self):
        return self.dice.choice(NUMBERS) if self.dice.random() < 0.5 else self.dice.randrange(-9, 10)

    def word(self, kind, name, row):
        """A value for an argument of the syntax, of which 'kind' and 'name' are known."""
        dice = self.dice
        if dice.random() < 0.04:
            return self.nasty()
        if kind == 'key':
            return self.key(row)
        if kind in ('integer', 'unix-time'):
            return self.number() if name not in ('milliseconds', 'timeout') or dice.random() < 0.5 else dice.randrange(100)
        if kind == 'double':
            return dice.choice(DOUBLES) if dice.random() < 0.6 else dice.randrange(-9, 200)
        if kind == 'pattern':
            return dice.choice(('*', '*[a-', 'm*', '?', 'none_*->*', '*->f0', '\\', '*' * 40 + 'x'))
        if 'id' in name and row.group == 'stream' or name in ('start', 'end') and row.group == 'stream':
            return dice.choice(IDS)
        if name in ('min', 'max', 'start', 'stop', 'start-index'):
            return dice.choice(EDGES)
        return dice.choice(PLAIN) if dice.random() < 0.7 else self.nasty()

    def nasty(self):
        word = self.dice.choice(NASTY)
        return word if word is not BIG or self.dice.random() < 0.2 else 'e1'

    def by_syntax(self, arguments, row):
        dice, words, number_at = self.dice, [], None
        for argument in arguments:
            flags = argument.get(b'flags', [])
            kind, name = argument[b'type'].decode(), argument[b'name'].decode()
            if b'optional' in flags and dice.random() < 0.5:
                continue
            token = [argument[b'token'].decode()] if b'token' in argument and argument[b'token'] else []
            inner = argument.get(b'arguments', [])
            times = dice.choice((1, 1, 2, 3, 7)) if b'multiple' in flags else 1
            for i in range(times):
                if token and (not i or b'multiple_token' in flags):
                    words += token
                if kind == 'oneof':
                    words += self.by_syntax([dice.choice(inner)], row)
                elif kind == 'block':
                    words += self.by_syntax(inner, row)
                elif kind != 'pure-token':
                    if name.startswith('num'):
                        number_at = len(words)
                    words.append(self.word(kind, name, row))
            if number_at is not None and b'multiple' in flags:  # the number before them
                if dice.random() < 0.9:
                    words[number_at] = times
                number_at = None
        return words

    def words(self, row):
        dice = self.dice
        if dice.random() < 0.15:
            words = [self.nasty() for _ in range(dice.randrange(7))]
            if words and dice.random() < 0.7:
                words[0] = self.key(row)
        else:
            words = self.by_syntax(row.arguments, row)
        for _ in range(dice.choice((0, 0, 0, 0, 1, 2))):
            if words:
                at = dice.randrange(len(words))
                change = dice.randrange(4)
                if change == 0:
                    words[at] = self.nasty()
                elif change == 1:
                    del words[at]
                elif change == 2:
                    words.insert(at, dice.choice(words))
                else:
                    words[at:] = words[at:] + words[at:] * dice.choice((1, 2, 100))
        while sum(word is BIG for word in words) > 3:
            words.remove(BIG)
        return [*row.name, *words]

    def reply(self, words):
        """The client may wait for a key: it is told not to."""
        while not self.client.has_input():
            if select.select([self.client.socket], [], [], 0.03)[0]:
                break
            self.admin('CLIENT', 'UNBLOCK', self.id)
            self.admin('CLIENT', 'UNPAUSE')
            if time.monotonic() - self.began > TIMEOUT:
                raise Failed(f'no reply to {shown(words)}')
        return self.client.read()

    def send(self, words):
        self.sent += 1
        self.began = began = time.monotonic()
        try:
            self.client.send(encode(*words))
            reply = self.reply(words)
        except (Closed, BrokenPipeError, ConnectionResetError) as error:
            self.server.wait_a_moment()
            if not self.server.is_alive():
                raise Failed(f'it ended by {shown(words)}: {self.server.said()[-5000:]}') from None
            self.connect()
            return None
        except Failed as error:
            raise Failed(f'{shown(words)}: {error}') from None
        taken = time.monotonic() - began
        if taken > self.slowest[0] and 'block' not in shown(words).lower():
            self.slowest = taken, words
        self.refused += isinstance(reply, Error)
        if words[0] in ('select', 'swapdb', 'flushall', 'flushdb') and reply == 'OK' and not self.in_multi:
            self.client('SELECT', 0)
            self.fill()
        return reply

    def fill(self):
        for reply, command in zip(self.admin.all(('FLUSHALL',), *FILL), (('FLUSHALL',), *FILL)):
            expect_true(not isinstance(reply, Error), f'{shown(command)}: {reply}')

    def multi(self):
        if not self.in_multi and self.dice.random() < 0.03:
            self.send(['MULTI'])
            self.in_multi = True
        elif self.in_multi and self.dice.random() < 0.15:
            self.send([self.dice.choice(('EXEC', 'EXEC', 'EXEC', 'DISCARD'))])
            self.in_multi = False

    def round(self):
        self.fill()
        dice = self.dice
        for row in dice.sample(self.rows, len(self.rows)):
            for _ in range(6 if row.first_key or row.group in KEYS_OF else 1):
                if row.name[0] not in ('multi', 'exec', 'discard'):
                    self.multi()
                    words = self.words(row)
                    if row.name[0] in ('flushall', 'flushdb', 'select', 'swapdb', 'move') and (self.in_multi or dice.random() < 0.5):
                        continue
                    self.send(words)
            if dice.random() < 0.05:
                self.fill()
            if dice.random() < 0.005:
                self.admin('DEBUG', 'CLOCK', 'ADVANCE', dice.choice((1, 50, 100_000)))
        expect_true(isinstance(self.admin('DEBUG', 'DIGEST'), Status), 'the digest')
        rss = self.server.status_bytes('VmHWM')
        expect_true(rss < MOST_MEMORY, f'it takes {rss // MB} MB')

    def play(self):
        for _ in range(ROUNDS):
            self.round()
        self.client.close()
        print(f'    seed {SEED}, RESP{self.protocol}: {self.sent} commands, {self.refused} were refused; slowest {self.slowest[0]:.3f} s: {shown(self.slowest[1], 200)}; '
              f'{self.server.status_bytes("VmHWM") // MB} MB')
        expect_true(self.slowest[0] < SLOWEST, f'{self.slowest[0]:.3f} s for {shown(self.slowest[1])}')


OPTIONS = ('--proto-max-bulk-len', '16mb', '--client-output-buffer-limit', 'normal', '32mb', '0', '0')


@test(*OPTIONS)
def nothing_that_is_sent_does_harm(server):
    Abuse(server, 2).play()


@test(*OPTIONS)
def nothing_that_is_sent_does_harm_in_the_third_protocol(server):
    Abuse(server, 3).play()


main()
