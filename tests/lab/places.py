"""GeoIP databases of a scenario: where its addresses are said to be, and whose they are.

    geo = databases([place("192.0.2.0/26", "Tokyo", 64497, "Kanto Transit"), …])
    {"geo": geo}     in the configuration of a probe or collector
"""
import pathlib
import sys

from internet import RUN, TOP

sys.path.insert(0, str(TOP / "tests/tools"))
from make_mmdb import build  # noqa: E402  (a script as well as a module)

CITIES = {
    "Tokyo": ("JP", 35.68, 139.69), "Osaka": ("JP", 34.69, 135.50), "Singapore": ("SG", 1.35, 103.82),
    "Amsterdam": ("NL", 52.37, 4.90), "Frankfurt": ("DE", 50.11, 8.68), "London": ("GB", 51.51, -0.13),
    "San Jose": ("US", 37.34, -121.89), "Ashburn": ("US", 39.04, -77.49), "Marseille": ("FR", 43.30, 5.37),
}


def here(city):
    """A machine's own place, as configurations say it."""
    country, latitude, longitude = CITIES[city]
    return {"country": country, "city": city, "latitude": latitude, "longitude": longitude}


def place(prefix, city, asn, org):
    return {"prefix": prefix, "asn": asn, "org": org} | here(city)


def databases(rows, name="geo"):
    """Writes them, and returns the "geo" of a configuration. Written again under the same name they
    replace the ones before as a whole."""
    folder = RUN / name
    folder.mkdir(exist_ok=True)
    networks = [{key: row[key] for key in ("prefix", "asn", "org")} for row in rows]
    cities = [{key: value for key, value in row.items() if key not in ("asn", "org")} for row in rows]
    for file, table in (("city.mmdb", cities), ("asn.mmdb", networks)):
        replacement = folder / f"{file}.new"
        replacement.write_bytes(build(table))
        replacement.rename(folder / file)
    return {"city": str(pathlib.Path(folder / "city.mmdb")), "asn": str(pathlib.Path(folder / "asn.mmdb"))}
