"""A part of an index that nothing is added to: rows in the order of their ids, and the lists that find them."""

from __future__ import annotations

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from seawall.matching import native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WORDS = 4  # 64-bit words a fingerprint

# From here on a segment has lists. They cost 4 MB and then 96 bytes a row, and below it comparing with every row
# takes a few microseconds.
LISTED_ROWS = 4_096

# From here on several threads make the lists. A small segment is made within an addition, which must not wait for them.
SHARED_ROWS = 100_000

_LINE = 64  # bytes; the kernel reads `next` in whole lines


class DamagedIndex(ValueError):
    """The file is not an index, or not all of one, or altered. Build it again from the bank."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where a segment's file lies in memory, and which of its blocks are known to be whole."""

    name: str
    address: int
    checksums: NDArray[np.uint64]  # one a block
    sound: NDArray[np.uint8]  # (blocks,) 1 once checked


@dataclass(eq=False, slots=True)
class Segment:
    """N rows. Only ``dead`` and ``living`` change, and a dead row's fingerprint, which is wiped."""

    ids: NDArray[np.uint64]  # (N,) ascending, except in the rows added last
    words: NDArray[np.uint64]  # (N, 4) as native.scatter makes them
    dead: NDArray[np.bool_]  # (N,)
    starts: NDArray[np.uint32] | None = None  # (16 * 65537,)
    next: NDArray[np.uint16] | None = None  # (16 * N,) and a whole line
    places: NDArray[np.uint32] | None = None  # (16 * N,)
    mapped: Mapped | None = None
    living: int = field(init=False)  # rows
    _c: native.Segment = field(init=False, repr=False)
    _address: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.living = len(self.ids) - int(np.count_nonzero(self.dead))
        lists = (self.starts, self.next, self.places)
        file = self.mapped
        self._c = native.Segment(
            len(self.ids),
            *(array.ctypes.data for array in (self.ids, self.words, self.dead)),
            *(None if array is None else array.ctypes.data for array in lists),
            *((file.address, file.checksums.ctypes.data, file.sound.ctypes.data) if file else (None,) * 3),
        )
        self._address = ctypes.addressof(self._c)

    @classmethod
    def build(cls, words: NDArray[np.uint64], ids: NDArray[np.uint64]) -> list[Self]:
        """Segments of rows that may come in any order; as few as possible, of about the same size.

        ``words`` must be the caller's own: where they are in order already they are used as they lie.
        """
        if (ids[1:] > ids[:-1]).all():
            ids = ids.copy()
        else:
            order = np.argsort(ids)
            words, ids = words[order], ids[order]
        parts = max(1, -(-len(ids) // native.MOST_ROWS))
        shares = zip(np.array_split(words, parts), np.array_split(ids, parts), strict=True)
        return [cls._of_sorted(some, theirs) for some, theirs in shares if theirs.size]

    @classmethod
    def _of_sorted(cls, words: NDArray[np.uint64], ids: NDArray[np.uint64]) -> Self:
        rows = len(ids)
        dead = np.zeros(rows, np.bool_)
        if rows < LISTED_ROWS:
            return cls(ids, words, dead)
        whole_lines = np.empty((native.CHUNKS * rows * 2 + 2 * _LINE - 1) // _LINE * _LINE // 2, np.uint16)
        segment = cls(
            ids,
            words,
            dead,
            np.empty(native.STARTS, np.uint32),
            whole_lines[-whole_lines.ctypes.data % _LINE // 2 :],
            np.empty(native.CHUNKS * rows, np.uint32),
        )

        workers = os.cpu_count() or 1 if rows > SHARED_ROWS else 1

        def make_lists(first: int) -> None:
            scratch = np.empty(rows, np.uint64)  # new memory is dear: one a thread, not one a chunk
            for chunk in range(first, native.CHUNKS, workers):
                native.library.search_list_chunk(segment._address, chunk, scratch.ctypes.data)

        with ThreadPoolExecutor(workers) as threads:
            list(threads.map(make_lists, range(min(workers, native.CHUNKS))))
        return segment

    def find(
        self, queries: NDArray[np.uint64], radius: int, *, lanes: int = native.LANES, way: int = native.QUICKEST
    ) -> NDArray[np.void]:
        """Hits of ``queries`` (M, 4), as `native.HIT`, ordered by query.

        :raises DamagedIndex: a block of the file that the answer needs was altered
        """
        hits = np.empty(64 + 2 * len(queries), native.HIT)
        answer = native.Answer(hits.ctypes.data, len(hits), 0, 0, 0, 0)
        while True:
            native.library.search_find(
                self._address, queries.ctypes.data, len(queries), radius, lanes, way, ctypes.byref(answer)
            )
            if answer.damaged:
                raise self._altered()
            if not answer.wanted:
                return hits[: answer.found]
            more = np.empty(2 * (answer.found + answer.wanted), native.HIT)
            more[: answer.found] = hits[: answer.found]
            hits = more
            answer.hits, answer.room = hits.ctypes.data, len(hits)

    def rows_of(self, ids: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The living rows among those that bear one of ``ids``; (K,), K at most ``ids.size``.

        :raises DamagedIndex: a block of the file was altered
        """
        rows = np.empty(ids.size, np.int64)
        if native.library.search_rows_of(self._address, ids.ctypes.data, ids.size, rows.ctypes.data):
            raise self._altered()
        rows = rows[rows >= 0]
        return rows[~self.dead[rows]]

    def wipe(self, rows: NDArray[np.int64]) -> None:
        """Overwrite dead rows. What lies in a file stays until the index is saved again."""
        if not self.mapped:
            native.library.search_wipe(self._address, rows.ctypes.data, rows.size)

    def check(self) -> None:
        """Check every block that was not checked yet.

        :raises DamagedIndex: one was altered
        """
        for array in (self.ids, self.words, self.starts, self.next, self.places):
            if (
                self.mapped
                and array is not None
                and not native.library.search_sound(self._address, array.ctypes.data, array.nbytes)
            ):
                raise self._altered()

    def check_starts(self) -> None:
        """Check the part of the lists that everything else is reached through.

        :raises DamagedIndex: it was altered, or leads out of the lists
        """
        if self.starts is not None and not (
            native.library.search_sound(self._address, self.starts.ctypes.data, self.starts.nbytes)
            and native.library.search_starts_hold(self.starts.ctypes.data, len(self.ids))
        ):
            raise self._altered()

    @property
    def nbytes(self) -> int:
        """Bytes of memory, or of the file."""
        arrays = (self.ids, self.words, self.dead, self.starts, self.next, self.places)
        return sum(array.nbytes for array in arrays if array is not None)

    def _altered(self) -> DamagedIndex:
        name = self.mapped.name if self.mapped else "The index"
        return DamagedIndex(f"{name} was altered: a checksum is wrong. Build it again from the bank.")


def living(segments: Sequence[Segment], alive: Sequence[NDArray[np.bool_]]) -> tuple[NDArray[np.uint64], ...]:
    """Fingerprints (N, 4) and ids (N,) of the rows marked ``alive`` in each segment, as copies.

    :raises DamagedIndex: one of them lies in a file that was altered
    """
    for segment in segments:
        segment.check()
    chosen = list(zip(segments, alive, strict=True))
    words = [segment.words[rows] for segment, rows in chosen]
    ids = [segment.ids[rows] for segment, rows in chosen]
    return np.concatenate([np.empty((0, WORDS), np.uint64), *words]), np.concatenate([np.empty(0, np.uint64), *ids])
