"""The further fingerprint of windows: taken with its picture, fed to who asks, never under /v1/, erased with it."""

from __future__ import annotations

import base64
import hashlib
import random
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, connection, transaction

from seawall.exchange import operations, queries
from seawall.exchange.models import Entry, Signal, Windows, derived_id
from seawall.exchange.wire import BadSubmission, Item, Submission, parse
from seawall.hashing.native import WINDOWS

from .conftest import EVERYWHERE, NOON, Follower, item, token

if TYPE_CHECKING:
    from django.test import Client

H, PDQ = "ab" * 32, "0f" * 32
HEAD = "seawall fingerprints 1\nfor all and future\n"
LINE = f"{H} image pdq1 {PDQ} 90"


def windows(seed: int, *, quality: int = 88, plain: tuple[int, ...] = ()) -> bytes:
    """Windows as a page may send them; those numbered ``plain`` have too little detail."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    slots = [chance.randbytes(32) + bytes([quality]) for _ in range(WINDOWS)]
    return b"".join(bytes(33) if number in plain else slot for number, slot in enumerate(slots))


def text_of(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def line(value: bytes, h: str = H) -> str:
    return f"{h} image windows1 {text_of(value)} {value[32]}"


WHOLE = windows(1, plain=(7, 125))
THEIRS = line(WHOLE)


def with_windows(number: int, seed: int | None = None) -> Item:
    plain = item(number)
    value = windows(number if seed is None else seed)
    return Item(plain.h, plain.kind, plain.version, plain.value, plain.quality, value)


def submit(*items: Item) -> list[int]:
    return [each.entry for each in operations.submit(submission=Submission(EVERYWHERE, items), now=NOON)]


def test_it_reads_the_windows_behind_their_picture() -> None:
    other = "cd" * 32
    parsed = parse(f"{HEAD}{LINE}\n{THEIRS}\n{other} image pdq1 {PDQ} 100\n")
    assert [each.windows for each in parsed.items] == [WHOLE, None]
    assert parsed.items[0].value == bytes.fromhex(PDQ)
    assert parse(f"{HEAD}{LINE}\r\n{THEIRS}\r\n") == parse(f"{HEAD}{LINE}\n{THEIRS}\n{LINE}\n{THEIRS}")


def test_a_hundred_pictures_with_windows_fit_and_one_more_is_refused() -> None:
    def form(count: int) -> str:
        heads = [f"{number:064x}" for number in range(count)]
        return HEAD + "\r\n".join(f"{h} image pdq1 {PDQ} 100\r\n{line(windows(2, quality=100), h)}" for h in heads)

    text = form(100)
    assert len(parse(text).items) == 100
    assert len(text) < 1 << 20  # the form's limit; none of these characters grows in a form but the ends of lines
    with pytest.raises(BadSubmission, match="more than 100"):
        parse(form(101))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([THEIRS], "Line 3"),
        ([THEIRS, LINE], "Line 3"),
        ([LINE, THEIRS, THEIRS], "Line 5"),
        ([LINE, line(WHOLE, "cd" * 32)], "Line 4"),
        ([LINE, f"{'cd' * 32} image pdq1 {PDQ} 90", THEIRS], "Line 5"),
        ([LINE, THEIRS.replace("windows1", "windows2")], "Line 4"),
        ([LINE, THEIRS.replace("image", "video")], "Line 4"),
        ([LINE, THEIRS + " "], "Line 4"),
        ([LINE, THEIRS.removesuffix("88") + "87"], "Line 4"),
        ([LINE, THEIRS.removesuffix("88") + "088"], "Line 4"),
        ([LINE, f"{H} image windows1 {text_of(WHOLE)}== 88"], "Line 4"),
        ([LINE, f"{H} image windows1 {text_of(WHOLE)[:-1]} 88"], "Line 4"),
        ([LINE, f"{H} image windows1 {text_of(WHOLE)[:-1]}+ 88"], "Line 4"),
        ([LINE, f"{H} image windows1 {text_of(WHOLE)[:-1]}é 88"], "Line 4"),
        ([LINE, line(WHOLE[:32] + bytes([101]) + WHOLE[33:])], "Line 4"),
        ([LINE, line(WHOLE[:33] + bytes([1]) * 32 + bytes([29]) + WHOLE[66:])], "Line 4"),
        ([LINE, line(WHOLE[:33] + bytes([1]) * 32 + bytes([0]) + WHOLE[66:])], "Line 4"),
        ([LINE, line(WHOLE[:33] + bytes([1]) * 32 + bytes([101]) + WHOLE[66:])], "Line 4"),
        ([LINE, THEIRS, LINE, line(windows(2))], "Line 5 uses a token again"),
        ([LINE, THEIRS, LINE], "Line 5 uses a token again"),
    ],
)
def test_it_says_which_line_of_windows_it_cannot_read(rows: list[str], says: str) -> None:
    with pytest.raises(BadSubmission, match=says):
        parse(HEAD + "\n".join(rows))


@pytest.mark.django_db(transaction=True)
def test_sending_twice_is_as_good_as_once_and_other_windows_are_a_conflict() -> None:
    assert submit(with_windows(1)) == submit(with_windows(1))
    assert (Entry.objects.count(), Signal.objects.count(), Windows.objects.count()) == (1, 1, 1)
    submit(item(2))
    for other in (with_windows(1, seed=9), item(1), with_windows(2)):
        with pytest.raises(operations.EntryConflict):
            submit(item(3), other)
    assert Entry.objects.count() == 2
    assert Windows.objects.get().pk == derived_id("signal", item(1).h, 1)


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_windows_that_are_not_whole() -> None:
    submit(with_windows(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        Windows.objects.update(value=windows(1)[:-33])


def fed(client: Client, keys: dict[str, str], query: str = "") -> list[list[dict[str, object]]]:
    answer = client.get(f"/api/feed{query}", headers={"Authorization": f"Bearer {keys['api']}"})
    assert answer.status_code == 200, answer.content
    return [change["signals"] for change in answer.json()["changes"]]


def test_the_feed_carries_windows_to_who_asks_for_them(client: Client, meadow: dict[str, str]) -> None:
    submit(with_windows(1))
    [signals] = fed(client, meadow, "?windows=true")
    pdq1, windows1 = signals
    assert (pdq1["version"], pdq1["value"]) == ("pdq1", item(1).value.hex())
    assert windows1 == {
        "signal": str(derived_id("signal", item(1).h, 1)),
        "kind": "image",
        "version": "windows1",
        "value": text_of(windows(1)),
        "quality": 88,
    }
    assert fed(client, meadow) == fed(client, meadow, "?windows=false") == [[pdq1]]


def test_a_full_page_with_windows_stays_below_what_a_gate_reads(client: Client, meadow: dict[str, str]) -> None:
    h = [hashlib.sha256(b"%d" % number).digest() for number in range(1001)]
    for start in range(0, 1001, 91):
        submit(*(Item(each, "image", "pdq1", each, 100, windows(1)) for each in h[start : start + 91]))
    answer = client.get("/api/feed?windows=true&limit=1000", headers={"Authorization": f"Bearer {meadow['api']}"})
    assert len(answer.json()["changes"]) == 1000
    assert 5 << 20 < len(answer.content) < 8 << 20


def test_windows_never_go_under_v1(client: Client, meadow: dict[str, str]) -> None:
    submit(with_windows(1))
    answer = client.get(
        "/v1/FetchHashes?startTimestamp=0&pageSize=100",
        headers={"x-functions-key": meadow["fetch"], "Ocp-Apim-Subscription-Key": meadow["subscription"]},
    )
    assert answer.status_code == 200, answer.content
    assert [record["hashValue"] for record in answer.json()["hashRecords"]] == [item(1).value.hex()]
    content = answer.content.decode()
    for shape in (windows(1).hex()[:64], windows(1)[-33:].hex(), text_of(windows(1))[:40]):
        assert shape not in content


def test_windows_are_erased_with_their_picture(meadow: dict[str, str]) -> None:
    submit(with_windows(1))
    gate = Follower(meadow["api"])
    gate.follow()
    gate.ack()
    operations.withdraw(token=token(1), now=NOON)
    assert Windows.objects.exists()  # a gate may still have to be told
    gate.follow()
    gate.ack()
    assert not Windows.objects.exists()
    assert submit(with_windows(1))  # the same again: the same answer, and nothing comes back
    assert not Windows.objects.exists()
    assert queries.status(token=token(1), now=NOON).state == "withdrawn"


@pytest.mark.django_db(transaction=True)
def test_windows_lie_in_their_row() -> None:
    """What PostgreSQL stores apart from its row it numbers as it comes, and a rewritten table keeps those numbers."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite stores nothing apart")
    submit(*(with_windows(number) for number in range(1, 20)))
    with connection.cursor() as sql:
        sql.execute("SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'exchange_windows'")
        ((apart,),) = sql.fetchall()
        if apart != "-":
            sql.execute(f"SELECT count(*) FROM {apart}")  # noqa: S608 - PostgreSQL's own name
            assert sql.fetchall() == [(0,)]
