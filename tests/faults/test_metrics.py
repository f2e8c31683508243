#!/usr/bin/env python3
"""/metrics, read by those it is for: promtool finds nothing to complain of in either form, a real
Prometheus scrapes it and gives the numbers back, and every question that the shipped dashboard and
alert rules ask is one that it understands and, where the numbers are there, can answer.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from collector_client import Collector, SKIPPED, batch_line, check, free_port, need_program, request

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "collector/serve/monitoring"
PROBE = "probe-1"
WINDOWS, EACH = 6, 100
PATIENCE_S = 30


def line(**fields):
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def measurements():
    """A hello, a minute of traffic answered within 20 ms, and two checks of which one failed."""
    at_us = int(time.time() * 1e6) - 60_000_000
    sketch = {"scale": 7, "offset": 1828, "counts": [EACH], "zeros": 0, "sum": 20000 * EACH,
              "min": 20000, "max": 20000}
    lines = [line(kind="hello", at_us=at_us, version="0.1.0", role="gateway", labels={"site": "tokyo"})]
    for number in range(WINDOWS):
        lines.append(line(kind="traffic", at_us=at_us + number * 10_000_000, window_us=10_000_000,
                          service="exchange", connections=10, refused=1, requests=EACH, responses=EACH,
                          response_us=sketch, connect_us=sketch))
    for error in (None, "timeout"):
        lines.append(line(kind="check", at_us=at_us, service="exchange", url="https://exchange.example/",
                          error=error, total_us=50000))
    return lines


def get(url, accept=None):
    wanted = urllib.request.Request(url, headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(wanted, timeout=10) as answer:
        return answer.read().decode(), answer.headers["Content-Type"]


def until(what, ask):
    """Asks again until the answer is something; there is no event to wait for on the other side."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"waited {PATIENCE_S} s for {what}")


def series_of(text):
    return [row.rsplit(" ", 1)[0] for row in text.splitlines() if row and not row.startswith("#")]


def test_both_forms(collector):
    """promtool is content, no series stands twice, and OpenMetrics comes to who asks for it."""
    url = f"http://127.0.0.1:{collector.web_port}/metrics"
    wanted = f'astray_service_requests_total{{service="exchange",site="tokyo"}} {WINDOWS * EACH}'
    until("the sums", lambda: wanted in get(url)[0])
    classic, kind = get(url)
    check(kind == "text/plain; version=0.0.4; charset=utf-8", kind)
    tool = subprocess.run(["promtool", "check", "metrics"], input=classic, text=True, capture_output=True)
    check((tool.returncode, tool.stdout + tool.stderr) == (0, ""), tool.stdout + tool.stderr)
    check(len(series_of(classic)) == len(set(series_of(classic))), "a series stands twice")
    openmetrics, kind = get(url, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    check(kind == "application/openmetrics-text; version=1.0.0; charset=utf-8", kind)
    check(openmetrics.endswith("\n# EOF\n"), "OpenMetrics ends with # EOF")
    check(set(series_of(classic)) == set(series_of(openmetrics)), "both forms hold the same series")


class Prometheus:
    """A real one, with the shipped rules, that scrapes one collector each second."""

    def __init__(self, collector):
        self.url = f"http://127.0.0.1:{free_port()}"
        folder = collector.folder / "prometheus"
        folder.mkdir()
        shutil.copy(MONITORING / "astray.rules.yml", folder)
        config = folder / "prometheus.yml"
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["astray.rules.yml"],
            "scrape_configs": [{"job_name": "astray", "static_configs": [
                {"targets": [f"127.0.0.1:{collector.web_port}"]}]}]}))
        subprocess.run(["promtool", "check", "config", config], check=True, capture_output=True)
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address={self.url[7:]}", "--log.level=error"], stderr=subprocess.DEVNULL)

    def ask(self, expression):
        url = f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}")
        except (ConnectionError, urllib.error.URLError):
            return []  # not up yet

    def rules_are_well(self):
        with urllib.request.urlopen(self.url + "/api/v1/rules", timeout=10) as answer:
            groups = json.load(answer)["data"]["groups"]
        return len(groups) == 2 and all(rule["health"] == "ok" for group in groups for rule in group["rules"])

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def test_numbers_come_back(prometheus):
    """What was measured is what a query answers."""
    def value(expression):
        return float(until(expression, lambda: prometheus.ask(expression))[0]["value"][1])

    check(value('astray_service_requests_total{service="exchange",site="tokyo"}') == WINDOWS * EACH, "requests")
    check(value("astray_service_check_failures_total / astray_service_checks_total") == 0.5, "failures")
    check(value('sum(astray_service_response_seconds_bucket{le="0.025"})') == WINDOWS * EACH, "response")
    check(value('sum(astray_service_response_seconds_bucket{le="0.01"})') == 0, "response")
    check(value('astray_probes{site="tokyo",state="live"}') == 1, "probes")
    check(value('astray_service_incident{service="exchange",severity="page"}') == 0, "incident")
    check(value("up") == 1, "the scrape itself")


def dashboard_questions():
    text = (MONITORING / "astray.grafana.json").read_text()
    board = json.loads(text)
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for note in board["annotations"]["list"]:
        yield note["expr"]


def rule_questions():
    for row in (MONITORING / "astray.rules.yml").read_text().splitlines():
        if row.strip().startswith("expr: "):
            yield row.split("expr: ", 1)[1]


def test_shipped_questions(prometheus, scraped):
    """The dashboard's and the rules' questions are understood, and ask only for what there is."""
    names = {re.split(r"[{ ]", series)[0] for series in series_of(scraped)} | {"up"}
    questions = list(dashboard_questions()) + list(rule_questions())
    check(len(questions) > 20, "the files hold questions")
    for question in questions:
        question = (question.replace("$__rate_interval", "1m").replace("$service", ".*")
                    .replace("$site", ".*"))
        prometheus.ask(question)
        for name in re.findall(r"\b(?:astray|process)_\w+", question):
            check(name in names, f"{question}: {name} is not there")
    until("the rules to be evaluated", prometheus.rules_are_well)


def test_rules():
    """promtool plays each alert's story."""
    for command in (["check", "rules", "astray.rules.yml"], ["test", "rules", "astray.rules.test.yml"]):
        tool = subprocess.run(["promtool", *command], cwd=MONITORING, text=True, capture_output=True)
        check(tool.returncode == 0, tool.stdout + tool.stderr)


def main():
    need_program()
    if not shutil.which("promtool") or not shutil.which("prometheus"):
        print("SKIPPED: prometheus is not installed")
        return SKIPPED
    test_rules()
    with Collector() as collector:
        collector.start()
        lines = measurements()
        status, _, answer = collector.connect(PROBE).ask(
            request(batch_line(PROBE, "b", 1, len(lines)) + b"".join(lines)))
        check(status == 200, answer)
        test_both_forms(collector)
        prometheus = Prometheus(collector)
        try:
            test_numbers_come_back(prometheus)
            test_shipped_questions(prometheus, get(f"http://127.0.0.1:{collector.web_port}/metrics")[0])
        finally:
            prometheus.close()
        collector.stop()
    print("metrics: promtool, Prometheus, dashboard and rules agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
