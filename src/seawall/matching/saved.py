"""The file an index is kept in: docs/spec/index-file.md. Written whole or not at all, used where it lies."""

from __future__ import annotations

import hashlib
import mmap
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seawall.matching import native
from seawall.matching.segment import WORDS, DamagedIndex, Mapped, Segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

MAGIC = b"seawall index 2\n"
_BLOCK = native.BLOCK
_FIXED = 32  # bytes of the head before the segments
_CHECK = hashlib.sha256().digest_size


def write(path: Path | str, segments: Sequence[Segment]) -> None:
    """Write segments, all rows of which live, beside ``path``, then move them there in one step."""
    path = Path(path)
    arrays = [array for segment in segments for array in _arrays_of(segment)]
    sizes = [(len(segment.ids), int(segment.starts is not None)) for segment in segments]
    head = _head(sizes, [native.checksums(array) for array in arrays])
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(head)
            for array in arrays:
                file.write(array.data)
                file.write(bytes(-array.nbytes % _BLOCK))
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    _sync_folder(path.parent)


def read(path: Path | str) -> list[Segment]:
    """The segments of a file, mapped where they lie. The head and what leads into the lists is checked now.

    :raises DamagedIndex: the file is cut short, altered, or not an index
    """
    path = Path(path)
    whole, sizes, head = _checked_head(path)
    body = whole[head.size :]
    blocks = body.size // _BLOCK
    checksums = head[_FIXED + 16 * len(sizes) :][: 8 * blocks].view(np.uint64)
    mapped = Mapped(path.name, body.ctypes.data, checksums, np.zeros(blocks, np.uint8))
    segments = list(_segments(body, sizes, mapped))
    for segment in segments:
        segment.check_starts()
    return segments


def index_identity(path: Path | str) -> str:
    """64 hex digits that name what an index file holds: its head's SHA-256, which covers the checksum of each block.

    :raises DamagedIndex: the file is cut short, altered in its head, or not an index
    """
    _, _, head = _checked_head(Path(path))
    return head[-_CHECK:].tobytes().hex()


def _checked_head(path: Path) -> tuple[NDArray[np.uint8], list[tuple[int, int]], NDArray[np.uint8]]:
    """The whole file, mapped; (rows, has lists) of each segment; and the head."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < _BLOCK:
            raise _not_an_index(path)
        whole = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    sizes = _sizes(path, whole)
    head = whole[: _head_bytes(sizes)]
    if hashlib.sha256(head[:-_CHECK].data).digest() != head[-_CHECK:].tobytes():
        raise DamagedIndex(f"{path.name} was altered: a checksum is wrong. Build it again from the bank.")
    return whole, sizes, head


def _arrays_of(segment: Segment) -> list[NDArray[np.generic]]:
    """What lies in the file, in this order, each array from the beginning of a block."""
    if segment.starts is None or segment.next is None or segment.places is None:
        return [segment.ids, segment.words]
    in_use = native.CHUNKS * len(segment.ids)
    return [segment.ids, segment.words, segment.starts, segment.next[:in_use], segment.places]


def _array_bytes(rows: int, lists: int) -> list[int]:
    sizes = [8 * rows, 8 * WORDS * rows]
    return [*sizes, 4 * native.STARTS, 2 * native.CHUNKS * rows, 4 * native.CHUNKS * rows] if lists else sizes


def _up(count: int) -> int:
    return -(-count // _BLOCK) * _BLOCK


def _body_bytes(sizes: Sequence[tuple[int, int]]) -> int:
    return sum(_up(count) for rows, lists in sizes for count in _array_bytes(rows, lists))


def _head_bytes(sizes: Sequence[tuple[int, int]]) -> int:
    return _up(_FIXED + 16 * len(sizes) + 8 * (_body_bytes(sizes) // _BLOCK) + _CHECK)


def _head(sizes: Sequence[tuple[int, int]], checksums: Sequence[NDArray[np.uint64]]) -> bytes:
    length = _head_bytes(sizes)
    numbers = np.array([length + _body_bytes(sizes), len(sizes), *(n for pair in sizes for n in pair)], np.uint64)
    head = MAGIC + numbers.tobytes() + b"".join(sums.tobytes() for sums in checksums)
    head += bytes(length - _CHECK - len(head))
    return head + hashlib.sha256(head).digest()


def _sizes(path: Path, whole: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """(rows, has lists) of each segment, if the file is as long as they ask for."""
    if whole[: len(MAGIC)].tobytes() != MAGIC:
        raise _not_an_index(path)
    length, count = whole[len(MAGIC) : _FIXED].view(np.uint64).tolist()
    if length != whole.size or length % _BLOCK or 16 * count > length - _FIXED - _CHECK:
        raise _wrong_length(path)
    numbers = whole[_FIXED : _FIXED + 16 * count].view(np.uint64).reshape(count, 2).tolist()
    sizes = [(rows, lists) for rows, lists in numbers]
    if any(rows > native.MOST_ROWS or lists > 1 for rows, lists in sizes):
        raise _not_an_index(path)
    if _head_bytes(sizes) + _body_bytes(sizes) != length:
        raise _wrong_length(path)
    return sizes


def _segments(body: NDArray[np.uint8], sizes: Sequence[tuple[int, int]], mapped: Mapped) -> Iterator[Segment]:
    at = 0
    for rows, lists in sizes:
        arrays = []
        for count in _array_bytes(rows, lists):
            arrays.append(body[at : at + count])
            at += _up(count)
        ids, words, *rest = arrays
        starts, following, places = (
            (rest[0].view(np.uint32), rest[1].view(np.uint16), rest[2].view(np.uint32)) if rest else (None,) * 3
        )
        dead = np.zeros(rows, np.bool_)
        yield Segment(
            ids.view(np.uint64), words.view(np.uint64).reshape(-1, WORDS), dead, starts, following, places, mapped
        )


def _not_an_index(path: Path) -> DamagedIndex:
    return DamagedIndex(f"{path.name} is not an index this version can read. Build it again from the bank.")


def _wrong_length(path: Path) -> DamagedIndex:
    return DamagedIndex(f"{path.name} is cut short or too long. Build it again from the bank.")


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
