"""Files on their way: progress, a connection that breaks, a stop, the same file twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from .walk import add, exhibit, locker, look_at, photo, saved, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page, Route

    from .conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("locker")]


def noise(size: int) -> bytes:
    return np.random.default_rng(7).bytes(size)


def test_an_upload_goes_on_where_the_connection_broke(visitor: Callable[..., Page], site: Site, tmp_path: Path) -> None:
    page = visitor()
    locker(page, site.url)
    content = noise(11 << 20)
    sent: list[tuple[int, int]] = []
    broken: list[str] = []
    asked: list[str] = []

    def part(route: Route) -> None:
        offset = int(route.request.url.rpartition("=")[2])
        body = route.request.post_data_buffer or b""
        # Once the request is lost, once only its answer.
        if len(sent) == 2 and not broken:
            broken.append("request")
            route.abort()
            return
        sent.append((offset, len(body)))
        if len(sent) == 4 and len(broken) == 1:
            broken.append("answer")
            route.fetch()
            route.abort()
            return
        route.continue_()

    page.route("**/case/api/files/*?offset=*", part)
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/received") else None)
    page.set_input_files("#locker-files", str(write(tmp_path, "film.bin", content)))
    expect(page.get_by_text("No connection. It goes on by itself")).to_be_visible()
    expect(exhibit(page, "film.bin")).to_be_visible(timeout=60_000)
    assert broken == ["request", "answer"]
    assert len(asked) >= 2
    # Every byte went once: nothing was sent again that had arrived.
    assert [offset for offset, _ in sent] == list(np.cumsum([0] + [length for _, length in sent])[:-1])
    look_at(page, "film.bin")
    assert saved(page) == content


def test_a_network_that_sent_too_much_waits_and_goes_on(
    visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page = visitor()
    locker(page, site.url)
    refused: list[Route] = []

    def part(route: Route) -> None:
        if len(refused) < 2:
            refused.append(route)
            route.fulfill(status=429, json={"message": "Much was sent."})
        else:
            route.continue_()

    page.route("**/case/api/files/*?offset=*", part)
    page.set_input_files("#locker-files", str(write(tmp_path, "chat.png", photo("coffee"))))
    expect(page.get_by_text("Much was sent from your network just now.")).to_be_visible()
    expect(exhibit(page, "chat.png")).to_be_visible()
    look_at(page, "chat.png")
    assert saved(page) == photo("coffee")


def test_progress_is_seen_and_heard_and_a_stop_leaves_nothing(
    visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page = visitor()
    locker(page, site.url)
    before = set(site.blobs)
    held: list[Route] = []

    def part(route: Route) -> None:
        if route.request.url.endswith("offset=0"):
            route.continue_()
        else:
            held.append(route)  # never answered

    page.route("**/case/api/files/*?offset=*", part)
    page.set_input_files("#locker-files", str(write(tmp_path, "film.bin", noise(9 << 20))))
    row = page.locator(".coming__one")
    expect(row).to_contain_text("Locking and sending: 5 %")
    progress = row.get_by_role("progressbar", name="film.bin").evaluate("(bar) => bar.value")
    assert progress == pytest.approx(1 / 18, abs=0.01)
    expect(page.locator("[data-coming-says]")).to_contain_text("1 file on its way")
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as dropped:
        row.get_by_role("button", name="Stop film.bin").click()
    assert dropped.value.status == 204
    expect(row).to_have_count(0)
    expect(page.locator("#announce")).to_contain_text("Nothing of it was kept")
    page.unroute("**/case/api/files/*?offset=*")
    assert set(site.blobs) == before
    assert not list((site.folder / "uploads").glob("*"))
    # Others are not stopped with it, and it can be chosen again.
    add(page, write(tmp_path, "chat.png", photo("coffee")))
    assert len(set(site.blobs) - before) == 1


def test_the_same_file_is_kept_once(visitor: Callable[..., Page], site: Site, tmp_path: Path) -> None:
    page = visitor()
    locker(page, site.url)
    before = set(site.blobs)
    picture = photo("coffee")
    add(page, write(tmp_path, "one.png", picture))
    page.set_input_files("#locker-files", str(write(tmp_path, "two.png", picture)))
    row = page.locator(".coming__one")
    expect(row).to_contain_text("You have this file already: one.png.")
    row.get_by_role("button", name="Take off the list two.png").click()
    expect(row).to_have_count(0)
    expect(page.locator(".exhibit")).to_have_count(1)
    assert len(set(site.blobs) - before) == 1


def test_files_can_be_dropped_and_pasted(visitor: Callable[..., Page], site: Site) -> None:
    page = visitor()
    locker(page, site.url)
    hand = """(kind) => {
      const files = new DataTransfer();
      files.items.add(new File([`by ${kind}`], `${kind}.txt`, { type: "text/plain" }));
      const event = kind === "drop" ? new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: files, bubbles: true, cancelable: true });
      document.body.dispatchEvent(event);
    }"""
    for kind in ("drop", "paste"):
        page.evaluate(hand, kind)
        expect(exhibit(page, f"{kind}.txt")).to_be_visible()
    look_at(page, "paste.txt")
    assert saved(page) == b"by paste"
    # On another screen they go nowhere, and the page stays.
    page.evaluate(hand, "drop")
    expect(page.locator(".coming__one")).to_have_count(0)
