"""A person with a locker, in Python: sends files, writes manifests and logs as the page does."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyrage

from seawall.cases.tests.client import Person, Refused, canonical
from seawall.evidence import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PART = 4 << 20


@dataclass
class Locker:
    """Alice's, say."""

    person: Person
    lines: list[bytes] = field(default_factory=list)

    @classmethod
    def opened(cls, **how: Any) -> Locker:
        """A new case. Its words are stretched less than the page does, to save time."""
        return cls(Person(memory=64, **how).open())

    def upload(self, content: bytes, *, part: int = PART) -> str:
        """Send a sealed file; its id. No manifest speaks of it yet."""
        blob: str = self.person.ask("POST", "files", {"size": len(content)})["id"]
        self.send(blob, content, part=part)
        self.done(blob, content)
        return blob

    def send(self, blob: str, content: bytes, *, part: int = PART, offset: int = 0) -> None:
        while offset < len(content):
            raw = content[offset : offset + part]
            offset = self.person.ask("PUT", f"files/{blob}?offset={offset}", raw=raw)["received"]

    def done(self, blob: str, content: bytes) -> None:
        self.person.ask("POST", f"files/{blob}/done", {"sha256": hashlib.sha256(content).hexdigest()})

    def keep(self, content: bytes) -> str:
        """Send a file and have the manifest speak of it."""
        blob = self.upload(content)
        self.write(attach=[blob])
        return blob

    def write(self, edit: Callable[[dict[str, Any]], None] | None = None, **more: Sequence[str] | str | None) -> int:
        """Write the manifest; files that are attached or erased come and go in it too."""

        def change(plain: dict[str, Any]) -> None:
            for blob in more.get("attach") or ():
                plain["files"][blob] = {"name": f"{blob}.jpg"}
            for blob in more.get("erase") or ():
                del plain["files"][blob]
            if edit:
                edit(plain)

        return self.person.write(change, **more)

    def read(self, blob: str) -> bytes:
        answer = self.person.call("GET", f"files/{blob}")
        if answer.status >= 400:
            raise Refused(answer)
        body: bytes = answer.body
        return body

    def files(self) -> dict[str, int]:
        """What the server says is there."""
        return {each["id"]: each["size"] for each in self.person.ask("GET", "manifest")["files"]}

    def row(self, head: rows.Head, what: str = "added") -> bytes:
        """The next sealed row."""
        plain = canonical({"action": what, "object": secrets.token_hex(32), "seq": head.count + 1}).ljust(512)
        sealed: bytes = pyrage.encrypt(plain, [pyrage.x25519.Recipient.from_str(self.person.keys.recipient)])
        raw = rows.MAGIC + self.person.keys.case + (head.count + 1).to_bytes(8, "big") + head.digest + sealed
        signature: bytes = self.person.keys.signer.sign(raw)
        return raw + signature

    def rows(self, head: rows.Head, count: int) -> list[bytes]:
        """So many more."""
        made = []
        for _ in range(count):
            made.append(self.row(head))
            head = rows.Head(head.count + 1, hashlib.sha256(made[-1]).digest())
        return made
