"""When the helpline is open. Pure: the clock is passed in, and nothing is read or stored.

Times are those of Europe/London; bank holidays are those of one nation, from the `holidays` package.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

LONDON = ZoneInfo("Europe/London")
# How far ahead to look for an opening. A helpline closed for longer says so in other words.
HORIZON = 400


@dataclass(frozen=True, slots=True)
class Hours:
    """When it opens. ``days`` are 1 to 7, 1 is Monday; ``nation`` is ENG, WLS, SCT or NIR.

    ``closures`` are (first, last), days on which it is closed too.
    """

    opens: time
    closes: time
    days: frozenset[int]
    nation: str
    closures: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Open or closed at one moment. Times are aware, in Europe/London.

    ``closes`` only while open. ``opens`` only while closed, and None if no opening is in sight. ``when`` says how to
    put ``opens`` into words: a weekday alone ("Tuesday 10:00") is clear for six days, then the date is needed too.
    """

    open: bool
    closes: datetime | None = None
    opens: datetime | None = None
    when: Literal["today", "tomorrow", "this-week", "later", ""] = ""


def state(hours: Hours, now: datetime) -> State:
    """Whether it is open at ``now``, and until or from when.

    :raises ValueError: ``now`` has no time zone
    """
    if now.tzinfo is None:
        raise ValueError("Opening hours need a time zone: pass an aware datetime.")
    today = now.astimezone(LONDON).date()
    for opens, closes in _openings(hours, today):
        if _instant(opens) <= _instant(now) < _instant(closes):
            return State(open=True, closes=closes)
        if _instant(now) < _instant(opens):
            return State(open=False, opens=opens, when=_when((opens.date() - today).days))
    return State(open=False)


def is_open_on(hours: Hours, day: date) -> bool:
    """Whether it opens at all that day."""
    return (
        day.isoweekday() in hours.days
        and day not in bank_holidays(hours.nation, day.year)
        and not any(first <= day <= last for first, last in hours.closures)
    )


@functools.lru_cache(maxsize=64)
def bank_holidays(nation: str, year: int) -> frozenset[date]:
    """The bank holidays of that nation in that year."""
    import holidays  # noqa: PLC0415 - half a second, for the calendars of the whole world: seawall.wsgi pays it at start

    return frozenset(holidays.country_holidays("GB", subdiv=nation, years=year))


def _openings(hours: Hours, today: date) -> Iterator[tuple[datetime, datetime]]:
    for ahead in range(HORIZON):
        day = today + timedelta(days=ahead)
        if is_open_on(hours, day):
            yield datetime.combine(day, hours.opens, LONDON), datetime.combine(day, hours.closes, LONDON)


def _instant(moment: datetime) -> datetime:
    """In UTC, where moments can be compared across a clock change."""
    return moment.astimezone(UTC)


def _when(days: int) -> Literal["today", "tomorrow", "this-week", "later"]:
    if days == 0:
        return "today"
    if days == 1:
        return "tomorrow"
    return "this-week" if days < 7 else "later"  # noqa: PLR2004 - a week
