"""What a scan says about each file."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from skimage.data import data_dir

from seawall.hashing import fingerprint
from seawall.scan.tests.conftest import COPIES, PHOTOS, answers, content, scan, shards

if TYPE_CHECKING:
    from pathlib import Path


def test_it_finds_every_copy_and_nothing_else(scanned: Path) -> None:
    found = {path for path, row in answers(scanned).items() if row["verdict"] == "match"}
    assert found == {f"{folder}/{number:03}.jpg" for folder in ("coff", "rock") for number in range(COPIES)}


def test_it_names_number_distance_and_view_of_a_match(scanned: Path, catalogue: Path) -> None:
    row = answers(scanned)["rock/049.jpg"]
    made = fingerprint(catalogue / "rock/049.jpg")
    assert (row["sha256"], row["pdq"], row["quality"]) == (made.sha256, made.pdq.hex, made.pdq.quality)
    assert row["size"] == (catalogue / "rock/049.jpg").stat().st_size
    assert (row["ids"], row["views"], row["error"]) == ([(1 << 63) + 9], ["mirrored left to right"], None)
    assert isinstance(row["distances"], list)
    assert row["distances"][0] <= 31


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("text.jpg", "not a picture"),
        ("half.jpg", "damaged or not whole"),
        ("empty.png", "is empty"),
        ("huge.jpg", "larger than 256 MB"),
        ("lost", "leads nowhere"),
        ("round", "link to a folder"),
        ("waits for ever", "not an ordinary file"),
        ("\\xff.jpg", "not a picture"),
    ],
)
def test_it_lists_a_bad_file_with_the_reason(scanned: Path, path: str, reason: str) -> None:
    row = answers(scanned)[path]
    assert (row["verdict"], row["pdq"], row["ids"]) == ("unreadable", None, [])
    assert reason in str(row["error"])


def test_it_answers_every_file_once_and_in_order(scanned: Path) -> None:
    paths = list(answers(scanned))
    assert len(paths) == len(PHOTOS) * COPIES + 9
    assert paths == sorted(paths, key=lambda path: os.fsencode(path.replace("\\xff", "\udcff")))
    assert answers(scanned)["plain.png"]["verdict"] == "too plain"


def test_its_folder_is_closed_to_others(scanned: Path) -> None:
    assert scanned.stat().st_mode & 0o077 == 0


def test_an_empty_folder_gives_an_empty_table(tmp_path: Path, index: Path) -> None:
    (tmp_path / "photos").mkdir()
    told = scan(tmp_path / "photos", index, tmp_path / "out")
    assert (told.returncode, told.stdout.splitlines()[0][:8]) == (0, "0 files:")
    assert answers(tmp_path / "out") == {}
    assert len(shards(tmp_path / "out")) == 1


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path, index: Path) -> None:
    told = scan(tmp_path / "nowhere", index, tmp_path / "out")
    assert (told.returncode, "There is no folder" in told.stderr) == (2, True)


@pytest.mark.parametrize("kind", ["missing", "no index", "cut short"])
def test_an_index_that_cannot_be_used_is_said_so(tmp_path: Path, index: Path, kind: str) -> None:
    bad = tmp_path / "bad.index"
    if kind != "missing":
        bad.write_bytes(index.read_bytes()[: -(1 << 16)] if kind == "cut short" else b"x" * 100_000)
    told = scan(data_dir, bad, tmp_path / "out")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("seawall: ")
    assert "Traceback" not in told.stderr


def test_an_index_altered_inside_ends_the_scan_without_a_wrong_answer(
    tmp_path: Path, catalogue: Path, index: Path
) -> None:
    whole = bytearray(index.read_bytes())
    whole[2 * 65_536 + 5] ^= 1  # inside the second block of the body, the fingerprints
    (tmp_path / "bad.index").write_bytes(whole)
    told = scan(catalogue, tmp_path / "bad.index", tmp_path / "out")
    assert told.returncode == 2
    assert "altered" in told.stderr
    assert content(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("part", "words", "extra"),
    [
        ("pyarrow", ["."], "scan"),
        ("fsspec", ["."], "scan"),
        ("ray", [".", "--engine", "ray"], "ray"),
        ("s3fs", ["s3://bucket/photos"], "s3"),
    ],
)
def test_a_missing_part_is_named_with_the_command_that_brings_it(
    tmp_path: Path, part: str, words: list[str], extra: str
) -> None:
    program = f"import sys; sys.modules[{part!r}] = None; from seawall.cli import main; sys.exit(main(sys.argv[1:]))"
    wanted = ["scan", *words, "--index", "bank.index", "--out", "out"]
    told = subprocess.run(
        [sys.executable, "-c", program, *wanted], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (told.returncode, "Traceback" in told.stderr) == (2, False)
    assert f"pip install 'seawall[{extra}]'" in told.stderr
