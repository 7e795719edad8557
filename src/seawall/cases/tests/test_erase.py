"""Erasing a case, being cut off in the middle of it, and cases that nobody uses."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from seawall.cases import keys, operations, queries
from seawall.cases.models import Case, Share
from seawall.lib.erasures import Erasures

from .client import Person, envelope
from .conftest import LIGHT, NOON
from .test_replace import load, put, the_case

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process ends here."""


def test_an_erased_case_is_gone_and_its_neighbour_is_not(alice: Person, bob: Person, tmp_path: Path) -> None:
    operations.erase(case=the_case(alice), now=NOON)
    assert queries.find(alice.keys.case) is None
    assert keys.get(alice.keys.case) is None
    assert alice.call("POST", "login", {"case": alice.keys.case.hex(), **alice.proof("login")}).status == 401
    assert bob.login().session
    assert alice.keys.case in Erasures(tmp_path / "erased.sqlite3").all("case")
    assert bob.keys.case not in Erasures(tmp_path / "erased.sqlite3").all("case")


def test_the_key_is_overwritten_not_only_forgotten(alice: Person, tmp_path: Path) -> None:
    key = keys.get(alice.keys.case)
    assert key is not None
    assert key in (tmp_path / "keys.sqlite3").read_bytes()
    operations.erase(case=the_case(alice), now=NOON)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or key not in file.read_bytes()


@pytest.mark.parametrize("step", ["list", "key", "rows"])
def test_a_kill_between_two_steps_leaves_nothing_half_readable(
    alice: Person, bob: Person, step: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Cut off before, and after, each of the three: listed, key destroyed, rows removed."""

    def kill(*_args: Any, **_named: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        if step == "list":
            patched.setattr(Erasures, "add", kill)
        elif step == "key":
            patched.setattr(keys, "destroy", kill)
        else:
            patched.setattr("django.db.models.query.QuerySet.delete", kill)
        with pytest.raises(Killed):
            operations.erase(case=the_case(alice), now=NOON)
    listed = alice.keys.case in Erasures(tmp_path / "erased.sqlite3").all("case")
    if step == "rows":
        assert listed
        with pytest.raises(queries.UnknownCase):
            queries.envelope(the_case(alice))
        assert alice.call("POST", "login", {"case": alice.keys.case.hex(), **alice.proof("login")}).status == 401
        assert operations.sweep(now=datetime.now(UTC)) == 1
        assert queries.find(alice.keys.case) is None
    else:
        assert listed == (step == "key")
        assert alice.login().session  # nothing was erased yet: she is told so, and asks again
        assert operations.sweep(now=datetime.now(UTC)) == 0
        operations.erase(case=the_case(alice), now=NOON)
    assert queries.find(alice.keys.case) is None
    assert load(bob)[0] == 1


def test_a_kill_while_opening_leaves_no_case_and_the_number_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    alice = Person(memory=LIGHT)

    def opened() -> Case:
        case, sign_key, recipient = alice.keys.case, alice.keys.sign_key, alice.keys.recipient
        return operations.open_case(
            case=case, sign_key=sign_key, recipient=recipient, envelope=alice.first(), now=datetime.now(UTC)
        )

    def kill(*_args: Any, **_named: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:  # before the row
        patched.setattr(Case, "save", kill)
        with pytest.raises(Killed):
            opened()
    assert keys.get(alice.keys.case) is None
    first = opened()
    keys.destroy(alice.keys.case)  # as it is when it dies between the row's commit and the key's
    assert alice.call("POST", "login", {"case": alice.keys.case.hex(), **alice.proof("login")}).status == 401
    assert operations.sweep(now=datetime.now(UTC)) == 1
    assert opened().id == first.id
    assert alice.login().session


def test_a_key_without_a_case_goes_with_the_next_sweep(alice: Person) -> None:
    stray = bytes(16)
    keys.make(stray)
    operations.sweep(now=datetime.now(UTC))
    assert keys.get(stray) is None
    assert keys.get(alice.keys.case) is not None


def test_a_sweep_never_takes_a_case_that_is_being_opened(alice: Person, tmp_path: Path) -> None:
    """While one is in the middle of it, the store of keys is held, and a sweep waits."""
    with keys.making(bytes(16)), sqlite3.connect(tmp_path / "keys.sqlite3", timeout=0) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert keys.get(alice.keys.case) is not None  # reading goes on
    other.close()


def test_a_second_thread_at_the_store_of_keys_opens_it_to_no_other_process(tmp_path: Path) -> None:
    """POSIX drops every lock of a process on a file as soon as the process closes the file anywhere."""
    try_it = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
    with keys.making(bytes(16)):
        second = threading.Thread(target=keys.make, args=(bytes(15) + b"2",))
        second.start()
        assert keys.get(b"nobody's") is None
        time.sleep(0.2)  # the second waits in its BEGIN
        command = [sys.executable, "-c", try_it, str(tmp_path / "keys.sqlite3")]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "database is locked" in told.stderr
    second.join()
    assert keys.get(bytes(15) + b"2") is not None


def test_a_store_of_keys_that_was_put_in_the_place_of_another_is_the_one_that_is_read(tmp_path: Path) -> None:
    first = keys.make(bytes(16))
    assert keys.get(bytes(16)) == first
    (tmp_path / "keys.sqlite3").rename(tmp_path / "aside")
    assert keys.get(bytes(16)) is None
    second = keys.make(bytes(16))
    assert keys.get(bytes(16)) == second != first


def test_a_write_to_a_case_that_was_erased_meanwhile_finds_no_case(alice: Person) -> None:
    case, (seq, before, plain) = the_case(alice), load(alice)
    operations.erase(case=the_case(alice), now=NOON)
    with pytest.raises(queries.UnknownCase):
        put(case, envelope(alice.keys, seq + 1, before, plain))


def test_shares_go_with_their_case(alice: Person) -> None:
    operations.share(case=the_case(alice), epoch=1, sealed=b"sealed", files=())
    operations.erase(case=the_case(alice), now=NOON)
    assert not Share.objects.exists()


# --- cases that nobody uses ---


def used(person: Person, day: date) -> None:
    Case.objects.filter(id=the_case(person).id).update(
        used=queries.day(datetime(day.year, day.month, day.day, tzinfo=UTC))
    )


@pytest.mark.parametrize(
    ("last", "months", "end"),
    [
        (date(2026, 11, 23), 12, date(2027, 11, 23)),
        (date(2026, 11, 23), 1, date(2026, 12, 23)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
    ],
)
def test_a_case_ends_so_many_months_after_it_was_last_used(
    alice: Person, settings: Any, last: date, months: int, end: date
) -> None:
    settings.CASE_MONTHS = months
    used(alice, last)
    assert queries.ends(the_case(alice)) == end
    at = datetime(end.year, end.month, end.day, tzinfo=UTC)
    assert [case.id for case in queries.ended(now=at)] == [the_case(alice).id]
    assert list(queries.ended(now=at - timedelta(minutes=1))) == []


def test_the_sweep_ends_what_nobody_used_and_leaves_the_rest(alice: Person, bob: Person, tmp_path: Path) -> None:
    today = datetime.now(UTC)
    used(alice, today.date() - timedelta(days=400))
    assert operations.sweep(now=today) == 1
    assert queries.find(alice.keys.case) is None
    assert keys.get(alice.keys.case) is None
    assert Erasures(tmp_path / "erased.sqlite3").all("case") == {alice.keys.case}
    assert bob.login().session


def test_using_a_case_keeps_it(alice: Person) -> None:
    used(alice, datetime.now(UTC).date() - timedelta(days=300))
    before = queries.ends(the_case(alice))
    alice.call("DELETE", "shares/0123456789abcdef")
    assert queries.ends(the_case(alice)) > before + timedelta(days=290)


def test_no_column_of_a_case_holds_a_time_finer_than_a_day() -> None:
    for model in (Case, Share):
        for field in model._meta.get_fields():
            kind = getattr(field, "db_type", lambda _: None)(connection) or ""
            assert "time" not in kind, (model, field)
            assert "date" not in kind, (model, field)
