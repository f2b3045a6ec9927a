#!/usr/bin/env python3
"""What the rows say of commands, beside what a real server says: arity, flags, keys, categories, where the keys
stand; and that every row has all its columns."""

from _harness import *

REAL = os.environ.get('REDIS_SERVER')

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


def real_server(directory):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    server = Server(directory, program=REAL, wait=False,
                    base=['--port', port, '--save', '', '--dir', directory, '--bind', '127.0.0.1'])
    server.must_end_well = False
    server.port = port
    wait_until(lambda: can_connect(port), 'the real server listens')
    return server


def can_connect(port):
    try:
        socket.create_connection(('127.0.0.1', port)).close()
        return True
    except OSError:
        return False


@test()
def rows_agree_with_a_real_server(server):
    if not REAL:
        raise Skip('there is no real server')
    real = real_server(server.directory + '-real')
    try:
        if b'valkey_version' in real.client()('INFO', 'server'):
            raise Skip('Valkey went another way')
        ours, theirs = facts_of(text(server.client()('COMMAND'))), facts_of(text(real.client()('COMMAND')))
    finally:
        real.kill()
    differences = []
    for name in sorted(set(ours) & set(theirs)):
        for what, fact in ours[name].items():
            if fact != theirs[name][what] and f'{name} {what}' not in SINCE_7_2:
                differences.append(f'{name} {what}: {fact}, the other server says {theirs[name][what]}')
    expect_true(len(ours) > 100, 'there are commands')
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
        for sub, sub_doc in pairs(doc.get('subcommands', [])).items():
            check(sub, sub_doc)
    for name, doc in docs.items():
        check(name, doc)
    expect(len(docs), client('COMMAND', 'COUNT'))


main()
