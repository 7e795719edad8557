"""A catalogue of benign pictures with everything in it that catalogues hold, and an index that knows two of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from skimage.data import data_dir

from seawall.hashing import fingerprint
from seawall.matching import HashIndex

if TYPE_CHECKING:
    from collections.abc import Callable

PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "motorcycle_left.png", "rocket.jpg")
COPIES = 50  # of each: 20 slices, so that there is a middle in which something can be killed
DIFFERENT = 5


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogue")
    for name in PHOTOS:
        photo = Image.open(Path(data_dir) / name).convert("RGB").resize((1400, 1050))
        if name == "rocket.jpg":
            photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        (folder / name[:4]).mkdir()
        for number in range(COPIES):
            copy = folder / name[:4] / f"{number:03}.jpg"
            if number < DIFFERENT:
                photo.save(copy, quality=40 + 9 * number)
            else:
                shutil.copy(folder / name[:4] / f"{number % DIFFERENT:03}.jpg", copy)
    Image.new("RGB", (200, 200), "gray").save(folder / "plain.png")
    (folder / "text.jpg").write_text("no picture")
    (folder / "half.jpg").write_bytes((folder / "coff/000.jpg").read_bytes()[:5_000])
    (folder / "empty.png").touch()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.jpg")).write_text("no picture under an odd name")
    (folder / "lost").symlink_to("/nowhere")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "waits for ever")
    with (folder / "huge.jpg").open("wb") as huge:
        huge.truncate((256 << 20) + 1)
    return folder


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Coffee under 7, rocket under 2^63 + 9; the catalogue's rockets are mirrored."""
    path = tmp_path_factory.mktemp("index") / "bank.index"
    known = [fingerprint(Path(data_dir) / name).pdq.bits for name in ("coffee.png", "rocket.jpg")]
    hashes = np.frombuffer(b"".join(known), np.uint8).reshape(2, 32)
    HashIndex.build(hashes, np.array([7, (1 << 63) + 9], np.uint64)).save(path)
    return path


def scan(source: Path | str, index: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(source, index, out, *more), capture_output=True, text=True, check=False)


def command(source: Path | str, index: Path, out: Path, *more: str) -> list[str]:
    words = [sys.executable, "-m", "seawall.cli", "scan", str(source), "--index", str(index), "--out", str(out)]
    return [*words, "--workers", "2", *more]


def answers(out: Path) -> dict[str, dict[str, object]]:
    table: pa.Table = pq.read_table(out / "shards")
    return {row["path"]: row for row in table.to_pylist()}


def shards(out: Path) -> list[Path]:
    return sorted(out.glob("shards/*.parquet"))


def content(out: Path) -> dict[str, bytes]:
    return {shard.name: shard.read_bytes() for shard in shards(out)}


@pytest.fixture(scope="session")
def scanned(catalogue: Path, index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole catalogue, scanned by processes without disturbance."""
    out = tmp_path_factory.mktemp("scanned") / "out"
    told = scan(catalogue, index, out)
    assert told.returncode == 3, told.stderr
    return out


@pytest.fixture
def changed(tmp_path: Path, index: Path) -> Callable[[], Path]:
    """A small finished scan, in ``tmp_path``/out of ``tmp_path``/photos."""

    def make() -> Path:
        (tmp_path / "photos").mkdir()
        for name in ("coffee.png", "rocket.jpg"):
            (tmp_path / "photos" / name).write_bytes((Path(data_dir) / name).read_bytes())
        assert scan(tmp_path / "photos", index, tmp_path / "out").returncode == 3
        return tmp_path

    return make
