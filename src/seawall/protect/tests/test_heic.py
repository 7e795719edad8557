"""HEIC photos on the device: the page that leads to the page for them, and that page's bits against Python's."""

from __future__ import annotations

import base64
import io
from functools import partial
from typing import TYPE_CHECKING, Any

import brotli
import numpy as np
import pillow_heif
import pytest
from django.test import Client
from PIL import Image

from bench import _clips
from seawall.exchange import wire
from seawall.hashing import fingerprint, look
from seawall.hashing.tests.test_fingerprint import swapped_profile
from seawall.hashing.tests.test_heic import heic, sized, turned
from seawall.protect.tests.conftest import finish
from seawall.protect.tests.test_fingerprint import cut_out, photo, text_to_send

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_KILOBYTES = 550


def deep(**how: Any) -> bytes:
    pixels = np.asarray(photo()).astype(np.uint16) * 257
    file = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", photo().size, pixels.tobytes()).save(file, enc_params=FAST, **how)
    return file.getvalue()


def several() -> bytes:
    made = pillow_heif.from_pillow(photo().rotate(180))
    made.add_from_pillow(photo())
    file = io.BytesIO()
    made.save(file, quality=60, primary_index=1, enc_params=FAST)
    return file.getvalue()


def exif_alone() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return heic(photo(), exif=exif)


def facing(orientation: int) -> bytes:
    return heic(photo(), exif=turned(orientation))


FAST = {"preset": "ultrafast"}
FILES: dict[str, Callable[[], bytes]] = {
    "plain.heic": lambda: heic(photo()),
    "full-colour.heic": lambda: heic(photo(), chroma=444),
    "half-colour.heic": lambda: heic(photo(), chroma=422),
    "odd.heic": lambda: heic(photo(301, 211)),
    "smoothed.heic": lambda: heic(photo(1200, 800), quality=20, enc_params={"preset": "medium"}),
    "gray.heic": lambda: heic(photo().convert("L")),
    "alpha.heic": lambda: heic(cut_out()),
    "premultiplied.heic": lambda: heic(cut_out().convert("RGBa")),
    "tiles.heic": lambda: heic(photo(1000, 701), tile_size=256),
    "tiles-turned.heic": lambda: heic(photo(1000, 700), tile_size=256, exif=turned(6)),
    "tiles-full-colour.heic": lambda: heic(photo(1000, 701), tile_size=128, chroma=444, quality=40),
    **{f"turned{number}.heic": partial(facing, number) for number in range(2, 9)},
    "exif-alone.heic": exif_alone,
    "ten-bits.heic": lambda: deep(quality=60),
    "ten-bits-full-colour.heic": lambda: deep(quality=60, chroma=444),
    "thumbnail.heic": lambda: heic(photo(), thumbnails=[128, 256]),
    "profile.heic": lambda: heic(photo(), icc_profile=swapped_profile()),
    "profile-alpha.heic": lambda: heic(cut_out(), icc_profile=swapped_profile()),
    "rubbish-profile.heic": lambda: heic(photo(), icc_profile=b"rubbish" * 100),
    "p3.heic": lambda: heic(photo(), color_primaries=12, transfer_characteristics=13),
    "narrow-range.heic": lambda: heic(photo(), full_range_flag=0),
    "other-matrix.heic": lambda: heic(photo(), matrix_coefficients=1),
    "unsaid.heic": lambda: heic(photo(), save_nclx_profile=False),
    "several.heic": several,
    "strip-edge.heic": lambda: heic(photo(300, 513)),
    "large.heic": lambda: heic(photo(4032, 3024), quality=30, tile_size=512),
    "avif-inside.heic": lambda: saved_as("AVIF"),
    "jpeg-inside.heic": lambda: saved_as("JPEG"),
}


def saved_as(kind: str, **how: Any) -> bytes:
    file = io.BytesIO()
    photo().save(file, kind, **how)
    return file.getvalue()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    for name, make in FILES.items():
        (folder / name).write_bytes(make())
    return [folder / name for name in FILES]


@pytest.fixture
def open_heic_page(open_page: Callable[[], Page]) -> Callable[[], Page]:
    def opened() -> Page:
        page = open_page()
        page.goto(f"{page.url}heic/")
        return page

    return opened


def test_every_photo_has_the_very_bits_that_python_finds(open_heic_page: Callable[[], Page], files: list[Path]) -> None:
    expected = {file.name: fingerprint(file).pdq for file in files}
    assert all(each.quality >= 50 for each in expected.values())
    found = finish(open_heic_page(), *files)
    wrong = {name for name, (_, shown) in found.items() if shown and shown != expected[name].hex}
    assert not wrong
    assert {shown for _, shown in found.values() if shown} == {each.hex for each in expected.values()}
    for name, (says, shown) in found.items():
        assert shown or "The same picture" in says, (name, says)


def test_the_parts_are_those_that_python_finds(open_heic_page: Callable[[], Page], files: list[Path]) -> None:
    file = next(file for file in files if file.name == "tiles-turned.heic")
    page = open_heic_page()
    finish(page, file)
    *_, whole, windows = text_to_send(page)
    made, plane = look(file)
    assert whole.split(" ")[3:] == [made.pdq.hex, str(made.pdq.quality)]
    assert base64.urlsafe_b64decode(windows.split(" ")[3]) == plane.registered()


def test_what_is_not_a_whole_photo_gets_a_sentence_and_no_fingerprint(
    open_heic_page: Callable[[], Page], tmp_path: Path
) -> None:
    whole = heic(photo())
    clip = b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  " + bytes(2000)
    bad = {
        "empty.heic": (b"", "cannot open it"),
        "head.heic": (whole[:100], "cannot open it"),
        "cut.heic": (whole[: len(whole) // 2], "cannot open it"),
        "broken.heic": (whole[:-3000] + bytes(3000), ""),  # decoders go on after such damage, and so do we
        "giant.heic": (sized(100_000, 100_000), ""),
        "large.heic": (sized(10_500, 10_000), "Too large"),
        "words.heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100), "cannot open it"),
        "clip.mov": (clip, "This browser cannot read it"),
    }
    for name, (content, _) in bad.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "good.heic").write_bytes(whole)
    page = open_heic_page()
    found = finish(page, *(tmp_path / name for name in [*bad, "good.heic"]))
    for name, (_, sentence) in bad.items():
        says, shown = found[name]
        assert sentence in says, (name, says)
        if name != "broken.heic":
            assert not shown, name
    assert found["good.heic"][1] == fingerprint(whole).pdq.hex


def test_a_browser_without_the_decoder_is_led_to_the_page_that_has_it(
    open_page: Callable[[], Page], tmp_path: Path
) -> None:
    (tmp_path / "a.heic").write_bytes(heic(photo()))
    photo().save(tmp_path / "b.png")
    page = open_page()
    found = finish(page, tmp_path / "a.heic", tmp_path / "b.png")
    assert found["b.png"][1] == fingerprint(tmp_path / "b.png").pdq.hex
    assert "This is a HEIC photo" in found["a.heic"][0]
    page.get_by_role("link", name="Go to the page for HEIC photos").click()
    page.get_by_text("This page can open HEIC photos, too.").wait_for()
    assert finish(page, tmp_path / "a.heic")["a.heic"][1] == fingerprint(tmp_path / "a.heic").pdq.hex


def test_a_live_photo_is_protected_as_a_picture_and_a_video(open_page: Callable[[], Page], tmp_path: Path) -> None:
    (tmp_path / "IMG_1.HEIC").write_bytes(heic(photo()))
    clip = _clips.write(tmp_path / "IMG_1.MOV", _clips.panned(3, 30))
    both = [tmp_path / "IMG_1.HEIC", clip]
    page = open_page()
    assert "A live photo is a picture and a short video." in page.locator("#flow").inner_text()
    found = finish(page, *both)
    assert found["IMG_1.MOV"][0].startswith("Ready.")
    assert "This is a HEIC photo" in found["IMG_1.HEIC"][0]
    page.get_by_role("link", name="Go to the page for HEIC photos").click()
    page.get_by_text("This page can open HEIC photos, too.").wait_for()
    found = finish(page, *both)
    assert all(says.startswith("Ready.") for says, _ in found.values())
    page.click("#to-read")
    page.locator("#future").check()
    page.locator("#to-receipt:enabled").wait_for()
    still, moving = wire.parse(page.input_value("#fingerprints")).items
    assert still.value == fingerprint(both[0]).pdq.bits
    assert moving.kind == "video"


def test_the_page_loads_nothing_and_is_small_enough_for_a_phone() -> None:
    answer = Client().get("/protect/picture/heic/", headers={"Accept-Encoding": "gzip, br"})
    assert len(answer.content) <= MOST_KILOBYTES * 1000
    html = brotli.decompress(answer.content).decode()
    assert " src=" not in html.split('id="hasher"')[0]
    assert "connect-src 'none'" in answer.headers["Content-Security-Policy"]
