"""The four steps as a person walks them: keyboard, phone, second thoughts."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from seawall.exchange import operations
from seawall.exchange.models import Entry
from seawall.hashing import fingerprint
from seawall.protect.tests.conftest import coffee, finish
from seawall.protect.tests.test_answer import NOW
from seawall.site.tests.browse import follow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _partner(transactional_db: None) -> None:  # noqa: ARG001
    operations.add_partner(name="Example", slugs=["facebook", "instagram", "messenger"], now=NOW)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    photo = coffee()
    found = []
    for number, part in enumerate((photo, photo[:300], photo[100:, :400])):
        Image.fromarray(part).save(tmp_path / f"{number}.png")
        found.append(tmp_path / f"{number}.png")
    return found


def text_of(page: Page) -> str:
    return page.get_by_label("This is all that is sent").input_value()


def test_it_walks_from_choosing_to_sent_and_back_with_the_receipt(
    open_page: Callable[[], Page], pictures: list[Path], live_server: LiveServer, tmp_path: Path
) -> None:
    page = open_page()
    finish(page, *pictures)
    page.click("#to-read")
    page.locator("#parts").check()
    lines = text_of(page).splitlines()
    assert lines[:2] == ["seawall fingerprints 1", "for all"]
    page.click("#to-receipt")
    with page.expect_download() as download:
        page.click("#save")
    assert re.fullmatch(r"receipt-\d{4}-\d\d-\d\d\.txt", download.value.suggested_filename)
    download.value.save_as(tmp_path / "receipt.txt")
    saved = (tmp_path / "receipt.txt").read_text()

    head = saved.splitlines()[:3]
    assert head[:2] == ["seawall receipt 1", f"site {live_server.url}"]
    codes = re.findall(r"^([0-9a-f]{32}) ([0-9a-f]{64})$", saved, re.MULTILINE)
    assert [pdq for _, pdq in codes] == [fingerprint(picture).pdq.hex for picture in pictures]
    sealed = [hashlib.sha256(bytes.fromhex(token)).hexdigest() for token, _ in codes]
    assert [line.split()[:3] for line in lines[2::2]] == [[h, "image", "pdq1"] for h in sealed]
    assert [line.split()[:3] for line in lines[3::2]] == [[h, "image", "windows1"] for h in sealed]

    page.click("#to-send")
    page.dblclick("#send")
    page.get_by_role("heading", name="Done. It is on its way.").wait_for()
    assert Entry.objects.filter(windows__isnull=False).count() == 3
    page.reload()  # sends the same again
    assert page.get_by_text("3 fingerprints are with us now").is_visible()
    assert Entry.objects.count() == 3

    follow(page.get_by_role("link", name="Open my receipt"))
    page.locator("#from-file").wait_for()  # shown by the script that reads the file
    page.set_input_files("#file", tmp_path / "receipt.txt")
    expect(page.locator("#receipt")).to_have_value(saved)
    follow(page.get_by_role("button", name="Show me"))
    assert page.get_by_text("not fetched yet").count() == 3
    follow(page.get_by_role("button", name="Take this one back").first)
    follow(page.get_by_role("button", name="Yes, take it back"))
    assert page.get_by_role("button", name="Take this one back").count() == 2
    assert Entry.objects.filter(state=Entry.State.ACTIVE).count() == 2
    assert page.url == f"{live_server.url}/protect/receipt/withdraw/"
    assert page.context.cookies() == []


def test_nothing_can_be_sent_before_this_very_text_has_its_receipt_saved(
    open_page: Callable[[], Page], pictures: list[Path]
) -> None:
    page = open_page()
    finish(page, pictures[0])
    page.click("#to-read")
    page.click("#to-receipt")
    assert page.locator("#to-send").is_disabled()
    assert page.locator("#send").is_disabled()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#copy")
    page.locator("#kept", has_text="Copied").wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()") == page.locator("#receipt").inner_text()
    page.click("#to-send")
    assert page.locator("#send").is_enabled()

    page.locator("[data-step='4'] [data-go='3']").click()
    page.locator("[data-step='3'] [data-go='2']").click()
    before = text_of(page)
    page.get_by_label("Instagram").uncheck()
    page.click("#to-receipt")
    assert page.locator("#to-send").is_disabled(), "the text has changed since the receipt was saved"
    assert before.splitlines()[2] in page.locator("#fingerprints").input_value(), "the code stays the picture's own"


def test_the_person_chooses_the_platforms(open_page: Callable[[], Page], pictures: list[Path]) -> None:
    page = open_page()
    finish(page, pictures[0])
    page.click("#to-read")
    assert not page.get_by_label("Also platforms that join later").is_checked()
    page.get_by_label("Also platforms that join later").check()
    assert "\nfor all and future\n" in text_of(page)
    page.get_by_label("Facebook").uncheck()
    assert "\nfor messenger instagram\n" in text_of(page)
    assert page.get_by_label("Also platforms that join later").is_disabled()
    page.get_by_label("Instagram").uncheck()
    page.get_by_label("Messenger").uncheck()
    assert page.get_by_text("Tick at least one.").is_visible()
    assert page.locator("#to-receipt").is_disabled()
    assert text_of(page) == ""


def test_a_picture_can_be_stopped_and_taken_off_and_the_same_one_is_sent_once(
    open_page: Callable[[], Page], pictures: list[Path], tmp_path: Path
) -> None:
    Image.fromarray(coffee()).resize((9000, 6000)).save(tmp_path / "slow.jpg")
    page = open_page()
    page.set_input_files("#picture", [tmp_path / "slow.jpg", *pictures, pictures[0]])
    page.get_by_role("button", name="Stop slow.jpg").click()
    page.locator("#list-says", has_text="3 are ready").wait_for()
    assert page.locator("iframe").count() == 0
    twins = page.locator(".picture", has_text="The same picture as one above")
    assert twins.count() == 1
    page.get_by_role("button", name="Remove 0.png").first.click()
    assert twins.count() == 0
    page.get_by_role("button", name="Remove all").click()
    assert page.locator(".picture").count() == 0
    assert page.locator("#to-read").is_hidden()


def test_more_than_a_hundred_pictures_are_told_to_come_in_turns(open_page: Callable[[], Page], tmp_path: Path) -> None:
    for number in range(101):
        Image.new("RGB", (9, 9)).save(tmp_path / f"{number}.png")
    page = open_page()
    finish(page, *(tmp_path / f"{number}.png" for number in range(101)))
    assert page.locator(".picture").count() == 100
    assert page.get_by_text("100 at a time").is_visible()


def test_it_works_with_the_keyboard_alone(open_page: Callable[[], Page], pictures: list[Path]) -> None:
    page = open_page()
    # Listened for from here on: a listener set up beside the key press may reach the renderer after it.
    page.on("filechooser", lambda chooser: chooser.set_files(pictures[0]))
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "exit", "the exit comes first"
    page.locator("#picture").focus()
    page.keyboard.press("Enter")
    page.locator("#to-read:enabled").focus()
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Read what will be sent")
    heading.wait_for()
    assert page.evaluate("() => document.activeElement.textContent") == "Read what will be sent"
    page.locator("#to-receipt").press("Enter")
    page.get_by_role("button", name="Copy").press("Enter")
    page.locator("#to-send:enabled").press("Enter")
    page.locator("#send:enabled").press("Enter")
    page.get_by_role("heading", name="Done").wait_for()


def test_a_screen_reader_hears_each_result(open_page: Callable[[], Page], pictures: list[Path]) -> None:
    page = open_page()
    finish(page, pictures[0])
    assert (
        page.get_by_role("status").first.inner_text() == "0.png: Ready. The picture has plenty of detail (100 of 100)."
    )


def test_what_was_said_of_a_step_is_not_read_out_in_the_next(
    open_page: Callable[[], Page], pictures: list[Path]
) -> None:
    page = open_page()
    said = page.locator("#announce")
    finish(page, pictures[0])
    expect(said).not_to_be_empty()
    page.click("#to-read")
    expect(said).to_be_empty()
    page.click("#to-receipt")
    page.click("#copy")
    expect(said).not_to_be_empty()
    page.click("#to-send:enabled")
    expect(said).to_be_empty()


def test_leaving_forgets_everything_first(open_page: Callable[[], Page], pictures: list[Path]) -> None:
    page = open_page()
    finish(page, pictures[0])
    page.click("#to-read")
    # What pagehide does, without going: the exit leads elsewhere.
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert page.locator("#fingerprints").input_value() == ""
    assert page.locator("#receipt").text_content() == ""
    assert page.locator(".picture").count() == 0
    # The exit empties the page first; forgetting must not stumble over that.
    page.evaluate("() => { document.body.replaceChildren(); dispatchEvent(new PageTransitionEvent('pagehide')); }")


def test_without_scripts_it_says_what_to_do(page: Page, live_server: LiveServer) -> None:
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = context.new_page()
    plain.goto(f"{live_server.url}/protect/picture/")
    assert "This step needs JavaScript" in plain.content().split("<noscript>")[1].split("</noscript>")[0]
    plain.locator("#unusable").wait_for()
    assert plain.locator("#flow").is_hidden()
    plain.goto(f"{live_server.url}/protect/receipt/")
    plain.fill("#receipt", "a1" * 16)
    follow(plain.get_by_role("button", name="Show me"))
    assert plain.get_by_text("We know nothing of this code").is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_is_accessible_and_fits_a_narrow_phone(
    open_page: Callable[[], Page], pictures: list[Path], scheme: str
) -> None:
    as_phones_name_them = pictures[0].with_stem("Screenshot_20261123_174512_WhatsApp_one_long_word")
    as_phones_name_them.write_bytes(pictures[0].read_bytes())
    page = open_page()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 320, "height": 640})

    def check(step: str) -> None:
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert not found.response["violations"], (step, found.generate_report())
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 320, step

    check("1")
    finish(page, *pictures, as_phones_name_them)
    check("1, with pictures")
    page.click("#to-read")
    check("2")
    page.click("#to-receipt")
    check("3")
    page.click("#copy")
    page.click("#to-send:enabled")
    check("4")
    page.click("#send")
    page.get_by_role("heading", name="Done").wait_for()
    check("sent")
