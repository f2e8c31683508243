#!/usr/bin/env python3
"""Every way to steal a name, and every harmless change that resembles one, played with real servers
and judged by the collector.

    names_attacks.py [--runs N] [--only WORD]…

A sentinel, a gateway and an employee's machine (its resolver cold) watch a zone (names_stage.py). In
each run each attack is made, and repaired when it has been told of, and each harmless change is left
standing for four rounds. What the probes printed meanwhile goes, with a calm while before it, through
`astray-collector replay`. An attack must be paged, and for its own reason, within two rounds of the
sentinel; a harmless change must raise nothing; and nobody is asked more than once a round and kind.
Prints a table; with VERBOSE=1 also what the collector said of an attack that it missed.

Needs root, nsd, unbound, nginx, openssl and ldns-signzone; skips loudly (exit 77) without them.
"""
import argparse
import collections
import json
import os
import subprocess
import time

from internet import RUN, Failed, check, main, program
from names_stage import (CDN, FAR, GENUINE, HIJACKER, LOOKALIKE, NEAR, NEIGHBOUR, OTHER, OWN, PROVIDER, REGISTRY,
                         ROUND, SECOND, WWW, ZONE, Questions, Stage, data, says)
from places import databases, place
from servers import answers

ROUNDS_ALLOWED, HARMLESS_ROUNDS = 2, 4
PATIENCE_S = 90  # of a busy machine
POLITE_ROUNDS = 10
LEARN_S = 8  # of calm before anything is strange; longer than what resolvers keep
VERBOSE = bool(os.environ.get("VERBOSE"))


class Judge:
    """astray-collector, fed with what was printed between two moments and told nothing else."""

    def __init__(self, stage):
        self.stage = stage
        self.config = RUN / "collector.json"
        geo = databases([place("203.0.113.0/25", "Tokyo", 64501, "Provider"),
                         place("203.0.113.128/25", "Amsterdam", 64999, "Elsewhere"),
                         place("198.51.100.0/24", "Tokyo", 64496, "Kanto Transit")])
        self.config.write_text(json.dumps({
            "listen": "127.0.0.1:8443", "data": str(RUN / "data"), "probes": [], "geo": geo,
            "services": [{"name": "exchange", "hosts": [ZONE, WWW], "zone": ZONE}],
            "judgement": {"gather": "0 s", "calm": "20 s", "learn_names": f"{LEARN_S} s"}}))
        self.introductions = [self.line(0, probe.name, {
            "kind": "hello", "at_us": 1, "version": "1", "role": probe.role, "labels": {"site": probe.name},
            "network": {"asn": 64496, "country": "JP"}}) for probe in stage.probes]
        self.before = []

    @staticmethod
    def line(rx_us, probe, obs):
        return {"rx_us": rx_us, "probe": probe, "boot": "b", "seq": 1} | obs

    def heard(self, start, end):
        return sorted((self.line(us, probe.name, obs) for probe in self.stage.probes
                       for at, us, obs in probe.lines if start <= at <= end and obs["kind"] != "hello"),
                      key=lambda line: line["rx_us"])

    def learn(self, start, end):
        self.before = self.heard(start, end)

    def incidents(self, start, end, announced=False):
        """What the collector says of it: with the lines between, after those of the calm."""
        lines = self.heard(start, end)
        first = self.before[0]["rx_us"]
        said = [line | {"rx_us": first, "at_us": first} for line in self.introductions]
        note = [self.line(lines[0]["rx_us"], "operator", {
            "kind": "maintenance", "at_us": lines[0]["rx_us"], "service": "exchange", "from_us": first,
            "until_us": lines[-1]["rx_us"] + 10**9, "note": "a planned move"})] if announced else []
        stream, out = RUN / "stream.ndjson", RUN / "incidents.ndjson"
        stream.write_text("".join(json.dumps(line) + "\n" for line in said + self.before + note + lines))
        done = subprocess.run([program("astray-collector"), "replay", "--config", self.config, "--incidents", out,
                               stream], capture_output=True, text=True)
        check(done.returncode == 0, f"replay: {done.stderr}{done.stdout}")
        return [json.loads(line) for line in out.read_text().splitlines()]


class Attack:
    """`words`: what must stand in the page beside its cause."""

    def __init__(self, name, cause, words, change, repair, cold=None):
        self.name, self.cause, self.words, self.change, self.repair, self.cold = (
            name, cause, words, change, repair, cold)


def attacks(stage):
    publish, serve = stage.registry.publish, stage.serve
    resolvers = (stage.resolver, stage.cold)

    def poison(name, address):
        for resolver in resolvers:
            resolver.control("local_data", f"{name} 5 IN A {address}")

    def cure():
        for resolver in resolvers:
            for name in (ZONE, WWW):
                resolver.control("local_data_remove", name)
            resolver.forget()

    def flicker():
        publish([LOOKALIKE])
        stage.told("it", lambda seen: says(seen, "parent", "NS", [LOOKALIKE]), time.monotonic(), PATIENCE_S)
        publish()

    return [
        Attack("lookalike", "name_server", [f"lookalike name server {LOOKALIKE}", '"061"'],
               lambda: publish([LOOKALIKE]), publish, cold=FAR),
        Attack("same provider", "name_server", [f"new name server {OTHER}", "another customer's"],
               lambda: publish([OTHER, OWN]), publish),
        Attack("one server of several", "name_server", [LOOKALIKE], lambda: publish([LOOKALIKE, OWN]), publish),
        Attack("MX only", "records", ["mail.evil.example"], lambda: serve(mail="mail.evil.example."), serve),
        Attack("glue only", "name_server", [f"{OWN} is {HIJACKER}"], lambda: publish(glue=HIJACKER), publish),
        Attack("DS removed", "records", ["no longer signed"], lambda: publish(ds=None), publish),
        Attack("flicker", "name_server", [LOOKALIKE], flicker, publish),
        Attack("poisoned resolver", "records", [FAR, "none of its name servers", "What: a resolver does not say"],
               lambda: poison(ZONE, FAR), cure),
        Attack("resolver lies nearby", "records", [f"a resolver lies: {NEIGHBOUR}"],
               lambda: poison(ZONE, NEIGHBOUR), cure),
        Attack("resolver drops an alias", "records", [FAR, "none of its name servers"], lambda: poison(WWW, FAR), cure),
        Attack("resolver drops one nearby", "records", [f"a resolver lies: {NEIGHBOUR}"],
               lambda: poison(WWW, NEIGHBOUR), cure),
        Attack("other issuer", "certificate", ["Other CA"],
               lambda: stage.shop.certify(stage.other_ca, days=90),
               lambda: stage.shop.certify(stage.usual_ca, days=90, age_days=70)),
    ]


def harmless(stage):
    publish, serve = stage.registry.publish, stage.serve

    def move():
        publish([OTHER, OWN])
        serve(address=FAR, mail="mx2")

    def back():
        publish()
        serve()

    def turn_over():
        for last in (11, 12, 13, 14):
            serve(address=f"203.0.113.{last}")
            time.sleep(ROUND)  # what a CDN's clock does, not an event

    def turn_edges_over():
        for last in (11, 12, 13, 14):
            stage.serve_edge(f"203.0.113.{last}")
            time.sleep(ROUND)

    def round_robin():
        serve(address=["203.0.113.10", "203.0.113.11", "203.0.113.12"])
        serve(address=["203.0.113.12", "203.0.113.10", "203.0.113.11"])

    return [
        ("announced move", move, back, True),
        ("renewal by the same issuer", lambda: stage.shop.certify(stage.usual_ca, days=90),
         lambda: stage.shop.certify(stage.usual_ca, days=90, age_days=70), False),
        ("CDN turnover in one AS", turn_over, serve, False),
        ("turnover at an alias's end", turn_edges_over, lambda: stage.serve_edge(NEAR), False),
        ("round robin", round_robin, serve, False),
        ("TTL drop before a move", lambda: serve(ttl=2), serve, False),
        ("other order and serial", lambda: publish([OWN, GENUINE]), publish, False),
    ]


def is_page(incident, attack):
    text = incident["title"] + incident["text"]
    return (incident["severity"] == "page" and attack.cause in incident["causes"]
            and all(word in text for word in attack.words))


def quiet(stage):
    """Until every probe sees what it always saw."""
    stage.calm()
    stage.cold.forget()
    start = time.monotonic()
    stage.employee.told("calm", lambda seen: says(seen, "resolver", "A", [NEAR])
                        and says(seen, "resolver", "A", [NEAR], name=WWW)
                        and says(seen, "resolver", "MX", [f"10 mx.{ZONE}"]), start, PATIENCE_S)
    stage.gateway.told("calm", lambda seen: any(
        o["kind"] == "check" and o.get("tls", {}).get("issuer") in ("CN=Usual CA", "CN = Usual CA")
        for o in seen), start, PATIENCE_S)


def rounds(stage, attack, start_us, end_us):
    """How many rounds of questions were begun since then: by whoever can see the attack."""
    probe = stage.gateway if attack.cause == "certificate" else stage.sentinel
    lines = [obs for _, us, obs in probe.lines if obs["at_us"] >= start_us and us <= end_us]
    if attack.cause == "certificate":
        return sum(o["kind"] == "check" for o in lines)
    # Silence is no answer: on a busy machine a question may be lost.
    lines = [o for o in lines if o["kind"] == "dns" and o["rcode"] == "NOERROR"]
    if "resolver" in attack.name:
        return sum((o["role"], o["type"], o["name"]) == ("resolver", "A", ZONE) for o in lines)
    if attack.cause == "records" and attack.name != "DS removed":
        counts = collections.Counter(o["server"] for o in lines if (o["role"], o["type"]) == ("authority", "SOA"))
        return max(counts.values(), default=0)
    # A round of the parent begins over UDP; the words over TCP, which have no round trip, confirm it.
    return sum((o["role"], o["type"]) == ("parent", "NS") and "rtt_us" in o for o in lines)


def play(stage, judge, attack):
    """(seconds, rounds) until the page, from the change; None: it did not come in time."""
    quiet(stage)
    stage.cold.forget()
    start, start_us = time.monotonic(), time.time_ns() // 1000
    attack.change()
    # The servers have it: from now on rounds are counted.
    if attack.name != "flicker":
        start_us = time.time_ns() // 1000
    page, over, end = None, False, time.monotonic() + PATIENCE_S
    while not page and not over:
        # Judged once more when the rounds are over: judging takes its time.
        over = (time.monotonic() > end
                or rounds(stage, attack, start_us, time.time_ns() // 1000) > ROUNDS_ALLOWED)
        now = time.monotonic()
        if judge.heard(start, now):
            page = next((i for i in judge.incidents(start, now) if is_page(i, attack)), None)
        with stage.sentinel.news:
            stage.sentinel.news.wait(0.25)
    needed = rounds(stage, attack, start_us, page["rx_us"]) if page else None
    took = ((page["rx_us"] - start_us) / 1e6, needed) if page and needed <= ROUNDS_ALLOWED else None
    followed = (answers(stage.laptop, stage.cold.address, ZONE, timeout=10) == [attack.cold] if attack.cold else None)
    kept = (answers(stage.office, stage.resolver.address, ZONE, timeout=10) == [NEAR] if attack.cold else None)
    if not took and VERBOSE:
        print(f"-- {attack.name}")
        for incident in judge.incidents(start, time.monotonic()):
            print(incident["severity"], incident["text"])
    attack.repair()
    return took, followed, kept


def leave(stage, judge, change, repair, announced):
    """The incidents that a harmless change raises in four rounds."""
    quiet(stage)
    start = time.monotonic()
    change()
    time_over = time.monotonic() + HARMLESS_ROUNDS * ROUND
    stage.told("rounds", lambda seen: time.monotonic() > time_over, start, 60)
    raised = judge.incidents(start, time.monotonic(), announced)
    repair()
    return raised


def politeness(stage):
    """What the sentinel asks in calm rounds, seen on its wire: one question a round of all the parent's
    servers together (NS, whose answer tells of DS), and of each of the zone's seven, and in each fifth
    round nine; and two to the servers of the name that one of them is an alias of."""
    quiet(stage)
    questions, start = Questions(stage.office), time.monotonic()
    time_over = start + POLITE_ROUNDS * ROUND
    stage.told("rounds", lambda seen: time.monotonic() > time_over, start, 60)
    seconds = time.monotonic() - start
    questions.close()
    parent = sum(questions.count[server] for server in REGISTRY)
    zone = [questions.count[server] for server in (PROVIDER, SECOND)]
    print(f"\nin {seconds:.0f} s of rounds of {ROUND:.0f} s: {parent} questions to the parent's servers, "
          f"{zone[0]} and {zone[1]} to the zone's, {questions.count[CDN]} to an alias's")
    most = seconds / (0.8 * ROUND) + 1
    check(0 < parent <= most, f"{parent} questions to the parent in at most {most:.0f} rounds")
    edge = questions.count[CDN]
    check(0 < edge <= 2 * most, f"{edge} questions to the alias's servers in at most {most:.0f} rounds")
    most = 7 * most + 2 * (most / 5 + 1)
    check(all(0 < asked <= most for asked in zone), f"{zone} questions to the zone's servers, not {most:.0f}")


class Table:
    def __init__(self):
        self.rows = collections.OrderedDict()

    def add(self, name, took):
        self.rows.setdefault(name, []).append(took)

    def show(self):
        print(f"\n{'attack':26}{'paged within two rounds':>24}{'in the first':>14}{'median s':>10}{'worst s':>9}")
        for name, times in self.rows.items():
            told = sorted(t for t in times if t is not None)
            first = sum(needed <= 1 for _, needed in told)
            print(f"{name:26}{f'{len(told)} of {len(times)}':>24}{first:>14}" + (
                f"{told[len(told) // 2][0]:>10.1f}{told[-1][0]:>9.1f}" if told else ""), flush=True)


def run(internet, runs, only):
    stage = Stage(internet, cold=True)
    judge, table, wrong = Judge(stage), Table(), []
    followed, kept, cold_runs = 0, 0, 0
    quiet(stage)
    start = time.monotonic()
    stage.told("a calm while", lambda seen: time.monotonic() > start + LEARN_S + 3 * ROUND, start, 60)
    judge.learn(start, time.monotonic())
    check(judge.incidents(start, time.monotonic()) == [], "calm raises nothing")

    if not only:
        politeness(stage)

    def chosen(name):
        return not only or any(word in name for word in only)
    raised = collections.OrderedDict()
    for number in range(runs):
        for attack in filter(lambda attack: chosen(attack.name), attacks(stage)):
            took, follows, keeps = play(stage, judge, attack)
            table.add(attack.name, took)
            if attack.cold:
                followed, kept, cold_runs = followed + follows, kept + keeps, cold_runs + 1
            if took is None:
                wrong.append(f"run {number + 1}: {attack.name} was not paged")
                print(wrong[-1], flush=True)
        for name, change, repair, announced in harmless(stage):
            if not chosen(name):
                continue
            incidents = leave(stage, judge, change, repair, announced)
            raised.setdefault(name, []).append(len(incidents))
            if incidents:
                wrong.append(f"run {number + 1}: {name} raised {incidents[0]['title']}")
                print(wrong[-1], flush=True)
    table.show()
    print(f"\n{'harmless change':30}{'raised':>8}")
    for name, counts in raised.items():
        print(f"{name:30}{sum(count > 0 for count in counts):>3} of {len(counts)}")
    if cold_runs:
        print(f"\nthe cold resolver followed the lookalike {followed} of {cold_runs} times, "
              f"the warm one kept the truth {kept} of {cold_runs}")
    if wrong:
        raise Failed("; ".join(wrong))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", action="append", default=[])
    words = parser.parse_args()
    main(run, words.runs, words.only)
