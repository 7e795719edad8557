"""Walking the case page as a person does, in a real Chromium."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from seawall.site.tests.browse import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Page


@dataclass(frozen=True)
class Secret:
    """What was noted: as shown."""

    number: str
    words: tuple[str, ...]

    @property
    def typed(self) -> str:
        return " ".join(self.words)


def begin(page: Page, url: str, *, digits: bool = False) -> Secret:
    """From the door to the secret on the screen."""
    page.goto(f"{url}/case/")
    page.get_by_role("button", name="Open a case").click()
    page.get_by_role("button", name="Yes, both").click()
    expect(page.get_by_role("heading", name="Lost words cannot be found again")).to_be_visible()
    page.get_by_role("button", name="I understand. Make my words").click()
    expect(page.get_by_role("heading", name="Keep these safe")).to_be_visible(timeout=PATIENCE)
    if digits:
        page.get_by_role("button", name="I prefer 20 digits").click()
        expect(page.locator("#secret-words li")).to_have_count(5)
    return Secret(page.locator("#number").inner_text(), tuple(page.locator("#secret-words li").all_inner_texts()))


def type_back(page: Page, secret: Secret) -> None:
    """Fill in the parts that are asked for."""
    page.get_by_label("The last four characters of the number").fill(secret.number[-4:])
    for field in ("first", "second"):
        place = re.search(r"\d+", page.locator(f"#check-{field}-label").inner_text())
        assert place
        page.locator(f"#check-{field}").fill(secret.words[int(place[0]) - 1])


def inside(page: Page) -> None:
    """Wait until the case is open."""
    expect(page.get_by_role("heading", name="Overview")).to_be_visible(timeout=PATIENCE)


def open_case(page: Page, url: str, *, digits: bool = False) -> Secret:
    """Open a case, to its overview."""
    secret = begin(page, url, digits=digits)
    page.get_by_role("button", name="I have them").click()
    type_back(page, secret)
    page.get_by_role("button", name="Open my case").click()
    inside(page)
    return secret


def enter(page: Page, url: str, number: str, words: str) -> None:
    """Type number and words, and press. What comes of it is the caller's to see."""
    page.goto(f"{url}/case/")
    page.get_by_role("button", name="Go to my case").click()
    page.locator("#enter-number").fill(number)
    page.locator("#enter-words").fill(words)
    page.get_by_role("button", name="Open it").click()


def note(page: Page, text: str) -> None:
    """Add a note by the page's own modules, as its views do, from a sign-in of the test's own."""
    page.evaluate("text => window.testManifest.change((data) => data.notes.push({ text }))", text)


def hold(page: Page, secret: Secret) -> None:
    """Sign in with the page's modules beside the page itself, and keep what a view is given."""
    page.evaluate(
        """async ([number, words]) => {
          const { derive } = await import("/static/cases/keys.js");
          const { Session } = await import("/static/cases/session.js");
          const { Manifest } = await import("/static/cases/manifest.js");
          const { readNumber, readWords } = await import("/static/cases/secrets.js");
          const session = await Session.login(await derive(readNumber(number), readWords(words)));
          window.testSession = session;
          window.testManifest = await Manifest.load(session);
        }""",
        [secret.number, secret.typed],
    )
