"""The company of the incident of 2020, made small: a service that people in Japan reach through a
CDN's edge in Tokyo, its name servers, and the probes that watch it.

    company = Company(internet)
    company.start()           servers, visitors, collector, probes
    company.hijack()          the registry delegates the zone to a lookalike name server, which leads
                              everybody through Amsterdam, and their mail to somebody else
    company.repair()

Every interval is shortened so that minutes are seconds; everything else is as it was. On the near path
there are two equal ways at one hop, a hop that never answers, and jitter: nothing to page for.
"""
import sys

from astray import Collector, Probe, Webhook
from internet import TOP, Hop, wait_for
from places import databases, here, place
from servers import Authority, Names, Registry, Resolver, Web, answers, trust

ZONE = "exchange.example"
GENUINE, LOOKALIKE = "ns-1515.awsdns-61.org", "ns-1515.awsdns-061.org"
TOKYO_EDGE, AMSTERDAM_EDGE = "203.0.113.10", "203.0.113.130"
ANYWHERE, ROOT = "0.0.0.0/0", "198.51.100.53"

PLACES = [
    place("198.51.100.0/24", "Tokyo", 64496, "Exchange K.K."),
    place("198.51.100.48/28", "Ashburn", 64505, "Lab Registry"),
    place("192.0.2.0/26", "Tokyo", 64497, "Kanto Transit"),
    place("192.0.2.32/28", "Osaka", 64497, "Kanto Transit"),
    place("192.0.2.64/28", "Singapore", 64498, "Equator Carrier"),
    place("192.0.2.80/28", "Marseille", 64498, "Equator Carrier"),
    place("192.0.2.96/28", "Amsterdam", 64499, "Polder Transit"),
    place("203.0.113.0/26", "Tokyo", 64500, "Lab CDN"),
    place("203.0.113.128/28", "Amsterdam", 64500, "Lab CDN"),
    place("203.0.113.144/28", "Amsterdam", 64511, "Cheap Hosting"),
]

SERVICE = {"name": "exchange", "hosts": [ZONE], "url": f"https://{ZONE}/health", "zone": ZONE}

ASSIGNMENT = {
    "gateway": {"sources": {"flow": {"window": "4 s", "interface": "net0"}, "trace": {"interval": "4 s"}}},
    "endpoint": {"sources": {"trace": {"interval": "4 s"},
                             "check": {"interval": "4 s", "timeout": "3500 ms"},
                             "names": {"interval": "4 s"}}},
    "sentinel": {"sources": {"names": {"interval": "4 s", "delegation": True, "authority": True, "roots": [ROOT]},
                             "check": {"interval": "8 s", "timeout": "7 s"}}},
}

JUDGEMENT = {"gather": "35 s", "calm": "15 s", "learn_paths": "20 s", "learn_names": "20 s",
             "learn_counts": "20 s"}

VISITORS, THINK_S = 4, 0.15


def start_of(city):
    """The first hops out of an office: its router, then two equal ways."""
    base = 32 if city == "Osaka" else 0
    extra = 2.5 if city == "Osaka" else 0
    return [Hop(f"192.0.2.{base + 1}", 0.4, jitter_ms=0.3),
            Hop([f"192.0.2.{base + 2}", f"192.0.2.{base + 3}"], 1.2 + extra, jitter_ms=0.4)]


def near(city):
    extra = 2.5 if city == "Osaka" else 0
    return start_of(city) + [Hop("192.0.2.4", 2.0 + extra, silent=True),
                             Hop("192.0.2.5", 3.4 + extra, jitter_ms=0.5),
                             Hop("203.0.113.1", 4.6 + extra, jitter_ms=0.5)]


def far(city):
    return start_of(city) + [Hop("192.0.2.65", 71), Hop("192.0.2.81", 205), Hop("192.0.2.97", 238),
                             Hop("192.0.2.98", 240, jitter_ms=1)]


class Company:
    def __init__(self, internet, on_event=None):
        self.internet = internet
        self.gateway = internet.host("gateway", "198.51.100.10", owns=["198.51.100.128/28"])
        self.office = self.gateway.lan("office", "198.51.100.130")
        self.laptops = [internet.host("tokyo-laptop", "198.51.100.21"),
                        internet.host("osaka-laptop", "198.51.100.31")]
        self.sentinel = internet.host("sentinel", "198.51.100.40")
        self.machines = [self.gateway, *self.laptops, self.sentinel]
        self.make_collector(on_event)
        self.make_names()
        self.make_service()

    def make_service(self):
        edges = self.internet.host("edges", TOKYO_EDGE, AMSTERDAM_EDGE)
        self.authority = Authority("Lab CA")
        self.web = Web(edges, self.authority, [ZONE])
        for machine in self.machines:
            city = "Osaka" if "osaka" in machine.name else "Tokyo"
            self.internet.path(machine, ANYWHERE, start_of(city), rtt_ms=3, jitter_ms=0.3)
            self.internet.path(machine, f"{TOKYO_EDGE}/26", near(city),
                               rtt_ms=8 if city == "Osaka" else 5.5, jitter_ms=0.8)
            self.internet.path(machine, f"{AMSTERDAM_EDGE}/26", far(city), rtt_ms=246, jitter_ms=2)
            self.internet.path(machine, self.collector.host, rtt_ms=2)
        for machine in [self.office, *self.machines]:
            machine.resolver(self.resolver)
            trust(machine, self.authority)

    def make_names(self):
        """The registry with its root, the company's provider, the attacker, and a resolver in Tokyo."""
        registry, provider, hijacker, resolver = (self.internet.host(*words) for words in (
            ("registry", ROOT, "198.51.100.54", "198.51.100.55"), ("provider", "203.0.113.53"),
            ("hijacker", "203.0.113.153"), ("resolver", "198.51.100.5")))
        self.internet.path(resolver, ANYWHERE, start_of("Tokyo"), rtt_ms=3)
        self.internet.path(resolver, hijacker, far("Tokyo"), rtt_ms=245)
        self.registry = Registry(registry, ["example", "org"])
        for host, server, edge, mail in ((provider, GENUINE, TOKYO_EDGE, ("mx", "203.0.113.25")),
                                         (hijacker, LOOKALIKE, AMSTERDAM_EDGE, ("mail", "203.0.113.154"))):
            names, own_zone = Names(host), server.partition(".")[2]
            names.serve(ZONE, f"@ NS {server}.", f"@ A {edge}", f"@ MX 10 {mail[0]}", "{} A {}".format(*mail))
            names.serve(own_zone, f"@ NS {server}.", f"{server}. A {names.address}")
            self.registry.delegate(own_zone, {server: [names.address]})
        self.registry.delegate(ZONE, {GENUINE: []})
        self.resolver = Resolver(resolver, self.registry)

    def make_collector(self, on_event):
        host = self.internet.host("collector", "198.51.100.80")
        geo = databases(PLACES)
        self.collector = Collector(host, [SERVICE], geo=geo, assignment=ASSIGNMENT, judgement=JUDGEMENT)
        self.hook = Webhook(host, on_event=on_event)
        self.collector.notify(self.hook)
        self.probes = [
            Probe(self.gateway, "tyo-gw-1", "gateway", self.collector, by="token", geo=geo,
                  here=here("Tokyo"), labels={"site": "tokyo"}),
            Probe(self.laptops[0], "tyo-laptop-17", "endpoint", self.collector, geo=geo,
                  here=here("Tokyo"), labels={"site": "tokyo"}),
            Probe(self.laptops[1], "osa-laptop-3", "endpoint", self.collector, geo=geo,
                  here=here("Osaka"), labels={"site": "osaka"}),
            Probe(self.sentinel, "sentinel-1", "sentinel", self.collector, geo=geo, here=here("Tokyo")),
        ]

    def start(self):
        self.collector.start()
        self.visitors = self.office.start(sys.executable, TOP / "tests/lab/visitors.py",
                                          f"https://{ZONE}/", VISITORS, THINK_S, log="visitors",
                                          stdin=-1)
        for probe in self.probes:
            probe.start()

    def hijack(self):
        """Returns once the registry's servers say so."""
        self.registry.delegate(ZONE, {LOOKALIKE: []})

    def repair(self):
        """People repair it as they did: at the registry, and by making the resolver forget."""
        self.registry.delegate(ZONE, {GENUINE: []})
        self.resolver.forget(ZONE)

    def wait_for_edge(self, edge):
        wait_for(f"the resolver leads to {edge}",
                 lambda: answers(self.office, self.resolver.address, ZONE) == [edge], timeout=60, every=0.2)

    def service(self):
        """What the API says of it now, with absent figures as None."""
        found = [row for row in self.collector.api("services")["services"] if row["name"] == "exchange"]
        return found[0] if found else {}
