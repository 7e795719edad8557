"""A real gate process that follows an exchange in this one, over real sockets."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image
from skimage.data import data_dir

from seawall.gate.tests.exchange import KEY, ListExchange
from seawall.hashing import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECK_KEY = "key-of-the-upload-servers"


def photo(name: str) -> Image.Image:
    """One of scikit-image's photographs."""
    return Image.open(Path(data_dir) / name).convert("RGB")


def jpeg(picture: Image.Image, quality: int = 80) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def fingerprint_of(picture: Image.Image) -> bytes:
    return fingerprint(jpeg(picture)).pdq.bits


def until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "It did not come."
        time.sleep(0.02)


@dataclass
class GateProcess:
    """`seawall gate serve` in a process of its own."""

    folder: Path
    feed: str
    settings: dict[str, str] = field(default_factory=dict)

    def start(self, *, wait: bool = True, key: str = KEY) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = self.folder.parent / f"{self.folder.name}.log"
        command = [sys.executable, "-m", "seawall.cli", "gate", "serve", "--feed", self.feed, "--key", key]
        command += ["--check-key", CHECK_KEY, "--data", str(self.folder), "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, "SEAWALL_GATE_POLL_SECONDS": "0.05", **self.settings},
                stdout=log,
                stderr=log,
            )
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {CHECK_KEY}"}, timeout=30
        )
        if wait:
            until(lambda: self.status() == "I-AM-ALIVE")

    def status(self) -> str:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.http.get("/status").text
        except httpx.TransportError:
            return "not up"

    def detail(self) -> dict[str, Any]:
        detail: dict[str, Any] = self.http.get("/status/detail").raise_for_status().json()
        return detail

    def check(self, picture: bytes) -> httpx.Response:
        return self.http.post("/check", files={"file": picture})

    def matches(self, picture: bytes) -> list[dict[str, Any]]:
        verdict = self.check(picture).raise_for_status().json()
        assert (verdict["verdict"] == "match") == bool(verdict["matches"])
        found: list[dict[str, Any]] = verdict["matches"]
        return found

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.http.close()

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(timeout=20)
        self.http.close()
        return code

    def lines(self) -> list[dict[str, Any]]:
        """What it logged; every line but the two greetings is JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@contextmanager
def served(exchange: ListExchange) -> Iterator[str]:
    """The exchange on a real socket; answers its address."""
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            request = httpx.Request(
                self.command, f"http://exchange{self.path}", headers=dict(self.headers), content=content
            )
            with turn:
                response = exchange.answer(request)
            self.send_response(response.status_code)
            self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = answer  # noqa: N815 - the names http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A gate that is killed hangs up in the middle: that is what these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running(exchange: ListExchange, folder: Path, **settings: str) -> Iterator[GateProcess]:
    """A gate that follows that exchange."""
    with served(exchange) as feed:
        gate = GateProcess(folder, feed, settings)
        gate.start()
        try:
            yield gate
        finally:
            gate.kill()


@pytest.fixture
def exchange() -> ListExchange:
    return ListExchange()
