#!/usr/bin/env python3
"""HTTP/1's times, in the clear and inside TLS 1.2 and 1.3, beside three other clocks.

curl asks nginx, before a service that takes 5 to 35 ms, for 500 small answers over four kept connections. The
packets tell by tshark, with curl's secrets, when each request and its answer passed; curl tells how long it waited,
the service how long it slept. What must hold of what the probe, without secrets, reads from the same packets:

- every request is counted and timed; median and p99 of the first byte are within 0.1 ms or 1 % of the packets';
- curl, whose clock stands behind the kernel, has not waited less, nor 1 ms longer; the service has not slept
  longer, nor 2 ms less (means; what is between them is nginx's work);
- connecting and the handshake of TLS take no more than curl says, and 1 ms and, for its own work, 5 ms less at most;
- without 1 % of the packets the count is within 2 %, without 5 % within 5 %; the median is that of the rest;
- from the midst of the connections on, requests are those behind it, but for one of each connection.

Needs root, unshare, nginx, curl, tcpdump and tshark; skips loudly (exit 77) without them.
"""
import json
import socket
import statistics
import struct
import subprocess

import test_flow as flow
from test_flow_streams import Backend, Measured, apart, quantile, record, thinned

SERVER = flow.SERVER
COUNT, CONNECTIONS = 500, 4
SPEECHES = {"clear": (8480, []), "TLS 1.2": (8443, ["--tls-max", "1.2"]), "TLS 1.3": (8443, ["--tlsv1.3"])}
SAID = ("time_connect", "time_appconnect", "time_pretransfer", "time_starttransfer", "num_connects")
NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_processes 1; user root;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 100000;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
  upstream service {{ server 127.0.0.1:9000; keepalive 4; }}
  server {{ listen {server}:8480; listen {server}:8443 ssl;
            location / {{ proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}
"""


class Site:
    def __init__(self, folder):
        self.folder, self.backend = folder, Backend()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem",
                        "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=streams.example"], check=True,
                       capture_output=True)
        (folder / "nginx.conf").write_text(NGINX.format(dir=folder, server=SERVER))
        self.nginx = subprocess.Popen(["nginx", "-c", folder / "nginx.conf"])
        for port in (8480, 8443):
            flow.wait_for("nginx", lambda: socket.socket().connect_ex((SERVER, port)) == 0)

    def stop(self):
        self.nginx.terminate()
        self.nginx.wait()


def visit(site, port, options):
    """The packets and secrets, and in seconds what curl says of each request."""
    said = site.folder / "said"
    said.unlink(missing_ok=True)
    scheme = "http" if port == 8480 else "https"
    one = ["curl", "-s", "-k", "--http1.1", *options, "--resolve", f"streams.example:{port}:{SERVER}", "-o",
           "/dev/null", "-w", " ".join(f"%{{{name}}}" for name in SAID) + "\\n",
           f"{scheme}://streams.example:{port}/?[1-{COUNT // CONNECTIONS}]"]
    script = " && ".join(['"$@" >> "$0"'] * CONNECTIONS)
    packets, secrets = record(site.folder, ["sh", "-c", script, str(said), *one])
    lines = [dict(zip(SAID, map(float, line.split()))) for line in said.read_text().splitlines()]
    assert len(lines) == COUNT, len(lines)
    return packets, secrets, lines


class Truth:
    """By tshark: the numbers of the packets with requests, and first bytes' times in order of length."""

    def __init__(self, packets, secrets, port):
        fields = ("tcp.stream", "frame.number", "frame.time_epoch", "http.request")
        text = subprocess.run(
            ["tshark", "-n", "-r", packets, "-o", f"tls.keylog_file:{secrets}", "-d",
             f"tcp.port=={port},{'http' if port == 8480 else 'tls'}", "-Y", "http", "-T", "fields",
             *(word for field in fields for word in ("-e", field))], check=True, capture_output=True, text=True).stdout
        asked, self.asked_in, times = {}, [], []
        for line in text.splitlines():
            stream, number, at, request = line.split("\t")
            if request:
                asked[stream] = float(at)
                self.asked_in.append(int(number))
            else:
                times.append((float(at) - asked.pop(stream)) * 1e6)
        self.times_us = sorted(times)


def near(seen_us, real_us):
    return abs(seen_us - real_us) <= max(100, 0.01 * real_us)


def mean_us(seconds):
    return statistics.fmean(seconds) * 1e6


def check_clocks(seen, lines, slept_us):
    first = [line for line in lines if line["num_connects"]]
    more_us = mean_us(line["time_starttransfer"] - line["time_pretransfer"] for line in lines) - seen.mean_us
    less_us = seen.mean_us - statistics.fmean(slept_us)
    print(f"  curl waited {more_us:.0f} us longer, the service slept {less_us:.0f} us less (means)")
    if not 0 <= more_us <= 1000:
        yield f"curl waited {more_us:.0f} us longer"
    if not 0 <= less_us <= 2000:
        yield f"the service slept {less_us:.0f} us less"
    # A client makes its keys before its hello, and reads the server's proofs after the last packet.
    for what, name, began, ended, own_us in (("connecting", "connect_us", None, "time_connect", 1000),
                                             ("the handshake", "tls_us", "time_connect", "time_appconnect", 5000)):
        own = seen.sketched(name)
        said_us = mean_us(line[ended] - (line[began] if began else 0) for line in first)
        print(f"  {what}: {statistics.fmean(own or [0]):.0f} us, by curl's clock {max(said_us, 0):.0f}")
        if said_us > 0 and not 0 <= said_us - statistics.fmean(own) <= own_us:
            yield f"{what}: {said_us:.0f} us by curl's clock"


def check_packets(packets, services, truth):
    """The file whole, without its beginning, and with packets missing."""
    real_us = truth.times_us
    seen = Measured(packets, services)
    if (seen.requests, seen.responses, seen.untimed) != (COUNT, COUNT, 0):
        yield f"{seen.requests} requests, {seen.responses} answers, {seen.untimed} untimed of {COUNT}"
    for part in (0.5, 0.99):
        seen_us, truth_us = quantile(seen.times_us, part), quantile(real_us, part)
        print(f"  p{part * 100:.0f}: {seen_us:.0f} us, really {truth_us:.0f}")
        if not near(seen_us, truth_us):
            yield f"p{part * 100:.0f} {seen_us:.0f} us, really {truth_us:.0f}"
    yield from check_midst(packets, services, truth.asked_in)
    for lost, bound in ((0.01, 0.02), (0.05, 0.05)):
        thin = Measured(thinned(packets, lost, lost), services)
        print(f"  without {lost:.0%} of the packets: {thin.requests} requests, {thin.untimed} untimed")
        if apart(thin.requests, COUNT, bound):
            yield f"without {lost:.0%} of the packets {thin.requests} requests"
        # What is lost, and steps of a millisecond in the service's clock, decide which time is the median.
        least_us, most_us = quantile(real_us, 0.45) * 0.99, quantile(real_us, 0.55) * 1.01
        thin_us = quantile(thin.times_us, 0.5)
        if not least_us <= thin_us <= most_us:
            yield f"without {lost:.0%} of the packets the median {thin_us:.0f} us, not {least_us:.0f} to {most_us:.0f}"


def behind(packets, count):
    """The file without its first packets."""
    bytes_, at = packets.read_bytes(), 24
    for _ in range(count):
        at += 16 + struct.unpack_from("<I", bytes_, at + 8)[0]
    late = packets.with_name("late.pcap")
    late.write_bytes(bytes_[:24] + bytes_[at:])
    return late


def check_midst(packets, services, asked_in):
    cut = asked_in[COUNT * 5 // 8]  # two connections are over then, the third is in its midst
    seen, real = Measured(behind(packets, cut), services), COUNT - COUNT * 5 // 8 - 1
    print(f"  from the midst on: {seen.requests} requests, really {real}")
    if abs(seen.requests - real) > 1:
        yield f"from the midst on {seen.requests} requests, really {real}"


def run(folder):
    services = folder / "services.json"
    services.write_text(json.dumps({"services": [
        {"name": "streams", "hosts": ["streams.example"], "addresses": [SERVER], "ports": [8480, 8443]}]}))
    site, failures = Site(folder), []
    try:
        for speech, (port, options) in SPEECHES.items():
            print(speech)
            site.backend.slept_us.clear()
            packets, secrets, lines = visit(site, port, options)
            truth = Truth(packets, secrets, port)
            assert len(truth.times_us) == COUNT, len(truth.times_us)
            failures += [f"{speech}: {what}" for what in (
                *check_packets(packets, services, truth),
                *check_clocks(Measured(packets, services), lines, site.backend.slept_us))]
    finally:
        site.stop()
    return failures


if __name__ == "__main__":
    flow.run_in_namespace(run, "times", ("tshark", "curl"))
