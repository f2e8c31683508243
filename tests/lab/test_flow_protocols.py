#!/usr/bin/env python3
"""DNS, QUIC and HTTP/2 in the clear, measured passively against what real servers and clients say.

On loopback, inside a network namespace of its own, nsd answers drill and dnsperf, gtlsserver answers
gtlsclient (QUIC), nghttpd answers h2load, while astray-probe captures live and tcpdump writes a file.
What must hold, live and from the file:
- DNS: requests, answers and failures as the tools count them; a server that stays silent is one that
  timed out; an answer too long for UDP, fetched again over TCP, is one request; the mean time is
  that of the packets, matched by another hand, within 1 %, and no longer than what dnsperf saw.
- A connection in which no name is to be seen is named by the DNS answer that its client had before.
- QUIC: as many connections as clients were started, all named by what they asked for; where a
  connection asks one thing after the other its requests are as many as the server's log says, and
  told as estimates.
- HTTP/2: every request of h2load is counted, answered and timed, also the failing ones; the mean is
  no longer than what h2load saw (a client's clock starts before the wire's and stops after it).
What tcpdump itself lost is not held against the file.

Needs root, unshare and the servers above; skips loudly (exit 77) without them.
"""
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time

import test_flow as flow

SERVER, SILENT = flow.SERVER, "198.51.100.2"
TOOLS = ("unshare", "ip", "nsd", "drill", "dnsperf", "gtlsserver", "gtlsclient", "nghttpd", "h2load", "openssl",
         "tcpdump")
ZONE = """$ORIGIN exchange.example.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A {server}
www CNAME edge
edge A {server}
long TXT {long}
"""
NSD = """server:
  ip-address: {server}
  username: ""
  chroot: ""
  database: ""
  pidfile: {dir}/nsd.pid
  logfile: {dir}/nsd.log
  zonesdir: {dir}
  xfrdfile: {dir}/xfrd.state
  zonelistfile: {dir}/zone.list
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: exchange.example
  zonefile: {dir}/zone
"""
SERVICES = {"services": [
    {"name": "names", "addresses": [SERVER, SILENT], "ports": [53]},
    {"name": "quic", "hosts": ["quic.exchange.example"], "ports": [4433]},
    {"name": "clear", "hosts": [SERVER], "addresses": [SERVER], "ports": [8080]},
    {"name": "opaque", "hosts": ["*.exchange.example"], "ports": [7000]}]}
PERF_QUESTIONS, QUIC_CONNECTIONS, QUIC_REQUESTS, H2_REQUESTS = 2000, 5, 4, 2000


def run(*words, check=True):
    return subprocess.run(words, capture_output=True, text=True, check=check, timeout=60)


class Servers:
    """nsd, gtlsserver, nghttpd, one that echoes, and one that is silent."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "www").mkdir()
        (folder / "www/small").write_text("small\n")
        (folder / "www/large").write_bytes(os.urandom(100_000))
        long = " ".join(f'"{"x" * 200}"' for _ in range(12))
        (folder / "zone").write_text(ZONE.format(server=SERVER, long=long))
        (folder / "nsd.conf").write_text(NSD.format(server=SERVER, dir=folder))
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem",
            "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=exchange.example")
        run("ip", "address", "add", f"{SILENT}/32", "dev", "lo")
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind((SILENT, 53))
        self.echo = socket.create_server((SERVER, 7000))
        threading.Thread(target=self.serve_echo, daemon=True).start()
        self.quic_log, self.processes = folder / "quic.log", []
        self.start("nsd", "-d", "-c", folder / "nsd.conf", log=folder / "nsd.out")
        self.start("gtlsserver", "--no-quic-dump", "--no-http-dump", f"--htdocs={folder}/www",
                   "--max-streams-bidi=1", SERVER, "4433", folder / "key.pem", folder / "cert.pem",
                   log=self.quic_log)
        self.start("nghttpd", "--no-tls", "-d", folder / "www", "8080", log=folder / "h2.log")
        flow.wait_for("nsd", lambda: self.drill("ns.exchange.example", "A")[0] == 0)
        flow.wait_for("nghttpd", lambda: socket.socket().connect_ex((SERVER, 8080)) == 0)
        flow.wait_for("gtlsserver", lambda: f":{4433}" in run("ss", "-lunH").stdout)

    def start(self, *words, log):
        self.processes.append(subprocess.Popen(words, stdout=log.open("w"), stderr=subprocess.STDOUT))

    def serve_echo(self):
        while True:
            peer, _ = self.echo.accept()
            while data := peer.recv(1000):
                peer.sendall(data)
            peer.close()

    def drill(self, name, kind, *options, server=SERVER):
        found = run("drill", *options, name, f"@{server}", kind, check=False)
        return found.returncode, found.stdout

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


def make_dns(servers):
    """What the tools say: questions, answers, failures, and dnsperf's mean in seconds."""
    for name in ("www", "none", "edge"):
        servers.drill(f"{name}.exchange.example", "A")
    servers.drill("www.elsewhere.example", "A")  # refused
    code, text = servers.drill("long.exchange.example", "TXT", "-a")
    assert code == 0 and "xxx" in text, text
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.sendto(b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x00\x00\x01\x00\x01",
                  (SILENT, 53))
    (servers.folder / "questions").write_text(
        "".join(f"{name}.exchange.example {kind}\n" for name in ("www", "edge", "ns", "none")
                for kind in ("A", "AAAA")))
    said = run("dnsperf", "-s", SERVER, "-d", servers.folder / "questions", "-c", "20", "-q", "20",
               "-n", str(PERF_QUESTIONS // 8)).stdout
    sent, completed, lost = (int(re.search(rf"Queries {word}: +(\d+)", said)[1])
                             for word in ("sent", "completed", "lost"))
    print(f"dnsperf: {sent} sent, {completed} completed, {lost} lost")
    mean = float(re.search(r"Average Latency \(s\): +([\d.]+)", said)[1])
    return {"requests": sent + 6, "responses": completed + 5, "errors": 1, "timed_out": 1 + lost, "mean_us": mean * 1e6}


def make_opaque(servers):
    servers.drill("www.exchange.example", "A")
    peer = socket.create_connection((SERVER, 7000))
    for _ in range(3):
        peer.sendall(b"a protocol that nobody knows")
        assert peer.recv(1000)
    peer.close()
    return {"connections": 1, "requests": 3, "responses": 3}


def make_quic(servers):
    host = "quic.exchange.example"
    url = f"https://{host}:4433/"
    # The client asks for the name only where it is one that it can look up.
    (servers.folder / "hosts").write_text(f"{SERVER} {host}\n")
    known = f'mount --bind {servers.folder}/hosts /etc/hosts && exec "$@"'
    for _ in range(QUIC_CONNECTIONS):
        run("unshare", "-m", "sh", "-c", known, "sh", "gtlsclient", "-q", "--exit-on-all-streams-close", host, "4433",
            *(url + ("large" if n % 2 else "small") for n in range(QUIC_REQUESTS)))
    asked = servers.quic_log.read_text().count("[:path: ")
    assert asked == QUIC_CONNECTIONS * QUIC_REQUESTS, asked
    return {"connections": QUIC_CONNECTIONS, "requests": asked, "responses": asked, "estimated": asked}


def in_us(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def make_clear(servers):
    means = []
    for path, count in (("small", H2_REQUESTS), ("missing", 100)):
        said = run("h2load", "-n", str(count), "-c", "4", "-m", "10", f"http://{SERVER}:8080/{path}").stdout
        assert f"{count} done" in said, said
        means.append((count, in_us(re.search(r"time for request: +\S+ +\S+ +(\S+)", said)[1])))
    total = sum(count for count, _ in means)
    return {"connections": 8, "requests": total, "responses": total, "errors": 0, "untimed": 0,
            "mean_us": sum(count * mean for count, mean in means) / total}


def add_up(lines):
    total = {}
    for line in lines:
        seen = json.loads(line)
        into = total.setdefault(seen["service"], {"named_by": {}, "sum": 0.0, "timed": 0})
        for key, value in seen.items():
            if isinstance(value, int) and not key.endswith("_us"):
                into[key] = into.get(key, 0) + value
        for source, count in seen.get("named_by", {}).items():
            into["named_by"][source] = into["named_by"].get(source, 0) + count
        sketch = seen.get("last_byte_us" if seen["service"] == "clear" else "response_us")
        if sketch:
            into["sum"] += sketch["sum"]
            into["timed"] += sum(sketch["counts"]) + sketch["zeros"]
    return total


def check(title, lines, truth):
    total, failures = add_up(lines), []
    for name, wanted in truth.items():
        seen = total.get(name, {})
        mean = seen["sum"] / seen["timed"] if seen.get("timed") else None
        print(f"{title}: {name}: {seen}; mean {mean}, wanted {wanted}")
        for key, value in wanted.items():
            if key == "mean_us":
                if mean is None or not value / 20 < mean < value + 300:
                    failures.append(f"{title}: {name}: mean {mean} us, the tool says {value} us")
            elif key == "packets_mean_us":
                if mean is None or abs(mean - value) > value / 100:
                    failures.append(f"{title}: {name}: mean {mean} us, by the packets {value} us")
            elif seen.get(key, 0) != value:
                failures.append(f"{title}: {name}: {key} {seen.get(key, 0)}, should be {value}")
    for name, source in (("names", "address"), ("quic", "server_name"), ("opaque", "dns"),
                         ("clear", "host")):
        if list(total.get(name, {}).get("named_by", {})) != [source]:
            failures.append(f"{title}: {name} is named by {source} alone")
    for key in ("tls_us", "connect_us", "client_connect_us"):
        if not any(json.loads(line).get(key) for line in lines if '"service":"quic"' in line):
            failures.append(f"{title}: quic: {key} is measured")
    return failures


def dns_mean_us(file):
    """From every question over UDP to its answer, by the packets alone."""
    data, at, asked, times = file.read_bytes(), 24, {}, []
    while at < len(data):
        second, us, captured, _ = struct.unpack_from("<4I", data, at)
        packet, at = data[at + 30:at + 16 + captured], at + 16 + captured
        if packet[9] != 17:
            continue
        source, target = struct.unpack_from(">2H", packet, 20)
        when, message = second * 1_000_000 + us, packet[28:30]
        if target == 53:
            asked[source, message] = when
        elif source == 53 and (target, message) in asked:
            times.append(when - asked.pop((target, message)))
    return sum(times) / len(times)


def play(folder):
    services = folder / "services.json"
    services.write_text(json.dumps(SERVICES))
    options = ["--services", services, "--window", "1", "--json"]
    servers = Servers(folder)
    try:
        with flow.Recorders(folder, options, "tcp or udp") as recorders:
            truth = {"names": make_dns(servers), "opaque": make_opaque(servers),
                     "quic": make_quic(servers), "clear": make_clear(servers)}
            truth["names"]["requests"] += 1  # that of make_opaque
            truth["names"]["responses"] += 1
            asked = time.monotonic()
            flow.wait_for("the question that nobody answers to time out",
                          lambda: add_up(recorders.live.read_text().rpartition("\n")[0].splitlines())["names"].get("timed_out", 0)
                          >= truth["names"]["timed_out"])
            print(f"timed out {time.monotonic() - asked:.1f} s later")
            servers.drill("www.exchange.example", "A")  # a later packet, for the file's clock
            truth["names"]["requests"] += 1
            truth["names"]["responses"] += 1
            windows = recorders.windows()
            flow.wait_for("another window", lambda: recorders.windows() > windows + len(SERVICES["services"]))
    finally:
        servers.stop()
    read = run(flow.probe(), "flow", "-r", folder / "file.pcap", *options)
    lost = " 0 packets dropped by kernel" not in recorders.said
    if not lost:
        truth["names"]["packets_mean_us"] = dns_mean_us(folder / "file.pcap")
    failures = check("live", recorders.live.read_text().splitlines(), truth)
    if lost:
        print("tcpdump lost packets: the file is not checked")
        return failures
    return failures + check("file", read.stdout.splitlines(), truth)


if __name__ == "__main__":
    flow.run_in_namespace(play, "protocols", TOOLS)
