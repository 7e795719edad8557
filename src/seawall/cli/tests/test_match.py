"""`seawall match` as people and scripts use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from skimage.data import data_dir

from seawall.hashing import fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A mirrored copy of the picture on the bank's third line, an unrelated picture, a plain one, and no picture."""
    coffee, rocket = (Image.open(Path(data_dir) / name).convert("RGB") for name in ("coffee.png", "rocket.jpg"))
    coffee.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "coffee.jpg", quality=60)
    rocket.save(tmp_path / "rocket.jpg", quality=90)
    Image.new("RGB", (200, 200), "gray").save(tmp_path / "gray.png")
    (tmp_path / "text.jpg").write_text("no picture")
    coffee_hash = fingerprint(Path(data_dir) / "coffee.png").pdq.hex
    (tmp_path / "bank.txt").write_text(f"{'00' * 32}\n\n{coffee_hash}\r\n")
    return tmp_path


def match(folder: Path, *files: str, bank: str = "bank.txt") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seawall.cli", "match", "--bank", bank, *files]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_names_the_line_the_distance_and_the_view(folder: Path) -> None:
    told = match(folder, "rocket.jpg", "gray.png", "text.jpg", "coffee.jpg")
    assert told.returncode == 3
    rocket, gray, coffee = told.stdout.splitlines()
    assert (rocket, gray) == ("rocket.jpg: free", "gray.png: free, too plain to compare")
    assert coffee.startswith("coffee.jpg: match, line 3, distance ")
    assert coffee.endswith(", mirrored left to right")
    assert told.stderr.startswith("text.jpg: ")


@pytest.mark.parametrize(
    ("files", "code"), [(["rocket.jpg"], 0), (["gray.png"], 0), (["text.jpg", "rocket.jpg"], 1), (["missing.jpg"], 1)]
)
def test_its_exit_code_says_what_was_found(folder: Path, files: list[str], code: int) -> None:
    assert match(folder, *files).returncode == code


@pytest.mark.parametrize("line", ["0" * 63, "0" * 65, "g" * 64, "00 " * 32, "ä" * 64, "\0"])
def test_a_line_that_is_no_fingerprint_is_named(folder: Path, line: str) -> None:
    (folder / "bad.txt").write_text(f"{'00' * 32}\n{line}\n", encoding="utf-8")
    told = match(folder, "rocket.jpg", bank="bad.txt")
    assert (told.returncode, told.stdout) == (2, "")
    assert "line 2: a fingerprint is 64 hex digits" in told.stderr


def test_a_bank_that_is_not_there_is_said_so(folder: Path) -> None:
    told = match(folder, "rocket.jpg", bank="nowhere.txt")
    assert (told.returncode, "nowhere.txt" in told.stderr, "Traceback" in told.stderr) == (2, True, False)
