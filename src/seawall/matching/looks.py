"""Pictures of the bank in an upload: cropped, framed, turned, pasted, re-filmed, or all of these.

An upload is looked at in stages, the cheap ones first, and no further once a match is certain:

1. whole, in its eight turns;
2. its regions (regions.py) and a blind grid, and the registered windows of the two likeliest: captions, stickers;
3. further windows of the likeliest regions, as they are and mirrored: crops;
4. windows of the upload turned by small angles;
5. windows in the other turns, and of the cells of a collage.

Each stage is one search. A hit of a window is not a match: it is a seed, and the picture's other windows must agree
(placement.py). Of the whole picture within 31 bits the published rule holds: it is likely, whatever its windows say.
`docs/decisions/looks.md` has the thresholds, how they were measured, and what each stage is good for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from seawall.hashing import MATCH_DISTANCE, USABLE_QUALITY
from seawall.matching import regions, views
from seawall.matching.index import Matches
from seawall.matching.lookup import VIEWS
from seawall.matching.placement import Placement, Placer, Seed
from seawall.matching.witnesses import ENOUGH, SLOT_BYTES, SLOTS, Evidence, implied, worth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from seawall.hashing.planes import Plane
    from seawall.matching.index import HashIndex

SLOT_BITS = 7  # of the index's payload; the rest is the id

# At most so many seeds of a stage are refined: 0.7 % of uploads, skies mostly, resemble everything.
MOST_SEEDS = 40

# They are chosen among so many, the closest, by what their neighbours say. Whoever made up windows that resemble one
# upload more than the bank's own picture does would else fill all 40, and nobody would look for the picture.
MOST_ASKED = 400


class Transform(NamedTuple):
    """What was done to the picture of the bank."""

    box: tuple[float, float, float, float]  # where the whole of it would lie in the upload; beyond 0..1 if cropped
    turn: str  # one of VIEWS: the upload turned so shows it as it was
    degrees: float  # by which the upload was turned anticlockwise besides, to look at it


class Sighting(NamedTuple):
    """A picture of the bank, seen in an upload."""

    id: int  # the index's payload without the slot
    distance: int  # bits, of the window that was found
    view: str  # what was done to the picture, in words
    transform: Transform
    agreed: int  # how many further windows agree
    sure: Literal["certain", "likely"]


class Looks:
    """Looks for the pictures of one index in uploads. Keeps nothing of an upload; many threads may look at once."""

    def __init__(
        self,
        index: HashIndex,
        windows_of: Callable[[Sequence[int]], Mapping[int, bytes]],
        *,
        effort: views.Effort | None = None,
    ) -> None:
        """``windows_of`` answers with the windows1 (4,158 bytes) of those ids that have one.

        ``effort``: how hard to look; None: as hard as the size of the index affords (`effort_for`).
        """
        self._index = index
        self._windows_of = windows_of
        self._effort = effort
        self._placer = Placer(views.registered())

    def look(self, plane: Plane) -> tuple[Sighting, ...]:
        """The pictures of the bank that are in the upload, the surest first, each once."""
        effort = self._effort or effort_for(len(self._index))
        planes = [plane]
        seen: dict[int, Sighting] = {}
        for stage in views.stages(plane, planes, effort):
            seeds = self._seeds(planes, stage)
            for sighting in self._sightings(planes, stage, seeds):
                old = seen.get(sighting.id)
                if old is None or _rank(sighting) < _rank(old):
                    seen[sighting.id] = sighting
            if any(sighting.sure == "certain" for sighting in seen.values()):
                break
        return tuple(sorted(seen.values(), key=_rank))

    def _seeds(self, planes: Sequence[Plane], stage: views.Stage) -> list[Seed]:
        """The closest hits of a stage, of each id the two closest that differ, the closest of all first."""
        asked = _Asked(planes, stage)
        hits = self._hits(asked.hashes, stage.radius)
        seeds: list[Seed] = []
        boxes: dict[int, list[tuple[int, NDArray[np.float64]]]] = {}
        for row in range(hits.id.size):
            number, slot = divmod(int(hits.id[row]), 1 << SLOT_BITS)
            others = boxes.setdefault(number, [])
            if slot >= SLOTS or len(others) == _SEEDS_EACH:
                continue  # the former are of another use of the index than this one
            seed = asked.seed(int(hits.query[row]), number, slot, int(hits.distance[row]))
            box = implied(_WHOLE, views.registered()[slot], np.array([seed.rect]), seed.turn)[0, 0]
            if any(turn == seed.turn and regions.overlap(box, other[None])[0] > _SAME_BOX for turn, other in others):
                continue
            others.append((seed.turn, box))
            seeds.append(seed)
            if len(seeds) == MOST_ASKED:
                break
        return seeds

    def _hits(self, hashes: NDArray[np.uint8], radius: int) -> Matches:
        """The closest hits, the closest of all first.

        A part of the queries at a time: an upload that resembles itself everywhere, and entries that were made up to
        resemble it, give a hit for each two of them.
        """
        kept = Matches(np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.uint16))
        for begin in range(0, len(hashes), _QUERIES_AT_A_TIME):
            found = self._index.search(hashes[begin : begin + _QUERIES_AT_A_TIME], radius)
            kept = _closest(
                Matches(
                    np.concatenate([kept.query, found.query + begin]),
                    np.concatenate([kept.id, found.id]),
                    np.concatenate([kept.distance, found.distance]),
                )
            )
        return kept

    def _sightings(self, planes: Sequence[Plane], stage: views.Stage, seeds: Sequence[Seed]) -> Iterator[Sighting]:
        prints = self._windows_of(list({seed.id for seed in seeds})) if seeds else {}
        proved = [seed for seed in seeds if len(prints.get(seed.id, b"")) == SLOTS * SLOT_BYTES]
        for seed in seeds:
            has_windows = seed.id in prints
            if seed.slot != 0 or (seed.distance > MATCH_DISTANCE and not (stage.whole and has_windows)):
                continue
            if stage.whole or textured(planes[seed.frame], seed.rect):
                sure: Literal["certain", "likely"] = "certain" if stage.whole and not has_windows else "likely"
                yield _sighting(Placement(seed, seed.rect, _NONE, seed.distance), sure)
        if len(proved) > MOST_SEEDS:
            likeliest = self._placer.likeliest(planes, proved, [prints[seed.id] for seed in proved])
            proved = [proved[at] for at in likeliest[:MOST_SEEDS]]
        for placement in self._placer.place(planes, proved, [prints[seed.id] for seed in proved]):
            if _believable(planes[placement.seed.frame], placement):
                yield _sighting(placement, "certain")


class _Asked:
    """The queries of one stage: the hashes (N, 32) of its views, without those that are flat or resemble everything."""

    def __init__(self, planes: Sequence[Plane], stage: views.Stage) -> None:
        hashes, rects, frames, turns = [], [], [], []
        for look in stage.looks:
            views_of, quality = planes[look.frame].hashes(look.rects)
            usable = quality >= USABLE_QUALITY
            if not look.pictures:
                usable &= worth(views_of[:, 0]) > 0
            good = np.flatnonzero(usable)
            for turn in look.turns:
                hashes.append(views_of[good, turn])
                rects.append(look.rects[good])
                frames.append(np.full(good.size, look.frame))
                turns.append(np.full(good.size, turn))
        self.hashes = np.concatenate(hashes)
        self._rects, self._frames, self._turns = np.concatenate(rects), np.concatenate(frames), np.concatenate(turns)

    def seed(self, query: int, number: int, slot: int, distance: int) -> Seed:
        x0, y0, x1, y1 = self._rects[query].tolist()
        return Seed(number, slot, distance, int(self._turns[query]), int(self._frames[query]), (x0, y0, x1, y1))


def _closest(hits: Matches) -> Matches:
    """The closest hits of each query and each id, and of all of them, the closest first."""
    order = _of_each_query(hits)
    order = order[np.lexsort((hits.id[order], hits.query[order], hits.distance[order]))]
    by_number = order[np.argsort(hits.id[order] >> SLOT_BITS, kind="stable")]
    some = by_number[_nth(hits.id[by_number] >> np.uint64(SLOT_BITS)) < _HITS_EACH]
    some = some[np.lexsort((hits.id[some], hits.query[some], hits.distance[some]))][:_MOST_HITS]
    return Matches(hits.query[some], hits.id[some], hits.distance[some])


def _of_each_query(hits: Matches) -> NDArray[np.int64]:
    """Which hits are the closest of their query: a bank may hold any number of windows that resemble one view."""
    keys = hits.query.astype(np.uint64) << np.uint64(48) | hits.distance.astype(np.uint64) << np.uint64(32)
    keys |= np.arange(keys.size, dtype=np.uint64)
    keys.sort()
    some = keys[_nth(keys >> np.uint64(48)) < _HITS_OF_A_QUERY]
    return (some & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _nth(groups: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
    """How many of the same group stand before each, equal ones side by side."""
    _, begin, count = np.unique(groups, return_index=True, return_counts=True)
    return np.asarray(np.arange(groups.size) - np.repeat(begin, count))


def _believable(plane: Plane, placement: Placement) -> bool:
    """Whether what is said to lie there is large enough to be told, and textured where little proves it."""
    x0, y0, x1, y1 = placement.box
    if min((x1 - x0) * plane.width, (y1 - y0) * plane.height) < _LEAST_SHOWN:
        return False
    return placement.evidence.weight >= _PLAINLY or textured(plane, placement.box)


def textured(plane: Plane, box: tuple[float, float, float, float]) -> bool:
    """Whether what lies in that box of the plane has texture.

    Two smooth areas with an edge between them fit any other such two, however many windows are asked: all see the edge.
    """
    high, wide = plane.pixels.shape
    x0, y0, x1, y1 = np.clip(box, 0, 1).tolist()
    part = plane.pixels[int(y0 * high) : int(y1 * high) + 1, int(x0 * wide) : int(x1 * wide) + 1].astype(np.int16)
    steps = np.maximum(np.abs(np.diff(part, axis=1))[:-1], np.abs(np.diff(part, axis=0))[:, :-1])
    return steps.size > 0 and float((steps >= _STEP).mean()) >= _TEXTURED


_WHOLE = np.array([[0.0, 0.0, 1.0, 1.0]])
_NONE = Evidence(0, 0, 0)
_SEEDS_EACH = 2
_HITS_EACH = 16  # of an id, among which its seeds are
_HITS_OF_A_QUERY = 64
_SAME_BOX = 0.8
_QUERIES_AT_A_TIME = 256
_MOST_HITS = 20_000  # kept of a stage
# So much of a picture differs by so much luma from the cell beside it. docs/decisions/looks.md: wrong placements on
# drawings and right ones on photographs.
_STEP, _TEXTURED = 3, 0.05
_LEAST_SHOWN = 48  # lumas of the whole picture's shorter side: windows of fewer resemble each other
_PLAINLY = 2 * ENOUGH  # so much evidence needs no texture: a dolphin under water has next to none, and 425 points


def effort_for(signals: int) -> views.Effort:
    """The effort that keeps the search of an upload within its time, by the signals in the index."""
    for most, effort in _EFFORTS:
        if signals <= most:
            return effort
    return _LEAST_EFFORT


# By the signals in the index, up to so many. docs/decisions/looks.md has the times.
_EFFORTS = (
    (300_000, views.Effort(52, 46, (600, 160, 60, 60), 60, 60)),
    (600_000, views.Effort(48, 44, (600, 160, 60, 60), 60, 60)),
    (2_000_000, views.Effort(44, 41, (600, 100, 60, 40), 40, 40)),
    (10_500_000, views.Effort(37, 35, (240, 80, 30), 16, 16)),
    (15_000_000, views.Effort(37, 35, (160, 50, 20), 10, 10)),
)
_LEAST_EFFORT = views.Effort(34, MATCH_DISTANCE, (160, 60, 30), 8, 20)


def _rank(sighting: Sighting) -> tuple[bool, int, int, int]:
    return sighting.sure != "certain", -sighting.agreed, sighting.distance, sighting.id


def _sighting(placement: Placement, sure: Literal["certain", "likely"]) -> Sighting:
    seed = placement.seed
    degrees = views.degrees_of(seed.frame)
    return Sighting(
        seed.id,
        seed.distance,
        _words(placement, degrees),
        Transform(placement.box, VIEWS[seed.turn], degrees),
        max(0, placement.evidence.agreed - 1),
        sure,
    )


def _words(placement: Placement, degrees: float) -> str:
    """What was done to the picture: "mirrored left to right, turned by about 3 degrees, a part of the upload"."""
    x0, y0, x1, y1 = placement.box
    said = [] if placement.seed.turn == 0 else [VIEWS[placement.seed.turn]]
    if degrees:
        said.append(f"turned by about {abs(degrees):g} degrees")
    if min(x0, y0, 1 - x1, 1 - y1) < -_NOTICED:
        said.append("cropped")
    if max(x0, y0, 1 - x1, 1 - y1) > _NOTICED:
        said.append("a part of the upload")
    return ", ".join(said) or VIEWS[0]


_NOTICED = 0.03
