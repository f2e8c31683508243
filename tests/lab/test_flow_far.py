#!/usr/bin/env python3
"""HTTP/2 inside TLS along a path of 40 ms, captured beside the client and beside the servers.

Beside the servers a client's next request comes a round trip behind the answer that it waited for, long answers and
uploads come in pieces a round trip apart, and answers share records. nginx, nghttpx, h2o and Apache answer curl and
h2load over the emulator; tshark tells the truth, with the clients' secrets. What must hold at both places:

- one request at a time: the count within 1 % (5 % of long answers), the mean within 2 %;
- several at once, uploads too: the count within 3 %, and where the probe says that no more than a quarter is
  estimated, the mean within 6 %.

A busy machine makes pauses of its own, so that a case is played up to three times until it holds.

Needs root, /dev/net/tun, unshare, nginx, nghttpx, h2o, apache2, curl, h2load, tcpdump and tshark; skips loudly
(exit 77) without them.
"""
import json
import os

import test_flow_streams as streams
from internet import Hop, check, main, tool
from test_flow_path import Place
from test_flow_streams import apart, curl, h2load, upload

RTT_MS = 40
# Client, path, requests, open at once; all of them at two that cut and join records as the others do.
LONG, TEN = (curl, "/long", 40, 1), (curl, "/", 200, 10)
ALL = ((curl, "/", 40, 1), LONG, TEN, (h2load, "/some", 400, 10), (upload, "/", 100, 10))
CASES = {"nginx": ALL, "nghttpx": ALL, "h2o": (TEN,), "apache2": (LONG, TEN)}


class Stage:
    def __init__(self, internet):
        self.client = internet.host("client", "198.51.100.2")
        self.servers = internet.host("servers", streams.SERVER)
        internet.path(self.client, self.servers, [Hop("192.0.2.1", 1)], rtt_ms=RTT_MS)
        with self.servers.entered():
            self.site = streams.Site(self.servers.folder)
        self.secrets = self.client.folder / "secrets"
        self.services = self.client.folder / "services.json"
        self.services.write_text(json.dumps({"services": [
            {"name": "streams", "hosts": ["streams.example"], "addresses": [streams.SERVER],
             "ports": list(streams.PORTS.values())}]}))

    def play(self, port, client, *case):
        """What passed beside the client, and beside the servers."""
        self.secrets.write_text("")
        places = Place(self.client), Place(self.servers)
        self.client.run("env", f"SSLKEYLOGFILE={self.secrets}", *client(self.site, port, *case))
        return [place.stop() for place in places]


def check_place(title, file, stage, port, path, at_once):
    seen, truth = streams.Measured(file, stage.services), streams.Truth(file, stage.secrets, port)
    off = seen.mean_us / truth.mean_us - 1
    print(f"{title}: {seen.requests} requests of {truth.count}, {seen.estimated} estimated; mean {seen.mean_us:.0f} us, "
          f"really {truth.mean_us:.0f} ({off:+.1%})", flush=True)
    bound = 0.03 if at_once > 1 else 0.05 if path == "/long" else 0.01
    if apart(seen.requests, truth.count, bound):
        yield f"{title}: {seen.requests} requests of {truth.count}"
    if not seen.is_rough() and abs(off) > (0.02 if at_once == 1 else 0.06):
        yield f"{title}: the mean {off:+.1%}, and nothing says so"


def check_case(stage, server, case):
    client, path, _, at_once = case
    files = stage.play(streams.PORTS[server], *case)
    for place, file in zip(("the client", "the servers"), files):
        yield from check_place(f"{server}: {client.__name__} {path} {at_once} at once, beside {place}", file, stage,
                               streams.PORTS[server], path, at_once)


def scenario(internet):
    os.chmod("/run", 0o755)
    for name in streams.TOOLS:
        tool(name)
    stage = Stage(internet)
    for server, cases in CASES.items():
        for case in cases:
            for _ in range(streams.ATTEMPTS):
                failures = list(check_case(stage, server, case))
                if not failures:
                    break
                print(*failures, sep="\n", flush=True)
            check(not failures, "; ".join(failures))


if __name__ == "__main__":
    main(scenario)
