"""A picture small enough that a thousand parts of it can be fingerprinted (docs/spec/windows.md)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from seawall.hashing.native import PlaneMemory
from seawall.hashing.perceptual import from_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Plane:
    """The lumas of a picture, about a million of them at most, of which any rectangle can be fingerprinted."""

    def __init__(self, memory: PlaneMemory) -> None:
        self._memory = memory

    @classmethod
    def of(cls, rgb: NDArray[np.uint8]) -> Plane:
        """The plane of pixels: (H, W, 3) red, green, blue, or (H, W) gray; uint8.

        :raises ValueError: another shape or type, no pixel, or more pixels than the kernel takes
        """
        gray = 2
        if rgb.dtype != np.uint8 or rgb.ndim not in (gray, 3) or rgb.shape[2:] not in ((), (3,)):
            raise ValueError(f"a plane is made of (H, W, 3) or (H, W) of uint8, not {rgb.shape} of {rgb.dtype}")
        height, width = rgb.shape[:2]
        memory = PlaneMemory(width, height)
        from_rows(width, height, 1 if rgb.ndim == gray else 3, [rgb], plane=memory)
        return cls(memory)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """(height, width) lumas, 0 to 255, read-only. Each is the mean of a square of the picture's pixels."""
        cells = self._memory.cells.view()
        cells.flags.writeable = False
        return cells

    @property
    def width(self) -> int:
        """Lumas in a row."""
        return self._memory.cells.shape[1]

    @property
    def height(self) -> int:
        """Rows of lumas."""
        return self._memory.cells.shape[0]

    @property
    def pixel(self) -> tuple[float, float]:
        """How wide and how high one luma is, as fractions of the picture: column k begins at k * pixel[0].

        Not quite 1 / width: where the picture's side is no multiple of the step, the last luma is a part of one.
        """
        memory = self._memory
        return memory.step / memory.picture_width, memory.step / memory.picture_height

    def hashes(self, rectangles: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Fingerprints of rectangles (N, 4): left, top, right, bottom as fractions of the picture, cut at its edges.

        Eight hashes of each (N, 8, 32), in the order of `Pdq.dihedral`, and the quality (N,), 0 to 100; zeros for a
        rectangle narrower or lower than five lumas. Other threads run meanwhile.

        :raises ValueError: another shape
        """
        rectangles = np.asarray(rectangles, np.float64)
        sides = 4
        if rectangles.ndim != 2 or rectangles.shape[1] != sides:  # noqa: PLR2004 - a table
            raise ValueError(f"rectangles are (N, 4), not {rectangles.shape}")
        return self._memory.views(rectangles)

    def rotated(self, degrees: float) -> Plane:
        """Turned anticlockwise about the middle, in the same frame: what leaves it is cut off.

        Outside the old picture the nearest luma of its edge is repeated.
        """
        radians = math.radians(degrees)
        return Plane(self._memory.turned(math.cos(radians), math.sin(radians)))

    def registered(self) -> bytes:
        """The picture's `windows1`: 126 slots of 33 bytes, a hash and its quality; a slot under quality 30 is zeros."""
        return self._memory.windows()
