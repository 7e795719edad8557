"""PDQ: a fingerprint of 256 bits that stays nearly the same when a picture is scaled or compressed again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from seawall.hashing.native import RowHasher

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from seawall.hashing.native import PlaneMemory

# PDQ's authors call 31 of 256 bits or fewer a match, and a quality under 50 too unreliable to compare
# ("The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm", Meta 2019; docs/spec/fingerprint.md).
MATCH_DISTANCE = 31
USABLE_QUALITY = 50

# A picture narrower or lower than this has no hash in any published PDQ.
MIN_SIDE = 5

_BYTES = 32
_NO_HASH = (bytes(_BYTES),) * 8


@dataclass(frozen=True, slots=True)
class Pdq:
    """A picture's fingerprint.

    ``bits``: 32 bytes, as the 64 published hex digits spell them. ``quality``: 0 (flat) to 100; under
    `USABLE_QUALITY` it is neither submitted nor matched.
    """

    bits: bytes
    quality: int
    _views: tuple[bytes, ...] = field(default=(), repr=False, compare=False)

    @property
    def hex(self) -> str:
        """64 lowercase hex digits, as published."""
        return self.bits.hex()

    def dihedral(self) -> tuple[bytes, ...]:
        """The fingerprints, 32 bytes each, that the eight turns and mirrorings of this picture would have, nearly.

        As it is; turned anticlockwise by 90, 180, 270 degrees; upside down; mirrored; transposed; anti-transposed.

        :raises ValueError: this one was not made from pixels here, so the others are not known
        """
        if not self._views:
            raise ValueError("only a fingerprint made from pixels knows its eight views")
        return self._views


def pdq(rgb: NDArray[np.uint8]) -> Pdq:
    """Fingerprint pixels: (H, W, 3) red, green, blue, or (H, W) gray; uint8. A side under 5 gives quality 0.

    :raises ValueError: another shape or type, or more pixels than the kernel takes (kernel/pdq.h)
    """
    gray = 2
    if rgb.dtype != np.uint8 or rgb.ndim not in (gray, 3) or rgb.shape[2:] not in ((), (3,)):
        raise ValueError(f"pdq takes (H, W, 3) or (H, W) of uint8, not {rgb.shape} of {rgb.dtype}")
    height, width = rgb.shape[:2]
    return from_rows(width, height, 1 if rgb.ndim == gray else 3, [rgb])


def from_rows(
    width: int, height: int, channels: int, strips: Iterable[NDArray[np.uint8]], *, plane: PlaneMemory | None = None
) -> Pdq:
    """Fingerprint a picture that comes in strips, (n, width, channels) each, top to bottom. ``plane`` is filled, too.

    :raises seawall.hashing.native.Refused: the kernel does not take such a size
    """
    if min(height, width) < MIN_SIDE:
        if plane:
            _fill_thin(plane, strips)
        return Pdq(_NO_HASH[0], 0, _NO_HASH)
    hasher = RowHasher(width, height, channels, plane=plane)
    for strip in strips:
        hasher.add(strip)
    views, quality = hasher.finish()
    return Pdq(views[0], quality, views)


def _fill_thin(plane: PlaneMemory, strips: Iterable[NDArray[np.uint8]]) -> None:
    """The plane of a picture that the kernel does not take: so few pixels that each is a cell."""
    rows = np.concatenate(list(strips)).astype(np.uint32)
    thousandths = 1000 * rows if rows.ndim == 2 else rows @ np.array([299, 587, 114], np.uint32)  # noqa: PLR2004
    plane.cells[:] = (thousandths + 500) // 1000


def distance(a: bytes, b: bytes) -> int:
    """In how many of 256 bits two fingerprints of 32 bytes differ.

    :raises ValueError: one of them is not 32 bytes
    """
    if len(a) != _BYTES or len(b) != _BYTES:
        raise ValueError("a fingerprint is 32 bytes")
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()
