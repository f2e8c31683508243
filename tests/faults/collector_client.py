"""A collector of one's own, made by `init` in a temporary folder, and probes that speak to it.

Used by the fault tests and by the bench. Everything is on loopback.
"""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

BIN = pathlib.Path(os.environ.get("ASTRAY_BIN",
                                  pathlib.Path(__file__).resolve().parents[2] / "build/release/bin"))
PROGRAM = BIN / "astray-collector"
SKIPPED = 77


def need_program():
    if not PROGRAM.exists():
        print(f"SKIPPED: {PROGRAM} is not built")
        sys.exit(SKIPPED)


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Collector:
    """A folder with certificates and a configuration; started, killed and started again."""

    def __init__(self, probes=("probe-1",), **changes):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="astray-collector-"))
        self.port, self.web_port = free_port(), free_port()
        for probe in probes:
            subprocess.run([PROGRAM, "init", "--probe", probe, "--listen", f"127.0.0.1:{self.port}",
                            self.folder], check=True, stdout=subprocess.DEVNULL)
        self.config = self.folder / "collector.json"
        folder = str(self.folder)
        settings = {
            "listen": f"127.0.0.1:{self.port}",
            "tls": {"certificate": folder + "/server.pem", "key": folder + "/server-key.pem",
                    "client_ca": folder + "/ca.pem"},
            "data": folder + "/data",
            "web": {"listen": f"127.0.0.1:{self.web_port}"},
            "services": [{"name": "exchange", "hosts": ["exchange.example"]}],
        }
        settings.update(changes)
        self.config.write_text(json.dumps(settings))
        self.process = None

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen([PROGRAM, "serve", "--config", self.config], stderr=self.log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            check(self.process.poll() is None, "the collector ended: " + self.said())
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except ConnectionRefusedError:
                time.sleep(0.01)
        raise AssertionError("the collector does not listen: " + self.said())

    def said(self):
        return (self.folder / "log").read_text(errors="replace")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        check(code == 0, f"the collector ended with {code}: " + self.said())

    def alive(self):
        return self.process.poll() is None

    def resident_kib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        return 0

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def metric(self, name):
        import urllib.request
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        raise AssertionError(f"no metric {name}")

    def export(self):
        out = subprocess.run([PROGRAM, "export", "--config", self.config], check=True,
                             capture_output=True)
        return [json.loads(line) for line in out.stdout.splitlines()]

    def context(self, probe=None):
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if probe:
            context.load_cert_chain(self.folder / f"{probe}.pem", self.folder / f"{probe}-key.pem")
        return context

    def connect(self, probe=None, context=None, timeout=20):
        return Connection(self.port, context or self.context(probe), timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.alive():
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Connection:
    def __init__(self, port, context, timeout=20):
        raw = socket.create_connection(("127.0.0.1", port), timeout)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = context.wrap_socket(raw, server_hostname="localhost")
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data)

    def answer(self):
        """(status, headers, body) of the next answer."""
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(lines[0].split()[1]), headers, body

    def more(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise ConnectionError("the collector has closed")
        self.buffer += piece

    def ask(self, data):
        self.send(data)
        return self.answer()

    def close(self):
        self.sock.close()


def request(body, coding=None, headers=(), path="/v1/observations", method="POST"):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}",
             "Content-Type: application/x-ndjson"]
    if coding:
        lines.append(f"Content-Encoding: {coding}")
    lines.extend(headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def batch_line(probe, boot, seq, count):
    return json.dumps({"kind": "batch", "v": 1, "probe": probe, "boot": boot, "seq": seq,
                       "sent_us": int(time.time() * 1e6), "observations": count},
                      separators=(",", ":")).encode() + b"\n"


def health_line(number):
    return b'{"kind":"health","at_us":1590854700000000,"cpu_us":%d}\n' % number


def zstd(data):
    """Packed by the system's libzstd, level 1, as probes do."""
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_compress.restype = lib.ZSTD_compressBound.restype = ctypes.c_size_t
    lib.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    lib.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t,
                                  ctypes.c_int]
    room = ctypes.create_string_buffer(lib.ZSTD_compressBound(len(data)))
    size = lib.ZSTD_compress(room, len(room), data, len(data), 1)
    return room.raw[:size]


def zstd_stored(data):
    """A frame that holds its bytes as they are: a batch line in front of a packed body."""
    check(len(data) < 256, "one byte of length")
    block = 1 | len(data) << 3
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)]) + struct.pack("<I", block)[:3] + data
