"""Which views of an upload are looked up, stage by stage."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seawall.hashing import MATCH_DISTANCE
from seawall.hashing.native import window_rectangles
from seawall.matching import regions
from seawall.matching.query_windows import QUERY_SIDES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from seawall.hashing.planes import Plane

    Rects = NDArray[np.float64]

ALL_TURNS = tuple(range(8))
MIRRORED = (0, 5)  # as it is, and left to right

# Small angles at which an upload is looked at, in degrees. A window tolerates half the step between them.
ANGLES = (3.0, -3.0, 6.0, -6.0, 9.0, -9.0, 12.0, -12.0)

OTHER_TURNS = (4, 2, 1, 3, 6, 7)

BY_REGISTERED = (101, 61)  # registered windows through which the best regions are looked at too
LARGE_CELLS = 8  # the halves and quarters are the first of the grid
IN_ALL_TURNS = 16  # so many of the regions; the others as they are and mirrored


class Effort(NamedTuple):
    """How hard to look. More views find more, and cost searches."""

    wide: int  # bits, for regions and the registered windows
    narrow: int  # bits, for all other views, of which there are many
    windows: tuple[int, ...]  # looked-up windows of each of the best regions
    cells: int  # of each half and quarter of the upload, in which a collage may have cropped pictures
    turned: int  # of each of the two best regions in the turns other than mirrored


class Look(NamedTuple):
    """Rectangles of one plane and the turns under which each is looked up."""

    frame: int
    rects: Rects
    turns: tuple[int, ...]
    pictures: bool = False  # each may be a whole picture: also looked up if its hash resembles many (witnesses.py)


class Stage(NamedTuple):
    """What is looked up in one search."""

    radius: int
    looks: tuple[Look, ...]
    whole: bool = False  # nothing but the upload as it is


def stages(plane: Plane, planes: list[Plane], effort: Effort) -> Iterator[Stage]:
    """The stages of one upload. The last one appends the turned planes to ``planes`` before it is handed out."""
    yield Stage(MATCH_DISTANCE, (Look(0, _WHOLE, ALL_TURNS, pictures=True),), whole=True)
    found = regions.find(plane.pixels)
    # The last luma of a row may be a part of one: fractions of the lumas are not quite fractions of the picture.
    scale = np.tile((plane.width * plane.pixel[0], plane.height * plane.pixel[1]), 2)
    rects, best, askew, collage = (np.minimum(some * scale, 1.0) for some in found)
    inner = [inside(region, registered()[1:many]) for region, many in zip(best, BY_REGISTERED, strict=False)]
    looks = (
        Look(0, rects[:IN_ALL_TURNS], ALL_TURNS, pictures=True),
        Look(0, rects[IN_ALL_TURNS:], MIRRORED, pictures=True),
        Look(0, np.vstack(inner), MIRRORED),
    )
    yield Stage(effort.wide, looks)
    inner = [inside(region, queries()[1:many]) for region, many in zip(best, effort.windows, strict=False)]
    yield Stage(effort.narrow, (Look(0, np.vstack(inner), MIRRORED),))
    small = halved(plane)
    turned = []
    for number, angle in enumerate(ANGLES, start=1):
        planes.append(small.rotated(angle))
        windows = [upright(small, region, angle) for region in askew]
        turned.append(Look(number, np.vstack(windows), MIRRORED))
    yield Stage(effort.narrow, tuple(turned))
    inner = [inside(region, queries()[1 : effort.turned]) for region in best[:2]]
    inner += [inside(region, registered()[1 : 1 + effort.turned // 2]) for region in best[:2]]
    cells = [inside(region, queries()[1 : effort.cells]) for region in collage[:LARGE_CELLS]]
    yield Stage(effort.narrow, (Look(0, np.vstack(inner), OTHER_TURNS), Look(0, np.vstack(cells), MIRRORED)))


def halved(plane: Plane) -> Plane:
    """A large plane at half its size: turning costs a fourth, and a large window's hash moves by 2 bits."""
    high, wide = plane.height // 2 * 2, plane.width // 2 * 2
    if min(high, wide) < LEAST_HALVED:
        return plane
    pixels = plane.pixels[:high, :wide].astype(np.uint16)
    rows = pixels[0::2] + pixels[1::2]
    return type(plane).of(((rows[:, 0::2] + rows[:, 1::2] + 2) >> 2).astype(np.uint8))


LEAST_HALVED = 512  # lumas: a half-sized window of half the plane has still twice the 64 samples of a hash


def degrees_of(frame: int) -> float:
    """By how much a plane of `stages` is turned, anticlockwise."""
    return ANGLES[frame - 1] if frame else 0.0


def inside(region: NDArray[np.float64], windows: Rects) -> Rects:
    """Windows (N, 4) of a region (4,), as fractions of the plane."""
    size = np.tile(region[2:] - region[:2], 2)
    return np.asarray(np.tile(region[:2], 2) + windows * size)


def upright(plane: Plane, region: NDArray[np.float64], degrees: float) -> Rects:
    """Windows of a region in a plane that is turned by an angle, where the picture may have been before it was turned.

    Three ways to turn a picture: corners cut off in the same frame; the frame widened to hold it; or the largest part
    without empty corners kept, of which a larger picture is what was turned.
    """
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    size = np.array([plane.width, plane.height])
    width, height = (region[2:] - region[:2]) * size
    from_middle = ((region[:2] + region[2:]) / 2 - 0.5) * size
    centre = 0.5 + np.array([[cosine, sine], [-sine, cosine]]) @ from_middle / size  # rows run downwards
    sine = abs(sine)
    square = cosine**2 - sine**2
    widened = ((width * cosine - height * sine) / square / width, (height * cosine - width * sine) / square / height)
    kept = max(cosine + height / width * sine, cosine + width / height * sine)
    made = [queries()[:ROTATED_QUERIES] / kept + (0.5 - 0.5 / kept)]
    for across, down in ((1.0, 1.0), widened, (kept, kept)):
        windows = (registered()[_ROTATED] - 0.5) * np.tile((across, down), 2) + 0.5
        made.append(windows[_within(windows, width, height, cosine, sine)][:ROTATED_WINDOWS])
    around = (np.vstack(made) - 0.5) * np.tile((width, height) / size, 2)
    return np.asarray(around + np.tile(centre, 2))


# Of each angle and region: looked-up windows of its upright middle, and registered ones for each way of turning.
ROTATED_QUERIES, ROTATED_WINDOWS = 4, 6
_ROTATED = [0, *range(10, 16), *range(16, 30), *range(1, 10)]  # the larger ones first


def _within(windows: Rects, width: float, height: float, cosine: float, sine: float) -> NDArray[np.bool_]:
    """Whether windows lie nearly inside a region that is turned by an angle of that cosine and sine."""
    half = np.maximum(np.abs(windows[:, :2] - 0.5), np.abs(windows[:, 2:] - 0.5)) * (width, height)
    x, y = half[:, 0] * cosine + half[:, 1] * sine, half[:, 1] * cosine + half[:, 0] * sine
    return np.asarray((x <= _NEARLY * width / 2) & (y <= _NEARLY * height / 2))


_NEARLY = 1.04


@cache
def queries() -> Rects:
    """The looked-up windows (N, 4), the whole first."""
    return np.array(QUERY_SIDES) / 65_536


@cache
def registered() -> Rects:
    """The windows of windows1 (126, 4): the whole, 100 indexed ones, 25 tiles."""
    return window_rectangles()


_WHOLE = np.array([[0.0, 0.0, 1.0, 1.0]])
