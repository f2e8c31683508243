#!/usr/bin/env python3
"""replay --compare shows exactly the pages that each configuration raises by itself, each in one line
with its times, and says how many are common.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("ASTRAY_BIN", HERE.parents[1] / "build/release/bin"))
FLEET = ["--seed", "3", "--services", "4", "--sites", "2", "--endpoints", "2", "--history", "2", "--days", "2",
         "--incidents"]


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok  {what}")


def replay(*words):
    run = subprocess.run([BIN / "astray-collector", "replay", *words], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"FAILED: {run.stderr}")
    return run.stderr


def pages(file):
    """When each incident paged first."""
    first = {}
    for line in file.read_text().splitlines():
        change = json.loads(line)
        if change["severity"] == "page" and change["state"] in ("opened", "escalated"):
            first.setdefault(change["id"], change["rx_us"] // 1_000_000)
    return sorted(first.values())


def seconds(text):
    from datetime import datetime
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def main():
    for program in ("fleet", "astray-collector"):
        if not (BIN / program).exists():
            print(f"SKIPPED: {BIN / program} is not built")
            sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="astray-compare-") as name:
        folder = pathlib.Path(name)
        stream, a, b = (folder / file for file in ("stream", "a.json", "b.json"))
        with open(stream, "wb") as out:
            subprocess.run([BIN / "fleet", *FLEET, "--config", a], stdout=out, check=True)
        config = json.loads(a.read_text())
        config["judgement"] = {**config.get("judgement", {}), "learn_paths": "30 days", "gather": "10 min"}
        b.write_text(json.dumps(config))
        alone = []
        for file in (a, b):
            replay("--config", file, "--incidents", folder / "raised", stream)
            alone.append(pages(folder / "raised"))
        check(alone[0] != alone[1], f"the two page differently ({len(alone[0])} and {len(alone[1])} incidents)")
        said = replay("--config", a, "--compare", b, stream)
        rows = re.findall(r"^  (\S+Z|-) +(\S+Z|-) +\S", said, re.M)
        shown = [sorted(seconds(row[side]) for row in rows if row[side] != "-") for side in (0, 1)]
        check(shown == alone, "each page of each alone stands in one line, at its time, and no other")
        both, only_a, only_b = map(int, re.search(
            r"(\d+) of both, (\d+) only of A, (\d+) only of B", said).groups())
        check(both + only_a == len(alone[0]) and both + only_b == len(alone[1]) and both and only_a,
              f"{both} of both, {only_a} only of A, {only_b} only of B")
        same = replay("--config", a, "--compare", a, stream)
        check(f"{len(alone[0])} of both, 0 only of A, 0 only of B" in same and "later" not in same,
              "a configuration compared with itself pages alike")


if __name__ == "__main__":
    main()
