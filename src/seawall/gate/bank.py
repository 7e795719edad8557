"""The gate's own copy of the bank, in one SQLite file.

What a page of the feed changes and the cursor after it are committed in one transaction, so a crash can neither skip
an effect nor repeat one. The copy keeps no order and no time of arrival: rows sit under the exchange's random numbers.
"""

from __future__ import annotations

import sqlite3
import threading
import uuid
from array import array
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from seawall.gate.feed import HASH_BYTES, INDEXED_VERSION, Add, Event, FeedProblem, Page, Signal
from seawall.hashing import USABLE_QUALITY
from seawall.matching import HashIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FILE = "gate.sqlite3"
SCHEMA = 1
_TABLES = """
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    gate TEXT NOT NULL,                                        -- who we are in acknowledgements
    cursor TEXT,                                               -- NULL: from the beginning
    round INTEGER NOT NULL,                                    -- number of the full list read last, or being read
    listing INTEGER NOT NULL CHECK (listing IN (0, 1)),        -- a full list is being read
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),      -- a full list was read to its end at least once
    contact REAL NOT NULL                                      -- Unix time of a recent answer of the exchange
) STRICT;
CREATE TABLE entries (
    entry INTEGER PRIMARY KEY,
    round INTEGER NOT NULL                                     -- the full list it was last seen in
) STRICT;
CREATE TABLE signals (
    signal INTEGER PRIMARY KEY,
    entry INTEGER NOT NULL REFERENCES entries (entry) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    value BLOB NOT NULL,
    quality INTEGER NOT NULL CHECK (quality BETWEEN 0 AND 100)
) STRICT;
CREATE INDEX signals_of_entry ON signals (entry);
CREATE TABLE outbox (
    event TEXT PRIMARY KEY,
    entry INTEGER NOT NULL,
    outcome TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


class UnknownSchema(RuntimeError):
    """The copy was made by a newer gate."""


class State(NamedTuple):
    """Where a copy stands."""

    gate: str  # the UUID under which this gate acknowledges
    cursor: str | None  # where to go on in the feed; None is its beginning
    listing: bool  # a full list is being read: entries it no longer holds may still be here
    complete: bool  # the bank was here in full at least once
    contact: float  # Unix time of a recent answer of the exchange, at most a minute before the last one


class Owner(NamedTuple):
    """The entry a signal belongs to, and what kind of signal it is."""

    entry: int
    kind: str


@dataclass(slots=True)
class IndexChange:
    """What a committed page changes in the index."""

    removed: set[int] = field(default_factory=set)
    added: dict[int, bytes] = field(default_factory=dict)

    def drop(self, signal: int) -> None:
        """Note that a signal is gone."""
        if self.added.pop(signal, None) is None:
            self.removed.add(signal)

    def apply(self, index: HashIndex) -> None:
        """Bring the index to where the copy is."""
        index.remove(np.array(sorted(self.removed), np.uint64))
        index.add(*_arrays(self.added.items()))


class BankCopy:
    """The copy. Its methods may be called from any thread; each is one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._turn = threading.Lock()

    @classmethod
    def open(cls, folder: Path, *, now: float) -> Self:
        """The copy in ``folder``, made if there is none.

        :raises UnknownSchema: a newer gate made it
        """
        db = _connect(folder / FILE)
        # FULL: what is committed survives a power cut. secure_delete: a withdrawn value is overwritten.
        db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        copy = cls(db)
        if db.execute("PRAGMA user_version").fetchone() == (0,):
            with copy._transaction():
                for statement in _TABLES.split(";\n"):
                    db.execute(statement)
                db.execute("INSERT INTO state VALUES (1, ?, NULL, 1, 1, 0, ?)", (str(uuid.uuid4()), now))
                db.execute(f"PRAGMA user_version = {SCHEMA}")
        copy._check_schema()
        return copy

    @classmethod
    def open_to_read(cls, folder: Path) -> Self:
        """The copy of a gate that may be running.

        :raises FileNotFoundError: there is none
        :raises UnknownSchema: a newer gate made it
        """
        if not (folder / FILE).is_file():
            raise FileNotFoundError(f"There is no gate's copy in {folder}. Give --data the folder of the gate.")
        copy = cls(_connect(folder / FILE))
        copy._db.execute("PRAGMA query_only = ON")
        copy._check_schema()
        return copy

    def close(self) -> None:
        """Close the file; nothing is left to write."""
        with self._turn:
            self._db.close()

    def state(self) -> State:
        """Where the copy stands."""
        with self._turn:
            row = self._db.execute("SELECT gate, cursor, listing, complete, contact FROM state").fetchone()
        return State(row[0], row[1], listing=bool(row[2]), complete=bool(row[3]), contact=row[4])

    def heard(self, *, now: float) -> None:
        """Keep the time of an answer, for the age of this copy after a restart."""
        with self._transaction() as db:
            db.execute("UPDATE state SET contact = ?", (now,))

    def apply(self, page: Page, *, now: float) -> IndexChange:
        """Take in a page and its cursor together; answers what it changes in the index.

        :raises FeedProblem: the page contradicts itself or the copy; then nothing is taken in
        """
        change = IndexChange()
        with self._transaction() as db:
            for entry in page.changes:
                if isinstance(entry, Add):
                    _add(db, entry, change)
                else:
                    _drop(db, entry.entry, change)
            if not page.more:
                _end_list(db, change)
            db.execute("UPDATE state SET cursor = ?, contact = ?", (page.cursor, now))
        if change.removed:
            with self._turn:  # the write-ahead log would keep withdrawn values for a while
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return change

    def start_anew(self) -> None:
        """Read the full list again from its beginning. Everything here stays in force until its end is reached."""
        with self._transaction() as db:
            db.execute("UPDATE state SET cursor = NULL, listing = 1, round = round + 1")

    def build_index(self) -> HashIndex:
        """A new index of every signal that uploads are compared with."""
        hashes, ids = bytearray(), array("Q")
        with self._turn:
            for signal, value in self._db.execute(
                "SELECT signal, value FROM signals WHERE version = ? AND quality >= ? AND length(value) = ?",
                (INDEXED_VERSION, USABLE_QUALITY, HASH_BYTES),
            ):
                ids.append(signal)
                hashes += value
        return HashIndex.build(np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES), np.array(ids, np.uint64))

    def fingerprints(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """(N, 32) of the pictures uploads are compared with, and (N,) the entries they belong to."""
        hashes, entries = bytearray(), array("Q")
        with self._turn:
            for entry, value in self._db.execute(
                "SELECT entry, value FROM signals WHERE version = ? AND quality >= ? AND length(value) = ?",
                (INDEXED_VERSION, USABLE_QUALITY, HASH_BYTES),
            ):
                entries.append(entry)
                hashes += value
        return np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES), np.array(entries, np.uint64)

    def owners(self, signals: Iterable[int]) -> dict[int, Owner]:
        """The entry and kind of each of these signals that is still here."""
        query = "SELECT entry, kind FROM signals WHERE signal = ?"
        with self._turn:
            found = [(signal, self._db.execute(query, (signal,)).fetchone()) for signal in signals]
        return {signal: Owner(*row) for signal, row in found if row is not None}

    def keep_events(self, events: Sequence[Event]) -> None:
        """Put events into the outbox; they are on disk when this returns."""
        with self._transaction() as db:
            db.executemany("INSERT INTO outbox VALUES (?, ?, ?)", [(e.event, int(e.entry), e.outcome) for e in events])

    def unsent_events(self, limit: int) -> list[Event]:
        """Some events the exchange has not taken yet."""
        with self._turn:
            rows = self._db.execute("SELECT event, CAST(entry AS TEXT), outcome FROM outbox LIMIT ?", (limit,))
            return [Event(*row) for row in rows]

    def count_unsent(self) -> int:
        """How many events wait."""
        with self._turn:
            return int(self._db.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def drop_events(self, events: Sequence[Event]) -> None:
        """Forget events the exchange has taken."""
        with self._transaction() as db:
            db.executemany("DELETE FROM outbox WHERE event = ?", [(e.event,) for e in events])

    def _check_schema(self) -> None:
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found != SCHEMA:
            raise UnknownSchema(f"The gate's copy has version {found}, and this gate reads {SCHEMA}. Update the gate.")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _connect(path: Path) -> sqlite3.Connection:
    # A gate is alone with its file but for `gate check`, which may delay a checkpoint, and must not for long.
    db = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _add(db: sqlite3.Connection, entry: Add, change: IndexChange) -> None:
    """Make the entry hold exactly these signals; one that is here already is not touched."""
    db.execute(
        "INSERT INTO entries SELECT ?, round FROM state WHERE true "
        "ON CONFLICT (entry) DO UPDATE SET round = excluded.round",
        (entry.entry,),
    )
    held = {
        row[0]: Signal(*row)
        for row in db.execute(
            "SELECT signal, kind, version, value, quality FROM signals WHERE entry = ?", (entry.entry,)
        )
    }
    wanted = {signal.id: signal for signal in entry.signals}
    for number in [number for number, signal in held.items() if wanted.get(number) != signal]:
        db.execute("DELETE FROM signals WHERE signal = ?", (number,))
        change.drop(number)
    for number in [number for number, signal in wanted.items() if held.get(number) != signal]:
        signal = wanted[number]
        try:
            db.execute(
                "INSERT INTO signals VALUES (?, ?, ?, ?, ?, ?)",
                (number, entry.entry, signal.kind, signal.version, signal.value, signal.quality),
            )
        except sqlite3.IntegrityError as error:
            raise FeedProblem("The exchange gives one signal's number to two entries. Tell its operator.") from error
        if signal.indexed:
            change.added[number] = signal.value


def _drop(db: sqlite3.Connection, entry: int, change: IndexChange) -> None:
    """Take the entry out; one that is not here changes nothing."""
    for (number,) in db.execute("SELECT signal FROM signals WHERE entry = ?", (entry,)):
        change.drop(number)
    db.execute("DELETE FROM entries WHERE entry = ?", (entry,))


def _end_list(db: sqlite3.Connection, change: IndexChange) -> None:
    """If a full list was being read, this is its end, and what was not in it is gone. Not a moment earlier."""
    for (number,) in db.execute("SELECT round FROM state WHERE listing = 1").fetchall():
        for (entry,) in db.execute("SELECT entry FROM entries WHERE round < ?", (number,)).fetchall():
            _drop(db, entry, change)
        db.execute("UPDATE state SET listing = 0, complete = 1")


def _arrays(signals: Iterable[tuple[int, bytes]]) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Ids and 32-byte values as an index takes them."""
    pairs = list(signals)
    hashes = np.frombuffer(b"".join(value for _, value in pairs), np.uint8).reshape(-1, HASH_BYTES)
    return hashes, np.array([number for number, _ in pairs], np.uint64)
