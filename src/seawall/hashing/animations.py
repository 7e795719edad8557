"""The frames of an animation behind its first, which alone is its fingerprint (docs/spec/fingerprint.md, section 1).

Whoever looks an upload up looks at these, too: a black first frame must not hide the others.
"""

from __future__ import annotations

import io
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from seawall.hashing.perceptual import Pdq, pdq

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Shown = NDArray[np.uint8]  # (h, w, 3)

_FORMATS = ("GIF", "PNG", "WEBP", "AVIF")
# Together some seconds of decoding. A frame of more is not looked at, because decoders hold several of them.
MOST_PIXELS, MOST_FRAMES = 200_000_000, 2000
_MOST_OF_A_FRAME = 10_000_000


class NotWhole(ValueError):
    """There are more frames than were given: they are damaged, too large or too many."""


def later_frames(content: bytes) -> Iterator[Pdq]:
    """Fingerprints of the second frame and those after it; none of a picture that does not move.

    ``content``: a file whose first frame was decoded already.

    :raises NotWhole: after those that could be had
    """
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    except Exception:  # noqa: BLE001 - of another kind, which does not move
        return
    area = image.width * image.height
    most = min(MOST_FRAMES, MOST_PIXELS // area) if area <= _MOST_OF_A_FRAME else 0
    for number in count(1):
        shown = _frame(image, number, most)
        if shown is None:
            return
        yield pdq(shown)


def _frame(image: Image.Image, number: int, most: int) -> Shown | None:
    """That frame; None if there are no more.

    :raises NotWhole: it cannot be had
    """
    try:
        image.seek(number)
        if number <= most:
            return _on_white(image)
    except EOFError:
        return None
    except Exception as error:  # decoders do not say what they raise for a damaged file
        raise NotWhole from error
    raise NotWhole


def _on_white(image: Image.Image) -> Shown:
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return np.asarray(white.convert("RGB"))
