"""Walking the locker as a person does, in a real Chromium."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import expect
from skimage import data

from seawall.cases.tests.walk import Secret, enter, inside, open_case
from seawall.site.tests.browse import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

__all__ = ["PATIENCE", "Secret"]


def photo(name: str, kind: str = "PNG", *, size: tuple[int, int] = (300, 200), exif: Image.Exif | None = None) -> bytes:
    """A photograph without people, of scikit-image, as a file."""
    file = io.BytesIO()
    picture = Image.fromarray(getattr(data, name)()).convert("RGB").resize(size)
    picture.save(file, kind, **({"exif": exif} if exif else {}))
    return file.getvalue()


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def locker(page: Page, url: str, secret: Secret | None = None) -> Secret:
    """Open a case, or come back to one, and go to its locker."""
    if secret is None:
        secret = open_case(page, url)
    else:
        enter(page, url, secret.number, secret.typed)
        inside(page)
    home(page)
    return secret


def home(page: Page) -> None:
    """To the locker's first screen, from wherever one is in the case."""
    page.get_by_role("button", name="Locker", exact=True).click()
    expect(page.get_by_role("heading", name="Your locker")).to_be_visible()


def add(page: Page, *paths: Path) -> None:
    """Choose files, and wait until they are kept."""
    page.set_input_files("#locker-files", [str(path) for path in paths])
    for path in paths:
        expect(exhibit(page, path.name)).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".coming__one")).to_have_count(0)


def exhibit(page: Page, name: str) -> Locator:
    """The row of a file."""
    return page.locator(".exhibit").filter(has=page.get_by_text(name, exact=True))


def screen(page: Page, name: str) -> Locator:
    """A screen of the locker."""
    return page.locator(f"[data-screen={name}]")


def look_at(page: Page, name: str) -> Locator:
    """Go to a file's screen."""
    exhibit(page, name).click()
    expect(screen(page, "file").get_by_role("heading", name=name, exact=True)).to_be_visible()
    return screen(page, "file")


def saved(page: Page) -> bytes:
    """What "Save it on this device" gives, on a file's screen."""
    with page.expect_download() as download:
        screen(page, "file").get_by_role("button", name="Save it on this device").click()
    with download.value.path().open("rb") as file:
        return file.read()


def back(page: Page) -> None:
    """Back to the list, from any screen."""
    page.locator("[data-screen]:not([hidden]) [data-to=home]").click()


def says(page: Page, name: str) -> Locator:
    """What a screen says of what was done last."""
    return screen(page, name).locator("[data-part=says]")
