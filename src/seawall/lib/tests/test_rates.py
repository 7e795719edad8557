"""Counting without noting whom."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from seawall.lib.rates import Rates, network

NOON = datetime(2026, 11, 23, 12, 10, tzinfo=UTC)


def test_it_counts_each_apart_and_anew_every_hour() -> None:
    rates = Rates()
    assert [rates.count(b"alice", now=NOON) for _ in range(3)] == [1, 2, 3]
    assert rates.count(b"bob", now=NOON) == 1
    assert rates.count(b"alice", now=NOON + timedelta(minutes=49)) == 4
    assert rates.count(b"alice", now=NOON + timedelta(minutes=50)) == 1


def test_neither_the_name_nor_last_hours_counts_stay_in_memory() -> None:
    rates = Rates()
    rates.count(b"203.0.113.0/24", now=NOON)
    before = set(rates._counts)
    rates.count(b"203.0.113.0/24", now=NOON + timedelta(hours=1))
    assert len(rates) == 1
    assert not before & set(rates._counts)
    assert all(b"203" not in key for key in rates._counts)


def test_a_flood_of_names_takes_so_much_memory_and_forgets_the_oldest() -> None:
    rates = Rates(most=100)
    for number in range(1000):
        rates.count(b"%d" % number, now=NOON)
        rates.count(b"busy", now=NOON)
    assert len(rates) == 100
    assert rates.count(b"busy", now=NOON) == 1001
    assert rates.count(b"0", now=NOON) == 1


def test_threads_that_count_at_once_lose_nothing() -> None:
    rates = Rates()

    def count() -> None:
        for _ in range(500):
            rates.count(b"alice", now=NOON)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert rates.count(b"alice", now=NOON) == 4001


@pytest.mark.parametrize(
    ("address", "net"),
    [
        ("203.0.113.7", b"203.0.113.0/24"),
        (" 203.0.113.7 ", b"203.0.113.0/24"),
        ("::ffff:203.0.113.7", b"203.0.113.0/24"),
        ("2001:db8:1:2ff::7", b"2001:db8:1:200::/56"),
        ("fe80::1%eth0", b"fe80::/56"),
        ("", b""),
        ("unknown", b""),
        ("203.0.113.7:80", b""),
    ],
)
def test_a_network_is_a_24_or_a_56(address: str, net: bytes) -> None:
    assert network(address) == net
