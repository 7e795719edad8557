"""The log of what was done with the files: a chain of signed lines, and the root after each. docs/spec/bundle.md."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from seawall.evidence.kit import canonical
from seawall.evidence.kit.canonical import hexes, is_count, is_time, like
from seawall.lib import signatures

ACTIONS = ("added", "viewed", "redacted", "renamed", "exported", "imported", "shared", "revoked", "erased")
# After these, the log knows a file.
BRINGS = ("added", "redacted", "imported")
START = "0" * 64
_LINE = {
    "action": like("|".join(ACTIONS)),
    "actor": like(r"[a-z0-9-]{1,40}"),
    "at": is_time,
    "object": like(r"[0-9a-f]{64}|[0-9a-f]{32}"),
    "prev": hexes(64),
    "seq": is_count,
    "signature": hexes(128),
}


class BrokenLog(ValueError):
    """The log is not what was signed, or not all of it. Holds a sentence for whoever checks it."""


@dataclass(frozen=True, slots=True)
class Owner:
    """What roots and signatures are bound to: 16 bytes of the case's id, 32 of its verify key, 16 of its salt."""

    case: bytes
    key: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: what was done, by whom, when by the device's clock, to what; and the SHA-256 of the line."""

    seq: int
    at: str
    actor: str
    action: str
    object: str
    digest: str


def signed_bytes(case: bytes, line: dict[str, Any]) -> bytes:
    """What the signature of a line is over."""
    return b"seawall custody line 1\n" + case + canonical.write({k: v for k, v in line.items() if k != "signature"})


def root(owner: Owner, entry: Entry) -> bytes:
    """The 32 bytes that stand for the case after that line, and for nothing to whoever has no salt."""
    parts = owner.case + owner.key + owner.salt + entry.seq.to_bytes(8, "big") + bytes.fromhex(entry.digest)
    return hashlib.sha256(b"seawall root 1\n" + parts).digest()


def read(raw: bytes, owner: Owner) -> tuple[Entry, ...]:
    """The entries of a log, each checked against the one before and against the key.

    :raises BrokenLog: naming the first line that does not hold
    """
    if raw and not raw.endswith(b"\n"):
        raise BrokenLog("custody.jsonl: the last line is cut off.")
    entries: list[Entry] = []
    for number, text in enumerate(raw.split(b"\n")[:-1], 1):
        entries.append(_read_line(number, text, entries[-1].digest if entries else START, owner))
    return tuple(entries)


def _read_line(number: int, text: bytes, before: str, owner: Owner) -> Entry:
    try:
        line = canonical.read(text)
    except canonical.NotCanonical as error:
        raise BrokenLog(f"custody.jsonl, line {number}: this is {error}.") from error
    if not canonical.has_shape(line, _LINE):
        raise BrokenLog(f"custody.jsonl, line {number}: this is no line of a log.")
    if line["seq"] != number:
        raise BrokenLog(f"custody.jsonl, line {number}: it says that it is line {line['seq']}. Lines are missing.")
    if line["prev"] != before:
        raise BrokenLog(f"custody.jsonl, line {number}: the line before it is not the one it was written after.")
    signature = bytes.fromhex(line["signature"])
    if not signatures.verify(key=owner.key, signature=signature, message=signed_bytes(owner.case, line)):
        raise BrokenLog(f"custody.jsonl, line {number}: its signature is not by this case's key.")
    said = {name: line[name] for name in ("seq", "at", "actor", "action", "object")}
    return Entry(**said, digest=hashlib.sha256(text).hexdigest())
