"""The guide as a frightened person meets it: an old phone, scripts on or off, a small screen, a key to leave by."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from seawall.directory.models import Operator
from seawall.guide.urls import urlpatterns
from seawall.site.tests.browse import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, BrowserType, Page
    from pytest_django.live_server_helper import LiveServer

    from seawall.cli.demo.parts import Demo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("guide")]

NAMES = [f"guide:{pattern.name}" for pattern in urlpatterns] + ["site:leaving", "site:privacy"]
ELSEWHERE = "https://www.bbc.co.uk/weather"
BUDGET = 30 * 1024  # bytes on the wire for a first visit, everything counted
# What a browser may not keep once somebody has left.
TELLING = (b"blackmail", b"threaten", b"intimate", b"private picture", b"do not pay", b"helpline", b"evidence")


def weather(context: BrowserContext) -> None:
    """Stand in for the neutral site: the tests reach nothing outside this machine."""
    context.route(re.compile(r"^https://"), lambda route: route.fulfill(body="<title>Weather</title><h1>Weather</h1>"))


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Open a page of the site in a context of its own kind."""
    contexts = []

    def opened(path: str, **kind: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **kind)
        contexts.append(context)
        weather(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()


def answer(page: Page) -> None:
    """A stranger threatens on Instagram, has posted it, and was paid."""
    for name, value in (("a", "1"), ("b", "instagram"), ("c", "2"), ("d", "2"), ("e", "5")):
        page.check(f'input[name="{name}"][value="{value}"]')
    follow(page.get_by_role("button", name="Show me my steps"))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts on", "scripts off"])
def test_from_the_front_page_through_the_questions_to_the_right_steps(
    visit: Callable[..., Page], live_server: LiveServer, *, scripts: bool
) -> None:
    page = visit("/", java_script_enabled=scripts, viewport={"width": 360, "height": 780})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    follow(page.get_by_role("link", name="Show me what to do").first)
    answer(page)
    assert page.url == f"{live_server.url}/start/"
    assert page.locator("h3").all_inner_texts()[:6] == [
        "Breathe. You have time.",
        "“You talked to a child” is a script",
        "Call your bank now",
        "Keep the evidence",
        "Do not pay. Do not answer.",
        "Get it taken down",
    ]
    follow(page.get_by_role("link", name="Help to stay calm"))
    headings = [page.inner_text("h1")]
    while page.get_by_role("link", name=re.compile("^Next:")).count() and len(headings) < 9:
        follow(page.get_by_role("link", name=re.compile("^Next:")))
        headings.append(page.inner_text("h1"))
    assert headings == [
        "Stay calm. You have time.",
        "Keep the evidence.",
        "Do not pay. Do not answer.",
        "Report. Block. Stop all contact.",
        "You can tell the police.",
        "Talk to the helpline.",
        "Hide your friends list",
        "Watch for your name",
        "Who can help",
    ]
    assert not [url for url in asked if "?" in url or not url.startswith(live_server.url)]


def test_the_questions_can_be_answered_with_the_keyboard_alone(visit: Callable[..., Page]) -> None:
    page = visit("/start/")
    focused = "document.activeElement.name + document.activeElement.value"
    while page.evaluate(focused) != "a1":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # the partner or ex
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Think of your safety first").wait_for()


# -- leaving --


def test_the_exit_is_the_first_thing_the_tab_key_reaches_on_every_page(visit: Callable[..., Page]) -> None:
    page = visit("/")
    for name in NAMES:
        page.goto(reverse(name))
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "exit", name


def test_the_exit_works_without_scripts(visit: Callable[..., Page]) -> None:
    page = visit("/start/", java_script_enabled=False)
    follow(page.locator("#exit"))
    assert page.url == ELSEWHERE


def test_the_exit_takes_the_pages_place_in_the_history(visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.goto("/start/")
    answer(page)
    before = page.evaluate("history.length")
    page.locator("#exit").click()
    page.wait_for_url(ELSEWHERE)
    assert page.evaluate("history.length") == before


def test_back_from_the_exit_shows_neither_the_steps_nor_the_answers(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], live_server: LiveServer
) -> None:
    # As people's browsers are: a page that was left may be kept whole in memory, ticks and all.
    launch = {**browser_type_launch_args, "ignore_default_args": ["--disable-back-forward-cache"]}
    browser = browser_type.launch(**launch)
    context = browser.new_context(base_url=live_server.url)
    weather(context)
    page = context.new_page()
    page.goto("/start/")
    page.check('input[name="a"][value="1"]')
    page.goto("/steps/")
    page.go_back(wait_until="commit")
    expect(page.locator("input:checked")).to_have_count(1)  # the browser did keep it

    answer(page)
    page.locator("#exit").click()
    page.wait_for_url(ELSEWHERE)
    page.go_back(wait_until="commit")
    expect(page.locator("h1")).to_have_text("Four questions")
    assert page.locator("input:checked").count() == 0
    browser.close()


def test_the_exit_empties_the_page_and_what_the_tab_remembers(visit: Callable[..., Page]) -> None:
    page = visit("/protect/receipt/")
    page.evaluate("sessionStorage.setItem('x', 'y')")
    page.fill("textarea", "a receipt")
    page.context.unroute_all()
    # The neutral site has nothing to show, so that what is left behind can be looked at.
    page.context.route(re.compile(r"^https://"), lambda route: route.fulfill(status=204))
    page.locator("#exit").click()
    expect(page.locator("body > *")).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 0
    assert "receipt" not in page.evaluate("document.body.textContent")


def test_leaving_in_one_tab_leaves_in_all_of_them(visit: Callable[..., Page]) -> None:
    page = visit("/")
    others = [page.context.new_page() for _ in range(2)]
    for other, path in zip(others, ["/support/", "/protect/picture/"], strict=True):
        other.goto(path)
    page.locator("#exit").click()
    for tab in (page, *others):
        tab.wait_for_url(ELSEWHERE)


def test_escape_three_times_leaves_and_twice_does_not(visit: Callable[..., Page]) -> None:
    page = visit("/steps/3/")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert page.url.endswith("/steps/3/")
    page.keyboard.press("Escape")
    page.wait_for_url(ELSEWHERE)


def test_escape_held_down_is_one_press(visit: Callable[..., Page]) -> None:
    page = visit("/steps/3/")
    for _ in range(5):
        page.keyboard.down("Escape")
    page.wait_for_timeout(300)
    assert page.url.endswith("/steps/3/")


def leave_a_trace(kind: BrowserType, launch: dict[str, Any], profile: Path, site: str, *, scripts: bool) -> None:
    """Walk through the site in a profile on disk, and leave by the red button."""
    context = kind.launch_persistent_context(profile, **launch, base_url=site, java_script_enabled=scripts)
    weather(context)
    page = context.new_page()
    page.goto("/")
    for path in ("/steps/1/", "/apps/", "/support/", "/protect/", "/protect/receipt/", "/start/"):
        page.goto(path)
    answer(page)
    page.locator("#exit").click()
    page.wait_for_url(ELSEWHERE)
    page.wait_for_timeout(1000)  # the browser writes its history a little later
    context.close()


@pytest.mark.xdist_group("demo")  # the site as it is served, with its own static files
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts on", "scripts off"])
def test_a_browsers_profile_holds_neutral_addresses_and_nothing_else(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    demo: Demo,
    tmp_path: Path,
    *,
    scripts: bool,
) -> None:
    leave_a_trace(browser_type, browser_type_launch_args, tmp_path, demo.site, scripts=scripts)
    host = urlsplit(demo.site).netloc.encode()

    with sqlite3.connect(tmp_path / "Default/History") as history:
        rows = history.execute("SELECT url, title FROM urls").fetchall()
    history.close()
    ours = {urlsplit(url).path + urlsplit(url).query: title for url, title in rows if host.decode() in url}
    assert {"/", "/start/", "/support/"} <= set(ours), "The browser wrote no history: this test saw nothing."
    assert set(ours.values()) <= {"Seawall", "Weather"}  # a replaced page takes its successor's title
    assert all(re.fullmatch(r"[a-z0-9/-]+", path) for path in ours)

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes().lower()
        name = str(path.relative_to(tmp_path))
        if host not in content:
            continue
        # Cache and storage know nothing of the site; neither does any other file know what it said.
        assert not re.search(r"Cache|Storage|IndexedDB|Service Worker|Cookies|blob", name), name
        found = [words for words in TELLING if words in content or words.decode().encode("utf-16-le") in content]
        assert not found, (name, found)


# -- seeing and reading --


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_an_accessibility_fault(visit: Callable[..., Page], scheme: str) -> None:
    page, axe = visit("/", color_scheme=scheme, viewport={"width": 360, "height": 780}), Axe()
    for name in [*NAMES, "plan"]:
        if name == "plan":
            page.goto("/start/")
            answer(page)
        else:
            page.goto(reverse(name))
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        found = axe.run(page)
        assert found.violations_count == 0, (name, found.generate_report())


def too_wide(page: Page) -> int:
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


def exit_is_in_sight(page: Page) -> bool:
    seen: bool = page.evaluate(
        """() => {
          const box = document.getElementById("exit").getBoundingClientRect();
          const whole = box.top >= 0 && box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
          const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          return whole && at.id === "exit";
        }"""
    )
    return seen


# Text that is wider than the box around it.
SPILLS = """() => [...document.querySelectorAll("main *")].filter(
  (each) => each.clientWidth && each.scrollWidth > each.clientWidth + 1 && !each.matches(".visually-hidden, textarea")
).map((each) => each.outerHTML)"""
NAME_IS_COVERED = """() => {
  const at = (css) => document.querySelector(css).getBoundingClientRect();
  return at(".bar__name").right > at("#exit").left;
}"""


@pytest.mark.parametrize(
    "size", [(320, 640), (320, 200), (1280, 800)], ids=["320 px", "400 % of 1280 x 800", "desktop"]
)
@pytest.mark.parametrize("easy", [False, True], ids=["normal", "easy read"])
def test_every_page_fits_and_keeps_the_exit_in_sight(
    visit: Callable[..., Page], size: tuple[int, int], *, easy: bool
) -> None:
    page = visit("/", viewport={"width": size[0], "height": size[1]})
    for name in NAMES:
        page.goto(("/easy" if easy else "") + reverse(name))
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert too_wide(page) <= 0, name
        assert exit_is_in_sight(page), name
        assert not page.evaluate(NAME_IS_COVERED), name
        assert page.evaluate(SPILLS) == [], name
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        assert exit_is_in_sight(page), name


@pytest.mark.parametrize("width", [320, 360, 414, 1280])
def test_the_exit_never_covers_the_helplines_own_words(visit: Callable[..., Page], width: int) -> None:
    for logo in ("Seawall", "Llinell Gymorth Harbwr Caerdydd a Fro", "M" * 40):
        Operator.objects.update_or_create(
            defaults={"name": "H", "phones": "1", "nation": "ENG", "opens": "10:00", "closes": "16:00", "logo": logo}
        )
        page = visit("/", viewport={"width": width, "height": 640})
        for path in ("/", "/easy/", "/cy/", "/easy/cy/"):
            page.goto(path)
            assert logo in page.inner_text(".bar__name")
            assert not page.evaluate(NAME_IS_COVERED), (path, logo)
            assert too_wide(page) <= 0, (path, logo)


def test_the_first_screen_of_a_phone_says_what_to_do_and_whom_to_call(visit: Callable[..., Page]) -> None:
    page = visit("/", viewport={"width": 360, "height": 780})
    for text in (
        "You are not to blame",
        "Do not pay.",
        "Keep the messages.",
        "Stop all contact.",
        "Show me what to do",
    ):
        assert in_first_screen(page, text), text
    for text in ("999", "now.", "Leave this site"):  # "Open now." or "Closed now."
        assert in_first_screen(page, text), text


def in_first_screen(page: Page, text: str) -> bool:
    box = page.get_by_text(text).first.bounding_box()
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 780


def test_what_has_the_focus_is_never_hidden_behind_the_exit(visit: Callable[..., Page]) -> None:
    page = visit("/support/", viewport={"width": 320, "height": 400})
    for _ in range(60):
        page.keyboard.press("Tab")
        hidden = page.evaluate(
            """() => {
              const at = document.activeElement, exit = document.getElementById("exit");
              if (at === exit || at === document.body) return "";
              const [a, b] = [at.getBoundingClientRect(), exit.getBoundingClientRect()];
              const covered = a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
              return covered ? at.textContent : "";
            }"""
        )
        assert hidden == ""


def test_it_reads_from_right_to_left_without_a_style_of_its_own(visit: Callable[..., Page]) -> None:
    page = visit("/", viewport={"width": 360, "height": 780})
    for name in NAMES:
        page.goto(reverse(name))
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert too_wide(page) <= 0, name
        assert page.evaluate("document.getElementById('exit').getBoundingClientRect().left") < 30, name
        assert page.evaluate(
            """() => [...document.querySelectorAll("main :is(h1, p, li, label)")].every(
              (each) => getComputedStyle(each).textAlign !== "left" && getComputedStyle(each).direction === "rtl")"""
        ), name
    page.goto("/steps/1/")
    page.evaluate("document.documentElement.dir = 'rtl'")
    marker, text = page.evaluate(
        """() => { const item = document.querySelector(".steps > li"), range = document.createRange();
          range.selectNodeContents(item);
          return [item.getBoundingClientRect().right, range.getBoundingClientRect().right]; }"""
    )
    assert marker - text > 30  # the number stands at the right


def test_nothing_moves_for_anyone(visit: Callable[..., Page]) -> None:
    page = visit("/", reduced_motion="reduce")
    for name in NAMES:
        page.goto(reverse(name))
        assert page.evaluate(
            """() => document.getAnimations().length === 0 && [...document.querySelectorAll("*")].every((each) => {
              const style = getComputedStyle(each);
              return style.transitionDuration === "0s" && style.animationName === "none"; })"""
        ), name


def test_on_paper_it_is_black_on_white_without_the_exit(visit: Callable[..., Page]) -> None:
    page = visit("/steps/5/", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.locator("#exit").is_hidden()
    assert page.locator("footer nav:visible").count() == 0
    assert page.get_by_text("999").first.is_visible()


def test_text_cannot_become_code(visit: Callable[..., Page]) -> None:
    page = visit("/start/")
    refused = page.evaluate(
        """() => { try { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); return "" }
          catch (error) { return error.name } }"""
    )
    assert refused == "TypeError"


# -- weight --


def first_visit(page: Page, name: str) -> tuple[int, list[str]]:
    """Bytes on the wire and addresses asked, in a browser that has seen nothing yet."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    urls: list[str] = []
    if name == "plan":
        page.goto("/start/")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.on("request", lambda request: urls.append(request.url))
    if name == "plan":
        answer(page)
    else:
        page.goto(reverse(name))
    page.wait_for_load_state("networkidle")
    assert sizes, name
    return int(sum(sizes)), urls


def test_every_page_is_light_and_asks_nobody_else(visit: Callable[..., Page], live_server: LiveServer) -> None:
    weights: dict[str, int] = {}
    for name in [*NAMES, "plan"]:
        page = visit("about:blank")
        weights[name], urls = first_visit(page, name)
        assert all(url.startswith((live_server.url, "data:")) for url in urls), (name, urls)
        page.context.close()
    assert max(weights.values()) <= BUDGET, json.dumps(weights, indent=1)
