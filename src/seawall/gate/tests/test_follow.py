"""The gate holds exactly the bank, whatever happens on the way."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seawall.gate.bank import FILE, BankCopy, UnknownSchema
from seawall.gate.feed import Feed
from seawall.gate.follower import LONGEST_WAIT, STALE_SECONDS, Follower, Health, wait_after
from seawall.gate.indexed import IndexChange
from seawall.gate.reporter import Reporter
from seawall.gate.tests.exchange import KEY, ListExchange, picture, signal_of
from seawall.matching.looks import SLOT_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator


class Gate:
    """A gate without its HTTP: what a process would build at its start."""

    def __init__(self, exchange: ListExchange, folder: Path, key: str = KEY) -> None:
        self.now = 1000.0
        self.copy = BankCopy.open(folder, now=0)
        self.copy._db.execute("PRAGMA synchronous = OFF")  # no power is cut here; 20 times faster
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
        return {owner.entry for owner in self.copy.bearers(int(number) >> SLOT_BITS for number in found.id).values()}


@pytest.fixture
def gate(exchange: ListExchange, tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(exchange, tmp_path)
    yield gate
    gate.close()


def value(number: int) -> bytes:
    return number.to_bytes(8, "little") * 4


def windows(number: int) -> bytes:
    """Windows of which the whole, three that are compared, one of little detail and a tile are not zeros."""
    slots = dict.fromkeys((0, 1, 50, 100, 110), 90) | {60: 49}
    return b"".join(
        value(1000 * number + slot) + bytes([slots[slot]]) if slot in slots else bytes(33) for slot in range(126)
    )


def compared(signal: bytes) -> set[bytes]:
    """What of a signal uploads are compared with."""
    if len(signal) == 32:
        return {signal}
    return {signal[33 * slot : 33 * slot + 32] for slot in (1, 50, 100)}


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
        numbers = range(self.signals - count + 1, self.signals + 1)
        return {number: windows(number % 2) if number % 3 == 0 else value(number % 7) for number in numbers}

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
        def crash(*_: object, **__: object) -> None:
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
        theirs = {entry: [compared(signal) for signal in signals.values()] for entry, signals in bank.items()}
        assert len(self.gate.index) == sum(len(hashes) for signals in theirs.values() for hashes in signals)
        for bits in ALL:
            assert self.gate.finds(bits) == {e for e, signals in theirs.items() if any(bits in s for s in signals)}
        for never in (value(1000), value(1060), value(1110)):
            assert self.gate.finds(never) == set()

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
                theirs = [compared(signal) for signal in self.exchange.entries.get(entry, {}).values()]
                for bits in ALL:
                    assert (entry in self.gate.finds(bits)) == any(bits in signal for signal in theirs)


ALL = [value(number) for number in range(7)] + sorted(compared(windows(0)) | compared(windows(1)))
FollowingABank.TestCase.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_the_gate_is_exactly_the_bank_after_any_interleaving = FollowingABank.TestCase


def test_it_holds_the_signals_it_knows_of_an_entry_and_compares_with_the_usable_ones(
    exchange: ListExchange, gate: Gate, tmp_path: Path
) -> None:
    signals = [
        picture(1, value(1)),
        picture(2, value(2), quality=49),
        picture(3, value(3)) | {"version": "pdq2", "value": "of another kind"},
        picture(4, value(4)[:16]) | {"kind": "video", "version": "md5"},
        picture(6, value(6)) | {"kind": "video", "version": "sha256"},
        picture(5, value(5)) | {"kind": "video"},
    ]
    page = {"cursor": "1.1.0", "more": False, "changes": [{"entry": "9", "change": "add", "signals": signals}]}
    exchange.before = lambda request: httpx.Response(200, json=page) if request.method == "GET" else None
    gate.follow()
    assert sorted(held(tmp_path)[9]) == [1, 2, 4, 5]  # not what it does not know: a gate that does reads the list anew
    assert [gate.finds(value(number)) for number in range(1, 6)] == [{9}, set(), set(), set(), {9}]
    assert len(gate.index) == 2


def test_a_signal_that_changes_is_replaced_under_its_number(exchange: ListExchange, gate: Gate, tmp_path: Path) -> None:
    exchange.submit(1, {1: value(1), 2: value(2)})
    gate.follow()
    exchange.submit(1, {1: value(3), 2: value(2)})
    gate.follow()
    assert [gate.finds(value(number)) for number in (1, 2, 3)] == [set(), {1}, {1}]
    assert held(tmp_path) == exchange.entries


def test_a_replayed_page_changes_nothing(exchange: ListExchange, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange.submit(1, {1: value(1)})
    exchange.submit(2, {2: value(2)})
    exchange.withdraw(2)
    gate.follow()
    seen: list[IndexChange] = []
    monkeypatch.setattr(IndexChange, "apply", lambda change, *_, **__: seen.append(change))
    exchange.reshuffle(0, seed=1)
    exchange.shuffled = [(0, 99)]  # whoever stands before 99 reads all of it again
    gate.follow()
    assert seen == [IndexChange()]


def test_it_protects_as_before_until_the_new_list_is_complete(exchange: ListExchange, gate: Gate) -> None:
    for entry in range(6):
        exchange.submit(entry, {entry: value(entry)})
    gate.follow()
    exchange.page_size = 1
    exchange.restore({0: {0: value(0)}, 1: {1: value(1)}, 2: {2: value(2)}})
    listed = 0
    while gate.copy.state().listing or not listed:
        assert [len(gate.finds(value(entry))) for entry in range(6)] == [1] * 6
        gate.follower.step()
        listed += 1
    assert listed == 4  # one refusal, three pages
    assert [len(gate.finds(value(entry))) for entry in range(6)] == [1, 1, 1, 0, 0, 0]


def test_a_withdrawn_fingerprint_is_nowhere_in_the_folder_any_more(
    exchange: ListExchange, gate: Gate, tmp_path: Path
) -> None:
    secret = bytes(range(100, 132))
    exchange.submit(1, {1: secret})
    exchange.submit(2, {2: value(2)})
    gate.follow()
    assert any(secret in path.read_bytes() for path in tmp_path.iterdir())
    exchange.withdraw(1)
    gate.follow()
    assert not any(secret in path.read_bytes() for path in tmp_path.iterdir())


def test_a_refused_key_is_told_once_and_kept_trying(
    exchange: ListExchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = Gate(exchange, tmp_path, key="not-the-key-at-all")
    waits = [gate.follower.step() for _ in range(20)]
    assert max(waits) <= LONGEST_WAIT
    assert "refuses our key" in (gate.health.problem or "")
    assert capsys.readouterr().out.count("refuses our key") == 1
    assert gate.health.status == "INDEX-NOT-LOADED"
    gate.close()


def test_it_is_loaded_only_when_the_first_list_is_complete(exchange: ListExchange, gate: Gate) -> None:
    exchange.page_size = 1
    exchange.submit(1, {1: value(1)})
    exchange.submit(2, {2: value(2)})
    assert gate.follower.step() == 0
    assert gate.health.status == "INDEX-NOT-LOADED"
    assert exchange.acknowledged == []
    gate.follow()
    assert gate.health.status == "I-AM-ALIVE"
    assert exchange.acknowledged == [(gate.copy.state().gate, gate.copy.state().cursor)]


def test_it_is_stale_after_ten_minutes_of_silence_and_well_after_a_word(exchange: ListExchange, gate: Gate) -> None:
    gate.follow()
    gate.now += STALE_SECONDS - 1
    assert gate.health.status == "I-AM-ALIVE"
    gate.now += 2
    exchange.before = lambda _: httpx.Response(500)
    gate.follower.step()
    assert gate.health.status == "INDEX-STALE"
    exchange.before = lambda _: None
    gate.follower.step()
    assert gate.health.status == "I-AM-ALIVE"


def test_it_acknowledges_once_and_again_within_the_day(exchange: ListExchange, gate: Gate) -> None:
    for _ in range(5):
        gate.follower.step()
    assert len(exchange.acknowledged) == 1
    gate.now += 3601
    gate.follower.step()
    assert len(exchange.acknowledged) == 2


def test_an_acknowledgement_that_fails_is_sent_again(exchange: ListExchange, gate: Gate) -> None:
    exchange.before = lambda request: httpx.Response(503) if request.method == "POST" else None
    exchange.submit(1, {1: value(1)})
    gate.follower.step()
    assert gate.finds(value(1)) == {1}
    exchange.before = lambda _: None
    gate.follower.step()
    assert len(exchange.acknowledged) == 1


def test_it_keeps_its_name_and_the_age_of_its_copy_over_a_restart(exchange: ListExchange, tmp_path: Path) -> None:
    first = Gate(exchange, tmp_path)
    first.follow()
    name = first.copy.state().gate
    first.copy.heard(now=123.5)
    first.close()
    second = Gate(exchange, tmp_path)
    assert second.copy.state().gate == name
    assert second.copy.state().contact == 123.5
    assert second.health.complete
    second.close()


ADD = {"entry": "1", "change": "add", "signals": [picture(1, value(1))]}
BAD_PAGES = {
    "html": b"<html>",
    "a list": b"[]",
    "cut short": json.dumps({"cursor": "1", "changes": [ADD], "more": False}).encode()[:-5],
    "no cursor": {"changes": [], "more": False},
    "an endless cursor": {"cursor": "x" * 1001, "changes": [], "more": False},
    "another change": {"cursor": "1", "changes": [ADD, ADD | {"change": "hide"}], "more": False},
    "a short fingerprint": {
        "cursor": "1",
        "changes": [ADD | {"signals": [picture(1, b"x") | {"value": "abc"}]}],
        "more": False,
    },
    "a negative number": {"cursor": "1", "changes": [ADD | {"entry": "-1"}], "more": False},
    "64 bits": {"cursor": "1", "changes": [ADD | {"entry": str(2**63)}], "more": False},
    "short windows": {
        "cursor": "1",
        "changes": [ADD | {"signals": [signal_of(1, windows(1)[:-33])]}],
        "more": False,
    },
    "windows in hex": {
        "cursor": "1",
        "changes": [ADD | {"signals": [signal_of(1, windows(1)) | {"value": windows(1).hex()}]}],
        "more": False,
    },
}


@pytest.mark.parametrize("name", BAD_PAGES)
def test_a_page_that_is_wrong_anywhere_changes_nothing(
    exchange: ListExchange, gate: Gate, tmp_path: Path, name: str
) -> None:
    exchange.submit(7, {7: value(7)})
    gate.follow()
    before = gate.copy.state()
    body = BAD_PAGES[name]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    exchange.before = lambda _: httpx.Response(200, content=content)
    assert gate.follower.step() > 0
    assert gate.health.problem is not None
    assert gate.health.problem.endswith(".")
    assert gate.copy.state() == before
    assert held(tmp_path) == exchange.entries
    assert (len(gate.index), gate.finds(value(7))) == (1, {7})


def test_two_entries_whose_signals_bear_one_number_are_both_held(exchange: ListExchange, gate: Gate) -> None:
    """Numbers follow from what people send: with patience two can be made alike, and must not stop a gate."""
    exchange.submit(1, {5: value(1)})
    exchange.submit(2, {5: value(2), 6: windows(1)})
    gate.follow()
    assert [gate.finds(value(number)) for number in (1, 2)] == [{1}, {2}]
    exchange.withdraw(1)
    gate.follow()
    assert [gate.finds(value(number)) for number in (1, 2)] == [set(), {2}]
    assert gate.health.problem is None


def test_an_exchange_that_knows_no_windows_is_followed_as_ever(exchange: ListExchange, gate: Gate) -> None:
    exchange.knows_windows = False
    exchange.submit(1, {1: value(1), 2: windows(1)})
    gate.follow()
    assert (gate.finds(value(1)), len(gate.index)) == ({1}, 1)


def test_the_windows_of_a_picture_are_found_by_any_of_its_signals(exchange: ListExchange, gate: Gate) -> None:
    exchange.submit(1, {1: value(1), 2: windows(1)})
    exchange.submit(2, {3: value(2)})
    gate.follow()
    rows = gate.copy._db.execute("SELECT number, entry FROM signals").fetchall()
    found = gate.copy.windows_of([number for number, _ in rows] + [12345])
    assert found == {number: windows(1) for number, entry in rows if entry == 1}


def test_an_upload_is_answered_while_a_page_is_being_written(exchange: ListExchange, gate: Gate) -> None:
    exchange.submit(1, {1: value(1), 2: windows(1)})
    gate.follow()
    with suppress(ZeroDivisionError), gate.copy._transaction() as db:
        db.execute("DELETE FROM entries")
        assert gate.finds(value(1)) == {1}
        raise ZeroDivisionError
    assert gate.finds(value(1)) == {1}


def test_a_gate_told_to_compare_whole_pictures_only_has_no_windows_in_its_index(
    exchange: ListExchange, gate: Gate
) -> None:
    exchange.submit(1, {1: value(1), 2: windows(1)})
    gate.follower._windows = False
    gate.follow()
    assert len(gate.index) == len(gate.copy.build_index(windows=False)) == 1
    assert len(gate.copy.build_index()) == 4


SCHEMA_1 = """
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), gate TEXT NOT NULL, cursor TEXT, round INTEGER NOT NULL,
    listing INTEGER NOT NULL, complete INTEGER NOT NULL, contact REAL NOT NULL) STRICT;
CREATE TABLE entries (entry INTEGER PRIMARY KEY, round INTEGER NOT NULL) STRICT;
CREATE TABLE signals (signal INTEGER PRIMARY KEY,
    entry INTEGER NOT NULL REFERENCES entries (entry) ON DELETE CASCADE,
    kind TEXT NOT NULL, version TEXT NOT NULL, value BLOB NOT NULL, quality INTEGER NOT NULL) STRICT;
CREATE INDEX signals_of_entry ON signals (entry);
CREATE TABLE outbox (event TEXT PRIMARY KEY, entry INTEGER NOT NULL, outcome TEXT NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"""


def test_a_copy_of_the_version_before_protects_on_and_reads_the_list_anew(
    exchange: ListExchange, tmp_path: Path
) -> None:
    for entry in range(4):
        exchange.submit(entry, {entry: value(entry)} | ({100: windows(1)} if entry == 1 else {}))
    db = sqlite3.connect(tmp_path / FILE)
    db.executescript(SCHEMA_1)
    db.execute("INSERT INTO state VALUES (1, 'this-gate', '1.4.0', 1, 0, 1, 5)")
    db.executemany("INSERT INTO entries VALUES (?, 1)", [(0,), (1,), (2,), (9,)])
    db.executemany(
        "INSERT INTO signals VALUES (?, ?, 'image', ?, ?, 90)",
        [(0, 0, "pdq1", value(0)), (1, 1, "pdq1", value(1)), (2, 2, "pdq1", value(2)), (9, 9, "pdq1", value(9)),
         (77, 9, "of-tomorrow", b"kept, and of no use")],
    )  # fmt: skip
    db.execute("INSERT INTO outbox VALUES ('event', 1, 'blocked')")
    db.commit()
    db.close()
    with pytest.raises(UnknownSchema, match="Start the gate once"):
        BankCopy.open_to_read(tmp_path)
    gate = Gate(exchange, tmp_path)
    try:
        assert [len(gate.finds(value(number))) for number in (0, 1, 2, 9)] == [1] * 4  # before a word from the exchange
        assert (gate.health.complete, gate.copy.count_unsent(), gate.copy.state().gate) == (True, 1, "this-gate")
        exchange.page_size = 1
        while gate.copy.state().listing:
            assert [len(gate.finds(value(number))) for number in (0, 1, 2, 9)] == [1] * 4
            assert exchange.acknowledged == []
            gate.follower.step()
        gate.follow()
        assert gate.finds(value(9)) == set()
        assert gate.finds(min(compared(windows(1)))) == {1}
        assert held(tmp_path) == exchange.entries
        assert exchange.acknowledged[-1][0] == "this-gate"
    finally:
        gate.close()


def test_an_endless_answer_is_cut_off(exchange: ListExchange, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seawall.gate.feed.PAGE_BYTES", 1000)
    exchange.before = lambda _: httpx.Response(200, content=b" " * 1001)
    gate.follower.step()
    assert "too large" in (gate.health.problem or "")


def test_a_full_disk_is_told_and_nothing_is_half_taken_in(exchange: ListExchange, gate: Gate, tmp_path: Path) -> None:
    gate.follow()
    before = gate.copy.state()
    pages = gate.copy._db.execute("PRAGMA page_count").fetchone()[0]
    gate.copy._db.execute(f"PRAGMA max_page_count = {pages}")
    for entry in range(500):
        exchange.submit(entry, {entry: value(entry)})
    gate.follower.step()
    assert "cannot write its copy" in (gate.health.problem or "")
    assert (gate.copy.state(), held(tmp_path), len(gate.index)) == (before, {}, 0)
    gate.copy._db.execute("PRAGMA max_page_count = 100000")
    gate.follow()
    assert len(gate.index) == 500


def test_waiting_grows_and_never_beyond_two_seconds() -> None:
    for failures, longest in {1: 0.1, 2: 0.2, 5: 1.6, 6: 2, 5000: LONGEST_WAIT}.items():
        waits = [wait_after(failures, 0.1) for _ in range(200)]
        assert longest / 2 <= min(waits) < max(waits) <= longest


def test_a_copy_of_a_newer_gate_is_left_alone(exchange: ListExchange, tmp_path: Path) -> None:
    Gate(exchange, tmp_path).close()
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(UnknownSchema, match="Update the gate"):
        BankCopy.open(tmp_path, now=0)
