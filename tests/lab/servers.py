"""Real servers for a scenario: certificates, nginx, nsd, unbound, Prometheus, Alertmanager.

    authority = Authority("Lab CA")
    shop = Web(internet.host("shop", "203.0.113.10"), authority, ["exchange.example"])
    registry = Registry(internet.host("registry", "198.51.100.53", "198.51.100.54"), ["example", "org"])
    provider = Names(internet.host("provider", "203.0.113.53"))
    provider.serve("exchange.example", "@ NS ns1.provider.example.", "@ A 203.0.113.10")
    registry.delegate("exchange.example", {"ns1.provider.example": []})
    resolver = Resolver(internet.host("resolver", "198.51.100.5"), registry)

Each returns when it serves, and ends with the internet. What a server says is changed by saying it
again (serve, delegate); the call returns when the server answers with it.
"""
import contextlib
import datetime
import http.client
import itertools
import pathlib
import re
import secrets
import signal
import socket
import struct
import subprocess

from internet import RUN, Failed, check, tool, wait_for

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "DS": 43}
FAMILIES = {1: socket.AF_INET, 28: socket.AF_INET6}


def listens(host, port, address=None):
    """Whether somebody takes TCP connections there."""
    with host.entered(), contextlib.suppress(OSError):
        socket.create_connection((address or host.address, port), timeout=1).close()
        return True
    return False


def fetch(host, port, path, address=None, body=None):
    """GET (POST with a body, of JSON) in the clear: (status, answer), or (0, b"") where nobody answers."""
    with host.entered(), contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(address or host.address, port, timeout=5)
        connection.request("GET" if body is None else "POST", path, body,
                           {} if body is None else {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    return 0, b""


# Certificates


class Authority:
    """A certificate authority; what it issues, and its own certificate, are PEM files."""

    def __init__(self, name):
        self.name, self.folder = name, RUN / f"ca-{secrets.token_hex(4)}"
        self.folder.mkdir()
        self.certificate, self.key = self.folder / "ca.pem", self.folder / "ca.key"
        self.openssl("req", "-x509", *self.new_key(self.key), "-out", self.certificate, "-days", "30",
                     "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:true",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.number = itertools.count(1)

    @staticmethod
    def openssl(*words):
        done = subprocess.run([tool("openssl"), *map(str, words)], capture_output=True, text=True)
        check(done.returncode == 0, f"openssl {words[0]}: {done.stderr}")

    def configuration(self, index):
        """What openssl ca insists on."""
        file = index.with_name(index.name + ".cnf")
        file.write_text(f"[ca]\ndefault_ca=it\n[it]\ndatabase={index}\nnew_certs_dir={self.folder}\n"
                        "rand_serial=yes\ndefault_md=sha256\npolicy=any\nunique_subject=no\n"
                        "[any]\ncommonName=supplied\n")
        return file

    @staticmethod
    def new_key(file):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file

    def issue(self, *names, days=30, client=False, age_days=0):
        """Files (certificate, key) for these DNS names or addresses; a client's name stands alone.
        `age_days`: so many of its days are past."""
        stem = self.folder / f"{next(self.number)}-{names[0].replace('*', 'any')}"
        request, certificate, key = (stem.with_name(stem.name + end) for end in (".csr", ".pem", ".key"))
        kinds = ("IP" if name.replace(".", "").isdigit() or ":" in name else "DNS" for name in names)
        extensions = stem.with_name(stem.name + ".ext")
        extensions.write_text(
            f"extendedKeyUsage={'clientAuth' if client else 'serverAuth'}\n"
            + "subjectAltName=" + ",".join(f"{kind}:{name}" for kind, name in zip(kinds, names)) + "\n")
        self.openssl("req", "-new", *self.new_key(key), "-out", request, "-subj", f"/CN={names[0]}")
        begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=age_days, minutes=1)
        index = stem.with_name(stem.name + ".index")
        index.touch()
        self.openssl("ca", "-batch", "-notext", "-config", self.configuration(index), "-in", request, "-out",
                     certificate, "-cert", self.certificate, "-keyfile", self.key, "-extfile", extensions,
                     "-startdate", f"{begin:%Y%m%d%H%M%SZ}",
                     "-enddate", f"{begin + datetime.timedelta(days=days):%Y%m%d%H%M%SZ}")
        return certificate, key


def trust(host, *authorities):
    """Programs that are started on the host from now on trust these, and only these."""
    host.overlay("/etc/ssl/certs/ca-certificates.crt",
                 "".join(authority.certificate.read_text() for authority in authorities))


# Web


def title(process):
    try:
        return pathlib.Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return "shutting down"

class Web:
    """nginx: TLS on 443 with a certificate for the names, the same in the clear on 80. /health
    answers "ok", /large 300 kB, /broken 503. Its own log is the truth about requests."""

    CONFIGURATION = """
daemon off; worker_processes 1; user root; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 2048; }}
http {{
  log_format truth '$msec $remote_addr $ssl_server_name $request_method $uri $status';
  access_log {folder}/requests.txt truth;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  keepalive_requests 100000; keepalive_timeout 60s; root {folder}/www;
  {servers}
}}
"""
    SERVER = """
  server {{
    listen {address}:80; listen {address}:443 ssl http2; server_name {names};
    ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
    location = /health {{ return 200 "ok\\n"; }}
    location = /broken {{ return 503; }}
  }}"""

    def __init__(self, host, authority, names, addresses=None, **certificate):
        """`certificate`: its days and age_days."""
        self.host, self.folder = host, host.folder / "web"
        (self.folder / "www").mkdir(parents=True)
        (self.folder / "www/index.html").write_text("<!doctype html><title>exchange</title>\n")
        (self.folder / "www/large").write_bytes(secrets.token_bytes(300_000))
        self.names, self.addresses = names, addresses or host.addresses
        self.configure(authority, **certificate)
        self.process = host.start(tool("nginx"), "-c", self.folder / "nginx.conf", "-e", "stderr")
        for address in self.addresses:
            wait_for(f"nginx on {address}", lambda a=address: listens(host, 443, a))

    def configure(self, authority, **certificate):
        self.certificate, self.key = authority.issue(*self.names, **certificate)
        bracketed = (f"[{address}]" if ":" in address else address for address in self.addresses)
        servers = "".join(self.SERVER.format(address=address, names=" ".join(self.names),
                                             certificate=self.certificate, key=self.key)
                          for address in bracketed)
        (self.folder / "nginx.conf").write_text(
            self.CONFIGURATION.format(folder=self.folder, servers=servers))

    def certify(self, authority, **certificate):
        """Another certificate, by this authority; new connections see it."""
        self.configure(authority, **certificate)
        before = self.workers()
        self.process.send_signal(signal.SIGHUP)
        wait_for("nginx with the new certificate", lambda: not self.workers() & before)

    def workers(self):
        """The processes that take new connections."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {child for child in children.split() if "shutting down" not in title(child)}

    def requests(self):
        """(seconds, client, server name, method, path, status) of every request so far."""
        return [line.split(" ") for line in (self.folder / "requests.txt").read_text().splitlines()]


# Names


def name_wire(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def name_at(message, at):
    """The name that stands there, and where it ends."""
    labels, end = [], None
    while message[at]:
        if message[at] >= 0xC0:
            end = end or at + 2
            at = struct.unpack_from(">H", message, at)[0] & 0x3FFF
        else:
            labels.append(message[at + 1:at + 1 + message[at]].decode().lower())
            at += 1 + message[at]
    return ".".join(labels), end or at + 1


def record_text(message, kind, at, end):
    if kind in FAMILIES:
        return socket.inet_ntop(FAMILIES[kind], message[at:end])
    if kind in (TYPES["NS"], TYPES["CNAME"]):
        return name_at(message, at)[0]
    if kind == TYPES["MX"]:
        return f"{struct.unpack_from('>H', message, at)[0]} {name_at(message, at + 2)[0]}"
    if kind == TYPES["SOA"]:
        return str(struct.unpack_from(">I", message, name_at(message, name_at(message, at)[1])[1])[0])
    return message[at:end].hex()


def ask(host, server, name, kind="A", recursion=True, port=53, timeout=2):
    """One question by UDP, asked from that host: a list of (section, name, type, text, ttl), sections
    being answer, authority and additional; None where nobody answers. A SOA's text is its serial."""
    number = secrets.randbits(16)
    question = (struct.pack(">HHHHHH", number, 0x100 if recursion else 0, 1, 0, 0, 0) + name_wire(name)
                + struct.pack(">HH", TYPES[kind], 1))
    with host.entered():
        sender = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
    with sender, contextlib.suppress(OSError):
        sender.settimeout(timeout)
        sender.connect((server, port))
        sender.send(question)
        while struct.unpack_from(">H", message := sender.recv(4096))[0] != number:
            pass
        return list(records(message))
    return None


def records(message):
    counts = struct.unpack_from(">HHH", message, 6)
    names = {number: name for name, number in TYPES.items()}
    at = name_at(message, 12)[1] + 4
    for section, count in zip(("answer", "authority", "additional"), counts):
        for _ in range(count):
            owner, at = name_at(message, at)
            kind, _, ttl, length = struct.unpack_from(">HHIH", message, at)
            at += 10
            if kind in names:
                yield section, owner, names[kind], record_text(message, kind, at, at + length), ttl
            at += length


def answers(host, server, name, kind="A", **options):
    """Only the texts of the answers of that type, in order."""
    found = ask(host, server, name, kind, **options) or []
    return sorted(text for section, _, seen, text, _ in found if section == "answer" and seen == kind)


class Names:
    """nsd: the zones that it is told to serve."""

    def __init__(self, host, *addresses, ttl=5):
        self.host, self.addresses, self.ttl = host, addresses or (host.address,), ttl
        self.address = self.addresses[0]
        self.folder = host.folder / f"nsd-{self.address.replace(':', '-')}"
        self.folder.mkdir()
        self.zones, self.serials, self.process = [], itertools.count(1), None

    def configuration(self):
        interfaces = "".join(f"  ip-address: {address}\n" for address in self.addresses)
        zones = "".join(f'zone:\n  name: "{zone}"\n  zonefile: "{self.file(zone)}"\n'
                        for zone in self.zones)
        return f"""server:
{interfaces}  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{self.folder}"
  pidfile: "{self.folder}/nsd.pid"
  xfrdfile: "{self.folder}/xfrd.state"
  xfrdir: "{self.folder}"
  zonelistfile: "{self.folder}/zone.list"
  rrl-ratelimit: 0
  verbosity: 1
remote-control:
  control-enable: yes
  control-interface: {self.folder}/control
{zones}"""

    def file(self, zone):
        return self.folder / f"{zone if zone != '.' else 'root'}.zone"

    def serve(self, zone, *lines, ttl=None):
        """This is what the zone holds from now on, beside its SOA; lines as in a zone file."""
        serial = next(self.serials)
        origin = zone if zone.endswith(".") else zone + "."
        soa = f"@ SOA ns.{origin.lstrip('.')} hostmaster.{origin.lstrip('.')} {serial} 3600 600 86400 5"
        self.file(zone).write_text("\n".join((f"$ORIGIN {origin}", f"$TTL {ttl or self.ttl}", soa, *lines,
                                              "")))
        if zone not in self.zones:
            self.zones.append(zone)
            (self.folder / "nsd.conf").write_text(self.configuration())
            self.control("reconfig")
        self.control("reload", zone)
        self.start()
        wait_for(f"{zone} with serial {serial} at {self.address}",
                 lambda: answers(self.host, self.address, zone, "SOA", recursion=False) == [str(serial)])

    def control(self, *words):
        if self.process:
            done = self.host.run(tool("nsd-control"), "-c", self.folder / "nsd.conf", *words, check=False)
            check(done.returncode == 0, f"nsd-control {words}: {done.stdout}{done.stderr}")

    def questions(self):
        """How many it has answered."""
        out = self.host.run(tool("nsd-control"), "-c", self.folder / "nsd.conf", "stats_noreset").stdout
        return int(re.search(r"^num\.queries=(\d+)", out, re.M)[1])

    def start(self):
        if not self.process:
            self.process = self.host.start(tool("nsd"), "-d", "-c", self.folder / "nsd.conf",
                                           log=self.folder.name)


class Registry:
    """The root on the first address of a host, the top-level domains on the others: who is delegated to
    whom."""

    def __init__(self, host, domains, ttl=5):
        check(len(host.addresses) >= 2, "a registry has an address for the root and some for the domains")
        self.host, (self.root, *self.addresses) = host, host.addresses
        self.address = self.addresses[0]
        self.delegations = {domain: {} for domain in domains}
        self.root_server, self.server = (Names(host, self.root, ttl=ttl),
                                          Names(host, *self.addresses, ttl=ttl))
        lines = ["@ NS a.root-servers.lab.", f"a.root-servers.lab. {self.kind(self.root)} {self.root}"]
        for domain in domains:
            lines += self.servers(domain, f"{domain}.")
            self.publish(domain)
        self.root_server.serve(".", *lines)

    def servers(self, domain, owner):
        """The domain's name servers and their glue, a.nic.DOMAIN and so on."""
        for letter, address in zip("abcdef", self.addresses):
            yield f"{owner} NS {letter}.nic.{domain}."
            yield f"{letter}.nic.{domain}. {self.kind(address)} {address}"

    @staticmethod
    def kind(address):
        return "AAAA" if ":" in address else "A"

    def delegate(self, zone, servers, ds=()):
        """`servers`: each name server's glue, {"ns1.example.org": ["203.0.113.53"], …}; empty where the
        name lies elsewhere. `ds`: DS records as in a zone file."""
        domain = zone.rpartition(".")[2]
        self.delegations[domain][zone] = servers, ds
        self.publish(domain)

    def publish(self, domain):
        lines = list(self.servers(domain, "@"))
        for zone, (servers, ds) in self.delegations[domain].items():
            for server, glue in servers.items():
                lines.append(f"{zone}. NS {server}.")
                lines += [f"{server}. {self.kind(address)} {address}" for address in glue]
            lines += [f"{zone}. DS {data}" for data in ds]
        self.server.serve(domain, *lines)


class Resolver:
    """unbound, which asks from the root. Without `warm` it knows nothing of any zone yet."""

    def __init__(self, host, registry, cache_max_ttl=86400):
        self.host, self.address = host, host.address
        self.folder = host.folder / "unbound"
        self.folder.mkdir()
        (self.folder / "root.hints").write_text(
            f". 3600000 NS a.root-servers.lab.\na.root-servers.lab. 3600000 A {registry.root}\n")
        (self.folder / "unbound.conf").write_text(f"""server:
  interface: {self.address}
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.folder}/unbound.pid"
  root-hints: "{self.folder}/root.hints"
  module-config: "iterator"
  cache-max-ttl: {cache_max_ttl}
  num-threads: 1
  use-syslog: no
  logfile: ""
remote-control:
  control-enable: yes
  control-use-cert: no
  control-interface: {self.folder}/control
""")
        self.process = host.start(tool("unbound"), "-d", "-c", self.folder / "unbound.conf")
        wait_for("unbound", lambda: self.control("status", check=False).returncode == 0)

    def control(self, *words, check=True):
        return self.host.run(tool("unbound-control"), "-c", self.folder / "unbound.conf", *words,
                             check=check)

    def forget(self, zone="."):
        """Cold again."""
        self.control("flush_zone", zone)

    def warm(self, *names):
        for name in names:
            found = answers(self.host, self.address, name, timeout=5)
            if not found:
                raise Failed(f"{self.address} finds no address of {name}")


# Monitoring


class Prometheus:
    """Scrapes TARGETS ("address:port") each second."""

    def __init__(self, host, *targets, port=9090):
        self.host, self.port, folder = host, port, host.folder / "prometheus"
        folder.mkdir()
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: astray\n  static_configs:\n"
            f"  - targets: [{', '.join(repr(target) for target in targets)}]\n")
        host.start(tool("prometheus"), f"--config.file={folder}/prometheus.yml",
                   f"--storage.tsdb.path={folder}/data", f"--web.listen-address={host.address}:{port}")
        wait_for("Prometheus", lambda: fetch(host, port, "/-/ready")[0] == 200)


class Alertmanager:
    """Hands every alert to a webhook within a second."""

    def __init__(self, host, webhook, port=9093):
        self.host, self.port, folder = host, port, host.folder / "alertmanager"
        folder.mkdir()
        (folder / "alertmanager.yml").write_text(
            "route: {receiver: hook, group_wait: 1s, group_interval: 1s}\n"
            f"receivers:\n- name: hook\n  webhook_configs:\n  - url: {webhook}\n")
        host.start(tool("prometheus-alertmanager"), f"--config.file={folder}/alertmanager.yml",
                   f"--storage.path={folder}/data", "--cluster.listen-address=",
                   f"--web.listen-address={host.address}:{port}")
        self.url = f"http://{host.address}:{port}"
        wait_for("Alertmanager", lambda: fetch(host, port, "/-/ready")[0] == 200)
