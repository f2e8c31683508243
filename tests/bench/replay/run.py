#!/usr/bin/env python3
"""How fast a recorded stream is judged on one core, and the memory that a (service, site) costs.

    run.py [RUNS]

A simulated fleet of 24 services at 5 sites is replayed; what the process itself used of the processor
counts, so that a busy machine does not. Memory: two fleets that differ in their services only, and what
the larger keeps resident beyond the smaller one.
"""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

BIN = pathlib.Path(os.environ["ASTRAY_BIN"])
TARGET = 100_000


def make_stream(folder, *words):
    stream, config = folder / "stream", folder / "config"
    with open(stream, "wb") as out:
        subprocess.run([BIN / "fleet", "--seed", "7", "--config", config, *words], stdout=out, check=True)
    return stream, config


def replay(stream, config):
    """Observations, keys, seconds of the processor, KiB resident at most."""
    process = subprocess.Popen([BIN / "astray-collector", "replay", "--config", config, stream],
                               stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(said)
    observations, keys = (int(re.search(rf"(\d+) {word}", said)[1]) for word in ("observations", "keys"))
    return observations, keys, used.ru_utime + used.ru_stime, used.ru_maxrss


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory(prefix="astray-replay-") as name:
        folder = pathlib.Path(name)
        fleet = make_stream(folder, "--history", "3", "--days", "2", "--incidents")
        speeds = []
        for _ in range(runs):
            observations, keys, seconds, resident = replay(*fleet)
            speeds.append(observations / seconds)
        speed = statistics.median(speeds)
        print(f"speed    {speed:,.0f} observations/s on one core (target {TARGET:,}: x{speed / TARGET:.2f}); "
              f"{runs} runs of {observations:,}, {min(speeds):,.0f} to {max(speeds):,.0f}")
        print(f"resident {resident:,} KiB in all with {keys} (service, site) keys")
        sizes = [replay(*make_stream(folder, "--history", "1", "--days", "1", "--endpoints", "2",
                                     "--services", services))[1:4:2] for services in ("8", "48")]
        (few, small), (many, large) = sizes
        print(f"memory   {(large - small) * 1024 / (many - few):,.0f} bytes a (service, site) key "
              f"({few} keys: {small:,} KiB, {many} keys: {large:,} KiB)")


if __name__ == "__main__":
    main()
