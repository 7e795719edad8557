"""What may be shown, by status and age."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from seawall.directory import facts, queries
from seawall.directory.models import Closure, FactEdit, Operator

pytestmark = pytest.mark.django_db
CHECKED = date(2026, 7, 31)
SOON = datetime(2026, 8, 3, 12, tzinfo=UTC)
LATE = datetime(2026, 11, 23, 12, tzinfo=UTC)


def confirm(fact: str, **changed: object) -> FactEdit:
    looked = {"source": "https://example.org", "checked": date(2026, 8, 1), "status": "verified"}
    return FactEdit.objects.create(fact=fact, **(looked | changed))


def slugs(found: tuple[facts.Service, ...]) -> list[str]:
    return [each.slug for each in found]


def test_it_sends_young_people_to_services_made_for_them() -> None:
    found = queries.services("under-18", now=SOON)
    assert slugs(found) == ["report-remove", "take-it-down", "ceop", "childline"]
    assert all(str(service.url).startswith("https://") for service in found)


def test_it_hides_what_nobody_read_at_its_source() -> None:
    assert "report-fraud" not in slugs(queries.services(now=SOON))  # second-hand
    assert "report-harmful-content" not in slugs(queries.services(now=SOON))  # unconfirmed
    assert "uk-removal" not in [law.slug for law in queries.laws("ENG", now=SOON)]
    assert queries.platform("snapchat", now=SOON).screenshot_is_told is None


def test_it_hides_a_number_that_is_second_hand_and_keeps_the_service() -> None:
    found = next(each for each in queries.services(now=SOON) if each.slug == "mens-advice-line")
    assert found.phone is None
    confirm("services/mens-advice-line/phone")
    found = next(each for each in queries.services(now=SOON) if each.slug == "mens-advice-line")
    assert found.phone == "0808 801 0327"


def test_an_emergency_number_never_hides_whatever_its_status_or_age() -> None:
    FactEdit.objects.create(fact="services/emergency/phone", status="unconfirmed", source="nobody", checked=CHECKED)
    found = next(each for each in queries.services(now=LATE) if each.slug == "emergency")
    assert found.phone == "999"
    assert next(each for each in queries.services(now=SOON) if each.slug == "emergency-eu").phone == "112"


def test_what_an_operator_confirmed_is_shown_with_their_words_source_and_day() -> None:
    confirm("services/report-fraud", what="Tell them what you paid.")
    confirm("services/report-fraud/phone", value="0300 000 0000", hours="any time")
    found = next(each for each in queries.services(now=SOON) if each.slug == "report-fraud")
    assert (found.what, found.source, found.checked) == (
        "Tell them what you paid.",
        "https://example.org",
        date(2026, 8, 1),
    )
    assert found.name == "Report Fraud"  # what the operator left empty stays as shipped
    assert (found.contacts[0].value, found.contacts[0].hours) == ("0300 000 0000", "any time")


def test_what_an_operator_doubts_is_hidden() -> None:
    confirm("services/galop", status="unconfirmed")
    confirm("platforms/facebook/takes-part", status="unconfirmed")
    assert "galop" not in slugs(queries.services(now=SOON))
    assert queries.platform("facebook", now=SOON).takes_part is None


def test_an_operator_can_turn_a_yes_into_a_no() -> None:
    assert queries.platform("facebook", now=SOON).takes_part is True
    confirm("platforms/facebook/takes-part", value="no")
    assert queries.platform("facebook", now=SOON).takes_part is False


def test_what_nobody_knows_stays_unknown() -> None:
    kik = queries.platform("kik", now=SOON)
    assert (kik.takes_part, kik.encrypted, kik.screenshot_is_told, kik.routes) == (None, None, None, ())


def test_an_old_fact_stays_and_says_so() -> None:
    fresh = CHECKED + timedelta(days=90)
    at = datetime.combine(fresh, datetime.min.time(), UTC)
    galop = next(each for each in queries.services(now=at) if each.slug == "galop")
    assert not galop.old
    galop = next(each for each in queries.services(now=at + timedelta(days=1)) if each.slug == "galop")
    assert galop.old
    assert galop.checked == CHECKED
    assert galop.contacts[0].old


def test_looking_again_makes_it_fresh() -> None:
    confirm("services/galop", checked=date(2026, 11, 20))
    galop = next(each for each in queries.services(now=LATE) if each.slug == "galop")
    assert not galop.old


def test_an_edit_of_a_fact_that_is_gone_does_no_harm() -> None:
    confirm("services/long-gone")
    assert queries.services(now=SOON)
    assert queries.attention(now=SOON)


@pytest.mark.parametrize(
    ("nation", "there", "not_there"),
    [
        ("SCT", "samaritans", "refuge"),
        ("ENG", "refuge", "esafety"),
        ("AU", "esafety", "samaritans"),
        ("US", "ccri", "samaritans"),
    ],
)
def test_it_offers_only_who_helps_there(nation: str, there: str, not_there: str) -> None:
    found = slugs(queries.services(nation=nation, now=SOON))
    assert there in found
    assert not_there not in found
    assert "stopncii" in found  # helps everywhere


def test_a_topic_narrows_it() -> None:
    assert slugs(queries.services(topic="lgbt", now=SOON)) == ["galop"]


@pytest.mark.parametrize(
    ("nation", "first"),
    [("ENG", "ew-sharing"), ("WLS", "ew-sharing"), ("SCT", "scotland-sharing"), ("NIR", "ni-sharing")],
)
def test_each_nation_has_its_law_on_threats(nation: str, first: str) -> None:
    found = queries.laws(nation, now=SOON)
    assert found[0].slug == first
    assert "threat" in found[0].covers


def test_a_platforms_routes_are_found_by_situation() -> None:
    google = queries.platform("google", now=SOON)
    assert [route.slug for route in google.routes_for("search-result")] == ["remove-result"]
    assert google.routes_for("threat") == ()
    assert google.routes[0].steps[0] == "Find the result in Google."


def test_reading_everything_asks_the_database_once_each(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        queries.platform_entries(now=SOON)
    with django_assert_num_queries(1):  # type: ignore[operator]
        queries.services(now=SOON)


def test_the_helpline_starts_with_the_shipped_values_and_then_has_the_operators() -> None:
    shipped = queries.helpline()
    assert shipped.phones[0].number == "0345 6000 459"
    assert shipped.state(datetime(2026, 8, 3, 10, tzinfo=UTC)).open
    Operator.objects.create(
        name="Harbour",
        phones="0300 111 2222, day\n0300 333 4444",
        nation="SCT",
        opens="09:00",
        closes="17:00",
        friday=False,
    )
    Closure.objects.create(first=date(2026, 8, 4), last=date(2026, 8, 5))
    ours = queries.helpline()
    assert [(each.number, each.what) for each in ours.phones] == [("0300 111 2222", "day"), ("0300 333 4444", "")]
    assert ours.hours.days == frozenset({1, 2, 3, 4})
    # 3 August is a bank holiday in Scotland, the 4th and 5th are closed, so it is Thursday the 6th.
    opens = ours.state(datetime(2026, 8, 3, 10, tzinfo=UTC)).opens
    assert opens is not None
    assert f"{opens:%A %d %H:%M}" == "Thursday 06 09:00"


def test_attention_lists_what_is_old_or_unconfirmed_and_nothing_else() -> None:
    found = dict(queries.attention(now=SOON))
    assert "services/report-fraud/phone" in found
    assert "services/galop" not in found
    confirm("services/report-fraud/phone")
    assert "services/report-fraud/phone" not in dict(queries.attention(now=SOON))
    assert set(dict(queries.attention(now=LATE))) == set(facts.by_id())  # by then all are over 90 days old
