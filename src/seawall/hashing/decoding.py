"""Decodes one video in a process of its own: `python -m seawall.hashing.decoding FD CPU_SECONDS`.

A decoder is a large program that reads whatever strangers send. Here it may crash, loop or ask for memory without
end, and only this process is lost: `videos` starts it, reads what it writes, and kills it. It reads the file it was
handed open and can open no other; its memory and processor time are limited.

Orders come as JSON, one a line; answers go out as messages: a letter, the length as uint32, and that many bytes.
docs/spec/video.md says which frames, and which of their bytes, are hashed.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
from fractions import Fraction
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, BinaryIO

import av
import av.audio.stream
import av.subtitles.stream
import av.video.stream
import numpy as np
from av.sidedata.sidedata import Type

from seawall.hashing import videos as wire
from seawall.hashing.native import PlaneMemory
from seawall.hashing.perceptual import from_rows
from seawall.hashing.videos import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Luma = NDArray[np.uint8]  # (h, w), or (h, w, 3) of a frame without a luma plane

LAST = 16_000 * SECOND  # three bytes of milliseconds hold 16,777 seconds
MOST_PIXELS = 40_000_000  # 8K has 33
MOST_ERRORS = 100  # packets that cannot be decoded, after which nothing more is expected
MEMORY = 2 << 30  # an 8K frame takes 50 MB, and a decoder holds up to 17
SURVEYED = 24  # planes of a survey

# Demuxers that read one file and open no other, and decoders of what people share.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,h264,hevc"
_CODECS = (
    "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,av1,libdav1d,mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4,mpeg1video,mpeg2video,h263,flv,"
    "mjpeg,wmv1,wmv2,wmv3,vc1,theora,prores,vp6,vp6f,qtrle,rawvideo,ffv1,dvvideo,png,svq3,utvideo,huffyuv"
)

_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_PLANAR = ("yuv4", "yuvj4", "yuva4", "nv12", "nv21", "nv16", "nv24", "nv42", "gray")
_HIGH_BITS = ("p010", "p012", "p016", "p210", "p212", "p216", "p410", "p412", "p416", "nv20")
_ATTACHED_PICTURE = 0x400
_BYTE = 8
# Their decoders can leave out frames to which no other refers.
_SKIPS = {"h264", "hevc", "mpeg4"}


class Failed(Exception):
    """Reading cannot begin. ``code`` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Marks:
    """Which frames are taken, by their times in microseconds: the first at or after each ``step``."""

    def __init__(self, step: int) -> None:
        self._step, self._following, self._last = step, 0, -1
        self._first: int | None = None
        self.over = False

    def take(self, time: int) -> int | None:
        """The time since the first frame, if this one is taken. ``over`` if it is too late for any to be."""
        self._first = time if self._first is None else self._first
        at = time - self._first
        self.over = at > LAST
        taken = self._last < at <= LAST and at >= self._following - wire.EARLY
        self._last = max(at, self._last)
        if not taken:
            return None
        self._following = (at + wire.EARLY) // self._step * self._step + self._step
        return at


class Clock:
    """The file's own times in microseconds, on and on where they begin anew: files that were put behind one another."""

    def __init__(self) -> None:
        self._latest: int | None = None
        self._ahead = 0

    def read(self, stamp: int) -> int:
        """When a frame with this time of its own is shown."""
        time = stamp + self._ahead
        if self._latest is not None and time < self._latest - wire.BACK:
            time = self._latest + wire.RESUMED
            self._ahead = time - stamp
        self._latest = time if self._latest is None else max(self._latest, time)
        return time


class Video:
    """An open file with a video track, which can be read from its start as often as needed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.track = 0  # which of its video tracks is read
        self.end = wire.WHOLE  # of the last reading

    def info(self) -> bytes:
        """What wire.INFO tells.

        :raises Failed: nothing in it can be decoded
        """
        with self._opened() as container:
            stream = _track(container, self.track)
            try:
                locked = _is_locked(next(container.demux(stream)))
            except (av.FFmpegError, StopIteration, EOFError):
                locked = False  # reading its frames will say more
            if locked:
                raise Failed(wire.ENCRYPTED)
            duration = container.duration if container.duration is not None else -1
            context = stream.codec_context
            return wire.INFO_BODY.pack(context.width, context.height, len(_tracks(container)), duration)

    def frames(self, step: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames and their times in microseconds: the first at or after each ``step``."""
        marks = Marks(step)
        self.end = wire.WHOLE
        for time, frame in self._shown(self._wanted(step)):
            at = marks.take(time)
            if marks.over:
                self.end = wire.LONG
                return
            if at is not None:
                yield at, frame

    def keys(self, most: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Key frames from all over the video, so many at most, and their times. Nothing else is decoded."""
        self.end = wire.WHOLE
        found = [(nth, packet.pts) for nth, packet in self._packets() if packet.is_keyframe and packet.pts is not None]
        chosen = {found[at][0] for at in np.linspace(0, len(found) - 1, min(most, len(found))).round().astype(int)}
        last = max(chosen, default=-1)
        for nth, packet in self._packets():
            if nth > last:
                return
            if nth not in chosen or _is_locked(packet):
                continue
            context: av.VideoCodecContext = packet.stream.codec_context
            try:
                frames = [*context.decode(packet), *context.decode(None)]
                context.flush_buffers()
            except av.FFmpegError:
                continue
            if frames and frames[0].width * frames[0].height <= MOST_PIXELS and packet.time_base is not None:
                yield _microseconds((packet.pts or 0) - (found[0][1] or 0), packet.time_base), frames[0]

    def _packets(self) -> Iterator[tuple[int, av.Packet[av.VideoStream]]]:
        """The packets of the video track, as far as they can be read, with their numbers."""
        with self._opened() as container:
            stream = _track(container, self.track)
            _prepare(stream)
            packets = enumerate(container.demux(stream))
            while True:
                try:
                    nth, packet = next(packets)
                except (StopIteration, av.FFmpegError, EOFError):
                    return
                if packet.size and not packet.is_discard:
                    yield nth, packet

    def _wanted(self, step: int) -> frozenset[int] | None:
        """The presentation times (of the container) of the frames that will be taken; None if it does not say.

        Reading a file is a hundred times faster than decoding it, and a decoder that knows which frames nobody looks
        at leaves out those that no other needs: half of them, in H.264 of ordinary making.
        """
        with self._opened() as container:
            stream = _track(container, self.track)
            if stream.codec_context.name not in _SKIPS:
                return None
            try:
                packets = (packet for packet in container.demux(stream) if packet.size and not packet.is_discard)
                shown = [(packet.pts, packet.dts) for packet in packets]
            except (av.FFmpegError, EOFError):
                return None
            base = stream.time_base
        times = [pts for pts, _ in shown if pts is not None]
        clock = [dts for _, dts in shown if dts is not None]
        if base is None or len(set(times)) < len(shown) or any(later < earlier for earlier, later in pairwise(clock)):
            return None
        marks = Marks(step)
        return frozenset(pts for pts in sorted(times) if marks.take(_microseconds(pts, base)) is not None)

    def _shown(self, wanted: frozenset[int] | None) -> Iterator[tuple[int, av.VideoFrame]]:
        """Every frame that can be decoded, with its own time in microseconds."""
        with self._opened() as container:
            stream = _track(container, self.track)
            _prepare(stream)
            length = SECOND * (1 / (stream.guessed_rate or Fraction(25)))
            time, clock = 0, Clock()
            for frame in self._decoded(container, stream, wanted):
                if frame.width * frame.height > MOST_PIXELS:
                    continue
                if frame.pts is not None and frame.time_base is not None:
                    time = clock.read(_microseconds(frame.pts, frame.time_base))
                else:
                    time += int(length)
                yield time, frame

    def _decoded(
        self, container: av.container.InputContainer, stream: av.VideoStream, wanted: frozenset[int] | None
    ) -> Iterator[av.VideoFrame]:
        packets, errors = container.demux(stream), 0
        while errors < MOST_ERRORS:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, EOFError):
                self.end = wire.DAMAGED
                return
            if _is_locked(packet):  # the beginning was open
                self.end = wire.ENCRYPTED
                return
            if wanted is not None:
                stream.codec_context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self.end = wire.DAMAGED
                errors += 1

    def _opened(self) -> av.container.InputContainer:
        self._file.seek(0)
        try:
            return av.open(
                self._file,
                "r",
                options={"format_whitelist": _FORMATS, "codec_whitelist": _CODECS, "protocol_whitelist": "none"},
                metadata_errors="ignore",
            )
        except (av.FFmpegError, ValueError) as error:
            raise Failed(wire.NOT_A_VIDEO) from error


def _tracks(container: av.container.InputContainer) -> list[av.VideoStream]:
    """The video tracks that are not cover pictures."""
    return [stream for stream in container.streams.video if not int(stream.disposition) & _ATTACHED_PICTURE]


def _track(container: av.container.InputContainer, number: int) -> av.VideoStream:
    """That one of them.

    :raises Failed: there is none, or it cannot be decoded
    """
    tracks = _tracks(container)
    if number >= len(tracks):
        raise Failed(wire.NO_VIDEO)
    stream = tracks[number]
    context = stream.codec_context
    if context is None or context.codec_tag in {"encv", "drmi"} or "enc_key_id" in stream.metadata:  # the last: WebM
        raise Failed(wire.ENCRYPTED)
    if context.width * context.height > MOST_PIXELS:
        raise Failed(wire.TOO_LARGE)
    return stream


def _prepare(stream: av.VideoStream) -> None:
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}


def _is_locked(packet: av.Packet[Any]) -> bool:
    return bool(packet.has_sidedata("encryption_info"))


def _microseconds(pts: int, base: Fraction) -> int:
    """floor(seconds * 1,000,000 + 0.5), exactly."""
    return (2 * pts * base.numerator * SECOND + base.denominator) // (2 * base.denominator)


def luma(frame: av.VideoFrame) -> Luma:
    """The frame's lumas of 8 bits in full range (h, w), upright; of a frame without a luma plane red, green, blue."""
    name = frame.format.name
    if name.endswith("be") or not name.startswith(_PLANAR + _HIGH_BITS):
        if frame.format.is_rgb or name.startswith(("pal", "mono")):
            return _upright(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), frame)
        frame = frame.reformat(format="yuv444p")  # packed: the same lumas, apart from the colours
        name = "yuv444p"
    plane, bits = frame.planes[0], frame.format.components[0].bits
    if bits > _BYTE:
        shift = _BYTE if name.startswith(_HIGH_BITS) else bits - _BYTE
        wide = np.frombuffer(memoryview(plane), np.uint16).reshape(-1, plane.line_size // 2)
        shown = (wide[: frame.height, : frame.width] >> shift).astype(np.uint8)
    else:
        shown = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    if frame.color_range != _FULL_RANGE and not name.startswith("yuvj"):
        shown = _expanded(shown)
    return _upright(shown, frame)


def _expanded(shown: Luma) -> Luma:
    """From limited to full range: (y - 16) 255/219, rounded. Five times as fast as a table."""
    wide = np.clip(shown, 16, 235).astype(np.uint16)
    wide -= 16
    wide *= 85
    wide += 36
    return (wide // 73).astype(np.uint8)


def _upright(pixels: Luma, frame: av.VideoFrame) -> Luma:
    """Turned as the container says, if by quarters; a mirroring matrix counts as none."""
    beside: Any = frame.side_data  # whose types PyAV says wrongly
    matrix = next((bytes(data) for data in beside if data.type == Type.DISPLAYMATRIX), None)
    if matrix is None:
        return pixels
    a, b, _, c, d = struct.unpack_from("<5i", matrix)
    if a * d - b * c <= 0 or frame.rotation % 90:
        return pixels
    return np.ascontiguousarray(np.rot90(pixels, frame.rotation // 90 % 4))


def _views(pixels: Luma, rects: NDArray[np.float64]) -> bytes:
    """Of the whole frame, then of each rectangle: eight hashes and the quality."""
    height, width = pixels.shape[:2]
    plane = PlaneMemory(width, height) if len(rects) else None
    whole = from_rows(width, height, 1 if pixels.ndim == 2 else 3, [pixels], plane=plane)  # noqa: PLR2004
    made = [*whole.dihedral(), bytes([whole.quality])]
    if plane is not None:
        for hashes, quality in zip(*plane.views(rects), strict=True):
            made += [hashes.tobytes(), bytes([quality])]
    return b"".join(made)


def _plane(pixels: Luma) -> NDArray[np.uint8]:
    """About a thousand lumas on the longer side."""
    height, width = pixels.shape[:2]
    plane = PlaneMemory(width, height)
    from_rows(width, height, 1 if pixels.ndim == 2 else 3, [pixels], plane=plane)  # noqa: PLR2004
    return plane.cells


def _send(kind: bytes, body: bytes) -> None:
    sys.stdout.buffer.write(wire.HEADER.pack(kind, len(body)) + body)


def _survey(video: Video) -> None:
    """Planes of a few frames: of key frames from all over the video; if it has few, of its first seconds."""
    planes = [(time, _plane(luma(frame))) for time, frame in video.keys(SURVEYED)]
    if len(planes) < SURVEYED // 4:
        planes = [(time, _plane(luma(frame))) for time, frame in islice(video.frames(SECOND // 2), SURVEYED)]
    for time, cells in planes:
        _send(wire.PLANE, wire.TIME.pack(time) + wire.PLANE_SIZE.pack(*cells.shape) + cells.tobytes())


def _obey(video: Video, order: dict[str, object]) -> None:
    video.track = int(str(order["track"]))
    if order["do"] == "survey":
        _survey(video)
        return
    rects = np.array(order["rects"], np.float64).reshape(-1, 4)
    for count, (time, frame) in enumerate(video.frames(int(str(order["step"]))), start=1):
        _send(wire.FRAME, wire.TIME.pack(time) + _views(luma(frame), rects))
        sys.stdout.buffer.flush()
        if count == order["most"]:
            video.end = wire.LONG
            return


def main() -> None:
    """Obey until there are no more orders."""
    descriptor, cpu_seconds = int(sys.argv[1]), int(sys.argv[2])
    av.logging.set_level(av.logging.PANIC)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with os.fdopen(descriptor, "rb", 1 << 18) as file:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptor + 1, descriptor + 1))
        video = Video(file)
        try:
            _send(wire.INFO, video.info())
            sys.stdout.buffer.flush()
            for line in sys.stdin:
                _obey(video, json.loads(line))
                _send(wire.END, bytes([video.end]))
                sys.stdout.buffer.flush()
        except Failed as error:
            _send(wire.END, bytes([error.code]))
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
