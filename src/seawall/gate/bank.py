"""The gate's own copy of the bank, in one SQLite file.

What a page of the feed changes and the cursor after it are committed in one transaction, so a crash can neither skip
an effect nor repeat one. The copy keeps no order and no time of arrival: rows sit under random numbers.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import uuid
from array import array
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from seawall.gate.feed import HASH_BYTES, MD5, PDQ, VPDQ, WINDOWS, Add, Event, Page, Signal
from seawall.gate.indexed import NUMBER_BITS, Held, IndexChange, all_rows, numbers_taken
from seawall.hashing import USABLE_QUALITY
from seawall.hashing.videos import MOST_FRAMES
from seawall.matching import HashIndex
from seawall.matching.videos import Bearer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FILE = "gate.sqlite3"
SCHEMA = 3
_BATCH = 2000  # signals, of which windows are 8 MB
_SIGNALS = """CREATE TABLE signals (
    number INTEGER PRIMARY KEY,                                -- what the index calls it: random, 57 bits; of a video
                                                               -- the first frame, and the others follow
    entry INTEGER NOT NULL REFERENCES entries (entry) ON DELETE CASCADE,
    signal INTEGER NOT NULL,                                   -- what the exchange calls it
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    value BLOB NOT NULL,
    quality INTEGER NOT NULL CHECK (quality BETWEEN 0 AND 100),
    UNIQUE (entry, signal)
) STRICT"""
# Files are looked up by their MD5.
_FILES = "CREATE INDEX files ON signals (value) WHERE version = 'md5'"
_TABLES = (
    """CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    gate TEXT NOT NULL,                                        -- who we are in acknowledgements
    cursor TEXT,                                               -- NULL: from the beginning
    round INTEGER NOT NULL,                                    -- number of the full list read last, or being read
    listing INTEGER NOT NULL CHECK (listing IN (0, 1)),        -- a full list is being read
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),      -- a full list was read to its end at least once
    contact REAL NOT NULL                                      -- Unix time of a recent answer of the exchange
) STRICT""",
    """CREATE TABLE entries (
    entry INTEGER PRIMARY KEY,
    round INTEGER NOT NULL                                     -- the full list it was last seen in
) STRICT""",
    _SIGNALS,
    _FILES,
    """CREATE TABLE outbox (
    event TEXT PRIMARY KEY,
    entry INTEGER NOT NULL,
    outcome TEXT NOT NULL
) STRICT, WITHOUT ROWID""",
)
# Up to schema 1 there were no windows, and the index took the exchange's numbers. Everything stays in force while the
# full list is read again, with windows.
_FROM_1 = (
    "ALTER TABLE signals RENAME TO held",
    "DROP INDEX signals_of_entry",
    _SIGNALS,
    """INSERT OR IGNORE INTO signals
    SELECT random() & 0x1ffffffffffffff, entry, signal, kind, version, value, quality FROM held
    WHERE version = 'pdq1' AND length(value) = 32""",
    "DROP TABLE held",
)
# Up to schema 2 videos were passed over.
_FROM_2 = (_FILES, "UPDATE state SET cursor = NULL, listing = 1, round = round + 1")


class UnknownSchema(RuntimeError):
    """The copy was made by a gate of another version."""


class State(NamedTuple):
    """Where a copy stands."""

    gate: str  # the UUID under which this gate acknowledges
    cursor: str | None  # where to go on in the feed; None is its beginning
    listing: bool  # a full list is being read: entries it no longer holds may still be here
    complete: bool  # the bank was here in full at least once
    contact: float  # Unix time of a recent answer of the exchange, at most a minute before the last one


class BankCopy:
    """The copy. Its methods may be called from any thread; each is one transaction."""

    def __init__(self, file: Path) -> None:
        self._db = _connect(file)
        self._turn = threading.Lock()
        # Uploads are answered from a second connection: a page with windows takes a while to write.
        self._reader = _connect(file)
        self._reading = threading.Lock()

    @classmethod
    def open(cls, folder: Path, *, now: float) -> Self:
        """The copy in ``folder``, made if there is none.

        :raises UnknownSchema: a newer gate made it
        """
        copy = cls(folder / FILE)
        db = copy._db
        # FULL: what is committed survives a power cut. secure_delete: a withdrawn value is overwritten.
        db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        with copy._transaction():
            found = copy._schema()
            for statement in {0: _TABLES, 1: _FROM_1 + _FROM_2, 2: _FROM_2}.get(found, ()):
                db.execute(statement)
            if found == 0:
                db.execute("INSERT INTO state VALUES (1, ?, NULL, 1, 1, 0, ?)", (str(uuid.uuid4()), now))
            if found < SCHEMA:
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
        copy = cls(folder / FILE)
        copy._db.execute("PRAGMA query_only = ON")
        copy._check_schema()
        return copy

    def close(self) -> None:
        """Close the file; nothing is left to write."""
        with self._turn, self._reading:
            self._reader.close()  # first: the last to close empties the log
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
        """Take in a page and its cursor together; answers what it changes in the index."""
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

    def build_index(self, *, windows: bool = True) -> HashIndex:
        """A new index of every signal that uploads are compared with."""
        with self._turn:
            return HashIndex.build(*all_rows(self._held(windows=windows), windows=windows))

    def _held(self, *, windows: bool) -> Iterator[list[Held]]:
        known = (PDQ, VPDQ, WINDOWS if windows else PDQ)
        rows = self._db.execute("SELECT number, version, value, quality FROM signals WHERE version IN (?, ?, ?)", known)
        while batch := rows.fetchmany(_BATCH):
            yield [Held(*row) for row in batch]

    def fingerprints(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """(N, 32) of the pictures uploads are compared with, and (N,) the entries they belong to."""
        hashes, entries = bytearray(), array("Q")
        with self._turn:
            for entry, value in self._db.execute(
                "SELECT entry, value FROM signals WHERE version = ? AND quality >= ? AND length(value) = ?",
                (PDQ, USABLE_QUALITY, HASH_BYTES),
            ):
                entries.append(entry)
                hashes += value
        return np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES), np.array(entries, np.uint64)

    def bearers(self, numbers: Iterable[int]) -> dict[int, Bearer]:
        """The entry, kind and frame of each of these numbers whose signal is still here."""
        query = (
            "SELECT number, entry, kind, version, length(value) FROM signals WHERE number <= ?"
            " ORDER BY number DESC LIMIT 1"
        )
        found = {}
        with self._reading:
            for asked in numbers:
                row = self._reader.execute(query, (asked,)).fetchone()
                if row is not None and asked - row[0] < (taken := numbers_taken(*row[3:])):
                    found[asked] = Bearer(row[1], row[2], asked - row[0], taken)
        return found

    def bearers_of_file(self, md5: bytes) -> list[Bearer]:
        """The entries of which this is the very file."""
        query = "SELECT entry, kind FROM signals WHERE version = ? AND value = ? ORDER BY entry"
        with self._reading:
            return [Bearer(entry, kind, 0, 1) for entry, kind in self._reader.execute(query, (MD5, md5))]

    def windows_of(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """The windows of each of these signals' pictures, of those that have any."""
        query = (
            "SELECT theirs.value FROM signals AS asked JOIN signals AS theirs USING (entry)"
            " WHERE asked.number = ? AND theirs.version = ?"
        )
        with self._reading:
            found = [(number, self._reader.execute(query, (number, WINDOWS)).fetchone()) for number in numbers]
        return {number: row[0] for number, row in found if row is not None}

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

    def _schema(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _check_schema(self) -> None:
        found = self._schema()
        if found < SCHEMA:
            raise UnknownSchema("The gate's copy is older than this program. Start the gate once with this version.")
        if found > SCHEMA:
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
        Signal(*row[1:]): row[0]
        for row in db.execute(
            "SELECT number, signal, kind, version, value, quality FROM signals WHERE entry = ?", (entry.entry,)
        )
    }
    wanted = {signal.id: signal for signal in entry.signals}.values()
    for signal, number in held.items():
        if signal not in wanted:
            db.execute("DELETE FROM signals WHERE number = ?", (number,))
            change.drop(number, signal.version, len(signal.value))
    for signal in wanted:
        if signal not in held:
            number = _new_number(db, numbers_taken(signal.version, len(signal.value)))
            db.execute(
                "INSERT INTO signals VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number, entry.entry, signal.id, signal.kind, signal.version, signal.value, signal.quality),
            )
            change.add(Held(number, signal.version, signal.value, signal.quality))


def _new_number(db: sqlite3.Connection, count: int) -> int:
    """The first of so many numbers of our own. The exchange's follow from what people send: two could be alike."""
    near = "SELECT 1 FROM signals WHERE number BETWEEN ? AND ?"
    while True:
        number = secrets.randbelow((1 << NUMBER_BITS) - MOST_FRAMES)
        if db.execute(near, (number - MOST_FRAMES, number + count)).fetchone() is None:
            return number


def _drop(db: sqlite3.Connection, entry: int, change: IndexChange) -> None:
    """Take the entry out; one that is not here changes nothing."""
    for row in db.execute("SELECT number, version, length(value) FROM signals WHERE entry = ?", (entry,)):
        change.drop(*row)
    db.execute("DELETE FROM entries WHERE entry = ?", (entry,))


def _end_list(db: sqlite3.Connection, change: IndexChange) -> None:
    """If a full list was being read, this is its end, and what was not in it is gone. Not a moment earlier."""
    for (number,) in db.execute("SELECT round FROM state WHERE listing = 1").fetchall():
        for (entry,) in db.execute("SELECT entry FROM entries WHERE round < ?", (number,)).fetchall():
            _drop(db, entry, change)
        db.execute("UPDATE state SET listing = 0, complete = 1")
