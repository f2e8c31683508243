#!/usr/bin/env python3
"""Passive measurement beside the best peers, in turn: ./dev bench flow

One capture is made: 80,000 connections that are open at one time, HTTP/1 in the clear and inside TLS,
HTTP/2 inside TLS, with losses. Every tool reads it once a round; medians over the rounds are printed. A
tool's speed is packets by its own CPU, user's and the kernel's together, as the kernel accounts for it:
what it does on one core, whatever else the machine is doing. astray counts requests, times answers and
names services meanwhile, and is held to the truth that the maker of the capture tells.

Live: frames are sent into a veth device between two namespaces; what did not arrive is told by the
sender's own count. astray is exact there only if a core is free for it: loss beside a bare reader, which
takes its turn with the same frames, says what the machine was doing.

    run.py [ROW]     reading, tshark, memory, bounded, bursts, sustained; ROUNDS=n in the environment
"""
import collections
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BIN = pathlib.Path(os.environ["ASTRAY_BIN"]).resolve()
PROBE = BIN / "astray-probe"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "80000"))
FLOWS = int(os.environ.get("FLOWS", "10000000"))
SENDERS = os.environ.get("SENDERS", str(min(16, os.cpu_count() or 1)))
ONE_SENDER_RATE = 600_000
MEMORY_MB = 32
SPEECHES = ("clear", "tls12", "tls13", "http2")
failures = []


def hold(holds, what):
    if not holds:
        failures.append(what)
        print(f"  FALLS SHORT: {what}", flush=True)


def tool(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Run:
    """One run of a program: its output, CPU and wall seconds, and peak memory in MB."""

    def __init__(self, words, stdin=None):
        with tempfile.NamedTemporaryFile("r") as note:
            start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run([tool("time"), "-f", "%U %S %M", "-o", note.name,
                                   *map(str, words)], stdin=stdin, capture_output=True, text=True,
                                  timeout=600)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.wall = time.monotonic() - start
            self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.megabytes = int(note.read().split()[-1]) / 1024
        self.out, self.err, self.status = done.stdout, done.stderr, done.returncode


def make(folder, connections):
    file = folder / f"{connections}.pcap"
    with file.open("wb") as out:
        done = subprocess.run([BIN / "traffic_maker", str(connections)], stdout=out,
                              stderr=subprocess.PIPE, text=True, check=True)
    return file, json.loads(done.stderr)


def own_totals(lines):
    """Requests, answer times' buckets and the like by kind of speech: services are SPEECH-n.example."""
    totals = collections.defaultdict(collections.Counter)
    buckets = collections.defaultdict(collections.Counter)
    for line in lines.splitlines():
        seen = json.loads(line)
        speech = seen["service"].split("-")[0]
        for key in ("connections", "requests", "responses", "untimed", "multiplexed"):
            totals[speech][key] += seen.get(key, 0)
        sketch = seen.get("response_us")
        for place, count in enumerate(sketch["counts"] if sketch else ()):
            width = 2.0 ** 2 ** -sketch["scale"]
            buckets[speech][width ** (sketch["offset"] + place + 0.5)] += count
    return totals, buckets


def quantile(counter, part):
    want, seen = part * sum(counter.values()), 0
    for value in sorted(counter):
        seen += counter[value]
        if seen >= want:
            return value
    return 0


def check_truth(output, truth):
    totals, buckets = own_totals(output)
    for speech in SPEECHES:
        seen, real = totals[speech], truth[speech]
        p50, p99 = (quantile(buckets[speech], part) for part in (0.5, 0.99))
        off = seen["requests"] / real["requests"] - 1
        print(f"  {speech:<6} {real['requests']:>8} requests, counted {off:+.3%}; first byte p50 "
              f"{real['p50_us']} us ({p50 / real['p50_us'] - 1:+.2%}), p99 {real['p99_us']} us "
              f"({p99 / real['p99_us'] - 1:+.2%})")
        hold(abs(off) <= (0.01 if speech == "http2" else 0), f"{speech}: requests off by {off:+.3%}")


class Table:
    """Speed in packets a CPU second, by tool; what is missing is said."""

    def __init__(self, packets):
        self.packets, self.runs = packets, collections.defaultdict(list)

    def turn(self, tools, number):
        for place in range(len(tools)):
            name, words = tools[(place + number) % len(tools)]
            if tool(str(words[0])):
                self.runs[name].append(Run(words))

    def show(self, tools):
        for name, words in tools:
            runs = self.runs.get(name)
            if not runs:
                print(f"  {name:<34}not installed")
                continue
            cpu = statistics.median(run.cpu for run in runs)
            print(f"  {name:<34}{self.packets / cpu / 1e6:6.2f} M packets/s of CPU, "
                  f"{cpu / self.packets * 1e6:.3f} us a packet, wall "
                  f"{statistics.median(run.wall for run in runs):.2f} s, "
                  f"{max(run.megabytes for run in runs):.0f} MB" + self.ratio(name, cpu), flush=True)

    def ratio(self, name, cpu):
        own = self.runs.get("astray")
        if name == "astray" or not own:
            return ""
        return f"   astray/peer {cpu / statistics.median(run.cpu for run in own):.2f}"


def astray(file):
    return [PROBE, "flow", "--json", "-r", file]


def reading(folder):
    file, truth = make(folder, CONNECTIONS)
    print(f"\nReading {truth['packets'] / 1e6:.2f} M packets, {truth['bytes'] / 1e9:.2f} GB, "
          f"{CONNECTIONS} connections open at one time; {ROUNDS} rounds")
    tools = [("astray", astray(file)),
             ("bare libpcap", [BIN / "bare_reader", file]),
             ("tcpdump -w", ["tcpdump", "-n", "-r", file, "-w", "/dev/null"]),
             ("argus", ["argus", "-J", "-R", "-r", file, "-w", folder / "argus.out"]),
             ("suricata", ["suricata", "--runmode", "single", "-r", file, "-l", folder]),
             ("softflowd", ["softflowd", "-r", file, "-d", "-m", "200000"]),
             ("tcptrace -n", ["tcptrace", "-n", file])]
    table = Table(truth["packets"])
    for number in range(ROUNDS):
        table.turn(tools, number)
        (folder / "argus.out").unlink(missing_ok=True)
    table.show(tools)
    own = table.runs["astray"]
    speed = truth["packets"] / statistics.median(run.cpu for run in own) / 1e6
    memory = max(run.megabytes for run in own)
    print("  target: 1.5 M packets/s, 2.5 is aimed at; 32 MB at 80,000 connections")
    hold(speed >= 1.5, f"{speed:.2f} M packets/s")
    hold(memory <= MEMORY_MB, f"{memory:.1f} MB at {CONNECTIONS} connections")
    check_truth(own[-1].out, truth)
    file.unlink()


def slow_peers(folder):
    """Those that would take a minute over the large one."""
    connections = CONNECTIONS // 8
    file, truth = make(folder, connections)
    print(f"\nReading {truth['packets'] / 1e6:.2f} M packets of {connections} connections")
    tools = [("astray", astray(file)),
             ("tshark -z conv,tcp", ["tshark", "-n", "-q", "-r", file, "-z", "conv,tcp"]),
             ("tshark -z http,tree", ["tshark", "-n", "-q", "-r", file, "-z", "http,tree"])]
    table = Table(truth["packets"])
    table.turn(tools, 0)
    table.show(tools)
    file.unlink()


def memory(folder):
    """What a connection costs by what it speaks; the mixture's is told beside its reading."""
    print(f"\nmemory at {CONNECTIONS} open connections that all speak the same")
    for speech in SPEECHES:
        maker = subprocess.Popen([BIN / "traffic_maker", str(CONNECTIONS), "2020", speech], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL)
        run = Run([PROBE, "flow", "--json", "--window", "60", "-r", "-"], stdin=maker.stdout)
        maker.stdout.close()
        maker.wait()
        print(f"  {speech:<6}{run.megabytes:6.1f} MB", flush=True)
        hold(run.megabytes <= MEMORY_MB, f"{speech}: {run.megabytes:.1f} MB")


def bounded(folder):
    """Floods pass by a hundred established connections, which must stay measured."""
    print(f"\n{FLOWS / 1e6:.0f} M connections that were never seen before pass by 100 established ones")
    for kind in ("syn", "scan", "middle", "hello"):
        flows = FLOWS if kind in ("syn", "middle") else FLOWS // 5
        maker = subprocess.Popen([BIN / "flood_maker", str(flows), kind], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        services = folder / "kept.json"
        run = Run([PROBE, "flow", "--json", "-r", "-"], stdin=maker.stdout)
        maker.stdout.close()
        truth = json.loads(maker.stderr.read())
        maker.wait()
        totals, _ = own_totals(run.out)
        kept = totals["kept.example"]
        off = kept["requests"] / truth["requests"] - 1
        print(f"  {kind:<7}{flows / 1e6:5.1f} M flows, {run.megabytes:.1f} MB; established connections' requests "
              f"{off:+.3%}; told: {'; '.join(run.err.split(chr(10))[:-1]) or 'nothing'}", flush=True)
        hold(run.megabytes <= 64, f"{kind}: {run.megabytes:.1f} MB")
        hold(off == 0, f"{kind}: established connections' requests off by {off:+.2%}")
        hold("gave way" in run.err or kind == "scan", f"{kind}: what gave way is told")
        services.unlink(missing_ok=True)


class Wire:
    """Two namespaces with a veth between them: frames sent here arrive there and nowhere else."""

    def __enter__(self):
        self.names = [f"astray-bench-{end}-{os.getpid()}" for end in ("a", "b")]
        for name in self.names:
            subprocess.run(["ip", "netns", "add", name], check=True)
        subprocess.run(["ip", "-n", self.names[0], "link", "add", "wire", "type", "veth", "peer", "name",
                        "wire", "netns", self.names[1]], check=True)
        for name in self.names:
            # Nothing of the kernel's own may be among the frames that are counted.
            subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw",
                            "net.ipv6.conf.wire.disable_ipv6=1"], check=False)
            subprocess.run(["ip", "-n", name, "link", "set", "wire", "mtu", "9000", "arp", "off", "up"], check=True)
        return self

    def __exit__(self, *failure):
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], check=False)

    def there(self, *words):
        return ["ip", "netns", "exec", self.names[1], *map(str, words)]

    def send(self, file, rate, frames):
        # One is enough for less, and leaves a core of two to who receives.
        senders = SENDERS if rate > ONE_SENDER_RATE else "1"
        done = subprocess.run(["ip", "netns", "exec", self.names[0], BIN / "frame_sender", file, "wire",
                               str(rate), str(frames), "256", senders], capture_output=True, text=True, check=True)
        sent, seconds = done.stdout.split()
        return int(sent), float(seconds)


class Receiver:
    """A program that captures what comes, with a ring of 64 MB."""

    def __init__(self, wire, *words):
        self.process = subprocess.Popen(wire.there(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for_capture(self.process.pid)

    def end(self):
        """Packets seen, packets told as dropped and seconds of CPU; it reads what is in its ring before it ends."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seen = int(re.search(r"(\d+) packets, ", out + err)[1])
        told = re.search(r"(\d+) packets were dropped", out + err)
        return seen, int(told[1]) if told else 0, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


RECEIVERS = {"astray": (PROBE, "flow", "-i", "wire", "--buffer", "64"), "bare libpcap": (BIN / "bare_reader", "-i", "wire")}


def unqueued():
    """Frames that the kernel dropped before any capture could see them: its queues between cores were full."""
    return sum(int(line.split()[1], 16) for line in pathlib.Path("/proc/net/softnet_stat").read_text().splitlines())


def play(wire, name, file, rate, frames):
    """One run: whether it was as fast as asked for, and how many were lost in the capture."""
    receiver, before = Receiver(wire, *RECEIVERS[name]), unqueued()
    sent, seconds = wire.send(file, rate, frames)
    seen, told, cpu = receiver.end()
    arrived = sent - (unqueued() - before)
    print(f"  {name:<13} sent {sent} in {seconds:.2f} s ({sent / seconds / 1e6:.2f} M/s), {sent - arrived} of them lost "
          f"before any capture; lost {arrived - seen} ({(arrived - seen) / sent:.4%}), told as dropped {told}; "
          f"{cpu:.2f} s of CPU", flush=True)
    if name == "astray":
        hold(told == arrived - seen, f"{arrived - seen} lost, {told} told as dropped")
    return arrived / seconds >= 0.99 * rate, arrived - seen


def wait_for_capture(pid):
    """Until the process has a packet socket in its namespace."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        table = pathlib.Path(f"/proc/{pid}/net/packet")
        if table.exists() and table.read_text().count("\n") > 1:
            return
        time.sleep(0.02)
    sys.exit("the capture did not start")


def live(folder, title, rate, frames, rounds):
    if os.geteuid() != 0:
        print(f"\n{title}: SKIPPED, namespaces need root")
        return
    file, _ = make(folder, min(CONNECTIONS, 16000))
    print(f"\n{title}")
    runs = collections.defaultdict(list)
    with Wire() as wire:
        for _ in range(rounds):
            for name in RECEIVERS:
                runs[name].append(play(wire, name, file, rate, frames))
    lossless = sum(lost == 0 for _, lost in runs["astray"])
    print(f"  astray lost none in {lossless} of {rounds} runs, a bare reader in "
          f"{sum(lost == 0 for _, lost in runs['bare libpcap'])}")
    # What could not be sent here was not measured.
    fast = sum(reached for reached, _ in runs["astray"])
    hold(fast == rounds, f"this machine sent so fast in {fast} of {rounds} runs")
    hold(lossless == rounds, f"packets were lost in {rounds - lossless} of {rounds} runs")
    file.unlink()


def bursts(folder):
    live(folder, "Live, bursts of 0.7 s at 0.9 M packets/s over veth, a ring of 64 MB", 900_000, 630_000, 5)


def sustained(folder):
    live(folder, "Live, 8 s at 0.5 M packets/s over veth, a ring of 64 MB", 500_000, 4_000_000, 3)


ROWS = {"reading": reading, "tshark": slow_peers, "memory": memory, "bounded": bounded, "bursts": bursts,
        "sustained": sustained}


def main():
    if not tool("time"):
        print("SKIPPED: time is not installed")
        sys.exit(77)
    wanted = sys.argv[1:] or list(ROWS)
    with tempfile.TemporaryDirectory(prefix="astray-bench-", dir=os.environ.get("TMPDIR", "/tmp")) as name:
        for row in wanted:
            ROWS[row](pathlib.Path(name))
    print(f"\n{len(failures)} rows fall short" if failures else "\nall rows reach their targets")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
