"""Borders around a picture, plain, patterned or blurred: as far inwards as the outermost strip's statistics reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in cells


def codes(cells: NDArray[np.int16]) -> NDArray[np.uint8]:
    """What a cell looks like, 0 to 127: its luma in 16 steps, and how much it differs from its neighbours in 8."""
    change = np.zeros(cells.shape, np.int16)
    change[:, 1:] = np.abs(cells[:, 1:] - cells[:, :-1])
    change[1:] = np.maximum(change[1:], np.abs(cells[1:] - cells[:-1]))
    return ((cells >> 4) << 3).astype(np.uint8) | _STEPS[change]


_STEPS = np.searchsorted([1, 2, 4, 8, 16, 32, 64], np.arange(512), side="right").astype(np.uint8)


def nested(codes: NDArray[np.uint8]) -> list[Box]:
    """The upload without its border, if a border it has; and inside that, without a further one."""
    found = []
    box = (0, 0, codes.shape[1], codes.shape[0])
    for _ in range(3):
        inner = _without(codes, box)
        if inner == box or min(inner[2] - inner[0], inner[3] - inner[1]) < _NARROW:
            break
        box = inner
        found.append(box)
    return found


def without(codes: NDArray[np.uint8], boxes: Iterable[Box]) -> list[Box]:
    """Each box less the border that it has itself: three sides may be sharp, and the fourth only another texture."""
    inner = [_without(codes, box) for box in boxes]
    return [box for box in inner if min(box[2] - box[0], box[3] - box[1]) > _NARROW]


_NARROW = 16  # cells


def _without(codes: NDArray[np.uint8], box: Box) -> Box:
    """`box` less the strips along its sides that look more like its outermost strip than like its middle."""
    x0, y0, x1, y1 = box
    inside = codes[y0:y1, x0:x1]
    high, wide = inside.shape
    middle = inside[high * 3 // 10 : high * 7 // 10 + 1, wide * 3 // 10 : wide * 7 // 10 + 1]
    top = _border(inside[:, wide // 4 : wide * 3 // 4 + 1], middle)
    bottom = _border(inside[::-1, wide // 4 : wide * 3 // 4 + 1], middle)
    left = _border(inside[high // 4 : high * 3 // 4 + 1].T, middle)
    right = _border(inside[high // 4 : high * 3 // 4 + 1, ::-1].T, middle)
    return x0 + left, y0 + top, x1 - right, y1 - bottom


# A border is believed if its rows are this much likelier under the outermost strip's statistics, in nats a cell.
_BELIEVED = 0.5


def _border(rows: NDArray[np.uint8], middle: NDArray[np.uint8]) -> int:
    """How many of the first rows belong to the border: where the sum of log likelihood ratios is highest."""
    strip = rows[: max(3, len(rows) // 40)]
    outer = np.bincount(strip.ravel(), minlength=128) + 0.5
    inner = np.bincount(middle.ravel(), minlength=128) + 0.5
    likelier = np.log(outer / outer.sum()) - np.log(inner / inner.sum())
    a_row = np.clip(likelier, -4, 4).astype(np.float32)[rows[: len(rows) * 9 // 20]].mean(1)
    sums = np.cumsum(a_row)
    end = int(sums.argmax()) + 1
    return end if sums[end - 1] > _BELIEVED * end and end > len(strip) // 2 else 0
