#!/usr/bin/env python3
"""A collector that is killed and started again judges as if it had never ended: people are told of
each change of an incident once, and a replay of its export gives the very same incidents. It judges on
from its snapshot, whenever it is killed, while one is written as well; a snapshot that is damaged, or of
another version, is set aside and the journal is judged again.
"""
import collections
import contextlib
import http.server
import json
import random
import sqlite3
import subprocess
import sys
import threading
import time

from collector_client import PROGRAM, Collector, batch_line, check, need_program, request

ZONE, GOOD, BAD = "exchange.example", "ns1.good.example", "ns1.g00d.example"
PROBES = ("probe-1", "probe-2")
GATEWAY = "gw-1"


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append(json.loads(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def serve_webhook():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    server.told = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def hello(role="sentinel"):
    return json.dumps({"kind": "hello", "at_us": int(time.time() * 1e6), "version": "0.1.0",
                       "role": role, "labels": {"site": "tokyo"}}).encode() + b"\n"


def delegation(server, answer):
    return json.dumps({"kind": "dns", "at_us": int(time.time() * 1e6), "service": "exchange",
                       "name": ZONE, "type": "NS", "role": "parent", "server": server,
                       "rcode": "NOERROR", "answers": [{"data": answer, "ttl": 60}],
                       "authoritative": False, "validated": False, "rtt_us": 900}).encode() + b"\n"


def window(at_us, failing):
    return json.dumps({"kind": "traffic", "at_us": at_us, "window_us": 10000000, "service": "wiki",
                       "connections": 10, "refused": 0, "timed_out": 0, "reset": 0, "requests": 100,
                       "responses": 100, "errors": 80 if failing else 0}).encode() + b"\n"


class Sentinels:
    """Two probes, each asking two servers of the zone above."""

    def __init__(self, collector):
        self.collector, self.seq = collector, 0

    def say(self, *lines, probes=PROBES):
        self.seq += 1
        for probe in probes:
            body = batch_line(probe, "b", self.seq, len(lines)) + b"".join(lines)
            status, _, answer = self.collector.connect(probe).ask(request(body))
            check(status == 200, (status, answer))

    def see(self, answer):
        self.say(delegation("192.0.2.53", answer), delegation("198.51.100.53", answer))


def wait_for(what, holds, seconds=30):
    deadline = time.monotonic() + seconds
    while not holds():
        check(time.monotonic() < deadline, f"waited in vain for {what}")
        time.sleep(0.05)


def key(incident):
    return incident["id"], incident["state"], incident["rx_us"]


class Told:
    """What people were told, and that they were told it once. A kill between their 200 and the note of it
    on disk is the one case in which they must be told again: what is owed then stands in the queue."""

    def __init__(self):
        self.owed = collections.Counter()
        self.webhook = serve_webhook()
        self.url = f"http://127.0.0.1:{self.webhook.server_address[1]}/"

    def changes(self):
        return [key(told) for told in self.webhook.told]

    def kill(self, collector):
        collector.kill()
        with contextlib.closing(sqlite3.connect(collector.folder / "data/notify.db")) as queue:
            self.owed.update(row[0] for row in queue.execute("SELECT DISTINCT incident FROM message WHERE told = 0"))

    def once(self):
        again = collections.Counter(change[0] for change, times in collections.Counter(self.changes()).items()
                                    for _ in range(times - 1))
        check(not again - self.owed, ("told twice", self.changes(), self.owed))

    def distinct(self):
        return list(dict.fromkeys(self.changes()))


def collector_of(told, **more):
    services = [{"name": "exchange", "hosts": [ZONE], "zone": ZONE, "expect": {"name_servers": [GOOD]}},
                {"name": "wiki", "hosts": ["wiki.example"]}]
    return Collector(probes=(*PROBES, GATEWAY), services=services, judgement={"gather": "1 s"},
                     notify=[{"name": "oncall", "kind": "webhook", "url": told.url}], **more)


def same_as_its_replay(collector, told):
    stream = subprocess.run([PROGRAM, "export", "--config", collector.config], check=True,
                            capture_output=True).stdout
    replayed = collector.folder / "incidents"
    subprocess.run([PROGRAM, "replay", "--config", collector.config, "--incidents", replayed, "-"],
                   input=stream, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    again = [key(json.loads(line)) for line in replayed.read_text().splitlines()]
    wait_for("the last of it", lambda: len(told.distinct()) >= len(again), 10)
    live = told.distinct()
    check(sorted(again)[:len(live)] == sorted(live), (live, again))
    return stream.count(10)


def kills_without_a_snapshot():
    told = Told()
    with collector_of(told) as collector:
        collector.start()
        sentinels = Sentinels(collector)
        sentinels.say(hello())
        sentinels.see(GOOD)
        sentinels.see(BAD)
        sentinels.see(BAD)
        wait_for("the page", told.changes)
        for _ in range(3):  # killed, judged again, and killed again
            told.kill(collector)
            (collector.folder / "data/judgement.snapshot").unlink(missing_ok=True)
            collector.start()
            sentinels.see(BAD)
            time.sleep(1.2)
        told.once()
        check(len({change[0] for change in told.changes()}) == 1, "one incident became several")
        collector.stop()
        count = same_as_its_replay(collector, told)
        print(f"told {len(told.changes())} time(s) over 3 kills; a replay of {count} observations "
              f"gives the same")


def kill_while_a_snapshot_is_written(collector, told):
    """True when the half of one was left behind."""
    beside = collector.folder / "data/judgement.snapshot.new"
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and not beside.exists():
        pass
    told.kill(collector)
    return beside.exists()


def kills_with_snapshots():
    told, source, halves, resumed = Told(), random.Random(6), 0, 0
    with collector_of(told, journal={"snapshot": "1 s"}) as collector:
        collector.start()
        sentinels = Sentinels(collector)
        sentinels.say(hello())
        sentinels.say(hello("gateway"), probes=[GATEWAY])
        at_us = int(time.time() * 1e6) - 1800_000000
        for turn in range(10):
            for step in range(6):
                sentinels.say(window(at_us, failing=turn > 5), probes=[GATEWAY])
                at_us += 10_000000
                if turn == 4:
                    sentinels.see(GOOD if step < 2 else BAD)
            if turn % 2:
                halves += kill_while_a_snapshot_is_written(collector, told)
            else:
                time.sleep(source.uniform(0, 1.5))
                told.kill(collector)
            collector.start()
        wait_for("both pages", lambda: len({change[0] for change in told.changes()}) == 2)
        resumed = collector.said().count("judges on from")
        check("set aside" not in collector.said(), "a snapshot was damaged by a kill: " + collector.said())
        check(resumed >= 8, f"only {resumed} starts took up a snapshot")
        check(halves >= 1, "no kill came while a snapshot was written")
        told.once()
        collector.stop()
        count = same_as_its_replay(collector, told)
        print(f"told {len(told.changes())} times over 10 kills, {halves} of them while a snapshot was written; "
              f"{resumed} starts judged on from one; a replay of {count} observations gives the same")


def checksum(data):
    value = 14695981039346656037
    for byte in data:
        value = (value ^ byte) * 1099511628211 % 2**64
    return value


def of_another_version(snapshot):
    """The same with another version, and the checksum that belongs to it."""
    head, state = snapshot.split(b"\n", 1)
    words = head.split(b" ")
    words[2] = b"0" * 16
    before = b" ".join(words[:5]) + b" "
    return before + b"%016x\n" % checksum(before + state) + state


def bad_snapshots():
    told = Told()
    with collector_of(told) as collector:
        collector.start()
        sentinels = Sentinels(collector)
        sentinels.say(hello())
        sentinels.see(GOOD)
        sentinels.see(BAD)
        sentinels.see(BAD)
        wait_for("the page", told.changes)
        file, aside = (collector.folder / "data" / name
                       for name in ("judgement.snapshot", "judgement.snapshot.aside"))
        spoilt = {"of another version": of_another_version,
                  "do not check": lambda whole: whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:],
                  "ends too early": lambda whole: whole[:len(whole) // 2]}
        for why, spoil in spoilt.items():
            collector.stop()
            file.write_bytes(spoil(file.read_bytes()))
            aside.unlink(missing_ok=True)
            collector.start()
            check(aside.exists(), "it is not set aside")
            check(any(why in line and "set aside" in line for line in collector.said().splitlines()),
                  (why, collector.said()))
            sentinels.see(BAD)
        told.once()
        check(len({change[0] for change in told.changes()}) == 1, "one incident became several")
        collector.stop()
        same_as_its_replay(collector, told)
        print(f"{len(spoilt)} bad snapshots were set aside, and nobody was told of anything twice")


def main():
    need_program()
    kills_without_a_snapshot()
    kills_with_snapshots()
    bad_snapshots()
    return 0


if __name__ == "__main__":
    sys.exit(main())
