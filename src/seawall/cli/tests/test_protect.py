"""`seawall protect` against a site that really runs: asked, kept, shown, sent; or nothing done at all."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image
from skimage import data

from bench import _clips
from seawall.cases.tests.server import own_database, serving
from seawall.exchange import wire
from seawall.hashing import fingerprint, look
from seawall.hashing.videos import pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    with own_database(folder) as environment:
        command = [sys.executable, "-m", "seawall.cli", "partner", "add", "Meadow", "--platform", "facebook"]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        with serving(environment) as url:
            yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _clips.write(tmp_path / "clip.mp4", _clips.panned(81, 40))
    Image.fromarray(data.coffee()).save(tmp_path / "coffee.jpg")  # type: ignore[no-untyped-call]
    Image.new("RGB", (200, 200)).save(tmp_path / "black.png")
    return tmp_path


def protect(folder: Path, site: str, *words: str, said: str = "yes\nyes\n") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seawall.cli", "protect", *words, "--site", site, "--receipt", "receipt.txt"]
    return subprocess.run(command, cwd=folder, input=said, capture_output=True, text=True, check=False)


def status(site: str, token: str) -> httpx.Response:
    return httpx.post(f"{site}/api/receipts/status", json={"token": token})


def tokens(folder: Path) -> list[str]:
    lines = (folder / "receipt.txt").read_text().splitlines()
    assert lines[0] == "seawall receipt 1"
    return [line.split(" ")[0] for line in lines[3:] if line[0] != "#"]


def test_it_sends_what_it_shows_and_the_receipt_takes_it_back(site: str, folder: Path) -> None:
    told = protect(folder, site, "clip.mp4", "coffee.jpg", "--parts")
    assert told.returncode == 0, told.stderr
    clip, photo = wire.parse(told.stdout).items
    made, (still, plane) = fingerprint(folder / "clip.mp4"), look(folder / "coffee.jpg")
    assert (clip.value, clip.md5, clip.sha256) == (
        pack(made.frames),
        bytes.fromhex(made.md5),
        bytes.fromhex(made.sha256),
    )
    assert (photo.value, photo.windows) == (still.pdq.bits, plane.registered())
    kept = tokens(folder)
    assert [status(site, token).json()["state"] for token in kept] == ["active"] * 2
    assert [each["slug"] for each in status(site, kept[0]).json()["platforms"]] == ["facebook"]
    assert httpx.post(f"{site}/api/receipts/withdraw", json={"token": kept[0]}).json()["state"].startswith("withdr")
    receipt = (folder / "receipt.txt").read_text()
    assert httpx.post(f"{site}/protect/receipt/", data={"receipt": receipt}).status_code == 200
    assert (folder / "receipt.txt").stat().st_mode & 0o77 == 0


def test_without_a_yes_nothing_is_read_or_sent(site: str, folder: Path) -> None:
    told = protect(folder, site, "coffee.jpg", said="no\n")
    assert (told.returncode, told.stdout) == (1, "")
    assert f"{site}/protect/under-18/" in told.stderr
    assert not (folder / "receipt.txt").exists()
    for said in ("yes\nno\n", "yes\n"):
        told = protect(folder, site, "coffee.jpg", said=said)
        assert (told.returncode, wire.parse(told.stdout).items[0].version) == (1, "pdq1")
        assert "Nothing was sent" in told.stderr
        assert not (folder / "receipt.txt").exists()


def test_what_cannot_be_protected_is_left_out_with_a_word(site: str, folder: Path) -> None:
    (folder / "notes.txt").write_text("no picture")
    told = protect(folder, site, "black.png", "notes.txt", "coffee.jpg", "none.jpg", "--for", "facebook")
    assert told.returncode == 1
    assert told.stdout.splitlines()[1] == "for facebook"
    assert len(tokens(folder)) == 1
    assert [file for file in ("black.png", "notes.txt", "none.jpg", "coffee.jpg") if f"{file}:" in told.stderr] == [
        "black.png",
        "notes.txt",
        "none.jpg",
    ]
    assert "Done. It is on its way." in told.stderr


def test_a_receipt_is_never_written_over(site: str, folder: Path) -> None:
    (folder / "receipt.txt").write_text("of another picture")
    told = protect(folder, site, "coffee.jpg")
    assert (told.returncode, told.stdout) == (1, "")
    assert (folder / "receipt.txt").read_text() == "of another picture"


def test_a_site_that_refuses_leaves_no_receipt_and_one_that_is_silent_does(site: str, folder: Path) -> None:
    told = protect(folder, site, "coffee.jpg", "--for", "meadow")
    assert told.returncode == 1
    assert "nothing was stored" in told.stderr
    assert not (folder / "receipt.txt").exists()
    told = protect(folder, "http://127.0.0.1:1", "coffee.jpg")
    assert told.returncode == 1
    assert "We cannot reach" in told.stderr
    assert len(tokens(folder)) == 1


def test_it_sends_to_no_other_machine_without_tls(folder: Path) -> None:
    told = protect(folder, "http://example.org", "coffee.jpg")
    assert told.returncode == 2
    assert not (folder / "receipt.txt").exists()
