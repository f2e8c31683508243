#!/usr/bin/env python3
"""What a collector may page for while it is still young, on a small fleet of ten ordinary days.

What must hold: failures and what policy forbids page from the first minutes; a name server that nobody has
named pages after a day and not before; nine in ten requests missing page from the third day and not before;
half of them, once a week is known and not before; and ordinary days page nobody, from the first on.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("ASTRAY_BIN", HERE.parents[1] / "build/release/bin"))
FLEET = ["--seed", "2", "--services", "8", "--sites", "2", "--endpoints", "2", "--history", "0", "--days", "10"]
BEGIN_US = 1588550400000000
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok  {what}")


def failing(row):
    row["errors"] = row["requests"] * 6 // 10


def keeping(share):
    def change(row):
        for count in ("requests", "responses", "errors", "connections", "timed_out"):
            row[count] = int(row[count] * share)
    return change


def delegated_to(server):
    def change(row):
        row["answers"] = [{"data": server, "ttl": 172800}]
    return change


class Trouble:
    """What is changed in the lines of one kind and service, from one hour to another."""

    def __init__(self, what, kind, service, hours, change, pages_within=None):
        self.what, self.kind, self.service, self.change = what, kind, service, change
        self.begin, self.end = (BEGIN_US + int(hour * HOUR_US) for hour in hours)
        self.pages_within = pages_within

    def concerns(self, row):
        return (row["kind"] == self.kind and row["service"] == self.service and self.begin <= row["at_us"] < self.end
                and (self.kind != "dns" or row["type"] == "NS"))


# service-00 has expectations; service-02 and service-04 have none. service-02 lives by machines, day and night.
TROUBLES = (
    Trouble("failures in the first hour", "traffic", "service-02", (.5, 1.5), failing, 20),
    Trouble("a name server against policy", "dns", "service-00", (2, 3), delegated_to("ns-100.exampledns-010.com"), 10),
    Trouble("an unknown name server on the first day", "dns", "service-04", (6, 7), delegated_to("ns-1.elsewhere.com")),
    Trouble("nine in ten missing on the second day", "traffic", "service-02", (30, 31), keeping(.1)),
    Trouble("an unknown name server on the second day", "dns", "service-04", (33, 34),
            delegated_to("ns-2.otherwhere.net"), 10),
    Trouble("nine in ten missing on the third day", "traffic", "service-02", (60, 61), keeping(.1), 20),
    Trouble("half missing on the fourth day", "traffic", "service-02", (84, 86), keeping(.5)),
    Trouble("half missing on the ninth day", "traffic", "service-02", (204, 206), keeping(.5), 60),
)


def with_troubles(stream):
    for line in stream:
        row = json.loads(line) if '"kind":"traffic"' in line or '"type":"NS"' in line else None
        for trouble in TROUBLES if row else ():
            if trouble.concerns(row):
                trouble.change(row)
                line = json.dumps(row, separators=(",", ":")) + "\n"
        yield line


def pages(folder, config, name, lines):
    stream, raised = folder / name, folder / f"{name}.raised"
    stream.write_text("".join(lines))
    replay = subprocess.run([BIN / "astray-collector", "replay", "--config", config, "--incidents", raised, stream],
                            capture_output=True, text=True)
    if replay.returncode:
        sys.exit(f"FAILED: {replay.stderr}")
    changes = [json.loads(line) for line in raised.read_text().splitlines()]
    return [change for change in changes if change["severity"] == "page" and change["state"] in ("opened", "escalated")]


def judge(raised, trouble):
    mine = [page for page in raised if trouble.service in page["services"]
            and trouble.begin <= page["rx_us"] < trouble.end + 30 * MINUTE_US]
    if trouble.pages_within is None:
        check(not mine, f"{trouble.what}: no page {[page['title'] for page in mine]}")
        return
    late = min((page["rx_us"] - trouble.begin for page in mine), default=None)
    check(late is not None and late <= trouble.pages_within * MINUTE_US,
          f"{trouble.what}: a page in time ({'none' if late is None else f'{late / MINUTE_US:.0f} min'})")


def main():
    for program in ("fleet", "astray-collector"):
        if not (BIN / program).exists():
            print(f"SKIPPED: {BIN / program} is not built")
            sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="astray-warm-up-") as name:
        folder = pathlib.Path(name)
        config = folder / "config"
        fleet = subprocess.run([BIN / "fleet", *FLEET, "--config", config], capture_output=True, text=True, check=True)
        lines = fleet.stdout.splitlines(keepends=True)
        ordinary = pages(folder, config, "ordinary", lines)
        check(not ordinary, f"ordinary days page nobody, from the first on {[page['title'] for page in ordinary]}")
        raised = pages(folder, config, "troubled", with_troubles(lines))
        for trouble in TROUBLES:
            judge(raised, trouble)
        check(all(any(trouble.service in page["services"] and trouble.begin <= page["rx_us"] < trouble.end + 30 * MINUTE_US
                      for trouble in TROUBLES) for page in raised), "and nothing else does")


if __name__ == "__main__":
    main()
