"""From the Send button in a real browser to the block at the gate, and from the withdrawal to the pass, 50 times."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
from playwright.sync_api import sync_playwright

from seawall.cli.demo.parts import Demo, start
from seawall.cli.demo.photo import landscape

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUNS = 50
TARGET = 3.0  # seconds, 95th percentile


def run() -> list[dict[str, Any]]:
    """Two rows. There is no peer: the other exchange is polled every few minutes by its clients."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
        demo = start(stack, folder=folder, port=0)
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        client = stack.enter_context(httpx.Client(timeout=30))
        blocked, passed = zip(*(_once(browser.new_page(), client, demo, seed) for seed in range(RUNS)), strict=True)
    return [
        _row("Send in Chromium -> a re-compressed copy is blocked", blocked),
        _row("withdraw -> it passes again", passed),
    ]


def _once(page: Page, client: httpx.Client, demo: Demo, seed: int) -> tuple[float, float]:
    """Seconds until blocked, seconds until free."""
    photo = landscape(1000 + seed, 1200, 900)
    page.goto(f"{demo.site}/protect/picture/")
    page.set_input_files("#picture", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": _jpeg(photo, 92)})
    page.click("#to-read:enabled")
    page.click("#to-receipt")
    with page.expect_download() as download:
        page.click("#save")
    receipt = Path(download.value.path()).read_text()
    token = next(line for line in receipt.splitlines() if len(line) == 97).split()[0]
    page.click("#to-send")
    begin = time.perf_counter()
    page.click("#send")
    copy = _jpeg(photo.resize((800, 600)), 60)
    blocked = _until(client, demo, copy, "match", begin)
    page.close()
    begin = time.perf_counter()
    client.post(f"{demo.site}/api/receipts/withdraw", json={"token": token}).raise_for_status()
    return blocked, _until(client, demo, copy, "free", begin)


def _until(client: httpx.Client, demo: Demo, picture: bytes, wanted: str, begin: float) -> float:
    while time.perf_counter() - begin < 10 * TARGET:
        answer = client.post(
            f"{demo.gate}/check", files={"file": picture}, headers={"Authorization": f"Bearer {demo.gate_key}"}
        )
        if answer.raise_for_status().json()["verdict"] == wanted:
            break
    return time.perf_counter() - begin


def _jpeg(picture: Any, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _row(what: str, seconds: tuple[float, ...]) -> dict[str, Any]:
    p95 = float(np.percentile(seconds, 95))
    return {
        "what": f"{what}, p95 of {len(seconds)}",
        "ours": p95,
        "peer": None,
        "peer_name": None,
        "ratio": None,
        "unit": "s",
        "target": f"<= {TARGET} s",
        "met": p95 <= TARGET,
    }
