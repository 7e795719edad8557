r"""The file an index is kept in.

bytes 0-15     b"seawall index 1\n"
bytes 16-23    N, the number of fingerprints, little-endian
N * 8 bytes    ids, little-endian
N * 32 bytes   fingerprints, in the same order
32 bytes       SHA-256 of everything before
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = b"seawall index 1\n"
_HEAD = len(MAGIC) + 8
_CHECK = hashlib.sha256().digest_size
_ROW = 8 + 32


class DamagedIndex(ValueError):
    """The file is not an index, or not all of one. Build it again from the bank."""


def write(path: Path | str, hashes: NDArray[np.uint8], ids: NDArray[np.uint64]) -> None:
    """Write ``hashes`` (N, 32) and ``ids`` (N,) beside ``path``, then move them there in one step."""
    path = Path(path)
    head = MAGIC + len(ids).to_bytes(8, "little")
    parts = (head, ids.astype("<u8", copy=False).data, np.ascontiguousarray(hashes).data)
    check = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            for part in parts:
                check.update(part)
                file.write(part)
            file.write(check.digest())
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    _sync_folder(path.parent)


def read(path: Path | str) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """The fingerprints (N, 32) and ids (N,) of a file.

    :raises DamagedIndex: it is cut short, altered, or not an index
    """
    path = Path(path)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD)
        if head[: len(MAGIC)] != MAGIC:
            raise DamagedIndex(f"{path.name} is not an index this version can read. Build it again from the bank.")
        count = int.from_bytes(head[len(MAGIC) :], "little")
        if size != _HEAD + count * _ROW + _CHECK:  # before any memory is set aside for what it claims
            raise DamagedIndex(f"{path.name} is cut short or too long. Build it again from the bank.")
        body = file.read(count * _ROW)
        check = hashlib.sha256(head)
        check.update(body)
        if file.read(_CHECK) != check.digest():
            raise DamagedIndex(f"{path.name} was altered: its checksum is wrong. Build it again from the bank.")
    ids = np.frombuffer(body, "<u8", count).astype(np.uint64)
    return np.frombuffer(body, np.uint8, count * 32, offset=count * 8).reshape(count, 32), ids


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
