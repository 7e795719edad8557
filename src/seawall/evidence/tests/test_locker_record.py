"""What a person writes down: it is there on another device, sorted, changed and deleted; two tabs lose nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from seawall.cases.tests.walk import hold

from .walk import add, back, home, locker, photo, says, screen, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from .conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("locker")]


def door(page: Page, name: str, label: str) -> Locator:
    page.get_by_role("button", name=label).click()
    return screen(page, name)


def test_what_is_written_down_is_there_on_another_device(
    visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page = visitor()
    secret = locker(page, site.url)
    add(page, write(tmp_path, "threat.png", photo("coffee")))

    happened = door(page, "timeline", "What happened")
    expect(happened.get_by_text("Begin with the first message")).to_be_visible()
    for what, day, time in (("They asked for money", "2026-11-21", "21:30"), ("They wrote to me", "2026-11-20", "")):
        happened.get_by_label("What happened?").fill(what)
        happened.get_by_label("Day").fill(day)
        happened.get_by_label("Time, if you know it").fill(time)
        if time:
            happened.get_by_label("threat.png").check()
        happened.get_by_role("button", name="Add it").click()
        expect(happened.get_by_text(what, exact=True)).to_be_visible()
    expect(happened.locator(".entry").first).to_contain_text("They wrote to me")
    expect(happened.locator(".entry").last).to_contain_text("threat.png")
    back(page)

    paid = door(page, "payments", "Payments")
    paid.get_by_label("How much?").fill("much")
    for label, value in (("Of what?", "GBP"), ("Day", "2026-11-22"), ("To whom?", "GB33BUKB20201555555555")):
        paid.get_by_label(label).fill(value)
    paid.get_by_role("button", name="Add it").click()
    expect(says(page, "payments")).to_contain_text("as a number")
    paid.get_by_label("How much?").fill("450,50")
    paid.get_by_role("button", name="Add it").click()
    expect(paid.locator(".entry")).to_contain_text("450.50 GBP")
    back(page)

    links = door(page, "links", "Links and profiles")
    links.get_by_label("Address, or name").fill("javascript:alert(1)")
    links.get_by_role("button", name="Add it").click()
    expect(links.locator(".entry")).to_contain_text("javascript:alert(1)")
    assert links.locator("a").count() == 0  # nothing here opens
    back(page)

    notes = door(page, "notes", "Notes")
    for text in ("<b>first</b>", "second"):
        notes.get_by_label("Your note").fill(text)
        notes.get_by_role("button", name="Add it").click()
        expect(notes.get_by_text(text, exact=True)).to_be_visible()
    notes.locator(".entry").first.get_by_role("button", name="Change").click()
    notes.get_by_label("Your note").fill("<b>changed</b>")
    notes.get_by_role("button", name="Save the change").click()
    expect(notes.get_by_text("<b>changed</b>", exact=True)).to_be_visible()
    delete = notes.locator(".entry").last.get_by_role("button", name="Delete")
    delete.click()
    notes.get_by_role("button", name="Press again to delete").click()
    expect(notes.locator(".entry")).to_have_count(1)

    elsewhere = visitor()
    locker(elsewhere, site.url, secret)
    for name, label, texts in (
        ("timeline", "What happened", ["20 Nov 2026", "They wrote to me", "They asked for money", "threat.png"]),
        ("payments", "Payments", ["450.50 GBP", "22 Nov 2026", "GB33BUKB20201555555555"]),
        ("links", "Links and profiles", ["javascript:alert(1)"]),
        ("notes", "Notes", ["<b>changed</b>"]),
    ):
        shown = door(elsewhere, name, label).locator(".entries")
        for text in texts:
            expect(shown).to_contain_text(text)
        back(elsewhere)


def test_two_tabs_that_add_at_once_lose_nothing(visitor: Callable[..., Page], site: Site, tmp_path: Path) -> None:
    first = visitor()
    secret = locker(first, site.url)
    second = first.context.new_page()
    locker(second, site.url, secret)
    names = [f"{tab}-{at}.png" for tab in ("one", "two") for at in range(4)]
    files = {name: write(tmp_path, name, photo("coffee", size=(60 + at, 40))) for at, name in enumerate(names)}
    for tab, page in (("one", first), ("two", second)):
        page.set_input_files("#locker-files", [str(path) for name, path in files.items() if name.startswith(tab)])
    for page in (first, second):
        expect(page.locator(".coming__one")).to_have_count(0, timeout=60_000)
    third = visitor()
    locker(third, site.url, secret)
    expect(third.locator(".exhibit b")).to_have_count(len(names))
    assert sorted(third.locator(".exhibit b").all_inner_texts()) == sorted(names)
    third.get_by_role("button", name="What was done here").click()
    expect(says(third, "log")).to_have_text(f"The list is whole. Steps checked: {len(names)}.")
    home(third)


@pytest.mark.full
def test_thousands_of_notes_are_shown_and_one_too_many_is_said_so(visitor: Callable[..., Page], site: Site) -> None:
    page = visitor()
    secret = locker(page, site.url)
    hold(page, secret)
    fill = """() => testManifest.change((data) => {
      for (let at = 0; at < 5000; at++) {
        const id = at.toString(16).padStart(16, "0");
        data.notes.push({ id, made: "2026-11-20T10:00:00Z", text: `😀 שלום ${at}` });
      }
      const left = 2 * 1024 * 1024 - new TextEncoder().encode(JSON.stringify(data)).length;
      data.links.push({ id: "0".repeat(16), made: "2026-11-20T10:00:00Z", url: "x".repeat(left - 12_000), note: "" });
    })"""
    page.evaluate(fill)
    another = visitor()
    locker(another, site.url, secret)
    notes = door(another, "notes", "Notes")
    expect(notes.locator(".entry")).to_have_count(5000, timeout=30_000)
    expect(notes.locator(".entry").last).to_contain_text("😀 שלום 4999")
    long = "a" * 20_000
    notes.get_by_label("Your note").fill(long)
    notes.locator("form button").click()
    expect(says(another, "notes")).to_contain_text("Delete a note or a link that you do not need", timeout=30_000)
    assert notes.get_by_label("Your note").input_value() == long  # and nothing that was typed is lost
    delete = notes.locator(".entry").first.locator("button").last
    delete.click()
    expect(delete).to_have_text("Press again to delete")
    delete.click()
    expect(says(another, "notes")).to_have_text("It is deleted.", timeout=30_000)
    expect(notes.locator(".entry")).to_have_count(4999)
