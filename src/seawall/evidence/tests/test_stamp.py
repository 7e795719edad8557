"""Roots are stamped by a real authority, also by one that is away for a while."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seawall.evidence import stamping
from seawall.evidence.kit import stamps
from seawall.evidence.models import Stamp
from seawall.evidence.tests.authority import Authority

if TYPE_CHECKING:
    from seawall.evidence.tests.locker import Locker

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[False, True], ids=["sorted", "unsorted"], scope="module")
def authority(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), chain=request.param)


def later(seconds: float = 1) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def told(alice: Locker) -> list[dict[str, str]]:
    found: list[dict[str, str]] = alice.person.ask("GET", "stamps")["stamps"]
    assert alice.person.ask("GET", "manifest")["stamps"] == len(found)
    return found


def test_each_authority_stamps_the_root_and_learns_nothing_else(
    alice: Locker, authority: Authority, settings: Any
) -> None:
    root = secrets.token_bytes(32)
    authority.asked.clear()
    with authority.serving() as one, authority.serving() as two:
        settings.TSA_URLS, settings.TSA_ROOTS = (one, two), str(authority.root)
        alice.write(root=root.hex())
        assert told(alice) == []
        assert stamping.stamp_due(now=later()) == 2
        assert stamping.stamp_due(now=later(86_400)) == 0
    found = told(alice)
    assert {each["authority"] for each in found} == {one, two}
    for each in found:
        assert each["root"] == root.hex()
        stamp = stamps.check(base64.b64decode(each["token"]), root, [])
        assert stamp.time is not None
        assert abs(stamp.time - datetime.now(UTC)) < timedelta(minutes=1)
    assert len(authority.asked) == 2
    for query in authority.asked:
        assert len(query) < 100  # an imprint, a nonce, and what ASN.1 puts around them
        assert root not in query
        assert stamps.imprint(root) in query


def test_one_that_is_away_is_asked_again_later_and_later(alice: Locker, authority: Authority, settings: Any) -> None:
    root = secrets.token_bytes(32)
    with authority.serving() as url:
        settings.TSA_URLS = (url,)
        alice.write(root=root.hex())
        authority.answers = [503, 500]
        authority.asked.clear()
        waits = [1, 59, 2, 118, 3]  # seconds: asked, too soon, asked, too soon, asked
        moment, asked = datetime.now(UTC), []
        for wait in waits:
            moment += timedelta(seconds=wait)
            stamping.stamp_due(now=moment)
            asked.append(len(authority.asked))
    assert asked == [1, 1, 2, 2, 3]
    assert [each["root"] for each in told(alice)] == [root.hex()]


def test_nobody_is_there(alice: Locker, settings: Any) -> None:
    settings.TSA_URLS = ("http://127.0.0.1:9/",)
    alice.write(root="11" * 32)
    assert stamping.stamp_due(now=later()) == 0
    assert Stamp.objects.get().tries == 1
    Stamp.objects.update(tries=stamping.TRIES - 1)
    stamping.stamp_due(now=later(86_400))
    assert not Stamp.objects.exists()


def test_an_answer_to_something_else_is_not_kept(alice: Locker, authority: Authority, settings: Any) -> None:
    with authority.serving() as url:
        settings.TSA_URLS = (url,)
        alice.write(root="11" * 32)
        authority.replay = authority.stamp(b"\x22" * 32)
        assert stamping.stamp_due(now=later()) == 0
        authority.replay = None
    assert told(alice) == []


def test_an_answer_by_another_authority_is_not_kept(
    alice: Locker, authority: Authority, settings: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"))
    with authority.serving() as url:
        settings.TSA_URLS, settings.TSA_ROOTS = (url,), str(other.root)
        alice.write(root="11" * 32)
        assert stamping.stamp_due(now=later()) == 0
    assert told(alice) == []


def test_an_old_answer_is_not_taken_for_a_new_one(
    alice: Locker, settings: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The nonce: somebody in between plays back a stamp of the same root."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with authority.serving() as url:
        settings.TSA_URLS = (url,)
        alice.write(root="11" * 32)
        authority.replay = authority.stamp(b"\x11" * 32)
        assert stamping.stamp_due(now=later()) == 0
    assert told(alice) == []


def test_a_case_that_was_erased_is_not_stamped(alice: Locker, authority: Authority, settings: Any) -> None:
    with authority.serving() as url:
        settings.TSA_URLS = (url,)
        alice.write(root="11" * 32)
        alice.person.ask("POST", "erase", alice.person.proof("erase"))
        authority.asked.clear()
        assert stamping.stamp_due(now=later()) == 0
    assert authority.asked == []
