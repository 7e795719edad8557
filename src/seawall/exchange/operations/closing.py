"""The worker's hourly job: a closed hour keeps no trace of what arrived together.

While an hour is open, the order of its feed numbers, of its rows on disk and of its transactions is the order of
arrival. When it is over:

1. `renumber`: its numbers are given out anew in the order of the entries' ids, which are random. On PostgreSQL every
   row that was written in it is written once more in that same transaction, so that all bear one transaction number.
2. `rewrite`: the tables and their indexes are written anew in the order of their random ids (VACUUM, CLUSTER), and
   SQLite's write-ahead log is emptied. The list of withdrawals is written anew too.

Both can be interrupted at any point and are done again from `FeedHour`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.db import connection
from django.db.models import F, Q

from seawall.exchange import queries
from seawall.exchange.hours import to_hours
from seawall.exchange.models import (
    Delivery,
    Entry,
    EntryPlatform,
    Feedback,
    FeedbackEvent,
    FeedCounter,
    FeedHour,
    HandedPage,
    Signal,
    Windows,
)
from seawall.exchange.operations.counter import change
from seawall.exchange.operations.entries import erase, withdrawn_entries
from seawall.exchange.operations.handed import mark_delivered

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.backends.utils import CursorWrapper

log = structlog.get_logger()
_LOG_PATIENCE = 1000  # milliseconds
# Every table whose rows belong to entries.
_ABOUT_ENTRIES = (Entry, Signal, Windows, EntryPlatform, HandedPage, Delivery, Feedback, FeedbackEvent)


def close_hours(*, now: datetime) -> int:
    """Close every hour that is over; answers how many. Safe to call at any time, as often as wanted."""
    counter = FeedCounter.objects.filter(pk=1).first()
    if counter is None:
        return 0
    if counter.hour < to_hours(now):
        with change(now):
            pass  # turns to the new hour, so that the old one gets its row
    for hour in FeedHour.objects.filter(renumbered=False).order_by("hour"):
        renumber(hour, now)
    unwritten = FeedHour.objects.filter(renumbered=True, rewritten=False)
    hours = list(unwritten.values_list("hour", flat=True))
    if not hours:
        return 0
    withdrawn_entries().tidy(now=now)
    if not rewrite():
        log.warning("an hour waits to be closed: something has been reading the database for long", hours=len(hours))
        return 0
    FeedHour.objects.filter(hour__in=hours).update(rewritten=True)
    return len(hours)


def erase_expired(*, now: datetime) -> int:
    """Erase the values of withdrawals that some partner has not confirmed for 30 days; answers how many."""
    overdue = Q(state=Entry.State.WITHDRAWING, changed__lte=to_hours(now) - queries.ERASED_AFTER)
    expired = list(Entry.objects.filter(overdue).values_list("pk", flat=True))
    for pk in expired:
        with change(now) as counter:
            entry = Entry.objects.get(pk=pk)
            for partner in queries.unconfirmed(entry, now):  # their receipts go on saying so
                mark_delivered([pk], partner, counter, pulled=False)
            erase(entry, counter)
    return len(expired)


def forget_events(*, now: datetime) -> None:
    """Drop what guards against counting an event twice after 30 days: no gate keeps an outbox that long."""
    FeedbackEvent.objects.filter(hour__lte=to_hours(now) - queries.ERASED_AFTER).delete()


def renumber(hour: FeedHour, now: datetime) -> None:
    """Give the hour's numbers out anew, in the order of the ids."""
    with change(now) as counter, connection.cursor() as sql:
        inside = Entry.objects.filter(number__gt=hour.first, number__lte=hour.last)
        inside.update(number=-F("number"))  # out of the way of the unique index
        sql.execute(
            "UPDATE exchange_entry SET number = %s + sorted.place"
            " FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM exchange_entry WHERE number < 0) AS sorted"
            " WHERE exchange_entry.id = sorted.id",
            [hour.first],
        )
        _blur(hour)
        if connection.vendor == "postgresql":
            _write_once_more(hour)
        hour.renumbered = True
        hour.save()
        counter.closed = hour.last


def _blur(hour: FeedHour) -> None:
    """Move what a partner confirmed within the hour to the next one, where the hour's last confirmations are.

    Else the hour of an acknowledgement would cut the hour of arrival in two: who came before it, and who after.
    """
    came = Entry.objects.filter(hour=hour.hour).values("pk")
    went = Entry.objects.filter(changed=hour.hour).values("pk")
    Delivery.objects.filter(entry__in=came, delivered=hour.hour).update(delivered=hour.hour + 1)
    Delivery.objects.filter(entry__in=went, withdrawn=hour.hour).update(withdrawn=hour.hour + 1)


def _write_once_more(hour: FeedHour) -> None:
    """Give every row of that hour the transaction number of this transaction."""
    came = Entry.objects.filter(hour=hour.hour).values("pk")
    Entry.objects.filter(Q(hour=hour.hour) | Q(changed=hour.hour)).update(h=F("h"))
    Signal.objects.filter(entry__in=came).update(quality=F("quality"))
    Windows.objects.filter(entry__in=came).update(value=F("value"))
    EntryPlatform.objects.filter(entry__in=came).update(platform=F("platform"))
    Delivery.objects.filter(
        Q(delivered__range=(hour.hour, hour.hour + 1)) | Q(withdrawn__range=(hour.hour, hour.hour + 1))
    ).update(pulled=F("pulled"))
    Feedback.objects.filter(hour=hour.hour).update(blocked=F("blocked"))
    FeedbackEvent.objects.filter(hour=hour.hour).update(hour=F("hour"))


def rewrite() -> bool:
    """Write tables and indexes anew in the order of their ids. Writers wait; on PostgreSQL readers do too.

    Answers whether it is done: on SQLite a long read (a backup, a shell) keeps the write-ahead log, and with it the
    order of arrival.
    """
    with connection.cursor() as sql:
        if connection.vendor == "sqlite":
            if not _empty_log(sql):  # a VACUUM now would only add to the log
                return False
            sql.execute("VACUUM")
            return _empty_log(sql)
        for model in _ABOUT_ENTRIES:
            table = model._meta.db_table  # noqa: SLF001 - Django documents _meta as public
            sql.execute(f'CLUSTER "{table}" USING "{table}_pkey"')
            sql.execute(f'ANALYZE "{table}"')
    return True


def _empty_log(sql: CursorWrapper) -> bool:
    """Empty SQLite's write-ahead log; whether no reader was in the way. Writers wait meanwhile, so it gives up soon."""
    (patience,) = sql.execute("PRAGMA busy_timeout").fetchone()
    sql.execute(f"PRAGMA busy_timeout = {_LOG_PATIENCE}")
    try:
        (busy, _, _) = sql.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        sql.execute(f"PRAGMA busy_timeout = {patience}")
    return not busy
