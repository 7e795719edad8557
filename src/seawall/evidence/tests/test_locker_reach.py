"""Every screen of the locker is within reach of everyone: axe, 320 pixels, light and dark, the keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from seawall.site.tests.browse import press_by_keyboard

from .walk import add, back, exhibit, locker, look_at, photo, screen, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from .conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("locker")]

DOORS = {
    "timeline": "What happened",
    "payments": "Payments",
    "links": "Links and profiles",
    "notes": "Notes",
    "share": "Show the helpline",
    "export": "Save a copy",
    "import": "Bring a copy back",
    "log": "What was done here",
}


def check(page: Page, axe: Axe, where: str) -> None:
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    found = axe.run(page).response["violations"]
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == [], where
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 320, (where, wide)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_has_an_accessibility_fault_or_is_too_wide(
    visitor: Callable[..., Page], site: Site, tmp_path: Path, scheme: str
) -> None:
    page, axe = visitor(viewport={"width": 320, "height": 640}, color_scheme=scheme), Axe()
    locker(page, site.url)
    check(page, axe, "empty")
    page.route("**/case/api/files/*?offset=*", lambda route: route.abort())
    name = "Screenshot_20261120-213004_with_a_long_name_and_no_blank.png"
    page.set_input_files("#locker-files", str(write(tmp_path, name, photo("coffee"))))
    expect(page.get_by_text("No connection. It goes on by itself")).to_be_visible()
    check(page, axe, "coming")
    page.unroute("**/case/api/files/*?offset=*")
    expect(exhibit(page, name)).to_be_visible(timeout=60_000)
    for where, label in DOORS.items():
        page.get_by_role("button", name=label).click()
        shown = screen(page, where)
        expect(shown.get_by_role("heading").first).to_be_focused()
        if where == "notes":
            shown.get_by_label("Your note").fill("x" * 200)
            shown.get_by_role("button", name="Add it").click()
            expect(shown.locator(".entry")).to_have_count(1)
        check(page, axe, where)
        back(page)
        expect(page.get_by_role("button", name=label)).to_be_focused()
    file = look_at(page, name)
    file.get_by_role("button", name="Show it").click()
    expect(file.get_by_role("img")).to_be_visible()
    check(page, axe, "file")
    file.get_by_role("button", name="Cover parts of it").click()
    expect(screen(page, "cover").locator("canvas")).to_be_visible()
    page.get_by_role("button", name="Add a cover").click()
    check(page, axe, "cover")


def test_a_file_is_reached_looked_at_and_left_with_the_keyboard_alone(
    visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page = visitor()
    locker(page, site.url)
    add(page, write(tmp_path, "threat.png", photo("coffee")))

    press_by_keyboard(page, "threat.png")
    expect(page.get_by_role("heading", name="threat.png")).to_be_focused()
    press_by_keyboard(page, "Show it")
    expect(page.get_by_role("button", name="Hide it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Show it")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Back to the locker")).to_be_focused()
    page.keyboard.press("Enter")
    expect(exhibit(page, "threat.png")).to_be_focused()
