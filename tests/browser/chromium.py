"""A Chromium without a window, driven over its debugging pipe (file descriptors 3 and 4)."""
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

PROGRAM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--remote-debugging-pipe"]


class Chromium:
    """One page; what it asked of the network and what it complained of are kept."""

    def __init__(self, seconds=30):
        self.until = time.monotonic() + seconds
        self.requests, self.complaints, self.number, self.buffer = [], [], 0, b""
        self.loaded = False
        self.profile = tempfile.mkdtemp(prefix="astray-chromium-")
        read_end, self.write = os.pipe()
        self.read, write_end = os.pipe()
        self.process = subprocess.Popen(
            # Not sh: dash takes no descriptor of two digits.
            ["bash", "-c", f'exec "$@" 3<&{read_end} 4>&{write_end}', "bash", PROGRAM, *FLAGS,
             f"--user-data-dir={self.profile}"],
            pass_fds=(read_end, write_end), stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(read_end)
        os.close(write_end)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")

    def call(self, method, **params):
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self.hear(answer)

    def message(self):
        while b"\0" not in self.buffer:
            left = self.until - time.monotonic()
            if left <= 0 or not select.select([self.read], [], [], left)[0]:
                raise AssertionError("the browser did not answer in time")
            piece = os.read(self.read, 1 << 20)
            if not piece:
                raise AssertionError("the browser has ended")
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def hear(self, event):
        method, params = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(params["args"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"])

    def open(self, url):
        self.loaded = False
        self.call("Page.navigate", url=url)
        while not self.loaded:
            self.hear(self.message())

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)

    def dark(self, wanted):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if wanted else "light"}])

    def run(self, script):
        """The value of a JavaScript expression; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition, seconds=10):
        """Until a JavaScript expression holds; looked at whenever the page changes."""
        holds = self.run(f"""new Promise((done) => {{
            const watch = new MutationObserver(look);
            const late = setTimeout(() => end(false), {1000 * seconds});
            function end(value) {{ watch.disconnect(); clearTimeout(late); done(value); }}
            function look() {{ if ({condition}) end(true); }}
            watch.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
            look();
        }})""")
        if not holds:
            raise AssertionError(f"not within {seconds} s: {condition}\n"
                                 + self.run("document.body.innerText")[:3000])

    def press(self, key, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      **({"text": text} if text and kind == "keyDown" else {}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.read)
        os.close(self.write)
        shutil.rmtree(self.profile, ignore_errors=True)
