#!/usr/bin/env python3
"""Connections that begin as one thing and go on as another, made by real programs.

curl asks nginx through a proxy's tunnel and behind a balancer's preamble, curl and Python's smtplib
send mail after STARTTLS, and clients and servers refuse each other's TLS, while tcpdump records. What
must hold, from that file: of a tunnel's target the requests inside are counted (and the CONNECT), named
and timed; behind a preamble every request of the access log is; mail is named by the hello's server
name, and every command and its reply count; each handshake that was refused is told as failed, and
nothing else is.

Needs root, unshare, nginx, curl, openssl and tcpdump; skips loudly (exit 77) without them.
"""
import collections
import json
import os
import pathlib
import signal
import smtplib
import socket
import ssl
import subprocess
import threading

from test_flow import SERVER, add_up, probe, run_in_namespace, wait_for

NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_processes 1; user root;
events {{ worker_connections 512; }}
http {{
  log_format truth '$server_name'; access_log {dir}/access.log truth;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi; root {dir}/www;
  ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
  server {{ listen 127.0.0.1:8443 ssl; server_name tunnel.example; }}
  server {{ listen {server}:444 ssl proxy_protocol; server_name balanced.example; }}
  server {{ listen {server}:81 proxy_protocol; server_name clear.example; }}
  server {{ listen {server}:445 ssl; server_name broken.example; }}
}}
"""
SERVICES = [("tunnel", 443), ("balanced", 444), ("clear", 81), ("broken", 445), ("mail", 25)]


class Proxy(threading.Thread):
    """Connects whoever asks for port 443 to nginx."""

    def __init__(self):
        super().__init__(daemon=True)
        self.tunnels = 0
        self.listener = socket.create_server((SERVER, 3128))

    def run(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        assert head.startswith(b"CONNECT tunnel.example:443 "), head
        server = socket.create_connection(("127.0.0.1", 8443))
        self.tunnels += 1
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=self.pass_on, args=(server, client), daemon=True).start()
        self.pass_on(client, server)

    @staticmethod
    def pass_on(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Mail(threading.Thread):
    """A mail server that takes nothing before STARTTLS."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.commands = 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.listener = socket.create_server((SERVER, 25))

    def run(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        client.sendall(b"220 mail.example ESMTP\r\n")
        lines = client.makefile("rb")
        for line in lines:
            self.commands += 1
            word = line.split()[0].upper()
            if word == b"STARTTLS":
                client.sendall(b"220 go ahead\r\n")
                client = self.context.wrap_socket(client, server_side=True)
                return self.serve_safely(client)
            client.sendall(b"250-mail.example\r\n250 STARTTLS\r\n" if word == b"EHLO" else b"500 no\r\n")

    def serve_safely(self, client):
        lines = client.makefile("rb")
        for line in lines:
            self.commands += 1
            word = line.split()[0].upper()
            if word == b"DATA":
                client.sendall(b"354 say it\r\n")
                while lines.readline() not in (b".\r\n", b""):
                    pass
                self.commands += 1
            client.sendall(b"221 bye\r\n" if word == b"QUIT" else b"250 OK\r\n")
            if word == b"QUIT":
                return


def curl(*arguments, fails=False):
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "--http1.1", *arguments],
                          capture_output=True, text=True, timeout=30)
    assert (done.returncode != 0) == fails, (arguments, done)


def make_traffic(folder):
    """How many handshakes were refused."""
    resolve = [word for name, port in SERVICES
               for word in ("--resolve", f"{name}.example:{port}:{SERVER}")]
    for count in (1, 5, 20):
        curl("-k", "-x", f"http://{SERVER}:3128", *["https://tunnel.example/page"] * count)
        curl("-k", "--haproxy-protocol", *resolve, *["https://balanced.example:444/page"] * count)
        curl("--haproxy-protocol", *resolve, *["http://clear.example:81/page"] * count)
    (folder / "mail").write_text("Subject: x\r\n\r\n" + "words\r\n" * 2000)
    for _ in range(3):
        curl("-k", "--ssl-reqd", *resolve, "--mail-from", "a@a.example", "--mail-rcpt",
             "b@b.example", "-T", folder / "mail", "smtp://mail.example:25")
        with smtplib.SMTP(SERVER, 25, local_hostname="a.example") as client:
            client._host = "mail.example"  # the name that its hello asks for
            client.starttls(context=ssl._create_unverified_context())
            client.sendmail("a@a.example", ["b@b.example"], "Subject: y\r\n\r\nfew words\r\n")
    refused = 0
    for version in ("1.2", "1.3"):
        for _ in range(4):
            curl(f"--tlsv{version}", "--tls-max", version, *resolve, "https://broken.example:445/",
                 fails=True)  # the client does not know who signed the certificate
            refused += 1
    for _ in range(4):
        curl("-k", "--tlsv1.1", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", *resolve,
             "https://broken.example:445/", fails=True)  # the server wants a newer version
        refused += 1
    curl("-k", *resolve, "https://broken.example:445/page")
    return refused


def record(folder):
    """Makes the traffic while tcpdump listens; how many handshakes were refused."""
    dump = subprocess.Popen(["tcpdump", "-i", "lo", "--immediate-mode", "-B", "65536", "-U", "-w",
                             folder / "file.pcap", "tcp"], stderr=subprocess.PIPE, text=True)
    while "listening" not in dump.stderr.readline():
        assert dump.poll() is None, "tcpdump ended"
    refused = make_traffic(folder)
    dump.send_signal(signal.SIGINT)
    assert dump.wait(20) == 0
    return refused


def run(folder):
    (folder / "www").mkdir()
    (folder / "www/page").write_text("page\n" * 500)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                    folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj",
                    "/CN=exchange.example"], check=True, capture_output=True)
    (folder / "nginx.conf").write_text(NGINX.format(dir=folder, server=SERVER))
    (folder / "services.json").write_text(json.dumps({"services": [
        {"name": name, "hosts": [f"{name}.example"], "ports": [port]} for name, port in SERVICES]}))
    proxy, mail = Proxy(), Mail(folder)
    proxy.start()
    mail.start()
    server = subprocess.Popen(["nginx", "-c", folder / "nginx.conf"])
    wait_for("nginx", lambda: (folder / "nginx.pid").exists())
    try:
        refused = record(folder)
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()
    read = subprocess.run([probe(), "flow", "-r", folder / "file.pcap", "--json", "--services",
                           folder / "services.json"], capture_output=True, text=True, check=True)
    lines = read.stdout.splitlines()
    seen, medians = add_up(lines)
    failed = collections.Counter()
    handshakes = collections.Counter()
    for line in map(json.loads, lines):
        failed[line["service"]] += line.get("tls_failed", 0)
        handshakes[line["service"]] += sum(line.get("tls_us", {}).get("counts", ()))
    truth = collections.Counter((folder / "access.log").read_text().split())
    truth = {name: truth[f"{name}.example"] for name, _ in SERVICES}
    truth["tunnel"] += proxy.tunnels
    truth["mail"] = mail.commands
    failures = []
    for name, _ in SERVICES:
        print(f"{name}: {dict(seen[name])}, failed {failed[name]}, handshakes {handshakes[name]}; "
              f"in truth {truth[name]}, refused {refused}")
        for what, holds in {
            "requests as the server counts them": seen[name]["requests"] == truth[name] > 0,
            "all answered": seen[name]["responses"] == seen[name]["requests"],
            "all timed": seen[name]["untimed"] == 0 and medians[name] > 0,
            "handshakes that failed": failed[name] == (refused if name == "broken" else 0),
            "handshakes that did not": (handshakes[name] > 0) == (name != "clear"),
        }.items():
            if not holds:
                failures.append(f"{name}: {what}")
    return failures


if __name__ == "__main__":
    run_in_namespace(run, "flow-changes")
