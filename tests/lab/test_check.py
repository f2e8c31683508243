#!/usr/bin/env python3
"""Checks against real servers behind programmed paths.

What must hold: each phase takes what was programmed for it (the resolver's round trip, the path's,
the server's delay in the handshake and before the answer) and never less; nginx's certificate is
described whether it is believed or not: good, expired, self-signed, of another name, of another
issuer; a refusal, a reset in each phase, silence, an unreachable host, a failing service, a name that
is not there and a resolver that is silent are each told apart, in time, with an exit code.

Needs root, nginx, nsd and openssl; skips loudly (exit 77) without them.
"""
import hashlib
import json
import socket
import ssl
import struct
import subprocess
import threading
import time

from internet import Hop, check, main, program
from servers import Authority, Names, Web, trust

SHOP, ODD, SILENT, CUT = "203.0.113.10", "203.0.113.20", "198.18.0.1", "198.18.1.1"
RTT_MS, DNS_MS, TOLERANCE_MS = 40, 20, 3
EX_OK, EX_NOHOST, EX_UNAVAILABLE, EX_TEMPFAIL, EX_PROTOCOL = 0, 68, 69, 75, 76


class Odd:
    """A TLS server that waits where it is told to, or resets the connection there."""

    def __init__(self, host, authority):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*authority.issue("odd.example"))
        self.before_handshake_s = self.before_answer_s = 0
        self.reset_at = None
        with host.entered():
            self.listener = socket.create_server((host.address, 443))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=[client], daemon=True).start()

    def reset(self, client, phase):
        if self.reset_at == phase:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            return True
        return False

    def serve(self, client):
        client.recv(1, socket.MSG_PEEK)
        if self.reset(client, "handshake"):
            return
        time.sleep(self.before_handshake_s)
        secured = self.context.wrap_socket(client, server_side=True)
        secured.recv(4096)
        time.sleep(self.before_answer_s)
        if self.reset(secured, "answer"):
            return
        secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        secured.close()


class Expired:
    """Issues what ended yesterday."""

    def __init__(self, authority):
        self.authority = authority

    def issue(self, *names):
        return self.authority.issue(*names, days=-1)


class SelfSigned:
    def __init__(self, authority):
        self.folder = authority.folder

    def issue(self, *names):
        certificate, key = self.folder / "self.pem", self.folder / "self.key"
        Authority.openssl("req", "-x509", *Authority.new_key(key), "-out", certificate, "-days", "30",
                          "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName=DNS:{names[0]}")
        return certificate, key


class Intermediate(Authority):
    """Signs with a key that the root vouches for; `shown`: with the certificate goes the one that says so."""

    def __init__(self, name, root, shown=True):
        super().__init__(name)
        self.shown = shown
        request, extensions = self.folder / "ca.csr", self.folder / "ca.ext"
        extensions.write_text("basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n")
        self.openssl("req", "-new", "-key", self.key, "-out", request, "-subj", f"/CN={name}")
        self.openssl("x509", "-req", "-in", request, "-CA", root.certificate, "-CAkey", root.key, "-CAcreateserial",
                     "-days", "30", "-extfile", extensions, "-out", self.certificate)

    def issue(self, *names, **options):
        certificate, key = super().issue(*names, **options)
        if self.shown:
            certificate.write_text(certificate.read_text() + self.certificate.read_text())
        return certificate, key


class Stage:
    def __init__(self, internet):
        self.office = internet.host("office", "198.51.100.10")
        shop, odd = internet.host("shop", SHOP), internet.host("odd", ODD)
        names = Names(internet.host("names", "198.51.100.53"))
        internet.imaginary("silent", SILENT, silent=True)
        internet.imaginary("cut", CUT)
        for to in (SHOP, ODD, SILENT):
            internet.path(self.office, to, [Hop("192.0.2.1", 0.4)], rtt_ms=RTT_MS)
        internet.path(self.office, CUT, [Hop("192.0.2.1", 0.4, refuses="host")], rtt_ms=RTT_MS)
        internet.path(self.office, names.address, rtt_ms=DNS_MS)
        names.serve("example", "@ NS ns", f"ns A {names.address}", f"exchange A {SHOP}", f"odd A {ODD}",
                    f"both A {SHOP}", f"both A {ODD}")
        self.authority, self.other = Authority("Lab CA"), Authority("Another CA")
        self.web = Web(shop, self.authority, ["exchange.example", "both.example"])
        self.odd = Odd(odd, self.authority)
        self.office.resolver(names)
        trust(self.office, self.authority, self.other)

    def ask(self, url, code=EX_OK, timeout_s=5):
        done = self.office.run(program("astray-probe"), "check", "--json", "--timeout", timeout_s, url,
                               check=False)
        check(done.returncode == code, f"{url}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


def near(seen_us, programmed_ms, what):
    check(programmed_ms <= seen_us / 1000 < programmed_ms + TOLERANCE_MS,
          f"{what}: programmed {programmed_ms} ms, seen {seen_us / 1000} ms")


def unhurried(ask):
    """An answer with all its times: a machine that was too busy to take them says so, and is asked
    again."""
    for _ in range(10):
        if "total_us" in (seen := ask()):
            return seen
    raise AssertionError("ten times too busy")


def key_digest(certificate):
    """What openssl says of it."""
    pem = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"],
                         capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=pem,
                         capture_output=True, check=True).stdout
    return hashlib.sha256(der).hexdigest()


def each_phase_takes_what_is_programmed(stage):
    seen = unhurried(lambda: stage.ask("https://exchange.example/health"))
    near(seen["dns_us"], DNS_MS, "name")
    near(seen["connect_us"], RTT_MS, "connect")
    near(seen["first_byte_us"], RTT_MS, "first byte")
    check(RTT_MS <= seen["tls_us"] / 1000 < RTT_MS + 10, f"TLS: {seen}")  # and the arithmetic
    check(seen["status"] == 200 and seen["peer"] == SHOP and seen["error"] is None, f"{seen}")
    clear = unhurried(lambda: stage.ask("http://exchange.example/health"))
    check("tls_us" not in clear and "tls" not in clear, f"{clear}")

    stage.odd.before_handshake_s, stage.odd.before_answer_s = 0.15, 0.25
    seen = unhurried(lambda: stage.ask("https://odd.example/"))
    near(seen["connect_us"], RTT_MS, "connect to a slow server")
    near(seen["first_byte_us"], RTT_MS + 250, "a slow answer")
    check(RTT_MS + 150 <= seen["tls_us"] / 1000 < RTT_MS + 165, f"a slow handshake: {seen}")
    stage.odd.before_handshake_s = stage.odd.before_answer_s = 0


def a_certificate_is_described(stage):
    tls = stage.ask("https://exchange.example/")["tls"]
    check(tls["verified"] and tls["version"] == "TLSv1.3", f"{tls}")
    check(tls["issuer"] == "CN=Lab CA" and tls["subject"] == "CN=exchange.example", f"{tls}")
    check(tls["spki_sha256"] == key_digest(stage.web.certificate), f"{tls}")
    root = {"subject": "CN=Lab CA", "spki_sha256": key_digest(stage.authority.certificate)}
    check(tls["chain"] == [root], f"the chain up to the root: {tls}")
    check("exchange.example" in tls["names"] and tls["names_in_all"] == len(tls["names"]), f"{tls}")


def a_new_issuer_is_seen(stage):
    before = stage.ask("https://exchange.example/")["tls"]
    stage.web.certify(stage.other)
    after = stage.ask("https://exchange.example/")["tls"]
    check(after["verified"] and after["issuer"] == "CN=Another CA", f"{after}")
    check(after["spki_sha256"] != before["spki_sha256"], "another key")
    stage.web.certify(stage.authority)


def a_chain_is_told_up_to_its_root(stage):
    """So that a renewal by the same authority's next intermediate is told from another authority's."""
    roots = set()
    for name, root in (("R1", stage.authority), ("R2", stage.authority), ("R1", stage.other)):
        stage.web.certify(Intermediate(name, root))
        seen = stage.ask("https://exchange.example/")["tls"]
        check(seen["verified"] and seen["issuer"] == f"CN={name}", f"{seen}")
        check([above["subject"] for above in seen["chain"]] == [f"CN={name}", f"CN={root.name}"], f"{seen}")
        check(seen["chain"][-1]["spki_sha256"] == key_digest(root.certificate), f"{seen}")
        roots.add(seen["chain"][-1]["spki_sha256"])
    check(len(roots) == 2, f"{roots}")
    stage.web.certify(Intermediate("R3", stage.authority, shown=False))
    seen = stage.ask("https://exchange.example/", EX_PROTOCOL)
    check(seen["tls"]["verified"] is False and not seen["tls"].get("chain"), f"{seen}")
    stage.web.certify(stage.authority)


def what_is_not_believed_is_described(stage):
    for issuer, why in ((Expired(stage.authority), "expired"), (SelfSigned(stage.authority), "self-signed"),
                        (Authority("Nobody's CA"), "issuer")):
        stage.web.certify(issuer)
        seen = stage.ask("https://exchange.example/", EX_PROTOCOL)
        check(seen["error"] == "tls" and why in seen["error_text"], f"{seen}")
        check(seen["tls"]["verified"] is False and seen["tls"]["subject"] == "CN=exchange.example", f"{seen}")
        check(seen["tls"]["spki_sha256"] == key_digest(stage.web.certificate), f"{seen}")
        check("status" not in seen and "first_byte_us" not in seen, f"{seen}")
    stage.web.certify(stage.authority)
    seen = stage.ask(f"https://{SHOP}/", EX_PROTOCOL)
    check("target host name" in seen["error_text"] and seen["tls"]["verified"] is False, f"{seen}")


def each_failure_is_told_apart(stage):
    def fails(url, error, code, **more):
        seen = stage.ask(url, code, timeout_s=1)
        check(seen["error"] == error and seen["error_text"], f"{url}: {seen}")
        check(seen.get("total_us", 0) < 1_100_000, f"{url}: {seen}")
        check(all(seen.get(key) == value for key, value in more.items()), f"{url}: {seen}")
        return seen

    fails("https://exchange.example:444/", "refused", EX_TEMPFAIL, peer=SHOP)
    fails(f"https://{SILENT}/", "timeout", EX_TEMPFAIL, peer=SILENT)
    fails(f"https://{CUT}/", "unreachable", EX_TEMPFAIL, peer=CUT)
    fails("https://exchange.example/broken", "http", EX_UNAVAILABLE, status=503)
    fails("https://nowhere.example/", "dns", EX_NOHOST)
    fails("https://exchange.example:80/", "tls", EX_PROTOCOL)
    stage.odd.reset_at = "handshake"
    seen = fails("https://odd.example/", "reset", EX_TEMPFAIL)
    near(seen["connect_us"], RTT_MS, "connect before a reset")
    stage.odd.reset_at = "answer"
    seen = fails("https://odd.example/", "reset", EX_TEMPFAIL)
    check(seen["tls"]["verified"], f"the handshake was good: {seen}")
    stage.odd.reset_at, stage.odd.before_answer_s = None, 3
    seen = fails("https://odd.example/", "timeout", EX_TEMPFAIL)
    check(seen["error_text"] == "no answer within 1 s", f"{seen}")
    stage.office.resolver(SILENT)
    seen = fails("https://exchange.example/", "dns", EX_NOHOST)
    check("peer" not in seen, f"{seen}")


def the_addresses_of_a_name_take_turns(stage):
    """Each is checked, and each shows its own certificate: one edge of several may be another's."""
    configuration = stage.office.folder / "probe.json"
    configuration.write_text(json.dumps({
        "probe": "office", "role": "sentinel", "collector": {"url": "http://127.0.0.1:1"},
        "services": [{"name": "both", "hosts": ["both.example"], "url": "https://both.example/"}],
        "sources": {"check": {"interval": "1 s", "timeout": "1 s"}}}))
    probe = stage.office.start(program("astray-probe"), "run", "--print", "--config", configuration,
                               stdout=subprocess.PIPE, text=True)
    seen, issuers = [], {}
    for line in probe.stdout:
        observation = json.loads(line)
        if observation["kind"] == "check":
            seen.append(observation["peer"])
            issuers[observation["peer"]] = observation["tls"]["issuer"], observation["tls"]["verified"]
        if len(seen) == 4:
            break
    probe.terminate()
    check(probe.wait(10) == 0, f"the probe ends with {probe.returncode}")
    check(seen in ([SHOP, ODD] * 2, [ODD, SHOP] * 2), f"in turn: {seen}")
    check(issuers == {SHOP: ("CN=Lab CA", True), ODD: ("CN=Lab CA", False)}, f"{issuers}")


def run(internet):
    stage = Stage(internet)
    for scenario in (each_phase_takes_what_is_programmed, a_certificate_is_described, a_new_issuer_is_seen,
                     a_chain_is_told_up_to_its_root, what_is_not_believed_is_described,
                     the_addresses_of_a_name_take_turns, each_failure_is_told_apart):
        scenario(stage)
        print(f"ok  {scenario.__name__.replace('_', ' ')}", flush=True)


main(run)
