#!/usr/bin/env python3
"""Sends the same seeded random commands to two servers and compares what they answer.

    differential.py --ours 127.0.0.1:6379 --peer 127.0.0.1:6380 --commands 200000 --seed 1

Commands come from the table in _groups.py, one row each: good ones and bad ones (arity, types, numbers,
options), names in odd case, keys and values of any bytes, ranges at their edges. They go out in
pipelined batches. Replies are compared byte for byte, but for rows with a rule (order free, times, random
keys). After every thousand commands DEBUG DIGEST must agree; both servers need enable-debug-command.

What a real server does otherwise than Redis 7.2 is listed in _explained.py, with the reason; it is counted
but is no failure. After any difference the keys it touched are left out until the servers agree again;
when they do not, both are emptied. The last line is "differential: N passed, N failed".

With --events what keyspace notifications tell of each key must be the same, batch by batch, for changing
sets of classes.

The two servers' times differ by milliseconds, so deadlines are far away or long past, never near."""

import argparse
import random
import re
import socket
import sys
from collections import Counter, deque

from _events import *
from _explained import *
from _groups import *
from _values import *

DEFAULT_GROUPS = ','.join(GROUPS)

# ---- grammar --------------------------------------------------------------------------------------


def parse_sequence(tokens):
    """Parses up to the closing bracket: a list of alternatives, each a list of nodes."""
    alternatives, nodes = [], []
    while tokens:
        token = tokens.pop(0)
        if token in (']', ')'):
            break
        if token == '|':
            alternatives.append(nodes)
            nodes = []
        elif token == '...':
            nodes.append(('many', nodes.pop()))
        elif token == '[':
            node = ('maybe', parse_sequence(tokens))
            if nodes and nodes[-1][0] == 'options':
                nodes[-1][1].append(node)
            else:
                nodes.append(('options', [node]))
        elif token == '(':
            nodes.append(('one', parse_sequence(tokens)))
        elif token in TERMS:
            nodes.append(('term', TERMS[token]))
        else:
            nodes.append(('word', token.encode()))
    return alternatives + [nodes]


def expand(rng, nodes, out):
    for kind, content in nodes:
        if kind == 'term':
            out.append(content(rng))
        elif kind == 'word':
            out.append(odd_case(rng, content))
        elif kind == 'one':
            expand(rng, rng.choice(content), out)
        elif kind == 'many':
            for _ in range(rng.choice((1, 1, 2, 3, 4))):
                expand(rng, [content], out)
        elif kind == 'maybe':
            if rng.random() < 0.35:
                expand(rng, rng.choice(content), out)
        else:
            expand(rng, rng.sample(content, len(content)), out)


def odd_case(rng, word):
    kind = rng.random()
    if kind < 0.6:
        return word
    return word.lower() if kind < 0.9 else bytes(rng.choice((b, b ^ 32)) if 65 <= b <= 90 else b for b in word)


class Row:
    """One command of the table."""

    def __init__(self, line):
        syntax, _, rules = line.partition('->')
        self.name = syntax.split()[0]
        tokens = re.findall(r'\.\.\.|[\[\]()|]|[^\s\[\]()|.]+', syntax)
        self.nodes = parse_sequence(tokens)[0]
        rules = rules.split()
        self.weight = 1 if 'rare' in rules else 10 if 'seldom' in rules else 50
        self.touches = 'touch' in rules
        self.drops = 'drops' in rules
        self.rule = [rule for rule in rules if rule not in ('rare', 'seldom', 'touch', 'drops')] or ['exact']
        self.stays_whole = 'timeout' in syntax or 'zkey-lex' in syntax

    def generate(self, rng):
        args = []
        expand(rng, self.nodes, args)
        if rng.random() < 0.04 and not self.stays_whole:
            spoil(rng, args)
        return args


def spoil(rng, args):
    """Makes a command wrong, perhaps."""
    at = rng.randrange(1, len(args) + 1)
    kind = rng.randrange(4)
    if kind == 0 and at < len(args):
        del args[at]
    elif kind == 1 and at < len(args):
        args[at] = rng.choice(GARBAGE)
    elif kind == 2:
        del args[at:]
    else:
        args.insert(at, rng.choice(GARBAGE))


def rows_of(groups):
    rows = []
    for group in groups:
        if group not in GROUPS:
            sys.exit(f'differential: no group {group}; there are {" ".join(GROUPS)}')
        rows += [Row(line) for line in GROUPS[group].strip().split('\n')]
    return rows, [row.weight for row in rows]


# ---- servers --------------------------------------------------------------------------------------


def encode(args):
    return b'*%d\r\n' % len(args) + b''.join(b'$%d\r\n%s\r\n' % (len(arg), arg) for arg in args)


class Lost(Exception):
    """A server closed the connection, is silent, or speaks another protocol."""


def end_of_reply(data, at):
    """Where the reply at 'at' ends, -1 when it is not all there."""
    end = data.find(b'\r\n', at)
    if end < 0:
        return -1
    kind = data[at]
    if kind in b'+-:_#,(':
        return end + 2
    if kind not in b'$=!*~%>':
        raise Lost(f'this is not the protocol: {bytes(data[at:at + 60])}')
    length = int(data[at + 1:end])
    if length < 0:
        return end + 2
    if kind in b'$=!':
        end += 2 + length + 2
        return end if end <= len(data) else -1
    end += 2
    for _ in range(length * (2 if kind == ord('%') else 1)):
        end = end_of_reply(data, end)
        if end < 0:
            return -1
    return end


class Connection:
    def __init__(self, address, resp):
        host, _, port = address.rpartition(':')
        self.address = address
        try:
            self.socket = socket.create_connection((host or '127.0.0.1', int(port)), timeout=20)
        except OSError as error:
            sys.exit(f'differential: {address}: {error}')
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.at = 0
        if resp == 3:
            self.ask(b'HELLO', b'3')

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        if self.at > 1 << 20:
            del self.buffer[:self.at]
            self.at = 0
        try:
            data = self.socket.recv(1 << 18)
        except OSError as error:
            raise Lost(f'{self.address}: {error}') from error
        if not data:
            raise Lost(f'{self.address} closed the connection')
        self.buffer += data

    def read(self):
        """The bytes of the next reply."""
        while True:
            end = end_of_reply(self.buffer, self.at)
            if end >= 0:
                reply = bytes(self.buffer[self.at:end])
                self.at = end
                return reply
            self.fill()

    def ask(self, *args):
        self.send(encode(args))
        return self.read()


def parse(reply, at=0):
    """A reply as Python sees it, and where it ends: (type, text) or (type, [elements]); nil has a type of
    its own."""
    end = reply.index(b'\r\n', at)
    kind, line = reply[at:at + 1], reply[at + 1:end]
    if line == b'-1' and kind in b'$*':
        return (kind + b'-', b''), end + 2
    if kind in b'+-:_#,(':
        return (kind, line), end + 2
    length = int(line)
    if kind in b'$=!':
        return (kind, reply[end + 2:end + 2 + length]), end + 4 + length
    elements, end = [], end + 2
    for _ in range(length * (2 if kind == b'%' else 1)):
        element, end = parse(reply, end)
        elements.append(element)
    return (kind, elements), end


def elements_of(reply):
    """The bytes of each element of an array."""
    at, elements = reply.index(b'\r\n') + 2, []
    while at < len(reply):
        end = end_of_reply(reply, at)
        elements.append(reply[at:end])
        at = end
    return elements


# ---- comparing ------------------------------------------------------------------------------------


def pairs(elements):
    return list(zip(elements[::2], elements[1::2]))


def same(rule, ours, theirs, command):
    """True when two replies agree by the rule. Errors and nils must always be the same."""
    if ours == theirs or rule[0] == 'exact':
        return ours == theirs
    if rule[0] in ('but', 'column') and ours[:1] == theirs[:1] and ours[:1] in b'*%':
        names = [name.encode() for name in rule[1:]] if rule[0] == 'but' else []
        column = int(rule[1]) if rule[0] == 'column' else None
        return without(parse(ours)[0], names, column) == without(parse(theirs)[0], names, column)
    (kind, ours), (other, theirs) = parse(ours)[0], parse(theirs)[0]
    if kind != other or kind == b'-':
        return False
    if rule[0] == 'unordered' and isinstance(ours, list):
        if kind == b'%' or command[0].upper() == b'HGETALL':
            ours, theirs = pairs(ours), pairs(theirs)
        return sorted(map(repr, ours)) == sorted(map(repr, theirs))
    if rule[0] == 'near' and kind == b'*' and len(ours) == len(theirs):
        return all(same(rule, b':%s\r\n' % a[1], b':%s\r\n' % b[1], command) for a, b in zip(ours, theirs))
    if rule[0] == 'near' and kind == b':':
        low, high = sorted((int(ours), int(theirs)))
        return high - low <= int(rule[1]) and (low >= 0 or low == high)
    if rule[0] == 'scan' and kind == b'*':
        is_all = rule[-1] == 'all' and any(word.upper() == b'COUNT' for word in command)
        return (shape_of_scan(ours) and shape_of_scan(theirs) and
                (not is_all or ours[0] == theirs[0] and sorted(ours[1][1]) == sorted(theirs[1][1])))
    if rule[0] == 'random' and isinstance(ours, list):
        repeats = command[-1][:1] == b'-'
        return len(ours) == len(theirs) and (repeats or len(set(ours)) == len(ours))
    return rule[0] in ('any', 'random')


def without(reply, names, column=None):
    """A parsed reply in which the values behind these names, or of this column, are blank."""
    kind, content = reply
    if not isinstance(content, list):
        return reply
    content = [without(element, names) for element in content]
    for i, (_, name) in enumerate(content[:-1]):
        if name in names:
            content[i + 1] = (content[i + 1][0], b'')
    if column is not None:
        for element in content:
            element[1][column] = (element[1][column][0], b'')
    return (kind, content)


def shape_of_scan(elements):
    """True for a cursor and an array of strings."""
    return (len(elements) == 2 and elements[0][0] == b'$' and elements[0][1].isdigit() and
            elements[1][0] == b'*' and all(key[0] == b'$' for key in elements[1][1]))


def as_line(args):
    """A command as rules see it."""
    return b' '.join(args).decode('latin-1').upper()


def show_command(args):
    return ' '.join(show(arg) for arg in args)


def show(data, most=90):
    text = ''.join(chr(b) if 32 < b < 127 and b not in b'"\\' else
                   {34: '\\"', 92: '\\\\', 32: ' ', 10: '\\n', 13: '\\r'}.get(b, f'\\x{b:02x}') for b in data[:most])
    if len(data) > most:
        text += f'... ({len(data)} bytes)'
    return text if text and re.fullmatch(r'[\w:.*+-]+', text) else f'"{text}"'


class Differential:
    def __init__(self, options):
        self.options = options
        self.rng = random.Random(options.seed)
        self.rows, self.weights = rows_of(options.groups.split(','))
        self.connections = [Connection(address, options.resp) for address in (options.ours, options.peer)]
        self.checkers = [Connection(address, 2) for address in (options.ours, options.peer)]
        self.names = [self.identify(checker) for checker in self.checkers]
        self.leave_out_what_the_peer_lacks()
        self.passed = self.failed = self.sent = self.followups = 0
        self.explained = Counter()
        self.history = {key: deque(maxlen=8) for key in KEY_SET}
        self.in_transaction = False  # as far as what was generated tells
        self.queue = None  # what the transaction under way has queued: commands and rules
        self.watched, self.met = set(), set()  # keys, and the names of commands with one of these keys
        self.is_refused = False  # a command was queued by one server only
        self.exec_notes = []
        self.commands = []  # of which events may still come, with their lines
        self.tainted = set()  # keys that may differ after a difference
        self.all_tainted = False
        for checker in self.checkers:
            checker.ask(b'FLUSHALL')
            if checker.ask(b'DEBUG', b'DIGEST')[:1] == b'-':
                sys.exit(f'differential: {checker.address} has no DEBUG DIGEST: start it with '
                         '--enable-debug-command yes')
        self.events = None
        if options.events:
            self.events = Events([Connection(address, 2) for address in (options.ours, options.peer)], self.checkers, self.names)

    def leave_out_what_the_peer_lacks(self):
        """Commands of later versions. What stands for an unknown command is left in."""
        names = {row.name for row in self.rows if row.name.isupper() and row.name != 'NOSUCHCOMMAND'}
        lacking = {name for name in names if b'-1' in self.checkers[1].ask(b'COMMAND', b'INFO', name.encode())[:8]}
        self.rows = [row for row in self.rows if row.name not in lacking]
        self.weights = [row.weight for row in self.rows]
        if lacking:
            print(f'differential: {self.names[1]} has no {", ".join(sorted(lacking))}')

    @staticmethod
    def identify(checker):
        info = checker.ask(b'INFO', b'server').decode(errors='replace')
        for product in ('tern', 'valkey', 'redis'):
            version = re.search(rf'^{product}_version:([\d.]+)', info, re.M)
            if version:
                return f'{product}-{version[1]}'
        return 'unknown-'

    # ---- a batch

    def generate(self, count):
        """Commands and their rules. MULTI and WATCH in a transaction are few: they end it on Valkey, and
        from there on the servers go different ways."""
        batch = []
        while len(batch) < count:
            row = self.rng.choices(self.rows, self.weights)[0]
            args = row.generate(self.rng)
            name = args[0].upper()
            if self.in_transaction and name in (b'MULTI', b'WATCH') and self.rng.random() < 0.98:
                continue
            if self.names[1].startswith('redis-7.0') and name in (b'XREAD', b'XREADGROUP') and FOREVER in args:
                continue  # it would wait so long; later versions say that it is out of range
            if name in (b'MULTI', b'EXEC', b'DISCARD'):
                self.in_transaction = name == b'MULTI'
            if row.touches:
                batch.append((WHOLE_SCAN, ['scan', 'all']))
            batch.append((args, row.rule))
            if row.drops and len(args) > 1:
                batch.append(([b'DEL', args[1]], ['exact']))
        return batch

    def run_batch(self, count):
        batch = self.generate(count)
        data = b''.join(encode(args) for args, _ in batch)
        for connection in self.connections:
            connection.send(data)
        clean = True
        for args, rule in batch:
            self.sent += 1
            keys = KEY_SET.intersection(args[1:])
            for key in keys:
                self.history[key].append((self.sent, args))
            ours, theirs = (connection.read() for connection in self.connections)
            differences = self.compare(args, rule, ours, theirs)
            if keys & self.tainted:
                self.tainted |= keys  # what was made of it may differ too
            if not differences:
                self.passed += 1
            elif self.all_tainted or keys & self.tainted or self.tainted and not keys:
                self.followups += 1
                self.all_tainted |= not keys
            else:
                clean = False
                for difference in differences:
                    self.judge(*difference)
        if self.events:
            clean = self.compare_events(batch, clean)
        if not clean:
            self.settle()

    def compare_events(self, batch, is_clean):
        """What was told since the last time; after a difference that may well be another. False when it is."""
        self.commands += [(as_line(args), args) for args, _ in batch]
        differences = self.events.differences(parse, self.commands)
        if self.queue is None:  # else they come with the next batch
            self.commands = []
        self.passed += is_clean and not differences
        if is_clean:
            for channel, ours, theirs in differences:
                key = channel.split(b':', 1)[1]
                self.fail(f'events of {show(channel)}, of the classes {self.events.classes.decode()}', [key],
                          *(show(b' '.join(events), 600) for events in (ours, theirs)), is_told=False)
        return is_clean and not differences

    def compare(self, args, rule, ours, theirs):
        """The replies that do not agree, each with its command. Follows transactions: what was queued is
        compared when EXEC answers it."""
        name, queued = args[0].upper(), self.queue
        self.follow_watch(name, args, ours, theirs)
        if name == b'EXEC' or name == b'DISCARD' and ours == b'+OK\r\n':
            self.queue = None
        elif name == b'MULTI' and ours == b'+OK\r\n':
            self.queue = []
        elif ours == b'+QUEUED\r\n' and queued is not None:
            queued.append((args, rule))
        if same(rule, ours, theirs, args):
            return []
        if name == b'EXEC' and ours[:1] == theirs[:1] == b'*' and queued:
            replies = list(zip(elements_of(ours), elements_of(theirs)))
            if len(elements_of(ours)) == len(elements_of(theirs)) == len(queued):
                return [(command, a, b) for (command, rule), (a, b) in zip(queued, replies)
                        if not same(rule, a, b, command)]
        return [(args, ours, theirs)]

    def follow_watch(self, name, args, ours, theirs):
        """What to know of an EXEC that ends differently (_explained.py)."""
        ends = (name == b'EXEC' and not ours.startswith(b'-ERR') or
                name in (b'DISCARD', b'UNWATCH', b'RESET') and ours in (b'+OK\r\n', b'+RESET\r\n'))
        self.exec_notes = (['REFUSED'] if self.is_refused else sorted(self.met)) if name == b'EXEC' else []
        if ends:
            self.watched, self.met, self.is_refused = set(), set(), False
        elif name == b'WATCH' and ours == b'+OK\r\n':
            self.watched.update(args[1:])
        elif (ours == b'+QUEUED\r\n') != (theirs == b'+QUEUED\r\n') or self.queue is not None and name in (b'MULTI', b'WATCH'):
            self.is_refused = True
        elif self.watched.intersection(args[1:]) and ours != b'+QUEUED\r\n':
            self.met.add(name.decode('latin-1'))

    # ---- differences

    def judge(self, args, ours, theirs):
        keys = KEY_SET.intersection(args[1:])
        self.all_tainted |= not keys or self.queue is not None
        self.tainted |= keys
        line = as_line(args) + ''.join(f' {note}' for note in self.exec_notes)
        for server, command, reply, why in EXPLAINED:
            for name, answer in zip(self.names, (ours, theirs)):
                if name.startswith(server) and re.fullmatch(command, line, re.S) and (
                        reply(ours, theirs) if callable(reply) else re.match(reply, answer)):
                    self.explained[f'{server.rstrip("-")}: {why}'] += 1
                    return
        self.fail(show_command(args), keys, show(ours, 600), show(theirs, 600))

    def fail(self, what, keys, ours, theirs, is_told=True):
        self.failed += 1
        before_command = self.sent + (not is_told)
        print(f'\n{self.sent}: {what}\n  {self.names[0]}: {ours}\n  {self.names[1]}: {theirs}')
        before = {(at, show_command(args)) for key in keys for at, args in self.history.get(key, ()) if at < before_command}
        for at, command in sorted(before)[-8:]:
            print(f'    {at}: {command}')
        if self.failed >= self.options.most:
            raise Lost(f'stopped after {self.failed} differences (--most)')

    def persist_fields(self, checker):
        """Valkey's digest does not know of fields with a deadline: none has any then."""
        for db in range(DATABASES):
            checker.ask(b'SELECT', b'%d' % db)
            for key in ALL_KEYS:
                reply = checker.ask(b'HKEYS', key)
                fields = [name for _, name in parse(reply)[0][1]] if reply[:1] == b'*' else []
                if fields:
                    checker.ask(b'HPERSIST', key, b'FIELDS', b'%d' % len(fields), *fields)

    def digests(self):
        """What DEBUG DIGEST says on both, once whatever has expired is gone."""
        if self.names[1].startswith('valkey') and any(row.name == 'HPERSIST' for row in self.rows):
            for checker in self.checkers:
                self.persist_fields(checker)
        touch = b''.join(encode([b'SELECT', b'%d' % db]) + encode(WHOLE_SCAN) for db in range(DATABASES))
        for checker in self.checkers:
            checker.send(touch + encode([b'DEBUG', b'DIGEST']))
        return [[checker.read() for _ in range(2 * DATABASES + 1)][-1] for checker in self.checkers]

    def settle(self):
        """After a difference: goes on with equal data, emptying both servers if need be."""
        for connection in self.connections:
            connection.ask(b'DISCARD')
            connection.ask(b'UNWATCH')
            connection.ask(b'SELECT', b'0')
            connection.ask(b'CLIENT', b'SETNAME', b'')
        self.queue = None
        self.watched, self.met, self.is_refused = set(), set(), False
        ours, theirs = self.digests()
        if ours != theirs:
            for checker in self.checkers:
                checker.ask(b'FLUSHALL')
        self.tainted.clear()
        self.all_tainted = False
        if self.events:
            self.events.drain(parse)
            self.events.take_expired()

    def check_expired(self):
        """Keys expire as often here as there, and then other classes of events are looked at."""
        self.events.drain(parse)
        ours, theirs = self.events.take_expired()
        if ours == theirs:
            self.passed += 1
        else:
            self.fail('keys that have expired', [], ours, theirs)
        self.events.choose_some(self.rng)

    def check_digest(self):
        ours, theirs = self.digests()
        if ours == theirs:
            self.passed += 1
            if self.events:
                self.check_expired()
            return
        for db in range(DATABASES):
            for key in ALL_KEYS:
                values = [(checker.ask(b'SELECT', b'%d' % db), checker.ask(b'DEBUG', b'DIGEST-VALUE', key),
                           checker.ask(b'TYPE', key), checker.ask(b'TTL', key)) for checker in self.checkers]
                if values[0][1:3] != values[1][1:3] or (values[0][3] == b':-1\r\n') != (values[1][3] == b':-1\r\n'):
                    self.fail(f'the values of {show(key)} in database {db} are not the same', [key],
                              *(show(b' '.join(value[1:])) for value in values))
        self.fail('DEBUG DIGEST is not the same', [], show(ours), show(theirs))
        self.settle()

    def check_scan(self):
        """A whole SCAN finds each key, whatever the steps."""
        count = b'%d' % self.rng.randint(1, 30)
        for checker in self.checkers:
            checker.ask(b'SELECT', b'0')
            found, cursor = set(), None
            while cursor != b'0':
                reply = parse(checker.ask(b'SCAN', cursor or b'0', b'COUNT', count))[0]
                cursor = reply[1][0][1]
                found.update(key[1] for key in reply[1][1][1])
            expected = {key[1] for key in parse(checker.ask(b'KEYS', b'*'))[0][1]}
            if found == expected:
                self.passed += 1
            else:
                self.fail(f'SCAN with COUNT {count.decode()} on {checker.address}', [], repr(found), repr(expected))

    # ---- the run

    def run(self):
        options = self.options
        print(f'differential: {self.names[0]} and {self.names[1]}, RESP{options.resp}, seed {options.seed}, '
              f'{options.commands} commands of {options.groups}')
        try:
            checked = 0
            while self.sent < options.commands:
                self.run_batch(min(options.batch, options.commands - self.sent))
                if self.sent - checked >= 1000:
                    self.check_digest()
                    if 'keys' in options.groups.split(','):
                        self.check_scan()
                    checked = self.sent
            self.check_digest()
        except Lost as lost:
            print(f'\n{lost}')
            self.failed = max(self.failed, 1)
        if self.events:
            print(f'{self.events.count} events')
            self.explained += self.events.explained
        for why, count in sorted(self.explained.items()):
            print(f'explained, {count} times: {why}')
        if self.followups:
            print(f'{self.followups} replies left out, after a difference in the same keys')
        print(f'differential: {self.passed} passed, {self.failed} failed')
        return self.failed > 0


def main():
    parser = argparse.ArgumentParser(description='Compares two servers by random commands.')
    parser.add_argument('--ours', required=True, metavar='HOST:PORT')
    parser.add_argument('--peer', required=True, metavar='HOST:PORT')
    parser.add_argument('--resp', type=int, choices=(2, 3), default=2)
    parser.add_argument('--commands', type=int, default=200000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--groups', default=DEFAULT_GROUPS, help=f'of {", ".join(GROUPS)}')
    parser.add_argument('--most', type=int, default=20, help='stop after so many differences')
    parser.add_argument('--events', action='store_true', help='compare keyspace events too')
    parser.add_argument('--batch', type=int, default=100, help='commands in a pipeline')
    return Differential(parser.parse_args()).run()


if __name__ == '__main__':
    sys.exit(main())
