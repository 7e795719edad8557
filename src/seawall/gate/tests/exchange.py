"""A second implementation of the feed's contract (docs/spec/feed.md): a list in memory, and faults on request."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "key-of-the-example-platform"
PDQ_BYTES, MD5_BYTES, WINDOWS_BYTES = 32, 16, 4158
FRAME_BYTES = 36  # no multiple of which is 4,158, the length of windows


@dataclass
class ListExchange:
    """Entries are numbers with one or more fingerprints each.

    Of 32 bytes pdq1, of 16 a file's md5, of a multiple of 36 a video's vpdq1, and windows1.
    """

    page_size: int = 1000
    knows_windows: bool = True  # else as an exchange was before there were any
    generation: int = 1
    number: int = 0  # of the last change
    entries: dict[int, dict[int, bytes]] = field(default_factory=dict)  # in force: entry -> signal -> value
    changed: dict[int, int] = field(default_factory=dict)  # entry -> number of its last change, withdrawn ones too
    shuffled: list[tuple[int, int]] = field(default_factory=list)  # stretches of numbers given out anew
    counted: dict[str, str] = field(default_factory=dict)  # event -> entry
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)  # cursors
    # Called with each request; may answer in the exchange's stead, or raise as a broken connection does.
    before: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
    after: Callable[[httpx.Request], None] = lambda _: None
    on_ack: Callable[[], None] = lambda: None

    def submit(self, entry: int, signals: dict[int, bytes]) -> None:
        self.entries[entry] = dict(signals)
        self._number(entry)

    def withdraw(self, entry: int) -> None:
        del self.entries[entry]
        self._number(entry)

    def restore(self, entries: dict[int, dict[int, bytes]]) -> None:
        """Come back from a backup: another bank, numbered anew."""
        self.generation += 1
        self.entries = {entry: dict(signals) for entry, signals in entries.items()}
        self.changed, self.shuffled, self.number = {}, [], 0
        for entry in self.entries:
            self._number(entry)

    def reshuffle(self, since: int, seed: int) -> None:
        """Give the changes after ``since`` each other's numbers; whoever stands among them reads them again."""
        late = [entry for entry, number in self.changed.items() if number > since]
        numbers = [self.changed[entry] for entry in late]
        random.Random(seed).shuffle(numbers)  # noqa: S311 - a seed that repeats is the point
        self.changed |= dict(zip(late, numbers, strict=True))
        self.shuffled.append((since, self.number))

    def _number(self, entry: int) -> None:
        self.number += 1
        self.changed[entry] = self.number

    def transport(self) -> httpx.MockTransport:
        """The exchange without a network."""
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        instead = self.before(request)
        if instead is not None:
            return instead
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return httpx.Response(401, json={"message": "The key is wrong."})
        match request.method, request.url.path.removeprefix("/api/"):
            case "GET", "feed":
                response = self._feed(request.url.params)
            case "POST", "ack":
                said = json.loads(request.content)
                self.acknowledged.append((said["gate"], said["cursor"]))
                self.on_ack()
                response = httpx.Response(204)
            case "POST", "feedback":
                events = json.loads(request.content)["events"]
                assert 0 < len(events) <= 1000
                assert {event["outcome"] for event in events} == {"blocked"}
                self.counted |= {event["event"]: event["entry"] for event in events}
                response = httpx.Response(200, json={"accepted": len(events)})
            case _:
                response = httpx.Response(404, json={"message": "There is nothing here."})
        self.after(request)
        return response

    def _feed(self, asked: httpx.QueryParams) -> httpx.Response:
        cursor = asked.get("cursor")
        self.asked.append(cursor)
        since = 0
        if cursor is not None:
            generation, place, shuffles = map(int, cursor.split("."))
            if generation != self.generation:
                return httpx.Response(410, json={"message": "Read the list from its beginning."})
            since = place
            for first, last in self.shuffled[shuffles:]:
                since = first if first < since < last else since
        late = sorted((number, entry) for entry, number in self.changed.items() if number > since)
        size = min(self.page_size, int(asked["limit"]))
        page = late[:size]
        windows = self.knows_windows and asked.get("windows") == "true"
        place = page[-1][0] if page else since
        return httpx.Response(
            200,
            json={
                "cursor": f"{self.generation}.{place}.{len(self.shuffled)}",
                "changes": [self._change(entry, windows=windows) for _, entry in page],
                "more": len(late) > size,
            },
        )

    def _change(self, entry: int, *, windows: bool) -> dict[str, Any]:
        if entry not in self.entries:
            return {"entry": str(entry), "change": "remove"}
        shown = {
            signal: value for signal, value in self.entries[entry].items() if windows or len(value) != WINDOWS_BYTES
        }
        return {"entry": str(entry), "change": "add", "signals": [signal_of(*s) for s in shown.items()]}


def signal_of(signal: int, value: bytes) -> dict[str, Any]:
    if len(value) == PDQ_BYTES:
        return picture(signal, value)
    if len(value) == MD5_BYTES:
        return picture(signal, value, 100) | {"kind": "video", "version": "md5"}
    text = base64.urlsafe_b64encode(value).decode().rstrip("=")
    if len(value) % FRAME_BYTES == 0:
        return picture(signal, b"", value[35]) | {"kind": "video", "version": "vpdq1", "value": text}
    return picture(signal, b"", value[32]) | {"version": "windows1", "value": text}


def picture(signal: int, value: bytes, quality: int = 90) -> dict[str, Any]:
    return {"signal": str(signal), "kind": "image", "version": "pdq1", "value": value.hex(), "quality": quality}
