#!/usr/bin/env python3
"""SIGHUP: other services and other judgement are in force at once, what was learnt of those that
stay is kept, and a configuration that is not good changes nothing.
"""
import json
import signal
import time
import urllib.request

from collector_client import Collector, batch_line, check, need_program, request

PROBE = "probe-1"
WALLET = {"name": "wallet", "hosts": ["wallet.example"]}


def wait_for(what, holds, seconds=10):
    deadline = time.monotonic() + seconds
    while not holds():
        check(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.05)


def api(collector, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{collector.web_port}/api/v1/{path}", timeout=10) as answer:
        return json.loads(answer.read())


def services(collector):
    return {row["name"]: row for row in api(collector, "services")["services"]}


def send(collector, seq, service):
    at_us = int(time.time() * 1e6)
    line = json.dumps({"kind": "check", "at_us": at_us, "service": service, "url": f"https://{service}.example/",
                       "peer": "203.0.113.10", "connect_us": 900, "total_us": 5000, "status": 200, "error": None})
    body = batch_line(PROBE, "b", seq, 1) + line.encode() + b"\n"
    status, _, answer = collector.connect(PROBE).ask(request(body))
    check(status == 200, (status, answer))


def measured_since(collector, service):
    row = next(row for row in services(collector)[service]["learning"] if row["ability"] == "failures")
    return row.get("since_us")


def assigned(collector):
    status, _, body = collector.connect(PROBE).ask(
        request(b"", path="/v1/assignment?role=endpoint", method="GET"))
    check(status == 200, (status, body))
    return [service["name"] for service in json.loads(body)["services"]]


def reload(collector, text, said):
    times = collector.said().count(said)
    collector.config.write_text(text)
    collector.process.send_signal(signal.SIGHUP)
    wait_for(said, lambda: collector.said().count(said) > times)


def test_other_services_are_judged_at_once(collector):
    """A service more: judged and assigned at once; of the other, what was learnt is kept."""
    settings = json.loads(collector.config.read_text())
    send(collector, 1, "exchange")
    wait_for("the check is judged", lambda: measured_since(collector, "exchange"))
    since = measured_since(collector, "exchange")
    check(assigned(collector) == ["exchange"], assigned(collector))
    settings["services"].insert(0, WALLET)
    reload(collector, json.dumps(settings), "services that are judged now: 2")
    check(measured_since(collector, "exchange") == since, "what was learnt is kept")
    check(measured_since(collector, "wallet") is None, "of the new one nothing is known")
    check(assigned(collector) == ["wallet", "exchange"], assigned(collector))
    send(collector, 2, "wallet")
    wait_for("the new one is judged", lambda: measured_since(collector, "wallet"))


def test_other_judgement_is_in_force_at_once(collector):
    """Shorter learning makes ready at once."""
    settings = json.loads(collector.config.read_text())
    settings["judgement"] = {"learn_paths": "1 s"}
    reload(collector, json.dumps(settings), "the configuration was read again")
    wait_for("speed is learnt", lambda: next(
        row for row in services(collector)["wallet"]["learning"] if row["ability"] == "speed")["state"] == "learnt")


def test_a_bad_configuration_changes_nothing(collector):
    """Refused by file, line and field; the old one stays in force."""
    good = collector.config.read_text()
    bad = json.loads(good)
    bad["services"][0]["hsots"] = ["typo.example"]
    reload(collector, json.dumps(bad), "the configuration of before stays in force")
    check("hsots" in collector.said(), "it says what is wrong")
    check(set(services(collector)) == {"wallet", "exchange"}, "the services of before")
    send(collector, 3, "exchange")
    collector.config.write_text(good)


def test_a_service_that_went_is_forgotten(collector):
    """Without it in the list it is not judged, and a restart agrees."""
    settings = json.loads(collector.config.read_text())
    settings["services"] = [WALLET]
    reload(collector, json.dumps(settings), "services that are judged now: 1")
    check(set(services(collector)) == {"wallet"}, services(collector))
    collector.stop()
    collector.start()
    wait_for("wallet is known after a restart", lambda: measured_since(collector, "wallet"))


def main():
    need_program()
    with Collector([PROBE], assignment={"endpoint": {"sources": {"check": {}}}}) as collector:
        collector.start()
        for test in (test_other_services_are_judged_at_once, test_other_judgement_is_in_force_at_once,
                     test_a_bad_configuration_changes_nothing, test_a_service_that_went_is_forgotten):
            test(collector)
            print(f"ok  {test.__doc__.splitlines()[0]}", flush=True)
        collector.stop()


if __name__ == "__main__":
    main()
