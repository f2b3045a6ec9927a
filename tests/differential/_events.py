"""Keyspace events of two servers, compared: the option --events of the differential test."""

import re
from collections import Counter

CLASSES = b'g$lshztdmnxe'
MARKER = b'differential:events'
LOST_WITH_TIME = (b'expired', b'hexpired')

# Where a server departs from Redis 7.2, or 8 in what 7.2 has not: server, a command that came (as in _explained.py),
# the events that one side may lack of the keys that it names, and why.
EXPLAINED_EVENTS = [
    ('valkey-', r'P?EXPIRE(AT)? .*', b'del expired', 'a key whose deadline is over when it is set expires on Valkey'),
    ('valkey-', r'GETEX .*(EX|PX)AT .*', b'del expired', 'a key whose deadline is over when it is set expires on Valkey'),
    ('valkey-', r'SET .*(EX|PX)AT .*', b'new set expire expired',
     'SET with a deadline that is over only removes the key on Valkey'),
    ('valkey-', r'LTRIM .*', b'ltrim', 'an LTRIM that removes nothing is not told of on Valkey'),
    ('valkey-', r'H(P?EXPIRE(AT)?|GETEX|SETEX) .*', b'hdel hexpire hexpired del',
     'a field whose deadline is over when it is set expires on Valkey'),
    ('valkey-', r'HGETEX .*', b'keymiss', 'HGETEX that finds no key tells so on Valkey'),
    ('redis-7.0', r'X(CLAIM|AUTOCLAIM|READGROUP|GROUP DELCONSUMER) .*', b'xgroup-createconsumer xgroup-delconsumer',
     'consumers who get nothing are made, and told of, since 7.2'),
]


def name_of(channel):
    """The key of a channel that tells of a key, the event of one that tells of an event."""
    return channel.split(b':', 1)[1]


class Events:
    """Listens on both servers. What happened to a key comes in the same order on both. Keys that expire do so when
    the server finds out: those are only counted."""

    def __init__(self, listeners, checkers, names):
        self.listeners, self.checkers = listeners, checkers
        self.rules = [(re.compile(command, re.S), events.split(), f'{server.rstrip("-")}: {why}')
                      for server, command, events, why in EXPLAINED_EVENTS if any(name.startswith(server) for name in names)]
        self.explained = Counter()
        self.count = 0
        self.expired = [Counter(), Counter()]
        for listener in listeners:
            listener.ask(b'PSUBSCRIBE', b'__key*@*', MARKER)
            listener.read()
        self.choose(b'KEAmn')

    def choose(self, classes):
        self.classes = classes
        for checker in self.checkers:
            reply = checker.ask(b'CONFIG', b'SET', b'notify-keyspace-events', classes)
            if reply != b'+OK\r\n':
                raise SystemExit(f'differential: {checker.address} does not know of the events {classes}: {reply}')

    def choose_some(self, rng):
        """Other classes of events: a class is seen when it alone comes, or alone does not."""
        some = bytes(kind for kind in CLASSES if rng.random() < 0.5)
        self.choose(rng.choice((b'KEAmn', b'EA', b'K' + some, b'KE' + some)))

    def drain(self, parse):
        """The events since the last time: by server, then by channel."""
        for checker in self.checkers:
            checker.ask(b'PUBLISH', MARKER, b'')
        happened = [{}, {}]
        for side, listener in enumerate(self.listeners):
            while True:
                channel, message = [text for _, text in parse(listener.read())[0][1][-2:]]
                if channel == MARKER:
                    break
                self.count += side == 0
                if message in LOST_WITH_TIME or name_of(channel) in LOST_WITH_TIME:
                    self.expired[side][channel, message] += 1
                else:
                    happened[side].setdefault(channel, []).append(message)
            for channel in happened[side]:
                if channel.endswith(b':keymiss'):  # SORT looks the members of a set up in any order
                    happened[side][channel].sort()
        return happened

    def differences(self, parse, commands):
        """(channel, ours, theirs) for what is not the same after these commands, each with its line."""
        sides = self.drain(parse)
        found = [(channel, *(side.get(channel, []) for side in sides)) for channel in {**sides[0], **sides[1]}]
        found = [each for each in found if each[1] != each[2]]
        rules = [(events, {word for line, args in commands if command.fullmatch(line) for word in args[1:]}, why)
                 for command, events, why in self.rules] if found else []
        return [each for each in found if not self.is_explained(*each, rules)]

    def is_explained(self, channel, ours, theirs, rules):
        """A channel of a key lists events, a channel of an event lists keys."""
        name, is_of_key = name_of(channel), channel.startswith(b'__keyspace')
        for events, keys, why in rules:
            if name in (keys if is_of_key else events):
                left_out = events if is_of_key else keys
                ours, theirs = ([item for item in side if item not in left_out] for side in (ours, theirs))
                if ours == theirs:
                    self.explained[why] += 1
                    return True
        return False

    def take_expired(self):
        """What has expired more often here and what there: neither has once all that is old is gone. (What has been
        said of Valkey leaves nothing to compare.)"""
        if any(b'expired' in events for _, events, _ in self.rules):
            return ['', '']
        counts, self.expired = self.expired, [Counter(), Counter()]
        return [f'{dict(sorted((count - other).items()))}' for count, other in (counts, counts[::-1])]
