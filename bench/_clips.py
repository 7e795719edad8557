"""Clips made by real encoders: benign photographs that pan and zoom, drawings that move, noise. Nobody is in them."""

from __future__ import annotations

import os
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np
from PIL import Image, ImageDraw
from skimage import data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]  # (h, w, 3)

os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 prints its settings otherwise
_PANNED = ("astronaut", "chelsea", "coffee", "rocket", "immunohistochemistry", "hubble_deep_field", "coins", "grass")


class Codec(NamedTuple):
    """How to encode."""

    name: str
    suffix: str
    options: dict[str, str]
    pixels: str = "yuv420p"


H264 = Codec("libx264", ".mp4", {"preset": "veryfast"})
H264_10 = Codec("libx264", ".mp4", {"preset": "veryfast"}, "yuv420p10le")
VP9 = Codec("libvpx-vp9", ".webm", {"deadline": "realtime", "cpu-used": "8", "crf": "32", "b": "0"})
AV1 = Codec("libsvtav1", ".mp4", {"preset": "12", "crf": "35", "svtav1-params": "lp=1"})
HEVC = Codec("libx265", ".mp4", {"preset": "ultrafast", "x265-params": "log-level=none:pools=1:frame-threads=1"})
MPEG4 = Codec("mpeg4", ".avi", {"qscale": "3"})
MJPEG = Codec("mjpeg", ".mov", {}, "yuvj420p")


def write(
    path: Path,
    pictures: Iterable[Picture],
    *,
    codec: Codec = H264,
    fps: float = 10,
    rotation: int = 0,
    times: Iterable[int] | None = None,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
) -> Path:
    """Encode pictures, shown ``fps`` a second or at ``times`` (milliseconds)."""
    base = Fraction(1, 1000)
    clock = iter(times) if times is not None else None
    with av.open(path, "w", options=container or {}) as file:
        stream: Any = None
        for count, picture in enumerate(pictures):
            if stream is None:
                stream = file.add_stream(codec.name, rate=Fraction(fps).limit_denominator(1001), options=None)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt, stream.options = codec.pixels, codec.options | (options or {})
                stream.codec_context.time_base = base
                stream.codec_context.thread_count = 1
                if rotation:
                    stream.set_display_rotation(rotation)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = next(clock) if clock else round(count * 1000 / fps)
            frame.time_base = base
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def write_tracks(path: Path, *tracks: Iterable[Picture]) -> Path:
    """Several video tracks in one file, each of ten frames a second; the last is the one players prefer."""
    with av.open(path, "w") as file:
        streams: list[Any] = []
        held = [list(pictures) for pictures in tracks]
        for pictures in held:
            stream: Any = file.add_stream(H264.name, rate=10, options=H264.options)
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt, stream.codec_context.thread_count = H264.pixels, 1
            stream.disposition = av.stream.Disposition.default if pictures is held[-1] else 0
            streams.append(stream)
        for stream, pictures in zip(streams, held, strict=True):
            for count, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts = count
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
    return path


@cache
def photo(name: str) -> Picture:
    """A bundled photograph of scikit-image, 8-bit RGB."""
    return np.asarray(Image.fromarray(getattr(data, name)()).convert("RGB"))


def panned(
    seed: int, frames: int, *, size: tuple[int, int] = (320, 180), fps: float = 10, pace: float = 0.05
) -> Iterator[Picture]:
    """A hand-held camera over a photograph, another every three seconds, and a disc that crosses it.

    The view moves by up to ``pace`` of its width a second and grows or shrinks by up to as much; the disc, a sixth of
    the height, by up to a quarter of the width. ``size`` is width, height.
    """
    draw = np.random.default_rng(seed)
    shot = max(1, round(3 * fps))
    view: Callable[[float], Picture] | None = None
    for count in range(frames):
        if count % shot == 0 or view is None:
            view = _shot(draw, size, pace)
        yield view((count % shot) / fps)


def _shot(draw: np.random.Generator, size: tuple[int, int], most: float) -> Callable[[float], Picture]:
    picture = Image.fromarray(photo(_PANNED[draw.integers(len(_PANNED))]))
    if draw.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side, growth = draw.uniform(0.4, 0.7), draw.uniform(-most, most)
    start, pace = draw.uniform(0.1, 0.9, 2), draw.uniform(-most, most, 2)
    disc, drift = draw.uniform(0.2, 0.8, 2), draw.uniform(-0.25, 0.25, 2)
    colour = tuple(int(part) for part in draw.integers(0, 255, 3))

    def at(seconds: float) -> Picture:
        wide = min(picture.width, picture.height * size[0] / size[1]) * side * (1 + growth * seconds)
        high = wide * size[1] / size[0]
        x = np.clip(start[0] * (picture.width - wide) + pace[0] * wide * seconds, 0, picture.width - wide)
        y = np.clip(start[1] * (picture.height - high) + pace[1] * high * seconds, 0, picture.height - high)
        shown = picture.resize(size, Image.Resampling.BILINEAR, box=(x, y, x + wide, y + high))
        centre = (disc + drift * seconds) * size
        radius = size[1] / 12
        ImageDraw.Draw(shown).ellipse([*(centre - radius), *(centre + radius)], fill=colour)
        return np.asarray(shown)

    return at


def drawn(seed: int, frames: int, *, size: tuple[int, int] = (320, 180)) -> Iterator[Picture]:
    """Discs and boxes that move over a gradient."""
    draw = np.random.default_rng(seed)
    shapes = [(draw.random(2), draw.uniform(-0.1, 0.1, 2), draw.uniform(0.05, 0.3), tuple(draw.integers(0, 255, 3)))
              for _ in range(draw.integers(4, 12))]  # fmt: skip
    slope = np.outer(np.linspace(0, draw.uniform(60, 250), size[1]), np.ones(size[0]))
    back = np.stack([slope * draw.random() for _ in range(3)], axis=-1).astype(np.uint8)
    for count in range(frames):
        canvas = Image.fromarray(back)
        pen = ImageDraw.Draw(canvas)
        for number, (at, pace, side, colour) in enumerate(shapes):
            x, y = (at + pace * count / 4) % 1.2 - 0.1
            box = [
                (x - side / 2) * size[0],
                (y - side / 2) * size[1],
                (x + side / 2) * size[0],
                (y + side / 2) * size[1],
            ]
            (pen.ellipse if number % 2 else pen.rectangle)(box, fill=tuple(int(c) for c in colour))
        yield np.asarray(canvas)


def noise(seed: int, frames: int, *, size: tuple[int, int] = (320, 180)) -> Iterator[Picture]:
    """Coarse random blobs that change."""
    draw = np.random.default_rng(seed)
    for _ in range(frames):
        coarse = draw.integers(0, 255, (9, 16, 3), np.uint8)
        yield np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def sound(path: Path) -> Path:
    """A file with sound and no video."""
    with av.open(path, "w") as file:
        stream = file.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def decoded(path: Path) -> list[Picture]:
    """Every frame of a clip, as RGB."""
    with av.open(path) as file:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in file.decode(video=0)]
