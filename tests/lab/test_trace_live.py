#!/usr/bin/env python3
"""The live view of `astray-probe trace`, typed at through a terminal.

What must hold: on a terminal several hosts are traced in rounds and shown in place; d, n, h, p, r and the
arrows do what the help says; another size of the terminal is drawn for at once; q, Ctrl-C and a
termination end it within half a second, with the terminal as it was before, the sums of all hosts and
what changed since the last time; Ctrl-Z gives the terminal back until the program goes on; NO_COLOR and
a plain file get no colours; a name without an address is told and the others go on.
"""
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from internet import Hop, check, main, program

PICTURE = re.compile(r"\033\[H(.*?)\033\[J", re.S)
ENTER, LEAVE = "\033[?1049h", "\033[?1049l"


class Terminal:
    """The program on a terminal of its own, and what it has drawn so far."""

    def __init__(self, host, *words, rows=40, columns=140, **environment):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns, tell=False)
        self.before = termios.tcgetattr(self.slave)
        environment = os.environ | {"TERM": "xterm", "HOME": str(host.folder)} | environment
        with host.entered():
            self.process = subprocess.Popen(host.command([program("astray-probe"), "trace", *words]),
                                            stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                            env=environment, start_new_session=True,
                                            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.drawn = ""

    def resize(self, rows, columns, tell=True):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.drawn += os.read(self.master, 65536).decode()
            except OSError:  # its other end is closed
                return False
        return True

    def says(self, what, seconds=6):
        """Waits until this was written, from now on."""
        self.drawn = ""
        end = time.monotonic() + seconds
        while what not in self.drawn:
            check(time.monotonic() < end, f"not within {seconds} s: {what!r} in {self.drawn[-3000:]!r}")
            self.read(0.1)

    def sees(self, what, seconds=6):
        """The first whole picture with this, of those that are drawn from now on."""
        self.drawn = ""
        end = time.monotonic() + seconds
        while not (seen := [picture for picture in PICTURE.findall(self.drawn) if what in picture]):
            check(time.monotonic() < end, f"not seen within {seconds} s: {what!r} in {self.drawn[-3000:]!r}")
            self.read(0.1)
        return seen[0]

    def rounds(self):
        return int(re.search(r"203\.0\.113\.9  (\d+) rounds", self.sees("rounds"))[1])

    def types(self, keys):
        os.write(self.master, keys.encode())

    def ends(self, within=0.5):
        """What it says last, on the terminal as it was before."""
        self.drawn = self.drawn if LEAVE in self.drawn else ""
        start = time.monotonic()
        while self.process.poll() is None:
            check(time.monotonic() - start < within, f"it does not end within {within} s")
            self.read(0.01)
        while select.select([self.master], [], [], 0)[0] and self.read(0):
            pass
        check(self.drawn.rindex(LEAVE) > self.drawn.rfind(ENTER), "the other screen is left")
        check("\033[?25h" in self.drawn, "the cursor is back")
        check(termios.tcgetattr(self.slave) == self.before, "keys are as they were before")
        return self.drawn[self.drawn.rindex(LEAVE) + len(LEAVE):]


def several_hosts_and_all_keys(here):
    terminal = Terminal(here, "--protocol", "icmp", "203.0.113.9", "203.0.113.10", "nowhere.invalid")
    terminal.says(ENTER)
    first = terminal.sees("203.0.113.9  2 rounds, 4 hops")
    check("nowhere.invalid" in first and "SPREAD" in first, f"all hosts are shown, and times: {first}")
    terminal.types("d")
    terminal.sees("THE LAST ROUNDS")
    terminal.types("d")
    terminal.sees("PLACE")
    terminal.types("d")
    terminal.sees("SPREAD")
    terminal.types("h")
    terminal.sees("begin anew")
    terminal.types("hp")
    terminal.sees("PAUSED")
    time.sleep(0.5)  # what was under way comes to its end
    terminal.types("n")
    rounds = terminal.rounds()
    time.sleep(1.5)  # rounds that would have come
    terminal.types("n")
    check(terminal.rounds() == rounds, f"it goes on while paused after {rounds} rounds")
    terminal.types(" ")
    terminal.sees(f"203.0.113.9  {rounds + 1} rounds")
    terminal.types("r")
    terminal.sees("203.0.113.9  1 rounds")
    terminal.resize(10, 60)
    terminal.sees("> 203.0.113.9")  # this one may have been on its way
    small = terminal.sees("> 203.0.113.9")
    terminal.types("\033[B")
    terminal.sees("> 203.0.113.10")
    check(all(len(re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", line)) <= 60 for line in
              small.split("\r\n")), "lines are cut to the width")
    terminal.types("q")
    last = terminal.ends()
    check("203.0.113.9\r\n" in last and "203.0.113.10\r\n" in last, f"the sums are printed: {last}")
    check("nowhere.invalid" in last, f"what failed is told: {last}")
    check(terminal.process.returncode == 68, f"exit code {terminal.process.returncode}")


def signals_leave_the_terminal_as_it_was(here):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        terminal = Terminal(here, "--protocol", "icmp", "-n", "203.0.113.9")
        terminal.sees("1 rounds")
        if number == signal.SIGINT:
            terminal.types("\003")
        else:
            terminal.process.send_signal(number)
        last = terminal.ends()
        check(terminal.process.returncode == 0 and "rounds, reached" in last, f"{number}: {last}")
        check("since the last trace" in last, f"it compares with the last time: {last}")


def ctrl_z_gives_the_terminal_back(here):
    terminal = Terminal(here, "--protocol", "icmp", "-n", "203.0.113.9")
    terminal.sees("1 rounds")
    terminal.types("\032")
    terminal.says(LEAVE)
    state = pathlib.Path(f"/proc/{terminal.process.pid}/stat")
    end = time.monotonic() + 3
    while state.read_text().rsplit(")", 1)[1].split()[0] != "T":
        check(time.monotonic() < end, "it stops")
        time.sleep(0.01)
    check(termios.tcgetattr(terminal.slave) == terminal.before, "keys are as they were before")
    terminal.process.send_signal(signal.SIGCONT)
    terminal.says(ENTER)
    terminal.types("q")
    terminal.ends()


def colours_only_where_they_are_wanted(internet, here):
    internet.path(here, "203.0.113.9", [Hop("192.0.2.1", 1), Hop("192.0.2.2", 2, silent=True)], rtt_ms=5)
    colourful = Terminal(here, "--protocol", "icmp", "-n", "203.0.113.9")
    check("\033[2m" in colourful.sees("1 rounds"), "a silent hop is dim")
    colourful.types("q")
    colourful.ends()
    plain = Terminal(here, "--protocol", "icmp", "-n", "203.0.113.9", NO_COLOR="1")
    check(not re.search(r"\033\[\d*m", plain.sees("1 rounds")), "NO_COLOR is obeyed")
    plain.types("q")
    plain.ends()
    out = here.run(program("astray-probe"), "trace", "-n", "--protocol", "icmp", "--rounds", "2",
                   "203.0.113.9").stdout
    check("\033" not in out and "2 rounds, reached" in out, f"a file gets plain text: {out!r}")


def nobody_waits_for_a_silent_resolver(here):
    here.resolver("198.18.0.53")
    terminal = Terminal(here, "--protocol", "icmp", "slow.example", "203.0.113.9")
    check("slow.example" in terminal.sees("203.0.113.9  1 rounds"), "one is traced, the other looked for")
    terminal.types("q")
    terminal.ends()
    check(terminal.process.returncode == 0, f"exit code {terminal.process.returncode}")


def scenario(internet):
    here = internet.host("here", "198.51.100.2")
    internet.imaginary("there", "203.0.113.0/24")
    internet.imaginary("away", "198.18.0.53/32", silent=True)
    internet.path(here, "198.18.0.53", rtt_ms=5)
    internet.path(here, "203.0.113.0/24", [Hop(f"192.0.2.{n}", n) for n in range(1, 4)], rtt_ms=5)
    here.resolver("127.0.0.1")  # where nobody listens: no name is known
    several_hosts_and_all_keys(here)
    print("ok  several hosts, and all keys", flush=True)
    signals_leave_the_terminal_as_it_was(here)
    print("ok  signals leave the terminal as it was", flush=True)
    ctrl_z_gives_the_terminal_back(here)
    print("ok  Ctrl-Z gives the terminal back", flush=True)
    colours_only_where_they_are_wanted(internet, here)
    print("ok  colours only where they are wanted", flush=True)
    nobody_waits_for_a_silent_resolver(here)
    print("ok  nobody waits for a silent resolver", flush=True)


main(scenario)
