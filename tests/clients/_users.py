"""What users' programs share: the scenarios' harness, and what they may find on this machine or not.

    from _users import *

A program that lacks what it needs says so with skip_all and ends well."""

import atexit
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'scenarios'))
from _harness import *  # noqa: E402, F403

import threading  # noqa: E402

# Paths of unix sockets are short, those of test directories need not be.
SOCKETS = tempfile.mkdtemp(prefix='tern-')
atexit.register(shutil.rmtree, SOCKETS, ignore_errors=True)
SOCKET = os.path.join(SOCKETS, 'socket')


def skip_all(why):
    print(f'{NAME}: {why}')
    print(f'{NAME}: 0 passed, 0 failed, 1 skipped')
    sys.exit(0)


def program(variable, *names):
    """The program that an environment variable names, or the first on the PATH; skips everything without."""
    for name in filter(None, (os.environ.get(variable), *names)):
        if shutil.which(name):
            return shutil.which(name)
    skip_all(f'there is no {names[0]} here')


def run(*argv, input=b'', status=0, env=None, seconds=2 * TIMEOUT):
    """Runs a program to its end and returns its output, as bytes; what it says on stderr counts as output."""
    process = subprocess.Popen(list(map(str, argv)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env={**os.environ, **(env or {})})
    try:
        output, _ = process.communicate(input, timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise Failed(f'{" ".join(map(str, argv))} did not end; it said {shown(output[-2000:])}') from None
    if process.returncode != status:
        raise Failed(f'{" ".join(map(str, argv))}: status {process.returncode}; it said {shown(output[-2000:], 2000)}')
    return output


def free_port():
    """One that nobody listens on now, and that no connection gets by itself."""
    low, high = map(int, os.environ.get('PEER_PORTS', '21000-30999').split('-'))
    while True:
        port = random.randint(low, high)
        with socket.socket() as probe:
            if probe.connect_ex(('127.0.0.1', port)) != 0:
                return port


def real_server(directory, *args):
    """A real server to compare with; the test ends it with kill()."""
    if not REAL:
        raise Skip('no real server to compare with')
    for _ in range(20):
        port = free_port()
        server = Server(directory, *args, program=REAL, wait=False,
                        base=['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', directory, '--enable-debug-command', 'yes'])
        server.port, server.must_end_well = port, False
        wait_until(lambda: not server.is_alive() or 'Ready to accept' in server.said(), 'the real server listens')
        if server.is_alive():
            return server
        if 'already in use' not in server.said():
            break
    raise Failed(f'the real server ended: {server.said()}')


class Together:
    """Threads that begin at once; leaving the block waits for them and raises what the first of them raised.

        with Together() as threads:
            threads.start(function, argument)"""

    def __init__(self, seconds=2 * TIMEOUT):
        self.seconds = seconds
        self.threads = []
        self.errors = []

    def start(self, function, *args):
        def guarded():
            try:
                function(*args)
            except BaseException as error:  # it belongs to the one who waits
                self.errors.append(error)
        thread = threading.Thread(target=guarded, daemon=True)
        self.threads.append(thread)
        thread.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        end = time.monotonic() + (self.seconds if error is None else 1)
        for thread in self.threads:
            thread.join(max(0, end - time.monotonic()))
        if error is None and self.errors:
            raise self.errors[0]
        if error is None and any(thread.is_alive() for thread in self.threads):
            raise Failed('a thread did not end')


def in_threads(count, function):
    """function(0) ... function(count - 1), each in a thread."""
    with Together() as threads:
        for i in range(count):
            threads.start(function, i)
