"""What blackmailers do to a video, on decoded frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from bench import _clips

if TYPE_CHECKING:
    from collections.abc import Callable

    Picture = _clips.Picture


class Upload(NamedTuple):
    """Frames to encode, and how."""

    frames: list[Picture]
    codec: _clips.Codec = _clips.H264
    fps: float = 10
    options: dict[str, str] | None = None


def _resized(frame: Picture, width: int, height: int) -> Picture:
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR))


def _black(frame: Picture, seconds: float) -> list[Picture]:
    return [np.zeros_like(frame)] * round(10 * seconds)


def _trim(frames: list[Picture], draw: np.random.Generator) -> Upload:
    start = int(draw.integers(len(frames) - 50))
    return Upload(frames[start : start + 50])


def _at_speed(speed: float) -> Callable[[list[Picture], np.random.Generator], Upload]:
    return lambda frames, _: Upload(frames, fps=10 * speed)


def _encoded(codec: _clips.Codec, crf: int) -> Callable[[list[Picture], np.random.Generator], Upload]:
    return lambda frames, _: Upload(frames, codec, options={"crf": str(crf)})


def _letterbox(frames: list[Picture], _: np.random.Generator) -> Upload:
    """Onto a phone's upright screen."""
    return Upload([_upright(frame, np.zeros((_tall(frame), frame.shape[1], 3), np.uint8)) for frame in frames])


def _blurred_bars(frames: list[Picture], _: np.random.Generator) -> Upload:
    """Onto an upright screen, over itself, enlarged and blurred."""
    made = []
    for frame in frames:
        back = Image.fromarray(frame).resize((frame.shape[1], _tall(frame))).filter(ImageFilter.GaussianBlur(12))
        made.append(_upright(frame, np.asarray(back).copy()))
    return Upload(made)


def _tall(frame: Picture) -> int:
    wide: int = frame.shape[1]
    return wide * 4 // 3 // 2 * 2


def _upright(frame: Picture, canvas: Picture) -> Picture:
    """The canvas, with the frame in its middle."""
    high = frame.shape[0]
    top = (canvas.shape[0] - high) // 2
    canvas[top : top + high] = frame
    return canvas


def _screen(frames: list[Picture], _: np.random.Generator) -> Upload:
    """A recording of a phone's screen: bars with marks above and below, the video in between."""
    high, wide = frames[0].shape[:2]
    tall = wide * 16 // 9 // 2 * 2
    canvas = np.full((tall, wide, 3), 245, np.uint8)
    canvas[: tall // 14] = 30
    canvas[tall // 40 : tall // 30, wide // 12 : wide // 4] = 220
    for row in range(tall * 3 // 4, tall - 8, 14):
        canvas[row : row + 5, wide // 10 : wide // 10 + (row * 37) % (wide * 3 // 4)] = 90
    top = tall // 5
    made = []
    for frame in frames:
        canvas[top : top + high] = frame
        made.append(canvas.copy())
    return Upload(made)


def _embedded(frames: list[Picture], draw: np.random.Generator) -> Upload:
    other = list(_clips.panned(int(draw.integers(10**6, 10**7)), 150, size=(frames[0].shape[1], frames[0].shape[0])))
    return Upload([*other[:80], *frames, *other[80:]])


def _reordered(frames: list[Picture], _: np.random.Generator) -> Upload:
    pieces = [frames[at : at + 40] for at in range(0, len(frames), 40)]
    return Upload([frame for piece in pieces[::-1] for frame in piece])


# Where these cut is drawn by lot: they are tried so many times a clip.
DRAWN = {"any 5 s": 5, "mirrored 5 s, encoded again": 5}
ATTACKS: dict[str, Callable[[list[Picture], np.random.Generator], Upload]] = {
    **{f"h264 crf {crf}": _encoded(_clips.H264, crf) for crf in (18, 28, 40)},
    **{f"vp9 crf {crf}": _encoded(_clips.VP9, crf) for crf in (18, 28, 40)},
    **{f"av1 crf {crf}": _encoded(_clips.AV1, crf) for crf in (18, 28, 40)},
    "240p": lambda frames, _: Upload([_resized(frame, 426, 240) for frame in frames]),
    "any 5 s": _trim,
    **{f"speed {speed}": _at_speed(speed) for speed in (0.8, 0.9, 1.1, 1.25)},
    "mirrored": lambda frames, _: Upload([np.ascontiguousarray(frame[:, ::-1]) for frame in frames]),
    "letterboxed": _letterbox,
    "blurred bars": _blurred_bars,
    "screen recording": _screen,
    "2 s black intro": lambda frames, _: Upload([*_black(frames[0], 2), *frames]),
    "black to double length": lambda frames, _: Upload([*frames, *_black(frames[0], len(frames) / 10)]),
    "other video to double length": _embedded,
    "pieces in another order": _reordered,
    "mirrored 5 s, encoded again": lambda frames, draw: Upload(
        [np.ascontiguousarray(frame[:, ::-1]) for frame in _trim(frames, draw).frames],
        _clips.VP9,
        options={"crf": "36"},
    ),
}
