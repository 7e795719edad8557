"""Alice and Bob submit; Meadow and Harbour are partners. The clock stands where a test puts it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from seawall.exchange import operations, queries
from seawall.exchange.cursor import Cursor
from seawall.exchange.keys import hash_key
from seawall.exchange.wire import Item, Scope, Submission

NOON = datetime(2026, 11, 23, 12, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERYWHERE = Scope(None, future=True)
GATE = "5b7e7a52-7bd0-4d3c-8a58-111111111111"


def token(number: int) -> bytes:
    return hashlib.sha256(b"token %d" % number).digest()[:16]


def value(number: int) -> bytes:
    return hashlib.sha256(b"picture %d" % number).digest()


def item(number: int, *, picture: int | None = None) -> Item:
    h = hashlib.sha256(token(number)).digest()
    return Item(h, "image", "pdq1", value(number if picture is None else picture), 90)


def send(*numbers: int, scope: Scope = EVERYWHERE, now: datetime = NOON, picture: int | None = None) -> list[int]:
    """Submit the pictures of those numbers; answers their entries."""
    items = tuple(item(number, picture=picture) for number in numbers)
    return [each.entry for each in operations.submit(submission=Submission(scope, items), now=now)]


@dataclass
class Follower:
    """A gate in miniature: keeps a cursor and what the feed told it."""

    key: str
    limit: int = 1000
    now: datetime = NOON
    cursor: str | None = None
    held: dict[int, tuple[bytes, ...]] = field(default_factory=dict)

    @property
    def caller(self) -> queries.Caller:
        caller = queries.caller(hash_key(self.key))
        assert caller is not None
        return caller

    def page(self) -> bool:
        """Read one page; whether there is more."""
        cursor = None if self.cursor is None else Cursor.parse(self.cursor)
        page = operations.hand_out(caller=self.caller, cursor=cursor, limit=self.limit, now=self.now)
        for change in page.changes:
            if change.signals:
                self.held[change.entry] = tuple(signal[3] for signal in change.signals)
            else:
                self.held.pop(change.entry, None)
        self.cursor = str(page.cursor)
        return page.more

    def follow(self) -> set[int]:
        while self.page():
            pass
        return set(self.held)

    def ack(self, now: datetime = NOON, gate: str = GATE) -> None:
        assert self.cursor is not None
        operations.acknowledge(caller=self.caller, gate=UUID(gate), cursor=Cursor.parse(self.cursor), now=now)


@pytest.fixture
def meadow(db: Any) -> dict[str, str]:  # noqa: ARG001 - opens the database
    """A partner that runs the three platforms of the pilot; its keys by kind."""
    return operations.add_partner(name="Meadow", slugs=["facebook", "messenger", "instagram"], now=NOON)


@pytest.fixture
def harbour(db: Any) -> dict[str, str]:  # noqa: ARG001 - opens the database
    """A partner that runs another platform."""
    return operations.add_partner(name="Harbour", slugs=["reddit"], now=NOON)
