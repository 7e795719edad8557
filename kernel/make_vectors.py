"""Write kernel/vectors.json anew: pictures in words, and their fingerprints by reference.py.

    python -m kernel.make_vectors

A change here that alters an existing fingerprint is a new fingerprint version, not a correction.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from kernel import reference

VECTORS = Path(__file__).with_name("vectors.json")

PATTERNS = {
    "xorshift": "state starts as seed; a step is state ^= state << 13, state ^= state >> 17, state ^= state << 5 in 32 "
    "unsigned bits; a byte is the state's top 8 bits after a step",
    "noise": "every byte of the picture from xorshift, row by row, red, green, blue",
    "flat": "every pixel is `color`",
    "ramp": "red x * 255 div (width - 1), green y * 255 div (height - 1), blue (x + y) mod 256",
    "stripes": "white where (x div period) is odd, else black",
    "steps": "all three channels 51 * ((x * 5 div width + y * 5 div height) mod 6)",
    "clouds": "a lattice of 9 x 9 colours from xorshift, row by row, red, green, blue; u = x * 2048 div width, v = "
    "y * 2048 div height; with p = u mod 256, q = v mod 256 and the colours a (at column u div 256, row v div 256), "
    "b (a column on), c (a row on), d (both): "
    "((a * (256 - p) + b * p) * (256 - q) + (c * (256 - p) + d * p) * q) div 65536",
}

# Around every boundary: 5 is the least side; below 65 neighbouring samples share pixels; the box window w grows by one
# after each multiple of 128 and an even w cuts the last window short; an odd width leaves every word's end ragged; rows
# of 33,000 and more weigh above 257 and fill a round alone; 65,535 is the longest side.
SIZES = [
    (5, 5), (5, 64), (63, 64), (64, 64), (65, 64), (64, 65), (127, 128), (128, 128), (129, 127), (129, 129),
    (255, 257), (256, 256), (257, 255), (384, 385), (511, 200), (512, 512), (641, 479), (37, 1000), (1000, 37),
    (5, 4000), (4000, 5), (33000, 5), (5, 33001), (6, 65535), (65535, 5),
]  # fmt: skip
MOST_NOISE = 100_000  # pixels: noise is slow to make in plain Python
WITHOUT_HASH = [(4, 4), (4, 5), (5, 4), (1, 1000), (65536, 5), (5, 65536), (65535, 4097)]

# Of whole pictures and of parts: within a cell's breadth of an edge, over it, tall, wide, just large enough and
# just not (5 cells). 1201 x 877 is above 2^20 pixels, so cells are 2 x 2 pixels, but fewer at the right and below.
VIEWS: list[tuple[int, int, list[float]]] = [
    (5, 5, [0, 0, 1, 1]),
    (64, 64, [0, 0, 1, 1]),
    (64, 64, [0.25, 0.125, 0.75, 0.8125]),
    (65, 129, [0.1, 0.2, 0.9, 0.7]),
    (200, 150, [-0.5, 0.3, 0.6, 1.5]),
    (300, 256, [0.0117, 0.0078, 0.9883, 0.9961]),
    (300, 256, [0.5, 0.25, 0.516666666666667, 0.75]),
    (300, 256, [0.5, 0.25, 0.516666666666666, 0.75]),
    (641, 479, [0.36, 0.0, 0.72, 0.36]),
    (37, 1000, [0, 0.4, 1, 0.6]),
    (1201, 877, [0, 0, 1, 1]),
    (1201, 877, [0.64, 0.64, 1, 1]),
    (1201, 877, [0.013, 0.5, 0.987, 0.61]),
]


def pictures() -> list[dict[str, Any]]:
    """Every picture of the suite, in words."""
    made: list[dict[str, Any]] = [
        {"width": width, "height": height, "pattern": pattern, "seed": 1 + 7 * at}
        for at, (width, height) in enumerate(SIZES)
        for pattern in ("clouds", "noise")
        if pattern == "clouds" or width * height < MOST_NOISE
    ]
    for width, height in [(64, 64), (129, 200), (256, 300)]:
        made += [
            {"width": width, "height": height, "pattern": "flat", "color": color}
            for color in ([0, 0, 0], [255, 255, 255], [200, 30, 77])
        ]
        made += [{"width": width, "height": height, "pattern": "stripes", "period": period} for period in (1, 8, 31)]
        made += [{"width": width, "height": height, "pattern": pattern} for pattern in ("ramp", "steps")]
    return made


def views_of_pictures() -> list[dict[str, Any]]:
    """Every rectangle of the suite, fractions of a picture in words."""
    return [
        {"width": width, "height": height, "pattern": "clouds", "seed": width, "rectangle": rectangle}
        for width, height, rectangle in VIEWS
    ]


def pixels(picture: dict[str, Any]) -> bytes:
    """The picture's red, green, blue bytes, as PATTERNS says. Drawn once: plain Python is slow."""
    return _drawn(
        json.dumps({key: value for key, value in picture.items() if key not in {"pdq", "quality", "rectangle"}})
    )


@cache
def _drawn(words: str) -> bytes:
    picture = json.loads(words)
    width, height = picture["width"], picture["height"]
    at = ((x, y) for y in range(height) for x in range(width))
    match picture["pattern"]:
        case "noise":
            return xorshift(picture["seed"], 3 * width * height)
        case "flat":
            color: list[int] = picture["color"]
            return bytes(color) * (int(width) * int(height))
        case "ramp":
            return bytes(
                channel for x, y in at for channel in (x * 255 // (width - 1), y * 255 // (height - 1), (x + y) % 256)
            )
        case "stripes":
            return b"".join((b"\x00" * 3, b"\xff" * 3)[x // picture["period"] % 2] for x, _ in at)
        case "steps":
            return b"".join(bytes([51 * ((x * 5 // width + y * 5 // height) % 6)]) * 3 for x, y in at)
        case "clouds":
            return _clouds(width, height, xorshift(picture["seed"], 9 * 9 * 3))
    raise ValueError(picture["pattern"])


def xorshift(state: int, n: int) -> bytes:
    """Bytes of PATTERNS["xorshift"]."""
    made = bytearray()
    for _ in range(n):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        made.append(state >> 24)
    return bytes(made)


def _clouds(width: int, height: int, lattice: bytes) -> bytes:
    made = bytearray()
    for y in range(height):
        row, q = divmod(y * 2048 // height, 256)
        for x in range(width):
            column, p = divmod(x * 2048 // width, 256)
            first = 27 * row + 3 * column
            for a in range(first, first + 3):
                above = lattice[a] * (256 - p) + lattice[a + 3] * p
                below = lattice[a + 27] * (256 - p) + lattice[a + 30] * p
                made.append((above * (256 - q) + below * q) >> 16)
    return bytes(made)


def main() -> None:
    """Write the file."""
    vectors = []
    for picture in pictures():
        hashes, quality = reference.fingerprint(picture["width"], picture["height"], pixels(picture))
        vectors.append({**picture, "quality": quality, "pdq": hashes})
    views = []
    for view in views_of_pictures():
        hashes, quality = reference.view(view["width"], view["height"], pixels(view), tuple(view["rectangle"]))
        views.append({**view, "quality": quality, "pdq": hashes})
    about = "The eight hashes are in the order of kernel/pdq.h; the first is the fingerprint."
    lines, seen = (",\n".join(json.dumps(vector) for vector in suite) for suite in (vectors, views))
    VECTORS.write_text(
        f'{{"about": {json.dumps(about)},\n"patterns": {json.dumps(PATTERNS, indent=1)},\n'
        f'"refused": {json.dumps(WITHOUT_HASH)},\n"vectors": [\n{lines}\n],\n"views": [\n{seen}\n]}}\n',
        encoding="utf-8",
    )
    print(f"{len(vectors)} vectors, {len(views)} views")


if __name__ == "__main__":
    main()
