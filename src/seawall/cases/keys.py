"""The store of wrap keys: one key a case, DATA/keys.sqlite3, outside the database and its backups.

What the server keeps of a case is sealed by the person already; here it is wrapped once more (AES-256-GCM). Destroying
32 bytes then ends the case, in the database and in every backup of it. Rows are in the order of their random keys and
bear no time.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import threading
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NONCE = 12
# EXTRA is FULL, and the folder's entry besides: a key that was destroyed does not come back with a power cut.
_PRAGMAS = "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA; PRAGMA secure_delete=ON;"
_TABLE = "CREATE TABLE IF NOT EXISTS keys (id BLOB PRIMARY KEY, wrap BLOB NOT NULL) WITHOUT ROWID"


class NotOurs(Exception):
    """Bytes that this key did not wrap: the database was changed by somebody else, or mixed up."""


@contextlib.contextmanager
def held() -> Iterator[sqlite3.Connection]:
    """Hold the store against every other writer; what was done in it is kept if the block ends well."""
    path = settings.DATA / "keys.sqlite3"
    # EXCL: to close a file that is there already would drop every lock that this process has on it (POSIX), and let
    # another process write beside us.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with contextlib.closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as sql:
        sql.executescript(_PRAGMAS + _TABLE)
        sql.execute("BEGIN IMMEDIATE")
        try:
            yield sql
        except BaseException:
            sql.execute("ROLLBACK")
            raise
        sql.execute("COMMIT")


@contextlib.contextmanager
def making(case: bytes) -> Iterator[bytes]:
    """A key for this case, the same if there is one, kept if the block ends well.

    The row it wraps is committed inside the block. Dying between the two leaves a row without a key, which nobody
    was told of and `operations.sweep` removes; never a key that a sweep in that moment could take for a stray.
    """
    with held() as sql:
        sql.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (case, secrets.token_bytes(32)))
        (key,) = sql.execute("SELECT wrap FROM keys WHERE id = ?", (case,)).fetchone()
        yield key


def make(case: bytes) -> bytes:
    """A key for this case, the same if there is one."""
    with making(case) as key:
        return key


class _Reader:
    """One connection for all who read: every request does, and to open the file takes ten times as long as to read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sql: sqlite3.Connection | None = None
        self._of: tuple[Path, int] | None = None

    def read(self, path: Path, case: bytes) -> bytes | None:
        """As `read`, out of the file that lies there now."""
        with self._lock:
            try:
                return read(self._opened(path), case)
            except sqlite3.Error:
                self._close()
                raise

    def _opened(self, path: Path) -> sqlite3.Connection:
        file = (path, path.stat().st_ino)
        if self._sql is None or self._of != file:
            self._close()
            self._sql = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20, check_same_thread=False)
            self._of = file
        return self._sql

    def _close(self) -> None:
        if self._sql is not None:
            self._sql.close()
        self._sql = None


_reader = _Reader()


def get(case: bytes) -> bytes | None:
    """The 32 bytes that wrap what is kept of this case; None once it was erased."""
    try:
        return _reader.read(settings.DATA / "keys.sqlite3", case)
    except FileNotFoundError:
        return None  # no case was ever opened
    except sqlite3.OperationalError as error:
        if str(error) == "no such table: keys":  # the first case is being opened at this moment
            return None
        raise


def read(sql: sqlite3.Connection, case: bytes) -> bytes | None:
    """As `get`, inside of `held`."""
    found = sql.execute("SELECT wrap FROM keys WHERE id = ?", (case,)).fetchall()  # to the end: what is left open locks
    return found[0][0] if found else None


def every() -> list[bytes]:
    """Every case that has a key: 16 bytes each."""
    with held() as sql:
        return [case for (case,) in sql.execute("SELECT id FROM keys")]


def destroy(case: bytes) -> None:
    """Overwrite the key of this case. Nothing that it wrapped can be read again, here or in a backup."""
    with held() as sql:
        sql.execute("DELETE FROM keys WHERE id = ?", (case,))


def wrap(key: bytes, plain: bytes, about: bytes) -> bytes:
    """``plain`` in AES-256-GCM, 28 bytes longer.

    ``about`` says which case, kind and number it is, and must be the same to unwrap.
    """
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, about)


def unwrap(key: bytes, wrapped: bytes, about: bytes) -> bytes:
    """What was wrapped.

    :raises NotOurs: by another key, about something else, or changed since
    """
    try:
        return AESGCM(key).decrypt(bytes(wrapped[:_NONCE]), bytes(wrapped[_NONCE:]), about)
    except (InvalidTag, ValueError) as error:
        raise NotOurs("These bytes were not wrapped by this key.") from error
