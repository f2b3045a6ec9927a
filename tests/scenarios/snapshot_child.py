#!/usr/bin/env python3
"""A child that holds a snapshot shares the server's pages: reading copies next to none of them."""

from _harness import *

KEYS = scaled(10_000_000, 100_000, 20_000)


def copied_kb(pid):
    """What the child no longer shares with the server, in kB."""
    total = 0
    with open(f'/proc/{pid}/smaps_rollup') as file:
        for line in file:
            if line.startswith(('Private_Dirty:', 'Private_Clean:')):
                total += int(line.split()[1])
    return total


def rss_kb(pid):
    with open(f'/proc/{pid}/smaps_rollup') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('Rss:'))


@test()
def reading_copies_next_to_no_pages(server):
    client = server.client()
    expect(client('DEBUG', 'POPULATE', KEYS, 'key', 64), 'OK')
    pid = client('DEBUG', 'SNAPSHOT-CHILD', 600_000)
    before = copied_kb(pid)
    expect(client('DEBUG', 'CLOCK', 'ADVANCE', 5000), 'OK')  # access clocks would change now
    random.seed(1)
    for _ in range(scaled(100, 20, 2)):
        keys = [f'key:{random.randrange(KEYS)}' for _ in range(1000)]
        values = client('MGET', *keys)
        expect(len([value for value in values if value is not None]), 1000)
    copied = copied_kb(pid) - before
    print(f'    the child holds {rss_kb(pid)} kB, {copied} kB of them were copied')
    if not IS_SANITIZED:
        expect_true(copied < 2048, f'{copied} kB were copied by reading')


@test()
def the_snapshot_keeps_what_changes_meanwhile(server):
    client = server.client()
    expect(client('DEBUG', 'POPULATE', scaled(200_000, 20_000, 2_000), 'key', 64), 'OK')
    pid = client('DEBUG', 'SNAPSHOT-CHILD', 600_000)
    expect_error(client('DEBUG', 'SNAPSHOT-CHILD', 1), 'ERR')
    doomed = [f'key:{i}' for i in range(0, scaled(200_000, 20_000, 2_000), 2)]
    expect(client('DEL', *doomed), len(doomed))
    expect(client('DBSIZE'), scaled(100_000, 10_000, 1_000))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: client('DEBUG', 'SNAPSHOT-CHILD', 0).__class__ is int, 'the next child may come')
    expect(client('GET', 'key:1') is not None, True)


main()
