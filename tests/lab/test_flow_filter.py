#!/usr/bin/env python3
"""An endpoint's other traffic never reaches the process.

Frames made by hand are sent over a veth pair while astray-probe captures at its other end, with
services and without. What must hold: with services the program sees the packets on their ports, plain
and VLAN-tagged, IPv4 and IPv6, and the answers of name servers, and not one packet more, whatever else
passes: the kernel's filter keeps it away. What the filter cannot look into (two tags, labels, PPPoE,
fragments) reaches it whole, and tunnels do only when asked for. Packets on the services' ports are
counted the same in all of these. Without services all TCP and UDP comes.

Needs root, unshare and ip; skips loudly (exit 77) without them.
"""
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time

from test_flow import run_in_namespace, probe, wait_for

SERVICES = {"services": [{"name": "exchange", "hosts": ["*.exchange.example"], "ports": [443, 8443]}]}
EACH = 50
CLIENT, SERVER = "192.0.2.7", "198.51.100.1"
CLIENT_6, SERVER_6 = "2001:db8::7", "2001:db8::1"


def tcp(port, number):
    """A SYN with a number of its own, to that port."""
    return struct.pack(">HHIIBBHHH", 20000 + number, port, 1000 + number, 0, 0x50, 2, 1024, 0, 0)


def udp(source, port, payload=b"x" * 20):
    return struct.pack(">HHHH", source, port, 8 + len(payload), 0) + payload


def four(protocol, payload, fragment=0, number=1):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number, fragment, 64, protocol, 0,
                       socket.inet_aton(CLIENT), socket.inet_aton(SERVER)) + payload


def six(protocol, payload):
    return struct.pack(">IHBB16s16s", 0x60000000, len(payload), protocol, 64,
                       socket.inet_pton(socket.AF_INET6, CLIENT_6),
                       socket.inet_pton(socket.AF_INET6, SERVER_6)) + payload


def ethernet(ethertype, payload):
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1" + struct.pack(">H", ethertype) + payload


def tagged(inner, *tags):
    for tag in reversed(tags):
        payload = struct.pack(">HH", 100, inner[0]) + inner[1]
        inner = (tag, payload)
    return ethernet(*inner)


def plain(port, n):
    return ethernet(0x0800, four(6, tcp(port, n)))


def plain_6(port, n):
    return ethernet(0x86dd, six(6, tcp(port, n)))


def vlan(port, n):
    return tagged((0x0800, four(6, tcp(port, n))), 0x8100)


def qinq(port, n):
    return tagged((0x0800, four(6, tcp(port, n))), 0x88a8, 0x8100)


def mpls(port, n):
    return ethernet(0x8847, struct.pack(">I", 77 << 12 | 1 << 8 | 64) + four(6, tcp(port, n)))


def pppoe(port, n):
    packet = four(6, tcp(port, n))
    return ethernet(0x8864, struct.pack(">BBHHH", 0x11, 0, 1, 2 + len(packet), 0x21) + packet)


def gre(port, n):
    return ethernet(0x0800, four(47, struct.pack(">HH", 0, 0x0800) + four(6, tcp(port, n))))


def vxlan(port, n):
    return ethernet(0x0800, four(17, udp(50000, 4789, b"\x08\0\0\0\0\0\1\0" + plain(port, n))))


def question(_, n):
    return ethernet(0x0800, four(17, udp(30000 + n, 53)))


def datagram(port, n):
    return ethernet(0x0800, four(17, udp(30000 + n, port)))


def part(_, n):
    return ethernet(0x0800, four(17, b"x" * 24, fragment=0x2000, number=n + 1))


def ping(_, n):
    return ethernet(0x0800, four(1, struct.pack(">BBHHH", 8, 0, 0, 1, n)))


def arp(_, n):
    return ethernet(0x0806, b"\0\1\x08\0\6\4\0\1" + b"\0" * 20)


class Capture:
    def __init__(self, folder, *options):
        self.output = folder / "output"
        self.process = subprocess.Popen(
            [probe(), "flow", "-i", "right", *options], stdout=open(self.output, "w"),
            stderr=subprocess.STDOUT)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        return self.output.read_text()


def make_link():
    subprocess.run(["ip", "link", "add", "left", "type", "veth", "peer", "name", "right"], check=True)
    for side in ("left", "right"):
        # Nothing of its own may pass: neighbour discovery would be counted.
        pathlib.Path(f"/proc/sys/net/ipv6/conf/{side}/disable_ipv6").write_text("1")
        subprocess.run(["ip", "link", "set", side, "arp", "off", "up"], check=True)


def play(folder, frames, *options):
    """Sends EACH of these frames for each port; returns packets seen and the table's row."""
    capture = Capture(folder, *options)
    wait_for("the capture", lambda: "captured from now on" in capture.output.read_text())
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind(("left", 0))
    for make, port in frames:
        for number in range(EACH):
            out.send(make(port, number))
    out.close()
    time.sleep(0.3)  # the kernel hands its ring over when it is this old: CAPTURE_LAG_MS
    text = capture.end()
    packets = re.search(r"^(\d+) packets, (\d+) of them TCP", text, re.M)
    return (int(packets[1]), int(packets[2]), text) if packets else (-1, -1, text)


OTHERS = [(plain, 80), (plain, 9443), (plain_6, 22), (vlan, 80), (datagram, 443 + 1), (datagram, 5353),
          (ping, 0), (arp, 0), (gre, 443), (vxlan, 443)]
OURS = [(plain, 443), (plain_6, 8443), (vlan, 443)]
OPAQUE = [(qinq, 80), (mpls, 80), (pppoe, 80), (part, 0)]


def run(folder):
    services = folder / "services.json"
    services.write_text(json.dumps(SERVICES))
    failures = []

    def must(what, holds, text):
        print(("holds: " if holds else "FAILS: ") + what)
        if not holds:
            print(text)
            failures.append(what)

    make_link()
    packets, _, text = play(folder, OTHERS, "--services", services)
    must("other traffic does not reach the process", packets == 0, text)
    packets, segments, text = play(folder, OTHERS + OURS + [(question, 53)], "--services", services)
    must("the services' packets and name servers' do, and nothing more",
         packets == EACH * (len(OURS) + 1) and segments == EACH * len(OURS), text)
    packets, segments, text = play(folder, OPAQUE, "--services", services)
    must("what the filter cannot look into passes whole",
         packets == EACH * len(OPAQUE) and segments == EACH * 3, text)
    packets, segments, text = play(folder, [(gre, 443), (vxlan, 443), (gre, 80)], "--services",
                                   services, "--tunnels", "gre,vxlan")
    must("tunnels are looked into where they are asked for",
         packets == 3 * EACH and segments == 3 * EACH, text)
    packets, segments, text = play(folder, OTHERS + OURS)
    must("without services all TCP and UDP comes, no ping, no ARP",
         packets == EACH * (7 + len(OURS)) and segments == EACH * (4 + len(OURS)), text)
    return failures


if __name__ == "__main__":
    run_in_namespace(run, "flow-filter")
