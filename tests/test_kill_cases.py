"""kill -9 in the middle of uploads and manifest writes: what was acknowledged is there, and nothing half-written is.

Two tabs of one case add and erase files, a third only reads, and all the while the server is killed and started again.
SEAWALL_KILLS says how often (20; `make test-faults` 500).
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from seawall.cases import envelope as envelopes
from seawall.cases.tests.client import Answer, Person, envelope, over_http, unseal
from seawall.evidence import rows
from seawall.evidence.tests.locker import Locker
from tests.test_kill import START_SECONDS, Part, free_port

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("SEAWALL_KILLS", "20"))
PART = 100_000

# In the site's own settings: what the worker does, some minutes later.
SWEEP = """
import django; django.setup()
from datetime import UTC, datetime, timedelta
from seawall.evidence import operations
from seawall.evidence.models import Blob
operations.sweep(now=datetime.now(UTC) + timedelta(minutes=6))
print(Blob.objects.exclude(state="kept").count())
"""


@dataclass
class Tab:
    """Asks again until it is answered, as the page does, and keeps count of what it was promised."""

    locker: Locker
    random: random.Random
    stop: threading.Event
    kept: dict[str, bytes] = field(default_factory=dict)
    erased: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    writes: int = 0

    def live(self) -> None:
        try:
            while not self.stop.is_set():
                if len(self.kept) > 3 and self.random.random() < 0.3:
                    self.erase(self.random.choice(list(self.kept)))
                else:
                    self.add(self.random.randbytes(self.random.randrange(1, 300_000)))
        except BaseException as error:
            self.wrong.append(repr(error))
            raise

    def call(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None) -> Answer | None:
        """One request; None if no answer came, when nobody knows whether it was done."""
        try:
            return self.locker.person.call(method, path, body, raw=raw)
        except httpx.TransportError:
            time.sleep(0.1)
            return None

    def insist(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None) -> Answer:
        deadline = time.monotonic() + 2 * START_SECONDS
        while time.monotonic() < deadline:
            if answer := self.call(method, path, body, raw=raw):
                return answer
        raise AssertionError(f"{method} {path} was never answered")

    def add(self, content: bytes) -> None:
        blob = self.insist("POST", "files", {"size": len(content)}).json["id"]
        digest = {"sha256": hashlib.sha256(content).hexdigest()}
        at = 0
        while True:
            while at < len(content):
                at = self.insist("PUT", f"files/{blob}?offset={at}", raw=content[at : at + PART]).json["received"]
            answer = self.insist("POST", f"files/{blob}/done", digest)
            if answer.status == 200:
                break
            assert answer.status == 409, answer
            at = answer.json["received"]
        self.write(blob, attach=True)
        self.kept[blob] = content

    def erase(self, blob: str) -> None:
        del self.kept[blob]
        self.write(blob, attach=False)
        self.erased.append(blob)

    def write(self, blob: str, *, attach: bool) -> None:
        """Until the manifest in force says so: an answer that was lost may have been a yes."""
        person = self.locker.person
        while True:
            told, plain = self.read()
            if (blob in plain["files"]) == attach:
                self.writes += 1
                return
            if attach:
                plain["files"][blob] = {}
            else:
                del plain["files"][blob]
            head = rows.Head(told["log"]["count"], bytes.fromhex(told["log"]["head"]))
            row = self.locker.row(head)
            plain["custody"] |= {"count": head.count + 1, "head": hashlib.sha256(row).hexdigest()}
            raw = base64.b64decode(told["envelope"])
            new = envelope(person.keys, told["seq"] + 1, hashlib.sha256(raw).digest(), plain)
            body = {"envelope": text(new), "attach": [], "erase": [], "log": [text(row)], "root": None}
            answer = self.call("PUT", "manifest", {**body, "attach" if attach else "erase": [blob]})
            assert answer is None or answer.status in {200, 409}, answer

    def read(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Manifest, files and log belong together, whenever one looks."""
        told = self.insist("GET", "manifest").json
        raw = base64.b64decode(told["envelope"])
        plain = unseal(self.locker.person.keys, raw)
        assert envelopes.parse(raw).seq == told["seq"]
        assert plain["files"].keys() == {each["id"] for each in told["files"]}
        assert told["log"].items() <= plain["custody"].items()
        assert told["log"]["count"] == told["seq"] - 1
        assert set(self.kept) <= plain["files"].keys()
        assert plain["files"].keys().isdisjoint(self.erased)
        return told, plain


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.timeout(120 + 20 * KILLS)
def test_what_was_acknowledged_is_there_after_any_kill(tmp_path: Path) -> None:
    chance = random.Random(21)  # noqa: S311 - seeded, so that a failure can be repeated
    port, data = free_port(), tmp_path / "site"
    origin = f"http://127.0.0.1:{port}"
    command = ["serve", "--port", str(port), "--data", str(data)]
    server = Part(command, f"{origin}/health/", tmp_path / "site.log")
    with ExitStack() as stack:
        server.start()
        stack.callback(server.kill)
        server.wait()
        send = stack.enter_context(over_http(origin))
        alice = Person(send=send, origin=origin, memory=64).open()
        stop = threading.Event()
        people = [Person(alice.number, alice.words, send, origin, memory=64).login() for _ in range(3)]
        tabs = [Tab(Locker(person), random.Random(seed), stop) for seed, person in enumerate(people)]  # noqa: S311
        lives = [threading.Thread(target=tab.live) for tab in tabs[:2]]
        lives.append(threading.Thread(target=look, args=(tabs[2],)))
        for life in lives:
            life.start()
            stack.callback(life.join)
        stack.callback(stop.set)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0, 0.6))
            server.kill()
            server.start()
            server.wait()
        stop.set()
        for life in lives:
            life.join()
        assert [tab.wrong for tab in tabs] == [[], [], []]
        kept = tabs[0].kept | tabs[1].kept
        told, plain = tabs[2].read()
        assert plain["files"].keys() == kept.keys()
        for blob, content in kept.items():
            assert tabs[2].locker.read(blob) == content
        alice.login()  # she did nothing for so long that she may be signed out
        for blob in tabs[0].erased + tabs[1].erased:
            assert alice.call("GET", f"files/{blob}").status == 404
        # A write whose answer was lost is found to be done, never done twice.
        assert told["seq"] - 1 == tabs[0].writes + tabs[1].writes
        check_log(tabs[2], told["log"]["count"])
    assert len(kept) > min(KILLS, 20) / 4
    check_orphans(data, set(kept))


def look(tab: Tab) -> None:
    """A third tab, which writes nothing."""
    try:
        while not tab.stop.is_set():
            tab.read()
            time.sleep(0.05)
    except BaseException as error:
        tab.wrong.append(repr(error))
        raise


def check_log(tab: Tab, count: int) -> None:
    head, keys = rows.Head(0, rows.START), tab.locker.person.keys
    while head.count < count:
        for row in tab.insist("GET", f"log?after={head.count}").json["rows"]:
            head = rows.follow(head, base64.b64decode(row), case=keys.case, key=keys.sign_key)


def check_orphans(data: Path, kept: set[str]) -> None:
    """The server is dead; ten minutes later the worker has looked."""
    environment = {**os.environ, "SEAWALL_DATA": str(data), "DJANGO_SETTINGS_MODULE": "seawall.settings"}
    told = subprocess.run([sys.executable, "-c", SWEEP], env=environment, check=True, capture_output=True, text=True)
    assert told.stdout == "0\n"
    assert {path.name for path in (data / "blobs").rglob("*") if path.is_file()} == kept
    assert list((data / "uploads").iterdir()) == []
