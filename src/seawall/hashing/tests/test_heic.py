"""HEIC photos of every kind phones make, written by a real encoder, and files that only say they are such."""

from __future__ import annotations

import contextlib
import io
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from skimage.data import data_dir

from seawall.hashing import UnreadableImage, distance, fingerprint, look, pdq
from seawall.hashing import heic as heics
from seawall.hashing.heic import DISPLAY_P3, is_heic
from seawall.hashing.tests import test_fingerprint
from seawall.hashing.tests.test_fingerprint import icc, saved, swapped_profile, unreadable

pillow_heif.register_heif_opener()

# With these the encoder keeps every pixel.
EXACTLY: dict[str, Any] = {"quality": -1, "chroma": 444, "matrix_coefficients": 0}


def heic(image: Image.Image, **how: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "HEIF", **({"quality": 70, "enc_params": {"preset": "ultrafast"}} | how))
    return file.getvalue()


def photo(name: str = "astronaut.png") -> Image.Image:
    """Small, because the encoder is slow."""
    image = test_fingerprint.photo(name)
    return image.resize((image.width // 2, image.height // 2))


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def of(image: Image.Image) -> bytes:
    return pdq(np.asarray(image.convert("RGB"))).bits


def made_of(content: bytes) -> bytes:
    return fingerprint(content).pdq.bits


# --- canonical pixels ---


def test_every_pixel_counts_as_it_is() -> None:
    assert made_of(heic(photo(), **EXACTLY)) == of(photo())


@pytest.mark.parametrize(
    "how",
    [
        {"chroma": 420},
        {"chroma": 422},
        {"chroma": 444},
        {"tile_size": 128},
        {"thumbnails": [128]},
        {"full_range_flag": 0},
        {"matrix_coefficients": 1},
        {"save_nclx_profile": False},
    ],
    ids=str,
)
def test_ordinary_photos_stay_near_the_original(how: dict[str, Any]) -> None:
    assert distance(made_of(heic(photo(), **how)), of(photo())) <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_turns_a_photo_as_the_file_says_and_once(orientation: int) -> None:
    """The file then says it twice, in its own way and in EXIF, as phones do."""
    image = photo("coffee.png")
    upright = image.copy()
    upright.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(upright)
    made = fingerprint(heic(image, exif=turned(orientation), **EXACTLY))
    assert (made.width, made.height) == upright.size
    assert made.pdq.bits == of(upright)


def test_exif_alone_turns_nothing() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = heic(photo("coffee.png"), exif=exif, **EXACTLY)  # given so, the encoder leaves it in EXIF only
    assert b"irot" not in content
    assert made_of(content) == of(photo("coffee.png"))


@pytest.mark.parametrize("premultiplied", [False, True])
def test_it_lays_transparent_photos_on_white(*, premultiplied: bool) -> None:
    image = photo().convert("RGBA")
    image.putalpha(Image.radial_gradient("L").resize(image.size))
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    content = heic(image.convert("RGBa") if premultiplied else image, quality=95, chroma=444)
    assert distance(made_of(content), of(white)) <= 4
    assert distance(of(photo()), of(white)) > 30, "or nothing was transparent"


def test_ten_bits_are_read_as_eight() -> None:
    pixels = np.asarray(photo()).astype(np.uint16) * 257
    file = io.BytesIO()
    deep = pillow_heif.from_bytes("RGB;16", photo().size, pixels.tobytes())
    deep.save(file, quality=80, chroma=444, enc_params={"preset": "ultrafast"})
    content = file.getvalue()
    opened = pillow_heif.open_heif(content)
    assert opened.info["bit_depth"] == 10
    assert distance(made_of(content), of(photo())) <= 8


def test_gray_is_read() -> None:
    assert distance(made_of(heic(photo().convert("L"), quality=90)), of(photo().convert("L"))) <= 4


def test_of_several_pictures_the_primary_one_counts() -> None:
    several = pillow_heif.from_pillow(photo("coffee.png"))
    several.add_from_pillow(photo())
    several.add_from_pillow(photo("rocket.jpg"))
    file = io.BytesIO()
    several.save(file, quality=80, primary_index=1, enc_params={"preset": "ultrafast"})
    assert distance(made_of(file.getvalue()), of(photo())) <= 4


def test_it_converts_an_embedded_profile_to_srgb() -> None:
    content = heic(photo(), icc_profile=swapped_profile(), **EXACTLY)
    assert made_of(content) == made_of(saved(photo(), "PNG", icc_profile=swapped_profile()))
    assert distance(made_of(content), of(photo())) > 4, "or the profile did not count"


def test_the_colours_of_apples_screens_are_converted_when_only_named() -> None:
    named = heic(photo(), color_primaries=12, transfer_characteristics=13, **EXACTLY)
    assert b"prof" not in named
    assert made_of(named) == made_of(saved(photo(), "PNG", icc_profile=DISPLAY_P3))
    red = Image.new("RGB", (64, 64), (234, 51, 35))  # what sRGB's purest red is called in Display P3
    pixels = next(iter(strips(heic(red, color_primaries=12, transfer_characteristics=13, **EXACTLY))))
    assert np.abs(pixels[0, 0].astype(int) - (255, 0, 0)).max() <= 2


def test_an_avif_that_names_those_colours_is_read_in_the_same_way() -> None:
    plain = saved(photo(), "AVIF", quality=100, subsampling="4:4:4")
    named = plain.replace(b"colrnclx\x00\x01", b"colrnclx\x00\x0c")
    assert named != plain
    pixels = Image.open(io.BytesIO(named)).convert("RGB")
    assert made_of(named) == made_of(saved(pixels, "PNG", icc_profile=DISPLAY_P3)) != made_of(plain)


def strips(content: bytes) -> Any:
    from seawall.hashing.pictures import read_picture  # noqa: PLC0415 - for this one test

    return read_picture(content).strips


def test_a_profile_that_does_not_fit_is_ignored() -> None:
    for profile in (b"rubbish", icc("LAB")):
        assert made_of(heic(photo(), icc_profile=profile, **EXACTLY)) == of(photo())


def test_its_parts_can_be_fingerprinted() -> None:
    assert look(heic(photo()))[1].width == photo().width


# --- what it may cost, and files that are not what they say ---


def children() -> set[str]:
    return set("".join((task / "children").read_text() for task in Path("/proc/self/task").iterdir()).split())


def test_its_decoder_is_told_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_GATE_KEY", "key-of-the-upload-servers")
    before = children()
    some = strips(heic(photo("coffee.png").resize((2000, 1400))))
    next(some)
    [decoder] = children() - before
    assert b"SEAWALL" not in Path(f"/proc/{decoder}/environ").read_bytes()


def test_what_is_not_read_to_its_end_leaves_no_process_behind() -> None:
    before = children()
    some = strips(heic(photo("coffee.png").resize((2000, 1400))))
    next(some)
    assert len(children() - before) == 1
    del some
    assert not children() - before


def test_what_is_refused_leaves_no_process_behind() -> None:
    before = children()
    for content in (heic(photo())[:2000], sized(10_500, 10_000)):
        with pytest.raises(UnreadableImage) as caught:
            fingerprint(content)
        assert caught.value
        assert not children() - before


MEASURE = """
import re, resource, sys, seawall.hashing as h
try:
    print(h.fingerprint(sys.argv[1]).width)
except h.UnreadableImage as refusal:
    print("refused")
own = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
print(own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)
"""


def measured(path: Path) -> tuple[str, int]:
    """What became of the file, and the megabytes that both processes took."""
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", MEASURE, str(path)]
    ran = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    said, megabytes = ran.stdout.split()
    return said, int(megabytes)


def test_a_large_photo_is_read_within_a_set_memory(tmp_path: Path) -> None:
    image = Image.new("RGBA", (6000, 4000), (10, 20, 30, 200))
    image.paste((200, 20, 30, 255), (100, 100, 3000, 2000))
    path = tmp_path / "a.heic"
    path.write_bytes(heic(image, quality=10))
    said, megabytes = measured(path)
    assert said == "6000"
    assert 24 < megabytes < 600


LIMITED = """
import runpy
decoder = runpy.run_path({path!r})
limits = decoder["main"].__globals__
limits.update(MEMORY=90 << 20, CPU_SECONDS=1)
if {endless}:
    limits["_limit"]()
    while True:
        pass
decoder["main"]()
"""


@pytest.mark.parametrize("endless", [False, True], ids=["memory", "time"])
def test_a_decoder_that_asks_for_more_than_it_may_have_is_ended(
    *, endless: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = tmp_path / "limited.py"
    limited.write_text(LIMITED.format(path=str(heics._DECODER), endless=endless))
    image = Image.new("RGB", (4000, 3000), (10, 20, 30))
    image.paste(photo().resize((900, 900)), (0, 0))
    content = heic(image)
    assert fingerprint(content).width == 4000
    monkeypatch.setattr(heics, "_DECODER", limited)
    assert "too large" in unreadable(content)
    if not endless:
        assert fingerprint(heic(photo())).width == photo().width, "or all are refused"


def sized(width: int, height: int) -> bytes:
    """A HEIC that says it is so large."""
    content = heic(photo())
    old = b"ispe" + bytes(4) + photo().width.to_bytes(4) + photo().height.to_bytes(4)
    assert old in content
    return content.replace(old, b"ispe" + bytes(4) + width.to_bytes(4) + height.to_bytes(4))


def test_one_that_says_it_is_giant_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "giant.heic"
    path.write_bytes(sized(100_000, 100_000))
    said, megabytes = measured(path)
    assert said == "refused"
    assert megabytes < 250
    assert "too large" in unreadable(path.read_bytes())
    assert "too large" in unreadable(sized(10_500, 10_000))


@pytest.mark.parametrize("part", [0.005, 0.02, 0.5, 0.9, 0.999])
def test_a_truncated_one_is_unreadable(part: float) -> None:
    content = heic(photo())
    unreadable(content[: math.floor(len(content) * part)])


def test_one_that_holds_nothing_is_unreadable() -> None:
    assert "HEIC" in unreadable(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 100)
    assert "empty" in unreadable(b"")


@pytest.mark.parametrize("kind", ["AVIF", "JPEG", "PNG", "WEBP"])
def test_another_kind_under_its_name_is_read_as_what_it_is(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(saved(photo(), kind))
    assert not is_heic(path.read_bytes())
    assert distance(fingerprint(path).pdq.bits, of(photo())) <= 8


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_damaged_bytes_give_a_fingerprint_or_a_sentence(data: st.DataObject) -> None:
    """Whatever is flipped, cut or put in: never another exception."""
    content = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, min(len(content) - 1, data.draw(st.sampled_from([600, len(content) - 1])))))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        content = content or bytearray(b"\x00")
    with contextlib.suppress(UnreadableImage):
        fingerprint(bytes(content))


SMALL = heic(Image.open(Path(data_dir) / "coffee.png").convert("RGB").resize((96, 64)), tile_size=64)
