"""Leaving a case: it locks when nothing happens, when asked to, in every tab, and nothing of it is left behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from seawall.site.tests.browse import PATIENCE

from .walk import enter, hold, inside, open_case

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOCKED = "We locked your case"
# Everything that a page can leave in a browser, and what it may still say of itself.
LEFT = """async () => [
  history.state, localStorage.length, sessionStorage.length, await caches.keys(), await indexedDB.databases(),
  document.cookie, await navigator.serviceWorker.getRegistrations(),
  [...document.querySelectorAll("input:not([type=checkbox]), textarea")].map(({ value }) => value).filter(Boolean),
]"""


@pytest.fixture
def opened(browser: Browser, live_server: LiveServer) -> Any:
    """A page with an open case, whose clock is the test's."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    context.route(re.compile("^https://"), lambda route: route.fulfill(body="<h1>Weather</h1>"))
    page = context.new_page()
    page.clock.install()
    secret = open_case(page, live_server.url)
    yield page, secret, live_server.url
    context.close()


def test_five_minutes_without_a_sign_lock_it_after_a_warning(opened: Any) -> None:
    page, _, _ = opened
    page.clock.fast_forward("03:50")
    expect(page.get_by_text("Are you still there?")).to_be_hidden()
    page.clock.fast_forward("00:20")
    expect(page.get_by_text("Are you still there?")).to_be_visible()
    page.get_by_role("button", name="Keep it open").click(force=True)
    expect(page.get_by_text("Are you still there?")).to_be_hidden()
    page.clock.fast_forward("04:30")
    expect(page.get_by_text("Are you still there?")).to_be_visible()
    page.clock.fast_forward("00:40")
    expect(page.get_by_text(LOCKED)).to_be_visible()
    expect(page.get_by_role("heading", name="Overview")).to_be_hidden()
    page.reload()  # the note is said once
    expect(page.get_by_role("button", name="Go to my case")).to_be_visible()
    expect(page.get_by_text(LOCKED)).to_be_hidden()


def test_a_sign_of_life_puts_the_lock_off(opened: Any) -> None:
    page, _, _ = opened
    for _ in range(3):
        page.clock.fast_forward("03:00")
        page.keyboard.press("Shift")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_device_that_slept_wakes_up_locked(opened: Any) -> None:
    page, _, _ = opened
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 3600)  # the time passed; no timer ran
    page.keyboard.press("Shift")
    expect(page.get_by_text(LOCKED)).to_be_visible()


def test_the_lock_button_locks_every_tab(opened: Any) -> None:
    page, secret, url = opened
    other = page.context.new_page()
    enter(other, url, secret.number, secret.typed)
    inside(other)
    page.get_by_role("button", name="Lock", exact=True).click()
    for each in (page, other):
        expect(each.get_by_text(LOCKED)).to_be_visible()
        assert each.url == f"{url}/case/"
        assert each.title() == "Seawall"
        assert each.evaluate(LEFT) == [None, 0, 0, [], [], "", [], []]


def test_without_a_connection_it_locks_to_an_empty_page(opened: Any) -> None:
    page, _, _ = opened
    page.context.set_offline(True)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    expect(page.get_by_role("heading", name="Overview")).to_have_count(0)
    page.context.set_offline(False)
    page.get_by_role("link", name="Go to the case page").click()
    expect(page.get_by_text(LOCKED)).to_be_visible()


def test_an_upload_keeps_it_open_until_it_ends(opened: Any) -> None:
    page, secret, _ = opened
    hold(page, secret)
    page.route("**/case/api/files/slow", lambda _: None)  # never answered
    page.evaluate(
        """async () => {
          (await import("/static/cases/lock.js")).holdOpen(window.testSession);
          window.testStop = new AbortController();
          const { signal } = window.testStop;
          void window.testSession.call("PUT", "/case/api/files/slow", new Uint8Array(8), { signal }).catch(() => {});
        }"""
    )
    page.clock.fast_forward("04:00")
    page.clock.fast_forward("06:00")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.evaluate("window.testStop.abort()")
    page.clock.fast_forward("05:30")
    expect(page.get_by_text(LOCKED)).to_be_visible()


def test_the_exit_leaves_nothing_of_the_case_behind(opened: Any) -> None:
    page, secret, url = opened
    page.get_by_role("link", name="Leave this site").click()
    expect(page.get_by_role("heading", name="Weather")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Weather")).to_have_count(0)
    expect(page.get_by_role("heading", name="Overview")).to_be_hidden()
    history = page.evaluate("[history.length, JSON.stringify(history.state), location.href]")
    for part in (secret.number, *secret.words):
        assert part not in str(history)
        assert part not in page.content()
    assert page.context.storage_state() == {"cookies": [], "origins": []}
    assert url


def test_a_page_kept_for_the_back_button_comes_back_empty(opened: Any) -> None:
    page, _, url = opened
    page.goto(f"{url}/leaving/")
    page.go_back()
    expect(page.get_by_role("button", name="Go to my case")).to_be_visible()
    expect(page.get_by_role("heading", name="Overview")).to_be_hidden()
