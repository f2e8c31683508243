#!/usr/bin/env python3
"""Judges the collector by simulated fleets: fleets.py [--seeds 1-4] [--calm-seeds 51-54] [--folder DIR] [-- FLEET-OPTIONS]

For each seed a fleet writes its stream into `astray-collector replay`, and the pages are scored by the
truth. Seeds below 100 are for tuning; 101 and up are for reporting, and nothing is tuned on them.
"""
import argparse
import concurrent.futures
import os
import pathlib
import select
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import score  # noqa: E402

BIN = pathlib.Path(os.environ.get("ASTRAY_BIN", "build/release/bin"))


def numbers(text):
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1) if text else ()


def run(folder, seed, incidents, options):
    base = folder / f"{'main' if incidents else 'calm'}-{seed}"
    files = {what: f"{base}.{what}" for what in ("config", "truth", "incidents", "log")}
    fleet = [BIN / "fleet", "--seed", str(seed), "--config", files["config"], "--truth", files["truth"],
             *(["--incidents"] if incidents else ["--days", "28"]), *options]
    # The configuration must be there before the replay reads it, and the fleet writes it first.
    source = subprocess.Popen(fleet, stdout=subprocess.PIPE)
    select.select([source.stdout], [], [])
    with open(files["log"], "w") as log:
        replay = subprocess.Popen([BIN / "astray-collector", "replay", "--config", files["config"], "--incidents",
                                   files["incidents"], "-"], stdin=source.stdout, stdout=log, stderr=log)
        source.stdout.close()
        if replay.wait() or source.wait():
            sys.exit(f"seed {seed}: replay or fleet failed: {pathlib.Path(files['log']).read_text()[-2000:]}")
    return score.score(files["truth"], files["incidents"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", default="1-2")
    parser.add_argument("--calm-seeds", default="51-52")
    parser.add_argument("--folder")
    parser.add_argument("options", nargs="*")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="astray-fleets-") as temporary:
        folder = pathlib.Path(words.folder or temporary)
        folder.mkdir(exist_ok=True)
        jobs = [(seed, True) for seed in numbers(words.seeds)] + [(seed, False) for seed in numbers(words.calm_seeds)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(lambda job: run(folder, *job, words.options), jobs))
    main_runs, calm_runs = ([r for r, job in zip(runs, jobs) if job[1] is kind] for kind in (True, False))
    for title, part in (("main", main_runs), ("calm", calm_runs)):
        for (troubles, false, _), seed in zip(part, [job[0] for job in jobs if job[1] is (title == "main")]):
            for page in false:
                print(f"{title} {seed} false: {page['rx_us']} {','.join(page['causes'])} "
                      f"{','.join(page['services'][:3])} at {','.join(page['sites'])}: {page['title']}")
    if main_runs:
        print("main:")
        score.summarise(main_runs)
    if calm_runs:
        print("calm:")
        score.summarise(calm_runs)
    print("together:")
    score.summarise(runs)


if __name__ == "__main__":
    main()
