"""What FetchHashes handed to a partner.

A page of 800 records would be 800 rows to write while the partner waits. So the page is kept as one row, and the worker
notes the entries one by one soon after. Whoever must know sooner asks for it here.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Q

from seawall.exchange.hours import to_hours
from seawall.exchange.models import Entry, HandedPage, Partner, derived_id
from seawall.exchange.operations.counter import change

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from seawall.exchange.models import FeedCounter

# Deliveries are written this many at a time: a gate may acknowledge a whole bank at once.
_ROWS_AT_A_TIME = 2000
# The numbers of 900 entries fit a page of PostgreSQL, beside the rest of the row.
_MOST_A_PAGE = 900


def note_fetch(*, partner_id: int, entries: Sequence[int], full: bool, now: datetime) -> bool:
    """Those entries go out for the first time; ``full`` if they end a run from the start. Call it before they do.

    False: one of them was withdrawn since the page was read. Whoever did that could not know who holds it, so it must
    not go out: read the page again.
    """
    hour = to_hours(now)
    if full and not Partner.objects.filter(pk=partner_id, full_fetch=hour).exists():
        Partner.objects.filter(pk=partner_id).update(full_fetch=hour)
    if entries:
        Partner.objects.filter(Q(read=None) | Q(read__lt=hour), pk=partner_id).update(read=hour)
        parts = [entries[at : at + _MOST_A_PAGE] for at in range(0, len(entries), _MOST_A_PAGE)]
        pages = HandedPage.objects.bulk_create(
            HandedPage(partner_id=partner_id, entries=array("Q", part).tobytes()) for part in parts
        )
        # Whoever withdraws from now on sees these pages.
        if any(Entry.objects.filter(pk__in=part).exclude(state=Entry.State.ACTIVE).exists() for part in parts):
            HandedPage.objects.filter(pk__in=[page.pk for page in pages]).delete()
            return False
    return True


def note_deliveries(*, now: datetime) -> int:
    """Note as delivered what was handed out; answers how many pages. The worker's job, a page a transaction."""
    pages = list(HandedPage.objects.order_by("pk").values_list("pk", flat=True))
    for pk in pages:
        with change(now) as counter:
            deliver(HandedPage.objects.filter(pk=pk), counter)
    return len(pages)


def deliver(pages: Iterable[HandedPage], counter: FeedCounter) -> None:
    """Note what those pages held as delivered, within a `change`."""
    for page in pages:
        mark_delivered(array("Q", bytes(page.entries)), page.partner_id, counter, pulled=True)
        page.delete()


def deliver_one(entry: int, counter: FeedCounter) -> None:
    """Note that entry as delivered to whom it was handed, within a `change`."""
    for page in HandedPage.objects.all():
        if entry in array("Q", bytes(page.entries)):
            mark_delivered([entry], page.partner_id, counter, pulled=True)


def mark_delivered(entries: Sequence[int], partner_id: int, counter: FeedCounter, *, pulled: bool) -> None:
    """Note those entries as delivered to the partner this hour; ``pulled`` by FetchHashes, and not by a gate.

    Written as SQL, because 800 of them cost a few milliseconds so and 50 through the ORM.
    """
    # Handed out by FetchHashes it is no longer certain that it was dropped, whatever a gate confirmed meanwhile.
    known = "UPDATE SET pulled = TRUE, withdrawn = NULL" if pulled else "NOTHING"
    with connection.cursor() as sql:
        for at in range(0, len(entries), _ROWS_AT_A_TIME):
            rows = ", ".join(
                f"({derived_id('delivery', pk, partner_id)}, {pk}, {partner_id}, {counter.hour}, {pulled})"
                for pk in entries[at : at + _ROWS_AT_A_TIME]
            )
            sql.execute(
                "INSERT INTO exchange_delivery (id, entry_id, partner_id, delivered, pulled)"  # noqa: S608 - numbers
                f" VALUES {rows} ON CONFLICT (id) DO {known}"
            )
