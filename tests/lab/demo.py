#!/usr/bin/env python3
"""Plays the incident of 2020 with real packets, and shows the page that it raises.

    demo.py              calm traffic; the registry's delegation moves to a lookalike; the page; the
                         repair; then the dashboard stays open until ^C
    demo.py --check      the same without people: ends by itself, and fails unless exactly one incident
                         was raised within 60 s of the switch, and resolved
    demo.py --calm SPAN  nothing happens for so long ("90s", "5m"), and nothing may be raised

See company.py for who is there. Needs root, and nginx, nsd, unbound and openssl; exit 77 without them.
"""
import argparse
import os
import sys
import time

from astray import Door, outer_end
from company import AMSTERDAM_EDGE, GENUINE, LOOKALIKE, TOKYO_EDGE, Company
from internet import Failed, check, isolate, play, wait_for

PAGE_WITHIN_S = 60
RESOLVED_WITHIN_S = 90
COLOURS = {"plain": "", "bold": "1", "bad": "1;31", "good": "1;32", "soft": "2"}


class Teller:
    """Lines with the seconds since the beginning; colours for terminals only."""

    def __init__(self):
        self.start = time.monotonic()
        self.coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def colour(self, text, colour):
        return f"\033[{COLOURS[colour]}m{text}\033[0m" if self.coloured and COLOURS[colour] else text

    def tell(self, text, colour="plain"):
        at = self.colour(f"{time.monotonic() - self.start:6.1f} s", "soft")
        print(f"{at}  {self.colour(text, colour)}", flush=True)

    def incident(self, event):
        bad = event["state"] in ("opened", "escalated")
        self.tell(f"{event['state'].upper()} ({event['severity']}): {event['title']}", "bad" if bad else "good")
        if bad:
            for line in event["text"].rstrip().splitlines():
                print(f"          {line}", flush=True)


def milliseconds(us):
    return "–" if us is None else f"{us / 1000:.1f} ms" if us < 1e5 else f"{us / 1000:.0f} ms"


def describe(row):
    rate = row.get("requests_per_second")
    return (f"{'–' if rate is None else round(rate, 1)} requests a second, answered in "
            f"{milliseconds(row.get('response_p50_us'))} (median); check {milliseconds(row.get('check_total_us'))}")


def is_measured(row):
    return all(row.get(key) is not None for key in ("requests_per_second", "response_p50_us", "check_total_us"))


def watch(company, teller, seconds, every=10):
    """Tells how it goes, until the time is over."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(every, left))  # the calm itself is what is awaited
        teller.tell(describe(company.service()))


def set_up(internet, door, teller):
    teller.tell("building a little internet: an office in Tokyo, a laptop in Osaka, a CDN's edges in Tokyo and "
                "Amsterdam, a registry, name servers, a resolver")
    company = Company(internet, on_event=teller.incident)
    company.start()
    if door is not None:
        address = Door(door, company.collector.host, 8080).address
        teller.tell(f"the dashboard is at {address}", "bold")
    wait_for("measurements of the service", lambda: is_measured(company.service()), timeout=45, every=0.5)
    teller.tell(f"{len(company.probes)} probes measure: {describe(company.service())}")
    return company


def raised(company):
    return {event["id"] for event in company.hook.events}


def play_incident(internet, options, door, teller):
    company = set_up(internet, door, teller)
    watch(company, teller, options.before)
    check(not raised(company), "nothing may be raised before anything happened")
    company.hijack()
    switched = time.monotonic()
    teller.tell(f"SWITCH: the registry delegates exchange.example to {LOOKALIKE}; it was {GENUINE}", "bold")
    company.wait_for_edge(AMSTERDAM_EDGE)
    teller.tell(f"people's resolver follows: they are sent to {AMSTERDAM_EDGE}, by way of Amsterdam")
    page = company.hook.wait("a page", lambda event: event["severity"] == "page", PAGE_WITHIN_S + 10)
    seconds = page["received"] - switched
    company.collector.acknowledge(page["id"], "ann", "calling the registrar")
    company.hook.wait("the acknowledgement", lambda e: e["id"] == page["id"] and e["state"] == "acknowledged", 10)
    watch(company, teller, options.during)
    repair(company, teller, page)
    if options.record:
        company.collector.export(options.record)
    check_story(company, page, seconds)
    print(f"seconds_to_page {seconds:.1f}", flush=True)
    if not options.check:
        stay(teller)


def repair(company, teller, page):
    company.repair()
    teller.tell(f"REPAIR: the registry delegates to {GENUINE} again, and the resolver forgets", "bold")
    company.wait_for_edge(TOKYO_EDGE)
    company.hook.wait("the resolution", lambda e: e["id"] == page["id"] and e["state"] == "resolved",
                      RESOLVED_WITHIN_S)
    teller.tell(describe(company.service()))


def check_story(company, page, seconds):
    """What the incident of this story must say, at its end the latest."""
    check(seconds <= PAGE_WITHIN_S, f"the page came {seconds:.1f} s after the switch")
    check(len(raised(company)) == 1, f"exactly one incident: {company.hook.events}")
    found = [row for row in company.collector.api("incidents?limit=50")["incidents"] if row["id"] == page["id"]]
    check(len(found) == 1, f"the API knows it once: {found}")
    incident = found[0]
    said = " ".join([incident["title"], incident["text"], *(row["text"] for row in incident["evidence"])])
    for what in (LOOKALIKE, GENUINE, "NL", "JP", "tokyo", "ms"):
        check(what in said, f"{what} is told: {said}")
    for what in ("Changed first: ", "Affected: ", "Ruled out: ", "Next:"):
        check(what in incident["text"], f"{what!r} is told: {incident['text']}")
    check("NL" in incident["title"], f"the far end is in the title: {incident['title']}")
    check({"tokyo", "osaka"} <= set(incident["sites"]), f"both sites that see the detour: {incident['sites']}")
    for cause in ("name_server", "detour", "latency", "traffic"):
        check(cause in incident["causes"], f"{cause} is among its causes: {incident['causes']}")
    check("tyo-gw-1" in incident["vantages"], f"who is affected: {incident['vantages']}")


def stay(teller):
    teller.tell("the dashboard stays open; ^C ends it", "bold")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()


def play_calm(internet, seconds, door, teller):
    company = set_up(internet, door, teller)
    watch(company, teller, seconds, every=30)
    if raised(company):
        raise Failed(f"raised on a calm day: {company.hook.events}")
    counters = internet.counters()
    teller.tell(f"calm: nothing was raised in {seconds:.0f} s; the emulator: {counters}", "good")


def seconds_of(text):
    factor = {"s": 1, "m": 60, "h": 3600}.get(text[-1:], 0)
    if not factor or not text[:-1].replace(".", "", 1).isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no span like 90s or 5m")
    return float(text[:-1]) * factor


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="end by itself, and fail unless all went well")
    parser.add_argument("--calm", type=seconds_of, metavar="SPAN", help="nothing happens for so long")
    parser.add_argument("--before", type=seconds_of, default=30, metavar="SPAN", help="calm before the switch")
    parser.add_argument("--during", type=seconds_of, default=8, metavar="SPAN",
                        help="from the page to the repair")
    parser.add_argument("--record", metavar="FILE", help="keep what was measured, for astray-collector replay")
    parser.add_argument("--port", type=int, default=8080, help="the dashboard's on this machine")
    options = parser.parse_args()
    alone = options.check or options.calm
    if not alone and "ASTRAY_LAB_DOOR" not in os.environ:
        os.environ["ASTRAY_LAB_DOOR"] = str(outer_end(options.port))
    door = None if alone else int(os.environ["ASTRAY_LAB_DOOR"])
    isolate(keep=[] if door is None else [door])
    teller = Teller()
    if options.calm:
        sys.exit(play(play_calm, options.calm, door, teller))
    sys.exit(play(play_incident, options, door, teller))


if __name__ == "__main__":
    main()
