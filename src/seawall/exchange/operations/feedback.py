"""What partners say: what their gates did with uploads, opinions by value, and hashes they found themselves."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db.models import OuterRef, Q

from seawall.exchange.models import (
    Delivery,
    Entry,
    Feedback,
    FeedbackEvent,
    FeedCounter,
    HandedPage,
    Partner,
    Signal,
    asked_of_each,
    derived_id,
    entry_id,
)
from seawall.exchange.operations.counter import change
from seawall.exchange.operations.entries import entomb, note_withdrawn, store
from seawall.exchange.operations.handed import deliver
from seawall.exchange.wire import Item

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from seawall.exchange.queries import Caller

_ENTRY_IDS = 1 << 63
_ROWS_AT_A_TIME = 500
# The protocol has no quality for a submitted hash; whoever submits one vouches for it.
_FOUND_QUALITY = 100
_TAKES_BACK = {"Withdrawn", "Deleted"}
Outcome = Literal["matched", "blocked", "refused"]
# Partners that poll read an outcome as the feedbackValue that means the same.
_OPINIONS: dict[Outcome, str] = {"matched": "PendingReview", "blocked": "Blocked", "refused": "NotBlocked"}


@dataclass(frozen=True, slots=True)
class Report:
    """A partner's word on an upload that matches an entry, or on the entry itself (docs/spec/feed.md)."""

    event: UUID
    entry: int
    outcome: Outcome = "blocked"


@dataclass(frozen=True, slots=True)
class Opinion:
    """A partner's opinion of everything that has this value. ``opinion`` is a feedbackValue of the protocol."""

    value: bytes
    opinion: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundHash:
    """A hash that a partner submits, and its opinions (feedbackValue, tags) of it."""

    kind: str
    version: str
    value: bytes
    opinions: tuple[tuple[str, tuple[str, ...]], ...]


def take_feedback(*, caller: Caller, events: Sequence[Report], now: datetime) -> int:
    """Count uploads that a gate stopped, and note its last word. Answers how many were about entries it may speak of.

    An event counts once however often it is sent. Unknown, withdrawn and foreign entries are passed over.
    """
    if not events:
        return 0
    partner = caller.partner_id
    with change(now) as counter:
        active = Entry.objects.in_scope(partner).filter(state=Entry.State.ACTIVE)
        ids = {event.entry for event in events if event.entry < _ENTRY_IDS}
        known = set(active.filter(pk__in=ids).values_list("pk", flat=True))
        ours = {derived_id("event", partner, e.event.bytes, e.entry): e for e in events if e.entry in known}
        old = FeedbackEvent.objects.in_bulk(ours)
        new = {pk: each for pk, each in ours.items() if pk not in old}
        FeedbackEvent.objects.bulk_create(FeedbackEvent(pk=pk, hour=counter.hour) for pk in new)
        stopped = Counter(each.entry for each in new.values() if each.outcome == "blocked")
        last = {each.entry: each.outcome for each in new.values()}
        for outcome, opinion in _OPINIONS.items():
            counts = {entry: stopped[entry] for entry, said in last.items() if said == outcome}
            _note(counts, partner, counter, opinion=opinion, tags=None)
        if known:
            _reports(partner, counter)
    return sum(event.entry in known for event in events)


def _reports(partner_id: int, counter: FeedCounter) -> None:
    """Note that the partner says what it does with uploads."""
    Partner.objects.filter(Q(reported=None) | Q(reported__lt=counter.hour), pk=partner_id).update(reported=counter.hour)


def take_opinions(*, partner_id: int, opinions: Sequence[Opinion], now: datetime) -> None:
    """Note a partner's opinions on every active entry of those values that it was handed before.

    "Withdrawn" and "Deleted" also take back what the partner itself submitted; they never touch a person's entry.
    """
    with change(now) as counter:
        deliver(HandedPage.objects.filter(partner=partner_id), counter)
        for each in opinions:
            theirs = _of_value(partner_id, each.value)
            if each.opinion in _TAKES_BACK:
                back = list(theirs.filter(finder=partner_id))
                note_withdrawn(*(entry.pk for entry in back))
                for entry in back:
                    entomb(entry, counter, now)
            _say(theirs, each.opinion, each.tags, partner_id, counter)
        if opinions:
            _reports(partner_id, counter)


def submit_found(*, partner_id: int, found: Sequence[FoundHash], now: datetime) -> None:
    """Share hashes that a partner found itself, with every partner: entries of their own beside any person's."""
    with change(now) as counter:
        for each in found:
            entry = _found(partner_id, each, counter)
            for opinion, tags in each.opinions:
                _say(Entry.objects.filter(pk=entry.pk), opinion, tags, partner_id, counter)


def _found(partner_id: int, found: FoundHash, counter: FeedCounter) -> Entry:
    for times in itertools.count():
        h = _found_h(partner_id, found.value, times)
        entry = Entry.objects.filter(pk=entry_id(h)).first()
        if entry is None:
            break
        if entry.state == Entry.State.ACTIVE:
            return entry
    item = Item(h, found.kind, found.version, found.value, _FOUND_QUALITY)
    return store(item, counter, (), future=True, finder_id=partner_id)


def _found_h(partner_id: int, value: bytes, times: int) -> bytes:
    """Stands where a person's entry has the SHA-256 of a token. Nobody holds a token of it.

    ``times`` is how often the partner took this value back before: a tombstone never comes back to life.
    """
    return hashlib.sha256(b"found by partner %d, %d times before: %b" % (partner_id, times, value)).digest()


def _of_value(partner_id: int, value: bytes) -> QuerySet[Entry]:
    handed = Delivery.objects.filter(entry=OuterRef("pk"), partner=partner_id, delivered__isnull=False)
    return (
        Entry.objects.in_scope(partner_id)
        .filter(state=Entry.State.ACTIVE, pk__in=Signal.objects.filter(value=value).values("entry"))
        .filter(Q(asked_of_each(handed)) | Q(finder=partner_id))
    )


def _say(entries: QuerySet[Entry], opinion: str, tags: tuple[str, ...], partner_id: int, counter: FeedCounter) -> None:
    blocked = int(opinion == "Blocked")
    counts = dict.fromkeys(entries.values_list("pk", flat=True), blocked)
    if blocked:  # an opinion held already counts no upload more
        held = Feedback.objects.filter(entry__in=entries, partner=partner_id, opinion=opinion)
        counts.update(dict.fromkeys(held.values_list("entry_id", flat=True), 0))
    _note(counts, partner_id, counter, opinion=opinion, tags=list(tags))


def _note(
    blocked: Mapping[int, int], partner_id: int, counter: FeedCounter, *, opinion: str, tags: list[str] | None
) -> None:
    """Set the partner's opinion of those entries and add to their counts; without ``tags`` they stay as they are.

    Partners that poll see an entry again when what is said of it differs from before.
    """
    ids = {entry: derived_id("feedback", entry, partner_id) for entry in blocked}
    held = Feedback.objects.in_bulk(list(ids.values()))
    rows, changed = [], []
    for entry, pk in ids.items():
        row = held.get(pk) or Feedback(pk=pk, entry_id=entry, partner_id=partner_id, opinion="")
        said = row.tags if tags is None else tags
        if (row.opinion, row.tags) != (opinion, said):
            changed.append(entry)
        row.opinion, row.tags, row.hour = opinion, said, counter.hour
        row.blocked += blocked[entry]
        rows.append(row)
    Feedback.objects.bulk_create(
        rows,
        _ROWS_AT_A_TIME,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["opinion", "tags", "hour", "blocked"],
    )
    Entry.objects.filter(pk__in=changed).update(changed=counter.hour)
