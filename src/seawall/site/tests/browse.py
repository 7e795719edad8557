"""Going from page to page in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator


def follow(way: Locator) -> None:
    """Press a link or button that leads to another page, and be there: a press alone returns on the page before it."""
    with way.page.expect_navigation():
        way.click()
