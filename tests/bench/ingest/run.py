#!/usr/bin/env python3
"""How fast observations become durable: probes over mutual TLS, 64-KiB batches of traffic windows,
zstd as probes send it. Prints what one core of the collector does.

    run.py [SECONDS [CONNECTIONS]]
"""
import json
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "faults"))
from collector_client import (Collector, batch_line, check, need_program, request, zstd,  # noqa: E402
                              zstd_stored)

WINDOWS = 190
PROBE = "probe-1"


def sketch(source, middle):
    counts = [source.randrange(0, 4) for _ in range(source.randrange(8, 16))]
    counts[0] = counts[-1] = 1
    total = sum(counts)
    return {"scale": 5, "offset": 280, "counts": counts, "zeros": 0, "sum": total * middle,
            "min": middle, "max": middle * 2}


def window(source, at_us):
    requests = source.randrange(20, 200)
    return json.dumps({"kind": "traffic", "at_us": at_us, "window_us": 10000000, "service": "exchange",
                       "connections": source.randrange(1, 20), "refused": 0, "timed_out": 0, "reset": 0,
                       "requests": requests, "responses": requests, "errors": 0, "untimed": 0,
                       "sent_bytes": requests * 700, "received_bytes": requests * 9000,
                       "retransmits": 0, "lost_packets": 0, "response_us": sketch(source, 6200),
                       "peers": {"203.0.113.10": requests}}, separators=(",", ":")).encode() + b"\n"


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    need_program()
    source = random.Random(2020)
    with Collector(limits={"probe_mb_per_minute": 0}) as collector:
        collector.start()
        context = collector.context(PROBE)
        bodies = []
        for _ in range(16):
            now = int(time.time() * 1e6)
            lines = b"".join(window(source, now + i) for i in range(WINDOWS))
            bodies.append((zstd(lines), len(lines)))
        counts, ending = [0] * connections, threading.Event()

        def run(number):
            connection, seq = collector.connect(context=context), number
            while not ending.is_set():
                body, _ = bodies[seq % len(bodies)]
                head = zstd_stored(batch_line(PROBE, "b", seq, WINDOWS))
                status = connection.ask(request(head + body, "zstd"))[0]
                if status == 200:
                    counts[number] += 1
                    seq += connections
                else:
                    check(status in (429, 503), status)
                    time.sleep(0.01)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        begun, cpu, start = sum(counts), collector.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        batches, wall = sum(counts) - begun, time.monotonic() - start
        ending.set()
        for thread in threads:
            thread.join()
        while collector.metric("astray_collector_waiting_observations"):
            time.sleep(0.02)
        used, resident = collector.cpu_seconds() - cpu, collector.resident_kib()
        windows = batches * WINDOWS
        size = sum(length for _, length in bodies) / len(bodies) / WINDOWS
        print(f"windows of {size:.0f} bytes, {WINDOWS} a batch, {connections} connections, TLS 1.3, zstd")
        print(f"durable            {windows / wall:12,.0f} windows/s   ({batches / wall:,.0f} batches/s)")
        print(f"CPU a window       {used / windows * 1e6:12.2f} us        (judgement and store included)")
        print(f"so one core does   {windows / used:12,.0f} windows/s")
        print(f"resident           {resident / 1024:12.1f} MiB")
        collector.stop()


if __name__ == "__main__":
    main()
