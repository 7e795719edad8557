"""kill -9 in the middle of the loop: nothing is lost, nothing is doubled.

People submit and withdraw, a platform checks uploads, and all the while exchange and gate are killed and started
again. SEAWALL_KILLS says how often (20; `make test-faults` 500).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KILLS = int(os.environ.get("SEAWALL_KILLS", "20"))
CHECK_KEY = "key-of-the-upload-servers"
START_SECONDS = 60

Signal = tuple[int, str, bytes]  # entry, version, value


@dataclass
class Part:
    """A `seawall` command in a process group of its own, and where it says that it is up."""

    command: list[str]
    ready: str
    log: Path

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "seawall.cli", *self.command],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "SEAWALL_GATE_POLL_SECONDS": "0.1"},
            )

    def wait(self) -> None:
        until(self.is_up, START_SECONDS)

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(self.ready).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """All of its processes at once, as when the machine goes dark."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def until(true: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "It did not come."
        time.sleep(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@dataclass
class Person:
    """Submits and withdraws, and sends again until it is told that it is done."""

    site: str
    random: random.Random
    stop: threading.Event
    tokens: dict[int, bytes] = field(default_factory=dict)  # entry -> token
    active: dict[int, str] = field(default_factory=dict)  # entry -> fingerprint; sent and accepted
    windows: dict[int, bytes] = field(default_factory=dict)  # of every second one
    checked: dict[int, str] = field(default_factory=dict)  # those among them that are never withdrawn
    wrong: list[str] = field(default_factory=list)

    def live(self) -> None:
        while not self.stop.is_set():
            passing = [entry for entry in list(self.active) if entry not in self.checked]
            if passing and self.random.random() < 0.4:
                self.withdraw(self.random.choice(passing))
            else:
                self.submit()
            time.sleep(self.random.uniform(0, 0.05))

    def submit(self) -> None:
        token, pdq = self.random.randbytes(16), self.random.randbytes(32).hex()
        h = hashlib.sha256(token)
        entry = int.from_bytes(h.digest()[:8], "big") >> 1
        text = f"seawall fingerprints 1\nfor all\n{h.hexdigest()} image pdq1 {pdq} 100\n"
        if len(self.tokens) % 2:
            windows = b"".join(self.random.randbytes(32) + b"\x50" for _ in range(126))
            text += f"{h.hexdigest()} image windows1 {base64.urlsafe_b64encode(windows).decode()} 80\n"
            self.windows[entry] = windows
        self.insist("/protect/send/", data={"fingerprints": text})
        self.tokens[entry], self.active[entry] = token, pdq
        if len(self.checked) < 30:
            self.checked[entry] = pdq

    def withdraw(self, entry: int) -> None:
        self.insist("/api/receipts/withdraw", json={"token": self.tokens[entry].hex()})
        del self.active[entry]

    def holds(self) -> set[Signal]:
        """The signals of what is active."""
        pictures = {(entry, "pdq1", bytes.fromhex(pdq)) for entry, pdq in self.active.items()}
        return pictures | {(entry, "windows1", value) for entry, value in self.windows.items() if entry in self.active}

    def insist(self, path: str, **what: object) -> None:
        deadline = time.monotonic() + 2 * START_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = httpx.post(self.site + path, timeout=10, **what)  # type: ignore[arg-type]
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if not answer.is_success:
                self.wrong.append(f"{path} answered {answer.status_code}")
            return
        self.wrong.append(f"{path} never answered")


@dataclass
class Platform:
    """Has uploads checked, and keeps count of what the gate answered."""

    gate: str
    person: Person
    random: random.Random
    stop: threading.Event
    blocked: dict[int, int] = field(default_factory=dict)  # answered with a match
    unanswered: dict[int, int] = field(default_factory=dict)  # the gate was killed, perhaps after it noted the block
    wrong: list[str] = field(default_factory=list)

    def live(self) -> None:
        while not self.stop.is_set():
            if self.person.checked:
                self.check(self.random.choice(list(self.person.checked.items())))
            time.sleep(self.random.uniform(0, 0.02))

    def check(self, upload: tuple[int, str]) -> None:
        entry, pdq = upload
        headers = {"Authorization": f"Bearer {CHECK_KEY}"}
        try:
            answer = httpx.post(self.gate + "/check", json={"pdq": pdq, "quality": 100}, headers=headers, timeout=10)
        except httpx.ConnectError:
            return
        except httpx.TransportError:
            self.unanswered[entry] = self.unanswered.get(entry, 0) + 1
            return
        if answer.status_code == 503:
            return
        found = [match["entry"] for match in answer.json()["matches"]]
        if found == [str(entry)]:
            self.blocked[entry] = self.blocked.get(entry, 0) + 1
        elif found or entry in self.blocked:  # a protection that was there once is there after every restart
            self.wrong.append(f"{entry} was answered with {found}")


@pytest.mark.timeout(120 + 20 * KILLS)
def test_nothing_is_lost_and_nothing_doubled_by_any_kill(tmp_path: Path) -> None:
    chance = random.Random(20)  # noqa: S311 - seeded, so that a failure can be repeated
    ports = free_port(), free_port()
    site, gate_url = (f"http://127.0.0.1:{port}" for port in ports)
    exchange = Part(
        ["serve", "--port", str(ports[0]), "--data", str(tmp_path / "site")], f"{site}/health/", tmp_path / "site.log"
    )
    gate = Part(["gate", "serve", "--feed", f"{site}/api"], f"{gate_url}/status", tmp_path / "gate.log")
    gate.command += ["--port", str(ports[1]), "--data", str(tmp_path / "gate"), "--check-key", CHECK_KEY]
    with ExitStack() as stack:
        exchange.start()
        stack.callback(exchange.kill)
        exchange.wait()
        gate.command += ["--key", partner_key(tmp_path / "site")]
        gate.start()
        stack.callback(gate.kill)
        gate.wait()
        stop = threading.Event()
        person = Person(site, random.Random(1), stop)  # noqa: S311
        platform = Platform(gate_url, person, random.Random(2), stop)  # noqa: S311
        lives = [threading.Thread(target=one.live) for one in (person, platform)]
        for life in lives:
            life.start()
            stack.callback(life.join)
        stack.callback(stop.set)
        for _ in range(KILLS):
            victims = chance.choice([[gate], [exchange], [gate, exchange]])
            time.sleep(chance.uniform(0, 0.6))
            for part in victims:
                part.kill()
            for part in victims:
                part.start()
            for part in victims:
                part.wait()
        stop.set()
        for life in lives:
            life.join()
        assert person.wrong + platform.wrong == []
        until(lambda: held_by_gate(tmp_path / "gate") == person.holds())
        assert held_by_exchange(tmp_path / "site") == held_by_gate(tmp_path / "gate")
        until(lambda: rows(tmp_path / "gate/gate.sqlite3", "SELECT * FROM outbox") == [])
        told = {entry: reported(site, person.tokens[entry]) for entry in person.checked}
    assert len(platform.blocked) > min(KILLS, 20) / 2
    for entry, count in told.items():
        answered = platform.blocked.get(entry, 0)
        assert answered <= count <= answered + platform.unanswered.get(entry, 0)
    events = rows(tmp_path / "site/seawall.sqlite3", "SELECT count(*) FROM exchange_feedbackevent")
    assert events == [(sum(told.values()),)]


def partner_key(data: Path) -> str:
    command = [sys.executable, "-m", "seawall.cli", "partner", "add", "Example", "--platform", "facebook", "--json"]
    added = subprocess.run([*command, "--data", str(data)], check=True, capture_output=True)
    key: str = json.loads(added.stdout)["api"]
    return key


def reported(site: str, token: bytes) -> int:
    answer = httpx.post(f"{site}/api/receipts/status", json={"token": token.hex()}).raise_for_status()
    (platform,) = answer.json()["platforms"]
    count: int = platform["blocked"]
    return count


def rows(file: Path, query: str) -> list[tuple[int | bytes, ...]]:
    with closing(sqlite3.connect(file, timeout=20)) as db:
        return db.execute(query).fetchall()


def held_by_gate(folder: Path) -> set[Signal]:
    return set(rows(folder / "gate.sqlite3", "SELECT entry, version, value FROM signals"))  # type: ignore[arg-type]


def held_by_exchange(folder: Path) -> set[Signal]:
    query = (
        "SELECT s.entry_id, s.version, s.value FROM exchange_entry e, "
        "(SELECT entry_id, version, value FROM exchange_signal"
        " UNION ALL SELECT entry_id, 'windows1', value FROM exchange_windows) s"
        " WHERE e.id = s.entry_id AND e.state = 'active'"
    )
    return set(rows(folder / "seawall.sqlite3", query))  # type: ignore[arg-type]
