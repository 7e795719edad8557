"""`seawall partner` and `seawall worker`, as an operator types them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Operator:
    """Somebody at a terminal, with a data folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if name != "SEAWALL_DATABASE_URL"}

    def types(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "seawall.cli", *words, "--data", str(self.folder)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)

    def asks(self, question: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.folder / "seawall.sqlite3", isolation_level=None)) as database:
            return database.execute(question).fetchall()


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_a_partner_is_added_listed_rotated_and_its_key_revoked(operator: Operator) -> None:
    added = operator.types("partner", "add", "Meadow", "--platform", "facebook", "instagram", "--json")
    keys = json.loads(added.stdout)
    assert set(keys) == {"fetch", "submit", "feedback", "subscription", "api"}
    assert "," not in added.stdout.replace('", "', "")
    kept = (operator.folder / "seawall.sqlite3").read_bytes()
    assert not any(key.encode() in kept or bytes.fromhex(key) in kept for key in keys.values())

    again = operator.types("partner", "add", "Meadow", "--platform", "facebook")
    assert (again.returncode, again.stdout) == (1, "")
    assert "seawall partner rotate" in again.stderr

    shown = operator.types("partner", "rotate", "Meadow").stdout
    assert "shown once" in shown
    assert "GET  /v1/FetchHashes" in shown
    listed = operator.types("partner", "list").stdout
    assert "Meadow: facebook, instagram" in listed
    assert "last full fetch under /v1/: never" in listed
    assert listed.count("  key ") == 10

    assert operator.types("partner", "revoke", "1").returncode == 0
    assert "key 1: fetch" in operator.types("partner", "list").stdout
    assert ", revoked" in operator.types("partner", "list").stdout
    for words in (["revoke", "1"], ["revoke", "99"], ["rotate", "Nobody"], ["add", "X", "--platform", "nowhere"]):
        refused = operator.types("partner", *words)
        assert refused.returncode == 1
        assert refused.stderr.startswith("seawall: ")
        assert "Traceback" not in refused.stderr


def test_the_worker_closes_the_hours_that_are_over_and_one_is_enough(operator: Operator) -> None:
    operator.types("partner", "add", "Meadow", "--platform", "facebook")
    operator.asks("UPDATE exchange_feedcounter SET hour = hour - 2")
    command = [sys.executable, "-m", "seawall.cli", "worker", "--data", str(operator.folder)]
    running = subprocess.Popen(command, env=operator.environment, stderr=subprocess.PIPE)
    try:
        _until(lambda: operator.asks("SELECT renumbered, rewritten FROM exchange_feedhour") == [(1, 1)])
        second = operator.types("worker", "--once")
        assert second.returncode == 1
        assert "another worker" in second.stdout + second.stderr
        running.send_signal(signal.SIGKILL)
        running.wait()
        operator.asks("UPDATE exchange_feedhour SET rewritten = 0")
        assert operator.types("worker", "--once").returncode == 0
        assert operator.asks("SELECT renumbered, rewritten FROM exchange_feedhour") == [(1, 1)]
    finally:
        running.kill()
        running.wait()
        assert running.stderr is not None
        running.stderr.close()


def test_the_worker_ends_when_it_is_told_to(operator: Operator) -> None:
    operator.types("partner", "add", "Meadow", "--platform", "facebook")
    operator.asks("UPDATE exchange_feedcounter SET hour = hour - 2")
    command = [sys.executable, "-m", "seawall.cli", "worker", "--data", str(operator.folder)]
    running = subprocess.Popen(command, env=operator.environment, stderr=subprocess.DEVNULL)
    _until(lambda: operator.asks("SELECT rewritten FROM exchange_feedhour") == [(1,)])
    running.terminate()
    assert running.wait(20) == 0


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)
