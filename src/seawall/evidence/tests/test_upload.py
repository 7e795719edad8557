"""Files on their way into a locker and out of it, in a folder and in a bucket."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seawall.cases.tests.client import Refused
from seawall.evidence import api, operations, queries, uploads
from seawall.evidence.models import Blob
from seawall.lib.rates import Rates

if TYPE_CHECKING:
    from pathlib import Path

    from seawall.cases.tests.client import Answer
    from seawall.evidence.tests.locker import Locker

pytestmark = [
    pytest.mark.django_db,
    # threads and sockets of moto and botocore, which they leave to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]


def stored() -> set[str]:
    """The names of what lies in the storage."""
    return {name.rpartition("/")[2] for name, _ in queries.storage().files()}


def refusal(call: object) -> Answer:
    with pytest.raises(Refused) as caught:
        call()  # type: ignore[operator]
    return caught.value.answer


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("size", [1, 200, (1 << 20) + 7])
def test_what_is_sent_in_parts_comes_back_whole(alice: Locker, size: int) -> None:
    content = secrets.token_bytes(size)
    blob = alice.upload(content, part=300_000)
    alice.write(attach=[blob])
    assert alice.read(blob) == content
    assert alice.files() == {blob: size}
    assert stored() == {blob}
    assert list(uploads.all_ids()) == []


@pytest.mark.usefixtures("storage")
def test_a_file_is_seen_by_nobody_until_a_manifest_speaks_of_it(alice: Locker) -> None:
    blob = alice.upload(b"sealed")
    assert alice.files() == {}
    assert refusal(lambda: alice.read(blob)).status == 404
    alice.write(attach=[blob])
    assert alice.read(blob) == b"sealed"


def test_a_file_is_seen_by_nobody_else(alice: Locker, bob: Locker) -> None:
    kept, sending = alice.keep(b"hers"), alice.person.ask("POST", "files", {"size": 4})["id"]
    assert refusal(lambda: bob.read(kept)).status == 404
    for method, path in [("PUT", "?offset=0"), ("GET", "/received"), ("POST", "/done"), ("DELETE", "")]:
        raw, body = (b"evil", None) if method == "PUT" else (None, {"sha256": "00" * 32})
        answer = bob.person.call(method, f"files/{sending}{path}", body, raw=raw)
        assert answer.status == 404, method
    assert refusal(lambda: bob.write(attach=[sending])).status == 422
    with pytest.raises(Refused):
        bob.person.write(lambda _: None, erase=[kept])
    assert alice.read(kept) == b"hers"
    assert alice.person.ask("GET", f"files/{sending}/received") == {"received": 0}


@pytest.mark.parametrize("path", ["manifest", "log?after=0", "files/" + "0" * 32, f"files/{'0' * 32}/received"])
def test_without_a_session_nothing_is_told(alice: Locker, path: str) -> None:
    alice.person.session = ""
    assert alice.person.call("GET", path).status == 401


def test_an_upload_goes_on_where_it_was_cut_off(alice: Locker) -> None:
    content = secrets.token_bytes(1000)
    blob = alice.person.ask("POST", "files", {"size": 1000})["id"]
    alice.send(blob, content[:300])
    again = alice.person.call("PUT", f"files/{blob}?offset=0", raw=content[:300])
    assert (again.status, again.json["received"]) == (409, 300)
    assert alice.person.ask("GET", f"files/{blob}/received") == {"received": 300}
    too_soon = alice.person.call("POST", f"files/{blob}/done", {"sha256": "00" * 32})
    assert (too_soon.status, too_soon.json["received"]) == (409, 300)
    alice.send(blob, content, offset=300)
    alice.done(blob, content)
    alice.done(blob, content)  # the first answer may have been lost
    alice.write(attach=[blob])
    assert alice.read(blob) == content


def test_a_sender_who_goes_away_leaves_what_came(alice: Locker) -> None:
    blob = bytes.fromhex(alice.person.ask("POST", "files", {"size": 1000})["id"])

    class Gone:
        pieces = iter([b"a" * 100])

        def read(self, _size: int) -> bytes:
            try:
                return next(self.pieces)
            except StopIteration:
                raise OSError("the connection was reset") from None

    assert uploads.append(blob, offset=0, source=Gone(), length=500) == 100
    assert uploads.received(blob) == 100


def test_a_file_that_was_damaged_on_its_way_is_not_kept(alice: Locker) -> None:
    blob = alice.person.ask("POST", "files", {"size": 6})["id"]
    alice.send(blob, b"sealeD")
    answer = refusal(lambda: alice.done(blob, b"sealed"))
    assert answer.status == 422
    assert "Add it again" in answer.json["message"]
    assert stored() == set()
    alice.send(blob, b"sealed")
    alice.done(blob, b"sealed")


def test_more_than_was_announced_is_refused(alice: Locker) -> None:
    blob = alice.person.ask("POST", "files", {"size": 10})["id"]
    assert alice.person.call("PUT", f"files/{blob}?offset=0", raw=b"a" * 11).status == 409
    assert alice.person.call("PUT", f"files/{blob}?offset=0", raw=b"a" * (operations.PART_BYTES + 1)).status == 413
    assert alice.person.ask("GET", f"files/{blob}/received") == {"received": 0}


@pytest.mark.parametrize("query", ["", "?offset=", "?offset=-1", "?offset=x", "?offset=1e3", "?offset=" + "9" * 30])
def test_a_part_says_where_it_belongs(alice: Locker, query: str) -> None:
    blob = alice.person.ask("POST", "files", {"size": 10})["id"]
    answer = alice.person.call("PUT", f"files/{blob}{query}", raw=b"a")
    assert answer.status in {400, 409}
    assert answer.json["message"]


@pytest.mark.parametrize("body", [{}, {"size": 0}, {"size": -1}, {"size": "1"}, {"size": 1.5}, {"size": 1, "more": 2}])
def test_a_size_that_is_none_is_refused(alice: Locker, body: object) -> None:
    assert alice.person.call("POST", "files", body).status == 422


def test_two_that_send_the_same_part_do_not_double_it(alice: Locker) -> None:
    content = secrets.token_bytes(100_000)
    blob = bytes.fromhex(alice.person.ask("POST", "files", {"size": len(content)})["id"])
    told: list[int | str] = []

    class Slow:
        def __init__(self) -> None:
            self.left = content

        def read(self, _size: int) -> bytes:
            piece, self.left = self.left[:1000], self.left[1000:]
            return piece

    def send() -> None:
        try:
            told.append(uploads.append(blob, offset=0, source=Slow(), length=len(content)))
        except uploads.WrongOffset as error:
            told.append(f"no, {error.received}")

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, told)) == ["100000"] + ["no, 100000"] * 3
    assert uploads.path_of(blob).read_bytes() == content


def test_a_full_locker_is_said_so(alice: Locker, settings: Any) -> None:
    settings.CASE_QUOTA = 3 << 20
    alice.keep(b"a" * (1 << 20))
    alice.person.ask("POST", "files", {"size": 2 << 20})  # one that is still being sent counts too
    answer = alice.person.call("POST", "files", {"size": 1})
    assert answer.status == 413
    assert answer.json["message"].startswith("Your locker holds 3 MB")
    alice.person.ask("GET", "manifest")


def test_lockers_leave_the_rest_of_the_site_its_room(alice: Locker, settings: Any) -> None:
    """Whoever fills lockers does not fill the disk: only files are refused, the case goes on."""
    blob = alice.person.ask("POST", "files", {"size": 9})["id"]
    kept = alice.keep(b"y")
    disk = os.statvfs(settings.DATA)
    settings.SPARE_ROOM = disk.f_blocks * disk.f_frsize
    for answer in (
        alice.person.call("POST", "files", {"size": 9}),
        alice.person.call("PUT", f"files/{blob}?offset=0", raw=b"half"),
    ):
        assert answer.status == 507
        assert "What you have is safe" in answer.json["message"]
    assert alice.person.ask("GET", f"files/{blob}/received") == {"received": 0}
    alice.write(erase=[kept])
    assert alice.files() == {}


def test_a_network_sends_so_much_an_hour_and_another_is_not_held_up(
    alice: Locker, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SENT_AN_HOUR = 10
    monkeypatch.setattr(api, "_sent", Rates())
    blob = alice.person.ask("POST", "files", {"size": 30})["id"]
    alice.send(blob, b"0123456789")
    answer = alice.person.call("PUT", f"files/{blob}?offset=10", raw=b"01")
    assert answer.status == 429
    assert "from another network" in answer.json["message"]
    assert alice.person.ask("GET", f"files/{blob}/received") == {"received": 10}
    monkeypatch.setattr(api, "network_of", lambda _: b"another")
    assert alice.person.call("PUT", f"files/{blob}?offset=10", raw=b"01").json == {"received": 12}


def test_one_can_change_ones_mind(alice: Locker) -> None:
    part, whole, kept = alice.person.ask("POST", "files", {"size": 9})["id"], alice.upload(b"x"), alice.keep(b"y")
    alice.send(part, b"half")
    for blob in (part, whole):
        alice.person.ask("DELETE", f"files/{blob}")
        assert alice.person.call("GET", f"files/{blob}/received").status == 404
    assert alice.person.call("DELETE", f"files/{kept}").status == 404  # that is the manifest's to say
    assert stored() == {kept}
    assert list(uploads.all_ids()) == []


@pytest.mark.usefixtures("storage")
def test_what_nobody_finishes_goes_and_what_is_kept_stays(alice: Locker, data: Path) -> None:
    part, whole, kept = alice.person.ask("POST", "files", {"size": 9})["id"], alice.upload(b"x"), alice.keep(b"y")
    alice.send(part, b"half")
    now = datetime.now(UTC)
    assert operations.sweep(now=now + timedelta(minutes=4)) == 0
    assert operations.sweep(now=now + timedelta(minutes=6)) == 2
    assert stored() == {kept}
    assert list(uploads.all_ids()) == []
    for blob in (part, whole):
        assert alice.person.call("GET", f"files/{blob}/received").status == 404
    assert refusal(lambda: alice.write(attach=[whole])).status == 422
    assert alice.read(kept) == b"y"
    assert data.is_dir()


def test_an_upload_that_goes_on_is_left_alone(alice: Locker) -> None:
    blob = alice.person.ask("POST", "files", {"size": 9})["id"]
    later = datetime.now(UTC) + timedelta(minutes=20)
    alice.send(blob, b"half")
    recently = later.timestamp() - 60
    os.utime(uploads.path_of(bytes.fromhex(blob)), (recently, recently))
    assert operations.sweep(now=later) == 0
    alice.send(blob, b"half more", offset=4)


@pytest.mark.usefixtures("storage")
def test_files_that_no_row_speaks_of_go(alice: Locker) -> None:
    from django.core.files.base import ContentFile  # noqa: PLC0415

    stray = secrets.token_hex(16)
    queries.storage().save(f"{stray[:2]}/{stray}", ContentFile(b"left by a crash"))
    uploads.path_of(bytes.fromhex(stray)).write_bytes(b"and this")
    kept = alice.keep(b"y")
    assert operations.sweep(now=datetime.now(UTC) + timedelta(minutes=6)) == 2
    assert stored() == {kept}


def test_a_part_that_comes_after_the_last_goes(alice: Locker) -> None:
    """It was on its way when the file was finished: no row waits for it, and the locker's limit does not count it."""
    kept = alice.keep(b"y")
    uploads.path_of(bytes.fromhex(kept)).write_bytes(b"late")
    assert operations.sweep(now=datetime.now(UTC)) == 1
    assert list(uploads.all_ids()) == []
    assert alice.read(kept) == b"y"


@pytest.mark.usefixtures("storage")
def test_what_was_moved_when_the_server_died_can_be_sent_again(alice: Locker) -> None:
    """Between the storage and the table: the file is there, and the row says that parts are missing."""
    content = secrets.token_bytes(5000)
    blob = alice.upload(content)
    Blob.objects.update(state="part")
    answer = alice.person.call("POST", f"files/{blob}/done", {"sha256": hashlib.sha256(content).hexdigest()})
    assert (answer.status, answer.json["received"]) == (409, 0)
    alice.send(blob, content)
    alice.done(blob, content)
    alice.write(attach=[blob])
    assert alice.read(blob) == content
