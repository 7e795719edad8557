"""A video: one entry of many frames; fed whole, under /v1/ by its file's MD5, and frame by frame to who asks."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, transaction

from seawall.exchange import operations, queries
from seawall.exchange.models import Entry, Signal
from seawall.exchange.wire import BadSubmission, Item, Submission, parse
from seawall.hashing import Pdq
from seawall.hashing.videos import Frame, pack, to_text

from .conftest import EVERYWHERE, HOUR, NOON, Follower, item, send, token, value

if TYPE_CHECKING:
    from django.test import Client

HEAD = "seawall fingerprints 1\nfor all and future\n"
H = "ab" * 32


def frames(seed: int, count: int = 12) -> tuple[Frame, ...]:
    chance = random.Random(seed)  # noqa: S311 - the same each time
    return tuple(Frame(1000 * n, Pdq(chance.randbytes(32), chance.randint(50, 99))) for n in range(count))


def digests(seed: int) -> tuple[bytes, bytes]:
    content = b"video %d" % seed
    return hashlib.md5(content, usedforsecurity=False).digest(), hashlib.sha256(content).digest()


def video(number: int, *, seed: int | None = None, count: int = 12) -> Item:
    shown = frames(number if seed is None else seed, count)
    md5, sha256 = digests(number)
    best = max(frame.pdq.quality for frame in shown)
    return Item(hashlib.sha256(token(number)).digest(), "video", "vpdq1", pack(shown), best, md5=md5, sha256=sha256)


def lines(of: Item) -> list[str]:
    assert of.md5
    assert of.sha256
    h = of.h.hex()
    return [
        f"{h} video vpdq1 {to_text(of.value)} {of.quality}",
        f"{h} video md5 {of.md5.hex()} 100",
        f"{h} video sha256 {of.sha256.hex()} 100",
    ]


def submit(*items: Item) -> list[int]:
    return [each.entry for each in operations.submit(submission=Submission(EVERYWHERE, items), now=NOON)]


def test_it_reads_videos_among_pictures() -> None:
    picture = f"{H} image pdq1 {'0f' * 32} 90"
    text = HEAD + "\r\n".join([*lines(video(1)), picture, *lines(video(2))])
    first, second, third = parse(text).items
    assert (first, third) == (video(1), video(2))
    assert second.kind == "image"


def test_an_hour_of_video_fits_and_far_more_does_not() -> None:
    hours = [video(number, count=3600) for number in range(6)]
    text = HEAD + "\n".join(line for each in hours[:5] for line in lines(each))
    assert len(text) < 1_000_000
    assert parse(text).items == tuple(hours[:5])
    with pytest.raises(BadSubmission, match="too much"):
        parse(text + "\n" + "\n".join(lines(hours[5])))


def _packed(*shown: Frame) -> str:
    return to_text(pack(shown))


ONE, TWO = frames(1, 2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[:1], "Line 4"),
        (lambda rows: rows[:2], "Line 5"),
        (lambda rows: [rows[0], rows[2], rows[1]], "Line 4"),
        (lambda rows: [rows[1]], "Line 3"),
        (lambda rows: [rows[0], rows[1].replace(rows[1][:64], H), rows[2]], "Line 4"),
        (lambda rows: [rows[0].replace("vpdq1", "vpdq2"), *rows[1:]], "Line 3"),
        (lambda rows: [rows[0].replace("video", "image"), *rows[1:]], "Line 3"),
        (lambda rows: [rows[0][:-2] + "49", *rows[1:]], "Line 3"),
        (lambda rows: [rows[0][:-2] + "50", *rows[1:]], "Line 3"),
        (lambda rows: [f"{rows[0][:64]} video vpdq1 {_packed(TWO, ONE)} 99", *rows[1:]], "Line 3"),
        (lambda rows: [f"{rows[0][:64]} video vpdq1 {_packed(ONE)[:-1]} 99", *rows[1:]], "Line 3"),
        (lambda rows: [f"{rows[0][:64]} video vpdq1 {_packed(ONE, ONE._replace(t=9))} 99", *rows[1:]], "Line 3"),
        (lambda rows: [*rows, *lines(video(1, seed=9))], "Line 6 uses a token again"),
        (lambda rows: [*rows, f"{rows[0][:64]} image windows1 {'A' * 5544} 0"], "Line 6"),
    ],
)
def test_it_says_which_line_of_a_video_it_cannot_read(change: Any, says: str) -> None:
    with pytest.raises(BadSubmission, match=says):
        parse(HEAD + "\n".join(change(lines(video(1)))))


@pytest.mark.django_db(transaction=True)
def test_a_video_is_one_entry_and_sending_it_twice_is_as_good_as_once() -> None:
    assert submit(video(1)) == submit(video(1))
    assert (Entry.objects.count(), Signal.objects.count()) == (1, 14)
    for other in (
        video(1, seed=2),
        item(1),
        Item(*(*(getattr(video(1), n) for n in ("h", "kind", "version", "value")), 50)),
    ):
        with pytest.raises(operations.EntryConflict):
            submit(other)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wrong", [{"t": None}, {"t": -1}, {"t": 1 << 24}, {"value": b"short"}, {"version": "vpdq2"}])
def test_the_database_refuses_a_frame_that_is_none(wrong: dict[str, object]) -> None:
    submit(video(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        Signal.objects.filter(version="vpdq1").update(**wrong)


def fed(client: Client, keys: dict[str, str], query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/feed{query}", headers={"Authorization": f"Bearer {keys['api']}"})
    assert answer.status_code == 200, answer.content
    made: dict[str, Any] = answer.json()
    return made


def test_the_feed_carries_a_video_whole(client: Client, meadow: dict[str, str]) -> None:
    submit(video(1))
    [change] = fed(client, meadow)["changes"]
    vpdq, *files = change["signals"]
    assert (vpdq["kind"], vpdq["version"], vpdq["quality"]) == ("video", "vpdq1", video(1).quality)
    assert vpdq["value"] == to_text(video(1).value)
    assert {each["version"]: each["value"] for each in files} == {
        "md5": digests(1)[0].hex(),
        "sha256": digests(1)[1].hex(),
    }
    assert len({each["signal"] for each in change["signals"]}) == 3


def test_a_page_of_the_feed_stays_small_however_long_the_videos(
    client: Client, meadow: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_MOST_FRAMES", 30)
    submit(*(video(number) for number in range(5)), video(9, count=40), item(7))
    pages, cursor = [], ""
    while True:
        page = fed(client, meadow, cursor and f"?cursor={cursor}")
        pages.append(len(page["changes"]))
        cursor = page["cursor"]
        if not page["more"]:
            break
    assert sum(pages) == 7
    assert max(pages) <= 3


def fetched(client: Client, keys: dict[str, str], start: int = 0, size: int = 100) -> list[dict[str, Any]]:
    records, token_ = [], ""
    while True:
        answer = client.get(
            f"/v1/FetchHashes?startTimestamp={start}&pageSize={size}" + (f"&nextPageToken={token_}" if token_ else ""),
            headers={"x-functions-key": keys["fetch"], "Ocp-Apim-Subscription-Key": keys["subscription"]},
        )
        assert answer.status_code == 200, answer.content
        records += answer.json()["hashRecords"]
        if not answer.json()["hasMoreRecords"]:
            return records
        token_ = answer.json()["nextPageToken"]


def test_under_v1_a_video_is_its_md5_and_nothing_else(client: Client, meadow: dict[str, str]) -> None:
    submit(video(1))
    assert [(r["signalType"], r["hashValue"]) for r in fetched(client, meadow)] == [("VideoMD5", digests(1)[0].hex())]


@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_partner_that_asked_for_frames_gets_each_as_a_picture(
    client: Client, meadow: dict[str, str], harbour: dict[str, str], size: int
) -> None:
    operations.give_frames(name="Meadow", on=True)
    shared = value(5)
    md5, sha256 = digests(2)
    both = (*frames(2, 3), Frame(5000, Pdq(shared, 90)))
    submit(video(1), Item(hashlib.sha256(token(2)).digest(), "video", "vpdq1", pack(both), 99, md5=md5, sha256=sha256))
    send(5)  # somebody's picture has the value of a frame: one record
    records = fetched(client, meadow, size=size)
    wanted = {frame.pdq.hex for frame in (*frames(1), *both)}
    assert sorted(r["hashValue"] for r in records if r["signalType"] == "ImagePDQ") == sorted(wanted)
    assert sorted(r["hashValue"] for r in records if r["signalType"] == "VideoMD5") == sorted(
        [digests(1)[0].hex(), md5.hex()]
    )
    assert not any(sha256.hex() == r["hashValue"] for r in records)
    assert len(fetched(client, harbour)) == 3  # two videos' files and a picture


def test_what_a_partner_says_of_one_frame_is_said_of_the_video(client: Client, meadow: dict[str, str]) -> None:
    operations.give_frames(name="Meadow", on=True)
    submit(video(1))
    fetched(client, meadow)
    body = {"count": 1, "hashFeedbacks": [{"feedbackValue": "Blocked", "hashValue": frames(1)[3].pdq.hex}]}
    answer = client.post(
        "/v1/SubmitFeedback",
        body,
        content_type="application/json",
        headers={"x-functions-key": meadow["feedback"], "Ocp-Apim-Subscription-Key": meadow["subscription"]},
    )
    assert answer.status_code == 200, answer.content
    [platform] = {each.partner: each for each in queries.status(token=token(1), now=NOON).platforms}.values()
    assert (platform.state, platform.blocked) == ("blocked", 1)
    assert all(r["CSPFeedbacks"] for r in fetched(client, meadow))


def test_a_video_is_withdrawn_whole(client: Client, meadow: dict[str, str]) -> None:
    operations.give_frames(name="Meadow", on=True)
    submit(video(1))
    gate = Follower(meadow["api"])
    gate.follow()
    gate.ack()
    fetched(client, meadow)
    operations.withdraw(token=token(1), now=NOON + HOUR)
    records = fetched(client, meadow, start=11)
    assert len(records) == 13
    assert {r["hashStatus"] for r in records} == {"Withdrawn"}
    gate.follow()
    assert gate.held == {}
    operations.erase_expired(now=NOON + 31 * 24 * HOUR)
    assert not Signal.objects.exists()
    assert submit(video(1))
    assert not Signal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_videos_of_one_form_are_not_linked_once_their_hour_is_closed(meadow: dict[str, str]) -> None:
    entries = submit(*(video(number) for number in range(8)))
    operations.close_hours(now=NOON + 2 * HOUR)
    numbers = dict(Entry.objects.values_list("pk", "number"))
    assert sorted(entries, key=numbers.__getitem__) == sorted(entries)
    assert Follower(meadow["api"], now=NOON + 2 * HOUR).follow() == set(entries)
