"""Sealed rows of a log: what can be checked of them without opening any. docs/spec/bundle.md."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from seawall.lib import signatures

MAGIC = b"seawall custody 1\n"
AGE = b"age-encryption.org/v1\n"
START = bytes(32)
# 512 bytes of plain text, age's header and its authentication: less than 1,000. More recipients would need more.
ROW_BYTES = 4096
_HEAD = len(MAGIC) + 16 + 8 + 32
_SIGNATURE = 64


class BadRow(ValueError):
    """Not the next row of this case's log. Holds a sentence for whoever writes a client."""


@dataclass(frozen=True, slots=True)
class Head:
    """How a log ends: how many rows, and the SHA-256 of the last."""

    count: int
    digest: bytes


def follow(head: Head, raw: bytes, *, case: bytes, key: bytes) -> Head:
    """The end of the log once ``raw`` is appended.

    :raises BadRow: it is not the next row, or not signed by the case's key
    """
    number = head.count + 1
    if not _HEAD + len(AGE) + _SIGNATURE <= len(raw) <= ROW_BYTES or not raw.startswith(MAGIC + case):
        raise BadRow(f"Row {number} is no row of this case's log.")
    if not raw.startswith(AGE, _HEAD):
        raise BadRow(f"Row {number} does not hold an age file.")
    at = len(MAGIC) + 16
    seq, before = int.from_bytes(raw[at : at + 8], "big"), raw[at + 8 : at + 40]
    if (seq, before) != (number, head.digest):
        raise BadRow(f"Row {number} does not follow the row before it.")
    if not signatures.verify(key=key, signature=raw[-_SIGNATURE:], message=raw[:-_SIGNATURE]):
        raise BadRow(f"Row {number} is not signed by the case's key.")
    return Head(number, hashlib.sha256(raw).digest())
