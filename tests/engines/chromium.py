"""Debian's Chromium, as every other test has it, behind the same face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error as PlaywrightError

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page


class Chromium:
    """A page of Playwright's."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def open(self, url: str) -> None:
        """Go there, and return once it is loaded."""
        self._page.goto(url)

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, as JSON would hold it; None while the page is changing."""
        try:
            return self._page.evaluate(f"() => {expression}")
        except PlaywrightError as error:
            if "Execution context was destroyed" in error.message:
                return None
            raise

    def choose(self, css: str, *files: Path) -> None:
        """Choose files in a file field."""
        self._page.set_input_files(css, files)

    def close(self) -> None:
        """End the browser: Playwright does."""
