"""What the benchmarks start and end: Kafka, Connect workers, the proxy; and where their reports go."""

import contextlib
import datetime
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(os.path.abspath(__file__)).parent.parent
# The kernel kills the command when this script ends in any way; `setpriv` becomes the command and keeps its process id.
DYING_WITH_US = ["setpriv", "--pdeathsig", "KILL"]


def build(target, *command):
    """Builds one target and returns the path of its executable; cargo names those of other targets too."""
    command = ["cargo", *command, target, "--message-format=json-render-diagnostics"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    built = [message for message in messages if message["reason"] == "compiler-artifact"]
    return next(one["executable"] for one in built if one["target"]["name"] == target and one["executable"])


@contextlib.contextmanager
def broker(folder):
    """Runs Kafka; it dies with its stdin, so also when this script is killed."""
    port = free_port()
    command = [ROOT / "tests" / "kafka" / "broker", "--dir", folder, "--port", str(port), "--controller-port", str(free_port())]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if not process.stdout.readline().startswith("ready "):
            sys.exit("Kafka did not start")
        yield f"127.0.0.1:{port}"
    finally:
        process.stdin.close()
        process.wait(timeout=30)


@contextlib.contextmanager
def worker(folder, bootstrap):
    """Runs a Connect worker of the one group; it dies as the broker does."""
    command = [ROOT / "tests" / "kafka" / "worker", "--dir", folder, "--port", str(free_port()), "--bootstrap", bootstrap]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if not line.startswith("ready "):
            sys.exit("the Connect worker did not start")
        yield line.split()[1]
    finally:
        process.stdin.close()
        process.wait(timeout=30)


class Proxy:
    """A running proxy with defaults but for its arguments, and what the kernel says about its process."""

    def __init__(self, binary, bootstrap, folder, *arguments):
        self.address = f"127.0.0.1:{free_port()}"
        self.command = [*DYING_WITH_US, binary, "--bootstrap-servers", bootstrap, "--listen", self.address, *arguments]
        self.folder = folder  # holds no proxy.toml
        self.log = folder / "proxy.log"

    def __enter__(self):
        started = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() - started > 30:
                self.stop()
                sys.exit(f"the proxy did not start:\n{self.last_words()}")
            time.sleep(0.001)
        self.first_answer_ms = (time.monotonic() - started) * 1000
        return self

    def __exit__(self, *_):
        self.stop()

    def answers(self):
        connection = http.client.HTTPConnection(self.address, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except ConnectionError:
            return False
        finally:
            connection.close()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            progress("the proxy did not end on SIGTERM and was killed")
            self.process.kill()
            self.process.wait()

    def last_words(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])

    def cpu_seconds(self):
        """User and system time of all its threads."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, name):
        return self.status(name) / 1024

    def threads(self):
        return self.status("Threads")

    def status(self, name):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[1])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def progress(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr)


def busy_cores():
    """How many cores others keep busy, over two seconds: with more than a tenth the figures mean little."""

    def times():
        user, nice, system, idle, iowait, *others = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
        return user + nice + system + sum(others), idle + iowait

    busy_before, idle_before = times()
    time.sleep(2)
    busy, idle = times()
    cores = os.cpu_count() * (busy - busy_before) / (busy + idle - busy_before - idle_before)
    if cores > 0.1:
        progress(f"WARNING: something else keeps {cores:.1f} cores busy")
    return cores


def commit():
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()

    changed = " with uncommitted changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    return git("rev-parse", "--short", "HEAD") + changed


def cpu_model():
    found = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else os.uname().machine


def split_at_markers(path, name):
    """Returns the text before the section and the text after it."""
    begin, end = markers(name)
    text = path.read_text() if path.exists() else ""
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit(f"{path} needs the lines {begin} and {end}, once each")
    before, _, rest = text.partition(begin)
    return before, rest.partition(end)[2]


def replace_section(path, name, report):
    before, after = split_at_markers(path, name)
    begin, end = markers(name)
    path.write_text(f"{before}{begin}\n{report}\n{end}{after}")


def markers(name):
    """The lines between which a report stands."""
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
