"""Opening a case and coming back to it, as a person does, in a real Chromium."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from seawall.cases import queries
from seawall.cases.models import Case
from seawall.site.tests.browse import PATIENCE, press_by_keyboard, visitors

from .server import own_database, serving
from .walk import begin, enter, hold, inside, note, open_case, type_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page, Request
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Callable[..., Page]]:
    with visitors(browser) as arrive:
        yield arrive


@pytest.mark.parametrize("digits", [False, True], ids=["words", "digits"])
def test_a_case_opens_and_is_found_again_on_another_device(
    visitor: Callable[..., Page], live_server: LiveServer, *, digits: bool
) -> None:
    secret = open_case(visitor(), live_server.url, digits=digits)
    assert re.fullmatch(r"1[0-9A-Z]{3}-[0-9A-Z]{4}-[0-9A-Z]{4}", secret.number)
    assert Case.objects.count() == 1

    elsewhere = visitor()
    sloppy = secret.number.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    enter(elsewhere, live_server.url, sloppy, f"  {secret.typed.upper()} ")
    inside(elsewhere)
    assert Case.objects.count() == 1
    ends = queries.ends(Case.objects.get())
    expect(elsewhere.get_by_text(f"We keep your case until {ends.day} {ends:%B %Y} if")).to_be_visible()


def test_nothing_is_made_before_parts_of_the_secret_were_typed_back(
    visitor: Callable[..., Page], live_server: LiveServer
) -> None:
    page = visitor()
    secret = begin(page, live_server.url)
    page.get_by_role("button", name="I have them").click()
    expect(page.get_by_text(secret.number)).to_be_hidden()
    send = page.get_by_role("button", name="Open my case")
    send.click()  # empty: the browser itself points at the field
    type_back(page, secret)
    page.get_by_label("The last four characters of the number").fill("ZZZZ")
    send.click()
    expect(page.get_by_role("alert")).to_contain_text("not the last four characters")
    type_back(page, secret)
    page.locator("#check-second").fill("nonsense")
    send.click()
    expect(page.get_by_role("alert")).to_contain_text("That is another word")
    expect(page.locator("#check-second")).to_be_focused()
    assert Case.objects.count() == 0
    page.get_by_role("button", name="Show them again").click()
    expect(page.get_by_text(secret.number)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    assert page.locator("#number").text_content() == ""
    assert Case.objects.count() == 0


def test_the_secret_can_be_saved_copied_and_printed(
    visitor: Callable[..., Page], live_server: LiveServer, tmp_path: Path
) -> None:
    page = visitor(permissions=["clipboard-read", "clipboard-write"])
    secret = begin(page, live_server.url)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    assert re.fullmatch(r"card-\d{4}-\d\d-\d\d\.txt", download.value.suggested_filename)
    download.value.save_as(tmp_path / "card.txt")
    saved = (tmp_path / "card.txt").read_text().splitlines()
    words = "-".join(secret.words)
    assert saved[:4] == ["seawall case 1", f"site {live_server.url}/case/", f"number {secret.number}", f"words {words}"]
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#kept")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == saved

    page.emulate_media(media="print")
    expect(page.get_by_text("Recovery card")).to_be_visible()
    for part in (secret.number, *secret.words, f"{live_server.url}/case/"):
        expect(page.get_by_text(part, exact=True)).to_be_visible()
    for part in ("Keep these safe", "I have them", "Leave this site", "Privacy"):
        expect(page.get_by_text(part, exact=True).first).to_be_hidden()
    page.emulate_media(media="screen")

    page.get_by_role("button", name="I have them").click()
    type_back(page, secret)
    page.get_by_role("button", name="Open my case").click()
    inside(page)
    assert page.locator("#number").text_content() == ""
    another = visitor()
    another.goto(f"{live_server.url}/case/")
    another.get_by_role("button", name="Go to my case").click()
    another.set_input_files("#enter-file", tmp_path / "card.txt")
    inside(another)


def test_a_slip_is_told_from_a_wrong_secret(visitor: Callable[..., Page], live_server: LiveServer) -> None:
    secret = open_case(visitor(), live_server.url)
    page = visitor()
    said = page.get_by_role("alert")
    slip = secret.number[:5] + ("B" if secret.number[5] == "A" else "A") + secret.number[6:]
    enter(page, live_server.url, slip, secret.typed)
    expect(said).to_contain_text("This number is not quite right")
    expect(page.locator("#enter-number")).to_be_focused()
    enter(page, live_server.url, secret.number, " ".join(secret.words[:5]))
    expect(said).to_contain_text("not six words or 20 digits")
    enter(page, live_server.url, secret.number, " ".join((*secret.words[:5], "qwertz")))
    expect(said).to_contain_text("Word 6 is not on our list")
    wrong = " ".join(("zoom", *secret.words[1:])) if secret.words[0] != "zoom" else " ".join(secret.words[::-1])
    enter(page, live_server.url, secret.number, wrong)
    expect(said).to_contain_text("There is no case with this number and these words", timeout=PATIENCE)


def test_two_tabs_that_write_at_once_lose_nothing(visitor: Callable[..., Page], tmp_path: Path) -> None:
    first, third = visitor(), visitor()
    second = first.context.new_page()
    with own_database(tmp_path) as environment, serving(environment) as site:
        secret = open_case(first, site)
        enter(second, site, secret.number, secret.typed)
        inside(second)
        # Both begin before either ends; each writes twelve, with a line in the log for every one.
        begin_all = """(tab) => {
          const jobs = Array.from({ length: 12 }, (_, at) => window.testManifest.change(
            (data) => data.notes.push({ text: `${tab} ${at}` }),
            { log: [{ action: "viewed", object: "00".repeat(32) }] },
          ));
          window.testJobs = Promise.all(jobs).then(() => "done", String);
        }"""
        for page in (first, second):
            hold(page, secret)
        for name, page in (("one", first), ("two", second)):
            page.evaluate(begin_all, name)
        assert [page.evaluate("window.testJobs") for page in (first, second)] == ["done", "done"]
        enter(third, site, secret.number, secret.typed)
        inside(third)
        hold(third, secret)
        texts = third.evaluate("window.testManifest.data.notes.map(({ text }) => text)")
        assert sorted(texts) == sorted(f"{tab} {at}" for tab in ("one", "two") for at in range(12))
        assert third.evaluate("window.testManifest.data.custody.count") == 24


def test_a_write_whose_answer_is_lost_is_made_once(visitor: Callable[..., Page], live_server: LiveServer) -> None:
    page = visitor()
    secret = open_case(page, live_server.url)
    hold(page, secret)
    lost: list[int] = []

    def lose(route: Any) -> None:
        if route.request.method != "PUT" or lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/case/api/manifest", lose)
    note(page, "once")
    note(page, "and another")
    assert lost == [200]
    hold(page, secret)
    assert page.evaluate("window.testManifest.data.notes.map(({ text }) => text)") == ["once", "and another"]


def test_a_slow_reading_beside_a_write_is_no_false_alarm(visitor: Callable[..., Page], live_server: LiveServer) -> None:
    page = visitor()
    secret = open_case(page, live_server.url)
    hold(page, secret)
    outcome = page.evaluate(
        """async () => {
          const real = window.fetch;
          window.fetch = async (path, options) => {
            const answer = await real(path, options);
            if (options.method === "GET") await new Promise((go) => setTimeout(go, 700));
            return answer;
          };
          const { testManifest } = window;
          const write = (text) => testManifest.change((data) => data.notes.push({ text }));
          const all = [testManifest.refresh(), write("a"), testManifest.refresh(), write("b")];
          return (await Promise.allSettled(all)).map(({ status }) => status);
        }"""
    )
    assert outcome == ["fulfilled"] * 4
    assert page.evaluate("window.testManifest.data.notes.length") == 2


class Wire:
    """Everything a context sends, as it sends it."""

    def __init__(self, context: BrowserContext) -> None:
        self.sent: list[str] = []
        self._lock = threading.Lock()
        context.on("request", self._take)

    def _take(self, request: Request) -> None:
        body = request.post_data_buffer or b""
        headers = json.dumps(request.headers)
        with self._lock:
            # Without the names of fields: a word that was drawn may be part of "signature".
            self.sent += [request.url, *(re.sub(r'"[\w-]+":', "", text) for text in (headers, body.decode("latin-1")))]

    def holds(self, secret: str) -> list[str]:
        raw = secret.encode()
        forms = {secret, secret.lower(), secret.upper(), raw.hex(), secret.encode("utf-16-le").decode("latin-1")}
        forms |= {base64.b64encode(raw[cut:])[: 4 * ((len(raw) - cut) // 3)].decode() for cut in range(3)}
        return [text[:200] for text in self.sent if any(form and form in text for form in forms)]


def test_words_number_and_what_is_written_leave_the_device_sealed_only(
    visitor: Callable[..., Page], live_server: LiveServer
) -> None:
    page = visitor()
    wire = Wire(page.context)
    page.goto(f"{live_server.url}/case/")
    said_anyway = " ".join(wire.sent)
    secret = open_case(page, live_server.url)
    hold(page, secret)
    note(page, "a mark that nobody else may read 4711")
    compact = secret.number.replace("-", "")
    # Four letters or fewer can stand in base64 by chance; whole secrets and longer words cannot.
    marks = [secret.number, compact, "-".join(secret.words), secret.typed, "a mark that nobody else may read"]
    marks += [word for word in secret.words if len(word) > 5 and word not in said_anyway]
    assert any("/case/api/open" in text for text in wire.sent)
    for mark in marks:
        assert wire.holds(mark) == [], mark
    assert not any("?" in text for text in wire.sent if text.startswith("http"))
    identity = page.evaluate("window.testManifest && 'AGE-SECRET-KEY-1'")
    assert wire.holds(identity) == []
    # What the server knows the case by is no clue to the number.
    known = hashlib.sha256(b"seawall/v1/case" + compact.encode()).hexdigest()[:32]
    assert wire.holds(known)
    assert Case.objects.get().case.hex() == known
    # And nothing stays behind on the device but what the person saved.
    kept = page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, document.cookie,"
        " (await indexedDB.databases()).length, (await caches.keys()).length,"
        " JSON.stringify(history.state), location.href]"
    )
    assert kept == [0, 0, "", 0, 0, "null", f"{live_server.url}/case/"]
    assert page.context.cookies() == []


def test_the_wire_would_show_a_secret() -> None:
    wire = Wire.__new__(Wire)
    for text in ("https://x/?q=acorn-tidal", base64.b64encode(b"..acorn-tidal..").decode(), b"acorn-tidal".hex()):
        wire.sent = [text]
        assert wire.holds("acorn-tidal")


def test_erasing_asks_twice_and_is_for_ever(visitor: Callable[..., Page], live_server: LiveServer) -> None:
    page = visitor()
    secret = open_case(page, live_server.url)
    other = visitor()
    enter(other, live_server.url, secret.number, secret.typed)
    inside(other)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Erase this case").click()
    page.get_by_role("button", name="Keep it").click()
    assert Case.objects.count() == 1
    page.get_by_role("button", name="Erase this case").click()
    page.get_by_role("button", name="Yes, erase it").click()
    expect(page.get_by_text("Your case is erased")).to_be_visible()
    assert Case.objects.count() == 0
    enter(page, live_server.url, secret.number, secret.typed)
    expect(page.get_by_role("alert")).to_contain_text("There is no case", timeout=PATIENCE)
    # The tab that was still in it says so when one comes back to it.
    other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(other.get_by_text("This case is not here any more")).to_be_visible()


def test_no_connection_loses_nothing(visitor: Callable[..., Page], live_server: LiveServer) -> None:
    page = visitor()
    secret = begin(page, live_server.url)
    page.get_by_role("button", name="I have them").click()
    type_back(page, secret)
    page.route("**/case/api/**", lambda route: route.abort())
    page.get_by_role("button", name="Open my case").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no connection")
    page.unroute("**/case/api/**")
    page.get_by_role("button", name="Open my case").click()
    inside(page)
    # A part of the case that cannot be loaded now can be later.
    page.route("**/static/cases/ledger.js", lambda route: route.abort())
    page.get_by_role("button", name="Was it shared?").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no connection")
    page.unroute("**/static/cases/ledger.js")
    page.get_by_role("button", name="Was it shared?").click()
    expect(page.get_by_role("heading", name="Was it shared?")).to_be_focused()


def test_a_lost_answer_to_opening_still_leads_inside(visitor: Callable[..., Page], live_server: LiveServer) -> None:
    page = visitor()
    secret = begin(page, live_server.url)
    page.get_by_role("button", name="I have them").click()
    type_back(page, secret)

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/case/api/open", lose)
    page.get_by_role("button", name="Open my case").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no connection")
    assert Case.objects.count() == 1
    page.unroute("**/case/api/open")
    page.get_by_role("button", name="Open my case").click()
    inside(page)
    assert Case.objects.count() == 1


STEPS = ["door", "age", "about", "secret", "check", "entering", "inside"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_is_within_reach_of_everyone(
    visitor: Callable[..., Page], live_server: LiveServer, scheme: str
) -> None:
    page = visitor(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    open_case(page, live_server.url)
    axe = Axe()
    for step in STEPS:
        page.evaluate("async (step) => (await import('/static/cases/steps.js')).show(step)", step)
        views = (
            [button.inner_text() for button in page.locator(".inside__ways button").all()] if step == "inside" else [""]
        )
        for name in views:
            if name:
                page.get_by_role("button", name=name, exact=True).click()
                expect(page.locator("[data-show][aria-current]")).to_have_text(name)
            found = axe.run(page).response["violations"]
            assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == [], (step, name)
            wide = page.evaluate(
                "[...document.querySelectorAll('body *')].filter((each) => each.getBoundingClientRect().right > 321"
                " && each.checkVisibility()).map((each) => `${each.tagName} ${each.id} ${each.className}`)"
            )
            assert wide == [], (step, name)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, (step, name)


def test_it_can_be_walked_with_the_keyboard_alone(visitor: Callable[..., Page], live_server: LiveServer) -> None:
    page = visitor()
    page.goto(f"{live_server.url}/case/")

    press_by_keyboard(page, "Open a case")
    expect(page.get_by_role("heading", name="Before you start")).to_be_focused()
    press_by_keyboard(page, "Yes, both")
    expect(page.get_by_role("heading", name="What a case is")).to_be_focused()
    press_by_keyboard(page, "I understand. Make my words")
    expect(page.get_by_role("heading", name="Keep these safe")).to_be_focused()
    press_by_keyboard(page, "I have them")
    expect(page.get_by_role("heading", name="Did you note them?")).to_be_focused()


def test_without_scripts_or_with_an_old_browser_a_plain_sentence_says_so(
    visitor: Callable[..., Page], live_server: LiveServer
) -> None:
    page = visitor(java_script_enabled=False)
    page.goto(f"{live_server.url}/case/")
    assert (
        "This page needs JavaScript" in page.locator("noscript").inner_text()
    )  # Chromium shows it to real visitors only
    expect(page.get_by_text("Is JavaScript on?")).to_be_visible()
    expect(page.get_by_role("button", name="Open a case")).to_be_hidden()
    old = visitor()
    old.add_init_script("delete window.structuredClone")
    old.goto(f"{live_server.url}/case/")
    expect(old.get_by_text("this browser is too old")).to_be_visible()
    expect(old.get_by_role("button", name="Open a case")).to_be_hidden()
