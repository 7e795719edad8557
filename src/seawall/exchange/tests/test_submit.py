"""What the bank takes, and what it refuses."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from seawall.exchange import operations, wire
from seawall.exchange.models import Entry, EntryPlatform, Signal, entry_id
from seawall.exchange.wire import BadSubmission, BadToken, Item, Scope, Submission, parse, parse_token

from .conftest import EVERYWHERE, HOUR, NOON, Follower, item, send, token, value

H, PDQ = "ab" * 32, "0f" * 32
LINE = f"{H} image pdq1 {PDQ} 90"
HEAD = "seawall fingerprints 1\nfor all\n"


def test_it_reads_a_form() -> None:
    text = f"seawall fingerprints 1\nfor facebook instagram\n{LINE}\n{'cd' * 32} image pdq1 {PDQ} 100\n"
    parsed = parse(text)
    assert parsed.scope == Scope(("facebook", "instagram"))
    assert parsed.items[0] == Item(bytes.fromhex(H), "image", "pdq1", bytes.fromhex(PDQ), 90)
    assert len(parsed.items) == 2
    assert parse(text.replace("\n", "\r\n")) == parse(text.removesuffix("\n")) == parsed
    assert parse(f"{HEAD}{LINE}").scope == Scope(None)
    assert parse(f"seawall fingerprints 1\nfor all and future\n{LINE}").scope == Scope(None, future=True)
    assert len(parse(f"{HEAD}{LINE}\n{LINE}").items) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Line 1"),
        ("seawall fingerprints 2\nfor all\n" + LINE, "Line 1"),
        ("\ufeff" + HEAD + LINE, "Line 1"),
        ("seawall fingerprints 1", "Line 2"),
        ("seawall fingerprints 1\n", "Line 2"),
        ("seawall fingerprints 1\nfor\n" + LINE, "Line 2"),
        ("seawall fingerprints 1\nfor everyone\n" + LINE, "Line 2"),
        ("seawall fingerprints 1\nfor facebook facebook\n" + LINE, "Line 2"),
        ("seawall fingerprints 1\nfor  facebook\n" + LINE, "Line 2"),
        ("seawall fingerprints 1\nfor all and future ones\n" + LINE, "Line 2"),
        (HEAD, "no fingerprint"),
        (HEAD + LINE.upper(), "Line 3"),
        (HEAD + LINE.replace("0f", "0F", 1), "Line 3"),
        (HEAD + LINE.replace("0f", "0g", 1), "Line 3"),
        (HEAD + LINE.replace("0f", "0", 1), "Line 3"),
        (HEAD + LINE.replace("pdq1", "pdq2"), "Line 3"),
        (HEAD + LINE.replace("image", "video"), "Line 3"),
        (HEAD + LINE.replace(" 90", " 101"), "Line 3"),
        (HEAD + LINE.replace(" 90", " -1"), "Line 3"),
        (HEAD + LINE.replace(" 90", " 090"), "Line 3"),
        (HEAD + LINE.replace(" 90", " ९०"), "Line 3"),
        (HEAD + LINE.replace(" 90", " 49"), "too little detail"),
        (HEAD + LINE + " ", "Line 3"),
        (HEAD + " " + LINE, "Line 3"),
        (HEAD + LINE + "\n\n", "Line 4"),
        (HEAD + LINE + "\n\n" + LINE, "Line 4"),
        (HEAD + LINE + "\n" + LINE.replace("0f", "1f"), "Line 4 uses a token again"),
        (HEAD + LINE + "\0", "Line 3"),
        (HEAD + "\n".join([LINE] * 101), "more than 100"),
        (HEAD + "\n".join(f"{n:064x} image pdq1 {PDQ} 90" for n in range(10_000)), "too much"),
        ("x" * 10_000_000, "too much"),
    ],
)
def test_it_says_which_line_it_cannot_read(text: str, says: str) -> None:
    with pytest.raises(BadSubmission, match=says):
        parse(text)


@pytest.mark.parametrize("text", ["", "a" * 31, "a" * 33, "A" * 32, "g" * 32, "a" * 32 + "\n", "٣" * 32])
def test_it_refuses_what_is_not_a_token(text: str) -> None:
    with pytest.raises(BadToken, match="receipt"):
        parse_token(text)
    assert parse_token("0a" * 16) == b"\x0a" * 16


@pytest.mark.usefixtures("meadow")
def test_sending_twice_is_as_good_as_once() -> None:
    once = operations.submit(submission=Submission(Scope(None), (item(1), item(2))), now=NOON)
    again = operations.submit(submission=Submission(Scope(None), (item(1), item(2))), now=NOON + 2 * HOUR)
    assert once == again
    assert Entry.objects.count() == Signal.objects.count() == 2


@pytest.mark.usefixtures("meadow")
def test_a_token_of_another_picture_is_a_conflict_and_nothing_of_the_form_is_stored() -> None:
    send(1)
    other = Item(item(1).h, "image", "pdq1", value(9), 90)
    with pytest.raises(operations.EntryConflict):
        operations.submit(submission=Submission(Scope(None), (item(2), other)), now=NOON)
    assert Entry.objects.count() == 1


@pytest.mark.usefixtures("meadow", "harbour")
def test_all_means_those_of_today_unless_future_ones_are_ticked() -> None:
    [today] = send(1, scope=Scope(None))
    [ever] = send(2, scope=Scope(None, future=True))
    slugs = set(EntryPlatform.objects.filter(entry=today).values_list("platform", flat=True))
    assert slugs == {"facebook", "messenger", "instagram", "reddit"}
    late = operations.add_partner(name="Late", slugs=["snapchat"], now=NOON)
    assert Follower(late["api"]).follow() == {ever}


@pytest.mark.django_db
def test_all_of_nobody_is_refused_with_a_sentence() -> None:
    with pytest.raises(BadSubmission, match="No platform takes part yet"):
        send(1, scope=Scope(None))
    send(1, scope=Scope(None, future=True))


@pytest.mark.django_db
def test_the_id_of_an_entry_is_63_bits_of_h() -> None:
    [alice] = send(1)
    h = item(1).h
    assert alice == entry_id(h) == int(h.hex()[:16], 16) >> 1
    assert bytes(Entry.objects.get().h) == h


@pytest.mark.usefixtures("meadow")
@pytest.mark.parametrize(
    "wrong",
    [
        {"h": b"short"},
        {"state": "gone"},
        {"hour": int(NOON.timestamp())},
        {"changed": 498_000},
        {"source": "partner"},
    ],
)
def test_the_database_refuses_an_entry_that_cannot_be(wrong: dict[str, object]) -> None:
    [alice] = send(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.filter(pk=alice).update(**wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"value": b"short"}, {"quality": 101}, {"kind": "video"}])
def test_the_database_refuses_a_signal_that_cannot_be(wrong: dict[str, object]) -> None:
    send(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Signal.objects.update(**wrong)


def test_a_token_is_sixteen_bytes() -> None:
    assert len(token(1)) == wire.TOKEN_BYTES


@pytest.mark.django_db(transaction=True)
def test_two_tokens_that_would_be_one_entry_store_nothing() -> None:
    beside = Item(item(1).h[:8] + bytes(24), "image", "pdq1", value(2), 90)
    with pytest.raises(operations.EntryConflict):
        operations.submit(submission=Submission(EVERYWHERE, (item(1), beside)), now=NOON)
    assert not Entry.objects.exists()
