"""A case's list of fingerprints: receipts come from the picture page, what platforms say comes from the exchange."""

from __future__ import annotations

import itertools
import json
import re
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from seawall.cases.tests.walk import Secret, enter, hold, inside, open_case
from seawall.site.tests.browse import follow, visitors
from tests.test_journey import WITHIN, jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page, Request

    from seawall.cli.demo.parts import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

ROUND = 40_000  # milliseconds: three are asked within 12 seconds


@pytest.fixture
def another(browser: Browser) -> Iterator[Callable[[], Page]]:
    with visitors(browser) as arrive:
        yield arrive


def to_ledger(page: Page) -> None:
    page.locator(".inside__ways [data-show=ledger]").click()
    expect(page.get_by_role("heading", name="Was it shared?")).to_be_visible()


def rows(page: Page) -> Locator:
    return page.locator("[data-part=receipts] > li")


def add(page: Page, *pictures: bytes, send: bool = True) -> Page:
    """From the ledger to the picture page in a new tab, to its end. Answers that tab."""
    before = rows(page).count()
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Add a picture").click()
    tab = popup.value
    follow(tab.get_by_role("link", name="Yes, both"))
    files: Any = [{"name": f"{at}.jpg", "mimeType": "image/jpeg", "buffer": each} for at, each in enumerate(pictures)]
    tab.set_input_files("#picture", files)
    tab.click("#to-read:enabled")
    tab.click("#to-receipt:enabled")
    expect(tab.locator("#kept")).to_contain_text("Your case has it now")
    expect(rows(page)).to_have_count(before + len(pictures))
    tab.click("#to-send:enabled")
    if send:
        follow(tab.locator("#send"))
        assert tab.inner_text("h1") == "Done. It is on its way."
    tab.close()
    page.bring_to_front()
    page.evaluate("() => dispatchEvent(new Event('focus'))")  # in a browser without a screen every tab always has it
    return tab


def check(demo: Demo, picture: bytes) -> str:
    """What the real gate says to an upload."""
    headers = {"Authorization": f"Bearer {demo.gate_key}"}
    answer = httpx.post(f"{demo.gate}/check", files={"file": picture}, headers=headers, timeout=30)
    return str(answer.raise_for_status().json()["verdict"])


def until(demo: Demo, picture: bytes, wanted: str) -> str:
    deadline = time.monotonic() + WITHIN
    while (said := check(demo, picture)) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return said


def asked(page: Page) -> list[tuple[float, Request]]:
    """Every question to the exchange from now on, with its time."""
    found: list[tuple[float, Request]] = []
    page.on(
        "request",
        lambda request: found.append((time.monotonic(), request)) if "/api/receipts/" in request.url else None,
    )
    return found


def held(page: Page, secret: Secret) -> list[dict[str, Any]]:
    """What the sealed list holds, read with the case's own keys."""
    hold(page, secret)
    receipts: list[dict[str, Any]] = page.evaluate("() => testManifest.data.receipts")
    return receipts


def all_asked(page: Page) -> None:
    """Wait until each picture's first answer is in and no question is open."""
    expect(page.locator("[data-part=receipts] > [data-state=asking]")).to_have_count(0, timeout=ROUND)
    expect(page.locator("[data-part=asking]")).to_be_empty(timeout=ROUND)


def look_again(page: Page) -> None:
    page.get_by_role("button", name="Look again").click()


def test_a_picture_is_added_stopped_at_the_gate_shown_on_another_device_and_taken_back(
    another: Callable[[], Page], demo: Demo
) -> None:
    picture = jpeg(501)
    page = another()
    secret = open_case(page, demo.site)
    to_ledger(page)
    add(page, picture)
    assert until(demo, picture, "match") == "match"
    stopped = page.locator("[data-part=stopped]")
    for _ in range(10):  # the gate's report takes a moment, and so does each round of asking
        look_again(page)
        all_asked(page)
        if stopped.is_visible():
            break
    expect(stopped).to_contain_text("somebody tried to post a copy, and it was stopped")
    row = rows(page)
    expect(row).to_contain_text(re.compile(r"Facebook, Messenger, Instagram: a copy was stopped, last on \d+ \w+"))
    expect(row).to_contain_text("UK time. Together: ")
    row.get_by_text("More").click()
    row.get_by_label("A name for it that only you see").fill("the beach")
    row.get_by_label("A name for it that only you see").blur()
    expect(row.get_by_role("heading")).to_have_text("the beach")

    other = another()
    enter(other, demo.site, secret.number, secret.typed)
    inside(other)
    to_ledger(other)
    expect(rows(other).get_by_role("heading")).to_have_text("the beach")
    expect(rows(other)).to_contain_text("a copy was stopped", timeout=ROUND)

    rows(other).get_by_role("button", name="Take it back").click()
    assert check(demo, picture) == "match", "one press does nothing"
    rows(other).get_by_role("button", name="Yes, take it back").click()
    expect(rows(other)).to_have_attribute("data-state", re.compile("withdraw"), timeout=ROUND)
    assert until(demo, picture, "free") == "free"
    look_again(page)
    expect(row).to_have_attribute("data-state", re.compile("withdrawn"), timeout=ROUND)
    expect(row).to_contain_text("Taken back. We have erased the fingerprint.")
    row.get_by_role("button", name="Take it off this list").click()
    row.get_by_role("button", name="Yes, take it off").click()
    expect(rows(page)).to_have_count(0)
    assert held(page, secret) == []


@pytest.fixture
def alice(another: Callable[[], Page], demo: Demo) -> tuple[Page, Secret]:
    """A new case, at its empty ledger."""
    page = another()
    secret = open_case(page, demo.site)
    to_ledger(page)
    expect(page.get_by_text("No picture yet.")).to_be_visible()
    return page, secret


def test_each_question_is_about_one_and_comes_alone(alice: tuple[Page, Secret], demo: Demo) -> None:
    page, secret = alice
    add(page, jpeg(511), jpeg(512), jpeg(513))
    all_asked(page)
    tokens = [each["token"] for each in held(page, secret)]
    assert len(set(tokens)) == 3

    questions = asked(page)
    look_again(page)
    for _ in range(20):
        page.locator(".inside__ways [data-show=home]").click()  # to look away and back is no way around the pause
        page.locator(".inside__ways [data-show=ledger]").click()
    look_again(page)
    all_asked(page)

    times = [when for when, _ in questions]
    assert all(list(json.loads(request.post_data or "")) == ["token"] for _, request in questions)
    assert {json.loads(request.post_data or "")["token"] for _, request in questions} == set(tokens)
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert len(gaps) >= 2
    assert min(gaps) > 1.8, "no two at once"
    assert max(gaps) - min(gaps) > 0.05, "nor at a beat"
    for _, request in questions:
        assert re.fullmatch(rf"{demo.site}/api/receipts/status", request.url)
        sent = request.all_headers()
        assert not {"authorization", "cookie", "referer", "session"} & set(sent), sent
        assert secret.number not in str(sent) + str(request.post_data)


def test_taking_all_back_is_asked_twice_and_goes_one_by_one(alice: tuple[Page, Secret], demo: Demo) -> None:
    page, secret = alice
    pictures = [jpeg(521), jpeg(522)]
    add(page, *pictures)
    assert [until(demo, each, "match") for each in pictures] == ["match"] * 2
    all_asked(page)
    questions = asked(page)
    everything = page.locator("[data-part=all]")
    everything.get_by_role("button", name="Take all back").click()
    everything.get_by_role("button", name="Keep them").click()
    page.wait_for_timeout(500)
    assert questions == []
    everything.get_by_role("button", name="Take all back").click()
    everything.get_by_role("button", name="Yes, take all back").click()
    expect(page.locator("[data-state^=withdraw]")).to_have_count(2, timeout=ROUND)
    withdrawals = [(when, request) for when, request in questions if request.url.endswith("/withdraw")]
    assert len(withdrawals) == 2
    assert withdrawals[1][0] - withdrawals[0][0] > 1.8
    assert [until(demo, each, "free") for each in pictures] == ["free"] * 2
    assert all("authorization" not in request.all_headers() for _, request in questions)
    assert [each["back"] for each in held(page, secret)] == [True, True]


def test_what_was_to_be_taken_back_when_the_case_was_locked_is_taken_back_later(
    alice: tuple[Page, Secret], demo: Demo
) -> None:
    page, secret = alice
    picture = jpeg(531)
    add(page, picture)
    assert until(demo, picture, "match") == "match"
    page.route("**/api/receipts/withdraw", lambda route: route.abort())
    rows(page).get_by_role("button", name="Take it back").click()
    rows(page).get_by_role("button", name="Yes, take it back").click()
    expect(rows(page)).to_contain_text("It will be taken back in its turn.")
    expect(page.locator("[data-part=asking]")).to_contain_text("No answer just now", timeout=ROUND)
    questions = asked(page)
    page.locator("#lock").click()
    expect(page.get_by_role("button", name="Go to my case")).to_be_visible()
    page.unroute("**/api/receipts/withdraw")
    enter(page, demo.site, secret.number, secret.typed)
    inside(page)
    page.wait_for_timeout(1000)
    assert questions == [], "nothing is asked while nobody looks at the list"
    to_ledger(page)
    expect(page.locator("[data-state^=withdraw]")).to_have_count(1, timeout=ROUND)
    assert until(demo, picture, "free") == "free"


def test_what_was_never_sent_is_said_to_be_unknown_and_can_be_let_go(alice: tuple[Page, Secret]) -> None:
    page, secret = alice
    add(page, jpeg(541), send=False)
    expect(rows(page)).to_contain_text("We know nothing of it. Maybe “Send” was not pressed", timeout=ROUND)
    rows(page).get_by_role("button", name="Take it off this list").click()
    rows(page).get_by_role("button", name="Leave it here").click()
    expect(rows(page)).to_have_count(1)
    rows(page).get_by_role("button", name="Take it off this list").click()
    rows(page).get_by_role("button", name="Yes, take it off").click()
    expect(page.get_by_text("No picture yet.")).to_be_visible()
    assert held(page, secret) == []


def test_a_receipt_saved_before_can_be_chosen_or_pasted(alice: tuple[Page, Secret], demo: Demo) -> None:
    page, secret = alice
    codes = [("a" * 31 + str(number), str(number) * 64) for number in range(3)]
    head = f"seawall receipt 1\nsite {demo.site}\nmade 2026-11-02\n# Keep this.\n"
    page.get_by_text("I have a receipt already").click()

    def paste(text: str, says: str | re.Pattern[str]) -> None:
        page.get_by_label("Or paste the receipt here").fill(text)
        page.get_by_role("button", name="Add it").click()
        expect(page.locator("[data-part=pasted]")).to_have_text(says)

    file = (head + "".join(f"{token} {pdq}\r\n" for token, pdq in codes[:2])).encode()
    page.set_input_files("#ledger-file", {"name": "receipt.txt", "mimeType": "text/plain", "buffer": file})
    expect(page.get_by_label("Or paste the receipt here")).to_have_value(re.compile("seawall receipt 1"))
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("[data-part=pasted]")).to_have_text("2 pictures added.")
    expect(rows(page).first).to_contain_text("Receipt of 2 November.")
    paste(f" {codes[2][0].upper()} ", "1 picture added.")
    paste(codes[2][0], "You have it here already.")
    for bad in ("hello", codes[0][0] + "0", head, "<img src=x onerror=alert(1)>", "\n".join(["0" * 32] * 2000)):
        paste(bad, "This is no receipt. Choose its file, or paste all of it.")
    paste(f"seawall receipt 1\nsite https://example.org\n{'b' * 32}\n", re.compile("from another site"))
    assert [(each["token"], each["pdq"]) for each in held(page, secret)] == [*codes[:2], (codes[2][0], "")]


SEND = """([to, text]) => new Promise((resolve) => {
  const heard = [];
  addEventListener("message", ({ data }) => heard.push(data));
  eval(to).postMessage({ seawall: "receipt", nonce: "n", text }, "*");
  setTimeout(() => resolve(heard), 1500);
})"""


def test_nobody_but_a_tab_it_opened_on_this_site_can_put_a_receipt_in(alice: tuple[Page, Secret], demo: Demo) -> None:
    page, secret = alice
    forged = f"seawall receipt 1\nsite {demo.site}\n{'e' * 32}\n"

    # The case's own page, and a page of this site in a frame or tab that the case did not open.
    assert len(page.evaluate(SEND, ["window", forged])) == 1, "its own question, and no answer"
    stranger = page.context.new_page()
    stranger.goto(f"{demo.site}/privacy/")
    with stranger.expect_popup() as popup:
        stranger.evaluate("() => { globalThis.case = open('/case/') }")
    opened = popup.value
    enter(opened, demo.site, secret.number, secret.typed)
    inside(opened)
    assert stranger.evaluate(SEND, ["globalThis.case", forged]) == [], "whoever opened the case gets no answer"

    # Another origin that the case's tab opened: the tie is cut.
    other = demo.site.replace("127.0.0.1", "localhost")
    with page.expect_popup() as popup:
        page.evaluate("(there) => { globalThis.tab = open(there) }", f"{other}/privacy/")
    popup.value.wait_for_load_state()
    assert popup.value.evaluate("() => opener") is None

    # A browser that does not cut it: the message comes, and its origin is another, or it has none.
    said = "{ seawall: 'receipt', nonce: 'n', text }"
    event = f"new MessageEvent('message', {{ data: {said}, origin, source: window.tab }})"

    with page.expect_popup() as popup:
        page.evaluate("() => { globalThis.tab = open('/privacy/') }")
    mine = popup.value
    mine.evaluate("() => { globalThis.heard = []; addEventListener('message', ({ data }) => heard.push(data)) }")
    for origin in (other, "null", ""):
        page.evaluate(f"([text, origin]) => {{ dispatchEvent({event}) }}", [forged, origin])
    mine.wait_for_timeout(1000)
    assert mine.evaluate("() => heard") == []
    assert held(page, secret) == []

    # The control: the same tab, by its own mouth.
    for text, answer in ((forged, "kept"), ("no receipt", "refused"), (5, "refused"), (None, "refused")):
        [said] = mine.evaluate(SEND, ["opener", text])
        assert said == {"seawall": "receipt", "nonce": "n", "answer": answer}
    assert [each["token"] for each in held(page, secret)] == ["e" * 32]
    page.locator("#lock").click()
    expect(page.get_by_role("button", name="Go to my case")).to_be_visible()
    assert [each["answer"] for each in mine.evaluate(SEND, ["opener", forged])] == ["locked"]


def test_the_servers_own_answer_cannot_put_markup_into_the_page(alice: tuple[Page, Secret]) -> None:
    page, _ = alice
    evil = "<img src=x onerror=alert(1)>"
    platform = {"slug": "x", "name": evil, "partner": evil, "state": evil, "since": evil, "blocked": 1}
    answer = {"state": "active", "hour": evil, "platforms": [platform]}
    page.route("**/api/receipts/status", lambda route: route.fulfill(json=answer))
    page.get_by_text("I have a receipt already").click()
    page.get_by_label("Or paste the receipt here").fill("c" * 32)
    page.get_by_role("button", name="Add it").click()
    expect(rows(page)).to_contain_text("says something that this page does not know yet", timeout=ROUND)
    expect(rows(page)).to_contain_text(evil)
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_narrow_phone(alice: tuple[Page, Secret], scheme: Any) -> None:
    page, _ = alice
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 640})
    states = ["waiting", "does not report", "delivered", "loaded", "matched", "blocked", "refused", "asked to withdraw"]
    platforms = [
        {
            "slug": each,
            "name": f"Platform {at}",
            "partner": each,
            "state": each,
            "since": "2026-11-23T13:00:00Z",
            "blocked": at,
        }
        for at, each in enumerate([*states, "withdrawn", "asked, not confirmed"])
    ]
    answer = {"state": "active", "hour": "2026-11-23T12:00:00Z", "platforms": platforms}
    page.route("**/api/receipts/status", lambda route: route.fulfill(json=answer))
    page.get_by_text("I have a receipt already").click()
    page.get_by_label("Or paste the receipt here").fill(f"{'c' * 32} {'1f' * 32}\n{'d' * 32}")
    page.get_by_role("button", name="Add it").click()
    expect(rows(page)).to_have_count(2)
    all_asked(page)
    expect(rows(page).first).to_contain_text("Platform 3: looking for it since 23 November")
    for summary in page.locator("[data-view=ledger] summary").all():
        if summary.evaluate("(summary) => !summary.parentElement.open"):
            summary.click()
    rows(page).first.get_by_role("button", name="Take it back").click()
    page.get_by_role("button", name="Take all back").click()
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert not found.response["violations"], found.generate_report()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
