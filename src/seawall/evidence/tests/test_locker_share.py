"""Letting the helpline read chosen files, by a roster that the organisation signed; and taking it back."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pyrage
import pytest
from playwright.sync_api import expect

from .conftest import seawall
from .walk import add, back, exhibit, locker, look_at, photo, says, screen, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from .conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("locker")]


@pytest.fixture
def team(site: Site) -> Iterator[pyrage.x25519.Identity]:
    """The team's key, named by a roster that `seawall roster` signed."""
    identity = pyrage.x25519.Identity.generate()
    sign_again(site, identity)
    yield identity
    (site.folder / "roster").unlink()


def sign_again(site: Site, identity: pyrage.x25519.Identity) -> None:
    """A roster, one version higher than the one before."""
    out, root = site.folder / "roster", site.folder / "root.key"
    signed = seawall("roster", "sign", "--root", root, "--recipient", identity.to_public(), "--epoch", 3, "--out", out)
    assert signed.returncode == 0, signed.stderr


def test_without_a_roster_there_is_a_number_to_call(visitor: Callable[..., Page], site: Site) -> None:
    page = visitor()
    locker(page, site.url)
    page.get_by_role("button", name="Show the helpline").click()
    share = screen(page, "share")
    expect(share.get_by_text("The helpline cannot read files here yet")).to_be_visible()
    assert (share.locator("a").first.get_attribute("href") or "").startswith("tel:")
    expect(share.get_by_role("button", name="Show these files")).to_be_hidden()


def test_the_team_can_open_the_chosen_file_and_no_other_until_it_is_taken_back(
    visitor: Callable[..., Page], site: Site, tmp_path: Path, team: pyrage.x25519.Identity
) -> None:
    page = visitor()
    secret = locker(page, site.url)
    picture = photo("coffee")
    add(page, write(tmp_path, "threat.png", picture), write(tmp_path, "diary.txt", b"mine"))
    page.get_by_role("button", name="Show the helpline").click()
    share = screen(page, "share")
    share.get_by_role("button", name="Show these files").click()
    expect(says(page, "share")).to_have_text("Tick a file first.")
    share.get_by_label("threat.png").check()
    with page.expect_request(lambda request: request.url.endswith("/shares")) as sent:
        share.get_by_role("button", name="Show these files").click()
    expect(says(page, "share")).to_have_text("The helpline can read these files now.")
    expect(share.locator(".entry")).to_contain_text("threat.png")
    expect(share.get_by_text("cannot be unread").first).to_be_visible()

    body = sent.value.post_data_json
    assert body
    sealed = base64.b64decode(body["sealed"])
    assert sealed.startswith(b"seawall share 1\n")
    given = json.loads(pyrage.decrypt(sealed[16 + 16 + 8 : -64], [team]))
    (id_,) = given["files"]
    assert body["files"] == [id_]
    assert given["files"][id_]["name"] == "threat.png"
    key = pyrage.x25519.Identity.from_str(given["files"][id_]["key"])
    assert pyrage.decrypt(site.blobs[id_], [key]) == picture

    elsewhere = visitor()
    locker(elsewhere, site.url, secret)
    expect(exhibit(elsewhere, "threat.png")).to_contain_text("The helpline can read it.")
    elsewhere.get_by_role("button", name="Show the helpline").click()
    again = screen(elsewhere, "share")
    again.get_by_role("button", name="Stop showing").click()
    with elsewhere.expect_response(lambda answer: answer.request.method == "DELETE") as gone:
        again.get_by_role("button", name="Press again to stop it").click()
    assert gone.value.status == 204
    expect(says(elsewhere, "share")).to_contain_text("cannot be unread")
    expect(again.locator(".entry")).to_have_count(0)
    back(elsewhere)
    lines = look_at(elsewhere, "threat.png").locator("li")
    expect(lines.nth(1)).to_contain_text("was shown to the helpline")
    expect(lines.nth(2)).to_contain_text("is no longer shown")


def test_an_older_roster_than_one_that_was_shared_by_gets_nothing(
    visitor: Callable[..., Page], site: Site, tmp_path: Path, team: pyrage.x25519.Identity
) -> None:
    """Its members may have left since. The root signed it, and it is still valid: only the case can know."""
    older = (site.folder / "roster").read_text()
    sign_again(site, team)
    page = visitor()
    locker(page, site.url)
    add(page, write(tmp_path, "threat.png", photo("coffee")), write(tmp_path, "chat.txt", b"pay"))
    page.get_by_role("button", name="Show the helpline").click()
    screen(page, "share").get_by_label("threat.png").check()
    screen(page, "share").get_by_role("button", name="Show these files").click()
    expect(says(page, "share")).to_have_text("The helpline can read these files now.")
    back(page)
    (site.folder / "roster").write_text(older)
    page.get_by_role("button", name="Show the helpline").click()
    expect(says(page, "share")).to_contain_text("We cannot prove who would read your files")
    expect(screen(page, "share").get_by_role("button", name="Show these files")).to_be_hidden()


def test_a_roster_that_somebody_else_signed_gets_nothing(
    visitor: Callable[..., Page], site: Site, tmp_path: Path, team: pyrage.x25519.Identity
) -> None:
    page = visitor()
    locker(page, site.url)
    add(page, write(tmp_path, "threat.png", photo("coffee")))
    other = str(pyrage.x25519.Identity.generate().to_public())

    def forge(answer: dict[str, str]) -> dict[str, str]:
        return answer | {"roster": answer["roster"].replace(str(team.to_public()), other)}

    page.route("**/case/api/team", lambda route: route.fulfill(json=forge(route.fetch().json())))
    shared: list[str] = []
    page.on("request", lambda request: shared.append(request.url) if request.url.endswith("/shares") else None)
    page.get_by_role("button", name="Show the helpline").click()
    expect(says(page, "share")).to_contain_text("We cannot prove who would read your files")
    expect(screen(page, "share").get_by_role("button", name="Show these files")).to_be_hidden()
    assert shared == []
