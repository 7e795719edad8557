"""Number and words become the same keys, and sealed bytes the same words, in the browser and in Python."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.cases import envelope

from .client import check_of, derive, draw_number, identity_of, seal, unseal

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
# age seals in chunks of 64 KiB: sizes around their edges.
EDGES = [0, 1, 65535, 65536, 65537, 131071, 131072, 131073]


@pytest.mark.parametrize("vector", VECTORS, ids=[each["number"] for each in VECTORS])
def test_python_makes_the_keys_of_the_vectors(vector: dict[str, Any]) -> None:
    keys = derive(vector["number"], vector["words"])
    assert keys.case.hex() == vector["case"]
    assert keys.recipient == vector["recipient"]
    assert keys.sign_key.hex() == vector["verify_key"]
    raw = base64.b64decode(vector["envelope"])
    assert envelope.parse(raw).signed_by(keys.sign_key)
    assert unseal(keys, raw) == vector["plain"]


@pytest.fixture
def modules(page: Page, live_server: LiveServer) -> Page:
    """The case page, whose modules a test then asks."""
    page.goto(f"{live_server.url}/case/")
    page.set_default_timeout(120_000)
    return page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_browser_makes_the_keys_of_the_vectors(modules: Page) -> None:
    made = modules.evaluate(
        """async (vectors) => {
          const { derive } = await import("/static/cases/keys.js");
          const { open } = await import("/static/cases/envelope.js");
          const made = [];
          for (const { number, words, envelope } of vectors) {
            const keys = await derive(number, words);
            const bytes = Uint8Array.from(atob(envelope), (letter) => letter.charCodeAt(0));
            const { case: id, recipient, verifyKey: verify_key } = keys;
            made.push({ number, words, case: id, recipient, verify_key, envelope, plain: await open(keys, 1, bytes) });
          }
          return made;
        }""",
        VECTORS,
    )
    assert made == VECTORS


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_browser_refuses_an_envelope_with_one_bit_changed(modules: Page) -> None:
    opened = modules.evaluate(
        """async ({ number, words, envelope }) => {
          const { derive } = await import("/static/cases/keys.js");
          const { open, Tampered } = await import("/static/cases/envelope.js");
          const keys = await derive(number, words);
          const opened = [];
          const bytes = Uint8Array.from(atob(envelope), (letter) => letter.charCodeAt(0));
          for (let at = 0; at < bytes.length; at += 97) {
            bytes[at] ^= 1;
            const outcome = await open(keys, 1, bytes).catch((error) => error);
            if (!(outcome instanceof Tampered)) opened.push([at, String(outcome)]);
            bytes[at] ^= 1;
          }
          const older = await open(keys, 2, bytes).catch((error) => error);
          if (!(older instanceof Tampered)) opened.push("another seq");
          return opened;
        }""",
        VECTORS[0],
    )
    assert opened == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_hundred_files_go_round_through_chromium_and_pyrage(modules: Page) -> None:
    identity = pyrage.x25519.Identity.generate()
    files = [os.urandom(size) for size in (*EDGES, *range(1, 43))]
    assert len(files) == 50
    ours = [base64.b64encode(pyrage.encrypt(each, [identity.to_public()])).decode() for each in files]
    # Each file crosses both ways: opened there what was sealed here, and the other way round.
    opened, sealed = modules.evaluate(
        """async ([identity, files]) => {
          const { Decrypter, Encrypter, base64, identityToRecipient } = await import("/static/site/vendor/sealing.js");
          const [opened, sealed] = [[], []];
          for (const file of files) {
            const decrypter = new Decrypter();
            decrypter.addIdentity(identity);
            const plain = await decrypter.decrypt(base64.decode(file));
            opened.push(base64.encode(plain));
            const encrypter = new Encrypter();
            encrypter.addRecipient(await identityToRecipient(identity));
            const stream = await encrypter.encrypt(new Blob([plain]).stream());
            sealed.push(base64.encode(new Uint8Array(await new Response(stream).arrayBuffer())));
          }
          return [opened, sealed];
        }""",
        [str(identity), ours],
    )
    assert [base64.b64decode(each) for each in opened] == files
    assert [pyrage.decrypt(base64.b64decode(each), [identity]) for each in sealed] == files


IDENTITY = identity_of(bytes(range(32)))


@settings(max_examples=10_000, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from([0, 65536]), st.integers(-1000, 1000))
def test_what_is_sealed_opens_as_it_was(tail: bytes, edge: int, shift: int) -> None:
    size = max(0, edge + shift)
    plain = (tail * (size // max(1, len(tail)) + 1))[:size] if tail else bytes(size)
    sealed = seal(plain, str(IDENTITY.to_public()), 1)
    assert pyrage.decrypt(sealed, [IDENTITY]) == plain


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_numbers_and_words_are_read_however_they_are_typed(modules: Page) -> None:
    numbers = [draw_number() for _ in range(200)]
    assert all(check_of(each[:-1]) < 32 for each in numbers)
    sloppy = [
        [f" {each[:5].lower()} - {each[5:]} ", each.replace("0", "o").replace("1", "l"), each.replace("1", "I")]
        for each in numbers
    ]
    read = modules.evaluate(
        """async (sloppy) => {
          const { readNumber } = await import("/static/cases/secrets.js");
          return sloppy.map((forms) => forms.map(readNumber));
        }""",
        sloppy,
    )
    assert read == [[each] * 3 for each in numbers]
    words, wrong, drawn = modules.evaluate(
        """async () => {
          const { draw, readNumber, readWords, unknownWords } = await import("/static/cases/secrets.js");
          const words = ["1. Acorn 2. tidal\\n3. mulch, snowy EMBER quilt", "ac0rn-tidal--mulch snowy ember quilt",
            "7351 9284 6051 9374 0286", "735l-9284-6O51-9374-o286",
            "1. 7351\\n2. 9284 3) 6051 4. 9374 5. 0286"].map(readWords);
          const wrong = [readWords("acorn tidal mulch snowy ember"), readWords("7351 9284"), readWords(""),
            readNumber("1ABCDEFGHJK0"), readNumber("2ABCDEFGHJKM"), readNumber(""), readNumber("1ABCUEFGHJKM"),
            await unknownWords("acorn-tydal-mulch-snowy-ember-kwilt"), await unknownWords("73519284605193740286")];
          const drawn = await Promise.all(Array.from({ length: 500 }, (_, at) => draw({ digits: at % 2 === 0 })));
          return [words, wrong, drawn];
        }"""
    )
    assert words == ["acorn-tidal-mulch-snowy-ember-quilt"] * 2 + ["73519284605193740286"] * 3
    assert wrong == [None] * 7 + [[2, 6], []]
    assert len({each["number"] for each in drawn}) == len({each["words"] for each in drawn}) == 500
    for each in drawn:
        assert check_of(each["number"][:-1]) == "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(each["number"][-1])
        assert len(each["words"].split("-")) == 6 or (len(each["words"]) == 20 and each["words"].isdecimal())


def test_a_slip_in_a_number_is_noticed() -> None:
    number = draw_number()
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    for at in range(1, 11):
        for other in letters.replace(number[at], ""):
            slip = number[:at] + other + number[at + 1 :]
            assert check_of(slip[:-1]) != letters.index(number[-1]), slip
