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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import OuterRef, Q

from seawall.exchange.models import Delivery, Entry, Feedback, Partner, asked_of_each

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

# The stock client asks from second 10 when it has no checkpoint.
FROM_THE_START = 10
SECONDS = 3600
_TOKEN = re.compile(r"([0-9]{1,7})\.([0-9]{1,7})\.([0-9]{1,19})\.([0-9]{1,19})", re.ASCII)
_Value = tuple[bytes, str]  # and its name in the protocol
_Row = tuple[int, int, int, str, bytes]  # changed, entry, signal, name, value
# Signals by (kind, version), and their name in the protocol.
TYPES = {("image", "pdq1"): "ImagePDQ", ("video", "md5"): "VideoMD5"}
_NAMES = {version: name for (_, version), name in TYPES.items()}
# For a partner that asked for it: every frame of a video as a picture.
_NAMES_WITH_FRAMES = _NAMES | {"vpdq1": "ImagePDQ"}


class BadPage(ValueError):
    """The page token is not one of ours."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records, ready to be encoded, and where the next one starts."""

    records: list[dict[str, Any]]
    fresh: list[int]  # the active entries of its values that the partner was not handed before
    token: str | None
    next_start: int  # nextSetTimestamp


@dataclass(slots=True)
class _Bearers:
    """The entries that have one value and that the partner may see."""

    last: tuple[int, int] = (0, 0)  # (changed, id) of the last of them
    active: bool = False
    fresh: list[int] = field(default_factory=list)  # active, and not handed out to the partner before
    said_of: list[int] = field(default_factory=list)  # some partner gave feedback


class _Record(NamedTuple):
    """A record, by the last entry of its value."""

    changed: int
    entry: int
    signal: int
    name: str
    value: bytes
    bearers: _Bearers


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
    frames = Partner.objects.filter(pk=partner_id, video_frames=True).exists()
    after = _parse(token) if token else _Place(hour, start // SECONDS, -1, -1)
    names = _NAMES_WITH_FRAMES if frames else _NAMES
    rows = _records(partner_id, names, full=full, after=after, size=size + 1)
    more = len(rows) > size
    rows = rows[:size]
    said = _feedback(rows)
    records: list[dict[str, Any]] = [
        {
            "lastModtimestamp": row.changed * SECONDS,
            "signalType": row.name,
            "hashValue": row.value.hex(),
            "hashStatus": "Active" if row.bearers.active else "Withdrawn",
            "caseNumbers": {},
            "CSPFeedbacks": said.get(row.signal, []),
        }
        for row in rows
    ]
    last = rows[-1].changed if rows else after.hour
    reached = (min(last, after.began) if full else last) * SECONDS
    following = str(_Place(after.began, rows[-1].changed, rows[-1].entry, rows[-1].signal)) if more else None
    fresh = {entry: None for row in rows for entry in row.bearers.fresh}
    return Page(records, list(fresh), following, max(start, reached))


def _visible(partner_id: int, *, full: bool) -> QuerySet[Entry]:
    """The entries that partner may see: the active ones, and tombstones of what it was handed before."""
    handed = Delivery.objects.filter(entry=OuterRef("pk"), partner=partner_id, delivered__isnull=False)
    shown = Q(state=Entry.State.ACTIVE)
    if not full:
        shown |= Q(state=Entry.State.WITHDRAWING) & Q(asked_of_each(handed))
    return Entry.objects.in_scope(partner_id).filter(shown)


def _records(partner_id: int, names: dict[str, str], *, full: bool, after: _Place, size: int) -> list[_Record]:
    """The next ``size`` records behind that place, or all there are.

    Walks the entries along their index, a page at a time, and looks up who else has the same fingerprints: the cost of
    a page does not grow with the bank.
    """
    found: list[_Record] = []
    bearers: dict[_Value, _Bearers] = {}
    while True:
        rows = _behind(partner_id, names, full=full, after=after, size=size)
        unknown = {value for _, _, _, name, value in rows if (value, name) not in bearers}
        bearers |= _bearers(partner_id, names, unknown, full=full)
        for changed, entry, pk, name, value in rows:
            # Withdrawn and erased since we read it: its tombstone stands at a later place.
            theirs = bearers.get((value, name))
            if theirs is not None and theirs.last == (changed, entry):
                found.append(_Record(changed, entry, pk, name, value, theirs))
        if len(found) >= size or len(rows) < size:
            return found[:size]
        after = _Place(after.began, *rows[-1][:3])


def _behind(partner_id: int, names: dict[str, str], *, full: bool, after: _Place, size: int) -> list[_Row]:
    """The next signals behind that place: of its entry, of the rest of its hour, and of the hours after it.

    Three questions, because a database follows an index through each, and through their union it does not.
    """
    visible = _visible(partner_id, full=full).order_by("changed", "id", "signals__id")
    rows: list[tuple[Any, ...]] = []
    for place in (
        {"changed": after.hour, "id": after.entry, "signals__id__gt": after.signal},
        {"changed": after.hour, "id__gt": after.entry},
        {"changed__gt": after.hour},
    ):
        if len(rows) < size:
            found = visible.filter(signals__version__in=list(names), **place)
            some = found.values_list("changed", "id", "signals__id", "signals__version", "signals__value")
            rows += some[: size - len(rows)]
    return [(*row[:3], names[row[3]], bytes(row[4])) for row in rows]


def _bearers(partner_id: int, names: dict[str, str], values: Iterable[bytes], *, full: bool) -> dict[_Value, _Bearers]:
    """Who else has those values, of the entries that the partner may see."""
    handed = Delivery.objects.filter(entry=OuterRef("pk"), partner=partner_id, pulled=True)
    said = Feedback.objects.filter(entry=OuterRef("pk"))
    rows = (
        _visible(partner_id, full=full)
        .filter(signals__value__any_of=list(values))
        .annotate(handed=asked_of_each(handed), said=asked_of_each(said))
        .values_list("signals__value", "signals__version", "changed", "id", "state", "handed", "said")
    )
    found: dict[_Value, _Bearers] = {}
    for value, version, changed, entry, state, is_handed, is_said_of in rows:
        if version not in names:
            continue
        theirs = found.setdefault((bytes(value), names[version]), _Bearers())
        theirs.last = max(theirs.last, (changed, entry))
        if state == Entry.State.ACTIVE:
            theirs.active = True
            if not is_handed:
                theirs.fresh.append(entry)
        if is_said_of:
            theirs.said_of.append(entry)
    return found


def _feedback(rows: Iterable[_Record]) -> dict[int, list[dict[str, Any]]]:
    """What partners say of each record (by its signal): one object a partner and opinion, its tags together."""
    records_of: dict[int, list[int]] = {}
    for row in rows:
        for entry in row.bearers.said_of:
            records_of.setdefault(entry, []).append(row.signal)
    if not records_of:
        return {}
    opinions = Feedback.objects.filter(entry__in=list(records_of)).order_by("partner__name", "opinion")
    said: dict[tuple[int, str, str], set[str]] = {}
    for entry, source, opinion, tags in opinions.values_list("entry_id", "partner__name", "opinion", "tags"):
        for record in records_of[entry]:
            said.setdefault((record, source, opinion), set()).update(tags)
    found: dict[int, list[dict[str, Any]]] = {}
    for (record, source, opinion), tags in said.items():
        found.setdefault(record, []).append({"feedbackValue": opinion, "tags": sorted(tags), "source": source})
    return found
