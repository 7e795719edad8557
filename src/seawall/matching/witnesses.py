"""How much speaks for a picture lying somewhere in an upload: its windows, asked one by one.

Not every window tells pictures apart. A fingerprint is 16 x 16 signs. Of one edge, one round thing, one star on black
they are nearly the signs of a column times those of a row: 32 choices, where a photograph makes 256. All edges, round
things and stars resemble each other, so such windows count for nothing (docs/decisions/looks.md: measurements).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seawall.matching.regions import overlap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seawall.hashing.planes import Plane

    Rects = NDArray[np.float64]  # (N, 4): x0, y0, x1, y1 as fractions
    Box = tuple[float, float, float, float]

SLOTS, SLOT_BYTES = 126, 33

# A window agrees if it differs by no more bits than this. docs/decisions/looks.md: closest wrong pairs.
AGREES = 56

# Windows that overlap more than this (intersection over union) say the same thing twice.
SAME_PLACE = 0.5

# A window of so few columns of signs is worth nothing, one of so many all (1 to 16; 8.3 by chance).
WORTHLESS, WORTHY = 4.0, 6.0

# The evidence that proves (`Evidence.weight`). docs/decisions/looks.md: wrong placements and right ones.
ENOUGH = 92

_MOST = 60  # points of a window that does not differ at all; one that differs by as many bits has none
_DISAGREES = 0.3  # points
_USABLE = 30  # the quality of windows1 and of what is asked
_BEYOND = 0.01  # of a window's side may lie outside the upload

# The fit: from the windows that are apart and closest, so many; steps of centre and sides, of the picture's.
_FITTED, _NEAR = 8, 64
_STEPS = (0.012, 0.012, 0.006, 0.006, 0.003, 0.003)
_MOVES = np.vstack([np.eye(4), -np.eye(4)])


class Evidence(NamedTuple):
    """What the windows say."""

    asked: int  # how many lie in the upload and are worth something
    agreed: int  # how many agree, in places of their own
    weight: float  # points of these, by how close each is, less some for each that does not agree

    @property
    def proves(self) -> bool:
        """Whether that is enough."""
        return self.weight >= ENOUGH


def columns(hashes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Of hashes (..., 32) how many columns of signs each is made of, in effect: 1 (edges, spots) to 16.

    The participation ratio of the squared singular values s of the signs: (sum s)^2 / (sum s^2). The sum of their
    squares is that of the rows' products with each other, 16 less twice the signs in which two rows differ.
    """
    rows = np.ascontiguousarray(hashes).view(np.uint16)
    products = 16 - 2 * np.bitwise_count(rows[..., _ONE] ^ rows[..., _OTHER]).astype(np.int32)
    return np.asarray(256**2 / (16 * 16**2 + 2 * (products**2).sum(-1)))


_ONE, _OTHER = np.triu_indices(16, 1)


def worth(hashes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How well hashes (..., 32) tell pictures apart, 0 to 1."""
    return np.clip((columns(hashes) - WORTHLESS) / (WORTHY - WORTHLESS), 0, 1)


class Witnesses:
    """The windows of a picture, as witnesses of where it lies."""

    def __init__(self, windows: Rects) -> None:
        self._windows = windows
        self.overlaps = np.stack([overlap(window, windows) for window in windows])
        self.apart = self.overlaps < SAME_PLACE

    def ask(self, plane: Plane, turn: int, box: Box, slots: NDArray[np.uint8]) -> Evidence:
        """What the windows of a picture (126, 33) say if it fills ``box`` of a plane, turned back by ``turn``."""
        told = self._told(plane, turn, box, slots)
        agree = told.bits <= AGREES
        best = told.apart[agree[told.apart]]
        points = _MOST * (1 - told.bits[best] / _MOST) ** 2
        weight = told.worth[best] @ points - _DISAGREES * (told.worth @ ~agree)
        return Evidence(told.bits.size, best.size, float(weight))

    def fit(self, plane: Plane, turn: int, box: Box, slots: NDArray[np.uint8]) -> Box:
        """The box moved to where the closest windows of the picture are closest, all together.

        What is truly there comes much closer, what only resembles it does not.
        """
        told = self._told(plane, turn, box, slots)
        chosen = told.slots[told.apart[:_FITTED]]
        if chosen.size <= 1:
            return box

        def bits_at(boxes: Rects) -> NDArray[np.int64]:
            here = implied(self._windows[chosen], self._windows[0], boxes, turn)
            hashes = plane.hashes(here.reshape(-1, 4))[0][:, turn].reshape(len(boxes), chosen.size, 32)
            return np.asarray(np.bitwise_count(hashes ^ slots[chosen, :32]).sum((1, 2), dtype=np.int64))

        best = np.array(box)
        least = bits_at(best[None])[0]
        for step in _STEPS:
            tried = moved(best[None], _MOVES * step)
            found = bits_at(tried)
            up, down = found[:4], found[4:]
            way = np.where(np.minimum(up, down) < least, np.where(up <= down, 1.0, -1.0), 0.0)
            both = moved(best[None], (way * step)[None])  # all moves at once that helped alone
            tried, found = np.vstack([tried, both]), np.append(found, bits_at(both))
            if found.min() < least:
                best, least = tried[found.argmin()], found.min()
        x0, y0, x1, y1 = best.tolist()
        return x0, y0, x1, y1

    def _told(self, plane: Plane, turn: int, box: Box, slots: NDArray[np.uint8]) -> _Told:
        here = implied(self._windows, self._windows[0], np.array([box]), turn)[0]
        asked = np.flatnonzero(inside(here) & (slots[:, 32] > 0))
        hashes, quality = plane.hashes(here[asked])
        worths = np.minimum(worth(hashes[:, turn]), worth(slots[asked, :32]))
        some = np.flatnonzero((quality >= _USABLE) & (worths > 0))
        asked, hashes, worths = asked[some], hashes[some, turn], worths[some]
        bits = np.bitwise_count(hashes ^ slots[asked, :32]).sum(1, dtype=np.int64)
        apart: list[int] = []
        for at in np.argsort(np.minimum(bits - _NEAR, 0) * worths, kind="stable").tolist():
            if bits[at] <= _NEAR and self.apart[asked[at], asked[apart]].all():
                apart.append(at)
        return _Told(asked, bits, worths, np.array(apart, np.int64))


class _Told(NamedTuple):
    """Of the windows that are asked and worth something: which, how many bits they differ by, what they are worth."""

    slots: NDArray[np.int64]
    bits: NDArray[np.int64]
    worth: NDArray[np.float64]
    apart: NDArray[np.int64]  # places in the former of those near and in places of their own, the closest first


def inside(rects: Rects) -> NDArray[np.bool_]:
    """Whether rectangles lie in the upload, but for a hair."""
    margin = _BEYOND * (rects[:, 2:] - rects[:, :2])
    return np.asarray(((rects[:, :2] >= -margin) & (rects[:, 2:] <= 1 + margin)).all(1))


def implied(windows: Rects, window: NDArray[np.float64], rects: Rects, turn: int) -> Rects:
    """Where windows (N, 4) of a picture lie, (M, N, 4), if its ``window`` (4,), turned back, fills ``rects`` (M, 4)."""
    side = window[2:] - window[:2]
    low, high = (windows[:, :2] - window[:2]) / side, (windows[:, 2:] - window[:2]) / side
    low, high = turned_back(low, turn), turned_back(high, turn)
    low, high = np.minimum(low, high), np.maximum(low, high)
    origin, size = rects[:, None, :2], (rects[:, 2:] - rects[:, :2])[:, None]
    return np.concatenate([origin + low * size, origin + high * size], axis=2)


def turned_back(points: NDArray[np.float64], turn: int) -> NDArray[np.float64]:
    """Points (N, 2) of a turned unit square, in the square before it was turned."""
    u, v = points[:, 0], points[:, 1]
    before = (
        (u, v),
        (1 - v, u),
        (1 - u, 1 - v),
        (v, 1 - u),
        (u, 1 - v),
        (1 - u, v),
        (v, u),
        (1 - v, 1 - u),
    )[turn]
    return np.stack(before, 1)


def moved(rects: Rects, moves: NDArray[np.float64]) -> Rects:
    """Rectangles (..., 4) whose centre and sides are moved by fractions of their sides."""
    size = rects[..., 2:] - rects[..., :2]
    centre = rects[..., :2] + size / 2 + moves[..., :2] * size
    size = size * (1 + moves[..., 2:])
    return np.concatenate([centre - size / 2, centre + size / 2], axis=-1)
