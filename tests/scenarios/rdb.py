#!/usr/bin/env python3
"""Snapshots: what is written comes back, and nothing that goes wrong meanwhile harms what was there."""

import glob
import resource

from _harness import *


def fill(client, keys=300):
    commands = []
    for i in range(keys):
        key = f'key:{i}'
        commands.append([('SET', key, 'v' * (i % 700)), ('SET', key, i * 7919), ('RPUSH', key, 'a', i, 'x' * i),
                         ('SADD', key, i, i + 1, -i), ('SADD', key, 'a', 'b', i), ('HSET', key, 'f', i, 'g', 'x' * (i % 90)),
                         ('ZADD', key, i, 'a', 1.5, 'b', '-inf', 'c'), ('XADD', key, f'{i + 1}-1', 'f', i, 'g', 'h')][i % 8])
        if i % 5 == 0:
            commands.append(('PEXPIREAT', key, 4000000000000 + i))
    for i in range(800):
        commands.append(('RPUSH', 'long:list', 'value' * (i % 40)))
        commands.append(('HSET', 'long:hash', f'field:{i}', 'x' * (i % 100)))
        commands.append(('SADD', 'long:set', f'member:{i}'))
        commands.append(('ZADD', 'long:zset', i % 50 / 8, f'member:{i}'))
        commands.append(('XADD', 'long:stream', f'{i + 1}-{i % 3}', 'field', i, 'other', 'x' * (i % 50)))
    commands += [('XGROUP', 'CREATE', 'long:stream', 'g', '0'), ('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 50, 'STREAMS', 'long:stream', '>'),
                 ('SELECT', 3), ('SET', 'elsewhere', 'x'), ('SELECT', 0)]
    for reply in client.all(*commands):
        expect_true(not isinstance(reply, Error), reply)


def digest(client):
    return client('DEBUG', 'DIGEST')


def path_of(server, name='dump.rdb'):
    return os.path.join(server.directory, name)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def has_open(server, name):
    """Whether the server has a file of that name open."""
    for link in glob.glob(f'/proc/{server.pid}/fd/*'):
        with contextlib.suppress(OSError):
            if os.path.basename(os.readlink(link)) == name:
                return True
    return False


def wait_saved(client):
    wait_until(lambda: client.info('rdb_bgsave_in_progress') == 0, 'the child has ended')


def start_again(server, *args, wait=True):
    """Another server in the same directory."""
    port_file = os.path.join(server.directory, 'port')
    if os.path.exists(port_file):
        os.unlink(port_file)
    again = Server.__new__(Server)
    again.__dict__.update(directory=server.directory, port_file=port_file, log_file=server.log_file + '.again',
                          stderr_file=server.stderr_file + '.again', clients=[], must_end_well=True, has_ended=False, port=None)
    with open(again.stderr_file, 'wb') as stderr:
        again.process = subprocess.Popen(
            [os.path.abspath(PROGRAM), '--port', '0', '--port-file', port_file, '--exit-with-parent', 'yes', '--save', '',
             '--enable-debug-command', 'yes', '--dir', server.directory, '--logfile', again.log_file, *map(str, args)],
            stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
    again.pid = again.process.pid
    if wait:
        again.wait_for_port()
    return again


# ---- there and back -------------------------------------------------------------------------------------------------


@test()
def everything_comes_back_after_a_restart(server):
    client = server.client()
    fill(client)
    before, size = digest(client), client('DBSIZE')
    expect(client('SAVE'), 'OK')
    expect(client.info('rdb_changes_since_last_save'), 0)
    expect(client.info('rdb_saves'), 1)
    server.kill()
    again = start_again(server)
    client = again.client()
    expect(digest(client), before)
    expect(client('DBSIZE'), size)
    expect(client.info('rdb_last_load_keys_loaded'), size + 1)
    expect(client('PEXPIRETIME', 'key:5'), 4000000000005)
    again.stop()
    server.has_ended = True
    server.must_end_well = False


@test()
def debug_reload_changes_nothing(server):
    client = server.client()
    fill(client)
    before = digest(client)
    for options in ((), ('NOSAVE',), ('NOFLUSH', 'MERGE'), ('NOSAVE', 'NOFLUSH', 'MERGE')):
        expect(client('DEBUG', 'RELOAD', *options), 'OK')
        expect(digest(client), before, str(options))
    expect_error(client('DEBUG', 'RELOAD', 'NOSAVE', 'NOFLUSH'), 'ERR Error trying to load the RDB dump')
    expect_error(client('DEBUG', 'RELOAD', 'X'), 'ERR DEBUG RELOAD only supports')


@test()
def the_file_is_the_same_whether_packed_or_with_a_checksum(server):
    client = server.client()
    fill(client)
    before = digest(client)
    expect(client('SAVE'), 'OK')
    packed = os.path.getsize(path_of(server))
    expect(client('CONFIG', 'SET', 'rdbcompression', 'no'), 'OK')
    expect(client('DEBUG', 'RELOAD'), 'OK')
    expect(digest(client), before)
    expect_true(os.path.getsize(path_of(server)) > packed, 'nothing was packed')


@test('--rdbchecksum', 'no')
def without_a_checksum_it_is_zero(server):
    client = server.client()
    fill(client, 10)
    before = digest(client)
    expect(client('DEBUG', 'RELOAD'), 'OK')
    expect(digest(client), before)
    expect(read(path_of(server))[-8:], bytes(8))


@test()
def what_has_expired_does_not_come_back(server):
    client = server.client()
    client('SET', 'gone', 'x', 'PX', 50)
    client('SET', 'stays', 'x')
    expect(client('DEBUG', 'SET-ACTIVE-EXPIRE', '0'), 'OK')
    client.advance(100)
    expect(client('DEBUG', 'RELOAD'), 'OK')
    expect(client('DBSIZE'), 1)
    expect(client.info('rdb_last_load_keys_expired'), 1)


@test('--maxmemory-policy', 'allkeys-lru')
def how_long_a_key_was_not_used_is_kept(server):
    client = server.client()
    client.freeze()
    client('SET', 'k', 'x')
    client.advance(500_000)
    expect(client('DEBUG', 'RELOAD'), 'OK')
    expect(client('OBJECT', 'IDLETIME', 'k'), 500)


@test('--maxmemory-policy', 'allkeys-lfu')
def how_often_a_key_was_used_is_kept(server):
    client = server.client()
    client('SET', 'k', 'x')
    for _ in range(20):
        client('GET', 'k')
    before = client('OBJECT', 'FREQ', 'k')
    expect_true(before > 5, before)
    expect(client('DEBUG', 'RELOAD'), 'OK')
    expect(client('OBJECT', 'FREQ', 'k'), before)


# ---- in the background ----------------------------------------------------------------------------------------------


@test('--rdb-key-save-delay', '1000')
def a_child_writes_what_was_there_when_it_began(server):
    client = server.client()
    fill(client, 200)
    before = digest(client)
    expect(client('BGSAVE'), 'Background saving started')
    expect_error(client('BGSAVE'), 'ERR Background save already in progress')
    expect_error(client('BGSAVE', 'SCHEDULE'), 'ERR Background save already in progress')
    expect_error(client('SAVE'), 'ERR Background save already in progress')
    expect(client.info('rdb_bgsave_in_progress'), 1)
    client('FLUSHDB')
    client('SET', 'after', 'x')
    wait_saved(client)
    expect(client.info('rdb_last_bgsave_status'), 'ok')
    expect(client.info('rdb_changes_since_last_save') > 0, True)
    expect(client('DEBUG', 'RELOAD', 'NOSAVE'), 'OK')
    expect(digest(client), before)


@test()
def it_waits_for_another_child_when_it_may(server):
    client = server.client()
    client('SET', 'k', 'v')
    pid = client('DEBUG', 'SNAPSHOT-CHILD', 600_000)
    expect_error(client('BGSAVE'), 'ERR Another child process is active')
    expect(client('BGSAVE', 'SCHEDULE'), 'Background saving scheduled')
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: client.info('rdb_saves') == 1, 'the snapshot is written')


@test('--rdb-key-save-delay', '100000')
def a_child_that_is_killed_leaves_the_old_file(server):
    client = server.client()
    client('CONFIG', 'SET', 'rdb-key-save-delay', 0)
    client('SET', 'k', 'old')
    expect(client('SAVE'), 'OK')
    old = read(path_of(server))
    client('CONFIG', 'SET', 'rdb-key-save-delay', 100000)
    fill(client, 100)
    expect(client('BGSAVE'), 'Background saving started')
    wait_until(lambda: glob.glob(path_of(server, 'temp-*.rdb')), 'the child writes')
    child = int(re.search(r'started by pid (\d+)', server.log()).group(1))
    os.kill(child, signal.SIGKILL)
    wait_saved(client)
    expect(client.info('rdb_last_bgsave_status'), 'err')
    expect(read(path_of(server)), old)
    expect(glob.glob(path_of(server, 'temp-*.rdb')), [])


@test('--rdb-key-save-delay', '50000')
def a_server_that_is_killed_meanwhile_leaves_the_old_file(server):
    client = server.client()
    client('CONFIG', 'SET', 'rdb-key-save-delay', 0)
    fill(client, 50)
    before = digest(client)
    expect(client('SAVE'), 'OK')
    client('CONFIG', 'SET', 'rdb-key-save-delay', 50000)
    client('SET', 'later', 'x')
    expect(client('BGSAVE'), 'Background saving started')
    wait_until(lambda: glob.glob(path_of(server, 'temp-*.rdb')), 'the child writes')
    child = int(re.search(r'started by pid (\d+)', server.log()).group(1))
    server.kill()
    os.kill(child, signal.SIGKILL)
    again = start_again(server)
    expect(digest(again.client()), before)
    again.stop()
    server.has_ended = True
    server.must_end_well = False


@test('--rdb-key-save-delay', '50000')
def what_was_flushed_does_not_come_back(server):
    """FLUSHALL ends the child, and writes an empty file when snapshots are wanted."""
    client = server.client()
    fill(client, 100)
    expect(client('BGSAVE'), 'Background saving started')
    wait_until(lambda: glob.glob(path_of(server, 'temp-*.rdb')), 'the child writes')
    expect(client('FLUSHALL'), 'OK')
    expect(client.info('rdb_bgsave_in_progress'), 0)
    expect(client.info('rdb_last_bgsave_status'), 'ok')
    expect(glob.glob(path_of(server, '*.rdb')), [])
    client.all(('SET', 'k', 'v'), ('CONFIG', 'SET', 'save', '3600 1'), ('FLUSHALL',), ('CONFIG', 'SET', 'save', ''))
    expect(glob.glob(path_of(server, '*.rdb')), [path_of(server)])
    expect(client('DEBUG', 'RELOAD', 'NOSAVE'), 'OK')
    expect(client('DBSIZE'), 0)


@test()
def a_reload_is_noticed_by_watch(server):
    client = server.client()
    client.all(('SET', 'k', 'v'), ('WATCH', 'k'))
    expect(server.client()('DEBUG', 'RELOAD'), 'OK')
    client.all(('MULTI',), ('GET', 'k'))
    expect(client('EXEC'), None)


@test()
def save_points_are_reached(server):
    client = server.client()
    expect(client('CONFIG', 'SET', 'save', '100 3'), 'OK')
    client.all(('SET', 'a', '1'), ('SET', 'b', '1'))
    client.advance(200_000)
    client.all(('PING',), ('PING',))
    expect(client.info('rdb_saves'), 0)
    client('SET', 'c', '1')
    wait_until(lambda: client.info('rdb_saves') == 1, 'the snapshot is written')
    wait_saved(client)
    expect(client.info('rdb_changes_since_last_save'), 0)
    expect_true('3 changes in 100 seconds. Saving...' in server.log(), server.log())
    expect(client('CONFIG', 'SET', 'save', ''), 'OK')


# ---- what goes wrong ------------------------------------------------------------------------------------------------


@test()
def a_failure_is_told_and_stops_writes(server):
    client = server.client()
    expect(client('CONFIG', 'SET', 'save', '3600 1'), 'OK')
    client('SET', 'k', 'v')
    expect(client('SAVE'), 'OK')
    old = read(path_of(server))
    shutil.copy(path_of(server), path_of(server, 'kept'))
    os.unlink(path_of(server))
    os.mkdir(path_of(server))  # a directory does not give up its name
    expect_error(client('SAVE'), 'ERR')
    expect(client('BGSAVE'), 'Background saving started')
    wait_saved(client)
    expect(client.info('rdb_last_bgsave_status'), 'err')
    expect_error(client('SET', 'k', 'w'), 'MISCONF Redis is configured to save RDB snapshots')
    expect_error(client('PING'), 'MISCONF')
    expect(client('GET', 'k'), b'v')
    expect(client('MULTI'), 'OK')
    expect_error(client('SET', 'k', 'w'), 'MISCONF')
    expect_error(client('EXEC'), 'EXECABORT')
    script = "return redis.call('set', 'k', 'w')"
    expect_error(client('EVAL', script, 0), 'MISCONF')
    expect_error(client('EVAL', '#!lua\nreturn 1', 0), 'MISCONF')
    expect(client('EVAL', "#!lua flags=no-writes\nreturn redis.call('get', 'k')", 0), b'v')
    expect(client('EVAL', "return redis.call('ping')", 0), 'PONG')
    expect(client('MULTI'), 'OK')
    expect(client('EVAL', script, 0), 'QUEUED')
    expect_error(client('EXEC')[0], 'MISCONF')
    expect_error(client('SHUTDOWN'), 'ERR Errors trying to SHUTDOWN. Check logs.')
    expect(client('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no'), 'OK')
    expect(client('SET', 'k', 'w'), 'OK')
    expect(client('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'yes'), 'OK')
    expect_error(client('SET', 'k', 'x'), 'MISCONF')
    os.rmdir(path_of(server))
    expect(client('BGSAVE'), 'Background saving started')
    wait_saved(client)
    expect(client('SET', 'k', 'x'), 'OK')
    expect(client('CONFIG', 'SET', 'save', ''), 'OK')
    expect(glob.glob(path_of(server, 'temp-*.rdb')), [])
    expect(read(path_of(server, 'kept')), old)


@test()
def a_full_disk_leaves_the_old_file(server):
    client = server.client()
    client('SET', 'k', 'v')
    expect(client('SAVE'), 'OK')
    old = read(path_of(server))
    client('SET', 'big', os.urandom(300000))
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (100000, 100000))  # a write beyond it fails
    expect(client('BGSAVE'), 'Background saving started')
    wait_saved(client)
    expect(client.info('rdb_last_bgsave_status'), 'err')
    expect(read(path_of(server)), old)
    expect(glob.glob(path_of(server, 'temp-*.rdb')), [])


@test()
def a_damaged_file_is_refused_at_start(server):
    client = server.client()
    fill(client, 40)
    expect(client('SAVE'), 'OK')
    good = read(path_of(server))
    server.kill()
    server.must_end_well = False
    server.has_ended = True
    for name, content in [('cut', good[:-100]), ('changed', good[:len(good) // 2] + b'\x55' + good[len(good) // 2 + 1:]),
                          ('empty', b''), ('foreign', b'no RDB at all'), ('later', b'REDIS9999' + good[9:]),
                          ('unknown', good[:9] + b'\xc8\x01k\x01v\xff' + bytes(8))]:
        with open(path_of(server), 'wb') as file:
            file.write(content)
        again = start_again(server, wait=False)
        expect(again.wait(), 1, name)
        expect_true('Fatal error loading the DB, check server logs. Exiting.' in again.log(), name + again.log())
        os.unlink(again.log_file)


@test('--enable-protected-configs', 'yes', in_turn=True)
def others_hear_that_data_are_loaded(server):
    client = server.client()
    fill(client, 200)
    before = digest(client)
    expect(client('SAVE'), 'OK')
    other = server.client()
    expect(client('CONFIG', 'SET', 'loading-process-events-interval-bytes', 1024, 'key-load-delay', 2000), 'OK')
    client.send_commands(('DEBUG', 'RELOAD', 'NOSAVE'))
    wait_until(lambda: has_open(server, 'dump.rdb'), 'it is loading')
    expect_error(other('GET', 'key:0'), 'LOADING Redis is loading the dataset in memory')
    expect_error(other('DEBUG', 'RELOAD'), 'LOADING Redis is loading')
    expect_error(other('CONFIG', 'SET', 'dir', '.'), 'LOADING Redis is loading')
    expect(other.info('loading'), 1)
    expect_true(other.info('loading_total_bytes') > 1000, 'how much there is to load')
    expect(other('LASTSAVE') > 0, True)
    expect(client.read(), 'OK')
    expect(other('PING'), 'PONG')
    expect(digest(client), before)


@test()
def a_start_that_loads_may_be_ended(server):
    client = server.client()
    fill(client, 200)
    expect(client('SAVE'), 'OK')
    server.kill()
    server.must_end_well = False
    server.has_ended = True
    again = start_again(server, '--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024', wait=False)
    wait_until(lambda: 'Server initialized' in again.log(), 'it has begun')
    again.process.send_signal(signal.SIGTERM)
    expect(again.wait(), 0)


# ---- the end --------------------------------------------------------------------------------------------------------


@test()
def what_shutdown_is_told_about_saving_holds(server):
    client = server.client()
    client('SET', 'k', 'v')
    expect_error(client('SHUTDOWN', 'SAVE', 'NOSAVE'), 'ERR syntax error')
    client.send_commands(('SHUTDOWN', 'SAVE'))
    client.expect_closed()
    server.has_ended = True
    expect(server.wait(), 0)
    expect_true(os.path.exists(path_of(server)), 'nothing was written')
    again = start_again(server, '--save', '3600 1')
    client = again.client()
    expect(client('GET', 'k'), b'v')
    client('SET', 'k', 'w')
    client.send_commands(('SHUTDOWN', 'NOSAVE'))
    client.expect_closed()
    again.wait()
    again = start_again(server, '--save', '3600 1')
    client = again.client()
    expect(client('GET', 'k'), b'v')
    client('SET', 'k', 'w')
    again.process.send_signal(signal.SIGTERM)
    expect(again.wait(), 0)
    again = start_again(server)
    expect(again.client()('GET', 'k'), b'w')
    again.stop()


# ---- with others ----------------------------------------------------------------------------------------------------


@test()
def the_file_of_a_real_server_is_read(server):
    client = server.client()
    with real_client(os.path.join(server.directory, 'real'), '--enable-debug-command', 'yes') as real:
        fill(real)
        expect(real('SAVE'), 'OK')
        shutil.copy(path_of(server, 'real/dump.rdb'), path_of(server))
        expect(client('DEBUG', 'RELOAD', 'NOSAVE'), 'OK')
        expect(client('DBSIZE'), real('DBSIZE'))
        expect(digest(client), digest(real))


@test()
def a_real_server_reads_the_file(server):
    client = server.client()
    with real_client(os.path.join(server.directory, 'real'), '--enable-debug-command', 'yes') as real:
        version = real.info('redis_version').split('.')
        if (int(version[0]), int(version[1])) < (7, 2):
            raise Skip('it does not know this version of the format')
        fill(client)
        expect(client('SAVE'), 'OK')
        shutil.copy(path_of(server), path_of(server, 'real/dump.rdb'))
        expect(real('DEBUG', 'RELOAD', 'NOSAVE'), 'OK')
        expect(client('DBSIZE'), real('DBSIZE'))
        expect(digest(client), digest(real))


@test()
def functions_in_a_file_are_kept(server):
    """Those of a server that has some: they are written again."""
    client = server.client()
    client('SET', 'k', 'v')
    expect(client('SAVE'), 'OK')
    plain = read(path_of(server))
    code = b'#!lua name=lib\nredis.register_function("f", function() return 1 end)'
    at = plain.index(b'\xfe\x00')  # the first database
    with open(path_of(server), 'wb') as file:
        file.write(plain[:at] + b'\xf5\x40' + bytes([len(code)]) + code + plain[at:-8] + bytes(8))
    expect(client('DEBUG', 'RELOAD', 'NOSAVE'), 'OK')
    expect(client('GET', 'k'), b'v')
    expect(client('SAVE'), 'OK')
    expect_true(b'\xf5' in read(path_of(server)) and b'name=lib' in read(path_of(server)), 'they are gone')
    expect(client('DEBUG', 'RELOAD'), 'OK')


main()
