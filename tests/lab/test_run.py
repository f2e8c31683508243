#!/usr/bin/env python3
"""./dev run, as a person calls it: names a service, and sees it measured on the dashboard.

nginx stands behind a programmed path of 20 ms. What must hold: probe and collector are set up and
started; the API knows the service with a check of at least three round trips and the path with its
hops; ^C ends both programs, and a second run goes on with what the first one measured; a URL that is
none is refused with the exit code of usage.

Needs root, nginx, nsd, unbound and openssl; skips loudly (exit 77) without them.
"""
import json
import signal

from internet import RUN, TOP, Hop, check, main, program, wait_for
from servers import Authority, Names, Registry, Resolver, Web, fetch, trust

PORT, DATA = 8099, RUN / "run-data"
URL = "https://shop.example/health"


def api(home, path):
    status, body = fetch(home, PORT, f"/api/v1/{path}", "127.0.0.1")
    return json.loads(body) if status == 200 else None


def service(home):
    answer = api(home, "services")
    return next((row for row in answer["services"] if row["name"] == "shop.example"), {}) if answer else {}


def make_internet(internet):
    home = internet.host("home", "198.51.100.20")
    registry = Registry(internet.host("registry", "198.51.100.53", "198.51.100.54"), ["example"])
    provider = Names(internet.host("provider", "203.0.113.53"))
    resolver = internet.host("resolver", "198.51.100.5")
    shop = internet.host("shop", "203.0.113.10")
    for origin in (home, resolver):
        internet.path(origin, "0.0.0.0/0", [Hop("192.0.2.1", 0.5)], rtt_ms=2)
    internet.path(home, shop, [Hop("192.0.2.1", 0.5), Hop("192.0.2.2", 9), Hop("192.0.2.3", 18)], rtt_ms=20)
    provider.serve("shop.example", "@ NS ns1", "@ A 203.0.113.10", "ns1 A 203.0.113.53")
    registry.delegate("shop.example", {"ns1.shop.example": ["203.0.113.53"]})
    home.resolver(Resolver(resolver, registry))
    authority = Authority("Lab CA")
    trust(home, authority)
    Web(shop, authority, ["shop.example"])
    return home


def start(home, *words):
    return home.start(TOP / "dev", "run", *words, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                                                       "RUN_DATA": str(DATA), "HOME": "/root"})


def stop(process):
    process.send_signal(signal.SIGINT)
    check(process.wait(20) == 0, "^C is the ordinary end")


def a_service_is_measured_and_shown(home):
    process = start(home, "--port", PORT, URL)
    row = wait_for("a check of the service",
                   lambda: (row := service(home)).get("check_total_us") and row, timeout=60, every=0.3)
    check(row["check_total_us"] >= 60_000, f"three round trips of 20 ms: {row}")
    path = wait_for("the path", lambda: api(home, "paths?service=shop.example")["paths"], timeout=30, every=0.3)
    hops = path[0]["now"]["observation"]["hops"]
    check([hop.get("address") for hop in hops] == ["192.0.2.1", "192.0.2.2", "192.0.2.3", "203.0.113.10"],
          f"{hops}")
    wait_for("the services on the terminal", lambda: "shop.example" in log(home), timeout=30)
    check(f"http://127.0.0.1:{PORT}/" in log(home), "the dashboard's address is told")
    check(b"<html" in fetch(home, PORT, "/", "127.0.0.1")[1].lower(), "the dashboard is there")
    stop(process)
    check(fetch(home, PORT, "/-/ready", "127.0.0.1")[0] == 0, "the collector has ended")


def log(home):
    return (home.folder / "dev.log").read_text()


def a_second_run_goes_on(home):
    process = start(home, "--port", PORT, URL)
    row = wait_for("the service after a restart", lambda: service(home), timeout=60, every=0.3)
    check(row.get("last_seen_us"), f"what was measured before is known: {row}")
    stop(process)


def what_is_no_url_is_refused(home):
    done = home.run(TOP / "dev", "run", "shop.example", check=False)
    check(done.returncode == 64 and "shop.example is no URL" in done.stderr, f"{done}")


def run(internet):
    program("astray-collector")
    home = make_internet(internet)
    for scenario in (what_is_no_url_is_refused, a_service_is_measured_and_shown, a_second_run_goes_on):
        scenario(home)
        print(f"ok  {scenario.__name__.replace('_', ' ')}", flush=True)


main(run)
