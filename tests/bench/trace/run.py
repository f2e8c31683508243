#!/usr/bin/env python3
"""Tracing beside the best peers, in turn, on the lab's programmed paths: ./dev bench trace

Every round runs each tool once; medians over the rounds are printed, and the ratio of the best peer to
astray (above 1: astray is better). CPU is the tool's own, by the kernel's account, less what a program
that does nothing takes; the wall clock's time includes some milliseconds of starting anything. All run at the highest priority, so that others on the
machine disturb little. The emulator waits for due packets by turning, so round trips are exact to a
few microseconds as long as a core is free for it.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lab"))
from internet import Hop, main, program, skip  # noqa: E402  (after the path to it)

ROUNDS = int(os.environ.get("ROUNDS", "5"))
DESTINATION = "203.0.113.9"
BULK = [f"198.18.{i // 250}.{i % 250 + 1}" for i in range(1000)]
median = statistics.median
START = 0  # CPU that starting a program that does nothing takes here: taken off


def peer(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def measured(here, words, timeout=180):
    """Output, wall seconds, CPU seconds and peak memory (KiB) of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    file = here.folder / "time"
    done = here.run("nice", "-n", "-20", "/usr/bin/time", "-f", "%M", "-o", file, *words, check=False,
                    timeout=timeout)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, wall, max(cpu - START, 0), int(file.read_text().split()[-1])


def addresses_in(text, prefix="192.0.2."):
    return set(re.findall(re.escape(prefix) + r"\d+", text))


class Table:
    def __init__(self, title):
        print(f"\n{title}", flush=True)
        self.rows = {}

    def add(self, tool, **figures):
        for key, value in figures.items():
            self.rows.setdefault(tool, {}).setdefault(key, []).append(value)

    def show(self, target, *compared):
        """The ratio to the best peer of each figure, above 1: astray is better. Those named with a + are
        better the more they are."""
        for tool, figures in self.rows.items():
            print(f"  {tool:<34}" + "  ".join(f"{key} {median(values):.4g}"
                                              for key, values in figures.items()))
        for figure in compared:
            more, figure = figure[0] == "+", figure.lstrip("+")
            own, peers = ([median(f[figure]) for tool, f in self.rows.items()
                           if tool.startswith("astray") is ours and figure in f] for ours in (True, False))
            if not own or not peers:
                continue
            ratio = own[0] / max(*peers, 1e-9) if more else min(peers) / max(own[0], 1e-9)
            print(f"  {'astray / best peer' if more else 'best peer / astray'}, {figure}: {ratio:.2f}")
        print(f"  target: {target}", flush=True)


def astray(*words):
    return [program("astray-probe"), "trace", "--json", "-n", *words]


def in_turn(here, table, commands, figures):
    """Every tool once a round, from another one each time."""
    present = [(tool, words) for tool, words in commands if peer(str(words[0]))]
    for tool, words in commands:
        if not peer(str(words[0])):
            print(f"  {tool:<34}not installed")
    for turn in range(ROUNDS):
        for i in range(len(present)):
            tool, words = present[(i + turn) % len(present)]
            out, wall, cpu, memory = measured(here, words)
            table.add(tool, **figures(out, wall, cpu, memory))


def chain(count, rtt_ms, **more):
    return [Hop(f"192.0.2.{n}", rtt_ms * n / (count + 1), **more) for n in range(1, count + 1)]


def one_trace(internet, here):
    internet.path(here, DESTINATION, chain(19, 50), rtt_ms=50)
    table = Table("One trace, 20 hops, 50 ms (wall s; hops found of 19 routers)")
    in_turn(here, table, [
        ("astray", astray("--protocol", "icmp", "--queries", "1", DESTINATION)),
        ("traceroute -I -q1 -N20", ["traceroute", "-n", "-I", "-q1", "-N20", "-m20", DESTINATION]),
        ("traceroute", ["traceroute", "-n", DESTINATION]),
        ("mtr -c1 -i0.01 -Z1 -G0.1", ["mtr", "-n", "-r", "-c", "1", "-i", "0.01", "-Z", "1", "-G", "0.1",
                                      DESTINATION]),
        ("scamper icmp-paris", ["scamper", "-p", "1000", "-I",
                                f"trace -P icmp-paris -q 1 -w 1 {DESTINATION}"]),
        ("tracepath", ["tracepath", "-n", DESTINATION]),
    ], lambda out, wall, cpu, memory: {"wall": wall, "found": len(addresses_in(out)),
                                       "cpu_ms": cpu * 1000})
    table.show("<= 0.055 s, complete", "wall", "+found", "cpu_ms")


def rtt_error(internet, here):
    hops = chain(19, 50)
    internet.path(here, DESTINATION, hops, rtt_ms=50)
    truth = {hop.addresses: hop.rtt_ms for hop in hops}
    table = Table("RTT error of a hop, least of 3 (median ms over hops)")

    def errors(pairs):
        return {"error": median(abs(rtt - truth[a]) for a, rtt in pairs if a in truth)}

    for turn in range(ROUNDS):
        out = measured(here, astray("--protocol", "icmp", "--queries", "3", DESTINATION))[0]
        table.add("astray", **errors([(h.get("address"), h.get("rtt_us", 0) / 1000)
                                      for h in json.loads(out)["hops"]]))
        if peer("traceroute"):
            out = measured(here, ["traceroute", "-n", "-I", "-q3", "-N20", DESTINATION])[0]
            found = re.findall(r"^ *\d+ +([\d.]+)((?: +[\d.]+ ms)+)", out, re.M)
            table.add("traceroute -I", **errors(
                [(a, min(float(x) for x in re.findall(r"([\d.]+) ms", r))) for a, r in found]))
        if peer("scamper"):
            out = measured(here, ["scamper", "-p", "1000", "-O", "json", "-o", "-", "-I",
                                  f"trace -P icmp-paris -q 3 -Q -w 1 {DESTINATION}"])[0]
            least = {}
            for line in out.splitlines():
                for h in json.loads(line).get("hops", []):
                    least[h["addr"]] = min(h["rtt"], least.get(h["addr"], 1e9))
            if least:
                table.add("scamper", **errors(least.items()))
        if peer("mtr"):
            out = measured(here, ["mtr", "-n", "-j", "-c", "3", "-i", "0.1", "-G", "0.1",
                                  DESTINATION])[0]
            table.add("mtr", **errors([(h["host"], float(h["Best"]))
                                       for h in json.loads(out)["report"]["hubs"]]))
    table.show("<= 0.02 ms", "error")


def bulk(internet, here):
    internet.path(here, "198.18.0.0/15", chain(19, 50), rtt_ms=50)
    targets = here.folder / "targets"
    targets.write_text("".join(f"{address}\n" for address in BULK))
    table = Table("1,000 destinations x 20 hops, one process (CPU a probe packet, all output)")
    packets = len(BULK) * 20

    def figures(complete):
        def take(out, wall, cpu, memory):
            return {"wall": wall, "cpu_us": cpu * 1e6 / packets, "MB": memory / 1024,
                    "complete": complete(out)}
        return take

    def own_complete(out):
        return sum(record["reached"] and len(record["hops"]) == 20
                   and all(hop["answered"] for hop in record["hops"])
                   for record in map(json.loads, out.splitlines())) / len(BULK)

    def their_complete(out):
        return sum(record.get("stop_reason") == "COMPLETED" for record in
                   (json.loads(line) for line in out.splitlines() if line.startswith("{"))
                   if record.get("type") == "trace") / len(BULK)

    own = astray("--protocol", "icmp", "--queries", "1", "--max-ttl", "20", "--rate", "100000",
                 "--targets", targets)
    in_turn(here, table, [("astray", own)], figures(own_complete))
    in_turn(here, table, [("scamper icmp-paris, JSON", [
        "scamper", "-p", "10000", "-w", "0", "-O", "json", "-o", "-", "-c",
        "trace -P icmp-paris -q 1 -w 1 -m 20", "-f", targets])], figures(their_complete))
    table.show("<= 0.5 s wall, <= 8 us CPU a packet with NDJSON out, <= 16 MB", "wall", "cpu_us", "MB")
    counters = internet.counters()
    print(f"  (the emulator dropped {counters.get('overflowed', 0)} for want of room)")


def wide_diamond(internet, here):
    width = 16
    hops = [Hop("192.0.2.1", 1), Hop("192.0.2.2", 2),
            Hop([f"192.0.2.{16 + n}" for n in range(width)], 4), Hop("192.0.2.3", 6)]
    internet.path(here, DESTINATION, hops, rtt_ms=10)
    table = Table("A diamond 16 wide (routers found of 19)")
    in_turn(here, table, [
        ("astray --all-paths", astray("--all-paths", "--rate", "5000", "--protocol", "icmp",
                                      DESTINATION)),
        ("traceroute -I -q10", ["traceroute", "-n", "-I", "-q10", DESTINATION]),
        ("mtr -c10", ["mtr", "-n", "-r", "-c", "10", "-i", "0.1", "-G", "0.1", DESTINATION]),
    ], lambda out, wall, cpu, memory: {"found": len(addresses_in(out)), "wall": wall})
    if peer("scamper") and not os.environ.get("QUICK"):
        out, wall, _, _ = measured(here, ["scamper", "-p", "1000", "-O", "json", "-o", "-", "-I",
                                          f"tracelb -P icmp-echo {DESTINATION}"])
        table.add("scamper tracelb (once)", found=len(addresses_in(out)), wall=wall)
    table.show("all routers, <= 1 s", "wall", "+found")


def silent_tail(internet, here):
    hops = chain(15, 40) + [Hop(f"192.0.2.{n}", 45, silent=True) for n in range(16, 20)]
    internet.path(here, DESTINATION, hops, rtt_ms=50)
    table = Table("Four silent hops before the destination, 50 ms (routers found of 15, reached)")

    in_turn(here, table, [
        ("astray", astray("--protocol", "icmp", DESTINATION)),
        ("traceroute -I -q3 -N64", ["traceroute", "-n", "-I", "-q3", "-N64", DESTINATION]),
        ("traceroute -q3", ["traceroute", "-n", "-q3", DESTINATION]),
        ("scamper", ["scamper", "-p", "1000", "-O", "json", "-o", "-", "-I",
                     f"trace -P icmp-paris -q 1 -w 1 {DESTINATION}"]),
    ], lambda out, wall, cpu, memory: {
        "wall": wall, "found": len(addresses_in(out)),
        "reached": out.count(f" {DESTINATION} ") > 1 or '"reached":true' in out
        or '"stop_reason":"COMPLETED"' in out})
    table.show("complete, <= 0.3 s", "wall", "+found")


def rate_limited(internet, here):
    """Each tool asks over some seconds; before its turn the routers have rested."""
    hops = [Hop(f"192.0.2.{n}", n, answers_per_s=1, burst=1) for n in range(1, 8)]
    table = Table("Seven routers that answer once a second (found of 7; routers said to lose packets)")

    def claims(out):
        """mtr and traceroute leave it to the reader: a hop that misses some, while the end misses none."""
        rows = [float(share) for share in re.findall(r"^ *\d+\.\|-- \S+ +([\d.]+)%", out, re.M)]
        if rows:
            return sum(share > 0 for share in rows[:-1])
        return out.count("loss") or len([line for line in out.splitlines()
                                         if re.match(r" *\d+ ", line) and " *" in line])

    commands = [
        ("astray --rounds 4", [program("astray-probe"), "trace", "-n", "--protocol", "icmp", "--queries", "2",
                               "--rounds", "4", DESTINATION]),
        ("traceroute -I -q3", ["traceroute", "-n", "-I", "-q3", DESTINATION]),
        ("mtr -c4", ["mtr", "-n", "-r", "-c", "4", "-i", "1", "-G", "1", DESTINATION]),
    ]
    for turn in range(min(ROUNDS, 3)):
        for tool, words in commands:
            if not peer(str(words[0])):
                continue
            internet.path(here, DESTINATION, hops, rtt_ms=10)
            time.sleep(1.2)  # what a router of this kind takes to answer again
            out, wall, _, _ = measured(here, words)
            table.add(tool, found=len(addresses_in(out)), loss_claimed=claims(out), wall=wall)
    table.show("found over rounds, never called loss or rerouting", "+found")


def bench(internet):
    if not shutil.which("time"):
        skip("time is not installed")
    global START
    internet.spin(50)
    here = internet.host("here", "198.51.100.2")
    internet.imaginary("there", "203.0.113.0/24", "198.18.0.0/15")
    nothing = [measured(here, ["true"]) for _ in range(7)]
    START = median(run[2] for run in nothing)
    for row in (one_trace, rtt_error, bulk, wide_diamond, silent_tail, rate_limited):
        if len(sys.argv) > 1 and sys.argv[1] not in row.__name__:
            continue
        row(internet, here)


main(bench)
