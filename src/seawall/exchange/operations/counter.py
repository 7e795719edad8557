"""The lock that every change of the bank takes first and holds until it commits."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction

from seawall.exchange.hours import to_hours
from seawall.exchange.models import FeedCounter, FeedHour, Follower, Partner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@contextmanager
def change(now: datetime) -> Iterator[FeedCounter]:
    """One change of the bank, in a transaction. Turns to a new hour when ``now`` is in one; never nest it.

    On PostgreSQL the row lock, on SQLite BEGIN IMMEDIATE makes changes queue, so numbers and hours become visible in
    their order (`FeedCounter`).
    """
    with transaction.atomic(durable=True):
        counter = FeedCounter.objects.select_for_update().filter(pk=1).first()
        hour = to_hours(now)
        if counter is None:
            counter = FeedCounter.objects.create(generation=secrets.randbits(63), hour=hour)
        if hour > counter.hour:
            FeedHour.objects.create(hour=counter.hour, first=counter.first, last=counter.number)
            counter.hour, counter.first = hour, counter.number
        yield counter
        counter.save()


def start_generation(*, now: datetime) -> None:
    """After a restore: every follower starts anew, because the bank may have forgotten what they hold."""
    with change(now) as counter:
        counter.generation = secrets.randbits(63)
        Follower.objects.all().delete()
        Partner.objects.update(delivered_number=0, delivered_open=False)
