"""Hours as the tables hold them: whole hours since 1970 in UTC, so that no column can hold a finer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from seawall.lib.hours import hour

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)


def to_hours(now: datetime) -> int:
    """The number of the hour that holds ``now``."""
    return (hour(now) - _EPOCH) // _HOUR


def to_time(hours: int) -> datetime:
    """When that hour starts, in UTC."""
    return _EPOCH + hours * _HOUR
