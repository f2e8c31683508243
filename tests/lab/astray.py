"""The programs under test inside a lab: configured, started, and listened to.

    collector = Collector(internet.host("collector", "198.51.100.80"), services=[…], geo=geo)
    hook = Webhook(collector.host); collector.notify(hook)
    collector.start()
    probe = Probe(tokyo, "tyo-gw-1", "gateway", collector, sources={"flow": {…}})
    collector.wait("the service", "services", lambda services: …)
    incident = hook.wait("a page", lambda event: event["severity"] == "page", timeout=60)

Whatever is awaited is awaited by its event: a line that a program printed, an answer of the collector's
API, a call of the webhook.
"""
import http.server
import json
import secrets
import socket
import threading
import time

from internet import Failed, check, program, wait_for
from servers import Authority, fetch


class Webhook:
    """Takes what a notifier posts; `on_event` is called for each as it comes."""

    def __init__(self, host, port=9000, on_event=None):
        self.host, self.events, self.on_event = host, [], on_event
        self.changed = threading.Condition()
        with host.entered():
            server = http.server.ThreadingHTTPServer((host.address, port), self.handler())
        self.url = f"http://{host.address}:{port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def handler(hook):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                hook.take(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass
        return Handler

    def take(self, event):
        event["received"] = time.monotonic()
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()
        if self.on_event:
            self.on_event(event)

    def find(self, wanted):
        return next((event for event in self.events if wanted(event)), None)

    def wait(self, what, wanted, timeout=60):
        """The first event (of all so far and to come) that is wanted."""
        with self.changed:
            check(self.changed.wait_for(lambda: self.find(wanted), timeout),
                  f"{what}: not within {timeout} s; events: {self.events}")
            return self.find(wanted)


class Collector:
    def __init__(self, host, services, **settings):
        """`settings` go into the configuration as they are: geo, judgement, assignment, …"""
        self.host, self.folder, self.process = host, host.folder, None
        self.authority = Authority("astray lab")
        certificate, key = self.authority.issue("collector", *host.addresses)
        self.url = f"https://{host.address}:8443"
        self.configuration = {
            "listen": f"{host.address}:8443",
            "tls": {"certificate": str(certificate), "key": str(key),
                    "client_ca": str(self.authority.certificate)},
            "probes": [], "data": str(self.folder / "data"),
            "web": {"listen": f"{host.address}:8080"}, "services": services, "notify": [],
        } | settings

    def notify(self, hook, kind="webhook", name="oncall"):
        self.configuration["notify"].append({"name": name, "kind": kind, "url": hook.url})

    def enrol(self, name, by):
        """What a probe's configuration says to reach this collector, and be known to it."""
        collector = {"url": self.url, "ca": str(self.authority.certificate), "batch_age": "1 s"}
        if by == "token":
            file = self.folder / f"{name}.token"
            file.write_text(secrets.token_hex(32) + "\n")
            file.chmod(0o600)
            collector["token_file"] = str(file)
            self.configuration["probes"].append({"name": name, "token_file": str(file)})
        else:
            certificate, key = self.authority.issue(name, client=True)
            collector |= {"certificate": str(certificate), "key": str(key)}
        return collector

    def start(self):
        file = self.folder / "collector.json"
        file.write_text(json.dumps(self.configuration, indent=1))
        self.process = self.host.start(program("astray-collector"), "serve", "--config", file)
        wait_for("the collector", self.is_ready)

    def is_ready(self):
        check(self.process.poll() is None, f"the collector ended with {self.process.poll()}")
        return fetch(self.host, 8080, "/-/ready")[0] == 200

    def api(self, what):
        """GET /api/v1/WHAT as a value."""
        status, body = fetch(self.host, 8080, f"/api/v1/{what}")
        if status != 200:
            raise Failed(f"/api/v1/{what}: {status}: {body[:300]}")
        return json.loads(body)

    def export(self, file):
        """What came in so far, as a stream for astray-collector replay."""
        with open(file, "wb") as out:
            self.host.run(program("astray-collector"), "export", "--config", self.folder / "collector.json",
                          stdout=out)

    def acknowledge(self, incident, by, note=""):
        status, answer = fetch(self.host, 8080, f"/api/v1/incidents/{incident}/acknowledge",
                               body=json.dumps({"by": by, "note": note}))
        check(status // 100 == 2, f"acknowledging {incident}: {status}: {answer[:300]}")

    def wait(self, what, path, ready, timeout=30):
        """The first answer of the API that is ready."""
        def look():
            answer = self.api(path)
            return (answer,) if ready(answer) else None
        return wait_for(f"{what} at /api/v1/{path}", look, timeout, every=0.2)[0]


class Probe:
    def __init__(self, host, name, role, collector, by="certificate", **settings):
        """`settings` go into the configuration as they are: sources, labels, here, geo, services."""
        self.host, self.name = host, name
        self.configuration = {
            "probe": name, "role": role, "collector": collector.enrol(name, by),
            "spool": {"directory": str(host.folder / f"spool-{name}")},
        } | settings
        self.process = None

    def start(self):
        file = self.host.folder / f"{self.name}.json"
        file.write_text(json.dumps(self.configuration, indent=1))
        self.process = self.host.start(program("astray-probe"), "run", "--config", file, log=self.name)


class Door:
    """A port of the machine outside, for browsers, that leads to an address inside. The outer end must
    be opened before the namespaces are: see outer_end()."""

    def __init__(self, descriptor, host, port):
        self.host, self.inner = host, (host.address, port)
        self.listener = socket.socket(fileno=descriptor)
        self.address = "http://{}:{}/".format(*self.listener.getsockname())
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            outside, _ = self.listener.accept()
            try:
                with self.host.entered():
                    inside = socket.create_connection(self.inner, timeout=5)
            except OSError:
                outside.close()
                continue
            inside.settimeout(None)
            for source, sink in ((outside, inside), (inside, outside)):
                threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    @staticmethod
    def carry(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                end.close()


def outer_end(port):
    """A listening socket on loopback: this port, or a free one where somebody else has it."""
    for number in (port, 0):
        try:
            return socket.create_server(("127.0.0.1", number)).detach()
        except OSError:
            continue
    raise Failed("no port is free on 127.0.0.1")
