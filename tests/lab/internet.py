"""A little internet for one test: machines in network namespaces, and programmed paths between them.

    def scenario(internet):
        tokyo = internet.host("tokyo", "198.51.100.2", "2001:db8:1::2")
        shop = internet.host("shop", "203.0.113.10")
        internet.path(tokyo, "203.0.113.0/24", [Hop("192.0.2.1", 0.4), Hop("192.0.2.2", 4)], rtt_ms=9)
        tokyo.run("ping", "-c1", "203.0.113.10")

    internet.main(scenario)

Packets between machines are real and pass through tests/lab/emulator with the programmed round trip;
the program holds both ways, and a path that is programmed again is another one from then on.
Everything runs in namespaces of processes, mounts and network of its own, without any way out: when
the script ends, however it ends, the kernel ends all that it started. /run is a folder in memory
there, for what servers write; if the script fails it shows the end of every *.log in it.
"""
import contextlib
import ctypes
import dataclasses
import ipaddress
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

NEW_NETWORK = 0x40000000
NOT_ROOT = "network namespaces and capturing need root"
REFUSALS = {"net": (0, 0), "host": (1, 3), "protocol": (2, 4), "port": (3, 4), "admin": (13, 1)}
TOP = pathlib.Path(__file__).resolve().parents[2]
RUN = pathlib.Path("/run")


def skip(why):
    """This machine cannot run it: loudly, and never as a success."""
    print(f"SKIPPED: {why}", flush=True)
    sys.exit(77)


class Failed(Exception):
    """What the scenario is about does not hold."""


def check(holds, what):
    if not holds:
        raise Failed(what)


def wait_for(what, ready, timeout=20, every=0.02):
    """The first true value of ready(); for what no event tells of."""
    end = time.monotonic() + timeout
    while not (value := ready()):
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {timeout} s")
        time.sleep(every)
    return value


def program(name):
    """One of the project's programs, from $ASTRAY_BIN."""
    path = pathlib.Path(os.environ.get("ASTRAY_BIN", TOP / "build/release/bin")) / name
    if not path.exists():
        skip(f"{path} is not built")
    return str(path.resolve())


def tool(name):
    """A program of the machine, also where only root's path leads."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        skip(f"{name} is not installed")
    return path


@dataclasses.dataclass
class Hop:
    """A router, or several in parallel (addresses of both families may be mixed)."""
    addresses: object  # one, or a list
    rtt_ms: float
    jitter_ms: float = 0       # of its answers, evenly up to this
    silent: bool = False
    loss: float = 0            # of packets that come here
    answer_loss: float = 0
    answers_per_s: float = 0   # 0: no limit; each router has its own
    burst: float = 1
    labels: tuple = ()         # MPLS
    bare_extension: bool = False  # labels in the form before RFC 4884
    quote: int = 0             # bytes of the packet in its answers; 0: all that may be
    refuses: str = ""          # everything: net, host, protocol, port, admin
    mtu: int = 0
    nat: tuple = ()            # addresses that take the source's place in what passes; they must be
                               # the origin's to be answered: internet.host(…, owns=[…])
    tos: int = -1              # of what passes
    quoted_ttl: int = -1       # of what it quotes

    def words(self):
        words = dataclasses.asdict(self)
        words["addresses"] = [self.addresses] if isinstance(self.addresses, str) else list(self.addresses)
        words["nat"] = [self.nat] if isinstance(self.nat, str) else list(self.nat)
        for key in ("rtt", "jitter"):
            words[f"{key}_us"] = round(words.pop(f"{key}_ms") * 1000)
        refuses = words.pop("refuses")
        if refuses:
            words["refuses4"], words["refuses6"] = REFUSALS[refuses]
        return words


class Host:
    """A machine: a network namespace with a TUN device, whose other end is the emulator."""

    def __init__(self, internet, name, addresses):
        self.internet, self.name = internet, name
        self.folder = RUN / name
        self.folder.mkdir()
        self.namespace = f"/run/netns/{name}"
        self.addresses = [str(ipaddress.ip_interface(a).ip) for a in addresses]
        self.address = self.addresses[0]
        self.overlays = {}

    def ip(self, *command):
        subprocess.run([tool("ip"), "-n", self.name, *command], check=True)

    def attach(self, interfaces):
        self.ip("link", "set", "net0", "txqueuelen", "10000", "up")
        families = set()
        for interface in map(ipaddress.ip_interface, interfaces):
            family = interface.version
            extra = ["nodad"] if family == 6 else []
            self.ip(f"-{family}", "address", "add", f"{interface.ip}/{interface.max_prefixlen}", "dev",
                    "net0", *extra)
            if family not in families:
                families.add(family)
                self.ip(f"-{family}", "route", "add", "default", "dev", "net0", "src",
                        str(interface.ip))

    def lan(self, name, address):
        """A machine behind this one, which is its gateway and must own its address."""
        host = self.internet.bare_host(name, address)
        device = f"lan-{name}"[:15]
        self.ip("link", "add", device, "type", "veth", "peer", "net0", "netns", name)
        self.ip("link", "set", device, "up")
        self.ip("route", "add", address, "dev", device)
        with self.entered():
            pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        host.ip("link", "set", "net0", "up")
        host.ip("address", "add", f"{address}/32", "dev", "net0")
        host.ip("route", "add", "default", "via", self.address, "dev", "net0", "onlink")
        return host

    def overlay(self, path, text):
        """Programs that are started here from now on find this text in that file."""
        file = self.folder / path.strip("/").replace("/", "-")
        file.write_text(text)
        target = pathlib.Path(os.path.realpath(path))
        if not target.exists():  # a link into what /run was before
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        self.overlays[str(target)] = str(file)

    def resolver(self, *addresses):
        lines = [f"nameserver {getattr(a, 'address', a)}\n" for a in addresses]
        self.overlay("/etc/resolv.conf", "".join(lines) + "options timeout:2 attempts:2\n")

    @contextlib.contextmanager
    def entered(self):
        """Sockets that this thread makes meanwhile, and processes it starts, are this machine's."""
        enter(self.namespace)
        try:
            yield
        finally:
            enter(self.internet.namespace)

    def command(self, words):
        words = [str(word) for word in words]
        if not self.overlays:
            return words
        binds = "".join(f"mount --bind {file} {target} && " for target, file in self.overlays.items())
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", binds + 'exec "$@"', "sh",
                *words]

    def run(self, *words, check=True, timeout=60, **options):
        """Runs a program to its end; its output as text."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        with self.entered():
            process = subprocess.Popen(self.command(words), **options)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failed(f"{self.name}: {words[0]} did not end within {timeout} s") from None
        done = subprocess.CompletedProcess(words, process.returncode, out, err)
        if check and done.returncode:
            raise Failed(f"{self.name}: {' '.join(map(str, words))}: {done.returncode}: {err}")
        return done

    def start(self, *words, log=None, **options):
        """Starts a program; what it prints goes to NAME.log in the machine's folder, unless said
        otherwise. It ends with the internet at the latest."""
        name = log or pathlib.Path(str(words[0])).name
        with (self.folder / f"{name}.log").open("ab") as file:
            options = {"stdout": file, "stderr": file, "stdin": subprocess.DEVNULL} | options
            with self.entered():
                process = subprocess.Popen(self.command(words), **options)
        self.internet.processes.append(process)
        return process


def enter(namespace):
    """Moves the calling thread into another network namespace."""
    descriptor = os.open(namespace, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, NEW_NETWORK):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    finally:
        os.close(descriptor)


class Internet:
    def __init__(self):
        self.namespace = "/proc/self/ns/net"
        self.processes, self.hosts = [], {}
        self.lock = threading.Lock()
        self.namespace = str(RUN / "own-network")
        pathlib.Path(self.namespace).touch()
        subprocess.run(["mount", "--bind", "/proc/self/ns/net", self.namespace], check=True)
        self.emulator = subprocess.Popen([program("lab_emulator")], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)

    def tell(self, do, **words):
        """One command to the emulator, and its answer."""
        with self.lock:
            self.emulator.stdin.write(json.dumps({"do": do} | words) + "\n")
            self.emulator.stdin.flush()
            line = self.emulator.stdout.readline()
        check(line, f"the emulator ended ({self.emulator.poll()}) at {do}")
        answer = json.loads(line)
        check("error" not in answer, f"the emulator at {do} {words}: {answer.get('error')}")
        return answer

    def host(self, name, *addresses, owns=()):
        """A real machine with these addresses; of each family the first is what it speaks from. What
        it `owns` beside them is sent to it too."""
        host = self.bare_host(name, *addresses)
        self.tell("host", name=name, namespace=host.namespace, addresses=[*addresses, *owns])
        host.attach(addresses)
        return host

    def bare_host(self, name, *addresses):
        subprocess.run([tool("ip"), "netns", "add", name], check=True)
        host = self.hosts[name] = Host(self, name, addresses)
        host.ip("link", "set", "lo", "up")
        return host

    def imaginary(self, name, *prefixes, listens=False, silent=False):
        """Destinations without a machine, as many as the prefixes hold: they answer probes."""
        self.tell("host", name=name, addresses=list(prefixes), listens=listens, silent=silent)

    def path(self, origin, to, hops=(), rtt_ms=1.0, jitter_ms=0.0, loss=0.0, routes=None, **more):
        """Programs the path between a host and a destination (a host, an address, a prefix).
        `routes`: several rows of hops, of which each flow takes one. More: balance_packets,
        reorders, loops_to=N (the last hop sends back to hop N), forgers=[…]."""
        rows = [[hop.words() for hop in row] for row in (routes or [hops])]
        for address in getattr(to, "addresses", [to]):
            self.tell("path", **{"from": getattr(origin, "name", origin)}, to=address,
                      rtt_us=round(rtt_ms * 1000), jitter_us=round(jitter_ms * 1000), loss=loss,
                      routes=rows, **more)

    def no_path(self, origin, to):
        for address in getattr(to, "addresses", [to]):
            self.tell("no-path", **{"from": getattr(origin, "name", origin)}, to=address)

    def counters(self):
        """What the emulator did since this was asked last."""
        return self.tell("counters")

    def arrivals(self, ttl=None):
        """When packets (of this TTL) came since counters() was asked, seconds."""
        answer = self.tell("arrivals")
        return [at / 1e6 for at, its in zip(answer["arrivals"], answer["ttls"]) if ttl in (None, its)]

    def spin(self, microseconds=50):
        """Wait for the last moment before a packet is due by turning: exact to a few microseconds,
        but it may take a whole core. For benches."""
        self.tell("spin", us=microseconds)

    def close(self):
        """Ends what still runs, all at once and then for good."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + 5
        for process in self.processes:
            try:
                process.wait(max(0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        self.emulator.stdin.close()
        self.emulator.wait()


def isolate(keep=()):
    """Starts this script again as the first process of namespaces of its own; descriptors in `keep`
    are inherited. Returns in there only."""
    if os.environ.get("ASTRAY_LAB") == "inside":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "lab", "/run"], check=True)
        subprocess.run([tool("ip"), "link", "set", "lo", "up"], check=True)
        return
    if os.geteuid() != 0:
        skip(NOT_ROOT)
    if not os.path.exists("/dev/net/tun"):
        skip("/dev/net/tun is not there")
    spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([tool("unshare"), *spaces, "true"], capture_output=True).returncode:
        skip("namespaces cannot be made here")
    for descriptor in keep:
        os.set_inheritable(descriptor, True)
    os.environ["ASTRAY_LAB"] = "inside"
    os.execv(tool("unshare"), ["unshare", *spaces, "--", sys.executable, *sys.argv])


def show_logs():
    for file in sorted(RUN.rglob("*.log")):
        lines = file.read_text(errors="replace").splitlines()
        if lines:
            print(f"---- the end of {file}", *lines[-25:], sep="\n  ", file=sys.stderr)


def stop_at_signals():
    def stop(number, _frame):
        raise KeyboardInterrupt(signal.Signals(number).name)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def play(scenario, *arguments):
    """Runs scenario(internet, …) on an internet of its own; the exit code."""
    stop_at_signals()
    internet = None
    try:
        internet = Internet()
        return scenario(internet, *arguments) or 0
    except KeyboardInterrupt:
        return 130
    except Failed as failure:
        print(f"FAILED: {failure}", flush=True)
        show_logs()
        return 1
    except SystemExit as end:
        return end.code
    except Exception:
        traceback.print_exc()
        show_logs()
        return 1
    finally:
        if internet:
            internet.close()


def main(scenario, *arguments):
    isolate()
    sys.exit(play(scenario, *arguments))
