#!/usr/bin/env python3
"""HTTP/2 inside TLS by servers and clients that are built differently, measured passively.

nginx, nghttpx, h2o and Apache, which cut and join records each in its own way, stand before a service that
takes 5 to 35 ms; curl asks one by one and keeps ten open, also for long answers and with bodies, h2load keeps
two and ten open, nghttp asks for all in its first record. tcpdump writes a file of each, and the clients the
secrets of their TLS connections: with these tshark reads when every stream was asked for and answered. What
must hold of what the probe, without them, reads from the same file:

- one request at a time: the count within 1 %, the mean within 2 %, the median within 3 %, p99 within 5 %;
- several at once: count and mean within 2 % (5 % in the mean of long answers: a pause of the server between
  two pieces of one looks like its end), and they are told as multiplexed;
- where the probe says that more than a quarter is estimated, requests or answers share records: what that
  costs is not held to a figure, but only such cases may be off;
- with a hundredth of the packets taken out of the file, the count within 2 %, and one at a time the median.

A busy machine makes pauses of its own, so that a case is played up to three times until it holds.

Needs root, unshare, nginx, nghttpx, h2o, apache2, curl, h2load, nghttp, tcpdump and tshark; skips loudly
(exit 77) without them.
"""
import asyncio
import json
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time

import test_flow as flow

SERVER = flow.SERVER
TOOLS = ("nghttpx", "h2o", "apache2", "tshark")
PORTS = {"nginx": 8443, "nghttpx": 8446, "h2o": 8447, "apache2": 8448}
NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_processes 1; user root;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 100000;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
  server {{ listen {server}:8443 ssl http2;
            location / {{ proxy_pass http://127.0.0.1:9000; proxy_http_version 1.1; }} }}
}}
"""


H2O = """
user: root
hosts:
  default:
    listen: {{host: {server}, port: 8447, ssl: {{certificate-file: {dir}/cert.pem, key-file: {dir}/key.pem}}}}
    paths: {{/: {{proxy.reverse.url: "http://127.0.0.1:9000/"}}}}
num-threads: 1
error-log: {dir}/h2o.log
"""
APACHE_MODULES = ("mpm_event", "ssl", "http2", "proxy", "proxy_http", "authz_core")
APACHE = """
ServerRoot {dir}
PidFile {dir}/apache.pid
Mutex file:{dir}
{modules}
Listen {server}:8448
ServerName streams.example
ErrorLog {dir}/apache.log
SSLEngine on
SSLCertificateFile {dir}/cert.pem
SSLCertificateKeyFile {dir}/key.pem
Protocols h2
ProxyPass / http://127.0.0.1:9000/
"""


class Backend:
    """Answers after 5 to 35 ms: that is the service's work. /long answers with up to 60 kB, /some up to 3."""

    def __init__(self):
        self.random, self.slept_us = random.Random(7), []
        self.loop = asyncio.new_event_loop()
        server = asyncio.start_server(self.serve, "127.0.0.1", 9000)
        self.loop.run_until_complete(server)
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def read_body(self, reader, head):
        if b"content-length:" in head:
            await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        elif b"chunked" in head:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self.read_body(reader, head.lower())
                size = self.random.randint(20, 60_000 if b" /long" in head else 3000 if b" /some" in head else 20)
                began = time.monotonic()
                await asyncio.sleep(self.random.uniform(0.005, 0.035))
                self.slept_us.append((time.monotonic() - began) * 1e6)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % size
                             + b"x" * size)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class Site:
    def __init__(self, folder):
        self.folder, self.backend = folder, Backend()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj",
                        "/CN=streams.example"], check=True, capture_output=True)
        words = {"dir": folder, "server": SERVER, "modules": "\n".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in APACHE_MODULES)}
        for name, text in (("nginx", NGINX), ("h2o", H2O), ("apache2", APACHE)):
            (folder / f"{name}.conf").write_text(text.format(**words))
        (folder / "upload").write_bytes(bytes(20_000))
        commands = (["nginx", "-c", folder / "nginx.conf"], ["h2o", "-c", folder / "h2o.conf"],
                    ["apache2", "-DFOREGROUND", "-f", folder / "apache2.conf"],
                    ["nghttpx", "-f", f"{SERVER},8446", "-b", "127.0.0.1,9000", "--no-ocsp", "--workers=1", "-L",
                     "ERROR", folder / "key.pem", folder / "cert.pem"])
        self.servers = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in commands]
        for name, port in PORTS.items():
            flow.wait_for(name, lambda: socket.socket().connect_ex((SERVER, port)) == 0)

    def stop(self):
        for server in self.servers:
            server.terminate()
            server.wait()


def curl(site, port, path, count, at_once):
    many = ["-Z", "--parallel-max", str(at_once)] if at_once > 1 else []
    return ["curl", "-s", "-k", "--http2", *many, "--resolve", f"streams.example:{port}:{SERVER}",
            f"https://streams.example:{port}{path}?[1-{count}]"]


def upload(site, *case):
    return [*curl(site, *case), "--data-binary", f"@{site.folder}/upload"]


def h2load(site, port, path, count, at_once):
    return ["h2load", "-n", str(count), "-c", "2", "-m", str(at_once), "--connect-to", f"{SERVER}:{port}",
            f"https://streams.example:{port}{path}"]


def nghttp(site, port, path, count, _):
    return ["nghttp", "-n", "--no-verify-peer", "-m", str(count), f"https://{SERVER}:{port}{path}"]


# Client, path, requests, open at once.
CASES = ((curl, "/", 300, 1), (curl, "/long", 60, 1), (curl, "/", 300, 10), (curl, "/some", 300, 10),
         (upload, "/", 60, 1), (upload, "/", 200, 10), (h2load, "/", 400, 2), (h2load, "/long", 400, 10),
         (nghttp, "/", 20, 20))
THINNED = (CASES[0], CASES[2])
ATTEMPTS = 3
# Estimates that may be held to figures nonetheless: these many of the requests.
FEW = 0.25


def record(folder, command):
    """Plays a client; its packets and secrets."""
    packets, secrets = folder / "case.pcap", folder / "case.keys"
    secrets.unlink(missing_ok=True)
    dump = subprocess.Popen(["tcpdump", "-i", "lo", "--immediate-mode", "-B", "65536", "-U", "-w", packets,
                             f"host {SERVER}"], stderr=subprocess.PIPE, text=True)
    while "listening" not in dump.stderr.readline():
        assert dump.poll() is None, "tcpdump ended"
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=os.environ | {"SSLKEYLOGFILE": str(secrets)})
    dump.send_signal(signal.SIGINT)
    assert dump.wait(10) == 0, "tcpdump failed"
    return packets, secrets


class Truth:
    """When each stream was asked for, by its latest frame, and when its first answer began, by tshark. A record that
    many packets hold is shown with the last of them, and began in the first."""

    def __init__(self, packets, secrets, port):
        fields = ("frame.number", "frame.time_epoch", "tcp.segment", "tcp.stream", "tcp.dstport", "http2.streamid",
                  "http2.type")
        text = subprocess.run(
            ["tshark", "-n", "-r", packets, "-o", f"tls.keylog_file:{secrets}", "-d", f"tcp.port=={port},tls", "-Y",
             f"tcp.port=={port}", "-T", "fields", *(word for field in fields for word in ("-e", field))],
            check=True, capture_output=True, text=True).stdout
        asked, answered, times = {}, {}, {}
        for line in text.splitlines():
            number, at, pieces, connection, target, streams, kinds = line.split("\t")
            at = times[number] = float(at)
            began = times[pieces.split(",")[0]] if pieces else at
            for stream, kind in zip(streams.split(","), kinds.split(",")):
                if stream in ("", "0"):
                    continue
                if target == str(port) and kind in "01":
                    asked[connection, stream] = at
                elif target != str(port) and kind == "1":
                    answered.setdefault((connection, stream), began)
                began = at
        self.count = len(asked)
        self.times_us = sorted((answered[key] - asked[key]) * 1e6 for key in asked if key in answered)
        self.mean_us = sum(self.times_us) / max(self.count, 1)


class Measured:
    """What the probe tells of a file."""

    def __init__(self, packets, services):
        text = subprocess.run([flow.probe(), "flow", "-r", packets, "--services", services, "--window", "600",
                               "--json"], check=True, capture_output=True, text=True).stdout
        windows = [window for line in text.splitlines() if (window := json.loads(line))["service"] == "streams"]
        self.windows = windows
        self.requests, self.responses, self.untimed, self.multiplexed, self.estimated = (
            sum(window.get(key, 0) for window in windows)
            for key in ("requests", "responses", "untimed", "multiplexed", "estimated"))
        self.times_us = self.sketched("response_us")
        self.mean_us = sum(window.get("response_us", {"sum": 0})["sum"] for window in windows) / max(
            len(self.times_us), 1)

    def sketched(self, name):
        sketches = [window[name] for window in self.windows if name in window]
        return sorted([0.0] * sum(sketch.get("zeros", 0) for sketch in sketches) + [
            (2.0 ** 2 ** -sketch["scale"]) ** (sketch["offset"] + place + 0.5)
            for sketch in sketches for place, count in enumerate(sketch["counts"]) for _ in range(count)])

    def is_rough(self):
        return self.estimated > FEW * self.requests


def quantile(times_us, part):
    return times_us[min(int(part * len(times_us)), len(times_us) - 1)] if times_us else 0


def thinned(packets, seed, part=0.01):
    """The file without a part of its packets."""
    chance, bytes_, at = random.Random(seed), packets.read_bytes(), 24
    thin = packets.with_name("thin.pcap")
    with thin.open("wb") as out:
        out.write(bytes_[:at])
        while at < len(bytes_):
            end = at + 16 + struct.unpack_from("<I", bytes_, at + 8)[0]
            if chance.random() >= part:
                out.write(bytes_[at:end])
            at = end
    return thin


def apart(seen, real, part):
    return abs(seen - real) > part * real


def check_times(title, seen, truth, path, at_once):
    """What is wrong with what was measured in the whole file."""
    if seen.is_rough():
        return
    if apart(seen.requests, truth.count, 0.01 if at_once == 1 else 0.02):
        yield f"{title}: the count"
    if apart(seen.mean_us, truth.mean_us, 0.05 if path == "/long" and at_once > 1 else 0.02):
        yield f"{title}: the mean"
    if (seen.multiplexed > truth.count / 2) != (at_once > 1):
        yield f"{title}: what shares a connection is told so, and only that"
    if at_once == 1:
        for name, part, bound in (("p50", 0.5, 0.03), ("p99", 0.99, 0.05)):
            seen_us, real_us = quantile(seen.times_us, part), quantile(truth.times_us, part)
            if apart(seen_us, real_us, bound):
                yield f"{title}: {name} {seen_us:.0f} us, really {real_us:.0f}"


def check(site, services, server, case):
    client, path, count, at_once = case
    port = PORTS[server]
    packets, secrets = record(site.folder, client(site, port, path, count, at_once))
    seen = Measured(packets, services)
    title = f"{server}: {client.__name__} {path} {at_once} at once"
    print(f"{title}: {seen.requests} requests of {count}, {seen.estimated} estimated, "
          f"{seen.multiplexed} multiplexed", end="")
    if client is nghttp:  # it keeps its secrets to itself
        print()
        if apart(seen.requests, count, 0.05) and not seen.is_rough():
            yield f"{title}: the count, and nothing says so"
        return
    truth = Truth(packets, secrets, port)
    print(f"; mean {seen.mean_us:.0f} us, really {truth.mean_us:.0f}")
    if truth.count != count:
        yield f"{title}: {count} requests were made, tshark saw {truth.count}"
    yield from check_times(title, seen, truth, path, at_once)
    if case in THINNED:
        yield from check_thinned(title, packets, services, truth, at_once)


def check_thinned(title, packets, services, truth, at_once):
    seen = Measured(thinned(packets, title), services)
    if apart(seen.requests, truth.count, 0.02):
        yield f"{title}: with packets missing, {seen.requests} requests, really {truth.count}"
    # Times come in steps of a millisecond: which of them is the median depends on what was lost.
    least, most = quantile(truth.times_us, 0.45) * 0.99, quantile(truth.times_us, 0.55) * 1.01
    if at_once == 1 and not least <= quantile(seen.times_us, 0.5) <= most:
        yield f"{title}: with packets missing, the median {quantile(seen.times_us, 0.5):.0f} us"


def hold(site, services, server, case):
    for _ in range(ATTEMPTS):
        failures = list(check(site, services, server, case))
        if not failures:
            break
        print("; ".join(failures))
    return failures


def run(folder):
    services = folder / "services.json"
    services.write_text(json.dumps({"services": [
        {"name": "streams", "hosts": ["streams.example"], "addresses": [SERVER], "ports": list(PORTS.values())}]}))
    site = Site(folder)
    try:
        return [failure for server in PORTS for case in CASES
                for failure in hold(site, services, server, case)]
    finally:
        site.stop()


if __name__ == "__main__":
    flow.run_in_namespace(run, "streams", TOOLS)
