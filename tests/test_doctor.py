"""`seawall doctor`, as an operator runs it: a process of its own."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seawall.cases import roster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def seawall(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seawall.cli", *words]
    kept = {name: value for name, value in os.environ.items() if name != "SEAWALL_DATABASE_URL"}
    environment = kept | {"SEAWALL_DATA": str(folder)} | settings
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def worker(folder: Path) -> Iterator[None]:
    """A migrated database, and the worker on it."""
    seawall(folder, "staff", "list")
    environment = os.environ | {"SEAWALL_DATA": str(folder)}
    running = subprocess.Popen([sys.executable, "-m", "seawall.cli", "worker"], env=environment)
    deadline = time.monotonic() + 60
    while "worker: runs" not in seawall(folder, "doctor").stdout and time.monotonic() < deadline:
        time.sleep(0.2)
    yield
    running.terminate()
    running.wait()


def test_it_names_what_a_new_machine_still_lacks(folder: Path) -> None:
    told = seawall(folder, "doctor")
    assert told.returncode == 1
    assert "ok  kernel: loads, and takes the " in told.stdout
    assert "migrations wait. `seawall serve` applies them." in told.stdout


def test_it_says_which_path_the_kernel_takes(folder: Path) -> None:
    assert "takes the portable path" in seawall(folder, "doctor", SEAWALL_SIMD="portable").stdout


def test_it_is_content_with_a_machine_where_all_is_well(folder: Path, worker: None, tmp_path_factory: Any) -> None:  # noqa: ARG001
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    seawall(folder, "backup", str(elsewhere / "backups"), "--keys", str(elsewhere / "keys"))
    told = seawall(folder, "doctor")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "ok  database: sqlite, up to date" in told.stdout
    assert "ok  worker: runs" in told.stdout


def test_it_misses_the_worker(folder: Path) -> None:
    seawall(folder, "staff", "list")
    told = seawall(folder, "doctor")
    assert told.returncode == 1
    assert "!!  worker: none runs." in told.stdout


@pytest.mark.usefixtures("worker")
def test_it_misses_backups_and_says_when_the_last_one_was(folder: Path, tmp_path_factory: Any) -> None:
    told = seawall(folder, "doctor").stdout
    assert "!!  backup: none was ever made here. `seawall backup DIR` takes one." in told
    assert "!!  copy of the keys: none was ever made here." in told
    seawall(folder, "backup", str(tmp_path_factory.mktemp("backups")))
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert f"ok  backup: made {today}" in seawall(folder, "doctor").stdout
    (folder / "backup.made").write_text((datetime.now(UTC) - timedelta(days=3)).isoformat())
    assert "!!  backup: made " in seawall(folder, "doctor").stdout


def test_it_warns_of_a_roster_that_runs_out(folder: Path, tmp_path_factory: Any) -> None:
    seawall(folder, "staff", "list")
    signer = Ed25519PrivateKey.generate()
    file = tmp_path_factory.mktemp("roster") / "roster"
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    root = signer.public_key().public_bytes_raw().hex()
    for days, said in (
        (20, "ok  roster: valid for 20 days."),
        (5, "!!  roster: valid for 5 days."),
        (0, "!!  roster: "),
    ):
        expires = datetime.now(UTC).date() + timedelta(days=days)
        file.write_text(roster.sign(roster.Roster(1, expires, 1, recipient), signer).file)
        told = seawall(folder, "doctor", SEAWALL_ROSTER=str(file), SEAWALL_ROSTER_ROOT=root)
        assert said in told.stdout


def test_it_says_which_authority_of_time_does_not_answer(folder: Path) -> None:
    seawall(folder, "staff", "list")
    told = seawall(folder, "doctor", SEAWALL_TSA_URLS="http://127.0.0.1:1/tsa")
    assert "!!  time-stamps: 127.0.0.1: does not answer (ConnectError)." in told.stdout


def test_it_warns_of_fetched_pages_that_pile_up(folder: Path) -> None:
    seawall(folder, "partner", "add", "Meadow", "--platform", "facebook")
    assert "feed:" not in seawall(folder, "doctor").stdout
    with closing(sqlite3.connect(folder / "seawall.sqlite3")) as sql, sql:
        page = [(1, bytes(8))]
        sql.executemany("INSERT INTO exchange_handedpage (partner_id, entries) VALUES (?, ?)", page * 5001)
    assert "!!  feed: 5001 pages that partners fetched wait" in seawall(folder, "doctor").stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"SEAWALL_SPARE_ROOM": str(1 << 20)}, "!!  room: "),  # a tebibyte: no machine this is tested on has two
        ({"SEAWALL_HOSTS": "*"}, "!!  hosts: SEAWALL_HOSTS lets every name in."),
        ({"SEAWALL_BEHIND_PROXY": "1"}, "!!  hosts: behind a proxy"),
        ({"SEAWALL_DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}, "!!  database: postgresql does not answer"),
    ],
)
def test_it_warns_of_settings_that_do_harm(folder: Path, settings: dict[str, str], said: str) -> None:
    told = seawall(folder, "doctor", **settings)
    assert told.returncode == 1
    assert said in told.stdout
    assert told.stderr == ""


def test_it_warns_of_a_folder_that_others_can_read(folder: Path) -> None:
    folder.chmod(0o755)
    assert "!!  data folder:" in seawall(folder, "doctor").stdout


def test_it_warns_of_a_file_in_it_that_others_can_read(folder: Path) -> None:
    seawall(folder, "staff", "list")
    assert "ok  data folder:" in seawall(folder, "doctor").stdout
    (folder / "seawall.sqlite3").chmod(0o644)
    assert "!!  data folder:" in seawall(folder, "doctor").stdout


def test_it_lists_the_facts_to_look_up(folder: Path) -> None:
    seawall(folder, "staff", "list")
    told = seawall(folder, "doctor", "--facts")
    assert told.returncode == 1
    assert "!!  services/report-fraud/phone: second-hand, not shown; last checked 2026-07-31" in told.stdout
    assert "not shown" not in next(line for line in told.stdout.splitlines() if "services/emergency-eu:" in line)


def test_facts_before_the_first_start_are_answered_with_words(folder: Path) -> None:
    told = seawall(folder, "doctor", "--facts")
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert "`seawall serve`" in told.stdout
