"""A drawn landscape, so that the demo and the benchmarks need nobody's photograph."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def landscape(seed: int, width: int = 1600, height: int = 1200) -> Image.Image:
    """A (width, height) RGB landscape: sky, sun, ridges, trees and grain. The same seed draws the same picture."""
    rng = np.random.default_rng(seed)
    top, bottom = rng.integers(60, 255, (2, 3))
    fade = np.linspace(0, 1, height)[:, None, None]
    picture = Image.fromarray(np.broadcast_to(top * (1 - fade) + bottom * fade, (height, width, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    x, y, r = rng.uniform(0.1, 0.9) * width, rng.uniform(0.08, 0.35) * height, rng.uniform(0.04, 0.1) * height
    draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(int(c) for c in rng.integers(200, 256, 3)))
    for ridge in range(5):
        _ridge(draw, rng, width, height, level=0.35 + 0.13 * ridge)
    picture = picture.filter(ImageFilter.GaussianBlur(1.2))
    grain = rng.normal(0, 6, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def _ridge(draw: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, height: int, *, level: float) -> None:
    """One range of hills with trees on it, from the left edge to the right."""
    x = np.linspace(0, 1, 200)
    line = sum(
        rng.uniform(0.01, 0.06) * np.sin(2 * np.pi * (f * x + rng.uniform())) for f in rng.uniform(0.5, 6, size=5)
    )
    y = (level + line) * height
    colour = tuple(int(c) for c in rng.integers(15, 190, 3))
    draw.polygon([(0, height), *zip(x * width, y, strict=True), (width, height)], fill=colour)
    for place in rng.integers(0, 200, 25):
        tall = rng.uniform(0.02, 0.12) * height
        foot_x, foot_y = x[place] * width, y[place]
        shade = tuple(int(c) for c in rng.integers(0, 140, 3))
        draw.polygon([(foot_x - tall / 4, foot_y), (foot_x + tall / 4, foot_y), (foot_x, foot_y - tall)], fill=shade)
