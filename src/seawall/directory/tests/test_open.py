"""Opening hours, over 2024 to 2030, four nations and both clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seawall.directory.facts import UK_NATIONS
from seawall.directory.hours import LONDON, Hours, State, bank_holidays, is_open_on, state

HELPLINE = Hours(time(10), time(16), frozenset({1, 2, 3, 4, 5}), "ENG")
EVERY_DAY = Hours(time(10), time(16), frozenset(range(1, 8)), "ENG")
SECOND = timedelta(seconds=1)
patient = settings(deadline=None, max_examples=300)  # the machine may be busy

moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - UTC is given
nations = st.sampled_from(UK_NATIONS)
days = st.dates(date(2024, 1, 1), date(2030, 12, 31))


@st.composite
def spans(draw: st.DrawFn) -> tuple[date, date]:
    first = draw(days)
    return first, first + timedelta(days=draw(st.integers(0, 30)))


@st.composite
def any_hours(draw: st.DrawFn) -> Hours:
    opens, closes = draw(st.times()).replace(tzinfo=None), draw(st.times()).replace(tzinfo=None)
    assume(opens < closes)
    week = draw(st.frozensets(st.integers(1, 7), min_size=1))
    return Hours(opens, closes, week, draw(nations), tuple(draw(st.lists(spans(), max_size=3))))


def last_sunday(year: int, month: int) -> date:
    day = date(year, month, 31)
    return day - timedelta(days=day.isoweekday() % 7)


@patient
@given(moments, nations)
def test_it_is_open_exactly_when_the_clock_on_the_wall_says_so(now: datetime, nation: str) -> None:
    hours = Hours(time(10), time(16), frozenset({1, 2, 3, 4, 5}), nation)
    wall = now.astimezone(LONDON)
    expected = wall.isoweekday() < 6 and wall.date() not in bank_holidays(nation, wall.year) and 10 <= wall.hour < 16
    assert state(hours, now).open is expected


@patient
@given(any_hours(), moments)
def test_what_it_says_about_the_next_change_comes_true(hours: Hours, now: datetime) -> None:
    found = state(hours, now)
    if found.open:
        assert found.closes is not None
        assert found.closes.astimezone(UTC) > now
        assert not state(hours, found.closes).open
        assert state(hours, found.closes.astimezone(UTC) - timedelta(microseconds=1)).open
    elif found.opens is not None:
        assert found.opens.astimezone(UTC) > now
        assert state(hours, found.opens).open
        assert state(hours, found.opens.astimezone(UTC) - timedelta(microseconds=1)).opens == found.opens


@patient
@given(any_hours(), moments, st.floats(0, 1))
def test_it_is_closed_all_the_way_to_the_next_opening(hours: Hours, now: datetime, share: float) -> None:
    found = state(hours, now)
    assume(not found.open and found.opens is not None)
    assert found.opens is not None
    between = now + (found.opens.astimezone(UTC) - now) * share * 0.999
    assert state(hours, between).opens == found.opens


@patient
@given(moments, nations, st.lists(spans(), min_size=1, max_size=4))
def test_it_never_opens_on_a_closure_a_weekend_or_a_bank_holiday(
    now: datetime, nation: str, closures: list[tuple[date, date]]
) -> None:
    hours = Hours(time(10), time(16), frozenset({1, 2, 3, 4, 5}), nation, tuple(closures))
    found = state(hours, now)
    day = (found.closes or found.opens or now).astimezone(LONDON).date()
    if found.open or found.opens:
        assert day.isoweekday() < 6
        assert day not in bank_holidays(nation, day.year)
        assert not any(first <= day <= last for first, last in closures)


@pytest.mark.parametrize("year", range(2024, 2031))
@pytest.mark.parametrize(("month", "utc_hour"), [(3, 9), (10, 10)])
def test_it_opens_at_ten_by_the_wall_on_the_day_the_clocks_change(year: int, month: int, utc_hour: int) -> None:
    sunday = last_sunday(year, month)
    opens_at_all = is_open_on(EVERY_DAY, sunday)
    opens = datetime(sunday.year, sunday.month, sunday.day, utc_hour, tzinfo=UTC)
    assert opens_at_all == (sunday not in bank_holidays("ENG", year))
    if opens_at_all:  # Easter Sunday is no bank holiday in England, but a nation may add one
        assert not state(EVERY_DAY, opens - SECOND).open
        assert state(EVERY_DAY, opens).open
        assert state(EVERY_DAY, opens + timedelta(hours=6) - SECOND).open
        assert not state(EVERY_DAY, opens + timedelta(hours=6)).open
        assert state(EVERY_DAY, opens - timedelta(hours=12)).opens == opens


@pytest.mark.parametrize("opens", [time(0, 30), time(1, 30)])
@pytest.mark.parametrize("sunday", [last_sunday(2026, 3), last_sunday(2026, 10)])
def test_hours_that_the_clocks_skip_or_repeat_do_no_harm(opens: time, sunday: date) -> None:
    hours = Hours(opens, time(4), frozenset({7}), "ENG")
    midnight = datetime(sunday.year, sunday.month, sunday.day, tzinfo=UTC) - timedelta(hours=2)
    told = [state(hours, midnight + timedelta(minutes=15 * step)).open for step in range(32)]
    assert told.count(True) > 0
    assert "".join("x" if each else " " for each in told).strip().count(" ") == 0  # one stretch, without a hole


# As published by the UK government, weekdays only.
PUBLISHED = {
    ("ENG", 2025): "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
    ("WLS", 2025): "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
    ("SCT", 2025): "01-01 01-02 04-18 05-05 05-26 08-04 12-01 12-25 12-26",
    ("NIR", 2025): "01-01 03-17 04-18 04-21 05-05 05-26 07-14 08-25 12-25 12-26",
    ("ENG", 2026): "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    ("NIR", 2026): "01-01 03-17 04-03 04-06 05-04 05-25 07-13 08-31 12-25 12-28",
}


@pytest.mark.parametrize(("nation", "year"), PUBLISHED)
def test_its_bank_holidays_are_the_published_ones(nation: str, year: int) -> None:
    found = sorted(f"{day:%m-%d}" for day in bank_holidays(nation, year) if day.isoweekday() < 6)
    assert " ".join(found) == PUBLISHED[nation, year]


@pytest.mark.parametrize(
    ("now", "opens", "when"),
    [
        ("2026-08-03T07:00+00:00", "2026-08-03T10:00+01:00", "today"),
        ("2026-08-03T20:00+00:00", "2026-08-04T10:00+01:00", "tomorrow"),
        ("2026-08-03T23:30+00:00", "2026-08-04T10:00+01:00", "today"),  # past midnight in London
        ("2026-08-28T20:00+00:00", "2026-09-01T10:00+01:00", "this-week"),  # a Friday before a bank holiday: Tuesday
        ("2026-12-24T20:00+00:00", "2026-12-29T10:00+00:00", "this-week"),
    ],
)
def test_it_says_when_it_opens_again(now: str, opens: str, when: str) -> None:
    expected = State(open=False, opens=datetime.fromisoformat(opens).astimezone(LONDON), when=when)  # type: ignore[arg-type]
    assert state(HELPLINE, datetime.fromisoformat(now)) == expected


def test_a_long_closure_needs_the_date_and_an_endless_one_says_so() -> None:
    now = datetime(2026, 8, 3, 12, tzinfo=UTC)
    away = Hours(time(10), time(16), frozenset({1}), "ENG", ((date(2026, 8, 1), date(2026, 8, 20)),))
    assert state(away, now).when == "later"
    gone = Hours(time(10), time(16), frozenset({1}), "ENG", ((date(2026, 8, 1), date(2036, 1, 1)),))
    assert state(gone, now) == State(open=False)
    assert state(Hours(time(10), time(16), frozenset(), "ENG"), now) == State(open=False)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        state(HELPLINE, datetime(2026, 8, 3, 12))  # noqa: DTZ001 - that is the point
