"""PDQ of decoded pixels: the kernel at each width of instructions against `pdqhash`, which wraps Meta's C++."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pdqhash
from PIL import Image
from skimage.data import data_dir

from seawall.hashing import Plane
from seawall.hashing.native import LANES, WIDEST, PlaneMemory, RowHasher, window_rectangles

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Row = dict[str, Any]

# Width and height, and the ratio to reach at each width of instructions.
CASES = (
    ((4000, 3000), {"avx512": 60, "avx2": 30}),
    ((512, 512), {"avx512": 50, "avx2": 50}),
)

# The most that a window may take.
WINDOW_MICROSECONDS = {"portable": 80, "avx2": 40, "avx512": 40}


def run() -> list[Row]:
    """A row for each size and each width of instructions that this processor has; then windows at each width."""
    return [
        *(
            compare(width, height, name, target)
            for (width, height), targets in CASES
            for name, target in targets.items()
            if LANES[name] <= WIDEST
        ),
        plane(),
        *(windows(name) for name, lanes in LANES.items() if lanes <= WIDEST),
    ]


def compare(width: int, height: int, name: str, target: float) -> Row:
    """One size at one width of instructions."""
    picture = np.asarray(photo(width, height))
    ours, peer = interleaved(lambda: kernel(picture, LANES[name]), lambda: pdqhash.compute(picture), 25)
    what = f"PDQ of {width} x {height} RGB, one thread, {name}"
    return row(what, ours * 1e3, peer * 1e3, target, peer_name="pdqhash")


def plane() -> Row:
    """What the plane adds to the fingerprint of the same pass."""
    picture = np.asarray(photo(4000, 3000))
    with_plane, without = interleaved(lambda: Plane.of(picture), lambda: kernel(picture, WIDEST), 25)
    return limit("the plane of 4000 x 3000, on top of its PDQ", 1e3 * (with_plane - without), "ms", 10)


def windows(name: str) -> Row:
    """One of windows1's 126 windows, whose mean side is about 0.7."""
    memory = PlaneMemory(4000, 3000)
    hasher = RowHasher(4000, 3000, 3, plane=memory)
    hasher.add(np.asarray(photo(4000, 3000)))
    places = window_rectangles()
    took = statistics.median(_seconds(lambda: memory.views(places, LANES[name]), 1) for _ in range(25))
    return limit(f"a window of 4000 x 3000, {name}", 1e6 * took / len(places), "us", WINDOW_MICROSECONDS[name])


def photo(width: int, height: int) -> Image.Image:
    """A photograph of that size."""
    return Image.open(Path(data_dir) / "retina.jpg").convert("RGB").resize((width, height), Image.Resampling.BICUBIC)


def kernel(picture: NDArray[np.uint8], lanes: int) -> None:
    """What seawall.hashing.pdq does, at the given width."""
    height, width, channels = picture.shape
    hasher = RowHasher(width, height, channels, lanes=lanes)
    hasher.add(picture)
    hasher.finish()


# Each turn works for about this long, so that a clock's grain and the other's leavings in the caches count little.
TURN = 0.02  # seconds


def interleaved(ours: Callable[[], object], peer: Callable[[], object], turns: int) -> tuple[float, float]:
    """Median seconds a call of each, run in turns, so that whatever disturbs the machine disturbs both."""
    calls = [max(1, round(TURN / _seconds(work, 1))) for work in (ours, peer)]
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        for seconds, work, times in zip(took, (ours, peer), calls, strict=True):
            seconds.append(_seconds(work, times) / times)
    return statistics.median(took[0]), statistics.median(took[1])


def _seconds(work: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - began


def row(what: str, ours: float, peer: float, target: float, *, peer_name: str) -> Row:
    """A figure in milliseconds whose target is a ratio: the peer's time over ours."""
    return {
        "what": what,
        "ours": ours,
        "peer": peer,
        "peer_name": peer_name,
        "ratio": peer / ours,
        "unit": "ms",
        "target": f">= {target}x",
        "met": peer / ours >= target,
    }


def limit(what: str, ours: float, unit: str, most: float) -> Row:
    """A figure that has no peer, and the most it may be."""
    return {
        "what": what,
        "ours": ours,
        "peer": None,
        "peer_name": None,
        "ratio": None,
        "unit": unit,
        "target": f"<= {most} {unit}",
        "met": ours <= most,
    }
