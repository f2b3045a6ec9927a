#!/usr/bin/env python3
"""Several servers side by side on this machine, in one run.

  bench.py [options] NAME=COMMAND ...     the first is the one that ratios refer to

The parts (--what load,start,memory):

load    redis-benchmark against each server in turn, in every round (A B C A B C ...), server and load each on a core
        of its own, after the same data. Requests per second swing with the machine's other work; CPU microseconds
        per request swing least. 'own' is that less what the ceiling takes in the same round (ceiling.c: the kernel
        and the framing), which is what a server adds. 'x' is the ratio to the first server, of 'us' and of 'own'.
        All are medians over the rounds. Quote the ratios of one run, never figures of different runs.
start   milliseconds from starting the program to its first PONG, and what it then has in memory.
memory  bytes of resident memory for each key, element or connection.
"""
import argparse
import fcntl
import os
import resource
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import work  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


class Server:
    """A program that listens on a port of 127.0.0.1, in a directory of its own."""

    def __init__(self, name, argv, port, core=None):
        self.name, self.port = name, port
        self.directory = tempfile.TemporaryDirectory(prefix="bench-")
        pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
        self.process = subprocess.Popen(argv, cwd=self.directory.name, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pin)
        self.pid = self.process.pid

    def connect(self, wait_s=30):
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            try:
                return socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(f"{self.name} ended at once")
                time.sleep(0.0002)
        raise SystemExit(f"{self.name} does not listen on port {self.port}")

    def run(self, commands):
        """Sends commands that all must be answered without an error."""
        with self.connect() as wire:
            batch = []
            for command in commands:
                batch.append(command)
                if len(batch) == 500:
                    self._flush(wire, batch)
            self._flush(wire, batch)

    def _flush(self, wire, batch):
        end = b"$7\r\n__end__\r\n"
        wire.sendall(b"".join(batch) + work.encode("ECHO", "__end__"))
        batch.clear()
        got = b""
        while not got.endswith(end):
            piece = wire.recv(1 << 20)
            if not piece:
                raise SystemExit(f"{self.name} closed the connection")
            if piece.startswith(b"-") or b"\n-" in piece:
                raise SystemExit(f"{self.name}: {piece[:200]!r}")
            got = (got + piece)[-len(end):]

    def cpu_ns(self):
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[0])
            except OSError:  # a thread that has ended
                pass
        return total

    def rss(self):
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(name, command, core=None):
    port = free_port()
    return Server(name, shlex.split(command) + ["--port", str(port), "--bind", "127.0.0.1", "--save", "",
                                                "--appendonly", "no"], port, core)


def cores():
    """One for the server, one for the load; nothing is pinned on a machine with one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[:2] if len(allowed) > 1 else [None, None]


# ---- load ----------------------------------------------------------------------------------------


def build_ceiling(directory):
    program = os.path.join(directory, "ceiling")
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-O2", "-o", program,
                    os.path.join(HERE, "ceiling.c")], check=True)
    return program


def start_ceiling(program, test, core):
    port = free_port()
    server = Server("ceiling", [program, str(port), test.reply], port, core)
    server.connect().close()
    return server


def load(server, test, depth, requests, options):
    """One run of redis-benchmark: requests per second, p50 and p99 in us, CPU us of the server per request."""
    core = cores()[1]
    argv = [options.benchmark, "-p", str(server.port), "-n", str(requests), "-P", str(depth), "-c", str(options.clients),
            "-r", str(options.prefill or options.keys), "--csv", *test.command]
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    before = server.cpu_ns()
    out = subprocess.run(argv, capture_output=True, text=True, preexec_fn=pin)
    cpu_us = (server.cpu_ns() - before) / 1e3 / requests
    rows = [line for line in out.stdout.splitlines() if line.startswith('"')]
    if len(rows) < 2:
        raise SystemExit(f"{server.name}, {test.name}: {out.stdout[-300:]}{out.stderr[-300:]}")
    # The first field is the command, which may hold anything.
    names = rows[0].strip('"').split('","')
    fields = rows[-1].strip('"').rsplit('","', len(names) - 1)
    row = dict(zip(names, fields))
    latency_us = [float(row.get(f"{p}_latency_ms", "nan")) * 1000 for p in ("p50", "p99")]
    return float(row["rps"]), *latency_us, cpu_us


def bench_load(servers, options):
    table = work.load_tests(options.value_bytes)
    unknown = set(options.tests.split(",")) - set(table)
    if unknown:
        raise SystemExit(f"no such test: {', '.join(sorted(unknown))} (there are {', '.join(table)})")
    with tempfile.TemporaryDirectory() as directory:
        ceiling = build_ceiling(directory)
        running = []
        try:
            for name, command in servers:
                running.append(start(name, command, cores()[0]))
                running[-1].connect().close()
                if options.prefill:
                    running[-1].run(work.fill("strings", options.prefill, options.value_bytes, 0))
            print(f"{'test':<12}{'depth':>6}  {'server':<16}{'us':>8}{'x':>7}{'own':>8}{'own x':>7}"
                  f"{'rps':>10}{'p50 us':>9}{'p99 us':>9}")
            for depth in map(int, options.depths.split(",")):
                for name in options.tests.split(","):
                    load_rounds(running, ceiling, table[name], depth, options)
        finally:
            for server in running:
                server.stop()


def load_rounds(running, ceiling, test, depth, options):
    requests = max(options.requests * (1 if depth == 1 else 4) // test.weight, 1000)
    keys = options.prefill or options.keys
    figures = {server.name: [] for server in running} | {"ceiling": []}
    for server in running:
        if not options.prefill:
            server.run([work.encode("FLUSHALL")])
        if not test.consumes and not (options.prefill and test.data == "strings"):
            server.run(work.fill(test.data, keys, options.value_bytes, requests))
    for _ in range(options.rounds):
        floor = start_ceiling(ceiling, test, cores()[0])
        try:
            for server in running + [floor]:
                if test.consumes and server is not floor:
                    server.run([work.encode("DEL", test.command[1])])
                    server.run(work.fill(test.data, options.keys, options.value_bytes, requests))
                figures[server.name].append(load(server, test, depth, requests, options))
        finally:
            floor.stop()

    def column(name, i):
        return [row[i] for row in figures[name]]

    own = {name: statistics.median(cpu - floor for cpu, floor in zip(column(name, 3), column("ceiling", 3)))
           for name in figures}
    first = running[0].name
    for name in figures:
        cpu = statistics.median(column(name, 3))
        ratio = statistics.median(mine / theirs for mine, theirs in zip(column(name, 3), column(first, 3)))
        rps, p50, p99 = (statistics.median(column(name, i)) for i in range(3))
        own_ratio = own[name] / own[first] if own[first] > 0 else float("nan")
        print(f"{test.name:<12}{depth:>6}  {name:<16}{cpu:>8.2f}{ratio:>7.2f}{own[name]:>8.2f}{own_ratio:>7.2f}"
              f"{rps:>10.0f}{p50:>9.0f}{p99:>9.0f}", flush=True)


# ---- start and memory ----------------------------------------------------------------------------


def table_line(label, values, form):
    print(f"{label:<34}" + "".join(f"{form(value):>16}" for value in values), flush=True)


def bench_start(servers, options):
    times, sizes = {name: [] for name, _ in servers}, {}
    for _ in range(options.starts):
        for name, command in servers:
            began = time.perf_counter()
            server = start(name, command, cores()[0])
            try:
                with server.connect() as wire:
                    wire.sendall(work.encode("PING"))
                    if wire.recv(100) != b"+PONG\r\n":
                        raise SystemExit(f"{name} does not answer PING")
                    times[name].append((time.perf_counter() - began) * 1000)
                sizes[name] = server.rss()
            finally:
                server.stop()
    table_line("", [name for name, _ in servers], str)
    table_line("start to first PONG, ms", [statistics.median(t) for t in times.values()], "{:.1f}".format)
    table_line("resident when empty, MB", [s / 1e6 for s in sizes.values()], "{:.1f}".format)


def memory_of(name, command, row, count):
    """Bytes of resident memory for each of 'count'."""
    server = start(name, command)
    kept = []
    try:
        server.connect().close()
        before = server.rss()
        if row.fill is None:
            for _ in range(count):
                kept.append(server.connect())
                kept[-1].sendall(work.encode("PING"))
                kept[-1].recv(100)
        else:
            server.run(row.fill(count))
        time.sleep(1.2)  # what goes on in the background after a load
        return (server.rss() - before) / count
    finally:
        for wire in kept:
            wire.close()
        server.stop()


def bench_memory(servers, options):
    sizes = [int(size) for size in options.sizes.split(",")]
    table_line("bytes of resident memory", [name for name, _ in servers], str)
    for row in work.MEMORY:
        # Where tables grow in steps, the worst size is the one that counts.
        counts = sizes if row.grows else [min(row.count, max(sizes))]
        values = [max(memory_of(name, command, row, count) for count in counts) for name, command in servers]
        table_line(row.label, values, "{:.1f}".format)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="tests: " + ", ".join(work.load_tests(3)))
    parser.add_argument("--what", default="load,start,memory", help="the parts, with commas (%(default)s)")
    parser.add_argument("--tests", default="set,get,incr,mset,lpush,rpop,lrange_100,sadd,spop,hset,zadd,zpopmin",
                        help="of load (%(default)s)")
    parser.add_argument("--depths", default="1,16,64", help="requests that a client sends before it reads (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of load (%(default)s)")
    parser.add_argument("--requests", type=int, default=100000, help="of a run at depth 1, four times as many deeper (%(default)s)")
    parser.add_argument("--keys", type=int, default=100000, help="the range of random keys and elements (%(default)s)")
    parser.add_argument("--clients", type=int, default=50, help="connections (%(default)s)")
    parser.add_argument("--value-bytes", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--prefill", type=int, default=0, help="so many string keys, kept through all of load")
    parser.add_argument("--starts", type=int, default=21, help="of start (%(default)s)")
    parser.add_argument("--sizes", default="1000000", help="numbers of keys for memory: the worst counts (%(default)s)")
    parser.add_argument("--benchmark", default=shutil.which("redis-benchmark"), help="the program (redis-benchmark)")
    parser.add_argument("servers", nargs="+", metavar="NAME=COMMAND")
    options = parser.parse_args()
    parts = options.what.split(",")
    if set(parts) - {"load", "start", "memory"}:
        parser.error("--what is made of load, start and memory")
    if "load" in parts and not options.benchmark:
        parser.error("there is no redis-benchmark on the PATH (install redis-tools), or name one with --benchmark")
    if not all("=" in server for server in options.servers):
        parser.error("a server is NAME=COMMAND")
    servers = [tuple(server.split("=", 1)) for server in options.servers]

    # Two benchmarks at once would measure each other.
    lock = open(os.path.join(tempfile.gettempdir(), "tern-bench.lock"), "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for i, (part, run) in enumerate((("load", bench_load), ("start", bench_start), ("memory", bench_memory))):
        if part in parts:
            print("" if i else end_of_header(servers))
            run(servers, options)


def end_of_header(servers):
    return "\n".join(f"{name}: {command}" for name, command in servers) + "\n"


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
