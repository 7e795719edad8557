"""Uploads that show nothing of the bank: other photographs, drawings, night skies, and pictures out of a formula."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from bench._attacks import ATTACKS, Draw, upload
from bench._entries import edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench._pictures import Picture

    Pixels = NDArray[np.uint8]

SIDE = 800  # pixels of the pictures that are cut and edited
WHOLE_FILES = 10  # one of so many edits of photographs goes the whole way: an attack of the table, encoded, decoded


class Edits:
    """Crops of pictures, lighter or darker; every tenth a file as an attacker would make it. Each by its number."""

    def __init__(self, name: str, pictures: Sequence[Picture]) -> None:
        self._name, self._pictures = name, pictures
        self._shown: list[Image.Image] | None = None

    def __call__(self, number: int) -> Pixels:
        """The same pixels whenever that number is asked for."""
        if self._shown is None:
            self._shown = [_small(picture) for picture in self._pictures]
        random = np.random.default_rng([len(self._name), number])
        image = self._shown[number % len(self._shown)]
        if number // len(self._shown) % WHOLE_FILES:
            return edit(np.asarray(image), random)
        attack = ATTACKS[int(random.integers(len(ATTACKS)))]
        draw = Draw(f"negative {self._name} {number}", True, self._shown)  # noqa: FBT003 - unseen
        return decoded(upload(attack, image, draw))


def _small(picture: Picture) -> Image.Image:
    image = picture.image()
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return image


def formula(number: int) -> Pixels:
    """Skies, gradients, clouds, stripes, noise, lines of words: what resembles everything and nothing."""
    random = np.random.default_rng([20261123, number])
    size = (int(random.integers(300, 800)), int(random.integers(300, 800)))
    return FORMULAS[number % len(FORMULAS)](size, random)


def decoded(content: bytes) -> Pixels:
    """What the gate sees of a file."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def _gradient(size: tuple[int, int], random: np.random.Generator) -> Pixels:
    down, across = np.indices(size, np.float32)
    slope = random.normal(0, 1, 2)
    ramp = down * slope[0] / size[0] + across * slope[1] / size[1]
    return _levels(ramp + random.normal(0, 0.003, size))


def _sky(size: tuple[int, int], random: np.random.Generator) -> Pixels:
    """Light towards the horizon, a land below it, perhaps a sun."""
    down, across = np.indices(size, np.float32)
    sky = (down / size[0]) ** random.uniform(0.5, 2)
    if random.random() < 0.5:
        sun = random.random(2) * size
        sky += np.exp(-((down - sun[0]) ** 2 + (across - sun[1]) ** 2) / random.uniform(200, 9000))
    land = size[0] * random.uniform(0.6, 0.95) + _waves(size[1], random)
    sky[down > land] = random.uniform(0, 0.4)
    return _levels(sky + 0.15 * _cloud(size, random) + random.normal(0, 0.005, size))


def _clouds(size: tuple[int, int], random: np.random.Generator) -> Pixels:
    return _levels(_cloud(size, random))


def _stripes(size: tuple[int, int], random: np.random.Generator) -> Pixels:
    down, across = np.indices(size, np.float32)
    angle, period = random.uniform(0, np.pi), random.uniform(6, 200)
    return _levels(np.sin((down * np.sin(angle) + across * np.cos(angle)) * 2 * np.pi / period))


def _noise(size: tuple[int, int], random: np.random.Generator) -> Pixels:
    coarse = random.random(tuple(max(2, side // int(random.integers(1, 60))) for side in size))
    return np.asarray(Image.fromarray((255 * coarse).astype(np.uint8)).resize(size[::-1], Image.Resampling.BICUBIC))


def _page(size: tuple[int, int], random: np.random.Generator) -> Pixels:
    """Lines of words, without letters."""
    page = np.full(size, 245, np.uint8)
    line = int(random.integers(8, 26))
    for top in range(line, size[0] - line, 2 * line):
        left = line
        while left < size[1] - 4 * line:
            right = left + int(random.integers(line, 5 * line))
            page[top : top + line, left : min(right, size[1] - line)] = random.integers(10, 90)
            left = right + line // 2
    return page


FORMULAS = (_gradient, _sky, _clouds, _stripes, _noise, _page)


def _cloud(size: tuple[int, int], random: np.random.Generator) -> NDArray[np.float32]:
    total = np.zeros(size, np.float32)
    for octave in range(1, 7):
        coarse = random.standard_normal((2**octave, 2**octave)).astype(np.float32)
        total += np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC)) / 2**octave
    return total


def _waves(length: int, random: np.random.Generator) -> NDArray[np.float64]:
    across = np.arange(length)
    return sum(
        (random.uniform(2, 30) * np.sin(across / random.uniform(10, 120) + random.uniform(0, 6)) for _ in range(3)),
        np.zeros(length),
    )


def _levels(values: NDArray[np.floating]) -> Pixels:
    low, high = float(values.min()), float(values.max())
    return ((values - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)
