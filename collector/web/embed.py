#!/usr/bin/env python3
"""Turns the bundled page into one C table of gzip-packed files: embed.py DIST OUT.c"""
import gzip
import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".json": "application/json",
         ".txt": "text/plain; charset=utf-8"}


def main():
    dist, out = map(pathlib.Path, sys.argv[1:3])
    bodies, rows = [], []
    for number, path in enumerate(sorted(p for p in dist.rglob("*") if p.is_file())):
        packed = gzip.compress(path.read_bytes(), 9, mtime=0)
        name = "/" + str(path.relative_to(dist))
        etag = hashlib.sha256(packed).hexdigest()[:16]
        data = ",".join(map(str, packed))
        bodies.append(f"static const unsigned char file_{number}[] = {{{data}}};")
        rows.append(f'\t{{"{name}", "{TYPES[path.suffix]}", "\\"{etag}\\"", file_{number}, {len(packed)}}},')
    out.write_text('#include "web.h"\n\n' + "\n".join(bodies)
                   + "\n\nconst struct web_file web_table[] = {\n" + "\n".join(rows) + "\n\t{0},\n};\n")


if __name__ == "__main__":
    main()
