"""The hour: the finest time that Seawall stores about a fingerprint."""

from __future__ import annotations

from datetime import UTC, datetime


def hour(now: datetime) -> datetime:
    """The start of the hour that holds ``now``, in UTC.

    :raises ValueError: ``now`` has no time zone, so nobody can say which hour it is in
    """
    if now.tzinfo is None:
        raise ValueError("An hour needs a time zone: pass an aware datetime.")
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
