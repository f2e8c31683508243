#!/usr/bin/env python3
"""The lab's internet itself, seen by ordinary tools: nothing here knows of astray.

What must hold: ping and TCP see the programmed round trip within 1 ms, over IPv4 and IPv6; a
traceroute sees every programmed router, silence where silence is programmed, and the destination; a
path that is programmed again is another one at once, also for a connection that is open; labels, NAT, equal ways,
refusals, loops, narrow links and loss are as programmed; a router's budget of answers is kept; a thousand packets a second are late by less than
1 ms in 99 of 100.

Needs root, ping and traceroute; skips loudly (exit 77) without them.
"""
import contextlib
import re
import select
import socket
import statistics
import threading
import time

from internet import Hop, check, main, tool

SHOP4, SHOP6 = "203.0.113.10", "2001:db8:ffff::10"
IP_RECVERR = 11
NEAR = [Hop(["192.0.2.1", "2001:db8:9::1"], 0.4), Hop(["192.0.2.2", "2001:db8:9::2"], 2, silent=True),
        Hop(["192.0.2.3", "2001:db8:9::3"], 5)]
FAR = [NEAR[0], Hop("192.0.2.66", 120), Hop("192.0.2.67", 238)]


def pings(host, to, count=10):
    out = host.run(tool("ping"), "-n", "-c", count, "-i", "0.02", "-W", "3", to, check=False).stdout
    return [float(rtt) for rtt in re.findall(r"time=([\d.]+) ms", out)]


def hops(host, to):
    out = host.run(tool("traceroute"), "-n", "-q", "1", "-w", "0.6", to).stdout
    return [line.split()[1] for line in out.splitlines()[1:]]


def ping_sees_the_programmed_round_trip(internet, tokyo, _shop):
    for to in (SHOP4, SHOP6):
        seen = pings(tokyo, to)
        print(f"  {to}: programmed 12 ms, seen {min(seen)} to {max(seen)}, median {statistics.median(seen)}")
        check(len(seen) == 10 and min(seen) >= 12 and statistics.median(seen) < 13, f"{to}: {seen}")


def traceroute_sees_every_router(internet, tokyo, _shop):
    check(hops(tokyo, SHOP4) == ["192.0.2.1", "*", "192.0.2.3", SHOP4], hops(tokyo, SHOP4))
    check(hops(tokyo, SHOP6) == ["2001:db8:9::1", "*", "2001:db8:9::3", SHOP6], hops(tokyo, SHOP6))


def the_way_back_has_the_same_routers(internet, _tokyo, shop):
    check(hops(shop, "198.51.100.2") == ["192.0.2.3", "*", "192.0.2.1", "198.51.100.2"],
          hops(shop, "198.51.100.2"))


def echo(shop):
    with shop.entered():
        listener = socket.create_server((SHOP4, 7))

    def serve(client):
        while data := client.recv(100):
            client.sendall(data)

    def accept():
        while True:
            threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def a_connection_follows_the_path_that_is_programmed_now(internet, tokyo, shop):
    echo(shop)

    def exchange():
        start = time.monotonic()
        client.sendall(b"hello")
        check(client.recv(100) == b"hello", "the echo")
        return (time.monotonic() - start) * 1000

    connects = []
    with tokyo.entered():
        for _ in range(5):
            start = time.monotonic()
            client = socket.create_connection((SHOP4, 7), timeout=5)
            connects.append((time.monotonic() - start) * 1000)
    connect = min(connects)
    near = min(exchange() for _ in range(5))
    internet.path(tokyo, shop, FAR, rtt_ms=240)
    far = min(exchange() for _ in range(3))
    print(f"  connect {connect:.2f} ms, exchange {near:.2f} ms, then {far:.2f} ms")
    check(12 <= connect < 15 and 12 <= near < 13, f"{connect} {near}")
    check(240 <= far < 241, f"{far}")
    check(hops(tokyo, SHOP4) == ["192.0.2.1", "192.0.2.66", "192.0.2.67", SHOP4], "the new hops")


def a_nat_hides_who_asks(internet, tokyo, shop):
    internet.path(tokyo, shop, [Hop("192.0.2.1", 1), Hop("192.0.2.2", 2, nat="198.51.100.99", tos=32)],
                  rtt_ms=3)
    with shop.entered():
        listener = socket.create_server((SHOP4, 9))
    with tokyo.entered():
        client = socket.create_connection((SHOP4, 9), timeout=5)
    server, (seen, _) = listener.accept()
    check(seen == "198.51.100.99", f"the server sees {seen}")
    server.sendall(b"and back")
    check(client.recv(100) == b"and back", "what the server says comes back through it")
    for done in (client, server, listener):
        done.close()
    check(len(pings(tokyo, SHOP4, 3)) == 3, "so does a ping")


def labels_are_told(internet, tokyo, shop):
    internet.path(tokyo, shop, [Hop(["192.0.2.1", "2001:db8:9::1"], 1, labels=(16, 1048575, 3)),
                                Hop(["192.0.2.2", "2001:db8:9::2"], 2, labels=(24001,), bare_extension=True)],
                  rtt_ms=3)
    for to in (SHOP4, SHOP6):
        out = tokyo.run(tool("traceroute"), "-n", "-e", "-q", "1", to).stdout
        check("MPLS:L=16,E=0,S=0,T=1/L=1048575,E=0,S=0,T=1/L=3,E=0,S=1,T=1" in out, f"the stack: {out}")
        check(to == SHOP6 or "MPLS:L=24001,E=0,S=1,T=1" in out, f"the old form: {out}")


def who_expires(tokyo, sport, count=1):
    """The routers whose time exceeded comes for UDP packets of one flow that live two hops."""
    with tokyo.entered():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        sender.bind(("198.51.100.2", sport))
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 2)
        sender.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        seen = []
        for _ in range(count):
            with contextlib.suppress(OSError):  # what came meanwhile is told by the next call, too
                sender.sendto(b"hello", (SHOP4, 33434))
            readable, deadline = select.poll(), time.monotonic() + 2
            readable.register(sender, 0)
            while time.monotonic() < deadline and not readable.poll(100):
                pass
            _, ancillary, _, _ = sender.recvmsg(100, 200, socket.MSG_ERRQUEUE)
            seen.append(socket.inet_ntoa(ancillary[0][2][20:24]))
        return seen


def equal_ways_are_taken_by_flow_or_by_packet(internet, tokyo, shop):
    ways = [f"192.0.2.{number}" for number in range(16, 20)]
    path = [Hop("192.0.2.1", 0.5), Hop(ways, 1)]
    internet.path(tokyo, shop, path, rtt_ms=2)
    flows = [who_expires(tokyo, sport, 3) for sport in range(40000, 40032)]
    check(all(len(set(flow)) == 1 for flow in flows), f"a flow keeps its way: {flows}")
    check({flow[0] for flow in flows} == set(ways), f"flows take all of them: {flows}")
    internet.path(tokyo, shop, path, rtt_ms=2, balance_packets=True)
    check(len(set(who_expires(tokyo, 41000, 32))) == 4, "packets of one flow take all of them")
    internet.path(tokyo, shop, routes=[path, path[:1] + [Hop("192.0.2.99", 1), Hop("192.0.2.98", 1)]], rtt_ms=2)
    check(len({who_expires(tokyo, sport)[0] for sport in range(42000, 42064)}) == 5, "rows of hops as well")


def refusals_loops_and_narrow_links_are_told(internet, tokyo, shop):
    internet.path(tokyo, shop, [Hop("192.0.2.1", 1), Hop("192.0.2.2", 2, refuses="admin")], rtt_ms=3)
    check("!X" in tokyo.run(tool("traceroute"), "-n", "-q", "1", SHOP4).stdout, "prohibited")
    internet.path(tokyo, shop, [Hop("192.0.2.1", 1), Hop("192.0.2.2", 2), Hop("192.0.2.3", 3)], rtt_ms=4, loops_to=2)
    seen = hops(tokyo, SHOP4)[:6]
    check(seen == ["192.0.2.1", *["192.0.2.2", "192.0.2.3"] * 2, "192.0.2.2"], f"a loop: {seen}")
    internet.path(tokyo, shop, [Hop("192.0.2.1", 1), Hop("192.0.2.2", 2, mtu=1400)], rtt_ms=3)
    out = tokyo.run(tool("ping"), "-n", "-c", "1", "-M", "do", "-s", "1400", SHOP4, check=False).stdout
    check("mtu = 1400" in out or "mtu=1400" in out, f"the narrow link: {out}")


def loss_is_as_programmed(internet, tokyo, shop):
    internet.path(tokyo, shop, NEAR, rtt_ms=1, loss=0.2)
    out = tokyo.run(tool("ping"), "-n", "-q", "-c", "400", "-i", "0.005", "-W", "1", SHOP4, check=False)
    lost = 100 - 100 * int(re.search(r"(\d+) received", out.stdout).group(1)) / 400
    print(f"  programmed 20 % each way, so 36 %: {lost:.0f} % of 400 lost")
    check(26 < lost < 46, f"{lost}")


def a_budget_of_answers_is_kept(internet, tokyo, shop):
    internet.path(tokyo, shop, [Hop("192.0.2.1", 1, answers_per_s=10, burst=5)], rtt_ms=2)
    internet.counters()
    out = tokyo.run(tool("ping"), "-n", "-t", "1", "-c", "200", "-i", "0.01", SHOP4, check=False).stdout
    answers, arrivals = out.count("Time to live exceeded"), internet.arrivals()
    most = 5 + 10 * (arrivals[-1] - arrivals[0])
    print(f"  {len(arrivals)} packets to a router that may answer {most:.1f} of them: {answers}")
    check(len(arrivals) == 200 and most - 1 <= answers <= most, f"{answers}")


def a_thousand_packets_a_second_are_on_time(internet, tokyo, shop):
    internet.path(tokyo, shop, NEAR, rtt_ms=20)
    internet.counters()
    out = tokyo.run(tool("ping"), "-n", "-q", "-c", "3000", "-i", "0.001", SHOP4).stdout
    counters = internet.counters()
    print(f"  {out.splitlines()[-1]}\n  {counters}")
    check(counters["late_p99_us"] < 1000, f"late: {counters}")
    check(counters["overflowed"] + counters["failed"] + counters["unroutable"] == 0, f"{counters}")


SCENARIOS = (
    ping_sees_the_programmed_round_trip,
    traceroute_sees_every_router,
    the_way_back_has_the_same_routers,
    a_connection_follows_the_path_that_is_programmed_now,
    a_nat_hides_who_asks,
    labels_are_told,
    equal_ways_are_taken_by_flow_or_by_packet,
    refusals_loops_and_narrow_links_are_told,
    loss_is_as_programmed,
    a_budget_of_answers_is_kept,
    a_thousand_packets_a_second_are_on_time,
)


def run(internet):
    tokyo = internet.host("tokyo", "198.51.100.2", "2001:db8:1::2", owns=["198.51.100.99"])
    shop = internet.host("shop", SHOP4, SHOP6)
    internet.path(tokyo, shop, NEAR, rtt_ms=12)
    for scenario in SCENARIOS:
        scenario(internet, tokyo, shop)
        print(f"ok  {scenario.__name__.replace('_', ' ')}", flush=True)


main(run)
