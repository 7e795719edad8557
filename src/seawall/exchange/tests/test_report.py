"""What a receipt says of each platform follows from what its partner said last."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from seawall.exchange import api, operations, queries
from seawall.exchange.models import Entry
from seawall.exchange.tests.conftest import HOUR, NOON, Follower, send, token, value
from seawall.lib.rates import Rates

if TYPE_CHECKING:
    from django.test import Client


def shown(number: int) -> set[tuple[str, int, int]]:
    """(state, its hour of the day, uploads stopped) of every platform of that picture."""
    platforms = queries.status(token=token(number), now=NOON).platforms
    return {(each.state, each.since.hour, each.blocked) for each in platforms}


def report(meadow: dict[str, str], *said: tuple[int, operations.Outcome], later: int = 0) -> int:
    events = [operations.Report(uuid.uuid4(), entry, outcome) for entry, outcome in said]
    return operations.take_feedback(caller=Follower(meadow["api"]).caller, events=events, now=NOON + later * HOUR)


def test_its_last_word_counts_and_every_stopped_upload_stays_counted(meadow: dict[str, str]) -> None:
    [alice] = send(1)
    assert shown(1) == {("waiting", 12, 0)}
    assert report(meadow, (alice, "matched")) == 1
    assert shown(1) == {("matched", 12, 0)}
    report(meadow, (alice, "blocked"), (alice, "blocked"), later=1)
    assert shown(1) == {("blocked", 13, 2)}
    report(meadow, (alice, "blocked"), (alice, "refused"), later=2)
    assert shown(1) == {("refused", 14, 3)}
    report(meadow, (alice, "blocked"), (alice, "matched"), (alice, "blocked"), later=3)
    assert shown(1) == {("blocked", 15, 5)}


def test_what_was_said_of_alices_entry_is_not_said_of_bobs(meadow: dict[str, str]) -> None:
    alice, bob, carol, _ = send(1, 2, 3, 4)
    gate = Follower(meadow["api"])
    gate.follow()
    gate.ack()
    report(meadow, (alice, "blocked"), (bob, "refused"), (carol, "matched"))
    assert [shown(number) for number in (1, 2, 3, 4)] == [
        {("blocked", 12, 1)},
        {("refused", 12, 0)},
        {("matched", 12, 0)},
        {("loaded", 12, 0)},
    ]


def test_an_event_sent_again_changes_nothing_whatever_it_says_now(meadow: dict[str, str]) -> None:
    [alice] = send(1)
    caller, event = Follower(meadow["api"]).caller, uuid.uuid4()
    operations.take_feedback(caller=caller, events=[operations.Report(event, alice, "matched")], now=NOON)
    operations.take_feedback(caller=caller, events=[operations.Report(event, alice, "blocked")], now=NOON)
    assert shown(1) == {("matched", 12, 0)}


@pytest.mark.parametrize(
    ("opinion", "state"),
    [
        ("PendingReview", "matched"),
        ("Blocked", "blocked"),
        ("NotBlocked", "refused"),
        ("None", "loaded"),
        ("Unknown", "loaded"),
        ("Deleted", "loaded"),
    ],
)
def test_what_a_partner_says_under_v1_reads_the_same(meadow: dict[str, str], opinion: str, state: str) -> None:
    send(1)
    gate = Follower(meadow["api"])
    gate.follow()
    gate.ack()
    said = [operations.Opinion(value(1), opinion, ())]
    operations.take_opinions(partner_id=gate.caller.partner_id, opinions=said, now=NOON)
    assert {each[0] for each in shown(1)} == {state}


def test_taking_it_back_ends_every_other_word(meadow: dict[str, str]) -> None:
    [alice] = send(1)
    gate = Follower(meadow["api"])
    gate.follow()
    gate.ack()
    report(meadow, (alice, "refused"))
    operations.withdraw(token=token(1), now=NOON)
    assert {each[0] for each in shown(1)} == {"asked to withdraw"}


def test_partners_that_poll_read_an_outcome_as_an_opinion(client: Client, meadow: dict[str, str]) -> None:
    [alice] = send(1)
    for outcome, opinion in (("matched", "PendingReview"), ("refused", "NotBlocked")):
        event = {"event": str(uuid.uuid4()), "entry": str(alice), "outcome": outcome}
        told = post(client, "/api/feedback", {"events": [event]}, Authorization=f"Bearer {meadow['api']}")
        assert told.json() == {"accepted": 1}
        keys = {"x-functions-key": meadow["fetch"], "Ocp-Apim-Subscription-Key": meadow["subscription"]}
        [record] = client.get("/v1/FetchHashes?startTimestamp=10", headers=keys).json()["hashRecords"]
        assert [each["feedbackValue"] for each in record["CSPFeedbacks"]] == [opinion]


def post(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def test_a_receipt_needs_its_token_and_nothing_else(client: Client, meadow: dict[str, str]) -> None:
    """No key, no session: whoever asks with a partner's key learns no more, and no less."""
    send(1)
    asked = {"token": token(1).hex()}
    bare = post(client, "/api/receipts/status", asked)
    assert bare.status_code == 200
    assert bare.json() == post(client, "/api/receipts/status", asked, Authorization=f"Bearer {meadow['api']}").json()
    assert not bare.cookies
    assert bare.headers["Cache-Control"] == "no-store"
    assert list(bare.json()) == ["state", "hour", "platforms"]
    assert bare.json()["platforms"][0] == {
        "slug": "facebook",
        "name": "Facebook",
        "partner": "Meadow",
        "state": "waiting",
        "since": bare.json()["hour"],
        "blocked": 0,
    }


@pytest.mark.parametrize("path", ["/api/receipts/status", "/api/receipts/withdraw"])
@pytest.mark.usefixtures("meadow")
def test_a_token_never_known_and_one_that_is_forgotten_get_the_same_sentence(client: Client, path: str) -> None:
    [alice] = send(1)
    Entry.objects.filter(pk=alice).delete()
    forgotten, never = (post(client, path, {"token": token(number).hex()}) for number in (1, 2))
    assert (forgotten.status_code, forgotten.content) == (never.status_code, never.content)
    assert never.status_code == 404
    assert "Check that you copied all of it" in never.json()["message"]


@pytest.mark.parametrize("path", ["/api/receipts/status", "/api/receipts/withdraw"])
@pytest.mark.usefixtures("meadow")
def test_two_tokens_in_one_request_are_refused(client: Client, path: str) -> None:
    """So that no page can ask in a way that ties entries together, even by mistake."""
    send(1, 2)
    both = [token(1).hex(), token(2).hex()]
    for body in ({"token": both}, {"tokens": both}, [{"token": each} for each in both], {"token": "".join(both)}):
        assert post(client, path, body).status_code == 422
    assert queries.status(token=token(1), now=NOON).state == "active"


@pytest.mark.usefixtures("meadow")
def test_a_network_that_asks_without_end_is_told_to_wait_and_others_are_not(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_asked", Rates())
    monkeypatch.setattr(api, "MOST_ASKED", 3)
    send(1)
    body = json.dumps({"token": token(1).hex()})

    def ask(address: str, what: str = "status") -> Any:
        return client.post(f"/api/receipts/{what}", body, content_type="application/json", REMOTE_ADDR=address)

    assert [ask(f"192.0.2.{number}").status_code for number in range(3)] == [200] * 3
    refused = ask("192.0.2.9", "withdraw")
    assert refused.status_code == 429
    assert "in an hour" in refused.json()["message"]
    assert queries.status(token=token(1), now=NOON).state == "active"
    assert ask("198.51.100.1", "withdraw").status_code == 200
