"""A disk that is really full: a small one of its own, filled to the last byte, with a real server on it."""

from __future__ import annotations

import errno
import os
import secrets
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from seawall.cases.tests.client import over_http
from seawall.cases.tests.server import own_database, serving
from seawall.evidence.tests.locker import Locker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seawall.cases.tests.client import Send

DISK = 64 << 20


@pytest.fixture
def disk() -> Iterator[Path]:
    """Not under pytest's own folders, which it removes by itself."""
    folder = Path(tempfile.mkdtemp(prefix="seawall-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def site(disk: Path) -> Iterator[tuple[str, Send]]:
    with own_database(disk) as environment, serving(environment) as origin, over_http(origin) as send:
        yield origin, send


def fill(disk: Path) -> None:
    """To the last byte, whoever else may write meanwhile."""
    with (disk / "junk").open("ab", buffering=0) as junk:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    junk.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017 - the way out of the loop
    found = os.statvfs(disk)
    assert found.f_bavail == 0


def test_on_a_full_disk_reading_and_erasing_go_on(disk: Path, site: tuple[str, Send]) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps manifests on a disk of its own")
    origin, send = site
    alice, bob = Locker.opened(send=send, origin=origin), Locker.opened(send=send, origin=origin)
    first, second = alice.keep(b"first" * 1000), alice.keep(b"second")
    his = bob.keep(b"his")
    sending = alice.person.ask("POST", "files", {"size": 8 << 20})["id"]
    alice.send(sending, bytes(100))
    seq = alice.person.ask("GET", "manifest")["seq"]
    fill(disk)

    part = alice.person.call("PUT", f"files/{sending}?offset=100", raw=bytes(4 << 20))
    assert (part.status, part.json["message"]) == (
        507,
        "There is no room left on this server. What you have is safe. Try again later.",
    )
    assert alice.person.ask("GET", f"files/{sending}/received") == {"received": 100}
    long = "a" * (1 << 20)
    refused = write(alice, long)
    assert refused == 507
    told = alice.person.ask("GET", "manifest")
    assert (told["seq"], {each["id"] for each in told["files"]}) == (seq, {first, second})
    assert alice.person.login().manifest()["notes"] == []
    assert alice.read(first) == b"first" * 1000

    assert alice.write(erase=[first]) == seq + 1
    assert alice.person.call("GET", f"files/{first}").status == 404
    assert alice.read(second) == b"second"
    assert bob.person.call("POST", "erase", bob.person.proof("erase")).status == 204
    assert bob.person.call("GET", f"files/{his}").status == 401
    blobs = [path.name for path in (disk / "blobs").rglob("*") if path.is_file()]
    assert blobs == [second]

    (disk / "junk").unlink()
    third = alice.keep(b"third")
    assert alice.files() == {second: 6, third: 5}
    assert (disk / "reserve").stat().st_size == 16 << 20


def test_the_case_itself_can_be_erased_on_a_full_disk(disk: Path, site: tuple[str, Send]) -> None:
    origin, send = site
    alice = Locker.opened(send=send, origin=origin)
    alice.keep(secrets.token_bytes(3 << 20))
    fill(disk)
    assert alice.person.call("POST", "erase", alice.person.proof("erase")).status == 204
    assert alice.person.call("GET", "manifest").status == 401
    assert [path for path in (disk / "blobs").rglob("*") if path.is_file()] == []


def write(alice: Locker, note: str) -> int:
    """What the server says to a manifest with that note."""
    from seawall.cases.tests.client import Refused  # noqa: PLC0415

    with pytest.raises(Refused) as refused:
        alice.write(lambda plain: plain["notes"].append(note))
    status: int = refused.value.answer.status
    return status
