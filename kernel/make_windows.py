"""Design the windows of a picture that are fingerprinted (windows.h) and the windows of an upload that are looked up.

    python kernel/make_windows.py          writes kernel/windows.h and src/seawall/matching/query_windows.py

A crop C keeps a rectangle of the original, off any grid. It is found when a window q of the crop lies nearly where a
registered window r of the original lies: then their fingerprints are near. Neither set alone can be dense enough in
the four dimensions of a crop, but each pair (r, q) stands for another crop, so 100 x 60 windows stand for 6,000.
Both sets are chosen in turn, greedily, so that the most of many random crops are found; the seed is fixed.

The registered windows are a format: docs/spec names their version, and other values need another one. The looked-up
windows are the gate's own business and may be designed anew at any time.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

KERNEL = Path(__file__).resolve().parent
HEADER = KERNEL / "windows.h"
QUERIES = KERNEL.parent / "src" / "seawall" / "matching" / "query_windows.py"

SEED = 20261123
REGISTERED, LOOKED_UP = 100, 240
MOST_LOOKED_UP = 600  # in the end, the most useful first; a gate takes as many as it has time for
ROUNDS = 4
CROPS, CANDIDATES = 6_000, 2_500

# Bits by which PDQ moves per window side that a window is off its place, and per e-fold that it is off its size:
# measured on 272 photographs; a shift of 1 % moves 24 bits, a scale of 3 % on both axes 28.
SHIFT_BITS, SCALE_BITS = 2350.0, 700.0

# Bits of difference allowed to geometry. Compression takes about ten more, and a search is at 40 to 48.
NEAR = 33.0

# A crop found twice still counts a little: the first window may lie under a sticker, or be flat.
SECOND = 0.1

# The share of crops that change the picture's shape.
SKEWED = 1 / 3

# The share of crops that keep 57 to 70 % of a side: many windows serve few of them, so they must count for more.
HARD = 0.6

ONE = 65_536
ABOVE_QUERIES = '''"""Windows of an upload that are looked up, in 65,536ths of its sides (kernel/make_windows.py)."""
'''
TILES, TILE_SIDE = 5, 0.3


def crops(random: np.random.Generator) -> np.ndarray:
    """Centre and size (CROPS, 4) of what is kept: 57 to 97 % of each side, of a third more of the one."""
    off = np.repeat(
        np.where(
            random.random((CROPS, 1)) < HARD,
            random.uniform(0.3, 0.43, (CROPS, 1)),
            random.uniform(0.03, 0.3, (CROPS, 1)),
        ),
        2,
        1,
    )
    skewed = np.flatnonzero(random.random(CROPS) < SKEWED)
    off[skewed, random.integers(0, 2, skewed.size)] *= random.uniform(0.3, 1, skewed.size)
    size = 1 - off
    return np.hstack([size / 2 + random.random((CROPS, 2)) * (1 - size), size]).astype(np.float32)


def candidates(random: np.random.Generator, least: float) -> np.ndarray:
    """Centre and size (CANDIDATES, 4) of windows to choose from; the whole is the first."""
    side = random.uniform(least, 1.0, (CANDIDATES, 1)) ** 1.3
    size = np.clip(side * np.exp(random.normal(0, 0.09, (CANDIDATES, 2))), least, 1.0)
    made = np.hstack([size / 2 + random.random((CANDIDATES, 2)) * (1 - size), size])
    made[0] = 0.5, 0.5, 1.0, 1.0
    return made.astype(np.float32)


def placed(crop: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Where windows of the crop lie in the original: (crops, windows, 4)."""
    centre = crop[:, None, :2] + (windows[None, :, :2] - 0.5) * crop[:, None, 2:]
    return np.concatenate([centre, windows[None, :, 2:] * crop[:, None, 2:]], axis=2)


def near(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether windows (N, 4) lie so near registered ones (N, 4) or (4,) that their fingerprints are near."""
    shift = (one[:, :2] - other[..., :2]) / other[..., 2:] * SHIFT_BITS
    scale = np.log(one[:, 2:] / other[..., 2:]) * SCALE_BITS
    return np.asarray((shift**2).sum(1) + (scale**2).sum(1) < NEAR**2)


def found_by_registered(crop: np.ndarray, choice: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """(choice, crops): which crops each registered window would find together with any looked-up one."""
    found = np.zeros((len(choice), len(crop)), bool)
    here = placed(crop, queries).reshape(-1, 4)
    order = np.argsort(here[:, 0])
    here = here[order]
    reach = NEAR / SHIFT_BITS * choice[:, 2]
    begins = np.searchsorted(here[:, 0], choice[:, 0] - reach)
    ends = np.searchsorted(here[:, 0], choice[:, 0] + reach)
    for at, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        close = near(here[begin:end], choice[at])
        found[at, order[begin:end][close] // len(queries)] = True
    return found


def found_by_queries(crop: np.ndarray, choice: np.ndarray, registered: np.ndarray) -> np.ndarray:
    """(choice, crops): which crops each looked-up window would find together with any registered one."""
    found = np.zeros((len(choice), len(crop)), bool)
    for at, window in enumerate(choice):
        here = placed(crop, window[None])[:, 0]
        rows, columns = np.nonzero(np.abs(here[:, None, 0] - registered[:, 0]) < NEAR / SHIFT_BITS * registered[:, 2])
        found[at, rows[near(here[rows], registered[columns])]] = True
    return found


def greedy(found: np.ndarray, count: int, first: list[int]) -> list[int]:
    """Rows of `found` that together find the most; the gain of a second finding is `SECOND`."""
    chosen: list[int] = []
    times = np.zeros(found.shape[1], np.int32)
    while len(chosen) < count:
        worth = np.choose(np.minimum(times, 2), [1.0, SECOND, 0.0]).astype(np.float32)
        gain = found @ worth
        gain[chosen] = -1
        best = first[len(chosen)] if len(chosen) < len(first) else int(gain.argmax())
        chosen.append(best)
        times += found[best]
    return chosen


def parts() -> np.ndarray:
    """Windows chosen by hand, which a caption or a sticker elsewhere leaves whole: nine of a half, and six bands."""
    third = (0.23, 0.5, 0.77)
    nine = [[x, y, 0.46, 0.46] for y in third for x in third]
    bands = [[at, 0.5, 0.5, 1.0] for at in (0.25, 0.5, 0.75)] + [[0.5, at, 1.0, 0.5] for at in (0.25, 0.5, 0.75)]
    return np.array(nine + bands, np.float32)


def edges() -> np.ndarray:
    """What a large sticker in the middle leaves whole: narrow bands along the sides, and the corners."""
    bands = [[0.12, 0.5, 0.24, 1.0], [0.88, 0.5, 0.24, 1.0], [0.5, 0.12, 1.0, 0.24], [0.5, 0.88, 1.0, 0.24]]
    return np.array(bands + [[x, y, 0.36, 0.36] for x in (0.18, 0.82) for y in (0.18, 0.82)], np.float32)


def design() -> tuple[np.ndarray, np.ndarray, str]:
    """The registered windows, the looked-up ones (the whole first), and what the model says of them."""
    random = np.random.default_rng(SEED)
    queries = candidates(random, 0.35)[:LOOKED_UP]
    for _ in range(ROUNDS):
        crop = crops(random)
        choice = np.vstack([parts(), candidates(random, 0.3)[1:]])  # the whole is registered anyway
        first = list(range(len(parts())))
        registered = choice[greedy(found_by_registered(crop, choice, queries), REGISTERED, first)]
        choice = candidates(random, 0.35)
        queries = choice[greedy(found_by_queries(crop, choice, registered), LOOKED_UP, [0])]
    registered = np.vstack([as_written(registered[: -len(edges())]), edges()])
    queries, words = looked_up(registered)
    return registered, queries, words


def looked_up(registered: np.ndarray) -> tuple[np.ndarray, str]:
    """The windows to look up for these registered ones, the most useful first, and what the model says of them."""
    random = np.random.default_rng(SEED + 1)
    crop, choice = crops(random), np.vstack([candidates(random, 0.35), candidates(random, 0.35)[1:]])
    queries = choice[greedy(found_by_queries(crop, choice, registered), MOST_LOOKED_UP, [0])]
    found = found_by_registered(crops(random), registered, queries).any(0).mean()
    return queries, f"{found:.0%} of random crops, {HARD:.0%} of them hard"


def corners(windows: np.ndarray) -> np.ndarray:
    """x0, y0, x1, y1 as integers of 65,536."""
    edges = np.hstack([windows[:, :2] - windows[:, 2:] / 2, windows[:, :2] + windows[:, 2:] / 2])
    return np.clip(np.rint(edges * ONE), 0, ONE).astype(int)


def as_written(windows: np.ndarray) -> np.ndarray:
    """Centre and size of windows, rounded as the header has them."""
    sides = corners(windows) / ONE
    return np.hstack([(sides[:, :2] + sides[:, 2:]) / 2, sides[:, 2:] - sides[:, :2]]).astype(np.float32)


def tiles() -> np.ndarray:
    """Centre and size of the tiles, row by row."""
    at = TILE_SIDE / 2 + np.arange(TILES) / (TILES - 1) * (1 - TILE_SIDE)
    return np.array([[x, y, TILE_SIDE, TILE_SIDE] for y in at for x in at])


def main() -> None:
    """Write both tables."""
    registered, queries, words = design()
    print(f"The model finds {words}.")
    write(registered, queries)


def write(registered: np.ndarray, queries: np.ndarray) -> None:
    """Put the registered windows into the header and the looked-up ones into the module."""
    rows = corners(np.vstack([[[0.5, 0.5, 1, 1]], registered, tiles()])).tolist()
    lines = [
        ", ".join(f"{{{a:5}, {b:5}, {c:5}, {d:5}}}" for a, b, c, d in rows[at : at + 2])
        for at in range(0, len(rows), 2)
    ]
    table = "WINDOW_SIDES[126][4] = {\n    " + ",\n    ".join(lines) + ",\n};"
    HEADER.write_text(re.sub(r"WINDOW_SIDES\[126\]\[4\] = \{.*?\n\};", table, HEADER.read_text(), flags=re.DOTALL))
    sides = ",\n".join(f"    ({a}, {b}, {c}, {d})" for a, b, c, d in corners(queries).tolist())
    QUERIES.write_text(f"{ABOVE_QUERIES}\nQUERY_SIDES = (\n{sides},\n)\n")


if __name__ == "__main__":
    main()
