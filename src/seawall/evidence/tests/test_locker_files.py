"""Files in the locker: added, looked at, covered, renamed, deleted; in a real Chromium with the live server."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from seawall.evidence.models import Blob

from .walk import PATIENCE, add, back, exhibit, home, locker, look_at, photo, saved, says, screen, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("locker")]


def test_several_files_are_added_and_come_back_byte_for_byte(
    visitor: Callable[..., Page], live_server: LiveServer, tmp_path: Path, data: Path
) -> None:
    page = visitor()
    secret = locker(page, live_server.url)
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
    assert Blob.objects.filter(state=Blob.State.KEPT).count() == len(files)
    stored = b"".join(path.read_bytes() for path in (data / "blobs").rglob("*") if path.is_file())
    assert len(stored) > 9 << 20
    assert b"pay 450 pounds" not in stored

    elsewhere = visitor()
    locker(elsewhere, live_server.url, secret)
    for name, content in files.items():
        look_at(elsewhere, name)
        assert saved(elsewhere) == content, name
        back(elsewhere)
