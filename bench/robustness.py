"""The scoreboard: how much of what blackmailers do to a picture is seen through, by us and by plain PDQ.

Photographs that no tuning has seen (`_pictures`) are registered among many other entries (`_entries`), put up again
after each attack with parameters no tuning has seen (`_attacks`), and looked for. Plain PDQ is what every platform
runs: one fingerprint an upload, 31 bits, quality of at least 50. Uploads that show nothing of the bank (`_negatives`)
count false matches. docs/robustness.md holds the last full run. SEAWALL_BENCH_SMALL=1 takes a handful of
scikit-image's photographs: quick, and no measure of anything.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import statistics
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from PIL import Image

from bench import _attacks, _entries, _negatives, _pictures
from seawall.hashing import USABLE_QUALITY, Plane, pdq
from seawall.matching import (
    HashIndex,
    frames,
    look_up,
    looks,
    placement,
    query_windows,
    regions,
    segment,
    views,
    witnesses,
)
from seawall.matching.looks import Looks, effort_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from bench._attacks import Attack
    from bench._pictures import Picture
    from bench.hash import Row

    Pixels = NDArray[np.uint8]

T = TypeVar("T")
U = TypeVar("U")

SMALL = bool(os.environ.get("SEAWALL_BENCH_SMALL"))
PEER = "plain PDQ"
LARGE = 100_000  # entries: how hard we look in a bank of so many is measured beside our own
THREADS = 2
UPLOAD_SIDE = 1600  # pixels: attackers have the picture at most this large
RESAMPLES = 2000
KEPT_EVERY = 100  # negatives
INDEXED_QUALITY = USABLE_QUALITY


class Scale(NamedTuple):
    """How much is measured."""

    entries: int  # in the bank that photographs are looked for in
    uploads: int  # a row
    pair_uploads: int  # a pair of attacks
    negatives: tuple[int, int, int, int]  # edits of photographs, of drawings, of night skies; formulas
    seconds: float  # negatives are cut off here, and the next run goes on; what was measured is said
    costly: int  # entries with windows of the larger banks whose look-ups are timed


FULL = Scale(5_000, 40, 6, (10_000, 4_000, 2_000, 4_000), 1500, 100_000)
QUICK = Scale(100, 2, 1, (6, 0, 0, 6), 600, 1_000)


@dataclass(slots=True)
class Board:
    """A bank of photographs among others, and the two ways to look in it."""

    photos: Sequence[Picture]  # entry n is photos[n]
    apart: Sequence[Picture]  # photographs that are not in the bank
    entries: _entries.Entries
    looks: Looks
    narrow: Looks  # no harder than in a bank of 100,000 entries
    alone: Looks  # in the same bank, had nobody sent windows: the page sends them only if asked to
    whole: HashIndex

    @classmethod
    def of(cls, photos: Sequence[Picture], apart: Sequence[Picture], filler: _entries.Entries | None) -> Board:
        """Register the photographs, the filler behind them."""
        entries = _entries.of_pictures(photos)
        if filler is not None:
            entries = entries.and_also(filler)
        index = HashIndex.build(*entries.signals(INDEXED_QUALITY))
        narrow = Looks(index, entries.windows_of, effort=effort_for(LARGE * (_entries.INDEXED.stop - 1)))
        alone = Looks(HashIndex.build(*entries.wholes()), lambda _: {})
        return cls(photos, apart, entries, Looks(index, entries.windows_of), narrow, alone, entries.whole())

    def sighted(self, pixels: Pixels) -> set[int]:
        """The entries that we see in an upload."""
        return _ids(self.looks, pixels)

    def plainly(self, pixels: Pixels) -> set[int]:
        """The entries that plain PDQ finds."""
        found = pdq(pixels)
        if found.quality < USABLE_QUALITY:
            return set()
        return {match.id for match in look_up(self.whole, [found.bits])}


def run() -> Iterator[Row]:
    """Every row of the table, then false matches, look-alikes and costs."""
    scale = QUICK if SMALL else FULL
    board, alike = _small_board(scale) if SMALL else _board(scale)
    yield from recall(board, _attacks.ATTACKS[:3] if SMALL else _attacks.ATTACKS, scale)
    if not SMALL:
        yield from pairs(board, scale)
        yield look_alikes(board, alike)
        yield sky_among_skies()
    yield from false_matches(board, scale)
    yield from costs(board, scale)


def _small_board(scale: Scale) -> tuple[Board, list[Picture]]:
    photos = _pictures.bundled()
    return Board.of(photos[:2], photos[2:4], _entries.random_entries(scale.entries, 1)), []


def _board(scale: Scale) -> tuple[Board, list[Picture]]:
    """Three of four scenes in the bank, one photograph of each; the others of those scenes are look-alikes."""
    photos: dict[str, Picture] = {}
    apart, alike = [], []
    for picture in (*_pictures.reporting(), *_pictures.reporting(_pictures.ALIKE)):
        if picture.kind == _pictures.PHOTOGRAPH and _ordered("apart", picture.scene)[0] < 64:
            apart.append(picture)
        elif photos.setdefault(picture.scene, picture) is not picture:
            alike.append(picture)
    kinds = (_pictures.PHOTOGRAPH, _pictures.DRAWN)
    sources = [picture for kind in kinds for picture in _pictures.tuning(kind)]
    filler = _entries.edits(sources, scale.entries - len(photos), 1)
    return Board.of(list(photos.values()), apart, filler), alike


def recall(board: Board, attacks: Sequence[Attack], scale: Scale) -> Iterator[Row]:
    """One row an attack: the share of uploads in which the right entry is found."""
    targeted, wrong, total = [], 0, 0
    for attack in attacks:
        outcome = _tried(board, attack, scale.uploads)
        wrong, total = wrong + outcome.wrong, total + len(outcome.ours)
        yield _recall_row(attack.name, outcome, attack.target)
        if attack.target is not None:
            targeted.append(outcome)
    ours, narrow, alone, plain = (
        100 * statistics.fmean(statistics.fmean(found) for found in which)
        for which in zip(*((one.ours, one.narrow, one.alone, one.plain) for one in targeted), strict=True)
    )
    mean = _row(f"found: mean of the {len(targeted)} rows with a target", ours, plain, "%", None)
    yield {**mean, "large": narrow, "alone": alone}
    yield _row(f"wrong entries sighted in these {total} uploads", wrong, None, "", ("<=", 0))


def pairs(board: Board, scale: Scale) -> Iterator[Row]:
    """Two attacks, one after the other: the mean over the pairs; and three."""
    outcomes = [_tried(board, pair, scale.pair_uploads) for pair in _attacks.PAIRS]
    joined = Outcome()
    for outcome in outcomes:
        joined.also(outcome)
    yield _recall_row(f"two combined, mean of {len(outcomes)} pairs", joined, _attacks.PAIRS_TARGET)
    for pair, outcome in zip(_attacks.PAIRS, outcomes, strict=True):
        yield _recall_row(pair.name, outcome, None)
    yield _recall_row(_attacks.TRIPLE.name, _tried(board, _attacks.TRIPLE, scale.uploads), None)


@dataclass(slots=True)
class Outcome:
    """Of each upload: what found it, and its scene; and how many other entries we sighted."""

    ours: list[bool] = field(default_factory=list)
    narrow: list[bool] = field(default_factory=list)
    alone: list[bool] = field(default_factory=list)
    plain: list[bool] = field(default_factory=list)
    scenes: list[str] = field(default_factory=list)
    wrong: int = 0

    def also(self, other: Outcome) -> None:
        """Take in another's uploads."""
        for mine, theirs in zip(self._lists(), other._lists(), strict=True):
            mine.extend(theirs)
        self.wrong += other.wrong

    def _lists(self) -> tuple[list[Any], ...]:
        return self.ours, self.narrow, self.alone, self.plain, self.scenes


def _tried(board: Board, attack: Attack, uploads: int) -> Outcome:
    """Put up so many photographs of the bank, each row another choice of them."""
    numbers = [n for n, photo in enumerate(board.photos) if photo.kind == _pictures.PHOTOGRAPH]
    numbers.sort(key=lambda number: _ordered(attack.name, board.photos[number].name))
    others = [_shown(picture) for picture in board.apart]
    outcome = Outcome()

    def put_up(number: int) -> Outcome:
        photo = board.photos[number]
        draw = _attacks.Draw(f"{attack.name} {photo.name}", True, others)  # noqa: FBT003 - unseen
        pixels = _negatives.decoded(_attacks.upload(attack, _shown(photo), draw))
        sighted = board.sighted(pixels)
        narrow, alone = (number in _ids(looks, pixels) for looks in (board.narrow, board.alone))
        plain = number in board.plainly(pixels)
        return Outcome([number in sighted], [narrow], [alone], [plain], [photo.scene], len(sighted - {number}))

    for one in _threaded(put_up, numbers[:uploads]):
        outcome.also(one)
    return outcome


def look_alikes(board: Board, alike: Sequence[Picture]) -> Row:
    """Other pictures of a place or thing that is in the bank: another moment, another angle, the next stretch."""
    random = np.random.default_rng(5)
    shown = (np.asarray(_shown(picture)) for picture in alike)
    uploads = (pixels for whole in shown for pixels in (whole, *(_entries.edit(whole, random) for _ in range(3))))
    hits = list(_threaded(lambda pixels: (bool(board.sighted(pixels)), bool(board.plainly(pixels))), uploads))
    ours, plain = (sum(which) for which in zip(*hits, strict=True))
    what = f"look-alikes taken for a picture of the bank, of {len(hits)} uploads of {len(alike)} pictures"
    return _row(what, ours, plain, "", ("<=", 0))


def false_matches(board: Board, scale: Scale) -> Iterator[Row]:
    """Uploads with a sighting although nothing of them is in the bank."""
    drawn, skies = (
        () if SMALL else _pictures.reporting(kind) for kind in (_pictures.DRAWN, _pictures.SKY)
    )  # the bank holds edits of the tuning ones
    sources: dict[str, Callable[[int], Pixels]] = {
        "photographs": _negatives.Edits("photographs", board.apart),
        "drawn and flat pictures": _negatives.Edits("drawn", drawn),
        "night skies": _negatives.Edits("skies", skies),
        "formulas": _negatives.formula,
    }
    numbered = [(name, n) for name, count in zip(sources, scale.negatives, strict=True) for n in range(count)]
    np.random.default_rng(9).shuffle(numbered)  # so that all kinds are among those done in time
    done = _went_on(board, sources, [(str(name), int(n)) for name, n in numbered], time.monotonic() + scale.seconds)
    for name in sources:
        some = [outcome for kind, *outcome in done if kind == name]
        ours, plain = (sum(outcome[at] for outcome in some) for at in (0, 1))
        yield _row(f"false matches: {name}, {len(some)} uploads", ours, plain, "", ("<=", 0))
    total, ours, plain = len(done), sum(one[1] for one in done), sum(one[2] for one in done)
    what = f"false matches in {total} uploads against {len(board.entries)} entries"
    yield {**_row(what, ours, plain, "", ("<=", 0)), "at_most": _at_most(ours, total)}
    yield _row("uploads that show nothing of the bank", total, None, "", (">=", 20_000))
    bound = _at_most(ours, total) * 100_000 / len(board.entries)
    what = "extrapolated, not measured: false matches an upload at 100,000 entries, 95 % bound"
    yield _row(what, bound, None, "", None)


def _went_on(
    board: Board, sources: dict[str, Callable[[int], Pixels]], numbered: list[tuple[str, int]], until: float
) -> list[tuple[str, bool, bool]]:
    """Of each upload its kind, and whether we and plain PDQ see something in it.

    Twenty thousand take an hour and more. What a run has measured is kept beside the pictures, and the next run of the
    same matcher in the same bank goes on from there.
    """
    kept = _pictures.FOLDER / f"negatives-{_ordered(_matcher(), str(board.entries.windows.data.tobytes())).hex()[:16]}"
    done = [tuple(one) for one in json.loads(kept.read_text())] if kept.exists() and not SMALL else []

    def put_up(named: tuple[str, int]) -> tuple[str, bool, bool]:
        pixels = sources[named[0]](named[1])
        return named[0], bool(board.sighted(pixels)), bool(board.plainly(pixels))

    for outcome in _threaded(put_up, takewhile(lambda _: time.monotonic() < until, numbered[len(done) :])):
        done.append(outcome)
        if not SMALL and len(done) % KEPT_EVERY == 0:
            kept.write_text(json.dumps(done))
    return done


def _matcher() -> str:
    """Changes whenever what looks, and what is looked at, do."""
    parts = (
        frames,
        looks,
        placement,
        query_windows,
        regions,
        segment,
        views,
        witnesses,
        _attacks,
        _entries,
        _negatives,
        _pictures,
    )
    return "".join(inspect.getsource(part) for part in parts)


def sky_among_skies() -> Row:
    """Bright round things on black, of which all resemble each other: what a bank of such pictures would do."""
    board = Board.of(_pictures.tuning(_pictures.SKY), (), None)
    uploads = [np.asarray(_shown(picture)) for picture in _pictures.reporting(_pictures.SKY)]
    hits = list(_threaded(lambda pixels: (bool(board.sighted(pixels)), bool(board.plainly(pixels))), uploads))
    ours, plain = (sum(which) for which in zip(*hits, strict=True))
    return _row(
        f"night skies taken for one of {len(board.entries)} other night skies, of {len(hits)}", ours, plain, "", None
    )


def costs(board: Board, scale: Scale) -> Iterator[Row]:
    """Milliseconds of one core for one upload of 12 megapixels after decoding, in larger banks."""
    random = np.random.default_rng(11)
    shown = [np.asarray(_shown(photo).resize((4000, 3000))) for photo in board.photos[: 2 if SMALL else 12]]
    apart = [np.asarray(_shown(photo).resize((4000, 3000))) for photo in board.apart[: 2 if SMALL else 12]]
    entries = board.entries.and_also(_entries.random_entries(scale.costly - len(board.entries), 2))
    hashes, numbers = entries.signals(INDEXED_QUALITY)
    index = HashIndex.build(hashes, numbers)
    looks = Looks(index, entries.windows_of)
    what = f"{scale.costly:,} entries with windows"
    yield _cost(f"all views, nothing found, {what}", looks, apart, 250)
    yield _cost(f"all views, something found, {what}", looks, shown, 250)
    yield _cost_of_eight(f"the eight turns only, 31 bits, {what}", index, apart, 40)
    more = 9 * scale.costly
    index.add(random.integers(0, 256, (more, 32), np.uint8), np.arange(more, dtype=np.uint64) + (1 << 60))
    index.settle()
    what = f"{10 * scale.costly:,} entries, 10 % with windows"
    yield _cost(f"all views, nothing found, {what}", looks, apart, 250)
    yield _cost_of_eight(f"the eight turns only, 31 bits, {what}", index, apart, 40)
    del index, looks, entries, hashes, numbers
    many = 100 * scale.costly
    index = HashIndex.build(random.integers(0, 256, (many, 32), np.uint8), np.arange(many, dtype=np.uint64))
    what = f"{many:,} entries without windows"
    yield _cost(f"all views, nothing found, {what}", Looks(index, lambda _: {}), apart, None)
    yield _cost_of_eight(f"the eight turns only, 31 bits, {what}", index, apart, None)


def _cost(what: str, looks: Looks, uploads: Sequence[Pixels], target: float | None) -> Row:
    return _timed(what, lambda pixels: looks.look(Plane.of(pixels)), uploads, target)


def _cost_of_eight(what: str, index: HashIndex, uploads: Sequence[Pixels], target: float | None) -> Row:
    return _timed(what, lambda pixels: look_up(index, pdq(pixels).dihedral()), uploads, target)


def _timed(what: str, check: Callable[[Pixels], object], uploads: Sequence[Pixels], target: float | None) -> Row:
    took = []
    for pixels in uploads:
        began = time.thread_time()
        check(pixels)
        took.append(1e3 * (time.thread_time() - began))
    bound = None if target is None else ("<=", target)
    return {**_row(f"check of 12 MP: {what}", statistics.median(took), None, "ms", bound), "slowest": max(took)}


def _threaded(work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """The answers in order, on both cores of a small machine, never far ahead of what is asked for."""
    waiting: deque[Future[U]] = deque()
    with ThreadPoolExecutor(THREADS) as threads:
        for item in items:
            waiting.append(threads.submit(work, item))
            if len(waiting) > 2 * THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _ids(looks: Looks, pixels: Pixels) -> set[int]:
    return {sighting.id for sighting in looks.look(Plane.of(pixels))}


@lru_cache(maxsize=512)
def _shown(picture: Picture) -> Image.Image:
    image = picture.image()
    image.thumbnail((UPLOAD_SIDE, UPLOAD_SIDE), Image.Resampling.LANCZOS)
    return image


def _ordered(*words: str) -> bytes:
    """An order that no one chose and that never changes."""
    return hashlib.sha256("\n".join(words).encode()).digest()


def interval(found: Sequence[bool], scenes: Sequence[str]) -> tuple[float, float]:
    """Between which shares the truth lies, 95 %: scenes are drawn again, with all their uploads.

    Where all or none were found, the exact bound for as many scenes as there are.
    """
    names = sorted(set(scenes))
    if all(found) or not any(found):
        least = 0.025 ** (1 / len(names))
        return (least, 1.0) if all(found) else (0.0, 1 - least)
    hits, counts = np.zeros(len(names)), np.zeros(len(names))
    for hit, scene in zip(found, scenes, strict=True):
        at = names.index(scene)
        hits[at] += hit
        counts[at] += 1
    again = np.random.default_rng(3).integers(0, len(names), (RESAMPLES, len(names)))
    shares = hits[again].sum(1) / counts[again].sum(1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)


def _at_most(events: int, trials: int) -> float:
    """The 95 % bound on a rate: of none seen the rule of three, else Poisson's by its normal approximation."""
    return 3 / trials if events == 0 else (events + 1.92 + 1.96 * (events + 0.96) ** 0.5) / trials


def _recall_row(name: str, outcome: Outcome, target: float | None) -> Row:
    ours, plain = 100 * statistics.fmean(outcome.ours), 100 * statistics.fmean(outcome.plain)
    row = _row(f"found: {name}", ours, plain, "%", None if target is None else (">=", 100 * target))
    low, high = (100 * share for share in interval(outcome.ours, outcome.scenes))
    narrow, alone = 100 * statistics.fmean(outcome.narrow), 100 * statistics.fmean(outcome.alone)
    return {**row, "low": low, "high": high, "uploads": len(outcome.ours), "large": narrow, "alone": alone}


def _row(what: str, ours: float, peer: float | None, unit: str, target: tuple[str, float] | None) -> Row:
    sign, bound = target or ("", 0)
    return {
        "what": f"{what} (a few pictures)" if SMALL else what,
        "ours": ours,
        "peer": peer,
        "peer_name": None if peer is None else PEER,
        "ratio": None,
        "unit": unit,
        "target": f"{sign} {bound:g} {unit}".strip() if target else "none",
        "met": target is None or (ours >= bound if sign == ">=" else ours <= bound),
    }
