"""When a partner confirmed must not tell who came before it within the hour, and who after."""

from datetime import timedelta

import pytest

from seawall.exchange import operations
from seawall.exchange.models import Delivery
from seawall.exchange.tests.conftest import HOUR, NOON, Follower, send

pytestmark = pytest.mark.django_db(transaction=True)  # closing an hour rewrites the tables, outside any transaction


def test_an_acknowledgement_does_not_cut_its_hour_in_two(meadow: dict[str, str]) -> None:
    gate = Follower(meadow["api"])
    early = send(1, 2)
    gate.follow()
    gate.ack(NOON + timedelta(minutes=30))
    late = send(3, 4, now=NOON + timedelta(minutes=49))
    gate.follow()
    gate.ack(NOON + timedelta(minutes=51))
    assert {row.delivered for row in Delivery.objects.filter(entry__in=early)} != {
        row.delivered for row in Delivery.objects.filter(entry__in=late)
    }, "without the closing, the two forms can be told apart"
    operations.close_hours(now=NOON + HOUR)
    hours = set(Delivery.objects.filter(entry__in=early + late).values_list("delivered", flat=True))
    assert len(hours) == 1
