"""The list of what was erased or taken back. It is kept outside backups, so that restoring one brings nothing back.

`cases` and `evidence` list in DATA/erased.sqlite3 (kinds "case" and "file"), `exchange` in DATA/withdrawn.sqlite3 (kind
"entry"): two files, so that nothing puts a fingerprint beside a case.

Whoever erases calls `add` inside the transaction of the change, after every check that could still refuse it and
before it commits. So nothing is ever erased that a restore would bring back; and what a crash leaves listed but not
erased is what somebody asked to have erased.

A row holds a random key and the month, which says when the row may go. Rows lie in the order of their keys; where in
its page a new one was put tells of its time until `tidy` has written the list anew.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

# Backups are kept for 30 days (docs/operating/backup.md). A row stays for three months more than its own at the most.
MONTHS_KEPT = 3
_PATIENCE = 20.0  # seconds, as for the site's own database
# The clock is SQLite's own: a list that is told the month could be told a wrong one.
_TABLE = """
CREATE TABLE IF NOT EXISTS erased (
  kind TEXT NOT NULL,
  key BLOB NOT NULL CHECK (typeof(key) = 'blob' AND length(key) > 0),
  month INTEGER NOT NULL DEFAULT (12 * strftime('%Y', 'now') + strftime('%m', 'now')),
  PRIMARY KEY (kind, key)
) WITHOUT ROWID
"""


class Erasures:
    """One such list. Threads and processes may share the file; an object holds nothing open."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, kind: str, *keys: bytes) -> None:
        """List those keys, on the disk when this returns. Listing one again is fine.

        :raises sqlite3.OperationalError: the disk is full, or the list is busy for 20 seconds: then do not erase
        """
        with self._open() as sql:
            sql.executemany(
                "INSERT INTO erased (kind, key) VALUES (?, ?) ON CONFLICT (kind, key) DO NOTHING",
                [(kind, key) for key in keys],
            )

    def all(self, kind: str) -> set[bytes]:
        """Every key of that kind that is still listed."""
        with self._open() as sql:
            return {key for (key,) in sql.execute("SELECT key FROM erased WHERE kind = ?", [kind])}

    def tidy(self, *, now: datetime) -> None:
        """Drop what no backup can hold any more, and write the rest anew, in the order of the keys. For the worker."""
        with self._open() as sql:
            sql.execute("DELETE FROM erased WHERE month < ?", [12 * now.year + now.month - MONTHS_KEPT])
            sql.commit()
            sql.execute("VACUUM")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection, committed at the end. No write-ahead log: it would keep the order in which rows came."""
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as sql:
            sql.execute("PRAGMA synchronous = EXTRA")  # also the folder's entry, once the journal is gone
            sql.execute("PRAGMA secure_delete = ON")
            sql.execute("PRAGMA temp_store = MEMORY")  # VACUUM's copy
            if not sql.execute("SELECT 1 FROM sqlite_master WHERE name = 'erased'").fetchone():
                sql.execute(_TABLE)
            with sql:
                yield sql
