"""The picture page in a real Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from skimage import data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer


@pytest.fixture
def open_page(page: Page, live_server: LiveServer) -> Iterator[Callable[[], Page]]:
    """Open the picture page. Whatever it then throws or complains of fails the test."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def opened() -> Page:
        page.goto(f"{live_server.url}/protect/picture/")
        return page

    yield opened
    assert not complaints


def finish(page: Page, *files: Path) -> dict[str, tuple[str, str]]:
    """Choose those files and wait: {name: (what the page says, fingerprint or nothing)}."""
    page.set_input_files("#picture", files)
    page.locator("#list-says", has_text="ready").wait_for(timeout=60_000)
    rows = page.locator(".picture").all()
    return {
        row.locator("[data-part=name]").inner_text(): (
            row.locator("[data-part=says]").inner_text(),
            "".join(row.locator("[data-part=hash]:not([hidden])").all_inner_texts()),
        )
        for row in rows
    }


def coffee() -> NDArray[np.uint8]:
    """(400, 600, 3): a photograph without people."""
    photo: NDArray[np.uint8] = data.coffee()  # type: ignore[no-untyped-call]
    return photo
