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
import json
import socket
import struct
import threading
import time

from internet import check, main, program, wait_for
from names_stage import (DS, FAR, GENUINE, HIJACKER, LOOKALIKE, NEAR, OFFICE, OTHER, OWN, PROVIDER, PROVIDER_ZONE,
                         REGISTRY, ROOT, ROUND, SECOND, TWO_ROUNDS, ZONE, Stage, asked, by_both, data, says)


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
    told = [o for _, _, o in stage.sentinel.lines if o["kind"] == "registry" and o["domain"] == ZONE]
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
    stage.sentinel.process.terminate()
    check(stage.sentinel.process.wait(5) == 0, f"the probe ended with {stage.sentinel.process.returncode}")


main(run)
