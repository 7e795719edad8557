"""Where a picture of the bank lies in an upload, worked out from one window of it and proved by others.

A seed says: this rectangle of the upload, turned so, resembles that window of the bank's picture. If it is true, all
other windows of the picture must be where the seed implies, and resemble theirs. By chance they do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seawall.matching.regions import overlap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seawall.hashing.planes import Plane

    Rects = NDArray[np.float64]  # (N, 4): x0, y0, x1, y1 as fractions

SLOTS, SLOT_BYTES = 126, 33

# A further window agrees if it differs by no more bits than this. docs/decisions/looks.md: closest wrong pairs.
AGREES = 56

# Windows that overlap more than this (intersection over union) say the same thing twice.
SAME_PLACE = 0.5

# So many must agree besides the seed, and one more where many could have: of a large part of the picture two alone are
# chance, of a small crop they are all there is (docs/decisions/looks.md).
ENOUGH = 2
FEW = 24

# Steps of the centre and of the sides, as fractions of the side, from coarse to fine.
_STEPS = ((0.025, 0.05), (0.0125, 0.025), (0.006, 0.0125), (0.003, 0.006))

# Eight moves of centre x, centre y, width, height.
_MOVES = np.vstack([np.eye(4), -np.eye(4)])


class Seed(NamedTuple):
    """One hit of the index."""

    id: int
    slot: int
    distance: int
    turn: int  # place in `VIEWS`: the rectangle turned so resembles the window
    frame: int  # which plane: 0 the upload, others turned by some degrees
    rect: tuple[float, float, float, float]  # of that plane


class Placement(NamedTuple):
    """A seed, moved to where it fits best, and the windows that agree with it."""

    seed: Seed
    box: tuple[float, float, float, float]  # where the whole picture lies in the plane
    asked: int  # how many windows could have agreed
    agreed: int
    distance: int  # of the seed's window, after moving

    @property
    def proved(self) -> bool:
        """Whether enough windows agree."""
        return self.agreed >= ENOUGH + (self.asked > FEW)


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


def refined(
    planes: Sequence[Plane], seeds: Sequence[Seed], wanted: NDArray[np.uint8]
) -> tuple[Rects, NDArray[np.int64]]:
    """Each seed's rectangle moved to where its hash comes closest to ``wanted`` (N, 32), and how close (N,)."""
    rects = np.array([seed.rect for seed in seeds])
    frames = np.array([seed.frame for seed in seeds])
    turns = np.array([seed.turn for seed in seeds])
    best = np.array([seed.distance for seed in seeds])
    for centre, side in _STEPS:
        step = np.array([centre, centre, side, side])
        tried = _moved(rects[:, None], _MOVES * step)  # (N, 8, 4)
        bits = _distances(planes, frames, turns, tried, wanted)
        up, down = bits[:, :4], bits[:, 4:]
        way = np.where(np.minimum(up, down) < best[:, None], np.where(up <= down, 1.0, -1.0), 0.0)
        both = _moved(rects, way * step)[:, None]  # all moves at once that helped alone
        bits = np.hstack([bits, _distances(planes, frames, turns, both, wanted)])
        tried = np.concatenate([tried, both], axis=1)
        least = bits.argmin(1)
        rows = np.arange(len(seeds))
        better = bits[rows, least] < best
        rects[better] = tried[rows, least][better]
        best = np.minimum(best, bits[rows, least])
    return rects, best


def _moved(rects: NDArray[np.float64], moves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rectangles (..., 4) whose centre and sides are moved by fractions of their sides."""
    size = rects[..., 2:] - rects[..., :2]
    centre = rects[..., :2] + size / 2 + moves[..., :2] * size
    size = size * (1 + moves[..., 2:])
    return np.concatenate([centre - size / 2, centre + size / 2], axis=-1)


def _distances(
    planes: Sequence[Plane],
    frames: NDArray[np.int64],
    turns: NDArray[np.int64],
    rects: NDArray[np.float64],
    wanted: NDArray[np.uint8],
) -> NDArray[np.int64]:
    """Bits (N, K) between ``wanted`` (N, 32) and the hashes of ``rects`` (N, K, 4), each in its frame and turn."""
    bits = np.empty(rects.shape[:2], np.int64)
    for frame in np.unique(frames).tolist():
        rows = np.flatnonzero(frames == frame)
        hashes, _ = planes[frame].hashes(rects[rows].reshape(-1, 4))
        mine = hashes.reshape(len(rows), rects.shape[1], 8, 32)[np.arange(len(rows)), :, turns[rows]]
        bits[rows] = np.bitwise_count(mine ^ wanted[rows, None]).sum(2)
    return bits


class Witnesses:
    """Asks the other windows of a picture whether it lies where a seed puts it."""

    def __init__(self, windows: Rects) -> None:
        self._windows = windows
        common = np.stack([overlap(window, windows) for window in windows])
        self._apart = common < SAME_PLACE
        # Of each window the others that say something of their own, those first that overlap it most: where they lie
        # is known best.
        self._neighbours = np.argsort(np.where(self._apart, -common, 1), axis=1, kind="stable")

    def place(self, planes: Sequence[Plane], seeds: Sequence[Seed], prints: Sequence[bytes]) -> list[Placement]:
        """Each seed refined, with the number of windows that agree. ``prints``: each seed's windows1."""
        if not seeds:
            return []
        slots = np.frombuffer(b"".join(prints), np.uint8).reshape(len(seeds), SLOTS, SLOT_BYTES)
        wanted = slots[np.arange(len(seeds)), [seed.slot for seed in seeds], :32]
        rects, best = refined(planes, seeds, wanted)
        return [
            self._asked(planes, seed, rect, slot, distance)
            for seed, rect, slot, distance in zip(seeds, rects, slots, best.tolist(), strict=True)
        ]

    def likeliest(self, planes: Sequence[Plane], seeds: Sequence[Seed], prints: Sequence[bytes]) -> list[int]:
        """The places of the seeds whose few nearest windows agree best where the seed lies, unmoved: those first."""
        slots = np.frombuffer(b"".join(prints), np.uint8).reshape(len(seeds), SLOTS, SLOT_BYTES)
        asked = [self._nearest(seed, one) for seed, one in zip(seeds, slots, strict=True)]
        bits = np.full((len(seeds), NEIGHBOURS), _BITS)
        for frame in {seed.frame for seed in seeds}:
            rows = [at for at, seed in enumerate(seeds) if seed.frame == frame]
            hashes, _ = planes[frame].hashes(np.vstack([asked[at][1] for at in rows]))
            begin = 0
            for at in rows:
                near, _ = asked[at]
                mine = hashes[begin : begin + near.size, seeds[at].turn]
                bits[at, : near.size] = np.bitwise_count(mine ^ slots[at, near, :32]).sum(1)
                begin += near.size
        return np.argsort(np.sort(bits, 1)[:, :ENOUGH].sum(1), kind="stable").tolist()  # type: ignore[no-any-return]

    def _nearest(self, seed: Seed, slots: NDArray[np.uint8]) -> tuple[NDArray[np.int64], Rects]:
        """A few windows near a seed's that lie in the upload, and where."""
        near = self._neighbours[seed.slot]
        near = near[(slots[near, 32] > 0) & self._apart[seed.slot, near]]
        here = implied(self._windows[near], self._windows[seed.slot], np.array([seed.rect]), seed.turn)[0]
        inside = np.flatnonzero(self._inside(here))[:NEIGHBOURS]
        return near[inside], here[inside]

    @staticmethod
    def _inside(here: Rects) -> NDArray[np.bool_]:
        """Whether rectangles lie in the upload, but for a hair."""
        margin = _BEYOND * (here[:, 2:] - here[:, :2])
        return np.asarray(((here[:, :2] >= -margin) & (here[:, 2:] <= 1 + margin)).all(1))

    def _asked(
        self, planes: Sequence[Plane], seed: Seed, rect: NDArray[np.float64], slots: NDArray[np.uint8], distance: int
    ) -> Placement:
        here = implied(self._windows, self._windows[seed.slot], rect[None], seed.turn)[0]
        asked = np.flatnonzero(self._inside(here) & (slots[:, 32] > 0) & self._apart[seed.slot])
        agreed = 0
        if asked.size:
            hashes, quality = planes[seed.frame].hashes(here[asked])
            bits = np.bitwise_count(hashes[:, seed.turn] ^ slots[asked, :32]).sum(1)
            close = np.flatnonzero((bits <= AGREES) & (quality >= _USABLE))
            agreed = self._count(asked[close[np.argsort(bits[close], kind="stable")]])
        return Placement(seed, tuple(here[0].tolist()), asked.size, agreed, distance)

    def _count(self, slots: NDArray[np.int64]) -> int:
        """How many of these lie apart from each other, taking the closest first."""
        kept: list[int] = []
        for slot in slots.tolist():
            if self._apart[slot, kept].all():
                kept.append(slot)
        return len(kept)


NEIGHBOURS = 8  # asked of each seed where there are too many seeds
_BITS = 256
_BEYOND = 0.01  # of a window's side may lie outside the upload
_USABLE = 30  # the quality of windows1 and of a witness
