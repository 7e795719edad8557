"""Whatever happens in whatever order, a follower ends up with exactly the bank."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from seawall.exchange import operations, queries, stopncii
from seawall.exchange.hours import to_hours
from seawall.exchange.models import Entry, FeedCounter, FeedHour, Partner
from seawall.exchange.wire import Scope

from .conftest import NOON, Follower, send, token, value

SCOPES = [
    Scope(("facebook",)),
    Scope(("reddit",)),
    Scope(("facebook", "reddit")),
    Scope(None),
    Scope(None, future=True),
]
FOR_MEADOW = (0, 2, 3, 4)
GATES = ["00000000-0000-4000-8000-00000000000" + digit for digit in "12"]


class Bank(RuleBasedStateMachine):
    """People submit and withdraw, hours close, two gates of Meadow follow as they please and are restarted."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        # What Django's TestCase sets, so that `durable` is let be.
        self.outer._from_testcase = True  # type: ignore[attr-defined]
        self.sent = 0
        self.now = NOON
        self.meant: dict[int, int] = {}  # number -> entry, active and in Meadow's scope
        self.all: list[int] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    @initialize()
    def partners(self) -> None:
        keys = operations.add_partner(name="Meadow", slugs=["facebook"], now=self.now)
        operations.add_partner(name="Harbour", slugs=["reddit"], now=self.now)
        self.gates = [Follower(keys["api"]), Follower(keys["api"])]
        self.saved: list[tuple[str | None, dict[int, tuple[bytes, ...]]]] = [(None, {}), (None, {})]

    @rule(many=st.integers(1, 6), scope=st.sampled_from(range(len(SCOPES))))
    def submit(self, many: int, scope: int) -> None:
        numbers = range(self.sent, self.sent + many)
        self.sent += many
        entries = send(*numbers, scope=SCOPES[scope], now=self.now)
        self.all += numbers
        if scope in FOR_MEADOW:
            self.meant.update(zip(numbers, entries, strict=True))

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        if self.all:
            number = data.draw(st.sampled_from(self.all))
            operations.withdraw(token=token(number), now=self.now)
            self.meant.pop(number, None)

    @rule(minutes=st.sampled_from([1, 59, 200]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(minutes=st.sampled_from([0, 61, 61, 130]))
    def close(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        if FeedCounter.objects.get().hour < to_hours(self.now):
            with operations.counter.change(self.now):
                pass
        for hour in FeedHour.objects.filter(renumbered=False).order_by("hour"):
            operations.closing.renumber(hour, self.now)

    @rule(gate=st.integers(0, 1), limit=st.integers(1, 5), pages=st.integers(1, 2))
    def read(self, gate: int, limit: int, pages: int) -> None:
        self.gates[gate].limit = limit
        for _ in range(pages):
            if not self.gates[gate].page():
                break

    @rule(gate=st.integers(0, 1))
    def persist_and_ack(self, gate: int) -> None:
        each = self.gates[gate]
        self.saved[gate] = (each.cursor, dict(each.held))
        if each.cursor is not None:
            each.ack(self.now, GATES[gate])

    @rule(gate=st.integers(0, 1))
    def restart(self, gate: int) -> None:
        each = self.gates[gate]
        each.cursor, held = self.saved[gate]
        each.held = dict(held)

    @rule()
    def follow_from_the_start(self) -> None:
        assert Follower(self.gates[0].key, limit=3).follow() == set(self.meant.values())

    @rule()
    def fetch_pages(self) -> None:
        """The same partner reads FetchHashes as well."""
        partner = Partner.objects.get(name="Meadow").pk
        hour = to_hours(self.now)
        got: list[bytes] = []
        mark = None
        while True:
            page = stopncii.page(partner_id=partner, start=10, size=3, token=mark, hour=hour)
            got += [bytes.fromhex(record["hashValue"]) for record in page.records]
            mark = page.token
            if mark is None:
                break
        assert sorted(got) == sorted(value(number) for number in self.meant)

    @invariant()
    def a_follower_that_reads_to_the_end_holds_exactly_the_bank(self) -> None:
        for gate in self.gates:
            copy = Follower(gate.key, limit=4, cursor=gate.cursor, held=dict(gate.held))
            assert copy.follow() == set(self.meant.values())

    @rule()
    def what_is_called_loaded_was_acknowledged(self) -> None:
        for number, entry in self.meant.items():
            shown = queries.status(token=token(number), now=self.now).platforms
            if "loaded" in {each.state for each in shown if each.slug == "facebook"}:
                assert any(entry in held for cursor, held in self.saved if cursor is not None)


@pytest.mark.django_db(transaction=True)
def test_any_interleaving_gives_a_follower_exactly_the_bank() -> None:
    run_state_machine_as_test(
        Bank,
        settings=settings(
            max_examples=30,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("read", range(1, 12))
def test_a_follower_inside_an_hour_that_closes_starts_that_hour_again(meadow: dict[str, str], read: int) -> None:
    entries = send(*range(5))
    gate = Follower(meadow["api"], limit=1)
    later = NOON + timedelta(hours=1)
    if read > 5:
        gate.follow()
    for _ in range(min(read, 5)):
        gate.page()
    entries += send(*range(5, 12))
    for _ in range(read - 5):
        gate.page()
    operations.close_hours(now=later)
    entries += send(*range(12, 15), now=later)
    assert gate.follow() == set(entries)


@pytest.mark.django_db(transaction=True)
def test_overlapping_submissions_never_make_a_follower_skip_one(meadow: dict[str, str]) -> None:
    """Alice's transaction has its number and is not yet committed while Bob's tries to overtake it."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time; this is about PostgreSQL")
    gate = Follower(meadow["api"])
    gate.follow()
    has_number, may_commit, bob_is_in = threading.Event(), threading.Event(), threading.Event()

    def alice() -> None:
        with operations.counter.change(NOON) as counter:
            from seawall.exchange.operations.entries import store  # noqa: PLC0415

            from .conftest import item  # noqa: PLC0415

            store(item(1), counter, (), future=True)
            has_number.set()
            assert may_commit.wait(20)
        connections.close_all()

    def bob() -> None:
        send(2)
        bob_is_in.set()
        connections.close_all()

    threads = [threading.Thread(target=alice), threading.Thread(target=bob)]
    threads[0].start()
    assert has_number.wait(20)
    threads[1].start()
    overtook = bob_is_in.wait(1.0)
    seen_meanwhile = gate.follow()
    may_commit.set()
    for thread in threads:
        thread.join(20)
    assert not overtook
    assert seen_meanwhile == set()
    assert len(gate.follow()) == 2


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_a_follower_at_once(meadow: dict[str, str]) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("an in-memory SQLite cannot be shared between threads; tests/test_kill.py does it with processes")
    gate = Follower(meadow["api"], limit=3)
    stop = threading.Event()
    problems: list[BaseException] = []

    def write(first: int) -> None:
        try:
            for number in range(first, first + 25):
                send(number)
                if number % 5 == 0:
                    operations.withdraw(token=token(number), now=NOON)
        except BaseException as error:  # noqa: BLE001 - told to the test below
            problems.append(error)
        connections.close_all()

    def follow() -> None:
        while not stop.is_set():
            gate.follow()
        connections.close_all()

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 100, 200, 300)]
    reader = threading.Thread(target=follow)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join(60)
    stop.set()
    reader.join(20)
    assert problems == []
    gate.follow()
    assert set(gate.held) == set(Entry.objects.filter(state="active").values_list("pk", flat=True))
    assert len(gate.held) == 80
    assert set(gate.held.values()) == {
        (value(number),) for first in (0, 100, 200, 300) for number in range(first, first + 25) if number % 5
    }
