"""What partners have got: by acknowledging the feed, or by fetching pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seawall.exchange import queries
from seawall.exchange.hours import to_hours
from seawall.exchange.models import Delivery, Entry, FeedCounter, Follower, Partner, derived_id
from seawall.exchange.operations.counter import change
from seawall.exchange.operations.entries import erase_confirmed
from seawall.exchange.operations.handed import mark_delivered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from seawall.exchange.cursor import Cursor
    from seawall.exchange.queries import Caller, Changes

# Deliveries are written this many at a time: a gate may acknowledge a whole bank at once.
_ROWS_AT_A_TIME = 2000


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
        active = confirmed.filter(state=Entry.State.ACTIVE)
        mark_delivered(list(active.values_list("pk", flat=True)), partner.pk, counter, pulled=False)
        gone = list(confirmed.filter(state=Entry.State.WITHDRAWING))
        _mark_withdrawn(gone, partner.pk, counter)
        erase_confirmed(gone, counter, now)


def hand_out(*, caller: Caller, cursor: Cursor | None, limit: int, now: datetime, windows: bool = False) -> Changes:
    """`queries.changes`, with a note that the partner was shown something before it is.

    :raises StaleCursor: the bank was restored since
    """
    page = queries.changes(caller, cursor=cursor, limit=limit, windows=windows)
    hour = to_hours(now)
    if page.changes and (caller.read is None or caller.read < hour):
        Partner.objects.filter(pk=caller.partner_id).update(read=hour)
    return page


def _mark_withdrawn(entries: Sequence[Entry], partner_id: int, counter: FeedCounter) -> None:
    for entry in entries:
        delivery, _ = Delivery.objects.get_or_create(
            pk=derived_id("delivery", entry.pk, partner_id),
            defaults={"entry": entry, "partner_id": partner_id, "withdrawn": counter.hour},
        )
        if delivery.withdrawn is None and not delivery.pulled:
            delivery.withdrawn = counter.hour
            delivery.save()
