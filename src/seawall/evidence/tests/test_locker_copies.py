"""Taking everything out, checking it without us, and bringing it back."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import pyrage
import pytest
from playwright.sync_api import expect

from .conftest import seawall
from .walk import add, back, exhibit, locker, look_at, photo, saved, says, screen, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from .conftest import Site
    from .walk import Secret

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("locker")]


def note(page: Page, text: str) -> None:
    page.get_by_role("button", name="Notes").click()
    screen(page, "notes").get_by_label("Your note").fill(text)
    screen(page, "notes").get_by_role("button", name="Add it").click()
    expect(page.get_by_text(text, exact=True)).to_be_visible()
    back(page)


def mark_intimate(page: Page, name: str) -> None:
    file = look_at(page, name)
    file.get_by_label("This is intimate").check()
    file.get_by_role("button", name="Save the change").click()
    expect(file.get_by_text("You marked this as intimate")).to_be_visible()
    back(page)


def take_out(page: Page, secret: Secret, *, also: str = "") -> bytes:
    """The age file."""
    page.get_by_role("button", name="Save a copy").click()
    out = screen(page, "export")
    if also:
        out.get_by_label(also).check()
    out.get_by_label("Number").fill(secret.number)
    out.get_by_label("Six words, or 20 digits").fill(secret.typed)
    with page.expect_download() as download:
        out.get_by_role("button", name="Make the copy").click()
    expect(says(page, "export")).to_contain_text("Done: copy-")
    assert out.get_by_label("Six words, or 20 digits").input_value() == ""
    back(page)
    return download.value.path().read_bytes()


def bring_back(page: Page, path: Path, secret: Secret) -> None:
    page.get_by_role("button", name="Bring a copy back").click()
    form = screen(page, "import")
    form.get_by_label("The copy").set_input_files(str(path))
    form.get_by_label("The six words").fill(secret.typed)
    form.get_by_role("button", name="Bring it back").click()


@pytest.fixture
def filled(visitor: Callable[..., Page], site: Site, tmp_path: Path) -> tuple[Page, Secret]:
    """A case with two files, an intimate one and a note."""
    page = visitor()
    secret = locker(page, site.url)
    names = {"threat.png": photo("coffee"), "private.png": photo("rocket"), "chat ✉.txt": b"pay " * 50_000}
    add(page, *(write(tmp_path, name, content) for name, content in names.items()))
    mark_intimate(page, "private.png")
    note(page, "he knows my sister")
    return page, secret


def test_a_copy_opens_without_us_and_can_be_checked_and_a_changed_byte_shows(
    filled: tuple[Page, Secret], tmp_path: Path
) -> None:
    page, secret = filled
    sealed = take_out(page, secret)
    words = "-".join(secret.words)
    opened = pyrage.passphrase.decrypt(sealed, words)
    with zipfile.ZipFile(BytesIO(opened)) as bundle:
        listed = json.loads(bundle.read("manifest.json"))
        assert {each["name"] for each in listed} == {"threat.png", "chat ✉.txt"}
        content = {each["name"]: bundle.read(each["path"]) for each in listed}
        assert content == {"threat.png": photo("coffee"), "chat ✉.txt": b"pay " * 50_000}
        assert b"age --decrypt --output copy.zip copy-" in bundle.read("README.txt")
        assert "he knows my sister" in bundle.read("record.json").decode()
        assert "receipts" not in json.loads(bundle.read("record.json"))
        assert b'"exported"' in bundle.read("custody.jsonl").splitlines()[-1]
    path = write(tmp_path, "copy.zip", opened)
    whole = seawall("evidence", "verify", path)
    assert whole.returncode == 0, whole.stderr
    for at in (200, len(opened) // 2, len(opened) - 40):
        changed = write(tmp_path, "changed.zip", opened[:at] + bytes([opened[at] ^ 1]) + opened[at + 1 :])
        assert seawall("evidence", "verify", changed).returncode == 1, at

    # Intimate files travel when they are ticked, that one time.
    also = pyrage.passphrase.decrypt(take_out(page, secret, also="private.png"), words)
    with zipfile.ZipFile(BytesIO(also)) as bundle:
        assert {each["name"] for each in json.loads(bundle.read("manifest.json"))} == {
            "threat.png",
            "chat ✉.txt",
            "private.png",
        }
    assert seawall("evidence", "verify", write(tmp_path, "also.zip", also)).returncode == 0
    page.get_by_role("button", name="Save a copy").click()
    expect(screen(page, "export").get_by_label("private.png")).not_to_be_checked()


def test_the_plain_age_tool_opens_it(filled: tuple[Page, Secret], tmp_path: Path) -> None:
    tool = shutil.which("age")
    assert tool, "`age` is not installed: `make system` sees to it"
    page, secret = filled
    path = write(tmp_path, "copy.age", take_out(page, secret))
    # age reads the passphrase from a terminal only.
    command = f"{tool} --decrypt --output {tmp_path / 'copy.zip'} {path}"
    words = "-".join(secret.words)
    subprocess.run(["script", "-qec", command, "/dev/null"], input=f"{words}\n", text=True, check=True, timeout=60)
    assert seawall("evidence", "verify", tmp_path / "copy.zip").returncode == 0


def test_another_case_gets_the_same_files_and_notes_from_a_copy(
    filled: tuple[Page, Secret], visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page, secret = filled
    path = write(tmp_path, "copy.age", take_out(page, secret, also="private.png"))
    another = visitor()
    locker(another, site.url)
    wrong = type(secret)(secret.number, tuple(reversed(secret.words)))
    bring_back(another, path, wrong)
    expect(says(another, "import")).to_contain_text("These words do not open this copy")
    back(another)
    bring_back(another, path, secret)
    expect(says(another, "import")).to_have_text("Done. Files that came in: 3.")
    back(another)
    expect(exhibit(another, "private.png")).to_contain_text("Intimate, not shown.")
    for name, content in {"threat.png": photo("coffee"), "chat ✉.txt": b"pay " * 50_000}.items():
        file = look_at(another, name)
        expect(file.get_by_text(f"{name} was brought back from a copy")).to_be_visible()
        assert saved(another) == content
        back(another)
    another.get_by_role("button", name="Notes").click()
    expect(another.get_by_text("he knows my sister")).to_be_visible()
    back(another)
    # Once more adds nothing twice.
    bring_back(another, path, secret)
    expect(says(another, "import")).to_have_text("Done. Files that came in: 0.")
    back(another)
    expect(another.locator(".exhibit")).to_have_count(3)
    another.get_by_role("button", name="Notes").click()
    expect(screen(another, "notes").locator(".entry")).to_have_count(1)


def test_a_copy_that_was_changed_or_is_none_is_refused_in_words_and_adds_nothing(
    filled: tuple[Page, Secret], visitor: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    page, secret = filled
    sealed = take_out(page, secret)
    words = "-".join(secret.words)
    opened = pyrage.passphrase.decrypt(sealed, words)
    forged = opened.replace(b"he knows my sister", b"he knows my mother")
    assert forged != opened
    hostile = {
        "cut.age": sealed[:-100],
        "flipped.age": sealed[:5000] + bytes([sealed[5000] ^ 1]) + sealed[5001:],
        "forged.age": pyrage.passphrase.encrypt(forged, words),
        "signed for another.age": pyrage.passphrase.encrypt(opened[:-1] + bytes([opened[-1] ^ 1]), words),
        "endless.age": pyrage.passphrase.encrypt(b"PK\x03\x04" + b"\0" * 2 + b"\x08" + b"\0" * 90_000, words),
        "picture.age": photo("coffee"),
        "empty.age": b"",
    }
    another = visitor()
    locker(another, site.url)
    before = set(site.blobs)
    for name, content in hostile.items():
        bring_back(another, write(tmp_path, name, content), secret)
        expect(says(another, "import")).to_contain_text("This is no copy of a locker", timeout=30_000)
        back(another)
        expect(another.locator(".exhibit")).to_have_count(0)
    assert set(site.blobs) == before


def test_words_of_another_case_make_no_copy(filled: tuple[Page, Secret]) -> None:
    page, secret = filled
    page.get_by_role("button", name="Save a copy").click()
    out = screen(page, "export")
    out.get_by_label("Number").fill(secret.number)
    out.get_by_label("Six words, or 20 digits").fill(" ".join(reversed(secret.words)))
    out.get_by_role("button", name="Make the copy").click()
    expect(says(page, "export")).to_contain_text("These are not the number and words of this case")
