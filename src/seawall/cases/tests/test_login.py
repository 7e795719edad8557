"""Signing in, and what a wrong try tells and costs."""

from __future__ import annotations

import secrets
import statistics
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from seawall.cases import guessing, keys, queries, session
from seawall.cases.models import Case
from seawall.lib import signatures

from .client import Person
from .conftest import LIGHT, NOON

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long wrong sign-ins were made to wait, without the waiting."""
    noted: list[float] = []
    monkeypatch.setattr(time, "sleep", noted.append)
    return noted


def body_of(person: Person, **changed: Any) -> dict[str, Any]:
    return {"case": person.keys.case.hex(), **person.proof("login"), **changed}


def wrong(person: Person) -> dict[str, Any]:
    return body_of(person, signature=secrets.token_hex(64))


def test_the_right_words_let_in_and_others_do_not(alice: Person) -> None:
    guess = Person(alice.number, "wrong-horse-battery-staple-orbit-lamp", memory=LIGHT)
    assert guess.call("POST", "login", body_of(guess)).status == 401
    assert Person(alice.number, alice.words, memory=LIGHT).login().session


def test_bobs_words_do_not_open_alices_case(alice: Person, bob: Person) -> None:
    answer = alice.call("POST", "login", body_of(alice, **bob.proof("login")))
    assert answer.status == 401


def test_a_proof_made_for_another_site_or_another_deed_lets_nobody_in(alice: Person) -> None:
    relayed = Person(alice.number, alice.words, memory=LIGHT, origin="https://seawall.example.net")
    assert alice.call("POST", "login", body_of(relayed)).status == 401
    assert alice.call("POST", "login", body_of(alice, **alice.proof("erase"))).status == 401
    assert alice.call("POST", "login", body_of(alice, **alice.proof("open"))).status == 401


def test_a_nonce_is_ours_and_not_older_than_a_minute(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    body = body_of(alice)
    assert alice.call("POST", "login", body).status == 200
    later = time.time() + session.NONCE_SECONDS + 2
    monkeypatch.setattr(time, "time", lambda: later)
    assert alice.call("POST", "login", body).status == 401
    for forged in ("", "x", "a:b:c", body["nonce"][:-1], signing.TimestampSigner(salt="other").sign("x")):
        message = session.to_sign("login", nonce=forged, case=alice.keys.case, origin=alice.origin)
        signed = body_of(alice, nonce=forged, signature=alice.keys.signer.sign(message).hex())
        assert alice.call("POST", "login", signed).status == 401


def test_a_challenge_asks_the_database_nothing() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert Person(memory=LIGHT).ask("POST", "challenge", {})["nonce"]
    assert len(asked) == 0


def test_wrong_tries_wait_longer_and_longer_and_a_right_one_never(alice: Person, waits: list[float]) -> None:
    for _ in range(12):
        assert alice.call("POST", "login", wrong(alice)).status == 401
    assert waits == [0.5, 1, 2, 4, 8, 8, 8, 8, 8]  # three slips are free
    waits.clear()
    alice.login()
    assert waits == []


def test_wrong_tries_at_one_case_do_not_slow_another(alice: Person, bob: Person, waits: list[float]) -> None:
    for _ in range(8):
        alice.call("POST", "login", wrong(alice))
    waits.clear()
    bob.call("POST", "login", wrong(bob))
    assert waits == []


def test_four_may_wait_and_the_fifth_wrong_one_is_refused_at_once(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, waiting = threading.Event(), threading.Semaphore(0)

    def sleep(_seconds: float) -> None:
        waiting.release()
        assert go.wait(30)

    monkeypatch.setattr(time, "sleep", sleep)
    for _ in range(guessing.FREE):
        guessing.refuse(alice.keys.case, now=NOON)
    held = [threading.Thread(target=guessing.refuse, args=[alice.keys.case], kwargs={"now": NOON}) for _ in range(4)]
    for thread in held:
        thread.start()
    try:
        for _ in held:
            assert waiting.acquire(timeout=30)
        monkeypatch.setattr(timezone, "now", lambda: NOON)
        refused = alice.call("POST", "login", wrong(alice))
        assert refused.status == 429
        assert "wait" in refused.json["message"]
        assert alice.login().session
    finally:
        go.set()
        for thread in held:
            thread.join(30)
    assert guessing.refuse(alice.keys.case, now=NOON).status == 401


def test_a_case_that_is_not_there_is_refused_in_the_same_words(alice: Person, waits: list[float]) -> None:
    nobody = Person(memory=LIGHT)
    for _ in range(8):
        theirs, ours = nobody.call("POST", "login", body_of(nobody)), alice.call("POST", "login", wrong(alice))
        assert (theirs.status, theirs.body) == (ours.status, ours.body)
        assert {k: v for k, v in theirs.headers.items() if k != "Date"} == {
            k: v for k, v in ours.headers.items() if k != "Date"
        }
    assert waits[0::2] == waits[1::2]
    assert waits


def test_a_case_that_is_not_there_is_asked_for_in_the_same_way(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bytes] = []
    verify = signatures.verify

    def noted(*, key: bytes, signature: bytes, message: bytes) -> bool:
        checked.append(key)
        return verify(key=key, signature=signature, message=message)

    monkeypatch.setattr(signatures, "verify", noted)
    asked = []
    for person in (Person(memory=LIGHT), alice):
        with CaptureQueriesContext(connection) as captured:
            person.call("POST", "login", wrong(person))
        asked.append([query["sql"].partition("WHERE")[0] for query in captured])
    assert asked[0] == asked[1]
    assert len(checked) == 2


@pytest.mark.usefixtures("waits")
def test_a_case_that_is_not_there_is_refused_in_the_same_time(alice: Person) -> None:
    """Medians of tries that take turns, in the processor's time, which other programs here do not stretch."""
    Case.objects.update(manifest=bytes(1 << 20))  # reading all of it would take time
    nobody = Person(memory=LIGHT)
    bodies = {"there": wrong(alice), "not": wrong(nobody)}
    ratios = []
    for _ in range(5):
        took: dict[str, list[float]] = {"there": [], "not": []}
        for _ in range(150):
            for which, body in bodies.items():
                begun = time.thread_time()
                alice.call("POST", "login", body)
                took[which].append(time.thread_time() - begun)
        ratios.append(statistics.median(took["there"]) / statistics.median(took["not"]))
        if abs(ratios[-1] - 1) < 0.05:
            return
    pytest.fail(f"a case that is there takes {ratios} times as long")


@pytest.mark.usefixtures("waits")
def test_an_erased_case_is_as_if_it_had_never_been(alice: Person) -> None:
    keys.destroy(alice.keys.case)  # and then the server died: the row is still there
    assert queries.find(alice.keys.case) is not None
    late, never = alice.call("POST", "login", body_of(alice)), Person(memory=LIGHT)
    other = never.call("POST", "login", body_of(never))
    assert (late.status, late.body) == (other.status, other.body)
    assert alice.call("DELETE", "shares/0123456789abcdef").status == 401


def test_signing_in_notes_the_day_and_nothing_finer(alice: Person) -> None:
    Case.objects.update(used=queries.day(timezone.now()) - 40)
    alice.login()
    case = queries.find(alice.keys.case)
    assert case is not None
    assert case.used == queries.day(timezone.now())


# --- sessions ---


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock of tokens."""
    begun = time.time()

    def move(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: begun + seconds)

    return move


def reaches(person: Person) -> int:
    return person.call("DELETE", "shares/0123456789abcdef").status


def test_a_session_ends_after_half_an_hour_of_nothing(alice: Person, clock: Callable[[float], None]) -> None:
    clock(session.IDLE_SECONDS - 5)
    assert Person.call(alice, "GET", "team").status == 404  # needs no session, renews none
    clock(session.IDLE_SECONDS + 5)
    assert reaches(alice) == 401


def test_a_session_in_use_is_renewed_and_ends_after_half_a_day(alice: Person, clock: Callable[[float], None]) -> None:
    first = alice.session
    assert reaches(alice) == 204
    assert alice.session == first
    for minutes in range(20, 12 * 60, 20):
        clock(60 * minutes)
        assert reaches(alice) == 204
    assert alice.session != first
    clock(12 * 3600 + 60)
    assert reaches(alice) == 401


def test_a_session_holds_for_its_own_case_alone(alice: Person, bob: Person) -> None:
    for forged in (
        "",
        "x",
        alice.session[:-1],
        alice.session.replace(alice.keys.case.hex(), bob.keys.case.hex()),
        bob.proof("login")["nonce"],
        signing.TimestampSigner(salt="seawall.cases.nonce").sign(f"{bob.keys.case.hex()}.0"),
    ):
        stranger = Person(memory=LIGHT, session=forged)
        assert reaches(stranger) == 401


def test_what_is_shown_otherwise_than_as_a_bearer_is_not_read(alice: Person) -> None:
    from .client import through_django  # noqa: PLC0415

    for header in (alice.session, f"Basic {alice.session}", f"Bearer  {alice.session}", "Bearer", "Bearer \xff"):
        headers = {"Content-Type": "application/json", "Authorization": header}
        path = "/case/api/shares/0123456789abcdef"
        assert through_django("DELETE", path, body=b"", headers=headers).status == 401


@pytest.mark.usefixtures("waits")
def test_nothing_of_signing_in_reaches_the_log(alice: Person, capsys: Any, caplog: Any) -> None:
    caplog.set_level(0)
    for _ in range(5):
        alice.call("POST", "login", wrong(alice))
    alice.login()
    said = "".join(capsys.readouterr()) + caplog.text
    for mark in (alice.keys.case.hex(), alice.number, alice.session, "127.0.0.1"):
        assert mark not in said
