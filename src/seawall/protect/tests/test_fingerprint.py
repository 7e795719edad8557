"""The page's fingerprints against Python's, over real files of real encoders."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw

from seawall.exchange import wire
from seawall.hashing import fingerprint, look
from seawall.protect import page as picture_page
from seawall.protect import views
from seawall.protect.tests.conftest import coffee, finish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def photo(width: int = 600, height: int = 400) -> Image.Image:
    return Image.fromarray(coffee()).resize((width, height), Image.Resampling.BICUBIC)


def cut_out() -> Image.Image:
    """A photograph with a soft transparent hole."""
    picture = photo().convert("RGBA")
    alpha = Image.new("L", picture.size, 255)
    ImageDraw.Draw(alpha).ellipse((120, 60, 480, 340), fill=70)
    picture.putalpha(alpha)
    return picture


def turned(orientation: int) -> dict[str, Any]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return {
        "exif": exif.tobytes(),
        "quality": 90,
    }  # of an object Pillow takes the orientation out when it saves an AVIF


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

FILES: dict[str, tuple[Callable[[], Image.Image], dict[str, Any]]] = {
    "plain.jpg": (photo, {"quality": 90}),
    "progressive.jpg": (photo, {"quality": 80, "progressive": True}),
    "gray.jpg": (lambda: photo().convert("L"), {"quality": 90}),
    "cmyk.jpg": (lambda: photo().convert("CMYK"), {"quality": 90}),
    "profile.jpg": (photo, {"quality": 90, "icc_profile": PROFILE}),
    **{f"exif{number}.jpg": (photo, turned(number)) for number in range(1, 9)},
    "alpha.png": (cut_out, {}),
    "gray-alpha.png": (lambda: cut_out().convert("LA"), {}),
    "palette.png": (lambda: photo().quantize(64), {}),
    "palette-alpha.png": (lambda: photo().quantize(64), {"transparency": 3}),
    "one-bit.png": (lambda: photo().convert("1"), {}),
    "sixteen-bit.png": (lambda: Image.fromarray(coffee()[:, :, 1].astype(np.uint16) * 257), {}),
    "lossy.webp": (photo, {"quality": 80}),
    "alpha.webp": (cut_out, {"lossless": True}),
    "still.gif": (photo, {}),
    "moving.gif": (photo, {"save_all": True, "append_images": [photo().rotate(180)], "duration": 100}),
    "moving.webp": (photo, {"save_all": True, "append_images": [photo().rotate(180)], "duration": 100}),
    "moving.png": (photo, {"save_all": True, "append_images": [photo().rotate(180)], "duration": 100}),
    "picture.avif": (photo, {"quality": 80}),
    "full-colour.avif": (photo, {"quality": 80, "subsampling": "4:4:4"}),
    "alpha.avif": (cut_out, {"quality": 80}),
    "turned.avif": (photo, {**turned(6), "quality": 80}),
    "profile.avif": (photo, {"quality": 80, "icc_profile": PROFILE}),
    "picture.bmp": (photo, {}),
    "odd.png": (lambda: photo(601, 257), {}),
    "strip-edge.png": (lambda: photo(300, 512), {}),
    "small.png": (lambda: photo(64, 64), {}),
    "tiny.png": (lambda: photo(17, 9), {}),
    "tall.png": (lambda: photo(90, 3000), {}),
    "wide.png": (lambda: photo(20_000, 100), {}),
    "no-extension": (photo, {"format": "JPEG"}),
    "wrong-extension.gif": (photo, {"format": "PNG"}),
    "huge.jpg": (lambda: photo(10_000, 10_000), {"quality": 60}),
}


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    for name, (make, options) in FILES.items():
        make().save(folder / name, **options)
    return [folder / name for name in FILES]


def test_every_picture_has_the_very_bits_that_python_finds(open_page: Callable[[], Page], files: list[Path]) -> None:
    expected = {file.name: fingerprint(file).pdq for file in files}
    assert all(each.quality >= 50 for each in expected.values())
    page = open_page()
    found = finish(page, *files)
    # The same bits twice are shown once, so compare what the page knows of, and that no bits are missing.
    wrong = {name for name, (_, shown) in found.items() if shown and shown != expected[name].hex}
    assert not wrong
    assert {shown for _, shown in found.values() if shown} == {each.hex for each in expected.values()}
    for name, (says, shown) in found.items():
        assert shown or "The same picture" in says, (name, says)


def text_to_send(page: Page) -> list[str]:
    """Go on to what will be sent, with the fingerprints of parts: its lines."""
    page.click("#to-read")
    page.locator("#future").check()
    page.locator("#parts").check()
    page.locator("#to-receipt:enabled").wait_for()
    return page.input_value("#fingerprints").splitlines()


def test_the_parts_are_those_that_python_finds(open_page: Callable[[], Page], files: list[Path]) -> None:
    some = [file for file in files if file.name in {"exif6.jpg", "alpha.png", "tall.png", "small.png", "huge.jpg"}]
    page = open_page()
    finish(page, *some)
    windows = {look(file)[0].pdq.hex: look(file)[1].registered() for file in some}
    lines = [line.split(" ") for line in text_to_send(page)[2:]]
    assert len(lines) == 2 * len(some)
    for (sealed, *whole), (same, kind, version, value, quality) in zip(lines[::2], lines[1::2], strict=True):
        assert whole[:2] == ["image", "pdq1"]
        assert (sealed, kind, version) == (same, "image", "windows1")
        made = base64.urlsafe_b64decode(value)
        assert made == windows[whole[2]]
        assert int(quality) == made[32]
    assert wire.parse(page.input_value("#fingerprints")).items[0].windows is not None


def test_parts_are_sent_only_where_the_person_ticks_it(open_page: Callable[[], Page], tmp_path: Path) -> None:
    photo().save(tmp_path / "a.png")
    page = open_page()
    finish(page, tmp_path / "a.png")
    page.click("#to-read")
    assert not page.locator("#parts").is_checked()
    page.locator("#future").check()
    page.locator("#to-receipt:enabled").wait_for()
    shown = page.input_value("#fingerprints")
    assert [line.split(" ")[2] for line in shown.splitlines()[2:]] == ["pdq1"]
    page.locator("#parts").check()
    assert len(page.input_value("#fingerprints").splitlines()) == 4
    page.locator("#parts").uncheck()
    assert page.input_value("#fingerprints") == shown
    page.locator("#parts").check()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    assert not page.locator("#parts").is_checked()


def test_what_is_not_a_whole_picture_gets_a_sentence_and_no_fingerprint(
    open_page: Callable[[], Page], tmp_path: Path
) -> None:
    (tmp_path / "good.png").write_bytes(b"")
    photo().save(tmp_path / "good.png")
    photo().save(tmp_path / "whole.jpg")
    bad = {
        "words.jpg": b"These are words and not a picture.",
        "empty.jpg": b"",
        "cut.png": (tmp_path / "good.png").read_bytes()[:3000],
        "head.jpg": (tmp_path / "whole.jpg").read_bytes()[:100],
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    Image.new("RGB", (4, 300), "teal").save(tmp_path / "thin.png")
    names = [*bad, "bomb.png", "thin.png", "good.png"]
    found = finish(open_page(), *(tmp_path / name for name in names))
    for name in names[:-1]:
        says, shown = found[name]
        assert not shown, name
        assert "Too small" in says if name == "thin.png" else "cannot open it" in says, (name, says)
    assert found["good.png"][1] == fingerprint(tmp_path / "good.png").pdq.hex


def test_a_plain_picture_is_not_sent_and_is_told_why(open_page: Callable[[], Page], tmp_path: Path) -> None:
    Image.new("RGB", (800, 600), "black").save(tmp_path / "black.png")
    page = open_page()
    says, shown = finish(page, tmp_path / "black.png")["black.png"]
    assert not shown
    assert "Too plain" in says
    assert page.locator("#to-read").is_disabled()


def serve_worker(monkeypatch: pytest.MonkeyPatch, worker: str) -> None:
    """The page with that text as its worker, sealed as ever."""
    parts = picture_page.seal(
        worker=worker,
        frame=picture_page.frame_text(),
        page=picture_page.page_text(),
        style=picture_page.style_text(),
    )
    monkeypatch.setattr(views, "sealed", lambda: parts)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("delete self.OffscreenCanvas;", "This browser is too old"),
        ("delete WebAssembly.Instance; WebAssembly.validate = () => false;", "This browser is too old"),
        (
            """OffscreenCanvasRenderingContext2D.prototype.getImageData = (x, y, w, h) =>
                ({ data: Uint8ClampedArray.from({ length: w * h * 4 }, (_, at) => at * 97) });""",
            "This browser hides pictures",
        ),
    ],
)
def test_a_browser_that_cannot_do_it_is_told_kindly(
    open_page: Callable[[], Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str, sentence: str
) -> None:
    serve_worker(monkeypatch, f"{missing}\n{picture_page.worker_text()}")
    photo().save(tmp_path / "a.png")
    assert sentence in finish(open_page(), tmp_path / "a.png")["a.png"][0]


def test_a_browser_without_simd_finds_the_same_bits(
    open_page: Callable[[], Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forget = "WASM.shift();"
    serve_worker(monkeypatch, picture_page.worker_text().replace("\n", f"\n{forget}\n", 1))
    photo().save(tmp_path / "a.png")
    assert finish(open_page(), tmp_path / "a.png")["a.png"][1] == fingerprint(tmp_path / "a.png").pdq.hex


def test_the_page_believes_nothing_but_a_fingerprint(
    open_page: Callable[[], Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good, parts, secret = "0f" * 32, "Az0_-9" * 924, "the picture says hello"
    serve_worker(
        monkeypatch,
        f"""self.onmessage = ({{ ports: [port] }}) => {{
          for (const said of [
            "{secret}", null, ["done"], ["done", "{secret}", 99], ["done", "{good.upper()}", 99],
            ["done", "{good}0", 99], ["done", "{good}\\n", 99], ["done", "{good}", 101], ["done", "{good}", -1],
            ["done", "{good}", 50.5], ["done", "{good}", "99"], ["done", ["{good}"], 99], {{ 0: "done", 1: "{good}" }},
            ["done", "{good}", 88], ["done", "{good}", 88, "{secret}", 90], ["done", "{good}", 88, "{parts}", "90"],
            ["done", "{good}", 88, "{parts}=", 90], ["done", "{good}", 88, "{parts}\\n", 90],
            ["done", "{good}", 88, null, 90], ["done", "{good}", 88, "{parts}", 101],
            ["failed", "{secret}"], ["failed"], ["progress", "{secret}"], ["progress", 1e9],
          ]) port.postMessage(said);
          port.postMessage(["done", "{good}", 88, "{parts}", 90, "{secret}"]);
        }};""",
    )
    photo().save(tmp_path / "a.png")
    page = open_page()
    assert finish(page, tmp_path / "a.png")["a.png"] == ("Ready. The picture has plenty of detail (88 of 100).", good)
    page.click("#to-read")
    page.locator("#future").check()  # nobody takes part yet
    page.locator("#parts").check()
    page.locator("#to-receipt:enabled").wait_for()
    *_, whole, windows, end = page.input_value("#fingerprints").split("\n")
    sealed = whole.partition(" ")[0]
    assert (whole, windows, end) == (f"{sealed} image pdq1 {good} 88", f"{sealed} image windows1 {parts} 90", "")
    # Nothing of what was refused stands in what the page shows, holds or would send (the worker's own text aside).
    page.evaluate("() => document.querySelector('template#hasher').remove()")
    assert secret not in page.content()
