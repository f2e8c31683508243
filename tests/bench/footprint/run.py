#!/usr/bin/env python3
"""What a probe costs an employee's machine: memory, processor, bytes sent.

In a network namespace a person uses ten services, one request of each in ten seconds, and then rests,
while probes with the role "endpoint" watch them (flow with windows of 10 s, a trace and a check of each every
minute). Probes differ in how long observations wait for others to go with (batch_age; "own" is what an endpoint
does by itself: 45 s, and two minutes at rest). Sent are the bytes of HTTP on the wire, both ways,
without TLS's and TCP's own.

Memory is counted with the libraries' pages that other programs share, and with the capture's ring,
which is 2 MiB here: enough for one machine. SECONDS=N (default 300) is how long each
of the two is watched; a day is eight hours of use and sixteen of rest.
"""
import http.client
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

SECONDS = int(os.environ.get("SECONDS", 300))
SERVICES, WINDOW_S, DAY_S = 10, 10, 86400
AGES = ("10 s", "45 s", "own")
LONGEST_AGE_S = 120
FIRST_PORT = 8001
RING_BYTES = 2 << 20
TARGET_MIB, TARGET_CPU, TARGET_MB = 16, 0.5, 2


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "500")
        self.end_headers()
        self.wfile.write(b"x" * 500)


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """Checks and traces hang up when they have what they want."""


class Collector(Service):
    def do_GET(self):
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.sequence += 1
        answer = json.dumps({"acknowledged": self.server.sequence - 1}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        request_head = len(self.requestline) + 2 + len(bytes(self.headers)) + 2
        self.server.batches.append((time.monotonic(), request_head + len(body) + 120 + len(answer)))


def serve(port, handler):
    server = Quiet(("127.0.0.1", port), handler)
    server.batches, server.sequence = [], 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def person(stop):
    while not stop.wait(WINDOW_S / SERVICES):
        port = FIRST_PORT + person.turn % SERVICES
        person.turn += 1
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/page")
        connection.getresponse().read()
        connection.close()


person.turn = 0


def start_probe(folder, age, port):
    collector = {"url": f"http://127.0.0.1:{port}"}
    if age != "own":
        collector["batch_age"] = age
    name = age.replace(" ", "")
    config = folder / f"probe-{name}.json"
    config.write_text(json.dumps({
        "probe": f"laptop-{name}", "collector": collector,
        "spool": {"directory": str(folder / f"spool-{name}")},
        "services": [{"name": f"service-{i}", "addresses": ["127.0.0.1"], "ports": [FIRST_PORT + i],
                      "url": f"http://127.0.0.1:{FIRST_PORT + i}/health"} for i in range(SERVICES)],
        "sources": {"flow": {"interface": "lo", "window": WINDOW_S, "buffer_bytes": RING_BYTES}, "trace": {}, "check": {}}}))
    program = pathlib.Path(os.environ["ASTRAY_BIN"]) / "astray-probe"
    return subprocess.Popen([program, "run", "--config", config], stderr=open(folder / "log", "ab"))


def mb_a_day(batches):
    """From the first batch to the last, so that the length of the run does not matter."""
    if len(batches) < 2:
        return float("nan")
    return sum(size for _, size in batches[1:]) / (batches[-1][0] - batches[0][0]) * DAY_S / 1e6


def mb_in_use_and_at_rest(batches, rest_began):
    # What was gathered in use is on its way for a while after it.
    rest = [batch for batch in batches if batch[0] > rest_began + LONGEST_AGE_S / 2 + WINDOW_S]
    return mb_a_day([batch for batch in batches if batch[0] <= rest_began]), mb_a_day(rest)


def cost(process):
    stat = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    memory = {line.split()[0][:-1]: int(line.split()[1]) for line in status.splitlines()
              if line.startswith(("VmHWM", "RssAnon"))}
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"), memory


def main():
    if os.geteuid() != 0:
        sys.exit("SKIPPED: capturing needs root")
    if not os.environ.get("ASTRAY_FOOTPRINT_NAMESPACE"):
        os.environ["ASTRAY_FOOTPRINT_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "-n", sys.executable, __file__])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for i in range(SERVICES):
        serve(FIRST_PORT + i, Service)
    stop = threading.Event()
    threading.Thread(target=person, args=(stop,), daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="astray-footprint-") as name:
        runs = []
        for i, age in enumerate(AGES):
            collector = serve(9001 + i, Collector)
            runs.append((age, collector, start_probe(pathlib.Path(name), age, 9001 + i)))
        time.sleep(SECONDS)
        stop.set()
        rest_began = time.monotonic()
        time.sleep(SECONDS)
        print(f"{SERVICES} services, windows of {WINDOW_S} s; targets {TARGET_MIB} MiB, {TARGET_CPU} % of a "
              f"core, {TARGET_MB} MB a day")
        print("batch_age  resident MiB (own)  % of a core  MB/day in use  at rest  of 8 h + 16 h  of the target")
        for age, collector, process in runs:
            cpu_s, memory = cost(process)
            use, rest = mb_in_use_and_at_rest(collector.batches, rest_began)
            day = (use + 2 * rest) / 3
            print(f"{age:9} {memory['VmHWM'] / 1024:13.1f} ({memory['RssAnon'] / 1024:.1f})"
                  f"{cpu_s * 50 / SECONDS:13.2f} {use:14.2f} {rest:8.2f} {day:14.2f} {day / TARGET_MB:13.2f}x")
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
