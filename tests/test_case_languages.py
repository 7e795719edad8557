"""A case in a language that is longer than English and read from the right, on the narrowest phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import expect

from seawall.cases.tests.conftest import Team
from seawall.cases.tests.walk import Secret
from seawall.evidence.tests.walk import photo, write
from seawall.exchange import operations
from seawall.exchange.tests.conftest import send, token, value
from seawall.site.tests import pseudo
from seawall.site.tests.browse import PATIENCE
from tests.test_languages import NOW, names

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page
    from pytest_django.fixtures import Settings
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The browser speaks the language too, to whoever asks it to; who does not ask is noted.
BROWSER = """() => {
  globalThis.foreign = [];
  const told = (language, said) => {
    if (language !== "qps") foreign.push(said);
    return `⟦${said}⟧`;
  };
  for (const name of ["DateTimeFormat", "NumberFormat"]) {
    Intl[name] = class extends Intl[name] {
      #asked;
      constructor(language, form) {
        super(language, form);
        this.#asked = language;
      }
      get format() {
        return (value) => told(this.#asked, super.format(value));
      }
    };
  }
  for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) {
    const plain = Date.prototype[name];
    Date.prototype[name] = function (language, form) {
      return told(language, plain.call(this, language, form));
    };
  }
}"""
# Whatever the page has for later: what is hidden, what is copied when it is needed, what the scripts say.
KEPT = """() => {
  const left = "script, style, noscript, pre, code, textarea, [lang]:not(html)";
  const named = ["aria-label", "title", "alt", "placeholder", "data-again"];
  const said = [];
  const read = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (!walker.currentNode.parentElement?.closest(left)) said.push(walker.currentNode.data);
    for (const name of named) for (const each of root.querySelectorAll(`[${name}]`)) said.push(each.getAttribute(name));
    for (const each of root.querySelectorAll("template")) read(each.content);
  };
  const page = document.getElementById("main");
  read(page);
  const words = [...page.querySelectorAll("#words, [data-words]")].flatMap((each) => Object.values(each.dataset));
  return [said.join("\\n"), words.filter((each) => each !== "")];
}"""


@pytest.fixture
def case(page: Page, live_server: LiveServer, settings: Settings, tmp_path: Path) -> Case:
    """Somebody at the door, with a narrow phone."""
    settings.DATA = tmp_path
    folder = {"BACKEND": "seawall.evidence.storage.Folder", "OPTIONS": {"location": tmp_path / "blobs"}}
    settings.STORAGES = settings.STORAGES | {"evidence": folder}
    pseudo.speak(settings, tmp_path / "locale")
    operations.add_partner(name="Example", slugs=["facebook", "instagram", "messenger"], now=NOW)
    page.set_default_timeout(PATIENCE)
    page.set_viewport_size({"width": 320, "height": 640})
    # Chromium's own window for choosing where a file goes cannot be driven.
    page.add_init_script(f"delete window.showSaveFilePicker; ({BROWSER})()")
    page.goto(f"{live_server.url}/{pseudo.CODE}/case/")
    expect(page.locator("#flow")).to_be_visible()
    return Case(page)


class Case:
    """A case page, walked by what its elements are for: their words are what is looked at."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.names = names()

    def check(self, where: str) -> None:
        pseudo.check(self.page, where, self.names)
        assert self.page.evaluate("foreign") == [], where

    def press(self, selector: str) -> None:
        self.page.locator(f"{selector}:visible").first.click()

    def seen(self, selector: str) -> Locator:
        found = self.page.locator(selector)
        expect(found).to_be_visible(timeout=PATIENCE)
        return found

    def secret(self) -> Secret:
        """On to the number and words."""
        for step in ("age", "about", "secret"):
            self.press(f"[data-go={step}]")
            expect(self.page.locator(f"[data-step={step}] h2")).to_be_focused()
            if step != "secret":
                self.check(step)
        return self.shown_secret()

    def shown_secret(self) -> Secret:
        """What is to be noted now."""
        number = self.page.locator("#number").inner_text()
        self.names.append(number)
        self.check("number and words")
        return Secret(number, tuple(self.page.locator("#secret-words li").all_inner_texts()))

    def open(self) -> Secret:
        """Open a case, to its overview."""
        secret = self.secret()
        self.press("[data-go=check]")
        self.page.fill("#check-number", secret.number[-4:])
        for field in ("first", "second"):
            place = re.search(r"\d+", self.page.locator(f"#check-{field}-label").inner_text())
            assert place
            self.page.fill(f"#check-{field}", secret.words[int(place[0]) - 1])
        self.press("#check button[type=submit]")
        self.seen("[data-view=home]")
        return secret

    def enter(self, number: str, words: str) -> None:
        self.page.fill("#enter-number", number)
        self.page.fill("#enter-words", words)
        self.press("#enter button[type=submit]")

    def screen(self, name: str) -> None:
        """A screen of the locker."""
        self.press(f"[data-to={name}]")
        self.seen(f"[data-screen={name}]")

    def says(self, name: str) -> None:
        """Wait until a screen of the locker has something to say."""
        expect(self.page.locator(f"[data-screen={name}] [data-part=says]")).not_to_be_empty(timeout=PATIENCE)

    def back(self) -> None:
        self.press("[data-to=home]")
        self.seen("[data-screen=home]")


def test_nothing_that_the_page_keeps_for_later_is_left_in_english(case: Case) -> None:
    said, words = case.page.evaluate(KEPT)
    assert said.count("⟦") > 200
    assert len(words) > 150
    assert pseudo.left_in_english(said, case.names) == []
    assert [sentence for sentence in words if not sentence.startswith("⟦")] == []


def test_a_case_is_opened_locked_opened_again_and_erased_in_it(case: Case) -> None:
    case.check("door")
    case.secret()
    case.press("#other-kind")
    expect(case.page.locator("#secret-words li")).to_have_count(5)
    case.press("#copy")
    expect(case.page.locator("#kept")).not_to_be_empty()
    case.shown_secret()
    case.press("[data-go=check]")
    for field in ("number", "first", "second"):
        case.page.fill(f"#check-{field}", "wrong")
    case.check("not asked yet")
    case.press("#check button[type=submit]")
    case.seen("#problem")
    case.check("not noted")
    case.page.reload()

    secret = case.open()
    case.check("overview")
    case.press("#lock")
    case.seen("[data-note=locked]")
    case.check("locked")
    case.press("[data-go=entering]")
    case.check("entering")
    for number, words in (("1ABC", secret.typed), (secret.number, "one two"), (secret.number, "a " * 6)):
        case.enter(number, words)
        case.seen("#problem")
        case.check("refused")
    case.enter(secret.number, secret.typed)
    case.seen("[data-view=home]")
    case.press("[data-show=settings]")
    case.seen("[data-view=settings]")
    case.check("settings")
    case.press("#erase")
    case.check("erase?")
    case.press("#erase-yes")
    case.seen("[data-note=erased]")
    case.check("erased")


def test_what_platforms_did_is_told_in_it(case: Case, live_server: LiveServer) -> None:
    send(1, 2)
    case.open()
    case.press("[data-show=ledger]")
    case.seen("[data-view=ledger] [data-part=none]")
    case.check("nothing sent")
    for text in (
        "no receipt",
        f"seawall receipt 1\nsite https://example.org\nmade 2026-11-23\n{'a1' * 16} {'0f' * 32}\n",
    ):
        case.page.fill("#ledger-text", text)
        case.press("[data-part=paste] button")
        expect(case.page.locator("[data-part=pasted]")).not_to_be_empty()
        case.check("no receipt of ours")
    lines = "".join(f"{token(number).hex()} {value(number).hex()}\n" for number in (1, 2, 3))
    case.page.fill("#ledger-text", f"seawall receipt 1\nsite {live_server.url}\nmade 2026-11-23\n{lines}")
    case.press("[data-part=paste] button")
    expect(case.page.locator(".ledger__list > li")).to_have_count(3)
    case.check("asking")
    sent, other, unknown = (f"[data-token='{token(number).hex()}']" for number in (1, 2, 3))
    for each in (sent, other):
        case.seen(f"{each}[data-state=active]")
    case.seen(f"{unknown}[data-state=unknown]")
    case.check("answered")
    for box in (f"{sent} [data-part=back]", f"{unknown} [data-part=remove]", "[data-part=all]"):
        case.press(f"{box} [data-press=first]")
        case.check(box)
    case.press(f"{sent} [data-part=back] [data-press=yes]")
    case.seen(f"{sent}:not([data-state=active])")
    case.check("taken back")


def test_the_locker_is_whole_in_it(case: Case, tmp_path: Path) -> None:
    secret = case.open()
    case.press("[data-show=locker]")
    case.seen("[data-screen=home]")
    case.check("empty")
    case.screen("share")
    case.seen("[data-part=nobody]")
    case.check("nobody to share with")
    case.back()
    paths = [write(tmp_path, "threat.png", photo("coffee")), write(tmp_path, "chat.txt", b"pay")]
    for path in paths:
        case.page.set_input_files("#locker-files", str(path))
        expect(case.page.locator(".exhibit").filter(has_text=path.name)).to_be_visible(timeout=PATIENCE)
    case.check("files")
    look_at_a_file(case)
    write_things_down(case)

    case.screen("export")
    case.page.fill("#export-number", secret.number)
    case.page.fill("#export-words", secret.typed)
    with case.page.expect_download(timeout=PATIENCE) as copy:
        case.press("[data-part=go]")
    copy.value.save_as(tmp_path / "copy.age")
    case.names.append(copy.value.suggested_filename)
    case.says("export")
    case.check("copied")
    case.back()
    case.screen("import")
    case.page.set_input_files("#import-bundle", str(tmp_path / "copy.age"))
    case.page.fill("#import-words", secret.typed)
    case.press("[data-screen=import] button[type=submit]")
    expect(case.page.locator("#import-words")).to_have_value("", timeout=PATIENCE)
    case.check("brought back")
    case.back()
    case.screen("log")
    case.seen("[data-screen=log] [data-state=right]")
    case.check("log")


def look_at_a_file(case: Case) -> None:
    case.press(".exhibit:has-text('threat')")
    expect(case.page.locator("[data-screen=file] [data-part=lines] li")).not_to_have_count(0)
    case.check("file")
    case.press("[data-part=show]")
    case.seen("[data-part=view] img")
    case.check("shown")
    case.press("[data-screen=file] [data-part=delete]")
    case.check("delete?")
    case.press("[data-part=cover]")
    case.seen("[data-part=stage]")
    case.press("[data-part=more]")
    case.page.keyboard.press("ArrowDown")
    case.check("covered")
    case.press("[data-part=keep]")
    expect(case.page.locator(".exhibit")).to_have_count(3, timeout=PATIENCE)
    expect(case.page.locator(".coming__one")).to_have_count(0, timeout=PATIENCE)
    case.check("covered copy")
    case.press(".exhibit:has-text('chat')")
    case.page.check("[name=intimate]")
    case.press("[data-screen=file] form button")
    case.says("file")
    case.check("intimate")
    case.back()


def write_things_down(case: Case) -> None:
    # What a person types stays as it is typed.
    entries = {
        "timeline": {"what": "⟦Ŵé ţàļķéđ⟧", "day": "2026-11-20", "time": "21:30"},
        "payments": {"amount": "much", "currency": "⟦ĜƁÞ⟧", "day": "2026-11-20", "how": "⟦ƀàñķ⟧", "to": "⟦Ɓöƀ⟧"},
        "links": {"url": "⟦þŕöƒíļé⟧" * 12},
        "notes": {"text": "⟦ñöţé⟧" * 40},
    }
    for name, fields in entries.items():
        case.screen(name)
        case.check(f"{name}, empty")
        form = f"[data-screen={name}] form"
        for field, words in fields.items():
            case.page.fill(f"{form} [name={field}]", words)
        case.press(f"{form} button[type=submit]")
        case.says(name)
        if name == "payments":
            case.check("no amount")
            case.page.fill(f"{form} [name=amount]", "450.50")
            case.press(f"{form} button[type=submit]")
        expect(case.page.locator(f"[data-screen={name}] .entry")).to_have_count(1)
        case.check(name)
        case.press(f"[data-screen={name}] .entry [data-again]")
        case.check(f"{name}, delete?")
        case.back()


def test_files_are_shown_to_the_helpline_in_it(case: Case, settings: Settings, tmp_path: Path) -> None:
    root = Ed25519PrivateKey.generate()
    settings.ROSTER, settings.ROSTER_ROOT = str(tmp_path / "roster"), root.public_key().public_bytes_raw()
    Team(root, pyrage.x25519.Identity.generate(), tmp_path / "roster").publish()
    case.page.reload()
    case.open()
    case.press("[data-show=locker]")
    case.seen("[data-screen=home]")
    case.page.set_input_files("#locker-files", str(write(tmp_path, "threat.png", photo("coffee"))))
    case.seen(".exhibit")
    case.screen("share")
    case.seen("[data-part=somebody]")
    case.press("[data-part=somebody] form button")
    case.says("share")
    case.check("nothing ticked")
    case.page.check("[data-part=somebody] input")
    case.press("[data-part=somebody] form button")
    expect(case.page.locator("[data-part=shares] .entry")).to_have_count(1, timeout=PATIENCE)
    case.check("shared")
    case.press("[data-part=shares] [data-again]")
    case.check("stop?")
    case.press("[data-part=shares] [data-again]")
    expect(case.page.locator("[data-part=shares] .entry")).to_have_count(0, timeout=PATIENCE)
    case.check("stopped")
    case.back()
    case.check("locker")
