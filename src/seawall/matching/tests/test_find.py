"""The kernel's search against a plain brute force: every radius it has lists for, every width of instructions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seawall.matching import native, segment
from seawall.matching.segment import Segment

CHUNKS, BITS = 16, 256
RADII = range(57)
LANES = range(native.WIDEST + 1)
Rows = NDArray[np.uint8]  # (N, 256) zeros and ones


def pack(rows: Rows) -> NDArray[np.uint64]:
    return np.packbits(rows, axis=1, bitorder="little").view(np.uint64)


def listed(rows: Rows) -> Segment:
    with pytest.MonkeyPatch.context() as small:
        small.setattr(segment, "LISTED_ROWS", 1)
        (made,) = Segment.build(pack(rows), np.arange(len(rows), dtype=np.uint64))
    return made


def check(rows: Rows, query: Rows, radius: int, in_lists: Segment) -> None:
    """`query` (256,): every lane and both ways give each row within the radius once, with its distance."""
    distance = np.count_nonzero(rows != query, axis=1)
    near = np.flatnonzero(distance <= radius)
    expected = list(zip(near.tolist(), distance[near].tolist(), strict=True))
    for lanes in LANES:
        for way in (native.BY_LISTS, native.BY_COMPARING):
            hits = in_lists.find(pack(query[None]), radius, lanes=lanes, way=way)
            got = sorted(zip(hits["id"].tolist(), hits["distance"].tolist(), strict=True))
            assert got == expected, (radius, lanes, way)


# ---- adversarial sets: rows made from a query by flips that are spread, crowded, or few ----


def flips_even(rng: np.random.Generator, count: int) -> list[int]:
    """As many in each chunk as in any other, give or take one."""
    chunks = [*rng.permutation(CHUNKS).tolist()] * (count // CHUNKS + 1)
    inside = [rng.permutation(16).tolist() for _ in range(CHUNKS)]
    return [16 * chunk + inside[chunk].pop() for chunk in chunks[:count]]


def flips_crowded(rng: np.random.Generator, count: int) -> list[int]:
    """In neighbouring bits, round the ring."""
    begin = int(rng.integers(BITS))
    return [(begin + bit) % BITS for bit in range(count)]


def flips_anywhere(rng: np.random.Generator, count: int) -> list[int]:
    return [int(bit) for bit in rng.choice(BITS, count, replace=False)]


def flips_in_few_chunks(rng: np.random.Generator, count: int) -> list[int]:
    chunks = rng.permutation(CHUNKS)[: -(-count // 16)]
    bits = [16 * int(chunk) + bit for chunk in chunks for bit in range(16)]
    return [int(bit) for bit in rng.permutation(bits)[:count]]


PATTERNS = (flips_even, flips_crowded, flips_anywhere, flips_in_few_chunks)


@st.composite
def sets(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """(rows, query): duplicates, near-duplicates of the query and of each other, all-zero ones and strangers."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    base = draw(st.sampled_from(["zeros", "ones", "random"]))
    query = {"zeros": np.zeros(BITS), "ones": np.ones(BITS), "random": rng.integers(0, 2, BITS)}[base].astype(np.uint8)
    rows = [np.zeros(BITS, np.uint8), query]
    for pattern, count, copies in draw(
        st.lists(st.tuples(st.sampled_from(PATTERNS), st.integers(0, 60), st.integers(1, 3)), max_size=60)
    ):
        row = query.copy()
        row[pattern(rng, count)] ^= 1
        rows += [row] * copies
    for centre in draw(st.lists(st.integers(0, len(rows) - 1), max_size=2)):  # a dense ball
        for _ in range(20):
            row = rows[centre].copy()
            row[flips_anywhere(rng, int(rng.integers(0, 4)))] ^= 1
            rows.append(row)
    rows += list(rng.integers(0, 2, (draw(st.integers(0, 30)), BITS)).astype(np.uint8))
    return np.array(rows), rows[draw(st.integers(0, len(rows) - 1))]


@given(sets())
@settings(max_examples=60, deadline=None)
def test_it_finds_every_row_once_within_every_radius(case: tuple[Rows, Rows]) -> None:
    rows, query = case
    in_lists = listed(rows)
    for radius in RADII:
        check(rows, query, radius, in_lists)


@pytest.mark.parametrize("radius", RADII)
def test_it_finds_the_rows_that_only_one_chunk_leads_to(radius: int) -> None:
    """The tightest case: every chunk differs by exactly its budget, one chunk by one bit less. Total: the radius."""
    rng = np.random.default_rng(radius)
    query = rng.integers(0, 2, BITS).astype(np.uint8)
    budgets = [(c + 1) * (radius + 1) // CHUNKS - c * (radius + 1) // CHUNKS for c in range(CHUNKS)]
    rows = []
    for spared in (None, *(c for c in range(CHUNKS) if budgets[c])):
        row = query.copy()
        for chunk, budget in enumerate(budgets):
            row[16 * chunk + rng.permutation(16)[: budget - (chunk == spared)]] ^= 1
        rows.append(row)
    in_lists = listed(np.array(rows))
    assert len(in_lists.find(pack(query[None]), radius)) == len(rows) - 1  # the first is one bit too far
    check(np.array(rows), query, radius, in_lists)


@pytest.mark.parametrize("radius", [0, 15, 31, 40, 48, 56])
def test_buckets_longer_than_any_buffer_lose_nothing(radius: int) -> None:
    """5,000 rows share fifteen chunks with the query; only one chunk tells them apart."""
    rng = np.random.default_rng(radius)
    query = rng.integers(0, 2, BITS).astype(np.uint8)
    rows = np.tile(query, (5_000, 1))
    rows[:, 48:64] = rng.integers(0, 2, (5_000, 16))
    rows[2_500:, 100 : 100 + radius] ^= 1
    check(rows, query, radius, listed(rows))


def test_the_last_rows_of_every_bucket_length_are_found() -> None:
    """Buckets of 1 to 200 rows, so that they begin and end everywhere within a line of memory."""
    rng = np.random.default_rng(3)
    centres = rng.integers(0, 2, (200, BITS)).astype(np.uint8)
    rows = np.repeat(centres, np.arange(1, 201), axis=0)
    rows[np.arange(len(rows)), rng.integers(0, BITS, len(rows))] ^= 1
    in_lists = listed(rows)
    for query in centres[::7]:
        check(rows, query, 31, in_lists)


def test_it_asks_for_more_room_when_a_query_has_many_hits() -> None:
    rows = np.zeros((3_000, BITS), np.uint8)
    hits = listed(rows).find(pack(np.zeros((3, BITS), np.uint8)), 31)
    assert hits["query"].tolist() == [0] * 3_000 + [1] * 3_000 + [2] * 3_000
    assert sorted(hits["id"][3_000:6_000].tolist()) == list(range(3_000))


def test_scattering_puts_every_bit_where_the_header_says() -> None:
    hashes = np.packbits(np.eye(BITS, dtype=np.uint8), axis=1, bitorder="little")
    scattered = np.unpackbits(native.scatter(hashes).view(np.uint8), axis=1, bitorder="little")
    for bit in range(BITS):
        word, j = divmod(bit, 16)
        chunk = (j + word * (word + 1) // 2) % 16
        assert np.flatnonzero(scattered[bit]).tolist() == [16 * chunk + word]
