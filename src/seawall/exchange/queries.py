"""What the bank can be asked: a receipt's status, who takes part, and a partner's feed."""

from __future__ import annotations

import functools
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.db import connection
from django.db.models import Count

from seawall.directory.queries import platforms
from seawall.exchange.cursor import Cursor
from seawall.exchange.hours import to_hours, to_time
from seawall.exchange.models import (
    Delivery,
    Entry,
    Feedback,
    FeedCounter,
    FeedHour,
    Follower,
    HandedPage,
    Partner,
    PartnerPlatform,
    Signal,
    Windows,
    entry_id,
)
from seawall.hashing import Pdq
from seawall.hashing.videos import VERSION as VPDQ
from seawall.hashing.videos import Frame, pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

# A gate not heard of for this long no longer decides what counts as delivered.
GATE_IS_GONE_AFTER = 24  # hours
# How many changes a page may hold to be kept in memory for the next gate that asks.
_TAIL = 16
# Frames of videos in a page of the feed: 5 MB as text.
_MOST_FRAMES = 100_000
# A withdrawn value is erased after this long, also where a partner never confirmed.
ERASED_AFTER = 30 * 24  # hours

_SignalRow = tuple[int, str, str, bytes, int]  # id, kind, version, value, quality
# docs/spec/receipt.md says what each means.
PlatformState = Literal[
    "waiting",
    "does not report",
    "delivered",
    "loaded",
    "matched",
    "blocked",
    "refused",
    "asked to withdraw",
    "withdrawn",
    "asked, not confirmed",
]
# What a partner's last word on an entry means, where it says what it does with uploads.
_SAID: dict[str, PlatformState] = {"PendingReview": "matched", "Blocked": "blocked", "NotBlocked": "refused"}


class UnknownEntry(Exception):
    """No entry bears this token. A wrong token and one never sent look alike on purpose."""


class StaleCursor(Exception):
    """The cursor is of an earlier life of this bank: start anew and drop what does not come again."""


@dataclass(frozen=True, slots=True)
class PlatformStatus:
    """What became of an entry at one platform."""

    slug: str
    name: str
    partner: str
    state: PlatformState
    since: datetime  # the hour
    blocked: int  # uploads it said it stopped


@dataclass(frozen=True, slots=True)
class EntryStatus:
    """What became of an entry. ``hour`` is the hour of its submission."""

    state: str  # "active", "withdrawing" or "withdrawn"
    hour: datetime
    platforms: tuple[PlatformStatus, ...]


@dataclass(frozen=True, slots=True)
class Caller:
    """The partner whose key was shown, and where the feed stands: one query for both."""

    partner_id: int
    generation: int
    number: int
    closed: int
    read: int | None  # the last hour in which the feed brought this partner something


@dataclass(frozen=True, slots=True)
class Change:
    """An entry that came (with its signals) or went (with none)."""

    entry: int
    signals: tuple[_SignalRow, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """One page of a partner's feed."""

    cursor: Cursor
    changes: tuple[Change, ...]
    more: bool


def platforms_today() -> tuple[tuple[str, str], ...]:
    """(slug, name) of the platforms that some partner runs, in the directory's order."""
    running = set(PartnerPlatform.objects.values_list("platform", flat=True))
    return tuple((each.slug, each.name) for each in platforms() if each.slug in running)


def get_entry(token: bytes) -> Entry:
    """The entry of a receipt's token.

    :raises UnknownEntry: there is none
    """
    h = hashlib.sha256(token).digest()
    entry = Entry.objects.filter(pk=entry_id(h)).first()
    if entry is None or not hmac.compare_digest(bytes(entry.h), h):
        raise UnknownEntry("We do not know this token. Check that you copied all of it from your receipt.")
    return entry


def status(*, token: bytes, now: datetime) -> EntryStatus:
    """What became of the entry of that token.

    :raises UnknownEntry: no entry bears it
    """
    entry = get_entry(token)
    return EntryStatus(entry.state, to_time(entry.hour), platform_statuses(entry, now))


def platform_statuses(entry: Entry, now: datetime) -> tuple[PlatformStatus, ...]:
    """What became of that entry at each platform it is meant for, in the directory's order."""
    runs = _runs(entry)
    blocked = dict(Feedback.objects.filter(entry=entry).values_list("partner_id", "blocked"))
    states = _states(entry, {run.partner for run in runs}, now)
    names = {each.slug: each.name for each in platforms()}
    order = {slug: place for place, slug in enumerate(names)}
    return tuple(
        PlatformStatus(
            run.platform,
            names.get(run.platform, run.platform),
            run.partner.name,
            *states[run.partner_id],
            blocked.get(run.partner_id, 0),
        )
        for run in sorted(runs, key=lambda run: (order.get(run.platform, len(order)), run.partner.name))
    )


def unconfirmed(entry: Entry, now: datetime) -> list[int]:
    """The partners that were asked to drop the entry and have not said that they did."""
    states = _states(entry, {run.partner for run in _runs(entry)}, now)
    return [partner for partner, (state, _) in states.items() if state in {"asked to withdraw", "asked, not confirmed"}]


def _runs(entry: Entry) -> QuerySet[PartnerPlatform]:
    """The platforms an entry is meant for, with the partners that run them."""
    runs = PartnerPlatform.objects.select_related("partner")
    return runs if entry.future else runs.filter(platform__in=entry.platforms.values("platform"))


def _states(entry: Entry, partners: Iterable[Partner], now: datetime) -> dict[int, tuple[PlatformState, datetime]]:
    deliveries = {each.partner_id: each for each in Delivery.objects.filter(entry=entry)}
    if entry.state == Entry.State.ACTIVE:
        said = {each.partner_id: each for each in Feedback.objects.filter(entry=entry, opinion__in=_SAID)}
        return {each.pk: _state(entry, each, deliveries.get(each.pk), said.get(each.pk)) for each in partners}
    return {each.pk: _last_state(entry, each, deliveries.get(each.pk), now) for each in partners}


def _state(
    entry: Entry, partner: Partner, delivery: Delivery | None, said: Feedback | None
) -> tuple[PlatformState, datetime]:
    """Of an active entry: the most that is known of it at that partner."""
    if said is not None:
        return _SAID[said.opinion], to_time(said.hour)
    if delivery is None or delivery.delivered is None:
        return "waiting", to_time(entry.hour)
    if not delivery.pulled:
        return "loaded", to_time(delivery.delivered)
    return "does not report" if partner.reported is None else "delivered", to_time(delivery.delivered)


def _last_state(
    entry: Entry, partner: Partner, delivery: Delivery | None, now: datetime
) -> tuple[PlatformState, datetime]:
    """Of an entry that was taken back."""
    if delivery is not None and delivery.withdrawn is not None:
        return "withdrawn", to_time(delivery.withdrawn)
    if delivery is not None and (delivery.pulled or entry.state == Entry.State.WITHDRAWN):
        return "asked, not confirmed", to_time(entry.changed)
    # Erased, and never delivered: nobody was left to ask when it was erased, whatever was read since.
    if entry.state == Entry.State.WITHDRAWING and (delivery is not None or _may_hold(entry, partner, now)):
        return "asked to withdraw", to_time(entry.changed)
    return "withdrawn", to_time(entry.changed)


def _may_hold(entry: Entry, partner: Partner, now: datetime) -> bool:
    """Whether that partner was shown the entry, for all we know. Only a gate's word past the tombstone says no."""
    reached = delivered_to(partner, now)
    if reached is None:
        return partner.read is not None and partner.read >= entry.hour
    return reached < entry.number


def delivered_to(partner: Partner, now: datetime) -> int | None:
    """The number up to which every living gate of that partner has acknowledged; None if it has no living gate."""
    alive = Follower.objects.filter(partner=partner, seen__gte=to_hours(now) - GATE_IS_GONE_AFTER)
    places = [place(number, is_open=is_open) for number, is_open in alive.values_list("number", "open")]
    return min(places, default=None)


def caller(key_hash: bytes) -> Caller | None:
    """The partner of an /api/ key that is in force, with the state of the feed, in one query."""
    with connection.cursor() as sql:
        sql.execute(
            "SELECT k.partner_id, c.generation, c.number, c.closed, p.read FROM exchange_partnerkey k"
            " JOIN exchange_partner p ON p.id = k.partner_id CROSS JOIN exchange_feedcounter c"
            " WHERE k.hash = %s AND k.kind = 'api' AND k.revoked IS NULL",
            [key_hash],
        )
        row = sql.fetchone()
    return None if row is None else Caller(*row)


def place(number: int, *, is_open: bool) -> int:
    """What a number given out earlier means now: itself, or the start of its hour if that was closed meanwhile."""
    if not is_open:
        return number
    hour = FeedHour.objects.filter(renumbered=True, first__lt=number, last__gt=number).first()
    return number if hour is None else hour.first


def changes(caller: Caller, *, cursor: Cursor | None, limit: int, windows: bool = False) -> Changes:
    """The next ``limit`` (1 to 1000) changes of the partner's feed after ``cursor``, or from the beginning.

    ``windows``: with the windows1 signals too.

    :raises StaleCursor: the bank was restored since
    """
    if cursor is not None and (cursor.generation != caller.generation or cursor.number > caller.number):
        raise StaleCursor("The bank was restored. Follow it anew without a cursor, and drop what does not come again.")
    here = Cursor(caller.generation, caller.number, caller.number > caller.closed)
    if cursor is not None and cursor.number == caller.number and not (cursor.open and not here.open):
        return Changes(cursor, (), more=False)
    read = _changes
    # What a gate read of an hour that is closed may begin at the hour's first change: no short page.
    moved = cursor is not None and cursor.open and cursor.number < caller.closed
    if cursor is not None and caller.number - cursor.number <= _TAIL and not moved:
        read = _last_changes
    try:
        return read(caller, cursor, limit, windows=windows)
    except _HourClosed:  # answer from where the follower was
        return Changes(cursor or Cursor(caller.generation, 0, open=False), (), more=True)


class _HourClosed(Exception):
    """An hour was closed while we read: its numbers moved under us."""


def _changes(caller: Caller, cursor: Cursor | None, limit: int, *, windows: bool) -> Changes:
    after = 0 if cursor is None else place(cursor.number, is_open=cursor.open)
    rows = list(
        Entry.objects.in_scope(caller.partner_id)
        .filter(number__gt=after, number__lte=caller.number)
        .order_by("number")
        .values_list("id", "state", "number")[: limit + 1]
    )
    more = len(rows) > limit
    rows = rows[:limit]
    active = [pk for pk, state, _ in rows if state == Entry.State.ACTIVE]
    fit = _fitting([row[0] for row in rows], active)
    more, rows = more or fit < len(rows), rows[:fit]
    signals = signals_of([pk for pk, state, _ in rows if state == Entry.State.ACTIVE], windows=windows)
    if FeedCounter.objects.values_list("closed", flat=True).first() not in {None, caller.closed}:
        raise _HourClosed
    number = rows[-1][2] if more else caller.number
    found = tuple(Change(pk, signals.get(pk, ())) for pk, _, _ in rows)
    return Changes(Cursor(caller.generation, number, number > caller.closed), found, more)


# All gates of a partner stand near the end of the feed and ask for the same page within half a second of a change. It
# follows from the arguments: whatever changes an entry changes the feed's number, and a partner's platforms stay.
_last_changes = functools.lru_cache(maxsize=64)(_changes)


def _fitting(entries: Sequence[int], active: Sequence[int]) -> int:
    """How many of these changes a page holds: with videos of an hour a thousand would be 170 MB."""
    counts = Signal.objects.filter(entry__in=active, version=VPDQ).values_list("entry_id").annotate(Count("id"))
    frames = dict(counts.order_by())
    total = 0
    for place, entry in enumerate(entries):
        total += frames.get(entry, 0)
        if total > _MOST_FRAMES and place:
            return place
    return len(entries)


def signals_of(entries: Sequence[int], *, windows: bool) -> dict[int, tuple[_SignalRow, ...]]:
    """The signals of those entries. A video's frames are one, packed (docs/spec/video.md), under the first's number."""
    rows = Signal.objects.filter(entry__in=entries).order_by("id")
    found: dict[int, tuple[_SignalRow, ...]] = {}
    frames: dict[int, list[tuple[int, int, bytes, int]]] = {}
    for entry, pk, kind, version, value, quality, t in rows.values_list(
        "entry_id", "id", "kind", "version", "value", "quality", "t"
    ):
        if version == VPDQ:
            frames.setdefault(entry, []).append((t or 0, pk, bytes(value), quality))
        else:
            found[entry] = (*found.get(entry, ()), (pk, kind, version, bytes(value), quality))
    for entry, theirs in frames.items():
        theirs.sort()
        packed = pack([Frame(t, Pdq(value, quality)) for t, _, value, quality in theirs])
        signal = (theirs[0][1], "video", VPDQ, packed, max(quality for *_, quality in theirs))
        found[entry] = (signal, *found.get(entry, ()))
    if windows:
        for each in Windows.objects.filter(entry__in=found):
            signal = (each.pk, "image", "windows1", bytes(each.value), each.quality)
            found[each.entry_id] = (*found[each.entry_id], signal)
    return found


def in_order_of_arrival() -> int:
    """How many changes still stand in the order in which they came: those of hours that are not closed yet."""
    counter = FeedCounter.objects.filter(pk=1).first()
    return 0 if counter is None else counter.number - counter.closed


def handed_pages() -> int:
    """How many pages of FetchHashes wait for the worker to note them as delivered."""
    return HandedPage.objects.count()


def partner_lines() -> list[str]:
    """What an operator sees of each partner: platforms, last full fetch, gates, keys by number."""
    lines = []
    for partner in Partner.objects.prefetch_related("platforms", "keys", "followers").order_by("name"):
        full = "never" if partner.full_fetch is None else f"{to_time(partner.full_fetch):%Y-%m-%d %H:00} UTC"
        lines.append(f"{partner.name}: {', '.join(each.platform for each in partner.platforms.all())}")
        lines.append(f"  last full fetch under /v1/: {full}; gates under /api/: {partner.followers.count()}")
        lines += ["  gets frames of videos under /v1/"] if partner.video_frames else []
        lines += [
            f"  key {key.pk}: {key.kind}, of {to_time(key.created):%Y-%m-%d}" + (", revoked" if key.revoked else "")
            for key in partner.keys.all()
        ]
    return lines
