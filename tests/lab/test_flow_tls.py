#!/usr/bin/env python3
"""TLS in its rarer forms, by the libraries that are in use, measured passively.

nginx before a service that takes 5 to 35 ms, GnuTLS's, NSS's and Python's own servers, and clients of OpenSSL,
GnuTLS and NSS speak TLS with client certificates, retried and segmented hellos, early data, resumed sessions,
session tickets from none to four, CBC and CCM suites, padded records, small records, uploads after "100 Continue"
and keys that are updated. What must hold of each, from one capture file:

- as many connections, handshakes and requests as were made, every request answered and timed, under the name that
  the client asked for;
- first bytes come no sooner than the service slept, and 2 ms later at most, in the mean (not where records are
  padded: tickets are as long as answers there, so that the first answer of a connection seems to come at once);
- a handshake that the client gives up is told as failed, and holds no request.

A form that this machine's programs cannot play is named, and left out. Needs root, unshare, nginx, curl, wget,
openssl, gnutls-bin, libnss3-tools and tcpdump; skips loudly (exit 77) without them.
"""
import collections
import contextlib
import json
import os
import signal
import socket
import ssl
import statistics
import subprocess
import threading

import test_flow as flow
from test_flow_streams import Backend

SERVER = flow.SERVER
REQUESTS = 20
NGINX = """
daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_processes 1; user root;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 100000; client_max_body_size 10m; proxy_request_buffering off;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
  {servers}
}}
"""
PLACE = """
  server {{ listen {server}:{port} ssl; {settings}
            location / {{ proxy_pass http://127.0.0.1:9000; proxy_http_version 1.1; }} }}"""

Case = collections.namedtuple("Case", "name settings play timed", defaults=(True,))
Made = collections.namedtuple("Made", "connections requests failed", defaults=(0,))


class Stage:
    """Files, ports and the clients' common ways."""

    def __init__(self, folder):
        self.folder, self.backend = folder, Backend()
        self.ports, self.processes = {}, []
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem",
                        "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=inside.example"], check=True,
                       capture_output=True)
        (folder / "upload").write_bytes(bytes(200_000))
        # Segments as on a network, not as on loopback.
        subprocess.run(["ip", "link", "set", "lo", "mtu", "1500"], check=True)
        for feature in ("tso", "gso", "gro"):
            subprocess.run(["ethtool", "-K", "lo", feature, "off"], check=False, capture_output=True)

    def serve(self, cases):
        """nginx, with a place for each case that wants one."""
        places = []
        for number, case in enumerate(cases):
            self.ports[case.name] = 9100 + number
            if case.settings is not None:
                places.append(PLACE.format(server=SERVER, port=9100 + number, settings=case.settings.format(
                    dir=self.folder)))
        (self.folder / "nginx.conf").write_text(NGINX.format(dir=self.folder, servers="".join(places)))
        self.start("nginx", "-c", self.folder / "nginx.conf")
        self.awaited(next(self.ports[case.name] for case in cases if case.settings is not None))

    def start(self, *words, **options):
        process = subprocess.Popen([str(word) for word in words], **options)
        self.processes.append(process)
        return process

    @staticmethod
    def awaited(port):
        flow.wait_for(f"port {port}", lambda: socket.socket().connect_ex((SERVER, port)) == 0)

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait()

    def where(self, case):
        return f"{case.name}.example", self.ports[case.name]


def ask(connection, host, path="/"):
    """One request and its whole answer, of HTTP/1 with a length."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = connection.recv(65536)
        assert more, f"{host} hung up behind {answer!r}"
        answer += more
    head, rest = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200"), head
    left = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]) - len(rest)
    while left > 0:
        left -= len(connection.recv(65536))


def context_of(version=None, **more):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    for name, value in more.items():
        getattr(context, name)(*value)
    return context


def python(version=None, connections=2, path="/", resumes=False, **more):
    """A client by Python's ssl, which is OpenSSL."""
    def play(stage, case):
        host, port = stage.where(case)
        context, session = context_of(version, **{
            name: [str(word).format(dir=stage.folder) if isinstance(word, str) else word for word in words]
            for name, words in more.items()}), None
        for number in range(connections):
            with context.wrap_socket(socket.create_connection((SERVER, port)), server_hostname=host,
                                     session=session) as connection:
                assert not (resumes and number) or connection.session_reused, "the session was not resumed"
                for _ in range(REQUESTS // connections):
                    ask(connection, host, path)
                session = connection.session if resumes else None
        return Made(connections, REQUESTS)
    return play


def curl(*options, connections=2, requests=REQUESTS, urls=None):
    def play(stage, case):
        host, port = stage.where(case)
        each = requests // connections
        for _ in range(connections):
            subprocess.run(["curl", "-sS", "-k", "--http1.1", "--resolve", f"{host}:{port}:{SERVER}", *(
                word.format(dir=stage.folder) for word in options), "-o", "/dev/null",
                f"https://{host}:{port}/?[1-{each}]"], check=True, timeout=30)
        return Made(connections, requests)
    return play


class Console:
    """openssl s_client, which takes what is typed."""

    def __init__(self, stage, case, *options):
        self.host, port = stage.where(case)
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"{SERVER}:{port}", "-servername", self.host, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def read_until(self, end):
        text = b""
        while end not in text:
            byte = os.read(self.process.stdout.fileno(), 65536)
            assert byte, f"{self.host}: s_client ended behind {text[-200:]!r}"
            text += byte
        return text

    def ask(self):
        self.type(f"GET /exact HTTP/1.1\r\nHost: {self.host}\r\n\r\n")
        self.read_until(b"x" * 20)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.terminate()
        self.process.wait()


def typed(*options, between=None):
    """Requests that are typed; `between` stands before each second one."""
    def play(stage, case):
        console = Console(stage, case, *options)
        for number in range(REQUESTS):
            if between and number % 2:
                console.type(between)
                console.read_until(b"KEYUPDATE\n")
            console.ask()
        console.close()
        return Made(1, REQUESTS)
    return play


def early_data(stage, case):
    """A first connection for its ticket, and then the request comes with the hello."""
    host, port = stage.where(case)
    session, request = stage.folder / "early.session", stage.folder / "early.request"
    request.write_text(f"GET /exact HTTP/1.1\r\nHost: {host}\r\n\r\n")
    first = Console(stage, case, "-tls1_3", "-sess_out", str(session))
    first.ask()
    flow.wait_for("a session", session.exists)
    first.close()
    for _ in range(5):
        later = Console(stage, case, "-tls1_3", "-sess_in", str(session), "-early_data", str(request))
        text = later.read_until(b"x" * 20)
        assert b"Early data was accepted" in text, text.decode(errors="replace")[-600:]
        later.ask()
        later.close()
    return Made(6, 11)


def uploads(*options):
    """Each body waits for "100 Continue"."""
    def play(stage, case):
        host, port = stage.where(case)
        subprocess.run(["curl", "-sS", "-k", "--http1.1", *options, "--resolve", f"{host}:{port}:{SERVER}", "-H",
                        "Expect: 100-continue", *(word for number in range(REQUESTS) for word in (
                            "-T", stage.folder / "upload", "-o", "/dev/null", f"https://{host}:{port}/{number}"))],
                       check=True, timeout=60)
        return Made(1, REQUESTS)
    return play


def wget(version):
    def play(stage, case):
        host, port = stage.where(case)
        hosts = stage.folder / "hosts"
        hosts.write_text(f"127.0.0.1 localhost\n{SERVER} {host}\n")
        subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/hosts && shift && exec wget "$@"', "sh",
                        hosts, "-q", "--no-check-certificate", f"--secure-protocol={version}", "-O", "/dev/null",
                        *(f"https://{host}:{port}/?{number}" for number in range(REQUESTS))], check=True, timeout=60)
        return Made(1, REQUESTS)
    return play


def own_server(tickets):
    """Python's own server, which can be told how many tickets to send."""
    def play(stage, case):
        host, port = stage.where(case)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(stage.folder / "cert.pem", stage.folder / "key.pem")
        context.num_tickets = tickets
        listener = socket.create_server((SERVER, port))

        def serve():
            for _ in range(2):
                with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                    with contextlib.suppress(ConnectionError):
                        while connection.recv(65536):
                            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"x" * 20)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        python(ssl.TLSVersion.TLSv1_3)(stage, case)
        thread.join(10)
        listener.close()
        return Made(2, REQUESTS)
    return play


def given_up(stage, case):
    """The client does not know who signed the certificate."""
    host, port = stage.where(case)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context()
        context.minimum_version = context.maximum_version = version
        with contextlib.suppress(ssl.SSLCertVerificationError):
            context.wrap_socket(socket.create_connection((SERVER, port)), server_hostname=host)
            raise AssertionError("a strange certificate was believed")
    return Made(3, 0, 3)


def gnutls(*options):
    """GnuTLS at both ends; its server answers one request of a connection."""
    def play(stage, case):
        host, port = stage.where(case)
        stage.start("gnutls-serv", "--http", "--quiet", "--port", port, "--x509certfile", stage.folder / "cert.pem",
                    "--x509keyfile", stage.folder / "key.pem", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        Stage.awaited(port)
        for _ in range(REQUESTS):
            subprocess.run(["gnutls-cli", "--insecure", "--sni-hostname", host, "--logfile", "/dev/null", *options,
                            "--port", str(port), SERVER], check=False, timeout=20, text=True, stdout=subprocess.DEVNULL,
                           input=f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n")
        return Made(REQUESTS, REQUESTS)
    return play


def nss_server(version, *options):
    """Its server answers one request of a connection."""
    def play(stage, case):
        host, port = stage.where(case)
        store = stage.folder / f"store-{case.name}"
        store.mkdir()
        for command in (["openssl", "pkcs12", "-export", "-in", stage.folder / "cert.pem", "-inkey",
                         stage.folder / "key.pem", "-name", "server", "-passout", "pass:", "-out", store / "in.p12"],
                        ["certutil", "-N", "-d", store, "--empty-password"],
                        ["pk12util", "-i", store / "in.p12", "-d", store, "-W", ""]):
            subprocess.run(command, check=True, capture_output=True)
        stage.start("selfserv", "-d", store, "-n", "server", "-p", str(port), "-V", f"{version}:{version}",
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        Stage.awaited(port)
        return curl(*options, connections=REQUESTS)(stage, case)
    return play


def nss_client(version):
    def play(stage, case):
        host, port = stage.where(case)
        request = stage.folder / "request"
        request.write_text(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        for _ in range(REQUESTS):
            subprocess.run(["tstclnt", "-D", "-o", "-h", SERVER, "-p", str(port), "-a", host, "-V",
                            f"{version}:{version}", "-A", request], check=False, timeout=20,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return Made(REQUESTS, REQUESTS)
    return play


TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
PROVEN = "ssl_verify_client optional_no_ca;"
OWN = {"load_cert_chain": ["{dir}/cert.pem", "{dir}/key.pem"]}
LONG_HELLO = {"set_alpn_protocols": [["http/1.1", *(f"a-protocol-that-nobody-has-heard-of-{n}" for n in range(60))]]}
CASES = (
    Case("proven12", PROVEN, python(TLS12, **OWN)),
    Case("proven13", PROVEN, python(TLS13, **OWN)),
    Case("retried", "ssl_ecdh_curve secp521r1;", python(TLS13)),
    Case("segmented", "", python(**LONG_HELLO)),
    Case("early", "ssl_early_data on; ssl_session_cache shared:early:1m;", early_data),
    Case("resumed12", "ssl_session_cache shared:resumed:1m;", python(TLS12, connections=5, resumes=True)),
    Case("resumed13", "ssl_session_cache shared:later:1m;", python(TLS13, connections=5, resumes=True)),
    Case("cbc", "", python(TLS12, set_ciphers=["AES128-SHA"])),
    Case("cbc256", "", python(TLS12, set_ciphers=["ECDHE-RSA-AES256-SHA384"])),
    Case("chacha12", "", python(TLS12, set_ciphers=["ECDHE-RSA-CHACHA20-POLY1305"])),
    Case("ccm", "ssl_conf_command Ciphersuites TLS_AES_128_CCM_SHA256;",
         curl("--tlsv1.3", "--tls13-ciphers", "TLS_AES_128_CCM_SHA256")),
    Case("ccm8", "ssl_conf_command Ciphersuites TLS_AES_128_CCM_8_SHA256;",
         curl("--tlsv1.3", "--tls13-ciphers", "TLS_AES_128_CCM_8_SHA256")),
    Case("padded", "ssl_conf_command RecordPadding 512;", typed("-tls1_3"), False),
    Case("small12", "ssl_buffer_size 1k;", python(TLS12, path="/long")),
    Case("small13", "ssl_buffer_size 1k;", python(TLS13, path="/long")),
    Case("continued12", "", uploads("--tls-max", "1.2")),
    Case("continued13", "", uploads("--tlsv1.3")),
    Case("updated", "", typed("-tls1_3", between="K\n")),
    Case("ticketless", None, own_server(0)),
    Case("tickets1", None, own_server(1)),
    Case("tickets4", None, own_server(4)),
    Case("wget12", "", wget("TLSv1_2")),
    Case("wget13", "", wget("TLSv1_3")),
    Case("strange", "", given_up),
    Case("gnutls12", None, gnutls("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2")),
    Case("gnutls13", None, gnutls("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3")),
    Case("nss12", None, nss_server("tls1.2")),
    Case("nss13", None, nss_server("tls1.3")),
    Case("tstclnt12", "", nss_client("tls1.2")),
    Case("tstclnt13", "", nss_client("tls1.3")),
)


def play_all(stage):
    """Of each case, what was made and how long the service slept."""
    played = {}
    for case in CASES:
        stage.backend.slept_us.clear()
        try:
            made = case.play(stage, case)
        except (AssertionError, OSError, ssl.SSLError, subprocess.SubprocessError) as failure:
            print(f"LEFT OUT: {case.name}: {failure}", flush=True)
            continue
        played[case.name] = made, list(stage.backend.slept_us) if case.timed else []
    return played


def check_case(name, window, made, slept_us):
    seen = {key: window.get(key, 0) for key in ("connections", "requests", "responses", "untimed", "tls_failed",
                                                "reset", "lost_packets", "retransmits")}
    handshakes = sum(window.get("tls_us", {"counts": []})["counts"]) + window.get("tls_us", {}).get("zeros", 0)
    times = window.get("response_us", {"sum": 0})
    mean_us = times["sum"] / max(made.requests, 1)
    slept = statistics.fmean(slept_us) if slept_us else None
    print(f"{name:<13}{seen} handshakes {handshakes}, mean {mean_us:.0f} us"
          + (f", slept {slept:.0f}" if slept else "") + f", named by {window.get('named_by')}; made {made}")
    if (seen["connections"], seen["requests"], seen["responses"], seen["untimed"]) != (
            made.connections, made.requests, made.requests, 0):
        yield f"{name}: {seen}, really {made}"
    if (handshakes, seen["tls_failed"]) != (made.connections - made.failed, made.failed):
        yield f"{name}: {handshakes} handshakes, {seen['tls_failed']} failed, really {made}"
    if list(window.get("named_by", {})) != ["server_name"]:
        yield f"{name}: named by {window.get('named_by')}"
    if slept and not 0 <= mean_us - slept <= 2000:
        yield f"{name}: first bytes after {mean_us:.0f} us, the service slept {slept:.0f}"


def run(folder):
    services = folder / "services.json"
    stage, file = Stage(folder), folder / "file.pcap"
    try:
        stage.serve(CASES)
        services.write_text(json.dumps({"services": [
            {"name": case.name, "hosts": [f"{case.name}.example"], "ports": [stage.ports[case.name]]}
            for case in CASES]}))
        dump = subprocess.Popen(["tcpdump", "-i", "lo", "--immediate-mode", "-B", "65536", "-U", "-w", file,
                                 f"tcp and host {SERVER} and portrange 9100-9199"], stderr=subprocess.PIPE, text=True)
        while "listening" not in dump.stderr.readline():
            assert dump.poll() is None, "tcpdump ended"
        played = play_all(stage)
        dump.send_signal(signal.SIGINT)
        assert dump.wait(10) == 0, "tcpdump failed"
    finally:
        stage.stop()
    text = subprocess.run([flow.probe(), "flow", "-r", file, "--services", services, "--window", "600", "--json"],
                          check=True, capture_output=True, text=True).stdout
    windows = {window["service"]: window for window in map(json.loads, text.splitlines())}
    return [failure for name, (made, slept_us) in played.items()
            for failure in check_case(name, windows.get(name, {}), made, slept_us)]


if __name__ == "__main__":
    flow.run_in_namespace(run, "tls", ("curl", "wget", "ethtool", "gnutls-serv", "gnutls-cli", "selfserv", "tstclnt",
                                       "certutil", "pk12util"))
