"""The receipt goes to the page that opened this one, if that is of this site and says that it keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from seawall.exchange import operations
from seawall.protect.tests.conftest import coffee, finish
from seawall.protect.tests.test_answer import NOW
from seawall.site.tests.browse import follow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What a case does, in small: note what comes, and answer as told.
CASE = """(answer) => {
  globalThis.got = [];
  globalThis.answer = answer;
  addEventListener("message", ({ data, source, origin }) => {
    got.push({ data, origin, mine: source.opener === window });
    const { nonce } = data;
    if (globalThis.answer) source.postMessage({ seawall: "receipt", nonce, answer: globalThis.answer }, origin);
  });
}"""


@pytest.fixture(autouse=True)
def _partner(transactional_db: None) -> None:  # noqa: ARG001
    operations.add_partner(name="Example", slugs=["facebook", "instagram"], now=NOW)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(coffee()).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.fixture
def case(page: Page, live_server: LiveServer) -> Callable[[str], Page]:
    """A page of this site that answers so, with the way to the picture page open in a tab of its own."""

    def opened(answer: str) -> Page:
        page.goto(f"{live_server.url}/privacy/")
        page.evaluate(CASE, answer)
        with page.expect_popup() as tab:
            page.evaluate("() => { globalThis.tab = open('/protect/') }")
        follow(tab.value.get_by_role("link", name="Yes, both"))
        return tab.value

    return opened


def to_receipt(tab: Page, picture: Path) -> str:
    finish(tab, picture)
    tab.click("#to-read")
    tab.click("#to-receipt")
    return tab.locator("#receipt").inner_text()


def got(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate("() => got")
    return found


def only(page: Page) -> dict[str, Any]:
    """The one message, once it has come over from the other tab."""
    page.wait_for_function("() => got.length > 0")
    [message] = got(page)
    return message


def test_the_case_gets_the_receipt_and_only_then_may_it_be_sent(
    page: Page, case: Callable[[str], Page], picture: Path, live_server: LiveServer
) -> None:
    tab = case("kept")
    receipt = to_receipt(tab, picture)
    expect(tab.locator("#kept")).to_contain_text("Your case has it now")
    expect(tab.locator("#announce")).to_contain_text("Your case has it now")
    message = only(page)
    assert message["data"]["text"].strip() == receipt.strip()
    assert (message["origin"], message["mine"]) == (live_server.url, True)
    assert tab.locator("#save").is_visible(), "a copy of one's own is still offered"
    tab.click("#to-send")
    follow(tab.locator("#send"))
    assert tab.get_by_text("1 fingerprint is with us now").is_visible()
    assert "?" not in tab.url


def test_another_text_needs_the_cases_word_anew(page: Page, case: Callable[[str], Page], picture: Path) -> None:
    tab = case("kept")
    to_receipt(tab, picture)
    expect(tab.locator("#to-send")).to_be_enabled()
    tab.click("[data-step='3'] [data-go='2']")
    page.evaluate("() => { globalThis.answer = '' }")
    tab.get_by_label("Instagram").uncheck()
    tab.click("#to-receipt")
    expect(tab.locator("#kept")).to_contain_text("is asked to keep it")
    assert tab.locator("#to-send").is_disabled()
    page.wait_for_function("() => got.length === 2")
    first, second = got(page)
    assert first["data"]["nonce"] != second["data"]["nonce"]


def test_a_locked_case_is_asked_again_once_it_is_open(page: Page, case: Callable[[str], Page], picture: Path) -> None:
    tab = case("locked")
    to_receipt(tab, picture)
    expect(tab.locator("#kept")).to_contain_text("Your case is locked")
    assert tab.locator("#to-send").is_disabled()
    page.evaluate("() => { globalThis.answer = 'kept' }")
    tab.get_by_role("button", name="Put it into my case").click()
    expect(tab.locator("#to-send")).to_be_enabled()


def test_a_case_that_never_answers_leaves_the_other_ways(case: Callable[[str], Page], picture: Path) -> None:
    tab = case("")
    to_receipt(tab, picture)
    expect(tab.locator("#kept")).to_contain_text("Your case did not take it")
    assert tab.locator("#to-send").is_disabled()
    tab.click("#copy")
    expect(tab.locator("#to-send")).to_be_enabled()


@pytest.mark.parametrize(
    "forged",
    [
        "(nonce) => tab.postMessage({ seawall: 'receipt', nonce: 'guessed', answer: 'kept' }, '*')",
        "(nonce) => tab.postMessage({ seawall: 'receipt', answer: 'kept' }, '*')",
        "(nonce) => tab.postMessage({ seawall: 'receipt', nonce, answer: 'toString' }, '*')",
        "(nonce) => tab.postMessage({ nonce, answer: 'kept' }, '*')",
        "(nonce) => tab.postMessage(null, '*')",
    ],
    ids=["wrong nonce", "no nonce", "no answer of ours", "another conversation", "nothing"],
)
def test_what_is_not_an_answer_to_this_very_receipt_is_nothing(
    page: Page, case: Callable[[str], Page], picture: Path, forged: str
) -> None:
    tab = case("")
    to_receipt(tab, picture)
    message = only(page)
    page.evaluate(forged, message["data"]["nonce"])
    tab.wait_for_timeout(300)
    assert tab.locator("#to-send").is_disabled()
    expect(tab.locator("#kept")).to_contain_text("is asked to keep it")
    page.evaluate(
        "(nonce) => tab.postMessage({ seawall: 'receipt', nonce, answer: 'kept' }, '*')", message["data"]["nonce"]
    )
    expect(tab.locator("#to-send")).to_be_enabled()


def test_the_right_words_from_somebody_else_are_nothing(
    page: Page, case: Callable[[str], Page], picture: Path, live_server: LiveServer
) -> None:
    tab = case("")
    to_receipt(tab, picture)
    message = only(page)
    said = {"seawall": "receipt", "nonce": message["data"]["nonce"], "answer": "kept"}
    tab.evaluate("(said) => postMessage(said, '*')", said)  # this site, and not the tab that opened this one
    for origin, source in (("https://example.org", "opener"), ("null", "opener"), (live_server.url, "null")):
        event = f"new MessageEvent('message', {{ data, origin, source: {source} }})"
        tab.evaluate(f"([data, origin]) => {{ dispatchEvent({event}) }}", [said, origin])
    tab.wait_for_timeout(300)
    assert tab.locator("#to-send").is_disabled()


def test_opened_alone_it_asks_nobody(open_page: Callable[[], Page], picture: Path) -> None:
    tab = open_page()
    to_receipt(tab, picture)
    expect(tab.locator("#kept")).to_contain_text("Save, copy or print it")
    assert tab.locator("#to-case").is_hidden()


def test_a_page_of_another_site_that_opened_it_gets_nothing(page: Page, picture: Path, live_server: LiveServer) -> None:
    other = live_server.url.replace("localhost", "127.0.0.1")
    assert other != live_server.url
    page.goto(f"{other}/privacy/")
    page.evaluate(CASE, "kept")
    with page.expect_popup() as popup:
        page.evaluate("(there) => { globalThis.tab = open(there) }", f"{live_server.url}/protect/picture/")
    tab = popup.value
    to_receipt(tab, picture)
    assert tab.evaluate("() => opener") is None, "Cross-Origin-Opener-Policy cuts the tie"
    assert tab.locator("#to-send").is_disabled()
    assert got(page) == []


def test_the_receipt_goes_to_no_page_of_another_site_even_where_the_tie_holds(
    page: Page, case: Callable[[str], Page], picture: Path, live_server: LiveServer
) -> None:
    """A browser without Cross-Origin-Opener-Policy: the case's tab went elsewhere, and the tab's opener with it."""
    tab = case("kept")
    tab.evaluate(
        """(other) => {
          globalThis.sent = [];
          Object.defineProperty(globalThis, "opener", { value: { postMessage: (data, to) => sent.push(to) } });
        }""",
        live_server.url,
    )
    to_receipt(tab, picture)
    assert tab.evaluate("() => sent") == [live_server.url]
    assert got(page) == []
