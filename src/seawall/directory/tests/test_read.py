import pytest

from seawall.directory import queries


def test_it_names_the_three_platforms_of_the_helplines_pilot() -> None:
    names = [queries.platform(slug).name for slug in ("facebook", "messenger", "instagram")]
    assert names == ["Facebook", "Messenger", "Instagram"]


def test_it_does_not_invent_a_platform() -> None:
    with pytest.raises(KeyError):
        queries.platform("myspace")


def test_it_sends_young_people_to_services_made_for_them() -> None:
    slugs = [service.slug for service in queries.services("under-18")]
    assert slugs == ["report-remove", "take-it-down", "ceop"]
    assert all(service.url.startswith("https://") for service in queries.services("under-18"))
