#!/usr/bin/env python3
"""People who use a web service: each asks, reads, thinks a while, and asks again.

    visitors.py URL COUNT THINK-SECONDS

Every request is a new connection to the address that the resolver says now, as of people who come
and go; so fewer requests are made where each takes longer. One line a request: the seconds it took,
or what went wrong. Ends with its input.
"""
import random
import socket
import ssl
import sys
import threading
import time
import urllib.parse


def visit(context, host, port, path):
    """The seconds until the answer's first byte."""
    start = time.monotonic()
    with socket.create_connection((host, port), timeout=10) as raw:
        with context.wrap_socket(raw, server_hostname=host) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            connection.recv(1)
            taken = time.monotonic() - start
            while connection.recv(65536):
                pass
    return taken


def live(url, think):
    place = urllib.parse.urlsplit(url)
    context = ssl.create_default_context()
    while True:
        time.sleep(think * random.uniform(0.5, 1.5))
        try:
            print(f"{visit(context, place.hostname, place.port or 443, place.path or '/'):.4f}", flush=True)
        except OSError as failure:
            print(f"failed: {failure}", flush=True)


def main():
    url, count, think = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    for _ in range(count):
        threading.Thread(target=live, args=(url, think), daemon=True).start()
    sys.stdin.read()


main()
