#!/usr/bin/env python3
"""A collector that is killed and started again judges as if it had never ended: people are told of
each change of an incident once, and a replay of its export gives the very same incidents.
"""
import http.server
import json
import subprocess
import sys
import threading
import time

from collector_client import PROGRAM, Collector, batch_line, check, need_program, request

ZONE, GOOD, BAD = "exchange.example", "ns1.good.example", "ns1.g00d.example"
PROBES = ("probe-1", "probe-2")


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append(json.loads(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def serve_webhook():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    server.told = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def hello():
    return json.dumps({"kind": "hello", "at_us": int(time.time() * 1e6), "version": "0.1.0",
                       "role": "sentinel", "labels": {"site": "tokyo"}}).encode() + b"\n"


def delegation(server, answer):
    return json.dumps({"kind": "dns", "at_us": int(time.time() * 1e6), "service": "exchange",
                       "name": ZONE, "type": "NS", "role": "parent", "server": server,
                       "rcode": "NOERROR", "answers": [{"data": answer, "ttl": 60}],
                       "authoritative": False, "validated": False, "rtt_us": 900}).encode() + b"\n"


class Sentinels:
    """Two probes, each asking two servers of the zone above."""

    def __init__(self, collector):
        self.collector, self.seq = collector, 0

    def say(self, *lines):
        self.seq += 1
        for probe in PROBES:
            body = batch_line(probe, "b", self.seq, len(lines)) + b"".join(lines)
            status, _, answer = self.collector.connect(probe).ask(request(body))
            check(status == 200, (status, answer))

    def see(self, answer):
        self.say(delegation("192.0.2.53", answer), delegation("198.51.100.53", answer))


def wait_for(what, holds, seconds=30):
    deadline = time.monotonic() + seconds
    while not holds():
        check(time.monotonic() < deadline, f"waited in vain for {what}")
        time.sleep(0.05)


def key(incident):
    return incident["id"], incident["state"], incident["rx_us"]


def main():
    need_program()
    webhook = serve_webhook()
    url = f"http://127.0.0.1:{webhook.server_address[1]}/"
    services = [{"name": "exchange", "hosts": [ZONE], "zone": ZONE, "expect": {"name_servers": [GOOD]}}]
    with Collector(probes=PROBES, services=services, judgement={"gather": "1 s"},
                   notify=[{"name": "oncall", "kind": "webhook", "url": url}]) as collector:
        collector.start()
        sentinels = Sentinels(collector)
        sentinels.say(hello())
        sentinels.see(GOOD)
        sentinels.see(BAD)
        sentinels.see(BAD)
        wait_for("the page", lambda: webhook.told)
        first = key(webhook.told[0])
        check(webhook.told[0]["state"] == "opened", webhook.told[0])
        for _ in range(3):  # killed, judged again, and killed again
            collector.kill()
            collector.start()
            sentinels.see(BAD)
            time.sleep(1.5)
        check([key(told) for told in webhook.told].count(first) == 1, "told twice of one change")
        check(len({told["id"] for told in webhook.told}) == 1, "one incident became several")
        collector.stop()
        stream = subprocess.run([PROGRAM, "export", "--config", collector.config], check=True,
                                capture_output=True).stdout
        replayed = collector.folder / "incidents"
        subprocess.run([PROGRAM, "replay", "--config", collector.config, "--incidents", replayed, "-"],
                       input=stream, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        again = [json.loads(line) for line in replayed.read_text().splitlines()]
        live = [key(told) for told in webhook.told]
        check([key(incident) for incident in again][:len(live)] == live, (live, again))
        print(f"told {len(live)} time(s) over 3 kills; a replay of {stream.count(10)} observations "
              f"gives the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
