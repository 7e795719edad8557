"""What a partner's feed holds."""

from __future__ import annotations

from seawall.exchange import operations, queries
from seawall.exchange.cursor import Cursor
from seawall.exchange.keys import hash_key
from seawall.exchange.models import FeedHour
from seawall.exchange.wire import Scope

from .conftest import HOUR, NOON, Follower, send


def test_it_brings_alices_entry_to_a_follower(meadow: dict[str, str]) -> None:
    [alice] = send(1)
    assert Follower(meadow["api"]).follow() == {alice}


def test_it_hides_an_entry_for_reddit_from_meadow(meadow: dict[str, str], harbour: dict[str, str]) -> None:
    [alice] = send(1, scope=Scope(("reddit",)))
    assert Follower(meadow["api"]).follow() == set()
    assert Follower(harbour["api"]).follow() == {alice}


def test_a_page_that_begins_anew_at_a_closed_hour_is_not_kept_in_memory(meadow: dict[str, str]) -> None:
    entries = send(*range(30))
    with operations.counter.change(NOON + HOUR):
        pass
    operations.closing.renumber(FeedHour.objects.get(), NOON + HOUR)
    entries += send(30, now=NOON + HOUR)
    caller = queries.caller(hash_key(meadow["api"]))
    assert caller is not None
    before = queries._last_changes.cache_info()
    page = queries.changes(caller, cursor=Cursor(caller.generation, 25, open=True), limit=1000)
    assert {change.entry for change in page.changes} == set(entries)
    assert queries._last_changes.cache_info() == before
