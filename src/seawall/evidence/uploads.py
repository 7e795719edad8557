"""What came of files that are still being sent: one local file each, in DATA/uploads, appended to part by part."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECE = 256 << 10


class Source(Protocol):
    """Where the bytes of a part come from."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102 - as every file


class WrongOffset(Exception):
    """A part that does not begin where the last one ended. ``received`` says where that is."""

    def __init__(self, received: int) -> None:
        super().__init__("That part does not follow the last one. Go on from where we are.")
        self.received = received


class WrongSum(Exception):
    """The file is not the one that was meant. What came of it is gone; it has to be sent again."""


def folder() -> Path:
    """Where they lie."""
    path: Path = settings.DATA / "uploads"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def path_of(blob: bytes) -> Path:
    """The file of one upload, whether or not it is there."""
    return folder() / blob.hex()


def received(blob: bytes) -> int:
    """How many bytes came so far."""
    try:
        return path_of(blob).stat().st_size
    except FileNotFoundError:
        return 0


def changed(blob: bytes) -> float:
    """When its last bytes came, in seconds since 1970; 0 if none ever did."""
    try:
        return path_of(blob).stat().st_mtime
    except FileNotFoundError:
        return 0


def all_ids() -> Iterator[bytes]:
    """Of every file that lies here."""
    with os.scandir(folder()) as found:
        for each in found:
            yield bytes.fromhex(each.name)


def append(blob: bytes, *, offset: int, source: Source, length: int) -> int:
    """Take the next ``length`` bytes; how many came in all. What was cut off on its way counts as far as it came.

    :raises WrongOffset: they do not begin where the last ones ended
    :raises OSError: the disk is full; nothing of this part is kept then
    """
    with _held(blob) as file:
        here = file.seek(0, os.SEEK_END)
        if here != offset:
            raise WrongOffset(here)
        try:
            left = length
            while left and (piece := _next(source, min(left, _PIECE))):
                _write(file, piece)
                left -= len(piece)
        except OSError:
            file.truncate(offset)
            raise
        return file.tell()


def _next(source: Source, size: int) -> bytes:
    try:
        return source.read(size)
    except OSError:  # the sender went away
        return b""


def _write(file: IO[bytes], piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]


@contextmanager
def finished(blob: bytes, *, size: int, sha256: bytes) -> Iterator[IO[bytes]]:
    """Hold a file that came whole, on the disk; it is removed if the block ends well.

    :raises WrongOffset: it did not come whole
    :raises WrongSum: its SHA-256 is another
    """
    path = path_of(blob)
    with _held(blob) as file:
        here = file.seek(0, os.SEEK_END)
        if here != size:
            raise WrongOffset(here)
        file.seek(0)
        if hashlib.file_digest(file, "sha256").digest() != sha256:  # type: ignore[arg-type]
            path.unlink()
            raise WrongSum("The file was damaged on its way. Add it again.")
        os.fsync(file.fileno())
        file.seek(0)
        yield file
        path.unlink(missing_ok=True)


def discard(blob: bytes) -> None:
    """Drop what came."""
    path_of(blob).unlink(missing_ok=True)


@contextmanager
def _held(blob: bytes) -> Iterator[IO[bytes]]:
    """The file, for one request at a time, made if need be. Unbuffered: what `write` took is what the disk took."""
    path = path_of(blob)
    while True:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_still(path, file.fileno()):  # and not moved or removed while we waited
                yield file
                return


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
