"""Sealed rows of a log: what can be checked of them without opening any. docs/spec/bundle.md."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seawall.lib import signatures

if TYPE_CHECKING:
    from collections.abc import Sequence

MAGIC = b"seawall custody 1\n"
AGE = b"age-encryption.org/v1\n"
START = bytes(32)
# 512 bytes of plain text, age's header and its authentication: less than 1,000. More recipients would need more.
ROW_BYTES = 2048
_HEAD = len(MAGIC) + 16 + 8 + 32
_SIGNATURE = 64


class BadRow(ValueError):
    """Not the next row of this case's log. Holds a sentence for whoever writes a client."""


@dataclass(frozen=True, slots=True)
class Head:
    """How a log ends: how many rows, and the SHA-256 of the last."""

    count: int
    digest: bytes


def read(raws: Sequence[bytes], *, case: bytes, key: bytes) -> tuple[Head, Head]:
    """Look at rows before the log they belong to is known: what the first says it follows, and how the last ends.

    :raises BadRow: one is no row, does not follow the one before it, or is not signed by the case's key
    """
    at = len(MAGIC) + 16
    start = end = Head(int.from_bytes(raws[0][at : at + 8], "big") - 1, raws[0][at + 8 : at + 40])
    for raw in raws:
        end = follow(end, raw, case=case, key=key)
    return start, end


def follow(head: Head, raw: bytes, *, case: bytes, key: bytes) -> Head:
    """The end of the log once ``raw`` is appended.

    :raises BadRow: it is not the next row, or not signed by the case's key
    """
    number = head.count + 1
    if not _HEAD + len(AGE) + _SIGNATURE <= len(raw) <= ROW_BYTES or not raw.startswith(MAGIC + case):
        raise BadRow("What was sent is no row of this case's log.")
    if not raw.startswith(AGE, _HEAD):
        raise BadRow(f"Row {number} does not hold an age file.")
    at = len(MAGIC) + 16
    seq, before = int.from_bytes(raw[at : at + 8], "big"), raw[at + 8 : at + 40]
    if (seq, before) != (number, head.digest):
        raise BadRow(f"Row {number} does not follow the row before it.")
    if not signatures.verify(key=key, signature=raw[-_SIGNATURE:], message=raw[:-_SIGNATURE]):
        raise BadRow(f"Row {number} is not signed by the case's key.")
    return Head(number, hashlib.sha256(raw).digest())
