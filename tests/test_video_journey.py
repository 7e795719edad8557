"""A person's way with a video in a real Chromium: protected on the device, its copies blocked, then let go again."""

# ruff: noqa: F811 - a fixture comes from another file

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from bench import _clips
from seawall.cases.tests.walk import open_case
from seawall.hashing import fingerprint
from seawall.site.tests.browse import follow
from tests.test_journey import WITHIN, open_receipt, protect
from tests.test_ledger import ROUND, add, another, held, rows, to_ledger  # noqa: F401 - of which one is a fixture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from seawall.cli.demo.parts import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]


def ask(demo: Demo, clip: Path) -> dict[str, Any]:
    """What the platform's gate says to an upload."""
    headers = {"Authorization": f"Bearer {demo.gate_key}"}
    answer = httpx.post(f"{demo.gate}/check", files={"file": clip.read_bytes()}, headers=headers, timeout=60)
    assert answer.is_success, answer.text
    said: dict[str, Any] = answer.json()
    return said


def waited(demo: Demo, clip: Path, verdict: str) -> dict[str, Any]:
    deadline = time.monotonic() + WITHIN
    while (said := ask(demo, clip))["verdict"] != verdict and time.monotonic() < deadline:
        time.sleep(0.2)
    return said


def test_a_videos_copies_are_blocked_and_let_go_again(page: Page, demo: Demo, tmp_path: Path) -> None:
    shown = list(_clips.panned(41, 120))
    own = _clips.write(tmp_path / "own.mp4", shown)
    phone = {"deadline": "realtime", "cpu-used": "8", "crf": "40"}
    made: dict[str, Callable[[Path], Path]] = {
        "as it is": lambda _: own,
        "encoded anew": lambda path: _clips.write(path, shown, codec=_clips.VP9, options=phone),
        "cut to five seconds": lambda path: _clips.write(path, shown[37:87], options={"crf": "30"}),
        "mirrored": lambda path: _clips.write(path, [frame[:, ::-1].copy() for frame in shown]),
        "all three": lambda path: _clips.write(
            path, [frame[:, ::-1].copy() for frame in shown[30:90]], codec=_clips.VP9, options=phone
        ),
    }
    copies = {name: make(tmp_path / f"{name}.mkv") for name, make in made.items()}
    stranger = _clips.write(tmp_path / "stranger.mp4", _clips.panned(42, 60))
    assert ask(demo, own)["verdict"] == "free"

    sent = protect(page, demo, own, tmp_path / "receipt.txt")
    assert [line.split(" ")[1:3] for line in sent.splitlines()[2:]] == [
        ["video", "vpdq1"],
        ["video", "md5"],
        ["video", "sha256"],
    ]
    receipt = (tmp_path / "receipt.txt").read_text()
    assert receipt.splitlines()[-1].split(" ")[1] == fingerprint(own).sha256

    assert waited(demo, own, "match")["verdict"] == "match"
    for name, copy in copies.items():
        assert ask(demo, copy)["verdict"] == "match", name
    assert ask(demo, stranger)["verdict"] == "free"

    deadline = time.monotonic() + WITHIN
    stopped = f"{len(copies) + 1} uploads stopped."
    while stopped not in (told := open_receipt(page, demo, tmp_path / "receipt.txt")) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert stopped in told
    assert fingerprint(own).sha256 in told

    follow(page.locator("button[name=which]").first)
    follow(page.locator("button[name=confirmed]"))
    assert waited(demo, own, "free")["verdict"] == "free"


def test_a_video_goes_into_the_case_that_opened_the_page_and_is_taken_back_from_there(
    another: Callable[[], Page], demo: Demo, tmp_path: Path
) -> None:
    own = _clips.write(tmp_path / "own.mp4", _clips.panned(43, 60))
    page = another()
    secret = open_case(page, demo.site)
    to_ledger(page)
    add(page, own.read_bytes())
    assert [receipt["pdq"] for receipt in held(page, secret)] == [fingerprint(own).sha256]
    assert waited(demo, own, "match")["verdict"] == "match"
    rows(page).get_by_role("button", name="Take it back").click()
    rows(page).get_by_role("button", name="Yes, take it back").click()
    expect(rows(page)).to_have_attribute("data-state", re.compile("withdraw"), timeout=ROUND)
    assert waited(demo, own, "free")["verdict"] == "free"
