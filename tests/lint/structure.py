#!/usr/bin/env python3
"""Holds the tree to its structure: what a machine can check, it should.

    structure.py BUILD-DIRECTORY [--report]

Checked: file stems are unique; a function seen outside its file begins with the file's stem;
there are no writable globals; each foreign library is met in one file only; pure rooms meet no
loop, socket or clock; headers include each other in no circle; every stem of a .c file that is
not a main program has a test that names it, or stands with a sibling that has. With --report the
ten longest functions and files are listed, for the reviewer's eye only.
"""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("common", "geo", "probe", "collector")

# Foreign headers, and the one file that may include them.
FOREIGN = {
    r"cJSON\.h|cjson/": {"common/json.c"},
    r"curl/": {"common/fetch.c", "common/fetch_transfer.c"},
    r"ares\.h": {"probe/names/dns_client.c"},
    r"arpa/nameser": {"common/dns_message.c"},
    r"libpsl\.h": {"common/suffix.c"},
    r"pcap[/.]": {"probe/capture/capture.c"},
    r"maxminddb\.h": {"geo/geo.c"},
    r"sqlite3\.h": {"collector/database/database.c"},
    r"nghttp2/": {"probe/protocol/hpack_pool.c"},
    r"llhttp\.h": {"collector/http/http_request.c"},
    r"zstd\.h": {"common/squeeze.c", "common/squeeze_stream.c"},
}
# What pure code never includes.
IMPURE = re.compile(r"#include [<\"](uv\.h|astray/now\.h|astray/fetch\.h|sys/socket\.h|poll\.h|sys/epoll\.h)")
PURE = ("collector/archive", "collector/pipeline", "collector/place", "collector/model", "collector/detect", "collector/incident")

problems = []


def problem(text):
    problems.append(text)


def sources():
    for room in ROOMS:
        for path in sorted((TOP / room).rglob("*.[ch]")):
            if "node_modules" not in path.parts:
                yield path


def relative(path):
    return str(path.relative_to(TOP))


def check_stems():
    seen = {}
    for path in sources():
        if path.suffix == ".c" and path.stem != "main":
            if path.stem in seen:
                problem(f"{relative(path)}: the stem is taken by {relative(seen[path.stem])}")
            seen[path.stem] = path


def check_includes():
    for path in sources():
        text = path.read_text()
        for pattern, allowed in FOREIGN.items():
            if re.search(rf'#include [<"]({pattern})', text) and relative(path) not in allowed:
                problem(f"{relative(path)}: includes a library that belongs to {sorted(allowed)[0]}")
        if relative(path).startswith(PURE) and IMPURE.search(text):
            problem(f"{relative(path)}: pure code includes {IMPURE.search(text).group(1)}")
        if path.suffix == ".c":
            own = re.search(r'#include "(?:astray/)?([\w]+)\.h"', text)
            header = [p for p in (path.with_suffix(".h"), TOP / "include/astray" / f"{path.stem}.h")
                      if p.exists()]
            if header and (not own or own.group(1) != path.stem):
                problem(f"{relative(path)}: its own header should come first")


def check_cycles():
    headers = {p.name: p for p in sources() if p.suffix == ".h"}
    headers.update({f"astray/{p.name}": p for p in (TOP / "include/astray").glob("*.h")})
    edges = {name: set(re.findall(r'#include "([^"]+)"', path.read_text())) & headers.keys()
             for name, path in headers.items()}
    done, path = set(), []

    def visit(name):
        if name in path:
            problem("headers in a circle: " + " -> ".join(path[path.index(name):] + [name]))
            return
        if name in done:
            return
        path.append(name)
        for other in sorted(edges[name]):
            visit(other)
        path.pop()
        done.add(name)

    for name in sorted(edges):
        visit(name)


def objects(build):
    for obj in sorted(build.rglob("*.c.o")):
        parts = obj.relative_to(build).parts
        if parts[0] in ROOMS and "llhttp.dir" not in parts:
            yield obj, obj.name[:-len(".c.o")]


def check_symbols(build):
    for obj, stem in objects(build):
        if not any(p.stem == stem for p in sources()):
            continue
        out = subprocess.run(["nm", "--defined-only", str(obj)], capture_output=True, text=True,
                             check=True).stdout
        for line in out.splitlines():
            kind, name = line.split()[1:3]
            if re.search(r"^(__|asan|_sub|\.L)|\.(str|lto|odr)|__func__|__odr_asan|__PRETTY", name):
                continue
            if kind == "T" and name != "main" and name != stem and not name.startswith(stem + "_"):
                problem(f"{stem}.c: {name} is seen outside but does not begin with the file's stem")
            if kind in "bBdDC" and not re.fullmatch(r"[Ll]\w*\d*", name):
                # Read-only tables of pointers are relocated, and stand in .data.rel.ro ('d'); only
                # the section tells them from writable ones.
                section = subprocess.run(["objdump", "-t", str(obj)], capture_output=True, text=True,
                                         check=True).stdout
                if re.search(rf" \.(data|bss)(?!\.rel\.ro)\S*[ \t].*[ \t]{re.escape(name)}$", section, re.M):
                    problem(f"{stem}.c: {name} is a writable global")


def check_tests():
    tests = "\n".join(p.read_text() for p in (TOP / "tests").rglob("*")
                      if p.suffix in (".c", ".py", ".h") and p.is_file())
    for path in sources():
        if path.suffix == ".c" and path.stem != "main" and not re.search(rf"\b{path.stem}(_\w+)?\b", tests):
            print(f"note: {relative(path)}: no test speaks of it")


# What a snapshot need not hold: settings, indexes, and what is made anew from the rest.
NOT_KEPT = {
    "pipeline": {"services", "geo", "hooks", "settings", "counters", "placed", "index", "index_mask", "cells",
                 "service_offsets", "coverage_offset", "cell_offsets", "service_size", "cell_size",
                 "judged", "room"},
    "slot_clock": {"slot_us", "late_us"},
    "vantages": {"index"},
    "casebook": {"settings", "counters", "hooks", "around"},
    "incident": {"since", "causes", "service_count", "site_count", "vantage_count", "evidence_count",
                 "evidence_dropped", "services", "sites", "vantages", "title", "text", "evidence"},
}


def fields_of(body):
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    body = re.sub(r"struct \{|union \{", "", body)
    for part in re.split(r"[;}]", body):
        for name in part.split(","):
            name = re.findall(r"\w+", re.sub(r"\[.*", "", name.strip(), flags=re.S))
            if name:
                yield name[-1]


def check_kept():
    """Each field of a struct that a snapshot holds is named in its struct's _keep function."""
    structs, functions = {}, []
    for path in sources():
        text = path.read_text()
        if relative(path).startswith(PURE):
            structs |= dict(re.findall(r"^struct (\w+) \{(.*?)^\};", text, re.S | re.M))
            functions += [(path, body) for body in re.findall(
                r"^(?:static )?void \w*keep\w*\(\s*struct archive \*.*?^\}", text, re.S | re.M)]
    for path, body in functions:
        what = re.search(r"struct (\w+) \*\w+ = state;", body) or re.search(r".*struct (\w+) \*\w+(?:,[^)*]*)?\)\n\{", body, re.S)
        for field in fields_of(structs.get(what.group(1), "")):
            if field not in NOT_KEPT.get(what.group(1), ()) and not re.search(rf"(->|\.){field}\b", body):
                problem(f"{relative(path)}: a snapshot loses {what.group(1)}.{field}")


def report():
    rows, files = [], []
    for path in sources():
        if path.suffix != ".c":
            continue
        lines = path.read_text().splitlines()
        files.append((len(lines), relative(path)))
        start = name = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
                name = re.sub(r"\(.*", "", " ".join(lines[max(0, number - 4):number - 1]))
            elif line == "}" and start:
                rows.append((number - start + 1, relative(path), name.split()[-1] if name.split() else "?"))
                start = None
    lengths = sorted(r[0] for r in rows)
    if lengths:
        print(f"{len(lengths)} functions: median {lengths[len(lengths) // 2]}, "
              f"p90 {lengths[len(lengths) * 9 // 10]}, longest {lengths[-1]} lines")
    for length, path, name in sorted(rows, reverse=True)[:10]:
        print(f"  {length:4} {path}: {name}")
    for length, path in sorted(files, reverse=True)[:10]:
        print(f"  {length:4} {path}")


def main():
    build = pathlib.Path(sys.argv[1])
    check_stems()
    check_includes()
    check_cycles()
    check_symbols(build)
    check_tests()
    check_kept()
    if "--report" in sys.argv:
        report()
    for text in problems:
        print(text)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
