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
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Exists, OuterRef, Q

from seawall.exchange.models import Delivery, Entry, Feedback, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

# The stock client asks from second 10 when it has no checkpoint.
FROM_THE_START = 10
SECONDS = 3600
_LAST_SIGNAL = (1 << 63) - 1
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


class _Record(NamedTuple):
    """A record, by the last entry of its value."""

    changed: int
    entry: int
    signal: int
    kind: str
    version: str
    value: bytes
    active: bool


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
    rows = _records(partner_id, full=full, after=after, size=size + 1)
    more = len(rows) > size
    rows = rows[:size]
    values = [row.value for row in rows]
    said = _feedback(partner_id, values)
    records: list[dict[str, Any]] = [
        {
            "lastModtimestamp": row.changed * SECONDS,
            "signalType": TYPES[row.kind, row.version],
            "hashValue": row.value.hex(),
            "hashStatus": "Active" if row.active else "Withdrawn",
            "caseNumbers": {},
            "CSPFeedbacks": said.get(row.value, []),
        }
        for row in rows
    ]
    last = rows[-1].changed if rows else after.hour
    reached = (min(last, after.began) if full else last) * SECONDS
    following = str(_Place(after.began, rows[-1].changed, rows[-1].entry, rows[-1].signal)) if more else None
    return Page(records, values, following, max(start, reached))


def _visible(partner_id: int, *, full: bool) -> QuerySet[Entry]:
    """The entries that partner may see: the active ones, and tombstones of what it was handed before."""
    handed = Delivery.objects.filter(entry=OuterRef("pk"), partner=partner_id, delivered__isnull=False)
    shown = Q(state=Entry.State.ACTIVE)
    if not full:
        shown |= Q(state=Entry.State.WITHDRAWING) & Q(Exists(handed))
    return Entry.objects.in_scope(partner_id).filter(shown)


def _records(partner_id: int, *, full: bool, after: _Place, size: int) -> list[_Record]:
    """The next ``size`` records behind that place, or all there are.

    Walks the entries along their index, a page at a time, and looks up who else has the same fingerprints: the cost of
    a page does not grow with the bank.
    """
    found: list[_Record] = []
    newest: dict[tuple[bytes, str], tuple[tuple[int, int], bool]] = {}
    batch = size + 1  # the first may be an entry whose signals are behind us
    entries = _behind(partner_id, full=full, after=after, size=batch)
    while entries:
        signals = _signals(entries, after)
        unknown = {value for _, _, _, _, version, value in signals if (value, version) not in newest}
        newest |= _newest(partner_id, unknown, full=full)
        for changed, entry, pk, kind, version, value in signals:
            last, active = newest[value, version]
            if last == (changed, entry):
                found.append(_Record(changed, entry, pk, kind, version, value, active))
        if len(found) >= size or len(entries) < batch:
            return found[:size]
        after = _Place(after.began, *entries[-1][::-1], _LAST_SIGNAL)
        entries = _behind(partner_id, full=full, after=after, size=batch)
    return found


def _behind(partner_id: int, *, full: bool, after: _Place, size: int) -> list[tuple[int, int]]:
    """The next (id, changed) at or behind that place: first the rest of its hour, then the hours after it.

    Two questions, because a database follows an index through each, and through their union it does not.
    """
    visible = _visible(partner_id, full=full).order_by("changed", "id").values_list("id", "changed")
    rest = list(visible.filter(changed=after.hour, id__gte=max(after.entry, 0))[:size])
    return rest + list(visible.filter(changed__gt=after.hour)[: size - len(rest)])


def _signals(entries: list[tuple[int, int]], after: _Place) -> list[tuple[int, int, int, str, str, bytes]]:
    """(changed, entry, signal, kind, version, value) of those entries, in the order of pages, behind that place."""
    changed = dict(entries)
    rows = Signal.objects.filter(entry__in=list(changed)).values_list("entry_id", "id", "kind", "version", "value")
    placed = sorted(
        (changed[entry], entry, pk, kind, version, bytes(value)) for entry, pk, kind, version, value in rows
    )
    return [row for row in placed if row[:3] > (after.hour, after.entry, after.signal)]


def _newest(
    partner_id: int, values: Iterable[bytes], *, full: bool
) -> dict[tuple[bytes, str], tuple[tuple[int, int], bool]]:
    """For each (value, version): (changed, id) of its last entry that the partner may see, and if any is active."""
    rows = (
        _visible(partner_id, full=full)
        .filter(signals__value__in=list(values))
        .values_list("signals__value", "signals__version", "changed", "id", "state")
    )
    newest: dict[tuple[bytes, str], tuple[tuple[int, int], bool]] = {}
    for value, version, changed, entry, state in rows.iterator():
        last, active = newest.get((bytes(value), version), ((0, 0), False))
        newest[bytes(value), version] = (max(last, (changed, entry)), active or state == Entry.State.ACTIVE)
    return newest


def _feedback(partner_id: int, values: Iterable[bytes]) -> dict[bytes, list[dict[str, Any]]]:
    """What partners say of those values: one object a partner and opinion, its tags together."""
    bearers = Signal.objects.filter(value__in=list(values)).values("entry")
    rows = list(
        Feedback.objects.filter(entry__in=bearers)
        .values_list("entry_id", "partner__name", "opinion", "tags")
        .order_by("partner__name", "opinion")
    )
    ours = Entry.objects.in_scope(partner_id).filter(pk__in={row[0] for row in rows})
    value_of = {entry: bytes(value) for entry, value in ours.values_list("id", "signals__value")}
    said: dict[tuple[bytes, str, str], set[str]] = {}
    for entry, source, opinion, tags in rows:
        if entry in value_of:
            said.setdefault((value_of[entry], source, opinion), set()).update(tags)
    found: dict[bytes, list[dict[str, Any]]] = {}
    for (value, source, opinion), tags in said.items():
        found.setdefault(value, []).append({"feedbackValue": opinion, "tags": sorted(tags), "source": source})
    return found


def not_yet_handed(partner_id: int, values: Iterable[bytes]) -> QuerySet[Entry]:
    """Active entries of those values that FetchHashes has not handed to that partner before."""
    handed = Delivery.objects.filter(entry=OuterRef("pk"), partner=partner_id, pulled=True)
    ours = Signal.objects.filter(value__in=list(values)).values("entry")
    return _visible(partner_id, full=True).filter(~Exists(handed), pk__in=ours)
