"""The StopNCII protocol, by its letter (the stock client itself is in test_stock_client)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from seawall.exchange import operations, queries, stopncii, v1
from seawall.exchange.models import Delivery, Entry, Partner
from seawall.exchange.wire import Scope

from .conftest import HOUR, NOON, Follower, send, token, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client


@pytest.fixture(autouse=True)
def clock() -> Iterator[mock.Mock]:
    """The views' clock, at noon until a test moves it."""
    with mock.patch.object(v1, "datetime", wraps=datetime) as stands:
        stands.now.return_value = NOON
        yield stands


def keys(partner: dict[str, str], kind: str) -> dict[str, str]:
    return {"x-functions-key": partner[kind], "Ocp-Apim-Subscription-Key": partner["subscription"]}


def fetch(client: Client, partner: dict[str, str], **query: str | int) -> dict[str, Any]:
    answer = client.get("/v1/FetchHashes", query, headers=keys(partner, "fetch"))
    assert answer.status_code == 200, answer.content
    page: dict[str, Any] = answer.json()
    assert page["count"] == len(page["hashRecords"])
    assert page["hasMoreRecords"] == (page["nextPageToken"] is not None)
    return page


def run(client: Client, partner: dict[str, str], start: int = 10, size: int = 800) -> tuple[list[dict[str, Any]], int]:
    """Every record of a run, and its checkpoint; checks the client's rules on the way."""
    records: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"startTimestamp": start, "pageSize": size}
    checkpoint = start
    while True:
        page = fetch(client, partner, **query)
        assert page["nextSetTimestamp"] >= checkpoint, "checkpoint time rewound"
        checkpoint = page["nextSetTimestamp"]
        records += page["hashRecords"]
        if not page["hasMoreRecords"]:
            return records, checkpoint
        query["nextPageToken"] = page["nextPageToken"]


def post(client: Client, partner: dict[str, str], path: str, body: Any) -> Any:
    kind = {"SubmitHashes": "submit", "SubmitFeedback": "feedback"}[path]
    content = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(f"/v1/{path}", content, content_type="application/json", headers=keys(partner, kind))


def submitted(text: str, kind: str = "StopNCIISignalType.ImagePDQ", said: str = "Blocked") -> dict[str, Any]:
    opinion = {"tags": ["ours"], "feedbackValue": said}
    record = {"lastModtimestamp": 5, "signalType": kind, "hashValue": text, "CSPFeedbacks": [opinion]}
    return {"count": 1, "hashRecords": [record]}


def opinion(text: str, said: str, tags: list[str] | None = None) -> dict[str, Any]:
    return {"count": 1, "hashFeedbacks": [{"tags": tags or [], "feedbackValue": said, "hashValue": text}]}


def test_a_record_has_every_field_with_its_exact_type(client: Client, meadow: dict[str, str]) -> None:
    send(1)
    page = fetch(client, meadow)
    noon = int(NOON.replace(minute=0).timestamp())
    assert page == {
        "count": 1,
        "nextPageToken": None,
        "nextSetTimestamp": noon,
        "hasMoreRecords": False,
        "hashRecords": [
            {
                "lastModtimestamp": noon,
                "signalType": "ImagePDQ",
                "hashValue": value(1).hex(),
                "hashStatus": "Active",
                "caseNumbers": {},
                "CSPFeedbacks": [],
            }
        ],
    }


def test_the_same_picture_by_two_people_is_one_record_until_both_withdraw(
    client: Client, meadow: dict[str, str]
) -> None:
    send(1)
    send(2, picture=1)
    [record], checkpoint = run(client, meadow)
    operations.withdraw(token=token(1), now=NOON)
    [record], checkpoint = run(client, meadow, checkpoint)
    assert record["hashStatus"] == "Active"
    operations.withdraw(token=token(2), now=NOON)
    [record], _ = run(client, meadow, checkpoint)
    assert record["hashStatus"] == "Withdrawn"
    assert run(client, meadow)[0] == []


def test_a_full_fetch_leaves_out_what_was_withdrawn_and_a_later_one_sends_its_tombstone(
    client: Client, meadow: dict[str, str]
) -> None:
    send(1, 2)
    _, checkpoint = run(client, meadow)
    operations.withdraw(token=token(1), now=NOON + HOUR)
    assert [record["hashValue"] for record in run(client, meadow)[0]] == [value(2).hex()]
    gone = [record for record in run(client, meadow, checkpoint)[0] if record["hashStatus"] == "Withdrawn"]
    assert [record["hashValue"] for record in gone] == [value(1).hex()]


def test_a_partner_never_hears_of_what_was_withdrawn_before_it_was_handed_out(
    client: Client, meadow: dict[str, str], harbour: dict[str, str]
) -> None:
    """The stock client takes a tombstone for a record, so that it would begin to block what nobody wants blocked."""
    send(1)
    run(client, harbour)
    operations.withdraw(token=token(1), now=NOON)
    assert run(client, meadow, 20)[0] == []
    assert [record["hashStatus"] for record in run(client, harbour, 20)[0]] == ["Withdrawn"]


def test_the_last_full_fetch_is_noted_when_its_last_page_is_read(client: Client, meadow: dict[str, str]) -> None:
    send(1, 2, 3)
    page = fetch(client, meadow, pageSize=2)
    assert Partner.objects.get().full_fetch is None
    fetch(client, meadow, pageSize=2, nextPageToken=page["nextPageToken"])
    assert Partner.objects.get().full_fetch is not None
    assert "last full fetch under /v1/: 2026-11-23 12:00 UTC" in queries.partner_lines()[1]


@pytest.mark.parametrize("size", [1, 2, 7, 800])
def test_many_records_of_one_hour_come_in_pages_each_once(client: Client, meadow: dict[str, str], size: int) -> None:
    send(*range(20))
    records, _ = run(client, meadow, size=size)
    assert sorted(record["hashValue"] for record in records) == sorted(value(number).hex() for number in range(20))


def test_a_client_that_was_interrupted_starts_its_hour_again(
    client: Client, meadow: dict[str, str], clock: mock.Mock
) -> None:
    clock.now.return_value = NOON + HOUR
    send(*range(10))
    send(*range(10, 20), now=NOON + HOUR)
    page = fetch(client, meadow, pageSize=13)
    assert page["nextSetTimestamp"] == page["hashRecords"][-1]["lastModtimestamp"]
    records, _ = run(client, meadow, page["nextSetTimestamp"], 13)
    held = {record["hashValue"] for record in page["hashRecords"] + records}
    assert held == {value(number).hex() for number in range(20)}


def test_what_comes_in_the_same_hour_after_a_run_is_in_the_next(client: Client, meadow: dict[str, str]) -> None:
    send(1)
    _, checkpoint = run(client, meadow)
    send(*range(2, 30))
    records, again = run(client, meadow, checkpoint)
    assert {value(number).hex() for number in range(1, 30)} == {record["hashValue"] for record in records}
    assert again == checkpoint


def test_a_withdrawal_during_a_full_run_that_crosses_the_hour_is_in_the_next(
    client: Client, meadow: dict[str, str], clock: mock.Mock
) -> None:
    send(*range(10))
    page = fetch(client, meadow, pageSize=5)
    handed = page["hashRecords"][0]["hashValue"]
    [gone] = [number for number in range(10) if value(number).hex() == handed]
    operations.withdraw(token=token(gone), now=NOON)
    clock.now.return_value = NOON + HOUR
    send(50, now=NOON + HOUR)
    rest = fetch(client, meadow, pageSize=800, nextPageToken=page["nextPageToken"])
    assert not rest["hasMoreRecords"]
    records, _ = run(client, meadow, rest["nextSetTimestamp"])
    assert [r["hashStatus"] for r in records if r["hashValue"] == handed] == ["Withdrawn"]


def test_an_empty_bank_keeps_the_callers_checkpoint(client: Client, meadow: dict[str, str]) -> None:
    assert fetch(client, meadow, startTimestamp=1_900_000_000)["nextSetTimestamp"] == 1_900_000_000
    assert fetch(client, meadow)["nextSetTimestamp"] == 10


def test_it_hands_out_only_what_is_meant_for_the_partner(
    client: Client, meadow: dict[str, str], harbour: dict[str, str]
) -> None:
    send(1, scope=Scope(("reddit",)))
    send(2, scope=Scope(("facebook", "reddit")))
    assert [record["hashValue"] for record in run(client, meadow)[0]] == [value(2).hex()]
    assert len(run(client, harbour)[0]) == 2


def test_a_hidden_twin_does_not_show_in_a_record(
    client: Client, meadow: dict[str, str], harbour: dict[str, str]
) -> None:
    send(1, scope=Scope(("facebook",)))
    send(2, picture=1, scope=Scope(("reddit",)), now=NOON + HOUR)
    [record], _ = run(client, meadow)
    assert record["lastModtimestamp"] == NOON.replace(minute=0).timestamp()
    operations.withdraw(token=token(1), now=NOON + HOUR)
    assert run(client, meadow)[0] == []
    assert len(run(client, harbour)[0]) == 1


def test_a_receipt_says_delivered_once_a_page_was_handed_out_to_a_partner_that_reports(
    client: Client, meadow: dict[str, str]
) -> None:
    send(1)
    send(2, picture=1)
    run(client, meadow)
    operations.note_deliveries(now=NOON)
    for number in (1, 2):
        shown = queries.status(token=token(number), now=NOON)
        assert {each.state for each in shown.platforms} == {"does not report"}
    send(3)
    run(client, meadow)
    operations.note_deliveries(now=NOON)
    said = {"count": 1, "hashFeedbacks": [{"feedbackValue": "None", "hashValue": value(3).hex()}]}
    assert post(client, meadow, "SubmitFeedback", said).status_code == 200
    for number in (1, 2, 3):
        shown = queries.status(token=token(number), now=NOON)
        assert {each.state for each in shown.platforms} == {"delivered"}
    operations.withdraw(token=token(1), now=NOON)
    shown = queries.status(token=token(1), now=NOON)
    assert {each.state for each in shown.platforms} == {"asked, not confirmed"}
    assert shown.state == "withdrawing"


def test_what_was_handed_out_is_known_before_the_worker_has_noted_it(client: Client, meadow: dict[str, str]) -> None:
    send(1, 2)
    run(client, meadow)
    operations.withdraw(token=token(1), now=NOON)
    assert {each.state for each in queries.status(token=token(1), now=NOON).platforms} == {"asked, not confirmed"}
    opinion = operations.Opinion(value(2), "Blocked", ())
    [partner] = Partner.objects.values_list("pk", flat=True)
    operations.take_opinions(partner_id=partner, opinions=[opinion], now=NOON)
    assert {each.blocked for each in queries.status(token=token(2), now=NOON).platforms} == {1}
    assert operations.note_deliveries(now=NOON) == 0
    assert {each.state for each in queries.status(token=token(1), now=NOON).platforms} == {"asked, not confirmed"}


def test_what_is_withdrawn_while_a_page_is_read_is_not_handed_out(client: Client, meadow: dict[str, str]) -> None:
    send(1, 2)
    read = stopncii.page

    def read_and_withdraw(**query: Any) -> stopncii.Page:
        page = read(**query)
        operations.withdraw(token=token(1), now=NOON)
        return page

    with mock.patch.object(stopncii, "page", read_and_withdraw):
        records = fetch(client, meadow)["hashRecords"]
    assert [record["hashValue"] for record in records] == [value(2).hex()]
    operations.note_deliveries(now=NOON)
    assert list(Delivery.objects.values_list("entry__signals__value", flat=True)) == [value(2)]


def test_a_gate_that_drops_it_does_not_confirm_for_a_client_that_pulled(client: Client, meadow: dict[str, str]) -> None:
    send(1)
    run(client, meadow)
    operations.withdraw(token=token(1), now=NOON)
    gate = Follower(meadow["api"])
    gate.follow()
    gate.ack()
    assert {each.state for each in queries.status(token=token(1), now=NOON).platforms} == {"asked, not confirmed"}
    assert operations.erase_expired(now=NOON + 24 * 30 * HOUR) == 1
    shown = queries.status(token=token(1), now=NOON)
    assert shown.state == "withdrawn"
    assert {each.state for each in shown.platforms} == {"asked, not confirmed"}


def test_submitted_hashes_stand_beside_a_persons_entry(
    client: Client, meadow: dict[str, str], harbour: dict[str, str]
) -> None:
    [alice] = send(1)
    before = Entry.objects.filter(pk=alice).values().get()
    for kind in ("StopNCIISignalType.ImagePDQ", "ImagePDQ"):
        answer = post(client, meadow, "SubmitHashes", submitted(value(1).hex(), kind))
        assert (answer.status_code, answer.json()) == (200, {})
    assert Entry.objects.count() == 2
    assert Entry.objects.filter(pk=alice).values().get() == before
    assert {each.blocked for each in queries.status(token=token(1), now=NOON).platforms} == {0}
    [record], _ = run(client, harbour)
    assert record["CSPFeedbacks"] == [{"feedbackValue": "Blocked", "tags": ["ours"], "source": "Meadow"}]

    post(client, meadow, "SubmitFeedback", opinion(value(1).hex(), "Withdrawn"))
    [record], _ = run(client, harbour)
    assert record["hashStatus"] == "Active"
    assert Entry.objects.get(pk=alice).state == "active"
    assert Entry.objects.exclude(pk=alice).get().state == "withdrawing"

    post(client, meadow, "SubmitHashes", submitted(value(1).hex()))
    assert Entry.objects.filter(source="partner", state="active").count() == 1


def test_it_takes_the_md5_of_a_video(client: Client, meadow: dict[str, str]) -> None:
    assert post(client, meadow, "SubmitHashes", submitted("ab" * 16, "VideoMD5")).status_code == 200
    [record], _ = run(client, meadow)
    assert (record["signalType"], record["hashValue"]) == ("VideoMD5", "ab" * 16)


def test_feedback_reaches_receipts_of_what_the_partner_had_and_no_others(
    client: Client, meadow: dict[str, str]
) -> None:
    """Else anybody could ask whether a picture was seen before by submitting it."""
    send(1)
    run(client, meadow)
    send(2, picture=1)  # a stranger submits the picture after it was handed out
    for _ in range(2):
        assert post(client, meadow, "SubmitFeedback", opinion(value(1).hex(), "Blocked", ["x"])).status_code == 200
    assert {each.blocked for each in queries.status(token=token(1), now=NOON).platforms} == {1}
    assert {each.blocked for each in queries.status(token=token(2), now=NOON).platforms} == {0}


def test_feedback_shows_to_other_partners_in_their_next_run(
    client: Client, meadow: dict[str, str], harbour: dict[str, str]
) -> None:
    send(1)
    run(client, meadow)
    _, checkpoint = run(client, harbour)
    with mock.patch.object(v1, "datetime", wraps=datetime) as later:
        later.now.return_value = NOON + 3 * HOUR
        post(client, meadow, "SubmitFeedback", opinion(value(1).hex(), "NotBlocked", ["b", "a"]))
    [record], later_checkpoint = run(client, harbour, checkpoint + 3600)
    assert record["CSPFeedbacks"] == [{"feedbackValue": "NotBlocked", "tags": ["a", "b"], "source": "Meadow"}]
    assert later_checkpoint == checkpoint + 3 * 3600


def test_feedback_on_what_is_not_meant_for_the_partner_is_passed_over(
    client: Client, meadow: dict[str, str], harbour: dict[str, str]
) -> None:
    send(1, scope=Scope(("reddit",)))
    run(client, harbour)
    assert post(client, meadow, "SubmitFeedback", opinion(value(1).hex(), "Blocked")).status_code == 200
    assert {each.blocked for each in queries.status(token=token(1), now=NOON).platforms} == {0}


def test_it_wants_both_keys_of_one_partner(client: Client, meadow: dict[str, str], harbour: dict[str, str]) -> None:
    good = keys(meadow, "fetch")
    wrong: list[dict[str, str]] = [
        {},
        {"x-functions-key": good["x-functions-key"]},
        {"Ocp-Apim-Subscription-Key": good["Ocp-Apim-Subscription-Key"]},
        {**good, "x-functions-key": meadow["submit"]},
        {**good, "x-functions-key": meadow["subscription"]},
        {**good, "Ocp-Apim-Subscription-Key": meadow["fetch"]},
        {**good, "x-functions-key": harbour["fetch"]},
        {**good, "x-functions-key": ""},
        {**good, "x-functions-key": "é" * 9},
    ]
    for headers in wrong:
        answer = client.get("/v1/FetchHashes", headers=headers)
        assert answer.status_code == 401, headers
        assert "x-functions-key" in answer.json()["message"]
    assert client.get("/v1/FetchHashes", headers=good).status_code == 200


def test_old_and_new_keys_overlap_until_the_old_are_revoked(client: Client, meadow: dict[str, str]) -> None:
    new = operations.rotate_keys(name="Meadow", now=NOON)
    for each in (meadow, new, {**meadow, "fetch": new["fetch"]}):
        assert client.get("/v1/FetchHashes", headers=keys(each, "fetch")).status_code == 200
    old = next(line for line in queries.partner_lines() if "fetch," in line).split()[1].rstrip(":")
    operations.revoke_key(number=int(old), now=NOON)
    assert client.get("/v1/FetchHashes", headers=keys(meadow, "fetch")).status_code == 401
    assert client.get("/v1/FetchHashes", headers=keys(new, "fetch")).status_code == 200
    with pytest.raises(operations.UnknownKey):
        operations.revoke_key(number=int(old), now=NOON)


@pytest.mark.parametrize(
    "query",
    [
        {"startTimestamp": "x"},
        {"startTimestamp": "-1"},
        {"startTimestamp": "1.5"},
        {"startTimestamp": "9" * 400},
        {"startTimestamp": "१०"},
        {"pageSize": "0"},
        {"pageSize": "1001"},
        {"nextPageToken": "x"},
        {"nextPageToken": "1.2.3"},
        {"nextPageToken": "9999999999.1.1.1"},
        {"nextPageToken": "1.1.9223372036854775808.1"},
        {"nextPageToken": "\0"},
    ],
)
def test_it_refuses_a_strange_fetch(client: Client, meadow: dict[str, str], query: dict[str, str]) -> None:
    answer = client.get("/v1/FetchHashes", query, headers=keys(meadow, "fetch"))
    assert answer.status_code == 400
    assert len(answer.json()["message"]) > 10


GOOD = submitted("0" * 64)["hashRecords"][0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        {"count": 1},
        {"count": 2, "hashRecords": [GOOD]},
        {"count": "1", "hashRecords": [GOOD]},
        {"count": 1, "hashRecords": [{**GOOD, "signalType": "VideoTMK"}]},
        {"count": 1, "hashRecords": [{**GOOD, "signalType": "Unknown"}]},
        {"count": 1, "hashRecords": [{**GOOD, "signalType": "imagepdq"}]},
        {"count": 1, "hashRecords": [{**GOOD, "hashValue": "0" * 63}]},
        {"count": 1, "hashRecords": [{**GOOD, "hashValue": "0" * 32}]},
        {"count": 1, "hashRecords": [{**GOOD, "hashValue": "A" * 64}]},
        {"count": 1, "hashRecords": [{**GOOD, "hashValue": "g" * 64}]},
        {"count": 1, "hashRecords": [{**GOOD, "hashValue": 5}]},
        {"count": 1, "hashRecords": [{**GOOD, "CSPFeedbacks": [{"tags": [], "feedbackValue": "None_"}]}]},
        {"count": 1, "hashRecords": [{**GOOD, "CSPFeedbacks": [{"tags": ["\0"], "feedbackValue": "None"}]}]},
        {"count": 1, "hashRecords": [{**GOOD, "CSPFeedbacks": [{"tags": "x", "feedbackValue": "None"}]}]},
        b'{"count": 1, "hashRecords": [{"signalType": "ImagePDQ", "hashValue": "\\ud800"}]}',
        {"count": 1001, "hashRecords": [GOOD] * 1001},
        {"count": 2, "hashRecords": [GOOD, {**GOOD, "hashValue": "x"}]},
    ],
)
def test_it_refuses_a_strange_batch_whole(client: Client, meadow: dict[str, str], body: Any) -> None:
    answer = post(client, meadow, "SubmitHashes", body)
    assert answer.status_code == 400
    assert len(answer.json()["message"]) > 10
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"null", {"count": 1, "hashFeedbacks": []}, opinion("0" * 10, "Blocked"), opinion("0" * 64, "blocked")],
)
def test_it_refuses_strange_feedback(client: Client, meadow: dict[str, str], body: Any) -> None:
    answer = post(client, meadow, "SubmitFeedback", body)
    assert answer.status_code == 400
    assert len(answer.json()["message"]) > 10


def test_it_refuses_a_body_that_is_too_large_and_a_wrong_method(client: Client, meadow: dict[str, str]) -> None:
    assert post(client, meadow, "SubmitHashes", b" " * ((1 << 20) + 1)).status_code == 413
    assert client.post("/v1/FetchHashes", headers=keys(meadow, "fetch")).status_code == 405
    answer = client.get("/v1/SubmitHashes", headers=keys(meadow, "submit"))
    assert (answer.status_code, answer.json()) == (405, {"message": "Use POST here."})


@pytest.mark.parametrize("path", ["SubmitHashes", "SubmitFeedback"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"count": 0, "x": ' + b"[" * 100_000,
        b'{"count": 1, "hashRecords": [{"signalType": "\xff"}], "hashFeedbacks": [{"hashValue": "\xff"}]}',
    ],
    ids=["deep", "no unicode"],
)
def test_it_refuses_a_body_that_is_too_deep_or_no_unicode(
    client: Client, meadow: dict[str, str], path: str, body: bytes
) -> None:
    assert post(client, meadow, path, body).status_code == 400
