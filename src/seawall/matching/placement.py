"""Where a picture of the bank lies in an upload, worked out from one window of it and proved by others.

A seed says: this rectangle of the upload, turned so, resembles that window of the bank's picture. If it is true, all
other windows of the picture must be where the seed implies, and resemble theirs. By chance they do not (witnesses.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seawall.matching.witnesses import SLOT_BYTES, SLOTS, Evidence, Witnesses, implied, inside, moved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seawall.hashing.planes import Plane
    from seawall.matching.witnesses import Box, Rects

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
    rect: Box  # of that plane


class Placement(NamedTuple):
    """A seed, moved to where it fits best."""

    seed: Seed
    box: Box  # where the whole picture lies in the plane
    evidence: Evidence
    distance: int  # of the seed's window, after moving


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
        tried = moved(rects[:, None], _MOVES * step)  # (N, 8, 4)
        bits = _distances(planes, frames, turns, tried, wanted)
        up, down = bits[:, :4], bits[:, 4:]
        way = np.where(np.minimum(up, down) < best[:, None], np.where(up <= down, 1.0, -1.0), 0.0)
        both = moved(rects, way * step)[:, None]  # all moves at once that helped alone
        bits = np.hstack([bits, _distances(planes, frames, turns, both, wanted)])
        tried = np.concatenate([tried, both], axis=1)
        least = bits.argmin(1)
        rows = np.arange(len(seeds))
        better = bits[rows, least] < best
        rects[better] = tried[rows, least][better]
        best = np.minimum(best, bits[rows, least])
    return rects, best


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


class Placer:
    """Moves seeds to where they fit, and asks the other windows of their pictures."""

    def __init__(self, windows: Rects) -> None:
        self._windows = windows
        self._witnesses = Witnesses(windows)
        # Of each window the others that say something of their own, those first that overlap it most: where they lie
        # is known best.
        order = np.where(self._witnesses.apart, -self._witnesses.overlaps, 1)
        self._neighbours = np.argsort(order, axis=1, kind="stable")

    def place(self, planes: Sequence[Plane], seeds: Sequence[Seed], prints: Sequence[bytes]) -> list[Placement]:
        """Each seed refined and asked about; those proved once of each id. ``prints``: each seed's windows1."""
        if not seeds:
            return []
        slots = np.frombuffer(b"".join(prints), np.uint8).reshape(len(seeds), SLOTS, SLOT_BYTES)
        wanted = slots[np.arange(len(seeds)), [seed.slot for seed in seeds], :32]
        rects, best = refined(planes, seeds, wanted)
        placed = []
        for seed, rect, distance, one in zip(seeds, rects, best.tolist(), slots, strict=True):
            box = tuple(implied(self._windows[:1], self._windows[seed.slot], rect[None], seed.turn)[0, 0].tolist())
            evidence = self._witnesses.ask(planes[seed.frame], seed.turn, box, one)
            placed.append((Placement(seed, box, evidence, distance), one))
        return self._proved(planes, placed)

    def _proved(self, planes: Sequence[Plane], placed: list[tuple[Placement, NDArray[np.uint8]]]) -> list[Placement]:
        """The likeliest placements fitted by all their windows at once, until their picture is proved."""
        placed.sort(key=lambda one: -one[0].evidence.weight)
        proved: dict[int, Placement] = {}
        fits = 0
        for unmoved, slots in placed:
            placement, seed = unmoved, unmoved.seed
            if seed.id in proved:
                continue
            if not placement.evidence.proves and placement.evidence.agreed > 1 and fits < MOST_FITS:
                fits += 1
                box = self._witnesses.fit(planes[seed.frame], seed.turn, placement.box, slots)
                evidence = self._witnesses.ask(planes[seed.frame], seed.turn, box, slots)
                placement = placement._replace(box=box, evidence=evidence)
            if placement.evidence.proves:
                proved[seed.id] = placement
        return list(proved.values())

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
        return np.argsort(np.sort(bits, 1)[:, :NEAREST].sum(1), kind="stable").tolist()  # type: ignore[no-any-return]

    def _nearest(self, seed: Seed, slots: NDArray[np.uint8]) -> tuple[NDArray[np.int64], Rects]:
        """A few windows near a seed's that lie in the upload, and where."""
        near = self._neighbours[seed.slot]
        near = near[(slots[near, 32] > 0) & self._witnesses.apart[seed.slot, near]]
        here = implied(self._windows[near], self._windows[seed.slot], np.array([seed.rect]), seed.turn)[0]
        some = np.flatnonzero(inside(here))[:NEIGHBOURS]
        return near[some], here[some]


NEIGHBOURS = 8  # asked of each seed where there are too many seeds
NEAREST = 2  # of which so many count
# Placements of a stage that are fitted: each takes about ten milliseconds.
MOST_FITS = 12
_BITS = 256
