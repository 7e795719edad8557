from datetime import UTC, datetime, timedelta, timezone

import pytest

from seawall.lib.hours import hour


def test_it_forgets_minutes_and_zones() -> None:
    half_past_in_india = datetime(2026, 11, 23, 10, 29, 59, 7, tzinfo=timezone(timedelta(hours=5.5)))
    assert hour(half_past_in_india) == datetime(2026, 11, 23, 4, tzinfo=UTC)


def test_it_refuses_a_time_without_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        hour(datetime(2026, 11, 23, 10))  # noqa: DTZ001 - the very thing that is refused
