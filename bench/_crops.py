"""Fingerprints of natural pictures: random crops of some photographs in all eight turns, which are correlated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from skimage.data import data_dir

from seawall.hashing import USABLE_QUALITY, pdq

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The bundled pictures of scikit-image that were taken with a lens (its README.txt has their licences).
BUNDLED = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "clock_motion.png", "coffee.png",
    "coins.png", "color.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "microaneurysms.png",
    "moon.png", "motorcycle_left.png", "motorcycle_right.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip

# More photographs: Debian's mate-backgrounds (GPL-2+) and ukui-wallpapers (CC-BY-SA-3.0), nature and still life.
FOLDER = Path(os.environ.get("SEAWALL_BENCH_PHOTOS", "/usr/share/backgrounds"))
MORE = (
    "mate/nature/*.jpg", "mate/abstract/Elephants.jpg", "calla.png", "city.png", "desert.png", "goldfish.png",
    "rollpaper.png", "string.jpg", "rhythm.jpg", "the-mouse.jpg", "2004default.jpg",
)  # fmt: skip

SIDE = 400  # pixels: photographs are made this wide or high before they are cropped
LEAST = 0.4  # of a side that a crop keeps


def photos() -> list[NDArray[np.uint8]]:
    """Each photograph in gray, `SIDE` pixels at its longer side."""
    paths = [Path(data_dir) / name for name in BUNDLED] + [path for some in MORE for path in sorted(FOLDER.glob(some))]
    made = []
    for path in paths:
        with Image.open(path) as file:
            picture = file.convert("L")
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        made.append(np.asarray(picture))
    return made


def fingerprints(pictures: list[NDArray[np.uint8]], count: int, seed: int) -> NDArray[np.uint8]:
    """(count, 32): eight of each crop, of those good enough to be matched."""
    random = np.random.default_rng(seed)
    made: list[bytes] = []
    while len(made) < count:
        picture = pictures[random.integers(len(pictures))]
        kept = random.uniform(LEAST, 1, 2)
        height, width = (kept * picture.shape).astype(int)
        top, left = random.integers(0, np.array(picture.shape) - (height, width) + 1)
        print_of_crop = pdq(np.ascontiguousarray(picture[top : top + height, left : left + width]))
        if print_of_crop.quality >= USABLE_QUALITY:
            made += print_of_crop.dihedral()
    return np.frombuffer(b"".join(made[:count]), np.uint8).reshape(count, 32)
