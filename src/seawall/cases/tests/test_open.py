"""Opening a case, and what is kept of it."""

from __future__ import annotations

import pytest

from seawall.cases import keys, queries

from .client import Person

pytestmark = pytest.mark.django_db


def test_it_opens_a_case_that_its_owner_gets_into_from_another_device() -> None:
    alice = Person().open()
    elsewhere = Person(alice.number, alice.words).login()
    assert elsewhere.session
    case = queries.find(alice.keys.case)
    assert case is not None
    assert queries.envelope(case) not in bytes(case.manifest)
    assert keys.get(alice.keys.case) is not None
