"""Files that strangers send as videos, made by real encoders: what each is answered, here and at the gate."""

from __future__ import annotations

import io
import zipfile
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
from PIL import Image

from bench import _clips

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Strange(NamedTuple):
    """One of them. ``says``: words of the sentence it is refused with; or None, and ``frames`` is how many are kept,
    from and to."""

    make: Callable[[Path], Path]
    says: str | None = None
    frames: tuple[int, int] = (0, 0)
    problem: str | None = None  # words of the sentence that says it is not all of it


LOCK = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "11" * 16, "encryption_kid": "22" * 16}


def ten_seconds(path: Path, **how: object) -> Path:
    """An ordinary clip, a key frame a second."""
    return _clips.write(path, _clips.panned(1, 100), options={"g": "10"}, **how)  # type: ignore[arg-type] # of `write`


def _content(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _spoilt(path: Path, begin: int, size: int) -> Path:
    """So many bytes of it are noise."""
    content = bytearray(path.read_bytes())
    content[begin : begin + size] = np.random.default_rng(1).bytes(size)
    return _content(path, bytes(content))


def _spoilt_table(name: bytes, size: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = ten_seconds(folder / f"{name.decode()}.mp4")
        return _spoilt(path, path.read_bytes().index(name) + 4, size)

    return make


def _endless_table(folder: Path) -> Path:
    """An index that claims four thousand million frames."""
    path = ten_seconds(folder / "endless.mp4")
    content = path.read_bytes()
    count = content.index(b"stsz") + 12
    return _content(path, content[:count] + b"\xff" * 4 + content[count + 4 :])


def _sound(folder: Path, *, cover: bool = False) -> Path:
    path = folder / f"sound{cover}.m4a"
    with av.open(path, "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=8000, layout="mono")
        if cover:
            picture = file.add_stream("mjpeg", rate=1)
            picture.width, picture.height, picture.pix_fmt = 320, 180, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if cover:
            shown = av.VideoFrame.from_ndarray(next(_clips.panned(1, 1)), format="rgb24")
            shown.pts = 0
            file.mux(picture.encode(shown))
            file.mux(picture.encode())
    return path


def _locked_webm(folder: Path) -> Path:
    """Its track says that it is encrypted, in the room where its name was."""
    path = folder / "locked.webm"
    with av.open(path, "w") as file:
        stream = file.add_stream("libvpx-vp9", rate=10, options=_clips.VP9.options)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.metadata["title"] = "n" * 60
        for count, picture in enumerate(_clips.panned(1, 20)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = count
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    name = b"\x53\x6e\xbc" + b"n" * 60
    key = b"\x47\xe2\x90" + bytes(16)
    encryption = b"\x50\x35" + bytes([0x80 + 4 + len(key)]) + b"\x47\xe1\x81\x05" + key
    encoding = b"\x50\x33\x81\x01" + encryption
    encodings = b"\x62\x40" + bytes([0x80 + len(encoding)]) + encoding
    element = b"\x6d\x80" + bytes([0x80 + len(encodings)]) + encodings
    void = b"\xec" + bytes([0x80 + len(name) - len(element) - 2])
    content = path.read_bytes()
    assert content.count(name) == 1
    return _content(path, content.replace(name, (element + void).ljust(len(name), b"\0")))


def _zip(folder: Path) -> Path:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.write(ten_seconds(folder / "inside.mp4"), "clip.mp4")
    return _content(folder / "zip.mp4", held.getvalue())


def _hours(suffix: str) -> Callable[[Path], Path]:
    """Eight, a frame a minute."""
    times = [60_000 * minute for minute in range(8 * 60)]

    def make(folder: Path) -> Path:
        return _clips.write(folder / f"hours{suffix}", _clips.panned(5, len(times), size=(64, 36)), times=times)

    return make


def _large(width: int, height: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        small = Image.fromarray(next(_clips.panned(1, 1, size=(480, 270))))
        shown = np.asarray(small.resize((width, height), Image.Resampling.NEAREST))
        codec = _clips.H264._replace(options={"preset": "ultrafast", "crf": "35"})
        return _clips.write(folder / f"{width}.mp4", [shown, np.ascontiguousarray(shown[::-1])], codec=codec, fps=1)

    return make


def _other_size_midway(folder: Path) -> Path:
    small = _clips.write(folder / "small.ts", _clips.panned(1, 50))
    large = _clips.write(folder / "larger.ts", _clips.panned(2, 50, size=(640, 360)), times=range(5000, 10_000, 100))
    return _content(folder / "both.ts", small.read_bytes() + large.read_bytes())


def _cut(name: str, part: float, **how: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = ten_seconds(folder / name, **how)
        content = path.read_bytes()
        return _content(path, content[: round(len(content) * part)])

    return make


def _noise_midway(name: str, codec: _clips.Codec) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = ten_seconds(folder / name, codec=codec)
        size = path.stat().st_size
        return _spoilt(path, size // 3, size // 4)

    return make


def _renamed(folder: Path) -> Path:
    return ten_seconds(folder / "holiday.mp4").rename(folder / "holiday.jpg")


def _raw(pixels: str) -> Callable[[Path], Path]:
    return lambda folder: ten_seconds(folder / f"{pixels}.mkv", codec=_clips.Codec("rawvideo", ".mkv", {}, pixels))


def _ten_bits(codec: _clips.Codec) -> Callable[[Path], Path]:
    high = codec._replace(pixels="yuv420p10le")
    return lambda folder: ten_seconds(folder / f"ten {codec.name}.mp4", codec=high)


STRANGE = {
    "sound alone": Strange(_sound, "no video"),
    "sound with a cover picture": Strange(lambda folder: _sound(folder, cover=True), "no video"),
    "encrypted MP4": Strange(lambda folder: ten_seconds(folder / "locked.mp4", container=LOCK), "locked"),
    "encrypted WebM": Strange(_locked_webm, "locked"),
    "nothing": Strange(lambda folder: _content(folder / "empty.mp4", b""), "empty"),
    "a heading and no more": Strange(
        lambda folder: _content(folder / "heading.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"),
        "of a kind we do not read",
    ),
    "a zip named .mp4": Strange(_zip, "picture"),
    "sizes that are noise": Strange(_spoilt_table(b"stsz", 300), "Nothing in this video"),
    "places that are noise": Strange(_spoilt_table(b"stco", 200), "Nothing in this video"),
    "times that are noise": Strange(_spoilt_table(b"stts", 12), "of a kind we do not read"),
    "an index that claims to be endless": Strange(_endless_table, "of a kind we do not read"),
    "an index at the end, and that cut off": Strange(_cut("end.mp4", 0.9), "of a kind we do not read"),
    "an index at the front, and the end cut off": Strange(
        _cut("front.mp4", 0.75, container={"movflags": "faststart"}), frames=(5, 9), problem="damaged"
    ),
    "cut off early": Strange(_cut("early.mp4", 0.3, container={"movflags": "faststart"}), "damaged"),
    "H.264 with noise in its middle": Strange(_noise_midway("hurt.mkv", _clips.H264), frames=(5, 10)),
    "MPEG-4 with noise in its middle": Strange(
        _noise_midway("hurt.avi", _clips.MPEG4), frames=(5, 10), problem="damaged"
    ),
    "VP9 with noise in its middle": Strange(_noise_midway("hurt.webm", _clips.VP9), frames=(5, 10)),
    "eight hours of Matroska": Strange(_hours(".mkv"), frames=(50, 268), problem="long"),
    "eight hours of MP4": Strange(_hours(".mp4"), frames=(50, 268), problem="long"),
    "8K": Strange(_large(7680, 4320), frames=(2, 2)),
    "larger than 8K": Strange(_large(8192, 5120), "too large"),
    "very small": Strange(
        lambda folder: _clips.write(folder / "tiny.mp4", _clips.panned(1, 40, size=(16, 16))), frames=(2, 4)
    ),
    "another size midway": Strange(_other_size_midway, frames=(10, 10)),
    "a wrong name": Strange(_renamed, frames=(10, 10)),
    "10 bits of H.264": Strange(_ten_bits(_clips.H264), frames=(10, 10)),
    "10 bits of HEVC": Strange(_ten_bits(_clips.HEVC), frames=(10, 10)),
    "NV12": Strange(_raw("nv12"), frames=(10, 10)),
    "packed 4:2:2": Strange(_raw("yuyv422"), frames=(10, 10)),
    "turned by its file": Strange(lambda folder: ten_seconds(folder / "turned.mp4", rotation=90), frames=(10, 10)),
    "a variable rate": Strange(
        lambda folder: ten_seconds(folder / "variable.mkv", times=accumulate(37 * n % 300 + 20 for n in range(100))),
        frames=(10, 17),
    ),
    "no duration": Strange(
        lambda folder: ten_seconds(folder / "live.webm", codec=_clips.VP9, container={"live": "1"}), frames=(10, 10)
    ),
}
