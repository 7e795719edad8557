"""The exchange's feed, acknowledgement and feedback, as the gate calls them (docs/spec/feed.md)."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlsplit

import httpx
import msgspec

from seawall.hashing.videos import MOST_FRAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAGE = 1000  # changes asked for at once; the exchange gives no more
# A page of 1,000 pictures with windows is 6 MB. Entries with many signals (videos) are larger; beyond this it is not a
# feed.
PAGE_BYTES = 32 << 20
CURSOR_CHARACTERS = 1000
# The versions this gate knows. A video has packed frames (docs/spec/video.md) and its file's MD5.
PDQ, WINDOWS, VPDQ, MD5 = "pdq1", "windows1", "vpdq1", "md5"
HASH_BYTES = 32
_TIMEOUT = httpx.Timeout(20, connect=5)


class FeedProblem(Exception):
    """The exchange did not answer as it should. Says what happened; the gate tries again."""


class StartAnew(FeedProblem):
    """The cursor no longer counts (a restored exchange): read the whole list again."""


class Signal(msgspec.Struct, frozen=True, gc=False):
    """One fingerprint of an entry."""

    id: int
    kind: str
    version: str
    value: bytes
    quality: int


class Add(msgspec.Struct, frozen=True, gc=False):
    """The entry is in force with exactly these signals, and perhaps with others of versions this gate does not know."""

    entry: int
    signals: tuple[Signal, ...]


class Remove(msgspec.Struct, frozen=True, gc=False):
    """The entry was withdrawn."""

    entry: int


class Page(msgspec.Struct, frozen=True):
    """Some changes in order, and where to go on."""

    cursor: str
    changes: tuple[Add | Remove, ...]
    more: bool


class Event(msgspec.Struct, frozen=True, gc=False):
    """What the platform did with one upload that matched one entry."""

    event: str
    entry: str
    outcome: str


# The wire's own shapes. Numbers of 63 bits travel as text, because JavaScript would round them.
_Number = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,18})\Z")]
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class _WireSignal(msgspec.Struct, gc=False):
    signal: _Number
    kind: _Word
    version: _Word
    value: str  # read by version
    quality: Annotated[int, msgspec.Meta(ge=0, le=100)]


class _WireAdd(msgspec.Struct, tag_field="change", tag="add", gc=False):
    entry: _Number
    signals: list[_WireSignal]


class _WireRemove(msgspec.Struct, tag_field="change", tag="remove", gc=False):
    entry: _Number


class _WirePage(msgspec.Struct):
    cursor: Annotated[str, msgspec.Meta(min_length=1, max_length=CURSOR_CHARACTERS)]
    changes: list[_WireAdd | _WireRemove]
    more: bool


_decoder = msgspec.json.Decoder(_WirePage)


def read_page(body: bytes) -> Page:
    """A page from its JSON.

    :raises FeedProblem: it is not a page of the feed
    """
    try:
        wire = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FeedProblem("The exchange's answer is not a page of the feed. Check the address after --feed.") from error
    return Page(wire.cursor, tuple(map(_change, wire.changes)), wire.more)


def _change(wire: _WireAdd | _WireRemove) -> Add | Remove:
    if isinstance(wire, _WireRemove):
        return Remove(_uint63(wire.entry))
    return Add(_uint63(wire.entry), tuple(_signal(signal) for signal in wire.signals if signal.version in _VALUES))


def _signal(wire: _WireSignal) -> Signal:
    shape, read = _VALUES[wire.version]
    if shape.fullmatch(wire.value) is None:
        raise FeedProblem("The exchange sends a fingerprint that cannot be read. Update the gate or the exchange.")
    return Signal(_uint63(wire.signal), wire.kind, wire.version, read(wire.value), wire.quality)


# What the value of a version looks like, and its bytes. Other versions are passed over: a gate that knows them follows
# anew. base64url without padding, because 4,158 and 36 are multiples of 3.
_VALUES: dict[str, tuple[re.Pattern[str], Callable[[str], bytes]]] = {
    PDQ: (re.compile(r"[0-9a-f]{64}", re.ASCII), bytes.fromhex),
    WINDOWS: (re.compile(r"[A-Za-z0-9_-]{5544}", re.ASCII), base64.urlsafe_b64decode),
    VPDQ: (re.compile(rf"(?:[A-Za-z0-9_-]{{48}}){{1,{MOST_FRAMES}}}", re.ASCII), base64.urlsafe_b64decode),
    MD5: (re.compile(r"[0-9a-f]{32}", re.ASCII), bytes.fromhex),
}


def _uint63(text: str) -> int:
    number = int(text)
    if number >> 63:
        raise FeedProblem("The exchange numbers an entry beyond 63 bits. Update the gate or the exchange.")
    return number


class Feed:
    """One exchange, over one connection kept open."""

    def __init__(self, url: str, key: str, transport: httpx.BaseTransport | None = None) -> None:
        self._host = urlsplit(url).hostname
        self._http = httpx.Client(
            base_url=url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {key}"},
            timeout=_TIMEOUT,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def page(self, cursor: str | None) -> Page:
        """What changed since ``cursor``, or the list from its beginning.

        :raises StartAnew: the cursor is of another generation of the exchange
        :raises FeedProblem: anything else went wrong
        """
        asked = {"limit": str(PAGE), "windows": "true"} | ({"cursor": cursor} if cursor is not None else {})
        status, body = self._send("GET", "feed", params=asked)
        if cursor is not None and status in {httpx.codes.GONE, httpx.codes.BAD_REQUEST}:
            raise StartAnew("The exchange no longer knows our place in its feed. The list is read again.")
        _refuse(status)
        return read_page(body)

    def acknowledge(self, gate: str, cursor: str) -> None:
        """Say that this gate holds and applies everything up to ``cursor``."""
        _refuse(self._send("POST", "ack", json={"gate": gate, "cursor": cursor})[0])

    def report(self, events: Sequence[Event]) -> None:
        """Hand over up to 1,000 events; sending one twice counts once."""
        _refuse(self._send("POST", "feedback", json={"events": msgspec.to_builtins(events)})[0])

    def _send(self, method: str, path: str, **what: object) -> tuple[int, bytes]:
        """The status and body of the answer, read no further than `PAGE_BYTES`."""
        body = bytearray()
        try:
            with self._http.stream(method, path, **what) as answer:  # type: ignore[arg-type]
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > PAGE_BYTES:
                        raise FeedProblem("The exchange's answer is too large to be a page of the feed.")
        except httpx.HTTPError as error:
            raise FeedProblem(f"The exchange at {self._host} cannot be reached ({type(error).__name__}).") from error
        return answer.status_code, bytes(body)


def _refuse(status: int) -> None:
    """Raise unless the exchange agreed."""
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise FeedProblem("The exchange refuses our key. Ask its operator for a new one and start the gate with it.")
    if not httpx.codes.is_success(status):
        raise FeedProblem(f"The exchange answered with status {status}.")
