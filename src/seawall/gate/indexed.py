"""Which fingerprints of the copy uploads are compared with, and what the index calls them.

A number of the index is the signal's number in the copy, 57 bits, and behind it 7 bits for the window: 0 for a whole
picture's pdq1, 1 to 100 for the windows of a windows1. Its other windows are looked at only once one of these is near.
A video's signal has as many numbers as frames, from its own on; each is a whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seawall.gate.feed import HASH_BYTES, PDQ, VPDQ, WINDOWS
from seawall.hashing import USABLE_QUALITY
from seawall.hashing import native as kernel
from seawall.hashing.videos import FRAME_BYTES
from seawall.matching.looks import SLOT_BITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from seawall.matching import HashIndex

    Rows = tuple[NDArray[np.uint8], NDArray[np.uint64]]  # (N, 32) hashes and (N,) their numbers in the index

NUMBER_BITS = 64 - SLOT_BITS
FIRST, LAST = 1, 100  # windows in the index


class Held(NamedTuple):
    """A signal as the copy holds it."""

    number: int
    version: str
    value: bytes
    quality: int


@dataclass(slots=True)
class IndexChange:
    """What a committed page changes in the index."""

    removed: dict[int, tuple[str, int]] = field(default_factory=dict)  # numbers; their versions and lengths
    added: dict[int, Held] = field(default_factory=dict)

    def add(self, signal: Held) -> None:
        """Note that a signal came. Its number was never used before."""
        self.added[signal.number] = signal

    def drop(self, number: int, version: str, length: int) -> None:
        """Note that a signal, whose value had so many bytes, is gone."""
        if self.added.pop(number, None) is None:
            self.removed[number] = (version, length)

    def apply(self, index: HashIndex, *, windows: bool) -> None:
        """Bring the index to where the copy is."""
        gone = [numbers_of(number, version, length) for number, (version, length) in self.removed.items()]
        if gone:
            index.remove(np.concatenate(gone))
        index.add(*rows_of(self.added.values(), windows=windows))


def numbers_taken(version: str, length: int) -> int:
    """How many numbers of the copy a signal takes."""
    return length // FRAME_BYTES if version == VPDQ else 1


def numbers_of(number: int, version: str, length: int) -> NDArray[np.uint64]:
    """Everything the index may call that signal."""
    if version == VPDQ:
        return np.arange(number, number + numbers_taken(version, length), dtype=np.uint64) << np.uint64(SLOT_BITS)
    first, last = (0, 0) if version == PDQ else (FIRST, LAST)
    return np.uint64(number << SLOT_BITS) | np.arange(first, last + 1, dtype=np.uint64)


def number_and_window(called: int) -> tuple[int, int]:
    """The signal's number in the copy, and which window of it, of what the index found."""
    return called >> SLOT_BITS, called & ((1 << SLOT_BITS) - 1)


def rows_of(signals: Iterable[Held], *, windows: bool) -> Rows:
    """What of these goes into the index: pictures and (if ``windows``) windows that have enough detail to be told."""
    pictures, parts, videos = [], [], []
    for signal in signals:
        if signal.version == PDQ and signal.quality >= USABLE_QUALITY:
            pictures.append(signal)
        elif signal.version == WINDOWS and windows:
            parts.append(signal)
        elif signal.version == VPDQ:
            videos.append(signal)
    return _joined([_pictures(pictures), _windows(parts), *map(_frames, videos)])


def _pictures(signals: list[Held]) -> Rows:
    return _hashes(signals).reshape(-1, HASH_BYTES), _numbers(signals)


def _frames(signal: Held) -> Rows:
    """A video's frames; all that are fed have enough detail."""
    frames = _hashes([signal]).reshape(-1, FRAME_BYTES)
    return frames[:, 3:-1], numbers_of(signal.number, VPDQ, frames.size)


def _windows(signals: list[Held]) -> Rows:
    slots = _hashes(signals).reshape(-1, kernel.WINDOWS, HASH_BYTES + 1)[:, FIRST : LAST + 1]
    good = slots[:, :, HASH_BYTES] >= USABLE_QUALITY
    numbers = _numbers(signals)[:, None] | np.arange(FIRST, LAST + 1, dtype=np.uint64)
    return slots[good][:, :HASH_BYTES], numbers[good]


def _hashes(signals: list[Held]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(s.value for s in signals), np.uint8)


def _numbers(signals: list[Held]) -> NDArray[np.uint64]:
    return np.array([s.number << SLOT_BITS for s in signals], np.uint64)


def _joined(parts: list[Rows]) -> Rows:
    """All rows in one table. Takes the parts out of the list, so that memory holds little more than once each row."""
    count = sum(len(numbers) for _, numbers in parts)
    hashes, numbers = np.empty((count, HASH_BYTES), np.uint8), np.empty(count, np.uint64)
    while parts:
        some, theirs = parts.pop()
        count -= len(theirs)
        hashes[count : count + len(theirs)], numbers[count : count + len(theirs)] = some, theirs
    return hashes, numbers


def all_rows(batches: Iterable[list[Held]], *, windows: bool) -> Rows:
    """The same of everything the copy holds, which comes in batches."""
    return _joined([rows_of(batch, windows=windows) for batch in batches])
