#!/usr/bin/env python3
"""redis.conf.example and the server's table of directives say the same: each directive that CONFIG GET knows and that
has a subject is explained, each that is explained exists, and the values in the file are the defaults.

A server in a test must listen where nobody else does, so it cannot leave all directives alone. It is started in two
ways, and each leaves alone what the other sets."""

import atexit
import shlex

from _harness import *

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'redis.conf.example')

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'src', 'server')


def source(name):
    with open(os.path.join(SOURCES, name)) as file:
        return file.read()


# Accepted so that stock files and scripts work, without a subject yet. A directive that gets a subject leaves that
# file and comes into the example.
ROWS_ABSENT = source('config_absent.c').split('config_row rows[]')[1]
WITHOUT_SUBJECT = set(re.findall(r'^    (?:\{|[A-Z]+\()"([^"]+)"', ROWS_ABSENT, re.M))
ALIASES = set(re.findall(r'\.alias = "([^"]+)"', source('config.c') + source('config_absent.c')))
HIDDEN = {'cluster-ping-interval', 'key-load-delay', 'loading-process-events-interval-bytes', 'rdb-key-save-delay',
          'use-exit-on-panic', 'watchdog-period'}
SEVERAL_LINES = {'client-output-buffer-limit': 3}  # one for each class of clients

# The path of a unix socket is short, that of a test directory need not be.
PLACE = tempfile.mkdtemp(prefix='tern-')
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)
SOCKET = os.path.join(PLACE, 'socket')


def lines():
    with open(EXAMPLE) as file:
        return file.read().splitlines()


def is_directive(line):
    return bool(line.strip()) and not line.startswith('#')


def name_of(line):
    return shlex.split(line)[0].lower()


def through_socket(directory):
    return {'bind': '', 'unixsocket': SOCKET, 'exit-with-parent': 'yes', 'logfile': os.path.join(directory, 'log')}


def through_port(directory):
    """The log is silent, as it goes to standard output."""
    return {'port': '0', 'port-file': os.path.join(directory, 'port'), 'loglevel': 'nothing'}


def configuration(way, directory, *before):
    """CONFIG GET * of a server with 'before' in front of its command line, without what the way itself sets."""
    options = way(directory)
    words = [word for name, value in options.items() for word in ('--' + name, value)]
    server = Server(directory, base=[*before, *words], wait='port' in options)
    try:
        if 'unixsocket' in options:
            wait_until(lambda: os.path.exists(SOCKET) or not server.is_alive(), 'there is a socket')
            expect_true(server.is_alive(), f'the server ended: {server.said()}')
            client = Client(SOCKET)
        else:
            client = server.client()
        words = [word.decode() for word in client('CONFIG', 'GET', '*')]
        client.send_commands(('SHUTDOWN', 'NOSAVE'))  # by default it would write a file here
        client.expect_closed()
        server.has_ended = True
        client.close()
    except BaseException:
        server.kill()
        raise
    server.stop()
    return {name: value for name, value in zip(words[::2], words[1::2]) if name not in options}


def whole_configuration(directory, *before):
    """What either way leaves alone; both agree on the rest."""
    by_socket = configuration(through_socket, os.path.join(directory, 'socket'), *before)
    by_port = configuration(through_port, os.path.join(directory, 'port'), *before)
    for name in by_socket.keys() & by_port.keys():
        expect(by_socket[name], by_port[name], name)
    return {**by_socket, **by_port}


@test(own=True)
def the_two_ways_leave_nothing_out(_):
    expect(through_socket('').keys() & through_port('').keys(), set())


@test(own=True)
def every_directive_is_explained_and_exists(directory):
    known = whole_configuration(directory).keys() - WITHOUT_SUBJECT - ALIASES
    explained = {name_of(line) for line in lines() if is_directive(line)}
    expect(sorted(known - explained), [], 'not in redis.conf.example')
    expect(sorted(explained - known), [], 'in redis.conf.example, but unknown to the server')


@test(own=True)
def the_values_in_the_file_are_the_defaults(directory):
    defaults = whole_configuration(os.path.join(directory, 'without'))
    from_file = whole_configuration(os.path.join(directory, 'with'), os.path.abspath(EXAMPLE))
    expect({name: value for name, value in from_file.items() if value != defaults.get(name)}, {}, 'not the default')
    expect(from_file.keys(), defaults.keys())


@test(own=True)
def another_value_in_the_file_would_show(directory):
    """Or the test above would prove nothing."""
    config = os.path.join(PLACE, 'config')
    with open(config, 'w') as file:
        for line in lines():
            if is_directive(line) and name_of(line) in ('maxclients', 'timeout'):
                line = f'{name_of(line)} 123'
            file.write(line + '\n')
    values = configuration(through_port, directory, config)
    expect((values['maxclients'], values['timeout']), ('123', '123'))


@test(own=True)
def what_has_no_subject_is_still_answered(directory):
    expect(sorted((WITHOUT_SUBJECT | ALIASES) - whole_configuration(directory).keys() - HIDDEN), [], 'not in CONFIG GET *')


@test(own=True)
def each_is_explained_above_its_line_and_stands_once(_):
    names = [name_of(line) for line in lines() if is_directive(line)]
    for name in set(names):
        expect(names.count(name), SEVERAL_LINES.get(name, 1), f'lines of {name}')
    above = ''
    for number, line in enumerate(lines(), 1):
        if is_directive(line):
            expect_true(above.startswith('# ') or is_directive(above), f'redis.conf.example:{number}: nothing above explains it')
        above = line


main()
