"""A stage on which a zone's names are watched: a root, a signed registry on two addresses, a provider and
a second name server, a hijacker, resolvers, a registry's RDAP service, and the service itself.

    stage = Stage(internet)
    stage.calm()
    stage.registry.publish([LOOKALIKE])
    stage.told("the lookalike", lambda seen: says(seen, "parent", "NS", [LOOKALIKE]), start)

Everything is a real server; what the probes print is kept with the time at which it came.
"""
import collections
import contextlib
import http.server
import json
import re
import socket
import struct
import subprocess
import threading
import time

from internet import Hop, check, program, tool
from servers import Authority, Names, Resolver, Web, trust

ZONE, PROVIDER_ZONE = "exchange.example", "awsdns-61.org"
WWW, EDGE = f"www.{ZONE}", "shop.cdn.example"  # an alias, and where it leads
GENUINE, LOOKALIKE = "ns-1515.awsdns-61.org", "ns-1515.awsdns-061.org"
OTHER = "ns-1042.awsdns-02.org"  # of the same provider
OWN = f"ns1.{ZONE}"
NEAR, FAR = "203.0.113.10", "203.0.113.130"
NEIGHBOUR = "203.0.113.66"  # in the same network as the real one
ROOT, REGISTRY = "198.51.100.53", ("198.51.100.54", "198.51.100.55")
ORG = "198.51.100.56"
CDN = "203.0.113.60"
PROVIDER, SECOND, HIJACKER = "203.0.113.53", "203.0.113.54", "203.0.113.153"
OFFICE, RESOLVER = "198.51.100.10", "198.51.100.5"
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
        lines += ["cdn.example. NS ns.cdn.example.", f"ns.cdn.example. A {CDN}"]
        lines += [f"{OWN}. A {glue}", *([f"{ZONE}. DS {ds}"] if ds else [])]
        lines = self.signed(lines)
        for server in self.servers:
            if only in (None, server.address):
                server.serve("example", *lines)

    def questions(self):
        """How many both have answered."""
        return sum(server.questions() for server in self.servers)


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


class Heard:
    """One probe, and what it has printed: (monotonic seconds, microseconds of the day's clock, line)."""

    def __init__(self, host, name, role, sources, **service):
        config = {"probe": name, "role": role, "collector": {"url": "https://192.0.2.9:1"},
                  "spool": {"directory": str(host.folder / f"spool-{name}")},
                  "services": [{"name": "exchange", "hosts": [ZONE, WWW], "zone": ZONE} | service],
                  "sources": sources}
        file = host.folder / f"{name}.json"
        file.write_text(json.dumps(config))
        self.name, self.role = name, role
        self.lines, self.news = [], threading.Condition()
        self.process = host.start(program("astray-probe"), "run", "--config", file, "--print",
                                  log=name, stdout=subprocess.PIPE)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append((time.monotonic(), time.time_ns() // 1000, json.loads(line)))
                self.news.notify_all()

    def since(self, start):
        return [obs for at, _, obs in self.lines if at >= start]

    def told(self, what, wanted, start, within):
        """How long it took until the lines since then are wanted."""
        with self.news:
            holds = self.news.wait_for(lambda: wanted(self.since(start)), start + within - time.monotonic())
        if not holds:
            seen = sorted({(o["role"], o["server"], o["type"], tuple(data(o)), o["rcode"])
                           for o in self.since(start) if o["kind"] == "dns"})
            check(False, f"{what}: not within {within:.1f} s; told was {seen}")
        return time.monotonic() - start


class Questions:
    """What leaves a machine for port 53, seen on its wire: `on_packet(packet)` is called for each IPv4 one;
    `count` holds how many went to whom."""

    OUTGOING = 4

    def __init__(self, host, on_packet=None):
        with host.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))  # all
        self.socket.settimeout(0.1)
        self.count, self.on_packet, self.ended = collections.Counter(), on_packet, False
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while not self.ended:
            with contextlib.suppress(TimeoutError):
                packet, (_, _, kind, *_) = self.socket.recvfrom(65536)
                if packet[0] >> 4 != 4:
                    continue
                head = (packet[0] & 15) * 4
                port = struct.unpack_from(">H", packet, head + 2)[0]
                # Of TCP only what begins: one question is one connection.
                if kind == self.OUTGOING and port == 53 and (packet[9] == 17 or packet[head + 13] & 0x12 == 2):
                    self.count[socket.inet_ntoa(packet[16:20])] += 1
                    if self.on_packet:
                        self.on_packet(packet)

    def close(self):
        self.ended = True
        self.thread.join()
        self.socket.close()


class Stage:
    def __init__(self, internet, cold=False):
        """`cold`: beside the sentinel there is an employee's machine, whose resolver knows nothing yet."""
        self.internet = internet
        self.office = internet.host("office", OFFICE)
        registry = internet.host("registry", ROOT, *REGISTRY, ORG, "198.51.100.57")
        provider = internet.host("provider", PROVIDER, SECOND)
        cdn = internet.host("cdn", CDN)
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
        self.cdn = Names(cdn)
        self.serve_edge(NEAR)
        self.hijacker.serve(ZONE, f"@ NS {LOOKALIKE}.", f"@ A {FAR}", "@ MX 10 mx",
                            f"{OWN}. A {HIJACKER}", f"{WWW}. CNAME {EDGE}.")
        self.serve()
        self.resolver = Resolver(resolver, self)
        self.office.resolver(self.resolver)
        self.rdap = Rdap(registry)
        self.sentinel = Heard(self.office, "sentinel-1", "sentinel", {"names": {
            "interval": ROUND, "resolver": True, "delegation": True, "authority": True, "registry": True,
            "roots": [ROOT], "rdap": self.rdap.url, "registry_interval": "1 day"}})
        self.probes = [self.sentinel]
        if cold:
            self.add_an_employee()

    def add_an_employee(self):
        """With a resolver of his own, and a service to visit."""
        shop = self.internet.host("shop", NEAR)
        self.laptop = self.internet.host("laptop", "198.51.100.11")
        host = self.internet.host("cold", "198.51.100.6")
        for origin in (self.laptop, host):
            self.internet.path(origin, "0.0.0.0/0", [Hop("192.0.2.1", 0.3)], rtt_ms=1)
        self.cold = Resolver(host, self)
        self.laptop.resolver(self.cold)
        self.usual_ca, self.other_ca = Authority("Usual CA"), Authority("Other CA")
        self.shop = Web(shop, self.usual_ca, [ZONE], days=90, age_days=70)
        trust(self.laptop, self.usual_ca, self.other_ca)
        trust(self.office, self.usual_ca, self.other_ca)
        names = {"interval": ROUND}
        check_source = {"interval": ROUND, "timeout": 0.9 * ROUND}
        url = {"url": f"https://{ZONE}/health"}
        self.employee = Heard(self.laptop, "laptop-1", "endpoint", {"names": names}, **url)
        self.gateway = Heard(self.office, "gateway-1", "gateway", {"check": check_source}, **url)
        self.probes += [self.employee, self.gateway]

    def serve(self, *lines, address=NEAR, mail="mx", alias=EDGE, ttl=None):
        addresses = [address] if isinstance(address, str) else address
        for names in (self.provider, self.second):
            # Who knows the name servers keeps them: what makes a resolver a warm one.
            names.serve(ZONE, f"@ 86400 NS {GENUINE}.", f"@ 86400 NS {OWN}.",
                        f"{OWN}. 86400 A {SECOND}", f"{WWW}. CNAME {alias}.",
                        *(f"@ A {each}" for each in addresses), f"@ MX 10 {mail}", '@ TXT "v=spf1 -all"',
                        *lines, ttl=ttl)

    def serve_edge(self, address):
        self.cdn.serve("cdn.example", "@ NS ns.cdn.example.", f"ns.cdn.example. A {CDN}", f"{EDGE}. A {address}")

    def since(self, start):
        return self.sentinel.since(start)

    def told(self, what, wanted, start, within=TWO_ROUNDS):
        return self.sentinel.told(what, wanted, start, within)

    def calm(self):
        """Until all is as it was."""
        self.told("calm again", calm, time.monotonic(), 90)


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
            and says(seen, "authority", "A", [NEAR], SECOND) and says(seen, "resolver", "A", [NEAR])
            and says(seen, "authority", "A", [NEAR], CDN, WWW)
            and says(seen, "resolver", "A", [NEAR], name=WWW))
