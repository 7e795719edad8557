"""A new manifest in the place of the one before: two tabs lose nothing, and nothing but the owner's own gets in."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from seawall.cases import envelope as envelopes
from seawall.cases import keys, operations, queries
from seawall.cases.models import Case

from .client import Person, empty, envelope, over_http, unseal
from .conftest import LIGHT, NOON
from .server import own_database, serving

if TYPE_CHECKING:
    from pathlib import Path


def the_case(person: Person) -> Case:
    found = queries.find(person.keys.case)
    assert found is not None
    return found


def load(person: Person) -> tuple[int, bytes, dict[str, Any]]:
    """As a tab does: the number in force, what the next one names, and what it says."""
    raw = queries.envelope(the_case(person))
    return envelopes.parse(raw).seq, hashlib.sha256(raw).digest(), unseal(person.keys, raw)


def put(case: Case, envelope: bytes) -> int:
    """Put that manifest in the place of the one before."""
    return operations.replace_manifest(case=case, new=operations.read_manifest(case=case, envelope=envelope), now=NOON)


def note(person: Person, words: str) -> None:
    """Add a note, again if another tab was quicker."""
    while True:
        seq, before, plain = load(person)
        plain["notes"].append(words)
        try:
            put(the_case(person), envelope(person.keys, seq + 1, before, plain))
        except operations.Conflict:
            continue
        return


@pytest.mark.django_db
def test_what_is_written_is_what_is_read(alice: Person) -> None:
    note(alice, "he wrote again")
    seq, _, plain = load(alice)
    assert (seq, plain["notes"]) == (2, ["he wrote again"])


@pytest.mark.django_db
def test_a_manifest_made_from_an_older_one_is_told_which_is_in_force(alice: Person) -> None:
    seq, before, plain = load(alice)
    stale = envelope(alice.keys, seq + 1, before, plain)
    note(alice, "from another tab")
    with pytest.raises(operations.Conflict) as told:
        put(the_case(alice), stale)
    assert told.value.seq == 2
    assert load(alice)[2]["notes"] == ["from another tab"]


@pytest.mark.django_db
def test_the_right_number_after_the_wrong_manifest_is_refused(alice: Person) -> None:
    fork = envelope(alice.keys, 2, b"\7" * 32, empty())
    with pytest.raises(operations.Conflict):
        put(the_case(alice), fork)


@pytest.mark.django_db
def test_sending_the_same_again_changes_nothing(alice: Person) -> None:
    seq, before, plain = load(alice)
    sent = envelope(alice.keys, seq + 1, before, plain)
    put(the_case(alice), sent)
    with pytest.raises(operations.Conflict) as told:
        put(the_case(alice), sent)
    assert told.value.seq == 2
    assert queries.envelope(the_case(alice)) == sent


@pytest.mark.django_db
def test_nothing_but_an_envelope_signed_for_this_case_gets_in(alice: Person, bob: Person) -> None:
    seq, before, plain = load(alice)
    good = envelope(alice.keys, seq + 1, before, plain)
    head = good[:-64]
    wrong = [
        envelope(bob.keys, seq + 1, before, plain),
        head + bob.keys.signer.sign(head),
        head[:19] + bob.keys.case + head[35:] + good[-64:],
        b"",
        good[:80],
        good.replace(b"manifest 1", b"manifest 2", 1),
        good + bytes(2 << 20),
    ]
    for each in wrong:
        with pytest.raises(operations.BadEnvelope):
            put(the_case(alice), each)
    assert load(alice)[0] == seq


@pytest.mark.django_db
@hypothesis(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(min_value=0), flip=st.integers(1, 255))
def test_a_changed_byte_anywhere_is_refused(alice: Person, at: int, flip: int) -> None:
    seq, before, plain = load(alice)
    good = bytearray(envelope(alice.keys, seq + 1, before, plain))
    good[at % len(good)] ^= flip
    with pytest.raises(operations.BadEnvelope):
        put(the_case(alice), bytes(good))


@pytest.mark.django_db
@hypothesis(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=400), start=st.sampled_from([b"", envelopes.MAGIC, envelopes.MAGIC + bytes(56)]))
def test_no_bytes_make_the_parser_do_anything_but_refuse_or_read(raw: bytes, start: bytes) -> None:
    try:
        parsed = envelopes.parse(start + raw)
    except envelopes.BadEnvelope:
        return
    assert parsed.raw == start + raw


@pytest.mark.django_db
def test_rows_cannot_be_exchanged_for_one_another(alice: Person, bob: Person) -> None:
    theirs = queries.find(bob.keys.case)
    assert theirs is not None
    Case.objects.filter(id=the_case(alice).id).update(manifest=bytes(theirs.manifest))
    with pytest.raises(keys.NotOurs):
        queries.envelope(the_case(alice))


@pytest.mark.django_db(transaction=True)
def test_five_tabs_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    failed: list[BaseException] = []
    with own_database(tmp_path) as environment, serving(environment) as origin, over_http(origin) as send:
        alice = Person(send=send, origin=origin, memory=LIGHT).open()

        def tab(number: int) -> None:
            mine = replace(alice)
            try:
                for turn in range(5):
                    mine.write(lambda plain: plain["notes"].append(f"{number}/{turn}"))  # noqa: B023 - called at once
            except BaseException as error:  # noqa: BLE001 - shown by the test
                failed.append(error)

        tabs = [threading.Thread(target=tab, args=[number]) for number in range(5)]
        for each in tabs:
            each.start()
        for each in tabs:
            each.join(120)
        assert failed == []
        notes = alice.manifest()["notes"]
    assert alice.seq == 26
    assert sorted(notes) == sorted(f"{number}/{turn}" for number in range(5) for turn in range(5))
    for number in range(5):
        assert [each for each in notes if each[0] == f"{number}"] == [f"{number}/{turn}" for turn in range(5)]


@pytest.mark.django_db
def test_a_write_that_is_undone_leaves_the_manifest_before(alice: Person) -> None:
    seq, before, plain = load(alice)
    new = envelope(alice.keys, seq + 1, before, plain)
    with transaction.atomic():
        assert put(the_case(alice), new) == seq + 1
        transaction.set_rollback(True)
    assert load(alice)[0] == seq
    assert Person(alice.number, alice.words, memory=LIGHT).login().session
