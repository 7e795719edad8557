"""Every block that was answered is told to the exchange, and counted once."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from seawall.gate.bank import BankCopy
from seawall.gate.feed import Event, Feed
from seawall.gate.follower import LONGEST_WAIT, Health
from seawall.gate.reporter import Reporter
from seawall.gate.tests.conftest import fingerprint_of, jpeg, photo, running, until
from seawall.gate.tests.exchange import KEY, ListExchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CAT = photo("chelsea.png")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[BankCopy]:
    copy = BankCopy.open(tmp_path, now=0)
    yield copy
    copy.close()


@pytest.fixture
def reporter(exchange: ListExchange, copy: BankCopy) -> Iterator[Reporter]:
    with Feed("http://exchange.invalid/api", KEY, exchange.transport()) as feed:
        yield Reporter(feed, copy, Health(complete=True, contact=0))


def events(count: int) -> list[Event]:
    return [
        Event(f"00000000-0000-4000-8000-{number:012}", str(2**63 - 1 - number % 3), "blocked")
        for number in range(count)
    ]


def test_more_events_than_one_batch_all_arrive(exchange: ListExchange, copy: BankCopy, reporter: Reporter) -> None:
    sent = events(2500)
    copy.keep_events(sent)
    batches = 0
    while reporter.step() is not None:
        batches += 1
    assert batches == 3
    assert exchange.counted == {event.event: event.entry for event in sent}
    assert copy.count_unsent() == 0


@pytest.mark.parametrize("status", [None, 302, 401, 422, 429, 500])
def test_what_the_exchange_did_not_take_is_kept_and_sent_again(
    exchange: ListExchange, copy: BankCopy, reporter: Reporter, status: int | None
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        if status is None:
            raise httpx.ReadTimeout("no answer", request=request)
        return httpx.Response(status)

    copy.keep_events(events(3))
    exchange.before = refuse
    for _ in range(10):
        wait = reporter.step()
        assert wait is not None
        assert 0 < wait <= LONGEST_WAIT
    assert copy.count_unsent() == 3
    exchange.before = lambda _: None
    assert reporter.step() == 0
    assert (len(exchange.counted), copy.count_unsent()) == (3, 0)


def test_an_answer_that_is_lost_does_not_count_twice(
    exchange: ListExchange, copy: BankCopy, reporter: Reporter
) -> None:
    def lose(request: httpx.Request) -> None:
        raise httpx.ReadError("reset", request=request)

    copy.keep_events(events(3))
    exchange.after = lose
    reporter.step()
    first = dict(exchange.counted)
    exchange.after = lambda _: None
    reporter.step()
    assert len(first) == 3
    assert exchange.counted == first


def test_it_sleeps_until_there_is_news_and_ends_when_told(
    exchange: ListExchange, copy: BankCopy, reporter: Reporter
) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=reporter.run, args=(stop,))
    thread.start()
    for number, event in enumerate(events(5), 1):
        copy.keep_events([event])
        reporter.news.set()
        until(lambda number=number: len(exchange.counted) == number)  # type: ignore[misc]
    stop.set()
    reporter.news.set()
    thread.join(timeout=5)
    assert not thread.is_alive()


def test_an_upload_that_matches_two_entries_is_reported_for_both(exchange: ListExchange, tmp_path: Path) -> None:
    exchange.submit(1, {1: fingerprint_of(CAT)})
    exchange.submit(2, {2: fingerprint_of(CAT)})
    with running(exchange, tmp_path / "gate") as gate:
        for _ in range(2):
            assert len(gate.matches(jpeg(CAT))) == 2
        assert gate.matches(jpeg(photo("rocket.jpg"))) == []
        until(lambda: len(exchange.counted) == 4)
        assert sorted(exchange.counted.values()) == ["1", "1", "2", "2"]


def test_reports_survive_a_kill_while_the_exchange_is_away(exchange: ListExchange, tmp_path: Path) -> None:
    exchange.submit(1, {1: fingerprint_of(CAT)})
    with running(exchange, tmp_path / "gate") as gate:
        exchange.before = lambda _: httpx.Response(503)
        for _ in range(3):
            assert gate.matches(jpeg(CAT))
        assert gate.detail()["reports_waiting"] == 3
        until(lambda: "503" in (gate.detail()["report_problem"] or ""))
        gate.kill()
        gate.start()
        assert gate.detail()["reports_waiting"] == 3
        assert gate.matches(jpeg(CAT)), "it checks from its own copy while the exchange is away"
        exchange.before = lambda _: None
        until(lambda: len(exchange.counted) == 4)
        until(lambda: gate.detail()["reports_waiting"] == 0)


def test_an_upload_is_stopped_even_if_the_block_cannot_be_kept(exchange: ListExchange, tmp_path: Path) -> None:
    """A full disk costs the count, never the protection."""
    exchange.submit(1, {1: fingerprint_of(CAT)})
    with running(exchange, tmp_path / "gate") as gate:
        exchange.before = lambda _: httpx.Response(503)
        db = sqlite3.connect(gate.folder / "gate.sqlite3", isolation_level=None)
        db.execute("DROP TABLE outbox")
        db.close()
        assert gate.matches(jpeg(CAT))
        assert any("could not be kept" in line["event"] for line in gate.lines())
