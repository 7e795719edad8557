"""A HEIC photo's pixels, decoded by another process (`heic_decoder`), so that no file can crash or stall this one."""

from __future__ import annotations

import struct
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from seawall.hashing.environment import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Rows = NDArray[np.uint8]  # (n, width, 3 or 4)

_DECODER = Path(__file__).with_name("heic_decoder.py")
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BRANDS_END = 64  # the list of brands may be longer than anyone has use for
_OF_ANOTHER = (b"avif", b"avis")
_MOST_HEADER = 1000  # bytes
_MOST_PROFILE = 4 << 20  # bytes; printers' profiles have one


# The colours of Apple's screens. A HEIC names them by this number where it holds no profile.
P3_PRIMARIES = 12

# Pillow's. In the last, colours are multiplied by their alpha.
MODES = ("L", "RGB", "RGBA", "RGBa")


class NotDecoded(ValueError):
    """The decoder gave nothing, or less than it announced."""


class Header(msgspec.Struct, frozen=True):
    """What `heic_decoder` says of a picture before its pixels."""

    width: int
    height: int
    mode: str  # one of MODES
    profile: int  # bytes of the ICC profile that follow
    primaries: int  # of ITU-T H.273, 0 if the file does not say


def is_heic(content: bytes) -> bool:
    """Whether a file calls itself HEIC or HEIF; AVIF, which is built alike, is none."""
    if content[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(content[:4]), _BRANDS_END)
    brands = [content[8:12], *(content[at : at + 4] for at in range(16, end, 4))]
    if brands[0] in _OF_ANOTHER:
        return False
    if brands[0] in _BRANDS[:-2]:
        return True
    return brands[0] in _BRANDS and not any(brand in brands for brand in _OF_ANOTHER)


def _fixed(*numbers: float) -> bytes:
    """As a profile writes numbers: 16 bits before the point and 16 behind."""
    return b"".join(round(number * 65536).to_bytes(4, "big", signed=True) for number in numbers)


def _profile(*, red: Sequence[float], green: Sequence[float], blue: Sequence[float]) -> bytes:
    """An ICC profile, version 4, of those primaries (X, Y, Z under D50) and sRGB's curve."""
    words = "Display P3".encode("utf-16-be")
    text = b"mluc" + struct.pack(">4xII4sII", 1, 12, b"enUS", len(words), 28) + words
    white = (0.9642, 1.0, 0.8249)
    curve = b"para" + struct.pack(">4xH2x", 3) + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tags = {b"desc": text, b"cprt": text, b"wtpt": b"XYZ \0\0\0\0" + _fixed(*white)}
    tags |= {name: b"XYZ \0\0\0\0" + _fixed(*it) for name, it in ((b"rXYZ", red), (b"gXYZ", green), (b"bXYZ", blue))}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    at = 128 + 4 + 12 * len(tags)
    table, body = b"", b""
    for name, tag in tags.items():
        table += name + struct.pack(">II", at + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    head = struct.pack(">I4sI4s4s4s12x4s28x", at + len(body), b"", 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return (head + _fixed(*white)).ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


DISPLAY_P3 = _profile(
    red=(0.51512, 0.24120, -0.00105), green=(0.29198, 0.69225, 0.04189), blue=(0.15710, 0.06657, 0.78407)
)


class Decoding:
    """A file's primary picture. ``close`` ends the other process; so does the last row, or the end of this object.

    :raises NotDecoded: damaged, of a kind the decoder does not read, or more than it may cost
    """

    def __init__(self, content: bytes, most_pixels: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", str(_DECODER), str(most_pixels)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=without_secrets(),
        )
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        self._stdin, self._pipe = self._process.stdin, self._process.stdout
        self.close = weakref.finalize(self, _end, self._process)  # at the latest
        try:
            self.header, self.profile = self._ask(content)
        except BaseException:
            self.close()
            raise

    def _ask(self, content: bytes) -> tuple[Header, bytes]:
        with suppress(BrokenPipeError):
            self._stdin.write(content)
            self._stdin.close()
        try:
            header = msgspec.json.decode(self._pipe.readline(_MOST_HEADER), type=Header)
        except msgspec.DecodeError as error:
            raise NotDecoded from error
        if header.profile > _MOST_PROFILE or header.mode not in MODES:
            raise NotDecoded
        return header, self._pipe.read(header.profile)

    def rows(self, most: int) -> Iterator[Rows]:
        """The pixels once, top to bottom, ``most`` rows at a time.

        :raises NotDecoded: there are less than were announced
        """
        width, height, bands = self.header.width, self.header.height, len(self.header.mode)
        try:
            for top in range(0, height, most):
                rows = min(most, height - top)
                some = self._pipe.read(rows * width * bands)
                if len(some) < rows * width * bands:
                    raise NotDecoded
                yield np.frombuffer(some, np.uint8).reshape(rows, width, bands)
        finally:
            self.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    process.wait()
