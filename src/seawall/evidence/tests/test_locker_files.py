"""Files in the locker: added, looked at, covered, renamed, deleted; in a real Chromium with the live server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from .walk import add, back, locker, look_at, photo, saved, write

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
