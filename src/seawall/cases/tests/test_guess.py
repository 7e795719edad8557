"""Guessing at a real server: nobody gets in, and the owner of an attacked case is not kept waiting.

10,000 wrong sign-ins over 100 cases; `make test-faults` sets SEAWALL_GUESSES to 100,000, over a thousand.
"""

from __future__ import annotations

import os
import random
import secrets
import statistics
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seawall.cases import guessing

from .client import Person, over_http
from .conftest import LIGHT
from .server import own_database, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUESSES = int(os.environ.get("SEAWALL_GUESSES", "10000"))
CASES = max(GUESSES // 100, 10)
# More than may wait at a time, fewer than the site's threads: the rest of those must be left for the owner.
GUESSERS = 10


class Guesser(threading.Thread):
    """Tries words, keys, replays and other sites' proofs at many cases, as fast as it is answered."""

    def __init__(self, origin: str, people: list[Person], tries: Iterator[int], seed: int) -> None:
        super().__init__()
        self.people, self.tries = people, tries
        self.stranger = Person(memory=LIGHT, origin=origin)
        self.chance = random.Random(seed)  # noqa: S311 - the same guesses every time
        self.answers: Counter[int] = Counter()
        self.longest = 0.0

    def run(self) -> None:
        # Connections of its own: httpx can close one that another thread has just taken.
        with over_http(self.stranger.origin) as self.stranger.send:
            self.try_all()

    def try_all(self) -> None:
        nonce, drawn = "", 0.0
        for _ in self.tries:  # shared: whoever is not made to wait tries on
            if time.monotonic() - drawn > 30:
                nonce, drawn = self.stranger.ask("POST", "challenge", {})["nonce"], time.monotonic()
            # Half of the tries are at the first case, whose owner comes by meanwhile.
            case = self.people[0 if self.chance.random() < 0.5 else self.chance.randrange(len(self.people))].keys.case
            begun = time.monotonic()
            body = {"case": case.hex(), "nonce": nonce, "signature": self.guess(nonce, case)}
            self.answers[self.stranger.call("POST", "login", body).status] += 1
            self.longest = max(self.longest, time.monotonic() - begun)

    def guess(self, nonce: str, case: bytes) -> str:
        """Nothing, a stranger's signature, or one for something else."""
        message = f"seawall login 1\n{nonce}\n{case.hex()}\n{self.stranger.origin}\n".encode()
        match self.chance.randrange(4):
            case 0:
                return secrets.token_hex(64)
            case 1:
                return bytes(64).hex()
            case 2:
                return self.stranger.keys.signer.sign(message).hex()
            case _:
                return Ed25519PrivateKey.generate().sign(message).hex()


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(3600)
def test_ten_thousand_guesses_open_nothing_and_the_owner_comes_in_without_delay(tmp_path: Path) -> None:
    with own_database(tmp_path) as environment, serving(environment) as origin, over_http(origin) as send:
        people = [Person(memory=LIGHT, send=send, origin=origin).open() for _ in range(CASES)]
        tries = iter(range(GUESSES))
        guessers = [Guesser(origin, people, tries, seed) for seed in range(GUESSERS)]
        for each in guessers:
            each.start()
        alice, took = people[0], []
        while any(each.is_alive() for each in guessers):
            begun = time.monotonic()
            assert alice.login().session
            took.append(time.monotonic() - begun)
            time.sleep(0.2)
        for each in guessers:
            each.join()
        answers = sum((each.answers for each in guessers), Counter[int]())
        assert all(person.login().session for person in people[:20])
    assert answers.total() == GUESSES
    assert set(answers) == {401, 429}
    # The guessers were made to wait, and far longer than she ever was.
    assert max(each.longest for each in guessers) >= guessing.LONGEST_SECONDS
    assert len(took) > 10
    assert max(took) < guessing.LONGEST_SECONDS / 4
    assert statistics.median(took) < guessing.FIRST_SECONDS
