"""The index on disk: it comes back whole, or it says why not."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.matching import DamagedIndex, HashIndex, native, saved
from seawall.matching import segment as segment_module
from seawall.matching.segment import Segment

rng = np.random.default_rng(20)
BLOCK = native.BLOCK
HASHES = rng.integers(0, 256, (500, 32), np.uint8)
IDS = rng.integers(0, 2**63, 500, np.uint64) * 2 + 1


@pytest.fixture
def saved_index(tmp_path: Path) -> Path:
    index = HashIndex.build(HASHES, IDS)
    index.remove(IDS[:100])
    index.save(tmp_path / "bank.index")
    return tmp_path / "bank.index"


def test_it_opens_with_what_was_saved_and_can_be_changed_again(saved_index: Path) -> None:
    index = HashIndex.open(saved_index)
    assert len(index) == 400
    assert index.search(HASHES, 0).id.tolist() == IDS[100:].tolist()
    index.add(HASHES[:1], IDS[:1])
    assert index.remove(IDS[200:201]) == 1
    assert len(index) == 400


def test_an_empty_index_is_saved_too(tmp_path: Path) -> None:
    HashIndex().save(tmp_path / "empty.index")
    assert len(HashIndex.open(tmp_path / "empty.index")) == 0


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with lists: 5,000 fingerprints, number i under id i."""
    path = tmp_path_factory.mktemp("listed") / "bank.index"
    HashIndex.build(MANY, np.arange(5_000, dtype=np.uint64)).save(path)
    return path.read_bytes()


MANY = rng.integers(0, 256, (5_000, 32), np.uint8)
# Where each array of that file lies: its first block, its bytes in use.
ARRAYS = {"ids": (1, 40_000), "fingerprints": (2, 160_000), "next": (70, 160_000), "places": (73, 320_000)}


@pytest.mark.parametrize("kept", [0, 1, 16, 32, 1_000, BLOCK - 1, BLOCK, 2 * BLOCK, 3 * BLOCK - 1])
def test_it_refuses_a_file_cut_short(saved_index: Path, kept: int) -> None:
    os.truncate(saved_index, kept)
    with pytest.raises(DamagedIndex, match="Build it again"):
        HashIndex.open(saved_index)


@pytest.mark.parametrize("place", [0, 15, 16, 20, 23, 24, 31, 32, 40, 48, 64, 5_000, BLOCK - 32, BLOCK - 1])
def test_it_refuses_a_file_with_one_bit_of_its_head_changed(saved_index: Path, place: int) -> None:
    content = bytearray(saved_index.read_bytes())
    content[place] ^= 4
    saved_index.write_bytes(content)
    with pytest.raises(DamagedIndex, match="Build it again"):
        HashIndex.open(saved_index)


@given(place=st.integers(5, 69), byte=st.integers(0, BLOCK - 1), bit=st.integers(0, 7))
@settings(max_examples=20, deadline=None)
def test_it_refuses_a_file_with_one_bit_changed_that_leads_into_the_lists(
    listed: bytes, tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, bit: int
) -> None:
    content = bytearray(listed)
    content[place * BLOCK + byte] ^= 1 << bit
    path = tmp_path_factory.mktemp("altered") / "bank.index"
    path.write_bytes(content)
    with pytest.raises(DamagedIndex, match="altered"):
        HashIndex.open(path)


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("share", [0.0, 0.37, 0.999])
def test_a_changed_bit_is_noticed_before_any_answer_that_needs_it(
    listed: bytes, tmp_path: Path, array: str, share: float
) -> None:
    first, size = ARRAYS[array]
    content = bytearray(listed)
    content[first * BLOCK + int(share * size)] ^= 1
    path = tmp_path / "bank.index"
    path.write_bytes(content)
    index = HashIndex.open(path)
    (part,) = index._parts
    told = 0
    for number in range(5_000):
        try:
            hits = part.find(native.scatter(MANY[number : number + 1]), 31, way=native.BY_LISTS)
        except DamagedIndex:
            told += 1
        else:
            assert hits["id"].tolist() == [number]  # right or not at all
    assert told > 0
    with pytest.raises(DamagedIndex, match="altered"):
        index.save(tmp_path / "copy.index")
    assert not (tmp_path / "copy.index").exists()


@pytest.mark.parametrize("value", [5_000, 0xFFFFFE])
def test_a_row_that_does_not_exist_is_refused_though_the_checksums_agree(tmp_path: Path, value: int) -> None:
    (part,) = Segment.build(native.scatter(MANY), np.arange(5_000, dtype=np.uint64))
    assert part.places is not None
    part.places[:] = part.places & ~np.uint32(0xFFFFFF) | np.uint32(value)
    saved.write(tmp_path / "bank.index", [part])
    index = HashIndex.open(tmp_path / "bank.index")
    with pytest.raises(DamagedIndex, match="altered"):
        index._parts[0].find(native.scatter(MANY), 31, way=native.BY_LISTS)


@pytest.mark.parametrize("at", [0, 1, 30_000, 65_536, 65_537, 16 * 65_537 - 1])
@pytest.mark.parametrize("value", [5_001, 2**31])
def test_lists_that_lead_out_of_themselves_are_refused_though_the_checksums_agree(
    tmp_path: Path, at: int, value: int
) -> None:
    (part,) = Segment.build(native.scatter(MANY), np.arange(5_000, dtype=np.uint64))
    assert part.starts is not None
    part.starts[at] = value
    saved.write(tmp_path / "bank.index", [part])
    with pytest.raises(DamagedIndex, match="altered"):
        HashIndex.open(tmp_path / "bank.index")


def test_a_file_of_version_1_is_refused_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "old.index").write_bytes(b"seawall index 1\n" + bytes(2 * BLOCK))
    with pytest.raises(DamagedIndex, match="this version can read"):
        HashIndex.open(tmp_path / "old.index")


def test_several_segments_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "MOST_ROWS", 900)
    monkeypatch.setattr(segment_module, "LISTED_ROWS", 100)
    HashIndex.build(MANY, np.arange(5_000, dtype=np.uint64)).save(tmp_path / "bank.index")
    index = HashIndex.open(tmp_path / "bank.index")
    assert len(index._parts) == 6
    assert index.search(MANY, 0).id.tolist() == list(range(5_000))


def test_what_is_removed_after_opening_is_not_written_again(listed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bank.index"
    path.write_bytes(listed)
    index = HashIndex.open(path)
    assert index.remove(np.array([17, 99_999], np.uint64)) == 1
    assert index.search(MANY[17:18], 0).id.size == 0
    assert path.read_bytes() == listed  # shared with others: never written to
    index.save(path)
    assert native.scatter(MANY[17:18]).tobytes() not in path.read_bytes()
    assert HashIndex.open(path).search(MANY[:40], 0).id.tolist() == [n for n in range(40) if n != 17]
    assert index.search(MANY[:40], 0).id.tolist() == [n for n in range(40) if n != 17]  # the old file, still mapped


def test_another_process_answers_from_the_same_file(listed: bytes, tmp_path: Path) -> None:
    (tmp_path / "bank.index").write_bytes(listed)
    code = (
        "import sys, numpy as np; from seawall.matching import HashIndex;"
        "print(HashIndex.open(sys.argv[1]).search(np.frombuffer(bytes.fromhex(sys.argv[2]), np.uint8)[None]).id[0])"
    )
    arguments = [str(tmp_path / "bank.index"), MANY[4_321].tobytes().hex()]
    assert subprocess.check_output([sys.executable, "-c", code, *arguments], text=True).strip() == "4321"


def test_it_refuses_a_file_with_something_after_the_end(saved_index: Path) -> None:
    saved_index.write_bytes(saved_index.read_bytes() + b"\n")
    with pytest.raises(DamagedIndex, match="too long"):
        HashIndex.open(saved_index)


def test_a_save_that_fails_leaves_the_old_file_and_nothing_beside_it(
    saved_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved_index.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        HashIndex().save(saved_index)
    assert saved_index.read_bytes() == before
    assert [path.name for path in saved_index.parent.iterdir()] == ["bank.index"]
