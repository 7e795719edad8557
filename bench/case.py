"""The case page in a real Chromium: from words to ready, and what a first visit costs on the wire."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from seawall.cases.tests import walk
from seawall.cases.tests.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

ROUNDS = 5
SLOWEST_S = 3.0
MOST_KB = 120.0


def run() -> list[dict[str, Any]]:
    """Rows: seconds to open a case and to come back to one (median), kilobytes of a first load. There is no peer."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
        site = stack.enter_context(serving({**os.environ, "SEAWALL_DATA": str(folder)}))
        browser = stack.enter_context(chromium())
        opening, entering, first_load = [], [], 0.0
        for _ in range(ROUNDS):
            with visit(browser) as (page, _):
                secret = walk.begin(page, site)
                page.get_by_role("button", name="I have them").click()
                walk.type_back(page, secret)
                opening.append(timed(page, "Open my case"))
            with visit(browser) as (page, received):
                page.goto(f"{site}/case/")
                page.get_by_role("button", name="Go to my case").click()
                page.wait_for_load_state("networkidle")
                first_load = received() / 1000
                page.locator("#enter-number").fill(secret.number)
                page.locator("#enter-words").fill(secret.typed)
                entering.append(timed(page, "Open it"))
    seconds, size = f"<= {SLOWEST_S:g} s", f"<= {MOST_KB:g} KB"
    return [
        _row("open a case, words to ready", statistics.median(opening), "s", seconds, SLOWEST_S),
        _row("come back to a case, words to ready", statistics.median(entering), "s", seconds, SLOWEST_S),
        _row("case page, first load, compressed", first_load, "KB", size, MOST_KB),
    ]


def timed(page: Page, button: str) -> float:
    """Seconds from pressing until the case is on the screen: Argon2id, signing in, reading and drawing."""
    begin = time.perf_counter()
    page.get_by_role("button", name=button, exact=True).click()
    walk.inside(page)
    return time.perf_counter() - begin


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser) -> Iterator[tuple[Page, Callable[[], float]]]:
    """A page with an empty cache, and how many bytes it has received, headers and all."""
    context = browser.new_context()
    page = context.new_page()
    sizes: list[float] = []
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    yield page, lambda: sum(sizes)
    context.close()


def _row(what: str, ours: float, unit: str, target: str, most: float) -> dict[str, Any]:
    blank = {"peer": None, "ratio": None, "peer_name": None}
    return {"what": what, "ours": round(ours, 2), "unit": unit, "target": target, "met": ours <= most, **blank}
