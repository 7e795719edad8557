"""What changes the bank. Every change locks the feed's counter first and holds it until it commits (`change`)."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from seawall.directory.queries import platforms
from seawall.exchange import queries
from seawall.exchange.hours import to_hours
from seawall.exchange.keys import hash_key, make_key
from seawall.exchange.models import (
    Delivery,
    Entry,
    EntryPlatform,
    Feedback,
    FeedbackEvent,
    FeedCounter,
    FeedHour,
    Follower,
    Partner,
    PartnerKey,
    PartnerPlatform,
    Signal,
    derived_id,
    entry_id,
)
from seawall.exchange.wire import BadSubmission

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from seawall.exchange.cursor import Cursor
    from seawall.exchange.queries import Caller
    from seawall.exchange.wire import Item, Submission

# Deliveries are written this many at a time: a gate may acknowledge a whole bank at once.
_ROWS_AT_A_TIME = 2000
_ENTRY_IDS = 1 << 63


class EntryConflict(Exception):
    """An entry of that token exists and holds another fingerprint."""


class PartnerExists(Exception):
    """A partner of that name is there already."""


class UnknownPlatform(Exception):
    """The directory has no platform of that slug."""


class UnknownPartner(Exception):
    """There is no partner of that name."""


class UnknownKey(Exception):
    """There is no key in force of that number."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry that is in the bank."""

    entry: int
    state: str  # "active", "withdrawing" or "withdrawn"


@dataclass(frozen=True, slots=True)
class Blocked:
    """A gate's word that it stopped an upload because of an entry."""

    event: UUID
    entry: int


@contextmanager
def change(now: datetime) -> Iterator[FeedCounter]:
    """One change of the bank, its counter locked until it commits. Turns to a new hour when ``now`` is in one."""
    with transaction.atomic():
        counter = FeedCounter.objects.select_for_update().filter(pk=1).first()
        hour = to_hours(now)
        if counter is None:
            counter = FeedCounter.objects.create(generation=secrets.randbits(63), hour=hour)
        if hour > counter.hour:
            FeedHour.objects.create(hour=counter.hour, first=counter.first, last=counter.number)
            counter.hour, counter.first = hour, counter.number
        yield counter
        counter.save()


def submit(*, submission: Submission, now: datetime) -> tuple[Accepted, ...]:
    """Put the fingerprints of one form into the bank, each in a transaction of its own.

    Sending the same again gives the same answer, also after a withdrawal: nothing comes back to life.

    :raises EntryConflict: a token is taken by another fingerprint; none of the form is stored
    :raises BadSubmission: it is for "all" and nobody takes part yet
    """
    scope = submission.scope
    slugs = scope.platforms
    if slugs is None:
        slugs = () if scope.future else tuple(slug for slug, _ in queries.platforms_today())
        if not slugs and not scope.future:
            raise BadSubmission(
                "No platform takes part yet. Choose future platforms too, and they get it once they do."
            )
    held = {entry.pk: entry for entry in Entry.objects.filter(pk__in=[entry_id(item.h) for item in submission.items])}
    for item in submission.items:
        if (entry := held.get(entry_id(item.h))) is not None:
            _same_or_conflict(entry, item)
    return tuple(_keep(item, slugs, future=scope.future, now=now) for item in submission.items)


def _same_or_conflict(entry: Entry, item: Item) -> Accepted:
    signal = entry.signals.first()
    same = bytes(entry.h) == item.h and (  # an erased value can no longer be compared
        signal is None
        or (signal.kind, signal.version, bytes(signal.value), signal.quality)
        == (item.kind, item.version, item.value, item.quality)
    )
    if not same:
        raise EntryConflict("A picture was already sent with this token. Choose the pictures again.")
    return Accepted(entry.pk, entry.state)


def _keep(
    item: Item, slugs: Iterable[str], *, future: bool, now: datetime, source: Entry.Source = Entry.Source.PERSON
) -> Accepted:
    pk = entry_id(item.h)
    with change(now) as counter:
        if (entry := Entry.objects.filter(pk=pk).first()) is not None:
            return _same_or_conflict(entry, item)
        counter.number += 1
        Entry.objects.create(
            pk=pk,
            h=item.h,
            source=source,
            hour=counter.hour,
            changed=counter.hour,
            number=counter.number,
            future=future,
        )
        Signal.objects.create(
            pk=derived_id("signal", item.h, 0),
            entry_id=pk,
            kind=item.kind,
            version=item.version,
            value=item.value,
            quality=item.quality,
        )
        EntryPlatform.objects.bulk_create(
            EntryPlatform(pk=derived_id("platform", pk, slug), entry_id=pk, platform=slug) for slug in slugs
        )
    return Accepted(pk, "active")


def withdraw(*, token: bytes, now: datetime) -> None:
    """Ask every partner to drop this fingerprint, and erase it here once all have. Twice is as good as once.

    :raises UnknownEntry: no entry bears this token
    """
    withdraw_entry(queries.get_entry(token).pk, now)


def withdraw_entry(pk: int, now: datetime) -> None:
    """Turn that entry into a tombstone of the feed."""
    with change(now) as counter:
        entry = Entry.objects.get(pk=pk)
        if entry.state != Entry.State.ACTIVE:
            return
        counter.number += 1
        entry.state, entry.changed, entry.number = Entry.State.WITHDRAWING, counter.hour, counter.number
        entry.save()
        erase_confirmed([entry], counter, now)


def erase_confirmed(entries: Iterable[Entry], counter: FeedCounter, now: datetime) -> None:
    """Erase the values of those whose withdrawal every partner in scope has confirmed."""
    for entry in entries:
        if all(each.state == "withdrawn" for each in queries.platform_statuses(entry, now)):
            erase(entry, counter)


def erase(entry: Entry, counter: FeedCounter) -> None:
    """Delete the fingerprint; the tombstone stays for followers that were away."""
    entry.signals.all().delete()
    entry.state, entry.changed = Entry.State.WITHDRAWN, counter.hour
    entry.save()


def acknowledge(*, caller: Caller, gate: UUID, cursor: Cursor, now: datetime) -> None:
    """A gate holds, on disk and in its index, everything up to ``cursor``.

    What every living gate of the partner has acknowledged is delivered, or withdrawn.

    :raises StaleCursor: the cursor is of an earlier life of this bank, or ahead of it
    """
    if cursor.generation != caller.generation or cursor.number > caller.number:
        raise queries.StaleCursor("The bank was restored. Follow it anew without a cursor.")
    told = {"number": cursor.number, "open": cursor.open, "seen": to_hours(now)}
    if Follower.objects.filter(partner=caller.partner_id, gate=gate, **told).exists():
        return
    with change(now) as counter:
        Follower.objects.update_or_create(partner_id=caller.partner_id, gate=gate, defaults=told)
        partner = Partner.objects.get(pk=caller.partner_id)
        before = queries.place(partner.delivered_number, is_open=partner.delivered_open)
        reached = queries.delivered_to(partner, now)
        if reached is None or reached <= before:
            return
        partner.delivered_number, partner.delivered_open = reached, reached > counter.closed
        partner.save()
        confirmed = Entry.objects.in_scope(partner.pk).filter(number__gt=before, number__lte=reached)
        mark_delivered(confirmed.filter(state=Entry.State.ACTIVE), partner.pk, counter, pulled=False)
        gone = list(confirmed.filter(state=Entry.State.WITHDRAWING))
        _mark_withdrawn(gone, partner.pk, counter)
        erase_confirmed(gone, counter, now)


def mark_delivered(entries: QuerySet[Entry], partner_id: int, counter: FeedCounter, *, pulled: bool) -> None:
    """Note that the partner has those entries, if it is news."""
    rows = (
        Delivery(
            pk=derived_id("delivery", pk, partner_id),
            entry_id=pk,
            partner_id=partner_id,
            delivered=counter.hour,
            pulled=pulled,
        )
        for pk in list(entries.values_list("pk", flat=True))
    )
    if pulled:
        Delivery.objects.bulk_create(
            rows, _ROWS_AT_A_TIME, update_conflicts=True, unique_fields=["id"], update_fields=["pulled"]
        )
    else:
        Delivery.objects.bulk_create(rows, _ROWS_AT_A_TIME, ignore_conflicts=True)


def _mark_withdrawn(entries: Sequence[Entry], partner_id: int, counter: FeedCounter) -> None:
    for entry in entries:
        delivery, _ = Delivery.objects.get_or_create(
            pk=derived_id("delivery", entry.pk, partner_id),
            defaults={"entry": entry, "partner_id": partner_id, "withdrawn": counter.hour},
        )
        if delivery.withdrawn is None and not delivery.pulled:
            delivery.withdrawn = counter.hour
            delivery.save()


def take_feedback(*, caller: Caller, events: Sequence[Blocked], now: datetime) -> int:
    """Count uploads that a gate stopped. Answers how many events were about entries it may speak of.

    An event counts once however often it is sent. Unknown, withdrawn and foreign entries are passed over.
    """
    if not events:
        return 0
    with change(now) as counter:
        active = Entry.objects.in_scope(caller.partner_id).filter(state=Entry.State.ACTIVE)
        known = active.in_bulk({event.entry for event in events if event.entry < _ENTRY_IDS})
        ours = {
            derived_id("event", caller.partner_id, e.event.bytes, e.entry): e.entry for e in events if e.entry in known
        }
        old = FeedbackEvent.objects.in_bulk(ours)
        new = {pk: entry for pk, entry in ours.items() if pk not in old}
        FeedbackEvent.objects.bulk_create(FeedbackEvent(pk=pk, hour=counter.hour) for pk in new)
        for pk in new.values():
            set_opinion(known[pk], caller.partner_id, counter, opinion="Blocked", blocked=1)
    return sum(event.entry in known for event in events)


def set_opinion(
    entry: Entry,
    partner_id: int,
    counter: FeedCounter,
    *,
    opinion: str,
    tags: Sequence[str] | None = None,
    blocked: int,
) -> None:
    """Note what the partner thinks of the entry. Partners that poll see it when it differs from before."""
    said, is_new = Feedback.objects.get_or_create(
        pk=derived_id("feedback", entry.pk, partner_id),
        defaults={
            "entry": entry,
            "partner_id": partner_id,
            "opinion": opinion,
            "hour": counter.hour,
            "tags": tags or [],
        },
    )
    kept = said.tags if tags is None else list(tags)
    if is_new or (said.opinion, said.tags) != (opinion, kept):
        Entry.objects.filter(pk=entry.pk).update(changed=counter.hour)
    said.opinion, said.tags, said.hour = opinion, kept, counter.hour
    said.blocked += blocked
    said.save()


def add_partner(*, name: str, slugs: Sequence[str], now: datetime) -> dict[str, str]:
    """Let a partner follow the bank. Answers its keys by kind; they are shown this once.

    :raises PartnerExists: the name is taken
    :raises UnknownPlatform: a slug the directory does not have
    """
    known = {each.slug for each in platforms()}
    for slug in slugs:
        if slug not in known:
            raise UnknownPlatform(f"No platform is called {slug!r}. Known are: {', '.join(sorted(known))}.")
    with change(now) as counter:
        if Partner.objects.filter(name=name).exists():
            raise PartnerExists(f"There is a partner called {name!r} already. `seawall partner rotate` makes new keys.")
        partner = Partner.objects.create(name=name, created=counter.hour)
        PartnerPlatform.objects.bulk_create(
            PartnerPlatform(partner=partner, platform=slug) for slug in dict.fromkeys(slugs)
        )
        return {kind.value: _new_key(partner, kind, counter) for kind in PartnerKey.Kind}


def rotate_keys(*, name: str, now: datetime) -> dict[str, str]:
    """Give a partner a second set of keys. The old ones stay in force until they are revoked.

    :raises UnknownPartner: there is none of that name
    """
    with change(now) as counter:
        partner = Partner.objects.filter(name=name).first()
        if partner is None:
            raise UnknownPartner(f"There is no partner called {name!r}. `seawall partner list` shows them.")
        return {kind.value: _new_key(partner, kind, counter) for kind in PartnerKey.Kind}


def _new_key(partner: Partner, kind: PartnerKey.Kind, counter: FeedCounter) -> str:
    key = make_key()
    PartnerKey.objects.create(partner=partner, kind=kind, hash=hash_key(key), created=counter.hour)
    return key


def revoke_key(*, number: int, now: datetime) -> None:
    """End a key, from the next request on.

    :raises UnknownKey: no key in force has that number
    """
    in_force = PartnerKey.objects.filter(pk=number, revoked=None)
    if not in_force.update(revoked=to_hours(now)):
        raise UnknownKey(f"No key in force has the number {number}. `seawall partner list` shows them.")


def start_generation(*, now: datetime) -> None:
    """After a restore: every follower starts anew, because the bank may have forgotten what they hold."""
    with change(now) as counter:
        counter.generation = secrets.randbits(63)
        Follower.objects.all().delete()
        Partner.objects.update(delivered_number=0, delivered_open=False)
