"""What adding and removing promise, to one thread and to many."""

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from seawall.matching import HashIndex, saved
from seawall.matching.segment import Segment

rng = np.random.default_rng(7)


def test_it_adds_nothing_of_a_batch_that_repeats_an_id() -> None:
    index = HashIndex.build(np.zeros((1, 32), np.uint8), np.array([5], np.uint64))
    for ids in ([6, 5], [8, 8]):
        with pytest.raises(ValueError, match="id of its own"):
            index.add(np.ones((2, 32), np.uint8), np.array(ids, np.uint64))
    assert len(index) == 1
    assert index.search(np.ones((1, 32), np.uint8), 0).id.size == 0


def test_a_refused_batch_that_would_not_have_fitted_leaves_removal_working() -> None:
    index = HashIndex.build(np.zeros((1024, 32), np.uint8), np.arange(1024, dtype=np.uint64))
    index.remove(np.array([0, 1, 2], np.uint64))
    with pytest.raises(ValueError, match="id of its own"):
        index.add(np.ones((600, 32), np.uint8), np.full(600, 9, np.uint64))
    assert index.remove(np.array([1023], np.uint64)) == 1
    assert 1023 not in index.search(np.zeros((1, 32), np.uint8), 0).id


def test_it_refuses_ids_that_do_not_pair_with_the_fingerprints() -> None:
    with pytest.raises(ValueError, match="one a fingerprint"):
        HashIndex.build(np.zeros((2, 32), np.uint8), np.array([1], np.uint64))


@pytest.mark.parametrize("count", [3, 5_000], ids=["added last", "in lists"])
def test_a_removed_fingerprint_is_wiped_from_memory(count: int) -> None:
    hashes = rng.integers(1, 256, (count, 32), np.uint8)
    index = HashIndex.build(hashes, np.arange(count, dtype=np.uint64))
    index.remove(np.array([1, 2], np.uint64))
    (part,) = index._parts
    assert np.flatnonzero(~part.words.any(axis=1)).tolist() == [1, 2]
    if part.places is not None:
        assert not np.isin(part.places & 0xFFFFFF, [1, 2]).any()


def test_what_is_removed_while_the_index_is_being_saved_is_wiped_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = rng.integers(1, 256, (5_000, 32), np.uint8)
    index = HashIndex.build(hashes, np.arange(5_000, dtype=np.uint64))
    write = saved.write

    def remove_first(path: Path, segments: list[Segment]) -> None:
        index.remove(np.array([7], np.uint64))
        assert index.search(hashes[7:8], 0).id.size == 0
        write(path, segments)

    monkeypatch.setattr(saved, "write", remove_first)
    index.save(tmp_path / "bank.index")
    assert HashIndex.open(tmp_path / "bank.index").search(hashes[7:8], 0).id.tolist() == [7]  # as it was at the call
    assert not index._parts[0].words[7].any()


def test_memory_follows_the_bank_down_again() -> None:
    count = 50_000
    index = HashIndex.build(np.zeros((count, 32), np.uint8), np.arange(count, dtype=np.uint64))
    before = index.nbytes
    index.remove(np.arange(100, count, dtype=np.uint64))
    index.settle()
    assert index.nbytes < before // 10
    assert sorted(index.search(np.zeros((1, 32), np.uint8), 0).id.tolist()) == list(range(100))


def test_many_small_additions_end_in_few_segments() -> None:
    index = HashIndex()
    hashes = rng.integers(0, 256, (60_000, 32), np.uint8)
    for begin in range(0, 60_000, 1_000):
        index.add(hashes[begin : begin + 1_000], np.arange(begin, begin + 1_000, dtype=np.uint64))
    index.settle()
    assert len(index._parts) <= 4
    assert index.search(hashes, 0).id.tolist() == list(range(60_000))


def test_what_is_removed_while_segments_are_joined_stays_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = rng.integers(0, 256, (20_000, 32), np.uint8)
    index = HashIndex.build(hashes[:10_000], np.arange(10_000, dtype=np.uint64))
    build = Segment.build
    again = np.array([3], np.uint64)

    def remove_first(words: NDArray[np.uint64], ids: NDArray[np.uint64]) -> list[Segment]:
        monkeypatch.undo()
        index.remove(np.array([2, 3, 15_000], np.uint64))
        index.add(hashes[2:3], again)
        return build(words, ids)

    index.add(hashes[10_000:14_000], np.arange(10_000, 14_000, dtype=np.uint64))  # these wait to be a segment
    with index._unwiped():
        index._segments += Segment.build(hashes[14_000:].view(np.uint64), np.arange(14_000, 20_000, dtype=np.uint64))
        index._count += 6_000
        monkeypatch.setattr(Segment, "build", remove_first)
        index.add(hashes[:0], again[:0])
        index.settle()
    assert len(index._segments) == 1
    assert len(index) == 20_000 - 2
    assert index.search(hashes[[2, 3, 15_000]], 0).id.tolist() == [3]


def test_readers_see_only_whole_fingerprints_while_one_thread_writes() -> None:
    """Each number's fingerprint is that number over and over, so that a torn row would show."""

    def fingerprint(number: int) -> bytes:
        return (number * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "little") * 4

    def rows(numbers: range) -> tuple[np.ndarray, np.ndarray]:
        joined = b"".join(map(fingerprint, numbers))
        return np.frombuffer(joined, np.uint8).reshape(-1, 32), np.array(numbers, np.uint64)

    index = HashIndex.build(*rows(range(50)))  # these stay
    done = threading.Event()
    wrong: list[object] = []

    def read(seed: int) -> None:
        random = np.random.default_rng(seed)
        while not done.is_set():
            number = int(random.integers(0, 3_000))
            matches = index.search(np.frombuffer(fingerprint(number), np.uint8).reshape(1, 32), 0)
            if matches.id.tolist() not in ([number], [] if number >= 50 else [number]):
                wrong.append((number, matches))

    readers = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
    for reader in readers:
        reader.start()
    for begin in range(50, 3_000, 50):
        index.add(*rows(range(begin, begin + 50)))
        index.remove(np.arange(max(50, begin - 500), max(50, begin - 450), dtype=np.uint64))
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(index) == 50 + 500
