"""`seawall doctor`, as an operator runs it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

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


def test_it_is_content_with_a_machine_where_all_is_well(folder: Path, worker: None) -> None:  # noqa: ARG001
    told = seawall(folder, "doctor")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "ok  database: sqlite, up to date" in told.stdout
    assert "ok  worker: runs" in told.stdout


def test_it_misses_the_worker(folder: Path) -> None:
    seawall(folder, "staff", "list")
    told = seawall(folder, "doctor")
    assert told.returncode == 1
    assert "!!  worker: none runs." in told.stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
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
