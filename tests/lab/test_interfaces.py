#!/usr/bin/env python3
"""Interfaces that come and go while astray-probe captures.

One probe captures "any", one the pattern "va*", both started before there is such an interface.
Then a veth pair comes, goes down and up, goes, and another comes; five requests pass each time.
What must hold: both count every request, exactly; the second says what came and went; the first
never stops.

Needs root and unshare; skips loudly (exit 77) without them.
"""
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE, PEER = "192.0.2.1", "192.0.2.2"
SERVER = """
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("", 8000), Answer)
print("ready", flush=True)
server.serve_forever()
"""


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def enter_namespace():
    if os.environ.get("ASTRAY_INTERFACES_NAMESPACE"):
        ip("link", "set", "lo", "up")
        return
    if os.geteuid() != 0:
        skip("network namespaces and capturing need root")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        skip("network namespaces cannot be made here")
    os.environ["ASTRAY_INTERFACES_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


def probe():
    path = pathlib.Path(os.environ.get("ASTRAY_BIN", "build/check/bin")) / "astray-probe"
    if not path.exists():
        skip(f"{path} is not built")
    return str(path)


def wait_for(what, ready, timeout=15):
    end = time.monotonic() + timeout
    while not ready():
        if time.monotonic() > end:
            sys.exit(f"FAILED: {what} did not come within {timeout} s")
        time.sleep(0.02)


def ip(*arguments, inside=None):
    entered = ["nsenter", "-t", str(inside), "-n"] if inside else []
    subprocess.run([*entered, "ip", *arguments], check=True)


class Peer:
    """A web server in a network of its own."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "-n", sys.executable, "-c", SERVER],
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def plug(self, name):
        """A cable to it, whose end here has that name."""
        pid = self.process.pid
        ip("link", "add", name, "type", "veth", "peer", "name", "far", "netns", str(pid))
        ip("address", "add", f"{PEER}/24", "dev", "far", inside=pid)
        ip("link", "set", "far", "up", inside=pid)
        ip("address", "add", f"{HERE}/24", "dev", name)
        ip("link", "set", name, "up")


class Recorder:
    def __init__(self, folder, name, interfaces):
        self.out, self.err = folder / f"{name}.ndjson", folder / f"{name}.log"
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [probe(), "flow", "-i", interfaces, "--window", "1", "--buffer", "4", "--json"],
                stdout=out, stderr=err)

    def hears(self, text):
        wait_for(f'"{text}"', lambda: text in self.err.read_text())

    def requests(self):
        """All that it counted, once it has ended."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(10) == 0, self.err.read_text()
        count = collections.Counter()
        for line in self.out.read_text().splitlines():
            seen = json.loads(line)
            count[seen["service"]] += seen["requests"]
        return sum(count.values())


def get(count):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(count):
        with opener.open(f"http://{PEER}:8000/", timeout=10) as answer:
            assert answer.status == 204


def run(folder, started):
    failures = []
    peer = Peer()
    every = Recorder(folder, "any", "any")
    pattern = Recorder(folder, "pattern", "va*")
    started += [peer.process, every.process, pattern.process]
    every.hears("any: captured from now on")
    pattern.hears("no interface va*")
    peer.plug("va0")
    pattern.hears("va0: captured from now on")
    get(5)
    ip("link", "set", "va0", "down")
    ip("link", "set", "va0", "up")
    get(5)
    ip("link", "delete", "va0")
    pattern.hears("gone")
    peer.plug("va1")
    pattern.hears("va1: captured from now on")
    get(5)
    for name, recorder in (("any", every), ("pattern", pattern)):
        requests = recorder.requests()
        print(f"{name}: {requests} requests\n{recorder.err.read_text()}")
        if requests != 15:
            failures.append(f"{name}: {requests} requests counted of 15")
    missing = subprocess.run([probe(), "flow", "-i", "nosuch0"], capture_output=True, text=True)
    if missing.returncode == 0 or "nosuch0: there is no such interface" not in missing.stderr:
        failures.append(f"an interface that is not there is named: {missing.stderr}")
    return failures


def main():
    enter_namespace()
    with tempfile.TemporaryDirectory(prefix="astray-interfaces-") as folder:
        started = []
        try:
            failures = run(pathlib.Path(folder), started)
        finally:
            for process in started:
                process.kill()
                process.wait()
    for failure in failures:
        print(f"FAILED: {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
