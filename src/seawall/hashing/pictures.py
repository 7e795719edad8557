"""A picture file as canonical pixels: what every implementation hashes (docs/spec/fingerprint.md, section 1).

Turned as EXIF says, transparent parts on white, an embedded colour profile converted to sRGB, 8 bits a channel.
After decoding, pixels pass in strips, so a picture costs what its decoder takes (`limits`) and little more.
"""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import simplejpeg
from PIL import Image, ImageCms

from seawall.hashing import heic
from seawall.hashing.limits import MAX_HEIC, MAX_JPEG_SCANS, MAX_PIXELS, most_pixels, scans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Box = tuple[int, int, int, int]  # left, top, right, bottom
    Strip = NDArray[np.uint8]  # (n, width, 3): red, green, blue
    _Boxes = Callable[[Box], Strip]  # any part of the stored picture, as canonical pixels
    _Convert = Callable[[Image.Image], Image.Image]

MAX_SIDE = 65_535  # kernel/pdq.h
MAX_FILE_BYTES = 256 * 1024 * 1024

# The files people share, HEIC aside. Others (EPS starts a program, say) are not worth what their decoders risk.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")

STRIP_ROWS = 256

_HEAD = 64 * 1024
_NAMED_P3 = b"colrnclx" + heic.P3_PRIMARIES.to_bytes(2)
_ORIENTATION = 0x0112
_SRGB = ImageCms.createProfile("sRGB")
# A profile's colour space -> the mode its pixels are handed over in, and the modes of pictures it can belong to.
_GRAYS = {"1", "L", "LA", "I", "I;16"}
_PROFILES = {
    "RGB ": ("RGB", {"RGB", "RGBA", "P", "PA"} | _GRAYS),
    "GRAY": ("L", _GRAYS),
    "CMYK": ("CMYK", {"CMYK"}),
}

# Pillow's own guard against bombs, at our limit: it warns above and refuses above twice that. We refuse at once.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
# It also warns of damaged metadata, which changes no pixel and on which nobody here can act.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")


class UnreadableImage(ValueError):
    """We cannot make a fingerprint of this. The message is a sentence for the person, with what to do next."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture, upright. ``strips`` gives its canonical pixels once, top to bottom."""

    width: int
    height: int
    strips: Iterator[Strip]


def read_picture(content: bytes) -> Picture:
    """Decode a picture file's first frame.

    :raises UnreadableImage: not a picture, damaged, of a kind we do not read, or too large
    """
    if not content:
        raise UnreadableImage("This file is empty. Choose another one, or save it again.")
    if heic.is_heic(content):
        return _read_heic(content)
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(MAX_PIXELS) from error
    except Exception as error:  # decoders do not say what they raise for a damaged file
        sentence = "This is not a picture or video we can read. Try a screenshot of it, saved as PNG."
        raise UnreadableImage(sentence) from error
    with _as_damaged():
        _refuse_large(*image.size, most_pixels(image, content))
        return _read(image, content)


def _read(image: Image.Image, content: bytes) -> Picture:
    orientation = _orientation(image)
    is_jpeg = image.format in {"JPEG", "MPO"}
    if is_jpeg and scans(content) > MAX_JPEG_SCANS:
        raise UnreadableImage("This picture is built in an unusual way. Save it again, or try a screenshot of it.")
    pixels = _jpeg_pixels(content, image) if is_jpeg and image.mode in {"RGB", "L"} else None
    if pixels is not None:
        width, height = image.size
        box = _boxes_of_pixels(pixels, _to_srgb(_profile(image, content), image.mode))
    else:
        image.load()
        if image.format == "TIFF":
            orientation = 1  # Pillow has turned it already
        width, height = image.size
        box = _boxes_of_image(image, _to_srgb(_profile(image, content), image.mode))
    if orientation in _ON_THEIR_SIDE:
        width, height = height, width
    return Picture(width, height, _upright(width, height, orientation, box))


def _profile(image: Image.Image, content: bytes) -> bytes | None:
    """The ICC profile. An AVIF may only name its colours, in a box near its beginning, which Pillow passes over."""
    profile: bytes | None = image.info.get("icc_profile")
    names_p3 = image.format == "AVIF" and _NAMED_P3 in content[:_HEAD]
    return heic.DISPLAY_P3 if profile is None and names_p3 else profile


def _read_heic(content: bytes) -> Picture:
    try:
        decoding = heic.Decoding(content, MAX_HEIC)
    except heic.NotDecoded as error:
        raise _undecoded() from error
    said = decoding.header
    try:
        _refuse_large(said.width, said.height, MAX_HEIC)
    except UnreadableImage:
        decoding.close()
        raise
    return Picture(said.width, said.height, _canonical_rows(decoding))


def _canonical_rows(decoding: heic.Decoding) -> Iterator[Strip]:
    mode = decoding.header.mode
    profile = decoding.profile or (heic.DISPLAY_P3 if decoding.header.primaries == heic.P3_PRIMARIES else b"")
    to_srgb = _to_srgb(profile, "RGB")
    try:
        for rows in decoding.rows(STRIP_ROWS):
            piece = np.broadcast_to(rows, (*rows.shape[:2], 3)) if mode == "L" else rows
            if mode == "RGBA":
                piece = np.asarray(_on_white(Image.fromarray(piece)))
            elif mode == "RGBa":
                piece = np.minimum(piece[:, :, :3].astype(np.uint16) + (255 - piece[:, :, 3:]), 255).astype(np.uint8)
            yield piece if to_srgb is None else np.asarray(to_srgb(Image.fromarray(np.ascontiguousarray(piece))))
    except heic.NotDecoded as error:
        raise _undecoded() from error


def _undecoded() -> UnreadableImage:
    return UnreadableImage(
        "This HEIC photo is damaged, too large, or of a kind we do not read. Save it as a JPEG, or take a screenshot."
    )


def _refuse_large(width: int, height: int, most: int) -> None:
    if width * height > most:
        raise _too_large(most)
    if max(width, height) > MAX_SIDE:
        raise UnreadableImage(f"This picture is longer than {MAX_SIDE:,} pixels. Cut it into shorter pieces.")


def _too_large(most: int) -> UnreadableImage:
    if most < MAX_PIXELS:
        return UnreadableImage("This picture is too large for files of its kind. Save a smaller copy of it, as JPEG.")
    return UnreadableImage(f"This picture is larger than {most // 10**6} megapixels. Save a smaller copy of it.")


@contextmanager
def _as_damaged() -> Iterator[None]:
    """Whatever a decoder raises for a hostile file, the person reads a sentence."""
    try:
        yield
    except (UnreadableImage, MemoryError):
        raise
    except Exception as error:
        raise UnreadableImage("This picture is damaged or not whole. Try a screenshot of it.") from error


def _orientation(image: Image.Image) -> int:
    """1 to 8, from EXIF alone, as browsers do; damaged EXIF counts as none."""
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif") or b"")
        said = exif.get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - what EXIF holds is anyone's guess
        return 1
    return said if isinstance(said, int) and said in _TURNS else 1


def _jpeg_pixels(content: bytes, image: Image.Image) -> Strip | None:
    """libjpeg-turbo's pixels without Pillow's detour: the same bits (a test compares) in half the time.

    None if it finds fault with the file: Pillow is the judge of whether that matters.
    """
    colorspace = "GRAY" if image.mode == "L" else "RGB"
    room = np.empty(image.height * image.width * len(image.getbands()), np.uint8)
    try:
        pixels: Strip = simplejpeg.decode_jpeg(content, colorspace=colorspace, buffer=room)
    except ValueError:
        return None
    return np.broadcast_to(pixels, (image.height, image.width, 3))


def _boxes_of_pixels(pixels: Strip, to_srgb: _Convert | None) -> _Boxes:
    def box(at: Box) -> Strip:
        left, top, right, bottom = at
        piece: Strip = pixels[top:bottom, left:right]
        return piece if to_srgb is None else np.asarray(to_srgb(Image.fromarray(piece)))

    return box


def _boxes_of_image(image: Image.Image, to_srgb: _Convert | None) -> _Boxes:
    if image.mode == "F":
        raise UnreadableImage("This picture has no fixed brightness. Save it as PNG or JPEG.")

    def box(at: Box) -> Strip:
        piece = image.crop(at)
        if piece.mode == "I" or piece.mode.startswith("I;16"):
            piece = _eight_bits(piece)
        if piece.has_transparency_data:
            piece = _on_white(piece)
        return np.asarray(to_srgb(piece) if to_srgb else piece.convert("RGB"))

    return box


def _eight_bits(piece: Image.Image) -> Image.Image:
    """The high byte of 16-bit gray, as decoders take it of 16-bit colour; the transparent value becomes white."""
    values = np.asarray(piece).astype(np.int64)
    gray = np.clip(values >> 8, 0, 255).astype(np.uint8)
    key = piece.info.get("transparency")
    if isinstance(key, int):
        gray[values == key] = 255
    return Image.fromarray(gray)


def _on_white(piece: Image.Image) -> Image.Image:
    piece = piece.convert("RGBA")
    white = Image.new("RGB", piece.size, "white")
    white.paste(piece, mask=piece.getchannel("A"))
    return white


def _to_srgb(icc_profile: bytes | None, mode: str) -> _Convert | None:
    """What converts pieces of a picture of that mode to sRGB; None without a profile that fits and can be used."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile or b""))
        takes, fits = _PROFILES[profile.profile.xcolor_space]
        transform = ImageCms.buildTransform(profile, _SRGB, takes, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
    except (ImageCms.PyCMSError, OSError, KeyError):
        return None  # browsers ignore a damaged profile too
    if mode not in fits:
        return None

    def convert(piece: Image.Image) -> Image.Image:
        converted = ImageCms.applyTransform(piece.convert(takes), transform)
        assert converted is not None  # noqa: S101 - only None when asked to work in place
        return converted

    return convert


# EXIF orientation -> how a piece is turned. 5 to 8 swap width and height.
_TURNS: dict[int, Callable[[Strip], Strip]] = {
    1: lambda piece: piece,
    2: lambda piece: piece[:, ::-1],
    3: lambda piece: piece[::-1, ::-1],
    4: lambda piece: piece[::-1],
    5: lambda piece: piece.swapaxes(0, 1),
    6: lambda piece: piece[::-1].swapaxes(0, 1),
    7: lambda piece: piece[::-1, ::-1].swapaxes(0, 1),
    8: lambda piece: piece[:, ::-1].swapaxes(0, 1),
}


_ON_THEIR_SIDE = {5, 6, 7, 8}
_FROM_THE_END = {3, 4, 7, 8}


def _upright(width: int, height: int, orientation: int, box: _Boxes) -> Iterator[Strip]:
    """Strips of the upright picture, `width` x `height`, each cut from where it lies in the stored one."""
    turn = _TURNS[orientation]
    for top in range(0, height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, height)
        near, far = (height - bottom, height - top) if orientation in _FROM_THE_END else (top, bottom)
        at = (near, 0, far, width) if orientation in _ON_THEIR_SIDE else (0, near, width, far)
        with _as_damaged():
            piece = turn(box(at))
        yield piece
