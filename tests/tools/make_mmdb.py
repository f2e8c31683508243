#!/usr/bin/env python3
"""Writes a MaxMind-format database from a table, for tests and the lab.

    make_mmdb.py [--shape nested|flat] [--ipv4-only] OUT.mmdb TABLE.json

TABLE is a list of {"prefix": "192.0.2.0/24", "country": "JP", "city": "Tokyo", "latitude": 35.7,
"longitude": 139.7, "asn": 64496, "org": "Example"}; every key but prefix may be absent. The format
is MaxMind DB 2.0 with 28-bit records. SOURCE_DATE_EPOCH sets the build time.
"""
import argparse
import ipaddress
import json
import os
import struct
import time


def control(kind, size):
    """The control byte(s) of a field: its type and how long it is."""
    extended = b""
    if kind > 7:
        kind, extended = 0, bytes([kind - 7])
    if size < 29:
        return bytes([kind << 5 | size]) + extended
    if size < 285:
        return bytes([kind << 5 | 29]) + extended + bytes([size - 29])
    return bytes([kind << 5 | 30]) + extended + struct.pack(">H", size - 285)


class Typed:
    """An integer of a given type, where the format insists on one (5: 16 bits, 6: 32, 9: 64)."""

    def __init__(self, kind, value):
        self.kind, self.value = kind, value


def integer(kind, value):
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return control(kind, len(raw)) + raw


def encode(value):
    if isinstance(value, dict):
        return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encode, value))
    if isinstance(value, str):
        raw = value.encode()
        return control(2, len(raw)) + raw
    if isinstance(value, float):
        return control(3, 8) + struct.pack(">d", value)
    if isinstance(value, Typed):
        return integer(value.kind, value.value)
    return integer(6, value)


def nested(row):
    out = {}
    if "country" in row:
        out["country"] = {"iso_code": row["country"]}
    if "city" in row:
        out["city"] = {"names": {"en": row["city"]}}
    if "latitude" in row:
        out["location"] = {"latitude": float(row["latitude"]), "longitude": float(row["longitude"])}
    if "asn" in row:
        out["autonomous_system_number"] = row["asn"]
    if "org" in row:
        out["autonomous_system_organization"] = row["org"]
    return out


def flat(row):
    out = {}
    if "country" in row:
        out["country_code"] = row["country"]
    if "city" in row:
        out["city"] = row["city"]
    if "latitude" in row:
        out.update(latitude=float(row["latitude"]), longitude=float(row["longitude"]))
    if "asn" in row:
        out["asn"] = f"AS{row['asn']}"
    if "org" in row:
        out["as_name"] = row["org"]
    return out


class Tree:
    """The search tree: nodes of two branches, each None, a node's number, or ('data', offset)."""

    def __init__(self, bits):
        self.bits, self.nodes = bits, [[None, None]]

    def insert(self, prefix, data):
        network = ipaddress.ip_network(prefix)
        number, length = int(network.network_address), network.prefixlen
        if network.version == 4 and self.bits == 128:
            length += 96
        node = 0
        for depth in range(length):
            bit = number >> (self.bits - 1 - depth) & 1
            if depth == length - 1:
                self.nodes[node][bit] = ("data", data)
                return
            if not isinstance(self.nodes[node][bit], int):
                inherited = self.nodes[node][bit]
                self.nodes.append([inherited, inherited])
                self.nodes[node][bit] = len(self.nodes) - 1
            node = self.nodes[node][bit]

    def encode(self):
        count, out = len(self.nodes), bytearray()
        for node in self.nodes:
            left, right = (count if b is None else b if isinstance(b, int) else count + 16 + b[1] for b in node)
            out += struct.pack(">I", left & 0xFFFFFF)[1:]
            out.append((left >> 24 & 0xF) << 4 | right >> 24 & 0xF)
            out += struct.pack(">I", right & 0xFFFFFF)[1:]
        return bytes(out)


def build(table, shape=nested, ipv4_only=False, database_type="astray-test"):
    tree, data = Tree(32 if ipv4_only else 128), bytearray()
    # Shorter prefixes first, so that longer ones lie over them.
    for row in sorted(table, key=lambda r: ipaddress.ip_network(r["prefix"]).prefixlen):
        tree.insert(row["prefix"], len(data))
        data += encode(shape(row))
    metadata = {
        "binary_format_major_version": Typed(5, 2), "binary_format_minor_version": Typed(5, 0),
        "build_epoch": Typed(9, int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))), "database_type": database_type,
        "description": {"en": "made by a test"}, "ip_version": Typed(5, 4 if ipv4_only else 6),
        "languages": ["en"], "node_count": Typed(6, len(tree.nodes)), "record_size": Typed(5, 28),
    }
    return tree.encode() + bytes(16) + bytes(data) + b"\xab\xcd\xefMaxMind.com" + encode(metadata)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=("nested", "flat"), default="nested")
    parser.add_argument("--ipv4-only", action="store_true")
    parser.add_argument("out")
    parser.add_argument("table")
    args = parser.parse_args()
    with open(args.table, encoding="utf-8") as file:
        table = json.load(file)
    with open(args.out, "wb") as file:
        file.write(build(table, {"nested": nested, "flat": flat}[args.shape], args.ipv4_only))


if __name__ == "__main__":
    main()
