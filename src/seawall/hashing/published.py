"""vPDQ as the published tools write it: the text of their C++ command, and the JSON of `threatexchange`.

Text: a line a frame, `number,quality,hash,seconds`. JSON: a list of `"hash,quality,seconds"`. They keep plain frames
and repeated hashes too; reading leaves both out, as their own matching does. The number of a frame is how many were
kept before it, where theirs counts every frame of the video; neither tool compares it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from seawall.hashing.perceptual import USABLE_QUALITY, Pdq
from seawall.hashing.videos import MOST_FRAMES, Frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SECONDS = r"([0-9]{1,9}(?:\.[0-9]{0,20})?(?:e[+-]?0?[0-9])?)"
_FRAME = re.compile(rf"([0-9A-Fa-f]{{64}}),([0-9]{{1,3}}),{_SECONDS}", re.ASCII)
_LINE = re.compile(rf"[0-9]+,([0-9]{{1,3}}),([0-9A-Fa-f]{{64}}),{_SECONDS}", re.ASCII)
_BEST = 100


class NotVpdq(ValueError):
    """Something is not vPDQ as published. The message says where."""


def to_text(frames: Sequence[Frame]) -> str:
    """A line a frame."""
    return "".join(
        f"{number},{frame.pdq.quality},{frame.pdq.hex},{frame.t / 1000:.3f}\n" for number, frame in enumerate(frames)
    )


def to_json(frames: Sequence[Frame]) -> str:
    """One JSON list, on one line."""
    return json.dumps([f"{frame.pdq.hex},{frame.pdq.quality},{frame.t / 1000:.3f}" for frame in frames])


def read(content: str) -> tuple[Frame, ...]:
    """The frames of either form.

    :raises NotVpdq: it is neither
    """
    if not content.lstrip().startswith("["):
        return _kept(_of_line(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip())
    try:
        said = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotVpdq("this is not JSON.") from error
    return _kept(_of_json(number, each) for number, each in enumerate(said, 1))


def _of_line(number: int, line: str) -> Frame:
    found = _LINE.fullmatch(line.strip())
    if found is None or int(found[1]) > _BEST:
        raise NotVpdq(f"line {number}: a frame is `number,quality,hash,seconds`. Correct that line.")
    return _frame(found[2], found[1], found[3])


def _of_json(number: int, said: object) -> Frame:
    found = _FRAME.fullmatch(said) if isinstance(said, str) else None
    if found is None or int(found[2]) > _BEST:
        raise NotVpdq(f'frame {number}: a frame is "hash,quality,seconds". Correct it.')
    return _frame(found[1], found[2], found[3])


def _frame(digits: str, quality: str, seconds: str) -> Frame:
    return Frame(round(float(seconds) * 1000), Pdq(bytes.fromhex(digits), int(quality)))


def _kept(frames: Iterable[Frame]) -> tuple[Frame, ...]:
    kept: dict[bytes, Frame] = {}
    for frame in frames:
        if frame.pdq.quality >= USABLE_QUALITY:
            kept.setdefault(frame.pdq.bits, frame)
    if len(kept) > MOST_FRAMES:
        raise NotVpdq(f"these are more than {MOST_FRAMES:,} frames. Give one video a file.")
    return tuple(kept.values())
