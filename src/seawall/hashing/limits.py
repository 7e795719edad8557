"""How large a picture may be, so that no file makes its decoder use more than about 600 MB.

A plain JPEG, PNG, GIF or BMP costs 1.5 to 4.5 bytes a pixel. Others cost more, because their decoders hold the picture
several times, and so have lower limits. Costs are peaks of resident memory, measured with the wheels of Pillow 12 and
simplejpeg 1.9; tests/test_limit.py measures them again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

# Phone sensors reach 108 megapixels interpolated less often than they claim; at 4.5 bytes a pixel this is 540 MB.
MAX_PIXELS = 120_000_000

# A WebP costs 16 bytes a pixel: Pillow decodes every one as a film (two canvases, a frame and a copy).
# An AVIF costs 9. A JPEG that does not come in one scan costs 9, of CMYK 12: its coefficients are held as well.
# A TIFF decodes strip by strip or tile by tile, of up to 12 bytes a pixel, and one strip may be all of it.
# A HEIC costs 5, of 10 bits and with full colour 14: then its decoder is refused the memory (`heic_decoder`).
MAX_HEIC = 100_000_000
_MAX_WEBP = 30_000_000
_MAX_AVIF = 50_000_000
_MAX_SCANNED_JPEG = 40_000_000
_MAX_TIFF_BLOCK = 30_000_000

# A progressive JPEG of ordinary making has about ten scans. A small file with thousands would decode for minutes.
MAX_JPEG_SCANS = 100
# A marker of a JPEG that has a length, or the end; FF01 has none, FF00 and FFD0 to FFD7 stand inside a scan.
_JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")

_TILE_SIDES, _STRIP_ROWS = (322, 323), 278


def most_pixels(image: Image.Image, content: bytes) -> int:
    """The limit for a picture that is open and not yet decoded."""
    match image.format:
        case "WEBP":
            return _MAX_WEBP
        case "AVIF":
            return _MAX_AVIF
        case "JPEG" | "MPO" if not is_one_scan(content):
            return _MAX_SCANNED_JPEG
        case "TIFF" if _block(image) > _MAX_TIFF_BLOCK:
            return 0
        case _:
            return MAX_PIXELS


def scans(jpeg: bytes) -> int:
    """How many scans the first picture of a JPEG file has; what follows its end (a film, say) is not looked at."""
    found, at = 0, 2
    while (marker := _JPEG_MARKER.search(jpeg, at)) and marker[0] != b"\xff\xd9":
        found += marker[0] == b"\xff\xda"
        at = marker.end() + int.from_bytes(jpeg[marker.end() : marker.end() + 2])
    return found


def is_one_scan(jpeg: bytes) -> bool:
    """Whether its rows can be decoded as they come: sequential, and the first scan has all the channels."""
    at, channels = 2, b""
    while (marker := _JPEG_MARKER.search(jpeg, at)) and marker[0] != b"\xff\xd9":
        at = marker.end()
        if marker[0] == b"\xff\xda":
            return jpeg[at + 2 : at + 3] == channels
        if marker[0] in {b"\xff\xc0", b"\xff\xc1"}:
            channels = jpeg[at + 7 : at + 8]
        at += int.from_bytes(jpeg[at : at + 2])
    return False


def _block(tiff: Image.Image) -> int:
    """Pixels of the largest piece that is decoded at once. A tile may be larger than the picture."""
    tags = tiff.tag_v2  # type: ignore[attr-defined] # of TIFF only
    across, down = (_number(tags.get(tag), 0) for tag in _TILE_SIDES)
    rows = min(_number(tags.get(_STRIP_ROWS), tiff.height), tiff.height)
    return max(across * down, rows * tiff.width if not across else 0)


def _number(said: object, absent: int) -> int:
    """A tag's whole number. What is none of these is too much: the decoder may read it in its own way."""
    if said is None:
        return absent
    return said if isinstance(said, int) and said >= 0 else 1 << 32
