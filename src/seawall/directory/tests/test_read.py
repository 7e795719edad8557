from __future__ import annotations

import pytest

from seawall.directory import queries


def test_it_names_the_three_platforms_of_the_helplines_pilot_without_a_database() -> None:
    names = [each.name for each in queries.platforms() if each.slug in {"facebook", "messenger", "instagram"}]
    assert names == ["Facebook", "Messenger", "Instagram"]


@pytest.mark.django_db
def test_it_does_not_invent_a_platform() -> None:
    with pytest.raises(KeyError):
        queries.platform("myspace")


@pytest.mark.django_db
def test_it_sends_young_people_to_services_made_for_them() -> None:
    slugs = [service.slug for service in queries.services("under-18")]
    assert slugs[:3] == ["report-remove", "take-it-down", "ceop"]
    assert all(str(service.url).startswith("https://") for service in queries.services("under-18"))
