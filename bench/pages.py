"""The guide's pages from the server as it runs: how long one takes, and how many a second it gives."""

from __future__ import annotations

import socket
import tempfile
import time
from contextlib import ExitStack
from multiprocessing import Process, Queue
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from seawall.cli.demo.parts import start

if TYPE_CHECKING:
    from multiprocessing.queues import Queue as Counts

# The front page, a step, the two longest pages, and one that is rendered anew each time.
PATHS = ("/", "/start/", "/steps/2/", "/apps/", "/support/", "/privacy/")
PLAN = b"a=1&b=instagram&b=facebook&c=2&d=2&e=5&e=6"
WARM, ALONE = 20, 200  # requests, one after the other, for each page: uncounted and counted
CLIENTS, SECONDS = 8, 5.0
SLOWEST_MS = 15.0
FEWEST = 500.0


def run() -> list[dict[str, Any]]:
    """Rows: the 95th percentile of each page and of the plan, then pages a second. No peer serves the same pages."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
        demo = start(stack, folder=folder, port=0)
        address = urlsplit(demo.site).netloc
        gets = {path: _request("GET", path, address) for path in PATHS}
        plan = _request("POST", "/start/", address, PLAN)
        rows = [
            _row(f"{name}, 95th percentile", _slowest(address, request), "ms", f"<= {SLOWEST_MS:g} ms")
            for name, request in {**gets, "/start/ with answers": plan}.items()
        ]
        rate = _rate(address, list(gets.values()))
        return [*rows, _row(f"pages with {CLIENTS} clients", rate, "/s", f">= {FEWEST:g} /s")]


def _row(what: str, ours: float, unit: str, target: str) -> dict[str, Any]:
    met = ours <= SLOWEST_MS if unit == "ms" else ours >= FEWEST
    blank = {"peer": None, "ratio": None, "peer_name": None}
    return {"what": what, "ours": round(ours, 2), "unit": unit, "target": target, "met": met, **blank}


def _request(method: str, path: str, address: str, body: bytes = b"") -> bytes:
    form = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: gzip\r\n{form}\r\n"
    return head.encode() + body


def _connect(address: str) -> socket.socket:
    host, port = address.split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _ask(connection: socket.socket, request: bytes) -> None:
    """One request and its whole answer."""
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    held = len(body)
    while held < length:
        held += len(connection.recv(65536))


def _slowest(address: str, request: bytes) -> float:
    """Milliseconds under which 95 of 100 answers came, asked one after the other."""
    with _connect(address) as connection:
        for _ in range(WARM):
            _ask(connection, request)
        times = []
        for _ in range(ALONE):
            begin = time.perf_counter()
            _ask(connection, request)
            times.append(time.perf_counter() - begin)
    return float(np.percentile(times, 95) * 1000)


def _rate(address: str, requests: list[bytes]) -> float:
    """Answers a second with every client asking as fast as it can, on the cores that the server uses too."""
    counts: Counts[int] = Queue()
    clients = [Process(target=_client, args=(address, requests, counts)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    total = sum(counts.get() for _ in clients)
    for client in clients:
        client.join()
    return total / SECONDS


def _client(address: str, requests: list[bytes], counts: Counts[int]) -> None:
    done, end = 0, time.monotonic() + SECONDS
    with _connect(address) as connection:
        while time.monotonic() < end:
            _ask(connection, requests[done % len(requests)])
            done += 1
    counts.put(done)
