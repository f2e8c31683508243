#!/usr/bin/env python3
"""Tracing against a path whose truth is programmed.

Packets really leave: a TUN device in a network namespace without uplink, behind which this script
plays the routers and the destinations. What must hold, with TCP, UDP and ICMP over IPv4 and IPv6:
every hop is found with its address, its MPLS labels, and a round trip within 1 ms of the program
and never below it; a silent hop is an entry without an address; one flow takes one of several equal
ways, always the same, and other flows find the others; a silent stretch before the destination does
not hide it; a router's refusal ends the path unreached; forged answers count for nothing; two
hundred destinations at once are as complete as one; no more packets leave than --rate allows; and without any
privilege every protocol still finds all of it, by the kernel's error queues.

Needs root, unshare and /dev/net/tun; skips loudly (exit 77) without them.
"""
import fcntl
import heapq
import ipaddress
import json
import os
import pathlib
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

HERE4, HERE6 = "198.51.100.2", "2001:db8::2"
SERVICE4, SERVICE6 = "203.0.113.9", "2001:db8:ffff::9"
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
EXPIRED, REFUSED = {4: (11, 0), 6: (3, 0)}, {4: (3, 13), 6: (1, 1)}
PORT_CLOSED = {4: (3, 3), 6: (1, 4)}
TOLERANCE_US = 1000
BURST = 32
PING_GROUPS = pathlib.Path("/proc/sys/net/ipv4/ping_group_range")


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


class Packet:
    """What was sent: as much of it as a router looks at."""

    def __init__(self, data):
        self.data = data
        self.version = data[0] >> 4
        if self.version == 4:
            self.protocol, self.ttl, at = data[9], data[8], 20
            self.source, self.to = (ipaddress.ip_address(data[i:i + 4]) for i in (12, 16))
        else:
            self.protocol, self.ttl, at = data[6], data[7], 40
            self.source, self.to = (ipaddress.ip_address(data[i:i + 16]) for i in (8, 24))
        self.body = data[at:]
        self.flow = zlib.crc32(self.source.packed + self.to.packed + bytes([self.protocol])
                               + self.body[:4])

    def answer(self, source, protocol, body):
        """A packet back to the sender; body as a function of its checksum's start."""
        source = ipaddress.ip_address(source)
        pseudo = source.packed + self.source.packed + struct.pack(">IxxxB", len(body), protocol)
        at = 16 if protocol == TCP else 2
        total = checksum(body if protocol == ICMP else self.pseudo4(pseudo, body, protocol) + body)
        body = body[:at] + struct.pack(">H", total) + body[at + 2:]
        if self.version == 6:
            return (struct.pack(">IHBB", 6 << 28, len(body), protocol, 64) + source.packed
                    + self.source.packed + body)
        head = (struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0)
                + source.packed + self.source.packed)
        return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body

    def pseudo4(self, pseudo, body, protocol):
        if self.version == 6:
            return pseudo
        return pseudo[:8] + struct.pack(">BBH", 0, protocol, len(body))

    def error(self, source, kind, labels=(), quote=None):
        """An ICMP error that quotes this packet, with MPLS labels behind it (RFC 4950)."""
        quoted, length = self.data[:quote] if quote else self.data, 0
        if labels:
            quoted = quoted[:128].ljust(128, b"\0")
            length = 128 // (4 if self.version == 4 else 8)
            stack = b"".join(struct.pack(">I", label << 12 | (i == len(labels) - 1) << 8 | 1)
                             for i, label in enumerate(labels))
            extension = struct.pack(">BxHHBB", 0x20, 0, 4 + len(stack), 1, 1) + stack
            quoted += extension[:2] + struct.pack(">H", checksum(extension)) + extension[4:]
        rest = struct.pack(">BBxx", length if self.version == 6 else 0,
                           length if self.version == 4 else 0)
        return self.answer(source, ICMP if self.version == 4 else ICMP6,
                           bytes(kind) + b"\0\0" + rest + quoted)

    def arrival(self):
        """What a destination with a closed port answers."""
        if self.protocol == UDP:
            return self.error(self.to, PORT_CLOSED[self.version])
        if self.protocol == TCP:
            ports = struct.unpack(">HHI", self.body[:8])
            return self.answer(self.to, TCP, struct.pack(">HHIIBBHHH", ports[1], ports[0], 0,
                                                         ports[2] + 1 & 0xFFFFFFFF, 0x50, 0x14,
                                                         0, 0, 0))
        kind = 0 if self.version == 4 else 129
        return self.answer(self.to, self.protocol, bytes([kind, 0, 0, 0]) + self.body[4:])


class Hop:
    def __init__(self, number, rtt_ms, ways=1, silent=False, labels=(), refuses=False, quote=None):
        self.rtt_us = int(rtt_ms * 1000)
        self.ways = {4: [f"192.0.2.{number + 16 * way}" for way in range(ways)],
                     6: [f"2001:db8:{number:x}::{way + 1:x}" for way in range(ways)]}
        self.silent, self.labels, self.refuses, self.quote = silent, labels, refuses, quote

    def address(self, packet):
        ways = self.ways[packet.version]
        return ways[packet.flow % len(ways)]


class Network(threading.Thread):
    """Routers and destinations behind a TUN device; every address is a destination."""

    def __init__(self):
        super().__init__(daemon=True)
        self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tun, 0x400454CA, struct.pack("16sH22x", b"path0", 0x1001))
        for command in (["link", "set", "lo", "up"], ["link", "set", "path0", "up"],
                        ["address", "add", f"{HERE4}/32", "dev", "path0"],
                        ["address", "add", f"{HERE6}/128", "dev", "path0", "nodad"],
                        ["route", "add", "default", "dev", "path0", "src", HERE4],
                        ["-6", "route", "add", "default", "dev", "path0", "src", HERE6]):
            subprocess.run(["ip", *command], check=True)
        self.hops, self.rtt_us, self.forging = [], 0, False
        self.due, self.arrivals, self.count = [], [], 0
        self.start()

    def program(self, hops, rtt_ms, forging=False):
        self.hops, self.rtt_us, self.forging = hops, int(rtt_ms * 1000), forging
        self.arrivals = []

    def run(self):
        while True:
            wait = max(0, self.due[0][0] - time.monotonic()) if self.due else None
            if select.select([self.tun], [], [], wait)[0]:
                self.take(os.read(self.tun, 2048), time.monotonic())
            while self.due and self.due[0][0] <= time.monotonic():
                os.write(self.tun, heapq.heappop(self.due)[2])

    def take(self, data, now):
        packet = Packet(data)
        if packet.to.is_multicast or packet.protocol not in (TCP, UDP, ICMP, ICMP6):
            return
        if packet.protocol == TCP and packet.body[13] != 2:
            return  # the kernel's own RSTs
        self.arrivals.append(now)
        if self.forging:
            self.forge(packet, now)
        for number, hop in enumerate(self.hops, 1):
            if hop.refuses or number == packet.ttl:
                if not hop.silent:
                    kind = REFUSED if hop.refuses else EXPIRED
                    self.send(now, hop.rtt_us, packet.error(hop.address(packet),
                              kind[packet.version], hop.labels, hop.quote))
                return
        self.send(now, self.rtt_us, packet.arrival())

    def forge(self, packet, now):
        """Answers to probes that were never sent, sooner than the true ones."""
        at = len(packet.data) - len(packet.body)
        where = 6 if packet.protocol == UDP else 7
        changed = bytearray(packet.data)
        changed[at + where] ^= 0x55
        if packet.version == 4:
            changed[4] ^= 0x55  # the id stands here too
        changed[at + 4 if packet.protocol == TCP else at + where - 1] ^= 0xA5
        liar = "192.0.2.66" if packet.version == 4 else "2001:db8:bad::1"
        self.send(now, 0, Packet(bytes(changed)).error(liar, EXPIRED[packet.version]))

    def send(self, now, after_us, data):
        self.count += 1
        heapq.heappush(self.due, (now + after_us / 1e6, self.count, data))


def trace(*arguments):
    out = subprocess.run([PROBE, "trace", "--json", "-n", *arguments], capture_output=True, text=True,
                         timeout=60)
    check(out.returncode == 0, f"trace {' '.join(arguments)}: {out.returncode}: {out.stderr}")
    return [json.loads(line) for line in out.stdout.splitlines()]


def is_late(record, hops, rtt_ms):
    truth = [hop.rtt_us for hop in hops] + [rtt_ms * 1000]
    return any(seen["answered"] and seen["rtt_us"] - true >= TOLERANCE_US
               for seen, true in zip(record["hops"], truth))


def trace_on_time(hops, rtt_ms, *arguments):
    """One trace. A busy machine makes these routers late at times, so a late one is done again;
    eight in a row are the engine's fault."""
    for _ in range(8):
        record, = trace(*arguments)
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
    check(seen.get("address") in hop.ways[version], f"{where}: {seen} is not {hop.ways[version]}")
    labels = [entry["label"] for entry in seen.get("mpls", [])]
    check(labels == list(hop.labels), f"{where}: labels {labels}, not {hop.labels}")
    over = seen["rtt_us"] - hop.rtt_us
    check(0 <= over < TOLERANCE_US, f"{where}: {seen['rtt_us']} us, programmed {hop.rtt_us}")


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
    hops = [Hop(1, 0.4), Hop(2, 1.5), Hop(3, 9, labels=(24001,)), Hop(4, 30, silent=True),
            Hop(5, 12), Hop(6, 25, labels=(16, 1048575, 3)), Hop(7, 60), Hop(8, 61, quote=28)]
    for protocol, version in every_kind():
        hops[7].quote = 28 if version == 4 else 48  # the least that is quoted
        network.program(hops, 62.5)
        record = trace_on_time(hops, 62.5, "--protocol", protocol, service(version))
        where = f"{protocol} over IPv{version}"
        check_path(where, record, hops, 62.5, version)
        check(record["protocol"] == protocol and record["peer"] == service(version), where)
        check(all(hop["answered"] == 3 for hop in record["hops"] if hop["ttl"] != 4),
              f"{where}: three answers each: {record['hops']}")


def one_flow_takes_one_way_and_others_find_the_others(network):
    hops = [Hop(1, 1), Hop(2, 2, ways=8), Hop(3, 3, ways=8), Hop(4, 4)]
    network.program(hops, 5)
    for protocol, version in every_kind():
        where = f"{protocol} over IPv{version}"
        ways = {}
        for flow in range(24):
            record, = trace("--protocol", protocol, "--queries", "2", "--flow", str(flow),
                            service(version))
            check(record["flow"] == flow, f"{where}: the record says its flow")
            path = [hop.get("address") for hop in record["hops"]]
            check(len(path) == 5, f"{where}: one address each: {path}")
            ways[flow] = path
        again, = trace("--protocol", protocol, "--flow", "7", service(version))
        check([hop.get("address") for hop in again["hops"]] == ways[7],
              f"{where}: the same flow takes the same way again")
        check(len({path[1] for path in ways.values()}) >= 6, f"{where}: flows differ: {ways}")


def a_silent_stretch_does_not_hide_the_destination(network):
    hops = [Hop(number, 2.5 * number, silent=16 <= number < 20) for number in range(1, 20)]
    network.program(hops, 50)
    start = time.monotonic()
    record = trace_on_time(hops, 50, "--queries", "1", SERVICE4)
    print(f"  20 hops of 50 ms, four of them silent: {time.monotonic() - start:.3f} s")
    check_path("silent stretch", record, hops, 50, 4)
    for hop in hops:
        hop.silent = False
    start = time.monotonic()
    record = trace_on_time(hops, 50, "--queries", "1", SERVICE4)
    print(f"  20 hops of 50 ms: {time.monotonic() - start:.3f} s")
    check_path("no silence", record, hops, 50, 4)


def a_refusal_ends_the_path_unreached(network):
    hops = [Hop(1, 1), Hop(2, 2), Hop(3, 3, refuses=True)]
    network.program(hops, 9)
    for protocol, version in every_kind():
        record, = trace("--protocol", protocol, "--queries", "1", service(version))
        check(not record["reached"], f"refused is not reached: {record}")
        found = [hop.get("address") for hop in record["hops"]]
        check(found == [hop.ways[version][0] for hop in hops], f"it ends there: {found}")


def forged_answers_count_for_nothing(network):
    hops = [Hop(1, 5), Hop(2, 6), Hop(3, 7)]
    for protocol, version in every_kind():
        network.program(hops, 8, forging=True)
        record = trace_on_time(hops, 8, "--protocol", protocol, service(version))
        check_path(f"forged, {protocol} over IPv{version}", record, hops, 8, version)


def many_destinations_are_as_complete_as_one(network):
    hops = [Hop(number, number) for number in range(1, 10)]
    network.program(hops, 10)
    with tempfile.NamedTemporaryFile("w") as file:
        file.writelines(f"203.0.113.{i} service-{i}\n" for i in range(1, 201))
        file.flush()
        records = trace("--queries", "1", "--max-ttl", "12", "--rate", "4000", "--targets",
                        file.name)
    check(sorted(r["service"] for r in records) == sorted(f"service-{i}" for i in range(1, 201)),
          "one record for each target")
    for record in records:
        check(record["reached"], f"{record['service']} is reached")
        found = [hop.get("address") for hop in record["hops"]]
        check(found == [hop.ways[4][0] for hop in hops] + [record["peer"]],
              f"{record['service']}: {found}")


def no_more_leaves_than_the_rate(network):
    network.program([Hop(number, 1) for number in range(1, 10)], 2)
    rate = 200
    trace("--queries", "1", "--max-ttl", "12", "--rate", str(rate),
          *[f"203.0.113.{i}" for i in range(1, 41)])
    times = network.arrivals
    check(400 <= len(times) <= 480, f"{len(times)} packets for 40 times 10 hops, and 2 beyond")
    for first, at in enumerate(times):
        within = sum(at <= other < at + 1 for other in times[first:])
        check(within <= rate + BURST, f"{within} packets in one second")


def as_nobody(*arguments):
    """A trace by somebody without any privilege, and what it said."""
    out = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                          "--bounding-set", "-all", "--inh-caps", "-all", PROBE, "trace", "--json", "-n",
                          *arguments], capture_output=True, text=True, timeout=60)
    return out.returncode, [json.loads(line) for line in out.stdout.splitlines()], out.stderr


def without_privilege_every_protocol_has_its_way(network):
    PING_GROUPS.write_text("0 2147483647")
    hops = [Hop(1, 1), Hop(2, 2, labels=(24001,)), Hop(3, 3), Hop(4, 4)]
    for protocol, version in every_kind():
        where = f"unprivileged {protocol} over IPv{version}"
        # The kernel of a connection keeps no more of an error than who and why.
        hops[1].labels = () if protocol == "tcp" else (24001,)
        for _ in range(8):
            network.program(hops, 5)
            code, records, told = as_nobody("--protocol", protocol, service(version))
            check(code == 0 and len(records) == 1, f"{where}: {code} {told}")
            if not is_late(records[0], hops, 5):
                break
        check_path(where, records[0], hops, 5, version)
        check("without privilege" in told, f"{where}: it says so: {told}")


def a_quote_of_eight_bytes_is_enough_without_privilege(network):
    PING_GROUPS.write_text("0 2147483647")
    hops = [Hop(1, 1, quote=28), Hop(2, 2, quote=28), Hop(3, 3, silent=True), Hop(4, 4, quote=28)]
    for protocol in ("icmp", "udp", "tcp"):
        network.program(hops, 5)
        code, records, told = as_nobody("--protocol", protocol, "--queries", "1", SERVICE4)
        check(code == 0, told)
        found = [hop.get("address") for hop in records[0]["hops"]]
        truth = [None if hop.silent else hop.ways[4][0] for hop in hops] + [SERVICE4]
        check(found == truth, f"short quotes, {protocol}: {found}")


def without_ping_sockets_icmp_says_what_to_do(network):
    PING_GROUPS.write_text("1 0")
    code, records, told = as_nobody("--protocol", "icmp", SERVICE4)
    check(code == 77 and "CAP_NET_RAW" in told and "ping_group_range" in told, f"{code} {told}")


def a_host_without_an_address_is_told_and_the_others_traced(network):
    network.program([Hop(1, 1)], 2)
    out = subprocess.run([PROBE, "trace", "--json", "nowhere.invalid", SERVICE4],
                         capture_output=True, text=True)
    check(out.returncode == 68 and "nowhere.invalid" in out.stderr, f"{out.returncode}")
    check(json.loads(out.stdout)["reached"], "the other one is traced")


SCENARIOS = (
    every_hop_is_found_with_its_time_and_labels,
    one_flow_takes_one_way_and_others_find_the_others,
    a_silent_stretch_does_not_hide_the_destination,
    a_refusal_ends_the_path_unreached,
    forged_answers_count_for_nothing,
    many_destinations_are_as_complete_as_one,
    no_more_leaves_than_the_rate,
    without_privilege_every_protocol_has_its_way,
    a_quote_of_eight_bytes_is_enough_without_privilege,
    without_ping_sockets_icmp_says_what_to_do,
    a_host_without_an_address_is_told_and_the_others_traced,
)


def enter_namespace():
    """Starts this script again where there is no network at all."""
    if os.environ.get("ASTRAY_TRACE_NAMESPACE"):
        return
    if os.geteuid() != 0:
        skip("network namespaces and raw sockets need root")
    for tool in ("unshare", "ip", "setpriv"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    if not os.path.exists("/dev/net/tun"):
        skip("/dev/net/tun is not there")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        skip("network namespaces cannot be made here")
    os.environ["ASTRAY_TRACE_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


enter_namespace()
PROBE = str(pathlib.Path(os.environ.get("ASTRAY_BIN", "build/check/bin")) / "astray-probe")
if not os.path.exists(PROBE):
    skip(f"{PROBE} is not built")
NETWORK = Network()
for scenario in SCENARIOS:
    if len(sys.argv) > 1 and sys.argv[1] not in scenario.__name__:
        continue
    scenario(NETWORK)
    print(f"ok  {scenario.__name__.replace('_', ' ')}")
