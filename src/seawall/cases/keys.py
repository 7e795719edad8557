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
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
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


def get(case: bytes) -> bytes | None:
    """The 32 bytes that wrap what is kept of this case; None once it was erased."""
    path = settings.DATA / "keys.sqlite3"
    if not path.exists():
        return None  # no case was ever opened
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as sql:
        try:
            return read(sql, case)
        except sqlite3.OperationalError as error:
            if str(error) == "no such table: keys":  # the first case is being opened at this moment
                return None
            raise


def read(sql: sqlite3.Connection, case: bytes) -> bytes | None:
    """As `get`, inside of `held`."""
    found = sql.execute("SELECT wrap FROM keys WHERE id = ?", (case,)).fetchone()
    return found[0] if found else None


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
