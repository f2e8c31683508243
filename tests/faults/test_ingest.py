#!/usr/bin/env python3
"""The collector's door for probes, over mutual TLS: whatever a peer does, it is answered or ended,
others are served, and what was acknowledged is in the export once, whatever kills the collector.
"""
import gzip
import json
import random
import resource
import socket
import ssl
import sys
import threading
import time

from collector_client import (Collector, batch_line, check, health_line, need_program, request, zstd,
                              zstd_stored)

PROBE = "probe-1"


def batch(seq, boot="b", probe=PROBE, lines=None):
    lines = [health_line(seq)] if lines is None else lines
    return batch_line(probe, boot, seq, len(lines)) + b"".join(lines)


def test_encodings_and_duplicates(collector):
    """Every encoding is taken; a batch sent again is acknowledged and counted once."""
    connection = collector.connect(PROBE)
    bodies = [(batch(1), None), (gzip.compress(batch(2)), "gzip"), (zstd(batch(3)), "zstd"),
              (zstd_stored(batch_line(PROBE, "b", 4, 1)) + zstd(health_line(4)), "zstd")]
    for seq, (body, coding) in enumerate(bodies, 1):
        for _ in range(3):
            status, _, answer = connection.ask(request(body, coding))
            check((status, json.loads(answer)) == (200, {"acknowledged": seq}), (seq, status, answer))
    check([record["seq"] for record in collector.export()] == [1, 2, 3, 4], "each once, in order")


def test_strangers(collector):
    """No name, another's name, another authority's certificate: refused, each with its status."""
    status, headers, _ = collector.connect().ask(request(batch(10)))
    check(status == 401 and headers["www-authenticate"] == "Bearer", status)
    status, _, answer = collector.connect(PROBE).ask(request(batch(10, probe="probe-2")))
    check(status == 403 and json.loads(answer)["field"] == "probe", (status, answer))
    with Collector() as other:
        context = ssl.create_default_context(cafile=collector.folder / "ca.pem")
        context.load_cert_chain(other.folder / "probe-1.pem", other.folder / "probe-1-key.pem")
        try:
            collector.connect(context=context).ask(request(batch(10)))
            check(False, "a certificate of another authority was let in")
        except (ssl.SSLError, ConnectionError):
            pass


def test_every_prefix(collector):
    """Every prefix of a good request, then the end: never an acknowledgement, never a crash."""
    whole = request(batch(20))
    context = collector.context(PROBE)
    before = len(collector.export())
    for cut in range(0, len(whole), 3):
        connection = collector.connect(context=context)
        connection.send(whole[:cut])
        connection.close()
    connection = collector.connect(context=context)
    for byte in whole:  # and in single bytes it is the same request
        connection.send(bytes([byte]))
    check(connection.answer()[0] == 200, "a request in single bytes")
    check(len(collector.export()) == before + 1, "prefixes count nothing")


def test_hostile_requests(collector):
    """Forms that smuggle, bombs and nonsense get a 4xx, or the end."""
    deep = b'{"kind":"health","at_us":1,"x":' + b"[" * 100000 + b"]" * 100000 + b"}\n"
    wide = b'{"kind":"health","at_us":1' + b"".join(b',"k%d":1' % i for i in range(20000)) + b"}\n"
    table = [
        (413, request(zstd(b"\0" * (1 << 20) * 3), "zstd")),
        (413, request(gzip.compress(b"\0" * (1 << 20) * 30), "gzip")),
        (400, request(zstd(batch(30))[:-3], "zstd")),
        (400, request(b"\xff" * 100, "zstd")),
        (415, request(batch(30), "br")),
        (400, request(batch(30, lines=[deep]))),
        (400, request(batch(30, lines=[wide + b"x"]))),
        (400, request(batch(30, lines=[b'{"kind":"health","at_us":1,"at_us":2}\n']))),
        (400, request(batch(30, lines=[b'{"kind":"health","at_us":1e99}\n']))),
        (400, request(batch(30, lines=[b'{"kind":"health","at_us":1,"x":"\xff"}\n']))),
        (400, request(batch(30, lines=[b'{"kind":"maintenance","at_us":1}\n']))),
        (400, request(b"")),
        (413, b"POST /v1/observations HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        (400, b"GET / HTTP/1.1\nHost: a\n\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20000),
        (404, request(b"", path="/v1/../etc/passwd", method="GET")),
        (405, request(b"", path="/v1/observations", method="GET")),
    ]
    context = collector.context(PROBE)
    for number, (wanted, data) in enumerate(table):
        status, _, answer = collector.connect(context=context).ask(data)
        check(status == wanted, f"row {number}: {status} {answer[:200]}")
        check(wanted in (404, 405) or json.loads(answer)["error"], "an error says why")


def test_noise(collector):
    """Damaged requests by the thousand: answered with 2xx or 4xx, or ended."""
    source = random.Random(1)
    context = collector.context(PROBE)
    whole = request(zstd(batch(40)), "zstd")
    seen = {}
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(source.randrange(1, 8)):
            data[source.randrange(len(data))] = source.randrange(256)
        connection = collector.connect(context=context, timeout=0.3)
        try:
            status = connection.ask(bytes(data))[0]
        except (TimeoutError, ConnectionError, ssl.SSLError, ValueError):
            status = 0  # it waits for the rest of a longer body
        seen[status] = seen.get(status, 0) + 1
        connection.close()
    check(all(status < 500 or status in (501, 505) for status in seen), seen)
    check(collector.alive(), "the collector has ended")


def test_slow_and_idle_peers(collector):
    """A thousand peers that say nothing or little hold up no probe, and take little memory."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    before, idle = collector.resident_kib(), []
    for number in range(1000):
        sock = socket.create_connection(("127.0.0.1", collector.port))
        if number % 2:
            sock.sendall(b"\x16\x03\x01\x00\xff\x01")  # a hello that never goes on
        idle.append(sock)
    worst, connection = 0, collector.connect(PROBE)
    for seq in range(50, 100):
        start = time.monotonic()
        check(connection.ask(request(batch(seq)))[0] == 200, seq)
        worst = max(worst, time.monotonic() - start)
    grown = collector.resident_kib() - before
    for sock in idle:
        sock.close()
    check(worst < 1, f"a good probe waited {worst:.2f} s")
    check(grown < 64 * 1024, f"{grown} KiB for a thousand peers that do nothing")
    print(f"  worst answer beside 1000 idle peers {worst * 1000:.1f} ms, {grown} KiB more")


def test_quota():
    """A probe that sends without measure is put off; another one is served."""
    with Collector(probes=("probe-1", "probe-2"), limits={"probe_mb_per_minute": 1}) as collector:
        collector.start()
        connection, statuses = collector.connect("probe-1"), set()
        lines = [health_line(i) for i in range(5000)]
        for seq in range(20):
            status, headers, _ = connection.ask(request(batch(seq, lines=lines)))
            statuses.add(status)
            if status == 429:
                check(int(headers["retry-after"]) >= 1, headers)
        check(statuses == {200, 429}, statuses)
        check(collector.connect("probe-2").ask(request(batch(1, probe="probe-2")))[0] == 200, "probe-2")


def test_kill():
    """Killed at any moment under load: what was acknowledged is there, once, and nothing twice."""
    source = random.Random(7)
    with Collector(probes=("probe-1", "probe-2", "probe-3", "probe-4")) as collector:
        acknowledged, sent, ending = set(), [0], threading.Event()

        def run(number):
            probe, seq, connection = f"probe-{number % 4 + 1}", number, None
            context = collector.context(probe)
            while not ending.is_set():
                try:
                    connection = connection or collector.connect(context=context, timeout=5)
                    status, _, answer = connection.ask(request(batch(seq, probe=probe)))
                except (OSError, ValueError):
                    connection = None
                    time.sleep(0.005)
                    continue  # unknown: the same batch again
                sent[0] += 1
                check(status in (200, 429, 503), (status, answer))
                if status == 200:
                    check(json.loads(answer) == {"acknowledged": seq}, answer)
                    acknowledged.add((probe, seq))
                    seq += 16

        collector.start()
        threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for _ in range(12):
            time.sleep(source.uniform(0.1, 0.6))
            collector.kill()
            collector.start()
        time.sleep(0.3)
        ending.set()
        for thread in threads:
            thread.join()
        records = [(record["probe"], record["seq"]) for record in collector.export()]
        collector.stop()
        check(len(records) == len(set(records)), "something is there twice")
        lost = acknowledged - set(records)
        check(not lost, f"{len(lost)} of {len(acknowledged)} acknowledged batches are lost")
        check(len(set(records) - acknowledged) <= 16 * 12 + 16, "more than what was under way")
        check(len(acknowledged) > 1000, f"only {len(acknowledged)} batches: this proves little")
        rx = [record["rx_us"] for record in collector.export()]
        check(rx == sorted(rx), "rx goes back")
        print(f"  12 kills, {len(acknowledged)} batches acknowledged, 0 lost, 0 doubled")


def test_end():
    """SIGTERM: what was taken is acknowledged or refused, and the exit is clean."""
    with Collector() as collector:
        collector.start()
        check(collector.connect(PROBE).ask(request(batch(1)))[0] == 200, "served")
        collector.stop()
        check([record["seq"] for record in collector.export()] == [1], "kept")
        collector.start()
        check(collector.connect(PROBE).ask(request(batch(1)))[0] == 200, "known again")
        check(len(collector.export()) == 1, "once")


def main():
    need_program()
    with Collector() as collector:
        collector.start()
        for test in (test_encodings_and_duplicates, test_strangers, test_every_prefix,
                     test_hostile_requests, test_noise, test_slow_and_idle_peers):
            print(f"{test.__name__}: {test.__doc__.strip()}")
            test(collector)
        collector.stop()
        check("Sanitizer" not in collector.said(), collector.said())
    for test in (test_quota, test_end, test_kill):
        print(f"{test.__name__}: {test.__doc__.strip()}")
        test()
    return 0


if __name__ == "__main__":
    sys.exit(main())
