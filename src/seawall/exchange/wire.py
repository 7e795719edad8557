"""The text of fingerprints that a page sends, parsed strictly (docs/spec/submission.md).

Nothing here touches the database: a form is read whole, or refused whole with the line and the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from seawall.directory.queries import platforms
from seawall.hashing import USABLE_QUALITY

HEADER = "seawall fingerprints 1"
MOST_LINES = 100
TOKEN_BYTES = 16
# Two lines of heading and 100 of fingerprints; one of the latter is at most 145 characters.
_MOST_CHARACTERS = 20_000
_LINE = re.compile(r"([0-9a-f]{64}) (image) (pdq1) ([0-9a-f]{64}) (0|[1-9][0-9]?|100)", re.ASCII)
_TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)


class BadSubmission(ValueError):
    """The text cannot be taken. The message says which line, and what to do."""


class BadToken(ValueError):
    """What was given is not a token."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom the fingerprints are for: the named platforms, or (None) all that take part, and perhaps later ones too."""

    platforms: tuple[str, ...] | None
    future: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One picture's fingerprint. ``h`` is the SHA-256 of its withdraw token (32 bytes); quality 50 to 100."""

    h: bytes
    kind: str
    version: str
    value: bytes
    quality: int


@dataclass(frozen=True, slots=True)
class Submission:
    """What one form holds."""

    scope: Scope
    items: tuple[Item, ...]


def parse(text: str) -> Submission:
    """Read the field ``fingerprints``.

    :raises BadSubmission: it is not exactly the text of docs/spec/submission.md
    """
    if len(text) > _MOST_CHARACTERS:
        raise BadSubmission(f"This is more than {MOST_LINES} fingerprints. Send {MOST_LINES} pictures at a time.")
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if lines[0] != HEADER:
        raise BadSubmission(f'Line 1 must be "{HEADER}". Go back and choose the pictures again.')
    if len(lines) < 2:  # noqa: PLR2004 - heading and scope
        raise BadSubmission("Line 2 must say which platforms. Go back and choose the pictures again.")
    scope = _scope(lines[1])
    rows = lines[2:]
    if not rows:
        raise BadSubmission("There is no fingerprint in it. Choose at least one picture.")
    if len(rows) > MOST_LINES:
        raise BadSubmission(f"This is more than {MOST_LINES} fingerprints. Send {MOST_LINES} pictures at a time.")
    items: dict[bytes, Item] = {}
    for number, row in enumerate(rows, start=3):
        item = _item(number, row)
        if items.setdefault(item.h, item) != item:
            raise BadSubmission(f"Line {number} uses a token again for another picture. Choose the pictures again.")
    return Submission(scope, tuple(items.values()))


def parse_token(text: str) -> bytes:
    """The 16 bytes of a receipt's token.

    :raises BadToken: it is not 32 lowercase hex digits
    """
    if _TOKEN.fullmatch(text) is None:
        raise BadToken("A token is 32 digits and letters from a to f. Copy it from your receipt.")
    return bytes.fromhex(text)


def _scope(line: str) -> Scope:
    if line in {"for all", "for all and future"}:
        return Scope(None, future=line.endswith("future"))
    word, *slugs = line.split(" ")
    known = {platform.slug for platform in platforms()}
    if word != "for" or not slugs or not known.issuperset(slugs) or len(set(slugs)) < len(slugs):
        raise BadSubmission("Line 2 must name platforms we know, each once. Go back and tick them again.")
    return Scope(tuple(slugs))


def _item(number: int, row: str) -> Item:
    found = _LINE.fullmatch(row)
    if found is None:
        raise BadSubmission(f"Line {number} is not a fingerprint as we read it. Choose the picture again.")
    quality = int(found[5])
    if quality < USABLE_QUALITY:
        raise BadSubmission(
            f"The picture of line {number} has too little detail to be told from others. Leave it out, or choose "
            "a clearer copy of it."
        )
    return Item(bytes.fromhex(found[1]), found[2], found[3], bytes.fromhex(found[4]), quality)
