"""What the scenarios share: a server of our own for each test, and raw connections to it.

    from _harness import *

    @test()
    def a_value_comes_back(server):
        client = server.client()
        expect(client('SET', 'k', 'v'), 'OK')

    main()

A test gets a fresh server and plays alone on it. When it is over, the server must still be there, must end with
status 0 when told to, and must have written nothing to stderr (where sanitizers and leaks report).

Nothing here waits for a time to pass: what must not happen yet is looked for after the server has answered somebody
else (see Client.is_silent), and what takes a while is waited for with wait_until. TIMEOUT tells a hang from a delay.

From the environment: TERN_SERVER, REDIS_SERVER, TEST_DIR, VARIANT (asan, stress: slower, so sizes shrink, see scaled),
ONLY or the command line: parts of the names of the tests to run."""

import contextlib
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

NAME = os.path.splitext(os.path.basename(sys.argv[0]))[0]
PROGRAM = os.environ.get('TERN_SERVER') or 'build/tern-server'
REAL = os.environ.get('REDIS_SERVER')  # a real server to compare with, or None
VARIANT = os.environ.get('VARIANT') or 'release'
IS_SANITIZED = VARIANT in ('asan', 'stress') or any(f'/{v}/' in PROGRAM for v in ('asan', 'stress'))
IS_STRESS = VARIANT == 'stress' or '/stress/' in PROGRAM
TIMEOUT = 120 if IS_SANITIZED else 60
MB = 1024 * 1024

os.environ.setdefault('ASAN_OPTIONS', 'halt_on_error=1:strict_string_checks=1:allocator_may_return_null=1')
os.environ.setdefault('UBSAN_OPTIONS', 'halt_on_error=1:print_stacktrace=1')


def scaled(normal, sanitized, stress=None):
    """A size for the build under test: stress builds read one byte at a time."""
    if IS_STRESS and stress is not None:
        return stress
    return sanitized if IS_SANITIZED else normal


class Failed(Exception):
    pass


class Skip(Exception):
    pass


def shown(value, most=300):
    text = repr(value)
    return text if len(text) <= most else f'{text[:most]}... ({len(text)} characters)'


def expect(actual, wanted, what=''):
    if actual != wanted:
        raise Failed(f'{what + ": " if what else ""}got {shown(actual)}, expected {shown(wanted)}')


def expect_true(condition, what):
    if not condition:
        raise Failed(what)


def expect_error(actual, beginning):
    if not isinstance(actual, Error) or not actual.text.startswith(beginning):
        raise Failed(f'got {shown(actual)}, expected an error {beginning!r}')


def wait_until(condition, what, seconds=TIMEOUT):
    """Calls condition() until it is true; its value is returned."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f'waited in vain until {what}')
        time.sleep(0.005)


# ---- RESP -----------------------------------------------------------------------------------------


class Error:
    """An error reply."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return f'Error({self.text!r})'

    def __eq__(self, other):
        return isinstance(other, Error) and other.text == self.text

    __hash__ = None


class Status(str):
    """A simple string; equals a str."""


class Push(list):
    """An out of band message of RESP3."""


def encode(*words):
    parts = [b'*%d\r\n' % len(words)]
    for word in words:
        word = word if isinstance(word, (bytes, bytearray)) else str(word).encode()
        parts.append(b'$%d\r\n' % len(word))
        parts.append(word)
        parts.append(b'\r\n')
    return b''.join(parts)


def pipeline(*commands):
    return b''.join(encode(*command) for command in commands)


class Closed(Failed):
    pass


class Client:
    """One connection. Replies: Status, Error, int, bytes, None, list, dict (maps), Push."""

    def __init__(self, address, timeout=TIMEOUT, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b''
        self.at = 0

    def send(self, data):
        self.socket.sendall(data)

    def send_commands(self, *commands):
        self.send(pipeline(*commands))

    def __call__(self, *words):
        self.send(encode(*words))
        return self.read()

    def all(self, *commands):
        """Sends them in one piece; returns the replies."""
        self.send_commands(*commands)
        return [self.read() for _ in commands]

    def _fill(self, size):
        """Has 'size' bytes at self.at."""
        if len(self.buffer) - self.at >= size:
            return
        parts = [self.buffer[self.at:]]
        have = len(parts[0])
        while have < size:
            try:
                part = self.socket.recv(max(65536, min(size - have, 4 * MB)))
            except (TimeoutError, socket.timeout):
                raise Failed(f'no reply within {self.socket.gettimeout()} seconds; so far {shown(b"".join(parts))}') from None
            except ConnectionResetError:
                part = b''
            if not part:
                self.buffer, self.at = b''.join(parts), 0
                raise Closed('the server closed the connection' + (f', after {shown(self.buffer)}' if self.buffer else ''))
            parts.append(part)
            have += len(part)
        self.buffer, self.at = b''.join(parts), 0

    def _line(self):
        while True:
            end = self.buffer.find(b'\r\n', self.at)
            if end >= 0:
                line = self.buffer[self.at:end]
                self.at = end + 2
                return line
            self._fill(len(self.buffer) - self.at + 1)

    def read(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b'+':
            return Status(rest.decode('utf-8', 'replace'))
        if kind == b'-':
            return Error(rest.decode('utf-8', 'replace'))
        if kind == b':':
            return int(rest)
        if kind in b'$=':
            size = int(rest)
            if size < 0:
                return None
            value = self.read_bytes(size + 2)
            if value[-2:] != b'\r\n':
                raise Failed(f'a bulk string of {size} bytes ends in {value[-2:]!r}')
            return value[:-2] if kind == b'$' else value[4:-2]
        if kind in b'*~':
            return None if rest == b'-1' else [self.read() for _ in range(int(rest))]
        if kind == b'>':
            return Push(self.read() for _ in range(int(rest)))
        if kind == b'%':
            return dict((self._hashable(), self.read()) for _ in range(int(rest)))
        if kind == b'_':
            return None
        if kind == b'#':
            return rest == b't'
        if kind == b',':
            return float(rest)
        raise Failed(f'not a reply: {shown(line)}')

    def _hashable(self):
        key = self.read()
        return tuple(key) if isinstance(key, list) else key

    def read_bytes(self, size):
        self._fill(size)
        value = self.buffer[self.at:self.at + size]
        self.at += size
        return value

    def read_many(self, count):
        return [self.read() for _ in range(count)]

    def has_input(self):
        return self.at < len(self.buffer) or bool(select.select([self.socket], [], [], 0)[0])

    def peek(self):
        """What has come and is not read yet."""
        while select.select([self.socket], [], [], 0)[0]:
            part = self.socket.recv(MB)
            if not part:
                break
            self.buffer = self.buffer[self.at:] + part
            self.at = 0
        return self.buffer[self.at:]

    def is_silent(self, other):
        """True when nothing has come for us although the server has since been through two turns for 'other'."""
        other('PING')
        other('PING')
        return not self.has_input()

    def rest(self):
        """Everything until the server closes."""
        parts = [self.buffer[self.at:]]
        self.buffer, self.at = b'', 0
        while True:
            try:
                part = self.socket.recv(MB)
            except (TimeoutError, socket.timeout):
                raise Failed(f'the server did not close the connection; it sent {shown(b"".join(parts))}') from None
            except ConnectionResetError:
                part = b''
            if not part:
                return b''.join(parts)
            parts.append(part)

    def expect_closed(self, before=b''):
        expect(self.rest(), before, 'before the end')

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    # What many tests do

    def id(self):
        return self('CLIENT', 'ID')

    def resp3(self):
        reply = self('HELLO', '3')
        expect_true(isinstance(reply, dict), f'HELLO 3: {shown(reply)}')
        return self

    def info(self, field, section='everything'):
        """One field of INFO, as a number when it is one."""
        reply = self('INFO', section)
        found = re.search(rb'^%s:(.*?)\r?$' % field.encode(), reply, re.M)
        if not found:
            raise Failed(f'INFO {section} has no {field}')
        value = found.group(1).decode()
        try:
            return int(value)
        except ValueError:
            return value

    def described(self, client_id):
        """The fields of a client in CLIENT LIST, or None."""
        for line in self('CLIENT', 'LIST').decode().splitlines():
            fields = dict(word.split('=', 1) for word in line.split(' '))
            if int(fields['id']) == client_id:
                return fields
        return None

    def freeze(self):
        expect(self('DEBUG', 'CLOCK', 'FREEZE'), 'OK')

    def advance(self, ms):
        expect(self('DEBUG', 'CLOCK', 'ADVANCE', ms), 'OK')

    def wait_blocked(self, count):
        """Until so many clients wait for keys."""
        wait_until(lambda: self.info('blocked_clients') == count, f'{count} clients are blocked')


# ---- servers --------------------------------------------------------------------------------------


class Server:
    def __init__(self, directory, *args, wait=True, base=None, program=None):
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        self.directory = directory
        self.port_file = os.path.join(directory, 'port')
        self.log_file = os.path.join(directory, 'log')
        self.stderr_file = os.path.join(directory, 'stderr')
        if base is None:
            base = ['--port', '0', '--port-file', self.port_file, '--exit-with-parent', 'yes', '--save', '',
                    '--enable-debug-command', 'yes', '--dir', directory, '--logfile', self.log_file]
        with open(self.stderr_file, 'wb') as stderr:
            self.process = subprocess.Popen([os.path.abspath(program or PROGRAM), *map(str, base), *map(str, args)],
                                            stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
        self.pid = self.process.pid
        self.clients = []
        self.must_end_well = True
        self.has_ended = False  # the test has ended it itself
        self.port = None
        if wait:
            self.wait_for_port()

    def wait_for_port(self):
        def port():
            if self.process.poll() is not None:
                raise Failed(f'the server ended with status {self.process.returncode}: {self.said()}')
            return os.path.exists(self.port_file)

        wait_until(port, 'there is a port file')
        with open(self.port_file) as file:
            self.port = int(file.read())

    def client(self, **options):
        client = Client(('127.0.0.1', self.port), **options)
        self.clients.append(client)
        return client

    def clients_of(self, count):
        return [self.client() for _ in range(count)]

    @contextlib.contextmanager
    def stands_still(self):
        """What clients send meanwhile is all there when it goes on: it is served in one turn, in this order."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            wait_until(lambda: self.state() == 'T', 'the server stands still')
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def at_once(self, *work):
        """Has what each (client, bytes) sends served in one turn."""
        probe = self.client()
        expect(probe('PING'), 'PONG')  # those who came before it are accepted
        probe.close()
        with self.stands_still():
            for client, data in work:
                client.send(data)

    def state(self):
        with open(f'/proc/{self.pid}/stat') as file:
            return file.read().rsplit(')', 1)[1].split()[0]

    def log(self):
        try:
            with open(self.log_file, errors='replace') as file:
                return file.read()
        except FileNotFoundError:
            return ''

    def said(self):
        """What it wrote to stdout and stderr."""
        with open(self.stderr_file, errors='replace') as file:
            return file.read()

    def cpu_seconds(self):
        with open(f'/proc/{self.pid}/stat') as file:
            fields = file.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def status_bytes(self, field):
        """VmHWM, VmRSS ... of /proc, in bytes."""
        with open(f'/proc/{self.pid}/status') as file:
            for line in file:
                if line.startswith(field + ':'):
                    return int(line.split()[1]) * 1024
        raise Failed(f'no {field}')

    def reset_peak(self):
        with open(f'/proc/{self.pid}/clear_refs', 'w') as file:
            file.write('5')

    def is_alive(self):
        return self.process.poll() is None

    def wait_a_moment(self):
        """A process that dies closes its connections first."""
        try:
            self.process.wait(1 + 4 * IS_SANITIZED)
        except subprocess.TimeoutExpired:
            pass

    def wait(self):
        try:
            return self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Failed('the server did not end') from None

    def stop(self):
        """Ends it as a person would; raises when it had ended before, ends badly or has complained."""
        problems = []
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        elif self.must_end_well and not self.has_ended:
            problems.append('it had ended before it was told to')
        try:
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
            problems.append('it did not end when told to')
        if self.must_end_well and status != 0:
            problems.append(f'status {status}')
        if self.must_end_well and self.said().strip():
            problems.append('it said:\n' + self.said()[-6000:])
        if problems:
            raise Failed(f'the server {self.pid}: ' + ', '.join(problems) + '\n' + self.log()[-1500:])

    def kill(self):
        """At once and without questions."""
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def real_client(directory, *args):
    """A connection to a real server to compare with, which works in 'directory' and ends with the block."""
    if not REAL:
        raise Skip('there is no real server')
    os.makedirs(directory, exist_ok=True)
    with tempfile.TemporaryDirectory() as short:  # the path of a socket may not be long
        path = os.path.join(short, 's')
        process = subprocess.Popen([REAL, '--port', '0', '--unixsocket', path, '--dir', directory, '--save', '', *args],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: os.path.exists(path) or process.poll() is not None, 'the real server listens')
            client = Client(path)
            yield client
            client.close()
        finally:
            process.terminate()
            process.wait()


# ---- running --------------------------------------------------------------------------------------

_tests = []


def test(*args, own=False, in_turn=False):
    """Marks a test; 'args' go to the server's command line. own: gets a directory's name instead, starts servers itself.

    in_turn: what it expects is certain when each of several clients is read whole in its turn. A stress build reads a
    byte at a time, so that their commands mix: there it only has to do no harm."""
    def mark(function):
        _tests.append((function, args, own, in_turn and IS_STRESS))
        return function
    return mark


def _run(function, args, own, is_loose, directory):
    if own:
        shutil.rmtree(directory, ignore_errors=True)
        function(directory)
        return
    server = Server(directory, *args)
    try:
        function(server)
    except BaseException as error:
        if isinstance(error, (Closed, OSError)):
            server.wait_a_moment()
        if server.is_alive() and is_loose and isinstance(error, Failed):
            server.stop()
            return
        if server.is_alive():
            server.must_end_well = False
            server.stop()
        else:
            traceback.print_exc(file=sys.stdout)
            server.stop()
        raise
    server.stop()


def main():
    root = os.environ.get('TEST_DIR')
    temporary = None
    if not root:
        root = temporary = tempfile.mkdtemp(prefix='tern-')
    wanted = sys.argv[1:] or os.environ.get('ONLY', '').split()
    passed = failed = skipped = 0
    for function, args, own, is_loose in _tests:
        name = function.__name__
        if wanted and not any(part in name for part in wanted):
            continue
        directory = os.path.join(root, name[:60])
        began = time.monotonic()
        try:
            _run(function, args, own, is_loose, directory)
            passed += 1
            verdict = 'ok'
        except Skip as why:
            skipped += 1
            verdict = f'skipped: {why}'
        except Exception as error:
            failed += 1
            verdict = 'FAILED'
            place = traceback.extract_tb(error.__traceback__)
            lines = [f'{os.path.basename(f.filename)}:{f.lineno}' for f in place if os.path.basename(f.filename) != '_harness.py'
                     or not isinstance(error, Failed)]
            print(f'    {name}: {type(error).__name__}: {error}\n    at {" < ".join(reversed(lines))}')
        print(f'{verdict:7} {time.monotonic() - began:6.2f} s  {name.replace("_", " ")}', flush=True)
    if temporary and not failed:
        shutil.rmtree(temporary, ignore_errors=True)
    print(f'{NAME}: {passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    sys.exit(1 if failed else 0)
