"""Every page in a language that is longer than English and read from the right, as a browser shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data as photos

from seawall.directory import queries as directory
from seawall.exchange import operations
from seawall.site.tests import pseudo
from seawall.site.tests.browse import follow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page
    from pytest_django.fixtures import Settings
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
PAGES = ["", "start/", "what/", "bank/", "apps/", "settings/", "alerts/", "support/", "days/", "steps/"]
PAGES += [f"steps/{number}/" for number in range(1, 7)]
PAGES += ["protect/", "protect/under-18/", "protect/picture/heic/", "protect/receipt/"]
PAGES += ["leaving/", "privacy/", "no-such-page/"]
SIZES = [(320, 640), (1280, 800)]
# Names of things, which are the same in every language.
NAMES = ["Seawall", "Chrome", "Edge", "Brave", "Firefox", "Samsung Internet"]


def names() -> list[str]:
    return [*NAMES, directory.helpline().name, *(each.name for each in directory.platforms())]


@pytest.fixture(params=SIZES, ids=["320 px", "1280 px"])
def check(request: pytest.FixtureRequest, page: Page, settings: Settings, tmp_path: Path) -> Callable[[str], None]:
    """Look at the page as it is now."""
    pseudo.speak(settings, tmp_path / "locale")
    operations.add_partner(name="Example", slugs=["facebook", "instagram", "messenger"], now=NOW)
    page.set_viewport_size({"width": request.param[0], "height": request.param[1]})

    return lambda where: pseudo.check(page, where, names())


def test_the_check_sees_what_was_left_in_english() -> None:
    assert pseudo.left_in_english("⟦Ŵĥý ⟦ñàɱé⟧⟧ 116 123 help@example.org Google", ["Google"]) == []
    assert pseudo.left_in_english("⟦Ŵĥý⟧\nCall now", []) == ["Call now"]
    assert pseudo.pseudo("Step {number} of 4").startswith("⟦Šţéþ {number} öƒ 4 ")


@pytest.mark.parametrize("layout", ["", "/easy"], ids=["normal", "easy read"])
def test_every_page_is_whole_in_it(
    page: Page, live_server: LiveServer, check: Callable[[str], None], layout: str
) -> None:
    for path in PAGES:
        page.goto(f"{live_server.url}{layout}/{pseudo.CODE}/{path}")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "exit", path
        check(path)
        assert page.evaluate("document.querySelector('#exit').getBoundingClientRect().left") < 60, path


def test_every_answer_to_the_questions_is_whole_in_it(
    page: Page, live_server: LiveServer, check: Callable[[str], None]
) -> None:
    for who in ("2", "3"):
        page.goto(f"{live_server.url}/{pseudo.CODE}/start/")
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        for box in page.locator("input[type=checkbox]").all():
            box.check()
        for name, value in (("a", who), ("c", "2"), ("d", "2")):
            page.check(f'input[name="{name}"][value="{value}"]')
        if who == "3":
            page.uncheck('input[name="e"][value="7"]')
            page.uncheck('input[name="e"][value="1"]')
        follow(page.locator("main button[type=submit]"))
        check(f"plan {who}")


def test_a_picture_is_protected_and_taken_back_in_it(
    page: Page, live_server: LiveServer, check: Callable[[str], None], tmp_path: Path
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    Image.fromarray(photos.coffee()).save(tmp_path / "a.png")  # type: ignore[no-untyped-call]
    Image.new("RGB", (64, 64)).save(tmp_path / "plain.png")
    (tmp_path / "torn.png").write_bytes(b"no picture")
    page.goto(f"{live_server.url}/{pseudo.CODE}/protect/picture/")
    check("choose")
    words = page.evaluate("Object.values(document.getElementById('words').dataset)")
    assert len(words) > 30
    assert pseudo.left_in_english("\n".join(words), names()) == []

    page.set_input_files("#picture", [tmp_path / name for name in ("a.png", "a.png", "plain.png", "torn.png")])
    page.locator("#to-read:enabled").wait_for(timeout=60_000)
    check("chosen")
    page.click("#to-read")
    check("read")
    page.click("#to-receipt")
    check("receipt")
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "receipt.txt")
    check("kept")
    page.click("#to-send")
    check("send")
    follow(page.locator("#send"))
    check("sent")

    page.goto(f"{live_server.url}/{pseudo.CODE}/protect/receipt/")
    page.locator("#from-file").wait_for()  # shown by the script that reads the file
    page.set_input_files("#file", tmp_path / "receipt.txt")
    expect(page.locator("#receipt")).to_have_value((tmp_path / "receipt.txt").read_text())
    follow(page.locator("main form button[type=submit]"))
    check("status")
    follow(page.locator("button[name=which]").first)
    check("take back?")
    follow(page.locator("button[name=confirmed]"))
    check("taken back")
    assert complaints == []


def test_a_refusal_is_whole_in_it(page: Page, live_server: LiveServer, check: Callable[[str], None]) -> None:
    page.goto(f"{live_server.url}/{pseudo.CODE}/protect/receipt/")
    page.fill("#receipt", "not a receipt")
    follow(page.locator("main form button[type=submit]"))
    check("no receipt")
    page.goto(f"{live_server.url}/{pseudo.CODE}/protect/receipt/")
    page.fill("#receipt", "a1" * 16)
    follow(page.locator("main form button[type=submit]"))
    check("unknown code")


def test_a_number_to_call_is_never_turned_round(
    page: Page, live_server: LiveServer, check: Callable[[str], None]
) -> None:
    """Groups of digits would change places where text runs from the right."""
    seen = 0
    for path in ("", "support/", "steps/6/", "protect/under-18/"):
        page.goto(f"{live_server.url}/{pseudo.CODE}/{path}")
        check(path)
        directions = page.locator("a[href^='tel:'], a[href^='mailto:'], a[href^='sms:']").evaluate_all(
            "links => links.map((each) => getComputedStyle(each).direction)"
        )
        seen += len(directions)
        assert set(directions) <= {"ltr"}, path
    assert seen > 10
