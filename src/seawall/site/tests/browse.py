"""Arriving with a real browser, and going from page to page."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Locator, Page

# Milliseconds. A loaded machine takes its time over Argon2id; a test that waits for less fails for nothing.
PATIENCE = 120_000


@contextmanager
def visitors(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Each page is a person on a device of their own. Whatever it throws or complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def arrive(**kind: Any) -> Page:
        context = browser.new_context(**kind)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        # A refused request is said twice by Chromium; what a refusal means is the tests' own to say.
        context.on(
            "console",
            lambda line: (
                complaints.append(line.text)
                if line.type == "error" and "Failed to load resource" not in line.text
                else None
            ),
        )
        return context.new_page()

    yield arrive
    for context in contexts:
        context.close()
    assert complaints == []


def follow(way: Locator) -> None:
    """Press a link or button that leads to another page, and be there: a press alone returns on the page before it."""
    with way.page.expect_navigation():
        way.click()


def press_by_keyboard(page: Page, name: str) -> None:
    """Go on with Tab to what begins with these words, and press Enter."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()").startswith(name):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} cannot be reached")
