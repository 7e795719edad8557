"""FetchHashes: the bank as StopNCII's protocol shows it, one record a (type, value) for each partner.

A record stands where the last change of any of its entries stands: hour, then entry id, then signal id. That is the
order of pages; within an hour it says nothing of arrival. Three rules keep a client from missing anything although
it keeps only a time:

* the start is inclusive and taken down to the whole hour, so an hour in progress is read again next time;
* what changes during a run moves to the current hour, so it comes later in the same run or in the next;
* a full run, which leaves withdrawn entries out, never moves the checkpoint past the hour in which it began, so the
  tombstones of what was withdrawn while it ran are in the next run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.fields.tuple_lookups import TupleGreaterThan

from seawall.exchange.models import Delivery, Entry, Feedback, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

# The stock client asks from second 10 when it has no checkpoint.
FROM_THE_START = 10
SECONDS = 3600
_TOKEN = re.compile(r"([0-9]{1,7})\.([0-9]{1,7})\.([0-9]{1,19})\.([0-9]{1,19})", re.ASCII)
# Signals by (kind, version), and their name in the protocol.
TYPES = {("image", "pdq1"): "ImagePDQ", ("video", "md5"): "VideoMD5"}


class BadPage(ValueError):
    """The page token is not one of ours."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records, ready to be encoded, and where the next one starts."""

    records: list[dict[str, Any]]
    values: list[bytes]
    token: str | None
    next_start: int  # nextSetTimestamp


@dataclass(frozen=True, slots=True)
class _Place:
    """A page token: the hour its run began, and the last record's place in the order."""

    began: int
    hour: int
    entry: int
    signal: int

    def __str__(self) -> str:
        return f"{self.began}.{self.hour}.{self.entry}.{self.signal}"


def _parse(token: str) -> _Place:
    found = _TOKEN.fullmatch(token)
    if found is None or max(int(part) for part in found.groups()) >= 1 << 63:
        raise BadPage("This is not a page token of ours. Leave it out to read from startTimestamp.")
    return _Place(*(int(part) for part in found.groups()))


def page(*, partner_id: int, start: int, size: int, token: str | None, hour: int) -> Page:
    """The next ``size`` records changed at or after ``start`` (seconds since 1970).

    :raises BadPage: the token is not ours
    """
    full = start <= FROM_THE_START
    after = _parse(token) if token else _Place(hour, start // SECONDS, -1, -1)
    rows = list(_records(partner_id, full=full, after=after)[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    values = [bytes(row[5]) for row in rows]
    said = _feedback(partner_id, values)
    records = [
        {
            "lastModtimestamp": changed * SECONDS,
            "signalType": TYPES[kind, version],
            "hashValue": value.hex(),
            "hashStatus": "Active" if active else "Withdrawn",
            "caseNumbers": {},
            "CSPFeedbacks": said.get(value, []),
        }
        for (changed, _, _, kind, version, _, active), value in zip(rows, values, strict=True)
    ]
    last = rows[-1][0] if rows else after.hour
    reached = (min(last, after.began) if full else last) * SECONDS
    following = str(_Place(after.began, *rows[-1][:3])) if more else None
    return Page(records, values, following, max(start, reached))


def _visible(partner_id: int, *, full: bool) -> QuerySet[Entry]:
    """The entries that partner may see: the active ones, and tombstones of what it was handed before."""
    handed = Delivery.objects.filter(entry=OuterRef("pk"), partner=partner_id, delivered__isnull=False)
    shown = Q(state=Entry.State.ACTIVE)
    if not full:
        shown |= Q(state=Entry.State.WITHDRAWING) & Q(Exists(handed))
    return Entry.objects.in_scope(partner_id).filter(shown)


def _records(partner_id: int, *, full: bool, after: _Place) -> QuerySet[Signal, tuple[Any, ...]]:
    visible = _visible(partner_id, full=full)
    same = Signal.objects.filter(value=OuterRef("value"), version=OuterRef("version"))
    newer = same.filter(
        Q(entry__changed__gt=OuterRef("entry__changed"))
        | Q(entry__changed=OuterRef("entry__changed"), entry_id__gt=OuterRef("entry_id")),
        entry__in=visible,
    )
    return (
        Signal.objects.filter(
            TupleGreaterThan(("entry__changed", "entry_id", "id"), (after.hour, after.entry, after.signal)),
            entry__in=visible,
        )
        .exclude(Exists(newer))
        .annotate(active=Exists(same.filter(entry__in=visible, entry__state=Entry.State.ACTIVE)))
        .order_by("entry__changed", "entry_id", "id")
        .values_list("entry__changed", "entry_id", "id", "kind", "version", "value", "active")
    )


def _feedback(partner_id: int, values: Iterable[bytes]) -> dict[bytes, list[dict[str, Any]]]:
    """What partners say of those values: one object a partner and opinion, its tags together."""
    rows = (
        Feedback.objects.filter(entry__in=Entry.objects.in_scope(partner_id), entry__signals__value__in=list(values))
        .values_list("entry__signals__value", "partner__name", "opinion", "tags")
        .order_by("partner__name", "opinion")
        .distinct()
    )
    said: dict[tuple[bytes, str, str], set[str]] = {}
    for value, source, opinion, tags in rows:
        said.setdefault((bytes(value), source, opinion), set()).update(tags)
    found: dict[bytes, list[dict[str, Any]]] = {}
    for (value, source, opinion), tags in said.items():
        found.setdefault(value, []).append({"feedbackValue": opinion, "tags": sorted(tags), "source": source})
    return found


def not_yet_handed(partner_id: int, values: Iterable[bytes]) -> QuerySet[Entry]:
    """Active entries of those values that FetchHashes has not handed to that partner before."""
    handed = Delivery.objects.filter(entry=OuterRef("pk"), partner=partner_id, pulled=True)
    ours = Signal.objects.filter(value__in=list(values)).values("entry")
    return _visible(partner_id, full=True).filter(~Exists(handed), pk__in=ours)
