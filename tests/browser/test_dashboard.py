#!/usr/bin/env python3
"""The dashboard in a real browser, before a real collector: what it shows, and what it never does."""
import json
import pathlib
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "tools")]

from chromium import PROGRAM, Chromium
from collector_client import SKIPPED, Collector, batch_line, check, need_program, request
from make_mmdb import build

SERVICE = {"name": "exchange", "hosts": ["exchange.example"], "url": "https://exchange.example/health",
           "zone": "exchange.example",
           "expect": {"name_servers": ["ns-61.provider.example"], "countries": ["JP"]}}
HOSTILE = '<img src="http://192.0.2.66/x" onerror="window.hacked=1">'
HOSTILE_NAME = "<b onclick=alert(1)>core.example</b>"
BOOT = "9f2c" * 8
PAGE_LIMIT_BYTES = 120_000


def hop(ttl, address, rtt_us, country, city, at, asn, org, **more):
    return {"ttl": ttl, "sent": 3, "answered": 3, "address": address, "rtt_us": rtt_us,
            "place": {"country": country, "city": city, "latitude": at[0], "longitude": at[1], "asn": asn,
                      "org": org, "source": "mmdb", "verdict": "possible"}, **more}


TOKYO, AMSTERDAM = (35.68, 139.69), (52.37, 4.9)
HOME = [hop(1, "192.0.2.1", 600, "JP", "Tokyo", TOKYO, 64497, "Kanto Transit"), {"ttl": 2, "sent": 3, "answered": 0}]
STRAIGHT = HOME + [hop(3, "203.0.113.10", 6000, "JP", "Tokyo", TOKYO, 64500, "Lab CDN")]
ASTRAY = HOME + [hop(3, "198.51.100.77", 180000, "NL", "Amsterdam", AMSTERDAM, 64499, HOSTILE, name=HOSTILE_NAME),
                 hop(4, "203.0.113.10", 246000, "NL", "Amsterdam", AMSTERDAM, 64500, "Lab CDN")]


def trace(at_us, hops):
    return {"kind": "trace", "at_us": at_us, "service": "exchange", "peer": "203.0.113.10", "protocol": "tcp",
            "port": 443, "flow": 0, "reached": True, "hops": hops}


def delegation(at_us, server):
    return {"kind": "dns", "at_us": at_us, "service": "exchange", "name": "exchange.example", "type": "NS",
            "role": "parent", "server": "198.51.100.54", "rcode": "NOERROR",
            "answers": [{"data": server, "ttl": 86400}], "authoritative": False, "validated": False, "rtt_us": 3000}


def story(now_us):
    """Two minutes of an office in Tokyo: at the end its path leaves the country, by another's name server."""
    yield {"kind": "hello", "at_us": now_us - 121_000_000, "version": "0.1.0", "role": "gateway",
           "labels": {"site": "tokyo"}}
    for back_s in range(120, 0, -10):
        at_us = now_us - back_s * 1_000_000
        slow = back_s <= 20
        yield {"kind": "check", "at_us": at_us, "service": "exchange", "url": SERVICE["url"],
               "peer": "203.0.113.10", "dns_us": 3000, "connect_us": 6000, "tls_us": 7000,
               "first_byte_us": 6000, "total_us": 990_000 if slow else 23_000, "status": 200, "error": None}
        yield {"kind": "traffic", "at_us": at_us, "window_us": 10_000_000, "service": "exchange",
               "connections": 20, "refused": 0, "timed_out": 0, "reset": 0, "requests": 200, "responses": 200,
               "errors": 0, "untimed": 0, "sent_bytes": 1000, "received_bytes": 9000, "retransmits": 0,
               "lost_packets": 0,
               "response_us": {"scale": 3, "offset": 143 if slow else 100, "counts": [200], "zeros": 0,
                               "sum": 50_000_000 if slow else 1_200_000, "min": 5800, "max": 260_000}}
        yield delegation(at_us, "ns-061.provider.example" if slow else "ns-61.provider.example")
        yield trace(at_us + 1000, ASTRAY if slow else STRAIGHT)
    yield {"kind": "health", "at_us": now_us, "cpu_us": 1000, "rss_bytes": 15_966_208,
           "spooled_batches": 0, "spooled_bytes": 0, "dropped_observations": 0}


def tell(collector):
    lines = [json.dumps(line).encode() + b"\n" for line in story(int(time.time() * 1e6))]
    connection = collector.connect("tyo-gw-1")
    status, _, body = connection.ask(request(batch_line("tyo-gw-1", BOOT, 0, len(lines)) + b"".join(lines)))
    check(status == 200, f"the collector refused the story: {status} {body}")
    connection.close()


def has(text):
    return f"document.body.innerText.includes({json.dumps(text)})"


def shows_everything(page):
    page.wait("document.querySelector('.incident.open h3 .title')", 15)
    title = page.run("document.querySelector('.incident.open h3 .title').textContent")
    check(title.startswith("exchange: ") and "ns-061.provider.example" in title, f"the incident's title is {title!r}")
    check(page.run("document.querySelectorAll('.incident.open .evidence li').length") > 0, "no evidence")
    page.wait("document.querySelectorAll('.charts canvas').length === 2")
    page.wait("document.querySelectorAll('.path.before tbody tr').length === 3")
    check(page.run("document.querySelectorAll('.path.now tbody tr').length") == 4, "the path now has 4 hops")
    check(page.run("[...document.querySelectorAll('.path.now .fresh')].map((r) => r.cells[0].textContent).join()") == "3,4",
          "hops 3 and 4 are in new networks or countries")
    check(page.run("document.querySelectorAll('.path .silent').length") == 2, "one silent hop on each path")
    for text in ("AS64499", "Amsterdam, NL", "246 ms", "tyo-gw-1", "15.2 MiB", "IP Geolocation by DB-IP"):
        check(page.run(has(text)), f"{text} is not on the page")
    check(page.run("document.querySelectorAll('svg.graph .node.now').length") > 0, "no new network in the graph")
    page.wait("document.querySelector('svg .route.now')")


def hostile_text_stays_text(page):
    for text in (HOSTILE, HOSTILE_NAME):
        check(page.run(has(text)), f"{text} is not shown as it is")
    check(page.run("window.hacked") is None, "a script from outside has run")
    check(page.run("document.querySelectorAll('img, b[onclick], body script').length") == 0,
          "markup from outside became elements")


def keyboard_reaches_it(page):
    page.run("document.querySelectorAll('.services tbody tr')[1].focus()")
    page.press("Enter", "\r")
    page.wait("document.querySelector('section.card h2').textContent.startsWith('wiki')")
    page.wait(has("No path has been measured yet"))
    page.run("document.querySelectorAll('.services tbody tr')[0].focus()")
    page.press("Enter", "\r")
    page.wait("document.querySelector('section.card h2').textContent.startsWith('exchange')")


def what_is_not_learnt_yet_is_shown(page):
    page.wait("document.querySelector('.services tbody tr').textContent.includes('still learning')")
    page.run("document.querySelector('details.learning').open = true")
    page.wait("[...document.querySelectorAll('.learning tbody tr')].some((r) => "
              "r.textContent.startsWith('the week') && r.textContent.includes('learning'))")
    check(page.run("[...document.querySelectorAll('.learning tbody tr')].some((r) => "
                   "r.textContent.startsWith('failures') && r.textContent.includes('learnt'))"),
          "failures are judged from the first minute")


def acknowledging_is_heard(page):
    page.run("document.querySelector('.acknowledge input').focus()")
    page.call("Input.insertText", text="ann")
    page.run("document.querySelector('.acknowledge input.wide').focus()")
    page.call("Input.insertText", text=f"calling {HOSTILE}")
    page.press("Enter", "\r")
    page.wait("[...document.querySelectorAll('.incident.open .tag')].some((t) => t.textContent === 'acknowledged')", 8)
    page.wait(has(f"ann acknowledged: calling {HOSTILE}"))
    check(page.run("document.querySelector('.acknowledge') === null"), "it can be acknowledged twice")


def fits_a_phone(page, url):
    page.size(390, 844)
    page.dark(True)
    page.open(url)
    page.wait("document.querySelectorAll('.charts canvas').length === 2")
    page.wait("document.querySelector('.path.now')")
    check(page.run("document.documentElement.scrollWidth") <= 390, "a phone must scroll sideways")
    check(page.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)", "dark is not dark")


def main():
    need_program()
    if not PROGRAM:
        print("SKIPPED: chromium is not installed (./dev deps, or apt-get install chromium)")
        sys.exit(SKIPPED)
    services = [SERVICE, {"name": "wiki", "hosts": ["wiki.example"]}]
    places = build([{"prefix": "192.0.2.0/24", "country": "JP"}], database_type="DBIP-City-Lite")
    with tempfile.NamedTemporaryFile(suffix=".mmdb") as file, \
            Collector(["tyo-gw-1"], services=services, judgement={"gather": "1 s"}, geo={"city": file.name}) as collector:
        file.write(places)
        file.flush()
        collector.start()
        tell(collector)
        url = f"http://127.0.0.1:{collector.web_port}/"
        with Chromium(60) as page:
            page.size(1280, 1000)
            page.open(url)
            shows_everything(page)
            size = sum(page.run(
                "performance.getEntries().filter((e) => e.entryType === 'navigation' || e.name.includes('/assets/'))"
                ".map((e) => e.transferSize)"))
            check(20_000 < size <= PAGE_LIMIT_BYTES, f"the page has {size} bytes, at most {PAGE_LIMIT_BYTES}")
            keyboard_reaches_it(page)
            what_is_not_learnt_yet_is_shown(page)
            acknowledging_is_heard(page)
            hostile_text_stays_text(page)
            fits_a_phone(page, url)
            elsewhere = [r for r in page.requests if not r.startswith((url, "data:"))]
            check(len(page.requests) > 8 and not elsewhere, f"requests to elsewhere: {elsewhere}")
            check(not page.complaints, f"the browser complains: {page.complaints}")
        collector.stop()
    print(f"PASSED: the dashboard ({size} bytes packed)")


if __name__ == "__main__":
    main()
