"""The index on disk: it comes back whole, or it says why not."""

import os
from pathlib import Path

import numpy as np
import pytest

from seawall.matching import DamagedIndex, HashIndex

rng = np.random.default_rng(20)
HASHES = rng.integers(0, 256, (500, 32), np.uint8)
IDS = rng.integers(0, 2**63, 500, np.uint64) * 2 + 1


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    index = HashIndex.build(HASHES, IDS)
    index.remove(IDS[:100])
    index.save(tmp_path / "bank.index")
    return tmp_path / "bank.index"


def test_it_opens_with_what_was_saved_and_can_be_changed_again(saved: Path) -> None:
    index = HashIndex.open(saved)
    assert len(index) == 400
    assert index.search(HASHES, 0).id.tolist() == IDS[100:].tolist()
    index.add(HASHES[:1], IDS[:1])
    assert index.remove(IDS[200:201]) == 1
    assert len(index) == 400


def test_an_empty_index_is_saved_too(tmp_path: Path) -> None:
    HashIndex().save(tmp_path / "empty.index")
    assert len(HashIndex.open(tmp_path / "empty.index")) == 0


@pytest.mark.parametrize("kept", [0, 1, 15, 16, 23, 24, 100, 24 + 400 * 40, 24 + 400 * 40 + 31])
def test_it_refuses_a_file_cut_short(saved: Path, kept: int) -> None:
    os.truncate(saved, kept)
    with pytest.raises(DamagedIndex, match="Build it again"):
        HashIndex.open(saved)


@pytest.mark.parametrize("place", [0, 15, 16, 20, 23, 24, 30, 5_000, 16_023, 16_024, 16_055])
def test_it_refuses_a_file_with_one_bit_changed(saved: Path, place: int) -> None:
    content = bytearray(saved.read_bytes())
    content[place] ^= 4
    saved.write_bytes(content)
    with pytest.raises(DamagedIndex, match="Build it again"):
        HashIndex.open(saved)


def test_it_refuses_a_file_with_something_after_the_end(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + b"\n")
    with pytest.raises(DamagedIndex, match="too long"):
        HashIndex.open(saved)


def test_a_save_that_fails_leaves_the_old_file_and_nothing_beside_it(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        HashIndex().save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["bank.index"]
