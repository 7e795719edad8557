"""An exact index: every fingerprint within a radius is found, by comparing with all of them.

A query costs 32 bytes of reading a row; docs/decisions/exact-index.md has the figures and says when that ends.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from seawall.matching import saved

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BITS = 256
HASH_BYTES = BITS // 8
WORDS = 4  # 64-bit words a fingerprint

# Rows compared in one step. 32,768 keep the four temporaries (0.4 MB) in the second-level cache and bound the
# memory of a search whatever the size of the bank; measured best of 2,048 to 131,072.
BLOCK = 32_768
SMALLEST = 1_024  # rows set aside at first; doubled when full


class Matches(NamedTuple):
    """K hits, ordered by query and then by distance."""

    query: NDArray[np.int64]  # (K,) row of the query
    id: NDArray[np.uint64]  # (K,)
    distance: NDArray[np.uint16]  # (K,) 0 to 256


class _Rows(NamedTuple):
    """What readers hold on to. Rows below ``used`` are never rewritten while ``live``."""

    words: NDArray[np.uint64]  # (4, capacity): one plane a word, so that one comparison reads straight on
    ids: NDArray[np.uint64]  # (capacity,)
    live: NDArray[np.bool_]  # (capacity,)
    used: int


class HashIndex:
    """256-bit fingerprints, each under a number of its own. One thread may change it while many search.

    A search sees the index as it was at one moment during the call, except that a fingerprint removed meanwhile
    may already be gone.
    """

    def __init__(self) -> None:
        self._change = threading.Lock()
        self._row_of: dict[int, int] = {}
        self._rows = _room_for(SMALLEST)

    @classmethod
    def build(cls, hashes: NDArray[np.uint8], ids: NDArray[np.uint64]) -> Self:
        """An index of ``hashes`` (N, 32) uint8 under ``ids`` (N,) uint64, which must differ from each other."""
        index = cls()
        index.add(hashes, ids)
        return index

    def __len__(self) -> int:
        return len(self._row_of)

    def search(self, queries: NDArray[np.uint8], radius: int = 31) -> Matches:
        """Everything within ``radius`` bits (0 to 256) of ``queries`` (M, 32) uint8."""
        if not 0 <= radius <= BITS:
            raise ValueError(f"A radius is 0 to {BITS} bits, not {radius}.")
        wanted = _as_words(queries)
        rows = self._rows
        found = [
            (np.full(hits.size, number, np.int64), begin + hits, distances)
            for begin in range(0, rows.used, BLOCK)
            for number, hits, distances in _compare(
                rows.words[:, begin : min(begin + BLOCK, rows.used)], wanted, radius
            )
        ]
        if not found:
            return Matches(np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.uint16))
        query, row, distance = (np.concatenate(column) for column in zip(*found, strict=True))
        kept = rows.live[row]  # asked last: a row is marked before it is wiped
        query, row, distance = query[kept], row[kept], distance[kept]
        order = np.lexsort((distance, query))
        return Matches(query[order], rows.ids[row[order]], distance[order])

    def add(self, hashes: NDArray[np.uint8], ids: NDArray[np.uint64]) -> None:
        """Add ``hashes`` (N, 32) uint8 under ``ids`` (N,) uint64.

        :raises ValueError: a shape or type is wrong, or an id is here already; then nothing is added
        """
        words = _as_words(hashes)
        numbers = _as_ids(ids, len(words))
        with self._change:
            new = dict.fromkeys(numbers.tolist(), 0)
            if len(new) != len(words) or not self._row_of.keys().isdisjoint(new):
                raise ValueError("Each fingerprint needs an id of its own. One of these is in the index already.")
            if self._rows.used + len(words) > self._rows.ids.size:
                # Doubling makes the copying cost a constant a fingerprint.
                self._copy(max(len(self) + len(words), 2 * self._rows.ids.size))
            rows = self._rows
            end = rows.used + len(words)
            rows.words[:, rows.used : end] = words.T
            rows.ids[rows.used : end] = numbers
            rows.live[rows.used : end] = True
            self._row_of.update(zip(new, range(rows.used, end), strict=True))
            self._rows = rows._replace(used=end)

    def remove(self, ids: NDArray[np.uint64]) -> int:
        """Remove what is under ``ids`` (N,) uint64 and wipe it from memory; answers how many were here."""
        numbers = _as_ids(ids, None)
        with self._change:
            gone = [row for number in numbers.tolist() if (row := self._row_of.pop(number, None)) is not None]
            rows = self._rows
            rows.live[gone] = False
            rows.words[:, gone] = 0
            if rows.used > max(SMALLEST, 2 * len(self)):
                self._copy(2 * len(self))
        return len(gone)

    def save(self, path: Path | str) -> None:
        """Write the index to a file that appears whole or not at all."""
        rows = self._rows
        live = np.flatnonzero(rows.live[: rows.used])
        hashes = np.ascontiguousarray(rows.words[:, live].T).view(np.uint8)
        saved.write(path, hashes, rows.ids[live])

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """The index saved there.

        :raises DamagedIndex: the file is cut short, altered, or not an index
        """
        return cls.build(*saved.read(path))

    def _copy(self, capacity: int) -> None:
        """Put the live rows into new arrays; searches under way keep the old ones until they are done."""
        rows = self._rows
        live = np.flatnonzero(rows.live[: rows.used])
        new = _room_for(max(SMALLEST, capacity))._replace(used=live.size)
        new.words[:, : live.size] = rows.words[:, live]
        new.ids[: live.size] = rows.ids[live]
        new.live[: live.size] = True
        self._row_of = dict(zip(new.ids[: live.size].tolist(), range(live.size), strict=True))
        self._rows = new


def _room_for(capacity: int) -> _Rows:
    return _Rows(np.zeros((WORDS, capacity), np.uint64), np.zeros(capacity, np.uint64), np.zeros(capacity, np.bool_), 0)


def _compare(
    block: NDArray[np.uint64], wanted: NDArray[np.uint64], radius: int
) -> list[tuple[int, NDArray[np.int64], NDArray[np.uint16]]]:
    """(number of the query, hits within the block, their distances) for each query that hits."""
    found = []
    for number, query in enumerate(wanted):
        ones = np.bitwise_count(block[0] ^ query[0])
        ones += np.bitwise_count(block[1] ^ query[1])
        ones += np.bitwise_count(block[2] ^ query[2])  # 192 at most; the fourth could reach 256, one too many
        distance = np.add(ones, np.bitwise_count(block[3] ^ query[3]), dtype=np.uint16)
        hits = np.flatnonzero(distance <= radius)
        if hits.size:
            found.append((number, hits, distance[hits]))
    return found


def _as_words(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    if hashes.ndim != 2 or hashes.shape[1] != HASH_BYTES or hashes.dtype != np.uint8:  # noqa: PLR2004 - (N, 32)
        raise ValueError(f"Fingerprints are (N, {HASH_BYTES}) uint8, not {hashes.shape} {hashes.dtype}.")
    return np.ascontiguousarray(hashes).view(np.uint64)


def _as_ids(ids: NDArray[np.uint64], count: int | None) -> NDArray[np.uint64]:
    if ids.ndim != 1 or ids.dtype != np.uint64 or (count is not None and ids.size != count):
        raise ValueError(f"Ids are (N,) uint64, one a fingerprint, not {ids.shape} {ids.dtype}.")
    return ids
