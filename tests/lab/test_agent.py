#!/usr/bin/env python3
"""A probe that runs, as the machine and the collector see it.

In a network namespace with a stand-in collector on loopback. What must hold: the probe says hello at
the start, and again when its default route goes and another comes; it measures what the collector
assigns, takes up another assignment, and measures on from the last one when it starts while the
collector is away; SIGHUP takes up a good configuration and leaves the old in force before a bad one;
the service manager is told what happens; started as root it becomes the user that it should, with
CAP_NET_RAW at most, behind its fence, without a listening socket; a source that cannot start is
named and leaves the others running.

Needs root, unshare and ip; skips loudly (exit 77) without them.
"""
import ctypes
import ctypes.util
import http.server
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

DEADLINE_S = 10
CAP_NET_RAW = 1 << 13
USER = "nobody"


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def wait_until(holds, what):
    until = time.monotonic() + DEADLINE_S
    while not (found := holds()):
        check(time.monotonic() < until, f"in {DEADLINE_S} s: {what}")
        time.sleep(0.02)
    print(f"ok  {what}")
    return found


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def unpack(body):
    lib = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    lib.ZSTD_decompress.restype = ctypes.c_size_t
    lib.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    out = ctypes.create_string_buffer(1 << 20)
    size = lib.ZSTD_decompress(out, len(out), body, len(body))
    return out.raw[:size]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        text = self.server.assignment
        tag = f'"{hash(text)}"'
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304)
        return self.answer(200, text.encode(), ETag=tag)

    def do_POST(self):
        batch, *lines = unpack(self.rfile.read(int(self.headers["Content-Length"]))).splitlines()
        self.server.seen += [json.loads(line) for line in lines]
        self.server.tokens.add(self.headers.get("Authorization"))
        self.answer(200, json.dumps({"acknowledged": json.loads(batch)["seq"]}).encode())


class Collector:
    """Comes and goes; remembers what it has seen."""

    def __init__(self):
        self.port = 8443
        self.seen, self.tokens = [], set()
        self.assignment = ""
        self.server = None

    def open(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.seen, self.server.tokens = self.seen, self.tokens
        self.assign(self.assignment)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def assign(self, text):
        self.assignment = self.server.assignment = text

    def of(self, kind, **fields):
        return [o for o in self.seen if o["kind"] == kind
                and all(o.get(k) == v for k, v in fields.items())]


def assignment(service, **sources):
    # Port 9 refuses: a check is quick, and an observation all the same.
    return json.dumps({"services": [{"name": service, "addresses": ["127.0.0.1"], "ports": [9],
                                     "url": "http://127.0.0.1:9/"}],
                       "sources": {"check": {"interval": "1 s", "timeout": "500 ms"}, **sources}})


class Machine:
    def __init__(self, folder):
        self.folder = folder
        self.collector = Collector()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(folder / "notify"))
        self.manager.settimeout(DEADLINE_S)
        self.config = folder / "probe.json"
        self.running = None
        self.token = folder / "token"
        self.token.write_text("s3cret\n")
        (folder / "spool").mkdir()
        for path in (folder / "spool", self.token):
            shutil.chown(path, USER)

    def configure(self, **more):
        self.config.write_text(json.dumps({
            "probe": "tyo-1", "user": USER,
            "collector": {"url": f"http://127.0.0.1:{self.collector.port}", "batch_age": "100 ms",
                          "token_file": str(self.token)},
            "spool": {"directory": str(self.folder / "spool")}, **more}))

    def start(self):
        program = pathlib.Path(os.environ["ASTRAY_BIN"]) / "astray-probe"
        environment = os.environ | {"NOTIFY_SOCKET": str(self.folder / "notify")}
        self.running = subprocess.Popen([program, "run", "--config", self.config], env=environment,
                                        stderr=open(self.folder / "log", "ab"))
        self.hears("READY=1")

    def hears(self, word):
        while word not in self.manager.recv(4096).decode().split("\n"):
            pass
        print(f"ok  the service manager hears {word}")

    def log(self):
        return (self.folder / "log").read_text()

    def end(self):
        self.running.send_signal(signal.SIGTERM)
        self.hears("STOPPING=1")
        check(self.running.wait(DEADLINE_S) == 0, "told to end, it ends with 0")
        self.running = None


def starts_and_measures(machine):
    collector = machine.collector
    machine.start()
    wait_until(lambda: collector.of("hello", role="endpoint"), "it says hello")
    wait_until(lambda: len(collector.of("check", service="one")) > 1, "it measures what is assigned")
    check(collector.tokens == {"Bearer s3cret"}, "it shows its token")


def is_confined(machine):
    pid = machine.running.pid
    status = dict(line.split(":\t", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    uid = str(pwd.getpwnam(USER).pw_uid)
    check(status["Uid"].split() == [uid] * 4, "it is that user, and cannot come back")
    for kind in ("CapEff", "CapPrm"):
        check(int(status[kind], 16) == CAP_NET_RAW, f"{kind} is CAP_NET_RAW")
    for kind in ("CapInh", "CapBnd", "CapAmb"):
        check(int(status[kind], 16) == 0, f"{kind} is empty")
    check(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "the fence stands")
    own = {os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    for table in ("tcp", "tcp6"):
        for row in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            check(fields[3] != "0A" or f"socket:[{fields[9]}]" not in own, "nothing listens")
    print("ok  it has one capability, a fence, and no listening socket")


def joins_another_network(machine):
    collector = machine.collector
    before = len(collector.of("hello"))
    collector.assign(assignment("two"))
    ip("route", "del", "default")
    ip("address", "add", "203.0.113.2/24", "dev", "lan")
    ip("route", "add", "default", "via", "203.0.113.1")
    wait_until(lambda: len(collector.of("hello")) > before, "in another network it says hello again")
    wait_until(lambda: collector.of("check", service="two"), "another assignment is taken up")


def reads_its_configuration_again(machine):
    collector = machine.collector
    machine.config.write_text('{"probe": "tyo-1", "colector": {}}')
    machine.running.send_signal(signal.SIGHUP)
    machine.hears("RELOADING=1")
    machine.hears("READY=1")
    wait_until(lambda: "did you mean" in machine.log(), "a bad configuration is said, with what was meant")
    before = len(collector.of("check", service="two"))
    wait_until(lambda: len(collector.of("check", service="two")) > before + 1, "the old one stays in force")
    machine.configure(labels={"site": "tokyo"})
    machine.running.send_signal(signal.SIGHUP)
    wait_until(lambda: collector.of("hello", labels={"site": "tokyo"}), "a good one is taken up")
    machine.hears("RELOADING=1")
    machine.hears("READY=1")


def starts_while_the_collector_is_away(machine):
    collector = machine.collector
    collector.assign(assignment("three", flow={"tunnels": "no-such-tunnel"}))
    ip("route", "del", "default")
    ip("route", "add", "default", "via", "198.51.100.1")
    wait_until(lambda: collector.of("check", service="three"), "one source runs")
    wait_until(lambda: "flow does not run" in machine.log(), "the other is said not to")
    machine.end()
    collector.close()
    collector.seen.clear()
    machine.start()
    wait_until(lambda: machine.log().count("check runs") > 3, "it measures what was assigned last")
    collector.open()
    wait_until(lambda: collector.of("check", service="three"), "and the collector gets it later")


def main():
    if os.geteuid() != 0:
        skip("network namespaces need root")
    for tool in ("unshare", "ip"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    if not os.environ.get("ASTRAY_AGENT_NAMESPACE"):
        os.environ["ASTRAY_AGENT_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "-n", sys.executable, __file__])
    ip("link", "set", "lo", "up")
    ip("link", "add", "lan", "type", "veth", "peer", "name", "router")
    ip("link", "set", "router", "up")
    ip("link", "set", "lan", "up")
    ip("address", "add", "198.51.100.2/24", "dev", "lan")
    ip("route", "add", "default", "via", "198.51.100.1")
    with tempfile.TemporaryDirectory(prefix="astray-agent-") as name:
        os.chmod(name, 0o755)
        machine = Machine(pathlib.Path(name))
        machine.configure()
        machine.collector.assignment = assignment("one")
        machine.collector.open()
        try:
            starts_and_measures(machine)
            is_confined(machine)
            joins_another_network(machine)
            reads_its_configuration_again(machine)
            starts_while_the_collector_is_away(machine)
            machine.end()
        except BaseException:
            print(machine.log()[-4000:])
            raise
        finally:
            if machine.running:
                machine.running.kill()
                machine.running.wait()


if __name__ == "__main__":
    main()
