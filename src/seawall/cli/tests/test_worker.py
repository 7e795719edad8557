"""`seawall worker` and what `seawall doctor` says of it."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seawall.cli import worker
from seawall.cli.tests.test_partner import Operator, _until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    made = Operator(tmp_path)
    made.types("partner", "list")
    return made


@pytest.fixture
def data(settings: Any, tmp_path: Path) -> Path:
    settings.DATA = tmp_path
    return tmp_path


def ran(folder: Path) -> dict[str, str]:
    with suppress(FileNotFoundError):
        done: dict[str, str] = json.loads((folder / worker.RAN).read_text())
        return done
    return {}


def test_it_does_every_job_and_notes_when(operator: Operator) -> None:
    assert operator.types("worker", "--once").returncode == 0
    assert set(ran(operator.folder)) == {job.name for job in worker.jobs()}


def test_killed_it_goes_on_where_it_was(operator: Operator) -> None:
    command = [sys.executable, "-m", "seawall.cli", "worker", "--data", str(operator.folder)]
    for _ in range(2):
        (operator.folder / worker.RAN).unlink(missing_ok=True)
        with subprocess.Popen(command, env=operator.environment, stdout=subprocess.DEVNULL) as running:
            _until(lambda: set(ran(operator.folder)) == {job.name for job in worker.jobs()})
            running.send_signal(signal.SIGKILL)


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_or_hangs_holds_up_no_other(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []
    hangs = threading.Event()

    def fails(_: datetime) -> None:
        done.append("fails")
        raise RuntimeError("alice's secret")

    def waits(_: datetime) -> None:
        hangs.wait(60)

    monkeypatch.setattr(worker, "_LOOK_EVERY", 0.05)
    monkeypatch.setattr(worker, "_LAST_WORDS", 0.2)
    monkeypatch.setattr(
        worker,
        "jobs",
        lambda: (
            worker.Job("hangs", 0.05, waits),
            worker.Job("fails", 60, fails),
            worker.Job("works", 0.05, lambda _: done.append("works")),
        ),
    )
    with worker.Work().goes_on():
        until = time.monotonic() + 30
        while (done.count("works") < 3 or done.count("fails") < 2) and time.monotonic() < until:
            time.sleep(0.02)
    noted = set(ran(data))
    hangs.set()
    assert done.count("works") >= 3
    assert done.count("fails") >= 2, "what failed is tried again soon, not after its beat of a minute"
    assert noted == {"works"}
    told = capsys.readouterr().out
    assert "RuntimeError" in told
    assert "alice" not in told


@pytest.mark.django_db(transaction=True)
def test_one_works_at_a_time() -> None:
    told = []

    def second() -> None:
        with worker.the_only_one() as alone:
            told.append(alone())

    with worker.the_only_one() as first:
        assert first()
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        assert first()
    second()
    assert told == [False, True]


def test_it_ends_no_case_because_the_key_store_was_lost(operator: Operator) -> None:
    with closing(sqlite3.connect(operator.folder / "seawall.sqlite3", isolation_level=None)) as sql:
        row = (1, b"c" * 16, b"k" * 32, "age1", 1, b"d" * 32, b"m", 20_000)
        sql.execute(
            'INSERT INTO cases_case (id, "case", sign_key, recipient, seq, digest, manifest, used)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
    (operator.folder / "keys.sqlite3").unlink(missing_ok=True)
    assert operator.types("worker", "--once").returncode == 1
    assert operator.asks("SELECT count(*) FROM cases_case") == [(1,)]
    assert "cases" not in ran(operator.folder)
    assert "!!  key store: keys.sqlite3 is gone" in operator.types("doctor").stdout


def test_the_doctor_says_which_job_was_not_done_lately(operator: Operator) -> None:
    command = [sys.executable, "-m", "seawall.cli", "worker", "--data", str(operator.folder)]
    with subprocess.Popen(command, env=operator.environment, stdout=subprocess.DEVNULL) as running:
        _until(lambda: set(ran(operator.folder)) == {job.name for job in worker.jobs()})
        assert "worker: " not in operator.types("doctor").stdout.replace("worker: runs", "")
        long_ago = (datetime.now(UTC) - timedelta(hours=4)).isoformat()
        (operator.folder / worker.RAN).write_text(json.dumps({**ran(operator.folder), "cases": long_ago}))
        assert "!!  worker: cases: done not since" in operator.types("doctor").stdout
        running.terminate()
