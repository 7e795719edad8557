"""SQLite's write-ahead log holds the order of arrival: an hour is not closed before it is empty."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from seawall.exchange.operations import closing as operation

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_long_read_puts_off_the_end_of_the_rewriting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bank.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as bank, closing(sqlite3.connect(path)) as reader:
        bank.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM t").fetchall()
        bank.execute("INSERT INTO t VALUES (2)")
        monkeypatch.setattr(operation, "connection", _Connection(bank))
        monkeypatch.setattr(operation, "_LOG_PATIENCE", 50)
        log = path.with_name("bank.sqlite3-wal")
        before = log.stat().st_size
        assert not operation.rewrite()
        assert log.stat().st_size == before
        reader.rollback()
        assert operation.rewrite()
        assert log.stat().st_size == 0


class _Connection:
    vendor = "sqlite"

    def __init__(self, bank: sqlite3.Connection) -> None:
        self._bank = bank

    def cursor(self) -> closing[sqlite3.Cursor]:
        return closing(self._bank.cursor())
