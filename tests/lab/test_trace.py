#!/usr/bin/env python3
"""Tracing against a path whose truth is programmed.

What must hold, with TCP, UDP and ICMP over IPv4 and IPv6: every hop is found with its address, its
MPLS labels, and a round trip within 1 ms of the program and never below it; a silent hop is an entry
without an address; one flow takes one of several equal ways, always the same, and other flows find the
others; a silent stretch before the destination does not hide it; a router's refusal ends the path
unreached; services that answer with data or accept a connection are
reached; forged answers count for nothing; two hundred destinations at once are as complete as one; no
more packets leave than --rate allows, nor more to one destination or to one router than allowed;
and without any privilege every protocol still finds all of it, by
the kernel's error queues.

Needs root, unshare, setpriv and /dev/net/tun; skips loudly (exit 77) without them.
"""
import contextlib
import json
import pathlib
import shutil
import socket
import sys
import tempfile
import time

import internet
from internet import check, program, tool, wait_for
from servers import Names

HERE4, HERE6 = "198.51.100.2", "2001:db8::2"
SERVICE4, SERVICE6 = "203.0.113.9", "2001:db8:ffff::9"
TOLERANCE_US = 1000
BURST, ROUTER_BURST = 32, 6
SYN_MARK_WINDOW = 24947
PING_GROUPS = pathlib.Path("/proc/sys/net/ipv4/ping_group_range")


def router(number, rtt_ms, ways=1, **more):
    """One of its ways for each flow, in both families."""
    return internet.Hop([f"192.0.2.{number + 16 * way}" for way in range(ways)]
                        + [f"2001:db8:{number:x}::{way + 1:x}" for way in range(ways)], rtt_ms, **more)


def ways_of(hop, version):
    return [address for address in hop.addresses if (":" in address) == (version == 6)]


class Network:
    """One machine, and a path from it to any destination."""

    def __init__(self, lab):
        self.lab, self.here = lab, lab.host("here", HERE4, HERE6)
        lab.imaginary("services", "203.0.113.0/24", "2001:db8:ffff::/64")

    def program(self, hops, rtt_ms, **more):
        for to in ("0.0.0.0/0", "::/0"):
            self.lab.path(self.here, to, hops, rtt_ms=rtt_ms, **more)
        self.lab.counters()

    def open_ping_sockets(self, groups):
        with self.here.entered():
            PING_GROUPS.write_text(groups)


def trace(network, *arguments):
    out = network.here.run(program("astray-probe"), "trace", "--json", "-n", *arguments)
    return [json.loads(line) for line in out.stdout.splitlines()]


def is_late(record, hops, rtt_ms):
    truth = [hop.rtt_ms * 1000 for hop in hops] + [rtt_ms * 1000]
    return any(seen["answered"] and seen["rtt_us"] - true >= TOLERANCE_US
               for seen, true in zip(record["hops"], truth))


def trace_on_time(network, hops, rtt_ms, *arguments):
    """One trace. A busy machine makes these routers late at times, so a late one is done again;
    eight in a row are the engine's fault."""
    for _ in range(8):
        record, = trace(network, *arguments)
        if not is_late(record, hops, rtt_ms):
            break
    return record


def service(version):
    return SERVICE4 if version == 4 else SERVICE6


def every_kind():
    for protocol in ("tcp", "udp", "icmp"):
        for version in (4, 6):
            yield protocol, version


def check_hop(where, seen, hop, version):
    if hop.silent:
        check(seen["answered"] == 0 and "address" not in seen and seen["sent"] > 0,
              f"{where}: a silent hop is an entry: {seen}")
        return
    check(seen.get("address") in ways_of(hop, version), f"{where}: {seen} is not {ways_of(hop, version)}")
    labels = [entry["label"] for entry in seen.get("mpls", [])]
    check(labels == list(hop.labels), f"{where}: labels {labels}, not {hop.labels}")
    over = seen["rtt_us"] - hop.rtt_ms * 1000
    check(0 <= over < TOLERANCE_US, f"{where}: {seen['rtt_us']} us, programmed {hop.rtt_ms} ms")


def check_path(where, record, hops, rtt_ms, version):
    check(record["reached"], f"{where}: not reached: {record}")
    seen = record["hops"]
    check([hop["ttl"] for hop in seen] == list(range(1, len(hops) + 2)), f"{where}: {seen}")
    for hop, entry in zip(hops, seen):
        check_hop(f"{where}, hop {entry['ttl']}", entry, hop, version)
    check(seen[-1]["address"] == record["peer"], f"{where}: the last is not the peer")
    over = seen[-1]["rtt_us"] - rtt_ms * 1000
    check(0 <= over < TOLERANCE_US, f"{where}: destination {seen[-1]['rtt_us']} us")


def every_hop_is_found_with_its_time_and_labels(network):
    hops = [router(1, 0.4), router(2, 1.5), router(3, 9, labels=(24001,)), router(4, 30, silent=True),
            router(5, 12), router(6, 25, labels=(16, 1048575, 3)), router(7, 60), router(8, 61, quote=28)]
    for protocol, version in every_kind():
        hops[7].quote = 28 if version == 4 else 48  # the least that is quoted
        network.program(hops, 62.5)
        record = trace_on_time(network, hops, 62.5, "--protocol", protocol, service(version))
        where = f"{protocol} over IPv{version}"
        check_path(where, record, hops, 62.5, version)
        check(record["protocol"] == protocol and record["peer"] == service(version), where)
        check(all(hop["answered"] == 3 for hop in record["hops"] if hop["ttl"] != 4),
              f"{where}: three answers each: {record['hops']}")


def one_flow_takes_one_way_and_others_find_the_others(network):
    hops = [router(1, 1), router(2, 2, ways=8), router(3, 3, ways=8), router(4, 4)]
    network.program(hops, 5)
    for protocol, version in every_kind():
        where = f"{protocol} over IPv{version}"
        ways = {}
        for flow in range(24):
            record, = trace(network, "--protocol", protocol, "--queries", "2", "--flow", str(flow),
                            service(version))
            check(record["flow"] == flow, f"{where}: the record says its flow")
            path = [hop.get("address") for hop in record["hops"]]
            check(len(path) == 5, f"{where}: one address each: {path}")
            ways[flow] = path
        again, = trace(network, "--protocol", protocol, "--flow", "7", service(version))
        check([hop.get("address") for hop in again["hops"]] == ways[7],
              f"{where}: the same flow takes the same way again")
        check(len({path[1] for path in ways.values()}) >= 6, f"{where}: flows differ: {ways}")


def a_silent_stretch_does_not_hide_the_destination(network):
    hops = [router(number, 2.5 * number, silent=16 <= number < 20) for number in range(1, 20)]
    network.program(hops, 50)
    start = time.monotonic()
    record = trace_on_time(network, hops, 50, "--queries", "1", SERVICE4)
    print(f"  20 hops of 50 ms, four of them silent: {time.monotonic() - start:.3f} s")
    check_path("silent stretch", record, hops, 50, 4)
    for hop in hops:
        hop.silent = False
    network.program(hops, 50)
    start = time.monotonic()
    record = trace_on_time(network, hops, 50, "--queries", "1", SERVICE4)
    print(f"  20 hops of 50 ms: {time.monotonic() - start:.3f} s")
    check_path("no silence", record, hops, 50, 4)


def a_refusal_ends_the_path_unreached(network):
    hops = [router(1, 1), router(2, 2), router(3, 3, refuses="admin")]
    network.program(hops, 9)
    for protocol, version in every_kind():
        record, = trace(network, "--protocol", protocol, "--queries", "1", service(version))
        check(not record["reached"], f"refused is not reached: {record}")
        found = [hop.get("address") for hop in record["hops"]]
        check(found == [ways_of(hop, version)[0] for hop in hops], f"it ends there: {found}")


ECHO = """
import socket
family, address = socket.AF_INET6 if ":" in "{0}" else socket.AF_INET, "{0}"
udp, tcp = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family)
udp.bind((address, 9999))
tcp.bind((address, 9999))
tcp.listen()
while True:
    udp.sendto(b"who is there?", udp.recvfrom(2000)[1])
"""


def services_that_answer_are_reached(network):
    """A name server, and one that says something to whatever it is sent; with and without privilege."""
    shop = network.lab.host("shop", "203.0.113.253", "2001:db8:ffff::253")
    hops = [router(1, 1), router(2, 2), router(3, 3)]
    network.program(hops, 4)
    for address in shop.addresses:
        network.lab.path(network.here, address, hops, rtt_ms=4)
        shop.start(sys.executable, "-c", ECHO.format(address), log="echo")
    dns = Names(shop, *shop.addresses)
    dns.serve("example")
    for address in shop.addresses:
        wait_for("the service", lambda: shop.run("ss", "-Hln", f"src [{address}]:9999").stdout.count("9999") == 2)
        for words in (("udp", 53), ("tcp", 53), ("udp", 9999), ("tcp", 9999)):
            arguments = ["--protocol", words[0], "--port", words[1], "--queries", "2", address]
            for way in (trace, nobody_s_trace):
                for _ in range(8):  # a busy machine makes the service late at times
                    seen, = way(network, *arguments)
                    if seen["hops"][-1]["answered"] == 2:
                        break
                where = f"{words} by {way.__name__}"
                found = [hop.get("address") for hop in seen["hops"]]
                truth = [ways_of(hop, 6 if ":" in address else 4)[0] for hop in hops] + [address]
                check(seen["reached"] and found == truth, f"{where}: {seen}")
                # Of data without a number the first answers cannot be told apart.
                check(seen["hops"][-1]["answered"] == 2 or words == ("udp", 9999), f"{where}: {seen}")


def forged_answers_count_for_nothing(network):
    hops = [router(1, 5), router(2, 6), router(3, 7)]
    for protocol, version in every_kind():
        network.program(hops, 8, forgers=["192.0.2.66", "2001:db8:bad::1"])
        record = trace_on_time(network, hops, 8, "--protocol", protocol, service(version))
        check_path(f"forged, {protocol} over IPv{version}", record, hops, 8, version)


def many_destinations_are_as_complete_as_one(network):
    hops = [router(number, number) for number in range(1, 10)]
    network.program(hops, 10)
    with tempfile.NamedTemporaryFile("w") as file:
        file.writelines(f"203.0.113.{i} service-{i}\n" for i in range(1, 201))
        file.flush()
        records = trace(network, "--queries", "1", "--max-ttl", "12", "--rate", "4000", "--targets",
                        file.name)
    check(sorted(r["service"] for r in records) == sorted(f"service-{i}" for i in range(1, 201)),
          "one record for each target")
    for record in records:
        check(record["reached"], f"{record['service']} is reached")
        found = [hop.get("address") for hop in record["hops"]]
        check(found == [ways_of(hop, 4)[0] for hop in hops] + [record["peer"]],
              f"{record['service']}: {found}")


def never_more_than(times, rate, burst, what):
    for first, at in enumerate(times):
        within = sum(at <= other < at + 1 for other in times[first:])
        check(within <= rate + burst, f"{what}: {within} packets in one second")


def no_more_leaves_than_the_rate(network):
    network.program([router(number, 1) for number in range(1, 10)], 2)
    rate = 200
    trace(network, "--queries", "1", "--max-ttl", "12", "--rate", str(rate),
          *[f"203.0.113.{i}" for i in range(1, 41)])
    times = network.lab.arrivals()
    check(400 <= len(times) <= 480, f"{len(times)} packets for 40 times 10 hops, and 2 beyond")
    never_more_than(times, rate, BURST, "in all")


def no_router_is_asked_beyond_its_rate(network):
    """All these destinations lie behind the same nine routers, and are still found whole."""
    hops = [router(number, 1) for number in range(1, 10)]
    network.program(hops, 2)
    records = trace(network, "--queries", "1", "--max-ttl", "10", "--rate", "5000", "--router-rate", "20",
                    *[f"203.0.113.{i}" for i in range(1, 41)])
    for record in records:
        check(all(hop["answered"] for hop in record["hops"]) and record["reached"], f"{record}")
    for ttl in range(1, 10):
        times = network.lab.arrivals(ttl)
        check(len(times) == 40, f"hop {ttl}: {len(times)} packets for 40 destinations")
        never_more_than(times, 20, ROUTER_BURST, f"hop {ttl}")


def no_destination_is_sent_more_than_its_rate(network):
    """However many flows of it are traced at once."""
    network.program([router(number, 1) for number in range(1, 30)], 2)
    trace(network, "--queries", "3", "--host-rate", "60", "--rate", "5000", SERVICE4)
    never_more_than(network.lab.arrivals(), 60, BURST, "to one destination")


def as_nobody(network, *arguments):
    """A trace by somebody without any privilege, and what it said."""
    out = network.here.run(tool("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups",
                           "--bounding-set", "-all", "--inh-caps", "-all", program("astray-probe"), "trace",
                           "--json", "-n", *arguments, check=False)
    return out.returncode, [json.loads(line) for line in out.stdout.splitlines()], out.stderr


def without_privilege_every_protocol_has_its_way(network):
    network.open_ping_sockets("0 2147483647")
    hops = [router(1, 1), router(2, 2, labels=(24001,)), router(3, 3), router(4, 4)]
    for protocol, version in every_kind():
        where = f"unprivileged {protocol} over IPv{version}"
        # The kernel of a connection keeps no more of an error than who and why.
        hops[1].labels = () if protocol == "tcp" else (24001,)
        for _ in range(8):
            network.program(hops, 5)
            code, records, told = as_nobody(network, "--protocol", protocol, service(version))
            check(code == 0 and len(records) == 1, f"{where}: {code} {told}")
            if not is_late(records[0], hops, 5):
                break
        check_path(where, records[0], hops, 5, version)
        check("without privilege" in told, f"{where}: it says so: {told}")


def syn_windows(packets):
    """Of the SYNs among packets as they are on the wire."""
    for packet in packets:
        tcp = packet[40:] if packet[0] >> 4 == 6 else packet[20:]
        protocol = packet[6] if packet[0] >> 4 == 6 else packet[9]
        if protocol == 6 and tcp[13] & 0x12 == 0x02:
            yield int.from_bytes(tcp[14:16], "big")


def nobody_s_traces_are_marked_as_no_user_s(network):
    """A meter on this machine takes a SYN with this window for a trace's, whoever sent it."""
    network.program([router(1, 1), router(2, 2)], 3)
    with network.here.entered():
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
        ear.bind(("net0", 0x0003))
    ear.settimeout(1)
    for version in (4, 6):
        code, _, told = as_nobody(network, "--protocol", "tcp", "--queries", "1", service(version))
        check(code == 0, told)
        heard = []
        with contextlib.suppress(TimeoutError):
            while True:
                heard.append(ear.recv(2000))
        windows = list(syn_windows(heard))
        check(len(windows) >= 3 and set(windows) == {SYN_MARK_WINDOW}, f"IPv{version}: {windows}")


def nobody_s_trace(network, *arguments):
    code, records, told = as_nobody(network, *arguments)
    check(code == 0, f"{arguments}: {told}")
    return records


def a_quote_of_eight_bytes_is_enough_without_privilege(network):
    network.open_ping_sockets("0 2147483647")
    hops = [router(1, 1, quote=28), router(2, 2, quote=28), router(3, 3, silent=True), router(4, 4, quote=28)]
    for protocol in ("icmp", "udp", "tcp"):
        network.program(hops, 5)
        code, records, told = as_nobody(network, "--protocol", protocol, "--queries", "1", SERVICE4)
        check(code == 0, told)
        found = [hop.get("address") for hop in records[0]["hops"]]
        truth = [None if hop.silent else ways_of(hop, 4)[0] for hop in hops] + [SERVICE4]
        check(found == truth, f"short quotes, {protocol}: {found}")


def without_ping_sockets_icmp_says_what_to_do(network):
    network.open_ping_sockets("1 0")
    code, records, told = as_nobody(network, "--protocol", "icmp", SERVICE4)
    check(code == 77 and "CAP_NET_RAW" in told and "ping_group_range" in told, f"{code} {told}")


def a_host_without_an_address_is_told_and_the_others_traced(network):
    network.program([router(1, 1)], 2)
    out = network.here.run(program("astray-probe"), "trace", "--json", "-n", "nowhere.invalid", SERVICE4,
                           check=False)
    check(out.returncode == 68 and "nowhere.invalid" in out.stderr, f"{out.returncode}")
    check(json.loads(out.stdout)["reached"], "the other one is traced")


def apart_from_the_rest_it_traces_and_says_what_it_lacks(network):
    network.program([router(1, 1)], 2)
    with tempfile.TemporaryDirectory(prefix="astray-apart-") as folder:
        apart = shutil.copy(program("astray-probe"), folder)
        out = network.here.run(apart, "trace", "--json", "-n", SERVICE4)
        check(json.loads(out.stdout)["reached"], "a trace needs no other program")
        out = network.here.run(apart, "check", "--help", check=False)
        check(out.returncode == 72 and "astray-probe-whole: No such file" in out.stderr,
              f"{out.returncode} {out.stderr}")


SCENARIOS = (
    every_hop_is_found_with_its_time_and_labels,
    one_flow_takes_one_way_and_others_find_the_others,
    a_silent_stretch_does_not_hide_the_destination,
    a_refusal_ends_the_path_unreached,
    services_that_answer_are_reached,
    forged_answers_count_for_nothing,
    many_destinations_are_as_complete_as_one,
    no_more_leaves_than_the_rate,
    no_router_is_asked_beyond_its_rate,
    no_destination_is_sent_more_than_its_rate,
    without_privilege_every_protocol_has_its_way,
    nobody_s_traces_are_marked_as_no_user_s,
    a_quote_of_eight_bytes_is_enough_without_privilege,
    without_ping_sockets_icmp_says_what_to_do,
    a_host_without_an_address_is_told_and_the_others_traced,
    apart_from_the_rest_it_traces_and_says_what_it_lacks,
)


def run(lab):
    network = Network(lab)
    for scenario in SCENARIOS:
        if len(sys.argv) > 1 and sys.argv[1] not in scenario.__name__:
            continue
        scenario(network)
        print(f"ok  {scenario.__name__.replace('_', ' ')}", flush=True)


internet.main(run)
