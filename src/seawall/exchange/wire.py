"""The text of fingerprints that a page sends, parsed strictly (docs/spec/submission.md).

Nothing here touches the database: a form is read whole, or refused whole with the line and the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

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
        raise _too_many()
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if lines[0] != HEADER:
        raise BadSubmission(
            _("Line 1 must be “%(header)s”. Go back and choose the pictures again.") % {"header": HEADER}
        )
    if len(lines) < 2:  # noqa: PLR2004 - heading and scope
        raise BadSubmission(_("Line 2 must say which platforms. Go back and choose the pictures again."))
    scope = _scope(lines[1])
    rows = lines[2:]
    if not rows:
        raise BadSubmission(_("There is no fingerprint in it. Choose at least one picture."))
    if len(rows) > MOST_LINES:
        raise _too_many()
    items: dict[bytes, Item] = {}
    for number, row in enumerate(rows, start=3):
        item = _item(number, row)
        if items.setdefault(item.h, item) != item:
            raise BadSubmission(
                _("Line %(number)d uses a token again for another picture. Choose the pictures again.")
                % {"number": number}
            )
    return Submission(scope, tuple(items.values()))


def parse_token(text: str) -> bytes:
    """The 16 bytes of a receipt's token.

    :raises BadToken: it is not 32 lowercase hex digits
    """
    if _TOKEN.fullmatch(text) is None:
        raise BadToken("A token is 32 digits and letters from a to f. Copy it from your receipt.")
    return bytes.fromhex(text)


def _too_many() -> BadSubmission:
    sentence = _("This is more than %(most)d fingerprints. Send %(most)d pictures at a time.") % {"most": MOST_LINES}
    return BadSubmission(sentence)


def _scope(line: str) -> Scope:
    if line in {"for all", "for all and future"}:
        return Scope(None, future=line.endswith("future"))
    word, *slugs = line.split(" ")
    known = {platform.slug for platform in platforms()}
    if word != "for" or not slugs or not known.issuperset(slugs) or len(set(slugs)) < len(slugs):
        raise BadSubmission(_("Line 2 must name platforms we know, each once. Go back and tick them again."))
    return Scope(tuple(slugs))


def _item(number: int, row: str) -> Item:
    found = _LINE.fullmatch(row)
    if found is None:
        raise BadSubmission(
            _("Line %(number)d is not a fingerprint as we read it. Choose the picture again.") % {"number": number}
        )
    quality = int(found[5])
    if quality < USABLE_QUALITY:
        raise BadSubmission(
            _(
                "The picture of line %(number)d has too little detail to be told from others. Leave it out, or choose "
                "a clearer copy of it."
            )
            % {"number": number}
        )
    return Item(bytes.fromhex(found[1]), found[2], found[3], bytes.fromhex(found[4]), quality)
