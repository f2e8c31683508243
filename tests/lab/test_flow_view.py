#!/usr/bin/env python3
"""The live view of `astray-probe flow` on a terminal, and elsewhere.

A client talks to a server on loopback while the probe asks the kernel. What must hold: on a terminal
the view stands on the second screen, is shown anew in its place and names the service; p pauses it,
r starts over, q ends it with success; a terminal is as it was before, also after ^C and while the
program is stopped by ^Z; NO_COLOR takes the colours; on a dumb terminal and in a pipe there are plain
lines, and no escape sequence.

Needs only pseudo-terminals; runs in a network namespace of its own where it may.
"""
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time

ENTER, LEAVE, HOME = "\x1b[?1049h", "\x1b[?1049l", "\x1b[H"
RED = "\x1b[31m"


def probe():
    path = pathlib.Path(os.environ.get("ASTRAY_BIN", "build/check/bin")) / "astray-probe"
    if not path.exists():
        print(f"SKIPPED: {path} is not built")
        sys.exit(77)
    return str(path)


def enter_namespace():
    if os.environ.get("ASTRAY_VIEW_NAMESPACE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ["ASTRAY_VIEW_NAMESPACE"] = "1"
    if os.geteuid() == 0 and subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0:
        os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok  {what}")


class Terminal:
    """A terminal that the probe is started on; what it wrote is kept."""

    def __init__(self, **environment):
        self.far, near = pty.openpty()
        self.near = near
        self.before = termios.tcgetattr(near)
        self.text = ""
        self.process = subprocess.Popen(
            [probe(), "flow", "--kernel", "--window", "1"], stdin=near, stdout=near, stderr=near,
            env=os.environ | {"TERM": "xterm"} | environment, start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0))

    def read(self, timeout):
        if select.select([self.far], [], [], timeout)[0]:
            self.text += os.read(self.far, 65536).decode(errors="replace")

    def waits_for(self, what, holds, timeout=15):
        end = time.monotonic() + timeout
        while not holds(self.text) and time.monotonic() < end:
            self.read(0.1)
        check(holds(self.text), what)

    def press(self, key):
        self.text = ""
        os.write(self.far, key.encode())

    def ends(self, what):
        end = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.1)
        self.read(0)
        check(self.process.poll() == 0, f"{what}: it ends well")
        check(self.is_as_before(), f"{what}: the terminal is as it was")

    def is_as_before(self):
        return termios.tcgetattr(self.near) == self.before


def talk(server, stopped):
    """A new connection now and then, and a refused one."""
    while not stopped.wait(0.2):
        with socket.create_connection(server.getsockname()) as client:
            peer, _ = server.accept()
            client.sendall(b"hello")
            peer.recv(5)
            peer.close()
        with socket.socket() as client:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", 1))
            select.select([], [client], [], 1)


def on_a_terminal(service):
    terminal = Terminal()
    terminal.waits_for("it takes the second screen", lambda text: ENTER in text)
    terminal.waits_for("it names the service", lambda text: service in text)
    terminal.waits_for("failures are red", lambda text: RED in text)
    terminal.waits_for("it is shown anew in its place", lambda text: text.count(HOME) >= 4)
    check("\x1b[2J" not in terminal.text, "without clearing the screen before")
    check(not terminal.is_as_before(), "keys are read one by one")
    terminal.press("p")
    terminal.waits_for("p pauses it", lambda text: "p goes on" in text)
    terminal.press("p")
    terminal.waits_for("and lets it go on", lambda text: "p pauses" in text)
    terminal.press("\x1a")
    terminal.waits_for("^Z leaves the second screen", lambda text: LEAVE in text)
    check(terminal.is_as_before(), "^Z: the terminal is as it was")
    terminal.text = ""
    os.kill(terminal.process.pid, signal.SIGCONT)
    terminal.waits_for("and comes back to it", lambda text: ENTER in text)
    terminal.press("q")
    terminal.ends("q")
    check(LEAVE in terminal.text and service in terminal.text.split(LEAVE)[-1],
          "what was counted stays on the first screen")


def interrupted():
    terminal = Terminal(NO_COLOR="1")
    terminal.waits_for("without colours", lambda text: text.count(HOME) >= 3 and "127.0.0.1" in text)
    check("\x1b[3" not in terminal.text and "\x1b[2m" not in terminal.text, "NO_COLOR takes them")
    terminal.press("\x03")
    terminal.ends("^C")


def elsewhere(service):
    terminal = Terminal(TERM="dumb", NO_COLOR="1")
    terminal.waits_for("lines on a dumb terminal", lambda text: service in text)
    check("\x1b" not in terminal.text, "no escape sequence there")
    terminal.press("\x03")
    terminal.ends("a dumb terminal")
    process = subprocess.Popen([probe(), "flow", "--kernel", "--window", "1"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    lines = [process.stdout.readline() for _ in range(2)]
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=10)
    check(all(line[2] == line[5] == ":" for line in lines), f"lines with their time in a pipe: {lines}")
    check("SERVICE" in rest and service in rest, "and the sum at the end")
    check("\x1b" not in "".join(lines) + rest + errors, "no escape sequence in a pipe")
    check(process.returncode == 0, "it ends well")


def main():
    enter_namespace()
    server, stopped = socket.create_server(("127.0.0.1", 0)), threading.Event()
    talker = threading.Thread(target=talk, args=(server, stopped))
    talker.start()
    try:
        service = "127.0.0.1:{}".format(server.getsockname()[1])
        on_a_terminal(service)
        interrupted()
        elsewhere(service)
    finally:
        stopped.set()
        talker.join()


if __name__ == "__main__":
    main()
