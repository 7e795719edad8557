"""What a thief could draw from fingerprints: a simple attack, whose results are docs/pictures/likeness.png.

    python -m bench.likeness

Each bit of a fingerprint says whether one frequency of one rectangle is above the median. We look for the picture that
says the same, among pictures whose frequencies fall off as those of photographs do (gradient descent on a logistic
loss). Nothing is learnt from other pictures: whoever trains a network for it will do better.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.fft import dctn, idctn  # type: ignore[import-untyped]
from skimage.data import data_dir

from seawall.hashing import Plane
from seawall.hashing.native import WINDOWS, window_rectangles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

PICTURES = ("chelsea.png", "coffee.png")
DRAWN = Path(__file__).parents[1] / "docs" / "pictures" / "likeness.png"
SIDE = 64  # of what is drawn
FINER = 16  # steps of a pixel in which tents are summed
STEPS = 400


def operator(begin: float, end: float) -> Numbers:
    """(16, SIDE): one side's pixels to PDQ's 16 frequencies of begin..end."""
    at = (np.arange(SIDE * FINER) + 0.5) / (SIDE * FINER)
    base = (end - begin) / 64
    middles = begin + (np.arange(64)[:, None] + 0.5) * base
    tents = np.maximum(0, 1 - np.abs(at - middles) / (base / 2)) + 1e-12
    tents = (tents / tents.sum(1, keepdims=True)).reshape(64, SIDE, FINER).sum(2)
    cosines = np.cos(np.pi / 128 * (np.arange(16)[:, None] + 1) * (2 * np.arange(64) + 1)) / np.sqrt(32)
    drawn: Numbers = cosines @ tents
    return drawn


def draw(windows: bytes, slots: list[int]) -> Numbers:
    """(SIDE, SIDE): the picture that those windows' bits describe, its brightness and contrast unknown."""
    table = np.frombuffer(windows, np.uint8).reshape(WINDOWS, 33)
    slots = [slot for slot in slots if table[slot, 32]]
    signs = np.stack([np.unpackbits(table[slot, :32])[::-1].reshape(16, 16) * 2.0 - 1 for slot in slots])
    places = window_rectangles()[slots]
    down = np.stack([operator(top, bottom) for _, top, _, bottom in places])
    across = np.stack([operator(left, right) for left, _, right, _ in places])
    falling = (1 + np.hypot(*np.mgrid[:SIDE, :SIDE])) ** -1.2
    falling[0, 0] = 0
    guess, mean, square = (np.zeros((SIDE, SIDE)) for _ in range(3))
    for step in range(1, STEPS + 1):
        picture = idctn(guess * falling, norm="ortho")
        b = down @ picture @ across.transpose(0, 2, 1)
        spread = np.abs(b).mean((1, 2), keepdims=True) + 1e-6
        wrong = -signs / (1 + np.exp(np.clip(2 * signs * b / spread, -30, 30))) / spread
        slope = dctn((down.transpose(0, 2, 1) @ wrong @ across).sum(0), norm="ortho") * falling / len(slots)
        slope += 1e-3 * guess
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        guess -= 0.05 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-9)
    made: Numbers = idctn(guess * falling, norm="ortho")
    return made


def row(name: str) -> Numbers:
    """A photograph beside what is drawn from `pdq1` (the first window stands for it) and from `windows1`."""
    rgb = np.asarray(Image.open(Path(data_dir) / name).convert("RGB"))
    true = np.asarray(Image.fromarray(rgb).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), float)
    windows = Plane.of(rgb).registered()
    drawn = [draw(windows, slots) for slots in ([0], list(range(WINDOWS)))]
    same_light = [(each - each.mean()) / each.std() * true.std() + true.mean() for each in drawn]
    side_by_side: Numbers = np.clip(np.hstack([true, *same_light]), 0, 255)
    return side_by_side


def main() -> None:
    """Draw them."""
    sheet = Image.fromarray(np.vstack([row(name) for name in PICTURES]).astype(np.uint8))
    sheet.resize((sheet.width * 3, sheet.height * 3), Image.Resampling.BICUBIC).save(DRAWN, optimize=True)


if __name__ == "__main__":
    main()
