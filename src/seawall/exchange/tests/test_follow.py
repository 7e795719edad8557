"""What a partner's feed holds."""

from __future__ import annotations

from seawall.exchange.wire import Scope

from .conftest import Follower, send


def test_it_brings_alices_entry_to_a_follower(meadow: dict[str, str]) -> None:
    [alice] = send(1)
    assert Follower(meadow["api"]).follow() == {alice}


def test_it_hides_an_entry_for_reddit_from_meadow(meadow: dict[str, str], harbour: dict[str, str]) -> None:
    [alice] = send(1, scope=Scope(("reddit",)))
    assert Follower(meadow["api"]).follow() == set()
    assert Follower(harbour["api"]).follow() == {alice}
