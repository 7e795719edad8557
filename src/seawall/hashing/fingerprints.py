"""A file's fingerprint: PDQ of its picture or of its video's frames, SHA-256 and MD5 of its bytes."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seawall.hashing.native import PlaneMemory
from seawall.hashing.perceptual import Pdq, from_rows
from seawall.hashing.pictures import MAX_FILE_BYTES, Picture, UnreadableImage, read_picture
from seawall.hashing.planes import Plane
from seawall.hashing.videos import HEAD_BYTES, VERSION, Frame, UnreadableVideo, is_video, read_frames

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What leaves a device of a picture or video: numbers from which no picture can be made.

    ``version`` names the rules of docs/spec/fingerprint.md or docs/spec/video.md; fingerprints of other versions are
    not compared with it. ``width``, ``height``: pixels; of a picture upright. ``sha256``, ``md5``: lowercase hex, of
    the file, for partners that know only those.

    Of a video, ``frames`` are those that are kept, and ``pdq`` is the clearest frame's, kept or not. ``problem``: a
    sentence if it is not all of the video.
    """

    pdq: Pdq
    width: int
    height: int
    sha256: str
    md5: str
    version: str = "pdq1"
    kind: str = "image"
    frames: tuple[Frame, ...] = ()
    problem: str | None = None


def fingerprint(picture: str | Path | bytes, *, progress: Callable[[float], None] | None = None) -> Fingerprint:
    """Fingerprint a picture or video file, or a picture's bytes.

    ``progress``: called with the part of a video that is done, 0 to 1.

    :raises UnreadableImage: neither picture nor video, damaged, of a kind we do not read, or too large
    :raises OSError: the file cannot be opened
    """
    if not isinstance(picture, bytes) and is_video_file(picture):
        return _fingerprint_video(Path(picture), progress)
    content = _content(picture)
    return _fingerprint(content, read_picture(content))


def is_video_file(path: str | Path) -> bool:
    """Whether the file is a video (or sound), by its first bytes.

    :raises OSError: the file cannot be opened
    """
    with Path(path).open("rb") as file:
        return is_video(file.read(HEAD_BYTES))


def _fingerprint_video(path: Path, progress: Callable[[float], None] | None) -> Fingerprint:
    with ThreadPoolExecutor(1) as beside:
        digests = beside.submit(_digests, path)
        video = read_frames(path, progress=progress)
        sha256, md5 = digests.result()
    return Fingerprint(
        pdq=video.clearest,
        width=video.width,
        height=video.height,
        sha256=sha256,
        md5=md5,
        version=VERSION,
        kind="video",
        frames=video.frames,
        problem=video.problem,
    )


def _digests(path: Path) -> tuple[str, str]:
    """SHA-256 and MD5 of a file of any size."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
            md5.update(chunk)
    return sha256.hexdigest(), md5.hexdigest()


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
    if is_video(content[:HEAD_BYTES]):
        raise UnreadableVideo("This is a video, and only pictures are read here. Choose a picture.")
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableImage(f"This file is larger than {MAX_FILE_BYTES >> 20} MB. Save a smaller copy of it.")
    return content


def _read_file(path: Path) -> bytes:
    """The file's bytes, but never more than one above the limit."""
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)
