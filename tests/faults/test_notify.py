#!/usr/bin/env python3
"""People hear of every decision, whatever fails on the way.

What must hold: killed at any moment, the collector's dispatcher delivers after its restart every
change that it had decided, under one id, at most one twice for each kill; a hook that refuses
connections, hangs, or answers 500 is tried again until it takes it; a signed message verifies at every
attempt; real Prometheus Alertmanager takes our alerts, knows their labels, and hears of their end.

Needs nothing but loopback; the part with Alertmanager is skipped loudly where it is not installed.
"""
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

BIN = pathlib.Path(os.environ.get("ASTRAY_BIN", "build/release/bin"))
SECRET = base64.b64encode(b"a key of thirty-two bytes, as it").decode()
KILLS, CHANGES = 25, 150


class Failed(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failed(what)


def wait_for(what, ready, timeout=30):
    end = time.monotonic() + timeout
    while not (value := ready()):
        check(time.monotonic() < end, f"{what}: not within {timeout} s")
        time.sleep(0.02)
    return value


class Hook:
    """An HTTP server that notes what it hears; `behave(number)` gives the status of its answer to a
    request, or None for never."""

    def __init__(self, behave=lambda number: 200, port=0):
        self.heard, self.behave, self.lock = [], behave, threading.Lock()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with hook.lock:
                    status = hook.behave(len(hook.heard))
                    hook.heard.append((status, dict(self.headers), body))
                if status is None:
                    time.sleep(15)  # longer than anybody waits
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.handle_error = lambda *_: None  # connections that a kill cut
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def taken(self):
        with self.lock:
            return [(headers["webhook-id"], json.loads(body)) for status, headers, body in self.heard
                    if status == 200]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Driver:
    def __init__(self, folder, *targets):
        self.configuration, self.queue = folder / "notify.json", folder / "notify.db"
        self.configuration.write_text(json.dumps({"notify": targets}))
        self.base_us = int((time.time() + 1) * 1e6)  # behind the queue's beginning
        self.log = (folder / "driver.log").open("ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen([BIN / "notify_driver", self.configuration, self.queue,
                                         str(self.base_us)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, bufsize=1)

    def say(self, line):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")

    def decided(self):
        """The next number that it prints, or None at its end."""
        line = self.process.stdout.readline()
        return int(line.split()[1]) if line.endswith("\n") else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def change(self, number, state, incident):
        self.say(f"{number} {state} {incident}")
        check(self.decided() == number, f"{incident} {state} is decided")


def target(hook, name="oncall", **more):
    return {"name": name, "kind": "webhook", "url": f"http://127.0.0.1:{hook.port}/hook"} | more


def kills_lose_nothing(folder):
    hook = Hook(lambda number: 500 if number % 7 == 3 else 200)
    driver = Driver(folder, target(hook))
    decided, dice = set(), random.Random(1)
    for life in range(KILLS):
        if life:
            driver.start()
        driver.say("caught-up")
        end = threading.Timer(dice.uniform(0.005, 0.12), driver.kill)
        end.start()
        # What was decided before is fed again, as the pipeline does after a restart.
        for number in range(1, min(CHANGES, 6 * (life + 1)) + 1):
            driver.say(f"{number} opened incident-{number}")
        while (number := driver.decided()) is not None:
            decided.add(number)
        end.join()
    check(len(decided) > 20, f"kills came too early to show anything: {len(decided)} decided")
    driver.start()
    wanted = {f"incident-{number}" for number in decided}
    wait_for("all that was decided", lambda: wanted <= {i["id"] for _, i in hook.taken()})
    driver.kill()
    hook.close()
    seen = [incident["id"] for _, incident in hook.taken()]
    check(all(name == f"{incident['id']}-1" for name, incident in hook.taken()), "one id for each")
    doubled = len(seen) - len(set(seen))
    check(doubled <= KILLS, f"{doubled} heard twice after {KILLS} kills")
    print(f"  {len(decided)} decided over {KILLS} kills, {len(set(seen))} told, {doubled} of them twice")


def a_hook_that_fails_is_tried_again(folder):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    late = type("Port", (), {"port": port})
    broken, healthy = Hook(lambda number: (500, 429, 403, 200)[min(number, 3)]), Hook()
    driver = Driver(folder, target(late, "late"), target(broken, "broken"), target(healthy, "healthy"))
    driver.say("caught-up")
    driver.change(1, "opened", "a")
    wait_for("the healthy one, whatever the others do", healthy.taken, timeout=2)
    driver.change(2, "resolved", "a")
    refusing = time.monotonic()
    wait_for("both at the one that was broken", lambda: len(broken.taken()) == 2)
    check([headers["webhook-id"] for _, headers, _ in broken.heard] == ["a-1"] * 4 + ["a-4"], "ids, in order")
    time.sleep(max(0, 2 - (time.monotonic() - refusing)))
    opened = Hook(port=port)
    wait_for("both at the one that refused connections", lambda: len(opened.taken()) == 2)
    check([name for name, _ in opened.taken()] == ["a-1", "a-4"], "in order")
    driver.kill()
    for hook in (broken, healthy, opened):
        hook.close()


def a_hook_that_hangs_is_left_after_ten_seconds(folder):
    hook = Hook(lambda number: 200 if number else None)
    driver = Driver(folder, target(hook))
    driver.say("caught-up")
    begun = time.monotonic()
    driver.change(1, "opened", "a")
    wait_for("the second attempt", hook.taken)
    took = time.monotonic() - begun
    check(10 <= took < 13, f"it took {took} s")
    check([headers["webhook-id"] for _, headers, _ in hook.heard] == ["a-1", "a-1"], "the same id")
    driver.kill()
    hook.close()


def every_attempt_is_signed(folder):
    secret = folder / "secret"
    secret.write_text(f"whsec_{SECRET}\n")
    hook = Hook(lambda number: 200 if number else 500)
    driver = Driver(folder, target(hook, secret_file=str(secret)))
    driver.say("caught-up")
    driver.change(1, "opened", "a")
    wait_for("the second attempt", hook.taken)
    for _, headers, body in hook.heard:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.new(base64.b64decode(SECRET), signed, hashlib.sha256).digest()
        check(headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode(), f"{headers}")
        check(abs(int(headers["webhook-timestamp"]) - time.time()) < 60, f"{headers}")
    driver.kill()
    hook.close()


class Alertmanager:
    def __init__(self, folder, hook):
        (folder / "alertmanager.yml").write_text(
            "route: {receiver: hook, group_by: [incident], group_wait: 0s, group_interval: 1s}\n"
            f"receivers:\n- name: hook\n  webhook_configs:\n  - url: http://127.0.0.1:{hook.port}/\n")
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.port = unused.getsockname()[1]
        self.process = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
             f"--storage.path={folder}/data", "--cluster.listen-address=",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=(folder / "alertmanager.log").open("wb"))
        wait_for("Alertmanager", self.is_ready)

    def is_ready(self):
        with contextlib.suppress(OSError):
            return self.get("/-/ready")
        return None

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.read()

    def alerts(self):
        return json.loads(self.get("/api/v2/alerts"))


def alertmanager_hears_of_begin_and_end(folder):
    if not shutil.which("prometheus-alertmanager"):
        print("SKIPPED: prometheus-alertmanager is not installed")
        return
    people = Hook()
    alertmanager = Alertmanager(folder, people)
    driver = None
    try:
        driver = Driver(folder, {"name": "am", "kind": "alertmanager",
                                 "url": f"http://127.0.0.1:{alertmanager.port}"})
        driver.say("caught-up")
        driver.change(1, "opened", "a")
        [alert] = wait_for("the alert", alertmanager.alerts)
        check(alert["labels"] == {"alertname": "AstrayIncident", "incident": "a", "service": "exchange",
                                  "severity": "page"}, f"{alert}")
        check(alert["annotations"]["summary"] == "exchange is slow", f"{alert}")
        wait_for("people hear of it", lambda: people.heard)
        driver.kill()
        driver.start()  # it is open still: said again at once
        driver.say("1 opened a")
        driver.say("caught-up")
        before = alert["updatedAt"]
        wait_for("its repetition", lambda: alertmanager.alerts()[0]["updatedAt"] > before)
        check(len(alertmanager.alerts()) == 1, "the same alert")
        check(driver.decided() == 1, "history")
        driver.say("2 resolved a")
        wait_for("people hear of its end",
                 lambda: any(json.loads(body)["status"] == "resolved" for _, _, body in people.heard))
        check(alertmanager.alerts() == [], "no alert is left")
    finally:
        if driver:
            driver.kill()
        alertmanager.process.terminate()
        alertmanager.process.wait()
        people.close()


def main():
    if not (BIN / "notify_driver").exists():
        print(f"SKIPPED: {BIN}/notify_driver is not built")
        return 77
    for scenario in (kills_lose_nothing, a_hook_that_fails_is_tried_again, every_attempt_is_signed,
                     alertmanager_hears_of_begin_and_end, a_hook_that_hangs_is_left_after_ten_seconds):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            try:
                scenario(folder)
            except Failed as failure:
                print(f"FAILED: {scenario.__name__.replace('_', ' ')}: {failure}")
                print((folder / "driver.log").read_text()[-3000:], file=sys.stderr)
                return 1
        print(f"ok  {scenario.__name__.replace('_', ' ')}", flush=True)
    return 0


sys.exit(main())
