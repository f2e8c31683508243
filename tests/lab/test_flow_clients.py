#!/usr/bin/env python3
"""Passive measurement of clients that are built differently: a browser (BoringSSL), wget (GnuTLS)
and Python (OpenSSL), against nginx's log and the clients' own clocks.

What must hold, live and from the file: HTTP/1, in the clear and inside TLS 1.2 and 1.3, by whatever
client, is counted exactly as nginx logs it, every request answered and timed; the browser's HTTP/2
within 2 %, and answered; the median first byte no later than Python
took it, give or take 1 %, and as near as a client's clock comes to the wire.

Needs root, nginx, wget, tcpdump and chromium; skips loudly (exit 77) without them.
"""
import collections
import http.server
import json
import os
import pathlib
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "browser"))
import chromium  # noqa: E402  (after the path to it)
from test_flow import SERVER, Recorders, add_up, probe, run_in_namespace, wait_for  # noqa: E402

NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_processes 1; user root;
events {{ worker_connections 512; }}
http {{
  log_format truth '$host'; access_log {dir}/access.log truth;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
  keepalive_requests 100000; root {dir}/www;
  server {{ listen {server}:80; server_name clear.example; }}
  server {{ listen {server}:443 ssl; server_name inside.example; }}
  server {{ listen {server}:443 ssl; server_name wget.example; }}
  server {{ listen {server}:443 ssl; server_name python.example;
            location / {{ proxy_pass http://127.0.0.1:9000; }} }}
  server {{ listen {server}:8443 ssl http2; server_name streams.example; }}
}}
"""
EXACT = ("clear.example", "inside.example", "wget.example", "python.example")
IMAGES = 24


class Backend(http.server.BaseHTTPRequestHandler):
    """Answers after the milliseconds that the path says: that is the service's work."""

    def do_GET(self):
        time.sleep(int(self.path.strip("/")) / 1000)
        self.send_response(200)
        self.send_header("Content-Length", "300")
        self.end_headers()
        self.wfile.write(b"x" * 300)

    def log_message(self, *arguments):
        pass


class Site:
    def __init__(self, folder):
        self.folder, www = folder, folder / "www"
        www.mkdir()
        images = "".join(f'<img src="/image{n}.bin">' for n in range(IMAGES))
        (www / "index.html").write_text(f"<html><body>{images}</body></html>")
        for number in range(IMAGES):
            (www / f"image{number}.bin").write_bytes(os.urandom(500 + number * 1900))
        (www / "small").write_text("small\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj",
                        "/CN=inside.example"], check=True, capture_output=True)
        (folder / "nginx.conf").write_text(NGINX.format(dir=folder, server=SERVER))
        self.backend = http.server.ThreadingHTTPServer(("127.0.0.1", 9000), Backend)
        threading.Thread(target=self.backend.serve_forever, daemon=True).start()
        self.server = subprocess.Popen(["nginx", "-c", folder / "nginx.conf"])
        wait_for("nginx", lambda: (folder / "nginx.pid").exists())

    def truth(self):
        return collections.Counter((self.folder / "access.log").read_text().split())

    def stop(self):
        self.server.terminate()
        self.server.wait()
        self.backend.shutdown()


def browse():
    """Only what is ours is led to nginx: the browser asks for things of its own as well.
    The page with its images, then requests one by one and twenty at once, over each protocol."""
    chromium.FLAGS += ["--ignore-certificate-errors", f"--host-resolver-rules=MAP *.example {SERVER}"]
    with chromium.Chromium(seconds=60) as browser:
        for base in ("http://clear.example", "https://inside.example", "https://streams.example:8443"):
            browser.open(base + "/")
            browser.run("""(async () => {
                for (let n = 0; n < 40; n++)
                    await (await fetch("/small?" + n, {cache: "no-store"})).text();
                await Promise.all([...Array(20).keys()].map(async (n) =>
                    (await fetch("/image" + n + ".bin?again", {cache: "no-store"})).blob()));
            })()""")


def wget(folder, *options):
    """With a hosts file of its own, since it takes addresses from nowhere else."""
    subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/hosts && shift && exec wget "$@"',
                    "sh", folder / "hosts", "-q", "--no-check-certificate", "-O", "/dev/null", *options],
                   check=True, timeout=60)


def wget_all(folder):
    with (folder / "hosts").open("w") as hosts:
        hosts.write(f"127.0.0.1 localhost\n{SERVER} wget.example\n")
    for protocol in ("TLSv1_2", "TLSv1_3"):
        urls = [f"https://wget.example/image{n % IMAGES}.bin?{n}" for n in range(50)]
        wget(folder, f"--secure-protocol={protocol}", *urls)
        for number in range(10):
            wget(folder, f"--secure-protocol={protocol}", f"https://wget.example/small?{number}")


def python_times():
    """Microseconds from each request to its answer's first byte, on one connection."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    times = []
    with context.wrap_socket(socket.create_connection((SERVER, 443)),
                             server_hostname="python.example") as connection:
        for number in range(150):
            request = f"GET /{10 + number * 7 % 31} HTTP/1.1\r\nHost: python.example\r\n\r\n"
            start = time.perf_counter()
            connection.sendall(request.encode())
            answer = connection.recv(65536)
            times.append((time.perf_counter() - start) * 1e6)
            while not answer.endswith(b"x" * 300):
                answer += connection.recv(65536)
    return times


def check(title, lines, truth, times):
    total, medians = add_up(lines)
    failures = []
    for name in EXACT:
        seen = total[name]
        print(f"{title}: {name}: {seen['requests']} requests, nginx {truth[name]}; {dict(seen)}")
        if not seen["requests"] == seen["responses"] == truth[name]:
            failures.append(f"{title}: {name}: requests and answers as in the access log")
        if seen["untimed"] or seen["multiplexed"]:
            failures.append(f"{title}: {name}: every request timed, none beside another")
    seen, real = total["streams.example"], truth["streams.example"]
    print(f"{title}: streams.example: {dict(seen)}, nginx {real}")
    if abs(seen["requests"] - real) > 0.02 * real:
        failures.append(f"{title}: the browser's HTTP/2 within 2 %")
    if seen["responses"] < 0.95 * seen["requests"]:
        failures.append(f"{title}: what the browser asked for was answered")
    own, theirs = medians["python.example"], statistics.median(times)
    print(f"{title}: python.example: median {own:.0f} us, by its own clock {theirs:.0f}")
    # Its clock also counts how long it waits for a core before it reads: never less, seldom more.
    if own > theirs * 1.01 + 100 or own < theirs * 0.97 - 500:
        failures.append(f"{title}: the median first byte as by the client's clock")
    return failures


def run(folder):
    services = folder / "services.json"
    services.write_text(json.dumps({"services": [
        {"name": name, "hosts": [name], "ports": [80, 443, 8443]}
        for name in (*EXACT, "streams.example")]}))
    options = ["--services", services, "--window", "1", "--json"]
    site = Site(folder)
    try:
        with Recorders(folder, options) as recorders:
            browse()
            wget_all(folder)
            times = python_times()
            windows = recorders.windows()
            wait_for("more windows", lambda: recorders.windows() >= windows + 10)
    finally:
        site.stop()
    truth = site.truth()
    read = subprocess.run([probe(), "flow", "-r", folder / "file.pcap", *options],
                          capture_output=True, text=True, check=True)
    failures = check("live", recorders.live.read_text().splitlines(), truth, times)
    return failures + check("file", read.stdout.splitlines(), truth, times)


if __name__ == "__main__":
    run_in_namespace(run, "clients", ("wget", "chromium", "mount"))
