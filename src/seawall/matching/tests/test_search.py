"""The index against a plain brute force, whatever was added and removed before."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seawall.matching import HashIndex, native
from seawall.matching import index as index_module
from seawall.matching import segment as segment_module

Bank = dict[int, bytes]


def brute_force(bank: Bank, query: bytes, radius: int) -> set[tuple[int, int]]:
    wanted = int.from_bytes(query, "big")
    distances = ((number, (int.from_bytes(bits, "big") ^ wanted).bit_count()) for number, bits in bank.items())
    return {(number, distance) for number, distance in distances if distance <= radius}


def as_arrays(bank: Bank) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    hashes = np.frombuffer(b"".join(bank.values()), np.uint8).reshape(len(bank), 32)
    return hashes, np.array(list(bank), np.uint64)


def found(index: HashIndex, query: bytes, radius: int) -> list[tuple[int, int]]:
    matches = index.search(np.frombuffer(query, np.uint8).reshape(1, 32), radius)
    return list(zip(matches.id.tolist(), matches.distance.tolist(), strict=True))


# Fingerprints near each other, far apart, all zeros and all ones: random ones alone would never match.
near = st.sets(st.integers(0, 255), max_size=40).map(lambda bits: sum(1 << bit for bit in bits).to_bytes(32, "big"))
far = near.map(lambda bits: bytes(byte ^ 255 for byte in bits))
fingerprints = near | far | st.binary(min_size=32, max_size=32)
ids = st.integers(0, 30) | st.integers(0, 2**64 - 1)
banks = st.dictionaries(ids, fingerprints, max_size=20)
steps = st.lists(st.tuples(st.just("add"), banks) | st.tuples(st.just("remove"), st.sets(ids)), max_size=12)


@given(steps=steps, query=fingerprints, radius=st.integers(0, 256), settled=st.booleans())
@settings(max_examples=200, deadline=None)
def test_it_finds_exactly_what_comparing_with_everything_finds(
    *, steps: list[tuple[str, Bank | set[int]]], query: bytes, radius: int, settled: bool
) -> None:
    with pytest.MonkeyPatch.context() as small:
        small.setattr(index_module, "RECENT_ROWS", 3)  # so that twenty fingerprints make segments, joined and split
        small.setattr(segment_module, "LISTED_ROWS", 2)
        small.setattr(native, "MOST_ROWS", 8)
        index, bank = HashIndex(), Bank()
        for verb, what in steps:
            if verb == "add" and isinstance(what, dict):
                new = {number: bits for number, bits in what.items() if number not in bank}
                index.add(*as_arrays(new))
                bank |= new
            else:
                gone = [number for number in what if number in bank]
                assert index.remove(np.array(list(what), np.uint64)) == len(gone)
                for number in gone:
                    del bank[number]
        if settled:
            index.settle()
        assert len(index) == len(bank)
        assert set(found(index, query, radius)) == brute_force(bank, query, radius)


def test_it_tells_a_perfect_opposite_from_a_perfect_match() -> None:
    # 256 different bits do not fit the byte that counts them: an overflow would call the opposite identical.
    index = HashIndex.build(*as_arrays({7: bytes(32)}))
    assert found(index, bytes([255]) * 32, 31) == []
    assert found(index, bytes([255]) * 32, 256) == [(7, 256)]


def test_it_matches_at_thirty_one_bits_and_not_at_thirty_two() -> None:
    index = HashIndex.build(*as_arrays({1: bytes(32)}))
    assert found(index, ((1 << 31) - 1).to_bytes(32, "big"), 31) == [(1, 31)]
    assert found(index, ((1 << 32) - 1).to_bytes(32, "big"), 31) == []


def test_it_answers_several_queries_in_order_and_the_closest_first() -> None:
    index = HashIndex.build(*as_arrays({1: b"\x03" + bytes(31), 2: b"\x01" + bytes(31), 3: bytes([255]) * 32}))
    matches = index.search(np.array([[255] * 32, [0] * 32], np.uint8))
    assert list(zip(matches.query.tolist(), matches.id.tolist(), matches.distance.tolist(), strict=True)) == [
        (0, 3, 0),
        (1, 2, 1),
        (1, 1, 2),
    ]


def test_an_empty_index_finds_nothing() -> None:
    assert HashIndex().search(np.zeros((8, 32), np.uint8)).id.size == 0


@pytest.mark.parametrize(
    "queries", [np.zeros((1, 31), np.uint8), np.zeros(32, np.uint8), np.zeros((1, 32), np.int8)], ids=str
)
def test_it_refuses_fingerprints_of_another_shape(queries: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="uint8"):
        HashIndex().search(queries)


@pytest.mark.parametrize("radius", [-1, 257])
def test_it_refuses_a_radius_no_distance_can_have(radius: int) -> None:
    with pytest.raises(ValueError, match="radius"):
        HashIndex().search(np.zeros((1, 32), np.uint8), radius)


@pytest.mark.parametrize("threads", [2, 3, 50])
def test_threads_share_the_queries_and_give_the_same_answer(threads: int) -> None:
    random = np.random.default_rng(1)
    hashes = random.integers(0, 256, (20_000, 32), np.uint8)
    index = HashIndex.build(hashes, np.arange(20_000, dtype=np.uint64))
    queries = np.concatenate([hashes[::700], random.integers(0, 256, (7, 32), np.uint8)])
    alone, together = index.search(queries), index.search(queries, threads=threads)
    assert len(alone.id) == 29
    assert alone.query.tolist() == together.query.tolist()
    assert alone.id.tolist() == together.id.tolist()
    assert alone.distance.tolist() == together.distance.tolist()


@pytest.mark.parametrize(("name", "lanes"), [("portable", 0), ("avx2", 1)])
def test_one_setting_narrows_the_fingerprint_and_the_search(name: str, lanes: int) -> None:
    if lanes > native.WIDEST:
        pytest.skip("this processor is narrower")
    environment = os.environ | {"SEAWALL_SIMD": name}
    code = "from seawall.matching import native; print(native.LANES)"
    assert int(subprocess.check_output([sys.executable, "-c", code], env=environment)) == lanes
