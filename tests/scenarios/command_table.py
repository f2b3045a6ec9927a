#!/usr/bin/env python3
"""What the rows say of commands, beside what a real server says: arity, flags, keys, categories, where the keys
stand; and that every row has all its columns."""

from _harness import *

# What Redis 7.0 says otherwise than all later servers.
SINCE_7_2 = {
    'blmove flags', 'blpop flags', 'brpop flags', 'brpoplpush flags', 'bzpopmax flags', 'bzpopmin flags',
    'cluster|shards flags', 'cluster|slots flags', 'command|getkeys arity', 'command|getkeysandflags arity',
    'sinterstore key specs', 'wait flags', 'wait categories', 'zrank arity', 'zrevrank arity',
}


def text(reply):
    if isinstance(reply, list):
        return [text(item) for item in reply]
    return reply.decode() if isinstance(reply, bytes) else reply


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


def spec_of(flat):
    spec = pairs(flat)
    spec.pop('notes', None)
    spec['flags'] = sorted(spec['flags'])
    return {key: pairs(value) if key != 'flags' else value for key, value in spec.items()}


def facts_of(rows):
    facts = {}
    for row in rows:
        facts[row[0]] = {'arity': row[1], 'flags': sorted(row[2]), 'keys': row[3:6], 'categories': sorted(row[6]),
                         'key specs': [spec_of(spec) for spec in row[8]]}
        facts.update(facts_of(row[9]))
    return facts


@test()
def rows_agree_with_a_real_server(server):
    with real_client(server.directory + '-real') as real:
        if b'valkey_version' in real('INFO', 'server'):
            raise Skip('Valkey went another way')
        ours, theirs = facts_of(text(server.client()('COMMAND'))), facts_of(text(real('COMMAND')))
    differences = []
    for name in sorted(set(ours) & set(theirs)):
        for what, fact in ours[name].items():
            if fact != theirs[name][what] and f'{name} {what}' not in SINCE_7_2:
                differences.append(f'{name} {what}: {fact}, the other server says {theirs[name][what]}')
    expect_true(len(ours) > 100, 'there are commands')
    expect_true(not differences, '\n'.join(differences))


def dated_arguments(arguments, path=''):
    """What came later than the command, by its token or name. The tree above it may be another one."""
    found = set()
    for argument in map(pairs, arguments):
        if 'since' in argument:
            found.add((argument.get('token') or argument['name'], argument['since']))
        found |= dated_arguments(argument.get('arguments', []))
    return found


def version(text):
    return tuple(map(int, text.split('.')))


def dates_of(docs, newest):
    """The versions in the history of each command, and its dated arguments, up to the newest version."""
    dates = {}
    for name, doc in pairs(docs).items():
        doc = pairs(doc)
        dates[name] = {'history': sorted(entry[0] for entry in doc.get('history', []) if version(entry[0]) <= newest),
                       'arguments': sorted(item for item in dated_arguments(doc.get('arguments', [])) if version(item[1]) <= newest)}
        dates.update(dates_of(doc.get('subcommands', []), newest))
    return dates


# Fields of later versions that are not there.
LATER_DATES = {'client|list history': ['7.4.0', '8.0.0']}
# What Redis 7.0 says otherwise than all later servers.
DATED_SINCE_7_2 = {
    'bitcount arguments', 'bitpos arguments', 'cluster|meet arguments', 'georadius_ro history', 'georadiusbymember history',
    'georadiusbymember_ro history', 'script|flush arguments',
}


@test()
def dates_agree_with_a_real_server(server):
    with real_client(server.directory + '-real') as real:
        info = real('INFO', 'server')
        if b'valkey_version' in info:
            raise Skip('Valkey went another way')
        newest = version(re.search(rb'redis_version:([0-9.]+)', info)[1].decode())
        ours = dates_of(text(server.client()('COMMAND', 'DOCS')), newest)
        theirs = dates_of(text(real('COMMAND', 'DOCS')), newest)
    differences = []
    for name in sorted(set(ours) & set(theirs)):
        for what, fact in ours[name].items():
            expected = [date for date in theirs[name][what] if date not in LATER_DATES.get(f'{name} {what}', [])]
            if fact != expected and not (newest < (7, 2) and f'{name} {what}' in DATED_SINCE_7_2):
                differences.append(f'{name} {what}: {fact}, the other server says {expected}')
    expect_true(sum(bool(fact['history']) for fact in ours.values()) > 50, 'there are histories')
    expect_true(not differences, '\n'.join(differences))


@test()
def every_command_is_described(server):
    client = server.client()
    docs = pairs(text(client('COMMAND', 'DOCS')))
    rows = facts_of(text(client('COMMAND')))
    groups = {'string', 'generic', 'list', 'set', 'sorted-set', 'hash', 'bitmap', 'hyperloglog', 'geo', 'stream', 'pubsub',
              'transactions', 'connection', 'server', 'scripting', 'cluster'}

    def check(name, doc):
        doc = pairs(doc)
        expect_true(doc['summary'].endswith('.'), f'{name}: the summary is a sentence')
        expect_true(doc['group'] in groups, f'{name}: {doc["group"]}')
        expect_true(re.fullmatch(r'\d+\.\d+\.\d+', doc['since']), f'{name}: since {doc["since"]}')
        arity = rows[name]['arity']
        if 'subcommands' not in doc and abs(arity) > 1 + ('|' in name):
            expect_true(doc.get('arguments'), f'{name} has an arity of {arity} and no arguments')
        for entry in doc.get('history', []):
            expect_true(re.fullmatch(r'\d+\.\d+\.\d+', entry[0]) and entry[1].endswith('.'), f'{name}: {entry}')
        for sub, sub_doc in pairs(doc.get('subcommands', [])).items():
            check(sub, sub_doc)
    for name, doc in docs.items():
        check(name, doc)
    expect(len(docs), client('COMMAND', 'COUNT'))


main()
