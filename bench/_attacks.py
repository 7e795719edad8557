"""What is done to a picture before it is put up again: each way a seeded function from a picture to a real file.

Parameters come from a `Draw`. Tuning and reporting have other seeds, and of every range of values and every list of
styles they get alternate slices, so that no border width, angle, colour or layout that is reported on was tuned on.
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
Colour = tuple[int, int, int]

SLICES = 10
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
BICUBIC = Image.Resampling.BICUBIC


@dataclass(slots=True)
class Draw:
    """The parameters of one upload. ``seed`` names it; ``others`` are pictures to put beside it."""

    seed: str
    unseen: bool  # True: for reporting
    others: Sequence[Image.Image] = ()
    random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(f"{'reporting' if self.unseen else 'tuning'} {self.seed}".encode()).digest()
        self.random = np.random.default_rng(int.from_bytes(digest[:8], "big"))

    def between(self, low: float, high: float) -> float:
        """A value out of every second tenth of the range: those of even number for tuning, of odd for reporting."""
        at = 2 * int(self.random.integers(SLICES // 2)) + self.unseen
        return low + (high - low) * (at + float(self.random.random())) / SLICES

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; of four or more, one of every second."""
        mine = options[self.unseen :: 2] if len(options) >= 4 else options
        return mine[int(self.random.integers(len(mine)))]

    def chance(self, likely: float) -> bool:
        """True as often as ``likely`` says."""
        return bool(self.random.random() < likely)

    def sign(self) -> int:
        """1 or -1."""
        return 1 if self.chance(0.5) else -1

    def colour(self) -> Colour:
        """Any, often black or white."""
        if self.chance(0.4):
            return BLACK if self.chance(0.5) else WHITE
        red, green, blue = (round(self.between(0, 255)) for _ in range(3))
        return red, green, blue

    def other(self) -> Image.Image:
        """Another picture."""
        return self.others[int(self.random.integers(len(self.others)))]


class Attack(NamedTuple):
    """A row of the scoreboard. ``target``: the share of uploads to be found, or None where the issue names none."""

    name: str
    target: float | None
    steps: tuple[Callable[[Image.Image, Draw], Image.Image], ...]
    format: str = ""  # "": what such files mostly are


def upload(attack: Attack, picture: Image.Image, draw: Draw) -> bytes:
    """The file that is put up: ``picture`` (RGB) after every step, encoded."""
    for step in attack.steps:
        picture = step(picture, draw)
    return encode(picture, draw, attack.format)


def encode(picture: Image.Image, draw: Draw, format_: str = "") -> bytes:
    """A file of the kind and quality such pictures have: JPEG 60 to 90 mostly."""
    picture = _shrunk(picture.convert("RGB"), draw.pick((1024, 1280, 1440, 1600, 1920, 2048)))
    kind = format_ or ("JPEG" if draw.chance(0.75) else draw.pick(("PNG", "WEBP")))
    made = io.BytesIO()
    if kind == "GIF":
        small = _shrunk(picture, round(draw.between(320, 720)))
        dither = Image.Dither.FLOYDSTEINBERG if draw.chance(0.7) else Image.Dither.NONE
        small.quantize(draw.pick((256, 128, 192, 96)), dither=dither).save(made, "GIF")
    elif kind == "PNG":
        picture.save(made, "PNG", compress_level=1)
    else:
        picture.save(made, kind, quality=round(draw.between(60, 90)), **({"method": 1} if kind == "WEBP" else {}))
    return made.getvalue()


def mirror(picture: Image.Image, draw: Draw) -> Image.Image:
    """Left to right mostly, or upside down."""
    return ImageOps.mirror(picture) if draw.chance(0.7) else ImageOps.flip(picture)


def turn(picture: Image.Image, draw: Draw) -> Image.Image:
    """By 90, 180 or 270 degrees."""
    return picture.transpose(
        draw.pick((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270))
    )


def uniform_border(picture: Image.Image, draw: Draw) -> Image.Image:
    """One colour, of another width on each side."""
    return _on(_plain(_bordered_size(picture, draw, 0.03, 0.3), draw.colour()), picture, draw)


def letterbox(picture: Image.Image, draw: Draw) -> Image.Image:
    """Bars above and below, or at the sides, to another shape."""
    width, height = picture.size
    bar = draw.between(0.06, 0.3)
    size = (width, round(height * (1 + 2 * bar))) if draw.chance(0.6) else (round(width * (1 + 2 * bar)), height)
    canvas = _plain(size, BLACK if draw.chance(0.8) else draw.colour())
    canvas.paste(picture, ((size[0] - width) // 2, (size[1] - height) // 2))
    return canvas


def story_frame(picture: Image.Image, draw: Draw) -> Image.Image:
    """A tall canvas of one colour or a gradient, with words above or below."""
    canvas = _plain((1080, 1920), draw.colour()) if draw.chance(0.5) else _gradient((1080, 1920), draw)
    inner = _fitted(picture, round(draw.between(760, 1080)), round(draw.between(1000, 1560)))
    x = (1080 - inner.width) // 2
    y = round(draw.between(0.1, 0.9) * (1920 - inner.height))
    canvas.paste(inner, (x, y))
    words = _words(draw, 5)
    if y > 200:
        _write(canvas, (90, y // 2), words, round(draw.between(36, 70)), draw.colour())
    elif y + inner.height < 1700:
        _write(canvas, (90, y + inner.height + 60), words, round(draw.between(36, 70)), draw.colour())
    return canvas


def blurred_border(picture: Image.Image, draw: Draw) -> Image.Image:
    """On a blurred enlargement of itself, as apps fill a frame of another shape."""
    shape = draw.pick((9 / 16, 1.0, 4 / 5, 16 / 9, 3 / 4, 4 / 3))
    own = picture.width / picture.height
    if 0.87 < shape / own < 1.15:
        shape = 1 / shape if shape != 1 else 9 / 16
    longest = max(picture.size)
    size = (round(longest * min(1, shape)), round(longest / max(1, shape)))
    inner = _fitted(picture, *(round(side * draw.between(0.88, 1.0)) for side in size))
    little = ImageOps.fit(picture, (size[0] // 8, size[1] // 8)).filter(
        ImageFilter.GaussianBlur(draw.between(1.5, 6) * longest / 1280)
    )
    canvas = ImageEnhance.Brightness(little.resize(size, BICUBIC)).enhance(draw.between(0.6, 1.1))
    canvas.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
    return canvas


def patterned_border(picture: Image.Image, draw: Draw) -> Image.Image:
    """Stripes, checks, dots, waves, noise, bricks, stars or triangles around it."""
    size = _bordered_size(picture, draw, 0.05, 0.25)
    return _on(_pattern(size, draw), picture, draw)


def phone_screenshot(picture: Image.Image, draw: Draw) -> Image.Image:
    """Shown in a phone's gallery or feed, with what the phone draws above and below."""
    width, height = draw.pick(((1080, 2340), (1170, 2532), (1080, 2400), (720, 1600), (1440, 3040), (1290, 2796)))
    unit = width / 1080
    dark = draw.chance(0.5)
    back, ink = ((12, 12, 14), (240, 240, 240)) if dark else ((250, 250, 250), (20, 20, 20))
    canvas = _plain((width, height), back)
    _status_bar(canvas, draw, unit, ink)
    top, bottom = round(draw.between(90, 330) * unit), round(draw.between(120, 420) * unit)
    inner = _fitted(picture, width, height - top - bottom)
    free = height - top - bottom - inner.height
    y = top + (free // 2 if draw.chance(0.6) else round(draw.between(0, 0.5) * free))
    canvas.paste(inner, ((width - inner.width) // 2, y))
    _write(canvas, (round(130 * unit), top - round(70 * unit)), _words(draw, 2), round(40 * unit), ink)
    pen = ImageDraw.Draw(canvas)
    for number in range(draw.pick((3, 4, 5, 6))):
        x, size = round((140 + 200 * number) * unit), round(26 * unit)
        pen.ellipse(
            (x - size, height - bottom // 2 - size, x + size, height - bottom // 2 + size), outline=ink, width=4
        )
    if free > 300 * unit:
        _write(canvas, (round(40 * unit), y + inner.height + round(30 * unit)), _words(draw, 7), round(36 * unit), ink)
    return canvas


def chat_screenshot(picture: Image.Image, draw: Draw) -> Image.Image:
    """Sent in a chat: in a bubble between others, with round corners and a time in one of them."""
    width, height = draw.pick(((1080, 2340), (1170, 2532), (1080, 2160), (720, 1600)))
    unit = width / 1080
    dark = draw.chance(0.5)
    ink = (235, 235, 235) if dark else (25, 25, 25)
    back, theirs, mine = draw.pick(
        (((11, 20, 26), (32, 44, 51), (0, 92, 75)), ((0, 0, 0), (38, 38, 40), (10, 90, 220)),
         ((18, 18, 24), (44, 44, 58), (110, 60, 190)), ((24, 34, 45), (36, 48, 62), (62, 106, 150)))
        if dark else
        (((236, 229, 221), (255, 255, 255), (220, 248, 198)), ((255, 255, 255), (233, 233, 235), (0, 132, 255)),
         ((205, 222, 190), (255, 255, 255), (238, 254, 222)), ((245, 245, 250), (225, 228, 240), (200, 180, 250)))
    )  # fmt: skip
    canvas = _plain((width, height), back)
    if draw.chance(0.3):
        canvas = Image.blend(canvas, _pattern((width, height), draw), 0.05)
    y = round(draw.between(250, 1000) * unit)
    inner = _fitted(picture, round(draw.between(0.55, 0.8) * width), round(0.55 * height))
    left = draw.chance(0.5)
    margin = round(draw.between(16, 60) * unit)
    x = margin if left else width - margin - inner.width
    _bubbles(canvas, draw, unit, (round(160 * unit), y - round(40 * unit)), (theirs, mine, ink))
    pad = round(draw.between(0, 14) * unit)
    pen = ImageDraw.Draw(canvas)
    radius = round(draw.between(8, 44) * unit)
    pen.rounded_rectangle(
        (x - pad, y - pad, x + inner.width + pad, y + inner.height + pad), radius, fill=theirs if left else mine
    )
    mask = Image.new("L", inner.size)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *inner.size), radius, fill=255)
    canvas.paste(inner, (x, y), mask)
    _write(canvas, (x + inner.width - round(110 * unit), y + inner.height - round(44 * unit)), "14:07",
           round(30 * unit), WHITE)  # fmt: skip
    below = y + inner.height + round(40 * unit)
    _bubbles(canvas, draw, unit, (below, height - round(200 * unit)), (theirs, mine, ink))
    pen.rectangle((0, 0, width, 150 * unit), fill=theirs)
    _status_bar(canvas, draw, unit, ink)
    _write(canvas, (round(180 * unit), round(80 * unit)), _words(draw, 2), round(44 * unit), ink)
    pen.ellipse((60 * unit, 70 * unit, 140 * unit, 145 * unit), fill=mine)
    pen.rounded_rectangle((40 * unit, height - 130 * unit, width - 160 * unit, height - 40 * unit), 45 * unit, theirs)
    return canvas


def collage(columns: int, rows: int) -> Callable[[Image.Image, Draw], Image.Image]:
    """A grid of other pictures, this one whole in one of the cells; apps let you move it until it fits."""

    def make(picture: Image.Image, draw: Draw) -> Image.Image:
        across, down = (rows, columns) if columns != rows and draw.chance(0.4) else (columns, rows)
        longest = 1800 / max(across, down)
        scale = longest / max(picture.size)
        cell = (max(64, round(picture.width * scale)), max(64, round(picture.height * scale)))
        gap = round(draw.between(0, 0.03) * longest)
        edge = gap if draw.chance(0.6) else 0
        size = (across * cell[0] + (across - 1) * gap + 2 * edge, down * cell[1] + (down - 1) * gap + 2 * edge)
        canvas = _plain(size, draw.colour())
        mine = int(draw.random.integers(across * down))
        for number in range(across * down):
            x = edge + (number % across) * (cell[0] + gap)
            y = edge + number // across * (cell[1] + gap)
            shown = picture.resize(cell, BICUBIC) if number == mine else ImageOps.fit(draw.other(), cell)
            canvas.paste(shown, (x, y))
        return canvas

    return make


def picture_in_picture(picture: Image.Image, draw: Draw) -> Image.Image:
    """Small, on a part of another picture."""
    back = _fitted(draw.other(), 1920, 1920)
    inner = _fitted(picture, round(draw.between(0.3, 0.55) * back.width), round(draw.between(0.4, 0.7) * back.height))
    if draw.chance(0.5):
        inner = ImageOps.expand(inner, round(draw.between(3, 16)), draw.colour())
    back.paste(
        inner,
        tuple(round(draw.between(0, 1) * (a - b)) for a, b in zip(back.size, inner.size, strict=True)),  # type: ignore[arg-type]
    )
    return back


def crop(low: float, high: float) -> Callable[[Image.Image, Draw], Image.Image]:
    """Cut off ``low`` to ``high`` of each side, anywhere; in a third of cases less of the one than of the other."""

    def make(picture: Image.Image, draw: Draw) -> Image.Image:
        off = draw.between(low, high)
        wide, high_ = off, off
        if draw.chance(1 / 3):
            less = off * draw.between(0.3, 1)
            wide, high_ = (less, off) if draw.chance(0.5) else (off, less)
        width, height = picture.width * (1 - wide), picture.height * (1 - high_)
        x, y = draw.random.random(2) * (picture.width - width, picture.height - height)
        return picture.crop((round(x), round(y), round(x + width), round(y + height)))

    return make


def caption_bar(picture: Image.Image, draw: Draw) -> Image.Image:
    """Words on a bar over the picture, at its top, foot or middle, 8 to 20 % of its height."""
    made = picture.copy()
    bar = round(draw.between(0.08, 0.2) * made.height)
    y = round(draw.pick((0.0, 1.0, 1.0, 0.0, 0.85, 0.5)) * (made.height - bar))
    colour = draw.colour()
    strip = _plain((made.width, bar), colour)
    if draw.chance(0.3):
        strip = Image.blend(made.crop((0, y, made.width, y + bar)), strip, 0.7)
    made.paste(strip, (0, y))
    ink = WHITE if sum(colour) < 380 else BLACK
    _write(made, (bar // 2, y + bar // 4), _words(draw, 6), max(10, bar // 2), ink)
    return made


def sticker(picture: Image.Image, draw: Draw) -> Image.Image:
    """A face, heart, star or label over 27 to 33 % of the picture, anywhere wholly inside it."""
    made = picture.copy()
    area = draw.between(0.27, 0.33) * made.width * made.height
    kind = draw.pick(("face", "label", "heart", "star", "face", "label"))
    filled = {"face": math.pi / 4, "label": 1.0, "heart": 0.66, "star": 0.54}[kind]
    shape = draw.between(0.75, 1.3)
    width = min(made.width, math.sqrt(area / filled * shape))
    height = min(made.height, area / filled / width)
    x, y = draw.between(0, 1) * (made.width - width), draw.between(0, 1) * (made.height - height)
    box = (x, y, x + width, y + height)
    pen = ImageDraw.Draw(made)
    colour = (250, 205, 60) if kind == "face" else draw.colour()
    if kind == "label":
        pen.rounded_rectangle(box, min(width, height) * 0.1, fill=colour)
        _write(made, (round(x + width * 0.1), round(y + height * 0.4)), _words(draw, 2), round(height * 0.2), BLACK)
    elif kind == "face":
        pen.ellipse(box, fill=colour)
        for eye in (0.3, 0.6):
            pen.ellipse((x + eye * width, y + 0.3 * height, x + (eye + 0.1) * width, y + 0.45 * height), fill=BLACK)
        pen.arc((x + 0.25 * width, y + 0.4 * height, x + 0.75 * width, y + 0.8 * height), 0, 180, BLACK, 8)
    else:
        pen.polygon([(x + a * width, y + b * height) for a, b in _outline(kind)], fill=colour)
    return made


def rotation(low: float, high: float) -> Callable[[Image.Image, Draw], Image.Image]:
    """Turned by any angle of ``low`` to ``high`` degrees to either side: corners filled, or cut to what is whole."""

    def make(picture: Image.Image, draw: Draw) -> Image.Image:
        angle = draw.sign() * draw.between(low, high)
        how = draw.pick(("filled", "cut", "cut", "filled", "same size", "same size"))
        fill = draw.colour() if how == "filled" else BLACK
        turned = picture.rotate(angle, BICUBIC, expand=how == "filled", fillcolor=fill)
        return turned if how != "cut" else _middle(turned, _inscribed(picture.size, angle))

    return make


def refilmed(picture: Image.Image, draw: Draw) -> Image.Image:
    """Filmed off a screen: at an angle, soft, with the screen's lines beating against the camera's, glare and noise."""
    shown = _fitted(picture, 1100, 1100)
    dark = round(draw.between(8, 60))
    room = _plain((round(shown.width * 1.4), round(shown.height * 1.4)), (dark, dark, dark + 4))
    x, y = (room.width - shown.width) // 2, (room.height - shown.height) // 2
    room.paste(shown, (x, y))
    lean = 0.04 * min(shown.size)
    corners = [(x, y), (x, y + shown.height), (x + shown.width, y + shown.height), (x + shown.width, y)]
    target = [(a + draw.sign() * draw.between(0, lean), b + draw.sign() * draw.between(0, lean)) for a, b in corners]
    filmed = room.transform(
        room.size, Image.Transform.PERSPECTIVE, _perspective(target, corners), Image.Resampling.BICUBIC
    )
    cut = round(draw.between(0, 0.9) * x), round(draw.between(0, 0.9) * y)
    filmed = filmed.crop((cut[0], cut[1], room.width - cut[0], room.height - cut[1]))
    light = np.asarray(filmed.filter(ImageFilter.GaussianBlur(draw.between(0.6, 2.2))), np.float32) / 255
    light = light ** draw.between(0.75, 1.35)
    down, across = np.indices(light.shape[:2], np.float32)
    tilt, period = draw.between(0, math.pi), draw.between(4, 40)
    wave = np.sin((across * math.cos(tilt) + down * math.sin(tilt)) * 2 * math.pi / period)
    light = light * (1 + draw.between(0.02, 0.1) * wave)[..., None]
    glare = draw.between(0, 0.2) * (across / light.shape[1] if draw.chance(0.5) else down / light.shape[0])
    light = light * draw.between(0.75, 1.0) + glare[..., None]
    light *= np.array([draw.between(0.9, 1.08), 1.0, draw.between(0.9, 1.12)], np.float32)
    light += draw.between(0.005, 0.03) * draw.random.standard_normal(light.shape, np.float32)
    return Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))


def messenger_chain(picture: Image.Image, draw: Draw) -> Image.Image:
    """Sent on three to five times: scaled down or up and compressed as JPEG each time."""
    for _ in range(draw.pick((3, 4, 5, 3))):
        side = round(draw.between(600, 1600))
        picture = _fitted(picture, side, side) if draw.chance(0.3) else _shrunk(picture, side)
        made = io.BytesIO()
        picture.save(made, "JPEG", quality=round(draw.between(35, 75)))
        picture = Image.open(made).convert("RGB")
    return picture


def video_frame(picture: Image.Image, draw: Draw) -> Image.Image:
    """A key frame of a video at 360 to 1080 lines, by a video codec's own coder (AV1, which AVIF wraps)."""
    lines = draw.pick((360, 480, 540, 720, 720, 1080))
    small = _fitted(picture, lines * 16 // 9, lines)
    small = small.crop((0, 0, small.width // 2 * 2, small.height // 2 * 2))
    made = io.BytesIO()
    small.save(made, "AVIF", quality=round(draw.between(20, 60)), speed=9, subsampling="4:2:0", range="limited")
    return Image.open(made).convert("RGB")


ATTACKS = (
    Attack("mirror", 0.995, (mirror,)),
    Attack("90-degree turn", 0.995, (turn,)),
    Attack("uniform border", 0.99, (uniform_border,)),
    Attack("story frame", 0.99, (story_frame,)),
    Attack("letterbox", 0.99, (letterbox,)),
    Attack("blurred border", 0.95, (blurred_border,)),
    Attack("patterned border", 0.94, (patterned_border,)),
    Attack("phone screenshot", 0.97, (phone_screenshot,)),
    Attack("chat screenshot", 0.97, (chat_screenshot,)),
    Attack("collage of 2", 0.98, (collage(2, 1),)),
    Attack("collage 2 x 2", 0.96, (collage(2, 2),)),
    Attack("collage 3 x 3", 0.92, (collage(3, 3),)),
    Attack("picture in picture", None, (picture_in_picture,)),
    Attack("crop 5-10 %", 0.99, (crop(0.05, 0.1),)),
    Attack("crop 20 %", 0.98, (crop(0.17, 0.23),)),
    Attack("crop 40 %", 0.88, (crop(0.37, 0.42),)),
    Attack("caption bar", 0.97, (caption_bar,)),
    Attack("sticker 30 %", 0.92, (sticker,)),
    Attack("rotation 1 degree", 0.99, (rotation(0.5, 1.5),)),
    Attack("rotation 3 degrees", 0.96, (rotation(2.2, 3.8),)),
    Attack("rotation 8 degrees", 0.80, (rotation(7.0, 9.0),)),
    Attack("re-filmed screen", 0.95, (refilmed,)),
    Attack("messenger chain", None, (messenger_chain,)),
    Attack("GIF", None, (), "GIF"),
    Attack("frame of a video", None, (video_frame,)),
)

PAIRS_TARGET = 0.88  # the mean over pairs
PAIRS = tuple(
    Attack(f"{one} + {other}", None, steps)
    for one, other, steps in (
        ("crop 20 %", "chat screenshot", (crop(0.17, 0.23), chat_screenshot)),
        ("mirror", "crop 20 %", (mirror, crop(0.17, 0.23))),
        ("mirror", "uniform border", (mirror, uniform_border)),
        ("rotation 3 degrees", "phone screenshot", (rotation(2.2, 3.8), phone_screenshot)),
        ("caption bar", "messenger chain", (caption_bar, messenger_chain)),
        ("sticker 30 %", "mirror", (sticker, mirror)),
        ("crop 5-10 %", "collage 2 x 2", (crop(0.05, 0.1), collage(2, 2))),
        ("chat screenshot", "re-filmed screen", (chat_screenshot, refilmed)),
        ("crop 20 %", "rotation 1 degree", (crop(0.17, 0.23), rotation(0.5, 1.5))),
        ("blurred border", "caption bar", (blurred_border, caption_bar)),
        ("letterbox", "phone screenshot", (letterbox, phone_screenshot)),
        ("patterned border", "messenger chain", (patterned_border, messenger_chain)),
    )
)
TRIPLE = Attack("crop 20 % + chat + messenger", None, (crop(0.17, 0.23), chat_screenshot, messenger_chain))


def _plain(size: tuple[int, int], colour: Colour) -> Image.Image:
    return Image.new("RGB", size, colour)


def _shrunk(picture: Image.Image, side: int) -> Image.Image:
    """At most so many pixels at its longer side."""
    return picture if max(picture.size) <= side else _fitted(picture, side, side)


def _fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    """As large as fits, its shape kept."""
    scale = min(width / picture.width, height / picture.height)
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), BICUBIC)


def _bordered_size(picture: Image.Image, draw: Draw, low: float, high: float) -> tuple[int, int]:
    width = round(picture.width * (1 + 2 * draw.between(low, high)))
    return width, round(picture.height * (1 + 2 * draw.between(low, high)))


def _on(canvas: Image.Image, picture: Image.Image, draw: Draw) -> Image.Image:
    """In the middle, or off it by up to four fifths of the border."""
    places = [
        round((big - small) / 2 * (1 + draw.sign() * (draw.between(0, 0.8) if draw.chance(0.5) else 0)))
        for big, small in zip(canvas.size, picture.size, strict=True)
    ]
    canvas.paste(picture, (places[0], places[1]))
    return canvas


def _gradient(size: tuple[int, int], draw: Draw) -> Image.Image:
    ramp = Image.linear_gradient("L").resize(size)
    return ImageOps.colorize(ramp if draw.chance(0.5) else ImageOps.flip(ramp), draw.colour(), draw.colour())


def _pattern(size: tuple[int, int], draw: Draw) -> Image.Image:
    down, across = np.indices((size[1], size[0]), np.float32)
    step = draw.between(0.02, 0.09) * max(size)
    kind = draw.pick(("stripes", "checks", "dots", "waves", "diagonals", "noise", "bricks", "triangles"))
    u, v = across / step, down / step
    if kind == "stripes":
        mask = (u if draw.chance(0.5) else v) % 1 < 0.5
    elif kind == "checks":
        mask = (np.floor(u) + np.floor(v)) % 2 < 1
    elif kind == "dots":
        mask = (u % 1 - 0.5) ** 2 + (v % 1 - 0.5) ** 2 < 0.1
    elif kind == "waves":
        mask = (v + 0.4 * np.sin(u * 2)) % 1 < 0.5
    elif kind == "diagonals":
        mask = (u + draw.sign() * v) % 1 < 0.5
    elif kind == "noise":
        few = draw.random.random((max(2, round(size[1] / step)), max(2, round(size[0] / step)))) < 0.5
        mask = np.asarray(Image.fromarray(few.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)) > 0
    elif kind == "bricks":
        mask = (v % 1 < 0.1) | ((u / 2 + np.floor(v) % 2 / 2) % 1 < 0.05)
    else:
        mask = (u % 1) + (v % 1) < 1
    one, other = np.array(draw.colour(), np.uint8), np.array([round(draw.between(20, 235)) for _ in range(3)], np.uint8)
    return Image.fromarray(np.where(mask[..., None], one, other).astype(np.uint8))


WORDS = (
    "hello", "look", "what", "is", "this", "see", "you", "later", "really", "no", "yes", "today", "why", "send", "more",
    "ok", "please", "now", "photo", "from", "summer", "who", "sent", "it", "wait", "call", "me", "tomorrow",
)  # fmt: skip


def _words(draw: Draw, most: int) -> str:
    return " ".join(draw.pick(WORDS) for _ in range(1 + int(draw.random.integers(most))))


def _write(picture: Image.Image, at: tuple[int, int], words: str, size: int, colour: Colour) -> None:
    ImageDraw.Draw(picture).text(at, words, fill=colour, font=ImageFont.load_default(max(8, size)))


def _status_bar(canvas: Image.Image, draw: Draw, unit: float, ink: Colour) -> None:
    clock = f"{int(draw.random.integers(24)):02}:{int(draw.random.integers(60)):02}"
    _write(canvas, (round(50 * unit), round(24 * unit)), clock, round(38 * unit), ink)
    pen = ImageDraw.Draw(canvas)
    right = canvas.width - 60 * unit
    pen.rounded_rectangle((right - 54 * unit, 28 * unit, right, 54 * unit), 6 * unit, outline=ink, width=3)
    pen.rectangle((right - 50 * unit, 32 * unit, right - draw.between(5, 45) * unit, 50 * unit), fill=ink)
    for bar in range(4):
        x = right - (130 - 14 * bar) * unit
        pen.rectangle((x, (54 - 6 * (bar + 1)) * unit, x + 9 * unit, 54 * unit), fill=ink)


def _bubbles(
    canvas: Image.Image, draw: Draw, unit: float, span: tuple[int, int], colours: tuple[Colour, Colour, Colour]
) -> None:
    """Lines of talk between two heights."""
    theirs, mine, ink = colours
    y, end = span
    pen = ImageDraw.Draw(canvas)
    while True:
        words, tall = _words(draw, 5), round(draw.between(70, 100) * unit)
        if y + tall > end:
            return
        wide = round((60 + 20 * len(words)) * unit)
        x = round(30 * unit) if draw.chance(0.5) else canvas.width - round(30 * unit) - wide
        pen.rounded_rectangle((x, y, x + wide, y + tall), 28 * unit, fill=theirs if x < canvas.width // 4 else mine)
        _write(canvas, (x + round(26 * unit), y + round(18 * unit)), words, round(36 * unit), ink)
        y += tall + round(draw.between(8, 40) * unit)


def _outline(kind: str) -> list[tuple[float, float]]:
    """Points of a shape within a unit square."""
    turns = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    if kind == "heart":
        across = 0.5 + 0.5 * np.sin(turns) ** 3
        down = 0.45 - (13 * np.cos(turns) - 5 * np.cos(2 * turns) - 2 * np.cos(3 * turns) - np.cos(4 * turns)) / 30
        return [(float(a), float(b)) for a, b in zip(across, down, strict=True)]
    points = []
    for number in range(10):
        reach = 0.5 if number % 2 == 0 else 0.28
        points.append((0.5 + reach * math.sin(number * math.pi / 5), 0.5 - reach * math.cos(number * math.pi / 5)))
    return points


def _middle(picture: Image.Image, size: tuple[float, float]) -> Image.Image:
    x, y = (picture.width - size[0]) / 2, (picture.height - size[1]) / 2
    return picture.crop((math.ceil(x), math.ceil(y), math.floor(x + size[0]), math.floor(y + size[1])))


def _inscribed(size: tuple[int, int], degrees: float) -> tuple[float, float]:
    """The largest rectangle of the same shape within a rectangle turned by an angle."""
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    width, height = size
    scale = min(width / (width * cosine + height * sine), height / (width * sine + height * cosine))
    return width * scale, height * scale


def _perspective(seen: list[tuple[float, float]], real: Sequence[tuple[float, float]]) -> list[float]:
    """The eight coefficients with which Pillow finds, for a point of what is seen, the point of what is real."""
    rows, values = [], []
    for (x, y), (u, v) in zip(seen, real, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(number) for number in np.linalg.solve(np.array(rows), np.array(values))]
