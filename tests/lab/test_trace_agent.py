#!/usr/bin/env python3
"""Traces by a probe that runs, as the collector has them.

What must hold: each round traces every service; the hops carry the names that the resolver knows, and a
router whose database says Amsterdam stands in Tokyo when its carrier's name for it says so and light
agrees; the first record has the names already; one flow after the other is traced; a round asks no router
faster than configured, though the first ones are the same for all services; a resolver that does not
answer holds up nothing.
"""
import json
import time

from astray import Collector, Probe
from internet import Hop, check, main, wait_for
from places import databases, here, place
from servers import Names

SERVICES = 12
ROUTER_RATE, ROUTER_BURST = 5, 6


def services():
    return [{"name": f"service-{n}", "addresses": [f"203.0.113.{n}"], "ports": [443]}
            for n in range(1, SERVICES + 1)]


def records(collector, service):
    """In the order in which they came."""
    stream = collector.folder / "stream"
    collector.export(stream)
    return [record for record in map(json.loads, stream.read_text().splitlines())
            if record["kind"] == "trace" and record["service"] == service]


def scenario(internet):
    tokyo = internet.host("tokyo", "198.51.100.2")
    office = internet.host("office", "198.51.100.80")
    dns = internet.host("dns", "198.51.100.53")
    internet.imaginary("there", "203.0.113.0/24", listens=True)
    for other in (office, dns):
        internet.path(tokyo, other, rtt_ms=1)
    internet.path(tokyo, "203.0.113.0/24", [Hop("192.0.2.1", 1), Hop("192.0.2.2", 2), Hop("192.0.2.3", 3)],
                  rtt_ms=6)
    names = Names(dns)
    names.serve("2.0.192.in-addr.arpa", "1 PTR gw.office.example.",
                "2 PTR ae-2.r24.tokyjp05.jp.bb.gin.ntt.net.", "3 PTR ae-2.r24.tokyjp05.jp.bb.gin.ntt.net.")
    tokyo.resolver(dns)
    geo = databases([place("192.0.2.1/32", "Tokyo", 64497, "Kanto Transit"),
                     place("192.0.2.2/32", "Amsterdam", 2914, "NTT"),
                     place("192.0.2.3/32", "Tokyo", 64499, "somebody else"),
                     place("203.0.113.0/24", "Osaka", 64500, "the service")])
    collector = Collector(office, services())
    probe = Probe(tokyo, "tyo-1", "sentinel", collector, geo=geo, here=here("Tokyo"), services=services(),
                  sources={"trace": {"interval": "4 s", "flows": 2, "queries": 1,
                                     "router_rate": ROUTER_RATE}})
    collector.start()
    internet.counters()
    probe.start()
    for n in range(1, SERVICES + 1):
        collector.wait(f"service-{n}", f"paths?service=service-{n}", lambda answer: answer["paths"])
    for n in range(1, SERVICES + 1):
        hops = records(collector, f"service-{n}")[0]["hops"]
        check(hops[0]["name"] == "gw.office.example", f"the name of hop 1: {hops[0]}")
        believed, doubted = hops[1]["place"], hops[2]["place"]
        check(believed["city"] == "Tokyo" and believed["source"] == "rdns", f"by its name: {believed}")
        check(doubted["source"] == "mmdb", f"a name of another's network says nothing: {doubted}")
    print("ok  hops carry their names, and stand where these say", flush=True)
    for ttl in (1, 2, 3):
        times = internet.arrivals(ttl)
        check(len(times) >= SERVICES, f"hop {ttl}: {len(times)} packets")
        for first, at in enumerate(times):
            within = sum(at <= other < at + 1 for other in times[first:])
            check(within <= ROUTER_RATE + ROUTER_BURST, f"hop {ttl}: {within} packets in one second")
    print("ok  no router is asked faster than it may be", flush=True)
    wait_for("the other flow", lambda: {r["flow"] for r in records(collector, "service-1")} == {0, 1})
    print("ok  flows take turns", flush=True)


def without_a_resolver(internet):
    """The same machine, when nobody answers its questions."""
    tokyo = internet.hosts["tokyo"]
    internet.no_path(tokyo, internet.hosts["dns"])
    collector = Collector(internet.host("office-2", "198.51.100.81"), services()[:1])
    internet.path(tokyo, collector.host, rtt_ms=1)
    probe = Probe(tokyo, "tyo-2", "sentinel", collector, services=services()[:1],
                  sources={"trace": {"interval": "30 s", "queries": 1}})
    collector.start()
    start = time.monotonic()
    probe.start()
    collector.wait("a trace without names", "paths?service=service-1", lambda answer: answer["paths"])
    check(time.monotonic() - start < 15, "a resolver that is away held it up")
    hops = records(collector, "service-1")[0]["hops"]
    check(len(hops) == 4 and not any(hop.get("name") for hop in hops), f"{hops}")
    print("ok  without a resolver paths have no names", flush=True)


def both(internet):
    scenario(internet)
    without_a_resolver(internet)


main(both)
