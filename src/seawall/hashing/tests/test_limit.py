"""What a file can make its decoder use: real files just within their limit, measured in processes of their own."""

from __future__ import annotations

import io
import math
import struct
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from seawall.hashing import UnreadableImage, fingerprint, limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_MEGABYTES = 600
MEASURE = r"""
import re, sys, seawall.hashing as h
def peak():  # not ru_maxrss: a child begins with its parent's
    return int(re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())[1])
before = peak()
try:
    print(h.fingerprint(sys.argv[1]).width)
except h.UnreadableImage as refusal:
    print("refused")
print((peak() - before) >> 10)
"""


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def lossless_webp(image: Image.Image) -> bytes:
    return saved(image, "WEBP", lossless=True, method=0, quality=0)


def avif(image: Image.Image) -> bytes:
    return saved(image, "AVIF", speed=10, quality=20)


def progressive(image: Image.Image) -> bytes:
    return saved(image, "JPEG", progressive=True, subsampling=0)


def progressive_cmyk(image: Image.Image) -> bytes:
    return saved(image.convert("CMYK"), "JPEG", progressive=True, subsampling=0)


def one_strip_tiff(image: Image.Image) -> bytes:
    return saved(image.convert("RGBA"), "TIFF", compression="tiff_adobe_deflate", tiffinfo={278: image.height})


KINDS: dict[Callable[[Image.Image], bytes], int] = {
    lossless_webp: limits._MAX_WEBP,
    avif: limits._MAX_AVIF,
    progressive_cmyk: limits._MAX_SCANNED_JPEG,
    one_strip_tiff: limits._MAX_TIFF_BLOCK,
}


def of_about(pixels: int) -> Image.Image:
    """Two colours, so that it is made and coded quickly; no decoder needs less for it."""
    side = math.isqrt(pixels)
    image = Image.new("RGB", (side, side), (10, 20, 30))
    image.paste((200, 20, 30), (100, 100, side // 2, side // 2))
    return image


def measured(content: bytes, path: Path) -> tuple[str, int]:
    """What became of the file, and the megabytes it took."""
    path.write_bytes(content)
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", MEASURE, str(path)]
    ran = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    said, megabytes = ran.stdout.split()
    return said, int(megabytes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_file_at_its_limit_is_read_within_a_set_memory(kind: Callable[[Image.Image], bytes], tmp_path: Path) -> None:
    image = of_about(KINDS[kind])
    said, megabytes = measured(kind(image), tmp_path / "at")
    assert said == str(image.width)
    assert KINDS[kind] / 10**6 < megabytes < MOST_MEGABYTES  # below one byte a pixel nothing was measured


@pytest.mark.parametrize("kind", [lossless_webp, progressive_cmyk, one_strip_tiff], ids=lambda kind: kind.__name__)
def test_a_file_above_its_limit_is_refused_before_it_is_decoded(
    kind: Callable[[Image.Image], bytes], tmp_path: Path
) -> None:
    said, megabytes = measured(kind(of_about(KINDS[kind] + 10**6)), tmp_path / "above")
    assert said == "refused"
    assert megabytes < 50


def test_a_small_tiff_of_one_giant_tile_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """128 x 128 pixels, and a tile of 20,000 x 20,000: 1.2 GB to decode."""
    said, megabytes = measured(tiled(128, 20_000), tmp_path / "tile.tif")
    assert said == "refused"
    assert megabytes < 50
    said, _ = measured(tiled(128, 256), tmp_path / "small.tif")
    assert said == "128"


def tiled(side: int, tile: int) -> bytes:
    packed = zlib.compress(bytes(tile * tile * 3), 9)
    tags = {256: side, 257: side, 259: 8, 262: 2, 277: 3, 322: tile, 323: tile, 325: len(packed)}
    start = 8 + 2 + 12 * (len(tags) + 2) + 4
    entries = {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()}
    entries[258] = struct.pack("<HHII", 258, 3, 3, start)
    entries[324] = struct.pack("<HHII", 324, 4, 1, start + 6)
    listed = b"".join(entries[tag] for tag in sorted(entries))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    return head + listed + bytes(4) + struct.pack("<HHH", 8, 8, 8) + packed


def test_it_is_said_what_to_do_with_a_picture_too_large_for_its_kind() -> None:
    with pytest.raises(UnreadableImage, match=r"too large for files of its kind\. Save a smaller copy of it, as JPEG"):
        fingerprint(lossless_webp(of_about(limits._MAX_WEBP + 10**6)))


def test_a_jpeg_is_told_by_its_first_scan() -> None:
    image = of_about(10_000)
    assert limits.is_one_scan(saved(image, "JPEG"))
    assert limits.is_one_scan(saved(image.convert("L"), "JPEG"))
    assert limits.is_one_scan(saved(image.convert("CMYK"), "JPEG"))
    assert not limits.is_one_scan(progressive(image))
    assert not limits.is_one_scan(saved(image, "JPEG")[:100])


def test_a_marker_without_a_length_hides_nothing() -> None:
    """FF01 stands alone; read as if it had a length, it would swallow the heading of a progressive file."""
    content = progressive(of_about(10_000))
    at = content.index(b"\xff\xc2")
    hidden = content[:at] + b"\xff\x01" + content[at:]
    assert limits.scans(hidden) == limits.scans(content) > 1
    assert not limits.is_one_scan(hidden)
