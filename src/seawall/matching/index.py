"""An exact index: every fingerprint within a radius is found, and most are never looked at.

Nearly all rows lie in a few segments (segment.py) with lists by which kernel/search.c finds them. What was added last
lies in a small part that is compared whole; when that is full it becomes a segment, and segments of a size are joined
in the background. docs/decisions/index.md has the reasons and the figures.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from seawall.matching import native, saved
from seawall.matching.segment import WORDS, DamagedIndex, Segment, living

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

BITS = 256
HASH_BYTES = BITS // 8

# Rows compared whole, those added last: 2 microseconds a query when full, and every so many rows a segment is made.
RECENT_ROWS = 4_096

# Segments are joined until each is this many times as large as all smaller ones together. Larger: fewer segments to
# search; smaller: less joining for the same additions.
STEP = 4


class Matches(NamedTuple):
    """K hits, ordered by query, then by distance, then by id."""

    query: NDArray[np.int64]  # (K,) row of the query
    id: NDArray[np.uint64]  # (K,)
    distance: NDArray[np.uint16]  # (K,) 0 to 256


class HashIndex:
    """256-bit fingerprints, each under a number of its own. One thread may change it while many search.

    A search sees the index as it was at one moment during the call, except that a fingerprint removed meanwhile
    may already be gone.
    """

    def __init__(self) -> None:
        self._change = threading.Lock()
        self._segments: list[Segment] = []
        self._recent = _Recent()
        self._parts: tuple[Segment, ...] = ()  # what a search looks through; replaced whole
        self._count = 0
        self._joining: threading.Thread | None = None
        self._damaged = False
        self._readers = 0  # joining or saving: until they are done, what is removed is not wiped
        self._to_wipe: list[tuple[Segment, NDArray[np.int64]]] = []
        self._removed_meanwhile: list[NDArray[np.uint64]] = []

    @classmethod
    def build(cls, hashes: NDArray[np.uint8], ids: NDArray[np.uint64]) -> Self:
        """An index of ``hashes`` (N, 32) uint8 under ``ids`` (N,) uint64, which must differ from each other."""
        index = cls()
        index.add(hashes, ids)
        return index

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes of memory, or of the file it was opened from."""
        return sum(part.nbytes for part in self._parts)

    def search(self, queries: NDArray[np.uint8], radius: int = 31, *, threads: int = 1) -> Matches:
        """Everything within ``radius`` bits (0 to 256) of ``queries`` (M, 32) uint8.

        Radii up to 56 use the lists. More ``threads`` share the queries among them.

        :raises DamagedIndex: the file it was opened from was altered
        """
        if not 0 <= radius <= BITS:
            raise ValueError(f"A radius is 0 to {BITS} bits, not {radius}.")
        wanted = _as_words(queries)
        if threads > 1 and len(wanted) > 1:
            return self._search_in_threads(wanted, radius, threads)
        found = [hits for part in self._parts if (hits := part.find(wanted, radius)).size]
        return _as_matches(found)

    def _search_in_threads(self, wanted: NDArray[np.uint64], radius: int, threads: int) -> Matches:
        parts = self._parts

        def find(begin: int, some: NDArray[np.uint64]) -> list[NDArray[np.void]]:
            found = [hits for part in parts if (hits := part.find(some, radius)).size]
            for hits in found:
                hits["query"] += begin
            return found

        shares = np.array_split(wanted, threads)
        begins = np.cumsum([0, *map(len, shares[:-1])]).tolist()
        with ThreadPoolExecutor(threads) as pool:
            return _as_matches([hits for found in pool.map(find, begins, shares) for hits in found])

    def add(self, hashes: NDArray[np.uint8], ids: NDArray[np.uint64]) -> None:
        """Add ``hashes`` (N, 32) uint8 under ``ids`` (N,) uint64. The next search finds them.

        :raises ValueError: a shape or type is wrong, or an id is here already; then nothing is added
        """
        words = _as_words(hashes)
        numbers = _as_ids(ids, len(words))
        with self._change:
            ascending = _ascending(numbers)
            if ascending.size != numbers.size or self._holds(ascending):
                raise ValueError("Each fingerprint needs an id of its own. One of these is in the index already.")
            if not self._recent.take(words, numbers):
                recent = self._recent.as_segment()
                if recent.living:
                    more, more_ids = living([recent], [~recent.dead])
                    words, numbers = np.concatenate([more, words]), np.concatenate([more_ids, numbers])
                self._segments += Segment.build(words, numbers)
                self._recent = _Recent()
            self._count += len(ids)
            self._publish()

    def remove(self, ids: NDArray[np.uint64]) -> int:
        """Remove what is under ``ids`` (N,) uint64 and wipe it from memory; answers how many were here."""
        numbers = _ascending(_as_ids(ids, None))
        gone = 0
        with self._change:
            for segment in self._segments:
                gone += self._bury(segment, segment.rows_of(numbers))
            gone += self._bury(self._recent.as_segment(), self._recent.forget(numbers))
            self._count -= gone
            if self._joining:
                self._removed_meanwhile.append(numbers)
            self._publish()
        return gone

    def save(self, path: Path | str) -> None:
        """Write the index, as it is now, to a file that appears whole or not at all.

        :raises DamagedIndex: the file it was opened from was altered
        """
        with self._unwiped():
            with self._change:
                parts = self._parts
                alive = [~part.dead for part in parts]
            if len(parts) == len(self._segments) and all(rows.all() for rows in alive):
                for part in parts:
                    part.check()  # or what was altered would be given new checksums
                saved.write(path, parts)
            else:
                saved.write(path, Segment.build(*living(parts, alive)))

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """The index saved there, left in its file: memory is shared with whoever opens it too.

        Each block of the file is checked before the first answer that needs it.

        :raises DamagedIndex: the file is cut short, altered, or not an index
        """
        index = cls()
        index._segments = saved.read(path)
        index._count = sum(len(segment.ids) for segment in index._segments)
        index._publish()
        return index

    def settle(self) -> None:
        """Wait until nothing is left to join in the background."""
        if joining := self._joining:
            joining.join()

    def _holds(self, ids: NDArray[np.uint64]) -> bool:
        """Whether one of these ascending ids is here."""
        return self._recent.holds(ids) or any(segment.rows_of(ids).size for segment in self._segments)

    def _bury(self, segment: Segment, rows: NDArray[np.int64]) -> int:
        segment.dead[rows] = True
        segment.living -= rows.size
        if self._readers:
            self._to_wipe.append((segment, rows))
        else:
            segment.wipe(rows)
        return rows.size

    def _publish(self) -> None:
        """Let searches see what has changed, and begin to join segments if it is time."""
        self._segments = [segment for segment in self._segments if segment.living]
        recent = self._recent.as_segment()
        self._parts = (*self._segments, recent) if recent.ids.size else tuple(self._segments)
        if not (self._joining or self._damaged) and _to_join(self._segments):
            self._joining = threading.Thread(target=self._join_segments, name="index", daemon=True)
            self._joining.start()

    @contextmanager
    def _unwiped(self) -> Iterator[None]:
        """While someone reads whole segments, what is removed from them is marked at once and wiped afterwards."""
        with self._change:
            self._readers += 1
        try:
            yield
        finally:
            with self._change:
                self._readers -= 1
                if not self._readers:
                    for segment, rows in self._to_wipe:
                        segment.wipe(rows)
                    self._to_wipe.clear()

    def _join_segments(self) -> None:
        """Join segments until there is nothing to join. Runs in a thread of its own; searches and changes go on."""
        try:
            while self._join_some():
                pass
        except DamagedIndex:
            self._damaged = True  # no more joining; whoever searches or saves what was altered is told

    def _join_some(self) -> bool:
        with self._unwiped():
            with self._change:
                chosen = _to_join(self._segments)
                if not chosen:
                    self._joining = None
                    return False
                self._removed_meanwhile.clear()
                alive = [~segment.dead for segment in chosen]
            joined = Segment.build(*living(chosen, alive))
            with self._change:
                for numbers in self._removed_meanwhile:
                    for segment in joined:
                        self._bury(segment, segment.rows_of(numbers))
                self._segments = [*joined, *(segment for segment in self._segments if segment not in chosen)]
                self._publish()
        return True


class _Recent:
    """The rows added last, in the order they came. Rows below ``used`` are never rewritten while they live."""

    def __init__(self) -> None:
        self._words = np.zeros((RECENT_ROWS, WORDS), np.uint64)
        self._ids = np.zeros(RECENT_ROWS, np.uint64)
        self._dead = np.zeros(RECENT_ROWS, np.bool_)
        self._row_of: dict[int, int] = {}
        self._used = 0

    def as_segment(self) -> Segment:
        used = self._used
        return Segment(self._ids[:used], self._words[:used], self._dead[:used])

    def holds(self, ids: NDArray[np.uint64]) -> bool:
        return bool(self._row_of) and not self._row_of.keys().isdisjoint(ids.tolist())

    def take(self, words: NDArray[np.uint64], ids: NDArray[np.uint64]) -> bool:
        """Add rows, or nothing if they do not fit."""
        end = self._used + len(ids)
        if end > RECENT_ROWS:
            return False
        self._words[self._used : end] = words
        self._ids[self._used : end] = ids
        self._row_of.update(zip(ids.tolist(), range(self._used, end), strict=True))
        self._used = end
        return True

    def forget(self, ids: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The rows of those ids that were here."""
        if not self._row_of:
            return np.empty(0, np.int64)
        rows = [row for number in ids.tolist() if (row := self._row_of.pop(number, None)) is not None]
        return np.array(rows, np.int64)


def _to_join(segments: list[Segment]) -> list[Segment]:
    """The segments to make one of: the smallest, as long as the next is not `STEP` times larger; or one half dead."""
    by_size = sorted(segments, key=lambda segment: segment.living)
    chosen: list[Segment] = []
    rows = 0
    for segment in by_size:
        if segment.living > native.MOST_ROWS // 2 or (chosen and segment.living > STEP * rows):
            break
        chosen.append(segment)
        rows += segment.living
    if len(chosen) > 1:
        return chosen
    return [segment for segment in segments if 2 * segment.living < len(segment.ids)][:1]


def _as_matches(found: list[NDArray[np.void]]) -> Matches:
    if not found:
        return Matches(np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.uint16))
    hits = np.concatenate(found)
    hits = hits[np.lexsort((hits["id"], hits["distance"], hits["query"]))]
    return Matches(hits["query"].astype(np.int64), hits["id"].copy(), hits["distance"].astype(np.uint16))


def _ascending(ids: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each id once. For ten million np.unique takes 17 s and this takes one."""
    ids = np.sort(ids)
    return ids[np.append(True, ids[1:] != ids[:-1])] if ids.size else ids


def _as_words(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    if hashes.ndim != 2 or hashes.shape[1] != HASH_BYTES or hashes.dtype != np.uint8:  # noqa: PLR2004 - (N, 32)
        raise ValueError(f"Fingerprints are (N, {HASH_BYTES}) uint8, not {hashes.shape} {hashes.dtype}.")
    return native.scatter(hashes)


def _as_ids(ids: NDArray[np.uint64], count: int | None) -> NDArray[np.uint64]:
    if ids.ndim != 1 or ids.dtype != np.uint64 or (count is not None and ids.size != count):
        raise ValueError(f"Ids are (N,) uint64, one a fingerprint, not {ids.shape} {ids.dtype}.")
    return ids
