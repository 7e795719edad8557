"""A video file as fingerprints of its frames: docs/spec/video.md.

The file is decoded by a process of its own (`decoding`), so that no file can crash, stall or fill the caller's.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import struct
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Self

import numpy as np

from seawall.hashing.environment import without_secrets
from seawall.hashing.perceptual import USABLE_QUALITY, Pdq
from seawall.hashing.pictures import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

# Messages. INFO: width, height, how many video tracks, duration in microseconds or -1. FRAME: time in microseconds;
# then of each view its eight hashes and its quality. PLANE: time, height, width, lumas. END: one of the codes below.
INFO, FRAME, PLANE, END = b"I", b"F", b"P", b"E"
HEADER = struct.Struct("<cI")
INFO_BODY, TIME, PLANE_SIZE = struct.Struct("<IIIq"), struct.Struct("<q"), struct.Struct("<II")
VIEW_BYTES = 8 * 32 + 1

# Why reading ended.
WHOLE, LONG, DAMAGED, NO_VIDEO, ENCRYPTED, TOO_LARGE, NOT_A_VIDEO = range(7)

SECOND = 1_000_000
EARLY = 500  # microseconds by which a frame may come before the mark it stands for: times are rounded in files
BACK = SECOND // 10  # by which a clock that goes back has begun anew: files that were put behind one another
RESUMED = SECOND // 25  # so long after the frame before it goes on

VERSION = "vpdq1"
MOST_FRAMES = 3600  # an hour; published vPDQ has no limit
LEAST_FRAMES = 5  # of a video that could not be read to its end
FRAME_BYTES = 36  # time 3, hash 32, quality 1
_CPU_SECONDS = 3600  # an hour of 4K takes half of it
_SILENCE = 120  # seconds without a frame, after which nothing more is expected
_MOST_MESSAGE = 1 << 26  # bytes; a plane has a million at most

_NO_FRAME = "Nothing in this video can be shown. Try to play it; if that works, record the screen while it plays."
_SAID = {
    DAMAGED: "This video is damaged: not all of it could be read.",
    LONG: "This video is very long: only its beginning was read.",
    NO_VIDEO: "This file has sound and no video. Choose another one.",
    ENCRYPTED: "This video is locked against copying. Record the screen while it plays, and choose the recording.",
    TOO_LARGE: "The frames of this video are too large. Save a smaller copy of it.",
    NOT_A_VIDEO: "This video is damaged, or of a kind we do not read. Save it as MP4, or record the screen.",
}
_STALLED = "This video takes too long or too much memory to read. Save a smaller copy of it."


class UnreadableVideo(UnreadableImage):
    """We cannot make a fingerprint of this. The message is a sentence for the person, with what to do next."""

    def __init__(self, said: str | None = None) -> None:
        """``said``: the sentence; without one, that nothing could be decoded."""
        super().__init__(said or _NO_FRAME)


class Frame(NamedTuple):
    """A frame that is kept. ``t``: milliseconds since the first frame."""

    t: int
    pdq: Pdq


class Surveyed(NamedTuple):
    """One frame, about a thousand lumas on its longer side."""

    t: int  # microseconds since the first frame
    pixels: NDArray[np.uint8]  # (h, w)


class Sampled(NamedTuple):
    """One frame in several views: the whole, and each rectangle that was asked for."""

    t: int  # microseconds since the first frame
    hashes: NDArray[np.uint8]  # (1 + N, 8, 32), in the order of `Pdq.dihedral`
    quality: NDArray[np.uint8]  # (1 + N,)


@dataclass(frozen=True, slots=True)
class VideoFrames:
    """What `read_frames` found.

    ``clearest``: of all frames that were looked at. ``problem``: a sentence if it is not all of the video.
    """

    width: int
    height: int
    clearest: Pdq
    frames: tuple[Frame, ...]
    problem: str | None


# What the first bytes of a video look like, after which it is tried as one. Pictures share the first of them.
_PICTURE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_BEGINNINGS = (b"\x1a\x45\xdf\xa3", b"FLV\x01", b"OggS", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"\x30\x26\xb2\x75")
HEAD_BYTES = 1024


def is_video(head: bytes) -> bool:
    """Whether a file that begins so (`HEAD_BYTES` of it) is a video, or sound; its name says nothing."""
    if head[4:8] in _BOXES:
        return head[4:8] != b"ftyp" or head[8:12] not in _PICTURE_BRANDS
    if head.startswith(_BEGINNINGS) or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return True
    packet = 188  # MPEG-TS: each packet begins with a G; of recorders each has a time before it
    return any(
        len(head) > at + 2 * size and all(head[at + n * size] == ord("G") for n in range(3))
        for at, size in ((0, packet), (4, packet + 4))
    )


class Reading:
    """A video that is being decoded by another process. Leave its block to end that process."""

    def __init__(self, file: BinaryIO, *, cpu_seconds: int = _CPU_SECONDS, silence: float = _SILENCE) -> None:
        """``cpu_seconds``: of the decoder, in all. ``silence``: seconds it may go without an answer.

        :raises UnreadableVideo: nothing in it can be decoded
        """
        self._silence = silence
        self.track = 0  # which of its video tracks is read; the fingerprint is the first's
        self.problem: str | None = None  # why the last reading was not of the whole video
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "seawall.hashing.decoding", str(file.fileno()), str(cpu_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(file.fileno(),),
            env=without_secrets() | {"OPENBLAS_NUM_THREADS": "1"},
        )
        try:
            self.width, self.height, self.tracks, duration = self._info()
            self.duration: int | None = None if duration < 0 else duration  # microseconds, as the file says
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the decoder."""
        self._process.kill()
        self._process.communicate()

    def _info(self) -> tuple[int, int, int, int]:
        kind, body = self._message()
        if kind != INFO:
            raise UnreadableVideo(_SAID.get(body[0]) if kind == END else None)
        width, height, tracks, duration = INFO_BODY.unpack(body)
        return width, height, tracks, duration

    def survey(self) -> list[Surveyed]:
        """Up to 24 frames: key frames from all over the video, or of its first seconds if it has few."""
        found = []
        for kind, body in self._answers({"do": "survey"}):
            if kind == PLANE:
                (t,), size = TIME.unpack_from(body), PLANE_SIZE.unpack_from(body, TIME.size)
                pixels = np.frombuffer(body, np.uint8, offset=TIME.size + PLANE_SIZE.size).reshape(size)
                found.append(Surveyed(t, pixels))
        return found

    def frames(self, step: int, rects: Sequence[Sequence[float]] = (), *, most: int = 0) -> Iterator[Sampled]:
        """The first frame at or after each ``step`` microseconds, ``most`` of them if not 0.

        ``rects``: parts (left, top, right, bottom as fractions) that are hashed besides the whole.
        """
        views = 1 + len(rects)
        order = {
            "do": "frames",
            "step": step,
            "rects": [list(map(float, r)) for r in rects],
            "most": most,
        }
        for kind, body in self._answers(order):
            if kind == FRAME and len(body) == TIME.size + views * VIEW_BYTES:
                rows = np.frombuffer(body, np.uint8, offset=TIME.size).reshape(views, VIEW_BYTES)
                (t,) = TIME.unpack_from(body)
                yield Sampled(t, rows[:, :-1].reshape(views, 8, 32), np.minimum(rows[:, -1], 100))

    def _answers(self, order: dict[str, object]) -> Iterator[tuple[bytes, bytes]]:
        """The messages that answer an order. When the decoder dies or stalls they end, and `problem` says so."""
        self.problem = None
        try:
            assert self._process.stdin is not None  # noqa: S101 - a pipe
            self._process.stdin.write(json.dumps(order | {"track": self.track}).encode() + b"\n")
            self._process.stdin.flush()
            while True:
                kind, body = self._message()
                if kind == END:
                    self.problem = _SAID.get(body[0])
                    return
                yield kind, body
        except (OSError, UnreadableVideo):
            self.problem = _STALLED

    def _message(self) -> tuple[bytes, bytes]:
        kind, length = HEADER.unpack(self._read(HEADER.size))
        if length > _MOST_MESSAGE:
            raise UnreadableVideo(_STALLED)
        return kind, self._read(length)

    def _read(self, size: int) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101 - a pipe
        taken = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(pipe.fileno(), selectors.EVENT_READ)
            while len(taken) < size:
                if not selector.select(self._silence):
                    raise UnreadableVideo(_STALLED)
                some = os.read(pipe.fileno(), size - len(taken))
                if not some:
                    raise UnreadableVideo(_STALLED)
                taken += some
        return bytes(taken)


def read_frames(path: str | Path, *, progress: Callable[[float], None] | None = None) -> VideoFrames:
    """The frames of a video that are kept.

    ``progress`` is called with the part that is done, 0 to 1, as far as the file says how long it is.

    :raises UnreadableVideo: nothing in it can be decoded, or less than five frames of a damaged one
    :raises OSError: the file cannot be opened
    """
    kept: dict[bytes, Frame] = {}
    clearest: Pdq | None = None
    with Path(path).open("rb") as file, Reading(file) as reading:
        for one in reading.frames(SECOND, most=MOST_FRAMES):
            views = tuple(view.tobytes() for view in one.hashes[0])
            pdq = Pdq(views[0], int(one.quality[0]), views)
            if pdq.quality >= USABLE_QUALITY:
                kept.setdefault(pdq.bits, Frame((one.t + 500) // 1000, pdq))
            if clearest is None or pdq.quality > clearest.quality:
                clearest = pdq
            if progress and reading.duration:
                progress(min(1.0, one.t / reading.duration))
        problem = reading.problem
    if clearest is None:
        raise UnreadableVideo(problem)
    if problem and len(kept) < LEAST_FRAMES and problem != _SAID[LONG]:
        raise UnreadableVideo(f"{problem} Choose another copy of it, or record the screen while it plays.")
    return VideoFrames(reading.width, reading.height, clearest, tuple(kept.values()), problem)


def pack(frames: Sequence[Frame]) -> bytes:
    """Frames as 36 bytes each: docs/spec/video.md, section 4."""
    return b"".join(frame.t.to_bytes(3, "big") + frame.pdq.bits + bytes([frame.pdq.quality]) for frame in frames)


class BadFrames(ValueError):
    """These bytes are not packed frames."""


def unpack(packed: bytes) -> tuple[Frame, ...]:
    """The frames of such bytes.

    :raises BadFrames: they break a rule of docs/spec/video.md, section 4
    """
    if not packed or len(packed) % FRAME_BYTES or len(packed) > MOST_FRAMES * FRAME_BYTES:
        raise BadFrames("not 1 to 3,600 frames of 36 bytes")
    parts = [packed[at : at + FRAME_BYTES] for at in range(0, len(packed), FRAME_BYTES)]
    frames = tuple(Frame(int.from_bytes(part[:3], "big"), Pdq(part[3:-1], part[-1])) for part in parts)
    if any(later.t <= earlier.t for earlier, later in pairwise(frames)):
        raise BadFrames("times do not rise")
    if len({frame.pdq.bits for frame in frames}) < len(frames):
        raise BadFrames("a hash comes twice")
    if not all(USABLE_QUALITY <= frame.pdq.quality <= 100 for frame in frames):  # noqa: PLR2004 - of 100
        raise BadFrames("a quality is not 50 to 100")
    return frames


def to_text(packed: bytes) -> str:
    """Packed frames as base64url; without padding, because 36 is a multiple of 3."""
    return base64.urlsafe_b64encode(packed).decode()
