"""What /api/ answers, and how it refuses."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from seawall.exchange import operations
from seawall.exchange.models import Follower as FollowerRow

from .conftest import GATE, NOON, Follower, send, token, value

if TYPE_CHECKING:
    from django.test import Client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def post(client: Client, path: str, body: Any, key: str | None = None) -> Any:
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    headers = {} if key is None else bearer(key)
    return client.post(path, content, content_type="application/json", headers=headers)


def test_it_feeds_acknowledges_and_counts(client: Client, meadow: dict[str, str]) -> None:
    [alice] = send(1)
    feed = client.get("/api/feed", headers=bearer(meadow["api"])).json()
    [change] = feed["changes"]
    assert change["entry"] == str(alice)
    assert change["change"] == "add"
    [signal] = change["signals"]
    assert (signal["kind"], signal["version"], signal["value"], signal["quality"]) == (
        "image",
        "pdq1",
        value(1).hex(),
        90,
    )
    assert feed["more"] is False

    done = post(client, "/api/ack", {"gate": GATE, "cursor": feed["cursor"]}, meadow["api"])
    assert (done.status_code, done.content) == (204, b"")
    event = {"event": str(uuid.uuid4()), "entry": str(alice), "outcome": "blocked"}
    for _ in range(2):
        counted = post(client, "/api/feedback", {"events": [event]}, meadow["api"])
        assert (counted.status_code, counted.json()) == (200, {"accepted": 1})

    shown = post(client, "/api/receipts/status", {"token": token(1).hex()}).json()
    assert shown["state"] == "active"
    assert [(each["slug"], each["name"], each["state"], each["blocked"]) for each in shown["platforms"]] == [
        ("facebook", "Facebook", "blocked", 1),
        ("messenger", "Messenger", "blocked", 1),
        ("instagram", "Instagram", "blocked", 1),
    ]

    gone = post(client, "/api/receipts/withdraw", {"token": token(1).hex()}).json()
    assert gone["state"] == "withdrawing"
    feed = client.get(f"/api/feed?cursor={feed['cursor']}", headers=bearer(meadow["api"])).json()
    assert feed["changes"] == [{"entry": str(alice), "change": "remove"}]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/api/receipts/status", b"{", 400),
        ("/api/receipts/status", b"\xff\xfe", 400),
        ("/api/receipts/status", b"[]", 422),
        ("/api/receipts/status", {"token": "A" * 32}, 422),
        ("/api/receipts/status", {"token": 5}, 422),
        ("/api/receipts/status", {"token": "a" * 32, "more": 1}, 422),
        ("/api/receipts/status", {"token": "a" * 32}, 404),
        ("/api/receipts/withdraw", {"token": "a" * 32}, 404),
        ("/api/receipts/withdraw", {"token": "a" * 31}, 422),
        ("/api/receipts/status", b'{"token": "' + b"a" * (1 << 20) + b'"}', 413),
        ("/api/nothing", {}, 404),
        ("/v1/nothing", {}, 404),
    ],
)
@pytest.mark.django_db
def test_it_refuses_a_strange_receipt_with_a_sentence(client: Client, path: str, body: Any, code: int) -> None:
    answer = post(client, path, body)
    assert answer.status_code == code
    assert len(answer.json()["message"]) > 10


@pytest.mark.parametrize("key", [None, "", "x", "a" * 48, "ключ"])
@pytest.mark.usefixtures("meadow")
def test_it_refuses_wrong_keys(client: Client, key: str | None) -> None:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    posts = [
        client.post(path, "{}", content_type="application/json", headers=headers)
        for path in ("/api/ack", "/api/feedback")
    ]
    for answer in [client.get("/api/feed", headers=headers), *posts]:
        assert answer.status_code == 401
        assert "key" in answer.json()["message"]


def test_it_takes_only_the_kind_of_key_that_belongs_there(client: Client, meadow: dict[str, str]) -> None:
    for kind, key in meadow.items():
        assert client.get("/api/feed", headers=bearer(key)).status_code == (200 if kind == "api" else 401)


@pytest.mark.parametrize("cursor", ["x", "", "1.2", "1.-1.o", "1.01.c", "g.1.o", "1.1.c ", "1.1.c%0A", "9" * 64, "%00"])
def test_it_refuses_what_is_not_a_cursor(client: Client, meadow: dict[str, str], cursor: str) -> None:
    answer = client.get(f"/api/feed?cursor={cursor}", headers=bearer(meadow["api"]))
    assert answer.status_code == 400
    assert "cursor" in answer.json()["message"]
    assert post(client, "/api/ack", {"gate": GATE, "cursor": cursor}, meadow["api"]).status_code == 400
    assert not FollowerRow.objects.exists()


def test_it_sends_a_follower_of_an_earlier_life_back_to_the_start(client: Client, meadow: dict[str, str]) -> None:
    send(1)
    follower = Follower(meadow["api"])
    follower.follow()
    operations.start_generation(now=NOON)
    answer = client.get(f"/api/feed?cursor={follower.cursor}", headers=bearer(meadow["api"]))
    assert answer.status_code == 410
    assert "without a cursor" in answer.json()["message"]
    assert post(client, "/api/ack", {"gate": GATE, "cursor": follower.cursor}, meadow["api"]).status_code == 410


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1", "1.5", "9" * 5000])
def test_it_refuses_a_strange_limit(client: Client, meadow: dict[str, str], limit: str) -> None:
    answer = client.get(f"/api/feed?limit={limit}", headers=bearer(meadow["api"]))
    assert answer.status_code == 422
    assert "limit" in answer.json()["message"]


@pytest.mark.parametrize(
    "event",
    [
        {"event": "x", "entry": "1", "outcome": "blocked"},
        {"event": GATE, "entry": "01", "outcome": "blocked"},
        {"event": GATE, "entry": 1, "outcome": "blocked"},
        {"event": GATE, "entry": "1" * 20, "outcome": "blocked"},
        {"event": GATE, "entry": "1", "outcome": "shared"},
        {"event": GATE, "entry": "1"},
    ],
)
def test_it_refuses_strange_feedback_whole(client: Client, meadow: dict[str, str], event: dict[str, Any]) -> None:
    [alice] = send(1)
    good = {"event": str(uuid.uuid4()), "entry": str(alice), "outcome": "blocked"}
    assert post(client, "/api/feedback", {"events": [good, event]}, meadow["api"]).status_code == 422
    shown = post(client, "/api/receipts/status", {"token": token(1).hex()}).json()
    assert {each["blocked"] for each in shown["platforms"]} == {0}


def test_it_passes_over_entries_it_does_not_know(client: Client, meadow: dict[str, str]) -> None:
    events = [{"event": str(uuid.uuid4()), "entry": str(entry), "outcome": "blocked"} for entry in (1, 10**19 - 1)]
    assert post(client, "/api/feedback", {"events": events}, meadow["api"]).json() == {"accepted": 0}


def test_it_refuses_more_than_a_thousand_events(client: Client, meadow: dict[str, str]) -> None:
    event = {"event": GATE, "entry": "1", "outcome": "blocked"}
    assert post(client, "/api/feedback", {"events": [event] * 1001}, meadow["api"]).status_code == 422


def test_it_answers_an_empty_poll_with_one_query(
    client: Client, meadow: dict[str, str], django_assert_num_queries: Any
) -> None:
    send(1)
    follower = Follower(meadow["api"])
    follower.follow()
    with django_assert_num_queries(1):
        answer = client.get(f"/api/feed?cursor={follower.cursor}", headers=bearer(meadow["api"]))
    assert answer.json() == {"cursor": follower.cursor, "changes": [], "more": False}


def test_it_describes_itself(client: Client) -> None:
    described = client.get("/api/openapi.json").json()
    receipts = {"/api/receipts/status", "/api/receipts/withdraw"}
    assert set(described["paths"]) == {"/api/feed", "/api/ack", "/api/feedback"} | receipts
