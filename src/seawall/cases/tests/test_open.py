"""Opening a case, and what is kept of it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from seawall.cases import keys, operations, queries
from seawall.cases.models import Case

from .client import CROCKFORD, Person, check_of, draw_number, empty, envelope, unseal
from .conftest import LIGHT, NOON

pytestmark = pytest.mark.django_db


def body_of(person: Person, **changed: Any) -> dict[str, Any]:
    made = {
        "case": person.keys.case.hex(),
        "sign_key": person.keys.sign_key.hex(),
        "recipient": person.keys.recipient,
        "envelope": base64.b64encode(person.first()).decode(),
        **person.proof("open"),
    }
    return {**made, **changed}


def test_it_opens_a_case_that_its_owner_gets_into_from_another_device() -> None:
    alice = Person().open()  # with all of Argon2id, as the page does
    elsewhere = Person(alice.number, alice.words).login()
    assert elsewhere.session
    assert alice.keys == elsewhere.keys or alice.keys.sign_key == elsewhere.keys.sign_key


def test_the_manifest_is_wrapped_once_more_and_comes_back_as_it_was() -> None:
    plain = {**empty(), "notes": ["he wrote at noon"]}
    alice = Person(memory=LIGHT).open(plain)
    case = queries.find(alice.keys.case)
    assert case is not None
    assert unseal(alice.keys, queries.envelope(case)) == plain
    for part in (b"seawall manifest", b"age-encryption", alice.keys.case):
        assert part not in bytes(case.manifest)


def test_neither_number_nor_words_nor_secret_keys_are_kept_anywhere() -> None:
    alice = Person(memory=LIGHT).open()
    with connection.cursor() as sql:
        kept = b""
        for table in ("cases_case", "cases_share"):
            sql.execute(f"SELECT * FROM {table}")  # noqa: S608 - two names
            kept += b"".join(bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for r in sql for v in r)
    kept += (settings_data() / "keys.sqlite3").read_bytes()
    assert alice.keys.case in kept  # the search finds what is there
    for secret in (alice.number.encode(), alice.words.encode(), alice.keys.signer.private_bytes_raw()):
        for form in (secret, secret.hex().encode(), base64.b64encode(secret)):
            assert form not in kept


def settings_data() -> Any:
    from django.conf import settings  # noqa: PLC0415

    return settings.DATA


def test_a_number_that_is_taken_is_refused_and_its_case_stays_as_it_was() -> None:
    alice = Person(memory=LIGHT).open()
    mallory = Person(alice.number, "other-words-of-a-stranger-who-guessed", memory=LIGHT)
    answer = mallory.call("POST", "open", body_of(mallory))
    assert answer.status == 409
    assert "number" in answer.json["message"]
    assert alice.login().session
    case = queries.find(alice.keys.case)
    assert case is not None
    assert unseal(alice.keys, queries.envelope(case))["version"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("case", "00" * 15),
        ("case", "zz" * 16),
        ("case", 7),
        ("sign_key", "00" * 31),
        ("sign_key", "0x" * 32),
        ("recipient", "age1" + "q" * 58),
        ("recipient", "age1" + "q" * 59),
        ("recipient", "ssh-ed25519 AAAA"),
        ("recipient", ""),
        ("envelope", ""),
        ("envelope", "not base64!"),
        ("envelope", base64.b64encode(b"seawall manifest 1\n" + bytes(200)).decode()),
        ("envelope", base64.b64encode(bytes(100_000)).decode()),
        ("envelope", None),
        ("nonce", "x" * 201),
        ("signature", "00" * 63),
        ("extra", 1),
    ],
)
def test_what_is_not_exactly_right_is_refused_with_words_and_nothing_is_kept(field: str, value: Any) -> None:
    alice = Person(memory=LIGHT)
    answer = alice.call("POST", "open", body_of(alice, **{field: value}))
    assert answer.status in {401, 422}
    assert answer.json["message"]
    assert not Case.objects.exists()
    assert keys.get(alice.keys.case) is None


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"case":' + b"[" * 100_000, b'{"\xff":1}', b"{}", b'"case"', b"1e999"],
)
def test_a_body_that_is_no_such_json_is_refused_with_words(raw: bytes) -> None:
    for path in ("open", "login"):
        answer = Person(memory=LIGHT).call("POST", path, raw=raw)
        assert answer.status in {400, 422}
        assert answer.json["message"]


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    answer = Person(memory=LIGHT).call("POST", "open", raw=b'{"envelope":"' + b"A" * 300_000 + b'"}')
    assert answer.status == 413


def test_the_first_envelope_must_be_the_first_of_this_case_signed_by_its_key() -> None:
    alice, bob = Person(memory=LIGHT), Person(memory=LIGHT)
    first = alice.first()
    wrong = [
        bob.first(),
        envelope(alice.keys, 2, bytes(32), empty()),
        envelope(alice.keys, 1, b"\1" * 32, empty()),
        first[:-1] + bytes([first[-1] ^ 1]),
        first[:100] + bytes([first[100] ^ 1]) + first[101:],
        first + b"\0",
    ]
    for each in wrong:
        answer = alice.call("POST", "open", body_of(alice, envelope=base64.b64encode(each).decode()))
        assert answer.status == 422, answer.json
    assert not Case.objects.exists()


def test_a_proof_for_something_else_opens_nothing() -> None:
    alice, bob = Person(memory=LIGHT), Person(memory=LIGHT)
    elsewhere = Person(alice.number, alice.words, memory=LIGHT, origin="https://seawall.example.net")
    for proof in (alice.proof("login"), alice.proof("erase"), bob.proof("open"), elsewhere.proof("open")):
        assert alice.call("POST", "open", body_of(alice, **proof)).status == 401
    assert not Case.objects.exists()


def test_a_key_of_small_order_which_signs_anything_is_no_key() -> None:
    alice = Person(memory=LIGHT)
    for key in (
        bytes(32),
        b"\1" + bytes(31),
        (2**255 - 19).to_bytes(32, "little"),
        (2**255 - 20).to_bytes(32, "little"),
    ):
        with pytest.raises(operations.BadKey):
            operations.open_case(
                case=alice.keys.case, sign_key=key, recipient=alice.keys.recipient, envelope=alice.first(), now=NOON
            )


def test_a_network_opens_so_many_cases_an_hour_and_another_is_not_held_up(settings: Any) -> None:
    settings.CASES_AN_HOUR, settings.BEHIND_PROXY = 3, True

    def opens(forwarded: str) -> int:
        person = Person(memory=LIGHT, send=through_proxy(forwarded))
        return person.call("POST", "open", body_of(person)).status

    assert [opens(f"203.0.113.{n}") for n in range(4)] == [201, 201, 201, 429]
    assert (
        opens("198.51.100.1, 203.0.113.9") == 429
    )  # what the caller wrote in front of the proxy's word counts nothing
    assert opens("203.0.113.9, 198.51.100.1") == 201
    assert [opens(f"2001:db8:0:1{n:02x}::7") for n in range(4)] == [201, 201, 201, 429]
    assert opens("2001:db8:0:200::7") == 201


def through_proxy(forwarded: str) -> Any:
    from .client import through_django  # noqa: PLC0415

    def send(method: str, path: str, *, body: bytes, headers: dict[str, str]) -> Any:
        return through_django(method, path, body=body, headers={**headers, "X-Forwarded-For": forwarded})

    return send


def test_without_a_proxy_nobodys_header_says_where_they_are(settings: Any) -> None:
    settings.CASES_AN_HOUR = 1
    for n, status in enumerate((201, 429)):
        person = Person(memory=LIGHT, send=through_proxy(f"198.51.{n}.1"))
        assert person.call("POST", "open", body_of(person)).status == status


def test_ids_and_the_day_are_all_the_order_there_is() -> None:
    alice = Person(memory=LIGHT).open()
    case = queries.find(alice.keys.case)
    assert case is not None
    assert (
        case.id == int.from_bytes(hashlib.sha256(b"seawall/v1/case" + alice.number.encode()).digest()[:8], "big") >> 1
    )
    for second in (1_795_000_000, 500_000):
        with pytest.raises(IntegrityError), transaction.atomic():
            Case.objects.filter(id=case.id).update(used=second)


def test_the_tests_numbers_carry_a_check_that_finds_every_slip_of_one_character() -> None:
    for _ in range(50):
        number = draw_number()
        assert len(number) == 12
        assert number[0] == "1"
        for at in range(11):
            slipped = number[:at] + CROCKFORD[(CROCKFORD.index(number[at]) + 5) % 32] + number[at + 1 :]
            assert check_of(slipped[:11]) != CROCKFORD.index(slipped[11])


def test_pages_of_other_sites_cannot_open_a_case_in_a_visitors_browser() -> None:
    from .client import through_django  # noqa: PLC0415

    for method, path in (("POST", "open"), ("PUT", "manifest"), ("DELETE", "shares/0123456789abcdef")):
        headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}
        answer = through_django(method, f"/case/api/{path}", body=b"{}", headers=headers)
        assert answer.status == 403
        assert answer.json["message"]


def test_what_is_not_there_and_what_is_not_allowed_are_said_in_json() -> None:
    alice = Person(memory=LIGHT)
    missing = alice.call("GET", "no-such-thing")
    assert (missing.status, bool(missing.json["message"])) == (404, True)
    wrong = alice.call("GET", "open")
    assert (wrong.status, wrong.json["message"], wrong.headers["Allow"]) == (405, "Use POST here.", "POST")
