"""`seawall index`, and what `seawall match` and `seawall scan` build upon it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from skimage.data import data_dir

from seawall.gate.bank import BankCopy
from seawall.gate.feed import Add, Page, Remove, Signal
from seawall.hashing import fingerprint
from seawall.matching import HashIndex, look_up

COFFEE, ROCKET = (fingerprint(Path(data_dir) / name).pdq for name in ("coffee.png", "rocket.jpg"))
ENTRY = (1 << 63) - 25


def index(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seawall.cli", "index", "bank.index", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> BankCopy:
    """A gate's copy that is not complete yet: coffee, a plain one, and rocket which is withdrawn again."""
    (tmp_path / "gate").mkdir()
    copy = BankCopy.open(tmp_path / "gate", now=0.0)
    changes = (
        Add(ENTRY, (Signal(64, "image", "pdq1", COFFEE.bits, 100),)),
        Add(2, (Signal(128, "image", "pdq1", bytes(32), 10),)),
        Add(3, (Signal(192, "image", "pdq1", ROCKET.bits, 100),)),
        Remove(3),
    )
    copy.apply(Page("1", changes, more=True), now=0.0)
    return copy


def test_it_writes_what_a_gate_holds_under_the_entries_numbers(copy: BankCopy, tmp_path: Path) -> None:
    copy.apply(Page("2", (), more=False), now=0.0)
    told = index(tmp_path, "--gate", "gate")
    copy.close()
    assert (told.returncode, told.stdout) == (0, "bank.index: 1 fingerprints\n")
    opened = HashIndex.open(tmp_path / "bank.index")
    assert [found.id for found in look_up(opened, COFFEE.dihedral())] == [ENTRY]
    assert look_up(opened, ROCKET.dihedral()) == ()


def test_it_writes_nothing_of_a_copy_that_is_not_whole(copy: BankCopy, tmp_path: Path) -> None:
    told = index(tmp_path, "--gate", "gate")
    copy.close()
    assert (told.returncode, "not complete yet" in told.stderr) == (2, True)
    assert not (tmp_path / "bank.index").exists()


def test_it_writes_a_list_under_the_numbers_of_its_lines(tmp_path: Path) -> None:
    (tmp_path / "bank.txt").write_text(f"{ROCKET.hex}\n\n{COFFEE.hex}\n")
    assert index(tmp_path, "--bank", "bank.txt").returncode == 0
    opened = HashIndex.open(tmp_path / "bank.index")
    assert [found.id for found in look_up(opened, COFFEE.dihedral())] == [3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bank", "nowhere.txt"], "nowhere.txt"),
        (["--bank", "bad.txt"], "line 1"),
        (["--gate", "nowhere"], "nowhere"),
        ([], "usage"),
    ],
)
def test_what_cannot_be_written_is_said_so(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "bad.txt").write_text("no fingerprint\n")
    told = index(tmp_path, *words)
    assert (told.returncode, said in told.stderr, "Traceback" in told.stderr) == (2, True, False)
    assert not (tmp_path / "bank.index").exists()
