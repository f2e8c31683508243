#!/usr/bin/env python3
"""One laptop in twenty lies: it says that names lead elsewhere and paths go abroad, which nobody else sees.
That neither causes nor hides a page: the same fleets without their liars page for the very same.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("ASTRAY_BIN", HERE.parents[1] / "build/release/bin"))
FLEET = ["--services", "8", "--sites", "3", "--endpoints", "20", "--history", "2", "--days", "2"]
SEED = "7"
HOUR = 3_600_000_000


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok  {what}")


def pages(folder, *words):
    """The pages of a fleet, (when, services or site, title) each, and what its stream was."""
    config, raised, stream = (folder / file for file in ("config", "raised", "stream"))
    with open(stream, "wb") as out:
        subprocess.run([BIN / "fleet", *FLEET, *words, "--config", config], stdout=out, check=True)
    replay = subprocess.run([BIN / "astray-collector", "replay", "--config", config, "--incidents", raised, stream],
                            capture_output=True, text=True)
    if replay.returncode:
        sys.exit(f"FAILED: {replay.stderr}")
    out = []
    for line in raised.read_text().splitlines():
        change = json.loads(line)
        if change["severity"] == "page" and change["state"] in ("opened", "escalated"):
            out.append((change["rx_us"], set(change["services"] or change["sites"]), change["title"]))
    return out, hashlib.sha256(stream.read_bytes()).digest()


def missing(some, others):
    """Those of some that have none alike in time and subject among the others."""
    return [title for at, subject, title in some
            if not any(abs(at - then) < HOUR and subject & theirs for then, theirs, _ in others)]


def main():
    for program in ("fleet", "astray-collector"):
        if not (BIN / program).exists():
            print(f"SKIPPED: {BIN / program} is not built")
            sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="astray-liars-") as name:
        folder = pathlib.Path(name)
        honest, without = pages(folder, "--seed", SEED, "--incidents", "--without", "liars")
        lied_to, with_liars = pages(folder, "--seed", SEED, "--incidents")
        check(with_liars != without, "there are liars")
        check(honest, f"{len(honest)} pages without liars, {len(lied_to)} with")
        check(not missing(honest, lied_to), f"none is hidden {missing(honest, lied_to)}")
        check(not missing(lied_to, honest), f"none is caused {missing(lied_to, honest)}")
        calm, _ = pages(folder, "--seed", "7")
        honest, _ = pages(folder, "--seed", "7", "--without", "liars")
        check(not missing(calm, honest), f"on calm days none is caused {missing(calm, honest)}")


if __name__ == "__main__":
    main()
