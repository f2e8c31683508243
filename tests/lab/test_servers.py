#!/usr/bin/env python3
"""The lab's servers, seen by ordinary tools: nothing here knows of astray.

What must hold: curl trusts the lab's certificates where it is told to, and nginx logs its request; a
delegation leads a resolver from the root to the provider's answer; when it moves to a hijacker, a cold
resolver follows at once, a warm one keeps what it knows until it is made to forget.

Needs root, nginx, nsd, unbound, openssl and curl; skips loudly (exit 77) without them.
"""
from internet import Hop, check, main, tool
from servers import Authority, Names, Registry, Resolver, Web, answers, ask, trust

GENUINE, LOOKALIKE = "ns-1515.awsdns-61.org", "ns-1515.awsdns-061.org"
NEAR, FAR = "203.0.113.10", "203.0.113.130"


class Stage:
    def __init__(self, internet):
        self.office = internet.host("office", "198.51.100.10")
        registry = internet.host("registry", "198.51.100.53", "198.51.100.54")
        provider, hijacker = (internet.host(name, address) for name, address in (
            ("provider", "203.0.113.53"), ("hijacker", "203.0.113.153")))
        shop = internet.host("shop", NEAR, FAR)
        warm, cold = internet.host("warm", "198.51.100.5"), internet.host("cold", "198.51.100.6")
        for origin in (self.office, warm, cold):
            internet.path(origin, "0.0.0.0/0", [Hop("192.0.2.1", 0.3)], rtt_ms=1)
        self.authority = Authority("Lab CA")
        self.web = Web(shop, self.authority, ["exchange.example", "*.exchange.example"])
        self.registry = Registry(registry, ["example", "org"], ttl=600)
        self.provider, self.hijacker = Names(provider), Names(hijacker)
        for names, server, address in ((self.provider, GENUINE, NEAR), (self.hijacker, LOOKALIKE, FAR)):
            names.serve("exchange.example", f"@ NS {server}.", f"@ A {address}", "@ MX 10 mx")
            names.serve(server.partition(".")[2], f"@ NS {server}.", f"{server}. A {names.address}")
            self.registry.delegate(server.partition(".")[2], {server: [names.address]})
        self.registry.delegate("exchange.example", {GENUINE: []})
        self.warm, self.cold = Resolver(warm, self.registry), Resolver(cold, self.registry)


def curl_trusts_and_nginx_logs(stage):
    stage.office.resolver(stage.warm)
    distrusted = stage.office.run(tool("curl"), "-s", "https://exchange.example/health", check=False)
    check(distrusted.returncode == 60, f"curl trusts nobody: {distrusted.returncode}")
    trust(stage.office, stage.authority)
    check(stage.office.run(tool("curl"), "-s", "https://exchange.example/health").stdout == "ok\n", "ok")
    check(stage.web.requests()[-1][2:] == ["exchange.example", "GET", "/health", "200"],
          stage.web.requests())


def another_authority_is_seen_at_once(stage):
    stage.web.certify(Authority("Another CA"))
    done = stage.office.run(tool("curl"), "-s", "https://exchange.example/health", check=False)
    check(done.returncode == 60, f"curl does not know it: {done.returncode}")
    stage.web.certify(stage.authority)


def resolvers_follow_the_delegation(stage):
    stage.warm.warm("exchange.example")
    stage.registry.delegate("exchange.example", {LOOKALIKE: []})
    referral = ask(stage.office, stage.registry.address, "exchange.example", "NS", recursion=False)
    check(("authority", "exchange.example", "NS", LOOKALIKE, 600) in referral, f"{referral}")
    seen = [answers(stage.office, resolver.address, "exchange.example")
            for resolver in (stage.cold, stage.warm)]
    check(seen == [[FAR], [NEAR]], f"cold, warm: {seen}")
    stage.warm.forget("exchange.example")
    check(answers(stage.office, stage.warm.address, "exchange.example") == [FAR], "forgotten")
    check(answers(stage.office, stage.cold.address, "exchange.example", "MX") == ["10 mx.exchange.example"],
          "MX")


def run(internet):
    stage = Stage(internet)
    for scenario in (curl_trusts_and_nginx_logs, another_authority_is_seen_at_once,
                     resolvers_follow_the_delegation):
        scenario(stage)
        print(f"ok  {scenario.__name__.replace('_', ' ')}", flush=True)


main(run)
