#!/usr/bin/env python3
"""HTTP/2 inside TLS by servers and clients that are built differently, measured passively.

nginx, and nghttpx, which puts several answers into one record, stand before a service that takes 5 to
35 ms; curl asks one by one and keeps ten open, h2load two and ten, nghttp (before
nginx, which answers each in a record of its own) asks for all in its first record.
tcpdump writes a file of each, and the clients the secrets of their TLS connections: with these tshark
reads when every stream was asked for and answered. What must hold of what the probe, without them, reads
from the same file: one request at a time the count is within 1 %, and the mean
within 2 %; of several at once the count
is within 2 %, the mean within 10 % (20 % where
records hold several answers), and they are told as multiplexed; of requests that are all in
the first record the count is within 5 %.

Needs root, unshare, nginx, nghttpx, curl, h2load, nghttp, tcpdump and tshark; skips loudly (exit 77)
without them.
"""
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import threading

import test_flow as flow

SERVER = flow.SERVER
TOOLS = ("nghttpx", "tshark")
PORTS = {"nginx": 8443, "nghttpx": 8446}
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


class Backend:
    """Answers after 5 to 35 ms: that is the service's work. /long answers with up to 60 kB."""

    def __init__(self):
        self.random = random.Random(7)
        self.loop = asyncio.new_event_loop()
        server = asyncio.start_server(self.serve, "127.0.0.1", 9000)
        self.loop.run_until_complete(server)
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = self.random.randint(20, 60_000) if b" /long" in head else 200
                await asyncio.sleep(self.random.uniform(0.005, 0.035))
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
        (folder / "nginx.conf").write_text(NGINX.format(dir=folder, server=SERVER))
        self.servers = [
            subprocess.Popen(["nginx", "-c", folder / "nginx.conf"]),
            subprocess.Popen(["nghttpx", "-f", f"{SERVER},8446", "-b", "127.0.0.1,9000", "--no-ocsp",
                              "--workers=1", "-L", "ERROR", folder / "key.pem", folder / "cert.pem"])]
        for name, port in PORTS.items():
            flow.wait_for(name, lambda: socket.socket().connect_ex((SERVER, port)) == 0)

    def stop(self):
        for server in self.servers:
            server.terminate()
            server.wait()


def curl(port, path, count, at_once):
    many = ["-Z", "--parallel-max", str(at_once)] if at_once > 1 else []
    return ["curl", "-s", "-k", "--http2", *many, "--resolve", f"streams.example:{port}:{SERVER}",
            f"https://streams.example:{port}{path}?[1-{count}]"]


def h2load(port, path, count, at_once):
    return ["h2load", "-n", str(count), "-c", "2", "-m", str(at_once), "--connect-to", f"{SERVER}:{port}",
            f"https://streams.example:{port}{path}"]


def nghttp(port, path, count, _):
    return ["nghttp", "-n", "--no-verify-peer", "-m", str(count), f"https://{SERVER}:{port}{path}"]


# Client, path, requests, open at once; how far the count and the mean may be off.
CASES = ((curl, "/", 150, 1, 0.01, 0.02), (curl, "/long", 150, 1, 0.01, 0.02), (curl, "/", 300, 10, 0.02, 0.1),
         (h2load, "/", 400, 2, 0.02, 0.1), (h2load, "/", 400, 10, 0.02, 0.1),
         (nghttp, "/", 20, 20, 0.05, None))


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


def decrypted(packets, secrets, port):
    """Requests and their mean microseconds, by frames: from a stream's latest to its first answer."""
    fields = ("frame.time_epoch", "tcp.stream", "tcp.dstport", "http2.streamid", "http2.type")
    text = subprocess.run(
        ["tshark", "-n", "-r", packets, "-o", f"tls.keylog_file:{secrets}", "-d", f"tcp.port=={port},tls", "-Y",
         "http2", "-T", "fields", *(word for field in fields for word in ("-e", field))],
        check=True, capture_output=True, text=True).stdout
    asked, answered = {}, {}
    for line in text.splitlines():
        at, connection, target, streams, kinds = line.split("\t")
        for stream, kind in zip(streams.split(","), kinds.split(",")):
            if stream in ("", "0"):
                continue
            if target == str(port) and kind in "01":
                asked[connection, stream] = float(at)
            elif target != str(port) and kind == "1":
                answered.setdefault((connection, stream), float(at))
    times = [answered[key] - asked[key] for key in asked if key in answered]
    return len(asked), sum(times) / max(len(times), 1) * 1e6


def measured(packets, services):
    text = subprocess.run([flow.probe(), "flow", "-r", packets, "--services", services, "--window", "600",
                           "--json"], check=True, capture_output=True, text=True).stdout
    total, _ = flow.add_up(text.splitlines())
    return total["streams"]


def check(site, services, server, case):
    client, path, count, at_once, count_apart, mean_apart = case
    port = PORTS[server]
    packets, secrets = record(site.folder, client(port, path, count, at_once))
    seen, failures = measured(packets, services), []
    # nghttp keeps its secrets to itself; it says how many it asks for.
    real, mean_us = (count, 0) if client is nghttp else decrypted(packets, secrets, port)
    title = f"{server}: {client.__name__} {path} {at_once} at once"
    print(f"{title}: {seen['requests']} requests, really {real}; mean {seen['mean_us']:.0f} us, really {mean_us:.0f}; "
          f"{seen['multiplexed']} multiplexed")
    if real != count:
        failures.append(f"{title}: {count} requests were made, tshark saw {real}")
    if abs(seen["requests"] - real) > count_apart * real:
        failures.append(f"{title}: the count within {count_apart:.0%}")
    if server == "nghttpx" and at_once > 1 and mean_apart is not None:
        mean_apart *= 2  # which of its first records held several answers is not known
    if mean_apart is not None and abs(seen["mean_us"] - mean_us) > mean_apart * mean_us:
        failures.append(f"{title}: the mean within {mean_apart:.0%}")
    if mean_apart is not None and (seen["multiplexed"] > real / 2) != (at_once > 1):
        failures.append(f"{title}: what shares a connection is told so, and only that")
    return failures


def run(folder):
    services = folder / "services.json"
    services.write_text(json.dumps({"services": [
        {"name": "streams", "hosts": ["streams.example"], "addresses": [SERVER], "ports": list(PORTS.values())}]}))
    site = Site(folder)
    try:
        return [failure for server in PORTS for case in CASES if server == "nginx" or case[0] is not nghttp
                for failure in check(site, services, server, case)]
    finally:
        site.stop()


if __name__ == "__main__":
    flow.run_in_namespace(run, "streams", TOOLS)
