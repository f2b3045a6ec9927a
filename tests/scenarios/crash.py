#!/usr/bin/env python3
"""What the log says when the server dies."""

from _harness import *


def dies(server, *words):
    """Its log after a command that ends it."""
    client = server.client()
    expect(client('SET', 'k', 'v'), 'OK')
    client.send_commands(('DEBUG',) + words)
    client.expect_closed()
    server.wait()
    server.must_end_well = False
    return server.log()


def expect_report(log, signal_number):
    if IS_SANITIZED:
        raise Skip('the sanitizer reports itself')
    for part in (f'crashed by signal: {signal_number}', '--- registers', '--- stack trace', 'tern-server(+0x',
                 '--- running command: debug', 'argv[0]: 5 bytes: DEBUG', 'client: id=', 'REPORT: end'):
        expect_true(part in log, f'{part} is missing in:\n{log}')


@test()
def a_segmentation_fault_is_reported(server):
    log = dies(server, 'SEGFAULT')
    expect_report(log, 11)
    expect_true('Accessing address: 0x' in log, log)
    expect(server.process.returncode, -11)


@test()
def an_assertion_is_reported(server):
    log = dies(server, 'ASSERT')
    expect_true('ASSERTION FAILED: src/server/debug_crash.c' in log, log)
    expect_report(log, 6)


@test()
def a_panic_is_reported(server):
    log = dies(server, 'PANIC')
    expect_true('PANIC' in log, log)
    expect_report(log, 6)


@test()
def no_memory_is_reported(server):
    if IS_SANITIZED:
        raise Skip('the sanitizer gives none at all')
    expect_report(dies(server, 'OOM'), 6)


@test()
def a_long_command_is_cut(server):
    log = dies(server, 'SEGFAULT', 'x' * 5000, *['y'] * 50)
    expect_report(log, 11)
    expect_true('argv[2]: 5000 bytes: ' + 'x' * 64 + '\n' in log, log)
    expect_true('... and 37 more' in log, log)


main()
