"""A person's whole way in a real Chromium: choose, read, save, send, see it blocked, take it back."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from seawall.cli.demo.loop import copies
from seawall.cli.demo.photo import landscape
from seawall.site.tests.browse import follow

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from seawall.cli.demo.parts import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

WITHIN = 15  # seconds: far above what `make bench` measures, so that only a break fails


def jpeg(seed: int, width: int = 1600, height: int = 1200) -> bytes:
    buffer = io.BytesIO()
    landscape(seed, width, height).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def post(page: Page, demo: Demo, picture: bytes) -> str:
    """What the sample platform says to an upload, in the browser."""
    page.goto(demo.platform)
    page.set_input_files("input[name=picture]", {"name": "holiday.jpg", "mimeType": "image/jpeg", "buffer": picture})
    follow(page.locator("button"))
    return page.inner_text(".said b")


def until(page: Page, demo: Demo, picture: bytes, wanted: str) -> str:
    deadline = time.monotonic() + WITHIN
    while (said := post(page, demo, picture)) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return said


def protect(page: Page, demo: Demo, picture: bytes | Path, receipt: Path, *, only: tuple[str, ...] = ()) -> str:
    """Walk the four steps with a JPEG, or any file; answers the text that was shown before it was sent."""
    chosen: Any = picture
    if isinstance(picture, bytes):
        chosen = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture}
    page.goto(f"{demo.site}/protect/")
    follow(page.locator("text=Yes, both"))
    page.set_input_files("#picture", chosen)
    page.click("#to-read:enabled")
    if only:
        for box in page.locator("[data-platform]").all():
            box.set_checked(box.get_attribute("data-platform") in only)
    shown = page.input_value("#fingerprints")
    page.click("#to-receipt")
    assert page.is_disabled("#send"), "nothing can be sent before the receipt is kept"
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(receipt)
    page.click("#to-send")
    follow(page.locator("#send"))
    assert page.inner_text("h1") == "Done. It is on its way."
    return shown


def test_a_picture_is_protected_on_the_device_blocked_and_let_go_again(page: Page, demo: Demo, tmp_path: Path) -> None:
    picture, stranger = jpeg(101), jpeg(102)
    receipt = tmp_path / "receipt.txt"
    assert post(page, demo, picture) == "Posted."

    protect(page, demo, picture, receipt)
    assert until(page, demo, picture, "Not posted.") == "Not posted."
    for copy in copies(picture).values():
        assert post(page, demo, copy) == "Not posted."
    assert post(page, demo, stranger) == "Posted."

    deadline = time.monotonic() + WITHIN
    stopped = "Together: 5 uploads stopped."
    while stopped not in (told := open_receipt(page, demo, receipt)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert stopped in told
    assert "Facebook" in told

    follow(page.locator("button[name=which]").first)
    follow(page.locator("button[name=confirmed]"))
    assert until(page, demo, picture, "Posted.") == "Posted."


def open_receipt(page: Page, demo: Demo, receipt: Path) -> str:
    page.goto(f"{demo.site}/protect/receipt/")
    page.locator("#from-file").wait_for()  # shown by the script that reads the file
    page.set_input_files("#file", receipt)
    follow(page.locator("text=Show me"))
    return page.inner_text("main")


def test_a_platform_nobody_ticked_for_lets_the_picture_through(page: Page, demo: Demo, tmp_path: Path) -> None:
    """The example partner runs three platforms; an entry for one of them is in its feed."""
    picture = jpeg(103)
    shown = protect(page, demo, picture, tmp_path / "receipt.txt", only=("instagram",))
    assert shown.splitlines()[1] == "for instagram"
    assert until(page, demo, picture, "Not posted.") == "Not posted."


def test_the_same_picture_from_two_people_stays_protected_when_one_withdraws(
    page: Page, demo: Demo, tmp_path: Path
) -> None:
    picture = jpeg(104)
    protect(page, demo, picture, tmp_path / "alice.txt")
    protect(page, demo, picture, tmp_path / "bob.txt")
    assert until(page, demo, picture, "Not posted.") == "Not posted."
    open_receipt(page, demo, tmp_path / "alice.txt")
    follow(page.locator("button[name=which]").first)
    follow(page.locator("button[name=confirmed]"))
    time.sleep(3)  # a wrong removal would have arrived by now
    assert post(page, demo, picture) == "Not posted."


def test_a_48_megapixel_photo_with_a_turn_in_its_exif_is_protected(page: Page, demo: Demo, tmp_path: Path) -> None:
    small = landscape(105, 2000, 1500)
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    small.resize((8000, 6000)).save(turned, "JPEG", quality=85, exif=exif)
    protect(page, demo, turned.getvalue(), tmp_path / "receipt.txt")
    upright = io.BytesIO()
    small.transpose(Image.Transpose.ROTATE_270).save(upright, "JPEG", quality=80)
    assert until(page, demo, upright.getvalue(), "Not posted.") == "Not posted."
