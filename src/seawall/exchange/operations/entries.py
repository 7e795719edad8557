"""Fingerprints in, and out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from seawall.exchange import queries
from seawall.exchange.models import Entry, EntryPlatform, FeedCounter, Signal, Windows, derived_id, entry_id
from seawall.exchange.operations.counter import change
from seawall.exchange.operations.handed import deliver_one
from seawall.exchange.wire import BadSubmission
from seawall.hashing.videos import VERSION as VPDQ
from seawall.hashing.videos import unpack
from seawall.lib.erasures import Erasures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from seawall.exchange.wire import Item, Submission


_ROWS_AT_A_TIME = 500


_ROWS_AT_A_TIME = 500


class EntryConflict(Exception):
    """An entry of that token exists and holds another fingerprint."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry that is in the bank."""

    entry: int
    state: str  # "active", "withdrawing" or "withdrawn"


def submit(*, submission: Submission, now: datetime) -> tuple[Accepted, ...]:
    """Put the fingerprints of one form into the bank, each in a transaction of its own.

    Sending the same again gives the same answer, also after a withdrawal: nothing comes back to life.

    :raises EntryConflict: a token is taken by another fingerprint; none of the form is stored
    :raises BadSubmission: it is for "all" and nobody takes part yet
    """
    scope = submission.scope
    slugs = scope.platforms
    if slugs is None:
        slugs = () if scope.future else tuple(slug for slug, _name in queries.platforms_today())
        if not slugs and not scope.future:
            raise BadSubmission(
                _("No platform takes part yet. Choose future platforms too, and they get it once they do.")
            )
    if len({entry_id(item.h) for item in submission.items}) < len(submission.items):
        raise EntryConflict(_("A picture was already sent with this token. Choose the pictures again."))
    held = {entry.pk: entry for entry in Entry.objects.filter(pk__in=[entry_id(item.h) for item in submission.items])}
    for item in submission.items:
        if (entry := held.get(entry_id(item.h))) is not None:
            _refuse_another(entry, item)
    return tuple(_submit_one(item, slugs, future=scope.future, now=now) for item in submission.items)


def _submit_one(item: Item, slugs: Iterable[str], *, future: bool, now: datetime) -> Accepted:
    with change(now) as counter:
        entry = Entry.objects.filter(pk=entry_id(item.h)).first()
        if entry is None:
            entry = store(item, counter, slugs, future=future)
        else:
            _refuse_another(entry, item)
    return Accepted(entry.pk, entry.state)


def _refuse_another(entry: Entry, item: Item) -> None:
    held = {row[1:4] for row in queries.signals_of([entry.pk], windows=True).get(entry.pk, ())}
    sent = {(item.kind, item.version, item.value)} | {
        (item.kind, version, value)
        for version, value in (("windows1", item.windows), ("md5", item.md5), ("sha256", item.sha256))
        if value is not None
    }
    qualities = set(entry.signals.filter(version=item.version).values_list("quality", flat=True)) or {item.quality}
    # An erased value can no longer be compared.
    if bytes(entry.h) != item.h or (held and (held != sent or max(qualities) != item.quality)):
        raise EntryConflict(_("A picture was already sent with this token. Choose the pictures again."))


def store(
    item: Item, counter: FeedCounter, slugs: Iterable[str], *, future: bool, finder_id: int | None = None
) -> Entry:
    """Write a new entry within a `change`: a person's, or what the partner ``finder_id`` found."""
    counter.number += 1
    entry = Entry.objects.create(
        pk=entry_id(item.h),
        h=item.h,
        source=Entry.Source.PERSON if finder_id is None else Entry.Source.PARTNER,
        finder_id=finder_id,
        hour=counter.hour,
        changed=counter.hour,
        number=counter.number,
        future=future,
    )
    Signal.objects.bulk_create(_signals(entry, item), _ROWS_AT_A_TIME)
    if item.windows is not None:
        Windows.objects.create(pk=derived_id("signal", item.h, 1), entry=entry, value=item.windows)
    EntryPlatform.objects.bulk_create(
        EntryPlatform(pk=derived_id("platform", entry.pk, slug), entry=entry, platform=slug) for slug in slugs
    )
    return entry


def _signals(entry: Entry, item: Item) -> Iterator[Signal]:
    """A picture's row; or a video's, one for its every frame, then those of its file."""

    def made(ordinal: int, version: str, value: bytes, quality: int, t: int | None = None) -> Signal:
        pk = derived_id("signal", item.h, ordinal)
        return Signal(pk=pk, entry=entry, kind=item.kind, version=version, value=value, quality=quality, t=t)

    if item.version != VPDQ:
        yield made(0, item.version, item.value, item.quality)
        return
    for version, digest in (("md5", item.md5), ("sha256", item.sha256)):
        if digest is not None:
            yield made(0 if version == "md5" else 1, version, digest, 100)
    for ordinal, frame in enumerate(unpack(item.value), start=2):
        yield made(ordinal, VPDQ, frame.pdq.bits, frame.pdq.quality, frame.t)


def withdraw(*, token: bytes, now: datetime) -> None:
    """Ask every partner to drop this fingerprint, and erase it here once all have. Twice is as good as once.

    :raises UnknownEntry: no entry bears this token
    """
    pk = queries.get_entry(token).pk
    note_withdrawn(pk)
    with change(now) as counter:
        entry = Entry.objects.get(pk=pk)
        if entry.state == Entry.State.ACTIVE:
            entomb(entry, counter, now)


def withdrawn_entries() -> Erasures:
    """The list of what was withdrawn, outside the database and its backups."""
    return Erasures(settings.DATA / "withdrawn.sqlite3")


def note_withdrawn(*entries: int) -> None:
    """List those entries for good, so that a restore cannot bring them back. Call it before they are entombed."""
    withdrawn_entries().add("entry", *(entry.to_bytes(8, "big") for entry in entries))


def withdraw_again(*, now: datetime) -> int:
    """After a restore: withdraw what the list says was withdrawn since that backup; answers how many."""
    listed = sorted(int.from_bytes(key, "big") for key in withdrawn_entries().all("entry"))
    chunks = [listed[at : at + _ROWS_AT_A_TIME] for at in range(0, len(listed), _ROWS_AT_A_TIME)]
    active = Entry.objects.filter(state=Entry.State.ACTIVE)
    back = [entry for chunk in chunks for entry in active.filter(pk__in=chunk)]
    for entry in back:
        with change(now) as counter:
            entomb(entry, counter, now)
    return len(back)


def entomb(entry: Entry, counter: FeedCounter, now: datetime) -> None:
    """Turn an active entry, which `note_withdrawn` has listed, into a tombstone of the feed, within a `change`."""
    deliver_one(entry.pk, counter)
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
    Windows.objects.filter(entry=entry).delete()
    entry.state, entry.changed = Entry.State.WITHDRAWN, counter.hour
    entry.save()
