"""The gate holds exactly the bank, whatever happens on the way."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seawall.gate.bank import FILE, BankCopy, IndexChange
from seawall.gate.feed import Feed
from seawall.gate.follower import LONGEST_WAIT, Follower, Health
from seawall.gate.reporter import Reporter
from seawall.gate.tests.exchange import KEY, ListExchange

if TYPE_CHECKING:
    from collections.abc import Iterator


class Gate:
    """A gate without its HTTP: what a process would build at its start."""

    def __init__(self, exchange: ListExchange, folder: Path, key: str = KEY) -> None:
        self.now = 1000.0
        self.copy = BankCopy.open(folder, now=0)
        self.index = self.copy.build_index()
        self.feed = Feed("http://exchange.invalid/api", key, exchange.transport())
        state = self.copy.state()
        self.health = Health(complete=state.complete, contact=self.now, clock=lambda: self.now)
        self.follower = Follower(self.feed, self.copy, self.index, self.health, poll=0.5)
        self.reporter = Reporter(self.feed, self.copy, self.health)

    def close(self) -> None:
        self.feed.__exit__()
        self.copy.close()

    def follow(self) -> None:
        """Until nothing more comes."""
        for _ in range(1000):
            if self.follower.step() > 0 and self.health.problem is None:
                return
        raise AssertionError("The feed never ends.")

    def finds(self, value: bytes) -> set[int]:
        """The entries found under exactly this fingerprint."""
        found = self.index.search(np.frombuffer(value, np.uint8).reshape(1, 32), 0)
        return {owner.entry for owner in self.copy.owners(found.id.tolist()).values()}


@pytest.fixture
def exchange() -> ListExchange:
    return ListExchange()


@pytest.fixture
def gate(exchange: ListExchange, tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(exchange, tmp_path)
    yield gate
    gate.close()


def value(number: int) -> bytes:
    return number.to_bytes(8, "little") * 4


def held(folder: Path) -> dict[int, dict[int, bytes]]:
    """What is in the file, read by a stranger."""
    db = sqlite3.connect(folder / FILE)
    bank: dict[int, dict[int, bytes]] = {entry: {} for (entry,) in db.execute("SELECT entry FROM entries")}
    for signal, entry, bits in db.execute("SELECT signal, entry, value FROM signals"):
        bank[entry][signal] = bits
    db.close()
    return bank


class FollowingABank(RuleBasedStateMachine):
    """Submits, withdrawals, restores, reshuffles, page sizes, broken connections, crashes and restarts, interleaved."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.exchange = ListExchange(page_size=2)
        self.exchange.on_ack = self.nothing_acknowledged_is_missing
        self.backup: dict[int, dict[int, bytes]] = {}
        self.signals = 0
        self.safe: set[int] = set()  # entries the gate held and the exchange never withdrew since
        self.gate = Gate(self.exchange, Path(self.folder.name))

    def teardown(self) -> None:
        self.exchange.before, self.exchange.after = lambda _: None, lambda _: None
        self.gate.follow()
        assert held(Path(self.folder.name)) == self.exchange.entries
        while self.gate.reporter.step() is not None:
            pass
        self.gate.close()
        self.folder.cleanup()

    def signals_of(self, count: int) -> dict[int, bytes]:
        """New signal numbers; values repeat, as when two people submit the same picture."""
        self.signals += count
        return {number: value(number % 7) for number in range(self.signals - count + 1, self.signals + 1)}

    @rule(entry=st.integers(0, 12), count=st.integers(0, 3))
    def submit(self, entry: int, count: int) -> None:
        self.exchange.submit(entry, self.signals_of(count))
        self.safe.discard(entry)  # with other signals than before

    @precondition(lambda self: self.exchange.entries)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from(sorted(self.exchange.entries)))
        self.exchange.withdraw(entry)
        self.safe.discard(entry)

    @rule(entry=st.integers(0, 12))
    def send_again(self, entry: int) -> None:
        if entry in self.exchange.entries:
            self.exchange.submit(entry, self.exchange.entries[entry])

    @rule()
    def back_up(self) -> None:
        self.backup = {entry: dict(signals) for entry, signals in self.exchange.entries.items()}

    @rule()
    def restore(self) -> None:
        now = self.exchange.entries
        self.exchange.restore(self.backup)
        self.safe = {entry for entry in self.safe if self.backup.get(entry) == now.get(entry)}

    @rule(back=st.integers(0, 6), seed=st.integers(0, 9))
    def reshuffle(self, back: int, seed: int) -> None:
        self.exchange.reshuffle(max(0, self.exchange.number - back), seed)

    @rule(size=st.integers(1, 5))
    def set_page_size(self, size: int) -> None:
        self.exchange.page_size = size

    @rule(steps=st.integers(1, 3))
    def follow_a_little(self, steps: int) -> None:
        for _ in range(steps):
            self.gate.follower.step()

    @rule(status=st.sampled_from([None, 400, 401, 404, 429, 500, 503]))
    def fail_before(self, status: int | None) -> None:
        """The request never arrives, or is refused."""

        def refuse(request: httpx.Request) -> httpx.Response:
            if status is None:
                raise httpx.ConnectError("no route", request=request)
            return httpx.Response(status, json={"message": "Not now."})

        self.exchange.before = refuse
        wait = self.gate.follower.step()
        self.exchange.before = lambda _: None
        assert 0 < wait <= LONGEST_WAIT

    @rule()
    def fail_after(self) -> None:
        """The exchange does its part, and the answer is lost."""

        def lose(request: httpx.Request) -> None:
            raise httpx.ReadError("reset", request=request)

        self.exchange.after = lose
        self.gate.follower.step()
        self.exchange.after = lambda _: None

    @rule()
    def crash_between_copy_and_index(self) -> None:
        def crash(*_: object) -> None:
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(IndexChange, "apply", crash)
            try:
                self.gate.follower.step()
            except KeyboardInterrupt:
                self.restart()

    @rule()
    def crash_inside_the_transaction(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("seawall.gate.bank._drop", self.crash)
            try:
                self.gate.follower.step()
            except KeyboardInterrupt:
                self.restart()

    @staticmethod
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    @rule()
    def restart(self) -> None:
        self.gate.close()
        self.gate = Gate(self.exchange, Path(self.folder.name))

    @rule()
    def follow_to_the_end(self) -> None:
        self.gate.follow()
        assert held(Path(self.folder.name)) == self.exchange.entries
        self.safe = set(self.exchange.entries)

    @invariant()
    def the_index_is_the_copy(self) -> None:
        bank = held(Path(self.folder.name))
        assert len(self.gate.index) == sum(map(len, bank.values()))
        for number in range(7):
            assert self.gate.finds(value(number)) == {e for e, s in bank.items() if value(number) in s.values()}

    @invariant()
    def no_protection_is_dropped_on_the_way(self) -> None:
        bank = held(Path(self.folder.name))
        for entry in self.safe:
            assert bank[entry] == self.exchange.entries[entry]

    def nothing_acknowledged_is_missing(self) -> None:
        """At the moment of an acknowledgement the index is where its cursor says."""
        generation, place, _ = map(int, self.exchange.acknowledged[-1][1].split("."))
        if generation != self.exchange.generation:
            return
        for entry, number in self.exchange.changed.items():
            if number <= place:
                for signal in range(7):
                    is_found = entry in self.gate.finds(value(signal))
                    assert is_found == (value(signal) in self.exchange.entries.get(entry, {}).values())


FollowingABank.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_the_gate_is_exactly_the_bank_after_any_interleaving = FollowingABank.TestCase
