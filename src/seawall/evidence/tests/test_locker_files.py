"""Files in the locker: added, looked at, covered, renamed, deleted; in a real Chromium with the live server."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from .walk import add, back, exhibit, home, locker, look_at, photo, saved, says, screen, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from .conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("locker")]


def test_several_files_are_added_and_come_back_byte_for_byte(
    visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page = visitor()
    secret = locker(page, site.url)
    expect(page.get_by_text("Nothing here yet. Begin with a screenshot")).to_be_visible()
    chat = "Mon 14:02 Stranger: pay 450 pounds\n" * 40
    files = {
        "threat.png": photo("coffee"),
        "profile.jpg": photo("chelsea", "JPEG"),
        "chat.txt": chat.encode(),
        "large.bin": np.random.default_rng(5).bytes(9 << 20),
        "empty.txt": b"",
    }
    add(page, *(write(tmp_path, name, content) for name, content in files.items()))
    stored = b"".join(site.blobs.values())
    assert len(stored) > 9 << 20
    assert b"pay 450 pounds" not in stored

    elsewhere = visitor()
    locker(elsewhere, site.url, secret)
    for name, content in files.items():
        look_at(elsewhere, name)
        assert saved(elsewhere) == content, name
        back(elsewhere)


def test_a_picture_is_shown_and_hidden_and_both_the_log_and_the_screen_say_so(
    visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page = visitor()
    locker(page, site.url)
    add(page, write(tmp_path, "threat.png", photo("coffee")))
    file = look_at(page, "threat.png")
    assert file.locator("img").count() == 0  # nothing is shown before somebody asks for it
    expect(file.get_by_text("threat.png was added")).to_be_visible()
    file.get_by_role("button", name="Show it").click()
    picture = file.get_by_role("img", name="threat.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("async (img) => { await img.decode(); return [img.naturalWidth, img.naturalHeight]; }") == [
        300,
        200,
    ]
    address = picture.get_attribute("src")
    assert address
    assert address.startswith("blob:")
    expect(file.get_by_text("threat.png was looked at")).to_be_visible()
    file.get_by_role("button", name="Hide it").click()
    expect(file.locator("img")).to_have_count(0)
    revoked = """(address) => new Promise((tell) => {
      const picture = new Image();
      picture.onload = () => tell(false);
      picture.onerror = () => tell(true);
      picture.src = address;
    })"""
    assert page.evaluate(revoked, address)


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        (
            "page.html",
            b"<h1>hello</h1><img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>",
            True,
        ),
        (
            "drawing.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg' onload=\"document.title='ran'\"><text>hi</text></svg>",
            False,
        ),
        ("letter.pdf", b"%PDF-1.4 nothing much", False),
    ],
)
def test_nothing_in_a_file_runs(
    visitor: Callable[..., Page], site: Site, tmp_path: Path, name: str, content: bytes, *, shown: bool
) -> None:
    page = visitor()
    locker(page, site.url)
    add(page, write(tmp_path, name, content))
    file = look_at(page, name)
    if shown:
        file.get_by_role("button", name="Show it").click()
        expect(file.locator(".view pre")).to_have_text(content.decode())
        assert file.locator(".view *").count() == 1
    else:
        expect(file.get_by_text("This kind of file is not shown here")).to_be_visible()
        expect(file.get_by_role("button", name="Show it")).to_be_hidden()
        assert saved(page) == content
    assert page.title() == "Seawall"


def test_a_covered_copy_holds_nothing_under_its_covers_and_the_original_stays(
    visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretPhone"
    original = photo("astronaut", "JPEG", exif=exif)
    assert b"SecretPhone" in original
    page = visitor()
    locker(page, site.url)
    add(page, write(tmp_path, "face.jpg", original))
    look_at(page, "face.jpg").get_by_role("button", name="Cover parts of it").click()
    cover = screen(page, "cover")
    expect(says(page, "cover")).to_contain_text("Drag over a part")
    box = cover.locator("canvas").bounding_box()
    assert box

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.mouse.move(*at(0.2, 0.1))
    page.mouse.down()
    page.mouse.move(*at(0.5, 0.3), steps=4)
    page.mouse.move(*at(0.6, 0.5), steps=4)
    page.mouse.up()
    expect(says(page, "cover")).to_have_text("1 part is covered.")
    # Two taps are two corners; and what was not meant is taken off again.
    page.mouse.click(*at(0.7, 0.7))
    expect(says(page, "cover")).to_contain_text("other corner")
    page.mouse.click(*at(0.9, 0.9))
    expect(cover.locator(".cover:not(.cover--ghost)")).to_have_count(2)
    cover.get_by_role("button", name="Take the last one off").click()
    cover.get_by_role("button", name="Keep the covered picture").click()
    expect(exhibit(page, "face (covered).jpg")).to_be_visible()

    look_at(page, "face (covered).jpg")
    expect(page.get_by_text("A covered copy of: face.jpg")).to_be_visible()
    expect(page.get_by_text("face (covered).jpg was made, with parts covered")).to_be_visible()
    copy = saved(page)
    assert b"SecretPhone" not in copy
    assert b"Exif" not in copy
    pixels = np.asarray(Image.open(io.BytesIO(copy)).convert("RGB")).astype(int)
    before = np.asarray(Image.open(io.BytesIO(original)).convert("RGB")).astype(int)
    assert pixels.shape == before.shape
    # A JPEG's blocks of 16 pixels may shine a little over the edge.
    assert pixels[22 + 16 : 98 - 16, 62 + 16 : 178 - 16].max() <= 4
    assert before[22 + 16 : 98 - 16, 62 + 16 : 178 - 16].max() > 100
    assert np.abs(pixels[130:, :50] - before[130:, :50]).mean() < 6
    back(page)
    look_at(page, "face.jpg")
    assert saved(page) == original


def test_covers_are_made_moved_and_taken_off_with_the_keyboard(
    visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page = visitor()
    locker(page, site.url)
    add(page, write(tmp_path, "chat.png", photo("coffee")))
    look_at(page, "chat.png").get_by_role("button", name="Cover parts of it").press("Enter")
    expect(says(page, "cover")).to_contain_text("Drag over a part")
    page.get_by_role("button", name="Add a cover").press("Enter")
    cover = page.get_by_role("button", name="Cover 1.")
    expect(cover).to_be_focused()
    for key, times in (("ArrowUp", 30), ("ArrowLeft", 30), ("Shift+ArrowRight", 10), ("Shift+ArrowDown", 17)):
        for _ in range(times):
            page.keyboard.press(key)
    expect(page.locator("#announce")).to_have_text("0 % from the left, 0 % from the top, 50 % wide, 50 % high.")
    expect(cover).to_be_focused()
    page.get_by_role("button", name="Add a cover").press("Enter")
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Keep the covered picture").press("Enter")
    look_at(page, "chat (covered).png")
    pixels = np.asarray(Image.open(io.BytesIO(saved(page))).convert("RGB"))
    assert pixels[:100, :150].max() == 0
    assert pixels[101:, 151:].max() > 100


def test_a_file_is_renamed_noted_and_deleted_and_the_server_has_nothing_of_it_left(
    visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page = visitor()
    secret = locker(page, site.url)
    before = set(site.blobs)
    add(page, write(tmp_path, "IMG_1.png", photo("coffee")), write(tmp_path, "IMG_2.png", photo("rocket")))
    file = look_at(page, "IMG_1.png")
    file.get_by_label("Name").fill("First threat.png")
    file.get_by_label("Your note").fill("sent at night")
    file.get_by_role("button", name="Save the change").click()
    expect(says(page, "file")).to_have_text("Your change is saved.")
    expect(file.get_by_text("First threat.png got a new name or note")).to_be_visible()
    assert len(set(site.blobs) - before) == 2

    elsewhere = visitor()
    locker(elsewhere, site.url, secret)
    expect(exhibit(elsewhere, "First threat.png")).to_contain_text("sent at night")

    delete = file.get_by_role("button", name="Delete it")
    delete.click()
    expect(file.get_by_role("button", name="Press again: it is gone for ever")).to_be_visible()
    assert len(set(site.blobs) - before) == 2
    file.get_by_role("button", name="Press again: it is gone for ever").click()
    expect(exhibit(page, "First threat.png")).to_have_count(0)
    expect(page.get_by_role("heading", name="Your locker")).to_be_visible()
    assert len(set(site.blobs) - before) == 1
    page.get_by_role("button", name="What was done here").click()
    lines = screen(page, "log").locator("[data-part=lines] li")
    expect(lines.last).to_have_text(re.compile("a file that you deleted: deleted$"))


def test_an_intimate_file_is_never_shown(visitor: Callable[..., Page], site: Site, tmp_path: Path) -> None:
    page = visitor()
    locker(page, site.url)
    picture = photo("astronaut")
    add(page, write(tmp_path, "private.png", picture))
    file = look_at(page, "private.png")
    file.get_by_role("button", name="Show it").click()
    expect(file.get_by_role("img")).to_be_visible()
    file.get_by_label("This is intimate").check()
    file.get_by_role("button", name="Save the change").click()
    expect(file.get_by_text("You marked this as intimate")).to_be_visible()
    expect(file.get_by_role("img")).to_have_count(0)
    for name in ("Show it", "Cover parts of it"):
        expect(file.get_by_role("button", name=name)).to_be_hidden()
    back(page)
    expect(exhibit(page, "private.png")).to_contain_text("Intimate, not shown.")
    home(page)
    look_at(page, "private.png")
    expect(file.get_by_role("button", name="Show it")).to_be_hidden()
    assert saved(page) == picture
