"""What was withdrawn stays withdrawn, though an older backup still holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seawall.exchange import operations, queries
from seawall.exchange.keys import hash_key
from seawall.exchange.models import Entry, Signal

from .conftest import HOUR, NOON, Follower, send, token, value

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Path) -> Path:
    """A list of this test's own."""
    settings.DATA = tmp_path
    return tmp_path


def restore() -> None:
    """As if the database came from a backup in which everything was still active."""
    Entry.objects.update(state=Entry.State.ACTIVE)


def test_what_was_withdrawn_since_the_backup_is_withdrawn_again(meadow: dict[str, str]) -> None:
    [alice, bob] = send(1, 2)
    gate = Follower(meadow["api"])
    gate.follow()
    gate.ack()
    operations.withdraw(token=token(1), now=NOON)
    restore()
    assert operations.withdraw_again(now=NOON + HOUR) == 1
    assert Follower(meadow["api"], now=NOON + HOUR).follow() == {bob}
    assert Entry.objects.get(pk=alice).state == "withdrawing"
    assert operations.withdraw_again(now=NOON + HOUR) == 0


@pytest.mark.usefixtures("meadow")
def test_it_is_listed_before_anything_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    [alice] = send(1)

    def power_cut(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("seawall.exchange.operations.entries.entomb", power_cut)
    with pytest.raises(ZeroDivisionError):
        operations.withdraw(token=token(1), now=NOON)
    monkeypatch.undo()
    assert Entry.objects.get(pk=alice).state == "active"
    assert operations.withdraw_again(now=NOON) == 1


@pytest.mark.usefixtures("meadow")
def test_a_token_that_does_not_fit_lists_nothing(data: Path) -> None:
    send(1)
    with pytest.raises(queries.UnknownEntry):
        operations.withdraw(token=token(2), now=NOON)
    assert not (data / "withdrawn.sqlite3").exists()


def test_what_a_partner_took_back_stays_taken_back(meadow: dict[str, str]) -> None:
    caller = queries.caller(hash_key(meadow["api"]))
    assert caller is not None
    found = operations.FoundHash("image", "pdq1", value(1), ())
    operations.submit_found(partner_id=caller.partner_id, found=[found], now=NOON)
    said = operations.Opinion(value(1), "Withdrawn", ())
    operations.take_opinions(partner_id=caller.partner_id, opinions=[said], now=NOON)
    restore()
    assert operations.withdraw_again(now=NOON) == 1
    assert not Signal.objects.exists()
