#!/usr/bin/env python3
"""Times along a path that takes time, captured at its two ends and in its midst.

A laptop asks nginx 20 ms away, in the clear and inside TLS 1.2 and 1.3, for short and long answers of a service
that takes 5 to 35 ms. tcpdump writes what passes at either end; what a tap between them would have seen follows
from the laptop's file and the programmed delay. tshark, with the client's secrets, tells when each packet of a
handshake, of a request and of its answer passed. What must hold at each of these places:

- connecting towards the server and towards the client are the packets' own times, so is the handshake of TLS, so
  are the first and the last byte of the answers: means and medians within 0.1 ms or 1 %;
- every sample of the round trip is the path's, at most 1 ms longer, also where a connection is idle and kept alive;
- the service's own time is first byte less round trip: no less than it slept, nor 2 ms more, and the same at every
  place; the table shows the medians;
- where the path loses packets, they are told as sent again, and none as lost to the capture.

Needs root, /dev/net/tun, unshare, nginx, curl, tcpdump and tshark; skips loudly (exit 77) without them.
"""
import json
import os
import signal
import socket
import statistics
import struct
import subprocess

from internet import Hop, check, main, program, tool, wait_for
from servers import listens
from test_flow_streams import Backend, Measured, quantile
from test_flow_times import NGINX, SPEECHES

LAPTOP, SHOP = "198.51.100.2", "203.0.113.10"
RTT_MS, MIDST_MS = 40, 5  # MIDST_MS: how far the tap in the midst is from the laptop, one way
COUNT, CONNECTIONS = 120, 4
FIELDS = ("tcp.stream", "frame.time_epoch", "ip.src", "tcp.len", "tcp.flags.syn", "tcp.seq_raw", "http.request",
          "tls.handshake.type")


class Place:
    """Where packets are captured."""

    def __init__(self, host):
        self.file = host.folder / "packets.pcap"
        self.process = host.start(tool("tcpdump"), "-i", "net0", "--immediate-mode", "-B", "65536", "-U", "-w",
                                  self.file, "tcp", stderr=subprocess.PIPE, text=True)
        while "listening" not in self.process.stderr.readline():
            check(self.process.poll() is None, "tcpdump ended")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        check(self.process.wait(10) == 0, "tcpdump failed")
        return self.file


def records(file):
    """(seconds, the rest of the record's head, the packet) of a capture with microseconds."""
    bytes_, at = file.read_bytes(), 24
    while at < len(bytes_):
        seconds, micros, captured = struct.unpack_from("<III", bytes_, at)
        yield seconds * 1_000_000 + micros, bytes_[at + 8:at + 16 + captured]
        at += 16 + captured


def moved(file, later_ms):
    """What a tap sees so much nearer to the server than the laptop."""
    shown = file.with_name("midst.pcap")
    source = socket.inet_aton(LAPTOP)
    packets = [(at + (1 if rest[20:24] == source else -1) * later_ms * 1000, rest)
               for at, rest in records(file)]
    packets.sort(key=lambda packet: packet[0])
    shown.write_bytes(file.read_bytes()[:24] + b"".join(
        struct.pack("<II", *divmod(at, 1_000_000)) + rest for at, rest in packets))
    return shown


class Stream:
    def __init__(self):
        self.syn = self.syn_ack = self.ack = self.hello = self.asked = self.first = self.last = None


class Truth:
    """By tshark: all times in microseconds."""

    def __init__(self, file, secrets):
        text = subprocess.run(
            [tool("tshark"), "-n", "-r", file, "-o", f"tls.keylog_file:{secrets}", "-d", "tcp.port==8480,http", "-d",
             "tcp.port==8443,tls", "-T", "fields", *(word for field in FIELDS for word in ("-e", field))],
            check=True, capture_output=True, text=True).stdout
        self.connect, self.client_connect, self.tls, self.first, self.last = [], [], [], [], []
        self.sent_again = {LAPTOP: 0, SHOP: 0}
        streams, farthest = {}, {}
        for line in text.splitlines():
            number, at, source, length, syn, seq, request, kinds = line.split("\t")
            stream = streams.setdefault(number, Stream())
            at = round(float(at) * 1e6)
            kinds = set(kinds.split(","))
            end = (int(seq) + int(length)) % 2**32
            before = farthest.get((number, source))
            if int(length) and before is not None and (before - end) % 2**32 < 2**31:
                self.sent_again[source] += 1
            elif int(length):
                farthest[number, source] = end
            if source == LAPTOP:
                self.client(stream, at, syn in ("1", "True"), int(length), request, kinds)
            else:
                self.server(stream, at, syn in ("1", "True"), int(length), kinds)
        for stream in streams.values():
            self.answered(stream)

    def client(self, stream, at, syn, length, request, kinds):
        if syn and stream.syn:
            self.sent_again[LAPTOP] += 1
        elif syn:
            stream.syn = at
        elif stream.syn_ack and not stream.ack:
            stream.ack = at
            self.client_connect.append(at - stream.syn_ack)
        if "1" in kinds:
            stream.hello = at
        if "20" in kinds:
            self.tls.append(at - stream.hello)
        if request:
            self.answered(stream)
            stream.asked, stream.first, stream.last = at, None, None

    def server(self, stream, at, syn, length, kinds):
        if syn and stream.syn_ack:
            self.sent_again[SHOP] += 1
        elif syn:
            stream.syn_ack = at
            self.connect.append(at - stream.syn)
        if not length or not stream.asked or "4" in kinds:
            return
        if not stream.first:
            stream.first = at
        stream.last = at

    def answered(self, stream):
        if stream.first:
            self.first.append(stream.first - stream.asked)
            self.last.append(stream.last - stream.asked)


def near(seen_us, real_us):
    return abs(seen_us - real_us) <= max(100, 0.01 * real_us)


def compare(seen, name, real_us):
    """Mean and median of one measure."""
    sums = [window[name]["sum"] for window in seen.windows if name in window]
    own_us = seen.sketched(name)
    check(len(own_us) == len(real_us), f"{name}: {len(own_us)} times, really {len(real_us)}")
    mean_us, real_mean_us = sum(sums) / len(own_us), statistics.fmean(real_us)
    median_us, real_median_us = quantile(own_us, 0.5), quantile(sorted(real_us), 0.5)
    print(f"    {name:<18}{mean_us:9.0f} us, really {real_mean_us:9.0f}; median {median_us:9.0f}, {real_median_us:9.0f}")
    check(near(mean_us, real_mean_us) and near(median_us, real_median_us), name)


def check_round_trips(seen, least_us):
    trips_us = seen.sketched("rtt_us")
    print(f"    round trips        {len(trips_us)}, {trips_us[0]:.0f} to {trips_us[-1]:.0f} us")
    # A sketch's bucket is wider than the path's own lateness.
    check(len(trips_us) >= CONNECTIONS and trips_us[0] >= least_us * 0.99 and trips_us[-1] <= least_us * 1.01 + 1000,
          f"round trips of {least_us} us")


def check_think(seen, slept_us):
    sums = [window["think_us"]["sum"] for window in seen.windows if "think_us" in window]
    mean_us = sum(sums) / len(seen.sketched("think_us"))
    more_us = mean_us - statistics.fmean(slept_us)
    print(f"    think time         {mean_us:.0f} us, the service slept {more_us:.0f} less")
    check(0 <= more_us <= 2000, f"think time {more_us:.0f} us more than slept")
    return mean_us


def check_table(file, services, real_us):
    """The medians that people see, in three digits: either of the two times in the middle, or between them."""
    text = subprocess.run([program("astray-probe"), "flow", "-r", file, "--services", services], check=True,
                          capture_output=True, text=True).stdout
    words = next(line for line in text.splitlines() if line.startswith("streams ")).split()
    for shown_ms, times_us in zip((float(words[7]), float(words[10])), real_us):
        times_us = sorted(times_us)
        below_us, above_us = times_us[(len(times_us) - 1) // 2], times_us[len(times_us) // 2]
        check(below_us * 0.99 - 100 <= shown_ms * 1000 <= above_us * 1.01 + 100,
              f"the table: {shown_ms} ms, really {below_us} to {above_us} us")


def check_place(title, file, secrets, services, server_ms, slept_us):
    print(f"  {title}")
    truth, seen = Truth(file, secrets), Measured(file, services)
    check((seen.requests, seen.responses, seen.untimed) == (COUNT, COUNT, 0),
          f"{seen.requests} requests, {seen.responses} answers, {seen.untimed} untimed of {COUNT}")
    compare(seen, "connect_us", truth.connect)
    compare(seen, "client_connect_us", truth.client_connect)
    if truth.tls:
        compare(seen, "tls_us", truth.tls)
    compare(seen, "response_us", truth.first)
    compare(seen, "last_byte_us", truth.last)
    check_round_trips(seen, server_ms * 1000)
    check_table(file, services, (truth.connect, truth.first))
    check(sum(window["lost_packets"] for window in seen.windows) == 0, "packets lost to the capture")
    return check_think(seen, slept_us), statistics.fmean(truth.first)


class Stage:
    def __init__(self, internet):
        self.laptop, self.shop = internet.host("laptop", LAPTOP), internet.host("shop", SHOP)
        self.internet, folder = internet, self.shop.folder
        internet.path(self.laptop, self.shop, [Hop("192.0.2.1", 1)], rtt_ms=RTT_MS)
        subprocess.run([tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj",
                        "/CN=streams.example"], check=True, capture_output=True)
        (folder / "nginx.conf").write_text(NGINX.format(dir=folder, server=SHOP))
        with self.shop.entered():
            self.backend = Backend()
        self.shop.start(tool("nginx"), "-c", folder / "nginx.conf", "-e", "stderr")
        wait_for("nginx", lambda: listens(self.shop, 8480) and listens(self.shop, 8443))
        self.services = self.laptop.folder / "services.json"
        self.services.write_text(json.dumps({"services": [
            {"name": "streams", "hosts": ["streams.example"], "addresses": [SHOP], "ports": [8480, 8443]}]}))
        self.secrets = self.laptop.folder / "secrets"

    def visit(self, port, options, path, count=COUNT):
        """What curl asks over its connections, as both ends see it."""
        self.backend.slept_us.clear()
        self.secrets.write_text("")
        scheme = "http" if port == 8480 else "https"
        places = Place(self.laptop), Place(self.shop)
        clients = [self.laptop.start(
            "env", f"SSLKEYLOGFILE={self.secrets}", tool("curl"), "-s", "-k", "--http1.1", *options, "--resolve",
            f"streams.example:{port}:{SHOP}", "-o", "/dev/null",
            f"{scheme}://streams.example:{port}{path}?[1-{count // CONNECTIONS}]") for _ in range(CONNECTIONS)]
        for client in clients:
            check(client.wait(60) == 0, f"curl ended with {client.returncode}")
        return [place.stop() for place in places]


def check_same_thought(places):
    """The service thinks as long wherever it is watched; a path that was late shows in between."""
    (_, laptop_first_us), _, (_, shop_first_us) = places
    late_us = max(0, laptop_first_us - shop_first_us - RTT_MS * 1000)
    thought_us = [thought for thought, _ in places]
    check(max(thought_us) - min(thought_us) <= 300 + late_us,
          f"think times at three places: {thought_us}, on a path {late_us:.0f} us late")


def times_are_the_packets_own(stage):
    for speech, (port, options) in SPEECHES.items():
        for path in ("/", "/long") if speech == "TLS 1.3" else ("/long",):
            print(f"{speech}, {path}")
            near_laptop, near_shop = stage.visit(port, options, path)
            slept_us = list(stage.backend.slept_us)
            places = [check_place(title, file, stage.secrets, stage.services, server_ms, slept_us)
                          for title, file, server_ms in (
                              ("at the laptop", near_laptop, RTT_MS),
                              ("in the midst", moved(near_laptop, MIDST_MS), RTT_MS - 2 * MIDST_MS),
                              ("at the shop", near_shop, 0))]
            check_same_thought(places)


def idle_connections_have_the_round_trip_of_the_path(stage):
    places = Place(stage.laptop), Place(stage.shop)
    with stage.laptop.entered():
        client = socket.create_connection((SHOP, 8480), timeout=5)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1)):
        client.setsockopt(socket.IPPROTO_TCP, option, value)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for last in (False, True):
        client.sendall(b"GET / HTTP/1.1\r\nHost: streams.example\r\n\r\n")
        answer = client.recv(1000)
        check(answer.startswith(b"HTTP/1.1 200"), answer)
        if not last:  # being idle is what this is about: nginx says nothing for so long
            client.settimeout(3.5)
            try:
                check(client.recv(1000), "nginx hung up")
            except TimeoutError:
                client.settimeout(5)
    client.close()
    at_laptop, at_shop = (place.stop() for place in places)
    print("an idle connection")
    for file, server_ms in ((at_laptop, RTT_MS), (at_shop, 0)):
        seen = Measured(file, stage.services)
        check((seen.requests, seen.responses) == (2, 2), f"{seen.requests} requests of 2")
        trips_us = seen.sketched("rtt_us")
        print(f"    round trips        {len(trips_us)}, {trips_us[0]:.0f} to {trips_us[-1]:.0f} us")
        check(server_ms * 990 <= trips_us[0] and trips_us[-1] <= server_ms * 1010 + 1000, "round trips when idle")


def what_the_path_loses_is_sent_again_and_not_lost_to_the_capture(stage):
    stage.internet.path(stage.laptop, stage.shop, [Hop("192.0.2.1", 1)], rtt_ms=RTT_MS / 4, loss=0.02)
    for speech, (port, options) in SPEECHES.items():
        files = stage.visit(port, options, "/long")
        truths = [Truth(file, stage.secrets) for file in files]
        # Each end sees all that it sends.
        again = truths[0].sent_again[LAPTOP] + truths[1].sent_again[SHOP]
        for title, file, own in (("at the laptop", files[0], truths[0].sent_again[LAPTOP]),
                                 ("at the shop", files[1], truths[1].sent_again[SHOP])):
            seen = Measured(file, stage.services)
            told, lost = (sum(window[key] for window in seen.windows) for key in ("retransmits", "lost_packets"))
            print(f"{speech}, a fiftieth lost, {title}: {told} sent again, {again} by both ends, {own} of it by this; "
                  f"{lost} lost to the capture; {seen.requests} requests")
            check(lost == 0, f"{lost} packets lost to the capture")
            check(seen.requests == seen.responses == COUNT, f"{seen.requests} requests, {seen.responses} answers")
            check(own <= told and again * 0.7 <= told <= again, f"{told} sent again, really {own} to {again}")


def scenario(internet):
    os.chmod("/run", 0o755)
    stage = Stage(internet)
    times_are_the_packets_own(stage)
    idle_connections_have_the_round_trip_of_the_path(stage)
    what_the_path_loses_is_sent_again_and_not_lost_to_the_capture(stage)


if __name__ == "__main__":
    main(scenario)
