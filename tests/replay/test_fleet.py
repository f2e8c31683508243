#!/usr/bin/env python3
"""The simulated fleet and its scorer, before anything is judged by them.

What must hold: the same seed writes the same stream and another seed another; lines stand in the order
of rx; the collector reads every one of them; a noise left out is gone; the scorer counts pages as its
head says; and a swapped delegation of such a fleet is paged in time, by a replay of its stream.
"""
import collections
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "fleet"))
import score  # noqa: E402

BIN = pathlib.Path(os.environ.get("ASTRAY_BIN", HERE.parents[1] / "build/release/bin"))
SMALL = ["--services", "4", "--sites", "2", "--endpoints", "2", "--history", "2", "--days", "2"]
MINUTE = 60_000_000


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok  {what}")


def fleet(*words):
    out = subprocess.run([BIN / "fleet", *SMALL, *words], capture_output=True, check=True)
    return out.stdout


def streams(folder):
    first, again = fleet("--seed", "7"), fleet("--seed", "7")
    check(hashlib.sha256(first).digest() == hashlib.sha256(again).digest(), "a seed is a world")
    check(first != fleet("--seed", "8"), "another seed is another")
    lines = [json.loads(line) for line in first.splitlines()]
    check(len(lines) > 5000, f"days are full of observations ({len(lines)})")
    check(all(a["rx_us"] <= b["rx_us"] for a, b in zip(lines, lines[1:])), "lines stand in the order of rx")
    kinds = collections.Counter(line["kind"] for line in lines)
    check(set(kinds) >= {"hello", "traffic", "check", "trace", "dns", "registry", "health"}, f"every kind: {dict(kinds)}")
    quiet = [json.loads(line) for line in fleet("--seed", "7", "--without", "servfail").splitlines()]
    failed = [sum(line["kind"] == "dns" and line["rcode"] != "NOERROR" for line in part) for part in (lines, quiet)]
    check(failed[0] > 0 and failed[1] == 0, f"a noise left out is gone ({failed[0]} failures, then {failed[1]})")
    unknown = subprocess.run([BIN / "fleet", *SMALL, "--without", "thunder"], capture_output=True, text=True)
    check(unknown.returncode == 64 and "thunder" in unknown.stderr, "an unknown noise is refused by name")


def change(rx, state, severity, services, sites=(), causes=("latency",), incident="a"):
    return {"rx_us": rx, "id": incident, "state": state, "severity": severity, "services": services,
            "sites": list(sites), "causes": list(causes), "title": ""}


def scored(folder, troubles, changes):
    truth, incidents = folder / "truth", folder / "incidents"
    truth.write_text(json.dumps({"judged_from_us": 0, "judged_until_us": 7 * 24 * 60 * MINUTE, "services": 10,
                                 "troubles": troubles}))
    incidents.write_text("".join(json.dumps(row) + "\n" for row in changes))
    return score.score(truth, incidents)


def scorer(folder):
    slow = {"kind": "slow", "from_us": 100 * MINUTE, "until_us": 400 * MINUTE, "weight": 2, "target_us": 20 * MINUTE,
            "causes": "latency", "services": ["mail"]}
    uplink = {**slow, "kind": "uplink", "causes": "site", "services": [], "site": "tokyo"}
    (trouble,), false, weeks = scored(folder, [slow], [change(110 * MINUTE, "opened", "page", ["mail"])])
    check(trouble.result == 1 and not false and weeks == 10, "a page in time with its cause earns all")
    (trouble,), false, _ = scored(folder, [slow], [change(110 * MINUTE, "opened", "page", ["mail"], causes=["traffic"])])
    check(trouble.result == 0.7, "a wrong cause earns seven tenths")
    (trouble,), _, _ = scored(folder, [slow], [change(260 * MINUTE, "opened", "page", ["mail"])])
    check(abs(trouble.result - 0.3) < 1e-9, "eight times the target earns three tenths")
    (trouble,), _, _ = scored(folder, [slow], [change(420 * MINUTE, "opened", "page", ["mail"])])
    check(trouble.result == 0.1, "after the end, a tenth")
    _, false, _ = scored(folder, [slow], [change(90 * MINUTE, "opened", "page", ["mail"]),
                                          change(120 * MINUTE, "opened", "page", ["wiki"]),
                                          change(130 * MINUTE, "opened", "warn", ["wiki"])])
    check(len(false) == 2, "too early and elsewhere are false, a warning costs nothing")
    _, false, _ = scored(folder, [slow], [change(110 * MINUTE, "escalated", "page", ["mail"])] * 4)
    check(len(false) == 1, "more pages than services and two are false")
    (trouble,), false, _ = scored(folder, [uplink], [change(110 * MINUTE, "opened", "page", [name], ["tokyo", "osaka"])
                                                     for name in ("mail", "wiki", "shop")])
    check(trouble.result == 0 and len(false) == 1, "a site's trouble bears two pages of services, unpaid")


def judged(folder):
    config, truth, incidents = folder / "config", folder / "truth", folder / "raised"
    stream = fleet("--seed", "3", "--incidents", "--config", str(config), "--truth", str(truth))
    replay = subprocess.run([BIN / "astray-collector", "replay", "--config", config, "--incidents", incidents, "-"],
                            input=stream, capture_output=True)
    check(replay.returncode == 0, "the collector reads the whole stream")
    troubles, _, _ = score.score(truth, incidents)
    names = [trouble for trouble in troubles if trouble.kind == "name-server"]
    check(names, "the fleet has a swapped delegation")
    check(all(trouble.result == 1 for trouble in names),
          f"a swapped delegation is paged in time, by its name ({[trouble.result for trouble in names]})")


def main():
    for program in ("fleet", "astray-collector"):
        if not (BIN / program).exists():
            print(f"SKIPPED: {BIN / program} is not built")
            sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="astray-fleet-") as folder:
        streams(pathlib.Path(folder))
        scorer(pathlib.Path(folder))
        judged(pathlib.Path(folder))


if __name__ == "__main__":
    main()
