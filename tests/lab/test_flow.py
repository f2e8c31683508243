#!/usr/bin/env python3
"""Passive measurement against the truth of a real server and a real client.

nginx answers curl over loopback inside a network namespace of its own, in the clear and inside
TLS 1.2 and 1.3, on connections kept alive and on new ones, while astray-probe captures live and
tcpdump writes a file. What must hold: live and from the file, the requests and errors of every
service equal nginx's access log exactly; every one is answered and timed; the median answer is
within 1 ms of what curl measured itself; a refused connection is told as such. HTTP/2 one request
at a time is exact within 1 %, and within 5 % and told as multiplexed where h2load keeps ten open.
The probe's own checks of the same server count for nothing.

Needs root, unshare, nginx, curl, h2load, openssl and tcpdump; skips loudly (exit 77) without them.
"""
import collections
import http.server
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

SERVER = "198.51.100.1"
TOOLS = ("unshare", "ip", "nginx", "curl", "h2load", "nghttp", "openssl", "tcpdump")
NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_processes 1; user root;
events {{ worker_connections 512; }}
http {{
  log_format truth '$server_name $status $request_time $http_user_agent';
  access_log {dir}/access.log truth;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  keepalive_requests 100000; root {dir}/www;
  server {{ listen {server}:80; server_name wiki.example; location /broken {{ return 503; }} }}
  server {{ listen {server}:443 ssl; server_name exchange.example;
            ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;
            ssl_protocols TLSv1.2 TLSv1.3; location /broken {{ return 503; }} }}
  server {{ listen {server}:8443 ssl http2; server_name lone.example;
            ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem; }}
  server {{ listen {server}:8444 ssl http2; server_name shared.example;
            ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;
            location / {{ proxy_pass http://127.0.0.1:9000; }} }}
  server {{ listen {server}:8445 ssl http2; server_name packed.example;
            ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem; }}
}}
"""
SERVICES = {"services": [{"name": "wiki", "hosts": ["wiki.example"], "ports": [80, 81],
                          "addresses": [SERVER]},
                         {"name": "exchange", "hosts": ["*.example"], "ports": [443]},
                         {"name": "lone", "hosts": ["lone.example"], "ports": [8443]},
                         {"name": "shared", "hosts": ["shared.example"], "ports": [8444]},
                         {"name": "packed", "hosts": ["packed.example"], "ports": [8445]}]}
NAMES = {"packed.example": "packed", "lone.example": "lone", "shared.example": "shared",
         "wiki.example": "wiki", "exchange.example": "exchange"}


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def enter_namespace(tools=()):
    """Starts this script again where there is no network but its own loopback."""
    if os.environ.get("ASTRAY_FLOW_NAMESPACE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "address", "add", f"{SERVER}/32", "dev", "lo"], check=True)
        return
    if os.geteuid() != 0:
        skip("network namespaces and capturing need root")
    for tool in (*TOOLS, *tools):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        skip("network namespaces cannot be made here")
    os.environ["ASTRAY_FLOW_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


def probe():
    path = pathlib.Path(os.environ.get("ASTRAY_BIN", "build/check/bin")) / "astray-probe"
    if not path.exists():
        skip(f"{path} is not built")
    return str(path)


def wait_for(what, ready, timeout=20):
    end = time.monotonic() + timeout
    while not ready():
        if time.monotonic() > end:
            sys.exit(f"FAILED: {what} did not come within {timeout} s")
        time.sleep(0.02)


class Backend(http.server.BaseHTTPRequestHandler):
    """Answers after 5 to 35 ms, so that answers overtake each other."""
    turn = 0

    def do_GET(self):
        Backend.turn += 1
        time.sleep(0.005 + Backend.turn * 7 % 31 / 1000)  # this is the service's work
        self.send_response(200)
        self.send_header("Content-Length", "200")
        self.end_headers()
        self.wfile.write(b"x" * 200)

    def log_message(self, *arguments):
        pass


class Site:
    """nginx and what it needs, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "www").mkdir()
        (folder / "www/small").write_text("small\n")
        (folder / "www/middle").write_bytes(os.urandom(30_000))
        (folder / "www/large").write_bytes(os.urandom(300_000))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj",
                        "/CN=exchange.example"], check=True, capture_output=True)
        (folder / "nginx.conf").write_text(NGINX.format(dir=folder, server=SERVER))
        self.backend = http.server.ThreadingHTTPServer(("127.0.0.1", 9000), Backend)
        threading.Thread(target=self.backend.serve_forever, daemon=True).start()
        self.server = subprocess.Popen(["nginx", "-c", folder / "nginx.conf"])
        wait_for("nginx", lambda: (folder / "nginx.pid").exists())

    def curl(self, *arguments):
        """The seconds from the request to its answer, of every transfer."""
        out = subprocess.run(
            ["curl", "-s", "-k", "--http1.1", "--resolve", f"lone.example:8443:{SERVER}", "-o", "/dev/null", "-w",
             "%{time_pretransfer} %{time_starttransfer}\n",
             "--resolve", f"wiki.example:80:{SERVER}", "--resolve", f"wiki.example:81:{SERVER}",
             "--resolve", f"exchange.example:443:{SERVER}", *arguments],
            capture_output=True, text=True, timeout=60).stdout
        pairs = [line.split() for line in out.splitlines()]
        return [float(first) - float(before) for before, first in pairs]

    def run(self, *words):
        subprocess.run(words, check=True, timeout=60, capture_output=True)

    def h2load(self, name, port, path, requests, connections, open_at_once):
        self.run("h2load", "-n", str(requests), "-c", str(connections), "-m", str(open_at_once),
                 "--connect-to", f"{SERVER}:{port}", f"https://{name}.example:{port}/{path}")

    def truth(self):
        lines = (self.folder / "access.log").read_text().split("\n")[:-1]
        requests, errors = collections.Counter(), collections.Counter()
        self.own, self.seconds = 0, collections.Counter()
        for line in lines:
            name, status, seconds, agent = line.split(" ", 3)
            if agent.startswith("astray/"):
                self.own += 1
                continue
            requests[NAMES[name]] += 1
            self.seconds[NAMES[name]] += float(seconds)
            errors[NAMES[name]] += status.startswith("5")
        return requests, errors

    def stop(self):
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait()
        self.backend.shutdown()


def make_traffic(site):
    """Every kind of it; returns what curl measured, by service."""
    clear, inside = "http://wiki.example", "https://exchange.example"
    times = {"wiki": [], "exchange": []}
    for _ in range(3):
        times["wiki"] += site.curl(f"{clear}/small?[1-60]")
        times["exchange"] += site.curl(f"{inside}/small?[1-60]")
        times["exchange"] += site.curl("--tls-max", "1.2", f"{inside}/small?[1-40]")
    times["wiki"] += site.curl(f"{clear}/large?[1-10]")
    times["wiki"] += site.curl("-I", f"{clear}/large")
    times["exchange"] += site.curl(f"{inside}/large?[1-20]")
    for number in range(10):
        times["exchange"] += site.curl(f"{inside}/small?{number}")
        times["wiki"] += site.curl(f"{clear}/small?{number}")
    site.curl(f"{clear}/broken?[1-5]")
    site.curl("-T", site.folder / "www/large", f"{clear}/put")
    site.curl(f"{clear}:81/")
    lone = "https://lone.example:8443"
    site.curl("--http2", f"{lone}/small?[1-300]")
    site.curl("--http2", "--tls-max", "1.2", f"{lone}/small?[1-300]")
    site.curl("--http2", f"{lone}/large?[1-20]")
    for number in range(20):
        site.curl("--http2", f"{lone}/small?{number}")
        site.curl("--http2", "--tls-max", "1.2", f"{lone}/small?{number}")
        site.run("nghttp", "-n", "--no-verify-peer", f"https://{SERVER}:8443/small?{number}")
        site.h2load("lone", 8443, "small", 1, 1, 1)
    site.h2load("shared", 8444, "", 400, 2, 10)
    site.curl("--http2", "-Z", "--parallel-max", "10", "--tls-max", "1.2", "--resolve",
              f"shared.example:8444:{SERVER}", "https://shared.example:8444/?[1-200]")
    for path in ("small", "middle"):
        site.h2load("packed", 8445, path, 2000, 4, 10)
    for _ in range(5):
        subprocess.run([probe(), "check", f"http://{SERVER}/small"], check=True, timeout=20,
                       stdout=subprocess.DEVNULL)
    return times


def add_up(lines):
    """Observations by service: sums of their counts, and the merged answer times."""
    total = collections.defaultdict(collections.Counter)
    buckets = collections.defaultdict(collections.Counter)
    sums = collections.Counter()
    for line in lines:
        seen = json.loads(line)
        assert seen["kind"] == "traffic", line
        for key in ("connections", "refused", "timed_out", "reset", "requests", "responses",
                    "errors", "untimed", "lost_packets", "multiplexed"):
            total[seen["service"]][key] += seen.get(key, 0)
        sketch = seen.get("response_us")
        for place, count in enumerate(sketch["counts"] if sketch else ()):
            width = 2.0 ** 2 ** -sketch["scale"]
            buckets[seen["service"]][width ** (sketch["offset"] + place + 0.5)] += count
        sums[seen["service"]] += sketch["sum"] if sketch else 0
    for name, us in sums.items():
        total[name]["mean_us"] = us / max(total[name]["responses"], 1)
    return total, {name: statistics.median(list(counter.elements()))
                   for name, counter in buckets.items()}


def check(title, lines, site, times):
    total, medians = add_up(lines)
    requests, errors = site.truth()
    failures = []
    for name in ("wiki", "exchange"):
        seen = total[name]
        curl_us = statistics.median(times[name]) * 1e6
        print(f"{title}: {name}: {seen['requests']} requests, nginx {requests[name]}; "
              f"median {medians[name]:.0f} us, curl {curl_us:.0f} us; {dict(seen)}")
        for what, is_so in {
            "requests as in the access log": seen["requests"] == requests[name],
            "every request answered": seen["responses"] == seen["requests"],
            "every request timed": seen["untimed"] == 0,
            "median within 1 ms of curl's": abs(medians[name] - curl_us) < 1000,
            "nothing lost, nothing reset": seen["lost_packets"] + seen["reset"] == 0,
        }.items():
            if not is_so:
                failures.append(f"{title}: {name}: {what}")
    mean_us = site.seconds["shared"] / requests["shared"] * 1e6
    print(f"{title}: shared: mean {total['shared']['mean_us']:.0f} us, nginx {mean_us:.0f}")
    # nginx counts in whole milliseconds, and from its own reading to its own last writing.
    if abs(total["shared"]["mean_us"] - mean_us) > 0.02 * mean_us + 1000:
        failures.append(f"{title}: shared: the mean within 2 % and 1 ms of nginx's")
    for name, apart in (("lone", 0.01), ("shared", 0.02), ("packed", 0.05)):
        seen, truth = total[name], requests[name]
        print(f"{title}: {name}: {dict(seen)}, nginx {truth}")
        if truth == 0 or abs(seen["requests"] - truth) > apart * truth:
            failures.append(f"{title}: {name}: requests within {apart:.0%} of the access log")
        if (seen["multiplexed"] > 0) != (name != "lone"):
            failures.append(f"{title}: {name}: what shared a connection is told so")
    if site.own != 5:
        failures.append(f"{title}: five checks of our own reached the server, not {site.own}")
    if total["wiki"]["errors"] != errors["wiki"] or errors["wiki"] != 5:
        failures.append(f"{title}: wiki: errors")
    if total["wiki"]["refused"] != 1:
        failures.append(f"{title}: wiki: one connection refused")
    return failures


class Recorders:
    """The probe, live on all interfaces, and tcpdump; both ready when entered, ended when left."""

    def __init__(self, folder, options, what="tcp"):
        self.live = folder / "live.ndjson"
        with self.live.open("w") as out:
            self.probe = subprocess.Popen([probe(), "flow", "-i", "any", *options], stdout=out)
        # A ring as large as the traffic: what tcpdump drops would be missing in the file.
        self.dump = subprocess.Popen(
            ["tcpdump", "-i", "lo", "--immediate-mode", "-B", "65536", "-U", "-w",
             folder / "file.pcap", what], stderr=subprocess.PIPE, text=True)

    def windows(self):
        return self.live.read_text().count("\n")

    def __enter__(self):
        # Both say when they are ready: tcpdump in words, the probe by its first window.
        while "listening" not in self.dump.stderr.readline():
            assert self.dump.poll() is None, "tcpdump ended"
        wait_for("the probe's first window", self.windows)
        return self

    def __exit__(self, *failure):
        for process in (self.probe, self.dump):
            process.send_signal(signal.SIGINT)
        for process in (self.probe, self.dump):
            assert process.wait(10) == 0, "a recorder failed"
        self.said = self.dump.stderr.read().replace("\n", ", ")
        print("tcpdump:", self.said)


def run(folder):
    services = folder / "services.json"
    services.write_text(json.dumps(SERVICES))
    options = ["--services", services, "--window", "1", "--json"]
    site = Site(folder)
    try:
        with Recorders(folder, options) as recorders:
            times = make_traffic(site)
            windows = recorders.windows()
            wait_for("two more windows of both services",
                     lambda: recorders.windows() >= windows + 4)
    finally:
        site.stop()
    read = subprocess.run([probe(), "flow", "-r", folder / "file.pcap", *options],
                          capture_output=True, text=True, check=True)
    failures = check("live", recorders.live.read_text().splitlines(), site, times)
    failures += check("file", read.stdout.splitlines(), site, times)
    table = subprocess.run([probe(), "flow", "-r", folder / "file.pcap"], capture_output=True,
                           text=True, check=True).stdout
    print(table)
    if any(line.split()[0] in (SERVER, f"{SERVER}:80") for line in table.splitlines()):
        failures.append("our own checks are nobody's requests")
    if not table.startswith("SERVICE") or "exchange.example" not in table:
        failures.append("the table for people names the service")
    return failures


def run_in_namespace(run, name, tools=()):
    """Ends the program as run(folder) found things: the failures that it returns are printed."""
    enter_namespace(tools)
    with tempfile.TemporaryDirectory(prefix=f"astray-{name}-") as folder:
        os.chmod(folder, 0o755)
        failures = run(pathlib.Path(folder))
    for failure in failures:
        print(f"FAILED: {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    run_in_namespace(run, "flow")
