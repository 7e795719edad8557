"""Whatever is sent to a case's addresses gets an answer in words: nothing breaks, and nothing is half done."""

from __future__ import annotations

import base64
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from seawall.cases.tests.client import through_django
from seawall.evidence import queries
from seawall.evidence.models import Blob, LogRow, Stamp

if TYPE_CHECKING:
    from seawall.evidence.tests.locker import Locker

pytestmark = pytest.mark.django_db

ID = "0" * 32
ADDRESSES = [
    ("POST", "challenge"),
    ("POST", "open"),
    ("POST", "login"),
    ("PUT", "manifest"),
    ("POST", "files"),
    ("POST", f"files/{ID}/done"),
    ("PUT", f"files/{ID}?offset=0"),
    ("POST", "erase"),
    ("POST", "shares"),
]
PROOF = {"nonce": "n", "signature": "0" * 128}
FIELDS: dict[str, dict[str, Any]] = {
    "open": {"case": ID, "sign_key": "0" * 64, "recipient": "age1" + "q" * 58, "envelope": "", **PROOF},
    "login": {"case": ID, **PROOF},
    "manifest": {"envelope": "", "attach": [], "erase": [], "log": [], "root": None},
    "files": {"size": 1},
    f"files/{ID}/done": {"sha256": "0" * 64},
    "erase": PROOF,
    "shares": {"epoch": 1, "sealed": "", "files": []},
}
ODD: list[Any] = [None, True, -1, 1 << 70, 1e308, "\0", "\ud800", "0" * 100_000, [None], ["\0"], {"a": {}}]
BODIES = [
    b"", b"{", b"null", b"[]", b"{}", b'"\xff"', b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 50_000, b"1" * 5000,
    b'{"case": 1, "case": 2}', b"NaN", bytes(1000),
]  # fmt: skip


def answered(alice: Locker, method: str, path: str, body: bytes, **headers: str) -> None:
    """In words, if it was refused."""
    shown = {"Authorization": f"Bearer {alice.person.session}", "Content-Type": "application/json", **headers}
    answer = through_django(method, f"/case/api/{path}", body=body, headers=shown)
    assert answer.status < 500, (method, path, body[:80], answer.body[:200])
    if answer.status >= 400:
        assert answer.json["message"], (method, path, body[:80])


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_whatever_is_sent_gets_an_answer_in_words(alice: Locker, method: str, path: str) -> None:
    kept = alice.keep(b"y")
    for body in BODIES:
        answered(alice, method, path, body)
    right = FIELDS.get(path, {})
    for field, odd in itertools.product([*right, "else"], ODD):
        answered(alice, method, path, json.dumps(right | {field: odd}).encode())
    assert alice.read(kept) == b"y"
    assert list(Blob.objects.filter(state="kept").values_list("size", flat=True)) == [1]
    assert not LogRow.objects.exists()
    assert not Stamp.objects.exists()


PATHS = f"""
files/..%2f..%2fkeys.sqlite3 files/../../keys.sqlite3 files/%00 files/{ID}%00 files/{ID}/../done files/{"F" * 32} %ff
files/{"٣" * 32} files//etc/passwd shares/8000000000000000 shares/ffffffffffffffff stamps/ log log?after=-1
log?after=٣ log?after=99999999999999999999 log?after=999999999999999 log?after=1&after=x
"""


@pytest.mark.parametrize("path", PATHS.split())
def test_no_address_leads_anywhere_else(alice: Locker, path: str) -> None:
    for method in ("GET", "PUT", "POST", "DELETE"):
        answered(alice, method, path, b"x")


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer \xff",
        "Bearer a:b:c",
        "Basic QTpC",
        "Bearer " + "a" * 5000,
        "bearer " + ":" * 99,
    ],
)
def test_no_token_but_ours_is_one(alice: Locker, shown: str) -> None:
    headers = {"Authorization": shown, "Content-Type": "application/json"}
    for path in ("manifest", "stamps", "log?after=0", f"files/{alice.keep(b'y')}"):
        answer = through_django("GET", f"/case/api/{path}", body=b"", headers=headers)
        assert (answer.status, bool(answer.json["message"])) == (401, True)


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "²", " ", "99999999999999999999"])
def test_a_length_that_is_none_is_refused(alice: Locker, length: str) -> None:
    blob = alice.person.ask("POST", "files", {"size": 9})["id"]
    for method, path in (("PUT", f"files/{blob}?offset=0"), ("POST", "files")):
        answered(alice, method, path, b"half", **{"Content-Length": length})
    assert queries.received(case_of(alice), bytes.fromhex(blob)) == 0


def test_parts_and_files_of_others_are_out_of_reach_whatever_is_asked(alice: Locker, bob: Locker) -> None:
    his, sending = bob.keep(b"his"), bob.person.ask("POST", "files", {"size": 9})["id"]
    whole = bob.upload(b"whole")
    for blob in (his, sending, whole):
        for method, path, body in (
            ("GET", f"files/{blob}", None),
            ("GET", f"files/{blob}/received", None),
            ("DELETE", f"files/{blob}", None),
            ("POST", f"files/{blob}/done", {"sha256": "0" * 64}),
        ):
            assert alice.person.call(method, path, body).status == 404
        assert alice.person.call("PUT", f"files/{blob}?offset=0", raw=b"mine").status == 404
        for name in ("attach", "erase"):
            seq = alice.person.manifest() and alice.person.seq
            raw = base64.b64encode(alice_next(alice)).decode()
            assert alice.person.call("PUT", "manifest", {"envelope": raw, name: [blob]}).status == 422
            assert alice.person.ask("GET", "manifest")["seq"] == seq
    assert bob.read(his) == b"his"
    bob.write(attach=[whole])
    bob.send(sending, b"123456789")


def alice_next(alice: Locker) -> bytes:
    """Her next manifest, in which nothing is new."""
    from seawall.cases.tests.client import envelope  # noqa: PLC0415

    return envelope(alice.person.keys, alice.person.seq + 1, alice.person.before, {})


def case_of(alice: Locker) -> Any:
    from seawall.cases import queries as cases  # noqa: PLC0415

    return cases.find(alice.person.keys.case)
