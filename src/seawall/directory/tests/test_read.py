"""The shipped files, as they are."""

from __future__ import annotations

import msgspec
import pytest
import textstat

from seawall.directory import facts, queries

ALL = facts.by_id()


def test_it_names_the_three_platforms_of_the_helplines_pilot_without_a_database() -> None:
    names = [each.name for each in queries.platforms() if each.slug in {"facebook", "messenger", "instagram"}]
    assert names == ["Facebook", "Messenger", "Instagram"]


def test_no_slug_that_was_ever_shipped_is_gone() -> None:
    # Entries and feeds hold these. Add to the list; never take away.
    shipped = "facebook messenger instagram threads tiktok snapchat reddit bumble onlyfans pornhub bing "
    shipped += (
        "whatsapp signal telegram x discord google youtube tinder grindr linkedin kik teams skype azar cloudflare"
    )
    assert set(shipped.split()) <= {each.slug for each in queries.platforms()}


@pytest.mark.django_db
def test_it_does_not_invent_a_platform() -> None:
    with pytest.raises(KeyError):
        queries.platform("myspace")


@pytest.mark.parametrize("fact_id", ALL)
def test_every_fact_has_a_source_and_a_day(fact_id: str) -> None:
    fact = ALL[fact_id]
    assert fact.source.strip()
    assert fact.checked.year >= 2026
    assert fact.status == "verified" or "knowledge" not in fact.source or fact.status == "unconfirmed"


@pytest.mark.parametrize("fact_id", ALL)
def test_the_words_are_easy_to_read_for_somebody_who_is_frightened(fact_id: str) -> None:
    words = getattr(ALL[fact_id], "what", None) or ""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    assert all(len(line) <= 260 for line in lines)
    assert all("!" not in line for line in lines)


def test_the_words_of_all_facts_together_read_at_grade_five_or_below() -> None:
    lines = [line for fact in ALL.values() for line in (getattr(fact, "what", None) or "").strip().splitlines()]
    words = " ".join(line if line.endswith((".", "?")) else f"{line}." for line in lines)
    assert textstat.flesch_kincaid_grade(words) <= 5


def test_a_route_names_only_laws_that_are_there() -> None:
    laws = {law.slug for law in facts.laws()}
    for fact in ALL.values():
        if isinstance(fact, facts.Route) and fact.law:
            assert fact.law in laws


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": ""},
        {"source": None},
        {"checked": None},
        {"status": "probably"},
        {"value": ""},
        {"colour": "red"},
        {"slug": "Not A Slug"},
    ],
)
def test_a_fact_that_lacks_something_or_says_too_much_is_refused(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {
        "slug": "phone",
        "kind": "phone",
        "value": "101",
        "status": "verified",
        "source": "somewhere",
        "checked": "2026-07-31",
    }
    msgspec.convert(right, facts.Contact)
    broken = {name: value for name, value in (right | wrong).items() if value is not None}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(broken, facts.Contact)
