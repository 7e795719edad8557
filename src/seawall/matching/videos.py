"""Videos and pictures of the bank in an uploaded video: trimmed, padded, slowed, mirrored, framed, in another order.

The cheap first, and no further once something is certain:

1. a survey: planes from all over the upload (key frames, which cost little to decode), and from these the *boxes* in
   which another video may lie: what moves while the rest stands still, and what `regions` finds again and again;
2. fifteen frames of each second: whole, as they are and mirrored;
3. boxes, in these;
4. the whole once more, lying on its side or upside down.

Fifteen, because a copy that was trimmed or slowed shows the moments that were protected anywhere in its seconds, and
in a lively video a tenth of a second away already is another picture (42 bits, where the view moves by 2 %).

A second of the upload is found if any of them is, in any view. docs/spec/video.md, section 6, has the rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from seawall.hashing import MATCH_DISTANCE, USABLE_QUALITY, Plane, UnreadableVideo
from seawall.matching import regions
from seawall.matching.lookup import VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from seawall.hashing.videos import Reading, Sampled, Surveyed
    from seawall.matching.index import HashIndex

    Box = tuple[float, float, float, float]  # left, top, right, bottom, as fractions

# So much of either side must be found in the other (published vPDQ's rule, there for the query only).
SHARE = 0.8

SECOND = 1_000_000  # microseconds
STEP = SECOND // 15
MOST_SECONDS = 3600
_BATCH = 64  # frames looked up at once
_MIRRORED = (0, 5)
_SAME = 2  # bits by which a frame may differ from the one before, and not be looked up again
_ALL = tuple(range(8))
_TURNED = tuple(turn for turn in _ALL if turn not in _MIRRORED)

# Two videos may share an ident of five seconds, and have nothing else that can be told: fewer frames are "likely".
_A_FEW = 6

MOST_TRACKS = 3
_MANY_TRACKS = "This video has many tracks: only the first were looked at."
MOST_BOXES = 4
_SEARCHED_PLANES = 3  # of the survey, for `regions`
_SAME_SIDE = 0.012  # boxes of two planes count as one if no side differs by more
_WHOLE_SIDE = 0.02
_STILL, _STILL_MEANS = 20, 10  # by which a luma, or a cell's mean, may change and still stand still: codecs make noise
_CELL = 8  # lumas
_MOVES = 0.05  # a row or column moves if so much of it does
# A survey of so many seconds, so many of them found, decides: it comes from all over the upload.
_SURVEYED, _SURVEY_SHARE = 8, 0.9


class Bearer(NamedTuple):
    """Whose a number of the index is: the entry, what it is of, and which of its hashes, of how many."""

    entry: int
    kind: str  # "image" or "video"
    frame: int
    frames: int


class VideoSighting(NamedTuple):
    """An entry of the bank, seen in an uploaded video."""

    entry: int
    kind: str
    distance: int  # bits, of the closest frame
    view: str  # what was done to the video, in words
    found: float  # share of the entry's frames that were found, 0 to 1
    shown: float  # share of the upload's seconds that show it
    begin: float  # seconds, from where in the upload
    end: float  # and to where
    sure: Literal["certain", "likely"]


class Looked(NamedTuple):
    """What came of an upload."""

    sightings: tuple[VideoSighting, ...]
    usable: bool  # whether any frame has enough detail
    problem: str | None  # why it is not all of the upload


class Videos:
    """Looks for the entries of one index in videos. Keeps nothing of an upload; many threads may look at once."""

    def __init__(self, index: HashIndex, bearers: Callable[[Iterable[int]], Mapping[int, Bearer]]) -> None:
        """``bearers`` answers whose these numbers of the index are, of those that are still there."""
        self._index, self._bearers = index, bearers

    def look(self, reading: Reading, *, boxes: bool = True) -> Looked:
        """What of the bank a video shows. ``boxes``: look for it inside of the frames too.

        A player may show any of a file's video tracks, so all are looked at until something is certain.

        :raises UnreadableVideo: nothing in it can be decoded
        """
        sightings: dict[int, VideoSighting] = {}
        usable: bool | None = None
        problem = _MANY_TRACKS if reading.tracks > MOST_TRACKS else None
        for track in range(min(reading.tracks, MOST_TRACKS)):
            reading.track = track
            try:
                looked = self._look(reading, boxes=boxes)
            except UnreadableVideo as error:
                problem = str(error)
                continue
            sightings = {one.entry: one for one in looked.sightings} | sightings
            usable, problem = usable or looked.usable, problem or looked.problem
            if any(one.sure == "certain" for one in looked.sightings):
                break
        if usable is None:
            raise UnreadableVideo(problem)
        return Looked(tuple(sightings.values()), usable, problem)

    def _look(self, reading: Reading, *, boxes: bool) -> Looked:
        """The same of one track.

        :raises UnreadableVideo: nothing in it can be decoded
        """
        surveyed = reading.survey()
        found = boxes_of([one.pixels for one in surveyed]) if boxes else []
        survey = Tally(self._index, self._bearers)
        survey.take_survey(surveyed, found)
        decided = survey.decided(_SURVEY_SHARE)
        if (
            len(survey.usable) >= _SURVEYED
            and reading.duration is not None
            and surveyed[-1].t >= SHARE * reading.duration
            and any(one.kind == "video" for one in decided)
        ):
            return Looked(decided, usable=True, problem=None)
        tally = Tally(self._index, self._bearers)
        batch: list[Sampled] = []
        later: list[Sampled] = []
        for sampled in reading.frames(STEP, found, most=MOST_SECONDS * SECOND // STEP):
            batch.append(sampled)
            later.append(sampled)
            if len(batch) == _BATCH:
                tally.take(batch, 0)
                batch.clear()
                if decided := tally.found_whole():
                    return Looked(decided, usable=True, problem=None)
        problem = reading.problem
        if not surveyed and not later:
            raise UnreadableVideo(problem)
        tally.take(batch, 0)
        sightings = tally.decided(SHARE)
        for box, turns in [*((box, _MIRRORED) for box in range(1, 1 + len(found))), (0, _TURNED)]:
            if any(one.sure == "certain" for one in sightings):
                break
            tally.take(later, box, turns)
            sightings = tally.decided(SHARE)
        return Looked(sightings, usable=bool(tally.usable), problem=problem)


def _distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
    return int(np.bitwise_count(a ^ b).sum())


class _Kept:
    """What was found of one entry."""

    def __init__(self, bearer: Bearer) -> None:
        self.bearer = bearer
        self.frames: set[int] = set()
        self.seconds: set[int] = set()
        self.best = (MATCH_DISTANCE + 1, 0, 0)  # distance, box, turn


class Tally:
    """Which seconds of an upload show which frames of which entries."""

    def __init__(self, index: HashIndex, bearers: Callable[[Iterable[int]], Mapping[int, Bearer]]) -> None:
        self._index, self._bearers = index, bearers
        self._of: dict[int, _Kept] = {}
        self.usable: set[int] = set()

    def take(self, frames: Sequence[Sampled], box: int, turns: tuple[int, ...] = _MIRRORED) -> None:
        """Look up one view of frames: ``box`` 0 is the whole, then those the reading was asked for."""
        good = [one for one in frames if one.quality[box] >= USABLE_QUALITY]
        asked: list[tuple[int, int]] = []  # second and turn
        hashes: list[NDArray[np.uint8]] = []
        before: NDArray[np.uint8] | None = None
        looked_up: set[int] = set()  # seconds
        for one in good:
            second = one.t // SECOND
            if before is not None and second in looked_up and _distance(one.hashes[box, 0], before) <= _SAME:
                continue  # nothing moved
            before = one.hashes[box, 0]
            looked_up.add(second)
            asked += [(second, turn) for turn in turns]
            hashes.append(one.hashes[box, turns])
        self.usable |= looked_up
        if hashes:
            self._search(np.concatenate(hashes), asked, box)

    def take_survey(self, surveyed: Sequence[Surveyed], boxes: Sequence[Box]) -> None:
        """Look up the planes of a survey: whole in all turns, and boxes as they are and mirrored."""
        rects = np.array([(0.0, 0.0, 1.0, 1.0), *boxes])
        for one in surveyed:
            second = one.t // SECOND
            hashes, quality = Plane.of(one.pixels).hashes(rects)
            for box in np.flatnonzero(quality >= USABLE_QUALITY).tolist():
                self.usable.add(second)
                turns = _MIRRORED if box else _ALL
                self._search(hashes[box, turns], [(second, turn) for turn in turns], box)

    def _search(self, queries: NDArray[np.uint8], asked: Sequence[tuple[int, int]], box: int) -> None:
        matches = self._index.search(queries, MATCH_DISTANCE)
        if not matches.id.size:
            return
        bearers = self._bearers(set(matches.id.tolist()))
        for query, number, distance in zip(*(column.tolist() for column in matches), strict=True):
            bearer = bearers.get(number)
            if bearer is not None:
                second, turn = asked[query]
                kept = self._of.setdefault(bearer.entry, _Kept(bearer))
                kept.frames.add(bearer.frame)
                kept.seconds.add(second)
                kept.best = min(kept.best, (distance, box, turn))

    def found_whole(self) -> tuple[VideoSighting, ...]:
        """What is decided however the upload goes on, once that is a video; a picture may be one of many it shows."""
        made = tuple(one for one in self._sightings() if one.found >= SHARE and one.sure == "certain")
        return made if any(one.kind == "video" for one in made) else ()

    def decided(self, share: float) -> tuple[VideoSighting, ...]:
        """The entries that the upload shows, now that all of it was looked up; the surest first."""
        return tuple(one for one in self._sightings() if max(one.found, one.shown) >= share)

    def _sightings(self) -> list[VideoSighting]:
        made = []
        for entry, kept in self._of.items():
            distance, box, turn = kept.best
            thin = kept.bearer.kind == "video" and len(kept.frames) < _A_FEW
            said = [VIEWS[turn]] if turn or not box else []
            made.append(
                VideoSighting(
                    entry,
                    kept.bearer.kind,
                    distance,
                    ", ".join([*said, "a part of the upload"] if box else said),
                    len(kept.frames) / kept.bearer.frames,
                    len(kept.seconds) / len(self.usable),
                    float(min(kept.seconds)),
                    float(max(kept.seconds) + 1),
                    "likely" if thin or (box and kept.bearer.frames == 1) else "certain",
                )
            )
        return sorted(
            made, key=lambda one: (one.sure != "certain", -max(one.found, one.shown), one.distance, one.entry)
        )


def boxes_of(planes: Sequence[NDArray[np.uint8]]) -> list[Box]:
    """Where in an upload's frames (h, w) another video may lie, the likeliest first; not the whole."""
    same = [plane for plane in planes if plane.shape == planes[0].shape]
    if not same or min(same[0].shape) < regions.LEAST_PIXELS:
        return []
    found = [moving(same)] if len(same) > 1 else []
    some = [
        same[at] for at in sorted({round(part * (len(same) - 1)) for part in np.linspace(0.2, 0.8, _SEARCHED_PLANES)})
    ]
    often: list[tuple[int, int, Box]] = []
    rects = [regions.find(plane).rects[:_LIKELIEST] for plane in some]
    for place, rect in enumerate(np.vstack(rects)):
        alike = [other[np.abs(other - rect).max(1) <= _SAME_SIDE] for other in rects]
        times = sum(len(other) > 0 for other in alike)
        left, top, right, bottom = np.median(np.vstack(alike), axis=0).tolist()
        often.append((-times, place % _LIKELIEST, (left, top, right, bottom)))
    least = min(2, len(some))
    found += [box for times, _, box in sorted(often) if -times >= least]
    kept: list[Box] = []
    for box in found:
        others = [(0.0, 0.0, 1.0, 1.0), *kept]
        if all(
            np.abs(np.subtract(box, other)).max() > (_SAME_SIDE if at else _WHOLE_SIDE)
            for at, other in enumerate(others)
        ):
            kept.append(box)
    return kept[:MOST_BOXES]


_LIKELIEST = 12  # rectangles of each plane


def moving(planes: Sequence[NDArray[np.uint8]]) -> Box:
    """The rectangle outside which nothing changes from plane to plane; the whole if all of it does, or nothing.

    First by the means of cells: around sharp lines that stand still, codecs change single lumas by more than they
    would have to move. Then to the row and column, near where that says.
    """
    high, wide = planes[0].shape
    coarse = _spread([_means(plane) for plane in planes], _STILL_MEANS)
    if coarse is None:
        return (0.0, 0.0, 1.0, 1.0)
    left, top = (max(0, _CELL * (at - 1)) for at in coarse[:2])
    right, bottom = (min(most, _CELL * (at + 1)) for at, most in zip(coarse[2:], (wide, high), strict=True))
    fine = _spread([plane[top:bottom, left:right] for plane in planes], _STILL)
    if fine is None:
        fine = (0, 0, right - left, bottom - top)
    return ((left + fine[0]) / wide, (top + fine[1]) / high, (left + fine[2]) / wide, (top + fine[3]) / high)


def _means(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Of each cell of 8 x 8 lumas; what is left over at the end goes with nothing."""
    high, wide = (side // _CELL for side in plane.shape)
    cells = plane[: high * _CELL, : wide * _CELL].reshape(high, _CELL, wide, _CELL)
    means: NDArray[np.float32] = cells.mean((1, 3), dtype=np.float32)
    return means


def _spread(planes: Sequence[NDArray[Any]], still: float) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the rows and columns that move."""
    least, most = planes[0].copy(), planes[0].copy()
    for plane in planes[1:]:
        np.minimum(least, plane, out=least)
        np.maximum(most, plane, out=most)
    moves = (most - least) > still
    rows, columns = np.flatnonzero(moves.mean(1) > _MOVES), np.flatnonzero(moves.mean(0) > _MOVES)
    if not rows.size or not columns.size:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
