"""What adding and removing promise, to one thread and to many."""

import threading

import numpy as np
import pytest

from seawall.matching import HashIndex


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


def test_a_removed_fingerprint_is_wiped_from_memory() -> None:
    index = HashIndex.build(np.full((3, 32), 170, np.uint8), np.array([1, 2, 3], np.uint64))
    index.remove(np.array([2], np.uint64))
    assert np.count_nonzero(index._rows.words.any(axis=0)) == 2  # noqa: SLF001 - the memory itself is the promise


def test_memory_follows_the_bank_down_again() -> None:
    count = 50_000
    index = HashIndex.build(np.zeros((count, 32), np.uint8), np.arange(count, dtype=np.uint64))
    index.remove(np.arange(100, count, dtype=np.uint64))
    assert index._rows.ids.size < count // 10  # noqa: SLF001
    assert sorted(index.search(np.zeros((1, 32), np.uint8), 0).id.tolist()) == list(range(100))


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
