"""One write of the manifest: everything that goes with it, or nothing."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from seawall.cases import keys
from seawall.cases import queries as cases
from seawall.cases.tests.client import Person, Refused, envelope, over_http
from seawall.cases.tests.server import own_database, serving
from seawall.evidence import operations, queries, rows
from seawall.evidence.models import Blob, LogRow, Stamp
from seawall.evidence.tests.locker import Locker
from seawall.lib.erasures import Erasures
from seawall.lib.rates import Rates

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = [
    pytest.mark.django_db,
    # threads and sockets of moto and botocore, which they leave to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]
NOTHING = rows.Head(0, rows.START)


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def put(alice: Locker, **more: Any) -> Any:
    """A manifest that fits, with something beside it."""
    plain = alice.person.manifest()
    raw = envelope(alice.person.keys, alice.person.seq + 1, alice.person.before, plain)
    body = {"envelope": text(raw), "attach": [], "erase": [], "log": [], "root": None, **more}
    return alice.person.call("PUT", "manifest", body)


def test_a_new_case_has_its_manifest_and_an_empty_locker(alice: Locker) -> None:
    told = alice.person.ask("GET", "manifest")
    assert told["seq"] == 1
    assert (told["log"], told["stamps"], told["files"], told["shares"]) == (
        {"count": 0, "head": "00" * 32},
        0,
        [],
        [],
    )
    assert told["ends"] == cases.ends(cases.find(alice.person.keys.case)).isoformat()  # type: ignore[arg-type]


def test_the_manifest_is_read_back_as_it_was_written(alice: Locker) -> None:
    assert alice.write(lambda plain: plain["notes"].append("they asked for money")) == 2
    elsewhere = Person(alice.person.number, alice.person.words, memory=64).login()
    assert elsewhere.manifest()["notes"] == ["they asked for money"]
    assert elsewhere.seq == 2


def test_one_that_was_made_from_an_old_one_is_refused(alice: Locker) -> None:
    stale = envelope(alice.person.keys, 2, alice.person.before, {"mine": 1})
    alice.write()
    answer = alice.person.call("PUT", "manifest", {"envelope": text(stale)})
    assert (answer.status, answer.json["seq"]) == (409, 2)
    fork = envelope(alice.person.keys, 3, bytes(32), {"mine": 1})
    assert alice.person.call("PUT", "manifest", {"envelope": text(fork)}).status == 409


@pytest.mark.parametrize("change", ["cut", "unsigned", "another case"])
def test_one_that_is_not_the_owners_is_refused(alice: Locker, bob: Locker, change: str) -> None:
    whose = bob if change == "another case" else alice
    raw = bytearray(envelope(whose.person.keys, 2, whose.person.before, {}))
    if change == "unsigned":
        raw[-1] ^= 1
    if change == "cut":
        raw = raw[:50]
    assert alice.person.call("PUT", "manifest", {"envelope": text(bytes(raw))}).status == 422
    assert alice.person.ask("GET", "manifest")["seq"] == 1


def test_the_log_follows_itself_and_is_read_back_in_pages(alice: Locker, monkeypatch: pytest.MonkeyPatch) -> None:
    made = alice.rows(NOTHING, 5)
    alice.write(log=[text(row) for row in made[:3]])
    alice.write(log=[text(row) for row in made[3:]])
    told = alice.person.ask("GET", "manifest")["log"]
    assert told["count"] == 5
    assert alice.row(rows.Head(5, bytes.fromhex(told["head"]))).startswith(rows.MAGIC)
    monkeypatch.setattr(queries, "ROWS", 2)
    pages = [alice.person.ask("GET", f"log?after={after}")["rows"] for after in (0, 2, 4, 5)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [base64.b64decode(row) for page in pages for row in page] == made


@pytest.mark.parametrize("broken", ["gap", "again", "rewritten", "unsigned", "another case's", "no row", "long"])
def test_a_log_that_does_not_follow_is_refused_and_nothing_is_done(alice: Locker, bob: Locker, broken: str) -> None:
    made = alice.rows(NOTHING, 3)
    alice.write(log=[text(made[0])])
    blob = alice.upload(b"sealed")
    bad = {
        "gap": made[2],
        "again": made[0],
        "rewritten": alice.row(rows.Head(1, secrets.token_bytes(32))),
        "unsigned": made[1][:-1] + bytes([made[1][-1] ^ 1]),
        "another case's": bob.rows(rows.Head(1, rows.START), 1)[0],
        "no row": b"seawall custody 1\n",
        "long": made[1] + bytes(5000),
    }[broken]
    answer = put(alice, attach=[blob], log=[text(bad)], root="11" * 32)
    assert answer.status == 422
    assert answer.json["message"].startswith(
        "What was sent " if broken in ("another case's", "no row", "long") else "Row 2 "
    )
    told = alice.person.ask("GET", "manifest")
    assert (told["seq"], told["log"]["count"], told["files"]) == (2, 1, [])
    assert put(alice, attach=[blob], log=[text(made[1])]).status == 200


def test_a_log_has_an_end(alice: Locker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stranger can add to, without files, without end, would fill the disk."""
    monkeypatch.setattr(operations, "LOG_ROWS", 3)
    made = alice.rows(NOTHING, 4)
    alice.write(log=[text(row) for row in made[:3]])
    answer = put(alice, log=[text(made[3])])
    assert answer.status == 413
    assert "Save a copy" in answer.json["message"]
    assert put(alice).status == 200


@pytest.mark.usefixtures("storage")
def test_erasing_a_file_takes_its_row_its_bytes_and_is_listed(alice: Locker, data: Path) -> None:
    first, second = alice.keep(b"first"), alice.keep(b"second")
    alice.write(erase=[first])
    assert alice.files() == {second: 6}
    assert alice.person.call("GET", f"files/{first}").status == 404
    assert [name.rpartition("/")[2] for name, _ in queries.storage().files()] == [second]
    assert Erasures(data / "erased.sqlite3").all("file") == {bytes.fromhex(first)}


@pytest.mark.usefixtures("storage")
def test_after_a_restore_what_was_erased_is_erased_again(alice: Locker) -> None:
    """The row and the bytes are back, as from a backup; the list says that they must not be."""
    first, second = alice.keep(b"first"), alice.keep(b"second")
    assert operations.replay(files={bytes.fromhex(first), secrets.token_bytes(16)}) == 1
    assert alice.files() == {second: 6}
    assert [name.rpartition("/")[2] for name, _ in queries.storage().files()] == [second]


@pytest.mark.usefixtures("storage")
def test_a_write_that_fails_half_way_erases_nothing(alice: Locker, data: Path) -> None:
    kept = alice.keep(b"kept")
    for more in ({"attach": ["00" * 16]}, {"erase": [kept, "00" * 16]}, {"erase": [kept], "log": [text(b"no row")]}):
        raw = envelope(alice.person.keys, alice.person.seq + 1, alice.person.before, {})
        assert alice.person.call("PUT", "manifest", {"envelope": text(raw), **more}).status == 422
    stale = envelope(alice.person.keys, 2, bytes(32), {})
    assert alice.person.call("PUT", "manifest", {"envelope": text(stale), "erase": [kept]}).status == 409
    assert alice.read(kept) == b"kept"
    assert Erasures(data / "erased.sqlite3").all("file") == set()


@pytest.mark.parametrize(
    "more",
    [
        {"attach": ["xyz"]},
        {"attach": "00" * 16},
        {"log": ["%%%"]},
        {"log": [1]},
        {"root": "11"},
        {"root": 5},
        {"unknown": 1},
        {"envelope": None},
        {"envelope": "é"},
    ],
)
def test_what_is_not_exactly_a_write_is_refused(alice: Locker, more: dict[str, Any]) -> None:
    answer = put(alice, **more)
    assert answer.status == 422
    assert answer.json["message"]


def test_the_same_file_twice_is_no_list_of_files(alice: Locker) -> None:
    blob = alice.upload(b"x")
    assert put(alice, attach=[blob, blob]).status == 422
    assert put(alice, attach=[blob]).status == 200
    assert put(alice, attach=[blob]).status == 422  # it is kept already


def test_what_lies_in_the_tables_is_wrapped_by_the_cases_key(alice: Locker) -> None:
    row = alice.row(NOTHING)
    alice.write(log=[text(row)])
    kept = bytes(LogRow.objects.get().wrapped)
    assert row[100:200] not in kept
    case = cases.find(alice.person.keys.case)
    assert case is not None
    with pytest.raises(keys.NotOurs):
        keys.unwrap(cases.wrap_key(case), kept, queries.about_row(case, 2))


def test_a_root_waits_for_each_authority_and_only_the_newest_does(alice: Locker, settings: Any) -> None:
    settings.TSA_URLS = ("http://one.example/", "http://two.example/")
    alice.write(root="11" * 32)
    alice.write(root="22" * 32)
    alice.write()
    waiting = {(bytes(each.root).hex()[:2], each.authority) for each in Stamp.objects.all()}
    assert waiting == {("22", "http://one.example/"), ("22", "http://two.example/")}


def test_no_case_has_an_authority_asked_without_end(
    alice: Locker, bob: Locker, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TSA_URLS = ("http://one.example/",)
    monkeypatch.setattr(operations, "ROOTS_AN_HOUR", 2)
    monkeypatch.setattr(operations, "STAMPS", 3)
    monkeypatch.setattr(operations, "_roots", Rates())

    def waits(person: Locker) -> bool:
        person.write(root=secrets.token_hex(32))
        due = Stamp.objects.get(token__isnull=True).due
        return due is not None and due > time.time() + 1800

    assert [waits(alice) for _ in range(4)] == [False, False, True, True]
    alice.write()
    Stamp.objects.all().delete()
    assert not waits(bob)  # another case is not held up
    case = cases.find(alice.person.keys.case)
    Stamp.objects.bulk_create(
        [Stamp(case=case, root=bytes(31) + bytes([n]), authority="a", token=b"t") for n in range(3)]
    )
    alice.write(root="33" * 32)
    assert not Stamp.objects.filter(case=case, token__isnull=True).exists()


@pytest.mark.usefixtures("storage")
def test_erasing_the_case_leaves_nothing_of_it(alice: Locker, bob: Locker, data: Path) -> None:
    alice.keep(b"first")
    sending = alice.person.ask("POST", "files", {"size": 9})["id"]
    alice.send(sending, b"half")
    alice.write(log=[text(alice.row(NOTHING))])
    his = bob.keep(b"his")
    assert alice.person.call("POST", "erase", bob.person.proof("erase")).status == 401
    assert alice.person.call("POST", "erase", alice.person.proof("login")).status == 401
    assert alice.person.call("POST", "erase", alice.person.proof("erase")).status == 204
    assert keys.get(alice.person.keys.case) is None
    assert [bytes(each.blob).hex() for each in Blob.objects.all()] == [his]
    assert [name.rpartition("/")[2] for name, _ in queries.storage().files()] == [his]
    assert list((data / "uploads").iterdir()) == []
    assert not LogRow.objects.exists()
    assert Erasures(data / "erased.sqlite3").all("case") == {alice.person.keys.case}
    assert alice.person.call("GET", "manifest").status == 401
    with pytest.raises(Refused) as refused:
        alice.person.login()
    assert refused.value.answer.status == 401
    assert bob.read(his) == b"his"


def test_two_tabs_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    with own_database(tmp_path) as environment, serving(environment) as origin, over_http(origin) as send:
        alice = Locker.opened(send=send, origin=origin)
        again = [Person(alice.person.number, alice.person.words, send, origin, memory=64) for _ in "1234"]
        write_at_once(alice, [Locker(person.login()) for person in again])


def write_at_once(alice: Locker, tabs: list[Locker]) -> None:
    wrong: list[BaseException] = []

    def write(tab: Locker, number: int) -> None:
        try:
            for round_ in range(5):
                blob = tab.upload(f"{number} {round_}".encode())
                tab.write(lambda plain: plain["notes"].append(f"{number} {round_}"), attach=[blob])  # noqa: B023
        except BaseException as error:  # noqa: BLE001 - told below
            wrong.append(error)

    threads = [threading.Thread(target=write, args=(tab, number)) for number, tab in enumerate(tabs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    plain = alice.person.manifest()
    assert sorted(plain["notes"]) == sorted(f"{number} {round_}" for number in range(4) for round_ in range(5))
    assert alice.person.seq == 21
    assert set(plain["files"]) == set(alice.files())
    assert {alice.read(blob).decode() for blob in plain["files"]} == set(plain["notes"])
