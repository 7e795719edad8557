"""axe-core on every public page in every language, light and dark: a sample in `make test`, all in `make test-full`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from PIL import Image
from skimage import data as photos

from seawall.exchange import operations
from seawall.guide.urls import urlpatterns as guide
from seawall.site.tests.browse import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("guide")]

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
NAMES = [f"guide:{pattern.name}" for pattern in guide]
NAMES += ["site:leaving", "site:privacy", "protect:start", "protect:under_18", "protect:picture", "protect:receipt"]
SAMPLE = ["guide:home", "guide:police", "protect:picture"]
LANGUAGES = [code for code, _ in settings.LANGUAGES]
SCHEMES = ["light", "dark"]
# A phone, and wide enough for two columns.
SIZES = {"light": {"width": 360, "height": 780}, "dark": {"width": 1280, "height": 800}}


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Callable[[str], Page]]:
    """A browser that prefers that colour scheme."""
    contexts = []

    def opened(scheme: str) -> Page:
        kind: dict[str, Any] = {"color_scheme": scheme, "viewport": SIZES[scheme], "base_url": live_server.url}
        contexts.append(browser.new_context(**kind))
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


def address(name: str, language: str) -> str:
    with translation.override(language):
        return reverse(name)


def check(page: Page, where: object) -> None:
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    found = Axe().run(page)
    assert found.violations_count == 0, (where, found.generate_report())


def answer_everything(page: Page) -> None:
    """Tick every box: that plan holds most of the steps."""
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    for box in page.locator("main input[type=checkbox], main input[value='2'][type=radio]").all():
        box.check()
    follow(page.locator("main button[type=submit]"))


def protect_and_take_back(page: Page, language: str, picture: Path, receipt: Path) -> Iterator[str]:
    """Every state of the pages around a picture; each is shown when its name is given."""
    page.goto(address("protect:picture", language))
    page.set_input_files("#picture", [picture, picture])
    page.locator("#to-read:enabled").wait_for(timeout=60_000)
    yield "chosen"
    page.click("#to-read")
    yield "read"
    page.click("#to-receipt")
    yield "receipt"
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(receipt)
    page.click("#to-send")
    yield "send"
    follow(page.locator("#send"))
    yield "sent"
    page.goto(address("protect:receipt", language))
    page.locator("main form button[type=submit]").click()  # empty: the browser asks for it
    page.fill("#receipt", receipt.read_text())
    follow(page.locator("main form button[type=submit]"))
    yield "status"
    follow(page.locator("button[name=which]").first)
    yield "take back?"
    follow(page.locator("button[name=confirmed]"))
    yield "taken back"
    page.goto(address("protect:receipt", language))
    page.fill("#receipt", "not a receipt")
    follow(page.locator("main form button[type=submit]"))
    yield "no receipt"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_sample_has_no_accessibility_fault(visit: Callable[[str], Page], language: str, scheme: str) -> None:
    page = visit(scheme)
    for name in SAMPLE:
        page.goto(address(name, language))
        check(page, name)


def test_the_check_sees_a_fault(visit: Callable[[str], Page]) -> None:
    page = visit("light")
    page.goto("/")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    with pytest.raises(AssertionError, match="html-has-lang"):
        check(page, "/")


@pytest.mark.full
@pytest.mark.parametrize("layout", ["", "/easy"], ids=["normal", "easy read"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_page_has_an_accessibility_fault(
    visit: Callable[[str], Page], language: str, scheme: str, layout: str
) -> None:
    page = visit(scheme)
    for name in NAMES:
        page.goto(layout + address(name, language))
        check(page, name)
    page.goto(layout + address("guide:start", language))
    answer_everything(page)
    check(page, "plan")
    page.goto(layout + address("guide:home", language) + "no-such-page/")
    check(page, "not found")


@pytest.mark.full
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_step_of_protecting_a_picture_has_an_accessibility_fault(
    visit: Callable[[str], Page], tmp_path: Path, language: str, scheme: str
) -> None:
    operations.add_partner(name="Example", slugs=["facebook", "instagram", "messenger"], now=NOW)
    Image.fromarray(photos.coffee()).save(tmp_path / "a.png")  # type: ignore[no-untyped-call]
    page = visit(scheme)
    for state in protect_and_take_back(page, language, tmp_path / "a.png", tmp_path / "receipt.txt"):
        check(page, state)
