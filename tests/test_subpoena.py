"""The subpoena drill: everything that the operator has is handed over, and nothing that a person wrote is in it.

A case is filled with marked words in every field and file, first by a client in Python, then in a real Chromium. Then
all of it is searched: database and its logs, sealed files, key store, lists, logs, memory of every process of the
server, a backup and the copy of the keys. What was sent in clear on purpose is found by the same search in each.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import secrets
import shutil
import subprocess
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg
import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.apps import apps
from playwright.sync_api import expect

from seawall.cases import roster
from seawall.cases.tests.client import Person
from seawall.cases.tests.walk import open_case
from seawall.evidence import rows
from seawall.evidence.tests import walk
from seawall.evidence.tests.locker import Locker
from tests import marks
from tests.machine import PARTNER, Site, databases
from tests.test_journey import jpeg
from tests.test_ledger import add as add_picture
from tests.test_ledger import to_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Request

READ_ALL = """
import json
from pathlib import Path
from django.db import connection

def all_of(tables):
    found = {}
    with connection.cursor() as sql:
        for table in tables:
            sql.execute("SELECT * FROM " + table)
            columns = [each[0] for each in sql.description]
            found[table] = [dict(zip(columns, map(plain, row))) for row in sql.fetchall()]
    return found

def plain(value):
    return bytes(value).hex() if isinstance(value, (bytes, memoryview)) else value
"""
HASH_WING, PEOPLE_WING = {"exchange"}, {"cases", "evidence", "accounts"}


@dataclass
class Drill:
    """A site, what its people wrote, and what somebody sent in clear."""

    site: Site
    folder: Path
    team: pyrage.x25519.Identity
    common: str = field(default_factory=lambda: f"mark{secrets.token_hex(8)}")
    clear: str = field(default_factory=lambda: f"clear{secrets.token_hex(8)}")
    secret: dict[str, bytes] = field(default_factory=dict)  # never sent
    tokens: dict[str, bytes] = field(default_factory=dict)  # sent, and never stored
    written: int = 0

    def mark(self) -> str:
        """A word to write, of which the beginning is searched for."""
        self.written += 1
        return f"{self.common}{self.written:02}"

    @property
    def hidden(self) -> dict[str, bytes]:
        """What must not be anywhere."""
        return {"what was written": self.common.encode(), **self.secret}

    def places(self) -> Iterator[tuple[str, bytes]]:
        """Everything on disks: data folder, temporary files, log, backup, keys, PostgreSQL's own files and a dump."""
        yield from marks.files(self.folder)
        if self.site.database is not None:
            yield from _postgres(self.site, self.folder)

    def memories(self, root: psutil.Process) -> Iterator[tuple[str, bytes]]:
        """The memory of every process that serves the site."""
        ours = [root, *root.children(recursive=True)]
        assert len(ours) >= 3, "the server, its worker process, and `seawall worker`"
        if self.site.database is not None:
            with psycopg.connect(self.site.database) as sql:
                pids = sql.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()").fetchall()
                ours += [psutil.Process(pid) for (pid,) in pids]
                for process in ours:
                    yield from marks.memory(process)
            return
        for process in ours:
            yield from marks.memory(process)


def _postgres(site: Site, folder: Path) -> Iterator[tuple[str, bytes]]:
    """The tables' files, the write-ahead log, and a dump as text."""
    with psycopg.connect(str(site.database), autocommit=True) as sql:
        sql.execute("CHECKPOINT")
        data = Path(sql.execute("SHOW data_directory").fetchone()[0])  # type: ignore[index]
        oid = sql.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()[0]  # type: ignore[index]
    yield from marks.files(data / f"base/{oid}", data / "pg_wal")
    found = shutil.which("pg_dump", path=site.environment["PATH"])
    assert found is not None
    dump = subprocess.run([found, str(site.database)], check=True, capture_output=True, env=site.environment)
    yield f"dump of {folder.name}", dump.stdout


@pytest.fixture
def drill(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Drill]:
    signer, team = Ed25519PrivateKey.generate(), pyrage.x25519.Identity.generate()
    expires = datetime.now(UTC).date() + timedelta(days=20)
    signed = roster.sign(roster.Roster(1, expires, 1, str(team.to_public())), signer)
    (tmp_path / "temporary").mkdir()
    (tmp_path / "roster").write_text(signed.file)
    with databases(1, pytestconfig.getoption("--db")) as (url,):
        made = Drill(Site(tmp_path / "site", url), tmp_path, team)
        made.site.settings |= {
            "SEAWALL_ROSTER": str(tmp_path / "roster"),
            "SEAWALL_ROSTER_ROOT": signer.public_key().public_bytes_raw().hex(),
            "SEAWALL_HOSTS": f"127.0.0.1,{made.clear}.example",
            "TMPDIR": str(tmp_path / "temporary"),
        }
        made.site.python(PARTNER.replace("Meadow", f"Meadow {made.clear}"))
        yield made


def fill(drill: Drill) -> Person:
    """Alice writes a mark into everything that there is, shares a file, and checks a receipt."""
    words = "-".join(secrets.token_hex(3) for _ in range(6))
    alice = Person(words=words, send=drill.site.send, origin=drill.site.origin)
    drill.secret |= {"words": words.encode(), "number": alice.number.encode()}
    drill.secret |= {"identity": str(alice.keys.identity).encode(), "seed": alice.keys.signer.private_bytes_raw()}
    mark = drill.mark
    token = drill.site.protect()
    drill.tokens = {"token": token.encode(), "token's bytes": bytes.fromhex(token)}
    alice.open()
    locker = Locker(alice)
    key = pyrage.x25519.Identity.generate()
    drill.secret["a file's key"] = str(key).encode()
    content = f"chat export, {mark()}\n".encode() * 5000
    drill.secret["a file's SHA-256"] = hashlib.sha256(content).digest()
    blob = locker.upload(pyrage.encrypt(content, [key.to_public()]))

    def write(plain: dict[str, Any]) -> None:
        plain["files"][blob] = {
            "key": str(key), "name": f"{mark()}.png", "type": f"image/{mark()}", "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(), "note": mark(), "intimate": True, "added": mark(),
        }  # fmt: skip
        plain["receipts"].append({"token": token, "pdq": secrets.token_hex(32), "made": mark(), "note": mark()})
        plain["notes"].append({"text": mark(), "made": mark()})
        plain["links"].append({"url": f"https://{mark()}.example/", "note": mark()})
        plain["payments"].append({name: mark() for name in ("amount", "currency", "day", "how", "to", "by", "note")})
        plain["timeline"].append({"what": mark(), "day": mark(), "time": mark(), "files": [blob]})
        plain["shares"].append({"id": mark(), "files": [blob]})

    log = locker.rows(rows.Head(0, rows.START), 3)
    alice.write(write, attach=[blob], log=[base64.b64encode(row).decode() for row in log], root=secrets.token_hex(32))
    sealed = pyrage.encrypt(json.dumps({blob: str(key), "note": mark()}).encode(), [drill.team.to_public()])
    alice.ask("POST", "shares", {"epoch": 1, "sealed": base64.b64encode(sealed).decode(), "files": [blob]})
    assert drill.site.receipt(token) == "active"
    assert pyrage.decrypt(locker.read(blob), [key]) == content
    return alice


def blunder(drill: Drill) -> None:
    """Somebody whose client does not seal: this is what the search would find."""
    careless = Locker.opened(send=drill.site.send, origin=drill.site.origin)
    careless.keep(f"not sealed: {drill.clear}".encode())


def hand_over(drill: Drill) -> None:
    """A backup and the keys, where the search finds them."""
    drill.site.does("backup", drill.folder / "backups", "--keys", drill.folder / "keys")


def searched(drill: Drill, root: psutil.Process) -> None:
    """What must be nowhere is nowhere, and what must be found is found in every kind of place."""
    places = list(drill.places())
    assert marks.find(drill.hidden | drill.tokens, places) == set()
    control = marks.find({"clear": drill.clear.encode()}, places)
    for kind in ("blobs", "backups", *(["dump of"] if drill.site.database else ["seawall.sqlite3"])):
        assert any(kind in hit for hit in control), kind
    log = marks.find({"the log": b"Serving on"}, places)
    assert any(str(drill.site.log) in hit for hit in log)
    kept = Path(drill.site.folder, "secret.key").read_bytes()
    assert len(marks.find({"secret key": kept}, places)) >= 2, "in the data folder, and in the backup"
    # Memory, in one go for each process: what is searched for and the control.
    hits = marks.find(drill.hidden | {"clear": drill.clear.encode()}, drill.memories(root), packed=False)
    assert {hit for hit in hits if not hit.startswith("clear ")} == set()
    seen = {hit.partition("memory of ")[2].split()[0] for hit in hits}
    assert seen >= {str(each.pid) for each in (root, *root.children(recursive=True))}


def test_a_case_filled_by_hand_leaves_no_word_anywhere(drill: Drill) -> None:
    with drill.site.serves() as root:
        alice = fill(drill)
        blunder(drill)
        hand_over(drill)
        searched(drill, root)
        assert drill.common in json.dumps(alice.manifest()), "and she herself can read all of it"


@pytest.mark.browser
@pytest.mark.xdist_group("subpoena")
def test_a_case_filled_in_a_real_browser_leaves_no_word_anywhere(drill: Drill, browser: Browser) -> None:
    sent: list[tuple[str, bytes]] = []
    with drill.site.serves() as root, browser.new_context() as context:
        context.on("request", lambda request: sent.append((request.url, _said(request))))
        page = context.new_page()
        secret = open_case(page, drill.site.origin)
        drill.secret |= {"words": " ".join(secret.words).encode(), "words-": "-".join(secret.words).encode()}
        number = secret.number.replace("-", "")
        drill.secret |= {"number": number.encode(), "number as shown": secret.number.encode()}
        names = _keep_files(page, drill)
        for door in ("timeline", "payments", "links", "notes"):
            _write_down(page, drill, door)
        _show_the_helpline(page, names)
        to_ledger(page)
        add_picture(page, jpeg(5) + drill.mark().encode())
        blunder(drill)
        hand_over(drill)
        searched(drill, root)
        assert marks.find(drill.hidden, sent) == set()
        assert marks.find({"way": b"/case/api/manifest"}, sent)
    assert drill.written >= 15


def _said(request: Request) -> bytes:
    """All that a request tells, but for the bodies of files, which are sought on the disk."""
    return "\n".join([request.url, *map(str, request.headers.items())]).encode() + (request.post_data_buffer or b"")


def _keep_files(page: Page, drill: Drill) -> list[str]:
    """Two files into the locker, then their names and notes changed."""
    walk.home(page)
    names = []
    for ending, content in (("png", walk.photo("coffee")), ("txt", b"")):
        before, after = f"{drill.mark()}.{ending}", f"{drill.mark()}.{ending}"
        whole = content + f"\n{drill.mark()}\n".encode() * 100
        page.set_input_files("#locker-files", {"name": before, "mimeType": "", "buffer": whole})
        expect(walk.exhibit(page, before)).to_be_visible(timeout=walk.PATIENCE)
        file = walk.look_at(page, before)
        file.get_by_label("Name").fill(after)
        file.get_by_label("Your note").fill(drill.mark())
        file.get_by_role("button", name="Save the change").click()
        expect(file.get_by_role("heading", name=after)).to_be_visible()
        walk.back(page)
        names.append(after)
    return names


def _write_down(page: Page, drill: Drill, door: str) -> None:
    """Fill every field of one of the four lists."""
    page.locator(f"[data-screen=home] [data-to={door}]").click()
    form = walk.screen(page, door).locator("form")
    for field_ in form.locator("input[type=text], textarea").all():
        field_.fill("1234.5" if field_.get_attribute("name") == "amount" else drill.mark())
    for field_ in form.locator("input[type=date]").all():
        field_.fill("2026-11-01")
    form.locator("[type=submit]").click()
    expect(walk.screen(page, door).locator(".entry")).to_have_count(1)
    walk.back(page)


def _show_the_helpline(page: Page, names: list[str]) -> None:
    page.locator("[data-screen=home] [data-to=share]").click()
    share = walk.screen(page, "share")
    for name in names:
        share.get_by_label(name).check()
    share.get_by_role("button", name="Show these files").click()
    expect(share.locator("[data-part=shares] .entry")).to_have_count(1)
    walk.back(page)


@pytest.mark.parametrize(
    "written",
    [
        lambda word: word,
        lambda word: word.hex().encode(),
        lambda word: word.hex().upper().encode(),
        lambda word: word.decode().encode("utf-16"),
        lambda word: word.decode().encode("utf-16-be"),
        base64.b64encode,
        lambda word: base64.b64encode(b"x" + word + b"more"),
        lambda word: base64.b64encode(b"xx" + word + b"x"),
        lambda word: base64.urlsafe_b64encode(b"\xff" + word + b"\xff"),
        lambda word: gzip.compress(b"said: " + word),
        lambda word: b"page" + zlib.compress(word * 3) + b"page",
        lambda word: gzip.compress(base64.b64encode(b"?" + word)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("around", [0, 1, 2])
def test_the_search_finds_a_word_however_it_is_written(written: Any, around: int) -> None:
    word = b"alice@home"
    place = secrets.token_bytes(1000) + b"-" * around + written(word) + secrets.token_bytes(1000)
    assert marks.find({"word": word}, [("here", place)])
    assert marks.find({"word": word}, [("here", secrets.token_bytes(2000))]) == set()


def rows_of(drill: Drill) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of ours, by table."""
    names = [model._meta.db_table for model in apps.get_models() if model._meta.app_label in HASH_WING | PEOPLE_WING]
    file = drill.folder / "rows.json"
    drill.site.python(f"\n{READ_ALL}\nPath({str(file)!r}).write_text(json.dumps(all_of({names}), default=str))")
    found: dict[str, list[dict[str, Any]]] = json.loads(file.read_text())
    return found


def telling(row: dict[str, Any]) -> set[str]:
    """The values of a row that could join it to another: not the small numbers and words that thousands share."""
    values = {str(value) for value in row.values() if isinstance(value, int) and value > 1 << 32}
    return values | {str(value) for value in row.values() if isinstance(value, str) and len(value) >= 16}


def test_no_value_joins_a_case_to_a_fingerprint_nor_one_fingerprint_to_another(drill: Drill) -> None:
    with drill.site.serves():
        fill(drill)
        hers = [drill.site.protect() for _ in range(2)]
        assert all(drill.site.receipt(token) == "active" for token in hers)
        drill.site.takes_back(hers[0])
    found = rows_of(drill)
    sides: dict[str, set[str]] = defaultdict(set)
    for table, its in found.items():
        for row in its:
            sides["hashes" if table.startswith("exchange_") else "people"] |= telling(row)
    assert min(len(values) for values in sides.values()) > 8
    assert sides["hashes"] & sides["people"] == set()
    owners = {row["id"]: {str(row["id"])} | telling(row) for row in found["exchange_entry"]}
    assert len(owners) == 3
    for table, its in found.items():
        for row in its:
            if table.startswith("exchange_") and row.get("entry_id") in owners:
                owners[row["entry_id"]] |= telling(row)
    assert all(len(values) >= 3 for values in owners.values()), "an entry's own rows do share its id"
    for entry, values in owners.items():
        for other, theirs in owners.items():
            assert entry == other or values & theirs == set()
