#!/usr/bin/env python3
"""A browser's page over HTTP/2 inside TLS, 20 ms away, measured passively at the laptop and beside the servers.

Chromium loads a page of 24 pictures from nginx, a page from h2o, and then asks each one by one, six at once, twenty at
once and one by one again, before a service that takes 5 to 35 ms. Pictures fill the path: their answers lie in each
other's midst, which nobody without keys sees. What must hold against tshark with the browser's secrets: the count
within 3 %, all answered, the mean of all times within a factor of 1.6 at the laptop, and the median within a factor
of 1.3 (what is asked one by one is exact again once the page is over).

A busy machine makes pauses of its own, so that a page is played up to three times until it holds.

Needs root, nginx, nghttpx, h2o, apache2, tcpdump, tshark and chromium; skips loudly (exit 77) without them.
"""
import os
import pathlib
import shutil
import struct
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "browser"))
import chromium  # noqa: E402  (after the path to it)
import test_flow_streams as streams  # noqa: E402
from internet import Hop, check, main, skip  # noqa: E402
from test_flow_path import Place  # noqa: E402
from test_flow_streams import Measured, Site, Truth, quantile  # noqa: E402

LAPTOP, RTT_MS, PICTURES, ATTEMPTS = "198.51.100.2", 20, 24, 3
STATIC = "location /s/ {{ root {dir}/www; }} location / {{"
VISIT = """(async () => {
    const get = async (path) => (await fetch(path, {cache: "no-store"})).blob();
    const many = (count, path) => Promise.all([...Array(count).keys()].map((n) => get(path + n)));
    for (let n = 0; n < 15; n++) await get("/api?" + n);
    for (let k = 0; k < 5; k++) await many(6, "/some?" + k + "-");
    await many(20, "PICTURES");
    for (let n = 0; n < 20; n++) await get("/api?again" + n);
})()"""
PAGES = {"nginx": ("/s/index.html", "/s/picture.png?"), "h2o": ("/", "/some?")}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture(number):
    """Noise, of 500 bytes to 45 kB: a browser breaks off what is none."""
    width = 16
    height = max(1, (500 + number * 1900) // (3 * width))
    rows = b"".join(b"\0" + os.urandom(3 * width) for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + b"".join((
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        chunk(b"IDAT", zlib.compress(rows, 0)), chunk(b"IEND", b"")))


def write_page(folder):
    folder.mkdir(parents=True)
    names = [f"picture{number}.png" for number in range(PICTURES)]
    (folder / "index.html").write_text("<html><body>" + "".join(f'<img src="/s/{name}">' for name in names))
    for number, name in enumerate(names):
        (folder / name).write_bytes(picture(number))
    (folder / "picture.png").write_bytes(picture(PICTURES // 2))


def visit(laptop, shop, secrets, server):
    """The packets at both ends of a browser's visit."""
    page, pictures = PAGES[server]
    secrets.write_text("")
    places = Place(laptop), Place(shop)
    with laptop.entered(), chromium.Chromium(seconds=60) as browser:
        browser.open(f"https://streams.example:{streams.PORTS[server]}{page}")
        browser.run(VISIT.replace("PICTURES", pictures))
    return [place.stop() for place in places]


def failures_at(title, file, secrets, services, server, at_laptop):
    truth, seen = Truth(file, secrets, streams.PORTS[server]), Measured(file, services)
    median_us, real_median_us = quantile(seen.times_us, 0.5), quantile(truth.times_us, 0.5)
    print(f"{title}: {seen.requests} requests of {truth.count}, {seen.responses} answered, {seen.estimated} estimated; "
          f"mean {seen.mean_us:.0f} us, really {truth.mean_us:.0f}; median {median_us:.0f}, {real_median_us:.0f}")
    if abs(seen.requests - truth.count) > 0.03 * truth.count:
        yield f"{title}: the count"
    if seen.responses != seen.requests:
        yield f"{title}: what was asked for was answered"
    if at_laptop and not 1 / 1.6 <= seen.mean_us / truth.mean_us <= 1.6:
        yield f"{title}: the mean"
    if at_laptop and not 1 / 1.3 <= median_us / real_median_us <= 1.3:
        yield f"{title}: the median"


def play(laptop, shop, secrets, services, server):
    places = zip(("at the laptop", "at the servers"), visit(laptop, shop, secrets, server))
    return [failure for title, file in places for failure in failures_at(
        f"{server}, {title}", file, secrets, services, server, title == "at the laptop")]


def hold(*stage):
    for _ in range(ATTEMPTS):
        failures = play(*stage)
        if not failures:
            break
        print("; ".join(failures))
    check(not failures, "; ".join(failures))


def scenario(internet):
    if not chromium.PROGRAM:
        skip("chromium is not installed")
    for name in ("tshark", "tcpdump", *streams.TOOLS):
        if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin"):
            skip(f"{name} is not installed")
    os.chmod("/run", 0o755)  # Apache's and nginx's children go through it
    laptop, shop = internet.host("laptop", LAPTOP), internet.host("shop", streams.SERVER)
    internet.path(laptop, shop, [Hop("192.0.2.1", 1)], rtt_ms=RTT_MS)
    streams.NGINX = streams.NGINX.replace("location / {{", STATIC)
    write_page(shop.folder / "www" / "s")
    with shop.entered():
        site = Site(shop.folder)
    services, secrets = laptop.folder / "services.json", laptop.folder / "secrets"
    services.write_text('{"services": [{"name": "streams", "hosts": ["streams.example"], "ports": [8443, 8447]}]}')
    os.environ["SSLKEYLOGFILE"] = str(secrets)
    chromium.FLAGS += ["--ignore-certificate-errors", f"--host-resolver-rules=MAP *.example {streams.SERVER}"]
    try:
        for server in PAGES:
            hold(laptop, shop, secrets, services, server)
    finally:
        site.stop()


if __name__ == "__main__":
    main(scenario)
