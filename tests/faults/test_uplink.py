#!/usr/bin/env python3
"""What the spool and the uplink promise, while things are killed.

A probe checks six hundred services, which all refuse, once a second and sends batches to a collector that journals before it
answers, sometimes answers 503, and sometimes hangs up after it has journalled. Both are killed
(SIGKILL) at random moments, apart and together; the collector is away and comes back; the spool's
disk fills up; the probe is told to end. What must hold in the end: whatever stood in the spool at a
kill has arrived; the batches of each start of the probe are there without a hole; a batch that came
twice came with the same bytes; its lines are as many as it says.

The collector here is a stand-in of the contract in WIRE.md, so that it can misbehave on purpose.
The disk that fills up needs root (a small tmpfs); without root that part is skipped, loudly.
"""
import ctypes
import ctypes.util
import hashlib
import http.server
import json
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

SERVICES = 600
ROUNDS = 10
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
WAITING = 4  # batches, while the collector is away
SLOW_S = 0.2  # at most, that it thinks: so that something waits at any moment
DEADLINE_S = 20
RETRY_S = 60 + DEADLINE_S  # a probe that has failed again and again waits up to a minute


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED (SEED={SEED}): {what}")


def wait_until(holds, what, seconds=DEADLINE_S):
    until = time.monotonic() + seconds
    while not holds():
        check(time.monotonic() < until, f"in {seconds} s: {what}")
        time.sleep(0.02)


# ---- the stand-in: a process of its own, to be killed

def unpack(body):
    lib = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    lib.ZSTD_decompress.restype = ctypes.c_size_t
    lib.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    out = ctypes.create_string_buffer(1 << 20)
    size = lib.ZSTD_decompress(out, len(out), body, len(body))
    return out.raw[:size] if size <= len(out) else None


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A client that was killed is what this is about."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(random.uniform(0, SLOW_S))
        chance = random.random()
        if chance < 0.05:
            return self.answer(503, b"{}", Retry_After="1")
        head, _, lines = unpack(body).partition(b"\n")
        batch = json.loads(head)
        entry = {"boot": batch["boot"], "seq": batch["seq"], "said": batch["observations"],
                 "lines": lines.count(b"\n"), "digest": hashlib.sha256(lines).hexdigest(),
                 "kinds": sorted({json.loads(line)["kind"] for line in lines.splitlines()})}
        with self.server.lock, open(self.server.journal, "a") as journal:
            journal.write(json.dumps(entry) + "\n")
            journal.flush()
            os.fsync(journal.fileno())
        if chance < 0.15:
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        return self.answer(200, json.dumps({"acknowledged": batch["seq"]}).encode())


def serve(port, journal):
    server = QuietServer(("127.0.0.1", port), Handler)
    server.journal, server.lock = journal, threading.Lock()
    server.serve_forever()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A program that is started again and again."""

    def __init__(self, *command, log=None):
        self.command, self.log, self.running = command, log, None

    def start(self):
        self.running = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stderr=self.log)

    def end(self, number):
        if self.running:
            self.running.send_signal(number)
            code = self.running.wait(DEADLINE_S)
            self.running = None
            return code
        return None


class Server(Process):
    def __init__(self, port, journal):
        super().__init__(sys.executable, __file__, "--serve", str(port), str(journal))
        self.port, self.journal = port, journal

    def start(self):
        super().start()
        wait_until(self.answers, f"port {self.port} answers")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def batches(self):
        if not self.journal.exists():
            return []
        # A kill may leave half a line, which was never acknowledged.
        return [json.loads(line) for line in self.journal.read_text().splitlines(True)
                if line.endswith("\n")]


# ---- the spool's files, read by this script's own eyes

def waiting(spool):
    """(boot, seq) of all that stands in the spool and is not yet delivered."""
    try:
        segment, offset, _ = struct.unpack("=QQQ", (spool / "position").read_bytes())
    except (FileNotFoundError, struct.error):
        segment, offset = 0, 0
    found = set()
    for path in sorted(spool.glob("*.spool")):
        number = int(path.stem, 16)
        if number < segment:
            continue
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        at = offset if number == segment else 0
        while len(data) - at >= 64 and data[at:at + 4] == b"asp1":
            packed, seq = struct.unpack(">IQ", data[at + 4:at + 16])
            whole = data[at:at + 64 + packed]
            if len(whole) < 64 + packed or \
                    zlib.crc32(whole[:60] + whole[64:]) != struct.unpack(">I", whole[60:64])[0]:
                break
            found.add((whole[44:60].hex(), seq))
            at += 64 + packed
    return found


# ---- the play

class Play:
    def __init__(self, folder):
        self.folder = folder
        self.spool = folder / "disk" / "spool"
        (folder / "disk").mkdir()
        refusing = free_port()
        self.collector = Server(free_port(), folder / "journal")
        self.log = open(folder / "log", "ab")
        config = folder / "probe.json"
        config.write_text(json.dumps({
            "probe": "tyo-1", "collector": {"url": f"http://127.0.0.1:{self.collector.port}",
                                            "batch_age": "200 ms"},
            "spool": {"directory": str(self.spool), "limit_mb": 4},
            "services": [{"name": f"service-{i}", "hosts": ["localhost.example"],
                          "url": f"http://127.0.0.1:{refusing}/{i}"} for i in range(SERVICES)],
            "sources": {"check": {"interval": "1 s", "timeout": "900 ms"}}}))
        program = pathlib.Path(os.environ["ASTRAY_BIN"]) / "astray-probe"
        self.probe = Process(str(program), "run", "--config", str(config), log=self.log)
        self.owed = set()

    def arrived(self):
        return {(b["boot"], b["seq"]) for b in self.collector.batches()}

    def said(self, text):
        self.log.flush()
        return text in (self.folder / "log").read_text()

    def kill_probe(self):
        self.probe.end(signal.SIGKILL)
        self.owed |= waiting(self.spool)

    def drained(self):
        return not waiting(self.spool)

    def killed_at_random(self):
        for _ in range(ROUNDS):
            # The moment is the point: nothing is waited for.
            time.sleep(random.uniform(0.2, 1.6))
            victims = random.choice(("probe", "collector", "both"))
            if victims != "collector":
                self.kill_probe()
            if victims != "probe":
                self.collector.end(signal.SIGKILL)
                self.collector.start()
            if victims != "collector":
                self.probe.start()
        print(f"ok  killed {ROUNDS} times; {len(self.owed)} batches stood in the spool at a kill")

    def collector_away(self):
        self.collector.end(signal.SIGKILL)
        wait_until(lambda: len(waiting(self.spool)) > WAITING, "batches wait in the spool")
        self.owed |= waiting(self.spool)
        self.collector.start()
        wait_until(lambda: self.owed <= self.arrived(), "what waited has arrived", RETRY_S)
        print("ok  what waited while the collector was away has arrived")

    def disk_full(self):
        if os.geteuid() != 0:
            print("SKIPPED: a disk that fills up needs root")
            return
        self.probe.end(signal.SIGTERM)
        wait = waiting(self.spool)
        self.owed |= wait
        disk = self.folder / "disk"
        keep = self.folder / "keep"
        subprocess.run(["cp", "-a", str(self.spool), str(keep)], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
        try:
            subprocess.run(["cp", "-a", str(keep), str(self.spool)], check=True)
            self.probe.start()
            before = len(self.arrived())
            wait_until(lambda: len(self.arrived()) > before, "the probe sends from the small disk")
            with open(disk / "ballast", "wb", buffering=0) as ballast:
                try:
                    while ballast.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            wait_until(lambda: self.said("batches wait in memory"), "the full disk is said")
            before = len(self.arrived())
            wait_until(lambda: len(self.arrived()) > before + 2, "sending goes on from memory")
            (disk / "ballast").unlink()
            wait_until(lambda: self.said("the disk takes batches again"), "it recovers unaided")
            check(self.probe.end(signal.SIGTERM) == 0, "the probe ends well")
            self.owed |= waiting(self.spool)
            subprocess.run(["rm", "-rf", str(keep)], check=True)
            subprocess.run(["cp", "-a", str(self.spool), str(keep)], check=True)
        finally:
            self.probe.end(signal.SIGKILL)
            subprocess.run(["umount", str(disk)], check=True)
        subprocess.run(["rm", "-rf", str(self.spool)], check=True)
        subprocess.run(["cp", "-a", str(keep), str(self.spool)], check=True)
        self.probe.start()
        print("ok  a full disk stops nothing, and it recovers unaided")

    def end_well(self):
        before = len(self.arrived())
        wait_until(lambda: len(self.arrived()) > before, "batches arrive")
        self.collector.end(signal.SIGKILL)
        wait_until(lambda: waiting(self.spool), "a batch waits")
        before = waiting(self.spool)
        check(self.probe.end(signal.SIGTERM) == 0, "told to end, it ends with 0")
        left = waiting(self.spool)
        check(before <= left, "what waited waits on")
        self.owed |= left
        self.collector.start()
        self.probe.start()
        wait_until(lambda: self.owed <= self.arrived(), "the next start sends what was left")
        print("ok  told to end, it leaves everything in the spool")

    def compare(self):
        before = len(self.arrived())
        wait_until(lambda: len(self.arrived()) > before, "batches arrive")
        check(self.probe.end(signal.SIGTERM) == 0, "the probe ends well")
        self.owed |= waiting(self.spool)
        self.probe.start()
        wait_until(lambda: self.owed <= self.arrived(), "all that was owed has arrived")
        self.probe.end(signal.SIGKILL)
        batches = self.collector.batches()
        digests, boots = {}, {}
        for batch in batches:
            name = batch["boot"], batch["seq"]
            check(batch["said"] == batch["lines"], f"{name} has as many lines as it says")
            check(digests.setdefault(name, batch["digest"]) == batch["digest"],
                  f"{name} came again with the same bytes")
            boots.setdefault(batch["boot"], set()).add(batch["seq"])
        for boot, seqs in boots.items():
            holes = set(range(max(seqs) + 1)) - seqs
            check(not holes, f"boot {boot} has no hole: {sorted(holes)[:10]} of {max(seqs) + 1}")
        twice = len(batches) - len(digests)
        check(len(boots) > 3 and twice > 0, "the test has tried something")
        print(f"ok  {len(digests)} batches of {len(boots)} starts, {twice} sent again, none lost, "
              f"none doubled")

    def run(self):
        self.collector.start()
        self.probe.start()
        try:
            wait_until(self.collector.batches, "the first batch arrives")
            self.killed_at_random()
            self.collector_away()
            self.disk_full()
            self.end_well()
            self.compare()
        except SystemExit:
            print((self.folder / "log").read_text()[-4000:])
            raise
        finally:
            for process in (self.probe, self.collector):
                process.end(signal.SIGKILL)


def main():
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]), sys.argv[3])
    random.seed(SEED)
    with tempfile.TemporaryDirectory(prefix="astray-uplink-") as folder:
        Play(pathlib.Path(folder)).run()


if __name__ == "__main__":
    main()
