"""Fill a bank with entries, as `python -m bench._bank N` in the environment of the site to fill."""

from __future__ import annotations

import hashlib
import random
import sys
from datetime import UTC, datetime

import django
from django.db import connection


def fill(entries: int, hours: int = 48) -> None:
    """Store that many entries of one picture each for Facebook, spread over closed hours."""
    from seawall.exchange.hours import to_hours  # noqa: PLC0415 - after django.setup()
    from seawall.exchange.models import Entry, EntryPlatform, Signal, derived_id, entry_id  # noqa: PLC0415
    from seawall.exchange.operations.counter import change  # noqa: PLC0415

    rng = random.Random(7)  # noqa: S311 - a benchmark's pictures
    now = datetime.now(UTC)
    with change(now) as counter:
        hs = [hashlib.sha256(rng.randbytes(16)).digest() for _ in range(entries)]
        for at in range(0, entries, 5000):
            some = list(enumerate(hs[at : at + 5000], start=counter.number + 1))
            counter.number += len(some)
            hour = to_hours(now) - rng.randrange(1, hours)
            Entry.objects.bulk_create(
                Entry(pk=entry_id(h), h=h, hour=hour, changed=hour, number=number) for number, h in some
            )
            Signal.objects.bulk_create(
                Signal(
                    pk=derived_id("signal", h, 0),
                    entry_id=entry_id(h),
                    kind="image",
                    version="pdq1",
                    value=rng.randbytes(32),
                    quality=100,
                )
                for _, h in some
            )
            EntryPlatform.objects.bulk_create(
                EntryPlatform(
                    pk=derived_id("platform", entry_id(h), "facebook"), entry_id=entry_id(h), platform="facebook"
                )
                for _, h in some
            )
    with connection.cursor() as sql:
        sql.execute("ANALYZE")  # as PostgreSQL does by itself within a minute, and the worker when it rewrites a table


if __name__ == "__main__":
    django.setup()
    fill(int(sys.argv[1]))
