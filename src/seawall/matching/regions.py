"""Where in an upload another picture may lie: inside a frame, a screenshot, a chat, a collage.

Three detectors that err differently, none of which needs to be right: a region that is none costs a few look-ups.
`frames` asks how far the statistics of the outermost strip reach inwards (a plain, patterned or blurred border),
`bounded` looks for four straight edges (a picture in a chat, a collage), `cut` splits at empty rows and columns.
`grid` divides the upload evenly, with gutters where it sees some and without where not. Edges are found on a plane of
half the size and then moved to the sharpest row nearby.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seawall.matching import frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[np.int64]
    Rects = NDArray[np.float64]  # (N, 4): x0, y0, x1, y1 as fractions of the plane

# A region is at least this much of each side of the upload: a third, less the gutters of a collage of 3 x 3.
LEAST_SIDE = 0.2

# In a plane lower or narrower than this nothing is looked for.
LEAST_PIXELS = 32

# Regions more alike than this (intersection over union) are searched once. A shift of 1 % of the side costs 24 bits,
# so only the nearly identical count as one.
SAME = 0.98

MOST_BOUNDED = 40


class Regions(NamedTuple):
    """What may be a picture of its own."""

    rects: Rects  # all, the likeliest first, then the grid
    best: Rects  # a few that differ, the whole upload first
    turned: (
        Rects  # where a turned picture may lie, whose sides are not straight: the whole, and what plain rows cut off
    )
    cells: Rects  # of even collages, halves and quarters first


def find(pixels: NDArray[np.uint8]) -> Regions:
    """The regions of a plane of lumas (H, W)."""
    whole = np.array([[0.0, 0.0, 1.0, 1.0]])
    if min(pixels.shape) < LEAST_PIXELS:
        cells = _cells([(0.0, 0.0)] * len(_DIVIDED), [(0.0, 0.0)] * len(_DIVIDED))
        return Regions(np.vstack([whole, cells]), whole, whole, cells)
    half = _halved(pixels)
    codes = frames.codes(half)
    judge = _Judge(half, codes)
    pieces = cut(half)
    piece = pieces[np.argsort(-judge.texture(judge.full, pieces), kind="stable")][:1]
    found = _snapped(pixels, np.vstack([_fractions(frames.nested(codes), codes), pieces, bounded(judge, half.shape)]))
    found = judge.ranked(np.vstack([_trimmed(pixels, found), found]))
    few = _distinct(found, same=_SAME_REGION)[:MOST_BEST]
    unframed = frames.without(codes, map(tuple, _in_cells(few, half.shape).tolist()))
    found = judge.ranked(np.vstack([_snapped(pixels, _fractions(unframed, half)), found]))
    found = np.vstack([whole, found])
    likely = _distinct(found)[: 1 + MOST_LIKELY]
    cells = judge.ranked(found[1:], texture=0)[: 2 * MOST_CELLS]  # small, but with the straightest sides
    found = _distinct(np.vstack([likely, cells]))[: 1 + MOST_LIKELY + MOST_CELLS]
    best = _distinct(np.vstack([found[:2], piece, found[2:]]), same=_SAME_REGION)[:MOST_BEST]
    turned = np.vstack([whole, piece, found[1:2]])[:2]
    cells = _snapped(pixels, grid(judge))
    return Regions(_distinct(np.vstack([found, cells])), best, turned, cells)


class _Judge:
    """Ranks rectangles: much texture inside, little outside that is left out, and straight edges on the sides."""

    def __init__(self, half: NDArray[np.int16], codes: NDArray[np.uint8]) -> None:
        self.down, self.across = _edges(half), _edges(half.T)
        self._shape = codes.shape
        self.strong = _integral(_TEXTURE[codes & 7])
        self.full = _integral(np.where(codes & 7, np.float32(1), np.float32(-1)))

    def ranked(self, rects: Rects, *, texture: float = 1) -> Rects:
        """Those that are large enough, the likeliest first."""
        rects = rects[((rects[:, 2:] - rects[:, :2]) >= LEAST_SIDE / 2).all(1)]
        inside = self.texture(self.strong, rects)
        x0, y0, x1, y1 = _in_cells(rects, self._shape).T
        return rects[np.argsort(-(texture * inside + _STRAIGHT * self.sides(x0, y0, x1, y1).mean(0)), kind="stable")]

    def texture(self, sums: NDArray[np.float32], rects: Rects) -> NDArray[np.float64]:
        """What the cells of each rectangle sum up to, as a fraction of all cells."""
        high, wide = self._shape
        x0, y0, x1, y1 = _in_cells(rects, self._shape).T
        return np.asarray((sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]) / (high * wide))

    def sides(self, x0: Cells, y0: Cells, x1: Cells, y1: Cells) -> NDArray[np.float64]:
        """The share of each side (4, N) that lies on an edge."""
        x, y = np.stack([x0, x1], 1), np.stack([y0, y1], 1)
        down, across = self.down, self.across
        return np.stack(
            [_support(down, y0, x), _support(down, y1, x), _support(across, x0, y), _support(across, x1, y)]
        )


def _integral(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums of all cells above and to the left, (H + 1, W + 1)."""
    sums = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1), np.float32)
    np.cumsum(np.cumsum(cells, 0, dtype=np.float64), 1, out=sums[1:, 1:])
    return sums


# What a cell counts by how much it differs from its neighbours: not at all, by 1, 2 or 3, 4 to 7 lumas, more.
_TEXTURE = np.array([-1.0, -0.5, 0.3, 1.0, 1.0, 1.0, 1.0, 1.0], np.float32)
_STRAIGHT = 0.25  # what straight sides count against texture
_SAME_REGION = 0.85
MOST_BEST = 6
MOST_LIKELY, MOST_CELLS = 30, 26


def grid(judge: _Judge) -> Rects:
    """The cells of collages of 1 x 2 to 3 x 3, of equal size and with equal gutters, where their edges are longest."""
    return _cells(_gutters(judge.across), _gutters(judge.down))


def _gutters(sums: NDArray[np.int32]) -> list[tuple[float, float]]:
    """Gutter and margin of one, two, three equal rows, as fractions of the height; none where there is little to see.

    The margin is none, or as wide as the gutter.
    """
    high = len(sums) - 1
    share = sums[:, -1] / (sums.shape[1] - 1)
    share = np.maximum(share, np.roll(share, 1)) - _A_GUTTER
    made = [(0.0, 0.0)]
    for count in _DIVIDED[1:]:
        gutters = np.arange(int(_WIDEST_GUTTER * high / count) + 1)
        best, least = (0.0, 0.0), 0.0
        for gutter in gutters.tolist():
            for margin in sorted({0, gutter}):
                row = (high - 2 * margin - (count - 1) * gutter) / count
                begins = margin + np.arange(count) * (row + gutter)
                lines = np.unique(np.rint(np.concatenate([begins, begins + row])).astype(int))
                strength = float(share[lines[(lines > 0) & (lines < high)]].sum())
                if strength > least:
                    best, least = (gutter / high, margin / high), strength
        made.append(best)
    return made


def _cells(across: list[tuple[float, float]], down: list[tuple[float, float]]) -> Rects:
    """Cells of each collage, by gutter and margin of so many columns and rows (`_gutters`)."""

    def spans(count: int, gutter: float, margin: float) -> list[tuple[float, float]]:
        side = (1 - 2 * margin - (count - 1) * gutter) / count
        return [(margin + at * (side + gutter), margin + at * (side + gutter) + side) for at in range(count)]

    cells = []
    for columns, rows in ((2, 1), (1, 2), (2, 2), (3, 1), (1, 3), (3, 2), (2, 3), (3, 3)):
        xs, ys = spans(columns, *across[columns - 1]), spans(rows, *down[rows - 1])
        cells += [(x0, y0, x1, y1) for y0, y1 in ys for x0, x1 in xs]
    return np.array(cells)


_DIVIDED = (1, 2, 3)
_WIDEST_GUTTER = 0.05  # of a cell
_A_GUTTER = 0.3  # the least share of the lines of a grid that lies on edges


# Edges


def bounded(judge: _Judge, shape: tuple[int, int]) -> Rects:
    """Rectangles with four straight edges, a side of the upload counting as half of one, the best first."""
    high, wide = shape
    ys, xs = _lines(judge.down), _lines(judge.across)
    rows = np.array([(a, b) for a in ys for b in ys if b - a >= LEAST_SIDE * high])
    columns = np.array([(a, b) for a in xs for b in xs if b - a >= LEAST_SIDE * wide])
    if not (rows.size and columns.size):
        return np.empty((0, 4))
    y, x = np.repeat(rows, len(columns), 0), np.tile(columns, (len(rows), 1))
    sides = judge.sides(x[:, 0], y[:, 0], x[:, 1], y[:, 1])
    worth = sides.min(0) + sides.mean(0)
    worth[(y[:, 1] - y[:, 0] >= high) & (x[:, 1] - x[:, 0] >= wide)] = 0  # the whole
    good = np.flatnonzero(sides.min(0) >= _SUPPORTED)
    good = good[np.argsort(-worth[good], kind="stable")][: 6 * MOST_BOUNDED]
    boxes = np.stack([x[good, 0], y[good, 0], x[good, 1], y[good, 1]], 1) / (wide, high, wide, high)
    return _distinct(boxes, same=0.955)[:MOST_BOUNDED]


# The least share of a side along which there must be an edge, and what a side of the upload itself counts as.
_SUPPORTED = 0.3
_SIDE = 0.5
_STRONG = 5  # lumas by which an edge differs
_REACH = 3  # cells to either side within which an edge must be the sharpest

_A_LINE = 0.45  # the least share of the strongest fifth of a row
MOST_LINES = 14


def _edges(half: NDArray[np.int16]) -> NDArray[np.int32]:
    """Sums along rows (H + 1, W + 1) of whether a cell lies on an edge between its row and the one before."""
    high, wide = half.shape
    change = np.zeros((high + 1, wide), np.int16)
    change[1:-1] = np.abs(half[1:] - half[:-1])
    around = np.zeros_like(change)
    around[_REACH:] = change[:-_REACH]
    np.maximum(around[:-_REACH], change[_REACH:], out=around[:-_REACH])
    edge = (change > _STRONG) & (2 * change > 3 * around)
    edge[:-1] |= edge[1:]  # an edge scaled between two rows is now in the one, now in the other
    sums = np.zeros((high + 1, wide + 1), np.int32)
    np.cumsum(edge, axis=1, out=sums[:, 1:])
    return sums


def _lines(sums: NDArray[np.int32]) -> list[int]:
    """The rows on which the longest edges lie, the first and the last row of the upload among them."""
    high, wide = sums.shape[0] - 1, sums.shape[1] - 1
    length = max(4, wide // 5)
    at = np.arange(0, wide - length + 1, max(1, length // 3))
    strength = ((sums[:, at + length] - sums[:, at]) / length).max(1)
    strength += 0.5 * sums[:, -1] / wide
    chosen: list[int] = []
    for row in np.argsort(-strength, kind="stable").tolist():
        if strength[row] < _A_LINE or len(chosen) == MOST_LINES:
            break
        if all(abs(row - other) > 2 for other in (*chosen, 0, high)):  # noqa: PLR2004 - cells
            chosen.append(row)
    return sorted({0, high, *chosen})


def _support(sums: NDArray[np.int32], at: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of each line, row `at` from column ends[0] to ends[1], that lies on an edge."""
    last = len(sums) - 1
    share = (sums[at, ends[:, 1]] - sums[at, ends[:, 0]]) / (ends[:, 1] - ends[:, 0])
    return np.where((at == 0) | (at == last), _SIDE, share)


# Empty rows and columns


def cut(half: NDArray[np.int16]) -> Rects:
    """What is left when plain rows and columns are trimmed, and the upload is split where they run through."""
    high, wide = half.shape
    found: list[tuple[int, int, int, int]] = []
    waiting = [((0, 0, wide, high), 0)]
    while waiting and len(found) < _MOST_CUTS:
        box, depth = waiting.pop(0)
        x0, y0, x1, y1 = box
        part = half[y0:y1, x0:x1]
        rows, columns = _full(part), _full(part.T)
        if not (rows and columns):
            continue
        pieces = [(x0 + left, y0 + top, x0 + right, y0 + bottom) for top, bottom in rows for left, right in columns]
        hull = (x0 + columns[0][0], y0 + rows[0][0], x0 + columns[-1][1], y0 + rows[-1][1])
        for piece in [hull, *pieces]:
            large = piece[2] - piece[0] >= LEAST_SIDE * wide and piece[3] - piece[1] >= LEAST_SIDE * high / 2
            if piece == box or not large or piece in found:
                continue
            found.append(piece)
            if depth < _DEEPEST:
                waiting.append((piece, depth + 1))
    return _fractions(found, half)


_MOST_CUTS = 24
_DEEPEST = 3
_PLAIN = 10  # lumas between the darkest and brightest of a plain row, less 2 % of its cells


def _full(part: NDArray[np.int16]) -> list[tuple[int, int]]:
    """From where to where rows are not plain; gaps of one or two rows do not count."""
    part = part[:, :: max(1, part.shape[1] // 160)]  # enough to see a line of text, and the search is half the detector
    few = max(1, part.shape[1] // 50)
    ordered = np.partition(part, [few, part.shape[1] - 1 - few], axis=1)
    full = np.concatenate([[False], ordered[:, -1 - few] - ordered[:, few] > _PLAIN, [False]])
    edges = np.flatnonzero(full[1:] != full[:-1])
    runs: list[tuple[int, int]] = []
    for begin, end in edges.reshape(-1, 2).tolist():
        if runs and begin - runs[-1][1] <= 2:  # noqa: PLR2004 - rows
            runs[-1] = (runs[-1][0], end)
        elif end - begin > 2 or (runs and begin == runs[-1][1]):  # noqa: PLR2004
            runs.append((begin, end))
    return runs


# Common to all


def _halved(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    high, wide = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2
    if min(high, wide) < 64:  # noqa: PLR2004 - cells; so small a plane is looked at as it is
        return pixels.astype(np.int16)
    sums = pixels[0:high:2].astype(np.int16)
    sums += pixels[1:high:2]
    return (sums[:, 0:wide:2] + sums[:, 1:wide:2]) >> 2


def _fractions(boxes: list[tuple[int, int, int, int]], half: NDArray[np.generic]) -> Rects:
    high, wide = half.shape
    return np.array(boxes, np.float64).reshape(-1, 4) / (wide, high, wide, high)


def _in_cells(rects: Rects, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The nearest rows and columns, (N, 4)."""
    high, wide = shape
    return np.rint(rects * (wide, high, wide, high)).astype(np.int64)


def _snapped(pixels: NDArray[np.uint8], rects: Rects) -> Rects:
    """Each side moved to the row or column of the sharpest edge within two cells."""
    high, wide = pixels.shape
    cells = _in_cells(rects, pixels.shape)
    turned = pixels.T
    made = [
        (
            _sharpest(turned, x0, y0, y1),
            _sharpest(pixels, y0, x0, x1),
            _sharpest(turned, x1, y0, y1),
            _sharpest(pixels, y1, x0, x1),
        )
        for x0, y0, x1, y1 in cells.tolist()
    ]
    return np.array(made, np.float64).reshape(-1, 4) / (wide, high, wide, high)


def _sharpest(pixels: NDArray[np.uint8], row: int, begin: int, end: int) -> int:
    """The row near `row` that differs most from the one before it, between two columns. The first and last stay."""
    if row <= 1 or row >= len(pixels) - 1:
        return 0 if row <= 1 else len(pixels)
    low, high = max(1, row - 2), min(len(pixels), row + 3)
    near = pixels[low - 1 : high, begin : end : max(1, (end - begin) // 128)].astype(np.int16)
    return low + int(np.abs(near[1:] - near[:-1]).clip(max=32).sum(1).argmax())


def _trimmed(pixels: NDArray[np.uint8], rects: Rects) -> Rects:
    """Each rectangle less plain rows and columns just inside its sides: the rim of a bubble in a chat."""
    high, wide = pixels.shape
    turned = pixels.T
    made = []
    for x0, y0, x1, y1 in _in_cells(rects, pixels.shape).tolist():
        deep, far = max(2, (y1 - y0) // _RIM), max(2, (x1 - x0) // _RIM)
        top = _plain(pixels[y0 : y0 + deep, x0:x1])
        bottom = _plain(pixels[y1 - deep : y1, x0:x1][::-1])
        left = _plain(turned[x0 : x0 + far, y0:y1])
        right = _plain(turned[x1 - far : x1, y0:y1][::-1])
        made.append((x0 + left, y0 + top, x1 - right, y1 - bottom))
    return np.array(made, np.float64).reshape(-1, 4) / (wide, high, wide, high)


_RIM = 20  # a rim is at most this fraction of a side


def _plain(rows: NDArray[np.uint8]) -> int:
    """How many of the first rows are plain, but for what lies on their ends; 0 if all are."""
    margin = rows.shape[1] // 16
    inner = rows[:, margin : rows.shape[1] - margin : max(1, rows.shape[1] // 128)]
    full = inner.max(1).astype(np.int16) - inner.min(1) > 2 * _PLAIN
    return int(full.argmax()) if full.any() else 0


def _distinct(rects: Rects, same: float = SAME) -> Rects:
    """Each rectangle once: those that overlap an earlier one almost wholly are left out."""
    alike = overlap(rects[:, None], rects) >= same
    left = np.ones(len(rects), bool)
    kept = []
    for at in range(len(rects)):
        if left[at]:
            kept.append(at)
            left &= ~alike[at]
    return rects[kept]


def overlap(one: NDArray[np.float64], others: Rects) -> NDArray[np.float64]:
    """Intersection over union of a rectangle (4,) and others (N, 4), or of each of (M, 1, 4) and all others (M, N)."""
    low, high = np.maximum(one[..., :2], others[:, :2]), np.minimum(one[..., 2:], others[:, 2:])
    size = np.clip(high - low, 0, None)
    common = size[..., 0] * size[..., 1]
    areas = _area(others) + _area(one)
    return np.asarray(common / (areas - common))


def _area(rects: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((rects[..., 2] - rects[..., 0]) * (rects[..., 3] - rects[..., 1]))
