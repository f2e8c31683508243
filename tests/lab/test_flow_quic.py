#!/usr/bin/env python3
"""QUIC by implementations that share no code: Chromium and ngtcp2's client ask Caddy (quic-go), measured passively.

Nothing inside QUIC shows but the lengths of datagrams, so that requests are turns of speaking, and told as estimates.
What must hold: every connection is counted, with the name that was asked for, and its handshake timed; one that
Caddy refuses, for a name that it does not have, is refused; requests one by one are counted within one for each
connection and one more; several at once are one at least, and one more than there were at most.

Needs root, unshare, caddy, chromium, gtlsclient, openssl and tcpdump; skips loudly (exit 77) without them.
"""
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "browser"))
import chromium  # noqa: E402  (after the path to it)
import test_flow as flow  # noqa: E402

SERVER, HOST, PORT = flow.SERVER, "quic.example", 8443
CADDY = """{{
  admin off
  auto_https off
  storage file_system {dir}/caddy
  servers {{
    protocols h1 h2 h3
  }}
}}
https://{host}:{port} {{
  bind {server}
  tls {dir}/cert.pem {dir}/key.pem
  root * {dir}/www
  file_server
  log {{
    output file {dir}/access.log
    format json
  }}
}}
"""
ONE_BY_ONE, AT_ONCE, REFUSED = 30, 8, 3


class Site:
    def __init__(self, folder):
        self.folder, www = folder, folder / "www"
        www.mkdir()
        (www / "index.html").write_text("<html></html>")
        for number in range(AT_ONCE):
            (www / f"file{number}").write_bytes(os.urandom(300 + number * 2000))
        (folder / "hosts").write_text(f"{SERVER} {HOST} other.example\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj",
                        f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"], check=True, capture_output=True)
        (folder / "Caddyfile").write_text(CADDY.format(dir=folder, server=SERVER, host=HOST, port=PORT))
        self.caddy = subprocess.Popen(
            ["caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"HOME": str(folder)})
        flow.wait_for("caddy", lambda: socket.socket().connect_ex((SERVER, PORT)) == 0)

    def spki(self):
        """What Chromium calls the key by which it knows the certificate."""
        key = subprocess.run(["openssl", "x509", "-in", self.folder / "cert.pem", "-pubkey", "-noout"], check=True,
                             capture_output=True).stdout
        key = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, check=True,
                             capture_output=True).stdout
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=key, check=True,
                                capture_output=True).stdout
        return subprocess.run(["openssl", "base64"], input=digest, check=True,
                              capture_output=True).stdout.decode().strip()

    def log(self):
        file = self.folder / "access.log"
        lines = map(json.loads, file.read_text().splitlines()) if file.exists() else ()
        return [line for line in lines if line["request"]["proto"] == "HTTP/3.0"]

    def stop(self):
        self.caddy.terminate()
        self.caddy.wait()


def ngtcp2(site, host, paths):
    """It takes addresses from the hosts file, and names from nowhere else."""
    known = f'mount --bind {site.folder}/hosts /etc/hosts && exec "$@"'
    subprocess.run(["unshare", "-m", "sh", "-c", known, "sh", "gtlsclient", "-q", "--exit-on-all-streams-close",
                    host, str(PORT), *(f"https://{host}:{PORT}/{path}" for path in paths)],
                   timeout=30, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def browse(site, script):
    chromium.FLAGS = [flag for flag in chromium.FLAGS if flag != "--disable-quic"] + [
        f"--host-resolver-rules=MAP {HOST} {SERVER}", f"--origin-to-force-quic-on={HOST}:{PORT}",
        f"--ignore-certificate-errors-spki-list={site.spki()}"]
    with chromium.Chromium(seconds=40) as browser:
        browser.open(f"https://{HOST}:{PORT}/")
        browser.run(script)


def measured(site, play):
    """What the probe tells of the packets of a play, and what Caddy logged meanwhile."""
    packets, before = site.folder / "case.pcap", len(site.log())
    dump = subprocess.Popen(["tcpdump", "-i", "lo", "--immediate-mode", "-B", "65536", "-U", "-w", packets,
                             f"udp port {PORT}"], stderr=subprocess.PIPE, text=True)
    while "listening" not in dump.stderr.readline():
        assert dump.poll() is None, "tcpdump ended"
    play()
    dump.send_signal(signal.SIGINT)
    assert dump.wait(10) == 0, "tcpdump failed"
    text = subprocess.run([flow.probe(), "flow", "-r", packets, "--window", "600", "--json"], check=True,
                          capture_output=True, text=True).stdout
    windows = {}
    for window in map(json.loads, text.splitlines()):
        windows.setdefault(window["service"], window)
    return windows, site.log()[before:]


def check(title, seen, log, connections, least, most):
    mean_ms = statistics.fmean(line["duration"] for line in log) * 1e3
    sketch = seen.get("response_us", {"counts": [], "sum": 0})
    seen_ms = sketch["sum"] / max(sum(sketch["counts"]), 1) / 1e3
    print(f"{title}: {seen.get('requests')} requests of {len(log)}; {seen_ms:.2f} ms, by Caddy {mean_ms:.2f}")
    for what, is_so in {
        f"{connections} connections": seen.get("connections") == connections,
        "the name is the one asked for": seen.get("named_by", {}).get("server_name") == connections,
        "the handshake is timed": sum(seen.get("tls_us", {"counts": []})["counts"]) == connections,
        "requests are told as estimates": seen.get("estimated") == seen.get("requests"),
        f"{least} to {most} requests": least <= seen.get("requests", 0) <= most,
    }.items():
        if not is_so:
            yield f"{title}: {what}"


def run(folder):
    site, failures = Site(folder), []
    try:
        windows, log = measured(site, lambda: [ngtcp2(site, HOST, ["file1"]) for _ in range(4)])
        failures += check("ngtcp2, four connections", windows.get(HOST, {}), log, 4, len(log), len(log) + 4)
        windows, log = measured(site, lambda: ngtcp2(site, HOST, [f"file{n}" for n in range(AT_ONCE)]))
        failures += check("ngtcp2, at once", windows.get(HOST, {}), log, 1, 1, len(log) + 1)
        windows, log = measured(site, lambda: [ngtcp2(site, "other.example", ["x"]) for _ in range(REFUSED)])
        refused = windows.get("other.example", {}).get("refused")
        if refused != REFUSED:
            failures.append(f"{refused} refused connections, really {REFUSED}")
        windows, log = measured(site, lambda: browse(site, f"""(async () => {{
            for (let n = 0; n < {ONE_BY_ONE}; n++)
                await (await fetch("/file1?" + n, {{cache: "no-store"}})).text();
        }})()"""))
        failures += check("Chromium, one by one", windows.get(HOST, {}), log, 1, len(log) - 1, len(log) + 2)
    finally:
        site.stop()
    return failures


if __name__ == "__main__":
    flow.run_in_namespace(run, "quic", ("caddy", "chromium", "gtlsclient", "openssl"))
