"""A file's fingerprint: PDQ of its picture, SHA-256 and MD5 of its bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from seawall.hashing.native import PlaneMemory
from seawall.hashing.perceptual import Pdq, from_rows
from seawall.hashing.pictures import MAX_FILE_BYTES, Picture, UnreadableImage, read_picture
from seawall.hashing.planes import Plane


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What leaves a device of a picture: numbers from which no picture can be made.

    ``version`` names docs/spec/fingerprint.md's rules; fingerprints of other versions are not compared with it.
    ``width``, ``height``: pixels, upright. ``sha256``, ``md5``: lowercase hex, of the file, for partners that know
    only those. ``frames``: of a video; empty for a picture.
    """

    pdq: Pdq
    width: int
    height: int
    sha256: str
    md5: str
    version: str = "pdq1"
    kind: str = "image"
    frames: tuple[Pdq, ...] = ()


def fingerprint(picture: str | Path | bytes) -> Fingerprint:
    """Fingerprint a picture file, or its bytes. The file is read once.

    :raises UnreadableImage: not a picture, damaged, of a kind we do not read, or too large
    :raises OSError: the file cannot be opened
    """
    content = _content(picture)
    return _fingerprint(content, read_picture(content))


def look(picture: str | Path | bytes) -> tuple[Fingerprint, Plane]:
    """`fingerprint`, and the plane whose parts can be fingerprinted, from one decoding and one pass over the pixels.

    :raises UnreadableImage: as `fingerprint`
    :raises OSError: as `fingerprint`
    """
    content = _content(picture)
    image = read_picture(content)
    memory = PlaneMemory(image.width, image.height)
    return _fingerprint(content, image, memory), Plane(memory)


def _fingerprint(content: bytes, image: Picture, plane: PlaneMemory | None = None) -> Fingerprint:
    return Fingerprint(
        pdq=from_rows(image.width, image.height, 3, image.strips, plane=plane),
        width=image.width,
        height=image.height,
        sha256=hashlib.sha256(content).hexdigest(),
        # for partners whose lists are MD5; nothing here rests on its security
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
    )


def _content(picture: str | Path | bytes) -> bytes:
    content = picture if isinstance(picture, bytes) else _read_file(Path(picture))
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableImage(f"This file is larger than {MAX_FILE_BYTES >> 20} MB. Save a smaller copy of it.")
    return content


def _read_file(path: Path) -> bytes:
    """The file's bytes, but never more than one above the limit."""
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)
