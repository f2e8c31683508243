#!/usr/bin/env python3
"""Traffic without capturing: from the kernel's own counts, by a user without any privilege.

A laptop makes connections to a shop, 20 ms away: forty short ones (most begin and end between two of
the probe's looks), one long one, some that are refused, in both ways that clients notice it, and one
that nobody answers. What must hold: `astray-probe flow --kernel` run by nobody counts each exactly;
its round trips are 20 ms; retransmits are seen once the path loses packets; requests are absent, not
zero; the observations say by which method they came; another service's connections and the probe's
own are nobody's; an
agent that may not capture chooses this by itself and says so.
"""
import json
import pathlib
import select
import shutil
import signal
import socket
import time

from internet import RUN, check, main, program, wait_for

BINARY = "bin/astray-probe"
SHOP, AWAY = "203.0.113.10", "203.0.113.99"
ROUND_TRIP_MS = 20
SHORT, LONG_TURNS = 40, 4
SERVER = """
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 64
print("ready", flush=True)
Server(("", 80), Echo).serve_forever()
"""
SERVICES = {"services": [
    {"name": "shop", "hosts": ["shop.example"], "ports": [80, 81], "addresses": [SHOP, AWAY]}]}


def nobody(*words):
    return ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all", *words]


def exchange(connection, text=b"hello"):
    connection.sendall(text)
    data = b""
    while len(data) < len(text):
        data += connection.recv(65536)


def connect_quietly(port):
    """A client that waits for the end of connecting, as browsers do."""
    with socket.socket() as client:
        client.setblocking(False)
        client.connect_ex((SHOP, port))
        select.select([], [client], [], 5)
        return client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def refuse(laptop):
    with laptop.entered():
        for _ in range(3):
            check(connect_quietly(81) != 0, "port 81 refuses")
        for _ in range(2):
            try:
                socket.create_connection((SHOP, 81), timeout=5)
            except ConnectionRefusedError:
                continue
            check(False, "port 81 refuses")


def in_vain(laptop):
    """One that nobody answers; it is held until its SYN was sent three times."""
    with laptop.entered():
        client = socket.socket()
    client.setblocking(False)
    client.connect_ex((AWAY, 80))
    return client


def own(laptop):
    """A check and a trace of the probe's own, which are no user's connections."""
    laptop.run(*nobody(RUN / BINARY, "check", f"http://{SHOP}:81/"), check=False)
    laptop.run(*nobody(RUN / BINARY, "trace", "-n", "--protocol", "tcp", "--port", "80", SHOP))


def traffic(laptop, observed):
    with laptop.entered():
        lasting = socket.create_connection((SHOP, 80), timeout=10)
        nobodys = socket.create_connection((SHOP, 8080), timeout=10)
    vain = in_vain(laptop)
    for _ in range(SHORT):
        with laptop.entered():
            short = socket.create_connection((SHOP, 80), timeout=10)
        with short:
            exchange(short)
    refuse(laptop)
    for _ in range(LONG_TURNS):
        before = observed()
        exchange(lasting)
        wait_for("the next window", lambda: observed() > before)
    wait_for("a timeout", lambda: observed("timed_out") > 0)
    own(laptop)
    for connection in (lasting, nobodys, vain):
        connection.close()


class Probe:
    def __init__(self, laptop, binary, services):
        self.out = laptop.folder / "observations.ndjson"
        with self.out.open("w") as out:
            self.process = laptop.start(
                *nobody(binary, "flow", "--kernel", "--services", services, "--window", "1", "--json"),
                log="kernel", stdout=out)

    def lines(self):
        text = self.out.read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def observed(self, key=None):
        return sum(line.get(key, 0) if key else 1 for line in self.lines())

    def end(self):
        self.process.send_signal(signal.SIGINT)
        check(self.process.wait(10) == 0, "the probe ends well")


def middle(lines):
    """The median round trip of all windows, from their sketches."""
    buckets = []
    for sketch in (line["rtt_us"] for line in lines if "rtt_us" in line):
        width = 2.0 ** 2 ** -sketch["scale"]
        for place, count in enumerate(sketch["counts"]):
            buckets += [width ** (sketch["offset"] + place + 0.5)] * count
    return sorted(buckets)[len(buckets) // 2] / 1000


def check_agent(laptop, binary, services):
    """The agent, started without privilege, chooses by itself."""
    config = laptop.folder / "probe.json"
    spool = laptop.folder / "spool"
    spool.mkdir()
    shutil.chown(spool, 65534, 65534)
    config.write_text(json.dumps({
        "probe": "laptop", "role": "endpoint", "spool": {"directory": str(spool)},
        "collector": {"url": "http://127.0.0.1:9"}, "services": SERVICES["services"],
        "sources": {"flow": {"window": "1 s"}}}))
    agent = laptop.start(*nobody(binary, "run", "--config", config), log="agent")
    log = laptop.folder / "agent.log"
    wait_for("the agent's word", lambda: "requests are not known" in log.read_text() or agent.poll())
    print(log.read_text())
    check(agent.poll() is None, "the agent runs on")
    agent.send_signal(signal.SIGTERM)
    check(agent.wait(10) == 0, "the agent ends well")


def scenario(internet):
    laptop, shop = internet.host("laptop", "198.51.100.2"), internet.host("shop", SHOP)
    laptop.resolver("127.0.0.1")  # where nobody listens: names are refused at once
    internet.imaginary("away", f"{AWAY}/32", silent=True)
    internet.path(laptop, shop, rtt_ms=ROUND_TRIP_MS)
    internet.path(laptop, AWAY, rtt_ms=ROUND_TRIP_MS)
    built = pathlib.Path(program("astray-probe")).parents[1]
    for part in (BINARY, "libexec/astray/astray-probe-flow", "libexec/astray/astray-probe-whole"):
        (RUN / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(built / part, RUN / part)
    services = RUN / "services.json"
    services.write_text(json.dumps(SERVICES))
    shop.start("python3", "-c", SERVER, log="server")
    shop.start("python3", "-c", SERVER.replace("80)", "8080)"), log="other")
    wait_for("the servers", lambda: all("ready" in (shop.folder / f"{name}.log").read_text()
                                        for name in ("server", "other")))
    probe = Probe(laptop, RUN / BINARY, services)
    wait_for("the first window", probe.observed)
    traffic(laptop, probe.observed)
    probe.end()
    lines = probe.lines()
    sums = {key: probe.observed(key) for key in (
        "connections", "refused", "timed_out", "sent_bytes", "retransmits")}
    print(sums, f"round trip {middle(lines):.2f} ms")
    check(all(line["method"] == "kernel" and line["service"] == "shop" for line in lines), "method")
    check(not any("requests" in line or "responses" in line for line in lines), "no requests")
    check(sums["connections"] == SHORT + 1, f"{SHORT + 1} connections")
    check(sums["refused"] == 5, "5 refused")
    check(sums["timed_out"] == 1, "1 timed out")
    check(sums["sent_bytes"] == 5 * (SHORT + LONG_TURNS), "the bytes sent")
    check(ROUND_TRIP_MS <= middle(lines) < 1.15 * ROUND_TRIP_MS, "round trips")
    check_agent(laptop, RUN / BINARY, services)


if __name__ == "__main__":
    main(scenario)
