"""The text of fingerprints that a page sends, parsed strictly (docs/spec/submission.md).

Nothing here touches the database: a form is read whole, or refused whole with the line and the reason.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from seawall.directory.queries import platforms
from seawall.hashing import USABLE_QUALITY
from seawall.hashing.native import WINDOWS, WINDOWS_BYTES
from seawall.hashing.videos import MOST_FRAMES, BadFrames, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEADER = "seawall fingerprints 1"
MOST_PICTURES = 100  # and videos
TOKEN_BYTES = 16
# windows1 (docs/spec/windows.md): a hash of 32 bytes and its quality for each of 126 windows of the picture, the first
# of which is the whole. A window of a lower quality than 30 is zeros.
_WINDOW_BYTES, _LEAST_WINDOW_QUALITY = WINDOWS_BYTES // WINDOWS, 30
_NO_WINDOW = bytes(_WINDOW_BYTES)
# Of a hundred pictures with windows it is 580,000, of a video of an hour 173,000.
_MOST_CHARACTERS = 1_000_000
_WINDOWS_LINE = re.compile(r"([0-9a-f]{64}) image windows1 ([A-Za-z0-9_-]{5544}) (0|[1-9][0-9]?|100)", re.ASCII)
_LINE = re.compile(r"([0-9a-f]{64}) (image) (pdq1) ([0-9a-f]{64}) (0|[1-9][0-9]?|100)", re.ASCII)
# docs/spec/video.md, section 5: three lines, of which the first says whose they are. 36 bytes a frame, 48 characters.
_VIDEO_LINE = re.compile(
    rf"([0-9a-f]{{64}}) video vpdq1 ((?:[A-Za-z0-9_-]{{48}}){{1,{MOST_FRAMES}}}) ([5-9][0-9]|100)", re.ASCII
)
_DIGEST_LINES = (
    re.compile(r"([0-9a-f]{64}) video md5 ([0-9a-f]{32}) 100", re.ASCII),
    re.compile(r"([0-9a-f]{64}) video sha256 ([0-9a-f]{64}) 100", re.ASCII),
)
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
    """The fingerprint of a picture or video. ``h`` is the SHA-256 of its withdraw token (32 bytes); quality 50 to 100.

    ``windows``: a picture's `windows1`, 4,158 bytes, if the page sent one. Of a video ``value`` is its packed frames
    (docs/spec/video.md), ``quality`` their highest, and ``md5`` and ``sha256`` are those of its file.
    """

    h: bytes
    kind: str
    version: str
    value: bytes
    quality: int
    windows: bytes | None = None
    md5: bytes | None = None
    sha256: bytes | None = None


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
        raise BadSubmission(_("This is too much at once. Send fewer pictures or videos at a time."))
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
    if len(rows) > 3 * MOST_PICTURES:
        raise _too_many()
    items: dict[bytes, Item] = {}
    for number, item in _pictures(rows):
        if items.setdefault(item.h, item) != item:
            raise BadSubmission(
                _("Line %(number)d uses a token again for another picture. Choose the pictures again.")
                % {"number": number}
            )
    return Submission(scope, tuple(items.values()))


def _pictures(rows: Sequence[str]) -> Iterator[tuple[int, Item]]:
    """Each picture or video with the number of its first line.

    A picture has a line, then perhaps one of its windows; a video has three.
    """
    at, pictures = 0, 0
    while at < len(rows):
        pictures += 1
        if pictures > MOST_PICTURES:
            raise _too_many()
        number = at + 3  # as the person counts: two lines of heading
        if (video := _VIDEO_LINE.fullmatch(rows[at])) is not None:
            yield number, _video(number, video, rows[at + 1 : at + 3])
            at += 3
            continue
        item = _item(number, rows[at])
        at += 1
        if at < len(rows) and (found := _WINDOWS_LINE.fullmatch(rows[at])) and bytes.fromhex(found[1]) == item.h:
            item = replace(item, windows=_windows(number + 1, found[2], int(found[3])))
            at += 1
        yield number, item


def parse_token(text: str) -> bytes:
    """The 16 bytes of a receipt's token.

    :raises BadToken: it is not 32 lowercase hex digits
    """
    if _TOKEN.fullmatch(text) is None:
        raise BadToken("A token is 32 digits and letters from a to f. Copy it from your receipt.")
    return bytes.fromhex(text)


def _too_many() -> BadSubmission:
    sentence = _("This is more than %(most)d fingerprints. Send %(most)d pictures at a time.") % {"most": MOST_PICTURES}
    return BadSubmission(sentence)


def _scope(line: str) -> Scope:
    if line in {"for all", "for all and future"}:
        return Scope(None, future=line.endswith("future"))
    word, *slugs = line.split(" ")
    known = {platform.slug for platform in platforms()}
    if word != "for" or not slugs or not known.issuperset(slugs) or len(set(slugs)) < len(slugs):
        raise BadSubmission(_("Line 2 must name platforms we know, each once. Go back and tick them again."))
    return Scope(tuple(slugs))


def _windows(number: int, text: str, quality: int) -> bytes:
    value = base64.urlsafe_b64decode(text)
    windows = [value[at : at + _WINDOW_BYTES] for at in range(0, WINDOWS_BYTES, _WINDOW_BYTES)]
    possible = all(window == _NO_WINDOW or _LEAST_WINDOW_QUALITY <= window[-1] <= 100 for window in windows)  # noqa: PLR2004
    if not possible or windows[0][-1] != quality:
        raise _unreadable(number)
    return value


def _video(number: int, found: re.Match[str], digests: Sequence[str]) -> Item:
    h, value, quality = bytes.fromhex(found[1]), base64.urlsafe_b64decode(found[2]), int(found[3])
    try:
        frames = unpack(value)
    except BadFrames as error:
        raise _unreadable(number) from error
    if quality != max(frame.pdq.quality for frame in frames):
        raise _unreadable(number)
    of_file = []
    for after, shape in enumerate(_DIGEST_LINES, start=1):
        row = digests[after - 1] if len(digests) >= after else ""
        digest = shape.fullmatch(row)
        if digest is None or digest[1] != found[1]:
            raise _unreadable(number + after)
        of_file.append(bytes.fromhex(digest[2]))
    return Item(h, "video", "vpdq1", value, quality, md5=of_file[0], sha256=of_file[1])


def _unreadable(number: int) -> BadSubmission:
    return BadSubmission(
        _("Line %(number)d is not a fingerprint as we read it. Choose the picture again.") % {"number": number}
    )


def _item(number: int, row: str) -> Item:
    found = _LINE.fullmatch(row)
    if found is None:
        raise _unreadable(number)
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
