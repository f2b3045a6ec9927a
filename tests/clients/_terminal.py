"""redis-cli, and a terminal to type at it: what its tests share. REDIS_CLI names another one."""

from _users import *

import pty
import termios

CLI = program('REDIS_CLI', 'redis-cli', 'valkey-cli')
HELP = subprocess.run([CLI, '--help'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()
# Nothing of the user's: neither history nor settings.
os.environ.update(HOME=SOCKETS, REDISCLI_HISTFILE='/dev/null', REDISCLI_RCFILE='/dev/null')
for name in 'REDISCLI_AUTH', 'NO_COLOR':
    os.environ.pop(name, None)


class Terminal:
    """redis-cli on a terminal, typed at and read from."""

    def __init__(self, *argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(argv[0], list(map(str, argv)), {**os.environ, 'TERM': 'xterm'})
            finally:
                os._exit(127)
        termios.tcsetwinsize(self.fd, (40, 200)) if hasattr(termios, 'tcsetwinsize') else None
        self.seen = ''  # what has not been looked at yet
        self.all = ''

    def read(self):
        expect_true(select.select([self.fd], [], [], TIMEOUT)[0], f'it waits; it showed {self.all[-500:]!r}')
        try:
            part = os.read(self.fd, 65536).decode('utf-8', 'replace')
        except OSError:  # the other side has ended
            part = ''
        self.seen += part
        self.all += part
        return part

    def until(self, text):
        """Reads until 'text' has come; returns what came before it."""
        while text not in self.seen:
            expect_true(self.read(), f'it ended before {text!r}; it showed {self.all[-500:]!r}')
        before, self.seen = self.seen.split(text, 1)
        return before

    def type(self, line):
        os.write(self.fd, line.encode() + b'\r')

    def ask(self, line, prompt):
        """Types a line; returns what is shown until the next prompt, without the echo of the line."""
        self.type(line)
        self.until('\n')
        return re.sub(r'\x1b\[[0-9;]*[A-Za-z]|\r', '', self.until(prompt))

    def end(self):
        while self.read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
