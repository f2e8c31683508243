#!/usr/bin/env python3
"""Forgers who see every question and are faster than the server: an answer of theirs must count only if
nothing at all is wrong with it.

What must hold: an answer with another id, from another address or port, to another port, to another
question, or that lost the case of the question's letters (0x20) is never believed, though it comes first.
Its twin, with nothing wrong, is: so the forger is fast enough for the rest to mean something. And such a
perfect forgery of a delegation is still not believed, for it is asked for again over TCP.

Needs root, nsd, unbound, nginx and ldns-signzone; skips loudly (exit 77) without them.
"""
import socket
import struct
import time

from internet import Hop, check, main
from names_stage import (FAR, GENUINE, LOOKALIKE, NEAR, OFFICE, OWN, PROVIDER, REGISTRY, ROUND, SECOND, ZONE, Questions,
                         Stage, asked, data)

A, NS = 1, 2
WRONGS = ("id", "address", "port", "destination port", "question", "case")
QUESTIONS_EACH = 2
SLOW_MS = 120  # the real server's answer takes this long


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


class Forger:
    """Answers the sentinel's questions of one server and type, each with one thing `wrong` ("" for none)."""

    def __init__(self, stage, server, kind):
        with stage.hijacker.host.entered():
            self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.server, self.kind, self.wrong, self.sent = server, kind, None, 0
        self.questions = Questions(stage.office, self.answer)

    def answer(self, packet):
        head = (packet[0] & 15) * 4
        to, (port, _, _, _) = socket.inet_ntoa(packet[16:20]), struct.unpack_from(">HHHH", packet, head)
        message = packet[head + 8:]
        if self.wrong is None or to not in self.server or packet[9] != 17:
            return
        end = message.index(b"\0", 12) + 5
        question = message[12:end]
        if struct.unpack(">H", question[-4:-2])[0] != self.kind or question[:-4].lower() != wire(ZONE):
            return
        self.sent += 1
        self.send(to, port, struct.unpack_from(">H", message)[0], question)

    def send(self, server, port, number, question):
        wrong, source_port = self.wrong, 53
        number ^= wrong == "id"
        server = SECOND if wrong == "address" else server
        source_port = 5353 if wrong == "port" else source_port
        port ^= wrong == "destination port"
        if wrong == "question":
            question = wire("other." + ZONE) + question[-4:]
        elif wrong == "case":
            question = question[:-4].swapcase() + question[-4:]
        if self.kind == A:
            body = struct.pack(">HHHHHH", number, 0x8400, 1, 1, 0, 0) + question + b"\xc0\x0c" + struct.pack(
                ">HHIH", A, 1, 60, 4) + socket.inet_aton(FAR)
        else:
            target = wire(LOOKALIKE)
            body = struct.pack(">HHHHHH", number, 0x8000, 1, 0, 1, 0) + question + b"\xc0\x0c" + struct.pack(
                ">HHIH", NS, 1, 600, len(target)) + target
        udp = struct.pack(">HHHH", source_port, port, 8 + len(body), 0) + body
        self.raw.sendto(struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                                    socket.inet_aton(server), socket.inet_aton(OFFICE)) + udp, (OFFICE, 0))


def lies(stage, forger, wrong):
    """Lets it lie a few times; what the sentinel told meanwhile."""
    start, before = time.monotonic(), forger.sent
    forger.wrong = wrong
    stage.told(f"questions ({wrong or 'nothing'} wrong)",
               lambda seen: forger.sent >= before + QUESTIONS_EACH, start, 20)
    forger.wrong = None
    # The last one's answer, right or wrong.
    done = time.monotonic()
    stage.told("one more round", lambda seen: time.monotonic() > done + ROUND, start, 30)
    return stage.since(start)


def run(internet):
    stage = Stage(internet)
    stage.calm()
    for server in (PROVIDER, *REGISTRY):
        internet.path(stage.office, server, [Hop("192.0.2.1", 0.3)], rtt_ms=SLOW_MS)
    forger = Forger(stage, (PROVIDER,), A)
    for wrong in WRONGS:
        told = asked(lies(stage, forger, wrong), "authority", "A", PROVIDER)
        check(told and all(data(o) == [NEAR] for o in told), f"{wrong} wrong: told was {[data(o) for o in told]}")
        print(f"ok  {wrong} wrong: {len(told)} answers, none of them forged", flush=True)
    told = asked(lies(stage, forger, ""), "authority", "A", PROVIDER)
    check(any(data(o) == [FAR] for o in told), "a perfect forgery comes first")
    print("ok  with nothing wrong it is believed: the forger is fast enough", flush=True)
    forger.questions.close()
    delegation = Forger(stage, REGISTRY, NS)
    told = asked(lies(stage, delegation, ""), "parent", "NS")
    check(delegation.sent >= QUESTIONS_EACH, f"{delegation.sent} forged")
    check(told and all(data(o) == sorted([GENUINE, OWN]) for o in told), f"told was {[data(o) for o in told]}")
    print(f"ok  {delegation.sent} perfect forgeries of a delegation: none told, for TCP does not repeat them",
          flush=True)
    delegation.questions.close()


main(run)
