#!/usr/bin/env python3
"""Watching names, with real servers: a root, a signed registry on two addresses, a provider and a
second name server, a hijacker, and a resolver.

What must hold: `astray-probe run` with the names source tells every change within two rounds, and as
what it is: a lookalike name server, one of the same provider, one server of several replaced, another
mail server, other glue, DS removed, a change that lasts a few rounds only, a resolver that is
poisoned or dead. Harmless changes (serial, TTL, another order, another address) are no changes of
the delegation. A registry is asked at most once a round; a change is told by both of its servers;
forged answers are never believed; the registry's own word (RDAP) is asked for at once when a
delegation changes. And `astray-probe names` says what is wrong.

Needs root, nsd, unbound and ldns-signzone; skips loudly (exit 77) without them.
"""
import http.server
import json
import re
import socket
import subprocess
import struct
import threading
import time

from internet import Hop, check, main, program, tool, wait_for
from servers import Names, Resolver

ZONE, PROVIDER_ZONE = "exchange.example", "awsdns-61.org"
GENUINE, LOOKALIKE = "ns-1515.awsdns-61.org", "ns-1515.awsdns-061.org"
OTHER = "ns-1042.awsdns-02.org"  # of the same provider
OWN = f"ns1.{ZONE}"
NEAR, FAR = "203.0.113.10", "203.0.113.130"
ROOT, REGISTRY = "198.51.100.53", ("198.51.100.54", "198.51.100.55")
ORG = "198.51.100.56"
PROVIDER, SECOND, HIJACKER = "203.0.113.53", "203.0.113.54", "203.0.113.153"
RESOLVER = "198.51.100.5"
ROUND = 1.0
TWO_ROUNDS = 2 * ROUND * 1.2 + 0.5  # rounds jitter by a fifth; and the time to print
DS = "12345 13 2 " + "ab" * 32


class Registry:
    """The servers of "example": the zone is signed, so that a referral tells of DS or of its absence."""

    def __init__(self, host):
        self.servers = [Names(host, address) for address in REGISTRY]
        self.folder = host.folder / "keys"
        self.folder.mkdir()
        self.key = subprocess.run([tool("ldns-keygen"), "-a", "ECDSAP256SHA256", "-k", "example"],
                                  cwd=self.folder, check=True, capture_output=True,
                                  text=True).stdout.strip()
        self.publish()

    def signed(self, lines):
        plain, out = self.folder / "plain", self.folder / "signed"
        plain.write_text("\n".join(("$ORIGIN example.", "$TTL 600",
                                    "@ SOA ns.example. hostmaster.example. 1 3600 600 86400 5", *lines, "")))
        subprocess.run([tool("ldns-signzone"), "-f", out, plain, self.key], cwd=self.folder, check=True)
        return [line for line in out.read_text().splitlines()
                if line and not re.search(r"\sIN\s+SOA\s", line)]

    def publish(self, servers=None, glue=SECOND, ds=DS, only=None):
        """`only`: the registry's server that has it; the other is late."""
        lines = [f"@ NS {name}.nic.example." for name in "ab"]
        lines += [f"{name}.nic.example. A {address}" for name, address in zip("ab", REGISTRY)]
        lines += [f"{ZONE}. NS {server}." for server in servers or (GENUINE, OWN)]
        lines += [f"{OWN}. A {glue}", *([f"{ZONE}. DS {ds}"] if ds else [])]
        lines = self.signed(lines)
        for server in self.servers:
            if only in (None, server.address):
                server.serve("example", *lines)

    def questions(self):
        """How many both have answered."""
        total = 0
        for server in self.servers:
            out = server.host.run(tool("nsd-control"), "-c", server.folder / "nsd.conf",
                                  "stats_noreset").stdout
            total += int(re.search(r"^num\.queries=(\d+)", out, re.M)[1])
        return total


class Rdap:
    """A registry's RDAP service."""

    def __init__(self, host, port=8000):
        self.asked, self.status = [], 200
        self.url = f"http://{host.address}:{port}/"
        with host.entered():
            server = http.server.ThreadingHTTPServer((host.address, port), self.handler())
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def handler(rdap):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                domain = self.path.rpartition("/")[2]
                rdap.asked.append((time.monotonic(), domain))
                body = json.dumps({"objectClassName": "domain", "ldhName": domain.upper(),
                                   "nameservers": [{"ldhName": GENUINE}, {"ldhName": OWN}],
                                   "status": ["client transfer prohibited"],
                                   "events": [{"eventAction": "last changed",
                                               "eventDate": "2020-05-30T15:05:00Z"}]}).encode()
                self.send_response(rdap.status)
                self.send_header("Retry-After", "120")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        return Handler


class Stage:
    def __init__(self, internet):
        self.office = internet.host("office", "198.51.100.10")
        registry = internet.host("registry", ROOT, *REGISTRY, ORG, "198.51.100.57")
        provider = internet.host("provider", PROVIDER, SECOND)
        hijacker = internet.host("hijacker", HIJACKER)
        resolver = internet.host("resolver", RESOLVER)
        for origin in (self.office, resolver, hijacker):
            internet.path(origin, "0.0.0.0/0", [Hop("192.0.2.1", 0.3)], rtt_ms=1)
        self.registry = Registry(registry)
        self.root = ROOT
        Names(registry, ROOT).serve(
            ".", "@ NS a.root.lab.", f"a.root.lab. A {ROOT}",
            *[f"example. NS {name}.nic.example." for name in "ab"],
            *[f"{name}.nic.example. A {address}" for name, address in zip("ab", REGISTRY)],
            "org. NS a.nic.org.", f"a.nic.org. A {ORG}")
        Names(registry, ORG).serve(
            "org", "@ NS a.nic.org.", f"a.nic.org. A {ORG}",
            *[line for server, address in ((GENUINE, PROVIDER), (LOOKALIKE, HIJACKER), (OTHER, HIJACKER))
              for line in (f"{server.partition('.')[2]}. NS {server}.", f"{server}. A {address}")])
        self.provider, self.second, self.hijacker = (
            Names(provider, PROVIDER), Names(provider, SECOND), Names(hijacker))
        for names, server in ((self.provider, GENUINE), (self.hijacker, LOOKALIKE),
                              (self.hijacker, OTHER)):
            names.serve(server.partition(".")[2], f"@ NS {server}.", f"{server}. A {names.address}")
        self.hijacker.serve(ZONE, f"@ NS {LOOKALIKE}.", f"@ A {FAR}", "@ MX 10 mx",
                            f"{OWN}. A {HIJACKER}")
        self.serve()
        self.resolver = Resolver(resolver, self)
        self.office.resolver(self.resolver)
        self.rdap = Rdap(registry)
        self.watch()

    def serve(self, *lines, address=NEAR, mail="mx", ttl=None):
        for names in (self.provider, self.second):
            names.serve(ZONE, f"@ NS {GENUINE}.", f"@ NS {OWN}.", f"{OWN}. A {SECOND}", f"@ A {address}",
                        f"@ MX 10 {mail}", '@ TXT "v=spf1 -all"', *lines, ttl=ttl)

    def watch(self):
        config = {"probe": "sentinel-1", "role": "sentinel", "collector": {"url": "https://192.0.2.9:1"},
                  "spool": {"directory": str(self.office.folder / "spool")},
                  "services": [{"name": "exchange", "hosts": [ZONE], "zone": ZONE}],
                  "sources": {"names": {"interval": ROUND, "resolver": True, "delegation": True,
                                        "authority": True, "registry": True, "roots": [ROOT],
                                        "rdap": self.rdap.url, "registry_interval": "1 day"}}}
        file = self.office.folder / "probe.json"
        file.write_text(json.dumps(config))
        self.lines, self.heard = [], threading.Condition()
        self.probe = self.office.start(program("astray-probe"), "run", "--config", file, "--print",
                                       log="probe", stdout=subprocess.PIPE)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.probe.stdout:
            with self.heard:
                self.lines.append((time.monotonic(), json.loads(line)))
                self.heard.notify_all()

    def since(self, start):
        return [obs for at, obs in self.lines if at >= start]

    def told(self, what, wanted, start, within=TWO_ROUNDS):
        """The observations since then, as soon as they are wanted; how long that took."""
        with self.heard:
            holds = self.heard.wait_for(lambda: wanted(self.since(start)), start + within - time.monotonic())
        if not holds:
            seen = sorted({(o["role"], o["server"], o["type"], tuple(data(o)), o["rcode"])
                           for o in self.since(start) if o["kind"] == "dns"})
            check(False, f"{what}: not within {within:.1f} s; told was {seen}")
        return time.monotonic() - start

    def calm(self):
        """Until all is as it was."""
        self.told("calm again", lambda seen: calm(seen), time.monotonic(), 20)


def data(obs):
    return sorted(answer["data"] for answer in obs.get("answers", []))


def asked(seen, role, kind, server=None, name=ZONE):
    return [o for o in seen if o["kind"] == "dns" and (o["role"], o["type"], o["name"]) == (role, kind, name)
            and server in (None, o["server"])]


def says(seen, role, kind, answers, server=None, name=ZONE):
    return any(data(o) == sorted(answers) for o in asked(seen, role, kind, server, name))


def by_both(seen, kind, answers, name=ZONE):
    """A change is to be believed when both of the registry's servers tell it."""
    return all(says(seen, "parent", kind, answers, server, name) for server in REGISTRY)


def calm(seen):
    return (by_both(seen, "NS", [GENUINE, OWN]) and by_both(seen, "A", [SECOND], OWN)
            and by_both(seen, "DS", [DS]) and says(seen, "authority", "A", [NEAR], PROVIDER)
            and says(seen, "authority", "A", [NEAR], SECOND) and says(seen, "resolver", "A", [NEAR]))


def during(stage, name, change, wanted, repair):
    start = time.monotonic()
    change()
    start = max(start, time.monotonic() - 0.1)  # the servers have it
    took = stage.told(name, wanted, start)
    repair()
    stage.calm()
    print(f"ok  {name}: told after {took:.1f} s", flush=True)


def attacks(stage):
    publish, serve, repair = stage.registry.publish, stage.serve, stage.registry.publish
    during(stage, "a lookalike name server", lambda: publish([LOOKALIKE]),
           lambda seen: by_both(seen, "NS", [LOOKALIKE]) and says(seen, "authority", "A", [FAR], HIJACKER),
           repair)
    during(stage, "a name server of the same provider", lambda: publish([OTHER, OWN]),
           lambda seen: by_both(seen, "NS", [OTHER, OWN]), repair)
    during(stage, "one server of several", lambda: publish([LOOKALIKE, OWN]),
           lambda seen: by_both(seen, "NS", [LOOKALIKE, OWN])
           and says(seen, "authority", "A", [FAR], HIJACKER)
           and says(seen, "authority", "A", [NEAR], SECOND), repair)
    during(stage, "another mail server", lambda: serve(mail="mail.evil.example."),
           lambda seen: says(seen, "authority", "MX", ["10 mail.evil.example"], PROVIDER), serve)
    during(stage, "other glue", lambda: publish(glue=HIJACKER),
           lambda seen: by_both(seen, "A", [HIJACKER], OWN)
           and says(seen, "authority", "A", [FAR], HIJACKER), repair)
    during(stage, "DS removed", lambda: publish(ds=None), lambda seen: by_both(seen, "DS", []), repair)
    during(stage, "a flicker", lambda: publish([LOOKALIKE]),
           lambda seen: by_both(seen, "NS", [LOOKALIKE]), repair)
    during(stage, "a poisoned resolver",
           lambda: stage.resolver.control("local_data", f"{ZONE} 5 IN A {FAR}"),
           lambda seen: says(seen, "resolver", "A", [FAR]) and says(seen, "authority", "A", [NEAR]),
           lambda: stage.resolver.control("local_data_remove", ZONE))


def registry_is_asked_at_once(stage):
    def times():
        return [at for at, domain in stage.rdap.asked if domain == ZONE]
    wait_for("the registry is asked again after a change", lambda: len(times()) >= 2, timeout=25)
    zone = times()
    check(all(later - earlier > 19.5 for earlier, later in zip(zone, zone[1:])), f"not too often: {zone}")
    domains = {domain for _, domain in stage.rdap.asked}
    check({PROVIDER_ZONE, "awsdns-061.org", "awsdns-02.org"} <= domains, f"the servers' domains: {domains}")
    told = [o for _, o in stage.lines if o["kind"] == "registry" and o["domain"] == ZONE]
    check(told and told[0]["name_servers"] == [GENUINE, OWN] and
          told[0]["last_changed"].startswith("2020-05-30T15:05:00"), f"{told}")


def harmless_changes_are_none(stage):
    start, questions = time.monotonic(), stage.registry.questions()
    stage.registry.publish([OWN, GENUINE])  # another order, serial and signatures
    stage.serve(address="203.0.113.11", ttl=60)
    stage.told("another address", lambda seen: says(seen, "authority", "A", ["203.0.113.11"], PROVIDER), start)
    stage.serve()
    time_over = start + 6 * ROUND
    stage.told("six rounds", lambda seen: time.monotonic() > time_over, start, 8 * ROUND)
    parents = asked(stage.since(start), "parent", "NS")
    check(all(data(o) == sorted([GENUINE, OWN]) for o in parents), "the delegation stayed")
    spent, rounds = stage.registry.questions() - questions, (time.monotonic() - start) / (ROUND * 0.8)
    own = 2 * 8  # of this script, which waits for the new serials
    check(spent <= rounds + 1 + own, f"{spent} questions in {rounds:.0f} rounds at most")
    check(len(parents) <= rounds + 1, f"{len(parents)} answers in {rounds:.0f} rounds at most")
    print(f"ok  harmless changes are none; {len(parents)} questions to the registry in "
          f"{time.monotonic() - start:.0f} s", flush=True)


def referral(number, server):
    name = b"".join(bytes([len(label)]) + label.encode() for label in ZONE.split(".")) + b"\0"
    target = b"".join(bytes([len(label)]) + label.encode() for label in server.split(".")) + b"\0"
    return (struct.pack(">HHHHHH", number, 0x8000, 1, 0, 1, 0) + name + struct.pack(">HH", 2, 1) + name
            + struct.pack(">HHIH", 2, 1, 600, len(target)) + target)


def forge(host, stop, sent):
    """Answers in the registry's name, to every port, with every id: as fast as they go."""
    with host.entered():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    number = 0
    while not stop.is_set():
        for _ in range(50):
            number += 1
            body = referral(number * 40503 & 0xFFFF, LOOKALIKE)
            udp = struct.pack(">HHHH", 53, 32768 + number * 7919 % 28232, 8 + len(body), 0) + body
            head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                               socket.inet_aton(REGISTRY[number % 2]), socket.inet_aton("198.51.100.10"))
            raw.sendto(head + udp, ("198.51.100.10", 0))
        sent.append(50)
        stop.wait(0.01)


def forged_answers_are_not_believed(stage):
    start, stop, sent = time.monotonic(), threading.Event(), []
    forger = threading.Thread(target=forge, args=(stage.hijacker.host, stop, sent))
    forger.start()
    time_over = start + 4 * ROUND
    stage.told("rounds under forgery", lambda seen: time.monotonic() > time_over, start, 6 * ROUND)
    stop.set()
    forger.join()
    parents = asked(stage.since(start), "parent", "NS")
    check(sum(sent) > 2000, f"{sum(sent)} forged")
    check(parents and all(data(o) == sorted([GENUINE, OWN]) for o in parents), "no forged answer counts")
    print(f"ok  {sum(sent)} forged answers, none believed", flush=True)


def one_registry_server_is_no_proof(stage):
    start = time.monotonic()
    stage.registry.publish([LOOKALIKE], only=REGISTRY[0])
    stage.told("both words", lambda seen: says(seen, "parent", "NS", [LOOKALIKE], REGISTRY[0])
               and says(seen, "parent", "NS", [GENUINE, OWN], REGISTRY[1]), start, 2 * TWO_ROUNDS)
    check(not says(stage.since(start), "parent", "NS", [LOOKALIKE], REGISTRY[1]), "only one tells it")
    stage.registry.publish()
    print("ok  what one server tells stands as its word alone", flush=True)


def the_command_says_what_is_wrong(stage):
    words = [program("astray-probe"), "names", "--root", ROOT, "--rdap", stage.rdap.url, "--expect", GENUINE,
             "--expect", OWN, ZONE]
    good = stage.office.run(*words, check=False)
    check(good.returncode == 0 and "WRONG" not in good.stdout, f"{good.stdout}{good.stderr}")
    stage.registry.publish([LOOKALIKE, OWN])
    bad = stage.office.run(*words, check=False)
    check(bad.returncode == 1, f"{bad.returncode}: {bad.stdout}")
    for part in (f"{LOOKALIKE} imitates {GENUINE}", '"061" stands for "61"', "do not agree",
                 f"the registry does not list name server {LOOKALIKE}"):
        check(part in bad.stdout, f"{part}: {bad.stdout}")
    lines = stage.office.run(*words[:-1], "--json", ZONE, check=False).stdout.splitlines()
    kinds = {json.loads(line)["kind"] for line in lines}
    check(kinds == {"dns", "registry"}, f"{kinds}")
    stage.registry.publish()
    stage.rdap.status = 429
    slow = stage.office.run(*words, check=False)
    check(slow.returncode == 0 and "wants to be left alone" in slow.stdout, slow.stdout + slow.stderr)
    print("ok  the command says what is wrong", flush=True)


def a_dead_resolver_is_told(stage):
    start = time.monotonic()
    stage.resolver.process.kill()
    took = stage.told("a dead resolver", lambda seen: any(
        o["rcode"] == "TIMEOUT" for o in asked(seen, "resolver", "A")), start, TWO_ROUNDS + 4)
    print(f"ok  a dead resolver is told after {took:.1f} s", flush=True)


def run(internet):
    stage = Stage(internet)
    stage.calm()
    attacks(stage)
    registry_is_asked_at_once(stage)
    harmless_changes_are_none(stage)
    forged_answers_are_not_believed(stage)
    one_registry_server_is_no_proof(stage)
    the_command_says_what_is_wrong(stage)
    a_dead_resolver_is_told(stage)
    stage.probe.terminate()
    check(stage.probe.wait(5) == 0, f"the probe ended with {stage.probe.returncode}")


main(run)
